"""Gaussian mixtures: fitted by expectation and maximisation, and how far one lies from another.

A round costs 4 n (d+1)² K flops in two products: rows into the whitened coordinates of each component, and their weighted second moments. Covariances are
plain (K, d, d) arrays also where they are diagonal.
"""

import math
import numbers
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.errors import InputError
from analysis.metrics.ranking import sound_seed, to_numpy

__all__ = ["Mixture", "fit", "gaussian_kl", "divergence", "marginal_divergences", "sinkhorn"]

COVARIANCES = ("full", "diagonal")
KINDS = ("montecarlo", "components")
ROOM = 40_000  # numbers of a block, so that they stay near the processor
MANY = 4096  # rows from which on a graphics card pays
FAR = 3.0  # standard deviations beyond which the first clusters see no difference
LLOYD = 10  # rounds of k-means before the first mixture
SCALED, ABSORBED, SETTLED = 20, 100, 1e-6  # Sinkhorn: scalings between potentials, potentials at most, and the relative change at which they stop
EMPTY = 1e-9  # weight below which a component is not leapt with
TINY = np.finfo(float).tiny


@dataclass(frozen=True, eq=False)
class Mixture:
    """weights (K,), means (K, d) and covariances (K, d, d) of its components."""

    weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray

    def __post_init__(self):
        for name in ("weights", "means", "covariances"):
            object.__setattr__(self, name, np.ascontiguousarray(getattr(self, name), dtype=np.float64))
        k, d = self.means.shape if self.means.ndim == 2 else (0, 0)
        fit_together = k and d and self.weights.shape == (k,) and self.covariances.shape == (k, d, d)
        if not fit_together or not all(np.isfinite(v).all() for v in (self.weights, self.means, self.covariances)):
            raise InputError(f"Weights {self.weights.shape}, means {self.means.shape} and covariances {self.covariances.shape} are no mixture.",
                             "Give (K,), (K, d) and (K, d, d), all finite.")

    @property
    def dimensions(self) -> int:
        return self.means.shape[1]

    def log_density(self, x) -> np.ndarray:
        """(n,) at the rows of x."""
        x = _rows(x, self.dimensions)
        middle = self.means.mean(axis=0)
        factors, constants = _factors(self, middle)
        step, z = _step(len(self.weights), self.dimensions), _lifted(x - middle)
        room = np.empty(step * len(factors))
        return np.concatenate([_shares(z[:, i:i + step], factors, constants, room)[1] for i in range(0, len(x), step)])

    def sample(self, n: int, seed: int = 0) -> np.ndarray:
        """(n, d) draws, one component after another; every component gets its share of them, but for rounding at random."""
        return self._placed(*_noise(n, self.dimensions, seed))

    def marginal(self, columns: Sequence[int] | slice) -> "Mixture":
        """The mixture of these columns alone, exactly."""
        columns = columns if isinstance(columns, slice) else list(columns)
        return Mixture(self.weights, self.means[:, columns], self.covariances[:, columns][:, :, columns])

    def _placed(self, uniform: float, normal: np.ndarray) -> np.ndarray:
        """Standard normal rows moved to where the components are."""
        ends = np.ceil(np.cumsum(self.weights) / self.weights.sum() * len(normal) - uniform).astype(int)
        ends[-1], found, begin = len(normal), np.empty_like(normal), 0
        for end, mean, factor in zip(ends, self.means, _cholesky(self.covariances), strict=True):
            np.matmul(normal[begin:end], factor.T, out=found[begin:end])
            found[begin:end] += mean
            begin = end
        return found

    def _ordered(self) -> "Mixture":
        """Heaviest component first."""
        order = np.lexsort((*self.means.T[::-1], -self.weights))
        return Mixture(self.weights[order], self.means[order], self.covariances[order])


