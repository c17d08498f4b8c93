"""The persistence page: what it says and draws, how a bar becomes the selection, and what it does with clouds that have no shape."""

import json
import time

import numpy as np
import pytest

from analysis import Representation, engine
from tests.pages.test_frame import opened, said
from tests.pages.test_map import decoded, texts

PAGE = "shape/persistence.py"


@pytest.fixture
def brought(store):
    """Stores layers as a representation made elsewhere; gives its address."""
    def put(layers, labels=None, **more):
        made = Representation({k: np.asarray(v, np.float32) for k, v in layers.items()}, labels=labels, dataset="d" * 32, **more)
        return {"model": "rep:" + store.put_representation(made, facts={"name": "mine"})}
    return put


def blobs(n=60, classes=3, spread=0.05, width=5, seed=0):
    labels = np.arange(n) % classes
    return 4 * np.eye(classes, width)[labels] + spread * np.random.default_rng(seed).standard_normal((n, width)), labels


def ring(n=80):
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


@pytest.fixture
def three(brought):
    """Three blobs in the last layer, a shapeless cloud in the first."""
    x, labels = blobs()
    return brought({"noise": np.random.default_rng(1).standard_normal((60, 5)), "blobs": x}, labels, classes=("a", "b", "c"))


def rested(at):
    """The page once everything it started in the background has ended."""
    until = time.monotonic() + 60
    while any(job.alive for job in engine.default().jobs()) and time.monotonic() < until:
        time.sleep(0.02)
    at.run()
    assert not at.exception, at.exception[0].message
    return at if not any(job.alive for job in engine.default().jobs()) else rested(at)


def chart(at, key):
    found = [c for c in at.get("plotly_chart") if f"-{key}" in c.proto.id]
    assert len(found) == 1, f"{len(found)} charts {key}"
    return found[0]


def figure(at, key):
    return json.loads(chart(at, key).proto.spec)


def marks(made):
    """(dim, place) of everything that can be clicked."""
    rows = [np.reshape(decoded(t["customdata"]), (-1, 2)) if "bdata" in t["customdata"] else np.array(t["customdata"]) for t in made["data"]
            if t.get("customdata") is not None and t.get("hoverinfo") != "skip"]
    return {tuple(int(v) for v in row) for part in rows for row in part}


def taken(at, key, *customdata):
    """Run the page as the browser would after a click on the chart."""
    states = at._tree.get_widget_states()
    state = states.widgets.add()
    state.id = chart(at, key).proto.id
    points = [{"customdata": {str(i): v for i, v in enumerate(c)}} for c in customdata]
    state.string_value = json.dumps({"selection": {"box": [], "lasso": [], "points": points, "point_indices": []}})
    at._run(states)
    assert not at.exception, at.exception[0].message


def test_nothing_extracted_yet_offers_to_do_it():
    at = opened(PAGE, model="raw", target="shapes/circle", sources="shapes/two-circles")
    assert at.title[0].value == "Persistence" and not at.get("plotly_chart")
    at.button(key="persistence-extract-start")


def test_the_answer_comes_at_once_and_its_interval_from_the_background(three):
    at = opened(PAGE, **three)
    assert "the largest gap between lifetimes leaves **3 groups**" in texts(at) and "at k = 3" in texts(at)
    rested(at)
    assert "3 clusters stand out" in texts(at) and "interval" in texts(at) and ": tighter than with its columns shuffled" in texts(at)
    assert "60 items, seed 0" in texts(at)
    assert "2 of 2 separating bars part groups of more than 5 items" in texts(at) and "H1: " in texts(at)


def test_a_cloud_without_structure_is_no_tighter_than_chance(three):
    at = rested(opened(PAGE, **three, layer="noise"))
    assert "no tighter than with its columns shuffled" in texts(at) and "no clusters stand out" in texts(at)


def test_every_bar_is_drawn_and_the_axes_agree(three):
    at = rested(opened(PAGE, **three))
    diagram, barcode = figure(at, "persistence-diagram-a"), figure(at, "persistence-barcode-a")
    assert {c for c in marks(diagram) if c[0] == 0} == {(0, i) for i in range(60)}
    assert diagram["layout"]["xaxis"]["range"] == diagram["layout"]["yaxis"]["range"]
    assert barcode["layout"]["xaxis"]["range"] == diagram["layout"]["xaxis"]["range"]
    assert {(0, 58), (0, 57)} <= marks(figure(at, "persistence-lifetimes"))


