"""Figures of one valley: a network's branches, the barriers between them, the land through three of them, how far it reaches, and how the branches get there.

A branch keeps its colour, symbol and number in all of them. Sizes of a valley are our estimators, and said to be. `customdata` of a mark is the branch, the
direction, or [branch, branch or look or step]; `template.picked` reads it. What was left out stands in `figure.layout.meta["note"]`. Each figure has its twin
`..._says`: the answer in plain words.
"""

import numpy as np
import plotly.graph_objects as go

from analysis.figures import template
from analysis.figures.comparison import cells, framed, numbers
from analysis.figures.persistence import buttons, count, faded, note, number
from analysis.figures.sensitivity import sentence
from analysis.figures.sources import below
from analysis.metrics.growth import Valley

__all__ = ["barriers", "barriers_says", "between", "between_says", "plane", "plane_says", "rose", "rose_says", "leaving", "leaving_says", "losses",
           "losses_says"]

OURS = "our estimator"
ABOVE = "above the start by more than ε: no minimum of this valley, left out of its sizes"
PENDING = "not there yet"
KINDS = {True: ("connected", "#0072B2", "solid", "circle"), False: ("not connected", "#D55E00", "dash", "x")}
START = {"symbol": "star-diamond", "size": 15, "color": template.GREY, "line": {"width": 1.5, "color": template.RING[0]}}
DASHES = ("solid", "dash", "dashdot", "dot", "longdash")
WRITTEN = 12  # branches up to which cells carry their numbers
PALE = 0.46  # place in the colour scale from which black is easier to read on it than white
NAMED = 3  # pairs that are named, those with the highest barriers
LEVELS = 14  # of the contours
SMOOTH = 12  # part of the steps that a mean of losses runs over


# the barriers between branches

def barriers(found: Valley, *, epsilon: float | None = None, at: tuple | None = None, height: int = 460, revision: str = "barriers"):
    """The barrier between every two branches; those that are connected carry a ring. `customdata` is [branch, branch].

    epsilon  up to which barrier two are connected; that of the result unless given
    at       the pair to frame
    """
    epsilon, n = _epsilon(found, epsilon), len(found.seeds)
    if not _known(found):
        return _nothing(f"No two branches have been compared yet.{_left_out(found, lead=' ')}", height, revision)
    top = max(float(found.barriers[np.isfinite(found.barriers)].max()), 2 * epsilon)
    values, side = np.minimum(found.barriers, top), 0.9 * (height - 130) / n
    pale, texts = values >= PALE * top, np.array([_short(v) for v in found.barriers.ravel()], object).reshape(n, n)
    written = [numbers(np.where(mask, values, np.nan), ink, size=12).update(text=np.where(mask, texts, "").tolist(), texttemplate="%{text}")
               for mask, ink in ((pale, "#000000"), (~pale, "#FFFFFF"))] if n <= WRITTEN else []
    ground = go.Heatmap(z=values.astype(np.float32), zmin=0, zmax=top, colorscale=template.SEQUENTIAL, hoverinfo="skip", xgap=1, ygap=1, name="barrier",
                        colorbar=_scale(epsilon, top))
    row, column = (index.ravel() for index in np.indices((n, n)))
    said, joined = [_pair(found, epsilon, i, j) for i, j in zip(row, column, strict=True)], _joined(found, epsilon, min(0.72 * side, 54))
    names = [_branch(i) + "<br>left out" * (i in found.diverged or i in _high(found, epsilon)) for i in range(n)]
    axis = {"tickvals": list(range(n)), "ticktext": names, "showgrid": False, "constrain": "domain", "zeroline": False, "ticks": ""}
    return template.figure(ground, *written, *joined, cells(row, column, said, side), height=height, uirevision=revision, shapes=framed(at), legend=below(),
                           showlegend=bool(joined), margin={"t": 12, "b": 60},
                           meta={"note": note([_left_out(found), _left_above(found, epsilon), _unknown(found)])},
                           xaxis={**axis, "range": [-0.5, n - 0.5]}, yaxis={**axis, "range": [n - 0.5, -0.5], "scaleanchor": "x"})


def barriers_says(found: Valley, *, epsilon: float | None = None) -> str:
    epsilon = _epsilon(found, epsilon)
    pairs = _known(found)
    if not pairs:
        return f"No two branches of {found.name} have been compared yet." + _left_out(found, lead=" ")
    joined = sum(bool(found.connected(epsilon)[pair]) for pair in pairs)
    worst = max(pairs, key=lambda pair: found.barriers[pair])
    high = f"the highest barrier is {_short(found.barriers[worst])}, between {_branch(worst[0])} and {_branch(worst[1])}" if found.barriers[worst] > 0 else (
        "no barrier rises above 0")
    verb = "is" if 1 in (joined, len(pairs)) else "are"
    return (f"{joined} of {_several(len(pairs), 'pair')} of branches of {found.name} {verb} connected at ε = {epsilon:g}; {high}."
            f"{_left_out(found, lead=' ')}{_left_above(found, epsilon, lead=' ')}")


