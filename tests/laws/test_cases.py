import json
import math
import time
from dataclasses import replace
from urllib.parse import parse_qs, urlparse

import numpy as np
import pytest

from analysis import cases, engine
from analysis.cases import BUILTIN, UNITS, Case, Difference
from analysis.data import catalogue
from analysis.engine import Ref
from analysis.models import catalogue as models
from tests.laws.test_inspection import SWITCHES, domain
from tests.refusal import refused

INSPECT = "analysis.studies.case:inspect"
OPTIONS = {"budget": 12, "seeds": 4, "splits": 2, "blocks": 2, "radar": SWITCHES}


def small(**options) -> Case:
    """Blobs as they are, of two seeds: one layer, so RADAR has nothing to say."""
    entry = lambda seed: {"model": "builtin:raw", "dataset": f"builtin:shapes/blobs?n=60&seed={seed}"}
    return Case("Blobs", "Two draws of blobs.", INSPECT, {"target": entry(1), "source": entry(2)}, {"budget": 20, "seeds": 3, **options}, "The gain.")


@pytest.fixture
def stored(store) -> Case:
    """Of representations that the store keeps."""
    keys = [store.put_representation(domain(name, seed, swap=seed == 4)) for name, seed in (("home", 1), ("swapped", 4))]
    inputs = {side: {"representation": key} for side, key in zip(("target", "source"), keys, strict=True)}
    return Case("Swapped", "What looks alike is called otherwise.", INSPECT, inputs, OPTIONS)


# saved, loaded, run again

def test_a_saved_case_replays_bit_for_bit(tmp_path, stored):
    for i, case in enumerate((small(), stored)):
        path = case.run().save(tmp_path / f"{i}.json")
        again = Case.load(path)
        found, differences = again.replay()
        assert differences == () and cases.apart(differences) == 0
        assert found.final and list(found.delta) == again.result["delta"]
        assert (again.title, again.unit, again.inputs, again.options) == (case.title, case.unit, case.inputs, case.options)
        assert again.made[INSPECT] == case.call().VERSION and set(again.digests) == {source for entry in case.entries() for source in entry.values()}


def test_the_contradicting_source_hurts_and_the_case_says_label_contradiction(stored):
    result = stored.run().result
    assert result["effect"] == "hurt" and result["delta"][2] < 0
    assert {cause["name"]: cause["strength"] for cause in result["reading"]}["label contradiction"] == "strong"
    assert "label contradiction" in result["paragraph"]


def test_a_number_or_an_input_that_changed_is_named(tmp_path):
    case = small().run()
    values = json.loads(case.save(tmp_path / "a.json").read_text())
    values["result"]["base"][1] += 1e-15
    values["result"]["delta"] = None
    values["digests"]["builtin:raw"] = "another"
    (tmp_path / "a.json").write_text(json.dumps(values))
    _, differences = Case.load(tmp_path / "a.json").replay()
    assert [found.where for found in differences] == ["digest of builtin:raw", "delta", "base[1]"]
    assert 0 < cases.apart(differences[-1:]) < 1e-14 and cases.apart(differences) == math.inf
    assert cases.apart([Difference("x", 4.0, 3), Difference("y", 0.0, 1.0)]) == 1


def test_a_worker_of_the_app_finds_the_same_to_the_last_bit(stored):
    job = engine.submit(stored.call(), stored.resolved(lambda kind, source: getattr(Ref, kind)(source)), stored.options)
    end = time.monotonic() + 60
    while job.alive and time.monotonic() < end:
        time.sleep(0.02)
    assert stored.run().differences(job.result()) == ()


def test_words_about_the_numbers_are_not_compared():
    case = small().run()
    assert replace(case, result={**case.result, "paragraph": "Otherwise."}).replay()[1] == ()


def test_a_case_that_was_never_run_has_no_differences(tmp_path):
    case = Case.load(small().save(tmp_path / "a.json"))
    assert case.result == {} and case.replay()[1] == ()


def test_progress_is_told():
    notes = []
    small().found(lambda done, total, note: notes.append(note))
    assert any("split 3 of 3" in note for note in notes)


def test_threads_are_as_before_after_a_run():
    import torch
    torch.set_num_threads(2)
    small().found()
    assert torch.get_num_threads() == 2


# links

@pytest.mark.parametrize("name", BUILTIN)
def test_a_link_says_what_the_case_is_made_of(name):
    case = BUILTIN[name]
    url = urlparse(case.address())
    asked = parse_qs(url.query)
    assert url.path == "/cases"
    assert (asked["model"], asked["target"], asked["sources"]) == ([case.inputs["target"]["model"]], [case.inputs["target"]["dataset"]],
                                                                  [case.inputs["source"]["dataset"]])
    assert asked["cases_budget"] == [str(case.options["budget"])] and asked.get("cases_without", []) == case.options.get("without", [])


def test_a_link_carries_switches_and_stored_representations(stored):
    asked = parse_qs(urlparse(replace(stored, options={**OPTIONS, "layer": "state1", "calibrate": False, "names": None}).address()).query)
    target, source = (stored.inputs[side]["representation"] for side in ("target", "source"))
    assert asked["model"] == [f"rep:{target}"] and asked["sources"] == [f"rep:{source}"] and "target" not in asked
    assert asked["radar_pairs"] == ["300"] and asked["layer"] == ["state1"] and asked["cases_calibrate"] == ["false"] and "cases_names" not in asked


