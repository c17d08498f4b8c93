"""Figures of growth: which way of growing a network pays, and whether the size of its valley, or a proxy, tells so beforehand.

Sizes are our estimators, and said to be wherever they are named. Families differ in colour and symbol; the base and the plain number of parameters are grey.
`customdata` of a mark is the candidate or the metric, its place in `found.names` or `found.metrics`, or [metric, value] of a line; `template.picked` reads it.
What was left out stands in `figure.layout.meta["note"]`. Each figure has its twin `..._says`: the answer in plain words.
"""

from collections.abc import Mapping, Sequence
from string import ascii_uppercase

import numpy as np
import plotly.graph_objects as go

from analysis.figures import persistence, template
from analysis.figures.gain import effects, rows, short, tags
from analysis.figures.persistence import count, faded, note, number
from analysis.figures.sensitivity import sentence
from analysis.figures.sources import below, marked
from analysis.metrics.growth import BASE, FAMILIES, KNOBS, PARTS, SIZES, Growth
from analysis.metrics.statistics import Correlation

__all__ = ["check", "check_says", "against", "against_says", "within", "within_says", "within_table", "board", "board_says", "cost", "cost_says", "robust",
           "robust_says"]

OURS = "our estimator"
PENDING = "not there yet"
EXACT = 1e-5  # up to which logits that differ count as the same
LOOKS = {**dict(zip(FAMILIES, template.marks(len(FAMILIES)), strict=True)), BASE: (template.GREY, "star-diamond")}
SORTS = {"ours": ("our estimators", "#0072B2", "diamond"), "proxy": ("proxies", "#D55E00", "circle"),
         "trivial": ("number of parameters", template.GREY, "circle-open")}
SIGNS = {"kendall": ("Kendall's τ-b", "τ", "tau"), "spearman": ("Spearman's ρ", "ρ", "spearman"), "pearson": ("Pearson's r", "r", "pearson"),
         "partial": ("Partial r given log parameters", "partial r", "partial")}
KEPT = {True: ("function kept", "#0072B2", ""), False: (f"beyond {EXACT:.0e}".replace("-0", "−"), "#D55E00", "/")}
TURNED = {"epsilon": ("ε, log axis", "ε"), "branches": ("Branches", "the number of branches"), "steps": ("Steps of a branch", "the length of a branch")}
MOVES = ((0.8, "hardly moves with"), (0.4, "moves with"), (-np.inf, "turns with"))  # from which least agreement with the usual ranking, what is said of it
DASHES = ("solid", "dash", "dashdot", "dot", "longdash", "longdashdot")
SHARED = "above: no intervals, as settings share branches with the usual one, or their start and order of data: agreement is high by construction"
NAMED = 10  # marks up to which all are named
ACROSS = 340  # pixels that a narrow chart is wide
AROUND = {"top left": (-11, 11), "top right": (11, 11), "bottom left": (-11, -11), "bottom right": (11, -11), "middle left": (-17, 0), "middle right": (17, 0)}
NEAR = 11  # pixels that a letter keeps from marks and other letters
WIDE = 100  # times the least that the largest is, and the axis is a log one
ROW = 24  # pixels
WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
Z = 1.96


# is the function kept

def check(found: Growth, *, at: int | None = None, height: int | None = None, revision: str = "check"):
    """The largest difference between the logits of each expansion and those of the base; the rule is what rounding explains. `customdata` is the candidate.

    at  the candidate to mark
    """
    order = np.flatnonzero(found.expansions)
    known = order[np.isfinite(found.check[order])]
    least = 10 ** np.floor(np.log10(min([EXACT, *found.check[known][found.check[known] > 0]]))) / 10
    most = max([1e-3, *(10 * found.check[known])])
    place, traces = {int(row): i for i, row in enumerate(order)}, []
    for kind, (name, colour, shape) in KEPT.items():
        mine = [int(row) for row in known if (found.check[row] <= EXACT) == kind]
        if mine:
            traces.append(go.Bar(x=np.maximum(found.check[mine], 1.3 * least).astype(np.float32), y=[place[row] for row in mine], orientation="h", width=0.62,
                                 name=name, customdata=np.array(mine, np.int32), hovertext=[_checked(found, row) for row in mine],
                                 text=["0" if found.check[row] == 0 else "" for row in mine], textposition="outside", cliponaxis=False,
                                 hovertemplate="%{hovertext}<extra></extra>", unselected={"marker": {"opacity": 0.8}},
                                 marker={"color": faded(colour, 0.55), "line": {"width": 1.2, "color": colour},
                                         "pattern": {"shape": shape, "fgcolor": colour, "fillmode": "overlay", "size": 7, "solidity": 0.35}}))
    told = [_note(PENDING, place[int(row)]) for row in order if row not in known]
    rule = {"type": "line", "x0": EXACT, "x1": EXACT, "yref": "paper", "y0": 0, "y1": 1, "name": "rounding",
            "line": {"width": 1.8, "dash": "dash", "color": template.GREY}}
    head = {"text": f"{_power(EXACT)}: rounding", "x": float(np.log10(EXACT)), "y": 1, "yref": "paper", "yanchor": "bottom", "showarrow": False,
            "font": {"size": 12}}
    every = np.arange(np.log10(least), np.log10(most) + 1)
    steps = every[::2 if len(every) > 7 else 1]
    return template.figure(*traces, height=height or 130 + ROW * len(order), uirevision=revision, barmode="overlay", legend=below(), showlegend=True,
                           margin={"t": 30, "b": 84}, shapes=[rule, *marked(None if at is None else place.get(at))], annotations=[head, *told],
                           meta={"note": _pending(found)},
                           xaxis={"type": "log", "range": [float(np.log10(least)), float(np.log10(most))], "tickvals": (10 ** steps).tolist(),
                                  "ticktext": [_power(10 ** s) if s < -2 else f"{10 ** s:g}" for s in steps],
                                  "title": {"text": "Largest |difference| of the logits, log axis"}},
                           yaxis=rows([template.plain(found.names[row]) for row in order]))


