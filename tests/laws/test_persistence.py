"""Persistence: what must hold for any cloud."""

import dataclasses
import json
import warnings

import numpy as np
import pytest

from analysis.data.shapes import make
from analysis.metrics import persistence as p
from tests.refusal import refused

pytestmark = pytest.mark.filterwarnings("error")


def blobs(n=200, d=8, clusters=5, spread=0.3, seed=0, apart=4.0):
    """Around equally distant centres."""
    rng = np.random.default_rng(seed)
    return apart * np.eye(clusters, d)[np.arange(n) % clusters] + spread * rng.standard_normal((n, d))


def shape(kind, n=120, noise=0.0, seed=0):
    return make(kind, n=n, noise=noise, seed=seed).items.astype(np.float64)


def turned(x, seed=1):
    return x @ np.linalg.qr(np.random.default_rng(seed).standard_normal((x.shape[1],) * 2))[0]


def ordered(bars):
    return bars[np.lexsort(bars.T)]


def lives(bars):
    return np.sort(bars[:, 1] - bars[:, 0])[::-1]


def random_diagram(rng, m):
    births = rng.uniform(0, 1, m)
    return np.column_stack([births, births + rng.exponential(0.3, m)])


@pytest.fixture(scope="module")
def torus():
    return p.diagrams(shape("torus", 1500), max_points=300)


@pytest.fixture(scope="module")
def loops():
    """A noisy circle beside a blob."""
    x = np.concatenate([shape("circle", 80, noise=0.03), [4, 0] + 0.3 * np.random.default_rng(0).standard_normal((60, 2))])
    return x, p.diagrams(x)


# invariance

@pytest.mark.parametrize("change", [turned, lambda x: x + 100, lambda x: x[np.random.default_rng(2).permutation(len(x))]],
                         ids=["rotation", "translation", "permutation"])
def test_moving_a_cloud_changes_nothing(change):
    x = blobs(90, 5)
    a, b = p.diagrams(x, max_dim=2), p.diagrams(change(x), max_dim=2)
    np.testing.assert_allclose(p.h0(change(x)), p.h0(x), rtol=1e-9)
    np.testing.assert_allclose(a.h0, b.h0, rtol=1e-9)
    assert len(a.h1) and len(a.h2)
    for dim in (1, 2):
        np.testing.assert_allclose(ordered(a.of(dim)), ordered(b.of(dim)), rtol=1e-9)


@pytest.mark.parametrize("scale", [0.5, 3.7, 1e-6, 1e30, 1e-60])
def test_scaling_scales_diagrams_and_leaves_the_ratio(scale):
    x = blobs(90, 5)
    a, b = p.diagrams(x), p.diagrams(scale * x)
    np.testing.assert_allclose(b.h0, scale * a.h0, rtol=1e-9)
    np.testing.assert_allclose(ordered(b.h1), scale * ordered(a.h1), rtol=1e-9)
    if scale >= 1e-6:
        assert p.ratio(scale * x, 5).ratio == pytest.approx(p.ratio(x, 5).ratio, rel=1e-9)
    else:
        assert "lie on one another" in p.ratio(scale * x, 5).reason


def test_loops_and_hollows_are_those_of_ripser():
    from ripser import ripser
    x = blobs(100, 6)
    found = p.diagrams(x, max_dim=2)
    for dim, bars in enumerate(ripser(x, maxdim=2)["dgms"]):
        np.testing.assert_allclose(ordered(found.of(dim)), ordered(bars), rtol=1e-6)


def test_births_and_deaths_are_lengths_to_the_last_digit():
    from scipy.spatial.distance import pdist
    x = blobs(100, 6, spread=1e-4)
    lengths = np.sort(pdist(x))
    for bars in (found := p.diagrams(x, max_dim=2)).h1, found.h2:
        assert len(bars) and (bars[:, 0] < bars[:, 1]).all()
        at = np.searchsorted(lengths, bars).clip(1, len(lengths) - 1)
        nearest = np.minimum(np.abs(lengths[at] - bars), np.abs(lengths[at - 1] - bars))
        assert (nearest <= 1e-9 * bars).all()


def test_distances_keep_their_digits_in_tight_clusters_far_away():
    from scipy.spatial.distance import cdist
    rng = np.random.default_rng(0)
    x = np.repeat(rng.standard_normal((4, 30)), 20, axis=0) + 1e-7 * rng.standard_normal((80, 30))
    x[1] = x[0]
    np.testing.assert_allclose(p._distances(x), cdist(x, x), rtol=1e-9)
    np.testing.assert_allclose(p._distances(x[:50], x[30:]), cdist(x[:50], x[30:]), rtol=1e-9)


