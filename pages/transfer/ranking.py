"""Ranking: models for a dataset, sources for a target, each score beside the measured truth; and what others published."""

import streamlit as st

from analysis import published
from analysis.figures import leaderboard as figures
from pages.parts import chart as charts
from pages.parts import docs, workspace
from pages.parts.messages import plain
from pages.parts.ranking import models, scoreboard, sources, words

st.title("Ranking")
answer = st.container()
at = workspace.current()
view = st.segmented_control("View", ["Models", "Sources", "Scoreboard", "Published"], default="Models", key="ranking_view", bind="query-params", required=True,
                            label_visibility="collapsed")
if view == "Models":
    models.draw(at, answer)
elif view == "Sources":
    sources.draw(at, answer)
elif view == "Scoreboard":
    scoreboard.draw(answer)
else:
    answer.markdown(f"What others measured, on data and models that are not here {words.PUBLISHED}. None of it is ours.")
    tables = published.tables()
    name = st.selectbox("Table", list(tables), key="ranking_table", bind="query-params", width=420)
    table = tables[name]
    st.markdown(plain(figures.published_says(table)))
    charts.show(figures.published(table), alt=figures.published_says(table), key="ranking-published")
    st.caption(published.NOTES[name])

with st.expander("How to read this page", icon=":material/school:"):
    st.markdown(words.EXPLAINER)
    docs.link("transfer")
