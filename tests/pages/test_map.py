"""The map page: what it shows, what it says, and how it and the selection follow each other."""

import json

import numpy as np
import pytest

from analysis import Dataset, Representation, Selection, extract
from tests.pages.test_frame import opened, said

MAP = "workspace/map.py"


def pictures(shift=0, domain="dots", n=60):
    """Tiny images: a bright corner says the class."""
    rng, labels = np.random.default_rng(shift), np.arange(n) % 3
    items = rng.integers(0, 60, (n, 8, 8, 3), dtype=np.uint8)
    for corner, (y, x) in enumerate(((0, 0), (0, 4), (4, 0))):
        items[labels == corner, y:y + 4, x:x + 4] += 150
    return Dataset(items, labels, ("left", "right", "below"), [f"{domain}-{i:02d}" for i in range(n)], domain, domain.title())


@pytest.fixture
def dots(store):
    """Address of a workspace of two small picture domains, extracted."""
    sets = [pictures(), pictures(1, "stripes", 30)]
    for data in sets:
        store.put_dataset(data)
        extract("builtin:raw", data)
    names = [f"{d.name} · {d.digest[:8]}" for d in sets]
    return {"model": "raw", "target": names[0], "sources": names[1]}, sets[0]


@pytest.fixture
def arrays(store):
    """A representation made elsewhere: three layers, a head, and its own ids."""
    rng, labels = np.random.default_rng(0), np.arange(40) % 2
    layers = {f"h{i}": (i * 4 * np.eye(6)[labels] + rng.standard_normal((40, 6))).astype(np.float32) for i in range(3)}
    logits = (np.eye(2)[labels] * 3 + rng.standard_normal((40, 2))).astype(np.float32)
    made = Representation(layers, labels, ("cat", "dog"), tuple(f"n{i}" for i in range(40)), logits, ("cat", "dog"), "elsewhere", "d" * 32)
    return {"model": "rep:" + store.put_representation(made, facts={"name": "mine"})}, made


def charts(at):
    return [json.loads(c.proto.spec) for c in at.get("plotly_chart")]


def drawn(chart):
    """Points per trace, without the legend's empty entries and the rings."""
    return {t["name"]: t for t in chart["data"] if "customdata" in t and t["name"] != "selected"}


def texts(at) -> str:
    return " ".join([*(m.value for m in at.markdown), *(c.value for c in at.caption)]).replace("\u202f", " ")


def decoded(field) -> list:
    import base64
    return np.frombuffer(base64.b64decode(field["bdata"]), field["dtype"]).tolist()


def test_nothing_extracted_yet_offers_to_do_it():
    at = opened(MAP, model="raw", target="shapes/circle", sources="shapes/two-circles")
    assert at.title[0].value == "Map" and not at.get("plotly_chart")
    at.button(key="map-extract-start")  # the same button as on the load page
    assert "has to look at the items first" in texts(at)


def test_two_domains_in_one_picture(dots):
    where, _ = dots
    at = opened(MAP, **where)
    chart, = charts(at)
    traces = drawn(chart)
    assert set(traces) == {"left", "right", "below"} and sum(len(decoded(t["customdata"])) for t in traces.values()) == 90
    assert {t["name"] for t in chart["data"]} >= {"dots", "stripes"}
    assert "60 items of dots and 30 items of stripes" in texts(at)
    assert "share its class" in texts(at) and "come from its own domain" in texts(at) and "95 % bootstrap interval" in texts(at)
    assert "two axes drawn carry" in texts(at)


@pytest.mark.parametrize(("colour", "names"), [("Domain", {"dots", "stripes"}), ("Distance to class centre", {"distance to class centre"})])
def test_colours(dots, colour, names):
    at = opened(MAP, **dots[0], map_colour=colour)
    assert set(drawn(charts(at)[0])) == names and at.selectbox(key="map_colour").value == colour


