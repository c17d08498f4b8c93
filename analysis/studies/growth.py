"""Growth as units of work: the valley of one network, and whether its size tells which way of growing the network pays; each with a quick and a full preset.

What is grown is a small network trained here on the data, or any model that classifies pictures. `python -m analysis.studies.growth [name ...]` runs the full
presets and writes their results into assets/growth.
"""

import numbers
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from types import MappingProxyType, SimpleNamespace

import numpy as np

from analysis.errors import InputError
from analysis.extraction import usable_device
from analysis.metrics import growth, minima
from analysis.metrics.growth import BASE, FAMILIES, OURS, PARTS, Growth, Valley
from analysis.metrics.minima import PROXIES
from analysis.metrics.minima.branches import UNTRAINED
from analysis.metrics.minima.expansion import WAYS
from analysis.metrics.minima.wiring import named
from analysis.metrics.ranking import sound_seed, whole
from analysis.studies import shipping
from analysis.studies.entries import title

ASSETS = Path(__file__).resolve().parents[2] / "assets" / "growth"
BASES = ("mlp", "conv")
GROUND = ("training part", "validation part")  # of whose items the landscape is
SPLIT = (0.5, 0.2)  # of the items for training, for validation; the rest is tested on
FEWEST = 60  # items that can be split so
ONE_BASE = "Intervals of gains are over seeds, those of correlations over the expansions of this one base: another base is another question."
CHECKED = 200  # items on which the function is checked
WIDEST = 8  # times as wide a layer may get to match another network
LARGE = 200_000  # parameters of the base from which a GPU, where there is one, is used by itself: smaller networks wait for it longer than they compute
EACH = 3  # layers of a network, at most, that grow on their own
FAMILY = {"widen": "width", "deepen": "depth", "residual": "residual"}
SHORT = {"deepen": "deeper", "residual": "residual"}
LIMITS = {"width": (1, 512), "depth": (1, 8), "side": (8, 32), "trained": (0, 20_000), "branches": (2, 20), "steps": (2, 5000), "batch": (2, 1024),
          "points": (3, 101), "directions": (1, 200), "items": (2, 20_000), "limit": (FEWEST, 50_000), "looks": (1, 200), "lengths": (1, 20),
          "train": (1, 20_000), "seeds": (1, 100), "proxy_items": (2, 1000), "grid": (3, 101)}
NUMBERS = {"rate": (1e-6, 1e9), "base_rate": (1e-6, 1e9), "momentum": (0, 0.999), "noise": (0, 10), "settle": (0, 1), "epsilon": (1e-6, 100)}

# Branches learn as the base did, at a rate that then falls, so that they can come to rest below where they start; what that does to any correlation was
# not looked at. At a higher rate fewer stay connected, and more end above their start: those are no minima. Short ones may end there at any rate.
_base = {"base": "mlp", "width": 4, "depth": 2, "side": 8, "trained": 1000, "base_rate": 0.02, "rate": 0.02, "settle": 0.5, "momentum": 0.9, "batch": 64,
         "noise": 0.3, "branches": 5, "steps": 120, "points": 21, "epsilon": 0.02, "range": (0.25, 0.5, 1.0, 2.0, 4.0), "directions": 10,
         "ground": GROUND[0], "items": 400, "limit": 3000, "device": "auto", "seed": 0}
QUICK = {
    "valley": {**_base, "grown": (), "looks": 11, "grid": 25, "directions": 24, "range": (0.5, 1.0, 2.0)},
    "grow": {**_base, "families": FAMILIES, "widths": (1.5, 2.0, 4.0), "repeats": (1,), "crossed": (2.0,), "matched": True, "candidates": (),
             "lengths": 4, "train": 400, "seeds": 5, "proxies": tuple(PROXIES), "proxy_items": 64},
}
_full = {**QUICK["grow"], "widths": (1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 6.0), "repeats": (1, 2, 3), "crossed": (1.5, 2.0, 3.0, 4.0), "train": 800,
         "seeds": 10, "directions": 20}
_conv = {**_full, "base": "conv", "width": 2, "widths": (1.5, 2.0, 3.0, 4.0, 6.0), "train": 300, "seeds": 5, "lengths": 2, "directions": 8, "items": 300}
SHORT_CONV = {"widths": (2.0, 4.0), "train": 150, "seeds": 3, "lengths": 2, "directions": 5, "items": 200}  # what makes a quick run of convolutions quick
FULL = {**{f"mlp-{seed}": ("grow", {**_full, "seed": seed}) for seed in range(3)}, "conv-0": ("grow", _conv)}
DATA = "builtin:digits/handwritten"  # of the full presets
ADAPTED = 100  # steps that a model, which has learned, is trained first
NOT_TRAINED = "The base is not trained"