def test_a_loop_too_small_for_single_precision_is_no_crash():
    ring = shape("circle", 30)
    for scale in (1e-30, 1e-40, 1e-44, 1e-60):
        found = p.diagrams(np.concatenate([scale * ring, ring + 5]))
        assert lives(found.h1)[0] > 1 and np.isfinite(found.h1).all()


# shapes whose topology is known

def test_a_circle_has_one_long_loop_a_torus_two_a_sphere_none(torus):
    circle, sphere = p.diagrams(shape("circle", noise=0.02)), p.diagrams(shape("sphere", 1500), max_points=200)
    assert lives(circle.h1)[0] > 1.4 and (lives(circle.h1)[1:] < 0.1).all()
    assert (lives(torus.h1)[:2] > 0.4).all() and (lives(torus.h1)[2:] < 0.2).all()
    assert (lives(sphere.h1) < 0.3).all() and lives(sphere.h1)[0] < 1.2 * lives(sphere.h1)[1]


def test_a_sphere_has_one_hollow():
    found = p.diagrams(shape("sphere", 1500), max_dim=2, max_points=60)
    hollow = lives(found.h2)
    assert hollow[0] > 0.7 and (hollow[1:] < 0.2).all()
    i = int((found.h2[:, 1] - found.h2[:, 0]).argmax())
    assert len(found.trace(2, i)) >= 3 and set(found.trace(2, i)) <= set(found.points)


@pytest.mark.parametrize("clusters", [2, 3, 5, 8])
@pytest.mark.parametrize("seed", range(3))
def test_separate_blobs_give_as_many_clusters(clusters, seed):
    deaths = p.h0(blobs(120, 10, clusters, 0.2, seed))
    assert (deaths >= 3).sum() == clusters - 1 and p.gap(deaths) == clusters


def test_the_largest_gap_sees_what_is_there():
    x = np.random.default_rng(0).standard_normal((60, 3)) * 0.1
    x[7] += 50
    assert p.gap(p.h0(x)) == 2  # one far point is a cluster, too
    assert p.gap(np.zeros(9)) == p.gap(np.ones(9)) == p.gap(np.ones(1)) == p.gap(np.zeros(0)) == 1
    assert p.gap(np.array([0.1, 5])) == 2
    assert p.gap(np.array([0.01, 0.9, 0.95, 1, 1.1, 1.15])) == 3  # not 6: no gap among the shortest


def test_the_ratio_falls_as_clusters_tighten():
    values = [p.ratio(blobs(spread=s), 5).ratio for s in (1.5, 1, 0.5, 0.1, 0.01)]
    assert values == sorted(values, reverse=True) and values[-1] < 0.02


def test_the_ratio_is_the_mean_of_the_rest_over_the_mean_of_the_longest():
    deaths = np.array([0, 1, 2, 3, 10, 20.0])
    found = p.ratio_of(deaths, 3)
    assert (found.separation, found.tightness, found.ratio, found.n, found.classes, found.reason) == (15, 1.5, 0.1, 7, 3, "")
    assert p.ratio_of(deaths, np.int64(3)) == p.ratio_of(deaths, 3.0) == found and type(p.ratio_of(deaths, 3.0).classes) is int


# what has no meaning says so

@pytest.mark.parametrize("x, classes, words", [
    (blobs(20), 1, "1 class:"), (blobs(20), 0, "0 classes:"), (blobs(20), -3, "-3 classes:"), (blobs(4), 6, "4 points cannot be 6 classes"),
    (blobs(6), 6, "no bar is left"), (np.ones((9, 3)), 2, "lie on one another"), (np.ones((1, 3)), 2, "1 point cannot"), (np.ones((2, 3)), 3, "there is 1"),
    (1e-11 * blobs(20), 3, "mean length"), (np.zeros((9, 1)), 3, "lie on one another")])
def test_a_ratio_without_meaning_is_nan_with_the_reason(x, classes, words):
    found = p.ratio(x, classes)
    assert np.isnan(found.ratio) and words in found.reason
    assert json.loads(json.dumps(found.manifest(), allow_nan=False))["ratio"] is None
    profile = p.profile(x)
    assert np.isnan([profile.ratio(classes).ratio, *profile.interval(classes)]).all()
    assert profile.doubt(classes) == profile.ratio(classes).reason == found.reason
    json.dumps(profile.manifest(classes), allow_nan=False)


@pytest.mark.parametrize("classes", [3.5, "a", None, float("nan"), float("inf"), True, [3]])
def test_what_is_no_number_of_classes_is_refused(classes):
    refused(lambda: p.ratio(blobs(20), classes), "number of classes")


