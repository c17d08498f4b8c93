import json
import time
from dataclasses import replace

import numpy as np
import pytest

from analysis import Dataset, Model, Representation, engine
from analysis.engine import Ref
from analysis.errors import Cancelled
from analysis.metrics import comparison, similarity, tas
from analysis.studies import entries
from analysis.studies import spectrum as studies
from tests.refusal import refused
from tests.told import Told

FEW = {"permutations": 8, "resamples": 6}
N = 80


def items(*names) -> tuple:
    return tuple(f"item-{i:03d}" for i in names)


@pytest.fixture(scope="module")
def sides() -> tuple[Representation, Representation]:
    """Four classes of unequal size; the second side is the first with noise, narrower."""
    rng = np.random.default_rng(5)
    labels = np.sort(rng.choice(4, N, p=[0.4, 0.3, 0.2, 0.1]))
    base = 4 * np.eye(4, 6)[labels] + rng.normal(size=(N, 6))
    made = {"labels": labels, "classes": ("a", "b", "c", "d"), "ids": items(*range(N)), "dataset": "d1", "domain": "points"}
    first = Representation({"early": rng.normal(size=(N, 5)), "middle": base[:, :3], "late": base}, **made, manifest={"model": {"name": "one"}})
    second = Representation({"early": rng.normal(size=(N, 5)), "late": base[:, :4] + rng.normal(size=(N, 4))}, **made, manifest={"model": {"name": "two"}})
    return first, second


def compared(a, b, ctx=None, **options):
    return list(studies.compare({"a": {"representation": a}, "b": {"representation": b}}, {**FEW, **options}, ctx or Told()))


def layered(a, b, **options):
    return list(studies.layers({"a": {"representation": a}, "b": {"representation": b}}, options, Told()))


def same(a, b) -> None:
    """Every field of two results is equal."""
    for name, value in vars(a).items():
        other = getattr(b, name)
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(value, other, err_msg=name)
            assert value.dtype == other.dtype, name
        else:
            assert value == other, name


def part(r, rows, **changes) -> Representation:
    """Some rows of a representation, in that order."""
    kept = {"labels": r.labels[rows], "classes": r.classes, "ids": tuple(r.ids[i] for i in rows), "dataset": r.dataset, "domain": r.domain,
            "manifest": r.manifest}
    return Representation({name: x[rows] for name, x in r.layers.items()}, **{**kept, **changes})


# two layers

def test_a_comparison_holds_what_the_metrics_say_of_its_layers(sides):
    a, b = sides
    x, y = a.layers["late"], b.layers["late"]
    *_, found = compared(a, b)
    s = tas.spectrum(x, y)
    for name in ("k", "jaccard", "expected", "floor", "tas", "overlap", "r_nx", "auc", "n"):
        np.testing.assert_array_equal(getattr(found, name), getattr(s, name))
        np.testing.assert_array_equal(getattr(found.spectrum(), name), getattr(s, name))
    for ours, theirs in ((found.null(), tas.null_band(x, y, permutations=8)), (found.bootstrap(), tas.bootstrap_band(x, y, resamples=6))):
        for name in ("low", "high", "mean", "k", "n", "anchors"):
            np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
    assert found.names == ("one", "two") and found.layers == ("late", "late") and found.ids == a.ids and found.left_out == (0, 0)
    assert found.reasons == {} and found.warnings == () and found.options["seed"] == 0 and found.options["permutations"] == 8


@pytest.mark.parametrize("options", [{"metric": "cosine"}, {"baseline": "paper"}, {"seed": 3}, {"max_k": 20}, {"layer_a": "early", "layer_b": "early"}])
def test_what_is_asked_reaches_the_metrics(sides, options):
    a, b = sides
    *_, found = compared(a, b, **options)
    x, y = (r.layers[options.get(f"layer_{side}", "late")] for side, r in zip("ab", sides, strict=True))
    rest = {k: v for k, v in options.items() if not k.startswith("layer")}
    np.testing.assert_allclose(found.tas, tas.spectrum(x, y, **rest).tas, atol=1e-12)
    np.testing.assert_allclose(found.null_low, tas.null_band(x, y, permutations=8, **rest).low, atol=1e-12)
    np.testing.assert_allclose(found.boot_high, tas.bootstrap_band(x, y, resamples=6, **rest).high, atol=1e-12)
    assert found.grid[-1] == found.k[-1] == options.get("max_k", N - 2)
    knn = similarity.mutual_knn(x, y, k=10, metric=options.get("metric", "euclidean"))
    assert found.companions["mutual kNN, k=10"] == pytest.approx(knn, rel=1e-9)


