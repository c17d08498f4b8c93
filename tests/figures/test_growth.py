"""The figures of growth: candidates and metrics stand where they were measured, ours are called ours, families differ in more than hue, a click leads back."""

import json
from dataclasses import replace

import numpy as np
import pytest

from analysis.figures import growth, template
from analysis.metrics.growth import BASE, Growth

pytest.importorskip("torch")
K, SEEDS = 3, 4
NAMES = ("base", "a ×2", "b ×2", "all ×2", "all ×4", "a deeper", "b deeper", "a residual", "b residual", "all ×2, deeper")
FAMILIES = (BASE, *("width",) * 4, *("depth",) * 2, *("residual",) * 2, "both")
PARAMETERS = np.array([100.0, 150, 190, 300, 700, 110, 152, 112, 155, 320])
GAINS = np.array([0.0, 0.02, 0.03, 0.06, 0.08, -0.02, 0.0, 0.01, 0.02, 0.07])
DISTANCES = np.array([1.0, 1.2, 1.5, 2.0, 2.5, 0.6, 0.9, 0.8, 1.1, 2.2])
CHECK = np.array([0.0, 2e-7, 3e-6, 1e-6, 4e-4, 0.0, 0.0, 1e-7, 1e-7, 2e-6])
PROXIES, TITLES = ("params", "ntk", "synflow", "jacob_cov"), ("Parameters", "NTK condition", "SynFlow", "Jacobian covariance")
EVIL = '<a href="https://x">a</a>'


def growing(done=10, names=NAMES, **changed):
    """As much of it as is there after so many candidates: distance, and the number of parameters, go with the gain; one proxy is refused everywhere."""
    rows, rng = len(names), np.random.default_rng(0)
    apart = (1 - np.eye(K)) * DISTANCES[:, None, None, None] * np.array([0.5, 1.0])[:, None, None]
    noise = 0.004 * rng.normal(size=(rows, SEEDS))
    accuracy = 0.7 + GAINS[:, None] + noise - noise.mean(axis=1, keepdims=True) + 0.005 * rng.normal(size=SEEDS)
    accuracy[0] = accuracy[0] - noise[0] + noise[0].mean()
    values = np.column_stack([PARAMETERS, 1e3 / DISTANCES, np.geomspace(1, 1e5, rows), np.full(rows, np.nan)])
    arrays = {"parameters": PARAMETERS, "check": CHECK, "distances": apart, "barriers": 0 * apart,
              "losses": np.zeros((rows, 2, K)), "starts": np.zeros(rows), "radius": np.ones((rows, 2, 4)) * DISTANCES[:, None, None],
              "values": values, "accuracy": accuracy, "seconds": np.tile([0.01, 0.3, 0.1, 0.2, 2.0], (rows, 1)), "proxy_seconds": np.full((rows, 4), 0.02)}
    arrays = {name: np.array(values, float) for name, values in arrays.items()}
    for values in arrays.values():
        values[done:] = np.nan
    made = Growth("net", "digits", names, FAMILIES, ((),) * rows, lengths=(10, 20), epsilon=0.02, epsilons=(0.01, 0.02), proxies=PROXIES, titles=TITLES,
                  directions=(1, -1, 1, 1), start=0.6, steps=(20, 50), reasons={f"{names[1]}: jacob_cov": "The kernel is singular."}, done=done == rows,
                  **arrays)
    return replace(made, **changed)


def growth_of_many():
    """More candidates than can be named."""
    rows = [0, *range(1, 10), *range(1, 10)]
    whole = growing()
    arrays = {name: getattr(whole, name)[rows] for name in ("parameters", "check", "distances", "barriers", "losses", "starts", "radius", "values", "accuracy",
                                                            "seconds", "proxy_seconds")}
    names = (NAMES[0], *NAMES[1:], *(f"{name} again" for name in NAMES[1:]))
    return replace(whole, names=names, families=tuple(FAMILIES[row] for row in rows), changes=((),) * len(rows), **arrays)


@pytest.fixture(scope="module")
def found():
    return growing()


@pytest.fixture(scope="module")
def told(found):
    return found.summary(resamples=100)


def marks(figure, *kinds):
    """{place: (trace, index)} of what can be clicked, in traces of these kinds."""
    traces = [trace for trace in figure.data if trace.customdata is not None and (not kinds or trace.type in kinds)]
    return {template.picked(place): (trace, i) for trace in traces for i, place in enumerate(trace.customdata)}


