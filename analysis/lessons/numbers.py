"""The numbers that a lesson may read off a result. One that is not there yet is NaN."""

import math
from collections.abc import Callable

import numpy as np

from analysis.metrics.invariance import PARTS, TRANSFERS

NAN = math.nan


# of a survey; an entry is counted from 0

def pieces(found, radius: float, entry: int = 0) -> float:
    """How many pieces are left when points no further apart than the radius are joined."""
    return 1 + int((_deaths(found, entry) > radius).sum()) if entry < len(found) else NAN


def bar(found, rank: int, entry: int = 0) -> float:
    """Length of the longest H0 bar (rank 1), the second (2), ..."""
    bars = np.sort(_deaths(found, entry))[::-1] if entry < len(found) else ()
    return float(bars[rank - 1]) if 0 < rank <= len(bars) else NAN


def bars(found, entry: int = 0) -> float:
    """How many H0 bars end."""
    return len(_deaths(found, entry)) if entry < len(found) else NAN


def ratio(found, classes: int, entry: int = 0) -> float:
    """The Persistence Ratio at so many classes."""
    return float(found.ratios(classes)["value"][entry]) if entry < len(found) else NAN


def groups(found, entry: int = 0) -> float:
    """Groups that the largest gap between lifetimes leaves."""
    return int(found.groups[entry]) if entry < len(found) else NAN


def _deaths(found, entry: int) -> np.ndarray:
    return found.bars(entry, 0)[:, 1]


# of a comparison

def tas(found, k: int) -> float:
    """TAS at one neighbourhood size."""
    return float(found.tas[k - 1]) if 0 < k <= len(found.tas) else NAN


def tas_least(found, last: int, first: int = 1) -> float:
    """The lowest TAS from one neighbourhood size to another."""
    return float(found.tas[first - 1:last].min()) if 0 < first <= last <= len(found.tas) else NAN


def tas_most(found, last: int, first: int = 1) -> float:
    """The highest TAS from one neighbourhood size to another."""
    return float(found.tas[first - 1:last].max()) if 0 < first <= last <= len(found.tas) else NAN


def companion(found, name: str) -> float:
    """A score without k: "CKA, biased", "CKA, debiased", "Procrustes", "RSA"."""
    value = found.companions.get(name)
    return NAN if value is None else float(value)


# of one triangle

def angle(found) -> float:
    """Theta in degrees."""
    return math.degrees(found.theta)


def excess(found) -> float:
    """d, the excess length."""
    return found.d


# of RADAR

def score(found) -> float:
    """RADAR's score at all items."""
    return float(found.score)


def divergence(found, transition: int) -> float:
    """Where the two distributions part: at one transition, counted from 1."""
    return float(found.per_transition[transition - 1]) if 0 < transition <= len(found.per_transition) else NAN


def angle_divergence(found, transition: int) -> float:
    """Where the angles alone part."""
    return float(found.marginals[transition - 1, 0]) if 0 < transition <= len(found.marginals) else NAN


def steepest(found) -> float:
    """The transition that diverges most, counted from 1."""
    return int(np.nanargmax(found.per_transition)) + 1


def mean_angle(found, side: str, transition: int) -> float:
    """Mean angle in degrees at one transition, of the pairs "within" or "cross"."""
    pairs = {"within": found.within, "cross": found.cross}.get(side)
    return NAN if pairs is None or not 0 < transition <= found.transitions else float(np.degrees(pairs[:, transition - 1].mean()))


def null_top(found) -> float:
    """The top of what halves of the target score against one another."""
    return _known_max(found.null)


def matched(found, source: str) -> float:
    """Mean score of a source on halves, which the null is comparable with."""
    values = found.sources[source].matched if source in found.names else np.zeros(0)
    values = values[np.isfinite(values)]
    return float(values.mean()) if len(values) else NAN


def rank(found, source: str) -> float:
    """Place of a source among all, the nearest first."""
    place = found.sources[source].rank if source in found.names else 0
    return place or NAN


def _known_max(values: np.ndarray) -> float:
    known = np.asarray(values)[np.isfinite(values)]
    return float(known.max()) if len(known) else NAN


# of a case that was looked into

def gain(found) -> float:
    """What the source adds to the accuracy, in points."""
    return 100 * float(found.delta[0])


def gain_low(found) -> float:
    """The low end of its interval."""
    return 100 * float(found.delta[1])


def gain_high(found) -> float:
    """The high end of its interval."""
    return 100 * float(found.delta[2])


def radar(found) -> float:
    """RADAR's score of the source."""
    return float(found.radar)


def own(found) -> float:
    """How often the nearest other items of the target know an item's label, in per cent."""
    return 100 * float(found.own)


def borrowed(found) -> float:
    """How often the nearest items of the source know it, in per cent."""
    return 100 * float(found.borrowed)


# of sensitivity, and of the experiments on invariance

def sensitivity(found, transform: str, layer: str = "") -> float:
    """Of a transform, at a layer; the last one where none is named."""
    layer = layer or found.layers[-1]
    there = transform in found.transforms and layer in found.layers
    return float(found.value[found.transforms.index(transform), found.layers.index(layer)]) if there else NAN


def accuracy(found, trained: str, transfer: str, setting: int = 0) -> float:
    """In per cent, of a probe after one training on one task."""
    return _cell(found, found.spans, found.transfers, trained, transfer, setting, 100)


def noticed(found, trained: str, part: str, setting: int = 0) -> float:
    """Sensitivity after one training to another "picture" or another "object"."""
    return _cell(found, found.sensed, PARTS, trained, part, setting, 1)


def cost(found, setting: int = 0) -> float:
    """What ignoring the object costs in points of accuracy on it."""
    return 100 * float(found.harm(setting)[0])


def cost_low(found, setting: int = 0) -> float:
    """The low end of its interval."""
    return 100 * float(found.harm(setting)[1])


def cost_high(found, setting: int = 0) -> float:
    """The high end of its interval."""
    return 100 * float(found.harm(setting)[2])


def published(found, trained: str, transfer: str) -> float:
    """The published accuracy in per cent, of another data set and larger networks."""
    from analysis.published import INVARIANCE_HARM
    return 100 * INVARIANCE_HARM[trained][0][TRANSFERS.index(transfer)]


def _cell(found, spans: Callable, columns, row: str, column: str, setting: int, unit: float) -> float:
    there = row in found.trained and column in columns and 0 <= setting < len(found.settings)
    return unit * float(spans(setting)[found.trained.index(row), list(columns).index(column), 0]) if there else NAN
