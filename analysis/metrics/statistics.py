"""How well scores rank what was measured: correlations with an interval and their spread under chance, the regret of the top pick, MCI.

A resample of pairs is a row of counts, how often each pair is in it. Every correlation here is written for counts, so that all resamples are one computation.
"""

import numbers
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field

import numpy as np

from analysis.errors import InputError
from analysis.metrics.ranking import sound_seed, to_numpy
from analysis.metrics.result import tuples

LEVEL = 0.95
LIMIT = 3000  # pairs up to which each is compared with each
FEW = 4  # pairs up to which an interval means nothing
ROOM = 4_000_000  # numbers held at once
PERMUTATIONS = 40_000_000  # comparisons made for the null spread of the weighted tau, at most
NAN = float("nan")


@dataclass(frozen=True)
class Correlation:
    """A correlation of n pairs: NaN where there is none, and then `reason` says why.

    low, high  where it lies in 95 % of all resamples of the pairs
    null_sd    its standard deviation when the partners are dealt at random
    """

    value: float
    low: float
    high: float
    null_sd: float
    n: int
    kind: str
    reason: str = ""
    warnings: tuple[str, ...] = ()
    options: Mapping = field(default_factory=dict)

    def __post_init__(self):
        tuples(self, "warnings")

    def manifest(self) -> dict:
        told = {**asdict(self), "warnings": list(self.warnings), "options": dict(self.options)}
        return {name: None if isinstance(value, float) and np.isnan(value) else value for name, value in told.items()}


def kendall(a, b, *, resamples: int = 2000, seed: int = 0) -> Correlation:
    """Kendall's tau-b: pairs of pairs that are in the same order, less those that are not. Its null spread is exact, with ties too."""
    a, b = _sides(a, b)
    return _found("kendall", a, b, _kendall, lambda draws, seed: (_kendall_sd(a, b), {}), resamples, seed)


def weighted_kendall(a, b, *, resamples: int = 2000, seed: int = 0) -> Correlation:
    """Tau in which a pair of ranks r and s counts 1/r + 1/s, the highest value having rank 1: what happens at the top counts most."""
    a, b = _sides(a, b)
    return _found("weighted kendall", a, b, _weighted, lambda draws, seed: _weighted_sd(a, b, draws, seed), resamples, seed)


def spearman(a, b, *, resamples: int = 2000, seed: int = 0) -> Correlation:
    """Pearson's correlation of the ranks; equal values share the mean of their ranks."""
    a, b = _sides(a, b)
    return _found("spearman", a, b, _spearman, lambda draws, seed: (1 / np.sqrt(len(a) - 1), {}), resamples, seed)


def pearson(a, b, *, resamples: int = 2000, seed: int = 0) -> Correlation:
    """Pearson's correlation. That its null standard deviation is 1 / sqrt(n - 1) holds for any values."""
    a, b = _sides(a, b)
    return _found("pearson", a, b, _pearson, lambda draws, seed: (1 / np.sqrt(len(a) - 1), {}), resamples, seed)


def partial(a, b, given, *, resamples: int = 2000, seed: int = 0) -> Correlation:
    """Pearson's correlation of what is left of a and b once each is fitted, linearly, by `given`: (n,), or (n, m) for several."""
    a, b = _sides(a, b)
    given = _columns(given, len(a))
    known = int(np.linalg.matrix_rank(given - given.mean(axis=0)))
    reason = "" if len(a) >= known + 3 else f"{len(a)} pairs are too few for a correlation given {known} more values; it takes {known + 3}."
    of = lambda a, b: _partial(a, b, given)
    return _found("partial", a, b, of, lambda draws, seed: (1 / np.sqrt(len(a) - 1 - known), {}), resamples, seed, reason)


def regret(scores, truth) -> float:
    """How much better the best is than what the scores would have picked; scores that share the first place are each picked alike."""
    scores, truth = _sides(scores, truth)
    if not len(scores):
        raise InputError("There is nothing to pick from.", "Give at least one score.")
    return float(truth.max() - truth[scores == scores.max()].mean())


def mci(rho_metric, rho_centroid) -> float:
    """100 times the mean over targets of how much higher the metric's correlation is than that of the plain centroid distance."""
    metric, centroid = _sides(np.atleast_1d(rho_metric), np.atleast_1d(rho_centroid))
    if not len(metric):
        raise InputError("There is no target to take the mean over.", "Give at least one pair of correlations.")
    return float(100 * (metric - centroid).mean())


def mean_interval(values, *, level: float = LEVEL) -> tuple[float, float, float]:
    """(mean, low, high) by Student's t; low and high are NaN for a single value."""
    values = _numbers(values, "the values")
    if not isinstance(level, numbers.Real) or not 0 < level < 1:
        raise InputError(f"An interval of level {level!r} was asked for.", "Give a share between 0 and 1, for example 0.95.")
    if not len(values):
        raise InputError("There are no values to take the mean of.", "Give at least one.")
    mean = float(values.mean())
    if len(values) == 1:
        return mean, NAN, NAN
    from scipy.special import stdtrit
    half = float(stdtrit(len(values) - 1, (1 + level) / 2) * values.std(ddof=1) / np.sqrt(len(values)))
    return mean, mean - half, mean + half


