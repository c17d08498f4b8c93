from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from analysis import Representation, load_dataset, load_model
from analysis.errors import Cancelled
from analysis.metrics import gain, inspection, radar
from analysis.metrics.inspection import CONTRADICTION, IMBALANCE, NOTHING, SCARCE, SHIFT, Pairs
from analysis.studies import case as studies
from tests.refusal import refused
from tests.told import Told

SWITCHES = {"pairs": 300, "draws": 500, "components": 2, "radius": 2}
FEW = {"budget": 12, "seeds": 8, "splits": 3, "blocks": 3, "radar": SWITCHES}
N, CLASSES = 90, ("a", "b", "c")


def domain(name: str, seed: int, *, shift: float = 0, swap: bool = False, n: int = N, layers: int = 3, classes=CLASSES) -> Representation:
    """Three classes through a few states. `shift` moves all of it; `swap` gives what looks like a the label b, and the other way round."""
    rng, maps = np.random.default_rng(seed), np.random.default_rng(0).normal(size=(layers - 1, 8, 8))
    look = np.arange(n) % 3
    states = [2.2 * np.eye(3, 8)[look] + rng.normal(size=(n, 8)) + shift * np.eye(8)[7]]
    for weights in maps:
        states.append(states[-1] + 0.3 * np.tanh(states[-1] @ weights))
    labels = np.array([1, 0, 2])[look] if swap else look
    return Representation({f"state{i}": x for i, x in enumerate(states)}, labels, classes, [f"{name} {i}" for i in range(n)], domain=name,
                          manifest={"model": {"name": "one", "digest": "one"}})


@pytest.fixture(scope="module")
def home() -> Representation:
    return domain("home", 1)


@pytest.fixture(scope="module")
def sources() -> dict:
    return {"near": domain("near", 2, n=240), "far": domain("far", 3, shift=30, n=240), "swapped": domain("swapped", 4, swap=True, n=240)}


def inspected(target, source, ctx=None, **options) -> list:
    inputs = {"target": {"representation": target}, "source": {"representation": source}}
    return list(studies.inspect(inputs, {**FEW, "calibrate": False, **options}, ctx or Told()))


@pytest.fixture(scope="module")
def found(home, sources) -> dict:
    return {**{name: inspected(home, source)[-1] for name, source in sources.items()}, "half": inspected(home, sources["near"], without=["b", "c"])[-1]}


def strengths(found) -> dict:
    return {cause.name: cause.strength for cause in found.reading()}


# what it was owed to

def test_a_source_like_the_target_helps_and_nothing_is_wrong_with_it(found):
    near = found["near"]
    assert near.effect == "helped" and near.delta[1] > 0
    assert strengths(near) == {CONTRADICTION: "none", SHIFT: "none", IMBALANCE: "none", SCARCE: "strong", NOTHING: "strong"}
    assert "near helped home" in near.paragraph().lower() and "There was much to gain" in near.paragraph()


def test_a_source_whose_labels_say_otherwise_hurts_and_is_called_that(found):
    swapped = found["swapped"]
    assert swapped.effect == "hurt" and swapped.delta[2] < 0
    assert strengths(swapped)[CONTRADICTION] == "strong" and strengths(swapped)[SHIFT] == "none" and NOTHING not in strengths(swapped)
    assert swapped.contradicting[:2] in (("a", "b"), ("b", "a")) and "c" not in swapped.contradicting
    assert "The likely cause is label contradiction" in swapped.paragraph() and "a looks like the source's b" in swapped.paragraph()
    assert swapped.led > 0.8
    assert "so nothing of this" in swapped.paragraph()


def test_a_source_far_off_is_called_shifted_and_its_labels_are_not_judged(found):
    far = found["far"]
    assert strengths(far)[SHIFT] == "strong" and strengths(far)[CONTRADICTION] in ("none", "unknown")
    assert far.apart > inspection.APART[1] and far.away > inspection.AWAY[1]


def test_a_source_of_one_class_is_called_imbalanced(found):
    half = found["half"]
    assert strengths(half)[IMBALANCE] == "strong" and half.balance[1].tolist() == [1, 0, 0]
    assert strengths(half)[CONTRADICTION] == "unknown"  # one class is nothing to contradict
    assert "b, c nothing of the source" in half.paragraph() and np.isnan(half.borrowed_by_class[1:]).all()


def test_much_target_data_leaves_no_scarcity(home, sources):
    assert strengths(inspected(home, sources["near"], budget=60)[-1])[SCARCE] == "none"


def test_labels_that_the_layer_does_not_hold_are_not_compared(home, sources):
    shuffled = Representation(home.layers, np.random.default_rng(0).permutation(home.labels), CLASSES, home.ids, domain="home", manifest=home.manifest)
    found = inspected(shuffled, sources["near"])[-1]
    assert strengths(found)[CONTRADICTION] == "unknown" and found.contradicting == () and "nothing of labels" in found.paragraph()


