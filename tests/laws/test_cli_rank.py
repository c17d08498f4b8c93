import json
from types import SimpleNamespace

import numpy as np
import pytest

from analysis import Representation, cases, engine, load_dataset, load_model, load_representation
from analysis.__main__ import main, parser
from analysis.cases import Case
from analysis.commands.ranking import PROBED
from analysis.studies import ranking, tuning
from analysis.studies import scoreboard as studies

DIGITS, MODELS = "builtin:digits/handwritten?n=60", ["builtin:conv/narrow", "builtin:mlp/plain"]
CTX = SimpleNamespace(progress=lambda *_: None)
FEW = ["--budget", "12", "--seeds", "3"]


def domain(name: str, seed: int, turned: bool = False, n: int = 60, **changes) -> Representation:
    """Three states of three classes; `turned`: each class looks like the next."""
    rng, labels = np.random.default_rng(seed), np.arange(n) % 3
    layers = [3 * np.eye(3, 6)[(labels + turned) % 3] + rng.normal(size=(n, 6))]
    for weights in np.random.default_rng(0).normal(size=(2, 6, 6)):
        layers.append(layers[-1] + np.tanh(layers[-1] @ weights))
    made = {"labels": labels, "classes": ("a", "b", "c"), "ids": [f"{name} {i}" for i in range(n)], "domain": name}
    return Representation({f"state{i}": x.astype(np.float32) for i, x in enumerate(layers)}, **{**made, **changes})


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp("files")
    made = {"home": domain("home", 1), "near": domain("near", 2), "turned": domain("turned", 3, turned=True),
            "foreign": domain("foreign", 4, classes=("x", "y", "z")), "bare": domain("bare", 5, labels=None, classes=())}
    found = {name: str(folder / f"{name}.safetensors") for name in made}
    for name, r in made.items():
        r.save(found[name])
    return found


def run(capsys, *arguments: str) -> tuple[str, str]:
    assert main([*arguments]) == 0
    return capsys.readouterr()


