"""Leaderboard: scores of models, or of blends of sources, beside the measured truth; how well each score orders it, and what its pick would have cost.

Scores point their own ways. Wherever they meet the truth they are turned so that higher is better; only the comparison with the centroid distance (`mci`)
turns them the other way, so that higher is a worse source, as its publication does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from analysis.errors import InputError
from analysis.metrics import statistics
from analysis.metrics.result import plain, tuples
from analysis.metrics.statistics import Correlation, mean_interval

SUBJECTS = ("models", "sources")
KINDS = ("score", "trivial", "truth", "published-method")
CORRELATIONS = {"kendall": statistics.kendall, "weighted kendall": statistics.weighted_kendall, "spearman": statistics.spearman}
NAN = float("nan")
_nothing = lambda *shape: field(default_factory=lambda: np.zeros(shape))  # noqa: E731


@dataclass(frozen=True, eq=False)
class Leaderboard:
    """What is known so far of each row, a model or a blend of sources.

    kind        "models" or "sources"; target: the name of the data
    names       of the rows; parts: the sources of each blend, () of a model
    scores      names; titles; directions: 1 where higher is better, -1 where lower is; kinds: "score", "trivial", "truth" or
                "published-method": one of those that this app is about, the Persistence Ratio and RADAR
    values      (rows, scores) NaN while unknown, or refused, and then `reasons` says why under "row: score"
    seconds     (rows, scores) that each took; NaN unless it was measured
    chances     (rows, scores) that each would be if features or head knew nothing of the labels; NaN where that is not known
    truth       (rows, splits) the measured accuracy of a model, or the gain of a blend; NaN while unknown
    base        (splits,) accuracy with the target alone; empty of models
    budget, n   target items trained on, of how many
    final       whether nothing more will come
    """

    kind: str
    target: str
    names: tuple
    parts: tuple
    scores: tuple
    titles: tuple
    directions: tuple
    kinds: tuple
    values: np.ndarray
    truth: np.ndarray
    truth_name: str
    reasons: Mapping = field(default_factory=dict)
    seconds: np.ndarray = _nothing(0, 0)
    chances: np.ndarray = _nothing(0, 0)
    base: np.ndarray = _nothing(0)
    budget: int = 0
    n: int = 0
    classes: int = 0
    warnings: tuple = ()
    options: Mapping = field(default_factory=dict)
    final: bool = False

    def __post_init__(self):
        tuples(self, "names", "scores", "titles", "directions", "kinds", "warnings")
        object.__setattr__(self, "parts", tuple(map(tuple, self.parts)))
        rows, scores = len(self.names), len(self.scores)
        for name in ("seconds", "chances"):
            if not getattr(self, name).size:
                object.__setattr__(self, name, np.full((rows, scores), NAN))
        fits = (self.values.shape == self.seconds.shape == self.chances.shape == (rows, scores)
                and self.truth.ndim == 2 and len(self.truth) == len(self.parts) == rows
                and len(self.titles) == len(self.directions) == len(self.kinds) == scores)
        if not fits:
            raise InputError(f"{rows} rows and {scores} scores do not fit values of shape {self.values.shape} and a truth of shape {self.truth.shape}.",
                             "Give a line per row, a column per score, and what is said of each row and score once.")
        if self.kind not in SUBJECTS or not set(self.kinds) <= set(KINDS) or not set(self.directions) <= {1, -1}:
            raise InputError(f"A leaderboard of {self.kind!r} with scores of kinds {sorted(set(self.kinds))} is not known.",
                             f"It is of {' or '.join(SUBJECTS)}; kinds are {', '.join(KINDS)}; directions are 1 and -1.")
        for what, given in (("rows", self.names), ("scores", self.scores), ("scores", self.titles)):
            if twice := [name for name in given if given.count(name) > 1]:
                raise InputError(f"Two {what} are named {twice[0]}.", "Give each its own name.")

    # what each row came to

    @property
    def sources(self) -> tuple[str, ...]:
        """Of all blends, in the order in which they are met."""
        return tuple(dict.fromkeys(source for blend in self.parts for source in blend))

    def column(self, score: str) -> np.ndarray:
        """(rows,) values as they were computed."""
        return self.values[:, self._score(score)]

    def title(self, score: str) -> str:
        return self.titles[self._score(score)]

    def direction(self, score: str) -> int:
        return self.directions[self._score(score)]

    def chance(self, score: str) -> tuple[float, float] | None:
        """(lowest, highest) over the rows that a score would be if nothing were known of the labels; None where that is not known."""
        known = self.chances[:, self._score(score)]
        known = known[np.isfinite(known)]
        return (float(known.min()), float(known.max())) if len(known) else None

    def oriented(self) -> np.ndarray:
        """(rows, scores) values, turned so that higher is better."""
        return self.values * np.asarray(self.directions, float).reshape(1, -1)

    def means(self) -> np.ndarray:
        """(rows,) the truth, over the splits that are known; NaN of a row without one."""
        known = np.isfinite(self.truth)
        counts = known.sum(axis=1)
        return np.divide(np.where(known, self.truth, 0).sum(axis=1), counts, where=counts > 0, out=np.full(len(counts), NAN))

    def truth_interval(self, name: str) -> tuple[float, float, float]:
        """(mean, low, high) of a row's truth, by Student's t over splits; NaN while unknown."""
        known = self.truth[self._row(name)]
        known = known[np.isfinite(known)]
        return mean_interval(known) if len(known) else (NAN, NAN, NAN)

    def reason(self, name: str, score: str) -> str:
        """Why a row has no such score; "" where it has one, or none yet."""
        return self.reasons.get(f"{name}: {score}", "")

    # how well a score orders the rows

    def correlation(self, score: str, kind: str = "kendall", *, resamples: int = 2000, seed: int = 0) -> Correlation:
        """Of the score, turned so that higher is better, with the mean truth, over the rows that have both."""
        if kind not in CORRELATIONS:
            raise InputError(f"There is no correlation {kind!r}.", f"There are: {', '.join(CORRELATIONS)}.")
        both = self._both(score)
        return CORRELATIONS[kind](self.oriented()[both, self._score(score)], self.means()[both], resamples=resamples, seed=seed)

    def picks(self, score: str) -> tuple[str, ...]:
        """The rows that the score puts first: more than one where they share that place, none while it is not known."""
        values = self.oriented()[:, self._score(score)]
        known = np.isfinite(values)
        return tuple(self.names[i] for i in np.flatnonzero(known & (values == values[known].max()))) if known.any() else ()

    def pick(self, score: str) -> str:
        """What the score would have picked, the first of those that share its first place; "" while it is not known."""
        return next(iter(self.picks(score)), "")

    def regret(self, score: str) -> float:
        """How much better the best known row is than what the score picks, each alike where several share the first place; NaN while that is not measured."""
        means, picked = self.means(), [self._row(name) for name in self.picks(score)]
        if not picked or np.isnan(means[picked]).any():
            return NAN
        return float(np.nanmax(means) - means[picked].mean())

    @property
    def centroid_score(self) -> str:
        """The plain baseline that sources are judged beside; "" where it is not among the scores."""
        return "centroid" if self.kind == "sources" and "centroid" in self.scores else ""

    def mci(self, score: str) -> float:
        """100 times how far the score's Spearman lies from that of the centroid distance, both turned so that higher is a worse source, over the rows that
        have both: lower is better. NaN where there is no such correlation."""
        at, centroid = self._score(score), self.centroid_score
        if not centroid:
            return NAN
        both = self._both(score) & self._both(centroid)
        worse, means = -self.oriented()[both], self.means()[both]
        rho, plainly = (statistics.spearman(worse[:, i], means, resamples=0).value for i in (at, self._score(centroid)))
        return 100 * (rho - plainly)

    # what is said of it

    def summary(self, *, resamples: int = 2000, seed: int = 0):
        """One line per score, what orders the rows best on top."""
        import pandas as pd
        lines = [self._line(score, resamples, seed) for score in self.scores]
        columns = [name for name in lines[0] if name != "mci" or self.centroid_score] if lines else []
        return pd.DataFrame(lines, columns=columns).sort_values("tau", ascending=False, kind="stable", ignore_index=True) if lines else pd.DataFrame()

    def table(self):
        """One line per row, what is truly best on top: its truth with its interval, and all scores as they were computed."""
        import pandas as pd
        spans = np.array([self.truth_interval(name) for name in self.names]).reshape(-1, 3)
        truth, scores = zip((self.truth_name, "low", "high"), spans.T, strict=True), zip(self.titles, self.values.T, strict=True)
        return pd.DataFrame({"name": self.names, **dict(truth), **dict(scores)}).sort_values(self.truth_name, ascending=False, kind="stable", ignore_index=True)

    def manifest(self) -> dict:
        lists = {name: list(getattr(self, name)) for name in ("names", "scores", "titles", "directions", "kinds", "warnings")}
        arrays = {name: plain(getattr(self, name).tolist()) for name in ("values", "truth", "seconds", "base")}
        return {"kind": self.kind, "target": self.target, **lists, "parts": [list(blend) for blend in self.parts], **arrays, "truth_name": self.truth_name,
                "reasons": dict(self.reasons), "budget": self.budget, "n": self.n, "classes": self.classes, "final": self.final,
                "options": dict(self.options)}

    def _line(self, score: str, resamples: int, seed: int) -> dict:
        tau, weighted, rho = (self.correlation(score, kind, resamples=resamples, seed=seed) for kind in CORRELATIONS)
        return {"score": score, "title": self.title(score), "kind": self.kinds[self._score(score)], "n": tau.n, "tau": tau.value, "low": tau.low,
                "high": tau.high, "null_sd": tau.null_sd, "weighted_tau": weighted.value, "weighted_low": weighted.low, "weighted_high": weighted.high,
                "spearman": rho.value, "spearman_low": rho.low, "spearman_high": rho.high, "pick": self.pick(score), "regret": self.regret(score),
                "mci": self.mci(score), "note": tau.reason or " ".join(tau.warnings)}

    def _both(self, score: str) -> np.ndarray:
        return np.isfinite(self.column(score)) & np.isfinite(self.means())

    def _score(self, score: str) -> int:
        if score not in self.scores:
            raise InputError(f"There is no score {score!r} on this leaderboard.", f"There are: {', '.join(self.scores) or 'none'}.")
        return self.scores.index(score)

    def _row(self, name: str) -> int:
        if name not in self.names:
            raise InputError(f"There is no row {name!r} on this leaderboard.", f"There are: {', '.join(self.names) or 'none'}.")
        return self.names.index(name)
