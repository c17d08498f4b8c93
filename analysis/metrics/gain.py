"""Gain: what other sources, added to some items of a target, do to the accuracy on the rest of it. The truth that scores are judged by.

A split draws the target's training part; the rest is tested. The same split serves the target alone and every blend of sources, so that their difference is
paired. An interval is about the draw of the training part; another set of target items is another question.
"""

import numbers
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from itertools import combinations
from operator import add
from zlib import crc32

import numpy as np

from analysis.errors import InputError
from analysis.metrics import probe as probes
from analysis.metrics.ranking import sound_seed, to_numpy, whole
from analysis.metrics.result import plain, tuples
from analysis.metrics.statistics import mean_interval

PROBES = ("ridge", "logistic")
MOST = 6  # sources of which every blend is made
SAME = 1e-5  # of the target's spread: rows that differ by less are copies, but for rounding
OFFSET = 0.01  # of a column's offset counts as spread: single precision keeps no more of it
Progress = Callable[[int, int, str], None]
Blend = tuple[str, ...]


def blends(names: Iterable[str]) -> tuple[Blend, ...]:
    """Every non-empty choice of up to six sources, small ones first."""
    names = tuple(map(str, names))
    if len(set(names)) < len(names):
        raise InputError(f"Two of the sources {', '.join(names)} share a name.", "Give each its own.")
    if len(names) > MOST:
        raise InputError(f"{len(names)} sources have {2**len(names) - 1} blends.", f"Choose up to {MOST} sources, or name the blends.")
    return tuple(blend for size in range(1, len(names) + 1) for blend in combinations(names, size))


@dataclass(frozen=True, eq=False)
class Gains:
    """Accuracy on the target with and without sources, over the splits done so far.

    blends      what was added: tuples of `names`
    base        (splits,) accuracy with the target alone; accuracy: (blends, splits) with the blend
    per_class   (1 + blends, classes, splits) share of each class that is recognised, first with the target alone; NaN where none of it was tested
    confusion   (1 + blends, classes, classes) true by predicted class, summed over splits
    kept        blends of which is kept what each target item was taken for, over the splits in which it was tested: `before` (items, classes) counts with
                the target alone, `after` (kept, items, classes) with the blend; empty when none is
    labels      (items,) classes of the target's items
    n_sources   rows used of each source; tested: items tested in each split
    """

    names: tuple
    blends: tuple
    base: np.ndarray
    accuracy: np.ndarray
    per_class: np.ndarray
    confusion: np.ndarray
    labels: np.ndarray
    kept: tuple
    before: np.ndarray
    after: np.ndarray
    n_target: int
    n_sources: tuple
    budget: int
    tested: int
    classes: int
    seeds: int
    warnings: tuple = ()
    options: Mapping = field(default_factory=dict)

    def __post_init__(self):
        tuples(self, "names", "n_sources", "warnings")
        for name in ("blends", "kept"):
            object.__setattr__(self, name, tuple(map(tuple, getattr(self, name))))

    @property
    def done(self) -> int:
        """Splits so far."""
        return len(self.base)

    def delta(self) -> np.ndarray:
        """(blends, splits) accuracy with the blend, less that with the target alone."""
        return self.accuracy - self.base

    def gain(self, blend) -> np.ndarray:
        """(splits,) the same for one blend, given as names in any order; that of none is 0."""
        at = self._at(blend)
        return self.accuracy[at - 1] - self.base if at else np.zeros(self.done)

    def interval(self, blend) -> tuple[float, float, float]:
        """(mean, low, high) of the gain."""
        return mean_interval(self.gain(blend))

    def negative(self, blend) -> bool:
        """Negative transfer: the interval of the gain lies below 0."""
        return bool(self.interval(blend)[2] < 0)

    def class_gain(self, blend) -> np.ndarray:
        """(classes, splits) what the blend does to the share of each class that is recognised."""
        return self.per_class[self._at(blend)] - self.per_class[0]

    def confused(self, blend) -> np.ndarray:
        """(classes, classes) how many more items of the one class are taken for the other with the blend, over all splits."""
        return self.confusion[self._at(blend)] - self.confusion[0]

    def turned(self, blend) -> np.ndarray:
        """(items,) how much more often each target item is recognised with a blend that is kept: from -1 to 1, NaN where it was never tested."""
        own = frozenset(_blend(blend))
        at = next((i for i, kept in enumerate(self.kept) if frozenset(kept) == own), None)
        if at is None:
            raise InputError(f"What became of each item is not kept for {title(_blend(blend))}.", "Name the blend in keep when measuring.")
        items, times = np.arange(len(self.labels)), self.before.sum(axis=1)
        more = (self.after[at] - self.before)[items, self.labels]
        return np.divide(more, times, where=times > 0, out=np.full(len(items), np.nan))

    def table(self):
        """One line per blend, the target alone first."""
        import pandas as pd
        entries = (), *self.blends
        gains = dict(zip(("gain", "low", "high"), np.array([self.interval(blend) for blend in entries]).T, strict=True))
        accuracy = np.vstack([self.base, self.accuracy]).mean(axis=1)
        return pd.DataFrame({"blend": [title(blend) for blend in entries], "sources": [len(blend) for blend in entries], "accuracy": accuracy, **gains,
                             "negative": [self.negative(blend) for blend in entries]})

    def manifest(self) -> dict:
        arrays = {name: plain(getattr(self, name).tolist()) for name in ("base", "accuracy", "per_class", "confusion")}
        lines = [{name: plain(value) for name, value in line.items()} for line in self.table().to_dict("records")]
        return {"names": list(self.names), "blends": [list(blend) for blend in self.blends], "gains": lines, **arrays, "n_target": self.n_target,
                "n_sources": list(self.n_sources), "budget": self.budget, "tested": self.tested, "classes": self.classes, "done": self.done,
                "seeds": self.seeds, "warnings": list(self.warnings), "options": dict(self.options)}

    def _at(self, blend) -> int:
        """Its place in what begins with the target alone."""
        own = frozenset(_blend(blend))
        for at, measured in enumerate(((), *self.blends)):
            if frozenset(measured) == own:
                return at
        raise InputError(f"The gain of {title(_blend(blend))} is not measured.", f"There are: {', '.join(map(title, self.blends)) or 'none'}.")


