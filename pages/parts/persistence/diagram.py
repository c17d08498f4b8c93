"""Diagram, barcode and lifetimes of one or two clouds, on shared axes; a bar's points light up in the map and are listed."""

import numpy as np
import pandas as pd
import streamlit as st

from analysis.figures import persistence as figures
from pages.parts import chart as charts
from pages.parts import items
from pages.parts import map as maps
from pages.parts.messages import count, plain
from pages.parts.persistence import bar, words
from pages.parts.persistence.cloud import Cloud

BARS = 30  # of each dimension in the barcode


def draw(clouds: list[Cloud], k: int) -> None:
    extent = 1.03 * max(c.extent for c in clouds)
    looked_at, found = bar.current(clouds)
    if len(clouds) == 1:
        left, right = st.columns(2, gap="medium")
        with left:
            _diagram(clouds[0], k, extent, found)
        with right:
            _barcode(clouds[0], k, extent, found)
    else:
        for column, cloud in zip(st.columns(2, gap="medium"), clouds, strict=True):
            with column:
                st.markdown(f"**{plain(cloud.name)}**")
                _diagram(cloud, k, extent, found)
                _barcode(cloud, k, extent, found)
    left, right = st.columns(2, gap="medium")
    with left:
        _lifetimes(clouds, k, found)
    with right:
        _map(looked_at or clouds[0], found)
    _points(looked_at, found)
    items.selected((looked_at or clouds[0]).stack, (looked_at or clouds[0]).layer, key="persistence")


# the charts

def _diagram(cloud: Cloud, k: int, extent: float, found) -> None:
    key = f"persistence-diagram-{cloud.side}"
    errors = {dim: 2 * known.covering_radius for dim, known in ((1, cloud.loops), (2, cloud.surfaces)) if known is not None}
    made = figures.diagram(cloud.bars, extent=extent, separation=_separation(cloud, k), errors=errors, highlight=bar.shown(key, cloud, found))
    told = " ".join(words.loops(cloud))
    _show(made, cloud, key, f"Persistence diagram of {cloud.name}: {_counts(cloud)}. {told}")
    st.caption(told)


def _barcode(cloud: Cloud, k: int, extent: float, found) -> None:
    key = f"persistence-barcode-{cloud.side}"
    made = figures.barcode(cloud.bars, extent=extent, separation=_separation(cloud, k), highlight=bar.shown(key, cloud, found), shown=max(BARS, k))
    _show(made, cloud, key, f"Barcode of {cloud.name}: {_counts(cloud)}, on the same filtration axis as the diagram")


def _lifetimes(clouds: list[Cloud], k: int, found) -> None:
    first, key = clouds[0], "persistence-lifetimes"
    low, high = first.profile.band() if first.profile is not None and len(first.profile.shuffled) else (None, None)
    gap = first.pieces.count
    made = figures.lifetimes([c.tree.lengths[::-1] for c in clouds], low=low, high=high, separation=_separation(first, k), gap=gap if gap not in (1, k) else 0,
                             names=[c.name for c in clouds], highlight=_ends(first, bar.shown(key, first, found, dims=(0,))))
    _show(made, first, key, f"Lifetimes of the H0 bars by rank; the {k - 1} longest separate k = {k} classes", table=_ranks(clouds))
    for said in filter(None, (words.separating(first, k), words.hint(first, k), words.halving(first, k))):
        st.caption(said)


def _ends(cloud: Cloud, chosen: tuple | None) -> tuple | None:
    """The bar that never ends has no lifetime to ring."""
    return chosen if chosen and chosen[1] < len(cloud.tree.lengths) else None


