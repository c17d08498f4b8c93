"""Sensitivity: how far a transform moves a representation, over how far random items lie apart. 0 = it ignores the transform, 1 = it makes another item of it.

sens = mean |f(x_i) - f(x'_i)| / mean |f(x_i) - f(x_p(i))|, where x_i and x'_i differ only in the transform's draw, and p deals each item another one. The
items are taken in a random order and each is compared with the next, the last with the first: p has no fixed points, and one row is all that is kept.
"""

import numbers
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from analysis.errors import InputError
from analysis.metrics.ranking import Progress, as_read, sound_seed, whole
from analysis.metrics.result import plain, tuples

LEVEL = 0.95
RESAMPLES = 1000
AT_ONCE = 256  # items embedded at once
ROUNDING = 4  # random items that lie no further apart than so many rounding errors of their rows are the same
SMALL = 1e-280  # squares below this have lost digits
MANY = 100_000
NAN = float("nan")


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """One representation under one transform. Value and interval are NaN where there is none, and then `reason` says why.

    low, high  where the value lies in `level` of all resamples of the pairs
    matched    (n,) how far the two sides of each pair lie apart; random: how far its first side lies from that of pair `partner`
    """

    value: float
    low: float
    high: float
    n: int
    seed: int
    level: float
    matched: np.ndarray
    random: np.ndarray
    partner: np.ndarray
    reason: str = ""
    options: Mapping = field(default_factory=dict)

    def table(self):
        """One line per pair; `relative` is in units of the mean distance of random ones."""
        import pandas as pd
        relative = self.matched / (NAN if self.reason else self.random.mean(dtype=np.float64))
        columns = {"pair": np.arange(self.n), "partner": self.partner, "matched": self.matched, "random": self.random, "relative": relative}
        return pd.DataFrame(columns)

    def manifest(self) -> dict:
        said = {name: getattr(self, name) for name in ("value", "low", "high", "n", "seed", "level")}
        means = {name: float(getattr(self, name).mean(dtype=np.float64)) for name in ("matched", "random")}
        return plain({**said, **means, "reason": self.reason, "options": dict(self.options)})


@dataclass(frozen=True, eq=False)
class Profile:
    """One model: layers under transforms, (transforms, layers[, n]); NaN where a number is not there yet, or where `reasons` says why it cannot be.

    families         of the transforms
    value, low, high as in Sensitivity
    matched, random  (transforms, layers, n) distances; partner: (n,), the same for all
    idle             (transforms,) share of the pairs whose two sides are equal, bit for bit
    reasons          "transform · layer" -> why it has no value
    """

    model: str
    data: str
    transforms: tuple
    families: tuple
    layers: tuple
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    matched: np.ndarray
    random: np.ndarray
    partner: np.ndarray
    idle: np.ndarray
    n: int
    reasons: Mapping = field(default_factory=dict)
    warnings: tuple = ()
    options: Mapping = field(default_factory=dict)

    def __post_init__(self):
        tuples(self, "transforms", "families", "layers", "warnings")

    @property
    def final(self) -> bool:
        """Whether every transform has been looked at."""
        return not np.isnan(self.idle).any()

    def reason(self, transform: str, layer: str) -> str:
        """Why there is no value, "" where there is one."""
        return self.reasons.get(cell(transform, layer), "")

    def row(self, transform: str, layer: str | None = None) -> Sensitivity:
        """One transform at one layer, the last where none is named."""
        layer = layer or self.layers[-1]
        for name, known, what in ((transform, self.transforms, "transform"), (layer, self.layers, "layer")):
            if name not in known:
                raise InputError(f"There is no {what} {name!r} in this profile.", f"It has {', '.join(known)}.")
        at = self.transforms.index(transform), self.layers.index(layer)
        values = (float(getattr(self, name)[at]) for name in ("value", "low", "high"))
        reason = self.reason(transform, layer) or ("It is not computed yet." if np.isnan(self.idle[at[0]]) else "")
        return Sensitivity(*values, self.n, self.options.get("seed", 0), self.options.get("level", LEVEL), self.matched[at], self.random[at], self.partner,
                           reason, self.options)

    def table(self):
        """One line per transform and layer."""
        import pandas as pd
        each, times = len(self.layers), len(self.transforms)
        columns = {"transform": np.repeat(self.transforms, each), "family": np.repeat(self.families, each), "layer": np.tile(self.layers, times)}
        values = {name: getattr(self, name).ravel() for name in ("value", "low", "high")}
        means = {name: getattr(self, name).mean(axis=2, dtype=np.float64).ravel() for name in ("matched", "random")}
        why = [self.reason(t, layer) for t in self.transforms for layer in self.layers]
        return pd.DataFrame({**columns, **values, **means, "idle": np.repeat(self.idle, each), "n": self.n, "reason": why})

    def manifest(self) -> dict:
        lists = {name: list(getattr(self, name)) for name in ("transforms", "families", "layers", "warnings")}
        arrays = {name: plain(getattr(self, name).tolist()) for name in ("value", "low", "high", "idle")}
        return {"model": self.model, "data": self.data, **lists, **arrays, "n": self.n, "reasons": dict(self.reasons), "options": dict(self.options)}


