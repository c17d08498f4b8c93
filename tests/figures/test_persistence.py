"""The figures of persistence: every bar where it belongs and traceable to its row, nothing left out unsaid, never hue alone."""

import json

import numpy as np
import pytest

from analysis.figures import comparison, filtration, persistence, template
from analysis.metrics.projection import pca
from analysis.metrics.spanning import Tree, tree

EVIL = '<a href="https://x">a</a>'


def bars(n=40, loops=25, seed=0):
    rng = np.random.default_rng(seed)
    h0 = np.column_stack([np.zeros(n), [*np.sort(rng.uniform(0.1, 3, n - 1)), np.inf]])
    born = rng.uniform(1, 2, loops)
    return {0: h0, 1: np.column_stack([born, born + rng.uniform(0.01, 1, loops)]), 2: np.array([[2.0, 2.5]])}


def clickable(figure):
    return [t for t in figure.data if t.customdata is not None]


def named(figure, name):
    return next(t for t in figure.data if t.name == name)


def length(figure) -> int:
    return len(figure.to_json())


# the diagram

def test_every_bar_is_a_point_at_its_birth_and_death():
    given = bars()
    figure = persistence.diagram(given, extent=3.2, separation=4)
    seen = {}
    for trace in clickable(figure):
        assert trace.x.dtype == np.float32 and trace.customdata.dtype == np.int32
        seen |= {tuple(c): (x, y) for c, x, y in zip(trace.customdata.tolist(), trace.x, trace.y, strict=True)}
    assert len(seen) == sum(map(len, given.values())) and figure.layout.meta["note"] == ""
    for (dim, i), (x, y) in seen.items():
        birth, death = given[dim][i]
        assert (x, y) == pytest.approx((birth, death if np.isfinite(death) else persistence.rule(3.2)), rel=1e-6)


def test_what_never_dies_stands_on_a_labelled_rule_above_everything():
    figure = persistence.diagram(bars(), extent=3.2)
    rule = next(t for t in figure.data if t.name == "never dies" and t.mode == "lines")
    point = next(t for t in clickable(figure) if t.name == "never dies")
    assert list(point.customdata[0]) == [0, 39] and point.y[0] == pytest.approx(rule.y[0]) and rule.y[0] > 3.2
    assert "never dies" in figure.layout.annotations[0].text and "never dies" in point.hovertext[0]


def test_the_axes_are_equal_with_the_diagonal_between():
    figure = persistence.diagram(bars(), extent=3.2)
    assert figure.layout.xaxis.range == figure.layout.yaxis.range and figure.layout.yaxis.scaleanchor == "x"
    line = named(figure, "diagonal")
    assert list(line.x) == list(line.y) == [0, 3.2] and line.line.dash == "dash"


@pytest.mark.parametrize("separation", [0, 1, 9, 200])
def test_the_separating_bars_are_the_longest_finite_ones(separation):
    figure = persistence.diagram(bars(), extent=3.2, separation=separation)
    stars = [t for t in clickable(figure) if t.marker.symbol == persistence.STAR]
    rows = [i for t in stars for _, i in t.customdata]
    assert sorted(rows) == list(range(39))[39 - min(separation, 39):]  # ascending deaths: the last but the one that never dies
    assert [t.name for t in stars] == ([f"the k−1 = {separation} separating bars"] if separation else [])


def test_dimensions_differ_in_colour_and_marker_and_are_named():
    figure = persistence.diagram(bars(), extent=3.2)
    looks = {t.name: (t.marker.color, t.marker.symbol) for t in clickable(figure) if t.showlegend is not False}
    assert set(looks) == set(persistence.NAMES) and len({c for c, _ in looks.values()}) == len({s for _, s in looks.values()}) == 3
    for colour, _ in looks.values():
        assert template.contrast(colour, template.LIGHT) >= 3 and template.contrast(colour, template.DARK) >= 3


