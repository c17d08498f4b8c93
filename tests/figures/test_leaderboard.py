"""The figures of a leaderboard: what they draw is what was computed and measured, better is to the right, and every mark leads back to its row or score."""

import dataclasses

import numpy as np
import pytest

from analysis.figures import leaderboard, template
from analysis.metrics import gain
from analysis.metrics.leaderboard import Leaderboard

EVIL = '<a href="https://x">a</a>'
TITLES = ("LogME", "RADAR", "Parameters", "Linear probe")


def board(n=6, splits=4, kind="models", truth=None, seed=0, **changes):
    """A good score, one where lower is better, and a trivial one that knows nothing; "row 0" lacks the second."""
    rng = np.random.default_rng(seed)
    parts = gain.blends("wxyz"[:int(np.log2(n + 1))]) if kind == "sources" else ((),) * n
    truth = rng.normal(size=n)[:, None] / 10 + 0.01 * rng.normal(size=(n, splits)) if truth is None else truth
    means = truth.mean(axis=1)
    values = np.stack([20 * means - 3, -means, rng.normal(size=n), means], axis=1)
    values[0, 1] = np.nan
    names = tuple(map(gain.title, parts)) if kind == "sources" else tuple(f"row {i}" for i in range(n))
    given = {"kind": kind, "target": "digits", "names": names, "parts": parts, "scores": ("logme", "radar", "parameters", "probe"), "titles": TITLES,
             "directions": (1, -1, 1, 1), "kinds": ("score", "published-method", "trivial", "truth"), "values": values, "truth": truth,
             "truth_name": "gain" if kind == "sources" else "accuracy", "reasons": {f"{names[0]}: radar": "There is no second layer."}, "budget": 20}
    return Leaderboard(**{**given, **changes})


def marks(figure, axis=None):
    """{place: (trace, index)} of what can be clicked, the last drawn of each."""
    return {template.picked(place): (trace, i) for trace in figure.data if trace.customdata is not None and (axis is None or (trace.xaxis or "x") == axis)
            for i, place in enumerate(trace.customdata)}


