"""The sources beside one another and beside chance."""

import streamlit as st

from analysis.figures import radar as figures
from analysis.metrics.radar import SourceRanking
from pages.parts import chart as charts
from pages.parts.messages import plain


def draw(found: SourceRanking | None) -> None:
    if found is None:
        return
    st.markdown(plain(figures.ranking_says(found)))
    charts.show(figures.ranking(found), alt=figures.ranking_says(found), key="radar-ranking", table=found.table())
    known = [name for name in found.names if len(found.sources[name].matched)]
    if known:
        with st.expander("The splits behind the bands", icon=":material/scatter_plot:"):
            name = st.selectbox("Source", known, key="radar_splits", bind="query-params", width=230) or known[0]
            charts.show(figures.splits(found, name), alt=figures.splits_says(found, name), key="radar-split")
