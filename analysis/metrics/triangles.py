"""Triangles of an anchor, where the next layer takes it, and a partner: one angle and one excess length each.

Three numbers are enough: |sep|², sep · traj and |traj|². With sides a, b and c opposite the corner in question the half angle is known from
b + c - a, a + b - c, a + c - b and a + b + c, of which each is as exact as the shortest side needs it; an arc cosine would lose half of the digits.
Over all transitions of many pairs the two that depend on the pair are taken in blocks that stay near the processor; on the sphere in double precision.
"""

import sys
from collections.abc import Sequence

import numpy as np

from analysis.errors import InputError
from analysis.metrics.ranking import to_numpy
from analysis.metrics.readings import CHOICES, Options

BLOCK = 1 << 17  # numbers of a block of differences
CLOSE = 1e-2  # share of |sep|² + |traj|² below which |detour|² has lost digits and is measured again
EXTREME = 30  # powers of two from which on states are scaled before they are squared
SAME = 4 * np.finfo(np.float32).eps  # chord below which directions in single precision are the same


def triangles(anchor, anchor_next, partner, *, angle: str = "partner", distance: str = "direct", geometry: str = "euclidean") -> tuple[np.ndarray, np.ndarray]:
    """(theta, d) over all but the last axis of three arrays of points: x at a layer and at the next one, and the partner at the first; in radians, NaN where a
    side is 0. Of the geometry "pseudo-cartesian" (d cos theta, d sin theta). Options as for `Options`."""
    for name, value in (("angle", angle), ("distance", distance), ("geometry", geometry)):
        if value not in CHOICES[name]:
            raise InputError(f"{value!r} is no {name} of RADAR.", f"Use one of {', '.join(CHOICES[name])}.")
    x, after, p = (_points(v) for v in (anchor, anchor_next, partner))
    try:
        np.broadcast_shapes(x.shape, after.shape, p.shape)
    except ValueError as error:
        raise InputError(f"Points of shapes {x.shape}, {after.shape} and {p.shape} make no triangles.", "Give three of one shape (..., dimensions).") from error
    if geometry == "geodesic":
        x, after, p = (_directions(v) for v in (x, after, p))
    sep, traj, detour = p - x, after - x, after - p
    squares = [(v * v).sum(axis=-1) for v in (sep, traj, detour)]
    return _shape(*squares, (sep * traj).sum(axis=-1), angle, distance, geometry, 16 * np.finfo(float).eps)


def vectors(target: Sequence[np.ndarray], partner: Sequence[np.ndarray], pairs: np.ndarray, options: Options) -> np.ndarray:
    """(pairs, 2 transitions) angles, always those of which "turning" is the rest to pi, then distances, in single precision. pairs are rows of anchors in the
    target's states and of partners in the other's."""
    angle, transitions = "partner" if options.angle == "turning" else options.angle, len(target) - 1
    sphere, products = options.geometry == "geodesic", _products(options.device)
    rows, anchors = np.unique(pairs[:, 0], return_inverse=True)
    few = sphere or products is not _here  # put on the sphere, or elsewhere, are only the partners that are needed
    others, partners = np.unique(pairs[:, 1], return_inverse=True) if few else (slice(None), pairs[:, 1])
    found = np.empty((len(pairs), 2 * transitions), np.float32)
    taken, move = target[0][rows], None
    for i in range(transitions):
        before, taken = taken, target[i + 1][rows]
        x, after, p = _moderate(before, taken, partner[i][others])
        if sphere:
            x, after, p = (_directions(v.astype(np.float64)) for v in (x, after, p))
        move = np.subtract(after, x, out=move if move is not None and move.dtype == after.dtype else None)
        length = np.einsum("ij,ij->i", move, move, dtype=np.float64, casting="same_kind")[anchors]
        sep, along = products(x, move, p, anchors, partners)
        detour = sep - 2 * along + length
        near = np.flatnonzero(detour < CLOSE * (sep + length))
        detour[near] = ((x[anchors[near]].astype(np.float64) + move[anchors[near]] - p[partners[near]])**2).sum(axis=1)
        floor = SAME if target[i].dtype == np.float32 or partner[i].dtype == np.float32 else 16 * np.finfo(float).eps
        found[:, i], found[:, transitions + i] = _shape(sep, length, detour, along, angle, options.distance, options.geometry, floor)
    return found


def _moderate(*states: np.ndarray) -> list[np.ndarray]:
    """All of one type, and times one power of two, exactly, where their squares would leave its range."""
    kind = np.result_type(*states)
    with np.errstate(over="ignore"):
        squares = [float(np.vdot(x, x)) / x.size for x in states]  # one pass without a copy: mostly enough to know
    if all(4.0**-EXTREME < mean < 4.0**EXTREME for mean in squares):
        return [x.astype(kind, copy=False) for x in states]
    power = np.frexp(max(float(np.abs(x).max()) for x in states))[1]
    return [x.astype(kind, copy=False) if abs(power) <= EXTREME else np.ldexp(x.astype(kind), -power) for x in states]


