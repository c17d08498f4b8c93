"""The lessons page: a prediction before the number, the way through a lesson, and all of it in the address."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from analysis.lessons import FOLDER, FORMAT, shelf
from tests.pages.test_frame import opened, said
from tests.pages.test_map import texts
from tests.pages.test_persistence import figure, rested

PAGE = "learn/lessons.py"
LESSONS, _ = shelf()
PAGES = {"persistence": "shape/persistence.py", "spectrum": "shape/spectrum.py", "sensitivity": "shape/sensitivity.py", "radar": "transfer/radar.py",
         "cases": "transfer/cases.py"}


def at_step(name="h0-by-hand", step=1, *guesses):
    return rested(opened(PAGE, lessons_at=name, lessons_step=str(step), **({"lessons_guess": list(guesses)} if guesses else {})))


def metrics(at):
    return {metric.label: metric.value for metric in at.metric}


def asked(at, name) -> list:
    value = at.query_params[name]
    return value if isinstance(value, list) else [value]


def test_the_shelf_has_every_lesson():
    at = opened(PAGE)
    assert at.title[0].value == "Lessons"
    assert {subheader.value for subheader in at.subheader} == {lesson.title for lesson in LESSONS.values()}
    assert not at.warning and not at.error


def test_a_lesson_begins_asks_and_reveals():
    at = opened(PAGE)
    at.button(key="begin-h0-by-hand").click().run()
    at = rested(at)
    assert asked(at, "lessons_at") == ["h0-by-hand"] and asked(at, "lessons_step") == ["1"]
    assert not at.metric and "12 pieces are left" not in texts(at)  # not before it was predicted
    at.slider[0].set_value(9).run()
    at.button(key="lessons-reveal").click().run()
    at = rested(at)
    assert asked(at, "lessons_guess") == ["1:9"]
    assert metrics(at) == {"You said": "9", "Pieces at radius 0.098": "12"}
    assert "Not as predicted" in texts(at) and "12 pieces are left" in texts(at)
    assert figure(at, "lessons-chart")["data"]


def test_a_choice_that_holds_is_told_so_and_none_is_asked_for_first():
    at = at_step(step=2)
    assert at.radio[0].value is None and at.button(key="lessons-reveal").disabled
    at.radio[0].set_value(1).run()
    at.button(key="lessons-reveal").click().run()
    at = rested(at)
    assert "You had it" in texts(at) and at.latex and asked(at, "lessons_guess") == ["2:1"]


def test_the_address_has_lesson_step_and_guesses():
    at = at_step("h0-by-hand", 3, "1:9", "3:4")
    assert metrics(at)["You said"] == "4" and at.slider[0].value == 4 and "You had it" in texts(at)
    at.button(key="lessons-back").click().run()
    at.button(key="lessons-back").click().run()
    assert asked(rested(at), "lessons_step") == ["1"] and metrics(at)["You said"] == "9" and at.button(key="lessons-back").disabled
    at.button(key="lessons-next").click().run()
    assert asked(at, "lessons_step") == ["2"] and not at.metric


def test_restart_forgets_and_all_lessons_leaves():
    at = at_step("h0-by-hand", 3, "1:9", "3:4")
    at.button(key="lessons-restart").click().run()
    assert asked(at, "lessons_step") == ["1"] and "lessons_guess" not in at.query_params
    assert not rested(at).metric and at.slider[0].value != 9
    at.button(key="lessons-leave").click().run()
    assert "lessons_at" not in at.query_params and at.button(key="begin-h0-by-hand")


def test_a_guess_may_be_changed():
    at = at_step("h0-by-hand", 3, "3:9")
    assert at.button(key="lessons-reveal").label == "Guess again"
    at.slider[0].set_value(4).run()
    at.button(key="lessons-reveal").click().run()
    assert asked(at, "lessons_guess") == ["3:4"] and "You had it" in texts(rested(at))


def test_at_the_end_all_guesses_stand_beside_their_numbers():
    at_step("h0-by-hand", 1, "1:12")
    lesson = LESSONS["h0-by-hand"]
    at = at_step("h0-by-hand", len(lesson), "1:12", "2:1", f"{len(lesson)}:2")
    table = next(frame.value for frame in at.dataframe if "You said" in frame.value)
    assert list(table["Step"]) == list(range(1, len(lesson) + 1)) and table["You said"][0] == "12" and table["You said"][2] == "–"
    assert table["Right"].iloc[-1] == "yes" and at.button(key="lessons-next").disabled and f"You had {(table['Right'] == 'yes').sum()} of 7" in texts(at)


@pytest.mark.parametrize("given", [{"lessons_at": "h0-by-hand", "lessons_step": "99"}, {"lessons_at": "h0-by-hand", "lessons_step": "x"},
                                   {"lessons_at": "h0-by-hand", "lessons_guess": ["1:900", "9:1", "x", "1:x", ":", "²:1"]}])
def test_an_odd_address_opens_the_first_step_unanswered(given):
    at = rested(opened(PAGE, **given))
    assert at.subheader[0].value == "Balls begin to grow" and not at.metric and not at.exception and not at.error


def test_a_lesson_that_is_not_there_is_named_beside_those_that_are():
    at = opened(PAGE, lessons_at="moon")
    assert "no lesson “moon”" in texts(at) and at.button(key="begin-h0-by-hand")


def test_a_malformed_file_is_named_and_the_rest_of_the_list_opens(tmp_path, monkeypatch):
    good = json.loads((FOLDER / "1-h0-by-hand.json").read_text(encoding="utf-8"))
    (tmp_path / "a-copy.json").write_text(json.dumps({**good, "title": "A copy"}))
    (tmp_path / "newer.json").write_text(json.dumps({**good, "format": FORMAT[:-1] + "7"}))
    (tmp_path / "wrong.json").write_text(json.dumps({**good, "steps": [{**good["steps"][0], "at": {"persistence_colour": 1}}]}))
    (tmp_path / "broken.json").write_text("{")
    monkeypatch.setenv("SEXTANT_LESSONS", str(tmp_path))
    at = opened(PAGE)
    told = " ".join(f"{w.proto.title} {w.value}" for w in at.warning)
    assert len(at.warning) == 3 and not at.exception
    assert "newer.json is a 'sextant lesson 7'" in told and "wrong.json, step 1: the page persistence has no option 'persistence" in told.replace("\\", "")
    at.button(key="begin-a-copy").click().run()
    assert rested(at).subheader[0].value == "Balls begin to grow"


def test_a_case_that_cannot_be_run_says_why_and_the_lesson_goes_on(tmp_path, monkeypatch):
    good = json.loads((FOLDER / "1-h0-by-hand.json").read_text(encoding="utf-8"))
    lost = {**good["steps"][0], "inputs": {"entries": [{"model": "builtin:raw", "dataset": "builtin:shapes/moon"}]}}
    (tmp_path / "lost.json").write_text(json.dumps({**good, "steps": [lost, good["steps"][1]]}))
    monkeypatch.setenv("SEXTANT_LESSONS", str(tmp_path))
    at = at_step("lost")
    assert "There is no dataset" in said(at) and not at.exception
    at.button(key="lessons-next").click().run()
    assert rested(at).subheader[0].value == "A bar for each meeting" and not at.error


@pytest.mark.parametrize("name", LESSONS)
def test_steps_open_the_real_page_with_its_options(name):
    """Each address once: the page has the workspace and every option as the step sets it, without a word of complaint."""
    seen = set()
    for step in LESSONS[name].steps:
        address = urlsplit(step.case.address())
        view = address.path, *(v for k, v in step.case.at.items() if k.endswith("_view"))
        if view in seen:
            continue
        seen.add(view)
        at = opened(PAGES[step.case.page], **{key: values if len(values) > 1 else values[0] for key, values in parse_qs(address.query).items()})
        assert at.title[0].value.lower() == step.case.page and not at.error, said(at)
        here = at.session_state["_workspace"]
        for part, value in (("model", here.model), ("target", here.target), ("sources", list(here.sources)), ("layer", here.layer)):
            if part in step.case.at:
                assert value == step.case.at[part]
        for key, value in step.case.at.items():
            if key in at.session_state:
                assert str(at.session_state[key]).lower() == str(value).lower(), key
