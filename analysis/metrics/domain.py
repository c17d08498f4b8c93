"""A domain as RADAR reads it: the states of its items, their labels, and the model they come from; and the window of states that is looked at."""

import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from analysis.errors import InputError
from analysis.metrics.ranking import table
from analysis.metrics.readings import Options

FEWEST = 20  # items
BLOCK = 8192  # rows whose moments are taken at once


@dataclass(frozen=True, eq=False)
class Domain:
    """Layers of one domain. labels are 0..C-1, or None; classes: their names. ids: what the items are called, or None where only their rows tell them apart.
    made: what is known of the model it comes from."""

    name: str
    layers: Mapping
    labels: np.ndarray | None = None
    classes: tuple = ()
    ids: np.ndarray | None = None
    made: Mapping = field(default_factory=dict)
    _moments: dict = field(default_factory=dict)

    def __len__(self) -> int:
        return len(next(iter(self.layers.values())))

    def states(self, names: Sequence) -> list[np.ndarray]:
        return [self.layers[name] for name in names]

    def moments(self, layer) -> tuple[np.ndarray, float]:
        """(mean, root mean square distance from it) of a state, in float64."""
        if layer not in self._moments:
            x = self.layers[layer]
            blocks = [slice(i, i + BLOCK) for i in range(0, len(x), BLOCK)]
            mean = sum(x[rows].sum(axis=0, dtype=np.float64) for rows in blocks) / len(x)
            self._moments[layer] = mean, float(np.sqrt(sum(((x[rows] - mean)**2).sum() for rows in blocks) / len(x)))
        return self._moments[layer]


def domain(x, labels=None, called: str = "domain") -> Domain:
    """From a Representation, or a list of (n, d) arrays (numpy or torch), one per layer."""
    if isinstance(x, Domain):
        return x
    given = isinstance(getattr(x, "layers", None), Mapping)
    layers = dict(x.layers) if given else _arrays(x, called)
    n = len(next(iter(layers.values())))
    if n < FEWEST:
        raise InputError(f"{_title(called)} has {n} items; RADAR needs {FEWEST} or more.", "Take a larger dataset.")
    if labels is not None:
        classes, labels = _labelled(labels, n, called)
    else:
        classes, labels = (x.classes, x.labels) if given and x.labels is not None else ((), None)
    name = (x.domain or called) if given else called
    ids = tuple(getattr(x, "ids", ()) if given else ())
    named = len(ids) == n and ids != tuple(map(str, range(n)))
    return Domain(name, layers, labels, tuple(map(str, classes)), np.array(ids) if named else None, _made(x) if given else {})


def together(target: Domain, source: Domain, options) -> list:
    """The window that both are looked at in; refused where they do not come from one model, or one of them is the same item over and over there."""
    _read(options)
    hint = "Extract both domains with one model."
    known = lambda what: [side.made[what] for side in (target, source) if side.made.get(what)]  # noqa: E731
    for what in ("digest" if len(known("digest")) == 2 else "name", "pooling"):  # where both have one, a digest says more than a name
        if len(set(known(what))) == 2:
            mine, other = known("name" if what == "digest" and len(set(known("name"))) == 2 else what)
            raise InputError(f"{_title(target.name)} and {source.name} do not come from one model: the {'pooling' if what == 'pooling' else 'model'} is "
                             f"{mine} and {other}.", hint)
    if list(target.layers) != list(source.layers):
        count = f"{len(target.layers)} and {len(source.layers)}"
        first = next((f"{a!r} and {b!r}" for a, b in zip(target.layers, source.layers, strict=False) if a != b), count)
        raise InputError(f"{_title(target.name)} and {source.name} do not have the same layers: {first}.", hint)
    for name in target.layers:
        widths = [side.layers[name].shape[1] for side in (target, source)]
        if widths[0] != widths[1]:
            raise InputError(f"Layer {name!r} has {widths[0]} columns in {target.name} and {widths[1]} in {source.name}.", hint)
    if options.sampling == "same_class" and (target.labels is None or source.labels is None):
        bare = target if target.labels is None else source
        raise InputError(f"Partners of the anchor's class need labels, and {bare.name} has none.", "Give labels, or use the stratified or uniform sampling.")
    layers = window(target.layers, options)
    for side in (target, source):
        for name in layers:
            mean, spread = side.moments(name)
            if spread <= np.finfo(side.layers[name].dtype).eps * np.linalg.norm(mean):
                raise InputError(f"All {len(side)} items of {side.name} are the same in layer {name!r}: constant features hold nothing to compare.",
                                 "Choose a window without this layer: another centre, or a smaller radius.")
    return layers


