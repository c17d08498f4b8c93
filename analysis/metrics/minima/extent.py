"""How large the set of connected minima is: their distances, and the volume that they span."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import lgamma, log, nan, sqrt

import numpy as np

from analysis.errors import InputError
from analysis.metrics.minima.landscape import Barriers, barriers, several, sound_epsilon
from analysis.metrics.ranking import as_read
from analysis.metrics.result import plain, tuples

THIN = 1e-12  # a squared volume below this share of the regular simplex's is that of none: rounding


@dataclass(frozen=True, eq=False)
class Size:
    """Our estimators; the published formula is not in reach. Minima are connected when the barrier between them is at most epsilon.

    distance   mean distance of connected minima, 0 when none are
    diameter   the largest of those distances
    connected  the share of the pairs that are
    volume     log volume of the simplex on `clique`, divided by its dimension; NaN or -infinity for a `reason`
    clique     the most minima that are all connected with one another; of several such groups the one of the largest volume
    distances, barriers  (n, n), NaN of those left out
    """

    distance: float
    diameter: float
    connected: float
    volume: float
    reason: str
    clique: tuple
    parameters: int
    epsilon: float
    distances: np.ndarray
    barriers: np.ndarray
    left_out: tuple = ()
    warnings: tuple = ()
    options: Mapping = field(default_factory=dict)

    def __post_init__(self):
        tuples(self, "clique", "left_out", "warnings")

    @property
    def per_root(self) -> float:
        """Mean distance over the square root of the number of parameters."""
        return self.distance / sqrt(self.parameters)

    @property
    def diameter_per_root(self) -> float:
        return self.diameter / sqrt(self.parameters)

    @property
    def dimension(self) -> int:
        return max(0, len(self.clique) - 1)

    @property
    def links(self) -> np.ndarray:
        """(n, n) which are connected."""
        return _links(self.barriers, self.epsilon)

    def table(self):
        """One line per pair."""
        import pandas as pd
        first, second = np.triu_indices(len(self.barriers), 1)
        return pd.DataFrame({"first": first, "second": second, "distance": self.distances[first, second], "barrier": self.barriers[first, second],
                             "connected": self.links[first, second]})

    def manifest(self) -> dict:
        said = {name: plain(getattr(self, name)) for name in ("distance", "diameter", "connected", "volume", "reason", "parameters", "epsilon", "per_root",
                                                              "diameter_per_root", "dimension")}
        return {**said, "clique": list(self.clique), "distances": plain(self.distances.tolist()), "barriers": plain(self.barriers.tolist()),
                "left_out": list(self.left_out), "warnings": list(self.warnings), "options": dict(self.options)}


def size(branches, *, barriers=None, loss: Callable | None = None, epsilon: float, points: int = 21) -> Size:
    """Of minima (n, size), or of what `branch` gives; from their barriers, (n, n) or a `Barriers`, or from the loss. Those that are not finite are left out and
    named."""
    rows, epsilon = several(branches), sound_epsilon(epsilon)
    matrix, options = _matrix(rows, barriers, loss, points), {} if barriers is not None else {"points": int(points)}
    n = len(rows)
    sound = rows.isfinite().all(dim=1).cpu().numpy() & ~np.isnan(matrix).all(axis=1)
    kept = np.flatnonzero(sound)
    if len(kept) < 2:
        raise InputError(f"Of {n} branches {n - len(kept)} diverged; there are no two to compare.", "Train with a smaller learning rate, or more branches.")
    matrix, distances = np.where(sound[:, None] & sound, matrix, np.nan), np.full((n, n), np.nan)
    distances[np.ix_(kept, kept)] = _distances(rows[kept])
    links, (first, second) = _links(matrix, epsilon), np.triu_indices(n, 1)
    linked, pairs = links[first, second], len(kept) * (len(kept) - 1) // 2
    spans = distances[first, second][linked]
    clique, volume, reason = _volume(distances, links, kept)
    left_out = tuple(int(i) for i in np.flatnonzero(~sound))
    warnings = tuple(f"Branch {i} diverged and is left out." for i in left_out)
    return Size(float(spans.mean()) if len(spans) else 0.0, float(spans.max()) if len(spans) else 0.0, float(linked.sum() / pairs), volume, reason, clique,
                rows.shape[1], epsilon, distances, matrix, left_out, warnings, options)


def cayley_menger(distances) -> float:
    """Log volume of the simplex whose m + 1 corners have these distances (m + 1, m + 1); -infinity of a flat one.

    The determinant of the squared distances, bordered by ones, is (-1)^(m + 1) 2^m (m!)² times the squared volume.
    """
    d = _table(distances, "Distances")
    if d.ndim != 2 or d.shape[0] != d.shape[1] or len(d) < 2 or not np.isfinite(d).all() or (d < 0).any() or d.diagonal().any() or not np.allclose(d, d.T):
        raise InputError(f"Distances of shape {d.shape} are not those of two or more corners with one another.", "Give a symmetric table, 0 on its diagonal.")
    m, unit = len(d) - 1, d.max()
    if unit == 0:
        return -np.inf
    bordered = np.ones((m + 2, m + 2))
    bordered[0, 0], bordered[1:, 1:] = 0, (d / unit)**2
    sign, found = np.linalg.slogdet(bordered)
    regular = log(m + 1)  # the same determinant where all distances are 1, and the most it can be where none is more
    if sign != (-1)**(m + 1) or found < regular + log(THIN):
        return -np.inf
    return 0.5 * (found - m * log(2)) - lgamma(m + 1) + m * log(unit)


def cliques(links) -> Iterator[tuple[int, ...]]:
    """The groups, each as large as it gets, whose members are all linked with one another (n, n)."""
    near = [set(np.flatnonzero(row).tolist()) - {i} for i, row in enumerate(np.asarray(links))]

    def grow(chosen: tuple, open_: set, done: set) -> Iterator[tuple]:
        if not open_ and not done:
            yield tuple(sorted(chosen))
            return
        pivot = max(open_ | done, key=lambda i: len(open_ & near[i]))
        for i in sorted(open_ - near[pivot]):
            yield from grow((*chosen, i), open_ & near[i], done & near[i])
            open_, done = open_ - {i}, done | {i}
    yield from grow((), set(range(len(near))), set())


def _volume(distances: np.ndarray, links: np.ndarray, kept: np.ndarray) -> tuple[tuple, float, str]:
    """(largest clique, log volume over dimension, why there is none)"""
    found = [tuple(int(kept[i]) for i in group) for group in cliques(links[np.ix_(kept, kept)])]
    most = max(map(len, found))
    if most == 1:
        return (), nan, "No two minima are connected: a simplex with a volume needs three that all are."
    volumes = {group: cayley_menger(distances[np.ix_(group, group)]) / (most - 1) for group in found if len(group) == most}
    best = max(volumes, key=lambda group: volumes[group])
    if most == 2:
        lack = "No three minima are all connected with one another" if len(kept) > 2 else "There are two minima"
        return best, nan, f"{lack}: a simplex with a volume needs three."
    return best, float(volumes[best]), "" if np.isfinite(volumes[best]) else f"The {most} connected minima lie in fewer than {most - 1} dimensions."


def _table(values, what: str) -> np.ndarray:
    """numpy, torch or lists of real numbers, in float64."""
    hint = "Give one number for each pair."
    found = as_read(values, f"{what} are no table: the rows differ in length.", hint)
    if found.dtype.kind not in "fiub":
        raise InputError(f"{what} are no real numbers, but {found.dtype}.", hint)
    return found.astype(np.float64)


def _links(matrix: np.ndarray, epsilon: float) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return (matrix <= epsilon) & ~np.eye(len(matrix), dtype=bool)


def _distances(rows) -> np.ndarray:
    found = np.zeros((len(rows), len(rows)))
    for i, row in enumerate(rows):
        for j in range(i):
            found[i, j] = found[j, i] = float((row - rows[j]).double().norm())
    return found


def _matrix(rows, given, loss: Callable | None, points: int) -> np.ndarray:
    if given is None:
        if loss is None:
            raise InputError("Neither barriers nor a loss were given.", "Give one of them: which minima are connected is read off it.")
        given = barriers(loss, rows, points=points)
    matrix = _table(given.matrix if isinstance(given, Barriers) else given, "Barriers")
    if matrix.shape != (len(rows), len(rows)) or not np.array_equal(matrix, matrix.T, equal_nan=True):
        raise InputError(f"Barriers of shape {matrix.shape} do not fit {len(rows)} branches, or are not the same both ways.", "Give one for each pair.")
    return matrix