@dataclass(frozen=True, eq=False)
class Ground:
    """A base and the data that it is grown on. train, valid, test: (items as the network takes them, labels) each."""

    module: object
    name: str
    data: str
    train: tuple
    valid: tuple
    test: tuple
    notes: tuple
    warnings: tuple

    def landscape(self, chosen: Mapping) -> tuple:
        """(items, labels) that losses are of."""
        x, y = self.train if chosen["ground"] == GROUND[0] else self.valid
        return x[:chosen["items"]], y[:chosen["items"]]


@dataclass(frozen=True)
class Candidate:
    """A way to grow: (way, layer, factor) of each step; the factor counts in widening alone."""

    name: str
    family: str
    changes: tuple = ()


def _exact(unit: Callable) -> Callable:
    """On a GPU with all digits of convolutions, as barriers are small differences of losses; whoever takes the parts, and what runs later, has its own
    setting."""
    @wraps(unit)
    def run(inputs: dict, options: dict, ctx):
        parts = unit(inputs, options, ctx)
        while True:
            with _all_digits():
                part = next(parts, None)
            if part is None:
                return
            yield part
    return run


@contextmanager
def _all_digits():
    from torch.backends import cudnn
    before = cudnn.allow_tf32
    cudnn.allow_tf32 = False
    try:
        yield
    finally:
        cudnn.allow_tf32 = before


@_exact
def valley(inputs: dict, options: dict, ctx):
    """{"dataset", "model": absent, a small network trained here} with the options of `QUICK["valley"]` -> Valley of the base as it was grown, partial after the
    branches, the barriers and the radius.
    """
    chosen, spent = settled("valley", options), {}
    ground, steps = opened(inputs, chosen), tuple(map(_step, chosen["grown"]))
    grown(ground.module, steps, chosen)  # refused before anything is trained
    ground = taught(ground, chosen, ctx)
    with _timed(spent, "expansion"):
        module = grown(ground.module, steps, chosen)
        check = minima.check(ground.module, module, ground.test[0][:CHECKED])
    loss = minima.Loss(module, *ground.landscape(chosen))
    with _timed(spent, "branches"):
        found = branched(module, ground, chosen, chosen["steps"], ctx.progress, looks=chosen["looks"])
    ends, start = _losses(loss, found.ends), float(loss(loss.base))
    places, shows = found.paths()
    accuracy = {"accuracies": accuracies(module, found, ground.test), "start_accuracy": accuracy_of(module, ground.test)}
    known = Valley(called(steps) or ground.name, ground.name, ground.data, steps, len(found.base), check, found.seeds, found.curves, ends, start_loss=start,
                   epsilon=chosen["epsilon"], epsilons=_epsilons(chosen), path_at=tuple(found.at.tolist()), paths=places,
                   path_shows=tuple(shows.tolist()), diverged=found.diverged,
                   warnings=(*ground.warnings, *_diverged(found), *_above(ends, start, chosen)), notes=(*OURS, *ground.notes),
                   options=chosen, seconds=dict(spent), **accuracy, **_unknown(chosen))
    yield known
    for part, measure in (("barriers", _barriers), ("radius", _radius), ("plane", _plane)):
        with _timed(spent, part):
            more = measure(loss, found, chosen, ctx.progress)
        known = replace(known, **more, seconds=dict(spent), done=part == "plane")
        yield known


@_exact
def grow(inputs: dict, options: dict, ctx):
    """{"dataset", "model": absent, a small network trained here} with the options of `QUICK["grow"]` -> Growth, partial after each candidate.

    candidates  (name, family, [(way, layer, factor), ...]) each; none given, a grid over `families` and `widths`, with networks as large as those that grew
                deeper where `matched`
    """
    chosen = settled("grow", options)
    ground = opened(inputs, chosen)
    asked, warnings = listed(ground.module, chosen)  # refused before anything is trained
    ground = taught(ground, chosen, ctx)
    bench, lost = Bench(ground, asked, chosen, (*ground.warnings, *warnings)), 0
    for row, candidate in enumerate(asked):
        tell = lambda _, __, note, row=row: ctx.progress(row, len(asked), f"{asked[row].name}: {note}")
        try:
            bench.measure(row, candidate, tell)
        except InputError as error:
            bench.warnings.append(f"{candidate.name} is left out: {error}")
            lost += 1
            if candidate.family == BASE or lost == len(asked) - 1:
                raise
        yield bench.now(done=row + 1 == len(asked))


valley.VERSION = grow.VERSION = 2


