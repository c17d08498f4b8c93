"""The load page: previews at once, extraction, and what people bring along, good and bad."""

import io
import pickle
import time
import zipfile

import numpy as np
import pytest

from analysis import Dataset, Representation
from analysis.digest import digest
from analysis.store import KINDS
from tests.pages.test_frame import opened, said, workspace

CIRCLE = {"model": "raw", "target": "shapes/circle", "sources": "shapes/two-circles"}


def upload(at, key: str, name: str, content: bytes):
    uploader = next(u for u in at.file_uploader if u.key.startswith(key))
    uploader.upload(name, content, "application/octet-stream").run()
    assert not at.exception, at.exception[0].message
    return at


def part(widgets, slot: str, role: str):
    """A widget of what was brought along; its key also names the content."""
    return next(w for w in widgets if w.key and w.key.startswith(f"{slot}-") and w.key.endswith(f"-{role}"))


def table(rows, *header) -> bytes:
    return "\n".join(",".join(map(str, row)) for row in [header, *rows]).encode()


def nothing_stored(store) -> bool:
    return not any(store.entries(kind) for kind in KINDS) and not [p for p in store.folder.rglob("*") if p.is_file()]


def texts(at) -> str:
    return " ".join([*(m.value for m in at.markdown), *(c.value for c in at.caption)]).replace("\u202f", " ")


def npz(**arrays) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


# what is shown at once

def test_the_default_workspace_is_shown_before_anything_is_extracted(store):
    at = opened()
    assert at.metric[0].value == "13" and at.metric[2].label == "Source accuracy"
    assert len(at.get("image")) == 2 and len(at.get("plotly_chart")) == 2
    assert "1 797 items · images of 32×32 · 10 classes" in texts(at)
    assert at.button(key="extract-start").label.replace("\u202f", " ") == "Extract 2 797 items"
    assert "95% interval" in texts(at) and nothing_stored(store)


def test_a_preview_imports_nothing_heavy():
    import subprocess
    import sys
    heavy = ("torch", "transformers", "umap", "sklearn", "ripser", "persim", "matplotlib", "scipy.stats")
    code = f"import sys; from tests.pages.test_frame import opened; opened(); print([m for m in {heavy} if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert ran.stdout.strip().endswith("[]"), ran.stdout + ran.stderr[-2000:]


def test_texts_and_arrays_have_previews_too():
    at = opened(model="raw", target="shapes/torus", sources="reviews/film")
    assert "rows of 3 columns" in texts(at) and "texts of" in texts(at) and len(at.table) == 1


def test_a_sheet_shows_each_class_in_columns_of_its_own():
    from analysis.figures.preview import pick, sheet
    pictures = np.arange(1, 8, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 6, 3), np.uint8)
    data = Dataset(pictures, [0, 1, 0, 1, 0, 1, 0])
    assert pick(data, columns=2, rows=4).tolist() == [[0, 1], [2, 3], [4, 5], [6, -1]]
    assert pick(data, columns=4, rows=4).tolist() == [[0, 2, 1, 3], [4, 6, 5, -1]]
    drawn = sheet(data, columns=2, rows=4, gap=1)
    assert drawn.shape == (4 * 5 - 1, 2 * 7 - 1, 4)
    assert (drawn[5:9, 7:13, :3] == 4).all() and (drawn[15:, 7:, 3] == 0).all() and (drawn[4, :, 3] == 0).all()
    assert pick(Dataset(pictures), columns=5, rows=4)[:2].tolist() == [[0, 1, 2, 3, 4], [5, 6, -1, -1, -1]]


def doors(at) -> bool:
    return {"Look at a demo", "Load your own", "Take a lesson"} <= {s.value for s in at.subheader}


def ways(at) -> set[str]:
    """Pages that links lead to."""
    return {link.proto.page for link in at.get("page_link")}


def test_a_first_start_offers_three_doors_until_the_demo_is_there(store):
    from analysis import extraction
    from pages.parts.doors import DEMO
    from pages.parts.workspace import get_dataset, get_model
    assert ways(opened()) == {"lessons"}
    for source in DEMO.datasets:
        assert doors(opened())  # a lesson leaves one of the two
        store.put_representation(Representation({"a": np.zeros((4, 2), np.float32)}), key=extraction.key(get_model(DEMO.model), get_dataset(source)),
                                 facts={"brought": False})
    at = opened()
    assert not doors(at) and "map" in ways(at)


def test_who_brought_something_needs_no_doors(store):
    store.put_dataset(Dataset(np.arange(12.0).reshape(6, 2), [0, 1] * 3, name="mine"))
    assert not doors(opened())


def test_the_door_to_the_demo_starts_it_whatever_the_sidebar_says():
    from analysis import engine
    at = opened(**CIRCLE)
    at.button(key="door-demo-start").click().run()
    assert at.selectbox(key="model").value == "builtin:vit/seed0" and any(job.alive or job.state == "done" for job in engine.default().jobs())
    assert not at.exception
    for job in engine.default().jobs():
        job.cancel()


