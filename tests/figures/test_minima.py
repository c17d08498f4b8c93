"""The figures of a valley: barriers, lines, land, radius and ways stand where they were measured, connected is told by more than hue, a click leads back."""

import json
from dataclasses import replace

import numpy as np
import pytest

from analysis.figures import minima, template
from analysis.metrics.growth import Valley

K, LOOKS, STEPS = 4, 5, 40
EVIL = '<a href="https://x">a</a>'
PAIRS = np.array([(i, j) for i in range(K) for j in range(i + 1, K)])
ALONG = np.linspace(0, 1, 11)
HEIGHTS = np.array([0.01, 0.3, 0.0, 0.08, 0.002, 0.5])  # of the pairs, in their order


def valley(**changed):
    rng = np.random.default_rng(0)
    losses, barriers, distances = np.array([0.40, 0.42, 0.41, 0.44]), np.zeros((K, K)), np.zeros((K, K))
    barriers[tuple(PAIRS.T)] = barriers[tuple(PAIRS.T[::-1])] = HEIGHTS
    distances[tuple(PAIRS.T)] = distances[tuple(PAIRS.T[::-1])] = 1 + HEIGHTS
    ends = losses[PAIRS]
    dips = np.where(HEIGHTS > 0, HEIGHTS, -0.05)[:, None] * 4 * ALONG * (1 - ALONG)
    paths = np.cumsum(np.concatenate([np.zeros((1, K, 2)), rng.normal(size=(LOOKS - 1, K, 2))]), axis=0)
    x, y = np.linspace(-1, 2, 9), np.linspace(-1, 2, 9)
    found = Valley("net", "base", "digits", (), 200, 0.0, tuple(range(K)), np.linspace(1, 0.4, STEPS) + rng.uniform(0, 0.1, (K, STEPS)), losses,
                   np.array([0.80, 0.82, 0.81, 0.79]), 0.5, 0.75, distances, barriers, PAIRS, ALONG,
                   ends[:, :1] * (1 - ALONG) + ends[:, 1:] * ALONG + dips, 0.05, (0.01, 0.05, 0.1),
                   np.array([[1.0], [2.0], [3.0]]) * rng.uniform(0.5, 1.5, 8), 0.4 + (x**2 + (y**2)[:, None]), x, y, (0, 1, 2),
                   np.array([[0.0, 0.0], [1.0, 0.0], [0.4, 1.1]]), (0.5, 0.4), 0.3, tuple(range(0, STEPS + 1, 10)), paths, (0.6, 0.2), done=True)
    return replace(found, **changed)


def gone(branch=2, step=7):
    """The same with a branch that diverged."""
    whole = valley()
    out = {name: np.array(getattr(whole, name), float) for name in ("losses", "accuracies", "barriers", "distances", "profiles", "curves", "paths")}
    for name in ("barriers", "distances"):
        out[name][branch] = out[name][:, branch] = np.nan
    out["losses"][branch] = out["accuracies"][branch] = np.nan
    out["profiles"][(PAIRS == branch).any(axis=1)] = np.nan
    out["curves"][branch, step:] = np.nan
    out["paths"][1:, branch] = np.nan
    return replace(whole, **out, diverged={branch: step}, plane_of=(0, 1, 3))


def begun():
    """The same as it is when only the branches are there."""
    nothing = np.zeros((0, 0))
    return valley(barriers=np.full((K, K), np.nan), profiles=np.full((len(PAIRS), len(ALONG)), np.nan), radius=np.full((3, 8), np.nan), plane=nothing,
                  plane_x=np.zeros(0), plane_y=np.zeros(0), plane_of=(), plane_minima=np.zeros((0, 2)), plane_start=(np.nan, np.nan), plane_off=np.nan,
                  done=False)


def marks(figure):
    """{place: (trace, index)} of what can be clicked."""
    return {template.picked(place): (trace, i) for trace in figure.data if trace.customdata is not None for i, place in enumerate(trace.customdata)}


def named(figure, name):
    return [trace for trace in figure.data if trace.name == name]


def texts(figure):
    return [a.text for a in figure.layout.annotations]


# barriers