def check_says(found: Growth) -> str:
    known = [row for row in np.flatnonzero(found.expansions) if np.isfinite(found.check[row])]
    if not known:
        return "No expansion has been checked yet."
    worst, kept = max(known, key=lambda row: found.check[row]), sum(bool(found.check[row] <= EXACT) for row in known)
    most = f"{found.names[worst]} differs most, by {found.check[worst]:.1e}" if found.check[worst] > 0 else "none differs at all"
    return f"{kept} of {_several(len(known), 'expansion')} {'keeps' if kept == 1 else 'keep'} the logits of the base to {_power(EXACT)}; {_power(most)}."


# does it pay, and was it told

def against(found: Growth, metric: str, kind: str = "kendall", *, family: str | None = None, at: int | None = None, height: int = 470,
            revision: str = "against"):
    """A size or a proxy of each candidate beside the gain that was measured, families apart; the correlation of the expansions stands above. Letters ring
    those of equal numbers of parameters. `customdata` is the candidate.

    kind    "kendall", "spearman" or "pearson"
    family  that the correlation is of; the others are drawn faint
    at      the candidate to mark
    """
    values, spans = found.metric(metric), 100 * _spans(found)
    known = np.isfinite(values) & np.isfinite(spans[:, 0])
    drawn, families = np.flatnonzero(known), np.array(found.families, object)
    spread, letters = found.spread(metric), _letters(found, known)
    said = [_told(found, metric, values[row], spread[row], spans[row], letters.get(row, ""), row) for row in range(len(found.names))]
    log = _log(values[drawn])
    x, direction = np.log10(np.where(known, values, np.nan)) if log else values, _direction(found, metric)
    ends, up = _ends(x[drawn])[::direction], _ends(spans[drawn])
    chosen = {at, _best(found), *map(found.names.index, found.picks(metric))}
    named, room = drawn if len(drawn) <= NAMED else [row for row in drawn if row in chosen], height - 150
    up = up if len(drawn) <= NAMED else [up[0], up[1] + 24 * len(named) * (up[1] - up[0]) / room]
    pixels = np.column_stack([(x - ends[0]) / (ends[1] - ends[0]) * ACROSS, (spans[:, 0] - up[0]) / (up[1] - up[0]) * room])
    traces = [_grouped(letters, values, spans, known, pixels)] if letters else []
    for name in dict.fromkeys(found.families):
        for trace in effects(values, spans, said, known=known & (families == name), size=11, look=(_family(name), *LOOKS[name])):
            traces.append(trace.update(opacity=0.35 if family not in (None, name) else 1))
    rings = [] if at is None or not known[at] else persistence.rings(values[at], spans[at, 0], 20)
    lacking = int((found.expansions & np.isfinite(spans[:, 0]) & ~np.isfinite(values)).sum())
    ticks = {"type": "log", **_ticks(10 ** min(ends), 10 ** max(ends))} if log else {}
    better = f"{_titled(found, metric)}{', log axis' if log else ''}<br>{'higher' if direction > 0 else 'lower'} is said to be better"
    return template.figure(*traces, *rings, height=height, uirevision=f"{revision} {metric}", legend=below(), showlegend=True, margin={"t": 58, "b": 84},
                           title={"text": _agreed(found, metric, kind, family), "y": 0.98, "yanchor": "top", "font": {"size": 14}}, shapes=[_zero()],
                           annotations=(tags if len(drawn) <= NAMED else _above)(x[named], spans[named, 0], [template.plain(found.names[row]) for row in named],
                                                                                ends, up, room),
                           meta={"note": note([f"{count(lacking)} without a finite value left out" if lacking else "", _pending(found),
                                               "letters, where there is room: equal numbers of parameters, within 5\u202f%" if found.groups() else ""])},
                           xaxis={**ticks, "range": ends, "zeroline": False, "title": {"text": better}},
                           yaxis={"range": up, "zeroline": False, "title": {"text": "Gain over the base trained as long,<br>percentage points"}})


def against_says(found: Growth, metric: str, kind: str = "kendall", *, family: str | None = None) -> str:
    agreed, of = found.correlation(metric, kind, family=family), f" of the family {family}" if family else ""
    if agreed.reason:
        return f"Nothing can be said of {_called(found, metric)} and the gain{of}{'' if found.final else ' yet'}. {agreed.reason}"
    told = f"{SIGNS[kind][1]} = {_r(agreed.value)} ({_r(agreed.low)} to {_r(agreed.high)}) over {_several(agreed.n, 'expansion')}{of}"
    if not found.final:
        return f"So far, {_called(found, metric)} and the gain: {told}. That may still turn."
    word = "goes with" if agreed.low > 0 else "goes against" if agreed.high < 0 else "does not clearly go with"
    return f"{sentence(_called(found, metric))} {word} the gain: {told}. {_picked(found, metric)}".strip()


