"""The figures of gain: what they draw is what was measured, hurt and helped are told by more than hue, every mark leads back to its blend, class or pair."""

import json

import numpy as np
import pytest

from analysis.figures import gain, template
from analysis.metrics import gain as metric

torch = pytest.importorskip("torch")
CENTRES = np.random.default_rng(9).normal(size=(4, 8))
EVIL = '<a href="https://x">a</a>'
NAMES = ("zero", "one", "two", "three")


def domain(seed, contrary=False):
    y = np.arange(120) % 4
    return CENTRES[y] + 1.3 * np.random.default_rng(seed).normal(size=(120, 8)), (y + contrary) % 4


def given(**sources):
    return {"sources": {name: x for name, (x, _) in sources.items()}, "source_labels": {name: y for name, (_, y) in sources.items()}}


@pytest.fixture(scope="module")
def splits():
    x, y = domain(0)
    return list(metric.measure(x, target_labels=y, budget=16, seeds=6, **given(near=domain(1), contrary=domain(2, True))))


@pytest.fixture(scope="module")
def found(splits):
    return splits[-1]


@pytest.fixture(scope="module")
def curve():
    x, y = domain(0)
    *_, found = metric.curve(x, budgets=[12, 24, 48], target_labels=y, seeds=4, **given(near=domain(1)))
    return found


def marks(figure):
    """{place: (trace, index)} of what can be clicked."""
    return {template.picked(place): (trace, i) for trace in figure.data if trace.customdata is not None for i, place in enumerate(trace.customdata)}