# one correlation for all resamples: each call takes the two sides and returns a function from counts (resamples, n) to values

def _kendall(a: np.ndarray, b: np.ndarray) -> Callable:
    mine, other = _signs(a), _signs(b)
    kinds = mine * other, np.abs(mine), np.abs(other)

    def of(counts):
        same, left, right = (np.einsum("ri,ri->r", counts @ kind, counts) for kind in kinds)
        return _quotient(same, left, right)
    return of


def _weighted(a: np.ndarray, b: np.ndarray) -> Callable:
    mine, other = _signs(a), _signs(b)
    kinds, orders = (mine * other, np.abs(mine), np.abs(other)), [np.lexsort(keys)[::-1] for keys in ((b, a), (a, b))]
    harmonic = np.concatenate([[0], np.cumsum(1 / np.arange(1, len(a) + 1))])

    def of(counts):
        found = 0
        for order in orders:  # by the one side, then by the other; copies of a pair have ranks that follow one another
            ends, weights = counts[:, order].cumsum(axis=1), np.empty(counts.shape)
            weights[:, order] = harmonic[ends] - harmonic[ends - counts[:, order]]
            same, left, right = (np.einsum("ri,ri->r", weights @ kind, counts) for kind in kinds)
            found = found + _quotient(same, left, right) / 2
        return found
    return of


def _spearman(a: np.ndarray, b: np.ndarray) -> Callable:
    mine, other = _middles(a), _middles(b)
    return lambda counts: _moments(counts, mine(counts), other(counts))


def _pearson(a: np.ndarray, b: np.ndarray) -> Callable:
    a, b = (_unit(x) for x in (a, b))
    return lambda counts: _moments(counts, np.broadcast_to(a, counts.shape), np.broadcast_to(b, counts.shape))


def _partial(a: np.ndarray, b: np.ndarray, given: np.ndarray) -> Callable:
    both = np.column_stack([_unit(x) for x in (a, b, *given.T)])

    def of(counts):
        off = both - (counts @ both / counts.sum(axis=1, keepdims=True))[:, None]
        spread = np.einsum("ri,rij,rik->rjk", counts, off, off, optimize=True)
        explained = spread[:, :2, 2:] @ np.linalg.pinv(spread[:, 2:, 2:], rcond=1e-10, hermitian=True) @ spread[:, 2:, :2]
        left = spread[:, :2, :2] - explained
        sizes = np.where(left > 1e-10 * spread[:, :2, :2], left, 0)  # what is below is rounding: nothing is left
        return _quotient(left[:, 0, 1], sizes[:, 0, 0], sizes[:, 1, 1])
    return of


def _signs(values: np.ndarray) -> np.ndarray:
    return (values[:, None] > values).astype(float) - (values[:, None] < values)


def _middles(values: np.ndarray) -> Callable:
    """From counts to the middle rank of each value in its resample, less a half."""
    order = np.argsort(values, kind="stable")
    starts = np.flatnonzero(np.diff(values[order], prepend=-np.inf))
    level = np.empty(len(values), np.int64)
    level[order] = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(values)))

    def of(counts):
        alike = np.add.reduceat(counts[:, order], starts, axis=1)
        return (alike.cumsum(axis=1) - alike / 2)[:, level]
    return of


