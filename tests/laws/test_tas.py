"""The spectrum of two representations: what must hold for any data."""

from math import comb

import numpy as np
import pytest

from analysis.metrics import ranking, tas
from tests.refusal import refused

torch = pytest.importorskip("torch")


def cloud(n=60, d=6, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d)) * np.linspace(2, 0.5, d)


def related(n=60, d=6, seed=0, noise=0.7):
    a = cloud(n, d, seed)
    return a, a + noise * cloud(n, d, seed + 1000)


def turned(x, seed=0):
    """Rotated, scaled, moved, columns in another order."""
    rng = np.random.default_rng(seed)
    q, _ = np.linalg.qr(rng.standard_normal((x.shape[1],) * 2))
    return (3 * x @ q + rng.standard_normal(x.shape[1]))[:, rng.permutation(x.shape[1])]


def neighbours(x, metric="euclidean"):
    """Lists of the others, nearest first, the plain way."""
    x = np.asarray(x, np.float64)
    x = x / np.linalg.norm(x, axis=1, keepdims=True) if metric == "cosine" else x
    apart = ((x[:, None] - x) ** 2).sum(axis=2)
    return [[j for j in np.argsort(row) if j != i] for i, row in enumerate(apart)]


def plain(a, b, metric="euclidean"):
    """(Jaccard, overlap) over k, by sets."""
    first, second, n = neighbours(a, metric), neighbours(b, metric), len(a)
    found = []
    for k in range(1, n - 1):
        shared = np.array([len(set(p[:k]) & set(q[:k])) for p, q in zip(first, second, strict=True)])
        found.append(((shared / (2 * k - shared)).mean(), (shared / k).mean()))
    return np.array(found).T


@pytest.fixture(params=["whole", "blocks", "torch", "torch in blocks"])
def way(request, monkeypatch):
    """The options for one way to compute."""
    if "blocks" in request.param:
        monkeypatch.setattr(ranking, "WHOLE", 8)
        monkeypatch.setattr(ranking, "LEAST", 7)
        monkeypatch.setattr(ranking, "BLOCK", 1)
        monkeypatch.setattr(ranking, "PIECE", 180)
        monkeypatch.setattr(tas, "BLOCK", 130)
    return {"device": "torch:cpu" if "torch" in request.param else "cpu"}


# the spectrum

@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("n", [4, 5, 23, 61])
def test_it_equals_neighbour_sets_at_every_k(way, n, metric):
    a, b = related(n, 5, seed=n)
    found, (jaccard, overlap) = tas.spectrum(a, b, metric=metric, **way), plain(a, b, metric)
    assert found.k.tolist() == list(range(1, n - 1)) and found.n == n
    np.testing.assert_allclose(found.jaccard, jaccard, atol=1e-13)
    np.testing.assert_allclose(found.overlap, overlap, atol=1e-13)
    np.testing.assert_allclose(found.tas, (jaccard - found.expected) / (1 - found.expected), atol=1e-12)
    r_nx = [((n - 1) * q - k) / (n - 1 - k) for k, q in enumerate(overlap, 1)]
    np.testing.assert_allclose(found.r_nx, r_nx, atol=1e-12)
    assert found.auc == pytest.approx(sum(r / k for k, r in enumerate(r_nx, 1)) / sum(1 / k for k in range(1, n - 1)))


@pytest.mark.parametrize("max_k", [1, 3, 20, 40, 58])
def test_fewer_neighbours_give_the_same_curve(way, max_k):
    a, b = related()
    few, all_ = tas.spectrum(a, b, max_k=max_k, **way), tas.spectrum(a, b)
    for name in ("k", "jaccard", "expected", "floor", "tas", "overlap", "r_nx"):
        np.testing.assert_allclose(getattr(few, name), getattr(all_, name)[:max_k], atol=1e-12)


