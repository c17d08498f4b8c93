import numpy as np
import pytest

from analysis.data import catalogue
from analysis.errors import Cancelled
from analysis.metrics.radar import READINGS
from analysis.metrics.scoreboard import gather
from analysis.models import catalogue as models
from analysis.studies import ranking
from analysis.studies import scoreboard as studies
from tests.refusal import refused
from tests.told import Told

BLOBS = tuple(f"builtin:shapes/blobs?n=60&seed={seed}&spread=0.{5 + seed}" for seed in range(4))
FEW = {"budget": 8, "seeds": 2, "radar": {"pairs": 100, "draws": 100}}


@pytest.fixture
def blobs(monkeypatch):
    """Two suites of noisier and noisier blobs in the place of the built-in ones."""
    monkeypatch.setattr(studies, "SUITES", {"blobs": studies.Suite("builtin:raw", BLOBS, 2), "others": studies.Suite("builtin:raw", BLOBS[1:], 1)})


def scored(ctx=None, boards=None, **options) -> list:
    return list(studies.scoreboard({"boards": boards} if boards else {}, {**FEW, **options}, ctx or Told()))


def test_every_built_in_suite_names_what_there_is():
    known = {entry.id for entry in (*catalogue(), *models())}
    assert {"graded noise", "label contradiction", "review domains", "languages"} <= set(studies.SUITES)
    for suite in studies.SUITES.values():
        assert {suite.model, *suite.domains} <= known and 1 <= suite.targets <= len(suite.domains)
        assert len(set(suite.domains)) == len(suite.domains) <= 5  # 4 sources have 15 blends


def test_every_target_is_a_run_with_all_others_as_sources():
    found = studies.runs({"suites": ["review domains", "graded blur"]})
    assert list(found)[:2] == ["review domains: film", "review domains: book"] and len(found) == 6
    assert found["review domains: book"].sources == tuple(f"builtin:reviews/{d}" for d in ("film", "restaurant", "phone", "hotel"))
    assert found["graded blur: handwritten"].options["readings"] == list(READINGS) and found["graded blur: handwritten"].options["radar"]["pairs"] == 2000
    assert len(studies.runs({})) == sum(suite.targets for suite in studies.SUITES.values())
    assert studies.runs({"radar": {"pairs": 500, "seed": 3}, "budget": 20})["languages: restaurant-de"].options["radar"] == {"pairs": 500, "seed": 3}


def test_suites_that_are_not_there_are_refused():
    refused(lambda: studies.runs({"suites": ["moons"]}), "'moons'", "languages")
    refused(lambda: studies.runs({"suites": []}), "No suite")
    refused(lambda: scored(boards={"moons": None}), "'moons'", "languages: restaurant")


def test_the_scoreboard_is_all_runs_gathered(blobs, store):
    partials = scored()
    names = list(studies.runs(FEW))
    assert [found.suites for found in partials] == [tuple(names[:i]) for i in (1, 2, 3)]
    last = partials[-1]
    assert last.n_blends.tolist() == [7, 7, 3] and last.methods[last.centroid] == "Centroid distance"
    assert last.options["suites"] == ["blobs", "others"] and last.options["budget"] == 8
    radar = [i for i, method in enumerate(last.methods) if method.startswith("RADAR")]
    assert len(radar) == len(READINGS) and np.isnan(last.spearman[:, radar]).all()  # pixels are one layer
    assert all(last.reason(names[0], last.methods[i]) for i in radar)
    assert np.isfinite(last.spearman[:2, last.centroid]).all() and last.mci()[last.centroid] == 0
    store.put_result("a", last)
    assert store.result("a").manifest() == last.manifest()


def test_runs_that_are_there_are_not_repeated(blobs, monkeypatch):
    runs = studies.runs(FEW)
    from analysis import load_dataset, load_model
    boards = {}
    for name, run in runs.items():
        model = load_model(run.model)
        target, *others = ({"model": model, "dataset": load_dataset(domain)} for domain in (run.target, *run.sources))
        *_, boards[name] = ranking.sources({"target": target, "sources": others}, run.options, Told())
    fresh = scored()[-1]
    monkeypatch.setattr(studies, "_ranked", lambda *_: pytest.fail("it was there"))
    found = scored(boards=boards)[-1]
    np.testing.assert_array_equal(found.spearman, fresh.spearman)
    assert found.manifest() == gather(boards, options=found.options).manifest()


@pytest.mark.parametrize("at", ["blobs: blobs?n=60&seed=0&spread=0.5", "others: ", "split 2"])
def test_a_cancel_is_heard(blobs, at):
    with pytest.raises(Cancelled):
        scored(Told(cancel_at=at))
