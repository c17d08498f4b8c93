"""Figures of a leaderboard: the rows of one score beside the measured truth, all scores at once, and how well each orders what was measured.

Better is to the right, or on top. Trivial baselines are grey. `customdata` of a mark is the row's or the score's place on the leaderboard, or [score, row] of
a cell; `template.picked` reads it. What was left out stands in `figure.layout.meta["note"]`. Each figure has its twin `..._says`: the answer in plain words.
"""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from analysis.figures import persistence, template
from analysis.figures.comparison import cells, framed, numbers
from analysis.figures.gain import SOURCE, brief, columns, effect, effects, membership, rows, short, tags
from analysis.figures.persistence import count, faded, note, number
from analysis.figures.sources import below, marked
from analysis.metrics.leaderboard import Leaderboard
from analysis.metrics.statistics import FEW, Correlation

__all__ = ["board", "board_says", "truth", "truth_says", "heat", "heat_says", "against", "against_says", "slopes", "slopes_says", "summary", "summary_says",
           "published", "published_says", "LOOKS"]

LOOKS = {"score": ("score", "#0072B2", "circle"), "published-method": ("method of this app", "#D55E00", "diamond"),
         "trivial": ("trivial baseline", template.GREY, "circle-open"), "truth": ("measured as well", "#009E73", "square")}
BEST = {"symbol": "star", "color": "#A67C00", "size": 24}  # under the mark itself
SIGNS = {"kendall": ("Kendall's τ-b", "τ"), "weighted kendall": ("Weighted τ", "weighted τ"), "spearman": ("Spearman's ρ", "ρ")}
SHOWN, NAMED = 30, 12  # rows drawn at most, and marks up to which all are named
WRITTEN = 20  # columns up to which cells carry their ranks
ROW = 24  # pixels
PALE = 0.46  # place in the colour scale from which black is easier to read on it than white
Z = 1.96


# one score

def board(found: Leaderboard, score: str, *, limit: int = SHOWN, at: int | None = None, height: int | None = None, revision: str = "board"):
    """A row each, what the score puts first on top: the score at the left, the measured truth with its interval at the right. `customdata` is the row.

    limit  rows drawn, those the score puts first; what is truly best is always among them
    at     the row to mark
    """
    values, means, best = found.column(score), found.means(), _best(found)
    order, left_out = _order(found, score, limit, keep=(best, at))
    names, place = [template.plain(n) for n in found.names], {int(row): i for i, row in enumerate(order)}
    _, colour, symbol = LOOKS[found.kinds[found.scores.index(score)]]
    known = np.array([row for row in order if np.isfinite(values[row])], np.int64)
    dots = go.Scatter(x=values[known].astype(np.float32), y=np.array([place[row] for row in known], np.float32), customdata=known.astype(np.int32),
                      mode="markers", marker={"color": colour, "symbol": symbol, "size": 11, "line": {"width": 1.8, "color": colour}}, showlegend=False,
                      hovertext=[f"{names[row]}<br>{_value(found, score, row)}" for row in known], hovertemplate="%{hovertext}<extra></extra>",
                      name=template.plain(found.title(score)), unselected={"marker": {"opacity": 0.75}})
    told = [{"text": _missing(found, row, what, 36), "x": 0.02, "xref": f"{axis} domain", "xanchor": "left", "y": place[row], "showarrow": False,
             "font": {"size": 11}} for row in map(int, order) for what, axis, there in ((score, "x", values), (found.truth_name, "x2", means))
            if not np.isfinite(there[row])]
    star = [] if best is None else [_star([100 * means[best]], [place[best]], best, f"{names[best]}: truly best", xaxis="x2")]
    heads = [{"text": text, "x": 0, "xref": f"{axis} domain", "xanchor": "left", "y": 1, "yref": "paper", "yanchor": "bottom", "showarrow": False,
              "font": {"size": 13}} for text, axis in ((f"<b>{template.plain(found.title(score))}</b>", "x"), (f"<b>{_truth(found)}</b>", "x2"))]
    members, sources, start = _sources(found, order)
    held = [] if np.isfinite(means).any() else [go.Scatter(x=[None], y=[None], xaxis="x2", showlegend=False, hoverinfo="skip")]  # keeps its place free
    return template.figure(*star, dots, *_measured(found, order), *held, *members, height=height or 130 + ROW * len(order) + (60 if members else 0),
                           uirevision=f"{revision} {score}", shapes=[*_none(found, down="x2"), *marked(None if at is None else place[at])],
                           annotations=heads + told, legend=below(), showlegend=True, margin={"t": 34}, meta={"note": note([left_out, _known(found)])},
                           **({"xaxis3": {**sources, "domain": [0, start - 0.03]}} if members else {}),
                           xaxis={"domain": [start, (1 + start) / 2 - 0.03], "title": {"text": _better(found.direction(score))}, "zeroline": False, "nticks": 6,
                                  **({"autorange": "reversed"} if found.direction(score) < 0 else {})},
                           xaxis2={"domain": [(1 + start) / 2 + 0.03, 1], "title": {"text": f"{_unit(found)}, 95\u202f% interval"}, "zeroline": False,
                                   "nticks": 6},
                           yaxis={**rows([names[row] for row in order]), "range": [len(order) - 0.4, -0.6], **({"showticklabels": False} if members else {})})


