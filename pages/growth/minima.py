"""Minima: how far a model's valley reaches, and whether growing it pays."""

import streamlit as st

from pages.parts import docs, workspace
from pages.parts.minima import base, views, words

VIEWS = {"Does it pay?": views.pays, "Scores": views.board, "Robustness": views.robust, "Cost": views.cost, "Function check": views.check}

st.title("Minima")
answer = st.container()
at = workspace.current()
view = st.segmented_control("View", ["Does it pay?", "Scores", "Valley", "Robustness", "Cost", "Function check"], default="Does it pay?", key="minima_view",
                            bind="query-params", required=True, label_visibility="collapsed")
it = base.choose(at)
found = it.growth()
if found is None:
    answer.markdown(words.QUESTION)
else:
    views.answer(answer, it, found)
if view == "Valley":
    views.valley(it, found)
elif found is not None:
    VIEWS[view](found)

with st.expander("How to read this page", icon=":material/school:"):
    st.markdown(words.EXPLAINER)
    docs.link("minima")
