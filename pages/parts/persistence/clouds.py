"""Which clouds the page shows, and the k it asks about: its controls."""

import streamlit as st

from pages.parts import workspace
from pages.parts.messages import plain
from pages.parts.persistence.cloud import Cloud
from pages.parts.stack import Stack, beside, others, single

FEW = 40  # k that the slider reaches when there are fewer classes


def choose_k(target: Stack) -> int:
    """As many as the labels name, until somebody moves the slider; again as many when the target changes."""
    key, of = "persistence_k", target.sources
    classes = len(target.representations[0].classes) or 2
    most = max(FEW, 2 * classes)
    if st.session_state.get("_persistence_of") not in (None, of):
        st.session_state.pop(key, None)
        st.query_params.pop(key, None)
    st.session_state["_persistence_of"] = of
    asked = st.query_params.get(key, "1")
    if not (asked.isdecimal() and 1 <= int(asked) <= most):
        st.caption(f":material/info: The address asks for k = {plain(asked)}; here k goes from 1 to {most}.")
    said = f"its labels name {classes}" if target.labels is not None else "there are no labels"
    return st.slider("Classes k", 1, most, classes, key=key, bind="query-params", width=260,
                     help=f"The k − 1 longest bars separate k classes; all others lie within one. Of labels only their number is used: {said}.")


def first(at: workspace.Workspace, target: Stack, **options) -> Cloud:
    layers = target.layers
    layer = at.layer if at.layer in layers else layers[-1]
    return Cloud("a", workspace.short(at.model), target, layer, **options)


def second(at: workspace.Workspace, here: Stack, **options) -> Cloud | None:
    """Beside the first: another layer of it, a source dataset, or another model on the same target."""
    target, stored = single(here), others(here, at)
    domains = {f"source: {d}": i for i, d in enumerate(here.domains) if i}
    known, asked = ["Nothing", "Another layer", *domains, *stored], st.query_params.get("persistence_beside")
    if asked and asked not in known:
        st.caption(f":material/info: “{plain(asked)}” is not stored here: choose it in the sidebar and extract it, then this link shows it.")
    name = st.selectbox("Compare with", known, key="persistence_beside", bind="query-params", width=200,
                        help="Another layer, a source dataset, or another model on the same target: what is stored is listed here.") or "Nothing"
    stack = target if name == "Another layer" else single(here, domains[name]) if name in domains else beside(here, stored[name]) if name in stored else None
    if stack is None:
        if name in stored:
            st.caption(f":material/info: {plain(name)} is of other items than the target.")
        return None
    layers = list(stack.layers)
    usual = layers[0] if name == "Another layer" else at.layer if at.layer in layers else layers[-1]
    layer = st.selectbox("Its layer", layers, layers.index(usual), key="persistence_beside_layer", bind="query-params", width=130) or usual
    return Cloud("b", name if name in stored else workspace.short(at.model), stack, layer, name.removeprefix("source: ") if name in domains else "", **options)
