"""Figures of gain: what sources do to the accuracy on a target - every blend, every class, every confusion, over the target's size, and beside a prediction.

What helps points up and is blue, what hurts points down and is orange, what may do either is an open grey circle. Each figure has its twin `..._says`: the
answer in plain words; what was left out stands in `figure.layout.meta["note"]`. `template.picked` reads `customdata`.
"""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from analysis.figures import persistence, template
from analysis.figures.comparison import cells, framed, numbers
from analysis.figures.persistence import count, faded, note
from analysis.figures.sources import below, marked
from analysis.figures.spectrum import spread
from analysis.metrics.gain import Curve, Gains, title
from analysis.metrics.statistics import mean_interval

EFFECTS = {"helped": ("#0072B2", "triangle-up"), "hurt": ("#D55E00", "triangle-down"), "no clear effect": (template.GREY, "circle-open")}
PENDING = "one split only"
GOOD, POOR = "looked good", "looked poor"
WRONG = f"{GOOD}, hurt"
WRITTEN = 16  # classes up to which cells carry their numbers
STRONG = 0.8  # how far from the middle a diverging scale is so dark that white is
LETTERS = 24  # of a name beside an axis
SOURCE = 22  # pixels that one takes below its blends
NAMED = 14  # marks up to which all are named


# every blend

def blends(found: Gains, *, at: Sequence[str] | None = None, height: int | None = None, revision: str = "blends"):
    """The gain of every blend with its interval, the target alone first at 0; below, which sources each is made of. `customdata` is the place: 0 is the
    target alone, `found.blends[place - 1]` another.

    at  the blend to mark
    """
    entries = [(), *found.blends]
    spans = 100 * np.array([found.interval(blend) for blend in entries])
    said = [f"{template.plain(title(blend))}<br>{_told(*span)}" for blend, span in zip(entries, spans, strict=True)]
    said[0] = f"target alone<br>accuracy {100 * found.base.mean():.1f}\u202f%, {count(found.budget)} items of the target"
    members, axis = membership(entries, found.names, yaxis="y2")
    traces = effects(np.arange(len(entries)), spans, said, size=12 if len(entries) <= 32 else 8)
    height = height or 330 + SOURCE * len(found.names)
    share = SOURCE * len(found.names) / (height - 70)
    chosen = None if at is None else next((i for i, blend in enumerate(entries) if set(blend) == set(at)), None)
    return template.figure(*traces, *members, height=height, uirevision=revision, meta={"note": _splits(found)}, legend=below(), showlegend=True,
                           margin={"t": 12, "b": 52}, shapes=[_zero("y"), *_column(chosen)],
                           xaxis={"range": [-0.7, len(entries) - 0.3], "showticklabels": False, "ticks": "", "showgrid": False, "anchor": "y2"},
                           yaxis={"domain": [share + 0.03, 1], "title": {"text": "Gain Δ,<br>percentage points"}, "zeroline": False},
                           yaxis2={**axis, "domain": [0, share]})


def blends_says(found: Gains) -> str:
    if not found.blends:
        return "No blend of sources has been measured yet."
    means = found.delta().mean(axis=1)
    effect_of = [effect(*found.interval(blend)) for blend in found.blends]
    told = lambda i: f"{title(found.blends[i])} ({_points(*found.interval(found.blends[i]))})"
    best, worst = int(means.argmax()), int(means.argmin())
    rest = f", least from {told(worst)}" if worst != best else ""
    return (f"Of {_several(len(found.blends), 'blend')}, {effect_of.count('helped')} clearly helped and {effect_of.count('hurt')} clearly hurt; the target "
            f"alone reaches {100 * found.base.mean():.1f}\u202f%. Most came from {told(best)}{rest}. {_splits(found)}.")


