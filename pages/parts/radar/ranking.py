"""The sources beside one another and beside chance."""

import numpy as np
import streamlit as st

from analysis.figures import radar as figures
from analysis.metrics.radar import SourceRanking
from pages.parts import chart as charts


def draw(found: SourceRanking | None) -> None:
    if found is None:
        return
    charts.show(figures.ranking(found), alt=figures.ranking_says(found), key="radar-ranking", table=found.table())
    if found.matched_scores.size and not np.isnan(found.matched_scores).all():
        with st.expander("The splits behind the bands", icon=":material/scatter_plot:"):
            name = st.selectbox("Source", found.names, key="radar-splits", width=230) or found.names[0]
            charts.show(figures.splits(found, name), alt=figures.splits_says(found, name), key="radar-split")
