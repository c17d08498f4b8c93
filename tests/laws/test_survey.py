import json
import time
from dataclasses import replace

import numpy as np
import pytest

from analysis import Dataset, Model, Representation, engine
from analysis.engine import Ref
from analysis.errors import Cancelled
from analysis.metrics import persistence
from analysis.metrics.survey import Distances, Finding, Survey, gather
from analysis.studies import persistence as studies
from analysis.studies.extraction import extraction
from tests.refusal import refused

SMALL = {"blocks": 4, "shuffles": 3, "max_points": 25}


class Told:
    """A context that remembers what it was told, and cancels when asked to."""

    def __init__(self, cancel_at: str = "never"):
        self.notes, self.cancel_at = [], cancel_at

    def progress(self, done, total, note=""):
        self.notes.append(note)
        if self.cancel_at in note:
            raise Cancelled


@pytest.fixture(scope="module")
def clouds() -> Representation:
    """Four clusters, a circle, noise."""
    rng = np.random.default_rng(3)
    angle = rng.uniform(0, 2 * np.pi, 40)
    return Representation({"clusters": 8 * np.eye(4)[np.arange(40) % 4] + rng.normal(size=(40, 4)),
                           "circle": np.stack([np.cos(angle), np.sin(angle)], axis=1) + 0.05 * rng.normal(size=(40, 2)),
                           "noise": rng.normal(size=(40, 6))})


def parts(entries, ctx=None, **options) -> list[Survey]:
    return list(studies.survey({"entries": entries}, {**SMALL, **options}, ctx or Told()))


def of_layers(r, **options) -> Survey:
    return parts([{"representation": r}] * len(r.layers), layers=list(r.layers), names=[f"layer {name}" for name in r.layers], **options)[-1]


def apart(found: Survey, **options) -> Distances:
    *_, last = studies.distances({"survey": found}, options, Told())
    return last


def same(a, b) -> None:
    """Every field of two results is equal."""
    for name, value in vars(a).items():
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(value, getattr(b, name), err_msg=name)
        else:
            assert value == getattr(b, name), name


# what a survey holds

def test_an_entry_is_what_the_metrics_say_of_its_layer(clouds):
    found = of_layers(clouds)
    assert found.layers == tuple(clouds.layers) and found.widths == (4, 2, 6) and found.n == found.of == (40, 40, 40)
    for i, x in enumerate(clouds.layers.values()):
        alone, diagrams = persistence.profile(x, blocks=4, shuffles=3, halves=0, boxes=0), persistence.diagrams(x, max_points=25)
        ours = found.profile(i)
        for name in ("deaths", "resampled", "shuffled"):
            np.testing.assert_array_equal(getattr(ours, name), getattr(alone, name))
        assert (ours.spread, ours.of, ours.options) == (alone.spread, alone.of, alone.options)
        np.testing.assert_array_equal(found.bars(i, 0)[:, 1], alone.deaths)
        np.testing.assert_array_equal(found.bars(i, 1), diagrams.h1)
        assert found.covering[i] == diagrams.covering_radius > 0
        assert found.loops()[i] == pytest.approx(diagrams.total(1))
        assert found.groups[i] == persistence.pieces(alone.tree()).groups


def test_any_number_of_classes_can_be_asked_of_it(clouds):
    found = of_layers(clouds)
    for k in (2, 3, 4, 10, 39):
        ratios = found.ratios(k)
        for i, x in enumerate(clouds.layers.values()):
            profile = persistence.profile(x, blocks=4, shuffles=3, halves=0, boxes=0)
            assert ratios["value"][i] == pytest.approx(persistence.ratio(x, k).ratio, rel=1e-12)
            np.testing.assert_allclose([ratios["low"][i], ratios["high"][i]], profile.interval(k), rtol=1e-9)
            np.testing.assert_allclose([ratios[name][i] for name in ("chance", "chance_low", "chance_high")], profile.chance(k), rtol=1e-12)
    np.testing.assert_array_equal(found.ratios([2, 3, 4])["value"], [found.ratios(k)["value"][i] for i, k in enumerate((2, 3, 4))])
    refused(lambda: found.ratios([2, 3]), "2 numbers of classes", "3 entries")


@pytest.mark.parametrize("k", [0, 1, 40, 41, 1000])
def test_a_number_of_classes_without_a_ratio_is_nan_with_a_reason(clouds, k):
    found = of_layers(clouds)
    assert all(np.isnan(v).all() for v in found.ratios(k).values())
    assert found.why(k) == tuple(persistence.ratio(x, k).reason for x in clouds.layers.values()) and all(found.why(k))