def test_above_the_limit_the_longest_are_drawn_and_the_chosen_with_them():
    given = {0: bars(3000)[0]}
    figure = persistence.diagram(given, extent=3.2, limit=100, highlight=(0, 5))
    rows = sorted(i for t in clickable(figure) for _, i in t.customdata)
    assert rows == [5, *range(2900, 3000)] and figure.layout.meta["note"] == "100 of 3\u202f000 H0 points shown, the longest"
    assert length(persistence.diagram({0: given[0], 1: bars(loops=3000)[1]}, extent=3.2)) < 400_000


def test_landmarks_show_how_far_each_may_be_off():
    given = bars(loops=50)
    figure = persistence.diagram(given, extent=3.2, errors={1: 0.25, 2: 0.5})
    crossed = [t for t in figure.data if t.error_y.value is not None]
    assert [t.name for t in crossed] == ["H2 may be off", "H1 may be off"] and len(crossed[1].x) == persistence.ERRORS
    assert [t.error_x.value for t in crossed] == [t.error_y.value for t in crossed] == [0.5, 0.25] and {t.hoverinfo for t in crossed} == {"skip"}
    wide = persistence.diagram(given, extent=3.2, errors={1: 3.0})  # crosses over the whole picture would hide it
    assert not [t for t in wide.data if t.error_y.value is not None]


@pytest.mark.parametrize("chosen", [(1, 3), (0, 39), (0, 0)])
def test_the_chosen_bar_is_ringed(chosen):
    given = bars()
    rings = [t for t in persistence.diagram(given, extent=3.2, highlight=chosen).data if t.name == "selected"]
    birth, death = given[chosen[0]][chosen[1]]
    assert {t.marker.color for t in rings} == set(template.RING)
    assert all((t.x[0], t.y[0]) == pytest.approx((birth, min(death, persistence.rule(3.2)))) for t in rings)


def test_a_bar_is_said_in_words():
    assert persistence.says(0, np.array([[0, 3.21], [0, np.inf]])) == ["H0 bar: 0 – 3.21, lifetime 3.21", "H0 bar: 0 – ∞, never dies"]


def test_a_click_leads_back_to_its_bar_however_the_browser_sends_it():
    assert template.picked([1, 7]) == template.picked({"0": 1, "1": 7}) == template.picked(np.array([1, 7], np.int32)) == (1, 7)


@pytest.mark.parametrize("extent", [0, np.nan, np.inf])
def test_a_cloud_in_one_place_still_has_axes(extent):
    point = {0: np.array([[0, 0], [0, np.inf]]), 1: np.zeros((0, 2))}
    for figure in (persistence.diagram(point, extent=extent, separation=1), persistence.barcode(point, extent=extent, sweep=0.0)):
        assert np.isfinite(figure.layout.xaxis.range).all() and figure.layout.xaxis.range[0] < figure.layout.xaxis.range[1]
    assert persistence.barcode({1: np.zeros((0, 2))}, extent=extent).data == ()


# the barcode

def test_a_bar_is_hit_anywhere_on_its_row():
    figure = persistence.barcode(bars(), extent=3.2)
    unseen = [t for t in figure.data if t.type == "bar" and t.width == 1]
    seen = [t for t in figure.data if t.type == "bar" and t.width == 0.6]
    for row, bar in zip(unseen, seen, strict=True):
        assert row.marker.color == "rgba(0,0,0,0)" and (row.x >= 3.2).all() and row.base is None
        np.testing.assert_array_equal(row.customdata, bar.customdata)
        np.testing.assert_array_equal(row.y, bar.y)


def test_each_bar_lies_from_birth_to_death_longest_on_top():
    given = bars()
    figure = persistence.barcode(given, extent=3.2, shown=60)
    for dim, trace in zip((0, 1, 2), [t for t in figure.data if t.type == "bar" and t.width == 0.6], strict=True):
        rows = trace.customdata[:, 1]
        assert (trace.customdata[:, 0] == dim).all() and len(rows) == len(given[dim])
        deaths = np.where(np.isfinite(given[dim][rows, 1]), given[dim][rows, 1], persistence.rule(3.2))
        births = trace.base.astype(float)
        np.testing.assert_allclose(births + trace.x, deaths, rtol=1e-5)
        np.testing.assert_allclose(births, given[dim][rows, 0], rtol=1e-6)
        lifetimes = given[dim][rows, 1] - given[dim][rows, 0]
        assert list(lifetimes) == sorted(lifetimes, reverse=True) and (np.diff(trace.y) > 0).all()
    low, high = figure.layout.yaxis.range
    assert low > high and list(figure.layout.yaxis.ticktext) == ["H0", "H1", "H2"]
    assert list(figure.layout.xaxis.range) == list(persistence.diagram(given, extent=3.2).layout.xaxis.range)


