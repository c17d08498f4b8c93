"""What a profile shows: each transform, the pairs behind its number, and the way through the layers."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from analysis.figures import sensitivity as figures
from analysis.figures.template import picked
from analysis.metrics.sensitivity import Profile
from pages.parts import chart as charts
from pages.parts import items, workspace
from pages.parts.messages import count, plain
from pages.parts.sensitivity import ranges
from pages.parts.sensitivity.subjects import Subjects

LISTED = 10  # pairs of each end


def shown(at: workspace.Workspace, found: Sequence[Profile], *, more: bool) -> list[tuple]:
    """The layers of each model that are drawn: that of the sidebar and more of its model, the last of the others."""
    first = found[0].layers
    own = at.layer if at.layer in first else first[-1]
    others = st.multiselect("More layers", [name for name in first if name != own], key="sensitivity_layers", bind="query-params", max_selections=3,
                            placeholder=f"of {workspace.label(at.model)}", width=360) if more else ()
    return [(own, *(name for name in others if name in first and name != own)), *(profile.layers[-1:] for profile in found[1:])]


def answer(where, it: Subjects, found: Sequence[Profile], layers: Sequence[tuple]) -> None:
    with where:
        st.markdown(plain(figures.bars_says(found, layers)))
        first = found[0]
        changed = it.options["knobs"]
        st.caption(f"{plain(first.data)}: {count(first.n, 'pair')} of each transform, seed {it.seed}; 95\u202f% intervals from "
                   f"{count(first.options['resamples'], 'resample')} of the pairs. {_ranges(changed)} {ranges.whose(it.known)}")
        for warning in dict.fromkeys(w for profile in found for w in profile.warnings):
            st.caption(f":material/warning: {plain(warning)}")


def _ranges(changed: dict) -> str:
    return f"Ranges changed: {plain(', '.join(changed))}." if changed else "No range changed."


def bars(it: Subjects, found: Sequence[Profile], layers: Sequence[tuple]) -> None:
    """Each transform; a click looks at its pairs."""
    known = list(it.known)
    transform = st.session_state.get("sensitivity_transform") or st.query_params.get("sensitivity_transform") or _first(known)
    charts.show(figures.bars(found, layers, at=transform), alt=figures.bars_says(found, layers), key="sensitivity-bars",
                on_select=lambda: _take(known), selection_mode="points", table=_table(found, layers), note=True)
    _behind(it, found, layers)


def _table(found: Sequence[Profile], layers: Sequence[tuple]) -> pd.DataFrame:
    """The numbers of the layers that are drawn, model by model."""
    parts = []
    for profile, drawn in zip(found, layers, strict=True):
        lines = profile.table()
        parts.append(lines[lines["layer"].isin(drawn)].assign(model=profile.model))
    every = pd.concat(parts)
    return every[["model", *(name for name in every if name != "model")]]


def _model(label: str, key: str, it: Subjects, found: Sequence[Profile]) -> int:
    """Which of the models, where there are several."""
    if len(found) < 2:
        return 0
    return st.selectbox(label, range(len(found)), key=key, bind="query-params", format_func=lambda i: workspace.label(it.models[i]), width=260) or 0


def _first(known: list[str]) -> str:
    """Whose pairs are shown unless another was chosen."""
    return "rotate" if "rotate" in known else known[0]


def _take(known: list[str]) -> None:
    points = st.session_state["sensitivity-bars"]["selection"]["points"]
    if points and points[0].get("customdata") is not None:
        st.session_state["sensitivity_transform"] = known[picked(points[0]["customdata"])[1]]


def _behind(it: Subjects, found: Sequence[Profile], layers: Sequence[tuple]) -> None:
    """Numerator and denominator of one number, and the pairs at either end."""
    known = list(it.known)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        transform = st.selectbox("The pairs behind", known, known.index(_first(known)), key="sensitivity_transform",
                                 bind="query-params", width=260) or known[0]
        which = _model("of", "sensitivity_of", it, found)
    profile = found[which]
    layer = layers[which][0]
    row = profile.row(transform, layer)
    if row.reason:
        st.caption(plain(row.reason))
        return
    said = figures.distances_says(row, title=f"{transform}, {layer}")
    st.markdown(plain(said))
    charts.show(figures.distances(row, title=f"{transform}, {layer}"), alt=said, key="sensitivity-distances", table=row.table(), note=True)
    _ends(it, transform, row.matched / row.random.mean())


def _ends(it: Subjects, transform: str, moved: np.ndarray) -> None:
    """The pairs that are noticed most, and least."""
    a, b, rows = it.pairs(transform)
    order = np.argsort(-moved, kind="stable")
    order = order[moved[order] > 0]  # a pair of equal items tells nothing of the model
    if not len(order):
        st.caption("In no pair does the representation differ: the model reads both sides as the same.")
        return
    for title, chosen in (("Noticed most", order[:LISTED]), ("Noticed least, of those noticed at all", order[::-1][:LISTED])):
        span = f"{moved[chosen].min():.2f} to {moved[chosen].max():.2f} of a random pair's distance"
        st.markdown(f"**{title}**, {span}")
        if isinstance(a, np.ndarray):
            st.image(items.inline(ranges.montage((a[chosen], b[chosen]))), width="content",
                     alt=f"{len(chosen)} pairs under {transform}, one above the other: {title.lower()}, {span}")
        else:
            st.markdown("\n".join(f"- {plain(a[i][:160])}  \n  {plain(b[i][:160])}" for i in chosen))
    if it.dataset:
        st.button("Select the items noticed most", icon=":material/select_all:", key="sensitivity-select", on_click=_select,
                  args=(it, [int(rows[i]) for i in order[:LISTED]], transform))


def _select(it: Subjects, rows: list[int], transform: str) -> None:
    from analysis.selection import Selection
    from pages.parts import selection
    data = workspace.get_dataset(it.dataset)
    selection.set(Selection(data.digest, tuple(data.ids[i] for i in rows), f"Noticed most under {transform}"))


def through(it: Subjects, found: Sequence[Profile], layer: str) -> None:
    """Every transform along the layers of one model."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        which = _model("Model", "sensitivity_model", it, found)
        profile = found[which]
        at = st.multiselect("Set off", profile.transforms, key="sensitivity_set_off", bind="query-params", width=420, max_selections=4,
                            placeholder="The most and the least noticed")
    said = figures.through_layers_says(profile, at=at)
    st.markdown(plain(said))
    charts.show(figures.through_layers(profile, at=at, layer=layer if layer in profile.layers else None), alt=said, key="sensitivity-layers",
                table=profile.table(), note=True)


def explore(it: Subjects, known: dict) -> None:
    """A row for each transform, with its sliders."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        shown = st.segmented_control("Show", ["Samples", "Pairs"], default="Samples", key="sensitivity_show", bind="query-params", required=True,
                                     help="Pairs: the same objects and backgrounds twice, with two draws of the transform.")
        draw = st.number_input("Draw", 0, 100_000, 0, 1, key="sensitivity_draw", bind="query-params", width=110, help="Another number, other items.")
    ranges.explorer(it, known, shown == "Pairs", int(draw))
