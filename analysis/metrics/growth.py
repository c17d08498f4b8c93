"""Growth: how far a network's valley reaches, and whether that tells which way of growing it pays.

That the size of the manifold of linearly connected minima predicts what a network gains by growing is published, in an abstract; how that size is estimated
is not. Every estimator here is ours, and what it shows is no evidence about the published one.

Sizes are of branches: copies trained on for a little while in different orders of the data. Two are connected where the loss along the straight line between
them rises by no more than epsilon above what lies between the losses of its ends. What two branches lack, as one diverged, is NaN.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from analysis.errors import InputError
from analysis.metrics import minima, statistics
from analysis.metrics.result import plain, tuples
from analysis.metrics.statistics import Correlation, mean_interval

OURS = ("The estimators are ours: of the published metric only the idea is within reach, its formula is not. What they show is no evidence about it.",)
FAMILIES = ("width", "depth", "residual", "both")
BASE = "base"  # the family of the network itself, which is no expansion: it is shown, and left out of every ranking
SIZES = {"distance": "Distance", "diameter": "Diameter", "connected": "Connected share", "per_root": "Distance per √parameters", "volume": "Log-volume",
         "radius": "Radius"}
PARTS = ("expansion", "branches", "barriers", "radius", "gain")  # what takes time, besides the proxies
CORRELATIONS = {"kendall": statistics.kendall, "spearman": statistics.spearman, "pearson": statistics.pearson}
KNOBS = ("epsilon", "branches", "steps")
LEAST = 6  # expansions below which nothing is said of a ranking
CLEAR = 0.5  # share of the spread of the gains that must not be noise
ALIKE = 0.05  # how far apart numbers of parameters may lie in a group of equal ones
ROUNDING = 1e-5
NAN = float("nan")


@dataclass(frozen=True, eq=False)
class Valley:
    """One network, its branches, and the land between them. Losses are mean cross-entropies on the same items throughout.

    name, base, data  what the network is called, what it grew from, and on which data
    changes     (way, layer, factor) of each step by which it grew; () of the base itself
    check       the largest |difference| of the logits to those of the base
    seeds       one per branch; curves: (branches, steps) loss on the batch of each step
    losses, accuracies  (branches,) at their ends; the latter on items that nothing was trained on. start_loss, start_accuracy: where they start
    distances, barriers (branches, branches); pairs (pairs, 2), along (points,) from 0 to 1, profiles (pairs, points): loss on the line between them
    epsilons    for which radius (epsilons, directions) is known, at the start, in filter-normalised directions: how far the loss stays within epsilon
    plane       (g, g) loss over plane_y by plane_x, distances in the plane through three minima `plane_of`; plane_minima (3, 2) are those, and plane_start the
                start projected into it, plane_off away from it. Empty where there are not three
    path_at     steps at which the branches were looked at; paths (looks, branches, 2) where they were, seen from the start, in the plane that shows most;
                path_shows (2,) the share of squared distances that each of its axes shows
    seconds     part -> seconds; diverged: branch -> the step at which it stopped being numbers
    """

    name: str
    base: str
    data: str
    changes: tuple
    parameters: int
    check: float
    seeds: tuple
    curves: np.ndarray
    losses: np.ndarray
    accuracies: np.ndarray
    start_loss: float
    start_accuracy: float
    distances: np.ndarray
    barriers: np.ndarray
    pairs: np.ndarray
    along: np.ndarray
    profiles: np.ndarray
    epsilon: float
    epsilons: tuple
    radius: np.ndarray
    plane: np.ndarray
    plane_x: np.ndarray
    plane_y: np.ndarray
    plane_of: tuple
    plane_minima: np.ndarray
    plane_start: tuple
    plane_off: float
    path_at: tuple
    paths: np.ndarray
    path_shows: tuple
    seconds: Mapping = field(default_factory=dict)
    diverged: Mapping = field(default_factory=dict)
    warnings: tuple = ()
    notes: tuple = OURS
    options: Mapping = field(default_factory=dict)
    done: bool = False

    def __post_init__(self):
        tuples(self, "seeds", "epsilons", "plane_of", "plane_start", "path_at", "path_shows", "warnings", "notes")
        object.__setattr__(self, "changes", tuple(map(tuple, self.changes)))
        object.__setattr__(self, "pairs", self.pairs.astype(np.int64))
        object.__setattr__(self, "diverged", {int(branch): step for branch, step in self.diverged.items()})

    @property
    def final(self) -> bool:
        return self.done

    @property
    def steps(self) -> int:
        return self.curves.shape[1]

    def at(self, *, epsilon: float | None = None, branches: int | None = None) -> dict[str, float]:
        """Every size, for another epsilon, and of the first so many branches alone; NaN where `reason` says why."""
        epsilon = self.epsilon if epsilon is None else epsilon
        return _sizes(self.distances, self.barriers, self.parameters, epsilon, branches)[0] | {"radius": self.radius_at(epsilon)}

    def reason(self, *, epsilon: float | None = None, branches: int | None = None) -> str:
        """Why there is no volume, or no size at all; "" where there is one."""
        return _sizes(self.distances, self.barriers, self.parameters, self.epsilon if epsilon is None else epsilon, branches)[1]

    def radius_at(self, epsilon: float) -> float:
        """The mean over directions; NaN of an epsilon for which it was not measured."""
        return float(_chosen(self.radius, self.epsilons, epsilon).mean())

    def connected(self, epsilon: float | None = None) -> np.ndarray:
        """(branches, branches)"""
        return self.barriers <= (self.epsilon if epsilon is None else epsilon)

    def table(self):
        """One line per branch."""
        import pandas as pd
        apart = _off_diagonal(self.distances)
        high = _off_diagonal(self.barriers)
        return pd.DataFrame({"seed": self.seeds, "first loss": self.curves[:, 0], "loss": self.losses, "accuracy": self.accuracies,
                             "mean distance to the others": [_mean(row) for row in apart], "highest barrier": [_max(row) for row in high],
                             "diverged at step": [self.diverged.get(i) for i in range(len(self.seeds))]})

    def manifest(self) -> dict:
        return _manifest(self) | {"sizes": plain(self.at()), "reason": self.reason(), "diverged": {str(i): step for i, step in self.diverged.items()}}


@dataclass(frozen=True, eq=False)
class Growth:
    """Ways to grow one base: how far the valley of each reaches, what proxies say of it, and what it gained by being trained as long as the base.

    names, families, changes  of each candidate; the base itself is the first, of the family "base", with nothing changed
    parameters  (candidates,); check: (candidates,) the largest |difference| of the logits to those of the base
    lengths     numbers of steps after which the branches were compared, the last being all of them
    distances, barriers  (candidates, lengths, branches, branches)
    epsilons    for which radius (candidates, epsilons, directions) is known
    proxies     names, with titles and directions: 1 where higher is said to be better, -1 where lower; values (candidates, proxies), NaN where `reasons`
                says why under "candidate: proxy"
    accuracy    (candidates, seeds) after training, on items that nothing was trained on; its first row is the base trained as long. start: before
    seconds     (candidates, PARTS); proxy_seconds (candidates, proxies)
    steps       of each branch, and of the training that the gain is of
    """

    base: str
    data: str
    names: tuple
    families: tuple
    changes: tuple
    parameters: np.ndarray
    check: np.ndarray
    lengths: tuple
    distances: np.ndarray
    barriers: np.ndarray
    epsilon: float
    epsilons: tuple
    radius: np.ndarray
    proxies: tuple
    titles: tuple
    directions: tuple
    values: np.ndarray
    accuracy: np.ndarray
    start: float
    seconds: np.ndarray
    proxy_seconds: np.ndarray
    steps: tuple
    reasons: Mapping = field(default_factory=dict)
    warnings: tuple = ()
    notes: tuple = OURS
    options: Mapping = field(default_factory=dict)
    done: bool = False

    def __post_init__(self):
        tuples(self, "names", "families", "lengths", "epsilons", "proxies", "titles", "directions", "steps", "warnings", "notes")
        object.__setattr__(self, "changes", tuple(tuple(map(tuple, steps)) for steps in self.changes))
        rows, proxies = len(self.names), len(self.proxies)
        shapes = {"parameters": (rows,), "check": (rows,), "distances": (rows, len(self.lengths), None, None), "barriers": self.distances.shape,
                  "radius": (rows, len(self.epsilons), None), "values": (rows, proxies), "accuracy": (rows, None), "seconds": (rows, len(PARTS)),
                  "proxy_seconds": (rows, proxies)}
        for name, shape in shapes.items():
            given = getattr(self, name).shape
            if len(given) != len(shape) or any(want not in (None, have) for have, want in zip(given, shape, strict=True)):
                raise InputError(f"{name} has the shape {given}.", f"Give one of shape {tuple('any' if side is None else side for side in shape)}.")
        if len(self.families) != rows or not set(self.families) <= {BASE, *FAMILIES} or self.families[:1] not in ((), (BASE,)):
            raise InputError(f"The families are {self.families}.", f"Give one per candidate, {BASE} first, then {', '.join(FAMILIES)}.")

    @property
    def final(self) -> bool:
        return self.done

    @property
    def expansions(self) -> np.ndarray:
        """(candidates,) whether it is one: the base is not."""
        return np.array([family != BASE for family in self.families], bool)

    @property
    def metrics(self) -> tuple[str, ...]:
        """Every name that `metric` knows: sizes of ours, then proxies."""
        return (*SIZES, *self.proxies)

    def title(self, name: str) -> str:
        return SIZES.get(name) or self.titles[self._proxy(name)]

    # what was measured

    @property
    def gain(self) -> np.ndarray:
        """(candidates, seeds) accuracy above that of the base trained as long, in the same order of the data."""
        return self.accuracy - self.accuracy[:1]

    def gains(self) -> np.ndarray:
        """(candidates,) means over the seeds that did not diverge."""
        return np.array([_mean(row) for row in self.gain])

    def gain_interval(self, name: str) -> tuple[float, float, float]:
        """(mean, low, high) by Student's t over seeds."""
        known = self.gain[self._row(name)]
        known = known[np.isfinite(known)]
        return mean_interval(known) if len(known) else (NAN,) * 3

    def clear(self) -> float:
        """The share of the variance of the expansions' gains that their spread over seeds does not explain; NaN where that is not known."""
        gain = self.gain[self.expansions]
        gain = gain[np.isfinite(gain).all(axis=1)]
        if len(gain) < 2 or gain.shape[1] < 2 or not (spread := gain.mean(axis=1).var(ddof=1)):
            return NAN
        return float(max(0.0, 1 - (gain.var(axis=1, ddof=1) / gain.shape[1]).mean() / spread))

    def metric(self, name: str, *, epsilon: float | None = None, branches: int | None = None, steps: int | None = None) -> np.ndarray:
        """(candidates,) a size of ours, for another epsilon, of the first so many branches, or after fewer steps; or a proxy, which knows none of these."""
        if name not in SIZES:
            return self.values[:, self._proxy(name)].copy()
        epsilon = self.epsilon if epsilon is None else epsilon
        if name == "radius":
            return _chosen(self.radius.swapaxes(0, 1), self.epsilons, epsilon).mean(axis=1)
        at = self._length(steps)
        each = zip(self.distances[:, at], self.barriers[:, at], self.parameters, strict=True)
        return np.array([_sizes(distances, barriers, parameters, epsilon, branches)[0][name] for distances, barriers, parameters in each])

    def oriented(self, name: str, **at) -> np.ndarray:
        """The same, turned so that higher is said to be better, and equal where nothing but rounding tells values apart."""
        return _alike(self.metric(name, **at)) * (1 if name in SIZES else self.directions[self._proxy(name)])

    def cost(self, name: str) -> tuple[float, int]:
        """(mean seconds, steps of training) that it takes to know it of one candidate."""
        if name not in SIZES:
            return _mean(self.proxy_seconds[:, self._proxy(name)]), 0
        parts = ("radius",) if name == "radius" else ("branches", "barriers")
        spent = self.seconds[:, [PARTS.index(part) for part in parts]].sum(axis=1)
        return _mean(spent), 0 if name == "radius" else self.steps[0] * self.distances.shape[-1]

    # how well it tells the gain

    def correlation(self, name: str, kind: str = "kendall", *, family: str | None = None, resamples: int = 2000, seed: int = 0, **at) -> Correlation:
        """With the gain, over the expansions (of a family) that have both."""
        if kind not in CORRELATIONS:
            raise InputError(f"There is no correlation {kind!r}.", f"There are: {', '.join(CORRELATIONS)}.")
        values, rows = self._both(name, family, at)
        return CORRELATIONS[kind](values[rows], self.gains()[rows], resamples=resamples, seed=seed)

    def partial(self, name: str, *, family: str | None = None, resamples: int = 2000, seed: int = 0, **at) -> Correlation:
        """Pearson's correlation with the gain given the logarithm of the number of parameters."""
        values, rows = self._both(name, family, at)
        return self._given(np.log(self.parameters)[:, None], values, rows, resamples, seed)

    def at_equal_parameters(self, name: str, *, resamples: int = 2000, seed: int = 0, **at) -> Correlation:
        """Pearson's correlation with the gain given the group of equal numbers of parameters, over the expansions in such groups."""
        values, rows = self._both(name, None, at)
        member = np.array([[i in group for group in self.groups()] for i in range(len(self.names))], float).reshape(len(self.names), -1)
        member = member[:, member[rows].sum(axis=0) > 1]
        rows = rows[member[rows].any(axis=1)]
        return self._given(member, values, rows, resamples, seed)

    def groups(self) -> tuple[tuple[int, ...], ...]:
        """Expansions, by number, of equal numbers of parameters: two or more, within 5 % of one another. None is in two groups."""
        order, found = np.argsort(self.parameters, kind="stable"), []
        for i in order[self.expansions[order]].tolist():
            if found and self.parameters[i] <= (1 + ALIKE) * self.parameters[found[-1][0]]:
                found[-1].append(i)
            else:
                found.append([i])
        return tuple(tuple(group) for group in found if len(group) > 1)

    def picks(self, name: str, **at) -> tuple[str, ...]:
        """The expansions that it puts first: more than one where they share that place."""
        values = np.where(self.expansions, self.oriented(name, **at), NAN)
        return tuple(self.names[i] for i in np.flatnonzero(values == np.nanmax(values))) if np.isfinite(values).any() else ()

    def pick(self, name: str, **at) -> str:
        return next(iter(self.picks(name, **at)), "")

    def regret(self, name: str, **at) -> float:
        """How much more the best expansion gained than what it picks, each alike where several share the first place; NaN while that is not measured."""
        gains, picked = self.gains(), [self._row(pick) for pick in self.picks(name, **at)]
        return float(np.nanmax(gains[self.expansions]) - gains[picked].mean()) if picked and np.isfinite(gains[picked]).all() else NAN

    def robust(self, name: str = "distance") -> dict[str, "Moved"]:
        """What becomes of the order of the expansions, and of how well it tells the gain, as one setting moves and the others stay."""
        most = self.distances.shape[-1]
        ways = {"epsilon": self.epsilons, "branches": tuple(range(2, most + 1)), "steps": self.lengths}
        usual = {"epsilon": self.epsilon, "branches": most, "steps": self.lengths[-1]}
        if name == "radius":
            ways = {"epsilon": ways["epsilon"]}
        if name not in SIZES:
            raise InputError(f"{self.title(name)} depends on none of {', '.join(KNOBS)}.", f"Ask for one of {', '.join(SIZES)}.")
        here, gains, found = self.oriented(name), self.gains(), {}
        for knob, values in ways.items():
            there = [self.oriented(name, **{knob: value}) for value in values]
            found[knob] = Moved(knob, tuple(values), usual[knob], np.array([self._agreement(here, other) for other in there]),
                                np.array([self._agreement(other, gains) for other in there]))
        return found

    # what is said of it

    def verdict(self, name: str = "distance") -> str:
        """Whether the data support ranking ways to grow by it, in plain words."""
        title, rows = self.title(name), self._both(name, None, {})[1]
        if not self.done:
            return f"Still measuring: {int((self.expansions & np.isfinite(self.gains())).sum())} of {int(self.expansions.sum())} expansions are known."
        if len(rows) < LEAST:
            return f"Too few expansions ({len(rows)}) to say whether {title.lower()} tells which pays: it takes {LEAST} or more."
        if not (clear := self.clear()) >= CLEAR:
            known = "one seed tells nothing of noise" if clear != clear else f"noise over seeds explains {1 - clear:.0%} of their spread"
            return f"The gains do not differ enough to be ranked: {known}. No correlation with them means much; train longer, or over more seeds."
        tau = self.correlation(name)
        if tau.reason:
            return f"{title} ranks nothing here. {tau.reason}"
        said = f"Kendall's τ {_said(tau)} over {tau.n} expansions"
        if tau.low <= 0 <= tau.high:
            return (f"The data do not support a ranking by {title.lower()}: {said}, an interval that holds 0. {self._opposed(name)}"
                    f"{self._families(name)}").strip()
        if tau.high < 0:
            return f"{title} orders the expansions the wrong way round: {said}. {self._families(name)}".strip()
        return f"{title} goes with the gain: {said}. {self._beside_size(name)} {self._families(name)}".strip()

    def summary(self, *, resamples: int = 2000, seed: int = 0):
        """One line per size and proxy, what goes best with the gain on top."""
        import pandas as pd
        lines = [self._line(name, resamples, seed) for name in self.metrics]
        return pd.DataFrame(lines).sort_values("tau", ascending=False, kind="stable", ignore_index=True)

    def table(self):
        """One line per candidate."""
        import pandas as pd
        spans = np.array([self.gain_interval(name) for name in self.names]).reshape(-1, 3)
        return pd.DataFrame({"name": self.names, "family": self.families, "parameters": self.parameters, "check": self.check,
                             **dict(zip(("gain", "low", "high"), spans.T, strict=True)), **{self.title(name): self.metric(name) for name in self.metrics}})

    def manifest(self) -> dict:
        correlations = {name: {kind: self.correlation(name, kind).manifest() for kind in CORRELATIONS} | {"partial": self.partial(name).manifest()}
                        for name in self.metrics}
        return _manifest(self) | {"sizes": {name: plain(self.metric(name).tolist()) for name in SIZES}, "gains": plain(self.gains().tolist()),
                                  "correlations": correlations, "verdict": self.verdict()}

    def _line(self, name: str, resamples: int, seed: int) -> dict:
        found = {kind: self.correlation(name, kind, resamples=resamples, seed=seed) for kind in CORRELATIONS}
        found["partial"] = self.partial(name, resamples=resamples, seed=seed)
        told = {f"{kind}{end}": value for kind, c in found.items() for end, value in (("", c.value), (" low", c.low), (" high", c.high))}
        told = {key.replace("kendall", "tau"): value for key, value in told.items()}
        seconds, steps = self.cost(name)
        return {"name": name, "title": self.title(name), "ours": name in SIZES, "n": found["kendall"].n, **told, "pick": self.pick(name),
                "regret": self.regret(name), "seconds": seconds, "steps": steps, "note": found["kendall"].reason}

    def _families(self, name: str) -> str:
        """What is left of it within the families, where that can be told."""
        found = {family: self.correlation(name, family=family) for family in dict.fromkeys(self.families) if family != BASE}
        told = [f"{family} {_said(tau)}" for family, tau in found.items() if tau.n >= LEAST and not tau.reason]
        few = [family for family, tau in found.items() if tau.n < LEAST]
        known = f"Within families: {'; '.join(told)}." if told else ""
        unknown = f"Too few of {_listed(few)} for a word on {'it' if len(few) == 1 else 'them'} alone." if few else ""
        return f"{known} {unknown}".strip()

    def _beside_size(self, name: str) -> str:
        if "params" not in self.proxies or name == "params":
            return ""
        plainly, left = self.correlation("params"), self.partial(name)
        if left.reason:
            return f"The number of parameters reaches {_said(plainly)}. {left.reason}"
        adds = "so it tells more than size does" if left.low > 0 else "so nothing shows that it tells more than size does"
        return f"The number of parameters alone reaches {_said(plainly)}; given its logarithm, Pearson's correlation is {_said(left)}, {adds}."

    def _opposed(self, name: str) -> str:
        """Where size hides that it goes the other way."""
        left = self.partial(name)
        return f"Given the logarithm of the number of parameters, Pearson's correlation is {_said(left)}: the wrong way round. " if left.high < 0 else ""

    def _both(self, name: str, family: str | None, at: Mapping) -> tuple[np.ndarray, np.ndarray]:
        """(oriented values of all candidates, numbers of the expansions that have a value and a gain)"""
        if family is not None and family not in FAMILIES:
            raise InputError(f"There is no family {family!r}.", f"There are: {', '.join(FAMILIES)}.")
        values = self.oriented(name, **at)
        there = self.expansions & np.isfinite(values) & np.isfinite(self.gains())
        return values, np.flatnonzero(there if family is None else there & (np.array(self.families) == family))

    def _given(self, columns: np.ndarray, values: np.ndarray, rows: np.ndarray, resamples: int, seed: int) -> Correlation:
        if not len(rows):
            return replace(statistics.pearson([], []), kind="partial")
        return statistics.partial(values[rows], self.gains()[rows], columns[rows], resamples=resamples, seed=seed)

    def _agreement(self, a: np.ndarray, b: np.ndarray) -> float:
        rows = self.expansions & np.isfinite(a) & np.isfinite(b)
        return statistics.kendall(a[rows], b[rows], resamples=0).value

    def _proxy(self, name: str) -> int:
        if name not in self.proxies:
            raise InputError(f"There is no metric {name!r}.", f"There are: {', '.join(self.metrics)}.")
        return self.proxies.index(name)

    def _row(self, name: str) -> int:
        if name not in self.names:
            raise InputError(f"There is no candidate {name!r}.", f"There are: {', '.join(self.names)}.")
        return self.names.index(name)

    def _length(self, steps: int | None) -> int:
        if steps is None:
            return len(self.lengths) - 1
        if steps not in self.lengths:
            raise InputError(f"The branches were not compared after {steps} steps.", f"They were after {', '.join(map(str, self.lengths))}.")
        return self.lengths.index(steps)


