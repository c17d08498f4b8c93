"""The figures of RADAR: what they draw is what was computed, every row and cell is one click away, and within is told from across by more than hue."""

import dataclasses
import json

import numpy as np
import pytest

from analysis.figures import radar, template
from analysis.metrics import radar as metric

EVIL = '<a href="https://x">a</a>'


def domain(n=60, layers=5, d=6, seed=0, shift=0.0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d)) + shift
    return [x + 0.8 * i * np.tanh(x) + 0.3 * rng.standard_normal((n, d)) for i in range(layers)]


def compared(**options):
    return metric.compare(domain(), domain(seed=1, shift=0.7), options=metric.Options(pairs=400, draws=500, **options))


@pytest.fixture(scope="module")
def found():
    return compared()


def renamed(result, **changes):
    return dataclasses.replace(result, **changes)


def named(figure, name):
    return [t for t in figure.data if t.name == name]


def side(figure, start):
    return next(t for t in figure.data if t.name.startswith(start))


def ridges(trace):
    """[(x, heights) of each row]"""
    gaps = np.flatnonzero(np.isnan(trace.x))
    return [(x, y - row) for row, (x, y) in enumerate(zip(np.split(trace.x, gaps + 1), np.split(trace.y, gaps + 1), strict=True)) if len(x)]


# one source

@pytest.mark.parametrize("kind", ["angle", "distance"])
def test_ridges_are_the_histograms_within_upwards_across_downwards(found, kind):
    figure = radar.ridgelines(found, kind)
    for name, of, up in (("within target, upwards", "within", -1), ("across to source, downwards", "cross", 1)):
        values = np.degrees(found.angles(of)) if kind == "angle" else np.log1p(found.distances(of))
        drawn = ridges(named(figure, name)[0])
        assert len(drawn) == 4
        for row, (x, heights) in enumerate(drawn):
            x, heights = x[~np.isnan(x)].astype(float), up * heights[~np.isnan(heights)].astype(float)
            assert heights.min() > -1e-6 and heights.max() <= radar.TALL + 1e-6 and heights[0] == pytest.approx(0, abs=1e-6)
            low, high = figure.layout.xaxis.range
            counts, _ = np.histogram(values[:, row], np.linspace(low, high, radar.BINS + 1))
            there = np.flatnonzero(counts)
            np.testing.assert_allclose(heights[1:-1] / heights.max(), counts[there[0]:there[-1] + 1] / counts.max(), atol=0.02)
            assert x[0] <= values[:, row].min() + 1e-6 or x[0] == low
    tallest = [max(np.nanmax(np.abs(h)) for h in pair) for pair in zip(*[[h for _, h in ridges(t)] for t in figure.data[:2]], strict=True)]
    np.testing.assert_allclose(tallest, radar.TALL, rtol=1e-5)


def test_every_row_can_be_clicked_and_says_its_numbers(found):
    figure = radar.ridgelines(found, selected=2)
    bars, rows = named(figure, "divergence")[0], named(figure, "rows")[0]
    np.testing.assert_allclose(bars.x, found.marginals[:, 0], rtol=1e-6)
    np.testing.assert_array_equal(rows.customdata, np.arange(4))
    assert (rows.base, rows.base + rows.x[0], rows.width) == (*figure.layout.xaxis.range, 1)
    mean = np.degrees(found.angles("within")[:, 2].mean(dtype=float))
    assert rows.hovertext[2].startswith(f"2 → 3<br>mean {mean:.1f}° within, ") and f"{found.per_transition[2]:.3g} of θ and d" in rows.hovertext[2]
    shape, = figure.layout.shapes
    assert (shape.y0, shape.y1) == (1.5, 2.5) and list(figure.layout.yaxis.ticktext) == ["0 → 1", "1 → 2", "2 → 3", "3 → 4"]
    low, high = figure.layout.yaxis.range
    assert low > high  # the first on top
    np.testing.assert_allclose(named(radar.ridgelines(found, "distance"), "divergence")[0].x, found.marginals[:, 1], rtol=1e-6)


