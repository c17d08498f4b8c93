"""Items, as a person sees them: thumbnails, a card, tables of the selected and of neighbours, search."""

import base64
import io

import numpy as np
import pandas as pd
import streamlit as st

from analysis.metrics import neighbours
from pages.parts import selection
from pages.parts.messages import count, plain
from pages.parts.stack import Stack

ROWS = 60  # of a table with pictures; the download has all
SIDE = 64  # pixels of a thumbnail
NEIGHBOURS = 10
COLUMNS = {"Item": st.column_config.ImageColumn(width=60), "Distance": st.column_config.NumberColumn(format="%.3f", width="small"),
           "Text": st.column_config.TextColumn(width="large")}


def find(stack: Stack, text: str) -> np.ndarray:
    """Rows of the class that is called so; else those whose id or text contains the words."""
    wanted = text.strip().casefold()
    if not wanted:
        return np.zeros(0, np.int64)
    if stack.labels is not None:
        hits = np.array([c.casefold() == wanted for c in stack.classes])[stack.labels]
        if hits.any():
            return np.flatnonzero(hits)
    hits = np.array([wanted in i.casefold() for i in stack.ids])
    for start, b in zip(stack.starts, range(len(stack.representations)), strict=False):
        data = stack.data(b)
        if data is not None and data.modality == "text":
            hits[start:start + len(data)] |= np.array([wanted in t.casefold() for t in data.items])
    return np.flatnonzero(hits)


def search(stack: Stack, text: str) -> None:
    """What `find` finds becomes the selection."""
    rows = find(stack, text)
    if len(rows):
        stack.select(rows, f"Search for “{text.strip()}”")
    else:
        selection.clear()


def thumbnail(stack: Stack, row: int) -> str | None:
    """The item as a picture in a data address, or None when it is no picture."""
    return _thumbnail(stack.key, stack.sources, int(row), stack)


@st.cache_resource(max_entries=4096, show_spinner=False)
def _thumbnail(key: tuple, sources: tuple, row: int, _stack: Stack) -> str | None:
    modality, item = _stack.item(row)
    if modality != "image":
        return None
    from PIL import Image
    image = Image.fromarray(item)
    if max(image.size) > SIDE:
        image.thumbnail((SIDE, SIDE))
    else:
        times = SIDE // max(image.size)
        image = image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST)
    return inline(image)


def inline(image) -> str:
    """A PIL picture that travels with the page: a file of its own is gone when the page is drawn again before the browser asked for it."""
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def words(stack: Stack, row: int) -> str:
    """The item's text, or "" when it is none."""
    modality, item = stack.item(row)
    return item if modality == "text" else ""


def table(stack: Stack, rows: np.ndarray, *, pictures: bool = False, **more) -> pd.DataFrame:
    """One line per row: picture, id, class, prediction, domain, text, whichever there are; then the columns given."""
    rows = np.asarray(rows, dtype=np.int64)
    out = {"Item": [thumbnail(stack, r) for r in rows] if pictures else [], "Id": [stack.ids[r] for r in rows]}
    for name, values in (("Class", stack.labels), ("Prediction", stack.predictions)):
        if values is not None:
            out[name] = [stack.classes[i] for i in values[rows]]
    if len(stack.domains) > 1:
        out["Domain"] = [stack.domains[b] for b in stack.block[rows]]
    out["Text"] = [words(stack, r) for r in rows]
    return pd.DataFrame({name: values for name, values in out.items() if name not in ("Item", "Text") or any(values)} | more)


def card(stack: Stack, row: int) -> None:
    """One item, beside the map."""
    with st.container(border=True, gap="small"):
        picture, text = thumbnail(stack, row), words(stack, row)
        if picture:
            st.image(picture, width=128, alt=f"The item {stack.ids[row]}")
        elif text:
            st.markdown(f"> {plain(text[:400])}")
        facts = table(stack, [row]).drop(columns="Text", errors="ignore").iloc[0]
        st.markdown("  \n".join(f"{name}: **{plain(value)}**" for name, value in facts.items()))


def selected(stack: Stack, layer: str, *, key: str) -> None:
    """The selected items as a table, and the neighbours of the one that is looked at."""
    chosen = selection.current()
    rows = stack.rows(chosen)
    if chosen is None:
        return
    if not len(rows):
        st.caption(f"The selection ({plain(chosen.origin)}) has no items in the datasets shown here.")
        return
    st.subheader(f"{count(len(rows), 'item')} selected", anchor=False)
    more = f" The first {ROWS} are listed; the download has all." if len(rows) > ROWS else ""
    st.caption(f"{plain(chosen.origin)}.{more}")
    left, right = st.columns(2, gap="medium")
    with left:
        shown = table(stack, rows[:ROWS], pictures=True)
        event = st.dataframe(shown, hide_index=True, height=_height(len(shown)), row_height=44, column_config=COLUMNS, on_select="rerun",
                             selection_mode="single-row", key=f"{key}-items-{chosen.digest[:8]}", alt="The selected items")
        st.download_button("Download ids", lambda: table(stack, rows).to_csv(index=False), "selection.csv", "text/csv", key=f"{key}-ids",
                           on_click="ignore", icon=":material/download:", type="tertiary")
    marked = event["selection"]["rows"]
    with right:
        near(stack, int(rows[marked[0] if marked else 0]), layer, key=key)


def near(stack: Stack, row: int, layer: str, *, key: str, metric: str = "euclidean", marked: set | None = None) -> None:
    """The nearest neighbours of one item, by their distance in all dimensions of the layer; of those marked it is said that they are in both lists."""
    found, distances = _nearest(stack.key, layer, row, min(NEIGHBOURS, len(stack) - 1), metric, stack)
    more = {} if marked is None else {"In both": [int(i) in marked for i in found]}
    st.dataframe(table(stack, found, pictures=True, Distance=distances, **more), hide_index=True, height=_height(len(found)), row_height=44,
                 column_config=COLUMNS, key=f"{key}-near", alt=f"The {len(found)} nearest neighbours of {stack.ids[row]}")
    st.caption(f"The {len(found)} nearest neighbours of **{plain(stack.ids[row])}** in {plain(layer)}, by {metric} distance in all "
               f"{stack.representations[0].layers[layer].shape[1]} dimensions. Choose another item in the table beside.")


def nearest(stack: Stack, row: int, layer: str, metric: str = "euclidean") -> list[int]:
    return [int(i) for i in _nearest(stack.key, layer, row, min(NEIGHBOURS, len(stack) - 1), metric, stack)[0]]


@st.cache_resource(max_entries=64, show_spinner=False)
def _nearest(key: tuple, layer: str, row: int, k: int, metric: str, _stack: Stack):
    found, distances = neighbours.nearest(_stack.x(layer), [row], k, metric=metric)
    return found[0], distances[0]


def _height(rows: int) -> int:
    return min(400, 40 + 44 * max(rows, 1))
