"""The minima page: whether growing pays, the valley of each network, and what cannot be grown; live runs in miniature."""

import pytest

from analysis import Representation, load_dataset
from analysis.studies import growth
from tests.pages.test_frame import opened, said
from tests.pages.test_map import texts
from tests.pages.test_persistence import figure, rested, taken

PAGE = "growth/minima.py"
TINY = {"trained": 60, "branches": 3, "steps": 20, "looks": 2, "train": 20, "seeds": 2, "points": 5, "directions": 3, "items": 60, "limit": 200,
        "widths": (2.0,), "proxies": ("params", "synflow"), "proxy_items": 16}


@pytest.fixture
def small(store, monkeypatch):
    """Printed digits, and both presets in miniature."""
    import numpy as np
    monkeypatch.setitem(growth.QUICK, "grow", {**growth.QUICK["grow"], **TINY})
    data = load_dataset("builtin:digits/printed?n=200")
    assert np.bincount(data.labels).min() > 2
    return {"target": "store:" + store.put_dataset(data), "minima_numbers": "Small run, here", "minima_trained": "60", "minima_branches": "3",
            "minima_steps": "20"}


def told(at):
    return texts(at).replace("*", "")


def test_ways_to_grow_are_ranked_beside_what_they_gained(small):
    at = opened(PAGE, **small)
    assert at.title[0].value == "Minima" and "Would a larger network do better" in told(at)
    rested(at.button(key="minima-grow-start").click().run())
    assert "keep the logits of the base" in told(at) and "The estimators are ours" in told(at) and "Live, small run." in told(at)
    assert figure(at, "minima-against")["data"] and figure(at, "minima-within")["data"]
    for view, key in (("Scores", "board"), ("Robustness", "robust"), ("Cost", "cost"), ("Function check", "check")):
        at.segmented_control(key="minima_view").set_value(view).run()
        assert figure(at, f"minima-{key}")["data"] and not at.exception


def test_a_click_on_a_candidate_looks_at_its_valley(small):
    at = rested(opened(PAGE, **small).button(key="minima-grow-start").click().run())
    taken(at, "minima-against", (1,))
    at.segmented_control(key="minima_view").set_value("Valley").run()
    rested(at)
    assert at.selectbox(key="minima_candidate").value != "base" and "The function is kept to" in told(at)
    assert "our estimators" in told(at) and all(figure(at, f"minima-{key}")["data"] for key in ("barriers", "between", "rose", "leaving", "losses"))
    whole = told(at)
    at.slider(key="minima_first").set_value(2).run()
    assert told(at) != whole and not at.exception


@pytest.mark.parametrize("given, words", [({"model": "recurrent/plain"}, "grow"), ({"model": "raw"}, "head")])
def test_a_model_that_cannot_be_grown_is_told(small, given, words):
    at = opened(PAGE, **{**small, **given}, minima_base="The model of the sidebar")
    rested(at.button(key="minima-grow-start").click().run())
    assert words in said(at) and not at.exception


def test_data_without_labels_or_with_texts_are_told(small, store):
    from dataclasses import replace
    bare = store.put_dataset(replace(load_dataset("builtin:digits/printed?n=100"), labels=None, classes=()))
    for target, words in ((f"store:{bare}", "no labels"), ("reviews/film", "texts")):
        at = opened(PAGE, **{**small, "target": target})
        rested(at.button(key="minima-grow-start").click().run())
        assert words in said(at) and not at.exception


def test_our_full_runs_are_shipped_with_their_date():
    at = opened(PAGE)
    assert "Our full run of" in told(at) and "python -m analysis.studies.growth mlp-0" in told(at) and figure(at, "minima-against")["data"]
    assert "16 ways" in told(at) or "ways to grow" in told(at)


def test_a_representation_made_elsewhere_leaves_our_runs_to_look_at(store):
    import numpy as np
    made = Representation({"a": np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)}, dataset="d" * 32)
    at = opened(PAGE, model="rep:" + store.put_representation(made, facts={"name": "mine"}), minima_numbers="Small run, here")
    assert not at.exception


def test_a_link_opens_with_the_verdict_of_its_size_in_every_view():
    for view in ("Does it pay?", "Scores"):
        at = opened(PAGE, minima_metric="Radius", minima_view=view)
        spoken = at.markdown[0].value
        assert "adius" in spoken and "istance" not in spoken


def test_another_base_begins_with_its_own_settings(store):
    at = opened(PAGE, minima_numbers="Small run, here", minima_width="9", minima_trained="60")
    assert at.number_input(key="minima_width").value == 9 and at.number_input(key="minima_trained").value == 60
    small = at.multiselect(key="minima_widths").value
    at.segmented_control(key="minima_numbers").set_value("Full run, here").run()
    assert at.number_input(key="minima_width").value == 4 and at.number_input(key="minima_trained").value == 1000
    assert at.multiselect(key="minima_widths").value == list(growth.FULL["mlp-0"][1]["widths"]) != small
    at.selectbox(key="minima_base").set_value("Small convolutions, trained here").run()
    assert at.number_input(key="minima_width").value == 2 and at.multiselect(key="minima_widths").value == list(growth.FULL["conv-0"][1]["widths"])
    assert "ten minutes" in told(at) and not at.exception


def test_what_a_chart_notes_and_the_names_of_layers_are_shown():
    at = opened(PAGE)
    assert "Letters: equal numbers of parameters" in told(at) and "on digits/handwritten" in told(at) and "one draw" in told(at)
    at.segmented_control(key="minima_view").set_value("Function check").run()
    assert any(label.startswith("layer 2 ×2") for label in figure(at, "minima-check")["layout"]["yaxis"]["ticktext"])