def test_bad_clouds_are_refused():
    x = blobs(20)
    x[13, 2] = np.nan
    for call in (p.h0, p.diagrams, p.profile, lambda y: p.ratio(y, 3), lambda y: p.landmarks(y, 5)):
        refused(lambda call=call: call(x), "first row 13")
        refused(lambda call=call: call(np.ones(4)), "(4,)")
    refused(lambda: p.h0(blobs(20), metric="taxi"), "taxi")
    for wrong in (3, -1, 1.5, "1"):
        refused(lambda wrong=wrong: p.diagrams(blobs(20), max_dim=wrong), "max_dim")
    for wrong in (1, 0, -4, 2.5, None):
        refused(lambda wrong=wrong: p.diagrams(blobs(20), max_points=wrong), "at least 2")
    refused(lambda: p.profile(blobs(20), blocks=1), "2 blocks")
    refused(lambda: p.profile(blobs(20), seed=-1), "seed")
    refused(lambda: p.diagrams(blobs(20), max_points=5, seed="x"), "seed")


def test_h0_keeps_a_bar_for_every_row_but_one():
    assert p.h0(np.ones((1, 3))).shape == (0,) and p.h0(np.ones((5, 3))).tolist() == [0] * 4
    x = np.repeat(blobs(20), 2, axis=0)
    deaths = p.h0(x)
    assert len(deaths) == 39 and (deaths[:20] == 0).all() and deaths[20] > 0 and (np.diff(deaths) >= 0).all()


def test_a_torch_tensor_is_a_cloud():
    import torch
    x = blobs(30).astype(np.float32)
    assert p.ratio(torch.from_numpy(x), 5) == p.ratio(x, 5)


# a cloud beside chance and resamples

def test_the_interval_holds_the_ratio_and_narrows_with_more_points():
    few, many = (p.profile(blobs(n, spread=1.0), shuffles=0, halves=0, boxes=0) for n in (60, 600))
    widths = []
    for each in (few, many):
        low, high = each.interval(5)
        assert low < each.ratio(5).ratio < high and each.doubt(5) == ""
        widths.append(high - low)
    assert widths[1] < widths[0]


def test_the_interval_is_as_wide_as_fresh_samples_differ():
    fresh = np.std([p.ratio(blobs(150, spread=1.0, seed=s), 5).ratio for s in range(60)])
    told = np.mean([np.diff(p.profile(blobs(150, spread=1.0, seed=s), shuffles=0, halves=0, boxes=0).interval(5))[0] / 3.92 for s in range(8)])
    assert 0.6 < told / fresh < 1.7


def test_structureless_data_lie_in_their_chance_range_and_clusters_far_below():
    inside = 0
    for seed in range(6):
        found = p.profile(np.random.default_rng(seed).standard_normal((120, 6)), blocks=2, halves=0, boxes=0, seed=seed)
        mean, low, high = found.chance(5)
        assert low <= mean <= high
        inside += low - 0.02 <= found.ratio(5).ratio <= high + 0.02
    assert inside == 6
    clustered = p.profile(blobs(120, spread=0.1), blocks=2, halves=0, boxes=0)
    assert clustered.ratio(5).ratio < 0.5 * clustered.chance(5)[1]


def test_shuffling_keeps_every_column(monkeypatch):
    x, seen = blobs(40), []
    whole = p.spanning.tree
    monkeypatch.setattr(p.spanning, "tree", lambda y: seen.append(y) or whole(y))
    p.profile(x, blocks=2, shuffles=3, halves=0, boxes=0)
    for y in seen[3:]:  # after the whole cloud and its two blocks
        np.testing.assert_array_equal(np.sort(y, axis=0), np.sort(x, axis=0))
        assert (y != x).any(axis=0).all()


def test_the_mean_over_subsets_is_near_the_value_of_as_many_points():
    x = blobs(1000, spread=1.0)
    found, half = p.profile(x, limit=500, shuffles=2), p.profile(x, shuffles=0, halves=5, blocks=2)
    low, high = found.interval(5)
    assert found.options["resampling"] == "subsets" and len(found.resampled) == 5 and len(found.rows) == 500 and found.of == 1000
    assert low < found.ratio(5).ratio < high
    assert found.ratio(5).ratio == pytest.approx(half.halved(5)[0], rel=0.03)
    assert found.ratio(5).ratio == pytest.approx(p.ratio(x, 5).ratio, rel=0.15)
    assert found.ratio(5).ratio == np.mean([p.ratio_of(d, 5).ratio for d in found.resampled])


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 21])
def test_few_points_give_a_profile_without_a_warning(n):
    found = p.profile(blobs(n))
    for k in (2, 3, n - 1, n, n + 1):
        low, high = found.interval(k)
        assert low <= high if not found.doubt(k) else np.isnan([low, high]).all()
        found.chance(k), found.halved(k)
        json.dumps(found.manifest(k), allow_nan=False)
    assert len(found.table()) == n - 1 and found.tree().n == n
    assert (np.isfinite(found.resampled).sum(axis=1) > 0).all() or n < 3