@dataclass(frozen=True, eq=False)
class Curve:
    """Accuracy over the number of target items trained on, without sources (`base`) and with all of them, both (budgets, splits)."""

    names: tuple
    budgets: np.ndarray
    base: np.ndarray
    accuracy: np.ndarray
    n_target: int
    n_sources: tuple
    tested: int
    seeds: int
    warnings: tuple = ()
    options: Mapping = field(default_factory=dict)

    def __post_init__(self):
        tuples(self, "names", "n_sources", "warnings")

    @property
    def done(self) -> int:
        """Splits so far."""
        return self.base.shape[1]

    def delta(self) -> np.ndarray:
        """(budgets, splits) accuracy with the sources, less that without."""
        return self.accuracy - self.base

    def intervals(self, of: str = "delta") -> np.ndarray:
        """(budgets, 3) mean, low and high of "base", "accuracy" or "delta"."""
        values = self.delta() if of == "delta" else getattr(self, of)
        return np.array([mean_interval(row) for row in values])

    def table(self):
        """One line per number of target items."""
        import pandas as pd
        gains = dict(zip(("gain", "low", "high"), self.intervals().T, strict=True))
        return pd.DataFrame({"target": self.budgets, "base": self.base.mean(axis=1), "accuracy": self.accuracy.mean(axis=1), **gains})

    def manifest(self) -> dict:
        arrays = {name: getattr(self, name).tolist() for name in ("budgets", "base", "accuracy")}
        return {"names": list(self.names), **arrays, "n_target": self.n_target, "n_sources": list(self.n_sources), "tested": self.tested, "done": self.done,
                "seeds": self.seeds, "warnings": list(self.warnings), "options": dict(self.options)}


def title(blend: Blend) -> str:
    return " + ".join(blend) or "target alone"


# measuring

