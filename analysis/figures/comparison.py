"""Persistence compared: along layers and checkpoints, between two diagrams, between all pairs, and among models."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from analysis.figures import persistence, template

BAND = "rgba(122,130,140,0.3)"
WRITTEN = 12  # rows of a matrix up to which its cells carry their numbers
COSTLIEST = 3  # pairs of a matching that are set off
MIDDLE = 0.46  # place in the colour scale from which black is easier to read on it than white


# along layers and checkpoints

def through(names: Sequence[str], values, *, low, high, clusters, loops=None, chance=None, chance_low=None, chance_high=None, truth: int | None = None,
            title: str = "", at: int | None = None, height: int = 480, revision: str = "through"):
    """Panels over the same places: the Persistence Ratio with interval and chance level, groups above the largest gap, total H1 persistence.

    loops  none: no panel of them
    truth  the number of classes, as a dashed line
    at     the place to mark
    NaN leaves a gap. `customdata` is the place.
    """
    x, look = np.arange(len(names), dtype=np.float32), [template.marker(i, size=8) for i in (4, 0, 1)]  # H0 and H1 look as everywhere
    values, low, high, clusters = (np.asarray(v, dtype=np.float64) for v in (values, low, high, clusters))
    floors = (0.7, 0.36, 0) if loops is not None else (0.55, 0)  # of the panels
    traces = [] if chance is None else _chance(x, chance, chance_low, chance_high)
    span = {"type": "data", "array": (high - values).astype(np.float32), "arrayminus": (values - low).astype(np.float32), "width": 3, "thickness": 1.3}
    text = [f"PR {persistence.number(v)} (interval {persistence.number(a)} – {persistence.number(b)})" for v, a, b in zip(values, low, high, strict=True)]
    traces += [_line(x, values, names, text, "Persistence Ratio, 95\u202f% interval", "y", look[0], error_y=span),
               _line(x, clusters, names, [f"{persistence.number(v)} groups above the largest gap" for v in clusters], "clusters", "y2", look[1])]
    heads = [("Persistence Ratio (lower: tighter and further apart)", 1),
             ("Groups above the largest gap" + (f" (dashed: the {truth} classes)" if truth is not None else ""), floors[0] - 0.08)]
    last, third = "y2", {}
    if loops is not None:
        traces.append(_line(x, np.asarray(loops, np.float64), names, [f"total H1 persistence {persistence.number(v)}" for v in loops],
                            "total H1 persistence", "y3", look[2]))
        heads.insert(1, ("Total H1 persistence", 0.28))
        last, third = "y3", {"yaxis3": {"domain": [0, 0.28], "rangemode": "tozero", "nticks": 5}}
    labels = [{"text": text, "x": 0, "xref": "paper", "xanchor": "left", "y": y, "yref": "paper", "yanchor": "bottom", "showarrow": False} for text, y in heads]
    most = np.nanmax(clusters, initial=0)
    log = most > 10 * max(truth or 3, 3)  # a layer without a clear gap may have hundreds
    shapes = [{"type": "rect", "x0": at - 0.35, "x1": at + 0.35, "yref": "paper", "y0": 0, "y1": 1, "fillcolor": "rgba(122,130,140,0.18)",
               "line": {"width": 1, "color": template.GREY, "dash": "dot"}, "layer": "below"}] if at is not None else []
    if truth is not None:
        line = {"width": 1.3, "dash": "dash", "color": template.GREY}
        shapes.append({"type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": "y2", "y0": truth, "y1": truth, "line": line})
    ticks = {"tickvals": x.tolist(), "ticktext": [template.plain(n) for n in names], "range": [-0.5, len(names) - 0.5],
             "ticklabeloverflow": "allow", "tickangle": -40 if sum(map(len, map(str, names))) > 50 else 0}
    reach = {"type": "log", "dtick": 1} if log else {"range": [0, 1.2 * max(most, truth or 0, 1)], "nticks": 5}
    return template.figure(*traces, height=height, uirevision=revision, shapes=shapes, annotations=labels, meta={"note": ""}, showlegend=chance is not None,
                           legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.05, "yanchor": "bottom"}, margin={"t": 64},
                           title={"text": template.plain(title), "y": 0.98, "yanchor": "top"}, xaxis={**ticks, "anchor": last},
                           yaxis={"domain": [floors[0], 1], "rangemode": "tozero"}, yaxis2={"domain": [floors[1], floors[0] - 0.08], **reach}, **third)


def _line(x, values, names, text, name, axis, look, **more):
    said = [f"{template.plain(n)}: {t}" for n, t in zip(names, text, strict=True)]
    return go.Scatter(x=x, y=values.astype(np.float32), customdata=np.arange(len(x), dtype=np.int32), mode="lines+markers", name=name, yaxis=axis, marker=look,
                      line={"width": 1.6, "color": look["color"]}, hovertext=said, hovertemplate="%{hovertext}<extra></extra>",
                      showlegend=axis == "y", unselected={"marker": {"opacity": 0.6}}, **more)


def _chance(x, mean, low, high):
    """The level that shuffled columns have, as a grey band about a grey line."""
    line = {"x": x, "mode": "lines", "hoverinfo": "skip", "legendgroup": "chance"}
    edge = {"width": 0}
    band = [go.Scatter(y=np.asarray(low, np.float32), line=edge, showlegend=False, name="chance, low", **line),
            go.Scatter(y=np.asarray(high, np.float32), line=edge, fill="tonexty", fillcolor=BAND, showlegend=False, name="chance, high", **line)]
    middle = go.Scatter(y=np.asarray(mean, np.float32), line={"width": 1.5, "dash": "dot", "color": template.GREY}, name="chance: shuffled columns", **line)
    return [*(band if low is not None and high is not None else []), middle]


def training(diagrams: Sequence[Mapping[int, np.ndarray]], names: Sequence[str], *, extent: float, separation: int = 0, at: int = 0, limit: int = 300,
             film: bool = True, height: int = 480, revision: str = "training"):
    """Diagrams one after the other on the same axes, a frame each; `at` is shown first."""
    dims, none = sorted(set().union(*diagrams)), np.zeros((0, 2))
    dots = lambda bars: [t for dim in dims for t in persistence.dots(dim, bars.get(dim, none), persistence.reach(extent), separation=separation, limit=limit)]
    shown = persistence.diagram({dim: diagrams[at].get(dim, none) for dim in dims}, extent=extent, separation=separation, limit=limit, height=height,
                                title=names[at], revision=revision)
    most = max((len(bars) for each in diagrams for bars in each.values()), default=0)
    shown.layout.meta = {"note": f"of each diagram and dimension the {persistence.count(limit)} longest bars" if most > limit else ""}
    if film:
        ground = len(shown.data) - len(dots(diagrams[at]))
        shown.frames = [{"name": str(i), "traces": list(range(ground, len(shown.data))), "layout": {"title": {"text": template.plain(names[i])}},
                         "data": [{"type": "scatter", "x": t.x, "y": t.y, "customdata": t.customdata, "hovertext": t.hovertext} for t in dots(bars)]}
                        for i, bars in enumerate(diagrams)]
        shown.layout.margin.b = 96
        shown.layout.updatemenus = [persistence.buttons([str(i) for i in range(len(diagrams))], at, x=0, xanchor="left", y=-0.13, yanchor="top")]
    return shown


# between diagrams

def matched(p: np.ndarray, q: np.ndarray, pairs: np.ndarray, *, names: Sequence[str], extent: float, height: int = 420, revision: str = "matched"):
    """Two diagrams and what a best matching (persistence.matching) joins: points to points, or to the diagonal. The costliest pairs are set off."""
    p, q = (bars[np.isfinite(bars).all(axis=1)] for bars in (np.asarray(p, float).reshape(-1, 2), np.asarray(q, float).reshape(-1, 2)))
    extent, pairs = persistence.reach(extent), np.asarray(pairs, float).reshape(-1, 3)
    pairs = pairs[(pairs[:, :2] >= 0).any(axis=1)]
    i, j, cost = pairs[:, 0].astype(int), pairs[:, 1].astype(int), pairs[:, 2]
    foot = lambda bars: np.repeat(bars.mean(axis=1, keepdims=True), 2, axis=1)  # the nearest place on the diagonal
    ends = np.full((len(pairs), 3, 2), np.nan)
    ends[i >= 0, 0], ends[j >= 0, 1] = p[i[i >= 0]], q[j[j >= 0]]
    ends[i < 0, 0], ends[j < 0, 1] = foot(q[j[i < 0]]), foot(p[i[j < 0]])
    lost, most = (i < 0) | (j < 0), np.argsort(-cost, kind="stable")[:COSTLIEST]
    under = [_joined(ends[lost], "to the diagonal", {"width": 0.8, "dash": "dot", "color": template.GREY}),
             _joined(ends[~lost], "matched", {"width": 1.2, "color": template.GREY})]
    over = _joined(ends[most], "the costliest pairs", {"width": 3, "color": template.HIGHLIGHT})
    middle = ends[most, :2].mean(axis=1)
    price = go.Scatter(x=middle[:, 0].astype(np.float32), y=middle[:, 1].astype(np.float32), mode="markers", name="cost", showlegend=False,
                       marker={"size": 9, "symbol": "diamond", "color": template.HIGHLIGHT}, hovertemplate="%{hovertext}<extra></extra>",
                       hovertext=[f"this pair costs {persistence.number(c)}" for c in cost[most]])
    least = min((bars[:, 0].min() for bars in (p, q) if len(bars)), default=0)
    start = 0 if least < extent / 3 else least - 0.1 * (extent - least)  # far from 0 the picture would be empty
    diagonal = go.Scatter(x=[start, extent], y=[start, extent], mode="lines", name="diagonal", hoverinfo="skip", showlegend=False,
                          line={"dash": "dash", "width": 1.2, "color": template.GREY})
    look = persistence.square(extent)
    axes = {side: {**look[side], "range": [start - 0.04 * (extent - start), extent + 0.04 * (extent - start)]} for side in ("xaxis", "yaxis")}
    sides = [_side(side, bars, name) for side, (bars, name) in enumerate(zip((p, q), names, strict=True))]
    return template.figure(diagonal, *under, *sides, over, price, height=height, uirevision=revision,
                           meta={"note": ""}, legend=look["legend"], margin={"t": 12}, **axes)


def _side(side, bars, name):
    said = [f"{template.plain(name)}: {persistence.number(b)} – {persistence.number(d)}, lifetime {persistence.number(d - b)}" for b, d in bars]
    return go.Scatter(x=bars[:, 0].astype(np.float32), y=bars[:, 1].astype(np.float32), customdata=persistence.custom(side, np.arange(len(bars))),
                      mode="markers", name=template.plain(name), marker=template.marker(4 + side, size=8, opacity=0.85), hovertext=said,
                      hovertemplate="%{hovertext}<extra></extra>")


def _joined(ends, name, line):
    flat = ends.reshape(-1, 2).astype(np.float32)
    return go.Scatter(x=flat[:, 0], y=flat[:, 1], mode="lines", name=name, line=line, hoverinfo="skip", showlegend=len(ends) > 0)


def matrix(values, names: Sequence[str], *, title: str, unit: str = "", bounds=None, at: tuple | None = None, height: int = 460, revision: str = "matrix"):
    """Distances between all pairs. Every cell can be clicked: `customdata` [row, column].

    bounds  how far each may be off: a number, or one per cell
    at      the cell to ring
    """
    values, m = np.asarray(values, dtype=np.float64), len(names)
    names = [template.plain(n) for n in names]
    row, column = (index.ravel() for index in np.indices((m, m)))
    off = np.broadcast_to(np.nan if bounds is None else bounds, (m, m)).ravel()
    unit = f" {template.plain(unit)}" if unit else ""
    plus = lambda o: "" if np.isnan(o) else f" ± {persistence.number(o)}"
    said = [f"{names[i]} – {names[j]}: " + ("not computable" if np.isnan(v) else f"{persistence.number(v)}{plus(o)}{unit}")
            for i, j, v, o in zip(row, column, values.ravel(), off, strict=True)]
    label = template.plain(title) + (f" ({unit.strip()})" if unit else "")
    bar = {"title": {"text": label, "side": "right"}, "thickness": 12, "outlinewidth": 0, "len": 0.85}
    most = float(np.nanmax(values, initial=0)) or 1.0
    ground = go.Heatmap(z=values.astype(np.float32), colorscale=template.SEQUENTIAL, zmin=0, zmax=most, colorbar=bar, hoverinfo="skip", xgap=1, ygap=1,
                        name=template.plain(title))
    light = values < MIDDLE * most
    written = [numbers(np.where(mask, values, np.nan), ink) for mask, ink in ((light, "#FFFFFF"), (~light, "#000000"))] if m <= WRITTEN else []
    axis = {"tickvals": list(range(m)), "ticktext": names, "showgrid": False, "constrain": "domain"}
    return template.figure(ground, *written, cells(row, column, said, 0.9 * (height - 110) / max(m, 1)), height=height, uirevision=revision,
                           meta={"note": ""}, margin={"t": 12}, shapes=framed(at),
                           xaxis={**axis, "range": [-0.5, m - 0.5]}, yaxis={**axis, "range": [m - 0.5, -0.5], "scaleanchor": "x"})


def numbers(values, ink, form: str = ".3~g", **font):
    """The numbers of some cells, in an ink that reads on them."""
    clear = "rgba(0,0,0,0)"
    return go.Heatmap(z=values.astype(np.float32), colorscale=[[0, clear], [1, clear]], showscale=False, hoverinfo="skip", texttemplate=f"%{{z:{form}}}",
                      textfont={"color": ink, **font}, name="numbers")


def cells(row, column, said: Sequence[str], side: float):
    """A heatmap's cells cannot be selected: unseen squares over them, `side` pixels wide, can."""
    return go.Scatter(x=column.astype(np.int32), y=row.astype(np.int32), customdata=np.column_stack([row, column]).astype(np.int32), mode="markers",
                      marker={"symbol": "square", "size": max(6.0, side), "opacity": 0, "color": template.GREY}, selected={"marker": {"opacity": 0.35}},
                      unselected={"marker": {"opacity": 0}}, hovertext=said, hovertemplate="%{hovertext}<extra></extra>", showlegend=False, name="cells")


