"""Dataset: what goes into a model."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from analysis.digest import digest
from analysis.errors import InputError


@dataclass(frozen=True, eq=False)
class Dataset:
    """Items of one domain with their labels.

    items     images uint8 (n, h, w, 3), a tuple of texts, or arrays float32 (n, d); read-only
    labels    int64 (n,) in 0..C-1, or None
    classes   class names, one per label value
    ids       one text per item, unique; the same item keeps its id across derived domains
    domain    where the items come from: "handwritten", "film", ...
    name      what a person reads; source: the id or file it came from; about: one sentence
    """

    items: np.ndarray | tuple
    labels: np.ndarray | None = None
    classes: tuple = ()
    ids: tuple = ()
    domain: str = ""
    name: str = ""
    source: str = ""
    about: str = ""
    notes: tuple = field(default=())  # what loading changed: "3 rows with NaN dropped", "read as latin-1"

    def __post_init__(self):
        put = lambda key, value: object.__setattr__(self, key, value)  # noqa: E731
        put("items", _check_items(self.items, self._called, self.name))
        n = len(self)
        if n < 2:
            raise InputError(f"{self._called} has {n} item{'s' * (n != 1)}.", "At least 2 items are needed to compare anything.")
        put("ids", tuple(str(i) for i in self.ids) if len(self.ids) else tuple(str(i) for i in range(n)))
        if len(self.ids) != n:
            raise InputError(f"{self._called} has {n} items but {len(self.ids)} ids.", "Give one id per item.")
        if len(set(self.ids)) != n:
            twice = Counter(self.ids).most_common(1)[0][0]
            raise InputError(f"{self._called} uses the id {twice!r} more than once.", "Ids must be unique within a dataset.")
        if self.labels is not None:
            labels, classes = index_labels(self.labels, self.classes, n, self._called)
            put("labels", labels)
            put("classes", classes)
        elif self.classes:
            put("classes", ())

    def __len__(self) -> int:
        return len(self.items)

    def __repr__(self) -> str:
        kind = {"image": "images", "text": "texts", "array": "arrays"}[self.modality]
        shape = "" if self.modality == "text" else " " + " x ".join(map(str, self.items.shape[1:3]))
        return f"Dataset({self.name or self.domain or 'items'}: {len(self)} {kind}{shape}; {len(self.classes) or 'no'} classes)"

    @property
    def _called(self) -> str:
        return f"The dataset {self.name!r}" if self.name else "The dataset"

    @cached_property
    def modality(self) -> str:
        if isinstance(self.items, tuple):
            return "text"
        return "image" if self.items.ndim == 4 else "array"

    @cached_property
    def digest(self) -> str:
        """Of the content alone: two names for the same items share it."""
        return digest("dataset", self.items, self.labels, self.classes, self.ids, self.domain)

    def take(self, rows: Sequence[int], note: str = "") -> "Dataset":
        """The same dataset with some of its rows, in the order given; class indices keep their meaning where all classes remain."""
        rows = np.asarray(rows)
        if rows.dtype == bool:
            rows = np.flatnonzero(rows)
        items = self.items[rows] if isinstance(self.items, np.ndarray) else tuple(self.items[i] for i in rows)
        labels = None if self.labels is None else np.asarray(self.classes, dtype=object)[self.labels[rows]]
        present = () if labels is None else set(labels)
        return Dataset(items, labels, tuple(c for c in self.classes if c in present),
                       tuple(self.ids[i] for i in rows), self.domain, self.name, self.source, self.about,
                       self.notes + ((note,) if note else ()))


def index_labels(labels, classes, n: int, called: str = "The dataset") -> tuple[np.ndarray, tuple]:
    """Labels of any kind as int64 in 0..C-1 with their class names; one class or a wrong count is refused."""
    given, labels = labels, as_array(labels, "labels")
    if labels.shape != (n,):
        raise InputError(f"{called} has {n} rows but labels of shape {labels.shape}.", "Give exactly one label per row.")
    if labels.dtype.kind not in "iub":
        # looked for in what was given: numpy makes the text "nan" of a NaN among texts
        values = given if isinstance(given, (list, tuple)) else labels.tolist()
        gone = np.array([not isinstance(v, str) and str(v) in ("None", "nan", "NaT", "<NA>") for v in values])
        if gone.any():
            raise InputError(f"{called} has no label (None or NaN) in {rows_in_words(gone)}.",
                             "Give every row a label, or leave those rows out.")
    if labels.dtype.kind == "f":
        if not np.isfinite(labels).all() or (labels != np.round(labels)).any():
            raise InputError(f"{called} has labels that are not whole numbers.", "Labels name classes: use whole numbers or texts.")
        if (np.abs(labels) > 2.0**53).any():
            raise InputError(f"{called} has labels beyond 2**53, where a float no longer tells whole numbers apart.",
                             "Give labels as integers or texts.")
        labels = labels.astype(np.int64)
    if labels.dtype.kind in "iu" and len(classes) and labels.min() >= 0 and labels.max() < len(classes):
        index, names = labels.astype(np.int64), tuple(str(c) for c in classes)
    elif labels.dtype.kind in "iu" and not len(classes):
        values, index = np.unique(labels, return_inverse=True)
        names = tuple(str(v) for v in values)
    else:
        texts = [str(v) for v in labels]
        names = tuple(str(c) for c in classes) if len(classes) else tuple(sorted(set(texts)))
        place = {c: i for i, c in enumerate(names)}
        missing = sorted(set(texts) - set(place))
        if missing:
            raise InputError(f"{called} has the label {missing[0]!r}, which is not among its class names.",
                             "List every class, or none; whole numbers count the names from 0.")
        index = np.array([place[t] for t in texts], dtype=np.int64)
    present = np.unique(index)
    if len(present) < 2:
        raise InputError(f"{called} has {n} rows and all carry the label {names[present[0]]!r}.",
                         "One class cannot be told apart from another: choose a different label column (or domain column), or load without labels.")
    if len(present) < len(names):  # labels are re-indexed before any metric: no empty classes
        names = tuple(names[i] for i in present)
        index = np.searchsorted(present, index)
    index = np.ascontiguousarray(index, dtype=np.int64)
    index.flags.writeable = False
    return index, names


def _check_items(items, called: str, name: str):
    if isinstance(items, Sequence) and not isinstance(items, (str, bytes)):
        odd = [i for i, t in enumerate(items) if not isinstance(t, str)]
        if not odd:
            return tuple(str(t) for t in items)
        if len(odd) < len(items):
            raise InputError(f"{called} holds texts, but item {odd[0]} is of type {type(items[odd[0]]).__name__}.",
                             "Give every item as a text.")
    items = as_array(items, called)
    if items.ndim == 1 and items.dtype.kind in "OUT" and all(isinstance(t, str) for t in items.tolist()):  # a column of texts
        return tuple(items.tolist())
    if items.ndim == 2 and items.dtype.kind in "fiu":
        items = check_matrix(items, name or "the array")
    elif items.ndim != 4 or items.dtype != np.uint8 or items.shape[3] != 3:
        raise InputError(f"Items of shape {items.shape} and type {items.dtype} are neither images nor rows nor texts.",
                         "Images are uint8 (n, height, width, 3); arrays are numbers (n, width); texts are a list of str.")
    return frozen(np.ascontiguousarray(items))


def as_array(x, called: str) -> np.ndarray:
    """numpy, torch or nested lists in, numpy out, without importing torch."""
    try:
        if hasattr(x, "detach"):
            x = x.detach().cpu()
            try:
                x = x.numpy()
            except TypeError:  # bfloat16 and its like, which numpy does not know
                x = x.float().numpy()
        return np.asarray(x)
    except (ValueError, TypeError, RuntimeError) as error:
        raise InputError(f"{called} cannot be read as one array: {str(error).splitlines()[0].rstrip('.')}.",
                         "Every row must have the same length.") from None


def frozen(x: np.ndarray) -> np.ndarray:
    """x, read-only for good: a copy where it can be written, or what it is a view of; a read-only map stays a map."""
    under = x
    while isinstance(under, np.ndarray) and not under.flags.writeable:
        under = under.base
    if isinstance(under, np.ndarray):
        x = np.array(x)  # the caller's own array stays theirs to change
        x.flags.writeable = False
    return x


def rows_in_words(bad: np.ndarray) -> str:
    """Which rows: "3 of 100 rows (rows 4, 8, 9; the first row is 0)"."""
    where = np.flatnonzero(bad)
    shown = ", ".join(str(i) for i in where[:5]) + (", ..." if len(where) > 5 else "")
    return f"{len(where)} of {len(bad)} rows (row{'s' * (len(where) > 1)} {shown}; the first row is 0)"


def check_matrix(x, name: str, *, rows: int | None = None) -> np.ndarray:
    """A 2-D table of finite numbers as float32, or an InputError that says which layer and rows are at fault."""
    x = np.asarray(x)
    if x.dtype.kind not in "fiub" or x.ndim != 2:
        hint = "A layer is a table with one row per item and one column per feature."
        if x.ndim == 3:
            hint += " Average or pick one position of the middle axis first, for example x.mean(axis=1)."
        elif x.ndim == 1:
            hint += " One number per item? Give it a second axis: x[:, None]."
        raise InputError(f"{name!r} has shape {x.shape} and type {x.dtype}.", hint)
    if rows is not None and len(x) != rows:
        raise InputError(f"{name!r} has {len(x)} rows, the others have {rows}.", "Every layer must hold the same items in the same order.")
    if x.shape[1] == 0:
        raise InputError(f"{name!r} has no columns.", "Give at least one feature per item.")
    with np.errstate(over="ignore"):
        x = x.astype(np.float32, copy=False)
    bad = ~np.isfinite(x).all(axis=1)
    if bad.any():
        raise InputError(f"{name!r} has NaN or infinite values in {rows_in_words(bad)}.",
                         "Drop these rows (the load page offers it; in Python: drop_bad_rows=True) or mend them.")
    return x