def membership(entries: Sequence[Sequence[str]], sources: Sequence[str], *, down: bool = False, **where) -> tuple[list, dict]:
    """Which sources each column is made of, or with `down` each row, as dots joined by a line: (traces, the axis of the sources). Nothing can be clicked.

    where  the axes, as traces name them
    """
    place = {name: i for i, name in enumerate(sources)}
    inside = [[place[name] for name in blend] for blend in entries]
    ends = [(at, spot) for at, spots in enumerate(inside) if len(spots) > 1 for spot in (min(spots), max(spots), np.nan)]
    drawn = {"not in it": [(at, spot) for at in range(len(entries)) for spot in range(len(sources))],
             "in it": [(at, spot) for at, spots in enumerate(inside) for spot in spots], "joined": ends}
    looks = {"not in it": {"marker": {"size": _dot(len(entries)), "color": faded(template.GREY, 0.25)}},
             "in it": {"marker": {"size": _dot(len(entries)), "color": template.GREY}}, "joined": {"line": {"width": 2, "color": template.GREY}}}
    traces = []
    for name, points in drawn.items():
        x, y = np.array(points, np.float32).reshape(-1, 2)[:, ::-1 if down else 1].T
        traces.append(go.Scatter(x=x, y=y, name=name, mode="lines" if name == "joined" else "markers", hoverinfo="skip", showlegend=False, **looks[name],
                                 **where))
    names = [template.plain(name) for name in sources]
    return traces, {**columns(names), "tickangle": -40, "side": "top"} if down else rows(names)


# one blend

def per_class(found: Gains, blend, *, names: Sequence[str] = (), at: int | None = None, height: int | None = None, revision: str = "per class"):
    """What the blend does to the share of each class that is recognised, the most hurt on top, with intervals. `customdata` is the class.

    names  of the classes; their numbers unless given
    at     the class to mark
    """
    spans, names = _classes(found, blend), _named(found, names)
    order = np.argsort(spans[:, 0], kind="stable")  # NaN comes last
    shares = np.array([[_mean(row) for row in side] for side in (found.per_class[0], found.per_class[0] + found.class_gain(blend))])
    said = [f"{names[c]}<br>{_told(*spans[c], 'Δ')}<br>recognised {_percent(shares[0, c])} before, {_percent(shares[1, c])} with" for c in order]
    place = None if at is None else int(np.flatnonzero(order == at)[0])
    return template.figure(*effects(spans[order], np.arange(len(order)), said, custom=order), height=height or 130 + 26 * len(order), uirevision=revision,
                           meta={"note": _splits(found)}, legend=below(), showlegend=True, margin={"t": 12}, shapes=[_zero("x"), *marked(place)],
                           xaxis={"title": {"text": "Change in the share of a class that is recognised, percentage points"}},
                           yaxis=rows([names[c] for c in order]))


def per_class_says(found: Gains, blend, *, names: Sequence[str] = ()) -> str:
    spans, names = _classes(found, blend), _named(found, names, plain=str)
    of = {kind: [f"{names[c]} ({_points(*span / 100)})" for c, span in enumerate(spans) if effect(*span) == kind] for kind in EFFECTS}
    told = [f"{kind}: {', '.join(of[kind])}" for kind in ("hurt", "helped") if of[kind]]
    return f"{title(_tuple(blend))}, class by class: {'; '.join(told) if told else 'no class is clearly helped or hurt'}. {_splits(found)}."


def known(classes: Sequence[str], own, borrowed, *, names: Sequence[str] = ("own", "borrowed"), height: int | None = None, revision: str = "known"):
    """How often the label of a class's items is known to their nearest others, and to their nearest items of a source: two marks a class, joined."""
    own, borrowed = (100 * np.asarray(v, np.float64) for v in (own, borrowed))
    place, gap, shown = np.arange(len(classes)), np.full(len(classes), np.nan), [template.plain(name) for name in classes]
    joined = go.Scatter(x=np.column_stack([own, borrowed, gap]).ravel(), y=np.column_stack([place, place, gap]).ravel(), mode="lines", hoverinfo="skip",
                        line={"width": 1.5, "color": template.GREY}, showlegend=False, name="joined")
    marks = [go.Scatter(x=values, y=place, mode="markers", name=template.plain(name), marker=template.marker(i, size=11),
                        hovertext=[f"{c}: known to {template.plain(name)} {v:.0f}\u202f%" for c, v in zip(shown, values, strict=True)],
                        hovertemplate="%{hovertext}<extra></extra>") for i, (name, values) in enumerate(zip(names, (own, borrowed), strict=True))]
    return template.figure(joined, *marks, height=height or 130 + 26 * len(classes), uirevision=revision, meta={"note": ""}, legend=below(), showlegend=True,
                           margin={"t": 12}, xaxis={"range": [-3, 103], "title": {"text": "Labels known to the 5 nearest, per cent"}}, yaxis=rows(shown))