class Bench:
    """A Growth in the making."""

    def __init__(self, ground: Ground, asked: Sequence[Candidate], chosen: Mapping, warnings: Sequence[str]):
        self.ground, self.asked, self.chosen, self.warnings = ground, asked, chosen, list(warnings)
        rows, k = len(asked), chosen["branches"]
        self.lengths, self.epsilons = lengths(chosen), _epsilons(chosen)
        empty = lambda *shape: np.full((rows, *shape), np.nan)  # noqa: E731
        self.parameters, self.check = empty(), empty()
        self.distances, self.barriers = empty(len(self.lengths), k, k), empty(len(self.lengths), k, k)
        self.losses, self.starts = empty(len(self.lengths), k), empty()
        self.radius = empty(len(self.epsilons), chosen["directions"])
        self.values, self.proxy_seconds = empty(len(chosen["proxies"])), empty(len(chosen["proxies"]))
        self.accuracy, self.seconds, self.reasons = empty(chosen["seeds"]), empty(len(PARTS)), {}
        self.start = accuracy_of(ground.module, ground.test)

    def measure(self, row: int, candidate: Candidate, tell: Callable) -> None:
        ground, chosen, spent = self.ground, self.chosen, {}
        tell(0, 1, "growing")
        with _timed(spent, "expansion"):
            module = grown(ground.module, candidate.changes, chosen)
            self.check[row] = minima.check(ground.module, module, ground.test[0][:CHECKED])
        self.parameters[row] = count(module)
        loss = minima.Loss(module, *ground.landscape(chosen))
        self.starts[row] = float(loss(loss.base))
        for at, steps in enumerate(self.lengths):  # what is spent is told of the last, the usual one: the others are for `robust` alone
            with _timed(spent, "branches"):
                found = branched(module, ground, chosen, steps, tell)
            with _timed(spent, "barriers"):
                self.distances[row, at], self.losses[row, at] = _apart(found.ends), _losses(loss, found.ends)
                self.barriers[row, at] = minima.barriers(loss, _placed(found.ends, loss), points=chosen["points"], progress=tell).matrix
        with _timed(spent, "radius"):
            self.radius[row] = _radius(loss, found, chosen, tell)["radius"]
        spent["radius"] /= len(self.epsilons)
        self._proxies(row, candidate, module, tell)
        with _timed(spent, "gain"):
            seeds = [_seed(chosen, 1 + i) for i in range(chosen["seeds"])]
            measuring = lambda done, total, _: tell(done, total, f"{len(seeds)} trainings that measure the gain")  # noqa: E731
            trained = descended(module, ground.train, seeds, chosen["train"], chosen["base_rate"], chosen, measuring)
            self.accuracy[row] = accuracies(module, trained, ground.test)
        told = (*_diverged(found), *_diverged(trained, "gain"), *_above(self.losses[row, -1], self.starts[row], chosen))
        self.warnings += [f"{candidate.name}: {warning}" for warning in told]
        self.seconds[row] = [spent[part] for part in PARTS]

    def now(self, done: bool) -> Growth:
        ground, chosen = self.ground, self.chosen
        proxies = [PROXIES[name] for name in chosen["proxies"]]
        return Growth(ground.name, ground.data, tuple(c.name for c in self.asked), tuple(c.family for c in self.asked), tuple(c.changes for c in self.asked),
                      self.parameters.copy(), self.check.copy(), self.lengths, self.distances.copy(), self.barriers.copy(), self.losses.copy(),
                      self.starts.copy(), chosen["epsilon"], self.epsilons, self.radius.copy(), chosen["proxies"], tuple(p.title for p in proxies),
                      tuple(p.direction for p in proxies), self.values.copy(), self.accuracy.copy(), self.start, self.seconds.copy(),
                      self.proxy_seconds.copy(), (chosen["steps"], chosen["train"]), dict(self.reasons), tuple(dict.fromkeys(self.warnings)),
                      (*OURS, ONE_BASE, *ground.notes), chosen, done)

    def _proxies(self, row: int, candidate: Candidate, module, tell: Callable) -> None:
        few = self.chosen["proxy_items"]
        x, y = (side[:few] for side in self.ground.train)
        for column, name in enumerate(self.chosen["proxies"]):
            tell(0, 1, PROXIES[name].title)
            began = time.perf_counter()
            try:
                self.values[row, column] = PROXIES[name](module, x, y)
            except (InputError, RuntimeError) as error:  # a network may hold what a proxy cannot run backwards
                self.reasons[f"{candidate.name}: {name}"] = str(error)
            self.proxy_seconds[row, column] = time.perf_counter() - began


# the network and its data

def grounded(inputs: dict, chosen: Mapping, ctx) -> Ground:
    """The base, trained on the training part unless it is to be left as it is, and the parts."""
    return taught(opened(inputs, chosen), chosen, ctx)