def told(capsys, *arguments: str) -> dict:
    return json.loads(run(capsys, *arguments, "--json").out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


def refused(capsys, *arguments: str) -> str:
    assert main([*arguments]) == 2
    said = capsys.readouterr()
    assert said.out == "" and "Traceback" not in said.err
    return said.err


# models

def test_models_are_ranked_as_the_study_does(store, tmp_path, capsys):
    scores = ["leep", "logme", "knn", "parameters"]
    said = run(capsys, "rank", "models", DIGITS, *MODELS, *FEW, "--scores", *scores, "--json", str(tmp_path / "r.json"))
    entries = [{"model": load_model(name), "dataset": load_dataset(DIGITS)} for name in MODELS]
    *_, found = ranking.models({"models": entries}, {"names": ["conv/narrow", "mlp/plain"], "budget": 12, "seeds": 3, "scores": scores}, CTX)
    kept, expected = json.loads((tmp_path / "r.json").read_text()), json.loads(json.dumps({**found.manifest(), "target": DIGITS}))
    assert {**kept, "seconds": 0, "options": 0} == {**expected, "seconds": 0, "options": 0} and kept["final"]
    lines = said.out.splitlines()
    assert lines[0] == f"{DIGITS}: accuracy of a linear probe on 12 of 60 items, 3 splits"
    assert lines[1].split()[:3] == ["rank", "model", "accuracy"] and lines[1].endswith("Parameters") and len({len(line) for line in lines[1:4]}) == 1
    best, other = sorted(found.names, key=lambda name: -found.truth_interval(name)[0])
    mean, low, high = found.truth_interval(best)
    assert lines[2].split()[:6] == ["1", best, f"{mean:.4f}", f"{low:.4f}", "to", f"{high:.4f}"] and lines[3].split()[:2] == ["2", other]
    assert f"{found.column('logme')[found.names.index(best)]:.4f}" in lines[2] and "71332" in said.out
    assert any("Parameters" in line and "trivial" in line for line in lines[5:])
    assert "opening conv/narrow" in said.err


def test_without_names_of_scores_all_are_judged_and_none_is_listed(store, capsys):
    said = run(capsys, "rank", "models", DIGITS, "builtin:mlp/plain", *FEW).out
    assert all(title in said for title in ("LogME", "H-score", "Source accuracy")) and said.splitlines()[1].split()[-3:] == ["95", "%", "interval"]


def test_what_a_model_lacks_is_told_once(store, capsys):
    said = run(capsys, "rank", "models", "builtin:shapes/circle?n=40", "builtin:raw", *FEW, "--scores", "leep", "nce", "knn").out
    assert sum("of raw. " in line for line in said.splitlines()) == 2 and "note: no LEEP of raw. " in said


def test_fine_tuning_is_another_truth(store, monkeypatch, capsys):
    monkeypatch.setitem(tuning.PLAIN, "steps", 2)
    given = ["rank", "models", DIGITS, "builtin:text/minilm", "builtin:mlp/plain", "--budget", "20", "--seeds", "1", "--scores", "logme", "--finetune"]
    kept = told(capsys, *given)
    *_, found = tuning.finetune({"models": [load_model("builtin:mlp/plain")], "dataset": load_dataset(DIGITS)},
                                {"names": ["mlp/plain"], "budget": 20, "seeds": 1}, CTX)
    assert kept["finetuned"]["truth"] == [[None], found.truth[0].tolist()]
    said = run(capsys, *given).out
    assert "fine-tuned" in said.splitlines()[1] and "fine-tuned accuracy of text/minilm" in said and "tau, fine-tuned" in said


def test_the_pages_defaults_are_those_of_the_commands():
    rank = next(action for action in parser()._actions if action.choices).choices["rank"]
    verbs = next(action for action in rank._actions if action.choices).choices
    default = lambda verb, name: verbs[verb].get_default(name)
    words = {action.dest: action.help or "" for action in verbs["models"]._actions}
    assert f"default: {ranking.SEEDS}; {tuning.PLAIN['seeds']} of fine-tuning" in words["seeds"] and f"default: {PROBED}" in words["budget"]
    assert default("sources", "seeds") == ranking.SEEDS and default("sources", "seed") == default("models", "seed") == 0
    board = next(action for action in parser()._actions if action.choices).choices["scoreboard"]
    assert [board.get_default(name) for name in ("budget", "seeds", "pairs")] == [studies.BUDGET, studies.SEEDS, studies.PAIRS]


def test_half_of_few_items_are_trained_on(store, capsys):
    kept = told(capsys, "rank", "models", DIGITS, "builtin:mlp/plain", "--scores", "parameters", "--seeds", "1")
    assert kept["budget"] == 30 and len(kept["truth"][0]) == 1


@pytest.mark.parametrize("arguments, says", [
    (["builtin:nothing"], "no model 'nothing'"), (["builtin:raw", "--scores", "luck"], "There is no score 'luck'"), (["builtin:raw", "builtin:raw"], "'raw'"),
    (["builtin:mlp/plain", "--budget", "1"], "budget"), (["builtin:raw", "--seeds", "0"], "seeds"), (["builtin:raw", "--layer", "attic"], "no layer 'attic'"),
    (["builtin:text/minilm"], "text")])
def test_models_that_cannot_be_ranked_are_refused(store, arguments, says, capsys):
    assert says in refused(capsys, "rank", "models", DIGITS, *arguments)


# sources

def test_sources_are_ranked_as_the_study_does(files, tmp_path, capsys):
    given, scores = [files[name] for name in ("home", "near", "turned")], ["logme", "centroid", "source_probe", "source_items"]
    said = run(capsys, "rank", "sources", *given, *FEW, "--scores", *scores, "--json", str(tmp_path / "r.json"))
    target, *sources = ({"representation": load_representation(name)} for name in given)
    *_, found = ranking.sources({"target": target, "sources": sources}, {"names": given[1:], "budget": 12, "seeds": 3, "scores": scores}, CTX)
    kept = json.loads((tmp_path / "r.json").read_text())
    for name in ("values", "truth", "base", "names", "parts", "reasons"):
        assert kept[name] == json.loads(json.dumps(found.manifest()))[name], name
    lines = said.out.splitlines()
    assert lines[0].startswith(f"{given[0]}: gain with 12 of 60 target items, {found.base.mean():.4f} without a source, 3 splits")
    assert lines[2].split()[:2] == ["1", given[1]] and lines[4].split()[:2] == ["3", given[2]] and lines[3].split()[1:4] == [given[1], "+", given[2]]
    assert "120" in lines[3] and lines[6].endswith("MCI") and sum("trivial" in line for line in lines) == 3
    assert "note: An interval from 3 pairs means nothing" in said.out


def test_readings_of_radar_are_columns_of_their_own(files, capsys):
    given = ["rank", "sources", files["home"], files["near"], *FEW, "--scores", "radar", "--seed", "3"]
    kept = told(capsys, *given, "--readings", "angle at the anchor", "a single Gaussian")
    assert kept["scores"] == ["radar", "radar: angle at the anchor", "radar: a single Gaussian"] and kept["options"]["seed"] == 3
    assert "no reading 'by the stars'" in refused(capsys, *given, "--readings", "by the stars")


def test_datasets_are_run_through_a_model_and_a_layer_is_chosen(store, capsys):
    given = ["rank", "sources", DIGITS, "builtin:digits/printed?n=60", *FEW, "--scores", "centroid", "--model", "builtin:mlp/plain"]
    layer = list(load_model("builtin:mlp/plain").layers)[0]
    assert told(capsys, *given)["values"] != told(capsys, *given, "--layer", layer)["values"]
    assert {e.facts["manifest"]["model"]["name"] for e in store.entries("representations")} == {"mlp/plain"}


@pytest.mark.parametrize("given, says", [
    (["home", "foreign"], "no class in common"), (["home", "bare"], "no labels"), (["home", "near", "near"], "More than one"),
    (["home", "nowhere.npz"], "nowhere.npz"), (["home", *"abcdefg"], "Built in are"), (["home", "near", "--layer", "attic"], "no layer 'attic'"),
    (["home", "near", "--budget", "59"], "budget"), (["home", "near", "--scores", "parameters"], "no score 'parameters'")])
def test_sources_that_cannot_be_ranked_are_refused(files, given, says, capsys):
    assert says in refused(capsys, "rank", "sources", *(files.get(name, name) for name in given))


# cases

SMALL = {"budget": 10, "seeds": 2, "calibrate": False, "radar": {"pairs": 100, "draws": 100, "components": 1}}


@pytest.fixture
def small() -> Case:
    entry = lambda data: {"model": "builtin:mlp/plain", "dataset": data}
    inputs = {"target": entry(DIGITS), "source": entry("builtin:digits/handwritten-turned-180?n=60")}
    return Case("Small", "A small case.", "analysis.studies.case:inspect", inputs, SMALL)


def test_built_in_cases_are_listed(capsys):
    said = run(capsys, "case", "list").out.splitlines()
    assert [line.split()[0] for line in said] == list(cases.BUILTIN)
    assert all(case.title in line for case, line in zip(cases.BUILTIN.values(), said, strict=True))
    kept = told(capsys, "case", "list")["cases"]
    assert kept[0]["inputs"] == dict(cases.BUILTIN[kept[0]["name"]].inputs) and kept[0]["address"].startswith("/cases?")


def test_a_case_is_run_saved_and_comes_out_again(store, small, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cases, "BUILTIN", {"small": small})
    file = str(tmp_path / "small.json")
    said = run(capsys, "case", "run", "small", "--save", file, "--json", str(tmp_path / "numbers.json"))
    kept = Case.load(file)
    assert kept.result and json.loads((tmp_path / "numbers.json").read_text())["result"] == kept.result
    assert kept.result["paragraph"] in said.out and f"gain {kept.result['delta'][0]:.4f}" in said.out and small.address() in said.out
    assert f"{kept.result['own']:.4f}" in said.out and all(cause["name"] in said.out for cause in kept.result["reading"])
    assert "came out again, to the last bit" in run(capsys, "case", "replay", file).out
    assert "gain" in run(capsys, "case", "run", file).out


def test_a_number_that_does_not_come_out_again_is_told(store, small, tmp_path, capsys):
    file = tmp_path / "small.json"
    small.run().save(file)
    changed = json.loads(file.read_text())
    changed["result"]["base"][0] += 0.25
    file.write_text(json.dumps(changed))
    assert main(["case", "replay", str(file)]) == 1
    said = capsys.readouterr().out
    assert "1 number differs" in said and f"base[0]: saved {changed['result']['base'][0]}" in said and "made with sextant" in said
    assert main(["case", "replay", str(file), "--json"]) == 1
    kept = json.loads(capsys.readouterr().out)
    assert not kept["same"] and kept["differences"][0]["where"] == "base[0]" and 0 < kept["apart"] < 1


HAND, PRINTED, OTHER = ({"model": f"builtin:{model}", "dataset": f"builtin:digits/{data}?n=60"}
                        for model, data in (("mlp/plain", "handwritten"), ("mlp/plain", "printed"), ("conv/narrow", "handwritten")))
SOURCES = {"target": HAND, "sources": [PRINTED]}
LITTLE = {"budget": 10, "seeds": 2}
SCORED = {"splits": 0, "blocks": 0, "radar": {**SMALL["radar"], "centre": "dense 2", "radius": 1}}


@pytest.mark.parametrize("unit, inputs, options, says", [
    ("case:pairs", {"domains": [HAND, PRINTED]}, LITTLE, "RADAR"), ("radar:calibrate", SOURCES, SCORED, "MC error"),
    ("ranking:sources", SOURCES, {**LITTLE, "scores": ["centroid"]}, "Centroid distance"),
    ("ranking:models", {"models": [HAND, OTHER]}, {**LITTLE, "scores": ["logme"]}, "LogME")])
def test_a_case_of_any_unit_is_told(store, tmp_path, unit, inputs, options, says, capsys):
    Case("Any", "A case.", f"analysis.studies.{unit}", inputs, options).save(tmp_path / "any.json")
    said = run(capsys, "case", "run", str(tmp_path / "any.json")).out
    assert said.startswith("Any. A case.") and says in said and "mlp/plain" in said.splitlines()[-1]


def test_cases_that_cannot_be_run_are_refused(small, tmp_path, capsys):
    assert "no case and no file 'nothing'" in refused(capsys, "case", "run", "nothing")
    small.save(tmp_path / "new.json")
    assert "no numbers to compare with" in refused(capsys, "case", "replay", str(tmp_path / "new.json"))
    (tmp_path / "bad.json").write_text("{")
    assert "no JSON" in refused(capsys, "case", "replay", str(tmp_path / "bad.json"))
    assert "no file" in refused(capsys, "case", "replay", str(tmp_path / "nowhere.json"))


# scoreboard

@pytest.fixture
def small_suite(monkeypatch):
    suite = studies.Suite("builtin:mlp/plain", (DIGITS, "builtin:digits/printed?n=60", "builtin:digits/handwritten-noise-3?n=60"), 1)
    monkeypatch.setattr(studies, "SUITES", {"small": suite})


def test_the_scoreboard_goes_on_where_it_was(store, small_suite, monkeypatch, capsys):
    given = ["scoreboard", "--budget", "20", "--seeds", "2", "--pairs", "100"]
    said = run(capsys, *given)
    lines = said.out.splitlines()
    assert lines[0].startswith("1 target; ") and "small: handwritten?n=60: 1 of 1" in said.err
    assert lines[1].split()[:3] == ["method", "targets", "Spearman"] and any(line.split()[:2] == ["Centroid", "distance"] for line in lines)
    (name, made), = studies.runs({"budget": 20, "seeds": 2, "radar": {"pairs": 100}}).items()
    entry = lambda domain: {"model": engine.Ref.model(made.model), "dataset": engine.Ref.dataset(domain)}
    kept = engine.stored(ranking.sources, {"target": entry(made.target), "sources": [entry(source) for source in made.sources]}, made.options)
    assert kept.final and len(kept.names) == 3
    monkeypatch.setattr(engine.Engine, "_run", lambda *_: pytest.fail("computed again"))
    assert run(capsys, *given).out == said.out
    found = told(capsys, *given)
    assert found["suites"] == [name] and found["centroid"] == "Centroid distance" and found["options"]["radar"]["pairs"] == 100


@pytest.mark.parametrize("arguments, says", [(["--suites", "luck"], "no suite 'luck'"), (["--budget", "1"], "budget"), (["--pairs", "3"], "pairs")])
def test_a_scoreboard_that_cannot_be_made_is_refused(store, small_suite, arguments, says, capsys):
    assert says in refused(capsys, "scoreboard", *arguments)
