"""Persistence: at which distances clusters merge (H0) and loops open and close (H1), and the Persistence Ratio.

Vietoris-Rips on Euclidean distances as they are, diameter convention: two points join when the radius reaches their distance.
"""

import numbers
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property

import numpy as np

from analysis.errors import InputError
from analysis.metrics import spanning
from analysis.metrics.result import plain

TINY = 1e-9  # a separation up to which there is none
CLOSE = 1e-5  # squared distances below this share of the squared norms are measured again: a Gram matrix has lost their digits
KINDS = ("wasserstein", "bottleneck", "sliced")
CONVENTION = {"complex": "vietoris-rips", "convention": "diameter", "metric": "euclidean"}
NAN = float("nan")
STRAY = 5  # points up to which a piece of a large cloud is called stray


# the Persistence Ratio

@dataclass(frozen=True)
class PersistenceRatio:
    """tightness / separation: the mean of all other deaths over that of the k-1 longest. NaN, with the reason, where that has no meaning."""

    separation: float
    tightness: float
    ratio: float
    reason: str
    classes: int
    n: int

    def table(self):
        import pandas as pd
        return pd.DataFrame([asdict(self)])

    def manifest(self) -> dict:
        return {name: plain(value) for name, value in asdict(self).items()}


def h0(x, *, metric: str = "euclidean") -> np.ndarray:
    """The n-1 finite deaths, ascending; a duplicate dies at 0."""
    return spanning.tree(x, metric=metric).lengths


def ratio(x, classes: int) -> PersistenceRatio:
    classes = whole(classes)
    return ratio_of(h0(x), classes)


def ratio_of(deaths: np.ndarray, classes: int) -> PersistenceRatio:
    """The same from deaths that are known already, ascending."""
    k, bars = whole(classes), len(deaths)
    rest, longest = np.split(deaths, [bars - (k - 1)]) if 1 <= k <= bars + 1 else (deaths[:0], deaths[:0])
    separation, tightness = (float(part.mean()) if len(part) else NAN for part in (longest, rest))
    reason = _reason(bars + 1, k, separation)
    return PersistenceRatio(separation, tightness, NAN if reason else tightness / separation, reason, k, bars + 1)


def _reason(n: int, k: int, separation: float) -> str:
    points = f"{n} point{'s' * (n != 1)}"
    if k < 2:
        return f"{k} class{'es' * (k != 1)}: there is nothing to separate. The ratio needs at least 2."
    if n < k:
        return f"{points} cannot be {k} classes: {k - 1} bars would separate them, and there {'is' if n == 2 else 'are'} {n - 1}."
    if n == k:
        return f"{points} and {k} classes: no bar is left within a class."
    if separation <= TINY:
        return f"The clusters lie on one another: the bars that should separate them have a mean length of {separation:.2g}."
    return ""


def whole(classes) -> int:
    """The number of classes, when it is one: 3 and 3.0 are, 3.5, "a" and None are refused."""
    if isinstance(classes, bool) or not isinstance(classes, numbers.Real) or classes % 1 != 0:
        raise InputError(f"{classes!r} is no number of classes.", "Give a whole number, for example 10.")
    return int(classes)


# what the largest gap leaves

@dataclass(frozen=True)
class Pieces:
    """A cloud cut at the largest gap between its lifetimes: `count` pieces, of which `groups` have more than `small` points; `stray` points in the others.
    `share`: the gap as a share of the longest lifetime."""

    count: int
    groups: int
    stray: int
    small: int
    share: float


def pieces(tree: spanning.Tree) -> Pieces:
    count = gap(tree.lengths)
    sizes, small = np.bincount(tree.components(tree.n - count)), few(tree.n, count)
    share = float(tree.lengths[-(count - 1)] - tree.lengths[-count]) / float(tree.lengths[-1]) if count > 1 else 0.0
    return Pieces(count, int((sizes > small).sum()), int(sizes[sizes <= small].sum()), small, share)


