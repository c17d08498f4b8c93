"""The lessons page: a prediction before the number, the way through a lesson, and all of it in the address."""

import json
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from analysis.lessons import FOLDER, FORMAT, shelf
from pages.parts import record
from pages.parts.lessons import work
from tests.pages.test_frame import opened, said
from tests.pages.test_map import decoded, texts
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


def test_the_first_guess_counts():
    at = at_step("h0-by-hand", 3, "3:9")
    assert at.slider[0].disabled and "lessons-reveal" not in [button.key for button in at.button]
    assert at_step("h0-by-hand", 2, "2:0").radio[0].disabled


def test_a_slider_says_how_near_a_guess_must_come():
    assert "From 1 to 20; 1 more or less counts as right." in texts(at_step())
    assert "only the number itself counts as right" in texts(at_step("looks-the-same-and-hurts", 5))
    assert "From −30.0 points to +30.0 points; 6.0 points more or less counts as right." in texts(at_step("looks-the-same-and-hurts", 2))


def test_what_there_is_to_look_at_is_shown_before_the_guess_and_no_more():
    at = at_step()
    made = figure(at, "lessons-before")
    assert not made.get("frames") and "20 components" in made["layout"]["title"]["text"]
    at.button(key="lessons-reveal").click().run()
    at = rested(at)
    made = figure(at, "lessons-chart")
    assert len(made["frames"]) == 51 and "Radius 0.0983" in made["layout"]["title"]["text"]
    assert not [c for c in at.get("plotly_chart") if "lessons-before" in c.proto.id]


def test_the_pictures_that_a_step_is_about_are_shown():
    made = figure(at_step("triangle-to-radar", 3), "lessons-before")
    assert made["layout"]["yaxis"]["ticktext"] == ["handwritten", "handwritten-noise-5"] and made["data"][0]["type"] == "image"


def test_a_curve_ends_where_the_question_does():
    made = figure(at_step("one-number-hides-scale", 2, "2:0.5"), "lessons-chart")
    curve = next(trace for trace in made["data"] if trace["name"] == "A and B")
    known = decoded(curve["y"]) if "bdata" in curve["y"] else np.array(curve["y"], float)
    assert np.isfinite(known).sum() == 10 and len(known) > 100


def test_the_menu_leads_back_to_the_step():
    at = at_step("h0-by-hand", 3, "1:9", "3:4")
    for key in ("lessons_at", "lessons_step", "lessons_guess"):
        del at.query_params[key]
    at = rested(at)
    assert asked(at, "lessons_step") == ["3"] and asked(at, "lessons_guess") == ["1:9", "3:4"] and metrics(at)["You said"] == "4"
    at.button(key="lessons-leave").click().run()
    assert "lessons_at" not in at.query_params and at.button(key="begin-h0-by-hand")


def test_the_shelf_begins_what_may_be_chosen():
    at = rested(opened(PAGE))
    for _ in LESSONS:
        at = rested(at)
    assert not any(work.pending(lesson.steps[0]) for lesson in LESSONS.values())


def test_at_the_end_all_guesses_stand_beside_their_numbers():
    at_step("h0-by-hand", 1, "1:12")
    lesson = LESSONS["h0-by-hand"]
    at = at_step("h0-by-hand", len(lesson), "1:12", "2:1", f"{len(lesson)}:2")
    table = next(frame.value for frame in at.dataframe if "You said" in frame.value)
    assert list(table["Step"]) == list(range(1, len(lesson) + 1)) and table["You said"][0] == "12" and table["You said"][2] == "–"
    assert table["Right"].iloc[-1] == "yes" and at.button(key="lessons-next").disabled and f"You had {(table['Right'] == 'yes').sum()} of 7" in texts(at)


def test_the_last_page_holds_the_whole_lesson():
    """So that its report does: each answered step with its text, number and chart, each study once."""
    at = rested(at_step("h0-by-hand", 7, "1:12", "5:1", "7:2"))
    assert [expander.label for expander in at.expander if expander.label.startswith("Step")] == ["Step 1: Balls begin to grow", "Step 5: Two long bars"]
    assert [word for word in ("12 pieces are left", "0.59: from 0.26", "0.55: a step inside a blob") if word not in texts(at)] == [], texts(at)
    assert [figure(at, key) for key in ("lessons-1-chart", "lessons-5-chart", "lessons-chart")]
    noted = at.session_state[record.KEY]
    assert list(noted.studies) == ["lessons-run", "lessons-step-1", "lessons-step-5"]
    assert noted.title == "H0 by hand" and noted.file == "sextant-lesson-h0-by-hand" and noted.workspace is None


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
    left_out, = [expander for expander in at.expander if expander.label == "Left out: 3 files"]
    told = " ".join(markdown.value for markdown in left_out.markdown)
    assert not at.exception
    assert "newer.json is a 'sextant lesson 7'" in told and "wrong.json, step 1: the page persistence has no option 'persistence" in told.replace("\\", "")
    at.button(key="begin-a-copy").click().run()
    assert rested(at).subheader[0].value == "Balls begin to grow"


def test_a_case_that_cannot_be_run_says_why_and_the_lesson_goes_on(tmp_path, monkeypatch):
    good = json.loads((FOLDER / "1-h0-by-hand.json").read_text(encoding="utf-8"))
    lost = {**good["steps"][0], "inputs": {"entries": [{"model": "builtin:raw", "dataset": "store:0123456789abcdef"}]}}
    (tmp_path / "lost.json").write_text(json.dumps({**good, "title": "Lost", "steps": [lost, good["steps"][1]]}))
    monkeypatch.setenv("SEXTANT_LESSONS", str(tmp_path))
    at = at_step("lost")
    assert "Lost, step 1: " in said(at) and not at.exception
    at.button(key="lessons-next").click().run()
    assert rested(at).subheader[0].value == "A bar for each meeting" and not at.error
    at = at_step("lost", 2, "1:9", "2:1")
    table = next(frame.value for frame in at.dataframe if "You said" in frame.value)
    assert table["Live"][0].startswith("cannot be run: ") and list(table["Live"])[1] == "19" and list(table["Right"]) == ["", "yes"]


def test_a_run_that_fails_and_a_number_that_is_not_there_say_where(tmp_path, monkeypatch):
    good = json.loads((FOLDER / "1-h0-by-hand.json").read_text(encoding="utf-8"))
    fails = {**good["steps"][0], "options": {"names": ["one", "two"]}}
    beyond = {**good["steps"][4], "number": {"of": "bar", "rank": 99}}
    (tmp_path / "odd.json").write_text(json.dumps({**good, "title": "Odd", "steps": [fails, beyond]}))
    monkeypatch.setenv("SEXTANT_LESSONS", str(tmp_path))
    at = at_step("odd", 1, "1:9")
    assert "2 names were given for 1 entries" in said(at) and "Odd, step 1: its number." in texts(at)
    at = at_step("odd", 2, "2:1")
    assert "Odd, step 2: Second longest bar is not in what was found" in said(at)


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
