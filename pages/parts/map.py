"""The map as a part that any page can show: items of one model on several datasets, drawn together, linked to the selection.

    stack = map.stack(workspace.current())
    map.chart(stack, map.pictures(stack, dims=2)[layer], colour=map.colourings(stack)["Class"], key="loop-map")
    map.selected(stack, layer, key="loop")
"""

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
import streamlit as st

from analysis import engine, store
from analysis.errors import InputError
from analysis.figures import map as figures
from analysis.metrics import neighbours, projection
from analysis.representation import Representation
from analysis.selection import Selection
from analysis.studies.projection import LIMIT
from analysis.studies.projection import umap as layout
from pages.parts import chart as charts
from pages.parts import job, selection, workspace
from pages.parts.messages import count, plain

ROWS = 200  # of a table with pictures; the download has all
SIDE = 64  # pixels of a thumbnail
NEIGHBOURS = 10
WORK = 40_000_000  # numbers in all layers up to which every layer is projected at once


@dataclass(frozen=True, eq=False)
class Stack:
    """What one map shows: representations by one model, row under row, and the datasets they came from."""

    representations: tuple[Representation, ...]
    sources: tuple[str, ...]

    def __len__(self) -> int:
        return sum(map(len, self.representations))

    @cached_property
    def key(self) -> tuple:
        return tuple(r.digest for r in self.representations)

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """Those that all have, equally wide."""
        first, *others = self.representations
        return tuple(name for name, x in first.layers.items()
                     if all(name in r.layers and r.layers[name].shape[1] == x.shape[1] for r in others))

    @cached_property
    def starts(self) -> np.ndarray:
        return np.cumsum([0, *map(len, self.representations)])

    @cached_property
    def block(self) -> np.ndarray:
        return np.repeat(np.arange(len(self.representations)), [len(r) for r in self.representations])

    @cached_property
    def ids(self) -> tuple[str, ...]:
        return tuple(i for r in self.representations for i in r.ids)

    @cached_property
    def domains(self) -> tuple[str, ...]:
        """A name per representation, told apart when two share one."""
        names = [r.domain or workspace.label(s) for r, s in zip(self.representations, self.sources, strict=True)]
        return tuple(name if names.count(name) == 1 else f"{name} ({workspace.label(s)})" for name, s in zip(names, self.sources, strict=True))

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The class names of all, in order of appearance, then those that only the model's head knows."""
        return tuple(dict.fromkeys([*(c for r in self.representations for c in r.classes), *(h for r in self.representations for h in r.heads)]))

    @cached_property
    def labels(self) -> np.ndarray | None:
        """Place in `classes` per row; None when some representation has no labels."""
        return self._places(lambda r: r.labels, lambda r: r.classes)

    @cached_property
    def predictions(self) -> np.ndarray | None:
        """The same, of the class the model's head finds most likely."""
        return self._places(lambda r: None if r.logits is None else r.logits.argmax(axis=1),
                            lambda r: r.heads or tuple(f"class {i}" for i in range(r.logits.shape[1])))

    def _places(self, index: Callable, names: Callable) -> np.ndarray | None:
        if any(index(r) is None for r in self.representations):
            return None
        place = {c: i for i, c in enumerate(self.classes)}
        if any(n not in place for r in self.representations for n in names(r)):
            place = {n: i for i, n in enumerate(names(self.representations[0]))}
        return np.concatenate([np.array([place[n] for n in names(r)])[index(r)] for r in self.representations])

    def blocks(self, layer: str) -> list[np.ndarray]:
        return [r.layers[layer] for r in self.representations]

    def x(self, layer: str) -> np.ndarray:
        return np.concatenate(self.blocks(layer))

    def home(self, row: int) -> tuple[int, int]:
        """(which representation, row in it)."""
        b = int(self.block[row])
        return b, int(row - self.starts[b])

    def rows(self, chosen: Selection | None) -> np.ndarray:
        """Where the selected items stand: in the dataset they were chosen from."""
        if chosen is None:
            return np.zeros(0, np.int64)
        found = [self.starts[b] + chosen.rows(r.ids) for b, r in enumerate(self.representations) if r.dataset == chosen.dataset]
        return np.concatenate(found) if found else np.zeros(0, np.int64)

    def items(self, b: int):
        """The dataset behind a representation, or None when it is not here (then there is nothing to picture)."""
        try:
            data = workspace.get_dataset(self.sources[b])
        except InputError:
            return None
        return data if data.ids == self.representations[b].ids else None