@dataclass(frozen=True, eq=False)
class Moved:
    """A setting as it moves. with_default: Kendall's tau of the order at each value with that at the usual one; with_gain: with the measured gain."""

    knob: str
    values: tuple
    usual: float
    with_default: np.ndarray
    with_gain: np.ndarray


def _sizes(distances: np.ndarray, barriers: np.ndarray, parameters: float, epsilon: float, branches: int | None) -> tuple[dict[str, float], str]:
    """(sizes of the branches among the first so many that did not diverge, why there are none)"""
    if branches is not None and not 2 <= branches <= len(distances):
        raise InputError(f"{branches} of {len(distances)} branches were asked for.", f"Ask for 2 to {len(distances)}.")
    part = slice(branches)
    if np.isfinite(distances.diagonal()[part]).sum() < 2:
        return dict.fromkeys(("distance", "diameter", "connected", "per_root", "volume"), NAN), "There are no two branches to compare, or not yet."
    found = minima.size(_places(distances[part, part]), barriers=barriers[part, part], epsilon=epsilon)
    return {"distance": found.distance, "diameter": found.diameter, "connected": found.connected, "per_root": float(found.distance / np.sqrt(parameters)),
            "volume": float(found.volume)}, found.reason


def _places(distances: np.ndarray) -> np.ndarray:
    """Points with these distances from one another: sizes are about nothing else. NaN where there is none."""
    sound = np.flatnonzero(np.isfinite(distances.diagonal()))
    squares = distances[np.ix_(sound, sound)]**2
    centred = squares - squares.mean(axis=0)
    values, vectors = np.linalg.eigh(-(centred - centred.mean(axis=1, keepdims=True)) / 2)
    places = np.full((len(distances), len(sound)), NAN)
    places[sound] = vectors * np.sqrt(np.maximum(values, 0))
    return places


