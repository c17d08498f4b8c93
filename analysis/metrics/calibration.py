"""Sources beside one another, on equal terms with what chance gives: halves of the target against each other are the null, halves against as many source items
the matched scores, and leaving out blocks of items the interval."""

import numbers
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

import numpy as np

from analysis.errors import InputError
from analysis.metrics.domain import FEWEST, Domain, domain, together, window
from analysis.metrics.fitting import Part, Scored, divergences, gauge, inside, opening, part, refitted, remarks, scored
from analysis.metrics.pairing import shared
from analysis.metrics.readings import Options
from analysis.metrics.result import plain

NEAREST = 5  # neighbours that vote on a label
ASKED = 2000  # items whose neighbours are looked up
ROOM = 4_000_000  # distances held at once
LEVEL = 0.95
Z = 1.96
BAD = 3  # times the top of the null band, from which on a source is called bad: ours
LOST = 0.75  # share of the target's own label agreement below which a source that is not known to be far is said to contradict its labels: ours


class Source(NamedTuple):
    """What one source came to; NaN, and "", while it is not known yet."""

    score: float
    mc_error: float
    matched: np.ndarray
    interval: tuple[float, float]
    matched_interval: tuple[float, float]
    verdict: str
    rank: int
    reason: str
    band: tuple[float, float]
    half: int


@dataclass(frozen=True, eq=False)
class SourceRanking:
    """Sources of one target, and the null they are judged by. Per source, NaN where it is not computed yet or could not be, and then `reasons` says why:

    scores, errors    at all items, and their Monte Carlo error
    null              (splits,) scores of one half of the target against the other, `half` items each
    nulls, halves     (sources, splits) and (sources,): the null that a source is judged by; that of fewer items where it has not so many
    matched_scores    (sources, splits) of `halves` items of the target against as many of the source: what its null is comparable with
    se                jackknife error over items
    per_transition    (sources, transitions) where they diverge
    centroid, gauge   distance of the means in the last layer, the plain baseline; and that over the target's spread in the very first
    own, borrowed     how often the 5 nearest other items of the target know an item's label, and how often the 5 nearest of the source do: both among the
                      classes that both have, by name, each class counting the same
    """

    names: tuple
    scores: np.ndarray
    errors: np.ndarray
    null: np.ndarray
    matched_scores: np.ndarray
    se: np.ndarray
    per_transition: np.ndarray
    centroid: np.ndarray
    gauge: np.ndarray
    own: np.ndarray
    borrowed: np.ndarray
    n_target: int
    n: np.ndarray
    half: int
    layers: tuple
    target: str = "target"
    reasons: tuple = ()
    final: bool = False
    warnings: tuple = ()
    options: Mapping = field(default_factory=dict)
    nulls: np.ndarray | None = None
    halves: np.ndarray | None = None

    def __post_init__(self):
        put, count = partial(object.__setattr__, self), len(self.names)
        for name in ("names", "layers", "reasons", "warnings"):
            put(name, tuple(getattr(self, name)))
        put("own", np.array(np.broadcast_to(self.own, count), np.float64))
        put("nulls", np.tile(self.null, (count, 1)) if self.nulls is None else self.nulls)
        put("halves", np.full(count, self.half) if self.halves is None else self.halves)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def band(self) -> tuple[float, float]:
        """The central 95 % of the null; NaN before its first split. Where a source is smaller than half the target, its own is `Source.band`."""
        return _band(self.null)

    @property
    def sources(self) -> dict[str, Source]:
        return {name: self._source(i) for i, name in enumerate(self.names)}

    @property
    def ranks(self) -> np.ndarray:
        """1 for the nearest: by mean matched score over the splits that are done, less what fewer items alone add to the null; by the score at all items before
        the first; 0 without a score."""
        scores = np.where([bool(reason) for reason in self.reasons], np.nan, self.scores)
        done = ~np.isnan([self.null, *self.matched_scores[~np.isnan(scores)]]).any(axis=0) & ~np.isnan(scores).all()
        matched = self.matched_scores - np.nan_to_num(self.nulls - self.null)
        by = np.where(np.isnan(scores), np.nan, matched[:, done].mean(axis=1)) if done.any() else scores
        return np.where(np.isnan(by), 0, (by < by[:, None]).sum(axis=1) + 1)

    @property
    def contradicts(self) -> np.ndarray:
        """Sources that look near, or have no verdict yet, while their labels say something else than the target's."""
        near = np.array([source.verdict != "Bad" and not source.reason for source in self.sources.values()], bool)
        return near & (self.borrowed < LOST * self.own)  # False where either is NaN

    def table(self):
        """One line per source, nearest first."""
        import pandas as pd
        sources = self.sources
        rows = [{"source": name, "rank": s.rank, "verdict": s.verdict, "matched": s.matched.mean() if len(s.matched) else np.nan,
                 "matched_low": s.matched_interval[0], "matched_high": s.matched_interval[1], "score": s.score, "low": s.interval[0], "high": s.interval[1],
                 "mc_error": s.mc_error, "se": self.se[i], "null_low": s.band[0], "null_high": s.band[1], "half": s.half, "n": self.n[i],
                 "centroid": self.centroid[i], "gauge": self.gauge[i], "own": self.own[i], "borrowed": self.borrowed[i],
                 "contradicts": bool(contradicts), "reason": s.reason}
                for i, ((name, s), contradicts) in enumerate(zip(sources.items(), self.contradicts, strict=True))]
        return pd.DataFrame(rows).sort_values("rank", key=lambda rank: rank.where(rank > 0, np.inf), kind="stable", ignore_index=True)

    def manifest(self) -> dict:
        arrays = {name: plain(getattr(self, name).tolist()) for name in ("null", "nulls", "halves", "matched_scores", "se", "per_transition")}
        return {"target": self.target, "n_target": self.n_target, "half": self.half, "layers": list(self.layers), "names": list(self.names),
                "sources": plain(self.table().to_dict("records")), "band": plain(self.band), **arrays, "own": plain(self.own.tolist()), "final": self.final,
                "warnings": list(self.warnings), "options": dict(self.options)}

    def _source(self, i: int) -> Source:
        matched, score = self.matched_scores[i], float(self.scores[i])
        mean = float(matched.mean()) if len(matched) else np.nan
        around = lambda value: (float(np.maximum(0, value - Z * self.se[i])), float(value + Z * self.se[i]))  # noqa: E731
        return Source(score, float(self.errors[i]), matched, around(score), around(mean), self._verdict(around(mean), self.nulls[i]), int(self.ranks[i]),
                      self.reasons[i], _band(self.nulls[i]), int(self.halves[i]))

    def _verdict(self, interval: tuple[float, float], null: np.ndarray) -> str:
        if np.isnan([*interval, *null]).any() or not len(null):
            return ""
        top = _band(null)[1]
        return "Good" if interval[0] <= top else "Bad" if interval[0] > BAD * top else "Mixed"  # below the band is no worse than in it


