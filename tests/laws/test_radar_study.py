import json
import time

import numpy as np
import pytest

from analysis import Dataset, Model, Representation, engine
from analysis.engine import Ref
from analysis.errors import Cancelled
from analysis.metrics import radar, trajectory
from analysis.studies import radar as studies
from tests.refusal import refused
from tests.told import Told

SWITCHES = {"pairs": 300, "draws": 500, "components": 2, "radius": 2}
FEW = {"radar": SWITCHES, "splits": 3, "blocks": 4}
OPTIONS = radar.Options(**SWITCHES)
N = 60


def domain(name: str, shift: float, seed: int, n: int = N, model: str = "one") -> Representation:
    """Five states of three classes, each made from the one before by the same map; `shift` moves the first."""
    rng, maps = np.random.default_rng(seed), np.random.default_rng(0).normal(size=(4, 6, 6))
    labels = np.arange(n) % 3
    states = [3 * np.eye(3, 6)[labels] + rng.normal(size=(n, 6)) + shift * np.eye(6)[5]]
    for weights in maps:
        states.append(states[-1] + np.tanh(states[-1] @ weights))
    return Representation({f"state{i}": x for i, x in enumerate(states)}, labels, ("a", "b", "c"), [f"{name} {i}" for i in range(n)], domain=name,
                          manifest={"model": {"name": model, "digest": model}})


@pytest.fixture(scope="module")
def home() -> Representation:
    return domain("home", 0, 1)


@pytest.fixture(scope="module")
def sources() -> dict:
    return {"near": domain("near", 0, 2), "far": domain("far", 4, 3)}


@pytest.fixture(scope="module")
def bad() -> dict:
    """Entries without a score, for three reasons: too few items, another model, texts for a model of pictures."""
    network = Model.wrap(_net(), preprocess=lambda x: x, name="net", modality="image")
    return {"small": {"representation": domain("small", 0, 4, n=19)}, "foreign": {"representation": domain("foreign", 0, 5, model="two")},
            "unread": {"model": network, "dataset": Dataset(("one", "two"), name="texts")}}


def entries(representations) -> list[dict]:
    return [{"representation": r} for r in representations]


def run(unit, inputs: dict, ctx=None, **options) -> list:
    return list(unit(inputs, {"radar": SWITCHES, **options}, ctx or Told()))


def ranked(home, sources: dict, ctx=None, **options) -> list:
    inputs = {"target": {"representation": home}, "sources": [s if isinstance(s, dict) else {"representation": s} for s in sources.values()]}
    return list(studies.calibrate(inputs, {**FEW, "names": list(sources), **options}, ctx or Told()))


def same(a, b) -> None:
    """Every field of two results is equal."""
    assert type(a) is type(b)
    for name, value in vars(a).items():
        other = getattr(b, name)
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(value, other, err_msg=name)
            assert value.dtype == other.dtype, name
        elif isinstance(value, float):
            np.testing.assert_equal(value, other, err_msg=name)
        else:
            assert value == other, name


def strict(manifest: dict) -> dict:
    return json.loads(json.dumps(manifest, allow_nan=False))


# sources ranked

def test_a_ranking_is_what_the_metric_streams(home, sources):
    seen, kernel = ranked(home, sources), list(radar.calibrate(home, sources, splits=3, blocks=4, options=OPTIONS))
    assert len(seen) == len(kernel) > 3
    for mine, theirs in zip(seen, kernel, strict=True):
        same(mine, theirs)
        strict(mine.manifest())
    assert [found.final for found in seen] == [False] * (len(seen) - 1) + [True]
    assert seen[-1].names == ("near", "far") and seen[-1].options["pairs"] == 300 and seen[-1].sources["near"].rank == 1


def test_sources_are_called_as_asked_or_by_their_domains(home, sources):
    inputs = {"target": {"representation": home}, "sources": entries(sources.values())}
    first = lambda **options: next(studies.calibrate(inputs, {**FEW, **options}, Told()))
    assert first().names == ("near", "far") and first(names=["x", "y"]).names == ("x", "y")
    refused(lambda: first(names=["x"]), "1 names and 2 domains")
    refused(lambda: first(names=["x", "x"]), "called 'x'")
    refused(lambda: run(studies.calibrate, {**inputs, "sources": []}), "0 domains")


def test_without_splits_there_are_the_scores_alone(home, sources):
    found, whole = ranked(home, sources, splits=0, blocks=0)[-1], ranked(home, sources)[-1]
    np.testing.assert_array_equal(found.scores, whole.scores)
    assert found.final and len(found.null) == 0 and np.isnan(found.se).all() and {s.verdict for s in found.sources.values()} == {""}
    strict(found.manifest())


