"""A report: it is read as it was written, notices a single bit, and refuses what it cannot be."""

import importlib
import json
import pkgutil
from dataclasses import dataclass
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from analysis import Representation, load_dataset, load_model, studies
from analysis.cases import BUILTIN, UNITS
from analysis.lessons.study import STUDIES
from analysis.report import FORMAT, VERSION, Report, numbers, study
from tests.refusal import refused


@dataclass(frozen=True)
class Found:
    curve: np.ndarray
    score: float = 0.5
    seconds: float = 1.0
    reasons: dict = None


def found(**changed):
    return Found(**{"curve": np.linspace(0, 1, 1000), "reasons": {"a": None, "fit_seconds": 2.0}, **changed})


def report(result=None, **changed):
    options = {"layer": "one", "budget": 20}
    entry = study("analysis.studies.thing:measure", 3, options, {"a": ["model", "builtin:raw", "f" * 32]}, found() if result is None else result)
    whole = {"page": "spectrum", "title": "Spectrum", "parameters": {"layer": ["block 3"], "sources": ["a b", "c/d"]}, "studies": (entry,),
             "inputs": ({"kind": "model", "id": "builtin:raw", "name": "raw", "digest": "f" * 32},), "charts": {"curve": "d" * 32}, "said": ("They agree.",),
             "made": {"sextant": "0.1.0"}, "date": "2026-11-20T12:00:00"}
    return Report(**{**whole, **changed})


def raw(**changed):
    return json.dumps({**json.loads(report().json()), **changed}).encode()


def test_it_is_read_as_it_was_written():
    one = report()
    again = Report.read(one.json().encode())
    assert again.json() == one.json() and again.digest == one.digest


def test_the_html_carries_it():
    page = b'<!doctype html><p>manifest</p><script type="application/json" id="manifest">' + report().json().replace("<", "\\u003c").encode() + b"</script>"
    assert Report.read(page, "report.html").json() == report().json()


def test_its_address_says_every_parameter():
    where = urlsplit(report().address(report="1"))
    assert where.path == "/spectrum" and parse_qs(where.query) == {"layer": ["block 3"], "sources": ["a b", "c/d"], "report": ["1"]}


def test_equal_numbers_are_the_same_and_time_does_not_count():
    assert report().replay(report(found(seconds=9.0, reasons={"a": None, "fit_seconds": 9.0}))) == (1, (), (), ())


def test_a_single_bit_is_noticed():
    curve = np.linspace(0, 1, 1000)
    curve[500] = np.nextafter(curve[500], 1)
    assert [d.where for d in report().replay(report(found(curve=curve))).differences] == ["thing measure curve digest"]
    first, = report().replay(report(found(score=0.25))).differences
    assert (first.where, first.saved, first.now) == ("thing measure score", 0.5, 0.25)


def test_another_input_is_noticed():
    other = report(inputs=({"kind": "model", "id": "builtin:raw", "name": "raw", "digest": "e" * 32},))
    assert [d.where for d in report().replay(other).differences] == ["digest of builtin:raw"]


def test_what_is_not_computed_yet_or_no_longer_shown_is_absent():
    unfinished = report(studies=(study("analysis.studies.thing:measure", 3, {"layer": "one", "budget": 20}, None, None),))
    assert report().replay(unfinished) == report().replay(report(studies=())) == (0, (), ("thing measure",), ())


def test_what_was_still_being_computed_is_not_held_against_what_is_there_now():
    unfinished = report(studies=(study("analysis.studies.thing:measure", 3, {"layer": "one", "budget": 20}, {"a": ["model", "builtin:raw", "f" * 32]}, None),))
    assert unfinished.replay(report(charts={"curve": "e" * 32})) == (0, (), (), (("thing measure", True),))
    assert unfinished.replay(unfinished) == (0, (), (), (("thing measure", False),))


def test_without_studies_what_was_drawn_is_compared():
    bare = report(studies=())
    assert bare.replay(report(studies=())) == (1, (), (), ())
    assert [d.where for d in bare.replay(report(studies=(), charts={"curve": "e" * 32})).differences] == ["chart curve"]
    assert bare.replay(report(studies=(), charts={})).absent == ("curve",)


