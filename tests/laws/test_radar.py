"""RADAR: what must hold for any data, and what the demo shows of it."""

import json

import numpy as np
import pytest

from analysis import Representation, extract, load_dataset, load_model
from analysis.metrics import calibration, fitting, mixture, pairing, radar, triangles
from analysis.metrics.domain import domain
from analysis.metrics.radar import Options
from analysis.store import Store
from tests.refusal import refused

QUICK = Options(pairs=1500, draws=2000)
CLASSES = 3


def states(n=120, d=12, layers=5, shift=0.0, seed=0):
    """Items of three classes carried through fixed layers, each adding a bend of what came in; `shift` moves the input sideways."""
    rng, net = np.random.default_rng(seed), np.random.default_rng(99)
    labels, centres = np.arange(n) % CLASSES, 3 * net.normal(size=(CLASSES, d))
    x = [centres[labels] + rng.normal(size=(n, d)) + shift * net.normal(size=d)]
    for _ in range(layers - 1):
        x.append(x[-1] + np.tanh(x[-1] @ net.normal(size=(d, d)) / 3))
    return [layer.astype(np.float32) for layer in x], labels


def compared(shift=1.0, options=QUICK, **target):
    (a, mine), (b, other) = states(**target), states(shift=shift, seed=1)
    return radar.compare(a, b, target_labels=mine, source_labels=other, options=options)


def turned(x, seed=0, move=True):
    """Rotated, scaled, and moved."""
    rng = np.random.default_rng(seed)
    q, _ = np.linalg.qr(rng.standard_normal((x.shape[-1],) * 2))
    return 3 * x @ q + move * rng.standard_normal(x.shape[-1])


# triangles

X, AFTER, P = np.array([0.0, 0]), np.array([0.0, 4]), np.array([3.0, 0])


@pytest.mark.parametrize(("angle", "degrees"), [("partner", 53.13010235415598), ("turning", 126.86989764584402), ("anchor", 90)])
@pytest.mark.parametrize(("distance", "excess"), [("direct", 1), ("path", 0.5), ("detour", 0.25)])
def test_the_test_triangle(angle, degrees, distance, excess):
    theta, d = radar.triangles(X, AFTER, P, angle=angle, distance=distance)
    assert np.degrees(theta) == pytest.approx(degrees, rel=1e-14) and d == pytest.approx(excess, rel=1e-14)
    x, y = radar.triangles(X, AFTER, P, angle=angle, distance=distance, geometry="pseudo-cartesian")
    assert (x, y) == (pytest.approx(d * np.cos(theta)), pytest.approx(d * np.sin(theta)))


def test_an_octant_of_the_sphere():
    for angle in ("partner", "anchor"):
        theta, d = radar.triangles(*5 * np.eye(3), angle=angle, geometry="geodesic")
        assert theta == pytest.approx(np.pi / 2) and d == pytest.approx(1)


def test_small_triangles_on_the_sphere_are_flat():
    points = np.array([0, 0, 1.0]) + 1e-5 * np.array([[0, 0, 0], [0, 4, 0], [3, 0, 0]])
    for angle in ("partner", "turning", "anchor"):
        found, flat = (radar.triangles(*p, angle=angle, geometry=g) for p, g in ((points, "geodesic"), ((X, AFTER, P), "euclidean")))
        np.testing.assert_allclose(found, flat, rtol=1e-5)


def test_sides_and_angles_belong_together():
    x, after, p = np.random.default_rng(0).normal(size=(3, 500, 7))
    sep, detour, traj = p - x, after - p, after - x
    np.testing.assert_allclose(sep + detour, traj)
    a, b, c = (np.linalg.norm(v, axis=1) for v in (traj, sep, detour))
    theta, d = radar.triangles(x, after, p)
    np.testing.assert_allclose(a**2, b**2 + c**2 - 2 * b * c * np.cos(theta))
    np.testing.assert_allclose(d, (b + c - a) / a)
    at_anchor, path = radar.triangles(x, after, p, angle="anchor", distance="path")
    np.testing.assert_allclose(c**2, a**2 + b**2 - 2 * a * b * np.cos(at_anchor))
    np.testing.assert_allclose(path, (b + c - a) / (b + c))
    assert (radar.triangles(x, after, p, angle="turning")[0] == np.pi - theta).all()
    np.testing.assert_allclose(radar.triangles(x, after, p, distance="detour")[1], (c - a) / a)


@pytest.mark.parametrize("geometry", ["euclidean", "geodesic", "pseudo-cartesian"])
@pytest.mark.parametrize("angle", ["partner", "turning", "anchor"])
def test_turning_and_scaling_everything_changes_no_triangle(geometry, angle):
    points = np.random.default_rng(0).normal(size=(3, 50, 6))
    found = radar.triangles(*points, geometry=geometry, angle=angle)
    np.testing.assert_allclose(found, radar.triangles(*turned(points, move=geometry != "geodesic"), geometry=geometry, angle=angle), rtol=1e-9)


def test_thin_triangles_keep_their_digits():
    theta, d = radar.triangles(np.zeros(2), np.array([0, 1e-9]), np.array([1.0, 0]))
    assert theta == pytest.approx(1e-9, rel=1e-12) and d > 0
    theta, d = radar.triangles(np.zeros(2), np.array([1e-9, 0]), np.array([1.0, 0]))
    assert theta == 0 and radar.triangles(np.zeros(2), np.array([2.0, 0]), np.array([1.0, 0]))[0] == np.pi


@pytest.mark.parametrize("geometry", ["euclidean", "geodesic"])
@pytest.mark.parametrize("points", [(P, AFTER, P), (X, AFTER, AFTER), (P, P, AFTER)], ids=["sep", "detour", "traj"])
def test_a_side_of_length_0_makes_no_triangle(points, geometry):
    points = [np.append(p, 1.0) for p in points]
    assert np.isnan(radar.triangles(*points, geometry=geometry)).all()


def test_points_that_make_no_triangles():
    refused(lambda: radar.triangles(X, AFTER, np.zeros(3)), "(3,)")
    refused(lambda: radar.triangles(X, AFTER, P, angle="corner"), "'corner' is no angle", "partner, turning, anchor")
    refused(lambda: radar.triangles(X, AFTER, P, distance="l1"), "distance")
    refused(lambda: radar.triangles("a", "b", "c"), "numbers")


