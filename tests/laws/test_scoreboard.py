"""The scoreboard puts every method beside the plain distance of centroids: over all targets, and over none that it does not know."""

import json

import numpy as np
import pytest

from analysis.metrics import scoreboard
from analysis.metrics.leaderboard import Leaderboard
from analysis.metrics.scoreboard import Scoreboard
from analysis.metrics.statistics import mci as mci_of
from analysis.store import Store
from tests.refusal import refused

pytest.importorskip("torch")
NAN = float("nan")
RHO = np.array([[-0.9, -0.5, -0.2], [-0.7, -0.6, NAN], [-0.8, 0.1, 0.3]])


def made(rho=RHO, centroid=1, **changes):
    suites = tuple(f"target {i}" for i in range(len(rho)))
    return Scoreboard(suites, ("RADAR", "Centroid distance", "LEEP"), ("published-method", "trivial", "score"), rho, centroid, np.full(len(rho), 7), **changes)


def board(seed, blends=7, scores=("radar", "centroid"), kind="sources"):
    rng = np.random.default_rng(seed)
    parts = tuple((f"s{i}",) for i in range(blends))
    directions = tuple(-1 if score != "leep" else 1 for score in scores)
    return Leaderboard(kind, "t", tuple(f"s{i}" for i in range(blends)), parts, scores, tuple(score.upper() for score in scores), directions,
                       tuple("trivial" if score == "centroid" else "score" for score in scores), rng.normal(size=(blends, len(scores))),
                       rng.normal(size=(blends, 3)), "gain")


def test_the_means_are_over_the_targets_that_are_known():
    found = made()
    np.testing.assert_allclose(found.mean(), [-0.8, -1 / 3, 0.05])
    np.testing.assert_allclose(found.mci(), [mci_of(RHO[:, 0], RHO[:, 1]), 0, mci_of(RHO[[0, 2], 2], RHO[[0, 2], 1])])
    assert list(found.targets()) == [3, 3, 2] and list(found.order()) == [0, 1, 2]


def test_an_interval_is_over_redrawn_targets():
    found = made()
    low, high = found.interval().T
    assert (low <= found.mci()).all() and (found.mci() <= high).all() and low[1] == high[1] == 0
    np.testing.assert_allclose(found.interval("spearman")[0], [-0.9, -0.7])  # of three targets one may be drawn three times
    np.testing.assert_array_equal(found.interval(seed=1), found.interval(seed=1))
    assert np.isnan(made(RHO[:1]).interval()).all()


def test_targets_of_a_suite_are_redrawn_together():
    rho = np.repeat([[-0.9, -0.5, 0.0], [0.3, -0.5, 0.0]], 6, axis=0)  # six targets that agree in each of two suites: two facts, not twelve
    named = lambda *suites: Scoreboard(tuple(f"{suites[i // 6]}: {i}" for i in range(12)), made().methods, made().kinds, rho, 1, np.full(12, 7))
    np.testing.assert_allclose(named("a", "b").interval("spearman")[0], [-0.9, 0.3])
    low, high = named("a", "a").interval("spearman")[0]
    assert -0.9 < low < high < 0.3


def test_a_manifest_can_be_read_again():
    for found in (made(), made(centroid=-1), made(RHO[:1], warnings=("few",), options={"seed": 0})):
        again = Scoreboard.read(json.loads(json.dumps(found.manifest())))
        assert again.manifest() == found.manifest() and again.suites == found.suites and again.centroid == found.centroid


def test_without_centroids_there_is_no_mci():
    found = made(centroid=-1)
    assert np.isnan(found.mci()).all() and list(found.order()) == [0, 1, 2] and found.manifest()["centroid"] is None


def test_leaderboards_come_together():
    boards = {"one (shifts)": board(0), "two (shifts)": board(1, scores=("radar", "centroid", "leep"))}
    found = scoreboard.gather(boards)
    assert found.suites == tuple(boards) and found.methods == ("RADAR", "CENTROID", "LEEP") and found.centroid == 1 and list(found.n_blends) == [7, 7]
    one, two = boards.values()
    assert found.spearman[0, 0] == pytest.approx(-one.correlation("radar", "spearman").value)
    assert found.spearman[1, 2] == pytest.approx(-two.correlation("leep", "spearman").value)
    assert np.isnan(found.spearman[0, 2]) and "not computed" in found.reason("one (shifts)", "LEEP")
    assert found.differences()[0, 0] == pytest.approx(one.mci("radar"))
    assert found.mci()[0] == pytest.approx((one.mci("radar") + two.mci("radar")) / 2)


def test_a_score_that_knows_fewer_blends_is_told():
    few = board(0)
    few.values[0, 0] = NAN
    found = scoreboard.gather({"t": few})
    assert found.warnings == ("RADAR on t: over 6 of 7 blends.",)


def test_too_few_blends_have_a_reason():
    found = scoreboard.gather({"t": board(0, blends=2)})
    assert np.isnan(found.spearman).all() and "2 pairs" in found.reason("t", "RADAR")


def test_the_table_has_the_best_on_top_and_a_column_per_target():
    told = made().table()
    assert list(told.method) == ["RADAR", "Centroid distance", "LEEP"] and list(told["target 0"]) == [-0.9, -0.5, -0.2]
    assert list(told.mci) == pytest.approx(list(made().mci()))


def test_results_are_stored_and_told(tmp_path):
    found, store = made(), Store(tmp_path)
    store.put_result("a1", found)
    again = store.result("a1")
    assert again.suites == found.suites and again.methods == found.methods and again.centroid == 1
    np.testing.assert_array_equal(again.spearman, RHO)
    told = json.loads(json.dumps(found.manifest(), allow_nan=False))
    assert told == again.manifest() and told["centroid"] == "Centroid distance" and told["spearman"][1][2] is None


def test_what_does_not_fit_is_refused():
    refused(lambda: made(RHO[:, :2]), "(3, 2)", "3 methods")
    refused(lambda: made(centroid=3), "3 methods")
    refused(lambda: Scoreboard(("t",), ("a",), ("silly",), np.zeros((1, 1)), -1, np.ones(1)), "silly")
    refused(lambda: made().interval("tau"), "tau", "mci")
    refused(lambda: scoreboard.gather({"t": board(0, kind="models")}), "t", "models")
