"""Heatmaps of TAS among layers: each layer at every neighbourhood size, and layers by layers at one. A colour means the same TAS in all of them."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.colors import sample_colorscale

from analysis.figures import template
from analysis.figures.comparison import cells, framed, numbers
from analysis.figures.persistence import count

COLUMNS = 120  # steps of the log axis of k
WRITTEN = 10  # rows and columns up to which cells carry their numbers
DARK = 0.8  # how far from 0 the colours are so dark that white reads better on them
WIDE = 150  # pixels around the middle of a cell in which it is hit: cells are as wide as the page lets them
ROW = 15  # pixels that the name of a layer needs


def by_k(tas, names: Sequence[str], k, *, title: str = "", at_k: int | None = None, at: int | None = None, height: int | None = None,
         revision: str = "layers by k"):
    """TAS (layers, k) over k on a log axis, the first layer on top; a column is the mean of the k that it spans.

    at_k  the chosen neighbourhood size, as a rule
    at    the chosen layer, framed
    """
    tas, k = np.asarray(tas, np.float64), np.asarray(k, np.int64)
    height = height or int(np.clip(150 + 22 * len(names), 260, 620))
    starts = np.unique(np.searchsorted(k, np.geomspace(k[0], k[-1], COLUMNS + 1)[:-1].round()))
    means = np.add.reduceat(tas, starts, axis=1) / np.diff([*starts, len(k)])
    first, last = k[starts], k[[*starts[1:] - 1, -1]]
    edges = np.sqrt(np.array([first[0], *last]) * np.array([first[0] - 0.5, *first[1:], last[-1] + 1]))
    spans = [count(a) if a == b else f"{count(a)}–{count(b)}" for a, b in zip(first, last, strict=True)]
    ground = _heat(means, "TAS", x=edges.astype(np.float32), y=np.arange(len(names)), text=[spans] * len(names), xgap=0, ygap=1,
                   hovertemplate="%{y}, k = %{text}: TAS %{z:.3f}<extra></extra>", hoverinfo=None)
    ticks = [m * 10 ** e for e in range(len(str(k[-1]))) for m in (1, 2, 5) if k[0] <= m * 10 ** e <= k[-1]]
    shapes = [] if at is None else _seen({"type": "rect", "xref": "paper", "x0": 0, "x1": 1, "y0": at - 0.5, "y1": at + 0.5})
    shapes += [] if at_k is None else _seen({"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": int(at_k), "x1": int(at_k)})
    label = [] if at_k is None else [{"text": f"k = {count(int(at_k))}", "x": float(np.log10(at_k)), "y": 1, "yref": "paper", "yanchor": "bottom",
                                      "showarrow": False, "xanchor": "left" if at_k < 2 * k[0] else "right" if at_k > k[-1] / 2 else "center"}]
    return template.figure(ground, height=height, uirevision=revision, meta={"note": _pending(np.isnan(tas).all(axis=1), "layers")}, shapes=shapes,
                           annotations=label, **_head(title),
                           xaxis={"type": "log", "range": np.log10(edges[[0, -1]]).tolist(), "tickvals": ticks, "ticktext": [count(t) for t in ticks],
                                  "showgrid": False, "title": {"text": "Neighbourhood size k, log axis"}},
                           yaxis=_layers(names, height - 130, down=True))


def by_layers(values, names_a: Sequence[str], names_b: Sequence[str], *, k: int, title: str = "", at: tuple | None = None, sides: Sequence[str] = ("", ""),
              height: int = 480, revision: str = "layers by layers"):
    """TAS of each layer of A (rows) with each of B (columns) at one k. Every cell can be clicked: `customdata` [row, column].

    at     the chosen cell, framed
    sides  what A and B are, beside the axes
    NaN is what has not been computed yet.
    """
    values = np.asarray(values, np.float64)
    a, b = ([template.plain(n) for n in names] for names in (names_a, names_b))
    row, column = (index.ravel() for index in np.indices(values.shape))
    said = [f"{a[i]} – {b[j]}: " + ("not computed yet" if np.isnan(v) else f"TAS {v:.3f} at k = {count(k)}")
            for i, j, v in zip(row, column, values.ravel(), strict=True)]
    light, tall = np.abs(values) < DARK, 0.9 * (height - 130) / max(len(a), 1)
    inks = ((light, "#000000"), (~light, "#FFFFFF")) if max(values.shape) <= WRITTEN else ()
    written = [numbers(np.where(mask, values, np.nan), ink, ".2f", size=11) for mask, ink in inks]
    slant = {"tickangle": -40} if sum(map(len, b)) > 50 else {}
    return template.figure(_heat(values, f"TAS at k = {count(k)}"), *written, cells(row, column, said, tall), height=height, uirevision=revision,
                           meta={"note": _pending(np.isnan(values), "pairs")}, shapes=framed(at), hoverdistance=WIDE, **_head(title),
                           xaxis={**_layers(names_b, 600, side=sides[1]), **slant}, yaxis=_layers(names_a, height - 130, down=True, side=sides[0]))


def _heat(values, title, **more):
    """Diverging about 0, up to 1: below, the scale ends where the values do, and its colours stay what they are."""
    low = max(-1.0, min(-0.1, float(np.floor(10 * np.nanmin(values, initial=0)) / 10)))
    places = np.array([low, *(v for v in (-0.5, 0, 0.5, 1) if v > low)])
    colours = sample_colorscale(template.DIVERGING, ((places + 1) / 2).tolist())
    bar = {"title": {"text": title, "side": "right"}, "thickness": 12, "outlinewidth": 0, "len": 0.9}
    return go.Heatmap(z=values.astype(np.float32), zmin=low, zmax=1, colorscale=list(zip(((places - low) / (1 - low)).tolist(), colours, strict=True)),
                      colorbar=bar, **{"hoverinfo": "skip", "xgap": 1, "ygap": 1, "name": "TAS", **more})


def _layers(names, room, *, down=False, side=""):
    """The axis of some layers; of many, every second or third is named."""
    step = int(np.ceil(len(names) * ROW / room))
    at = list(range(0, len(names), step))
    ends = [-0.5, len(names) - 0.5]
    return {"tickvals": at, "ticktext": [template.plain(names[i]) for i in at], "range": ends[::-1] if down else ends, "showgrid": False,
            **({"title": {"text": template.plain(side)}} if side else {})}


def _seen(shape) -> list:
    """A dark line on a white one: seen on any colour."""
    return [{**shape, "line": {"width": width, "color": colour}} for width, colour in zip((4.5, 2), template.RING, strict=True)]


def _head(title) -> dict:
    return {"margin": {"t": 58 if title else 40}, **({"title": {"text": template.plain(title), "y": 0.98, "yanchor": "top"}} if title else {})}


def _pending(missing, what) -> str:
    return f"{count(int(missing.sum()))} of {count(missing.size)} {what} not computed yet" if missing.any() else ""
