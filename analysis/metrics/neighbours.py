"""Nearest neighbours in a layer, exactly, and how often they share a class."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from analysis.errors import InputError

METRICS = ("euclidean", "cosine")
BLOCK = 32_000_000  # bytes held at once
SPARE = 8  # candidates beyond k, whose distances are computed again exactly


@dataclass(frozen=True)
class Agreement:
    """Mean share of an item's k nearest neighbours that carry its label, with a bootstrap interval over items and what chance gives."""

    value: float
    low: float
    high: float
    chance: float
    n: int  # items that could be neighbours
    asked: int  # items whose neighbours were looked up
    options: dict = field(default_factory=dict)

    def manifest(self) -> dict:
        return {"value": self.value, "low": self.low, "high": self.high, "chance": self.chance, "n": self.n, "asked": self.asked,
                "options": self.options}


def nearest(x: np.ndarray, rows, k: int = 10, *, metric: str = "euclidean") -> tuple[np.ndarray, np.ndarray]:
    """(indices, distances), each (len(rows), k): the nearest other items of each asked row; ties go to the lower index."""
    x, rows = np.asarray(x), np.asarray(rows, dtype=np.int64)
    if metric not in METRICS:
        raise InputError(f"Unknown metric {metric!r}.", f"Use one of {', '.join(METRICS)}.")
    if not 1 <= k < len(x):
        raise InputError(f"{k} neighbours were asked for among {len(x)} items.", f"Ask for 1 to {len(x) - 1}.")
    x = _prepare(x, metric)
    squares = np.einsum("ij,ij->i", x, x)
    step = max(1, BLOCK // (8 * max(len(x), (k + SPARE) * x.shape[1])))
    found, distances = np.zeros((len(rows), k), np.int64), np.zeros((len(rows), k))
    for i in range(0, len(rows), step):
        found[i:i + step], distances[i:i + step] = _block(x, squares, rows[i:i + step], k)
    return found, distances**2 / 2 if metric == "cosine" else distances


def agreement(x: np.ndarray, labels: np.ndarray, **options) -> Agreement:
    """How often neighbours share a label; options as for `agreements`."""
    return agreements(x, {"": labels}, **options)[""]


def agreements(x: np.ndarray, labels: Mapping[str, np.ndarray], *, k: int = 10, limit: int = 2000, resamples: int = 1000,
               level: float = 0.95, seed: int = 0) -> dict[str, Agreement]:
    """The same for several kinds of label at once: neighbours are looked up a single time.

    Above `limit` items, that many are drawn and asked; all remain candidates.
    """
    n, rng = len(x), np.random.default_rng(seed)
    k = min(k, n - 1)
    rows = np.arange(n) if n <= limit else np.sort(rng.choice(n, limit, replace=False))
    found, _ = nearest(x, rows, k)
    options = {"k": k, "metric": "euclidean", "limit": limit, "resamples": resamples, "level": level, "seed": seed}
    return {name: _agreement(np.asarray(y), rows, found, options) for name, y in labels.items()}


def _agreement(labels, rows, found, options) -> Agreement:
    n, k, tail = len(labels), options["k"], (1 - options["level"]) / 2
    shared = (labels[found] == labels[rows, None]).sum(axis=1)
    # a resample draws items with replacement: its mean needs only how many items share 0, 1, ... k
    odds = np.bincount(shared, minlength=k + 1) / len(rows)
    counts = np.random.default_rng(options["seed"]).multinomial(len(rows), odds, options["resamples"])
    low, high = np.quantile(counts @ np.arange(k + 1) / (k * len(rows)), [tail, 1 - tail])
    sizes = np.unique(labels, return_counts=True)[1]
    chance = float((sizes * (sizes - 1)).sum() / (n * (n - 1)))
    return Agreement(float(shared.mean() / k), float(low), float(high), chance, n, len(rows), options)


def _prepare(x: np.ndarray, metric: str) -> np.ndarray:
    x = x.astype(np.float64)
    if metric == "cosine":  # half the squared distance of unit vectors; a zero row is at right angles to everything
        norms = np.linalg.norm(x, axis=1, keepdims=True)
        return x / np.where(norms > 0, norms, 1)
    return x - x.mean(axis=0)


def _block(x, squares, rows, k) -> tuple[np.ndarray, np.ndarray]:
    quick = squares[rows, None] + squares - 2 * (x[rows] @ x.T)  # good enough to choose candidates by
    quick[np.arange(len(rows)), rows] = np.inf
    wide = min(k + SPARE, len(x) - 1)
    near = np.argpartition(quick, wide - 1, axis=1)[:, :wide]
    near.sort(axis=1)
    exact = ((x[near] - x[rows, None]) ** 2).sum(axis=2)
    order = np.argsort(exact, axis=1, kind="stable")[:, :k]
    found, best = np.take_along_axis(near, order, axis=1), np.take_along_axis(exact, order, axis=1)
    # where the candidates' edge is as near as the last neighbour, there may be more of the same distance outside
    edge = np.take_along_axis(quick, near, axis=1).max(axis=1)
    for i in np.flatnonzero(edge <= best[:, -1] + 1e-9 * (1 + squares.max())) if wide < len(x) - 1 else ():
        every = ((x - x[rows[i]]) ** 2).sum(axis=1)
        every[rows[i]] = np.inf
        found[i] = np.argsort(every, kind="stable")[:k]
        best[i] = every[found[i]]
    return found, np.sqrt(best)