@pytest.mark.parametrize("device", ["cpu", "torch:cpu"])
def test_few_neighbours_of_many_rows_are_the_same(device):
    a, b = related(500, 5)
    np.testing.assert_allclose(tas.spectrum(a, b, max_k=8, device=device).tas, tas.spectrum(a, b).tas[:8], atol=1e-12)
    a[100:300], b[:60] = a[100], b[0]  # more ties than there are neighbours kept
    np.testing.assert_allclose(tas.spectrum(a, b, max_k=8, device=device).tas, tas.spectrum(a, b).tas[:8], atol=1e-12)


def test_ranks_are_places_among_the_neighbours_and_give_the_same(way):
    a, b = related()
    mine, other = tas.ranks(a, **way), tas.ranks(b, **way)
    assert mine.ranks.dtype == np.uint8 and not mine.ranks.flags.writeable and mine.n == 60 and mine.duplicates == 0
    for i, near in enumerate(neighbours(a)):
        assert mine.ranks[i, i] == 0 and mine.ranks[i, near].tolist() == list(range(1, 60))
    full = tas.spectrum(a, b)
    for pair in ((mine, other), (mine, b), (a, other)):
        np.testing.assert_allclose(tas.spectrum(*pair, **way).tas, full.tas, atol=1e-12)
    assert tas.ranks(cloud(300, 3)).ranks.dtype == np.uint16


@pytest.mark.parametrize("x", [cloud(), cloud().astype(np.float32), torch.from_numpy(cloud()), torch.from_numpy(cloud()).float().requires_grad_(),
                               cloud().tolist()], ids=["float64", "float32", "tensor", "tensor with gradient", "lists"])
def test_numpy_torch_and_lists_are_read(x):
    np.testing.assert_allclose(tas.spectrum(x, cloud(seed=1)).tas, tas.spectrum(cloud(), cloud(seed=1)).tas, atol=1e-5)


def test_a_turned_copy_is_the_same_at_every_k(way):
    a = cloud()
    assert (tas.spectrum(a, turned(a), **way).tas == 1).all() and tas.spectrum(a, turned(a), **way).auc == pytest.approx(1)


def test_it_is_symmetric(way):
    a, b = related()
    np.testing.assert_allclose(tas.spectrum(a, b, **way).tas, tas.spectrum(b, a, **way).tas, atol=1e-14)


def test_float32_and_float64_are_one_curve():
    """Ordinary data at ordinary width: what single precision rounds moves no neighbour that counts."""
    a, b = (x.astype(np.float32) for x in related(700, 256))
    single, double = tas.spectrum(a, b).tas, tas.spectrum(a.astype(np.float64), b.astype(np.float64)).tas
    np.testing.assert_allclose(single, double, atol=1e-12)


@pytest.mark.parametrize("n", [130, 700])
def test_blocks_and_devices_do_not_matter(n, monkeypatch):
    a, b = related(n, 32)
    a[5:9], b[n // 2:n // 2 + 20] = a[5], b[0]  # ties are drawn by row, not by block
    curves = [tas.spectrum(a, b, device="torch:cpu").tas, tas.spectrum(a, b).tas]
    for name, value in {"WHOLE": 8, "LEAST": 11, "BLOCK": 1, "PIECE": 1000}.items():
        monkeypatch.setattr(ranking, name, value)
    curves += [tas.spectrum(a, b).tas, tas.spectrum(a, b, device="torch:cpu").tas]
    for other in curves[1:]:
        np.testing.assert_allclose(other, curves[0], atol=1e-5)


@pytest.mark.parametrize("spread", [1e-2, 1e-4, 1e-6, 1e-8, 1e-11])
def test_tight_clusters_keep_their_neighbours(way, spread):
    shape, at = cloud(60, 6), np.repeat(np.arange(3), 20)
    a, b = 100 * np.eye(3, 6)[at] + 1000 + spread * shape, 100 * np.eye(3, 6)[at] + shape
    found, (jaccard, _) = tas.spectrum(a, b, **way), plain(a, b)
    np.testing.assert_allclose(found.jaccard[:19], jaccard[:19], atol=1e-12)
    assert spread < 1e-10 or found.tas[:19].min() == 1
    if spread > 1e-5:  # below, rows of another cluster are as good as equally far
        np.testing.assert_allclose(found.jaccard, jaccard, atol=1e-12)


def test_a_row_far_out_changes_no_other_neighbour(way):
    a, b = related()
    a, b = (np.concatenate([x, np.full((1, 6), far)]) for x, far in ((a, 1e6), (b, -1e5)))
    jaccard, _ = plain(a, b)
    np.testing.assert_allclose(tas.spectrum(a, b, **way).jaccard, jaccard, atol=1e-12)


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e-60, 1e60, 1e160, 1e300])
def test_scale_does_not_matter(scale):
    a, b = related()
    np.testing.assert_allclose(tas.spectrum(scale * a, b).tas, tas.spectrum(a, b).tas, atol=1e-12)