def test_where_a_resample_has_no_ratio_the_interval_says_why():
    found = p.profile(blobs(30), shuffles=1, halves=0, boxes=0)
    assert np.isfinite(found.ratio(29).ratio) and np.isnan(found.interval(29)).all() and "left out" in found.doubt(29)
    pair = p.profile(blobs(2), shuffles=0)
    assert np.isnan(pair.interval(2)).all() and np.isnan(pair.chance(2)).all() and np.isnan(pair.band()).all()


def test_every_block_is_left_out_once(monkeypatch):
    x, seen = np.arange(50.0)[:, None], []
    whole = p.spanning.tree
    monkeypatch.setattr(p.spanning, "tree", lambda y: seen.append(y) or whole(y))
    p.profile(x, shuffles=0, halves=0, boxes=0)
    del seen[0]  # the whole cloud
    assert len(seen) == 20 and {len(y) for y in seen} == {47, 48}
    assert np.array_equal(np.sort(np.concatenate([np.setdiff1d(x, y) for y in seen])), x[:, 0])


def test_a_profile_is_seeded_and_tells_its_progress():
    told = []
    a = p.profile(blobs(40), progress=lambda *said: told.append(said))
    b, c = p.profile(blobs(40)), p.profile(blobs(40), seed=1)
    assert np.array_equal(a.shuffled, b.shuffled) and np.array_equal(a.resampled, b.resampled) and not np.array_equal(a.shuffled, c.shuffled)
    assert told[0] == (0, 65, "resampling") and told[-1] == (65, 65, "done") and {note for _, _, note in told} >= {"shuffling columns", "halving"}


def test_the_band_holds_the_shuffled_lifetimes():
    found = p.profile(blobs(60))
    low, high = found.band()
    assert (low <= high).all() and (np.diff(low) <= 0).all() and (np.diff(high) <= 0).all() and low.shape == found.deaths.shape
    assert (found.shuffled[:, ::-1] >= low).all() and (found.shuffled[:, ::-1] <= high).all()
    table = found.table()
    assert table["lifetime"].tolist() == found.deaths[::-1].tolist() and table["rank"].tolist() == list(range(1, 60))
    x = blobs(60)
    np.testing.assert_allclose(np.linalg.norm(x[table.row_a] - x[table.row_b], axis=1), table.lifetime, rtol=1e-9)


# diagrams of little

@pytest.mark.parametrize("x", [np.ones((1, 2)), np.zeros((2, 2)), np.eye(2), np.eye(3), np.ones((7, 3)), np.arange(6.0)[:, None], np.ones((6, 1))],
                         ids=["one", "two equal", "two", "three", "equal", "width 1", "equal, width 1"])
@pytest.mark.parametrize("max_dim", [0, 1, 2])
def test_small_clouds_have_diagrams(x, max_dim):
    found = p.diagrams(x, max_dim=max_dim)
    assert found.h0.shape == (len(x), 2) and found.h1.shape == found.h2.shape == (0, 2) and found.openings.shape == (0, 2)
    assert np.isinf(found.h0[-1, 1]) and np.array_equal(found.h0[:-1, 1], p.h0(x)) and not found.h0[:, 0].any()
    assert found.total(1) == 0 and len(found.table()) == len(x)
    assert found.trace(0, len(x) - 1).tolist() == list(range(len(x)))
    json.dumps(found.manifest(), allow_nan=False)


@pytest.mark.parametrize("x", [blobs(120), blobs(120, spread=1e-8), np.repeat(blobs(40), 3, axis=0), 1e-6 * blobs(120) + 50],
                         ids=["blobs", "tight", "duplicates", "far away"])
def test_the_first_diagram_is_h0(x):
    for max_dim in (0, 1):
        found = p.diagrams(x, max_dim=max_dim)
        np.testing.assert_allclose(found.h0[:-1, 1], p.h0(x), rtol=1e-9)
        np.testing.assert_allclose(np.linalg.norm(x[found.edges[:, 0]] - x[found.edges[:, 1]], axis=1), p.h0(x), rtol=1e-9)


def test_higher_dimensions_only_when_asked():
    x = shape("sphere", 40)
    flat, one, two = (p.diagrams(x, max_dim=d) for d in (0, 1, 2))
    assert not len(flat.h1) and not len(one.h2) and len(two.h2)
    np.testing.assert_array_equal(one.h1, two.h1)
    assert "h1" not in flat.manifest() and "h2" in two.manifest()


# landmarks

def test_all_points_when_they_are_few():
    rows, radius = p.landmarks(blobs(30), 30)
    assert rows.tolist() == list(range(30)) and radius == 0.0


@pytest.mark.parametrize("x", [blobs(300), blobs(300, spread=1e-7), 1e-5 * blobs(300) + 30, np.repeat(blobs(100), 3, axis=0)],
                         ids=["blobs", "tight", "far away", "duplicates"])