def test_every_barrier_has_its_cell_and_connected_pairs_carry_a_ring():
    found = valley()
    figure = minima.barriers(found, at=(0, 3))
    np.testing.assert_allclose(figure.data[0].z, found.barriers, rtol=1e-6)
    drawn = marks(figure)
    assert set(drawn) == {(i, j) for i in range(K) for j in range(K)}
    trace, i = drawn[0, 2]
    assert (trace.x[i], trace.y[i]) == (2, 0) and "branch 0 – branch 2: barrier 0.300, not connected" in trace.hovertext[i]
    (ring, dark), (legend,) = named(figure, "connected"), named(figure, "connected: barrier up to ε = 0.05")
    assert {(y, x) for x, y in zip(ring.x, ring.y, strict=True)} == set(zip(*np.nonzero((found.barriers <= 0.05) & ~np.eye(K, dtype=bool)), strict=True))
    assert {ring.marker.color, dark.marker.color} == set(template.RING) and ring.customdata is None
    assert legend.showlegend and legend.marker.color == template.GREY and not ring.showlegend  # seen on any ground
    assert [s.x0 for s in figure.layout.shapes] == [2.5, 2.5]  # the frame
    assert figure.layout.yaxis.scaleanchor == "x"


def test_epsilon_stands_in_the_colour_bar_and_moves_the_rings():
    figure = minima.barriers(valley(), epsilon=0.1)
    bar = figure.data[0].colorbar
    assert dict(zip(bar.tickvals, bar.ticktext, strict=True))[0.1] == "<b>ε = 0.1</b>" and figure.data[0].zmax == 0.5
    assert len(named(figure, "connected")[0].x) == 2 * int((HEIGHTS <= 0.1).sum())
    flat = minima.barriers(valley(barriers=np.zeros((K, K))))
    assert flat.data[0].zmax == 0.1 and "no barrier rises above 0" in minima.barriers_says(valley(barriers=np.zeros((K, K))))


def test_a_branch_that_diverged_is_left_out_and_said():
    found = gone()
    figure = minima.barriers(found)
    assert figure.layout.xaxis.ticktext[2] == "branch 2<br>left out" and np.isnan(figure.data[0].z[2]).all()
    assert figure.layout.meta["note"] == "branch 2 diverged at step 7 and is left out"
    trace, i = marks(figure)[0, 2]
    assert "diverged at step 7" in trace.hovertext[i]
    assert minima.barriers_says(found) == ("3 of 3 pairs of branches of net are connected at ε = 0.05; the highest barrier is 0.010, between branch 0 and "
                                           "branch 1. Branch 2 diverged at step 7 and is left out.")


def test_a_branch_that_ends_above_its_start_is_connected_with_none_and_said():
    found = valley(losses=np.array([0.40, 0.42, 0.41, 0.60]))  # the start is at 0.5, epsilon 0.05
    figure = minima.barriers(found)
    assert figure.layout.xaxis.ticktext[3] == "branch 3<br>left out" and 3 not in {*named(figure, "connected")[0].x, *named(figure, "connected")[0].y}
    assert figure.layout.meta["note"] == f"branch 3 ends {minima.ABOVE}" and f"branch 3 ends {minima.ABOVE}" in marks(figure)[1, 3][0].hovertext[7]
    assert minima.barriers_says(found).endswith(f"Branch 3 ends {minima.ABOVE}.") and "3 of 6 pairs" in minima.barriers_says(valley(epsilon=0.02))
    lines = {template.picked(trace.customdata[0]): trace.name for trace in minima.between(found).data}
    assert lines[1, 3] == "not connected" and lines[0, 1] == "connected" and "left out" in minima.between(found).layout.meta["note"]
    assert "branches 2 and 3 end above" in minima.barriers(valley(losses=np.array([0.40, 0.42, 0.7, 0.6]))).layout.meta["note"]
    assert minima.between_says(found).endswith(f"Branch 3 ends {minima.ABOVE}.") and list(found.table()["at rest"]) == [True, True, True, False]
    loose = minima.barriers(found, epsilon=0.2)
    assert loose.layout.xaxis.ticktext[3] == "branch 3" and loose.layout.meta["note"] == ""


def test_several_branches_that_diverged_are_said_at_once():
    assert minima.losses(replace(gone(), diverged={0: 3, 2: 7})).layout.meta["note"].endswith("branches 0 (step 3) and 2 (step 7) diverged and are left out")