def named(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


# every blend

def test_every_blend_stands_where_it_was_measured_after_the_target_alone_at_0(found):
    figure = gain.blends(found, at=("contrary",))
    drawn = marks(figure)
    assert sorted(drawn) == [0, 1, 2, 3]
    for place, (trace, i) in drawn.items():
        mean, low, high = 100 * np.array(found.interval(((), *found.blends)[place]))
        assert trace.x[i] == place and trace.y[i] == pytest.approx(mean, abs=1e-4)
        assert trace.error_y.array[i] == pytest.approx(high - mean, abs=1e-4) and trace.error_y.arrayminus[i] == pytest.approx(mean - low, abs=1e-4)
    assert drawn[0][0].y[drawn[0][1]] == 0
    assert [(s.x0, s.x1) for s in figure.layout.shapes if s.name == "chosen"] == [(1.5, 2.5)]


def test_hurt_and_helped_differ_in_colour_and_symbol(found):
    figure = gain.blends(found)
    drawn = marks(figure)
    assert drawn[1][0].name == "helped" and drawn[2][0].name == "hurt" and drawn[0][0].name == "no clear effect"
    looks = {kind: (named(figure, kind).marker.color, named(figure, kind).marker.symbol) for kind in gain.EFFECTS if kind in [t.name for t in figure.data]}
    assert len({colour for colour, _ in looks.values()}) == len({symbol for _, symbol in looks.values()}) == len(looks)
    assert all(template.contrast(colour, ground) >= 3 for colour, _ in gain.EFFECTS.values() for ground in (template.LIGHT, template.DARK))


def test_dots_below_say_what_a_blend_is_made_of(found):
    inside = named(gain.blends(found), "in it")
    made_of = {(int(x), int(y)) for x, y in zip(inside.x, inside.y, strict=True)}
    assert made_of == {(1 + i, found.names.index(name)) for i, blend in enumerate(found.blends) for name in blend}
    assert inside.customdata is None and inside.hoverinfo == "skip"
    assert list(gain.blends(found).layout.yaxis2.ticktext) == list(found.names)


def test_what_the_blends_did_is_said(found, splits):
    said = gain.blends_says(found)
    hurt = sum(found.negative(blend) for blend in found.blends)
    assert hurt and f"{hurt} clearly hurt" in said and "least from contrary" in said and "6 splits; 16 target items" in said
    first = gain.blends_says(splits[0])
    assert "0 clearly hurt" in first and "1 of 6 splits so far" in first  # one split has no interval
    assert gain.blends(splits[0]).layout.meta["note"].startswith("1 of 6 splits so far")


# one blend

def test_classes_are_drawn_as_measured_the_most_hurt_on_top(found):
    figure = gain.per_class(found, "contrary", names=NAMES, at=2)
    drawn, means = marks(figure), 100 * found.class_gain("contrary").mean(axis=1)
    assert sorted(drawn) == [0, 1, 2, 3]
    order = np.argsort(means, kind="stable")
    for c, (trace, i) in drawn.items():
        assert trace.x[i] == pytest.approx(means[c], abs=1e-4) and order[int(trace.y[i])] == c
    assert list(figure.layout.yaxis.ticktext) == [NAMES[c] for c in order]
    assert "hurt: " in gain.per_class_says(found, "contrary", names=NAMES) and "class 0" in gain.per_class_says(found, "contrary")


def test_confusion_is_the_change_in_percent_of_the_class_and_blue_is_better(found):
    figure = gain.confusion(found, ("contrary",), names=NAMES, at=(0, 1))
    before, change = found.confusion[0], found.confused("contrary")
    share = 100 * ((before + change) / (before + change).sum(1, keepdims=True) - before / before.sum(1, keepdims=True))
    np.testing.assert_allclose(np.diag(figure.data[0].z), -np.diag(share), rtol=1e-5)  # less recognised is worse
    np.testing.assert_allclose(figure.data[0].z[0, 1:], share[0, 1:], rtol=1e-5, atol=1e-5)  # more confused is worse
    assert figure.data[0].zmin == -figure.data[0].zmax
    drawn = marks(figure)
    assert set(drawn) == {(i, j) for i in range(4) for j in range(4)}
    trace, i = drawn[0, 1]
    assert trace.x[i] == 1 and trace.y[i] == 0 and "zero taken for one" in trace.hovertext[i] and f"{share[0, 1]:+.1f}" in trace.hovertext[i]
    worst = gain.confusion_says(found, "contrary", names=NAMES)
    assert "more often" in worst and " is taken for " in worst


# over the size of the target

def test_the_curve_has_both_sides_within_their_intervals(curve):
    figure = gain.curve(curve)
    for side, name in (("base", "target alone"), ("accuracy", "with near")):
        trace, (mean, low, high) = named(figure, name), 100 * curve.intervals(side).T
        np.testing.assert_array_equal(trace.x, curve.budgets)
        np.testing.assert_allclose(trace.y, mean, rtol=1e-5)
        np.testing.assert_allclose(named(figure, f"{name}, low").y, low, rtol=1e-5)
        np.testing.assert_allclose(named(figure, f"{name}, high").y, high, rtol=1e-5)
        assert list(trace.customdata) == [0, 1, 2]
    assert named(figure, "with near").line.dash != named(figure, "target alone").line.dash
    assert "12 target items" in gain.curve_says(curve) and "48 target items" in gain.curve_says(curve)


# beside a prediction

PREDICTED, GAINS = np.array([0.1, 0.2, 3.0, 4.0, np.nan]), np.array([0.05, -0.04, 0.03, -0.06, 0.02])
PAIRS = ("a → b", "a → c", "b → c", EVIL, "c → a")


def drawn_quadrant(**options):
    return gain.quadrant(PAIRS, PREDICTED, GAINS, np.stack([GAINS - 0.01, GAINS + 0.01], axis=1), predicted_title="RADAR", direction=-1, **options)


@pytest.mark.parametrize("log", [False, True])
def test_the_quadrants_are_named_and_what_looked_good_and_hurt_is_too(log):
    figure = drawn_quadrant(log=log, at=2)
    said = [a.text for a in figure.layout.annotations]
    assert "looked good, helped" in said and "<b>looked good, hurt</b>" in said and "a → c" in said and "a → b" not in said
    drawn = marks(figure)
    assert sorted(drawn) == [0, 1, 2, 3] and drawn[1][0].name == "hurt" and drawn[0][0].name == "helped"
    left, right = figure.layout.xaxis.range
    assert left > right  # what is nearer looked better, and stands at the right
    box = next(s for s in figure.layout.shapes if s.name == gain.WRONG)
    assert box.x0 == np.median(PREDICTED[:4]) and box.x1 < PREDICTED[:4].min() and box.y1 == 0
    assert "1 pair without" in figure.layout.meta["note"]


def test_a_log_axis_leaves_out_what_is_0_and_says_so():
    figure = gain.quadrant("ab", [0.0, 1.0], [0.1, -0.1], [[0.05, 0.15], [-0.2, -0.05]], predicted_title="RADAR", direction=-1, log=True)
    assert list(marks(figure)) == [1] and "1 pair without" in figure.layout.meta["note"]


def test_the_quadrant_in_words():
    options = {"predicted_title": "RADAR", "direction": -1}
    spans = np.stack([GAINS - 0.01, GAINS + 0.01], axis=1)
    said = gain.quadrant_says(PAIRS, PREDICTED, GAINS, spans, **options)
    assert "Of 4 pairs, 2 looked good by RADAR; 1 of them hurt: a → c" in said
    assert "none of them clearly hurt" in gain.quadrant_says(PAIRS, PREDICTED, GAINS, spans, split=0.15, **options)
    assert "none of them clearly hurt" in gain.quadrant_says(PAIRS, PREDICTED, GAINS, **options)  # without intervals nothing is clear
    assert "No pair" in gain.quadrant_says((), (), (), **options)


# all of them

def test_what_the_nearest_know_is_two_marks_a_class():
    figure = gain.known((EVIL, "b"), [0.9, np.nan], [0.2, 0.5], names=("own", EVIL))
    joined, own, other = figure.data
    assert list(own.x)[0] == 90 and list(other.x) == [20, 50] and own.marker.symbol != other.marker.symbol
    assert list(joined.x)[:2] == [90, 20] and "<a" not in figure.to_json()
    assert gain.known_says(("a", "b"), [0.9, 0.8], [0.2, 0.5]).endswith("a 90 and 20, b 80 and 50.")


def test_figures_are_light_and_names_are_no_markup(found, curve):
    for figure in (gain.blends(found), gain.per_class(found, "near", names=(EVIL, *NAMES[1:])), gain.confusion(found, "near", names=(EVIL, *NAMES[1:])),
                   gain.curve(curve), drawn_quadrant()):
        text = figure.to_json()
        assert len(text) < 60_000 and "<a" not in json.loads(text).__repr__()
        assert isinstance(figure.layout.meta["note"], str)


def test_a_place_is_read_however_the_browser_sends_it():
    assert template.picked(3) == template.picked([3]) == template.picked(np.int32(3)) == template.picked({"0": 3}) == 3
    assert template.picked([1, 2]) == template.picked({"0": 1, "1": 2}) == (1, 2)


@pytest.mark.parametrize(("blend", "of", "said"), [(("a",), ("a", "b"), "a"), (("a", "b"), ("a", "b"), "a + b"), (("a", "b", "c"), tuple("abcd"), "all but d"),
                                                   (tuple("abcd"), tuple("abcd"), "all 4"), ((), ("a",), "target alone"),
                                                   (("a long name of a source", "b"), ("a long name of a source", "b"), "a lon…urce + b")])
def test_blends_have_short_names(blend, of, said):
    assert gain.brief(blend, of) == said
