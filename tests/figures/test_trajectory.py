"""The figure of paths: every state where it is, axes that no layer moves, every followed item one click away, never hue alone."""

import json

import numpy as np
import pytest

from analysis.figures import template, trajectory
from analysis.metrics import trajectory as metric
from analysis.representation import Representation

EVIL = '<a href="https://x">a</a>'


@pytest.fixture(scope="module")
def found():
    rng, made = np.random.default_rng(0), {}
    for i, name in enumerate(("handwritten", "printed", EVIL)):
        walk = np.cumsum(rng.standard_normal((5, 40, 6)) + 0.5 * i, axis=0)
        layers = {f"block {j}": x for j, x in enumerate(walk)}
        made[name] = Representation(layers, np.arange(40) % 4, (EVIL, "b", "c", "d"), tuple(f"{name}-{j}" for j in range(40)))
    return metric.paths(made, layers=list(layers), threads=8)


def named(figure, name):
    return [t for t in figure.data if t.name == name]


def points(trace, dims=2):
    return np.stack([trace[axis] for axis in "xyz"[:dims]], axis=-1)


@pytest.mark.parametrize("dims", [2, 3])
def test_means_threads_and_items_stand_where_they_are(found, dims):
    figure = trajectory.trajectories(found, dims=dims, layer="block 2")
    for i, name in enumerate(found.names):
        mean, = named(figure, f"{template.plain(name)} (40)")
        thread, = named(figure, f"items of {template.plain(name)}")
        np.testing.assert_array_equal(points(mean, dims), found.means[i, :, :dims])
        lines = points(thread, dims).reshape(8, 6, dims)
        np.testing.assert_array_equal(lines[:, :5], found.threads[i, :, :, :dims])
        assert np.isnan(lines[:, 5]).all() and "lines" in mean.mode
    items, = named(figure, "items here")
    np.testing.assert_array_equal(points(items, dims), found.threads[:, :, 2, :dims].reshape(-1, dims))
    for here in named(figure, "mean here"):
        np.testing.assert_array_equal(points(here, dims), found.means[:, 2, :dims])
    assert {t.type for t in figure.data} == {"scatter" if dims == 2 else "scatter3d"} and figure.layout.title.text.startswith("block 2: ")


def test_a_click_finds_the_item_or_the_domain_and_its_layer(found):
    figure = trajectory.trajectories(found, layer=1)
    items, = named(figure, "items here")
    assert template.picked(items.customdata[11].tolist()) == (1, int(found.rows[1, 3]), 1)
    mean, = named(figure, "printed (40)")
    assert template.picked({"0": 1, "1": -1, "2": 4}) == template.picked(mean.customdata[4]) == (1, -1, 4)
    assert items.hovertext[11] == f"{found.ids[1][3]}<br>{template.plain(found.labels[1][3])}<br>printed" and "block 4" in mean.hovertext[4]


def test_the_axes_hold_everything_and_no_layer_moves_them(found):
    shown = [trajectory.trajectories(found, layer=i).layout for i in range(5)]
    bare = [trajectory.trajectories(found, layer=i, threads=False).layout for i in range(5)]  # the means alone, nearer by
    near = {(*s.xaxis.range, *s.yaxis.range) for s in bare}
    assert len(near) == 1 and np.ptp(next(iter(near))[:2]) < np.ptp(shown[0].xaxis.range)
    ranges = {(*s.xaxis.range, *s.yaxis.range) for s in shown}
    assert len(ranges) == 1 and shown[0].yaxis.scaleanchor == "x" and len({s.uirevision for s in shown}) == 1
    low_x, high_x, low_y, high_y = ranges.pop()
    every = np.concatenate([found.means.reshape(-1, 3), found.threads.reshape(-1, 3)])
    assert low_x < every[:, 0].min() and every[:, 0].max() < high_x and low_y < every[:, 1].min() and every[:, 1].max() < high_y
    scenes = [trajectory.trajectories(found, dims=3, layer=i).layout.scene for i in (0, 4)]
    assert scenes[0] == scenes[1] and scenes[0].aspectmode == "data" and scenes[0].xaxis.range == (low_x, high_x)