def stack(at: workspace.Workspace) -> Stack | None:
    """What is stored for the workspace's model on its target and sources; None when the target is not extracted yet."""
    found = [(workspace.get_representation(at.model if not source.startswith("rep:") else source, source), source) for source in at.datasets]
    first = found[0][0]
    if first is None:
        return None
    fits = [(r, s) for r, s in found if r is not None and set(r.layers) & set(first.layers) and
            all(r.layers[n].shape[1] == first.layers[n].shape[1] for n in set(r.layers) & set(first.layers))]
    return _stack(tuple(r.digest for r, _ in fits), tuple(s for _, s in fits), [r for r, _ in fits])


@st.cache_resource(max_entries=16, show_spinner=False)
def _stack(digests: tuple, sources: tuple, _representations: list) -> Stack:
    return Stack(tuple(_representations), sources)


def others(stack: Stack, at: workspace.Workspace) -> dict[str, str]:
    """What is stored of other models, or other poolings, on the same target: shown name -> key in the store."""
    target, found = stack.representations[0], {}
    for entry in store.default().entries("representations"):
        facts = entry.facts
        if facts.get("dataset") != target.dataset or facts.get("n") != len(target) or facts.get("digest") == target.digest or not target.dataset:
            continue
        model = facts.get("manifest", {}).get("model", {})
        name = workspace.label(model["source"]) if model.get("source") else model.get("name") or facts.get("name") or "arrays"
        found[name if name not in found else f"{name} · {entry.key[:8]}"] = entry.key
    found |= {workspace.label(s): s.removeprefix("rep:") for s in at.sources if s.startswith("rep:")}
    return dict(sorted(found.items()))


def beside(stack: Stack, key: str) -> Stack | None:
    """A stored representation as a map of its own, of the first dataset alone."""
    found = store.default().representation(key)
    if found is None or found.ids != stack.representations[0].ids:
        return None
    return _stack((found.digest,), stack.sources[:1], [found])


# pictures

def pictures(stack: Stack, *, dims: int, layer: str) -> dict[str, projection.Projection]:
    """PCA of every layer on shared axes; only of `layer`, unaligned, where all would take too long."""
    work = sum(x.size for r in stack.representations for x in r.layers.values())
    return _pictures(stack.key, dims, stack.layers if work <= WORK else (layer,), stack)


@st.cache_resource(max_entries=12, show_spinner="Projecting the layers …")
def _pictures(key: tuple, dims: int, layers: tuple, _stack: Stack):
    return projection.layers_pca({name: _stack.blocks(name) for name in layers}, dims=dims)


