"""A first look at a dataset: a sheet of its pictures, its first two columns, how many items each class has."""

import numpy as np

from analysis.data.dataset import Dataset
from analysis.figures import template

MARGIN = {"l": 8, "r": 8, "t": 8, "b": 8}
POINTS = 1500  # drawn as they are; more are thinned out evenly, and the axis says so


def pick(dataset: Dataset, *, columns: int = 10, rows: int = 4) -> np.ndarray:
    """Which items a preview shows, as a grid (rows, columns) with -1 where there is none: the first ones of each class,
    the classes side by side and as many of them as there are columns; without labels, the first items in reading order."""
    if dataset.labels is None:
        places = np.arange(columns * rows).reshape(rows, columns)
        return np.where(places < len(dataset), places, -1)
    shown = min(columns, len(dataset.classes))
    each = columns // shown
    grid = np.full((rows, shown, each), -1)
    for c in range(shown):
        first = np.flatnonzero(dataset.labels == c)[:rows * each]
        block = np.full(rows * each, -1)
        block[:len(first)] = first
        grid[:, c] = block.reshape(rows, each)
    grid = grid.reshape(rows, shown * each)
    return grid[(grid >= 0).any(axis=1)]


def sheet(dataset: Dataset, *, columns: int = 10, rows: int = 4, gap: int = 2, side: int = 64) -> np.ndarray:
    """Some pictures as one, uint8 (h, w, 4), see-through between them; large ones are thinned out to about `side` pixels."""
    grid = pick(dataset, columns=columns, rows=rows)
    step = max(1, -(-max(dataset.items.shape[1:3]) // side))
    tall, wide = dataset.items[0, ::step, ::step].shape[:2]
    out = np.zeros((len(grid) * (tall + gap) - gap, grid.shape[1] * (wide + gap) - gap, 4), np.uint8)
    for (row, column), item in np.ndenumerate(grid):
        if item >= 0:
            y, x = row * (tall + gap), column * (wide + gap)
            out[y:y + tall, x:x + wide, :3] = dataset.items[item, ::step, ::step]
            out[y:y + tall, x:x + wide, 3] = 255
    return out


def sheets(datasets, names, *, columns: int = 10):
    """A row of pictures of each dataset, one under another."""
    import plotly.graph_objects as go
    rows = [sheet(dataset, columns=columns, rows=1) for dataset in datasets]
    tall, wide = (max(row.shape[axis] for row in rows) for axis in (0, 1))
    every = np.zeros((len(rows), tall + 4, wide, 4), np.uint8)  # see-through between them
    for place, row in enumerate(rows):
        every[place, :row.shape[0], :row.shape[1]] = row
    bare = {"showgrid": False, "ticks": "", "zeroline": False, "fixedrange": True, "constrain": "domain"}
    return template.figure(go.Image(z=every.reshape(-1, wide, 4), colormodel="rgba256", hoverinfo="skip"), height=24 + 56 * len(rows), margin=MARGIN,
                           xaxis={**bare, "showticklabels": False, "constraintoward": "left"},
                           yaxis={**bare, "tickvals": [(tall + 4) * i + tall / 2 for i in range(len(rows))], "ticktext": [template.plain(n) for n in names]})


def balance(dataset: Dataset):
    """Items in each class."""
    import plotly.graph_objects as go
    counts = np.bincount(dataset.labels, minlength=len(dataset.classes))
    bars = go.Bar(x=[template.plain(c) for c in dataset.classes], y=counts, marker_color=template.PALETTE[0], hovertemplate="%{x}: %{y} items<extra></extra>")
    return template.figure(bars, height=150, margin=MARGIN, bargap=0.25, showlegend=False, dragmode=False,
                           xaxis={"type": "category", "fixedrange": True},
                           yaxis={"title": "items", "rangemode": "tozero", "nticks": 4, "fixedrange": True})


def columns(dataset: Dataset):
    """The first two columns of an array against each other, one mark for each class; a single column against the row number."""
    import plotly.graph_objects as go
    n, flat = len(dataset), dataset.items.shape[1] == 1
    rows = np.arange(n) if n <= POINTS else np.linspace(0, n - 1, POINTS).astype(int)
    x, y = (rows, dataset.items[rows, 0]) if flat else dataset.items[rows, :2].T
    labels = np.zeros(len(rows), int) if dataset.labels is None else dataset.labels[rows]
    names = dataset.classes or ("all items",)
    mark = lambda colour, symbol: {"color": colour, "symbol": symbol, "size": 5}  # noqa: E731
    traces = [go.Scatter(x=x[labels == c], y=y[labels == c], mode="markers", name=template.plain(name), marker=mark(colour, symbol))
              for c, (name, (colour, symbol)) in enumerate(zip(names, template.marks(len(names)), strict=True))]
    thinned = "" if n <= POINTS else f" ({POINTS:,} of {n:,} rows, evenly spaced)"
    return template.figure(*traces, height=260, margin=MARGIN, showlegend=1 < len(names) <= 10,
                           xaxis={"title": ("row" if flat else "column 1") + thinned}, yaxis={"title": "column 1" if flat else "column 2"})


def table(dataset: Dataset):
    """The counts behind `balance`, as a DataFrame."""
    import pandas as pd
    return pd.DataFrame({"class": dataset.classes, "items": np.bincount(dataset.labels, minlength=len(dataset.classes))})
