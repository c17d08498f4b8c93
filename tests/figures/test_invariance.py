"""The figures of the role of invariance: what stands where is what was measured, what is published is told apart from ours, and half a result draws too."""

import numpy as np
import pytest

from analysis.figures import invariance, template
from analysis.metrics.invariance import FACTORS, FIGURES, IDLE, KINDS, TRAINED, Carried, Harm, Importance, Mismatch

EVIL = '<a href="https://x">a</a>'
NAMES = ("rotate", "hue", "blur")


def noise(size, *shape):
    return size * np.random.default_rng(0).normal(size=shape)


def carried(*, names=NAMES, seeds=3, cut=0, reasons=None):
    values = 0.5 + 0.1 * np.arange(4) + noise(0.02, seeds, 4, 3, 4)
    values[:, np.arange(3), np.arange(3)] -= 0.3
    values.reshape(seeds, -1)[:, 48 - cut:] = np.nan
    for key in reasons or {}:
        name, transform, data = key.split(" · ")
        values[:, (*names, "none").index(name), names.index(transform), ("same objects", "new objects", "handwritten digits", "noise").index(data)] = np.nan
    return Carried((*names, "none"), names, values, np.full((seeds, 4), 0.9), done=not cut, reasons=reasons or {})


def mismatch(*, seeds=3, cut=0, trained=(1, 2, 4), tested=(1, 2, 3, 4)):
    lost = 0.1 * np.clip(np.subtract.outer(np.array(tested), np.array(trained)).T, 0, None)
    values = (0.9 - lost + noise(0.005, seeds, len(trained), len(tested))).clip(0, 1)
    values[:, len(trained) - cut:] = np.nan
    return Mismatch((*NAMES, "erase"), trained, tested, values, np.full((seeds, len(trained)), 0.9), 0.1)


def importance(*, seeds=3, cut=0):
    values = np.array([0.8, 0.7, 0.9, 0.6, 0.7, 0.75]) + np.array([0, -0.15])[:, None] + noise(0.02, seeds, 2, 2, 6)
    values[..., 6 - cut:] = np.nan
    return Importance(np.repeat(FACTORS, 2).tolist(), ("same", "other", "cnn", "mlp", EVIL, "2 000"), values, np.full((seeds, 2, 6), 0.9),
                      tuple((NAMES, NAMES) for _ in range(seeds)), 0.1)


def harm(*, seeds=3, cut=False):
    values = [[0.9, 0.8, 0.6, 0.99], [0.9, 0.88, 0.4, 0.97], [0.3, 0.2, 0.97, 0.99], [0.35, 0.3, 0.7, 0.99]] + noise(0.005, 3, seeds, 4, 4)
    sensed = [[0.9, 0.25], [0.95, 0.08], [0.15, 0.97], [0.9, 0.2]] + noise(0.005, 3, seeds, 4, 2)
    if cut:
        values[:, :, 2:], values[1:], sensed[:] = np.nan, np.nan, np.nan
    return Harm(((0.5, 0.5), (0.0, 0.5), (0.5, 0.9)), values.clip(0, 1), sensed, (0.1, 0.1, 0.2, 0.2))


PUBLISHED = {"kinds": {"same": {"same objects": 0.12, "photos": 0.37}, "other": {"same objects": 0.4, "photos": 0.51}, "none": {"same objects": 0.39}},
             "importance": {factor: (0.15, 0.12, 0.05) for factor in FACTORS}, "harm": {name: ((0.98, 0.95, 0.8, 1.0), (0.99, 0.21)) for name in TRAINED},
             "largest": (0.27, 0.28, 0.37, 0.52, 0.62)}


def marks(figure):
    """{place: (trace, index)} of what can be clicked."""
    return {template.picked(place): (trace, i) for trace in figure.data if trace.customdata is not None for i, place in enumerate(trace.customdata)}


