"""Growth: how far a network's valley reaches, and whether that tells which way of growing it pays.

That the size of the manifold of linearly connected minima predicts what a network gains by growing is published, in an abstract; how that size is estimated
is not. Every estimator here is ours, and what it shows is no evidence about the published one.

Sizes are of branches: copies trained on for a little while in different orders of the data. Two are connected where the loss along the straight line between
them rises by no more than epsilon above what lies between the losses of its ends. A branch that ends more than epsilon above its start is no minimum of this
valley: like one that diverged it is left out of every size. What two branches lack, as one diverged, is NaN.
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
SPREADS = {"distance": ("least", "largest"), "radius": ("low", "high")}  # what is told of a size besides the size
PARTS = ("expansion", "branches", "barriers", "radius", "gain")  # what takes time, besides the proxies
CORRELATIONS = {"kendall": statistics.kendall, "spearman": statistics.spearman, "pearson": statistics.pearson}
KNOBS = ("epsilon", "branches", "steps")
LEAST = 6  # expansions below which there is no correlation, and nothing is said of a ranking
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
        return self._sizes(epsilon, branches)[0] | {"radius": self.radius_at(self.epsilon if epsilon is None else epsilon)}

    def reason(self, *, epsilon: float | None = None, branches: int | None = None) -> str:
        """Why there is no volume, or no size at all; "" where there is one."""
        return self._sizes(epsilon, branches)[1]

    def spread(self, *, epsilon: float | None = None, branches: int | None = None) -> dict[str, tuple[float, float]]:
        """(low, high) of the radius over directions, the interval of a mean; and of the distance over connected pairs, the least and the largest."""
        epsilon, first = self.epsilon if epsilon is None else epsilon, slice(branches)
        return {"distance": _over_pairs(self.distances[first, first], self.connected(epsilon)[first, first]),
                "radius": _over_directions(_chosen(self.radius, self.epsilons, epsilon))}

    def rested(self, epsilon: float | None = None) -> np.ndarray:
        """(branches,) which came to rest in this valley: not more than epsilon above their start."""
        return rested(self.losses, self.start_loss, self.epsilon if epsilon is None else epsilon)

    def radius_at(self, epsilon: float) -> float:
        """The mean over directions; NaN of an epsilon for which it was not measured."""
        return float(_chosen(self.radius, self.epsilons, epsilon).mean())

    def connected(self, epsilon: float | None = None) -> np.ndarray:
        """(branches, branches)"""
        return _connected(self.barriers, self.rested(epsilon), self.epsilon if epsilon is None else epsilon)

    def _sizes(self, epsilon: float | None, branches: int | None) -> tuple[dict[str, float], str]:
        epsilon = self.epsilon if epsilon is None else epsilon
        return _sizes(self.distances, self.barriers, self.rested(epsilon), self.parameters, epsilon, branches)

    def table(self, epsilon: float | None = None):
        """One line per branch."""
        import pandas as pd
        apart = _off_diagonal(self.distances)
        high = _off_diagonal(self.barriers)
        return pd.DataFrame({"seed": self.seeds, "first loss": self.curves[:, 0], "loss": self.losses, "accuracy": self.accuracies,
                             "mean distance to the others": [_mean(row) for row in apart], "highest barrier": [_max(row) for row in high],
                             "at rest": self.rested(epsilon), "diverged at step": [self.diverged.get(i) for i in range(len(self.seeds))]})

    def pairs_table(self, epsilon: float | None = None):
        """One line per pair of branches."""
        import pandas as pd
        first, second = self.pairs.T
        return pd.DataFrame({"first": first, "second": second, "distance": self.distances[first, second], "barrier": self.barriers[first, second],
                             "connected": self.connected(epsilon)[first, second]})

    def lines_table(self):
        """One line per point between two branches."""
        import pandas as pd
        first, second = np.repeat(self.pairs, len(self.along), axis=0).T
        return pd.DataFrame({"first": first, "second": second, "along": np.tile(self.along, len(self.pairs)), "loss": self.profiles.ravel()})

    def plane_table(self):
        """One line per point of the plane."""
        import pandas as pd
        x, y = np.meshgrid(self.plane_x, self.plane_y)
        return pd.DataFrame({"x": x.ravel(), "y": y.ravel(), "loss": self.plane.ravel()})

    def radius_table(self):
        """One line per direction and epsilon."""
        import pandas as pd
        epsilons, directions = self.radius.shape
        return pd.DataFrame({"epsilon": np.repeat(self.epsilons, directions), "direction": np.tile(np.arange(directions), epsilons),
                             "radius": self.radius.ravel()})

    def paths_table(self):
        """One line per branch and look."""
        import pandas as pd
        looks, branches = self.paths.shape[:2]
        return pd.DataFrame({"step": np.repeat(self.path_at, branches), "branch": np.tile(np.arange(branches), looks), "x": self.paths[..., 0].ravel(),
                             "y": self.paths[..., 1].ravel()})

    def manifest(self) -> dict:
        return _manifest(self) | {"sizes": plain(self.at()), "reason": self.reason(), "diverged": {str(i): step for i, step in self.diverged.items()}}


@dataclass(frozen=True, eq=False)
class Growth:
    """Ways to grow one base: how far the valley of each reaches, what proxies say of it, and what it gained by being trained as long as the base.

    names, families, changes  of each candidate; the base itself is the first, of the family "base", with nothing changed
    parameters  (candidates,); check: (candidates,) the largest |difference| of the logits to those of the base
    lengths     numbers of steps of a branch, the usual one last; branches of each length were trained by themselves, the rate falling to 0 by its end. Short
                ones may still end above their start, and are left out
    distances, barriers  (candidates, lengths, branches, branches); losses (candidates, lengths, branches) at their ends, and starts (candidates,) where they
                start
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
    losses: np.ndarray
    starts: np.ndarray
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
                  "losses": self.distances.shape[:3], "starts": (rows,), "radius": (rows, len(self.epsilons), None), "values": (rows, proxies),
                  "accuracy": (rows, None), "seconds": (rows, len(PARTS)), "proxy_seconds": (rows, proxies)}
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

    @property
    def measured(self) -> int:
        """How many expansions have a gain."""
        return int((self.expansions & np.isfinite(self.gains())).sum())

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
        return np.array([sizes[name] for sizes, _ in self._sizes(epsilon, branches, steps)])

    def whys(self, *, epsilon: float | None = None, branches: int | None = None, steps: int | None = None) -> tuple[str, ...]:
        """Why each candidate has no volume, or no size at all; "" where it has one."""
        return tuple(why for _, why in self._sizes(self.epsilon if epsilon is None else epsilon, branches, steps))

    def rested(self, epsilon: float | None = None, steps: int | None = None) -> np.ndarray:
        """(candidates, branches) which came to rest in their valley: not more than epsilon above their start."""
        return rested(self.losses[:, self._length(steps)], self.starts[:, None], self.epsilon if epsilon is None else epsilon)

    def spread(self, name: str) -> np.ndarray:
        """(candidates, 2) of the radius the interval of its mean over directions, of the distance the least and the largest of connected branches; of all else
        NaN."""
        if name == "radius":
            return np.array([_over_directions(_chosen(radius, self.epsilons, self.epsilon)) for radius in self.radius])
        if name == "distance":
            each = zip(self.distances[:, -1], self.barriers[:, -1], self.rested(), strict=True)
            return np.array([_over_pairs(distances, _connected(barriers, there, self.epsilon)) for distances, barriers, there in each])
        return np.full((len(self.names), 2), NAN)

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
        """With the gain, over the expansions (of a family) that have both; none, for a reason, over fewer than LEAST."""
        if kind not in CORRELATIONS:
            raise InputError(f"There is no correlation {kind!r}.", f"There are: {', '.join(CORRELATIONS)}.")
        values, rows = self._both(name, family, at)
        return self._heeded(CORRELATIONS[kind](values[rows], self.gains()[rows], resamples=resamples, seed=seed), name, values, rows)

    def partial(self, name: str, *, family: str | None = None, resamples: int = 2000, seed: int = 0, **at) -> Correlation:
        """Pearson's correlation with the gain given the logarithm of the number of parameters."""
        values, rows = self._both(name, family, at)
        return self._given(np.log(self.parameters)[:, None], name, values, rows, resamples, seed)

    def at_equal_parameters(self, name: str, *, resamples: int = 2000, seed: int = 0, **at) -> Correlation:
        """Pearson's correlation with the gain given the group of equal numbers of parameters, over the expansions in such groups."""
        values, rows = self._both(name, None, at)
        member = np.array([[i in group for group in self.groups()] for i in range(len(self.names))], float).reshape(len(self.names), -1)
        member = member[:, member[rows].sum(axis=0) > 1]
        rows = rows[member[rows].any(axis=1)]
        return self._given(member, name, values, rows, resamples, seed)

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
        here, found = self.oriented(name), {}
        for knob, values in ways.items():
            there = [self.oriented(name, **{knob: value}) for value in values]
            found[knob] = Moved(knob, tuple(values), usual[knob], np.array([self._agreement(here, other) for other in there]),
                                tuple(self.correlation(name, **{knob: value}) for value in values))
        return found

    # what is said of it

    def verdict(self, name: str = "distance") -> str:
        """Whether the data support ranking ways to grow by it: one plain sentence, and what it rests on."""
        return f"{self.lead(name)} {self.evidence(name)}".strip()

    def lead(self, name: str = "distance", *, stopped: bool = False) -> str:
        """The plain sentence. stopped: what is not there yet will not come."""
        called, of = self._called(name), f"{self.measured} of {int(self.expansions.sum())} expansions"
        if not self.done:
            return f"Stopped after {of}: that is too early to say anything." if stopped else f"Still measuring: {of} are known."
        if not self._weighed(name):
            return self._unweighed(name)
        tau, left = self.correlation(name), self.partial(name)
        if tau.reason:
            return f"{self.title(name)} ranks nothing here. {tau.reason}"
        if tau.low <= 0 <= tau.high:
            return f"The data do not support a ranking by {called}: it may as well have nothing to do with the gain."
        if tau.high < 0:
            return f"{self.title(name)} orders the expansions the wrong way round."
        more = ", and tells more than size does" if left.low > 0 else ", but nothing shows that it tells more than size does"
        return f"{self.title(name)} goes with the gain{more if name != 'params' and not left.reason else ''}."

    def evidence(self, name: str = "distance") -> str:
        """The numbers behind it; "" where there is nothing to weigh."""
        if not self.done or not self._weighed(name) or (tau := self.correlation(name)).reason:
            return ""
        equal, size, left = self.at_equal_parameters(name), self.correlation("params") if "params" in self.proxies else None, self.partial(name)
        told = [f"Kendall's τ with the gain is {_said(tau)} over {tau.n} expansions{_held(tau)}.",
                f"At equal parameters, which is what is published: {_correlated(equal)}"]
        if name != "params" and size and not size.reason:
            told.append(f"The number of parameters alone reaches τ {_said(size)}.")
        if name != "params" and tau.low > 0:  # what is said of size rests on it
            told.append(f"Given the logarithm of that number: {_correlated(left)}")
        return " ".join(told)

    def within(self, name: str = "distance") -> str:
        """What is left of it within the families, where that can be told."""
        found = {family: self.correlation(name, family=family) for family in dict.fromkeys(self.families) if family != BASE}
        told = [f"{family} {_said(tau)}" for family, tau in found.items() if not tau.reason]
        few = [family for family, tau in found.items() if tau.n < LEAST]
        known = f"Within families: {'; '.join(told)}." if told else ""
        unknown = f"Too few of {_listed(few)} for a word on {'it' if len(few) == 1 else 'them'} alone." if few else ""
        return f"{known} {unknown}".strip()

    def _weighed(self, name: str) -> bool:
        """Whether there is enough to weigh: expansions, and gains that differ by more than noise."""
        return len(self._both(name, None, {})[1]) >= LEAST and self.clear() >= CLEAR

    def _unweighed(self, name: str) -> str:
        n, clear = len(self._both(name, None, {})[1]), self.clear()
        if n < LEAST:
            return f"Too few expansions ({n}) to say whether {self._called(name)} tells which pays: it takes {LEAST} or more."
        known = "one seed tells nothing of noise" if clear != clear else f"noise over seeds explains {1 - clear:.0%} of their spread"
        return f"The gains do not differ enough to be ranked: {known}. No correlation with them means much; train longer, or over more seeds."

    def summary(self, *, resamples: int = 2000, seed: int = 0):
        """One line per size and proxy, what goes best with the gain on top."""
        import pandas as pd
        lines = [self._line(name, resamples, seed) for name in self.metrics]
        return pd.DataFrame(lines).sort_values("tau", ascending=False, kind="stable", ignore_index=True)

    def table(self):
        """One line per candidate."""
        import pandas as pd
        spans = np.array([self.gain_interval(name) for name in self.names]).reshape(-1, 3)
        ends = {f"{SIZES[name]} {end}": column for name, of in SPREADS.items() for end, column in zip(of, self.spread(name).T, strict=True)}
        return pd.DataFrame({"name": self.names, "family": self.families, "parameters": self.parameters, "check": self.check,
                             **dict(zip(("gain", "low", "high"), spans.T, strict=True)), **{self.title(name): self.metric(name) for name in self.metrics},
                             **ends, "branches left out": self._left_out()})

    def manifest(self) -> dict:
        correlations = {name: {kind: self.correlation(name, kind).manifest() for kind in CORRELATIONS} | {"partial": self.partial(name).manifest()}
                        for name in self.metrics}
        return _manifest(self) | {"sizes": {name: plain(self.metric(name).tolist()) for name in SIZES}, "gains": plain(self.gains().tolist()),
                                  "correlations": correlations, "verdict": self.verdict(), "within families": self.within()}

    def _line(self, name: str, resamples: int, seed: int) -> dict:
        found = {kind: self.correlation(name, kind, resamples=resamples, seed=seed) for kind in CORRELATIONS}
        found["partial"] = self.partial(name, resamples=resamples, seed=seed)
        told = {f"{kind}{end}": value for kind, c in found.items() for end, value in (("", c.value), (" low", c.low), (" high", c.high))}
        told = {key.replace("kendall", "tau"): value for key, value in told.items()}
        seconds, steps = self.cost(name)
        return {"name": name, "title": self.title(name), "ours": name in SIZES, "n": found["kendall"].n, **told, "pick": self.pick(name),
                "regret": self.regret(name), "seconds": seconds, "steps": steps, "note": found["kendall"].reason}

    def _sizes(self, epsilon: float, branches: int | None, steps: int | None) -> list[tuple[dict[str, float], str]]:
        at = self._length(steps)
        each = zip(self.distances[:, at], self.barriers[:, at], self.rested(epsilon, steps), self.parameters, strict=True)
        return [_sizes(*one, epsilon, branches) for one in each]

    def _left_out(self) -> list[str]:
        """Branches of each candidate that diverged or ended above their start."""
        measured = np.isfinite(self.starts)[:, None]
        return [", ".join(map(str, np.flatnonzero(gone))) for gone in measured & ~self.rested()]

    def _called(self, name: str) -> str:
        """Within a sentence."""
        return self.title(name).lower() if name in SIZES else self.title(name)

    def _both(self, name: str, family: str | None, at: Mapping) -> tuple[np.ndarray, np.ndarray]:
        """(oriented values of all candidates, numbers of the expansions that have a value and a gain)"""
        if family is not None and family not in FAMILIES:
            raise InputError(f"There is no family {family!r}.", f"There are: {', '.join(FAMILIES)}.")
        values = self.oriented(name, **at)
        there = self.expansions & np.isfinite(values) & np.isfinite(self.gains())
        return values, np.flatnonzero(there if family is None else there & (np.array(self.families) == family))

    def _given(self, columns: np.ndarray, name: str, values: np.ndarray, rows: np.ndarray, resamples: int, seed: int) -> Correlation:
        found = statistics.partial(values[rows], self.gains()[rows], columns[rows], resamples=resamples, seed=seed) if len(rows) else replace(
            statistics.pearson([], []), kind="partial")
        return self._heeded(found, name, values, rows)

    def _heeded(self, found: Correlation, name: str, values: np.ndarray, rows: np.ndarray) -> Correlation:
        """The same, unless the expansions are too few for a word on a ranking, or nothing tells them apart."""
        refused = [told for key, told in self.reasons.items() if key.endswith(f": {name}")]
        gains = self.gains()[rows]
        if refused and np.isnan(values[self.expansions]).all():
            reason = refused[0]
        elif len(rows) < LEAST:
            reason = f"{len(rows)} expansion{'s are' if len(rows) != 1 else ' is'} too few for a correlation: it takes {LEAST}."
        elif (values[rows] == values[rows][0]).all():
            reason = "It is the same of all expansions" + ("." if name in SIZES else ": it depends on the function alone, which growing keeps.")
        elif (gains == gains[0]).all():
            reason = "All expansions gained the same."
        else:
            return found
        return replace(found, value=NAN, low=NAN, high=NAN, null_sd=NAN, reason=reason, warnings=())

    def _agreement(self, a: np.ndarray, b: np.ndarray) -> float:
        rows = self.expansions & np.isfinite(a) & np.isfinite(b)
        return statistics.kendall(a[rows], b[rows], resamples=0).value if rows.sum() >= LEAST else NAN

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
    """A setting as it moves. with_default: Kendall's tau of the order at each value with that at the usual one; gains: with what was measured to be gained."""

    knob: str
    values: tuple
    usual: float
    with_default: np.ndarray
    gains: tuple[Correlation, ...]

    @property
    def with_gain(self) -> np.ndarray:
        return np.array([c.value for c in self.gains])

    def table(self):
        """One line per value."""
        import pandas as pd
        told = {"with the gain": "value", "low": "low", "high": "high", "null sd": "null_sd", "expansions": "n"}
        return pd.DataFrame({"setting": self.knob, "value": self.values, "with the usual": self.with_default,
                             **{title: [getattr(c, part) for c in self.gains] for title, part in told.items()}})


