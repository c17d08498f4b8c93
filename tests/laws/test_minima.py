"""Barriers, radii, planes and the size of a set of minima: what must hold for any loss."""

import json
from itertools import permutations
from math import factorial, sqrt

import numpy as np
import pytest

from analysis.metrics import minima
from tests.refusal import refused

torch = pytest.importorskip("torch")

A = np.random.default_rng(0).standard_normal((9, 6))


def bowl(t):
    """||A t||²"""
    return ((torch.as_tensor(A).to(t) @ t)**2).sum()


def bowls(rows):
    """The same, of many at once."""
    return ((rows @ torch.as_tensor(A).to(rows).T)**2).sum(dim=1)


bowls.stacked = True


def wells(t):
    """Minima wherever both are whole numbers; between two of them 1 - cos rises to 2, along the second axis to 0.1."""
    return (1 - torch.cos(2 * torch.pi * t[0])) + 0.05 * (1 - torch.cos(2 * torch.pi * t[1]))


def cloud(n=5, d=6, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d))


def regular(m, edge=1.0, d=None):
    """The corners of a regular simplex."""
    corners = np.eye(m + 1) * edge / sqrt(2)
    return np.pad(corners, ((0, 0), (0, (d or m + 1) - m - 1)))


# barriers

@pytest.mark.parametrize("loss", [bowl, bowls], ids=["one", "many"])
def test_a_bowl_has_no_barriers(loss):
    rows = cloud()
    assert minima.barrier(loss, rows[0], rows[1]) == 0
    found = minima.barriers(loss, rows, points=11)
    assert (found.matrix == 0).all() and found.left_out == () and found.a.tolist() == pytest.approx(np.linspace(0, 1, 11))
    middle = bowl(torch.as_tensor((rows[1] + rows[3]) / 2))
    assert found.losses[1, 3, 5] == pytest.approx(float(middle), rel=1e-12) and found.losses[3, 1, 0] == pytest.approx(float(bowl(torch.as_tensor(rows[3]))))
    np.testing.assert_array_equal(found.losses, found.losses.swapaxes(0, 1)[..., ::-1])


def test_a_point_has_no_barrier_with_itself():
    for p in cloud(4, 2):
        assert minima.barrier(wells, p, p) == 0 == minima.barrier(wells, p, p.copy(), points=3)
    assert (minima.barriers(wells, cloud(4, 2)).matrix.diagonal() == 0).all()


def test_a_barrier_is_what_rises_above_the_chord():
    assert minima.barrier(wells, [0, 0], [1, 0]) == pytest.approx(2)
    assert minima.barrier(wells, [0, 0], [0, 1]) == pytest.approx(0.1) == minima.barrier(wells, [0, 1], [0, 0])
    tilted = lambda t: wells(t) + 3 * t[0]
    assert minima.barrier(tilted, [0, 0], [1, 0]) == pytest.approx(2)
    p, q = cloud(2, 2)
    at = lambda a: float(wells(torch.as_tensor((1 - a) * p + a * q)))
    along = [at(a) - (1 - a) * at(0) - a * at(1) for a in np.linspace(0, 1, 21)]
    assert minima.barrier(wells, p, q) == pytest.approx(max(0, *along), abs=1e-12)
    assert minima.barrier(wells, torch.as_tensor(p), torch.as_tensor(q)) == pytest.approx(max(0, *along), abs=1e-12)


def test_all_pairs_are_the_barriers_of_each():
    rows = cloud(4, 2)
    found = minima.barriers(wells, rows).matrix
    for i in range(4):
        for j in range(4):
            assert found[i, j] == pytest.approx(minima.barrier(wells, rows[i], rows[j]), abs=1e-12)
    order = [2, 0, 3, 1]
    np.testing.assert_allclose(minima.barriers(wells, rows[order]).matrix, found[np.ix_(order, order)], atol=1e-12)
    told = []
    minima.barriers(wells, list(rows), progress=lambda done, total, note: told.append((done, total)))
    assert told[0] == (0, 6) and told[-1] == (6, 6)