def test_numbers_fit_a_file():
    told = numbers(found(curve=np.array([1.0, np.nan]), reasons={"many": list(range(10_000)), "texts": ("a",) * 1000, "nest": [[1, None]] * 400}))
    assert told["curve"] == [1.0, None] and told["reasons"]["many"] | {"digest": ""} == {"shape": [10_000], "digest": "", "low": 0.0, "high": 9999.0}
    assert told["reasons"]["texts"]["count"] == 1000 and told["reasons"]["nest"]["shape"] == [400, 2] and len(json.dumps(told, allow_nan=False)) < 1000


# every unit of work that a page, a lesson or a case runs

def clouds(seed: int) -> dict:
    """Three layers of 60 items of three classes."""
    rng, labels = np.random.default_rng(seed), np.arange(60) % 3
    layers = {f"layer {i}": (rng.standard_normal((60, 5)) + 3 * np.eye(5)[labels] + seed).astype(np.float32) for i in range(3)}
    return {"representation": Representation(layers, labels=labels, dataset="d" * 32, ids=tuple(f"item {i}" for i in range(60)))}


def last(unit, inputs: dict, options: dict):
    *_, found = unit(inputs, options, SimpleNamespace(progress=lambda *_: None))
    return found


def shipped(unit, inputs: dict, options: dict):
    return importlib.import_module(unit.__module__).shipped(**options)


A, B = clouds(0), clouds(1)
ONE, TWO, RADAR = {"target": A, "source": B}, {"target": A, "sources": [B]}, {"radar": {"pairs": 100, "draws": 100}, "splits": 2, "blocks": 2}
FEW, NAMED, BOTH = {"budget": 12, "seeds": 2}, {"names": ["a", "b"]}, {"domains": [A, B]}
RUNS = {  # unit -> inputs, options; how it is run where that takes long
    "persistence:profile": (A, {}), "persistence:loops": (A, {}), "persistence:survey": ({"entries": [A, B]}, {"layers": ["layer 1", "nowhere"]}),
    "persistence:distances": (lambda: {"survey": last(find("persistence:survey"), {"entries": [A, B]}, {})}, {}),
    "spectrum:compare": ({"a": A, "b": B}, {"permutations": 5, "resamples": 5}), "spectrum:layers": ({"a": A, "b": B}, {}),
    "spectrum:convergence": (lambda: {"models": [load_model(f"builtin:conv/{name}") for name in ("narrow", "wide")], "dataset": digits()}, {"permutations": 5}),
    "teaching:clouds": ({}, {"n": 40, "d": 5}), "teaching:triangle": ({}, {}), "teaching:shipped": ({}, {"name": "harm"}),
    "radar:calibrate": (TWO, RADAR), "radar:compare": (ONE, RADAR), "radar:readings": (TWO, RADAR), "radar:matrix": (BOTH, {**RADAR, **NAMED}),
    "radar:paths": (BOTH, {**RADAR, **NAMED}), "case:inspect": (ONE, {**RADAR, **FEW}), "case:pairs": (BOTH, {**RADAR, **FEW, **NAMED}),
    "ranking:models": ({"models": [A, B]}, {**NAMED, "seeds": 2, "scores": ["logme"]}),
    "ranking:sources": (TWO, {**FEW, "scores": ["logme"], "radar": RADAR["radar"]}),
    "gain:measure": (TWO, FEW), "gain:curve": (TWO, {"seeds": 2, "budgets": [6, 12]}),
    "projection:umap": ({"representations": [A["representation"]]}, {"layer": "layer 1"}),
    "tuning:finetune": (lambda: {"models": [load_model("builtin:conv/narrow")], "dataset": digits()}, {"seeds": 1, "steps": 1, "budget": 40}),
    "sensitivity:profile": (lambda: {"model": load_model("builtin:conv/narrow")}, {"transforms": ["hue"], "n": 10}),
    "growth:grow": ({}, {"name": "mlp-0"}, shipped),
    "growth:valley": (lambda: {"dataset": digits()}, {"limit": 200, "trained": 20, "steps": 4, "branches": 3, "points": 5, "items": 60, "directions": 2,
                                                       "grid": 5}),
    **{f"invariance:{name}": ({}, {"name": name}, shipped) for name in ("mismatch", "importance", "harm", "carried")}}
