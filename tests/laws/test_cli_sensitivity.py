import json
from types import SimpleNamespace

import numpy as np
import pytest

from analysis import load_dataset, load_model
from analysis.__main__ import main, parser
from analysis.data import transforms
from analysis.studies import sensitivity as studies
from tests.checkpoints import bert

MODEL, DIGITS, FEW = "builtin:mlp/plain", "builtin:digits/handwritten?n=40", ["--pairs", "20"]
CTX = SimpleNamespace(progress=lambda *_: None)


def run(capsys, *arguments: str) -> tuple[str, str]:
    assert main(["sensitivity", *arguments]) == 0
    return capsys.readouterr()


def told(capsys, *arguments: str) -> dict:
    return json.loads(run(capsys, *arguments, "--json").out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


def profile(options: dict, **inputs):
    *_, found = studies.profile({"model": load_model(MODEL), **inputs}, options, CTX)
    return found


def test_sensitivity_says_what_the_study_finds(tmp_path, capsys):
    said = run(capsys, MODEL, *FEW, "--transform", "blur", "h-flip", "rotate", "--json", str(tmp_path / "s.json"))
    found = profile({"transforms": ["blur", "h-flip", "rotate"], "layers": None, "n": 20, "seed": 0, "knobs": {}})
    assert json.loads((tmp_path / "s.json").read_text()) == json.loads(json.dumps(found.manifest())) and found.final
    lines = said.out.splitlines()
    assert lines[0] == f"mlp/plain, layer {found.layers[-1]}, on Transforms-2D: 20 pairs of each transform, seed 0"
    assert "1 is what random pairs give" in lines[1] and lines[2].split()[:3] == ["transform", "family", "sensitivity"]
    for line, name in zip(lines[3:6], sorted(found.transforms, key=lambda name: -found.row(name).value), strict=True):  # noticed most first
        row, at = found.row(name), found.transforms.index(name)
        assert line.split() == [name, found.families[at], f"{row.value:.4f}", f"{row.low:.4f}", "to", f"{row.high:.4f}", f"{100 * found.idle[at]:.0f}", "%"]
    assert len({len(line) for line in lines[2:6]}) == 1 and "comparing pairs: 60 of 60" in said.err


def test_layers_ranges_and_a_seed_are_chosen(capsys):
    layers = list(load_model(MODEL).layers)
    given = [MODEL, *FEW, "--transform", "rotate", "posterize", "--seed", "3"]
    kept = told(capsys, *given, "--layer", "all", "--range", "rotate.angle=-30:30", "--range", "posterize.bits=2", "--range", "posterize.chance=1")
    knobs = {"rotate": {"angle": [-30, 30]}, "posterize": {"bits": 2, "chance": 1}}
    assert kept["options"]["knobs"] == knobs and kept["options"]["seed"] == 3 and kept["layers"] == layers
    assert kept["value"] == profile({"transforms": ["rotate", "posterize"], "layers": "all", "n": 20, "seed": 3, "knobs": knobs}).value.tolist()
    assert kept["value"] != told(capsys, *given, "--layer", "all")["value"]
    said = run(capsys, *given, "--layer", *layers[:2]).out.splitlines()
    assert said[0].startswith("mlp/plain, 2 layers, on") and said[2].split()[2] == "layer"
    assert all(layer in line for layer, line in zip(np.repeat(layers[:2], 2), said[3:], strict=True))


def test_without_names_all_transforms_are_looked_at(capsys):
    assert told(capsys, MODEL, "--pairs", "4")["transforms"] == list(transforms.TRANSFORMS)


def test_the_items_of_a_dataset_are_transformed(capsys):
    kept = told(capsys, MODEL, DIGITS, "--transform", "invert")
    assert kept["n"] == 40 and kept["data"] == load_dataset(DIGITS).name
    assert kept["value"] == profile({"transforms": ["invert"], "n": 500}, dataset=load_dataset(DIGITS)).value.tolist()
    said = run(capsys, MODEL, DIGITS, "--transform", "invert").out
    assert "40 pairs of each transform" in said and "note: There are 40 items: all of them are used." in said


def test_texts_have_transforms_of_their_own(tmp_path, capsys):
    model, path = str(bert(tmp_path / "bert")), tmp_path / "texts.csv"
    path.write_text("text\n" + "\n".join(f"The film of {word} was - as they say - rather good." for word in ("snow", "fire", "love", "war")))
    said = run(capsys, model, str(path), "--transform", "word-order", "--range", "word-order.share=1").out
    assert any(line.split()[:2] == ["word-order", "text"] for line in said.splitlines())
    for arguments, says in (([str(path), "--transform", "rotate"], "no transform 'rotate'"), ([], "Give it a dataset of texts")):
        assert main(["sensitivity", model, *arguments]) == 2 and says in capsys.readouterr().err


def test_own_cutouts_make_scenes(tmp_path, capsys):
    import io
    import zipfile

    from PIL import Image
    with zipfile.ZipFile(tmp_path / "own.zip", "w") as archive:
        for name, colour in (("red", (255, 0, 0, 255)), ("blue", (0, 0, 255, 255))):
            picture, file = Image.new("RGBA", (32, 32)), io.BytesIO()
            picture.paste(colour, (8, 8, 24, 20))
            picture.save(file, "PNG")
            archive.writestr(f"{name}.png", file.getvalue())
    kept = told(capsys, MODEL, "--scenes", str(tmp_path / "own.zip"), *FEW, "--transform", "rotate")
    assert kept["data"] == "own" and kept["value"] != told(capsys, MODEL, *FEW, "--transform", "rotate")["value"]


def test_a_transform_that_does_nothing_and_a_layer_that_says_nothing_are_told(tmp_path, capsys):
    still = ["--transform", "rotate", "hue", "--range", "rotate.angle=0", "--range", "hue.turn=0"]
    said = run(capsys, MODEL, *FEW, *still).out
    assert "note: rotate does nothing to these items" in said and "100 %" in said
    np.save(tmp_path / "same.npy", np.full((20, 32, 32, 3), 200, np.uint8))
    said = run(capsys, MODEL, str(tmp_path / "same.npy"), *FEW, *still).out
    assert "note: no sensitivity to rotate, hue. The layer" in said and "is constant" in said and said.count("  -  ") == 4
    kept = told(capsys, MODEL, str(tmp_path / "same.npy"), *FEW, *still)
    assert kept["value"] == [[None], [None]] and all("is constant" in why for why in kept["reasons"].values())


def test_the_pages_defaults_are_those_of_the_command():
    verb = next(action for action in parser()._actions if action.choices).choices["sensitivity"]
    assert {name: verb.get_default(name) for name in ("pairs", "seed", "transform", "layer", "dataset", "scenes", "range")} == {
        "pairs": 500, "seed": studies.PLAIN["seed"], "transform": None, "layer": None, "dataset": None, "scenes": None, "range": []}


@pytest.mark.parametrize("arguments, says", [
    (["builtin:nothing"], "no model 'nothing'"), ([MODEL, "builtin:reviews/film"], "reads images"),
    ([MODEL, "builtin:shapes/circle?n=40"], "rows of numbers"), ([MODEL, "nowhere.zip"], "nowhere.zip"), ([MODEL, "--scenes", "nowhere.zip"], "nowhere.zip"),
    ([MODEL, DIGITS, "--scenes", "own.zip"], "either a dataset or --scenes"), ([MODEL, "--transform", "rotat"], "Did you mean rotate?"),
    ([MODEL, "--transform", "hue", "hue"], "stands twice"), ([MODEL, "--layer", "attic"], "no layer 'attic'"), ([MODEL, "--pairs", "1"], "2 to"),
    ([MODEL, "--seed", "-1"], "no seed"), ([MODEL, "--range", "rotate=3"], "'rotate=3' is no range"), ([MODEL, "--range", "rotate.angle"], "T.KNOB=LOW:HIGH"),
    ([MODEL, "--range", "rotat.angle=3"], "no transform 'rotat'"), ([MODEL, "--range", "rotate.turn=3"], "no knob 'turn'"),
    ([MODEL, "--range", "rotate.angle=wide"], "'wide'"), ([MODEL, "--range", "rotate.angle=9:3"], "from 9 down to 3"),
    ([MODEL, "--range", "rotate.angle=1:2:3"], "'2:3'"), ([MODEL, "--range", "scale.size=nan"], "nan")])
def test_what_cannot_be_measured_is_refused(arguments, says, capsys):
    assert main(["sensitivity", *arguments]) == 2
    said = capsys.readouterr()
    assert says in said.err and "Traceback" not in said.err and said.out == ""
