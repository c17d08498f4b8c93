"""Sources of one target beside one another: where each parts from it, which is nearest, how sure that is, and how far it hangs on the reading of RADAR.

`customdata` of a mark is the source's place, or [row, column] of a cell; what was left out stands in `figure.layout.meta["note"]`. Each figure has its twin
`..._says`: the answer in plain words.
"""

import textwrap
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from analysis.figures import template
from analysis.figures.comparison import cells, framed, numbers
from analysis.figures.persistence import count, faded, note, number
from analysis.metrics.calibration import BAD
from analysis.metrics.radar import Domains, Readings, SourceRanking

VERDICTS = {"Good": ("#009E73", "circle"), "Mixed": ("#A67C00", "diamond"), "Bad": ("#D55E00", "square"), "": (template.GREY, "circle-open")}
WRITTEN = 14  # rows and columns up to which cells carry their numbers
PALE = 0.46  # place in the colour scale from which black is easier to read on it than white
STRONG = 0.8  # how far from the middle a diverging scale is so dark that white is
WIDE = 150  # pixels around the middle of a cell in which it is hit
LETTERS = 22  # of a name beside an axis
ROOM = 70  # letters that stand side by side under a figure


# where they part

def strip(names: Sequence[str], layers: Sequence[str], per_transition, *, selected: tuple | None = None, height: int | None = None, revision: str = "strip"):
    """Divergence of each source (row) from the target at each transition (column), colours by powers of ten. NaN is not computed.

    selected  (source, transition) to frame
    """
    values, rows, columns = np.asarray(per_transition, np.float64), [template.plain(n) for n in names], transitions(layers)
    said = [f"{row}, {column}: " + (f"divergence {number(v)} of θ and d" if np.isfinite(v) else "not computed")
            for row, line in zip(rows, values, strict=True) for column, v in zip(columns, line, strict=True)]
    height = height or int(np.clip(190 + 32 * len(rows), 220, 620))
    return template.figure(*_logarithmic(values, said, "divergence", height - 150), height=height, uirevision=revision, shapes=framed(selected),
                           hoverdistance=WIDE, meta={"note": _pending(values)}, margin={"t": 12}, xaxis={**_named(columns), "tickangle": -40},
                           yaxis=_named(rows, down=True))


def strip_says(names: Sequence[str], layers: Sequence[str], per_transition) -> str:
    values, columns = np.asarray(per_transition, np.float64), transitions(layers, plain=str)
    parts = [f"{name} at {columns[int(np.nanargmax(row))]} ({number(np.nanmax(row))})" for name, row in zip(names, values, strict=True)
             if np.isfinite(row).any()]
    return f"Where each source parts most from the target: {'; '.join(parts)}." if parts else "No source has been compared yet."


# which is nearest

