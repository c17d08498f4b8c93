"""Sensitivity: which changes of its input a representation ignores, and when that hurts transfer."""

import streamlit as st

from pages.parts import docs, messages, workspace
from pages.parts.sensitivity import experiments, subjects, views, words

VIEWS = {"Carried over": "carried", "Mismatch": "mismatch", "Importance": "importance", "Harm": "harm"}

st.title("Sensitivity")
answer = st.container()
at = workspace.current()
view = st.segmented_control("View", ["Transforms", "Sensitivity", "Layers", *VIEWS], default="Sensitivity", key="sensitivity_view", bind="query-params",
                            required=True, label_visibility="collapsed")
if error := st.session_state.pop("_sensitivity_error", None):
    messages.problem(error)

if view in VIEWS:
    experiments.draw(VIEWS[view], answer)
else:
    it = subjects.choose(at, measured=view != "Transforms")
    if view == "Transforms":
        answer.markdown("What each transform does to an item, within its range. Every item of a row is another one, with a draw of its own.")
        views.explore(it, it.known)
    else:
        found = [profile for model in it.models if (profile := it.profile(model)) is not None]
        if not found:
            answer.markdown("Which transforms does the model notice? Looking at the first pairs …")
        else:
            layers = views.shown(at, found, more=view == "Sensitivity")
            views.answer(answer, it, found, layers)
            if view == "Sensitivity":
                views.bars(it, found, layers)
            else:
                views.through(it, found, at.layer)

with st.expander("How to read this page", icon=":material/school:"):
    st.markdown(words.EXPLAINER)
    docs.link("sensitivity")