def _sizes(distances: np.ndarray, barriers: np.ndarray, at_rest: np.ndarray, parameters: float, epsilon: float,
           branches: int | None) -> tuple[dict[str, float], str]:
    """(sizes of the branches among the first so many that came to rest in the valley, why there are none)"""
    if branches is not None and not 2 <= branches <= len(distances):
        raise InputError(f"{branches} of {len(distances)} branches were asked for.", f"Ask for 2 to {len(distances)}.")
    first = slice(branches)
    known, kept = np.isfinite(distances.diagonal())[first], at_rest[first]
    if (known & kept).sum() < 2:
        above = int((known & ~kept).sum())
        why = f": {above} of {len(known)} end more than ε = {epsilon:g} above their start" if above else ", or not yet"
        return dict.fromkeys(("distance", "diameter", "connected", "per_root", "volume"), NAN), f"There are no two branches to compare{why}."
    distances, barriers = (np.where(kept[:, None] & kept, values[first, first], NAN) for values in (distances, barriers))
    found = minima.size(_places(distances), barriers=barriers, epsilon=epsilon)
    return {"distance": found.distance, "diameter": found.diameter, "connected": found.connected, "per_root": float(found.distance / np.sqrt(parameters)),
            "volume": found.volume}, found.reason


def rested(losses: np.ndarray, start, epsilon: float) -> np.ndarray:
    """Which ends are minima of the valley that they started in; NaN is none."""
    return losses <= start + epsilon


