"""The RADAR page: what it says of near and far sources, what it shows of them, its switches, and what it does with sources that cannot be measured."""

import numpy as np
import pytest

from analysis import Representation
from tests.pages.test_frame import opened, said, workspace
from tests.pages.test_map import texts
from tests.pages.test_persistence import chart, figure, rested, taken

PAGE = "transfer/radar.py"
QUICK = {"radar_pairs": "500", "radar_draws": "1000"}


@pytest.fixture
def put(store):
    """Stores a domain as layers made elsewhere; gives its id."""
    def make(name, layers, labels=None, **more):
        layers = {k: np.asarray(v, np.float32) for k, v in layers.items()}
        made = Representation(layers, labels=labels, classes=("a", "b", "c") if labels is not None else (), domain=name, **more)
        return "rep:" + store.put_representation(made, facts={"name": name})
    return make


def domain(n=80, *, seed=0, shift=0.0, layers=5, d=6):
    """Three clusters that turn a little from layer to layer; a domain of its own drifts away by `shift` in each."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    x = 3 * np.eye(3, d)[labels] + rng.standard_normal((n, d))
    turn = np.linalg.qr(np.eye(d) + 0.2 * np.random.default_rng(7).standard_normal((d, d)))[0]
    states = {}
    for i in range(layers):
        states[f"state {i}"] = x
        x = np.tanh(x @ turn) * 2 + shift * np.eye(1, d, d - 1) + 0.05 * rng.standard_normal((n, d))
    return states, labels


@pytest.fixture
def three(put):
    """A target, a source of the same kind, and one that drifts away."""
    target, near, far = (put(name, *domain(seed=i, shift=s), ids=tuple(f"{name}-{j}" for j in range(80)))
                         for i, (name, s) in enumerate((("target", 0), ("near", 0), ("far", 4))))
    return {"model": target, "sources": [near, far], **QUICK}


def told(at):
    return texts(at).replace("*", "")


def test_without_sources_it_asks_for_one(put):
    at = opened(PAGE, model=put("alone", *domain()))
    assert at.title[0].value == "RADAR" and "Choose one or more source datasets" in told(at) and not at.get("plotly_chart")


def test_nothing_extracted_yet_offers_to_do_it():
    at = opened(PAGE, model="raw", target="shapes/circle", sources="shapes/two-circles")
    at.button(key="radar-extract-start")
    assert not at.get("plotly_chart")


def test_the_near_source_is_good_and_the_far_one_bad(three):
    at = rested(opened(PAGE, **three))
    said_of = {name: next(line for line in told(at).splitlines() if f"{name}:" in line) for name in ("near", "far")}
    assert "[good]" in said_of["near"] and "nearest of 2" in said_of["near"] and "[bad]" in said_of["far"] and "2nd of 2" in said_of["far"]
    assert all("against a null of" in line and "±" in line and "n = 80 and 80, 40 a side" in line and "geometry only" in line for line in said_of.values())
    assert "Layer-0 gauge" in told(at) and "20 splits" in told(at)
    assert figure(at, "radar-ranking")["data"]


def test_all_transitions_and_the_chosen_one(three):
    at = rested(opened(PAGE, **three, radar_view="Histograms", radar_source="far"))
    assert "far diverges from target most from" in told(at)
    assert figure(at, "radar-ridges")["data"] and figure(at, "radar-enlarged")["data"] and figure(at, "radar-rose")["data"]
    before = told(at)
    at.select_slider(key="radar_step").set_value("state 0 → 1").run()
    assert "At state 0 → 1" in told(at) or told(at) != before
    rested(at.segmented_control(key="radar_kind").set_value("Lengths").run())
    with pytest.raises(AssertionError):
        chart(at, "radar-rose")  # lengths have no direction


def test_a_click_on_a_ridgeline_enlarges_it(three):
    at = rested(opened(PAGE, **three, radar_view="Histograms", radar_source="far", radar_step="state 0 → 1"))
    taken(at, "radar-ridges", (2,))
    assert at.select_slider(key="radar_step").value == "state 2 → 3"


def test_a_cell_of_the_strip_chooses_source_and_transition(three):
    at = rested(opened(PAGE, **three, radar_view="Where it diverges", radar_source="far"))
    taken(at, "radar-strip", (0, 1))
    rested(at)
    assert at.selectbox(key="radar_source").value == "near" and at.select_slider(key="radar_step").value == "state 1 → 2"


def test_classes_pairs_and_items_behind_it(three):
    at = rested(opened(PAGE, **three, radar_view="Where it diverges", radar_source="far"))
    assert "Which classes drive it" in told(at)
    classes, pairs, items = (f.value for f in at.dataframe)
    assert set(classes["Class"]) == {"a", "b", "c"} and classes["Mean log ratio"].is_monotonic_decreasing
    assert pairs["Anchor id"].str.startswith("target-").all() and pairs["Partner id"].str.startswith("far-").all()
    assert pairs["Log ratio"].is_monotonic_decreasing and items["Id"].str.startswith("far-").all()


def test_without_labels_it_works_and_says_what_is_lost(put):
    ids = [put(name, domain(seed=i)[0]) for i, name in enumerate(("bare", "other"))]
    at = rested(opened(PAGE, model=ids[0], sources=ids[1:], **QUICK, radar_view="Where it diverges"))
    assert "no labels" in told(at) and "other:" in told(at) and not at.exception


def test_paths_have_a_thread_for_single_items(three):
    at = rested(opened(PAGE, **three, radar_view="Layers", radar_threads="true"))
    taken(at, "radar-paths", (2, 4, 1))
    assert at.session_state["_selection"].ids == ("far-4",)
    ranges = [figure(at, "radar-paths")["layout"][axis]["range"] for axis in ("xaxis", "yaxis")]
    at.select_slider(key="radar_layer").set_value("state 0").run()
    assert [figure(at, "radar-paths")["layout"][axis]["range"] for axis in ("xaxis", "yaxis")] == ranges
    rested(at.toggle(key="radar_film").set_value(True).run())
    assert figure(at, "radar-film")["data"]


def test_the_triangle_of_a_pair_and_a_free_one(three):
    at = rested(opened(PAGE, **three, radar_view="Triangle"))
    assert "θ =" in told(at) and figure(at, "radar-triangle")["data"]
    assert "θ = 53.1°" in figure(at, "radar-free")["layout"]["title"]["text"] and "d = 1" in figure(at, "radar-free")["layout"]["title"]["text"]
    rows = len(at.dataframe[0].value)
    assert rows == 4
    at.slider(key="radar_degrees").set_value(60).run()
    assert "θ = 53.1°" not in figure(at, "radar-free")["layout"]["title"]["text"]


def test_every_domain_against_every_other(three):
    at = rested(opened(PAGE, **three, radar_view="All domains"))
    assert figure(at, "radar-everyone")["data"] and "compare along a row" in told(at)


def test_every_reading_ranks_the_sources(three):
    at = rested(opened(PAGE, **three, radar_view="Readings"))
    assert figure(at, "radar-all-readings")["data"] and not at.exception


def test_a_switch_changes_the_reading_and_reset_brings_it_back(three):
    at = rested(opened(PAGE, **three, radar_angle="anchor"))
    assert "Switched: angle anchor" in told(at)
    rested(at.button(key="radar-reset").click().run())
    assert "Switched" not in told(at) and at.selectbox(key="radar_angle").value == "partner"


def test_labels_that_contradict_are_told(put):
    states, labels = domain(120, seed=0)
    other, _ = domain(120, seed=1)
    ids = [put("target", states, labels), put("liar", other, (np.arange(120) + 1) % 3)]
    at = rested(opened(PAGE, model=ids[0], sources=ids[1:], **QUICK))
    assert any("contradict" in w.value for w in at.warning) and "[good]" in told(at)


def test_a_built_in_case_sets_the_sidebar():
    at = opened(PAGE, model="raw", target="shapes/circle", sources="shapes/two-circles")
    at.selectbox(key="radar-case").set_value("Graded blur").run()
    here = workspace(at)
    assert here.model == "builtin:vit/seed0" and [s[-6:] for s in here.sources] == [f"blur-{i}" for i in range(1, 6)]
    assert "should grow" in told(at) and at.selectbox(key="radar-case").value == "Graded blur"


def test_too_few_items_constant_layers_and_other_widths_are_refused_with_the_reason(put):
    target = put("target", *domain())
    few = put("few", *domain(12))
    at = rested(opened(PAGE, model=target, sources=[few], **QUICK))
    assert "12 items" in said(at) + told(at) and not at.exception
    wide = put("wide", {**domain()[0], "state 2": np.ones((80, 9))})
    at = rested(opened(PAGE, model=wide, sources=[put("wider", {**domain(seed=3)[0], "state 2": np.ones((80, 9))})], **QUICK))
    assert "state 2" in said(at) and not at.exception


def test_one_layer_is_no_trajectory(put):
    ids = [put(name, {"only": domain(seed=i)[0]["state 0"]}) for i, name in enumerate(("a", "b"))]
    at = rested(opened(PAGE, model=ids[0], sources=ids[1:], **QUICK))
    assert "only one layer" in said(at) + told(at) and not at.exception