def board_says(found: Leaderboard, score: str) -> str:
    picks, best, name = found.picks(score), _best(found), found.title(score)
    if not picks:
        return f"{name} is not known of any row yet."
    chosen = picks[0] + (f" and {len(picks) - 1} more with it" if len(picks) > 1 else "")
    if best is None:
        return f"{name} would pick {chosen}; nothing is measured yet."
    regret = found.regret(score)
    cost = "what that is worth is not measured yet" if np.isnan(regret) else "which is truly the best" if regret == 0 else f"{100 * regret:.1f} points worse"
    return f"{name} would pick {chosen}, {cost}" + (f" than {found.names[best]}." if regret > 0 else ".")


def truth(found: Leaderboard, *, limit: int = SHOWN, at: int | None = None, height: int | None = None, revision: str = "truth"):
    """The measured truth of each row with its interval, the best on top, where there is no score to go by. `customdata` is the row."""
    means, names, every = found.means(), [template.plain(n) for n in found.names], _columns(found)
    order = np.array([row for i, row in enumerate(every) if i < limit or row == at], np.int64)
    members, sources, start = _sources(found, order)
    told = [{"text": _missing(found, row, found.truth_name), "x": 0.01, "xref": "x2 domain", "xanchor": "left", "y": i, "showarrow": False,
             "font": {"size": 11}} for i, row in enumerate(map(int, order)) if not np.isfinite(means[row])]
    left_out = f"{count(len(order))} of {count(len(every))} rows drawn, the best" if len(order) < len(every) else ""
    return template.figure(*_measured(found, order), *members, height=height or 120 + ROW * len(order) + (60 if members else 0), uirevision=revision,
                           shapes=[*_none(found, down="x2"), *marked(None if at is None else int(np.flatnonzero(order == at)[0]))], annotations=told,
                           legend=below(), showlegend=found.kind == "sources", margin={"t": 12}, meta={"note": note([left_out, _known(found)])},
                           **({"xaxis3": {**sources, "domain": [0, start - 0.03]}} if members else {}),
                           xaxis2={"domain": [start, 1], "title": {"text": f"{_truth(found)}, {_unit(found)}, 95\u202f% interval"}, "zeroline": False},
                           yaxis={**rows([names[row] for row in order]), "anchor": "x2", **({"showticklabels": False} if members else {})})


def truth_says(found: Leaderboard) -> str:
    means, every = found.means(), _columns(found)
    known = [row for row in every if np.isfinite(means[row])]
    if not known:
        return "Nothing is measured yet."
    points = " points" if found.kind == "sources" else "\u202f%"
    told = [f"{found.names[row]} ({100 * means[row]:.1f}{points})" for row in ([known[0], known[-1]] if len(known) > 1 else known)]
    return f"The {found.truth_name} is highest for {' and lowest for '.join(told)}; {_known(found)}."


