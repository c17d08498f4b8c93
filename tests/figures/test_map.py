"""The map's figure: every point where it belongs, nothing left out unsaid, never hue alone."""

import json

import numpy as np
import pytest

from analysis.figures import map as maps
from analysis.figures import template
from analysis.metrics.projection import Projection, pca


def cloud(n=90, d=5, dims=2):
    return pca([np.random.default_rng(0).standard_normal((n, d)).astype(np.float32)], dims=dims)


def points(figure):
    return [t for t in figure.data if t.customdata is not None and t.name != "selected"]


@pytest.mark.parametrize("dims", [2, 3])
def test_each_class_is_a_trace_with_its_own_points(dims):
    picture, labels = cloud(dims=dims), np.repeat([0, 1, 2], 30)
    figure = maps.scatter(picture, colour=labels, names=("a", "b", "c"), title="class", hover=[f"item {i}" for i in range(90)])
    traces = points(figure)
    assert [t.name for t in traces] == ["a", "b", "c"] and [len(t.x) for t in traces] == [30, 30, 30]
    assert len({(t.marker.color, t.marker.symbol) for t in traces}) == 3 and len({t.marker.symbol for t in traces}) == 3
    for i, trace in enumerate(traces):
        rows = np.flatnonzero(labels == i)
        assert np.array_equal(trace.customdata, rows) and trace.x.dtype == np.float32
        np.testing.assert_array_equal(trace.x, picture.points[rows, 0])
        assert list(trace.hovertext) == [f"item {r}" for r in rows]
    assert figure.layout.legend.title.text == "class" and figure.layout.meta["note"] == ""


def test_colours_keep_their_class_when_one_is_absent():
    picture = cloud()
    all_there = maps.scatter(picture, colour=np.repeat([0, 1, 2], 30), names=("a", "b", "c"))
    one_gone = maps.scatter(picture, colour=np.repeat([0, 2, 2], 30), names=("a", "b", "c"))
    colour = lambda figure: {t.name: t.marker.color for t in points(figure)}
    assert colour(one_gone)["c"] == colour(all_there)["c"] and set(colour(one_gone)) == {"a", "c"}


def test_domains_are_shapes_with_a_legend():
    figure = maps.scatter(cloud(), colour=np.repeat([0, 1, 2], 30), names="abc", symbol=np.tile([0, 1], 45), kinds=("here", "there"))
    assert list(points(figure)[0].marker.symbol) == ["circle", "square"] * 15
    legend = {t.name: t.marker.symbol for t in figure.data if t.customdata is None}
    assert legend == {"here": "circle", "there": "square"}


def test_a_score_gets_a_bar_and_a_rim():
    score = np.linspace(0, 1, 90)
    trace, = points(maps.scatter(cloud(), colour=score, title="confidence"))
    np.testing.assert_allclose(trace.marker.color, score, atol=1e-6)
    assert trace.marker.colorbar.title.text == "confidence" and trace.marker.line.width > 0


def test_the_highlighted_are_ringed_and_nothing_else():
    figure = maps.scatter(cloud(), colour=np.zeros(90, int), names=("a",), highlight=[4, 8])
    rings = [t for t in figure.data if t.name == "selected"]
    assert len(rings) == 2 and all(list(t.customdata) == [4, 8] and t.hoverinfo == "skip" for t in rings)
    assert {t.marker.color for t in rings} == set(template.RING)
    assert len(maps.scatter(cloud(dims=3), highlight=[4, 8]).data[-1].x) == 2


def test_many_points_are_drawn_by_the_graphics_processor_and_travel_as_bytes():
    figure = maps.scatter(cloud(2000), colour=np.arange(2000) % 4, names="abcd")
    assert {t.type for t in figure.data} == {"scattergl"} and points(maps.scatter(cloud()))[0].type == "scatter"
    trace = json.loads(figure.to_json())["data"][0]
    assert trace["x"]["dtype"] == "f4" and "bdata" in trace["customdata"]


def test_a_sample_is_said_to_be_one():
    picture, labels = cloud(1000), np.repeat([0, 1], [900, 100])
    figure = maps.scatter(picture, colour=labels, names=("a", "b"), limit=200, seed=4)
    assert [len(t.x) for t in points(figure)] == [180, 20]
    assert figure.layout.meta["note"] == "200 of 1\u202f000 shown, stratified by class, seed 4"
    umap = Projection(picture.points[:300], (300,), np.zeros(0), np.arange(300), 1000, {"method": "umap", "seed": 2})
    figure = maps.scatter(umap, colour=labels, names=("a", "b"))
    assert "300 of 1\u202f000" in figure.layout.meta["note"] and figure.layout.xaxis.title.text == "UMAP 1"


