"""TAS, the Topological Alignment Spectrum: at which neighbourhood sizes do two representations of the same items agree?

J(k) is the mean over items of the Jaccard index of their k nearest neighbours in each space; TAS(k) = (J(k) - E_k) / (1 - E_k) is 1 where they are the same
and 0 at chance. An item j is among the k nearest of i in both spaces exactly when the larger of its two ranks is at most k: counting those ranks gives every k.
"""

import numbers
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from analysis.errors import InputError
from analysis.metrics.ranking import LIMIT, Cloud, Progress, Ranks, ranks, sound_seed, to_numpy, whole

__all__ = ["Ranks", "ranks", "Spectrum", "spectrum", "Band", "null_band", "bootstrap_band", "Grouped", "grouped", "Pairs", "pairs", "agreement",
           "expected", "floor", "teaching_cloud"]

BASELINES = ("exact", "paper")
KEPT = 8000  # rows up to which bands are about all of them
ANCHORS = 2000  # rows that bands are about above that
MANY = 0.01  # share of duplicates from which on they are told
BLOCK = 50_000  # counts held at once, so that they stay near the processor
ROOM = 8_000_000  # ranks found at once for a band
KINDS = ("jitter", "shuffled", "noise")


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Arrays over the neighbourhood sizes k.

    jaccard, expected  J(k), and what it is on average when the items of one side are relabelled at random
    tas, floor         (J - E) / (1 - E), and the least that it can be
    overlap, r_nx      mean share of common neighbours Q(k), and the same with chance at 0
    auc                area under r_nx over log k
    """

    k: np.ndarray
    jaccard: np.ndarray
    expected: np.ndarray
    floor: np.ndarray
    tas: np.ndarray
    overlap: np.ndarray
    r_nx: np.ndarray
    auc: float
    n: int
    warnings: tuple[str, ...] = ()
    options: Mapping = field(default_factory=dict)

    def table(self):
        """One line per neighbourhood size."""
        import pandas as pd
        return pd.DataFrame({name: getattr(self, name) for name in ("k", "tas", "floor", "jaccard", "expected", "overlap", "r_nx")})

    def manifest(self) -> dict:
        arrays = {name: getattr(self, name).tolist() for name in ("k", "tas", "floor", "jaccard", "expected", "overlap", "r_nx")}
        return {"n": self.n, "auc": self.auc, **arrays, "warnings": list(self.warnings), "options": dict(self.options)}


def spectrum(a, b, *, metric: str = "euclidean", baseline: str = "exact", max_k: int | None = None, seed: int = 0, device: str = "auto",
             progress: Progress | None = None) -> Spectrum:
    """The spectrum of two representations of the same items, row by row the same: numpy, torch, or Ranks.

    Ties are broken with `seed` in a and `seed + 1` in b; Ranks are what they are. Above 20 000 rows `max_k` is needed: only that many neighbours are found.
    device    "cpu"; or any device of torch's ("cuda"; "torch:cpu" is torch on the processor); "auto" takes cuda for a tensor that lies there, and for many
              rows where torch is loaded and finds one
    progress  called with (done, total, note); may raise to stop
    """
    a, b = _sides(a, b, metric, seed, device)
    n, sizes = a.n, _sizes(a.n, max_k)
    chance, least = expected(n, baseline=baseline, max_k=max_k), floor(n, baseline=baseline, max_k=max_k)
    jaccard, common = np.zeros(len(sizes)), np.zeros(len(sizes))
    for _, shared in _anchors(a, b, len(sizes), progress):
        jaccard += to_numpy(_jaccard(shared).sum(0))
        common += to_numpy(shared.sum(0))
    jaccard /= n
    overlap = common / n / sizes
    r_nx = ((n - 1) * overlap - sizes) / (n - 1 - sizes)
    auc = float((r_nx / sizes).sum() / (1 / sizes).sum())
    return Spectrum(sizes, jaccard, chance, least, (jaccard - chance) / (1 - chance), overlap, r_nx, auc, n, _warnings(a, b),
                    {**_told(a, b), "baseline": baseline, "max_k": max_k})


def agreement(a, b, k: int, *, metric: str = "euclidean", seed: int = 0, device: str = "auto") -> np.ndarray:
    """(n,) the Jaccard index of each item's k nearest neighbours in the two spaces."""
    a, b = _sides(a, b, metric, seed, device)
    k = whole(k, 1, a.n - 1, "neighbours")
    found = np.empty(a.n)
    for rows in _blocks(a, b):
        near, other = a.rows(rows, k), b.rows(rows, k)
        if type(near) is not type(other):
            near, other = to_numpy(near), to_numpy(other)
        shared = to_numpy(((near <= k) & (other <= k)).sum(1)) - 1  # but for the item itself
        found[rows] = shared / (2 * k - shared)
    return found


