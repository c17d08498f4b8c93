"""A leaderboard, whatever its rows: how well each score orders them, and one score in detail."""

import numpy as np
import pandas as pd
import streamlit as st

from analysis.digest import digest
from analysis.figures import leaderboard as figures
from analysis.figures.template import picked
from analysis.metrics.leaderboard import CORRELATIONS, Leaderboard
from pages.parts import chart as charts
from pages.parts.messages import plain
from pages.parts.ranking import words

KINDS = dict(zip(("Kendall's τ", "Weighted τ", "Spearman"), CORRELATIONS, strict=True))


def draw(found: Leaderboard, answer, truth: str = "") -> None:
    """truth: how that was measured, where it was not by a linear probe."""
    with answer:
        st.markdown(words.answer(found))
        st.caption(words.method(found, truth))
        for warning in found.warnings:
            st.caption(f":material/warning: {plain(warning)}")
    judged = np.isfinite(found.means()).sum() > 1
    if judged:
        told = _summary(found)
        st.markdown(f"**How well each score orders them.** {plain(figures.summary_says(found, told=told))}")
        charts.show(figures.summary(found, told=told), alt=figures.summary_says(found, told=told), key="ranking-summary", table=told,
                    on_select=lambda: _take(found), selection_mode="points")
    _one(found, judged)
    with st.expander("All ranks at once", icon=":material/grid_on:"):
        charts.show(figures.heat(found), alt=figures.heat_says(found), key="ranking-heat", table=found.table())
    _reasons(found)


def _summary(found: Leaderboard) -> pd.DataFrame:
    return _summarised(digest(found.kind, found.names, found.scores, found.directions, found.values, found.truth), found)


@st.cache_resource(max_entries=16, show_spinner=False)
def _summarised(key: str, _found: Leaderboard) -> pd.DataFrame:
    return _found.summary()


def _take(found: Leaderboard) -> None:
    """A click on a score's line looks into that score."""
    points = st.session_state["ranking-summary"]["selection"]["points"]
    if points and points[0].get("customdata") is not None:
        st.session_state["ranking_score"] = found.scores[picked(points[0]["customdata"])]


@st.fragment
def _one(found: Leaderboard, judged: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        usual = "logme" if "logme" in found.scores else found.scores[0]
        score = st.selectbox("Score", found.scores, found.scores.index(usual), format_func=found.title, key="ranking_score", bind="query-params",
                             width=260) or usual
        kind = KINDS[st.segmented_control("Agreement", list(KINDS), default="Kendall's τ", key="ranking_kind", bind="query-params", required=True)]
    st.caption(words.meaning(score, found))
    st.markdown(plain(figures.board_says(found, score)))
    charts.show(figures.board(found, score), alt=figures.board_says(found, score), key="ranking-board", table=found.table())
    if not judged:
        return
    left, right = st.columns(2, gap="medium")
    with left:
        said = figures.against_says(found, score, kind)
        charts.show(figures.against(found, score, kind), alt=said, key="ranking-against")
        st.caption(plain(said))
    with right:
        charts.show(figures.slopes(found, score), alt=figures.slopes_says(found, score), key="ranking-slopes")
        st.caption(plain(figures.slopes_says(found, score)))


def _reasons(found: Leaderboard) -> None:
    if found.reasons:
        with st.expander(f"What could not be computed ({len(found.reasons)})", icon=":material/info:"):
            lines = [what.partition(": ") for what in found.reasons]
            table = pd.DataFrame({"row": [row for row, _, _ in lines], "score": [score for _, _, score in lines], "why": list(found.reasons.values())})
            st.dataframe(table, hide_index=True, key="ranking-reasons", alt="Rows and scores that could not be computed, with the reason")