def _band(null: np.ndarray) -> tuple[float, float]:
    known = null[~np.isnan(null)]
    return tuple(float(v) for v in np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])) if len(known) else (np.nan, np.nan)


def calibrate(target, sources: Mapping, *, target_labels=None, source_labels: Mapping | None = None, splits: int = 20, blocks: int = 20,
              options: Options = Options(), progress: Callable | None = None) -> Iterator[SourceRanking]:  # noqa: B008
    """Yields after each source is scored at all items, after each split, and after each source's interval; the last one is final. Inputs as for `compare`.

    splits    halvings of the target; blocks: of items, of which each is left out once. 0: none
    progress  called with (done, total, note); may raise to stop
    """
    labels = {} if source_labels is None else source_labels
    run = _Run(domain(target, target_labels, "target"), sources, labels, _count(splits, "splits"), _count(blocks, "blocks"), options, progress)
    yield from run.points()
    yield from run.halves()
    yield from run.intervals()
    run.tell(run.total, run.total, "done")
    yield run.ranking(final=True)


class _Run:
    """A calibration under way: what is known so far, and how the rest is found."""

    def __init__(self, target: Domain, sources: Mapping, labels: Mapping, splits: int, blocks: int, options: Options, progress: Callable | None):
        if not isinstance(sources, Mapping) or not sources:
            raise InputError("There are no sources.", "Give a mapping of name to a Representation, or to a list of arrays.")
        unknown = [str(name) for name in labels if name not in sources] if isinstance(labels, Mapping) else ["no names"]
        if unknown:
            raise InputError(f"The labels of sources are of {', '.join(unknown)}, which no source is called.",
                             f"Give a mapping of name to labels; the sources are {', '.join(map(str, sources))}.")
        self.target, self.given, self.labels, self.options = target, sources, labels, options
        self.layers, self.blocks, self.tell = window(target.layers, options), blocks, progress or (lambda done, total, note: None)
        self.domains: dict[int, Domain] = {}
        self.fits: dict[int, Scored] = {}
        self.whole, self.start = None, None  # pairs within all of the target, and where mixtures of halves begin
        count, splits = len(sources), splits if len(target) >= 2 * FEWEST else 0
        self.done, self.total = 0, count + splits * (count + 1) + count * blocks
        empty = lambda *shape: np.full(shape, np.nan)  # noqa: E731
        self.known = SourceRanking(
            names=tuple(map(str, sources)), scores=empty(count), errors=empty(count), null=empty(splits), matched_scores=empty(count, splits), se=empty(count),
            per_transition=empty(count, len(self.layers) - 1), centroid=empty(count), gauge=empty(count), own=empty(count), borrowed=empty(count),
            n_target=len(target), n=np.zeros(count, np.int64), half=len(target) // 2 if splits else 0, layers=tuple(map(str, self.layers)),
            target=target.name, reasons=("",) * count,
            options={**options.manifest(), "splits": splits, "blocks": blocks}, nulls=empty(count, splits), halves=np.zeros(count, np.int64))
        self.reasons, self.warnings = [""] * count, []
        if not splits:
            self.warnings.append(f"{target.name} has {len(target)} items: too few for two halves of {FEWEST}, so there is no null and no verdict."
                                 if len(target) < 2 * FEWEST else "No splits were asked for: there is no null and no verdict.")

    def points(self) -> Iterator[SourceRanking]:
        """Every source at all items; one that cannot be scored does not sink the others."""
        for i, (name, source) in enumerate(self.given.items()):
            self._step(f"{name}: all items")
            try:
                self._point(i, domain(source, self.labels.get(name), str(name)))
            except InputError as error:
                self._lose(i, error)
            yield self.ranking()
        if not self.fits:
            raise InputError(f"No source could be scored. {self.reasons[0]}", "Give sources that the same model was run on.")

    def _point(self, i: int, source: Domain) -> None:
        known, last = self.known, list(self.target.layers)[-1]
        known.n[i] = len(source)
        together(self.target, source, self.options)
        target, alike = part(self.target, self.layers), self.options.sampling == "same_class"  # which pairs there are within then hangs on the source
        if self.whole is None:
            self.whole = inside(target, self.options, shared(target.crowd, target.crowd) if alike else None)
            self.start = None if self.options.divergence == "sinkhorn" else opening(self.whole[1], self.options)
        known_of = () if alike else (self.whole, self.start)
        found = scored(target, part(source, self.layers, self.target.classes), self.options, *known_of)
        known.scores[i], known.errors[i], known.gauge[i] = found.score, found.error, gauge(self.target, source)
        known.centroid[i] = np.linalg.norm(self.target.moments(last)[0] - source.moments(last)[0])
        known.per_transition[i] = divergences(found, self.options)[:, 0]
        known.own[i], known.borrowed[i] = _agreement(self.target, source)
        known.halves[i] = min(known.half, len(source))
        self._remark(*remarks(self.target, source, found))
        self.domains[i], self.fits[i] = source, found

    def halves(self) -> Iterator[SourceRanking]:
        """Half of the target against the other half, and against as many items of every source; of fewer items, also the null, where a source has fewer."""
        splits = len(self.known.null)
        for i, source in self._sound() if splits else ():
            if len(source) < self.known.half:
                self._remark(f"{self.known.names[i]} has {len(source)} items, fewer than half of {self.target.name}: it is judged by a null of as many.")
        for split in range(splits):
            rng, nulls = np.random.default_rng([self.options.seed, 3, split]), {}
            order, sides = _stratified(rng, self.target), _folds(rng, self.target, 2)
            halves = [order[sides[order] == side] for side in (0, 1)]
            self._step(f"split {split + 1} of {splits}: the null")
            try:
                nulls[self.known.half] = self._null(halves, self.known.half)
            except InputError as error:
                self._without_null(error)
                yield self.ranking()
                return
            self.known.null[split] = nulls[self.known.half][-1]
            for i, source in self._sound():
                self._step(f"split {split + 1} of {splits}: {source.name}")
                half = int(self.known.halves[i])
                try:
                    nulls[half] = first, within, self.known.nulls[i, split] = nulls.get(half) or self._null(halves, half)
                    second = self._part(source, self._drawn(source, first.rows, split)[:half])
                    self.known.matched_scores[i, split] = scored(first, second, self.options, within, self.start).score
                except InputError as error:
                    self._lose(i, error)
            yield self.ranking()

    def _null(self, halves: list[np.ndarray], size: int) -> tuple:
        """(the first of two halves cut to a size, its pairs within unless they depend on the source, its score against the other)."""
        first, second = (self._part(self.target, rows[:size]) for rows in halves)
        within = None if self.options.sampling == "same_class" else inside(first, self.options)
        return first, within, scored(first, second, self.options, within, self.start).score

    def _part(self, of: Domain, rows: np.ndarray) -> Part:
        return part(of, self.layers, self.target.classes, rows)

    def _drawn(self, source: Domain, taken: np.ndarray, split: int) -> np.ndarray:
        """Rows of a source in random order, whatever other sources there are; last those that are items `taken` from the target."""
        rng, named = np.random.default_rng([self.options.seed, 5, split]), source.ids is not None and self.target.ids is not None
        last = np.isin(source.ids, self.target.ids[taken]) if named else np.zeros(len(source), bool)
        return np.concatenate([_stratified(rng, source, np.flatnonzero(rows)) for rows in (~last, last)])

    def _without_null(self, error: InputError) -> None:
        count = len(self.known)
        self.known = replace(self.known, null=np.zeros(0), nulls=np.zeros((count, 0)), matched_scores=np.zeros((count, 0)), half=0,
                             halves=np.zeros(count, np.int64))
        self.total = self.done + len(self._sound()) * self.blocks
        self._remark(f"no null: {error}")

    def intervals(self) -> Iterator[SourceRanking]:
        """Delete-a-block jackknife: pairs that touch a block are left out of the full fit, which is fitted again from where it stands."""
        if not self.blocks:
            return
        for i, source in self._sound():
            try:
                self.known.se[i] = self._jackknife(self.fits[i], source)
            except InputError as error:
                self._remark(f"no interval of {self.known.names[i]}: {error}")
            yield self.ranking()

    def _jackknife(self, found: Scored, source: Domain) -> float:
        """A pair is left out with each of its two items, so what it adds by itself is in there twice. Once is taken off, known from leaving out as many blocks
        of pairs; at least half remains, which is all where items add nothing (two-way clusters; Cameron, Gelbach & Miller 2011). Against fresh data sets it is
        right where a source is away, and up to twice too wide beside the null, where the score cannot fall and no jackknife knows it."""
        count, sides = min(self.blocks, len(self.target), len(source)), (found.within, found.cross)
        mine, other = (_folds(np.random.default_rng([self.options.seed, 4, of is source]), of, count) for of in (self.target, source))
        rng = np.random.default_rng([self.options.seed, 6])
        alone, scores = [rng.permutation(len(side.pairs)) % count for side in sides], np.empty((2, count))
        for block in range(count):
            self._step(f"{source.name}: without block {block + 1} of {count}")
            by_item = tuple((mine[side.pairs[:, 0]] != block) & (folds[side.pairs[:, 1]] != block) for side, folds in zip(sides, (mine, other), strict=True))
            by_pair = tuple(blocks != block for blocks in alone)
            scores[:, block] = [refitted(found, self.options, kept).score for kept in (by_item, by_pair)]
        items, pairs = (count - 1) / count * ((scores - scores.mean(axis=1, keepdims=True))**2).sum(axis=1)
        return float(np.sqrt(max(items - (count - 1) / count * pairs, items / 2)))

    def ranking(self, final: bool = False) -> SourceRanking:
        """What is known, in arrays of its own."""
        arrays = {name: value.copy() for name, value in vars(self.known).items() if isinstance(value, np.ndarray)}
        return replace(self.known, **arrays, reasons=tuple(self.reasons), warnings=tuple(self.warnings), final=final)

    def _sound(self) -> list[tuple[int, Domain]]:
        return [(i, source) for i, source in self.domains.items() if not self.reasons[i]]

    def _remark(self, *said: str) -> None:
        self.warnings += [text for text in said if text not in self.warnings]

    def _lose(self, i: int, error: InputError) -> None:
        self.reasons[i] = self.reasons[i] or str(error)

    def _step(self, note: str) -> None:
        self.tell(self.done, self.total, note)
        self.done += 1


