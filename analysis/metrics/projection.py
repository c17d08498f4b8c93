"""Projections: many dimensions drawn on two or three axes. PCA here; UMAP, which takes its time, is a study."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from analysis.errors import InputError

EXACT = 1024  # columns (or rows) up to which the eigenvectors are exact


@dataclass(frozen=True, eq=False)
class Projection:
    """Where every item stands in the picture.

    points     (m, dims) float32, the blocks one after the other
    sizes      items of each block among them
    explained  share of the total variance that each axis carries; empty for a method without one
    used       row of each point in the stacked input (all of them, unless the method had to sample)
    n          rows of the input
    options    what made it
    """

    points: np.ndarray
    sizes: tuple
    explained: np.ndarray
    used: np.ndarray
    n: int
    options: Mapping = field(default_factory=dict)

    def __post_init__(self):
        object.__setattr__(self, "sizes", tuple(self.sizes))

    def __len__(self) -> int:
        return len(self.points)

    @property
    def dims(self) -> int:
        return self.points.shape[1]

    def blocks(self) -> list[np.ndarray]:
        return np.split(self.points, np.cumsum(self.sizes)[:-1])

    def table(self):
        import pandas as pd
        return pd.DataFrame(self.points, columns=[f"axis_{i + 1}" for i in range(self.dims)]).assign(row=self.used)

    def manifest(self) -> dict:
        return {"n": self.n, "shown": len(self), "sizes": list(self.sizes), "explained": [float(v) for v in self.explained],
                "options": dict(self.options)}


def pca(blocks: Sequence[np.ndarray], *, dims: int = 3, seed: int = 0) -> Projection:
    """Principal components of all blocks together, so that several domains share one picture.

    Exact (eigenvectors of the covariance, or of the Gram matrix when there are fewer rows than columns) up to 1 024 on the
    shorter side, randomised above. Axes whose data run out are zero. Sign: the entry of each axis farthest from zero is positive.
    """
    table = _Table(_check(blocks, dims))
    axes = _axes(table, min(dims, *table.shape), seed)
    axes *= np.where(np.take_along_axis(axes, np.abs(axes).argmax(axis=0)[None], axis=0) < 0, -1, 1)
    points = table.times(axes)
    explained = (points * points).sum(axis=0) / table.total if table.total > 0 else np.zeros(points.shape[1])
    missing = ((0, 0), (0, dims - points.shape[1]))
    options = {"method": "pca", "dims": dims, "seed": seed, "exact": min(table.shape) <= EXACT}
    return Projection(np.pad(points, missing).astype(np.float32), tuple(map(len, table.blocks)), np.pad(explained, missing[1]),
                      np.arange(len(points)), len(points), options)


def layers_pca(layers: Mapping[str, Sequence[np.ndarray]], *, dims: int = 2, seed: int = 0) -> dict[str, Projection]:
    """One PCA per layer, made comparable, so that a layer slider moves points and nothing else.

    Each picture is divided by the root of its own variance (layers differ in scale by orders of magnitude), and turned or
    mirrored, not bent, to lie as close as it can to the layer before (orthogonal Procrustes, row by row). Up to that
    scale, distances in it stay those of its PCA; `explained` is of the turned axes and has the same sum.
    """
    found, before = {}, None
    for name, blocks in layers.items():
        flat = pca(blocks, dims=dims, seed=seed)
        spread = float((flat.points.astype(np.float64) ** 2).sum() / flat.n)
        points = flat.points / np.float32(np.sqrt(spread) if spread > 0 else 1)
        if before is not None:
            points = points @ turn(points, before)
        before = points
        shares = (points.astype(np.float64) ** 2).mean(axis=0) * flat.explained.sum()
        found[name] = Projection(points, flat.sizes, shares, flat.used, flat.n, {**flat.options, "aligned": True})
    return found


def turn(points: np.ndarray, onto: np.ndarray) -> np.ndarray:
    """The rotation or reflection R for which points @ R comes closest to `onto`, row by row."""
    u, _, v = np.linalg.svd(points.T.astype(np.float64) @ onto)
    return (u @ v).astype(np.float32)


def bounds(projections) -> np.ndarray:
    """(dims, 2): lowest and highest of every axis over all of them, with a margin."""
    points = [p.points for p in projections if len(p)]
    low, high = np.min([p.min(axis=0) for p in points], axis=0), np.max([p.max(axis=0) for p in points], axis=0)
    margin = 0.05 * max(float((high - low).max()), 1e-6)
    return np.stack([low - margin, high + margin], axis=1)


def sample(groups: np.ndarray, limit: int, *, seed: int = 0) -> np.ndarray:
    """At most `limit` rows, ascending, every group in its share and none left out."""
    groups = np.unique(np.asarray(groups), return_inverse=True)[1]
    n = len(groups)
    if n <= limit:
        return np.arange(n)
    order = np.random.default_rng(seed).permutation(n)
    order = order[np.argsort(groups[order], kind="stable")]  # by group, shuffled within
    counts = np.bincount(groups)
    rank = np.arange(n) - np.repeat(np.cumsum(counts) - counts, counts)
    place = (rank + 0.5) / np.repeat(counts, counts)  # 0..1 within its group: taking the lowest takes all groups alike
    place[rank == 0] = -1
    return np.sort(order[np.argsort(place, kind="stable")[:limit]])


class _Table:
    """The stacked rows about their mean, gone through in pieces: a large table is never copied whole."""

    def __init__(self, blocks: list[np.ndarray]):
        self.blocks, self.shape = blocks, (sum(map(len, blocks)), blocks[0].shape[1])
        self.kind = np.float64 if self.shape[0] * self.shape[1] <= 8_000_000 else np.float32
        self.mean = sum(b.sum(axis=0, dtype=np.float64) for b in blocks) / self.shape[0]
        self.total = sum(float(np.einsum("ij,ij->", p, p, dtype=np.float64)) for p in self.pieces())

    def pieces(self):
        step, mean = max(1, 4_000_000 // self.shape[1]), self.mean.astype(self.kind)
        for block in self.blocks:
            for i in range(0, len(block), step):
                yield block[i:i + step].astype(self.kind) - mean

    def times(self, axes: np.ndarray) -> np.ndarray:
        return np.concatenate([p @ axes.astype(self.kind) for p in self.pieces()]).astype(np.float64)

    def back(self, values: np.ndarray) -> np.ndarray:
        """The transpose times `values`, one row of them per item."""
        out, at = np.zeros((self.shape[1], values.shape[1])), 0
        for p in self.pieces():
            out += p.T @ values[at:at + len(p)].astype(self.kind)
            at += len(p)
        return out

    def covariance(self) -> np.ndarray:
        return sum((p.T @ p).astype(np.float64) for p in self.pieces())


def _axes(table: _Table, k: int, seed: int) -> np.ndarray:
    n, d = table.shape
    if d <= EXACT and d <= n:
        return np.linalg.eigh(table.covariance())[1][:, ::-1][:, :k]
    if n <= EXACT:
        x = np.concatenate(list(table.pieces())).astype(np.float64)
        values, vectors = np.linalg.eigh(x @ x.T)
        values, vectors = values[::-1][:k], vectors[:, ::-1][:, :k]
        keep = values > 1e-12 * max(values[0], 0)  # a direction without variance cannot be told from the rows, and is not needed
        return x.T @ (vectors * np.where(keep, 1 / np.sqrt(np.where(keep, values, 1)), 0))
    q = np.random.default_rng(seed).standard_normal((d, min(k + 10, d)))
    for _ in range(8):  # subspace iteration: the wider the gap behind the leading axes, the sooner it settles
        q = np.linalg.qr(table.back(table.times(q)))[0]
    return q @ np.linalg.eigh(np.cov(table.times(q).T, ddof=0))[1][:, ::-1][:, :k]


def _check(blocks, dims) -> list[np.ndarray]:
    blocks = [np.asarray(b) for b in ([blocks] if isinstance(blocks, np.ndarray) else blocks)]
    if not blocks or any(b.ndim != 2 for b in blocks):
        raise InputError(f"A projection needs tables of rows, not shapes {[b.shape for b in blocks]}.", "Give a list of (n, d) arrays.")
    widths = sorted({b.shape[1] for b in blocks})
    if len(widths) > 1:
        raise InputError(f"The blocks are {' and '.join(map(str, widths))} columns wide.",
                         "One picture holds one layer of one model: equal widths.")
    if sum(map(len, blocks)) < 2:
        raise InputError("A projection needs at least 2 items.", "Choose a larger dataset.")
    if dims < 1:
        raise InputError(f"A projection onto {dims} axes was asked for.", "Ask for 2 or 3.")
    return blocks
