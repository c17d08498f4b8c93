"""The triangle: to scale, its angle at the corner where it is measured, its numbers those of the metric."""

import json

import numpy as np
import pytest

from analysis.figures import template, triangle
from tests.refusal import refused

EVIL = '<a href="https://x">a</a>'
TEST = np.zeros(2), np.array([0.0, 4.0]), np.array([3.0, 0.0])  # anchor, next, partner


def named(figure, name):
    return next(t for t in figure.data if t.name == name)


def said(figure):
    return [a.text for a in figure.layout.annotations]


def ends(trace):
    points = np.stack([trace.x, trace.y], axis=-1).astype(float)
    return points[[0, -1]]


def test_the_test_triangle():
    figure = triangle.triangle(*TEST)
    np.testing.assert_allclose(np.stack([named(figure, "corners").x, named(figure, "corners").y], axis=-1), [[0, 0], [0, 4], [3, 0]], atol=1e-6)
    assert figure.layout.title.text == "θ = 53.1°, d = 1" and said(figure)[:3] == ["sep 3", "detour 5", "traj 4"]
    assert triangle.triangle(*TEST, angle="turning", distance="path").layout.title.text == "θ = 126.9°, d = 0.5"
    assert triangle.triangle(*TEST, angle="anchor", distance="detour").layout.title.text == "θ = 90.0°, d = 0.25"


@pytest.mark.parametrize("seed", range(4))
def test_sides_are_to_scale_whatever_the_dimensions(seed):
    rng = np.random.default_rng(seed)
    x, after, p = rng.standard_normal((3, 50)).astype(np.float32) * [[1], [5], [1 + seed]]
    figure = triangle.triangle(x, after, p)
    for side, (a, b) in {"sep": (x, p), "detour": (p, after), "traj": (x, after)}.items():
        assert np.linalg.norm(np.subtract(*ends(named(figure, side)))) == pytest.approx(np.linalg.norm(b.astype(float) - a), rel=1e-5)
    assert figure.layout.yaxis.scaleanchor == "x"
    np.testing.assert_allclose(ends(named(figure, "detour"))[1], ends(named(figure, "traj"))[1])


@pytest.mark.parametrize("angle", ["partner", "turning", "anchor"])
def test_the_arc_spans_the_angle_at_its_corner(angle):
    from analysis.metrics.radar import triangles
    points = triangle.free(2, 3, 50)
    figure = triangle.triangle(*points, angle=angle)
    corner = np.array([0.0, 0.0]) if angle == "anchor" else np.array([2.0, 0.0])
    rays = ends(named(figure, "θ")) - corner
    cosine = rays[0] @ rays[1] / np.linalg.norm(rays[0]) / np.linalg.norm(rays[1])
    assert np.arccos(cosine) == pytest.approx(float(triangles(*points, angle=angle)[0]), abs=1e-4)
    tip = points[1] - corner  # one of its ends lies on the side to the third corner
    assert min(abs(ray[0] * tip[1] - ray[1] * tip[0]) for ray in rays) < 1e-5
    assert [t.name for t in figure.data if t.name == "straight on"] == (["straight on"] if angle == "turning" else [])
    assert [("θ" in text) for text in said(figure)[3:]] == [angle == "anchor", False, angle != "anchor"]


def test_sides_and_corners_differ_in_more_than_hue():
    figure = triangle.triangle(*TEST)
    lines = [named(figure, side).line for side in ("sep", "detour", "traj")]
    assert len({line.dash for line in lines}) == len({line.color for line in lines}) == 3 and len(set(named(figure, "corners").marker.symbol)) == 3
    assert all(template.contrast(line.color, ground) >= 3 for line in lines for ground in (template.LIGHT, template.DARK))


def test_several_triangles_stand_in_one_frame():
    small, large = triangle.free(1, 0.5, 40), triangle.free(4, 3, 120)
    bounds = triangle.frame([small, large])
    figures = [triangle.triangle(*points, bounds=bounds) for points in (small, large)]
    assert figures[0].layout.xaxis.range == figures[1].layout.xaxis.range == tuple(bounds[0])
    corners = named(figures[1], "corners")
    assert bounds[0, 0] < min(corners.x) and max(corners.x) < bounds[0, 1] and max(corners.y) < bounds[1, 1]
    assert triangle.triangle(*small).layout.xaxis.range != tuple(bounds[0])


def test_points_that_are_one_are_no_triangle():
    for points in (triangle.free(0, 1, 0), triangle.free(1, 0, 90), triangle.free(1, 1, 0), (np.zeros(3),) * 3):
        figure = triangle.triangle(*points)
        assert figure.layout.title.text.startswith("Two of the points are one") and "θ" not in {t.name for t in figure.data}
        assert np.isfinite([*figure.layout.xaxis.range, *figure.layout.yaxis.range]).all() and "dropped" in triangle.says(*points)


def test_a_free_triangle_has_the_sides_and_the_angle_that_were_asked_for():
    anchor, after, partner = triangle.free(3, 4, 90)
    np.testing.assert_allclose([anchor, after, partner], TEST, atol=1e-12)
    anchor, after, partner = triangle.free(2, 5, 130)
    assert np.linalg.norm(partner - anchor) == pytest.approx(2) and np.linalg.norm(after - anchor) == pytest.approx(5)
    for bad in ((-1, 1, 90), (1, np.nan, 90), (1, 1, 181)):
        refused(lambda bad=bad: triangle.free(*bad), "triangle", "180")


def test_the_answer_in_words():
    assert triangle.says(*TEST) == ("The anchor is 3 from the partner (sep) and moves 4 to the next layer (traj); by way of the partner the rest is "
                                             "5 (detour). So θ = 53.1° and d = 1.")
    note = triangle.triangle(*TEST, angle="anchor", distance="path").layout.meta["note"]
    assert "the corner at the anchor" in note and "(|sep| + |detour| − |traj|) / (|sep| + |detour|)" in note


def test_names_are_short_and_never_markup():
    figure = triangle.triangle(*TEST, names=(EVIL, "x" * 90, EVIL))
    assert "<a" not in json.dumps(json.loads(figure.to_json())) and any("x" * 25 + "…" in text for text in said(figure))
    assert len(figure.to_json()) < 8000
