"""Every domain against every other, and the sources under every reading."""

import streamlit as st

from analysis.figures import radar as figures
from pages.parts import chart as charts
from pages.parts.messages import plain
from pages.parts.radar.field import Field
from pages.parts.radar.words import OURS


def draw(it: Field) -> None:
    found = it.everyone()
    if found is not None:
        st.markdown(plain(figures.matrix_says(found)))
        charts.show(figures.matrix(found), alt=figures.matrix_says(found), key="radar-everyone", table=found.table().reset_index(names="as target ↓ from →"))
        st.caption("Rows: targets; columns: sources. Scores at all items: they are higher where there are fewer items, so compare along a row.")
        _reasons(found.reasons)


def readings(it: Field) -> None:
    found = it.readings()
    if found is not None:
        st.markdown(plain(figures.readings_says(found)))
        charts.show(figures.readings(found), alt=figures.readings_says(found), key="radar-all-readings", table=found.table())
        st.caption(f"Each line turns one switch {OURS} of the reading chosen above. Scores of different readings have different units: ranks are compared. "
                   "They are at all items, not on halves: where sources differ in size, the ranking above is the fairer one.")
        _reasons(found.reasons)


def _reasons(reasons) -> None:
    for what, why in reasons.items():
        st.caption(f":material/info: {plain(what)}: {plain(why)}")
