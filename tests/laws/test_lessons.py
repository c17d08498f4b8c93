"""Lessons: every step of every lesson is run again, every claim in its texts is held against the live number, and a file that is none says what is wrong."""

import json
import math
import re

import pytest

from analysis.lessons import FOLDER, FORMAT, Lesson, pages, shelf
from analysis.lessons import study as studies
from tests.refusal import refused

LESSONS, PROBLEMS = shelf()
SIX = ("h0-by-hand", "one-number-hides-scale", "neural-collapse", "triangle-to-radar", "looks-the-same-and-hurts", "invariance-helps-and-harms")


@pytest.fixture(scope="module")
def one_store(tmp_path_factory):
    return tmp_path_factory.mktemp("lessons") / "store"


@pytest.fixture(autouse=True)
def store_folder(one_store, monkeypatch):
    """What one lesson extracts serves the next."""
    monkeypatch.setenv("SEXTANT_STORE", str(one_store))
    return one_store


# the lessons that are shipped

def test_there_are_six_and_nothing_is_wrong_with_them():
    assert tuple(LESSONS) == SIX and PROBLEMS == []
    assert all(5 <= len(lesson) <= 8 for lesson in LESSONS.values())


@pytest.mark.parametrize("name", SIX)
def test_every_claim_of_a_lesson_holds(name):
    lesson = LESSONS[name]
    results = {place: step.case.found() for place, step in enumerate(lesson.steps)}
    for place, step in enumerate(lesson.steps):
        live = step.live(results[place])
        assert math.isfinite(live), f"step {place + 1} has no number"
        for claim, number, holds in lesson.checked(place, results):
            assert holds, f"step {place + 1}: “{claim.says}”, but the number is {number}"
        if step.guess.choices:
            assert sum(low <= live <= high for _, low, high in step.guess.choices) == 1, f"step {place + 1}: {live} is not one of the choices"
        else:
            assert step.guess.slider[0] <= live <= step.guess.slider[1], f"step {place + 1}: {live} lies beyond the slider"


NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?!\w)")
SHARE = re.compile(r"\b(?:half|twice|quarter|an? \w+th)\b(?! of the target)|\b\w+ times\b")
GIVEN = {  # numbers and shares in texts that are no result: what was put in, names of digits, definitions
    "h0-by-hand": {"twice", "three times"}, "one-number-hides-scale": {"10", "30", "49", "50"},
    "neural-collapse": {"60", "120", "240", "480", "960"}, "triangle-to-radar": {"3", "5", "12"},
    "looks-the-same-and-hurts": {"20", "5", "6", "9", "180", "a fiftieth"}, "invariance-helps-and-harms": {"6", "9", "10", "twice"}}


def settings(step) -> list[float]:
    """Every number that the step puts in."""
    given = json.dumps([dict(step.case.inputs), dict(step.case.options), dict(step.number), dict(step.case.at)])
    return [float(found) for found in re.findall(r"(?<![\w.])\d+(?:\.\d+)?", given.replace("=", " "))]


@pytest.mark.parametrize("name", SIX)
def test_every_number_in_a_text_is_claimed_or_put_in(name):
    """A passage that speaks of a result stands in a claim, or in none of the texts."""
    for place, step in enumerate(LESSONS[name].steps, 1):
        assert step.claims, f"step {place} claims nothing"
        text = f"{step.case.text} {step.guess.ask} {step.case.look}"
        covered = [found.span() for claim in step.claims for found in re.finditer(re.escape(claim.says), text)]
        put_in = {*GIVEN[name], "0", "1"}
        odd = {found[0] for kind in (NUMBER, SHARE) for found in kind.finditer(text) if not any(a <= found.start() < b for a, b in covered)} - put_in
        odd = {said for said in odd if not said[0].isdigit() or all(round(v, len(said.partition(".")[2])) != float(said) for v in settings(step))}
        assert not odd, f"step {place} says {sorted(odd)} and does not check it"


def test_every_step_has_one_question_and_at_most_one_formula():
    for lesson in LESSONS.values():
        for step in lesson.steps:
            assert bool(step.guess.choices) != bool(step.guess.slider) and "\n" not in step.formula
            assert step.guess.ask.rstrip().endswith(("?", ".")) and "?" in step.guess.ask


def test_charts_and_numbers_are_read_off_results_that_have_them():
    for unit, study in studies.STUDIES.items():
        module, _, name = unit.partition(":")
        assert getattr(__import__(module, fromlist=[name]), name).VERSION and study.numbers and study.charts
        assert all(read.__doc__ for read in study.numbers)