def ranking(found: SourceRanking, *, at: int | None = None, height: int | None = None, revision: str = "ranking"):
    """A row per source, the nearest on top: the mean of its matched scores with its interval, beside the null band; its score at all items as a small mark.
    A source with fewer items than half the target has a short bar of its own: the band that it is judged by.

    at  the source to mark
    """
    sources, names = list(found.sources.values()), [template.plain(n) for n in found.names]
    order = np.array(sorted(range(len(names)), key=lambda i: (sources[i].rank or np.inf, i)), np.int64)
    means = np.array([_mean(s.matched) for s in sources])
    spans, scores = np.array([s.matched_interval for s in sources], np.float64).reshape(-1, 2), np.array([s.score for s in sources])
    bands = np.array([s.band for s in sources], np.float64).reshape(-1, 2)
    low, high = _reach([*found.band, BAD * found.band[1], *bands.ravel(), *means, *spans.ravel(), *scores])
    ends, place = [-0.6, len(order) - 0.4], np.argsort(order)
    said = [_scored(name, source) for name, source in zip(names, sources, strict=True)]
    traces, shapes, labels = _null(found.band, ends)
    traces += [_band(names[i], bands[i], place[i] - 0.3, place[i] + 0.3) for i in _own_band(found)]
    traces.append(_dots(scores, place, range(len(names)), said, low, name="score at all items",
                        marker={"symbol": "line-ns", "size": 12, "color": template.GREY, "line": {"width": 2, "color": template.GREY}}))
    for verdict, (colour, symbol) in VERDICTS.items():
        mine = [i for i, s in enumerate(sources) if s.verdict == verdict and np.isfinite(means[i])]
        if mine:
            middle, (bottom, top) = means[mine], np.nan_to_num(_inside(spans[mine], low) - means[mine, None]).T
            told = [_matched(names[i], sources[i], found.final) for i in mine]
            traces.append(_dots(middle, place, mine, told, low, name=verdict.lower() or f"matched, no verdict{'' if found.final else ' yet'}",
                                marker={"color": colour, "symbol": symbol, "size": 13},
                                error_x={"type": "data", "array": top.astype(np.float32), "arrayminus": -bottom.astype(np.float32), "width": 6, "thickness": 2,
                                         "color": colour}))
    labels += [_verdict(sources[i], _of(found), bool(found.contradicts[i]), row) for row, i in enumerate(order)]
    return template.figure(*traces, height=height or 150 + 56 * len(order), uirevision=revision, shapes=shapes + marked(None if at is None else int(place[at])),
                           annotations=labels, legend=below(), showlegend=True, meta={"note": _calibrated(found)}, margin={"t": 60, "r": 150},
                           title={"text": f"How near to {template.plain(found.target)}, by geometry only", "y": 0.98, "yanchor": "top"},
                           xaxis={**_powers(low, high), "title": {"text": "RADAR score, log axis: further right = further away"}},
                           yaxis={**_named([names[i] for i in order], down=True), "range": ends[::-1], "ticks": ""})


def ranking_says(found: SourceRanking) -> str:
    """One clause per source, the nearest first."""
    every = sorted(zip(found.sources.items(), found.contradicts, strict=True), key=lambda row: row[0][1].rank or np.inf)
    low, high = found.band
    null = f" Null, {found.target} against itself: {number(low)} to {number(high)}." if np.isfinite(high) else ""
    few = "".join(f" With as few items as {found.names[i]}: {number(bottom)} to {number(top)}." for i in _own_band(found)
                  for bottom, top in [found.sources[found.names[i]].band])
    return f"{'; '.join(_clause(name, source, _of(found), contradicts) for (name, source), contradicts in every)}.{null}{few} Geometry only."


def splits(found: SourceRanking, name: str, *, height: int = 230, revision: str = "splits"):
    """The scores that the verdict on one source rests on: halves of the target against each other, and halves against as many source items."""
    at, source, ends = found.names.index(name), found.sources[name], [-0.6, 1.6]
    matched, null = np.asarray(source.matched, np.float64), np.asarray(found.nulls[at], np.float64)
    rows = {"half against half": (null, *VERDICTS[""]), f"half against {_short(template.plain(name))}": (matched, template.PALETTE[1], "diamond")}
    low, high = _reach([*null, *matched, *source.band, BAD * source.band[1]])
    traces, shapes, labels = _null(source.band, ends)
    for place, (label, (values, colour, symbol)) in enumerate(rows.items()):
        known = np.flatnonzero(np.isfinite(values))
        away = place + 0.24 * np.sin(2.4 * known)  # so that none hides another
        said = [f"split {i + 1}, {label}: {number(values[i])}" for i in known]
        traces.append(_dots(values[known], away, range(len(known)), said, low, name=label, customdata=known.astype(np.int32),
                            marker={"color": colour, "symbol": symbol, "size": 8, "opacity": 0.85}))
        if len(known):
            mean = values[known].mean()
            traces.append(go.Scatter(x=_inside([mean, mean], low).astype(np.float32), y=[place - 0.38, place + 0.38], mode="lines", name="mean",
                                     line={"width": 3, "color": colour}, hovertemplate=f"mean {number(mean)}<extra></extra>"))
    done = int(np.isfinite(matched).sum())
    return template.figure(*traces, height=height, uirevision=revision, shapes=shapes, annotations=labels, showlegend=False, margin={"t": 30},
                           meta={"note": f"{done} of {count(len(matched))} splits; long marks: means"},
                           xaxis={**_powers(low, high), "title": {"text": f"RADAR score with {count(source.half)} items a side, log axis"}},
                           yaxis={**_named(list(rows), down=True, letters=40), "range": ends[::-1], "ticks": ""})


