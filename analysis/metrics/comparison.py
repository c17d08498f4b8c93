"""What two representations, all layers of two models, or the models of a study come to beside one another: results that keep what a page draws."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from analysis.errors import InputError
from analysis.metrics import tas
from analysis.metrics.ranking import Cloud, Ranks, to_numpy
from analysis.metrics.result import plain, tuples
from analysis.metrics.similarity import cka, procrustes, rsa

STEPS = 60  # neighbourhood sizes of which something is kept for every item, every class or every pair
SCORES = {"CKA, biased": cka, "CKA, debiased": lambda a, b: cka(a, b, debiased=True), "Procrustes": procrustes, "RSA": rsa}
NEIGHBOURS = 10
COMPANIONS = (*SCORES, f"mutual kNN, k={NEIGHBOURS}")
GROUPS = ("PT–PT", "FT–FT", "PT–FT, same seed", "PT–FT, other seed")  # PT: as trained first; FT: fine-tuned
CURVES = ("jaccard", "expected", "floor", "tas", "overlap", "r_nx")
BANDS = ("null_low", "null_high", "null_mean", "boot_low", "boot_high", "boot_mean")
_nothing = lambda: np.zeros(0)  # noqa: E731


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two representations of the same items: the spectrum, its bands, what each item and each class does, and the numbers that know no k.

    names, layers  of the two sides; left_out: items that only the one, only the other has
    k ... auc      as in tas.Spectrum
    null_*, boot_* TAS over k of relabelled and of redrawn items, over that many `anchors`; empty until they are there
    companions     name -> value: NaN while it is not computed yet, None where it cannot be, and then `reasons` says why
    grid, points   neighbourhood sizes, evenly spaced on a log axis, and each item's Jaccard index at those, (n, len(grid))
    ids            of the items, in the order of the rows of `points`
    groups, group_counts, group_tas  the classes, their items, and their spectra on the grid: NaN of a class without items
    clusters       classes that have items, so that n / clusters is the scale of a cluster; 0 without labels
    """

    names: tuple
    layers: tuple
    k: np.ndarray
    jaccard: np.ndarray
    expected: np.ndarray
    floor: np.ndarray
    tas: np.ndarray
    overlap: np.ndarray
    r_nx: np.ndarray
    auc: float
    n: int
    grid: np.ndarray
    points: np.ndarray
    ids: tuple
    left_out: tuple = (0, 0)
    groups: tuple = ()
    group_counts: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    group_tas: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    clusters: int = 0
    companions: Mapping = field(default_factory=lambda: dict.fromkeys(COMPANIONS, float("nan")))
    reasons: Mapping = field(default_factory=dict)
    null_low: np.ndarray = field(default_factory=_nothing)
    null_high: np.ndarray = field(default_factory=_nothing)
    null_mean: np.ndarray = field(default_factory=_nothing)
    boot_low: np.ndarray = field(default_factory=_nothing)
    boot_high: np.ndarray = field(default_factory=_nothing)
    boot_mean: np.ndarray = field(default_factory=_nothing)
    anchors: int = 0
    warnings: tuple = ()
    options: Mapping = field(default_factory=dict)

    def __post_init__(self):
        tuples(self, "names", "layers", "ids", "left_out", "groups", "warnings")

    def spectrum(self) -> tas.Spectrum:
        return tas.Spectrum(self.k, **{name: getattr(self, name) for name in CURVES}, auc=self.auc, n=self.n, warnings=self.warnings, options=self.options)

    def null(self) -> tas.Band | None:
        """TAS when items are relabelled; None while it is not computed."""
        return self._band("null")

    def bootstrap(self) -> tas.Band | None:
        """TAS when items are redrawn; None while it is not computed."""
        return self._band("boot")

    def at(self, k: int) -> int:
        """Where on the grid the neighbourhood size nearest to k stands."""
        return _nearest(self.grid, k)

    def table(self):
        """One line per neighbourhood size."""
        import pandas as pd
        return pd.DataFrame({name: getattr(self, name) for name in ("k", *CURVES, *(b for b in BANDS if len(getattr(self, b))))})

    def manifest(self) -> dict:
        said = {name: plain(getattr(self, name).tolist()) for name in ("k", *CURVES, *BANDS, "group_counts", "group_tas", "grid")}
        return {"names": list(self.names), "layers": list(self.layers), "n": self.n, "left_out": list(self.left_out), "auc": self.auc, **said,
                "groups": list(self.groups), "clusters": self.clusters, "anchors": self.anchors, "companions": plain(dict(self.companions)),
                "reasons": dict(self.reasons), "warnings": list(self.warnings), "options": dict(self.options)}

    def _band(self, kind: str) -> tas.Band | None:
        low, high, mean = (getattr(self, f"{kind}_{part}") for part in ("low", "high", "mean"))
        return tas.Band(low, high, mean, self.k, self.n, self.anchors, options=self.options) if len(low) else None


