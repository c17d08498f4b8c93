"""What a lesson may run: the units, their options, the numbers that can be read off each result, and the charts that draw it."""

import inspect
import math
from difflib import get_close_matches
from types import MappingProxyType
from typing import NamedTuple

from analysis.cases import UNITS, Case
from analysis.errors import InputError
from analysis.lessons import numbers
from analysis.metrics.comparison import COMPANIONS
from analysis.metrics.invariance import PARTS, TRAINED, TRANSFERS


class Study(NamedTuple):
    """A unit of work: its inputs as in `cases.UNITS`, its options, the numbers that can be read off its result, and its charts."""

    inputs: dict
    options: tuple
    numbers: tuple
    charts: tuple


TAS = numbers.tas, numbers.tas_least, numbers.tas_most, numbers.companion
RADAR = "names", "radar", "splits", "blocks"
STUDIES = MappingProxyType({
    "analysis.studies.persistence:survey": Study(
        {"entries": "several"}, ("layers", "names", "max_points", "loops", "blocks", "shuffles", "seed"),
        (numbers.pieces, numbers.bar, numbers.bars, numbers.ratio, numbers.groups), ("growing", "diagrams", "through")),
    "analysis.studies.spectrum:compare": Study(
        {"a": "one", "b": "one"}, ("layer_a", "layer_b", "metric", "baseline", "max_k", "permutations", "resamples", "seed"), TAS, ("spectrum",)),
    "analysis.studies.teaching:clouds": Study({}, ("kind", "n", "d", "seed", "jitter"), TAS, ("spectrum", "clouds")),
    "analysis.studies.teaching:triangle": Study({}, ("sep", "traj", "degrees"), (numbers.angle, numbers.excess), ("triangle",)),
    "analysis.studies.radar:compare": Study(
        {"target": "one", "source": "one"}, RADAR[:2],
        (numbers.score, numbers.divergence, numbers.angle_divergence, numbers.steepest, numbers.mean_angle), ("ridgelines", "items")),
    "analysis.studies.radar:calibrate": Study(
        UNITS["analysis.studies.radar:calibrate"][1], RADAR, (numbers.null_top, numbers.matched, numbers.rank), ("ranking", "items")),
    "analysis.studies.case:inspect": Study(
        UNITS["analysis.studies.case:inspect"][1],
        (*RADAR, "layer", "budget", "seeds", "tested", "probe", "seed", "weight", "limit", "without", "calibrate", "confirm"),
        (numbers.gain, numbers.gain_low, numbers.gain_high, numbers.radar, numbers.own, numbers.borrowed), ("classes", "confusion", "labels", "items")),
    "analysis.studies.sensitivity:profile": Study(
        {"model": "id", "dataset": "id"}, ("transforms", "layers", "n", "seed", "knobs", "classes", "level", "resamples"), (numbers.sensitivity,),
        ("bars", "items")),
    "analysis.studies.teaching:shipped": Study(
        {}, ("name",), (numbers.accuracy, numbers.noticed, numbers.cost, numbers.cost_low, numbers.cost_high, numbers.published), ("harm",))})
CHARTS = MappingProxyType({  # what may be asked of each chart: a kind of value, or one of some
    "growing": {"upto": float}, "diagrams": {"entries": int, "stars": bool}, "through": {}, "spectrum": {"upto": int}, "clouds": {}, "triangle": {},
    "ridgelines": {"rows": int}, "items": {}, "ranking": {}, "classes": {}, "confusion": {}, "labels": {}, "bars": {},
    "harm": {"of": ("sensitivity", *TRANSFERS)}})
KINDS = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}
FIXED = {"name": COMPANIONS, "side": ("within", "cross"), "trained": TRAINED, "transfer": TRANSFERS, "part": PARTS}  # what arguments of numbers can be


