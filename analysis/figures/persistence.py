"""Figures of persistence: the diagram, the barcode and the lifetimes by rank. H0, H1 and H2 keep one colour and one marker each.

Every mark carries `customdata` [dimension, row of the bars]; what was left out stands in `figure.layout.meta["note"]`.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from analysis.figures import template

NAMES = ("H0: clusters merge", "H1: loops", "H2: hollows")
LOOKS = template.marks(3)
STAR = "star"  # the bars that separate the classes, wherever they are drawn
ERRORS = 30  # bars that get an error bar
RANKS = 200  # lifetimes drawn one by one; further down the curve 200 ranks stand for the rest
STEP = 180  # milliseconds that a frame of a film stands


# the diagram

def diagram(bars: Mapping[int, np.ndarray], *, extent: float, separation: int = 0, errors: Mapping[int, float] | None = None,
            highlight: tuple | None = None, title: str = "", height: int = 420, limit: int = 1500, revision: str = "diagram"):
    """Birth and death of every bar, on equal axes from 0 to `extent`; the higher above the diagonal, the longer.

    separation  how many of the longest finite H0 bars are marked
    errors      of each dimension, how far a birth or death may be off
    highlight   (dim, row) to ring
    limit       bars drawn of each dim, the longest
    """
    extent = reach(extent)
    traces, notes = [*_ground(extent)], []
    for dim, rows in sorted(bars.items()):
        traces += dots(dim, rows, extent, separation=separation, limit=limit, kept=highlight)
        notes.append(_left_out(dim, rows, limit, "points"))
        off = (errors or {}).get(dim, 0.0)
        if 0 < off <= extent / 4:  # longer crosses would hide what they belong to
            traces.insert(2, _errors(dim, rows, off))
    if highlight is not None:
        birth, death = bars[highlight[0]][highlight[1]]
        traces += rings(birth, death if np.isfinite(death) else rule(extent), 14)
    return template.figure(*traces, height=height, uirevision=revision, meta={"note": note(notes)}, **square(extent, title))


def dots(dim: int, bars: np.ndarray, extent: float, *, separation: int = 0, limit: int = 1500, kept: tuple | None = None) -> list:
    """The bars of one dimension as points: those that die, those that never do (H0), and the separating ones (H0); always as many traces."""
    order = longest(dim, bars, limit, kept)
    dies = np.isfinite(bars[order, 1])
    apart = order[dies][:separation if dim == 0 else 0]
    rest, never = np.setdiff1d(order[dies], apart), order[~dies]
    colour, symbol = LOOKS[dim]
    made = [_dots(dim, bars, rest, name=NAMES[dim], marker={"color": colour, "symbol": symbol, "size": 7, "opacity": 0.8})]
    if dim == 0:
        made.append(_dots(0, bars, never, at=rule(extent), name="never dies", showlegend=False,
                          marker={"color": colour, "symbol": "triangle-up", "size": 11}))
    if dim == 0 and separation > 0:
        made.append(_dots(0, bars, apart, name=separating(separation), marker={"color": colour, "symbol": STAR, "size": 12}))
    return made


def _dots(dim, bars, rows, *, at=None, **look):
    deaths = bars[rows, 1] if at is None else np.full(len(rows), at)
    return go.Scatter(x=bars[rows, 0].astype(np.float32), y=deaths.astype(np.float32), customdata=custom(dim, rows), mode="markers",
                      hovertext=says(dim, bars[rows]), hovertemplate="%{hovertext}<extra></extra>", legendgroup=f"H{dim}{look['name']}",
                      unselected={"marker": {"opacity": 0.2}}, cliponaxis=False, **look)


def _errors(dim, bars, errors):
    """Faint crosses at the longest: as far as each may be off."""
    rows = longest(dim, bars, ERRORS)
    rows = rows[np.isfinite(bars[rows, 1])]
    cross = {"type": "constant", "value": float(errors), "width": 0, "thickness": 1, "color": faded(LOOKS[dim][0], 0.3)}
    return go.Scatter(x=bars[rows, 0].astype(np.float32), y=bars[rows, 1].astype(np.float32), mode="markers", marker={"opacity": 0}, error_x=cross,
                      error_y=cross, hoverinfo="skip", showlegend=False, name=f"H{dim} may be off")


def _ground(extent):
    """The diagonal, where nothing lives, and the rule on which stands what never dies."""
    line = {"mode": "lines", "hoverinfo": "skip", "showlegend": False, "x": [0, extent]}
    return (go.Scatter(**line, y=[0, extent], name="diagonal", line={"dash": "dash", "width": 1.2, "color": template.GREY}),
            go.Scatter(**line, y=[rule(extent)] * 2, name="never dies", line={"dash": "dot", "width": 1.2, "color": template.GREY}))


def square(extent: float, title: str = "") -> dict:
    """Equal axes, the legend above."""
    # the domain shrinks to a square instead of the range growing
    axis = {"range": span(extent), "constrain": "domain", "nticks": 6}
    label = {"text": "never dies (∞)", "x": extent, "y": rule(extent), "showarrow": False, "xanchor": "right", "yanchor": "bottom", "font": {"size": 11}}
    return {"xaxis": {**axis, "title": {"text": "Birth (distance)"}},
            "yaxis": {**axis, "title": {"text": "Death (distance)"}, "scaleanchor": "x"}, "annotations": [label],
            "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom", "font": {"size": 11}},
            "margin": {"t": 64}, **({"title": {"text": template.plain(title)}} if title else {})}


# the barcode

def barcode(bars: Mapping[int, np.ndarray], *, extent: float, separation: int = 0, highlight: tuple | None = None, sweep: float | None = None,
            shown: int = 60, height: int = 420, revision: str = "barcode"):
    """The longest bars of each dimension, longest on top; beyond `sweep`, a radius, they are faint. A click anywhere on its row chooses a bar."""
    extent = reach(extent)
    lying, ends, axis, notes = stacked(bars, extent, separation=separation, highlight=highlight, sweep=sweep, shown=shown)
    rows = [_row(trace, extent) for trace in lying[::2 if sweep is not None else 1]]
    for trace in lying + ends:
        trace.unselected = {"marker": {"opacity": 1}}  # a chosen row is coloured; the others need not fade
    line = {"type": "line", "x0": sweep, "x1": sweep, "yref": "paper", "y0": 0, "y1": 1, "line": {"width": 1.5, "color": template.GREY}}
    return template.figure(*lying, *ends, *rows, height=height, uirevision=revision, meta={"note": note(notes)}, barmode="overlay", bargap=0,
                           shapes=[line] if sweep is not None else [], showlegend=False, margin={"t": 36},
                           xaxis={"range": span(extent), "title": {"text": "Filtration (distance)"}}, yaxis=axis)


def _row(lying, extent):
    """Unseen bars over the whole width: thin or short ones cannot be hit."""
    same = {name: lying[name] for name in ("y", "orientation", "name", "customdata", "hovertext", "hovertemplate")}
    return go.Bar(x=np.full(len(lying.y), extent, np.float32), width=1, marker={"color": "rgba(0,0,0,0)", "line": {"width": 0}}, **same,
                  selected={"marker": {"color": faded(template.HIGHLIGHT, 0.4), "opacity": 1}}, unselected={"marker": {"opacity": 1}})


def stacked(bars: Mapping[int, np.ndarray], extent: float, *, separation: int = 0, highlight=None, sweep=None, shown: int = 60) -> tuple:
    """The bars of all dimensions, one group under another: (bars, marks at their ends, the axis they stand on, what was left out)."""
    lying, ends, ticks, notes, top = [], [], {}, [], 0.0
    for dim, rows in sorted(bars.items()):
        order = longest(dim, rows, shown, highlight)
        if not len(order):
            continue
        places = top + np.arange(len(order))
        lying += _lying(dim, rows, order, places, extent, sweep)
        ends += _ends(dim, rows, order, places, extent, separation, highlight)
        ticks[f"H{dim}"], top = places.mean(), places[-1] + 1 + max(2.0, len(order) / 12)
        notes.append(_left_out(dim, rows, shown, "bars"))
    axis = {"range": [max(top, 4), -1.5], "tickvals": list(ticks.values()), "ticktext": list(ticks), "ticks": "", "showgrid": False}
    return lying, ends, axis, notes


def reached(bars: np.ndarray, extent: float, sweep: float) -> np.ndarray:
    """How much of each bar lies before the sweep."""
    return np.clip(np.minimum(_finite(bars[:, 1], extent), sweep) - bars[:, 0], 0, None).astype(np.float32)


def _lying(dim, bars, order, places, extent, sweep):
    """The bars of one dimension; with a sweep, faint ones under what lies before it."""
    births, deaths = bars[order, 0], _finite(bars[order, 1], extent)
    common = {"y": places.astype(np.float32), "base": births.astype(np.float32), "orientation": "h", "customdata": custom(dim, order), "width": 0.6,
              "hovertext": says(dim, bars[order]), "hovertemplate": "%{hovertext}<extra></extra>", "name": NAMES[dim], "legendgroup": f"H{dim}"}
    solid = {"color": faded(LOOKS[dim][0], 0.99), "line": {"width": 0}}  # wholly opaque, thin bars would be widened until they touch
    if sweep is None:
        return [go.Bar(x=(deaths - births).astype(np.float32), marker=solid, **common)]
    return [go.Bar(x=(deaths - births).astype(np.float32), marker={**solid, "color": faded(LOOKS[dim][0], 0.3)}, showlegend=False, **common),
            go.Bar(x=reached(bars[order], extent, sweep), marker=solid, **common)]


def _ends(dim, bars, order, places, extent, separation, highlight):
    """Marks at the ends of bars: an arrow where one never dies, a star where it separates classes, a ring where it is chosen."""
    dies = np.isfinite(bars[order, 1])
    apart = np.flatnonzero(dies)[:separation if dim == 0 else 0]
    mark = {"mode": "markers", "legendgroup": f"H{dim}", "hoverinfo": "skip", "cliponaxis": False}
    colour, made = LOOKS[dim][0], []
    if not dies.all():
        made.append(go.Scatter(x=np.full((~dies).sum(), rule(extent), np.float32), y=places[~dies].astype(np.float32), customdata=custom(dim, order[~dies]),
                               **{**mark, "mode": "markers+text"}, text=["∞"] * int((~dies).sum()), textposition="top left", textfont={"size": 16},
                               showlegend=False, name="never dies", marker={"color": colour, "symbol": "triangle-right", "size": 11}))
    if len(apart):
        made.append(go.Scatter(x=bars[order[apart], 1].astype(np.float32), y=places[apart].astype(np.float32), customdata=custom(dim, order[apart]), **mark,
                               name=separating(separation), marker={"color": colour, "symbol": STAR, "size": 9}))
    if highlight is not None and highlight[0] == dim:
        at = int(np.flatnonzero(order == highlight[1])[0])
        made += rings(bars[order[at], 1] if dies[at] else rule(extent), places[at], 12)
    return made


# lifetimes by rank

def lifetimes(lifetimes, *, low=None, high=None, separation: int = 0, gap: int = 0, names: Sequence[str] = ("",), highlight: tuple | None = None,
              height: int = 300, revision: str = "lifetimes"):
    """H0 lifetimes by rank, longest first, beside those that chance gives.

    lifetimes   of one cloud, or a list of those of several
    low, high   the null band by rank, longest first; as many as clouds, or of the first
    separation  k-1, after which a rule stands
    gap         clusters that the largest gap leaves; a second rule where that is another number than k
    highlight   (0, row of the ascending lifetimes) to ring, in the first cloud
    """
    clouds, lows, highs = _several(lifetimes), _several(low), _several(high)
    traces, notes = [], []
    for bottom, top in zip(lows, highs, strict=True):
        traces += _band(bottom, top, shown=not traces)
    for i, (cloud, name) in enumerate(zip(clouds, names, strict=True)):
        longest_first = np.sort(cloud)[::-1]
        ranks = _ranks(len(cloud))
        notes.append(f"{count(len(ranks))} of {count(len(cloud))} lifetimes drawn, every one up to rank {RANKS}" if len(ranks) < len(cloud) else "")
        traces.append(_curve(longest_first, ranks, i, name, len(clouds) > 1))
    if highlight is not None:
        ordered = np.sort(clouds[0])
        traces += rings(len(ordered) - highlight[1], ordered[highlight[1]], 13)
    rules = {separation: f"k−1 = {separation}"} if separation > 0 else {}
    if gap > 1 and gap - 1 != separation:
        rules[gap - 1] = f"largest gap: {gap} pieces"
    shapes, labels = _rules(rules)
    reach = max([len(c) for c in clouds] + [2])
    return template.figure(*traces, height=height, uirevision=revision, meta={"note": note(dict.fromkeys(notes))}, shapes=shapes, annotations=labels,
                           legend={**_above(), "y": 1.1},
                           showlegend=len(clouds) > 1 or bool(lows), margin={"t": 50},
                           xaxis={"type": "log", "range": [-0.08, float(np.log10(reach)) + 0.06], "dtick": 1,
                                  "title": {"text": "Rank of the H0 bar, longest first"}},
                           yaxis={"rangemode": "tozero", "title": {"text": "Lifetime (distance)"}})


def _curve(longest_first, ranks, i, name, several):
    colour, symbol = template.marks(6)[(0, 4, 5)[i % 3]]  # the second is not to be taken for H1
    rows, values = len(longest_first) - ranks, longest_first[ranks - 1]
    return go.Scatter(x=ranks.astype(np.float32), y=values.astype(np.float32), mode="lines+markers",
                      customdata=custom(0, rows) if i == 0 else None,  # a click is about the first cloud
                      name=template.plain(name) if name else "lifetimes", line={"width": 1.3, "color": colour, "dash": ("solid", "dot", "dash")[i % 3]},
                      marker={"color": colour, "symbol": symbol, "size": 6}, showlegend=True, unselected={"marker": {"opacity": 0.35}},
                      hovertemplate=f"{template.plain(name) + ': ' if several else ''}rank %{{x}}, lifetime %{{y:.3~g}}<extra></extra>")


def _band(low, high, *, shown):
    ranks = _ranks(len(low))
    edge = {"x": ranks.astype(np.float32), "mode": "lines", "line": {"width": 0.8, "color": template.GREY}, "hoverinfo": "skip", "legendgroup": "null"}
    return [go.Scatter(y=low[ranks - 1].astype(np.float32), showlegend=False, name="null, low", **edge),
            go.Scatter(y=high[ranks - 1].astype(np.float32), fill="tonexty", fillcolor="rgba(122,130,140,0.3)", name="shuffled columns, lowest to highest",
                       showlegend=shown, **edge)]


def _ranks(n: int) -> np.ndarray:
    """1 to n, thinned beyond the first 200: on a log axis neighbours lie on one another there."""
    tail = np.geomspace(RANKS, n, RANKS).astype(np.int64) if n > RANKS else []
    return np.unique([*range(1, min(n, RANKS) + 1), *tail]).astype(np.int64)


def _rules(rules: Mapping[int, str]) -> tuple[list, list]:
    """A vertical rule after each rank, named above; the names of two go apart."""
    shapes, labels = [], []
    for (rank, text), dash in zip(rules.items(), ("dash", "dot"), strict=False):
        x = rank + 0.5
        shapes.append({"type": "line", "x0": x, "x1": x, "yref": "paper", "y0": 0, "y1": 1, "line": {"width": 1.5, "color": template.GREY, "dash": dash}})
        labels.append({"x": float(np.log10(x)), "y": 1, "yref": "paper", "yanchor": "bottom", "text": text, "showarrow": False, "font": {"size": 12},
                       "xanchor": "right" if rank < max(rules) else "left"})
    return shapes, labels


# what all of them share

def longest(dim: int, bars: np.ndarray, limit: int, kept: tuple | None = None) -> np.ndarray:
    """Rows of the longest bars, longest first; a kept one, (dim, row), is always among them."""
    order = np.argsort(bars[:, 0] - bars[:, 1], kind="stable")[:limit]
    if kept is not None and kept[0] == dim and kept[1] not in order:
        order = np.append(order, kept[1])
    return order


def custom(dim: int, rows: np.ndarray) -> np.ndarray:
    return np.column_stack([np.full(len(rows), dim), rows]).astype(np.int32).reshape(-1, 2)


def says(dim: int, bars: np.ndarray) -> list[str]:
    """A bar in words, for the pointer."""
    return [f"H{dim} bar: {number(b)} – " + (f"{number(d)}, lifetime {number(d - b)}" if np.isfinite(d) else "∞, never dies") for b, d in bars]


def separating(count: int) -> str:
    return f"the k−1 = {count} separating bars"


def rings(x: float, y: float, size: float) -> list:
    """A white ring under a dark one: seen on any ground and any mark."""
    return [go.Scatter(x=[float(x)], y=[float(y)], mode="markers", name="selected", showlegend=False, hoverinfo="skip", cliponaxis=False,
                       marker={"symbol": "circle-open", "size": size, "color": colour, "line": {"width": width, "color": colour}})
            for width, colour in zip((4.5, 2), template.RING, strict=True)]


def rule(extent: float) -> float:
    """Where infinity is drawn."""
    return 1.06 * extent


def span(extent: float) -> list[float]:
    return [-0.04 * extent, 1.15 * extent]


def number(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}".replace(",", "\u202f")


def count(n: int) -> str:
    return f"{n:,}".replace(",", "\u202f")


def note(parts) -> str:
    return "; ".join(part for part in parts if part)


def _left_out(dim: int, bars: np.ndarray, limit: int, what: str) -> str:
    return f"{count(limit)} of {count(len(bars))} H{dim} {what} shown, the longest" if len(bars) > limit else ""


def _finite(deaths: np.ndarray, extent: float) -> np.ndarray:
    return np.where(np.isfinite(deaths), deaths, rule(extent))


def reach(extent: float) -> float:
    """A cloud whose points lie on one another still needs axes."""
    return float(extent) if np.isfinite(extent) and extent > 0 else 1.0


def _several(arrays) -> list[np.ndarray]:
    if arrays is None:
        return []
    return [np.asarray(a, dtype=np.float64) for a in arrays] if isinstance(arrays, (list, tuple)) else [np.asarray(arrays, dtype=np.float64)]


def faded(colour: str, opacity: float) -> str:
    return f"rgba({', '.join(str(int(colour[i:i + 2], 16)) for i in (1, 3, 5))}, {opacity})"


def buttons(names: Sequence[str], at: int, **place) -> dict:
    """Play and Pause for the frames of these names, from the one shown; dark on a middle grey, to be read in both themes, and under the mouse, which turns
    them pale."""
    first = at if at < len(names) - 1 else 0
    still = {"transition": {"duration": 0}, "mode": "immediate"}
    press = lambda label, frames, **frame: {"label": label, "method": "animate", "args": [frames, {**still, "fromcurrent": True, "frame": frame}]}
    return {"type": "buttons", "direction": "left", "showactive": False, "bgcolor": template.MIDDLE, "bordercolor": template.GREY,
            "font": {"color": template.RING[1], "size": 12}, "pad": {"t": 8}, **place,
            "buttons": [press("Play", list(names[first:]), duration=STEP, redraw=True), press("Pause", [None], duration=0, redraw=False)]}


def _above() -> dict:
    return {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.01, "yanchor": "bottom", "font": {"size": 11}}
