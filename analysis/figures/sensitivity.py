"""Figures of sensitivity: how much a representation notices of each transform, from 0, nothing, to 1, as much as of another item altogether.

The axis starts at 0, which is what changing nothing gives, and has a rule at 1, which is what random pairs give. `customdata` of a mark is [profile,
transform, layer] or [transform, layer], their places; `template.picked` reads it. What was left out stands in `figure.layout.meta["note"]`. Each figure has
its twin `..._says`: the answer in plain words.
"""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from analysis.figures import template
from analysis.figures.gain import short
from analysis.figures.persistence import count, faded, note, number
from analysis.figures.sources import below, marked
from analysis.figures.spectrum import LETTER, spread
from analysis.metrics.sensitivity import Profile, Sensitivity

__all__ = ["bars", "bars_says", "through_layers", "through_layers_says", "distances", "distances_says"]

PENDING = "not there yet"
NOTHING = "changes nothing here"
RANDOM, IDENTITY = "random pairs", "no change"
AXIS = "Sensitivity"
SIDES = {"matched": ("pairs that differ only in the draw", "#0072B2", "solid"), "random": ("random pairs", "#D55E00", "dash")}
BINS = 50
BEYOND = 0.005  # share of the distances that may lie beyond the axis
ROW, LANE = 23, 5  # pixels of a row, and more of it for every series beyond the first
LINE = 16  # pixels of a name beside a line


# per transform

def bars(profiles: Profile | Sequence[Profile], layers: Sequence[str] = (), *, at: str | None = None, height: int | None = None, revision: str = "bars"):
    """A row per transform, family by family: a bar with its interval; dots with theirs where there are several models or layers. `customdata` is [profile,
    transform, layer].

    layers  to draw, of the profiles that have them, or a tuple of them for each profile; the last of each unless given
    at      the transform to mark
    """
    found = _Series(profiles, layers)
    place, ticks = found.rows()
    several, looks = len(found.each) > 1, template.marks(len(found.each))
    traces = [found.trace(i, place, *look, several) for i, look in enumerate(looks)]
    most = max([1.0, *(float(np.nanmax(found.profiles[p].high[:, layer], initial=0)) for p, layer in found.each)])
    height = height or 110 + (ROW + LANE * (len(found.each) - 1)) * len(ticks)
    return template.figure(*traces, height=height, uirevision=revision, barmode="overlay", shapes=[_rule("x"), *marked(place.get(at))], showlegend=several,
                           legend=below(), margin={"t": 26, "b": 76 if several else 8}, annotations=[*_heads("x", most), *found.told(place)],
                           meta={"note": note([*found.notes, found.pending()])},
                           xaxis={"range": [0, 1.06 * most], "title": {"text": AXIS}, "rangemode": "tozero"},
                           yaxis={"tickvals": list(range(len(ticks))), "ticktext": ticks, "range": [len(ticks) - 0.4, -0.6], "showgrid": False, "ticks": ""})


def bars_says(profiles: Profile | Sequence[Profile], layers: Sequence[str] = ()) -> str:
    found = _Series(profiles, layers)
    if not found.each:
        return "No model has such a layer."
    if len(found.each) == 1:
        (p, layer), = found.each
        profile = found.profiles[p]
        values = profile.value[:, layer]
        acted = np.where(profile.idle == 1, np.nan, values)
        families = {family: _mean(acted[[f == family for f in profile.families]]) for family in dict.fromkeys(profile.families)}
        means = ", ".join(f"{family} {mean:.2f}" for family, mean in families.items() if np.isfinite(mean))
        by_family = f" By family: {means} on average." if means and len(families) > 1 else ""
        told = f"{found.name(0, str)} notices {_extremes(profile, layer)}.{by_family}" if np.isfinite(values).any() else f"{found.name(0, str)}: {PENDING}."
    else:
        told = "; ".join(f"{found.name(i, str)} notices {_extremes(found.profiles[p], layer, spans=False)}" for i, (p, layer) in enumerate(found.each)) + "."
    idle = [name for name in found.names if found.idle(name)]
    does = f" {listed(idle)} changed none of these items." if idle else ""
    return f"{told} 1 is what random pairs give.{does}{f' {sentence(found.pending())}.' if found.pending() else ''}"