def against(found: Leaderboard, score: str, kind: str = "kendall", *, at: int | None = None, height: int = 440, revision: str = "against"):
    """The score of each row beside its measured truth; how well they agree stands above. `customdata` is the row.

    kind  "kendall", "weighted kendall" or "spearman"
    at    the row to mark
    """
    agreed, values, means, best = found.correlation(score, kind), found.column(score), found.means(), _best(found)
    known = np.flatnonzero(np.isfinite(values) & np.isfinite(means))
    names = [template.plain(n) for n in found.names]
    named = known if len(known) <= NAMED else [row for row in known if names[row] in map(template.plain, found.picks(score)) or row in (best, at)]
    traces = _measured(found, known, values)
    star = [] if best is None or best not in known else [_star([values[best]], [100 * means[best]], best, f"{names[best]}: truly best")]
    ends, up = _ends(values[known])[::found.direction(score)], _ends(100 * found.truth[known])
    rings = [] if at is None or at not in known else persistence.rings(values[at], 100 * means[at], 20)
    return template.figure(*star, *traces, *rings, height=height, uirevision=f"{revision} {score}", legend=below(), showlegend=True, margin={"t": 42},
                           title={"text": _agreement(agreed, kind), "y": 0.98, "yanchor": "top", "font": {"size": 14}},
                           annotations=tags(values[named], 100 * means[named], [_brief(found, row, 34) for row in named], ends, up, height - 130),
                           meta={"note": note([_known(found), *agreed.warnings, _lacking(found, score)])},
                           xaxis={"title": {"text": f"{template.plain(found.title(score))} ({_better(found.direction(score))})"}, "zeroline": False,
                                  "range": ends},
                           yaxis={"title": {"text": f"{_truth(found)}, {_unit(found)}"}, "zeroline": False, "range": up}, shapes=_none(found))


def against_says(found: Leaderboard, score: str, kind: str = "kendall") -> str:
    agreed = found.correlation(score, kind)
    if agreed.reason:
        return f"Nothing can be said of {found.title(score)} and the {found.truth_name} yet: {agreed.reason}"
    chance = "more than" if abs(agreed.value) > Z * agreed.null_sd else "no more than"
    few = f" {agreed.warnings[0]}" if agreed.warnings else ""
    return (f"{found.title(score)} and the {found.truth_name} agree with {SIGNS[kind][1]} = {_r(agreed.value)} over {agreed.n} rows "
            f"(interval {_r(agreed.low)} to {_r(agreed.high)}), {chance} chance would give (±{Z * agreed.null_sd:.2f}).{few}")


def slopes(found: Leaderboard, score: str, *, limit: int = SHOWN, at: int | None = None, height: int | None = None, revision: str = "slopes"):
    """From the rank by the score, at the left, to the rank by the truth, at the right. `customdata` is the row.

    limit  rows drawn, those truly best, and what the score puts first
    at     the row to mark
    """
    means, values = found.means(), found.oriented()[:, found.scores.index(score)]
    known = np.flatnonzero(np.isfinite(means) & np.isfinite(values))
    by = {"score": _ranks(values, known), "truth": _ranks(means, known)}
    drawn = sorted(known, key=lambda row: by["truth"][row])[:limit]
    drawn += [row for row in known if row not in drawn and (row == at or found.names[row] in found.picks(score))]
    names, traces, labels = [template.plain(n) for n in found.names], [], []
    places = {side: {row: i for i, row in enumerate(sorted(drawn, key=lambda row: (ranks[row], row)))} for side, ranks in by.items()}
    for row in drawn:
        left, right = by["score"][row], by["truth"][row]
        colour, dash, width = _slope(left, right, row == at or found.names[row] in found.picks(score))
        said = f"{names[row]}<br>rank {left:g} by {template.plain(found.title(score))}<br>rank {right:g} by {_truth(found)}"
        ends = [places[side][row] for side in ("score", "truth")]
        traces.append(go.Scatter(x=[0, 1], y=ends, customdata=np.array([row, row], np.int32), mode="lines+markers", showlegend=False, name=names[row],
                                 line={"color": colour, "dash": dash, "width": width}, marker={"color": colour, "size": 9}, hovertext=[said, said],
                                 hovertemplate="%{hovertext}<extra></extra>", unselected={"marker": {"opacity": 0.75}}))
        labels += [{"x": x, "y": y, "text": text, "showarrow": False, "font": {"size": 12}, "xanchor": anchor, "xshift": shift} for x, y, text, anchor, shift in
                   ((0, ends[0], f"{_brief(found, row, 19)}  {left:g}", "right", -8), (1, ends[1], f"{right:g}  {_brief(found, row, 19)}", "left", 8))]
    heads = [{"x": x, "y": 1, "yref": "paper", "yanchor": "bottom", "xanchor": anchor, "text": f"<b>{text}</b>", "showarrow": False, "font": {"size": 13}}
             for x, anchor, text in ((0, "right", f"by {template.plain(found.title(score))}"), (1, "left", f"by {_truth(found)}"))]
    left_out = f"{count(len(drawn))} of {count(len(known))} rows drawn, those truly best" if len(drawn) < len(known) else ""
    key = "solid blue: better than the score said; dashed orange: worse; thick: its pick"
    bare = {"showgrid": False, "ticks": "", "showticklabels": False, "zeroline": False}
    return template.figure(*traces, height=height or 60 + ROW * len(drawn), uirevision=f"{revision} {score}", annotations=heads + labels,
                           margin={"t": 36}, xaxis={**bare, "range": [-0.75, 1.75]}, yaxis={**bare, "range": [len(drawn) - 0.4, -0.6]},
                           meta={"note": note([left_out, key, _lacking(found, score)])})


