"""What sources do to the accuracy on a target: what must hold for any domains."""

import json

import numpy as np
import pytest

from analysis.metrics import gain, probe
from analysis.store import Store
from tests.refusal import refused

torch = pytest.importorskip("torch")
CENTRES = np.random.default_rng(9).normal(size=(4, 8))


def domain(seed=0, n=120, noise=1.3, shift=0.0, classes=4):
    """(rows, labels): each class about a centre that all domains share, but for a shift."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % classes
    return CENTRES[y] + shift * rng.normal(size=8) + noise * rng.normal(size=(n, 8)), y


def given(**sources):
    return {"sources": {name: x for name, (x, _) in sources.items()}, "source_labels": {name: y for name, (_, y) in sources.items()}}


def measured(target=None, *, budget=16, seeds=4, **options):
    """The last partial result; sources as name=(rows, labels)."""
    sources = {name: options.pop(name) for name in list(options) if isinstance(options[name], tuple) and len(options[name]) == 2}
    x, y = target or domain()
    *_, found = gain.measure(x, target_labels=y, budget=budget, seeds=seeds, **given(**sources), **options)
    return found


def contradicting(seed=1):
    x, y = domain(seed)
    return x, (y + 1) % 4


# what comes out

def test_blends_are_the_non_empty_choices():
    assert gain.blends("abc") == (("a",), ("b",), ("c",), ("a", "b"), ("a", "c"), ("b", "c"), ("a", "b", "c"))
    assert len(gain.blends("abcdef")) == 63 and gain.blends([]) == ()
    refused(lambda: gain.blends("abcdefg"), "7", "6")
    refused(lambda: gain.blends("aa"), "a, a")


def test_the_gain_of_nothing_is_nothing():
    found = measured(near=domain(1), blends=[(), ("near",)])
    assert (found.gain(()) == 0).all() and found.interval(()) == (0, 0, 0) and not found.negative(())
    assert found.blends == (("near",),) and found.delta().shape == (1, 4)
    np.testing.assert_array_equal(found.gain("near"), found.accuracy[0] - found.base)


def test_more_of_the_same_helps_and_a_contradiction_hurts():
    found = measured(near=domain(1), contrary=contradicting(), seeds=10)
    assert found.interval("near")[1] > 0 and not found.negative("near")
    assert found.interval("contrary")[2] < -0.1 and found.negative("contrary")
    assert found.interval("contrary")[0] < found.interval(("contrary", "near"))[0] < found.interval("near")[0]


@pytest.mark.parametrize("kind", ["ridge", "logistic"])
def test_the_target_again_gains_nothing(kind):
    """Rows that are tested are not trained on under another name; those trained on count twice, and a copy does not tell how strong the penalty is to be."""
    for budget in (60, 16):
        found = measured(again=domain(), budget=budget, seeds=10 if kind == "ridge" else 2, probe=kind)
        assert np.abs(found.gain("again")).max() < 0.005 and "120 of 120 items" in found.warnings[0]
    x, y = domain()
    *_, same = gain.measure(x, {"again": x[:7]}, target_labels=y, source_labels={"again": y[:7]}, budget=60, seeds=2)
    assert "7 of 7" in same.warnings[0]
    once = measured(again=domain(), seeds=1, keep=["again"])
    np.testing.assert_array_equal(once.after[0], once.before)


@pytest.mark.parametrize("copied", [lambda x: x.astype(np.float32), np.copy,
                                    lambda x: x + 1e-9 * x.std(axis=0) * np.random.default_rng(5).normal(size=x.shape)],
                         ids=["in single precision", "equal", "jittered"])
@pytest.mark.parametrize("place", [lambda x: x, lambda x: 1e-6 * x + 1e-4, lambda x: x * [1e6, 1, 1, 1, 1e-6, 1, 1, 1], lambda x: np.c_[x, np.zeros(120)]],
                         ids=["plain", "small and far", "uneven", "a constant column"])
def test_copies_are_told_but_for_rounding(copied, place):
    x, y = place(domain()[0]), domain()[1]
    found = measured((x, y), again=(copied(x), y), budget=30, seeds=3)
    assert "120 of 120 items" in found.warnings[0]
    np.testing.assert_allclose(found.gain("again"), 0, atol=0.005)


def test_near_rows_are_no_copies():
    """However far from the origin: only what is as near as rounding puts it is the same."""
    x, y = domain()
    for move in (0, 1e3, -50):
        near = x + 1e-3 * np.random.default_rng(5).normal(size=x.shape)
        assert measured((x + move, y), near=(near + move, y), seeds=1).warnings == ()
    few = np.r_[x[:5], x[5:] + 0.01]
    assert "Source 'few': 5 of 120" in measured((x, y), few=(few, y), seeds=1).warnings[0]


def test_copies_are_found_whatever_else_is_there():
    """As one looks by comparing all pairs."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=(200, 3)).round(1)
    x[50:90] = x[0]
    others = np.r_[x[rng.permutation(200)[:80]] + 1e-7 * rng.normal(size=(80, 3)), rng.normal(size=(100, 3)).round(1)]
    copies = gain._Copies(x, np.zeros(3))
    apart = lambda a, b: np.sqrt((((a[:, None] - b) / copies.scale)**2).mean(axis=2)) <= gain.SAME
    np.testing.assert_array_equal(copies.group[:, None] == copies.group, apart(x, x))
    np.testing.assert_array_equal(copies.of(others)[:, None] == copies.group, apart(others, x))


