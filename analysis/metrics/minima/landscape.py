"""The landscape of a loss between and around minima: barriers on straight lines, how far a valley reaches, the plane through three minima.

A loss is any callable on a flat vector of parameters, a tensor, that gives one number; one whose attribute `stacked` is true also takes many, (rows, size), and
gives (rows,). Points are numpy, torch or lists. What the loss says away from the given points may be NaN or infinite: that is higher than anything.
"""

import numbers
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from analysis.errors import InputError
from analysis.metrics.ranking import Progress, sound_seed, whole
from analysis.metrics.result import plain, tuples

ROOM = 16_000_000  # parameters of interpolated points held at once
GRID = 1001  # points of a line at most
FIRST = 1 / 16  # of a direction as long as the point itself: where the search along it begins
FARTHEST = 60  # doublings or halvings until a search gives up
CLOSE = 1e-6  # how well a radius is found, as a share of it
ROUNDS = 60
FLAT = 1e-6  # three minima are on a line when the third is this near it, as a share of its distance


@dataclass(frozen=True, eq=False)
class Barriers:
    """How far the loss rises between minima above what lies on the chord of its values at the two.

    matrix    (n, n) the barriers, 0 of each with itself, infinite where the loss on the way is; NaN of those left out
    losses    (n, n, len(a)) the loss at (1 - a) p + a q, from the one of the row to that of the column
    left_out  minima that are not finite, or whose loss is not
    """

    matrix: np.ndarray
    losses: np.ndarray
    a: np.ndarray
    left_out: tuple = ()

    def __post_init__(self):
        tuples(self, "left_out")

    def table(self):
        """One line per pair."""
        import pandas as pd
        first, second = np.triu_indices(len(self.matrix), 1)
        return pd.DataFrame({"first": first, "second": second, "barrier": self.matrix[first, second], "loss of the first": self.losses[first, second, 0],
                             "loss of the second": self.losses[first, second, -1], "highest on the way": self.losses[first, second].max(axis=1)})

    def manifest(self) -> dict:
        return {"matrix": plain(self.matrix.tolist()), "losses": plain(self.losses.tolist()), "a": self.a.tolist(), "left_out": list(self.left_out)}


def barrier(loss: Callable, p, q, *, points: int = 21) -> float:
    """The largest, on a grid of points between p and q with both ends, of the loss less what lies on the chord of its values at the ends; at least 0."""
    import torch
    p, q, a = point(p, "p"), point(q, "q"), _grid(points)
    if p.shape != q.shape:
        raise InputError(f"p has {len(p)} parameters and q has {len(q)}.", "Give two points of one network.")
    q = q.to(p)
    ends = losses_at(loss, torch.stack([p, q]))
    for name, value in zip("pq", ends, strict=True):
        if not np.isfinite(value):
            raise InputError(f"The loss at {name} is {value}.", "Between such a point and another there is no barrier: leave it out.")
    return float(_rise(_between(loss, p, q, a, ends), a)) if not torch.equal(p, q) else 0.0


def barriers(loss: Callable, branches, *, points: int = 21, progress: Progress | None = None) -> Barriers:
    """Of all pairs of minima (n, size), or of what `branch` gives. Minima that are not finite, or whose loss is not, are left out and named."""
    rows, a = several(branches), _grid(points)
    n, sound = len(rows), rows.isfinite().all(dim=1).cpu().numpy()
    ends = np.full(n, np.nan)
    ends[sound] = losses_at(loss, rows[sound]) if sound.any() else ends[sound]
    kept = np.flatnonzero(np.isfinite(ends))
    matrix, found = np.full((n, n), np.nan), np.full((n, n, len(a)), np.nan)
    pairs = [(i, j) for at, i in enumerate(kept) for j in kept[at + 1:]]
    for done, (i, j) in enumerate(pairs):
        if progress:
            progress(done, len(pairs), f"{len(pairs)} barriers")
        found[i, j] = _between(loss, rows[i], rows[j], a, ends[[i, j]])
        found[j, i] = found[i, j, ::-1]
        matrix[i, j] = matrix[j, i] = _rise(found[i, j], a) if not rows[i].equal(rows[j]) else 0.0
    if progress:
        progress(len(pairs), len(pairs), f"{len(pairs)} barriers")
    matrix[kept, kept], found[kept, kept] = 0.0, ends[kept, None]
    return Barriers(matrix, found, a, tuple(int(i) for i in range(n) if i not in kept))