def window(layers, options) -> list:
    """The names (of a list: the indices) of the states around `options.centre`, moved inwards where they would not fit; all where there are fewer."""
    _read(options)
    names = list(layers) if isinstance(layers, Mapping) else list(range(len(layers)))
    widths = [(layers[name]).shape[1] for name in names]
    if len(names) < 2:
        raise InputError(f"There {'is only one layer' if names else 'are no layers'}; RADAR follows items from one layer to the next.",
                         "Give the states of two layers or more.")
    span, middle = 2 * options.radius + 1, _centre(names, options.centre)
    start = max(0, min(middle - options.radius, len(names) - span))
    inside = range(start, min(start + span, len(names)))
    if len({widths[i] for i in inside}) > 1:
        begin, length = _run(widths)
        usual = widths[begin] if length > 1 else max(sorted({widths[i] for i in inside}), key=[widths[i] for i in inside].count)
        odd = ", ".join(f"{names[i]!r} has {widths[i]}" for i in inside if widths[i] != usual)
        raise InputError(f"The layers of the window do not share one width of {usual}: {odd}.", _offer(names, begin, length))
    return [names[i] for i in inside]


def reference(layers: Sequence):
    """The layer in the middle of a window."""
    return layers[len(layers) // 2]


def _read(options) -> None:
    if not isinstance(options, Options):
        raise InputError(f"The options are {options!r}.", "Give radar.Options(...).")


def _centre(names: list, centre) -> int:
    if centre is None:
        return len(names) // 2
    if isinstance(centre, str) and centre in names:
        return names.index(centre)
    if isinstance(centre, str) and not centre.isdecimal():
        raise InputError(f"There is no layer {centre!r}.", f"Choose one of {', '.join(map(str, names))}.")
    centre = int(centre)  # no layer is called so: a place
    if centre >= len(names):
        raise InputError(f"There is no layer {centre} among {len(names)}.", f"They are numbered from 0 to {len(names) - 1}.")
    return centre


def _run(widths: list[int]) -> tuple[int, int]:
    """(begin, length) of the longest run of equal widths; the first of such."""
    best = begin = length = 0
    for i, width in enumerate(widths):
        begin = begin if i and width == widths[i - 1] else i
        if i + 1 - begin > length:
            best, length = begin, i + 1 - begin
    return best, length


def _offer(names: list, begin: int, length: int) -> str:
    radius = (length - 1) // 2
    if not radius:
        return "No three layers in a row share a width: take a model whose layers do."
    return f"A window that fits has the centre {names[begin + radius]!r} and the radius {radius}."


def _arrays(x, called: str) -> dict[str, np.ndarray]:
    if isinstance(x, Mapping) or isinstance(x, str) or not hasattr(x, "__len__") or not len(x) or np.ndim(x[0]) != 2:
        raise InputError(f"{_title(called)} is no list of layers.", "Give a Representation, or a list of (n, d) arrays, one per layer.")
    found = {}
    for i, layer in enumerate(x):
        layer = table(layer, f"{_title(called)}, layer {i}: states")
        found[str(i)] = layer if layer.dtype in (np.float32, np.float64) else layer.astype(np.float64 if layer.dtype.kind in "iu" else np.float32)
        if len(layer) != len(found["0"]):
            raise InputError(f"{_title(called)}: layer {i} has {len(layer)} rows and layer 0 has {len(found['0'])}.",
                             "Every layer must hold the same items in the same order.")
    return found


def _labelled(labels, n: int, called: str) -> tuple[tuple, np.ndarray]:
    labels = labels.detach().cpu().numpy() if hasattr(labels, "detach") else labels
    shape, values = np.shape(labels), list(labels.tolist() if isinstance(labels, np.ndarray) else labels)
    if shape != (n,):
        raise InputError(f"{_title(called)} has {n} items and labels of shape {shape}.", "Give one label per item.")
    kinds = {float if isinstance(v, numbers.Real) and not isinstance(v, bool) else type(v) for v in values}
    if any(v is None or v != v for v in values) or len(kinds) > 1 or not kinds <= {float, str, bool}:
        raise InputError(f"The labels of {called} are not of one kind, or some are missing.", "Give every item a label: all names, or all numbers.")
    classes, index = np.unique(values, return_inverse=True)
    return tuple(map(_class, classes.tolist())), index


def _class(label) -> str:
    """1 and 1.0 are one class."""
    return str(int(label)) if isinstance(label, float) and label.is_integer() else str(label)


def _made(x) -> dict:
    """What two representations must share, as far as it is known."""
    model = x.manifest.get("model", {})
    return {"digest": model.get("digest"), "name": model.get("name"), "pooling": x.manifest.get("pooling")}


def _title(name: str) -> str:
    return name[:1].upper() + name[1:]