@st.cache_resource(max_entries=256, show_spinner="Looking at neighbourhoods …")
def _agreement(key: tuple, layer: str, what: str, _stack: Stack) -> neighbours.Agreement:
    """How often neighbours share the class, or the domain; fewer items are asked when there are many."""
    return neighbours.agreement(_stack.x(layer), _stack.labels if what == "class" else _stack.block, k=NEIGHBOURS,
                                limit=max(300, min(2000, 20_000_000 // len(_stack))))


def umap(stack: Stack, layer: str, dims: int, *, key: str, **options) -> projection.Projection | None:
    """The UMAP of a layer when it is stored; until then a button, or its progress, and None."""
    inputs = {"representations": [engine.Ref.representation(r.manifest.get("key", r.digest)) for r in stack.representations]}
    options = {"layer": layer, "dims": dims, **options}
    found = engine.stored(layout, inputs, options)
    if found is not None:
        return found
    control, run = job.control(key), engine.find(engine.key(layout, inputs, options))
    with st.container(border=True, key=f"{key}-run"):
        if run is None or not run.alive:
            n = min(len(stack), LIMIT)
            told = f"Lay out {count(n, 'item')} of {plain(layer)} with UMAP. It runs in the background; the first run takes a while to load."
            sampled = f" {count(len(stack), 'item')} are sampled by domain and class." if n < len(stack) else ""
            st.markdown(told + sampled)
            st.button("Compute UMAP", type="primary", icon=":material/play_arrow:", key=f"{key}-start",
                      on_click=lambda: engine.submit(layout, inputs, options, control=control))
        if run is not None:
            job.watch(run, key=key, control=control)
    return None


def told(stack: Stack, layer: str, picture: projection.Projection) -> str:
    """What the layer's neighbourhoods and the picture say, in a sentence or two."""
    parts = []
    if stack.labels is not None:
        a = _agreement(stack.key, layer, "class", stack)
        parts.append(f"In {plain(layer)}, **{_percent(a.value)}** of an item's {a.options['k']} nearest neighbours share its class "
                     f"({_interval(a)}).")
    if len(stack.domains) > 1:
        a = _agreement(stack.key, layer, "domain", stack)
        parts.append(f"**{_percent(a.value)}** come from its own domain ({_interval(a)}).")
    if len(picture.explained):
        parts.append(f"The {('two', 'three')[picture.dims - 2]} axes carry **{_percent(float(sum(picture.explained)))}** of the variance.")
    else:
        parts.append("UMAP keeps neighbourhoods; sizes and distances between groups mean little.")
    return " ".join(parts)


def _interval(a: neighbours.Agreement) -> str:
    asked = "" if a.asked == a.n else f", {a.asked:,} items asked".replace(",", "\u202f", 1)
    return f"95\u202f% interval {100 * a.low:.1f}–{100 * a.high:.1f}; by chance {_percent(a.chance)}{asked}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f}\u202f%" if 0.1 <= share <= 0.985 else f"{100 * share:.1f}\u202f%"


@dataclass(frozen=True, eq=False)
class Colouring:
    """A category per item (with names) or a number per item."""

    title: str
    values: np.ndarray
    names: tuple = ()


def colourings(stack: Stack) -> dict[str, Callable[[str], Colouring]]:
    """What a map can be coloured by: name -> (layer -> Colouring). Only what the items have is offered."""
    found = {}
    if stack.labels is not None:
        found["Class"] = lambda layer: Colouring("class", stack.labels, stack.classes)
    if len(stack.representations) > 1:
        found["Domain"] = lambda layer: Colouring("domain", stack.block, stack.domains)
    if stack.predictions is not None:
        found["Prediction"] = lambda layer: Colouring("prediction", stack.predictions, stack.classes)
        found["Confidence"] = lambda layer: Colouring("confidence of the model's head",
                                                      np.concatenate([r.probabilities.max(axis=1) for r in stack.representations]))
    if stack.labels is not None:
        found["Distance to class centre"] = lambda layer: Colouring("distance to the class centre", _distances(stack.key, layer, stack))
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


@st.cache_resource(max_entries=16, show_spinner=False)
def _hover(key: tuple, _stack: Stack) -> list[str]:
    facts = []
    if _stack.labels is not None:
        facts.append([f"class {_stack.classes[i]}" for i in _stack.labels])
    if len(_stack.domains) > 1:
        facts.append([_stack.domains[b] for b in _stack.block])
    data = [_stack.items(b) for b in range(len(_stack.representations))]
    if any(d is not None and d.modality == "text" for d in data):
        facts.append([t for d, r in zip(data, _stack.representations, strict=True)
                      for t in (d.items if d is not None and d.modality == "text" else [""] * len(r))])
    return figures.labels(_stack.ids, *facts)


def chart(stack: Stack, picture: projection.Projection, colour: Colouring, *, key: str, where: str, alt: str, reach: float | None = None,
          drag: str = "pan", height: int = 580):
    """Draw it. A lasso, box or click becomes the session's Selection; a selection made elsewhere is ringed. `where` names the place."""
    signature = (stack.key, picture.options.get("method"), where, picture.dims, colour.title, drag, height)
    rings, turn = _rings(stack, key, signature)
    made = figures.scatter(picture, colour=colour.values, names=colour.names, title=colour.title, symbol=stack.block, kinds=stack.domains,
                           hover=_hover(stack.key, stack), highlight=rings, reach=reach, drag=drag, height=height, revision=f"{key}-{turn}")
    linked = {} if picture.dims == 3 else {"on_select": lambda: _take(stack, key, signature, where)}
    charts.show(made, alt=alt, key=key, table=numbers(stack, picture, colour), config={"displayModeBar": True, "scrollZoom": True}, **linked)
    if made.layout.meta["note"]:
        st.caption(f":material/filter_alt: {made.layout.meta['note']}.")


def chart_beside(other: Stack, name: str, stack: Stack, picture: projection.Projection, shade: str, *, key: str, **look) -> None:
    """A second representation, turned to lie as close as it can to the first."""
    layer = st.selectbox(f"Layer of {name}", other.layers, len(other.layers) - 1, key="map_beside_layer", bind="query-params", required=True)
    pictured = pictures(other, dims=picture.dims, layer=layer)
    mine, n = pictured[layer], len(other)
    if n <= len(picture) and picture.options.get("method") == "pca":
        turned = mine.points @ projection.turn(mine.points, picture.points[:n])
        mine = replace(mine, points=turned, explained=(turned.astype(np.float64) ** 2).mean(axis=0))
    offered = colourings(other)
    colour = offered.get(shade, next(iter(offered.values())))(layer)
    chart(other, mine, colour, key=key, where=f"{name}, {layer}", reach=projection.span(pictured.values()),
          alt=f"PCA of {layer} of {name}, {n:,} items by {colour.title}", **look)
    st.caption(told(other, layer, mine))


def search(stack: Stack, text: str) -> None:
    """What contains the words becomes the selection."""
    rows = find(stack, text)
    if len(rows):
        choose(stack, rows, f"Search for “{text.strip()}”")
    else:
        selection.clear()


def numbers(stack: Stack, picture: projection.Projection, colour: Colouring) -> pd.DataFrame:
    """What is drawn, as a table."""
    at = picture.used
    out = {"id": np.array(stack.ids, dtype=object)[at], "domain": np.array(stack.domains, dtype=object)[stack.block[at]]}
    if stack.labels is not None:
        out["class"] = np.array(stack.classes, dtype=object)[stack.labels[at]]
    if not len(colour.names):
        out[colour.title] = colour.values[at]
    return pd.DataFrame({**out, **{f"axis {i + 1}": picture.points[:, i] for i in range(picture.dims)}})


def _rings(stack: Stack, key: str, signature: tuple) -> tuple[np.ndarray, int]:
    """Rows to ring, and a number that changes when the browser must forget its own lasso.

    While the selection came from this very figure, the figure must stay as it is: a new one would lose the lasso and the zoom.
    """
    memo = st.session_state.setdefault(f"_{key}", {"own": None, "rings": np.zeros(0, np.int64), "turn": 0})
    chosen = selection.current()
    own = (chosen and chosen.digest, signature)
    if not (memo["own"] == own and key in st.session_state):
        memo["turn"] += memo["own"] is not None
        memo["own"], memo["rings"] = None, stack.rows(chosen)
    return memo["rings"], memo["turn"]


def _take(stack: Stack, key: str, signature: tuple, where: str) -> None:
    """What was lassoed, boxed or clicked becomes the selection."""
    event = st.session_state[key]["selection"]
    rows = np.unique(np.array([_row(p["customdata"]) for p in event["points"] if p.get("customdata") is not None], dtype=np.int64))
    if len(rows) == 0:
        selection.clear()
        return
    how = "Lasso" if event.get("lasso") else "Box" if event.get("box") else "Click"
    choose(stack, rows, f"{how} on the map, {where}")
    chosen = selection.current()
    st.session_state[f"_{key}"]["own"] = (chosen.digest, signature)


def choose(stack: Stack, rows: np.ndarray, origin: str) -> None:
    """Make rows of the stack the selection. It holds items of one dataset: the target's when there are any, else the most frequent."""
    blocks = np.bincount(stack.block[rows], minlength=len(stack.representations))
    b = 0 if blocks[0] else int(blocks.argmax())
    kept = rows[stack.block[rows] == b]
    left = "" if len(kept) == len(rows) else f"; {len(rows) - len(kept)} of other domains left out"
    selection.set(Selection(stack.representations[b].dataset, tuple(stack.ids[i] for i in kept), f"{origin}{left}"))


def _row(customdata) -> int:
    return int(customdata[0] if isinstance(customdata, (list, tuple)) else customdata)


# the items themselves

def find(stack: Stack, text: str) -> np.ndarray:
    """Rows whose id or text contains the words, or whose class is named so."""
    wanted = text.strip().casefold()
    if not wanted:
        return np.zeros(0, np.int64)
    hits = np.array([wanted in i.casefold() for i in stack.ids])
    if stack.labels is not None:
        hits |= np.array([c.casefold() == wanted for c in stack.classes])[stack.labels]
    for b, r in enumerate(stack.representations):
        data = stack.items(b)
        if data is not None and data.modality == "text":
            hits[stack.starts[b]:stack.starts[b] + len(r)] |= [wanted in t.casefold() for t in data.items]
    return np.flatnonzero(hits)


def thumbnail(stack: Stack, row: int) -> str | None:
    """The item as a picture in a data address, or None when it is no picture."""
    b, at = stack.home(row)
    data = stack.items(b)
    return _encode(data.items[at]) if data is not None and data.modality == "image" else None


def _encode(pixels: np.ndarray) -> str:
    from PIL import Image
    image = Image.fromarray(pixels)
    if max(image.size) > SIDE:
        image.thumbnail((SIDE, SIDE))
    elif max(image.size) <= SIDE // 2:
        scale = SIDE // max(image.size)
        image = image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def table(stack: Stack, rows: np.ndarray, *, picture: bool = False, **columns) -> pd.DataFrame:
    """One line per row: picture, id, class, prediction, domain, text, whichever there are; then the columns given."""
    rows = np.asarray(rows)
    out = {"Item": [thumbnail(stack, r) for r in rows]} if picture else {}
    out["Id"] = [stack.ids[r] for r in rows]
    if stack.labels is not None:
        out["Class"] = [stack.classes[i] for i in stack.labels[rows]]
    if stack.predictions is not None:
        names = stack.classes
        out["Prediction"] = [names[i] if i < len(names) else f"class {i}" for i in stack.predictions[rows]]
    if len(stack.domains) > 1:
        out["Domain"] = [stack.domains[b] for b in stack.block[rows]]
    texts = [_text(stack, r) for r in rows]
    if any(texts):
        out["Text"] = texts
    if picture and not any(out["Item"]):
        del out["Item"]
    return pd.DataFrame({**out, **columns})


def _text(stack: Stack, row: int) -> str:
    b, at = stack.home(row)
    data = stack.items(b)
    return data.items[at] if data is not None and data.modality == "text" else ""


COLUMNS = {"Item": st.column_config.ImageColumn(width=60), "Distance": st.column_config.NumberColumn(format="%.3f", width="small"),
           "Text": st.column_config.TextColumn(width="large")}


def selected(stack: Stack, layer: str, *, key: str) -> None:
    """The selected items as a table, and the neighbours of the one that is looked at."""
    chosen = selection.current()
    rows = stack.rows(chosen)
    if chosen is None:
        st.caption("Nothing is selected. Click a point, drag a lasso round some, or search.")
        return
    if not len(rows):
        st.caption(f"The selection ({plain(chosen.origin)}) has no items in the datasets shown here.")
        return
    st.subheader(f"{count(len(rows), 'item')} selected", anchor=False)
    with st.container(horizontal=True, vertical_alignment="center"):
        more = f" The first {ROWS} are listed; the download has all." if len(rows) > ROWS else ""
        st.caption(f"{plain(chosen.origin)}.{more}", width="stretch")
        st.download_button("Download ids", lambda: table(stack, rows).to_csv(index=False), "selection.csv", "text/csv", key=f"{key}-ids",
                           on_click="ignore", icon=":material/download:")
    left, right = st.columns(2, gap="medium")
    with left:
        event = st.dataframe(table(stack, rows[:ROWS], picture=True), hide_index=True, height=360, row_height=44, column_config=COLUMNS,
                             key=f"{key}-items-{chosen.digest[:8]}", on_select="rerun", selection_mode="single-row", alt="The selected items")
    marked = event["selection"]["rows"]
    with right:
        near(stack, int(rows[marked[0] if marked else 0]), layer, key=key)


def near(stack: Stack, row: int, layer: str, *, key: str) -> None:
    """The nearest neighbours of one item in a layer, by their distance in all its dimensions."""
    k = min(NEIGHBOURS, len(stack) - 1)
    found, distances = _nearest(stack.key, layer, row, k, stack)
    st.dataframe(table(stack, found, picture=True, Distance=distances), hide_index=True, height=360, row_height=44, column_config=COLUMNS,
                 key=f"{key}-near", alt=f"The {k} nearest neighbours of {stack.ids[row]}")
    st.caption(f"The {k} nearest neighbours of **{plain(stack.ids[row])}** in {plain(layer)}, by euclidean distance over all its "
               f"{stack.representations[0].layers[layer].shape[1]} dimensions. Choose another item in the table on the left.")


@st.cache_resource(max_entries=64, show_spinner=False)
def _nearest(key: tuple, layer: str, row: int, k: int, _stack: Stack):
    found, distances = neighbours.nearest(_stack.x(layer), [row], k)
    return found[0], distances[0]


def card(stack: Stack, row: int) -> None:
    """One item, beside the map."""
    picture = thumbnail(stack, row)
    with st.container(border=True, gap="small"):
        if picture:
            st.image(picture, width=128, alt=f"The item {stack.ids[row]}")
        elif _text(stack, row):
            st.markdown(f"> {plain(_text(stack, row))[:400]}")
        facts = table(stack, np.array([row])).drop(columns=["Text"], errors="ignore").iloc[0]
        st.markdown("  \n".join(f"{name}: **{plain(value)}**" for name, value in facts.items()))
