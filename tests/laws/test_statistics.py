"""Correlations with their intervals and their spread under chance, regret, MCI: what must hold for any scores."""

import json
from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from analysis.metrics import statistics
from tests.refusal import refused

torch = pytest.importorskip("torch")
KINDS = {"kendall": stats.kendalltau, "weighted_kendall": stats.weightedtau, "spearman": stats.spearmanr, "pearson": stats.pearsonr}
ALL = [pytest.param(getattr(statistics, name), id=name) for name in KINDS]


def related(n=30, seed=0, ties=False):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=n)
    b = a + rng.normal(size=n)
    return (a.round(), b.round()) if ties else (a, b)


# correlations

@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("n", [3, 5, 11, 40])
def test_they_are_what_they_are_elsewhere(name, ties, n):
    for seed in range(5):
        a, b = related(n, seed, ties)
        found = getattr(statistics, name)(a, b, resamples=0)
        if not found.reason:
            assert found.value == pytest.approx(KINDS[name](a, b).statistic, abs=1e-12)
            assert found.n == n and np.isnan(found.low) and np.isnan(found.high)


@pytest.mark.parametrize("correlation", ALL)
def test_agreement_is_one_and_its_reverse_minus_one(correlation):
    a, _ = related()
    assert correlation(a, a).value == pytest.approx(1, abs=1e-12) and correlation(a, -a).value == pytest.approx(-1, abs=1e-12)
    found = correlation(a, 3 * a + 7)
    assert found.low == pytest.approx(1, abs=1e-12) and found.high == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("correlation", ALL)
@pytest.mark.parametrize("ties", [False, True])
def test_the_order_of_the_pairs_and_of_the_sides_does_not_matter(correlation, ties):
    a, b = related(ties=ties)
    order = np.random.default_rng(1).permutation(len(a))
    found = correlation(a, b)
    for other in (correlation(a[order], b[order]), correlation(b, a)):
        assert other.value == pytest.approx(found.value, abs=1e-12)
        assert other.null_sd == pytest.approx(found.null_sd, rel=0.1)
        assert (other.low, other.high) == pytest.approx((found.low, found.high), abs=0.05)


def test_ranks_see_no_monotone_change():
    a, b = related()
    for correlation in (statistics.kendall, statistics.weighted_kendall, statistics.spearman):
        assert correlation(np.exp(a), b**3) == correlation(a, b)


def test_the_top_counts_most_in_the_weighted_tau():
    best_first = np.arange(10.0)[::-1]
    top, bottom = best_first.copy(), best_first.copy()
    top[[0, 1]], bottom[[8, 9]] = top[[1, 0]], bottom[[9, 8]]
    assert statistics.weighted_kendall(best_first, top).value < statistics.weighted_kendall(best_first, bottom).value < 1
    assert statistics.kendall(best_first, top).value == statistics.kendall(best_first, bottom).value


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("ties", [False, True])
def test_the_interval_is_that_of_resampled_pairs(name, ties):
    a, b = related(25, 3, ties)
    found, rng = getattr(statistics, name)(a, b), np.random.default_rng(5)
    drawn = [KINDS[name](a[rows], b[rows]).statistic for rows in rng.integers(0, 25, (600, 25))]
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])), abs=0.08)
    assert found.low < found.value < found.high and found.options["resamples"] == 2000 and found.options["level"] == 0.95


@pytest.mark.parametrize("a, b", [([1, 2, 3, 4, 5], [2, 1, 5, 4, 3]), ([1, 1, 2, 3, 3], [1, 2, 2, 2, 5]), ([1, 1, 1, 2, 3], [2, 1, 2, 0, 2])])
@pytest.mark.parametrize("name", KINDS)
def test_the_null_spread_is_that_over_all_permutations(name, a, b):
    drawn = [KINDS[name](a, other).statistic for other in permutations(b)]
    found = getattr(statistics, name)(a, b, resamples=4000)
    assert found.null_sd == pytest.approx(np.std(drawn), rel=0.05 if name == "weighted_kendall" else 1e-9)
    assert ("permutations" in found.options) == (name == "weighted_kendall")


def test_ten_models_have_a_null_spread_of_a_quarter():
    assert statistics.kendall(*related(10)).null_sd == pytest.approx(0.248, abs=5e-4)


@pytest.mark.parametrize("correlation", ALL)
def test_seeds_reproduce_and_differ(correlation):
    a, b = related()
    assert correlation(a, b, seed=3) == correlation(a, b, seed=3)
    assert correlation(a, b, seed=3).low != correlation(a, b, seed=4).low


def test_many_pairs_are_resampled_in_parts(monkeypatch):
    a, b = related(60)
    whole = [getattr(statistics, name)(a, b, resamples=101) for name in KINDS]
    monkeypatch.setattr(statistics, "ROOM", 500)
    for name, found in zip(KINDS, whole, strict=True):
        again = getattr(statistics, name)(a, b, resamples=101)
        assert (again.low, again.high, again.null_sd) == pytest.approx((found.low, found.high, found.null_sd))


@pytest.mark.parametrize("correlation", ALL)
def test_where_there_is_none_it_says_why(correlation):
    for a, b, word in (([1, 2], [2, 1], "3"), ([], [], "0 pairs"), ([1, 1, 1, 1], [1, 2, 3, 4], "first"), ([1, 2, 3, 4], [5.0] * 4, "second")):
        found = correlation(a, b)
        assert np.isnan([found.value, found.low, found.high, found.null_sd]).all() and word in found.reason and found.n == len(a)
    assert correlation(*related()).reason == ""