def between(found: Valley, *, epsilon: float | None = None, at: tuple | None = None, height: int = 420, revision: str = "between"):
    """The loss on the line between every two branches, above what lies between the losses of its ends; its highest point is the barrier. `customdata` is
    [branch, branch].

    epsilon  the rule: two are connected where the line stays below it
    at       the pair to set off
    """
    epsilon, above = _epsilon(found, epsilon), _above(found)
    known = [i for i in range(len(found.pairs)) if np.isfinite(above[i]).all()]
    if not known:
        return _nothing(f"No line between two branches has been walked yet.{_left_out(found, lead=' ')}", height, revision)
    chosen = [at is not None and set(map(int, pair)) == set(at) for pair in found.pairs]
    traces = [_line(found, above, i, epsilon, heavy=chosen[i]) for i in sorted(known, key=chosen.__getitem__)]
    for kind in {trace.name for trace in traces}:
        next(trace for trace in traces if trace.name == kind).showlegend = True
    named = [i for i in sorted(known, key=lambda i: -above[i].max()) if above[i].max() > 0][:NAMED]
    low, high = float(above[known].min()), float(above[known].max())
    ends = [min(low, 0) - 0.08 * (max(high, epsilon) - low), max(1.2 * high, 1.35 * epsilon)]
    labels = [_label(epsilon, f"ε = {epsilon:g}"), *(_peak(found, above, i) for i in named)]
    return template.figure(*traces, height=height, uirevision=revision, legend=below(), showlegend=True, margin={"t": 12, "b": 76}, annotations=labels,
                           shapes=[_rule(epsilon, "epsilon", "dash"), _rule(0, "the straight line", "solid")],
                           meta={"note": note([_left_out(found), _left_above(found, epsilon), _unknown(found), "large marks: the barriers"])},
                           xaxis={"range": [-0.03, 1.03], "tickformat": ".0%", "title": {"text": "Of the way from one branch to the other"}},
                           yaxis={"range": ends, "title": {"text": "Loss above the straight line"}})


def between_says(found: Valley, *, epsilon: float | None = None) -> str:
    epsilon, above = _epsilon(found, epsilon), _above(found)
    known = [i for i in range(len(found.pairs)) if np.isfinite(above[i]).all()]
    if not known:
        return f"No line between two branches of {found.name} has been walked yet." + _left_out(found, lead=" ")
    peaks = above[known].max(axis=1)
    beyond, below_line = int((peaks > epsilon).sum()), sum(bool((above[i] <= 0).all()) for i in known)
    most = tuple(map(int, found.pairs[known[int(peaks.argmax())]]))
    rise = f"the highest rises by {_short(float(peaks.max()))}, between {_branch(most[0])} and {_branch(most[1])}" if peaks.max() > 0 else "none rises at all"
    return (f"On {beyond} of {_several(len(known), 'line')} between branches of {found.name} the loss rises by more than ε = {epsilon:g} above the straight "
            f"line: {rise}; on {below_line} it stays below.{_left_out(found, lead=' ')}{_left_above(found, epsilon, lead=' ')}")


# the land

def plane(found: Valley, *, epsilon: float | None = None, height: int = 480, revision: str = "plane"):
    """The loss in the plane through three minima, with contours; the thick one holds what lies up to epsilon above the lowest of the three. `customdata` is
    the branch, -1 at the start."""
    if not np.isfinite(found.plane).any():
        return _nothing(_no_plane(found), height, revision)
    epsilon, looks = _epsilon(found, epsilon), template.marks(len(found.seeds))
    marks = [go.Scatter(x=[float(x)], y=[float(y)], mode="markers", name=_branch(i), customdata=np.array([i], np.int32),
                        marker={"color": looks[i][0], "symbol": looks[i][1], "size": 15, "line": {"width": 2, "color": template.RING[0]}},
                        hovertemplate=f"{_branch(i)}: loss {number(found.losses[i])}<extra></extra>", unselected={"marker": {"opacity": 1}})
             for i, (x, y) in zip(found.plane_of, found.plane_minima, strict=True)]
    start = _start(found.plane_start, f"start, {number(found.plane_off)} off the plane: loss {number(found.start_loss)}", name="start, projected")
    spots = [*zip(map(_branch, found.plane_of), found.plane_minima, strict=True), ("start", found.plane_start)]
    off = f"the start itself lies {number(found.plane_off)} off this plane" if found.plane_off else ""
    ground, *edge = _contours(found, epsilon)
    thick = f"{'thick line:' if edge else 'all of it lies within'} ε = {epsilon:g} above the lowest of the three"
    bare = {"showgrid": False, "zeroline": False, "constrain": "domain"}
    return template.figure(ground, *edge, *marks, start, height=height, uirevision=revision, legend=below(), showlegend=True,
                           annotations=[_tag(*spot, text) for text, spot in spots], margin={"t": 12, "b": 90},
                           meta={"note": note([thick, off, _left_out(found), _left_above(found, epsilon)])},
                           xaxis={**bare, "title": {"text": "Distance in the space of parameters"}}, yaxis={**bare, "scaleanchor": "x"})