@pytest.mark.parametrize("geometry", ["euclidean", "geodesic", "pseudo-cartesian"])
@pytest.mark.parametrize("angle", ["partner", "anchor"])
@pytest.mark.parametrize("distance", ["direct", "path", "detour"])
@pytest.mark.parametrize("device", ["cpu", "torch:cpu"])
def test_blocks_of_pairs_are_the_same_triangles(monkeypatch, geometry, angle, distance, device):
    pytest.importorskip("torch")
    monkeypatch.setattr(triangles, "BLOCK", 96)
    rng = np.random.default_rng(0)
    target = [100 + rng.normal(size=(30, 8))]  # far from the origin, and moving ever less
    for step in (1, 1e-2, 1e-3):
        target.append(target[-1] + step * rng.normal(size=(30, 8)))
    target = [layer.astype(np.float32) for layer in target]
    other = [(layer[::-1] + 0.1).astype(np.float32) for layer in target]
    pairs = rng.integers(30, size=(200, 2))
    found = triangles.vectors(target, other, pairs, Options(geometry=geometry, angle=angle, distance=distance, device=device))
    for i in range(3):
        plain = radar.triangles(target[i][pairs[:, 0]], target[i + 1][pairs[:, 0]], other[i][pairs[:, 1]], angle=angle, distance=distance, geometry=geometry)
        for values, exact in zip((found[:, i], found[:, 3 + i]), plain, strict=True):
            assert np.abs(values - exact).max() < 1e-5 * max(1, np.abs(exact).max())


# the window

def layers(*widths):
    return {f"layer {i}": np.zeros((30, w)) for i, w in enumerate(widths)}


def test_the_window_moves_inwards_where_it_does_not_fit():
    many, few = layers(*[4] * 20), layers(*[4] * 5)
    assert radar.window(many, Options()) == [f"layer {i}" for i in range(4, 17)]
    assert radar.window(many, Options(centre=0)) == radar.window(many, Options(centre=6)) == [f"layer {i}" for i in range(13)]
    assert radar.window(many, Options(centre="layer 19", radius=2)) == [f"layer {i}" for i in range(15, 20)]
    assert radar.window(few, Options(centre=4)) == list(few)
    assert radar.window(list(few.values()), Options(radius=1)) == [1, 2, 3]


def test_widths_that_differ_are_named_with_a_window_that_fits():
    error = refused(lambda: radar.window(layers(8, 8, 4, 4, 4, 4, 4), Options()), "'layer 0' has 8, 'layer 1' has 8", "one width of 4")
    assert error.hint == "A window that fits has the centre 'layer 4' and the radius 2."
    assert radar.window(layers(8, 8, 4, 4, 4, 4, 4), Options(centre="layer 4", radius=2)) == [f"layer {i}" for i in range(2, 7)]
    refused(lambda: radar.window(layers(8, 4, 2, 1), Options()), "No three layers in a row share a width")
    refused(lambda: radar.window(layers(8), Options()), "only one layer")
    refused(lambda: radar.window(layers(8, 8), Options(centre="layer 7")), "'layer 7'", "layer 0, layer 1")
    refused(lambda: radar.window(layers(8, 8), Options(centre=2)), "no layer 2")
    refused(lambda: radar.window(layers(8, 8), {"radius": 2}), "options are {'radius': 2}")


def test_a_text_is_the_name_of_a_layer_before_it_is_a_place():
    odd = {name: np.zeros((30, 4)) for name in ("3", "0", "1", "2", "a")}
    assert radar.window(odd, Options(centre="1", radius=1)) == ["0", "1", "2"] and radar.window(odd, Options(centre="4", radius=1)) == ["1", "2", "a"]
    assert radar.window(odd, Options(centre=1, radius=1)) == ["3", "0", "1"]
    refused(lambda: radar.window(odd, Options(centre="9")), "no layer 9 among 5")


# options

@pytest.mark.parametrize("wrong", [{"angle": "x"}, {"distance": "x"}, {"geometry": "x"}, {"sampling": "x"}, {"divergence": "x"}, {"covariance": "x"},
                                   {"radius": 0}, {"pairs": 3}, {"components": 0}, {"draws": 1.5}, {"seed": -1}, {"ridge": 0}, {"standardise": 1},
                                   {"centre": 1.5}, {"centre": -1}, {"device": None}, {"pairs": True}, {"tolerance": 0}, {"tolerance": "fine"}])
def test_an_option_says_what_it_may_be(wrong):
    refused(lambda: Options(**wrong), next(iter(wrong)))


def test_options_are_read_back_and_marked():
    options = Options(centre="layer 3", sampling="uniform", ridge=1)
    assert Options(**json.loads(json.dumps(options.manifest()))) == options and len({options, Options(), Options()}) == 2
    assert set(radar.MARKS) == set(Options().manifest()) and set(radar.MARKS.values()) == {"published", "ours"}
    assert next(iter(radar.READINGS.values())) == {} and all(len(Options(**change).manifest()) for change in radar.READINGS.values())
    assert all(len(change) == 1 for change in list(radar.READINGS.values())[1:])


# pairs

def crowds(n=90):
    (a, mine), (b, other) = states(n), states(n, shift=1, seed=1)
    return pairing.crowd(a[2], mine), pairing.crowd(b[2], other)


def test_anchors_come_from_the_core_evenly_over_classes():
    crowd, _ = crowds()
    rows = pairing.anchors(crowd, Options(pairs=3000))
    for label in range(CLASSES):
        members = np.flatnonzero(crowd.classes == label)
        mine = rows[crowd.classes[rows] == label]
        assert len(mine) == 1000 and set(mine) == set(members[crowd.radii[members] <= np.median(crowd.radii[members])])
        assert np.bincount(mine).max() < 110  # 1000 over 15 items


def test_radii_are_distances_to_the_centroid_of_the_class():
    x, labels = states(30)
    found = pairing.crowd(x[0], labels)
    for i in range(30):
        assert found.radii[i] == pytest.approx(np.linalg.norm(x[0][i] - x[0][labels == labels[i]].mean(axis=0)), rel=1e-5)
    np.testing.assert_allclose(pairing.crowd(x[0], None).radii, np.linalg.norm(x[0] - x[0].mean(axis=0), axis=1), rtol=1e-5)


def test_partners_are_near_in_the_core_and_far_on_the_boundary():
    target, other = crowds()
    options = Options(pairs=60_000)
    rows = pairing.partners(pairing.anchors(target, options), target, options, other)
    share = np.bincount(other.classes[rows]) / len(rows)
    np.testing.assert_allclose(share, 1 / CLASSES, atol=0.01)
    members = np.flatnonzero(other.classes == 1)
    inside = other.radii[members] <= np.median(other.radii[members])
    near = 1 / (other.radii[members] + 1e-3 * np.median(other.radii))
    weight = np.where(inside, near / near[inside].sum(), other.radii[members] / other.radii[members][~inside].sum()) / 2
    np.testing.assert_allclose(np.bincount(rows, minlength=90)[members] / (other.classes[rows] == 1).sum(), weight, atol=0.006)