# extraction

def test_what_was_asked_for_is_extracted_and_the_map_is_offered(store):
    at = opened(**CIRCLE)
    at.button(key="extract-start").click().run()
    until = time.monotonic() + 60
    while "Ready:" not in texts(at) and time.monotonic() < until:
        time.sleep(0.2)
        at.run()
    assert "Ready: 1 layer of width 2 for 1 200 items." in texts(at) and not at.error
    assert {e.facts["domain"] for e in store.entries("representations")} == {"circle", "two-circles"}
    from pages.parts.workspace import get_representation
    assert get_representation("builtin:raw", "builtin:shapes/circle").layers["input"].shape == (600, 2)


def test_a_model_that_does_not_fit_says_so_and_offers_one_click_out():
    at = opened(target="shapes/circle", sources="digits/printed")
    assert "reads images" in said(at)
    at.button(key="extract-target-builtin:shapes/circle-model").click().run()
    assert workspace(at).model == "builtin:raw" and "reads images" not in said(at)


# datasets

def test_a_table_becomes_one_dataset_a_domain_and_the_workspace(store):
    rows = [(f"{thing} was {word}", "bad" if word == "poor" else "good", domain) for domain in ("bus", "train")
            for thing in ("seat", "ride") for word in ("poor", "fine")]
    at = upload(opened(), "dataset-file", "rides.csv", table(rows, "text", "label", "domain"))
    assert part(at.selectbox, "dataset", "text").value == "text" and part(at.selectbox, "dataset", "label").value == "label"
    assert nothing_stored(store)
    part(at.text_input, "dataset", "name").set_value("my rides").run()
    part(at.button, "dataset", "keep").click().run()
    here = workspace(at)
    kept = [store.dataset(s.removeprefix("store:")) for s in here.datasets]
    assert [(d.name, d.domain, d.classes, len(d)) for d in kept] == [("my rides, bus", "bus", ("bad", "good"), 4),
                                                                     ("my rides, train", "train", ("bad", "good"), 4)]
    assert not next(u for u in at.file_uploader if u.key.startswith("dataset-file")).value


def test_a_zip_of_images_takes_its_classes_from_folders(store):
    from PIL import Image
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for i in range(8):
            picture = io.BytesIO()
            Image.fromarray(np.full((9, 9, 3), 20 * i, np.uint8)).save(picture, "PNG")
            archive.writestr(f"{'dark' if i < 4 else 'light'}/{i}.png", picture.getvalue())
    at = upload(opened(), "dataset-file", "shades.zip", file.getvalue())
    part(at.button, "dataset", "keep").click().run()
    kept = store.dataset(workspace(at).target.removeprefix("store:"))
    assert kept.items.shape == (8, 9, 9, 3) and kept.classes == ("dark", "light")


def test_rows_with_nan_are_counted_and_may_be_left_out(store):
    rows = [(i / 7, "nan" if i in (3, 5) else i, "a" if i % 2 else "b") for i in range(12)]
    at = upload(opened(), "dataset-file", "numbers.csv", table(rows, "p", "q", "class"))
    assert "2 of 12 rows (rows 3, 5" in said(at) and nothing_stored(store)
    part(at.checkbox, "dataset", "drop").check().run()
    part(at.button, "dataset", "keep").click().run()
    assert len(store.dataset(workspace(at).target.removeprefix("store:"))) == 10


@pytest.mark.parametrize("name, content, expected", [
    ("empty.csv", b"", "empty.csv is empty"),
    ("ragged.csv", b"a,b,label\n1,2,x\n3,4\n5,6,y\n", "line 3 has 2"),
    ("twice.csv", b"a,a,label\n1,2,x\n3,4,y\n", "more than one column named 'a'"),
    ("one.csv", b"a,label\n1,x\n", "1 item"),
    ("pickled.npz", pickle.dumps({"x": 1}), "pickle"),
    ("weights.pt", b"PK\x03\x04", "can run code"),
    ("really.csv", b"\x89PNG\r\n\x1a\n" + b"0" * 50, "PNG"),
    ("bare.zip", b"PK\x05\x06" + b"\0" * 18, "bare.zip"),
])
def test_what_cannot_be_used_is_refused_with_a_reason_and_nothing_is_stored(store, name, content, expected):
    at = upload(opened(**CIRCLE), "dataset-file", name, content)
    assert expected in said(at).replace("\\", "") and len(at.error) == 1 and at.error[0].value
    assert not [b for b in at.button if b.key and b.key.endswith("-keep")] and nothing_stored(store)


def test_a_file_above_the_limit_is_refused(store, monkeypatch):
    from analysis.data import guard
    monkeypatch.setattr(guard.check_file, "__kwdefaults__", {"limit": 1000})
    at = upload(opened(**CIRCLE), "dataset-file", "large.csv", table([(i, "ab"[i % 2]) for i in range(500)], "x", "label"))
    assert "the limit is" in said(at) and nothing_stored(store)


# what lies elsewhere

