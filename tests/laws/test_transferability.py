"""Transferability scores: what must hold for any data."""

import numpy as np
import pytest

from analysis.metrics import persistence
from analysis.metrics import transferability as tr
from analysis.metrics.transferability import neighbours
from tests.refusal import refused

torch = pytest.importorskip("torch")

OF_FEATURES = {name: score.call for name, score in tr.SCORES.items() if score.needs == ("features", "labels")}
OF_HEADS = {"nce": tr.nce, "leep": tr.leep}
each = pytest.mark.parametrize("score", OF_FEATURES.values(), ids=OF_FEATURES)
each_head = pytest.mark.parametrize("score", OF_HEADS.values(), ids=OF_HEADS)
shapes = pytest.mark.parametrize("shape", [(90, 8, 3), (30, 50, 4), (120, 40, 5)], ids=str)


def classes(n=90, d=8, c=3, apart=1.0, seed=0):
    """Gaussian classes of unequal sizes."""
    rng = np.random.default_rng(seed)
    y = np.concatenate([np.repeat(np.arange(c), 5), rng.choice(c, n - 5 * c, p=np.arange(1, c + 1) / (c * (c + 1) / 2))])
    return apart * rng.standard_normal((c, d))[y] + rng.standard_normal((n, d)) * np.linspace(1.5, 0.5, d) + rng.standard_normal(d), y