def fit(x, *, components: int = 3, covariance: str = "full", ridge: float = 1e-4, seed: int = 0, start: Mixture | None = None, weights=None,
        tolerance: float = 1e-5, rounds: int = 200, device: str = "auto") -> Mixture:
    """The mixture of Gaussians under which the rows of x are likely: from k-means, or from `start`, until a round raises the mean log likelihood of a row
    by less than `tolerance`.

    ridge    added to every variance
    weights  (n,) how much each row counts
    device   "cpu"; or any device of torch's ("cuda"; "torch:cpu" is torch on the processor); "auto" takes cuda where torch is loaded and finds one
    """
    x, weights = _sound(x, components, covariance, ridge, start, weights)
    share = weights / weights.sum()
    shift = share @ x
    z, made = _lifted(x - shift), lambda moments: _mixture(moments, shift, covariance, ridge)
    found = start or made(_start(z, share, components, sound_seed(seed)))
    climb = _Rounds(z, share, components, device)
    before, safe, trail = -np.inf, None, []
    for _ in range(_whole(rounds, 1, "rounds")):
        likelihood, moments = climb(*_factors(found, shift))
        if safe and likelihood < before:  # the leap went too far
            found, safe = safe, None
            continue
        if not safe and abs(likelihood - before) < tolerance:  # a ridge may make it fall
            break
        before, safe, found, trail = likelihood, None, made(moments), [*trail, moments]
        if len(trail) == 3:
            leap, trail = _leap(*trail, made), []
            if leap:
                found, safe = leap, found
    return safe or found


# distances of mixtures

def gaussian_kl(mean_p, cov_p, mean_q, cov_q) -> float:
    """KL(N_p ‖ N_q), in nats."""
    mean_p, cov_p, mean_q, cov_q = (np.asarray(v, np.float64) for v in (mean_p, cov_p, mean_q, cov_q))
    p, q = _cholesky(np.stack([cov_p, cov_q]))
    apart, spread = np.linalg.solve(q, mean_q - mean_p), np.linalg.solve(q, p)
    logs = np.log(np.diagonal(q)).sum() - np.log(np.diagonal(p)).sum()
    return float(((spread**2).sum() + apart @ apart - len(mean_p)) / 2 + logs)


def divergence(p: Mixture, q: Mixture, *, kind: str = "montecarlo", draws: int = 10_000, seed: int = 0) -> tuple[float, float]:
    """(value, standard error) of ½ KL(p ‖ q) + ½ KL(q ‖ p), in nats; by `draws` from each side, which are made of the same noise, or "components": the mean
    of that over pairs of components, which is not 0 for equal mixtures."""
    if kind not in KINDS:
        raise InputError(f"Unknown divergence {kind!r} of mixtures.", f"Use one of {', '.join(KINDS)}.")
    if kind == "components":
        return _components(p, q), 0.0
    values = _compared(p, q, [slice(None)], draws, seed)[0]
    return float(values.mean()), float(np.sqrt((np.diff(values)**2).mean() / 2 / len(values)))  # spread within components: each has its share of draws


def marginal_divergences(p: Mixture, q: Mixture, groups: Sequence[Sequence[int]], *, draws: int = 10_000, seed: int = 0) -> np.ndarray:
    """(groups,) the same divergence of each group of columns alone, from the same draws."""
    return np.array([values.mean() for values in _compared(p, q, [list(columns) for columns in groups], draws, seed)])


def _compared(p: Mixture, q: Mixture, groups: Sequence, draws: int, seed: int) -> list[np.ndarray]:
    """(draws,) of each group: what one piece of noise adds to the divergence, placed in p and in q. Where they are alike, so are the places, and little is
    left to chance."""
    _same_width(p, q)
    p, q, noise, found = p._ordered(), q._ordered(), _noise(draws, p.dimensions, seed), []
    here, there = p._placed(*noise), q._placed(*noise)
    for columns in groups:
        first, second, x, y = p.marginal(columns), q.marginal(columns), here[:, columns], there[:, columns]
        found.append(((first.log_density(x) - second.log_density(x)) + (second.log_density(y) - first.log_density(y))) / 2)
    return found


def _components(p: Mixture, q: Mixture) -> float:
    _same_width(p, q)
    terms = []
    for a, mean_a, cov_a in zip(p.weights, p.means, p.covariances, strict=True):
        for b, mean_b, cov_b in zip(q.weights, q.means, q.covariances, strict=True):
            terms.append(a * b * (gaussian_kl(mean_a, cov_a, mean_b, cov_b) + gaussian_kl(mean_b, cov_b, mean_a, cov_a)) / 2)
    return math.fsum(terms)  # whatever their order


# distance of samples

