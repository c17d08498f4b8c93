"""Scores that read how the features vary: between classes, within them, and in all."""

import numbers

import numpy as np

from analysis.errors import InputError
from analysis.metrics.ranking import sound_seed, table
from analysis.metrics.transferability.preparation import Prepared, decomposed, ledoit_wolf, prepare

PRECISION = 1e-4  # epsilon of a coding rate
LEAST = 1e-6  # share of a spherical covariance in that of LDA, so that directions without variance within classes count, and count much


def h_score(features, labels=None, *, shrinkage: bool = True) -> float:
    """Trace of the inverse covariance of the features times that of their class means: the between-class variance of whitened features.

    Shrunk by Ledoit and Wolf's share, or plain with a pseudo-inverse, which gives the number of classes less one wherever items are fewer than features.
    """
    data = prepare(features, labels)
    whole, between, share = variances(data, shrinkage)
    return float((1 - share) * (between / whole).sum())


def variances(data: Prepared, shrunk: bool) -> tuple[np.ndarray, np.ndarray, float]:
    """(whole, between, share): the variance of the features and of their class means in each direction, and the share by which the former is shrunk."""
    s, v = data.spectrum
    whole, d = s**2 / data.n, data.x.shape[1]
    between = (data.counts[:, None] / data.n * (data.means @ v.T)**2).sum(axis=0)
    if not shrunk:
        return whole, between, 0.0
    fourth = (np.einsum("ij,ij->i", data.x, data.x)**2).mean()
    share = ledoit_wolf(whole.sum(), (whole**2).sum(), fourth, data.n, d)
    return (1 - share) * whole + share * whole.sum() / d, between, share


def transrate(features, labels=None) -> float:
    """The coding rate of all features less the mean over classes of that of each, about the common mean. Depends on the scale of the features."""
    data = prepare(features, labels)
    whole = 0.5 * np.log1p(data.spectrum[0]**2 / (data.n * PRECISION)).sum()
    return float(whole - np.mean([_rate(data.x[rows]) for rows in data.members]))


def nc1(features, labels=None) -> float:
    """Neural collapse: minus the variance within classes, over items, measured against that of the class means, over classes; 0 where classes are points."""
    data = prepare(features, labels)
    t, v = decomposed(data.means - data.means.mean(axis=0))
    sound = t > max(data.means.shape) * np.finfo(float).eps * data.spectrum[0][0] / np.sqrt(data.n)
    if not sound.any():
        raise InputError("The class means coincide: there is no variance between classes to measure against.", "Choose another layer, or check the labels.")
    within = (data.x - data.means[data.labels]) @ (v[sound] / t[sound, None]).T
    return -float((within * within).sum() / data.n)


def lda_accuracy(features, labels=None, *, folds: int = 5, seed: int = 0) -> float:
    """Cross-validated accuracy of linear discriminant analysis, its covariance shrunk by Ledoit and Wolf's share; a class's only item is never found."""
    data, seed = prepare(features, labels), sound_seed(seed)
    if isinstance(folds, bool) or not isinstance(folds, numbers.Integral) or not 2 <= folds <= data.n:
        raise InputError(f"{folds!r} folds of {data.n} items.", f"Use a whole number from 2 to {data.n}.")
    z, fold = data.components(), _folds(data, folds, seed)
    hits = sum(_discriminated(z[fold != i], data.labels[fold != i], z[fold == i], data.labels[fold == i]) for i in range(folds))
    return float(hits / data.n)


def centroid_distance(features, source_features) -> float:
    """Between the means of the target's and of the source's features: the plainest measure of a shift."""
    target, source = (x.mean if isinstance(x, Prepared) else table(x, "Centroids").mean(axis=0, dtype=np.float64) for x in (features, source_features))
    if target.shape != source.shape:
        raise InputError(f"The target's features have {len(target)} columns and the source's have {len(source)}.", "Compare one layer of one model.")
    return float(np.linalg.norm(target - source))


def _rate(z: np.ndarray) -> float:
    gram = z @ z.T if len(z) < z.shape[1] else z.T @ z
    gram /= len(z) * PRECISION
    gram.flat[::len(gram) + 1] += 1
    return 0.5 * np.linalg.slogdet(gram)[1]


def _folds(data: Prepared, folds: int, seed: int) -> np.ndarray:
    """The fold of each item: every class is spread evenly, the next going on where one ends. Which class is which number does not matter."""
    order, fold = np.random.default_rng(seed).permutation(data.n), np.empty(data.n, np.int64)
    _, first, label = np.unique(data.labels[order], return_index=True, return_inverse=True)
    fold[order[np.argsort(first[label], kind="stable")]] = np.arange(data.n) % folds
    return fold


def _discriminated(z: np.ndarray, labels: np.ndarray, asked: np.ndarray, truth: np.ndarray) -> int:
    """How many of the asked are given their class by a discriminant of the others."""
    seen, labels, counts = np.unique(labels, return_inverse=True, return_counts=True)
    means = np.stack([z[labels == c].mean(axis=0) for c in range(len(seen))])
    rest = z - means[labels]
    n, d = rest.shape
    cov = rest.T @ rest / n
    trace = np.trace(cov)
    if trace > 0:
        share = max(ledoit_wolf(trace, (cov**2).sum(), (np.einsum("ij,ij->i", rest, rest)**2).mean(), n, d), LEAST)
        cov *= 1 - share
    else:  # classes are points: the nearest wins
        share, trace = 1, d
    cov.flat[::d + 1] += share * trace / d
    weights = np.linalg.solve(cov, means.T)
    believed = asked @ weights - 0.5 * np.einsum("cd,dc->c", means, weights) + np.log(counts / n)
    return int((seen[believed.argmax(axis=1)] == truth).sum())
