"""The gate of pages that set sources beside a target: what is stored of both, or what is missing; then the page stops."""

import streamlit as st

from pages.parts import extraction, workspace
from pages.parts.messages import plain
from pages.parts.stack import Stack, left_out, missing, stack


def gathered(at: workspace.Workspace, answer, *, choose: str, look: str, key: str) -> Stack:
    """Target and sources, as far as they are there: two at least. Said where the page cannot go on: `choose` without a source, `look` before the model has
    been at work."""
    here = stack(at)
    if not at.sources:
        answer.markdown(choose)
        st.stop()
    if missing(at, here) and not extraction.panel(at, key=key):
        if here is None or len(here.sources) < 2:
            answer.markdown(look)
            st.stop()
    here = stack(at)  # it may have come while the panel was drawn
    for source in left_out(at, here):
        st.caption(f":material/info: {plain(workspace.label(source))} is left out: its layers do not fit those of the target.")
    if len(here.sources) < 2:
        answer.markdown("None of these sources can stand beside the target: choose others in the sidebar.")
        st.stop()
    return here
