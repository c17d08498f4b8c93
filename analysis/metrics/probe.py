"""Linear probes: what a linear classifier reads off frozen features.

The ridge probe, one against the rest on standardised features, needs to know of its rows only sums that add up over sources: `Moments`. One eigenvalue
decomposition of them gives every strength of the penalty, and the scores of each row had that row been left out. The logistic probe is there to confirm.
"""

import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from analysis.errors import InputError
from analysis.metrics.ranking import to_numpy

STRENGTHS = tuple(10.0**p for p in np.arange(-5, 3.5, 0.5))  # of the penalty, per unit of weight: 1 is the mean eigenvalue of standardised features
LOGISTIC = tuple(10.0**p for p in np.arange(-1.0, -6, -1))  # from strong to weak, so that each fit starts near the next
FOLDS = 5
STEPS = 2000  # of the logistic probe, at most
HUGE = 1e150  # the squares of what is larger overflow
CONSTANT = 1e-12  # a column whose variance is below this share of its mean square is constant, but for rounding


@dataclass(frozen=True, eq=False)
class Probe:
    """A linear classifier: the label of the highest of `x @ coefficients + intercept`.

    strengths, errors  of the penalty, per unit of weight, and the error on rows left out at each; the least decides
    sharpness          what scores are multiplied by before they are made probabilities
    """

    coefficients: np.ndarray
    intercept: np.ndarray
    classes: np.ndarray
    strengths: np.ndarray
    errors: np.ndarray
    sharpness: float
    n: int
    kind: str
    warnings: tuple[str, ...] = ()
    options: Mapping = field(default_factory=dict)

    def __post_init__(self):
        object.__setattr__(self, "warnings", tuple(self.warnings))

    @property
    def strength(self) -> float:
        return float(self.strengths[self.errors.argmin()])

    def scores(self, x) -> np.ndarray:
        """(n, classes)"""
        x = rows(x, "The rows")
        if x.shape[1] != len(self.coefficients):
            raise InputError(f"The probe reads {len(self.coefficients)} columns and these rows have {x.shape[1]}.", "Give the same layer of the same model.")
        return x @ self.coefficients + self.intercept

    def predict(self, x) -> np.ndarray:
        return self.classes[self.scores(x).argmax(axis=1)]

    def probabilities(self, x) -> np.ndarray:
        return _softmax(self.sharpness * self.scores(x))

    def accuracy(self, x, labels) -> float:
        predicted, labels = self.predict(x), to_numpy(labels)
        if labels.shape != predicted.shape:
            raise InputError(f"Labels of shape {labels.shape} do not fit {len(predicted)} rows.", "Give one label per row.")
        return float((predicted == labels).mean())

    def manifest(self) -> dict:
        return {"kind": self.kind, "n": self.n, "classes": self.classes.tolist(), "strength": self.strength, "strengths": self.strengths.tolist(),
                "errors": self.errors.tolist(), "sharpness": self.sharpness, "warnings": list(self.warnings), "options": dict(self.options)}


def ridge(x, labels, *, weights=None, judged=None, strengths: Sequence[float] = STRENGTHS) -> Probe:
    """One against the rest by least squares, with the penalty that does best on rows left out, one at a time, in closed form. It takes d³ operations.

    weights  of the rows; 1 each unless given
    judged   which rows are left out in turn; all unless given
    """
    x, origin, y, classes, weights, judged = _read(x, labels, weights, judged)
    strengths = _sound(strengths)
    found = solve(moments(x, y, len(classes), weights), x[judged], y[judged], weights[judged], strengths)
    sharpness = _sharpness(found.left_out, y[judged])
    return Probe(found.coefficients, found.intercept - origin @ found.coefficients, classes, np.array(strengths), found.errors, sharpness, len(x), "ridge",
                 options={"judged": len(judged)})