def within(found: Growth, metric: str, kind: str = "kendall", *, height: int | None = None, revision: str = "within"):
    """The same correlation over all expansions, within each family, among those of equal numbers of parameters, and given the logarithm of that number. The
    grey part of a row is what chance gives so many."""
    parts = _parts(found, metric, kind)
    agreed, (_, colour, symbol) = list(parts.values()), SORTS[_sort(metric)]
    known = [i for i, c in enumerate(agreed) if not c.reason]
    value, low, high, sd = (np.array([getattr(agreed[i], part) for i in known], np.float64) for part in ("value", "low", "high", "null_sd"))
    said = [f"{name}<br>{_spanned(c)}, {_several(c.n, 'expansion')}" for name, c in parts.items() if not c.reason]
    dots = go.Scatter(x=value.astype(np.float32), y=known, mode="markers", showlegend=False, name=_titled(found, metric), hovertext=said,
                      error_x=_error(value, low, high, colour), hovertemplate="%{hovertext}<extra></extra>", unselected={"marker": {"opacity": 0.8}},
                      marker={"color": colour, "symbol": symbol, "size": 11, "line": {"width": 1.8, "color": colour}})
    told = [_note(_brief(c.reason), i) for i, c in enumerate(agreed) if c.reason]
    labels = [f"{name}  ({c.n})" for name, c in parts.items()]
    return template.figure(_chance(sd, known), dots, height=height or 120 + 30 * len(parts), uirevision=revision, annotations=told, barmode="overlay",
                           legend=below(), showlegend=True, margin={"t": 12, "b": 104}, meta={"note": _pending(found)},
                           xaxis={**_correlations(), "title": {"text": f"Correlation with the gain<br>({SIGNS[kind][0]} where nothing else is said)"}},
                           yaxis={**rows(labels), "ticktext": labels})


def within_says(found: Growth, metric: str, kind: str = "kendall") -> str:
    parts = {name: c for name, c in _parts(found, metric, kind).items() if not c.reason}
    if not parts:
        return f"Nothing can be said of {_called(found, metric)} and the gain. {found.correlation(metric, kind).reason}"
    told = "; ".join(f"{_lower(name)} {_r(c.value)} ({_r(c.low)} to {_r(c.high)})" for name, c in parts.items())
    return sentence(f"{_so_far(found)}{_called(found, metric)} and the gain: {told}.")


def within_table(found: Growth, metric: str, kind: str = "kendall"):
    """One line per row of that figure."""
    import pandas as pd
    told = {"correlation": "value", "low": "low", "high": "high", "null sd": "null_sd", "expansions": "n", "note": "reason"}
    parts = _parts(found, metric, kind)
    return pd.DataFrame({"over": list(parts), "kind": [c.kind for c in parts.values()],
                         **{title: [getattr(c, part) for c in parts.values()] for title, part in told.items()}})


# all that could have told

def board(found: Growth, kind: str = "kendall", *, told=None, at: int | None = None, height: int | None = None, revision: str = "board"):
    """How well each size and proxy goes with the gain, the best on top, with intervals and what chance gives in grey; and what its pick would have cost.
    `customdata` is the metric's place.

    kind  "kendall", "spearman", "pearson" or "partial"
    told  what `found.summary()` returned, if that is there already
    at    the metric to mark
    """
    lines = _lines(found, kind, told)
    where, known = [found.metrics.index(line["name"]) for line in lines], [i for i, line in enumerate(lines) if np.isfinite(line[SIGNS[kind][2]])]
    band = _chance(np.array([_null(found, lines[i]["name"], kind) for i in known]), known)
    traces = [_rated(found, kind, lines, where, [i for i in known if _sort(lines[i]["name"]) == sort], *look) for sort, look in SORTS.items()]
    regrets, most = _regrets(found, kind, lines, where)
    labels = [_styled(line["title"], line["name"]) for line in lines]
    reasons = [_note(_brief(line["note"] or PENDING), i) for i, line in enumerate(lines) if i not in known]
    return template.figure(band, *(trace for trace in traces if len(trace.x)), regrets, height=height or 150 + ROW * len(lines), barmode="overlay",
                           uirevision=f"{revision} {kind}", annotations=reasons, legend=below(), showlegend=True, margin={"t": 12, "b": 96},
                           meta={"note": note([*_alone(lines), _pending(found)])}, shapes=marked(where.index(at) if at in where else None),
                           xaxis={**_correlations(), "domain": [0, 0.66], "title": {"text": f"{SIGNS[kind][0]}<br>with the gain"}},
                           xaxis2={"domain": [0.72, 1], "range": [0, 1.8 * max(most, 0.1)], "nticks": 3, "showgrid": False,
                                   "title": {"text": "Regret,<br>points"}},
                           yaxis={**rows(labels), "ticktext": labels})