def beliefs(n=90, s=6, c=3, seed=0, sharp=2.0):
    """A source head that knows something of the labels."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, c, n)
    z = np.exp(sharp * (rng.standard_normal((c, s))[y] + 0.7 * rng.standard_normal((n, s))))
    return z / z.sum(axis=1, keepdims=True), y


def turned(x, seed=0):
    return x @ np.linalg.qr(np.random.default_rng(seed).standard_normal((x.shape[1],) * 2))[0]


def covariances(x, y):
    """(whole, between, within, class means) as they are written."""
    z = x - x.mean(axis=0)
    means = np.stack([z[y == c].mean(axis=0) for c in np.unique(y)])
    between, within = means[y], z - means[y]
    return z.T @ z / len(x), between.T @ between / len(x), within.T @ within / len(x), means


# the definitions

@each_head
def test_scores_of_heads_are_what_their_definitions_say(score):
    p, y = beliefs()
    q = np.eye(p.shape[1])[p.argmax(axis=1)] if score is tr.nce else p
    joint = np.array([[(q[y == c, z]).sum() / len(y) for z in range(6)] for c in range(3)])
    given = [[joint[c, z] / joint[:, z].sum() if joint[:, z].sum() else 0 for z in range(6)] for c in range(3)]
    plain = {tr.nce: lambda: sum(joint[c, z] * np.log(given[c][z]) for c in range(3) for z in range(6) if joint[c, z]),
             tr.leep: lambda: np.mean([np.log(sum(given[c][z] * row[z] for z in range(6))) for row, c in zip(p, y, strict=True)])}[score]()
    assert score(p, y) == pytest.approx(plain, rel=1e-12)


def test_leep_of_a_head_without_doubt_is_nce():
    p, y = beliefs()
    sure = np.eye(6)[p.argmax(axis=1)]
    assert tr.leep(sure, y) == pytest.approx(tr.nce(p, y), rel=1e-12) == tr.nce(sure, y)


@each_head
def test_source_classes_without_mass_contribute_nothing(score):
    p, y = beliefs()
    assert score(np.insert(p, [0, 3, 6, 6], 0, axis=1), y) == pytest.approx(score(p, y), rel=1e-12)
    assert score(p[:, ::-1], y) == pytest.approx(score(p, y), rel=1e-12)


def test_leep_and_nce_lie_between_the_entropy_of_the_labels_and_zero():
    p, y = beliefs()
    for score in OF_HEADS:
        least = tr.SCORES[score].chance(p, y)
        assert least == pytest.approx(sum(m * np.log(m) for m in np.bincount(y) / len(y)))
        assert least < OF_HEADS[score](p, y) < 0
        assert OF_HEADS[score](np.full((90, 6), 1 / 6), y) == pytest.approx(least, rel=1e-12)
        assert OF_HEADS[score](np.eye(3)[y], y) == pytest.approx(0, abs=1e-12)


def test_energy_is_the_mean_log_sum_of_exponentials():
    z = np.random.default_rng(0).standard_normal((20, 7)) * 3
    assert tr.energy(z) == pytest.approx(np.log(np.exp(z).sum(axis=1)).mean(), rel=1e-12)
    assert tr.energy(z + 5000) == pytest.approx(tr.energy(z) + 5000, rel=1e-12)


def evidence(x, y):
    """The largest log evidence per item over both precisions, mean over classes."""
    from scipy.optimize import minimize
    n, d = x.shape
    u, s, _ = np.linalg.svd(x, full_matrices=False)
    best = []
    for c in np.unique(y):
        on, all_ = (u.T @ (y == c))**2, (y == c).sum()

        def less(logs, on=on, all_=all_):
            a, b = np.exp(np.clip(logs, -60, 60))
            kept = s**2 / (s**2 + a / b)
            m2, e = (kept**2 * on / s**2).sum(), ((1 - kept)**2 * on).sum() + all_ - on.sum()
            return -(d * np.log(a) + n * np.log(b) - b * e - a * m2 - np.log(a + b * s**2).sum() - (d - len(s)) * np.log(a) - n * np.log(2 * np.pi)) / (2 * n)

        # precisions of the weights from far below to far above what the scale of the features asks for
        best.append(-min(minimize(less, (a + 2 * np.log(x.std(axis=0).mean()), 2), method="Nelder-Mead", options={"xatol": 1e-5, "fatol": 1e-9}).fun
                         for a in (-6, 0, 6, 12)))
    return np.mean(best)


@pytest.mark.parametrize(("scale", "offset"), [(1, 0), (0.01, 0), (300, 0), (1, 1000), (0.001, 100), (1e4, 1e4)], ids=str)
@pytest.mark.parametrize("shape", [(60, 8, 3), (30, 50, 3), (40, 40, 2)], ids=str)
def test_logme_is_the_largest_evidence_at_any_scale(shape, scale, offset):
    x, y = classes(*shape)
    x = scale * (x + offset)
    assert tr.logme(x, y) == pytest.approx(evidence(x, y), abs=1e-3)
    other = np.random.default_rng(0).permutation(y)
    assert tr.logme(x, other) == pytest.approx(evidence(x, other), abs=1e-3) and tr.logme(x, other) < tr.logme(x, y)


def test_the_published_evidence_leaves_out_what_unseen_directions_add():
    x, y = classes(120, 10, 3)
    assert tr.logme(x, y, published=True) == pytest.approx(tr.logme(x, y), abs=1e-5)
    x, y = classes(30, 50, 3)
    assert tr.logme(x, y, published=True) > tr.logme(x, y) + 0.5


@shapes
def test_the_h_score_is_what_its_definition_says(shape):
    from sklearn.covariance import ledoit_wolf
    x, y = classes(*shape)
    whole, between, _, _ = covariances(x, y)
    assert tr.h_score(x, y, shrinkage=False) == pytest.approx(np.trace(np.linalg.pinv(whole, rcond=1e-12) @ between), rel=1e-8)
    shrunk, share = ledoit_wolf(x)
    assert tr.h_score(x, y) == pytest.approx(np.trace(np.linalg.inv(shrunk) @ ((1 - share) * between)), rel=1e-9)


@pytest.mark.parametrize("shape", [(90, 8, 3), (30, 50, 4), (60, 3, 6), (40, 1, 3)], ids=str)
@pytest.mark.parametrize("apart", [0, 1, 100])
def test_the_h_score_is_no_more_than_classes_and_features_allow(shape, apart):
    x, y = classes(*shape, apart=apart)
    for shrinkage in (True, False):
        assert 0 <= tr.h_score(x, y, shrinkage=shrinkage) <= min(shape[2] - 1, shape[1]) + 1e-9
    if shape[0] <= shape[1]:
        assert tr.h_score(x, y, shrinkage=False) == pytest.approx(shape[2] - 1)
        assert tr.h_score(x, np.random.default_rng(0).permutation(y), shrinkage=False) == pytest.approx(shape[2] - 1)


@shapes
def test_transrate_is_what_its_definition_says(shape):
    x, y = classes(*shape)
    z = x - x.mean(axis=0)
    rate = lambda z: 0.5 * np.linalg.slogdet(np.eye(z.shape[1]) + z.T @ z / (len(z) * 1e-4))[1]
    assert tr.transrate(x, y) == pytest.approx(rate(z) - np.mean([rate(z[y == c]) for c in np.unique(y)]), rel=1e-9)


@shapes
def test_nc1_is_what_its_definition_says(shape):
    x, y = classes(*shape)
    _, _, within, means = covariances(x, y)
    means = means - means.mean(axis=0)
    c = len(means)
    assert tr.nc1(x, y) == pytest.approx(-np.trace(within @ np.linalg.pinv(means.T @ means / c, rcond=1e-10)) / c, rel=1e-8)


@pytest.mark.parametrize("shape", [(90, 8, 3), (30, 50, 4), (120, 90, 5)], ids=str)
def test_gbc_is_what_its_definition_says(shape):
    from sklearn.decomposition import PCA
    x, y = classes(*shape, apart=0.2)
    z = PCA(min(64, *x.shape), svd_solver="full").fit_transform(x)
    at = [(z[y == c].mean(axis=0), np.maximum(z[y == c].var(axis=0), 1e-4)) for c in np.unique(y)]
    total = 0
    for i, (m, v) in enumerate(at):
        for j, (other, w) in enumerate(at):
            s = (v + w) / 2
            total += 0 if i == j else np.exp(-((m - other)**2 / s).sum() / 8 - np.log(s / np.sqrt(v * w)).sum() / 2)
    assert tr.gbc(x, y) == pytest.approx(-total, rel=1e-8)


@shapes
def test_parc_is_what_its_definition_says(shape):
    from scipy.stats import spearmanr
    from sklearn.decomposition import PCA
    x, y = classes(*shape)
    rank = min(32, shape[1], shape[0] - 1)
    z = PCA(rank, svd_solver="full").fit_transform(x)
    pairs = np.triu_indices(len(x), 1)
    labels = np.round(1 - np.corrcoef(np.eye(shape[2])[y]), 9)  # which else differ in the last digit where they are equal
    plain = spearmanr((1 - np.corrcoef(z / z.std(axis=0)))[pairs], labels[pairs])[0]
    assert tr.parc(x, y) == pytest.approx(100 * plain, abs=1e-6)


def test_parc_counts_equal_pairs_as_equal_and_draws_items_above_its_limit():
    from scipy.stats import spearmanr
    x, y = classes(60, 4, 3)
    x, y = np.repeat(x, 3, axis=0), np.repeat(y, 3)
    z = tr.prepare(x, y).components(4)
    pairs = np.triu_indices(len(x), 1)
    plain = spearmanr(np.round(1 - np.corrcoef(z / z.std(axis=0)), 9)[pairs], y[pairs[0]] != y[pairs[1]])[0]
    assert tr.parc(x, y) == pytest.approx(100 * plain, abs=1e-6)
    assert tr.parc(x, y, limit=50, seed=1) == tr.parc(x, y, limit=50, seed=1) != tr.parc(x, y, limit=50, seed=2)
    assert tr.parc(x, y, limit=180) == tr.parc(x, y)


@pytest.mark.parametrize("k", [1, 4, 5, 20])
@pytest.mark.parametrize("n", [90, 700])
def test_knn_asks_the_nearest_others(n, k):
    x, y = classes(n, 8, 3, apart=0.7)
    hits = 0
    for i, row in enumerate(((x[:, None] - x)**2).sum(axis=2)):
        near = y[[j for j in np.argsort(row) if j != i][:k]]
        most = [c for c in range(3) if (near == c).sum() == np.bincount(near).max()]
        hits += next(c for c in near if c in most) == y[i]
    assert tr.knn_accuracy(x, y, k=k) == pytest.approx(hits / n, abs=1e-12)


@pytest.mark.parametrize("spread", [1e-3, 1e-5, 1e-9])
def test_neighbours_in_tight_clusters_are_found(spread, monkeypatch):
    """Where single precision cannot tell neighbours apart, and in pieces as well as whole."""
    rng = np.random.default_rng(0)
    x = np.repeat(rng.standard_normal((4, 20)), 150, axis=0) + spread * rng.standard_normal((600, 20))
    apart = ((x[:, None] - x)**2).sum(axis=2)
    np.fill_diagonal(apart, np.inf)
    near = apart.argsort(axis=1)[:, :6]
    assert (neighbours._near(x - x.mean(axis=0), 6) == near).all()
    monkeypatch.setattr(neighbours, "WHOLE", 10)
    monkeypatch.setattr(neighbours, "BLOCK", 6000)
    assert (neighbours._near(x - x.mean(axis=0), 6) == near).all()


def test_lda_is_cross_validated_and_comes_near_the_best():
    x, y = classes(1500, 6, 3, apart=0.6)
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    theirs = cross_val_score(LinearDiscriminantAnalysis(), x, y, cv=StratifiedKFold(5, shuffle=True, random_state=0)).mean()
    assert tr.lda_accuracy(x, y) == pytest.approx(theirs, abs=0.01)
    assert tr.lda_accuracy(x, y, seed=1) == pytest.approx(theirs, abs=0.02)
    points = np.repeat(np.eye(3, 5), 20, axis=0)
    assert tr.lda_accuracy(points, np.repeat([0, 1, 2], 20)) == 1  # no variance within classes
    streaks = points + np.outer(np.tile([-9.0, 9], 30), np.eye(5)[4])
    assert tr.lda_accuracy(streaks, np.repeat([0, 1, 2], 20)) == 1  # nor in the direction that tells


def test_n_leep_reads_clusters():
    x, y = classes(400, 12, 4, apart=4)
    assert -0.2 < tr.n_leep(x, y) <= 0
    assert tr.n_leep(x, y) == tr.n_leep(x, y, seed=0) != tr.n_leep(x, y, seed=1)
    assert tr.n_leep(x, np.random.default_rng(0).permutation(y)) == pytest.approx(tr.SCORES["n_leep"].chance(x, y), abs=0.15)


def test_n_leep_is_not_told_random_labels_by_small_clusters():
    rng = np.random.default_rng(0)
    for n, c in ((60, 3), (200, 10)):
        x, y = rng.normal(size=(n, 30)), np.arange(n) % c
        refused(lambda x=x, y=y: tr.n_leep(x[1:], y[1:]), f"{5 * c} clusters", f"{n - 1} items", f"Give {n}")
        assert tr.n_leep(x, y) < -0.3


# what changes nothing, and what does

@each
def test_names_of_classes_and_gaps_between_them_change_nothing(score):
    x, y = classes()
    for names in (np.array([7, -3, 100]), np.array(["cat", "ant", "bee"]), np.array([2.0, 5.0, 1.0])):
        assert score(x, names[y]) == pytest.approx(score(x, y), rel=1e-9)
    assert score(x, [["no", "yes", "maybe"][c] for c in y]) == pytest.approx(score(x, y), rel=1e-9)


@each_head
def test_names_of_classes_change_nothing_for_heads(score):
    p, y = beliefs()
    assert score(p, np.array(["cat", "ant", "bee"])[y]) == pytest.approx(score(p, y), rel=1e-12)
    assert score(p, torch.from_numpy(y * 7 - 3)) == pytest.approx(score(p, y), rel=1e-12)


@each
def test_the_order_of_items_changes_nothing(score):
    if score in (tr.lda_accuracy, tr.n_leep):  # they draw
        return
    x, y = classes()
    order = np.random.default_rng(0).permutation(len(x))
    assert score(x[order], y[order]) == pytest.approx(score(x, y), rel=1e-9)


ALL = set(OF_FEATURES)
SAME = {"turned": ALL - {"parc"}, "moved": ALL - {"logme"}, "scaled": ALL - {"transrate"}, "widened by constant columns": ALL - {"logme", "h_score"}}
CHANGES = {"turned": turned, "moved": lambda x: x + 50 * np.arange(x.shape[1]), "scaled": lambda x: 0.25 * x,
           "widened by constant columns": lambda x: np.column_stack([np.full(len(x), 3.0), x, np.zeros(len(x))])}


@pytest.mark.parametrize("what", CHANGES)
@each
def test_turning_moving_scaling_and_constant_columns_change_what_they_may(score, what):
    x, y = classes()
    name = next(name for name, call in OF_FEATURES.items() if call is score)
    tolerance = {"logme": 1e-5}.get(name, 1e-7)
    same = score(CHANGES[what](x), y) == pytest.approx(score(x, y), rel=tolerance, abs=1e-7)
    assert same == (name in SAME[what]) or what == "widened by constant columns" and name not in SAME[what]


@pytest.mark.parametrize("name", ["h_plain", "transrate", "gbc", "nc1"])
def test_every_item_twice_is_the_same(name):
    x, y = classes()
    assert OF_FEATURES[name](np.repeat(x, 2, axis=0), np.repeat(y, 2)) == pytest.approx(OF_FEATURES[name](x, y), rel=1e-9)
    p, y = beliefs()
    for score in OF_HEADS.values():
        assert score(np.repeat(p, 2, axis=0), np.repeat(y, 2)) == pytest.approx(score(p, y), rel=1e-12)


@each
def test_numpy_torch_lists_and_what_was_prepared_are_one(score):
    x, y = classes()
    prepared = tr.prepare(x, y)
    for found in (score(x.tolist(), y.tolist()), score(torch.from_numpy(x).requires_grad_(), torch.from_numpy(y)), score(prepared, None), score(prepared, y)):
        assert found == pytest.approx(score(x, y), rel=1e-12)
    single = x.astype(np.float32)
    assert score(single, y) == score(single.astype(np.float64), y)


@each
def test_weak_directions_and_a_cloud_far_out_are_right(score):
    """A Gram matrix would lose the digits of a direction a million times weaker; so would a mean taken in one go."""
    x, y = classes()
    at = tr.prepare(x * np.geomspace(1, 1e-6, 8), y)
    s = np.linalg.svd(x * np.geomspace(1, 1e-6, 8) - (x * np.geomspace(1, 1e-6, 8)).mean(axis=0), compute_uv=False)
    np.testing.assert_allclose(at.spectrum[0], s, rtol=1e-8)
    if score is not OF_FEATURES["logme"]:
        assert score(x + 1e6, y) == pytest.approx(score(x, y), rel=1e-6)


# labels at random are at the bottom

@each
def test_labels_at_random_score_below_true_ones(score):
    x, y = classes(300, 10, 4, apart=1.5)
    true = score(x, y)
    for seed in range(4):
        assert score(x, np.random.default_rng(seed).permutation(y)) < true


@each_head
def test_labels_at_random_score_below_true_ones_for_heads(score):
    p, y = beliefs(300)
    assert max(score(p, np.random.default_rng(seed).permutation(y)) for seed in range(4)) < score(p, y)


@each
def test_the_farther_classes_are_apart_the_higher_the_score(score):
    close, far = (score(*classes(300, 10, 4, apart=apart)) for apart in (0.2, 2))
    assert close < far


def test_gbc_falls_when_classes_overlap():
    found = [tr.gbc(*classes(200, 6, 3, apart=apart)) for apart in (0, 0.5, 1, 2, 20)]
    assert found == sorted(found) and -6 <= found[0] < -4 and found[-1] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("name", ["h_score", "h_plain", "parc"])
def test_chance_is_the_mean_over_labels_dealt_out_again(name):
    x, y = classes(60, 8, 3)
    rng = np.random.default_rng(0)
    values = [OF_FEATURES[name](x, rng.permutation(y)) for _ in range(400)]
    assert np.mean(values) == pytest.approx(tr.SCORES[name].chance(x, y), abs=4 * np.std(values) / 20)


def test_chance_of_an_accuracy_is_the_largest_class():
    x, y = classes()
    for name in ("knn", "lda"):
        assert tr.SCORES[name].chance(x, y) == np.bincount(y).max() / 90 == tr.SCORES[name].chance(tr.prepare(x, y))


# the edges

@each
def test_a_class_of_one_item_is_a_class(score):
    x, y = classes()
    y = np.where(np.arange(90) == 40, 99, y)
    assert np.isfinite(score(x, y))
    if score in (tr.knn_accuracy, tr.lda_accuracy):
        assert score(x, y) <= 89 / 90


@each
@pytest.mark.parametrize("shape", [(40, 1, 3), (20, 200, 3), (90, 2, 3)], ids=str)
def test_narrow_and_wide_features_are_right_or_refused(score, shape):
    x, y = classes(*shape)
    if score is tr.parc and shape[1] == 1:
        refused(lambda: score(x, y), "one direction")
    elif score is tr.n_leep and shape[0] < 60:
        refused(lambda: score(x, y), "15 clusters", f"{shape[0]} items", "60")
    else:
        assert np.isfinite(score(x, y))


@each
def test_bad_features_and_labels_are_refused(score):
    x, y = classes()
    refused(lambda: score(np.ones((90, 4)), y), "All 90 rows", "equal")
    refused(lambda: score(np.full((90, 4), 0.1) + 1e-18, y), "equal")
    refused(lambda: score(x * 1e80, y), "squares", "Scale")
    refused(lambda: score(np.where(np.arange(90)[:, None] == 7, np.nan, x), y), "first row 7")
    refused(lambda: score(x[0], y), "shape (8,)")
    refused(lambda: score(x[:3], y[:3]), "4 rows")
    refused(lambda: score(x, y[:50]), "(50,)", "90 rows")
    refused(lambda: score(x, None), "Labels")
    refused(lambda: score(x, np.zeros(90)), "All 90 labels are the same")
    refused(lambda: score(x, np.arange(90)), "no class has two items")
    refused(lambda: score(x, y + 0.5), "whole numbers")
    refused(lambda: score(x, [None, *y[1:]]), "missing", "first row 0")
    refused(lambda: score(x, ["a"] * 50 + [float("nan")] * 40), "missing", "first row 50")
    refused(lambda: score(x, [[1], [2, 3]] * 45), "90 rows")
    refused(lambda: score(tr.prepare(x, y), y[::-1]), "other labels")


@each_head
def test_bad_beliefs_are_refused(score):
    p, y = beliefs()
    refused(lambda: score(np.log(p), y), "no probabilities", "softmax")
    refused(lambda: score(np.where(np.arange(90)[:, None] == 4, 2 * p, p), y), "1 of 90", "first row 4")
    refused(lambda: score(np.zeros_like(p), y), "no probabilities")
    refused(lambda: score(p * np.nan, y), "NaN")
    refused(lambda: score(p, y[:4]), "(4,)")
    refused(lambda: score(p, np.zeros(90)), "the same")
    refused(lambda: tr.energy(p * np.nan), "NaN")


def test_options_that_cannot_be_are_refused():
    x, y = classes()
    for k in (0, 90, 2.5, True):
        refused(lambda k=k: tr.knn_accuracy(x, y, k=k), "neighbours")
    for folds in (1, 91, "5"):
        refused(lambda folds=folds: tr.lda_accuracy(x, y, folds=folds), "folds")
    for seed in (-1, 0.5):
        refused(lambda seed=seed: tr.n_leep(x, y, seed=seed), "seed")
    refused(lambda: tr.parc(x, y, limit=2), "2 items")
    refused(lambda: tr.energy(np.full((5, 2), 1e308)), "1e+308")
    two = np.repeat([0, 1], 4)
    refused(lambda: tr.nc1(np.vstack([np.eye(4)] * 2), two), "coincide")
    refused(lambda: tr.centroid_distance(x, x[:, :3]), "8 columns", "3")
    refused(lambda: tr.persistence_ratio(x, 1), "1 class")


# the registry

def test_every_score_says_what_it_is():
    for name, score in tr.SCORES.items():
        assert name == score.name and score.meaning.endswith(".") and set(score.needs) <= set(tr.NEEDS) and score.needs
        assert score.direction in (1, -1) and score.range[0] < score.range[1] and score.work
        assert score.kind in ("score", "trivial", "truth", "published-method") and score.cost in ("cheap", "moderate", "slow")
    assert {n for n, s in tr.SCORES.items() if s.kind == "published-method"} == {"pr", "pr_target"}
    assert {n for n, s in tr.SCORES.items() if s.kind == "trivial"} == {"parameters", "source_accuracy", "source_items", "centroid", "source_probe"}
    assert len({s.title for s in tr.SCORES.values()}) == len(tr.SCORES) and [n for n, s in tr.SCORES.items() if s.kind == "truth"] == ["probe"]


def test_scores_are_called_by_name_and_lie_in_their_range():
    (x, y), (p, _) = classes(), beliefs()
    given = {"features": tr.prepare(x, y), "labels": y, "probabilities": p, "logits": np.log(p), "classes": 3, "source_features": x + 1, "source_classes": 4,
             "parameters": 12_345, "source_accuracy": 0.9, "source_items": 90, "source_probe": 0.4, "probe": 0.8}
    assert set(given) == set(tr.NEEDS)
    for score in tr.SCORES.values():
        found = score(**given)
        assert isinstance(found, float) and score.range[0] <= found <= score.range[1]
        for name in score.needs:
            refused(lambda score=score, name=name: score(**{**given, name: None}), score.title, name)
    assert tr.SCORES["pr_target"](**given) == pytest.approx(-persistence.ratio(x, 3).ratio, rel=1e-9)
    assert tr.SCORES["pr"](**given) == pytest.approx(-persistence.ratio(x, 4).ratio, rel=1e-9)
    assert tr.SCORES["parameters"](**given) == 12_345


def test_the_distance_of_centroids_is_that_of_the_means():
    x, y = classes()
    assert tr.centroid_distance(x, x + np.array([3, 4, 0, 0, 0, 0, 0, 0])) == pytest.approx(5)
    assert tr.SCORES["centroid"](features=tr.prepare(x, y), source_features=x + np.array([3, 4, 0, 0, 0, 0, 0, 0])) == pytest.approx(5)