def splits_says(found: SourceRanking, name: str) -> str:
    source = found.sources[name]
    mean, (low, high) = _mean(source.matched), source.band
    if not np.isfinite([mean, high]).all():
        return f"{name} has not been compared on equal terms yet."
    return (f"With {count(source.half)} items a side, {name} scores {number(mean)} on average; {found.target} against itself scores {number(low)} to "
            f"{number(high)} in 95 of 100 splits.")


# every domain as target, and every reading

def matrix(found: Domains, *, at: tuple | None = None, height: int | None = None, revision: str = "domains"):
    """Every domain as target (row) of every other as source (column), colours by powers of ten.

    at  the cell (row, column) to frame
    """
    names, values = [template.plain(n) for n in found.names], np.asarray(found.scores, np.float64)
    said = [_cell(found, names, i, j) for i in range(len(names)) for j in range(len(names))]
    height = height or int(np.clip(170 + 44 * len(names), 260, 640))
    return template.figure(*_logarithmic(values, said, "score", height - 130), height=height, uirevision=revision, shapes=framed(at), hoverdistance=WIDE,
                           margin={"t": 12}, meta={"note": _pending(values[~np.eye(len(names), dtype=bool)])},
                           xaxis={**_named(names), "title": {"text": "Source"}}, yaxis={**_named(names, down=True), "title": {"text": "Target"}})


def matrix_says(found: Domains) -> str:
    parts = [f"{name} – {found.names[int(np.nanargmin(row))]} ({number(np.nanmin(row))})" for name, row in
             zip(found.names, np.asarray(found.scores, np.float64), strict=True) if np.isfinite(row).any()]
    return f"The nearest source of each target: {'; '.join(parts)}." if parts else "No two domains have been compared yet."


def readings(found: Readings, *, height: int | None = None, revision: str = "readings"):
    """The rank of every source (column, the nearest first) under every reading (row): ▲ and blue where it is nearer than under the first, ▼ and orange where
    further."""
    ranks = found.ranks()
    order = np.argsort(np.where(np.isnan(ranks[0]), np.inf, ranks[0]), kind="stable")
    ranks, names = ranks[:, order], [template.plain(found.sources[i]) for i in order]
    moved = ranks - ranks[0]
    reach, height = max(2.0, float(np.nanmax(np.abs(moved), initial=0))), height or 110 + 38 * len(ranks)
    row, column = (index.ravel() for index in np.indices(ranks.shape))
    said = [_ranked(found, names[j], i, int(order[j]), ranks[i, j], moved[i, j]) for i, j in zip(row, column, strict=True)]
    texts = np.array([_placed(rank, by) for rank, by in zip(ranks.ravel(), moved.ravel(), strict=True)], object).reshape(ranks.shape)
    ground = go.Heatmap(z=moved.astype(np.float32), zmin=-reach, zmax=reach, colorscale=template.DIVERGING, showscale=False, hoverinfo="skip", xgap=2, ygap=2,
                        name="moved")
    labels = [{"x": 1.01, "xref": "paper", "xanchor": "left", "y": i, "text": _alike(line, ranks[0]) if i else "the order", "showarrow": False,
               "font": {"size": 12}} for i, line in enumerate(ranks)]
    wrapped = ["<br>".join(template.plain(part) for part in textwrap.wrap(str(name), 26)[:2]) for name in found.readings]
    return template.figure(ground, *_written(moved, np.abs(moved) < STRONG * reach, texts, 13), cells(row, column, said, 30), height=height,
                           uirevision=revision, annotations=labels, hoverdistance=WIDE, margin={"t": 12, "r": 110},
                           meta={"note": note([_pending(np.asarray(found.scores, np.float64)), "▲ nearer, ▼ further than under the first reading"])},
                           xaxis={**_named(names), "side": "top", "ticks": ""},
                           yaxis={**_named(wrapped, down=True, letters=200), "ticks": ""})