def test_three_dimensions(dots):
    at = opened(MAP, **dots[0], map_axes="3-D")
    chart, = charts(at)
    assert {t["type"] for t in chart["data"]} == {"scatter3d"} and "three axes drawn" in texts(at)


def test_the_missing_source_is_named_and_the_rest_is_shown(dots, store):
    at = opened(MAP, model=dots[0]["model"], target=dots[0]["target"], sources="digits/printed")
    assert len(charts(at)) == 1 and at.button(key="map-extract-start")


def test_a_selection_is_ringed_listed_and_has_neighbours(dots, store):
    where, data = dots
    chosen = Selection(data.digest, ("dots-03", "dots-07"), "Two that I like")
    store.put_selection(chosen)
    at = opened(MAP, **where, selection=chosen.digest)
    rings = [t for t in charts(at)[0]["data"] if t["name"] == "selected"]
    assert rings and all(sorted(decoded(t["customdata"])) == [3, 7] for t in rings)
    items, near = (f.value for f in at.dataframe)
    assert list(items["Id"]) == ["dots-03", "dots-07"] and list(items["Class"]) == ["left", "right"]
    assert items["Item"].str.startswith("data:image/png;base64,").all()
    assert len(near) == 10 and (np.diff(near["Distance"]) >= 0).all() and "dots-03" not in set(near["Id"])
    assert (near["Class"] == "left").mean() > 0.5
    assert "2 items selected" in at.subheader[0].value and "Two that I like" in texts(at)
    assert "Id: **dots" in texts(at)  # the card beside the map


def test_points_chosen_on_the_chart_become_the_selection(dots):
    where, data = dots
    at = opened(MAP, **where)
    before = at.get("plotly_chart")[0].proto.spec
    taken(at, [1, 2, 65])
    chosen = at.session_state["_selection"]
    assert chosen.dataset == data.digest and chosen.ids == ("dots-01", "dots-02")
    assert chosen.origin == "Lasso on the map, input; 1 of other domains left out"
    assert at.get("plotly_chart")[0].proto.spec == before  # a new figure would lose the lasso
    at.selectbox(key="map_colour").set_value("Domain").run()
    assert any(t["name"] == "selected" for t in charts(at)[0]["data"])  # a new figure shows it itself


def taken(at, rows, *, how="lasso", chart=0):
    """Run the page as the browser would after a selection on a chart (AppTest has no call for that)."""
    event = {"box": [], "lasso": [], how: [{}], "points": [{"customdata": r} for r in rows], "point_indices": rows}
    states = at._tree.get_widget_states()
    state = states.widgets.add()
    state.id, state.string_value = at.get("plotly_chart")[chart].proto.id, json.dumps({"selection": event})
    at._run(states)
    assert not at.exception, at.exception[0].message


def test_letting_go_on_the_chart_clears_the_selection(dots):
    at = opened(MAP, **dots[0])
    taken(at, [1, 2])
    taken(at, [])
    assert "_selection" not in at.session_state and "selection" not in at.query_params and not at.dataframe


def test_search_selects_by_id_and_by_class(dots):
    at = opened(MAP, **dots[0])
    at.text_input(key="map_find").set_value("DOTS-1").run()
    assert at.session_state["_selection"].ids == tuple(f"dots-{i}" for i in range(10, 20))
    at.text_input(key="map_find").set_value("below").run()
    assert len(at.session_state["_selection"]) == 20
    at.text_input(key="map_find").set_value("nowhere").run()
    assert "_selection" not in at.session_state and "Nothing found" in texts(at)


def test_the_slider_is_the_sidebars_layer_and_keeps_the_axes(arrays):
    at = opened(MAP, **arrays[0])
    last = charts(at)[0]
    assert "In h2" in texts(at) and at.selectbox(key="layer").value == "h2"
    at.select_slider(key="map_layer").set_value("h0").run()
    assert at.selectbox(key="layer").value == "h0" and "In h0" in texts(at)
    first = charts(at)[0]
    assert first["layout"]["xaxis"]["range"] == last["layout"]["xaxis"]["range"]
    assert first["layout"]["yaxis"]["range"] == last["layout"]["yaxis"]["range"]
    colour = lambda chart: {n: t["marker"]["color"] for n, t in drawn(chart).items()}
    assert colour(first) == colour(last)


