"""The role of invariance in transfer: four experiments as units of work, each with a quick and a full preset. Small networks are trained from nothing on
scenes; a linear probe is trained on some pictures and judged on others, before backgrounds that no training saw.

`python -m analysis.studies.invariance [name ...]` runs the full presets and writes their results into assets/invariance.
"""

import numbers
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from analysis.data import digits, scenes
from analysis.data.corner import Corner, cornered
from analysis.data.scenes import Scenes
from analysis.data.transforms import sound_names
from analysis.errors import InputError
from analysis.metrics import invariance, sensitivity
from analysis.metrics.invariance import DATA, FACTORS, NONE, TRAINED, Carried, Harm, Importance, Mismatch
from analysis.metrics.ranking import sound_seed, whole
from analysis.studies import learning, shipping

ASSETS = Path(__file__).resolve().parents[2] / "assets" / "invariance"
CLEAN = "Every accuracy is of held-out items that neither the network nor the probe was trained on. The published ones pool training and test items."
PAIRED = "Every sensitivity is of pictures that no network was trained on."
SHARED = "There are too few backgrounds to hold some out: held-out pictures are drawn anew before the same ones, and a few may equal one trained on."
PRETRAIN, OWN, PROBE, TEST, PAIRS, DIGITS, NOISE, DEAL = range(8)  # what random numbers are drawn for
HELD = 3  # every background whose number is one below a multiple of it is held out
LIMITS = {"classes": (2, 500), "targets": (2, 500), "samples": (20, 100_000), "steps": (1, 100_000), "probed": (20, 50_000), "tested": (20, 50_000),
          "seeds": (1, 100), "n": (10, 20_000), "size": (1, 9)}
EIGHT = ("rotate", "invert", "shear", "hue", "translate", "posterize", "blur", "pixelate")

_shared = {"architecture": "conv-narrow", "rate": 6e-3, "seed": 0}
_scenes = {**_shared, "classes": 12, "samples": 3000, "tested": 800}
QUICK = {
    "mismatch": {**_scenes, "transforms": EIGHT[:4], "sizes": (1, 2, 3, 4), "targets": 12, "steps": 280, "probed": 1000, "seeds": 3},
    "importance": {**_scenes, "transforms": EIGHT[:6], "size": 3, "factors": FACTORS, "targets": 12, "few": (300,), "architectures": ("separable",),
                   "steps": 200, "probed": 800, "seeds": 3},
    "harm": {**_shared, "architecture": "separable", "settings": ((0.0, 1.0),), "classes": 10, "samples": 3000, "steps": 200, "probed": 800, "tested": 800,
             "n": 400, "seeds": 3},
    "carried": {**_scenes, "transforms": EIGHT[:4], "steps": 200, "tested": 400, "n": 250, "seeds": 3},
}
FULL = {
    "mismatch": {**QUICK["mismatch"], "architecture": "separable", "transforms": EIGHT, "sizes": (1, 2, 3, 4, 5, 6, 7, 8), "samples": 10_000, "steps": 1000},
    "importance": {**QUICK["importance"], "transforms": EIGHT, "size": 4, "samples": 6000, "few": (300, 1500), "architectures": ("separable", "resnet-shallow"),
                   "steps": 400},
    "harm": {**QUICK["harm"], "settings": (*((c, 1.0) for c in (0.0, 0.25, 0.5, 0.75, 1.0)), *((0.0, a) for a in (0.0, 0.25, 0.5, 0.75))), "seeds": 4},
    "carried": {**QUICK["carried"], "transforms": EIGHT, "samples": 6000, "steps": 400, "n": 400},
}


