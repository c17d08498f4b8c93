"""Step: one case of a lesson, with the question that comes before its number."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar

from analysis.cases import UNITS, Case
from analysis.errors import InputError
from analysis.lessons import pages, study

KNOWN = ("title", "text", "unit", "inputs", "options", "before", "number", "called", "form", "ask", "choices", "slider", "look", "formula", "chart", "page",
         "at", "claims")
NEEDED = ("title", "text", "unit", "number", "called", "ask", "look", "page")
FORMS = ("whole", "share", "degrees", "percent", "points", "plain")  # how a number is written
NEAR = 0.1  # of a slider's span: how far off a guess may be
LONGEST = 1200  # characters of a text
CHOICES = (2, 5)


@dataclass(frozen=True, eq=False)
class Exhibit(Case):
    """A case of a lesson: it may run more units than a file may, and knows the page that shows it."""

    page: str = ""
    at: Mapping = field(default_factory=dict)
    units: ClassVar[Mapping] = MappingProxyType({**UNITS, **{unit: ("", each.inputs) for unit, each in study.STUDIES.items()}})

    def address(self) -> str:
        return pages.address(self.page, self.at)


@dataclass(frozen=True)
class Guess:
    """How a reader predicts: one of some choices, (says, low, high) each, or a number on a slider, (low, high, step)."""

    ask: str
    choices: tuple = ()
    slider: tuple = ()

    def right(self, guess: float, live: float) -> bool | None:
        """Whether the choice holds; of a slider, whether it came within a tenth of its span. None while there is no number."""
        if math.isnan(live):
            return None
        if self.choices:
            _, low, high = self.choices[int(guess)]
            return low <= live <= high
        return abs(guess - live) <= self.room

    @property
    def room(self) -> float:
        """How far off a guess on the slider may be."""
        low, high, _ = self.slider
        return NEAR * (high - low)

    def sound(self, text: str) -> float | None:
        """What an address says was guessed, if it may be."""
        try:
            guess = float(text)
        except ValueError:
            return None
        if self.choices:
            return guess if guess in range(len(self.choices)) else None
        low, high, _ = self.slider
        return guess if low <= guess <= high else None


@dataclass(frozen=True)
class Claim:
    """A passage of the step's texts, the number that it speaks of, and where that lies. `less`: a number to subtract first."""

    says: str
    number: Mapping
    low: float = -math.inf
    high: float = math.inf
    less: Mapping | None = None

    def holds(self, live: float) -> bool:
        return self.low <= live <= self.high


@dataclass(frozen=True, eq=False)
class Step:
    """case           what is run, with its texts: `text` before the question, `look` after the number
    number         what is read off the result, by name; called: what a reader knows it as; form: how it is written
    before, chart  what is drawn before the guess, and beside the number
    """

    case: Exhibit
    number: Mapping
    called: str
    guess: Guess
    form: str = "plain"
    formula: str = ""
    before: study.Chart | None = None
    chart: study.Chart | None = None
    claims: tuple = ()

    @classmethod
    def read(cls, given, where: str) -> "Step":
        """From the values of a file; an error begins with where it lies."""
        if not isinstance(given, Mapping):
            raise InputError(f"{where} is {_short(given)}.", "A step has names and values.")
        _names(given, where)
        for name in ("title", "text", "called", "ask", "look", "formula"):
            value = given.get(name, "")
            if not isinstance(value, str) or len(value) > LONGEST or (name in NEEDED and not value.strip()):
                raise InputError(f"{where}: {name} is {_short(value)}.", f"Give a text of up to {LONGEST} characters.")
        page, at = given["page"], given.get("at", {})
        pages.check(page, at, where)
        try:
            case = Exhibit(given["title"], given["text"], given["unit"], given.get("inputs", {}), given.get("options", {}), given["look"], page=page, at=at)
        except InputError as error:
            raise InputError(f"{where}: {error.message}", error.hint) from error
        if case.unit not in study.STUDIES:
            raise InputError(f"{where}: a lesson cannot read numbers off {case.unit}.", study.offered(case.unit, study.STUDIES))
        study.check_options(case, where)
        for kind, source in (pair for entry in case.entries() for pair in entry.items()):
            pages.check_id(kind, source, where)
        study.check(case, given["number"], where)
        if "step" in given["number"]:
            raise InputError(f"{where} asks for a number of another step.", "A claim may; the number that is predicted is its own.")
        form, before, chart = given.get("form", "plain"), *(study.Chart.read(given.get(name), case.unit, where) for name in ("before", "chart"))
        if form not in FORMS:
            raise InputError(f"{where}: the form {form!r} is none.", study.offered(form, FORMS))
        return cls(case, given["number"], given["called"], _guess(given, where), form, given.get("formula", ""), before, chart, _claims(given, case, where))

    def live(self, found) -> float:
        """The number in a result; NaN while it is not there."""
        return math.nan if found is None else study.read(self.case.unit, self.number, found)

    def told(self, value: float) -> str:
        """A number as it is written for a reader."""
        if math.isnan(value):
            return "not there yet"
        written = {"whole": f"{value:.0f}", "share": f"{value:.2f}", "degrees": f"{value:.1f}°", "percent": f"{value:.0f}\u202f%",
                   "points": f"{value:+.1f} points", "plain": f"{value:.3g}"}
        return written[self.form].replace("-", "−")

    def room(self) -> str:
        """How near a guess on the slider must come, as a reader is told."""
        room = self.guess.room + 1e-9
        if self.form == "whole":
            return f"{int(room)} more or less counts as right" if room >= 1 else "only the number itself counts as right"
        return f"{self.told(room).lstrip('+')} more or less counts as right"

    def answer(self, guess: float) -> str:
        """What was guessed, as a reader said it."""
        return self.guess.choices[int(guess)][0] if self.guess.choices else self.told(guess)