def named(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


def shapes(figure, name):
    return [shape for shape in figure.layout.shapes if shape.name == name]


# what carries over

def test_a_cell_is_the_mean_over_seeds_and_its_own_transform_is_framed():
    found = carried()
    figure = invariance.carried(found, "new objects", at=(3, 1))
    np.testing.assert_allclose(named(figure, "value").z, found.sensitivity[..., 1].mean(axis=0), rtol=1e-5)
    drawn = marks(figure)
    assert set(drawn) == {(i, j) for i in range(4) for j in range(3)}
    trace, i = drawn[0, 2]
    assert (trace.y[i], trace.x[i]) == (0, 2) and "trained with rotate, tested with blur" in trace.hovertext[i]
    assert f"{found.sensitivity[:, 3, 2, 1].mean():.2f} without training for it" in trace.hovertext[i]
    assert {(s.y0 + 0.5, s.x0 + 0.5) for s in shapes(figure, "the same")} == {(0, 0), (1, 1), (2, 2)}
    assert [s.y0 for s in figure.layout.shapes if s.name is None] == [2.5, 2.5]  # the marked cell
    tops = {invariance.carried(found, data).data[0].zmax for data in found.data}
    assert len(tops) == 1  # a colour means the same everywhere


def test_cells_not_there_yet_or_never_there_are_told_apart():
    figure = invariance.carried(carried(cut=4, reasons={"hue · blur · noise": "The network is constant."}), "noise")
    said = [text for trace in figure.data if trace.name == "cells" for text in trace.hovertext]
    assert sum("not there yet" in text for text in said) == 1 and sum("The network is constant." in text for text in said) == 1
    assert "1 of 11 not there yet" in figure.layout.meta["note"]
    assert not figure.layout.annotations


def test_a_transform_with_nothing_to_do_is_an_empty_column_and_no_part_of_a_mean():
    found = carried(reasons={f"{name} · hue · noise": IDLE for name in (*NAMES, "none")})
    figure = invariance.carried(found, "noise")
    assert [(a.text, a.x) for a in figure.layout.annotations] == [("nothing to do", 1)] and not invariance.carried(found, "new objects").layout.annotations
    assert {s.x0 + 0.5 for s in shapes(figure, "the same")} == {0, 2}  # nor is a frame there
    told = "he means on noise are of 2 of 3 transforms: hue does nothing to them"
    assert told in invariance.kinds(found).layout.meta["note"] and told in invariance.kinds_says(found) and told in invariance.carried_says(found, "noise")


def test_names_beneath_the_cells_lean_where_they_would_run_together():
    long = carried(names=("posterize as strongly as can be", *NAMES[1:]))
    flat, leaning = invariance.carried(carried(), "noise"), invariance.carried(long, "noise")
    assert (flat.layout.xaxis.tickangle, leaning.layout.xaxis.tickangle) == (0, -40) and leaning.layout.height > flat.layout.height


def test_same_other_and_none_are_bars_beside_what_is_published():
    found = carried()
    figure, means = invariance.kinds(found, PUBLISHED["kinds"], by="ResNet"), found.kinds()
    drawn = marks(figure)
    assert set(drawn) == {(data, kind) for data in range(4) for kind in range(3)}
    for (data, kind), (trace, i) in drawn.items():
        assert trace.type == "bar" and trace.name == invariance.SAID[KINDS[kind]] and trace.y[i] == pytest.approx(means[kind, data, 0], rel=1e-5)
        assert abs(trace.x[i] - data) < 0.5 and trace.error_y.array[i] == pytest.approx(means[kind, data, 2] - means[kind, data, 0], rel=1e-4)
    theirs, legend = named(figure, "published, ResNet"), named(figure, "published, ResNet: right of its bar")
    assert not theirs.showlegend and legend.showlegend is None and legend.x == (None,)
    bar = {trace.name: trace for trace in figure.data if trace.type == "bar"}
    for y, colour, said in zip(theirs.y, theirs.marker.color, theirs.hovertext, strict=True):
        assert colour == bar[said.partition(",")[0]].marker.line.color and f"{y:.2f}" in said  # each in the colour of its bar
    np.testing.assert_allclose(sorted(theirs.y), [0.12, 0.37, 0.39, 0.4, 0.51], rtol=1e-6)
    assert theirs.marker.symbol == "diamond-open" and theirs.customdata is None
    assert figure.layout.xaxis.ticktext[-1] == "photos" and sum(x > 3.5 for x in theirs.x) == 2  # data that only they have
    assert "published figures are of other data" in figure.layout.meta["note"] and "published" not in invariance.kinds(found).layout.meta["note"]
    bars = [trace for trace in figure.data if trace.type == "bar"]
    assert len({b.marker.line.color for b in bars}) == len({b.marker.pattern.shape for b in bars}) == 3


def test_what_carries_over_in_words():
    found = carried()
    same, other, none = found.kinds()[..., 0]
    said = invariance.kinds_says(found, PUBLISHED["kinds"])
    assert said.startswith(f"Ignoring a transform carries over to new objects (sensitivity {same[1]:.2f} against {none[1]:.2f} trained without it), to "
                           "handwritten")
    assert f"On same objects, {same[0]:.2f} trained with that transform, {other[0]:.2f} with another, {none[0]:.2f} with none." in said
    assert "Published: same objects 0.12 against 0.39." in said and "Published" not in invariance.kinds_says(found)
    assert said.endswith("3 seeds.") and "its own transform is ignored most after" in invariance.carried_says(found, "same objects")
    assert "no network" in invariance.carried_says(carried(cut=48), "noise") and "No network" in invariance.kinds_says(carried(cut=48))


def test_how_far_it_carries_over_is_read_off_the_numbers():
    def said(same, none):  # on each kind of data
        values = np.full((1, 2, 1, 4), np.nan)
        values[0, :, 0] = same, none
        return invariance.kinds_says(Carried(("hue", "none"), ("hue",), values, np.ones((1, 2)), done=True))
    told = said((0.1, 0.2, 0.45, 0.75), (0.4, 0.4, 0.6, 0.8))
    assert "to new objects (sensitivity 0.20 against 0.40 trained without it), less to handwritten digits (0.45 against 0.60), hardly to noise" in told
    assert "not to noise (0.90 against 0.80)" in said((0.1, 0.2, 0.45, 0.9), (0.4, 0.4, 0.6, 0.8))
    assert said((0.4, 0.2, 0.4, 0.7), (0.4, 0.4, 0.6, 0.8)).startswith("No transform was learned to be ignored")
    assert said((0.4, 0.2, 0.4, 0.7), (np.nan,) * 4).startswith("Mean sensitivity: on same objects 0.40 trained with that transform; on new")


# mismatch

def test_frames_part_the_supersets_from_the_subsets():
    found = mismatch()
    figure = invariance.mismatch(found)
    np.testing.assert_allclose(named(figure, "value").z, 100 * found.accuracy.mean(axis=0), rtol=1e-5)
    assert {(s.y0 + 0.5, s.x0 + 0.5) for s in shapes(figure, "the same")} == {(0, 0), (1, 1), (2, 3)}
    drawn = marks(figure)
    assert set(drawn) == {(i, j) for i in range(3) for j in range(4)}
    relation = lambda i, j: next(kind for kind in ("the same", "superset", "subset") if kind in drawn[i, j][0].hovertext[drawn[i, j][1]])
    assert [relation(*at) for at in ((0, 0), (1, 0), (0, 3), (2, 3), (2, 2))] == ["the same", "superset", "subset", "the same", "superset"]
    heads, costs = {a.name: a.text for a in figure.layout.annotations}, found.costs()
    assert f"Above the frames: subset</b> costs {100 * costs['subset'][0]:.1f} points" in heads["subset"] and "Below" in heads["superset"]
    assert len({a.yshift for a in figure.layout.annotations}) == 2 and figure.layout.margin.t > 2 * 17  # one above the other
    assert list(figure.layout.yaxis.ticktext) == ["<b>1</b>: rotate", "<b>2</b>: + hue", "<b>4</b>: + blur, erase"]
    assert f"under fewer transforms costs {100 * costs['subset'][0]:.1f} points" in invariance.mismatch_says(found)


def test_the_curve_to_the_largest_stands_beside_the_published_one():
    found = mismatch()
    figure = invariance.largest(found, PUBLISHED["largest"])
    ours, theirs = named(figure, "ours, to all 4"), named(figure, "published, to all 5")
    assert list(ours.x) == [1, 2, 4] and list(ours.customdata) == [0, 1, 2]
    np.testing.assert_allclose(ours.y, 100 * found.accuracy[:, :, 3].mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(theirs.y, [27, 28, 37, 52, 62], rtol=1e-5)
    assert list(theirs.x) == [1, 2, 3, 4, 5] and theirs.line.dash == "dash" and ours.line.dash is None and theirs.customdata is None
    assert shapes(figure, "chance")[0].y0 == pytest.approx(10) and len(invariance.largest(found).data) == 2
    said = invariance.largest_says(found, PUBLISHED["largest"])
    assert "Under all 4 transforms accuracy is" in said and "Published, for 5: 27\u202f% after 1, 62\u202f% after all" in said and "chance: 10" in said
    assert "The network itself tells 90.0\u202f% of its own classes under all 4, against 90.0\u202f% under 1." in said


def test_how_far_the_training_of_the_networks_went_stands_beside_what_it_gave():
    found = mismatch()
    tired = Mismatch(found.transforms, found.trained, found.tested, found.accuracy, np.tile([0.99, 0.9, 0.7], (3, 1)), 0.1)
    own = named(invariance.largest(tired), "ours, on its own classes and transforms")
    assert own.line.dash == "dot" and own.mode == "lines" and own.customdata is None and "chance" not in own.hovertext[0]
    np.testing.assert_allclose(own.y, [99, 90, 70], rtol=1e-5)
    said = invariance.largest_says(tired)
    assert "tells 70.0\u202f% of its own classes under all 4, against 99.0\u202f% under 1: part of what is missing at the right is that it learned" in said


def test_half_a_mismatch_draws_and_one_seed_has_no_interval():
    part = mismatch(cut=1, seeds=1)
    figure = invariance.mismatch(part)
    note = figure.layout.meta["note"]
    assert np.isnan(named(figure, "value").z[2]).all() and note.startswith("1 seed, not whole, no interval") and "4 of 12" in note
    curve = invariance.largest(part)
    assert list(curve.data[0].x) == [1, 2] and curve.data[0].error_y.visible is False
    none = mismatch(cut=3)
    assert not len(invariance.largest(none).data[0].x) and "not there yet" in [a.text for a in invariance.mismatch(none).layout.annotations][0]
    assert invariance.mismatch_says(none).startswith("What a mismatch costs") and invariance.largest_says(none).startswith("Nothing")


# importance

def test_three_differences_per_factor_in_points():
    found = importance()
    figure, of = invariance.importance(found, PUBLISHED["importance"]), found.figures()
    drawn = marks(figure)
    assert set(drawn) == {(factor, i) for factor in range(3) for i in range(3)}
    for (factor, i), (trace, place) in drawn.items():
        mean, low, _ = 100 * np.array(of[FACTORS[factor]][FIGURES[i]])
        assert trace.name == FIGURES[i] and trace.y[place] == pytest.approx(mean, rel=1e-5)
        assert trace.error_y.arrayminus[place] == pytest.approx(mean - low, rel=1e-4)
    np.testing.assert_allclose(sorted(named(figure, "published").y), [5] * 3 + [12] * 3 + [15] * 3, rtol=1e-5)
    said, numbers = invariance.importance_says(found, PUBLISHED["importance"]), {name: 100 * np.array(span) for name, span in of["architecture"].items()}
    for name, (mean, low, high) in numbers.items():
        assert f"{name} {mean:.1f} ({low:.1f} to {high:.1f})" in said
    assert "; architecture: within disjoint" in said and said.count("published 15, 12 and 5") == 3


def test_what_matters_most_is_read_off_the_numbers():
    def said(same, disjoint):  # accuracy at two levels of one thing
        values = np.array([same, disjoint]) + noise(0.001, 3, 2, 2, 2)
        return invariance.importance_says(Importance(("architecture",) * 2, ("a", "b"), values, np.ones((3, 2, 2)), ((NAMES, NAMES),) * 3, 0.1))
    assert said((0.9, 0.8), (0.5, 0.45)).startswith("The transforms matter most: the target's own add 37.")
    assert said((0.9, 0.4), (0.8, 0.4)).startswith("Architecture matters more than the transforms: ") and "overlap" not in said((0.9, 0.4), (0.8, 0.4))
    assert "the intervals overlap" in invariance.importance_says(importance())


def test_levels_show_what_the_differences_come_from():
    found = importance(cut=2)
    figure, spans = invariance.levels(found), 100 * found.spans()
    drawn = marks(figure)
    assert set(drawn) == {(row, relation) for row in range(4) for relation in range(2)}
    for (row, relation), (trace, i) in drawn.items():
        assert trace.x[i] == pytest.approx(spans[relation, row, 0], rel=1e-5) and trace.name == ("same transforms", "disjoint transforms")[relation]
        assert figure.layout.yaxis.ticktext[round(float(trace.y[i]))] == found.levels[row]
    assert figure.layout.yaxis.ticktext[0] == "<b>Class relation</b>" and "4 of 12 not there yet" in figure.layout.meta["note"]
    assert "ahead at 4 of 4 levels" in invariance.levels_says(found)
    part = invariance.importance(found)
    assert {factor for factor, _ in marks(part)} == {0, 1} and "3 of 9" in part.layout.meta["note"]
    assert invariance.importance_says(importance(cut=6)) == "Nothing can be compared yet."


# harm

def test_accuracy_and_sensitivity_of_every_training_stand_beside_the_published():
    found = harm()
    figure = invariance.harm(found, 0, PUBLISHED["harm"])
    drawn, accuracy, sensed = marks(figure), 100 * found.spans(), found.sensed()
    assert set(drawn) == {(group, row) for group in range(6) for row in range(4)}
    for (group, row), (trace, i) in drawn.items():
        wanted = accuracy[row, group, 0] if group < 4 else sensed[row, group - 4, 0]
        assert trace.y[i] == pytest.approx(wanted, rel=1e-5) and trace.name == TRAINED[row] and (trace.xaxis == "x2") == (group >= 4)
    theirs = [trace for trace in figure.data if trace.name == "published"]
    assert [len(set(trace.marker.color)) for trace in theirs] == [4, 4]
    assert len(theirs) == 2 and max(theirs[0].y) == 100 and max(theirs[1].y) == pytest.approx(0.99)
    assert [s.y0 for s in shapes(figure, "chance")] == [10, 10, 20, 20]
    assert "correlation 0.5, availability 0.5; 3 seeds; sensitivity 1: random pairs; published" in figure.layout.meta["note"]
    said = invariance.harm_says(found)
    assert f"a harm of {100 * found.harm()[0]:.1f} points" in said and "learned to ignore the object (sensitivity 0.08 instead of 0.2" in said
    assert [a.text for a in figure.layout.annotations][1] == "<b>Sensitivity</b>"
    assert figure.layout.xaxis2.ticktext[1] == "to another<br>object" and shapes(figure, "random pairs")[0].y0 == 1


def test_a_network_is_said_to_ignore_the_object_only_where_it_senses_less_of_it():
    settings = ((0.0, 1.0), (0.5, 1.0), (1.0, 1.0), (0.0, 0.0))
    values, sensed = np.full((4, 2, 4, 4), 0.3), np.full((4, 2, 4, 2), 0.2)
    values[:, :, 1, 2], sensed[:, :, 1, 1] = [[0.2, 0.21], [0.5, 0.51], [0.9, 0.91], [0.3, 0.3]], [[0.1, 0.1], [0.25, 0.25], [0.9, 0.9], [0.2, 0.2]]
    found = Harm(settings, values, sensed, (0.1,) * 4)
    said = [invariance.harm_says(found, i, PUBLISHED["harm"]) for i in range(4)]
    assert said[0].startswith("The network learned to ignore the object (sensitivity 0.10 instead of 0.20) and tells 20.5\u202f% instead of 30.0\u202f%")
    assert "Ours starts at 30\u202f%, the published one at 80\u202f%, so there is little room to lose." in said[0]
    assert "Ours starts" not in invariance.harm_says(found) + said[1] + said[2]
    assert said[2].startswith("Training with the object changed object accuracy by +60.5 points")
    assert "the object is used (sensitivity 0.90 instead of 0.20)" in said[2]
    assert "learned to ignore" not in said[1] + said[2] + said[3] and "the same network" in said[3]
    along = invariance.along_says(found, "correlation")
    assert along.count("harms by") == 1 and "harms by 9.5 points" in along
    assert "from 0.5 on the object is used (sensitivity 0.25 and 0.90 instead of 0.20)" in along
    assert invariance.along_says(found, "availability").endswith("at 0 no picture carries one: the two networks are one and the same.")


def test_a_knob_is_turned_while_the_other_stands():
    found = harm()
    figure = invariance.along(found, "correlation", setting=1)
    trace = named(figure, "both → picture")
    assert list(trace.x) == [0, 0.5] and [template.picked(place) for place in trace.customdata] == [(1, 1), (0, 1)]
    np.testing.assert_allclose(trace.y, [100 * found.spans(i)[1, 2, 0] for i in (1, 0)], rtol=1e-5)
    assert shapes(figure, "chosen")[0].x0 == 0 and not shapes(invariance.along(found, "availability", setting=1), "chosen")
    assert len({t.line.dash for t in figure.data}) == len({t.marker.symbol for t in figure.data}) == 4
    assert figure.layout.meta["note"].startswith("availability 0.5") and "at 0.9" in invariance.along_says(found, "availability")


def test_half_a_harm_draws():
    part = harm(cut=True)
    assert {row for _, row in marks(invariance.harm(part))} == {0, 1} and "16 of 24 not there yet" in invariance.harm(part).layout.meta["note"]
    assert "sensitivity" not in invariance.harm_says(part) and "changed object accuracy" in invariance.harm_says(part)
    assert invariance.harm_says(part, 1).endswith("is not there yet.")
    assert {template.picked(place)[0] for t in invariance.along(part, "correlation").data for place in t.customdata} == {0}


def test_an_object_that_is_told_better_but_noticed_no_more_is_not_said_to_be_used():
    values, sensed = np.full((1, 3, 4, 4), 0.3), np.full((1, 3, 4, 2), 0.2)
    values[:, :, 1, 2], sensed[:, :, 1, 1] = [0.5, 0.51, 0.52], [0.19, 0.2, 0.22]
    said = invariance.harm_says(Harm(((0.5, 1.0),), values, sensed, (0.1,) * 4))
    assert "+21.0 points" in said and "the object is noticed no less (sensitivity 0.20 instead of 0.20)" in said


def test_seeds_that_are_half_done_are_not_counted_as_done():
    found = importance()
    values = found.accuracy.copy()
    values[2, :, :, -1] = np.nan  # the last seed lacks its last network
    part = Importance(found.factors, found.levels, values, found.learned, found.sets, found.chance)
    assert "2 to 3 of 3 seeds so far" in invariance.importance_says(part) and "3 seeds" in invariance.importance_says(found)
    values[1:] = np.nan
    ended = carried().sensitivity.copy()
    ended[1, 0, 0, 0] = np.nan  # for good: this seed has no such number
    assert invariance.kinds_says(Carried((*NAMES, "none"), NAMES, ended, np.ones((3, 4)), done=True)).endswith(" 3 seeds.")
    assert invariance.kinds_says(Carried((*NAMES, "none"), NAMES, ended, np.ones((3, 4)))).endswith(" 2 to 3 of 3 seeds so far.")
    assert "1 of 3 seeds so far, no interval" in invariance.levels_says(Importance(found.factors, found.levels, values, found.learned, found.sets, 0.1))


def test_the_answer_on_importance_is_short_and_does_not_overclaim():
    said = invariance.importance_answer(importance())
    assert "within disjoint" not in said and "In points" not in said and "the intervals overlap" in said
    close = np.array([(0.9, 0.8), (0.7, 0.65)]) + noise(0.1, 3, 2, 2, 2)
    said = invariance.importance_answer(Importance(("architecture",) * 2, ("a", "b"), close, np.ones((3, 2, 2)), ((NAMES, NAMES),) * 3, 0.1))
    assert said.startswith("The transforms matter most, on average: ") and "Not clearly so beside architecture" in said


# all of them

def test_figures_are_light_and_names_are_no_markup():
    evil = carried(names=(EVIL, *NAMES[1:]))
    for figure in (invariance.carried(evil, "noise"), invariance.kinds(evil, PUBLISHED["kinds"], by=EVIL), invariance.mismatch(mismatch()),
                   invariance.largest(mismatch(), PUBLISHED["largest"]), invariance.importance(importance()), invariance.levels(importance()),
                   invariance.harm(harm(), 0, PUBLISHED["harm"]), invariance.along(harm(), "correlation")):
        text = figure.to_json()
        assert "<a" not in text and "\\u003ca" not in text and len(text) < 30_000 and isinstance(figure.layout.meta["note"], str)
