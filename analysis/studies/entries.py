"""What a unit of work is given to look at, {"representation"} or {"model", "dataset"}; its layers; and which rows of two of them are the same item."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.errors import InputError
from analysis.extraction import extract

FEWEST = 4  # items that can be compared


def opened(entry: dict, progress):
    """The Representation. A model is run on its dataset first, unless the store has it; `progress` is told of that alone."""
    r = entry.get("representation")
    if r is None:
        r = extract(entry["model"], entry["dataset"], progress=lambda done, total, note: progress(done, total, f"extracting {note}"))
    return r


def all_opened(entries: Sequence[dict], progress, needed: int = 0) -> list:
    """The Representation of each entry, or the error that there is in its place; of the first `needed` it is raised."""
    models, found = {}, []
    for i, entry in enumerate(entries):
        progress(i, len(entries), "opening the domains")
        model = entry.get("model")
        if model is not None:
            entry = {**entry, "model": models.setdefault(model.digest, model)}  # its copies would each load their weights
        try:
            found.append(opened(entry, progress))
        except (InputError, MemoryError) as error:
            if i < needed:
                raise
            found.append(error)
    return found


def states(r, layer: str | None) -> tuple[str, np.ndarray]:
    """(name, rows) of a layer; the last one where none is named."""
    layer = layer or list(r.layers)[-1]
    if layer not in r.layers:
        raise InputError(f"There is no layer {layer!r} in {r!r}.", f"Choose one of {', '.join(r.layers)}.")
    return layer, r.layers[layer]


def called(r) -> str:
    """The model it was made by, as far as that is known."""
    return r.manifest.get("model", {}).get("name") or r.manifest.get("model_name") or ""


def title(entry: dict) -> str:
    """The domain of an entry, as far as that is known."""
    r, data = entry.get("representation"), entry.get("dataset")
    return (r.domain or called(r) if r is not None else data.domain or data.name) or "unnamed"


def named(entries: Sequence[dict], options: dict, fewest: int = 1) -> tuple[str, ...]:
    """What the entries are called, as given or by their domains: each something else."""
    given = tuple(map(str, options.get("names") or map(title, entries)))
    if len(entries) < fewest or len(given) != len(entries):
        raise InputError(f"{len(given)} names and {len(entries)} domains were given.", f"Give {fewest} or more domains, and one name for each, or none.")
    twice = [name for name in dict.fromkeys(given) if given.count(name) > 1]
    if twice:
        raise InputError(f"More than one domain is called {twice[0]!r}.", "Give each a name of its own, once.")
    return given


def there(side):
    """The Representation, unless there is an error in its place."""
    if isinstance(side, Exception):
        raise side
    return side


def said(error: Exception) -> str:
    """What a reader is told of an error."""
    return str(error) or "There is not enough memory for this."


@dataclass(frozen=True, eq=False)
class Matched:
    """Rows of two representations that are the same items, in the order of the first.

    left_out  items that only the first, only the second has
    labels    class of each item, by whichever side has them, or None; classes: their names
    notes     what a reader should know of how they were matched
    """

    a: np.ndarray
    b: np.ndarray
    ids: tuple
    left_out: tuple
    labels: np.ndarray | None
    classes: tuple
    notes: tuple

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def clusters(self) -> int:
        """Classes that have items; 0 without labels."""
        return 0 if self.labels is None else len(np.unique(self.labels))

    def sample(self, limit: int, seed: int) -> "Matched":
        """The same, or so many of them, drawn uniformly."""
        if len(self) <= limit:
            return self
        rows = np.sort(np.random.default_rng(seed).choice(len(self), limit, replace=False))
        note = f"Computed on {limit:,} of {len(self):,} items, drawn uniformly.".replace(",", "\u202f")
        return Matched(self.a[rows], self.b[rows], tuple(self.ids[i] for i in rows), self.left_out, None if self.labels is None else self.labels[rows],
                       self.classes, (*self.notes, note))


def matched(a, b) -> Matched:
    """By id; by row where neither side has ids of its own, if both have as many rows and may be of one dataset."""
    first, second = _described(a, "the first"), _described(b, "the second")
    numbered, known = _numbered(a) and _numbered(b), bool(a.dataset and b.dataset)
    if numbered and known and a.dataset != b.dataset:
        raise InputError(f"Nothing tells which items of {first} and {second} are the same: the datasets differ and have no ids.",
                         "Compare two representations of one dataset, or give the items ids.")
    if numbered and len(a) != len(b):
        raise InputError(f"Nothing tells which of the {len(a)} rows of {first} and the {len(b)} of {second} belong together: they have no ids.",
                         "Give both the same items in the same order, or one id per row.")
    place = {item: row for row, item in enumerate(b.ids)}
    rows = np.array([i for i, item in enumerate(a.ids) if item in place], np.int64)
    if min(len(a), len(b)) < FEWEST:
        raise InputError(f"There are only {min(len(a), len(b))} items; an alignment needs at least {FEWEST}.", "Choose a larger dataset.")
    if len(rows) < FEWEST:
        few = f"only {len(rows)} item{'s' * (len(rows) != 1)}" if len(rows) else "no items"
        raise InputError(f"{first[0].upper()}{first[1:]} and {second} have {few} in common.",
                         f"Items are matched by their ids, and {FEWEST} or more are needed: compare two representations of one dataset.")
    ids = tuple(a.ids[i] for i in rows)
    others = np.array([place[item] for item in ids], np.int64)
    owner, at = (b, others) if a.labels is None else (a, rows)
    notes = ("Neither side has ids: row i was taken for the same item in both.",) if numbered and not known else ()
    return Matched(rows, others, ids, (len(a) - len(rows), len(b) - len(rows)), None if owner.labels is None else owner.labels[at], owner.classes, notes)


def _numbered(r) -> bool:
    return r.ids == tuple(map(str, range(len(r))))


def _described(r, otherwise: str) -> str:
    """Model and dataset, for a message."""
    data = r.manifest.get("dataset", {}).get("name") or r.domain
    model = called(r) or otherwise
    return f"{model} on {data}" if data else model
