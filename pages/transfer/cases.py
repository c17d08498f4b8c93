"""Cases: why a source helped a target or hurt it, measured, looked into, and tried again with a remedy."""

import streamlit as st

from pages.parts import beside, docs, workspace
from pages.parts.cases import files, pairs, source, views, words
from pages.parts.messages import plain

st.title("Cases")
answer = st.container()
at = workspace.current()
files.choose()

here = beside.gathered(at, answer, key="cases-extract",
                       choose="Why did adding a source hurt? Choose a source dataset in the sidebar, or a built-in case.",
                       look="Why did adding a source hurt? For that, the model has to look at the items of both first.")

# what was measured

it = source.choose(here, at)
case = answer.container()
found, before = it.inspected(), it.before()
with case:
    files.told(it, found)
if found is None:
    answer.markdown(f"Measuring what **{plain(it.source)}** does for **{plain(it.target)}** …")
else:
    with answer:
        views.answer(it, found, before)
    view = st.segmented_control("View", ["Why", "Classes", "Items", "Distances", "Target size", "All pairs"], default="Why", key="cases_view",
                                bind="query-params", required=True, label_visibility="collapsed")
    if view == "Why":
        views.causes(found)
    elif view == "Classes":
        views.measured(found)
    elif view == "Items":
        views.flips(it, found)
    elif view == "Distances":
        views.distances(found)
    elif view == "Target size":
        views.curve(it)
    else:
        pairs.draw(here, it.chosen["budget"])
    files.save(it, found)

with st.expander("How to read this page", icon=":material/school:"):
    st.markdown(words.EXPLAINER)
    docs.link("transfer")
