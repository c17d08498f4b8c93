import json
from dataclasses import fields

import numpy as np
import pytest

from analysis import Representation, load_representation
from analysis.__main__ import main, parser
from analysis.metrics import radar
from analysis.metrics.readings import CHOICES

QUICK = ["--pairs", "300", "--draws", "500", "--components", "2", "--splits", "3", "--blocks", "4"]
OPTIONS = radar.Options(pairs=300, draws=500, components=2)


def states(shift: float, seed: int, n: int = 60) -> tuple[dict, np.ndarray]:
    """Four states of three classes, each made from the one before by the same map; and the classes."""
    rng, maps = np.random.default_rng(seed), np.random.default_rng(0).normal(size=(3, 6, 6))
    labels = np.arange(n) % 3
    made = [3 * np.eye(3, 6)[labels] + rng.normal(size=(n, 6)) + shift * np.eye(6)[5]]
    for weights in maps:
        made.append(made[-1] + np.tanh(made[-1] @ weights))
    return {f"state{i}": x.astype(np.float32) for i, x in enumerate(made)}, labels


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict:
    """Names of files: arrays made elsewhere, home, near and far; and `small`, which has too few items."""
    folder, found = tmp_path_factory.mktemp("files"), {}
    for i, (name, shift, n) in enumerate((("home", 0, 60), ("near", 0, 60), ("far", 4, 50), ("small", 0, 19))):
        layers, labels = states(shift, i, n)
        found[name] = str(folder / f"{name}.npz")
        np.savez(found[name], **layers, labels=labels)
    return found


def run(capsys, *arguments: str) -> tuple[str, str]:
    assert main(["radar", *arguments]) == 0
    return capsys.readouterr()


def told(capsys, *arguments: str) -> dict:
    return json.loads(run(capsys, *arguments, "--json").out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


def test_radar_says_what_the_metric_finds(files, tmp_path, capsys):
    given = [files[name] for name in ("home", "far", "near")]
    said = run(capsys, *given, *QUICK, "--json", str(tmp_path / "r.json"))
    home, far, near = map(load_representation, given)
    *_, found = radar.calibrate(home, {given[1]: far, given[2]: near}, splits=3, blocks=4, options=OPTIONS)
    kept = json.loads((tmp_path / "r.json").read_text())
    assert kept == json.loads(json.dumps({**found.manifest(), "target": given[0]})) and kept["final"] and kept["options"]["pairs"] == 300
    lines = said.out.splitlines()
    assert lines[0] == f"{given[0]}: 60 items, 4 states from state0 to state3"
    assert "null: {:.4f} to {:.4f}, of 3 times {} target items".format(*found.band, found.half) in lines[1]
    assert lines[2].split()[:4] == ["rank", "source", "verdict", "matched"]
    for line, name in zip(lines[3:5], (given[2], given[1]), strict=True):  # nearest first
        source = found.sources[name]
        low, high = source.matched_interval
        assert line.split()[:7] == [str(source.rank), name, source.verdict, f"{source.matched.mean():.4f}", f"{low:.4f}", "to", f"{high:.4f}"]
        assert f"{source.score:.4f}" in line
    assert len({len(line) for line in lines[2:5]}) == 1
    assert "split 3 of 3" in said.err or "all items" in said.err


def test_scores_alone_are_quick_and_bring_no_verdict(files, capsys):
    given = [files[name] for name in ("home", "near", "far")]
    kept = told(capsys, *given, *QUICK, "--no-calibration")
    single = radar.compare(*map(load_representation, given[:2]), options=OPTIONS)
    assert kept["sources"][0]["score"] == single.score and kept["null"] == [] and kept["sources"][0]["verdict"] == "" and kept["se"] == [None, None]
    said = run(capsys, *given, *QUICK, "--no-calibration").out
    assert f"{single.score:.4f}" in said and f"{single.mc_error:.4f}" in said and "null:" not in said and "verdict " not in said and "MC error" in said


def test_every_switch_of_the_metric_is_one_of_the_command(files, capsys):
    verb = next(action for action in parser()._actions if action.choices).choices["radar"]
    arguments = {action.dest: action for action in verb._actions}
    for field in fields(radar.Options):
        words = arguments[field.name].help
        default = {"None": "the middle one", "True": "they are"}.get(str(field.default), field.default)
        assert f"(default: {default})" in words
        assert all(choice in words for choice in CHOICES.get(field.name, ()))
    chosen = {"centre": 1, "radius": 1, "angle": "anchor", "distance": "path", "geometry": "geodesic", "pairs": 200, "sampling": "same_class",
              "tolerance": 0.01, "divergence": "components", "components": 2, "covariance": "diagonal", "ridge": 0.01, "draws": 400, "seed": 5, "device": "cpu"}
    assert {field.name for field in fields(radar.Options)} == {*chosen, "standardise"}
    switches = [word for name, value in chosen.items() for word in (f"--{name}", str(value))]
    kept = told(capsys, files["home"], files["near"], *switches, "--no-standardise", "--no-calibration")
    assert {**kept["options"], **chosen, "standardise": False} == kept["options"] and kept["layers"] == ["state0", "state1", "state2"]
    expected = radar.compare(*(load_representation(files[name]) for name in ("home", "near")), options=radar.Options(**chosen, standardise=False))
    assert kept["sources"][0]["score"] == expected.score
    assert told(capsys, files["home"], files["near"], *QUICK, "--no-calibration", "--centre", "state2", "--radius", "1")["layers"][0] == "state1"


def test_datasets_are_run_through_a_model_into_the_store(store, capsys):
    given = ["builtin:digits/handwritten?n=60", "builtin:digits/seven-segment?n=60"]
    said = run(capsys, *given, *QUICK, "--no-calibration")
    assert "13 states from embedding" in said.out and given[1] in said.out and "extracting vit/seed0 on" in said.err
    kept = [e.facts["manifest"]["model"]["name"] for e in store.entries("representations")]
    assert kept == ["vit/seed0"] * 2
    again = run(capsys, *given, *QUICK, "--no-calibration")
    assert again.out == said.out and "extracting" not in again.err
    run(capsys, *given, *QUICK, "--no-calibration", "--model", "builtin:vit/seed1")
    assert {e.facts["manifest"]["model"]["name"] for e in store.entries("representations")} == {"vit/seed0", "vit/seed1"}


def test_with_a_model_a_table_is_a_dataset_and_a_representation_stays_one(tmp_path, capsys):
    from analysis import extract
    extract("builtin:vit/seed0", "builtin:digits/handwritten?n=60").save(tmp_path / "home.safetensors")
    pictures = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3), dtype=np.uint8)
    np.save(tmp_path / "noise.npy", pictures)
    kept = told(capsys, str(tmp_path / "home.safetensors"), str(tmp_path / "noise.npy"), *QUICK, "--no-calibration", "--model", "builtin:vit/seed0")
    assert kept["n_target"] == 60 and kept["sources"][0]["n"] == 40 and kept["names"] == [str(tmp_path / "noise.npy")]