def readings_says(found: Readings) -> str:
    ranks = found.ranks()
    known = [row for row in ranks if np.isfinite(row).any()]
    if not known or not np.isfinite(ranks[0]).any():
        return "No reading has been computed yet."
    nearest = int(np.nanargmin(ranks[0]))
    first, same = sum(int(np.nanargmin(row)) == nearest for row in known), sum(_alike(row, ranks[0]) == "same order" for row in known)
    return f"{found.sources[nearest]} is the nearest source under {first} of {len(known)} readings; all sources keep their order under {same} of them."


# what they share, with the figures of one source too

def transitions(layers: Sequence[str], plain=template.plain) -> list[str]:
    """A name for each step between states: "block 1 → 2"."""
    made = []
    for a, b in zip(map(str, layers[:-1]), map(str, layers[1:]), strict=True):
        same = a.rpartition(" ")[0] + " "
        made.append(plain(f"{a} → {b.removeprefix(same) if same.strip() else b}"))
    return made


def marked(place: int | None) -> list:
    """The ground of a chosen row."""
    return [] if place is None else [{"type": "rect", "xref": "paper", "x0": 0, "x1": 1, "y0": place - 0.5, "y1": place + 0.5, "layer": "below",
                                      "name": "chosen", "fillcolor": "rgba(122,130,140,0.18)", "line": {"width": 1, "color": template.GREY, "dash": "dot"}}]


def below() -> dict:
    return {"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom", "font": {"size": 12}}


def _named(names: Sequence[str], *, down: bool = False, letters: int = LETTERS) -> dict:
    """An axis of names; across, long ones lean."""
    ends, lean = [-0.5, len(names) - 0.5], not down and len(names) * min(letters, max(map(len, names))) > ROOM
    return {"tickvals": list(range(len(names))), "ticktext": [_short(n, letters) for n in names], "range": ends[::-1] if down else ends, "showgrid": False,
            **({"tickangle": -40} if lean else {})}


def _short(name: str, letters: int = LETTERS) -> str:
    return name if len(name) <= letters else f"{name[:letters // 2]}…{name[1 - letters // 2:]}"


def _dots(values, place, rows, said, low, **look):
    """Marks of some rows on a log axis; a click need not fade the others."""
    rows = np.array(rows, np.int64)
    return go.Scatter(x=_inside(np.asarray(values), low).astype(np.float32), y=np.asarray(place)[rows].astype(np.float32), mode="markers", hovertext=said,
                      hovertemplate="%{hovertext}<extra></extra>", unselected={"marker": {"opacity": 0.8}}, **{"customdata": rows.astype(np.int32), **look})


def _null(band, ends) -> tuple[list, list, list]:
    """The band that the target makes with itself, and the rule beyond which a source is bad: (traces, shapes, names above)."""
    bottom, top = band
    if not np.isfinite(top):
        return [], [], []
    rule = {"type": "line", "x0": BAD * top, "x1": BAD * top, "y0": ends[0], "y1": ends[1], "name": "bad beyond",
            "line": {"width": 1.5, "dash": "dot", "color": template.GREY}}
    names = [{"x": float(np.log10(at)), "y": 1, "yref": "paper", "yanchor": "bottom", "text": text, "showarrow": False, "font": {"size": 12}, "xanchor": side}
             for at, text, side in ((top, f"null {number(bottom)} – {number(top)}", "right"), (BAD * top, f"{BAD} × null", "left"))]
    return [_band("", band, *ends)], [rule], names