def named(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


def texts(figure):
    return [a.text for a in figure.layout.annotations]


# one score

def test_rows_are_sorted_by_the_score_beside_the_truth():
    found = board()
    figure = leaderboard.board(found, "logme", at=2)
    order = np.argsort(-found.column("logme"))
    for axis, values in (("x", found.column("logme")), ("x2", 100 * found.means())):
        for row, (trace, i) in marks(figure, axis).items():
            assert trace.x[i] == pytest.approx(values[row], rel=1e-5) and order[int(trace.y[i])] == row
    trace, i = marks(figure, "x2")[2]
    mean, low, high = 100 * np.array(found.truth_interval("row 2"))
    assert trace.error_x.array[i] == pytest.approx(high - mean, rel=1e-4) and trace.error_x.arrayminus[i] == pytest.approx(mean - low, rel=1e-4)
    assert list(figure.layout.yaxis.ticktext) == [found.names[row] for row in order]
    star = named(figure, "truly best")
    assert star.customdata[0] == found.means().argmax() and star.marker.symbol == "star"
    chosen = next(s for s in figure.layout.shapes if s.name == "chosen")
    assert (chosen.y0 + chosen.y1) / 2 == list(order).index(2)


def test_where_lower_is_better_the_axis_runs_the_other_way_and_the_reason_stands_where_the_score_is_missing():
    found = board()
    figure = leaderboard.board(found, "radar")
    assert figure.layout.xaxis.autorange == "reversed" and leaderboard.board(found, "logme").layout.xaxis.autorange is None
    note = next(a for a in figure.layout.annotations if a.text == "There is no second layer.")
    assert note.y == 5 and figure.layout.yaxis.ticktext[5] == "row 0"
    assert "would pick row" in leaderboard.board_says(found, "radar") and "truly the best" in leaderboard.board_says(found, "logme")


def test_a_long_board_says_what_it_leaves_out_and_keeps_the_truly_best():
    found = board(40)
    figure = leaderboard.board(found, "parameters", limit=10)
    assert set(marks(figure, "x2")) >= {int(found.means().argmax())} and 10 <= len(figure.layout.yaxis.ticktext) <= 11
    assert f"{len(figure.layout.yaxis.ticktext)} of 40 rows drawn" in figure.layout.meta["note"]


def test_blends_are_shown_by_what_they_are_made_of():
    found = board(7, kind="sources")
    figure = leaderboard.board(found, "logme")
    order = np.argsort(-found.column("logme"))
    inside = named(figure, "in it")
    assert {(int(y), int(x)) for x, y in zip(inside.x, inside.y, strict=True)} == {(place, "wxyz".index(source)) for place, row in enumerate(order)
                                                                                for source in found.parts[row]}
    assert {"helped", "hurt"} <= {trace.name for trace in figure.data} and any(s.name == "no gain" for s in figure.layout.shapes)


@pytest.mark.parametrize("kind", ["models", "sources"])
def test_the_truth_stands_alone_where_there_is_no_score(kind):
    found = board(7, kind=kind, scores=(), titles=(), directions=(), kinds=(), values=np.zeros((7, 0)))
    figure, order = leaderboard.truth(found, at=3), np.argsort(-found.means())
    drawn = marks(figure)
    assert sorted(drawn) == list(range(7))
    for row, (trace, i) in drawn.items():
        assert trace.x[i] == pytest.approx(100 * found.means()[row], rel=1e-5) and order[int(trace.y[i])] == row
    assert list(figure.layout.yaxis.ticktext) == [found.names[row] for row in order]
    said = leaderboard.truth_says(found)
    assert f"highest for {found.names[order[0]]} (" in said and f"lowest for {found.names[order[-1]]} (" in said
    assert "7 of 7" not in leaderboard.truth(found).layout.meta["note"] and "3 of 7 rows drawn" in leaderboard.truth(found, limit=3).layout.meta["note"]
    assert leaderboard.summary(found).layout.meta["note"] and leaderboard.heat(found).data[0].z.shape == (1, 7)


def test_the_score_against_the_truth_says_how_well_they_agree():
    found = board()
    figure = leaderboard.against(found, "parameters", at=1)
    for row, (trace, i) in marks(figure).items():
        assert (trace.x[i], trace.y[i]) == pytest.approx((found.column("parameters")[row], 100 * found.means()[row]), rel=1e-5)
    agreed = found.correlation("parameters")
    said = figure.layout.title.text
    for value in (agreed.value, agreed.low, agreed.high, agreed.null_sd):
        assert f"{value:.2f}".replace("-", "−") in said
    assert "6 rows" in said and "Spearman" in leaderboard.against(found, "parameters", "spearman").layout.title.text
    assert set(found.names) <= set(texts(figure))
    left, right = leaderboard.against(found, "radar").layout.xaxis.range
    assert left > right and "1 measured row has no such score" in leaderboard.against(found, "radar").layout.meta["note"]


def test_few_rows_are_warned_of():
    found = board(3)
    assert "means nothing" in leaderboard.against(found, "logme").layout.meta["note"] and "means nothing" in leaderboard.against_says(found, "logme")
    assert "means nothing" in leaderboard.summary(found).layout.meta["note"] and "means nothing" in leaderboard.summary_says(found)


def test_slopes_go_from_the_rank_by_score_to_the_rank_by_truth():
    found = board()
    figure = leaderboard.slopes(found, "parameters")
    order = {"score": list(np.argsort(-found.column("parameters"))), "truth": list(np.argsort(-found.means()))}
    for trace in figure.data:
        row = int(trace.customdata[0])
        assert tuple(trace.y) == (order["score"].index(row), order["truth"].index(row)) and list(trace.customdata) == [row, row]
        up = trace.y[1] < trace.y[0]
        assert trace.line.dash == ("dash" if trace.y[1] > trace.y[0] else "solid") and (trace.line.color == "#0072B2") == up
    pick = found.names.index(found.pick("parameters"))
    assert max(figure.data, key=lambda trace: trace.line.width).customdata[0] == pick
    assert all(len(set(trace.y)) == 1 for trace in leaderboard.slopes(found, "logme").data)
    assert "6 of 6 rows stand" in leaderboard.slopes_says(found, "logme")


# all scores

@pytest.mark.parametrize("kind", ["models", "sources"])
def test_every_cell_is_a_rank_the_truth_on_top_and_the_best_first(kind):
    found = board(7, kind=kind)
    figure = leaderboard.heat(found, at=(0, 2))
    np.testing.assert_array_equal(figure.data[0].z[0], np.arange(1, 8))
    order = np.argsort(-found.means())
    cells = marks(figure)
    assert set(cells) == {(score, row) for score in range(-1, 4) for row in range(7)}
    for (score, row), (trace, i) in cells.items():
        x, y = int(trace.x[i]), int(trace.y[i])
        assert order[x] == row
        values = found.means() if score < 0 else found.oriented()[:, score]
        rank = figure.data[0].z[y][x]
        assert np.isnan(rank) if np.isnan(values[row]) else rank == 1 + (values > values[row]).sum()
    labels = figure.layout.yaxis.ticktext
    assert "Gain" in labels[0] or "Accuracy" in labels[0]
    assert next(t for t in labels if "Parameters" in t).startswith(f'<span style="color:{template.GREY}"') and any(t.startswith("<b>RADAR</b>") for t in labels)
    assert ("in it" in [t.name for t in figure.data]) == (kind == "sources")
    assert "LogME" in leaderboard.heat_says(found) and "Parameters" in leaderboard.heat_says(found)


def test_how_far_the_measuring_has_come_is_said():
    found = board()
    assert leaderboard.heat(found).layout.meta["note"] == "1 is best; τ beside each score; all 6 rows measured over 4 splits, 20 target items trained on"
    truth = found.truth.copy()
    truth[0], truth[1, 2:] = np.nan, np.nan
    assert "5 of 6 rows measured over 2 to 4 splits" in leaderboard.heat(dataclasses.replace(found, truth=truth)).layout.meta["note"]


def test_equal_scores_share_a_rank():
    found = board()
    found.values[:, 2] = 1
    figure = leaderboard.heat(found)
    assert set(figure.data[0].z[-1]) == {3.5}  # a constant score has no correlation, and stands last


def test_the_summary_draws_each_correlation_within_what_chance_gives():
    found = board()
    told = found.summary(resamples=200)
    figure = leaderboard.summary(found, told=told, at=2)
    band, bars = named(figure, "chance: ±1.96 null sd"), named(figure, "regret")
    lines = told.to_dict("records")
    for i, line in enumerate(lines):
        trace, at = next((t, list(t.y).index(i)) for t in figure.data if t.type == "scatter" and i in list(t.y))
        assert trace.x[at] == pytest.approx(line["tau"]) and trace.error_x.array[at] == pytest.approx(line["high"] - line["tau"], abs=1e-6)
        assert trace.customdata[at] == found.scores.index(line["score"]) and trace.name == leaderboard.LOOKS[line["kind"]][0]
        assert band.x[i] == pytest.approx(2 * 1.96 * line["null_sd"]) and band.base[i] == pytest.approx(-1.96 * line["null_sd"])
        assert bars.x[list(bars.y).index(i)] == pytest.approx(100 * line["regret"], abs=1e-5)
    assert named(figure, "trivial baseline").marker.color == template.GREY
    assert "the best trivial baseline is Parameters" in leaderboard.summary_says(found, told=told)


# published tables

def table(**changes):
    return {"title": "PR", "unit": "τ-b", "methods": ["LEEP", "-PR"], "columns": ["Pets", "DTD"], "values": [[0.4, 0.0], [0.5, np.nan]], "better": 1,
            "null_sd": 0.25, **changes}


def test_a_published_table_is_labelled_so_and_ours_stands_apart():
    figure = leaderboard.published(table(), {"LEEP": 0.3, "other": 1.0})
    assert figure.layout.title.text == "Published: PR" and list(figure.layout.yaxis.ticktext) == ["-PR  0.50", "LEEP  0.20"]
    each = named(figure, "published, each")
    assert [(list(place), float(x)) for place, x in zip(each.customdata, each.x, strict=True)] == [([0, 0], pytest.approx(0.4)), ([0, 1], 0.0), ([1, 0], 0.5)]
    ours = named(figure, "ours, on other data")
    assert list(ours.x) == pytest.approx([0.3]) and list(ours.y) == [1]
    assert leaderboard.published(table(better=-1)).layout.xaxis.autorange == "reversed"
    assert [s.x1 for s in figure.layout.shapes] == [pytest.approx(0.49)] and not leaderboard.published(table(null_sd=None)).layout.shapes
    assert leaderboard.published_says(table(), {"LEEP": 0.3}) == "Published, PR, means of τ-b, best first: -PR 0.50, LEEP 0.20. Ours, on other data: LEEP 0.30."


# all of them

def drawn(found):
    for score in found.scores:
        yield from (make(found, score) for make in (leaderboard.board, leaderboard.against, leaderboard.slopes))
    yield from (leaderboard.heat(found), leaderboard.summary(found), leaderboard.truth(found))


def said(found):
    for score in found.scores:
        yield from (make(found, score) for make in (leaderboard.board_says, leaderboard.against_says, leaderboard.slopes_says))
    yield from (leaderboard.heat_says(found), leaderboard.summary_says(found), leaderboard.truth_says(found))


@pytest.mark.parametrize("kind", ["models", "sources"])
def test_what_is_not_known_yet_is_said_and_nothing_breaks(kind):
    found = board(7, kind=kind)
    none, one = np.full(found.values.shape, np.nan), found.truth.copy()
    one[1:] = np.nan
    for partly in ({"truth": found.truth[:, :0]}, {"truth": one}, {"values": none}, {"values": none, "truth": found.truth * np.nan},
                   {"truth": found.truth[:, :1]}, {"values": 0 * found.values, "truth": 0 * found.truth}):
        now = dataclasses.replace(found, **partly)
        assert all(isinstance(figure.layout.meta["note"], str) for figure in drawn(now))
        assert all(sentence.endswith(".") and "nan" not in sentence for sentence in said(now))
    assert "nothing is measured yet" in leaderboard.board_says(dataclasses.replace(found, truth=found.truth[:, :0]), "logme")


def test_figures_are_light_and_names_are_no_markup():
    found = board(15, kind="sources")
    assert all(len(figure.to_json()) < 60_000 for figure in drawn(found))
    found = board(names=(EVIL, *(f"row {i}" for i in range(5))), titles=(EVIL, *TITLES[1:]), reasons={f"{EVIL}: radar": EVIL}, truth_name=EVIL)
    assert all("<a" not in text for figure in (*drawn(found), leaderboard.published(table(title=EVIL, methods=[EVIL, "-PR"], columns=[EVIL, "DTD"])))
               for text in _strings(figure.to_plotly_json()))


def _strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for v in value.values() for text in _strings(v))
    elif isinstance(value, (list, tuple)):
        yield from (text for v in value for text in _strings(v))
