"""How RADAR is read: every switch of it, the readings that turn one switch each, and what sources or domains come to under them."""

import numbers
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType

import numpy as np

from analysis.errors import InputError
from analysis.metrics.result import plain, tuples

CHOICES = {"angle": ("partner", "turning", "anchor"), "distance": ("direct", "path", "detour"), "geometry": ("euclidean", "geodesic", "pseudo-cartesian"),
           "sampling": ("stratified", "same_class", "uniform"), "divergence": ("montecarlo", "components", "sinkhorn"), "covariance": ("full", "diagonal")}
WHOLE = {"radius": (1, 1000), "pairs": (100, 200_000), "components": (1, 20), "draws": (100, 1_000_000), "seed": (0, 2**32 - 1)}
MARKS = MappingProxyType({"centre": "ours", "radius": "published", "angle": "ours", "distance": "ours", "geometry": "published", "pairs": "ours",
                          "sampling": "published", "divergence": "ours", "components": "ours", "covariance": "ours", "ridge": "ours",
                          "tolerance": "ours", "standardise": "ours", "draws": "ours", "seed": "ours", "device": "ours"})
READINGS = MappingProxyType({
    "as it stands: ours where the text is silent": {},
    "angle at the anchor": {"angle": "anchor"},
    "excess over the path": {"distance": "path"},
    "excess of the detour alone": {"distance": "detour"},
    "on the sphere": {"geometry": "geodesic"},
    "pseudo-Cartesian": {"geometry": "pseudo-cartesian"},
    "partners of the anchor's class": {"sampling": "same_class"},
    "plain uniform pairs": {"sampling": "uniform"},
    "closed form by components": {"divergence": "components"},
    "Sinkhorn divergence": {"divergence": "sinkhorn"},
    "a single Gaussian": {"components": 1},
    "diagonal covariances": {"covariance": "diagonal"},
    "not standardised": {"standardise": False}})


@dataclass(frozen=True)
class Options:
    """Every switch of RADAR. `MARKS` says which of these the paper fixes and which are our reading of it.

    centre, radius  the states looked at: so many to either side of that layer (its index or name; None: the middle one), moved inwards where it does not fit
    angle           at the partner's corner; "turning" shows pi minus that; "anchor" is the one at the anchor's
    distance        how much longer the detour is: over |traj| ("direct"), over |sep| + |detour| ("path"), or of the detour alone over |traj| ("detour")
    geometry        "geodesic": on the unit sphere; "pseudo-cartesian": (d cos, d sin) of the angle
    pairs           drawn for each side
    sampling        "stratified": anchors from the core of each class, partners from core and boundary; "same_class": partners of the anchor's; "uniform"
    divergence      of the two mixtures of so many `components`, or ("sinkhorn") of the vectors themselves
    tolerance       gain in the mean log likelihood of a pair below which a mixture counts as found
    """

    centre: int | str | None = None
    radius: int = 6
    angle: str = "partner"
    distance: str = "direct"
    geometry: str = "euclidean"
    pairs: int = 5000
    sampling: str = "stratified"
    divergence: str = "montecarlo"
    components: int = 3
    covariance: str = "full"
    ridge: float = 1e-4
    tolerance: float = 1e-5
    standardise: bool = True
    draws: int = 10_000
    seed: int = 0
    device: str = "auto"

    def __post_init__(self):
        put = lambda name, value: object.__setattr__(self, name, value)  # noqa: E731
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise InputError(f"{getattr(self, name)!r} is no {name} of RADAR.", f"Use one of {', '.join(allowed)}.")
        for name, (low, high) in WHOLE.items():
            put(name, _whole(name, getattr(self, name), low, high))
        for name in ("ridge", "tolerance"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 < value <= 1:
                raise InputError(f"The {name} is {value!r}.", "Give a number above 0, up to 1.")
            put(name, float(value))
        if not isinstance(self.standardise, (bool, np.bool_)):
            raise InputError(f"standardise is {self.standardise!r}.", "Give True or False.")
        put("standardise", bool(self.standardise))
        if self.centre is not None and not isinstance(self.centre, str):
            put("centre", _whole("centre", self.centre, 0, 1_000_000, "or the name of a layer"))
        if not isinstance(self.device, str):
            raise InputError(f"The device is {self.device!r}.", 'Give "auto", "cpu" or a device of torch.')

    def manifest(self) -> dict:
        """What `Options(**...)` reads back."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Readings:
    """The sources' scores under several readings, (readings, sources): NaN where there is none yet, or none at all, and then `reasons` says why."""

    readings: tuple
    sources: tuple
    scores: np.ndarray
    reasons: Mapping = field(default_factory=dict)  # "reading: source" -> why
    target: str = ""
    options: Mapping = field(default_factory=dict)

    def __post_init__(self):
        tuples(self, "readings", "sources")

    def ranks(self) -> np.ndarray:
        """(readings, sources) 1 for the nearest source, equal scores sharing their mean; NaN without a score."""
        return np.array([_ranked(row) for row in self.scores]).reshape(self.scores.shape)

    def reason(self, reading: str, source: str) -> str:
        return self.reasons.get(f"{reading}: {source}", "")

    def table(self):
        """One line per reading and source."""
        import pandas as pd
        both = [(reading, source) for reading in self.readings for source in self.sources]
        columns = {"reading": [reading for reading, _ in both], "source": [source for _, source in both]}
        return pd.DataFrame({**columns, "score": self.scores.ravel(), "rank": self.ranks().ravel(), "reason": [self.reason(*names) for names in both]})

    def manifest(self) -> dict:
        return {"target": self.target, "readings": list(self.readings), "sources": list(self.sources), "scores": plain(self.scores.tolist()),
                "ranks": plain(self.ranks().tolist()), "reasons": dict(self.reasons), "options": dict(self.options)}


@dataclass(frozen=True, eq=False)
class Domains:
    """Every domain as target (row) of every other as source (column): NaN on the diagonal, where there is no score yet, and where `reasons` says why."""

    names: tuple
    scores: np.ndarray
    errors: np.ndarray
    reasons: Mapping = field(default_factory=dict)  # "target from source" -> why
    options: Mapping = field(default_factory=dict)

    def __post_init__(self):
        tuples(self, "names")

    def reason(self, target: str, source: str) -> str:
        return self.reasons.get(f"{target} from {source}", "")

    def table(self):
        """Targets down, sources across."""
        import pandas as pd
        return pd.DataFrame(self.scores, index=list(self.names), columns=list(self.names))

    def manifest(self) -> dict:
        return {"names": list(self.names), "scores": plain(self.scores.tolist()), "errors": plain(self.errors.tolist()), "reasons": dict(self.reasons),
                "options": dict(self.options)}


def _ranked(scores: np.ndarray) -> np.ndarray:
    known = scores[~np.isnan(scores)]
    places = (known < scores[:, None]).sum(axis=1) + ((known == scores[:, None]).sum(axis=1) + 1) / 2
    return np.where(np.isnan(scores), np.nan, places)


def _whole(name: str, value, low: int, high: int, also: str = "") -> int:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Integral) or not low <= value <= high:
        raise InputError(f"The option {name} is {value!r}.", f"Give a whole number from {low} to {high}{f', {also}' if also else ''}.")
    return int(value)