def _band(name: str, band, low: float, high: float):
    """A null from one height to another: everyone's, or that of a source."""
    bottom, top = band
    return go.Scatter(x=[bottom, bottom, top, top], y=[low, high, high, low], mode="lines", fill="toself", name=f"null of {name}" if name else "null",
                      showlegend=False, fillcolor=faded(template.GREY, 0.5 if name else 0.35), line={"width": 0, "color": template.GREY}, hoverinfo="skip")


def _own_band(found) -> list[int]:
    """Sources that are judged by a null of their own."""
    return [i for i, source in enumerate(found.sources.values()) if source.half != found.half and np.isfinite(source.band).all()]


def _reach(values) -> tuple[float, float]:
    """(lowest, highest) of a log axis for what is positive of some values."""
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known) & (known > 0)]
    return (float(max(known.min(), known.max() / 1e5) / 1.4), float(known.max() * 1.4)) if len(known) else (0.1, 10.0)


def _inside(values, low: float) -> np.ndarray:
    """What is 0, or nearly, stands at the end of a log axis."""
    return np.maximum(np.asarray(values, np.float64), low)


def _powers(low: float, high: float) -> dict:
    steps = (1,) if high / low > 1000 else (1, 2, 5)
    ticks = [m * 10.0 ** e for e in range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1) for m in steps]
    ticks = [t for t in ticks if low <= t <= high]
    return {"type": "log", "range": [float(np.log10(low)), float(np.log10(high))], "tickvals": ticks, "ticktext": [number(t) for t in ticks]}


def _logarithmic(values, said, title, room):
    """A heatmap whose colours go by powers of ten, with its numbers, and cells that can be clicked. `room`: pixels of its height."""
    known = np.log10(values[np.isfinite(values)].clip(1e-9))
    low = float(np.clip(np.floor(known.min(initial=0)), -2, 6))
    high = max(low + 1, float(np.ceil(known.max(initial=0))))
    z, ticks = np.log10(np.clip(values, 10 ** low, None)), list(range(int(low), int(high) + 1))
    bar = {"title": {"text": title, "side": "right"}, "thickness": 12, "outlinewidth": 0, "len": 0.95, "tickvals": ticks,
           "ticktext": [f"{10.0 ** t:g}" for t in ticks]}
    ground = go.Heatmap(z=z.astype(np.float32), zmin=low, zmax=high, colorscale=template.SEQUENTIAL, colorbar=bar, hoverinfo="skip", xgap=1, ygap=1, name=title)
    texts = np.array([_brief(v) for v in values.ravel()], object).reshape(values.shape)
    written = _written(z, z >= low + PALE * (high - low), texts, 11) if max(values.shape) <= WRITTEN else []
    row, column = (index.ravel() for index in np.indices(values.shape))
    return [ground, *written, cells(row, column, said, 0.9 * room / max(len(values), 1))]


def _written(z, light, texts, size) -> list:
    """A text in each cell, black on light colours and white on the others."""
    return [numbers(np.where(mask, z, np.nan), ink, size=size).update(text=np.where(mask, texts, "").tolist(), texttemplate="%{text}")
            for mask, ink in ((light, "#000000"), (~light, "#FFFFFF"))]


def _brief(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}" if abs(value) < 100 else number(round(value))


def _mean(matched) -> float:
    known = np.asarray(matched, np.float64)
    known = known[np.isfinite(known)]
    return float(known.mean()) if len(known) else float("nan")


def _pending(values) -> str:
    missing = int(np.isnan(values).sum())
    return f"{count(missing)} of {count(values.size)} not computed" if missing else ""


# in words

def _of(found) -> str:
    """What stands after a place: among how many, and whether it may still change."""
    sources = found.sources.values()
    done = found.final or all(len(s.matched) and np.isfinite(s.matched).all() for s in sources if not s.reason)
    return f"of {sum(s.rank > 0 for s in sources)}{'' if done else ' so far'}"


def _met(source) -> str:
    """The score that the place goes by."""
    mean = _mean(source.matched)
    return f"{number(mean)} on halves" if np.isfinite(mean) else f"{number(source.score)} at all items"