def named(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


def texts(figure):
    return [a.text for a in figure.layout.annotations]


# the function

def test_checks_stand_on_a_log_axis_beside_the_rule_of_rounding(found):
    figure = growth.check(found, at=4)
    drawn, labels = marks(figure), list(figure.layout.yaxis.ticktext)
    assert sorted(drawn) == list(range(1, 10)) and figure.layout.xaxis.type == "log"  # the base is no expansion
    for row, (trace, i) in drawn.items():
        assert labels[int(trace.y[i])] == NAMES[row]
        assert trace.name == ("beyond 1e−5" if row == 4 else "function kept") and (trace.text[i] == "0") == (CHECK[row] == 0)
        assert trace.x[i] == pytest.approx(CHECK[row], rel=1e-5) if CHECK[row] > 1e-7 else trace.x[i] < 3e-7
    assert named(figure, "beyond 1e−5").marker.pattern.shape != named(figure, "function kept").marker.pattern.shape
    rule = next(s for s in figure.layout.shapes if s.name == "rounding")
    assert rule.x0 == rule.x1 == 1e-5 and "1e−5: rounding" in texts(figure)
    low, high = figure.layout.xaxis.range
    assert low < -7 and high > -3.4
    assert growth.check_says(found) == "8 of 9 expansions keep the logits of the base to 1e−5; all ×4 differs most, by 4.0e−4."


# metric and gain

def test_every_candidate_stands_at_its_metric_and_gain_with_its_interval(found):
    figure = growth.against(found, "distance", at=3)
    drawn = marks(figure)
    assert sorted(drawn) == list(range(10))
    for row, (trace, i) in drawn.items():
        mean, low, high = 100 * np.array(found.gain_interval(NAMES[row]))
        assert trace.x[i] == pytest.approx(DISTANCES[row], rel=1e-5) and trace.y[i] == pytest.approx(mean, abs=1e-4)
        assert trace.error_y.array[i] == pytest.approx(high - mean, abs=1e-4)
        assert trace.name == {BASE: "the base"}.get(FAMILIES[row], FAMILIES[row]) and NAMES[row] in trace.hovertext[i]
        low, high = found.spread("distance")[row]
        assert f"{low:.3g} to {high:.3g} over connected pairs" in trace.hovertext[i]
    families = {t.name: (t.marker.color, t.marker.symbol) for t in figure.data if t.customdata is not None}
    assert len({c for c, _ in families.values()}) == len({s for _, s in families.values()}) == 5 and families["the base"][0] == template.GREY
    assert next(s for s in figure.layout.shapes if s.name == "no gain").y0 == 0
    assert "Distance (our estimator)" in figure.layout.xaxis.title.text and len([t for t in figure.data if t.name == "selected"]) == 2
    assert all(template.contrast(colour, ground) >= 3 for colour, _ in growth.LOOKS.values() for ground in (template.LIGHT, template.DARK))


@pytest.mark.parametrize(("kind", "sign"), [("kendall", "Kendall's τ-b"), ("spearman", "Spearman's ρ"), ("pearson", "Pearson's r")])
def test_the_correlation_stands_above_with_its_interval(found, kind, sign):
    agreed = found.correlation("distance", kind)
    text = growth.against(found, "distance", kind).layout.title.text
    assert text == f"{sign} = {agreed.value:.2f} (95\u202f% {agreed.low:.2f} to {agreed.high:.2f})<br>null sd {agreed.null_sd:.2f}, 9 expansions"
    said = growth.against_says(found, "distance", kind)
    assert said.startswith("Distance (our estimator) goes with the gain: ") and "It would pick all ×4, which gained most." in said


def test_one_family_may_be_looked_at_and_the_others_fade(found):
    found = growing(families=(BASE, *("width",) * 6, "depth", "residual", "both"))
    figure = growth.against(found, "distance", family="width")
    assert {t.name: t.opacity for t in figure.data if t.customdata is not None}["width"] == 1 and named(figure, "depth").opacity < 0.5
    assert "6 expansions, family width" in figure.layout.title.text and "of the family width" in growth.against_says(found, "distance", family="width")


def test_equal_numbers_of_parameters_are_ringed_with_a_letter(found):
    rings = named(growth.against(found, "distance"), "equal parameters")
    letters = {int(np.abs(DISTANCES - x).argmin()): letter for x, letter in zip(rings.x, rings.text, strict=True)}
    assert found.groups() == ((5, 7), (1, 6, 8)) and letters == {5: "A", 7: "A", 1: "B", 6: "B", 8: "B"}
    assert all(f"group {letter}" in trace.hovertext[i] for row, letter in letters.items() for trace, i in [marks(growth.against(found, "distance"))[row]])
    assert "within 5" in growth.against(found, "distance").layout.meta["note"]


def test_letters_that_would_meet_a_mark_or_each_other_are_left_out():
    spots = np.array([[0.0, 0], [0, 1], [0, 2], [300, 0]])
    places = growth._roomy(spots, spots)
    kept = np.array([spot + growth.AROUND[place] for spot, place in zip(spots, places, strict=True) if place])
    assert "" in growth._roomy(np.zeros((9, 2)), np.zeros((9, 2))) and places[3] == "top left"
    assert min(np.hypot(*(a - b)) for i, a in enumerate(kept) for b in [*kept[:i], *spots]) >= growth.NEAR


def test_names_hang_above_all_marks_where_there_are_many(found):
    many = [a for a in growth.against(growth_of_many(), "distance").layout.annotations if a.name == "tag"]
    assert many and all(a.ax == 0 and a.ay < 0 for a in many) and len({a.ay for a in many}) == len(many) == 2


def test_lower_may_be_better_and_many_powers_are_on_a_log_axis(found):
    axis = growth.against(found, "ntk").layout.xaxis
    assert axis.range[0] > axis.range[1] and "lower is said to be better" in axis.title.text and "our estimator" not in axis.title.text
    figure = growth.against(found, "synflow", at=9)
    assert figure.layout.xaxis.type == "log" and figure.layout.xaxis.range[0] < 0 and figure.layout.xaxis.range[1] > 5
    assert named(figure, "selected").x[0] == pytest.approx(1e5) and next(a for a in figure.layout.annotations if a.text == NAMES[9]).x == pytest.approx(5)


def test_infinite_values_are_left_out_and_said():
    values = growing().values.copy()
    values[2, 1] = np.inf
    figure = growth.against(growing(values=values), "ntk")
    assert 2 not in marks(figure) and "1 without a finite value left out" in figure.layout.meta["note"]


def test_what_ranks_nothing_is_said_in_the_title(found):
    assert "none.<br>The kernel is singular." in growth.against(found, "jacob_cov").layout.title.text
    assert "The kernel is singular." in growth.against_says(found, "jacob_cov")
    same = growing(values=np.ones((10, 4)), reasons={})
    assert "the same of all expansions" in growth.against(same, "synflow").layout.title.text


def test_families_equal_parameters_and_what_size_leaves_have_a_row_each(found):
    figure = growth.within(found, "distance")
    assert list(figure.layout.yaxis.ticktext) == ["All expansions  (9)", "Width only  (4)", "Depth only  (2)", "Residual only  (2)", "Both at once  (1)",
                                                  "At equal parameters, Pearson  (5)", "Given log parameters, Pearson  (9)"]
    dots = named(figure, "Distance (our estimator)")
    wanted = {0: found.correlation("distance"), 6: found.partial("distance")}
    assert list(dots.y) == list(wanted) and figure.layout.xaxis.title.text.startswith("Correlation with the gain<br>")
    for row, c in wanted.items():
        i = list(dots.y).index(row)
        assert dots.x[i] == pytest.approx(c.value, abs=1e-5) and dots.error_x.array[i] == pytest.approx(c.high - c.value, abs=1e-5)
    assert len(texts(figure)) == 5 and all("too few" in text for text in texts(figure))  # of fewer than six
    table = growth.within_table(found, "distance")
    assert table["expansions"].tolist() == [9, 4, 2, 2, 1, 5, 9] and table["correlation"].notna().tolist() == [True, *[False] * 5, True]
    said = growth.within_says(found, "distance")
    assert "all expansions" in said and "given log parameters, Pearson" in said and "depth only" not in said


# leaderboard

@pytest.mark.parametrize("kind", ["kendall", "partial"])
def test_metrics_are_ranked_with_interval_chance_and_regret(found, told, kind):
    figure = growth.board(found, kind, told=told, at=0)
    column, labels = growth.SIGNS[kind][2], list(figure.layout.yaxis.ticktext)
    drawn = marks(figure, "scatter")
    lines = {found.metrics.index(line["name"]): line for line in told.to_dict("records")}
    known = [place for place, line in lines.items() if np.isfinite(line[column])]
    assert sorted(drawn) == sorted(known)
    values = []
    for place, (trace, i) in sorted(drawn.items(), key=lambda item: item[1][0].y[item[1][1]]):
        line = lines[place]
        assert trace.x[i] == pytest.approx(line[column], abs=1e-5) and trace.error_x.array[i] == pytest.approx(line[f"{column} high"] - line[column], abs=1e-5)
        assert trace.name == ("our estimators" if line["ours"] else "number of parameters" if line["name"] == "params" else "proxies")
        assert ("(ours)" in labels[int(trace.y[i])]) == line["ours"] and line["title"][:9] in labels[int(trace.y[i])]
        values.append(trace.x[i])
    assert (np.diff(values) <= 1e-6).all()  # the best on top
    assert named(figure, "number of parameters").marker.color == template.GREY
    band = named(figure, "chance: ±1.96 null sd")
    sd = (found.partial("distance") if kind == "partial" else found.correlation("distance")).null_sd
    assert band.x[list(band.y).index(drawn[0][0].y[drawn[0][1]])] == pytest.approx(2 * 1.96 * sd)
    regrets = named(figure, "regret")
    for x, place in zip(regrets.x, regrets.customdata, strict=True):
        assert x == pytest.approx(100 * lines[int(place)]["regret"], abs=1e-4)


def test_a_metric_without_a_correlation_says_why_at_the_bottom(found, told):
    figure = growth.board(found, told=told)
    assert "The kernel is singular" in texts(figure) and "It is the same of all expansions" in texts(figure)  # all are connected
    alone = growth.board(growing(values=np.column_stack([PARAMETERS, *np.ones((3, 10))]), reasons={})).layout.meta["note"]
    assert "Jacobian covariance depends on the function alone, which growing keeps" in alone and "Connected" not in alone
    said = growth.board_says(found, told=told)
    assert "the best of our five estimators is" in said and "the best of two other proxies is" in said and "over 9 expansions" in said
    assert "plain parameters come to" in said and "below." in said


def test_the_board_counts_intervals_on_either_side_of_0_and_says_over_how_many_expansions(found, told):
    lines = told.copy()
    lines.loc[lines.name == "ntk", ["tau", "tau low", "tau high", "n"]] = -0.5, -0.8, -0.2, 7
    known = lines[np.isfinite(lines.tau)]
    said = growth.board_says(found, told=lines)
    assert f"Of {len(known)} intervals {(known['tau low'] > 0).sum()} lie above 0, 1 below." in said and "over 7 to 9 expansions" in said


# what it costs

def test_costs_are_seconds_and_steps_the_cheapest_on_top(found):
    figure = growth.cost(found, at=1)
    drawn, labels = marks(figure), list(figure.layout.yaxis.ticktext)
    seconds = {place: float(trace.x[i]) for place, (trace, i) in drawn.items()}
    assert seconds[0] == pytest.approx(0.4) and seconds[found.metrics.index("radius")] == pytest.approx(0.2) and seconds[-1] == pytest.approx(2.0)
    trace, i = drawn[0]
    assert "(ours)" in labels[int(trace.y[i])] and "60 steps of training" in trace.text[i] and "200 steps" in drawn[-1][0].text[0]
    order = [seconds[place] for place, (trace, i) in sorted(drawn.items(), key=lambda item: item[1][0].y[item[1][1]])]
    assert order == sorted(order) and figure.layout.xaxis.type == "log"
    chosen = next(s for s in figure.layout.shapes if s.name == "chosen")
    assert chosen.y0 == trace.y[i] - 0.5  # the diameter is of the same branches
    assert growth.cost_says(found) == ("For one candidate our sizes take 0.4 s, 60 steps of training, a proxy 0.02 s to 0.02 s, to measure the gain itself "
                                       "2 s, 200 steps of training.")


# how much hangs on the settings

def test_rankings_over_every_setting_are_lines_with_rules_at_the_usual_ones(found):
    figure = growth.robust(found, ("distance", "radius"))
    moves = {name: found.robust(name) for name in ("distance", "radius")}
    lines = {(t.name, t.xaxis, t.yaxis): t for t in figure.data if t.customdata is not None}
    assert len(lines) == 2 * 3 + 2 * 1  # the radius knows neither branches nor steps
    for knob, x, upper, lower in (("epsilon", "x", "y", "y4"), ("branches", "x2", "y2", "y5"), ("steps", "x3", "y3", "y6")):
        moved = moves["distance"][knob]
        for axis, values in ((upper, moved.with_default), (lower, moved.with_gain)):
            line = lines["Distance (our estimator)", x, axis]
            np.testing.assert_allclose(line.x, moved.values, rtol=1e-6)
            np.testing.assert_allclose(line.y, values, rtol=1e-6)
            assert template.picked(line.customdata[1]) == (0, 1)
            if axis == lower:
                np.testing.assert_allclose(line.error_y.array, [c.high - c.value for c in moved.gains], rtol=1e-5)
                assert all("9 expansions" in text and " to " in text for text in line.hovertext)
    rules = {(s.xref, s.x0) for s in figure.layout.shapes if s.name == "usual"}
    assert rules == {("x", 0.02), ("x2", K), ("x3", 20)} and figure.layout.xaxis.type == "log"
    bands = {s.yref: s.y1 for s in figure.layout.shapes if s.name == "chance"}
    assert bands == {axis: pytest.approx(1.96 * found.correlation("distance").null_sd) for axis in ("y4", "y5", "y6")}
    drawn = [t for t in figure.data if t.customdata is not None]
    assert len({t.line.dash for t in drawn}) == len({t.marker.symbol for t in drawn}) == 2
    said = growth.robust_says(found, ("distance", "radius"))
    assert said.startswith("The ranking by distance (our estimator) hardly moves with ε (1.00), the number of branches (1.00) and the length")
    assert "It clearly goes with the gain at 4 of 4 settings and against it at 0, over 9 expansions. The ranking by radius" in said  # the usual one counts once
    assert "agreement is high by construction" in figure.layout.meta["note"]
    assert said.endswith("All pairs are connected at every ε shown.") and "all pairs are connected" in figure.layout.meta["note"]


def test_over_how_many_expansions_is_said_for_each_setting_that_moves(found):
    losses = found.losses.copy()
    losses[4, 0, :2] = losses[5, 0, 1:] = 0.3  # after 10 steps two expansions are left with one branch
    losses[6, 1, 0] = 0.015  # at rest at the usual epsilon, not at half of it
    _, over = growth.robust_says(replace(found, losses=losses)).split("against it at 0, ")
    assert over.startswith("over 9 expansions as ε moves, 9 as the number of branches moves and 7 to 9 as the length of a branch moves.")


def test_what_a_size_does_not_know_is_said_in_its_place(found):
    assert texts(growth.robust(found, ("radius",))) == ["It knows no<br>branches"] * 2 + ["It knows no<br>steps of a branch"] * 2
    parted = found.barriers.copy()
    parted[:, :, 0, 1] = parted[:, :, 1, 0] = 0.015
    assert "all pairs are connected" not in growth.robust(replace(found, barriers=parted)).layout.meta["note"]


def test_a_size_that_ranks_nothing_is_said(found):
    note = growth.robust(found, ("connected",)).layout.meta["note"]
    assert "Connected share ranks nothing;" in note and "no ranking" in growth.robust_says(found, ("connected",))
    parted = found.barriers.copy()
    parted[1:5, :, 0, 1] = parted[1:5, :, 1, 0] = 0.015  # all are connected at the usual epsilon, not at half of it
    figure = growth.robust(replace(found, barriers=parted), ("connected",))
    assert "Connected share ranks nothing at the usual setting" in figure.layout.meta["note"] and texts(figure) == ["Nothing to rank"] * 5


# all of them

CALLS = {"check": (), "against": ("distance",), "within": ("distance",), "board": (), "cost": (), "robust": ()}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("done", [0, 1, 3, 6, 8])
def test_partial_results_draw_and_say_how_far_they_are(name, done):
    part = growing(done)
    figure, said = getattr(growth, name)(part, *CALLS[name]), getattr(growth, f"{name}_says")(part, *CALLS[name])
    assert f"{max(0, done - 1)} of 9 expansions measured so far" in figure.layout.meta["note"] or (name == "cost" and not done)
    assert said.endswith(".") and "nan" not in said
    if name in ("against", "within", "board", "robust"):
        assert said.startswith("So far") if done > 7 else not any(word in said for word in ("=", "goes", "pick", "best of"))
        assert not any("=" in text for text in texts(figure)) and (done > 7 or "=" not in (figure.layout.title.text or ""))
    places = [place for place in marks(figure) if name in ("check", "against")]
    assert all(place < done for place in places) and len(places) == {"check": max(0, done - 1), "against": done}.get(name, 0)


@pytest.mark.parametrize("name", CALLS)
def test_figures_are_light_and_names_are_no_markup(name):
    figure = getattr(growth, name)(growing(names=(EVIL, EVIL + "1", *NAMES[2:])), *CALLS[name])
    assert len(figure.to_json()) < 40_000 and "<a" not in json.loads(figure.to_json()).__repr__()
