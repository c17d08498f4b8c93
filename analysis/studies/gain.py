"""Gain as units of work: what sources do for a target, measured; and the sides this takes, one layer of one model, their classes matched by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from analysis.errors import InputError
from analysis.metrics import gain, radar
from analysis.studies.entries import all_opened, named, states, title

BUDGET = 100  # target items trained on unless told, if half of them are that many
LISTED = 8  # classes that a message names
PASSED = ("seeds", "tested", "weights", "limit", "probe", "seed")  # to the metric as they are
LISTS = ("names", "blends", "keep", "budgets", "scores", "readings")  # options of that shape
MAPPINGS = ("weights", "limit", "without")  # from the names of the sources


@dataclass(frozen=True, eq=False)
class Side:
    """The items of a target or a source that are of the target's classes.

    x       (n, d) their rows in the layer; labels: numbers of the target's classes; ids: None where rows are only counted
    states  the Representation they are rows of
    """

    name: str
    x: np.ndarray
    labels: np.ndarray
    ids: tuple | None
    rows: np.ndarray
    states: object

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True, eq=False)
class Sides:
    """A target and its sources in one layer of one model. notes: what was left out of them, and what they lack."""

    target: Side
    sources: tuple[Side, ...]
    layer: str
    classes: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(side.name for side in self.sources)

    def given(self) -> dict:
        """As the metric takes them."""
        return {"target": self.target.x, "sources": {side.name: side.x for side in self.sources}, "target_labels": self.target.labels,
                "source_labels": {side.name: side.labels for side in self.sources}, "target_ids": self.target.ids,
                "source_ids": {side.name: side.ids for side in self.sources if side.ids}}

    def told(self) -> dict:
        """What a result's options say of them."""
        return {"target": self.target.name, "layer": self.layer, "classes": list(self.classes)}

    def budget(self, asked: int | None) -> int:
        return min(BUDGET, len(self.target) // 2) if asked is None else asked


def measure(inputs: dict, options: dict, ctx):
    """{"target", "sources"}, each {"representation"} or {"model", "dataset"}, with {"names": of the sources, "layer": "" for the last, "budget", "seeds",
    "tested", "blends": none given, all, "keep", "weights", "limit", "without": names of classes by source, "probe", "seed"} -> Gains, partial after each split.
    """
    sound(options)
    known = gathered(inputs, options, ctx.progress)
    for found in gain.measure(**known.given(), **_asked(known, options), budget=known.budget(options.get("budget")), blends=options.get("blends"),
                              keep=options.get("keep") or (), progress=ctx.progress):
        yield _told(known, found)


def curve(inputs: dict, options: dict, ctx):
    """As `measure`, with {"budgets"} in the place of one budget and of blends -> Curve with all the sources and without, partial after each split."""
    sound(options)
    known = gathered(inputs, options, ctx.progress)
    for found in gain.curve(**known.given(), **_asked(known, options), budgets=options.get("budgets") or budgets(known), progress=ctx.progress):
        yield _told(known, found)


measure.VERSION = curve.VERSION = 2


def sound(options: Mapping, lists: Sequence[str] = LISTS, mappings: Sequence[str] = MAPPINGS) -> None:
    """Refuses options of another shape than theirs, switches that RADAR has not, and blends that are empty or told twice."""
    given = {name: value for name, value in options.items() if value is not None or name == "radar"}
    for names, shape, hint in ((lists, (list, tuple), "Give a list."), (mappings, Mapping, "Give a mapping from the names of the sources."),
                               (("radar",), Mapping, "Give a mapping from switches to what they are set to."), (("layer",), str, "Give a name.")):
        for name in names:
            if name in given and not isinstance(given[name], shape):
                raise InputError(f"{given[name]!r} was given as {name}.", hint)
    switches = [switch.name for switch in fields(radar.Options)]
    if unknown := [switch for switch in given.get("radar", {}) if switch not in switches]:
        raise InputError(f"RADAR has no switch {unknown[0]!r}.", f"There are: {', '.join(switches)}.")
    for name, classes in given.get("without", {}).items() if "without" in mappings else ():
        if not isinstance(classes, (list, tuple)):
            raise InputError(f"{classes!r} is to be left out of {name}.", "Give a list of classes.")
    seen = set()
    for blend in given.get("blends", ()):
        parts = {blend} if isinstance(blend, str) else set(map(str, blend)) if isinstance(blend, (list, tuple)) else set()
        if not parts:
            raise InputError(f"{blend!r} is no blend.", "Name one source or more in each.")
        if frozenset(parts) in seen:
            raise InputError(f"The blend of {' + '.join(sorted(parts))} was given twice.", "Give each blend once.")
        seen.add(frozenset(parts))


def gathered(inputs: dict, options: dict, progress) -> Sides:
    """The sides of a measurement, opened and matched."""
    names = named(inputs["sources"], options)
    home, *others = all_opened([inputs["target"], *inputs["sources"]], progress, needed=1 + len(names))
    layer, x = states(home, options.get("layer"))
    target = Side(title(inputs["target"]), x, _labels(home, "the target"), _ids(home), np.arange(len(x)), home)
    notes, sources = [], []
    for name, r in zip(names, others, strict=True):
        _check_model(home, r, target.name, name)
        number = _numbers(home.classes, r, target.name, name)
        rows = np.flatnonzero(number >= 0)
        notes += _left_out(home.classes, r, number, target.name, name)
        ids = _ids(r)
        sources.append(Side(name, states(r, layer)[1][rows], number[rows], ids and tuple(ids[i] for i in rows), rows, r))
    return Sides(target, tuple(sources), layer, tuple(home.classes), tuple(notes))


def budgets(known: Sides) -> list[int]:
    """Numbers of target items for a learning curve: doubling from two of each class up to half of all."""
    least, most = 2 * len(known.classes), max(len(known.target) // 2, len(known.classes))
    found = [least * 2**i for i in range(20) if least * 2**i < most]
    return [*found, most]


def _asked(known: Sides, options: dict) -> dict:
    """What else the metric is asked, class names as numbers."""
    place = {name: i for i, name in enumerate(known.classes)}
    without = {name: list(map(str, classes)) for name, classes in (options.get("without") or {}).items()}
    for name, classes in without.items():
        if unknown := [c for c in classes if c not in place]:
            raise InputError(f"{unknown[0]!r}, to be left out of {name}, is no class of {known.target.name}.", f"There are: {_listed(known.classes)}.")
    asked = {name: options[name] for name in PASSED if options.get(name) is not None}
    return {**asked, "without": {name: [place[c] for c in classes] for name, classes in without.items()}}


def _told(known: Sides, found):
    named = {name: [known.classes[c] for c in classes] for name, classes in found.options.get("without", {}).items()}
    return replace(found, warnings=(*known.notes, *found.warnings), options={**found.options, **known.told(), "without": named})


def _labels(r, name: str) -> np.ndarray:
    if r.labels is None:
        raise InputError(f"{name[:1].upper()}{name[1:]} has no labels.", "What a source does for a target is told by labels on both sides: load them too.")
    return r.labels


def _ids(r) -> tuple | None:
    """None where they are only row numbers, which name nothing across datasets."""
    return None if r.ids == tuple(map(str, range(len(r)))) else r.ids


def _numbers(classes: Sequence, r, target: str, name: str) -> np.ndarray:
    """Of each item the number that the target gives its class; -1 where it has no such class."""
    labels, place = _labels(r, name), {c: i for i, c in enumerate(classes)}
    number = np.array([place.get(c, -1) for c in r.classes])[labels]
    if (number < 0).all():
        raise InputError(f"{target} and {name} have no class in common: {_listed(classes)}; and {_listed(r.classes)}.",
                         "Classes are matched by name: give what means the same the same name on both sides.")
    return number


def _left_out(classes: Sequence, r, number: np.ndarray, target: str, name: str) -> list[str]:
    found, foreign = [], [c for c in r.classes if c not in classes]
    if foreign:
        found.append(f"{name}: {(number < 0).sum()} of {len(number)} items are left out, of classes that {target} lacks: {_listed(foreign)}.")
    if lacking := [c for c in classes if c not in r.classes]:
        found.append(f"{name} has no items of the classes {_listed(lacking)}.")
    return found


def _listed(names: Sequence) -> str:
    return ", ".join(map(str, names[:LISTED])) + (f" and {len(names) - LISTED} more" if len(names) > LISTED else "")


def _check_model(home, r, target: str, name: str) -> None:
    """Rows of two models share no axes, whatever their widths."""
    mine, other = (side.manifest.get("model", {}) for side in (home, r))
    if mine.get("digest") and other.get("digest") and mine["digest"] != other["digest"]:
        raise InputError(f"{target} and {name} do not come from one model: {mine.get('name') or 'one'} and {other.get('name') or 'another'}.",
                         "Extract both with one model.")