def test_a_film_holds_every_layer(found):
    figure = trajectory.film(found, layer=0)
    assert [f.name for f in figure.frames] == [str(i) for i in range(5)] and len(figure.layout.updatemenus[0].buttons) == 2
    for i, frame in enumerate(figure.frames):
        assert [figure.data[t].name for t in frame.traces] == ["items here", "mean here", "mean here"]
        np.testing.assert_array_equal(points(frame.data[0]), found.threads[:, :, i, :2].reshape(-1, 2))
        np.testing.assert_array_equal(points(frame.data[2]), found.means[:, i, :2])
        assert frame.data[0].customdata[9].tolist() == [1, int(found.rows[1, 1]), i] and frame.layout.title.text.startswith(f"block {i}")
    assert all(button.args[1]["frame"]["redraw"] is (button.label == "Play") for button in figure.layout.updatemenus[0].buttons)
    assert [t for t in trajectory.film(found, dims=3).frames[1].data if t.type == "scatter3d"]


def test_domains_differ_in_more_than_hue(found):
    figure = trajectory.trajectories(found)
    means = [named(figure, f"{template.plain(name)} (40)")[0] for name in found.names]
    for looks in ([t.line.color for t in means], [t.line.dash for t in means], [t.marker.symbol for t in means]):
        assert len(set(looks)) == 3
    assert all(template.contrast(t.line.color, ground) >= 3 for t in means for ground in (template.LIGHT, template.DARK))
    sizes = np.asarray(means[0].marker.size)
    assert (np.diff(sizes) > 0).all()  # the way it goes


def test_what_is_shown_of_the_whole_is_said(found):
    figure = trajectory.trajectories(found, layer=3)
    assert f"{100 * found.kept[3, :2].sum():.0f}\u202f%" in figure.layout.title.text
    note = figure.layout.meta["note"]
    assert "8 items of each domain followed, drawn by class, seed 0" in note and f"{100 * found.captured[:2].sum():.0f}\u202f%" in note
    assert f"{100 * found.shares[1]:.0f}\u202f% of variance" in figure.layout.yaxis.title.text
    bare = trajectory.trajectories(found, threads=False)
    assert not named(bare, "items here") and "followed" not in bare.layout.meta["note"]


def test_the_answer_in_words(found):
    said = trajectory.says(found, layer="block 4")
    far = np.linalg.norm(found.means[:, None, 4] - found.means[:, 4], axis=-1)
    a, b = np.unravel_index(far.argmax(), far.shape)
    assert "3 domains through 5 states, from block 0 to block 4. At block 4, in this picture, " in said
    assert f"{found.names[a]} and {found.names[b]} furthest apart" in said


def test_one_domain_and_no_threads_are_no_trouble():
    rng = np.random.default_rng(0)
    one = metric.paths({"a": [rng.standard_normal((30, 2)) for _ in range(2)]}, threads=0)
    for dims in (2, 3):
        figure = trajectory.film(one, dims=dims)
        assert figure.layout.title.text == "1" and not named(figure, "items here")
    assert trajectory.says(one) == "The mean of 1 domain through 2 states, from 0 to 1."


def test_it_is_light_and_names_are_never_markup():
    rng = np.random.default_rng(0)
    domains = {f"domain {i} {EVIL}": [rng.standard_normal((100, 8)) for _ in range(13)] for i in range(6)}
    full = metric.paths(domains)
    figure = trajectory.trajectories(full)
    assert len(figure.data) <= 15 and len(figure.to_json()) < 80_000 and len(trajectory.film(full).to_json()) < 180_000
    assert "<a" not in json.dumps(json.loads(trajectory.film(full).to_json()))
