"""What the four experiments on the role of invariance come to. Every accuracy is of clean held-out items: training items are never pooled with them.

Numbers not there yet are NaN. A span is (mean, low, high) over the seeds by Student's t; low and high are NaN where there is one seed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from analysis.errors import InputError
from analysis.metrics.result import plain, tuples
from analysis.metrics.statistics import mean_interval

RELATIONS = ("same", "disjoint")  # of the transforms of pretraining to those of the target
FIGURES = ("within disjoint", "same vs disjoint", "within same")  # of each factor, as published
FACTORS = ("class relation", "architecture", "pretraining samples")
TRAINED = ("picture → picture", "both → picture", "both → object", "object → object")  # what is shown → what is to be told
TRANSFERS = ("picture", "both → picture", "both → object", "object")
PARTS = ("picture", "object")
KNOBS = ("correlation", "availability")
DATA = ("same objects", "new objects", "handwritten digits", "noise")
KINDS = ("same", "other", "none")  # trained with the transform, with another one, with none
NONE = "none"
IDLE = "The transform does nothing to these pictures."  # a reason in `Carried`


@dataclass(frozen=True, eq=False)
class Mismatch:
    """Networks pretrained under nested sets of transforms, frozen, and read by a linear probe under each set.

    transforms  in the order in which they join: a set is the first so many of them
    trained, tested  how many they are in each row, in each column
    accuracy    (seeds, trained, tested) of the probe, on classes that the network never saw
    learned     (seeds, trained) of each network on new pictures of its own classes and transforms
    chance      what guessing comes to
    """

    transforms: tuple
    trained: tuple
    tested: tuple
    accuracy: np.ndarray
    learned: np.ndarray
    chance: float
    notes: tuple = ()
    options: Mapping = field(default_factory=dict)

    def __post_init__(self):
        tuples(self, "transforms", "trained", "tested", "notes")
        _fits(self.accuracy, (None, len(self.trained), len(self.tested)), "accuracy")
        _fits(self.learned, (len(self.accuracy), len(self.trained)), "learned")

    @property
    def final(self) -> bool:
        return bool(np.isfinite(self.accuracy).all())

    def spans(self) -> np.ndarray:
        """(trained, tested, 3)"""
        return spans(self.accuracy, share=True)

    def own(self) -> np.ndarray:
        """(trained, 3) accuracy of each network on its own classes and transforms."""
        return spans(self.learned, share=True)

    def to_largest(self) -> np.ndarray:
        """(trained, 3) accuracy under the largest set."""
        return self.spans()[:, int(np.argmax(self.tested))]

    def costs(self) -> dict[str, tuple]:
        """Spans of the accuracy lost, on average, by pretraining under a larger and under a smaller set than that of the target."""
        size, wanted = np.array(self.trained)[:, None], np.array(self.tested)
        own = np.array([self.trained.index(t) if t in self.trained else -1 for t in self.tested])
        matched = np.where(own >= 0, self.accuracy[:, own, np.arange(len(own))], np.nan)
        lost = matched[:, None] - self.accuracy
        return {name: difference(np.array([_mean(seed[where]) for seed in lost])) for name, where in (("superset", size > wanted), ("subset", size < wanted))}

    def table(self):
        """One line per pretraining and target."""
        import pandas as pd
        cells = self.spans()
        return pd.DataFrame([{"trained with": i, "tested with": j, **_said(cells[row, column], "accuracy")}
                             for row, i in enumerate(self.trained) for column, j in enumerate(self.tested)])

    def manifest(self) -> dict:
        return _manifest(self, "transforms", "trained", "tested", "accuracy", "learned", "chance") | {"costs": _listed(self.costs())}


@dataclass(frozen=True, eq=False)
class Importance:
    """Networks pretrained under the target's transforms or under as many others, while something else about pretraining varies.

    factors, levels  what varies in each row, and how it is set there; a row of one factor may be one of another, and is measured once
    accuracy  (seeds, targets, relations, rows) of a linear probe on the target. Each seed deals two disjoint sets, and each is the target in turn
    learned   (seeds, sets, rows) of each network on new pictures of its own task
    sets      of each seed: the two sets of transforms
    """

    factors: tuple
    levels: tuple
    accuracy: np.ndarray
    learned: np.ndarray
    sets: tuple
    chance: float
    notes: tuple = ()
    options: Mapping = field(default_factory=dict)

    def __post_init__(self):
        tuples(self, "factors", "levels", "notes")
        object.__setattr__(self, "sets", tuple(tuple(tuple(names) for names in pair) for pair in self.sets))
        _fits(self.accuracy, (len(self.sets), 2, len(RELATIONS), len(self.factors)), "accuracy")
        _fits(self.learned, (len(self.sets), 2, len(self.factors)), "learned")
        if len(self.levels) != len(self.factors):
            raise InputError(f"{len(self.levels)} levels do not fit {len(self.factors)} factors.", "Give a factor and a level per row.")

    @property
    def final(self) -> bool:
        return bool(np.isfinite(self.accuracy).all())

    def spans(self) -> np.ndarray:
        """(relations, rows, 3)"""
        return spans(self.accuracy.mean(axis=1), share=True)

    def figures(self) -> dict[str, dict[str, tuple]]:
        """factor -> figure -> span: how far apart its levels lie under disjoint transforms, how far those lie below the same transforms, and how far apart
        its levels lie under the same. The distance of levels is that of the best from the worst, seed by seed: what chance adds to it counts too, and
        neither it nor its interval lies below 0."""
        means, found = self.accuracy.mean(axis=1), {}
        for factor in dict.fromkeys(self.factors):
            own = means[:, :, [name == factor for name in self.factors]]
            same, disjoint = own[:, 0], own[:, 1]
            apart = lambda side: side.max(axis=1) - side.min(axis=1)
            within, between, own_within = (difference(values) for values in (apart(disjoint), (same - disjoint).mean(axis=1), apart(same)))
            found[factor] = dict(zip(FIGURES, (_above_0(within), between, _above_0(own_within)), strict=True))
        return found

    def table(self):
        """One line per row and relation."""
        import pandas as pd
        cells = self.spans()
        return pd.DataFrame([{"varied": factor, "level": level, "transforms": relation, **_said(cells[i, row], "accuracy")}
                             for row, (factor, level) in enumerate(zip(self.factors, self.levels, strict=True)) for i, relation in enumerate(RELATIONS)])

    def differences(self):
        """One line per factor and figure, as the chart has them."""
        import pandas as pd
        return pd.DataFrame([{"varied": factor, "figure": name, **_said(values, "difference")} for factor, of in self.figures().items()
                             for name, values in of.items()])

    def manifest(self) -> dict:
        figures = {factor: _listed(found) for factor, found in self.figures().items()}
        return _manifest(self, "factors", "levels", "accuracy", "learned", "sets", "chance") | {"figures": figures}


@dataclass(frozen=True, eq=False)
class Harm:
    """Networks trained on pictures with an irrelevant small object in a corner, to use it or to ignore it.

    settings     (correlation of the object's class with the label, share of pictures that carry an object) of each training on both
    accuracy     (settings, seeds, trained, transfers) of a linear probe; in transfer every picture of both carries an object of any class
    sensitivity  (settings, seeds, trained, parts) to another picture beside the same object, and to another object on the same picture
    chance       what guessing comes to in each transfer
    """

    settings: tuple
    accuracy: np.ndarray
    sensitivity: np.ndarray
    chance: tuple
    trained: tuple = TRAINED
    transfers: tuple = TRANSFERS
    parts: tuple = PARTS
    notes: tuple = ()
    options: Mapping = field(default_factory=dict)

    def __post_init__(self):
        tuples(self, "chance", "trained", "transfers", "parts", "notes")
        object.__setattr__(self, "settings", tuple(tuple(setting) for setting in self.settings))
        _fits(self.accuracy, (len(self.settings), None, len(self.trained), len(self.transfers)), "accuracy")
        _fits(self.sensitivity, (*self.accuracy.shape[:3], len(self.parts)), "sensitivity")

    @property
    def final(self) -> bool:
        return bool(np.isfinite(self.accuracy).all() and np.isfinite(self.sensitivity).all())

    def spans(self, setting: int = 0) -> np.ndarray:
        """(trained, transfers, 3) of accuracy."""
        return spans(self.accuracy[setting], share=True)

    def sensed(self, setting: int = 0) -> np.ndarray:
        """(trained, parts, 3) of sensitivity."""
        return spans(self.sensitivity[setting])

    def harm(self, setting: int = 0) -> tuple:
        """Span of what ignoring the object cost: accuracy on objects in pictures after training on pictures alone, less that after both → picture."""
        of = self.accuracy[setting, :, :, self.transfers.index("both → object")]
        return difference(of[:, self.trained.index("picture → picture")] - of[:, self.trained.index("both → picture")])

    def noticed(self, setting: int = 0) -> tuple:
        """Span of how much more both → picture senses of the object than training on pictures alone does: below 0 it learned to ignore it."""
        of = self.sensitivity[setting, :, :, self.parts.index("object")]
        return span(of[:, self.trained.index("both → picture")] - of[:, self.trained.index("picture → picture")])

    def along(self, knob: str) -> tuple[np.ndarray, list[int]]:
        """(values of a knob, the settings that have them), the other knob being as in the first setting."""
        at = KNOBS.index(knob)
        there = sorted((s[at], i) for i, s in enumerate(self.settings) if s[1 - at] == self.settings[0][1 - at])
        return np.array([value for value, _ in there]), [i for _, i in there]

    def table(self):
        """One line per setting and training."""
        import pandas as pd
        lines = []
        for i, setting in enumerate(self.settings):
            cells, sensed = self.spans(i), self.sensed(i)
            for row, name in enumerate(self.trained):
                line = {"trained": name, **dict(zip(KNOBS, setting, strict=True))}
                for column, transfer in enumerate(self.transfers):
                    line |= _said(cells[row, column], f"accuracy, {transfer}")
                for column, part in enumerate(self.parts):
                    line |= _said(sensed[row, column], f"sensitivity, {part}")
                lines.append(line)
        return pd.DataFrame(lines)

    def costs(self, knob: str):
        """One line per value of a knob: what ignoring the object costs there."""
        import pandas as pd
        return pd.DataFrame([{knob: value, **_said(self.harm(i), "harm"), **_said(self.noticed(i), "noticed more")}
                             for value, i in zip(*self.along(knob), strict=True)])

    def manifest(self) -> dict:
        harm = [plain(list(self.harm(i))) for i in range(len(self.settings))]
        return _manifest(self, "settings", "trained", "transfers", "parts", "accuracy", "sensitivity", "chance") | {"harm": harm}


@dataclass(frozen=True, eq=False)
class Carried:
    """Networks trained under one transform each, and how sensitive each became to every transform on data it did and did not learn from.

    trained      the transforms, and "none" as the last
    transforms   whose sensitivity is measured; data: on what
    sensitivity  (seeds, trained, transforms, data) of the penultimate layer; NaN for good where `reasons` has it, under "trained · transform · data"
    learned      (seeds, trained) of each network on new pictures of its own task
    done         whether nothing more will come
    """

    trained: tuple
    transforms: tuple
    sensitivity: np.ndarray
    learned: np.ndarray
    data: tuple = DATA
    done: bool = False
    reasons: Mapping = field(default_factory=dict)
    notes: tuple = ()
    options: Mapping = field(default_factory=dict)

    def __post_init__(self):
        tuples(self, "trained", "transforms", "data", "notes")
        _fits(self.sensitivity, (None, len(self.trained), len(self.transforms), len(self.data)), "sensitivity")
        _fits(self.learned, (len(self.sensitivity), len(self.trained)), "learned")

    @property
    def final(self) -> bool:
        return self.done

    def spans(self) -> np.ndarray:
        """(trained, transforms, data, 3)"""
        return spans(self.sensitivity)

    def idle(self, data: str) -> tuple[str, ...]:
        """The transforms that do nothing to one kind of data."""
        return tuple(name for name in self.transforms if any(self.reasons.get(f"{row} · {name} · {data}") == IDLE for row in self.trained))

    def kinds(self) -> np.ndarray:
        """(kinds, data, 3): means over networks and transforms where the network was trained with the transform, with another, with none."""
        rows, columns = np.array(self.trained)[:, None], np.array(self.transforms)
        where = {"same": rows == columns, "other": (rows != columns) & (rows != NONE), "none": (rows == NONE) & (columns != NONE)}
        return np.stack([spans(np.array([_mean(seed[where[kind]]) for seed in self.sensitivity])) for kind in KINDS])

    def table(self):
        """One line per training, transform and data."""
        import pandas as pd
        cells = self.spans()
        return pd.DataFrame([{"trained with": name, "transform": transform, "data": data, **_said(cells[i, j, k], "sensitivity")}
                             for i, name in enumerate(self.trained) for j, transform in enumerate(self.transforms) for k, data in enumerate(self.data)])

    def manifest(self) -> dict:
        kinds = {kind: dict(zip(self.data, plain(found.tolist()), strict=True)) for kind, found in zip(KINDS, self.kinds(), strict=True)}
        return _manifest(self, "trained", "transforms", "data", "sensitivity", "learned", "done", "reasons") | {"kinds": kinds}


def span(values: np.ndarray) -> tuple[float, float, float]:
    """(mean, low, high) over the seeds that are there."""
    known = values[np.isfinite(values)]
    return mean_interval(known) if len(known) else (np.nan,) * 3


def difference(values: np.ndarray) -> tuple[float, float, float]:
    """The same of differences of shares: nothing in it lies beyond -1 and 1."""
    return tuple(np.clip(span(values), -1, 1).tolist())


def spans(values: np.ndarray, *, share: bool = False) -> np.ndarray:
    """(seeds, ...) -> (..., 3). No accuracy or sensitivity lies below 0, nor does the interval of one; a share does not lie above 1 either."""
    cells = values.reshape(len(values), -1).T
    found = np.array([span(cell) for cell in cells]).reshape(*values.shape[1:], 3)
    return found.clip(0, 1 if share else None)


def _above_0(found: tuple) -> tuple[float, ...]:
    return tuple(np.maximum(found, 0).tolist())  # NaN stays


def _mean(values: np.ndarray):
    """Of what is known, over the first axis."""
    known = np.isfinite(values)
    counts = known.sum(axis=0)
    return np.where(counts > 0, np.where(known, values, 0).sum(axis=0) / np.maximum(counts, 1), np.nan)


def _fits(values: np.ndarray, shape: tuple, name: str) -> None:
    if values.ndim != len(shape) or any(want not in (None, have) for have, want in zip(values.shape, shape, strict=True)):
        raise InputError(f"{name} has the shape {values.shape}.", f"Give one of shape {tuple('any' if side is None else side for side in shape)}.")


def _said(cell: np.ndarray, name: str) -> dict:
    return {name: cell[0], f"{name}, low": cell[1], f"{name}, high": cell[2]}


def _listed(found: Mapping[str, tuple]) -> dict:
    return {name: plain(list(values)) for name, values in found.items()}


def _manifest(result, *names: str) -> dict:
    said = {name: getattr(result, name) for name in (*names, "notes", "options")}
    return {**{name: plain(value.tolist() if isinstance(value, np.ndarray) else value) for name, value in said.items()}, "final": result.final}
