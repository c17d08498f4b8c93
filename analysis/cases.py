"""Case: a study as a file. What it was made of, its options, its numbers and a text; data, never code. Saved, linked, run again and compared bit for bit.

    case = BUILTIN["turned"].run()
    case.save("turned.json")
    found, differences = Case.load("turned.json").replay()
"""

import importlib
import json
import math
import platform
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import ClassVar, NamedTuple
from urllib.parse import urlencode

import numpy as np

from analysis import __version__
from analysis.errors import InputError
from analysis.tensors import write_json

FORMAT = "sextant case 1"
MOST = 5_000_000  # bytes of a file
DEEPEST = 8  # nested lists and mappings
TEXTS = {"title": 200, "text": 5000, "look": 5000}  # characters
UNITS = MappingProxyType({  # what a case may run: the page that shows it, and its inputs, one entry, several, or an id alone
    "analysis.studies.case:inspect": ("cases", {"target": "one", "source": "one"}),
    "analysis.studies.case:pairs": ("cases", {"domains": "several"}),
    "analysis.studies.radar:calibrate": ("radar", {"target": "one", "sources": "several"}),
    "analysis.studies.ranking:sources": ("ranking", {"target": "one", "sources": "several"}),
    "analysis.studies.ranking:models": ("ranking", {"models": "several"})})
ENTRIES = ({"model", "dataset"}, {"representation"})
GIVEN = {"one": "Give the ids of a model and a dataset, or of a representation.",
         "several": "Give the ids of a model and a dataset, or of a representation: a list of these.", "id": "Give one id."}
SAID = ("paragraph", "reading", "warnings", "seconds")  # of a result: words about its numbers, and how long they took
OF_FRAME = ("layer",)  # options that all pages share, so that no page's name stands before them
HINT = "Take a file that Sextant saved as a case."
Progress = Callable[[int, int, str], None]


class Difference(NamedTuple):
    """Where a result differs from the saved one; None on a side that lacks it."""

    where: str
    saved: object
    now: object


def apart(differences: Iterable[Difference]) -> float:
    """The largest of the differences, as a share of the saved number; infinite where something else than a number differs."""
    return max((abs(now - saved) / (abs(saved) or abs(now)) if {type(saved), type(now)} <= {int, float} else math.inf for _, saved, now in differences),
               default=0.0)