class Chart(NamedTuple):
    """A chart by name, and what is asked of it."""

    name: str
    options: dict

    @classmethod
    def read(cls, given, unit: str, where: str) -> "Chart | None":
        """"name", or {"chart": name, option: value}; nothing, or an empty name, is none."""
        options = {key: value for key, value in given.items() if key != "chart"} if isinstance(given, dict) else {}
        name = given.get("chart") if isinstance(given, dict) else given
        if given is None or given == "":
            return None
        if name not in STUDIES[unit].charts:
            raise InputError(f"{where}: {unit.rpartition(':')[2]} has no chart {name!r}.", offered(name, STUDIES[unit].charts))
        for key, value in options.items():
            kind = refuse_unknown(key, CHARTS[name], f"{where}: the chart {name} has no")
            if isinstance(kind, tuple) and value not in kind:
                raise InputError(f"{where}: {key} of the chart {name} is {value!r}.", offered(value, kind))
            if not isinstance(kind, tuple) and not (_is(value, kind) and 0 <= value < math.inf):
                raise InputError(f"{where}: {key} of the chart {name} is {value!r}.", f"Give {KINDS[kind]}{'' if kind is bool else ' from 0 on'}.")
        return cls(name, options)


def offered(said, known) -> str:
    """What there is instead of what was said, the nearest first."""
    known = list(map(str, known))
    close = get_close_matches(said, known, 1) if isinstance(said, str) else []
    return (f"Did you mean {close[0]!r}? " if close else "") + (f"There are: {', '.join(known)}." if known else "There is none.")


def refuse_unknown(name, known, what: str):
    """What is known under a name."""
    if name not in known:
        raise InputError(f"{what} {name!r}.", offered(name, known))
    return known[name] if isinstance(known, dict) else name


def check_options(case: Case, where: str) -> None:
    """Refuses an option that the unit does not have, and a switch of RADAR that there is not."""
    for name in case.options:
        refuse_unknown(name, STUDIES[case.unit].options, f"{where}: {case.unit.rpartition(':')[2]} has no option")
    given = case.options.get("radar", {})
    if not isinstance(given, dict):
        raise InputError(f"{where}: radar is {given!r}.", "Give names of switches and their values.")
    if given:
        from analysis.metrics.radar import Options
        for name in given:
            refuse_unknown(name, Options.__dataclass_fields__, f"{where}: RADAR has no switch")


def check(case: Case, number: dict, where: str) -> None:
    """Refuses a number that the case's result does not have, or that is asked in another way."""
    known = {read.__name__: read for read in STUDIES[case.unit].numbers}
    name = number.get("of") if isinstance(number, dict) else None
    if not isinstance(name, str) or name not in known:
        raise InputError(f"{where} reads {name!r} off {case.unit.rpartition(':')[2]}.", offered(name, known))
    takes = {p.name: p for p in list(inspect.signature(known[name]).parameters.values())[1:]}
    given = {key: value for key, value in number.items() if key not in ("of", "step")}
    for key in given:
        refuse_unknown(key, takes, f"{where}: {name} has no")
    for key, p in takes.items():
        if key not in given and p.default is p.empty:
            raise InputError(f"{where}: {name} lacks {key!r}.", f"It takes {', '.join(takes)}.")
        if key in given and not _is(given[key], p.annotation):
            raise InputError(f"{where}: {key} of {name} is {given[key]!r}.", f"Give {KINDS[p.annotation]}.")
        there = _there(case, key)
        if key in given and there is not None and given[key] not in there:
            raise InputError(f"{where}: there is no {key} {given[key]!r} that {name} could be of.", offered(given[key], there))


def _there(case: Case, key: str):
    """What an argument of a number can be in this case; None where only its result tells."""
    if key == "entry":
        return range(len(case.inputs["entries"]))
    if key in ("source", "transform"):
        named = case.options.get("names" if key == "source" else "transforms")
        return named if isinstance(named, list) else [] if key == "source" else None
    return FIXED.get(key)


def read(unit: str, number: dict, found) -> float:
    """The number, NaN where it is not there yet."""
    known = {read.__name__: read for read in STUDIES[unit].numbers}
    return float(known[number["of"]](found, **{key: value for key, value in number.items() if key not in ("of", "step")}))


def _is(value, kind: type) -> bool:
    return isinstance(value, kind) if kind in (str, bool) else not isinstance(value, bool) and isinstance(value, (int, float) if kind is float else int)