def test_other_pictures_of_a_tested_item_are_not_trained_on():
    """Told by their ids; half of the items is then tested, and the source is left with those of the other half."""
    (x, y), names = domain(), [f"item {i}" for i in range(120)]
    again = x + 0.1 * np.random.default_rng(3).normal(size=x.shape)
    call = lambda **more: list(gain.measure(x, {"a": again}, target_labels=y, source_labels={"a": y}, budget=16, seeds=1, keep=["a"], **more))[-1]  # noqa: E731
    found = call(target_ids=names, source_ids={"a": names})
    assert found.tested == 60 and "120 of 120 items" in found.warnings[0] and call().tested == 104 and not call().warnings
    tested = found.before.sum(axis=1) > 0
    assert call(target_ids=names, source_ids={"a": [f"other {i}" for i in range(120)]}).tested == 104
    train = probe.ridge(*(np.r_[part[~tested], part[~tested]] for part in (x, y)))
    assert abs((found.after[0][tested].argmax(axis=1) == y[tested]).mean() - train.accuracy(x[tested], y[tested])) < 0.15


def test_it_is_the_accuracy_of_a_probe_of_all_rows_together():
    (x, y), (u, v), (s, t) = domain(), domain(1), domain(2, shift=1)
    *_, found = gain.measure(x, {"a": u, "b": s}, target_labels=y, source_labels={"a": v, "b": t}, budget=16, seeds=1, weights={"b": 0.3},
                             keep=[("a", "b")])
    tested = found.before.sum(axis=1) > 0
    rows, labels = np.r_[x[~tested], u, s], np.r_[y[~tested], v, t]
    weights, judged = np.r_[np.ones(16 + 120), np.full(120, 0.3)], np.arange(16)
    direct = probe.ridge(rows, labels, weights=weights, judged=judged)
    assert tested.sum() == found.tested == 104 and (~tested).sum() == found.budget == 16
    np.testing.assert_array_equal(found.after[0][tested].argmax(axis=1), direct.predict(x[tested]))
    assert found.accuracy[2, 0] == pytest.approx(direct.accuracy(x[tested], y[tested]))
    assert found.base[0] == pytest.approx(probe.ridge(x[~tested], y[~tested]).accuracy(x[tested], y[tested]))


def test_what_is_kept_adds_up():
    found = measured(near=domain(1), contrary=contradicting(), keep=["near", ("contrary", "near")], seeds=5)
    assert found.kept == (("near",), ("near", "contrary")) and found.after.shape == (2, 120, 4)
    truth, items = found.labels, np.arange(120)
    np.testing.assert_array_equal(found.before.sum(axis=1), found.after[0].sum(axis=1))
    assert found.before.sum() == found.tested * 5
    assert found.before[items, truth].sum() / found.before.sum() == pytest.approx(found.base.mean())
    np.testing.assert_array_equal([found.after[1][truth == c].sum(axis=0) for c in range(4)], found.confusion[3])
    turned, times = found.turned("near"), found.before.sum(axis=1)
    assert np.nansum(turned * times) / times.sum() == pytest.approx(found.gain("near").mean())
    refused(lambda: found.turned("contrary"), "keep")


