"""The ranking page: models for a dataset, sources for a target, each score beside the truth; and the published tables, which are not ours."""

import numpy as np
import pytest

from analysis import load_dataset
from analysis.metrics.leaderboard import Leaderboard
from analysis.studies.scoreboard import runs, shipped
from tests.pages.test_cases import domain, put, told  # noqa: F401
from tests.pages.test_frame import opened, said
from tests.pages.test_persistence import figure, rested, taken

PAGE = "transfer/ranking.py"


@pytest.fixture
def small(store):
    """120 printed digits, and three models."""
    return {"target": "store:" + store.put_dataset(load_dataset("builtin:digits/printed?n=120")), "ranking_items": "50",
            "ranking_models": ["mlp/plain", "patches/plain", "conv/early"]}


def sources(put):  # noqa: F811
    ids = [put(name, *domain(i, turn=t), ids=tuple(f"{name}-{j}" for j in range(120))) for i, (name, t) in enumerate((("home", 0), ("near", 0), ("liar", 1)))]
    return {"model": ids[0], "sources": ids[1:], "ranking_view": "Sources", "ranking_budget": "20"}


def test_models_are_ranked_beside_the_truth(small):
    at = rested(opened(PAGE, **small))
    assert at.title[0].value == "Ranking" and "Which model should read" in told(at)
    rested(at.button(key="ranking-models-start").click().run())
    assert "is truly best: accuracy" in told(at) and "With fewer than 5 of them nothing is said" in told(at) and "3 models on printed" in told(at)
    assert "50 of 120 items" in told(at) and "10 splits" in told(at)
    lines = {t.get("name") for t in figure(at, "ranking-summary")["data"]}
    assert any("trivial" in (name or "") for name in lines)
    assert all(figure(at, key)["data"] for key in ("ranking-board", "ranking-against", "ranking-slopes", "ranking-heat"))
    scores = at.selectbox(key="ranking_score").options
    at.selectbox(key="ranking_score").set_value("leep").run()
    assert "LEEP" in told(at) and len(scores) > 12 and not at.exception


def test_fewer_than_two_models_are_no_ranking(small):
    at = opened(PAGE, **{**small, "ranking_models": "mlp/plain"})
    assert any("two models" in i.value for i in at.info)


def test_every_blend_has_its_gain_and_its_scores(put):  # noqa: F811
    at = rested(opened(PAGE, **sources(put)))
    assert "What each blend does" in told(at) and figure(at, "ranking-blends")["data"]
    rested(at.button(key="ranking-sources-start").click().run())
    assert "of 3 blends hurt" in told(at) and "With fewer than 5 of them nothing is said" in told(at) and figure(at, "ranking-summary")["data"]
    place = next(i for i, score in enumerate(at.selectbox(key="ranking_score").options) if score == "RADAR")
    taken(at, "ranking-summary", (place,))
    assert at.selectbox(key="ranking_score").value == "radar" and "RADAR" in told(at)


def test_switches_of_the_scores_are_in_the_address(put):  # noqa: F811
    at = rested(opened(PAGE, **sources(put), ranking_readings="plain uniform pairs", ranking_known="target", ranking_logme="as published",
                       ranking_score="LEEP"))
    rested(at.button(key="ranking-sources-start").click().run())
    titles = at.selectbox(key="ranking_score").options
    assert "RADAR, plain uniform pairs" in titles and "LogME, as published" in titles and not at.exception
    assert "At chance: " in told(at)


def test_seven_sources_are_too_many_blends(put):  # noqa: F811
    ids = [put(f"d{i}", *domain(i, n=30)) for i in range(8)]
    at = opened(PAGE, model=ids[0], sources=ids[1:], ranking_view="Sources")
    assert any("127" in i.value for i in at.info) and not at.exception


def test_sources_without_labels_are_refused_with_the_reason(put):  # noqa: F811
    ids = [put("bare", domain(0)[0]), put("other", *domain(1))]
    at = rested(opened(PAGE, model=ids[0], sources=ids[1:], ranking_view="Sources"))
    assert "labels" in said(at) and not at.exception


def test_nothing_extracted_yet_offers_to_do_it():
    opened(PAGE, model="raw", target="shapes/circle", sources="shapes/two-circles", ranking_view="Sources").button(key="ranking-extract-start")


def test_published_tables_are_marked_as_published():
    at = opened(PAGE, ranking_view="Published")
    assert "None of it is ours" in told(at) and "PR 0.66" in told(at)
    at.selectbox(key="ranking_table").set_value("RADAR: MCI on images").run()
    assert "RADAR −10.53" in told(at) and len(figure(at, "ranking-published")["data"]) >= 2
    assert np.isfinite(figure(at, "ranking-published")["layout"]["height"])


def test_the_scoreboard_says_what_it_would_take_and_shows_what_is_there(store):
    at = opened(PAGE, ranking_view="Scoreboard", ranking_numbers="Computed here")
    assert "Does any score order the sources" in told(at) and any("23 targets" in t.label or "of 23" in t.label for t in at.toggle)
    assert not at.get("plotly_chart") and not at.exception


def test_the_scoreboard_that_is_shipped_is_dated_and_whole():
    found, made = shipped()
    assert set(found.suites) == set(runs({})) and np.isfinite(found.mean()).sum() > 20 and "python -m analysis scoreboard" in made["command"]
    at = opened(PAGE, ranking_view="Scoreboard")
    assert "Over 23 targets" in told(at) and made["date"] in told(at) and figure(at, "ranking-scoreboard")["data"] and not at.exception


def test_a_summary_belongs_to_its_numbers_and_not_to_the_object_that_held_them():
    from pages.parts.ranking.board import _summary
    values, truth = np.arange(6.0).reshape(-1, 1), np.arange(6.0).reshape(-1, 1) + np.zeros((6, 2))
    board = lambda of: Leaderboard("models", "digits", tuple("abcdef"), ((),) * 6, ("logme",), ("LogME",), (1,), ("score",), of, truth, "accuracy")  # noqa: E731
    taus = [_summary(board(of))["tau"][0] for of in (values, -values) * 3]  # each is gone before the next is made
    assert taus == [1.0, -1.0] * 3
