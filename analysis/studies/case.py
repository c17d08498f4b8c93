"""Cases as units of work: one target and one source, measured and looked into; and every domain as the source of every other."""

from dataclasses import replace
from functools import partial

import numpy as np

from analysis.errors import InputError
from analysis.metrics import gain, radar
from analysis.metrics.inspection import Inspection, Pairs, nearby
from analysis.metrics.ranking import whole
from analysis.studies.entries import all_opened, named, said, there, title
from analysis.studies.gain import Sides, _asked, _told, gathered, sound
from analysis.studies.radar import scored as _scored
from analysis.studies.radar import switches as _switches

BUDGET = 50  # target items that every pair of domains is measured with, unless told
SEEDS = 10


def inspect(inputs: dict, options: dict, ctx):
    """{"target", "source"}, each {"representation"} or {"model", "dataset"}, with {"names": of the two, "layer": "" for the last, "budget", "seeds", "tested",
    "probe", "seed"; of the source "weight", "limit" and "without": names of classes; "radar": switches of its Options, "calibrate": whether its null is found,
    "splits", "blocks"; "confirm": whether the other probe is asked} -> Inspection: the gain split by split, then neighbours, RADAR and what confirms it.
    """
    sound(options, ("names", "without"), ())
    chosen, how = {"seeds": SEEDS, "calibrate": True, "splits": 20, "blocks": 20, "confirm": False, **options}, _switches(options)
    known = _sides(inputs, options, ctx.progress)
    name, asked = known.names[0], _of_one(known, chosen)
    for gains in _gains(known, asked, ctx.progress, keep=[(name,)]):
        found = _begun(known, gains, asked["without"].get(name, ()))
        yield found
    ctx.progress(0, 1, "nearest items of the source")
    source, used = known.sources[0], found.source_labels >= 0
    kept = used[source.rows]
    near = nearby(known.target.x, known.target.labels, source.x[kept], source.rows[kept], source.labels[kept], len(known.classes))
    found = replace(found, **near._asdict())
    yield found
    measured = found.warnings
    for told in _ranked(known, how, chosen, ctx.progress):
        found = replace(found, **{**told, "warnings": (*measured, *told.get("warnings", ()))})
        yield found
    if chosen["confirm"]:
        other = next(probe for probe in gain.PROBES if probe != found.options["probe"])
        for gains in _gains(known, {**asked, "probe": other}, ctx.progress):
            found = replace(found, confirmed=gains.gain(name))
            yield found
    yield replace(found, final=True)


def pairs(inputs: dict, options: dict, ctx):
    """{"domains": entries} with {"names", "layer", "budget", "seeds", "seed", "radar"} as for `inspect` -> Pairs, each domain as the target of all others;
    partial after each target."""
    sound(options)
    how, names = _switches(options), named(inputs["domains"], options, fewest=2)
    chosen = {"budget": BUDGET, "seeds": SEEDS, "layer": "", "seed": 0, **options}
    seeds = whole(chosen["seeds"], 1, 10_000, "splits (seeds)")
    sides = all_opened(inputs["domains"], ctx.progress)
    _possible(chosen["budget"], sides)
    predicted, measured, reasons = np.full((len(names),) * 2, np.nan), np.full((len(names), len(names), seeds), np.nan), {}
    for i, target in enumerate(names):
        for j, source in enumerate(names):
            if i != j:
                tell = partial(_stood, ctx.progress, i * len(names) + j, len(names)**2, f"{target} from {source}")
                predicted[i, j], measured[i, j], why = _paired(sides[i], sides[j], source, how, chosen, tell)
                reasons |= {f"{target} from {source}": why} if why else {}
        yield Pairs(names, predicted.copy(), measured.copy(), chosen["budget"], dict(reasons), options={**chosen, "radar": how.manifest()},
                    final=i == len(names) - 1)


inspect.VERSION = pairs.VERSION = 2