@dataclass(frozen=True, eq=False)
class Case:
    """title, text, look  what it is called, what it shows, and what to look at
    unit     what it runs, one of UNITS; inputs: entries of ids, as the app and the command line name things; options: of the unit
    result   the manifest that it came to; empty until it was run
    digests  of the inputs then, by id; made: versions of what made the result
    """

    title: str
    text: str
    unit: str
    inputs: Mapping
    options: Mapping = field(default_factory=dict)
    look: str = ""
    result: Mapping = field(default_factory=dict)
    digests: Mapping = field(default_factory=dict)
    made: Mapping = field(default_factory=dict)
    units: ClassVar[Mapping] = UNITS

    def __post_init__(self):
        for name in ("inputs", "options", "result", "digests", "made"):
            object.__setattr__(self, name, _json(getattr(self, name), name))
        _check(self)

    # as a file

    def save(self, path) -> Path:
        path = Path(path).expanduser()
        try:
            write_json(path, {"format": FORMAT, **asdict(self)})
        except OSError as error:
            raise InputError(f"{path} cannot be written: {error.strerror or error}.", "Name a file in a folder of yours.") from error
        return path

    @classmethod
    def load(cls, path) -> "Case":
        from analysis.data.guard import as_path
        path = as_path(path)
        if not path.is_file():
            raise InputError(f"There is no file {str(path)!r}.", "Check the path and its spelling.")
        with open(path, "rb") as file:
            return cls.read(file.read(MOST + 1), path.name)

    @classmethod
    def read(cls, raw: bytes, called: str = "the file") -> "Case":
        """From the bytes of a file."""
        if len(raw) > MOST:
            raise InputError(f"{called} has more than {MOST // 1_000_000} MB, too much for a case.", HINT)
        try:
            found = json.loads(raw.decode("utf-8"), parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{called} is no JSON: {error}.", HINT) from error
        check_format(found, FORMAT, called, HINT)
        known = {f.name for f in fields(cls)}
        if unknown := sorted(set(found) - known):
            raise InputError(f"{called} says {_short(unknown[0])}, which no case has.", f"A case has {', '.join(sorted(known))}.")
        if missing := sorted({"title", "text", "unit", "inputs"} - set(found)):
            raise InputError(f"{called} has no {missing[0]}.", HINT)
        return cls(**found)

    # as a study

    def run(self, progress: Progress | None = None) -> "Case":
        """The case with its numbers."""
        return self.keep(self.found(progress))

    def found(self, progress: Progress | None = None):
        """The result, computed now."""
        from analysis.engine.task import resolve
        with _one_thread():
            *_, found = self.call()(self.resolved(resolve), dict(self.options), SimpleNamespace(progress=progress or _silent))
        return found

    def keep(self, found) -> "Case":
        """The case with the numbers of a result, and what made them."""
        made = {"sextant": __version__, "python": platform.python_version(), "numpy": np.__version__, self.unit: self.call().VERSION}
        return replace(self, result=found.manifest(), digests=self.present(), made=made)

    def replay(self, progress: Progress | None = None) -> tuple[object, tuple[Difference, ...]]:
        """(result, differences): run again, and wherever a number, or an input, is not what it was, to the last bit. Of a case that was never run: none."""
        found = self.found(progress)
        if not self.result:
            return found, ()
        return found, self.differences(found)

    def differences(self, found) -> tuple[Difference, ...]:
        now = self.keep(found)
        inputs = _compared("digest of", self.digests, {name: now.digests.get(name) for name in self.digests})
        return (*inputs, *_compared("", _numbers(self.result), _numbers(now.result)))

    def call(self) -> Callable:
        module, _, name = self.unit.partition(":")
        return getattr(importlib.import_module(module), name)

    def resolved(self, find: Callable[[str, str], object]) -> dict:
        """The inputs, with what `find(kind, id)` makes of each id."""
        entry = lambda given: {kind: find(kind, source) for kind, source in given.items()}
        found = lambda name, given: find(name, given) if isinstance(given, str) else entry(given) if isinstance(given, dict) else list(map(entry, given))
        return {name: found(name, given) for name, given in self.inputs.items()}

    def present(self) -> dict:
        """The digest that each input has now, by id."""
        from analysis.engine.task import resolve
        return {source: resolve(kind, source).digest for entry in self.entries() for kind, source in entry.items()}

    def entries(self) -> list[dict]:
        """A model and a dataset that stand each for itself are one, too."""
        alone = {name: given for name, given in self.inputs.items() if isinstance(given, str)}
        several = [[given] if isinstance(given, dict) else given for given in self.inputs.values() if not isinstance(given, str)]
        return [alone] * bool(alone) + [entry for given in several for entry in given]

    def address(self) -> str:
        """The app's page that shows it: model, target and sources, and every option under the page's name."""
        page, first, *others = UNITS[self.unit][0], *self.entries()
        brought = "representation" in first
        source = lambda entry: f"rep:{entry['representation']}" if "representation" in entry else entry["dataset"]
        query = [("model", source(first) if brought else first["model"]), *([] if brought else [("target", first["dataset"])]),
                 *(("sources", source(entry)) for entry in others)]
        for name, value in self.options.items():
            query += _asked(name if name in OF_FRAME else name if isinstance(value, dict) else f"{page}_{name}", value)
        return f"/{page}?{urlencode(query, safe=':/')}"


def _asked(name: str, value) -> list[tuple[str, str]]:
    """An option as parameters of an address: a list repeats its name, a mapping puts its own before those in it, what is empty is left to the page."""
    if isinstance(value, dict):
        return [pair for key, one in value.items() for pair in _asked(f"{name}_{key}", one)]
    if isinstance(value, list):
        return [pair for one in value for pair in _asked(name, one)]
    return [] if value is None or value == "" else [(name, str(value).lower() if isinstance(value, bool) else str(value))]


# what goes in

def check_format(found, wanted: str, called: str, hint: str) -> None:
    """Takes the format off what a file holds; refuses another one, and says so where it is from a newer Sextant."""
    given = found.pop("format", None) if isinstance(found, dict) else None
    if given == wanted:
        return
    kind, _, version = wanted.removeprefix("sextant ").partition(" ")
    later = re.fullmatch(rf"sextant {kind} (\d{{1,6}})", given) if isinstance(given, str) else None
    if later and int(later[1]) > int(version):
        made = found.get("made")
        by = str(made.get("sextant", ""))[:20] if isinstance(made, dict) else ""
        raise InputError(f"{called} is a {kind} of a newer Sextant: its format is {later[1]}, and this one reads up to {version}.",
                         f"Open it with Sextant {by} or newer." if by else "Open it with the Sextant that made it.")
    raise InputError(f"{called} is no {kind} of this version, which begins with the format “{wanted}”.", hint)


def _check(case: Case) -> None:
    for name, most in TEXTS.items():
        value = getattr(case, name)
        if not isinstance(value, str) or len(value) > most or (name == "title" and not value.strip()):
            raise InputError(f"The {name} of the case is {_short(value)}.", f"Give a text of up to {most} characters.")
    if not isinstance(case.unit, str) or case.unit not in case.units:
        raise InputError(f"{_short(case.unit)} is nothing that a case may run.", f"A case runs one of {', '.join(case.units)}.")
    shape = case.units[case.unit][1]
    if set(case.inputs) != set(shape):
        raise InputError(f"The inputs of the case are {', '.join(case.inputs) or 'none'}.", f"{case.unit} takes {', '.join(shape) or 'none'}.")
    for name, count in shape.items():
        given = case.inputs[name] if count == "several" else [case.inputs[name]]
        if not isinstance(given, list) or not given or not all(map(_id if count == "id" else _sound, given)):
            raise InputError(f"The input {name} of the case is {_short(case.inputs[name])}.", GIVEN[count])
    for name in ("digests", "made"):
        if not all(isinstance(value, (str, int)) for value in getattr(case, name).values()):
            raise InputError(f"The {name} of the case are not texts.", HINT)


def _sound(entry) -> bool:
    return isinstance(entry, dict) and set(entry) in ENTRIES and all(map(_id, entry.values()))


def _id(value) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 1000


def _json(value, name: str) -> dict:
    """A mapping of plain values, as JSON gives it back."""
    if not isinstance(value, Mapping):
        raise InputError(f"The {name} of the case are {_short(value)}.", "Give names and what they stand for.")
    return _plain(value, name, 0)


def _plain(value, where: str, depth: int):
    if depth > DEEPEST:
        raise InputError(f"{_short(where)} of the case is nested too deep.", f"Nest up to {DEEPEST} lists and mappings.")
    if isinstance(value, Mapping):
        return {str(key): _plain(one, f"{where}, {key}", depth + 1) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one, where, depth + 1) for one in value]
    if value is None or isinstance(value, (str, bool)) or (isinstance(value, (int, float)) and math.isfinite(value)):
        return value
    raise InputError(f"{_short(where)} of the case is {_short(value)}.", "Give texts, finite numbers, true, false, or null.")