def opened(inputs: dict, chosen: Mapping) -> Ground:
    """The base as it begins, and the parts, where they are computed with."""
    data, model = inputs["dataset"], inputs.get("model")
    name = title({"dataset": data})
    if data.labels is None:
        raise InputError(f"{name} has no labels.", "What growing gains is told by labels: load them too, or choose another dataset.")
    if data.modality == "text":
        raise InputError(f"{name} holds texts.", "Choose pictures, or rows of numbers.")
    rows = np.random.default_rng([chosen["seed"], 0]).permutation(len(data))[:chosen["limit"]]
    if len(rows) < FEWEST:
        raise InputError(f"{name} has {len(rows)} items.", f"At least {FEWEST} are needed to train, validate and test on.")
    module, x, y, notes = _built(data, rows, chosen) if model is None else _opened(model, data, rows, chosen)
    device = _device(chosen["device"], count(module))
    notes = notes if device == "cpu" else (*notes, f"Computed on {device}.")
    module, x, y = module.to(device), x.to(device), y.to(device)
    cuts = np.cumsum([int(share * len(rows)) for share in SPLIT]).tolist()
    train, valid, test = zip(x.tensor_split(cuts), y.tensor_split(cuts), strict=True)
    told = f"{len(train[0])} items are trained on, {len(valid[0])} are for validation, {len(test[0])} are tested on; losses are of the {chosen['ground']}."
    called = f"{chosen['base']}, {chosen['depth']} layers of {chosen['width']}" if model is None else model.name
    return Ground(module, called, name, train, valid, test, (*notes, told), ())


def taught(ground: Ground, chosen: Mapping, ctx) -> Ground:
    """The same with its base trained on the training part, unless that is to be left as it is."""
    module = ground.module
    if chosen["trained"]:
        tell = lambda done, total, note: ctx.progress(done, total, f"training the base: step {done}")  # noqa: E731
        trained = descended(module, ground.train, [_seed(chosen, 0)], chosen["trained"], chosen["base_rate"], chosen, tell)
        if trained.diverged:
            raise InputError(f"Training the base diverged at step {trained.diverged[0]}.", f"Lower its learning rate, {chosen['base_rate']}.")
        module = loaded(module, trained, 0)
    return replace(ground, module=module, warnings=_untrained(module, ground.train))


def _device(asked: str, parameters: int) -> str:
    """What is not asked for by name: a GPU where there is one and the base is large."""
    return "cpu" if asked == "auto" and parameters < LARGE else usable_device(asked)


def _built(data, rows: np.ndarray, chosen: Mapping) -> tuple:
    """(a fresh network, items as it takes them, labels, notes)"""
    import torch
    from torch import nn
    pictures, width, classes = data.modality == "image", chosen["width"], len(data.classes)
    if chosen["base"] == "conv" and not pictures:
        raise InputError("Rows of numbers have no places to convolve over.", "Choose the base mlp, or pictures.")
    x = torch.from_numpy(data.items[rows]).float()
    if pictures:
        x = nn.functional.adaptive_avg_pool2d(x.permute(0, 3, 1, 2).mean(dim=1, keepdim=True), chosen["side"])
    seen = x[:int(SPLIT[0] * len(x))]
    x = (x - seen.mean(dim=0)) / (seen.std() if pictures else seen.std(dim=0)).clamp_min(1e-6)
    x = x.flatten(1) if chosen["base"] == "mlp" else x
    with torch.random.fork_rng(devices=[]):  # nobody else's random numbers are disturbed
        parts = [part for i in range(chosen["depth"]) for part in _layer(chosen["base"], width if i else x.shape[1], width, i)]
        ending = [] if chosen["base"] == "mlp" else [nn.AdaptiveAvgPool2d(2), nn.Flatten()]
        module = nn.Sequential(*parts, *ending, nn.Linear(width * (4 if ending else 1), classes))
    return _begun(module, chosen["seed"]), x, torch.from_numpy(data.labels[rows]), ()