def cell(transform: str, layer: str) -> str:
    """The key of one cell of a profile in its reasons."""
    return f"{transform} · {layer}"


# measuring

def ratio(x, x_transformed, *, seed: int = 0) -> float:
    """The sensitivity of representations that are there already: rows of the items, and of the same items transformed, both (n, d)."""
    return measure(lambda rows: rows, (_table(x, "x"), _table(x_transformed, "x_transformed")), seed=seed, resamples=0).value


def measure(embed: Callable, pairs, *, seed: int = 0, level: float = LEVEL, resamples: int = RESAMPLES, batch: int = AT_ONCE,
            progress: Progress | None = None) -> Sensitivity:
    """How sensitive a representation is to what tells the two sides of each pair apart.

    embed      items -> (n, d) rows, numpy or torch. It is run once per item and side, on up to `batch` items at once; its rows are let go at once
    pairs      (x, x') of equal length, arrays or tuples of texts: taken in a random order, drawn from the seed;
               or an iterable of such batches, taken as they come: each item is compared with the next, so they should come in random order
    resamples  of the interval: blocks of successive pairs are redrawn, since neighbours share an item; 0 for none
    progress   called with (done, total, note); may raise to stop
    """
    how = {"seed": seed, "level": level, "resamples": resamples, "batch": batch, "progress": progress}
    found = layers(lambda items: {"": embed(items)}, pairs, **how)[""]
    if found.reason:
        raise InputError(found.reason, "Choose a representation that differs between these items, or other items.")
    return found


def layers(embed: Callable, pairs, *, seed: int = 0, level: float = LEVEL, resamples: int = RESAMPLES, batch: int = AT_ONCE,
           progress: Progress | None = None) -> dict[str, Sensitivity]:
    """The same for several layers in one pass: embed gives a mapping of layer -> (n, d). A constant layer has a NaN and its reason."""
    seed, resamples, batch = sound_seed(seed), whole(resamples, 0, MANY, "resamples"), whole(batch, 1, MANY, "items at once")
    if isinstance(level, bool) or not isinstance(level, numbers.Real) or not 0 < level < 1:
        raise InputError(f"An interval of level {level!r} was asked for.", "Give a share between 0 and 1, for example 0.95.")
    total, parts = _stream(pairs, seed, batch)
    kept, order, n = {}, [], 0
    for rows, *sides in parts:
        if progress:
            progress(n, total or n, "comparing pairs")
        mine, other = (_states(embed(items), rows) for items in sides)
        if not order:
            kept = {layer: _Apart(layer) for layer in mine}
        if not mine.keys() == other.keys() == kept.keys():
            raise InputError(f"The layers differ from batch to batch: {', '.join(kept)} first, then {', '.join(mine)} and {', '.join(other)}.",
                             "Embed every item into the same layers.")
        for layer, apart in kept.items():
            apart.add(mine[layer], other[layer])
        order.append(rows)
        n += len(rows)
    if n < 2:
        raise InputError(f"There {'is 1 pair' if n else 'are no pairs'}: each item needs another one to be compared with.",
                         "Give at least 2 pairs; 2000 are usual.")
    if progress:
        progress(n, n, "comparing pairs")
    order = np.concatenate(order)
    redrawn = _Redrawn(n, resamples, level, seed)
    return {layer: apart.result(order, redrawn, {"resamples": resamples}) for layer, apart in kept.items()}