class _Series:
    """One model at one layer each, over the transforms of all of them."""

    def __init__(self, profiles, layers):
        self.profiles = (profiles,) if isinstance(profiles, Profile) else tuple(profiles)
        layers = (layers,) if isinstance(layers, str) else tuple(layers)
        apart = len(layers) > 0 and not isinstance(layers[0], str)
        wanted = [(p, tuple(layers[p] if apart else layers) or profile.layers[-1:]) for p, profile in enumerate(self.profiles)]
        self.each = [(p, self.profiles[p].layers.index(layer)) for p, names in wanted for layer in names if layer in self.profiles[p].layers]
        self.families = {name: family for profile in self.profiles for name, family in zip(profile.transforms, profile.families, strict=True)}
        order = list(dict.fromkeys(self.families.values()))
        self.names = sorted(self.families, key=lambda name: order.index(self.families[name]))
        self.notes = [f"{template.plain(self.profiles[p].model)} has no layer {template.plain(layer)}" for p, names in wanted for layer in names
                      if layer not in self.profiles[p].layers]

    def name(self, series: int, plain=template.plain) -> str:
        profile, layer = self.profiles[self.each[series][0]], self.each[series][1]
        return f"{plain(profile.model)} · {plain(profile.layers[layer])}"

    def rows(self) -> tuple[dict[str, int], list[str]]:
        """The row of each transform, and what stands beside the rows: families have a row of their own."""
        place, ticks, last = {}, [], None
        for name in self.names:
            family = self.families[name]
            if family != last:
                ticks.append(f"<b>{sentence(template.plain(family))}</b>")
                last = family
            place[name] = len(ticks)
            ticks.append(short(template.plain(name)))
        return place, ticks

    def trace(self, series: int, place: dict, colour: str, symbol: str, several: bool):
        p, layer = self.each[series]
        profile = self.profiles[p]
        known = np.flatnonzero(np.isfinite(profile.value[:, layer]))
        spans = np.stack([profile.value, profile.low, profile.high])[:, known, layer]
        lane = (series - (len(self.each) - 1) / 2) * min(0.24, 0.76 / len(self.each))
        rows = np.array([place[profile.transforms[t]] + lane for t in known], np.float32)
        said = [f"{template.plain(profile.transforms[t])}<br>{self.name(series)}<br>{_span(*span)}{_alike(profile.idle[t])}" for t, span in
                zip(known, spans.T, strict=True)]
        same = {"x": spans[0].astype(np.float32), "y": rows, "hovertext": said, "hovertemplate": "%{hovertext}<extra></extra>", "name": self.name(series),
                "customdata": np.column_stack([np.full(len(known), p), known, np.full(len(known), layer)]).astype(np.int32),
                "error_x": _error(*spans, colour), "unselected": {"marker": {"opacity": 0.75}}}
        if several:
            return go.Scatter(mode="markers", marker={"color": colour, "symbol": symbol, "size": 9}, **same)
        return go.Bar(orientation="h", width=0.62, marker={"color": faded(colour, 0.55), "line": {"width": 1.2, "color": colour}}, **same)

    def idle(self, name: str) -> bool:
        """Whether the transform changed nothing, wherever it was tried."""
        shares = [profile.idle[profile.transforms.index(name)] for profile in self.profiles if name in profile.transforms]
        return all(share == 1 for share in shares)

    def told(self, place: dict) -> list:
        """What stands in a row that has no mark, or none to be seen."""
        texts = {name: NOTHING if self.idle(name) else self._missing(name) for name in self.names}
        return [{"text": template.plain(text), "x": 0.012, "xref": "x domain", "xanchor": "left", "y": place[name], "showarrow": False, "font": {"size": 11}}
                for name, text in texts.items() if text]

    def _missing(self, name: str) -> str:
        reasons = []
        for p, layer in self.each:
            profile = self.profiles[p]
            if name in profile.transforms and np.isfinite(profile.value[profile.transforms.index(name), layer]):
                return ""
            reasons.append(profile.reason(name, profile.layers[layer]))
        return next(filter(None, reasons), PENDING)

    def pending(self) -> str:
        missing = [np.isnan(profile.idle) for profile in self.profiles]
        left, total = sum(int(m.sum()) for m in missing), sum(len(m) for m in missing)
        return f"{left} of {total} transforms not there yet" if left else ""


# through the layers

