"""Persistence: which clusters and loops a layer has, at which scale, and which items they are made of."""

import streamlit as st

from pages.parts import docs, extraction, workspace
from pages.parts.messages import plain
from pages.parts.persistence import clouds, compare, diagram, growing, ranking, surveys, words
from pages.parts.stack import single, stack

st.title("Persistence")
answer = st.container()
at = workspace.current()
here = stack(at)
if here is None and not extraction.panel(at, key="persistence-extract"):
    answer.markdown("At which distances do items join into clusters, and which loops do they form? For that, the model has to look at them first.")
    st.stop()
here = here or stack(at)  # it may have come while the panel was drawn

# what is shown

view = st.segmented_control("View", ["Diagram", "Grow the radius", "Through the layers", "Through training", "Compare", "Rank models"], default="Diagram",
                            key="persistence_view", bind="query-params", required=True, label_visibility="collapsed")
options, other, items = {}, None, at.target
with st.container(horizontal=True, vertical_alignment="bottom"):
    k = clouds.choose_k(single(here))
    if view == "Diagram":
        options["points"] = st.selectbox("Points for loops", [250, 500, 1000, 2000], 2, key="persistence_points", bind="query-params", width=130,
                                         help="H1 takes about a second for 1 000 points and grows quickly. Of more items, that many landmarks are used.")
        options["hollows"] = st.toggle("Hollows (H2)", key="persistence_hollows", bind="query-params",
                                       help="Hollow spaces, as inside a sphere: looked for among 200 landmarks only, for the work grows with the fourth power.")
        other = clouds.second(at, here, **options)
    if view == "Through training" and not at.target.startswith("rep:"):
        items = surveys.data(at)
cloud = clouds.first(at, single(here), **options)

# the answer

with answer:
    for each in filter(None, (cloud, other)):
        st.markdown(words.answer(each, k))
    for each in filter(None, (cloud, other)):
        st.caption(words.method(each) if other is None else f"{plain(each.name)}: {words.method(each)}")
    if other is not None and len(other.rows) != len(cloud.rows):
        st.caption(":material/warning: PR depends on the number of items: at different numbers the two ratios cannot be compared.")

if view == "Diagram":
    diagram.draw([c for c in (cloud, other) if c], k)
elif view == "Grow the radius":
    growing.draw(cloud, k)
elif view == "Through the layers":
    surveys.through_layers(cloud, k)
elif view == "Through training":
    surveys.through_training(at, items, k)
elif view == "Compare":
    compare.draw(cloud, at)
else:
    ranking.draw(at, k)

for each in filter(None, (cloud, other)):
    each.work(loops=view == "Diagram")

with st.expander("How to read this page", icon=":material/school:"):
    st.markdown(words.EXPLAINER)
    docs.link("persistence")
