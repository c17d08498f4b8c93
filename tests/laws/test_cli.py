import json
import subprocess
import sys

import numpy as np
import pytest

from analysis.__main__ import main, parser

SHAPE = "builtin:shapes/circle?n=40"


def test_extract_stores_and_writes_its_manifest(store, tmp_path, capsys):
    assert main(["extract", "builtin:raw", SHAPE, "--json", str(tmp_path / "m.json")]) == 0
    told = json.loads((tmp_path / "m.json").read_text())
    assert told["n"] == 40 and told["manifest"]["dataset"]["source"] == "builtin:shapes/circle?n=40"
    assert store.representation(told["manifest"]["key"]).digest == told["digest"]
    assert "in the store as" in capsys.readouterr().out


def test_the_written_file_loads_again(tmp_path):
    from analysis import load_representation
    assert main(["extract", "builtin:raw", SHAPE, "--out", str(tmp_path / "r.npz")]) == 0
    assert len(load_representation(tmp_path / "r.npz")) == 40


def test_list_names_every_part(capsys):
    assert main(["list"]) == 0
    said = capsys.readouterr().out
    assert all(word in said for word in ("builtin:vit/seed0", "builtin:digits/handwritten", "stored"))
    assert main(["list", "models", "--json", "-"]) == 0
    assert {m["id"] for m in json.loads(capsys.readouterr().out)["models"]} >= {"builtin:vit/seed0", "builtin:raw"}


@pytest.mark.parametrize("arguments, says", [
    (["extract", "builtin:nothing", SHAPE], "no model 'nothing'"), (["extract", "builtin:raw", "builtin:shapes/cube"], "no dataset"),
    (["extract", "builtin:vit/seed0", "builtin:reviews/film"], "reads images"), (["extract", "builtin:raw", "nowhere.csv"], "nowhere.csv")])
def test_bad_input_is_one_message_and_exit_2(arguments, says, capsys):
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert says in said.err and "Traceback" not in said.err and said.out == ""


def test_progress_goes_to_standard_error_and_help_names_every_verb():
    done = subprocess.run([sys.executable, "-m", "analysis", "extract", "builtin:raw", SHAPE, "--json", "-"], capture_output=True, text=True)
    assert json.loads(done.stdout)["n"] == 40 and "40 of 40" in done.stderr
    assert all(verb in parser().format_help() for verb in ("extract", "list", "persistence", "tas", "sensitivity", "radar", "rank", "case", "scoreboard"))


def test_own_weights_need_their_architecture(capsys):
    from analysis.models import zoo
    weights = str(zoo.path("conv/narrow", ".safetensors"))
    assert main(["extract", weights, "builtin:digits/printed?n=20"]) == 2 and "--architecture" in capsys.readouterr().err
    assert main(["extract", weights, "builtin:digits/printed?n=20", "--architecture", "conv-narrow"]) == 0