def test_means_are_rules_at_their_place(found):
    for kind, values in (("angle", lambda s: np.degrees(found.angles(s)).mean(axis=0)), ("distance", lambda s: np.log1p(found.distances(s).mean(axis=0)))):
        for of in ("within", "cross"):
            rule = named(radar.ridgelines(found, kind), f"mean {of}")[0]
            np.testing.assert_allclose(rule.x[::3], values(of), rtol=1e-5)


def test_the_axis_of_angles_is_half_or_whole():
    span = lambda result, **more: radar.ridgelines(result, **more).layout.xaxis.range
    thin, turned = compared(), compared(angle="turning")
    thin = renamed(thin, within=np.clip(thin.within, 0, 1.5), cross=np.clip(thin.cross, 0, 1.5))
    assert span(thin) == (0, 90) and span(thin, whole=True) == (0, 180)
    assert span(renamed(turned, within=np.clip(turned.within, 0, 1.5), cross=np.clip(turned.cross, 0, 1.5))) == (90, 180)
    wide = renamed(thin, within=np.linspace(0, 3.1, thin.within.size).reshape(thin.within.shape))
    assert span(wide) == (0, 180)


def test_what_lies_beyond_the_axis_is_said(found):
    far = found.cross.copy()
    far[:2, 5] = 1e6
    note = radar.ridgelines(renamed(found, cross=far), "distance").layout.meta["note"]
    assert "of the values lie beyond the axis" in note and "each row to its own height" in note
    assert radar.ridgelines(renamed(found, cross=far), "distance").layout.xaxis.range[1] < 10


@pytest.mark.parametrize("kind", ["angle", "distance"])
@pytest.mark.parametrize("options", [{}, {"angle": "turning"}, {"angle": "anchor", "distance": "path"}, {"distance": "detour"}, {"geometry": "geodesic"},
                                     {"geometry": "pseudo-cartesian"}, {"divergence": "sinkhorn"}], ids=str)
def test_one_enlarged_under_every_reading(options, kind):
    found = compared(**options)
    figure = radar.enlarged(found, 1, kind)
    for of, word in (("within", "within"), ("cross", "across")):
        bars, fitted = side(figure, {"within": "within target", "across": "across to source"}[word]), named(figure, f"{word}, fitted")[0]
        area = float((bars.y[1:-1:2] * np.diff(bars.x[::2])).sum())
        assert 0.97 < area <= 1 + 1e-5  # but for what lies beyond
        assert float(np.trapezoid(fitted.y, fitted.x)) == pytest.approx(1, abs=0.12)
        values = np.degrees(found.angles(of)) if kind == "angle" else found.distances(of)
        assert [s.x0 for s in figure.layout.shapes if s.name == f"mean {of}"][0] == pytest.approx(values[:, 1].mean(dtype=float), rel=1e-5)
        mean = f"{word} {values[:, 1].mean(dtype=float):{'.1f' if kind == 'angle' else '.3g'}}"
        assert "400 pairs" in bars.name and [a for a in figure.layout.annotations if a.text.startswith(mean)]
    assert len({t.line.dash for t in figure.data[2:]}) == 2 and figure.data[1].fillpattern.shape and not figure.data[0].fillpattern.shape
    assert figure.layout.title.text.startswith("1 → 2<br>") and f"{found.per_transition[1]:.3g} of θ and d" in figure.layout.title.text
    assert radar.ridgelines(found, kind).data and radar.rose(found, 1).data


def test_the_divergence_of_cartesian_coordinates_is_not_said_to_be_of_the_angle():
    found = compared(geometry="pseudo-cartesian")
    figure = radar.ridgelines(found)
    np.testing.assert_allclose(named(figure, "divergence")[0].x, found.per_transition, rtol=1e-6)
    assert "alone" not in radar.enlarged(found, 1).layout.title.text and figure.layout.xaxis2.title.text == "Divergence<br>of θ and d"


