"""A leaderboard says how well each score orders what was measured, whichever way the score points, and nothing of what is not known."""

import dataclasses
import json

import numpy as np
import pytest

from analysis.metrics import gain, statistics
from analysis.metrics.leaderboard import Leaderboard
from analysis.store import Store
from tests.refusal import refused

pytest.importorskip("torch")
TRUTH = np.array([0.2, 0.9, 0.5, 0.7, 0.4, 0.6])


def board(truth=TRUTH, splits=4, **changes):
    """Three scores: the truth itself, its negative with lower being better, and one that knows nothing."""
    names, noise = tuple("abcdef"[:len(truth)]), np.array([3.0, 1.0, 2.0, 6.0, 5.0, 4.0])[:len(truth)]
    wobble = 0.01 * np.tile([-1.0, 1.0], splits // 2)
    given = {"kind": "models", "target": "digits", "names": names, "parts": ((),) * len(names), "scores": ("good", "lower", "noise"),
             "titles": ("Good", "Lower", "Noise"), "directions": (1, -1, 1), "kinds": ("score", "score", "trivial"),
             "values": np.stack([10 * truth, -truth**3, noise], axis=1), "truth": truth[:, None] + wobble, "truth_name": "accuracy"}
    return Leaderboard(**{**given, **changes})


def sources(**changes):
    parts = gain.blends("xyz")
    truth = np.array([0.1, -0.2, 0.05, 0.0, 0.08, -0.1, 0.02])
    values = np.stack([-truth, np.array([1.0, 5.0, 4.0, 3.0, 2.0, 7.0, 6.0])], axis=1)
    return Leaderboard(**{"kind": "sources", "target": "digits", "names": tuple(map(gain.title, parts)), "parts": parts, "scores": ("radar", "centroid"),
                          "titles": ("RADAR", "Centroid distance"), "directions": (-1, -1), "kinds": ("published-method", "trivial"), "values": values,
                          "truth": np.repeat(truth[:, None], 2, axis=1), "truth_name": "gain", **changes})


def without(found, *cells):
    values = found.values.copy()
    for cell in cells:
        values[cell] = np.nan
    return dataclasses.replace(found, values=values)


# how well a score orders the rows

@pytest.mark.parametrize("kind", ["kendall", "weighted kendall", "spearman"])
def test_what_orders_as_the_truth_does_agrees_wholly_whichever_way_it_points(kind):
    found = board()
    assert found.correlation("good", kind).value == found.correlation("lower", kind).value == pytest.approx(1)
    assert found.correlation("noise", kind).value == pytest.approx({"kendall": statistics.kendall, "weighted kendall": statistics.weighted_kendall,
                                                                    "spearman": statistics.spearman}[kind](found.column("noise"), TRUTH).value)
    np.testing.assert_allclose(found.oriented()[:, 1], TRUTH**3)


def test_a_correlation_is_over_the_rows_that_have_both():
    found = without(board(), (1, 0))
    truth = found.truth.copy()
    truth[3] = np.nan
    found = dataclasses.replace(found, truth=truth)
    assert found.correlation("good").n == 4 and found.correlation("lower").n == 5 and np.isnan(found.means()[3])
    assert found.correlation("good").value == pytest.approx(1)


def test_few_rows_say_that_an_interval_means_nothing():
    assert any("means nothing" in warning for warning in board(TRUTH[:3]).correlation("good").warnings)
    told = board(TRUTH[:2]).correlation("good")
    assert np.isnan(told.value) and "2 pairs" in told.reason


def test_the_pick_and_its_regret():
    found = board()
    assert found.pick("good") == found.pick("lower") == "b" and found.regret("good") == 0
    assert found.pick("noise") == "d" and found.regret("noise") == pytest.approx(0.9 - 0.7)


def test_shared_first_places_are_each_picked_alike():
    found = board(values=np.stack([np.ones(6), TRUTH, TRUTH], axis=1))
    assert found.picks("good") == found.names and found.pick("good") == "a" and found.regret("good") == pytest.approx(0.9 - TRUTH.mean())


def test_a_score_cannot_pick_what_it_does_not_know_and_still_pays_for_it():
    found = without(board(), (1, 0))
    assert found.pick("good") == "d" and found.regret("good") == pytest.approx(0.2)
    assert without(board(), *((i, 0) for i in range(6))).pick("good") == "" and np.isnan(without(board(), *((i, 0) for i in range(6))).regret("good"))


def test_the_regret_of_what_is_not_measured_is_not_known():
    truth = board().truth.copy()
    truth[1] = np.nan
    assert np.isnan(dataclasses.replace(board(), truth=truth).regret("good"))


def test_the_truth_has_an_interval_over_the_splits_that_are_done():
    found = board()
    assert found.truth_interval("b") == pytest.approx(statistics.mean_interval(found.truth[1]))
    truth = found.truth.copy()
    truth[1, 2:] = np.nan
    assert dataclasses.replace(found, truth=truth).truth_interval("b") == pytest.approx(statistics.mean_interval(found.truth[1, :2]))
    assert np.isnan(dataclasses.replace(found, truth=truth * np.nan).truth_interval("b")).all()


# sources

def test_mci_is_the_difference_of_spearmans_turned_so_that_higher_is_worse():
    found = sources()
    rho = statistics.spearman(found.column("centroid"), found.means()).value
    assert found.mci("radar") == pytest.approx(100 * (-1 - rho)) and found.mci("centroid") == 0
    assert found.mci("radar") < 0  # better than the centroids


def test_mci_is_over_the_blends_that_both_know():
    found = without(sources(), (0, 1), (3, 1))
    kept = [1, 2, 4, 5, 6]
    rho = statistics.spearman(found.column("centroid")[kept], found.means()[kept]).value
    assert found.mci("radar") == pytest.approx(100 * (-1 - rho))


def test_only_sources_have_an_mci():
    assert np.isnan(board().mci("good")) and board().centroid_score == "" and "mci" not in board().summary(resamples=50)
    assert sources().centroid_score == "centroid" and "mci" in sources().summary(resamples=50)
    assert sources().sources == ("x", "y", "z") and board().sources == ()


# what is said

def test_the_summary_has_a_line_per_score_and_the_best_on_top():
    told = board().summary(resamples=200)
    assert list(told.score) == ["good", "lower", "noise"] and list(told.tau[:2]) == pytest.approx([1, 1]) and list(told.n) == [6] * 3
    assert (told.low <= told.tau).all() and (told.tau <= told.high).all() and list(told.pick) == ["b", "b", "d"]
    one = board().correlation("noise", resamples=200)
    assert tuple(told.loc[2, ["tau", "low", "high", "null_sd"]]) == pytest.approx((one.value, one.low, one.high, one.null_sd))
    assert board(truth=TRUTH[:2]).summary().note.str.contains("2 pairs").all()


def test_the_table_has_the_truly_best_on_top():
    told = board().table()
    assert list(told.name) == list("bdfcea") and list(told.accuracy) == pytest.approx(sorted(TRUTH, reverse=True))
    assert list(told.Good) == pytest.approx(sorted(10 * TRUTH, reverse=True)) and (told.low < told.accuracy).all()


def test_nothing_known_is_said_as_such():
    found = dataclasses.replace(board(), values=np.full((6, 3), np.nan), truth=np.full((6, 0), np.nan), reasons={"a: good": "There is no head."})
    assert found.summary().tau.isna().all() and found.table().accuracy.isna().all() and found.pick("good") == ""
    assert found.reason("a", "good") == "There is no head." and found.reason("b", "good") == "" and found.seconds.shape == (6, 3)


@pytest.mark.parametrize("make", [board, sources])
def test_results_are_stored_and_told(tmp_path, make):
    found, store = without(make(), (0, 0)), Store(tmp_path)
    store.put_result("a1", found)
    again = store.result("a1")
    assert again.names == found.names and again.parts == found.parts and again.directions == found.directions
    np.testing.assert_array_equal(again.values, found.values)
    told = json.loads(json.dumps(found.manifest(), allow_nan=False))
    assert told["values"][0][0] is None and told["names"] == list(found.names) and told == again.manifest()


def test_what_does_not_fit_is_refused():
    refused(lambda: board(values=np.zeros((5, 3))), "6 rows", "(5, 3)")
    refused(lambda: board(truth=TRUTH, seconds=np.zeros((6, 2))), "6 rows")
    refused(lambda: board(kind="sauces"), "sauces", "models")
    refused(lambda: board(kinds=("score", "score", "silly")), "silly")
    refused(lambda: board(directions=(1, 0, 1)), "directions")
    refused(lambda: board(names=tuple("aacdef")), "named a")
    refused(lambda: board(titles=("A", "A", "B")), "named A")
    refused(lambda: board().correlation("best"), "best", "good")
    refused(lambda: board().correlation("good", "tau"), "tau", "kendall")
    refused(lambda: board().truth_interval("q"), "q", "a, b")
