"""Cloud: one layer of one model on one dataset, and what is known of its shape so far."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import streamlit as st

from analysis import engine, store
from analysis.metrics import persistence, spanning
from analysis.studies import persistence as studies
from pages.parts import job
from pages.parts.messages import count, plain
from pages.parts.stack import Stack

LIVE = 3000  # rows whose spanning tree is made while the page runs; of more, that many are drawn until the whole is there
HOLLOWS = 200  # points among which H2 is looked for: it grows with the fourth power


@dataclass(frozen=True, eq=False)
class Cloud:
    """`side` tells the first cloud of a page ("a") from the second ("b"); the stack holds a single representation of `model`, as it is called here."""

    side: str
    model: str
    stack: Stack
    layer: str
    domain: str = ""  # said where it is not the target
    points: int = 1000  # landmarks for H1
    hollows: bool = False

    def __len__(self) -> int:
        return len(self.stack)

    @property
    def name(self) -> str:
        return ", ".join(filter(None, (self.model, self.layer, self.domain)))

    @property
    def key(self) -> tuple:
        return *self.stack.key, self.layer

    @property
    def identity(self) -> tuple:
        """What its bars are counted in: another number of landmarks gives other loops."""
        return *self.key, self.points, self.hollows

    @property
    def x(self) -> np.ndarray:
        return self.stack.representations[0].layers[self.layer]

    # what is computed, here or in the background

    @cached_property
    def profile(self) -> persistence.Profile | None:
        return job.stored(studies.profile, self.inputs, self._profile, key=f"persistence-profile-{self.side}")

    @cached_property
    def loops(self) -> persistence.Diagrams | None:
        return job.stored(studies.loops, self.inputs, self._loops, key=f"persistence-loops-{self.side}")

    @cached_property
    def surfaces(self) -> persistence.Diagrams | None:
        return job.stored(studies.loops, self.inputs, self._surfaces, key=f"persistence-surfaces-{self.side}") if self.hollows else None

    @property
    def inputs(self) -> dict:
        return {"representation": engine.Ref.representation(store.default().key_of(self.stack.representations[0]))}

    @property
    def _profile(self) -> dict:
        return {"layer": self.layer, "seed": 0}

    @property
    def _loops(self) -> dict:
        return {"layer": self.layer, "max_dim": 1, "max_points": self.points, "seed": 0}

    @property
    def _surfaces(self) -> dict:
        return {"layer": self.layer, "max_dim": 2, "max_points": HOLLOWS, "seed": 0}

    def work(self, *, loops: bool = True) -> None:
        """Start in the background what is not there yet, and show how far it is. What came while the page was drawn is drawn at once."""
        name, used = plain(self.name), [count(min(len(self), most), "point") for most in (self.points, HOLLOWS)]
        came = [self._study(self.profile, studies.profile, self._profile, "profile", f"Interval and chance level of {name}: some sixty spanning trees."),
                loops and self._study(self.loops, studies.loops, self._loops, "loops", f"Loops (H1) of {name} among {used[0]}."),
                self.hollows and self._study(self.surfaces, studies.loops, self._surfaces, "hollows", f"Hollows (H2) of {name} among {used[1]}.")]
        if any(came):
            st.rerun()

    def _study(self, known, unit, options: dict, what: str, words: str) -> bool:
        """Whether it has come since the page began."""
        return known is None and job.study(unit, self.inputs, options, key=f"persistence-{what}-{self.side}", words=words) is not None

    # H0

    @cached_property
    def rows(self) -> np.ndarray:
        """The rows that H0 is of."""
        return self.profile.rows if self.profile is not None else _quick(self.key, len(self), self.x)[0]

    @cached_property
    def tree(self) -> spanning.Tree:
        return self.profile.tree() if self.profile is not None else _quick(self.key, len(self), self.x)[1]

    @property
    def settled(self) -> bool:
        """Whether its H0 is the final one, not that of a first sample."""
        return self.profile is not None or len(self) <= LIVE

    @cached_property
    def pieces(self) -> persistence.Pieces:
        return persistence.pieces(self.tree)

    def ratio(self, k: int) -> persistence.PersistenceRatio:
        return self.profile.ratio(k) if self.profile is not None else persistence.ratio_of(self.tree.lengths, k)

    # bars: (dim, place in bars[dim])

    @cached_property
    def bars(self) -> dict[int, np.ndarray]:
        deaths = np.append(self.tree.lengths, np.inf)
        found = {0: np.stack([np.zeros_like(deaths), deaths], axis=1)}
        if self.loops is not None:
            found[1] = self.loops.h1
        if self.surfaces is not None:
            found[2] = self.surfaces.h2
        return found

    @property
    def extent(self) -> float:
        """How far the filtration axis must reach: all finite births and deaths."""
        ends = [b[np.isfinite(b)] for b in self.bars.values()]
        return float(max((e.max() for e in ends if e.size), default=0.0)) or 1.0

    def sides(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows of the stack: the two components that bar i of H0 joins, the larger first."""
        if i >= len(self.tree.lengths):
            return self.rows, self.rows[:0]
        return tuple(self.rows[side] for side in self.tree.sides(i))

    def trace(self, dim: int, i: int) -> np.ndarray:
        if dim == 0:
            return np.sort(np.concatenate(self.sides(i)))
        return (self.loops, self.surfaces)[dim - 1].trace(dim, i)

    def loop(self, i: int) -> np.ndarray:
        """Rows in order round the loop of H1 bar i."""
        return _loop(self.key, i, self.points, self)

    def has(self, dim: int, i: int) -> bool:
        return dim in self.bars and 0 <= i < len(self.bars[dim])


@st.cache_resource(max_entries=32, show_spinner=False)
def _quick(key: tuple, n: int, _x: np.ndarray) -> tuple[np.ndarray, spanning.Tree]:
    rows = np.arange(n) if n <= LIVE else np.sort(np.random.default_rng(0).choice(n, LIVE, replace=False))
    return rows, spanning.tree(_x[rows])


@st.cache_resource(max_entries=64, show_spinner=False)
def _loop(key: tuple, i: int, points: int, _cloud: Cloud) -> np.ndarray:
    return persistence.loop(_cloud.x, _cloud.loops, i)
