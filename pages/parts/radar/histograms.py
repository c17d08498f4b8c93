"""Angles and lengths at every transition, within the target and across; where they part, and which items are behind it."""

import numpy as np
import pandas as pd
import streamlit as st

from analysis.figures import radar as figures
from analysis.figures.template import picked
from analysis.metrics.radar import Radar, SourceRanking
from pages.parts import chart as charts
from pages.parts import items
from pages.parts.messages import count, plain
from pages.parts.radar import words
from pages.parts.radar.field import Field, choose_source

LISTED = 12  # pairs that are shown
FEWEST = 3  # pairs of an item that say something of it
KINDS = {"Angles": "angle", "Lengths": "distance"}


def draw(it: Field) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        source = choose_source(it)
        kind = KINDS[st.segmented_control("Of", list(KINDS), default="Angles", key="radar_kind", bind="query-params", required=True)]
    found = it.pair(source)
    if found is not None:
        st.markdown(words.pair(found))
        _both(found, kind)


@st.fragment
def _both(found: Radar, kind: str) -> None:
    """All transitions, which stay as they are, and the chosen one, which alone is drawn again."""
    charts.show(figures.ridgelines(found, kind), alt=figures.ridgelines_says(found, kind), key="radar-ridges", table=found.table(),
                on_select=lambda: take(found.layers, "radar-ridges"), selection_mode="points")
    st.caption("Click a ridge to enlarge it. The divergences have no chance level of their own: with so many pairs, small ones mean nothing by themselves.")
    step = choose_step(found.layers, int(np.nanargmax(found.per_transition)))
    enlarged(found, step, kind)
    if kind == "angle":
        charts.show(figures.rose(found, step), alt=figures.rose_says(found, step), key="radar-rose")


def enlarged(found: Radar, step: int, kind: str) -> None:
    said = figures.enlarged_says(found, step, kind)
    st.markdown(plain(said))
    charts.show(figures.enlarged(found, step, kind), alt=said, key="radar-enlarged")


def choose_step(layers: tuple, usual: int) -> int:
    """The transition that is looked at: where they diverge most until somebody chooses."""
    steps = words.steps(layers)
    asked, before = st.session_state.get("radar_step"), st.session_state.get("_radar_usual")
    if asked not in steps:
        asked = st.query_params.get("radar_step")
    if asked not in steps or asked == before:
        asked = steps[usual]
    st.session_state["radar_step"], st.session_state["_radar_usual"] = asked, steps[usual]
    return steps.index(st.select_slider("Transition", steps, key="radar_step", bind="query-params"))


def take(layers: tuple, key: str, names: tuple = ()) -> None:
    """A click on a ridgeline or a cell chooses its transition, and its source."""
    points = st.session_state[key]["selection"]["points"]
    if points and points[0].get("customdata") is not None:
        at = picked(points[0]["customdata"])
        row, step = at if names else (0, at)
        st.session_state["radar_step"] = words.steps(layers)[step]
        if names:
            st.session_state["radar_source"] = names[row]


def drivers(it: Field, found: SourceRanking | None) -> None:
    """Transition by source; and of one of them, which classes and which pairs are behind it."""
    if found is not None:
        said = figures.strip_says(found.names, found.layers, found.per_transition)
        st.markdown(plain(said))
        table = pd.DataFrame(found.per_transition, columns=words.steps(found.layers)).assign(source=found.names)
        charts.show(figures.strip(found.names, found.layers, found.per_transition), alt=said, key="radar-strip", table=table,
                    on_select=lambda: take(found.layers, "radar-strip", found.names), selection_mode="points")
        st.caption("Click a cell to look into it.")
    source = choose_source(it)
    pairs = it.pair(source)
    if pairs is not None:
        _behind(it, source, pairs)