@pytest.mark.parametrize("source", ["turned-180", "mirrored"])
def test_the_contradicting_digits_hurt_and_the_case_says_label_contradiction(source):
    model = load_model("builtin:vit/seed0")
    inputs = {side: {"model": model, "dataset": load_dataset(f"builtin:digits/{name}", n=300)}
              for side, name in (("target", "handwritten"), ("source", f"handwritten-{source}"))}
    *_, found = studies.inspect(inputs, {"budget": 50, "calibrate": False, "radar": {"pairs": 500, "draws": 500}}, Told())
    assert found.delta[2] < 0 and found.effect == "hurt"
    assert strengths(found)[CONTRADICTION] == "strong"
    assert "label contradiction" in found.paragraph()


def test_a_single_class_that_looks_like_another_is_seen(found):
    odd = replace(found["near"], votes=np.array([[12, 18, 0], [0, 30, 0], [0, 0, 30]]))
    assert odd.borrowed > 0.75 * odd.own and odd.contradicting == ("a",) and strengths(odd)[CONTRADICTION] == "some"
    assert "a looks like the source's b" in odd.paragraph()


# remedies

def test_without_the_contradicting_classes_and_with_no_weight_there_is_no_harm(home, sources, found):
    remedied = inspected(home, sources["swapped"], without=["a", "b"])[-1]
    assert remedied.delta[0] > found["swapped"].delta[0] and remedied.balance[1].tolist() == [0, 0, 1]
    assert (remedied.source_labels[remedied.near] == 2).all() and remedied.used == 80
    assert inspected(home, sources["swapped"], weight=0)[-1].delta == (0, 0, 0)
    light = inspected(home, sources["swapped"], weight=0.01)[-1]
    assert found["swapped"].delta[0] < light.delta[0]
    assert inspected(home, sources["swapped"], limit=9)[-1].used == 9


def test_duplicates_of_the_target_change_nothing(home):
    twin = Representation(home.layers, home.labels, CLASSES, home.ids, domain="twin", manifest=home.manifest)
    assert abs(inspected(home, twin, budget=60)[-1].delta[0]) < 0.06


# the numbers

def test_the_gain_is_the_measured_one(home, sources, found):
    near, source = found["near"], sources["near"]
    *_, measured = gain.measure(home.layers["state2"], {"near": source.layers["state2"]}, target_labels=home.labels, source_labels={"near": source.labels},
                                target_ids=home.ids, source_ids={"near": source.ids}, budget=12, seeds=8, keep=["near"])
    assert near.delta == measured.interval("near")
    for name in ("base", "accuracy", "per_class", "confusion", "labels", "before", "after"):
        np.testing.assert_array_equal(getattr(near.gains, name), getattr(measured, name))
    np.testing.assert_array_equal(near.turned, measured.turned("near"))


def test_items_that_changed_come_with_the_most_changed_first(found):
    for name in ("near", "swapped"):
        turned, flipped, gained = found[name].turned, found[name].flipped, found[name].gained
        assert (np.diff(turned[flipped]) >= 0).all() and (turned[flipped] < 0).all() and len(flipped) == min(inspection.SHOWN, (turned < 0).sum())
        assert (np.diff(turned[gained]) <= 0).all() and (turned[gained] > 0).all()


def test_neighbours_are_the_nearest(home, sources, found):
    x, y = home.layers["state2"].astype(float), sources["near"].layers["state2"].astype(float)
    distances = np.linalg.norm(x[:, None] - y, axis=2)
    near = found["near"]
    np.testing.assert_array_equal(near.near, np.argsort(distances, axis=1, kind="stable")[:, :5])
    np.testing.assert_allclose(near.near_distances, np.sort(distances, axis=1)[:, :5])
    assert near.votes.sum() == near.own_votes.sum() == N
    np.testing.assert_allclose(near.centroid, np.linalg.norm(x.mean(axis=0) - y.mean(axis=0)))


def test_of_equal_distances_the_lower_row_is_nearer():
    others = np.repeat(np.arange(4.0)[:, None], 20, axis=0)
    rows, distances = inspection.across(np.array([[1.1], [3.0]]), others, 3)
    assert rows.tolist() == [[20, 21, 22], [60, 61, 62]] and np.allclose(distances, [[0.1] * 3, [0] * 3])


def test_labels_of_neighbours_agree_with_the_ranking_of_sources(home, sources, found):
    *_, ranking = radar.calibrate(home, sources, splits=0, blocks=0, options=radar.Options(**SWITCHES))
    for i, name in enumerate(("near", "far", "swapped")):
        assert found[name].own == pytest.approx(ranking.own) and found[name].borrowed == pytest.approx(ranking.borrowed[i])
        assert found[name].radar == ranking.scores[i] and found[name].gauge == ranking.gauge[i]