@pytest.mark.parametrize("sampling", ["stratified", "same_class", "uniform"])
def test_no_item_is_its_own_partner_and_seeds_reproduce(sampling):
    target, other = crowds(24)
    options = Options(pairs=2000, sampling=sampling)
    rows = pairing.anchors(target, options)
    within, across = pairing.partners(rows, target, options), pairing.partners(rows, target, options, other)
    assert (within != rows).all() and (across == rows).any()
    assert (pairing.partners(rows, target, options) == within).all() and (pairing.anchors(target, Options(pairs=2000, sampling=sampling, seed=1)) != rows).any()
    alike = (target.classes[within] == target.classes[rows]).all() and (other.classes[across] == target.classes[rows]).all()
    assert alike == (sampling == "same_class")
    assert set(rows) == set(range(24)) if sampling == "uniform" else target.core()[rows].all()


@pytest.mark.parametrize("sampling", ["stratified", "same_class", "uniform"])
def test_no_item_is_its_own_partner_in_another_domain_that_holds_it(sampling):
    (a, mine), (b, other) = states(24), states(24, shift=1, seed=1)
    ids = np.array([f"item {i}" for i in range(24)])
    target, source = pairing.crowd(a[2], mine, ids), pairing.crowd(b[2], other, ids[::-1])
    options = Options(pairs=3000, sampling=sampling)
    rows = pairing.anchors(target, options)
    blind, seen = (pairing.partners(rows, target, options, domain) for domain in (source._replace(ids=None), source))
    clash = ids[rows] == ids[::-1][blind]
    assert clash.any() and (blind[~clash] == seen[~clash]).mean() > 0.9 and not (ids[rows] == ids[::-1][seen]).any()


def test_representations_that_share_items_are_never_paired_with_themselves():
    (a, mine), (b, other) = states(), states(shift=1, seed=1)
    named = [Representation({f"layer {i}": layer for i, layer in enumerate(x)}, labels, tuple("abc"), tuple(f"item {i}" for i in range(120)))
             for x, labels in ((a, mine), (b, other))]
    found = radar.compare(*named, options=QUICK)
    assert (found.cross_pairs[:, 0] != found.cross_pairs[:, 1]).all()
    plain = radar.compare(represented(a, mine, "x"), represented(b, other, "y"), options=QUICK)  # rows alone name no item
    assert (plain.cross_pairs[:, 0] == plain.cross_pairs[:, 1]).any() and radar.compare(named[0], named[0], options=QUICK).dropped == (0, 0)


def test_source_items_of_a_split_are_others_than_those_of_the_target():
    (a, mine), (b, other) = states(), states(shift=1, seed=1)
    named = [Representation({f"layer {i}": layer for i, layer in enumerate(x)}, labels, tuple("abc"), tuple(f"item {i}" for i in range(120)))
             for x, labels in ((a, mine), (b, other))]
    run = calibration._Run(domain(named[0]), {"x": named[1]}, {}, 2, 0, QUICK, None)
    taken, source = np.arange(0, 120, 2), domain(named[1])
    drawn = run._drawn(source, taken, 0)
    assert set(drawn[:60]) == set(range(1, 120, 2)) and sorted(drawn) == list(range(120))
    assert np.ptp(np.bincount(other[drawn[:30]])) <= 2


def test_classes_of_one_item_and_items_that_coincide_can_be_drawn():
    x, labels = np.zeros((30, 3)), np.r_[np.zeros(29, int), 1]
    crowd, options = pairing.crowd(x, labels), Options(pairs=500)
    rows = pairing.anchors(crowd, options)
    assert set(crowd.classes[rows]) == {0, 1} and (pairing.partners(rows, crowd, options) != rows).all()
    assert pairing.shared(crowd, crowd).tolist() == [0]
    refused(lambda: pairing.shared(crowd, pairing.Crowd(np.full(30, 7), crowd.radii)), "class that both domains have")


# the score

def test_it_is_reproduced_and_plain():
    found, again = compared(), compared()
    assert found.score == again.score and (found.cross == again.cross).all() and compared(options=Options(pairs=1500, draws=2000, seed=1)).score != found.score
    assert found.within.shape == found.cross.shape == (1500, 8) and found.within.dtype == np.float32 and found.within_pairs.shape == (1500, 2)
    assert (found.within_pairs[:, 0] == found.cross_pairs[:, 0]).all() and found.dropped == (0, 0) and found.n == (120, 120)
    assert found.layers == ("0", "1", "2", "3", "4") and found.names == ("target", "source") and found.warnings == ()
    json.dumps(found.manifest(), allow_nan=False)
    assert list(found.table()["from"]) == ["0", "1", "2", "3"] and found.mc_error < 0.1 * found.score