# drawing items

def _stratified(rng: np.random.Generator, of: Domain, among: np.ndarray | None = None) -> np.ndarray:
    """All rows, or those `among` these, in random order, of which any first ones hold the classes in proportion."""
    among = np.arange(len(of)) if among is None else among
    place, labels = np.empty(len(among)), _classes(of)[among]
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        place[rows] = (rng.permutation(len(rows)) + rng.random(len(rows))) / len(rows)
    return among[np.argsort(place)]


def _folds(rng: np.random.Generator, of: Domain, blocks: int) -> np.ndarray:
    """The block of each item: equally many of each class in each, as far as they go; classes in random order, so that small ones do not always part alike."""
    found, labels = np.empty(len(of), np.int64), _classes(of)
    found[np.lexsort((rng.random(len(of)), rng.permutation(labels.max() + 1)[labels]))] = np.arange(len(of)) % blocks
    return found


def _classes(of: Domain) -> np.ndarray:
    return np.zeros(len(of), np.int64) if of.labels is None else of.labels


# what labels say

def _agreement(target: Domain, source: Domain) -> tuple[float, float]:
    """How often the nearest other items of the target know an item's label in the last layer, and how often the nearest of the source do."""
    if target.labels is None or source.labels is None:
        return np.nan, np.nan
    both = np.intersect1d(*(np.array(side.classes)[np.unique(side.labels)] for side in (target, source)))
    here, there = (np.flatnonzero(np.isin(np.array(side.classes)[side.labels], both)) for side in (target, source))
    if len(both) < 2 or min(len(here), len(there)) <= NEAREST:
        return np.nan, np.nan
    mine, other = (np.searchsorted(both, np.array(side.classes)[side.labels[rows]]) for side, rows in ((target, here), (source, there)))
    x, y = (list(side.layers.values())[-1][rows] for side, rows in ((target, here), (source, there)))
    asked = _asked(len(here))
    right = [_voted(x[asked], x, mine, own=asked) == mine[asked], _voted(x[asked], y, other) == mine[asked]]
    return tuple(float(np.mean([of[mine[asked] == label].mean() for label in np.unique(mine[asked])])) for of in right)


