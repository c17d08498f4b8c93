"""Inspection: why one source helped a target or hurt it, read off what was measured; and every pair of domains, as predicted beside what came of it.

A reading names the causes that the numbers fit. It proves none: that takes trying a remedy, and measuring again. From which number on it names one is ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from analysis.errors import InputError
from analysis.metrics import neighbours, probe
from analysis.metrics.calibration import LEVEL, LOST, NEAREST
from analysis.metrics.gain import Gains
from analysis.metrics.result import plain, tuples
from analysis.metrics.statistics import mean_interval

CONTRADICTION, SHIFT, IMBALANCE, SCARCE, NOTHING = CAUSES = ("label contradiction", "covariate shift", "class imbalance", "too little target data",
                                                             "nothing wrong is seen")
STRENGTHS = "strong", "some", "none", "unknown"
DENIED = 0.5  # share of the target's own label agreement below which contradiction is strong; below LOST of it, or below this for a class, some
TELLING = 0.1  # by which that own agreement must beat the largest class, or neighbours tell nothing of labels
AWAY = 0.25, 0.5  # distance of the means, over the target's spread, from which on a shift is some, or strong
APART = 1.75, 2.5  # likewise, how much farther the nearest source item is than the nearest other item of the target
UNLIKE = 0.15, 0.35  # likewise for imbalance: half the sum of what the shares of the classes differ by
ROOM = 0.05, 0.15  # likewise for too little target data: what all its items, or these with the source, reach beyond what these alone do
SHOWN = 24  # items to either side, of those that are recognised more or less often
LISTED = 6  # classes that a sentence names, and SWAPPED of which it says what they look like
SWAPPED = 4
NAN = float("nan")
_nothing = lambda *shape: field(default_factory=lambda: np.full(shape, NAN))  # noqa: E731
_none = lambda *shape: field(default_factory=lambda: np.zeros(shape, np.int64))  # noqa: E731


class Cause(NamedTuple):
    """What a gain may be owed to, one of CAUSES; how much the numbers say so, one of STRENGTHS; and the numbers, in a sentence."""

    name: str
    strength: str
    evidence: str


@dataclass(frozen=True, eq=False)
class Inspection:
    """A target with one source, as far as it is known: NaN and empty where it is not yet.

    classes                of the target; shared: those that the source has items of; left_out: classes that only the source has
    labels, source_labels  of the items, in the target's classes; -1 of a source item that is not trained on
    base, accuracy         (splits,) with the target alone, and with the source
    per_class, confusion   (2, classes, splits) and (2, classes, classes) alone and with it, as in Gains
    before, after          (items, classes) what each target item was taken for, alone and with the source
    balance                (2, classes) shares of the classes in the target and among what is trained on of the source
    near, near_distances   (items, 5) rows of the source, of those trained on, that lie nearest to each target item in the layer
    own_votes, votes       (classes, classes) target items by class, and by what most of the 5 nearest others, or of the 5 nearest of the source, carry
    apart                  how much farther than the nearest other item of the target the nearest of the source is: the median over items
    ceiling                what a probe of all target items reaches, each left out in turn
    centroid, spread       distance of the means in the layer, and the target's root mean square distance from its own; gauge: the ratio in the first layer
    radar, mc_error        at all items, with the divergence of each transition between `layers`; why there is none: radar_reason
    null, matched          (splits,) of halves of the target, and of as many source items, with its interval; verdict: "" before that
    confirmed              (splits,) gain by the other probe
    """

    target: str
    source: str
    layer: str
    classes: tuple
    shared: tuple
    left_out: tuple
    labels: np.ndarray
    source_labels: np.ndarray
    base: np.ndarray
    accuracy: np.ndarray
    per_class: np.ndarray
    confusion: np.ndarray
    before: np.ndarray
    after: np.ndarray
    balance: np.ndarray
    used: int
    budget: int
    tested: int
    seeds: int
    near: np.ndarray = _none(0, NEAREST)
    near_distances: np.ndarray = _nothing(0, NEAREST)
    own_votes: np.ndarray = _none(0, 0)
    votes: np.ndarray = _none(0, 0)
    apart: float = NAN
    ceiling: float = NAN
    centroid: float = NAN
    spread: float = NAN
    gauge: float = NAN
    radar: float = NAN
    mc_error: float = NAN
    per_transition: np.ndarray = _nothing(0)
    layers: tuple = ()
    null: np.ndarray = _nothing(0)
    matched: np.ndarray = _nothing(0)
    matched_interval: tuple = (NAN, NAN)
    verdict: str = ""
    radar_reason: str = ""
    confirmed: np.ndarray = _nothing(0)
    final: bool = False
    warnings: tuple = ()
    options: Mapping = field(default_factory=dict)

    def __post_init__(self):
        tuples(self, "classes", "shared", "left_out", "layers", "matched_interval", "warnings")

    # what it did

    @property
    def gains(self) -> Gains:
        blend = (self.source,)
        return Gains(blend, (blend,), self.base, self.accuracy[None], self.per_class, self.confusion, self.labels, (blend,), self.before, self.after[None],
                     len(self.labels), (self.used,), self.budget, self.tested, len(self.classes), self.seeds, self.warnings, self.options)

    @property
    def done(self) -> int:
        """Splits so far."""
        return len(self.base)

    @property
    def delta(self) -> tuple[float, float, float]:
        """(mean, low, high) of the gain."""
        return mean_interval(self.accuracy - self.base)

    @property
    def effect(self) -> str:
        return _effect(self.delta)

    @property
    def turned(self) -> np.ndarray:
        """(items,) how much more often each target item is recognised with the source, from -1 to 1; NaN where it was never tested."""
        return self.gains.turned(self.source)

    @property
    def flipped(self) -> np.ndarray:
        """Rows of target items recognised less often with the source, those that lost most first."""
        return _first(self.turned)

    @property
    def gained(self) -> np.ndarray:
        """Rows of target items recognised more often, those that won most first."""
        return _first(-self.turned)

    # what the source's items say

    @property
    def near_labels(self) -> np.ndarray:
        """(items, 5) classes of the nearest source items."""
        return self.source_labels[self.near]

    @property
    def own(self) -> float:
        """How often the 5 nearest other items of the target know an item's label, of the classes that both have."""
        return self._agreement(self.own_votes)

    @property
    def borrowed(self) -> float:
        """How often the 5 nearest items of the source do."""
        return self._agreement(self.votes)

    @property
    def own_by_class(self) -> np.ndarray:
        """(classes,)"""
        return self._by_class(self.own_votes)

    @property
    def borrowed_by_class(self) -> np.ndarray:
        """(classes,) NaN of a class that the source has no items of."""
        return np.where(self.balance[1] > 0, self._by_class(self.votes), NAN)

    @property
    def contradicting(self) -> tuple[str, ...]:
        """Classes whose nearest source items mostly say otherwise where those of the target do not, the worst first."""
        if not self._telling:
            return ()
        agreed = np.divide(self.borrowed_by_class, self.own_by_class, where=self.own_by_class > 0, out=np.full(len(self.classes), NAN))
        return tuple(self.classes[c] for c in np.argsort(agreed, kind="stable") if agreed[c] < DENIED)

    @property
    def led(self) -> float:
        """Of the mistakes with the source on items that it made worse, the share that are the very class of the nearest source items."""
        if not len(self.near):
            return NAN
        lost, vote = np.flatnonzero(self.turned < 0), _vote(self.near_labels)
        wrong = self.after[lost].sum() - self.after[lost, self.labels[lost]].sum()
        misled = lost[vote[lost] != self.labels[lost]]
        return float(self.after[misled, vote[misled]].sum() / wrong) if wrong else NAN

    @property
    def band(self) -> tuple[float, float]:
        """The central 95 % of RADAR's null; NaN before it is calibrated."""
        known = self.null[np.isfinite(self.null)]
        return tuple(float(v) for v in np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])) if len(known) else (NAN, NAN)

    @property
    def away(self) -> float:
        """Distance of the means over the target's spread."""
        return self.centroid / self.spread if self.spread else NAN

    # the reading

    def reading(self) -> tuple[Cause, ...]:
        """Each cause that is looked for, with its numbers; that nothing is wrong with the source is said where none of its three is seen."""
        causes = self._contradiction(), self._shift(), self._imbalance()
        wrong = [cause.strength for cause in causes if cause.strength != "none"]
        clean = () if wrong else (Cause(NOTHING, "strong", "The source lies near, its labels agree with the target's, and its classes are as frequent."),)
        return (*causes, self._scarcity(), *clean)

    def headline(self) -> str:
        """The first of that: what it did, and the name of what that is likely owed to."""
        seen = self._seen()
        return f"{self._measured()} {self._lead(seen)} {seen[0].name}." if self.effect == "hurt" and seen else self._measured()

    def paragraph(self) -> str:
        """The same in plain words: what it did, what that is likely owed to, and what speaks for it."""
        return " ".join(filter(None, (self._measured(), *self._explained(), self._geometry(), self._confirmation())))

    def _contradiction(self) -> Cause:
        if not len(self.votes):
            return _not_yet(CONTRADICTION)
        if len(self._both) < 2:
            return Cause(CONTRADICTION, "unknown", f"Only the class {self.classes[self._both[0]]} is there on both sides: that leaves nothing to contradict.")
        known, told = self.own, self.borrowed
        if not self._telling:
            return Cause(CONTRADICTION, "unknown", f"The {NEAREST} nearest items in this layer know {_percent(known)} of the target's labels, and the largest "
                                                   f"class alone is {_percent(float(self.balance[0].max()))}: they tell nothing of labels.")
        said = (f"The {NEAREST} nearest items of the source agree with {_percent(told)} of the target's labels, those of the target itself with "
                f"{_percent(known)}.")
        if told >= LOST * known and not self.contradicting:
            return Cause(CONTRADICTION, "none", said)
        if self._far() == "strong":
            return Cause(CONTRADICTION, "unknown", f"{said} But they lie so far off that the shift alone may do that.")
        led = f" Of the mistakes on items that the source made worse, {_percent(self.led)} are the label of those neighbours."
        return Cause(CONTRADICTION, "some" if told >= DENIED * known else "strong", said + self._swaps() + led * bool(np.isfinite(self.led)))

    def _swaps(self) -> str:
        """Which classes look like which others of the source."""
        votes, worst = self.votes.astype(float), [self.classes.index(name) for name in self.contradicting][:SWAPPED]
        pairs = [f"{self.classes[c]} looks like the source's {self.classes[int(votes[c].argmax())]}" for c in worst if votes[c].argmax() != c]
        return f" {'; '.join(pairs)}." if pairs else ""

    def _shift(self) -> Cause:
        if not len(self.near):
            return _not_yet(SHIFT)
        strength, said = self._far(), f"The two means lie {self.away:.2f} times the target's spread apart"
        said += f", and the nearest source item is {self.apart:.1f} times as far as the nearest other item of the target." if np.isfinite(self.apart) else "."
        if self.verdict:
            low, high = map(_number, self.matched_interval)
            said += (f" RADAR calls the source {self.verdict.lower()}, by geometry only: {_number(self.matched.mean())} ({low} to {high}), where chance "
                     f"reaches {_number(self.band[1])}.")
        return Cause(SHIFT, "some" if strength == "none" and self.verdict == "Bad" else strength, said)

    def _far(self) -> str:
        return min(_strength(self.away, AWAY), _strength(self.apart, APART), key=STRENGTHS.index)

    def _imbalance(self) -> Cause:
        mine, other = self.balance
        unlike, short, lacking = float(np.abs(other - mine).sum() / 2), other < mine, [self.classes[c] for c in np.flatnonzero((mine > 0) & (other == 0))]
        strength, said = _strength(unlike, UNLIKE), f"The shares of the classes differ by {_percent(unlike)} in all"
        said += f"; of {_listed(lacking)} nothing of the source is trained on." if lacking else "."
        few, rest = (_mean(100 * self.gains.class_gain(self.source)[side]) for side in (short, ~short & (mine > 0)))
        if strength != "none" and np.isfinite(few + rest):
            said += f" Classes that the source has too few of change by {_signed(few)} points, the others by {_signed(rest)}."
        return Cause(IMBALANCE, strength, said)

    def _scarcity(self) -> Cause:
        if not np.isfinite(self.ceiling):
            return _not_yet(SCARCE)
        known, n = float(self.base.mean()), len(self.labels)
        less = ", less than with the source" * bool(self.ceiling < self.accuracy.mean())
        said = (f"{self.budget} target items, {self.budget / (self.balance[0] > 0).sum():.3g} of each class, reach {_percent(known)} by themselves, "
                f"where all {_count(n)} would reach {_percent(self.ceiling)}{less}.")
        return Cause(SCARCE, _strength(max(self.ceiling, self.accuracy.mean()) - known, ROOM), said)

    def _measured(self) -> str:
        (mean, low, high), (alone, both) = self.delta, (_percent(side.mean()) for side in (self.base, self.accuracy))
        verb = self.effect if self.effect in ("helped", "hurt") else "made no clear difference to"
        interval = f"95\u202f% interval {_signed(100 * low)} to {_signed(100 * high)} over {self.done} draws" if np.isfinite(low) else "a single draw"
        so_far = f" So far {self.done} of {self.seeds} draws are done." if self.done < self.seeds else ""
        return (f"{_title(self.source)} {verb} {self.target}: with {self.budget} target items, {alone} of the others are recognised without the source and "
                f"{both} with it (Δ {_signed(100 * mean)} points, {interval}).{so_far}")

    def _explained(self) -> list[str]:
        contradiction, _, _, scarce, *clean = self.reading()
        seen = self._seen()
        room = {"strong": "There was much to gain: ", "some": "There was something to gain: ", "none": "There was little to gain: "}.get(scarce.strength)
        labels = contradiction.evidence if len(self.votes) and contradiction not in seen else ""
        if self.effect == "helped":
            in_spite = f"It helped in spite of {' and '.join(cause.name for cause in seen)}." if seen else ""
            return [room + scarce.evidence if room else "", labels, in_spite, *(cause.evidence for cause in seen)]
        if self.effect != "hurt":  # nothing happened that would need a cause
            leads = ["There is", *["There is also"] * 2]
        else:
            leads = [self._lead(seen), *["There is also"] * 2]
        found = [f"{lead} {cause.name}. {cause.evidence}" for lead, cause in zip(leads, seen, strict=False)]
        return [*found, labels, "Nothing wrong is seen with the source." if clean else "", room + scarce.evidence if room else ""]

    def _seen(self) -> list[Cause]:
        """What is wrong with the source, the strongest first."""
        return sorted((c for c in self.reading()[:3] if c.strength in ("strong", "some")), key=lambda cause: STRENGTHS.index(cause.strength))

    @staticmethod
    def _lead(seen: list[Cause]) -> str:
        return "The likely cause is" if seen and seen[0].strength == "strong" else "A possible cause is"

    def _geometry(self) -> str:
        if not np.isfinite(self.radar):
            return f"RADAR has no score: {self.radar_reason}" if self.radar_reason else ""
        blind = self._contradiction().strength == "strong" and self.verdict != "Bad"
        return f"RADAR at all items is {_number(self.radar)}{': it sees how inputs move, not what labels mean, and so nothing of this' if blind else ''}."

    def _confirmation(self) -> str:
        if not len(self.confirmed):
            return ""
        mean, low, high = (_signed(100 * value) for value in mean_interval(self.confirmed))
        other = "the ridge probe" if self.options.get("probe") == "logistic" else "cross-validated logistic regression"
        return f"By {other} it is {mean} points ({low} to {high}, over {len(self.confirmed)} draws)."

    # as numbers

    def table(self):
        """One line per class of the target."""
        import pandas as pd
        gains = np.array([mean_interval(row[np.isfinite(row)]) if np.isfinite(row).any() else (NAN,) * 3 for row in self.gains.class_gain(self.source)])
        alone = [_mean(row) for row in self.per_class[0]]
        return pd.DataFrame({"class": self.classes, "target": self.balance[0], "source": self.balance[1], "alone": alone, "gain": gains[:, 0],
                             "low": gains[:, 1], "high": gains[:, 2], "own": self.own_by_class, "borrowed": self.borrowed_by_class})

    def manifest(self) -> dict:
        lists = ("classes", "shared", "left_out", "layers", "warnings", "delta", "contradicting", "matched_interval")
        arrays = ("base", "accuracy", "per_class", "confusion", "balance", "own_votes", "votes", "per_transition", "null", "matched", "confirmed", "flipped",
                  "gained")
        others = ("target", "source", "layer", "used", "budget", "tested", "seeds", "done", "effect", "own", "borrowed", "apart", "ceiling", "led", "centroid",
                  "spread", "gauge", "radar", "mc_error", "verdict", "radar_reason", "final")
        return plain({**{name: getattr(self, name) for name in others}, **{name: list(getattr(self, name)) for name in lists},
                      **{name: getattr(self, name).tolist() for name in arrays}, "n_target": len(self.labels), "n_source": len(self.source_labels),
                      "reading": [cause._asdict() for cause in self.reading()], "paragraph": self.paragraph(), "options": dict(self.options)})

    @property
    def _both(self) -> np.ndarray:
        """Classes that there are items of on both sides."""
        return np.flatnonzero((self.balance > 0).all(axis=0))

    @property
    def _telling(self) -> bool:
        """Whether neighbours know labels at all."""
        return bool(self.own >= self.balance[0].max() + TELLING)

    def _agreement(self, votes: np.ndarray) -> float:
        both = self._both
        return float(votes[both, both].sum() / votes[both].sum()) if len(votes) and len(both) else NAN

    def _by_class(self, votes: np.ndarray) -> np.ndarray:
        counts = votes.sum(axis=1)
        return np.divide(votes.diagonal(), counts, where=counts > 0, out=np.full(len(counts), NAN)) if len(votes) else np.full(len(self.classes), NAN)