def test_a_source_without_a_score_does_not_sink_the_others(home, sources, bad):
    mixed = {"unread": bad["unread"], "near": sources["near"], "small": bad["small"], "foreign": bad["foreign"], "far": sources["far"]}
    seen, alone = ranked(home, mixed), ranked(home, sources)[-1]
    for found in seen:
        assert found.names == tuple(mixed) and len(found.reasons) == len(found.n) == len(found.scores) == 5
        assert "reads images" in found.sources["unread"].reason
        strict(found.manifest())
    found = seen[-1]
    assert "19 items" in found.sources["small"].reason and "one model" in found.sources["foreign"].reason and not found.sources["far"].reason
    assert np.isnan(found.scores[[0, 2, 3]]).all() and found.n[0] == 0 and found.sources["unread"].rank == 0
    for name in ("near", "far"):
        mine, theirs = found.sources[name], alone.sources[name]
        assert (mine.score, mine.rank, mine.verdict) == (theirs.score, theirs.rank, theirs.verdict)
        np.testing.assert_array_equal(mine.matched, theirs.matched)
    assert found.half == alone.half and found.band == alone.band and found.halves.tolist() == [0, 30, 0, 0, 30] and np.isnan(found.nulls[[0, 2, 3]]).all()
    np.testing.assert_array_equal(found.nulls[[1, 4]], alone.nulls)
    assert np.isnan(found.own[[0, 2, 3]]).all() and found.own[1] == alone.own[0]


def test_a_ranking_of_nothing_is_refused(home, bad):
    refused(lambda: ranked(home, {"unread": bad["unread"]}), "reads images")
    refused(lambda: ranked(home, {"small": bad["small"]}), "19 items")
    refused(lambda: run(studies.calibrate, {"target": bad["unread"], "sources": entries([home])}), "reads images")


# one source, all readings, every domain

def test_one_source_is_what_the_metric_finds(home, sources):
    inputs = {"target": {"representation": home}, "source": {"representation": sources["far"]}}
    found, = run(studies.compare, inputs)
    same(found, radar.compare(home, sources["far"], options=OPTIONS))
    assert found.names == ("home", "far")
    named, = run(studies.compare, inputs, names=["here", "there"])
    assert named.names == ("here", "there") and named.score == found.score
    refused(lambda: run(studies.compare, {**inputs, "source": {"representation": domain("small", 0, 4, n=19)}}), "19 items")


def test_readings_turn_one_switch_at_a_time(home, sources, bad, monkeypatch):
    turned = {"as asked": {}, "at the anchor": {"angle": "anchor"}, "one Gaussian": {"components": 1}}
    monkeypatch.setattr(studies, "READINGS", turned)
    inputs = {"target": {"representation": home}, "sources": [*entries(sources.values()), bad["unread"], bad["foreign"]]}
    seen = run(studies.readings, inputs, names=["near", "far", "unread", "foreign"])
    assert [int(np.isnan(found.scores[:, :2]).sum()) for found in seen] == [4, 2, 0]
    for found in seen:
        strict(found.manifest())
    for i, change in enumerate(turned.values()):
        expected = [radar.compare(home, s, options=radar.Options(**{**SWITCHES, **change})).score for s in sources.values()]
        assert seen[-1].scores[i, :2].tolist() == expected and np.isnan(seen[-1].scores[i, 2:]).all()
    assert seen[-1].readings == tuple(turned) and seen[-1].target == "home" and seen[-1].options["pairs"] == 300
    assert "reads images" in seen[-1].reason("one Gaussian", "unread") and "one model" in seen[-1].reason("as asked", "foreign")
    assert not seen[-1].reason("as asked", "near") and len(seen[0].reasons) == 2


def test_a_matrix_has_every_domain_as_target_and_as_source(home, sources, bad):
    domains = {"home": home, **sources}
    inputs = {"domains": [*entries(domains.values()), bad["unread"]]}
    seen = run(studies.matrix, inputs, names=[*domains, "unread"])
    assert [int(np.isnan(found.scores[:3, :3]).sum()) for found in seen] == [7, 5, 3, 3]
    found = seen[-1]
    for i, target in enumerate(domains):
        for j, source in enumerate(domains):
            if i != j:
                single = radar.compare(domains[target], domains[source], options=OPTIONS)
                assert (found.scores[i, j], found.errors[i, j]) == (single.score, single.mc_error)
    assert np.isnan(found.scores[3]).all() and np.isnan(found.scores[:, 3]).all() and np.isnan(np.diag(found.scores)).all()
    assert "reads images" in found.reason("unread", "home") and "reads images" in found.reason("far", "unread") and len(found.reasons) == 6
    assert found.scores[0, 1] < found.scores[0, 2]
    strict(found.manifest())
    refused(lambda: run(studies.matrix, {"domains": entries([home])}), "2 or more")


# paths

