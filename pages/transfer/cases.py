"""Cases: why a source helped a target or hurt it, measured, looked into, and tried again with a remedy."""

import streamlit as st

from pages.parts import extraction, workspace
from pages.parts.cases import files, pairs, source, views, words
from pages.parts.messages import plain
from pages.parts.stack import left_out, stack

st.title("Cases")
answer = st.container()
at = workspace.current()
files.choose()

# what there is

here = stack(at)
if not at.sources:
    answer.markdown("Why did adding a source hurt? Choose a source dataset in the sidebar, or a built-in case.")
    st.stop()
if (here is None or len(here.sources) < len(at.datasets)) and not extraction.panel(at, key="cases-extract"):
    if here is None or len(here.sources) < 2:
        answer.markdown("Why did adding a source hurt? For that, the model has to look at the items of both first.")
        st.stop()
here = stack(at)
for lost in left_out(at, here):
    st.caption(f":material/info: {plain(workspace.label(lost))} is left out: its layers do not fit those of the target.")
if len(here.sources) < 2:
    answer.markdown("None of these sources can stand beside the target: choose others in the sidebar.")
    st.stop()

# what was measured

it = source.choose(here, at)
found, before = it.inspected(), it.before()
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