@dataclass(frozen=True, eq=False)
class Stage:
    """Scenes with some of the backgrounds, and with the others."""

    seen: Scenes
    held: Scenes

    def pictures(self, n: int, classes: np.ndarray, transforms: Sequence[str], seed: list[int], *, held: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """(items, labels from 0)"""
        number = _number(seed)
        items, labels = scenes.draw(self.held if held else self.seen, n=n, classes=classes, transforms=transforms, seed=number, draw=number)
        return items, np.argsort(classes)[np.searchsorted(np.sort(classes), labels)]


class Clock:
    """Tells how many steps of training are done, of those of all networks."""

    def __init__(self, ctx, total: int):
        self.ctx, self.total, self.done = ctx, total, 0

    def training(self, note: str) -> Callable:
        def tell(step: int) -> None:
            self.ctx.progress(self.done + step, self.total, f"{note}: step {step}")
        return tell

    def passed(self, steps: int) -> None:
        self.done += steps


def mismatch(inputs: dict, options: dict, ctx):
    """{"scenes": absent, the built-in ones} with the options of `QUICK["mismatch"]` -> Mismatch, partial after each network.

    A network is trained on some classes under the first so many transforms, and read by a linear probe on others, under each set.
    """
    chosen = settled("mismatch", options)
    stage, (sizes, seeds, steps) = staged(inputs), (chosen[name] for name in ("sizes", "seeds", "steps"))
    sets = [chosen["transforms"][:size] for size in sizes]
    accuracy, learned = np.full((seeds, len(sets), len(sets)), np.nan), np.full((seeds, len(sets)), np.nan)
    clock = Clock(ctx, seeds * len(sets) * steps)
    for s in range(seeds):
        seed = [chosen["seed"], s]
        own, other = dealt(stage, chosen["classes"], chosen["targets"], seed)
        targets = [target(stage, other, names, chosen, seed) for names in sets]
        for row, names in enumerate(sets):
            module, learned[s, row] = pretrained(lesson(stage, own, names, chosen, seed), chosen, seed, clock,
                                                 f"{sizes[row]} transforms, seed {s + 1} of {seeds}")
            accuracy[s, row] = [learning.probed(module, *each) for each in targets]
            yield Mismatch(chosen["transforms"], sizes, sizes, accuracy.copy(), learned.copy(), 1 / chosen["targets"], noted(stage), chosen)


def importance(inputs: dict, options: dict, ctx):
    """{"scenes": absent, the built-in ones} with the options of `QUICK["importance"]` -> Importance, partial after each network.

    Each seed deals two disjoint sets of transforms. Networks are pretrained under either, and read under either: the same transforms, and disjoint ones.
    """
    chosen = settled("importance", options)
    stage, seeds = staged(inputs), chosen["seeds"]
    variants = varied(chosen)
    rows = [(factor, level, change) for factor, levels in variants.items() for level, change in levels.items()]
    shape = seeds, 2, 2, len(rows)
    accuracy, learned, sets = np.full(shape, np.nan), np.full((seeds, 2, len(rows)), np.nan), [sides(chosen, s) for s in range(seeds)]
    networks = list(dict.fromkeys(change for *_, change in rows))
    most = {**chosen, "samples": max(change.samples for change in networks)}  # those who get fewer get the first of them
    clock = Clock(ctx, 2 * seeds * len(networks) * chosen["steps"])
    for s in range(seeds):
        seed = [chosen["seed"], s]
        own, other = dealt(stage, chosen["classes"], chosen["targets"], seed)
        targets = [target(stage, other, names, chosen, seed) for names in sets[s]]
        drawn = cache(lambda same, side, s=s, seed=seed, own=own, other=other: lesson(stage, other if same else own, sets[s][side], most, seed))
        for change in networks:
            here = [i for i, (*_, c) in enumerate(rows) if c == change]
            for side in range(2):
                (items, labels), new = drawn(change.same_classes, side)
                module, learned[s, side, here] = pretrained(((items[:change.samples], labels[:change.samples]), new),
                                                            {**chosen, "architecture": change.architecture}, seed, clock,
                                                            f"{change.told()}, seed {s + 1} of {seeds}")
                for at, each in enumerate(targets):
                    accuracy[s, at, int(at != side), here] = learning.probed(module, *each)
                yield Importance(tuple(f for f, *_ in rows), tuple(level for _, level, _ in rows), accuracy.copy(), learned.copy(), sets,
                                 1 / chosen["targets"], noted(stage), chosen)


def harm(inputs: dict, options: dict, ctx):
    """{"scenes": absent, the built-in ones} with the options of `QUICK["harm"]` -> Harm, partial after each network.

    The picture is a printed digit, the object a small one in its corner. A training that heeds neither knob, or one of them, is run once for all settings
    that are the same to it.
    """
    chosen = settled("harm", options)
    stage, settings, seeds = staged(inputs), chosen["settings"], chosen["seeds"]
    accuracy, sensed = np.full((len(settings), seeds, 4, 4), np.nan), np.full((len(settings), seeds, 4, 2), np.nan)
    runs, chance = {}, (0.1, 0.1, 1 / chosen["classes"], 1 / chosen["classes"])
    for row in range(len(TRAINED)):
        for i, setting in enumerate(settings):
            runs.setdefault((row, *_heeded(row, setting)), []).append(i)
    clock = Clock(ctx, seeds * len(runs) * chosen["steps"])
    for s in range(seeds):
        seed = [chosen["seed"], s]
        corner = cornered(stage.seen.objects[dealt(stage, chosen["classes"], 0, seed)[0]])
        tests, pairs = transfers(corner, chosen, seed), parted(corner, chosen["n"], seed)
        for (row, *_), places in runs.items():
            items, labels = shown(corner, row, chosen["samples"], settings[places[0]], seed)
            module = learning.fit(items, labels, classes=chosen["classes"] if TRAINED[row].endswith("object") else 10, seed=[*seed, PRETRAIN],
                                  architecture=chosen["architecture"], steps=chosen["steps"], rate=chosen["rate"],
                                  tell=clock.training(f"{TRAINED[row]}, seed {s + 1} of {seeds}"))
            clock.passed(chosen["steps"])
            accuracy[places, s, row] = [learning.probed(module, *each) for each in tests]
            sensed[places, s, row] = [felt(module, *each, seed=s)[0] for each in pairs]
            yield Harm(settings, accuracy.copy(), sensed.copy(), chance, notes=noted(stage), options=chosen)


def carried(inputs: dict, options: dict, ctx):
    """{"scenes": absent, the built-in ones} with the options of `QUICK["carried"]` -> Carried, partial after each network."""
    chosen = settled("carried", options)
    stage, names, seeds = staged(inputs), chosen["transforms"], chosen["seeds"]
    trained = (*names, NONE)
    found, learned, reasons = np.full((seeds, len(trained), len(names), len(DATA)), np.nan), np.full((seeds, len(trained)), np.nan), {}
    clock = Clock(ctx, seeds * len(trained) * chosen["steps"])
    for s in range(seeds):
        seed = [chosen["seed"], s]
        own, other = dealt(stage, chosen["classes"], chosen["classes"], seed)
        pairs = [compared(stage, own, other, name, chosen["n"], seed) for name in names]
        for row, name in enumerate(trained):
            under = () if name == NONE else (name,)
            module, learned[s, row] = pretrained(lesson(stage, own, under, chosen, seed), chosen, seed, clock,
                                                 f"trained with {name}, seed {s + 1} of {seeds}")
            for column, sets in enumerate(pairs):
                for place, (a, b) in enumerate(sets):
                    found[s, row, column, place], why = felt(module, a, b, seed=s)
                    if why:
                        reasons[f"{name} · {names[column]} · {DATA[place]}"] = why
            done = (s, row) == (seeds - 1, len(trained) - 1)
            yield Carried(trained, names, found.copy(), learned.copy(), DATA, done, dict(reasons), noted(stage, PAIRED), chosen)


mismatch.VERSION = importance.VERSION = harm.VERSION = carried.VERSION = 2


# what the experiments share

def staged(inputs: dict) -> Stage:
    given = inputs.get("scenes") or scenes.builtin()
    held = np.arange(len(given.backgrounds)) % HELD == HELD - 1
    if not held.any():
        return Stage(given, given)
    return Stage(replace(given, backgrounds=given.backgrounds[~held]), replace(given, backgrounds=given.backgrounds[held]))


def noted(stage: Stage, clean: str = CLEAN) -> tuple[str, ...]:
    return (clean, SHARED) if stage.seen is stage.held else (clean,)


def fitted(name: str, options: Mapping, objects: int) -> dict:
    """The options for scenes of so many objects: as many classes as there are, where there are too few."""
    own, least = (objects, 2) if name == "harm" else (objects // 2, 4)  # the others learn some and are judged on others
    if objects < least:
        raise InputError(f"This experiment needs {least} objects or more, and there are {objects}.", "Give more cut-outs, or take the built-in ones.")
    return {**options, **{key: min(options[key], own) for key in ("classes", "targets") if key in options}}


def dealt(stage: Stage, own: int, other: int, seed: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Two disjoint choices of classes."""
    there = len(stage.seen.classes)
    if own + other > there:
        raise InputError(f"{own} classes to learn and {other} others to transfer to were asked for, and there are {there} objects.", "Ask for fewer.")
    order = np.random.default_rng([*seed, DEAL]).permutation(there)
    return order[:own], order[own:own + other]


def target(stage: Stage, classes: np.ndarray, transforms: Sequence[str], chosen: Mapping, seed: list[int]) -> tuple[tuple, tuple]:
    """(items, labels) to train a probe on, and to judge it on."""
    return (stage.pictures(chosen["probed"], classes, transforms, [*seed, PROBE]),
            stage.pictures(chosen["tested"], classes, transforms, [*seed, TEST], held=True))


def lesson(stage: Stage, classes: np.ndarray, transforms: Sequence[str], chosen: Mapping, seed: list[int]) -> tuple[tuple, tuple]:
    """(items, labels) to pretrain on, and new ones of the same kind."""
    return (stage.pictures(chosen["samples"], classes, transforms, [*seed, PRETRAIN]),
            stage.pictures(chosen["tested"], classes, transforms, [*seed, OWN], held=True))


def pretrained(pictures: tuple[tuple, tuple], chosen: Mapping, seed: list[int], clock: Clock, note: str) -> tuple:
    """(a network that learned the first of the pictures, its accuracy on the second)"""
    (items, labels), new = pictures
    module = learning.fit(items, labels, classes=int(labels.max()) + 1, architecture=chosen["architecture"], steps=chosen["steps"], rate=chosen["rate"],
                          seed=[*seed, PRETRAIN], tell=clock.training(note))
    clock.passed(chosen["steps"])
    return module, learning.accuracy(module, *new)


def felt(module, a: np.ndarray, b: np.ndarray, *, seed: int) -> tuple[float, str]:
    """(how sensitive the penultimate layer is to what tells a from b, why there is no number)"""
    if np.array_equal(a, b):
        return np.nan, invariance.IDLE
    try:
        return sensitivity.ratio(learning.features(module, a), learning.features(module, b), seed=seed), ""
    except InputError as error:
        return np.nan, str(error)


def compared(stage: Stage, own: np.ndarray, other: np.ndarray, transform: str, n: int, seed: list[int]) -> list[tuple]:
    """Pairs that differ in one transform's draw, of each kind of `DATA`."""
    number, rng = _number([*seed, PAIRS]), np.random.default_rng([*seed, NOISE])
    drawn = [scenes.pairs(stage.held, transforms=(transform,), n=n, seed=number, classes=classes)[:2] for classes in (own, other)]
    hand, noise = digits.make("handwritten").items, rng.integers(0, 256, (n, 32, 32, 3), np.uint8)
    return drawn + [scenes.pairs_of(items, transforms=(transform,), n=n, seed=number)[:2] for items in (hand, noise)]


def _number(seed: list[int]) -> int:
    """One seed of several numbers."""
    return int(np.random.SeedSequence(seed).generate_state(1)[0])


# what importance varies

@dataclass(frozen=True)
class Variant:
    """How one network of `importance` is pretrained, but for its transforms."""

    same_classes: bool
    architecture: str
    samples: int

    def told(self) -> str:
        return f"{'same' if self.same_classes else 'other'} classes, {self.architecture}, {self.samples} samples"


def varied(chosen: Mapping) -> dict[str, dict[str, Variant]]:
    """factor -> level -> network. What two factors have in common is one network."""
    base = Variant(False, chosen["architecture"], chosen["samples"])
    levels = {FACTORS[0]: {"other classes": base, "same classes": replace(base, same_classes=True)},
              FACTORS[1]: {name: replace(base, architecture=name) for name in (base.architecture, *chosen["architectures"])},
              FACTORS[2]: {f"{n} samples": replace(base, samples=n) for n in sorted({*chosen["few"], base.samples})}}
    if alone := [factor for factor in chosen["factors"] if len(levels[factor]) < 2]:
        raise InputError(f"The {alone[0]} does not vary: there is {next(iter(levels[alone[0]]))} alone.", "Ask for another one beside it.")
    return {factor: levels[factor] for factor in chosen["factors"]}


def sides(chosen: Mapping, s: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The two sets of transforms of a seed, each in the order in which the transforms were given."""
    order, size = np.random.default_rng([chosen["seed"], s, DEAL]).permutation(len(chosen["transforms"])), chosen["size"]
    return tuple(tuple(chosen["transforms"][i] for i in sorted(part)) for part in (order[:size], order[size:2 * size]))


# the pictures of harm: which row of TRAINED, which of TRANSFERS asks for what

def _heeded(row: int, setting: tuple[float, float]) -> tuple[float, ...]:
    """What a training depends on: all that must tell the object are shown one, and who sees one half alone knows no setting."""
    return {"both → picture": setting, "both → object": setting[:1]}.get(TRAINED[row], ())


def shown(corner: Corner, row: int, n: int, setting: tuple[float, float], seed: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """(items, labels) to train on."""
    correlation, availability = setting
    what, asked = TRAINED[row].split(" → ")
    share = 0.0 if what == "picture" else 1.0 if asked == "object" else availability
    items, *told = corner.draw(n, seed=_number([*seed, PRETRAIN]), correlation=correlation if what == "both" else 0.0, share=share, digit=what != "object")
    return items, told[asked == "object"]


def transfers(corner: Corner, chosen: Mapping, seed: list[int]) -> list[tuple[tuple, tuple]]:
    """(items, labels) to train a probe on and to judge it on, for each of TRANSFERS."""
    found = []
    for what, asked in (("picture", 0), ("both", 0), ("both", 1), ("object", 1)):
        parts = []
        for n, role in ((chosen["probed"], PROBE), (chosen["tested"], TEST)):
            items, *told = corner.draw(n, seed=_number([*seed, role]), share=float(what != "picture"), digit=what != "object")
            parts.append((items, told[asked]))
        found.append(tuple(parts))
    return found


def parted(corner: Corner, n: int, seed: list[int]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Pairs: another digit beside the same object, another object beside the same digit."""
    one, other = _number([*seed, PAIRS]), _number([*seed, DIGITS])
    items = {pair: corner.draw(n, seed=pair[0], things=pair[1])[0] for pair in ((one, one), (other, one), (one, other))}
    return [(items[one, one], items[other, one]), (items[one, one], items[one, other])]


# options

def settled(name: str, options: Mapping) -> dict:
    """The quick preset with what was asked for, checked."""
    preset = QUICK[name]
    if unknown := [key for key in options if key not in preset]:
        raise InputError(f"{name} has no option {unknown[0]!r}.", f"There are: {', '.join(preset)}.")
    chosen = {**preset, **{key: value for key, value in options.items() if value is not None}}
    for key in preset.keys() & LIMITS.keys():
        chosen[key] = whole(chosen[key], *LIMITS[key], key)
    chosen["seed"] = sound_seed(chosen["seed"])
    learning.known(chosen["architecture"])
    if isinstance(chosen["rate"], bool) or not isinstance(chosen["rate"], numbers.Real) or not 0 < chosen["rate"] <= 1:
        raise InputError(f"The learning rate is {chosen['rate']!r}.", "Give a number above 0, up to 1; 0.003 is usual.")
    if "transforms" in chosen:
        chosen["transforms"] = sound_names(chosen["transforms"])
        if not chosen["transforms"]:
            raise InputError("No transform was chosen.", "Choose at least one.")
    for key in ("sizes", "few", "architectures", "factors", "settings"):
        if key in chosen:
            chosen[key] = CHECKS[key](chosen[key], chosen)
    return chosen


def _sizes(given, chosen: Mapping) -> tuple[int, ...]:
    most = len(chosen["transforms"])
    sizes = tuple(whole(size, 1, most, "transforms in a set") for size in _several(given, "sizes"))
    if list(sizes) != sorted(set(sizes)):
        raise InputError(f"The sizes of the sets are {list(sizes)}.", "Give each once, from small to large.")
    return sizes


def _few(given, chosen: Mapping) -> tuple[int, ...]:
    return tuple(whole(n, *LIMITS["samples"], "samples") for n in _several(given, "few"))


def _architectures(given, chosen: Mapping) -> tuple[str, ...]:
    return tuple(dict.fromkeys(learning.known(name) for name in _several(given, "architectures")))


def _factors(given, chosen: Mapping) -> tuple[str, ...]:
    factors = _several(given, "factors")
    if unknown := [f for f in factors if f not in FACTORS]:
        raise InputError(f"{unknown[0]!r} cannot be varied.", f"These can: {', '.join(FACTORS)}.")
    if 2 * chosen["size"] > len(chosen["transforms"]):
        raise InputError(f"Two disjoint sets of {chosen['size']} were asked for, and there are {len(chosen['transforms'])} transforms.",
                         "Ask for smaller sets, or give more transforms.")
    return tuple(f for f in FACTORS if f in factors)


def _settings(given, chosen: Mapping) -> tuple[tuple[float, float], ...]:
    found = []
    for setting in _several(given, "settings"):
        sound = isinstance(setting, (list, tuple)) and len(setting) == 2
        if not sound or not all(isinstance(x, numbers.Real) and not isinstance(x, bool) and 0 <= x <= 1 for x in setting):
            raise InputError(f"{setting!r} is no setting.", "Give pairs of a correlation and an availability, each from 0 to 1.")
        found.append((float(setting[0]), float(setting[1])))
    return tuple(dict.fromkeys(found))


CHECKS = {"sizes": _sizes, "few": _few, "architectures": _architectures, "factors": _factors, "settings": _settings}


def _several(given, name: str) -> tuple:
    if not isinstance(given, (list, tuple)) or not given:
        raise InputError(f"{given!r} was given as {name}.", "Give a list of at least one.")
    return tuple(given)


# results of ours

UNITS = {"mismatch": (mismatch, Mismatch), "importance": (importance, Importance), "harm": (harm, Harm), "carried": (carried, Carried)}
SHIPPED = {name: kind for name, (_, kind) in UNITS.items()}


def shipped(name: str):
    """The result of our own run of a full preset."""
    return shipping.read(ASSETS / f"{name}.json", SHIPPED)


def made(name: str) -> dict:
    return shipping.made(ASSETS / f"{name}.json", SHIPPED)


def _say(done: int, total: int, note: str) -> None:
    if note.endswith(": step 0"):
        print(f"{done}/{total} {note[:-len(': step 0')]}", flush=True)


def main(wanted: list[str]) -> None:
    import torch
    if unknown := [name for name in wanted if name not in UNITS]:
        raise SystemExit(f"There is no experiment {unknown[0]!r}. There are: {', '.join(UNITS)}.")
    torch.set_num_threads(1)  # as in the app
    for name in wanted or UNITS:
        began = time.monotonic()
        *_, found = UNITS[name][0]({}, FULL[name], SimpleNamespace(progress=_say))
        shipping.write(ASSETS / f"{name}.json", found, command=f"python -m analysis.studies.invariance {name}", version=UNITS[name][0].VERSION, began=began)
        print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