def _between(loss: Callable, p, q, a: np.ndarray, ends: np.ndarray) -> np.ndarray:
    import torch
    found, step = np.empty(len(a)), max(1, ROOM // len(p))
    found[[0, -1]] = ends
    for few in (slice(i, min(i + step, len(a) - 1)) for i in range(1, len(a) - 1, step)):
        found[few] = losses_at(loss, torch.lerp(p, q, torch.as_tensor(a[few]).to(p)[:, None]))
    return found


def _rise(values: np.ndarray, a: np.ndarray) -> float:
    if not np.isfinite(values).all():
        return np.inf
    return max(0.0, float((values - (1 - a) * values[0] - a * values[-1])[1:-1].max()))


# around one minimum

def directions(count: int, size: int, *, seed: int = 0) -> np.ndarray:
    """(count, size) normal numbers."""
    return np.random.default_rng(sound_seed(seed)).standard_normal((whole(count, 1, 10**6, "directions"), whole(size, 1, 10**10, "parameters")), np.float32)


def radius(loss: Callable, p, directions, *, epsilon: float, normalise: str | None = "filter", shapes: Sequence | None = None,
           progress: Progress | None = None) -> np.ndarray:
    """How far from p along each direction (count, size) the loss stays within epsilon of that at p: the first crossing that a search by doubling meets, then
    found to a millionth; infinite where it meets none.

    normalise  "filter": each filter of a direction is made as long as that filter of p, see `normalised`; None: as it is
    shapes     of the parameters in the vector; those of the loss where it has them, else the whole vector counts as one filter
    """
    p, epsilon = point(p, "p"), sound_epsilon(epsilon)
    ways = several(directions, "directions", least=1).to(p)
    if ways.shape[1] != len(p):
        raise InputError(f"The directions have {ways.shape[1]} parameters and p has {len(p)}.", "Give directions in the space of p.")
    if normalise not in ("filter", None):
        raise InputError(f"Unknown way to normalise, {normalise!r}.", "Use 'filter', or None.")
    bad = ~ways.isfinite().all(dim=1) | (ways == 0).all(dim=1)
    if bad.any():
        raise InputError(f"Direction {int(bad.int().argmax())} is nothing but zeros, or holds NaN or infinite values.", "Leave it out.")
    base = losses_at(loss, p[None])[0]
    if not np.isfinite(base):
        raise InputError(f"The loss at the base is {base}.", "A valley can only be measured from a point whose loss is a number.")
    ways = ways if normalise is None else normalised(ways, p, shapes or getattr(loss, "shapes", None))

    def above(which: np.ndarray, far: np.ndarray) -> np.ndarray:
        """How much the loss is above what it may be."""
        import torch
        found, step = np.empty(len(which)), max(1, ROOM // len(p))
        for few in (slice(i, i + step) for i in range(0, len(which), step)):
            found[few] = losses_at(loss, p + torch.as_tensor(far[few]).to(p)[:, None] * ways[which[few]])
        return np.where(np.isnan(found), np.inf, found) - base - epsilon
    lengths = np.array([float(way.double().norm()) for way in ways])
    return _crossings(above, FIRST * (float(p.double().norm()) or 1.0) / lengths, epsilon, progress)


def normalised(ways, p, shapes: Sequence | None = None):
    """Directions whose filters are each as long as that filter of p. A filter is what feeds one output: a row of a parameter with two or more axes. Parameters
    with one axis (biases, the scales of normalisations) stay where they are. Without shapes the whole vector is one filter."""
    import torch
    sizes = [int(np.prod(shape)) for shape in shapes] if shapes else [len(p)]
    if sum(sizes) != len(p):
        raise InputError(f"Parameters of shapes {[tuple(s) for s in shapes]} are {sum(sizes)} numbers, and p has {len(p)}.", "Give the shapes of all of them.")
    filters = [shape[0] if len(shape) > 1 else 0 for shape in shapes] if shapes else [1]
    parts = []
    for part, own, count in zip(ways.split(sizes, dim=1), p.split(sizes), filters, strict=True):
        if count:
            each = part.reshape(len(part), count, -1)
            parts.append((each * (own.reshape(count, -1).norm(dim=1) / each.norm(dim=2).clamp_min(1e-30))[..., None]).reshape(part.shape))
        else:
            parts.append(torch.zeros_like(part))
    found = torch.cat(parts, dim=1)
    if not found.any(dim=1).all():
        raise InputError("Filter normalisation is void here: no filter of p has a length to give to a direction.", "Use normalise=None, or another point.")
    return found


def _crossings(above: Callable, start: np.ndarray, epsilon: float, progress: Progress | None) -> np.ndarray:
    """Where each of several functions, -epsilon at 0, first turns positive; `above(which, far)` tells the values of those at these places."""
    n = len(start)
    low, high, below, over = np.zeros(n), np.full(n, np.inf), np.full(n, -epsilon), np.full(n, np.inf)
    far, open_ = start.astype(float), np.arange(n)
    for _ in range(FARTHEST):  # double until it is positive; or halve until it is not
        if not len(open_):
            break
        values = above(open_, far[open_])
        up = values > 0
        high[open_[up]], over[open_[up]] = far[open_[up]], values[up]
        low[open_[~up]], below[open_[~up]] = far[open_[~up]], values[~up]
        open_ = open_[~(np.isfinite(high[open_]) & (low[open_] > 0))]
        far[open_] = np.where(np.isfinite(high[open_]), far[open_] / 2, far[open_] * 2)
    open_, kept = np.flatnonzero(np.isfinite(high)), np.zeros(n)
    for done in range(ROUNDS):  # a chord between the two ends; an end that stays twice counts half, so that both ends move
        open_ = open_[high[open_] - low[open_] > CLOSE * high[open_]]
        if not len(open_):
            break
        if progress:
            progress(n - len(open_), n, f"{n} directions")
        a, b, down, up = low[open_], high[open_], below[open_], over[open_]
        with np.errstate(invalid="ignore"):
            share = np.where(np.isfinite(up) & (done % 8 < 7), -down / (up - down), 0.5)
        edge = CLOSE / 4 * b / (b - a)
        far[open_] = a + np.clip(share, edge, 1 - edge) * (b - a)
        values = above(open_, far[open_])
        rose = values > 0
        over[open_] = np.where(rose, values, np.where(kept[open_] < 0, up / 2, up))
        below[open_] = np.where(rose, np.where(kept[open_] > 0, down / 2, down), values)
        high[open_], low[open_], kept[open_] = np.where(rose, far[open_], b), np.where(rose, a, far[open_]), np.where(rose, 1, -1)
    return np.where(np.isfinite(high), (low + high) / 2, np.inf)


# through three

@dataclass(frozen=True, eq=False)
class Plane:
    """The plane through three minima, in a picture whose units are those of the parameters; the first is at the origin, the second on the first axis.

    corners  (3, 2) where the minima are; corner_losses: there
    x, y     the grid, and losses (len(y), len(x)) on it, NaN where the loss is no finite number
    others   (..., 2) where other points fall on the plane, and `off` (...) how far from it they are
    """

    corners: np.ndarray
    corner_losses: np.ndarray
    x: np.ndarray
    y: np.ndarray
    losses: np.ndarray
    others: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)))
    off: np.ndarray = field(default_factory=lambda: np.zeros(0))
    options: Mapping = field(default_factory=dict)

    def table(self):
        """One line per point of the grid."""
        import pandas as pd
        x, y = np.meshgrid(self.x, self.y)
        return pd.DataFrame({"x": x.ravel(), "y": y.ravel(), "loss": self.losses.ravel()})

    def manifest(self) -> dict:
        return {**{name: plain(getattr(self, name).tolist()) for name in ("corners", "corner_losses", "x", "y", "losses", "others", "off")},
                "options": dict(self.options)}