def test_what_is_no_number_on_the_way_is_higher_than_anything():
    broken = lambda t: wells(t) if abs(float(t[0]) - 0.5) > 0.1 else torch.tensor(torch.nan)
    assert minima.barrier(broken, [0, 0], [1, 0]) == np.inf
    refused(lambda: minima.barrier(broken, [0.5, 0], [1, 0]), "at p", "nan")
    found = minima.barriers(broken, [[0, 0], [0.5, 0], [1, 0], [0, 1], [np.nan, 0]])
    assert found.left_out == (1, 4) and np.isnan(found.matrix[1]).all() and found.matrix[0, 2] == np.inf and found.matrix[0, 3] == pytest.approx(0.1)
    assert json.dumps(found.manifest(), allow_nan=False) and len(found.table()) == 10


# the radius

@pytest.mark.parametrize("loss", [bowl, bowls], ids=["one", "many"])
@pytest.mark.parametrize("epsilon", [1e-4, 0.05, 300.0])
def test_the_radius_at_the_bottom_of_a_bowl(loss, epsilon):
    ways = cloud(8, 6, 1) * np.geomspace(1e-3, 1e3, 8)[:, None]
    found = minima.radius(loss, np.zeros(6), ways, epsilon=epsilon, normalise=None)
    np.testing.assert_allclose(found, sqrt(epsilon) / np.linalg.norm(ways @ A.T, axis=1), rtol=2e-6)
    single = minima.radius(loss, torch.zeros(6), ways[3], epsilon=epsilon, normalise=None)
    assert single.shape == (1,) and single[0] == pytest.approx(found[3], rel=1e-3)


def test_the_radius_away_from_the_bottom():
    p, ways = cloud(1)[0], cloud(5, 6, 2)
    found = minima.radius(bowl, p, ways, epsilon=0.3, normalise=None)
    for r, way in zip(found, ways, strict=True):
        a, b = ((A @ way)**2).sum(), 2 * (A @ p) @ (A @ way)
        assert r == pytest.approx((-b + sqrt(b * b + 4 * a * 0.3)) / (2 * a), rel=3e-6)


def test_the_radius_of_a_flat_direction_is_infinite_and_of_a_cliff_its_edge():
    flat = lambda t: t[0]**2
    assert minima.radius(flat, [0.0, 1.0], [[0, 1.0], [1.0, 0]], epsilon=0.25, normalise=None).tolist() == [np.inf, pytest.approx(0.5, rel=1e-5)]
    cliff = lambda t: torch.tensor(torch.nan) if t[0] > 0.7 else t[0] * 0
    assert minima.radius(cliff, [0.0, 0.0], [[1.0, 0]], epsilon=0.1, normalise=None)[0] == pytest.approx(0.7, rel=2e-6)


def test_filter_normalisation_gives_each_filter_its_length():
    shapes = ((3, 4), (3,), (2, 3, 1))
    p, ways = torch.randn(21, dtype=torch.float64), torch.randn(5, 21, dtype=torch.float64)
    found = minima.normalised(ways, p, shapes)
    for rows, own in ((found[:, :12].view(5, 3, 4), p[:12].view(3, 4)), (found[:, 15:].view(5, 2, 3), p[15:].view(2, 3))):
        torch.testing.assert_close(rows.norm(dim=2), own.norm(dim=1).expand(5, -1))
    assert not found[:, 12:15].any()
    ways[:, :12] *= 7
    torch.testing.assert_close(minima.normalised(ways, p, shapes), found)
    torch.testing.assert_close(minima.normalised(ways, p).norm(dim=1), p.norm().expand(5))


def test_a_radius_does_not_feel_the_scale_of_a_direction_once_filters_are_normalised():
    p, ways = cloud(1)[0], cloud(4, 6, 3)
    one, other = (minima.radius(bowl, p, ways * scale, epsilon=0.2, shapes=((2, 3),)) for scale in (1, 40))
    np.testing.assert_allclose(one, other, rtol=1e-5)
    told = []
    minima.radius(bowl, p, ways, epsilon=0.2, progress=lambda done, total, note: told.append(total))
    assert set(told) == {4}