def test_classes_and_confusion_add_up():
    found = measured(near=domain(1), contrary=contradicting(), tested=40)
    assert found.confusion.shape == (4, 4, 4) and (found.confusion.sum(axis=(1, 2)) == 4 * 40).all()
    np.testing.assert_allclose(found.confusion.trace(axis1=1, axis2=2) / 160, np.r_[found.base.mean(), found.accuracy.mean(axis=1)])
    np.testing.assert_allclose(found.per_class.mean(axis=1), np.vstack([found.base, found.accuracy]))  # ten of each class are tested
    np.testing.assert_allclose(found.class_gain("near").mean(axis=0), found.gain("near"))
    assert found.confused("contrary").sum() == 0 and found.confused("contrary").trace() < 0


def test_a_class_that_was_not_tested_has_no_recall():
    x, y = domain()
    found = measured((np.r_[x, 1 + x[:2]], np.r_[2 * y, 7, 7]), near=domain(1, classes=2))
    assert found.classes == 8 and np.isnan(found.per_class[:, [1, 3, 5]]).all() and not np.isnan(found.per_class[:, [0, 2, 4, 6, 7]]).any()
    assert "60 of 120" in found.warnings[0]  # the source's class 1 is none of the target's


def test_without_sources_it_is_the_probe_of_the_target():
    found = measured(seeds=3)
    assert found.blends == () and found.delta().shape == (0, 3) and found.table()["blend"].tolist() == ["target alone"]
    np.testing.assert_array_equal(found.base, measured(near=domain(1), seeds=3).base)


def test_very_few_items_are_enough():
    target = domain(n=4, classes=2)
    found = measured(target, near=domain(1, classes=2), budget=2, seeds=3)
    assert found.tested == 2 and ((0 <= found.accuracy) & (found.accuracy <= 1)).all()
    refused(lambda: measured(target, budget=2, probe="logistic"), "two")  # nothing to choose its strength by


def test_copies_within_the_target_are_told():
    x, y = domain()
    assert "3 rows" in measured((np.r_[x, x[:3]], np.r_[y, y[:3]])).warnings[0]


# what a split is

@pytest.mark.parametrize("budget", [4, 16, 30, 116])
def test_splits_keep_the_shares_of_the_classes(budget):
    x, y = domain()
    y = np.where(np.arange(120) < 80, 0, y)
    found = measured((x, y), near=domain(1), budget=budget, keep=["near"], seeds=1)
    sizes, tested = np.bincount(y), np.bincount(y[found.before.sum(axis=1) > 0])
    trained = sizes - tested
    assert trained.sum() == budget and trained.min() >= 1 and tested.min() >= 1
    assert np.abs(trained - budget * sizes / 120).max() <= (1 if 12 < budget < 116 else 3)


def test_every_item_has_its_turn():
    found = measured(near=domain(1), budget=8, tested=12, seeds=40, keep=["near"])
    times = found.before.sum(axis=1)
    assert times.sum() == 480 and (times > 0).mean() > 0.9 and times.max() < 15


def test_smaller_training_parts_lie_in_larger_ones(monkeypatch):
    (x, y), seen, solve = domain(), [], probe.solve
    monkeypatch.setattr(probe, "solve", lambda total, rows, *more: seen.append({row.tobytes() for row in rows}) or solve(total, rows, *more))
    list(gain.curve(x, {}, [7, 13, 30, 101], target_labels=y, source_labels={}, seeds=3))
    parts = [seen[i:i + 8:2] for i in range(0, 24, 8)]
    for part in parts:
        assert [len(rows) for rows in part] == [7, 13, 30, 101] and part[0] < part[1] < part[2] < part[3]
    assert parts[0][0] != parts[1][0]


def test_the_order_of_items_and_classes_does_not_matter():
    (x, y), (u, v), rng = domain(), domain(1, shift=0.5), np.random.default_rng(3)
    plain = {"target_ids": range(120), "source_ids": {"a": range(120)}, "budget": 22, "seeds": 3, "limit": {"a": 50}, "keep": ["a"]}
    *_, found = gain.measure(x, {"a": u}, target_labels=y, source_labels={"a": v}, **plain)
    i, j, to = rng.permutation(120), rng.permutation(120), np.array([2, 0, 3, 1])
    *_, other = gain.measure(x[i], {"a": u[j]}, target_labels=to[y[i]], source_labels={"a": to[v[j]]}, **{**plain, "target_ids": i, "source_ids": {"a": j}})
    np.testing.assert_array_equal(found.base, other.base)
    np.testing.assert_array_equal(found.accuracy, other.accuracy)
    np.testing.assert_array_equal(found.per_class, other.per_class[:, to])
    np.testing.assert_array_equal(found.after[0][i], other.after[0][:, to])