def test_the_options_of_a_unit_are_those_in_its_docstring():
    given = {"representation", "model", "dataset", "scenes", ""}
    for unit, study in studies.STUDIES.items():
        module, _, name = unit.partition(":")
        quoted = set(re.findall(r'"(\w*)"', getattr(__import__(module, fromlist=[name]), name).__doc__))
        assert quoted - given - set(study.inputs) == set(study.options) - given, unit


def test_charts_are_drawn_as_the_table_says():
    from inspect import signature

    from pages.parts.lessons.pictures import AT_ONCE, PICTURES
    assert {name: set(list(signature(draw).parameters)[2:]) for name, draw in PICTURES.items()} == {name: set(o) for name, o in studies.CHARTS.items()}
    assert set(AT_ONCE) <= set(PICTURES)
    assert {chart for study in studies.STUDIES.values() for chart in study.charts} == set(PICTURES)


def test_no_chart_shows_what_a_later_step_asks():
    """Of one result, the radius or k that a chart ends at is no larger than what has been asked so far."""
    for name, key in (("h0-by-hand", "radius"), ("one-number-hides-scale", "k")):
        for i, step in enumerate(LESSONS[name].steps):
            later = [s.number.get(key) or s.number.get("last") for s in LESSONS[name].steps[i + 1:] if (s.case.inputs, s.case.options) ==
                     (step.case.inputs, step.case.options) and (s.number.get(key) or s.number.get("last"))]
            for chart in filter(None, (step.before, step.chart)):
                if later and chart.name in ("growing", "spectrum"):
                    assert chart.options["upto"] < max(later), f"{name}, step {i + 1}"


def test_the_pages_have_the_options_that_a_step_may_set():
    """The table of options is no wish: each is bound to the address somewhere in pages/."""
    source = " ".join(path.read_text(encoding="utf-8") for path in (FOLDER.parents[1] / "pages").rglob("*.py"))
    assert [name for options in pages.PAGES.values() for name in options if f'"{name}"' not in source and f'"{name.partition("_")[2]}": (' not in source] == []


def test_an_address_repeats_lists_and_keeps_ids_readable():
    assert pages.address("cases", {"target": "builtin:a/b", "sources": ["x", "y"], "cases_budget": 20, "map_on": True}) == \
        "/cases?target=builtin:a/b&sources=x&sources=y&cases_budget=20&map_on=true"
    assert pages.address("map", {}) == "/map"


# files of a teacher's own

def step(**changed) -> dict:
    values = {"title": "One", "text": "There are 20 points.", "unit": "analysis.studies.persistence:survey",
              "inputs": {"entries": [{"model": "builtin:raw", "dataset": "builtin:shapes/blobs?n=20"}]}, "options": {"loops": False},
              "number": {"of": "bars"}, "called": "Bars", "ask": "How many?", "slider": [0, 30, 1], "look": "There are 19.", "page": "persistence",
              "at": {"persistence_k": 3}, "claims": [{"says": "There are 19", "number": {"of": "bars"}, "from": 19, "to": 19}]}
    return {name: value for name, value in {**values, **changed}.items() if value is not None}


def raw(*steps, **changed) -> bytes:
    values = {"format": FORMAT, "title": "Mine", "text": "What it is about.", "steps": list(steps) or [step()], **changed}
    return json.dumps({name: value for name, value in values.items() if value is not None}).encode()


def test_a_lesson_of_ones_own_runs():
    lesson = Lesson.read(raw(), "7-mine.json")
    assert lesson.name == "mine" and len(lesson) == 1
    found = lesson.steps[0].case.found()
    assert lesson.steps[0].live(found) == 19 and [holds for *_, holds in lesson.checked(0, {0: found})] == [True]
    assert lesson.steps[0].case.address() == "/persistence?persistence_k=3"


def test_a_false_claim_is_found():
    false = step(claims=[{"says": "There are 20", "number": {"of": "bars"}, "from": 20}])
    lesson = Lesson.read(raw(false), "mine.json")
    (claim, number, holds), = lesson.checked(0, {0: lesson.steps[0].case.found()})
    assert not holds and number == 19 and claim.says == "There are 20"


def test_a_guess_is_judged_by_the_live_number():
    choices = [{"says": "few", "to": 10}, {"says": "19", "from": 19, "to": 19}]
    slider, chosen = (Lesson.read(raw(step(**changed)), "a.json").steps[0].guess for changed in ({}, {"slider": None, "choices": choices}))
    assert slider.right(21, 19) and not slider.right(25, 19) and slider.right(3, math.nan) is None
    assert chosen.right(1, 19) and not chosen.right(0, 19)
    assert slider.sound("12") == 12 and slider.sound("31") is slider.sound("x") is slider.sound("nan") is None
    assert chosen.sound("1") == 1 and chosen.sound("2") is chosen.sound("0.5") is None