def test_each_item_and_each_class_is_what_the_spectrum_is_the_mean_of(sides):
    a, b = sides
    *_, found = compared(a, b)
    assert found.points.shape == (N, len(found.grid)) and found.points.dtype == np.float32
    np.testing.assert_allclose(found.points.mean(axis=0, dtype=float), found.jaccard[found.grid - 1], atol=1e-7)
    for k in (1, 7, 30, N - 2):
        np.testing.assert_allclose(found.points[:, found.at(k)], tas.agreement(a.layers["late"], b.layers["late"], int(found.grid[found.at(k)])), rtol=1e-6)
    groups = tas.grouped(a.layers["late"], b.layers["late"], a.labels)
    np.testing.assert_allclose(found.group_tas, groups.tas[:, found.grid - 1], atol=1e-7)
    assert found.groups == a.classes and found.group_counts.tolist() == groups.counts.tolist() and found.clusters == 4
    np.testing.assert_allclose(found.group_counts / N @ found.group_tas, found.tas[found.grid - 1], atol=1e-7)


def test_companions_are_the_scalar_scores(sides):
    x, y = (r.layers["late"] for r in sides)
    *_, found = compared(*sides)
    assert tuple(found.companions) == comparison.COMPANIONS
    scores = (similarity.cka(x, y), similarity.cka(x, y, debiased=True), similarity.procrustes(x, y), similarity.rsa(x, y), similarity.mutual_knn(x, y, k=10))
    assert list(found.companions.values()) == pytest.approx(scores, rel=1e-9)


def test_a_turned_and_scaled_copy_agrees_at_every_size(sides):
    a, _ = sides
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(6, 6)))[0]
    *_, found = compared(a, part(a, np.arange(N)[::-1]), layer_a="late", layer_b="late")
    assert (found.tas == 1).all() and (found.points == 1).all() and list(found.companions.values()) == pytest.approx([1] * 5)
    *_, turned = compared(a, Representation({"x": 3 * a.layers["late"] @ turn + 1}, ids=a.ids))
    assert turned.tas.min() > 0.999 and found.n == N


def test_swapping_the_sides_swaps_nothing_but_their_names(sides):
    a, b = sides
    (*_, found), (*_, other) = compared(a, b), compared(b, a)
    np.testing.assert_allclose(found.tas, other.tas, atol=1e-12)
    np.testing.assert_array_equal(found.points, other.points)
    assert other.names == found.names[::-1] and other.companions == pytest.approx(found.companions)


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_sides_without_a_shape_are_compared_with_reasons():
    flat = [Representation({"x": np.full((30, d), 0.1)}) for d in (2, 3)]
    *_, found = compared(*flat)
    assert abs(found.tas[:5]).max() < 0.3 and any("100 %" in w for w in found.warnings)
    assert [v is None for v in found.companions.values()] == [True] * 4 + [False] and set(found.reasons) == set(comparison.COMPANIONS[:4])
    assert "nothing to compare" in found.reasons["RSA"] and found.clusters == 0 and found.groups == () and found.group_tas.size == 0
    tiny = [Representation({"x": np.random.default_rng(i).normal(size=(4, 2))}) for i in (0, 1)]
    *_, found = compared(*tiny)
    assert found.k.tolist() == found.grid.tolist() == [1, 2] and "of 10" in found.reasons["mutual kNN, k=10"]


def test_the_spectrum_comes_first_then_companions_then_each_band(sides):
    seen = compared(*sides)
    assert [np.isnan(list(s.companions.values())).all() for s in seen] == [True, False, False, False]
    assert [s.null() is not None for s in seen] == [False, False, True, True] and [s.bootstrap() is not None for s in seen] == [False] * 3 + [True]
    for s in seen:
        np.testing.assert_array_equal(s.tas, seen[-1].tas)
        np.testing.assert_array_equal(s.points, seen[-1].points)
    same(compared(*sides, permutations=0, resamples=0)[-1], replace(seen[1], options={**seen[1].options, "permutations": 0, "resamples": 0}))
    refused(lambda: compared(*sides, permutations=1), "1 permutations", "0 for no band")
    refused(lambda: compared(*sides, resamples=-2), "-2 resamples")