def test_the_other_sources_do_not_matter():
    near, far = domain(1), domain(2, shift=2)
    alone, both = measured(near=near, limit={"near": 40}), measured(far=far, near=near, limit={"near": 40})
    np.testing.assert_array_equal(alone.gain("near"), both.gain("near"))
    np.testing.assert_array_equal(both.gain(("near", "far")), measured(near=near, far=far, limit={"near": 40}).gain(("far", "near")))


def test_seeds_reproduce_and_partial_results_are_the_first_of_the_last():
    x, y = domain()
    run = lambda seed: list(gain.measure(x, target_labels=y, budget=16, seeds=3, seed=seed, **given(near=domain(1), far=domain(2, shift=2))))
    found, again, other = run(0), run(0), run(1)
    assert [partial.done for partial in found] == [1, 2, 3] and found[0].seeds == 3
    for partial in found:
        np.testing.assert_array_equal(partial.accuracy, found[-1].accuracy[:, :partial.done])
        np.testing.assert_array_equal(partial.per_class, found[-1].per_class[:, :, :partial.done])
    np.testing.assert_array_equal(found[-1].accuracy, again[-1].accuracy)
    assert (found[-1].base != other[-1].base).any() and np.isnan(found[0].interval("near")[1])


# remedies

def test_a_source_without_weight_is_no_source():
    found = measured(near=domain(1), contrary=contradicting(), weights={"contrary": 0})
    assert (found.gain("contrary") == 0).all()
    np.testing.assert_array_equal(found.gain(("near", "contrary")), found.gain("near"))


def test_less_weight_and_fewer_items_of_a_contradiction_hurt_less():
    plain = measured(contrary=contradicting(), seeds=8).interval("contrary")[0]
    assert plain < measured(contrary=contradicting(), seeds=8, weights={"contrary": 0.05}).interval("contrary")[0]
    few = measured(contrary=contradicting(), seeds=8, limit={"contrary": 8})
    assert plain < few.interval("contrary")[0] and few.n_sources == (8,)
    same = measured(contrary=contradicting(), seeds=8, limit={"contrary": 500})
    assert same.interval("contrary")[0] == plain and same.n_sources == (120,)


def test_classes_that_contradict_can_be_left_out():
    x, y = domain(1)
    swapped = x, np.select([y == 0, y == 1], [1, 0], y)
    found, mended = measured(source=swapped, seeds=8), measured(source=swapped, seeds=8, without={"source": [0, 1]})
    assert found.interval("source")[0] < mended.interval("source")[0] and mended.n_sources == (60,)
    np.testing.assert_array_equal(mended.accuracy, measured(source=(x[y > 1], y[y > 1]), seeds=8).accuracy)


def test_the_logistic_probe_confirms(monkeypatch):
    monkeypatch.setattr(probe.logistic, "__kwdefaults__", {**probe.logistic.__kwdefaults__, "strengths": (0.1, 0.01)})
    found = measured(near=domain(1), contrary=contradicting(), probe="logistic", blends=["near", "contrary"], seeds=3)
    assert found.gain("near").mean() > 0 > found.gain("contrary").mean() and found.options["probe"] == "logistic"


# the learning curve

def test_the_curve_is_the_gain_at_each_number_of_items():
    (x, y), sources = domain(), given(near=domain(1), far=domain(2, shift=2))
    *_, found = gain.curve(x, budgets=[64, 8, 24], target_labels=y, seeds=4, **sources)
    assert found.budgets.tolist() == [8, 24, 64] and found.delta().shape == (3, 4) and found.tested == 56
    *_, at = gain.measure(x, target_labels=y, budget=64, seeds=4, **sources)
    np.testing.assert_array_equal(found.base[-1], at.base)
    np.testing.assert_array_equal(found.delta()[-1], at.gain(("near", "far")))
    assert found.base[0].mean() < found.base[-1].mean() and found.delta()[0].mean() > found.delta()[-1].mean()
    assert found.intervals().shape == (3, 3) and found.intervals("base")[0, 0] == pytest.approx(found.base[0].mean())
    *_, alone = gain.curve(x, {}, [8, 64], target_labels=y, source_labels={}, seeds=2)
    assert (alone.delta() == 0).all()
    assert [partial.done for partial in gain.curve(x, budgets=[8], target_labels=y, seeds=3, **sources)] == [1, 2, 3]


# what goes in