def test_filter_normalisation_is_void_at_zero():
    refused(lambda: minima.radius(bowl, np.zeros(6), cloud(), epsilon=0.1), "void", "normalise=None")
    refused(lambda: minima.radius(bowl, cloud(1)[0], cloud(), epsilon=0.1, shapes=((6,),)), "void")


# the size

@pytest.mark.parametrize("m", [1, 2, 3, 5, 9])
@pytest.mark.parametrize("edge", [1e-5, 1.0, 700.0])
def test_the_volume_of_a_regular_simplex(m, edge):
    apart = edge * (1 - np.eye(m + 1))
    assert np.exp(minima.cayley_menger(apart)) == pytest.approx(edge**m / factorial(m) * sqrt((m + 1) / 2**m), rel=1e-9)


def test_the_volume_of_any_simplex_is_that_of_its_edges():
    for m in (2, 4, 6):
        corners = cloud(m + 1, 8, m)
        edges = corners[1:] - corners[0]
        plain = sqrt(np.linalg.det(edges @ edges.T)) / factorial(m)
        apart = np.linalg.norm(corners[:, None] - corners, axis=2)
        assert minima.cayley_menger(apart) == pytest.approx(np.log(plain), rel=1e-9)
    line = np.abs(np.subtract.outer(np.arange(4.0), np.arange(4.0)))
    assert minima.cayley_menger(line) == -np.inf == minima.cayley_menger(np.zeros((3, 3)))


def test_the_size_of_a_regular_simplex_all_connected():
    found = minima.size(regular(4, 3.0, d=9), barriers=np.zeros((5, 5)), epsilon=0.1)
    assert found.distance == pytest.approx(3) == found.diameter and found.connected == 1 and found.clique == (0, 1, 2, 3, 4) and found.reason == ""
    assert found.volume == pytest.approx(np.log(3.0**4 / 24 * sqrt(5 / 16)) / 4) and found.dimension == 4 and found.per_root == pytest.approx(1)
    from_loss = minima.size(regular(4, 3.0, d=9), loss=lambda t: (t**2).sum(), epsilon=1e-9)
    assert from_loss.volume == pytest.approx(found.volume) and from_loss.options == {"points": 21}


def test_only_connected_pairs_count():
    rows = cloud(5)
    apart = np.linalg.norm(rows[:, None] - rows, axis=2)
    walls = np.ones((5, 5))
    for i, j in ((0, 1), (1, 2), (0, 2), (3, 4)):
        walls[i, j] = walls[j, i] = 0.1  # exactly epsilon still counts
    found = minima.size(rows, barriers=walls, epsilon=0.1)
    pairs = [apart[0, 1], apart[1, 2], apart[0, 2], apart[3, 4]]
    assert found.distance == pytest.approx(np.mean(pairs)) and found.diameter == pytest.approx(max(pairs)) and found.connected == pytest.approx(0.4)
    assert found.clique == (0, 1, 2) and found.volume == pytest.approx(minima.cayley_menger(apart[:3, :3]) / 2) and found.links.sum() == 8
    assert found.table()["connected"].sum() == 4


def test_without_connected_pairs_the_size_is_zero_and_the_volume_has_a_reason():
    none = minima.size(cloud(4), barriers=np.ones((4, 4)), epsilon=0.5)
    assert none.distance == 0 == none.diameter == none.connected == none.dimension and np.isnan(none.volume) and "No two" in none.reason
    two = np.ones((4, 4))
    two[1, 3] = two[3, 1] = 0
    pair = minima.size(cloud(4), barriers=two, epsilon=0.5)
    assert type(minima.size(cloud(), barriers=np.zeros((5, 5)), epsilon=0.1).volume) is float
    assert minima.size(cloud(2), barriers=np.zeros((2, 2)), epsilon=0.1).reason == "There are two minima: a simplex with a volume needs three."
    assert pair.clique == (1, 3) and np.isnan(pair.volume) and "three" in pair.reason and pair.distance > 0
    line = minima.size(np.outer(np.arange(3.0), np.ones(6)), barriers=np.zeros((3, 3)), epsilon=0.5)
    assert line.volume == -np.inf and "fewer" in line.reason
    assert json.dumps([found.manifest() for found in (none, pair, line)], allow_nan=False)