@pytest.mark.parametrize("at", ["ranks of", "neighbours of each", "RSA", "relabelling"])
def test_a_cancel_stops_it_anywhere(sides, at):
    with pytest.raises(Cancelled):
        compared(*sides, Told(cancel_at=at))


def test_many_items_are_streamed_and_very_many_have_a_largest_size(sides, monkeypatch):
    *_, kept = compared(*sides)
    monkeypatch.setattr(studies, "KEPT", 10)
    *_, streamed = compared(*sides)
    for name in ("tas", "points", "group_tas", "null_low", "boot_high"):
        np.testing.assert_allclose(getattr(streamed, name), getattr(kept, name), atol=1e-12)
    monkeypatch.setattr(studies, "WHOLE", 20)
    monkeypatch.setattr(studies, "LARGEST", 15)
    *_, found = compared(*sides)
    assert found.k[-1] == found.grid[-1] == 15 and any("up to 15 of 80 items" in w for w in found.warnings) and found.options["max_k"] == 15
    np.testing.assert_allclose(found.tas, kept.tas[:15], atol=1e-12)
    np.testing.assert_allclose(found.points, kept.points[:, :len(found.grid)], atol=1e-12)


# which items are the same

def test_items_are_matched_by_id_in_the_order_of_the_first(sides):
    a, b = sides
    rng = np.random.default_rng(1)
    mixed = part(b, rng.permutation(N))
    (*_, found), (*_, expected) = compared(a, mixed), compared(a, b)
    np.testing.assert_allclose(found.tas, expected.tas, atol=1e-12)
    np.testing.assert_array_equal(found.points, expected.points)
    assert found.ids == a.ids
    rows, others = np.arange(0, N, 2), rng.permutation(60)
    common = np.intersect1d(rows, others)
    (*_, found), (*_, expected) = compared(part(a, rows), part(b, others)), compared(part(a, common), part(b, common))
    assert found.left_out == (len(rows) - len(common), 60 - len(common)) and found.n == len(common) and found.ids == items(*common)
    np.testing.assert_allclose(found.tas, expected.tas, atol=1e-12)
    np.testing.assert_array_equal(found.group_counts, np.bincount(a.labels[common], minlength=4))
    assert found.groups == a.classes and np.isnan(found.group_tas).all(axis=1).tolist() == [False] * 3 + [True] and found.clusters == 3


def test_labels_come_from_the_side_that_has_them(sides):
    a, b = sides
    bare = part(a, np.arange(N)[::-1], labels=None)
    *_, found = compared(bare, b)
    assert found.groups == b.classes and found.group_counts.tolist() == np.bincount(b.labels).tolist()
    np.testing.assert_allclose(found.group_tas, compared(b, bare)[-1].group_tas, atol=1e-12)


def test_rows_without_ids_are_matched_by_row_and_it_is_said():
    rng = np.random.default_rng(2)
    plain = lambda n, **more: Representation({"x": rng.normal(size=(n, 3))}, **more)
    *_, found = compared(plain(12), plain(12))
    assert any("row i was taken" in w for w in found.warnings) and found.n == 12
    assert compared(plain(12, dataset="d"), plain(12, dataset="d"))[-1].warnings == ()
    refused(lambda: compared(plain(12), plain(13)), "12 rows", "13", "one id per row")
    known = [plain(12, dataset=d, domain=f"shape {d}", manifest={"model": {"name": "raw"}}) for d in "pq"]
    refused(lambda: compared(*known), "raw on shape p", "raw on shape q", "datasets differ")


def test_sides_without_items_in_common_are_refused_by_name(sides):
    a, b = sides
    strange = part(b, np.arange(N), ids=tuple(f"other-{i}" for i in range(N)), manifest={**b.manifest, "dataset": {"name": "Other items"}})
    refused(lambda: compared(a, strange), "One on points", "two on Other items", "no items in common", "one dataset")
    refused(lambda: compared(part(a, np.arange(3), labels=None), b), "only 3 items", "at least 4")
    refused(lambda: layered(a, strange), "no items in common")
    refused(lambda: compared(a, b, layer_b="nowhere"), "'nowhere'", "early, late")
    refused(lambda: compared(a, b, metric="city"), "'city'")
    refused(lambda: layered(a, b, layers_a=["nowhere"]), "'nowhere'")


# all layers