def test_bad_rows_are_dropped_when_asked(tmp_path, capsys):
    path = tmp_path / "points.csv"
    path.write_text("x,y\n1,2\n3,nan\n5,6\n7,8\n")
    assert main(["extract", "builtin:raw", str(path)]) == 2 and "NaN" in capsys.readouterr().err
    assert main(["extract", "builtin:raw", str(path), "--drop-bad-rows", "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["n"] == 3


@pytest.mark.parametrize("variable, value", [("SEXTANT_STORE", "/proc/nope"), ("SEXTANT_STORE_CAP", "10GB")])
def test_a_store_that_cannot_be_is_a_message(variable, value, monkeypatch, capsys):
    from analysis import store
    store._at.cache_clear()
    monkeypatch.setenv(variable, value)
    assert main(["extract", "builtin:raw", SHAPE]) == 2
    assert value in capsys.readouterr().err
    store._at.cache_clear()


def test_an_impossible_output_is_refused_before_the_work(capsys):
    assert main(["extract", "builtin:raw", SHAPE, "--out", "x.txt"]) == 2 and ".safetensors or .npz" in capsys.readouterr().err
    assert main(["extract", "builtin:raw", SHAPE, "--json", "/"]) == 2 and "cannot be written" in capsys.readouterr().err


# persistence

@pytest.fixture
def layers(tmp_path):
    """Two layers of 60 points in three classes: one without structure, one of three clusters."""
    rng, labels = np.random.default_rng(0), np.arange(60) % 3
    path = tmp_path / "layers.npz"
    np.savez(path, early=rng.standard_normal((60, 4)), late=5 * np.eye(3, 4)[labels] + 0.1 * rng.standard_normal((60, 4)), labels=labels)
    return path


def test_persistence_says_what_the_metric_finds(layers, tmp_path, capsys):
    from analysis.metrics import persistence
    assert main(["persistence", str(layers), "--json", str(tmp_path / "p.json")]) == 0
    said, told = capsys.readouterr(), json.loads((tmp_path / "p.json").read_text())
    x = np.load(layers)["late"].astype(np.float32)
    profile = persistence.profile(x)
    assert told["layer"] == "late" and told["classes"] == 3 and told["n"] == 60 and told["width"] == 4 and told["gap"]["groups"] == 3
    assert told["ratio"] == profile.ratio(3).ratio and (told["interval"]["low"], told["interval"]["high"]) == profile.interval(3)
    assert tuple(told["chance"].values()) == profile.chance(3) and told["deaths"] == persistence.h0(x).tolist() and "loops" not in told
    assert f"PR {told['ratio']:.4f}, 95 % interval" in said.out and "layer late: 60 points, 4 wide, 3 classes" in said.out
    assert "leaves 3 groups and 0 stray points" in said.out and "H1" not in said.out and "done: 65 of 65" in said.err


def test_persistence_takes_a_layer_a_number_of_classes_and_landmarks(layers, capsys):
    assert main(["persistence", str(layers), "--layer", "early", "--classes", "5", "--loops", "--max-points", "30", "--seed", "2", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["layer"] == "early" and told["classes"] == 5 and told["options"]["seed"] == told["loops"]["options"]["seed"] == 2
    assert told["loops"]["used"] == 30 and told["loops"]["n"] == 60 and told["loops"]["covering_radius"] > 0 and told["loops"]["options"]["max_points"] == 30
    assert main(["persistence", str(layers), "--layer", "early", "--loops"]) == 0
    said = capsys.readouterr().out
    assert "H1: " in said and "lifetime" in said and "60 landmarks of 60 points, covering radius 0" in said


def test_persistence_gives_the_reason_where_there_is_no_number(layers, tmp_path, capsys):
    strict = lambda text: json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert main(["persistence", str(layers), "--classes", "1"]) == 0 and "PR has no value. 1 class: there is nothing" in capsys.readouterr().out
    assert main(["persistence", str(layers), "--classes", "60", "--loops", "--json"]) == 0
    told = strict(capsys.readouterr().out)
    assert told["ratio"] is None and "no bar is left" in told["reason"] and told["interval"] == {"low": None, "high": None}
    np.save(tmp_path / "same.npy", np.ones((9, 2), np.float32))
    assert main(["persistence", str(tmp_path / "same.npy"), "--classes", "2", "--loops"]) == 0
    said = capsys.readouterr().out
    assert "lie on one another" in said and "H1: 0 bars" in said and "leaves 1 group and 0 stray points" in said
    assert main(["persistence", str(layers), "--classes", "59"]) == 0 and "no interval. With one block of points left out" in capsys.readouterr().out


@pytest.mark.parametrize("arguments, says", [
    (["--classes", "many"], "'many' is no number of classes"), (["--classes", "2.5"], "2.5 is no number"), (["--classes", "nan"], "number of classes"),
    (["--layer", "middle"], "Choose one of early, late"), (["--loops", "--max-points", "1"], "at least 2"), (["--seed", "-1"], "no seed")])
def test_persistence_refuses_what_it_cannot_take(layers, arguments, says, capsys):
    assert main(["persistence", str(layers), *arguments]) == 2
    said = capsys.readouterr()
    assert says in said.err and "Traceback" not in said.err and said.out == ""


def test_persistence_needs_a_file_and_a_number_of_classes(tmp_path, capsys):
    assert main(["persistence", str(tmp_path / "nowhere.npz")]) == 2 and "nowhere.npz" in capsys.readouterr().err
    np.save(tmp_path / "plain.npy", np.random.default_rng(0).standard_normal((20, 3)))
    assert main(["persistence", str(tmp_path / "plain.npy")]) == 2 and "--classes K" in capsys.readouterr().err
    assert main(["persistence", str(tmp_path / "plain.npy"), "--classes", "4"]) == 0 and "PR 0." in capsys.readouterr().out


# tas

@pytest.fixture
def pair(layers, tmp_path):
    """The layers above, and a file of one layer that is the late one with noise."""
    x = np.load(layers)
    np.savez(tmp_path / "other.npz", noisy=x["late"] + np.random.default_rng(1).standard_normal((60, 4)), labels=x["labels"])
    return [str(layers), str(tmp_path / "other.npz")]


def test_tas_says_what_the_metric_finds(pair, tmp_path, capsys):
    from analysis.metrics import similarity, tas
    assert main(["tas", *pair, "--json", str(tmp_path / "t.json")]) == 0
    said, told = capsys.readouterr(), json.loads((tmp_path / "t.json").read_text())
    x, y = np.load(pair[0])["late"].astype(np.float32), np.load(pair[1])["noisy"].astype(np.float32)
    s = tas.spectrum(x, y)
    assert told["tas"] == s.tas.tolist() and told["auc"] == s.auc and told["n"] == 60 and told["clusters"] == 3 and told["layers"] == ["late", "noisy"]
    assert told["null_low"] == tas.null_band(x, y).low.tolist() and told["boot_high"] == tas.bootstrap_band(x, y).high.tolist()
    assert told["companions"]["RSA"] == similarity.rsa(x, y) and (told["a"], told["b"]) == tuple(pair)
    lines = {line.split()[0]: line for line in said.out.splitlines()}
    assert all(f"{s.tas[k - 1]:.4f}" in lines[str(k)] for k in (1, 2, 5, 10, 20, 50)) and lines["20"].endswith("n/C") and "100" not in lines
    assert f"AUC {s.auc:.4f}" in said.out and f"Procrustes {similarity.procrustes(x, y):.4f}" in said.out and "60 items in both" in said.out
    assert "note: Neither side has ids" in said.out and "ranks of 60 rows: 60 of 60" in said.err


def test_tas_takes_layers_a_metric_and_bands(pair, capsys):
    from analysis.metrics import tas
    assert main(["tas", *pair, "--layer-a", "early", "--layer-b", "noisy", "--metric", "cosine", "--baseline", "paper", "--max-k", "9", "--seed", "2",
                 "--permutations", "5", "--resamples", "0", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    x, y = np.load(pair[0])["early"].astype(np.float32), np.load(pair[1])["noisy"].astype(np.float32)
    how = {"metric": "cosine", "baseline": "paper", "max_k": 9, "seed": 2}
    assert told["tas"] == tas.spectrum(x, y, **how).tas.tolist() and told["null_mean"] == tas.null_band(x, y, permutations=5, **how).mean.tolist()
    assert told["boot_low"] == [] and told["companions"]["mutual kNN, k=10"] is None and told["options"]["layer_a"] == "early"
    assert main(["tas", *pair, "--max-k", "9", "--permutations", "0", "--resamples", "0"]) == 0
    said = capsys.readouterr().out
    assert "mutual kNN, k=10 has no value. Neighbourhoods of 10" in said and "band" not in said and "n/C" not in said


def test_tas_matches_items_by_id(tmp_path, capsys):
    from analysis import Representation
    x, ids = np.random.default_rng(0).standard_normal((30, 3)), tuple(f"item {i}" for i in range(30))
    Representation({"x": x}, ids=ids).save(tmp_path / "a.safetensors")
    Representation({"x": 2 * x[::-1][5:]}, ids=ids[::-1][5:]).save(tmp_path / "b.npz")
    assert main(["tas", str(tmp_path / "a.safetensors"), str(tmp_path / "b.npz"), "--permutations", "0"]) == 0
    said = capsys.readouterr().out
    assert "25 items in both, 5 only in the first, 0 only in the second" in said and "1   1.0000" in said and "AUC 1.0000" in said and "note" not in said


@pytest.mark.parametrize("arguments, says", [
    (["--layer-a", "middle"], "Choose one of early, late"), (["--metric", "city"], "'city'"), (["--baseline", "none"], "'none'"), (["--seed", "-1"], "no seed"),
    (["--max-k", "59"], "from 1 to 58"), (["--permutations", "1"], "0 for no band"), (["--resamples", "-3"], "-3 resamples")])
def test_tas_refuses_what_it_cannot_take(pair, arguments, says, capsys):
    assert main(["tas", *pair, *arguments]) == 2
    said = capsys.readouterr()
    assert says in said.err and "Traceback" not in said.err and said.out == ""


def test_tas_refuses_files_that_do_not_belong_together(pair, tmp_path, capsys):
    assert main(["tas", pair[0], str(tmp_path / "nowhere.npz")]) == 2 and "nowhere.npz" in capsys.readouterr().err
    np.save(tmp_path / "fewer.npy", np.random.default_rng(0).standard_normal((59, 3)))
    assert main(["tas", pair[0], str(tmp_path / "fewer.npy")]) == 2
    said = capsys.readouterr().err
    assert "60 rows" in said and "59" in said and "one id per row" in said
    np.save(tmp_path / "three.npy", np.random.default_rng(0).standard_normal((3, 3)))
    assert main(["tas", *[str(tmp_path / "three.npy")] * 2]) == 2 and "only 3 items" in capsys.readouterr().err


def test_json_alone_is_standard_output_for_every_verb(capsys):
    assert main(["list", "models", "--json"]) == 0
    alone = capsys.readouterr().out
    assert main(["list", "models", "--json", "-"]) == 0 and capsys.readouterr().out == alone and json.loads(alone)["models"]
    assert main(["extract", "builtin:raw", SHAPE, "--json"]) == 0 and json.loads(capsys.readouterr().out)["n"] == 40
