"""The first three minutes: three ways in, as long as nothing has been looked at on this machine."""

import streamlit as st

from analysis import store
from pages.parts import extraction, workspace


def draw(at: workspace.Workspace) -> None:
    if store.default().entries("representations"):
        return
    demo, own, lesson = st.columns(3, gap="small")
    with demo, st.container(border=True, height="stretch", key="door-demo"):
        st.subheader("Look at a demo", anchor=False)
        st.markdown("Handwritten and printed digits through a small vision transformer. Some seconds, then the map shows ten clusters form.")
        st.button("Start the demo", type="primary", icon=":material/play_arrow:", key="door-demo-start", on_click=_start,
                  help="Sets the sidebar to the demo and extracts what every layer makes of every item.")
    with own, st.container(border=True, height="stretch", key="door-own"):
        st.subheader("Load your own", anchor=False)
        st.markdown("Pictures, texts, tables, weights, a transformers checkpoint, or representations made elsewhere. Nothing leaves this machine.")
        st.markdown("[:material/arrow_downward: Bring your own](#bring-your-own)")
    with lesson, st.container(border=True, height="stretch", key="door-lesson"):
        st.subheader("Take a lesson", anchor=False)
        st.markdown("Six guided demos: guess first, then the live number, then what to notice. A quarter of an hour each.")
        st.page_link("learn/lessons.py", label="To the lessons", icon=":material/school:")


def _start() -> None:
    workspace.choose(model=workspace.DEFAULT_MODEL, target=workspace.DEFAULT_TARGET, sources=list(workspace.DEFAULT_SOURCES))
    at = workspace.Workspace(workspace.DEFAULT_MODEL, workspace.DEFAULT_TARGET, workspace.DEFAULT_SOURCES, "")
    extraction.start(at, [pair for pair in extraction.pairs(at) if pair.missing])
