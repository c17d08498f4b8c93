"""The triangle that RADAR measures, to scale in its own plane: an item, where the next layer takes it, and a partner."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from analysis.errors import InputError
from analysis.figures import template
from analysis.figures.persistence import number
from analysis.metrics.triangles import triangles

CORNERS = ("x<sub>l</sub>", "x<sub>l+1</sub>", "p")  # anchor, where the next layer takes it, partner
SYMBOLS = ("circle", "circle-open", "square")
SIDES = {"sep": (0, 2, "solid"), "detour": (2, 1, "dash"), "traj": (0, 1, "dot")}  # from corner to corner
LENGTHS = {"direct": "(|sep| + |detour| − |traj|) / |traj|", "path": "(|sep| + |detour| − |traj|) / (|sep| + |detour|)",
           "detour": "(|detour| − |traj|) / |traj|"}
ANGLES = {"partner": "the corner at the partner p", "turning": "the turn at the partner p", "anchor": "the corner at the anchor x"}
SHORT = 26  # letters of a name


def triangle(anchor, anchor_next, partner, *, angle: str = "partner", distance: str = "direct", names: Sequence[str] = ("", "", ""), bounds=None,
             height: int = 380, revision: str = "triangle"):
    """Three points of any dimension as the triangle they make, the partner on a level with the anchor; θ is an arc at its corner, d stands in the title.

    names   of the three points, in that order
    bounds  (2, 2) of `frame`, to keep several triangles on one scale
    """
    theta, d = _measured(anchor, anchor_next, partner, angle, distance)
    corners = _plane(anchor, anchor_next, partner)
    lengths = {side: float(np.linalg.norm(corners[b] - corners[a])) for side, (a, b, _) in SIDES.items()}
    title = f"θ = {_degrees(theta)}, d = {number(d)}" if np.isfinite(theta) else "Two of the points are one: there is no triangle"
    arc = _arc(corners, angle, theta) if np.isfinite(theta) else []
    sides = [_side(corners, side, length) for side, length in lengths.items()]
    labels = [_named(corners, side, length) for side, length in lengths.items() if length > 0] + _corners(corners, names, angle, theta)
    x, y = (frame([(anchor, anchor_next, partner)]) if bounds is None else np.asarray(bounds, float)).tolist()
    bare = {"showticklabels": False, "ticks": "", "showgrid": False}
    return template.figure(*arc, *sides, _dots(corners, names), height=height, uirevision=revision, annotations=labels, showlegend=False,
                           meta={"note": f"to scale in its own plane; d = {LENGTHS[distance]}; θ: {ANGLES[angle]}"},
                           title={"text": title, "y": 0.98, "yanchor": "top"}, margin={"t": 48, "b": 40},
                           xaxis={**bare, "range": x}, yaxis={**bare, "range": y, "scaleanchor": "x"})


def says(anchor, anchor_next, partner, *, angle: str = "partner", distance: str = "direct") -> str:
    """What the triangle tells, in plain words."""
    theta, d = _measured(anchor, anchor_next, partner, angle, distance)
    if not np.isfinite(theta):
        return "Two of the three points are one: there is no triangle, and such pairs are dropped."
    sep, detour, traj = (float(np.linalg.norm(np.subtract(b, a, dtype=np.float64))) for a, b in
                         ((anchor, partner), (partner, anchor_next), (anchor, anchor_next)))
    return (f"The anchor is {number(sep)} from the partner (sep) and moves {number(traj)} to the next layer (traj); by way of the partner the rest is "
            f"{number(detour)} (detour). So θ = {_degrees(theta)} and d = {number(d)}.")


def free(sep: float, traj: float, degrees: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(anchor, anchor_next, partner) in the plane, from the lengths of two sides and the angle between them at the anchor."""
    if not (np.isfinite([sep, traj, degrees]).all() and sep >= 0 and traj >= 0 and 0 <= degrees <= 180):
        raise InputError(f"No triangle has the sides {sep!r} and {traj!r} and an angle of {degrees!r}° between them.",
                         "Give lengths that are not negative, and an angle from 0 to 180.")
    turn = np.radians(degrees)
    return np.zeros(2), traj * np.array([np.cos(turn), np.sin(turn)]), np.array([float(sep), 0.0])


def frame(several: Sequence[tuple]) -> np.ndarray:
    """(2, 2) lowest and highest of both axes, to hold each of some (anchor, anchor_next, partner), with room for the names."""
    every = np.concatenate([_plane(*points) for points in several])
    low, high = every.min(axis=0), every.max(axis=0)
    room = 0.14 * max(float((high - low).max()), 1e-9)
    return np.stack([low - room, high + room], axis=1)


def _measured(anchor, anchor_next, partner, angle, distance) -> tuple[float, float]:
    theta, d = triangles(*(np.asarray(p, np.float64) for p in (anchor, anchor_next, partner)), angle=angle, distance=distance)
    return float(theta), float(d)


