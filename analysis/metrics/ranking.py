"""Who is whose k-th nearest: the neighbours of every row in order, and the rank of every row among the neighbours of every other.

Squared distances come from a float64 Gram matrix of the centred rows. A 64-bit word holds one of them and, in its lowest bits, whose it is: sorting
the words of a row puts its neighbours in order. Distances that such a word cannot tell apart are measured again where the Gram has lost their digits,
and count as equal elsewhere; what is equal is put in random order.
"""

import numbers
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from analysis.errors import InputError

METRICS = ("euclidean", "cosine")
LIMIT = 20_000  # rows up to which every rank is computed
WHOLE = 2048  # rows up to which the Gram matrix is held whole: its product costs half then
BLOCK = 16_000_000  # bytes of a block of words above that
LEAST = 96  # rows of a block, whatever its bytes: the product of few is slow
PIECE = 60_000  # words sorted at once, so that they stay near the processor
ROOM = 4_000_000  # numbers held at once where rows are compared in pieces
DIGITS = 13  # lowest bits of a word that are not part of the distance, or more where there are more rows
CLOSE = 1e-3  # squared distances below this share of the row's squared norm are measured again before they count as equal
EQUAL = 1e-12  # measured ones no further apart than that, relatively, are
SPARE = 16  # neighbours beyond the k-th, so that those as near as it are all seen
COARSE = np.float32(2**16 - 1)
LAST = np.iinfo(np.int64).max  # what no distance reaches
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, eq=False)
class Ranks:
    """The place of every row among the neighbours of every other.

    ranks       (n, n) the smallest unsigned integers that do; [i, j] is 1 where j is the nearest neighbour of i, n-1 where the farthest; 0 on the diagonal
    duplicates  share of the rows that equal another
    """

    ranks: np.ndarray
    duplicates: float
    options: Mapping = field(default_factory=dict)

    @property
    def n(self) -> int:
        return len(self.ranks)

    def rows(self, rows, k: int) -> np.ndarray:
        return self.ranks[rows]


def ranks(x, *, metric: str = "euclidean", seed: int = 0, device: str = "auto", progress: Progress | None = None) -> Ranks:
    """Ranks of the rows of x (numpy or torch). Equal distances are ordered at random, drawn from the seed and the data: two layers with one seed break
    their ties independently, the same layer twice does not, unless the seeds differ."""
    cloud = Cloud(x, metric=metric, seed=seed, device=device)
    n = cloud.n
    if n > LIMIT:
        raise InputError(f"The ranks of {n} rows would be {n * n:,} numbers.", f"Give up to {LIMIT} rows, or the rows themselves with max_k.")
    found = np.empty((n, n), np.min_scalar_type(n - 1))
    for rows in cloud.blocks():
        if progress:
            progress(rows.start, n, f"ranks of {n} rows")
        found[rows] = to_numpy(cloud.rows(rows, n - 1))
    if progress:
        progress(n, n, f"ranks of {n} rows")
    found.flags.writeable = False
    return Ranks(found, cloud.duplicates, cloud.options)


def to_numpy(values) -> np.ndarray:
    return values.cpu().numpy() if hasattr(values, "cpu") else np.asarray(values)


def as_read(x, uneven: str, hint: str) -> np.ndarray:
    """numpy, torch or lists, in their own precision; `uneven` is what is said of rows that differ in length."""
    if hasattr(x, "detach"):  # numpy knows no bfloat16
        x = x.detach().cpu()
        x = (x if x.dtype.itemsize > 2 else x.float()).numpy() if x.is_floating_point() else x.numpy()
    try:
        return np.asarray(x)
    except ValueError as error:
        raise InputError(uneven, hint) from error


def table(x, what: str = "Neighbours") -> np.ndarray:
    """x (numpy, torch or lists) as a sound (n, d) array of at least 4 rows, in its own precision."""
    hint = "Give an (n, d) array."
    x = as_read(x, f"{what} need a table of numbers; these rows differ in length.", hint)
    if x.ndim != 2 or not x.size or x.dtype.kind not in "fiub":
        raise InputError(f"{what} need a table of numbers, rows by columns, not {x.dtype} of shape {x.shape}.", hint)
    if len(x) < 4:
        raise InputError(f"{what} need at least 4 rows, not {len(x)}.", "Give more items.")
    bad = ~np.isfinite(x).all(axis=1)
    if bad.any():
        raise InputError(f"{bad.sum()} of {len(x)} rows hold NaN or infinite values, first row {int(bad.argmax())}.", "Leave those rows out.")
    return x