def through_layers(found: Profile, *, at: str | Sequence[str] = (), layer: str | None = None, height: int | None = None, revision: str = "through"):
    """A line per transform over the layers: the chosen in colour within their intervals, the rest in grey, all named at the right. `customdata` is
    [transform, layer].

    at     transforms to set off; the most and the least noticed at the last layer unless given
    layer  to mark
    """
    chosen = _chosen(found, at)
    height = height or max(400, 130 + LINE * len(found.transforms))
    x, top = np.arange(len(found.layers), dtype=np.float32), 1.06 * max(1.0, float(np.nanmax(found.value, initial=0)))
    rest = [t for t in range(len(found.transforms)) if t not in chosen]
    looks = dict(zip(chosen, template.marks(len(chosen)), strict=True))
    traces = [_line(found, t, x, faded(template.GREY, 0.6), "circle", 1.2) for t in rest]
    for t in chosen:
        traces += [*_band(found, t, x, looks[t][0]), _line(found, t, x, *looks[t], 3)]
    shapes, labels = _named(found, chosen, looks, top, height - 110)
    ticks = [short(template.plain(name), 18) for name in found.layers]
    wide = 30 + LETTER * max(len(_label(found, t)) for t in range(len(found.transforms)))
    return template.figure(*traces, height=height, uirevision=revision, shapes=[_rule("y"), *_column(found, layer), *shapes], showlegend=False,
                           annotations=[*_heads("y", top), *labels], meta={"note": _missing(found)}, margin={"t": 12, "r": wide},
                           xaxis={"tickvals": x.tolist(), "ticktext": ticks, "range": [-0.4, len(x) - 0.6], "showgrid": False,
                                  "tickangle": -40 if sum(map(len, ticks)) > 60 else 0},
                           yaxis={"range": [0, top], "title": {"text": AXIS}})


def through_layers_says(found: Profile, *, at: str | Sequence[str] = ()) -> str:
    parts = []
    for t in _chosen(found, at):
        row = found.value[t]
        known = np.flatnonzero(np.isfinite(row))
        if len(known):
            peak = known[int(row[known].argmax())]
            ends = f"goes from {row[known[0]]:.2f} at {found.layers[known[0]]} to {row[known[-1]]:.2f} at {found.layers[known[-1]]}"
            parts.append(f"{found.transforms[t]} {ends}" + (f", highest at {found.layers[peak]} ({row[peak]:.2f})" if peak not in known[[0, -1]] else ""))
    return f"Through the layers of {found.model}, sensitivity to {'; to '.join(parts)}." if parts else f"{found.model}: {PENDING}."


def _chosen(found, at) -> list[int]:
    names = (at,) if isinstance(at, str) else tuple(at)
    if names:
        return [found.transforms.index(name) for name in names if name in found.transforms]
    return list(dict.fromkeys(_ends(found, len(found.layers) - 1)))


def _missing(found) -> str:
    """Transforms that are not there yet, and layers that have no value under any."""
    gone = int(np.isnan(found.idle).sum())
    none = [name for i, name in enumerate(found.layers) if np.isnan(found.value[:, i]).all() and any(found.reason(t, name) for t in found.transforms)]
    return note([f"{gone} of {len(found.transforms)} transforms not there yet" if gone else "",
                 f"no value at {', '.join(map(template.plain, none))}: {template.plain(found.reason(found.transforms[0], none[0]))}" if none else ""])


def _column(found, layer) -> list:
    """The ground of a chosen layer."""
    return [] if layer is None else [{"type": "rect", "yref": "paper", "y0": 0, "y1": 1, "x0": found.layers.index(layer) - 0.35, "name": "chosen",
                                      "x1": found.layers.index(layer) + 0.35, "layer": "below", "fillcolor": "rgba(122,130,140,0.18)",
                                      "line": {"width": 1, "color": template.GREY, "dash": "dot"}}]


def _line(found, t, x, colour, symbol, width):
    said = [f"{template.plain(found.transforms[t])}, {template.plain(name)}<br>{_span(*span)}" for name, span in
            zip(found.layers, zip(found.value[t], found.low[t], found.high[t], strict=True), strict=True)]
    return go.Scatter(x=x, y=found.value[t].astype(np.float32), mode="lines+markers", name=template.plain(found.transforms[t]), hovertext=said,
                      customdata=np.column_stack([np.full(len(x), t), np.arange(len(x))]).astype(np.int32), hovertemplate="%{hovertext}<extra></extra>",
                      line={"color": colour, "width": width}, marker={"color": colour, "symbol": symbol, "size": 9 if width > 2 else 5},
                      unselected={"marker": {"opacity": 0.8}})