@pytest.mark.parametrize(("changed", "words"), [
    ({"page": "moon"}, ["step 1", "'moon'", "persistence"]), ({"at": {"persistence_kk": 3}}, ["step 1", "persistence", "'persistence_kk'"]),
    ({"at": {"spectrum_k": 3}}, ["persistence", "'spectrum_k'"]), ({"at": {"persistence_k": {"a": 1}}}, ["persistence_k"]), ({"at": [1]}, ['"at"']),
    ({"unit": "os:system"}, ["step 1", "'os:system'", "may run"]),
    ({"unit": "analysis.studies.ranking:models", "inputs": {"models": []}}, ["step 1", "models"]),
    ({"inputs": {}}, ["step 1", "inputs", "entries"]), ({"inputs": {"entries": [{"model": "a"}]}}, ["entries"]),
    ({"number": {"of": "barz"}}, ["step 1", "'barz'", "bars"]), ({"number": {"of": "bar"}}, ["bar lacks 'rank'"]), ({"number": "bars"}, ["survey"]),
    ({"number": {"of": "bar", "rank": "first"}}, ["rank of bar is 'first'"]), ({"number": {"of": "bars", "k": 3}}, ["bars has no 'k'"]),
    ({"ask": None}, ["step 1 has no ask"]), ({"look": ""}, ["step 1: look"]), ({"title": 3}, ["title is 3"]), ({"text": "x" * 2000}, ["text"]),
    ({"slider": None}, ["neither choices nor a slider"]), ({"choices": [{"says": "a", "to": 1}, {"says": "b", "from": 1}]}, ["choices and a slider"]),
    ({"slider": [3, 1, 1]}, ["slider is [3, 1, 1]"]), ({"slider": None, "choices": [{"says": "a", "to": 1}]}, ["1 choices"]),
    ({"slider": None, "choices": [{"says": "a"}, {"says": "b", "to": 2}]}, ["is no span"]), ({"chart": "pie"}, ["'pie'", "growing"]),
    ({"form": "roman"}, ["'roman'", "whole"]), ({"colour": "red"}, ["'colour'", "no step has"]),
    ({"claims": [{"says": "There are 17", "number": {"of": "bars"}, "from": 1}]}, ["There are 17", "word by word"]),
    ({"claims": [{"says": "There are 19", "number": {"of": "bars"}}]}, ["is no span"]), ({"claims": ["x"]}, ["a claim is 'x'"]),
    ({"claims": [{"says": "There are 19", "number": {"of": "bars", "step": 4}, "from": 1}]}, ["step 1", "speaks of step 4"]),
    ({"page": ["map"]}, ["['map']"]), ({"unit": ["x"]}, ["may run"]), ({"number": {"of": ["bars"]}}, ["['bars']"]), ({"claims": 3}, ["a claim is 3"]),
    ({"number": {"of": "bars", "step": 1}}, ["another step"]), ({"claims": [{"says": 3, "number": {"of": "bars"}, "from": 1}]}, ["says 3"]),
    ({"claims": [{"says": "There are 19", "number": 3, "from": 1}]}, ["step 1 reads None"]), ({"slider": [0, float("inf"), 1]}, ["slider"]),
    ({"slider": [0, 1, 2]}, ["slider"]), ({"slider": None, "choices": 3}, ["0 choices"]), ({"options": 3}, ["step 1", "options"]),
    ({"slider": None, "choices": [{"says": 1, "to": 1}, {"says": "b", "from": 1}]}, ["a choice is"]),
    ({"options": {"frobnicate": 3}}, ["step 1", "survey has no option 'frobnicate'"]), ({"options": {"shufles": 3}}, ["'shufles'", "mean 'shuffles'"]),
    ({"at": {"persistence_view": "Gorw"}}, ["persistence_view is 'Gorw'", "Grow the radius"]), ({"at": {"persistence_k": "abc"}}, ["'abc'", "whole number"]),
    ({"at": {"persistence_radius": 101}}, ["persistence_radius is 101", "0 to 100"]), ({"at": {"model": "builtin:nope"}}, ["step 1", "'builtin:nope'"]),
    ({"at": {"target": "builtin:shapes/blob"}}, ["'builtin:shapes/blob'", "builtin:shapes/blobs"]), ({"at": {"sources": ["builtin:x"]}}, ["'builtin:x'"]),
    ({"page": "radar", "at": {"radar_degrees": 181}}, ["radar_degrees", "0 to 180"]), ({"at": {"layer": 3}}, ["layer is 3"]),
    ({"inputs": {"entries": [{"model": "builtin:raaw", "dataset": "builtin:shapes/blobs"}]}}, ["step 1", "'builtin:raaw'", "raw"]),
    ({"inputs": {"entries": [{"model": "builtin:raw", "dataset": "builtin:shapes/blobs?m=2"}]}}, ["step 1", "no option 'm'"]),
    ({"number": {"of": "bars", "entry": 1}}, ["no entry 1"]), ({"chart": {"chart": "growing", "up": 3}}, ["growing has no 'up'", "upto"]),
    ({"chart": {"chart": "growing", "upto": "far"}}, ["upto of the chart growing is 'far'"]), ({"before": "pie"}, ["no chart 'pie'"]),
    ({"chart": 3}, ["no chart 3"]), ({"chart": []}, ["no chart []"]), ({"chart": {"chart": "diagrams", "entries": -1}}, ["entries", "-1", "from 0 on"]),
    ({"chart": {"chart": "growing", "upto": math.nan}}, ["upto", "nan"]), ({"chart": {"chart": "diagrams", "stars": 2}}, ["stars", "true or false"]),
    ({"chart": {"upto": 3}}, ["no chart None"])])