def test_a_folder_on_this_machine_is_loaded_by_its_path(store, tmp_path):
    path = tmp_path / "points.csv"
    path.write_bytes(table([(i, i * i, "ab"[i % 2]) for i in range(9)], "x", "y", "label"))
    at = opened(**CIRCLE)
    at.segmented_control(key="place-kind").set_value("Dataset").run()
    next(t for t in at.text_input if t.key.startswith("place")).set_value(str(path)).run()
    part(at.button, "place", "keep").click().run()
    assert len(store.dataset(workspace(at).target.removeprefix("store:"))) == 9


def test_a_hub_model_is_fetched_when_asked_for_and_failing_says_why(store):
    at = opened(**CIRCLE)
    next(t for t in at.text_input if t.key.startswith("place")).set_value("hf:nobody/nothing").run()
    assert "not on this machine yet" in texts(at) and not at.error
    at.button(key="place-model-fetch").click().run()
    end = time.monotonic() + 30
    while not at.error and time.monotonic() < end:
        time.sleep(0.3)
        at.run()
    assert "nobody/nothing" in said(at) and nothing_stored(store)
    assert not at.exception and at.button(key="place-model-fetch")  # to try again


@pytest.mark.parametrize("text", ["/no/such/folder", "vit"])
def test_a_model_that_is_not_there_gets_a_message(text):
    at = opened(**CIRCLE)
    next(t for t in at.text_input if t.key.startswith("place")).set_value(text).run()
    assert not at.exception and len(at.error) == 1 and at.error[0].value


# weights and representations

def test_own_weights_are_kept_and_become_the_model(store):
    from analysis.models import zoo
    weights = zoo.path("conv/narrow", ".safetensors").read_bytes()
    at = upload(opened(**CIRCLE), "weights-file", "mine.safetensors", weights)
    assert part(at.selectbox, "weights", "architecture").value == "conv-narrow" and "mine" not in said(at)
    part(at.selectbox, "weights", "architecture").set_value("vit").run()
    assert "does not fit" in said(at) and nothing_stored(store)
    part(at.selectbox, "weights", "architecture").set_value("conv-narrow").run()
    part(at.button, "weights", "keep").click().run()
    assert workspace(at).model.startswith("store:") and workspace(at).layer == "stage 4"
    assert store.entries("models")[0].facts["name"] == "mine"


def test_layers_are_put_in_order_and_kept(store):
    rng = np.random.default_rng(0)
    layers = {f"block{i}": rng.normal(size=(20, 3)).astype("f4") for i in (10, 2, 1)}
    at = upload(opened(), "arrays-file", "acts.npz", npz(**layers, labels=np.arange(20) % 4))
    assert part(at.multiselect, "arrays", "order").value == ["block1", "block2", "block10"]
    part(at.text_input, "arrays", "name").set_value("from elsewhere").run()
    part(at.button, "arrays", "keep").click().run()
    here = workspace(at)
    kept = store.representation(here.model.removeprefix("rep:"))
    assert list(kept.layers) == ["block1", "block2", "block10"] and len(kept.classes) == 4 and here.layer == "block10"
    assert at.selectbox(key="model").proto.raw_value.startswith("Arrays: from elsewhere")
    assert "Ready: 3 layers of width 3, made elsewhere." in texts(at)


def test_labels_may_come_in_a_file_of_their_own(store):
    x = np.random.default_rng(0).normal(size=(6, 2)).astype("f4")
    file = io.BytesIO()
    np.save(file, x)
    at = upload(opened(**CIRCLE), "arrays-file", "tensors.npy", file.getvalue())
    upload(at, "arrays-labels", "metadata.tsv", b"red\nblue\nred\nblue\nred\nblue\n")
    part(at.button, "arrays", "keep").click().run()
    assert store.representation(workspace(at).model.removeprefix("rep:")).classes == ("blue", "red")


# the store

def test_parts_of_results_are_counted_and_let_go_of_but_not_listed(store):
    from analysis.metrics.statistics import pearson
    store.put_result("ab", pearson([0, 1, 2], [0, 1, 3], resamples=0), {"unit": "a unit", "part": True})
    at = opened(**CIRCLE)
    assert "1 part of results" in texts(at) and not any("Kind" in d.value for d in at.dataframe)
    at.button(key="store-parts").click().run()
    assert not store.entries() and "part of results" not in texts(at) and not at.exception


def test_stored_things_are_listed_and_deleted_after_a_second_click(store):
    key = store.put_dataset(Dataset(np.arange(12.0).reshape(6, 2), [0, 1] * 3, name="mine", domain="here"))
    at = opened(**CIRCLE)
    listed = next(d for d in at.dataframe if "Kind" in d.value)
    assert listed.value["Name"].tolist() == ["mine"] and listed.value["Holds"].tolist() == ["6 items"]
    listed = digest([e.kind + e.key for e in store.entries()])[:8]
    at.session_state[f"store-table-{listed}"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    at.run()
    assert store.has("datasets", key)
    at.button(key="store-delete-sure").click().run()
    assert not store.has("datasets", key) and not at.exception