def test_the_order_of_the_branches_does_not_matter():
    rows = cloud(4, 2, 3)
    first = minima.size(rows, loss=wells, epsilon=1.0)
    for order in permutations(range(4)):
        again = minima.size(rows[list(order)], loss=wells, epsilon=1.0)
        for name in ("distance", "diameter", "connected", "volume"):
            assert getattr(again, name) == pytest.approx(getattr(first, name), rel=1e-9, nan_ok=True)
        assert sorted(order[i] for i in again.clique) == sorted(first.clique) or first.volume != first.volume


def test_a_branch_that_is_not_finite_is_named_and_left_out():
    rows = cloud(5)
    rows[2, 1] = np.nan
    found, without = (minima.size(x, loss=bowls, epsilon=0.1) for x in (rows, np.delete(rows, 2, axis=0)))
    assert found.left_out == (2,) and "2" in found.warnings[0] and found.clique == (0, 1, 3, 4) and np.isnan(found.distances[2]).all()
    for name in ("distance", "diameter", "connected", "volume"):
        assert getattr(found, name) == pytest.approx(getattr(without, name), rel=1e-12)
    rows[[0, 1, 3]] = np.inf
    refused(lambda: minima.size(rows, loss=bowls, epsilon=0.1), "4", "diverged")


def test_cliques_are_all_the_largest_groups():
    rng = np.random.default_rng(0)
    for _ in range(20):
        links = np.triu(rng.random((7, 7)) < 0.5, 1)
        links |= links.T
        groups = [g for bits in range(1, 128) if (g := tuple(i for i in range(7) if bits >> i & 1)) and all(links[i, j] for i in g for j in g if i < j)]
        largest = {g for g in groups if not any(set(g) < set(other) for other in groups)}
        assert set(found := list(minima.cliques(links))) == largest and len(found) == len(largest)


# the plane

def test_the_plane_holds_its_three_minima():
    rows = cloud(3)
    found = minima.plane(bowl, rows, points=9, margin=0)
    np.testing.assert_allclose([np.linalg.norm(found.corners[i] - found.corners[j]) for i, j in ((0, 1), (0, 2), (1, 2))],
                               [np.linalg.norm(rows[i] - rows[j]) for i, j in ((0, 1), (0, 2), (1, 2))])
    np.testing.assert_allclose(found.corner_losses, [float(bowl(torch.as_tensor(r))) for r in rows])
    u = (rows[1] - rows[0]) / np.linalg.norm(rows[1] - rows[0])
    v = (w := rows[2] - rows[0] - ((rows[2] - rows[0]) @ u) * u) / np.linalg.norm(w)
    for line, height in enumerate(found.y):
        for at, x in enumerate(found.x):
            assert found.losses[line, at] == pytest.approx(float(bowl(torch.as_tensor(rows[0] + x * u + height * v))), rel=1e-9)
    assert found.y[0] == pytest.approx(0) and found.y[-1] == pytest.approx(found.corners[2, 1])


