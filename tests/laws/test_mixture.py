"""Gaussian mixtures and how far one lies from another: what must hold for any data."""

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture

from analysis.metrics import mixture
from analysis.metrics.mixture import Mixture, divergence, fit, gaussian_kl, marginal_divergences, sinkhorn
from tests.refusal import refused

torch = pytest.importorskip("torch")


def cloud(n=600, d=4, seed=0, groups=3):
    """Rows around a few centres, each group with a shape of its own, skewed a little."""
    rng = np.random.default_rng(seed)
    world = np.random.default_rng(99)
    centres, shapes = 1.5 * world.standard_normal((groups, d)), world.standard_normal((groups, d, d)) / np.sqrt(d)
    member = rng.integers(groups, size=n)
    x = centres[member] + np.einsum("ni,nij->nj", rng.standard_normal((n, d)), shapes[member])
    return x + 0.2 * rng.standard_gamma(2, (n, d))


def some(k=3, d=4, seed=0, spread=1.0):
    """A mixture like any other."""
    rng = np.random.default_rng(seed)
    shapes = rng.standard_normal((k, d, d)) / np.sqrt(d)
    return Mixture(rng.dirichlet(np.full(k, 5.0)), spread * rng.standard_normal((k, d)), shapes @ shapes.swapaxes(1, 2) + 0.3 * np.eye(d))


def single(mean, covariance):
    return Mixture(np.ones(1), np.array([mean], float), np.array([covariance], float))


def likelihood(found, x):
    return found.log_density(x).mean()


STANDARD, SHIFTED = single([0, 0], np.eye(2)), single([1, 0], np.diag([2, 1]))
GOLDEN = 0.34657359, 0.65342641


# densities

def test_the_density_is_the_weighted_sum_of_its_gaussians():
    from scipy.stats import multivariate_normal
    found, x = some(), cloud(50)
    plain = sum(w * multivariate_normal(m, c).pdf(x) for w, m, c in zip(found.weights, found.means, found.covariances, strict=True))
    np.testing.assert_allclose(found.log_density(x), np.log(plain), rtol=1e-10)


def test_the_density_does_not_depend_on_blocks_or_on_how_far_out_everything_lies(monkeypatch):
    found, x = some(), cloud(301)
    whole = found.log_density(x)
    far = Mixture(found.weights, found.means + 1e5, found.covariances)
    np.testing.assert_allclose(far.log_density(x + 1e5), whole, rtol=1e-8)
    monkeypatch.setattr(mixture, "ROOM", 100)
    np.testing.assert_allclose(found.log_density(x), whole, rtol=1e-12)


def test_a_marginal_takes_the_sub_blocks_and_its_density_integrates():
    found = some(d=5)
    part = found.marginal((3, 1))
    np.testing.assert_array_equal(part.means, found.means[:, [3, 1]])
    np.testing.assert_array_equal(part.covariances[:, 0, 1], found.covariances[:, 3, 1])
    np.testing.assert_array_equal(part.covariances[:, 0, 0], found.covariances[:, 3, 3])
    np.testing.assert_array_equal(part.weights, found.weights)
    axis = np.linspace(-12, 12, 301)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1)
    density = np.exp(part.log_density(grid.reshape(-1, 2))).reshape(301, 301)
    step = axis[1] - axis[0]
    assert density.sum() * step**2 == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(density.sum(axis=1) * step, np.exp(found.marginal([3]).log_density(axis[:, None])), atol=1e-8)


def test_draws_have_the_moments_of_the_mixture_and_come_back_with_their_seed():
    found = some()
    x = found.sample(40_000, seed=3)
    mean = found.weights @ found.means
    covariance = np.einsum("k,kij->ij", found.weights, found.covariances + found.means[:, :, None] * found.means[:, None]) - np.outer(mean, mean)
    np.testing.assert_allclose(x.mean(axis=0), mean, atol=0.03)
    np.testing.assert_allclose(np.cov(x.T), covariance, atol=0.08)
    np.testing.assert_array_equal(x, found.sample(40_000, seed=3))
    assert (x != found.sample(40_000, seed=4)).any()


def test_a_component_without_weight_is_never_drawn():
    found = some()
    less = Mixture([0.5, 0.0, 0.5], [found.means[0], [1e6] * 4, found.means[2]], found.covariances)
    assert np.abs(less.sample(1000)).max() < 100 and np.isfinite(less.log_density(cloud(20))).all()
    assert divergence(less, found)[0] > 0


# the fit

