"""The map as a part that any page can show, linked to the selection both ways.

    it = stack.stack(workspace.current())
    picture = map.pictures(it, dims=2, layer=layer)[layer]
    map.chart(it, picture, map.colourings(it)["Class"](layer), key="loops-map", where=layer, alt="...")
    items.selected(it, layer, key="loops")
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import streamlit as st

from analysis import engine, store
from analysis.figures import map as figures
from analysis.figures.template import picked
from analysis.metrics import neighbours, projection
from analysis.studies.projection import LIMIT
from analysis.studies.projection import umap as layout
from pages.parts import chart as charts
from pages.parts import job, selection
from pages.parts.messages import count, plain
from pages.parts.stack import Stack

CONFIG = {"displayModeBar": True, "scrollZoom": True}
WORK = 40_000_000  # numbers in all layers up to which every layer is projected at once


# what it says

def told(stack: Stack, layer: str, picture: projection.Projection) -> tuple[str, str]:
    """What the layer's neighbourhoods and the picture say, and how that was measured."""
    phrases = {"class": "share its class"} if stack.labels is not None else {}
    phrases |= {"domain": "come from its own domain"} if len(stack.domains) > 1 else {}
    found = _agreements(stack.key, layer, stack) if phrases else {}
    parts = [f"**{_percent(found[what].value)}** {phrase} (interval {100 * found[what].low:.0f}–{100 * found[what].high:.0f}, "
             f"by chance {100 * found[what].chance:.0f})" for what, phrase in phrases.items()]
    said = how = ""
    if parts:
        a = next(iter(found.values()))
        said = f"In {plain(layer)}, of an item's {a.options['k']} nearest neighbours {' and '.join(parts)}. "
        asked = f" for {a.asked:,} of {a.n:,} items drawn with seed 0".replace(",", "\u202f") if a.asked < a.n else ""
        how = f"95\u202f% bootstrap intervals over items, in per cent. Measured in all dimensions{asked}."
    if len(picture.explained):
        share = _percent(float(sum(picture.explained)))
        return f"{said}The {('two', 'three')[picture.dims - 2]} axes drawn carry **{share}** of the variance.", how
    return f"{said}UMAP keeps neighbourhoods; the sizes of groups and the gaps between them mean little.", how