def test_the_covering_radius_covers_and_is_reached(x):
    rows, radius = p.landmarks(x, 40)
    away = np.linalg.norm(x[:, None] - x[rows], axis=2).min(axis=1)
    assert radius == pytest.approx(away.max(), rel=1e-9) and len(set(rows.tolist())) == len(rows) == 40
    apart = np.linalg.norm(x[rows][:, None] - x[rows], axis=2)[np.triu_indices(40, 1)]
    assert apart.min() >= radius * (1 - 1e-6)  # each was the farthest when it was chosen


def test_a_duplicate_is_never_a_second_landmark():
    x = np.repeat(blobs(12), 20, axis=0)
    rows, radius = p.landmarks(x, 50)
    assert len(rows) == 12 and len(np.unique(x[rows], axis=0)) == 12 and radius == 0
    rows, radius = p.landmarks(np.ones((60, 3)), 50)
    assert len(rows) == 1 and radius == 0
    found = p.diagrams(x, max_points=50)
    assert len(found.points) == 12 and found.n == 240 and found.covering_radius == 0


def test_landmarks_are_seeded_and_tell_their_progress():
    told, x = [], blobs(400)
    a = p.landmarks(x, 120, 3, lambda *said: told.append(said))
    assert np.array_equal(a[0], p.landmarks(x, 120, 3)[0]) and told == [(i, 120, "landmarks") for i in (50, 100, 120)]
    assert {int(p.landmarks(x, 5, s)[0][0]) for s in range(5)} != {int(a[0][0])}


@pytest.mark.parametrize("kind", ["torus", "circle", "two-circles"])
def test_landmarks_move_bars_by_twice_the_covering_radius_at_most(kind):
    x = shape(kind, 160, noise=0.02)
    whole = p.diagrams(x)
    for limit in (25, 60, 120):
        part = p.diagrams(x, max_points=limit)
        assert part.covering_radius > 0
        for dim in (0, 1):
            assert p.distance(part, whole, dim=dim, kind="bottleneck") <= 2 * part.covering_radius + 1e-9


def test_rows_of_landmarks_count_in_the_whole_input():
    x = blobs(300, clusters=3, spread=0.1)
    found = p.diagrams(x, max_points=50)
    assert len(found.points) == 50 and len(found.h0) == 50 and set(found.edges.ravel()) == set(found.points)
    np.testing.assert_allclose(np.linalg.norm(x[found.edges[:, 0]] - x[found.edges[:, 1]], axis=1), found.h0[:-1, 1], rtol=1e-9)
    larger, smaller = found.sides(len(found.h0) - 2)
    assert len(larger) >= len(smaller) and not set(larger) & set(smaller) and set(larger) | set(smaller) == set(found.points)
    assert len(set((smaller % 3).tolist())) == 1  # the longest bar parts one blob from the others
    for i in range(len(found.h1)):
        assert set(found.trace(1, i)) <= set(found.points) and set(found.openings[i]) <= set(found.trace(1, i))


# tracing a bar to its points

def test_the_longest_loop_of_circle_and_blob_is_traced_to_the_circle(loops):
    x, found = loops
    i = int((found.h1[:, 1] - found.h1[:, 0]).argmax())
    assert (found.trace(1, i) < 80).all() and len(found.trace(1, i)) >= 2
    np.testing.assert_allclose(np.linalg.norm(x[found.trace(1, i)], axis=1), 1, atol=0.2)
    way = p.loop(x, found, i)
    assert (way < 80).all() and len(set(way.tolist())) == len(way)
    angle = np.arctan2(*x[way].T[::-1])
    turns = (np.diff(angle, append=angle[0]) + np.pi) % (2 * np.pi) - np.pi
    assert abs(turns.sum() / (2 * np.pi)) == pytest.approx(1)


def test_every_loop_goes_by_edges_no_longer_than_its_birth(loops, torus):
    for x, found in (loops, (shape("torus", 1500), torus)):
        np.testing.assert_allclose(np.linalg.norm(x[found.openings[:, 0]] - x[found.openings[:, 1]], axis=1), found.h1[:, 0], rtol=1e-6)
        for i in range(0, len(found.h1), 5):
            way = x[p.loop(x, found, i)]
            steps = np.linalg.norm(way - np.roll(way, 1, axis=0), axis=1)
            assert steps.max() == pytest.approx(found.h1[i, 0], rel=1e-6) and len(way) >= 4


def test_two_circles_are_told_apart_even_when_they_are_equal():
    angle = 2 * np.pi * np.arange(20) / 20
    ring = np.column_stack([np.cos(angle), np.sin(angle)])
    x = np.concatenate([ring, ring + [5, 0]])
    found = p.diagrams(x)
    assert len(found.h1) == 2 and np.ptp(found.h1, axis=0).max() < 1e-6
    assert sorted(tuple(sorted(p.loop(x, found, i).tolist())) for i in range(2)) == [tuple(range(20)), tuple(range(20, 40))]


