"""One number for how alike two representations of the same items are: what a spectrum is drawn beside, and what one number hides.

All are unchanged by turning, moving and scaling either side. NaN where the rows of one side are all equal, as there is nothing to compare then;
but for `mutual_knn`, which is at chance there.
"""

import numpy as np

from analysis.errors import InputError
from analysis.metrics import tas
from analysis.metrics.ranking import Ranks, centred, table

PAIRED = 10_000  # rows up to which all pairs are ranked
ROOM = 4_000_000  # numbers held at once where rows are compared in pieces
EQUAL = 1e-11  # squared distances no further apart than that, relatively, are equal


def cka(a, b, *, debiased: bool = False) -> float:
    """Linear CKA, from 0 to 1; wide noise scores high. Debiased (HSIC_1, zero diagonals) it is about 0 for noise, and may be below."""
    a, b = _pair(a, b)
    kinds = _moments(a, b, debiased), _moments(a, a, debiased), _moments(b, b, debiased)
    return float(kinds[0] / np.sqrt(kinds[1] * kinds[2])) if min(kinds[1:]) > 0 else float("nan")


def procrustes(a, b) -> float:
    """1 - disparity: the share of the variance that the best rotation and scale explain, from 0 to 1; the narrower side is padded with zeros."""
    a, b = (_narrowed(x) for x in _pair(a, b))
    size = np.linalg.norm(a) * np.linalg.norm(b)
    return float((np.linalg.svd(a.T @ b, compute_uv=False).sum() / size)**2) if size else float("nan")


def rsa(a, b) -> float:
    """Spearman correlation of all pairwise Euclidean distances, from -1 to 1."""
    a, b = _pair(a, b)
    if len(a) > PAIRED:
        raise InputError(f"RSA ranks all pairs, and {len(a)} rows have {len(a) * (len(a) - 1) // 2:,}.", f"Give at most {PAIRED} rows.")
    a, b = (_places(x) for x in (a, b))
    size = np.linalg.norm(a) * np.linalg.norm(b)
    return float(a @ b / size) if size else float("nan")


def mutual_knn(a, b, *, k: int = 10, metric: str = "euclidean", seed: int = 0) -> float:
    """Mean share of the k nearest neighbours that the two sides have in common: Q(k) of a spectrum. Takes Ranks too."""
    jaccard = tas.agreement(a, b, k, metric=metric, seed=seed)
    return float((2 * jaccard / (1 + jaccard)).mean())


def _pair(a, b) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(a, Ranks) or isinstance(b, Ranks):
        raise InputError("Ranks hold no distances to compare.", "Give the representations themselves.")
    a, b = (table(x, "Similarities") for x in (a, b))
    if len(a) != len(b):
        raise InputError(f"The first has {len(a)} rows and the second has {len(b)}.", "Row i must be the same item in both.")
    return centred(a), centred(b)


def _moments(a: np.ndarray, b: np.ndarray, debiased: bool) -> float:
    """The inner product of the Gram matrices of centred rows; debiased (n(n-3) times HSIC_1), of those with zero diagonals."""
    n = len(a)
    whole = ((a @ a.T) * (b @ b.T)).sum() if n < min(a.shape[1], b.shape[1]) else ((a.T @ b)**2).sum()
    if not debiased:
        return whole
    mine, other = np.einsum("ij,ij->i", a, a), np.einsum("ij,ij->i", b, b)  # the diagonals; less them, rows of centred Grams sum to minus these
    return whole - mine @ other + mine.sum() * other.sum() / ((n - 1) * (n - 2)) - 2 / (n - 2) * (mine @ other)


def _narrowed(x: np.ndarray) -> np.ndarray:
    """Where rows are wider than they are many: the same turned into as many columns as there are rows."""
    return np.linalg.qr(x.T, mode="r").T if x.shape[1] > len(x) else x


def _places(x: np.ndarray) -> np.ndarray:
    """Centred ranks of the distances of all pairs; equal ones share the mean of their ranks."""
    norms, n = np.einsum("ij,ij->i", x, x), len(x)
    squared, i = np.empty(n * (n - 1) // 2), 0
    step = max(1, ROOM // n)
    for start in range(0, n, step):
        block = x[start:start + step] @ x[start:].T
        for at, products in enumerate(block, start):
            both = norms[at] + norms[at + 1:]
            row = both - 2 * products[at + 1 - start:]
            squared[i:i + len(row)] = np.where(row > EQUAL * both, row, 0)  # what is left of the distance of equal rows is rounding
            i += len(row)
    order = np.argsort(squared)
    squared = squared[order]
    starts = np.flatnonzero(np.diff(squared, prepend=-1) > EQUAL * squared)
    lengths = np.diff(starts, append=len(squared))
    places = np.empty(len(squared))
    places[order] = np.repeat(starts + (lengths - len(squared)) / 2, lengths)
    return places