def _connected(barriers: np.ndarray, there: np.ndarray, epsilon: float) -> np.ndarray:
    return (barriers <= epsilon) & there[:, None] & there


def _over_pairs(distances: np.ndarray, connected: np.ndarray) -> tuple[float, float]:
    """The least and the largest distance of two that are connected."""
    known = distances[np.triu(connected, 1)]
    return (float(known.min()), float(known.max())) if len(known) else (NAN, NAN)


def _over_directions(radius: np.ndarray) -> tuple[float, float]:
    return mean_interval(radius)[1:] if np.isfinite(radius).all() else (NAN, NAN)


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


def _correlated(c: Correlation) -> str:
    return c.reason or f"Pearson's r is {_said(c)} over {c.n}{_held(c)}."


def _held(c: Correlation) -> str:
    """What an interval says of the claim that higher is better."""
    return "" if c.low > 0 else ", the wrong way round" if c.high < 0 else ", an interval that holds 0"


def _said(c: Correlation) -> str:
    return f"{c.value:.2f} ({c.low:.2f} to {c.high:.2f})".replace("-", "−")


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _manifest(result) -> dict:
    told = {name: getattr(result, name) for name in result.__dataclass_fields__}
    return {name: plain(value.tolist() if isinstance(value, np.ndarray) else value) for name, value in told.items()} | {"final": result.final}
