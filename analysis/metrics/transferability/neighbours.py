"""Scores that read which items lie near one another, and which classes overlap."""

import numbers

import numpy as np

from analysis.errors import InputError
from analysis.metrics import persistence
from analysis.metrics.neighbours import nearest
from analysis.metrics.ranking import sound_seed
from analysis.metrics.transferability.preparation import Prepared, prepare

NEIGHBOURS = 5
WHOLE = 5000  # rows up to which all their products are held at once: they cost less then
BLOCK = 1_000_000  # distances looked through at once
STEP = 128  # rows whose correlations are computed at once
NARROW, WIDE = 32, 64  # principal components that PARC and GBC read
FLOOR = 1e-4  # of a variance, for GBC
PAIRED = 5000  # items of which PARC ranks all pairs
DIGITS = 1e9  # steps in a correlation: beyond, it is rounding


def knn_accuracy(features, labels=None, *, k: int = NEIGHBOURS) -> float:
    """Share of the items whose k nearest others, by a majority, carry their label; of equal majorities that of the nearest wins."""
    data = prepare(features, labels)
    if isinstance(k, bool) or not isinstance(k, numbers.Integral) or not 1 <= k < data.n:
        raise InputError(f"{k!r} neighbours among {data.n} items.", f"Use a whole number from 1 to {data.n - 1}.")
    near = data.labels[_near(data.x, int(k))]
    votes = (near[:, :, None] == near[:, None]).sum(axis=2)  # for the class of each neighbour, nearest first
    return float((near[np.arange(data.n), votes.argmax(axis=1)] == data.labels).mean())


def parc(features, labels=None, *, limit: int = PAIRED, seed: int = 0) -> float:
    """100 times the rank correlation of two distances of all pairs of items: 1 - correlation of their 32 standardised components, and of their labels.
    Above `limit` items that many are drawn."""
    data, seed = prepare(features, labels), sound_seed(seed)
    if isinstance(limit, bool) or not isinstance(limit, numbers.Integral) or limit < 4:
        raise InputError(f"PARC cannot read {limit!r} items.", "Use a whole number from 4.")
    if data.n > limit:
        rows = np.sort(np.random.default_rng(seed).choice(data.n, limit, replace=False))
        data = prepare(data.x[rows], data.labels[rows])
    z = data.components(NARROW)
    if z.shape[1] < 2:
        raise InputError("The features vary in one direction only: items have no correlation.", "PARC needs two directions at least.")
    z /= z.std(axis=0)
    z -= z.mean(axis=1, keepdims=True)
    size = np.linalg.norm(z, axis=1, keepdims=True)
    flat = size[:, 0] <= 1e-12 * size.max()
    if flat.any():
        raise InputError(f"{flat.sum()} of {data.n} items have the same value in all components and no correlation with others, "
                         f"first row {int(flat.argmax())}.", "Leave those rows out.")
    return 100 * _spearman(z / size, data.labels)


def gbc(features, labels=None) -> float:
    """Minus the Bhattacharyya coefficients of all ordered pairs of classes, each a Gaussian with its own variance along 64 components."""
    data = prepare(features, labels)
    z = data.components(WIDE)
    means = np.stack([z[rows].mean(axis=0) for rows in data.members])
    variances = np.maximum([z[rows].var(axis=0) for rows in data.members], FLOOR)
    total = 0.0
    for mean, variance in zip(means, variances, strict=True):
        both = (variances + variance) / 2
        apart = ((means - mean)**2 / both).sum(axis=1) / 8 + (np.log(both) - (np.log(variances) + np.log(variance)) / 2).sum(axis=1) / 2
        total += np.exp(-apart).sum() - 1  # less the class with itself
    return -float(max(total, 0))


def persistence_ratio(features, classes: int) -> float:
    """-PR: minus how far apart the items of clusters are, over how far apart the clusters are. Reads no labels, only how many classes there are."""
    found = persistence.ratio(features.x if isinstance(features, Prepared) else features, classes)
    if found.reason:
        raise InputError(found.reason, "Give more items, or another layer.")
    return -found.ratio


def _near(x: np.ndarray, k: int) -> np.ndarray:
    """(n, k) the nearest other rows, by single precision; rows in which that cannot tell two of them apart are looked up again in double."""
    n, kept = len(x), min(k + 1, len(x) - 1)
    single = (x / np.abs(x).max()).astype(np.float32)
    halves = np.einsum("ij,ij->i", single, single) / 2
    doubt = 4 * np.finfo(np.float32).eps * np.sqrt(x.shape[1]) * (halves + halves.max())
    found, unsure = np.empty((n, k), np.int64), np.zeros(n, bool)
    whole = single @ single.T if n <= WHOLE else None
    for start in range(0, n, step := max(1, BLOCK // n)):
        rows = np.arange(start, min(start + step, n))
        apart = single[rows] @ single.T if whole is None else whole[rows]
        np.subtract(halves, apart, out=apart)
        apart[np.arange(len(rows)), rows] = np.inf
        near, values = _least(apart, kept)
        found[rows] = near[:, :k]
        unsure[rows] = (np.diff(values, axis=1) <= doubt[rows, None]).any(axis=1)
    if unsure.any():
        found[unsure] = nearest(x, np.flatnonzero(unsure), k)[0]
    return found


def _least(values: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(places, values) of the smallest of each row, ascending. As many of some are as small as the last of these at most, which leaves few to look among."""
    some = values[:, ::8] if 16 * count < values.shape[1] else values
    row, column = np.divmod(np.flatnonzero(values <= np.partition(some, count - 1, axis=1)[:, count - 1:count]), values.shape[1])
    lengths = np.bincount(row)
    place = np.arange(len(row)) - np.repeat(lengths.cumsum() - lengths, lengths)
    few, where = np.full((len(values), lengths.max()), np.inf, values.dtype), np.zeros((len(values), lengths.max()), np.int64)
    few[row, place], where[row, place] = values[row, column], column
    order = few.argsort(axis=1)[:, :count]
    return np.take_along_axis(where, order, axis=1), np.take_along_axis(few, order, axis=1)


def _spearman(z: np.ndarray, labels: np.ndarray) -> float:
    """Rank correlation of 1 - zz' with whether two items differ in class, over all pairs. The latter has two values: it takes the ranks of the pairs within
    classes only."""
    n, i = len(z), 0
    pairs, within = np.empty(n * (n - 1) // 2, np.int32), []
    for start in range(0, n, STEP):
        block = np.rint((1 - z[start:start + STEP] @ z[start:].T) * DIGITS).astype(np.int32)
        for row, apart in enumerate(block):
            pairs[i:i + len(apart) - row - 1] = apart[row + 1:]
            within.append(apart[row + 1:][labels[start + row + 1:] == labels[start + row]])
            i += len(apart) - row - 1
    within = np.sort(np.concatenate(within))
    pairs.sort()
    ranks = np.searchsorted(pairs, within, "left") + np.searchsorted(pairs, within, "right")  # twice the mean rank of equals, and 1 less
    edges = np.flatnonzero(np.concatenate([[True], pairs[1:] != pairs[:-1], [True]]))
    lengths, m, inside = np.diff(edges), float(len(pairs)), float(len(within))
    ties = lengths[lengths > 1].astype(np.float64)
    spread = (m**3 - m - (ties**3 - ties).sum()) / 12  # of the ranks about their mean
    if spread <= 0:
        raise InputError("All pairs of items are equally correlated.", "Choose another layer.")
    return float((inside * m - ranks.sum()) / 2 / np.sqrt(spread * inside * (m - inside) / m))