def _names(given: Mapping, where: str) -> None:
    if odd := [name for name in given if name not in KNOWN]:
        raise InputError(f"{where} says {_short(odd[0])}, which no step has.", study.offered(odd[0], KNOWN))
    if missing := [name for name in NEEDED if name not in given]:
        raise InputError(f"{where} has no {missing[0]}.", f"A step needs {', '.join(NEEDED)}, and choices or a slider.")


def _guess(given: Mapping, where: str) -> Guess:
    choices, slider = given.get("choices"), given.get("slider")
    if (choices is None) == (slider is None):
        raise InputError(f"{where} has {'choices and a slider' if choices else 'neither choices nor a slider'}.", "Give one of the two.")
    if slider is not None:
        if not (isinstance(slider, list) and len(slider) == 3 and all(map(_finite, slider)) and 0 < slider[2] <= slider[1] - slider[0]):
            raise InputError(f"{where}: the slider is {_short(slider)}.", "Give its lowest value, its highest and its step.")
        return Guess(given["ask"], slider=tuple(map(float, slider)))
    made = []
    for choice in choices if isinstance(choices, list) else []:
        says = choice.get("says") if isinstance(choice, Mapping) else None
        if not isinstance(says, str) or not says or set(choice) - {"says", "from", "to"}:
            raise InputError(f"{where}: a choice is {_short(choice)}.", 'Give {"says": text, "from": number, "to": number}.')
        made.append((says, *_span(choice, where)))
    if not CHOICES[0] <= len(made) <= CHOICES[1]:
        raise InputError(f"{where} has {len(made)} choices.", f"Give a list of {CHOICES[0]} to {CHOICES[1]}.")
    return Guess(given["ask"], tuple(made))


def _claims(given: Mapping, case: Exhibit, where: str) -> tuple:
    made, texts, claims = [], f"{case.text} {given['ask']} {case.look}", given.get("claims", [])
    for claim in claims if isinstance(claims, list) else [claims]:
        if not isinstance(claim, Mapping) or set(claim) - {"says", "number", "from", "to", "less"} or not {"says", "number"} <= set(claim):
            raise InputError(f"{where}: a claim is {_short(claim)}.", 'Give {"says": passage, "number": {...}, "from": number, "to": number}.')
        if not isinstance(claim["says"], str) or claim["says"] not in texts:
            raise InputError(f"{where}: no text of it says {_short(claim['says'])}.", "A claim repeats a passage of text, ask or look, word by word.")
        low, high = _span(claim, where)
        for name in ("number", "less"):
            if name in claim and not (isinstance(claim[name], Mapping) and "step" in claim[name]):  # that of another step is checked when all are known
                study.check(case, claim[name], where)
        made.append(Claim(claim["says"], claim["number"], low, high, claim.get("less")))
    return tuple(made)


def _span(given: Mapping, where: str) -> tuple[float, float]:
    low, high = given.get("from", -math.inf), given.get("to", math.inf)
    if not (_number(low) and _number(high) and low <= high) or (math.isinf(low) and math.isinf(high)):
        raise InputError(f"{where}: from {_short(low)} to {_short(high)} is no span.", "Give numbers, the lower first; one of them may be left out.")
    return float(low), float(high)


def _number(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and not math.isnan(value)


def _finite(value) -> bool:
    return _number(value) and math.isfinite(value)


def _short(value) -> str:
    shown = repr(value)
    return shown if len(shown) < 80 else f"{shown[:77]}..."
