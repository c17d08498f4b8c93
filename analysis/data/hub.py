"""Datasets of the Hugging Face hub, by id, when its library is installed. Nothing a repository brings along is ever run."""

import importlib
import io

import numpy as np

from analysis.data import images
from analysis.data.dataset import Dataset
from analysis.data.tables import Table, choose, objects
from analysis.errors import InputError

ITEMS = 2000  # drawn unless told: a look at a hub's dataset should not be an afternoon


def load_hub(path: str, *, split: str = "train", config: str | None = None, text: str | None = None, image: str | None = None,
             label: str | None = None, n: int = ITEMS, seed: int = 0) -> Dataset:
    """`org/name`: n items drawn at random from one split. text, image, label: column names; None: the obvious one, "": none."""
    try:
        library = importlib.import_module("datasets")
    except ImportError:
        raise InputError("Datasets of the hub need the library 'datasets', which is not installed.",
                         "Install it into the same environment (pip install datasets), or download the data and load the file.") from None
    try:
        found = library.load_dataset(path, config, split=split)
    except Exception as error:  # the library raises its own kinds, the network's and plain ValueError
        raise _explain(path, split, error) from None
    total, notes = len(found), ()
    if total > n:  # hub sets are often sorted by class: the first n would be one class
        found = found.shuffle(seed=seed).select(range(n))
        notes = (f"{n:,} of {total:,} items drawn, seed {seed}",)
    return _dataset(found, path, split, {"text": text, "image": image, "label": label, "domain": "", "id": ""}, notes)


def _dataset(found, path: str, split: str, asked: dict, notes: tuple) -> Dataset:
    table = Table({name: _values(found[name]) for name in found.column_names})
    chosen, _ = choose(table, path, asked)
    labels, classes = None, ()
    if "label" in chosen:
        labels = table.columns[chosen["label"]]
        classes = tuple(getattr(found.features[chosen["label"]], "names", None) or ())
        labels = labels.astype(str) if labels.dtype == object else labels
    about = dict(labels=labels, classes=classes, domain=path.rsplit("/", 1)[-1], name=path, source=f"hf:{path}?split={split}")
    if "image" in chosen:
        column = table.columns[chosen["image"]]
        items, _, more = images.decode([(f"row {i}", lambda value=value: value) for i, value in enumerate(column)], path)
        return Dataset(items, notes=(*notes, *more), **about)
    if "text" not in chosen:
        raise InputError(f"{path} has no column of texts or images (columns: {', '.join(table.columns)}).",
                         "Name it: hf:org/name?text=COLUMN or ?image=COLUMN.")
    return Dataset(tuple(map(str, table.columns[chosen["text"]])), notes=notes, **about)


def _values(column) -> np.ndarray:
    values = [_png(v) if hasattr(v, "convert") else v for v in column]
    array = np.asarray(values) if all(isinstance(v, (int, float)) for v in values) else None
    return array if array is not None else objects(values)


def _png(picture) -> bytes:
    """The library hands out decoded pictures; the one decoder of this package takes bytes."""
    file = io.BytesIO()
    (picture if picture.mode in ("L", "RGB", "RGBA", "P") else picture.convert("RGB")).save(file, "PNG", compress_level=0)
    return file.getvalue()


def _explain(path: str, split: str, error: Exception) -> InputError:
    said = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else 'no reason given'}"
    if "split" in said.lower():
        return InputError(f"The dataset {path!r} has no split {split!r} ({said}).", "Name one of its splits: hf:org/name?split=test.")
    if "config" in said.lower():
        return InputError(f"The dataset {path!r} has several configurations ({said}).", "Choose one: hf:org/name?config=NAME.")
    return InputError(f"The dataset {path!r} could not be fetched from the hub ({said}).",
                      "Is this machine online, and is the id spelt as on the hub (org/name)? Or download the data and load the file.")