def sinkhorn(x, y, *, epsilon: float = 0.5, points: int = 1000, draws: int = 4, seed: int = 0, kept: Sequence | None = None) -> tuple[float, float]:
    """(value, standard error) of the debiased Sinkhorn divergence of two samples at cost ½|x-y|², blurred by `epsilon` times the mean cost between them.

    Above `points` rows a side it is the mean over `draws` random choices of that many (the same rows of both where they have as many), whose spread gives
    the error; else the error is 0. Below an epsilon of .5, samples of one and the same 24 dimensional distribution are already far apart.

    kept  (n,) and (m,) bool: rows that count, of those that are chosen among all; so nothing but the rows left out makes the difference
    """
    x = _rows(x)
    y, points, draws = _rows(y, x.shape[1]), _whole(points, 2, "points"), _whole(draws, 2, "draws")
    if not (isinstance(epsilon, numbers.Real) and 0 < epsilon < np.inf):
        raise InputError(f"An epsilon of {epsilon!r} blurs nothing.", "Use a number above 0, such as 0.5.")
    kept, found = [np.ones(len(side), bool) for side in (x, y)] if kept is None else kept, []
    if max(len(x), len(y)) <= points:
        return _debiased(x[kept[0]], y[kept[1]], epsilon), 0.0
    for rng in np.random.SeedSequence(sound_seed(seed)).spawn(draws):
        rows = [np.random.default_rng(rng).permutation(len(side))[:points] for side in (x, y)]
        found.append(_debiased(*(side[some[mask[some]]] for side, some, mask in zip((x, y), rows, kept, strict=True)), epsilon))
    return float(np.mean(found)), float(np.std(found, ddof=1) / np.sqrt(draws))


def _debiased(x: np.ndarray, y: np.ndarray, epsilon: float) -> float:
    scale = epsilon * _costs(x, y).mean()
    return 0.0 if not scale else _transport(x, y, scale) - (_transport(x, x, scale) + _transport(y, y, scale)) / 2