def _verdict(source, of: str, contradicts: bool, row: int) -> dict:
    """What stands at the right of a row."""
    if not source.rank:
        text = "not scored" if source.reason else "not scored yet"
    elif not source.verdict:
        text = f"{nth(source.rank)} {of}<br>{_met(source)}"
    else:
        low, high = source.matched_interval
        text = f"<b>{source.verdict}</b>, {nth(source.rank)} {of}<br>{number(_mean(source.matched))} ({number(low)} – {number(high)})"
    return {"x": 1.01, "xref": "paper", "xanchor": "left", "y": row, "showarrow": False, "align": "left", "font": {"size": 12},
            "text": f"{text}{'<br>⚠ labels disagree' if contradicts else ''}"}


def _clause(name, source, of, contradicts) -> str:
    if not source.rank:
        return f"{name}: not scored{f' ({source.reason.rstrip(chr(46))})' if source.reason else ' yet'}"
    place, warned = f"{nth(source.rank)} {of}", ", but its labels disagree with the target's" if contradicts else ""
    if not source.verdict:
        return f"{name}: {place}, {_met(source)}{warned}"
    low, high = source.matched_interval
    return f"{name}: {source.verdict.lower()}, {number(_mean(source.matched))} ({number(low)} to {number(high)}), {place}{warned}"


def _scored(name, source) -> str:
    low, high = source.interval
    span = f", interval {number(low)} – {number(high)}" if np.isfinite(low) else ""
    return f"{name}: {number(source.score)} at all items{span}<br>Monte Carlo error {number(source.mc_error)}"


def _matched(name, source, final: bool) -> str:
    low, high = source.matched_interval
    span = f", interval {number(low)} – {number(high)}" if np.isfinite(low) else "" if final else ", interval to come"
    return f"{name}: {number(_mean(source.matched))} with {count(source.half)} items a side{span}<br>mean of {int(np.isfinite(source.matched).sum())} splits"


def _calibrated(found) -> str:
    done = int(np.isfinite(found.null).sum())
    lost = [f"{template.plain(name)} not scored: {template.plain(s.reason)}" for name, s in found.sources.items() if s.reason]
    return note([f"{count(found.n_target)} items of {template.plain(found.target)}{f', halves of {count(found.half)}' if found.half else ''}",
                 f"{done} of {count(len(found.null))} splits", "intervals: jackknife over items" if np.isfinite(found.se).any() else "", *lost])


def _cell(found, names, i, j) -> str:
    score, error = found.scores[i, j], found.errors[i, j]
    if i == j:
        return f"{names[i]}: itself"
    if np.isfinite(score):
        return f"target {names[i]}, source {names[j]}: {number(score)}" + (f" ± {number(error)} Monte Carlo" if np.isfinite(error) else "")
    return f"target {names[i]}, source {names[j]}: " + (template.plain(found.reason(found.names[i], found.names[j])) or "not computed yet")


def _ranked(found, name, i, j, rank, moved) -> str:
    reading = template.plain(found.readings[i])
    if np.isnan(rank):
        return f"{name}, {reading}: " + (template.plain(found.reason(found.readings[i], found.sources[j])) or "not computed yet")
    turn = f", {abs(moved):g} {'further' if moved > 0 else 'nearer'} than under the first" if moved and np.isfinite(moved) else ""
    return f"{name}, {reading}: rank {rank:g}{turn}<br>score {number(found.scores[i, j])}, comparable within this row only"


def _placed(rank, moved) -> str:
    if np.isnan(rank):
        return ""
    return f"{rank:g}" + (f" {'▼' if moved > 0 else '▲'}{abs(moved):g}" if moved and np.isfinite(moved) else "")


def _alike(ranks, first) -> str:
    both = np.isfinite(ranks) & np.isfinite(first)
    moved = int((ranks[both] != first[both]).sum())
    return "" if not both.any() else "same order" if not moved else f"{moved} moved"


def nth(rank: int) -> str:
    return f"{rank}{'th' if 10 <= rank % 100 <= 20 else {1: 'st', 2: 'nd', 3: 'rd'}.get(rank % 10, 'th')}"
