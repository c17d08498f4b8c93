"""Paths of domains through the layers: one principal component analysis in which each domain weighs the same, and items that are followed as they are."""

import numpy as np
import pytest

from analysis.metrics import trajectory
from analysis.representation import Representation
from tests.refusal import refused

LAYERS = [str(i) for i in range(4)]


def states(n=40, d=6, layers=4, seed=0, shift=0.0):
    """A walk from layer to layer."""
    rng = np.random.default_rng(seed)
    return list(np.cumsum(rng.standard_normal((layers, n, d)), axis=0) + shift)


def paths(domains, **more):
    return trajectory.paths(domains, **{"layers": LAYERS, **more})


@pytest.fixture(scope="module")
def two():
    return {"a": states(), "b": states(seed=1, shift=3.0)}


def test_the_axes_are_the_principal_components_of_all_states(two):
    found = paths(two)
    every = np.concatenate([x for layers in two.values() for x in layers])
    about = every - every.mean(axis=0)
    _, values, axes = np.linalg.svd(about, full_matrices=False)
    np.testing.assert_allclose(found.shares, values[:3] ** 2 / (values**2).sum(), rtol=1e-9)
    expected = (np.array([[x.mean(axis=0) for x in layers] for layers in two.values()]) - every.mean(axis=0)) @ axes[:3].T
    signs = np.sign((expected * found.means).sum(axis=(0, 1)))
    np.testing.assert_allclose(found.means, expected * signs, atol=1e-5)
    assert found.names == ("a", "b") and found.layers == tuple(LAYERS) and found.n == (40, 40) and found.means.dtype == np.float32


def test_threads_are_items_as_they_are():
    flat = {"a": states(d=3), "b": states(d=3, seed=1)}
    found = paths(flat, threads=5)
    assert found.threads.shape == (2, 5, 4, 3) and found.rows.shape == (2, 5)
    for domain, (rows, layers) in enumerate(zip(found.rows, flat.values(), strict=True)):
        for layer, x in enumerate(layers):
            apart = lambda points: np.linalg.norm(points[:, None] - points, axis=-1)
            np.testing.assert_allclose(apart(found.threads[domain, :, layer].astype(float)), apart(x[rows]), atol=1e-5)
            middle = np.linalg.norm(x[rows] - x.mean(axis=0), axis=1)
            np.testing.assert_allclose(np.linalg.norm(found.threads[domain, :, layer] - found.means[domain, layer], axis=1), middle, atol=1e-5)
    np.testing.assert_allclose([found.captured.sum(), found.shares.sum()], 1)
    np.testing.assert_allclose(found.kept.sum(axis=1), 1)


def test_each_domain_weighs_the_same_however_many_items_it_has(two):
    found, more = paths(two), paths({"a": [np.repeat(x, 5, axis=0) for x in two["a"]], "b": two["b"]})
    np.testing.assert_allclose(more.means, found.means, atol=1e-5)
    np.testing.assert_allclose(more.shares, found.shares, rtol=1e-9)


def test_a_common_rotation_and_shift_change_no_picture(two):
    turn = np.linalg.qr(np.random.default_rng(5).standard_normal((6, 6)))[0]
    found, moved = paths(two), paths({name: [x @ turn + 7 for x in layers] for name, layers in two.items()})
    signs = np.sign((moved.means * found.means).sum(axis=(0, 1)))
    np.testing.assert_allclose(moved.means * signs, found.means, atol=1e-4)
    np.testing.assert_allclose(moved.threads * signs, found.threads, atol=1e-4)
    for name in ("shares", "captured", "kept"):
        np.testing.assert_allclose(getattr(moved, name), getattr(found, name), rtol=1e-6)


def test_what_the_axes_show_of_the_means_is_told(two):
    found = paths(two)
    means = np.array([[x.mean(axis=0) for x in layers] for layers in two.values()])
    between = lambda m, axis: ((m - m.mean(axis=axis, keepdims=True)) ** 2).sum(axis=-1).sum(axis=axis)
    drawn = found.means.astype(np.float64)
    np.testing.assert_allclose(found.captured.sum(), between(drawn, (0, 1)) / between(means, (0, 1)), rtol=1e-5)
    np.testing.assert_allclose(found.kept.sum(axis=1), between(drawn, 0) / between(means, 0), rtol=1e-5)
    assert np.isnan(paths({"a": two["a"]}).kept).all()


def test_followed_items_are_drawn_by_class_and_named():
    labels = np.repeat([0, 1, 2], [30, 8, 2])
    layers = dict(zip(("in", "mid", "out"), states(layers=3), strict=True))
    mine = Representation(layers, labels, ("zero", "one", "two"), tuple(f"item-{i}" for i in range(40)), domain="handwritten")
    bare = Representation({name: x + 1 for name, x in layers.items()}, ids=tuple(f"other-{i}" for i in range(40)))
    found = trajectory.paths({"a": mine, "b": bare}, layers=["in", "out"], threads=10)
    assert set(found.labels[0]) == {"zero", "one", "two"} and found.labels[0].count("zero") in (6, 7, 8) and set(found.labels[1]) == {""}
    assert [f"item-{i}" for i in found.rows[0]] == list(found.ids[0]) and [f"other-{i}" for i in found.rows[1]] == list(found.ids[1])
    assert found.names == ("a", "b") and found.layers == ("in", "out")
    assert set(trajectory.paths({"b": bare}, labels={"b": labels}, threads=10).labels[0]) == {"0", "1", "2"}


