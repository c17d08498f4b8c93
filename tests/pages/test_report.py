"""The report of a page: what it holds, and that it opens again at the same view with the same numbers."""

import json
import re
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from analysis import Representation, lessons
from analysis.cases import FORMAT, Case
from pages.parts import formula, paper, report
from tests.pages.test_frame import opened, said
from tests.pages.test_map import texts
from tests.pages.test_persistence import blobs, rested

PAGE = "shape/spectrum.py"


@pytest.fixture
def two(store):
    """Two models of the same items, half alike."""
    x, labels = blobs(60, spread=0.5)
    ids, noise = tuple(f"item-{i}" for i in range(60)), np.random.default_rng(1).standard_normal(x.shape)
    for name, layers in (("other", {"copy": x + noise}), ("mine", {"first": noise, "last": x})):
        made = Representation({k: v.astype(np.float32) for k, v in layers.items()}, labels=labels, dataset="d" * 32, ids=ids)
        key = store.put_representation(made, facts={"name": name})
    return {"model": f"rep:{key}", "spectrum_with": "other", "spectrum_layer": "copy", "spectrum_k": "7"}


def shown(at):
    return at.session_state["_record"]


def uploaded(at, raw, name="report.json"):
    at.session_state["report-panel"] = True
    at.run()
    at.file_uploader(key="report-file").upload(name, raw if isinstance(raw, bytes) else raw.encode(), "application/json").run()
    assert not at.exception
    return at


def links(at):
    """To the view of an opened report."""
    return [link.proto.url for link in at.get("link_button") if link.proto.label == "Open this view"]


def followed(at):
    """What the link under an opened report leads to."""
    where = urlsplit(links(at)[0])
    return where.path, {name: values if len(values) > 1 else values[0] for name, values in parse_qs(where.query).items()}


def compared(at):
    return texts(at).replace("\\", "")


def test_the_html_holds_the_chart_the_numbers_and_the_address(two):
    at = rested(opened(PAGE, **two))
    page = report.written(shown(at))
    answer = re.search(r"TAS \*\*([^*]+)\*\*", texts(at))[1]
    assert f"TAS <strong>{answer}</strong>" in page and "60 items matched by id" in page
    charts = json.loads(re.search(r'id="charts">(.*?)</script>', page)[1])
    assert [c["config"]["showSendToCloud"] for c in charts] == [False] and {"null band: points relabelled"} <= {t["name"] for t in charts[0]["data"]}
    assert "<summary>Numbers</summary>" in page and "<td>CKA, debiased</td>" in page and "How to read this page" in page
    assert "/spectrum?model=Arrays:+mine" in page and "spectrum_k=7" in page and page.count("plotly.js v") == 1
    assert not re.search(r'(src|href)="(?!data:)', page[:page.index("plotly.js v")])


def test_the_json_holds_options_digests_and_numbers(two):
    made = json.loads(report.made(shown(rested(opened(PAGE, **two)))).json())
    one, = made["studies"]
    assert one["unit"] == "analysis.studies.spectrum:compare" and one["options"]["layer_a"] == "last" and one["options"]["baseline"] == "exact"
    assert one["numbers"]["n"] == 60 and len(one["numbers"]["tas"]) == 58 and one["numbers"]["companions"]["RSA"] < 1
    assert made["parameters"]["spectrum_k"] == ["7"] and {given["name"]: given["digest"] for given in made["inputs"]}["mine"] == two["model"][4:]
    assert any("matched by id" in line for line in made["said"]) and made["made"]["sextant"]


@pytest.mark.parametrize("kind", ["json", "html"])
def test_it_opens_at_the_same_view_with_the_same_numbers(two, kind):
    at = rested(opened(PAGE, **two))
    raw = report.made(shown(at)).json() if kind == "json" else report.written(shown(at))
    path, link = followed(uploaded(opened(), raw, f"report.{kind}"))
    assert path == "/spectrum"
    again = rested(opened(PAGE, **link))
    assert "came out again, to the last bit" in compared(again) and again.select_slider(key="spectrum_k").value == 7
    assert again.selectbox(key="spectrum_layer").value == "copy" and report.made(shown(again)).said == report.made(shown(at)).said