def test_the_barcode_says_what_it_leaves_out():
    figure = persistence.barcode({0: bars(2000)[0], 1: bars(loops=80)[1]}, extent=3.2, shown=60, highlight=(0, 7))
    assert figure.layout.meta["note"] == "60 of 2\u202f000 H0 bars shown, the longest; 60 of 80 H1 bars shown, the longest"
    assert 7 in figure.data[0].customdata[:, 1] and len([t for t in figure.data if t.name == "selected"]) == 2


def test_separating_bars_and_the_endless_one_carry_a_mark_at_their_end():
    figure = persistence.barcode(bars(), extent=3.2, separation=4)
    stars = next(t for t in figure.data if t.name == persistence.separating(4))
    assert sorted(stars.customdata[:, 1]) == [35, 36, 37, 38] and stars.marker.symbol == persistence.STAR
    assert list(named(figure, "never dies").text) == ["∞"]


@pytest.mark.parametrize("sweep", [0.0, 1.5, 9.0])
def test_the_sweep_parts_every_bar(sweep):
    given = bars()
    figure = persistence.barcode(given, extent=3.2, sweep=sweep)
    whole, solid = [t for t in figure.data if t.type == "bar"][2:4]  # of H1
    births, deaths = given[1][whole.customdata[:, 1]].T
    np.testing.assert_allclose(solid.x, np.clip(np.minimum(deaths, sweep) - births, 0, None), atol=1e-6)
    np.testing.assert_allclose(whole.x, deaths - births, rtol=1e-5)
    assert figure.layout.shapes[0].x0 == sweep and whole.marker.color != solid.marker.color


# lifetimes by rank

def test_lifetimes_stand_by_rank_and_lead_back_to_their_row():
    deaths = np.sort(np.random.default_rng(1).uniform(0, 5, 150))
    curve = clickable(persistence.lifetimes(deaths))[0]
    np.testing.assert_allclose(curve.y, deaths[::-1], rtol=1e-6)
    np.testing.assert_allclose(curve.y, deaths[curve.customdata[:, 1]], rtol=1e-6)
    assert (curve.customdata[:, 0] == 0).all() and list(curve.x) == list(range(1, 151))


def test_many_ranks_are_thinned_and_it_is_said():
    deaths = np.sort(np.random.default_rng(1).uniform(0, 5, 4000))
    figure = persistence.lifetimes(deaths)
    curve = clickable(figure)[0]
    np.testing.assert_allclose(curve.y, deaths[curve.customdata[:, 1]], rtol=1e-6)
    assert list(curve.x[:200]) == list(range(1, 201)) and curve.x[-1] == 4000 and len(curve.x) <= 400
    assert figure.layout.meta["note"] == f"{len(curve.x)} of 4\u202f000 lifetimes drawn, every one up to rank 200"


def test_the_rules_stand_after_the_separating_bars_and_at_another_gap():
    deaths = np.linspace(0, 5, 50)
    said = lambda **more: [a.text for a in persistence.lifetimes(deaths, **more).layout.annotations]
    assert said(separation=9) == ["k−1 = 9"] and said(separation=9, gap=10) == ["k−1 = 9"] and said() == []
    assert said(separation=9, gap=4) == ["k−1 = 9", "largest gap: 4 pieces"]
    first, second = persistence.lifetimes(deaths, separation=9, gap=4).layout.shapes
    assert 9 < first.x0 < 10 and 3 < second.x0 < 4 and first.line.dash != second.line.dash


def test_the_null_band_is_grey_and_named():
    deaths = np.linspace(0, 5, 50)
    figure = persistence.lifetimes(deaths, low=np.full(50, 1.0), high=np.full(50, 2.0))
    band = named(figure, "shuffled columns, lowest to highest")
    assert band.fill == "tonexty" and (band.y == 2).all() and (figure.data[0].y == 1).all() and band.line.color == template.GREY