def test_several_sources_become_several_in_the_link():
    entries = [{"model": "builtin:raw", "dataset": f"builtin:shapes/blobs?seed={i}"} for i in range(3)]
    case = Case("x", "", "analysis.studies.ranking:sources", {"target": entries[0], "sources": entries[1:]})
    assert urlparse(case.address()).path == "/ranking" and len(parse_qs(urlparse(case.address()).query)["sources"]) == 2


# built in

def test_there_are_built_in_cases_of_images_and_texts():
    known = {entry.id for entry in (*catalogue(), *models())}
    assert len(BUILTIN) >= 6
    for case in BUILTIN.values():
        assert {source for entry in case.entries() for source in entry.values()} <= known
        assert case.text.count(". ") >= 1 and case.text.endswith(".") and case.look.endswith(".")
    assert {entry["model"] for case in BUILTIN.values() for entry in case.entries()} == {"builtin:vit/seed0", "builtin:text/minilm"}
    assert len({case.title for case in BUILTIN.values()}) == len(BUILTIN)


def test_a_built_in_case_of_texts_is_what_it_says():
    case = BUILTIN["kitchen-german"]
    result = replace(case, options={**case.options, "calibrate": False, "radar": {"pairs": 500, "draws": 500}}).run().result
    assert result["effect"] == "hurt"
    assert {found["name"]: found["strength"] for found in result["reading"]}["covariate shift"] == "strong"


def test_every_unit_that_a_case_may_run_is_there():
    for unit in UNITS:
        module, _, name = unit.partition(":")
        assert module.startswith("analysis.studies.") and getattr(__import__(module, fromlist=[name]), name).VERSION


# files that are none

def written(tmp_path, **changed):
    """The file of a sound case, changed; None takes a value away."""
    path = small().save(tmp_path / "case.json")
    values = {**json.loads(path.read_text()), **changed}
    path.write_text(json.dumps({name: value for name, value in values.items() if value is not None}))
    return path


@pytest.mark.parametrize(("changed", "words"), [
    ({"format": "sextant case 0"}, ["no case of this version"]), ({"format": "sextant case 9"}, ["newer Sextant", "up to 1"]),
    ({"format": None}, ["no case of this version"]), ({"title": None}, ["has no title"]),
    ({"unit": "os:system"}, ["'os:system'", "may run"]), ({"unit": ["x"]}, ["may run"]), ({"unit": "analysis.studies.case:_ranked"}, ["may run"]),
    ({"title": ""}, ["title"]), ({"title": "x" * 201}, ["200 characters"]), ({"text": 3}, ["text of the case is 3"]),
    ({"inputs": {"target": {"model": "a", "dataset": "b"}}}, ["target", "source"]), ({"inputs": []}, ["inputs", "[]"]),
    ({"inputs": {"target": {"model": "a"}, "source": {"representation": "c"}}}, ["input target", "{'model': 'a'}"]),
    ({"inputs": {"target": [{"representation": "c"}], "source": {"representation": "c"}}}, ["input target"]),
    ({"inputs": {"target": {"representation": ""}, "source": {"representation": "c"}}}, ["input target"]),
    ({"inputs": {"target": {"representation": 3}, "source": {"representation": "c"}}}, ["input target"]),
    ({"options": [1]}, ["options"]), ({"result": "none"}, ["result"]), ({"digests": {"a": [1]}}, ["digests"]), ({"command": "rm"}, ["'command'"]),
    ({"options": {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": {"i": {"j": 1}}}}}}}}}}}, ["nested too deep"])])
def test_a_malformed_file_is_refused(tmp_path, changed, words):
    refused(lambda: Case.load(written(tmp_path, **changed)), *words)


@pytest.mark.parametrize(("raw", "words"), [
    (b"", ["no JSON"]), (b"{", ["no JSON"]), (b"[1]", ["no case"]), (b"\x80\x04\x95", ["no JSON"]), (b"[" * 100_000, ["no JSON"]),
    (b'{"format": "sextant case 1", "title": NaN}', ["NaN"]), (b" " * 5_000_001, ["5 MB"])])
def test_a_file_that_is_something_else_is_refused(tmp_path, raw, words):
    path = tmp_path / "case.json"
    path.write_bytes(raw)
    refused(lambda: Case.load(path), *words)


def test_a_file_that_is_not_there_or_cannot_be_written_is_refused(tmp_path):
    refused(lambda: Case.load(tmp_path / "none.json"), "no file")
    (tmp_path / "file").write_text("")
    refused(lambda: small().save(tmp_path / "file" / "case.json"), "cannot be written")
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".tmp"] == []


def test_values_that_no_file_holds_are_refused():
    refused(lambda: small(budget=math.nan), "options, budget", "nan")
    refused(lambda: small(layer=object), "options, layer")
    assert small(without=("a",)).options["without"] == ["a"]
    assert isinstance(small().run().result["base"], list) and np.isfinite(small().run().result["delta"]).all()


def test_an_input_that_is_gone_is_refused_with_what_to_do(stored, store):
    store.delete("representations", stored.inputs["source"]["representation"])
    refused(stored.found, "not in the store", "Extract it again")