def test_layers_hold_the_spectrum_of_each_pair(sides):
    a, b = sides
    *_, found = layered(a, b)
    assert found.layers_a == ("early", "middle", "late") and found.layers_b == ("early", "late") and not found.same and found.tas.shape[:2] == (3, 2)
    for i, j in np.ndindex(3, 2):
        s = tas.spectrum(a.layers[found.layers_a[i]], b.layers[found.layers_b[j]])
        np.testing.assert_allclose(found.tas[i, j], s.tas[found.k - 1], atol=1e-6)
    assert found.names == ("one", "two") and found.clusters == 4 and found.n == found.of == N and found.warnings == ()
    assert found.table(7).loc["late", "early"] == found.tas[2, 0, found.at(7)]
    json.dumps(found.manifest(), allow_nan=False)


def test_layers_of_one_model_are_symmetric_and_agree_with_themselves(sides):
    a, _ = sides
    *_, found = layered(a, part(a, np.arange(N)))
    assert found.same and (found.tas[np.arange(3), np.arange(3)] == 1).all()
    np.testing.assert_array_equal(found.tas, found.tas.transpose(1, 0, 2))
    np.testing.assert_allclose(found.tas[2, 0], tas.spectrum(a.layers["late"], a.layers["early"]).tas[found.k - 1], atol=1e-6)


def test_layers_arrive_corner_by_corner(sides):
    a, b = sides
    assert [int(np.isnan(s.tas[..., 0]).sum()) for s in layered(a, b)] == [5, 2, 0]
    seen = layered(a, a)
    assert [int(np.isnan(s.tas[..., 0]).sum()) for s in seen] == [8, 5, 0]
    for partial in seen:
        there = ~np.isnan(partial.tas)
        np.testing.assert_array_equal(partial.tas[there], seen[-1].tas[there])
    json.dumps(seen[0].manifest(), allow_nan=False)


def test_some_layers_can_be_chosen_and_some_items_drawn(sides, monkeypatch):
    a, b = sides
    *_, found = layered(a, b, layers_a=["late"], layers_b=["late", "early"], metric="cosine", baseline="paper", seed=2)
    assert found.layers_a == ("late",) and found.layers_b == ("late", "early") and len(layered(a, b, layers_a=["late"], layers_b=["late", "early"])) == 2
    s = tas.spectrum(a.layers["late"], b.layers["early"], metric="cosine", baseline="paper", seed=2)
    np.testing.assert_allclose(found.tas[0, 1], s.tas[found.k - 1], atol=1e-6)
    monkeypatch.setattr(studies, "MANY", 50)
    *_, drawn = layered(a, b)
    assert drawn.n == 50 and drawn.of == N and drawn.k[-1] == 48 and any("50 of 80 items" in w for w in drawn.warnings)


# a convergence study

@pytest.fixture(scope="module")
def seeds() -> dict:
    import torch
    rng = np.random.default_rng(1)
    labels = np.arange(40) % 4
    data = Dataset((3 * np.eye(4, 6)[labels] + rng.normal(size=(40, 6))).astype(np.float32), labels, name="rows")
    wrap = lambda seed, name: Model.wrap(_net(seed), preprocess=torch.from_numpy, head="output", name=name, modality="array")
    return {"models": [wrap(i, f"seed {i}") for i in range(3)], "tuned": [wrap(10 + i, f"tuned {i}") for i in range(3)], "dataset": data}


def study(inputs, **options):
    return list(studies.convergence(inputs, {"permutations": 6, **options}, Told()))


def test_a_convergence_study_has_every_pair_once_in_its_group(seeds):
    seen = study(seeds)
    found = seen[-1]
    assert len(found.pairs) == 15 == len(set(map(frozenset, found.pairs))) and found.n == found.of == 40 and found.clusters == 4
    groups = found.groups()
    assert {group: len(pairs) for group, pairs in groups.items()} == dict(zip(comparison.GROUPS, (3, 3, 3, 6), strict=True))
    assert {name for name, _ in groups["PT–FT, same seed"]} == {f"seed {i} and tuned {i}" for i in range(3)}
    assert {name for name, _ in groups["FT–FT"]} == {"tuned 0 and tuned 1", "tuned 0 and tuned 2", "tuned 1 and tuned 2"}
    states = {m.name: entries.opened({"model": m, "dataset": seeds["dataset"]}, Told().progress) for m in (*seeds["models"], *seeds["tuned"])}
    for (a, b), values in zip(found.pairs, found.tas, strict=True):
        layer = list(states[a].layers)[-1]
        np.testing.assert_allclose(values, tas.spectrum(states[a].layers[layer], states[b].layers[layer]).tas[found.k - 1], atol=1e-6)
    assert found.null().k is found.k and (found.null_low <= found.null_mean).all() and abs(found.null_mean[:10]).max() < 0.1
    assert found.layers == (layer,) * 6


