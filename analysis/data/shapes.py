"""Shapes of data: point clouds whose topology is known, for teaching."""

import numpy as np

from analysis.data.dataset import Dataset
from analysis.errors import InputError

SECTORS = 8  # labels around a circle or a torus
SECTIONS = 6  # labels along the roll
LARGE, SMALL = 1.0, 0.4  # radii of the torus


def blobs(rng, n, *, clusters, spread, dim):
    """Gaussian blobs; the label is the blob. Spread is the standard deviation, in distances between the two closest centres."""
    labels = np.arange(n) % clusters
    centres = _apart(rng, clusters, dim)
    return centres[labels] + spread * rng.standard_normal((n, dim)), labels, [f"blob {i + 1}" for i in range(clusters)]


def circle(rng, n):
    """One circle: one component, one loop. The label is one of eight sectors."""
    angle = rng.uniform(0, 2 * np.pi, n)
    return _ring(angle), *_sectors(angle)


def two_circles(rng, n):
    """Two circles apart, of radius 1 and 0.6: two components, two loops. The label is the circle."""
    labels = np.arange(n) % 2
    x = _ring(rng.uniform(0, 2 * np.pi, n)) * np.where(labels, 0.6, 1)[:, None]
    x[:, 0] += np.where(labels, 1.6, -1)
    return x, labels, ["large circle", "small circle"]


def torus(rng, n):
    """A torus in space, evenly covered: two loops and one hollow. The label is one of eight sectors of the long way round."""
    around = rng.uniform(0, 2 * np.pi, n)
    tube = np.empty(0)
    while len(tube) < n:  # the outer side has more area: keep angles in proportion to it
        angle = rng.uniform(0, 2 * np.pi, 2 * n)
        tube = np.concatenate([tube, angle[rng.uniform(0, LARGE + SMALL, 2 * n) < LARGE + SMALL * np.cos(angle)]])
    tube = tube[:n]
    far = LARGE + SMALL * np.cos(tube)
    return np.column_stack([far * np.cos(around), far * np.sin(around), SMALL * np.sin(tube)]), *_sectors(around)


def swiss_roll(rng, n):
    """A sheet rolled up in space: no loop, one piece. The label is one of six sections of equal length along the roll."""
    low, high = 1.5 * np.pi, 4.5 * np.pi
    along = rng.uniform(0, 1, n)
    turn = np.sqrt(low**2 + along * (high**2 - low**2))  # arc length of a spiral grows with the square of the angle
    x = np.column_stack([turn * np.cos(turn), rng.uniform(0, high, n), turn * np.sin(turn)]) / high
    return x, np.minimum((along * SECTIONS).astype(int), SECTIONS - 1), [f"section {i + 1}" for i in range(SECTIONS)]


def sphere(rng, n):
    """The surface of a ball, evenly covered: no loop, one hollow. The label is the hemisphere."""
    x = rng.standard_normal((n, 3))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return x, (x[:, 2] < 0).astype(int), ["north", "south"]


KINDS = {"blobs": blobs, "circle": circle, "two-circles": two_circles, "torus": torus, "swiss-roll": swiss_roll, "sphere": sphere}
DEFAULT_N = 600


def make(kind: str, *, n: int = DEFAULT_N, noise: float = 0.03, seed: int = 0, **options) -> Dataset:
    """noise: standard deviation added to every coordinate. Blobs also take clusters, spread and dim, and no noise of their own."""
    if kind not in KINDS:
        raise InputError(f"There is no shape {kind!r}.", f"Choose one of {', '.join(KINDS)}.")
    if kind == "blobs":
        options = {"clusters": 5, "spread": 0.15, "dim": 2} | options
        noise = 0.0
        if n < 2 * options["clusters"]:
            raise InputError(f"{n} points are too few for {options['clusters']} blobs.", "Ask for at least two points a blob.")
    rng = np.random.default_rng(seed)
    x, labels, names = KINDS[kind](rng, n, **options)
    x = (x + noise * rng.standard_normal(x.shape)).astype(np.float32)
    return Dataset(x, labels, names, (), kind, title(kind), f"builtin:shapes/{kind}", about(kind))


def title(kind: str) -> str:
    return "Shapes, " + kind.replace("-", " ")


def about(kind: str) -> str:
    return KINDS[kind].__doc__.strip()


def _ring(angle: np.ndarray) -> np.ndarray:
    return np.column_stack([np.cos(angle), np.sin(angle)])


def _sectors(angle: np.ndarray) -> tuple[np.ndarray, list[str]]:
    step = 360 // SECTORS
    return (angle / (2 * np.pi) * SECTORS).astype(int) % SECTORS, [f"{i * step}-{(i + 1) * step}°" for i in range(SECTORS)]


def _apart(rng, count: int, dim: int) -> np.ndarray:
    """Centres spread over a ball, each the farthest of 50 candidates; scaled until the two closest are 1 apart."""
    centres = rng.uniform(-1, 1, (1, dim))
    while len(centres) < count:
        candidates = rng.uniform(-1, 1, (50, dim))
        gaps = np.linalg.norm(candidates[:, None] - centres, axis=2).min(axis=1)
        centres = np.vstack([centres, candidates[gaps.argmax()]])
    gaps = np.linalg.norm(centres[:, None] - centres, axis=2)
    return centres / gaps[np.triu_indices(count, 1)].min()
