"""The spectrum itself, the classes, the items that moved, and the layers."""

import numpy as np
import pandas as pd
import streamlit as st

from analysis.figures import layers as heat
from analysis.figures import map as figures_map
from analysis.figures import spectrum as figures
from analysis.figures.template import picked
from analysis.metrics.comparison import Comparison, Layers
from analysis.studies import spectrum as studies
from pages.parts import chart as charts
from pages.parts import items, job, selection, workspace
from pages.parts import map as maps
from pages.parts.messages import count, grouped, plain
from pages.parts.spectrum import words
from pages.parts.spectrum.sides import Side, readings
from pages.parts.stack import Stack

LISTED = 12  # items that are shown as most and least stable
DRAWN = 600  # on the map that follows the slider, unless all are asked for: as many as a browser redraws while it moves


@st.fragment
def look(view: str, found: Comparison, pairs: Layers | None, target: Stack, other: Stack | None, a: Side, b: Side) -> None:
    """The slider over k and what it moves: only this runs again when it does."""
    chosen = selection.current()
    if st.session_state.pop("_spectrum_all", False) or (chosen and chosen.digest) != st.session_state.get("_spectrum_seen", chosen and chosen.digest):
        st.session_state["_spectrum_seen"] = chosen and chosen.digest
        st.rerun()  # the sidebar has to follow
    st.session_state["_spectrum_seen"] = chosen and chosen.digest
    k = choose_k(found.grid, words.companions(found) if found.clusters else words.NEAR)
    if view == "Spectrum":
        curve(found, a, b, k)
    elif view == "Who moved?":
        moved(found, target, other, a, b, k)
    elif view == "By class":
        by_class(found, k)
    elif pairs is not None:
        layers(pairs, a, b, k)


def choose_k(grid: np.ndarray, usual: int) -> int:
    """The neighbourhood size that all views look at: the usual one until somebody chooses, also by the address."""
    nearest = lambda k: int(grid[np.abs(grid - k).argmin()])
    now, before, asked = st.session_state.get("spectrum_k"), st.session_state.get("_spectrum_usual"), st.query_params.get("spectrum_k", "")
    if now is None:
        now = int(asked) if asked.isdecimal() and len(asked) < 9 else usual
    elif now == before:
        now = usual  # nobody chose it, and another comparison has another one
    st.session_state["spectrum_k"], st.session_state["_spectrum_usual"] = nearest(now), nearest(usual)
    return st.select_slider("Neighbourhood size k", [int(k) for k in grid], key="spectrum_k", bind="query-params")


def take_k(grid: np.ndarray, key: str) -> None:
    """A click on a curve moves k there."""
    points = st.session_state[key]["selection"]["points"]
    if points:
        k = picked(points[0]["customdata"])
        st.session_state["spectrum_k"] = int(grid[np.abs(grid - k).argmin()])


