"""Spectrum: at which neighbourhood sizes two representations of the same items agree."""

import streamlit as st

from pages.parts import docs, extraction, workspace
from pages.parts.messages import plain
from pages.parts.spectrum import playground, seeds, sides, views, words
from pages.parts.stack import single, stack

st.title("Spectrum")
answer = st.container()
at = workspace.current()
view = st.segmented_control("View", ["Spectrum", "Who moved?", "By class", "Layers", "Seeds", "Playground"], default="Spectrum", key="spectrum_view",
                            bind="query-params", required=True, label_visibility="collapsed")
if view == "Playground":
    answer.markdown("Two clouds whose difference is known: what does one number say, and what does the spectrum?")
    playground.draw()
elif view == "Seeds":
    seeds.draw(at, answer)
else:
    here = stack(at)
    if here is None and not extraction.panel(at, key="spectrum-extract"):
        answer.markdown("At which scale do two models, or two layers, agree about who is near whom? For that, the model has to look at the items first.")
        st.stop()
    target = single(here or stack(at))  # it may have come while the panel was drawn
    a = sides.first(at, target)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        b = sides.second(at, target, a)
        st.selectbox("Distance", ["euclidean", "cosine"], key="spectrum_metric", bind="query-params", width=130)
        st.selectbox("Chance level", ["exact", "paper"], key="spectrum_baseline", bind="query-params", width=120,
                     help="exact: the expectation under relabelling (our reading). paper: k/(2N−k), too small.")
    found, pairs = sides.compared(a, b), views.all_layers(a, b) if view == "Layers" else None
    if found is None:
        answer.markdown(f"Comparing **{plain(a.title)}** with **{plain(b.title)}** …")
    else:
        answer.markdown(words.answer(a.title, b.title, found) if not sides.one_and_the_same(a, b) else
                        "A and B are one and the same layer: they agree by definition. Choose another layer, or another model.")
        answer.caption(words.method(found))
        for warning in found.warnings:
            answer.caption(f":material/warning: {plain(warning)}")
        views.look(view, found, pairs, target, sides.stack_of(b, target, at), a, b)

with st.expander("How to read this page", icon=":material/school:"):
    st.markdown(words.EXPLAINER)
    docs.link("tas")