def measure(target, sources: Mapping, *, target_labels, source_labels: Mapping, budget: int, target_ids: Sequence | None = None,
            source_ids: Mapping | None = None, seeds: int = 10, tested: int | None = None, weights: Mapping | None = None, limit: Mapping | None = None,
            without: Mapping | None = None, probe: str = "ridge", blends: Iterable | None = None, keep: Iterable = (), seed: int = 0,
            progress: Progress | None = None) -> Iterator[Gains]:
    """The gain of each blend of sources, (n, d) arrays by name, for a target of which `budget` items are trained on. Yields after each of `seeds` splits.

    *_labels  class numbers from 0, the same on all sides; items of a class that the target lacks are left out
    *_ids     names of the items: a split depends on them and the seed, not on the order of the rows; row numbers unless given. Source items that go by the
              id of a tested one, or are the same row but for rounding, are left out of that split
    tested    items tested in each split; unless given, all that are not trained on, or half of all where a source has other pictures of the same items
    weights   of the items of a source, that of the target's being 1; 0 is as good as without it
    limit     items used of a source, drawn anew for each split
    without   classes of a source that are left out
    blends    which are measured: all unless given; keep: those of which is kept what each target item was taken for
    progress  called with (done, total, note); may raise to stop
    """
    bench = _Bench(target, sources, target_labels, source_labels, target_ids, source_ids, weights, limit, without, probe, seed)
    chosen = _chosen(bench.names, blends)
    kept = _chosen(bench.names, keep)
    if not set(kept) <= set(chosen):
        raise InputError(f"{title(next(k for k in kept if k not in chosen))} is to be kept but not measured.", "Name it in blends too.")
    budgets, tested, seeds = bench.sizes([budget], tested, seeds)
    return _measured(bench, chosen, kept, budgets[0], tested, seeds, progress or _silent)


def curve(target, sources: Mapping, budgets: Sequence[int], *, target_labels, source_labels: Mapping, target_ids: Sequence | None = None,
          source_ids: Mapping | None = None, seeds: int = 10, tested: int | None = None, weights: Mapping | None = None, limit: Mapping | None = None,
          without: Mapping | None = None, probe: str = "ridge", seed: int = 0, progress: Progress | None = None) -> Iterator[Curve]:
    """Accuracy at several numbers of target items, with all the sources and without. In a split the smaller training parts lie in the larger ones, and the
    tested items are the same. Options as for `measure`. Yields after each split."""
    bench = _Bench(target, sources, target_labels, source_labels, target_ids, source_ids, weights, limit, without, probe, seed)
    budgets, tested, seeds = bench.sizes(budgets, tested, seeds)
    return _curved(bench, budgets, tested, seeds, progress or _silent)


def _measured(bench: "_Bench", chosen: tuple, kept: tuple, budget: int, tested: int, seeds: int, progress: Progress) -> Iterator[Gains]:
    entries, classes, n = ((), *chosen), bench.classes, len(bench.target)
    confusion = np.zeros((seeds, len(entries), classes, classes), np.int64)
    taken = np.zeros((1 + len(kept) if kept else 0, n, classes), np.int64)
    for split in range(seeds):
        (train,), test = bench.split(split, [budget], tested)
        own, pools, truth = bench.own(train), bench.pools(split, test), bench.target.y[test]
        for at, blend in enumerate(entries):
            progress(split * len(entries) + at, seeds * len(entries), f"split {split + 1} of {seeds}: {title(blend)}")
            predicted = bench.predicted(test, own, [pools[name] for name in blend])
            confusion[split, at] = np.bincount(truth * classes + predicted, minlength=classes**2).reshape(classes, classes)
            if kept and (not blend or blend in kept):
                taken[kept.index(blend) + 1 if blend else 0, bench.target.place[test], predicted] += 1
        seen = confusion[:split + 1].astype(float)
        accuracy = (seen.trace(axis1=2, axis2=3) / tested).T
        counts = seen.sum(axis=3)
        recall = np.divide(seen.diagonal(axis1=2, axis2=3), counts, where=counts > 0, out=np.full(counts.shape, np.nan))
        if split == seeds - 1:
            progress(seeds * len(entries), seeds * len(entries), "done")
        yield Gains(bench.names, chosen, accuracy[0], accuracy[1:], recall.transpose(1, 2, 0), confusion.sum(axis=0), bench.labels, kept,
                    taken[0].copy() if kept else np.zeros((0, classes), np.int64), taken[1:].copy(), n, bench.used(), budget, tested, classes, seeds,
                    bench.told(), {**bench.options, "tested": tested})