def _stream(pairs, seed: int, batch: int) -> tuple[int | None, Iterator]:
    """(number of pairs where known, batches of (their numbers, first sides, second sides))"""
    if not isinstance(pairs, (tuple, list)) or len(pairs) != 2 or any(map(_is_batch, pairs)):
        return None, _given(pairs)
    n, other = map(_length, pairs)
    if n != other:
        raise InputError(f"{n} items and {other} transformed ones were given.", "Give one transformed item for each item, in the same order.")
    order = np.random.default_rng(seed).permutation(n)
    return n, ((rows, *(_take(side, rows) for side in pairs)) for rows in np.split(order, range(batch, n, batch)) if n)


def _given(batches) -> Iterator:
    hint = "Give (x, x') as a tuple, or an iterable of such tuples."
    if not hasattr(batches, "__iter__") or isinstance(batches, (str, bytes, Mapping)):
        raise InputError(f"Pairs cannot be read from {type(batches).__name__}.", hint)
    done = 0
    for part in batches:
        if not _is_batch(part) or _length(part[0]) != _length(part[1]):
            raise InputError(f"The batch that begins with pair {done} is not two sides of equal length.", hint)
        n = _length(part[0])
        if n:
            yield np.arange(done, done + n), *part
        done += n


def _is_batch(part) -> bool:
    """Two sides, rather than one side of two items."""
    return isinstance(part, (tuple, list)) and len(part) == 2 and not any(isinstance(side, (str, numbers.Number)) for side in part)


def _length(side) -> int:
    if isinstance(side, (str, bytes, Mapping)) or not hasattr(side, "__len__") or not getattr(side, "shape", True):
        raise InputError(f"One side of the pairs is {type(side).__name__}.", "Give an array with one item per row, or a tuple of texts.")
    return len(side)


def _take(side, rows: np.ndarray):
    return side[rows] if hasattr(side, "shape") else tuple(side[i] for i in rows)


# distances

class _Apart:
    """The distances of one layer; of its rows only the first and the last are kept."""

    def __init__(self, layer: str):
        self.layer, self.matched, self.random = layer, [], []
        self.first = self.last = None
        self.norm = self.error = 0.0

    def add(self, mine: tuple, other: tuple) -> None:
        (a, error), (b, _) = mine, other
        width = a.shape[1] if self.first is None else self.first.shape[1]
        if not a.shape[1] == b.shape[1] == width:
            raise InputError(f"{_called(self.layer)} is {width} wide, then {a.shape[1]} and {b.shape[1]}.", "Embed every item into rows of one width.")
        if self.first is None:
            self.first = a[:1].copy()
        else:
            self.random.append(_distances(self.last, a[:1]))
        self.last = a[-1:].copy()
        self.random.append(_distances(a[:-1], a[1:]))
        self.matched.append(_distances(a, b))
        self.norm = max(self.norm, float(_distances(a, np.zeros((1, width))).max()))
        self.error = max(self.error, error)

    def result(self, order: np.ndarray, redrawn: "_Redrawn", options: dict) -> Sensitivity:
        matched, random, n = np.concatenate(self.matched), np.concatenate([*self.random, _distances(self.last, self.first)]), len(order)
        with np.errstate(over="ignore"):
            measurable = np.isfinite(matched.sum() + random.sum())
        if not measurable:
            raise InputError(f"{_called(self.layer)} holds numbers too large to take distances of.", "Scale it down: the sensitivity stays the same.")
        reason = ""
        if random.mean() <= ROUNDING * self.error * self.norm:
            reason = f"{_called(self.layer)} is constant: random items lie no further apart than rounding, and the sensitivity would be 0/0."
        value, *interval = (NAN,) * 3 if reason else (float(matched.mean() / random.mean()), *redrawn.interval(matched, random))
        partner = np.empty(n, np.int64)
        partner[order] = np.roll(order, -1)
        place = order.argsort()
        return Sensitivity(value, *interval, n, redrawn.seed, redrawn.level, matched[place], random[place], partner, reason, options)


