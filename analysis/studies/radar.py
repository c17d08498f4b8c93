"""RADAR as units of work: sources ranked beside chance, one of them looked into, all readings of it, every domain against every other, and their paths."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from analysis.errors import InputError
from analysis.metrics import radar, trajectory
from analysis.metrics.domain import domain, together
from analysis.metrics.radar import READINGS, Domains, Options, Readings, SourceRanking
from analysis.studies.entries import all_opened, named, said, there, title

# of a SourceRanking, one number or row each
PER_SOURCE = ("scores", "errors", "matched_scores", "nulls", "se", "per_transition", "centroid", "gauge", "own", "borrowed")


def calibrate(inputs: dict, options: dict, ctx):
    """{"target", "sources"}, each {"representation"} or {"model", "dataset"}, with {"names": of the sources, "radar": switches of Options, "splits",
    "blocks"} -> SourceRanking: the scores source by source, then their calibration split by split. 0 splits: the scores alone.
    """
    chosen = {"splits": 20, "blocks": 20, **options}
    how, names = switches(options), named(inputs["sources"], options)
    target, *sides = all_opened([inputs["target"], *inputs["sources"]], ctx.progress, needed=1)
    refused = {name: side for name, side in zip(names, sides, strict=True) if isinstance(side, Exception)}
    sources = {name: side for name, side in zip(names, sides, strict=True) if name not in refused}
    if not sources:
        raise next(iter(refused.values()))
    for found in radar.calibrate(target, sources, splits=chosen["splits"], blocks=chosen["blocks"], options=how, progress=ctx.progress):
        yield _among(names, found, refused)


def compare(inputs: dict, options: dict, ctx):
    """{"target", "source"} with {"names": of the two, "radar"} as for `calibrate` -> Radar."""
    how, names = switches(options), options.get("names")
    target, source = all_opened([inputs["target"], inputs["source"]], ctx.progress, needed=2)
    ctx.progress(0, 1, "pairs within and across")
    found = radar.compare(target, source, options=how)
    yield replace(found, names=names) if names else found


def readings(inputs: dict, options: dict, ctx):
    """{"target", "sources"} with {"names", "radar"} as for `calibrate` -> Readings, one switch of the options turned at a time; partial after each reading."""
    how, names = switches(options), named(inputs["sources"], options)
    target, *sides = all_opened([inputs["target"], *inputs["sources"]], ctx.progress, needed=1)
    scores, reasons = np.full((len(READINGS), len(names)), np.nan), {}
    for i, (reading, turned) in enumerate(READINGS.items()):
        for j, (name, source) in enumerate(zip(names, sides, strict=True)):
            ctx.progress(i * len(names) + j, scores.size, f"{name}, {reading}")
            scores[i, j], _, why = scored(target, source, replace(how, **turned))
            reasons |= {f"{reading}: {name}": why} if why else {}
        yield Readings(list(READINGS), names, scores.copy(), dict(reasons), title(inputs["target"]), how.manifest())


def matrix(inputs: dict, options: dict, ctx):
    """{"domains": entries} with {"names", "radar"} as for `calibrate` -> Domains, each as the target of all others; partial after each row."""
    how, names = switches(options), named(inputs["domains"], options, fewest=2)
    sides = all_opened(inputs["domains"], ctx.progress)
    scores, errors, reasons = *np.full((2, len(names), len(names)), np.nan), {}
    for i, target in enumerate(names):
        for j, source in enumerate(names):
            if i == j:
                continue
            ctx.progress(i * len(names) + j, scores.size, f"{target} from {source}")
            scores[i, j], errors[i, j], why = scored(sides[i], sides[j], how)
            reasons |= {f"{target} from {source}": why} if why else {}
        yield Domains(names, scores.copy(), errors.copy(), dict(reasons), how.manifest())


def paths(inputs: dict, options: dict, ctx):
    """{"domains": entries} with {"names", "radar"} as for `calibrate` and {"threads", "axes"} -> Paths through the window of the options.
    Domains that do not go with the first are left out: the options of what is found say which, and why.
    """
    how, names = switches(options), named(inputs["domains"], options)
    domains, refused, first = {}, {}, None
    for name, side in zip(names, all_opened(inputs["domains"], ctx.progress), strict=True):
        try:
            here = domain(there(side), called=name)
            layers = together(first or here, here, how)
            domains[name], first = side, first or here
        except (InputError, MemoryError) as error:
            refused[name] = error
    if not domains:
        raise next(iter(refused.values()))
    asked = {"threads": options.get("threads", 30), "axes": options.get("axes", "states")}
    found = trajectory.paths(domains, layers=layers, seed=how.seed, progress=ctx.progress, **asked)
    yield replace(found, options={**found.options, "left_out": {name: said(error) for name, error in refused.items()}})


calibrate.VERSION = compare.VERSION = readings.VERSION = matrix.VERSION = paths.VERSION = 2


def switches(options: dict) -> Options:
    given = options.get("radar", {})
    if unknown := [name for name in given if name not in Options.__dataclass_fields__]:
        raise InputError(f"RADAR has no switch {unknown[0]!r}.", f"There are: {', '.join(Options.__dataclass_fields__)}.")
    return Options(**given)


def scored(target, source, how: Options) -> tuple[float, float, str]:
    """(score, error, ""), or why there is none."""
    try:
        found = radar.compare(there(target), there(source), options=how)
    except (InputError, MemoryError) as error:
        return np.nan, np.nan, said(error)
    return found.score, found.mc_error, ""


def _among(names: Sequence[str], found: SourceRanking, refused: dict) -> SourceRanking:
    """The ranking with all that was asked for, in that order: without numbers what could not be opened."""
    if not refused:
        return found
    place = [names.index(name) for name in found.names]

    def spread(values: np.ndarray, nothing) -> np.ndarray:
        wider = np.full((len(names), *values.shape[1:]), nothing, values.dtype)
        wider[place] = values
        return wider

    reasons = {**dict(zip(found.names, found.reasons, strict=True)), **{name: said(error) for name, error in refused.items()}}
    return replace(found, names=names, reasons=[reasons[name] for name in names], n=spread(found.n, 0), halves=spread(found.halves, 0),
                   **{name: spread(getattr(found, name), np.nan) for name in PER_SOURCE})
