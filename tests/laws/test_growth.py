"""What results of growth say: sizes at other settings, correlations with the gain, and a verdict that knows when there is nothing to say."""

import json

import numpy as np
import pytest

from analysis.metrics import growth, minima
from analysis.metrics.growth import BASE, PARTS, Growth
from tests.refusal import refused

K, EPSILONS = 4, (0.05, 0.1, 0.2)


def distances_of(points: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points[:, None] - points[None], axis=2)


def barriers_of(rng, k: int = K) -> np.ndarray:
    drawn = np.triu(rng.uniform(0, 0.2, (k, k)), 1)
    return drawn + drawn.T


def made(n: int = 13, *, noise: float = 0.0, spread: float = 0.1, seeds: int = 4, follows: str = "", seed: int = 0, **more) -> Growth:
    """A base and n expansions. follows: what the gain is a rising function of."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(n + 1, K, 6)) * np.linspace(1, 3, n + 1)[:, None, None]
    distances = np.array([[distances_of(p) / 2, distances_of(p)] for p in points])
    barriers = np.array([[b, b] for b in (barriers_of(rng) for _ in range(n + 1))])
    parameters = np.r_[100.0, rng.permutation(np.linspace(150, 900, n))]
    gains = rng.permutation(np.linspace(0, spread, n))
    if follows == "parameters":
        gains = (parameters[1:] - 150) / 750 * spread
    if follows == "distance":
        apart = np.array([minima.size(p, barriers=b[-1], epsilon=0.1).distance for p, b in zip(points[1:], barriers[1:], strict=True)])
        gains = spread * (np.argsort(np.argsort(apart))) / n
    accuracy = 0.5 + np.r_[0, gains][:, None] + noise * rng.normal(size=(n + 1, seeds)) * (np.arange(n + 1) > 0)[:, None]
    given = {"base": "a base", "data": "data", "names": (BASE, *(f"c{i}" for i in range(n))),
             "families": (BASE, *(growth.FAMILIES[i % 2] for i in range(n))), "changes": ((),) * (n + 1), "parameters": parameters, "check": np.zeros(n + 1),
             "lengths": (10, 20), "distances": distances, "barriers": barriers, "losses": np.zeros((n + 1, 2, K)), "starts": np.full(n + 1, 0.01),
             "epsilon": 0.1, "epsilons": EPSILONS,
             "radius": rng.uniform(1, 2, (n + 1, 3, 5)), "proxies": ("params", "flat"), "titles": ("Parameters", "Flat"), "directions": (1, -1),
             "values": np.stack([parameters, np.ones(n + 1)], axis=1), "accuracy": accuracy, "start": 0.4, "seconds": np.ones((n + 1, len(PARTS))),
             "proxy_seconds": np.full((n + 1, 2), 0.5), "steps": (20, 50), "done": True}
    return Growth(**{**given, **more})


def test_a_size_at_another_epsilon_is_that_size_computed_anew():
    found, rng = made(), np.random.default_rng(0)
    points = rng.normal(size=(14, K, 6)) * np.linspace(1, 3, 14)[:, None, None]
    for epsilon in (0.05, 0.12):
        for row in (0, 5, 13):
            anew = minima.size(points[row], barriers=found.barriers[row, -1], epsilon=epsilon)
            for name in ("distance", "diameter", "connected", "volume"):
                np.testing.assert_allclose(found.metric(name, epsilon=epsilon)[row], getattr(anew, name), rtol=1e-9)
            np.testing.assert_allclose(found.metric("per_root", epsilon=epsilon)[row], anew.distance / np.sqrt(found.parameters[row]), rtol=1e-9)


def test_the_first_branches_alone_and_fewer_steps():
    found = made()
    few = minima.size(np.random.default_rng(0).normal(size=(14, K, 6))[0], barriers=found.barriers[0, -1], epsilon=9.0)
    assert found.metric("diameter", epsilon=9.0)[0] == pytest.approx(few.diameter)
    two = found.metric("distance", epsilon=9.0, branches=2)
    np.testing.assert_allclose(two, found.distances[:, -1, 0, 1])
    np.testing.assert_allclose(found.metric("distance", epsilon=9.0, steps=10), found.metric("distance", epsilon=9.0) / 2)
    refused(lambda: found.metric("distance", branches=9), "9 of 4 branches")
    refused(lambda: found.metric("distance", steps=11), "11 steps", "10, 20")


def test_a_branch_that_diverged_is_left_out():
    found = made()
    for values in (found.distances, found.barriers):
        values[3, :, 1], values[3, :, :, 1] = np.nan, np.nan
    kept = [0, 2, 3]
    expected = found.distances[3, -1][np.ix_(kept, kept)][np.triu_indices(3, 1)].mean()
    assert found.metric("distance", epsilon=9.0)[3] == pytest.approx(expected)
    found.distances[3], found.barriers[3] = np.nan, np.nan
    assert np.isnan(found.metric("distance")[3]) and found.correlation("distance").n == 12


def test_a_branch_that_ends_above_its_start_is_no_minimum_of_that_valley():
    found = made()
    found.losses[3, :, 1], found.losses[4, -1] = 0.01 + 0.15, 5.0
    kept = [0, 2, 3]
    expected = found.distances[3, -1][np.ix_(kept, kept)][np.triu_indices(3, 1)].mean()
    assert found.rested()[3].tolist() == [True, False, True, True] and not found.rested()[4].any()
    loose = made(barriers=0 * found.barriers, losses=found.losses)
    assert loose.metric("distance")[3] == pytest.approx(expected) and loose.metric("connected")[3] == 1
    assert loose.metric("distance", epsilon=0.2)[3] == pytest.approx(found.distances[3, -1][np.triu_indices(K, 1)].mean())  # 0.15 is within that
    assert np.isnan(loose.metric("distance")[4]) and np.isfinite(loose.metric("distance", steps=10)[4]) and loose.correlation("distance").n == 12
    assert list(loose.table()["branches left out"])[2:6] == ["", "1", "0, 1, 2, 3", ""]
    np.testing.assert_allclose(loose.spread("distance")[3], [found.distances[3, -1][np.ix_(kept, kept)][np.triu_indices(3, 1)].min(),
                                                            found.distances[3, -1][np.ix_(kept, kept)].max()])


def test_why_there_is_no_volume_is_that_of_each_candidate():
    found = made(barriers=np.zeros((14, 2, K, K)))
    found.losses[1, -1, 2:], found.losses[2, -1, 1:] = 5.0, 5.0
    found.barriers[3] = 9.0 * (1 - np.eye(K))
    whys = found.whys()
    assert whys[0] == "" and whys[1].startswith("There are two minima") and "3 of 4 end more than ε = 0.1 above their start" in whys[2]
    assert whys[3].startswith("No two minima are connected") and found.whys(epsilon=9.0)[3] == "" and not any(found.whys(steps=10)[:3])
    assert [bool(why) for why in whys] == (~np.isfinite(found.metric("volume"))).tolist()


def test_fewer_than_six_expansions_have_no_correlation():
    for n in (3, 5):
        few = made(n, follows="parameters")
        for c in (few.correlation("params"), few.partial("params"), few.at_equal_parameters("params")):
            assert np.isnan(c.value) and np.isnan(c.low) and "too few" in c.reason
        assert few.summary(resamples=50)["tau"].isna().all() and all(np.isnan(moved.with_gain).all() for moved in few.robust().values())
    assert np.isfinite(made(6, follows="parameters").correlation("params").value)


def test_the_spread_of_the_radius_is_its_interval_over_directions():
    found = made()
    mean, low, high = growth.mean_interval(found.radius[2, 1])
    np.testing.assert_allclose([found.metric("radius")[2], *found.spread("radius")[2]], [mean, low, high])
    assert np.isnan(found.spread("params")).all() and {"Radius low", "Distance largest"} <= set(found.table())


def test_the_radius_is_known_where_it_was_measured():
    found = made()
    np.testing.assert_allclose(found.metric("radius"), found.radius[:, 1].mean(axis=1))
    np.testing.assert_allclose(found.metric("radius", epsilon=0.2), found.radius[:, 2].mean(axis=1))
    assert np.isnan(found.metric("radius", epsilon=0.15)).all()


def test_correlations_by_hand():
    found = made(noise=0.02)
    x, y, given = found.metric("distance")[1:], found.gains()[1:], np.log(found.parameters[1:])
    assert found.correlation("distance", "pearson").value == pytest.approx(np.corrcoef(x, y)[0, 1])
    rank = lambda v: np.argsort(np.argsort(v))  # noqa: E731
    assert found.correlation("distance", "spearman").value == pytest.approx(np.corrcoef(rank(x), rank(y))[0, 1])
    pairs = [np.sign(x[i] - x[j]) * np.sign(y[i] - y[j]) for i in range(13) for j in range(i)]
    assert found.correlation("distance").value == pytest.approx(np.mean(pairs))
    design = np.stack([np.ones(13), given], axis=1)
    left = [v - design @ np.linalg.lstsq(design, v, rcond=None)[0] for v in (x, y)]
    assert found.partial("distance").value == pytest.approx(np.corrcoef(*left)[0, 1])


def test_the_base_is_in_no_ranking():
    found = made()
    found.values[0, 0] = 1e6
    assert found.correlation("params").n == 13 and found.pick("params") == found.names[1 + int(found.parameters[1:].argmax())]
    assert found.correlation("params", family="width").n == 7 and found.gains()[0] == 0
    refused(lambda: found.correlation("params", family="base"), "no family")


def test_regret_is_what_the_pick_misses():
    found = made(follows="parameters")
    assert found.regret("params") == pytest.approx(0)
    assert found.regret("flat") == pytest.approx(found.gains()[1:].max() - found.gains()[1:].mean())
    assert len(found.picks("flat")) == 13


def test_rounding_ranks_nothing():
    found = made()
    found.values[:, 1] = 3744.9522 + 1e-4 * np.random.default_rng(0).normal(size=14)
    assert "same of all expansions: it depends on the function alone" in found.correlation("flat").reason
    assert "ranks nothing here. It is the same" in found.verdict("flat")


def test_groups_have_equal_numbers_of_parameters():
    found = made(parameters=np.array([100.0, 200, 202, 300, 315, 330, 400, 500, 600, 700, 800, 900, 910, 2000]))
    assert found.groups() == ((1, 2), (3, 4), (11, 12))
    x, y = found.metric("distance"), found.gains()
    centred = [np.concatenate([v[list(g)] - v[list(g)].mean() for g in found.groups()]) for v in (x, y)]
    assert found.at_equal_parameters("distance").value == pytest.approx(np.corrcoef(*centred)[0, 1])
    alone = made(parameters=np.r_[100.0, 200 * 1.2 ** np.arange(13)])
    assert alone.groups() == () and np.isnan(alone.at_equal_parameters("distance").value) and alone.at_equal_parameters("distance").reason


@pytest.mark.parametrize("n", [2, 3])
def test_few_candidates_are_too_few(n):
    assert made(n).verdict().startswith(f"Too few expansions ({n})")


def test_verdicts():
    assert "Still measuring" in made(done=False).verdict()
    assert "do not differ enough" in made(noise=0.5, spread=0.01).verdict()
    assert "one seed tells nothing" in made(seeds=1).verdict()
    against = made(seed=3)
    assert against.verdict().startswith("The data do not support a ranking by distance: it may as well") and "holds 0" in against.verdict()
    good = made(follows="distance", seed=1)
    assert good.verdict().startswith("Distance goes with the gain, ") and "Given the logarithm of that number: Pearson" in good.verdict()
    assert good.verdict() == f"{good.lead()} {good.evidence()}" and good.lead().count(".") == 1 and "Within families" in good.within()
    worse = made(follows="parameters", values=-made(follows="parameters").values)
    assert "wrong way round" in worse.verdict("params")
    assert made(done=False).lead(stopped=True) == "Stopped after 13 of 13 expansions: that is too early to say anything."


def test_the_verdict_gives_the_correlation_at_equal_parameters():
    found = made(parameters=np.array([100.0, 200, 202, 300, 315, 310, 400, 401, 600, 605, 800, 900, 910, 2000]), follows="distance", seed=1)
    equal = found.at_equal_parameters("distance")
    assert f"At equal parameters, which is what is published: Pearson's r is {growth._said(equal)} over {equal.n}" in found.verdict()
    assert "published: 0 expansions are too few" in made(follows="distance", seed=1, parameters=np.r_[100.0, 200 * 1.2 ** np.arange(13)]).verdict()


def test_what_moves_the_ranking():
    moved = made().robust()
    assert set(moved) == {"epsilon", "branches", "steps"} and moved["branches"].values == (2, 3, 4)
    for each in moved.values():
        assert each.with_default[each.values.index(each.usual)] == pytest.approx(1)
    for there, c in zip(moved["epsilon"].values, moved["epsilon"].gains, strict=True):
        assert c == made().correlation("distance", epsilon=there) and c.low <= c.value <= c.high and c.n == 13
    assert list(moved["epsilon"].table()["expansions"]) == [13] * 3
    assert set(made().robust("radius")) == {"epsilon"}
    refused(lambda: made().robust("params"), "depends on none")


def test_it_says_whose_estimators_they_are():
    found = made()
    assert "ours" in found.notes[0] and "ours" in growth.__doc__
    board = found.summary(resamples=50)
    assert board.set_index("name")["ours"].to_dict()["distance"] and not board.set_index("name")["ours"].to_dict()["params"]
    assert found.cost("distance") == (2.0, 80) and found.cost("params") == (0.5, 0)


def test_tables_and_manifests_are_plain():
    found = made()
    assert len(found.table()) == 14
    told = json.loads(json.dumps(found.manifest(), allow_nan=False))
    assert told["verdict"] == found.verdict() and told["final"]


def test_shapes_that_do_not_fit_are_told():
    refused(lambda: made(check=np.zeros(3)), "check", "(3,)")
    refused(lambda: made(families=("width",) * 14), "base first")
    refused(lambda: made().metric("nothing"), "no metric", "distance")
