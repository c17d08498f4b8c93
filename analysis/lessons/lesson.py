"""Lesson: some steps in order, as a file; and the shelf of all files that there are."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from analysis.errors import InputError
from analysis.lessons import study
from analysis.lessons.step import Step

FORMAT = "sextant lesson 1"
FOLDER = Path(__file__).resolve().parents[2] / "assets" / "lessons"
OWN = "SEXTANT_LESSONS"  # names a folder with more of them
MOST = 500_000  # bytes of a file
STEPS = (1, 20)
HINT = "docs/writing-lessons.md says what a lesson looks like."


@dataclass(frozen=True, eq=False)
class Lesson:
    """name: that of its file, which addresses carry; title, text: what it is called, and what one learns."""

    name: str
    title: str
    text: str
    steps: tuple

    @classmethod
    def load(cls, path) -> "Lesson":
        path = Path(path)
        try:
            raw = path.read_bytes()
        except OSError as error:
            raise InputError(f"{path.name} cannot be read: {error.strerror or error}.", HINT) from error
        return cls.read(raw, path.name)

    @classmethod
    def read(cls, raw: bytes, called: str) -> "Lesson":
        """From the bytes of a file; every error says which file, which step and what."""
        given = _parsed(raw, called)
        if odd := sorted(set(given) - {"format", "title", "text", "steps"}):
            raise InputError(f"{called} says {odd[0]!r}, which no lesson has.", "A lesson has format, title, text and steps.")
        for name, most in (("title", 120), ("text", 1000)):
            value = given.get(name)
            if not isinstance(value, str) or not value.strip() or len(value) > most:
                raise InputError(f"{called}: its {name} is {value!r:.60}.", f"Give a text of up to {most} characters.")
        steps = given.get("steps")
        if not isinstance(steps, list) or not STEPS[0] <= len(steps) <= STEPS[1]:
            raise InputError(f"{called}: its steps are {'none' if not steps else 'no list, or too many'}.", f"Give a list of {STEPS[0]} to {STEPS[1]} steps.")
        made = tuple(Step.read(step, f"{called}, step {place}") for place, step in enumerate(steps, 1))
        _others(made, called)
        return cls(_named(called), given["title"], given["text"], made)

    def __len__(self) -> int:
        return len(self.steps)

    def checked(self, place: int, results: Mapping) -> list[tuple]:
        """(claim, the number it speaks of, whether it holds) of a step counted from 0; `results` are those of the steps by their places."""
        found = []
        for claim in self.steps[place].claims:
            live = self._read(claim.number, place, results) - (self._read(claim.less, place, results) if claim.less else 0)
            found.append((claim, live, claim.holds(live)))
        return found

    def _read(self, number: Mapping, place: int, results: Mapping) -> float:
        at = number.get("step", place + 1) - 1
        return study.read(self.steps[at].case.unit, number, results[at])


def shelf() -> tuple[dict[str, Lesson], list[InputError]]:
    """Every lesson that can be read, by name, and what is wrong with the others."""
    lessons, problems = {}, []
    for folder in (FOLDER, *filter(None, [os.environ.get(OWN)])):
        for path in sorted(Path(folder).expanduser().glob("*.json")):
            try:
                lesson = Lesson.load(path)
                if lesson.name in lessons:
                    raise InputError(f"{path.name}: there is a lesson {lesson.name!r} already.", "Give the file another name.")
                lessons[lesson.name] = lesson
            except InputError as error:
                problems.append(error)
    return lessons, problems


def _parsed(raw: bytes, called: str) -> dict:
    if len(raw) > MOST:
        raise InputError(f"{called} has more than {MOST // 1000} kB, too much for a lesson.", HINT)
    try:
        given = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{called} is no JSON: {error}.", HINT) from error
    said = given.get("format") if isinstance(given, dict) else None
    if said == FORMAT:
        return given
    if isinstance(said, str) and re.fullmatch(r"sextant lesson \d+", said):
        raise InputError(f"{called} is a {said!r}; this version reads {FORMAT!r}.", "Open it with the Sextant that it was written for.")
    raise InputError(f"{called} is no lesson: its format is {said!r}.", f'A lesson begins with "format": "{FORMAT}".')


def _named(called: str) -> str:
    """Without the number that puts files in order."""
    return re.sub(r"^\d+-", "", called.removesuffix(".json"))


def _others(steps: tuple, called: str) -> None:
    """Claims may speak of numbers of other steps."""
    for place, step in enumerate(steps, 1):
        for number in (n for claim in step.claims for n in (claim.number, claim.less) if n and "step" in n):
            at = number["step"]
            if not isinstance(at, int) or isinstance(at, bool) or not 1 <= at <= len(steps):
                raise InputError(f"{called}, step {place}: a claim speaks of step {at!r}.", f"There are {len(steps)} steps.")
            study.check(steps[at - 1].case, number, f"{called}, step {place}")