def _map(cloud: Cloud, found) -> None:
    picture = maps.pictures(cloud.stack, dims=2, layer=cloud.layer)[cloud.layer]
    colour, paths = next(iter(maps.colourings(cloud.stack).values()))(cloud.layer), ()
    if found is not None and found.dim == 0 and found.place < len(cloud.tree.lengths):
        colour = _sides(cloud, found.place)
    if found is not None and found.dim == 1:
        paths = (cloud.loop(found.place),)
    maps.chart(cloud.stack, picture, colour, key="persistence-map", where=cloud.layer, height=380, paths=paths,
               alt=f"Map of {cloud.layer}: the points of the chosen bar stand out")
    st.caption(f"{plain(cloud.name)}: PCA, {sum(picture.explained):.0%} of the variance.".replace("%", "\u202f%") +
               (" The line goes round the loop: its last edge, closed by the shortest way through the edges before it." if paths else ""))


def _sides(cloud: Cloud, place: int) -> maps.Colouring:
    larger, smaller = cloud.sides(place)
    of = np.zeros(len(cloud), np.int64)
    of[larger], of[smaller] = 1, 2
    return maps.Colouring("merging here", of, ("other items", "larger side", "smaller side"), named=False)


# the bar that is looked at

def _points(cloud: Cloud | None, found) -> None:
    if found is None:
        st.caption("Click a bar, or a point of the diagram: the items behind it become the selection, here and on every page.")
        return
    birth, death = cloud.bars[found.dim][found.place]
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        st.markdown(f"**{bar.name(cloud, found.dim, found.place)}** of {plain(cloud.name)}: {_told(cloud, found, birth, death)}", width="stretch")
        st.button("Let go", key="persistence-let-go", type="tertiary", icon=":material/close:", on_click=bar.let_go)
        for part in bar.parts(cloud, found.dim, found.place) if np.isfinite(death) and found.dim < 2 else ():
            st.button(f"Select {part}", key=f"persistence-part-{part.replace(' ', '-')}", type="tertiary", on_click=bar.show,
                      args=(cloud, [(found.dim, found.place)]), kwargs={"part": part})


def _told(cloud: Cloud, found, birth: float, death: float) -> str:
    if found.dim:
        what = "a loop opens" if found.dim == 1 else "a hollow closes round"
        return (f"{what} at {birth:.3g} and fills at {death:.3g}. Its cocycle, where it could be cut open, has "
                f"{count(len(cloud.trace(found.dim, found.place)), 'point')}.")
    if not np.isfinite(death):
        return "the whole cloud, which never merges with anything."
    larger, smaller = map(len, cloud.sides(found.place))
    return f"at {death:.3g}, {'a single item joins' if smaller == 1 else count(smaller, 'item') + ' join'} {count(larger, 'item')}."


# numbers

def _show(made, cloud: Cloud, key: str, alt: str, *, table=None) -> None:
    charts.show(made, alt=alt, key=key, table=_table(cloud) if table is None else table, config={"doubleClick": "reset"},
                on_select=lambda: bar.take(cloud, key))
    if made.layout.meta and made.layout.meta.get("note"):
        st.caption(f":material/filter_alt: {made.layout.meta['note']}.")


def _table(cloud: Cloud) -> pd.DataFrame:
    rows = [pd.DataFrame({"dimension": dim, "birth": b[:, 0], "death": b[:, 1], "lifetime": b[:, 1] - b[:, 0]}) for dim, b in cloud.bars.items()]
    return pd.concat(rows).sort_values(["dimension", "lifetime"], ascending=[True, False])


def _ranks(clouds: list[Cloud]) -> pd.DataFrame:
    out = {c.name: pd.Series(c.tree.lengths[::-1]) for c in clouds}
    first = clouds[0].profile
    if first is not None and len(first.shuffled):
        out["shuffled, lowest"], out["shuffled, highest"] = map(pd.Series, first.band())
    return pd.DataFrame(out).rename_axis("rank").reset_index().assign(rank=lambda t: t["rank"] + 1)


def _separation(cloud: Cloud, k: int) -> int:
    return 0 if cloud.ratio(k).reason else k - 1


def _counts(cloud: Cloud) -> str:
    return ", ".join(count(len(b), f"H{dim} bar") for dim, b in cloud.bars.items())