def few(n: int, parts: int) -> int:
    """Points up to which one of that many parts of n points is stray rather than a group: 5, or a quarter of an equal share where that is less."""
    return min(STRAY, n // (4 * parts))


def gap(deaths: np.ndarray) -> int:
    """How many pieces the largest gap between neighbouring lifetimes leaves: 1 + the number of bars above it. A single far point is one too.

    Gaps that would leave more pieces than pairs of points do not count: they tell short bars from the shortest.
    """
    longest = deaths[::-1]
    falls = (longest[:-1] - longest[1:])[:len(deaths) // 2]
    return 2 + int(falls.argmax()) if falls.any() else 1


# one cloud, with what chance and resampling say

@dataclass(frozen=True, eq=False)
class Profile:
    """H0 of a cloud, beside the same of resamples and of clouds without structure. Every row of deaths is ascending.

    edges, deaths  the spanning tree (spanning.Tree) of the rows used
    resampled      (draws, m) deaths with one block left out each ("jackknife"), or of uniform subsets ("subsets"); padded with NaN in front
    shuffled       (draws, m) deaths after every column was shuffled by itself
    halves         (draws, m) deaths of uniform halves of the rows used
    groups, shares (draws,) of persistence.Pieces, in clouds without clusters: uniform in the box of the principal components
    rows           which rows were used; of: how many there are
    spread         root of the total variance: the length unit of this cloud
    """

    edges: np.ndarray
    deaths: np.ndarray
    resampled: np.ndarray
    shuffled: np.ndarray
    halves: np.ndarray
    groups: np.ndarray
    shares: np.ndarray
    rows: np.ndarray
    of: int
    spread: float
    options: Mapping = field(default_factory=dict)

    def ratio(self, classes: int) -> PersistenceRatio:
        """Of the rows used; over several subsets, their mean."""
        if self.options["resampling"] == "jackknife":
            return ratio_of(self.deaths, classes)
        each = self._ratios(self.resampled, classes)
        means = {name: float(np.mean([getattr(r, name) for r in each])) for name in ("separation", "tightness", "ratio")}
        return replace(each[0], reason=next((r.reason for r in each if r.reason), ""), **means)

    def interval(self, classes: int) -> tuple[float, float]:
        """95 % interval by Student's t: from the standard error of the jackknife, or, of subsets, where one more may fall.
        (nan, nan) where that has no meaning; `doubt` says why."""
        if self.doubt(classes):
            return NAN, NAN
        from scipy.special import stdtrit
        middle, values, g = self.ratio(classes).ratio, self._values(self.resampled, classes), len(self.resampled)
        squares = ((values - values.mean()) ** 2).sum()
        error = np.sqrt(squares * (g - 1) / g if self.options["resampling"] == "jackknife" else squares / (g - 1) * (1 + 1 / g))
        reach = float(stdtrit(g - 1, 0.975) * error)
        return max(0.0, middle - reach), middle + reach

    def doubt(self, classes: int) -> str:
        """Why there is no interval; empty where there is one."""
        found = self.ratio(classes)
        if found.reason or len(self.resampled) < 2:
            return found.reason or f"{found.n} points are too few to leave some out."
        return next((f"With one block of points left out: {r.reason}" for r in self._ratios(self.resampled, classes) if r.reason), "")

    def chance(self, classes: int) -> tuple[float, float, float]:
        """Mean, lowest and highest ratio of the shuffled clouds. Of m clouds: one more without structure falls between the two with
        probability (m-1)/(m+1), below the lowest with 1/(m+1); for 20 clouds 90 % and 5 %."""
        values = self._values(self.shuffled, classes)
        return (float(values.mean()), float(values.min()), float(values.max())) if len(values) else (NAN, NAN, NAN)

    def halved(self, classes: int) -> tuple[float, float]:
        """Mean and sd of the ratio with half as many points."""
        values = self._values(self.halves, classes)
        return (float(values.mean()), float(values.std(ddof=1))) if len(values) > 1 else (NAN, NAN)

    def band(self) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest lifetime of each rank, longest first, among the shuffled clouds: as in `chance`, about 90 % for 20 of them."""
        if not len(self.shuffled):
            return np.full((2, len(self.deaths)), NAN)
        return self.shuffled.min(axis=0)[::-1], self.shuffled.max(axis=0)[::-1]

    def tree(self) -> spanning.Tree:
        """Its rows count among `rows`."""
        return spanning.Tree(self.edges, self.deaths)

    def stands_out(self) -> bool:
        """Whether the largest gap leaves at least two groups, and is wider or leaves more of them than in any of the clouds without clusters
        (with 20 of those, one more would pass in about one case of ten)."""
        cut = pieces(self.tree())
        return cut.groups > 1 and len(self.groups) > 0 and (cut.groups > self.groups.max() or cut.share > self.shares.max())

    def table(self):
        """One line per bar, longest first, with the two rows it joins."""
        import pandas as pd
        low, high = self.band()
        ends = self.rows[self.edges[::-1]]
        return pd.DataFrame({"rank": np.arange(1, len(self.deaths) + 1), "lifetime": self.deaths[::-1], "chance_low": low, "chance_high": high,
                             "row_a": ends[:, 0], "row_b": ends[:, 1]})

    def manifest(self, classes: int | None = None) -> dict:
        """With a number of classes also what comes of it."""
        told = {"n": self.of, "used": len(self.rows), "spread": plain(self.spread), "gap": asdict(pieces(self.tree())),
                "groups_by_chance": self.groups.tolist(), "deaths": self.deaths.tolist(), "options": dict(self.options)}
        if classes is None:
            return told
        names = {"interval": ("low", "high"), "chance": ("mean", "low", "high"), "halved": ("mean", "sd")}
        ranges = {name: dict(zip(parts, map(plain, getattr(self, name)(classes)), strict=True)) for name, parts in names.items()}
        return {**self.ratio(classes).manifest(), "doubt": self.doubt(classes), **ranges, **told}

    def _ratios(self, draws: np.ndarray, classes: int) -> list[PersistenceRatio]:
        return [ratio_of(d[~np.isnan(d)], classes) for d in draws]

    def _values(self, draws: np.ndarray, classes: int) -> np.ndarray:
        return np.array([r.ratio for r in self._ratios(draws, classes)])


def profile(x, *, blocks: int = 20, shuffles: int = 20, halves: int = 5, boxes: int = 20, limit: int = 4000, seed: int = 0, progress=None) -> Profile:
    """H0 of x with its interval and its chance level. Above `limit` rows: of 5 uniform subsets of that many."""
    if blocks < 2 or limit < 2 or min(shuffles, halves, boxes) < 0:
        raise InputError(f"A profile of {blocks} blocks, {shuffles} shuffles, {halves} halves, {boxes} boxes, at most {limit} rows was asked for.",
                         "Ask for at least 2 blocks and 2 rows, and no negative number.")
    x, rng = spanning.points(x), _random(seed)
    of, tell = len(x), progress or (lambda done, total, note: None)
    subsets = [np.sort(rng.choice(of, limit, replace=False)) for _ in range(5)] if of > limit else [np.arange(of)]
    rows = subsets[0]
    tree = spanning.tree(x[rows])
    parts = np.array_split(rng.permutation(of), min(blocks, of)) if 2 < of <= limit else []
    draws = subsets[1:] if of > limit else [np.setdiff1d(rows, part) for part in parts]
    work = [("resampling", lambda rows=kept: x[rows]) for kept in draws]
    work += [("shuffling columns", lambda: rng.permuted(x[rows], axis=0))] * shuffles
    work += [("halving", lambda: x[rng.choice(rows, len(rows) // 2, replace=False)])] * (halves if len(rows) > 3 else 0)
    low, high = _box(x[rows]) if boxes else (None, None)
    work += [("drawing clouds without clusters", lambda: rng.uniform(low, high, (len(rows), len(low))))] * boxes
    found = []
    for i, (note, draw) in enumerate(work):
        tell(i, len(work), note)
        found.append(spanning.tree(draw()))
    tell(len(work), len(work), "done")
    cut = [pieces(t) for t in found[len(found) - boxes:]]
    found = [t.lengths for t in found[:len(found) - boxes]]
    resampled, shuffled, halved = found[:len(draws)], found[len(draws):len(draws) + shuffles], found[len(draws) + shuffles:]
    if of > limit:
        resampled = [tree.lengths, *resampled]
    options = {**CONVENTION, "blocks": blocks, "shuffles": shuffles, "halves": halves, "boxes": boxes, "limit": limit, "seed": seed,
               "resampling": "subsets" if of > limit else "jackknife", "chance": "columns shuffled"}
    spread = float(np.sqrt(x.var(axis=0).sum()))
    return Profile(tree.edges, tree.lengths, _padded(resampled), _padded(shuffled), _padded(halved), np.array([c.groups for c in cut], np.int64),
                   np.array([c.share for c in cut]), rows, of, spread, options)


def _box(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest score on each principal component."""
    u, s, _ = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    return (u * s).min(axis=0), (u * s).max(axis=0)


def _padded(draws: list) -> np.ndarray:
    """Rows of equal length, NaN in front of the shorter ones."""
    width = max(map(len, draws), default=0)
    return np.array([np.pad(d, (width - len(d), 0), constant_values=np.nan) for d in draws]).reshape(len(draws), width)


def _random(seed: int) -> np.random.Generator:
    if not isinstance(seed, numbers.Integral) or seed < 0:
        raise InputError(f"{seed!r} is no seed.", "Use a whole number from 0.")
    return np.random.default_rng(int(seed))


# diagrams

def standing(bars: np.ndarray, level: float = 0.05) -> int:
    """How many bars of H1 or H2 are too long, as death over birth, to be noise: the universal null distribution of Rips persistence
    (Bobrowski & Skraba 2023, conjectured and well supported), Bonferroni over the bars."""
    born = bars[(bars[:, 0] > 0) & (bars[:, 1] > bars[:, 0])]
    if len(born) < 3:
        return 0  # too few to tell their usual length
    lives = np.log(np.log(born[:, 1] / born[:, 0]))
    chance = np.exp(-np.exp(lives - lives.mean() - np.euler_gamma))
    return int((chance < level / len(born)).sum())


@dataclass(frozen=True, eq=False)
class Diagrams:
    """Persistence of the rows `points`; each (m, 2): birth, death. The last of h0 never dies.

    covering_radius  how far the farthest row lies from a row that was used; 0 when all were used. Births and deaths are then right to twice that
    edges            (m-1, 2) which rows each finite bar of h0 joins
    openings         (m, 2) the two rows whose edge opens each loop of h1
    traces1, ends1   rows of the cocycle of each h1 bar, one after the other, and where each ends; so for h2
    """

    h0: np.ndarray
    h1: np.ndarray
    h2: np.ndarray
    points: np.ndarray
    covering_radius: float
    n: int
    edges: np.ndarray
    openings: np.ndarray
    traces1: np.ndarray
    ends1: np.ndarray
    traces2: np.ndarray
    ends2: np.ndarray
    options: Mapping = field(default_factory=dict)

    def of(self, dim: int) -> np.ndarray:
        if dim not in (0, 1, 2):
            raise InputError(f"There is no diagram H{dim}.", "Ask for H0, H1 or H2.")
        return (self.h0, self.h1, self.h2)[dim]

    def trace(self, dim: int, i: int) -> np.ndarray:
        """Rows of the input, ascending: both components that merge (H0), or the cocycle's points (H1, H2).

        Of H1 those in the component in which the loop opens: a cocycle is fixed only up to others that live elsewhere.
        """
        if dim == 0:
            return np.sort(np.concatenate(self.sides(i)))
        self._check(dim, i)
        rows, ends = (self.traces1, self.ends1) if dim == 1 else (self.traces2, self.ends2)
        rows = np.sort(rows[ends[i - 1] if i else 0:ends[i]])
        return rows[np.isin(rows, self._around(i))] if dim == 1 else rows

    def sides(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows of the two components that bar i of H0 joins, the larger first; for the bar that never dies all rows, and none."""
        self._check(0, i)
        if i == len(self.h0) - 1:
            return np.sort(self.points), self.points[:0]
        return tuple(np.sort(self.points[side]) for side in self._tree.sides(i))

    def total(self, dim: int) -> float:
        """Sum of the finite lifetimes."""
        bars = self.of(dim)
        return float((bars[:, 1] - bars[:, 0])[np.isfinite(bars[:, 1])].sum())

    def table(self):
        """One line per bar, dimension by dimension."""
        import pandas as pd
        parts = [pd.DataFrame(self.of(dim), columns=["birth", "death"]).assign(dimension=dim, bar=range(len(self.of(dim)))) for dim in range(3)]
        bars = pd.concat(parts, ignore_index=True)
        return bars.assign(lifetime=bars.death - bars.birth)[["dimension", "bar", "birth", "death", "lifetime"]]

    def manifest(self) -> dict:
        bars = {f"h{dim}": [[b, plain(d)] for b, d in self.of(dim).tolist()] for dim in range(self.options["max_dim"] + 1)}
        return {"n": self.n, "used": len(self.points), "covering_radius": self.covering_radius, **bars, "options": dict(self.options)}

    def _around(self, i: int) -> np.ndarray:
        """Rows of the component in which loop i opens."""
        pieces = self._tree.components(self._tree.cut(self.h1[i, 0]))
        return self.points[pieces == pieces[self.points == self.openings[i, 0]]]

    @cached_property
    def _tree(self) -> spanning.Tree:
        """Its rows count among `points`."""
        order = np.argsort(self.points)
        return spanning.Tree(order[np.searchsorted(self.points, self.edges, sorter=order)], self.h0[:-1, 1])

    def _check(self, dim: int, i: int) -> None:
        bars = len(self.of(dim))
        if not 0 <= i < bars:
            raise InputError(f"There is no bar {i} of H{dim}: it has {bars}.", f"Count from 0 to {bars - 1}." if bars else "Choose another dimension.")


def diagrams(x, *, max_dim: int = 1, max_points: int = 1000, seed: int = 0, progress=None) -> Diagrams:
    """Diagrams up to H1 (or H2); above `max_points` rows of that many landmarks, each chosen farthest from those before.

    Lengths that single precision cannot tell apart count as equal in H1 and H2.
    """
    if max_dim not in (0, 1, 2):
        raise InputError(f"Diagrams up to H{max_dim} were asked for.", "Use max_dim=0, 1 or 2.")
    x = spanning.points(x)
    points, radius = landmarks(x, max_points, seed, progress)
    x, n = x[points], len(x)
    lengths = _distances(x) if max_dim else np.zeros((0, 0))
    tree = spanning.of_distances(x, lengths) if max_dim else spanning.tree(x)
    born = np.zeros((len(points), 2))
    born[:, 1] = [*tree.lengths, np.inf]
    (h1, traces1, ends1, openings), (h2, traces2, ends2, _) = _higher(lengths, max_dim)
    options = {**CONVENTION, "max_dim": int(max_dim), "max_points": int(max_points), "seed": seed}
    return Diagrams(born, h1, h2, points, radius, n, points[tree.edges], points[openings], points[traces1], ends1, points[traces2], ends2, options)


def _higher(lengths: np.ndarray, max_dim: int) -> list[tuple]:
    """For H1 and H2: bars, the rows of their cocycles one after the other, where each ends, and the two rows of each first edge."""
    nothing = np.zeros((0, 2)), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 2), np.int64)
    n = len(lengths)
    if max_dim == 0 or n < 4 or not lengths.any():
        return [nothing, nothing]
    from ripser import ripser
    single, unit = _single(lengths)
    found = ripser(single, distance_matrix=True, maxdim=max_dim, do_cocycles=True)
    measured = lengths[np.triu_indices(n, 1)]
    out = []
    for bars, cocycles in zip(found["dgms"][1:], found["cocycles"][1:], strict=True):
        sizes = [len(c) for c in cocycles]
        if not sizes:
            out.append(nothing)
            continue
        simplices, bar = np.concatenate(cocycles)[:, :-1], np.repeat(np.arange(len(sizes)), sizes)
        within = np.unique(bar[:, None] * n + simplices)  # every row once per bar
        ends = simplices[:, :2].T
        order = np.lexsort((-_number(*ends), single[*ends], bar))  # the edge of a cocycle that is there first
        firsts = simplices[order[np.cumsum([0, *sizes[:-1]])], :2]
        out.append((_nearest(np.ldexp(bars.astype(np.float64), unit), measured), within % n, np.cumsum(np.bincount(within // n)), firsts))
    return [*out, nothing][:2]


def _single(lengths: np.ndarray) -> tuple[np.ndarray, int]:
    """(lengths, unit): as ripser sees them, in single precision. In units of a power of two no scale over- or underflows."""
    unit = int(np.frexp(lengths.max())[1])
    return np.ldexp(lengths, -unit).astype(np.float32), unit


def _number(a, b):
    """Of an edge: among edges of one length, ripser lets the one of the highest number come first."""
    high, low = np.maximum(a, b), np.minimum(a, b)
    return high * (high - 1) // 2 + low


def _nearest(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Each value replaced by the nearest of the known ones: a birth or death is a length in double precision again."""
    off = 1e-6 * values.max() + 1e-30 * known.max()
    known = np.sort(known[(known >= values.min() - off) & (known <= values.max() + off)])
    above = np.searchsorted(known, values).clip(1, len(known) - 1)
    low, high = known[above - 1], known[above]
    return np.where(values - low <= high - values, low, high)


def landmarks(x, limit: int, seed: int = 0, progress=None) -> tuple[np.ndarray, float]:
    """(rows, covering radius): each next row lies farthest from those chosen before; all rows, and 0, when there are few enough.

    Fewer than `limit` rows when every other one equals a chosen one.
    """
    if not isinstance(limit, numbers.Integral) or limit < 2:
        raise InputError(f"{limit!r} landmark{'s' * (limit != 1)} cannot show a shape.", "Ask for at least 2; 1 000 take about a second.")
    x = spanning.points(x)
    if len(x) <= limit:
        return np.arange(len(x)), 0.0
    tell = progress or (lambda done, total, note: None)
    z = x - x.mean(axis=0)
    squares = np.einsum("ij,ij->i", z, z)
    chosen, exact = [int(_random(seed).integers(len(x)))], False
    away = np.full(len(x), np.inf)
    while True:
        at = chosen[-1]
        away = np.minimum(away, ((x - x[at]) ** 2).sum(axis=1) if exact else (squares + squares[at] - 2 * (z @ z[at])).clip(0))
        away[at] = 0
        if not exact and away.max() < 1e-9 * squares.max():  # what is left to choose from, a Gram matrix cannot tell apart
            away, exact = _to_nearest(x, x[chosen]) ** 2, True
        if limit > 50 and (len(chosen) % 50 == 0 or len(chosen) == limit):
            tell(len(chosen), limit, "landmarks")
        if len(chosen) == limit or not away.any():
            return np.array(chosen), float(_to_nearest(x, x[chosen]).max())
        chosen.append(int(away.argmax()))


def _to_nearest(x: np.ndarray, others: np.ndarray) -> np.ndarray:
    """How far each row is from the nearest of the others; 1 000 rows at a time."""
    return np.concatenate([_distances(x[i:i + 1000], others).min(axis=1) for i in range(0, len(x), 1000)])


def _distances(x: np.ndarray, y: np.ndarray | None = None) -> np.ndarray:
    """Every row of x from every row of y (or of x), good to 1e-9 of each: by a Gram matrix, and pairs that are close for their norms by their differences."""
    alone, y = y is None, x if y is None else y
    middle = y.mean(axis=0)
    u = x - middle
    v = u if alone else y - middle
    norms = np.einsum("ij,ij->i", u, u)[:, None] + np.einsum("ij,ij->i", v, v)
    lengths = u @ v.T
    lengths *= -2
    lengths += norms
    norms *= CLOSE
    close = lengths <= norms
    np.sqrt(np.maximum(lengths, 0, out=lengths), out=lengths)
    if alone:
        close = np.triu(close, 1)
        np.fill_diagonal(lengths, 0)
    a, b = np.nonzero(close)
    step = max(1, 4_000_000 // x.shape[1])
    for i in range(0, len(a), step):
        pairs = a[i:i + step], b[i:i + step]
        lengths[pairs] = np.linalg.norm(x[pairs[0]] - y[pairs[1]], axis=1)
    if alone:
        lengths[b, a] = lengths[a, b]
    return lengths


def loop(x, found: Diagrams, i: int) -> np.ndarray:
    """Rows in order round the loop that H1 bar i opens: its first edge, closed by the shortest way through the edges before it."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra
    found._check(1, i)
    x = spanning.points(x)
    if len(x) != found.n:
        raise InputError(f"The diagrams are of {found.n} points, not of {len(x)}.", "Give the points that they were computed from.")
    lengths = _distances(x[found.points])
    a, b = (int(np.flatnonzero(found.points == row)[0]) for row in found.openings[i])
    single, n = _single(lengths)[0], len(lengths)
    before = (single < single[a, b]) | (single == single[a, b]) & (_number(*np.ogrid[:n, :n]) > _number(a, b))
    ends = np.nonzero(np.triu(before, 1))
    roads = coo_array((np.maximum(lengths[ends], 1e-300), ends), shape=(n, n))  # a 0 would be no edge
    back = dijkstra(roads.tocsr(), directed=False, indices=a, return_predecessors=True)[1]
    if back[b] < 0:
        raise InputError(f"Among these points bar {i} of H1 opens no loop.", "Give the points that the diagrams were computed from.")
    way = [b]
    while way[-1] != a:
        way.append(int(back[way[-1]]))
    return found.points[way]


# between diagrams

def distance(p, q, *, dim: int = 1, kind: str = "wasserstein") -> float:
    """Between two diagrams (or (m, 2) arrays): what the best matching costs, the diagonal being free to take any point.

    wasserstein  the sum of Euclidean lengths; bottleneck  the longest, each the larger of the changes of birth and death;
    sliced  persim's mean over 50 directions. Bars that never die are left out.
    """
    if _kind(kind) == "sliced":
        from persim import sliced_wasserstein
        return float(sliced_wasserstein(_finite(p, dim), _finite(q, dim)))
    costs = matching(p, q, dim=dim, kind=kind)[:, 2]
    return float(costs.sum() if kind == "wasserstein" else costs.max(initial=0))


def matching(p, q, *, dim: int = 1, kind: str = "wasserstein") -> np.ndarray:
    """(pairs, 3): place in p, place in q (-1: the diagonal), what the pair costs. The costs add up to the distance, or have it as their maximum.

    Places count the finite bars. Of the matchings that have the bottleneck distance, one of least sum (any, where all bars are born together).
    """
    if _kind(kind) == "sliced":
        raise InputError("The sliced distance matches no bars: it averages over directions.", "Use wasserstein or bottleneck.")
    p, q, sums = _finite(p, dim), _finite(q, dim), kind == "wasserstein"
    p_alone, q_alone = (np.ptp(bars, axis=1) / (np.sqrt(2) if sums else 2) for bars in (p, q))
    born = np.concatenate([p[:, 0], q[:, 0]])
    i, j = _on_a_line(p[:, 1], q[:, 1], p_alone, q_alone, sums) if (born == born[:1]).all() else _assigned(p, q, p_alone, q_alone, sums)
    apart = np.abs(p[i] - q[j])
    met = np.hypot(*apart.T) if sums else apart.max(axis=1, initial=0)
    rest_p, rest_q = np.setdiff1d(np.arange(len(p)), i), np.setdiff1d(np.arange(len(q)), j)
    return np.concatenate([np.column_stack([i, j, met]), np.column_stack([rest_p, np.full(len(rest_p), -1), p_alone[rest_p]]),
                           np.column_stack([np.full(len(rest_q), -1), rest_q, q_alone[rest_q]])])


def _on_a_line(p: np.ndarray, q: np.ndarray, p_alone: np.ndarray, q_alone: np.ndarray, sums: bool) -> tuple[np.ndarray, np.ndarray]:
    """Places (in p, in q) of the pairs of the cheapest matching when all bars are born together, as in H0. No two of its pairs cross, so one
    pass over the sorted deaths finds it: `best[j]` is the least that the bars of p so far and the first j of q can cost, in sum or at most."""
    a, b = np.argsort(p, kind="stable"), np.argsort(q, kind="stable")
    also = np.add if sums else np.maximum
    deaths, unmet = q[b], np.concatenate([[0], np.cumsum(q_alone[b]) if sums else q_alone[b]])
    best, way = unmet, np.zeros((len(p), len(q) + 1), np.int8)
    for at, row in enumerate(a):
        alone = also(best, p_alone[row])
        met = np.concatenate([[np.inf], also(best[:-1], np.abs(p[row] - deaths))])
        either = np.minimum(alone, met)
        before = np.minimum.accumulate(either - unmet if sums else either)[:-1]
        passed = np.concatenate([[np.inf], also(before, unmet[1:])])  # bar j of q goes to the diagonal
        way[at] = np.where(passed < either, 2, met < alone if sums else met <= alone)
        best = np.minimum(either, passed)
    at, j, pairs = len(p) - 1, len(q), []
    while at >= 0:
        how = way[at, j]
        if how == 1:
            pairs.append((a[at], b[j - 1]))
        at, j = at - (how != 2), j - (how != 0)
    return tuple(np.array(pairs, np.int64).reshape(-1, 2).T)


def _assigned(p: np.ndarray, q: np.ndarray, p_alone: np.ndarray, q_alone: np.ndarray, sums: bool) -> tuple[np.ndarray, np.ndarray]:
    """The same for any bars."""
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist
    across = cdist(p, q, "euclidean" if sums else "chebyshev")
    most = np.inf if sums else _bottleneck(across, p_alone, q_alone)
    far = 2 * max(p_alone.max(initial=0), q_alone.max(initial=0)) * (len(p) + len(q))  # dearer than any matching: no way to the diagonal
    saved = across - np.where(p_alone > most, far, p_alone)[:, None] - np.where(q_alone > most, far, q_alone)
    saved = np.where(across <= most, np.minimum(saved, 0), 0)
    i, j = linear_sum_assignment(saved)
    kept = saved[i, j] < 0
    return i[kept], j[kept]


def _bottleneck(across: np.ndarray, p_alone: np.ndarray, q_alone: np.ndarray) -> float:
    """The lowest level at which all bars too long for the diagonal find a partner. It is enough to ask that of each side
    by itself: two matchings that cover one side's long bars each make one that covers both (Mendelsohn and Dulmage)."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import maximum_bipartite_matching
    covered = lambda near: not len(near) or (maximum_bipartite_matching(csr_matrix(near), perm_type="column") >= 0).all()
    fits = lambda level: covered(across[p_alone > level] <= level) and covered(across.T[q_alone > level] <= level)
    levels = np.unique(np.concatenate([[0], across.ravel(), p_alone, q_alone]))
    low, high = 0, int(np.searchsorted(levels, max(p_alone.max(initial=0), q_alone.max(initial=0))))
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(levels[middle]) else (middle + 1, high)
    return float(levels[low])


def prune(p, most: int, *, dim: int = 1, kind: str = "wasserstein") -> tuple[np.ndarray, float]:
    """The `most` longest finite bars, and how much at most any distance of this kind to the diagram changes when they stand for it.

    Two pruned diagrams: the two bounds add up.
    """
    bars = _finite(p, dim)
    lives = bars[:, 1] - bars[:, 0]
    order = np.argsort(-lives, kind="stable")
    kept, lost = order[:most], lives[order[most:]]
    return bars[np.sort(kept)], float(lost.max(initial=0) / 2 if _kind(kind) == "bottleneck" else lost.sum() / np.sqrt(2))


def _kind(kind: str) -> str:
    if kind not in KINDS:
        raise InputError(f"Unknown distance {kind!r}.", f"Use one of {', '.join(KINDS)}.")
    return kind


def _finite(diagram, dim: int) -> np.ndarray:
    if isinstance(diagram, Diagrams):
        if dim > diagram.options["max_dim"]:
            raise InputError(f"H{dim} was not computed.", f"Compute the diagrams with max_dim={dim}.")
        diagram = diagram.of(dim)
    bars = np.asarray(diagram, dtype=np.float64)
    bars = bars.reshape(-1, 2) if not bars.size else bars
    if bars.ndim != 2 or bars.shape[1] != 2 or np.isnan(bars).any():
        raise InputError(f"A diagram is a table of births and deaths, not an array of shape {bars.shape}{' with NaN' * bool(np.isnan(bars).any())}.",
                         "Give Diagrams, or an (m, 2) array.")
    return bars[np.isfinite(bars).all(axis=1)]
