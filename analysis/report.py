"""Report: what a page showed, as data: its address, what it was computed from, and the numbers. Opened again, it says whether they are the same now."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit

import numpy as np

from analysis.cases import FORMAT as CASE
from analysis.cases import SAID, Case, Difference, _compared, check_format
from analysis.digest import digest
from analysis.errors import InputError
from analysis.metrics.result import plain

FORMAT, VERSION = "sextant report", 1
MOST = {"json": 20_000_000, "html": 100_000_000}  # bytes of a file
LISTED = 512  # numbers that a file lists; of more it keeps shape, digest and range
EMBEDDED = re.compile(rb'<script type="application/json" id="manifest">(.*?)</script>', re.DOTALL)  # where the HTML carries the JSON
KINDS = ("model", "dataset", "representation")
HINT = "Take a file that Sextant saved as a report: the JSON, or the HTML."


class Replay(NamedTuple):
    """How a report stands to what is computed now: studies whose numbers are the same, where the others part, and those that are not here.

    early  studies that had no numbers yet when it was saved, and whether they have now
    """

    same: int
    differences: tuple[Difference, ...]
    absent: tuple[str, ...]
    early: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True, eq=False)
class Report:
    """page, title  which page; parameters: of its address, name -> values
    inputs    what it stood on, each with kind, id, name and digest
    studies   what was computed, each with unit, version, options, inputs as (kind, source, digest), and numbers: None while it was not there yet
    charts    what was drawn: chart -> digest; said: the page's sentences
    made      versions of what made it; date: when
    """

    page: str
    title: str
    parameters: Mapping = field(default_factory=dict)
    inputs: tuple = ()
    studies: tuple = ()
    charts: Mapping = field(default_factory=dict)
    said: tuple = ()
    made: Mapping = field(default_factory=dict)
    date: str = ""

    def __post_init__(self):
        for name in ("inputs", "studies", "said"):
            object.__setattr__(self, name, tuple(getattr(self, name)) if isinstance(getattr(self, name), (list, tuple)) else None)
        _check(self)

    def json(self) -> str:
        return json.dumps({"format": f"{FORMAT} {VERSION}", **asdict(self)}, ensure_ascii=False, indent=1, allow_nan=False)

    @classmethod
    def read(cls, raw: bytes, called: str = "the file") -> "Report":
        """From the bytes of a report, JSON or HTML, or of a saved case."""
        page = raw.lstrip()[:1] == b"<"
        if len(raw) > (most := MOST["html" if page else "json"]):
            raise InputError(f"{called} has more than {most // 1_000_000} MB, too much for a report.", HINT)
        if page:
            raw = b"".join(EMBEDDED.findall(raw)[-1:])
        try:
            found = json.loads(raw.decode("utf-8"), parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{called} carries no JSON of a report: {error}.", HINT) from error
        if isinstance(found, dict) and str(found.get("format")).startswith(CASE.rstrip("0123456789")):
            return cls.of(Case.read(raw, called))
        check_format(found, f"{FORMAT} {VERSION}", called, HINT)
        if unknown := sorted(set(found) - {f.name for f in fields(cls)}):
            raise InputError(f"{called} says {unknown[0][:60]!r}, which no report has.", f"A report has {', '.join(f.name for f in fields(cls))}.")
        if missing := sorted({"page", "title"} - set(found)):
            raise InputError(f"{called} has no {missing[0]}.", HINT)
        return cls(**found)

    @classmethod
    def of(cls, case: Case) -> "Report":
        """A case as the report of the page that shows it."""
        where = urlsplit(case.address())
        inputs = [{"kind": kind, "id": f"rep:{source}" if kind == "representation" else source, "name": source, "digest": str(case.digests.get(source, ""))}
                  for entry in case.entries() for kind, source in entry.items()]
        numbers = condensed(_lasting(case.result)) if case.result else None
        study = {"unit": case.unit, "version": case.made.get(case.unit), "options": case.options, "inputs": None, "numbers": numbers}
        return cls(where.path.strip("/"), case.title, parse_qs(where.query), inputs, (study,), said=(case.text,), made=case.made)

    @property
    def digest(self) -> str:
        return digest(self.json())

    def address(self, **more: str) -> str:
        """Of the page as it was."""
        query = urlencode({**self.parameters, **more}, doseq=True, safe=":/")
        return f"/{self.page}" + (f"?{query}" if query else "")

    def replay(self, now: "Report") -> Replay:
        """Against what the same page came to now. Where there was no study at all, what was drawn is compared."""
        same, differences, absent = 0, [], []
        was = {given["id"]: given["digest"] for given in self.inputs if given["digest"]}
        present = {given["id"]: given["digest"] for given in now.inputs if given["id"] in was}
        differences += _compared("digest of", {source: was[source] for source in present}, present)
        early = []
        for study in self.studies:
            found = _match(study, now.studies)
            if study["numbers"] is None:
                early.append((_name(study["unit"]), found is not None))
                continue
            parts = found and _compared(_name(study["unit"]), study["numbers"], found["numbers"])
            same += parts == []
            differences += parts or []
            absent += [] if found else [_name(study["unit"])]
        if not self.studies:
            drawn = {name: value for name, value in now.charts.items() if name in self.charts}
            parts = _compared("chart", {name: self.charts[name] for name in drawn}, drawn)
            same, absent = len(drawn) - len(parts), sorted(set(self.charts) - set(drawn))
            differences += parts
        return Replay(same, tuple(differences), tuple(absent), tuple(early))


def study(unit: str, version: int, options: Mapping, inputs, found) -> dict:
    """An entry of `studies`, from a result, or from None."""
    return {"unit": unit, "version": version, "options": condensed(options), "inputs": condensed(inputs), "numbers": None if found is None else numbers(found)}


def numbers(result) -> dict:
    """What a result came to, fit for a file; words about it, and how long it took, left out."""
    made = result.manifest() if hasattr(result, "manifest") else {f.name: getattr(result, f.name) for f in fields(result)}
    return condensed(_lasting(made))


def condensed(value):
    """As JSON; of many numbers or texts their shape, digest and range."""
    if isinstance(value, Mapping):
        return {str(key): condensed(one) for key, one in value.items()}
    if isinstance(value, np.ndarray) and value.size <= LISTED:
        return condensed(value.tolist())
    if isinstance(value, np.ndarray):
        return _told(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        value = sorted(value, key=str) if isinstance(value, (set, frozenset)) else list(value)
        many = _array(value)
        if many is not None and many.size > LISTED:
            return _told(many)
        short = [condensed(one) for one in value]
        return short if len(value) <= LISTED else {"count": len(value), "digest": digest(json.dumps(short))}
    if isinstance(value, np.generic):
        value = value.item()
    return plain(value) if value is None or isinstance(value, (str, bool, int, float)) else str(value)


def _told(many: np.ndarray) -> dict:
    ends = many[np.isfinite(many)] if many.dtype.kind in "fiub" else many[:0]
    low, high = (condensed(end) for end in (ends.min(), ends.max())) if ends.size else (None, None)
    return {"shape": list(many.shape), "digest": digest(many if many.dtype.kind in "fiub" else many.tolist()), "low": low, "high": high}


def _array(value: list) -> np.ndarray | None:
    """A nest of numbers and None as an array; None where it is something else."""
    try:
        found = np.array(value, float)
    except (TypeError, ValueError):
        return None
    return None if any(isinstance(one, str) for one in value[:1]) else found


def _lasting(made: Mapping) -> dict:
    """Without what another run need not repeat: sentences, and seconds."""
    return {name: _lasting(value) if isinstance(value, Mapping) else value for name, value in made.items()
            if name not in SAID and not str(name).endswith("seconds")}


def _match(study: dict, others) -> dict | None:
    """The finished one of the same unit and inputs that has all its options, and no more others than need be."""
    asked = study["options"].items()
    fits = [one for one in others if one["unit"] == study["unit"] and one["numbers"] is not None and all(one["options"].get(k) == v for k, v in asked)
            and (study["inputs"] is None or one["inputs"] == study["inputs"])]
    return min(fits, key=lambda one: len(one["options"]), default=None)


def _name(unit: str) -> str:
    return unit.removeprefix("analysis.studies.").replace(":", " ").replace("_", " ")


def _no_constant(name: str):
    raise ValueError(f"{name} is no number of JSON")


def _check(report: Report) -> None:
    wrong = lambda what: InputError(f"The {what} of the report cannot be read.", HINT)  # noqa: E731
    text = lambda value, most=1000: isinstance(value, str) and len(value) <= most  # noqa: E731
    if not isinstance(report.page, str) or not re.fullmatch("[a-z]{0,40}", report.page):
        raise wrong("page")
    if not all(map(text, (report.title, report.date))):
        raise wrong("title or date")
    for name in ("parameters", "charts", "made"):
        if not isinstance(getattr(report, name), Mapping):
            raise wrong(name)
    if not all(text(key) and isinstance(values, list) and all(map(text, values)) for key, values in report.parameters.items()):
        raise wrong("parameters")
    if report.inputs is None or not all(isinstance(one, Mapping) and one.get("kind") in KINDS and all(text(one.get(k)) for k in ("id", "name", "digest"))
                                        for one in report.inputs):
        raise wrong("inputs")
    if report.studies is None or not all(isinstance(one, Mapping) and text(one.get("unit")) and isinstance(one.get("options"), Mapping)
                                         and isinstance(one.get("numbers", 0), (Mapping, type(None))) and "inputs" in one for one in report.studies):
        raise wrong("studies")
    if report.said is None or not all(text(one, 20_000) for one in report.said):
        raise wrong("sentences")