def test_a_barrier_without_bound_is_the_highest():
    barriers = valley().barriers.copy()
    barriers[0, 1] = barriers[1, 0] = np.inf
    figure = minima.barriers(valley(barriers=barriers))
    assert figure.data[0].zmax == 0.5 and figure.data[0].z[0, 1] == 0.5
    assert "∞, between branch 0 and branch 1" in minima.barriers_says(valley(barriers=barriers))


# the lines between

def test_lines_stand_above_the_straight_line_and_their_highest_point_is_the_barrier():
    found = valley()
    figure = minima.between(found, at=(3, 1))
    drawn = {template.picked(trace.customdata[0]): trace for trace in figure.data}
    assert set(drawn) == set(map(tuple, PAIRS.tolist()))
    for pair, trace in drawn.items():
        ends = found.losses[list(pair)]
        excess = found.profiles[PAIRS.tolist().index(list(pair))] - ends[0] * (1 - ALONG) - ends[1] * ALONG
        np.testing.assert_allclose(trace.y, excess, atol=1e-6)
        assert trace.name == ("connected" if found.barriers[pair] <= 0.05 else "not connected")
        assert int(np.argmax(trace.marker.size)) == int(excess.argmax())
    assert {k: (t.line.color, t.line.dash, t.marker.symbol) for k, t in ((t.name, t) for t in figure.data)} == {
        "connected": ("#0072B2", "solid", "circle"), "not connected": ("#D55E00", "dash", "x")}
    assert sorted(t.name for t in figure.data if t.showlegend) == ["connected", "not connected"]
    assert next(s for s in figure.layout.shapes if s.name == "epsilon").y0 == 0.05 and "ε = 0.05" in texts(figure)
    assert [t.line.width for t in figure.data if t.line.width > 2] == [4] and drawn[1, 3].line.width == 4
    assert {a.text for a in figure.layout.annotations if a.name == "pair"} == {"2 – 3", "0 – 2", "1 – 2"}  # the highest three


def test_the_lines_in_words():
    said = minima.between_says(valley(), epsilon=0.2)
    assert "On 2 of 6 lines" in said and "ε = 0.2" in said and "rises by 0.500, between branch 2 and branch 3; on 1 it stays below" in said
    assert "On 1 of 3 lines" in minima.between_says(gone(0), epsilon=0.2) and "Branch 0 diverged" in minima.between_says(gone(0))


# the plane

def test_the_plane_has_its_loss_its_minima_the_start_and_square_axes():
    found = valley()
    figure = minima.plane(found)
    np.testing.assert_allclose(10 ** figure.data[0].z, found.plane, rtol=1e-5)
    drawn = marks(figure)
    assert set(drawn) == {0, 1, 2, -1}
    for i, branch in enumerate(found.plane_of):
        trace, _ = drawn[branch]
        np.testing.assert_allclose([trace.x[0], trace.y[0]], found.plane_minima[i])
    assert (drawn[-1][0].x[0], drawn[-1][0].y[0]) == found.plane_start and "0.3 off the plane" in drawn[-1][0].hovertemplate
    assert len({drawn[b][0].marker.symbol for b in range(3)}) == 3
    assert figure.layout.yaxis.scaleanchor == "x" and {"branch 0", "branch 1", "branch 2", "start"} <= set(texts(figure))
    edge = named(figure, "epsilon")
    assert [t.contours.start for t in edge] == pytest.approx([np.log10(0.45)] * 2) and {t.colorscale[0][1] for t in edge} == set(template.RING)
    share = np.mean(found.plane <= 0.45)
    assert f"on {100 * share:.0f}\u202f% of it" in minima.plane_says(found) and "1.01, 1.3 and 1.08 apart" in minima.plane_says(found)


def test_branches_that_are_no_minima_at_the_epsilon_chosen_are_named_below_the_plane():
    found = valley(losses=np.array([0.40, 0.42, 0.53, 0.44]))  # the start is at 0.5: at rest at the usual epsilon, 0.05
    assert "left out" not in minima.plane(found).layout.meta["note"] + minima.plane_says(found)
    told = f"ranch 2 ends {minima.ABOVE}"
    assert told in minima.plane(found, epsilon=0.01).layout.meta["note"] and minima.plane_says(found, epsilon=0.01).endswith(f"B{told}.")
    assert list(found.table(0.01)["at rest"]) == [True, True, False, True] and found.table()["at rest"].all()