def _products(device: str):
    """What gives (|sep|², sep · traj) of pairs, in float64: numpy in blocks, or torch where its device is."""
    torch = sys.modules.get("torch")
    if device == "cpu" or device == "auto" and not (torch and torch.cuda.is_available()):
        return _here
    return lambda *states: _there("cuda" if device == "auto" else device.removeprefix("torch:"), *states)


def _here(x: np.ndarray, move: np.ndarray, p: np.ndarray, anchors: np.ndarray, partners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    sep, along, step = np.empty(len(anchors)), np.empty(len(anchors)), max(1, BLOCK // x.shape[1])
    apart, other = (np.empty((min(step, len(anchors)), x.shape[1]), x.dtype) for _ in range(2))
    for i in range(0, len(anchors), step):
        rows, columns = anchors[i:i + step], partners[i:i + step]
        d, v = apart[:len(rows)], other[:len(rows)]
        p.take(columns, axis=0, out=d, mode="clip")
        d -= x.take(rows, axis=0, out=v, mode="clip")
        sep[i:i + step] = np.einsum("ij,ij->i", d, d)
        along[i:i + step] = np.einsum("ij,ij->i", d, move.take(rows, axis=0, out=v, mode="clip"))
    return sep, along


def _there(device: str, *states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    import torch
    try:
        torch.zeros(1, device=device).cpu()
        x, move, p, anchors, partners = (torch.as_tensor(v, device=device) for v in states)
    except (RuntimeError, AssertionError, TypeError) as error:
        raise InputError(f"No device {device!r} here.", "Use auto or cpu.") from error
    found = []
    for rows, columns in zip(anchors.split(max(1, 256 * BLOCK // x.shape[1])), partners.split(max(1, 256 * BLOCK // x.shape[1])), strict=True):
        d = p[columns] - x[rows]
        found.append([to_numpy(v.double()) for v in ((d * d).sum(1), (d * move[rows]).sum(1))])
    return tuple(np.concatenate(v) for v in zip(*found, strict=True))


def _shape(sep, traj, detour, along, angle: str, distance: str, geometry: str, same: float) -> tuple[np.ndarray, np.ndarray]:
    """(theta, d) from three squared sides and sep · traj, or what stands for them; on the sphere a side up to `same` is none."""
    none = np.minimum(np.minimum(sep, traj), detour) <= (same**2 if geometry == "geodesic" else 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        a, b, c, gap = _arcs(sep, traj, detour, along) if geometry == "geodesic" else _lengths(sep, traj, detour, along)
        half = (lambda v: np.sin(v / 2)) if geometry == "geodesic" else (lambda v: v)
        near, far, excess, round_ = (np.maximum(half(v), 0) for v in (a - gap, a + gap, b + c - a, a + b + c))
        up, down = (near * excess, far * round_) if angle == "anchor" else (near * far, excess * round_)
        theta = 2 * np.arctan2(np.sqrt(up), np.sqrt(down))
        theta = np.pi - theta if angle == "turning" else theta
        d = {"direct": lambda: (b + c - a) / a, "path": lambda: (b + c - a) / (b + c), "detour": lambda: (c - a) / a}[distance]()
    theta, d = np.where(none, np.nan, theta), np.where(none, np.nan, d)
    return (d * np.cos(theta), d * np.sin(theta)) if geometry == "pseudo-cartesian" else (theta, d)


def _lengths(sep, traj, detour, along) -> tuple:
    """(traj, sep, detour, sep - detour)"""
    a, b, c = (np.sqrt(v) for v in (traj, sep, detour))
    return a, b, c, (2 * along - traj) / (b + c)


def _arcs(sep, traj, detour, along) -> tuple:
    """The same along great circles, from chords."""
    a, b, c = (2 * np.arcsin(np.sqrt(np.clip(v, 0, 4)) / 2) for v in (traj, sep, detour))
    middle = np.sin((b + c) / 2)
    gap = 2 * np.arcsin(np.clip((2 * along - traj) / (4 * middle), -1, 1))
    return a, b, c, np.where(middle > 1e-3, gap, b - c)


def _points(x) -> np.ndarray:
    x = x.detach().cpu().double().numpy() if hasattr(x, "detach") else np.asarray(x)
    if x.dtype.kind not in "fiub" or not x.ndim or not x.shape[-1]:
        raise InputError(f"Points of type {x.dtype} and shape {x.shape} make no triangles.", "Give arrays of numbers (..., dimensions).")
    return x.astype(np.float64)


def _directions(x: np.ndarray) -> np.ndarray:
    """Onto the unit sphere; what is 0 stays there, and is NaN."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return x / np.linalg.norm(x, axis=-1, keepdims=True)