# ties

def test_constant_matrices_are_at_chance_and_said_to_be(way):
    for a, b in ((np.ones((300, 4)),) * 2, (np.ones((300, 4)), np.zeros((300, 4))), (np.zeros((300, 4)), cloud(300))):
        found = tas.spectrum(a, b, **way)
        assert np.abs(found.tas[:200]).max() < 0.06
        assert "100 % of the rows" in found.warnings[0] and len(found.warnings) == (a is b or not b.any()) + 1
    assert tas.spectrum(cloud(), cloud(seed=1)).warnings == ()
    twice = np.concatenate([cloud(98), cloud(98)[:2]])
    warned, = tas.spectrum(cloud(100), twice, **way).warnings
    assert "second" in warned and "4 %" in warned


def test_ties_are_drawn_fairly_and_independently():
    """Of four equal rows each is first for a fifth row equally often; in the two spaces independently."""
    a = np.concatenate([np.zeros((4, 2)), np.ones((1, 2))])
    firsts = np.array([[tas.ranks(x, seed=seed).ranks[4, :4].argmin() for x in (a, a + 1)] for seed in range(800)])
    seen = np.bincount(firsts[:, 0] * 4 + firsts[:, 1], minlength=16)
    assert seen.min() > 20 and seen.max() < 85  # 50 each, sd 6.8
    jaccard = np.mean([tas.spectrum(a, a, seed=seed).jaccard[0] for seed in range(400)])
    assert jaccard == pytest.approx((4 / 3 + 1 / 4) / 5, abs=0.03)


def test_ties_of_a_grid_are_ties_wherever_it_lies():
    """Distances that are equal but for rounding count as equal: a turned copy breaks them no differently from the same again."""
    grid = np.stack(np.meshgrid(*[np.arange(6.0)] * 3), axis=-1).reshape(-1, 3)
    curves = {name: np.mean([tas.spectrum(grid, other, seed=seed).tas for seed in range(5)], axis=0)
              for name, other in (("same", grid), ("turned", turned(grid)), ("moved", grid / 255 + 0.1))}
    assert curves["same"][0] < 0.5
    for name in ("turned", "moved"):
        np.testing.assert_allclose(curves[name], curves["same"], atol=0.06)
    assert np.abs(curves["turned"] - curves["same"]).mean() < 0.01


def test_the_seed_of_the_second_side_is_one_more():
    x = np.repeat(cloud(20), 3, axis=0)
    apart = tas.spectrum(tas.ranks(x, seed=4), tas.ranks(x, seed=5)).tas
    np.testing.assert_array_equal(tas.spectrum(x, x, seed=4).tas, apart)
    assert (tas.spectrum(tas.ranks(x, seed=4), tas.ranks(x, seed=4)).tas == 1).all() and apart[0] < 0.9
    assert tas.spectrum(tas.ranks(x), tas.ranks(2 * x)).tas[0] < 0.9  # one seed, other data: their ties are not the same
    assert tas.ranks(x).duplicates == 1 and tas.ranks(np.concatenate([cloud(98), cloud(98)[:2]])).duplicates == pytest.approx(0.04)


# chance

