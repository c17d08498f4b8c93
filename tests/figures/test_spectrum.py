"""The figures of the alignment spectrum: every k where it belongs and one click away, nothing left out unsaid, never hue alone."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from analysis.figures import layers, spectrum, template
from analysis.metrics import tas

EVIL = '<a href="https://x">a</a>'


@pytest.fixture(scope="module")
def pair():
    rng = np.random.default_rng(0)
    x = np.repeat(rng.standard_normal((4, 3)) * 4, 20, axis=0) + rng.standard_normal((80, 3))
    return x, x + rng.standard_normal((80, 3))


@pytest.fixture(scope="module")
def found(pair):
    return tas.spectrum(*pair)


def curve(n=200, level=0.5, seed=0):
    """Stands in for a Spectrum where only its shape matters."""
    k = np.arange(1, n - 1)
    values = level + 0.1 * np.sin(np.log(k) + seed)
    return SimpleNamespace(k=k, tas=values, floor=-k / (2.0 * n), n=n)


def band(n=200, low=-0.02, high=0.02):
    return SimpleNamespace(low=np.full(n - 2, low), high=np.full(n - 2, high), mean=np.full(n - 2, (low + high) / 2))


def clickable(figure):
    return [t for t in figure.data if t.customdata is not None]


def named(figure, name):
    return next(t for t in figure.data if t.name == name)


def said(figure):
    return [a.text for a in figure.layout.annotations]


# pairs

def test_the_spectrum_bands_and_floor_are_drawn_as_they_were_computed(pair, found):
    null, redrawn = tas.null_band(*pair, permutations=5), tas.bootstrap_band(*pair, resamples=5)
    figure = spectrum.spectrum([("a – b", found)], null=null, bootstrap=redrawn, floor=found.floor)
    for name, values in {"a – b": found.tas, "null band: points relabelled": null.high, "null band: points relabelled, low": null.low,
                         "mean of the null": null.mean, "bootstrap band: points redrawn": redrawn.high, "floor: the least possible": found.floor}.items():
        trace = named(figure, name)
        np.testing.assert_array_equal(trace.x, found.k)
        np.testing.assert_allclose(trace.y, values, rtol=1e-6, atol=1e-7)
    grey, blue = (named(figure, f"{kind}: points {done}") for kind, done in (("null band", "relabelled"), ("bootstrap band", "redrawn")))
    colour = named(figure, "a – b").line.color
    assert grey.fill == blue.fill == "tonexty" and grey.fillcolor.startswith("rgba(122") and blue.fillcolor == spectrum.faded(colour, spectrum.SHADE)
    assert named(figure, "floor: the least possible").line.dash == "dot" and figure.layout.meta["note"] == ""


def test_a_curve_may_end_at_a_k_on_the_same_axis(found):
    whole, part = (spectrum.spectrum([("a", found)], **more) for more in ({}, {"upto": 7}))
    y = named(part, "a").y
    np.testing.assert_allclose(y[:7], named(whole, "a").y[:7])
    assert np.isnan(y[7:]).all() and part.layout.xaxis.range == whole.layout.xaxis.range


def test_every_point_of_a_curve_carries_its_k_and_can_be_clicked_from_anywhere(found):
    figure = spectrum.spectrum([("a", found), ("b", found)], floor=found.floor, at=7)
    assert len(clickable(figure)) == 2 and figure.layout.hovermode == "x unified"
    for trace in clickable(figure):
        assert trace.customdata.dtype == np.int32 and list(trace.customdata) == list(found.k) and "markers" in trace.mode
        assert trace.unselected.marker.opacity == 1
    assert all(t.hoverinfo == "skip" for t in figure.data if t.customdata is None)


@pytest.mark.parametrize("log", [True, False])
@pytest.mark.parametrize("relative", [True, False])
def test_the_axis_is_k_or_its_share_and_the_rules_stand_on_it(log, relative):
    given = curve(100)
    figure = spectrum.spectrum([("a", given)], scale=10, at=40, log=log, relative=relative)
    trace, (scale, at), axis = clickable(figure)[0], figure.layout.shapes, figure.layout.xaxis
    np.testing.assert_allclose(trace.x, given.k / (100 if relative else 1), rtol=1e-6)
    assert list(trace.customdata) == list(given.k)  # a click gives k on any axis
    assert (scale.x0, at.x0) == ((0.1, 0.4) if relative else (10, 40)) and scale.line.dash == "dash" and at.line.color == template.HIGHLIGHT
    assert said(figure) == ["cluster scale n/C = 10", "k = 40"] and axis.type == ("log" if log else None)
    place = np.log10 if log else float
    assert [a.x for a in figure.layout.annotations] == pytest.approx([place(scale.x0), place(at.x0)])
    assert axis.range[0] < place(float(trace.x[0])) and place(float(trace.x[-1])) < axis.range[1]
    assert ("k/n" in axis.title.text) == relative and figure.layout.annotations[0].yshift != figure.layout.annotations[1].yshift


def test_a_scale_beyond_the_axis_is_said_with_an_arrow():
    figure = spectrum.spectrum([("a", curve(100))], scale=5000, at=1)
    assert said(figure) == ["cluster scale n/C = 5\u202f000 →", "k = 1"] and len(figure.layout.shapes) == 1
    assert figure.layout.annotations[0].x <= figure.layout.xaxis.range[1]


def test_companions_are_flat_lines_with_names_that_do_not_overlap():
    given = {"CKA": 0.61, "CKA, debiased": 0.60, "RSA": 0.605, "Procrustes": 0.99, EVIL: -0.3, "kNN": np.nan}
    figure = spectrum.spectrum([("a", curve())], companions=given, height=440)
    flat = {s.name: s.y0 for s in figure.layout.shapes if s.name}
    assert flat == {f"{template.plain(name)} {v:.2f}": v for name, v in given.items() if np.isfinite(v)}
    assert all(s.y0 == s.y1 and (s.x0, s.x1, s.xref) == (0, 1, "paper") for s in figure.layout.shapes if s.name)
    low, high = figure.layout.yaxis.range
    labels = {a.text: a.y for a in figure.layout.annotations}
    places = sorted(labels.values())
    assert set(labels) == set(flat) and min(np.diff(places)) >= 0.999 * spectrum.LINE * (high - low) / 440 and low < -0.3
    assert sorted(labels, key=labels.get) == sorted(flat, key=flat.get) and all("<" not in text for text in labels)
    assert figure.layout.margin.r > 100 and figure.layout.meta["note"] == "kNN could not be computed"


@pytest.mark.parametrize("seed", range(5))
def test_labels_are_spread_no_further_than_they_must(seed):
    values = np.random.default_rng(seed).uniform(0, 1, 8)
    places = spectrum.spread(values, 0.1, 0, 1)
    assert (np.diff(np.sort(places)) >= 0.1 - 1e-9).all() and (np.argsort(places) == np.argsort(values)).all() and places.min() >= 0 and places.max() <= 1
    np.testing.assert_allclose(spectrum.spread([0.1, 0.5, 0.9], 0.1, 0, 1), [0.1, 0.5, 0.9])
    np.testing.assert_allclose(spectrum.spread([0.5, 0.5], 0.1, 0, 1), [0.45, 0.55])
    assert len(spectrum.spread([], 0.1, 0, 1)) == 0 and np.diff(spectrum.spread([0] * 30, 0.1, 0, 1)) == pytest.approx(0.1)


def test_the_axis_of_tas_is_the_same_for_every_pair_and_deeper_only_where_needed():
    reach = lambda *given, **more: spectrum.spectrum([("a", g) for g in given], **more).layout.yaxis.range
    high, low, deep = curve(level=0.8), curve(level=0.1), curve()
    deep.tas = 0.9 * deep.floor
    assert reach(high) == reach(low) == reach(high, floor=high.floor) and reach(high)[1] > 1 and -0.2 < reach(high)[0] < 0
    assert reach(high, deep)[0] < deep.tas.min() and reach(deep, floor=deep.floor)[0] < deep.floor.min()


def test_many_sizes_are_thinned_evenly_on_a_log_axis_and_it_is_said():
    given = curve(20_002)
    figure = spectrum.spectrum([("a", given)], null=band(20_002), floor=given.floor, at=12_345, scale=777.0)
    trace = clickable(figure)[0]
    kept = trace.customdata
    assert list(kept[:50]) == list(range(1, 51)) and {777, 12_345, 20_000} <= set(kept.tolist()) and len(kept) <= spectrum.LIMIT + 2
    np.testing.assert_allclose(trace.y, given.tas[kept - 1], rtol=1e-6)
    np.testing.assert_allclose(named(figure, "floor: the least possible").y, given.floor[kept - 1], rtol=1e-6)
    assert figure.layout.meta["note"] == f"{len(kept)} of 20\u202f000 neighbourhood sizes drawn, evenly spaced on a log axis"
    assert np.diff(np.log(kept[200:])).max() < 0.06 and len(figure.to_json()) < 60_000


def test_a_band_up_to_a_smaller_k_ends_there():
    figure = spectrum.spectrum([("a", curve(20_002))], null=band(1002))
    low = named(figure, "null band: points relabelled, low")
    assert len(low.x) == len(low.y) and low.x[-1] <= 1000


def test_four_pairs_differ_in_more_than_hue_and_read_on_both_grounds():
    figure = spectrum.spectrum([(name, curve(seed=i)) for i, name in enumerate(("a", "b", "c", EVIL))])
    looks = [(t.line.color, t.line.dash) for t in clickable(figure)]
    assert len({c for c, _ in looks}) == len({d for _, d in looks}) == 4 and "dot" not in {d for _, d in looks}  # the floor is dotted
    assert all(template.contrast(c, ground) >= 3 for c, _ in looks for ground in (template.LIGHT, template.DARK))


# classes

def classes(m, n=200):
    return np.array([curve(n, level=0.02 * i).tas for i in range(m)])


def test_each_class_has_its_curve_in_the_look_of_the_map_most_alike_first():
    values, k = classes(5), curve().k
    figure = spectrum.by_class(k, values, ["zero", "one", "two", "three", EVIL], counts=[10, 1, 12, 13, 14], at=20, overall=values.mean(axis=0))
    overall, *shown = clickable(figure)
    assert [t.name for t in shown] == [template.plain("<a href=\"h…/x\">a</a>"), "three", "two", "one", "zero"] and overall.name == "all items"
    for i, trace in zip((4, 3, 2, 1, 0), shown, strict=True):
        np.testing.assert_allclose(trace.y, values[i], rtol=1e-5, atol=1e-7)
        assert (trace.line.color, trace.marker.symbol) == template.marks(5)[i] and "<a" not in trace.hovertemplate and list(trace.customdata) == list(k)
        assert 4 <= (np.asarray(trace.marker.size) > 1).sum() <= 7
    assert "one, 1 item<br>" in shown[3].hovertemplate and "%{customdata}" in shown[3].hovertemplate and len({t.line.dash for t in shown}) == 5
    assert overall.line.width > 2 * shown[0].line.width and figure.layout.shapes[0].x0 == 20 and "at k = 20" in figure.layout.legend.title.text
    ranks = {t.name: t.legendrank for t in figure.data}
    assert ranks["three"] < ranks["all items"] < ranks["one"]


def test_of_many_classes_the_extremes_have_a_colour_and_the_others_are_grey_and_named():
    names = [f"class {i}" for i in range(36)]
    figure = spectrum.by_class(curve().k, classes(36), names, counts=[5] * 36, at=20)
    coloured = [t for t in clickable(figure) if t.showlegend is not False]
    grey = [t for t in clickable(figure) if t.showlegend is False]
    assert [t.name for t in coloured] == [names[i] for i in (*range(35, 29, -1), *range(5, -1, -1))] and len(grey) == 24
    assert {t.line.color for t in grey} == {spectrum.faded(template.GREY, 0.5)} and all(t.name in t.hovertemplate for t in grey)
    assert figure.layout.meta["note"].startswith("in colour the 6 classes that agree most and the 6 that agree least at k = 20, the others in grey")


def test_a_thousand_classes_stay_small_and_empty_ones_are_named():
    values = classes(1000, 3000)
    values[7] = np.nan
    figure = spectrum.by_class(curve(3000).k, values, [f"c{i}" for i in range(1000)], counts=[3] * 1000)
    assert len(figure.data) == spectrum.COLOURED + spectrum.OTHERS and len(figure.to_json()) < 400_000
    note = figure.layout.meta["note"]
    assert "over all scales" in note and "80 of the 987 others drawn" in note and "without items: c7" in note and "neighbourhood sizes drawn" in note


# seeds

def test_a_group_is_its_mean_with_its_band_and_single_pairs():
    groups = {"PT–PT": [curve(seed=i) for i in range(3)], "FT–FT": [curve(level=0.7)], "PT–FT": []}
    figure = spectrum.convergence(groups, null=band(), scale=20, at=5)
    first, second = clickable(figure)
    several = np.array([p.tas for p in groups["PT–PT"]])
    np.testing.assert_allclose(first.y, several.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(named(figure, "PT–PT, low").y, several.min(axis=0), rtol=1e-6)
    np.testing.assert_allclose(named(figure, "PT–PT").y, several.max(axis=0), rtol=1e-6)
    assert [t.name for t in (first, second)] == ["PT–PT: mean of 3 pairs", "FT–FT: 1 pair"]
    assert len([t for t in figure.data if t.name == "PT–PT, single pair" and t.line.width < 1]) == 3 and first.line.width > 3
    assert first.line.dash != second.line.dash and first.line.color != second.line.color
    assert said(figure) == ["cluster scale n/C = 20", "k = 5"] and figure.layout.meta["note"] == "PT–FT: no pairs"


def test_pairs_of_different_reach_are_compared_as_far_as_all_go():
    figure = spectrum.convergence({"a": [curve(200), curve(100)]})
    assert list(clickable(figure)[0].customdata) == list(range(1, 99))


# clouds

def test_the_clouds_have_one_look_per_label_and_the_same_rows_ringed():
    rng = np.random.default_rng(0)
    a, b, labels = rng.standard_normal((60, 2)), rng.standard_normal((60, 2)), np.arange(60) % 3
    figure = spectrum.clouds(a, b, labels, names=("A", EVIL), highlight=[4, 9])
    assert len(clickable(figure)) == 6
    for points, axis in ((a, "x"), (b, "x2")):
        traces = [t for t in clickable(figure) if t.xaxis == axis]
        assert [(t.marker.color, t.marker.symbol) for t in traces] == template.marks(3)
        for trace in traces:
            np.testing.assert_allclose(np.column_stack([trace.x, trace.y]), points[trace.customdata], rtol=1e-6)
        rings = [t for t in figure.data if t.name == "selected" and t.xaxis == axis]
        assert [t.marker.color for t in rings] == list(template.RING)
        np.testing.assert_allclose(rings[0].x, points[[4, 9], 0], rtol=1e-6)
    assert figure.layout.yaxis.scaleanchor == "x" and figure.layout.yaxis2.scaleanchor == "x2" and said(figure) == ["A", template.plain(EVIL)]


def test_many_chosen_rows_are_set_off_by_fading_the_others():
    points = np.random.default_rng(0).standard_normal((2000, 2))
    figure = spectrum.clouds(points, points, np.zeros(2000, int), highlight=range(100))
    assert {t.type for t in figure.data} == {"scattergl"} and all(list(t.selectedpoints) == list(range(100)) for t in figure.data)
    assert len(figure.to_json()) < 150_000


# layers

def test_layers_by_k_are_means_over_columns_that_hold_every_k_once():
    rng = np.random.default_rng(0)
    values, k = rng.uniform(-0.3, 1, (3, 1500)), np.arange(1, 1501)
    heat = layers.by_k(values, ("a", "b", EVIL), k, at_k=50, at=1).data[0]
    spans = [[int(part.replace("\u202f", "")) for part in text.split("–")] for text in heat.text[0]]
    members = [range(span[0], span[-1] + 1) for span in spans]
    assert [one for part in members for one in part] == list(k) and len(members) <= layers.COLUMNS and heat.x.shape == (len(members) + 1,)
    np.testing.assert_allclose(heat.z, np.column_stack([values[:, np.array(part) - 1].mean(axis=1) for part in members]), rtol=1e-5)
    assert all(left < part[0] and part[-1] < right for left, part, right in zip(heat.x, members, heat.x[1:], strict=False))
    assert len(members[9]) == 1 and len(members[-1]) > 20  # the small k alone


def test_layers_by_k_mark_the_chosen_and_name_the_layers_from_the_top():
    figure = layers.by_k(np.zeros((3, 40)), ("a", "b", EVIL), np.arange(1, 41), title=EVIL, at_k=5, at=2)
    frames, rules = figure.layout.shapes[:2], figure.layout.shapes[2:]
    assert all((s.type, s.y0, s.y1) == ("rect", 1.5, 2.5) for s in frames) and all((s.type, s.x0) == ("line", 5) for s in rules)
    assert [s.line.color for s in rules] == list(template.RING) and said(figure) == ["k = 5"]
    low, high = figure.layout.yaxis.range
    assert low > high and list(figure.layout.yaxis.ticktext) == ["a", "b", template.plain(EVIL)] and figure.layout.xaxis.type == "log"


def test_a_colour_means_the_same_tas_whatever_the_values():
    shown = lambda lowest: layers.by_layers(np.array([[lowest, 0.9]]), "a", "bc", k=3).data[0]
    for heat in (shown(0.5), shown(-0.22), shown(-1)):
        at = {round(heat.zmin + place * (heat.zmax - heat.zmin), 6): colour for place, colour in heat.colorscale}
        assert at[0] == "rgb(217, 222, 227)" and at[1] == "rgb(152, 64, 0)" and heat.zmax == 1
    assert (shown(0.5).zmin, shown(-0.22).zmin, shown(-1).zmin) == pytest.approx((-0.1, -0.3, -1))


def test_layers_by_layers_need_not_be_square_and_every_cell_can_be_clicked():
    values = np.array([[0.1, 0.95, np.nan], [0.3, -0.2, 0.0]])
    figure = layers.by_layers(values, ("a", EVIL), ("x", "y", "z"), k=180, title="t", at=(1, 2), sides=("A", EVIL))
    cells = named(figure, "cells")
    assert cells.customdata.tolist() == [[i, j] for i in range(2) for j in range(3)] and cells.customdata.dtype == np.int32
    assert list(cells.x) == [0, 1, 2] * 2 and list(cells.y) == [0] * 3 + [1] * 3 and cells.marker.opacity == 0
    assert cells.hovertext[1] == "a – y: TAS 0.950 at k = 180" and cells.hovertext[2] == "a – z: not computed yet" and "<" not in cells.hovertext[3]
    assert figure.layout.meta["note"] == "1 of 6 pairs not computed yet" and (figure.layout.shapes[0].x0, figure.layout.shapes[0].y0) == (1.5, 0.5)
    black, white = (t for t in figure.data if t.name == "numbers")
    np.testing.assert_array_equal(np.isfinite(white.z), [[False, True, False], [False] * 3])
    assert np.isfinite(black.z).sum() == 4 and figure.layout.yaxis.title.text == "A" and "<a" not in figure.layout.xaxis.title.text


def test_nothing_computed_yet_and_many_layers_are_no_trouble():
    empty = layers.by_layers(np.full((2, 2), np.nan), "ab", "cd", k=1)
    assert empty.layout.meta["note"] == "4 of 4 pairs not computed yet" and np.isfinite(empty.data[0].zmin)
    assert layers.by_k(np.full((2, 9), np.nan), "ab", np.arange(1, 10)).layout.meta["note"] == "2 of 2 layers not computed yet"
    assert layers.by_k(np.zeros((1, 2)), "a", np.arange(1, 3), at_k=2).data[0].z.shape == (1, 2)  # four items
    assert len(layers.by_k(np.zeros((1, 1)), "a", [1]).data[0].x) == 2
    many = layers.by_layers(np.zeros((60, 60)), [f"l{i}" for i in range(60)], [f"l{i}" for i in range(60)], k=2)
    assert len(many.layout.yaxis.ticktext) < 30 and not [t for t in many.data if t.name == "numbers"] and len(many.to_json()) < 400_000


def test_names_and_titles_from_outside_are_never_markup():
    given, groups = curve(), {EVIL: [curve(), curve(seed=1)], EVIL + "b": []}
    for figure in (spectrum.spectrum([(EVIL, given)], title=EVIL), spectrum.convergence(groups),
                   spectrum.by_class(given.k, classes(2), [EVIL] * 2, counts=[1, 1]),
                   spectrum.clouds(np.zeros((2, 2)), np.zeros((2, 2)), [EVIL, "b"], names=(EVIL, EVIL)),
                   layers.by_k(classes(1), [EVIL], given.k, title=EVIL), layers.by_layers([[0.5]], [EVIL], [EVIL], k=1, title=EVIL, sides=(EVIL, EVIL))):
        assert "<a" not in json.dumps(json.loads(figure.to_json()))