def _possible(budget, sides) -> None:
    """Refuses a number of target items that no domain has, before anything is measured."""
    sizes = [np.bincount(side.labels) for side in sides if getattr(side, "labels", None) is not None]
    spans = [(int((size > 1).sum()), int(size.sum() - (size > 0).sum())) for size in sizes]
    if spans:
        budget = whole(budget, min(least for least, _ in spans), max(most for _, most in spans), "target items to train on (budget)")
    if spans and not any(least <= budget <= most for least, most in spans):
        raise InputError(f"No domain can give {budget} target items to train on (budget).", "Give a number between one per class and all but one per class.")


def _sides(inputs: dict, options: dict, progress) -> Sides:
    """The two, under the names that are asked for."""
    names = tuple(map(str, options.get("names") or (title(inputs["target"]), title(inputs["source"]))))
    if len(names) != 2:
        raise InputError(f"{len(names)} names were given for a target and a source.", "Give two names, or none.")
    if names[0] == names[1]:
        names = names[0], f"{names[1]}, as source"
    known = gathered({"target": inputs["target"], "sources": [inputs["source"]]}, {**options, "names": names[1:]}, progress)
    return replace(known, target=replace(known.target, name=names[0]))


def _of_one(known: Sides, chosen: dict) -> dict:
    """What the metric is asked, where options speak of the one source there is."""
    of_source = {option: None if chosen.get(given) is None else {known.names[0]: chosen[given]}
                 for option, given in (("weights", "weight"), ("limit", "limit"), ("without", "without"))}
    return {**_asked(known, {**chosen, **of_source}), "budget": known.budget(chosen.get("budget"))}


def _gains(known: Sides, asked: dict, progress, **more):
    for found in gain.measure(**known.given(), **asked, **more, progress=progress):
        yield _told(known, found)


def _begun(known: Sides, gains: gain.Gains, without) -> Inspection:
    """What the measured gain alone says."""
    source, classes = known.sources[0], len(known.classes)
    labels = np.full(len(source.states), -1)
    labels[source.rows] = np.where(np.isin(source.labels, without), -1, source.labels)
    shares = [np.bincount(y, minlength=classes) / len(y) for y in (known.target.labels, labels[labels >= 0])]
    has = set(source.labels.tolist())
    return Inspection(known.target.name, source.name, known.layer, known.classes, [c for i, c in enumerate(known.classes) if i in has],
                      [c for c in source.states.classes if c not in known.classes], known.target.labels, labels, gains.base, gains.accuracy[0],
                      gains.per_class, gains.confusion, gains.before, gains.after[0], np.array(shares), gains.n_sources[0], gains.budget,
                      gains.tested, gains.seeds, warnings=gains.warnings, options=gains.options)


def _ranked(known: Sides, how: radar.Options, chosen: dict, progress):
    """What RADAR says of the source, as it becomes known; why it says nothing."""
    name, counts = known.names[0], {count: chosen[count] if chosen["calibrate"] else 0 for count in ("splits", "blocks")}
    try:
        for found in radar.calibrate(known.target.states, {name: known.sources[0].states}, **counts, options=how, progress=progress):
            source = found.sources[name]
            yield {"radar": source.score, "mc_error": source.mc_error, "per_transition": found.per_transition[0], "layers": found.layers,
                   "gauge": float(found.gauge[0]), "null": found.nulls[0], "matched": source.matched, "matched_interval": source.matched_interval,
                   "verdict": source.verdict, "radar_reason": source.reason, "warnings": found.warnings if chosen["calibrate"] else ()}
    except (InputError, MemoryError) as error:
        yield {"radar_reason": said(error)}


def _paired(target, source, name: str, how: radar.Options, chosen: dict, progress) -> tuple[float, np.ndarray, str]:
    """(RADAR, gains, why there is none of one of them): what is predicted of a source, and what comes of it."""
    progress()
    score, _, why = _scored(target, source, how)
    try:
        sides = {"target": {"representation": there(target)}, "sources": [{"representation": there(source)}]}
        known = gathered(sides, {"names": [name], "layer": chosen["layer"]}, progress)
        *_, found = gain.measure(**known.given(), **_asked(known, chosen), budget=chosen["budget"], progress=progress)
        return score, found.gain(name), why
    except (InputError, MemoryError) as error:
        return score, np.nan, said(error)


def _stood(progress, done: int, total: int, note: str, *_) -> None:
    """Tells of the pair that is measured, whatever the measurement tells of itself."""
    progress(done, total, note)