def test_a_bar_of_h0_selects_the_two_components_that_merge(three):
    at = rested(opened(PAGE, **three))
    taken(at, "persistence-barcode-a", (0, 57))
    chosen = at.session_state["_selection"]
    assert len(chosen) == 20 and len({int(i) % 3 for i in chosen.ids}) == 1  # both sides would be most of all items
    assert chosen.origin.startswith("H0 bar 2, ") and chosen.origin.endswith("the smaller side") and at.query_params["persistence_bar"] == "a-0-57"
    assert "20 items join 20 items" in texts(at) and "20 items selected" in at.subheader[0].value
    assert {"larger side", "smaller side"} <= {t["name"] for t in figure(at, "persistence-map")["data"]}
    at.button(key="persistence-part-both-sides").click().run()
    chosen = at.session_state["_selection"]
    assert len(chosen) == 40 and {int(i) % 3 for i in chosen.ids} in ({0, 1}, {0, 2}, {1, 2}) and chosen.origin.endswith("both sides")
    at.button(key="persistence-let-go").click().run()
    assert "persistence_bar" not in at.query_params and "_selection" not in at.session_state


def test_a_small_merger_selects_both_of_its_sides(three):
    at = rested(opened(PAGE, **three))
    taken(at, "persistence-lifetimes", (0, 30))
    chosen = at.session_state["_selection"]
    assert 2 <= len(chosen) <= 30 and not chosen.origin.endswith("side") and len({int(i) % 3 for i in chosen.ids}) == 1


def test_clearing_the_selection_lets_go_of_the_bar(three):
    at = rested(opened(PAGE, **three))
    taken(at, "persistence-barcode-a", (0, 57))
    at.button(key="clear-selection").click().run()
    assert "persistence_bar" not in at.query_params and not [b for b in at.button if b.key == "persistence-let-go"]


@pytest.mark.parametrize("key", ["persistence-diagram-a", "persistence-barcode-a"])
def test_the_bar_that_never_ends_is_the_whole_cloud(three, key):
    at = rested(opened(PAGE, **three))
    taken(at, key, (0, 59))
    assert len(at.session_state["_selection"]) == 60 and "never merges with anything" in texts(at) and len(at.get("plotly_chart")) == 4


def test_other_landmarks_and_other_dimensions_forget_the_bar(brought):
    x = np.random.default_rng(0).standard_normal((300, 3))
    at = rested(opened(PAGE, **brought({"sphere": x / np.linalg.norm(x, axis=1, keepdims=True)}, np.arange(300) % 2), persistence_hollows="true"))
    taken(at, "persistence-barcode-a", (2, 0))
    taken(at, "persistence-diagram-a", (1, 3))
    at.toggle(key="persistence_hollows").set_value(False).run()
    assert not at.exception and "persistence_bar" not in at.query_params
    taken(at, "persistence-diagram-a", (1, 3))
    at.selectbox(key="persistence_points").set_value(250).run()
    assert not rested(at).exception and "persistence_bar" not in at.query_params

def test_the_chart_that_was_clicked_stays_and_the_others_ring_the_bar(three):
    at = rested(opened(PAGE, **three))
    before, other = chart(at, "persistence-barcode-a").proto.spec, chart(at, "persistence-diagram-a").proto.spec
    taken(at, "persistence-barcode-a", (0, 58))
    assert chart(at, "persistence-barcode-a").proto.spec == before  # a new figure would lose the browser's own mark
    assert chart(at, "persistence-diagram-a").proto.spec != other


def test_letting_go_of_a_bar_clears_it(three):
    at = rested(opened(PAGE, **three))
    taken(at, "persistence-barcode-a", (0, 58))
    taken(at, "persistence-barcode-a")
    assert "persistence_bar" not in at.query_params and "_selection" not in at.session_state


def test_another_layer_forgets_the_bar(three):
    at = rested(opened(PAGE, **three))
    taken(at, "persistence-barcode-a", (0, 58))
    at.selectbox(key="layer").set_value("noise").run()
    assert "persistence_bar" not in at.query_params and not at.exception


