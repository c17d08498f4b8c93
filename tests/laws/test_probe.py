"""Linear probes: what must hold for any features and labels."""

import json
from functools import partial

import numpy as np
import pytest

from analysis.metrics import probe
from tests.refusal import refused

torch = pytest.importorskip("torch")


def blobs(n=60, d=6, classes=3, seed=0, apart=1.2):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % classes
    return apart * np.random.default_rng(9).normal(size=(classes, d))[y] + rng.normal(size=(n, d)) * np.linspace(0.3, 3, d), y


def plain(z, y, weights, penalty, classes):
    """Weighted ridge regression on one-hot labels, intercept not penalised."""
    truth = np.eye(classes)[y]
    mean, share = np.average(z, axis=0, weights=weights), np.average(truth, axis=0, weights=weights)
    off = z - mean
    coefficients = np.linalg.solve((weights[:, None] * off).T @ off + penalty * np.eye(z.shape[1]), (weights[:, None] * off).T @ (truth - share))
    return coefficients, share - mean @ coefficients


def standardised(x, weights):
    mean = np.average(x, axis=0, weights=weights)
    return (x - mean) / np.sqrt(np.average((x - mean)**2, axis=0, weights=weights))


# the ridge probe

@pytest.mark.parametrize("n, d", [(25, 4), (20, 40)])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("strength", [1e-4, 0.03, 10.0])
def test_left_out_in_closed_form_is_left_out(n, d, weighted, strength):
    x, y = blobs(n, d)
    weights = np.random.default_rng(1).uniform(0.2, 2, n) if weighted else np.ones(n)
    found = probe.solve(probe.moments(x, y, 3, weights), x, y, weights, [strength])
    z, penalty = standardised(x, weights), strength * weights.sum()
    whole, intercept = plain(z, y, weights, penalty, 3)
    np.testing.assert_allclose(x @ found.coefficients + found.intercept, z @ whole + intercept, atol=1e-8)
    for i in range(n):
        rest = np.arange(n) != i
        coefficients, intercept = plain(z[rest], y[rest], weights[rest], penalty, 3)
        np.testing.assert_allclose(found.left_out[i], z[i] @ coefficients + intercept, atol=1e-7)