def test_the_loop_of_a_square_is_the_square():
    x = np.array([[0, 0], [1, 0], [1, 1], [0, 1.0]])
    found = p.diagrams(x)
    np.testing.assert_allclose(found.h1, [[1, np.sqrt(2)]], rtol=1e-12)
    assert sorted(p.loop(x, found, 0).tolist()) == [0, 1, 2, 3]


@pytest.mark.parametrize("seed", range(8))
def test_on_a_lattice_where_many_lengths_are_equal_every_loop_is_one(seed):
    x = np.random.default_rng(seed).integers(0, 6, (40, 2)).astype(float)  # duplicates among them
    found = p.diagrams(x)
    for i in range(len(found.h1)):
        way = p.loop(x, found, i)
        steps = np.linalg.norm(x[way] - np.roll(x[way], 1, axis=0), axis=1)
        assert len(way) >= 4 and steps.max() == pytest.approx(found.h1[i, 0])  # a triangle would be filled when it closes


def test_a_loop_is_looked_for_in_the_points_of_the_diagrams(loops):
    x, found = loops
    refused(lambda: p.loop(x[1:], found, 0), "139", "computed from")
    refused(lambda: p.loop(np.arange(140.0)[:, None] ** 2, found, 0), "computed from")


def test_loops_of_landmarks_are_rows_of_the_input():
    x = shape("circle", 300, noise=0.02)
    found = p.diagrams(x, max_points=40)
    way = p.loop(x, found, int((found.h1[:, 1] - found.h1[:, 0]).argmax()))
    assert set(way.tolist()) <= set(found.points.tolist()) and len(way) > 8


def test_a_bar_that_is_not_there_is_refused(loops):
    x, found = loops
    for i in (-1, len(found.h1), 10**6):
        refused(lambda i=i: found.trace(1, i), f"no bar {i} of H1")
        refused(lambda i=i: p.loop(x, found, i), f"no bar {i}")
    refused(lambda: found.trace(0, len(found.h0)), "H0")
    refused(lambda: found.sides(-1), "H0")
    refused(lambda: found.trace(2, 0), "it has 0")
    refused(lambda: found.trace(3, 0), "H3")
    refused(lambda: found.of(-1), "H-1")


# distances between diagrams

@pytest.mark.parametrize("kind", p.KINDS)
def test_a_distance_is_zero_to_itself_and_the_same_both_ways(kind):
    rng = np.random.default_rng(0)
    for m, k in ((1, 1), (5, 9), (40, 30)):
        a, b = random_diagram(rng, m), random_diagram(rng, k)
        assert p.distance(a, a[rng.permutation(m)], kind=kind) == pytest.approx(0, abs=1e-12)
        assert p.distance(a, b, kind=kind) == pytest.approx(p.distance(b, a, kind=kind), rel=1e-9)
        assert p.distance(a, b, kind=kind) > 0


@pytest.mark.parametrize("kind", p.KINDS)
@pytest.mark.parametrize("seed", range(5))
def test_a_distance_keeps_the_triangle_inequality(kind, seed):
    rng = np.random.default_rng(seed)
    a, b, c = (random_diagram(rng, int(rng.integers(0, 20))) for _ in range(3))
    assert p.distance(a, c, kind=kind) <= p.distance(a, b, kind=kind) + p.distance(b, c, kind=kind) + 1e-9


@pytest.mark.parametrize("kind", p.KINDS)
@pytest.mark.parametrize("sizes", [(1, 1), (1, 7), (12, 12), (40, 25), (25, 60)])
def test_distances_are_those_of_persim(kind, sizes):
    import persim
    peer = {"wasserstein": persim.wasserstein, "bottleneck": persim.bottleneck, "sliced": persim.sliced_wasserstein}[kind]
    for seed in range(4):
        rng = np.random.default_rng(seed)
        a, b = (random_diagram(rng, m) for m in sizes)
        assert p.distance(a, b, kind=kind) == pytest.approx(peer(a, b), rel=1e-6, abs=1e-7)


def test_the_distance_to_the_empty_diagram_is_the_way_to_the_diagonal():
    bars, empty = np.array([[0, 2], [1, 4.0]]), np.zeros((0, 2))
    assert p.distance(bars, empty) == pytest.approx(5 / np.sqrt(2)) and p.distance(bars, empty, kind="bottleneck") == 1.5
    angles = np.pi * (0.5 + np.arange(50) / 50)
    sliced = 5 * np.abs(np.cos(angles) - np.sin(angles)).mean() / 2  # to the middle of each bar, seen along every direction
    assert p.distance(bars, empty, kind="sliced") == pytest.approx(sliced, rel=1e-6)
    for kind in p.KINDS:
        assert p.distance(empty, bars, kind=kind) == p.distance(bars, empty, kind=kind) and p.distance(empty, [], kind=kind) == 0
    assert p.matching(bars, empty)[:, :2].tolist() == [[0, -1], [1, -1]] and p.matching(empty, empty).shape == (0, 3)