def test_what_a_head_says_can_be_shown(arrays):
    at = opened(MAP, **arrays[0], map_colour="Prediction")
    assert set(drawn(charts(at)[0])) == {"cat", "dog"}
    at = opened(MAP, **arrays[0], map_colour="Confidence")
    confidence = decoded(drawn(charts(at)[0])["confidence of the head"]["marker"]["color"])
    np.testing.assert_allclose(confidence, arrays[1].probabilities.max(axis=1), atol=1e-6)


def test_a_second_representation_beside_the_first_shares_the_selection(dots, store):
    where, data = dots
    x = data.items.reshape(60, -1)[:, :20].astype(np.float32)
    other = Representation({"first": x, "second": x * 2}, data.labels, data.classes, data.ids, domain="dots", dataset=data.digest)
    store.put_representation(other, facts={"name": "notebook"})
    at = opened(MAP, **where, map_beside="notebook")
    one, two = charts(at)
    assert {n: t["marker"]["color"] for n, t in drawn(one).items()} == {n: t["marker"]["color"] for n, t in drawn(two).items()}
    taken(at, [5], how="points", chart=1)
    assert at.session_state["_selection"].ids == ("dots-05",)
    ringed = [any(t["name"] == "selected" for t in chart["data"]) for chart in charts(at)]
    assert ringed == [True, False]  # the chart it was chosen on keeps its own mark


def test_texts_are_shown_as_text(store):
    said = tuple(f"A {word} film, number {i}" for i, word in enumerate(["dull", "fine"] * 10))
    data = Dataset(said, [0, 1] * 10, ("bad", "good"), domain="film", name="Film")
    store.put_dataset(data)
    x = np.random.default_rng(0).standard_normal((20, 4)).astype(np.float32)
    key = store.put_representation(Representation({"h": x}, data.labels, data.classes, data.ids, domain="film", dataset=data.digest),
                                   facts={"name": "texts"})
    at = opened(MAP, model=f"rep:{key}")
    assert "A dull film, number 0" in charts(at)[0]["data"][0]["hovertext"][0]
    at.text_input(key="map_find").set_value("number 7").run()
    assert list(at.dataframe[0].value["Text"]) == ["A fine film, number 7"]


def test_umap_waits_for_a_click_and_shows_what_is_stored(dots, store):
    from analysis import engine
    from analysis.studies.projection import umap
    at = opened(MAP, **dots[0], map_method="UMAP", map_seed="4")
    at.button(key="map-umap-start")
    assert len(charts(at)) == 1 and "two axes drawn" in texts(at)  # PCA meanwhile
    sets = [e.key for e in sorted(store.entries("representations"), key=lambda e: -e.facts["n"])]
    inputs = {"representations": [engine.Ref.representation(k) for k in sets]}
    options = {"layer": "input", "dims": 2, "n_neighbors": 15, "min_dist": 0.1, "seed": 4}
    from analysis.metrics.projection import Projection
    points = np.random.default_rng(0).standard_normal((90, 2)).astype(np.float32)
    store.put_result(engine.key(umap, inputs, options), Projection(points, (60, 30), np.zeros(0), np.arange(90), 90, {"method": "umap"}))
    at.run()
    assert charts(at)[0]["layout"]["xaxis"]["title"]["text"] == "UMAP 1" and "UMAP keeps neighbourhoods" in texts(at)
    assert not said(at)


def test_a_source_of_another_width_is_said_to_be_left_out(store):
    extract("builtin:raw", "builtin:shapes/torus")
    extract("builtin:raw", "builtin:digits/printed?n=40")
    at = opened(MAP, model="raw", target="shapes/torus", sources="builtin:digits/printed?n=40")
    assert any("is not drawn" in w.value for w in at.warning) and not at.error