def test_as_many_of_each_domain_as_the_smallest_has():
    found = paths({"a": states(), "b": states(n=21, seed=1)}, threads=30)
    assert found.rows.shape == (2, 21) and list(found.rows[1]) == list(range(21)) and found.n == (40, 21)
    assert paths({"a": states()}, threads=0).threads.shape == (1, 0, 4, 3)


def test_a_seed_reproduces(two):
    first, again, other = paths(two, threads=9), paths(two, threads=9), paths(two, threads=9, seed=1)
    np.testing.assert_array_equal(first.threads, again.threads)
    np.testing.assert_array_equal(first.means, other.means)
    assert first.rows.tolist() != other.rows.tolist()


def test_without_layers_it_is_the_window_of_radar():
    found = trajectory.paths({"a": states(layers=16)})
    assert found.layers == tuple(str(i) for i in range(2, 15))


@pytest.mark.parametrize("d", [1, 2, 1100])
def test_few_and_many_columns(d):
    x = states(n=25, d=d, layers=2)
    found = paths({"a": x}, layers=["0", "1"], threads=25)
    every = np.concatenate(x) - np.concatenate(x).mean(axis=0)
    values = np.linalg.svd(every, compute_uv=False)[:3] ** 2
    np.testing.assert_allclose(found.shares[:min(d, 3)], (values / (every**2).sum())[:min(d, 3)], rtol=1e-6)
    assert not found.threads[..., d:].any() and not found.shares[d:].any()


def test_torch_comes_to_the_same_and_progress_is_told(two):
    import torch
    told = []
    found = paths({name: [torch.from_numpy(x) for x in layers] for name, layers in two.items()}, progress=lambda *said: told.append(said))
    np.testing.assert_allclose(found.means, paths(two).means, atol=1e-6)
    assert [done for done, *_ in told] == list(range(8)) and {total for _, total, _ in told} == {8} and "a at 0" in told[0][2]


def test_what_the_store_gives_back_is_the_same_result(two):
    found = paths(two, threads=3)
    lists = {name: [list(of) for of in getattr(found, name)] for name in ("ids", "labels")}
    back = trajectory.Paths(list(found.names), list(found.layers), found.means, found.threads, found.rows, **lists, shares=found.shares,
                            captured=found.captured, kept=found.kept, n=list(found.n), options=found.options)
    assert (back.names, back.layers, back.ids, back.labels, back.n) == (found.names, found.layers, found.ids, found.labels, found.n)


def test_the_table_and_the_manifest_hold_the_numbers(two):
    import json
    found = paths(two, threads=3)
    table, said = found.table(), json.loads(json.dumps(found.manifest()))
    assert list(table.columns) == ["domain", "layer", "axis_1", "axis_2", "axis_3"] and len(table) == 8
    assert table.iloc[5].tolist()[:2] == ["b", "1"] and table.iloc[5]["axis_1"] == pytest.approx(float(found.means[1, 1, 0]))
    assert said["options"] == {"layers": LAYERS, "threads": 3, "seed": 0, "axes": "states"}
    assert np.shape(said["threads"]) == (2, 3, 4, 3) and len(said["kept"]) == 4
    assert paths({"a": two["a"]}).manifest()["kept"] == [None] * 4


def test_bad_input_is_refused_with_the_reason(two):
    refused(lambda: paths({}), "domain")
    refused(lambda: paths(two, layers=["0"]), "one layer")
    refused(lambda: paths(two, layers=["0", "9"]), "a has no layer 9", "0, 1, 2, 3")
    refused(lambda: paths(two, threads=-1), "-1 threads", "whole number")
    refused(lambda: paths(two, threads=2.5), "2.5 threads")
    refused(lambda: paths({"a": two["a"], "b": states(d=5)}), "6 columns", "5")
    refused(lambda: paths({"a": [*two["a"][:3], two["a"][3][:, :4]]}), "width of 6", "'3' has 4")
    refused(lambda: paths({"a": states(n=12)}), "12 items", "20")
    refused(lambda: paths({"a": [np.ones((30, 4))] * 4}), "same", "0")
    refused(lambda: paths(two, labels={"a": [1, 2]}), "40 items", "labels")
    model = lambda name: Representation(dict(zip(LAYERS, states(), strict=True)), manifest={"model": {"name": name}})
    refused(lambda: paths({"a": model("vit"), "b": model("conv")}), "one model", "vit", "conv")


def test_axes_of_the_means_show_more_of_what_lies_between_them(two):
    means, states_ = paths(two, axes="means"), paths(two)
    assert means.captured.sum() >= states_.captured.sum() - 1e-9
    every = np.array([[x.mean(axis=0) for x in layers] for layers in two.values()]).reshape(-1, 6)
    _, values, _ = np.linalg.svd(every - every.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(means.shares, values[:3] ** 2 / (values**2).sum(), rtol=1e-9)
    refused(lambda: paths(two, axes="corners"), "corners")