def test_a_step_that_is_none_says_where_and_what(changed, words):
    refused(lambda: Lesson.read(raw(step(**changed)), "mine.json"), "mine.json", *words)


@pytest.mark.parametrize(("changed", "words"), [
    ({"number": {"of": "matched", "source": "nois-3"}}, ["no source 'nois-3'", "noise-3"]),
    ({"options": {}, "number": {"of": "matched", "source": "noise-3"}}, ["no source 'noise-3'"]),
    ({"options": {"names": ["noise-3"], "radar": {"pair": 3}}}, ["no switch 'pair'", "pairs"]),
    ({"options": {"names": ["noise-3"], "radar": 3}}, ["radar is 3"]),
    ({"number": {"of": "matched", "source": "noise-3"}, "claims": [{"says": "There are 19", "number": {"of": "rank", "source": "x"}, "from": 1}]},
     ["no source 'x'"])])
def test_a_number_of_a_source_that_is_not_named_is_refused(changed, words):
    entry = lambda data: {"model": "builtin:vit/seed0", "dataset": f"builtin:digits/{data}"}
    case = {"unit": "analysis.studies.radar:calibrate", "inputs": {"target": entry("handwritten"), "sources": [entry("handwritten-noise-3")]},
            "options": {"names": ["noise-3"]}, "number": {"of": "null_top"}, "claims": []}
    refused(lambda: Lesson.read(raw(step(**{**case, **changed})), "mine.json"), "mine.json, step 1", *words)


@pytest.mark.parametrize(("given", "words"), [
    (b"{", ["no JSON"]), (b"[]", ["no lesson"]), (b"\xff", ["no JSON"]), (raw(format="sextant lesson 2"), ["'sextant lesson 2'", "reads 'sextant lesson 1'"]),
    (raw(format="sextant case 1"), ["no lesson"]), (raw(format=None), ["no lesson"]), (raw(title=None), ["title"]), (raw(text=3), ["text"]),
    (raw(author="me"), ["'author'"]), (raw(steps=[]), ["steps"]), (raw(steps="x"), ["steps"]), (raw(steps=[3]), ["step 1", "3"]),
    (raw(step(), step(page="moon")), ["step 2", "'moon'"]), (raw(steps=[step()] * 21), ["steps"])])
def test_a_file_that_is_none_says_what_is_wrong(given, words):
    refused(lambda: Lesson.read(given, "mine.json"), "mine.json", *words)


def test_the_shelf_names_what_it_leaves_out_and_opens_the_rest(tmp_path, monkeypatch):
    (tmp_path / "good.json").write_bytes(raw())
    (tmp_path / "newer.json").write_bytes(raw(format="sextant lesson 9"))
    (tmp_path / "wrong.json").write_bytes(raw(step(page="moon")))
    (tmp_path / "h0-by-hand.json").write_bytes(raw())
    monkeypatch.setenv("SEXTANT_LESSONS", str(tmp_path))
    lessons, problems = shelf()
    assert set(lessons) == {*SIX, "good"} and lessons["h0-by-hand"].title != "Mine"
    said = [problem.message for problem in problems]
    assert [message.partition(":")[0].partition(" ")[0].strip(",") for message in said] == ["h0-by-hand.json", "newer.json", "wrong.json"]
    assert all(problem.hint for problem in problems)


def test_the_guide_shows_a_lesson_that_opens():
    guide = (FOLDER.parents[1] / "docs" / "writing-lessons.md").read_text(encoding="utf-8")
    example = re.search(r"```json\n(\{.*?\n\})\n```", guide, re.S)[1]
    lesson = Lesson.read(example.encode(), "example.json")
    results = {place: each.case.found() for place, each in enumerate(lesson.steps)}
    assert all(holds for place in results for *_, holds in lesson.checked(place, results))
