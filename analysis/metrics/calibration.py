"""Sources beside one another, on equal terms with what chance gives: halves of the target against each other are the null, halves against as many source items
the matched scores, and leaving out blocks of items the interval."""

import numbers
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from analysis.errors import InputError
from analysis.metrics.domain import FEWEST, Domain, domain, together, window
from analysis.metrics.fitting import Scored, divergences, gauge, inside, part, refitted, scored
from analysis.metrics.readings import Options, plain

NEAREST = 5  # neighbours that vote on a label
ASKED = 2000  # items whose neighbours are looked up
ROOM = 4_000_000  # distances held at once
LEVEL = 0.95
Z = 1.96
BAD = 3  # times the top of the null band, from which on a source is called bad: ours
LOST = 0.75  # share of the target's own label agreement below which a source that looks near is said to contradict its labels: ours


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


@dataclass(frozen=True, eq=False)
class SourceRanking:
    """Sources of one target, and the null they are judged by. Per source, NaN where it is not computed yet or could not be, and then `reasons` says why:

    scores, errors    at all items, and their Monte Carlo error
    null              (splits,) scores of one half of the target against the other, `half` items each
    matched_scores    (sources, splits) of one half of the target against as many source items: what the null is comparable with
    se                jackknife error over items
    per_transition    (sources, transitions) where they diverge
    centroid, gauge   distance of the means in the last layer, the plain baseline; and that over the target's spread in the very first
    own, borrowed     how often the 5 nearest other items of the target know an item's label, and how often the 5 nearest of the source do (classes by name)
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
    own: float
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

    def __post_init__(self):
        for name in ("names", "layers", "reasons", "warnings"):
            object.__setattr__(self, name, tuple(getattr(self, name)))

    def __len__(self) -> int:
        return len(self.names)

    @property
    def band(self) -> tuple[float, float]:
        """The central 95 % of the null; NaN before its first split."""
        known = self.null[~np.isnan(self.null)]
        return tuple(float(v) for v in np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])) if len(known) else (np.nan, np.nan)

    @property
    def sources(self) -> dict[str, Source]:
        return {name: self._source(i) for i, name in enumerate(self.names)}

    @property
    def ranks(self) -> np.ndarray:
        """1 for the nearest: by mean matched score over the splits that are done, by the score at all items before the first; 0 without a score."""
        scores = np.where([bool(reason) for reason in self.reasons], np.nan, self.scores)
        done = ~np.isnan(self.matched_scores[~np.isnan(scores)]).any(axis=0) & ~np.isnan(scores).all()
        by = np.where(np.isnan(scores), np.nan, self.matched_scores[:, done].mean(axis=1)) if done.any() else scores
        return np.where(np.isnan(by), 0, (by < by[:, None]).sum(axis=1) + 1)

    @property
    def contradicts(self) -> np.ndarray:
        """Sources that look near while their labels say something else than the target's."""
        near = np.array([source.verdict in ("Good", "Mixed") for source in self.sources.values()], bool)
        return near & (self.borrowed < LOST * self.own)  # False where either is NaN

    def table(self):
        """One line per source, nearest first."""
        import pandas as pd
        sources = self.sources
        rows = [{"source": name, "rank": s.rank, "verdict": s.verdict, "matched": s.matched.mean() if len(s.matched) else np.nan,
                 "matched_low": s.matched_interval[0], "matched_high": s.matched_interval[1], "score": s.score, "low": s.interval[0], "high": s.interval[1],
                 "mc_error": s.mc_error, "se": self.se[i], "n": self.n[i], "centroid": self.centroid[i], "gauge": self.gauge[i],
                 "borrowed": self.borrowed[i], "contradicts": bool(contradicts), "reason": s.reason}
                for i, ((name, s), contradicts) in enumerate(zip(sources.items(), self.contradicts, strict=True))]
        return pd.DataFrame(rows).sort_values("rank", key=lambda rank: rank.where(rank > 0, np.inf), kind="stable", ignore_index=True)

    def manifest(self) -> dict:
        arrays = {name: plain(getattr(self, name).tolist()) for name in ("null", "matched_scores", "se", "per_transition")}
        return {"target": self.target, "n_target": self.n_target, "half": self.half, "layers": list(self.layers), "names": list(self.names),
                "sources": plain(self.table().to_dict("records")), "band": plain(self.band), **arrays, "own": plain(self.own), "final": self.final,
                "warnings": list(self.warnings), "options": dict(self.options)}

    def _source(self, i: int) -> Source:
        matched, score = self.matched_scores[i], float(self.scores[i])
        mean = float(matched.mean()) if len(matched) else np.nan
        around = lambda value: (float(np.maximum(0, value - Z * self.se[i])), float(value + Z * self.se[i]))  # noqa: E731
        return Source(score, float(self.errors[i]), matched, around(score), around(mean), self._verdict(around(mean)), int(self.ranks[i]), self.reasons[i])

    def _verdict(self, interval: tuple[float, float]) -> str:
        if np.isnan([*interval, *self.null]).any() or not len(self.null):
            return ""
        top = self.band[1]
        return "Good" if interval[0] <= top else "Bad" if interval[0] > BAD * top else "Mixed"  # below the band is no worse than in it