@dataclass(frozen=True, eq=False)
class Layers:
    """TAS of every layer of one side with every layer of the other, (layers_a, layers_b, k), NaN where it is not computed yet.

    names     of the two sides; `same` when they are one and the same, and the matrix symmetric
    k         neighbourhood sizes, evenly spaced on a log axis
    n, of     items used, of how many
    clusters  as in Comparison
    """

    names: tuple
    layers_a: tuple
    layers_b: tuple
    tas: np.ndarray
    k: np.ndarray
    n: int
    of: int
    same: bool = False
    left_out: tuple = (0, 0)
    clusters: int = 0
    warnings: tuple = ()
    options: Mapping = field(default_factory=dict)

    def __post_init__(self):
        tuples(self, "names", "layers_a", "layers_b", "left_out", "warnings")

    def at(self, k: int) -> int:
        """Where the neighbourhood size nearest to k stands."""
        return _nearest(self.k, k)

    def table(self, k: int):
        """The matrix at the neighbourhood size nearest to k."""
        import pandas as pd
        return pd.DataFrame(self.tas[:, :, self.at(k)], index=list(self.layers_a), columns=list(self.layers_b))

    def manifest(self) -> dict:
        lists = {name: list(getattr(self, name)) for name in ("names", "layers_a", "layers_b", "left_out", "warnings")}
        return {**lists, "tas": plain(self.tas.tolist()), "k": self.k.tolist(), "n": self.n, "of": self.of, "same": self.same, "clusters": self.clusters,
                "options": dict(self.options)}


class Curve(NamedTuple):
    """TAS over neighbourhood sizes."""

    k: np.ndarray
    tas: np.ndarray


@dataclass(frozen=True, eq=False)
class Convergence:
    """Models of several seeds, as trained and as fine-tuned: TAS of every pair.

    pairs   the names of the two models of each; kinds: which of `GROUPS` it belongs to
    tas     (pairs, k), NaN where it is not computed yet
    null_*  of one pair, as typical as any: TAS of relabelled items
    n, of   items used, of how many; clusters as in Comparison
    """

    pairs: tuple
    kinds: tuple
    tas: np.ndarray
    k: np.ndarray
    n: int
    of: int
    layers: tuple = ()
    clusters: int = 0
    null_low: np.ndarray = field(default_factory=_nothing)
    null_high: np.ndarray = field(default_factory=_nothing)
    null_mean: np.ndarray = field(default_factory=_nothing)
    warnings: tuple = ()
    options: Mapping = field(default_factory=dict)

    def __post_init__(self):
        tuples(self, "kinds", "layers", "warnings")
        object.__setattr__(self, "pairs", tuple(tuple(pair) for pair in self.pairs))

    def groups(self) -> dict[str, list[tuple[str, Curve]]]:
        """The pairs of each group that are there, (name, curve)."""
        found = {group: [] for group in GROUPS}
        for (a, b), kind, values in zip(self.pairs, self.kinds, self.tas, strict=True):
            if not np.isnan(values).any():
                found[kind].append((f"{a} and {b}", Curve(self.k, values)))
        return found

    def null(self) -> tas.Band | None:
        """TAS when items are relabelled; None while it is not computed."""
        return tas.Band(self.null_low, self.null_high, self.null_mean, self.k, self.n, self.n, options=self.options) if len(self.null_low) else None

    def at(self, k: int) -> int:
        """Where the neighbourhood size nearest to k stands."""
        return _nearest(self.k, k)

    def table(self):
        """One line per pair, one column per neighbourhood size."""
        import pandas as pd
        columns = {"first": [a for a, _ in self.pairs], "second": [b for _, b in self.pairs], "group": self.kinds}
        return pd.DataFrame({**columns, **{f"k={k}": self.tas[:, i] for i, k in enumerate(self.k)}})

    def manifest(self) -> dict:
        arrays = {name: plain(getattr(self, name).tolist()) for name in ("tas", "k", "null_low", "null_high", "null_mean")}
        return {"pairs": [list(pair) for pair in self.pairs], "kinds": list(self.kinds), "layers": list(self.layers), **arrays, "n": self.n, "of": self.of,
                "clusters": self.clusters, "warnings": list(self.warnings), "options": dict(self.options)}