def _no_constant(name: str):
    raise ValueError(f"{name} is no number of JSON")


def _short(value) -> str:
    shown = repr(value)
    return shown if len(shown) < 80 else f"{shown[:77]}..."


# what came out

def _numbers(result: Mapping) -> dict:
    return {name: value for name, value in result.items() if name not in SAID}


def _compared(where: str, saved, now) -> list[Difference]:
    """Where two nests of plain values part."""
    if isinstance(saved, dict) and isinstance(now, dict):
        return [found for key in {**saved, **now} for found in _compared(f"{where} {key}".strip(), saved.get(key), now.get(key))]
    if isinstance(saved, list) and isinstance(now, list) and len(saved) == len(now):
        return [found for i, pair in enumerate(zip(saved, now, strict=True)) for found in _compared(f"{where}[{i}]", *pair)]
    same = type(saved) is type(now) and saved == now
    return [] if same else [Difference(where, saved, now)]


@contextmanager
def _one_thread():
    """As in the app's workers: several threads would add up in another order, and the last bits would differ."""
    import torch
    from threadpoolctl import threadpool_limits
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(threads)


def _silent(done: int, total: int, note: str) -> None:
    pass


# built in

VISION, TEXT, HAND, REVIEWS = "builtin:vit/seed0", "builtin:text/minilm", "builtin:digits/handwritten", "builtin:reviews"