def test_a_source_without_a_score_does_not_sink_the_others(files, capsys):
    said = run(capsys, *(files[name] for name in ("home", "small", "near")), *QUICK, "--no-calibration").out
    assert f"{files['small']} cannot be ranked. " in said and "19 items" in said
    assert [line.split()[:2] for line in said.splitlines() if line.split()[0].isdigit()] == [["1", files["near"]]]


def test_labels_that_contradict_are_told(tmp_path, capsys):
    for name, seed, turn in (("home", 0, 0), ("other", 1, 1)):
        layers, labels = states(0, seed, 100)
        Representation(layers, (labels + turn) % 3, ("a", "b", "c"), domain=name).save(tmp_path / f"{name}.safetensors")
    said = run(capsys, *(str(tmp_path / f"{name}.safetensors") for name in ("home", "other")), *QUICK).out
    assert "other.safetensors looks near, but its labels say otherwise" in said


@pytest.mark.parametrize("arguments, says", [
    (["--angle", "obtuse"], "'obtuse'"), (["--radius", "0"], "radius"), (["--centre", "middle"], "Choose one of state0"), (["--centre", "9"], "from 0 to 3"),
    (["--splits", "1"], "splits"), (["--blocks", "-2"], "blocks"), (["--seed", "-1"], "seed"), (["--ridge", "0"], "ridge"), (["--pairs", "3"], "pairs")])
def test_radar_refuses_what_it_cannot_take(files, arguments, says, capsys):
    assert main(["radar", files["home"], files["near"], *arguments]) == 2
    said = capsys.readouterr()
    assert says in said.err and "Traceback" not in said.err and said.out == ""


@pytest.mark.parametrize("given, says", [
    (["home", "nowhere.npz"], "nowhere.npz"), (["home", "builtin:digits/nowhere"], "no dataset"), (["small", "home"], "19 items"),
    (["home", "small"], "19 items"), (["home", "near", "near"], "More than one"),
    (["builtin:shapes/circle?n=40", "home"], "reads images"), (["--model", "builtin:nothing", *["builtin:digits/printed?n=40"] * 2], "no model 'nothing'")])
def test_radar_refuses_what_it_cannot_open(files, given, says, capsys):
    assert main(["radar", *(files.get(name, name) for name in given), *QUICK]) == 2
    said = capsys.readouterr()
    assert says in said.err and "Traceback" not in said.err and said.out == ""