def test_paths_are_drawn_of_what_can_be(home, sources, bad):
    domains = {"home": home, **sources}
    found, = run(studies.paths, {"domains": [*entries(domains.values()), bad["unread"]]}, names=[*domains, "unread"], threads=5)
    expected = trajectory.paths(domains, layers=[f"state{i}" for i in range(5)], threads=5)
    for name in ("names", "layers", "ids", "labels", "n"):
        assert getattr(found, name) == getattr(expected, name)
    for name in ("means", "threads", "rows", "shares"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    assert list(found.options["left_out"]) == ["unread"] and "reads images" in found.options["left_out"]["unread"]
    strict(found.manifest())
    narrow, = run(studies.paths, {"domains": entries(domains.values())}, radar={"radius": 1, "seed": 4})
    assert narrow.layers == ("state1", "state2", "state3") and narrow.options["seed"] == 4 and narrow.options["left_out"] == {}
    refused(lambda: run(studies.paths, {"domains": [bad["unread"]]}), "reads images")


def test_domains_of_another_model_have_no_path_here(home, sources):
    other = Representation({f"block{i}": x for i, x in enumerate(home.layers.values())}, domain="other")
    found, = run(studies.paths, {"domains": entries([home, sources["near"], other])})
    assert found.names == ("home", "near") and "block0" in found.options["left_out"]["other"]


# what is opened, and when not

def test_models_are_run_where_they_must_and_their_weights_are_there_once(monkeypatch):
    built = []
    def network():
        model = Model.wrap(_net(), preprocess=_tensor, name="net", modality="array", layers=["0", "1", "2"])
        build = model.build
        model.build = lambda: built.append(1) or build()
        return model
    data = [Dataset(domain(name, shift, seed).layers["state0"], np.arange(N) % 3, domain=name) for name, shift, seed in (("home", 0, 1), ("far", 4, 3))]
    one, two = ({"model": network(), "dataset": each} for each in data)
    ctx, direct = Told(), network()
    found, = run(studies.compare, {"target": one, "source": two}, ctx)
    assert len(built) == 1 and found.names == ("home", "far") and any("extracting net on" in note for note in ctx.notes)
    from analysis import extract
    assert found.score == radar.compare(*(extract(direct, each) for each in data), options=OPTIONS).score


@pytest.mark.parametrize("unit, inputs, at", [
    (studies.calibrate, ("target", "sources"), "opening"), (studies.readings, ("target", "sources"), "near, "), (studies.matrix, ("domains",), "near from"),
    (studies.compare, ("target", "source"), "pairs"), (studies.paths, ("domains",), "opening")])
def test_every_unit_hears_a_cancel(home, sources, unit, inputs, at):
    given = {"target": {"representation": home}, "source": {"representation": sources["near"]}, "sources": entries(sources.values()),
             "domains": entries([home, *sources.values()])}
    ctx = Told(cancel_at=at)
    with pytest.raises(Cancelled):
        list(unit({name: given[name] for name in inputs}, {"radar": SWITCHES}, ctx))
    assert at in ctx.notes[-1]


@pytest.mark.parametrize("unit", [studies.calibrate, studies.readings, studies.matrix, studies.compare, studies.paths])
def test_what_cannot_be_asked_is_refused_before_anything_is_opened(unit):
    ctx, nothing = Told(), {"representation": None}
    inputs = {"target": nothing, "source": nothing, "sources": [nothing], "domains": [nothing] * 2}
    refused(lambda: list(unit(inputs, {"names": ["x", "y"], "radar": {"angle": "obtuse"}}, ctx)), "'obtuse'", "partner, turning, anchor")
    assert ctx.notes == []


# files, workers

def test_the_store_gives_back_what_it_was_given(home, sources, bad, store):
    sides, target = entries(sources.values()), {"representation": home}
    results = [*ranked(home, {**sources, "unread": bad["unread"]}), *run(studies.compare, {"target": target, "source": sides[0]}),
               run(studies.matrix, {"domains": [target, *sides]})[0], *run(studies.paths, {"domains": [target, *sides]})]
    for i, result in enumerate(results):
        store.put_result(f"a{i}", result)
        same(store.result(f"a{i}"), result)


def test_readings_come_back_from_the_store(home, sources, store, monkeypatch):
    monkeypatch.setattr(studies, "READINGS", {"as asked": {}, "one Gaussian": {"components": 1}})
    for result in run(studies.readings, {"target": {"representation": home}, "sources": entries([*sources.values(), domain("small", 0, 4, n=19)])}):
        store.put_result("a", result)
        same(store.result("a"), result)


def wait(job, until=lambda job: not job.alive, seconds=60):
    end = time.monotonic() + seconds
    while not until(job) and time.monotonic() < end:
        time.sleep(0.02)
    return job


def test_units_run_in_a_worker_and_are_found_again(home, sources, store):
    ref = lambda r: {"representation": Ref.representation(store.put_representation(r))}
    inputs = {"target": ref(home), "sources": [ref(r) for r in sources.values()]}
    slow = wait(engine.submit(studies.calibrate, inputs, {**FEW, "splits": 1000}, control="radar"), until=lambda job: job.partial is not None or not job.alive)
    assert slow.partial.names == ("near", "far")
    slow.cancel()
    assert wait(slow, seconds=8).state == "cancelled"
    job = wait(engine.submit(studies.calibrate, inputs, {**FEW, "names": ["near", "far"]}, control="radar"))
    assert job.state == "done"
    same(job.result(), ranked(home, sources)[-1])
    assert engine.stored(studies.calibrate, inputs, {**FEW, "names": ["near", "far"]}) is not None


def _tensor(x):
    import torch
    return torch.from_numpy(x)


def _net():
    import torch
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(6, 6), torch.nn.Tanh(), torch.nn.Linear(6, 6))