def board_says(found: Growth, kind: str = "kendall", *, told=None) -> str:
    lines, key = _lines(found, kind, told), SIGNS[kind][2]
    known = [line for line in lines if np.isfinite(line[key])]
    if not known:
        return "Neither a size nor a proxy can be compared with a measured gain yet."
    span = lambda line: f"{_r(line[key])}, {_r(line[f'{key} low'])} to {_r(line[f'{key} high'])}"
    first = {sort: next((line for line in known if _sort(line["name"]) == sort), None) for sort in SORTS}
    many = {sort: sum(_sort(line["name"]) == sort for line in known) for sort in SORTS}
    texts = {"ours": "the best of our {many} is {title} ({span})", "proxy": "the best of {many} is {title} ({span})", "trivial": "plain {title} come to {span}"}
    nouns = {"ours": "estimator", "proxy": "other proxy", "trivial": ""}
    parts = [texts[sort].format(title=line["title"] if sort == "proxy" else line["title"].lower(), span=span(line), many=_numbered(many[sort], nouns[sort]))
             for sort, line in first.items() if line]
    above, below_ = (sum(test(line) for line in known) for test in (lambda line: line[f"{key} low"] > 0, lambda line: line[f"{key} high"] < 0))
    few, most = min(line["n"] for line in known), max(line["n"] for line in known)
    over = _several(most, "expansion") if few == most else f"{count(few)} to {_several(most, 'expansion')}"
    return (f"{sentence(f'{_so_far(found)}by {SIGNS[kind][0]}')} with the gain over {over}: {'; '.join(parts)}. Of {_several(len(known), 'interval')} {above} "
            f"{'lies' if above == 1 else 'lie'} above 0, {below_} below.")


def cost(found: Growth, *, at: int | None = None, height: int | None = None, revision: str = "cost"):
    """Seconds that it takes to know each size and proxy of one candidate, the cheapest on top, and to measure the gain itself. `customdata` is the metric's
    place, -1 of the gain."""
    lines = _costs(found)
    if not lines:
        said = {"text": "Nothing has been timed yet.", "x": 0.5, "xref": "paper", "y": 0.5, "yref": "paper", "showarrow": False}
        return template.figure(go.Scatter(x=[], y=[]), height=height or 300, uirevision=revision, annotations=[said], meta={"note": ""},
                               xaxis={"visible": False}, yaxis={"visible": False})
    least, most = min(line[2] for line in lines) / 2, max(line[2] for line in lines) * 3
    left = {i for i, line in enumerate(lines) if line[2] > np.sqrt(least * most)}
    traces = []
    for sort, (name, colour, symbol) in {**SORTS, "gain": ("the gain itself", "#009E73", "square")}.items():
        mine = [i for i, line in enumerate(lines) if line[4] == sort]
        if mine:
            traces.append(go.Scatter(x=np.array([lines[i][2] for i in mine], np.float32), y=mine, mode="markers+text", name=name, cliponaxis=False,
                                     textfont={"size": 11},
                                     textposition=[f"middle {'left' if i in left else 'right'}" for i in mine],
                                     text=[f"  {_seconds(lines[i][2])}{_trained(lines[i][3])}  " for i in mine],
                                     customdata=np.array([lines[i][0] for i in mine], np.int32), unselected={"marker": {"opacity": 0.8}},
                                     marker={"color": colour, "symbol": symbol, "size": 11, "line": {"width": 1.8, "color": colour}},
                                     hovertemplate="%{y}: %{x:.3g} s<extra></extra>"))
    labels = [line[1] for line in lines]
    place = next((i for i, line in enumerate(lines) if line[0] == at or at in line[5]), None) if at is not None else None
    return template.figure(*traces, height=height or 130 + ROW * len(lines), uirevision=revision, legend=below(), showlegend=True, margin={"t": 12, "b": 84},
                           shapes=marked(place), meta={"note": note(["means over the candidates, on one machine", _pending(found)])},
                           xaxis={"type": "log", "range": [float(np.log10(least)), float(np.log10(most))], **_ticks(least, most), "title": {
                               "text": "Seconds for one candidate, log axis"}},
                           yaxis={**rows(labels), "ticktext": labels})


def cost_says(found: Growth) -> str:
    lines = _costs(found)
    if not lines:
        return "Nothing has been timed yet."
    ours, gain = (next((line for line in lines if line[4] == sort and line[3] > 0), None) for sort in ("ours", "gain"))
    proxies = [line[2] for line in lines if line[4] == "proxy"]
    parts = [f"our sizes take {_seconds(ours[2])}{_trained(ours[3])}" if ours else "",
             f"a proxy {_seconds(min(proxies))} to {_seconds(max(proxies))}" if proxies else "",
             f"to measure the gain itself {_seconds(gain[2])}{_trained(gain[3])}" if gain else ""]
    return f"For one candidate {', '.join(part for part in parts if part)}."


def robust(found: Growth, metrics: Sequence[str] = ("distance",), *, told: Mapping | None = None, height: int = 540, revision: str = "robust"):
    """What becomes of a ranking as epsilon, the number of branches or their length move: above, its agreement with the ranking at the usual setting; below,
    its agreement with the gain, with intervals, and what chance gives in grey. Dotted rules are the usual settings. `customdata` is [metric, value].

    told  metric -> what `found.robust(metric)` returned, if that is there already
    """
    told, traces = _moves(found, metrics, told), []
    for name, (colour, symbol), dash in zip(metrics, template.marks(len(metrics)), DASHES * len(metrics), strict=False):
        for knob, moved in told[name].items():
            column = KNOBS.index(knob)
            spans = np.array([(c.value, c.low, c.high) for c in moved.gains], np.float64)
            for line, (values, what) in enumerate(((moved.with_default, "the usual ranking"), (moved.with_gain, "the gain"))):
                said = [f"{_titled(found, name)}<br>{_set(knob, v)}: τ {_moved(c, t, line)} with {what}, {_several(c.n, 'expansion')}"
                        for v, t, c in zip(moved.values, values, moved.gains, strict=True)]
                traces.append(go.Scatter(x=np.array(moved.values, np.float32), y=values.astype(np.float32), mode="lines+markers", name=_titled(found, name),
                                         legendgroup=name, showlegend=not line and not column, line={"color": colour, "dash": dash, "width": 2.4},
                                         marker={"color": colour, "symbol": symbol, "size": 9}, hovertext=said, hovertemplate="%{hovertext}<extra></extra>",
                                         customdata=[[found.metrics.index(name), i] for i in range(len(values))], unselected={"marker": {"opacity": 0.75}},
                                         error_y=_error(*spans.T, colour) if line else None, xaxis=_axis("x", column), yaxis=_axis("y", 3 * line + column)))
    chance = go.Scatter(x=[None], y=[None], mode="markers", name="chance: ±1.96 null sd", hoverinfo="skip",
                        marker={"symbol": "square", "size": 12, "color": faded(template.GREY, 0.3)})
    return template.figure(*traces, chance, height=height, uirevision=revision, legend=below(), showlegend=True, margin={"t": 30, "b": 92},
                           meta={"note": note(["dotted: the usual setting", SHARED, *_idle(found, told), *_linked(found), _pending(found)])}, **_panels(told))