def _asked(n: int) -> np.ndarray:
    return np.arange(n) if n <= ASKED else np.sort(np.random.default_rng(0).choice(n, ASKED, replace=False))


def _voted(x: np.ndarray, among: np.ndarray, labels: np.ndarray, own: np.ndarray | None = None) -> np.ndarray:
    """The label that most of the nearest carry, each counting for less the more there are of its class; of equal ones that of the nearest.
    own  which of them a row is itself"""
    middle = among.mean(axis=0, dtype=np.float64)
    x, among = x - middle, among - middle
    squares, near = (among**2).sum(axis=1), np.empty((len(x), NEAREST), np.int64)
    for rows in np.array_split(np.arange(len(x)), len(x) * len(among) // ROOM + 1):
        apart = squares - 2 * x[rows] @ among.T
        if own is not None:
            apart[np.arange(len(rows)), own[rows]] = np.inf
        few = np.argpartition(apart, NEAREST - 1, axis=1)[:, :NEAREST]
        near[rows] = np.take_along_axis(few, np.take_along_axis(apart, few, axis=1).argsort(axis=1, kind="stable"), axis=1)
    votes, weight = labels[near], 1 / np.bincount(labels)[labels[near]]
    most = ((votes[:, :, None] == votes[:, None]) * weight[:, None]).sum(axis=2).round(12).argmax(axis=1)
    return votes[np.arange(len(x)), most]


def _count(value, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or not 0 <= value <= 1000 or value == 1:
        raise InputError(f"The number of {what} is {value!r}.", "Give a whole number from 2 to 1000, or 0 for none.")
    return int(value)