def test_a_thick_line_is_noted_only_where_it_is_drawn():
    figure = minima.plane(valley(), epsilon=99.0)
    assert not named(figure, "epsilon") and "all of it lies within ε = 99" in figure.layout.meta["note"] and "thick" not in figure.layout.meta["note"]
    assert "thick line: ε = 0.05" in minima.plane(valley()).layout.meta["note"]


def test_why_there_is_no_plane_is_said():
    bare = {"plane": np.zeros((0, 0)), "plane_of": ()}
    assert minima.plane_says(valley(**bare, losses=np.array([0.4, 0.4, 9, 9]))) == "A plane goes through three minima; there are 2 at ε = 0.05."
    assert "lie on a line" in minima.plane_says(valley(**bare)) and "not there yet" in minima.plane_says(valley(**bare, done=False))


def test_losses_without_bound_leave_a_gap_in_the_plane():
    land = valley().plane.copy()
    land[0, 0] = np.inf
    assert np.isnan(minima.plane(valley(plane=land)).data[0].z[0, 0]) and "inf" not in minima.plane_says(valley(plane=land))


# the radius

def test_the_rose_has_a_petal_per_direction_and_the_mean_as_a_circle():
    found = valley()
    figure = minima.rose(found, at=3)
    bars = figure.data[0]
    np.testing.assert_allclose(bars.r, found.radius[1], rtol=1e-6)
    assert sorted(marks(figure)) == list(range(8)) and bars.marker.line.color[3] == template.HIGHLIGHT
    (circle,) = named(figure, f"mean {found.radius[1].mean():.3g} (our estimator)")
    np.testing.assert_allclose(circle.r, found.radius[1].mean(), rtol=1e-6)
    others = [t for t in figure.data if t.legendgroup == "others"]
    assert len(others) == 2 and [t.showlegend for t in others] == [True, False] and others[0].name == "ε = 0.01, 0.1, from within"
    assert figure.layout.polar.radialaxis.range[1] > found.radius.max() and "angles mean nothing" in figure.layout.meta["note"]
    assert "(our estimator)" in minima.rose_says(found) and f"{found.radius[1].mean():.3g} on average over 8" in minima.rose_says(found)


def test_an_epsilon_that_was_not_measured_is_said_and_an_endless_direction_is_left_out():
    assert texts(minima.rose(valley(), epsilon=0.07)) == ["The radius was not measured for ε = 0.07, but for 0.01, 0.05 and 0.1."]
    reach = valley().radius.copy()
    reach[:, 0] = np.inf
    endless = valley(radius=reach)
    assert sorted(marks(minima.rose(endless))) == list(range(1, 8)) and "1 direction without an end left out" in minima.rose(endless).layout.meta["note"]
    assert "over 7 filter-normalised" in minima.rose_says(endless) and "without an end" in minima.rose_says(endless)


# the ways there

def test_the_film_holds_every_look_and_the_ends_are_marked():
    found = valley()
    figure = minima.leaving(found, at=0)
    assert [f.name for f in figure.frames] == [str(i) for i in range(LOOKS)]
    for i, frame in enumerate(figure.frames):
        assert [figure.data[t].name for t in frame.traces] == [*(f"branch {b}" for b in range(K)), "now"]
        for b in range(K):
            np.testing.assert_allclose(np.column_stack([frame.data[b].x, frame.data[b].y]), found.paths[:i + 1, b], rtol=1e-6, atol=1e-6)
            assert frame.data[b].customdata[-1].tolist() == [b, i]
        np.testing.assert_allclose(np.column_stack([frame.data[K].x, frame.data[K].y]), found.paths[i], rtol=1e-6, atol=1e-6)
        assert frame.layout.title.text == f"After {10 * i} of 40 steps" and {t.type for t in frame.data} == {"scatter"}
    assert len(figure.data[2 + 1].x) == 1 and figure.layout.title.text == "After 0 of 40 steps"  # shown is the look asked for
    (ends,) = named(figure, "ends")
    np.testing.assert_allclose(np.column_stack([ends.x, ends.y]), found.paths[-1], rtol=1e-6)
    assert all(symbol.endswith("-open") for symbol in ends.marker.symbol) and len(set(ends.marker.symbol)) == K