def test_the_chance_level_is_the_sum_over_the_hypergeometric():
    for n in (4, 7, 30, 90):
        others = n - 1
        exact = [sum(comb(k, x) * comb(others - k, k - x) / comb(others, k) * x / (2 * k - x) for x in range(max(0, 2 * k - others), k + 1))
                 for k in range(1, n - 1)]
        np.testing.assert_allclose(tas.expected(n), exact, rtol=1e-12)


def test_the_chance_level_of_many_rows_is_smooth_and_starts_at_one_in_n():
    found = tas.expected(20_000)
    assert found.shape == (19_998,) and found[0] == pytest.approx(1 / 19_999, rel=1e-12) and (np.diff(found) > 0).all() and found[-1] < 1
    paper = tas.expected(20_000, baseline="paper")
    assert paper[0] == pytest.approx(found[0] / 2, rel=1e-4) and (paper <= found).all()
    gap = ((found - paper) / (1 - found)).max()
    assert gap < 1 / 19_999
    assert tas.expected(150_000, max_k=50).shape == (50,)


def test_the_chance_level_is_the_mean_over_relabellings():
    a, b = related(40, 4)
    band = tas.null_band(a, b, permutations=3000)
    sd = (band.high - band.low) / 4
    assert (np.abs(band.mean) < 5 * sd / np.sqrt(3000) + 1e-6).all()


@pytest.mark.parametrize("baseline", ["exact", "paper"])
def test_the_floor_is_never_crossed_and_can_be_reached(baseline):
    for seed in range(5):
        a, b = cloud(30, 2, seed), cloud(30, 2, seed + 50)
        found = tas.spectrum(a, b, baseline=baseline)
        assert (found.tas >= found.floor - 1e-12).all() and (found.floor <= 0).all()
    near = np.empty((30, 30), np.uint8)  # the second side ranks exactly the other way round
    near[:] = tas.ranks(a).ranks
    opposite = np.where(near > 0, 30 - near, 0).astype(np.uint8)
    reached = tas.spectrum(tas.ranks(a), tas.Ranks(opposite, 0.0, tas.ranks(a).options), baseline=baseline)
    np.testing.assert_allclose(reached.tas, reached.floor, atol=1e-12)
    k, others = np.arange(1, 29), 29
    if baseline == "paper":
        np.testing.assert_allclose(found.floor, np.where(2 * k <= others, -k / (2 * (others - k)), -(others - k) / others), atol=1e-12)


# bands

@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_independent_data_lie_in_the_null_band_and_related_data_above(metric):
    a, b = related(150, 8)
    inside = []
    for seed in (71, 72, 73):
        found, band = (call(a, cloud(150, 8, seed), metric=metric) for call in (tas.spectrum, tas.null_band))
        inside.append(((band.low <= found.tas) & (found.tas <= band.high)).mean())
    assert np.mean(inside) > 0.8
    found, band = tas.spectrum(a, b, metric=metric), tas.null_band(a, b, metric=metric)
    assert (found.tas > band.high)[:140].all() and (band.low <= band.mean).all() and (band.mean <= band.high).all()
    assert band.options["metric"] == metric and band.options["permutations"] == 200 and band.notes == () and band.anchors == band.n == 150


def test_the_null_band_is_that_of_relabelled_data():
    """Against permuting the rows of b themselves."""
    a, b = related(50, 3)
    band = tas.null_band(a, b, permutations=400)
    rng = np.random.default_rng(5)
    drawn = np.array([tas.spectrum(a, b[rng.permutation(50)]).tas for _ in range(400)])
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    width = high - low
    assert np.abs(band.low - low).max() < 0.35 * width.max() and np.abs((band.high - band.low).mean() / width.mean() - 1) < 0.1


def test_a_cosine_spectrum_has_a_cosine_band():
    a, b = related(80, 4)
    a += 3
    same, other = (tas.null_band(a, b, metric="cosine", permutations=50), tas.null_band(a, b, permutations=50))
    assert not np.allclose(same.low, other.low)
    np.testing.assert_array_equal(same.low, tas.null_band(tas.ranks(a, metric="cosine"), tas.ranks(b, metric="cosine", seed=1), permutations=50).low)