def test_other_points_are_seen_on_the_plane():
    rows = cloud(3)
    more = np.stack([rows, rows + 0.0])
    more[1, 0] = rows.mean(axis=0)
    found = minima.plane(bowls, torch.as_tensor(rows), points=5, others=more)
    np.testing.assert_allclose(found.others[0], found.corners, atol=1e-12)
    np.testing.assert_allclose(found.others[1, 0], found.corners.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(found.off, 0, atol=1e-12)
    away = np.linalg.qr(np.stack([rows[1] - rows[0], rows[2] - rows[0], cloud(1, 6, 9)[0]]).T)[0][:, 2]
    assert minima.plane(bowls, rows, points=3, others=rows[0] + 2 * away).off == pytest.approx(2)
    assert json.dumps(found.manifest(), allow_nan=False) and len(found.table()) == 25


def test_a_plane_needs_three_that_are_not_on_a_line():
    rows = cloud(3)
    refused(lambda: minima.plane(bowl, [rows[0], rows[1], 3 * rows[1] - 2 * rows[0]]), "line")
    refused(lambda: minima.plane(bowl, rows[[0, 1, 1]]), "line")
    refused(lambda: minima.plane(bowl, rows[[0, 0, 1]]), "line")
    refused(lambda: minima.plane(bowl, cloud(4)), "three")
    refused(lambda: minima.plane(bowl, np.where(rows > 1, np.nan, rows)), "three")
    refused(lambda: minima.plane(bowl, rows, margin=-1), "margin")
    refused(lambda: minima.plane(bowl, rows, others=np.zeros((2, 5))), "5", "6")


# what goes in

def test_bad_input_is_named():
    p, q = cloud(2)
    for epsilon in (0, -1, np.nan, np.inf, "a", None, True):
        refused(lambda e=epsilon: minima.radius(bowl, p, cloud(), epsilon=e), "psilon")
        refused(lambda e=epsilon: minima.size(cloud(), loss=bowl, epsilon=e), "psilon")
    refused(lambda: minima.barrier(bowl, p, q[:4]), "6", "4")
    refused(lambda: minima.barrier(bowl, p, q * np.nan), "q", "NaN")
    refused(lambda: minima.barrier(bowl, p[None], q), "(1, 6)")
    refused(lambda: minima.barrier(bowl, "a", q), "p")
    refused(lambda: minima.barrier(lambda t: t, p, q), "number")
    refused(lambda: minima.barrier(lambda t: t @ torch.ones(3, dtype=t.dtype), p, q), "6")
    for points in (2, 0, 3.5, "a", True, 10**6):
        refused(lambda n=points: minima.barrier(bowl, p, q, points=n), "points")
    refused(lambda: minima.barriers(bowl, [p, q[:4]]), "(6,)", "(4,)")
    refused(lambda: minima.barriers(bowl, [p]), "one branch")
    refused(lambda: minima.size([p], loss=bowl, epsilon=0.1), "one branch")
    refused(lambda: minima.size([], loss=bowl, epsilon=0.1), "branches")
    refused(lambda: minima.size(cloud(), epsilon=0.1), "Neither")
    refused(lambda: minima.size(cloud(), barriers=np.zeros((3, 3)), epsilon=0.1), "(3, 3)", "5")
    refused(lambda: minima.size(cloud(2), barriers=np.array([[0, 1], [2, 0]]), epsilon=0.1), "both ways")
    refused(lambda: minima.radius(lambda t: bowl(t) * torch.nan, p, cloud(), epsilon=0.1), "base", "nan")
    refused(lambda: minima.radius(bowl, p, cloud(3, 5), epsilon=0.1), "5", "6")
    refused(lambda: minima.radius(bowl, p, np.zeros((2, 6)), epsilon=0.1), "zeros")
    refused(lambda: minima.radius(bowl, p, cloud(), epsilon=0.1, normalise="layer"), "layer", "filter")
    refused(lambda: minima.radius(bowl, p, cloud(), epsilon=0.1, shapes=((5,),)), "5", "6")
    refused(lambda: minima.cayley_menger(np.ones((3, 3))), "diagonal")
    refused(lambda: minima.cayley_menger("x"), "Distances are no real numbers")
    refused(lambda: minima.cayley_menger([[0, 1], [1]]), "differ in length")
    refused(lambda: minima.size(cloud(), barriers="x", epsilon=0.1), "Barriers are no real numbers")
    refused(lambda: minima.size(cloud(), barriers=np.zeros((5, 5), complex), epsilon=0.1), "complex")
    refused(lambda: minima.barrier(bowl, p + 1j, q), "p are complex")
    refused(lambda: minima.barriers(bowl, cloud() + 1j), "branches are complex")
    refused(lambda: minima.cayley_menger(cloud(3, 2)), "(3, 2)")
    refused(lambda: minima.directions(0, 5), "directions")
    np.testing.assert_array_equal(minima.directions(3, 5, seed=4), minima.directions(3, 5, seed=4))