def test_play_pause_and_a_slider_of_steps_find_their_frames():
    figure = minima.leaving(valley())
    (slider,), (menu,) = figure.layout.sliders, figure.layout.updatemenus
    assert slider.active == LOOKS - 1 and [step.label for step in slider.steps] == ["0", "10", "20", "30", "40"]
    assert [step.args[0][0] for step in slider.steps] == [f.name for f in figure.frames]
    assert [b.label for b in menu.buttons] == ["Play", "Pause"] and list(menu.buttons[0].args[0]) == [f.name for f in figure.frames]
    still = minima.leaving(valley(), film=False)
    assert not still.frames and not still.layout.sliders and len(still.data) == len(figure.data)
    low, high = figure.layout.xaxis.range
    assert low < valley().paths[..., 0].min() and valley().paths[..., 0].max() < high and figure.layout.yaxis.scaleanchor == "x"
    assert "60\u202f% of squared distances" in figure.layout.xaxis.title.text


def test_the_ways_leave_out_what_diverged():
    figure = minima.leaving(gone())
    assert {place[0] for place in marks(figure)} == {-1, 0, 1, 3} and "branch 2 diverged" in figure.layout.meta["note"]
    said = minima.leaving_says(gone())
    assert said.startswith("3 branches of net leave the start, at a loss of 0.5, and after 40 steps end at 0.4 to 0.44") and "Branch 2 diverged" in said
    assert "80\u202f% of their squared distances" in said


def test_losses_are_running_means_and_stop_where_a_branch_diverged():
    found = gone()
    figure = minima.losses(found, at=1)
    width = STEPS // minima.SMOOTH
    (line,) = named(figure, "branch 1")
    np.testing.assert_allclose(line.y, np.convolve(found.curves[1], np.full(width, 1 / width), "valid"), rtol=1e-5)
    assert line.line.width == 4 and template.picked(line.customdata[0])[0] == 1
    (lost,) = named(figure, "branch 2, left out")
    assert lost.x[-1] < 7 and "diverged at step 7" in lost.hovertemplate
    assert len({(t.line.dash, t.marker.symbol) for t in figure.data}) == K and f"running means over {width} steps" in figure.layout.meta["note"]
    assert next(s for s in figure.layout.shapes if s.name == "start").y0 == 0.5
    said = minima.losses_says(found)
    assert "3 branches of net start at a loss of 0.5; after 40 steps it is 0.4 to 0.44" in said
    assert "the accuracy, 75.0\u202f% there, is 79.0 to 82.0\u202f% after them" in said


def test_a_loss_that_climbs_far_is_on_a_log_axis():
    curves = valley().curves.copy()
    curves[0] *= np.geomspace(1, 100, STEPS)
    axis = minima.losses(valley(curves=curves)).layout.yaxis
    assert axis.type == "log" and "log axis" in axis.title.text and minima.losses(valley()).layout.yaxis.type != "log"


# all of them

FIGURES = ("barriers", "between", "plane", "rose", "leaving", "losses")


@pytest.mark.parametrize("name", FIGURES)
def test_what_is_not_there_yet_is_said_in_its_place(name):
    figure, said = getattr(minima, name)(begun()), getattr(minima, f"{name}_says")(begun())
    assert isinstance(figure.layout.meta["note"], str) and said.endswith(".") and "nan" not in said
    if name in FIGURES[:4]:
        assert not marks(figure) and len(texts(figure)) == 1 and "yet" in texts(figure)[0] and "yet" in said


@pytest.mark.parametrize("name", FIGURES)
def test_figures_are_light_and_names_are_no_markup(name):
    figure = getattr(minima, name)(valley(name=EVIL, base=EVIL))
    text = figure.to_json()
    assert len(text) < 60_000 and "<a" not in json.loads(text).__repr__()


def test_branches_and_kinds_read_on_both_grounds():
    colours = [colour for _, colour, _, _ in minima.KINDS.values()] + [colour for colour, _ in template.marks(K)]
    assert all(template.contrast(colour, ground) >= 3 for colour in colours for ground in (template.LIGHT, template.DARK))


@pytest.mark.parametrize(("low", "high"), [(0.397, 0.459), (0.01, 20), (1e-4, 1e3), (0.4, 0.4), (3, 8)])
def test_a_log_axis_has_round_marks(low, high):
    ticks = minima._rounded(low, high)
    assert 1 <= len(ticks) <= 14 and all(low * 0.999 <= t <= high * 1.001 for t in ticks) and (low == high or len(ticks) >= 2)