def test_names_of_the_means_stand_apart(found):
    first, second = radar.enlarged(found, 1).layout.annotations
    assert {first.xanchor, second.xanchor} == {"left", "right"} and (first.xanchor == "right") == (first.x <= second.x)


def test_areas_of_the_rose_are_shares_of_the_pairs(found):
    figure = radar.rose(found, 3)
    petals, rule = figure.data[:2]
    values, (low, high) = np.degrees(found.angles("within"))[:, 3], figure.layout.polar.sector
    counts, _ = np.histogram(values, np.linspace(low, high, radar.PETALS + 1))
    np.testing.assert_allclose(petals.r[1:-1:2] ** 2, counts / 400, atol=0.003)
    assert rule.theta[0] == pytest.approx(values.mean(), rel=1e-5) and {t.line.dash for t in figure.data} == {"solid", "dash"}


def test_one_source_in_words(found):
    most = int(found.marginals[:, 0].argmax())
    said = radar.ridgelines_says(found)
    assert f"part most at {most} → {most + 1} (divergence {found.marginals[most, 0]:.3g}: mean " in said and "within target and across to source" in said
    said = radar.enlarged_says(found, 2, "distance")
    assert said.startswith("At 2 → 3 the mean distance is ") and "within target (400 pairs)" in said and "across to source (400 pairs)" in said
    assert radar.rose_says(found, 2) == radar.enlarged_says(found, 2)


def test_twelve_transitions_are_light():
    full = metric.compare(domain(n=200, layers=13), domain(n=200, layers=13, seed=1), options=metric.Options(draws=500))
    for kind in ("angle", "distance"):
        figure = radar.ridgelines(full, kind)
        assert len(figure.data) <= 6 and len(figure.to_json()) < 40_000 and len(radar.enlarged(full, 7, kind).to_json()) < 15_000
    assert len(radar.rose(full, 7).to_json()) < 8_000


def test_steps_between_layers_are_named_briefly():
    assert radar.transitions(("embedding", "block 1", "block 2", "head")) == ["embedding → block 1", "block 1 → 2", "block 2 → head"]
    assert radar.transitions(("stage 1 block 1", "stage 1 block 2", "stage 2 block 1")) == ["stage 1 block 1 → 2", "stage 1 block 2 → stage 2 block 1"]
    assert radar.transitions(("0", "1")) == ["0 → 1"] and "<" not in radar.transitions((EVIL, "b"))[0]


# several sources

def sources(splits=20, *, known=20, se=True, reasons=("", "", "", "")):
    """near, middle, far, and one that could not be scored."""
    rng, nan = np.random.default_rng(0), np.nan
    matched = np.array([0.3, 1.1, 40.0, nan])[:, None] * np.exp(0.1 * rng.standard_normal((4, splits)))
    null = 0.3 * np.exp(0.2 * rng.standard_normal(splits))
    matched[:, known:], null[known:] = nan, nan
    return metric.SourceRanking(
        names=("far away", "near", "middle", "lost"), scores=np.array([42.0, 0.1, 1.0, nan]), errors=np.array([1, 0.01, 0.02, nan]), null=null,
        matched_scores=matched[[2, 0, 1, 3]], se=np.array([2, 0.02, 0.05, nan]) if se else np.full(4, nan),
        per_transition=np.array([[5, 30, 0.2], [0.001, 0.02, 0.03], [0.3, 0.4, 0.9], [nan] * 3]), centroid=np.array([3, 1, 2, nan]),
        gauge=np.array([3, 0.1, 0.2, nan]), own=0.9, borrowed=np.array([0.2, 0.3, 0.85, nan]), n_target=300, n=np.array([200, 300, 250, 12]), half=150,
        layers=("embedding", "block 1", "block 2", "block 3"), target="handwritten", reasons=reasons, final=known == splits,
        options=metric.Options().manifest())