def _moments(counts: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Pearson's correlation in each resample; NaN where one side is constant."""
    total, varies = counts.sum(axis=1, keepdims=True), True
    for side in (x, y):
        varies &= np.where(counts > 0, side, -np.inf).max(axis=1) > np.where(counts > 0, side, np.inf).min(axis=1)
    x, y = (side - (counts * side).sum(axis=1, keepdims=True) / total for side in (x, y))
    found = _quotient(*(np.einsum("ri,ri,ri->r", counts, left, right) for left, right in ((x, y), (x, x), (y, y))))
    return np.where(varies, found, NAN)


def _unit(values: np.ndarray) -> np.ndarray:
    """Moved and scaled so that squares neither overflow nor vanish."""
    values = values / (np.abs(values).max() or 1)
    values = values - values.mean()
    return values / (np.abs(values).max() or 1)


def _quotient(product: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    size = np.sqrt(left * right)
    return np.clip(np.divide(product, size, where=size > 0, out=np.full(len(size), NAN)), -1, 1)


# under chance

def _kendall_sd(a: np.ndarray, b: np.ndarray) -> float:
    """Of tau-b over all permutations of one side."""
    n = len(a)
    kinds = (lambda t: t * (t - 1) * (2 * t + 5), lambda t: t * (t - 1) * (t - 2), lambda t: t * (t - 1))
    mine, other = ([float(kind(t).sum()) for kind in kinds] for t in (np.unique(x, return_counts=True)[1].astype(float) for x in (a, b)))
    variance = (kinds[0](n) - mine[0] - other[0]) / 18 + mine[1] * other[1] / (9 * kinds[1](n)) + mine[2] * other[2] / (2 * kinds[2](n))
    return float(2 * np.sqrt(variance / ((kinds[2](n) - mine[2]) * (kinds[2](n) - other[2]))))


def _weighted_sd(a: np.ndarray, b: np.ndarray, draws: int, seed: int) -> tuple[float, dict]:
    """Over random permutations of b, fewer where there are many pairs."""
    n, rng, found = len(a), np.random.default_rng(seed), []
    draws = max(100, min(draws, PERMUTATIONS // n**2))
    mine, other, weights = _signs(a), _signs(b), 1 / np.arange(1, n + 1)
    for rows in _parts(draws, n * n):
        dealt = np.argsort(rng.random((rows, n)), axis=1)
        partners = other[dealt[:, :, None], dealt[:, None]]
        kinds = (mine * partners).sum(axis=2), np.broadcast_to(np.abs(mine).sum(axis=1), (rows, n)), np.abs(other).sum(axis=1)[dealt]
        value, sides = 0, (np.broadcast_to(a, (rows, n)), b[dealt])
        for keys in (sides[::-1], sides):
            place = np.empty((rows, n))
            np.put_along_axis(place, np.lexsort(keys, axis=1)[:, ::-1], weights[None], axis=1)
            value = value + _quotient(*((place * kind).sum(axis=1) for kind in kinds)) / 2
        found.append(value)
    return float(np.concatenate(found).std()), {"permutations": draws}


# what goes in and what comes out

def _found(kind: str, a: np.ndarray, b: np.ndarray, correlate: Callable, null: Callable, resamples: int, seed: int, reason: str = "") -> Correlation:
    n, seed, resamples = len(a), sound_seed(seed), _draws(resamples)
    options, warnings = {"resamples": resamples, "level": LEVEL, "seed": seed}, ()
    reason = _reason(a, b) or reason
    if not reason:
        if kind.endswith("kendall") and n > LIMIT:
            raise InputError(f"Kendall's tau compares all pairs of {n} values.", f"Give at most {LIMIT}, or use spearman.")
        of = correlate(a, b)
        value = float(of(np.ones((1, n), np.int64))[0])
        reason = "" if value == value else "Nothing is left of one side once the given values are accounted for."
    if reason:
        return Correlation(NAN, NAN, NAN, NAN, n, kind, reason, warnings, options)
    sd, more = null(resamples or 2000, seed)
    drawn = np.concatenate([of(counts) for counts in _resampled(n, resamples, seed)] or [np.zeros(0)])
    drawn = drawn[~np.isnan(drawn)]
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]).tolist() if len(drawn) else (NAN, NAN)
    if n <= FEW:
        warnings = (f"An interval from {n} pairs means nothing: too few to resample.",)
    return Correlation(value, low, high, float(sd), n, kind, "", warnings, {**options, **more})


def _resampled(n: int, resamples: int, seed: int):
    """Counts of each pair in the resamples, some rows at a time."""
    rng = np.random.default_rng(seed)
    for rows in _parts(resamples, n):
        drawn = rng.integers(0, n, (rows, n)) + n * np.arange(rows)[:, None]
        yield np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n)


def _parts(total: int, width: int) -> list[int]:
    step = max(1, ROOM // width)
    return [min(step, total - i) for i in range(0, total, step)]


def _reason(a: np.ndarray, b: np.ndarray) -> str:
    if len(a) < 3:
        return f"{len(a)} pairs are too few for a correlation; it takes 3."
    constant = [which for which, side in (("first", a), ("second", b)) if side.min() == side.max()]
    return f"All values of the {constant[0]} side are the same: there is nothing to rank." if constant else ""


def _sides(a, b) -> tuple[np.ndarray, np.ndarray]:
    a, b = _numbers(a, "the first side"), _numbers(b, "the second side")
    if len(a) != len(b):
        raise InputError(f"The first side has {len(a)} values and the second has {len(b)}.", "Value i must be about the same thing on both.")
    return a, b


def _columns(given, n: int) -> np.ndarray:
    columns = to_numpy(given)
    if columns.ndim not in (1, 2) or len(columns) != n:
        raise InputError(f"Given values of shape {columns.shape} do not fit {n} pairs.", "Give one per pair, or one row per pair.")
    return np.column_stack([_numbers(column, "the given values") for column in columns.reshape(n, -1).T])


def _numbers(values, what: str) -> np.ndarray:
    hint = "Give a list of numbers; leave out what could not be computed."
    try:
        values = to_numpy(values.detach() if hasattr(values, "detach") else values).astype(float)
    except (TypeError, ValueError) as error:
        raise InputError(f"In {what} there is something that is no number.", hint) from error
    if values.ndim != 1:
        raise InputError(f"A list of numbers is needed for {what}, not an array of shape {values.shape}.", hint)
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        raise InputError(f"{len(bad)} of {len(values)} in {what} are NaN or infinite, first number {int(bad[0])}.", hint)
    return values


def _draws(resamples) -> int:
    if isinstance(resamples, bool) or not isinstance(resamples, numbers.Integral) or not 0 <= resamples <= 1_000_000:
        raise InputError(f"{resamples!r} resamples were asked for.", "Give a whole number from 0 to 1000000.")
    return int(resamples)
