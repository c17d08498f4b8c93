"""Sensitivity as a unit of work: the layers of one model under each transform, on pairs of scenes or of a dataset's own items."""

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from hashlib import blake2b

import numpy as np

from analysis.data import scenes, transforms, wording
from analysis.digest import digest
from analysis.errors import InputError
from analysis.extraction import check_fit, usable_device
from analysis.metrics import sensitivity
from analysis.metrics.ranking import sound_seed, whole
from analysis.metrics.sensitivity import Profile, cell
from analysis.models.model import Model

PLAIN = {"transforms": None, "layers": None, "n": 2000, "seed": 0, "knobs": {}, "classes": None, "level": sensitivity.LEVEL, "resamples": sensitivity.RESAMPLES}
AT_ONCE = {"image": 128, "text": 32}  # items run at once
MOST = 100_000  # pairs
IDLE = 0.95  # share of pairs left as they were from which on it is told


def profile(inputs: dict, options: dict, ctx):
    """{"model", "dataset"} or {"model", "scenes": the built-in ones where there are none}, with {"transforms": none, all; "layers": none, the last; "n",
    "seed", "knobs": transform -> knob -> value or (low, high); "classes": of scenes, none, all; "level", "resamples"} -> Profile, partial after each transform.

    A dataset's own items are transformed, pictures or texts; scenes are Transforms-2D.
    """
    chosen, model = {**PLAIN, **options}, inputs["model"]
    known, kind = offered(inputs)
    _check(model, inputs, chosen)
    names = transforms.sound_names(tuple(known) if chosen["transforms"] is None else chosen["transforms"], known)
    asked = model.choose(chosen["layers"] or list(model.layers)[-1])
    so_far, device = _empty(model, inputs, names, [known[name].family for name in names], asked, chosen), usable_device("auto")
    n, total = so_far.n, so_far.n * len(names)
    run = lambda items: model.run(list(items) if kind == "text" else items, layers=asked, device=device)[0]
    embed = _Once(run, lambda: drawn(inputs, chosen, None)[0]) if len(names) > 1 else run
    for place, name in enumerate(names):
        tell = lambda done, of, note, name=name, place=place: ctx.progress(place * n + done, total, f"{name}: {note}")

        def measure(name=name, tell=tell) -> Profile:
            a, b, _ = drawn(inputs, chosen, name)
            found = sensitivity.layers(embed, (a, b), seed=chosen["seed"], level=chosen["level"], resamples=chosen["resamples"], batch=AT_ONCE[kind],
                                       progress=tell)
            return _measured(_empty(model, inputs, (name,), [known[name].family], asked, chosen), found, scenes.does_nothing(a, b))

        tell(0, n, "drawing pairs")
        so_far = _joined(so_far, place, _kept(ctx, lambda name=name: _part(inputs, chosen, name, asked), measure))
        yield so_far


profile.VERSION = 2


def offered(inputs: dict) -> tuple[dict, str]:
    """The transforms that there are for these items, and what the items are."""
    data = inputs.get("dataset")
    kind = "image" if data is None else data.modality
    if kind not in AT_ONCE:
        raise InputError(f"There are no transforms of rows of numbers, which {data.name or 'the dataset'} holds.", "Choose pictures or texts.")
    return (transforms.TRANSFORMS if kind == "image" else wording.WORDINGS), kind


def drawn(inputs: dict, options: dict, transform: str | None) -> tuple:
    """(first sides, second sides, labels of the scenes or rows of the dataset): the pairs that a profile with these options compares; of None, the items
    as they are."""
    chosen, data = {**PLAIN, **options}, inputs.get("dataset")
    how = {"transforms": [transform] if transform else [], "n": chosen["n"], "seed": chosen["seed"], "knobs": chosen["knobs"]}
    if data is None:
        return scenes.pairs(inputs.get("scenes") or scenes.builtin(), classes=chosen["classes"], **how)
    return (scenes.pairs_of if data.modality == "image" else wording.pairs_of_texts)(data.items, **how)


class _Once:
    """Half of the transforms leave half of the items as they are: those are run once, and their rows kept."""

    def __init__(self, run, items: Callable):
        self.run, self.items = run, items

    @cached_property
    def rows(self) -> dict:
        return dict.fromkeys(map(_key, self.items()))

    def __call__(self, items) -> dict:
        keys = list(map(_key, items))
        new = [i for i, key in enumerate(keys) if self.rows.get(key) is None]
        found = self.run(items[new] if hasattr(items, "shape") else [items[i] for i in new]) if new else {}
        for place, i in enumerate(new):
            if keys[i] in self.rows:
                self.rows[keys[i]] = {layer: x[place] for layer, x in found.items()}
        places = {i: place for place, i in enumerate(new)}
        layers = found or self.rows[keys[0]]
        return {layer: np.stack([found[layer][places[i]] if i in places else self.rows[key][layer] for i, key in enumerate(keys)]) for layer in layers}