def _layer(base: str, before: int, width: int, number: int) -> list:
    from torch import nn
    if base == "mlp":
        return [nn.Linear(before, width), nn.ReLU()]
    return [nn.Conv2d(before, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(), *([nn.MaxPool2d(2)] if number < 2 else [])]


def _begun(module, seed: int):
    """With weights of its seed, so spread that rectified layers pass on as much as they see."""
    import torch
    generator = torch.Generator().manual_seed(seed)
    for p in module.parameters():
        if p.ndim > 1:
            p.data = (2 / p[0].numel()) ** 0.5 * torch.randn(p.shape, generator=generator)
    for layer in module.modules():
        if isinstance(layer, torch.nn.Linear):
            layer.bias.data.zero_()
    return module


def _opened(model, data, rows: np.ndarray, chosen: Mapping) -> tuple:
    """(the network of a model, items as it takes them, labels as it numbers them, notes). A head of other classes is replaced by a fresh one."""
    import torch
    if data.modality not in model.reads or not model.head:
        lack = f"reads {' and '.join(model.reads)}, not {data.modality}s" if model.head else "has no head that classifies"
        raise InputError(f"{model.name} {lack}.", "Choose a classifier of such data, or a small network trained here.")
    module, prepare = model.load()
    x = prepare(data.items[rows])
    if not isinstance(x, torch.Tensor):
        raise InputError(f"{model.name} takes more than one tensor for each item.", "Choose a network that takes pictures, or rows of numbers.")
    place = {name: i for i, name in enumerate(model.classes)}
    if all(name in place for name in data.classes):
        return deepcopy(module).eval(), x, torch.tensor([place[name] for name in data.classes])[torch.from_numpy(data.labels[rows])], ()
    head = None if model.head == "output" else module.get_submodule(model.head)
    if not isinstance(head, torch.nn.Linear) or not chosen["trained"]:
        raise InputError(f"{model.name} does not tell the classes of this dataset ({', '.join(map(str, data.classes[:4]))}, ...).",
                         "Choose data of its classes, or let the base be trained first: a dense head is then replaced.")
    module, parent, own = deepcopy(module).eval(), *model.head.rpartition(".")[::2]
    with torch.random.fork_rng(devices=[]):
        fresh = _begun(torch.nn.Sequential(torch.nn.Linear(head.in_features, len(data.classes))), chosen["seed"])[0]
    setattr(module.get_submodule(parent), own, fresh)
    return module, x, torch.from_numpy(data.labels[rows]), (f"The head of {model.name} tells other classes: it was replaced, and trained with the rest.",)


def _untrained(module, train: tuple) -> tuple[str, ...]:
    loss = minima.Loss(module, *train)
    share = np.bincount(train[1].cpu().numpy()) / len(train[1])
    here, guess = float(loss(loss.base)), float(-(share * np.log(np.maximum(share, 1e-300))).sum())
    if not here > UNTRAINED * guess:
        return ()
    return (f"{NOT_TRAINED}: its loss is {here:.2f}, that of a guess {guess:.2f}. What growing gains from here tells nothing of a trained network.",)


# what is done to it

def grown(module, changes: Sequence[tuple], chosen: Mapping):
    for at, (way, layer, factor) in enumerate(changes):
        if way == "widen":
            module = minima.widen(module, layer, factor, noise=chosen["noise"], seed=_seed(chosen, 2000 + at))
        else:
            module = minima.deepen(module, layer) if way == "deepen" else minima.residual(module, layer, seed=_seed(chosen, 2000 + at))
    return module


def descended(module, train: tuple, seeds: Sequence[int], steps: int, rate: float, chosen: Mapping, tell: Callable, looks: int = 0,
              settle: float = 0.0):
    return minima.branch(module, *train, seeds=seeds, steps=steps, batch=min(chosen["batch"], len(train[0])), rate=rate,
                         momentum=chosen["momentum"], settle=settle, snapshots=looks, progress=tell)


def branched(module, ground: Ground, chosen: Mapping, steps: int, tell: Callable, looks: int = 0):
    seeds = [_seed(chosen, 1000 + i) for i in range(chosen["branches"])]
    return descended(module, ground.train, seeds, steps, chosen["rate"], chosen, tell, looks, chosen["settle"])


def _seed(chosen: Mapping, what: int) -> int:
    """Of the base's training, the trainings that measure the gain, the branches, and the steps by which it grows: each its own."""
    return 10_000 * chosen["seed"] + what


def loaded(module, found, branch: int):
    """The network at the end of a branch."""
    import torch
    own = deepcopy(module)
    own.load_state_dict({name: torch.as_tensor(np.array(value)) for name, value in found.state(branch).items()}, strict=False)
    return own.eval()


def accuracy_of(module, test: tuple) -> float:
    import torch
    with torch.inference_mode():
        return float(torch.cat([module(x).argmax(dim=1) == y for x, y in zip(*(t.split(500) for t in test), strict=True)]).double().mean())


def accuracies(module, found, test: tuple) -> np.ndarray:
    """(branches,) at the ends, NaN of those that diverged; each normalises by what it saw in training."""
    return np.array([np.nan if i in found.diverged else accuracy_of(loaded(module, found, i), test) for i in range(len(found.seeds))])


def lengths(chosen: Mapping) -> tuple[int, ...]:
    """Steps of a branch, the usual number last."""
    return tuple(np.unique(np.linspace(0, chosen["steps"], chosen["lengths"] + 1).round().astype(int))[1:].tolist())


def _barriers(loss, found, chosen: Mapping, tell: Callable) -> dict:
    land = minima.barriers(loss, _placed(found.ends, loss), points=chosen["points"], progress=tell)
    first, second = np.triu_indices(len(found.ends), 1)
    return {"distances": _apart(found.ends), "barriers": land.matrix, "pairs": np.stack([first, second], axis=1), "along": land.a,
            "profiles": land.losses[first, second]}


def _radius(loss, found, chosen: Mapping, tell: Callable) -> dict:
    ways = minima.directions(chosen["directions"], len(found.base), seed=chosen["seed"])
    return {"radius": np.stack([minima.radius(loss, loss.base, ways, epsilon=epsilon, progress=tell) for epsilon in _epsilons(chosen)])}


def _plane(loss, found, chosen: Mapping, tell: Callable) -> dict:
    """Through the first three branches that came to rest in the valley; nothing where there are not three that span one."""
    three = np.flatnonzero(growth.rested(_losses(loss, found.ends), float(loss(loss.base)), chosen["epsilon"]))[:3]
    if len(three) < 3:
        return {}
    try:
        land = minima.plane(loss, found.ends[three], points=chosen["grid"], others=found.base, progress=tell)
    except InputError:
        return {}
    return {"plane": land.losses, "plane_x": land.x, "plane_y": land.y, "plane_of": tuple(three.tolist()), "plane_minima": land.corners,
            "plane_start": tuple(land.others.tolist()), "plane_off": float(land.off)}


def _unknown(chosen: Mapping) -> dict:
    """What a Valley holds until it is measured."""
    k, pairs = chosen["branches"], np.stack(np.triu_indices(chosen["branches"], 1), axis=1)
    return {"distances": np.full((k, k), np.nan), "barriers": np.full((k, k), np.nan), "pairs": pairs, "along": np.linspace(0, 1, chosen["points"]),
            "profiles": np.full((len(pairs), chosen["points"]), np.nan), "radius": np.full((len(chosen["range"]), chosen["directions"]), np.nan),
            "plane": np.zeros((0, 0)), "plane_x": np.zeros(0), "plane_y": np.zeros(0), "plane_of": (), "plane_minima": np.zeros((0, 2)), "plane_start": (),
            "plane_off": np.nan}


def _apart(ends: np.ndarray) -> np.ndarray:
    """(branches, branches) distances."""
    ends = ends.astype(np.float64)
    return np.array([[np.linalg.norm(a - b) for b in ends] for a in ends])


def _placed(ends: np.ndarray, loss):
    """Where the loss is computed."""
    import torch
    return torch.from_numpy(np.array(ends)).to(loss.base)


def _losses(loss, ends: np.ndarray) -> np.ndarray:
    return loss(_placed(ends, loss)).cpu().numpy()


def _epsilons(chosen: Mapping) -> tuple[float, ...]:
    return tuple(share * chosen["epsilon"] for share in chosen["range"])


def _above(losses: np.ndarray, start: float, chosen: Mapping) -> list[str]:
    """Branches that came to rest above the valley that they started in."""
    there = np.isfinite(losses)
    above = np.flatnonzero(there & ~growth.rested(losses, start, chosen["epsilon"])).tolist()
    return [f"{len(above)} of {there.sum()} branches ({', '.join(map(str, above))}) end more than ε = {chosen['epsilon']:g} above their start, a loss of "
            f"{start:.2f}: they are no minima of this valley, and left out of its sizes."] if above else []


def _diverged(found, what: str = "branch") -> list[str]:
    kind = "Branch" if what == "branch" else "The training that measures the gain,"
    return [f"{kind} {i} (seed {found.seeds[i]}) diverged at step {step} and is left out." for i, step in found.diverged.items()]


@contextmanager
def _timed(spent: dict, part: str):
    began = time.perf_counter()
    yield
    spent[part] = time.perf_counter() - began


# the ways to grow

def listed(module, chosen: Mapping) -> tuple[list[Candidate], list[str]]:
    """(the base and what it is to grow into, what of that cannot be and why)"""
    base = Candidate(BASE, BASE)
    if chosen["candidates"]:
        found, warnings = _growable(module, [Candidate(*given) for given in chosen["candidates"]], chosen)
        return [base, *found], warnings
    layers = minima.expandable(module)
    open_ = {way: [layer.name for layer in layers if way in layer.ways] for way in WAYS}
    if not any(open_.values()):
        whys = [f"{named(layer.name, 'Layer')}: {reason}" for layer in layers for reason in layer.refused.values()]
        why = whys[0] if whys else "It has neither dense layers nor convolutions"
        raise InputError(f"No layer of this network can grow. {why}.", "Choose a network of dense layers or convolutions.")
    refused = lambda way: next(f"{named(layer.name, 'Layer')}: {layer.refused[way]}." for layer in sorted(layers, key=lambda layer: not layer.width)
                               if way in layer.refused)
    warnings = [f"No layer can be {done}. {refused(way)}" for way, done in WAYS.items() if not open_[way] and FAMILY[way] in chosen["families"]]
    if any(layer.whole for layer in layers):
        chosen = {**chosen, **{key: tuple(dict.fromkeys(max(2.0, round(f)) for f in chosen[key])) for key in ("widths", "crossed")}}
    found, lost = _growable(module, _grid(open_, chosen), chosen)
    if chosen["matched"] and "width" in chosen["families"]:
        free = [layer.name for layer in layers if "widen" in layer.ways and not layer.whole]
        found += _matches(module, [c for c in found if c.family in ("depth", "residual")], free, chosen)
    unique = {c.changes: c for c in reversed(found)}
    return [base, *sorted((c for c in found if unique[c.changes] is c), key=lambda c: FAMILIES.index(c.family))], [*warnings, *lost]


def _growable(module, asked: Sequence[Candidate], chosen: Mapping) -> tuple[list[Candidate], list[str]]:
    """(those that the network can grow into, why not the others); refused where there is none."""
    found, warnings = [], []
    for candidate in asked:
        try:
            grown(module, candidate.changes, chosen)
        except InputError as error:
            warnings.append(f"{candidate.name} is left out: {error}")
            if len(warnings) == len(asked):
                raise
        else:
            found.append(candidate)
    return found, warnings


def _grid(open_: Mapping, chosen: Mapping) -> list[Candidate]:
    wide, *others = open_.values()
    found = [Candidate(f"all ×{f:g}", "width", _every("widen", wide, f)) for f in chosen["widths"]] if wide else []
    found += [Candidate(f"{named(layer)} ×2", "width", _every("widen", [layer], 2.0)) for layer in _few(wide)]
    for way, layers in zip(SHORT, others, strict=True):
        groups = {named(layer): [layer] for layer in _few(layers)} | ({"all": layers} if len(layers) > 1 else {})
        for times in chosen["repeats"]:
            told = SHORT[way] + (f" by {times}" if times > 1 else "")
            found += [Candidate(f"{name} {told}", FAMILY[way], times * _every(way, group)) for name, group in groups.items()]
        if wide and layers:
            found += [Candidate(f"all ×{f:g}, all {SHORT[way]}", "both", _every("widen", wide, f) + _every(way, layers)) for f in chosen["crossed"]]
    return [candidate for candidate in found if candidate.family in chosen["families"]]


def _every(way: str, layers: Sequence[str], factor: float = 1) -> tuple[tuple, ...]:
    return tuple((way, layer, factor) for layer in layers)


def _matches(module, others: Sequence[Candidate], wide: Sequence[str], chosen: Mapping) -> list[Candidate]:
    """Networks with one wider layer that have as many parameters as those that grew otherwise, as near as a whole number of units comes."""
    at, found, modules = count(module), [], dict(module.named_modules())
    widths = {layer: len(modules[layer].weight) for layer in wide}
    each = {layer: (count(minima.widen(module, layer, 2.0)) - at) / width for layer, width in widths.items()}
    for other in others:
        want = count(grown(module, other.changes, chosen)) - at
        units = {layer: max(1, round(want / each[layer])) for layer in wide}
        off = {layer: abs(units[layer] * each[layer] - want) / (at + want) for layer in wide if units[layer] < WIDEST * widths[layer]}
        if off and min(off.values()) <= growth.ALIKE:
            layer = min(off, key=off.get)
            found.append(Candidate(f"{named(layer)} +{units[layer]}", "width", (("widen", layer, 1 + units[layer] / widths[layer]),)))
    return found


def called(steps: Sequence[tuple]) -> str:
    return ", ".join(f"{named(layer)} ×{factor:g}" if way == "widen" else f"{named(layer)} {SHORT[way]}" for way, layer, factor in steps)


def count(module) -> int:
    return sum(p.numel() for p in module.parameters())


def _few(values: Sequence) -> list:
    """The first, the last, and some between."""
    if len(values) <= EACH:
        return list(values)
    return [values[round(i)] for i in np.linspace(0, len(values) - 1, EACH)]


# options

def usual(base: str, full: bool) -> dict:
    """What a ranking begins with, on the page and on the command line, of a network trained here, or of a model ("" as its base). Convolutions are narrower and
    have factors of their own."""
    ours = FULL[f"{base or BASES[0]}-0"][1]
    quick = QUICK["grow"] | (SHORT_CONV if base == "conv" else {})
    return {**(ours if full else quick), "base": base or BASES[0], "width": ours["width"], "trained": ours["trained"] if base else ADAPTED}


def settled(name: str, options: Mapping, called: Mapping = MappingProxyType({})) -> dict:
    """The quick preset with what was asked for, checked. called: option -> what whoever asked calls it, where that is not its name."""
    preset = QUICK[name]
    if unknown := [key for key in options if key not in preset]:
        raise InputError(f"{name} has no option {unknown[0]!r}.", f"There are: {', '.join(preset)}.")
    chosen, what = {**preset, **{key: value for key, value in options.items() if value is not None}}, {key: called.get(key, key) for key in preset}
    for key in preset.keys() & LIMITS.keys():
        chosen[key] = whole(chosen[key], *LIMITS[key], what[key])
    for key in preset.keys() & NUMBERS.keys():
        chosen[key] = _number(chosen[key], *NUMBERS[key], what[key])
    chosen["seed"] = sound_seed(chosen["seed"])
    for key, known in (("base", BASES), ("ground", GROUND)):
        if chosen[key] not in known:
            raise InputError(f"{chosen[key]!r} was given as {what[key]}.", f"Use one of {', '.join(known)}.")
    if not isinstance(chosen["device"], str):
        raise InputError(f"{chosen['device']!r} was given as {what['device']}.", 'Use "auto", "cpu" or "cuda".')
    for key in preset.keys() & CHECKS.keys():
        chosen[key] = CHECKS[key](_several(chosen[key], what[key]), what[key])
    return chosen


def _families(given: tuple, name: str) -> tuple[str, ...]:
    if not given or set(given) - set(FAMILIES):
        raise InputError(f"{list(given)} were given as {name}.", f"Give some of {', '.join(FAMILIES)}.")
    return tuple(family for family in FAMILIES if family in given)


def _widths(given: tuple, name: str) -> tuple[float, ...]:
    return tuple(dict.fromkeys(_number(factor, 1.01, 64, name) for factor in given))


def _repeats(given: tuple, name: str) -> tuple[int, ...]:
    return tuple(dict.fromkeys(whole(times, 1, 10, name) for times in given))


def _range(given: tuple, name: str) -> tuple[float, ...]:
    """Times epsilon: for which the radius is measured."""
    return tuple(sorted({1.0, *(_number(share, 0.001, 1000, name) for share in given)}))


def _proxies(given: tuple, _: str) -> tuple[str, ...]:
    if unknown := [name for name in given if name not in PROXIES]:
        raise InputError(f"There is no proxy {unknown[0]!r}.", f"There are: {', '.join(PROXIES)}.")
    return tuple(dict.fromkeys(given))


def _candidates(given: tuple, _: str) -> tuple[tuple, ...]:
    found = []
    for each in given:
        if not isinstance(each, (list, tuple)) or len(each) != 3 or each[1] not in FAMILIES:
            raise InputError(f"{each!r} is no candidate.", f"Give a name, one of {', '.join(FAMILIES)}, and the steps by which it grows.")
        found.append((str(each[0]), each[1], tuple(map(_step, _several(each[2], "steps of a candidate")))))
    names = [BASE, *(name for name, *_ in found)]
    if twice := [name for name in names if names.count(name) > 1]:
        raise InputError(f"Two candidates are named {twice[0]}.", "Give each a name of its own.")
    return tuple(found)


def _step(given) -> tuple[str, str, float]:
    sound = isinstance(given, (list, tuple)) and len(given) in (2, 3) and given[0] in WAYS and isinstance(given[1], str)
    if not sound or given[0] == "widen" and len(given) < 3:
        raise InputError(f"{given!r} is no step by which a network grows.", f"Give one of {', '.join(WAYS)}, a layer, and in widening a factor.")
    return given[0], given[1], _number(given[2], 1.001, 64, "factor") if given[0] == "widen" else 1


def _number(value, least: float, most: float, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not least <= value <= most:
        raise InputError(f"{value!r} was given as {name}.", f"Give a number from {least:g} to {most:g}.")
    return float(value)


def _several(given, name: str) -> tuple:
    if not isinstance(given, (list, tuple)):
        raise InputError(f"{given!r} was given as {name}.", "Give a list.")
    return tuple(given)


CHECKS = {"range": _range, "families": _families, "widths": _widths, "crossed": _widths, "repeats": _repeats, "proxies": _proxies, "candidates": _candidates,
          "grown": lambda given, _: tuple(map(_step, given))}


# results of ours

UNITS = {"grow": (grow, Growth), "valley": (valley, Valley)}
SHIPPED = {name: UNITS[unit][1] for name, (unit, _) in FULL.items()}


def shipped(name: str) -> Growth | Valley:
    """The result of our own run of a full preset."""
    return shipping.read(ASSETS / f"{name}.json", SHIPPED)


def made(name: str) -> dict:
    return shipping.made(ASSETS / f"{name}.json", SHIPPED)


def main(wanted: list[str]) -> None:
    import torch

    from analysis.data import load_dataset
    if unknown := [name for name in wanted if name not in FULL]:
        raise SystemExit(f"There is no study {unknown[0]!r}. There are: {', '.join(FULL)}.")
    torch.set_num_threads(1)  # as in the app
    for name in wanted or FULL:
        began, (unit, options) = time.monotonic(), FULL[name]
        *_, found = UNITS[unit][0]({"dataset": load_dataset(DATA)}, options, SimpleNamespace(progress=_tell))
        shipping.write(ASSETS / f"{name}.json", found, command=f"python -m analysis.studies.growth {name}", version=UNITS[unit][0].VERSION, began=began)
        print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)
        print(found.verdict() if unit == "grow" else found.at(), flush=True)


def _tell(done: int, total: int, note: str) -> None:
    if note.endswith("growing"):
        print(f"{done}/{total} {note}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
