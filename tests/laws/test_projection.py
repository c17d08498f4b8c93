"""Projections and neighbours: what must hold for any data."""

import numpy as np
import pytest

from analysis import InputError
from analysis.metrics import neighbours
from analysis.metrics.projection import bounds, layers_pca, pca, sample, turn


def cloud(n=200, d=12, seed=0):
    return (np.random.default_rng(seed).standard_normal((n, d)) * np.linspace(4, 0.2, d)).astype(np.float32)


def distances(x):
    return np.linalg.norm(x[:, None] - x[None], axis=2)


@pytest.mark.parametrize(("n", "d"), [(200, 12), (60, 300), (2, 5), (50, 2)])
def test_pca_is_the_singular_value_decomposition(n, d):
    x = cloud(n, d)
    u, s, _ = np.linalg.svd(x.astype(float) - x.mean(axis=0, dtype=float), full_matrices=False)
    found, k = pca([x], dims=3), min(3, n - 1, d)
    np.testing.assert_allclose(np.abs(found.points[:, :k]), np.abs(u[:, :k] * s[:k]), atol=2e-4)
    np.testing.assert_allclose(found.explained[:k], (s**2 / (s**2).sum())[:k], atol=1e-6)
    assert found.points.shape == (n, 3) and found.points.dtype == np.float32
    assert 0 <= found.explained.sum() <= 1 + 1e-9 and (np.diff(found.explained) <= 1e-9).all()


def test_beyond_exact_size_the_leading_axes_agree():
    rng = np.random.default_rng(1)
    x = (rng.standard_normal((1100, 1030)) * np.r_[[30, 20, 10], np.full(1027, 0.3)]).astype(np.float32)
    found = pca([x], dims=3)
    u, s, _ = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    assert found.options["exact"] is False
    np.testing.assert_allclose(np.abs(found.points), np.abs(u[:, :3] * s[:3]), atol=0.05)


def test_a_rotation_leaves_the_picture():
    x = cloud()
    q = np.linalg.qr(np.random.default_rng(3).standard_normal((12, 12)))[0].astype(np.float32)
    np.testing.assert_allclose(distances(pca([x]).points), distances(pca([x @ q + 5]).points), atol=2e-3)


def test_the_order_of_items_does_not_matter_and_nothing_is_random():
    x = cloud()
    order = np.random.default_rng(4).permutation(len(x))
    np.testing.assert_allclose(pca([x[order]]).points, pca([x]).points[order], atol=1e-4)
    assert np.array_equal(pca([x]).points, pca([x]).points)


def test_a_mirrored_cloud_gets_the_sign_of_its_axes():
    a, b = pca([cloud()]), pca([-cloud()])
    np.testing.assert_allclose(a.points, -b.points, atol=1e-4)  # same axes, so the points change sides


def test_blocks_share_one_projection():
    x = cloud()
    joint = pca([x[:50], x[50:]])
    assert joint.sizes == (50, 150) and [len(b) for b in joint.blocks()] == [50, 150]
    np.testing.assert_allclose(joint.points, pca([x]).points, atol=1e-5)


def test_without_variance_everything_lies_at_the_centre():
    found = pca([np.ones((5, 4), np.float32)])
    assert not found.points.any() and not found.explained.any()


def test_too_few_columns_leave_an_axis_empty():
    found = pca([cloud(d=2)], dims=3)
    assert not found.points[:, 2].any() and found.explained[2] == 0 and found.explained.sum() == pytest.approx(1)


@pytest.mark.parametrize("wrong", [[np.ones((3, 2)), np.ones((3, 4))], [np.ones(3)], [np.ones((1, 3))], []])
def test_bad_blocks_are_refused(wrong):
    with pytest.raises(InputError):
        pca(wrong)


def test_layers_turn_but_do_not_bend():
    x = cloud()
    spun = x @ np.linalg.qr(np.random.default_rng(5).standard_normal((12, 12)))[0] * 100  # another layer: same shape, other axes and scale
    found = layers_pca({"a": [x], "b": [spun.astype(np.float32)]}, dims=2)
    np.testing.assert_allclose(found["a"].points, found["b"].points, atol=1e-3)
    alone = pca([x], dims=2)
    ratio = distances(found["a"].points) / (distances(alone.points) + np.eye(len(x)))
    assert ratio[~np.eye(len(x), dtype=bool)].std() < 1e-5
    assert found["a"].explained.sum() == pytest.approx(alone.explained.sum())
    low_high = bounds(found.values())
    for p in found.values():
        assert (p.points > low_high[:, 0]).all() and (p.points < low_high[:, 1]).all()


def test_turn_is_orthogonal_and_undoes_a_rotation():
    x = cloud(d=3)
    q = np.linalg.qr(np.random.default_rng(6).standard_normal((3, 3)))[0].astype(np.float32)
    r = turn(x @ q, x)
    np.testing.assert_allclose(r @ r.T, np.eye(3), atol=1e-5)
    np.testing.assert_allclose(x @ q @ r, x, atol=1e-4)