def _chosen(values: np.ndarray, known: Sequence, wanted: float) -> np.ndarray:
    """Of values along their first axis those of one epsilon; NaN where it is not among the known."""
    at = [i for i, epsilon in enumerate(known) if np.isclose(epsilon, wanted, rtol=1e-9, atol=0)]
    return values[at[0]] if at else np.full(values.shape[1:], NAN)


def _alike(values: np.ndarray) -> np.ndarray:
    """Values that differ by rounding, made equal: expansions keep the function, and with it whatever is read off the function alone."""
    found, order = values.copy(), np.argsort(values)
    order = order[np.isfinite(values[order])]
    for before, i in zip(order, order[1:], strict=False):
        if np.isfinite(values[[i, before]]).all() and abs(values[i] - values[before]) <= ROUNDING * abs(values[i]):
            found[i] = found[before]
    return found


def _off_diagonal(values: np.ndarray) -> np.ndarray:
    return np.where(np.eye(len(values), dtype=bool), NAN, values)


def _mean(values: np.ndarray) -> float:
    """Of what is known."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else NAN


def _max(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.max()) if len(known) else NAN


def _said(c: Correlation) -> str:
    return f"{c.value:.2f} ({c.low:.2f} to {c.high:.2f})".replace("-", "−")


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _manifest(result) -> dict:
    told = {name: getattr(result, name) for name in result.__dataclass_fields__}
    return {name: plain(value.tolist() if isinstance(value, np.ndarray) else value) for name, value in told.items()} | {"final": result.final}