def test_the_strength_is_the_one_that_does_best_on_rows_left_out():
    x, y = blobs(40, 12, apart=0.6)
    found = probe.ridge(x, y)
    for strength, error in zip(found.strengths, found.errors, strict=True):
        scores = probe.solve(probe.moments(x - x.mean(axis=0), y, 3), x - x.mean(axis=0), y, strengths=[strength]).left_out
        a, b = (scores - 1 / 3).ravel(), (np.eye(3)[y] - 1 / 3).ravel()
        assert error == pytest.approx(1 - a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    assert found.strength == found.strengths[found.errors.argmin()]
    noise = np.random.default_rng(0).normal(size=(40, 30))
    assert probe.ridge(np.c_[x, noise], y).strength > found.strengths[0]


def test_a_contradicting_source_does_not_leave_the_probe_without_an_opinion():
    """By squared error on the target's rows the best is to predict class shares, and what then decides is worse than chance."""
    x, y = blobs(300, 6, 5)
    rows, labels = np.r_[x[:20], x[100:]], np.r_[y[:20], (y[100:] + 1) % 5]
    found = probe.ridge(rows, labels, judged=np.arange(20))
    assert found.strength < 10


def test_moments_add_up():
    (x, y), (u, v) = blobs(30, 5), blobs(50, 5, seed=4)
    both = probe.moments(x, y, 3) + probe.moments(u, v, 3) * 0.5
    direct = probe.moments(np.r_[x, u], np.r_[y, v], 3, np.r_[np.ones(30), np.full(50, 0.5)])
    for name in ("gram", "sums", "counts"):
        np.testing.assert_allclose(getattr(both, name), getattr(direct, name), atol=1e-12)
    found = probe.solve(both, x, y)
    fitted = probe.ridge(np.r_[x, u], np.r_[y, v], weights=np.r_[np.ones(30), np.full(50, 0.5)], judged=np.arange(30))
    np.testing.assert_allclose(found.coefficients, fitted.coefficients, atol=1e-10)
    np.testing.assert_allclose(found.intercept, fitted.intercept, atol=1e-10)


def test_no_weight_is_no_row_and_weight_two_is_a_copy():
    x, y = blobs()
    weights = np.where(np.arange(60) < 40, 1.0, 0.0)
    few, judged = probe.ridge(x[:40], y[:40]), np.arange(40)
    np.testing.assert_allclose(probe.ridge(x, y, weights=weights, judged=judged).coefficients, few.coefficients, atol=1e-9)
    twice = probe.ridge(np.r_[x, x[20:]], np.r_[y, y[20:]], judged=np.arange(20))
    np.testing.assert_allclose(probe.ridge(x, y, weights=1 + (np.arange(60) >= 20), judged=np.arange(20)).coefficients, twice.coefficients, atol=1e-9)


@pytest.mark.parametrize("fit", [probe.ridge, partial(probe.logistic, strengths=(0.1, 0.01))], ids=["ridge", "logistic"])
def test_scale_place_order_and_names_do_not_matter(fit):
    x, y = blobs(90)
    new, _ = blobs(30, seed=5)
    found, order = fit(x, y), np.random.default_rng(0).permutation(90)
    by, to = np.array([1e-3, 1, 7, 100, 1, 2]), np.arange(6) * 10
    np.testing.assert_array_equal(fit(x * by + to, y).predict(new * by + to), found.predict(new))
    if fit is probe.ridge:
        np.testing.assert_allclose(fit(x[order], y[order]).scores(new), found.scores(new), atol=1e-9)
    names = np.array(["two", "zero", "one"])
    np.testing.assert_array_equal(fit(x, names[y]).predict(new), names[found.predict(new)])
    np.testing.assert_array_equal(fit(x, 10 * y + 3).predict(new), 10 * found.predict(new) + 3)


def test_rows_of_a_group_are_held_out_together():
    """Copies change nothing then; held out one by one they make any strength look good."""
    x, y = blobs(40, 12, apart=0.5)
    once, rows, labels, groups = probe.logistic(x, y), np.r_[x, x], np.r_[y, y], np.tile(np.arange(40), 2)
    for judged in (np.arange(40), np.arange(80), np.arange(80)[::-1]):
        twice = probe.logistic(rows, labels, judged=judged, groups=groups)
        if judged[0] == 0:
            np.testing.assert_allclose(twice.errors, once.errors, rtol=1e-3)
        assert twice.strength == once.strength and (twice.predict(x) == once.predict(x)).all()
    loose = probe.logistic(rows, labels, judged=np.arange(40))
    assert loose.strength < once.strength and loose.errors.min() < 0.5 * once.errors.min()
    np.testing.assert_array_equal(probe.logistic(x, y, groups=np.arange(40)[::-1]).errors, once.errors)
    refused(lambda: probe.logistic(x, y, groups=[1, 2]), "(2,)", "40 rows")


@pytest.mark.parametrize("fit", [probe.ridge, probe.logistic])
def test_it_tells_classes_apart_and_probabilities_are_fair(fit):
    x, y = blobs(150, apart=0.7)
    new, truth = blobs(600, seed=5, apart=0.7)
    found = fit(x, y)
    chance = found.probabilities(new)
    assert 0.6 < found.accuracy(new, truth) < 0.98 and chance.shape == (600, 3)
    np.testing.assert_allclose(chance.sum(axis=1), 1)
    assert chance.max(axis=1).mean() == pytest.approx(found.accuracy(new, truth), abs=0.08)
    assert -np.log(chance[np.arange(600), truth]).mean() < 0.7 * np.log(3)


@pytest.mark.parametrize("fit", [probe.ridge, probe.logistic])
def test_two_classes_and_a_constant_column_are_no_exception(fit):
    x, y = blobs(50, 4, 2)
    beside = np.c_[x, np.full(50, 0.1), np.full(50, 1e9)]
    np.testing.assert_allclose(fit(beside, y).scores(beside), fit(x, y).scores(x), atol=1e-6)
    assert fit(x, y).accuracy(x, y) > 0.75


def test_columns_that_are_constant_but_for_rounding_count_for_nothing():
    x, y = blobs(50, 4)
    beside = np.c_[x, np.tile(np.random.default_rng(0).normal(size=40), (50, 1))]
    found, plain = (probe.solve(probe.moments(z, y, 3), z, y) for z in (beside, x))
    np.testing.assert_allclose(found.left_out, plain.left_out, atol=1e-9)
    assert (found.coefficients[4:] == 0).all()


def test_the_logistic_probe_is_the_one_of_all_rows_at_its_strength():
    from sklearn.linear_model import LogisticRegression
    x, y = blobs(80, 5)
    weights = np.random.default_rng(0).uniform(0.5, 2, 80)
    found, z = probe.logistic(x, y, weights=weights), standardised(x, weights)
    peer = LogisticRegression(C=1 / (found.strength * weights.sum()), max_iter=5000, tol=1e-8).fit(z, y, sample_weight=weights)
    np.testing.assert_allclose(found.probabilities(x), peer.predict_proba(z), atol=2e-3)
    assert found.warnings == () and found.errors.argmin() == list(found.strengths).index(found.strength)


def test_a_fit_that_did_not_converge_is_told(monkeypatch):
    monkeypatch.setattr(probe, "STEPS", 2)
    warned, = probe.logistic(*blobs()).warnings
    assert "2 steps" in warned


# what goes in and what comes out

@pytest.mark.parametrize("fit", [probe.ridge, probe.logistic])
def test_bad_input_is_named(fit):
    x, y = blobs()
    refused(lambda: fit(np.where(x == x[7, 2], np.nan, x), y), "NaN", "row 7")
    refused(lambda: fit(x[0], y), "(6,)")
    refused(lambda: fit([["a", "b"]], [0]), "numbers")
    refused(lambda: fit(x, y[:9]), "(9,)", "60")
    refused(lambda: fit(x, np.zeros(60)), "one class")
    refused(lambda: fit(x, y, weights=np.where(y, 0, 1)), "one class")
    refused(lambda: fit(np.ones((60, 3)), y), "the same")
    refused(lambda: fit(x, y, weights=-np.ones(60)), "weights")
    refused(lambda: fit(x, y, judged=[]), "judged")
    refused(lambda: fit(x, y, judged=[60]), "judged")
    refused(lambda: fit(x, y, strengths=[0]), "positive")
    refused(lambda: fit(x, y).predict(x[:, :4]), "6", "4")
    refused(lambda: fit(x, y).accuracy(x, y[:3]), "(3,)")


def test_strengths_of_the_logistic_probe_need_two_of_a_class():
    x, _ = blobs(3)
    refused(lambda: probe.logistic(x, [0, 1, 2]), "two")


def test_numpy_torch_and_lists_are_read():
    x, y = blobs()
    found = probe.ridge(x, y)
    np.testing.assert_array_equal(probe.ridge(torch.from_numpy(x).requires_grad_(), torch.from_numpy(y)).coefficients, found.coefficients)
    np.testing.assert_array_equal(probe.ridge(x.tolist(), y.tolist()).coefficients, found.coefficients)
    assert probe.ridge(torch.from_numpy(x).bfloat16(), y).accuracy(x, y) > 0.7
    assert found.predict(x[:1]).shape == (1,)


def test_a_probe_has_a_manifest():
    for found in (probe.ridge(*blobs()), probe.logistic(*blobs())):
        told = json.loads(json.dumps(found.manifest(), allow_nan=False))
        assert told["kind"] == found.kind and told["strength"] == found.strength and told["classes"] == [0, 1, 2] and told["n"] == 60