def test_bad_input_is_named():
    (x, y), near = domain(), domain(1)
    call = lambda target=x, labels=y, source=near, **options: gain.measure(target, target_labels=labels, **{"budget": 16, **given(near=source), **options})
    refused(lambda: call(np.where(x == x[5, 1], np.nan, x)), "target", "NaN", "row 5")
    refused(lambda: call(source=(np.where(near[0] == near[0][9, 0], np.inf, near[0]), near[1])), "near", "row 9")
    refused(lambda: call(source=(near[0][:, :5], near[1])), "8 columns", "5")
    refused(lambda: call(source=(near[0], near[1] + 4)), "near", "no item left")
    refused(lambda: call(without={"near": range(4)}), "near", "no item left")
    refused(lambda: call(labels=np.zeros(120, int)), "number 1")
    refused(lambda: call(x[:5], labels=np.array([0, 0, 1, 2, 3])), "number 1")
    refused(lambda: call(1e200 * x), "target", "huge")
    refused(lambda: call(without={"near": ["zero"]}), "zero", "near")
    refused(lambda: call(np.ones((120, 8))), "the same")
    for labels in (y[:7], y + 0.5, y - 1, y.astype(str)):
        refused(lambda labels=labels: call(labels=labels), "labels of the target")
    for budget in (3, 117, 2.5, None, True):
        refused(lambda budget=budget: call(budget=budget), "4 to 116")
    refused(lambda: call(tested=105), "1 to 104")
    refused(lambda: call(seeds=0), "splits")
    refused(lambda: call(seed=-1), "seed")
    refused(lambda: call(probe="forest"), "forest", "ridge")
    for option, value in (("weights", {"far": 1}), ("limit", {"far": 9}), ("without", {"far": [0]}), ("source_ids", {"far": []})):
        refused(lambda option=option, value=value: call(**{option: value}), "far", option, "near")
    refused(lambda: call(blends=[("near", "far")]), "far", "near")
    refused(lambda: call(keep=["near"], blends=[]), "near", "blends")
    for option, value in (("blends", 5), ("blends", "near"), ("blends", [5]), ("keep", 5), ("weights", 3), ("limit", [9]), ("without", {"near": 5})):
        refused(lambda option=option, value=value: call(**{option: value}), "was given as")
    refused(lambda: call(weights={"near": -1}), "near", "-1")
    refused(lambda: call(limit={"near": 0}), "near", "limit")
    refused(lambda: call(target_ids=["a"] * 120), "ids", "120")
    refused(lambda: call(source_labels={}), "names")
    refused(lambda: call(sources={str(i): near[0] for i in range(7)}, source_labels={str(i): near[1] for i in range(7)}), "7 sources")
    refused(lambda: gain.curve(x, {}, [], target_labels=y, source_labels={}), "train on")
    found = next(call())
    refused(lambda: found.gain("far"), "far", "near")


def test_torch_is_read_and_progress_is_told():
    (x, y), near, told = domain(), domain(1), []
    *_, found = gain.measure(torch.from_numpy(x), {"near": torch.from_numpy(near[0])}, target_labels=torch.from_numpy(y),
                             source_labels={"near": torch.from_numpy(near[1])}, budget=16, seeds=2, progress=lambda *line: told.append(line))
    np.testing.assert_array_equal(found.accuracy, measured(near=near, seeds=2).accuracy)
    assert told[0] == (0, 4, "split 1 of 2: target alone") and told[-1] == (4, 4, "done") and [line[0] for line in told] == [0, 1, 2, 3, 4]


def test_results_are_stored_and_told(tmp_path):
    store, (x, y) = Store(tmp_path), domain()
    *_, drawn = gain.curve(x, budgets=[8, 16], target_labels=y, seeds=2, **given(near=domain(1)))
    kept = measured(near=domain(1), far=domain(2), keep=["near"], weights={"far": 0.5}, limit={"near": 50}, without={"far": [1]})
    for found, lines in ((kept, 4), (measured(near=domain(1), seeds=1), 2), (drawn, 2)):
        store.put_result("a1", found)
        again = store.result("a1")
        assert again.manifest() == found.manifest() and again.names == found.names and again.table().equals(found.table()) and len(found.table()) == lines
        assert json.loads(json.dumps(found.manifest(), allow_nan=False))["options"]["seed"] == 0
    store.put_result("a1", kept)
    assert store.result("a1").kept == (("near",),) and store.result("a1").blends == kept.blends
    assert kept.table()["blend"].tolist() == ["target alone", "near", "far", "near + far"]
    assert kept.options["weights"] == {"far": 0.5} and kept.options["limit"] == {"near": 50} and kept.options["without"] == {"far": [1]}