def _key(item) -> bytes:
    return blake2b(item.encode() if isinstance(item, str) else np.ascontiguousarray(item), digest_size=16).digest()


def _check(model: Model, inputs: dict, chosen: dict) -> None:
    """What would be refused late is refused before anything is run."""
    if inputs.get("dataset") is not None:
        check_fit(model, inputs["dataset"])
    elif "image" not in model.reads:
        raise InputError(f"{model.name} reads {' or '.join(model.reads)}s, and scenes are pictures.", f"Give it a dataset of {model.reads[0]}s to transform.")
    whole(chosen["n"], 2, MOST, "pairs")
    sound_seed(chosen["seed"])
    transforms.sound_ranges(chosen["knobs"], offered(inputs)[0])
    if chosen["classes"] is not None:
        if inputs.get("dataset") is not None:
            raise InputError("Classes of scenes were asked for, and a dataset's own items are transformed.", "Leave the classes out.")
        chosen["classes"] = scenes.sound_classes(inputs.get("scenes") or scenes.builtin(), chosen["classes"]).tolist()
    if chosen["transforms"] is not None and not len(chosen["transforms"]):
        raise InputError("No transform was asked for.", "Name at least one, or none for all.")


def _empty(model: Model, inputs: dict, names: tuple, families: list, layers: list, chosen: dict) -> Profile:
    data, n, notes = inputs.get("dataset"), chosen["n"], ()
    if data is not None and len(data) < n:
        n, notes = len(data), (f"There are {len(data)} items: all of them are used.",)
    called = (inputs.get("scenes") or scenes.builtin()).name if data is None else data.name or data.domain
    nothing = lambda *shape, kind=np.float64: np.full(shape, np.nan, kind)
    cells, pairs = (len(names), len(layers)), (len(names), len(layers), n)
    return Profile(model.name, called, names, families, layers, nothing(*cells), nothing(*cells), nothing(*cells), nothing(*pairs, kind=np.float32),
                   nothing(*pairs, kind=np.float32), np.zeros(n, np.int64), nothing(len(names)), n, warnings=notes, options=chosen)


def _kept(ctx, key: Callable, make: Callable):
    """What an earlier run kept, which may have had other ranges for other transforms; else what is made now, and kept where the context can."""
    if not hasattr(ctx, "kept"):
        return make()
    name = key()
    found = ctx.kept(name)
    if found is None:
        found = make()
        ctx.keep(name, found)
    return found


def _part(inputs: dict, chosen: dict, name: str, layers: list) -> str:
    """The key of one transform's numbers: the ranges of other transforms have no say in them."""
    things = {kind: thing.digest for kind, thing in inputs.items() if thing is not None}
    knobs = transforms.sound_ranges({name: chosen["knobs"][name]} if name in chosen["knobs"] else None, offered(inputs)[0])
    same = {key: chosen[key] for key in ("n", "seed", "classes", "level", "resamples")}
    return digest("part", "sensitivity", profile.VERSION, things, name, knobs, layers, same)


def _measured(empty: Profile, found: dict, idle: float) -> Profile:
    """The profile of one transform."""
    rows, (name,) = [found[layer] for layer in empty.layers], empty.transforms
    arrays = {key: np.array([[getattr(row, key) for row in rows]], getattr(empty, key).dtype) for key in ("value", "low", "high", "matched", "random")}
    reasons = {cell(name, layer): row.reason for layer, row in zip(empty.layers, rows, strict=True) if row.reason}
    warnings = empty.warnings
    if idle >= IDLE:
        what = "does nothing to these items" if idle == 1 else f"leaves {100 * idle:.0f} % of these pairs as they are"
        warnings += (f"{name} {what}: a sensitivity of about 0 says nothing of the model.",)
    elif all(not row.reason and not row.matched.any() for row in rows):
        warnings += (f"{name}: both sides of every pair come out exactly the same. The model cannot notice it, whatever it learned: by how it is built, or "
                     "since its own preparation of the items removes the change.",)
    return replace(empty, **arrays, partner=rows[0].partner, idle=np.array([idle]), reasons=reasons, warnings=warnings)


def _joined(so_far: Profile, place: int, one: Profile) -> Profile:
    """The profile and one more transform."""
    arrays = {key: getattr(so_far, key).copy() for key in ("value", "low", "high", "matched", "random", "idle")}
    for key, array in arrays.items():
        array[place] = getattr(one, key)[0]
    warnings = dict.fromkeys((*so_far.warnings, *one.warnings))
    return replace(so_far, **arrays, partner=one.partner, reasons={**so_far.reasons, **one.reasons}, warnings=tuple(warnings))