def test_bars_that_never_die_are_left_out():
    a, b = p.diagrams(blobs(30)), p.diagrams(blobs(40, seed=1))
    assert np.isfinite(p.distance(a, b, dim=0)) and p.distance(a, b, dim=0) == p.distance(a.h0[:-1], b.h0[:-1])


@pytest.mark.parametrize("kind", ["wasserstein", "bottleneck"])
def test_a_matching_takes_every_bar_once_and_costs_the_distance(kind):
    rng = np.random.default_rng(3)
    for m, k in ((0, 4), (6, 6), (30, 18), (18, 30)):
        a, b = random_diagram(rng, m), random_diagram(rng, k)
        pairs = p.matching(a, b, kind=kind)
        i, j, costs = pairs[:, 0].astype(int), pairs[:, 1].astype(int), pairs[:, 2]
        assert sorted(i[i >= 0]) == list(range(m)) and sorted(j[j >= 0]) == list(range(k)) and not ((i < 0) & (j < 0)).any()
        between = a[i] - b[j] if m and k else np.zeros((len(pairs), 2))
        lengths = np.linalg.norm(between, axis=1) if kind == "wasserstein" else np.abs(between).max(axis=1)
        share = np.sqrt(2) if kind == "wasserstein" else 2
        for at, bars, alone in ((i, a, j < 0), (j, b, i < 0)):
            if alone.any():
                lengths[alone] = np.ptp(bars[at[alone]], axis=1) / share
        np.testing.assert_allclose(costs, lengths, rtol=1e-12)
        assert (costs.sum() if kind == "wasserstein" else costs.max()) == p.distance(a, b, kind=kind)


@pytest.mark.parametrize("kind", p.KINDS)
def test_pruned_diagrams_err_by_their_bounds_at_most(kind):
    rng = np.random.default_rng(4)
    for _ in range(5):
        a, b = random_diagram(rng, 50), random_diagram(rng, 40)
        exact = p.distance(a, b, kind=kind)
        for most in (0, 5, 30, 60):
            (few, off), (less, away) = p.prune(a, most, kind=kind), p.prune(b, most, kind=kind)
            assert len(few) == min(most, 50) and abs(p.distance(few, less, kind=kind) - exact) <= off + away + 1e-9
            assert (most < 50) == (off > 0)
    kept, _ = p.prune(a, 5)
    assert np.array_equal(lives(kept), lives(a)[:5])


def test_unknown_distances_and_diagrams_that_are_none_are_refused():
    a = random_diagram(np.random.default_rng(0), 3)
    refused(lambda: p.distance(a, a, kind="taxi"), "taxi", "bottleneck")
    refused(lambda: p.matching(a, a, kind="sliced"), "directions")
    refused(lambda: p.prune(a, 2, kind="taxi"), "taxi")
    refused(lambda: p.distance(a, np.ones((3, 3))), "(3, 3)")
    refused(lambda: p.distance(np.array([[0, np.nan]]), a), "NaN")
    one = p.diagrams(blobs(20))
    refused(lambda: p.distance(one, one, dim=2), "max_dim=2")
    refused(lambda: p.distance(one, one, dim=5), "H5")


# what is kept

def test_results_survive_the_store(store):
    for name, made in (("a1", p.profile(blobs(30))), ("a2", p.profile(blobs(50), limit=20)), ("a3", p.diagrams(blobs(60), max_points=40)),
                       ("a4", p.diagrams(np.ones((1, 2)))), ("a5", p.profile(np.ones((1, 2)))), ("a6", p.ratio(blobs(30), 5))):
        store.put_result(name, made)
        back = store.result(name)
        assert type(back) is type(made)
        for key, value in vars(made).items():
            np.testing.assert_array_equal(getattr(back, key), value) if isinstance(value, np.ndarray) else None
            assert isinstance(value, np.ndarray) or getattr(back, key) == value
        assert back.table().equals(made.table()) and back.manifest() == made.manifest()
    assert np.array_equal(store.result("a3").trace(1, 0), p.diagrams(blobs(60), max_points=40).trace(1, 0))
    assert store.result("a1").ratio(5) == p.profile(blobs(30)).ratio(5) and store.result("a2").interval(5) == p.profile(blobs(50), limit=20).interval(5)