def test_other_numbers_are_named(two):
    found = json.loads(report.made(shown(rested(opened(PAGE, **two)))).json())
    was = found["studies"][0]["numbers"]["auc"]
    found["studies"][0]["numbers"]["auc"] = 0.125
    again = rested(opened(PAGE, **followed(uploaded(opened(), json.dumps(found)))[1]))
    assert "1 number differs" in compared(again) and f"saved 0.125, now {was}" in compared(again) and "sextant 0" in compared(again)


def test_another_view_has_a_way_back(two):
    raw = report.made(shown(rested(opened(PAGE, **two)))).json()
    link = followed(uploaded(opened(), raw))[1]
    again = rested(opened(PAGE, **{**link, "spectrum_layer": "first", "spectrum_with": "This model"}))
    assert "not on this page now" in compared(again) and "spectrum_with=other" in compared(again)


def test_a_page_without_studies_compares_its_charts():
    at = opened(PAGE, spectrum_view="Playground", spectrum_d="2000")
    again = opened(PAGE, **followed(uploaded(opened(), report.made(shown(at)).json()))[1])
    assert "came out again" in compared(again) and not again.exception


def test_what_was_still_being_computed_is_said_and_not_held_against_it(two):
    at = rested(opened(PAGE, **two))
    early = report.made(shown(at))
    early = replace(early, studies=tuple({**study, "numbers": None} for study in early.studies), charts=dict.fromkeys(early.charts, "0" * 32))
    said_now = compared(rested(opened(PAGE, **followed(uploaded(opened(), early.json()))[1])))
    assert "Not computed yet when it was saved, now it is: spectrum compare" in said_now and "differ" not in said_now


def test_the_server_gives_away_what_a_session_shows_and_says_what_is_wrong(two, monkeypatch):
    noted = shown(rested(opened(PAGE, **two)))
    for kind in ("html", "json"):
        status, text, name = report.saved(noted.token, f"spectrum.{kind}")
        assert status == 200 and name == f"sextant-spectrum.{kind}" and "analysis.studies.spectrum:compare" in text
    for token, file in (("0" * 32, "spectrum.html"), (noted.token, "map.html"), (noted.token, "spectrum")):
        assert report.saved(token, file)[::2] == (404, "")
    monkeypatch.setattr(report, "made", lambda noted: [][1])
    status, text, name = report.saved(noted.token, "spectrum.json")
    assert status == 500 and "IndexError" in text and "its log says where" in text and name == ""


def test_pictures_come_along():
    noted = shown(opened("shape/sensitivity.py", model="raw", sensitivity_view="Transforms"))
    page = report.saved(noted.token, "sensitivity.html")[1]
    assert page.count('<img alt="8 items under') == 18 and "stands a picture here" not in page


def test_a_page_that_waits_for_its_items_has_a_report_too():
    noted = shown(opened("shape/persistence.py"))
    status, text, name = report.saved(noted.token, "persistence.html")
    assert status == 200 and "not extracted yet" in text and name == "sextant-persistence.html"


def test_a_page_that_stands_apart_has_a_name_of_its_own_and_no_inputs_of_the_sidebar(two):
    noted = shown(rested(opened(PAGE, **two)))
    apart = replace(noted, title="One number", file="sextant-lesson-one", workspace=None)
    apart.studies["again"] = apart.studies["spectrum-compare"]  # the same work under another key is one study
    made = report.made(apart)
    assert made.title == "One number" and {given["name"] for given in made.inputs} == {"mine", "other"} and "model" not in made.parameters
    assert len(made.studies) == 1 and made.parameters["spectrum_k"] == ["7"]
    page = report.written(apart)
    assert "<dt>layer</dt>" not in page and "<title>One number" in page and report.saved(noted.token, "spectrum.json")[0] == 200


