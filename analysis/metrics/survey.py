"""Persistence of many clouds side by side: the layers of a model, the checkpoints of a training, the models of a zoo."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from analysis.digest import digest
from analysis.errors import InputError
from analysis.metrics import persistence
from analysis.metrics.result import plain, tuples

RATIOS = ("value", "low", "high", "chance", "chance_low", "chance_high")


@dataclass(frozen=True, eq=False)
class Survey:
    """One entry per cloud. It keeps the bars, not the numbers drawn from them, so that any number of classes can be asked later.

    names, layers  what each entry is; n: rows used for H0, of how many; widths: columns
    reasons        "" or why an entry could not be computed; its arrays are NaN then
    deaths, resampled, shuffled  (entries, [draws,] longest), as in persistence.Profile; shorter rows are padded with NaN in front
    h1, ends       (bars, 2) of all entries, one after the other, and where each entry ends
    covering       covering radius of the rows that H1 was computed from; 0 when all were
    spread         root of the total variance: the length unit of each cloud
    groups, stray  what the largest gap between lifetimes leaves of each cloud: groups, and points outside them; 0 where there is none to tell
    profiled       options of each entry's profile
    """

    names: tuple
    layers: tuple
    n: tuple
    of: tuple
    widths: tuple
    reasons: tuple
    deaths: np.ndarray
    resampled: np.ndarray
    shuffled: np.ndarray
    h1: np.ndarray
    ends: np.ndarray
    covering: np.ndarray
    spread: np.ndarray
    groups: np.ndarray
    stray: np.ndarray
    profiled: tuple = ()
    options: Mapping = field(default_factory=dict)

    def __post_init__(self):
        tuples(self, "names", "layers", "n", "of", "widths", "reasons", "profiled")

    def __len__(self) -> int:
        return len(self.names)

    def profile(self, i: int) -> persistence.Profile:
        """H0 of one entry with its draws; without the edges and rows, which a survey does not keep."""
        if self.reasons[i]:
            raise InputError(self.reasons[i], "The other entries of the survey can be read.")
        none = np.zeros(0, np.int64)
        return persistence.Profile(none.reshape(0, 2), _bare(self.deaths[i]), _draws(self.resampled[i]), _draws(self.shuffled[i]), np.zeros((0, 0)),
                                   none, np.zeros(0), none, self.of[i], float(self.spread[i]), self.profiled[i])

    def bars(self, i: int, dim: int) -> np.ndarray:
        """(m, 2) finite bars of one entry, birth and death."""
        if dim == 0:
            deaths = _bare(self.deaths[i])
            return np.stack([np.zeros(len(deaths)), deaths], axis=1)
        if dim != 1:
            raise InputError(f"A survey has no H{dim}.", "It keeps H0 and H1.")
        return self.h1[self.ends[i - 1] if i else 0:self.ends[i]]

    def ratios(self, classes: int | Sequence[int]) -> dict[str, np.ndarray]:
        """The Persistence Ratio of each entry with its interval and its chance level, for one number of classes or one per entry."""
        rows = [self._ratio(i, k) for i, k in enumerate(self._each(classes))]
        return dict(zip(RATIOS, np.array(rows).reshape(-1, len(RATIOS)).T, strict=True))

    def why(self, classes: int | Sequence[int]) -> tuple[str, ...]:
        """Why an entry has no ratio, or none with an interval; "" where it has both."""
        return tuple(reason or self.profile(i).doubt(k) for i, (reason, k) in enumerate(zip(self.reasons, self._each(classes), strict=True)))

    def loops(self, relative: bool = False) -> np.ndarray:
        """Total lifetime of the loops of each entry; `relative` to its spread, since layers differ in scale by orders of magnitude."""
        totals = np.array([float("nan") if reason or not self.options["loops"] else np.ptp(self.bars(i, 1), axis=1).sum()
                           for i, reason in enumerate(self.reasons)], float)
        return totals / self._unit() if relative else totals

    def scaled(self, i: int, dim: int, relative: bool) -> np.ndarray:
        """The bars, in units of the entry's spread when `relative`."""
        return self.bars(i, dim) / (self._unit()[i] if relative else 1)

    def table(self, classes: int | Sequence[int]):
        import pandas as pd
        columns = {"name": self.names, "layer": self.layers, "n": self.n, "of": self.of, "width": self.widths, "classes": self._each(classes)}
        ratios = {"ratio" if k == "value" else k: v for k, v in self.ratios(classes).items()}
        return pd.DataFrame({**columns, **ratios, "groups": self.groups, "stray": self.stray,
                             "loops": self.loops(), "loops_relative": self.loops(relative=True), "covering_radius": self.covering,
                             "spread": self.spread, "reason": self.why(classes)})

    def manifest(self, classes: int | Sequence[int] | None = None) -> dict:
        """The table; without a number of classes what it is made of: the bars of each entry, and the digest of its draws."""
        rows = map(self._bars, range(len(self))) if classes is None else self.table(classes).to_dict("records")
        return {"entries": [plain(row) for row in rows], "options": dict(self.options)}

    def _bars(self, i: int) -> dict:
        return {"name": self.names[i], "layer": self.layers[i], "n": self.n[i], "of": self.of[i], "width": self.widths[i], "reason": self.reasons[i],
                "h0": _bare(self.deaths[i]).tolist(), "h1": self.bars(i, 1).tolist(), "draws": digest(self.resampled[i], self.shuffled[i]),
                "groups": int(self.groups[i]), "stray": int(self.stray[i]), "covering_radius": float(self.covering[i]), "spread": float(self.spread[i])}

    def _ratio(self, i: int, classes: int) -> tuple:
        nothing = (float("nan"),) * len(RATIOS)
        if self.reasons[i]:
            return nothing
        profile = self.profile(i)
        found = profile.ratio(classes)
        return nothing if found.reason else (found.ratio, *profile.interval(classes), *profile.chance(classes))

    def _each(self, classes) -> list[int]:
        each = [classes] * len(self) if np.ndim(classes) == 0 else list(classes)
        if len(each) != len(self):
            raise InputError(f"{len(each)} numbers of classes were given for {len(self)} entries.", "Give one number, or one per entry.")
        return each

    def _unit(self) -> np.ndarray:
        return np.where(self.spread > 0, self.spread, np.nan)


