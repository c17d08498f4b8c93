"""Where domains go, layer by layer: the mean of each and some of its items, on three axes that are the same for all layers and domains."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from analysis.errors import InputError
from analysis.metrics.domain import Domain, domain, together
from analysis.metrics.projection import sample
from analysis.metrics.ranking import sound_seed
from analysis.metrics.readings import Options
from analysis.metrics.result import tuples

DIMS = 3
AXES = ("states", "means")
ROWS = 8192  # rows gone through at once
FINE = 20_000_000  # numbers up to which all is computed in float64
WIDE = 1024  # columns from which only the leading axes are sought


@dataclass(frozen=True, eq=False)
class Paths:
    """Domains and a few of their items through the layers, in one principal component analysis of all states.

    names, layers  of the domains, and of the states in order
    means          (domains, layers, 3)
    threads        (domains, items, layers, 3); rows: which items these are; ids, labels: what they are called, "" without labels
    shares         (3,) of the variance that the axes are of (all states, each domain weighing the same; or the means), what each carries
    captured       (3,) the same of the variance between the means; kept: (layers, 3) of that between the domains at one layer, NaN where there is none
    n              items of each domain
    """

    names: tuple
    layers: tuple
    means: np.ndarray
    threads: np.ndarray
    rows: np.ndarray
    ids: tuple
    labels: tuple
    shares: np.ndarray
    captured: np.ndarray
    kept: np.ndarray
    n: tuple
    options: Mapping = field(default_factory=dict)

    def __post_init__(self):
        tuples(self, "names", "layers", "n")
        for name in ("ids", "labels"):
            object.__setattr__(self, name, tuple(tuple(of) for of in getattr(self, name)))

    def table(self):
        """One line per domain and layer: where its mean is."""
        import pandas as pd
        domain, layer = (index.ravel() for index in np.indices(self.means.shape[:2]))
        places = pd.DataFrame(self.means.reshape(-1, DIMS), columns=[f"axis_{i + 1}" for i in range(DIMS)])
        places.insert(0, "layer", [self.layers[i] for i in layer])
        places.insert(0, "domain", [self.names[i] for i in domain])
        return places

    def manifest(self) -> dict:
        arrays = {name: getattr(self, name).tolist() for name in ("means", "threads", "rows", "shares", "captured")}
        kept = [None if np.isnan(of).any() else of.tolist() for of in self.kept]
        return {"names": list(self.names), "layers": list(self.layers), "n": list(self.n), **arrays, "ids": [list(of) for of in self.ids],
                "labels": [list(of) for of in self.labels], "kept": kept, "options": dict(self.options)}


def paths(domains: Mapping, *, layers: Sequence[str] | None = None, threads: int = 30, seed: int = 0, labels: Mapping | None = None, axes: str = "states",
          progress=None) -> Paths:
    """The paths of some domains: name -> Representation, or a list of (n, d) arrays, one per layer.

    layers   which, in order; without them the window of RADAR's defaults
    threads  items followed of each domain, drawn by class; as many of each, so no more than the smallest has
    labels   name -> labels, of domains that bring none
    axes     principal components of all "states", or of their "means" alone, which set the domains apart as far as a picture can
    """
    if not domains:
        raise InputError("Paths need at least one domain.", "Give a mapping of name to representation.")
    if isinstance(threads, bool) or not isinstance(threads, (int, np.integer)) or threads < 0:
        raise InputError(f"{threads!r} threads were asked for.", "Give a whole number, 0 for none.")
    seed, names = sound_seed(seed), tuple(map(str, domains))
    sets = [domain(given, (labels or {}).get(name), str(name)) for name, given in domains.items()]
    if layers is not None:
        sets = [_only(s, layers) for s in sets]
    options = Options() if layers is None else Options(radius=1000)
    layers = [together(sets[0], s, options) for s in sets][0]
    means = np.array([[s.moments(layer)[0] for layer in layers] for s in sets])
    middle = means.mean(axis=(0, 1))
    if axes not in AXES:
        raise InputError(f"There are no axes of {axes!r}.", f"Use one of {', '.join(AXES)}.")
    kind, (axes, shares) = axes, _axes(sets if axes == "states" else [], layers, means - middle, progress)
    rows = np.array([_drawn(s, min(threads, *map(len, sets)), seed) for s in sets], np.int64).reshape(len(sets), -1)
    followed = [[(s.layers[layer][of] - middle) @ axes for layer in layers] for s, of in zip(sets, rows, strict=True)]
    ids = [[str(given.ids[i]) if hasattr(given, "ids") else str(i) for i in of] for given, of in zip(domains.values(), rows, strict=True)]
    said = [["" if s.labels is None else s.classes[s.labels[i]] for i in of] for s, of in zip(sets, rows, strict=True)]
    return Paths(names, layers, ((means - middle) @ axes).astype(np.float32), np.array(followed, np.float32).swapaxes(1, 2), rows, ids, said, shares,
                 _shown(means - middle, axes, (0, 1)), _shown(means - means.mean(axis=0), axes, 0), list(map(len, sets)),
                 {"layers": list(layers), "threads": int(threads), "seed": seed, "axes": kind})


def _only(of: Domain, layers: Sequence[str]) -> Domain:
    lost = [str(layer) for layer in layers if layer not in of.layers]
    if lost:
        raise InputError(f"{of.name} has no layer {', '.join(lost)}.", f"Choose among {', '.join(of.layers)}.")
    return replace(of, layers={layer: of.layers[layer] for layer in layers})


def _drawn(of: Domain, m: int, seed: int) -> np.ndarray:
    return sample(np.zeros(len(of)) if of.labels is None else of.labels, m, seed=seed)


def _axes(sets: list[Domain], layers: list[str], apart: np.ndarray, progress) -> tuple[np.ndarray, np.ndarray]:
    """The three leading axes (d, 3) of the means and, about them, the states of `sets`; and what share each carries. `apart`: the means about theirs."""
    d, steps = apart.shape[2], len(sets) * len(layers)
    kind = np.float64 if d * len(layers) * sum(map(len, sets)) <= FINE else np.float32
    total = apart.reshape(-1, d).T @ apart.reshape(-1, d)
    for i, s in enumerate(sets):
        for j, layer in enumerate(layers):
            if progress:
                progress(i * len(layers) + j, steps, f"variance of {s.name} at {layer}")
            x, mean = s.layers[layer], s.moments(layer)[0].astype(kind)
            for start in range(0, len(x), ROWS):
                piece = x[start:start + ROWS].astype(kind) - mean
                total += piece.T @ piece / len(x)
    if not total.trace() > 0:
        raise InputError("All of these states are equal: they have no paths.", "Use items that differ, in a model that tells them apart.")
    values, axes = _leading(total)
    axes *= np.where(np.take_along_axis(axes, np.abs(axes).argmax(axis=0)[None], axis=0) < 0, -1, 1)
    missing = DIMS - axes.shape[1]
    return np.pad(axes, ((0, 0), (0, missing))), np.pad(values / total.trace(), (0, missing))


def _shown(apart: np.ndarray, axes: np.ndarray, over) -> np.ndarray:
    """Of the variance over some places, the share that lies on each axis; NaN where there is none."""
    variance = (apart ** 2).sum(axis=-1).sum(axis=over)[..., None]
    there = variance > 0
    return np.where(there, ((apart @ axes) ** 2).sum(axis=over) / np.where(there, variance, 1), np.nan)


def _leading(covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Its largest eigenvalues, largest first, and their vectors."""
    d = len(covariance)
    if d <= WIDE:
        values, axes = np.linalg.eigh(covariance)
    else:
        from scipy.linalg import eigh
        values, axes = eigh(covariance, subset_by_index=[d - DIMS, d - 1])
    return values[:-DIMS - 1:-1].clip(0), axes[:, :-DIMS - 1:-1].copy()
