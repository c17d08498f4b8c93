"""The four experiments on invariance: the effects on fixed seeds, partial results, and what their results say."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from analysis import published
from analysis.data import scenes
from analysis.data.corner import cornered
from analysis.errors import Cancelled
from analysis.metrics import invariance as results
from analysis.metrics.invariance import Carried, Harm, Importance, Mismatch
from analysis.studies import invariance as studies
from tests.refusal import refused
from tests.told import Told

TINY = {"steps": 2, "samples": 60, "tested": 40, "seeds": 2}
FEW = {"mismatch": {**TINY, "sizes": (1, 3), "probed": 60}, "importance": {**TINY, "probed": 60, "few": (20,), "architectures": ("mlp",)},
       "harm": {**TINY, "probed": 60, "n": 20, "architecture": "conv-narrow", "settings": ((0.0, 1.0), (0.5, 1.0))},
       "carried": {**TINY, "n": 20, "transforms": ("hue", "rotate")}}


def run(name, ctx=None, inputs=None, **options):
    return list(getattr(studies, name)(inputs or {}, {**FEW[name], **options}, ctx or Told()))


# the effects, on fixed seeds

CLEAN = dict.fromkeys(studies.UNITS, studies.CLEAN) | {"carried": studies.PAIRED}  # what every result says of its items


@pytest.fixture(scope="module")
def nested():
    return run("mismatch", transforms=("rotate", "hue"), sizes=(1, 2), classes=8, targets=8, steps=160, samples=1500, probed=500, tested=500, seeds=1)[-1]


def test_a_network_trained_with_a_transform_is_less_sensitive_to_it():
    *_, found = run("carried", transforms=("hue",), classes=8, steps=80, samples=800, n=200, seeds=1)
    same, none = found.kinds()[0, :2, 0], found.kinds()[2, :2, 0]
    assert (same < none - 0.1).all() and (found.learned > 0.8).all()
    assert np.isnan(found.sensitivity[0, :, 0, 2]).all() and found.idle("handwritten digits") == ("hue",) and found.idle("noise") == ()  # those are grey
    assert set(found.reasons.values()) == {results.IDLE}


def test_superset_pretraining_does_not_lose_to_subset(nested):
    (one, fewer), (more, both) = nested.accuracy[0]
    assert more > one - 0.08 and both > fewer + 0.15 and nested.accuracy.min() > nested.chance
    assert nested.costs()["superset"][0] == pytest.approx(one - more) and nested.costs()["subset"][0] == pytest.approx(both - fewer)


def test_who_learned_one_half_of_a_picture_feels_that_half():
    *_, found = run("harm", settings=((0.0, 1.0),), steps=80, samples=1000, n=100, probed=300, tested=300, seeds=1)
    (digit, thing), (told, other) = found.sensitivity[0, 0, 1], found.sensitivity[0, 0, 2]
    assert digit > 0.8 > 0.4 > thing and other > 0.8 > 0.4 > told
    assert found.accuracy[0, 0, 1, 1] > 0.8 and found.accuracy[0, 0, 2, 2] > 0.95


# what every unit keeps to

@pytest.mark.parametrize(("name", "networks"), [("mismatch", 4), ("importance", 16), ("harm", 12), ("carried", 6)])
def test_results_grow_network_by_network_and_end_final(name, networks, store):
    ctx = Told()
    found = run(name, ctx)
    kind = studies.UNITS[name][1]
    assert [r.final for r in found] == [False] * (networks - 1) + [True] and all(isinstance(r, kind) for r in found)
    filled = [np.isfinite(r.accuracy if name != "carried" else r.learned).sum() for r in found]
    assert (np.diff(filled) > 0).all()
    assert len(ctx.notes) == 3 * networks and any("seed 2 of 2" in note for note in ctx.notes)
    last = found[-1]
    store.put_result("ab", last)
    again = store.result("ab")
    assert again.manifest() == last.manifest() == json.loads(json.dumps(last.manifest()))
    assert CLEAN[name] in again.notes and len(found[0].table()) == len(again.table())


def test_the_same_seed_gives_the_same_numbers_and_disturbs_nobody():
    import torch
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    first, again, other = (run("mismatch", seed=seed, seeds=1)[-1].accuracy for seed in (0, 0, 1))
    assert torch.equal(torch.rand(3), expected)
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_a_cancel_is_heard():
    with pytest.raises(Cancelled):
        run("carried", Told("trained with rotate, seed 1 of 2: step 1"))


def test_what_makes_no_sense_is_refused():
    for name, option, value, *words in (
            ("mismatch", "sizes", (2, 1), "[2, 1]"), ("mismatch", "sizes", (5,), "5", "4"), ("mismatch", "sizes", 3, "sizes"),
            ("mismatch", "transforms", ("rotat",), "'rotat'", "rotate"), ("mismatch", "transforms", (), "No transform"),
            ("mismatch", "steps", 0, "0 steps"), ("mismatch", "seeds", 1.5, "1.5 seeds"), ("mismatch", "seed", -1, "-1"), ("mismatch", "rate", 0, "rate is 0"),
            ("mismatch", "classes", 55, "55", "61"), ("mismatch", "architecture", "resnet-50", "'resnet-50'", "separable"),
            ("mismatch", "speed", 3, "'speed'", "steps"), ("importance", "factors", ("weather",), "'weather'", "architecture"),
            ("importance", "size", 4, "sets of 4", "6"), ("importance", "few", (5,), "5"), ("importance", "architectures", [], "architectures"),
            ("importance", "architectures", ["conv-narrow"], "architecture", "vary"), ("importance", "few", (60,), "60 samples alone"),
            ("harm", "settings", ((0.5, 1.2),), "(0.5, 1.2)"), ("harm", "settings", ((0.5,),), "(0.5,)"), ("harm", "settings", (), "settings")):
        refused(lambda name=name, option=option, value=value: run(name, **{option: value}), *words)
    for name in ("shipped", "made"):
        refused(lambda name=name: getattr(studies, name)("weather"), "'weather'", "mismatch")


def test_presets_are_sound():
    for name, presets in ((name, (studies.QUICK[name], studies.FULL[name])) for name in studies.UNITS):
        assert all(studies.settled(name, preset) == preset for preset in presets)


# what the pictures are

def test_held_out_pictures_stand_before_backgrounds_that_no_training_saw():
    stage = studies.staged({})
    seen, held = ({background.tobytes() for background in side.backgrounds} for side in (stage.seen, stage.held))
    assert not seen & held and len(stage.seen.backgrounds) + len(stage.held.backgrounds) == len(scenes.builtin().backgrounds)
    items, labels = stage.pictures(40, np.array([7, 3]), (), [0, 1])
    assert sorted(set(labels)) == [0, 1] and items.shape == (40, 32, 32, 3)
    same, _ = stage.pictures(40, np.array([7, 3]), (), [0, 1])
    np.testing.assert_array_equal(items, same)


def test_labels_number_the_classes_in_the_order_given():
    stage = studies.staged({})
    plain = scenes.Scenes(stage.seen.objects, stage.seen.backgrounds[:1], stage.seen.classes)
    items, labels = replace(stage, seen=plain).pictures(20, np.array([7, 3]), (), [0, 1])
    again, numbers = scenes.draw(plain, n=20, classes=[7, 3], seed=studies._number([0, 1]))
    np.testing.assert_array_equal(items, again)
    np.testing.assert_array_equal(labels, np.where(numbers == 7, 0, 1))


def test_a_single_background_is_shared_and_that_is_said():
    given = scenes.builtin()
    few = scenes.Scenes(given.objects[:30], given.backgrounds[:1], given.classes[:30])
    assert studies.SHARED in run("mismatch", inputs={"scenes": few}, seeds=1, sizes=(1,))[-1].notes


def test_the_two_sets_of_a_seed_are_disjoint_and_seeds_differ():
    chosen = {"seed": 0, "transforms": tuple("abcdefgh"), "size": 4}
    sets = [studies.sides(chosen, s) for s in range(4)]
    assert all(len(a) == len(b) == 4 and not set(a) & set(b) for a, b in sets) and len(set(sets)) > 1


def test_the_corner_holds_the_object_and_nothing_else():
    corner = cornered(scenes.builtin().objects[:10])
    bare, digits, _ = corner.draw(60, seed=3, share=0)
    both, same, objects = corner.draw(60, seed=3)
    np.testing.assert_array_equal(digits, same)
    changed = (bare != both).any(axis=(0, 3))
    assert changed[1:13, 19:31].any() and not changed[13:].any() and not changed[:, :19].any()
    tied, told, things = corner.draw(60, seed=3, correlation=1)
    np.testing.assert_array_equal(told, things)
    assert 5 < (digits == objects).sum() + 5 < 25  # about a tenth, by chance
    half = corner.draw(400, seed=3, share=0.5)[0]
    carries = (half != corner.draw(400, seed=3, share=0)[0]).any(axis=(1, 2, 3)).mean()
    assert 0.4 < carries < 0.6


def test_one_half_of_a_picture_can_be_kept_bit_for_bit():
    corner = cornered(scenes.builtin().objects[:10])
    (one, digits, things), (_, same, others), (_, new, kept) = (corner.draw(50, seed=a, things=b) for a, b in ((1, 1), (1, 2), (2, 1)))
    np.testing.assert_array_equal(digits, same)
    np.testing.assert_array_equal(things, kept)
    assert (things != others).any() and (digits != new).any()
    np.testing.assert_array_equal(one[:, 13:], corner.draw(50, seed=1, things=2)[0][:, 13:])


# what the results say

def test_costs_are_measured_against_the_set_of_the_target():
    accuracy = np.array([[[0.9, 0.5], [0.85, 0.8]], [[0.9, 0.4], [0.89, 0.8]]])
    found = Mismatch(["a", "b"], [1, 2], [1, 2], accuracy, np.ones((2, 2)), 0.1)
    assert found.costs()["superset"][0] == pytest.approx(0.03) and found.costs()["subset"][0] == pytest.approx(0.35)
    np.testing.assert_allclose(found.to_largest()[:, 0], [0.45, 0.8])
    np.testing.assert_array_equal(found.own(), np.ones((2, 3)))
    assert found.transforms == ("a", "b") and (found.spans() >= 0).all() and (found.spans() <= 1).all()


def test_figures_of_importance_are_spreads_and_gaps():
    accuracy = np.empty((2, 2, 2, 4))
    accuracy[:, :, 0], accuracy[:, :, 1] = [0.9, 0.8, 0.9, 0.7], [0.5, 0.3, 0.5, 0.5]
    found = Importance(("x", "x", "y", "y"), ("1", "2", "1", "3"), accuracy, np.ones((2, 2, 4)), [[["a"], ["b"]], [["c"], ["d"]]], 0.1)
    x, y = (tuple(round(span[0], 6) for span in found.figures()[name].values()) for name in "xy")
    assert x == (0.2, 0.45, 0.1) and y == (0.0, 0.3, 0.2) and found.sets[0] == (("a",), ("b",))
    assert tuple(found.figures()["x"]) == results.FIGURES


def test_a_spread_is_never_negative_and_a_gap_may_be():
    accuracy = np.full((2, 2, 2, 2), 0.5)
    accuracy[0, :, 0], accuracy[1, :, 1] = [0.6, 0.9], [0.5, 0.9]  # of one seed alone
    found = Importance(("x", "x"), ("1", "2"), accuracy, np.ones((2, 2, 2)), [[["a"], ["b"]]] * 2, 0.1).figures()["x"]
    assert found["within same"][:2] == (pytest.approx(0.15), 0) and found["within disjoint"][:2] == (pytest.approx(0.2), 0)
    assert found["same vs disjoint"][1] < 0 and all(isinstance(value, float) for span in found.values() for value in span)
    lone = Importance(("x", "x"), ("1", "2"), accuracy[:1], np.ones((1, 2, 2)), [[["a"], ["b"]]], 0.1).figures()["x"]["within same"]
    assert lone[0] == pytest.approx(0.3) and np.isnan(lone[1:]).all()


def test_curves_of_harm_keep_the_other_knob():
    settings = ((0.0, 1.0), (1.0, 1.0), (0.5, 1.0), (0.0, 0.5), (1.0, 0.5))
    accuracy = np.full((5, 2, 4, 4), 0.5)
    accuracy[:, :, 1, 2] = 0.3
    found = Harm(settings, accuracy, np.ones((5, 2, 4, 2)), (0.1,) * 4)
    values, places = found.along("correlation")
    assert values.tolist() == [0, 0.5, 1] and places == [0, 2, 1]
    assert found.along("availability")[1] == [3, 0] and found.harm(2)[0] == pytest.approx(0.2)


def test_what_is_noticed_is_compared_seed_by_seed():
    sensed = np.ones((1, 3, 4, 2))
    sensed[0, :, 0, 1], sensed[0, :, 1, 1] = [0.2, 0.5, 0.8], [0.1, 0.4, 0.7]
    mean, low, high = Harm(((0.0, 1.0),), np.ones((1, 3, 4, 4)), sensed, (0.1,) * 4).noticed()
    assert mean == pytest.approx(-0.1) and low == pytest.approx(high) == pytest.approx(-0.1)  # however far the seeds lie apart


def test_kinds_tell_the_same_transform_from_another_and_from_none():
    values = np.arange(6.0).reshape(1, 3, 2, 1).repeat(4, axis=3)
    found = Carried(("a", "b", "none"), ("a", "b"), values, np.ones((1, 3)))
    np.testing.assert_allclose(found.kinds()[:, 0, 0], [(0 + 3) / 2, (1 + 2) / 2, (4 + 5) / 2])
    values[0, 0, 0, 2] = np.nan
    assert Carried(("a", "b", "none"), ("a", "b"), values, np.ones((1, 3))).kinds()[0, 2, 0] == 3


def test_results_that_do_not_fit_are_refused():
    refused(lambda: Mismatch(("a",), (1,), (1,), np.ones((1, 2, 1)), np.ones((1, 1)), 0.1), "accuracy", "(1, 2, 1)")
    refused(lambda: Carried(("a", "none"), ("a",), np.ones((1, 2, 1, 3)), np.ones((1, 2))), "sensitivity")


# what is shipped, and what was published

@pytest.mark.parametrize("name", studies.UNITS)
def test_our_own_runs_are_shipped_with_the_command_that_makes_them(name):
    found, facts = studies.shipped(name), studies.made(name)
    assert found.final and facts["command"].endswith(f"analysis.studies.invariance {name}") and facts["seconds"] > 0
    assert facts["versions"]["unit"] == studies.UNITS[name][0].VERSION
    assert set(facts) == {"date", "command", "versions", "seconds"} and CLEAN[name] in found.notes
    assert studies.settled(name, found.options) == studies.settled(name, studies.FULL[name])


def test_our_own_runs_show_the_published_effects():
    costs = studies.shipped("mismatch").costs()
    assert costs["superset"][0] < costs["subset"][0] / 2
    same, other, none = studies.shipped("carried").kinds()[:, :2, 0]
    assert (same < other - 0.1).all() and (same < none - 0.1).all()


def test_published_figures_fit_what_they_stand_beside():
    assert all(tuple(found) == results.FACTORS and all(len(f) == len(results.FIGURES) for f in found.values())
               for found in published.INVARIANCE_IMPORTANCE.values())
    assert all(tuple(kinds) == results.KINDS and all(len(v) == len(published.INVARIANCE_CARRIED_DATA) for v in kinds.values())
               for kinds in published.INVARIANCE_CARRIED.values())
    assert tuple(published.INVARIANCE_HARM) == results.TRAINED
    assert all(len(a) == len(results.TRANSFERS) and len(b) == len(results.PARTS) for a, b in published.INVARIANCE_HARM.values())
    assert len(published.INVARIANCE_MISMATCH) == len(studies.EIGHT)


def test_main_writes_what_shipped_reads(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(studies, "ASSETS", tmp_path)
    monkeypatch.setitem(studies.FULL, "carried", FEW["carried"])
    studies.main(["carried"])
    found = studies.shipped("carried")
    assert found.final and found.trained == ("hue", "rotate", "none") and "trained with hue" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        studies.main(["weather"])
    assert isinstance(SimpleNamespace(**studies.made("carried")).seconds, int)