class Nearby(NamedTuple):
    """What an Inspection says of neighbours, means and the reach of the target's own items, under its names."""

    near: np.ndarray
    near_distances: np.ndarray
    own_votes: np.ndarray
    votes: np.ndarray
    apart: float
    ceiling: float
    centroid: float
    spread: float


def nearby(x: np.ndarray, labels: np.ndarray, others: np.ndarray, rows: np.ndarray, other_labels: np.ndarray, classes: int) -> Nearby:
    """Of target items x and of source items, rows of the source with these labels; the labels are numbers of the target's classes."""
    near, distances = across(x, others, min(NEAREST, len(others)))
    own, own_distances = neighbours.nearest(x, np.arange(len(x)), min(NEAREST, len(x) - 1))
    farther = distances[:, 0] / np.maximum(own_distances[:, 0], np.finfo(float).tiny)
    mean = x.mean(axis=0, dtype=np.float64)
    centred = x - mean
    left_out = probe.solve(probe.moments(centred, labels, classes), centred, labels).left_out
    apart = np.median(farther[own_distances[:, 0] > 0]) if own_distances[:, 0].any() else NAN
    votes = [_crossed(labels, _vote(found), classes) for found in (labels[own], other_labels[near])]
    return Nearby(rows[near], distances, *votes, float(apart), float((left_out.argmax(axis=1) == labels).mean()),
                  float(np.linalg.norm(mean - others.mean(axis=0, dtype=np.float64))), float(np.sqrt((centred**2).sum(axis=1).mean())))