def slopes_says(found: Leaderboard, score: str) -> str:
    means, values = found.means(), found.oriented()[:, found.scores.index(score)]
    known = np.flatnonzero(np.isfinite(means) & np.isfinite(values))
    if not len(known):
        return f"No row has both {found.title(score)} and a measured truth yet."
    left, right = _ranks(values, known), _ranks(means, known)
    moved = np.abs(left - right)[known]
    most = known[int(moved.argmax())]
    told = f"; {found.names[most]} moves most, from {left[most]:g} to {right[most]:g}" if moved.any() else ""
    return f"{int((moved == 0).sum())} of {len(known)} rows stand by {found.title(score)} where they stand by the {found.truth_name}{told}."


# all scores

def heat(found: Leaderboard, *, at: tuple | None = None, height: int | None = None, revision: str = "heat"):
    """The rank of every row (column, the truly best first) by the truth, on top, and by every score, what orders them best first. A score that orders them
    as the truth does shades evenly from left to right. `customdata` is [score, row], the score of the truth being -1.

    at  (score, row) to frame
    """
    means, oriented = found.means(), found.oriented()
    taus = [_tau(found, score) for score in found.scores]
    lines, across = [-1, *np.argsort(-np.nan_to_num(taus, nan=-2), kind="stable").tolist()], _columns(found)
    every = np.arange(len(found.names))
    ranks = np.array([_ranks(means if line < 0 else oriented[:, line], every)[across] for line in lines])
    names = [template.plain(n) for n in found.names]
    row, column = (index.ravel() for index in np.indices(ranks.shape))
    said = [_ranked(found, lines[i], across[j], ranks[i, j]) for i, j in zip(row, column, strict=True)]
    members, axis = membership([found.parts[i] for i in across], found.sources, yaxis="y2") if found.sources else ([], {})
    labels = [_labelled(found, line, taus) for line in lines]
    room, under = ROW * len(lines), SOURCE * len(found.sources)
    share, height = under / (room + under), height or room + under + (24 if members else 110)
    last = len(across)
    ground = go.Heatmap(z=ranks.astype(np.float32), zmin=1, zmax=max(last, 2), colorscale=template.SEQUENTIAL, reversescale=True, xgap=1, ygap=1, name="rank",
                        hoverinfo="skip", showscale=False)
    light = ranks <= last - PALE * (last - 1)
    written = [numbers(np.where(mask, ranks, np.nan), ink, "~g", size=11) for mask, ink in ((light, "#000000"), (~light, "#FFFFFF"))] if last <= WRITTEN else []
    hit = cells(row, column, said, 0.9 * ROW)  # the name of the column comes from the axis: once, not for every cell
    hit.update(customdata=np.column_stack([np.array(lines)[row], across[column]]).astype(np.int32), hovertemplate="%{x}<br>%{hovertext}<extra></extra>")
    spot = None if at is None else (lines.index(at[0]), int(np.flatnonzero(across == at[1])[0]))
    below_truth = [{"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 0.5, "y1": 0.5, "line": {"width": 2, "color": template.GREY}, "name": "truth"}]
    return template.figure(ground, *written, hit, *members, height=height, uirevision=revision, shapes=below_truth + framed(spot), margin={"t": 12},
                           meta={"note": note(["1 is best; τ beside each score", _known(found)])}, hoverdistance=60, showlegend=False,
                           xaxis={**columns([names[i] for i in across]), **({"showticklabels": False, "anchor": "y2", "tickangle": 0,
                                                                             "ticktext": [names[i] for i in across]} if members else {})},
                           yaxis={**rows(labels), "ticktext": labels, "domain": [share + 0.02 * bool(members), 1]},
                           **({"yaxis2": {**axis, "domain": [0, share]}} if members else {}))


def heat_says(found: Leaderboard) -> str:
    taus = np.array([_tau(found, score) for score in found.scores])
    if not np.isfinite(taus).any():
        return "No score can be compared with a measured truth yet."
    known = [i for i in np.argsort(-np.nan_to_num(taus, nan=-2), kind="stable") if np.isfinite(taus[i])]
    told = lambda i: f"{found.titles[i]} (τ = {_r(taus[i])})"
    return f"Of {len(known)} scores, {told(known[0])} orders the rows most like the truth" + (f", {told(known[-1])} least." if len(known) > 1 else ".")


def summary(found: Leaderboard, *, told=None, at: int | None = None, height: int | None = None, revision: str = "summary"):
    """How well every score orders the rows, the best on top: τ-b with its interval, within the grey band what chance gives; and the regret of its pick.
    `customdata` is the score's place.

    told  what `found.summary()` returned, if that is there already
    at    the score to mark
    """
    told = found.summary() if told is None else told
    lines = told.to_dict("records")
    where, labels = [found.scores.index(line["score"]) for line in lines], []
    sd = np.array([line["null_sd"] for line in lines], float)
    band = go.Bar(base=-Z * np.nan_to_num(sd), x=2 * Z * np.nan_to_num(sd), y=list(range(len(lines))), orientation="h", width=1, hoverinfo="skip",
                  name="chance: ±1.96 null sd", marker={"color": faded(template.GREY, 0.3), "line": {"width": 0}})
    traces = [band]
    for kind, (name, colour, symbol) in LOOKS.items():
        mine = [i for i, line in enumerate(lines) if line["kind"] == kind and np.isfinite(line["tau"])]
        if mine:
            value, low, high = (np.array([lines[i][part] for i in mine], float) for part in ("tau", "low", "high"))
            error = {"type": "data", "array": np.nan_to_num(high - value).astype(np.float32), "arrayminus": np.nan_to_num(value - low).astype(np.float32),
                     "width": 3, "thickness": 1.6, "color": colour}
            traces.append(go.Scatter(x=value.astype(np.float32), y=mine, mode="markers", name=name, error_x=error,
                                     customdata=np.array([where[i] for i in mine], np.int32), hovertext=[_summed(lines[i]) for i in mine],
                                     hovertemplate="%{hovertext}<extra></extra>", unselected={"marker": {"opacity": 0.75}},
                                     marker={"color": colour, "symbol": symbol, "size": 10, "line": {"width": 1.8, "color": colour}}))
    regrets = np.array([line["regret"] for line in lines], float)
    shown = np.flatnonzero(np.isfinite(regrets))
    bars = go.Bar(x=(100 * regrets[shown]).astype(np.float32), y=shown, orientation="h", width=0.5, xaxis="x2", name="regret", showlegend=False,
                  customdata=np.array([where[i] for i in shown], np.int32), marker={"color": template.GREY, "line": {"width": 0}}, cliponaxis=False,
                  text=[f"{100 * regrets[i]:.1f}" for i in shown], textposition="outside", hovertext=[_summed(lines[i]) for i in shown],
                  hovertemplate="%{hovertext}<extra></extra>", unselected={"marker": {"opacity": 1}})
    labels = [{"text": template.plain(line["note"]), "x": 0.01, "xref": "x domain", "xanchor": "left", "y": i, "showarrow": False, "font": {"size": 11}}
              for i, line in enumerate(lines) if not np.isfinite(line["tau"])]
    most = 100 * float(np.nanmax(regrets, initial=0))
    return template.figure(*traces, bars, height=height or 140 + ROW * len(lines), uirevision=revision, annotations=labels, barmode="overlay", legend=below(),
                           showlegend=True, margin={"t": 12}, meta={"note": note([_known(found), _few(lines)])},
                           shapes=marked(None if at is None or at not in where else where.index(at)),
                           xaxis={"domain": [0, 0.72], "range": [-1.05, 1.05], "title": {"text": f"Kendall's τ-b with the {_truth(found, low=True)}"},
                                  "zeroline": True, "zerolinecolor": template.RIM, "dtick": 0.5},
                           xaxis2={"domain": [0.78, 1], "range": [0, 1.45 * max(most, 0.1)], "title": {"text": "Regret of its pick,<br>points"}, "nticks": 3,
                                   "showgrid": False},
                           yaxis={**rows([_styled(line["title"], line["kind"]) for line in lines]),
                                  "ticktext": [_styled(line["title"], line["kind"]) for line in lines]})


def summary_says(found: Leaderboard, *, told=None) -> str:
    lines = (found.summary() if told is None else told).to_dict("records")
    known = [line for line in lines if np.isfinite(line["tau"])]
    if not known:
        return "No score can be compared with a measured truth yet."
    top, trivial = known[0], next((line for line in known if line["kind"] == "trivial"), None)
    beyond = sum(line["tau"] > Z * line["null_sd"] for line in known)
    beside = "" if trivial is None or trivial is top else f"; the best trivial baseline is {trivial['title']} ({_r(trivial['tau'])})"
    return (f"{top['title']} orders the {top['n']} rows best (τ = {_r(top['tau'])}, interval {_r(top['low'])} to {_r(top['high'])}){beside}; "
            f"{beyond} of {len(known)} scores do better than chance would.{f' {_few(lines)}.' if _few(lines) else ''}")


# published tables

def published(table: Mapping, ours: Mapping | None = None, *, height: int | None = None, revision: str = "published"):
    """A published table: a row per method, a dot per column of the table, and the mean. Ours are measured on other data, and drawn apart.

    table  "title", "unit", "methods", "columns", "values" (methods, columns) NaN where there is none; "better": 1 or -1; "null_sd" of a value, if known
    ours   method -> our value
    """
    values, methods = np.asarray(table["values"], np.float64), list(table["methods"])
    means = np.array([_mean(row) for row in values])
    order = np.argsort(-table["better"] * np.nan_to_num(means, nan=-table["better"] * np.inf), kind="stable")
    place = np.argsort(order)
    i, j = np.nonzero(np.isfinite(values))
    names, headings = [template.plain(m) for m in methods], [template.plain(c) for c in table["columns"]]
    said = [f"{names[a]}, {headings[b]}: {_r(values[a, b])}<br>published" for a, b in zip(i, j, strict=True)]
    each = go.Scatter(x=values[i, j].astype(np.float32), y=(place[i] + 0.18 * np.sin(2.4 * j)).astype(np.float32), mode="markers", hovertext=said,
                      customdata=np.column_stack([i, j]).astype(np.int32), hovertemplate="%{hovertext}<extra></extra>", name="published, each",
                      marker={"color": template.GREY, "symbol": "circle-open", "size": 7, "line": {"width": 1.4}}, unselected={"marker": {"opacity": 0.8}})
    mean = go.Scatter(x=means.astype(np.float32), y=place, mode="markers", name="published, mean", hoverinfo="skip",
                      marker={"color": "#8B6BD9", "symbol": "line-ns", "size": 19, "line": {"width": 3.5, "color": "#8B6BD9"}})
    traces, sd = [each, mean], table.get("null_sd")
    if ours and (both := [k for k, method in enumerate(methods) if np.isfinite(ours.get(method, np.nan))]):
        traces.append(go.Scatter(x=np.array([ours[methods[k]] for k in both], np.float32), y=place[both], mode="markers", name="ours, on other data",
                                 marker={"color": "#0072B2", "symbol": "diamond", "size": 12}, hovertemplate="%{hovertext}<extra></extra>",
                                 hovertext=[f"{names[k]}: {_r(ours[methods[k]])}<br>ours, on other data" for k in both]))
    shapes = [] if sd is None else [{"type": "rect", "x0": -Z * sd, "x1": Z * sd, "yref": "paper", "y0": 0, "y1": 1, "layer": "below", "name": "chance",
                                     "fillcolor": faded(template.GREY, 0.25), "line": {"width": 0}}]
    band = f"grey band: what chance gives one published value (±{Z:g} × {sd:g})" if sd is not None else ""
    return template.figure(*traces, height=height or 140 + 34 * len(methods), uirevision=revision, legend=below(), showlegend=True, shapes=shapes,
                           margin={"t": 40}, meta={"note": note([band, "published figures are other models and data than ours"])},
                           title={"text": f"Published: {template.plain(table['title'])}", "y": 0.98, "yanchor": "top"},
                           xaxis={"title": {"text": f"{template.plain(table['unit'])} ({_better(table['better'])})"}, "zeroline": True,
                                  "zerolinecolor": template.RIM, **({"autorange": "reversed"} if table["better"] < 0 else {})},
                           yaxis={**rows(names), "ticktext": [f"{short(names[k])}  {_r(means[k])}" for k in order]})


def published_says(table: Mapping, ours: Mapping | None = None) -> str:
    means = {method: _mean(row) for method, row in zip(table["methods"], np.asarray(table["values"], np.float64), strict=True)}
    ranked = sorted((m for m in means if np.isfinite(means[m])), key=lambda m: -table["better"] * means[m])
    if not ranked:
        return f"Published, {table['title']}: nothing."
    told = ", ".join(f"{method} {_r(means[method])}" for method in ranked)
    own = [f"{method} {_r(value)}" for method, value in (ours or {}).items() if method in means and np.isfinite(value)]
    return f"Published, {table['title']}, means of {table['unit']}, best first: {told}." + (f" Ours, on other data: {', '.join(own)}." if own else "")


# what they share

def _measured(found, order, x=None) -> list:
    """The truth of some rows in percent with its interval, at their places from above; or over `x`."""
    order = np.asarray(order, np.int64)
    spans = 100 * np.array([found.truth_interval(found.names[row]) for row in order]).reshape(-1, 3)
    said = [f"{template.plain(found.names[row])}<br>{_spanned(found, span)}" for row, span in zip(order, spans, strict=True)]
    sides = (spans, np.arange(len(order))) if x is None else (np.asarray(x)[order], spans)
    look = (_truth(found), "#0072B2", "square") if found.kind == "models" else None
    return effects(*sides, said, custom=order, look=look, **({"xaxis": "x2"} if x is None else {}))


def _star(x, y, row, said, **where):
    return go.Scatter(x=np.asarray(x, np.float32), y=np.asarray(y, np.float32), customdata=np.array([row], np.int32), mode="markers", marker=BEST,
                      name="truly best", hovertext=[said], hovertemplate="%{hovertext}<extra></extra>", unselected={"marker": {"opacity": 1}}, **where)


def _none(found, down: str | None = None) -> list:
    """The rule of no gain, across, or down on an axis."""
    ends = {"xref": down, "x0": 0, "x1": 0, "yref": "paper", "y0": 0, "y1": 1} if down else {"xref": "paper", "x0": 0, "x1": 1, "y0": 0, "y1": 0}
    return [{"type": "line", **ends, "layer": "below", "name": "no gain", "line": {"width": 1.3, "color": template.GREY}}] if found.kind == "sources" else []


def _sources(found, order) -> tuple[list, dict, float]:
    """What the rows are made of, at the left in the place of their names, and where that ends; nothing where they are models."""
    if not found.sources:
        return [], {}, 0.0
    members, axis = membership([found.parts[row] for row in order], found.sources, down=True, xaxis="x3")
    return members, axis, min(0.3, 0.06 + 0.035 * len(found.sources))


def _brief(found, row: int, letters: int) -> str:
    return brief(found.parts[row], found.sources, letters) if found.parts[row] else short(template.plain(found.names[row]), letters)


def _best(found) -> int | None:
    means = found.means()
    return int(np.nanargmax(means)) if np.isfinite(means).any() else None


def _order(found, score, limit: int, keep) -> tuple[np.ndarray, str]:
    """The rows drawn, what the score puts first on top, and what is said of those left out; what it does not know comes last, by the truth."""
    values, means = found.oriented()[:, found.scores.index(score)], found.means()
    first, then = (-np.where(np.isfinite(v), v, -np.inf) for v in (values, means))
    order = np.lexsort((then, first))
    drawn = [row for i, row in enumerate(order) if i < limit or row in [k for k in keep if k is not None]]
    said = f"{count(len(drawn))} of {count(len(order))} rows drawn: those that the score puts first, and what is truly best" if len(drawn) < len(order) else ""
    return np.array(drawn, np.int64), said


def _columns(found) -> np.ndarray:
    """All rows, the truly best first; what is not measured comes last."""
    means = found.means()
    return np.argsort(-np.where(np.isfinite(means), means, -np.inf), kind="stable")


def _ranks(values, among) -> np.ndarray:
    """Rank of each value among some of them, the highest being 1; equal ones share the mean of theirs. NaN of the others."""
    ranks, known = np.full(len(values), np.nan), np.asarray(among)[np.isfinite(values[among])]
    mine = values[known]
    ranks[known] = 1 + (mine > mine[:, None]).sum(axis=1) + ((mine == mine[:, None]).sum(axis=1) - 1) / 2
    return ranks


def _tau(found, score) -> float:
    return found.correlation(score, resamples=0).value


def _slope(left: float, right: float, heavy: bool) -> tuple[str, str, float]:
    """(colour, dash, width) of a line from one rank to another."""
    colour, dash = (template.GREY, "solid") if left == right else ("#0072B2", "solid") if right < left else ("#D55E00", "dash")
    return colour, dash, 4.5 if heavy else 1.8


def _ends(values) -> list[float]:
    """Of an axis, with some room."""
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    room = 0.08 * (high - low) or 0.5
    return [low - room, high + room]


def _styled(title: str, kind: str) -> str:
    """A trivial baseline is grey, a method of this app bold."""
    text = short(template.plain(title))
    return f'<span style="color:{template.GREY}">{text}</span>' if kind == "trivial" else f"<b>{text}</b>" if kind == "published-method" else text


def _labelled(found, line: int, taus) -> str:
    if line < 0:
        return f"<b>{short(_truth(found))}</b>"
    return f"{_styled(found.titles[line], found.kinds[line])}  {_r(taus[line]) if np.isfinite(taus[line]) else '–'}"


# in words

def _r(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def _truth(found, low: bool = False) -> str:
    name = template.plain(found.truth_name)
    return name if low else name[:1].upper() + name[1:]


def _unit(found) -> str:
    return "percentage points" if found.kind == "sources" else "%"


def _better(direction: int) -> str:
    return "higher is better" if direction > 0 else "lower is better"


def _value(found, score, row) -> str:
    return f"{template.plain(found.title(score))} {number(found.column(score)[row])}"


def _missing(found, row: int, what: str, letters: int = 80) -> str:
    """Why a row has no such score, or no truth."""
    nothing = "not measured yet" if what == found.truth_name else "not computed yet"
    return short(template.plain(found.reason(found.names[row], what)) or nothing, letters)


def _spanned(found, span) -> str:
    mean, low, high = span
    if not np.isfinite(mean):
        return "not measured yet"
    what = f": {effect(*span)}" if found.kind == "sources" else ""
    return f"{_truth(found)} {mean:.1f}{what}<br>" + (f"interval {low:.1f} to {high:.1f}" if np.isfinite(low) else "one split only")


def _ranked(found, line, row, rank) -> str:
    if line < 0:
        return f"rank {rank:g} by the {_truth(found, low=True)}" if np.isfinite(rank) else _missing(found, row, found.truth_name)
    score = found.scores[line]
    return f"rank {rank:g}: {_value(found, score, row)}" if np.isfinite(rank) else f"{template.plain(found.titles[line])}: {_missing(found, row, score)}"


def _agreement(agreed: Correlation, kind: str) -> str:
    if agreed.reason:
        return f"{SIGNS[kind][0]}: none. {agreed.reason}"
    return (f"{SIGNS[kind][0]} = {_r(agreed.value)} (95\u202f% {_r(agreed.low)} to {_r(agreed.high)}); null sd {agreed.null_sd:.2f}, {agreed.n} "
            f"{'row' if agreed.n == 1 else 'rows'}")


def _summed(line) -> str:
    regret = f"regret {100 * line['regret']:.1f} points" if np.isfinite(line["regret"]) else "its regret is not measured yet"
    return (f"{template.plain(line['title'])}<br>τ-b {_r(line['tau'])}, interval {_r(line['low'])} to {_r(line['high'])}, null sd {line['null_sd']:.2f}<br>"
            f"weighted τ {_r(line['weighted_tau'])}, Spearman {_r(line['spearman'])}<br>picks {template.plain(line['pick'])}: {regret}")


def _known(found) -> str:
    """How far the measuring has come."""
    splits = np.isfinite(found.truth).sum(axis=1)
    done, least, most = int((splits > 0).sum()), int(splits[splits > 0].min(initial=found.truth.shape[1])), int(splits.max(initial=0))
    return (f"{'all ' if done == len(found.names) else f'{done} of '}{count(len(found.names))} rows measured"
            + (f" over {most if least == most else f'{least} to {most}'} {'split' if most == 1 else 'splits'}" if done else "")
            + (f", {count(found.budget)} target items trained on" if found.budget else ""))


def _lacking(found, score) -> str:
    lacking = int((np.isfinite(found.means()) & ~np.isfinite(found.column(score))).sum())
    return f"{count(lacking)} measured {'row has' if lacking == 1 else 'rows have'} no such score" if lacking else ""


def _few(lines) -> str:
    few = [line["n"] for line in lines if np.isfinite(line["tau"]) and line["n"] <= FEW]
    return f"With {max(few)} rows or fewer, an interval means nothing" if few else ""


def _mean(values) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else np.nan