@pytest.mark.parametrize("correlation", ALL)
def test_few_pairs_have_an_interval_that_means_nothing(correlation):
    for n, warned in ((3, True), (4, True), (5, False)):
        assert any("means nothing" in warning for warning in correlation(*related(n)).warnings) == warned


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e30, 1e300])
def test_scale_does_not_matter(scale):
    a, b = related()
    for name in KINDS:
        correlation = getattr(statistics, name)
        assert correlation(scale * a, b, resamples=20).value == pytest.approx(correlation(a, b, resamples=20).value, abs=1e-9)
    assert statistics.pearson(a + 1e6, b).value == pytest.approx(statistics.pearson(a, b).value, abs=1e-6)


# partial

def test_the_partial_correlation_is_that_of_residuals():
    rng = np.random.default_rng(0)
    given = rng.normal(size=(40, 2))
    a, b = (given @ rng.normal(size=2) + rng.normal(size=40) for _ in range(2))
    for known in (given, given[:, 0], np.c_[given, given.sum(axis=1)]):
        fitted = np.column_stack([np.ones(40), known])
        left = [x - fitted @ np.linalg.lstsq(fitted, x, rcond=None)[0] for x in (a, b)]
        found = statistics.partial(a, b, known)
        assert found.value == pytest.approx(np.corrcoef(*left)[0, 1], abs=1e-9) and found.low < found.value < found.high
        assert found.null_sd == pytest.approx(1 / np.sqrt(39 - np.linalg.matrix_rank(np.c_[known])))
    assert statistics.partial(a, b, np.ones(40)).value == pytest.approx(statistics.pearson(a, b).value, abs=1e-12)


def test_what_a_third_thing_explains_is_gone():
    rng = np.random.default_rng(1)
    size = rng.normal(size=300)
    a, b = size + 0.3 * rng.normal(size=300), size + 0.3 * rng.normal(size=300)
    assert statistics.pearson(a, b).value > 0.85 and abs(statistics.partial(a, b, size).value) < 0.15
    assert "left" in statistics.partial(size, b, size).reason and np.isnan(statistics.partial(size, b, 2 * size + 1).value)
    assert "4" in statistics.partial(a[:3], b[:3], size[:3]).reason
    refused(lambda: statistics.partial(a, b, size[:5]), "300")


# picks

def test_regret_is_what_the_top_pick_costs():
    assert statistics.regret([3, 1, 2], [0.9, 0.5, 0.7]) == 0
    assert statistics.regret([1, 3, 2], [0.9, 0.5, 0.7]) == pytest.approx(0.4)
    assert statistics.regret([3, 3, 2], [0.9, 0.5, 0.7]) == pytest.approx(0.2)  # either may be picked
    refused(lambda: statistics.regret([], []), "pick")


def test_mci_is_the_mean_difference_in_hundredths():
    assert statistics.mci([0.5, -0.2], [0.6, 0.1]) == pytest.approx(-20)
    assert statistics.mci(0.3, 0.3) == 0
    refused(lambda: statistics.mci([0.5, np.nan], [0.1, 0.2]), "NaN", "number 1")
    refused(lambda: statistics.mci([], []), "target")


def test_the_interval_of_a_mean_is_students():
    values = np.random.default_rng(0).normal(size=10)
    mean, low, high = statistics.mean_interval(values)
    assert (low, high) == pytest.approx(stats.t.interval(0.95, 9, mean, stats.sem(values))) and mean == pytest.approx(values.mean())
    assert statistics.mean_interval([2.0, 2.0, 2.0]) == (2, 2, 2)
    single = statistics.mean_interval([4.0])
    assert single[0] == 4 and np.isnan(single[1:]).all()
    refused(lambda: statistics.mean_interval([]), "no values")
    refused(lambda: statistics.mean_interval([1, 2], level=95), "95")


def test_the_interval_of_a_mean_holds_it_as_often_as_it_says():
    drawn = np.random.default_rng(0).normal(size=(1000, 5))
    inside = [low <= 0 <= high for _, low, high in map(statistics.mean_interval, drawn)]
    assert 0.93 < np.mean(inside) < 0.97


# what goes in and what comes out

@pytest.mark.parametrize("correlation", ALL)
def test_bad_input_is_named(correlation):
    a, b = related()
    refused(lambda: correlation(a, b[:9]), "30", "9")
    refused(lambda: correlation(np.where(a == a[4], np.nan, a), b), "first side", "number 4")
    refused(lambda: correlation(a, np.where(b == b[7], np.inf, b)), "second side", "number 7")
    refused(lambda: correlation(a, ["good"] * 30), "no number")
    refused(lambda: correlation(a[:, None], b), "(30, 1)")
    refused(lambda: correlation(a, b, resamples=-1), "-1")
    refused(lambda: correlation(a, b, resamples=2.5), "2.5")
    refused(lambda: correlation(a, b, seed=-1), "seed")


def test_tau_of_very_many_is_refused():
    a = np.arange(3001.0)
    refused(lambda: statistics.kendall(a, a), "3001", "3000")
    assert statistics.spearman(a, a, resamples=9).value == pytest.approx(1)


@pytest.mark.parametrize("correlation", ALL)
def test_numpy_torch_and_lists_are_read(correlation):
    a, b = related()
    assert correlation(torch.from_numpy(a).requires_grad_(), b.tolist()) == correlation(a, b)


def test_results_have_manifests():
    for found in (statistics.kendall(*related(4)), statistics.spearman([1, 1, 1], [1, 2, 3])):
        told = json.loads(json.dumps(found.manifest(), allow_nan=False))
        assert told["n"] == found.n and told["kind"] == found.kind and told["options"]["seed"] == 0 and told["reason"] == found.reason
    assert type(found)(**{**told, "value": np.nan}).warnings == ()
