"""The zoo: every card tells the truth about the weights beside it."""

import json
import subprocess
import sys

import numpy as np
import pytest

from analysis.data import digits
from analysis.digest import digest_file
from analysis.errors import InputError
from analysis.models import zoo

NAMES = zoo.names()
VITS = [name for name in NAMES if name.startswith("vit/")]


def test_the_zoo_is_complete():
    assert len(VITS) == 12 and {f"vit/seed{i}{end}" for i in range(3) for end in ("", "-finetuned")} <= set(VITS)
    assert sum("-step" in name for name in VITS) == 6 and "vit/seed0-step0000" in VITS
    others = [zoo.card(name) for name in NAMES if name not in VITS]
    assert len(others) >= 8 and len({c["architecture"] for c in others}) >= 8
    assert set(zoo.RECIPES) <= set(NAMES)


def test_files_are_flat_complete_and_small():
    files = {f.name for f in zoo.ASSETS.iterdir()}
    assert files == {name.replace("/", "-") + end for name in NAMES for end in (".safetensors", ".json")}
    assert sum(f.stat().st_size for f in zoo.ASSETS.iterdir()) <= 12_000_000


def test_cards_are_read_without_torch():
    code = ("import sys\nfrom analysis.models import zoo, weights\nm = [zoo.load(n) for n in zoo.names()] + [zoo.load_raw()]\n"
            "bad = {'torch', 'sklearn', 'matplotlib', 'scipy'} & set(sys.modules)\nassert m and not bad, bad")
    subprocess.run([sys.executable, "-c", code], check=True, cwd=zoo.ASSETS.parents[1])


@pytest.mark.parametrize("name", NAMES)
def test_a_card_tells_the_truth(name):
    """Widths, parameters, classes, and the accuracy of the stored weights, measured again."""
    card, model = zoo.card(name), zoo.load(name)
    pictures = digits.make_characters(n=zoo.HELD_OUT, characters=card["classes"])
    rows, logits = model.run(pictures.items[:4])
    assert {k: v.shape for k, v in rows.items()} == {k: (4, w) for k, w in card["widths"].items()}
    assert all(np.ptp(x, axis=0).max() > 0 for x in rows.values())  # no layer is the same for every picture
    assert list(rows) == list(card["layers"]) and logits.shape == (4, len(card["classes"])) and np.isfinite(logits).all()
    assert card["parameters"] == sum(p.numel() for p in model.load()[0].parameters())
    assert card["id"] == name and model.source == f"builtin:{name}" and model.classes == tuple(card["classes"])

    told = card["source_accuracy"]
    assert told["n"] == zoo.HELD_OUT and told["low"] <= told["value"] <= told["high"]
    assert abs(zoo.measure(model, pictures.items, pictures.labels)["value"] - told["value"]) <= 0.005


@pytest.mark.parametrize("seed", range(3))
def test_the_demo_backbones_learned_their_tasks(seed):
    assert zoo.card(f"vit/seed{seed}")["source_accuracy"]["value"] > 0.9
    card, model = zoo.card(f"vit/seed{seed}-finetuned"), zoo.load(f"vit/seed{seed}-finetuned")
    hand = digits.make("handwritten")
    held = ~zoo.trained_rows(len(hand))
    assert card["split"]["held_out_rows"] == held.sum() == 599 and card["classes"] == list(hand.classes)
    measured = zoo.measure(model, hand.items[held], hand.labels[held])
    assert abs(measured["value"] - card["target_accuracy"]["value"]) <= 0.005 and measured["value"] > 0.95


def test_training_made_progress():
    steps = sorted(name for name in VITS if "-step" in name)
    values = [zoo.card(name)["source_accuracy"]["value"] for name in [*steps, "vit/seed0"]]
    assert values[0] < 0.1 and values == sorted(values)


@pytest.mark.parametrize("name", VITS)
def test_a_vit_has_thirteen_states_of_one_width(name):
    card = zoo.card(name)
    assert list(card["layers"]) == ["embedding", *(f"block {i}" for i in range(1, 13))]
    assert set(card["widths"].values()) == {64} and card["pooling"] == "cls"


@pytest.mark.parametrize("name", [n for n in NAMES if "-step" not in n])
def test_an_item_is_seen_alone(name):
    """A row does not depend on the other items of its batch, and pictures of any size are taken."""
    model, pictures = zoo.load(name), digits.make("printed", n=6).items
    together, logits = model.run(pictures)
    for i in (0, 5):
        alone, own = model.run(pictures[i:i + 1])
        np.testing.assert_allclose(own[0], logits[i], atol=1e-4)
        for layer in together:
            np.testing.assert_allclose(alone[layer][0], together[layer][i], atol=1e-4)
    large = np.repeat(np.repeat(pictures, 3, axis=1), 3, axis=2)
    assert np.corrcoef(model.run(large)[1].ravel(), logits.ravel())[0, 1] > 0.95


def test_digests_differ_and_follow_the_weights():
    models = [zoo.load(name) for name in NAMES]
    assert len({m.digest for m in models}) == len(NAMES) == len({digest_file(zoo.path(n, ".safetensors")) for n in NAMES})
    assert zoo.load("builtin:vit/seed0").digest == zoo.load("vit/seed0").digest


def test_recipes_are_told_whole():
    for name in NAMES:
        card = json.loads(zoo.path(name, ".json").read_text())
        assert {"seed", "steps", "batch", "rate", "data", "augmentation", "first_data_seed"} <= set(card["recipe"])
        assert card["recipe"]["first_data_seed"] >= 1000  # seed 0 is what people look at
        assert card["step"] <= card["recipe"]["steps"] and card["training_seconds"] >= 0
        assert card["train_accuracy"] is not None or card["step"] == 0


def test_the_data_itself():
    pictures = digits.make("printed", n=3).items
    rows, logits = zoo.load_raw().run(pictures)
    np.testing.assert_allclose(rows["input"], pictures.reshape(3, -1) / 255, atol=1e-6)
    assert logits is None
    table = np.arange(6, dtype=np.float32).reshape(3, 2)
    assert (zoo.load("raw").run(table)[0]["input"] == table).all()
    assert zoo.load_raw().reads == ("image", "array")


def test_an_unknown_model_is_told():
    with pytest.raises(InputError, match="vit/seed9.*vit/seed0"):
        zoo.load("vit/seed9")
    with pytest.raises(InputError):
        zoo.card("../digits/glyphs")