@pytest.fixture(scope="module")
def ranked():
    return sources(reasons=("", "", "", "It has 12 items."))


def test_sources_stand_by_rank_with_interval_null_band_and_verdict(ranked):
    figure = radar.ranking(ranked, at=2)
    assert list(figure.layout.yaxis.ticktext) == ["near", "middle", "far away", "lost"] and figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]
    told = ranked.sources
    for row, (name, place, verdict) in enumerate((("near", 1, "good"), ("middle", 2, "mixed"), ("far away", 0, "bad"))):
        trace, = named(figure, verdict)
        assert list(trace.customdata) == [place] and trace.y[0] == row and trace.x[0] == pytest.approx(told[name].matched.mean(), rel=1e-6)
        low, high = trace.x[0] - trace.error_x.arrayminus[0], trace.x[0] + trace.error_x.array[0]
        np.testing.assert_allclose([low, high], told[name].matched_interval, rtol=1e-5)
        assert figure.layout.annotations[row + 2].text.startswith(f"<b>{verdict.title()}</b>, {row + 1}{('st', 'nd', 'rd')[row]} of 3<br>")
    points, = named(figure, "score at all items")
    assert dict(zip(points.customdata.tolist(), points.x.tolist(), strict=True))[0] == 42
    band, = named(figure, "null")
    np.testing.assert_allclose(sorted(set(band.x)), ranked.band)
    rule, chosen = figure.layout.shapes
    assert rule.x0 == pytest.approx(3 * ranked.band[1]) and chosen.y0 == 0.5 and figure.layout.xaxis.type == "log"
    assert "geometry only" in figure.layout.title.text and "lost not scored: It has 12 items." in figure.layout.meta["note"]
    assert figure.layout.annotations[5].text == "not scored" and "labels disagree" in figure.layout.annotations[2].text


def test_a_source_of_few_items_has_a_bar_of_its_own(ranked):
    nulls, halves = ranked.nulls.copy(), ranked.halves.copy()
    nulls[2], halves[2] = 3 * ranked.null, 40
    few = renamed(ranked, nulls=nulls, halves=halves)
    figure = radar.ranking(few)
    bar, = named(figure, "null of middle")
    np.testing.assert_allclose(sorted(set(bar.x)), few.sources["middle"].band)
    assert min(bar.y) > 0.5 and max(bar.y) < 1.5 and len(named(figure, "null")) == 1 and few.sources["middle"].verdict == "Good"
    assert f"With as few items as middle: {few.sources['middle'].band[0]:.3g} to" in radar.ranking_says(few)
    assert "40 items a side" in radar.splits_says(few, "middle")
    np.testing.assert_allclose(named(radar.splits(few, "middle"), "half against half")[0].x, nulls[2], rtol=1e-6)


def test_verdicts_differ_in_more_than_hue(ranked):
    looks = list(radar.ranking(ranked).data)[2:]
    assert len({t.marker.symbol for t in looks}) == len({t.marker.color for t in looks}) == 3
    assert all(template.contrast(t.marker.color, ground) >= 3 for t in looks for ground in (template.LIGHT, template.DARK))


def test_a_ranking_that_is_still_coming():
    first = radar.ranking(renamed(sources(0, known=0, se=False), final=False))
    assert not named(first, "null") and not first.layout.shapes and "0 of 0 splits" in first.layout.meta["note"]
    assert first.layout.annotations[0].text.startswith("1st of 3 so far<br>0.1 at all items<br>⚠ labels disagree")
    assert first.layout.annotations[3].text == "not scored yet"
    some = radar.ranking(sources(known=5, se=False))
    half = sources(known=5, se=False)
    going, = named(some, "matched, no verdict yet")
    assert going.marker.symbol == "circle-open" and dict(zip(going.customdata.tolist(), going.x.tolist(), strict=True))[1] == pytest.approx(
        np.nanmean(half.matched_scores[1]), rel=1e-5)
    assert len(named(some, "null")) == 1 and "5 of 20 splits" in some.layout.meta["note"] and not np.any(going.error_x.array)
    assert "42" in radar.ranking_says(half) and "so far" in radar.ranking_says(half)