def test_rotating_moving_and_reordering_change_nothing_that_is_measured(clouds):
    rng = np.random.default_rng(0)
    x = clouds.layers["noise"].astype(float)
    turn = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    moved = Representation({"as it is": x, "turned": x @ turn + 3, "reordered": x[rng.permutation(40)]})
    found = of_layers(moved, max_points=40)
    for i in (1, 2):
        np.testing.assert_allclose(found.deaths[i], found.deaths[0], atol=1e-5)
        np.testing.assert_allclose(np.sort(found.bars(i, 1), axis=0), np.sort(found.bars(0, 1), axis=0), atol=1e-5)
    for each in (found.spread, found.loops(), found.ratios(4)["value"], found.groups):
        np.testing.assert_allclose(each, each[0], rtol=1e-4)


def test_scaling_a_cloud_scales_its_loops_but_not_the_relative_ones(clouds):
    x = clouds.layers["circle"]
    found = of_layers(Representation({"small": x, "large": 64 * x}))
    assert found.loops()[1] == pytest.approx(64 * found.loops()[0], rel=1e-5)
    assert found.loops(relative=True)[1] == pytest.approx(found.loops(relative=True)[0], rel=1e-5)
    assert found.ratios(4)["value"][1] == pytest.approx(found.ratios(4)["value"][0], rel=1e-6)


def test_entries_of_different_sizes_stand_side_by_side(clouds):
    x = clouds.layers["noise"]
    few = Representation({"few": x[:7]})
    found = parts([{"representation": few}, {"representation": clouds}], layers=["few", "noise"])[-1]
    assert found.n == (7, 40) and len(found.profile(0).deaths) == 6
    same(found.profile(0), parts([{"representation": few}])[-1].profile(0))
    assert np.isnan(found.ratios(10)["value"]).tolist() == [True, False]


def test_an_entry_of_which_only_subsets_were_used_says_so(clouds):
    x = clouds.layers["noise"]
    sampled = persistence.profile(x, shuffles=3, halves=0, boxes=0, limit=20)
    whole = persistence.profile(x, shuffles=3, halves=0, boxes=0)
    found = gather([Finding("whole", "noise", 6, whole), Finding("sampled", "noise", 6, sampled)], {"loops": False})
    assert found.n == (40, 20) and found.of == (40, 40)
    np.testing.assert_array_equal(found.profile(1).resampled, sampled.resampled)
    assert found.ratios(3)["value"][1] == sampled.ratio(3).ratio


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_clouds_without_a_shape_are_entries_like_any_other(clouds):
    shapeless = [np.full((12, 3), 0.1), np.repeat(clouds.layers["noise"][:2], 6, axis=0), clouds.layers["noise"][:2], clouds.layers["noise"][:12, :1]]
    found = parts([{"representation": Representation({"x": x})} for x in shapeless])[-1]
    assert found.reasons == ("",) * 4 and np.isnan(found.ratios(2)["value"]).tolist() == [True, False, True, False]
    assert found.loops().tolist() == [0] * 4 and found.groups[:3].tolist() == [1, 2, 1]
    assert "lie on one another" in found.why(2)[0] and "2 points" in found.why(2)[2]


# how it is computed

def test_partials_are_the_beginning_of_the_whole(clouds):
    seen = parts([{"representation": clouds}] * 3, layers=list(clouds.layers))
    assert [len(s) for s in seen] == [1, 2, 3]
    whole = seen[-1]
    for partial in seen:
        for i in range(len(partial)):
            same(partial.profile(i), whole.profile(i))
            np.testing.assert_array_equal(partial.bars(i, 1), whole.bars(i, 1))
    same(seen[0], parts([{"representation": clouds}], layers=["clusters"])[-1])


