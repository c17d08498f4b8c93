"""Growing small networks for real: partial results, seeds, the base as its own candidate, divergence, and what cannot be grown."""

from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from analysis.data import load_dataset
from analysis.errors import Cancelled
from analysis.models import zoo
from analysis.store import Store
from analysis.studies import growth
from tests.refusal import refused

TINY = {"limit": 300, "trained": 60, "steps": 8, "branches": 3, "points": 5, "items": 60, "directions": 2, "range": (1.0, 2.0)}
SMALL = {**TINY, "looks": 1}
SHORT = {**TINY, "lengths": 2, "widths": (2.0,), "matched": False, "train": 15, "seeds": 2, "proxies": ("params", "snip"), "proxy_items": 16}
ONE = (("wider", "width", (("widen", "0", 2.0),)), ("deeper", "depth", (("deepen", "2"),)))
quiet = SimpleNamespace(progress=lambda done, total, note: None)


def digits():
    return load_dataset("builtin:digits/handwritten")


def run(unit, inputs=None, **options):
    return list(unit({"dataset": digits(), **(inputs or {})}, options, quiet))


@cache
def grown():
    return run(growth.grow, **SHORT)


def test_partial_results_grow_to_the_final_one():
    parts = grown()
    assert len(parts) == len(parts[-1].names) and [part.final for part in parts] == [False] * (len(parts) - 1) + [True]
    for known, part in enumerate(parts, 1):
        assert np.isfinite(part.gains()).sum() == np.isfinite(part.starts).sum() == known
        rested = part.rested().sum(axis=1) >= 2
        assert (np.isfinite(part.metric("distance")) == rested).all() and not rested[known:].any()
    assert "Still measuring" in parts[0].verdict() and set(parts[-1].families) == {"base", *growth.FAMILIES}
    assert np.isfinite(parts[-1].values).all() and np.isfinite(parts[-1].radius).all() and (parts[-1].seconds >= 0).all()


def test_the_base_gains_nothing_and_expansions_keep_the_function():
    found = grown()[-1]
    assert found.check[0] == 0 and found.gains()[0] == 0 and (found.check < 1e-5).all()
    assert (found.parameters[1:] > found.parameters[0]).all()