def test_a_ranking_without_intervals_is_final_all_the_same():
    """As lessons ask for it: splits, and no blocks."""
    found = sources(se=False, reasons=("", "", "", "It has 12 items."))
    figure, near = radar.ranking(found), found.sources["near"]
    assert any(label.text.startswith(f"1st of 3<br>{near.matched.mean():.3g} on halves") for label in figure.layout.annotations)
    assert named(figure, "matched, no verdict")
    assert radar.ranking_says(found).startswith(f"near: 1st of 3, {near.matched.mean():.3g} on halves")
    assert "so far" not in figure.to_json() + radar.ranking_says(found) and "interval to come" not in figure.to_json()


def test_an_interval_down_to_zero_ends_at_the_axis(ranked):
    figure = radar.ranking(renamed(ranked, se=np.array([2, 0.9, 0.05, np.nan])))
    trace, = named(figure, "good")
    assert trace.x[0] - trace.error_x.arrayminus[0] == pytest.approx(10 ** figure.layout.xaxis.range[0], rel=1e-4)


def test_sources_in_words(ranked):
    near, far = ranked.sources["near"], ranked.sources["far away"]
    said, (low, high) = radar.ranking_says(ranked), near.matched_interval
    assert said.startswith(f"near: good, {near.matched.mean():.3g} ({low:.3g} to {high:.3g}), 1st of 3, but its labels disagree")
    assert f"far away: bad, {far.matched.mean():.3g} (" in said and "lost: not scored (It has 12 items)" in said and said.endswith("Geometry only.")
    assert f"Null, handwritten against itself: {ranked.band[0]:.3g} to {ranked.band[1]:.3g}." in said
    assert f"middle scores {ranked.sources['middle'].matched.mean():.3g} on average" in radar.splits_says(ranked, "middle")
    assert "not been compared" in radar.splits_says(ranked, "lost")


def test_splits_are_all_there(ranked):
    figure = radar.splits(ranked, "middle")
    null, matched = named(figure, "half against half")[0], named(figure, "half against middle")[0]
    np.testing.assert_allclose(null.x, ranked.null, rtol=1e-6)
    np.testing.assert_allclose(matched.x, ranked.matched_scores[2], rtol=1e-6)
    assert np.abs(null.y).max() < 0.4 and np.abs(matched.y - 1).max() < 0.4 and null.marker.symbol != matched.marker.symbol
    assert "20 of 20 splits" in figure.layout.meta["note"] and radar.splits(sources(0, known=0), "near").data is not None


def cells(figure):
    return named(figure, "cells")[0]


def written(figure):
    """The text of each cell, whichever ink it is in."""
    inks = named(figure, "numbers")
    return [[a + b for a, b in zip(*rows, strict=True)] for rows in zip(*(t.text for t in inks), strict=True)]


def test_the_strip_has_sources_down_and_transitions_across(ranked):
    figure = radar.strip(ranked.names, ranked.layers, ranked.per_transition, selected=(2, 1))
    heat = figure.data[0]
    assert (heat.zmin, heat.zmax) == (-2, 2) and heat.z[0][1] == pytest.approx(np.log10(30)) and heat.z[1][0] == -2 and np.isnan(heat.z[3][0])
    assert written(figure)[0] == ["5.00", "30.0", "0.20"] and written(figure)[3] == ["", "", ""]
    assert cells(figure).customdata[4].tolist() == [1, 1] and cells(figure).hovertext[1] == "far away, block 1 → 2: divergence 30 of θ and d"
    assert (figure.layout.shapes[0].x0, figure.layout.shapes[0].y0) == (0.5, 1.5) and figure.layout.meta["note"] == "3 of 12 not computed"
    said = radar.strip_says(ranked.names, ranked.layers, ranked.per_transition)
    assert "far away at block 1 → 2 (30); near at block 2 → 3 (0.03)" in said and "lost" not in said
    assert radar.strip_says(("a",), ("x", "y"), [[np.nan]]) == "No source has been compared yet."