def _plane(anchor, anchor_next, partner) -> np.ndarray:
    """(3, 2) the same triangle in the plane: the anchor at 0, the partner to its right, the third corner above."""
    x, after, p = (np.asarray(point, np.float64) for point in (anchor, anchor_next, partner))
    sep, traj = p - x, after - x
    length = np.linalg.norm(sep)
    level = sep / length if length > 0 else np.zeros_like(sep)
    along = traj @ level
    return np.array([[0, 0], [along, np.linalg.norm(traj - along * level)], [length, 0]])


def _side(corners, side, length):
    a, b, dash = SIDES[side]
    (x0, y0), (x1, y1) = corners[[a, b]].tolist()
    place = list(SIDES).index(side)
    middle = np.linspace(0, 1, 9)  # places along it to point at
    return go.Scatter(x=(x0 + middle * (x1 - x0)).astype(np.float32), y=(y0 + middle * (y1 - y0)).astype(np.float32), mode="lines", name=side,
                      line={"color": template.PALETTE[place], "dash": dash, "width": 3},
                      hovertemplate=f"{side}, {CORNERS[a]} to {CORNERS[b]}: {number(length)}<extra></extra>")


def _named(corners, side, length) -> dict:
    """The name of a side beside its middle, on the outside."""
    a, b, _ = SIDES[side]
    along = corners[b] - corners[a]
    out = np.array([along[1], -along[0]]) / length
    out *= -1 if out @ (corners.mean(axis=0) - corners[a]) > 0 else 1
    if side == "sep":
        out = np.array([0, -1.0])
    x, y = corners[[a, b]].mean(axis=0).tolist()
    beside, above = (int(np.sign(np.round(v, 1))) for v in out)
    return {"x": x, "y": y, "text": f"{side} {number(length)}", "showarrow": False, "font": {"size": 13}, "xshift": 5 * beside, "yshift": 5 * above,
            "xanchor": ("right", "center", "left")[beside + 1], "yanchor": ("top", "middle", "bottom")[above + 1]}


def _corners(corners, names, angle, theta) -> list[dict]:
    """The corners by name: the third above, the others below, where nothing is drawn, to the outside where they are near; θ beside its own."""
    made, width = [], corners[:, 0].max() - corners[:, 0].min()
    near = corners[2, 0] < 0.7 * max(width, corners[1, 1])
    for i, ((x, y), corner, name) in enumerate(zip(corners.tolist(), CORNERS, names, strict=True)):
        short = str(name) if len(str(name)) <= SHORT else f"{str(name)[:SHORT - 1]}…"
        mine = np.isfinite(theta) and i == (0 if angle == "anchor" else 2)
        text = f"<b>{corner}</b>{f', <b>θ {_degrees(theta)}</b>' if mine else ''}"
        text = "<br>".join(part for part in ((template.plain(short), text) if i == 1 else (text, template.plain(short))) if part)
        side = ("right", "center", "left")[i] if near else ("left", "center", "right")[i]
        made.append({"x": x, "y": y, "text": text, "showarrow": False, "font": {"size": 13}, "xanchor": side, "align": side,
                     "yanchor": "bottom" if i == 1 else "top", "yshift": 9 if i == 1 else -24})
    return made


def _arc(corners, angle, theta) -> list:
    """θ between its two sides; of the turn, between the way on and the detour."""
    at = 0 if angle == "anchor" else 2
    others = np.delete(corners, at, axis=0) - corners[at]
    radius = 0.28 * float(np.linalg.norm(others, axis=1).min())
    start = {"anchor": 0.0, "partner": np.pi - theta, "turning": 0.0}[angle]
    turn = start + theta * np.linspace(0, 1, 40)
    x, y = corners[at]
    line = {"mode": "lines", "hoverinfo": "skip", "showlegend": False}
    drawn = [go.Scatter(x=(x + radius * np.cos(turn)).astype(np.float32), y=(y + radius * np.sin(turn)).astype(np.float32), name="θ",
                        line={"color": template.HIGHLIGHT, "width": 3}, **line)]
    if angle == "turning":
        drawn.append(go.Scatter(x=[float(x), float(x + 1.3 * radius)], y=[float(y)] * 2, name="straight on",
                                line={"color": template.GREY, "dash": "dot"}, **line))
    return drawn


def _dots(corners, names):
    said = [f"{corner}: {template.plain(name)}" if str(name) else corner for corner, name in zip(CORNERS, names, strict=True)]
    return go.Scatter(x=corners[:, 0].astype(np.float32), y=corners[:, 1].astype(np.float32), mode="markers", name="corners", hovertext=said,
                      hovertemplate="%{hovertext}<extra></extra>", cliponaxis=False,
                      marker={"size": 12, "symbol": list(SYMBOLS), "color": template.GREY, "line": {"width": 2, "color": template.GREY}})


def _degrees(theta: float) -> str:
    return f"{np.degrees(theta):.1f}°"