def known_says(classes: Sequence[str], own, borrowed) -> str:
    told = [f"{name} {100 * a:.0f} and {100 * b:.0f}" for name, a, b in zip(classes, own, borrowed, strict=True)]
    return f"Labels known to the nearest other items and to the nearest of the source, in per cent: {', '.join(told)}."


def confusion(found: Gains, blend, *, names: Sequence[str] = (), at: tuple | None = None, height: int | None = None, revision: str = "confusion"):
    """How many more, or fewer, of each class (row) are taken for each class (column) with the blend, in percent of the class: blue where that is for the
    better - more on the diagonal, fewer off it - and orange where it is for the worse. `customdata` is [row, column].

    at  the cell (row, column) to frame
    """
    names, changed = _named(found, names), _confused(found, blend)
    before, after = (100 * _shares(found.confusion[0] + more) for more in (0, found.confused(blend)))
    reach, c = max(1.0, float(np.nanmax(np.abs(changed), initial=0))), len(names)
    row, column = (index.ravel() for index in np.indices(changed.shape))
    said = [f"{names[i]} taken for {names[j]}{' (right)' if i == j else ''}<br>{_signed(changed[i, j])} percentage points: from "
            f"{before[i, j]:.1f} to {after[i, j]:.1f}\u202f%" for i, j in zip(row, column, strict=True)]
    height = height or int(np.clip(150 + 34 * c, 280, 620))
    worse = np.where(np.eye(c, dtype=bool), -changed, changed)
    ends = [f"{reach:.1f}<br>{word}" for word in ("better", "worse")]
    bar = {"thickness": 12, "outlinewidth": 0, "len": 0.95, "tickvals": [-reach, 0, reach], "ticktext": [ends[0], "same", ends[1]]}
    ground = go.Heatmap(z=worse.astype(np.float32), zmin=-reach, zmax=reach, colorscale=template.DIVERGING, colorbar=bar, hoverinfo="skip", xgap=1, ygap=1,
                        name="change")
    pale, texts = np.abs(worse) < STRONG * reach, np.array([[_signed(v) if abs(v) >= 0.05 else "" for v in line] for line in changed], object)
    written = [numbers(np.where(mask, worse, np.nan), ink, size=11).update(text=np.where(mask, texts, "").tolist(), texttemplate="%{text}")
               for mask, ink in ((pale, "#000000"), (~pale, "#FFFFFF"))] if c <= WRITTEN else []
    diagonal = [{"type": "rect", "x0": i - 0.5, "x1": i + 0.5, "y0": i - 0.5, "y1": i + 0.5, "name": "right", "line": {"width": 1.2, "color": template.GREY}}
                for i in range(c)]
    return template.figure(ground, *written, cells(row, column, said, 0.9 * (height - 110) / max(c, 1)), height=height, uirevision=revision, hoverdistance=100,
                           meta={"note": f"percentage points; framed: recognised rightly; {_splits(found)}"}, margin={"t": 12}, shapes=diagonal + framed(at),
                           xaxis={**columns(names), "title": {"text": "Taken for"}}, yaxis={**rows(names), "title": {"text": "True class"}})


def confusion_says(found: Gains, blend, *, names: Sequence[str] = ()) -> str:
    names, changed = _named(found, names, plain=str), _confused(found, blend)
    off = np.where(np.eye(len(names), dtype=bool) | np.isnan(changed), 0, changed)
    told = [f"{names[i]} is taken for {names[j]} {word} often ({_signed(off[i, j])} points)" for (i, j), word in
            ((np.unravel_index(place, off.shape), word) for place, word in ((off.argmax(), "more"), (off.argmin(), "less"))) if abs(off[i, j]) >= 0.05]
    return f"With {title(_tuple(blend))}, {' and '.join(told) or 'nothing is confused more or less often'}. {_splits(found)}."


# over the size of the target