@dataclass(frozen=True, eq=False)
class Grouped:
    """One spectrum per group of anchors, whose neighbours may be any item: .tas[i] is that of .groups[i], over .k."""

    tas: np.ndarray
    k: np.ndarray
    groups: np.ndarray
    counts: np.ndarray
    n: int
    warnings: tuple[str, ...] = ()
    options: Mapping = field(default_factory=dict)

    def table(self):
        """One line per group and neighbourhood size."""
        import pandas as pd
        return pd.DataFrame({"group": np.repeat(self.groups, len(self.k)), "items": np.repeat(self.counts, len(self.k)),
                             "k": np.tile(self.k, len(self.groups)), "tas": self.tas.ravel()})

    def manifest(self) -> dict:
        return {"n": self.n, "k": self.k.tolist(), "groups": self.groups.tolist(), "counts": self.counts.tolist(), "tas": self.tas.tolist(),
                "warnings": list(self.warnings), "options": dict(self.options)}


def grouped(a, b, labels, *, metric: str = "euclidean", baseline: str = "exact", max_k: int | None = None, seed: int = 0, device: str = "auto",
            progress: Progress | None = None) -> Grouped:
    """The spectrum over the items of each label, in the order of the labels; options as for `spectrum`."""
    a, b = _sides(a, b, metric, seed, device)
    sizes, labels = _sizes(a.n, max_k), np.asarray(labels)
    if labels.shape != (a.n,):
        raise InputError(f"Labels of shape {labels.shape} do not fit {a.n} rows.", "Give one label per row.")
    groups, member, counts = np.unique(labels, return_inverse=True, return_counts=True)
    chance, jaccard = expected(a.n, baseline=baseline, max_k=max_k), np.zeros((len(groups), len(sizes)))
    for rows, shared in _anchors(a, b, len(sizes), progress):
        values, at = to_numpy(_jaccard(shared)), member[rows]
        for group in np.unique(at):
            jaccard[group] += values[at == group].sum(axis=0)
    tas = (jaccard / counts[:, None] - chance) / (1 - chance)
    return Grouped(tas, sizes, groups, counts, a.n, _warnings(a, b), {**_told(a, b), "baseline": baseline, "max_k": max_k})


# chance

def expected(n: int, *, baseline: str = "exact", max_k: int | None = None) -> np.ndarray:
    """E_k for k = 1..n-2 or 1..max_k: the mean of J(k) over all relabellings ("exact"), or k / (2(n-1) - k), which is too small ("paper")."""
    if baseline not in BASELINES:
        raise InputError(f"Unknown baseline {baseline!r}.", f"Use one of {', '.join(BASELINES)}.")
    sizes = _sizes(n, max_k)
    return sizes / (2 * (n - 1) - sizes) if baseline == "paper" else _hypergeometric(n - 1, len(sizes)).copy()


def floor(n: int, *, baseline: str = "exact", max_k: int | None = None) -> np.ndarray:
    """The least that TAS can be: where 2k > n-1, two neighbourhoods of k cannot avoid one another."""
    chance, sizes = expected(n, baseline=baseline, max_k=max_k), _sizes(n, max_k)
    forced = np.maximum(0, 2 * sizes - (n - 1))
    return (forced / (2 * sizes - forced) - chance) / (1 - chance)