def plane(loss: Callable, three, *, points: int = 25, margin: float = 0.25, others=None, progress: Progress | None = None) -> Plane:
    """The loss on a grid of points x points over the three minima (3, size), and a margin around them, as a share of what they span.

    others  (..., size) further points to show
    """
    import torch
    rows, points = several(three, "minima"), len(_grid(points))
    if len(rows) != 3 or not rows.isfinite().all():
        raise InputError(f"A plane goes through three minima, not {int(rows.isfinite().all(dim=1).sum())} that are finite.", "Choose three.")
    if not isinstance(margin, numbers.Real) or not 0 <= margin < np.inf:
        raise InputError(f"A margin of {margin!r} cannot be drawn.", "Give a share from 0.")
    axes, corners = _axes(rows)
    bounds = [(low - margin * (high - low), high + margin * (high - low)) for low, high in zip(corners.min(axis=0), corners.max(axis=0), strict=True)]
    x, y = (np.linspace(*bound, points) for bound in bounds)
    found, step = np.empty((points, points)), max(1, ROOM // rows.shape[1])
    for line, height in enumerate(y):
        if progress:
            progress(line, points, f"{points} x {points} points of a plane")
        for few in (slice(i, i + step) for i in range(0, points, step)):
            places = torch.as_tensor(np.stack([x[few], np.full(len(x[few]), height)], axis=1)).to(rows)
            found[line, few] = losses_at(loss, rows[0] + places @ axes.to(rows))
    found[~np.isfinite(found)] = np.nan
    placed, off = (np.zeros((0, 2)), np.zeros(0)) if others is None else _placed(others, rows[0], axes)
    return Plane(corners, losses_at(loss, rows), x, y, found, placed, off, {"points": points, "margin": float(margin)})


def _axes(rows):
    """((2, size) unit vectors that span the plane, float64; (3, 2) where the three are)"""
    import torch
    first, second = (rows[1:] - rows[0]).double()
    length = first.norm()
    along = first / length.clamp_min(1e-300)
    shift = second @ along
    away = second - shift * along
    away = away - (away @ along) * along
    if length == 0 or away.norm() <= FLAT * second.norm():
        raise InputError("The three minima lie on a line, or two of them are the same.", "Choose three others.")
    corners = np.array([[0, 0], [float(length), 0], [float(shift), float(away.norm())]])
    return torch.stack([along, away / away.norm()]), corners


def _placed(others, origin, axes) -> tuple[np.ndarray, np.ndarray]:
    import torch
    others = torch.as_tensor(others, device=origin.device)
    if others.shape[-1] != len(origin):
        raise InputError(f"Points of {others.shape[-1]} parameters do not fit minima of {len(origin)}.", "Give points of the same network.")
    flat = others.reshape(-1, len(origin))
    moved = [(row - origin).double() for row in flat]
    places = torch.stack([axes @ way for way in moved])
    off = torch.stack([(way - at @ axes).norm() for way, at in zip(moved, places, strict=True)])
    return places.cpu().numpy().reshape(*others.shape[:-1], 2), off.cpu().numpy().reshape(others.shape[:-1])


# what goes in

def losses_at(loss: Callable, rows) -> np.ndarray:
    """(rows,) in float64"""
    try:
        values = loss(rows) if getattr(loss, "stacked", False) else [float(loss(row)) for row in rows]
    except InputError:
        raise
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"The loss gives no number at a vector of {rows.shape[1]} parameters: {' '.join(str(error).split())[:200]}",
                         "Give a callable on one flat tensor that returns one number.") from error
    values = np.asarray(values.detach().cpu() if hasattr(values, "detach") else values, np.float64)
    if values.shape != (len(rows),):
        raise InputError(f"The loss of {len(rows)} points has shape {values.shape}.", "Give one number for each.")
    return values


