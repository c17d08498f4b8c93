"""Where the domains go, layer by layer."""

import numpy as np
import streamlit as st

from analysis.figures import trajectory as figures
from analysis.figures.template import picked
from analysis.metrics.trajectory import Paths
from pages.parts import chart as charts
from pages.parts import items, selection
from pages.parts.messages import count, plain
from pages.parts.radar.field import Field

AXES = {"Axes of the means": "means", "Axes of all items": "states"}


def draw(it: Field) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        dims = {"2D": 2, "3D": 3}[st.segmented_control("Axes", ["2D", "3D"], default="2D", key="radar_dims", bind="query-params", required=True,
                                                       label_visibility="collapsed")]
        axes = AXES[st.segmented_control("Axes of", list(AXES), default="Axes of the means", key="radar_axes", bind="query-params", required=True,
                                         label_visibility="collapsed")]
        threads = st.toggle("Single items", False, key="radar_threads", bind="query-params", help="Thin lines: items drawn by class, seed 0.")
        film = st.toggle("Play", False, key="radar_film", bind="query-params", help="A film through the layers, on the same axes.")
    found = it.paths(axes)
    if found is None:
        return
    for name, reason in found.options.get("left_out", {}).items():
        st.caption(f":material/info: {plain(name)} is left out: {plain(reason)}")
    _look(it, found, dims, threads, film)


@st.fragment
def _look(it: Field, found: Paths, dims: int, threads: bool, film: bool) -> None:
    chosen = selection.current()
    if (chosen and chosen.digest) != st.session_state.setdefault("_radar_seen", chosen and chosen.digest):
        st.session_state["_radar_seen"] = chosen and chosen.digest
        st.rerun()  # the sidebar has to follow
    if st.session_state.get("radar_layer") not in found.layers:
        asked = st.query_params.get("radar_layer")
        st.session_state["radar_layer"] = asked if asked in found.layers else found.layers[-1]
    layer = st.select_slider("Layer", list(found.layers), key="radar_layer", bind="query-params")
    said = figures.says(found, layer=layer)
    st.markdown(plain(said))
    if film:
        charts.show(figures.film(found, dims=dims, layer=layer, threads=threads), alt=said, key="radar-film", table=found.table())
    else:
        linked = {"on_select": lambda: _take(it, found), "selection_mode": "points"} if dims == 2 else {}
        charts.show(figures.trajectories(found, dims=dims, layer=layer, threads=threads), alt=said, key="radar-paths", table=found.table(), **linked)
    shares = ", ".join(f"{share:.0%}".replace("%", "\u202f%") for share in found.shares[:dims])
    what = "of the means of all layers and domains" if found.options["axes"] == "means" else "of all layers and domains"
    followed = f" {count(found.rows.shape[1], 'single item')} of each domain drawn by class, seed {found.options['seed']}." if threads else ""
    clicks = (" Click an item's mark at this layer to see it." if dims == 2 and not film else " The film and 3D take no clicks: choose 2D.") if threads else ""
    st.caption(f"One PCA {what}; its axes carry {shares} of that variance. Means of all items.{followed}{clicks}")
    rows = it.stack.rows(chosen)
    if len(rows):
        items.card(it.stack, int(rows[0]))


def _take(it: Field, found: Paths) -> None:
    """A click on a thread selects its item."""
    points = [p for p in st.session_state["radar-paths"]["selection"]["points"] if p.get("customdata") is not None]
    if points:
        domain, row, _ = picked(points[0]["customdata"])
        if row >= 0:
            at = it.stack.domains.index(found.names[domain])
            it.stack.select(np.array([row + it.stack.starts[at]]), f"Path of an item of {found.names[domain]}")
