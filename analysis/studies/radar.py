"""RADAR as units of work: sources ranked beside chance, one of them looked into, all readings of it, every domain against every other, and their paths."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from analysis.errors import InputError
from analysis.metrics import radar, trajectory
from analysis.metrics.domain import domain, together
from analysis.metrics.radar import READINGS, Domains, Options, Readings, SourceRanking
from analysis.studies.entries import called, opened

PER_SOURCE = ("scores", "errors", "matched_scores", "se", "per_transition", "centroid", "gauge", "borrowed")  # of a SourceRanking, one number or row each


def calibrate(inputs: dict, options: dict, ctx):
    """{"target", "sources"}, each {"representation"} or {"model", "dataset"}, with {"names": of the sources, "radar": switches of Options, "splits",
    "blocks"} -> SourceRanking: the scores source by source, then their calibration split by split. 0 splits: the scores alone.
    """
    chosen = {"splits": 20, "blocks": 20, **options}
    how, names = _switches(options), _names(inputs["sources"], options)
    target, *sides = _opened([inputs["target"], *inputs["sources"]], ctx.progress, needed=1)
    refused = {name: side for name, side in zip(names, sides, strict=True) if isinstance(side, Exception)}
    sources = {name: side for name, side in zip(names, sides, strict=True) if name not in refused}
    if not sources:
        raise next(iter(refused.values()))
    for found in radar.calibrate(target, sources, splits=chosen["splits"], blocks=chosen["blocks"], options=how, progress=ctx.progress):
        yield _among(names, found, refused)


def compare(inputs: dict, options: dict, ctx):
    """{"target", "source"} with {"names": of the two, "radar"} as for `calibrate` -> Radar."""
    how, names = _switches(options), options.get("names")
    target, source = _opened([inputs["target"], inputs["source"]], ctx.progress, needed=2)
    ctx.progress(0, 1, "pairs within and across")
    found = radar.compare(target, source, options=how)
    yield replace(found, names=names) if names else found


def readings(inputs: dict, options: dict, ctx):
    """{"target", "sources"} with {"names", "radar"} as for `calibrate` -> Readings, one switch of the options turned at a time; partial after each reading."""
    how, names = _switches(options), _names(inputs["sources"], options)
    target, *sides = _opened([inputs["target"], *inputs["sources"]], ctx.progress, needed=1)
    scores, reasons = np.full((len(READINGS), len(names)), np.nan), {}
    for i, (reading, turned) in enumerate(READINGS.items()):
        for j, (name, source) in enumerate(zip(names, sides, strict=True)):
            ctx.progress(i * len(names) + j, scores.size, f"{name}, {reading}")
            scores[i, j], _, why = _scored(target, source, replace(how, **turned))
            reasons |= {f"{reading}: {name}": why} if why else {}
        yield Readings(list(READINGS), names, scores.copy(), dict(reasons), _title(inputs["target"]), how.manifest())


def matrix(inputs: dict, options: dict, ctx):
    """{"domains": entries} with {"names", "radar"} as for `calibrate` -> Domains, each as the target of all others; partial after each row."""
    how, names = _switches(options), _names(inputs["domains"], options, fewest=2)
    sides = _opened(inputs["domains"], ctx.progress)
    scores, errors, reasons = *np.full((2, len(names), len(names)), np.nan), {}
    for i, target in enumerate(names):
        for j, source in enumerate(names):
            if i == j:
                continue
            ctx.progress(i * len(names) + j, scores.size, f"{target} from {source}")
            scores[i, j], errors[i, j], why = _scored(sides[i], sides[j], how)
            reasons |= {f"{target} from {source}": why} if why else {}
        yield Domains(names, scores.copy(), errors.copy(), dict(reasons), how.manifest())


def paths(inputs: dict, options: dict, ctx):
    """{"domains": entries} with {"names", "radar"} as for `calibrate` and {"threads"} -> Paths through the window of the options.
    Domains that do not go with the first are left out: the options of what is found say which, and why.
    """
    how, names = _switches(options), _names(inputs["domains"], options)
    domains, refused, first = {}, {}, None
    for name, side in zip(names, _opened(inputs["domains"], ctx.progress), strict=True):
        try:
            here = domain(_there(side), called=name)
            layers = together(first or here, here, how)
            domains[name], first = side, first or here
        except (InputError, MemoryError) as error:
            refused[name] = error
    if not domains:
        raise next(iter(refused.values()))
    found = trajectory.paths(domains, layers=layers, threads=options.get("threads", 30), seed=how.seed, progress=ctx.progress)
    yield replace(found, options={**found.options, "left_out": {name: _said(error) for name, error in refused.items()}})


calibrate.VERSION = compare.VERSION = readings.VERSION = matrix.VERSION = paths.VERSION = 1


def _switches(options: dict) -> Options:
    return Options(**options.get("radar", {}))


def _names(entries: Sequence[dict], options: dict, fewest: int = 1) -> tuple[str, ...]:
    """What the entries are called, as given or by their domains: each something else."""
    given = tuple(map(str, options.get("names") or map(_title, entries)))
    if len(entries) < fewest or len(given) != len(entries):
        raise InputError(f"{len(given)} names and {len(entries)} domains were given.", f"Give {fewest} or more domains, and one name for each, or none.")
    twice = [name for name in dict.fromkeys(given) if given.count(name) > 1]
    if twice:
        raise InputError(f"More than one domain is called {twice[0]!r}.", "Give each a name of its own, once.")
    return given


def _title(entry: dict) -> str:
    """The domain of an entry, as far as that is known."""
    r, data = entry.get("representation"), entry.get("dataset")
    return (r.domain or called(r) if r is not None else data.domain or data.name) or "unnamed"


def _opened(entries: Sequence[dict], progress, needed: int = 0) -> list:
    """The Representation of each entry, or the error that there is in its place; of the first `needed` it is raised."""
    models, found = {}, []
    for i, entry in enumerate(entries):
        progress(i, len(entries), "opening the domains")
        model = entry.get("model")
        if model is not None:
            entry = {**entry, "model": models.setdefault(model.digest, model)}  # its copies would each load their weights
        try:
            found.append(opened(entry, progress))
        except (InputError, MemoryError) as error:
            if i < needed:
                raise
            found.append(error)
    return found


def _scored(target, source, how: Options) -> tuple[float, float, str]:
    """(score, error, ""), or why there is none."""
    try:
        found = radar.compare(_there(target), _there(source), options=how)
    except (InputError, MemoryError) as error:
        return np.nan, np.nan, _said(error)
    return found.score, found.mc_error, ""


def _there(side):
    """The Representation, unless there is an error in its place."""
    if isinstance(side, Exception):
        raise side
    return side


def _said(error: Exception) -> str:
    return str(error) or "There is not enough memory for this."


def _among(names: Sequence[str], found: SourceRanking, refused: dict) -> SourceRanking:
    """The ranking with all that was asked for, in that order: without numbers what could not be opened."""
    if not refused:
        return found
    place = [names.index(name) for name in found.names]

    def spread(values: np.ndarray, nothing) -> np.ndarray:
        wider = np.full((len(names), *values.shape[1:]), nothing, values.dtype)
        wider[place] = values
        return wider

    reasons = {**dict(zip(found.names, found.reasons, strict=True)), **{name: _said(error) for name, error in refused.items()}}
    return replace(found, names=names, reasons=[reasons[name] for name in names], n=spread(found.n, 0),
                   **{name: spread(getattr(found, name), np.nan) for name in PER_SOURCE})