def test_formulas_are_drawn_without_a_network():
    page = paper._rendered("So $x_i' \\le \\tfrac12$ and\n\n$$ \\mathrm{PR} = \\frac{a}{b} $$\n\nat 5\\$ or 6\\$.")
    assert "<msubsup><mi>x</mi>" in page and '<math display="block">' in page and "<mfrac><mi>a</mi><mi>b</mi></mfrac>" in page and "5$ or 6$" in page


def test_every_formula_of_the_lessons_can_be_drawn():
    known = [step.formula for lesson in lessons.shelf()[0].values() for step in lesson.steps if step.formula]
    assert known and all(formula.mathml(tex).startswith("<math") and "\\" not in formula.mathml(tex) for tex in known)


@pytest.mark.parametrize("tex", ["{a", "a}", "\\frac", "x_", "^", "\\text{a", "{" * 5000, "\\sqrt[3]{x}", "\\foo", "\\begin{cases}a\\end{cases}"])
def test_a_formula_that_cannot_be_read_stands_as_it_was_written(tex):
    assert formula.mathml(tex) == f"<code>{tex}</code>"


def test_signs_of_our_own_in_a_name_are_taken_for_no_markup():
    for text in ("set \ue0031abc\ue003", "\ue000[x](/onmouseover=alert(1)//)\ue001y\ue002", "\ue0031ff\ue003"):
        page = paper._rendered(text)
        assert "<span" not in page and "<math" not in page and not re.search("[\ue000-\ue003]", page)


def test_a_report_waits_until_a_fragment_is_drawn(two, monkeypatch):
    from pages.parts import record
    noted, slept = shown(rested(opened(PAGE, **two))), []
    monkeypatch.setattr(record.time, "sleep", slept.append)
    noted.touched = record.time.monotonic()
    monkeypatch.setattr(record, "PATIENCE", 0.05)
    assert report.saved(noted.token, "spectrum.json")[0] == 200 and slept
    slept.clear()
    noted.touched = 0.0
    assert report.saved(noted.token, "spectrum.json")[0] == 200 and not slept


def test_what_is_drawn_again_takes_the_place_of_what_was(two):
    at = rested(opened(PAGE, **two))
    before = report.made(shown(at))
    at.select_slider(key="spectrum_k").set_value(12).run()
    page = report.written(shown(at))
    assert "TAS at k = 12" in page and "TAS at k = 7" not in page and before.studies == report.made(shown(at)).studies


def test_what_is_missing_is_named_with_what_to_load(two, store):
    raw = report.made(shown(rested(opened(PAGE, **two)))).json()
    store.delete("representations", two["model"][4:])
    at = uploaded(opened(), raw)
    assert "“mine”" in said(at) and two["model"][4:12] in said(at) and "load the same file" in said(at) and not links(at)


@pytest.mark.parametrize(("change", "words"), [({"format": "sextant report 2", "made": {"sextant": "7.0"}}, ("newer Sextant", "7.0")),
                                               ({"page": "tomorrow"}, ("tomorrow", "does not have")), ({"studies": 1}, ("studies",))])
def test_what_this_version_cannot_open_is_refused_with_words(change, words):
    raw = json.dumps({**json.loads(report.made(shown(opened())).json()), **change})
    at = uploaded(opened(), raw)
    assert all(word in said(at) for word in words) and not links(at)


def test_an_address_whose_report_is_not_open_says_so():
    assert "open its file again" in compared(opened(report="0" * 32))


def test_a_saved_case_opens_on_its_page(two, tmp_path):
    key = two["model"][4:]
    case = Case("mine", "a text", "analysis.studies.case:inspect", {"target": {"representation": key}, "source": {"representation": key}}, {"budget": 20})
    path, link = followed(uploaded(opened(), case.save(tmp_path / "case.json").read_bytes(), "case.json"))
    assert json.loads((tmp_path / "case.json").read_text())["format"] == FORMAT
    assert path == "/cases" and link["model"] == link["sources"] == two["model"] and link["cases_budget"] == "20"