def across(x: np.ndarray, others: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """(rows, distances), each (n, k): the nearest of the others to each row of x; ties go to the lower row."""
    both = np.concatenate([others, x]).astype(np.float64)
    both -= both.mean(axis=0)
    others, x = np.split(both, [len(others)])
    squares, wide, step = (others**2).sum(axis=1), min(k + neighbours.SPARE, len(others)), max(1, neighbours.BLOCK // (8 * len(others)))
    found, distances = np.zeros((len(x), k), np.int64), np.zeros((len(x), k))
    for i in range(0, len(x), step):
        some = x[i:i + step]
        near = np.sort(np.argpartition(squares - 2 * (some @ others.T), wide - 1, axis=1)[:, :wide], axis=1)
        exact = np.stack([((others[rows] - row)**2).sum(axis=1) for rows, row in zip(near, some, strict=True)])
        order = exact.argsort(axis=1, kind="stable")[:, :k]
        found[i:i + step], distances[i:i + step] = (np.take_along_axis(of, order, axis=1) for of in (near, exact))
    return found, np.sqrt(distances)


@dataclass(frozen=True, eq=False)
class Pairs:
    """Every domain as the target (row) of every other as its source (column): NaN on the diagonal, where it is not known yet, and where `reasons` says why not.

    predicted  (domains, domains) RADAR at all items: higher is a worse source
    measured   (domains, domains, splits) gain with `budget` items of the target
    """

    names: tuple
    predicted: np.ndarray
    measured: np.ndarray
    budget: int
    reasons: Mapping = field(default_factory=dict)  # "target from source" -> why
    warnings: tuple = ()
    options: Mapping = field(default_factory=dict)
    final: bool = False

    def __post_init__(self):
        tuples(self, "names", "warnings")

    @property
    def places(self) -> list[tuple[int, int]]:
        """(target, source) of each pair, in the order in which all that is listed here comes."""
        return [(i, j) for i in range(len(self.names)) for j in range(len(self.names)) if i != j]

    @property
    def titles(self) -> list[str]:
        return [f"{self.names[i]} from {self.names[j]}" for i, j in self.places]

    @property
    def split(self) -> float:
        """The median prediction: what is no higher looked good."""
        known = [self.predicted[i, j] for i, j in self.places if np.isfinite(self.predicted[i, j])]
        return float(np.median(known)) if known else NAN

    def interval(self, target: str, source: str) -> tuple[float, float, float]:
        """(mean, low, high) of the gain; NaN while it is not measured."""
        known = self.measured[self._place(target), self._place(source)]
        known = known[np.isfinite(known)]
        return mean_interval(known) if len(known) else (NAN, NAN, NAN)

    def quadrant(self) -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray]:
        """(titles, predicted, measured, intervals) of the pairs."""
        spans = np.array([self.interval(self.names[i], self.names[j]) for i, j in self.places]).reshape(-1, 3)
        return self.titles, np.array([self.predicted[i, j] for i, j in self.places]), spans[:, 0], spans[:, 1:]

    def looked_good_but_hurt(self) -> list[tuple[str, str]]:
        """(target, source) of the pairs no farther apart than the median whose gain is below 0 with its interval, what hurt most first."""
        split, found = self.split, []
        for i, j in self.places:
            mean, _, high = self.interval(self.names[i], self.names[j])
            if self.predicted[i, j] <= split and high < 0:
                found.append((mean, self.names[i], self.names[j]))
        return [(target, source) for _, target, source in sorted(found)]

    def reason(self, target: str, source: str) -> str:
        return self.reasons.get(f"{target} from {source}", "")

    def table(self):
        """One line per pair."""
        import pandas as pd
        _, predicted, measured, spans = self.quadrant()
        wrong, pairs = self.looked_good_but_hurt(), [(self.names[i], self.names[j]) for i, j in self.places]
        return pd.DataFrame({"target": [t for t, _ in pairs], "source": [s for _, s in pairs], "radar": predicted, "gain": measured, "low": spans[:, 0],
                             "high": spans[:, 1], "looked_good_but_hurt": [pair in wrong for pair in pairs], "reason": [self.reason(*pair) for pair in pairs]})

    def manifest(self) -> dict:
        return plain({"names": list(self.names), "predicted": self.predicted.tolist(), "measured": self.measured.tolist(), "budget": self.budget,
                      "split": self.split, "looked_good_but_hurt": self.looked_good_but_hurt(), "reasons": dict(self.reasons),
                      "warnings": list(self.warnings), "options": dict(self.options), "final": self.final})

    def _place(self, name: str) -> int:
        if name not in self.names:
            raise InputError(f"There is no domain {name!r} here.", f"There are: {', '.join(self.names) or 'none'}.")
        return self.names.index(name)


def _vote(labels: np.ndarray) -> np.ndarray:
    """The label that most of a row carry, of equally many the first."""
    most = (labels[:, :, None] == labels[:, None]).sum(axis=2).argmax(axis=1)
    return labels[np.arange(len(labels)), most]


def _crossed(true: np.ndarray, told: np.ndarray, classes: int) -> np.ndarray:
    return np.bincount(true * classes + told, minlength=classes**2).reshape(classes, classes)


def _first(turned: np.ndarray) -> np.ndarray:
    """Rows below 0, the lowest first."""
    order = np.argsort(turned, kind="stable")
    return order[turned[order] < 0][:SHOWN]


def _mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else NAN


def _effect(interval: tuple[float, float, float]) -> str:
    return "helped" if interval[1] > 0 else "hurt" if interval[2] < 0 else "no clear effect"


def _strength(value: float, steps: tuple[float, float]) -> str:
    return "strong" if value >= steps[1] else "some" if value >= steps[0] else "none"


def _not_yet(name: str) -> Cause:
    return Cause(name, "unknown", "Not looked at yet.")


def _listed(names) -> str:
    names = list(names)
    return ", ".join(names[:LISTED]) + (f" and {len(names) - LISTED} more" if len(names) > LISTED else "")


def _percent(share: float) -> str:
    return f"{100 * share:.1f}\u202f%"


def _signed(value: float) -> str:
    return f"{value:+.1f}".replace("-", "\u2212")


def _number(value: float) -> str:
    return f"{value:.3g}"


def _count(value: int) -> str:
    return f"{value:,}".replace(",", "\u202f")


def _title(name: str) -> str:
    return name[:1].upper() + name[1:]