def robust_says(found: Growth, metrics: Sequence[str] = ("distance",), *, told: Mapping | None = None) -> str:
    told = _moves(found, metrics, told)
    parts = [part for name in metrics for part in (_turning(found, name, told[name]), _holding(found, name, told[name])) if part]
    if not parts:
        return "There is no ranking to move yet."
    return f"{'' if found.final else 'So far: '}{' '.join(parts)}{''.join(f' {sentence(linked)}.' for linked in _linked(found))}"


# parts of them

def _spans(found) -> np.ndarray:
    """(candidates, 3) gain with its interval."""
    return np.array([found.gain_interval(name) for name in found.names], np.float64).reshape(-1, 3)


def _grouped(letters, values, spans, known, pixels):
    """A ring about each candidate that has others of equal numbers of parameters, and a letter where there is room."""
    mine = list(letters)
    places = _roomy(pixels[mine], pixels[known])
    return go.Scatter(x=values[mine].astype(np.float32), y=spans[mine, 0].astype(np.float32), mode="markers+text",
                      text=[letter if place else "" for letter, place in zip(letters.values(), places, strict=True)],
                      textposition=[place or "top left" for place in places], textfont={"size": 11, "color": template.GREY}, hoverinfo="skip",
                      name="equal parameters", cliponaxis=False,
                      marker={"symbol": "circle-open", "size": 19, "color": template.GREY, "line": {"width": 1.4, "color": template.GREY}})


def _letters(found, known) -> dict[int, str]:
    """candidate -> the letter of its group, where others of that are known."""
    groups = [[row for row in group if known[row]] for group in found.groups()]
    return {row: ascii_uppercase[i % 26] for i, group in enumerate(group for group in groups if len(group) > 1) for row in group}


def _roomy(spots: np.ndarray, marks: np.ndarray) -> list[str]:
    """Where beside each spot a letter meets neither a mark nor another letter; "" where it would. In pixels."""
    taken, found = list(marks), []
    for spot in spots:
        free = {place: spot + step for place, step in AROUND.items() if min(np.hypot(*(spot + step - other)) for other in taken) >= NEAR}
        place = next(iter(free), "")
        taken += [free[place]] if place else []
        found.append(place)
    return found


def _above(x, y, texts: Sequence[str], ends, up, room: int) -> list:
    """Names above all marks, a line each, that hang down to theirs."""
    order, found = np.argsort(x), []
    for line, i in enumerate(order):
        far = (x[i] - ends[0]) / (ends[1] - ends[0]) > 0.5
        spot = up[1] - (line + 0.5) * 24 * (up[1] - up[0]) / room
        found.append({"x": float(x[i]), "y": float(y[i]), "text": short(texts[i], 34), "font": {"size": 12}, "showarrow": True, "arrowhead": 0,
                      "arrowwidth": 1, "standoff": 8, "arrowcolor": template.GREY, "ax": 0, "ay": float((y[i] - spot) / (up[1] - up[0]) * room),
                      "xanchor": "right" if far else "left", "name": "tag"})
    return found


def _parts(found, metric: str, kind: str) -> dict[str, Correlation]:
    """What it is of, and of another kind if it is -> the correlation."""
    names = {family: "Both at once" if family == "both" else f"{sentence(family)} only" for family in FAMILIES if family in found.families}
    other = "" if kind == "pearson" else ", Pearson"
    return {"All expansions": found.correlation(metric, kind), **{name: found.correlation(metric, kind, family=family) for family, name in names.items()},
            f"At equal parameters{other}": found.at_equal_parameters(metric), f"Given log parameters{other}": found.partial(metric)}


def _lines(found, kind: str, told) -> list[dict]:
    """The summary's lines, what goes best with the gain by this kind of correlation first; what has none comes last."""
    lines = (found.summary() if told is None else told).to_dict("records")
    value = lambda line: line[SIGNS[kind][2]]
    return sorted(lines, key=lambda line: -value(line) if np.isfinite(value(line)) else 2)