class Cloud:
    """Rows whose neighbours are found block by block, none kept."""

    def __init__(self, x, *, metric: str = "euclidean", seed: int = 0, device: str = "auto"):
        if metric not in METRICS:
            raise InputError(f"Unknown metric {metric!r}.", f"Use one of {', '.join(METRICS)}.")
        seed, self._x = sound_seed(seed), _directions(table(x)) if metric == "cosine" else table(x)
        self.n = len(self._x)
        self.device = _device(x, self.n, device)
        z = centred(self._x)
        self._norms = np.einsum("ij,ij->i", z, z)
        prints, self._group, sizes = np.unique(_fingerprints(self._x), return_inverse=True, return_counts=True)
        self.duplicates = float(sizes[sizes > 1].sum() / self.n)
        self._salt = _mixed(np.uint64((int(prints.sum()) + seed * 0x9E3779B97F4A7C15) % 2**64))
        self._bits = max(DIGITS, (self.n - 1).bit_length())
        self._mask = (1 << self._bits) - 1
        self._z = self._place(z)
        self._half = self._place(self._norms / 2)
        self.options = {"metric": metric, "seed": seed, "device": self.device, "ties": "random"}

    def blocks(self) -> list[slice]:
        step = self.n if self.n <= WHOLE else max(LEAST, (BLOCK if self.device == "cpu" else 8 * BLOCK) // (8 * self.n))
        return [slice(i, min(i + step, self.n)) for i in range(0, self.n, step)]

    def rows(self, rows, k: int):
        """(len(rows), n) ranks of all rows among the neighbours of these, 0 of a row itself; ranks above k are only known to be larger than k."""
        numbers = self._numbers(rows)
        if self.device != "cpu":
            import torch
            order = self.order(rows, k)
            found = torch.full((len(order), self.n), k + 1, dtype=torch.int32, device=order.device)
            found.scatter_(1, order, torch.arange(1, k + 1, dtype=torch.int32, device=order.device).expand(len(order), k))
            return found.scatter_(1, torch.as_tensor(numbers[:, None], device=order.device), 0)
        kind = np.min_scalar_type(self.n - 1)
        found, places = np.full((len(numbers), self.n), min(k + 1, self.n - 1), kind), np.arange(1, k + 1, dtype=kind)
        for part, order in self._orders(rows, k):
            for row, near in zip(found[part], order, strict=True):
                row[near] = places
        found[np.arange(len(numbers)), numbers] = 0
        return found

    def order(self, rows, k: int):
        """(len(rows), k) the nearest k other rows of these, nearest first."""
        parts = [order for _, order in self._orders(rows, k)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _orders(self, rows, k: int) -> Iterator[tuple]:
        """(part, order) piece by piece: the product is quick for many rows, what follows for few."""
        numbers, products = self._numbers(rows), self._z[rows] @ self._z.T  # of all rows with themselves half is computed
        kept = self.n - 1 if 2 * (k + SPARE) > self.n else k + SPARE
        step = max(1, PIECE // self.n) if self.device == "cpu" else len(numbers)
        for i in range(0, len(numbers), step):
            part = slice(i, i + step)
            words = (self._sorted if self.device == "cpu" else self._sorted_there)(products[part], numbers[part], kept)
            tied = np.flatnonzero(to_numpy((words[:, 1:] - words[:, :-1] < (2 << self._bits)).any(1)))
            ambiguous = to_numpy(words[tied]).view(np.uint64)
            order = words[:, :k] & self._mask
            order = order.view(np.int64) if self.device == "cpu" else order
            if len(tied):
                self._untie(order, ambiguous, tied, numbers[part], k)
            yield part, order

    def _sorted(self, products: np.ndarray, numbers: np.ndarray, kept: int) -> np.ndarray:
        """Words of the `kept` nearest of these rows, ascending: half of (squared distance + the row's own squared norm), which has as many digits as the
        product it comes from, in whose place it is put, and whose it is."""
        np.subtract(self._half, products, out=products)
        products += self._norms[numbers, None]
        own = np.arange(len(numbers)), numbers  # a row is not its own neighbour
        products[own] = products[own[0], numbers - 1]
        words = products.view(np.uint64)
        coarse = _coarse(products) if kept == self.n - 1 else None
        words &= ~np.uint64(self._mask)
        words |= np.arange(self.n, dtype=np.uint64)
        words[own] = LAST
        if coarse is None:
            return np.sort([_least(row, kept) for row in words], axis=1)
        coarse[own] = COARSE
        found = np.empty_like(words)
        for row, order, place in zip(words, coarse.argsort(axis=1, kind="stable"), found, strict=True):
            row.take(order, out=place, mode="clip")
        found.sort(axis=1, kind="stable")
        return found[:, :kept]

    def _sorted_there(self, products, numbers: np.ndarray, kept: int):
        """The same on a device of torch's."""
        import torch
        norms, numbers = (torch.as_tensor(v, device=products.device) for v in (self._norms[numbers, None], numbers[:, None]))
        words = (self._half - products).add_(norms).view(torch.int64)
        words.bitwise_and_(~self._mask).bitwise_or_(torch.arange(self.n, device=words.device)).scatter_(1, numbers, LAST)
        return (words if kept == self.n - 1 else words.topk(kept, dim=1, largest=False, sorted=False).values).sort(dim=1).values[:, :kept]

    def _untie(self, order, words: np.ndarray, which: np.ndarray, numbers: np.ndarray, k: int) -> None:
        """Put neighbours that their words cannot tell apart in order, in place: by what their distances measure where it is small, else at random."""
        kept = words.shape[1]
        joined = np.zeros((len(which), kept + 1), bool)  # [.., p]: neighbour p cannot be told from the one before
        joined[:, 1:-1] = words[:, 1:] - words[:, :-1] < (2 << self._bits)
        open_end = joined[:, k:kept].all(axis=1) if kept < self.n - 1 else np.zeros(len(which), bool)
        if open_end.any():  # there may be more like the k-th among those that were not kept
            order[which[open_end]] = self.order(numbers[which[open_end]], self.n - 1)[:, :k]
        row, place = np.nonzero((joined[:, 1:] | joined[:, :-1]) & ~open_end[:, None])
        if not len(row):
            return
        word = words[row, place]
        near, asked = (word & np.uint64(self._mask)).view(np.int64), numbers[which[row]]
        run = np.cumsum(~joined[row, place])
        value = self._measured(asked, near, run, (word & ~np.uint64(self._mask)).view(np.float64) * 2 - self._norms[asked])
        by = np.lexsort((value, run))
        apart = np.diff(run[by], prepend=0) > 0
        apart[1:] |= np.diff(value[by]) > EQUAL * value[by][1:]
        by = by[np.argsort(np.cumsum(apart) + self._noise(asked[by], near[by]))]
        seen = place < k
        order[which[row[seen]], place[seen]] = near[by][seen] if self.device == "cpu" else _tensor(near[by][seen], order)

    def _measured(self, asked: np.ndarray, near: np.ndarray, run: np.ndarray, squared: np.ndarray) -> np.ndarray:
        """Squared distances by direct differences in runs that are small beside the row's norm and hold different rows; 0 elsewhere."""
        starts = np.flatnonzero(np.diff(run, prepend=0))
        group, lengths = self._group[near], np.diff(starts, append=len(run))
        mixed = np.minimum.reduceat(group, starts) < np.maximum.reduceat(group, starts)
        close = mixed & (np.minimum.reduceat(squared, starts) < CLOSE * self._norms[asked[starts]])
        value, entries = np.zeros(len(run)), np.flatnonzero(np.repeat(close, lengths))
        step = max(1, ROOM // self._x.shape[1])
        for i in range(0, len(entries), step):
            part = entries[i:i + step]
            apart = self._x[asked[part]].astype(np.float64) - self._x[near[part]]
            value[part] = np.einsum("ij,ij->i", apart, apart)
        return value

    def _noise(self, asked: np.ndarray, near: np.ndarray) -> np.ndarray:
        """In [0, 0.9), of the pair and the seed alone, so that blocks and devices do not matter; equal rows get different numbers."""
        mixed = _mixed(_mixed(asked.astype(np.uint64) + self._salt) + near.astype(np.uint64))
        return mixed.astype(np.float64) * (0.9 / 2**64)

    def _numbers(self, rows) -> np.ndarray:
        return np.arange(self.n)[rows]

    def _place(self, values: np.ndarray):
        return values if self.device == "cpu" else _torch(self.device).as_tensor(values, device=self.device.removeprefix("torch:"))


def _least(words: np.ndarray, count: int) -> np.ndarray:
    """The smallest, in no order. As many of some are as small as the last of these at most, which leaves few of all to look among."""
    some = words[::8] if 16 * count < len(words) else words
    few = words[words <= np.partition(some, count - 1)[count - 1]]
    few.partition(count - 1)
    return few[:count]


def _coarse(values: np.ndarray) -> np.ndarray:
    """Each row in 16 bits, which numpy sorts by radix; what is then nearly in order is quick to sort in full."""
    values = values.astype(np.float32)
    values -= values.min(axis=1, keepdims=True)
    reach = np.minimum(values.max(axis=1, keepdims=True), 4 * values.mean(axis=1, keepdims=True))  # a row far out does not take all the bits
    values *= COARSE / np.where(reach > 0, reach, np.float32(1))
    return np.minimum(values, COARSE, out=values).astype(np.uint16)


def _directions(x: np.ndarray) -> np.ndarray:
    x = x.astype(np.float64)
    largest = np.abs(x).max(axis=1, keepdims=True)
    if not largest.all():
        raise InputError(f"{int((largest == 0).sum())} of {len(x)} rows are zero and point nowhere, first row {int(largest.argmin())}.",
                         "Leave those rows out, or use euclidean.")
    x /= largest
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return x


def centred(x: np.ndarray) -> np.ndarray:
    """In float64, about its mean, at a scale at which squares neither overflow nor vanish, in single precision either."""
    x = _scaled(x.astype(np.float64))
    x -= x[0].copy()  # first, so that a tight cluster far out gets a mean without rounding
    x -= x.mean(axis=0)
    return _scaled(x)


def _scaled(x: np.ndarray) -> np.ndarray:
    largest = max(float(x.max()), -float(x.min()))
    return np.ldexp(x, -np.frexp(largest)[1], out=x) if largest and not 1e-9 < largest < 1e9 else x


def _fingerprints(x: np.ndarray) -> np.ndarray:
    """One word per row, the same for equal rows only (but for a chance of n²/2^64)."""
    weights, step, found = _mixed(np.arange(1, x.shape[1] + 1, dtype=np.uint64)), max(1, PIECE // x.shape[1]), []
    for i in range(0, len(x), step):
        words = (x[i:i + step] + np.float64(0)).view(np.uint64)  # of the two zeros the positive
        words ^= words >> np.uint64(32)
        found.append(words @ weights)
    return np.concatenate(found)


def sound_seed(seed) -> int:
    if isinstance(seed, bool) or not isinstance(seed, numbers.Integral) or seed < 0:
        raise InputError(f"{seed!r} is no seed.", "Use a whole number from 0.")
    return int(seed)


def whole(value, least: int, most: int, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or value % 1 != 0 or not least <= value <= most:
        raise InputError(f"{value!r} {what} were asked for.", f"Give a whole number from {least} to {most}.")
    return int(value)


def _mixed(words):
    """splitmix64: neighbouring words become unrelated ones."""
    with np.errstate(over="ignore"):
        words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return words ^ (words >> np.uint64(31))


def _device(x, n: int, device: str) -> str:
    if device != "auto":
        return device
    torch = sys.modules.get("torch")
    if torch and getattr(x, "is_cuda", False):
        return str(x.device)
    return "cuda" if torch and n > WHOLE and torch.cuda.is_available() else "cpu"


def _torch(device: str):
    import torch
    try:
        torch.zeros(1, dtype=torch.float64, device=device.removeprefix("torch:"))
    except (RuntimeError, AssertionError, TypeError) as error:
        raise InputError(f"No device {device!r} here that counts in float64.", "Use auto or cpu.") from error
    return torch


def _tensor(values: np.ndarray, like):
    import torch
    return torch.as_tensor(values, device=like.device)