@st.cache_resource(max_entries=256, show_spinner="Looking at neighbourhoods …")
def _agreements(key: tuple, layer: str, _stack: Stack) -> dict[str, neighbours.Agreement]:
    labels = {"domain": _stack.block} | ({} if _stack.labels is None else {"class": _stack.labels})
    return neighbours.agreements(_stack.x(layer), labels, limit=max(300, min(3000, 20_000_000 // len(_stack))))


def _percent(share: float) -> str:
    return f"{100 * share:.{0 if 0.1 <= share <= 0.985 or share == 1 else 1}f}\u202f%"


# where the items stand

def pictures(stack: Stack, *, dims: int, layer: str) -> dict[str, projection.Projection]:
    """PCA of every layer on shared axes; only of `layer`, by itself, where all would take too long."""
    work = sum(x.size for r in stack.representations for x in r.layers.values())
    return _pictures(stack.key, dims, stack.layers if work <= WORK else (layer,), stack)


@st.cache_resource(max_entries=12, show_spinner="Projecting the layers …")
def _pictures(key: tuple, dims: int, layers: tuple, _stack: Stack):
    return projection.layers_pca({name: _stack.blocks(name) for name in layers}, dims=dims)


def umap(stack: Stack, layer: str, dims: int, *, key: str, **options) -> projection.Projection | None:
    """The UMAP of a layer when it is stored; until then a button or its progress, and None."""
    inputs = {"representations": [engine.Ref.representation(store.default().key_of(r)) for r in stack.representations]}
    options = {"layer": layer, "dims": dims, **options}
    fewer = f", {count(LIMIT, 'item')} of them sampled by domain and class" if len(stack) > LIMIT else ""
    words = f"UMAP of {count(len(stack), 'item')} in {plain(layer)}{fewer}, in the background. Until then the map shows PCA."
    return job.study(layout, inputs, options, key=key, words=words, button="Compute UMAP")


# colours

@dataclass(frozen=True, eq=False)
class Colouring:
    """A category per item (with names) or a number per item."""

    title: str
    values: np.ndarray
    names: tuple = ()
    named: bool = True  # in the picture too; not where the categories lie over one another


def colourings(stack: Stack) -> dict[str, Callable[[str], Colouring]]:
    """What a map can be coloured by, as far as the items have it: name -> (layer -> Colouring)."""
    found = {}
    if stack.labels is not None:
        found["Class"] = lambda layer: Colouring("class", stack.labels, stack.classes)
    if len(stack.domains) > 1:
        found["Domain"] = lambda layer: Colouring("domain", stack.block, stack.domains, named=False)
    if stack.predictions is not None:
        sure = np.concatenate([r.probabilities.max(axis=1) for r in stack.representations])
        found["Prediction"] = lambda layer: Colouring("prediction", stack.predictions, stack.classes)
        found["Confidence"] = lambda layer: Colouring("confidence of the head", sure)
    if stack.labels is not None:
        found["Distance to class centre"] = lambda layer: Colouring("distance to class centre", _distances(stack.key, layer, stack))
    return found or {"Nothing": lambda layer: Colouring("items", np.zeros(len(stack), np.int64), ("all items",))}


@st.cache_resource(max_entries=32, show_spinner=False)
def _distances(key: tuple, layer: str, _stack: Stack) -> np.ndarray:
    """From each item to the mean of its class in its own domain, in roots of the layer's total variance."""
    x = _stack.x(layer).astype(np.float64)
    groups = np.unique(_stack.labels + len(_stack.classes) * _stack.block, return_inverse=True)[1]
    sums = np.zeros((groups.max() + 1, x.shape[1]))
    np.add.at(sums, groups, x)
    away = np.linalg.norm(x - (sums / np.bincount(groups)[:, None])[groups], axis=1)
    return away / np.sqrt(x.var(axis=0).sum() or 1)


# the chart

def chart(stack: Stack, picture: projection.Projection, colour: Colouring, *, key: str, where: str, alt: str, bounds=None,
          drag: str = "pan", height: int = 600, paths=(), limit: int = figures.LIMIT) -> None:
    """Draw it. A lasso, box or click becomes the selection; a selection made elsewhere is ringed. `where` names the place, `paths` are drawn as lines."""
    signature = (stack.key, picture.options.get("method"), where, picture.dims, colour.title, drag, height, limit, [list(map(int, p)) for p in paths])
    rings, turn = _rings(stack, key, signature)
    kinds = stack.domains if colour.values is not stack.block else ()  # coloured by domain, the shape says so already
    made = figures.scatter(picture, colour=colour.values, names=colour.names, title=colour.title, symbol=stack.block, kinds=kinds,
                           hover=hover(stack), highlight=rings, named=colour.named, bounds=bounds, drag=drag, height=height,
                           limit=limit, paths=paths, revision=f"{key}-{turn}")
    linked = {} if picture.dims == 3 else {"on_select": lambda: _take(stack, key, signature, where)}
    charts.show(made, alt=alt, key=key, table=numbers(stack, picture, colour), config=CONFIG, **linked)
    if made.layout.meta["note"]:
        st.caption(f":material/filter_alt: {made.layout.meta['note']}.")


def chart_beside(other: Stack, name: str, layer: str, picture: projection.Projection, shade: str, *, key: str, **look) -> None:
    """A second representation of the first items of `picture`, turned to lie as close as it can to it."""
    found = pictures(other, dims=picture.dims, layer=layer)
    mine, n = found[layer], len(other)
    if picture.options.get("method") == "pca":
        points = mine.points @ projection.turn(mine.points, picture.points[:n])
        spread = (points.astype(np.float64) ** 2).mean(axis=0)
        mine = replace(mine, points=points, explained=spread / (spread.sum() or 1) * sum(mine.explained))
    offered = colourings(other)
    colour = offered.get(shade, next(iter(offered.values())))(layer)
    chart(other, mine, colour, key=key, where=f"{name}, {layer}", alt=f"PCA of {layer} of {name}, {n:,} items by {colour.title}", **look)
    st.caption(f"{told(other, layer, mine)[0]} A PCA of its own, of the target's {count(n, 'item')}, turned to lie as close as it can to the picture beside.")


def numbers(stack: Stack, picture: projection.Projection, colour: Colouring) -> pd.DataFrame:
    """What is drawn, as a table."""
    of = lambda names, index: np.array(names, dtype=object)[index[picture.used]]
    out = {"id": np.array(stack.ids, dtype=object)[picture.used], "domain": of(stack.domains, stack.block)}
    if stack.labels is not None:
        out["class"] = of(stack.classes, stack.labels)
    if not colour.names:
        out[colour.title] = colour.values[picture.used]
    return pd.DataFrame({**out, **{f"axis {i + 1}": picture.points[:, i] for i in range(picture.dims)}})


def hover(stack: Stack) -> list[str]:
    """What the pointer shows of each item."""
    return _hover(stack.key, stack)


@st.cache_resource(max_entries=16, show_spinner=False)
def _hover(key: tuple, _stack: Stack) -> list[str]:
    facts = []
    if _stack.labels is not None:
        facts.append([f"class {_stack.classes[i]}" for i in _stack.labels])
    if len(_stack.domains) > 1:
        facts.append([_stack.domains[b] for b in _stack.block])
    data = [_stack.data(b) for b in range(len(_stack.representations))]
    if any(d is not None and d.modality == "text" for d in data):
        own = lambda d, r: d.items if d is not None and d.modality == "text" else [""] * len(r)
        facts.append([text for d, r in zip(data, _stack.representations, strict=True) for text in own(d, r)])
    return figures.labels(_stack.ids, *facts)


def _rings(stack: Stack, key: str, signature: tuple) -> tuple[np.ndarray, int]:
    """Rows to ring, and a number that changes when the browser must forget its own lasso.

    While the selection came from this very figure, the figure must stay as it is: a new one would lose the lasso and the zoom.
    """
    memo = st.session_state.setdefault(f"_{key}", {"own": None, "rings": np.zeros(0, np.int64), "turn": 0})
    chosen = selection.current()
    if memo["own"] is None or memo["own"] != (chosen and chosen.digest, signature) or key not in st.session_state:
        memo["turn"] += memo["own"] is not None
        memo["own"], memo["rings"] = None, stack.rows(chosen)
    return memo["rings"], memo["turn"]


def _take(stack: Stack, key: str, signature: tuple, where: str) -> None:
    """What was lassoed, boxed or clicked becomes the selection; a double click lets go of it."""
    event = st.session_state[key]["selection"]
    rows = np.unique(np.array([picked(p["customdata"]) for p in event["points"] if p.get("customdata") is not None], dtype=np.int64))
    if not len(rows):
        selection.clear()
        return
    stack.select(rows, f"{'Lasso' if event.get('lasso') else 'Box' if event.get('box') else 'Click'} on the map, {where}")
    st.session_state[f"_{key}"]["own"] = (selection.current().digest, signature)
