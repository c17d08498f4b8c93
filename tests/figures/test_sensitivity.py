"""The figures of sensitivity: every value stands where it was measured, 0 and 1 are named, what is missing is said, and a click leads back to its cell."""

import numpy as np
import pytest

from analysis.figures import sensitivity, template
from analysis.metrics.sensitivity import Profile, Sensitivity, cell

NAMES = ("scale", "rotate", "hue", "invert", "blur")
FAMILIES = ("geometric", "geometric", "photometric", "photometric", "corruption")
VALUES = np.array([[0.2, 0.3, 0.1], [0.5, 0.9, 0.6], [0.3, 0.2, 0.4], [1.2, 0.8, 0.0], [0.7, 0.6, 0.5]])
EVIL = '<a href="https://x">a</a>'
PAIRS = 200


def profile(model="net", *, values=VALUES, done=5, idle=(), reasons=None, layers=("one", "two", "three"), names=NAMES):
    """Matched distances whose mean is the value, in units of random ones whose mean is 4."""
    values, rng = np.array(values, float), np.random.default_rng(0)
    spread = rng.uniform(0.5, 1.5, PAIRS)
    matched = (4 * values[..., None] * spread / spread.mean()).astype(np.float32)
    random = np.broadcast_to(4 * np.roll(spread, 1) / spread.mean(), matched.shape).astype(np.float32)
    idles = np.where([name in idle for name in names], 1.0, 0.25)
    for array in (values, matched, random, idles):
        array[done:] = np.nan
    for key in reasons or {}:
        at = tuple(names.index(part) if i == 0 else layers.index(part) for i, part in enumerate(key.split(" · ")))
        values[at] = np.nan
    return Profile(model, "pictures", names, FAMILIES, layers, values, values - 0.05, values + 0.05, matched, random, np.roll(np.arange(PAIRS), 1), idles,
                   PAIRS, reasons or {})


def marks(figure):
    """{place: (trace, index)} of what can be clicked."""
    return {template.picked(place): (trace, i) for trace in figure.data if trace.customdata is not None for i, place in enumerate(trace.customdata)}