def test_domains_by_domains():
    scores = np.array([[np.nan, 2, 300], [0.5, np.nan, np.nan], [8, 9, np.nan]])
    found = metric.Domains(("a", "b", EVIL), scores, scores / 10, {f"b from {EVIL}": "Too few items."})
    figure = radar.matrix(found, at=(0, 2))
    assert written(figure) == [["", "2.00", "300"], ["0.50", "", ""], ["8.00", "9.00", ""]] and figure.layout.meta["note"] == "1 of 6 not computed"
    assert cells(figure).hovertext[1] == "target a, source b: 2 ± 0.2 Monte Carlo" and "Too few items." in cells(figure).hovertext[5]
    assert cells(figure).hovertext[4] == "b: itself" and (figure.layout.yaxis.title.text, figure.layout.xaxis.title.text) == ("Target", "Source")
    assert radar.matrix_says(found) == f"The nearest source of each target: a – b (2); b – a (0.5); {EVIL} – a (8)."
    empty = renamed(found, scores=np.full((3, 3), np.nan))
    assert radar.matrix(empty).layout.meta["note"] == "6 of 6 not computed" and "No two domains" in radar.matrix_says(empty)


def test_readings_show_ranks_and_who_moved():
    scores = np.array([[3.0, 1, 2], [30, 10, 20], [1, 2, 3], [np.nan, 1, 2], [np.nan] * 3])
    found = metric.Readings(("as it stands", "scaled", "turned round", "partly", "not yet"), ("x", "y", EVIL), scores, {"partly: x": "It broke."})
    figure = radar.readings(found)
    assert written(figure) == [["1", "2", "3"], ["1", "2", "3"], ["2 ▼1", "3 ▼1", "1 ▲2"], ["1", "2", ""], ["", "", ""]]
    assert list(figure.layout.xaxis.ticktext)[0] == "y" and figure.layout.xaxis.ticktext[2] == "x"
    assert [a.text for a in figure.layout.annotations] == ["the order", "same order", "3 moved", "same order", ""]
    said = cells(figure).hovertext
    assert said[8].startswith("x, turned round: rank 1, 2 nearer than under the first<br>score 1") and "It broke." in said[11]
    assert figure.layout.meta["note"].startswith("4 of 15 not computed") and figure.data[0].zmin == -figure.data[0].zmax
    assert radar.readings_says(found) == "y is the nearest source under 3 of 4 readings; all sources keep their order under 3 of them."
    assert radar.readings_says(renamed(found, scores=np.full((5, 3), np.nan))) == "No reading has been computed yet."


def test_names_from_outside_are_never_markup(found, ranked):
    one = renamed(found, names=(EVIL, EVIL), layers=(EVIL,) * 5)
    many = renamed(ranked, names=(EVIL, f"{EVIL} 2", f"{EVIL} 3", f"{EVIL} 4"), target=EVIL, layers=(EVIL,) * 4, reasons=("", "", "", EVIL))
    table = metric.Readings((EVIL, "b"), (EVIL, "y"), np.array([[1.0, 2], [np.nan, 1]]), {f"b: {EVIL}": EVIL})
    domains = metric.Domains((EVIL, "y"), np.array([[np.nan, 1.0], [np.nan] * 2]), np.ones((2, 2)), {f"y from {EVIL}": EVIL})
    for figure in (radar.ridgelines(one), radar.enlarged(one, 0), radar.rose(one, 0), radar.strip(many.names, many.layers, many.per_transition),
                   radar.ranking(many), radar.splits(many, f"{EVIL} 2"), radar.matrix(domains), radar.readings(table)):
        assert "<a" not in json.dumps(json.loads(figure.to_json()))