def test_an_address_opens_on_its_bar(three):
    at = rested(opened(PAGE, **three, persistence_bar="a-0-58"))
    assert "H0 bar 1" in texts(at) and len(at.session_state["_selection"]) == 20
    for odd in ("a-0-9999", "a-7-1", "z-0-1", "nonsense", "a--1-2"):
        assert not opened(PAGE, **three, persistence_bar=odd).exception


def test_a_loop_selects_its_cocycle_and_is_drawn_round_in_the_map(brought):
    at = rested(opened(PAGE, **brought({"ring": np.concatenate([ring(), [[9, 9], [9.1, 9]]])}, np.arange(82) % 2)))
    assert "of 1 bar among all 82 points" in texts(at)
    taken(at, "persistence-diagram-a", (1, 0))
    chosen = at.session_state["_selection"]
    assert chosen.origin.startswith("H1 bar 1") and not {"80", "81"} & set(chosen.ids)
    at.button(key="persistence-part-the-line-round-the-loop").click().run()
    assert len(at.session_state["_selection"]) == 80
    assert any(t["name"] == "loop" and t["mode"] == "lines" for t in figure(at, "persistence-map")["data"])


def test_hollows_are_looked_for_on_request(brought):
    x = np.random.default_rng(0).standard_normal((150, 3))
    at = rested(opened(PAGE, **brought({"sphere": x / np.linalg.norm(x, axis=1, keepdims=True)}, np.arange(150) % 2), persistence_hollows="true"))
    assert any(dim == 2 for dim, _ in marks(figure(at, "persistence-diagram-a"))) and "H2: " in texts(at)


@pytest.mark.parametrize(("k", "reason"), [(1, "needs at least 2"), (40, "40 classes")])
def test_a_k_without_a_ratio_shows_its_reason(brought, k, reason):
    x, labels = blobs(n=24)
    at = rested(opened(PAGE, **brought({"h": x}, labels), persistence_k=str(k)))
    assert "cannot be computed" in texts(at) and reason in texts(at) and len(at.get("plotly_chart")) == 4


def test_k_follows_the_labels_until_it_is_moved(three):
    at = rested(opened(PAGE, **three))
    assert at.slider(key="persistence_k").value == 3
    at.slider(key="persistence_k").set_value(7).run()
    assert "at k = 7" in texts(at) and "suggests k = 3" in texts(at)
    assert "goes from 1 to 40" in texts(opened(PAGE, **three, persistence_k="999"))
    assert opened(PAGE, **three, persistence_k="7").slider(key="persistence_k").value == 7
    assert opened(PAGE, **three, persistence_k="nonsense").slider(key="persistence_k").value == 3


def shapeless():
    x, labels = blobs(n=30)
    return {"constant": np.ones((30, 4)), "duplicates": np.repeat(x[:2], 15, axis=0), "one column": x[:, :1], "last": x}, labels


@pytest.mark.parametrize("view", ["Diagram", "Grow the radius", "Through the layers", "Compare"])
@pytest.mark.parametrize("layer", ["constant", "duplicates", "one column"])
def test_a_layer_without_shape_is_said_and_the_page_lives_on(brought, layer, view):
    layers, labels = shapeless()
    at = rested(opened(PAGE, **brought(layers, labels), layer=layer, persistence_view=view))
    assert not said(at)
    if layer == "constant":
        assert "no gap between the longest lifetimes" in texts(at) and "cannot be computed" in texts(at)


def test_two_items(brought):
    at = rested(opened(PAGE, **brought({"h": [[0.0, 1.0], [3.0, 1.0]]}, [0, 1])))
    assert not said(at) and "cannot be computed" in texts(at)


def test_without_labels_k_is_asked_for(brought):
    x, _ = blobs()
    at = rested(opened(PAGE, **brought({"h": x})))
    assert at.slider(key="persistence_k").value == 2 and "3 clusters stand out" in texts(at) and "suggests k = 3" in texts(at)


def test_many_items_are_sampled_and_it_is_said(brought):
    x, labels = blobs(n=3100)
    at = opened(PAGE, **brought({"h": x}, labels))
    assert "3 000 of 3 100 items, drawn uniformly with seed 0" in texts(at)
    rested(at)
    assert "3 100 items, seed 0" in texts(at) and "among 1 000 landmarks of 3 100 points" in texts(at)