def curve(found: Curve, *, height: int = 400, revision: str = "curve"):
    """Accuracy over the number of target items, with the sources and without, each within its interval. `customdata` is the place of the number."""
    looks = {"base": ("target alone", template.GREY, "circle", "dash"), "accuracy": (f"with {_sources(found)}", "#8B6BD9", "diamond", "solid")}
    gains, traces = found.intervals(), []
    for side, (name, colour, symbol, dash) in looks.items():
        mean, low, high = 100 * found.intervals(side).T
        edge = {"x": found.budgets, "mode": "lines", "line": {"width": 0, "color": colour}, "hoverinfo": "skip", "showlegend": False}
        traces += [go.Scatter(y=low.astype(np.float32), name=f"{name}, low", **edge),
                   go.Scatter(y=high.astype(np.float32), name=f"{name}, high", fill="tonexty", fillcolor=faded(colour, 0.25), **edge)]
        said = [f"{name}<br>{_several(int(n), 'target item')}: {m:.1f}\u202f%<br>{_told(*(100 * g))}" for n, m, g in
                zip(found.budgets, mean, gains, strict=True)]
        traces.append(go.Scatter(x=found.budgets, y=mean.astype(np.float32), customdata=np.arange(len(mean), dtype=np.int32), mode="lines+markers", name=name,
                                 marker={"color": colour, "symbol": symbol, "size": 9}, line={"width": 2.4, "color": colour, "dash": dash}, hovertext=said,
                                 hovertemplate="%{hovertext}<extra></extra>", unselected={"marker": {"opacity": 0.7}}))
    low, high = np.log10(found.budgets[[0, -1]]) if len(found.budgets) else (0, 1)
    axis = {"type": "log", "tickvals": found.budgets.tolist(), "ticktext": [count(int(n)) for n in found.budgets], "range": [low - 0.05, high + 0.05]}
    return template.figure(*traces, height=height, uirevision=revision, meta={"note": _splits(found)}, legend={**below(), "traceorder": "normal"},
                           showlegend=True, margin={"t": 12}, xaxis={**axis, "title": {"text": "Target items trained on, log axis"}},
                           yaxis={"title": {"text": "Accuracy, %"}})


def curve_says(found: Curve) -> str:
    spans = found.intervals()
    kinds = [effect(*span) for span in spans]
    if not kinds:
        return "No number of target items has been measured yet."
    told = lambda i: f"{_points(*spans[i])} at {_several(int(found.budgets[i]), 'target item')}"
    middle = "; it has no clear effect at any size" if set(kinds) == {"no clear effect"} else "".join(
        f"; it clearly {kind} at {', '.join(count(int(n)) for n, k in zip(found.budgets, kinds, strict=True) if k == kind)}"
        for kind in ("helped", "hurt") if kind in kinds)
    last = f", {told(-1)}" if len(kinds) > 1 else ""
    return f"Adding {_sources(found, plain=str)}: {told(0)}{last}{middle}. {_splits(found)}."


# beside a prediction