def test_the_bootstrap_band_surrounds_the_curve():
    a, b = related(120, 6)
    for metric in ("euclidean", "cosine"):
        found, band = tas.spectrum(a, b, metric=metric), tas.bootstrap_band(a, b, metric=metric, resamples=500)
        assert (band.low <= found.tas).all() and (found.tas <= band.high).all()
        np.testing.assert_allclose(band.mean, found.tas, atol=0.01)
    rng, near = np.random.default_rng(0), tas.agreement(a, b, 10)
    means = [near[rng.integers(0, 120, 120)].mean() for _ in range(2000)]
    chance = tas.expected(120)[9]
    low, high = (np.quantile(means, [0.025, 0.975]) - chance) / (1 - chance)
    band = tas.bootstrap_band(a, b, resamples=2000)
    assert band.low[9] == pytest.approx(low, abs=0.005) and band.high[9] == pytest.approx(high, abs=0.005)
    copy = tas.bootstrap_band(a, turned(a))
    assert (copy.low == 1).all() and (copy.high == 1).all()


@pytest.mark.parametrize("limit", [20_000, 50])
def test_above_a_size_bands_are_about_anchors_and_say_so(monkeypatch, limit):
    a, b = related(90, 5)
    full, plain_band = tas.spectrum(a, b, max_k=30), tas.null_band(a, b, max_k=30)
    monkeypatch.setattr(tas, "KEPT", 60)
    monkeypatch.setattr(tas, "ANCHORS", 40)
    monkeypatch.setattr(tas, "LIMIT", limit)  # below: from the nearest alone
    null, boot = tas.null_band(a, b, max_k=30), tas.bootstrap_band(a, b, max_k=30)
    for band in (null, boot):
        assert band.anchors == band.options["anchors"] == 40 and band.n == 90 and "40 of 90" in band.notes[0]
    assert (null.high - null.low).mean() > (plain_band.high - plain_band.low).mean()
    assert (np.abs(null.mean) < (null.high - null.low)).all() and np.abs(boot.mean - full.tas).max() < 0.15
    monkeypatch.setattr(tas, "LIMIT", 20_000 if limit == 50 else 50)
    np.testing.assert_allclose(tas.null_band(a, b, max_k=30).low, null.low, atol=1e-6)


# parts of the whole

def test_agreement_of_each_point(way):
    a, b = related()
    mine, other = neighbours(a), neighbours(b)
    for k in (1, 7, 58, 59):
        exact = [(s := len(set(p[:k]) & set(q[:k]))) / (2 * k - s) for p, q in zip(mine, other, strict=True)]
        for pair in ((a, b), (tas.ranks(a), tas.ranks(b)), (tas.ranks(a), b)):
            np.testing.assert_allclose(tas.agreement(*pair, k, **way), exact, atol=1e-12)


def test_groups_add_up_to_the_whole(way):
    a, b = related()
    labels = np.array(["cat", "dog", "cat", "eel", "dog", "cat"] * 10)
    found, whole = tas.grouped(a, b, labels, **way), tas.spectrum(a, b)
    assert found.groups.tolist() == ["cat", "dog", "eel"] and found.counts.tolist() == [30, 20, 10]
    np.testing.assert_allclose(found.counts @ found.tas / 60, whole.tas, atol=1e-12)
    chance = whole.expected[6]
    near = tas.agreement(a, b, 7)
    assert found.tas[1, 6] == pytest.approx((near[labels == "dog"].mean() - chance) / (1 - chance))
    refused(lambda: tas.grouped(a, b, labels[:5]), "(5,)", "60")