def logistic(x, labels, *, weights=None, judged=None, groups=None, strengths: Sequence[float] = LOGISTIC, folds: int = FOLDS) -> Probe:
    """Multinomial logistic regression, converged, with the penalty that does best on rows held out; rows as for `ridge`. Seconds, not milliseconds.

    groups  a number for each row: rows with the same one are held out together, as copies give each other away; each by itself unless given
    """
    x, origin, y, classes, weights, judged = _read(x, labels, weights, judged)
    groups = np.arange(len(x)) if groups is None else to_numpy(groups)
    if groups.shape != (len(x),):
        raise InputError(f"Groups of shape {groups.shape} do not fit {len(x)} rows.", "Give one number per row, or none.")
    strengths = tuple(sorted(_sound(strengths), reverse=True))
    mean = np.average(x, axis=0, weights=weights)
    scale = _scale(np.average((x - mean)**2, axis=0, weights=weights), np.average(x**2, axis=0, weights=weights))
    z = (x - mean) / scale
    errors, slow = np.zeros((len(strengths), 2)), 0
    for out in _folds(y, judged, groups, folds):
        kept = ~np.isin(groups, groups[out])
        known = np.unique(y[kept & (weights > 0)])
        out = out[np.isin(y[out], known)]
        if not len(out) or len(known) < 2:
            continue
        for at, (coefficients, intercept, late) in enumerate(_path(z[kept], y[kept], weights[kept], strengths, len(classes))):
            chance = _softmax(z[out] @ coefficients + intercept)[np.arange(len(out)), y[out]]
            errors[at] += -np.log(np.maximum(chance, 1e-300)).sum(), len(out)
            slow += late
    if not errors[0, 1]:
        raise InputError(f"No class has two of the {len(judged)} rows that strengths are judged by.", "Give more rows, or use the ridge probe.")
    errors = errors[:, 0] / errors[:, 1]
    *_, (coefficients, intercept, late) = _path(z, y, weights, strengths[:errors.argmin() + 1], len(classes))
    warnings = (f"{slow + late} of the fits stopped after {STEPS} steps, before they had converged.",) if slow + late else ()
    coefficients = coefficients / scale[:, None]
    return Probe(coefficients, intercept - (origin + mean) @ coefficients, classes, np.array(strengths), errors, 1.0, len(x), "logistic", warnings,
                 {"judged": len(judged), "folds": folds})


# the ridge probe in parts that add up

@dataclass(frozen=True, eq=False)
class Moments:
    """All that a ridge probe needs to know of rows: those of two sources together are the sum of theirs, those of a source at half its weight are half.

    gram    (d, d) products of the columns
    sums    (classes, d) of the rows of each class
    counts  (classes,) their weight
    """

    gram: np.ndarray
    sums: np.ndarray
    counts: np.ndarray

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(self.gram + other.gram, self.sums + other.sums, self.counts + other.counts)

    def __mul__(self, weight: float) -> "Moments":
        return Moments(weight * self.gram, weight * self.sums, weight * self.counts)


def moments(x: np.ndarray, y: np.ndarray, classes: int, weights: np.ndarray | None = None) -> Moments:
    """Of rows in float64 about an origin of your choice, near them, with labels from 0 to classes - 1."""
    weighted = x if weights is None else x * weights[:, None]
    sums = np.zeros((classes, x.shape[1]))
    for label in range(classes):
        sums[label] = weighted[y == label].sum(axis=0)
    return Moments(x.T @ weighted, sums, np.bincount(y, weights, minlength=classes).astype(float))


class Solution(NamedTuple):
    """coefficients (d, classes) and intercept for rows about the same origin; errors at each strength; scores of the judged rows, each left out in turn."""

    coefficients: np.ndarray
    intercept: np.ndarray
    errors: np.ndarray
    left_out: np.ndarray


def solve(total: Moments, x: np.ndarray, y: np.ndarray, weights=1.0, strengths: Sequence[float] = STRENGTHS) -> Solution:
    """The ridge probe of all that `total` holds, its strength judged on the rows x with labels y, which are among them with these weights.

    Features are standardised by what the total holds, and stay so when a row is left out; the intercept, which is not penalised, is fitted again.
    The error is 1 less the cosine between scores and truth, both less 1 / classes: squared error, but for a common factor on the scores, which changes no
    decision. (By squared error itself a contradicting source gets a penalty under which nothing is left to decide by.)
    """
    weight = total.counts.sum()
    mean, share = total.sums.sum(axis=0) / weight, total.counts / weight
    squares = total.gram.diagonal() / weight
    scale = _scale(squares - mean**2, squares)
    values, vectors = np.linalg.eigh((total.gram - weight * np.outer(mean, mean)) / np.outer(scale, scale))
    answers = vectors.T @ ((total.sums - np.outer(total.counts, mean)) / scale).T
    inverses = 1 / (np.maximum(values, 0) + weight * np.array(strengths)[:, None])
    seen = ((x - mean) / scale) @ vectors
    truth, chance = np.eye(len(share))[y], (share > 0) / (share > 0).sum()
    hats = weights * (1 / weight + inverses @ (seen**2).T)
    errors, left_out = np.empty(len(strengths)), None
    for at, (inverse, hat) in enumerate(zip(inverses, hats, strict=True)):
        scores = truth - (truth - share - seen @ (answers * inverse[:, None])) / (1 - hat)[:, None]
        errors[at] = 1 - _cosine(scores - chance, truth - chance)
        if errors[at] == errors[:at + 1].min():
            left_out = scores
    coefficients = vectors @ (answers * inverses[errors.argmin()][:, None]) / scale[:, None]
    return Solution(coefficients, share - mean @ coefficients, errors, left_out)


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    size = np.linalg.norm(a) * np.linalg.norm(b)
    return float((a * b).sum() / size) if size else 0.0