def _rated(found, kind: str, lines, where, mine, name: str, colour: str, symbol: str):
    """The correlations of one sort of metrics, in their rows."""
    value, low, high = (np.array([lines[i][SIGNS[kind][2] + end] for i in mine], np.float64) for end in ("", " low", " high"))
    return go.Scatter(x=value.astype(np.float32), y=mine, mode="markers", name=name, customdata=np.array([where[i] for i in mine], np.int32),
                      hovertext=[_summed(found, lines[i], kind) for i in mine], error_x=_error(value, low, high, colour),
                      hovertemplate="%{hovertext}<extra></extra>", unselected={"marker": {"opacity": 0.75}},
                      marker={"color": colour, "symbol": symbol, "size": 10, "line": {"width": 1.8, "color": colour}})


def _regrets(found, kind: str, lines, where) -> tuple:
    """(bars of what each pick would have cost, the most of them)"""
    values = 100 * np.array([line["regret"] for line in lines], np.float64)
    shown = np.flatnonzero(np.isfinite(values))
    return go.Bar(x=values[shown].astype(np.float32), y=shown, orientation="h", width=0.5, xaxis="x2", name="regret", showlegend=False, cliponaxis=False,
                  customdata=np.array([where[i] for i in shown], np.int32), marker={"color": template.GREY, "line": {"width": 0}},
                  text=[f"{v:.1f}" for v in values[shown]], textposition="outside", hovertext=[_summed(found, lines[i], kind) for i in shown],
                  hovertemplate="%{hovertext}<extra></extra>", unselected={"marker": {"opacity": 1}}), float(np.nanmax(values, initial=0))


def _null(found, name: str, kind: str) -> float:
    return (found.partial(name, resamples=0) if kind == "partial" else found.correlation(name, kind, resamples=0)).null_sd


def _costs(found) -> list[tuple]:
    """(place, label, seconds, steps of training, sort, all places) of what takes time of its own, the cheapest first. Sizes that are of the same branches and
    barriers are one line."""
    shared = [name for name in SIZES if name != "radius"]
    lines = [(0, "<b>All sizes but the radius</b> (ours)", *found.cost(shared[0]), "ours", tuple(map(found.metrics.index, shared)))]
    lines += [(i, _styled(found.title(name), name), *found.cost(name), _sort(name), (i,)) for i, name in enumerate(found.metrics)
              if name not in shared and not np.isnan(found.metric(name)).all()]
    spent = found.seconds[:, PARTS.index("gain")]
    spent = spent[np.isfinite(spent)]
    lines.append((-1, "The gain, trained and tested", float(spent.mean()) if len(spent) else np.nan, found.steps[-1] * found.accuracy.shape[1], "gain", (-1,)))
    return sorted((line for line in lines if line[2] > 0), key=lambda line: line[2])


def _moves(found, metrics, told) -> dict:
    return {name: found.robust(name) if told is None else told[name] for name in metrics}


def _turning(found, name: str, moves) -> str:
    """What becomes of the ranking as each setting moves."""
    least = {knob: float(np.nanmin(moved.with_default)) for knob, moved in moves.items() if np.isfinite(moved.with_default).any()}
    if not least:
        return ""
    said = {}
    for knob, worst in least.items():
        said.setdefault(next(word for start, word in MOVES if worst >= start), []).append(f"{TURNED[knob][1]} ({_r(worst)})")
    told = _listed([f"{word} {_listed(settings)}" for word, settings in said.items()])
    return f"The ranking by {_called(found, name)} {told}; in brackets the least τ with the usual ranking."


def _holding(found, name: str, moves) -> str:
    """Whether it goes with the gain at any of the settings."""
    known = [c for c in _each(moves) if not c.reason]
    if not known:
        return ""
    it = "it" if any(np.isfinite(moved.with_default).any() for moved in moves.values()) else _called(found, name)
    above, under = sum(c.low > 0 for c in known), sum(c.high < 0 for c in known)
    over = _over(moves)
    if not above + under:
        return f"At no setting does {it} clearly go with the gain, over {over}."
    return sentence(f"{it} clearly goes with the gain at {above} of {_several(len(known), 'setting')} and against it at {under}, over {over}.")


def _each(moves) -> list[Correlation]:
    """With the gain at every setting, the usual one once: each knob has it among its values."""
    return [c for i, moved in enumerate(moves.values()) for value, c in zip(moved.values, moved.gains, strict=True) if not i or value != moved.usual]


def _over(moves) -> str:
    """Over how many expansions, for each knob that moves where that differs: an expansion without two branches at rest has no size."""
    counts = {knob: sorted({c.n for c in moved.gains if not c.reason}) for knob, moved in moves.items()}
    every = {n for known in counts.values() for n in known}
    if len(every) == 1:
        return _several(*every, "expansion")
    spans = {knob: " to ".join(count(n) for n in dict.fromkeys((known[0], known[-1]))) for knob, known in counts.items() if known}
    return _listed([f"{span}{'' if i else ' expansions'} as {TURNED[knob][1]} moves" for i, (knob, span) in enumerate(spans.items())])


def _moved(c: Correlation, value: float, with_gain: int) -> str:
    return f"{_r(value)} ({_r(c.low)} to {_r(c.high)})" if with_gain else _r(value)