def quadrant(names: Sequence[str], predicted, measured, intervals=None, *, predicted_title: str, direction: int = 1, split: float | None = None,
             log: bool = False, at: int | None = None, height: int = 480, revision: str = "quadrant"):
    """What was predicted of each pair beside its measured gain: further right looked better, further up helped more. Those that looked good and hurt are
    named. `customdata` is the pair's place.

    predicted  of each pair; direction: 1 where higher is better, -1 where lower is, and the axis runs the other way
    measured   gains, with `intervals` (pairs, 2) low and high
    log        on a log axis, which leaves out what is 0
    split      what looks good on its better side: the median unless given
    """
    predicted = np.asarray(predicted, np.float64)
    looked = _Pairs(np.where(predicted > 0, predicted, np.nan) if log else predicted, measured, intervals, direction, split)
    names = [template.plain(name) for name in names]
    said = [f"{name}<br>{template.plain(predicted_title)} {persistence.number(x)}: {word}<br>{_told(*span)}"
            for name, x, word, span in zip(names, looked.predicted, looked.words(), looked.spans, strict=True)]
    traces = effects(looked.predicted, looked.spans, said, known=looked.known, size=10)
    low, high = looked.ends(log)
    up = looked.up()
    ticks = {"tickvals": (steps := _steps(10**low, 10**high)), "ticktext": [persistence.number(v) for v in steps]} if log else {}
    places = {(good, helped): (0.99 if good else 0.01, 0.99 if helped else 0.01) for good in (True, False) for helped in (True, False)}
    corners = [{"x": x, "y": y, "xref": "paper", "yref": "paper", "xanchor": "right" if good else "left", "yanchor": "top" if helped else "bottom",
                "text": f"{'<b>' * wrong}{GOOD if good else POOR}, {'helped' if helped else 'hurt'}{'</b>' * wrong}", "showarrow": False, "font": {"size": 13}}
               for (good, helped), (x, y) in places.items() for wrong in [good and not helped]]
    at_split = float(np.log10(looked.split)) if log else looked.split
    better = high if direction > 0 else low
    ground = [{"type": "rect", "x0": looked.split, "x1": 10 ** better if log else better, "y0": up[0], "y1": 0, "layer": "below", "line": {"width": 0},
               "fillcolor": faded(EFFECTS["hurt"][0], 0.12), "name": WRONG}] if np.isfinite(at_split) else []
    rule = [{"type": "line", "x0": looked.split, "x1": looked.split, "yref": "paper", "y0": 0, "y1": 1, "name": "split",
             "line": {"width": 1.2, "dash": "dot", "color": template.GREY}}] if np.isfinite(at_split) else []
    rings = [] if at is None else persistence.rings(looked.predicted[at], looked.spans[at, 0], 20)
    tagged = looked.labels(names, log, [low, high][::direction], height - 110)
    return template.figure(*traces, *rings, height=height, uirevision=revision, meta={"note": looked.note()}, legend=below(), showlegend=True,
                           annotations=corners + tagged, shapes=[*ground, _zero("y"), *rule], margin={"t": 12},
                           xaxis={**ticks, "type": "log" if log else "linear", "range": [low, high][::direction], "zeroline": False, "title": {
                               "text": f"{template.plain(predicted_title)}{', log axis' if log else ''}: further right looked better"}},
                           yaxis={"title": {"text": "Measured gain Δ, percentage points"}, "range": list(up)})


def quadrant_says(names: Sequence[str], predicted, measured, intervals=None, *, predicted_title: str, direction: int = 1, split: float | None = None) -> str:
    looked = _Pairs(predicted, measured, intervals, direction, split)
    if not looked.known.any():
        return "No pair has both a prediction and a measured gain yet."
    wrong = [f"{names[i]} ({_points(*looked.spans[i] / 100)})" for i in np.flatnonzero(looked.wrong())]
    counts = {word: int((np.array(looked.words()) == word)[looked.known].sum()) for word in (GOOD, POOR)}
    told = f"{len(wrong)} of them hurt: {', '.join(wrong)}" if wrong else "none of them clearly hurt"
    return f"Of {_several(int(looked.known.sum()), 'pair')}, {counts[GOOD]} {GOOD} by {predicted_title}; {told}."


class _Pairs:
    """What was predicted and what came of it, in percentage points."""

    def __init__(self, predicted, measured, intervals, direction, split):
        self.predicted, self.direction = np.asarray(predicted, np.float64), direction
        measured = np.asarray(measured, np.float64)
        spans = np.full((len(measured), 2), np.nan) if intervals is None else np.asarray(intervals, np.float64).reshape(-1, 2)
        self.spans = 100 * np.column_stack([measured, spans])
        self.known = np.isfinite(self.predicted) & np.isfinite(measured)
        self.split = split if split is not None else float(np.median(self.predicted[self.known])) if self.known.any() else np.nan

    def good(self) -> np.ndarray:
        return self.direction * self.predicted >= self.direction * self.split

    def wrong(self) -> np.ndarray:
        return self.known & self.good() & np.array([effect(*span) == "hurt" for span in self.spans], bool)

    def words(self) -> list[str]:
        return [GOOD if good else POOR for good in self.good()]

    def ends(self, log: bool) -> tuple[float, float]:
        known = self.predicted[self.known]
        known = np.log10(known[known > 0]) if log else known
        low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
        room = 0.06 * (high - low) or 0.5
        return low - room, high + room

    def up(self) -> tuple[float, float]:
        """Room above and below for the names of the quadrants."""
        known = self.spans[self.known]
        low, high = float(np.nanmin(known, initial=-1)), float(np.nanmax(known, initial=1))
        return low - 0.16 * (high - low), high + 0.16 * (high - low)

    def labels(self, names, log: bool, ends, room: int) -> list:
        """The names of those that looked good and hurt, the worst of them where there are many."""
        wrong = np.flatnonzero(self.wrong())
        wrong = wrong[np.argsort(self.spans[wrong, 0])][:NAMED]
        x = np.log10(self.predicted[wrong]) if log else self.predicted[wrong]
        return tags(x, self.spans[wrong, 0], [names[i] for i in wrong], ends, self.up(), room)

    def note(self) -> str:
        away = int((~self.known).sum())
        split = f"looked good: at least as good as {persistence.number(self.split)}" if np.isfinite(self.split) else ""
        return note([split, f"{_several(away, 'pair')} without a gain or a prediction that can be drawn left out" if away else ""])


