"""The frame: navigation, the sidebar, and how the address and the workspace follow each other."""

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from analysis import Dataset, Selection

FRAME = str(Path(__file__).resolve().parents[2] / "pages" / "frame.py")


def opened(page: str = "", **parameters) -> AppTest:
    at = AppTest.from_file(FRAME, default_timeout=60)
    if page:
        at.switch_page(page)
    for key, value in parameters.items():
        at.query_params[key] = value
    at.run()
    assert not at.exception, at.exception[0].message
    return at


def said(at: AppTest) -> str:
    return " ".join(f"{e.proto.title} {e.value}" for e in at.error)


def workspace(at: AppTest):
    return at.session_state["_workspace"]


def test_the_default_workspace_needs_no_parameters():
    at = opened()
    assert at.title[0].value == "Load" and not at.error
    here = workspace(at)
    assert (here.model, here.target, here.sources) == ("builtin:vit/seed0", "builtin:digits/handwritten", ("builtin:digits/printed",))
    assert here.layer == "block 12" and not at.query_params


@pytest.mark.parametrize("prefix", ["", "builtin:"])
def test_an_address_restores_the_workspace(prefix):
    at = opened(model=f"{prefix}conv/narrow", target=f"{prefix}digits/handwritten-mirrored",
                sources=[f"{prefix}digits/printed", f"{prefix}digits/seven-segment"], layer="stage 2")
    here = workspace(at)
    assert here.model == "builtin:conv/narrow" and here.target == "builtin:digits/handwritten-mirrored"
    assert here.sources == ("builtin:digits/printed", "builtin:digits/seven-segment") and here.layer == "stage 2"


def test_a_link_to_the_map_opens_the_map_with_its_workspace():
    at = opened("workspace/map.py", model="conv/narrow", layer="stage 2")
    assert at.title[0].value == "Map"
    assert workspace(at).model == "builtin:conv/narrow" and workspace(at).layer == "stage 2"


def test_another_model_keeps_a_layer_of_that_name_and_else_takes_its_last():
    at = opened(model="vit/seed0", layer="block 3")
    at.selectbox(key="model").set_value("builtin:vit/seed0-finetuned").run()
    assert workspace(at).layer == "block 3"
    at.selectbox(key="model").set_value("builtin:conv/narrow").run()
    assert workspace(at).layer == "stage 4" and not at.exception


def test_an_unknown_layer_in_the_address_is_said():
    at = opened(layer="block 99")
    assert any("block 99" in c.value for c in at.sidebar.caption) and workspace(at).layer == "block 12"


@pytest.mark.parametrize("page", ["", "workspace/map.py"])
@pytest.mark.parametrize("parameters, name", [
    ({"target": "letters · 3f2a91c0"}, "letters"), ({"sources": ["letters · 3f2a91c0"]}, "letters"), ({"model": "mine · 3f2a91c0"}, "mine"),
    ({"target": "store:" + "a" * 32}, "a" * 32), ({"model": "builtin:vit/none"}, "vit/none"), ({"model": "rep:" + "b" * 32}, "b" * 32)])
def test_what_is_missing_here_is_named_and_not_dropped(page, parameters, name):
    at = opened(page, **parameters)
    assert name in said(at).replace("\\", "")
    (kind, value), = parameters.items()
    shown = at.multiselect(key="sources").value if kind == "sources" else at.selectbox(key=kind).value
    assert name[:8] in str(shown)


def test_a_brought_dataset_is_found_by_its_label_under_any_name(store):
    key = store.put_dataset(Dataset(np.arange(12.0).reshape(6, 2), [0, 1] * 3, name="mine", domain="here"))
    for text in (f"mine · {key[:8]}", f"other · {key[:8]}", f"store:{key}"):
        assert workspace(opened(model="raw", target=text, sources="shapes/circle")).target == f"store:{key}"


def test_a_representation_made_elsewhere_stands_for_its_own_items(store):
    from analysis import Representation
    from pages.parts import workspace as part
    key = store.put_representation(Representation({"a": np.eye(6), "b": np.ones((6, 2))}, [0, 1] * 3, ids=tuple("uvwxyz")))
    at = opened(model=f"rep:{key}")
    here = workspace(at)
    assert here.model == here.target == f"rep:{key}" and here.sources == () and here.layer == "b"
    assert part.get_representation(here.model, here.target).ids == part.get_dataset(here.target).ids == tuple("uvwxyz")


def test_the_selection_is_shown_from_its_digest_and_cleared(store):
    chosen = Selection("d" * 32, ("1", "2", "3"), "lasso on the map")
    store.put_selection(chosen)
    at = opened(selection=chosen.digest)
    assert any("3 items selected" in m.value for m in at.sidebar.markdown)
    assert any("lasso on the map" in c.value for c in at.sidebar.caption)
    at.button(key="clear-selection").click().run()
    assert "selection" not in at.query_params and not any("selected" in m.value for m in at.sidebar.markdown)


def test_a_selection_that_is_not_stored_here_is_said():
    at = opened(selection="c" * 32)
    assert any("not found" in m.value for m in at.sidebar.markdown)


@pytest.mark.parametrize("parameters", [{"model": "~nosuchuser/x"}, {"model": "a" * 300}, {"target": "a" * 300}])
@pytest.mark.parametrize("page", ["", "workspace/map.py"])
def test_a_path_that_cannot_be_is_a_message(parameters, page):
    at = opened(page, **parameters)
    assert at.error and not at.exception


def test_a_cap_that_is_no_number_is_a_message(monkeypatch, tmp_path):
    monkeypatch.setenv("SEXTANT_STORE_CAP", "lots")
    monkeypatch.setenv("SEXTANT_STORE", str(tmp_path / "another"))
    assert "lots" in said(opened())


def test_only_representations_stand_beside_a_representation(store):
    from analysis import Representation
    key = store.put_representation(Representation({"a": np.random.default_rng(0).normal(size=(20, 3))}, labels=np.arange(20) % 2))
    at = opened("workspace/map.py", model=f"rep:{key}", sources="digits/printed")
    assert workspace(at).sources == () and any("digits/printed is left out" in c.value for c in at.caption)
    at = opened("workspace/map.py", model="raw", target=f"rep:{key}")
    assert workspace(at).target == "builtin:digits/handwritten"


def test_a_deleted_dataset_is_missed_at_once(store):
    data = Dataset(np.random.default_rng(0).normal(size=(20, 3)), np.arange(20) % 2, name="gone")
    key = store.put_dataset(data)
    assert not opened(model="raw", target=f"store:{key}").error
    store.delete("datasets", key)
    assert opened(model="raw", target=f"store:{key}").error
