"""What the scores share: labels as 0..C-1, features in double precision about their mean, and one decomposition of them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analysis.errors import InputError
from analysis.metrics.ranking import table

SMALL = 1e-12  # a spread below this share of the values is rounding
LARGE = 1e70  # beyond, fourth powers overflow
WEAK = 1e-8  # of the variance of the strongest direction: a Gram matrix loses the digits of weaker ones


@dataclass(frozen=True, eq=False)
class Prepared:
    """Features and labels that several scores read: what one has computed is there for the next. Wherever a score takes features it takes this.

    x       (n, d) float64, about their mean
    mean    (d,)
    labels  (n,) in 0..C-1, every class with items
    """

    x: np.ndarray
    mean: np.ndarray
    labels: np.ndarray

    @property
    def n(self) -> int:
        return len(self.x)

    @cached_property
    def counts(self) -> np.ndarray:
        return np.bincount(self.labels)

    @cached_property
    def members(self) -> list[np.ndarray]:
        """The rows of each class."""
        return np.split(np.argsort(self.labels, kind="stable"), self.counts.cumsum()[:-1])

    @cached_property
    def means(self) -> np.ndarray:
        """(C, d) of each class."""
        return np.stack([self.x[rows].mean(axis=0) for rows in self.members])

    @cached_property
    def spectrum(self) -> tuple[np.ndarray, np.ndarray]:
        """(s, v): the singular values of x, descending, and the directions (r, d) they belong to, the largest entry of each positive."""
        s, v = decomposed(self.x)
        return s, v * np.sign(v[np.arange(len(v)), np.abs(v).argmax(axis=1)])[:, None]

    def components(self, count: int | None = None) -> np.ndarray:
        """(n, count) the principal components, as many as there are or that many of them."""
        return self.x @ self.spectrum[1][:count].T


def prepare(features, labels=None) -> Prepared:
    """Features (n, d), numpy or torch, and one label per row, of any kind."""
    if isinstance(features, Prepared):
        if labels is not None and not np.array_equal(features.labels, indexed(labels, features.n)):
            raise InputError("These features were prepared with other labels.", "Give the labels they were prepared with, or none.")
        return features
    x = table(features, "Transferability scores").astype(np.float64)
    largest = np.abs(x).max()
    if largest > LARGE:
        raise InputError(f"The features reach {largest:.2g}: their squares cannot be counted with.", "Scale the features down.")
    labels, first = indexed(labels, len(x)), x[0].copy()
    x -= first  # before the mean is taken, so that a tight cloud far out keeps its digits
    mean = x.mean(axis=0)
    x -= mean
    spread = np.abs(x).max()
    if spread <= SMALL * largest or spread < 1 / LARGE:
        raise InputError(f"All {len(x)} rows of the features are equal: there is nothing in them to read.", "Choose another layer, or another model.")
    return Prepared(x, first + mean, labels)


def indexed(labels, n: int) -> np.ndarray:
    """Labels of any kind as 0..C-1 in the order of their values. Fewer than two classes, or no class of two items, are refused."""
    if hasattr(labels, "detach"):
        labels = labels.detach().cpu()
        labels = (labels.double() if labels.is_floating_point() else labels).numpy()
    try:
        values = np.asarray(labels)
    except ValueError:
        values = np.zeros(())
    if values.shape != (n,):
        raise InputError(f"Labels of shape {values.shape} do not fit {n} rows.", "Give one label per row.")
    if values.dtype.kind not in "iub":
        listed = labels if isinstance(labels, (list, tuple)) else values.tolist()  # numpy makes the text "nan" of a NaN among texts
        gone = np.array([not isinstance(v, str) and str(v) in ("None", "nan", "NaT", "<NA>") for v in listed])
        if gone.any():
            raise InputError(f"{gone.sum()} of {n} labels are missing (None or NaN), first row {int(gone.argmax())}.", "Leave those rows out.")
    if values.dtype.kind == "f" and not (np.isfinite(values) & (values == np.round(values))).all():
        raise InputError("The labels are not whole numbers.", "Labels name classes: use whole numbers or texts.")
    index = np.unique(values if values.dtype.kind in "iubfU" else values.astype(str), return_inverse=True)[1]
    classes = int(index.max()) + 1
    if classes < 2:
        raise InputError(f"All {n} labels are the same: there is nothing to tell apart.", "Give items of at least two classes.")
    if classes == n:
        raise InputError(f"{n} items of {n} classes: no class has two items.", "Give more items per class.")
    return index


def decomposed(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(s, v): the singular values that are no rounding, descending, and the right singular vectors, as rows."""
    n, d = x.shape
    if n > d:
        squares, vectors = np.linalg.eigh(x.T @ x)  # quick, and where no direction is much weaker than another as good
        if squares[0] > WEAK * squares[-1]:
            return np.sqrt(squares[::-1]), vectors.T[::-1]
        x = np.linalg.qr(x, mode="r")
    s, v = np.linalg.svd(x, full_matrices=False)[1:]
    kept = s > s[0] * max(n, d) * np.finfo(float).eps
    return s[kept], v[kept]


def ledoit_wolf(trace: float, square: float, fourth: float, n: int, d: int) -> float:
    """Ledoit and Wolf's share of a spherical covariance, from the trace and the squared norm of the covariance of n centred rows and the mean of the fourth
    powers of their norms."""
    apart = square / d - (trace / d)**2  # how far the covariance is from a spherical one
    return min(max((fourth - square) / (n * d), 0), apart) / apart if apart > SMALL * (trace / d)**2 else 0.0

