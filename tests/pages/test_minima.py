"""The minima page: whether growing pays, the valley of each network, and what cannot be grown; live runs in miniature."""

import time

import pytest

from analysis import Representation, load_dataset
from analysis.studies import growth
from tests.pages.test_frame import opened, said
from tests.pages.test_map import texts
from tests.pages.test_persistence import figure, rested, taken

PAGE = "growth/minima.py"
TINY = {"trained": 60, "branches": 3, "steps": 20, "lengths": 2, "train": 20, "seeds": 2, "points": 5, "directions": 3, "items": 60, "limit": 200,
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
        assert figure(at, f"minima-{key}")["data"] and not at.exception and f"minima-{key}" in at.session_state["_record"].tables


def test_a_run_that_was_stopped_says_so_and_makes_no_claims(small):
    at = opened(PAGE, **{**small, "minima_train": "5000"})
    at.button(key="minima-grow-start").click().run()
    until = time.monotonic() + 60
    while "Still measuring: " not in told(at) and time.monotonic() < until:
        time.sleep(0.1)
        at.run()
    assert "Still measuring: " in told(at)
    rested(at.button(key="minima-grow-cancel").click().run())
    assert "Stopped after " in told(at) and "Still measuring" not in told(at) and "too early to say anything" in told(at)


def test_a_run_of_less_than_one_part_in_twenty_seconds_tells_no_rate():
    from types import SimpleNamespace

    from pages.parts import job
    run = SimpleNamespace(cancelled=False, note="all ×2: 5 branches", done=1, total=17, rate=0.03, remaining=500)
    assert job._told(run) == "all ×2: 5 branches · 1 of 17 · 8 min left"
    assert "0.5 a second" in job._told(SimpleNamespace(**{**vars(run), "rate": 0.5}))


def test_many_warnings_are_folded():
    from dataclasses import replace
    from unittest.mock import patch
    many = replace(growth.shipped("mlp-0"), warnings=tuple(f"warning {i}" for i in range(9)))
    with patch.object(growth, "shipped", lambda name: many):
        from pages.parts.minima import base
        base._shipped.clear()
        at = opened(PAGE)
        base._shipped.clear()
    assert any(folded.label == "9 warnings" for folded in at.expander) and "warning 8" in told(at)


def test_a_base_that_is_not_trained_is_a_warning(small):
    at = rested(opened(PAGE, **{**small, "minima_trained": "0"}).button(key="minima-grow-start").click().run())
    assert any("The base is not trained" in warning.value for warning in at.warning)


def test_settings_of_the_grid_and_of_the_gain_are_in_the_address(store):
    given = {"train": "123", "seeds": "7", "rise": "0.05", "repeats": ["1", "3"], "crossed": ["×3"]}
    at = opened(PAGE, minima_numbers="Small run, here", **{f"minima_{name}": value for name, value in given.items()})
    assert not at.exception and at.multiselect(key="minima_repeats").value == [1, 3] and at.multiselect(key="minima_crossed").value == [3.0]
    assert [at.number_input(key=f"minima_{name}").value for name in ("train", "seeds", "rise")] == [123, 7, 0.05]
    at.selectbox(key="minima_base").set_value("Small convolutions, trained here").run()
    assert at.number_input(key="minima_train").value == growth.SHORT_CONV["train"] and at.multiselect(key="minima_repeats").value == [1]


def test_the_answer_leads_with_a_plain_sentence_and_gives_the_published_claim():
    at = opened(PAGE)
    lead, evidence = at.markdown[0].value, at.markdown[1].value
    assert growth.shipped("mlp-0").lead() in lead.replace("*", "") and "(" not in lead.split("**")[1]
    assert "At equal parameters, which is what is published" in evidence and "minima-within" in at.session_state["_record"].tables


def test_a_click_on_a_candidate_looks_at_its_valley(small):
    at = rested(opened(PAGE, **small).button(key="minima-grow-start").click().run())
    taken(at, "minima-against", (1,))
    at.segmented_control(key="minima_view").set_value("Valley").run()
    rested(at)
    assert at.selectbox(key="minima_candidate").value != "base" and "The function is kept to" in told(at)
    assert {f"minima-{key}" for key in ("barriers", "between", "plane", "rose", "leaving", "losses")} <= set(at.session_state["_record"].tables)
    assert "our estimators" in told(at) and "and an accuracy of" in told(at)
    assert all(figure(at, f"minima-{key}")["data"] for key in ("barriers", "between", "rose", "leaving", "losses"))
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
    assert "Letters, where there is room: equal numbers of parameters" in told(at) and "on digits/handwritten" in told(at) and "one draw" in told(at)
    at.segmented_control(key="minima_view").set_value("Function check").run()
    assert any(label.startswith("layer 2 ×2") for label in figure(at, "minima-check")["layout"]["yaxis"]["ticktext"])