# what they share, with the leaderboard too

def effect(mean: float, low: float, high: float) -> str:
    """What a gain with this interval is called; a single split says nothing."""
    return "helped" if low > 0 else "hurt" if high < 0 else "no clear effect"


def effects(x, y, said: Sequence[str], *, custom=None, known=None, size: int = 11, look: tuple | None = None, **where) -> list:
    """Gains with their intervals as marks, a trace for each effect. One of `x` and `y` is (rows, 3) mean, low and high, the other where each row stands.

    look  (name, colour, symbol) of all, for what has no effect to be called by
    """
    across = np.ndim(x) == 2
    spans, place = (np.asarray(v, np.float64) for v in ((x, y) if across else (y, x)))
    custom = np.arange(len(spans)) if custom is None else np.asarray(custom)
    known = np.isfinite(spans[:, 0]) if known is None else known
    kinds, made = np.array([look[0] if look else effect(*span) for span in spans], object), []
    for kind, (colour, symbol) in ({look[0]: look[1:]} if look else EFFECTS).items():
        mine = np.flatnonzero(known & (kinds == kind))
        if not len(mine):
            continue
        mean, low, high = spans[mine].T
        error = {"type": "data", "array": np.nan_to_num(high - mean).astype(np.float32), "arrayminus": np.nan_to_num(mean - low).astype(np.float32),
                 "width": 0 if len(spans) > 32 else 4, "thickness": 1.8, "color": colour}
        ends = {"x": mean, "y": place[mine], "error_x": error} if across else {"x": place[mine], "y": mean, "error_y": error}
        ends.update(x=ends["x"].astype(np.float32), y=ends["y"].astype(np.float32))
        made.append(go.Scatter(**ends, mode="markers", name=kind, customdata=custom[mine].astype(np.int32), hovertext=[said[i] for i in mine],
                               hovertemplate="%{hovertext}<extra></extra>", unselected={"marker": {"opacity": 0.75}},
                               marker={"color": colour, "symbol": symbol, "size": size, "line": {"width": 1.8 if "open" in symbol else 0, "color": colour}},
                               **where))
    return made


def tags(x, y, texts: Sequence[str], ends, up, room: int) -> list:
    """The names of some marks beside them, moved apart, each with a line to its mark.

    ends, up  of the axis as it is drawn, from left to right, and of the other, in the units of x and y
    room      pixels of the height
    """
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    spots = spread(y, 17 * (up[1] - up[0]) / room, up[0], up[1])
    left = (x - ends[0]) / (ends[1] - ends[0]) > 0.7
    return [{"x": float(a), "y": float(b), "text": short(text, 34), "font": {"size": 12}, "showarrow": True, "arrowhead": 0, "arrowwidth": 1, "standoff": 6,
             "arrowcolor": template.GREY, "ax": -24 if over else 24, "ay": float((b - spot) / (up[1] - up[0]) * room),
             "xanchor": "right" if over else "left", "name": "tag"} for a, b, text, spot, over in zip(x, y, texts, spots, left, strict=True)]


def rows(names: Sequence[str]) -> dict:
    """An axis of names, the first on top."""
    return {"tickvals": list(range(len(names))), "ticktext": [short(name) for name in names], "range": [len(names) - 0.5, -0.5], "showgrid": False, "ticks": "",
            "zeroline": False}


def columns(names: Sequence[str]) -> dict:
    """An axis of names from the left; long ones lean."""
    shown = [short(name, 16) for name in names]
    return {"tickvals": list(range(len(names))), "ticktext": shown, "range": [-0.5, len(names) - 0.5], "showgrid": False, "ticks": "", "zeroline": False,
            "tickangle": -40 if sum(map(len, shown)) > 70 else 0}


