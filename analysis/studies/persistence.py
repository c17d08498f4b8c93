"""Persistence as units of work: one layer, its loops, many clouds side by side, and how far their diagrams lie apart."""

from dataclasses import replace

import numpy as np

from analysis.errors import InputError
from analysis.metrics import persistence
from analysis.metrics.survey import Distances, Finding, gather
from analysis.studies.entries import opened, states


def profile(inputs: dict, options: dict, ctx):
    """{"representation"} with {"layer", "seed"} -> persistence.Profile. No layer, or "": the last."""
    layer, rest = _split(options)
    yield persistence.profile(states(inputs["representation"], layer)[1], progress=ctx.progress, **rest)


def loops(inputs: dict, options: dict, ctx):
    """{"representation"} with {"layer", "max_dim", "max_points", "seed"} -> persistence.Diagrams. Deaf while ripser runs: a cancel ends the process."""
    layer, rest = _split({"max_dim": 1, "max_points": 1000, "seed": 0, **options})
    x = states(inputs["representation"], layer)[1]
    yield _diagrams(x, lambda note: ctx.progress(0, 0, note), **rest)


def survey(inputs: dict, options: dict, ctx):
    """{"entries": [{"representation"} or {"model", "dataset"}, ...]} with {"layers", "names", one of each an entry; "max_points", "loops",
    "blocks", "shuffles", "seed"} -> Survey, partial after each entry. A model is run on its dataset first, unless the store has it.
    """
    entries = inputs["entries"]
    layers, names = (_each(options, name, len(entries)) for name in ("layers", "names"))
    chosen = {"max_points": 300, "loops": True, "blocks": 10, "shuffles": 10, "seed": 0, **options}
    chosen = {k: v for k, v in chosen.items() if k not in ("layers", "names")}
    findings = []
    for i, (entry, layer, name) in enumerate(zip(entries, layers, names, strict=True)):
        where = name or layer or f"entry {i + 1}"
        tell = lambda note, i=i, where=where: ctx.progress(i, len(entries), f"{where}: {note}")
        try:
            findings.append(_find(entry, layer, name, chosen, tell, ctx.progress))
        except (InputError, MemoryError) as error:
            findings.append(Finding(name, layer, reason=str(error) or "There is not enough memory for this."))
        yield gather(findings, chosen)


def distances(inputs: dict, options: dict, ctx):
    """{"survey"} with {"dim", "kind", "relative", "bars"} -> Distances, partial after each row.

    relative  every diagram is divided by its cloud's spread first: layers differ in scale by orders of magnitude
    bars      that many of the longest count, an entry; the bounds tell what the others could change
    """
    found, chosen = inputs["survey"], {"dim": 1, "kind": "wasserstein", "relative": False, "bars": 500, **options}
    _check(chosen)
    reasons = [_apart(found, i, chosen) for i in range(len(found))]
    there = [i for i, reason in enumerate(reasons) if not reason]
    kept = {i: persistence.prune(found.scaled(i, chosen["dim"], chosen["relative"]), chosen["bars"], kind=chosen["kind"]) for i in there}
    matrix, bounds = np.full((2, len(found), len(found)), np.nan)
    so_far = lambda: Distances(found.names, found.layers, matrix.copy(), bounds.copy(), tuple(reasons), chosen)
    for row, i in enumerate(there):
        matrix[i, i] = bounds[i, i] = 0
        for j in there[row + 1:]:
            ctx.progress(row, len(there), f"{found.names[i]} and {found.names[j]}")
            (p, lost), (q, left) = kept[i], kept[j]
            matrix[i, j] = matrix[j, i] = persistence.distance(p, q, dim=chosen["dim"], kind=chosen["kind"])
            bounds[i, j] = bounds[j, i] = lost + left
        yield so_far()
    if not there:
        yield so_far()


profile.VERSION = loops.VERSION = survey.VERSION = distances.VERSION = 1


def _find(entry: dict, layer: str, name: str, chosen: dict, tell, progress) -> Finding:
    """One entry of a survey. An extraction tells how far it is itself; `tell` says the rest."""
    r = opened(entry, progress)
    layer, x = states(r, layer)
    found = persistence.profile(x, blocks=chosen["blocks"], shuffles=chosen["shuffles"], halves=0, boxes=0, seed=chosen["seed"],
                                progress=lambda done, total, note: tell(note))
    finding = Finding(name or r.manifest.get("model", {}).get("name", ""), layer, x.shape[1], found)
    if not chosen["loops"]:
        return finding
    higher = _diagrams(x, tell, max_dim=1, max_points=chosen["max_points"], seed=chosen["seed"])
    return replace(finding, h1=higher.h1, covering=higher.covering_radius)


def _diagrams(x: np.ndarray, tell, *, max_points: int, **options) -> persistence.Diagrams:
    note = f"finding loops among {min(len(x), max_points):,} points".replace(",", "\u202f")  # ripser itself says nothing
    tell(note)
    return persistence.diagrams(x, max_points=max_points, progress=lambda done, total, _: tell(note), **options)


def _check(chosen: dict) -> None:
    if chosen["kind"] not in persistence.KINDS:
        raise InputError(f"Unknown distance {chosen['kind']!r}.", f"Use one of {', '.join(persistence.KINDS)}.")
    if chosen["bars"] < 1:
        raise InputError(f"A distance of {chosen['bars']} bars was asked for.", "Ask for 1 or more.")


def _apart(found, i: int, chosen: dict) -> str:
    """Why an entry of a survey has no distances, or ""."""
    if found.reasons[i]:
        return found.reasons[i]
    if chosen["dim"] and not found.options["loops"]:
        return "Its loops were not looked for."
    if chosen["relative"] and not found.spread[i] > 0:
        return "All its points lie on one another: there is no spread to measure by."
    return ""


def _split(options: dict) -> tuple[str | None, dict]:
    """The layer, and what else was asked."""
    return options.get("layer"), {k: v for k, v in options.items() if k != "layer"}


def _each(options: dict, name: str, count: int) -> list[str]:
    """A text per entry; none given: "" for each."""
    given = list(options.get(name) or [""] * count)
    if len(given) != count or not count:
        raise InputError(f"{len(given)} {name} were given for {count} entries.", "Give one for each entry, and at least one entry.")
    return given
