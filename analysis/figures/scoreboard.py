"""Figure of the scoreboard: how well each method orders the sources of every target, and how far it is from the plain distance of centroids.

Lower, further left, is better throughout. Trivial baselines are grey. `customdata` is [the method's place, the target's place], -1 for the mean over all.
"""

import numpy as np
import plotly.graph_objects as go

from analysis.figures import template
from analysis.figures.gain import rows, short
from analysis.figures.leaderboard import LOOKS
from analysis.figures.persistence import count, note
from analysis.figures.sources import below, marked
from analysis.metrics.scoreboard import Scoreboard
from analysis.metrics.statistics import FEW

__all__ = ["board", "board_says"]

PANELS = {"spearman": ("Spearman with the gain, −1 is best", [0, 0.47], "x"), "mci": ("MCI: 100 × difference<br>from the centroid distance", [0.53, 1], "x2")}
READING = "RADAR, "  # how the other readings of it begin: the figure has them, the sentence has not
FIRST = 3  # methods that are always said
ROW = 30  # pixels
LIFT, LANE = 0.1, 0.29  # how far above the middle of a row the mean stands, and below it the marks of targets


def board(found: Scoreboard, *, at: int | None = None, height: int | None = None, revision: str = "scoreboard"):
    """A row per method, the best on top: a small dot for each target, and the mean with its interval over suites.

    at  the method to mark
    """
    order = found.order()
    place, traces = np.argsort(order), []
    for of, (_, _, axis) in PANELS.items():
        values, means = (found.spearman, found.mean()) if of == "spearman" else (found.differences(), found.mci())
        traces += [_targets(found, of, values, place, axis), *_means(found, of, means, found.interval(of), place, axis)]
    axes = {f"xaxis{axis[1:]}": {"domain": domain, "title": {"text": text}, "zeroline": True, "zerolinecolor": template.RIM, "zerolinewidth": 1.5, "nticks": 5}
            for text, domain, axis in PANELS.values()}
    axes["xaxis"]["range"] = [-1.06, 0.08 + max(0.07, float(np.nanmax(found.spearman, initial=0)))]
    labels = [{"text": "no target has such a correlation", "x": 0, "xref": "x domain", "xanchor": "left", "y": int(place[m]), "showarrow": False,
               "font": {"size": 11}} for m in np.flatnonzero(found.targets() == 0)]
    return template.figure(*traces, height=height or 150 + ROW * len(order), uirevision=revision, annotations=labels, legend=below(), showlegend=True,
                           margin={"t": 12}, meta={"note": _note(found)}, shapes=marked(None if at is None else int(place[at])), **axes,
                           yaxis={**rows(found.methods), "ticktext": [_name(found, m) for m in order]})


def board_says(found: Scoreboard) -> str:
    by, mci = found.mean(), found.mci()
    known = [m for m in found.order() if np.isfinite(by[m])]
    if not known:
        return "No method has been compared on any target yet."
    spans = found.interval()
    told = lambda m: f"{found.methods[m]}, {f'MCI {_mci(mci[m], spans[m])}' if np.isfinite(mci[m]) else f'mean Spearman {_number(by[m])}'}"
    ours = [m for m in known[FIRST:] if found.kinds[m] == "published-method" and not found.methods[m].startswith(READING)]
    rest = "".join(f" Place {known.index(m) + 1} of {len(known)}: {told(m)}." for m in ours)
    clear = f" {sum(spans[m][1] < 0 for m in known)} of {len(known)} are clearly better than the centroid distance." if found.centroid >= 0 else ""
    few = f" {_few(found)}." if _few(found) else ""
    return f"Over {_targets_said(found)}, best first: {'; '.join(map(told, known[:FIRST]))}.{rest}{clear}{few}"


def _targets(found, of, values, place, axis):
    row, column = np.nonzero(np.isfinite(values))
    said = [f"{template.plain(found.methods[m])} on {template.plain(found.suites[t])}<br>{_said(of, values[t, m])}, {count(int(found.n_blends[t]))} blends"
            for t, m in zip(row, column, strict=True)]
    return go.Scatter(x=values[row, column].astype(np.float32), y=(place[column] + LANE).astype(np.float32), mode="markers", hovertext=said, xaxis=axis,
                      customdata=np.column_stack([column, row]).astype(np.int32), hovertemplate="%{hovertext}<extra></extra>", name="each target",
                      marker={"symbol": "line-ns", "size": 9, "color": template.GREY, "line": {"width": 1.6, "color": template.GREY}},
                      showlegend=of == "spearman", unselected={"marker": {"opacity": 0.7}})


def _means(found, of, means, spans, place, axis) -> list:
    made = []
    for kind, (name, colour, symbol) in LOOKS.items():
        mine = np.array([m for m, other in enumerate(found.kinds) if other == kind and np.isfinite(means[m])], np.int64)
        if not len(mine):
            continue
        low, high = np.where(np.isfinite(spans[mine]), spans[mine], means[mine, None]).T
        said = [f"{template.plain(found.methods[m])}, mean of {int(found.targets()[m])} targets<br>{_said(of, means[m], spans[m])}" for m in mine]
        error = {"type": "data", "array": (high - means[mine]).astype(np.float32), "arrayminus": (means[mine] - low).astype(np.float32), "width": 4,
                 "thickness": 2, "color": colour}
        mark = {"color": colour, "symbol": symbol, "size": 12, "line": {"width": 2, "color": colour}}
        made.append(go.Scatter(x=means[mine].astype(np.float32), y=(place[mine] - LIFT).astype(np.float32), mode="markers", name=f"mean, {name}", marker=mark,
                               error_x=error, xaxis=axis, customdata=np.column_stack([mine, np.full(len(mine), -1)]).astype(np.int32), hovertext=said,
                               hovertemplate="%{hovertext}<extra></extra>", legendgroup=kind, showlegend=of == "spearman",
                               unselected={"marker": {"opacity": 0.75}}))
    return made


def _name(found, method: int) -> str:
    text = short(template.plain(found.methods[method]), 38)
    kind = found.kinds[method]
    return f'<span style="color:{template.GREY}">{text}</span>' if kind == "trivial" else f"<b>{text}</b>" if kind == "published-method" else text


def _number(value: float, form: str = ".2f") -> str:
    return f"{value:{form}}".replace("-", "−")


def _mci(value, span) -> str:
    between = f" ({_number(span[0], '+.1f')} to {_number(span[1], '+.1f')})" if np.isfinite(span[0]) else ""
    return f"{_number(value, '+.1f')}{between}"


def _said(of, value, span=(np.nan, np.nan)) -> str:
    if of == "mci":
        return f"MCI {_mci(value, span)}"
    return f"Spearman {_number(value)}" + (f" ({_number(span[0])} to {_number(span[1])})" if np.isfinite(span[0]) else "")


def _targets_said(found) -> str:
    return f"{count(len(found.suites))} {'target' if len(found.suites) == 1 else 'targets'}"


def _redrawn(found) -> str:
    return "intervals: targets redrawn" if len(set(found.groups())) == 1 else "intervals: whole suites redrawn, since the targets of one share their domains"


def _few(found) -> str:
    return f"An interval over {_targets_said(found)} means nothing" if len(found.suites) <= FEW else ""


def _note(found) -> str:
    missing = int(np.isnan(found.spearman).sum())
    return note([f"{_targets_said(found)}; {_redrawn(found)}", _few(found),
                 f"{count(missing)} of {count(found.spearman.size)} correlations not computed" if missing else "",
                 "the centroid distance is not among them: no MCI" if found.centroid < 0 else ""])
