"""Datasets of the Hugging Face hub, by id, when its library is installed. Nothing a repository brings along is ever run."""

import importlib
import io
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import numpy as np

from analysis.data.dataset import Dataset
from analysis.data.tables import Table, build, choose, objects
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
    notes = ()
    try:
        found = library.load_dataset(path, config, split=split)
        if len(found) > n:  # hub sets are often sorted by class: the first n would be one class
            notes = (f"{n:,} of {len(found):,} items drawn, seed {seed}",)
            found = found.shuffle(seed=seed).select(range(n))
        table = Table({name: _values(found[name], found.features[name]) for name in found.column_names}, notes=notes)
    except Exception as error:  # the library raises its own kinds, the network's and plain ValueError
        raise _explain(path, split, error) from None
    chosen, asked = choose(table, path, {"text": text, "image": image, "label": label, "domain": "", "id": ""})
    made = build(table, np.arange(len(found)), Path(path), chosen, asked, True, path.rpartition("/")[2], path)
    options = {"split": split, "config": config, "n": n, "seed": seed}
    return replace(made, source=f"hf:{path}?" + urlencode({k: v for k, v in options.items() if v is not None}))


def _values(column, feature) -> np.ndarray:
    """A column as `Table` holds it: pictures as bytes, classes by name, numbers as an array."""
    values = list(column)
    names = getattr(feature, "names", None)
    if names:
        return objects([names[v] if v is not None and v >= 0 else None for v in values])  # -1 marks a hidden label
    if values and all(isinstance(v, (int, float)) for v in values):
        return np.asarray(values)
    return objects([_png(v) if hasattr(v, "convert") else v for v in values])


def _png(picture) -> bytes:
    """The library hands out decoded pictures; the one decoder of this package takes bytes."""
    file = io.BytesIO()
    (picture if picture.mode in ("L", "P", "RGB", "RGBA", "I", "I;16") else picture.convert("RGB")).save(file, "PNG", compress_level=0)
    return file.getvalue()


def _explain(path: str, split: str, error: Exception) -> InputError:
    said = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else 'no reason given'}"
    if "split" in said.lower():
        return InputError(f"The dataset {path!r} has no split {split!r} ({said}).", "Name one of its splits: hf:org/name?split=test.")
    if "config" in said.lower():
        return InputError(f"The dataset {path!r} has several configurations ({said}).", "Choose one: hf:org/name?config=NAME.")
    return InputError(f"The dataset {path!r} could not be fetched from the hub ({said}).",
                      "Is this machine online, and is the id spelt as on the hub (org/name)? Or download the data and load the file.")