def test_items_that_are_all_there_twice_have_no_distance_to_compare(home, sources):
    twice = Representation({"state0": np.repeat(home.layers["state0"], 2, axis=0), "state1": np.repeat(home.layers["state1"], 2, axis=0)},
                           np.repeat(home.labels, 2), CLASSES, domain="home", manifest=home.manifest)
    near = Representation({name: sources["near"].layers[name] for name in ("state0", "state1")}, sources["near"].labels, CLASSES, domain="near",
                          manifest=home.manifest)
    found = inspected(twice, near)[-1]
    assert np.isnan(found.apart) and strengths(found)[SHIFT] == "none" and "times as far" not in found.paragraph()


def test_classes_are_matched_by_name(home, sources, found):
    near = sources["near"]
    turned = Representation(near.layers, 2 - near.labels, CLASSES[::-1], near.ids, domain="near", manifest=near.manifest)
    again = inspected(home, turned)[-1]
    assert again.delta == found["near"].delta and again.borrowed == found["near"].borrowed and again.left_out == ()


def test_what_the_target_lacks_is_named_and_not_trained_on(home, sources):
    near = sources["near"]
    labels = np.where(np.arange(len(near)) < 30, 3, near.labels)
    found = inspected(home, Representation(near.layers, labels, (*CLASSES, "d"), near.ids, domain="near", manifest=near.manifest))[-1]
    assert found.left_out == ("d",) and (found.source_labels[:30] == -1).all() and found.near.min() >= 30 and found.used == 210
    assert "30 items are left out" in " ".join(found.warnings) or "30 of 240 items are left out" in " ".join(found.warnings)


# as it becomes known

def test_the_gain_comes_first_then_neighbours_then_radar_then_the_confirmation(home, sources):
    partials = inspected(home, sources["near"], calibrate=True, confirm=True, seeds=3)
    first, last = partials[0], partials[-1]
    assert first.done == 1 and not len(first.near) and np.isnan(first.radar) and np.isnan(first.delta[1]) and first.effect == "no clear effect"
    assert set(strengths(first).values()) <= {"unknown", "none"} and "a single draw" in first.paragraph() and "1 of 3 draws" in first.paragraph()
    kinds = [(found.done, len(found.near) > 0, np.isfinite(found.radar), found.verdict != "", len(found.confirmed)) for found in partials]
    assert kinds == sorted(kinds)
    assert last.final and not any(found.final for found in partials[:-1])
    assert len(last.null) == 3 and last.verdict and np.isfinite([*last.matched_interval, *last.band]).all() and len(last.confirmed) == 3
    assert "logistic regression" in last.paragraph()


def test_without_a_score_of_radar_the_rest_stays(sources):
    flat = domain("home", 1, layers=1), domain("near", 2, layers=1)
    found = inspected(*flat)[-1]
    assert found.final and np.isnan(found.radar) and "only one layer" in found.radar_reason and found.radar_reason in found.paragraph()
    assert strengths(found)[CONTRADICTION] == "none"


def test_a_target_too_small_for_halves_says_so(sources):
    found = inspected(domain("small", 8, n=30), sources["near"], calibrate=True)[-1]
    assert found.verdict == "" and np.isfinite(found.radar) and "too few for two halves" in " ".join(found.warnings)


def test_names_are_given_or_those_of_the_domains(home, sources):
    assert (inspected(home, sources["near"], names=["x", "y"])[-1].paragraph()).startswith("Y helped x")
    assert inspected(home, home)[-1].source == "home, as source"
    refused(lambda: inspected(home, sources["near"], names=["x"]), "1 names")


def test_what_cannot_be_inspected_is_refused(home, sources):
    refused(lambda: inspected(home, domain("other", 2, classes=("x", "y", "z"))), "no class in common", "a, b, c", "x, y, z")
    refused(lambda: inspected(Representation(home.layers, domain="bare"), sources["near"]), "has no labels")
    refused(lambda: inspected(home, sources["near"], without=["d"]), "'d'", "a, b, c")
    refused(lambda: inspected(home, sources["near"], without=list(CLASSES)), "no item left")
    refused(lambda: inspected(home, sources["near"], budget=2), "(budget)")
    refused(lambda: inspected(home, sources["near"], radar={"angle": "obtuse"}), "'obtuse'")
    refused(lambda: inspected(home, sources["near"], layer="deep"), "'deep'")
    refused(lambda: inspected(home, sources["near"], radar={"corner": 3}), "'corner'", "angle")
    for option, value in (("radar", 5), ("radar", None), ("without", 5), ("without", "ab"), ("names", 5), ("layer", ["state2"])):
        refused(lambda option=option, value=value: inspected(home, sources["near"], **{option: value}), f"{value!r} was given as {option}")
    for option, value in (("weight", "x"), ("limit", "all"), ("budget", [1])):
        refused(lambda option=option, value=value: inspected(home, sources["near"], **{option: value}), repr(value))