def plane_says(found: Valley, *, epsilon: float | None = None) -> str:
    if not np.isfinite(found.plane).any():
        return _no_plane(found)
    lowest, within = float(np.nanmin(found.losses[list(found.plane_of)])), _epsilon(found, epsilon)
    share = float(np.mean(found.plane <= lowest + within))
    apart = [number(found.distances[i, j]) for i, j in _sides(found.plane_of)]
    highest = float(found.plane[np.isfinite(found.plane)].max())
    return (f"The plane through {_listed([_branch(i) for i in found.plane_of])}, which lie {_listed(apart)} apart: the loss is at most ε = {within:g} above "
            f"the lowest of the three ({number(lowest)}) on {100 * share:.0f}\u202f% of it, and reaches {number(highest)}."
            f"{_left_out(found, lead=' ')}{_left_above(found, within, lead=' ')}")


def rose(found: Valley, *, epsilon: float | None = None, at: int | None = None, height: int = 440, revision: str = "rose"):
    """How far the loss stays within epsilon from the start, a bar per direction; the dashed circle is their mean, the dotted outlines are other epsilons. The
    angles mean nothing: directions are drawn at random in a space of many dimensions. `customdata` is the direction.

    at  the direction to mark
    """
    epsilon = _epsilon(found, epsilon)
    there = _measured(found, epsilon)
    if there is None:
        return _nothing(_no_radius(found, epsilon), height, revision)
    reach, n, colour = found.radius[there], found.radius.shape[1], KINDS[True][1]
    slot = 360 / (n + 1)  # one is left for the numbers of the axis
    turn, known = slot * np.arange(1, n + 1), np.flatnonzero(np.isfinite(reach))
    edges = {"width": [4 if i == at else 1.2 for i in known], "color": [template.HIGHLIGHT if i == at else colour for i in known]}
    bars = go.Barpolar(r=reach[known].astype(np.float32), theta=turn[known].astype(np.float32), width=np.full(len(known), 0.82 * slot, np.float32),
                       name=f"ε = {epsilon:g}", customdata=known.astype(np.int32), hovertemplate="%{hovertext}<extra></extra>",
                       hovertext=[f"direction {i}: {number(reach[i])} at ε = {epsilon:g}" for i in known], unselected={"marker": {"opacity": 0.75}},
                       marker={"color": faded(colour, 0.55), "line": edges})
    mean, around = float(reach[known].mean()), np.linspace(0, 360, 73, dtype=np.float32)
    circle = go.Scatterpolar(r=np.full(len(around), mean, np.float32), theta=around, mode="lines", name=f"mean {number(mean)} ({OURS})", hoverinfo="skip",
                             line={"dash": "dash", "width": 2.6, "color": "#D55E00"})
    ring = {"gridcolor": template.RIM, "linecolor": template.RIM, "showline": False, "ticks": ""}
    longest = float(found.radius[np.isfinite(found.radius)].max())
    return template.figure(bars, *_outlines(found, there, turn), circle, height=height, uirevision=revision, legend=below(), showlegend=True,
                           margin={"t": 24, "b": 90}, meta={"note": note([f"{count(n)} random directions, filter-normalised; angles mean nothing",
                                                                          _beyond(reach)])},
                           polar={"bgcolor": "rgba(0,0,0,0)", "angularaxis": {**ring, "showticklabels": False, "nticks": 8},
                                  "radialaxis": {**ring, "range": [0, 1.06 * longest], "angle": 0, "tickangle": 0, "nticks": 4}})


def rose_says(found: Valley, *, epsilon: float | None = None) -> str:
    epsilon = _epsilon(found, epsilon)
    there = _measured(found, epsilon)
    if there is None:
        return _no_radius(found, epsilon)
    reach = found.radius[there][np.isfinite(found.radius[there])]
    beyond = f" {sentence(_beyond(found.radius[there]))}." if _beyond(found.radius[there]) else ""
    return (f"From the start of {found.name} the loss stays within ε = {epsilon:g} for {number(float(reach.mean()))} on average over {len(reach)} "
            f"filter-normalised directions, from {number(float(reach.min()))} to {number(float(reach.max()))} ({OURS}).{beyond}")


# how they get there