@lru_cache(16)
def _hypergeometric(others: int, largest: int) -> np.ndarray:
    """Mean of x / (2k - x), where x counts the common members of two random sets of k out of `others`, for k = 1..largest.

    For all k at once, from the likeliest x outwards by the ratio of neighbouring probabilities, until nothing more counts.
    """
    k = np.arange(1.0, largest + 1)
    likeliest = np.floor((k + 1)**2 / (others + 2))
    weight, total = np.ones(largest), likeliest / (2 * k - likeliest)
    for step in (1, -1):
        x, chance = likeliest.copy(), np.ones(largest)
        while chance.max() > 1e-18:  # the ratio is 0 at the ends: nothing lies beyond
            lower = x + min(step, 0)
            up, down = (k - lower)**2, (lower + 1) * (others - 2 * k + lower + 1)
            ratio = np.divide(up, down, where=down > 0, out=np.zeros(largest)) if step == 1 else np.divide(down, up, where=up > 0, out=np.zeros(largest))
            x = np.clip(x + step, 0, k)
            chance *= ratio
            weight += chance
            total += chance * x / (2 * k - x)
    return total / weight


# bands

@dataclass(frozen=True, eq=False)
class Band:
    """Where TAS lies in `level` of all draws, and on average, over k. Above 8 000 rows it is about 2 000 anchors, and `notes` says so."""

    low: np.ndarray
    high: np.ndarray
    mean: np.ndarray
    k: np.ndarray
    n: int
    anchors: int
    notes: tuple[str, ...] = ()
    options: Mapping = field(default_factory=dict)

    def table(self):
        """One line per neighbourhood size."""
        import pandas as pd
        return pd.DataFrame({"k": self.k, "low": self.low, "high": self.high, "mean": self.mean})

    def manifest(self) -> dict:
        arrays = {name: getattr(self, name).tolist() for name in ("k", "low", "high", "mean")}
        return {"n": self.n, "anchors": self.anchors, **arrays, "notes": list(self.notes), "options": dict(self.options)}


def null_band(a, b, *, permutations: int = 200, level: float = 0.95, metric: str = "euclidean", baseline: str = "exact", max_k: int | None = None,
              seed: int = 0, device: str = "auto", progress: Progress | None = None) -> Band:
    """TAS when the items of b are relabelled at random: the geometry of each side stays, what they share goes. Options as for `spectrum`."""
    a, b = _sides(a, b, metric, seed, device)
    n, k, count, level = a.n, len(_sizes(a.n, max_k)), whole(permutations, 2, 1_000_000, "permutations"), _share(level)
    anchors, rng = _drawn(n, seed), np.random.default_rng(seed)
    total, tell = count + 2, progress or (lambda done, total, note: None)
    mine, other = (_Kept(side, anchors, k, lambda i=i: tell(i, total, f"ranks of {len(anchors)} rows")) for i, side in enumerate((a, b)))
    found = np.empty((count, k))
    for i in range(count):
        tell(i + 2, total, "relabelling at random")
        places, names = _relabelling(rng, n, anchors)
        found[i] = sum(_jaccard(_counted(mine.larger(other, rows, places, names), k), np.float32).sum(axis=0) for rows in mine.parts)
    tell(total, total, "done")
    return _band(found / len(anchors), n, anchors, level, baseline, max_k, {**_told(a, b), "permutations": count, "seed": seed})


def bootstrap_band(a, b, *, resamples: int = 200, level: float = 0.95, metric: str = "euclidean", baseline: str = "exact", max_k: int | None = None,
                   seed: int = 0, device: str = "auto", progress: Progress | None = None) -> Band:
    """TAS when as many anchors are drawn again with replacement, their neighbours being what they are. Options as for `spectrum`."""
    a, b = _sides(a, b, metric, seed, device)
    n, k, count, level = a.n, len(_sizes(a.n, max_k)), whole(resamples, 2, 1_000_000, "resamples"), _share(level)
    anchors = _drawn(n, seed)
    weights = np.random.default_rng(seed).multinomial(len(anchors), np.full(len(anchors), 1 / len(anchors)), count).astype(np.float32)
    found, done = np.zeros((count, k)), 0
    for _, shared in _anchors(a, b, k, progress, anchors):
        values = to_numpy(_jaccard(shared, np.float32))
        found += weights[:, done:done + len(values)] @ values
        done += len(values)
    return _band(found / len(anchors), n, anchors, level, baseline, max_k, {**_told(a, b), "resamples": count, "seed": seed})


