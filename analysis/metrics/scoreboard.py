"""Scoreboard: how well each method orders the sources of many targets, beside the plain distance of centroids.

Every score is turned so that higher is a worse source: the best correlation with the measured gain is -1, and lower is better throughout.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from analysis.errors import InputError
from analysis.metrics.leaderboard import KINDS, NAN, Leaderboard
from analysis.metrics.ranking import sound_seed
from analysis.metrics.result import plain, tuples
from analysis.metrics.statistics import LEVEL

MEASURES = ("spearman", "mci")


@dataclass(frozen=True, eq=False)
class Scoreboard:
    """One correlation per target and method.

    suites    the targets, each with its suite
    methods   RADAR under each reading, scores, trivial baselines; kinds: "score", "trivial", "truth" or "published-method" of each
    spearman  (targets, methods) of the score with the measured gain; NaN where there is none
    centroid  place among the methods of the plain distance of centroids; -1 where it is not among them
    n_blends  (targets,) blends that the correlations are over
    reasons   why there is none, under "target: method"
    """

    suites: tuple
    methods: tuple
    kinds: tuple
    spearman: np.ndarray
    centroid: int
    n_blends: np.ndarray
    reasons: Mapping = field(default_factory=dict)
    options: Mapping = field(default_factory=dict)
    warnings: tuple = ()

    def __post_init__(self):
        tuples(self, "suites", "methods", "kinds", "warnings")
        shape = len(self.suites), len(self.methods)
        if self.spearman.shape != shape or len(self.kinds) != shape[1] or len(self.n_blends) != shape[0] or not -1 <= self.centroid < shape[1]:
            raise InputError(f"{shape[0]} targets and {shape[1]} methods do not fit correlations of shape {self.spearman.shape}.",
                             "Give a line per target, a column per method, and what is said of each once.")
        if not set(self.kinds) <= set(KINDS):
            raise InputError(f"Methods of kinds {sorted(set(self.kinds))} are not known.", f"Kinds are {', '.join(KINDS)}.")

    def differences(self) -> np.ndarray:
        """(targets, methods) 100 times how far each correlation lies from that of the centroids; NaN where either is missing."""
        return 100 * (self.spearman - self.spearman[:, [self.centroid]]) if self.centroid >= 0 else np.full(self.spearman.shape, NAN)

    def targets(self) -> np.ndarray:
        """(methods,) of how many targets there is a correlation."""
        return np.isfinite(self.spearman).sum(axis=0)

    def mean(self) -> np.ndarray:
        """(methods,) mean correlation over the targets that have one."""
        return _mean(self.spearman)

    def mci(self) -> np.ndarray:
        """(methods,) mean of the differences from the centroids."""
        return _mean(self.differences())

    def interval(self, of: str = "mci", *, resamples: int = 2000, seed: int = 0) -> np.ndarray:
        """(methods, 2) where 95 % of the means lie when whole suites are redrawn, of "mci" or "spearman"; NaN below two targets.

        The targets of a suite share their domains, so they come and go together. Where there is one suite only, its targets are redrawn.
        """
        if of not in MEASURES:
            raise InputError(f"There is no interval of {of!r}.", f"There is one of {' and of '.join(MEASURES)}.")
        values = self.differences() if of == "mci" else self.spearman
        rng, found = np.random.default_rng(sound_seed(seed)), np.full((len(self.methods), 2), NAN)
        groups = self.groups()
        for i, column in enumerate(values.T):
            known = np.isfinite(column)
            if known.sum() > 1:
                _, own = np.unique(groups[known] if len(set(groups[known])) > 1 else np.flatnonzero(known), return_inverse=True)
                sums, counts = np.bincount(own, column[known]), np.bincount(own)
                drawn = rng.integers(0, len(sums), (resamples, len(sums)))
                found[i] = np.quantile(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return found

    def groups(self) -> np.ndarray:
        """(targets,) the suite of each, by what stands before the colon of its name."""
        return np.array([name.partition(":")[0] for name in self.suites])

    def order(self) -> np.ndarray:
        """Places of the methods, the best first: by MCI, by mean correlation where there is none, and what has neither at the end."""
        by = self.mci() if self.centroid >= 0 else self.mean()
        return np.argsort(np.where(np.isfinite(by), by, np.inf), kind="stable")

    def reason(self, suite: str, method: str) -> str:
        return self.reasons.get(f"{suite}: {method}", "")

    def table(self):
        """One line per method, the best on top; a column per target."""
        import pandas as pd
        spans = {of: self.interval(of).T for of in MEASURES}
        columns = {"method": self.methods, "kind": self.kinds, "targets": self.targets(), "mean_spearman": self.mean(), "spearman_low": spans["spearman"][0],
                   "spearman_high": spans["spearman"][1], "mci": self.mci(), "mci_low": spans["mci"][0], "mci_high": spans["mci"][1],
                   **dict(zip(self.suites, self.spearman, strict=True))}
        return pd.DataFrame(columns).iloc[self.order()].reset_index(drop=True)

    def manifest(self) -> dict:
        lists = {name: list(getattr(self, name)) for name in ("suites", "methods", "kinds", "warnings")}
        lines = [{name: plain(value) for name, value in line.items()} for line in self.table().to_dict("records")]
        return {**lists, "spearman": plain(self.spearman.tolist()), "n_blends": self.n_blends.tolist(), "table": lines, "reasons": dict(self.reasons),
                "centroid": self.methods[self.centroid] if self.centroid >= 0 else None, "options": dict(self.options)}

    @classmethod
    def read(cls, report: Mapping) -> "Scoreboard":
        """From what `manifest` wrote."""
        lists = {name: report[name] for name in ("suites", "methods", "kinds", "warnings", "reasons", "options")}
        rho, centroid = np.array(report["spearman"], float), report["centroid"]
        return cls(spearman=rho.reshape(len(lists["suites"]), len(lists["methods"])), n_blends=np.array(report["n_blends"], np.int64),
                   centroid=-1 if centroid is None else lists["methods"].index(centroid), **lists)


def gather(boards: Mapping[str, Leaderboard], *, options: Mapping | None = None) -> Scoreboard:
    """What leaderboards of sources, by the name of target and suite, come to beside one another."""
    for name, board in boards.items():
        if board.kind != "sources":
            raise InputError(f"The leaderboard {name} is of {board.kind}.", "Give leaderboards of sources.")
    methods = dict.fromkeys(score for board in boards.values() for score in board.scores)
    kinds = {score: kind for board in boards.values() for score, kind in zip(board.scores, board.kinds, strict=True)}
    titles = {score: title for board in boards.values() for score, title in zip(board.scores, board.titles, strict=True)}
    found, reasons, warnings = np.full((len(boards), len(methods)), NAN), {}, []
    n_blends = np.array([np.isfinite(board.means()).sum() for board in boards.values()], np.int64)
    for row, (name, board) in enumerate(boards.items()):
        for column, score in enumerate(methods):
            if score not in board.scores:
                reasons[f"{name}: {titles[score]}"] = "It was not computed."
            elif (rho := board.correlation(score, "spearman", resamples=0)).reason:
                reasons[f"{name}: {titles[score]}"] = rho.reason
            else:
                found[row, column] = -rho.value
                if rho.n < n_blends[row]:
                    warnings.append(f"{titles[score]} on {name}: over {rho.n} of {n_blends[row]} blends.")
    centroid = list(methods).index("centroid") if "centroid" in methods else -1
    return Scoreboard(tuple(boards), tuple(titles.values()), tuple(kinds.values()), found, centroid, n_blends, reasons, options or {}, tuple(warnings))


def _mean(values: np.ndarray) -> np.ndarray:
    """Of each column, over what is known."""
    known = np.isfinite(values)
    counts = known.sum(axis=0)
    return np.divide(np.where(known, values, 0).sum(axis=0), counts, where=counts > 0, out=np.full(len(counts), NAN))