def test_two_clouds_differ_in_more_than_hue():
    figure = persistence.lifetimes([np.linspace(0, 5, 50), np.linspace(0, 2, 30)], low=[np.ones(50), np.ones(30)], high=[np.ones(50) * 2, np.ones(30) * 2],
                                   names=("a", EVIL), highlight=(0, 3))
    one, two = [t for t in figure.data if t.mode == "lines+markers"]
    assert one.customdata is not None and two.customdata is None  # a click is about the first cloud
    assert one.marker.symbol != two.marker.symbol and one.line.dash != two.line.dash and "<" not in two.name
    ring = named(figure, "selected")
    assert (ring.x[0], ring.y[0]) == (47, pytest.approx(np.linspace(0, 5, 50)[3]))
    assert sum(t.showlegend and t.name.startswith("shuffled") for t in figure.data) == 1


# the film of the filtration

def three_blobs(n=60, seed=0):
    centres = np.repeat([[0, 0], [9, 0], [0, 30]], [n // 2, n // 3, n - n // 2 - n // 3], axis=0)
    return (centres + np.random.default_rng(seed).standard_normal((n, 2))).astype(np.float32)


def lives(found, counts, joined):
    """Every component's colour at each frame, as {members: colour}."""
    return [{tuple(np.flatnonzero(joined.components(c) == label)): set(row[joined.components(c) == label].tolist())
             for label in range(len(found[0]) - c)} for c, row in zip(counts, found, strict=True)]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("step", [1, 7])
def test_a_component_keeps_its_colour_and_passes_it_on_to_what_it_becomes(seed, step):
    joined = tree(np.random.default_rng(seed).standard_normal((50, 3)))
    counts = np.arange(0, 50, step)
    frames = lives(filtration.component_colours(joined, counts, colours=5), counts, joined)
    for frame in frames:
        assert all(len(shades) == 1 for shades in frame.values())  # a component has one colour
        assert all(shades == {0} for members, shades in frame.items() if len(members) == 1)
        seen = [min(shades) for shades in frame.values() if shades != {0}]
        assert len(seen) == len(set(seen)) <= 5
    for before, after in zip(frames, frames[1:], strict=False):
        for members, shades in after.items():
            parts = sorted((m for m in before if set(m) <= set(members)), key=len)
            largest = [m for m in parts if len(m) == len(parts[-1]) > 1]
            assert not largest or shades in [before[m] for m in largest]


def test_those_that_grow_largest_have_a_colour_from_their_first_pair_on():
    joined = tree(three_blobs())
    counts = np.arange(60)
    found = filtration.component_colours(joined, counts, colours=3)
    assert found.dtype == np.int8 and found.shape == (60, 60) and set(np.unique(found)) == {0, 1, 2, 3}
    apart = found[57]  # three components are left
    assert len(set(apart[:30])) == len(set(apart[30:50])) == len(set(apart[50:])) == 1 and len(set(apart)) == 3
    assert (found[59] == apart[0]).all() and (found[58, 30:50] == apart[0]).all() and (found[58, 50:] == apart[50]).all()


def test_no_frames_no_edges_and_one_point_are_no_trouble():
    alone = Tree(np.zeros((0, 2), np.int64), np.zeros(0))
    assert filtration.component_colours(alone, [0, 0]).tolist() == [[0], [0]] and filtration.component_colours(alone, []).shape == (0, 1)


def film(n=60, frames=12, **more):
    x = three_blobs(n)
    joined = tree(x)
    radii = np.linspace(0, joined.lengths[-1] * 1.05, frames)
    return x, joined, radii, filtration.growing(pca([x], dims=2), joined, radii=radii, extent=float(joined.lengths[-1]), **more)


def test_a_frame_per_radius_each_with_its_edges_colours_and_sweep():
    _, joined, radii, figure = film(at=5, separation=2)
    assert len(figure.frames) == 12 and [f.name for f in figure.frames] == [str(i) for i in range(12)]
    counts = np.searchsorted(joined.lengths, radii, side="right")
    shades = filtration.component_colours(joined, counts)
    for i, frame in enumerate(figure.frames):
        edges, points, solid, sweep = frame.data
        assert len(edges.x) == 3 * counts[i] and np.isnan(edges.x[2::3]).all() and edges.x.dtype == np.float32
        np.testing.assert_array_equal(points.marker.color, shades[i])
        assert points.marker.color.dtype == np.int8 and (sweep.x == np.float32(radii[i])).all() and solid.x.max() <= radii[i] + 1e-6
        assert [figure.data[place].type for place in frame.traces] == [t.type for t in frame.data]
    np.testing.assert_array_equal(figure.data[1].marker.color, shades[5])
    assert len(figure.data[0].x) == 3 * counts[5] and figure.layout.title.text == figure.frames[5].layout.title.text


def test_balls_are_as_wide_as_the_radius_and_touch_when_their_points_join():
    x, joined, radii, figure = film(at=4, balls=True)
    balls, edges, points = figure.data[:3]
    around = np.stack([balls.x, balls.y], axis=1).reshape(60, -1, 2)
    assert np.isnan(around[:, -1]).all()  # a gap after each
    middle = np.stack([points.x, points.y], axis=1)[:, None]
    np.testing.assert_allclose(np.linalg.norm(around[:, :-1] - middle, axis=2), radii[4] / 2, rtol=1e-3)
    for frame in figure.frames:
        assert [figure.data[place].type for place in frame.traces] == [t.type for t in frame.data] and len(frame.data) == 5
        assert not any(a.visible for a in frame.layout.annotations)  # no name lies over them


def test_bars_that_are_known_up_to_a_radius_end_there():
    _, joined, radii, whole = film(frames=12)
    radii = radii[:4]
    clipped = filtration.growing(pca([three_blobs(60)], dims=2), joined, radii=radii, extent=float(joined.lengths[-1]), at=3, clipped=True)
    assert max(float(np.max(t.x)) for t in clipped.data if t.type == "bar") <= radii[-1] + 1e-6 < max(float(np.max(t.x)) for t in whole.data if t.type == "bar")
    assert len(clipped.frames) == 4 and clipped.layout.xaxis2.range == whole.layout.xaxis2.range
    assert all(t.hoverinfo == "skip" for t in clipped.data if t.type == "bar")


def test_the_edges_join_the_points_they_join_in_the_tree():
    _, joined, _, figure = film(at=11)
    edges, points = figure.data[:2]
    np.testing.assert_array_equal(edges.x.reshape(-1, 3)[:, :2], points.x[joined.edges])
    np.testing.assert_array_equal(edges.y.reshape(-1, 3)[:, :2], points.y[joined.edges])
    assert list(points.customdata) == list(range(60))


def test_every_frame_says_its_radius_and_names_the_large_components_by_number():
    _, joined, radii, figure = film(colours=4)
    first, last = figure.frames[0].layout, figure.frames[-1].layout
    assert first.title.text == "Radius 0: 60 components, the largest holds 1 item"
    assert last.title.text.endswith(": 1 component, the largest holds 60 items")
    assert not any(a.visible for a in first.annotations) and [a.text for a in last.annotations if a.visible] == ["1: 60"]
    assert {len(f.layout.annotations) for f in figure.frames} == {len(figure.layout.annotations)}  # a frame cannot remove what another added
    assert "alone, or not among the 4 components" in figure.layout.meta["note"]


def test_the_film_is_played_and_paused_and_has_no_slider():
    figure = film(at=3)[-1]
    play, pause = figure.layout.updatemenus[0].buttons
    assert (play.label, pause.label) == ("Play", "Pause") and list(play.args[0]) == [str(i) for i in range(3, 12)] and not figure.layout.sliders
    assert play.args[1]["frame"]["redraw"] and list(film(at=11)[-1].layout.updatemenus[0].buttons[0].args[0])[0] == "0"
    menu = figure.layout.updatemenus[0]
    assert template.contrast(menu.font.color, menu.bgcolor) >= 4.5 and all(template.contrast(menu.bgcolor, g) >= 2 for g in (template.LIGHT, template.DARK))
    still = film(at=3, film=False)[-1]
    assert not still.frames and not still.layout.updatemenus and still.data[1].marker.color.tolist() == figure.data[1].marker.color.tolist()


def test_the_colours_of_components_are_distinct_and_none_is_the_grey_of_the_others():
    scale = film(colours=12)[-1].data[1].marker.colorscale
    looks = [colour for _, colour in scale[::2]]
    assert looks[0] == template.GREY and len(set(looks)) == len(looks) and looks == [colour for _, colour in scale[1::2]]


def test_two_thousand_points_in_forty_frames_stay_small():
    x = np.random.default_rng(0).standard_normal((2000, 8)).astype(np.float32)
    joined = tree(x)
    figure = filtration.growing(pca([x], dims=2), joined, radii=np.linspace(0, joined.lengths[-1], 40), extent=float(joined.lengths[-1]), at=20)
    assert length(figure) < 4_000_000 and figure.data[0].type == figure.data[1].type == "scattergl"
    assert {t.type for f in figure.frames for t in f.data} == {"scattergl", "bar", "scatter"}
    assert "60 of 2\u202f000 H0 bars shown" in figure.layout.meta["note"]


def test_of_many_edges_the_longest_are_drawn(monkeypatch):
    monkeypatch.setattr(filtration, "EDGES", 20)
    _, joined, radii, figure = film()
    counts = np.searchsorted(joined.lengths, radii, side="right")
    assert [len(f.data[0].x) for f in figure.frames] == [3 * max(0, c - 39) for c in counts]
    assert "20 of 59 edges drawn, the longest" in figure.layout.meta["note"]


def test_a_tree_of_some_rows_is_drawn_where_those_rows_are():
    x, rows = three_blobs(), np.arange(0, 60, 2)
    picture, joined = pca([x], dims=2), tree(x[rows])
    figure = filtration.growing(picture, joined, rows=rows, radii=[0.0, 40.0], extent=40.0, at=1, hover=[f"item {i}" for i in range(60)])
    points = figure.data[1]
    np.testing.assert_array_equal(points.x, picture.points[rows, 0])
    assert list(points.customdata) == list(rows) and list(points.hovertext[:2]) == ["item 0", "item 2"]
    assert figure.layout.meta["note"].startswith("30 of 60 items")


def test_other_dimensions_are_swept_too():
    x, joined, radii, _ = film()
    figure = filtration.growing(pca([x], dims=2), joined, radii=radii, extent=20.0, bars=bars())
    for frame in figure.frames:
        assert [figure.data[i].type for i in frame.traces] == [t.type for t in frame.data] == ["scatter", "scatter", "bar", "bar", "bar", "scatter"]
        for place, swept in zip(frame.traces[2:5], frame.data[2:5], strict=True):
            assert len(figure.data[place].x) == len(swept.x)


# compared

def series(m=6):
    v = np.linspace(0.9, 0.4, m)
    return [f"layer {i}" for i in range(m - 1)] + [EVIL], v, {"low": v - 0.05, "high": v + 0.1, "clusters": np.arange(1, m + 1), "loops": np.arange(m) * 10.0}


def test_three_panels_over_the_same_places():
    names, values, rest = series()
    values = np.where(np.arange(6) == 2, np.nan, values)
    figure = comparison.through(names, values, **rest, chance=np.full(6, 0.95), chance_low=np.full(6, 0.9), chance_high=np.ones(6), truth=10, at=3)
    ratio, clusters, loops = clickable(figure)
    np.testing.assert_allclose(ratio.y, values, rtol=1e-6)
    assert list(clusters.y) == [1, 2, 3, 4, 5, 6] and list(loops.y) == [0, 10, 20, 30, 40, 50] and np.isnan(ratio.y[2]) and not ratio.connectgaps
    assert all(list(t.customdata) == list(range(6)) for t in (ratio, clusters, loops)) and len({t.marker.symbol for t in (ratio, clusters, loops)}) == 3
    np.testing.assert_allclose(ratio.error_y.array, rest["high"] - values, atol=1e-6)
    np.testing.assert_allclose(ratio.error_y.arrayminus, values - rest["low"], atol=1e-6)
    assert {t.yaxis for t in (ratio, clusters, loops)} == {"y", "y2", "y3"} and "<" not in figure.layout.xaxis.ticktext[-1]
    mark, dashed = figure.layout.shapes
    assert mark.x0 < 3 < mark.x1 and dashed.y0 == 10 and dashed.yref == "y2" and "10 classes" in figure.layout.annotations[2].text
    assert named(figure, "chance, high").fill == "tonexty" and not any("<" in text for text in ratio.hovertext)


def test_without_loops_there_are_two_panels():
    names, values, rest = series()
    figure = comparison.through(names, values, **{**rest, "loops": None}, truth=10)
    assert len(clickable(figure)) == 2 and "yaxis3" not in figure.layout.to_plotly_json() and figure.layout.xaxis.anchor == "y2"
    assert not any("H1" in label.text for label in figure.layout.annotations) and figure.layout.yaxis2.domain[0] == 0


def test_hundreds_of_clusters_go_on_a_log_axis():
    names, values, rest = series()
    plain = comparison.through(names, values, **rest)
    many = comparison.through(names, values, **{**rest, "clusters": [800, 90, 10, 10, 10, 10]}, truth=10)
    assert plain.layout.yaxis2.type is None and many.layout.yaxis2.type == "log" and not plain.layout.shapes


def test_a_frame_per_checkpoint_on_fixed_axes():
    each = [bars(seed=i) for i in range(4)]
    each[2] = {0: each[2][0]}
    figure = comparison.training(each, ["step 0", "step 1", EVIL, "step 3"], extent=3.2, separation=5, at=1)
    assert len(figure.frames) == 4 and figure.layout.title.text == "step 1" and "<" not in figure.frames[2].layout.title.text
    assert [list(f.layout.to_plotly_json()) for f in figure.frames] == [["title"]] * 4  # the axes stay
    shown = comparison.training(each, ["a"] * 4, extent=3.2, separation=5, at=3)
    for place, trace in zip(figure.frames[3].traces, figure.frames[3].data, strict=True):
        np.testing.assert_array_equal(trace.x, shown.data[place].x)
        np.testing.assert_array_equal(trace.y, shown.data[place].y)
        np.testing.assert_array_equal(trace.customdata, shown.data[place].customdata)
    assert len(figure.frames[2].data) == len(figure.frames[1].data)  # what this one lacks is emptied, not left over
    assert not comparison.training(each, ["a"] * 4, extent=3.2, film=False).frames


def test_training_says_its_limit_and_stays_small():
    figure = comparison.training([{0: bars(3000)[0], 1: bars(loops=900)[1]}] * 20, [str(i) for i in range(20)], extent=3.2, limit=300)
    assert figure.layout.meta["note"] == "of each diagram and dimension the 300 longest bars" and length(figure) < 2_000_000


def test_a_matrix_cell_can_be_clicked_and_says_its_pair():
    values = np.array([[0, 2, np.nan], [2, 0, 5], [np.nan, 5, 0]])
    figure = comparison.matrix(values, ["a", "b", EVIL], title="Wasserstein", unit="units", bounds=0.5, at=(0, 1))
    np.testing.assert_array_equal(figure.data[0].z, values)
    cells = clickable(figure)[0]
    for (i, j), x, y, said in zip(cells.customdata, cells.x, cells.y, cells.hovertext, strict=True):
        assert (x, y) == (j, i) and "<" not in said
    assert cells.hovertext[1] == "a – b: 2 ± 0.5 units" and cells.hovertext[2].endswith("not computable")
    assert {s.line.color for s in figure.layout.shapes} == set(template.RING) and figure.layout.yaxis.scaleanchor == "x"
    wide = comparison.matrix(np.zeros((30, 30)), [str(i) for i in range(30)], title="bottleneck")
    assert len([t for t in wide.data if t.type == "heatmap"]) == 1 and len(wide.data[-1].x) == 900


def test_the_numbers_in_a_matrix_read_on_their_cells():
    from plotly.colors import sample_colorscale
    for share in np.linspace(0, 1, 101):
        red, green, blue = (int(v) for v in sample_colorscale(template.SEQUENTIAL, [share])[0].strip("rgb()").split(","))
        ink = "#FFFFFF" if share < comparison.MIDDLE else "#000000"
        assert template.contrast(ink, f"#{red:02X}{green:02X}{blue:02X}") >= 4.4
    values = np.array([[0.0, 4.0], [4.0, 0.0]])
    inks = {t.textfont.color: t.z for t in comparison.matrix(values, "ab", title="d").data if t.name == "numbers"}
    np.testing.assert_array_equal(np.isnan(inks["#FFFFFF"]), values == 4)
    np.testing.assert_array_equal(np.isnan(inks["#000000"]), values == 0)


def test_a_matching_joins_its_pairs_and_sends_the_rest_to_the_diagonal():
    p, q = np.array([[0, 4.0], [1, 2]]), np.array([[0, 5.0], [3, 3.5], [0, np.inf]])
    pairs = np.array([[0, 0, 1.0], [1, -1, 0.7], [-1, 1, 0.35], [-1, -1, 0]])
    figure = comparison.matched(p, q, pairs, names=("a", EVIL), extent=5)
    lines = {name: np.column_stack([named(figure, name).x, named(figure, name).y]).reshape(-1, 3, 2)[:, :2] for name in ("matched", "to the diagonal")}
    np.testing.assert_allclose(lines["matched"], [[[0, 4], [0, 5]]])
    np.testing.assert_allclose(lines["to the diagonal"], [[[1, 2], [1.5, 1.5]], [[3.25, 3.25], [3, 3.5]]])
    assert list(named(figure, "cost").hovertext) == [f"this pair costs {c}" for c in ("1", "0.7", "0.35")]
    one, two = clickable(figure)
    assert one.customdata.tolist() == [[0, 0], [0, 1]] and two.customdata.tolist() == [[1, 0], [1, 1]]
    assert one.marker.symbol != two.marker.symbol and "<" not in two.name and figure.layout.xaxis.range == figure.layout.yaxis.range
    nothing = comparison.matched(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros((0, 3)), names=("a", "b"), extent=0)
    assert all(len(t.x) == 0 for t in clickable(nothing))


def test_models_are_ranked_lowest_ratio_on_top_and_those_without_one_last():
    values = np.array([0.5, np.nan, 0.3])
    figure = comparison.ranking(["vit", EVIL, "cnn"], values, values - 0.1, values + 0.2, second=[0.6, 0.4, 0.2], second_low=[0.5, 0.3, 0.1],
                                second_high=[0.7, 0.5, 0.3], chance=0.95, at=0)
    source, target = clickable(figure)
    assert list(source.customdata) == [2, 0, 1] and list(figure.layout.yaxis.ticktext) == ["cnn", "vit", template.plain(EVIL)]
    np.testing.assert_allclose(source.x, values[[2, 0, 1]], rtol=1e-6)
    np.testing.assert_allclose(target.x, [0.2, 0.6, 0.4], rtol=1e-6)
    np.testing.assert_allclose(source.error_x.array[:2], 0.2, rtol=1e-5)
    np.testing.assert_allclose(source.error_x.arrayminus[:2], 0.1, rtol=1e-5)
    assert source.marker.symbol != target.marker.symbol and source.name == "PR, source" and (figure.data[0].x == np.float32(0.95)).all()
    assert [(a.text, a.y) for a in figure.layout.annotations] == [("PR, source: not computable", 2)]
    top, bottom = sorted(figure.layout.yaxis.range)
    assert top < 0 and bottom > 2 and figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]  # place 0 on top
    assert "lower = ranked higher" in figure.layout.xaxis.title.text and figure.layout.shapes[0].y0 < 1 < figure.layout.shapes[0].y1


def test_titles_and_units_from_outside_are_never_markup():
    values = np.zeros((2, 2))
    for figure in (persistence.diagram(bars(), extent=3, title=EVIL), comparison.matrix(values, (EVIL, EVIL), title=EVIL, unit=EVIL),
                   comparison.through(*series()[:2], **series()[2], title=EVIL), comparison.ranking([EVIL], [1], [1], [1], labels=(EVIL, EVIL))):
        assert "<a" not in json.dumps(json.loads(figure.to_json()))