def _band(found: np.ndarray, n: int, anchors, level: float, baseline: str, max_k: int | None, options: dict) -> Band:
    chance = expected(n, baseline=baseline, max_k=max_k)
    low, high = ((np.quantile(found, share, axis=0) - chance) / (1 - chance) for share in ((1 - level) / 2, (1 + level) / 2))
    notes = () if len(anchors) == n else (f"The band is that of the mean over {len(anchors)} of {n} items, drawn uniformly; over all it would be narrower.",)
    options = {**options, "level": level, "baseline": baseline, "max_k": max_k, "anchors": len(anchors)}
    return Band(low, high, (found.mean(axis=0) - chance) / (1 - chance), _sizes(n, max_k), n, len(anchors), notes, options)


def _drawn(n: int, seed: int) -> np.ndarray:
    return np.arange(n) if n <= KEPT else np.sort(np.random.default_rng(seed).choice(n, ANCHORS, replace=False))


def _relabelling(rng: np.random.Generator, n: int, anchors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(places, names): anchor i becomes anchor places[i], item j becomes names[j]; anchors among themselves, so that their ranks are known."""
    places, names = rng.permutation(len(anchors)), np.empty(n, np.int64)
    rest = np.delete(np.arange(n), anchors)
    names[anchors], names[rest] = anchors[places], rng.permutation(rest)
    return places, names


class _Kept:
    """What the anchors' neighbours are: their ranks where all are computed, else the k nearest in order."""

    def __init__(self, side, anchors: np.ndarray, k: int, tell: Callable):
        self.n, self.k, self.dense = side.n, k, side.n <= LIMIT
        self.values = np.empty((len(anchors), side.n if self.dense else k), np.min_scalar_type(side.n - 1))
        for rows in _cut(slice(0, len(anchors)), max(1, ROOM // side.n)):
            tell()
            self.values[rows] = to_numpy((side.rows if self.dense else side.order)(anchors[rows], k))
        self.parts = _cut(slice(0, len(anchors)), BLOCK // side.n if self.dense else max(1, min(BLOCK // k, ROOM // side.n)))
        self._blank = None if self.dense else np.full((self.parts[0].stop, side.n), k + 1, np.int32)

    def larger(self, other: "_Kept", rows: slice, places: np.ndarray, names: np.ndarray) -> np.ndarray:
        """The larger rank of each item at these anchors, b relabelled."""
        if self.dense:
            return np.maximum(self.values[rows], other.values[places[rows]].take(names, axis=1))
        nearest, theirs = np.arange(1, self.k + 1, dtype=np.int32), other.values[places[rows]].astype(np.int64)
        blank = self._blank[:len(theirs)]
        np.put_along_axis(blank, theirs, nearest[None], axis=1)
        found = np.maximum(nearest, np.take_along_axis(blank, names[self.values[rows]], axis=1))
        np.put_along_axis(blank, theirs, self.k + 1, axis=1)
        return found


# pairs

@dataclass(frozen=True, eq=False)
class Pairs:
    """.tas[i, j] is the spectrum of .names_a[i] and .names_b[j], over .k; NaN where it is not computed yet."""

    tas: np.ndarray
    k: np.ndarray
    names_a: tuple[str, ...]
    names_b: tuple[str, ...]
    n: int
    warnings: tuple[str, ...] = ()
    options: Mapping = field(default_factory=dict)

    def table(self, k: int):
        """The matrix at one neighbourhood size."""
        import pandas as pd
        at = whole(k, int(self.k[0]), int(self.k[-1]), "neighbours") - 1
        return pd.DataFrame(self.tas[:, :, at], index=list(self.names_a), columns=list(self.names_b))

    def manifest(self) -> dict:
        return {"n": self.n, "k": self.k.tolist(), "names_a": list(self.names_a), "names_b": list(self.names_b),
                "tas": [[[None if np.isnan(v) else v for v in curve.tolist()] for curve in row] for row in self.tas],
                "warnings": list(self.warnings), "options": dict(self.options)}


def pairs(a, b, *, metric: str = "euclidean", baseline: str = "exact", seed: int = 0, device: str = "auto",
          progress: Progress | None = None) -> Iterator[Pairs]:
    """The spectra of all pairs of one of a and one of b, each a sequence, or a mapping from names: of Ranks, numpy or torch. Yields after each row.

    What is not Ranks yet is ranked once: b first, then each of a when it is its turn. Where a is b, each pair is computed once, and one with itself is 1.
    """
    same, (names_a, a), (names_b, b) = a is b, _named(a), _named(b)
    total, tell = len(a) * len(b), progress or (lambda done, total, note: None)
    others = []
    for i, x in enumerate(b):
        tell(0, total, f"ranks of {names_b[i]}")
        others.append(x if isinstance(x, Ranks) else ranks(x, metric=metric, seed=seed + (not same), device=device))
    n = others[0].n
    sizes, chance = _sizes(n, None), expected(n, baseline=baseline)
    found = np.full((len(a), len(b), len(sizes)), np.nan, np.float32)
    notes = [f"{name}: {_repeated(r)}" for name, r in zip(names_b, others, strict=True) if _many(r)]
    for i, x in enumerate(a):
        mine = others[i] if same else x if isinstance(x, Ranks) else ranks(x, metric=metric, seed=seed, device=device)
        notes += [f"{names_a[i]}: {_repeated(mine)}"] if _many(mine) and not same else []
        for j, other in enumerate(others):
            tell(i * len(b) + j, total, f"{names_a[i]} and {names_b[j]}")
            _match(mine.n, other.n, names_a[i], names_b[j])
            if same and j < i:
                found[i, j] = found[j, i]
                continue
            jaccard = sum(_jaccard(shared).sum(axis=0) for _, shared in _anchors(mine, other, len(sizes))) / n
            found[i, j] = (jaccard - chance) / (1 - chance)
        if i == len(a) - 1:
            tell(total, total, "done")
        yield Pairs(found.copy(), sizes, names_a, names_b, n, tuple(notes), {**_told(mine, others[0]), "baseline": baseline})


def _named(items) -> tuple[tuple[str, ...], list]:
    names, items = (items.keys(), list(items.values())) if isinstance(items, Mapping) else (range(len(items)), list(items))
    if not items:
        raise InputError("There is nothing to compare.", "Give at least one representation on each side.")
    return tuple(map(str, names)), items


# teaching

def teaching_cloud(kind: str, *, n: int = 500, d: int = 50, seed: int = 1, jitter: float = 0.1, spread: float = 0.1,
                   swapped: Sequence[int] = (0, 1, 2, 3)) -> tuple[np.ndarray, np.ndarray]:
    """Two clouds of n rows in d dimensions that teach what one number hides.

    "jitter"    blobs of sd `spread` at four corners of the cube of ±1; the other cloud is the same and noise of sd `jitter`
    "shuffled"  the same blobs, but each of the corners in `swapped` has moved on to the place of the next
    "noise"     two independent Gaussian clouds
    """
    if kind not in KINDS:
        raise InputError(f"Unknown teaching cloud {kind!r}.", f"Use one of {', '.join(KINDS)}.")
    n, d = whole(n, 8, LIMIT, "rows"), whole(d, 2, 100_000, "dimensions")
    if len(set(swapped)) < len(swapped) or not set(swapped) <= {0, 1, 2, 3} or not min(jitter, spread) >= 0:
        raise InputError(f"Corners {tuple(swapped)}, jitter {jitter} and spread {spread} were asked for.",
                         "Name each corner, 0 to 3, at most once; let no width be negative.")
    rng = np.random.default_rng(sound_seed(seed))
    if kind == "noise":
        return tuple(np.ascontiguousarray(x) for x in rng.standard_normal((n, 2, d)).swapaxes(0, 1))
    corners = rng.choice([-1.0, 1.0], (4, d))
    while len(np.unique(corners, axis=0)) < 4:
        corners = rng.choice([-1.0, 1.0], (4, d))
    corner, blobs = np.arange(n) * 4 // n, spread * rng.standard_normal((n, d))
    if kind == "jitter":
        a = corners[corner] + blobs
        return a, a + jitter * rng.standard_normal((n, d))
    moved = np.arange(4)
    moved[list(swapped)] = np.roll(list(swapped), -1)
    return corners[corner] + blobs, corners[moved[corner]] + blobs


# counting

def _anchors(a, b, k: int, progress: Progress | None = None, anchors: np.ndarray | None = None) -> Iterator[tuple]:
    """(rows, shared) block by block: shared (len(rows), k) counts the common neighbours of those rows at each neighbourhood size."""
    count = a.n if anchors is None else len(anchors)
    for block in _blocks(a, b, count):
        if progress:
            progress(block.start, count, f"neighbours of {a.n} rows")
        rows = block if anchors is None else anchors[block]
        near, other = a.rows(rows, k), b.rows(rows, k)
        if type(near) is not type(other):
            near, other = to_numpy(near), to_numpy(other)
        for part in _cut(slice(0, len(near)), BLOCK // a.n if isinstance(near, np.ndarray) else len(near)):
            at = slice(block.start + part.start, block.start + part.stop)
            larger = np.maximum(near[part], other[part]) if isinstance(near, np.ndarray) else near[part].max(other[part])
            yield at if anchors is None else anchors[at], _counted(larger, k)
    if progress:
        progress(count, count, "done")


def _counted(larger, k: int):
    """(rows, k) how many entries of each row are from 1 to 1, 2, ... k."""
    if not isinstance(larger, np.ndarray):
        counts = larger.new_zeros((len(larger), max(k + 2, larger.shape[1] + 1)))
        counts.scatter_add_(1, larger.long(), larger.new_ones(()).expand_as(larger))
        return counts[:, 1:k + 1].cumsum(1)
    counts, few = np.empty((len(larger), k), np.int32), 2 * k < larger.shape[1]
    for row, places in zip(counts, larger, strict=True):
        row[:] = np.bincount(places[places <= k] if few else places, minlength=k + 1)[1:k + 1]
    return np.cumsum(counts, axis=1, dtype=np.int32, out=counts)


def _jaccard(shared, kind=np.float64):
    """Of counts at neighbourhood sizes 1, 2, ..."""
    if not isinstance(shared, np.ndarray):
        shared = shared.double()
        return shared / (shared.new_ones(shared.shape[1]).cumsum(0) * 2 - shared)
    shared = shared.astype(kind)
    either = 2 * np.arange(1, shared.shape[1] + 1, dtype=kind) - shared
    return np.divide(shared, either, out=either)


def _blocks(a, b, count: int | None = None) -> list[slice]:
    """Of rows that either side can do at once."""
    steps = [blocks[0].stop for blocks in (side.blocks() for side in (a, b) if isinstance(side, Cloud))]
    return _cut(slice(0, count or a.n), min(steps, default=a.n))


def _cut(rows: slice, step: int) -> list[slice]:
    step = max(1, step)
    return [slice(i, min(i + step, rows.stop)) for i in range(rows.start, rows.stop, step)]


# what goes in

def _sides(a, b, metric: str, seed: int, device: str) -> tuple:
    seed = sound_seed(seed)
    a = a if isinstance(a, Ranks) else Cloud(a, metric=metric, seed=seed, device=device)
    b = b if isinstance(b, Ranks) else Cloud(b, metric=metric, seed=seed + 1, device=device)
    _match(a.n, b.n)
    return a, b


def _match(n: int, other: int, a: str = "The first", b: str = "the second") -> None:
    if n != other:
        raise InputError(f"{a} has {n} rows and {b} has {other}.", "Row i must be the same item in both.")


def _sizes(n: int, max_k: int | None) -> np.ndarray:
    if max_k is None and n > LIMIT:
        raise InputError(f"All neighbourhood sizes of {n} rows are too many to compute.", f"Give max_k, for example max_k=1000, or at most {LIMIT} rows.")
    return np.arange(1, (whole(n, 4, 2**31, "rows") - 2 if max_k is None else whole(max_k, 1, n - 2, "neighbours (max_k)")) + 1)


def _share(level) -> float:
    if not isinstance(level, numbers.Real) or not 0 < level < 1:
        raise InputError(f"A band of level {level!r} was asked for.", "Give a share between 0 and 1, for example 0.95.")
    return float(level)


def _told(a, b) -> dict:
    """The options that hold for both sides, or the two; one seed where that of b is one more, as it is unless Ranks came."""
    found = {}
    for name in ("metric", "seed", "device", "ties"):
        mine, other = a.options.get(name), b.options.get(name)
        follows = mine + 1 if name == "seed" and mine is not None else mine
        found[name] = mine if other == follows else [mine, other]
    return found


def _warnings(a, b) -> tuple[str, ...]:
    return tuple(f"In the {which} representation {_repeated(side)}" for which, side in (("first", a), ("second", b)) if _many(side))


def _many(side) -> bool:
    return side.duplicates > MANY


def _repeated(side) -> str:
    return f"{100 * side.duplicates:.3g} % of the rows equal another; equal distances are put in random order, which lowers the agreement at small k."