def point(p, what: str):
    """A flat vector of finite parameters, as a tensor in its own precision."""
    p = _tensor(p, what)
    if p.ndim != 1 or not len(p):
        raise InputError(f"{what} is no flat vector of parameters but of shape {tuple(p.shape)}.", "Give all parameters one after another.")
    if not p.isfinite().all():
        raise InputError(f"{what} holds {int((~p.isfinite()).sum())} NaN or infinite values.", "Leave it out: it diverged.")
    return p


def several(branches, what: str = "branches", least: int = 2):
    """(n, size) tensor of flat vectors, from such a table, a list of vectors, or what `branch` gives."""
    import torch
    branches = getattr(branches, "ends", branches)
    if isinstance(branches, (list, tuple)) and branches:
        parts = [_tensor(b, what) for b in branches]
        if len({tuple(b.shape) for b in parts}) > 1:
            raise InputError(f"The {what} differ in shape: {', '.join(str(tuple(b.shape)) for b in parts)}.", "Give flat vectors of one network.")
        rows = torch.stack([b.to(parts[0]) for b in parts])
    else:
        rows = _tensor(branches, what)
    rows = rows[None] if rows.ndim == 1 and least == 1 else rows
    if rows.ndim != 2 or not rows.shape[1]:
        raise InputError(f"The {what}, of shape {tuple(rows.shape)}, are no table of flat vectors.", "Give (number, parameters).")
    if len(rows) < least:
        raise InputError(f"There {'is one' if len(rows) else 'are no'} {what.removesuffix('es') if len(rows) else what}.", f"Give at least {least}.")
    return rows


def sound_epsilon(epsilon) -> float:
    if isinstance(epsilon, bool) or not isinstance(epsilon, numbers.Real) or not 0 < epsilon < np.inf:
        raise InputError(f"An epsilon of {epsilon!r} is no height that the loss may rise.", "Give a positive number.")
    return float(epsilon)


def _grid(points) -> np.ndarray:
    return np.linspace(0, 1, whole(points, 3, GRID, "points of a line"))


def _tensor(values, what: str):
    import torch
    try:
        found = values.detach() if hasattr(values, "detach") else torch.as_tensor(np.array(values))
    except (TypeError, ValueError) as error:
        raise InputError(f"{what} cannot be read as numbers.", "Give numpy arrays or tensors of parameters.") from error
    if found.is_complex():
        raise InputError(f"{what} are complex numbers.", "Give real parameters.")
    return found if found.is_floating_point() else found.double()