def test_pairs_are_the_spectra_and_come_row_by_row():
    a, b = {f"a{i}": cloud(50, 4, i) for i in range(2)}, [cloud(50, 5, i) + cloud(50, 5) for i in range(3)]
    told = []
    partial = list(tas.pairs(a, b, progress=lambda done, total, note: told.append((done, total))))
    assert len(partial) == 2 and told[-1] == (6, 6)
    assert np.isnan(partial[0].tas[1]).all() and not np.isnan(partial[0].tas[0]).any() and not np.isnan(partial[1].tas).any()
    final = partial[-1]
    assert final.names_a == ("a0", "a1") and final.names_b == ("0", "1", "2") and final.tas.shape == (2, 3, 48) and final.tas.dtype == np.float32
    for i, x in enumerate(a.values()):
        for j, y in enumerate(b):
            np.testing.assert_allclose(final.tas[i, j], tas.spectrum(x, y).tas, atol=1e-6)
    ranked = list(tas.pairs([tas.ranks(x) for x in a.values()], [tas.ranks(y, seed=1) for y in b]))[-1]
    np.testing.assert_array_equal(ranked.tas, final.tas)
    layers = [np.repeat(cloud(25, 4, i), 2, axis=0) for i in range(3)]
    *_, final = tas.pairs(layers, layers)
    np.testing.assert_array_equal(final.tas, final.tas.swapaxes(0, 1))
    assert (final.tas[range(3), range(3)] == 1).all() and len(final.warnings) == 3 and "100 %" in final.warnings[0]
    refused(lambda: list(tas.pairs([], [])), "nothing")
    refused(lambda: list(tas.pairs([cloud(20)], [cloud(30)])), "20", "30")


def test_progress_is_told_and_may_stop():
    a, b = related()
    for call in (tas.spectrum, tas.null_band, tas.bootstrap_band):
        told = []
        call(a, b, progress=lambda done, total, note, told=told: told.append((done, total)))
        assert told[0][0] == 0 and told[-1][0] == told[-1][1] and [t[0] for t in told] == sorted(t[0] for t in told)

    class Stop(Exception):
        pass

    def stop(*_):
        raise Stop

    for call in (tas.spectrum, tas.null_band, tas.bootstrap_band):
        with pytest.raises(Stop):
            call(a, b, progress=stop)
    with pytest.raises(Stop):
        tas.ranks(a, progress=stop)


# what it teaches

@pytest.mark.parametrize("d", [10, 50, 2000])
def test_jitter_and_shuffled_clouds_show_their_shapes(d):
    jitter = tas.spectrum(*tas.teaching_cloud("jitter", d=d)).tas
    assert jitter[0] < 0.2 and 0.3 < jitter[49] < 0.5 and jitter[123] > 0.99 and jitter[0] < jitter[9] < jitter[49] < jitter[99]
    shuffled = tas.spectrum(*tas.teaching_cloud("shuffled", d=d)).tas
    np.testing.assert_allclose(shuffled[:124], 1, atol=1e-3)
    assert 0.58 < shuffled[149] < 0.7 and -0.1 < shuffled[249] < 0.5


@pytest.mark.parametrize("d", [10, 50, 100, 2000])
def test_noise_lies_in_its_null_band(d):
    a, b = (tas.ranks(x, seed=i) for i, x in enumerate(tas.teaching_cloud("noise", d=d)))
    found, band = tas.spectrum(a, b).tas, tas.null_band(a, b)
    assert ((band.low <= found) & (found <= band.high)).mean() > 0.8 and np.abs(found[:300]).max() < 0.05


