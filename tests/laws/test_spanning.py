"""The spanning tree: what must hold for any cloud, whichever way it is searched."""

import numpy as np
import pytest

from analysis.metrics import spanning
from analysis.metrics.spanning import points, tree
from tests.refusal import refused

torch = pytest.importorskip("torch")


@pytest.fixture(params=["whole", "blocks", "torch", "torch in pieces", "every pair looked at again"])
def search(request, monkeypatch):
    """The options of `tree` for one way to search."""
    sizes = {"blocks": {"WHOLE": 16, "BLOCK": 11}, "torch in pieces": {"ROOM": 40}, "every pair looked at again": {"FINE": 1e40, "ROOM": 300}}
    for name, value in sizes.get(request.param, {}).items():
        monkeypatch.setattr(spanning, name, value)
    return {"device": "torch:cpu"} if "torch" in request.param else {"device": "cpu"}


def kruskal(x):
    """Lengths of the tree, the plain way."""
    x = np.asarray(x, np.float64)
    a, b = np.triu_indices(len(x), 1)
    lengths = np.sqrt(((x[a] - x[b])**2).sum(axis=1))
    labels, kept = np.arange(len(x)), []
    for i in np.argsort(lengths, kind="stable"):
        if labels[a[i]] != labels[b[i]]:
            labels[labels == labels[b[i]]] = labels[a[i]]
            kept.append(lengths[i])
    return np.array(kept)


def right(x, **options):
    """The tree, once it is known to have the lengths it must have."""
    found = tree(x, **options)
    np.testing.assert_allclose(found.lengths, kruskal(x), rtol=1e-9, atol=0)
    assert found.edges.shape == (len(x) - 1, 2) and found.edges.dtype == np.int64 and found.n == len(x)
    assert (found.edges[:, 0] < found.edges[:, 1]).all() and (np.diff(found.lengths) >= 0).all()
    assert (found.components(len(x) - 1) == 0).all()
    x = np.asarray(x, np.float64)
    np.testing.assert_allclose(np.linalg.norm(x[found.edges[:, 0]] - x[found.edges[:, 1]], axis=1), found.lengths, rtol=1e-12, atol=0)
    return found


def cloud(n=90, d=7, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d)) * np.linspace(3, 0.3, d)


def corners(n, d, seed=0):
    """Three corners at distance 1 and more, one for each row."""
    return np.eye(3, d)[np.random.default_rng(seed).integers(3, size=n)]


# the right lengths