def _band(found, t, x, colour) -> list:
    """The interval about a line, over the layers that have one."""
    known = np.flatnonzero(np.isfinite(found.low[t]))
    edge = {"x": x[known], "mode": "lines", "line": {"width": 0, "color": colour}, "hoverinfo": "skip", "showlegend": False}
    name = template.plain(found.transforms[t])
    return [go.Scatter(y=found.low[t, known].astype(np.float32), name=f"{name}, low", **edge),
            go.Scatter(y=found.high[t, known].astype(np.float32), name=f"{name}, high", fill="tonexty", fillcolor=faded(colour, 0.25), **edge)]


def _named(found, chosen, looks, top: float, room: int) -> tuple[list, list]:
    """The name of every line at the right, moved apart, and what leads to it."""
    last = {t: known[-1] for t in range(len(found.transforms)) if len(known := np.flatnonzero(np.isfinite(found.value[t])))}
    ends = [float(found.value[t, i]) for t, i in last.items()]
    spots, shapes, labels = spread(ends, LINE * top / room, 0, top), [], []
    for t, end, spot in zip(last, ends, spots.tolist(), strict=True):
        if last[t] == len(found.layers) - 1:
            shapes.append({"type": "line", "xref": "paper", "x0": 1, "x1": 1.02, "y0": end, "y1": spot, "line": {"width": 1, "color": template.GREY}})
        labels.append({"text": f"<b>{_label(found, t)}</b>" if t in chosen else _label(found, t), "x": 1.025, "xref": "paper", "xanchor": "left", "y": spot,
                       "yanchor": "middle", "showarrow": False, "font": {"size": 12, "color": looks[t][0]} if t in chosen else {"size": 11}, "name": "line"})
    return shapes, labels


def _label(found, t: int) -> str:
    known = found.value[t][np.isfinite(found.value[t])]
    return short(template.plain(found.transforms[t]), 16) + (f" {known[-1]:.2f}" if len(known) else "")


# where the number comes from

def distances(found: Sensitivity, *, title: str = "", height: int = 380, revision: str = "distances"):
    """How far pairs lie apart that differ only in the transform's draw, filled, and random ones, hatched; rules stand at their means, the numerator and the
    denominator of the sensitivity.

    title  what was transformed and where, for example "rotate, layer 4"
    """
    head = f"{template.plain(title)}<br>" if title else ""
    if found.reason or not np.isfinite(found.value):
        said = {"text": template.plain(found.reason or PENDING), "x": 0.5, "xref": "paper", "y": 0.5, "yref": "paper", "showarrow": False}
        return template.figure(go.Scatter(x=[], y=[]), height=height, uirevision=revision, annotations=[said], meta={"note": ""}, title={"text": head},
                               margin={"t": 56}, xaxis={"visible": False}, yaxis={"visible": False})
    values, means = {side: getattr(found, side).astype(np.float64) for side in SIDES}, _means(found)
    reach = float(np.quantile(np.concatenate(list(values.values())), 1 - BEYOND)) * 1.06
    edges = np.linspace(0, reach, BINS + 1)
    shares = {side: 100 * np.histogram(v[v > 0], edges)[0] / found.n for side, v in values.items()}  # zeros are one thick spike: said, not drawn
    left, right = sorted(SIDES, key=means.get)
    rules = [{"type": "line", "x0": means[side], "x1": means[side], "yref": "paper", "y0": 0, "y1": 1, "name": f"mean {side}",
              "line": {"width": 2.4, "color": colour, "dash": dash}} for side, (_, colour, dash) in SIDES.items()]
    labels = [{"x": means[side], "y": 1, "yref": "paper", "yanchor": "bottom", "xanchor": "right" if side == left else "left", "showarrow": False,
               "font": {"size": 12}, "text": f"mean {number(means[side])}", "name": side} for side in (left, right)]
    zero, beyond = (float(np.mean(found.matched == 0)), float(np.mean([np.mean(v > reach) for v in values.values()])))
    notes = [f"{100 * zero:.0f}\u202f% of the pairs that differ only in the draw are exactly alike, at 0: not drawn" if zero else "",
             f"{100 * beyond:.1f}\u202f% of the values lie beyond the axis" if beyond > BEYOND / 10 else ""]
    ratio = f"{head}{_span(found.value, found.low, found.high)} = {number(means['matched'])} / {number(means['random'])}"
    return template.figure(*(_steps(edges, shares[side], side) for side in SIDES), height=height, uirevision=revision, shapes=rules, annotations=labels,
                           legend=below(), showlegend=True, meta={"note": note(notes)}, margin={"t": 92 if title else 66, "b": 76},
                           title={"text": ratio, "y": 0.95, "yanchor": "top"}, xaxis={"range": [0, reach], "title": {"text": "Distance in the representation"}},
                           yaxis={"rangemode": "tozero", "title": {"text": "Share of the pairs, %"}, "nticks": 5})


