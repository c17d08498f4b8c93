"""One target against one source: what is kept of a score, and what can be read off it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from analysis.errors import InputError
from analysis.metrics.domain import domain, together
from analysis.metrics.fitting import divergences, fitted, gauge, part, remarks, scored
from analysis.metrics.mixture import Mixture
from analysis.metrics.readings import Options
from analysis.metrics.result import plain, tuples

SIDES = ("within", "cross")
KINDS = ("angle", "distance")
GRID = 256  # points along each ray or arc where a density is summed up


class Drivers(NamedTuple):
    """Which source items, and with labels which classes, pairs across owe their mean log ratio to: largest first, over so many pairs each."""

    items: np.ndarray
    item_ratios: np.ndarray
    item_pairs: np.ndarray
    classes: np.ndarray
    class_ratios: np.ndarray
    class_pairs: np.ndarray


@dataclass(frozen=True, eq=False)
class Radar:
    """A target and a source over the transitions between the states of a window.

    score, mc_error           in nats, and the error of the Monte Carlo draws alone: it knows nothing of the items being a sample
    within, cross             (pairs, 2 transitions) angles at the partner in radians, then distances; (d cos, d sin) of the angle where the geometry says so
    within_pairs, cross_pairs (pairs, 2) rows of the anchor in the target and of the partner, in the target or in the source
    per_transition, marginals divergence of (angle, distance) at each transition, and of each of the two alone
    log_ratio                 of each pair across: how much likelier it is across than within
    dropped                   pairs without a triangle, within and across
    layers, names, n          the states; target and source, and their items
    centroid, spread          of each state: distance of the two means, and root mean square distance of the target's items from theirs
    gauge                     centroid over spread in the very first layer: how far apart the domains are before the model does anything
    within_weights ... scale  the two mixtures of (vectors - shift) / scale
    """

    score: float
    mc_error: float
    within: np.ndarray
    cross: np.ndarray
    within_pairs: np.ndarray
    cross_pairs: np.ndarray
    per_transition: np.ndarray
    marginals: np.ndarray
    log_ratio: np.ndarray
    dropped: tuple
    layers: tuple
    names: tuple
    n: tuple
    centroid: np.ndarray
    spread: np.ndarray
    gauge: float
    within_weights: np.ndarray
    within_means: np.ndarray
    within_covariances: np.ndarray
    cross_weights: np.ndarray
    cross_means: np.ndarray
    cross_covariances: np.ndarray
    shift: np.ndarray
    scale: np.ndarray
    warnings: tuple = ()
    options: Mapping = field(default_factory=dict)

    def __post_init__(self):
        tuples(self, "dropped", "layers", "names", "n", "warnings")

    @property
    def transitions(self) -> int:
        return len(self.layers) - 1

    @property
    def within_mixture(self) -> Mixture:
        return Mixture(self.within_weights, self.within_means, self.within_covariances)

    @property
    def cross_mixture(self) -> Mixture:
        return Mixture(self.cross_weights, self.cross_means, self.cross_covariances)

    def angles(self, side: str) -> np.ndarray:
        """(pairs, transitions) in radians, as the options say they are shown."""
        return self._shown(self._polar(self._side(side))[0])

    def distances(self, side: str) -> np.ndarray:
        """(pairs, transitions)"""
        return self._polar(self._side(side))[1]

    def density(self, transition: int, kind: str, x) -> tuple[np.ndarray, np.ndarray]:
        """(within, cross): what the mixtures make of the angles (in radians, as shown) or the distances x of one transition."""
        if kind not in KINDS:
            raise InputError(f"{kind!r} has no density.", f"Use one of {', '.join(KINDS)}.")
        columns, x = self._columns(transition), np.asarray(x, np.float64)
        x = self._shown(x) if kind == "angle" else x
        if self._flat:
            return tuple(self._unrolled(m.marginal(columns), columns, kind, x) for m in (self.within_mixture, self.cross_mixture))
        column = columns[KINDS.index(kind)]
        z = ((x - self.shift[column]) / self.scale[column]).reshape(-1, 1)
        return tuple((np.exp(m.marginal([column]).log_density(z)) / self.scale[column]).reshape(x.shape) for m in (self.within_mixture, self.cross_mixture))

    def ratios(self, transition: int) -> np.ndarray:
        """Of each pair across: the log ratio that one transition alone gives it."""
        columns = self._columns(transition)
        z = (self.cross[:, columns] - self.shift[columns]) / self.scale[columns]
        return self.cross_mixture.marginal(columns).log_density(z) - self.within_mixture.marginal(columns).log_density(z)

    def items(self, labels=None, transition: int | None = None) -> Drivers:
        """Mean log ratio of the pairs of each source item, and of each class of `labels` (one per source item)."""
        values = self.log_ratio if transition is None else self.ratios(transition)
        rows, none = self.cross_pairs[:, 1], np.zeros(0, np.int64)
        by_class = none, np.zeros(0), none
        if labels is not None:
            labels = np.asarray(labels)
            if len(labels) != self.n[1]:
                raise InputError(f"{len(labels)} labels were given for the {self.n[1]} items of {self.names[1]}.", "Give one label per item.")
            by_class = _averaged(labels[rows], values)
        return Drivers(*_averaged(rows, values), *by_class)

    def table(self):
        """One line per transition."""
        import pandas as pd
        means = {f"{kind}_{side}": getattr(self, f"{kind}s")(side).mean(axis=0, dtype=np.float64) for kind in KINDS for side in SIDES}
        return pd.DataFrame({"from": self.layers[:-1], "to": self.layers[1:], "divergence": self.per_transition, "angle_divergence": self.marginals[:, 0],
                             "distance_divergence": self.marginals[:, 1], **means, "centroid": self.centroid[:-1], "spread": self.spread[:-1]})

    def manifest(self) -> dict:
        arrays = {name: plain(getattr(self, name).tolist()) for name in ("per_transition", "marginals", "centroid", "spread")}
        lists = {name: list(getattr(self, name)) for name in ("names", "layers", "n", "dropped", "warnings")}
        pairs = [len(self.within), len(self.cross)]
        return {"score": self.score, "mc_error": self.mc_error, **lists, "pairs": pairs, "gauge": plain(self.gauge), **arrays, "options": dict(self.options)}

    @property
    def _flat(self) -> bool:
        return self.options.get("geometry") == "pseudo-cartesian"

    def _columns(self, transition: int) -> list[int]:
        if not 0 <= transition < self.transitions:
            raise InputError(f"There is no transition {transition!r}.", f"They are numbered from 0 to {self.transitions - 1}.")
        return [int(transition), int(transition) + self.transitions]

    def _side(self, side: str) -> np.ndarray:
        if side not in SIDES:
            raise InputError(f"There is no side {side!r}.", f"Use one of {', '.join(SIDES)}.")
        return getattr(self, side)

    def _polar(self, found: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        first, second = np.split(found, 2, axis=1)
        if not self._flat:
            return first, second
        sign = np.where(second < 0, -1, 1).astype(found.dtype)  # no angle has a negative sine: the distance was below 0
        return np.arctan2(sign * second, sign * first), sign * np.hypot(first, second)

    def _shown(self, angles: np.ndarray) -> np.ndarray:
        return np.pi - angles if self.options.get("angle") == "turning" else angles

    def _unrolled(self, found: Mixture, columns: list[int], kind: str, x: np.ndarray) -> np.ndarray:
        """The density of an angle or a distance where the mixture is one of (d cos, d sin): summed along the ray, or the half circle."""
        reach = max(np.hypot(*side[:, columns].T).max() for side in (self.within, self.cross))
        other = (np.arange(GRID) + 0.5) / GRID * (np.pi if kind == "distance" else reach)
        angle, distance = np.broadcast_arrays(other, x[..., None])[::1 if kind == "distance" else -1]
        z = (np.stack([distance * np.cos(angle), distance * np.sin(angle)], axis=-1) - self.shift[columns]) / self.scale[columns]
        density = np.exp(found.log_density(z.reshape(-1, 2))).reshape(angle.shape) * np.abs(distance) / self.scale[columns].prod()
        return density.sum(axis=-1) * (np.pi if kind == "distance" else reach) / GRID


def compare(target, source, *, target_labels=None, source_labels=None, options: Options = Options()) -> Radar:  # noqa: B008
    """The point score of a source for a target: Representations of one model, or lists of (n, d) arrays, one per layer, with labels where there are any."""
    target, source = domain(target, target_labels, "target"), domain(source, source_labels, "source")
    layers = together(target, source, options)
    found = scored(part(target, layers), part(source, layers, target.classes), options)
    first, second = found.mixtures or fitted(found, options)
    across, moments, parts = found.standing(found.cross), [(target.moments(name), source.moments(name)) for name in layers], divergences(found, options)
    return Radar(score=found.score, mc_error=found.error, within=found.within.vectors, cross=found.cross.vectors, within_pairs=found.within.pairs,
                 cross_pairs=found.cross.pairs, per_transition=parts[:, 0], marginals=parts[:, 1:],
                 log_ratio=second.log_density(across) - first.log_density(across), dropped=(found.within.dropped, found.cross.dropped),
                 layers=tuple(map(str, layers)), names=(target.name, source.name), n=(len(target), len(source)),
                 centroid=np.array([np.linalg.norm(a - b) for (a, _), (b, _) in moments]), spread=np.array([spread for (_, spread), _ in moments]),
                 gauge=gauge(target, source), within_weights=first.weights, within_means=first.means, within_covariances=first.covariances,
                 cross_weights=second.weights, cross_means=second.means, cross_covariances=second.covariances, shift=found.shift, scale=found.scale,
                 warnings=remarks(target, source, found), options=options.manifest())


def _averaged(groups: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(group, mean, count), the largest mean first."""
    found, member, counts = np.unique(groups, return_inverse=True, return_counts=True)
    means = np.bincount(member, values, len(found)) / counts
    order = np.argsort(-means, kind="stable")
    return found[order], means[order], counts[order]