def _panels(told) -> dict:
    """Two rows of three axes, with rules at the usual settings, what chance gives below, and a word where there is nothing to draw."""
    axes, shapes, words = {}, [], []
    for column, knob in enumerate(KNOBS):
        moved, log = [moves[knob] for moves in told.values() if knob in moves], knob == "epsilon"
        values = moved[0].values if moved else (1, 2)
        across, reach, start = _axis("x", column), np.log10(values) if log else np.array(values, float), 0.345 * column
        room, ends = 0.1 * np.ptp(reach) or 0.5, {values[0], values[-1], *(m.usual for m in moved)}
        axes[f"xaxis{column + 1}"] = {"domain": [start, start + 0.31], "anchor": _axis("y", column + 3), "type": "log" if log else "linear", "tickangle": 0,
                                      "range": [float(reach.min() - room), float(reach.max() + room)], "tickvals": list(values) if moved else [],
                                      "zeroline": False, "title": {"text": TURNED[knob][0]},
                                      "ticktext": [f"{v:g}" if len(values) < 5 or v in ends else "" for v in values]}
        for line, what in enumerate(("the usual ranking", "the gain")):
            axis = 3 * line + column
            axes[f"yaxis{axis + 1}"] = {"domain": [0, 0.46] if line else [0.54, 1], "anchor": across, "range": [-1.08, 1.08], "dtick": 0.5, "zeroline": True,
                                        "showticklabels": not column, "zerolinecolor": template.RIM, "title": {"text": "" if column else f"τ with {what}"}}
            panel = {"xref": f"{across} domain", "yref": f"{_axis('y', axis)} domain"}
            if moved:
                shapes.append({**panel, "type": "line", "xref": across, "x0": moved[0].usual, "x1": moved[0].usual, "y0": 0, "y1": 1, "name": "usual",
                               "layer": "below", "line": {"width": 1.5, "dash": "dot", "color": template.GREY}})
            sds = [c.null_sd for m in moved for c in m.gains if not c.reason]
            if line and sds:
                shapes.append({**panel, "type": "rect", "yref": _axis("y", axis), "x0": 0, "x1": 1, "y0": -Z * max(sds), "y1": Z * max(sds), "name": "chance",
                               "layer": "below", "line": {"width": 0}, "fillcolor": faded(template.GREY, 0.3)})
            if not any(np.isfinite(m.with_gain if line else m.with_default).any() for m in moved):
                words.append({"xref": "paper", "yref": "paper", "x": start + 0.155, "xanchor": "center", "y": 0.29 if line else 0.83, "showarrow": False,
                              "font": {"size": 12}, "text": "Nothing to rank" if moved else f"It knows no<br>{TURNED[knob][0].lower()}"})
    return {**axes, "shapes": shapes, "annotations": words}


def _idle(found, told) -> list[str]:
    """Sizes that rank nothing, whatever the setting, or at the usual one."""
    at_all = {name: any(np.isfinite(moved.with_gain).any() for moved in moves.values()) for name, moves in told.items()}
    usual = {name: any(np.isfinite(moved.with_default).any() for moved in moves.values()) for name, moves in told.items()}
    return [f"{template.plain(found.title(name))} ranks nothing{' at the usual setting' if at_all[name] else ''}" for name in told if not usual[name]]


def _alone(lines) -> list[str]:
    """What every way of growing that keeps the function must leave as it is."""
    return [f"{line['title']} {why}" for line in lines if (why := line["note"].partition(": it ")[2].rstrip(".")).startswith("depends on the function")]


def _linked(found) -> list[str]:
    """Whether no epsilon parts any two branches."""
    shares = np.array([found.metric("connected", epsilon=epsilon)[found.expansions] for epsilon in found.epsilons])
    known = shares[np.isfinite(shares)]
    return ["all pairs are connected at every ε shown"] if known.size and (known == 1).all() else []


def _axis(letter: str, place: int) -> str:
    return f"{letter}{place + 1 if place else ''}"


def _chance(sd, at):
    """What chance gives, as the ground of each row."""
    wide = Z * np.nan_to_num(sd)
    return go.Bar(base=(-wide).tolist(), x=(2 * wide).tolist(), y=list(map(int, at)), orientation="h", width=1, hoverinfo="skip", name="chance: ±1.96 null sd",
                  marker={"color": faded(template.GREY, 0.3), "line": {"width": 0}})


def _brief(reason: str) -> str:
    """The beginning of a reason, for a row of a narrow chart."""
    return short(reason.partition(": ")[0].rstrip("."), 44)


def _note(text: str, row: int) -> dict:
    """What stands in a row that has no mark."""
    return {"text": template.plain(text), "x": 0.01, "xref": "x domain", "xanchor": "left", "y": row, "showarrow": False, "font": {"size": 11}}


def _correlations() -> dict:
    return {"range": [-1.05, 1.05], "dtick": 0.5, "zeroline": True, "zerolinecolor": template.RIM}


def _error(value, low, high, colour) -> dict:
    return {"type": "data", "array": np.nan_to_num(high - value).astype(np.float32), "arrayminus": np.nan_to_num(value - low).astype(np.float32), "width": 3,
            "thickness": 1.7, "color": colour}


def _zero() -> dict:
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 0, "y1": 0, "name": "no gain", "layer": "below",
            "line": {"width": 1.4, "color": template.GREY}}


def _ends(values) -> list[float]:
    """Of an axis, with some room."""
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    room = 0.1 * (high - low) or 0.5
    return [low - room, high + room]


def _log(values) -> bool:
    return bool(len(values) and values.min() > 0 and values.max() > WIDE * values.min())


def _ticks(low: float, high: float) -> dict:
    """Round numbers on a log axis."""
    far = high > 1e4 * low
    every = [m * 10.0 ** e for e in range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1) for m in ((1,) if far else (1, 3))]
    shown = [v for v in every if low <= v <= high]
    return {"tickvals": shown, "ticktext": [number(v) for v in shown]}


