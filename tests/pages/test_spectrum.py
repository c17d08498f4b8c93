"""The spectrum page: what it says of two representations, and how k, layers and items are chosen on it."""

import numpy as np
import pytest

from analysis import Representation
from tests.pages.test_frame import opened, said
from tests.pages.test_map import decoded, texts
from tests.pages.test_persistence import blobs, chart, few, figure, rested, taken  # noqa: F401

PAGE = "shape/spectrum.py"


@pytest.fixture
def put(store):
    """Stores layers under a name, on the items of one dataset; gives the address of the page on them."""
    def make(name, layers, labels=None, *, ids=(), dataset="d" * 32):
        made = Representation({k: np.asarray(v, np.float32) for k, v in layers.items()}, labels=labels, dataset=dataset, ids=ids)
        return {"model": "rep:" + store.put_representation(made, facts={"name": name})}
    return make


IDS = tuple(f"item-{i}" for i in range(90))


@pytest.fixture
def two(put):
    """A: three clusters, and a shapeless layer. B: the clusters turned and scaled, then their centres swapped, then independent noise."""
    x, labels = blobs(90, spread=0.5)
    rng = np.random.default_rng(5)
    turn = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    noise = rng.standard_normal((90, 5))
    put("other", {"copy": 3 * x @ turn, "noise": noise}, labels, ids=IDS)
    return put("mine", {"shapeless": rng.standard_normal((90, 5)), "clusters": x}, labels, ids=IDS)


def told(at):
    return texts(at).replace("*", "")


def test_nothing_extracted_yet_offers_to_do_it():
    at = opened(PAGE, model="raw", target="shapes/circle", sources="shapes/two-circles")
    assert at.title[0].value == "Spectrum" and not at.get("plotly_chart")
    at.button(key="spectrum-extract-start")


def test_a_turned_copy_agrees_at_every_scale(two):
    at = rested(opened(PAGE, **two, spectrum_with="other", spectrum_layer="copy"))
    assert "mine, clusters and other, copy agree on clusters (k ≈ 29: TAS 1.00" in told(at) and "neighbours (k = 10: 1.00" in told(at)
    assert "90 items matched by id" in texts(at) and "200 relabellings" in texts(at) and "200 bootstraps" in texts(at)
    names = {t["name"] for t in figure(at, "spectrum-curve")["data"]}
    assert {"null band: points relabelled", "floor: the least possible"} <= names
    scores = at.dataframe[0].value.set_index("score")["value"]
    assert scores["CKA, biased"] == pytest.approx(1, abs=1e-4) and scores["mutual kNN, k=10"] == 1


def test_independent_noise_agrees_no_more_than_chance(two):
    at = rested(opened(PAGE, **two, layer="shapeless", spectrum_with="other", spectrum_layer="noise"))
    assert "agree no more than chance on" in told(at)


def test_another_layer_of_the_same_model(two):
    at = rested(opened(PAGE, **two, spectrum_with="This model"))
    assert "mine, clusters and mine, shapeless" in told(at) and not said(at)


def test_k_moves_by_the_slider_and_by_a_click_on_the_curve(two):
    at = rested(opened(PAGE, **two, spectrum_with="other", spectrum_layer="copy"))
    assert at.select_slider(key="spectrum_k").value == 29
    states = at._tree.get_widget_states()
    state = states.widgets.add()
    state.id = chart(at, "spectrum-curve").proto.id
    state.string_value = '{"selection": {"box": [], "lasso": [], "points": [{"customdata": 12}], "point_indices": []}}'
    at._run(states)
    assert at.select_slider(key="spectrum_k").value == 12 and "TAS at k = 12" in set(at.dataframe[0].value["score"])
    at.select_slider(key="spectrum_k").set_value(5).run()
    assert "TAS at k = 5" in set(at.dataframe[0].value["score"])


def test_who_moved_lists_items_and_their_two_neighbourhoods(two, put):
    x, labels = blobs(90, spread=0.5)
    x[7] = -x[7] * 9  # one item goes elsewhere
    put("moved", {"last": x}, labels, ids=IDS)
    at = rested(opened(PAGE, **two, spectrum_with="moved", spectrum_layer="last", spectrum_view="Who moved?", spectrum_k="10"))
    stable, unstable, near_a, near_b = (f.value for f in at.dataframe)
    assert unstable["Id"][0] == "item-7" and (stable["Agreement"] > 0.9).all() and unstable["Agreement"].is_monotonic_increasing
    assert "The nearest neighbours of item-7" in told(at) and len(near_a) == len(near_b) == 10 and set(near_a["Id"]) != set(near_b["Id"])
    colours = [t for t in figure(at, "spectrum-map")["data"] if t["name"] == "agreement at k = 10"][0]["marker"]["color"]
    assert np.argmin(decoded(colours)) == 7


def test_each_class_has_its_curve(two):
    at = rested(opened(PAGE, **two, spectrum_with="other", spectrum_layer="copy", spectrum_view="By class"))
    assert "keeps its neighbourhoods best" in told(at)
    assert {"0", "1", "2"} <= {t["name"].split(" ")[0] for t in figure(at, "spectrum-classes")["data"]}