@st.fragment
def _behind(it: Field, source: str, found: Radar) -> None:
    everywhere, step = st.toggle("All transitions together", False, key="radar_everywhere", bind="query-params"), 0
    if not everywhere:
        kind = KINDS[st.segmented_control("Of", list(KINDS), default="Angles", key="radar_kind", bind="query-params", required=True)]
        step = choose_step(found.layers, int(np.nanargmax(found.per_transition)))
        enlarged(found, step, kind)
    ratios = found.log_ratio if everywhere else found.ratios(step)
    block = it.stack.domains.index(source)
    labels = it.stack.representations[block].labels
    behind = found.items(labels, None if everywhere else step)
    where = "all transitions" if everywhere else words.steps(found.layers)[step]
    if len(behind.classes):
        names = it.stack.representations[block].classes
        first, last = (f"**{plain(names[behind.classes[i]])}** (mean log ratio {words.number(behind.class_ratios[i])} over "
                       f"{count(int(behind.class_pairs[i]), 'pair')})" for i in (0, -1))
        st.markdown(f"**Which classes drive it.** Of all pairs across, those with partners of class {first} are the most unlike pairs within "
                    f"{plain(it.target)}, those of {last} the least.")
        st.dataframe(pd.DataFrame({"Class": [names[c] for c in behind.classes], "Mean log ratio": behind.class_ratios, "Pairs": behind.class_pairs}),
                     hide_index=True, height=200, width=420, key="radar-classes", alt="Classes by how unlike their pairs are",
                     column_config={"Mean log ratio": st.column_config.NumberColumn(format="%.2f")})
    else:
        st.caption("These items have no labels: which classes drive it cannot be told.")
    _pairs(it, block, found, ratios, where)
    _items(it, block, behind, where)


def _pairs(it: Field, block: int, found: Radar, ratios: np.ndarray, where: str) -> None:
    """The pairs that are most unlike those within the target."""
    order = np.argsort(-ratios, kind="stable")[:LISTED]
    anchors, partners = found.cross_pairs[order].T
    stack, rows = it.stack, partners + it.stack.starts[block]
    st.markdown(f"**The pairs that tell the domains apart most**, {plain(where)}: an anchor of {plain(it.target)} with a partner of "
                f"{plain(stack.domains[block])}")
    sides, columns = [], {}
    for side, of in (("Anchor", anchors), ("Partner", rows)):
        name = lambda column, side=side: side if column == "Item" else f"{side} {column.lower()}"
        sides.append(items.table(stack, of, pictures=True).drop(columns=["Domain", "Prediction"], errors="ignore").rename(columns=name))
        columns |= {name(column): how for column, how in items.COLUMNS.items()}
    table = pd.concat([pd.Series(ratios[order], name="Log ratio"), *sides], axis=1)
    st.dataframe(table, hide_index=True, height=300, row_height=44, key=f"radar-pairs-{where}", selection_mode="single-row",
                 on_select=lambda: _take_row(stack, f"radar-pairs-{where}", rows, f"Partner in RADAR, {where}"),
                 column_config={**columns, "Log ratio": st.column_config.NumberColumn(format="%.2f")}, alt="Pairs with the largest log-density ratio")


def _items(it: Field, block: int, behind, where: str) -> None:
    enough = np.flatnonzero(behind.item_pairs >= min(FEWEST, int(behind.item_pairs.max())))[:LISTED]
    rows = behind.items[enough] + it.stack.starts[block]
    st.markdown(f"**The source items whose pairs are most unlike**, on average over the pairs they are in, of those in at least {FEWEST}")
    table = items.table(it.stack, rows, pictures=True).drop(columns=["Domain", "Prediction"], errors="ignore")
    table = table.assign(**{"Mean log ratio": behind.item_ratios[enough], "Pairs": behind.item_pairs[enough]})
    st.dataframe(table, hide_index=True, height=300, row_height=44, key=f"radar-items-{where}", selection_mode="single-row",
                 on_select=lambda: _take_row(it.stack, f"radar-items-{where}", rows, f"Far in RADAR, {where}"),
                 column_config={**items.COLUMNS, "Mean log ratio": st.column_config.NumberColumn(format="%.2f")}, alt="Source items by mean log ratio")


def _take_row(stack, key: str, rows: np.ndarray, origin: str) -> None:
    """A ticked row becomes the selection."""
    ticked = st.session_state[key]["selection"]["rows"]
    if ticked:
        stack.select(rows[ticked], origin)