def _best(found) -> int | None:
    gains = np.where(found.expansions, found.gains(), np.nan)
    return int(np.nanargmax(gains)) if np.isfinite(gains).any() else None


def _direction(found, metric: str) -> int:
    return 1 if metric in SIZES else found.directions[found.proxies.index(metric)]


def _sort(metric: str) -> str:
    return "ours" if metric in SIZES else "trivial" if metric == "params" else "proxy"


# in words

def _titled(found, metric: str) -> str:
    return template.plain(found.title(metric)) + (f" ({OURS})" if metric in SIZES else "")


def _called(found, metric: str) -> str:
    return f"{found.title(metric).lower()} ({OURS})" if metric in SIZES else found.title(metric)


def _styled(title: str, metric: str) -> str:
    """Ours are bold and said to be; the plain number of parameters is grey."""
    text = short(template.plain(title))
    return {"ours": f"<b>{text}</b> (ours)", "trivial": f'<span style="color:{template.GREY}">{text}</span>', "proxy": text}[_sort(metric)]


def _family(name: str) -> str:
    return "the base" if name == BASE else name


def _told(found, metric, value, spread, span, letter, row) -> str:
    mean, low, high = span
    gain = f"gain {_signed(mean)} points" + (f" ({_signed(low)} to {_signed(high)})" if np.isfinite(low) else "") if np.isfinite(mean) else "gain not there yet"
    size = f"{count(int(found.parameters[row]))} parameters{f', group {letter}' if letter else ''}" if np.isfinite(found.parameters[row]) else ""
    return "<br>".join(filter(None, [f"{template.plain(found.names[row])}: {_family(found.families[row])}", size,
                                     f"{_titled(found, metric)} {number(value).replace('-', '−')}{_between(metric, *spread)}", gain]))


def _between(metric: str, low: float, high: float) -> str:
    """The spread of a size, where it has one."""
    over = "connected pairs" if metric == "distance" else "directions, 95\u202f%"
    return f" ({number(low)} to {number(high)} over {over})" if np.isfinite(low) else ""


def _checked(found, row: int) -> str:
    value = found.check[row]
    return f"{template.plain(found.names[row])}: logits {'are the same to the last digit' if value == 0 else _power(f'differ by up to {value:.1e}')}"


def _power(value) -> str:
    """A small number: "1e−5"."""
    text = value if isinstance(value, str) else f"{value:.0e}"
    return text.replace("e-0", "e−").replace("e-", "e−")


def _agreed(found, metric: str, kind: str, family: str | None) -> str:
    agreed, of = found.correlation(metric, kind, family=family), f", family {family}" if family else ""
    if agreed.reason:
        return f"{SIGNS[kind][0]}{of}: none.<br>{short(agreed.reason, 66)}"
    over = f"{_several(agreed.n, 'expansion')}{of}{'' if found.final else ' so far'}"
    return f"{SIGNS[kind][0]} = {_spanned(agreed)}<br>null sd {agreed.null_sd:.2f}, {over}"  # two lines: charts get narrow


def _spanned(c: Correlation) -> str:
    return f"{_r(c.value)} (95\u202f% {_r(c.low)} to {_r(c.high)})"


def _summed(found, line, kind: str) -> str:
    key = SIGNS[kind][2]
    regret = f"regret {100 * line['regret']:.1f} points" if np.isfinite(line["regret"]) else f"its regret is {PENDING}"
    others = ", ".join(f"{sign} {_r(line[column])}" for other, (_, sign, column) in SIGNS.items() if other != kind and np.isfinite(line[column]))
    return (f"{_titled(found, line['name'])}<br>{SIGNS[kind][0]} {_r(line[key])}, {_r(line[f'{key} low'])} to {_r(line[f'{key} high'])}<br>{others}<br>"
            f"picks {template.plain(line['pick']) or 'nothing yet'}: {regret}")


def _picked(found, metric: str) -> str:
    picks, regret, best = found.picks(metric), found.regret(metric), _best(found)
    if not picks:
        return ""
    chosen = f"{picks[0]} and {len(picks) - 1} more" if len(picks) > 1 else picks[0]
    lost = f"its gain is {PENDING}" if np.isnan(regret) else "which gained most" if regret == 0 else f"{100 * regret:.1f} points short of {found.names[best]}"
    return f"It would pick {chosen}, {lost}."


def _set(knob: str, value) -> str:
    return f"ε = {value:g}" if knob == "epsilon" else f"{value} {knob}"


def _seconds(value: float) -> str:
    return f"{value:.2g} s" if value < 100 else f"{value:.0f} s"


def _trained(steps: int) -> str:
    return f", {count(steps)} steps of training" if steps else ""


def _pending(found) -> str:
    return "" if found.final else f"{found.measured} of {int(found.expansions.sum())} expansions measured so far"


def _so_far(found) -> str:
    """How a sentence on a partial result begins."""
    return "" if found.final else "So far, "


def _r(value: float) -> str:
    return f"{value:.2f}".replace("-", "−") if np.isfinite(value) else "–"


def _signed(value: float) -> str:
    return f"{value:+.1f}".replace("-", "−")


def _several(n: int, noun: str) -> str:
    return f"{count(n)} {noun}{'s' * (n != 1)}"


def _listed(names) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _numbered(n: int, noun: str) -> str:
    """Six estimators; eleven proxies."""
    word = WORDS[n] if n < len(WORDS) else count(n)
    many = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{word} {noun if n == 1 else many}"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