def test_without_labels_there_are_no_classes(put):
    x, _ = blobs(40)
    at = rested(opened(PAGE, **put("bare", {"a": x, "b": x * 2}), spectrum_view="By class"))
    assert any("no labels" in i.value for i in at.info) and "agree on neighbours" in told(at)


def test_every_layer_with_every_layer_and_a_click_compares_those_two(two):
    at = rested(opened(PAGE, **two, spectrum_with="other", spectrum_layer="copy", spectrum_view="Layers"))
    assert "clusters of A and copy of B are most alike: TAS 1.00" in told(at)
    taken(at, "spectrum-pairs", (0, 1))
    assert at.selectbox(key="spectrum_layer").value == "noise" and at.selectbox(key="layer").value == "shapeless" and not at.exception


def test_other_items_are_refused_with_the_reason(put):
    x, labels = blobs(40)
    where = put("first", {"a": x, "b": x * 2}, labels, ids=tuple(f"a{i}" for i in range(40)))
    put("second", {"a": x}, labels, ids=tuple(f"b{i}" for i in range(40)))
    at = rested(opened(PAGE, **where, spectrum_with="second"))
    assert "have no items in common" in said(at) and not at.exception


def test_items_in_another_order_or_in_part_are_matched_by_id(put):
    x, labels = blobs(40)
    where = put("first", {"a": x}, labels, ids=tuple(f"i{i}" for i in range(40)))
    put("second", {"a": x[::-1][:30]}, labels[::-1][:30], ids=tuple(f"i{i}" for i in range(40))[::-1][:30])
    at = rested(opened(PAGE, **where, spectrum_with="second"))
    assert "30 items matched by id (10 others on one side only, left out)" in texts(at) and "TAS 1.00" in told(at)


def test_a_layer_beside_itself_is_no_finding(put):
    x, labels = blobs(40)
    at = rested(opened(PAGE, **put("one", {"a": x}, labels)))
    assert "one and the same layer" in texts(at)


def test_k_is_kept_by_the_address_and_follows_the_data_until_chosen(two):
    at = rested(opened(PAGE, **two, spectrum_with="other", spectrum_layer="copy", spectrum_k="13"))
    assert at.select_slider(key="spectrum_k").value == 13
    assert rested(opened(PAGE, **two, spectrum_with="other", spectrum_layer="copy", spectrum_k="99999")).select_slider(key="spectrum_k").value == 88


def test_a_ticked_item_becomes_the_selection(two):
    at = rested(opened(PAGE, **two, spectrum_with="other", spectrum_layer="copy", spectrum_view="Who moved?", spectrum_k="10"))
    states = at._tree.get_widget_states()
    state = states.widgets.add()
    state.id = next(f.proto.id for f in at.dataframe if "spectrum-L-10" in f.proto.id)
    state.string_value = '{"selection": {"rows": [1], "columns": [], "cells": []}}'
    at._run(states)
    chosen = at.session_state["_selection"]
    assert chosen.origin == "Least stable at k = 10" and f"The nearest neighbours of {chosen.ids[0]}" in told(at)


@pytest.mark.parametrize("n", [2, 3, 4, 6])
def test_few_items_are_computed_or_refused_with_the_reason(put, n):
    x = np.random.default_rng(0).standard_normal((n, 3))
    at = rested(opened(PAGE, **put("tiny", {"a": x, "b": x[::-1]}, np.arange(n) % 2)))
    assert ("4" in said(at)) == (n < 4) and not at.exception


def test_a_constant_layer_is_computed_with_a_warning(put):
    x, labels = blobs(40)
    at = rested(opened(PAGE, **put("flat", {"constant": np.ones((40, 4)), "last": x}, labels), spectrum_with="This model", spectrum_layer="constant"))
    assert "%" in " ".join(c.value for c in at.caption if "warning" in c.value) and not said(at)


def test_the_playground_shows_what_cka_hides():
    at = opened(PAGE, spectrum_view="Playground", spectrum_cloud="Shuffled centres", spectrum_d="2000")
    assert "CKA says 0.99" in told(at) and "1.00 for neighbours" in told(at) and "1.00 for clusters (k = 124)" in told(at) and len(at.get("plotly_chart")) == 2
    at.segmented_control(key="spectrum_cloud").set_value("Noise").run()
    assert "over all k: chance" in told(at) and not at.exception


def test_seeds_before_and_after_fine_tuning(few):  # noqa: F811
    at = rested(opened(PAGE, **few, spectrum_view="Seeds"))
    at.button(key="spectrum-seeds-start").click().run()
    rested(at)
    assert "PT–PT" in told(at) and "FT–FT" in told(at) and figure(at, "spectrum-models") and figure(at, "spectrum-seeds-chart")


@pytest.mark.parametrize("odd", [{"spectrum_k": "x"}, {"spectrum_k": "99999"}, {"spectrum_with": "nobody"}, {"spectrum_layer": "none"}, {"spectrum_view": "?"},
                                 {"spectrum_metric": "?"}, {"spectrum_d": "0"}])
def test_an_odd_address_is_no_crash(two, odd):
    assert not rested(opened(PAGE, **two, **odd)).exception