@dataclass(frozen=True, eq=False)
class Finding:
    """What one entry of a survey came to: its profile, or the reason why there is none."""

    name: str
    layer: str
    width: int = 0
    profile: persistence.Profile | None = None
    h1: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)))
    covering: float = float("nan")
    reason: str = ""


def gather(findings: Sequence[Finding], options: Mapping) -> Survey:
    """The survey of what has been found so far."""
    profiles = [f.profile or _NOTHING for f in findings]
    cut = [persistence.pieces(p.tree()) if len(p.rows) else persistence.Pieces(0, 0, 0, 0, 0.0) for p in profiles]
    return Survey(names=tuple(f.name for f in findings), layers=tuple(f.layer for f in findings), n=tuple(len(p.rows) for p in profiles),
                  of=tuple(p.of for p in profiles), widths=tuple(f.width for f in findings), reasons=tuple(f.reason for f in findings),
                  deaths=_stack([p.deaths[None] for p in profiles])[:, 0], resampled=_stack([p.resampled for p in profiles]),
                  shuffled=_stack([p.shuffled for p in profiles]), h1=np.concatenate([f.h1 for f in findings]),
                  ends=np.cumsum([len(f.h1) for f in findings]), covering=np.array([f.covering for f in findings]),
                  spread=np.array([p.spread for p in profiles]), groups=np.array([c.groups for c in cut], np.int64),
                  stray=np.array([c.stray for c in cut], np.int64), profiled=tuple(dict(p.options) for p in profiles), options=dict(options))


_NOTHING = persistence.Profile(np.zeros((0, 2), np.int64), np.zeros(0), np.zeros((0, 0)), np.zeros((0, 0)), np.zeros((0, 0)), np.zeros(0, np.int64),
                               np.zeros(0), np.zeros(0, np.int64), 0, float("nan"), {})


@dataclass(frozen=True, eq=False)
class Distances:
    """How far the diagrams of a survey lie from one another.

    matrix   (entries, entries), symmetric, zero on the diagonal; NaN where an entry has a reason, or is not reached yet
    bounds   how far, at most, each distance would be another one with the bars that were left out
    reasons  "" or why an entry has no distances
    """

    names: tuple
    layers: tuple
    matrix: np.ndarray
    bounds: np.ndarray
    reasons: tuple
    options: Mapping = field(default_factory=dict)

    def __post_init__(self):
        tuples(self, "names", "layers", "reasons")

    def __len__(self) -> int:
        return len(self.names)

    def table(self):
        import pandas as pd
        return pd.DataFrame(self.matrix, index=self.names, columns=self.names)

    def manifest(self) -> dict:
        return {"names": list(self.names), "layers": list(self.layers), "matrix": plain(self.matrix.tolist()),
                "bounds": plain(self.bounds.tolist()), "reasons": list(self.reasons), "options": dict(self.options)}


def _stack(blocks: list[np.ndarray]) -> np.ndarray:
    """(entries, draws, longest): missing draws are NaN, and so is what stands in front of shorter rows."""
    draws, longest = (max(b.shape[axis] for b in blocks) for axis in (0, 1))
    return np.array([np.pad(b, ((0, draws - b.shape[0]), (longest - b.shape[1], 0)), constant_values=np.nan) for b in blocks])


def _draws(block: np.ndarray) -> np.ndarray:
    """The same without the padding that other entries made necessary."""
    there = ~np.isnan(block)
    return block[there.any(axis=1)][:, there.any(axis=0)]


def _bare(deaths: np.ndarray) -> np.ndarray:
    return deaths[~np.isnan(deaths)]