@pytest.mark.parametrize("at", ["opening", "split 2", "nearest", "all items", "the null"])
def test_a_cancel_is_heard(home, sources, at):
    with pytest.raises(Cancelled):
        inspected(home, sources["near"], Told(cancel_at=at), calibrate=True)


def test_the_store_gives_back_what_it_was_given(home, sources, store):
    for i, found in enumerate(inspected(home, sources["near"], calibrate=True, without=["b", "c"])):
        store.put_result(f"a{i}", found)
        again = store.result(f"a{i}")
        assert again.manifest() == found.manifest()
        for name, value in vars(found).items():
            (np.testing.assert_array_equal if isinstance(value, np.ndarray) else np.testing.assert_equal)(getattr(again, name), value)


def test_the_table_has_a_line_per_class(found):
    table = found["half"].table()
    assert list(table["class"]) == list(CLASSES) and table["gain"][0] > table["gain"][1:].max() and table["source"].tolist() == [1, 0, 0]


# all pairs

def paired(*domains, ctx=None, **options) -> list:
    entries = [{"representation": d} for d in domains]
    return list(studies.pairs({"domains": entries}, {"budget": 12, "seeds": 8, "radar": SWITCHES, **options}, ctx or Told()))


def test_every_domain_is_measured_and_predicted_as_the_source_of_every_other(home, sources, store):
    partials = paired(home, *sources.values())
    last, one = partials[-1], inspected(home, sources["near"])[-1]
    assert len(partials) == 4 and last.final and not partials[0].final and np.isnan(partials[0].measured[1:]).all()
    assert last.names == ("home", "near", "far", "swapped") and np.isnan(last.predicted.diagonal()).all()
    assert last.interval("home", "near") == one.delta and last.predicted[0, 1] == one.radar
    wrong = last.looked_good_but_hurt()
    assert ("home", "swapped") in wrong and ("home", "near") not in wrong
    table = last.table()
    assert len(table) == 12 and table["looked_good_but_hurt"].sum() == len(wrong)
    store.put_result("a", last)
    assert store.result("a").manifest() == last.manifest()


def test_a_pair_without_one_of_the_two_keeps_the_other(home):
    found = paired(home, domain("small", 7, n=14))[-1]
    assert np.isnan(found.predicted).all() and "RADAR needs 20" in found.reason("home", "small") and np.isfinite(found.measured[0, 1]).all()
    assert "target items" in found.reason("small", "home") and np.isnan(found.measured[1]).all() and found.looked_good_but_hurt() == []
    assert np.isnan(found.split)


def test_looking_good_is_being_no_farther_than_the_median():
    predicted = np.array([[np.nan, 1, 5], [2, np.nan, 6], [3, 4, np.nan]])
    measured = np.full((3, 3, 3), np.nan)
    measured[0, 1], measured[0, 2], measured[1, 0], measured[2, 0] = [-.2, -.3, -.25], [-.5, -.5, -.6], [.1, .2, .15], [-.5, .5, 0]
    pairs = Pairs(("x", "y", "z"), predicted, measured, 20)
    assert pairs.split == 3.5 and pairs.looked_good_but_hurt() == [("x", "y")]
    titles, scores, means, spans = pairs.quadrant()
    assert titles[:2] == ["x from y", "x from z"] and scores.tolist() == [1, 5, 2, 6, 3, 4] and means[0] == pytest.approx(-.25) and np.isnan(spans[3]).all()
    refused(lambda: pairs.interval("x", "w"), "'w'", "x, y, z")


def test_pairs_refuse_and_hear_a_cancel(home, sources):
    refused(lambda: paired(home), "1 domains", "2 or more")
    refused(lambda: paired(home, sources["near"], seeds=2.5), "2.5", "seeds")
    refused(lambda: paired(home, sources["near"], radar={"corner": 3}), "'corner'")
    for budget in (500, 2, None, "many"):  # before anything is measured
        told = Told(cancel_at=" from ")
        refused(lambda budget=budget, told=told: paired(home, sources["near"], ctx=told, budget=budget), "budget", "3 to ")
    with pytest.raises(Cancelled):
        paired(home, sources["near"], ctx=Told(cancel_at="near from home"))


def test_a_context_needs_only_progress(home, sources):
    *_, found = studies.inspect({"target": {"representation": home}, "source": {"representation": sources["near"]}}, FEW,
                                SimpleNamespace(progress=lambda done, total, note: None))
    assert found.final
