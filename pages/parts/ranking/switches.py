"""Switches of the scores, in the address; what is published and what is our reading of it is marked."""

import streamlit as st

from analysis.metrics.radar import READINGS
from analysis.studies.ranking import DETERMINANT, KNOWN
from pages.parts.ranking.words import OURS, PUBLISHED

EXTRA = [name for name, turned in READINGS.items() if turned]


def panel(kind: str) -> dict:
    """What differs from the defaults, of the study of models or of sources."""
    with st.popover("Switches", icon=":material/tune:", key="ranking-switches"):
        found = {"logme": st.selectbox(f"Determinant of LogME {PUBLISHED}", DETERMINANT, key="ranking_logme", bind="query-params",
                                       help="Full: as the evidence is defined. As published: without a term that the widespread implementation leaves out.")}
        if kind == "sources":
            found["known"] = st.selectbox(f"Labels that scores of a head see {OURS}", KNOWN, key="ranking_known", bind="query-params",
                                          help="The training part: what you would know when you choose. Target: all labels, which only an experiment has.")
            found["readings"] = st.multiselect(f"RADAR under other readings {OURS}", EXTRA, key="ranking_readings", bind="query-params",
                                               help="Each becomes a column of its own. About as slow as RADAR itself.")
    usual = {"logme": DETERMINANT[0], "known": KNOWN[0], "readings": []}
    return {name: value or usual[name] for name, value in found.items() if value not in (None, usual[name])}