@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_tree_of_kruskal(search, seed):
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(3, 150)), int(rng.integers(1, 40))
    x = cloud(n, d, seed)
    right(x, **search)
    right(x[rng.integers(0, n // 3 + 1, n)], **search)


@pytest.mark.parametrize("spread", [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-10, 1e-13])
def test_tight_clusters_are_right_to_their_own_scale(search, spread):
    right(corners(80, 12) + spread * cloud(80, 12), **search)
    right(1e-3 * corners(80, 12) + spread * cloud(80, 12) + 1, **search)


def test_clusters_within_clusters_within_clusters(search):
    right(sum(10.0**(-7 * k) * corners(100, 8, seed=k) for k in range(3)) + 1e-21 * cloud(100, 8), **search)
    right(sum(10.0**(-3 * k) * corners(100, 8, seed=k) for k in range(5)), **search)
    right(np.outer(2.0**-np.arange(100), cloud(1, 8)), **search)


def test_a_filament_with_a_tight_cluster_on_it(search):
    line = np.outer(np.linspace(0, 1, 60), np.ones(5))
    for spread in (1e-6, 1e-9, 1e-12):
        right(np.concatenate([line, line[30] + spread * cloud(40, 5), line[50:51], line[50:51]]), **search)


def test_lengths_that_a_gram_matrix_cannot_tell_apart(search):
    rng = np.random.default_rng(4)
    corner = 1e-5 * np.eye(3, 5) * (1 + 1e-6 * rng.random((50, 3, 1)))
    right((np.linspace(0, 1, 50)[:, None, None] + corner).reshape(150, 5), **search)


def test_far_from_the_origin(search):
    right(cloud() + 1e6, **search)
    right((cloud() + 1e4).astype(np.float32), **search)
    right(1e-5 * cloud() + np.r_[1e6, 0, -1e3, 0, 0, 7, 1], **search)


def test_lines_grids_and_other_ties(search):
    rng = np.random.default_rng(2)
    right(np.outer(rng.random(100), rng.standard_normal(30)) - 4, **search)
    right(rng.random((120, 1)), **search)
    grid = np.stack(np.meshgrid(*[np.arange(5.0)] * 3), axis=-1).reshape(-1, 3)
    assert (right(grid, **search).lengths == 1).all()
    assert (right(np.eye(40), **search).lengths == np.sqrt(2)).all()
    right(rng.integers(0, 2, (120, 9)), **search)


def test_equal_rows_are_joined_at_exactly_zero(search):
    x = cloud(60, 5) + 0.1
    found = right(np.concatenate([x, x[:50], x[:20]]), **search)
    assert (found.lengths[:70] == 0).all() and (found.lengths[70:] > 0).all()
    assert (right(np.tile(x[:1], (70, 1)), **search).lengths == 0).all()
    for copies in (1e-4, 1e-9):  # two heaps of equal rows, near to each other
        right(np.concatenate([x, np.tile(x[:1], (40, 1)), np.tile(x[:1] + copies, (40, 1))]), **search)


def test_an_outlier_does_not_blur_the_rest(search):
    right(np.concatenate([cloud(), np.full((1, 7), 1e9)]), **search)


def test_a_large_cloud_is_searched_in_blocks_to_the_same_end(monkeypatch):
    x = np.random.default_rng(5).standard_normal((1500, 20)).astype(np.float32)
    x[700:900] = x[:200]
    whole = tree(x)
    monkeypatch.setattr(spanning, "WHOLE", 1000)
    monkeypatch.setattr(spanning, "BLOCK", 400)
    np.testing.assert_allclose(tree(x).lengths, whole.lengths, rtol=1e-9, atol=0)
    np.testing.assert_allclose(tree(x, device="torch:cpu").lengths, whole.lengths, rtol=1e-9, atol=0)


def test_the_fewest_rows(search):
    one = tree(cloud(1), **search)
    assert one.n == 1 and one.edges.shape == (0, 2) and one.lengths.shape == (0,)
    assert one.components(0).tolist() == [0] and one.sizes().shape == (0, 2) and one.cut(1) == 0
    assert right(cloud(2), **search).edges.tolist() == [[0, 1]]
    assert tree([[3, 4], [3, 4]], **search).lengths.tolist() == [0]
    assert tree([[0, 0], [3, 4]], **search).lengths.tolist() == [5]


# what leaves them as they are

def test_moving_and_turning_leave_the_lengths(search):
    x, q = cloud(), np.linalg.qr(np.random.default_rng(1).standard_normal((7, 7)))[0]
    lengths = tree(x, **search).lengths
    for other in (x @ q, x + 3, x[::-1], -x, np.c_[x, np.zeros(90), np.full(90, 1e6)]):
        np.testing.assert_allclose(tree(other, **search).lengths, lengths, rtol=1e-9)


@pytest.mark.parametrize("scale", [1e-100, 1e-3, 7.0, 1e100])
def test_scaling_scales(search, scale):
    np.testing.assert_allclose(tree(scale * cloud(), **search).lengths, scale * tree(cloud(), **search).lengths, rtol=1e-9)


def test_the_order_of_rows_does_not_matter_and_nothing_is_random(search):
    x = corners(90, 7) + 1e-9 * cloud()
    order = np.random.default_rng(3).permutation(90)
    np.testing.assert_allclose(tree(x[order], **search).lengths, tree(x, **search).lengths, rtol=1e-9)
    assert np.array_equal(tree(x, **search).edges, tree(x, **search).edges)


def test_two_clouds_far_apart_are_joined_last(search):
    x = np.concatenate([cloud(30), cloud(50, seed=1) + 1000])
    found = right(x, **search)
    larger, smaller = found.sides(78)
    assert larger.tolist() == list(range(30, 80)) and smaller.tolist() == list(range(30))


def test_the_cosine_is_the_chord_between_directions(search):
    x = cloud() + 0.5
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    np.testing.assert_allclose(tree(x, metric="cosine", **search).lengths, kruskal(unit), rtol=1e-9)
    lengths = np.random.default_rng(0).uniform(0.1, 9, (90, 1))
    np.testing.assert_allclose(tree(x * lengths, metric="cosine", **search).lengths, kruskal(unit), rtol=1e-9)


# what a tree can tell

def test_components_sides_and_sizes_agree(search):
    found = tree(np.concatenate([cloud(60), cloud(20)]), **search)
    for i in range(79):
        before, after = found.components(i), found.components(i + 1)
        sizes = np.bincount(before)
        assert len(sizes) == 80 - i and (np.diff(sizes) <= 0).all()
        a, b = found.edges[i]
        larger, smaller = found.sides(i)
        assert {tuple(larger), tuple(smaller)} == {tuple(np.flatnonzero(before == before[row])) for row in (a, b)}
        assert found.sizes()[i].tolist() == [len(larger), len(smaller)] and len(larger) >= len(smaller)
        assert len(np.unique(after[np.concatenate([larger, smaller])])) == 1
    assert (found.components(0) == np.arange(80)).all()


def test_among_components_of_one_size_that_of_the_lowest_row_comes_first():
    found = tree([[0.], [10.], [10.5], [0.4], [50.]])
    assert found.components(2).tolist() == [0, 1, 1, 0, 2]


def test_cut_counts_the_edges_up_to_a_length():
    found = tree([[0.], [1.], [3.], [3.], [7.]])
    assert [found.cut(length) for length in (-1, 0, 0.5, 1, 2, 3.9, 4, np.inf)] == [0, 1, 1, 2, 3, 3, 4, 4]
    assert len(np.unique(found.components(found.cut(1)))) == 3


# what comes in

@pytest.mark.parametrize("make", [lambda x: x.tolist(), lambda x: torch.tensor(x), lambda x: torch.tensor(x, requires_grad=True), np.asfortranarray,
                                  lambda x: x[:, ::-1][:, ::-1], lambda x: np.concatenate([x, x], axis=1)[:, :7]])
def test_any_table_of_numbers_will_do(make):
    np.testing.assert_array_equal(tree(make(cloud())).lengths, tree(cloud()).lengths)


def test_short_numbers_count_as_what_they_say():
    x = torch.tensor(cloud()).bfloat16()
    np.testing.assert_array_equal(tree(x).lengths, tree(x.double().numpy()).lengths)
    half = cloud().astype(np.float16)
    np.testing.assert_array_equal(tree(half).lengths, tree(half.astype(np.float64)).lengths)
    right(np.random.default_rng(0).integers(0, 255, (60, 5)).astype(np.uint8))
    right(torch.arange(20).reshape(10, 2).numpy())


def test_points_change_no_difference_and_nothing_of_the_caller():
    x = cloud() + np.r_[1e6, -1e3, 0, 5, 0, 0, 0]
    kept, found = x.copy(), points(x)
    assert np.array_equal(x, kept) and np.abs(found).max() < 20
    np.testing.assert_array_equal(found[:, None] - found, x[:, None] - x)
    assert points(cloud(90, 3)).dtype == np.float64
    tree(x)
    assert np.array_equal(x, kept)


def test_columns_that_would_lose_digits_stay_where_they_are():
    rng = np.random.default_rng(1)
    wide, skewed = rng.uniform(0.6, 9, 90), 1 + 100 * rng.exponential(0.1, 90)**3
    x = np.stack([wide, -wide, skewed, -skewed], axis=1)
    assert np.array_equal(points(x), x)


def test_bad_input_is_named():
    refused(lambda: tree(np.zeros(5)), "shape (5,)")
    refused(lambda: tree(np.zeros((2, 3, 4))), "shape (2, 3, 4)")
    refused(lambda: tree(np.zeros((0, 3))), "shape (0, 3)")
    refused(lambda: tree(np.zeros((3, 0))), "shape (3, 0)")
    refused(lambda: tree(None), "table of numbers")
    refused(lambda: tree([["a", "b"], ["c", "d"]]), "numbers")
    refused(lambda: tree([[1, 2], [3]]), "differ in length")
    refused(lambda: tree(np.ones((3, 2)) * 1j), "complex128")
    bad = cloud()
    bad[[4, 9], 2] = np.nan, np.inf
    refused(lambda: tree(bad), "2 of 90 rows", "first row 4")
    refused(lambda: tree(torch.tensor(bad)), "2 of 90 rows", "first row 4")
    refused(lambda: tree(1e155 * cloud()), "1e150")
    refused(lambda: tree(cloud(), metric="manhattan"), "manhattan", "euclidean, cosine")
    bad[[4, 9]] = 0
    refused(lambda: tree(bad, metric="cosine"), "2 of 90 rows", "first row 4")
    refused(lambda: tree(cloud(), device="abacus"), "abacus", "cpu")
    if not torch.cuda.is_available():
        refused(lambda: tree(cloud(), device="cuda"), "cuda", "cpu")


def test_progress_comes_to_an_end_and_can_stop_the_work(search):
    seen = []
    tree(cloud(), progress=lambda done, total, note: seen.append((done, total)), **search)
    assert seen[0][0] == 0 and seen[-1][0] == seen[-1][1] and all(done <= total for done, total in seen)

    class Stop(Exception):
        pass

    def stop(done, total, note):
        raise Stop

    with pytest.raises(Stop):
        tree(cloud(), progress=stop, **search)