def named(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


def texts(figure):
    return [a.text for a in figure.layout.annotations]


# per transform

def test_a_bar_stands_in_the_row_of_its_transform_under_its_family():
    figure = sensitivity.bars(profile(), at="hue")
    labels, drawn = list(figure.layout.yaxis.ticktext), marks(figure)
    assert labels == ["<b>Geometric</b>", "scale", "rotate", "<b>Photometric</b>", "hue", "invert", "<b>Corruption</b>", "blur"]
    assert sorted(drawn) == [(0, t, 2) for t in range(5)]  # the last layer
    for (_, t, layer), (trace, i) in drawn.items():
        assert trace.type == "bar" and trace.x[i] == pytest.approx(VALUES[t, layer]) and labels[int(trace.y[i])] == NAMES[t]
        assert trace.error_x.array[i] == pytest.approx(0.05, abs=1e-5) and trace.error_x.arrayminus[i] == pytest.approx(0.05, abs=1e-5)
        assert NAMES[t] in trace.hovertext[i] and "25\u202f% of the pairs came out alike" in trace.hovertext[i]
    assert next(s for s in figure.layout.shapes if s.name == "chosen").y0 == labels.index("hue") - 0.5


def test_no_change_is_0_and_random_pairs_are_1_and_both_are_on_the_axis():
    figure = sensitivity.bars(profile(values=VALUES / 10))
    rule = next(s for s in figure.layout.shapes if s.name == "random pairs")
    assert rule.x0 == rule.x1 == 1 and figure.layout.xaxis.range[0] == 0 and figure.layout.xaxis.range[1] > 1
    assert {"no change: 0", "random pairs: 1"} <= set(texts(figure))
    assert sensitivity.bars(profile(), ("one",)).layout.xaxis.range[1] > 1.25  # and what lies beyond


def test_several_models_and_layers_are_dots_that_do_not_lie_on_one_another():
    both = [profile("net"), profile("other", values=VALUES / 2, layers=("one", "two", "last"))]
    figure = sensitivity.bars(both, ("one", "three"))
    drawn = marks(figure)
    assert {place[::2] for place in drawn} == {(0, 0), (0, 2), (1, 0)}
    for (p, t, layer), (trace, i) in drawn.items():
        assert trace.type == "scatter" and trace.x[i] == pytest.approx(VALUES[t, layer] / (1 + p)) and round(float(trace.y[i])) in range(8)
    lanes = [float(trace.y[0]) for trace in figure.data]
    assert len(set(lanes)) == 3 and max(lanes) - min(lanes) < 0.8
    assert len({t.marker.color for t in figure.data}) == len({t.marker.symbol for t in figure.data}) == 3
    assert figure.layout.meta["note"] == "other has no layer three"
    assert set(place[::2] for place in marks(sensitivity.bars(both))) == {(0, 2), (1, 2)}  # of each its last


def test_what_is_not_there_yet_is_said_in_its_row():
    figure = sensitivity.bars(profile(done=3, reasons={cell("scale", "three"): "The layer is constant."}, idle=("rotate",)))
    assert sorted(marks(figure)) == [(0, 1, 2), (0, 2, 2)]
    assert texts(figure).count("not there yet") == 2 and "The layer is constant." in texts(figure) and "changes nothing here" in texts(figure)
    assert figure.layout.meta["note"] == "2 of 5 transforms not there yet"
    nothing = profile(done=0)
    assert not marks(sensitivity.bars(nothing)) and "not there yet" in sensitivity.bars_says(nothing)


def test_the_bars_in_words():
    said = sensitivity.bars_says(profile(), "one")
    assert "net · one notices invert most, 1.20 (1.15 to 1.25), and scale least, 0.20" in said and "geometric 0.35, photometric 0.75, corruption 0.70" in said
    said = sensitivity.bars_says(profile(idle=("invert",)))
    assert "photometric 0.40, corruption 0.50 on average" in said  # nor averaged in
    assert "rotate most" in said and "and scale least, 0.10" in said and "invert changed none of these items" in said  # what changed nothing is not ignored
    said = sensitivity.bars_says([profile(), profile("other", done=2)])
    assert "net · three notices rotate most" in said and "other · three notices rotate most" in said and "3 of 10 transforms not there yet" in said


def test_a_layer_that_no_model_has_leaves_empty_rows():
    figure = sensitivity.bars(profile(), "four")
    assert not marks(figure) and figure.layout.meta["note"] == "net has no layer four" and sensitivity.bars_says(profile(), "four").startswith("No model")


# through the layers

def test_every_transform_has_its_line_the_chosen_in_colour_and_all_are_named():
    figure = sensitivity.through_layers(profile(), at=("hue", "blur"), layer="two")
    drawn = marks(figure)
    assert set(drawn) == {(t, layer) for t in range(5) for layer in range(3)}
    for (t, layer), (trace, i) in drawn.items():
        assert trace.name == NAMES[t] and trace.x[i] == layer and trace.y[i] == pytest.approx(VALUES[t, layer])
    wide = {trace.name for trace in figure.data if trace.customdata is not None and trace.line.width == 3}
    assert wide == {"hue", "blur"} and named(figure, "hue").marker.symbol != named(figure, "blur").marker.symbol
    np.testing.assert_allclose(named(figure, "hue, high").y, VALUES[2] + 0.05, rtol=1e-5)
    labels = [a for a in figure.layout.annotations if a.name == "line"]
    assert {"<b>hue 0.40</b>", "<b>blur 0.50</b>", "scale 0.10", "invert 0.00", "rotate 0.60"} == {a.text for a in labels}
    assert np.diff(sorted(a.y for a in labels)).min() > 0.03  # and none covers another
    chosen = next(s for s in figure.layout.shapes if s.name == "chosen")
    assert chosen.x0 < 1 < chosen.x1 and next(s for s in figure.layout.shapes if s.name == "random pairs").y0 == 1


def test_the_most_and_the_least_noticed_are_set_off_unless_told():
    wide = {t.name for t in sensitivity.through_layers(profile()).data if t.customdata is not None and t.line.width == 3}
    assert wide == {"rotate", "invert"}
    assert "to scale goes" in sensitivity.through_layers_says(profile(idle=("invert",)))  # what changed nothing is not the least noticed
    said = sensitivity.through_layers_says(profile(), at="rotate")
    assert said == "Through the layers of net, sensitivity to rotate goes from 0.50 at one to 0.60 at three, highest at two (0.90)."


def test_partial_lines_draw_and_a_layer_without_values_is_said():
    part = profile(done=2, reasons={cell(name, "one"): "It is constant." for name in NAMES})
    figure = sensitivity.through_layers(part)
    assert np.isnan(named(figure, "scale").y[0]) and np.isnan(named(figure, "blur").y).all()
    assert figure.layout.meta["note"] == "3 of 5 transforms not there yet; no value at one: It is constant."
    assert "from 0.30 at two" in sensitivity.through_layers_says(part, at="scale")
    none = profile(done=0)
    assert sensitivity.through_layers(none).layout.meta["note"].startswith("5 of 5") and "not there yet" in sensitivity.through_layers_says(none)


# where the number comes from

def test_histograms_hold_every_pair_and_rules_stand_at_numerator_and_denominator():
    row = profile().row("rotate", "two")
    figure = sensitivity.distances(row, title="rotate, two")
    for side, (name, _, dash) in sensitivity.SIDES.items():
        values, trace = getattr(row, side), named(figure, name)
        rule = next(s for s in figure.layout.shapes if s.name == f"mean {side}")
        assert rule.x0 == rule.x1 == pytest.approx(values.mean(), rel=1e-5) and rule.line.dash == dash == trace.line.dash
        assert trace.y[1:-1:2].sum() == pytest.approx(100 * np.mean(values <= trace.x[-1]), abs=0.01)
    means = [row.matched.mean(), row.random.mean()]
    assert f"0.90 (0.85 to 0.95) = {means[0]:.3g} / {means[1]:.3g}" in figure.layout.title.text and "rotate, two" in figure.layout.title.text
    said = sensitivity.distances_says(row, title="rotate, two")
    assert said.startswith(f"rotate, two: pairs that differ only in the draw lie {means[0]:.3g} apart") and "from 200 pairs" in said


def test_pairs_that_are_alike_are_said_and_do_not_flatten_the_rest():
    matched = np.r_[np.zeros(60), np.linspace(1, 2, 40)].astype(np.float32)
    found = Sensitivity(0.3, 0.2, 0.4, 100, 0, 0.95, matched, np.linspace(1, 3, 100).astype(np.float32), np.roll(np.arange(100), 1))
    figure = sensitivity.distances(found)
    assert named(figure, sensitivity.SIDES["matched"][0]).y.max() < 10
    assert "60\u202f% of the pairs that differ only in the draw are exactly alike" in figure.layout.meta["note"]
    assert sensitivity.distances_says(found).endswith("are exactly alike, at 0: they count, and are not drawn.")


@pytest.mark.parametrize("found", [profile(done=1).row("hue"), profile(reasons={cell("hue", "three"): "It is constant."}).row("hue")])
def test_without_a_value_the_reason_is_drawn(found):
    assert found.reason and texts(sensitivity.distances(found)) == [found.reason] and found.reason in sensitivity.distances_says(found)


# all of them

def test_figures_are_light_and_names_are_no_markup():
    evil = profile(EVIL, names=(EVIL, *NAMES[1:]), layers=(EVIL, "two", "three"))
    for figure in (sensitivity.bars(evil, EVIL), sensitivity.bars([evil, evil]), sensitivity.through_layers(evil, at=EVIL),
                   sensitivity.distances(evil.row(EVIL), title=EVIL)):
        text = figure.to_json()
        assert "<a" not in text and "\\u003ca" not in text and len(text) < 30_000 and isinstance(figure.layout.meta["note"], str)