def _inspected(title: str, text: str, look: str, target: str, source: str, budget: int, model: str = VISION, **options) -> Case:
    entries = {name: {"model": model, "dataset": dataset} for name, dataset in (("target", target), ("source", source))}
    return Case(title, text, "analysis.studies.case:inspect", entries, {"budget": budget, **options}, look)


BUILTIN = MappingProxyType({
    "noise": _inspected(
        "Practice under noise",
        "With 20 handwritten digits to learn from, digits under noise do more than 180 further ones would. They lie near, and their labels agree.",
        "The gain, and that the nearest source items carry the right labels. Raise the number of target items and watch the gain shrink.",
        HAND, f"{HAND}-noise-3", 20),
    "turned": _inspected(
        "A 6 that looks like a 9",
        "Digits turned by 180° move through the model much like upright ones: to RADAR they are as near as digits under noise, which help. But a turned 6 "
        "looks like a 9 and keeps the label 6.",
        "The confusion of 6 and 9, and the labels of the nearest source items. Weight the source down to 0.02, and the harm goes.",
        HAND, f"{HAND}-turned-180", 50),
    "mirrored": _inspected(
        "Mirror writing",
        "Mirrored digits lie about as near as digits under noise, and cost almost half of the accuracy. A mirrored 2 looks like a 5, and most others look like "
        "something else too.",
        "Which classes lose most, and what they are taken for. Drop the contradicting classes and measure again: less harm, and another cause.",
        HAND, f"{HAND}-mirrored", 50),
    "negative": _inspected(
        "A negative",
        "Dark strokes on a light ground are the same digits with the same labels, but the model has never seen such pictures. They end up somewhere else.",
        "The distance of the two means, and how far off the nearest source items lie. Their labels are hardly better than random.",
        HAND, f"{HAND}-inverted", 50),
    "half": _inspected(
        "Half of the classes",
        "The source that helped, with every 5, 6, 7, 8 and 9 left out. What remains is as good as before, and hurts: the probe learns to answer 0 to 4.",
        "The gain per class: five classes win, five lose far more.", HAND, f"{HAND}-noise-3", 50, without=list("56789")),
    "square-few": _inspected(
        "Behind a square, few items",
        "Digits half hidden by a grey square are a poor source. With 20 items of the target they help all the same: there is so much to learn.",
        "The gain; then, in the next case, that of the same source with 200 items of the target.", HAND, f"{HAND}-occlusion-5", 20),
    "square-many": _inspected(
        "Behind a square, many items",
        "The same half-hidden digits, now with 200 items of the target to learn from. What helped before now hurts a little.",
        "The learning curve: where the two lines cross.", HAND, f"{HAND}-occlusion-5", 200),
    "nothing-to-gain": _inspected(
        "Nothing to gain",
        "The model was trained on printed characters, so 20 printed digits are enough for it. The digits of a display agree with their labels, and can only "
        "take something away.",
        "How little room there is above the accuracy without the source.", "builtin:digits/printed", "builtin:digits/seven-segment", 20),
    "books-for-films": _inspected(
        "Books for films",
        "What praise of a book sounds like says something about praise of a film. With 20 film reviews to learn from, book reviews help.",
        "The reviews that are recognised more often now, and the nearest book reviews: near is not the same as alike in mood.", f"{REVIEWS}/film",
        f"{REVIEWS}/book", 20, model=TEXT),
    "kitchen-german": _inspected(
        "Another language",
        "Restaurant reviews again, in German. The encoder was made for English, and to it German is above all a place far from English.",
        "The distance of the means, beside that of two English domains; and which reviews flip.", f"{REVIEWS}/restaurant",
        f"{REVIEWS}/restaurant-de", 20, model=TEXT)})