def test_a_sample_keeps_shares_and_leaves_no_group_out():
    groups = np.repeat([0, 1, 2], [8000, 1990, 10])
    rows = sample(groups, 1000, seed=1)
    counts = np.bincount(groups[rows])
    assert len(rows) == len(set(rows)) == 1000 and (np.diff(rows) > 0).all()
    assert abs(counts[0] - 800) <= 2 and abs(counts[1] - 199) <= 2 and counts[2] >= 1
    assert np.array_equal(rows, sample(groups, 1000, seed=1)) and not np.array_equal(rows, sample(groups, 1000, seed=2))
    assert np.array_equal(sample(groups, 10_000), np.arange(10_000))
    assert set(groups[sample(groups, 3)]) == {0, 1, 2}


# neighbours

def brute(x, rows, k, metric):
    x = x.astype(float)
    if metric == "cosine":
        norms = np.linalg.norm(x, axis=1, keepdims=True)
        unit = x / np.where(norms > 0, norms, 1)
        every = 1 - unit[rows] @ unit.T
    else:
        every = np.linalg.norm(x[rows][:, None] - x[None], axis=2)
    every[np.arange(len(rows)), rows] = np.inf
    order = np.argsort(every, axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(every, order, axis=1)


@pytest.mark.parametrize("metric", neighbours.METRICS)
def test_nearest_equals_brute_force(metric, monkeypatch):
    x, rows = cloud(150, 8), np.array([3, 0, 149, 77])
    found, away = neighbours.nearest(x, rows, 7, metric=metric)
    order, expected = brute(x, rows, 7, metric)
    assert np.array_equal(found, order)
    np.testing.assert_allclose(away, expected, atol=1e-5)
    monkeypatch.setattr(neighbours, "BLOCK", 1)  # one row at a time
    assert np.array_equal(neighbours.nearest(x, rows, 7, metric=metric)[0], found)


def test_ties_go_to_the_lower_index():
    x = np.repeat(np.eye(3, dtype=np.float32), 20, axis=0)
    found, away = neighbours.nearest(x, [30], 5)
    assert found.tolist() == [[20, 21, 22, 23, 24]] and not away.any()


def test_all_others_can_be_asked_for_and_no_more():
    x = cloud(6, 3)
    assert sorted(neighbours.nearest(x, [2], 5)[0][0]) == [0, 1, 3, 4, 5]
    with pytest.raises(InputError):
        neighbours.nearest(x, [2], 6)
    with pytest.raises(InputError):
        neighbours.nearest(x, [2], 2, metric="taxi")


def test_agreement_is_certain_for_apart_and_chance_for_shuffled():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(4), 50)
    x = (100 * np.eye(4)[labels] + rng.standard_normal((200, 4))).astype(np.float32)
    sure = neighbours.agreement(x, labels)
    assert sure.value == sure.low == sure.high == 1 and sure.chance == pytest.approx(49 / 199)
    lost = neighbours.agreement(x, rng.permutation(labels), seed=1)
    assert lost.low <= lost.value <= lost.high and abs(lost.value - lost.chance) < 0.06
    few = neighbours.agreement(x, labels, limit=30)
    assert few.asked == 30 and few.n == 200 and few.value == 1


# UMAP, the study

class Told:
    def __init__(self, stop_after=None):
        self.notes, self.stop_after = [], stop_after

    def progress(self, done, total, note=""):
        self.notes.append((done, note))
        if self.stop_after is not None and len(self.notes) >= self.stop_after:
            from analysis.errors import Cancelled
            raise Cancelled


@pytest.fixture(scope="module")
def representations():
    from analysis import Representation
    rng, labels = np.random.default_rng(0), np.repeat(np.arange(3), 30)
    make = lambda shift: Representation({"a": (10 * np.eye(60)[labels] + shift + rng.standard_normal((90, 60))).astype(np.float32)}, labels)
    return [make(0), make(0.5)]


def test_umap_is_seeded_tells_progress_and_samples_by_domain_and_class(representations):
    from analysis.studies.projection import umap
    ctx, options = Told(), {"layer": "a", "n_neighbors": 8, "seed": 3, "limit": 120}
    *_, one = umap({"representations": representations}, options, ctx)
    *_, two = umap({"representations": representations}, options, Told())
    assert np.array_equal(one.points, two.points) and one.points.shape == (120, 2)
    labels = np.tile(representations[0].labels, 2)[one.used]
    assert one.n == 180 and one.sizes == (60, 60) and np.array_equal(np.bincount(labels), [40, 40, 40])
    assert ctx.notes[-1] == (500, "laying them out, epoch") and len(ctx.notes) > 2
    assert one.options["n_neighbors"] == 8 and one.options["first"] == 50
    from analysis.metrics.neighbours import agreement
    assert agreement(one.points, labels, k=5).value > 0.95


def test_umap_hears_a_cancel_while_it_fits(representations):
    from analysis.errors import Cancelled
    from analysis.studies.projection import umap
    ctx = Told(stop_after=2)
    with pytest.raises(Cancelled):
        list(umap({"representations": representations}, {"layer": "a"}, ctx))
    assert len(ctx.notes) == 2 and ctx.notes[-1][0] < 500


def test_umap_refuses_what_is_not_there(representations):
    from analysis.studies.projection import umap
    for options in ({"layer": "b"}, {"layer": "a", "n_neighbors": 1}):
        with pytest.raises(InputError):
            list(umap({"representations": representations}, options, Told()))


def test_a_projection_survives_the_store(store, representations):
    made = pca([r.layers["a"] for r in representations])
    store.put_result("abc", made)
    back = store.result("abc")
    assert np.array_equal(back.points, made.points) and back.sizes == made.sizes and back.options == made.options