@pytest.mark.parametrize("covariance", ["full", "diagonal"])
def test_no_round_makes_the_rows_less_likely(covariance):
    x = cloud(seed=1)
    found = [likelihood(fit(x, covariance=covariance, ridge=0, rounds=r, tolerance=0), x) for r in range(1, 40)]
    assert np.diff(found).min() > -1e-12 and found[-1] > found[0] + 1e-3


@pytest.mark.parametrize("covariance", ["full", "diagonal"])
@pytest.mark.parametrize("ridge", [0, 1e-4, 0.1])
def test_from_the_same_start_it_ends_where_sklearn_ends(covariance, ridge):
    x = cloud(seed=2)
    start = fit(x, covariance=covariance, ridge=ridge, rounds=1)
    found = fit(x, covariance=covariance, ridge=ridge, start=start, tolerance=1e-10, rounds=5000)
    kind, inverse = {"full": ("full", np.linalg.inv(start.covariances)),
                     "diagonal": ("diag", 1 / np.diagonal(start.covariances, axis1=1, axis2=2))}[covariance]
    peer = GaussianMixture(3, covariance_type=kind, reg_covar=ridge, tol=1e-10, max_iter=5000, weights_init=start.weights, means_init=start.means,
                           precisions_init=inverse).fit(x)
    assert likelihood(found, x) == pytest.approx(peer.score(x), abs=1e-6)
    np.testing.assert_allclose(found.means, peer.means_, atol=2e-3)
    np.testing.assert_allclose(found.log_density(x), Mixture(peer.weights_, peer.means_, _covariances(peer)).log_density(x), atol=0.01)


def _covariances(peer):
    return peer.covariances_ if peer.covariances_.ndim == 3 else np.stack([np.diag(v) for v in peer.covariances_])


def test_the_default_stop_is_near_the_top():
    for seed in range(3):
        x = cloud(seed=seed)
        assert likelihood(fit(x, tolerance=1e-11, rounds=5000), x) - likelihood(fit(x), x) < 1e-3


def test_one_component_is_mean_and_covariance():
    x = cloud()
    found = fit(x, components=1, ridge=0.5)
    np.testing.assert_allclose(found.means[0], x.mean(axis=0))
    np.testing.assert_allclose(found.covariances[0], np.cov(x.T, bias=True) + 0.5 * np.eye(4))
    assert found.weights.tolist() == [1]


def test_a_mixture_is_found_again_from_its_draws():
    truth = some(spread=4.0, seed=1)
    found, truth = fit(truth.sample(20_000))._ordered(), truth._ordered()
    np.testing.assert_allclose(found.weights, truth.weights, atol=0.02)
    np.testing.assert_allclose(found.means, truth.means, atol=0.1)
    np.testing.assert_allclose(found.covariances, truth.covariances, atol=0.15)


def test_a_warm_start_reaches_the_same_top_in_few_rounds():
    x = cloud(2000)
    cold = fit(x, tolerance=1e-9, rounds=3000)
    kept = np.random.default_rng(0).random(2000) > 0.05
    warm = fit(x[kept], start=cold, tolerance=1e-9, rounds=3000)
    assert likelihood(warm, x[kept]) == pytest.approx(likelihood(fit(x[kept], tolerance=1e-9, rounds=3000), x[kept]), abs=1e-5)
    few = fit(x[kept], start=cold, rounds=10)
    assert likelihood(warm, x[kept]) - likelihood(few, x[kept]) < 1e-4


def test_a_row_that_counts_twice_is_that_row_twice_and_one_that_counts_nothing_is_none():
    x, counts = cloud(400), np.random.default_rng(0).integers(0, 3, 400)
    start = fit(x)
    weighed, repeated = fit(x, weights=counts, start=start), fit(np.repeat(x, counts, axis=0), start=start)
    np.testing.assert_allclose(weighed.means, repeated.means, rtol=1e-8)
    np.testing.assert_allclose(weighed.covariances, repeated.covariances, rtol=1e-8)
    assert likelihood(fit(x, weights=counts, seed=4), x) == likelihood(fit(x, weights=2 * counts, seed=4), x)


def test_a_row_far_out_gets_no_component_of_its_own():
    x = cloud(2000)
    x[7, 2] += 100
    found = [fit(x, seed=seed) for seed in range(5)]
    assert min(f.weights.min() for f in found) > 0.25


