"""The first three minutes: three ways in, until the demo or something of one's own is there."""

import streamlit as st

from pages.parts import extraction, workspace

WIDE = 160  # pixels of a way in
DEMO = workspace.Workspace(workspace.DEFAULT_MODEL, workspace.DEFAULT_TARGET, workspace.DEFAULT_SOURCES, "")


def draw() -> None:
    brought = any(source.startswith(("store:", "rep:")) for source in (*workspace.model_options(), *workspace.dataset_options()))
    if brought or all(pair.stored for pair in extraction.pairs(DEMO)):
        return
    with _door("demo", "Look at a demo", "Handwritten and printed digits through a small vision transformer. Some seconds, then move the map's slider through "
                                         "the layers: mixed at first, the digits part into groups, some of which still overlap on two axes."):
        st.button("Start the demo", type="primary", icon=":material/play_arrow:", key="door-demo-start", on_click=_start, width=WIDE,
                  help="Sets the sidebar to the demo and extracts what every layer makes of every item.")
    with _door("own", "Load your own", "Pictures, texts, tables, weights, a transformers checkpoint, or representations made elsewhere. Nothing leaves this "
                                       "machine."):
        st.markdown("[:material/arrow_downward: Bring your own](#bring-your-own)", width=WIDE)
    with _door("lesson", "Take a lesson", "Six guided demos: guess first, then the live number, then what to notice. A quarter of an hour each."):
        extraction.way("learn/lessons.py", "To the lessons", icon=":material/school:", key="door-lesson-open", width=WIDE)


def _door(name: str, title: str, text: str):
    """A row, so that it holds in a narrow window too: what to expect, and beside it the way in."""
    row = st.container(border=True, horizontal=True, vertical_alignment="center", gap="medium", key=f"door-{name}")
    told = row.container(gap="xsmall")
    told.subheader(title, anchor=False)
    told.markdown(text)
    return row


def _start() -> None:
    workspace.choose(model=DEMO.model, target=DEMO.target, sources=list(DEMO.sources))
    extraction.start(DEMO, [pair for pair in extraction.pairs(DEMO) if pair.missing])