def curve(found: Comparison, a: Side, b: Side, k: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        log = st.toggle("Log axis", True, key="spectrum_log", bind="query-params")
        relative = st.toggle("k / n", False, key="spectrum_relative", bind="query-params")
        flat = st.toggle("Scores without k", True, key="spectrum_flat", bind="query-params", help="CKA, Procrustes, RSA and mutual kNN as flat lines.")
        floor = st.toggle("Floor", True, key="spectrum_floor", bind="query-params", help="The least TAS that is possible at each k.")
    scores = {name: float("nan") if v is None else float(v) for name, v in found.companions.items()}
    there = {name: v for name, v in scores.items() if not np.isnan(v)}
    made = figures.spectrum([(f"{a.title} and {b.title}", found.spectrum())], null=found.null(), bootstrap=found.bootstrap(), at=k, relative=relative, log=log,
                            floor=found.floor if floor else None, scale=found.n / found.clusters if found.clusters else None,
                            companions=there if flat else ())
    _show(made, f"TAS of {a.title} and {b.title} at every neighbourhood size, with its null band", "spectrum-curve", found.table(), found.grid)
    st.dataframe(pd.DataFrame({"score": [*scores, f"TAS at k = {k}", "AUC of R_NX"],
                               "value": [*scores.values(), float(found.tas[np.abs(found.k - k).argmin()]), found.auc],
                               "remark": [found.reasons.get(name, "") for name in scores] + ["", ""]}),
                 hide_index=True, width=520, column_config={"value": st.column_config.NumberColumn(format="%.3f")}, key="spectrum-scores",
                 alt="The scores that know no neighbourhood size, beside TAS at the chosen one")


def by_class(found: Comparison, k: int) -> None:
    if not found.groups:
        st.info("These items have no labels: there are no classes to tell apart.", icon=":material/info:")
        return
    here = found.group_tas[:, found.at(k)]
    there = np.flatnonzero(~np.isnan(here))
    best, worst = there[here[there].argmax()], there[here[there].argmin()]
    told = lambda i: (f"**{plain(found.groups[i])}**", f"TAS {words.number(here[i])}, {count(int(found.group_counts[i]), 'item')}")
    (first, one), (last, two) = told(best), told(worst)
    st.markdown(f"At k = {k}, {first} keeps its neighbourhoods best ({one}), {last} least ({two}). Small classes scatter: their curves have no interval.")
    overall = found.tas[np.searchsorted(found.k, found.grid)]
    made = figures.by_class(found.grid, found.group_tas, found.groups, counts=found.group_counts, at=k, overall=overall)
    table = pd.DataFrame(found.group_tas, columns=[f"k={v}" for v in found.grid]).assign(**{"class": found.groups, "items": found.group_counts})
    _show(made, f"TAS of each class over k: {plain(found.groups[best])} best, {plain(found.groups[worst])} least", "spectrum-classes", table, found.grid)


def moved(found: Comparison, target: Stack, other: Stack | None, a: Side, b: Side, k: int) -> None:
    """Which items kept their neighbours, on the map and in lists."""
    at = found.at(k)
    rows = {item: row for row, item in enumerate(target.ids)}
    used = np.array([rows[i] for i in found.ids if i in rows], np.int64)
    if len(used) < len(found.ids):
        st.info("The items are matched by position, not by id: they cannot be told on the map.", icon=":material/info:")
        return
    agreement = np.full(len(target), np.nan)
    agreement[used] = found.points[:, at]
    order = used[np.argsort(-agreement[used], kind="stable")]
    st.markdown(f"At k = {k}, an item shares on average **{np.nanmean(agreement):.0%}** of the union of its two neighbourhoods (by chance "
                f"{float(found.expected[np.abs(found.k - k).argmin()]):.0%}); the most stable {np.nanmax(agreement):.0%}, the least {np.nanmin(agreement):.0%}."
                .replace("%", "\u202f%"))
    picture = maps.pictures(target, dims=2, layer=a.layer)[a.layer]
    every = len(target) <= DRAWN or st.toggle(f"Draw all {grouped(len(target))} items", False, key="spectrum_every", bind="query-params",
                                              help="The map then follows the slider a little later.")
    maps.chart(target, picture, maps.Colouring(f"agreement at k = {k}", np.nan_to_num(agreement)), key="spectrum-map", where=a.layer, height=440,
               limit=figures_map.LIMIT if every else DRAWN,
               alt=f"Map of {a.title}, coloured by how far each item keeps its {k} neighbours in {b.title}")
    for column, title, listed in zip(st.columns(2, gap="medium"), ("Most stable", "Least stable"), (order[:LISTED], order[::-1][:LISTED]), strict=True):
        with column:
            st.markdown(f"**{title}**")
            table, key = items.table(target, listed, pictures=True), f"spectrum-{title[0]}-{k}"
            table.insert(1, "Agreement", agreement[listed])
            st.dataframe(table, hide_index=True, height=260, row_height=44, selection_mode="single-row", key=key,
                         column_config={**items.COLUMNS, "Agreement": st.column_config.NumberColumn(format="%.2f")},
                         on_select=lambda key=key, listed=listed, title=title: _take_item(target, key, listed, f"{title} at k = {k}"),
                         alt=f"{title}: {len(listed)} items with their agreement")
    chosen = target.rows(selection.current())
    row, metric = int(chosen[0]) if len(chosen) else int(order[-1]), found.options["metric"]
    both = set(items.nearest(target, row, a.layer, metric)) & set(items.nearest(other, row, b.layer, metric)) if other is not None else set()
    st.markdown(f"**The nearest neighbours of {plain(target.ids[row])}** in A, and in B: {count(len(both), 'item')} of {items.NEIGHBOURS} in both")
    for column, (stack, side, key) in zip(st.columns(2, gap="medium"), ((target, a, "spectrum-near-a"), (other, b, "spectrum-near-b")), strict=True):
        with column:
            if stack is None:
                st.caption("B has other items, or in another order: its neighbours cannot be listed here.")
            else:
                items.near(stack, row, side.layer, key=key, metric=metric, marked=both)


def _take_item(target: Stack, key: str, listed: np.ndarray, origin: str) -> None:
    """A ticked row becomes the selection."""
    rows = st.session_state[key]["selection"]["rows"]
    if rows:
        target.select(listed[rows], origin)


def all_layers(a: Side, b: Side) -> Layers | None:
    return job.study(studies.layers, {"a": a.entry, "b": b.entry}, readings(), key="spectrum-layers",
                     words=f"All layers of {plain(a.name)} with all of {plain(b.name)}.")


def layers(found: Layers, a: Side, b: Side, k: int) -> None:
    """All pairs at one k; and those with B's layer at every k, without a mark at k, so that the slider need not draw it again."""
    now = found.tas[:, :, found.at(k)]
    done = ~np.isnan(now)
    told = now.copy()
    if found.same:
        np.fill_diagonal(told, np.nan)
    if (~np.isnan(told)).any():
        i, j = np.unravel_index(np.nanargmax(told), told.shape)
        far = "" if done.all() else f" (of the {count(int(done.sum()), 'pair')} so far)"
        st.markdown(f"At k = {found.k[found.at(k)]}, **{plain(found.layers_a[i])}** of A and **{plain(found.layers_b[j])}** of B are most alike{far}: "
                    f"TAS {told[i, j]:.2f}.")
    place = (found.layers_a.index(a.layer), found.layers_b.index(b.layer))
    made = heat.by_layers(now, found.layers_a, found.layers_b, k=int(found.k[found.at(k)]), at=place, sides=(f"A: {a.name}", f"B: {b.name}"), height=460)
    _show(made, f"TAS of every layer of {a.name} with every layer of {b.name} at k = {k}", "spectrum-pairs", found.table(k).reset_index(names="A"), None,
          on_select=lambda: _take_layers(found))
    st.caption(f"Click a cell to compare those two layers. {grouped(found.n)} of {count(found.of, 'item')}, seed 0, on about 60 neighbourhood sizes.")
    made = heat.by_k(found.tas[:, place[1]], found.layers_a, found.k, title=f"Layers of A with {b.layer} of B, at every k", at=place[0])
    over = pd.DataFrame(found.tas[:, place[1]], columns=[f"k={v}" for v in found.k]).assign(A=found.layers_a)
    _show(made, f"TAS of every layer of {a.name} with {b.title}, over k", "spectrum-by-k", over, None)


def _take_layers(found: Layers) -> None:
    points = st.session_state["spectrum-pairs"]["selection"]["points"]
    if points:
        i, j = picked(points[0]["customdata"])
        st.session_state["spectrum_layer"] = found.layers_b[j]
        workspace.choose(layer=found.layers_a[i])
        st.session_state["_spectrum_all"] = True


def _show(made, alt: str, key: str, table, grid, **options) -> None:
    linked = options or ({"on_select": lambda: take_k(grid, key)} if grid is not None else {})
    charts.show(made, alt=alt, key=key, table=table, **linked)
    if made.layout.meta and made.layout.meta.get("note"):
        st.caption(f":material/filter_alt: {made.layout.meta['note']}.")