def test_an_entry_that_fails_carries_its_reason_and_the_others_live_on(clouds):
    texts = Model.wrap(_net(), preprocess=str, head="output", name="reader", modality="text")
    pictures = Dataset(np.zeros((4, 8, 8, 3), np.uint8), name="pictures")
    seen = parts([{"representation": clouds}, {"representation": clouds}, {"model": texts, "dataset": pictures}, {"representation": clouds}],
                 layers=["circle", "nowhere", "", ""], names=["a", "b", "c", "d"])
    found = seen[-1]
    assert len(seen) == 4 and [bool(reason) for reason in found.reasons] == [False, True, True, False]
    assert "'nowhere'" in found.reasons[1] and "clusters, circle, noise" in found.reasons[1] and "reader reads texts" in found.reasons[2]
    assert found.layers == ("circle", "nowhere", "", "noise") and found.n == (40, 0, 0, 40)
    refused(lambda: found.profile(1), "'nowhere'")
    for values in (*found.ratios(4).values(), found.loops(), found.spread, found.covering):
        assert np.isnan(values).tolist() == [False, True, True, False]
    assert found.groups[1:3].tolist() == [0, 0] and len(found.bars(1, 0)) == len(found.bars(2, 1)) == 0
    assert found.why(4)[1:3] == found.reasons[1:3]
    failed = parts([{"representation": clouds}], layers=["nowhere"])[-1]
    assert np.isnan(failed.ratios(4)["value"]).all() and np.isnan(apart(failed).matrix).all()


def test_loops_are_looked_for_only_when_asked(clouds):
    found = of_layers(clouds, loops=False)
    assert np.isnan(found.loops()).all() and np.isnan(found.covering).all() and np.isfinite(found.ratios(4)["value"]).all()
    assert np.isnan(apart(found, dim=1).matrix).all() and np.isfinite(apart(found, dim=0).matrix).all()


def test_a_model_is_run_on_its_dataset_first_and_the_second_time_looked_up(store):
    import torch
    rng = np.random.default_rng(1)
    model = Model.wrap(_net(), preprocess=torch.from_numpy, head="output", name="mine", modality="array")
    data = Dataset(rng.normal(size=(20, 6)).astype(np.float32), name="rows")
    told = Told()
    found = parts([{"model": model, "dataset": data}], told)[-1]
    assert found.names == ("mine",) and found.layers == (list(model.layers)[-1],) and "extracting mine on rows" in told.notes
    kept = store.representation(extraction.key({"model": _Named(model), "dataset": data}, {"layers": "all"}))  # as the load page asks for it
    same(parts([{"representation": kept}])[-1], found)
    model.run = None
    same(parts([{"model": model, "dataset": data}])[-1], found)


def test_a_cancel_is_no_failed_entry(clouds):
    with pytest.raises(Cancelled):
        parts([{"representation": clouds}] * 2, Told(cancel_at="loops"))


def test_what_cannot_be_surveyed_is_refused(clouds):
    refused(lambda: parts([]), "at least one")
    refused(lambda: parts([{"representation": clouds}], layers=["a", "b"]), "2 layers", "1 entries")
    refused(lambda: list(studies.profile({"representation": clouds}, {"layer": "nowhere"}, Told())), "'nowhere'", "clusters, circle, noise")
    refused(lambda: list(studies.loops({"representation": clouds}, {"layer": "nowhere"}, Told())), "'nowhere'", "clusters, circle, noise")
    refused(lambda: of_layers(clouds).bars(0, 2), "H2")


def test_one_layer_alone(clouds):
    *_, profile = studies.profile({"representation": clouds}, {"layer": "circle", "seed": 2}, Told())
    same(profile, persistence.profile(clouds.layers["circle"], seed=2))
    told = Told()
    *_, diagrams = studies.loops({"representation": clouds}, {"max_points": 30}, told)
    same(diagrams, persistence.diagrams(clouds.layers["noise"], max_points=30))
    assert set(told.notes) == {"finding loops among 30 points"}


# distances

@pytest.mark.parametrize("kind", persistence.KINDS)
@pytest.mark.parametrize("dim", [0, 1])
def test_distances_are_those_of_the_diagrams(clouds, dim, kind):
    found = of_layers(clouds)
    d = apart(found, dim=dim, kind=kind)
    assert d.names == found.names and (np.diag(d.matrix) == 0).all() and (d.bounds == 0).all()
    np.testing.assert_array_equal(d.matrix, d.matrix.T)
    for i, j in ((0, 1), (0, 2), (1, 2)):
        assert d.matrix[i, j] > 0
        assert d.matrix[i, j] == pytest.approx(persistence.distance(found.bars(i, dim), found.bars(j, dim), kind=kind), rel=1e-9)


@pytest.mark.parametrize("kind", persistence.KINDS)
def test_bars_left_out_change_no_distance_by_more_than_its_bound(clouds, kind):
    found = of_layers(clouds)
    whole, few = apart(found, dim=0, kind=kind), apart(found, dim=0, kind=kind, bars=10)
    off = ~np.eye(3, dtype=bool)
    assert (np.abs(few.matrix - whole.matrix) <= few.bounds + 1e-9).all() and (few.bounds[off] > 0).all()
    np.testing.assert_array_equal(few.bounds, few.bounds.T)


