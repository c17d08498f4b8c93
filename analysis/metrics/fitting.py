"""How a score comes about: pairs of a target and a partner domain, their vectors, a mixture for each side, and how far the two lie apart."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from analysis.errors import InputError
from analysis.metrics import mixture, pairing
from analysis.metrics.domain import Domain, reference
from analysis.metrics.mixture import Mixture
from analysis.metrics.readings import Options
from analysis.metrics.triangles import vectors

STARTS, SOME = 4, 2500  # mixtures that are tried, on so many vectors or more
ROUGH, FINE = 1e-3, 1e-5  # gain in the mean log likelihood below which a fit ends that is but a start: of those tried, of the one that is taken
ROUNDS = 2000  # of a fit at most
SINGLE = 4  # items of a class below which it has hardly a core and a boundary
FEW = 300  # vectors of which the Sinkhorn divergence of one transition is computed: there are three for each


class Part(NamedTuple):
    """Some items of a domain: the states of all of them, which rows they are, and what pairs are drawn by."""

    name: str
    layers: Sequence
    states: list[np.ndarray]
    rows: np.ndarray
    crowd: pairing.Crowd


class Side(NamedTuple):
    """Pairs that have triangles, as rows of their domains, their vectors, and how many had none."""

    pairs: np.ndarray
    vectors: np.ndarray
    dropped: int


class Scored(NamedTuple):
    """What a score is made of, so that it can be refitted. mixtures: of (vectors - shift) / scale; None where the divergence needs none."""

    within: Side
    cross: Side
    shift: np.ndarray
    scale: np.ndarray
    mixtures: tuple[Mixture, Mixture] | None
    score: float
    error: float

    def standing(self, side: Side, kept=slice(None)) -> np.ndarray:
        return (side.vectors[kept] - self.shift) / self.scale


def part(of: Domain, layers: Sequence, classes: Sequence[str] | None = None, rows: np.ndarray | None = None) -> Part:
    """These rows of a domain, or all; its classes numbered by name as in `classes`, those that are not among them after these."""
    rows, labels = np.arange(len(of)) if rows is None else rows, of.labels
    if labels is not None and classes is not None:
        numbers = {name: i for i, name in enumerate(dict.fromkeys([*classes, *of.classes]))}
        labels = np.array([numbers[name] for name in of.classes], np.int64)[labels]
    said = (None if known is None else known[rows] for known in (labels, of.ids))
    return Part(of.name, layers, of.states(layers), rows, pairing.crowd(of.layers[reference(layers)][rows], *said))


def scored(target: Part, source: Part, options: Options, within: tuple[np.ndarray, Side] | None = None, start: Mixture | None = None) -> Scored:
    """within, start: what `inside` and `opening` give for this target, or for the whole that it is half of, where that is known already."""
    alike = options.sampling == "same_class"
    anchors, first = within or inside(target, options, pairing.shared(target.crowd, source.crowd) if alike else None)
    second = _side(target, source, anchors, pairing.partners(anchors, target.crowd, options, source.crowd), options)
    both = np.concatenate([first.vectors, second.vectors], dtype=np.float64)
    shift, scale = (both.mean(axis=0), both.std(axis=0)) if options.standardise else np.stack([np.zeros(both.shape[1]), np.ones(both.shape[1])])
    found = Scored(first, second, shift, np.where(scale > 0, scale, 1), None, np.nan, np.nan)
    return refitted(found, options, start=start)


def inside(target: Part, options: Options, among: np.ndarray | None = None) -> tuple[np.ndarray, Side]:
    """(anchors, pairs within): the same for every source, unless partners must be of the anchor's class."""
    anchors = pairing.anchors(target.crowd, options, among)
    return anchors, _side(target, target, anchors, pairing.partners(anchors, target.crowd, options), options)