def distances_says(found: Sensitivity, *, title: str = "") -> str:
    lead = f"{title}: " if title else ""
    if found.reason or not np.isfinite(found.value):
        return lead + (found.reason or f"{PENDING}.")
    means, zero = _means(found), float(np.mean(found.matched == 0))
    alike = f" {100 * zero:.0f}\u202f% of the pairs that differ only in the draw are exactly alike, at 0: they count, and are not drawn." if zero else ""
    return (f"{lead}pairs that differ only in the draw lie {number(means['matched'])} apart on average, random pairs {number(means['random'])}: "
            f"sensitivity {_span(found.value, found.low, found.high)}, from {count(found.n)} pairs.{alike}")


def _means(found) -> dict[str, float]:
    return {side: float(getattr(found, side).mean(dtype=np.float64)) for side in SIDES}


def _steps(edges, shares, side):
    """One histogram as steps: matched filled, random hatched."""
    name, colour, dash = SIDES[side]
    hatch = {"fillpattern": {"shape": "/", "fgcolor": faded(colour, 0.6), "size": 7, "solidity": 0.25}}
    return go.Scatter(x=edges.repeat(2).astype(np.float32), y=np.r_[0, shares.repeat(2), 0].astype(np.float32), mode="lines", fill="tozeroy", name=name,
                      line={"width": 1.4, "color": colour, "dash": dash}, hoverinfo="skip",
                      **({"fillcolor": faded(colour, 0.35)} if side == "matched" else hatch))


# what they share

def _rule(axis: str) -> dict:
    other = "y" if axis == "x" else "x"
    return {"type": "line", f"{axis}0": 1, f"{axis}1": 1, f"{other}ref": "paper", f"{other}0": 0, f"{other}1": 1, "name": RANDOM,
            "line": {"width": 1.8, "color": template.GREY, "dash": "dash"}}


def _heads(axis: str, most: float) -> list:
    """What 0 and 1 mean, at the end of their rules."""
    texts = {0: f"{IDENTITY}: 0", 1: f"{RANDOM}: 1"}
    if axis == "y":
        return [{"text": texts[1], "x": 0, "xref": "paper", "xanchor": "left", "y": 1, "yanchor": "bottom", "showarrow": False, "font": {"size": 12}}]
    return [{"text": text, "x": at, "y": 1, "yref": "paper", "yanchor": "bottom", "showarrow": False, "font": {"size": 12},
             "xanchor": "left" if at == 0 or most > 1.2 else "right"} for at, text in texts.items()]


def _error(value, low, high, colour) -> dict:
    return {"type": "data", "array": np.nan_to_num(high - value).astype(np.float32), "arrayminus": np.nan_to_num(value - low).astype(np.float32), "width": 3,
            "thickness": 1.8, "color": colour}


def sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _span(value: float, low: float, high: float) -> str:
    """A value and its interval: "0.42 (0.40 to 0.44)"."""
    return f"{value:.2f}" + (f" ({low:.2f} to {high:.2f})" if np.isfinite(low) else "")


def _alike(idle: float) -> str:
    return f"<br>{100 * idle:.0f}\u202f% of the pairs came out alike" if idle > 0 else ""


def _extremes(profile, layer: int, *, spans: bool = True) -> str:
    values, ends = profile.value[:, layer], _ends(profile, layer)
    if not ends:
        return f"what is {PENDING}"
    tell = lambda t: _span(values[t], profile.low[t, layer], profile.high[t, layer]) if spans else f"{values[t]:.2f}"
    most, least = ends
    return f"{profile.transforms[most]} most, {tell(most)}" + (f", and {profile.transforms[least]} least, {tell(least)}" if least != most else "")


def _ends(profile, layer: int) -> tuple:
    """The transforms that are noticed most and least; what changed nothing cannot be noticed."""
    values = profile.value[:, layer]
    acted = np.where(profile.idle == 1, np.nan, values)
    acted = acted if np.isfinite(acted).any() else values
    return (int(np.nanargmax(acted)), int(np.nanargmin(acted))) if np.isfinite(acted).any() else ()


def listed(names: Sequence[str]) -> str:
    return "".join(names) if len(names) < 2 else f"{', '.join(names[:-1])} and {names[-1]}"


def _mean(values) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")