def test_a_convergence_study_arrives_pair_by_pair(seeds):
    seen = study(seeds)
    assert [int(np.isnan(s.tas[:, 0]).sum()) for s in seen] == [*range(14, -1, -1), 0]
    assert [s.null() is None for s in seen] == [True] * 15 + [False]
    assert sum(map(len, seen[3].groups().values())) == 4
    for s in seen:
        json.dumps(s.manifest(), allow_nan=False)
    only = study({**seeds, "tuned": []}, permutations=0)[-1]
    assert len(only.pairs) == 3 and set(only.kinds) == {"PT–PT"} and only.null() is None
    np.testing.assert_array_equal(only.tas, seen[-1].tas[[p in only.pairs for p in seen[-1].pairs]])


def test_what_is_no_convergence_study_is_refused(seeds):
    refused(lambda: study({**seeds, "tuned": seeds["tuned"][:1]}), "3 models", "1 fine-tuned")
    refused(lambda: study({**seeds, "models": seeds["models"][:1], "tuned": []}), "two or more")
    refused(lambda: study(seeds, layer="nowhere"), "'nowhere'")


# tables, files, workers

def test_tables_hold_the_numbers(sides, seeds):
    seen = compared(*sides)
    for s in seen:
        json.dumps(s.manifest(), allow_nan=False)
        json.dumps(s.spectrum().manifest(), allow_nan=False)
    table = seen[-1].table()
    assert table["tas"].tolist() == seen[-1].tas.tolist() and table["null_high"].tolist() == seen[-1].null_high.tolist() and "null_low" not in seen[0].table()
    assert seen[0].manifest()["companions"]["RSA"] is None and seen[-1].manifest()["companions"]["RSA"] == seen[-1].companions["RSA"]
    found = study(seeds)[-1]
    assert found.table()["first"][0] == "seed 0" and found.table()["k=1"].tolist() == found.tas[:, 0].tolist()


def test_the_store_gives_back_what_it_was_given(sides, seeds, store):
    shapeless = [Representation({"x": np.full((9, d), 0.1)}) for d in (2, 3)]
    for i, result in enumerate((compared(*sides)[-1], compared(*shapeless)[-1], compared(*sides, permutations=0)[-1], layered(*sides)[-1], study(seeds)[-1])):
        store.put_result(f"a{i}", result)
        same(store.result(f"a{i}"), result)


@pytest.mark.parametrize("largest", [1, 2, 59, 60, 61, 500, 1795, 19_998])
def test_the_grid_is_of_distinct_sizes_from_1_to_the_largest(largest):
    found = comparison.grid(largest)
    assert found[0] == 1 and found[-1] == largest and (np.diff(found) > 0).all() and min(largest, 60) <= len(found) <= 62


def wait(job, until=lambda job: not job.alive, seconds=60):
    end = time.monotonic() + seconds
    while not until(job) and time.monotonic() < end:
        time.sleep(0.02)
    return job


def test_units_run_in_a_worker_and_are_found_again(sides, store):
    refs = [{"representation": Ref.representation(store.put_representation(r))} for r in sides]
    inputs = dict(zip("ab", refs, strict=True))
    slow = engine.submit(studies.compare, inputs, {**FEW, "permutations": 100_000}, control="tas")
    wait(slow, until=lambda job: job.partial is not None or not job.alive)
    assert slow.partial.n == N
    slow.cancel()
    assert wait(slow, seconds=6).state == "cancelled"
    job = wait(engine.submit(studies.compare, inputs, FEW, control="tas"))
    assert job.state == "done"
    same(job.result(), compared(*sides)[-1])
    assert engine.stored(studies.compare, inputs, FEW) is not None
    job = wait(engine.submit(studies.layers, inputs, {}))
    assert job.state == "done"
    same(job.result(), layered(*sides)[-1])
    models = [Ref.model("builtin:raw"), Ref.model("builtin:mlp/plain")]
    job = wait(engine.submit(studies.convergence, {"models": models, "tuned": [], "dataset": Ref.dataset("builtin:digits/printed?n=40")}, {"permutations": 5}))
    assert job.state == "done" and job.result().n == 40 and len(job.result().pairs) == 1 and job.result().null() is not None


def _net(seed: int):
    import torch
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.ReLU(), torch.nn.Linear(8, 4))
