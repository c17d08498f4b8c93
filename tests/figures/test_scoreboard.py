"""The figure of the scoreboard: every target of every method where it was measured, the best on top, and what is not known said."""

import numpy as np
import pytest

from analysis.figures import scoreboard, template
from analysis.metrics.scoreboard import Scoreboard

RHO = np.array([[-0.9, -0.5, -0.2], [-0.7, -0.6, np.nan], [-0.8, 0.1, 0.3]])
EVIL = '<a href="https://x">a</a>'


def made(rho=RHO, centroid=1, methods=("RADAR", "Centroid distance", "LEEP"), suites=("digits (shifts)", "reviews", "shapes")):
    return Scoreboard(suites[:len(rho)], methods, ("published-method", "trivial", "score"), rho, centroid, np.full(len(rho), 7))


def marks(figure, axis):
    """{(method, target): (trace, index)}; -1 is the mean."""
    return {template.picked(place): (trace, i) for trace in figure.data if (trace.xaxis or "x") == axis for i, place in enumerate(trace.customdata)}


def test_every_target_and_mean_stands_where_it_was_measured():
    found = made()
    figure = scoreboard.board(found, at=2)
    for axis, of, values, means in (("x", "spearman", RHO, found.mean()), ("x2", "mci", found.differences(), found.mci())):
        drawn, spans = marks(figure, axis), found.interval(of)
        assert set(drawn) == {(m, t) for t, m in zip(*np.nonzero(np.isfinite(values)), strict=True)} | {(m, -1) for m in range(3)}
        for (method, target), (trace, i) in drawn.items():
            wanted = means[method] if target < 0 else values[target, method]
            assert trace.x[i] == pytest.approx(wanted, abs=1e-5) and round(float(trace.y[i])) == list(found.order()).index(method)
            if target < 0:
                assert trace.error_x.array[i] == pytest.approx(spans[method, 1] - wanted, abs=1e-4)
    assert figure.layout.xaxis.range[0] < -1 and "1 of 9 correlations not computed" in figure.layout.meta["note"]
    assert next(s for s in figure.layout.shapes if s.name == "chosen").y0 == 1.5


def test_trivial_baselines_are_grey_and_methods_of_this_app_bold():
    labels = scoreboard.board(made()).layout.yaxis.ticktext
    assert labels[0] == "<b>RADAR</b>" and labels[1] == f'<span style="color:{template.GREY}">Centroid distance</span>' and labels[2] == "LEEP"


def test_the_scoreboard_in_words_comes_out_as_it_is():
    said = scoreboard.board_says(made())
    assert said.startswith("Over 3 targets, best first: RADAR, MCI −46.7 (") and "1 of 3 are clearly better than the centroid distance" in said
    methods, rho = ("A", "Centroid distance", "B", "C", "RADAR"), np.array([[-0.9, -0.5, -0.8, -0.7, 0.2]])
    late = Scoreboard(("t",), methods, ("score", "trivial", "score", "score", "published-method"), rho, 1, np.array([7]))
    assert "Place 5 of 5: RADAR, MCI +70.0." in scoreboard.board_says(late)


def test_few_targets_say_that_an_interval_means_nothing():
    many = made(np.tile(RHO, (2, 1)), suites=tuple("abcdef"))
    for words in (scoreboard.board_says, lambda found: scoreboard.board(found).layout.meta["note"]):
        assert "means nothing" in words(made()) and "means nothing" not in words(many)


def test_what_is_not_known_is_said():
    none = made(np.full((3, 3), np.nan))
    figure = scoreboard.board(none)
    assert [a.text for a in figure.layout.annotations] == ["no target has such a correlation"] * 3
    assert scoreboard.board_says(none) == "No method has been compared on any target yet."
    without = made(centroid=-1)
    assert "no MCI" in scoreboard.board(without).layout.meta["note"] and "mean Spearman −0.80" in scoreboard.board_says(without)
    assert scoreboard.board(made(RHO[:1])).layout.meta["note"].startswith("1 target")


def test_names_are_no_markup_and_the_figure_is_light():
    text = scoreboard.board(made(methods=(EVIL, "Centroid distance", "LEEP"), suites=(EVIL, "b", "c"))).to_json()
    assert "<a" not in text and "\\u003ca" not in text and len(text) < 20_000