def _curved(bench: "_Bench", budgets: list[int], tested: int, seeds: int, progress: Progress) -> Iterator[Curve]:
    found = np.empty((2, len(budgets), seeds))
    for split in range(seeds):
        trains, test = bench.split(split, budgets, tested)
        pools = list(bench.pools(split, test).values())
        for at, train in enumerate(trains):
            progress(split * len(budgets) + at, seeds * len(budgets), f"split {split + 1} of {seeds}: {budgets[at]} target items")
            for side, added in enumerate(([], pools)):
                found[side, at, split] = (bench.predicted(test, bench.own(train), added) == bench.target.y[test]).mean()
        if split == seeds - 1:
            progress(seeds * len(budgets), seeds * len(budgets), "done")
        base, accuracy = found[:, :, :split + 1].copy()
        yield Curve(bench.names, np.array(budgets), base, accuracy, len(bench.target), bench.used(), tested, seeds, bench.told(),
                    {**bench.options, "tested": tested})


class _Side:
    """The items of a target or a source in the order of their ids, about an origin near the target."""

    def __init__(self, name: str, x, labels, ids):
        self.name, self.x = name, probes.rows(x, f"The rows of {name}")
        n, labels = len(self.x), to_numpy(labels)
        if labels.shape != (n,) or labels.dtype.kind not in "iu" or labels.min() < 0:
            raise InputError(f"The labels of {name}, {labels.dtype} of shape {labels.shape}, are not one class number from 0 for each of {n} rows.",
                             "Number the classes alike on all sides.")
        names = np.arange(n) if ids is None else np.asarray([str(i) for i in ids])
        if len(names) != n or len(np.unique(names)) < n:
            raise InputError(f"{len(names)} ids of {name} do not name {n} rows one by one.", "Give each row an id of its own.")
        self.place = np.argsort(names)
        self.x, self.y = self.x[self.place], labels[self.place].astype(np.int64)
        self.ids = [] if ids is None else names[self.place].tolist()

    def __len__(self) -> int:
        return len(self.x)

    def keep(self, rows: np.ndarray) -> None:
        self.x, self.y, self.place = self.x[rows], self.y[rows], self.place[rows]
        self.ids = [self.ids[i] for i in np.flatnonzero(rows) if self.ids]


class _Copies:
    """Which rows are the target's, but for rounding. Rows near each other are near along any direction: only those are compared.

    group  for each row of the target the number of one row that stands for all its copies
    """

    def __init__(self, x: np.ndarray, offset: np.ndarray):
        self.scale = np.hypot(x.std(axis=0), OFFSET * offset)
        self.scale[self.scale == 0] = self.scale.mean()
        line = np.random.default_rng(0).normal(size=x.shape[1])
        self.line = line / np.linalg.norm(line)
        self.width = 1.01 * SAME * np.sqrt(x.shape[1])
        place = (x / self.scale) @ self.line
        self.order = np.argsort(place, kind="stable")
        self.x, self.place = x[self.order] / self.scale, place[self.order]
        later = self._first(self.x, np.arange(1, len(x) + 1), np.searchsorted(self.place, self.place + self.width))
        self.group = np.arange(len(x))
        for i in np.flatnonzero(later >= 0)[::-1]:
            self.group[self.order[i]] = self.group[self.order[later[i]]]

    def of(self, x: np.ndarray) -> np.ndarray:
        """The group of which each row is a copy; -1 for other rows."""
        x = x / self.scale
        place = x @ self.line
        found = self._first(x, np.searchsorted(self.place, place - self.width), np.searchsorted(self.place, place + self.width))
        return np.where(found < 0, -1, self.group[self.order[found]])

    def _first(self, x: np.ndarray, at: np.ndarray, end: np.ndarray) -> np.ndarray:
        """For each row the first copy of it among the target's from place `at` to `end`; -1 without one."""
        found, left = np.full(len(x), -1), np.flatnonzero(at < end)
        while len(left):
            near = ((x[left] - self.x[at[left]])**2).mean(axis=1) <= SAME**2
            found[left[near]] = at[left[near]]
            at[left] += 1
            left = left[~near & (at[left] < end[left])]
        return found