def test_it_is_a_divergence_of_the_mixtures_that_it_keeps():
    found = compared()
    assert mixture.divergence(found.within_mixture, found.cross_mixture, draws=2000) == (found.score, found.mc_error)
    z = (found.cross - found.shift) / found.scale
    np.testing.assert_allclose(found.cross_mixture.log_density(z) - found.within_mixture.log_density(z), found.log_ratio)
    both = np.concatenate([found.within, found.cross], dtype=np.float64)
    np.testing.assert_allclose((both - found.shift).mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose((both / found.scale).std(axis=0), 1)
    means, (items, _) = np.concatenate([found.within_pairs[:, :1], found.cross_pairs[:, :1]]), states()
    kept = radar.triangles(items[1][means[:1500, 0]], items[2][means[:1500, 0]], items[1][found.within_pairs[:, 1]])
    np.testing.assert_allclose(found.angles("within")[:, 1], kept[0], atol=1e-5)
    np.testing.assert_allclose(found.distances("within")[:, 1], kept[1], atol=1e-4)


@pytest.mark.parametrize("shift", [0.5, 2])
def test_the_score_is_that_of_mixtures_that_have_settled(shift):
    """scikit-learn's rounds, from where ours stop, for as long as anything moves."""
    GaussianMixture = pytest.importorskip("sklearn.mixture").GaussianMixture
    found, settled = compared(shift, Options(pairs=3000, draws=4000)), []
    for side, mine in ((found.within, found.within_mixture), (found.cross, found.cross_mixture)):
        theirs = GaussianMixture(3, reg_covar=1e-4, tol=1e-9, max_iter=3000, weights_init=mine.weights, means_init=mine.means,
                                 precisions_init=np.linalg.inv(mine.covariances)).fit((side - found.shift) / found.scale)
        settled.append(mixture.Mixture(theirs.weights_, theirs.means_, theirs.covariances_))
    assert mixture.divergence(*settled, draws=4000)[0] == pytest.approx(found.score, rel=0.05)
    hasty = compared(shift, Options(pairs=3000, draws=4000, tolerance=0.3))
    assert hasty.score < 0.95 * found.score


def test_what_is_equal_scores_0():
    (a, labels), (b, _) = states(), states(shift=1, seed=1)
    target, source = (fitting.part(domain(x, labels, "x"), [str(i) for i in range(5)]) for x in (a, b))
    found = fitting.scored(target, source, QUICK)
    same = fitting.refitted(found._replace(cross=found.within, mixtures=None), QUICK)
    assert found.score > 0.1 and (same.score, same.error) == (0, 0)


@pytest.mark.parametrize(("geometry", "move"), [("euclidean", True), ("geodesic", False)])
def test_turning_moving_and_scaling_all_layers_changes_no_score(geometry, move):
    (a, mine), (b, other) = states(), states(shift=1, seed=1)
    options = Options(pairs=1500, draws=2000, geometry=geometry)
    plain, moved = (radar.compare([change(x) for x in a], [change(x) for x in b], target_labels=mine, source_labels=other, options=options)
                    for change in (lambda x: x, lambda x: turned(x.astype(np.float64), move=move)))
    assert moved.score == pytest.approx(plain.score, rel=1e-3)
    np.testing.assert_allclose(moved.per_transition, plain.per_transition, rtol=0.01)


@pytest.mark.parametrize("factor", [2.0**83, 2.0**-83, 2.0**60, 1e18, 1e-25])
def test_numbers_however_large_or_small_make_the_same_triangles(factor):
    (a, mine), (b, other) = states(), states(shift=1, seed=1)
    scaled = lambda x: [(layer * factor).astype(np.float32) for layer in x]  # noqa: E731
    found = radar.compare(scaled(a), scaled(b), target_labels=mine, source_labels=other, options=QUICK)
    assert found.dropped == (0, 0) and found.score == pytest.approx(compared().score, rel=1e-3)


def test_turning_is_the_partner_angle_shown_from_the_other_side():
    found, other = compared(), compared(options=Options(pairs=1500, draws=2000, angle="turning"))
    assert other.score == found.score and (other.per_transition == found.per_transition).all() and (other.log_ratio == found.log_ratio).all()
    assert (other.angles("cross") == np.pi - found.angles("cross")).all() and (other.distances("within") == found.distances("within")).all()
    angles = np.linspace(0.1, 3, 7)
    np.testing.assert_allclose(other.density(1, "angle", angles), found.density(1, "angle", np.pi - angles))


def test_it_grows_with_the_shift():
    scores = [compared(shift).score for shift in (0, 0.5, 1, 2, 4)]
    assert scores == sorted(scores) and scores[-1] > 5 * scores[0]


@pytest.mark.parametrize("change", [*radar.READINGS.values(), {"divergence": "components", "components": 1}, {"device": "torch:cpu"}], ids=str)
def test_every_reading_runs(change):
    pytest.importorskip("torch")
    found = compared(options=Options(**{"pairs": 600, "draws": 500, **change}))
    assert found.score > 0 and np.isfinite(found.per_transition).all() and found.angles("cross").min() >= 0 and found.angles("cross").max() <= np.pi
    if change.get("divergence") != "sinkhorn":
        assert found.per_transition.max() <= found.score + 5 * found.mc_error + 0.02
        assert (found.marginals.max(axis=1) <= found.per_transition + 0.05).all()


@pytest.mark.parametrize("geometry", ["euclidean", "pseudo-cartesian"])
@pytest.mark.parametrize("angle", ["partner", "turning"])
@pytest.mark.parametrize("distance", ["direct", "detour"])
def test_densities_are_those_of_what_is_shown(geometry, angle, distance):
    found = compared(options=Options(pairs=1500, draws=500, geometry=geometry, angle=angle, distance=distance))
    for kind, shown in (("angle", found.angles), ("distance", found.distances)):
        grid = np.linspace(-1, np.pi + 1, 400) if kind == "angle" else np.linspace(-30, 60, 3000)
        step = grid[1] - grid[0]
        for density, side in zip(found.density(2, kind, grid), ("within", "cross"), strict=True):
            values, near = shown(side)[:, 2], 0.12 if geometry == "pseudo-cartesian" else 0.02
            if geometry == "euclidean" or distance == "direct":
                assert density.sum() * step == pytest.approx(1, abs=near)
                assert (density * grid).sum() * step == pytest.approx(values.mean(), abs=0.1 * max(1, float(values.std())))
    refused(lambda: found.density(9, "angle", grid), "no transition 9")
    refused(lambda: found.density(0, "length", grid), "angle, distance")
    refused(lambda: found.angles("both"), "within, cross")


def test_what_drives_it():
    found, (_, labels) = compared(), states()
    drivers = found.items(labels)
    assert drivers.item_pairs.sum() == drivers.class_pairs.sum() == 1500 and (np.diff(drivers.item_ratios) <= 0).all()
    assert drivers.item_ratios[0] == pytest.approx(found.log_ratio[found.cross_pairs[:, 1] == drivers.items[0]].mean())
    assert drivers.class_ratios[0] == pytest.approx(found.log_ratio[labels[found.cross_pairs[:, 1]] == drivers.classes[0]].mean())
    assert len(found.items().classes) == 0 and len(found.ratios(1)) == 1500 and found.items(transition=1).items[0] != drivers.items[-1]
    refused(lambda: found.items(labels[:5]), "5 labels", "120 items")


def test_centroids_spread_and_gauge():
    (a, mine), (b, _) = states(), states(shift=1, seed=1)
    found = radar.compare(a, b, target_labels=mine, options=Options(pairs=600, draws=500, radius=1))
    assert found.layers == ("1", "2", "3")
    for i, (x, y) in enumerate(zip(a[1:4], b[1:4], strict=True)):
        assert found.centroid[i] == pytest.approx(np.linalg.norm(x.mean(axis=0) - y.mean(axis=0)), rel=1e-4)
        assert found.spread[i] == pytest.approx(np.sqrt(((x - x.mean(axis=0))**2).sum(axis=1).mean()), rel=1e-4)
    assert found.gauge == pytest.approx(np.linalg.norm(a[0].mean(axis=0) - b[0].mean(axis=0)) / np.sqrt(a[0].var(axis=0).sum()), rel=1e-4)


def test_without_labels_it_works_and_says_what_is_lost():
    (a, _), (b, _) = states(), states(shift=1, seed=1)
    found = radar.compare(a, b, options=QUICK)
    assert found.score > 0 and "target has no labels" in found.warnings[0] and "source has no labels" in found.warnings[1]
    refused(lambda: radar.compare(a, b, options=Options(sampling="same_class")), "need labels", "target")


def test_labels_are_of_one_kind():
    (a, mine), (b, other) = states(), states(shift=1, seed=1)
    options = Options(pairs=900, draws=500, sampling="same_class")
    go = lambda labels: radar.compare(a, b, target_labels=mine, source_labels=labels, options=options)  # noqa: E731
    assert go(other.astype(float)).score == go(other).score == go(other.tolist()).score
    for odd in ([None, *other[1:]], [np.nan, *other[1:]], ["a", *other[1:].tolist()], np.array(["a", *other[1:]], object)):
        refused(lambda odd=odd: go(odd), "labels of source are not of one kind")


def test_classes_of_hardly_any_items_are_told():
    (a, mine), (b, _) = states(), states(shift=1, seed=1)
    found = radar.compare(a, b, target_labels=mine, source_labels=np.arange(120) // 2, options=QUICK)
    assert found.warnings == ("Most classes of source hold fewer than 4 items: core and boundary of a class mean little.",)


def test_devices_and_options_that_are_none():
    pytest.importorskip("torch")
    (a, _), (b, _) = states(), states(shift=1, seed=1)
    for device in ("foo", "meta", ""):
        refused(lambda device=device: radar.compare(a, b, options=Options(pairs=300, device=device)), f"No device '{device}'")
    for options in (None, {"pairs": 300}):
        refused(lambda options=options: radar.compare(a, b, options=options), "The options are")
        refused(lambda options=options: list(radar.calibrate(a, {"b": b}, options=options)), "The options are")


def test_numpy_torch_and_representations_are_read():
    torch = pytest.importorskip("torch")
    (a, mine), (b, other) = states(), states(shift=1, seed=1)
    known = compared().score
    tensors = [[torch.from_numpy(x) for x in side] for side in (a, b)]
    assert radar.compare(*tensors, target_labels=torch.from_numpy(mine), source_labels=other, options=QUICK).score == known
    found = radar.compare(represented(a, mine, "first"), represented(b, other, "second"), options=QUICK)
    assert found.score == known and found.names == ("first", "second") and found.layers[0] == "layer 0"


def represented(x, labels, name, model=None, **more):
    return Representation({f"layer {i}": layer for i, layer in enumerate(x)}, labels, tuple("abc"), domain=name, manifest={"model": model or {}, **more})


def test_classes_are_matched_by_name():
    (a, mine), (b, other) = states(), states(shift=1, seed=1)
    options = Options(pairs=900, draws=500, sampling="same_class")
    source = Representation({f"layer {i}": layer for i, layer in enumerate(b)}, other, ("b", "c", "z"))
    found = radar.compare(represented(a, mine, "first"), source, options=options)
    names = lambda labels, classes, rows: [classes[i] for i in labels[rows]]  # noqa: E731
    assert names(mine, "abc", found.cross_pairs[:, 0]) == names(other, "bcz", found.cross_pairs[:, 1]) and set(mine[found.within_pairs[:, 0]]) == {1, 2}


def test_what_is_refused():
    (a, mine), (b, _) = states(), states(shift=1, seed=1)
    go = lambda x, y, **more: refused(lambda: radar.compare(x, y, options=more.pop("options", QUICK), **more), *more.pop("words", ()))  # noqa: E731
    assert "only one layer" in str(go(a[:1], b[:1]))
    assert "19 items" in str(go([x[:19] for x in a], b)) and "20 or more" in str(go(a, [x[:3 + 1] for x in b]))
    assert "5 and 4" in str(go(a, b[:4])) and "Layer '1' has 12 columns in target and 7 in source" in str(go(a, [b[0], b[1][:, :7], *b[2:]]))
    assert "'2' has 7" in str(go([*a[:2], a[2][:, :7], *a[3:]], [*b[:2], b[2][:, :7], *b[3:]]))
    flat = [*a[:2], np.ones_like(a[2]), *a[3:]]
    assert "layer '2': constant features" in str(go(flat, b)) and "of source are the same" in str(go(b, flat))
    assert "items do not move" in str(go([a[0], a[0], a[0]], [b[0]] * 3))
    few = [x[np.arange(120) % 2] for x in a]
    assert "no triangle" in str(go(few, few)) and "coincide" in str(go(few, few))
    assert "labels of shape (7,)" in str(go(a, b, target_labels=mine[:7]))
    assert "layer 3 has 5 rows" in str(go([*a[:3], a[3][:5], a[4]], b)) and "NaN" in str(go([a[0] * np.nan, *a[1:]], b))
    assert "no list of layers" in str(go(a[0], b)) and "no list of layers" in str(go(None, b))


def test_domains_of_different_models_are_refused():
    (a, mine), (b, other) = states(), states(shift=1, seed=1)
    one = {"name": "vit", "digest": "0123456789ab"}
    with_ = lambda x, labels, **more: represented(x, labels, "x", **more)  # noqa: E731
    unlike = lambda other_model, *words: refused(  # noqa: E731
        lambda: radar.compare(with_(a, mine, model=one), with_(b, other, model=other_model)), "one model", *words)
    unlike({"name": "conv"}, "the model is vit and conv")
    unlike({"name": "conv", "digest": "ba98"}, "the model is vit and conv")
    unlike({"name": "vit", "digest": "ba98"}, "the model is 0123456789ab and ba98")
    refused(lambda: radar.compare(with_(a, mine, model=one, pooling="mean"), with_(b, other, model=one, pooling="cls")), "pooling", "mean and cls")
    other_layers = Representation({f"block {i}": layer for i, layer in enumerate(b)}, other)
    refused(lambda: radar.compare(with_(a, mine), other_layers), "'layer 0' and 'block 0'")
    assert radar.compare(with_(a, mine, model={**one, "name": "renamed"}), with_(b, other, model=one), options=QUICK).score == compared().score


def test_a_few_pairs_without_triangles_are_left_out_and_counted():
    (a, mine), (b, other) = states(), states(shift=1, seed=1)
    b = [np.concatenate([x[:60], y[60:]]) for x, y in zip(a, b, strict=True)]  # 60 items are in both
    found = radar.compare(a, b, target_labels=mine, source_labels=other, options=QUICK)
    assert found.dropped[0] == 0 and 0 < found.dropped[1] == 1500 - len(found.cross) and "pairs of target with source have no" in found.warnings[0]
    assert len(found.log_ratio) == len(found.cross_pairs) == len(found.cross)


# sources beside one another

def calibrated(sources, **options):
    a, mine = states(160)
    labels = {name: labels for name, (_, labels) in sources.items()}
    options = {"splits": 8, "blocks": 6, "options": Options(pairs=800, draws=800), **options}
    return list(radar.calibrate(a, {name: x for name, (x, _) in sources.items()}, target_labels=mine, source_labels=labels, **options))


SOURCES = {"far": states(100, shift=6, seed=1), "same": states(100, seed=2), "near": states(100, shift=1, seed=3)}


@pytest.fixture(scope="module")
def seen():
    told = []
    return calibrated(SOURCES, progress=lambda *step: told.append(step)), told


def test_it_is_streamed(seen):
    steps, told = seen
    assert len(steps) == 3 + 8 + 3 + 1 and [s.final for s in steps] == [False] * 14 + [True]
    assert [np.isfinite(s.scores).sum() for s in steps[:4]] == [1, 2, 3, 3] and np.isnan(steps[2].null).all()
    assert [np.isfinite(s.null).sum() for s in steps[3:12]] == [1, 2, 3, 4, 5, 6, 7, 8, 8]
    assert [np.isfinite(s.se).sum() for s in steps[10:]] == [0, 1, 2, 3, 3]
    done, total, _ = zip(*told, strict=True)
    assert done == tuple(range(len(told))) and set(total) == {len(told) - 1} == {3 + 8 * 4 + 3 * 6}
    assert all(s.verdict == "" and s.rank <= 3 for step in steps[:11] for s in step.sources.values())
    assert [s.verdict != "" for s in steps[11].sources.values()] == [True, False, False]


def test_ranks_and_verdicts(seen):
    final = seen[0][-1]
    assert [final.sources[name].rank for name in ("same", "near", "far")] == [1, 2, 3] and final.half == 80 and final.n.tolist() == [100] * 3
    assert final.sources["same"].verdict == "Good" and final.sources["far"].verdict == "Bad"
    assert list(final.table()["source"]) == ["same", "near", "far"] and json.dumps(final.manifest(), allow_nan=False)
    assert (np.diff(final.centroid[[1, 2, 0]]) > 0).all() and (np.diff(final.gauge[[1, 2, 0]]) > 0).all() and final.per_transition.shape == (3, 4)


def test_point_scores_are_those_of_a_comparison(seen):
    final, (a, mine) = seen[0][-1], states(160)
    for i, (name, (x, labels)) in enumerate(SOURCES.items()):
        found = radar.compare(a, x, target_labels=mine, source_labels=labels, options=Options(pairs=800, draws=800))
        assert (final.scores[i], final.errors[i]) == (found.score, found.mc_error) and (final.per_transition[i] == found.per_transition).all(), name


def test_a_source_comes_to_the_same_in_any_company(seen):
    final, alone = seen[0][-1], calibrated({"near": SOURCES["near"]})[-1]
    assert alone.sources["near"].matched.tolist() == final.sources["near"].matched.tolist() and (alone.null == final.null).all() and alone.se == final.se[2]


def test_the_interval_is_a_jackknife_over_blocks_of_items(seen):
    """By hand: leave out items, keep the pairs that touch none of them, fit again."""
    options, target, source = Options(pairs=800, draws=800), domain(*states(160), "target"), domain(*SOURCES["near"], "near")
    found = fitting.scored(*(fitting.part(x, list(target.layers), target.classes) for x in (target, source)), options)
    folds = [calibration._folds(np.random.default_rng([0, 4, i]), x, 6) for i, x in enumerate((target, source))]
    for fold, x in zip(folds, (target, source), strict=True):
        assert np.ptp(np.bincount(fold)) <= 1 and all(np.ptp(np.bincount(fold[x.labels == label])) <= 1 for label in range(CLASSES))
    scores = []
    for block in range(6):
        within = ~np.isin(found.within.pairs, np.flatnonzero(folds[0] == block)).any(axis=1)
        cross = ~np.isin(found.cross.pairs[:, 0], np.flatnonzero(folds[0] == block)) & ~np.isin(found.cross.pairs[:, 1], np.flatnonzero(folds[1] == block))
        assert 400 < within.sum() < 700
        scores.append(fitting.refitted(found, options, (within, cross)).score)
    items = 5 / 6 * ((scores - np.mean(scores))**2).sum()
    assert items / 2 <= seen[0][-1].se[2]**2 < items  # less what pairs add by themselves, which is in there twice


def test_the_interval_of_the_sinkhorn_divergence_keeps_its_draws():
    """Of rows that are drawn once some are left out: what is left makes the difference, not another draw."""
    rng = np.random.default_rng(0)
    x, y, kept = rng.normal(size=(400, 4)), rng.normal(size=(400, 4)) + 0.3, [np.arange(400) != 7, np.arange(400) != 11]
    whole, less = mixture.sinkhorn(x, y, points=100)[0], mixture.sinkhorn(x, y, points=100, kept=kept)[0]
    again = mixture.sinkhorn(x[kept[0]], y[kept[1]], points=100)[0]
    assert 0 < abs(less - whole) < 0.02 * whole or less == whole
    assert abs(less - whole) < abs(again - whole)
    assert mixture.sinkhorn(x[:90], y[:90], kept=[k[:90] for k in kept])[0] == mixture.sinkhorn(x[:90][kept[0][:90]], y[:90][kept[1][:90]])[0]


@pytest.mark.parametrize("shift", [0, 1])
def test_the_interval_is_about_as_wide_as_scores_of_fresh_data_vary(shift):
    options, scores, widths = Options(pairs=1000, draws=800, components=1), [], []
    for seed in range(24):
        (a, mine), (b, other) = states(seed=100 + seed), states(shift=shift, seed=200 + seed)
        final = list(radar.calibrate(a, {"b": b}, target_labels=mine, source_labels={"b": other}, splits=0, blocks=10 if seed < 8 else 0, options=options))[-1]
        scores.append(final.scores[0])
        widths.append(final.se[0])
    assert 0.6 < np.sqrt(np.nanmean(np.square(widths))) / np.std(scores) < 2.2


def test_items_are_drawn_in_proportion_to_their_classes():
    x, labels = states(100)[0], np.repeat([0, 1, 2], [60, 30, 10])
    order, folds = (draw(np.random.default_rng(0), domain(x, labels), *more) for draw, more in ((calibration._stratified, ()), (calibration._folds, (2,))))
    assert sorted(order) == list(range(100)) and np.bincount(folds).tolist() == [50, 50]
    for rows in (order[:50], order[50:], np.flatnonzero(folds == 0), order[folds[order] == 1]):
        np.testing.assert_allclose(np.bincount(labels[rows]), [30, 15, 5], atol=1)
    np.testing.assert_allclose(np.bincount(labels[order[folds[order] == 1][:20]]), [12, 6, 2], atol=2)


def test_fresh_halves_score_below_the_95_percent_quantile_of_the_null(seen):
    below = []
    for seed in (5, 6, 7):
        null, fresh = ([calibrated({"far": SOURCES["far"]}, options=Options(pairs=1200, draws=800, seed=s), blocks=0)[-1].null for s in (seed, seed + 100)])
        below.append((fresh < np.quantile(null, 0.95)).mean())
    assert np.mean(below) > 0.7 and min(below) > 0.4, below


def test_a_lone_terrible_source_is_not_called_good():
    only = calibrated({"far": SOURCES["far"]})[-1].sources["far"]
    assert only.rank == 1 and only.verdict == "Bad"


def test_a_source_of_few_items_is_judged_by_a_null_of_as_few_and_changes_no_other(seen):
    few = calibrated({**SOURCES, "few": states(30, seed=4)})[-1]
    assert few.half == 80 and few.halves.tolist() == [80, 80, 80, 30] and "few has 30 items, fewer than half of target" in few.warnings[0]
    assert (few.null == seen[0][-1].null).all() and (few.nulls[:3] == few.null).all() and few.nulls[3].mean() > few.null.mean()
    for name, alone in seen[0][-1].sources.items():
        mine = few.sources[name]
        assert (mine.verdict, mine.matched_interval, mine.band, mine.half) == (alone.verdict, alone.matched_interval, alone.band, 80)
    assert few.sources["few"].band[1] > few.band[1] and few.sources["few"].half == 30 and few.sources["few"].verdict == "Good"


def test_without_a_null_the_scores_remain(monkeypatch):
    x, labels = states(100, seed=2)

    def fails(*_):
        raise calibration.InputError("There is none.", "Do without.")
    monkeypatch.setattr(calibration._Run, "_null", fails)
    final = calibrated({"x": (x, labels)}, splits=3)[-1]
    assert np.isfinite(final.scores).all() and len(final.null) == 0 and final.nulls.shape == (1, 0) and np.isfinite(final.se).all()
    assert "no null: There is none. Do without." in final.warnings and final.sources["x"].verdict == "" and final.sources["x"].rank == 1


def test_without_an_interval_score_and_rank_remain(monkeypatch):
    def fails(*_):
        raise calibration.InputError("There are too few.", "Take more.")
    monkeypatch.setattr(calibration._Run, "_jackknife", fails)
    final = calibrated(SOURCES, splits=2)[-1]
    assert [s.rank for s in final.sources.values()] == [3, 1, 2] and np.isnan(final.se).all() and final.reasons == ("",) * 3
    assert "no interval of near: There are too few. Take more." in final.warnings


def test_what_a_comparison_remarks_a_calibration_remarks():
    (a, mine), (b, other) = states(160), states(100, seed=2)
    b = [np.concatenate([x[:50], y[50:]]) for x, y in zip(a, b, strict=True)]
    options = Options(pairs=800, draws=800)
    final = list(radar.calibrate(a, {"b": b, "c": b}, target_labels=mine, source_labels={"b": other}, splits=0, blocks=0, options=options))[-1]
    assert any("pairs of target with b have no triangle" in w for w in final.warnings) and any(w.startswith("c has no labels") for w in final.warnings)
    go = lambda labels: refused(lambda: list(radar.calibrate(a, {"b": b}, source_labels=labels)), "which no source is called")  # noqa: E731
    assert "of typo," in str(go({"typo": other})) and "the sources are b" in str(go(other))


def test_small_classes_do_not_always_part_alike():
    x = domain(states(60)[0], np.arange(60) // 2)
    halves = [tuple(calibration._folds(np.random.default_rng(seed), x, 4)[::2]) for seed in range(6)]
    assert len(set(halves)) == 6


def ranking(null, matched, se, **more):
    count = len(matched)
    blank = {name: np.full(count, np.nan) for name in ("errors", "centroid", "gauge", "borrowed")}
    blank["scores"] = np.array([m[0] if len(m) else 1 for m in matched], float)
    return radar.SourceRanking(tuple("abcdef"[:count]), null=np.array(null, float),
                               matched_scores=np.array(matched, float), se=np.array(se, float), per_transition=np.zeros((count, 1)), own=0.9, n_target=40,
                               n=np.full(count, 40), half=20, layers=("0", "1"), reasons=("",) * count, **{**blank, **more})


def test_the_verdict_is_against_the_null_alone():
    null = np.linspace(0, 1, 41)  # the band is .025 to .975
    found = ranking(null, [[0.5] * 41, [1.1] * 41, [2.0] * 41, [2.93] * 41, [3.2] * 41, [0.0] * 41], [0.01, 0.1, 0.1, 0.01, 0.1, 0.001])
    assert found.band == pytest.approx((0.025, 0.975))
    assert [s.verdict for s in found.sources.values()] == ["Good", "Good", "Mixed", "Mixed", "Bad", "Good"]
    assert found.sources["c"].matched_interval == pytest.approx((2 - 0.196, 2.196)) and found.sources["f"].interval[0] == 0
    assert ranking(null, [[0.5] * 41], [np.nan]).sources["a"].verdict == "" and ranking([np.nan, 1], [[1, np.nan]], [0.1]).sources["a"].verdict == ""
    assert ranking([], np.zeros((1, 0)), [0.1]).sources["a"].verdict == ""


def test_ranks_go_by_matched_means_whatever_the_scores_say():
    found = ranking([0.2, 0.4], [[5, 1], [2, 2.2], [9, 0]], [0.1] * 3, scores=np.array([1.0, 2, 3]))
    assert found.ranks.tolist() == [2, 1, 3] and list(found.table()["source"]) == ["b", "a", "c"]
    less = ranking([0.2, 0.4], [[5, 1], [2, 2.2], [9, 0]], [0.1] * 3, nulls=np.array([[0.2, 0.4], [0.2, 0.4], [3.2, 3.4]]), halves=[20, 20, 10])
    assert less.ranks.tolist() == [3, 2, 1]  # what fewer items alone add is taken off


@pytest.mark.parametrize(("borrowed", "warned"), [(0.75 * 0.9 - 1e-9, True), (0.75 * 0.9, False), (np.nan, False)])
def test_labels_are_lost_below_three_quarters_of_the_targets_own(borrowed, warned):
    near, unjudged, far = [0.5] * 41, [0.5] * 41, [9.0] * 41
    found = ranking(np.linspace(0, 1, 41), [near, unjudged, far], [0.01, np.nan, 0.01], borrowed=np.full(3, borrowed))
    assert [s.verdict for s in found.sources.values()] == ["Good", "", "Bad"] and found.contradicts.tolist() == [warned, warned, False]


def test_label_agreement_is_of_the_shared_classes_each_counting_the_same():
    rng, labels = np.random.default_rng(0), np.arange(300) % 10
    x = 6 * np.eye(10)[labels] + rng.normal(size=(300, 10))
    confused = x.copy()
    confused[labels > 1] = rng.normal(size=((labels > 1).sum(), 10)) - 9  # classes that the source does not have know nothing of one another
    target, source = (domain([values, values], of) for values, of in ((confused, labels), (x[labels < 2], labels[labels < 2])))
    own, borrowed = calibration._agreement(target, source)
    assert own > 0.95 and borrowed > 0.95
    rare = np.flatnonzero((labels == 0) | (labels == 1) & (np.arange(300) < 80))  # 30 and 8 items
    own, borrowed = calibration._agreement(target, domain([x[rare], x[rare]], labels[rare]))
    assert borrowed > 0.75 * own
    none = domain([x, x], labels + 20)
    assert np.isnan(calibration._agreement(target, none)).all() and np.isnan(calibration._agreement(target, domain([x, x]))).all()


def test_a_bad_source_does_not_sink_the_others():
    x, labels = states(100, seed=2)
    final = calibrated({"narrow": ([layer[:, :5] for layer in x], labels), "same": (x, labels), "short": ([layer[:9] for layer in x], labels[:9])})[-1]
    assert "5 in narrow" in final.reasons[0] and final.reasons[1] == "" and "9 items" in final.reasons[2] and final.half == 80
    assert [s.rank for s in final.sources.values()] == [0, 1, 0] and final.sources["same"].verdict == "Good" and final.sources["narrow"].verdict == ""
    assert list(final.table()["source"])[0] == "same"
    refused(lambda: calibrated({"narrow": ([layer[:, :5] for layer in x], labels)}), "No source could be scored", "5 in narrow")
    refused(lambda: calibrated({}), "no sources")
    refused(lambda: calibrated(SOURCES, splits=1), "splits is 1")


def test_a_small_source_is_met_on_its_terms():
    final = calibrated({"small": states(30, seed=4)}, splits=3, blocks=0)[-1]
    assert final.half == 80 and final.halves.tolist() == [30] and "small has 30 items" in final.warnings[0] and np.isnan(final.se).all()


def test_too_few_items_for_halves_give_scores_without_verdicts():
    a, labels = states(36)
    final = list(radar.calibrate(a, {"x": states(100, seed=2)[0]}, target_labels=labels, blocks=2, options=Options(pairs=800, draws=800)))[-1]
    assert np.isfinite(final.scores).all() and len(final.null) == 0 and final.half == 0 and "too few" in final.warnings[0] and final.sources["x"].rank == 1


def test_labels_that_say_something_else_are_told():
    x, labels = states(100, seed=2)
    final = calibrated({"same": (x, labels), "contradicting": (x, (labels + 1) % CLASSES), "unlabelled": (x, None)}, splits=4, blocks=2)[-1]
    assert final.own[:2].min() > 0.95 and np.isnan(final.own[2]) and final.borrowed[0] > 0.95 and final.borrowed[1] < 0.05 and np.isnan(final.borrowed[2])
    assert final.scores[0] == pytest.approx(final.scores[1], rel=0.5) and final.contradicts.tolist() == [False, True, False]


def test_results_are_kept_and_read_back(tmp_path, seen):
    store = Store(tmp_path)
    readings = radar.Readings(("one", "two"), ("a", "b"), np.array([[1, 2], [3, np.nan]]), {"two: b": "why"})
    domains = radar.Domains(("a", "b"), np.array([[np.nan, 2], [1, np.nan]]), np.zeros((2, 2)), {"b from a": "why"})
    for key, result in {"aa": compared(), "bb": seen[0][-1], "cc": seen[0][0], "dd": readings, "ee": domains}.items():
        store.put_result(key, result)
        back = store.result(key)
        assert type(back) is type(result) and json.dumps(back.manifest(), allow_nan=False) == json.dumps(result.manifest(), allow_nan=False)
        assert back.table().equals(result.table())
    assert readings.ranks()[0].tolist() == [1, 2] and np.isnan(readings.ranks()[1, 1]) and readings.reason("two", "b") == "why"
    assert domains.reason("b", "a") == "why" and domains.reason("a", "b") == "" and domains.table().loc["a", "b"] == 2


# the demo

@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """name of a domain -> what the demo's model makes of it."""
    pytest.importorskip("torch")
    model, kept, made = load_model("builtin:vit/seed0"), Store(tmp_path_factory.mktemp("store")), {}

    def represented(name):
        if name not in made:
            made[name] = extract(model, load_dataset(f"builtin:digits/{name}"), store=kept)
        return made[name]
    return represented


@pytest.mark.parametrize("kind", ["noise", "blur"])
def test_it_grows_with_the_severity(digits, kind):
    scores = [radar.compare(digits("handwritten"), digits(f"handwritten-{kind}-{level}")).score for level in range(1, 6)]
    assert scores == sorted(scores) and scores[-1] > 10 * scores[0]


def test_the_blind_spot_is_that_it_knows_no_labels(digits):
    """Digits that are turned, or mirrored, and keep their labels look closer than printed ones; only the labels themselves can tell."""
    sources = {name: digits(name) for name in ("handwritten-turned-180", "handwritten-mirrored", "handwritten-blur-1", "printed")}
    final = list(radar.calibrate(digits("handwritten"), sources, splits=4, blocks=5))[-1]
    turned, mirrored, _, printed = final.sources.values()
    assert max(turned.matched.max(), mirrored.matched.max()) < printed.matched.min()
    assert printed.verdict == "Bad" and turned.verdict in ("Good", "Mixed")
    assert final.borrowed[:2].max() < 0.5 < final.borrowed[3] < final.borrowed[2]
    assert final.contradicts[0] and not final.contradicts[2:].any()