def _costs(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    middle = (x.mean(axis=0) + y.mean(axis=0)) / 2
    x, y = x - middle, y - middle
    costs = (x**2).sum(axis=1)[:, None] / 2 + (y**2).sum(axis=1) / 2 - x @ y.T
    return np.maximum(costs, 0, out=costs)


def _transport(x: np.ndarray, y: np.ndarray, epsilon: float) -> float:
    """The dual value of entropic transport: potentials in the log domain, and in between scalings of the kernel that they make, which are quicker."""
    costs, g, value, before = _costs(x, y) / epsilon, np.zeros(len(y)), np.inf, -np.inf
    for _ in range(ABSORBED):
        f = _softmin(costs, g)
        g = _softmin(costs.T, f)
        before, value = value, f.mean() + g.mean()
        if abs(value - before) < SETTLED * (1 + abs(value)):
            break
        kernel = f[:, None] + g - costs
        np.exp(kernel, out=kernel)
        v = np.ones(len(y))
        for _ in range(SCALED):
            u = len(y) / (kernel @ v)
            v = len(x) / (u @ kernel)
        g = g + np.log(v)
    return float(value * epsilon)


def _softmin(costs: np.ndarray, potential: np.ndarray) -> np.ndarray:
    """(n,) what makes the mean of exp(potential there + here - costs) 1."""
    inner = potential - costs
    top = inner.max(axis=1)
    inner -= top[:, None]
    return -top - np.log(np.exp(inner, out=inner).mean(axis=1))


# expectation and maximisation

def _factors(mixture: Mixture, shift: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """((K d, d+1), (K,)): what takes lifted rows to the whitened coordinates of each component, and the logarithm of its weight and volume."""
    factor = _cholesky(mixture.covariances)
    inverse = np.linalg.inv(factor)
    places = inverse @ (mixture.means - shift)[:, :, None]
    with np.errstate(divide="ignore"):  # a component may have died
        constants = np.log(mixture.weights) - np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1) - mixture.dimensions / 2 * math.log(2 * math.pi)
    return np.concatenate([inverse, -places], axis=2).reshape(-1, mixture.dimensions + 1), constants


class _Rounds:
    """One round after another over the same rows, a block of them at a time, on one device."""

    def __init__(self, z: np.ndarray, share: np.ndarray, components: int, device: str):
        n = z.shape[1]
        self.xp, self.put = _device(n, device)
        step = min(n, _step(components, len(z)) if self.xp is np else n)
        cuts, laid = [slice(i, i + step) for i in range(0, n, step)], lambda values: self.put(np.ascontiguousarray(values))
        self.parts = [(laid(z[:, cut]), laid(z[:, cut].T), laid(share[cut])) for cut in cuts]  # both ways: each product is quicker one way
        self.room = self.put(np.empty(step * components * len(z)))

    def __call__(self, factors: np.ndarray, constants: np.ndarray) -> tuple[float, np.ndarray]:
        """(mean log likelihood of a row under this mixture, moments of the next)."""
        factors, constants = self.put(factors), self.put(constants)
        likelihood, moments = 0.0, 0.0
        for columns, rows, count in self.parts:
            member, density = _shares(columns, factors, constants, self.room, self.xp)
            likelihood = likelihood + density @ count
            moments = moments + _moments(columns, rows, member * count, self.room, self.xp)
        return float(likelihood), to_numpy(moments)


def _shares(z, factors, constants, room, xp=np):
    """((K, n), (n,)): the share of each component in each row, and the row's log density. Counts in `room`."""
    y = xp.matmul(factors, z, out=room[:len(factors) * z.shape[1]].reshape(len(factors), -1))
    y *= y
    joint = constants[:, None] - y.reshape(len(constants), -1, z.shape[1]).sum(1) / 2
    top = xp.amax(joint, 0)
    joint = xp.exp(joint - top)
    total = joint.sum(0)
    return joint / total, top + xp.log(total)


def _moments(z, rows, share, room, xp=np):
    """(K, d+1, d+1): weighted sums of the products of lifted rows, given both ways: of squares, of rows, and of weights in the corner."""
    k, (d, n) = len(share), z.shape
    weighted = xp.multiply(z, share[:, None], out=room[:k * d * n].reshape(k, d, n))
    return (weighted.reshape(-1, n) @ rows).reshape(k, d, d)


def _leap(first: np.ndarray, second: np.ndarray, third: np.ndarray, made) -> Mixture | None:
    """Where moments that went from the first to the third in two rounds seem to go (SQUAREM; Varadhan & Roland 2008), if a mixture is there."""
    step, bend = second - first, third - 2 * second + first
    reach = max(1.0, np.linalg.norm(step) / size) if (size := np.linalg.norm(bend)) else 1.0
    moments = first + 2 * reach * step + reach**2 * bend
    if moments[:, -1, -1].min() < EMPTY:
        return None
    try:
        found = made(moments)
        _cholesky(found.covariances)
    except InputError:
        return None
    return found


def _mixture(moments: np.ndarray, shift: np.ndarray, covariance: str, ridge: float) -> Mixture:
    """The likeliest mixture of these moments."""
    weights = moments[:, -1, -1]
    moments = moments / np.maximum(weights, TINY)[:, None, None]
    means = moments[:, -1, :-1]
    covariances = moments[:, :-1, :-1] - means[:, :, None] * means[:, None]
    if covariance == "diagonal":
        covariances = covariances * np.eye(len(shift))
    return Mixture(weights / weights.sum(), means + shift, (covariances + covariances.swapaxes(1, 2)) / 2 + ridge * np.eye(len(shift)))


def _start(z: np.ndarray, weights: np.ndarray, components: int, seed: int) -> np.ndarray:
    """Moments of the clusters that k-means finds from k-means++ seeds, each column at its own scale."""
    rng = np.random.default_rng(seed)
    spread = np.sqrt(z[:-1]**2 @ weights)
    scaled = np.clip(z[:-1] / np.where(spread > 0, spread, 1)[:, None], -FAR, FAR)  # else a row far out is a cluster of its own
    size = (scaled**2).sum(axis=0)
    far = lambda centre: size + centre @ centre - 2 * (centre @ scaled)
    centres = [scaled[:, rng.choice(len(weights), p=weights)]]
    near = far(centres[0])
    while len(centres) < components:
        chance = weights * np.maximum(near, 0)
        chance = chance / chance.sum() if chance.sum() > 0 else weights
        centres.append(scaled[:, rng.choice(len(weights), p=chance)])
        near = np.minimum(near, far(centres[-1]))
    centres = np.array(centres)
    for _ in range(LLOYD):
        nearest = ((centres**2).sum(axis=1)[:, None] / 2 - centres @ scaled).argmin(axis=0)
        member = (nearest == np.arange(components)[:, None]) * weights
        total = member.sum(axis=1)[:, None]
        centres = np.where(total > 0, member @ scaled.T / np.maximum(total, TINY), centres)
    return _moments(z, z.T, member, np.empty(components * z.size))


def _lifted(x: np.ndarray) -> np.ndarray:
    """(d+1, n): rows as columns, with a one under each."""
    return np.vstack([x.T, np.ones(len(x))])


def _step(components: int, d: int) -> int:
    return max(1, ROOM // (components * (d + 1)))


def _noise(n: int, d: int, seed: int) -> tuple[float, np.ndarray]:
    """(one number in [0, 1) that rounds the components' shares, (n, d) standard normal)."""
    rng = np.random.default_rng(sound_seed(seed))
    return float(rng.random()), rng.standard_normal((_whole(n, 2, "draws"), d))


def _cholesky(covariances: np.ndarray) -> np.ndarray:
    try:
        return np.linalg.cholesky(covariances)
    except np.linalg.LinAlgError as error:
        raise InputError(f"A covariance of shape {covariances.shape[-2:]} is not positive.", "Standardise the columns, or raise the ridge.") from error


# what may come in

def _rows(x, d: int | None = None) -> np.ndarray:
    """x (numpy, torch or lists) as a sound (n, d) array in float64."""
    try:
        x = x.detach().cpu().double().numpy() if hasattr(x, "detach") else np.asarray(x, np.float64)
    except (TypeError, ValueError) as error:
        raise InputError("Rows of a mixture need numbers, as many in each.", f"Give an (n, {d or 'd'}) array.") from error
    if x.ndim != 2 or not x.size or d not in (None, x.shape[1]):
        raise InputError(f"Rows of shape {x.shape} do not fit.", f"Give an (n, {d or 'd'}) array.")
    bad = ~np.isfinite(x).all(axis=1)
    if bad.any():
        raise InputError(f"{bad.sum()} of {len(x)} rows hold NaN or infinite values, first row {int(bad.argmax())}.", "Leave those rows out.")
    return x


def _sound(x, components, covariance, ridge, start, weights) -> tuple[np.ndarray, np.ndarray]:
    x = _rows(x)
    n, d = x.shape
    if covariance not in COVARIANCES:
        raise InputError(f"Unknown covariance {covariance!r}.", f"Use one of {', '.join(COVARIANCES)}.")
    _whole(components, 1, "components")
    if not (isinstance(ridge, numbers.Real) and 0 <= ridge < np.inf):
        raise InputError(f"A ridge of {ridge!r} is none.", "Use a number from 0, such as 1e-4.")
    if start is not None and start.means.shape != (components, d):
        raise InputError(f"The start has means of shape {start.means.shape}, not {(components, d)}.", "Start from a mixture of as many components and columns.")
    weights = np.ones(n) if weights is None else np.asarray(weights, np.float64)
    if weights.shape != (n,) or not (np.isfinite(weights).all() and weights.min() >= 0 and weights.sum() > 0):
        raise InputError(f"Weights of shape {weights.shape} do not fit {n} rows.", "Give one number from 0 per row, not all 0.")
    least, counted = components * (d + 1 if covariance == "full" else 2), int((weights > 0).sum())
    if counted < least:
        raise InputError(f"{counted} rows are too few for {components} {covariance} components in {d} dimensions, which need {least}.",
                         "Give more rows, or use fewer components or diagonal covariances.")
    return x, weights


def _same_width(p: Mixture, q: Mixture) -> None:
    if p.dimensions != q.dimensions:
        raise InputError(f"One mixture has {p.dimensions} dimensions and the other {q.dimensions}.", "Fit both to the same columns.")


def _whole(value, least: int, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < least:
        raise InputError(f"{value!r} is no number of {what}.", f"Use a whole number from {least}.")
    return int(value)


def _device(n: int, device: str):
    """(numpy or torch, what takes an array there)."""
    torch = sys.modules.get("torch")
    if device == "auto":
        device = "cuda" if torch and n > MANY and torch.cuda.is_available() else "cpu"
    if device == "cpu":
        return np, lambda values: values
    import torch
    where = device.removeprefix("torch:")
    try:
        torch.zeros(1, dtype=torch.float64, device=where).cpu()
    except (RuntimeError, AssertionError, TypeError) as error:
        raise InputError(f"No device {device!r} here that counts in float64.", "Use auto or cpu.") from error
    return torch, lambda values: torch.as_tensor(values, device=where)
