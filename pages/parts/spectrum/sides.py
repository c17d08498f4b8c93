"""The two things that are compared: A is the sidebar's model and layer on its target, B is chosen on the page."""

from dataclasses import dataclass

import streamlit as st

from analysis import engine, store
from analysis.errors import InputError
from analysis.metrics.comparison import Comparison
from analysis.models import zoo
from analysis.studies import spectrum as studies
from pages.parts import job, workspace
from pages.parts.messages import plain
from pages.parts.stack import Stack, beside, others

SAME = "This model"


@dataclass(frozen=True, eq=False)
class Side:
    """A model and one of its layers, and what the studies are given for it."""

    name: str
    layers: tuple
    layer: str
    entry: dict

    @property
    def title(self) -> str:
        return f"{self.name}, {self.layer}"


def first(at: workspace.Workspace, target: Stack) -> Side:
    layer = at.layer if at.layer in target.layers else target.layers[-1]
    key = store.default().key_of(target.representations[0])
    return Side(workspace.short(at.model), target.layers, layer, {"representation": engine.Ref.representation(key)})


def second(at: workspace.Workspace, target: Stack, a: Side) -> Side:
    """Another layer of this model, another built-in model, or what is stored of one on the same target."""
    stored = {name: key for name, key in others(target, at).items() if name not in zoo.names()}
    models = () if at.target.startswith("rep:") else _models(at)
    known = list(dict.fromkeys([SAME, *models, *stored]))
    asked = st.query_params.get("spectrum_with")
    if asked and asked not in known:
        st.caption(f":material/info: “{plain(asked)}” is not here: load it, and this link shows it.")
    usual = "vit/seed1" if "vit/seed1" in known else known[min(1, len(known) - 1)] if len(a.layers) == 1 else SAME
    name = st.selectbox("Compare with", known, known.index(usual), key="spectrum_with", bind="query-params", width=230,
                        help="Another layer of this model, another built-in model, or one that is stored on the same target. Items are matched by id.") or SAME
    layers = a.layers if name == SAME else tuple(store.default().representation(stored[name]).layers) if name in stored else \
        tuple(workspace.layer_widths(f"builtin:{name}"))
    same = layers.index(a.layer) if a.layer in layers and name != SAME else 0 if name == SAME else len(layers) - 1
    layer = st.selectbox("Its layer", layers, same, key="spectrum_layer", bind="query-params", width=140) or layers[same]
    if name == SAME:
        return Side(a.name, layers, layer, a.entry)
    entry = {"representation": engine.Ref.representation(stored[name])} if name in stored else \
        {"model": engine.Ref.model(f"builtin:{name}"), "dataset": engine.Ref.dataset(at.target)}
    return Side(name, layers, layer, entry)


def _models(at: workspace.Workspace) -> list[str]:
    """Built-in models, other than A's, that read the target's items."""
    try:
        modality = workspace.get_dataset(at.target).modality
    except InputError:
        return []
    zoos = [n for n in zoo.names() if zoo.card(n)["modality"] == modality]
    more = [o.removeprefix("builtin:") for o in workspace.model_options() if o in ("builtin:raw", "builtin:text/minilm")]
    return [n for n in zoos + [m for m in more if modality in workspace.get_model(f"builtin:{m}").reads] if f"builtin:{n}" != at.model]


def stack_of(b: Side, target: Stack, at: workspace.Workspace) -> Stack | None:
    """B as something to draw, once its representation is stored."""
    if "representation" in b.entry:
        return beside(target, b.entry["representation"].source)
    found = workspace.get_representation(f"builtin:{b.name}", at.target)
    return beside(target, store.default().key_of(found)) if found is not None else None


def compared(a: Side, b: Side) -> Comparison | None:
    """The spectrum as far as it has come."""
    options = {"layer_a": a.layer, "layer_b": b.layer, **readings()}
    return job.study(studies.compare, {"a": a.entry, "b": b.entry}, options, key="spectrum-compare",
                     words=f"The spectrum of {plain(a.title)} and {plain(b.title)}: first the curve, then the scores, then the bands.")


def one_and_the_same(a: Side, b: Side) -> bool:
    return a.entry == b.entry and a.layer == b.layer


def readings() -> dict:
    """The switches of the metric."""
    return {"metric": st.session_state.get("spectrum_metric", "euclidean"), "baseline": st.session_state.get("spectrum_baseline", "exact"), "seed": 0}