def calibrate(target, sources: Mapping, *, target_labels=None, source_labels: Mapping | None = None, splits: int = 20, blocks: int = 20,
              options: Options = Options(), progress: Callable | None = None) -> Iterator[SourceRanking]:  # noqa: B008
    """Yields after each source is scored at all items, after each split, and after each source's interval; the last one is final. Inputs as for `compare`.

    splits    halvings of the target; blocks: of items, of which each is left out once. 0: none
    progress  called with (done, total, note); may raise to stop
    """
    run = _Run(domain(target, target_labels, "target"), sources, source_labels or {}, _count(splits, "splits"), _count(blocks, "blocks"), options, progress)
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
        self.target, self.given, self.labels, self.options = target, sources, labels, options
        self.layers, self.blocks, self.tell = window(target.layers, options), blocks, progress or (lambda done, total, note: None)
        self.domains: dict[int, Domain] = {}
        self.fits: dict[int, Scored] = {}
        count, splits = len(sources), splits if len(target) >= 2 * FEWEST else 0
        self.done, self.total = 0, count + splits * (count + 1) + count * blocks
        empty = lambda *shape: np.full(shape, np.nan)  # noqa: E731
        self.known = SourceRanking(
            names=tuple(map(str, sources)), scores=empty(count), errors=empty(count), null=empty(splits), matched_scores=empty(count, splits), se=empty(count),
            per_transition=empty(count, len(self.layers) - 1), centroid=empty(count), gauge=empty(count), own=_own(target), borrowed=empty(count),
            n_target=len(target), n=np.zeros(count, np.int64), half=0, layers=tuple(map(str, self.layers)), target=target.name, reasons=("",) * count,
            options={**options.manifest(), "splits": splits, "blocks": blocks})
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
        found = scored(part(self.target, self.layers), part(source, self.layers, self.target.classes), self.options)
        known.scores[i], known.errors[i], known.gauge[i] = found.score, found.error, gauge(self.target, source)
        known.centroid[i] = np.linalg.norm(self.target.moments(last)[0] - source.moments(last)[0])
        known.per_transition[i] = divergences(found, self.options)[:, 0]
        known.borrowed[i] = _borrowed(self.target, source)
        self.domains[i], self.fits[i] = source, found

    def halves(self) -> Iterator[SourceRanking]:
        """Half of the target against the other half, and against as many items of every source."""
        splits, sizes = len(self.known.null), {i: len(source) for i, source in self.domains.items()}
        if not splits:
            return
        half = min(len(self.target) // 2, *sizes.values())
        self.known = replace(self.known, half=half)
        if half < len(self.target) // 2:
            self.warnings.append(f"Halves of the target are cut to {half} items, as many as {self.known.names[min(sizes, key=sizes.get)]} has.")
        for split in range(splits):
            rng = np.random.default_rng([self.options.seed, 3, split])
            order, sides = _stratified(rng, self.target), _folds(rng, self.target, 2)
            first, second = (part(self.target, self.layers, self.target.classes, order[sides[order] == side][:half]) for side in (0, 1))
            within = None if self.options.sampling == "same_class" else inside(first, self.options)
            self._step(f"split {split + 1} of {splits}: the null")
            self.known.null[split] = scored(first, second, self.options, within).score
            for i, source in self._sound():
                self._step(f"split {split + 1} of {splits}: {source.name}")
                rows = _stratified(np.random.default_rng([self.options.seed, 5, split]), source)[:half]  # whatever other sources there are
                try:
                    self.known.matched_scores[i, split] = scored(first, part(source, self.layers, self.target.classes, rows), self.options, within).score
                except InputError as error:
                    self._lose(i, error)
            yield self.ranking()

    def intervals(self) -> Iterator[SourceRanking]:
        """Delete-a-block jackknife: pairs that touch a block are left out of the full fit, which is fitted again from where it stands."""
        if not self.blocks:
            return
        for i, source in self._sound():
            try:
                self.known.se[i] = self._jackknife(self.fits[i], source)
            except InputError as error:
                self._lose(i, error)
            yield self.ranking()

    def _jackknife(self, found: Scored, source: Domain) -> float:
        count = min(self.blocks, len(self.target), len(source))
        mine, other = (_folds(np.random.default_rng([self.options.seed, 4, of is source]), of, count) for of in (self.target, source))
        scores = np.empty(count)
        for block in range(count):
            self._step(f"{source.name}: without block {block + 1} of {count}")
            kept = tuple((mine[side.pairs[:, 0]] != block) & (folds[side.pairs[:, 1]] != block) for side, folds in ((found.within, mine), (found.cross, other)))
            scores[block] = refitted(found, self.options, kept).score
        return float(np.sqrt((count - 1) / count * ((scores - scores.mean())**2).sum()))

    def ranking(self, final: bool = False) -> SourceRanking:
        """What is known, in arrays of its own."""
        arrays = {name: value.copy() for name, value in vars(self.known).items() if isinstance(value, np.ndarray)}
        return replace(self.known, **arrays, reasons=tuple(self.reasons), warnings=tuple(self.warnings), final=final)

    def _sound(self) -> list[tuple[int, Domain]]:
        return [(i, source) for i, source in self.domains.items() if not self.reasons[i]]

    def _lose(self, i: int, error: InputError) -> None:
        self.reasons[i] = self.reasons[i] or str(error)

    def _step(self, note: str) -> None:
        self.tell(self.done, self.total, note)
        self.done += 1


# drawing items

def _stratified(rng: np.random.Generator, of: Domain) -> np.ndarray:
    """All rows in random order, of which any first ones hold the classes in proportion."""
    place, labels = np.empty(len(of)), _classes(of)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        place[rows] = (rng.permutation(len(rows)) + rng.random(len(rows))) / len(rows)
    return np.argsort(place)


def _folds(rng: np.random.Generator, of: Domain, blocks: int) -> np.ndarray:
    """The block of each item: equally many of each class in each, as far as they go."""
    found = np.empty(len(of), np.int64)
    found[np.lexsort((rng.random(len(of)), _classes(of)))] = np.arange(len(of)) % blocks
    return found


def _classes(of: Domain) -> np.ndarray:
    return np.zeros(len(of), np.int64) if of.labels is None else of.labels


# what labels say

def _own(target: Domain) -> float:
    """How often the nearest other items of the target know an item's label, in its last layer."""
    if target.labels is None or len(np.unique(target.labels)) < 2:
        return np.nan
    x, rows = list(target.layers.values())[-1], _asked(len(target))
    return float((_voted(x[rows], x, target.labels, own=rows) == target.labels[rows]).mean())


def _borrowed(target: Domain, source: Domain) -> float:
    """How often the nearest items of the source do, of the classes that both have, by name."""
    if target.labels is None or source.labels is None:
        return np.nan
    mine, other = (np.array(side.classes, object)[side.labels] for side in (target, source))
    shared = np.intersect1d(mine.astype(str), other.astype(str))
    here, there = np.flatnonzero(np.isin(mine.astype(str), shared)), np.flatnonzero(np.isin(other.astype(str), shared))
    if len(shared) < 2 or len(there) <= NEAREST:
        return np.nan
    here = here[_asked(len(here))]
    x, y = (list(side.layers.values())[-1] for side in (target, source))
    return float((_voted(x[here], y[there], other[there]) == mine[here]).mean())


def _asked(n: int) -> np.ndarray:
    return np.arange(n) if n <= ASKED else np.sort(np.random.default_rng(0).choice(n, ASKED, replace=False))


def _voted(x: np.ndarray, among: np.ndarray, labels: np.ndarray, own: np.ndarray | None = None) -> np.ndarray:
    """The label that most of the nearest carry, of equally many that of the nearest; `own`: which of them a row is itself."""
    middle = among.mean(axis=0, dtype=np.float64)
    x, among = x - middle, among - middle
    squares, near = (among**2).sum(axis=1), np.empty((len(x), NEAREST), np.int64)
    for rows in np.array_split(np.arange(len(x)), len(x) * len(among) // ROOM + 1):
        apart = squares - 2 * x[rows] @ among.T
        if own is not None:
            apart[np.arange(len(rows)), own[rows]] = np.inf
        few = np.argpartition(apart, NEAREST - 1, axis=1)[:, :NEAREST]
        near[rows] = np.take_along_axis(few, np.take_along_axis(apart, few, axis=1).argsort(axis=1, kind="stable"), axis=1)
    votes = labels[near]
    most = (votes[:, :, None] == votes[:, None]).sum(axis=2).argmax(axis=1)
    return votes[np.arange(len(x)), most]


def _count(value, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or not 0 <= value <= 1000 or value == 1:
        raise InputError(f"The number of {what} is {value!r}.", "Give a whole number from 2 to 1000, or 0 for none.")
    return int(value)
