"""The minimum spanning tree of a cloud of points: single linkage, and with it all of its H0 persistence.

Distances come from Gram matrices, whose rounding error is bounded (`slack`): edges far above it are the right ones, and are measured again by direct
differences. Where edges are short beside the error, that part of the cloud is done again about its own centre, or every pair that could do is measured.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analysis.errors import InputError

METRICS = ("euclidean", "cosine")
WHOLE = 8192  # rows up to which the Gram matrix is held whole
BLOCK = 4096  # rows of a block above that
ROOM = 4_000_000  # numbers held at once where rows are compared in pieces
FINE = 4e9  # a squared length this many times the error of the Gram's: the length is right to 1e-9
COARSE = 1e3  # below this many times, distances of the Gram say nothing worth having


@dataclass(frozen=True, eq=False)
class Tree:
    """The n-1 edges that join n rows at least length, shortest first; where lengths are equal, in a fixed order.

    edges    (n-1, 2) int64, rows, the lower first
    lengths  (n-1,) float64, ascending; zero between equal rows
    """

    edges: np.ndarray
    lengths: np.ndarray

    @property
    def n(self) -> int:
        return len(self.lengths) + 1

    def components(self, count: int) -> np.ndarray:
        """(n,) which component each row belongs to once the `count` shortest edges are in: the largest is 0, the next 1, ..."""
        order, gaps = self._merging[:2]
        starts = np.concatenate([[0], np.flatnonzero(gaps >= count) + 1])
        sizes, lowest = np.diff(starts, append=self.n), np.minimum.reduceat(order, starts)
        labels = np.empty(self.n, np.int64)
        labels[order] = np.repeat(_places(np.lexsort((lowest, -sizes))), sizes)
        return labels

    def sides(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows of the two components that edge i joins, the larger first."""
        order, _, starts, sizes = self._merging
        return tuple(np.sort(order[start:start + size]) for start, size in zip(starts[i], sizes[i], strict=True))

    def sizes(self) -> np.ndarray:
        """(n-1, 2) sizes of the two components that each edge joins, the larger first."""
        return self._merging[3]

    def cut(self, length: float) -> int:
        """How many edges are no longer than that."""
        return int(np.searchsorted(self.lengths, length, side="right"))

    @cached_property
    def _merging(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """(order, gaps, starts, sizes). In `order` the rows of every component ever formed stand together.

        gaps[p] is the edge that brings places p and p+1 together, so the longest edge on the way between two rows is the longest gap between
        their places. Edge i joins the components that begin at places starts[i] and have sizes[i] rows.
        """
        n = self.n
        root, size, last, after, gap = list(range(n)), [1] * n, list(range(n)), [-1] * n, [0] * n
        joined, sizes = [], []
        for i, (a, b) in enumerate(self.edges.tolist()):
            while root[a] != a:
                root[a] = a = root[root[a]]
            while root[b] != b:
                root[b] = b = root[root[b]]
            if size[a] < size[b]:
                a, b = b, a
            joined.append((a, b))
            sizes.append((size[a], size[b]))
            after[last[a]], gap[last[a]], last[a] = b, i, last[b]
            root[b] = a
            size[a] += size[b]
        order = [a if n > 1 else 0]  # a component begins with its root
        while len(order) < n:
            order.append(after[order[-1]])
        order = np.array(order)
        return order, np.array(gap)[order[:-1]], _places(order)[np.array(joined, np.int64).reshape(-1, 2)], np.array(sizes, np.int64).reshape(-1, 2)


def tree(x, *, metric: str = "euclidean", device: str = "auto", progress: Callable[[int, int, str], None] | None = None) -> Tree:
    """Exact for every n: lengths are right to 1e-9 of themselves.

    device    "cpu"; or any device of torch's ("cuda", "cuda:1"; "torch:cpu" is torch on the processor); "auto" takes cuda for a tensor that lies
              there, and for many rows where torch is loaded and finds one
    progress  called with (done, total, note); may raise to stop
    """
    rows = points(x, metric)
    return _spanning(rows, _search(x, len(rows), device), progress or (lambda done, total, note: None))


def of_distances(x: np.ndarray, lengths: np.ndarray) -> Tree:
    """The tree of rows whose distances, all n² of them, are known already."""
    return _shortest(x, _prim(len(x), lambda at: (slice(None), lengths[at]))[0])


def points(x, metric: str = "euclidean") -> np.ndarray:
    """The rows as float64, for `metric` "cosine" of length 1; bad input is named.

    A column far from zero is moved there where that loses no digit: differences of rows keep their bits.
    """
    if metric not in METRICS:
        raise InputError(f"Unknown metric {metric!r}.", f"Use one of {', '.join(METRICS)}.")
    x = _table(x)
    if metric == "cosine":
        largest = np.abs(x).max(axis=1, keepdims=True)
        if not largest.all():
            raise InputError(f"{int((largest == 0).sum())} of {len(x)} rows are zero and point nowhere, first row {int(largest.argmin())}.",
                             "Leave those rows out, or use euclidean.")
        x = x / largest
        x /= np.linalg.norm(x, axis=1, keepdims=True)
    low, high, middle = x.min(axis=0), x.max(axis=0), x.mean(axis=0)
    exact = np.where(middle > 0, (low >= middle / 2) & (high <= middle * 2), (low >= middle * 2) & (high <= middle / 2)) & (middle != 0)
    return x - np.where(exact, middle, 0) if exact.any() else x


def _table(x) -> np.ndarray:
    hint = "Give an (n, d) array."
    if hasattr(x, "detach"):  # numpy knows no bfloat16
        x = x.detach().cpu()
        x = (x.double() if x.is_floating_point() else x).numpy()
    try:
        x = np.asarray(x)
    except ValueError as error:
        raise InputError("Persistence needs a table of numbers; these rows differ in length.", hint) from error
    if x.ndim != 2 or not x.size or x.dtype.kind not in "fiub":
        raise InputError(f"Persistence needs a table of numbers, rows by columns, not {x.dtype} of shape {x.shape}.", hint)
    x = np.ascontiguousarray(x, dtype=np.float64)
    bad = ~np.isfinite(x).all(axis=1)
    if bad.any():
        raise InputError(f"{bad.sum()} of {len(x)} rows hold NaN or infinite values, first row {int(bad.argmax())}.", "Leave those rows out.")
    if max(-x.min(), x.max()) > 1e150:
        raise InputError("Values beyond 1e150 have no square.", "Scale the data down.")
    return x


# from rows to their tree

def _spanning(x: np.ndarray, search: Callable, tell: Callable) -> Tree:
    n, d = x.shape
    z = _centred(x)
    half = np.einsum("ij,ij->i", z, z) / 2
    reach = 2 * half.max()
    if reach == 0:
        return Tree(np.stack([np.zeros(n - 1, np.int64), np.arange(1, n)], axis=1), np.zeros(n - 1))
    found, fine = _shortest(x, search(z, half, tell)), FINE * _slack(d, reach)
    del z
    if found.lengths[0]**2 > fine:
        return found
    extra = list(_again(x, found, fine, reach, search, lambda *_: tell(1, 1, "short edges once more")))
    return _shortest(x, np.concatenate([found.edges, *extra])) if extra else found


def _centred(x: np.ndarray) -> np.ndarray:
    z = x - x[0]  # first, so that a tight cluster far out gets a mean without rounding
    z -= z.mean(axis=0)
    return z


def _slack(d: int, reach: float) -> float:
    """How far the squared distance of two of the rows can be off when it comes from their Gram matrix; `reach` is the largest squared norm."""
    return (2 * d + 16) * np.finfo(float).eps * reach


def _shortest(x: np.ndarray, edges: np.ndarray) -> Tree:
    """Of edges that join all rows, the tree of the shortest, measured by direct differences."""
    a, b = np.divmod(np.unique(edges.min(axis=1) * len(x) + edges.max(axis=1)), len(x))
    lengths, step = np.empty(len(a)), max(1, ROOM // x.shape[1])
    for i in range(0, len(a), step):
        apart = x[a[i:i + step]] - x[b[i:i + step]]
        lengths[i:i + step] = np.sqrt(np.einsum("ij,ij->i", apart, apart))
    order = np.argsort(lengths, kind="stable")
    edges, lengths = np.stack([a, b], axis=1)[order], lengths[order]
    kept = _forest(len(x), edges)
    return Tree(edges[kept], lengths[kept])


def _forest(n: int, edges: np.ndarray) -> np.ndarray:
    """Which of the edges, all different and the best first, join what is not joined yet."""
    if len(edges) == n - 1:  # as they are said to join all there is
        return np.arange(n - 1)
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import minimum_spanning_tree
    rank = np.arange(1.0, len(edges) + 1)  # not the lengths: a 0 would be no edge
    return np.sort(minimum_spanning_tree(coo_array((rank, edges.T), shape=(n, n)).tocsr()).data).astype(np.int64) - 1


def _again(x: np.ndarray, found: Tree, fine: float, reach: float, search: Callable, tell: Callable):
    """Edges that may belong into the tree instead of some whose squared length is not above `fine`."""
    order, gaps = found._merging[:2]
    steps = found.lengths[gaps]**2
    for run in _runs(steps <= fine):
        rows, within = order[run.start:run.stop + 1], steps[run]
        if len(rows) == 2 or not within.any():
            continue
        part = x[rows]
        z = _centred(part)
        small = np.einsum("ij,ij->i", z, z).max()
        if small <= reach / 16:
            del z
            yield rows[_spanning(part, search, tell).edges]
            continue
        # a long filament: a centre of its own gains nothing, so its stretches are done again and all other pairs that could do are measured
        low = min(COARSE * _slack(x.shape[1], small), small / (4 * len(rows))**2)  # a stretch of such steps spans at most a quarter of it
        yield from (rows[pairs] for pairs in _near(z, within, low, _slack(x.shape[1], small)))
        for stretch in _runs(within <= low):
            few = rows[stretch.start:stretch.stop + 1]
            if len(few) > 2 and within[stretch].any():
                yield few[_spanning(x[few], search, tell).edges]


def _near(z: np.ndarray, steps: np.ndarray, low: float, slack: float):
    """Pairs of places whose distance by the Gram is, but for its error, no more than the longest step between them, where that is above `low`."""
    single = np.concatenate([[True], steps > 0])  # equal rows stand together: one is enough
    place, z, steps = np.flatnonzero(single), z[single], steps[single[1:]]
    half, i, n = np.einsum("ij,ij->i", z, z) / 2, 0, len(z)
    while i < n - 1:
        rows = np.arange(i, min(n - 1, i + max(1, ROOM // (n - i))))
        longest = np.where(np.arange(i, n - 1) >= rows[:, None], steps[i:], -1)
        np.maximum.accumulate(longest, axis=1, out=longest)
        apart = 2 * (half[rows, None] + half[i + 1:] - z[rows] @ z[i + 1:].T)
        a, b = np.nonzero((apart <= longest + 2 * slack) & (longest > low))
        yield np.stack([place[a + i], place[b + i + 1]], axis=1)
        i += len(rows)


def _runs(mask: np.ndarray) -> list[slice]:
    """Where the mask holds."""
    turns = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [slice(a, b) for a, b in turns.reshape(-1, 2).tolist()]


def _places(order: np.ndarray) -> np.ndarray:
    """The inverse of a permutation."""
    places = np.empty_like(order)
    places[order] = np.arange(len(order))
    return places


# searches: centred rows -> edges of a tree that is shortest by the distances of the Gram

def _search(x, n: int, device: str) -> Callable:
    if device == "auto":
        torch = sys.modules.get("torch")
        device = "cuda" if torch and (getattr(x, "is_cuda", False) or n > WHOLE and torch.cuda.is_available()) else "cpu"
    return _blockwise if device == "cpu" else lambda z, half, tell: _rounds(z, half, tell, device.removeprefix("torch:"))


def _blockwise(z: np.ndarray, half: np.ndarray, tell: Callable) -> np.ndarray:
    """An edge of the tree between two blocks is one of the tree of all edges between them: each pair of blocks is searched by itself."""
    n = len(z)
    count = 1 if n <= WHOLE else -(-n // BLOCK)
    blocks = [slice(part[0], part[-1] + 1) for part in np.array_split(np.arange(n), count)]
    edges, weights, total = [], [], count * (count + 1) // 2
    for i, a in enumerate(blocks):
        for b in blocks[i:]:
            tell(len(edges), total, f"distances of {n} rows")
            if a is b:
                grown, weight = _within(z[a])
                grown += a.start
            else:
                grown, weight = _between(z[a], z[b], half[a], half[b])
                grown = np.r_[a, b][grown]
            edges.append(grown)
            weights.append(weight)
    tell(total, total, f"distances of {n} rows")
    edges = np.concatenate(edges)[np.argsort(np.concatenate(weights), kind="stable")]
    return edges[_forest(n, edges)]


def _within(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    gram = z @ z.T
    half = gram.diagonal() / 2
    return _prim(len(z), lambda at: (slice(None), half[at] + half - gram[at]))


def _between(z: np.ndarray, y: np.ndarray, half: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of the edges that join a row of z to a row of y; rows of y are counted on from those of z."""
    n, gram = len(z), z @ y.T
    turned = np.ascontiguousarray(gram.T)
    first, second = slice(None, n), slice(n, None)
    return _prim(n + len(y), lambda at: (second, half[at] + other - gram[at]) if at < n else (first, other[at - n] + half - turned[at - n]))


def _prim(n: int, reached: Callable) -> tuple[np.ndarray, np.ndarray]:
    """(edges, weights) of the tree grown from the first node; `reached` gives which nodes a node reaches, and at what weight."""
    best, parent, outside = np.full(n, np.inf), np.zeros(n, np.int64), np.ones(n, bool)
    edges, weights, at = np.zeros((n - 1, 2), np.int64), np.zeros(n - 1), 0
    for step in range(n - 1):
        outside[at], best[at] = False, np.inf
        where, row = reached(at)
        closer = row < best[where]
        closer &= outside[where]
        np.copyto(best[where], row, where=closer)
        np.copyto(parent[where], at, where=closer)
        at = int(best.argmin())
        edges[step] = parent[at], at
        weights[step] = best[at]
    return edges, weights


def _rounds(z: np.ndarray, half: np.ndarray, tell: Callable, device: str) -> np.ndarray:
    """On a device that is fast in parallel: every component looks for its nearest row outside, all join, and again."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    torch, n = _torch(device), len(z)
    z, half = (torch.as_tensor(v, device=device) for v in (z, half))
    edges, count, labels = np.zeros((0, 2), np.int64), n, np.arange(n)
    nearest, to = np.zeros(n), np.arange(n)  # of each row, outside its component; what is inside by now is a lower bound
    while count > 1:
        tell(n - count, n - 1, f"joining {n} rows")
        known = np.full(count, np.inf)
        outside = labels[to] != labels
        np.minimum.at(known, labels[outside], nearest[outside])
        rows = np.flatnonzero(~outside & (nearest <= known[labels]))
        nearest[rows], to[rows] = _outside(torch, z, half, torch.as_tensor(labels, device=device), torch.as_tensor(rows, device=device))
        usable = np.flatnonzero(labels[to] != labels)
        usable = usable[np.lexsort((nearest[usable], labels[usable]))]
        usable = usable[np.unique(labels[usable], return_index=True)[1]]
        usable = usable[np.argsort(nearest[usable], kind="stable")]
        new = np.sort(np.stack([usable, to[usable]], axis=1), axis=1)
        new = new[np.sort(np.unique(new[:, 0] * n + new[:, 1], return_index=True)[1])]
        edges = np.concatenate([edges, new])
        edges = edges[_forest(n, edges)]
        count, labels = connected_components(coo_array((np.ones(len(edges)), edges.T), shape=(n, n)), directed=False)
    tell(n - 1, n - 1, f"joining {n} rows")
    return edges


def _outside(torch, z, half, labels, rows) -> tuple[np.ndarray, np.ndarray]:
    """Half the squared distance to, and place of, the nearest row of another component."""
    nearest, to = [], []
    for part in rows.split(max(1, 16 * ROOM // len(z))):
        apart = half[part, None] + half - z[part] @ z.T
        apart.masked_fill_(labels[part, None] == labels, torch.inf)
        least = apart.min(dim=1)
        nearest.append(least.values)
        to.append(least.indices)
    return torch.cat(nearest).cpu().numpy(), torch.cat(to).cpu().numpy()


def _torch(device: str):
    import torch
    try:
        torch.zeros(1, dtype=torch.float64, device=device)
    except (RuntimeError, AssertionError, TypeError) as error:
        raise InputError(f"No device {device!r} here that counts in float64.", "Use auto or cpu.") from error
    return torch
