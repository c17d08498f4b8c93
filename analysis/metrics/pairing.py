"""Which pairs RADAR looks at: anchors from the core of each class, partners from core and boundary."""

from typing import NamedTuple

import numpy as np

from analysis.errors import InputError

TINY = 1e-3  # of the median distance, added to all where nearness counts


class Crowd(NamedTuple):
    """Items that pairs are drawn from: their classes, their distances to the centroid of their class, and what they are called, where that is known."""

    classes: np.ndarray
    radii: np.ndarray
    ids: np.ndarray | None = None

    def core(self) -> np.ndarray:
        """Which items are no farther than the median of their class."""
        inside = np.empty(len(self.radii), bool)
        for label in np.unique(self.classes):
            rows = self.classes == label
            inside[rows] = self.radii[rows] <= np.median(self.radii[rows])
        return inside


def crowd(states: np.ndarray, labels: np.ndarray | None, ids: np.ndarray | None = None) -> Crowd:
    """From the states of the reference layer; without labels all items are of one class."""
    classes = np.zeros(len(states), np.int64) if labels is None else np.asarray(labels)
    radii = np.empty(len(states))
    for label in np.unique(classes):
        rows = np.flatnonzero(classes == label)
        own = states[rows].astype(np.float64)
        radii[rows] = np.linalg.norm(own - own.mean(axis=0), axis=1)
    return Crowd(classes, radii, ids)


def anchors(target: Crowd, options, among=None) -> np.ndarray:
    """Rows of the target: of its core, as many of each class, or of each class `among` these; "uniform": of all items."""
    rng = np.random.default_rng([options.seed, 0])
    if options.sampling == "uniform":
        return rng.integers(len(target.radii), size=options.pairs)
    core, classes = target.core(), np.unique(target.classes) if among is None else np.asarray(among)
    drawn = rng.permutation(classes[np.arange(options.pairs) % len(classes)])
    found = np.empty(options.pairs, np.int64)
    for label in classes:
        asked = drawn == label
        found[asked] = rng.choice(np.flatnonzero(core & (target.classes == label)), asked.sum())
    return found


def partners(rows: np.ndarray, target: Crowd, options, other: Crowd | None = None) -> np.ndarray:
    """One row for each of these anchors, in another domain, or in the target: never the anchor itself, which another domain may hold under the same id."""
    rng, crowd = np.random.default_rng([options.seed, 1 if other is None else 2]), target if other is None else other
    mine, others = [np.arange(len(target.radii))] * 2 if other is None else (target.ids, other.ids)
    found, todo = np.empty_like(rows), np.arange(len(rows))
    pools = {} if options.sampling == "uniform" else _pools(crowd)
    while len(todo):
        found[todo] = _drawn(rng, crowd, pools, target.classes[rows[todo]], options.sampling)
        todo = todo[:0] if mine is None or others is None else todo[mine[rows[todo]] == others[found[todo]]]
    return found


def shared(target: Crowd, other: Crowd) -> np.ndarray:
    """Classes of which an anchor can have a partner in both domains."""
    classes, counts = np.unique(target.classes, return_counts=True)
    found = np.array([label for label in np.intersect1d(classes[counts > 1], other.classes) if not _only(target, other, label)])
    if not len(found):
        raise InputError("Partners of the anchor's class need a class that both domains have, with two items of the target or more.",
                         "Name the classes alike, or use the stratified sampling.")
    return found


def _only(target: Crowd, other: Crowd, label: int) -> bool:
    """Whether all that a class holds there is one item, which is in the target too."""
    rows = np.flatnonzero(other.classes == label)
    return len(rows) == 1 and target.ids is not None and other.ids is not None and other.ids[rows[0]] in target.ids[target.classes == label]


def _drawn(rng: np.random.Generator, crowd: Crowd, pools: dict, classes: np.ndarray, sampling: str) -> np.ndarray:
    if sampling == "uniform":
        return rng.integers(len(crowd.radii), size=len(classes))
    if sampling == "stratified":
        classes = rng.choice(np.unique(crowd.classes), len(classes))
    boundary, place, found = rng.random(len(classes)) < 0.5, rng.random(len(classes)), np.empty(len(classes), np.int64)
    for (label, outside), (rows, ends) in pools.items():
        asked = (classes == label) & (boundary == outside)
        found[asked] = rows[np.searchsorted(ends, place[asked] * ends[-1], side="right")]
    return found


def _pools(crowd: Crowd) -> dict[tuple[int, bool], tuple[np.ndarray, np.ndarray]]:
    """(class, boundary or core) -> its rows and their summed weights: the core by nearness, the boundary by distance; where nothing lies outside, the core."""
    core, near = crowd.core(), 1 / (crowd.radii + (TINY * np.median(crowd.radii) or 1))
    found = {}
    for label in np.unique(crowd.classes):
        inside, outside = (np.flatnonzero((crowd.classes == label) & side) for side in (core, ~core))
        found[label, False] = inside, np.cumsum(near[inside])
        found[label, True] = (outside, np.cumsum(crowd.radii[outside])) if len(outside) else found[label, False]
    return found
