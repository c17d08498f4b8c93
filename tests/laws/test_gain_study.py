import time

import numpy as np
import pytest

from analysis import Dataset, Model, Representation, engine, load_dataset, load_model
from analysis.engine import Ref
from analysis.errors import Cancelled
from analysis.metrics import gain
from analysis.studies import gain as studies
from tests.refusal import refused
from tests.told import Told

N, FEW = 90, {"budget": 12, "seeds": 4}


def domain(name: str, seed: int, classes=("a", "b", "c"), n: int = N, turned: bool = False, model: str = "one", ids=None, **changes) -> Representation:
    """Two layers of three classes; `turned`: each class looks like the next."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % len(classes)
    places = np.array([dict(a=0, b=1, c=2).get(c, 3) for c in classes])[labels]
    x = 3 * np.eye(4, 6)[(places + turned) % 3 if turned else places] + rng.normal(size=(n, 6))
    made = {"labels": labels, "classes": classes, "ids": ids or [f"{name} {i}" for i in range(n)], "domain": name,
            "manifest": {"model": {"name": model, "digest": model}}}
    return Representation({"early": rng.normal(size=(n, 6)), "late": x}, **{**made, **changes})


@pytest.fixture(scope="module")
def home() -> Representation:
    return domain("home", 1)


@pytest.fixture(scope="module")
def sources() -> dict:
    return {"near": domain("near", 2), "turned": domain("turned", 3, turned=True)}


def inputs(home, *sources) -> dict:
    return {"target": {"representation": home}, "sources": [{"representation": r} for r in sources]}


def measured(home, *sources, ctx=None, unit=studies.measure, **options):
    return list(unit(inputs(home, *sources), {**FEW, **options}, ctx or Told()))


def kernel(home, sources: dict, layer: str = "late", **options):
    *_, found = gain.measure(home.layers[layer], {name: r.layers[layer] for name, r in sources.items()}, target_labels=home.labels, target_ids=home.ids,
                             source_labels={name: r.labels for name, r in sources.items()}, source_ids={name: r.ids for name, r in sources.items()},
                             **{**FEW, **options})
    return found


def test_a_gain_is_what_the_metric_makes_of_the_layer(home, sources):
    *_, found = measured(home, *sources.values())
    expected = kernel(home, sources)
    for name in ("base", "accuracy", "confusion", "per_class", "labels"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    assert found.names == ("near", "turned") and found.blends == gain.blends(sources) and found.warnings == expected.warnings
    assert found.options["layer"] == "late" and found.options["classes"] == ["a", "b", "c"] and found.options["target"] == "home"


@pytest.mark.parametrize("options", [{"layer": "early"}, {"seed": 3}, {"tested": 20}, {"weights": {"near": 0.5}}, {"limit": {"near": 9}},
                                     {"blends": [["near"]]}, {"blends": [["near"]], "keep": [["near"]]}, {"probe": "logistic", "seeds": 1}])
def test_what_is_asked_reaches_the_metric(home, sources, options):
    *_, found = measured(home, *sources.values(), **options)
    np.testing.assert_array_equal(found.accuracy, kernel(home, sources, **options).accuracy)


def test_it_comes_split_by_split(home, sources):
    found = measured(home, *sources.values())
    assert [f.done for f in found] == [1, 2, 3, 4]
    np.testing.assert_array_equal(found[-1].accuracy[:, :2], found[1].accuracy)


def test_a_contradicting_source_hurts_and_a_copy_of_the_target_does_not(home, sources):
    copy = domain("copy", 1)
    *_, found = measured(home, sources["turned"], copy)
    assert found.negative("turned") and abs(found.interval("copy")[0]) < 0.03
    *_, mild = measured(home, sources["turned"], without={"turned": ["a", "b"]})
    assert mild.interval("turned")[0] > found.interval("turned")[0]
    assert mild.options["without"] == {"turned": ["a", "b"]}


def test_other_pictures_of_tested_items_are_not_trained_on(home):
    again = domain("again", 7, ids=home.ids)
    *_, found = measured(home, again)
    assert found.tested == N // 2 and any("target's too" in note for note in found.warnings)


def test_row_numbers_name_nothing_across_datasets(home):
    numbers = [str(i) for i in range(N)]
    *_, found = measured(domain("home", 1, ids=numbers), domain("near", 2, ids=numbers))
    assert found.tested == N - 12 and found.warnings == ()


def test_classes_are_matched_by_name(home):
    shuffled = domain("near", 2, classes=("c", "x", "b", "a"))
    *_, found = measured(home, shuffled)
    assert found.interval("near")[0] > -0.02 and found.n_sources == (67,)
    assert any("23 of 90 items are left out" in note and "x" in note for note in found.warnings)
    *_, found = measured(home, domain("near", 2, classes=("a", "b")))
    assert any("near has no items of the classes c" in note for note in found.warnings)


def test_what_cannot_be_matched_is_refused(home, sources):
    near = sources["near"]
    refused(lambda: measured(home, domain("far", 2, classes=("x", "y"))), "no class in common", "a, b, c", "x, y")
    refused(lambda: measured(home, domain("far", 2, model="two")), "one model", "two")
    refused(lambda: measured(domain("home", 1, labels=None), near), "no labels")
    refused(lambda: measured(home, domain("bare", 2, labels=None)), "Bare has no labels")
    refused(lambda: measured(home, near, layer="none"), "no layer", "none")
    refused(lambda: measured(home, near, near), "near")
    refused(lambda: measured(home, near, without={"near": ["q"]}), "q", "a, b, c")
    refused(lambda: measured(home, near, without={"q": ["a"]}), "q")
    refused(lambda: measured(home, near, budget=2), "budget")
    refused(lambda: measured(home, near, blends=[["q"]]), "q")
    narrow = Representation({"late": near.layers["late"][:, :3]}, near.labels, near.classes, domain="narrow")
    refused(lambda: measured(home, narrow), "columns")


@pytest.mark.parametrize("options, says", [
    ({"names": 5}, "names"), ({"weights": 3}, "weights"), ({"limit": [9]}, "limit"), ({"without": 5}, "without"), ({"without": {"near": "ab"}}, "near"),
    ({"blends": 5}, "blends"), ({"blends": "near"}, "blends"), ({"blends": [[]]}, "no blend"), ({"blends": [5]}, "no blend"), ({"keep": 5}, "keep"),
    ({"blends": [["near", "turned"], ["turned", "near"]]}, "twice"), ({"layer": ["late"]}, "layer"), ({"budgets": 7}, "budgets")])
def test_options_of_another_shape_are_refused(home, sources, options, says):
    for unit in (studies.measure, studies.curve):
        refused(lambda unit=unit: measured(home, *sources.values(), unit=unit, **options), says)


def test_many_classes_are_not_all_listed():
    many = domain("many", 2, classes=tuple(f"class {i}" for i in range(20)))
    error = refused(lambda: measured(domain("home", 1), many), "and 12 more")
    assert "class 15" not in str(error)


def test_a_curve_is_what_the_metric_makes_of_it(home, sources):
    near = sources["near"]
    found = measured(home, near, unit=studies.curve, budgets=[6, 12])
    *_, expected = gain.curve(home.layers["late"], {"near": near.layers["late"]}, [6, 12], target_labels=home.labels, source_labels={"near": near.labels},
                              target_ids=home.ids, source_ids={"near": near.ids}, seeds=4)
    np.testing.assert_array_equal(found[-1].accuracy, expected.accuracy)
    assert [f.done for f in found] == [1, 2, 3, 4] and found[-1].options["layer"] == "late"
    *_, found = measured(home, near, unit=studies.curve)
    assert found.budgets.tolist() == [6, 12, 24, 45]


def test_a_cancel_is_heard_at_once(home, sources):
    for word in ("opening", "split 2"):
        with pytest.raises(Cancelled):
            measured(home, *sources.values(), ctx=Told(word))


def test_models_are_run_where_there_is_no_representation(store):
    import torch
    net = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.ReLU())
    model = Model.wrap(net, preprocess=torch.from_numpy, layers=["1"], name="net", modality="array")
    made = [Dataset(np.random.default_rng(i).normal(size=(40, 4)).astype(np.float32), np.arange(40) % 2, domain=name) for i, name in enumerate("ab")]
    entries = [{"model": model, "dataset": data} for data in made]
    ctx = Told()
    *_, found = studies.measure({"target": entries[0], "sources": entries[1:]}, {}, ctx)
    assert found.budget == 20 and found.seeds == 10 and found.names == ("b",) and any("extracting" in note for note in ctx.notes)


def test_built_in_cases_help_and_hurt(store):
    model = load_model("builtin:vit/seed0")
    entry = lambda name: {"model": model, "dataset": load_dataset(f"builtin:digits/{name}?n=400")}
    names = ["handwritten-noise-3", "handwritten-turned-180"]
    *_, found = studies.measure({"target": entry("handwritten"), "sources": [entry(name) for name in names]},
                                {"budget": 50, "seeds": 4, "blends": [[name] for name in names]}, Told())
    assert found.interval(names[0])[1] > 0 and found.negative(names[1])


def test_it_runs_in_a_worker_and_is_found_again(home, sources, store):
    refs = [{"representation": Ref.representation(store.put_representation(r))} for r in (home, sources["near"])]
    asked = {"target": refs[0], "sources": refs[1:]}
    job, end = engine.submit(studies.measure, asked, FEW, control="gain"), time.monotonic() + 60
    while job.alive and time.monotonic() < end:
        time.sleep(0.02)
    assert job.state == "done"
    *_, here = measured(home, sources["near"])
    for found in (job.result(), engine.stored(studies.measure, asked, FEW)):
        np.testing.assert_array_equal(found.accuracy, here.accuracy)
        assert found.options == here.options and found.warnings == here.warnings and found.blends == here.blends