def test_two_layers_side_by_side_share_their_axes(three):
    at = rested(opened(PAGE, **three, persistence_beside="Another layer", persistence_beside_layer="noise"))
    a, b = figure(at, "persistence-diagram-a"), figure(at, "persistence-diagram-b")
    assert a["layout"]["xaxis"]["range"] == b["layout"]["xaxis"]["range"]
    assert texts(at).count("clusters stand out") == 2 and not [t for t in figure(at, "persistence-lifetimes")["data"][1:] if "noise" in t["name"] and t.get(
        "customdata")] and {"mine, blobs", "mine, noise"} <= {t["name"] for t in figure(at, "persistence-lifetimes")["data"]}
    taken(at, "persistence-diagram-b", (0, 58))
    assert "noise" in at.session_state["_selection"].origin


def test_the_radius_grows_by_hand_and_by_itself(three):
    at = opened(PAGE, **three, persistence_view="Grow the radius")
    assert "there are **3 pieces**" in texts(at)
    at.slider(key="persistence_radius").set_value(0).run()
    assert "**60 pieces**" in texts(at) and "60 items are still alone" in texts(at)
    at.slider(key="persistence_radius").set_value(100).run()
    assert "there is **1 piece**" in texts(at)
    assert {b["label"] for m in figure(at, "persistence-growing")["layout"]["updatemenus"] for b in m["buttons"]} == {"Play", "Pause"}


def test_through_the_layers(three):
    at = opened(PAGE, **three, persistence_view="Through the layers")
    assert not [c for c in at.get("plotly_chart") if "persistence-layers-chart" in c.proto.id]
    at.button(key="persistence-layers-start").click().run()
    rested(at)
    assert "From noise to blobs, PR at k = 3 falls" in texts(at).replace("*", "") and figure(at, "persistence-layers-chart")


def test_distances_between_layers_and_the_matching_of_a_pair(three):
    at = opened(PAGE, **three, persistence_view="Compare", persistence_dim="H0")
    at.button(key="persistence-layers-start").click().run()
    rested(at)
    assert "are most alike" in texts(at) and figure(at, "persistence-matched")
    taken(at, "persistence-matrix", (0, 0))
    assert "distance 0" in texts(at)
    at.selectbox(key="persistence_distance").set_value("Sliced Wasserstein").run()
    rested(at)
    assert any("no matching to draw" in i.value for i in at.info)


def test_a_model_without_checkpoints_offers_one_that_has_them(three):
    at = opened(PAGE, **three, persistence_view="Through training")
    assert any("keeps no checkpoints" in i.value for i in at.info)
    at.button(key="persistence-use-vit/seed0")


@pytest.fixture
def few(store):
    """Address of a workspace of 60 handwritten digits, extracted by the demo backbone."""
    from analysis import extract, load_dataset
    data = load_dataset("builtin:digits/handwritten?n=60")
    store.put_dataset(data)
    extract("builtin:vit/seed0", data)
    return {"model": "vit/seed0", "target": f"{data.name} · {data.digest[:8]}", "sources": "digits/printed"}


def test_through_training(few):
    at = opened(PAGE, **few, persistence_view="Through training")
    at.button(key="persistence-training-start").click().run()
    rested(at)
    assert at.selectbox(key="persistence_items").value == "builtin:digits/printed" and "step 0" in texts(at)
    at.selectbox(key="persistence_items").set_value(at.session_state["_workspace"].target).run()
    at.button(key="persistence-training-start").click().run()
    rested(at)
    assert figure(at, "persistence-training-chart") and len(figure(at, "persistence-animated")["frames"]) == 7
    assert "From step 0 to step 1" in texts(at)


def test_models_are_ranked_on_the_source_and_on_the_target(few):
    at = opened(PAGE, **few, persistence_view="Rank models", persistence_models=["conv/narrow", "mlp/plain"], persistence_source="shapes/blobs")
    at.button(key="persistence-models-source-start").click().run()
    rested(at)
    assert "PR cannot be computed for any of these models" in texts(at)  # they do not read arrays
    at.selectbox(key="persistence_source").set_value("builtin:digits/printed").run()
    at.button(key="persistence-models-source-start").click().run()
    rested(at)
    made = figure(at, "persistence-ranking")
    assert "ranks first" in texts(at) and "On the target the first is" in texts(at) and made["data"]
    at.multiselect(key="persistence_models").set_value([]).run()
    assert any("at least one model" in i.value for i in at.info)
