"""The sensitivity page: what transforms do, what a model notices of them, and the experiments; live ones in miniature."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from analysis import Representation
from analysis.data.transforms import TRANSFORMS
from analysis.studies import invariance
from tests.pages.test_frame import opened, said
from tests.pages.test_map import decoded, texts
from tests.pages.test_persistence import figure, rested, taken

PAGE = "shape/sensitivity.py"
RAW = {"model": "raw", "sensitivity_pairs": "200"}
TINY = {  # each experiment in miniature
    "mismatch": {"sizes": (1, 2), "transforms": ("rotate", "hue"), "classes": 3, "targets": 3, "samples": 60, "steps": 3, "probed": 60, "tested": 60,
                 "seeds": 1},
    "importance": {"factors": ("class relation",), "transforms": ("rotate", "hue"), "size": 1, "classes": 3, "targets": 3, "samples": 60, "steps": 3,
                   "probed": 60, "tested": 60, "seeds": 1},
    "harm": {"classes": 3, "samples": 60, "steps": 3, "probed": 60, "tested": 60, "n": 20, "seeds": 1},
    "carried": {"transforms": ("rotate", "hue"), "classes": 3, "samples": 60, "steps": 3, "tested": 60, "n": 20, "seeds": 1}}


def told(at):
    return texts(at).replace("*", "")


def zipped(**pictures) -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        for name, picture in pictures.items():
            file = io.BytesIO()
            Image.fromarray(picture).save(file, "PNG")
            archive.writestr(f"{name}.png", file.getvalue())
    return kept.getvalue()


def cutout(seed: int, channels: int = 4) -> np.ndarray:
    picture = np.random.default_rng(seed).integers(0, 256, (32, 32, channels), np.uint8)
    if channels == 4:
        picture[:8, :, 3] = 0
    return picture


def test_every_transform_has_its_sensitivity_and_the_pairs_behind_it():
    at = rested(opened(PAGE, **RAW))
    assert at.title[0].value == "Sensitivity" and "1 is what random pairs give" in told(at) and "200 pairs of each transform, seed 0" in told(at)
    assert "No range changed" in told(at)
    assert sum(len(decoded(t["x"])) for t in figure(at, "sensitivity-bars")["data"]) == len(TRANSFORMS)
    assert figure(at, "sensitivity-distances")["data"] and "Noticed most" in told(at) and "Noticed least" in told(at)
    place = list(TRANSFORMS).index("invert")
    taken(at, "sensitivity-bars", (0, place, 0))
    assert at.selectbox(key="sensitivity_transform").value == "invert" and "invert, input" in told(at)


def test_models_stand_beside_one_another():
    at = rested(opened(PAGE, **RAW, sensitivity_beside="conv/narrow"))
    assert "conv/narrow" in told(at) and len({t.get("name") for t in figure(at, "sensitivity-bars")["data"]}) >= 2
    at.segmented_control(key="sensitivity_view").set_value("Layers").run()
    rested(at)
    assert figure(at, "sensitivity-layers")["data"] and not at.exception


def test_a_range_is_in_the_address_and_comes_back():
    at = opened(PAGE, **RAW, sensitivity_view="Transforms", sensitivity_rotate_angle=["0", "0"])
    assert at.slider(key="sensitivity_rotate_angle").value == (0, 0) and len(at.slider) >= len(TRANSFORMS)
    assert len(at.get("image")) == len(TRANSFORMS)
    at.segmented_control(key="sensitivity_view").set_value("Sensitivity").run()
    rested(at)
    assert "Ranges changed: rotate" in told(at) and "rotate does nothing to these items" in told(at)
    at.button(key="sensitivity-reset").click().run()
    rested(at)
    assert "No range changed" in told(at) and at.slider(key="sensitivity_rotate_angle").value == (0, 360)


def test_the_items_of_the_target_can_be_transformed_and_the_most_noticed_selected():
    at = rested(opened(PAGE, **RAW, target="digits/printed", sensitivity_on="digits/printed", sensitivity_transform="invert"))
    assert "Digits, printed" in told(at)
    at.button(key="sensitivity-select").click().run()
    assert "10 items selected" in told(at) and "Noticed most under invert" in told(at)


def test_texts_have_transforms_of_their_own():
    at = opened(PAGE, model="text/minilm", target="reviews/film", sensitivity_view="Transforms")
    if any("text/minilm" in e.value for e in at.error):
        pytest.skip("the text model is not installed")
    assert "punctuation" in told(at) and not at.get("image") and not at.exception


def test_own_cut_outs_take_the_place_of_ours(store):
    at = opened(PAGE, **RAW, sensitivity_view="Transforms")
    at.file_uploader(key="sensitivity-zip").upload("mine.zip", zipped(tree=cutout(0), house=cutout(1)), "application/zip").run()
    assert at.selectbox(key="sensitivity_on").value.startswith("cut-outs · ") and not at.error and not at.exception
    kept = store.entries("results")
    assert any(entry.brought and "mine.zip" in entry.facts["unit"] for entry in kept)


def test_an_experiment_can_be_run_on_own_cut_outs_with_as_many_classes_as_they_have(store, monkeypatch):
    from analysis.data import scenes
    made = scenes.from_zip(zipped(**{f"thing{i}": cutout(i) for i in range(7)}), "mine.zip")
    store.put_result(made.digest, made, {"brought": True, "unit": "cut-outs of mine.zip"})
    label = f"cut-outs · mine · {made.digest[:8]}"
    monkeypatch.setitem(invariance.QUICK, "mismatch", {**invariance.QUICK["mismatch"], **TINY["mismatch"], "classes": 12, "targets": 12})
    at = opened(PAGE, **RAW, sensitivity_view="Mismatch", sensitivity_numbers="Small run, here", sensitivity_objects=label)
    assert at.selectbox(key="sensitivity_objects").value == label and "on your cut-outs" in told(at)
    rested(at.button(key="sensitivity-mismatch-S-start").click().run())
    assert "3 classes" in told(at) and at.get("plotly_chart") and not at.exception and not at.error
    assert "it stands beside the full runs" in told(at) and "published" not in str(figure(at, "sensitivity-largest")["data"])


@pytest.mark.parametrize("given, words", [(zipped(tree=cutout(0, 3), house=cutout(1, 3)), "alpha"), (zipped(tree=cutout(0)), "two"), (b"nothing", "zip")])
def test_cut_outs_that_cannot_be_used_are_refused_with_the_reason(given, words, store):
    at = opened(PAGE, **RAW, sensitivity_view="Transforms")
    at.file_uploader(key="sensitivity-zip").upload("mine.zip", given, "application/zip").run()
    assert words in said(at).lower() and not at.exception and not any(entry.brought for entry in store.entries("results"))


def test_a_link_to_cut_outs_that_are_not_here_says_so():
    at = opened(PAGE, **RAW, sensitivity_view="Transforms", sensitivity_on="cut-outs · ffffffff")
    assert "is not here: load the same zip" in told(at) and "These are Transforms-2D" in told(at) and not at.exception


def test_what_cannot_be_transformed_is_refused_with_the_reason(store):
    made = Representation({"a": np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)}, dataset="d" * 32)
    at = opened(PAGE, model="rep:" + store.put_representation(made, facts={"name": "mine"}))
    assert "cannot be run on transformed items" in said(at)
    at = opened(PAGE, model="text/minilm", target="digits/printed")
    assert "Choose a model of pictures" in said(at) or "not" in said(at)


@pytest.mark.parametrize("name, view, question", [("carried", "Carried over", "Does it ignore it"), ("mismatch", "Mismatch", "too much invariance"),
                                                  ("importance", "Importance", "matters more"), ("harm", "Harm", "learned to ignore something")])
def test_an_experiment_is_shipped_and_can_be_run_here(name, view, question, monkeypatch):
    at = opened(PAGE, **RAW, sensitivity_view=view)
    assert "Our full run of" in told(at) and "95 % intervals over seeds" in told(at).replace("\u202f", " ") and at.get("plotly_chart") and not at.exception
    monkeypatch.setitem(invariance.QUICK, name, {**invariance.QUICK[name], **TINY[name]})
    at.segmented_control(key="sensitivity_numbers").set_value("Small run, here").run()
    assert question in told(at)
    rested(at.button(key=f"sensitivity-{name}-S-start").click().run())
    assert "Live, small run." in told(at) and "held-out" in told(at) and at.get("plotly_chart") and not at.exception


def test_what_carried_over_is_a_table_with_the_published_beside():
    at = opened(PAGE, **RAW, sensitivity_view="Carried over")
    from analysis import published
    from pages.parts.sensitivity.experiments import _table
    theirs = {kind: dict(zip(published.INVARIANCE_CARRIED_DATA, row, strict=True)) for kind, row in published.INVARIANCE_CARRIED["ViT"].items()}
    table = _table(invariance.shipped("carried"), theirs).set_index(["trained with", "on"])
    assert table.loc[("same", "new objects"), "published"] == 0.26 and 0 < table.loc[("same", "same objects"), "ours"] < 0.2
    assert np.isnan(table.loc[("none", "handwritten digits"), "published"]) and np.isnan(table.loc[("none", "CIFAR-10"), "ours"]) and not at.exception


def test_harm_is_turned_by_two_sliders(monkeypatch):
    monkeypatch.setitem(invariance.QUICK, "harm", {**invariance.QUICK["harm"], **TINY["harm"]})
    at = opened(PAGE, **RAW, sensitivity_view="Harm", sensitivity_numbers="Small run, here", sensitivity_correlation="0.5", sensitivity_availability="0.7")
    rested(at.button(key="sensitivity-harm-S-start").click().run())
    assert "0.5" in told(at) and "0.7" in told(at) and not at.exception
