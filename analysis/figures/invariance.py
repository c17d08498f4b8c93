"""Figures of the four experiments on the role of invariance: what carries over to other data, what a mismatch costs, what matters beside it, when it harms.

Ours are bars, cells or lines with intervals over seeds. Published figures, where given, are open diamonds beside the bar of the same kind or a dashed grey
line, and are never mixed with ours. `customdata` of a mark is [row, column] of what it shows; `template.picked` reads it. What was left out stands in
`figure.layout.meta["note"]`. Each figure has its twin `..._says`: the answer in plain words.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from analysis.figures import template
from analysis.figures.comparison import cells, framed, numbers
from analysis.figures.gain import columns, rows, short
from analysis.figures.persistence import count, faded, note
from analysis.figures.sensitivity import listed, sentence
from analysis.figures.sources import below
from analysis.metrics.invariance import DATA, FIGURES, KINDS, KNOBS, NONE, RELATIONS, Carried, Harm, Importance, Mismatch
from analysis.published import INVARIANCE_OTHERS, INVARIANCE_POOLED

__all__ = ["carried", "carried_says", "kinds", "kinds_says", "mismatch", "mismatch_says", "largest", "largest_says", "importance", "importance_says",
           "importance_answer", "levels", "levels_says", "harm", "harm_says", "along", "along_says"]

PENDING, PUBLISHED = "not there yet", "published"
PATTERNS = ("", "/", ".", "x")  # of bars, beside their colours
DASHES = ("solid", "dash", "dashdot", "dot")
SAID = {"same": "trained with that transform", "other": "with another", NONE: "with none"}
CARRIES = ((0.5, "to"), (0.25, "less to"), (0.0, "hardly to"), (-np.inf, "not to"))  # from which part of what is lost on the objects of training
IGNORED, KEPT, USED, SAME = "ignored", "noticed no less", "used", "the same"  # what a network makes of the object
TURNED = {"correlation": "Correlation of the object's class with the label", "availability": "Share of pictures that carry an object"}
TURN = 50  # letters beneath an axis, all columns as wide as the widest, from which on they lean
LEAN = 30  # pixels that leaning names take
FELL = 5  # points of accuracy that are too many to be nothing
WRITTEN = 20  # columns up to which cells carry their numbers
PALE = 0.46  # place in the colour scale from which black is easier to read on it than white
ROW = 26  # pixels
WIDE = 150  # pixels around the middle of a cell in which it is hit
BAR = 0.6  # of its slot that a bar takes; what is published stands in the rest
OPEN = {"symbol": "diamond-open", "size": 8, "color": template.GREY, "line": {"width": 2, "color": template.GREY}}


# what carries over

def carried(found: Carried, data: str, *, at: tuple | None = None, height: int | None = None, revision: str = "carried"):
    """Sensitivity on one kind of data: of each network (row, by the transform that it was trained with) to each transform (column). Framed is the transform
    itself; colours mean the same on all kinds of data. `customdata` is [row, column].

    at  the cell (row, column) to mark
    """
    spans = found.spans()
    values, top = spans[:, :, found.data.index(data), 0], max(1.0, float(np.nanmax(spans[..., 0], initial=0)))
    row, column = (index.ravel() for index in np.indices(values.shape))
    said = [_carried(found, data, spans, i, j) for i, j in zip(row, column, strict=True)]
    lean = _lean(found.transforms)
    room = height - 120 - lean if height else 30 + ROW * len(found.trained)
    idle = found.idle(data)
    own = _ringed((i, found.transforms.index(name)) for i, name in enumerate(found.trained) if name in found.transforms and name not in idle)
    bar = {"title": {"text": "Sensitivity", "side": "right"}, "thickness": 12, "outlinewidth": 0, "len": 0.95}
    empty = [{"text": "nothing to do", "x": found.transforms.index(name), "y": (len(found.trained) - 1) / 2, "textangle": -90, "showarrow": False,
              "font": {"size": 12}, "name": "idle"} for name in idle]
    return template.figure(*_heat(values, 0, top, bar, ".2f", said, room), height=height or 120 + lean + room, uirevision=revision, shapes=own + framed(at),
                           hoverdistance=WIDE, margin={"t": 12}, annotations=empty,
                           meta={"note": note([_seeds(found, found.sensitivity), "framed: the transform trained with",
                                               _pending(values, _reasons(found, data))])},
                           xaxis={**columns([template.plain(t) for t in found.transforms]), "tickangle": -40 if lean else 0, "title": {"text": "Tested with"}},
                           yaxis={**rows([template.plain(t) for t in found.trained]), "title": {"text": "Trained with"}})


def carried_says(found: Carried, data: str) -> str:
    values = dict(zip(KINDS, found.kinds()[:, found.data.index(data), 0], strict=True))
    cell = found.spans()[:, :, found.data.index(data), 0]
    own = {name: cell[i, found.transforms.index(name)] for i, name in enumerate(found.trained) if name in found.transforms}
    own = {name: value for name, value in own.items() if np.isfinite(value)}
    if not np.isfinite(values["same"]):
        return f"On {data}, no network has been tested with its own transform yet."
    most, least = max(own, key=own.get), min(own, key=own.get)
    ends = f"; its own transform is ignored most after {least} ({own[least]:.2f}) and least after {most} ({own[most]:.2f})" if len(own) > 1 else ""
    return f"On {data}, {_kinds(values)}{ends}.{_full(_fewer(found, data))} {sentence(_seeds(found, found.sensitivity))}."


def kinds(found: Carried, published: Mapping[str, Mapping[str, float]] | None = None, *, by: str = "", height: int = 400, revision: str = "kinds"):
    """On each kind of data, mean sensitivity to a transform where the network was trained with it, with another, and with none. `customdata` is [data, kind].

    published  kind -> data -> value; data that only they have stand at the right
    by         whose, for example "ResNet-18"
    """
    published = published or {}
    names = [*found.data, *dict.fromkeys(name for row in published.values() for name in row if name not in found.data)]
    spans = np.full((len(KINDS), len(names), 3), np.nan)
    spans[:, :len(found.data)] = found.kinds()
    theirs = [[published.get(kind, {}).get(name, np.nan) for name in names] for kind in KINDS]
    traces = _grouped([SAID[kind] for kind in KINDS], names, spans, theirs, "{:.2f}", by=by)
    return template.figure(*traces, height=height, uirevision=revision, barmode="overlay", legend=below(), showlegend=True, margin={"t": 12, "b": 90},
                           meta={"note": note([_seeds(found, found.sensitivity), *(_fewer(found, name, template.plain) for name in found.data),
                                               "" if found.final else _pending(spans[:, :len(found.data), 0]), _theirs(published, INVARIANCE_OTHERS)])},
                           xaxis=_groups(names),
                           yaxis={"title": {"text": "Sensitivity"}, "range": [0, _top(spans, theirs, 1.0)]}, shapes=[_rule(1, "random pairs")],
                           annotations=[_label(1, "random pairs")])


def kinds_says(found: Carried, published: Mapping[str, Mapping[str, float]] | None = None) -> str:
    means = {name: dict(zip(KINDS, row, strict=True)) for name, row in zip(found.data, found.kinds()[..., 0].T.tolist(), strict=True)}
    known = {name: row for name, row in means.items() if np.isfinite(list(row.values())).any()}
    if not known:
        return "No network has been tested yet."
    both = {name: (row["same"], row[NONE]) for name, row in known.items() if np.isfinite([row["same"], row[NONE]]).all()}
    told = _carries(both, known) if DATA[0] in both else f"Mean sensitivity: {'; '.join(f'on {name} {_kinds(row)}' for name, row in known.items())}."
    theirs = [f"{name} {row[name]:.2f} against {none[name]:.2f}" for row, none in [[(published or {}).get(kind, {}) for kind in ("same", NONE)]]
              for name in row if name in none]
    said = f" Published: {', '.join(theirs)}." if theirs else ""
    return f"{told}{''.join(_full(_fewer(found, name)) for name in known)}{said} {sentence(_seeds(found, found.sensitivity))}."


def _carries(both: Mapping[str, tuple], known: Mapping[str, Mapping]) -> str:
    """On which data a network ignores what it was trained with: each by the part of its sensitivity that is lost, beside that on the objects of training."""
    lost = {name: 1 - same / none for name, (same, none) in both.items()}
    home = f"On {DATA[0]}, {_kinds(known[DATA[0]])}."
    if lost[DATA[0]] <= 0:
        return f"No transform was learned to be ignored, so nothing carries over. {home}"
    parts = []
    for name in sorted(both, key=lost.get, reverse=True):
        if name != DATA[0]:
            same, none = both[name]
            how = next(word for least, word in CARRIES if lost[name] / lost[DATA[0]] > least)
            parts.append(f"{how} {name} ({'' if parts else 'sensitivity '}{same:.2f} against {none:.2f}{'' if parts else ' trained without it'})")
    return f"Ignoring a transform carries over {', '.join(parts)}. {home}" if parts else home


# mismatch

def mismatch(found: Mismatch, *, at: tuple | None = None, height: int | None = None, revision: str = "mismatch"):
    """Accuracy on a target under each set of transforms (column) of networks pretrained under each (row). Along the frames the sets are the same; below them
    pretraining has more transforms than the target, above fewer. `customdata` is [row, column].

    at  the cell (row, column) to mark
    """
    spans, sizes = 100 * found.spans(), np.array(found.trained)
    row, column = (index.ravel() for index in np.indices(spans.shape[:2]))
    said = [f"pretrained under {_set(found, found.trained[i])}<br>tested under {_set(found, found.tested[j])}: {_relation(found, i, j)}<br>"
            f"{_percent(spans[i, j])}" for i, j in zip(row, column, strict=True)]
    height = height or 190 + 1.3 * ROW * len(sizes)
    own = _ringed((i, found.tested.index(size)) for i, size in enumerate(found.trained) if size in found.tested)
    costs = found.costs()
    heads = [{"text": f"<b>{where} the frames: {name}</b> {_cost(costs[name])}", "x": 0, "xref": "paper", "xanchor": "left", "y": 1, "yshift": up,
              "yref": "paper", "yanchor": "bottom", "showarrow": False, "font": {"size": 12}, "name": name}
             for name, where, up in (("superset", "Below", 0), ("subset", "Above", 17))]
    bar = {"title": {"text": "Accuracy, %", "side": "right"}, "thickness": 12, "outlinewidth": 0, "len": 0.95}
    return template.figure(*_heat(spans[..., 0], 100 * found.chance, 100, bar, ".0f", said, height - 150, 13), height=height, uirevision=revision,
                           shapes=own + framed(at), hoverdistance=WIDE, annotations=heads, margin={"t": 52},
                           meta={"note": note([_seeds(found, found.accuracy), f"colours from chance, {100 * found.chance:.0f}\u202f%",
                                               _pending(spans[..., 0])])},
                           xaxis={**columns([f"{n}" for n in found.tested]), "title": {"text": "Transforms of the target"}},
                           yaxis={**rows(_joined(found)), "ticktext": _joined(found), "title": {"text": "Transforms of pretraining"}})


def mismatch_says(found: Mismatch) -> str:
    costs = found.costs()
    told = [f"under {which} transforms {_cost(costs[name])}" for name, which in (("superset", "more"), ("subset", "fewer"))
            if np.isfinite(costs[name][0])]
    if not told:
        return "What a mismatch costs is told beside pretraining under the target's own transforms, which is not there yet."
    return f"Beside pretraining under the target's own transforms, pretraining {', and '.join(told)}. {sentence(_seeds(found, found.accuracy))}."


def largest(found: Mismatch, published: Sequence[float] | None = None, *, height: int = 400, revision: str = "largest"):
    """Accuracy on the target with the most transforms, over how many pretraining had; dotted, what each network itself reaches on its own classes and
    transforms. `customdata` is the row.

    published  the same, after pretraining under 1, 2, ... transforms, for a target with as many as there are values
    """
    spans, sizes = 100 * found.to_largest(), np.array(found.trained)
    most, known = max(found.tested), np.flatnonzero(np.isfinite(spans[:, 0]))
    said = [f"pretrained under {_set(found, found.trained[i])}<br>{_percent(spans[i])}" for i in known]
    colour = template.PALETTE[0]
    traces = [go.Scatter(x=sizes[known], y=spans[known, 0].astype(np.float32), customdata=known.astype(np.int32), mode="lines+markers", hovertext=said,
                         name=f"ours, to all {most}", error_y=_error(*spans[known].T, colour), line={"width": 2.6, "color": colour},
                         marker={"color": colour, "size": 10}, hovertemplate="%{hovertext}<extra></extra>", unselected={"marker": {"opacity": 0.7}})]
    traces += _own(100 * found.own(), sizes, colour)
    if published is not None:
        steps = np.arange(1, len(published) + 1)
        traces.insert(0, go.Scatter(x=steps, y=100 * np.asarray(published, np.float32), mode="lines+markers", name=f"{PUBLISHED}, to all {len(published)}",
                                    line={"width": 2, "dash": "dash", "color": template.GREY}, marker=OPEN,
                                    hovertemplate=f"{PUBLISHED}: %{{y:.0f}}\u202f% after %{{x}} of {len(published)}<extra></extra>"))
    ends = [min(sizes) - 0.4, max(*sizes, len(published or ())) + 0.4]
    return template.figure(*traces, height=height, uirevision=revision, legend=below(), showlegend=True, margin={"t": 12, "b": 76},
                           shapes=[_rule(100 * found.chance, "chance")], annotations=[_label(100 * found.chance, "chance")],
                           meta={"note": note([_seeds(found, found.accuracy), _pending(spans[:, 0]), _theirs(published)])},
                           xaxis={"range": ends, "dtick": 1, "title": {"text": "Transforms of pretraining"}},
                           yaxis={"range": [0, 104], "title": {"text": f"Accuracy under all {most} transforms, %"}})


def largest_says(found: Mismatch, published: Sequence[float] | None = None) -> str:
    spans, most = 100 * found.to_largest(), max(found.tested)
    known = np.flatnonzero(np.isfinite(spans[:, 0]))
    if not len(known):
        return f"Nothing has been tested under all {most} transforms yet."
    ends = [f"{_percent(spans[i])} after pretraining under {found.trained[i]}" for i in dict.fromkeys(known[[0, -1]])]
    theirs = f" Published, for {len(published)}: {100 * published[0]:.0f}\u202f% after 1, {100 * published[-1]:.0f}\u202f% after all." if published else ""
    return (f"Under all {most} transforms accuracy is {', and '.join(ends)} (chance: {100 * found.chance:.0f}\u202f%).{_itself(found)}{theirs} "
            f"{sentence(_seeds(found, found.accuracy))}.")


def _own(spans, sizes, colour: str) -> list:
    """What each network reaches on what it learned: how far its own training went."""
    known = np.flatnonzero(np.isfinite(spans[:, 0]))
    said = [f"on its own classes and transforms, {sizes[i]}<br>{_percent(spans[i])}" for i in known]
    return [go.Scatter(x=sizes[known], y=spans[known, 0].astype(np.float32), mode="lines", name="ours, on its own classes and transforms", hovertext=said,
                       hovertemplate="%{hovertext}<extra></extra>", line={"width": 1.5, "dash": "dot", "color": colour})] if len(known) else []


def _itself(found) -> str:
    """How far the training of the networks themselves went, first and last."""
    own = 100 * found.own()[:, 0]
    known = np.flatnonzero(np.isfinite(own))
    if not len(known):
        return ""
    first, last = own[known[[0, -1]]]
    least, most = (found.trained[i] for i in known[[0, -1]])
    size = f"all {most}" if most == max(found.tested) else f"{most}"
    told = f" The network itself tells {last:.1f}\u202f% of its own classes under {size}"
    if len(known) == 1:
        return f"{told}."
    return f"{told}, against {first:.1f}\u202f% under {least}" + (
        ": part of what is missing at the right is that it learned less of its own task." if first - last > FELL else ".")


# importance

def importance(found: Importance, published: Mapping[str, Sequence[float]] | None = None, *, height: int = 400, revision: str = "importance"):
    """For each thing that was varied, how far its levels lie apart under disjoint transforms, how far those lie below the target's own transforms, and how far
    apart its levels lie under those. `customdata` is [factor, figure].

    published  factor -> the three
    """
    ours, published = found.figures(), published or {}
    names = [*ours, *(name for name in published if name not in ours)]
    spans = 100 * np.array([[ours.get(name, {}).get(figure, (np.nan,) * 3) for name in names] for figure in FIGURES])
    theirs = 100 * np.array([[published[name][i] if name in published else np.nan for name in names] for i in range(len(FIGURES))], np.float64)
    traces = _grouped(FIGURES, names, spans, theirs, "{:.1f} points")
    low = min(0.0, 1.1 * float(np.nanmin(spans, initial=0)))
    return template.figure(*traces, height=height, uirevision=revision, barmode="overlay", legend=below(), showlegend=True, margin={"t": 12, "b": 90},
                           shapes=[_rule(0, "no difference", dash="solid")], xaxis=_groups(names),
                           meta={"note": note([_seeds(found, found.accuracy), _pending(spans[:, :len(ours), 0]), _theirs(published)])},
                           yaxis={"title": {"text": "Difference of accuracy,<br>percentage points"}, "range": [low, _top(spans, theirs, 5.0)]})


def importance_says(found: Importance, published: Mapping[str, Sequence[float]] | None = None) -> str:
    known = {factor: of for factor, of in found.figures().items() if np.isfinite([of[figure][0] for figure in FIGURES]).all()}
    if not known:
        return "Nothing can be compared yet."
    told = []
    for factor, of in known.items():
        theirs = f", published {listed([f'{100 * value:.0f}' for value in published[factor]])}" if factor in (published or {}) else ""
        ours = ", ".join(f"{figure} " + _span(100 * np.array(of[figure]), "{:.1f}").replace("-", "−") for figure in FIGURES)
        told.append(f"{factor}: {ours}{theirs}")
    return f"{_weightiest(known)} In points, {'; '.join(told)}. {sentence(_seeds(found, found.accuracy))}."


def importance_answer(found: Importance) -> str:
    """The same in short: what matters most."""
    known = {factor: of for factor, of in found.figures().items() if np.isfinite([of[figure][0] for figure in FIGURES]).all()}
    return f"{_weightiest(known)} {sentence(_seeds(found, found.accuracy))}." if known else importance_says(found)


def _weightiest(known: Mapping[str, Mapping[str, tuple]]) -> str:
    """Whether the transforms matter more than each of the factors: what they add, beside how far the levels lie apart, at most."""
    adds = {factor: of["same vs disjoint"] for factor, of in known.items()}
    moves = {factor: max(of["within disjoint"], of["within same"]) for factor, of in known.items()}
    less = [factor for factor in known if adds[factor][0] > moves[factor][0]]
    more = [factor for factor in known if factor not in less]
    close = [factor for factor in known if adds[factor][1] < moves[factor][2] and moves[factor][1] < adds[factor][2]]
    gains = sorted(100 * span[0] for span in adds.values())
    between = _signed(gains[0]) + (f" to {_signed(gains[-1])}" if len(gains) > 1 else "")
    most = "The transforms matter most" + (", on average" if close else "")
    beside = f", {listed(less)} less" if less else ""
    rank = f"{sentence(listed(more))} {'matters' if len(more) == 1 else 'matter'} more than the transforms{beside}" if more else most
    unsure = f" Not clearly so beside {listed(close)}: the intervals overlap." if close else ""
    moved = listed([f"{_signed(100 * moves[factor][0])} with {factor}" for factor in known])
    return f"{rank}: the target's own add {between} points of accuracy; accuracy moves by at most {moved}.{unsure}"


def levels(found: Importance, *, height: int | None = None, revision: str = "levels"):
    """What the differences come from: accuracy at every level of what was varied, pretrained under the target's transforms and under as many others.
    `customdata` is [row, relation]."""
    spans, ticks, place, last = 100 * found.spans(), [], [], None
    for factor, level in zip(found.factors, found.levels, strict=True):
        if factor != last:
            ticks.append(f"<b>{sentence(template.plain(factor))}</b>")
            last = factor
        place.append(len(ticks))
        ticks.append(short(template.plain(level), 30))
    traces, place = [], np.array(place)
    for i, (relation, (colour, symbol)) in enumerate(zip(RELATIONS, template.marks(2), strict=True)):
        known = np.flatnonzero(np.isfinite(spans[i, :, 0]))
        said = [f"{template.plain(found.factors[row])}: {template.plain(found.levels[row])}<br>{relation} transforms: {_percent(spans[i, row])}"
                for row in known]
        traces.append(go.Scatter(x=spans[i, known, 0].astype(np.float32), y=(place[known] + 0.16 * (2 * i - 1)).astype(np.float32), mode="markers",
                                 name=f"{relation} transforms", error_x=_error(*spans[i, known].T, colour), hovertext=said,
                                 customdata=np.column_stack([known, np.full(len(known), i)]).astype(np.int32), hovertemplate="%{hovertext}<extra></extra>",
                                 marker={"color": colour, "symbol": symbol, "size": 10}, unselected={"marker": {"opacity": 0.75}}))
    return template.figure(*traces, height=height or 120 + 27 * len(ticks), uirevision=revision, legend=below(), showlegend=True, margin={"t": 26, "b": 76},
                           shapes=[{**_rule(100 * found.chance, "chance"), "xref": "x", "yref": "paper", "x0": 100 * found.chance, "x1": 100 * found.chance,
                                    "y0": 0, "y1": 1}],
                           annotations=[{"text": "chance", "x": 100 * found.chance, "y": 1, "yref": "paper", "yanchor": "bottom", "showarrow": False,
                                         "font": {"size": 12}}], meta={"note": note([_seeds(found, found.accuracy), _pending(spans[..., 0])])},
                           xaxis={"range": [0, 104], "title": {"text": "Accuracy on the target, %"}},
                           yaxis={**rows(ticks), "ticktext": ticks})


def levels_says(found: Importance) -> str:
    means = {relation: found.spans()[i, :, 0] for i, relation in enumerate(RELATIONS)}
    both = np.isfinite(means["same"]) & np.isfinite(means["disjoint"])
    if not both.any():
        return "No level has been tested under both kinds of transforms yet."
    ahead = int((means["same"] > means["disjoint"])[both].sum())
    return f"The target's own transforms are ahead at {ahead} of {int(both.sum())} levels. {sentence(_seeds(found, found.accuracy))}."


# harm

def harm(found: Harm, setting: int = 0, published: Mapping[str, tuple] | None = None, *, height: int = 440, revision: str = "harm"):
    """Left, the accuracy that every training reaches in each transfer; right, how sensitive it is to another picture and to another object. `customdata` is
    [transfer or part, training], parts counted on from the transfers.

    published  training -> (accuracy in each transfer, sensitivity to each part)
    """
    names, published, first = [template.plain(name) for name in found.trained], published or {}, len(found.transfers)
    theirs = [np.array([published[name][side] if name in published else (np.nan,) * n for name in found.trained], np.float64)
              for side, n in enumerate((first, len(found.parts)))]
    accuracy, sensed = 100 * found.spans(setting), found.sensed(setting)
    left = _grouped(names, found.transfers, accuracy, 100 * theirs[0], "{:.1f}\u202f%")
    parts = [f"to another {part}" for part in found.parts]
    right = _grouped(names, parts, sensed, theirs[1], "{:.2f}", shown=False, at=first, xaxis="x2", yaxis="y2")
    chance = [{"type": "line", "x0": i - 0.45, "x1": i + 0.45, "y0": 100 * level, "y1": 100 * level, "name": "chance",
               "line": {"width": 1.6, "color": template.GREY, "dash": "dot"}} for i, level in enumerate(found.chance)]
    heads = [{"text": f"<b>{text}</b>", "x": 0, "xref": f"{axis} domain", "xanchor": "left", "y": 1, "yref": "paper", "yanchor": "bottom", "showarrow": False,
              "font": {"size": 13}} for text, axis in (("Accuracy, % (dotted: chance)", "x"), ("Sensitivity", "x2"))]
    missing = np.concatenate([accuracy[..., 0].ravel(), sensed[..., 0].ravel()])
    random = {**_rule(1, "random pairs"), "xref": "x2 domain", "yref": "y2"}
    return template.figure(*left, *right, height=height, uirevision=revision, barmode="overlay", legend=below(), showlegend=True, shapes=[*chance, random],
                           annotations=heads, margin={"t": 34, "b": 100},
                           meta={"note": note([_setting(found, setting), _seeds(found, found.accuracy[setting]), "sensitivity 1: random pairs",
                                               _pending(missing), _theirs(published)])},
                           xaxis={**_groups(found.transfers), "domain": [0, 0.64]},
                           xaxis2={**_groups(found.parts), "ticktext": [f"to another<br>{template.plain(part)}" for part in found.parts], "domain": [0.71, 1]},
                           yaxis={"range": [0, 104]}, yaxis2={"anchor": "x2", "range": [0, _top(sensed, theirs[1], 1.0)]})


def harm_says(found: Harm, setting: int = 0, published: Mapping[str, tuple] | None = None) -> str:
    cost, use, column = found.harm(setting), _use(found, setting), found.transfers.index("both → object")
    if not np.isfinite(cost[0]):
        return "What ignoring the object costs is not there yet."
    alone, beside = (100 * found.spans(setting)[found.trained.index(name), column, 0] for name in ("picture → picture", "both → picture"))
    ends, sensed = f"{beside:.1f}\u202f% instead of {alone:.1f}\u202f% (chance: {100 * found.chance[column]:.0f}\u202f%)", _sensed(found, [setting])
    if use == SAME:
        told = f"No picture carries an object: both → picture is the same network as picture → picture, and tells {alone:.1f}\u202f% of the objects."
    elif use == IGNORED and cost[0] > 0:
        unsure = ", which may be chance" if cost[1] < 0 else ""
        told = f"The network learned to ignore the object{sensed} and tells {ends} of the objects: a harm of {_points(cost)}{unsure}."
    else:
        told = f"Training with the object changed object accuracy by {_change(cost)}, to {ends}" + (f": the object is {use}{sensed}." if use else ".")
    return (f"{told}{_room(found, column, alone, published) if use == IGNORED else ''} {sentence(_setting(found, setting))}. "
            f"{sentence(_seeds(found, found.accuracy[setting]))}.")


def _use(found, setting: int) -> str:
    """What both → picture makes of the object, by its sensitivity; empty while there is none."""
    if found.settings[setting][KNOBS.index("availability")] == 0:
        return SAME
    more, low, _ = found.noticed(setting)
    return "" if np.isnan(more) else IGNORED if more < 0 else KEPT if low <= 0 else USED


def _sensed(found, settings: Sequence[int]) -> str:
    """Sensitivity to the object, beside that of training on pictures alone."""
    values = [found.sensed(i)[found.trained.index(name), found.parts.index("object"), 0] for name, of in (
        ("both → picture", settings), ("picture → picture", settings[:1])) for i in of]
    return f" (sensitivity {listed([f'{v:.2f}' for v in values[:-1]])} instead of {values[-1]:.2f})" if np.isfinite(values).all() else ""


def _room(found, column: int, alone: float, published) -> str:
    """How much there is to lose, where what is published starts far higher."""
    theirs, chance = 100 * published["picture → picture"][0][column] if published else np.nan, 100 * found.chance[column]
    little = alone - chance < (theirs - chance) / 2
    return f" Ours starts at {alone:.0f}\u202f%, the published one at {theirs:.0f}\u202f%, so there is little room to lose." if little else ""


def along(found: Harm, knob: str, *, transfer: str = "both → object", setting: int | None = None, height: int = 380, revision: str = "along"):
    """Accuracy of every training in one transfer, over a knob: the correlation of the object with the label, or the share of pictures that carry one.
    `customdata` is [setting, training].

    setting  to mark
    """
    values, there = found.along(knob)
    column = found.transfers.index(transfer)
    spans = 100 * np.array([found.spans(i)[:, column] for i in there]).reshape(len(there), len(found.trained), 3)
    traces = []
    for row, (colour, symbol) in enumerate(template.marks(len(found.trained))):
        known, name = np.flatnonzero(np.isfinite(spans[:, row, 0])), template.plain(found.trained[row])
        said = [f"{name}<br>{knob} {values[i]:g}<br>{_percent(spans[i, row])}" for i in known]
        traces.append(go.Scatter(x=values[known], y=spans[known, row, 0].astype(np.float32), mode="lines+markers", name=name, hovertext=said,
                                 customdata=np.column_stack([np.array(there)[known], np.full(len(known), row)]).astype(np.int32),
                                 hovertemplate="%{hovertext}<extra></extra>", error_y=_error(*spans[known, row].T, colour),
                                 marker={"color": colour, "symbol": symbol, "size": 9}, line={"color": colour, "dash": DASHES[row % len(DASHES)], "width": 2.4},
                                 unselected={"marker": {"opacity": 0.7}}))
    level, own = 100 * found.chance[column], KNOBS.index(knob)
    chosen = [{"type": "line", "x0": found.settings[setting][own], "x1": found.settings[setting][own], "yref": "paper", "y0": 0, "y1": 1, "layer": "below",
               "name": "chosen", "line": {"width": 8, "color": faded(template.GREY, 0.3)}}] if setting in there else []
    return template.figure(*traces, height=height, uirevision=revision, legend=below(), showlegend=True, margin={"t": 12, "b": 90},
                           shapes=[_rule(level, "chance"), *chosen], annotations=[_label(level, "chance")],
                           meta={"note": note([f"{KNOBS[1 - own]} {found.settings[0][1 - own]:g}", _seeds(found, found.accuracy[there].swapaxes(0, 1)),
                                               _pending(spans[..., 0])])},
                           xaxis={"title": {"text": TURNED[knob]}, "range": [min(values) - 0.05, max(values) + 0.05]},
                           yaxis={"range": [0, 104], "title": {"text": f"Accuracy, {template.plain(transfer)}, %"}})


def along_says(found: Harm, knob: str) -> str:
    values, there = found.along(knob)
    costs = {i: (value, found.harm(i)) for value, i in zip(values, there, strict=True) if np.isfinite(found.harm(i)[0])}
    if not costs:
        return "What ignoring the object costs is not there yet."
    uses = {i: _use(found, i) for i in costs}
    ignored, same = ([i for i, use in uses.items() if use == kind] for kind in (IGNORED, SAME))
    rest = [i for i in costs if i not in ignored + same]
    each = lambda tell, places: listed([f"{tell(costs[i][1])} at {costs[i][0]:g}" for i in places])
    told = [f"where the object is ignored, that harms by {each(_points, ignored)}"] * bool(ignored)
    if rest:
        where = f"from {costs[rest[0]][0]:g} on" if len(rest) > 1 and list(costs)[-len(rest):] == rest else f"at {listed([f'{costs[i][0]:g}' for i in rest])}"
        known = all(uses[i] for i in rest)
        use = f" the object is {USED if all(uses[i] == USED for i in rest) else 'not ignored'}{_sensed(found, rest)}, and" if known else ""
        told.append(f"{where}{use} object accuracy changes by {each(_change, rest)}")
    if same:
        told.append(f"at {costs[same[0]][0]:g} no picture carries one: the two networks are one and the same")
    return f"Over the {TURNED[knob][0].lower()}{TURNED[knob][1:]}: {'; '.join(told)}."


# what they share

def _grouped(series: Sequence[str], groups: Sequence[str], spans, published, form: str, *, by: str = "", shown: bool = True, at: int = 0, **where) -> list:
    """A bar per series in each group with its interval, and what is published beside it. spans: (series, groups, 3); published: (series, groups), NaN where
    there is none. `customdata` is [group, series], groups counted from `at`."""
    published, slot, traces = np.asarray(published, np.float64), 0.84 / len(series), []
    for i, (name, colour) in enumerate(zip(series, _looks(series), strict=True)):
        known = np.flatnonzero(np.isfinite(spans[i, :, 0]))
        mean, low, high = spans[i, known].T
        middle = known + (i - (len(series) - 1) / 2) * slot - (1 - BAR) / 2 * slot
        said = [f"{name}, {template.plain(groups[g])}<br>{_span(spans[i, g], form)}" + (f"<br>{PUBLISHED} {form.format(published[i, g])}" if
                np.isfinite(published[i, g]) else "") for g in known]
        traces.append(go.Bar(x=middle.astype(np.float32), y=mean.astype(np.float32), width=BAR * slot, name=name, legendgroup=name, showlegend=shown,
                             marker={"color": faded(colour, 0.6), "line": {"width": 1.4, "color": colour}, "pattern": {
                                 "shape": PATTERNS[i % 4], "fgcolor": colour, "fillmode": "overlay", "size": 7, "solidity": 0.35}},
                             error_y=_error(mean, low, high, colour), hovertext=said,
                             customdata=np.column_stack([at + known, np.full(len(known), i)]).astype(np.int32), hovertemplate="%{hovertext}<extra></extra>",
                             unselected={"marker": {"opacity": 0.8}}, **where))
    row, group = np.nonzero(np.isfinite(published))
    if len(row):
        spots = group + (row - (len(series) - 1) / 2) * slot + BAR / 2 * slot
        spots = np.where(np.isfinite(spans[row, group, 0]), spots, spots - BAR / 2 * slot)
        label, looks = f"{PUBLISHED}, {template.plain(by)}" if by else PUBLISHED, _looks(series)
        traces.append(go.Scatter(x=spots.astype(np.float32), y=published[row, group].astype(np.float32), mode="markers", name=label,
                                 marker={**OPEN, "color": [looks[r] for r in row]}, legendgroup=PUBLISHED, showlegend=False, **where,
                                 hovertemplate="%{hovertext}<extra></extra>", unselected={"marker": {"opacity": 1}},
                                 hovertext=[f"{series[r]}, {template.plain(groups[g])}<br>{label} {form.format(published[r, g])}" for r, g in
                                            zip(row, group, strict=True)]))
        traces += [go.Scatter(x=[None], y=[None], mode="markers", marker=OPEN, name=f"{label}: right of its bar", legendgroup=PUBLISHED, **where)] * shown
    return traces


def _looks(series: Sequence[str]) -> list[str]:
    """A colour each; what was trained with nothing is grey."""
    return [template.GREY if name == SAID[NONE] else colour for name, colour in zip(series, template.colours(len(series)), strict=True)]


def _heat(values, low: float, high: float, bar: dict, form: str, said, room: float, size: int = 11) -> list:
    """A heatmap with its numbers, and cells that can be clicked."""
    ground = go.Heatmap(z=values.astype(np.float32), zmin=low, zmax=high, colorscale=template.SEQUENTIAL, colorbar=bar, hoverinfo="skip", xgap=1, ygap=1,
                        name="value")
    pale = values >= low + PALE * (high - low)
    written = [numbers(np.where(mask, values, np.nan), ink, form, size=size) for mask, ink in ((pale, "#000000"), (~pale, "#FFFFFF"))]
    row, column = (index.ravel() for index in np.indices(values.shape))
    return [ground, *(written if max(values.shape) <= WRITTEN else ()), cells(row, column, said, 0.9 * room / max(len(values), 1))]


def _ringed(places) -> list:
    """A thin frame about the cells where what was trained with is what is tested with."""
    return [{"type": "rect", "x0": j - 0.5, "x1": j + 0.5, "y0": i - 0.5, "y1": i + 0.5, "name": "the same", "line": {"width": width, "color": colour}}
            for i, j in places for width, colour in zip((3.2, 1.2), template.RING, strict=True)]


def _error(value, low, high, colour) -> dict:
    if not np.isfinite(low).any():
        return {"visible": False}
    return {"type": "data", "array": np.nan_to_num(high - value).astype(np.float32), "arrayminus": np.nan_to_num(value - low).astype(np.float32), "width": 4,
            "thickness": 2, "color": colour}


def _rule(y: float, name: str, *, dash: str = "dot") -> dict:
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y, "name": name, "line": {"width": 1.5, "color": template.GREY, "dash": dash}}


def _label(y: float, text: str) -> dict:
    return {"text": text, "x": 1, "xref": "paper", "xanchor": "right", "y": y, "yanchor": "bottom", "showarrow": False, "font": {"size": 12}}


def _top(spans, published, least: float) -> float:
    return 1.08 * max(least, float(np.nanmax(spans, initial=0)), float(np.nanmax(np.asarray(published, np.float64), initial=0)))


def _lean(names: Sequence[str]) -> int:
    """Pixels that names beneath an axis take for leaning, where they would run together."""
    return LEAN if len(names) * max(map(len, names)) > TURN else 0


def _groups(names: Sequence[str]) -> dict:
    """An axis of groups of bars, what has several words in two lines."""
    return {**columns(names), "ticktext": ["<br>".join(template.plain(name).split(" ", 1)) for name in names], "tickangle": 0}


# in words

def _kinds(values: Mapping[str, float]) -> str:
    return ", ".join(f"{value:.2f} {SAID[kind]}" for kind, value in values.items() if np.isfinite(value))


def _fewer(found, data: str, plain=str) -> str:
    """That a mean is of fewer transforms."""
    idle = [plain(name) for name in found.idle(data)]
    does = "does" if len(idle) == 1 else "do"
    told = f"the means on {data} are of {len(found.transforms) - len(idle)} of {len(found.transforms)} transforms: {listed(idle)} {does} nothing to them"
    return told if idle else ""


def _full(text: str) -> str:
    return f" {sentence(text)}." if text else ""


def _carried(found, data: str, spans, i: int, j: int) -> str:
    column = found.data.index(data)
    name, transform = template.plain(found.trained[i]), template.plain(found.transforms[j])
    head = f"trained with {name}, tested with {transform}<br>"
    reason = found.reasons.get(f"{found.trained[i]} · {found.transforms[j]} · {data}", "")
    if not np.isfinite(spans[i, j, column, 0]):
        return head + (template.plain(reason) if reason else PENDING)
    none = spans[found.trained.index(NONE), j, column, 0] if NONE in found.trained and name != NONE else np.nan
    return f"{head}sensitivity {_span(spans[i, j, column], '{:.2f}')}" + (f"<br>{none:.2f} without training for it" if np.isfinite(none) else "")


def _reasons(found, data: str) -> int:
    """Cells that will stay empty."""
    return sum(key.endswith(f" · {data}") for key in found.reasons)


def _set(found, n: int) -> str:
    return "no transform" if n == 0 else "1 transform" if n == 1 else f"{n} transforms"


def _joined(found) -> list[str]:
    """What joins at each size: "2: + rotate"."""
    starts = [0, *found.trained[:-1]]
    texts = [template.plain(", ".join(found.transforms[a:b])) for a, b in zip(starts, found.trained, strict=True)]
    return [f"<b>{n}</b>" + f": {'+ ' * bool(a)}{short(text)}" * bool(text) for a, text, n in zip(starts, texts, found.trained, strict=True)]


def _relation(found, i: int, j: int) -> str:
    more = found.trained[i] - found.tested[j]
    return "the same" if more == 0 else f"{more} fewer than in pretraining (superset)" if more > 0 else f"{-more} more than in pretraining (subset)"


def _cost(span) -> str:
    return f"costs {_points(span)}" if np.isfinite(span[0]) else PENDING


def _points(span) -> str:
    """A difference of shares: "12.3 points (10.1 to 14.5)"."""
    between = f" ({_signed(100 * span[1])} to {_signed(100 * span[2])})" if np.isfinite(span[1]) else ""
    return f"{_signed(100 * span[0])} points{between}"


def _change(cost) -> str:
    """What was lost, told as a change: "+12.3 points (+10.1 to +14.5)"."""
    mean, high, low = (f"{-100 * value:+.1f}".replace("-", "−") for value in cost)
    return f"{mean} points" + (f" ({low} to {high})" if np.isfinite(cost[1]) else "")


def _signed(value: float) -> str:
    return f"{value:.1f}".replace("-", "−")


def _span(span, form: str) -> str:
    mean, low, high = span
    bare = form.partition("}")[0] + "}"  # the unit stands once
    return form.format(mean) + (f" ({bare.format(low)} to {bare.format(high)})" if np.isfinite(low) else "")


def _percent(span) -> str:
    return _span(span, "{:.1f}\u202f%") if np.isfinite(span[0]) else PENDING


def _setting(found, setting: int) -> str:
    return ", ".join(f"{knob} {value:g}" for knob, value in zip(KNOBS, found.settings[setting], strict=True))


def _seeds(found, values) -> str:
    """How much a figure rests on; one seed has no interval. Some cells stay empty for good: whether all is there, the result itself knows."""
    there, total = np.isfinite(values.reshape(len(values), -1)), len(values)
    begun, done = int(there.any(axis=1).sum()), total if found.final else int(there.all(axis=1).sum())
    known = f"{done} to {begun}" if done < begun else f"{begun}"
    told = "1 seed" + ", not whole" * (done < total) if total == 1 else f"{count(total)} seeds" if done == total else f"{known} of {count(total)} seeds so far"
    return f"{told}, no interval" if begun < 2 else told


def _pending(values, never: int = 0) -> str:
    missing = int(np.isnan(values).sum()) - never
    return f"{count(missing)} of {count(np.size(values) - never)} not there yet" if missing > 0 else ""


def _theirs(published, said: str = INVARIANCE_POOLED) -> str:
    return said if published else ""