class _Pool:
    """Rows that are trained on, and their moments. copies: of which group of the target's rows each is a copy, or -1."""

    def __init__(self, x: np.ndarray, y: np.ndarray, copies: np.ndarray, weight: float, classes: int):
        self.x, self.y, self.copies, self.weight, self.classes = x, y, copies, weight, classes

    @cached_property
    def moments(self) -> probes.Moments:
        return probes.moments(self.x, self.y, self.classes) * self.weight


class _Bench:
    """Everything a measurement holds on to: sound data, the splits, and the probe."""

    def __init__(self, target, sources, target_labels, source_labels, target_ids, source_ids, weights, limit, without, probe: str, seed: int):
        if probe not in PROBES:
            raise InputError(f"Unknown probe {probe!r}.", f"Use one of {', '.join(PROBES)}.")
        if not isinstance(sources, Mapping) or not isinstance(source_labels, Mapping) or set(sources) != set(source_labels):
            raise InputError("Sources and their labels are not given under the same names.", "Give two mappings from the names of the sources.")
        self.names, self.probe, self.seed = tuple(sources), probe, sound_seed(seed)
        given = {"weights": weights or {}, "limit": limit or {}, "without": without or {}, "source_ids": source_ids or {}}
        for option, values in given.items():
            if not isinstance(values, Mapping):
                raise InputError(f"{values!r} was given as {option}.", "Give a mapping from the names of the sources.")
            if unknown := set(values) - set(self.names):
                raise InputError(f"{unknown.pop()!r}, named in {option}, is no source.", f"There are: {', '.join(self.names) or 'none'}.")
        self.target = _Side("the target", target, target_labels, target_ids)
        self.labels = np.empty_like(self.target.y)
        self.labels[self.target.place] = self.target.y
        self.classes, self.sizes_of = int(self.target.y.max()) + 1, np.bincount(self.target.y)
        if (self.sizes_of > 1).sum() < 2:
            raise InputError(f"Of the target's classes, those with two items or more number {(self.sizes_of > 1).sum()}.",
                             "It takes two such classes: one item of each is trained on and one is tested.")
        if (self.target.x == self.target.x[0]).all():
            raise InputError("All rows of the target are the same.", "There is nothing to read off them: choose another layer.")
        self.origin, self.notes = self.target.x.mean(axis=0), []
        self.weights = {name: _weight(given["weights"].get(name, 1), name) for name in self.names}
        self.limit = {name: whole(value, 1, 2**31, f"items of {name} (limit)") for name, value in given["limit"].items()}
        self.without = {name: [whole(c, 0, 2**31, f"as a class of {name} (without)") for c in _listed(values, f"classes of {name} (without)")]
                        for name, values in given["without"].items()}
        self.sources = {name: self._source(name, sources[name], source_labels[name], given["source_ids"].get(name)) for name in self.names}
        self.target.x = self.target.x - self.origin
        self.alike = False  # whether a source shows items of the target in another way
        copies = _Copies(self.target.x, self.origin)
        self.group, self.copies = copies.group, {name: copies.of(side.x) for name, side in self.sources.items()}
        self.twins = self._twins()
        self.whole = {name: _Pool(side.x, side.y, self.copies[name], self.weights[name], self.classes) for name, side in self.sources.items()}
        self.options = {"probe": probe, "seed": self.seed, "weights": {n: w for n, w in self.weights.items() if w != 1}, "limit": self.limit,
                        "without": self.without}

    def _source(self, name: str, x, labels, ids) -> _Side:
        side = _Side(f"source {name!r}", x, labels, ids)
        if side.x.shape[1] != self.target.x.shape[1]:
            raise InputError(f"The target has {self.target.x.shape[1]} columns and source {name!r} has {side.x.shape[1]}.", "Give the same layer of one model.")
        known = (side.y < self.classes) & (self.sizes_of[np.minimum(side.y, self.classes - 1)] > 0)
        if not known.all():
            self.notes.append(f"Source {name!r}: {(~known).sum()} of {len(known)} items are left out, as the target has no item of their class.")
        left = known & ~np.isin(side.y, self.without.get(name, []))
        if not left.any():
            raise InputError(f"Source {name!r} has no item left of a class of the target.", "Leave the source out, or fewer of its classes.")
        side.keep(left)
        side.x = side.x - self.origin
        return side

    def _twins(self) -> dict[str, np.ndarray]:
        """For the sources that hold items of the target again, as the same row or another picture of them: which target row each of theirs is, or -1."""
        twins, place = {}, {item: i for i, item in enumerate(self.target.ids)}
        again = len(self.group) - len(np.unique(self.group))
        self.copied = again > 0 or any((copies >= 0).any() for copies in self.copies.values())
        if again:
            self.notes.append(f"{again} rows of the target are copies of others; a copy may be trained on where the other is tested.")
        for name, side in self.sources.items():
            same = self.copies[name]
            alike = np.array([place.get(item, -1) for item in side.ids] or [-1] * len(side))
            self.alike |= bool(((same < 0) & (alike >= 0)).any())
            same = np.where(same < 0, self.group[alike] * (alike >= 0) - (alike < 0), same)
            if (same >= 0).any():
                twins[name] = same
                self.notes.append(f"Source {name!r}: {(same >= 0).sum()} of {len(same)} items are the target's too, and left out where those are tested.")
        return twins

    def sizes(self, budgets: Sequence[int], tested: int | None, seeds: int) -> tuple[list[int], int, int]:
        """Sound numbers of items to train on and to test, and of splits."""
        n, least = len(self.target), int((self.sizes_of > 1).sum())
        most = n - int((self.sizes_of > 0).sum())
        if not len(budgets):
            raise InputError("No number of target items to train on is given.", f"Give whole numbers from {least} to {most}.")
        budgets = sorted({whole(budget, least, most, "target items to train on (budget)") for budget in budgets})
        rest = n - budgets[-1]
        usual = min(rest, n // 2) if self.alike else rest  # such a source is left with what is not tested
        return budgets, usual if tested is None else whole(tested, 1, rest, "items to test"), whole(seeds, 1, 10_000, "splits (seeds)")

    def split(self, number: int, budgets: list[int], tested: int) -> tuple[list[np.ndarray], np.ndarray]:
        """([rows to train on at each budget], rows to test): each class in proportion, the smaller parts within the larger ones."""
        y, key = self.target.y, np.random.default_rng([self.seed, number]).permutation(len(self.target))
        train = _share(y, key, budgets[-1], self.sizes_of - 1)
        rest = np.setdiff1d(np.arange(len(y)), train)
        test, trains = rest[_share(y[rest], key[rest], tested, np.bincount(y[rest]), least=0)], [train]
        for budget in reversed(budgets[:-1]):
            train = train[_share(y[train], key[train], budget, np.bincount(y[train]))]
            trains.insert(0, train)
        return trains, test

    def pools(self, number: int, test: np.ndarray) -> dict[str, _Pool]:
        """What each source brings to a split."""
        found = {}
        for name, side in self.sources.items():
            rows = np.arange(len(side))
            if name in self.twins:
                rows = rows[~np.isin(self.twins[name], self.group[test])]
            if self.limit.get(name, len(rows)) < len(rows):
                key = np.random.default_rng([self.seed, number, crc32(name.encode())]).permutation(len(side))[rows]
                rows = rows[_share(side.y[rows], key, self.limit[name], np.bincount(side.y[rows]), least=0)]
            found[name] = self.whole[name] if len(rows) == len(side) else _Pool(
                side.x[rows], side.y[rows], self.copies[name][rows], self.weights[name], self.classes)
        return found

    def own(self, train: np.ndarray) -> _Pool:
        return _Pool(self.target.x[train], self.target.y[train], self.group[train], 1.0, self.classes)

    def predicted(self, test: np.ndarray, own: _Pool, pools: Sequence[_Pool]) -> np.ndarray:
        """Classes of the test rows by a probe of the target's own rows and the pools, its strength judged on the former."""
        pools, x = [own, *(pool for pool in pools if pool.weight)], self.target.x[test]
        if self.probe == "ridge":
            found = probes.solve(reduce(add, (pool.moments for pool in pools)), own.x, own.y, self.told_again(own, pools))
            return (x @ found.coefficients + found.intercept).argmax(axis=1)
        rows, labels, weights, copies = (np.concatenate(parts) for parts in zip(*((p.x, p.y, np.full(len(p.x), p.weight), p.copies) for p in pools),
                                                                                strict=True))
        groups = np.where(copies < 0, len(self.group) + np.arange(len(rows)), copies)
        found = probes.logistic(rows, labels, weights=weights, judged=np.arange(len(own.x)), groups=groups)
        self.notes += [note for note in found.warnings if note not in self.notes]
        return found.predict(x)

    def told_again(self, own: _Pool, pools: Sequence[_Pool]) -> np.ndarray | float:
        """The weight of each of the target's own rows with all its copies: what is left out together, for a copy would give the answer away."""
        if not self.copied:
            return 1.0
        weight = np.zeros(len(self.group))
        for pool in pools:
            np.add.at(weight, pool.copies[pool.copies >= 0], pool.weight)
        return weight[own.copies]

    def used(self) -> tuple[int, ...]:
        return tuple(min(len(side), self.limit.get(name, len(side))) for name, side in self.sources.items())

    def told(self) -> tuple[str, ...]:
        return tuple(self.notes)


def _share(y: np.ndarray, key: np.ndarray, count: int, most: np.ndarray, least: int = 1) -> np.ndarray:
    """`count` rows in their order, of each class in proportion, at least `least` and at most `most` of it where it has them; those with the lowest keys."""
    sizes = np.bincount(y, minlength=len(most))
    exact, floor = count * sizes / len(y), np.minimum(least, most).clip(0)
    quota = np.clip(np.floor(exact).astype(np.int64), floor, most.clip(0))
    first = np.full(len(sizes), len(y))
    np.minimum.at(first, y, np.argsort(np.argsort(key)))  # which class comes first where two have the same claim
    while (over := int(quota.sum()) - count) != 0:
        room = quota > floor if over > 0 else quota < most
        claim = np.where(room, np.sign(over) * (quota - exact), -np.inf)
        quota[np.lexsort((first, -claim))[0]] -= np.sign(over)
    order = np.lexsort((key, y))
    place = np.empty(len(y), np.int64)
    place[order] = np.arange(len(y)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.flatnonzero(place < quota[y])


# what goes in

def _chosen(names: Blend, chosen: Iterable | None) -> tuple[Blend, ...]:
    """Blends in the order of the sources, each once, all unless given; without that of none, which is always measured."""
    found = {}
    for blend in map(_blend, blends(names) if chosen is None else _listed(chosen, "a choice of blends")):
        if unknown := set(blend) - set(names):
            raise InputError(f"{unknown.pop()!r}, named in a blend, is no source.", f"There are: {', '.join(names) or 'none'}.")
        found[tuple(name for name in names if name in blend)] = None
    return tuple(blend for blend in found if blend)


def _blend(blend) -> Blend:
    return (blend,) if isinstance(blend, str) else _listed(blend, "names of the sources in a blend")


def _listed(values, what: str) -> tuple:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise InputError(f"{values!r} was given as {what}.", "Give a list.")
    return tuple(values)


def _weight(value, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 <= value < np.inf:
        raise InputError(f"Source {name!r} was given the weight {value!r}.", "Give a number from 0; 1 counts each item like one of the target.")
    return float(value)


def _silent(done: int, total: int, note: str) -> None:
    pass