def test_the_same_seed_gives_the_same_numbers():
    first, again = (run(growth.grow, **SHORT, candidates=ONE)[-1] for _ in range(2))
    for name in ("distances", "barriers", "radius", "values", "accuracy", "check"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
    other = run(growth.grow, **SHORT, candidates=ONE, seed=1)[-1]
    assert not np.array_equal(first.distances, other.distances)


def test_branches_of_each_length_are_trained_by_themselves():
    found = run(growth.grow, **{**SHORT, "steps": 20, "lengths": 2}, candidates=ONE)[-1]
    short = run(growth.grow, **{**SHORT, "steps": 10, "lengths": 1}, candidates=ONE)[-1]
    assert found.lengths == (10, 20) and short.lengths == (10,)
    for name in ("distances", "barriers", "losses"):
        np.testing.assert_array_equal(getattr(found, name)[:, 0], getattr(short, name)[:, 0])


def test_the_rate_falls_to_nothing_by_the_end_of_each_length(monkeypatch):
    lengths, branch = [], growth.minima.branch
    monkeypatch.setattr(growth.minima, "branch", lambda *given, **how: lengths.append((how["steps"], how["settle"])) or branch(*given, **how))
    run(growth.grow, **{**SHORT, "steps": 20, "lengths": 2}, candidates=ONE[:1])
    assert lengths == [(60, 0.0), *2 * [(10, 0.5), (20, 0.5), (15, 0.0)]]  # the base's training; branches of each length, the gain


def test_short_branches_may_end_above_their_start_and_are_left_out():
    found = growth.shipped("mlp-0")
    above = [int((~found.rested(steps=steps)).sum()) for steps in found.lengths]
    assert above == sorted(above, reverse=True) and above[0] > above[-1] > 0
    for steps in found.lengths:
        np.testing.assert_array_equal(np.isfinite(found.metric("distance", steps=steps)), found.rested(steps=steps).sum(axis=1) >= 2)


def test_digits_of_convolutions_are_cut_again_after_a_run_and_between_its_parts():
    cudnn = torch.backends.cudnn
    before, seen = cudnn.allow_tf32, []
    try:
        for usual in (True, False):
            cudnn.allow_tf32 = usual
            watching = SimpleNamespace(progress=lambda *_: seen.append(cudnn.allow_tf32))
            for _ in growth.valley({"dataset": digits()}, {**SMALL, "grid": 3}, watching):
                assert cudnn.allow_tf32 == usual
            assert cudnn.allow_tf32 == usual
    finally:
        cudnn.allow_tf32 = before
    assert seen and not any(seen)


def test_what_is_going_on_is_told_by_name():
    told = []
    list(growth.grow({"dataset": digits()}, {**SHORT, "candidates": ONE}, SimpleNamespace(progress=lambda done, total, note: told.append(note))))
    assert {"wider: 3 branches", "wider: 2 trainings that measure the gain", "wider: SNIP"} <= set(told)


def test_nothing_is_trained_for_what_cannot_be_grown():
    def progress(done, total, note):
        raise AssertionError(note)
    silent = SimpleNamespace(progress=progress)
    recurrent = {"dataset": digits(), "model": zoo.load("recurrent/plain")}
    refused(lambda: list(growth.grow(recurrent, {**SHORT, "trained": 50}, silent)), "parts.1.gru", "GRU")
    slight = [("slightly", "width", (("widen", "2", 1.01),))]
    refused(lambda: list(growth.grow({"dataset": digits()}, {**SHORT, "candidates": slight}, silent)), "adds no unit to the 4 of layer 2")
    refused(lambda: list(growth.valley({"dataset": digits()}, {**SMALL, "grown": [("widen", "2", 1.01)]}, silent)), "adds no unit")
    narrow = {**SHORT, "width": 2, "widths": (1.25,)}  # in the grid too
    refused(lambda: list(growth.grow({"dataset": digits()}, {**narrow, "families": ("both",), "crossed": (1.25,)}, silent)), "adds no unit")
    listed, warnings = growth.listed(growth.opened({"dataset": digits()}, growth.settled("grow", narrow)).module, growth.settled("grow", narrow))
    assert "all ×1.25" not in {c.name for c in listed} and "all ×1.25 is left out: A factor of 1.25 adds no unit to the 2" in warnings[-1]
    found = run(growth.grow, **SHORT, candidates=(*ONE, *slight))[-1]
    assert found.names == ("base", "wider", "deeper") and "slightly is left out: A factor of 1.01 adds no unit" in found.warnings[0]


def test_a_gpu_is_used_by_itself_where_the_base_is_large(monkeypatch):
    monkeypatch.setattr(growth, "usable_device", lambda asked: {"auto": "cuda"}.get(asked, asked))
    assert growth._device("auto", growth.LARGE - 1) == "cpu" and growth._device("auto", growth.LARGE) == "cuda"
    assert growth._device("cpu", growth.LARGE) == "cpu" and growth._device("cuda", 1) == "cuda"


def test_a_device_that_is_not_there_is_told():
    refused(lambda: run(growth.valley, **SMALL, device="cuda:99"), "cuda:99", "not there")
    refused(lambda: run(growth.valley, **SMALL, device=3), "3 was given as device")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("base", growth.BASES)
def test_a_gpu_gives_the_numbers_of_the_cpu(base):
    here, there = (run(growth.grow, **{**SHORT, "base": base, "proxies": tuple(growth.PROXIES)}, device=device)[-1] for device in ("cpu", "cuda"))
    for name in ("distances", "barriers", "losses", "starts", "radius"):
        np.testing.assert_allclose(getattr(there, name), getattr(here, name), rtol=1e-2, atol=1e-3)
    np.testing.assert_allclose(there.accuracy, here.accuracy, atol=0.03)
    np.testing.assert_allclose(there.values, here.values, rtol=0.05, atol=1e-3)
    assert there.names == here.names and "Computed on cuda." in there.notes
    here, there = (run(growth.valley, **SMALL, base=base, grid=5, device=device)[-1] for device in ("cpu", "cuda"))
    for name in ("distances", "barriers", "losses", "profiles", "plane", "radius"):
        np.testing.assert_allclose(getattr(there, name), getattr(here, name), rtol=1e-2, atol=1e-3)


def test_too_few_candidates_are_told():
    assert "Too few expansions (2)" in run(growth.grow, **SHORT, candidates=ONE)[-1].verdict()


def test_networks_of_equal_size_are_looked_for():
    chosen = growth.settled("grow", {**SHORT, "matched": True})
    ground = growth.grounded({"dataset": digits()}, chosen, quiet)
    asked, _ = growth.listed(ground.module, chosen)
    size = {c.name: growth.count(growth.grown(ground.module, c.changes, chosen)) for c in asked}
    assert len(size) == len(asked) and len({c.changes for c in asked}) == len(asked)
    deeper = [n for c, n in ((c, size[c.name]) for c in asked) if c.family in ("depth", "residual")]
    wider = [size[c.name] for c in asked if c.family == "width"]
    assert all(min(abs(w - n) for w in wider) <= 0.05 * n for n in deeper)


def test_a_valley_is_told_part_by_part():
    parts = run(growth.valley, **SMALL, grown=[["widen", "0", 2], ["residual", "2"]], grid=5)
    last = parts[-1]
    assert [part.final for part in parts] == [False, False, False, True] and np.isnan(parts[0].barriers).all() and np.isnan(parts[1].radius).all()
    assert last.check < 1e-5 and last.plane.shape == (5, 5) and last.paths.shape == (3, 3, 2) and last.radius.shape == (2, 2)
    np.testing.assert_allclose(last.paths[0], 0, atol=1e-6)
    np.testing.assert_allclose(last.profiles[:, 0], last.losses[last.pairs[:, 0]], rtol=1e-5)
    np.testing.assert_allclose(last.profiles[:, -1], last.losses[last.pairs[:, 1]], rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(last.plane_minima[1] - last.plane_minima[0]), last.distances[0, 1], rtol=1e-4)
    assert [len(table()) for table in (last.pairs_table, last.lines_table, last.plane_table, last.radius_table, last.paths_table)] == [3, 15, 25, 4, 9]
    np.testing.assert_array_equal(last.lines_table()["loss"][:5], last.profiles[0])
    assert last.plane_off >= 0 and "ours" in last.notes[0]
    sizes = last.at(epsilon=100.0)
    assert sizes["connected"] == 1 and sizes["distance"] == pytest.approx(last.distances[np.triu_indices(3, 1)].mean())
    assert last.at(epsilon=100.0, branches=2)["distance"] == pytest.approx(last.distances[0, 1])


def test_results_come_back_from_the_store(tmp_path):
    store = Store(tmp_path)
    for found in (grown()[-1], run(growth.valley, **SMALL, grid=5)[-1]):
        store.put_result("key", found)
        back = Store(tmp_path).result("key")
        for name in type(found).__dataclass_fields__:
            if isinstance(getattr(found, name), np.ndarray):
                np.testing.assert_array_equal(getattr(found, name), getattr(back, name))
        assert back.manifest()["notes"] == found.manifest()["notes"] and back.final
        assert getattr(back, "changes", ()) == getattr(found, "changes", ())


def test_branches_that_diverge_are_reported_and_left_out():
    found = run(growth.valley, **{**SMALL, "steps": 30}, rate=1e6, grid=5)[-1]
    gone = sorted(found.diverged)
    assert gone and np.isnan(found.barriers[gone]).all() and np.isnan(found.accuracies[gone]).all() and found.final and np.isfinite(found.radius).all()
    assert all(f"Branch {i} (seed {1000 + i}) diverged at step" in warning for i, warning in zip(gone, found.warnings[:len(gone)], strict=True))
    assert np.isnan(found.at()["distance"]) == (found.rested().sum() < 2) and bool(found.reason()) and not found.plane.size
    board = run(growth.grow, **{**SHORT, "steps": 30}, rate=1e6, candidates=ONE)[-1]
    assert np.isfinite(board.gains()).all() and any(warning.startswith("wider: Branch") for warning in board.warnings)


def test_branches_that_explode_and_stay_finite_are_no_minima():
    found = run(growth.valley, **{**SMALL, "steps": 30}, rate=30.0, momentum=0.0, grid=5)[-1]
    assert not found.diverged and not found.rested().any() and (found.losses > found.start_loss + 0.02).all()
    assert np.isnan(found.at()["distance"]) and "3 of 3 end more than ε = 0.02 above their start" in found.reason() and not found.plane.size
    assert any(warning.startswith("3 of 3 branches (0, 1, 2) end more than ε = 0.02 above their start") for warning in found.warnings)
    assert not found.connected(found.epsilon).any() and found.at(epsilon=99.0)["connected"] >= 0
    board = run(growth.grow, **{**SHORT, "steps": 30}, rate=30.0, momentum=0.0, candidates=ONE)[-1]
    assert np.isnan(board.metric("distance")).all() and any("they are no minima of this valley" in warning for warning in board.warnings)


def test_a_base_that_explodes_is_refused():
    refused(lambda: run(growth.valley, **SMALL, base_rate=1e6), "base diverged", "learning rate")


def test_a_base_that_is_not_trained_is_told():
    found = run(growth.valley, **{**SMALL, "trained": 0}, grid=5)[0]
    assert "not trained" in found.warnings[0]
    assert not run(growth.valley, **{**SMALL, "trained": 300}, grid=5)[0].warnings


def test_what_cannot_be_grown_is_told_with_its_layer():
    refused(lambda: run(growth.grow, {"model": zoo.load("recurrent/plain")}, **{**SHORT, "trained": 0}), "parts.1.gru", "GRU")
    refused(lambda: run(growth.valley, **SMALL, grown=[["widen", "9", 2]]), "no layer '9'")
    refused(lambda: run(growth.valley, **SMALL, grown=[["widen", "4", 2]]), "4 cannot be widened")


def test_a_model_of_the_zoo_keeps_its_head_where_it_knows_the_classes():
    chosen = growth.settled("grow", {**SHORT, "trained": 0})
    ground = growth.grounded({"dataset": digits(), "model": zoo.load("mlp/plain")}, chosen, quiet)
    assert ground.module.head.out_features == 36 and ground.name == "mlp/plain"
    asked, warnings = growth.listed(ground.module, chosen)
    assert not any(c.family == "depth" for c in asked) and "GELU" in warnings[0]
    refused(lambda: growth.grounded({"dataset": digits(), "model": zoo.load("conv/few-classes")}, chosen, quiet), "does not tell the classes")
    trained = growth.grounded({"dataset": digits(), "model": zoo.load("conv/few-classes")}, {**chosen, "trained": 1}, quiet)
    assert trained.module.head.out_features == 10 and "replaced" in trained.notes[0]


def test_data_that_does_not_do_is_told():
    data = digits()
    refused(lambda: run(growth.grow, {"dataset": replace(data, labels=None, classes=())}, **SHORT), "no labels")
    refused(lambda: run(growth.grow, {"dataset": data.take(range(30))}, **SHORT), "30 items", "60")
    refused(lambda: run(growth.grow, {"dataset": load_dataset("builtin:reviews/film")}, **SHORT), "texts")
    rows = load_dataset("builtin:shapes/blobs?n=200&clusters=4")
    refused(lambda: run(growth.valley, {"dataset": rows}, **SMALL, base="conv"), "no places")
    assert run(growth.valley, {"dataset": rows}, **SMALL, grid=5)[-1].final


@pytest.mark.parametrize("options, word", [({"nothing": 1}, "no option"), ({"branches": 1}, "branches"), ({"base": "vit"}, "base"), ({"rate": 0}, "rate"),
                                           ({"families": ["size"]}, "families"), ({"proxies": ["luck"]}, "luck"),
                                           ({"candidates": [["a", "b"]]}, "no candidate"),
                                           ({"candidates": [["base", "width", [["widen", "0", 2]]]]}, "named base"), ({"widths": [0.5]}, "widths")])
def test_options_that_do_not_do_are_told(options, word):
    refused(lambda: growth.settled("grow", options), word)


def test_a_cancel_stops_it():
    def progress(done, total, note):
        if "branches" in note:
            raise Cancelled
    with pytest.raises(Cancelled):
        list(growth.grow({"dataset": digits()}, SHORT, SimpleNamespace(progress=progress)))


@pytest.mark.parametrize("name", growth.FULL)
def test_what_is_shipped_is_ours_and_dated(name):
    found, made = growth.shipped(name), growth.made(name)
    assert found.final and "ours" in found.notes[0] and made["command"].endswith(name) and made["versions"]["unit"] == growth.grow.VERSION