def test_a_manifest_holds_the_numbers_and_the_choices():
    told = p.profile(blobs(60)).manifest(5)
    assert told["n"] == told["used"] == 60 and len(told["deaths"]) == 59 and told["gap"]["groups"] == 5 and told["classes"] == 5
    assert told["ratio"] == pytest.approx(told["tightness"] / told["separation"]) and told["interval"]["low"] < told["ratio"] < told["chance"]["low"]
    assert told["options"]["resampling"] == "jackknife" and told["options"]["convention"] == "diameter"
    bars = p.diagrams(blobs(60)).manifest()
    assert bars["h0"][-1] == [0, None] and len(bars["h0"]) == 60 and bars["covering_radius"] == 0
    table = p.diagrams(blobs(60)).table()
    assert list(table.columns) == ["dimension", "bar", "birth", "death", "lifetime"] and set(table.dimension) == {0, 1}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(p.ratio(blobs(60), 5).table()) == 1


def test_each_of_two_circles_has_a_cocycle_of_its_own():
    for seed in range(4):
        rng = np.random.default_rng(seed)
        a, b = rng.uniform(0, 2 * np.pi, 150), rng.uniform(0, 2 * np.pi, 100)
        x = np.concatenate([np.stack([np.cos(a), np.sin(a)], axis=1), 0.6 * np.stack([np.cos(b), np.sin(b)], axis=1) + [2.6, 0]])
        found = p.diagrams(x)
        large, small = (set(found.trace(1, int(i))) for i in np.argsort(found.h1[:, 0] - found.h1[:, 1])[:2])
        assert large <= set(range(150)) and small <= set(range(150, 250)) and min(len(large), len(small)) > 20


@pytest.mark.parametrize("seed", range(20))
def test_bars_born_together_are_matched_as_any_others(seed):
    """H0 has a way of its own: it must cost what the general one costs."""
    rng = np.random.default_rng(seed)
    a, b = (np.stack([np.zeros(n), rng.gamma(1, 1, n).round(1 + seed % 3)], axis=1) for n in rng.integers(0, 14, 2))
    pairs, aside = p.matching(a, b), 1e-9 * rng.standard_normal((len(a), 1))
    assert pairs[:, 2].sum() == pytest.approx(p.distance(a + aside, b), abs=1e-6)
    farthest = p.matching(a, b, kind="bottleneck")[:, 2].max(initial=0)
    assert farthest == pytest.approx(p.distance(a + aside, b, kind="bottleneck"), abs=1e-6)
    assert sorted(pairs[pairs[:, 0] >= 0, 0]) == list(range(len(a))) and sorted(pairs[pairs[:, 1] >= 0, 1]) == list(range(len(b)))


def test_the_pieces_at_the_largest_gap_are_groups_and_stray_points():
    cut = lambda x: dataclasses.astuple(p.pieces(p.spanning.tree(x)))
    assert cut(blobs(60, clusters=3, spread=0.05)) == pytest.approx((3, 3, 0, 5, 0.93), abs=0.04)
    assert cut(blobs(12, clusters=3, spread=0.05)) == pytest.approx((3, 3, 0, 1, 0.93), abs=0.04)  # few points: groups of four are groups
    far = np.concatenate([np.random.default_rng(0).standard_normal((80, 3)), [[90, 0, 0]]])
    assert cut(far) == pytest.approx((2, 1, 1, 5, 0.98), abs=0.02)
    assert cut(np.zeros((9, 2)))[0] == cut(np.zeros((1, 2)))[0] == 1


def test_clusters_stand_out_only_where_clouds_without_any_leave_fewer_groups():
    assert p.profile(blobs(60, clusters=3, spread=0.05)).stands_out()
    drawn = [p.profile(np.random.default_rng(s).uniform(size=(60, 1 + s % 2)), blocks=2, shuffles=0, halves=0) for s in range(20)]
    assert sum(found.stands_out() for found in drawn) <= 4 and sum(p.pieces(found.tree()).groups > 1 for found in drawn) > 5


def test_the_interval_by_students_t_never_falls_below_zero():
    heavy = [p.profile(np.random.default_rng(s).standard_t(3, (60, 2)), shuffles=0, halves=0, boxes=0) for s in range(8)]
    assert all(0 <= found.interval(2)[0] <= found.ratio(2).ratio <= found.interval(2)[1] for found in heavy)


def test_the_loops_that_stand_out_are_those_of_the_shape_and_none_of_noise():
    standing = lambda x: p.standing(p.diagrams(x).h1)
    assert standing(shape("circle", 600, noise=0.05)) == 1 and standing(shape("two-circles", 600, noise=0.05)) == 2
    assert sum(standing(np.random.default_rng(s).standard_normal((150, 2 + s))) for s in range(6)) == 0
    assert p.standing(np.zeros((0, 2))) == p.standing(np.array([[1.0, 9.0]])) == 0  # alone there is nothing to compare with