# what they are made from

def grid(largest: int, steps: int = STEPS, also: Sequence[int] = ()) -> np.ndarray:
    """At least `steps` whole numbers from 1 to `largest`, evenly spaced on a log axis as far as whole numbers can be; all of them where they are fewer.
    Those in `also` are among them when they lie between."""
    if largest <= steps:
        return np.arange(1, largest + 1)
    asked = steps
    while len(found := np.unique(np.geomspace(1, largest, asked).round().astype(np.int64))) < steps:
        asked += 1
    return np.union1d(found, [k for k in also if 1 <= k <= largest]).astype(np.int64)


def agreements(a: Ranks | Cloud, b: Ranks | Cloud, ks: np.ndarray, progress=None) -> np.ndarray:
    """(n, ks) the Jaccard index of each item's k nearest neighbours in the two spaces, at several k at once."""
    found, largest = np.empty((a.n, len(ks))), int(ks[-1])
    for rows in next((side.blocks() for side in (a, b) if isinstance(side, Cloud)), [slice(0, a.n)]):
        if progress:
            progress(rows.start, a.n, "neighbours of each item")
        for row, near, other in zip(found[rows], to_numpy(a.rows(rows, largest)), to_numpy(b.rows(rows, largest)), strict=True):
            common = np.bincount(np.maximum(near, other), minlength=largest + 1).cumsum()[ks] - 1  # but for the item itself, whose rank is 0
            row[:] = common / (2 * ks - common)
    return found


def by_group(points: np.ndarray, expected: np.ndarray, labels: np.ndarray, groups: int) -> tuple[np.ndarray, np.ndarray]:
    """(items, TAS) of each group, from the Jaccard index of each item and its chance level at the same neighbourhood sizes."""
    counts, means = np.bincount(labels, minlength=groups), np.full((groups, points.shape[1]), np.nan)
    for group in np.flatnonzero(counts):
        means[group] = points[labels == group].mean(axis=0)
    return counts, (means - expected) / (1 - expected)


def companions(a: np.ndarray, b: np.ndarray, overlap: np.ndarray, tell=lambda i, name: None) -> tuple[dict, dict]:
    """(values, reasons): the numbers that know no k, None where there is none, and then why. `overlap` is that of the spectrum: mutual kNN is one of it."""
    values, reasons = dict.fromkeys(COMPANIONS), {}
    for i, (name, score) in enumerate(SCORES.items()):
        tell(i, name)
        try:
            value = float(score(a, b))
        except (InputError, MemoryError) as error:
            reasons[name] = str(error) or "There is not enough memory for this."
            continue
        if np.isnan(value):
            reasons[name] = "All rows of one side are equal: there is nothing to compare."
        else:
            values[name] = value
    if len(overlap) >= NEIGHBOURS:
        values[COMPANIONS[-1]] = float(overlap[NEIGHBOURS - 1])
    else:
        reasons[COMPANIONS[-1]] = f"Neighbourhoods of {NEIGHBOURS} are not among those computed."
    return values, reasons


def _nearest(sizes: Sequence[int], k: int) -> int:
    return int(np.abs(np.asarray(sizes) - k).argmin())