def leaving(found: Valley, *, at: int | None = None, film: bool = True, height: int = 540, revision: str = "leaving"):
    """The branches as they leave the base, in the plane that shows most of their way: open marks are where they end. A frame per look, with Play and a
    slider. `customdata` is [branch, look], the branch -1 at the start.

    at  the look shown first, the last unless given
    """
    scene = _Ways(found)
    if not scene.sound:
        return _nothing(f"The branches have not been looked at on their way. {_left_out(found)}".strip(), height, revision)
    looks = len(found.path_at)
    at = looks - 1 if at is None else at
    figure = template.figure(*scene.still(), *scene.here(at), height=height, uirevision=revision, legend=below(), showlegend=True, title=scene.title(at),
                             margin={"t": 44, "b": 90}, meta={"note": note(["open marks: where they end", _left_out(found)])}, **scene.ground())
    if film and looks > 1:
        total, moved = len(figure.data), len(scene.moved(at))
        figure.frames = [{"name": str(i), "traces": list(range(total - moved, total)), "layout": {"title": scene.title(i)},
                          "data": [{"type": "scatter", **place} for place in scene.moved(i)]} for i in range(looks)]
        low = {"y": 0, "yanchor": "top"}
        figure.layout.updatemenus = [{**buttons([str(i) for i in range(looks)], at, x=0, xanchor="left", **low), "pad": {"t": 62}}]
        figure.layout.sliders = [{**scene.slider(at), **low}]
        figure.layout.margin.b = 180
    return figure


def leaving_says(found: Valley) -> str:
    sound = [i for i in range(len(found.seeds)) if i not in found.diverged and np.isfinite(found.losses[i])]
    if not sound:
        return f"No branch of {found.name} has come to its end yet.{_left_out(found, lead=' ')}"
    apart = [found.distances[i, j] for i, j in _sides(sound) if np.isfinite(found.distances[i, j])]
    far = f", {number(float(np.mean(apart)))} apart on average" if apart else ""
    shows = f" The picture shows {_percent(sum(found.path_shows))} of their squared distances." if len(found.path_shows) else ""
    go_, end = ("leave", "end") if len(sound) > 1 else ("leaves", "ends")
    return (f"{_several(len(sound), 'branch', 'branches')} of {found.name} {go_} the start, at a loss of {number(found.start_loss)}, and after "
            f"{_several(found.steps, 'step')} {end} at {_between(found.losses[sound])}{far}.{shows}{_left_out(found, lead=' ')}")