def _distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore", invalid="ignore"):
        gap = a - b
        squares = np.einsum("ij,ij->i", gap, gap)
        found, odd = np.sqrt(squares), ~((squares > SMALL) & np.isfinite(squares))
        found[odd] = np.hypot.reduce(gap[odd], axis=1)
    return found


class _Redrawn:
    """The interval of a ratio of means. Successive random distances share an item, so that blocks of successive pairs are redrawn, closed to a ring."""

    def __init__(self, n: int, resamples: int, level: float, seed: int):
        self.level, self.seed, self.length = level, seed, max(1, round(n ** (1 / 3)))
        self.starts = np.random.default_rng([seed, 1]).integers(n, size=(resamples, max(1, round(n / self.length))))

    def interval(self, matched: np.ndarray, random: np.ndarray) -> tuple[float, float]:
        """NaN where no resample has a random distance."""
        above, below = (sum(np.roll(x, -i) for i in range(self.length))[self.starts].sum(axis=1) for x in (matched, random))
        draws = above[below > 0] / below[below > 0]
        if not len(draws):
            return NAN, NAN
        low, high = np.quantile(draws, [(1 - self.level) / 2, (1 + self.level) / 2])
        return float(low), float(high)


# what embed gives

def _states(found, rows: np.ndarray) -> dict[str, tuple]:
    """layer -> (rows in double precision, the relative error of rounding that they came with)"""
    if not isinstance(found, Mapping) or not found:
        raise InputError(f"The embedding gives {type(found).__name__}, not a mapping of layers.", "Return {layer: rows}, or use `measure` for one layer.")
    states = {}
    for layer, x in found.items():
        x = _table(x, _called(layer))
        if len(x) != len(rows):
            raise InputError(f"{_called(layer)} has {len(x)} rows for {len(rows)} items.", "Embed each item into one row.")
        bad = ~np.isfinite(x).all(axis=1)
        if bad.any():
            raise InputError(f"{_called(layer)} holds NaN or infinite values for {bad.sum()} of {len(rows)} items, among them item {rows[bad][0]}.",
                             "Choose another layer, or leave those items out.")
        states[layer] = x.astype(np.float64, copy=False), _error(x)
    return states


def _error(x: np.ndarray) -> float:
    """The relative error of rounding; single precision is known in double clothes."""
    if x.dtype.kind != "f":
        return 0.0
    with np.errstate(over="ignore"):
        single = x.dtype == np.float64 and (x.astype(np.float32) == x).all()
    return float(np.finfo(np.float32 if single else x.dtype).eps)


def _table(x, called: str) -> np.ndarray:
    """(n, d), in its own precision."""
    hint = "Give one row of numbers per item, (n, d)."
    x = as_read(x, f"{called} cannot be read as one table; its rows differ in length.", hint)
    if x.ndim != 2 or not x.shape[1] or x.dtype.kind not in "fiub":
        raise InputError(f"{called} has shape {x.shape} and type {x.dtype}.", hint)
    return x


def _called(layer: str) -> str:
    return f"The layer {layer!r}" if layer else "The embedding"
