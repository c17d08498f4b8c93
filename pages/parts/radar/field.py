"""The target and its sources, as the studies are given them, and what those have found."""

from dataclasses import dataclass
from functools import cached_property

import streamlit as st

from analysis.metrics.radar import READINGS, Domains, Options, Radar, Readings, SourceRanking, window
from analysis.metrics.trajectory import Paths
from analysis.studies import radar as studies
from pages.parts import job
from pages.parts.messages import count, plain
from pages.parts.stack import Stack

SPLITS = 20


@dataclass(frozen=True, eq=False)
class Field:
    """One model's representations, the target first, under one reading."""

    stack: Stack
    options: Options

    @property
    def target(self) -> str:
        return self.stack.domains[0]

    @property
    def sources(self) -> tuple[str, ...]:
        return self.stack.domains[1:]

    @property
    def entries(self) -> tuple[dict, ...]:
        return self.stack.entries

    @property
    def window(self) -> tuple[str, ...]:
        """The layers that are looked at."""
        return tuple(window(self.stack.representations[0].layers, self.options))

    @cached_property
    def switches(self) -> dict:
        return self.options.manifest()

    def ranking(self) -> SourceRanking | None:
        """Scores first, then their calibration as it comes."""
        words = f"Calibrating {count(len(self.sources), 'source')}: the target's halves against one another are the null; about {4 + 7 * len(self.sources)} s."
        return job.study(studies.calibrate, {"target": self.entries[0], "sources": self.entries[1:]},
                         {"names": self.sources, "radar": self.switches, "splits": SPLITS}, key="radar-calibrate", words=words)

    def pair(self, source: str) -> Radar | None:
        """One source looked into."""
        i = self.stack.domains.index(source)
        return job.study(studies.compare, {"target": self.entries[0], "source": self.entries[i]}, {"names": (self.target, source), "radar": self.switches},
                         key="radar-pair", words=f"The pairs of {plain(source)}.")

    def readings(self) -> Readings | None:
        words = f"{count(len(self.sources), 'source')} under {len(READINGS)} readings: about a second for each of them."
        return job.study(studies.readings, {"target": self.entries[0], "sources": self.entries[1:]}, {"names": self.sources, "radar": self.switches},
                         key="radar-readings", words=words)

    def everyone(self) -> Domains | None:
        return job.study(studies.matrix, {"domains": self.entries}, {"names": self.stack.domains, "radar": self.switches}, key="radar-matrix",
                         words="Every domain as the target of every other.")

    def paths(self, axes: str) -> Paths | None:
        windowed = {name: self.switches[name] for name in ("centre", "radius", "seed")}  # of the switches, all that paths depend on
        return job.study(studies.paths, {"domains": self.entries}, {"names": self.stack.domains, "radar": windowed, "axes": axes}, key="radar-paths",
                         words="The paths of all domains through the layers.")


def choose_source(field: Field) -> str:
    """The source that is looked into."""
    return st.selectbox("Source", field.sources, len(field.sources) - 1, key="radar_source", bind="query-params", width=230) or field.sources[-1]