def _scale(variance: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """Standard deviations; infinite for a constant column, which then counts for nothing."""
    varies = variance > CONSTANT * squares
    return np.sqrt(variance, where=varies, out=np.full(len(variance), np.inf))


def _sharpness(scores: np.ndarray, y: np.ndarray) -> float:
    """What to multiply scores by for the likeliest probabilities of y, from 1e-3 to 1e3."""
    low, high = -3.0, 3.0
    own = scores[np.arange(len(y)), y]
    for _ in range(30):
        middle = (low + high) / 2
        slope = (_softmax(10**middle * scores) * scores).sum(axis=1).mean() - own.mean()
        low, high = (middle, high) if slope < 0 else (low, middle)
    return float(10**middle)


def _softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


# the logistic probe

def _path(z: np.ndarray, y: np.ndarray, weights: np.ndarray, strengths: Sequence[float], classes: int):
    """(coefficients, intercept, stopped early) at each strength, each starting from the one before; a class without rows is never chosen."""
    from warnings import catch_warnings, simplefilter

    from sklearn.linear_model import LogisticRegression
    kept = weights > 0
    z, y, weights = z[kept], y[kept], weights[kept]
    model = LogisticRegression(max_iter=STEPS, tol=1e-5, warm_start=True)
    for strength in strengths:
        model.set_params(C=1 / (strength * weights.sum()))
        with catch_warnings():
            simplefilter("ignore")  # that it stopped early is told below
            model.fit(z, y, sample_weight=weights)
        coefficients, intercept = model.coef_.T, model.intercept_
        if len(model.classes_) == 2:
            coefficients, intercept = coefficients * [-0.5, 0.5], intercept * [-0.5, 0.5]
        full, start = np.zeros((z.shape[1], classes)), np.full(classes, -1e9)
        full[:, model.classes_], start[model.classes_] = coefficients, intercept
        yield full, start, bool(model.n_iter_.max() >= STEPS)


def _folds(y: np.ndarray, judged: np.ndarray, groups: np.ndarray, folds: int) -> list[np.ndarray]:
    """The judged rows in parts, no group in two of them, each class spread over them in turn."""
    first, group = np.unique(groups[judged], return_index=True, return_inverse=True)[1:]
    heads, place, start = np.sort(first), np.empty(len(judged), np.int64), 0
    for label in np.unique(y[judged]):
        own = heads[y[judged[heads]] == label]
        place[own] = (start + np.arange(len(own))) % folds
        start += len(own)
    place = place[first][group]
    return [part for part in (judged[place == fold] for fold in range(folds)) if len(part)]


# what goes in

def rows(x, what: str) -> np.ndarray:
    """x (numpy, torch or lists) as a sound (n, d) table in float64."""
    hint = "Give an (n, d) array of numbers."
    try:
        found = (x.detach().cpu().double().numpy() if hasattr(x, "detach") else np.asarray(x)).astype(np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{what} are no table of numbers.", hint) from error
    if found.ndim != 2 or not found.size:
        raise InputError(f"{what} are no table of numbers, rows by columns, but of shape {found.shape}.", hint)
    bad = ~(np.abs(found) < HUGE).all(axis=1)
    if bad.any():
        raise InputError(f"{what}: {bad.sum()} of {len(found)} hold NaN, infinite or huge values, first row {int(bad.argmax())}.", "Leave those rows out.")
    return found



def _read(x, labels, weights, judged) -> tuple:
    x = rows(x, "The rows")
    n, labels = len(x), to_numpy(labels)
    weights = np.ones(n) if weights is None else to_numpy(weights).astype(float)
    judged = np.arange(n) if judged is None else to_numpy(judged)
    judged = np.flatnonzero(judged) if judged.dtype == bool else judged.astype(np.int64)
    if labels.shape != (n,):
        raise InputError(f"Labels of shape {labels.shape} do not fit {n} rows.", "Give one label per row.")
    if weights.shape != (n,) or not np.isfinite(weights).all() or weights.min() < 0:
        raise InputError("The weights of the rows are not one number from 0 per row.", "Give one per row, none negative, NaN or infinite.")
    if not len(judged) or judged.min() < 0 or judged.max() >= n:
        raise InputError("The rows that strengths are judged by are none, or not among those given.", "Give a mask, or numbers of rows.")
    if (x == x[0]).all():
        raise InputError(f"All {n} rows are the same.", "There is nothing to read off them: choose another layer.")
    classes, y = np.unique(labels, return_inverse=True)
    if len(np.unique(y[weights > 0])) < 2:
        raise InputError(f"All {n} rows are of one class.", "A probe tells classes apart: give rows of at least two.")
    origin = x.mean(axis=0)
    return x - origin, origin, y, classes, weights, judged


def _sound(strengths) -> tuple[float, ...]:
    strengths = tuple(strengths)
    if not strengths or not all(isinstance(s, numbers.Real) and 0 < s < np.inf for s in strengths):
        raise InputError(f"Strengths {strengths} cannot be tried.", "Give positive numbers.")
    return tuple(map(float, strengths))