def test_relative_distances_do_not_see_the_scale_of_an_entry(clouds):
    x = clouds.layers
    plain, scaled = (of_layers(Representation({"a": x["circle"], "b": s * x["noise"]})) for s in (1, 64))
    assert apart(scaled, relative=True).matrix[0, 1] == pytest.approx(apart(plain, relative=True).matrix[0, 1], rel=1e-5)
    assert apart(scaled).matrix[0, 1] > 10 * apart(plain).matrix[0, 1]


def test_a_cloud_without_spread_has_no_relative_distance(clouds):
    found = of_layers(Representation({"circle": clouds.layers["circle"], "point": np.zeros((40, 2))}))
    d = apart(found, relative=True)
    assert np.isnan(d.matrix[1]).all() and d.matrix[0, 0] == 0 and "lie on one another" in d.reasons[1]
    assert np.isfinite(apart(found).matrix).all()


def test_distances_arrive_row_by_row(clouds):
    found = of_layers(clouds)
    seen = list(studies.distances({"survey": found}, {}, Told()))
    assert [int(np.isnan(d.matrix).sum()) for d in seen] == [4, 1, 0]
    for partial in seen:
        there = ~np.isnan(partial.matrix)
        np.testing.assert_array_equal(partial.matrix[there], seen[-1].matrix[there])
    refused(lambda: apart(found, kind="euclid"), "'euclid'", "wasserstein")
    refused(lambda: apart(found, dim=2), "H2")
    refused(lambda: apart(found, bars=0), "0 bars")


# tables, files, workers

def test_tables_hold_the_numbers(clouds):
    found = parts([{"representation": clouds}] * 2, layers=["clusters", "nowhere"], names=["good", "bad"])[-1]
    table = found.table(4)
    assert table["name"].tolist() == ["good", "bad"] and table["ratio"][0] == found.ratios(4)["value"][0]
    assert table["reason"][0] == "" and "'nowhere'" in table["reason"][1]
    manifest = found.manifest([4, 4])
    json.dumps(manifest, allow_nan=False)
    assert manifest["entries"][1]["ratio"] is None and manifest["entries"][0]["loops"] == found.loops()[0] and manifest["options"]["max_points"] == 25
    json.dumps(apart(found).manifest(), allow_nan=False)
    d = apart(of_layers(clouds))
    assert d.table().loc["layer circle", "layer noise"] == d.matrix[1, 2] == d.manifest()["matrix"][1][2]


def test_the_store_gives_back_what_it_was_given(clouds, store):
    found = parts([{"representation": clouds}] * 3, layers=["clusters", "nowhere", "noise"])[-1]
    for i, result in enumerate((found, apart(found), parts([{"representation": clouds}], layers=["nowhere"])[-1])):
        store.put_result(f"a{i}", result)
        same(store.result(f"a{i}"), result)


def wait(job, until=lambda job: not job.alive, seconds=60):
    end = time.monotonic() + seconds
    while not until(job) and time.monotonic() < end:
        time.sleep(0.02)
    return job


def test_a_survey_runs_in_a_worker_is_cancelled_runs_again_and_its_result_is_an_input(clouds, store):
    entry = {"representation": Ref.representation(store.put_representation(clouds))}
    inputs, options = {"entries": [entry] * 3}, {"layers": list(clouds.layers), "names": ["a", "b", "c"], **SMALL}
    slow = {**options, "shuffles": 4000}
    job = wait(engine.submit(studies.survey, inputs, slow, control="survey"), until=lambda job: job.partial is not None or not job.alive)
    job.cancel()
    assert wait(job, seconds=6).state == "cancelled" and job.result() is None
    assert 1 <= len(job.partial) < 3 and engine.stored(studies.survey, inputs, slow) is None
    again = wait(engine.submit(studies.survey, inputs, options, control="survey"))
    assert again.state == "done"
    same(again.result(), replace(of_layers(clouds), names=("a", "b", "c")))
    between = wait(engine.submit(studies.distances, {"survey": Ref.result(again.key)}, {"relative": True}))
    assert between.state == "done"
    same(between.result(), apart(again.result(), relative=True))


class _Named:
    """Stands where the engine has a reference to a model."""

    def __init__(self, model):
        self.model = model

    def resolve(self):
        return self.model


def _net():
    import torch
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.ReLU(), torch.nn.Linear(8, 4))