def opening(side: Side, options: Options) -> Mixture:
    """Where mixtures begin: that of the pairs within a target, from the likeliest of several that some of them give; in the unit of the vectors."""
    x = side.vectors.astype(np.float64)
    shift, scale = x.mean(axis=0), np.where((scale := x.std(axis=0)) > 0, scale, 1)
    z, fit = (x - shift) / scale, _fit(options)
    some = z[::max(1, len(z) // SOME)]
    starts = [fit(some, seed=options.seed + i, tolerance=ROUGH) for i in range(STARTS)]
    found = fit(z, start=max(starts, key=lambda start: start.log_density(some).mean()), tolerance=FINE)
    return Mixture(found.weights, found.means * scale + shift, found.covariances * np.outer(scale, scale))


def refitted(found: Scored, options: Options, kept: tuple = (slice(None), slice(None)), start: Mixture | None = None) -> Scored:
    """The score of the pairs that are kept, within and across, from mixtures that start where these stand."""
    if options.divergence == "sinkhorn":
        sides, masks = [found.standing(side) for side in (found.within, found.cross)], []
        for side, rows in zip(sides, kept, strict=True):
            masks.append(np.zeros(len(side), bool))
            masks[-1][rows] = True
        return found._replace(**dict(zip(("score", "error"), mixture.sinkhorn(*sides, seed=options.seed, kept=masks), strict=True)))
    both = fitted(found, options, kept, start)
    value, error = mixture.divergence(*both, kind=options.divergence, draws=options.draws, seed=options.seed)
    return found._replace(mixtures=both, score=value, error=error)


def fitted(found: Scored, options: Options, kept: tuple = (slice(None), slice(None)), start: Mixture | None = None) -> tuple[Mixture, Mixture]:
    """Both from where the mixtures stand, or from one of both sides together: found apart, two alike sides may end in different optima, many nats apart."""
    sides = [found.standing(side, rows) for side, rows in zip((found.within, found.cross), kept, strict=True)]
    fit, starts = _fit(options), found.mixtures
    if not starts:
        start = start or opening(found.within, options)
        start = Mixture(start.weights, (start.means - found.shift) / found.scale, start.covariances / np.outer(found.scale, found.scale))
        starts = [fit(np.concatenate(sides), start=start, tolerance=FINE)] * 2
    return tuple(fit(x, start=start, tolerance=options.tolerance) for x, start in zip(sides, starts, strict=True))


def _fit(options: Options) -> Callable:
    return partial(mixture.fit, components=options.components, covariance=options.covariance, ridge=options.ridge, rounds=ROUNDS, device=options.device)


def remarks(target: Domain, source: Domain, found: Scored) -> list[str]:
    """What a reader of the score should know."""
    said = [f"{side.name} has no labels: its pairs are drawn over all items, not evenly over classes." for side in (target, source) if side.labels is None]
    for side in (target, source):
        if side.labels is not None and 2 * ((sizes := np.bincount(side.labels))[sizes > 0] < SINGLE).sum() > (sizes > 0).sum():
            said.append(f"Most classes of {side.name} hold fewer than {SINGLE} items: core and boundary of a class mean little.")
    for where, side in ((f"within {target.name}", found.within), (f"of {target.name} with {source.name}", found.cross)):
        if side.dropped:
            said.append(f"{side.dropped} of {side.dropped + len(side.pairs)} pairs {where} have no triangle and were left out.")
    return said


def divergences(found: Scored, options: Options) -> np.ndarray:
    """(transitions, 3) of angle and distance together, of the angle, of the distance."""
    first, second = found.mixtures or (None, None)
    count = found.within.vectors.shape[1] // 2
    groups = [group for i in range(count) for group in ((i, count + i), (i,), (count + i,))]
    if options.divergence == "montecarlo":
        values = mixture.marginal_divergences(first, second, groups, draws=options.draws, seed=options.seed)
    elif options.divergence == "components":
        values = [mixture.divergence(first.marginal(group), second.marginal(group), kind="components")[0] for group in groups]
    else:
        mine, other = (found.standing(side) for side in (found.within, found.cross))
        values = [mixture.sinkhorn(mine[:, group], other[:, group], points=FEW, draws=2, seed=options.seed)[0] for group in groups]
    return np.reshape(values, (count, 3))


def gauge(target: Domain, source: Domain) -> float:
    """How far apart the domains are, in spreads of the target, in the very first layer; NaN where its items are all the same there."""
    first = next(iter(target.layers))
    (mine, spread), (other, _) = target.moments(first), source.moments(first)
    return float(np.linalg.norm(mine - other) / spread) if spread else np.nan


def _side(target: Part, partner: Part, anchors: np.ndarray, partners: np.ndarray, options: Options) -> Side:
    pairs = np.stack([target.rows[anchors], partner.rows[partners]], axis=1)
    found = vectors(target.states, partner.states, pairs, options)
    sound = np.isfinite(found).all(axis=1)
    dropped = int((~sound).sum())
    if 2 * dropped > len(pairs):
        worst = int(np.isnan(found[:, :len(target.layers) - 1]).sum(axis=0).argmax())
        still = (target.states[worst][target.rows] == target.states[worst + 1][target.rows]).all(axis=1).mean() > 0.5
        where = f"within {target.name}" if target is partner else f"of {target.name} with {partner.name}"
        raise InputError(f"{dropped} of {len(pairs)} pairs {where} have no triangle, most from {target.layers[worst]!r} to {target.layers[worst + 1]!r}: "
                         f"{'items do not move' if still else 'items and partners coincide'} there.",
                         "Choose a window without these layers (another centre, or a smaller radius), or data with fewer duplicates.")
    return Side(pairs[sound], found[sound], dropped) if dropped else Side(pairs, found, 0)