def test_shared_bounds_and_equal_scales():
    box = np.array([[-9.0, 9.0], [-5.0, 5.0]])
    figure = maps.scatter(cloud(), bounds=box)
    assert list(figure.layout.xaxis.range) == [-9, 9] and list(figure.layout.yaxis.range) == [-5, 5]
    assert figure.layout.yaxis.scaleanchor == "x"


def test_axes_name_their_share_of_variance():
    picture = cloud()
    assert maps.axis_names(picture)[0] == f"Axis 1: {picture.explained[0]:.0%} of variance".replace("%", "\u202f%")


def test_hover_texts_are_short_and_carry_no_markup():
    one, two = maps.labels(["a", "b"], ["class <b>1</b> & more", ""], ["x" * 500, " two\n words "])
    assert one.startswith("a<br>class &lt;b&gt;1&lt;/b&gt; &amp; more<br>") and one.endswith("…") and len(one) < 160
    assert two == "b<br>two words"


@pytest.mark.parametrize("n", [3, 10, 36, 100])
def test_colours_are_distinct_and_read_on_both_grounds(n):
    colours = template.colours(n)
    assert len(set(colours)) == n
    for colour in [*colours, template.HIGHLIGHT, template.GREY]:
        assert template.contrast(colour, template.LIGHT) >= 3 and template.contrast(colour, template.DARK) >= 3
    assert len(set(template.marks(n))) == n


def test_the_themes_are_those_the_colours_were_chosen_for():
    import tomllib
    from pathlib import Path
    config = tomllib.loads((Path(__file__).parents[2] / ".streamlit" / "config.toml").read_text())["theme"]
    assert (config["light"]["backgroundColor"], config["dark"]["backgroundColor"]) == (template.LIGHT, template.DARK)
    assert tuple(config["chartCategoricalColors"]) == template.PALETTE
    for theme in (config["light"], config["dark"]):
        for ground in (theme["backgroundColor"], theme["secondaryBackgroundColor"], theme["sidebar"]["backgroundColor"]):
            assert template.contrast(theme["textColor"], ground) >= 4.5 and template.contrast(theme["linkColor"], ground) >= 4.5
    assert "http" not in json.dumps(config)


def test_a_few_classes_are_named_where_they_lie_in_the_first_domain():
    picture, labels, domain = cloud(), np.repeat([0, 1, 2], 30), np.tile([0, 1], 45)
    figure = maps.scatter(picture, colour=labels, names=("a", "b", "c<d"), symbol=domain, kinds=("here", "there"))
    assert [a.text for a in figure.layout.annotations] == ["a", "b", "c&lt;d"]
    for i, label in enumerate(figure.layout.annotations):
        mine = picture.points[(labels == i) & (domain == 0)]
        assert (label.x, label.y) == pytest.approx(tuple(np.median(mine, axis=0)))
    assert not maps.scatter(picture, colour=domain, names=("here", "there"), named=False).layout.annotations
    many = maps.scatter(picture, colour=np.arange(90), names=[str(i) for i in range(90)])
    assert not many.layout.annotations and not maps.scatter(cloud(dims=3), colour=labels, names="abc").layout.annotations


def test_many_selected_are_set_off_as_a_lasso_does_it_not_by_rings():
    labels, chosen = np.repeat([0, 1, 2], 30), np.arange(20, 80)
    figure = maps.scatter(cloud(), colour=labels, names="abc", highlight=chosen)
    assert not [t for t in figure.data if t.name == "selected"]
    assert [len(t.selectedpoints) for t in points(figure)] == [10, 30, 20]
    assert sorted(r for t in points(figure) for r in t.customdata[t.selectedpoints]) == list(chosen)


def test_names_from_the_data_are_never_markup():
    figure = maps.scatter(cloud(), colour=np.repeat([0, 1, 2], 30), names=('<a href="https://x">a</a>', "b<br>", "c"),
                          symbol=np.tile([0, 1], 45), kinds=("<b>h</b>", "t"))
    assert not any("<" in t.name for t in figure.data)
