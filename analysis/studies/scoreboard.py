"""The honest scoreboard as a unit of work: every target of the built-in suites, all its blends of sources, RADAR under every reading beside every baseline.

Each target is a run of `ranking.sources` by itself: a caller that keeps those runs hands them in, and only what is missing is computed.
"""

import json
import platform
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from analysis import __version__, load_dataset, load_model
from analysis.errors import InputError
from analysis.metrics.radar import READINGS
from analysis.metrics.scoreboard import Scoreboard, gather
from analysis.studies import ranking

SHIPPED = Path(__file__).resolve().parents[2] / "assets" / "scoreboard.json"
VISION, TEXT, HAND = "builtin:vit/seed0", "builtin:text/minilm", "builtin:digits/handwritten"
BUDGET, SEEDS, PAIRS = 50, 10, 2000  # target items, splits, pairs that RADAR draws, unless told


class Suite(NamedTuple):
    """Domains of one model, of which the first `targets` are targets in turn, and all others of it their sources."""

    model: str
    domains: tuple[str, ...]
    targets: int


class Run(NamedTuple):
    """One target of a suite, by ids: what `ranking.sources` is run on, and with what options."""

    model: str
    target: str
    sources: tuple[str, ...]
    options: dict


def _graded(kind: str) -> Suite:
    """Four severities of a shift, and what is shifted; shifted digits as targets would ask the same question again."""
    return Suite(VISION, (HAND, *(f"{HAND}-{kind}-{severity}" for severity in (1, 2, 3, 5))), 1)


SUITES = {
    **{f"graded {kind}": _graded(kind) for kind in ("noise", "blur", "contrast", "occlusion")},
    "other digits": Suite(VISION, (HAND, "builtin:digits/printed", "builtin:digits/seven-segment", f"{HAND}-inverted", f"{HAND}-occlusion-3"), 5),
    "label contradiction": Suite(VISION, (HAND, f"{HAND}-turned-180", f"{HAND}-mirrored", f"{HAND}-noise-3", f"{HAND}-blur-3"), 5),
    "review domains": Suite(TEXT, tuple(f"builtin:reviews/{domain}" for domain in ("film", "book", "restaurant", "phone", "hotel")), 5),
    "languages": Suite(TEXT, tuple(f"builtin:reviews/restaurant{language}" for language in ("", "-de", "-fr", "-es")), 4)}


def runs(options: dict) -> dict[str, Run]:
    """By the name of suite and target: every run that the scoreboard with these options is made of."""
    chosen = SUITES if options.get("suites") is None else options["suites"]
    if unknown := [name for name in chosen if name not in SUITES]:
        raise InputError(f"There is no suite {unknown[0]!r}.", f"There are: {', '.join(SUITES)}.")
    if not chosen:
        raise InputError("No suite was chosen.", f"There are: {', '.join(SUITES)}.")
    asked = {"budget": options.get("budget", BUDGET), "seeds": options.get("seeds", SEEDS), "seed": options.get("seed", 0),
             "radar": {"pairs": PAIRS, **options.get("radar", {})}, "readings": list(READINGS)}
    found = {}
    for name in chosen:
        suite = SUITES[name]
        for target in suite.domains[:suite.targets]:
            sources = tuple(domain for domain in suite.domains if domain != target)
            found[f"{name}: {_short(target)}"] = Run(suite.model, target, sources, {"names": [*map(_short, sources)], **asked})
    return found


def scoreboard(inputs: dict, options: dict, ctx):
    """{"boards": Leaderboards that are there already, by the names in `runs`} with {"suites": none given, all; "budget", "seeds", "seed", "radar"} ->
    Scoreboard, partial after each target."""
    todo, boards = runs(options), {}
    there = inputs.get("boards") or {}
    if unknown := [name for name in there if name not in todo]:
        raise InputError(f"{unknown[0]!r} is none of the targets that were asked for.", f"There are: {', '.join(todo)}.")
    for done, (name, run) in enumerate(todo.items()):
        ctx.progress(done, len(todo), name)
        boards[name] = there.get(name) or _ranked(run, lambda _, __, note, done=done, name=name: ctx.progress(done, len(todo), f"{name}, {note}"))
        yield gather(boards, options=_told(options))


scoreboard.VERSION = 1


def made() -> dict:
    """What makes the present numbers, and when."""
    return {"date": date.today().isoformat(), "sextant": __version__, "python": platform.python_version(), "numpy": np.__version__,
            "command": "python -m analysis scoreboard --json assets/scoreboard.json"}


def shipped() -> tuple[Scoreboard, dict]:
    """All suites as they came out when the file was made, and what made it."""
    report = json.loads(SHIPPED.read_text(encoding="utf-8"))
    return Scoreboard.read(report), report["made"]


def _short(dataset: str) -> str:
    """Its id without the group."""
    return dataset.rpartition("/")[2]


def _ranked(run: Run, progress):
    model = load_model(run.model)
    target, *sources = ({"model": model, "dataset": load_dataset(domain)} for domain in (run.target, *run.sources))
    *_, found = ranking.sources({"target": target, "sources": sources}, run.options, SimpleNamespace(progress=progress))
    return found


def _told(options: dict) -> dict:
    """Every option as it was taken."""
    first = next(iter(runs(options).values())).options
    return {"suites": list(options.get("suites") or SUITES), **{name: value for name, value in first.items() if name != "names"}}
