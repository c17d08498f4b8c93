"""One number for two representations: what must hold for any data."""

import numpy as np
import pytest

from analysis.metrics import similarity, tas
from tests.refusal import refused

MEASURES = {"cka": similarity.cka, "debiased cka": lambda a, b: similarity.cka(a, b, debiased=True), "procrustes": similarity.procrustes,
            "rsa": similarity.rsa, "mutual knn": similarity.mutual_knn}
every = pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)


def related(n=80, d=6, wide=9, seed=0):
    rng = np.random.default_rng(seed)
    a = rng.standard_normal((n, d)) * np.linspace(2, 0.5, d)
    return a, a @ rng.standard_normal((d, wide)) + rng.standard_normal((n, wide))


def turned(x, seed=0):
    rng = np.random.default_rng(seed)
    q, _ = np.linalg.qr(rng.standard_normal((x.shape[1],) * 2))
    return (3 * x @ q + 100 * rng.standard_normal(x.shape[1]))[:, rng.permutation(x.shape[1])]


def gram(x):
    x = x - x.mean(axis=0)
    return x @ x.T


def hsic(k, other):
    """HSIC_1 as it is written."""
    n, ones = len(k), np.ones(len(k))
    k, other = (m - np.diag(np.diag(m)) for m in (k, other))
    return (np.trace(k @ other) + ones @ k @ ones * (ones @ other @ ones) / ((n - 1) * (n - 2)) - 2 / (n - 2) * ones @ k @ other @ ones) / (n * (n - 3))


# the definitions

@pytest.mark.parametrize("sizes", [(80, 6, 9), (12, 40, 3), (10, 30, 50)])
def test_cka_is_what_its_definition_says(sizes):
    a, b = related(*sizes)
    k, other = gram(a), gram(b)
    assert similarity.cka(a, b) == pytest.approx((k * other).sum() / np.sqrt((k * k).sum() * (other * other).sum()), rel=1e-10)
    debiased = similarity.cka(a, b, debiased=True)
    for p, q in ((k, other), (a @ a.T, b @ b.T)):  # where the data lie does not matter
        assert debiased == pytest.approx(hsic(p, q) / np.sqrt(hsic(p, p) * hsic(q, q)), rel=1e-8)


@pytest.mark.parametrize("sizes", [(80, 6, 9), (80, 9, 6), (12, 40, 3), (10, 30, 50)])
def test_procrustes_is_one_less_the_disparity(sizes):
    from scipy.spatial import procrustes
    a, b = related(*sizes)
    wide = max(a.shape[1], b.shape[1])
    padded = [np.pad(x, ((0, 0), (0, wide - x.shape[1]))) for x in (a, b)]
    assert similarity.procrustes(a, b) == pytest.approx(1 - procrustes(*padded)[2], rel=1e-10)


@pytest.mark.parametrize("ties", [False, True])
def test_rsa_is_the_rank_correlation_of_all_distances(ties):
    from scipy.spatial.distance import pdist
    from scipy.stats import spearmanr
    a, b = related()
    if ties:
        a, b = np.round(a), np.concatenate([b[:40]] * 2)
    assert similarity.rsa(a, b) == pytest.approx(spearmanr(pdist(a, "sqeuclidean"), pdist(b, "sqeuclidean"))[0], rel=1e-9)


def test_rsa_in_blocks_is_the_same(monkeypatch):
    a, b = related()
    whole = similarity.rsa(a, b)
    monkeypatch.setattr(similarity, "ROOM", 500)
    assert similarity.rsa(a, b) == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize("k", [1, 10, 70])
def test_mutual_knn_is_the_overlap_of_the_spectrum(k):
    a, b = related()
    assert similarity.mutual_knn(a, b, k=k) == pytest.approx(tas.spectrum(a, b).overlap[k - 1], rel=1e-12)
    assert similarity.mutual_knn(tas.ranks(a), b, k=k) == pytest.approx(tas.spectrum(a, b).overlap[k - 1], rel=1e-12)


# what does not matter

@every
def test_turning_moving_and_scaling_do_not_matter(measure):
    a, b = related()
    assert measure(turned(a), turned(b, 1)) == pytest.approx(measure(a, b), rel=1e-8)
    assert measure(a, turned(a)) == pytest.approx(1, rel=1e-9)
    assert measure(a.astype(np.float32), b.astype(np.float32)) == pytest.approx(measure(a, b), rel=1e-2)


@every
def test_the_order_of_the_sides_and_of_the_items_does_not_matter(measure):
    a, b = related()
    order = np.random.default_rng(0).permutation(80)
    assert measure(b, a) == pytest.approx(measure(a, b), rel=1e-9) and measure(a[order], b[order]) == pytest.approx(measure(a, b), rel=1e-9)


@every
def test_the_matching_of_the_items_does(measure):
    a, b = related()
    assert measure(a, b[np.random.default_rng(0).permutation(80)]) < measure(a, b) - 0.2


@pytest.mark.parametrize("scale", [1e-200, 1e200])
@every
def test_extreme_scales_are_read(measure, scale):
    a, b = related()
    assert measure(scale * a, b) == pytest.approx(measure(a, b), rel=1e-9)


# what they hide, and what they cannot say

def test_wide_noise_is_called_alike_by_some():
    a, b = tas.teaching_cloud("noise", d=2000)
    assert similarity.cka(a, b) == pytest.approx(0.80, abs=0.01) and similarity.procrustes(a, b) == pytest.approx(0.88, abs=0.01)
    assert abs(similarity.cka(a, b, debiased=True)) < 0.015 and similarity.mutual_knn(a, b) < 0.05
    assert abs(similarity.rsa(a, b)) < 0.15 and np.abs(tas.spectrum(a, b).tas[:300]).max() < 0.05


def test_cka_calls_jitter_and_shuffled_clouds_alike():
    for d, least in ((2000, 0.98), (50, 0.9)):
        assert all(similarity.cka(*tas.teaching_cloud(kind, d=d)) > least for kind in ("jitter", "shuffled"))


def test_where_all_rows_are_equal_there_is_nothing_to_compare():
    a, _ = related()
    for pair in ((a, np.ones((80, 3))), (np.zeros((80, 3)), a), (np.full((80, 2), 0.1),) * 2):
        for name in ("cka", "debiased cka", "procrustes", "rsa"):
            assert np.isnan(MEASURES[name](*pair))
        assert similarity.mutual_knn(*pair) < 0.3


@every
def test_bad_input_is_named(measure):
    a, b = related()
    refused(lambda: measure(a, b[:50]), "80", "50")
    refused(lambda: measure(a[:3], b[:3]), "3")
    refused(lambda: measure(np.where(a > 1, np.nan, a), b), "NaN")
    refused(lambda: measure(a[0], b), "table")


def test_more_bad_input_is_named(monkeypatch):
    a, b = related()
    refused(lambda: similarity.mutual_knn(a, b, k=80), "79")
    refused(lambda: similarity.cka(tas.ranks(a), b), "Ranks")
    monkeypatch.setattr(similarity, "PAIRED", 50)
    refused(lambda: similarity.rsa(a, b), "80", "50")