def test_the_same_seed_gives_the_same_fit_bit_for_bit():
    first, second = fit(cloud(), seed=5), fit(cloud(), seed=5)
    for name in ("weights", "means", "covariances"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


def test_torch_and_lists_and_blocks_give_the_same_fit(monkeypatch):
    x = cloud().astype(np.float32)
    plain = fit(x)
    ways = [fit(x, device="torch:cpu"), fit(torch.tensor(x)), fit(x.tolist(), device="cpu"), fit(torch.tensor(x), device="torch:cpu")]
    monkeypatch.setattr(mixture, "ROOM", 700)
    for found in [*ways, fit(x)]:
        for name in ("weights", "means", "covariances"):
            np.testing.assert_allclose(getattr(found, name), getattr(plain, name), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("device", ["cpu", "torch:cpu"])
def test_the_ridge_carries_what_has_no_width(device):
    x = cloud()
    flat = np.column_stack([x, x[:, 0], np.full(len(x), 3.0)])
    found = fit(flat, device=device)
    assert np.isfinite(found.log_density(flat)).all()
    np.testing.assert_allclose(np.linalg.eigvalsh(found.covariances)[:, 0], 1e-4, rtol=1e-6)
    same = fit(np.full((100, 2), 7.0), device=device)  # two of the three components hold nothing
    assert same.weights @ same.means == pytest.approx([7, 7]) and np.isfinite(same.log_density(np.full((1, 2), 7.0))).all()
    refused(lambda: fit(flat, ridge=0, rounds=5, device=device), "not positive", "ridge")


def test_what_cannot_be_fitted_is_refused():
    x = cloud()
    bad = x.copy()
    bad[[5, 8], 1] = np.nan
    refused(lambda: fit(bad), "2 of 600", "first row 5")
    refused(lambda: fit(x[:14]), "14 rows", "3 full", "15")
    assert fit(x[:14], covariance="diagonal").weights.sum() == pytest.approx(1)
    refused(lambda: fit(x, weights=np.arange(600) < 10), "10 rows")
    refused(lambda: fit(x, weights=-np.ones(600)), "Weights")
    refused(lambda: fit(x, weights=np.ones(5)), "(5,)")
    refused(lambda: fit(x[:, 0]), "(600,)")
    refused(lambda: fit([[1, 2], [3]]), "array")
    refused(lambda: fit(x, components=0), "components")
    refused(lambda: fit(x, covariance="tied"), "tied", "diagonal")
    refused(lambda: fit(x, ridge=-1), "ridge")
    refused(lambda: fit(x, seed=-1), "seed")
    refused(lambda: fit(x, rounds=0), "rounds")
    refused(lambda: fit(x, start=some(d=5)), "(3, 5)", "(3, 4)")
    refused(lambda: fit(x, device="abacus"), "abacus")
    refused(lambda: some().log_density(x[:, :2]), "(600, 2)")
    refused(lambda: Mixture(np.ones(2), np.ones((2, 3)), np.ones((2, 3))), "(2, 3)")
    refused(lambda: single([np.nan, 0], np.eye(2)), "finite")


# divergences

def test_golden_gaussians():
    assert gaussian_kl([0, 0], np.eye(2), [1, 0], np.diag([2, 1])) == pytest.approx(GOLDEN[0], abs=1e-8)
    assert gaussian_kl([1, 0], np.diag([2, 1]), [0, 0], np.eye(2)) == pytest.approx(GOLDEN[1], abs=1e-8)
    assert gaussian_kl([1, 2], np.eye(2), [1, 2], np.eye(2)) == 0
    value, error = divergence(STANDARD, SHIFTED)
    assert abs(value - sum(GOLDEN) / 2) < 4 * error and 0 < error < 0.02
    assert divergence(STANDARD, SHIFTED, kind="components") == (pytest.approx(sum(GOLDEN) / 2, abs=1e-8), 0)


@pytest.mark.parametrize("d", [1, 3, 12])
def test_draws_agree_with_the_closed_form_of_one_gaussian(d):
    p, q = some(1, d, 1, 0.4), some(1, d, 2, 0.4)
    here, there = (p.means[0], p.covariances[0]), (q.means[0], q.covariances[0])
    truth = (gaussian_kl(*here, *there) + gaussian_kl(*there, *here)) / 2
    value, error = divergence(p, q, draws=40_000)
    assert abs(value - truth) < 4 * error and error < 0.1 * truth


def test_the_standard_error_is_the_spread_over_seeds():
    p, q = some(seed=1), some(seed=2)
    values, errors = np.transpose([divergence(p, q, draws=2000, seed=seed) for seed in range(60)])
    assert 0.6 < values.std() / errors.mean() < 1.5
    exact, error = divergence(p, q, draws=200_000)
    assert abs(values.mean() - exact) < 4 * (values.std() / np.sqrt(60) + error)


def test_equal_mixtures_are_nowhere_apart_and_their_order_does_not_matter():
    p = some()
    turned = Mixture(p.weights[::-1], p.means[::-1], p.covariances[::-1])
    assert divergence(p, p) == divergence(p, some()) == divergence(p, turned) == (0, 0)
    assert marginal_divergences(p, turned, [(0,), (1, 2)]).tolist() == [0, 0]
    assert divergence(p, p, kind="components")[0] > 0  # as its definition has it


@pytest.mark.parametrize("kind", ["montecarlo", "components"])
def test_either_side_may_come_first_bit_for_bit(kind):
    p, q = some(seed=1), some(2, seed=2)
    assert divergence(p, q, kind=kind, seed=3) == divergence(q, p, kind=kind, seed=3)
    assert (marginal_divergences(p, q, [(0,), (1, 3)]) == marginal_divergences(q, p, [(0,), (1, 3)])).all()


def test_it_grows_as_one_moves_away():
    p = some()
    found = [divergence(p, Mixture(p.weights, p.means + shift, p.covariances))[0] for shift in (0, 0.1, 0.3, 1, 3)]
    assert found[0] == 0 and (np.diff(found) > 0).all()


def test_a_marginal_is_as_far_as_its_own_mixtures_and_no_farther_than_the_whole():
    p, q = some(seed=1), some(seed=2)
    groups = [(0, 1, 2, 3), (0, 2), (2,)]
    found, (whole, error) = marginal_divergences(p, q, groups), divergence(p, q)
    assert found[0] == pytest.approx(whole, rel=1e-12)
    for group, value in zip(groups[1:], found[1:], strict=True):
        alone, its_error = divergence(p.marginal(group), q.marginal(group), seed=7)
        assert abs(value - alone) < 6 * its_error
        assert value < whole + 4 * error
    assert found[2] < found[1] + 4 * error


def test_what_cannot_be_compared_is_refused():
    refused(lambda: divergence(some(), some(d=5)), "4", "5")
    refused(lambda: divergence(some(), some(d=5), kind="components"), "4", "5")
    refused(lambda: divergence(some(), some(), kind="exact"), "exact", "montecarlo")
    refused(lambda: divergence(some(), some(), draws=1), "draws")
    refused(lambda: divergence(some(), single([0] * 4, -np.eye(4))), "not positive")


# Sinkhorn

def test_equal_samples_are_nowhere_apart_and_shifts_push_them_away():
    x = cloud(300)
    assert sinkhorn(x, x) == (0, 0) and sinkhorn(x, x, points=100) == (0, 0)
    assert sinkhorn(np.ones((9, 2)), np.ones((9, 2))) == (0, 0)
    found = [sinkhorn(x, cloud(250, seed=5) + shift)[0] for shift in (0, 0.5, 1, 2)]
    assert (np.diff(found) > 0).all() and found[0] < found[1] / 3


@pytest.mark.parametrize("epsilon", [0.05, 0.5, 5])
def test_a_shift_alone_costs_half_its_square(epsilon):
    x = cloud(200)
    assert sinkhorn(x, x + [3, 0, 0, 0], epsilon=epsilon)[0] == pytest.approx(4.5, rel=1e-3)


def test_with_little_blur_it_is_the_cheapest_assignment():
    from scipy.optimize import linear_sum_assignment
    x, y = cloud(60), cloud(60, seed=1) + 4
    costs = ((x[:, None] - y)**2).sum(axis=2) / 2
    assert sinkhorn(x, y, epsilon=0.001)[0] == pytest.approx(costs[linear_sum_assignment(costs)].mean(), rel=0.01)


def test_the_log_domain_bears_rows_far_out():
    x, y = cloud(100), cloud(100, seed=1)
    x[0] += 1000
    value, _ = sinkhorn(x, y, epsilon=0.001)
    assert value == pytest.approx(0.5 * 4 * 1000**2 / 100, rel=0.05)


def test_more_rows_than_points_are_drawn_and_the_error_says_how_much_that_matters():
    x, y = cloud(900), cloud(900, seed=1) + 1
    whole, (value, error) = sinkhorn(x, y)[0], sinkhorn(x, y, points=300, draws=6)
    assert error > 0 and abs(value - whole) < 5 * error + 0.1 * whole
    assert sinkhorn(x, y, points=300, draws=6) == (value, error)
    assert sinkhorn(y, x, points=300, draws=6)[0] == pytest.approx(value, rel=1e-3)


def test_what_sinkhorn_cannot_compare_is_refused():
    x = cloud(50)
    refused(lambda: sinkhorn(x, x[:, :2]), "(50, 2)")
    refused(lambda: sinkhorn(x, x, epsilon=0), "epsilon")
    refused(lambda: sinkhorn(x, x, points=1), "points")
    refused(lambda: sinkhorn(x * np.nan, x), "50 of 50")
