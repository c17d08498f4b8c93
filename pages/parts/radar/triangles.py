"""One anchor, one partner, one transition: the triangle that is measured; and a free one to bend."""

import numpy as np
import streamlit as st

from analysis.figures import triangle as figures
from analysis.metrics.radar import triangles
from pages.parts import chart as charts
from pages.parts import items, selection
from pages.parts import map as maps
from pages.parts.messages import plain
from pages.parts.radar import words
from pages.parts.radar.field import Field

ROLES = ("anchor", "partner")


def draw(it: Field) -> None:
    st.markdown("At each layer an item of the target (the anchor), where the next layer takes it, and a partner make a triangle: its angle θ and its excess "
                "length d are all that RADAR looks at.")
    real, free = st.tabs(["Two of these items", "A free triangle"])
    with real:
        _real(it)
    with free:
        _free(it)


@st.fragment
def _real(it: Field) -> None:
    layers = it.window
    with st.container():
        role = st.segmented_control("A click on the map chooses the", ROLES, default="partner", key="radar_role", bind="query-params", required=True)
        rows = _rows(it, role)
        picture = maps.pictures(it.stack, dims=2, layer=layers[0])[layers[0]]
        maps.chart(it.stack, picture, maps.colourings(it.stack).get("Domain", next(iter(maps.colourings(it.stack).values())))(layers[0]), key="radar-map",
                   where=layers[0], height=440, limit=1200, alt=f"Map of {layers[0]}: click an item to choose the {role}")
    with st.container():
        steps = words.steps(layers)
        step = steps.index(st.select_slider("Transition", steps, key="radar_triangle", bind="query-params"))
        names = [f"{it.stack.domains[it.stack.block[r]]} {it.stack.ids[r]}" for r in rows]
        points = [_state(it, rows[0], layers[i]) for i in (step, step + 1)] + [_state(it, rows[1], layers[step])]
        look = {"angle": it.options.angle, "distance": it.options.distance}
        st.markdown(plain(figures.says(*points, **look)))
        if it.options.geometry != "euclidean":
            st.caption("Drawn in Euclidean geometry, whatever the reading says.")
        same = st.toggle("Same scale at all transitions", False, key="radar_scale", bind="query-params")
        frame = figures.frame([(_state(it, rows[0], a), _state(it, rows[0], b), _state(it, rows[1], a)) for a, b in zip(layers, layers[1:], strict=False)])
        made = figures.triangle(*points, **look, names=(names[0], f"{names[0]}, next layer", names[1]), bounds=frame if same else None)
        charts.show(made, alt=figures.says(*points, **look), key="radar-triangle")
        st.caption(f"{made.layout.meta['note']}.")
        _over_layers(it, rows, layers, look)
    for column, row, role in zip(st.columns(2), rows, ROLES, strict=True):
        with column:
            st.caption(f"The {role}")
            items.card(it.stack, int(row))


def _rows(it: Field, role: str) -> tuple[int, int]:
    """Rows of anchor and partner, which the address names: what was clicked for each role; items of the target and of the first source until then."""
    chosen = selection.current()
    rows, seen = it.stack.rows(chosen), st.session_state.get("_radar_clicked")
    if len(rows) == 1 and chosen.digest != seen:
        st.session_state["_radar_clicked"] = chosen.digest
        if role == "partner" or it.stack.block[rows[0]] == 0:
            st.query_params[f"radar_{role}"] = f"{it.stack.block[rows[0]]}:{it.stack.ids[rows[0]]}"
        else:
            st.caption(":material/info: An anchor is an item of the target.")
    places = {f"{block}:{item}": row for row, (block, item) in enumerate(zip(it.stack.block, it.stack.ids, strict=True))}
    usual = {"anchor": 0, "partner": int(it.stack.starts[1]) + 1}
    anchor, partner = (places.get(st.query_params.get(f"radar_{name}", ""), usual[name]) for name in ROLES)
    return anchor if it.stack.block[anchor] == 0 else usual["anchor"], partner


def _state(it: Field, row: int, layer: str) -> np.ndarray:
    block = it.stack.block[row]
    return it.stack.representations[block].layers[layer][row - it.stack.starts[block]]


def _over_layers(it: Field, rows: tuple, layers: tuple, look: dict) -> None:
    """θ and d of this pair at every transition."""
    anchor, partner = (np.array([_state(it, row, layer) for layer in layers], np.float64) for row in rows)
    theta, d = triangles(anchor[:-1], anchor[1:], partner[:-1], **look)
    st.dataframe({"Transition": words.steps(layers), "θ in degrees": np.degrees(theta).round(1), "d": np.round(d, 3)}, hide_index=True, height=220,
                 key="radar-layers", alt="Angle and excess length of this pair at every transition")


@st.fragment
def _free(it: Field) -> None:
    left, right = st.columns([1, 2], gap="medium")
    with left:
        sep = st.slider("Distance to the partner (sep)", 0.1, 10.0, 3.0, 0.1, key="radar_sep", bind="query-params")
        traj = st.slider("Way to the next layer (traj)", 0.1, 10.0, 4.0, 0.1, key="radar_traj", bind="query-params")
        degrees = st.slider("Angle between them", 0, 180, 90, 1, key="radar_degrees", bind="query-params", format="%d°")
        st.caption("θ at the partner nears 0 for a partner far away, and d grows with it: a far domain shows as small angles and long detours. At 0°, "
                   "with the partner half way, the detour costs nothing: d = 0, θ = 180°.")
    with right:
        points = figures.free(sep, traj, degrees)
        look = {"angle": it.options.angle, "distance": it.options.distance}
        st.markdown(plain(figures.says(*points, **look)))
        charts.show(figures.triangle(*points, **look), alt=figures.says(*points, **look), key="radar-free")