def short(name: str, letters: int = LETTERS) -> str:
    """The beginning and the end of a long name."""
    return name if len(name) <= letters else f"{name[:letters // 2]}…{name[1 - letters // 2:]}"


def _classes(found, blend) -> np.ndarray:
    """(classes, 3) mean and interval of each class's change, in percentage points, over the splits in which it was tested."""
    rows = [row[np.isfinite(row)] for row in found.class_gain(blend)]
    return 100 * np.array([mean_interval(row) if len(row) else (np.nan,) * 3 for row in rows])


def _confused(found, blend) -> np.ndarray:
    """Percentage points of each class."""
    return 100 * (_shares(found.confusion[0] + found.confused(blend)) - _shares(found.confusion[0]))


def _shares(counts) -> np.ndarray:
    total = counts.sum(axis=1, keepdims=True)
    return np.divide(counts, total, where=total > 0, out=np.full(counts.shape, np.nan))


def _named(found, names, plain=template.plain) -> list[str]:
    return [plain(name) for name in names] if len(names) else [f"class {c}" for c in range(found.classes)]


def _mean(values) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else np.nan


def _steps(low: float, high: float) -> list[float]:
    """Round numbers on a log axis."""
    every = [m * 10.0 ** e for e in range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1) for m in (1, 2, 5)]
    return [v for v in every if low <= v <= high]


def _zero(axis: str) -> dict:
    other = "x" if axis == "y" else "y"
    return {"type": "line", f"{axis}0": 0, f"{axis}1": 0, f"{other}ref": "paper", f"{other}0": 0, f"{other}1": 1, "name": "no gain", "layer": "below",
            "line": {"width": 1.3, "color": template.GREY}}


def _column(place: int | None) -> list:
    """The ground of a chosen column."""
    return [] if place is None else [{"type": "rect", "yref": "paper", "y0": 0, "y1": 1, "x0": place - 0.5, "x1": place + 0.5, "layer": "below",
                                      "name": "chosen", "fillcolor": "rgba(122,130,140,0.18)", "line": {"width": 1, "color": template.GREY, "dash": "dot"}}]


# in words

def brief(blend: Sequence[str], sources: Sequence[str], letters: int = LETTERS) -> str:
    """A short title of a blend: each source cut alike, so that all can be seen; of many sources, those that are not in it."""
    left = [name for name in sources if name not in blend]
    if len(sources) > 3 and len(blend) > len(left):
        return f"all but {brief(left, (), letters - 8)}" if left else f"all {len(sources)}"
    each = (letters - 3 * (len(blend) - 1)) // max(len(blend), 1)
    return title(tuple(short(template.plain(name), max(6, each)) for name in blend))


def _dot(entries: int) -> int:
    return 9 if entries <= 32 else 6


def _tuple(blend) -> tuple[str, ...]:
    return (blend,) if isinstance(blend, str) else tuple(blend)


def _signed(value: float) -> str:
    return f"{value:+.1f}".replace("-", "−")


def _points(mean: float, low: float, high: float) -> str:
    """A share as percentage points: "+4.0 points, +2.9 to +5.1"."""
    return f"{_signed(100 * mean)} points" + (f", {_signed(100 * low)} to {_signed(100 * high)}" if np.isfinite(low) else "")


def _told(mean: float, low: float, high: float, name: str = "Δ") -> str:
    if not np.isfinite(mean):
        return "not measured"
    return f"{name} {_signed(mean)} points: {effect(mean, low, high)}<br>" + (f"interval {_signed(low)} to {_signed(high)}" if np.isfinite(low) else PENDING)


def _percent(share: float) -> str:
    return f"{100 * share:.1f}\u202f%" if np.isfinite(share) else "not tested"


def _several(n: int, noun: str) -> str:
    return f"{count(n)} {noun}{'s' * (n != 1)}"


def _sources(found, plain=template.plain) -> str:
    return " + ".join(plain(name) for name in found.names) or "no source"


def _splits(found) -> str:
    """How much the figure rests on."""
    done = _several(found.done, "split") if found.done == found.seeds else f"{found.done} of {_several(found.seeds, 'split')} so far"
    return f"{done}; {f'{count(found.budget)} target items trained on, ' if isinstance(found, Gains) else ''}{count(found.tested)} tested in each"
