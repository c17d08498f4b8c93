import json
import subprocess
import sys

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
    assert all(verb in parser().format_help() for verb in ("extract", "list"))


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
