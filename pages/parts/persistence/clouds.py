"""Which clouds the page shows, and the k it asks about: its controls."""

import streamlit as st

from pages.parts import workspace
from pages.parts.messages import plain
from pages.parts.persistence.cloud import Cloud, single
from pages.parts.stack import Stack, beside, others

FEW = 40  # k that the slider reaches when there are fewer classes


def choose_k(target: Stack) -> int:
    """As many as the labels name, until somebody moves the slider; again as many when the target changes."""
    key, kept = "persistence_k", st.session_state.get("_persistence_of")
    classes, of = len(target.representations[0].classes) or 2, target.sources
    fresh = key not in st.session_state and key not in st.query_params
    if fresh or kept not in (None, of):
        st.session_state[key] = classes
    st.session_state["_persistence_of"] = of
    most = max(FEW, 2 * classes)
    if key not in st.session_state:  # from the address
        asked = st.query_params[key]
        st.session_state[key] = min(max(1, int(asked)), most) if asked.isdecimal() else classes
    said = f"its labels name {classes}" if target.labels is not None else "there are no labels"
    return st.slider("Classes k", 1, most, key=key, bind="query-params", width=260,
                     help=f"The k − 1 longest bars separate k classes; all others lie within one. Of labels only their number is used: {said}.")


def first(at: workspace.Workspace, target: Stack, **options) -> Cloud:
    layers = target.layers
    layer = at.layer if at.layer in layers else layers[-1]
    return Cloud("a", f"{workspace.short(at.model)}, {layer}", target, layer, **options)


def second(at: workspace.Workspace, here: Stack, **options) -> Cloud | None:
    """Beside the first: another layer of it, a source dataset, or another model on the same target."""
    target, stored = single(here), others(here, at)
    domains = {f"source: {d}": i for i, d in enumerate(here.domains) if i}
    name = st.selectbox("Compare with", ["Nothing", "Another layer", *domains, *stored], key="persistence_beside", bind="query-params", width=200,
                        help="Another layer, a source dataset, or another model on the same target: what is stored is listed here.")
    if name == "Nothing" or name is None:
        return None
    stack = target if name == "Another layer" else single(here, domains[name]) if name in domains else beside(here, stored[name])
    if stack is None:
        st.caption(f":material/info: {plain(name)} is of other items than the target.")
        return None
    layers = list(stack.representations[0].layers)
    same = at.layer if at.layer in layers and name != "Another layer" else layers[0] if name == "Another layer" else layers[-1]
    layer = st.selectbox("Its layer", layers, layers.index(same), key="persistence_beside_layer", bind="query-params", width=130)
    model = workspace.short(at.model) if name == "Another layer" or name in domains else name
    return Cloud("b", f"{model}, {layer}" + (f", {name.removeprefix('source: ')}" if name in domains else ""), stack, layer or layers[-1], **options)