def framed(at: tuple | None) -> list:
    """A frame about one cell (row, column): seen on any colour."""
    return [] if at is None else [{"type": "rect", "x0": at[1] - 0.5, "x1": at[1] + 0.5, "y0": at[0] - 0.5, "y1": at[0] + 0.5,
                                   "line": {"width": width, "color": colour}} for width, colour in zip((6, 2.5), template.RING, strict=True)]


# among models

def ranking(names: Sequence[str], values, low, high, *, second=None, second_low=None, second_high=None, labels: Sequence[str] = ("source", "target"),
            chance=None, at: int | None = None, height: int | None = None, revision: str = "ranking"):
    """A Persistence Ratio per model, the lowest on top, with its interval; those without one stand at the bottom. `customdata` is the place in `names`.

    second  another ratio of the same models, with another mark (that on the target's data)
    chance  the level of shuffled columns: a number, or one per model
    at      the model to mark
    """
    values = np.asarray(values, dtype=np.float64)
    order = np.argsort(values, kind="stable")  # NaN comes last
    series = [(values, low, high), *([(second, second_low, second_high)] if second is not None else [])]
    places = np.arange(len(names))
    traces = [_whiskers(i, np.asarray(v, float)[order], np.asarray(a, float)[order], np.asarray(b, float)[order], places + (i - 0.5) * 0.3 * (len(series) > 1),
                        order, names, label) for i, ((v, a, b), label) in enumerate(zip(series, labels, strict=False))]
    if chance is not None:
        level = np.broadcast_to(np.asarray(chance, float), len(names))[order]
        traces.insert(0, go.Scatter(x=level.astype(np.float32), y=places.astype(np.float32), mode="markers", name="chance: shuffled columns", hoverinfo="skip",
                                    marker={"symbol": "line-ns", "size": 16, "color": template.GREY, "line": {"width": 2, "color": template.GREY}}))
    none = [{"text": f"PR, {template.plain(labels[0])}: not computable", "x": 0.01, "xref": "paper", "xanchor": "left",
             "y": float(place), "showarrow": False, "font": {"size": 12}} for place in places if np.isnan(values[order[place]])]
    place = None if at is None else int(np.flatnonzero(order == at)[0])
    mark = [] if place is None else [{"type": "rect", "xref": "paper", "x0": 0, "x1": 1, "y0": place - 0.45, "y1": place + 0.45, "layer": "below",
                                      "fillcolor": "rgba(122,130,140,0.18)", "line": {"width": 1, "color": template.GREY, "dash": "dot"}}]
    return template.figure(*traces, height=height or 130 + 36 * len(names), uirevision=revision, meta={"note": ""}, annotations=none, shapes=mark,
                           showlegend=len(traces) > 1, legend={"orientation": "h", "x": 0, "xanchor": "left", "y": 1.01, "yanchor": "bottom"},
                           xaxis={"title": {"text": "Persistence Ratio, lower = ranked higher<br>(models are ranked by −PR)"}, "rangemode": "tozero"},
                           yaxis={"tickvals": places.tolist(), "ticktext": [template.plain(names[i]) for i in order], "range": [len(names) - 0.4, -0.6]})


def _whiskers(i, values, low, high, places, order, names, label):
    said = [f"{template.plain(names[k])}, {template.plain(label)}: PR {persistence.number(v)} (interval {persistence.number(a)} – {persistence.number(b)})"
            for k, v, a, b in zip(order, values, low, high, strict=True)]
    look = template.marker(i, size=10)
    return go.Scatter(x=values.astype(np.float32), y=places.astype(np.float32), customdata=order.astype(np.int32), mode="markers", marker=look,
                      name=f"PR, {template.plain(label)}", hovertext=said, hovertemplate="%{hovertext}<extra></extra>", unselected={"marker": {"opacity": 0.6}},
                      error_x={"type": "data", "array": (high - values).astype(np.float32), "arrayminus": (values - low).astype(np.float32), "width": 5,
                               "thickness": 1.8, "color": look["color"]})
