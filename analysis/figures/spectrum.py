"""Figures of the alignment spectrum: TAS over the neighbourhood size k, of pairs, of classes, of seeds; and the clouds that teach it.

Every point of a curve carries its k as `customdata`: a click moves k. What was left out stands in `figure.layout.meta["note"]`.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from analysis.figures import map as maps
from analysis.figures import template
from analysis.figures.persistence import count, faded, note, number

DASHES = ("solid", "dash", "dashdot", "longdash", "longdashdot")
LIMIT = 600  # neighbourhood sizes drawn of a curve; by class, where there are many curves, a third of it
COLOURED = 12  # classes that have a colour
OTHERS = 80  # classes drawn in grey beside them
SHORT = 20  # letters of a class in the legend
SHADE = 0.42  # how opaque a band is: seen on the dark ground too
SHALLOW = -0.12  # where the axis ends, unless something lies deeper
LINE, LETTER = 16, 6.6  # pixels of a label: its height, and of its letters each
AROUND = 190  # pixels of a figure's height that are not the plot's: more where a narrow page breaks the legend
TITLE = "TAS: 0 = chance, 1 = the same"


# pairs

def spectrum(curves: Sequence[tuple], *, null=None, bootstrap=None, floor=None, scale: float | None = None, at: int | None = None, relative: bool = False,
             log: bool = True, companions: Mapping[str, float] | Sequence[tuple] = (), upto: int | None = None, title: str = "", height: int = 440,
             revision: str = "spectrum"):
    """TAS at every neighbourhood size of one to four pairs: (name, Spectrum). Bands and floor are those of the first.

    null        Band of relabelled points, in grey with its mean
    bootstrap   Band of redrawn points, in the first curve's colour
    floor       the smallest TAS possible at each k; the axis goes down to it where the first curve is deep below 0
    scale       the cluster scale n/C
    at          the chosen k
    relative    k/n instead of k; log: on a log axis
    companions  name and value of each number that knows no k: flat lines
    upto        the k that the curves end at, on the same axis
    """
    sizes = [_Sizes(s.k, n=s.n if relative else None, log=log, keep=(at, scale, upto)) for _, s in curves]
    first, values = sizes[0], [np.where(np.asarray(s.k) <= (upto or np.inf), np.asarray(s.tas, np.float64), np.nan) for _, s in curves]
    looks = list(zip(template.PALETTE, DASHES, strict=False))
    traces, seen = [], list(values)
    if null is not None:
        traces += [*_band(first, null.low, null.high, template.GREY, "null band: points relabelled"), _thin(first, null.mean, "mean of the null", shown=False)]
        seen.append(null.low)
    if floor is not None:
        traces.append(_thin(first, floor, "floor: the least possible", dash="dot"))
        deepest = int(np.nanargmin(values[0]))
        seen.append(np.asarray(floor)[deepest] if values[0][deepest] < SHALLOW else 0)
    if bootstrap is not None:
        traces += _band(first, bootstrap.low, bootstrap.high, template.PALETTE[0], "bootstrap band: points redrawn")
        seen.append(bootstrap.low)
    traces += [_curve(s, v, name, looks[i % len(looks)], legendrank=i) for i, (s, v, (name, _)) in enumerate(zip(sizes, values, curves, strict=True))]
    companions = dict(companions)
    levels = {name: float(v) for name, v in companions.items() if np.isfinite(v)}
    reach = _reach([*seen, list(levels.values())])
    shapes, labels, right = _flat(levels, reach, height)
    rules, heads = first.rules(scale, at)
    notes = [*dict.fromkeys(s.note for s in sizes), *(f"{template.plain(name)} could not be computed" for name in companions if name not in levels)]
    return template.figure(*traces, height=height, uirevision=f"{revision} {relative} {log}", meta={"note": note(notes)}, shapes=shapes + rules,
                           annotations=labels + heads, hovermode="x unified", xaxis=first.axis(), yaxis=_up(reach), **_frame(title, right))


# classes

def by_class(k, tas, names: Sequence[str], *, counts, at: int | None = None, overall=None, height: int = 440, revision: str = "by class"):
    """A curve per class, `tas` (classes, k), and `overall`, that of all items. Each class looks as in the map; the legend has them by agreement.

    Of more than twelve, those that agree most and least, at the chosen k or over all scales, have a colour; the others are grey.
    """
    tas, sizes, looks = np.asarray(tas, np.float64), _Sizes(k, keep=(at,), limit=LIMIT // 3), template.marks(len(names))
    level = sizes.level(tas, at)
    ranked = [int(i) for i in np.argsort(-level, kind="stable") if np.isfinite(level[i])]
    half = COLOURED // 2 if len(ranked) > COLOURED else len(ranked)
    rest = ranked[half:-half]
    coloured = [i for i in ranked if i not in set(rest)]
    grey = [rest[i] for i in np.unique(np.linspace(0, len(rest) - 1, min(len(rest), OTHERS)).astype(int))]
    short = [name if len(name) <= SHORT else f"{name[:SHORT // 2]}…{name[1 - SHORT // 2:]}" for name in map(str, names)]
    curves = [_curve(sizes, tas[i], short[i], (faded(template.GREY, 0.5), "solid"), width=1, showlegend=False) for i in grey]
    curves += [_curve(sizes, tas[i], short[i], (looks[i][0], DASHES[i % len(DASHES)]), symbol=looks[i][1], turn=turn, legendrank=turn)
               for turn, i in enumerate(coloured)]
    for trace, i in zip(curves, grey + coloured, strict=True):
        many = f"{count(int(counts[i]))} item{'' if counts[i] == 1 else 's'}"
        trace.hovertemplate = f"{template.plain(names[i])}, {many}<br>k = %{{customdata}}: TAS %{{y:.3f}}<extra></extra>"
    if overall is not None:  # under the classes, and among them in the legend
        above = sum(level[i] >= sizes.level(np.asarray(overall, np.float64)[None], at)[0] for i in coloured)
        whole = _curve(sizes, overall, "all items", (faded(template.GREY, 0.8), "solid"), width=6, legendrank=float(above) - 0.5)
        curves.insert(0, whole.update(hovertemplate="all items<br>k = %{customdata}: TAS %{y:.3f}<extra></extra>"))
    where = f"at k = {count(at)}" if at else "over all scales"
    notes = [f"in colour the {half} classes that agree most and the {half} that agree least {where}, the others in grey" if rest else "",
             f"{len(grey)} of the {count(len(rest))} others drawn" if len(grey) < len(rest) else "",
             f"without items: {', '.join(template.plain(n) for i, n in enumerate(names) if i not in ranked)}" if len(ranked) < len(names) else "", sizes.note]
    rules, heads = sizes.rules(None, at)
    legend = {"title": {"text": f"Most alike first,<br>{where}"}, "font": {"size": 12}, "itemwidth": 40, "y": 1}
    return template.figure(*curves, height=height, uirevision=revision, meta={"note": note(notes)}, shapes=rules, annotations=heads, hoverdistance=40,
                           xaxis=sizes.axis(), yaxis=_up(_reach([tas[ranked], [] if overall is None else overall])), margin={"t": 64}, legend=legend)


# seeds

def convergence(groups: Mapping[str, Sequence], *, null=None, scale: float | None = None, at: int | None = None, height: int = 440,
                revision: str = "convergence"):
    """Groups of pairs of one study: the mean of each as a thick line, from its lowest to its highest pair a band, the single pairs thin."""
    found = {name: list(pairs) for name, pairs in groups.items()}
    shown = [p for pairs in found.values() for p in pairs]
    sizes = _Sizes(min((p.k for p in shown), key=len), keep=(at, scale))
    traces, seen, means = [], [], []
    if null is not None:
        traces += [*_band(sizes, null.low, null.high, template.GREY, "null band: points relabelled"), _thin(sizes, null.mean, "mean of the null", shown=False)]
        seen.append(null.low)
    for i, (name, pairs) in enumerate(found.items()):
        if not pairs:
            continue
        look = template.PALETTE[i % len(template.PALETTE)], DASHES[i % len(DASHES)]
        several = np.array([np.asarray(p.tas, np.float64)[:sizes.total] for p in pairs])
        seen.append(several)
        if len(pairs) > 1:
            traces += _band(sizes, several.min(axis=0), several.max(axis=0), look[0], name, shown=False)
            traces += [_thin(sizes, each, f"{template.plain(name)}, single pair", colour=faded(look[0], 0.7), width=0.8, shown=False) for each in several]
        many = f"mean of {len(pairs)} pairs" if len(pairs) > 1 else "1 pair"
        means.append(_curve(sizes, several.mean(axis=0), f"{name}: {many}", look, width=3.5, legendrank=i))
    reach, (rules, heads) = _reach(seen), sizes.rules(scale, at)
    notes = [*(f"{template.plain(name)}: no pairs" for name, pairs in found.items() if not pairs), sizes.note]
    return template.figure(*traces, *means, height=height, uirevision=revision, meta={"note": note(notes)}, shapes=rules, annotations=heads,
                           hovermode="x unified", xaxis=sizes.axis(), yaxis=_up(reach), **_frame("", 8))


# the clouds that teach it

def clouds(a2, b2, labels, *, names: Sequence[str] = ("A", "B"), highlight=(), height: int = 320, revision: str = "clouds"):
    """Two clouds (n, 2) of the same items side by side, one look per label; `customdata` is the row. Rows of `highlight` are ringed in both."""
    labels, kept = np.asarray(labels), np.asarray(highlight, dtype=np.int64)
    found, traces = np.unique(labels), []
    size = float(np.interp(len(labels), [50, 500, 2_000], [9, 6.5, 4.5]))
    for side, points in enumerate((np.asarray(a2, np.float32), np.asarray(b2, np.float32))):
        axes = {"xaxis": "x", "yaxis": "y"} if side == 0 else {"xaxis": "x2", "yaxis": "y2"}
        kind = go.Scattergl if len(points) > maps.WEBGL else go.Scatter
        for label, (colour, symbol) in zip(found, template.marks(len(found)), strict=True):
            rows = np.flatnonzero(labels == label)
            traces.append(kind(x=points[rows, 0], y=points[rows, 1], customdata=rows.astype(np.int32), mode="markers", name=template.plain(label),
                               showlegend=False, marker={"color": colour, "symbol": symbol, "size": size, "opacity": 0.8},
                               hovertemplate=f"{template.plain(names[side])}, item %{{customdata}}<extra></extra>", **axes,
                               **({"selectedpoints": np.flatnonzero(np.isin(rows, kept))} if len(kept) > maps.RINGS else {})))
        if 0 < len(kept) <= maps.RINGS:
            traces += [kind(x=points[kept, 0], y=points[kept, 1], mode="markers", name="selected", showlegend=False, hoverinfo="skip", **axes,
                            marker={"symbol": "circle-open", "size": size + 6, "color": c, "line": {"width": w, "color": c}})
                       for w, c in zip((4, 2), template.RING, strict=True)]
    bare = {"showticklabels": False, "ticks": "", "constrain": "domain"}
    heads = [{"text": template.plain(name), "x": x, "xref": "paper", "y": 1, "yref": "paper", "xanchor": "center", "yanchor": "bottom", "showarrow": False,
              "font": {"size": 13}} for name, x in zip(names, (0.24, 0.76), strict=True)]
    return template.figure(*traces, height=height, uirevision=revision, meta={"note": ""}, annotations=heads, margin={"t": 52},
                           xaxis={**bare, "domain": [0, 0.48]}, xaxis2={**bare, "domain": [0.52, 1], "anchor": "y2"},
                           yaxis={**bare, "scaleanchor": "x"}, yaxis2={**bare, "anchor": "x2", "scaleanchor": "x2"})


# what the curves share

class _Sizes:
    """The axis of neighbourhood sizes: which of them are drawn, and where; with an n, as shares of it."""

    def __init__(self, k, *, n: int | None = None, log: bool = True, keep=(), limit: int = LIMIT):
        every = np.asarray(k, np.int64)
        self.n, self.log, self.places = n, log, np.arange(len(every))
        if len(every) > limit:
            wanted = [*np.geomspace(every[0], every[-1], limit).round(), *(round(v) for v in keep if v)]
            self.places = np.unique(np.searchsorted(every, wanted).clip(0, len(every) - 1))
        self.k, self.total = every[self.places], len(every)
        self.x = self.place(self.k).astype(np.float32)
        self.note = f"{count(len(self.k))} of {count(self.total)} neighbourhood sizes drawn, evenly spaced on a log axis" if self.total > limit else ""

    def place(self, k):
        return np.asarray(k, np.float64) / (self.n or 1)

    def drawn(self, values) -> np.ndarray:
        values = np.asarray(values, np.float32)
        return values[self.places[self.places < len(values)]]

    def level(self, tas, at) -> np.ndarray:
        """Of each row what it is at one k; without one, its mean over the scales."""
        drawn = tas[:, self.places]
        return drawn[:, np.abs(self.k - at).argmin()] if at else drawn @ (1 / self.k) / (1 / self.k).sum()

    def axis(self) -> dict:
        low, high = self.place(self.k[[0, -1]]).tolist()
        name = "k/n" if self.n else "k"
        title = f"Neighbourhood size {name}{', log axis' if self.log else ''}"
        made = {"title": {"text": title}, "unifiedhovertitle": {"text": f"{name} = %{{x:{'.3~g' if self.n else ',d'}}}"}}
        if not self.log:
            return {**made, "range": [low - 0.02 * high, 1.01 * high]}
        ticks = [m * 10.0 ** e for e in range(int(np.floor(np.log10(low))), int(np.log10(max(high, 1))) + 1) for m in (1, 2, 5)]
        ticks = [t for t in ticks if 0.99 * low <= t <= 1.01 * high]
        return {**made, "type": "log", "range": [float(np.log10(low)) - 0.04, float(np.log10(high)) + 0.02], "tickvals": ticks,
                "ticktext": [f"{t:.3g}" if self.n else count(round(t)) for t in ticks]}

    def rules(self, scale: float | None, at: int | None) -> tuple[list, list]:
        """A rule at the cluster scale and one at the chosen k, each named above, in a row of its own; an arrow where it lies beyond the axis."""
        shapes, labels = [], []
        given = [(scale, "cluster scale n/C = ", {"dash": "dash", "color": template.GREY, "width": 1.5}, 0),
                 (at, "k = ", {"color": template.HIGHLIGHT, "width": 2}, LINE)]
        start, end = self.axis()["range"]
        for k, text, line, up in given:
            if not k:
                continue
            x = float(self.place(k))
            spot = float(np.log10(x)) if self.log else x
            inside, share = spot <= end, (spot - start) / (end - start)
            if inside:
                shapes.append({"type": "line", "x0": x, "x1": x, "yref": "paper", "y0": 0, "y1": 1, "line": line, "name": text.split()[0]})
            labels.append({"x": min(spot, end), "y": 1, "yref": "paper", "yanchor": "bottom", "yshift": up, "showarrow": False, "font": {"size": 12},
                           "text": f"{text}{_round(k)}{'' if inside else ' →'}", "xanchor": "left" if share < 0.15 else "right" if share > 0.85 else "center"})
        return shapes, labels


def _round(k: float) -> str:
    return count(int(k)) if k == int(k) else number(k)


def _curve(sizes, values, name, look, *, width=2.6, symbol=None, turn=0, **more):
    """A curve that can be clicked: a line alone cannot, so it carries marks, unseen but for a few symbols along it."""
    values, (colour, dash) = sizes.drawn(values), look
    mark = {"color": "rgba(0,0,0,0)", "size": 6, "line": {"width": 0}}
    if symbol:
        marked = np.linspace(0.02 + 0.013 * (turn % 10), 0.9, 7) * np.log(sizes.k[-1]) + np.log(sizes.k[0])
        shown = np.isin(np.arange(len(values)), np.searchsorted(np.log(sizes.k), marked))
        mark = {"color": colour, "symbol": symbol, "size": np.where(shown, 7, 0.1).astype(np.float32), "line": {"width": 0}}
    return go.Scatter(x=sizes.x[:len(values)], y=values, customdata=sizes.k[:len(values)].astype(np.int32), mode="lines+markers", name=template.plain(name),
                      line={"color": colour, "dash": dash, "width": width}, marker=mark, unselected={"marker": {"opacity": 1}},
                      hovertemplate="%{y:.3f}", **more)


def _thin(sizes, values, name, *, colour=template.GREY, dash="solid", width=1.2, shown=True):
    values = sizes.drawn(values)
    return go.Scatter(x=sizes.x[:len(values)], y=values, mode="lines", name=name, line={"color": colour, "dash": dash, "width": width}, hoverinfo="skip",
                      showlegend=shown)


def _band(sizes, low, high, colour, name, *, shown=True):
    edge = {"x": sizes.x[:len(sizes.drawn(low))], "mode": "lines", "line": {"width": 0, "color": colour}, "hoverinfo": "skip",
            "legendgroup": template.plain(name)}
    return [go.Scatter(y=sizes.drawn(low), showlegend=False, name=f"{template.plain(name)}, low", **edge),
            go.Scatter(y=sizes.drawn(high), fill="tonexty", fillcolor=faded(colour, SHADE), showlegend=shown, name=template.plain(name), **edge)]


def _reach(values) -> tuple[float, float]:
    """From somewhat below the lowest to 1: the same picture for every pair, unless one goes further down."""
    lowest = min((float(np.nanmin(v)) for v in values if np.isfinite(v).any()), default=0)
    return min(SHALLOW, lowest - 0.04), 1.04


def _up(reach) -> dict:
    return {"range": list(reach), "title": {"text": TITLE}, "zeroline": True, "zerolinecolor": template.RIM, "zerolinewidth": 1}


def _frame(title: str, right: float) -> dict:
    """Room above for the names of rules, at the right for those of lines; the legend lies below, where it may grow."""
    return {"margin": {"t": 64, "r": right}, "showlegend": True, "legend": {"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom",
                                                                            "font": {"size": 12}, "itemwidth": 40},
            **({"title": {"text": template.plain(title), "y": 0.98, "yanchor": "top"}} if title else {})}


def _flat(levels: Mapping[str, float], reach: tuple[float, float], height: int) -> tuple[list, list, float]:
    """Flat lines named at their right end, the names moved apart: (shapes, annotations, margin)."""
    spots = spread(list(levels.values()), LINE * (reach[1] - reach[0]) / (height - AROUND), *reach)
    line = {"type": "line", "xref": "paper", "line": {"color": template.GREY, "width": 1}, "layer": "below"}
    texts = [f"{template.plain(name)} {value:.2f}" for name, value in levels.items()]
    shapes, labels = [], []
    for text, value, spot in zip(texts, levels.values(), spots.tolist(), strict=True):
        shapes += [{**line, "name": text, "x0": 0, "x1": 1, "y0": value, "y1": value}, {**line, "x0": 1, "x1": 1.025, "y0": value, "y1": spot}]
        labels.append({"text": text, "x": 1.03, "xref": "paper", "xanchor": "left", "y": spot, "yanchor": "middle", "showarrow": False, "font": {"size": 11}})
    return shapes, labels, 34 + LETTER * min(40, max(map(len, texts))) if texts else 8


def spread(values: Sequence[float], gap: float, low: float, high: float) -> np.ndarray:
    """Places as near to the values as a gap between any two allows, within the bounds as long as they all fit."""
    values, runs = np.asarray(values, np.float64), []
    order = np.argsort(values, kind="stable")
    for i, value in enumerate(values[order]):  # those that would touch stand about their common middle
        runs.append((value - i * gap, 1))
        while len(runs) > 1 and runs[-2][0] > runs[-1][0]:
            (a, m), (b, n) = runs[-2:]
            runs[-2:] = [((a * m + b * n) / (m + n), m + n)]
    spots = np.repeat([middle for middle, _ in runs], [n for _, n in runs]) if runs else np.zeros(0)
    placed = np.empty(len(values))
    placed[order] = spots.clip(low, max(low, high - gap * (len(values) - 1))) + gap * np.arange(len(values))
    return placed