def test_teaching_clouds_do_as_told():
    a, b = tas.teaching_cloud("shuffled", n=80, d=5, swapped=(1, 3))
    np.testing.assert_array_equal(a[:20], b[:20])
    np.testing.assert_array_equal(a[40:60], b[40:60])
    moved = b - a
    np.testing.assert_allclose(moved[20:40], np.broadcast_to(moved[20], (20, 5)), atol=1e-12)
    np.testing.assert_allclose(moved[20], -moved[60], atol=1e-12)
    np.testing.assert_array_equal(*tas.teaching_cloud("shuffled", swapped=()))
    np.testing.assert_array_equal(*tas.teaching_cloud("jitter", jitter=0))
    assert len(np.unique(tas.teaching_cloud("jitter", d=2, spread=0)[0], axis=0)) == 4
    np.testing.assert_array_equal(tas.teaching_cloud("noise", seed=3)[0], tas.teaching_cloud("noise", seed=3)[0])
    refused(lambda: tas.teaching_cloud("spiral"), "spiral", "jitter")
    refused(lambda: tas.teaching_cloud("jitter", n=3), "3")
    refused(lambda: tas.teaching_cloud("jitter", d=1), "1")
    refused(lambda: tas.teaching_cloud("shuffled", swapped=(0, 0)), "at most once")
    refused(lambda: tas.teaching_cloud("jitter", jitter=-1), "negative")


# what goes in and what comes out

def test_bad_input_is_named():
    a, b = related()
    broken = a.copy()
    broken[7, 2] = np.nan
    refused(lambda: tas.spectrum(a, b[:50]), "60", "50")
    refused(lambda: tas.spectrum(tas.ranks(a), b[:50]), "60", "50")
    refused(lambda: tas.spectrum(a[:3], b[:3]), "at least 4", "3")
    refused(lambda: tas.spectrum(broken, b), "NaN", "row 7")
    refused(lambda: tas.spectrum(a, np.where(a > 2, np.inf, a)), "infinite")
    for x in (a[0], a[None], a.astype(str), [[1, 2], [3]], np.zeros((5, 0)), 3, None):
        refused(lambda x=x: tas.spectrum(x, b), "table")
    for max_k in (0, 59, 2.5, "a", True):
        refused(lambda k=max_k: tas.spectrum(a, b, max_k=k), "1 to 58")
    refused(lambda: tas.agreement(a, b, 60), "59")
    refused(lambda: tas.spectrum(a, b, metric="cubic"), "cubic", "cosine")
    refused(lambda: tas.spectrum(a, b, baseline="none"), "none", "paper")
    refused(lambda: tas.spectrum(a * (np.arange(60) != 3)[:, None], b, metric="cosine"), "1 of 60", "row 3")
    refused(lambda: tas.spectrum(a, b, seed=-1), "seed")
    refused(lambda: tas.spectrum(a, b, device="torch:nowhere"), "nowhere")
    refused(lambda: tas.null_band(tas.ranks(a), tas.ranks(b), seed="a"), "seed")
    for level in (0, 1, "a", None):
        refused(lambda v=level: tas.null_band(a, b, level=v), "level")
    refused(lambda: tas.null_band(a, b, permutations=1), "permutations")
    refused(lambda: tas.expected(3), "3")


def test_many_rows_need_max_k(monkeypatch):
    x = np.zeros((20_001, 1))
    refused(lambda: tas.spectrum(x, x), "max_k")
    refused(lambda: tas.ranks(x), "max_k")
    monkeypatch.setattr(tas, "LIMIT", 40)
    a, b = related()
    refused(lambda: tas.spectrum(a, b), "max_k")
    np.testing.assert_allclose(tas.spectrum(a, b, max_k=5).jaccard, plain(a, b)[0][:5], atol=1e-12)


def test_results_have_tables_and_manifests():
    import json
    a, b = related()
    found = tas.spectrum(a, b, max_k=5)
    assert found.table().shape == (5, 7) and found.table()["tas"].tolist() == found.tas.tolist()
    assert found.options["metric"] == "euclidean" and found.options["max_k"] == 5 and found.options["seed"] == 0
    band, groups, matrix = tas.null_band(a, b, permutations=9), tas.grouped(a, b, np.arange(60) % 2), next(tas.pairs([a, b], [a, b]))
    assert band.table().shape == (58, 4) and groups.table().shape == (116, 4) and matrix.table(3).shape == (2, 2)
    for result in (found, band, groups, matrix):
        told = json.loads(json.dumps(result.manifest(), allow_nan=False))
        assert told["n"] == 60 and told["options"]["metric"] == "euclidean"