APART = {"extraction", "fetching", "scoreboard"}  # modules whose results no page names as a study


def digits():
    return load_dataset("builtin:digits/seven-segment")


def find(name: str):
    module, _, unit = name.partition(":")
    return getattr(importlib.import_module(f"analysis.studies.{module}"), unit)


def test_no_unit_of_work_is_forgotten():
    modules = {found.name: importlib.import_module(f"analysis.studies.{found.name}") for found in pkgutil.iter_modules(studies.__path__)}
    every = {f"{name}:{key}" for name, module in modules.items() for key, value in vars(module).items()
             if hasattr(value, "VERSION") and value.__module__ == module.__name__ and name not in APART}
    assert every == set(RUNS) and {unit.removeprefix("analysis.studies.") for unit in (*STUDIES, *UNITS)} <= every


@pytest.mark.parametrize("name", RUNS)
def test_whatever_a_page_computes_goes_into_a_report_and_opens_again(name):
    inputs, options, *how = RUNS[name]
    unit = find(name)
    result = (how[0] if how else last)(unit, inputs() if callable(inputs) else inputs, options)
    one = report(studies=(study(f"analysis.studies.{name}", unit.VERSION, options, None, result),))
    again = Report.read(one.json().encode())
    assert again.studies[0]["numbers"] and again.replay(one) == (1, (), (), ()) and len(one.json()) < 5_000_000


def test_a_survey_tells_its_bars():
    found = last(find("persistence:survey"), {"entries": [A, B]}, {"layers": ["layer 1", "nowhere"]})
    good, bad = numbers(found)["entries"]
    assert good["h0"] == sorted(good["h0"]) == found.bars(0, 0)[:, 1].tolist() and good["groups"] == found.groups[0] and bad["reason"] and not bad["h0"]


# a case

def test_a_case_is_a_report_of_the_page_that_shows_it():
    case = BUILTIN["turned"]
    one = Report.read(json.dumps({"format": "sextant case 1", "title": case.title, "text": case.text, "unit": case.unit, "inputs": dict(case.inputs),
                                  "options": dict(case.options)}).encode())
    assert one.address() == case.address() and one.title == case.title
    assert {given["id"] for given in one.inputs} == {"builtin:vit/seed0", "builtin:digits/handwritten", "builtin:digits/handwritten-turned-180"}


def test_a_case_finds_its_study_among_those_with_more_options():
    asked = study("analysis.studies.thing:measure", 3, {"budget": 20}, None, found())
    assert report(studies=({**asked, "inputs": None},)).replay(report()) == (1, (), (), ())


@pytest.mark.parametrize(("given", "words"), [
    (b"", ("no JSON",)), (b"[1]", ("is no report",)), (b"{" * 5000, ("no JSON",)), (b"<html></html>", ("no JSON",)), (b'{"page": NaN}', ("NaN",)),
    (raw(format="something"), ("is no report",)), (raw(format="sextant case 9", made={"sextant": "9.9"}), ("newer Sextant", "up to 1", "9.9")),
    (raw(format="sextant case x"), ("no case",)), (raw(format=f"{FORMAT} 9", made=None), ("newer Sextant", "that made it")),
    (raw(format=f"{FORMAT} {VERSION + 1}", made={"sextant": "9.9"}), ("newer", "9.9")),
    (raw(extra=1), ("'extra'",)), (raw(page="/evil.example"), ("page",)), (raw(page=None), ("page",)), (raw(title=3), ("title",)),
    (raw(parameters={"layer": "one"}), ("parameters",)), (raw(inputs=[{"kind": "file", "id": "x", "name": "x", "digest": ""}]), ("inputs",)),
    (raw(inputs={}), ("inputs",)), (raw(studies=[{"unit": "x"}]), ("studies",)), (raw(said=[1]), ("sentences",)), (raw(charts=[]), ("charts",)),
    (b'{"format": "sextant report 1"}', ("has no page",)), (b" " * 20_000_001, ("20 MB",)), (b'{"format": "sextant case 1"}', ("case",))])
def test_what_it_cannot_be_is_refused_with_the_reason(given, words):
    refused(lambda: Report.read(given, "mine.json"), *words)