def losses(found: Valley, *, at: int | None = None, height: int = 400, revision: str = "losses"):
    """The loss of every branch on the batch of each step, as a running mean. `customdata` is [branch, step].

    at  the branch to set off
    """
    width = max(1, found.steps // SMOOTH)
    lines = {i: line for i in range(len(found.seeds)) if len((line := _running(found.curves[i], width))[0])}
    if not lines:
        return _nothing(f"No branch has begun. {_left_out(found)}".strip(), height, revision)
    every = np.concatenate([mean for _, mean in lines.values()])
    log = every.min() > 0 and every.max() > 10 * every.min()
    ticks = _rounded(every.min() / 1.1, every.max() * 1.1)
    scale = {"type": "log", "tickvals": ticks, "ticktext": [number(t) for t in ticks]} if log else {}
    start = np.isfinite(found.start_loss) and found.start_loss > 0
    return template.figure(*(_descent(found, i, *line, heavy=i == at) for i, line in lines.items()), height=height, uirevision=revision, legend=below(),
                           showlegend=True, margin={"t": 12, "b": 76}, shapes=[_rule(found.start_loss, "start", "dot")] if start else [],
                           annotations=[_label(np.log10(found.start_loss) if log else found.start_loss, "start")] if start else [],
                           meta={"note": note([f"running means over {count(width)} steps" if width > 1 else "", _left_out(found)])},
                           xaxis={"title": {"text": "Step"}, "range": [0, 1.01 * found.steps]},
                           yaxis={"title": {"text": f"Loss on the batch{', log axis' if log else ''}"}, **scale})


def losses_says(found: Valley) -> str:
    sound = [i for i in range(len(found.seeds)) if i not in found.diverged and np.isfinite(found.losses[i])]
    if not sound:
        return f"No branch of {found.name} has come to its end yet.{_left_out(found, lead=' ')}"
    right = 100 * np.append(found.accuracies[sound], found.start_accuracy)
    reached = f"; the accuracy, {right[-1]:.1f}\u202f% there, is {_between(right[:-1], '{:.1f}')}\u202f% after them" if np.isfinite(right).all() else ""
    return (f"{_several(len(sound), 'branch', 'branches')} of {found.name} {'start' if len(sound) > 1 else 'starts'} at a loss of {number(found.start_loss)}; "
            f"after {_several(found.steps, 'step')} it is {_between(found.losses[sound])}{reached}.{_left_out(found, lead=' ')}")


# parts of them

def _pair(found, epsilon, i, j) -> str:
    if i == j:
        return f"{_branch(i)}: " + (_gone(found, i) if i in found.diverged else "itself")
    head, value = f"{_branch(i)} – {_branch(j)}: ", found.barriers[i, j]
    if np.isnan(value):
        return head + next((f"{_branch(k)} {_gone(found, k)}" for k in (i, j) if k in found.diverged), PENDING)
    high = "".join(f"<br>{_branch(k)} ends {ABOVE}" for k in (i, j) if k in _high(found, epsilon))
    return f"{head}barrier {_short(value)}, {KINDS[bool(found.connected(epsilon)[i, j])][0]}<br>{number(found.distances[i, j])} apart{high}"


def _line(found, above, i: int, epsilon: float, *, heavy: bool):
    """The loss on the way between a pair; a large mark is its highest point."""
    pair, peak = tuple(map(int, found.pairs[i])), int(above[i].argmax())
    kind, colour, dash, symbol = KINDS[bool(found.connected(epsilon)[pair])]
    said = [f"{_branch(pair[0])} – {_branch(pair[1])}: {kind}<br>{a:.0%} of the way: {_signed(v)} above the line, loss {number(loss)}"
            for a, v, loss in zip(found.along, above[i], found.profiles[i], strict=True)]
    return go.Scatter(x=found.along.astype(np.float32), y=above[i].astype(np.float32), mode="lines+markers", name=kind, legendgroup=kind, showlegend=False,
                      line={"color": colour, "dash": dash, "width": 4 if heavy else 1.8}, hovertext=said, hovertemplate="%{hovertext}<extra></extra>",
                      marker={"color": colour, "symbol": symbol, "size": np.where(np.arange(len(found.along)) == peak, 11, 4), "line": {"width": 0}},
                      customdata=np.tile(np.array(pair, np.int32), (len(found.along), 1)), unselected={"marker": {"opacity": 0.75}})


def _peak(found, above, i) -> dict:
    """The name of a pair, at its barrier."""
    peak = int(above[i].argmax())
    return {"x": float(found.along[peak]), "y": float(above[i, peak]), "text": " – ".join(str(int(b)) for b in found.pairs[i]), "showarrow": False,
            "yanchor": "bottom", "yshift": 6, "font": {"size": 12}, "name": "pair"}


def _scale(epsilon: float, top: float) -> dict:
    """A colour bar with a mark at epsilon."""
    ticks = {**({0.0: "0"} if epsilon > 0.06 * top else {}), epsilon: f"<b>ε = {epsilon:g}</b>", **({top: number(top)} if top > 1.15 * epsilon else {})}
    return {"title": {"text": "Barrier", "side": "right"}, "thickness": 14, "outlinewidth": 0, "len": 0.95, "tickvals": list(ticks),
            "ticktext": list(ticks.values()), "ticks": "inside", "ticklen": 14, "tickcolor": template.RING[0]}


def _joined(found, epsilon: float, size: float) -> list:
    """A ring on each pair that is connected, to be seen on any colour, and a grey one for the legend."""
    row, column = np.nonzero(found.connected(epsilon) & ~np.eye(len(found.seeds), dtype=bool))
    if not len(row):
        return []
    looks = [(column, row, size, width, ink, "connected") for width, ink in zip((4.5, 2), template.RING, strict=True)]
    looks.append(([None], [None], 14, 2, template.GREY, f"connected: barrier up to ε = {epsilon:g}"))
    return [go.Scatter(x=x, y=y, mode="markers", hoverinfo="skip", name=name, showlegend=ink == template.GREY,
                       marker={"symbol": "circle-open", "size": side, "color": ink, "line": {"width": width, "color": ink}})
            for x, y, side, width, ink, name in looks]


def _contours(found, epsilon: float) -> list:
    """The loss, by its logarithm, and on top the line at epsilon above the lowest of the three minima, where there is one."""
    logs = np.log10(np.where(np.isfinite(found.plane), np.clip(found.plane, 1e-9, None), np.nan))
    low, high = float(np.nanmin(logs)), float(np.nanmax(logs))
    ticks = _rounded(10 ** low, 10 ** high)
    bar = {"title": {"text": "Loss, log scale", "side": "right"}, "thickness": 12, "outlinewidth": 0, "len": 0.95, "tickvals": np.log10(ticks).tolist(),
           "ticktext": [number(t) for t in ticks]}
    same = {"x": np.asarray(found.plane_x, np.float32), "y": np.asarray(found.plane_y, np.float32), "z": logs.astype(np.float32)}
    ground = go.Contour(**same, colorscale=template.SEQUENTIAL, colorbar=bar, name="loss", hoverinfo="text", line={"width": 0.6, "color": template.RIM},
                        hovertext=[[f"loss {number(v)}" for v in line] for line in found.plane],
                        contours={"start": low, "end": high, "size": max(high - low, 1e-6) / LEVELS, "showlines": True})
    level = float(np.log10(max(min(found.losses[i] for i in found.plane_of) + epsilon, 1e-9)))
    if level >= high:
        return [ground]
    return [ground, *(go.Contour(**same, showscale=False, hoverinfo="skip", name="epsilon", line={"width": width}, colorscale=[[0, ink], [1, ink]],
                                 contours={"coloring": "lines", "start": level, "end": level, "size": 1})
                      for width, ink in zip((4.5, 2), template.RING, strict=True))]


def _outlines(found, there: int, turn) -> list:
    """How far it is for other epsilons, under one name."""
    others = [i for i in range(len(found.epsilons)) if i != there and np.isfinite(found.radius[i]).all()]
    name = f"ε = {', '.join(f'{found.epsilons[i]:g}' for i in sorted(others, key=lambda i: found.epsilons[i]))}, from within"
    closed = lambda values: np.append(values, values[0]).astype(np.float32)
    return [go.Scatterpolar(r=closed(found.radius[i]), theta=closed(turn), mode="lines", name=name, legendgroup="others",
                            showlegend=i == others[0], line={"width": 1.4, "dash": "dot", "color": template.GREY},
                            hovertemplate=f"ε = {found.epsilons[i]:g}: %{{r:.3g}}<extra></extra>") for i in others]


def _descent(found, i: int, steps, mean, *, heavy: bool):
    """The loss of one branch; a few marks tell it from the others."""
    (colour, symbol), gone = template.marks(len(found.seeds))[i], i in found.diverged
    sizes = np.zeros(len(steps), np.float32)
    sizes[::max(1, len(steps) // 8)] = 8
    end = f"<br>{_gone(found, i)}" if gone else ""
    return go.Scatter(x=steps.astype(np.float32), y=mean.astype(np.float32), mode="lines+markers", name=_branch(i) + ", left out" * gone,
                      customdata=_custom(i, steps.round()), hovertemplate=f"{_branch(i)}, step %{{x:.0f}}: loss %{{y:.3g}}{end}<extra></extra>",
                      line={"color": colour, "width": 4 if heavy else 2, "dash": DASHES[i % len(DASHES)]}, unselected={"marker": {"opacity": 0.8}},
                      marker={"color": colour, "symbol": symbol, "size": sizes, "opacity": 1, "line": {"width": 0}})


class _Ways:
    """The branches on their way, as far as a look."""

    def __init__(self, found: Valley):
        self.found = found
        self.sound = [i for i in range(found.paths.shape[1]) if np.isfinite(found.paths[:, i]).all()] if len(found.path_at) else []
        self.looks = template.marks(found.paths.shape[1])

    def still(self) -> list:
        """What stays: the whole ways, thin, their ends, and the start."""
        apart = np.concatenate([self.found.paths[:, self.sound].swapaxes(0, 1), np.full((len(self.sound), 1, 2), np.nan)], axis=1).reshape(-1, 2)
        colours, symbols = self._looks()
        ends = go.Scatter(**self._at(self.found.paths[-1, self.sound]), mode="markers", name="ends", showlegend=False, unselected={"marker": {"opacity": 1}},
                          hovertext=[f"{_branch(i)} ends here: loss {number(self.found.losses[i])}" for i in self.sound],
                          hovertemplate="%{hovertext}<extra></extra>", customdata=_custom(self.sound, len(self.found.path_at) - 1),
                          marker={"symbol": [f"{symbol}-open" for symbol in symbols], "color": colours, "size": 17, "line": {"width": 2}})
        ways = go.Scatter(**self._at(apart), mode="lines", hoverinfo="skip", showlegend=False, name="ways", line={"width": 1, "color": template.RIM})
        return [ways, ends, _start((0.0, 0.0), f"start: loss {number(self.found.start_loss)}", customdata=[[-1, 0]])]

    def here(self, at: int) -> list:
        """What moves: the ways so far, and a large mark at the end of each."""
        colours, symbols = self._looks()
        trails = [go.Scatter(mode="lines+markers", name=_branch(i), line={"width": 2.6, "color": colour, "dash": DASHES[i % len(DASHES)]},
                             marker={"size": 6, "symbol": symbol, "color": colour}, hovertemplate="%{hovertext}<extra></extra>",
                             unselected={"marker": {"opacity": 0.8}}) for i, colour, symbol in zip(self.sound, colours, symbols, strict=True)]
        heads = go.Scatter(mode="markers", hoverinfo="skip", showlegend=False, name="now",
                           marker={"size": 13, "symbol": symbols, "color": colours, "line": {"width": 1.5, "color": template.RING[0]}})
        return [trace.update(place) for trace, place in zip([*trails, heads], self.moved(at), strict=True)]

    def moved(self, at: int) -> list[dict]:
        """Where that is at one look."""
        found, looks = self.found, np.arange(at + 1)
        said = [f"after {_several(int(step), 'step')}" for step in found.path_at[:at + 1]]
        trails = [{**self._at(found.paths[looks, i]), "customdata": _custom(i, looks), "hovertext": [f"{_branch(i)} {when}" for when in said]}
                  for i in self.sound]
        return [*trails, self._at(found.paths[at, self.sound])]

    def title(self, at: int) -> dict:
        text = f"After {count(int(self.found.path_at[at]))} of {_several(self.found.steps, 'step')}"
        return {"text": text, "y": 0.98, "yanchor": "top", "font": {"size": 14}}

    def slider(self, at: int) -> dict:
        still = {"mode": "immediate", "transition": {"duration": 0}, "frame": {"duration": 0, "redraw": True}}
        steps = [{"label": count(int(step)), "method": "animate", "args": [[str(i)], still]} for i, step in enumerate(self.found.path_at)]
        return {"active": at, "steps": steps, "x": 0.26, "len": 0.74, "pad": {"t": 66}, "currentvalue": {"visible": False}, "bgcolor": template.RIM,
                "bordercolor": template.GREY, "activebgcolor": template.GREY, "tickcolor": template.GREY, "font": {"size": 11}}

    def ground(self) -> dict:
        """Axes of one scale that hold the whole of it."""
        every = np.concatenate([self.found.paths[:, self.sound].reshape(-1, 2), np.zeros((1, 2))])
        low, high = every.min(axis=0), every.max(axis=0)
        room = 0.08 * max(float((high - low).max()), 1e-9)
        shows = [*(f": {_percent(share)} of squared distances" for share in self.found.path_shows), "", ""]
        x, y = ({"range": [float(a - room), float(b + room)], "zeroline": False, "nticks": 6, "title": {"text": f"Axis {i + 1}{shows[i]}"}}
                for i, (a, b) in enumerate(zip(low, high, strict=True)))
        return {"xaxis": x, "yaxis": {**y, "scaleanchor": "x"}}

    def _looks(self) -> tuple[list, list]:
        return [self.looks[i][0] for i in self.sound], [self.looks[i][1] for i in self.sound]

    def _at(self, points) -> dict:
        return {axis: np.ascontiguousarray(points[:, i], np.float32) for i, axis in enumerate("xy")}


def _start(spot, said: str, *, name: str = "start", customdata=(-1,)):
    return go.Scatter(x=[float(spot[0])], y=[float(spot[1])], mode="markers", name=name, marker=START, customdata=np.array(customdata, np.int32),
                      hovertemplate=f"{said}<extra></extra>", unselected={"marker": {"opacity": 1}})


def _tag(x, y, text) -> dict:
    """A name on a ground of its own, to be read on any colour."""
    return {"x": float(x), "y": float(y), "text": text, "showarrow": False, "xanchor": "left", "xshift": 11, "yshift": 11, "bgcolor": "rgba(255,255,255,0.85)",
            "borderpad": 1, "font": {"size": 12, "color": template.RING[1]}}


def _nothing(reason: str, height: int, revision: str):
    """Why there is no picture."""
    said = {"text": template.plain(reason), "x": 0.5, "xref": "paper", "y": 0.5, "yref": "paper", "showarrow": False}
    return template.figure(go.Scatter(x=[], y=[]), height=height, uirevision=revision, annotations=[said], meta={"note": ""}, margin={"t": 12},
                           xaxis={"visible": False}, yaxis={"visible": False})


def _rule(y: float, name: str, dash: str) -> dict:
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y, "name": name, "layer": "above" if dash == "dash" else "below",
            "line": {"width": 1.8, "color": template.GREY, "dash": dash}}


def _label(y: float, text: str) -> dict:
    return {"text": text, "x": 1, "xref": "paper", "xanchor": "right", "y": float(y), "yanchor": "bottom", "showarrow": False, "name": text,
            "font": {"size": 12}}


def _custom(first, second) -> np.ndarray:
    first, second = np.broadcast_arrays(first, second)
    return np.column_stack([first, second]).astype(np.int32)


# numbers

def _epsilon(found, epsilon) -> float:
    return float(found.epsilon if epsilon is None else epsilon)


def _above(found) -> np.ndarray:
    """(pairs, points) of the loss above what lies between the losses of the ends."""
    profiles = np.asarray(found.profiles, np.float64).reshape(len(found.pairs), len(found.along))
    return profiles - profiles[:, :1] * (1 - found.along) - profiles[:, -1:] * found.along if profiles.size else profiles


def _known(found) -> list[tuple[int, int]]:
    return [pair for pair in _sides(range(len(found.seeds))) if not np.isnan(found.barriers[pair])]


def _sides(of) -> list[tuple[int, int]]:
    return [(i, j) for k, i in enumerate(of) for j in list(of)[k + 1:]]


def _running(values, width: int) -> tuple[np.ndarray, np.ndarray]:
    """(steps in the middle of each window, means) up to where the values stop being numbers."""
    good = np.isfinite(values)
    values = np.asarray(values, np.float64)[:len(values) if good.all() else int(good.argmin())]
    if not len(values):
        return np.zeros(0), np.zeros(0)
    width = min(width, len(values))
    sums = np.concatenate([[0], values.cumsum()])
    return np.arange(len(values) - width + 1) + (width + 1) / 2, (sums[width:] - sums[:-width]) / width


def _rounded(low: float, high: float) -> list[float]:
    """Round numbers from low to high, for a log axis."""
    if high < 5 * low:
        step = 10 ** np.floor(np.log10((high - low) / 2 or low))
        step *= next(m for m in (1, 2, 5, 10) if (high - low) / (m * step) <= 6)
        return [float(v) for v in step * np.arange(np.ceil(low / step), np.floor(high / step) + 1)] or [float(low)]
    steps = (1,) if high > 1000 * low else (1, 2, 5)
    every = [m * 10.0 ** e for e in range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1) for m in steps]
    return [v for v in every if low <= v <= high]


def _measured(found, epsilon: float) -> int | None:
    """Where among the epsilons of the radius this one is."""
    return next((i for i, known in enumerate(found.epsilons) if np.isclose(known, epsilon) and np.isfinite(found.radius[i]).any()), None)


# in words

def _branch(i: int) -> str:
    return f"branch {int(i)}"


def _short(value: float) -> str:
    """A barrier, to be read in a cell."""
    if not np.isfinite(value):
        return "" if np.isnan(value) else "∞"
    return "0" if value == 0 else "<.001" if value < 0.0005 else f"{value:.3f}" if value < 10 else number(value)


def _signed(value: float) -> str:
    return f"{value:+.3g}".replace("-", "−")


def _percent(share: float) -> str:
    return f"{100 * share:.0f}\u202f%"


def _between(values, form: str = "") -> str:
    low, high = (form.format(v) if form else number(v) for v in (float(np.min(values)), float(np.max(values))))
    return low if low == high else f"{low} to {high}"


def _several(n: int, noun: str, many: str = "") -> str:
    return f"{count(n)} {noun if n == 1 else many or noun + 's'}"


def _listed(names) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _gone(found, i: int) -> str:
    return f"diverged at step {found.diverged[i]} and is left out"


def _high(found, epsilon: float) -> list[int]:
    """Branches that ended above the valley that they started in."""
    return np.flatnonzero(np.isfinite(found.losses) & ~found.rested(epsilon)).tolist()


def _left_above(found, epsilon: float, lead: str = "") -> str:
    high = _high(found, epsilon)
    several = f"branches {_listed([str(i) for i in high])} end {ABOVE}" if len(high) > 1 else ""
    return _led(several or "".join(f"{_branch(i)} ends {ABOVE}" for i in high), lead)


def _left_out(found, lead: str = "") -> str:
    gone = sorted(found.diverged)
    several = f"branches {_listed([f'{i} (step {found.diverged[i]})' for i in gone])} diverged and are left out" if len(gone) > 1 else ""
    return _led(several or "".join(f"{_branch(i)} {_gone(found, i)}" for i in gone), lead)


def _led(told: str, lead: str) -> str:
    """A note, or a sentence of its own behind others."""
    return f"{lead}{sentence(told)}." if lead and told else told


def _unknown(found) -> str:
    sound = len(found.seeds) - len(found.diverged)
    missing = sound * (sound - 1) // 2 - len(_known(found))
    return f"{_several(missing, 'pair')} {PENDING}" if missing > 0 else ""


def _no_plane(found) -> str:
    minima = int(found.rested().sum())
    if minima < 3:
        return f"A plane goes through three minima; there {'is' if minima == 1 else 'are'} {minima} at ε = {found.epsilon:g}."
    return "There is no plane: two of the minima are the same, or three lie on a line." if found.final else f"The plane is {PENDING}."


def _no_radius(found, epsilon: float) -> str:
    known = [e for e, reach in zip(found.epsilons, found.radius, strict=True) if np.isfinite(reach).any()]
    if known:
        return f"The radius was not measured for ε = {epsilon:g}, but for {_listed([f'{e:g}' for e in known])}."
    return f"The radius is {PENDING}."


def _beyond(reach) -> str:
    far = int((~np.isfinite(reach)).sum())
    return f"{_several(far, 'direction')} without an end left out" if far else ""
