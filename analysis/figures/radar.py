"""Figures of RADAR: the angles and distances of pairs within the target and across to a source, where they part, and the sources beside one another.

Within is drawn upwards and solid, across downwards or hatched. `customdata` of a mark is the transition, the source, or [row, column] of a cell; what was left
out stands in `figure.layout.meta["note"]`. Each figure has its twin `..._says`: the answer in plain words.
"""

import numpy as np
import plotly.graph_objects as go

from analysis.figures import template
from analysis.figures.persistence import count, faded, note, number
from analysis.figures.sources import (
    below,
    marked,
    matrix,
    matrix_says,
    ranking,
    ranking_says,
    readings,
    readings_says,
    splits,
    splits_says,
    strip,
    strip_says,
    transitions,
)
from analysis.metrics.radar import Radar

__all__ = ["ridgelines", "ridgelines_says", "enlarged", "enlarged_says", "rose", "rose_says", "strip", "strip_says", "ranking", "ranking_says", "splits",
           "splits_says", "matrix", "matrix_says", "readings", "readings_says", "transitions"]

WORDS = {"within": "within", "cross": "across"}
SIDES = tuple(WORDS)
COLOURS, DASHES = dict(zip(SIDES, template.PALETTE, strict=False)), dict(zip(SIDES, ("solid", "dash"), strict=True))
SIGNS, BOTH = {"angle": "θ", "distance": "d"}, "θ and d"
CORNERS = {"partner": "at the partner", "turning": "of the turn at the partner", "anchor": "at the anchor"}
BINS, PETALS = 60, 36
TALL = 0.46  # of a row, that the highest bin of a ridge takes
BEYOND = 0.005  # share of the values that may lie beyond either end of the axis
TICKS = (0, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


# one source, all transitions

def ridgelines(found: Radar, kind: str = "angle", *, selected: int | None = None, whole: bool = False, height: int | None = None,
               revision: str = "ridgelines"):
    """A row per transition, the first on top: how the angles (kind "angle") or distances of pairs are spread within, upwards, and across, downwards.
    The divergence of the two stands at the right. Click a row to choose its transition.

    selected  the transition to mark
    whole     all angles from 0 to 180°, also where they fill no more than half of that
    """
    axis, rows, divergence = _Axis(found, kind, whole=whole), transitions(found.layers), _divergence(found, kind)
    shares, steps = {side: axis.shares(side) for side in SIDES}, np.arange(len(rows))
    tall = TALL / np.maximum(*(s.max(axis=1, keepdims=True) for s in shares.values())).clip(1e-9)
    traces = [_ridges(axis, tall * shares[side], side, found) for side in SIDES] + [_ticks(axis, side) for side in SIDES]
    said = [f"{row}<br>mean {axis.said(a)} within, {axis.said(b)} across<br>{told}" for row, a, b, told in
            zip(rows, axis.means["within"], axis.means["cross"], _told(found, kind), strict=True)]
    same = {"y": steps.astype(np.float32), "orientation": "h", "customdata": steps.astype(np.int32), "hovertext": said, "showlegend": False,
            "hovertemplate": "%{hovertext}<extra></extra>", "unselected": {"marker": {"opacity": 1}}}
    low, high = axis.ends
    bars = go.Bar(x=divergence.astype(np.float32), xaxis="x2", width=0.4, name="divergence", text=[number(v) for v in divergence], textposition="outside",
                  cliponaxis=False, marker={"color": template.GREY, "line": {"width": 0}}, **same)
    hit = go.Bar(base=low, x=np.full(len(rows), high - low, np.float32), width=1, name="rows", marker={"color": "rgba(0,0,0,0)", "line": {"width": 0}},
                 selected={"marker": {"color": faded(template.HIGHLIGHT, 0.25), "opacity": 1}}, **same)
    return template.figure(*traces, bars, hit, height=height or 120 + 44 * len(rows), uirevision=f"{revision} {kind}", shapes=marked(selected),
                           barmode="overlay", bargap=0, meta={"note": note([axis.note(), "each row to its own height"])}, margin={"t": 56},
                           legend={"orientation": "h", "x": 0, "xanchor": "left", "y": 1.0, "yanchor": "bottom"},
                           xaxis={**axis.layout(), "domain": [0, 0.79]},
                           xaxis2={"domain": [0.82, 1], "range": [0, 1.7 * max(float(divergence.max()), 1e-6)], "showticklabels": False, "ticks": "",
                                   "showgrid": False, "title": {"text": f"Divergence<br>of {_sign(found, kind)}", "standoff": 29, "font": {"size": 12}}},
                           yaxis={"tickvals": steps.tolist(), "ticktext": rows, "range": [len(rows) - 0.4, -0.6], "showgrid": False, "ticks": ""})


def ridgelines_says(found: Radar, kind: str = "angle") -> str:
    axis, rows, divergence = _Axis(found, kind), transitions(found.layers, plain=str), _divergence(found, kind)
    most, least = int(divergence.argmax()), int(divergence.argmin())
    within, across = (axis.said(axis.means[side][most]) for side in SIDES)
    rest = f"; they part least at {rows[least]} ({number(divergence[least])})" if most != least else ""
    return (f"The {kind}s of pairs within {found.names[0]} and across to {found.names[1]} part most at {rows[most]} "
            f"(divergence {number(divergence[most])}: mean {within} within, {across} across){rest}.")


def enlarged(found: Radar, transition: int, kind: str = "angle", *, height: int = 400, revision: str = "enlarged"):
    """One transition: both histograms, the densities that the two fitted mixtures make of it, and the means as rules."""
    axis = _Axis(found, kind, of=transition)
    means = {side: float(axis.means[side][0]) for side in SIDES}
    leans = dict(zip(SIDES, ("right", "left") if means["within"] <= means["cross"] else ("left", "right"), strict=True))
    rules = [{"type": "line", "x0": means[side], "x1": means[side], "yref": "paper", "y0": 0, "y1": 1, "name": f"mean {side}",
              "line": {"width": 2, "color": COLOURS[side], "dash": DASHES[side]}} for side in SIDES]
    labels = [{"x": means[side], "y": 1, "yref": "paper", "yanchor": "bottom", "xanchor": leans[side], "showarrow": False, "font": {"size": 12},
               "text": f"{WORDS[side]} {axis.said(means[side])}"} for side in SIDES]
    title = f"{transitions(found.layers)[transition]}<br><span style='font-size:12px'>{_told(found, kind)[transition]}</span>"
    return template.figure(*(_steps(axis, side, found) for side in SIDES), *_fitted(axis, transition, found), height=height,
                           uirevision=f"{revision} {kind} {transition}", shapes=rules, annotations=labels, meta={"note": axis.note()},
                           title={"text": title, "y": 0.94, "yanchor": "top"}, margin={"t": 80}, legend=below(), xaxis=axis.layout(),
                           yaxis={"rangemode": "tozero", "title": {"text": f"Density per {axis.unit}"}, "nticks": 5})


def enlarged_says(found: Radar, transition: int, kind: str = "angle") -> str:
    axis, row = _Axis(found, kind, of=transition), transitions(found.layers, plain=str)[transition]
    within, across = (f"{axis.said(axis.means[side][0])} {WORDS[side]}" for side in SIDES)
    return (f"At {row} the mean {kind} is {within} {found.names[0]} ({_pairs(found, 'within')}) and {across} to {found.names[1]} "
            f"({_pairs(found, 'cross')}); {_told(found, kind)[transition]}.")


def rose(found: Radar, transition: int, *, height: int = 340, revision: str = "rose"):
    """The angles of one transition as directions: areas are shares of the pairs, lines the means."""
    axis = _Axis(found, "angle", bins=PETALS)
    radii = {side: np.sqrt(axis.shares(side)[transition]) for side in SIDES}
    most, around, traces = 1.05 * max(float(r.max()) for r in radii.values()), axis.edges.repeat(2)[1:-1], []
    for side, radius in radii.items():
        mean, line = float(axis.means[side][transition]), {"color": COLOURS[side], "dash": DASHES[side]}
        traces += [go.Scatterpolar(r=np.r_[0, radius.repeat(2), 0].astype(np.float32), theta=np.r_[0, around, 0].astype(np.float32), mode="lines",
                                   fill="toself", fillcolor=faded(COLOURS[side], 0.25), line={**line, "width": 1.6}, hoverinfo="skip",
                                   name=f"{_side(side, found)}: mean {axis.said(mean)}"),
                   go.Scatterpolar(r=[0, most], theta=[mean, mean], mode="lines", showlegend=False, name=f"mean {side}", line={**line, "width": 3},
                                   hovertemplate=f"mean {WORDS[side]} {axis.said(mean)}<extra></extra>")]
    return template.figure(*traces, height=height, uirevision=revision, meta={"note": "areas are shares of the pairs, lines the means"}, legend=below(),
                           title={"text": transitions(found.layers)[transition], "y": 0.98, "yanchor": "top"}, margin={"t": 48, "b": 64},
                           polar={"bgcolor": "rgba(0,0,0,0)", "sector": list(axis.ends),
                                  "radialaxis": {"range": [0, most], "showticklabels": False, "ticks": "", "nticks": 4},
                                  "angularaxis": {"dtick": 15 if axis.ends[1] - axis.ends[0] <= 90 else 30, "ticksuffix": "°"}})


def rose_says(found: Radar, transition: int) -> str:
    return enlarged_says(found, transition, "angle")


# what they share

class _Axis:
    """Where the angles (in degrees) or distances of all transitions, or of one, stand. Excess lengths, of which some are large, stand on a log axis of 1 + d
    where there are several transitions."""

    def __init__(self, found: Radar, kind: str, *, of: int | None = None, whole: bool = False, bins: int = BINS):
        self.kind, self.options, columns = kind, found.options, slice(None) if of is None else [of]
        given = found.angles if kind == "angle" else found.distances
        self.values = {side: given(side)[:, columns] for side in SIDES}
        if kind == "angle":
            self.values = {side: np.degrees(v) for side, v in self.values.items()}
        self.means = {side: v.mean(axis=0, dtype=np.float64) for side, v in self.values.items()}
        self.log = kind == "distance" and of is None and self.options["distance"] == "direct"
        self.unit = "degree" if kind == "angle" else "unit of d"
        low, high = self._span(whole, of is None)
        self.ends = (0.0, float(np.log1p(high))) if self.log else (low, high)
        self.edges = np.linspace(*self.ends, bins + 1)

    def _span(self, whole: bool, several: bool) -> tuple[float, float]:
        seen = np.concatenate(list(self.values.values()))
        low, high = (float(v) for v in np.quantile(seen, [BEYOND, 1 - BEYOND]))
        if self.kind == "angle" and several:  # the same for most, so that pictures can be compared
            return (0.0, 180.0) if whole or low < 90 < high else (0.0, 90.0) if high <= 90 else (90.0, 180.0)
        room, low = 0.06 * max(high - low, 1e-6), min(0.0, low) if several else low
        return max(low - room, 0.0 if seen.min() >= 0 else -np.inf), high + room

    def place(self, values):
        return np.log1p(values) if self.log else values

    def shares(self, side: str) -> np.ndarray:
        """(transitions, bins) share of all pairs in each bin."""
        (low, high), bins, several = self.ends, len(self.edges) - 1, self.values[side].shape[1]
        at = (self.place(self.values[side]) - low) / (high - low)
        places = np.minimum(bins * at, bins - 1).astype(np.int64) + bins * np.arange(several)  # the end itself is in the last bin
        return np.bincount(places[(at >= 0) & (at <= 1)], minlength=several * bins).reshape(several, bins) / len(at)

    def said(self, value: float) -> str:
        return f"{value:.1f}°" if self.kind == "angle" else number(float(value))

    def note(self) -> str:
        """How many lie beyond the axis."""
        beyond = 100 * (1 - np.mean([self.shares(side).sum(axis=1).mean() for side in SIDES]))
        return f"{beyond:.1f}\u202f% of the values lie beyond the axis" if beyond > 0.05 else ""

    def layout(self) -> dict:
        low, high = self.ends
        if self.kind == "angle":
            dtick = next((d for d in (1, 2, 5, 10, 15) if high - low <= 7 * d), 30)
            return {"range": [low, high], "dtick": dtick, "ticksuffix": "°", "title": {"text": f"Angle θ {CORNERS[self.options['angle']]}"}}
        axis = {"range": [low, high], "title": {"text": f"Excess length d of the detour{', log axis of 1 + d' if self.log else ''}"}}
        if not self.log:
            return axis
        ticks = [t for t in TICKS if np.log1p(t) <= high and (not t or np.log1p(t) > high / 12)]
        return {**axis, "tickvals": np.log1p(ticks).tolist(), "ticktext": [f"{t:g}" for t in ticks]}


def _ridges(axis, heights, side, found):
    """All ridges of one side as closed shapes with gaps between them; empty bins at both ends are left out."""
    middles, lines, up = (axis.edges[:-1] + axis.edges[1:]) / 2, [], -1 if side == "within" else 1
    for row, tall in enumerate(heights):
        first, last = np.flatnonzero(tall)[[0, -1]] if tall.any() else (0, -1)
        lines.append([np.r_[axis.edges[first], middles[first:last + 1], axis.edges[last + 1], np.nan],
                      np.r_[row, row + up * tall[first:last + 1], row, np.nan]])
    x, y = np.concatenate(lines, axis=1).astype(np.float32)
    return go.Scatter(x=x, y=y, mode="lines", fill="toself", name=f"{_side(side, found)}, {'upwards' if up < 0 else 'downwards'}", hoverinfo="skip",
                      fillcolor=faded(COLOURS[side], 0.45), line={"width": 1.4, "color": COLOURS[side]})


def _ticks(axis, side):
    """The mean of each row, as a rule from its base."""
    means, rows = axis.place(axis.means[side]), np.arange(len(axis.means[side]))
    gap = np.full(len(rows), np.nan)
    x, y = np.column_stack([means, means, gap]).ravel(), np.column_stack([rows, rows + (-TALL if side == "within" else TALL), gap]).ravel()
    return go.Scatter(x=x.astype(np.float32), y=y.astype(np.float32), mode="lines", name=f"mean {side}", showlegend=False, hoverinfo="skip",
                      line={"width": 2.2, "color": COLOURS[side]})


def _steps(axis, side, found):
    """One histogram as steps: within filled, across hatched."""
    heights = axis.shares(side)[0] / np.diff(axis.edges)
    hatch = {"fillpattern": {"shape": "/", "fgcolor": faded(COLOURS[side], 0.6), "size": 7, "solidity": 0.25}}
    return go.Scatter(x=axis.edges.repeat(2).astype(np.float32), y=np.r_[0, heights.repeat(2), 0].astype(np.float32), mode="lines", fill="tozeroy",
                      line={"width": 1, "color": COLOURS[side]}, name=f"{_side(side, found)}: {_pairs(found, side)}", hoverinfo="skip",
                      **({"fillcolor": faded(COLOURS[side], 0.25)} if side == "within" else hatch))


def _fitted(axis, transition, found) -> list:
    x, per = np.linspace(*axis.ends, 2 * BINS + 1), np.pi / 180 if axis.kind == "angle" else 1.0
    return [go.Scatter(x=x.astype(np.float32), y=(density * per).astype(np.float32), mode="lines", name=f"{WORDS[side]}, fitted", hoverinfo="skip",
                       line={"width": 2.6, "color": COLOURS[side], "dash": DASHES[side]})
            for side, density in zip(SIDES, found.density(transition, axis.kind, x * per), strict=True)]


def _divergence(found, kind: str) -> np.ndarray:
    """Of each transition that of the angles, or the distances, alone; that of both where the mixtures know neither alone."""
    return found.per_transition if _sign(found, kind) == BOTH else found.marginals[:, list(SIGNS).index(kind)]


def _told(found, kind: str) -> list[str]:
    both = [f"divergence {number(v)} of {BOTH}" for v in found.per_transition]
    return both if _sign(found, kind) == BOTH else [f"divergence {number(v)} of {SIGNS[kind]} alone, {number(of_both)} of {BOTH}" for v, of_both in
                                                    zip(_divergence(found, kind), found.per_transition, strict=True)]


def _sign(found, kind: str) -> str:
    return BOTH if found.options["geometry"] == "pseudo-cartesian" else SIGNS[kind]


def _pairs(found, side: str) -> str:
    return f"{count(len(getattr(found, side)))} pairs"


def _side(side: str, found) -> str:
    return f"within {template.plain(found.names[0])}" if side == "within" else f"across to {template.plain(found.names[1])}"
