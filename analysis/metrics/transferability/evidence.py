"""LogME: how well a Bayesian linear model on the features explains each class against the rest, its two precisions chosen by the data."""

import numpy as np

from analysis.metrics.transferability.preparation import Prepared, decomposed, prepare

TOLERANCE, ROUNDS = 1e-8, 1000
PUBLISHED = 1e-3, 11  # the same in the public implementation
FLOOR = 1e-5  # keeps both precisions finite
USUAL = 16  # mean square of features up to which, and variance from 1 / that up to which, the start and the floor are as written; beyond, they go with it


def logme(features, labels=None, *, published: bool = False) -> float:
    """Mean over classes of the log evidence per item. `published` stops early and leaves out what unseen directions add to the determinant, as the
    widespread implementation does: wide features come out far too well."""
    data = prepare(features, labels)
    n, d, counts = data.n, data.x.shape[1], data.counts.astype(np.float64)
    sigma, x = _projected(data)
    rest = np.maximum(counts - (x * x).sum(axis=1), 0)
    if published:
        alpha, beta, m2, e = _fixed_point(sigma, x * x, rest, n, *PUBLISHED)
    else:
        spread, size = (data.spectrum[0]**2).sum() / (n * d), sigma.sum() / (n * d)
        start, floor = np.clip(1, spread / USUAL, spread * USUAL), FLOOR * min(1, USUAL / size)
        alpha, beta, m2, e = _fixed_point(sigma, x * x, rest, n, TOLERANCE, ROUNDS, start, floor)
    unseen = (min(n, d) if published else d) - len(sigma)
    determinant = np.log(alpha[:, None] + beta[:, None] * sigma).sum(axis=1) + unseen * np.log(alpha)
    evidence = (d * np.log(alpha) + n * np.log(beta) - determinant - beta * e - alpha * m2 - n * np.log(2 * np.pi)) / (2 * n)
    return float(evidence.mean())


def _projected(data: Prepared) -> tuple[np.ndarray, np.ndarray]:
    """(sigma, x): squared singular values of the features as they are, not centred, and (C, r) each class on their left singular vectors.

    Centred features are U s V; with the constant direction beside U the features are that times [s V; sqrt(n) mean], which has few rows.
    """
    s, v = data.spectrum
    s, v = decomposed(np.vstack([s[:, None] * v, np.sqrt(data.n) * data.mean]))
    return s**2, data.counts[:, None] * (data.means + data.mean) @ v.T / s


def _fixed_point(sigma, x2, rest, n: int, tolerance: float, rounds: int, start: float = 1, floor: float = FLOOR) -> tuple[np.ndarray, ...]:
    """(alpha, beta, m2, e) of each class, every class until its own ratio alpha / beta rests."""
    found = np.ones((4, len(x2)))
    found[0] = start
    moving = np.arange(len(x2))
    for _ in range(rounds):
        t = (found[0, moving] / found[1, moving])[:, None]
        gamma = (sigma / (sigma + t)).sum(axis=1)
        m2 = (sigma * x2[moving] / (t + sigma)**2).sum(axis=1)
        e = (x2[moving] / (1 + sigma / t)**2).sum(axis=1) + rest[moving]
        alpha, beta = gamma / (m2 + floor), (n - gamma) / (e + FLOOR)
        found[:, moving] = alpha, beta, m2, e
        moving = moving[np.abs(alpha / beta - t[:, 0]) > tolerance * t[:, 0]]
        if not len(moving):
            break
    return tuple(found)
