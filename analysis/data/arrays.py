"""NumPy files: .npy and .npz, never with a pickle in them."""

import io
from pathlib import Path

import numpy as np

from analysis.data.dataset import Dataset, rows_in_words
from analysis.data.guard import Archive
from analysis.errors import InputError

ITEMS = ("x", "data", "features", "embeddings", "items", "images", "arr_0")
LABELS = ("labels", "label", "y", "targets", "target")
IDS = ("ids", "id")
CLASSES = ("classes", "class_names", "target_names")


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """name -> array, in the file's order; a .npy holds one, named like the file, and is mapped from disk."""
    if path.suffix.lower() == ".npy":
        with open(path, "rb") as file:
            _check_npy(file, path.stat().st_size, path.name)
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        return {path.stem: array}
    out = {}
    with Archive(path) as archive:
        for name in archive.entries:
            if not name.endswith(".npy"):
                raise InputError(f"{path.name} holds the entry {name!r}, which is no array.", "Write it with np.savez.")
            raw = archive.read(name)
            file = io.BytesIO(raw)
            _check_npy(file, len(raw), f"{path.name}: {name[:-4]}")
            file.seek(0)
            array = np.lib.format.read_array(file, allow_pickle=False)
            array.flags.writeable = False
            out[name[:-4]] = array
    if not out:
        raise InputError(f"{path.name} holds no arrays.", "Write it with np.savez(path, name=array).")
    return out


def _check_npy(file, size: int, called: str) -> None:
    """A header is believed only when the bytes that it promises are there."""
    try:
        version = np.lib.format.read_magic(file)
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
        shape, _, dtype = read(file)
    except Exception:  # numpy parses the header as Python text, which can go wrong in many ways
        raise InputError(f"{called} has a NumPy header that cannot be read.", "Write it again with np.save.") from None
    if dtype.hasobject:
        raise InputError(f"{called} holds Python objects, which only a pickle can carry; pickles can run code and are never opened.",
                         "Convert it to a plain array first, for example x.astype(np.float32) for numbers or x.astype(str) for texts.")
    if dtype.names or dtype.kind not in "fiubU":
        raise InputError(f"{called} has the type {dtype}.", "Save plain numbers or texts, one array per name.")
    count = 1
    for side in shape:
        count *= side
    if count * dtype.itemsize != size - file.tell():
        raise InputError(f"{called} claims shape {shape} of {dtype} ({count * dtype.itemsize:,} bytes) and holds {size - file.tell():,}.",
                         "Write it again with np.save, or check that the copy is complete.")


def first_named(names, wanted) -> str | None:
    """The first of the wanted names that exists, whatever its case."""
    lower = {str(n).lower(): n for n in reversed(list(names))}
    return next((lower[w] for w in wanted if w in lower), None)


def load_arrays(path: Path, *, label: str | None = None, id: str | None = None, drop_bad_rows: bool = False, name: str = "") -> Dataset:
    """Rows (n, d), or images uint8 (n, h, w, 3), with `y` or `labels` beside them in an npz. label, id: array names, "" for none."""
    arrays = read_arrays(path)
    roles = {}
    for role, asked, usual in (("label", label, LABELS), ("id", id, IDS)):
        if asked and asked not in arrays:
            raise InputError(f"{path.name} holds no array {asked!r}.", f"Its arrays: {', '.join(arrays)}.")
        roles[role] = first_named(arrays, usual) if asked is None else asked
    classes = first_named(arrays, CLASSES)
    rest = [k for k in arrays if k not in (*roles.values(), classes)]
    items = first_named(rest, ITEMS) or (rest[0] if len(rest) == 1 else None)
    if items is None:
        raise InputError(f"{path.name} holds the arrays {', '.join(arrays)}, and none is the obvious table of items.",
                         "Name the items x and the labels y: np.savez(path, x=..., y=...).")
    x, y = arrays[items], arrays.get(roles["label"])
    ids = arrays[roles["id"]] if roles["id"] else np.arange(len(x) if x.ndim else 0)
    if x.ndim == 3 and x.dtype == np.uint8:
        raise InputError(f"{path.name}: {items!r} has shape {x.shape}.",
                         "Grey pictures? Repeat them into 3 channels: np.stack([x] * 3, axis=-1).")
    notes = []
    if drop_bad_rows and x.ndim == 2 and x.dtype.kind == "f" and len(ids) == len(x):
        good = finite_rows(x)
        if not good.all():
            notes.append(dropped(~good))
            x, ids, y = x[good], ids[good], y[good] if y is not None and y.shape == good.shape else y
    names = [str(c) for c in arrays[classes]] if classes and arrays[classes].ndim == 1 and y is not None else ()
    return Dataset(x, y, names, [str(i) for i in ids], path.stem, name or path.stem, str(path), "", tuple(notes))


def finite_rows(x: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        return np.isfinite(x.astype(np.float32, copy=False)).all(axis=1)


def dropped(bad: np.ndarray) -> str:
    """A note of which rows went."""
    return f"dropped {rows_in_words(bad)} with empty, NaN or infinite values"
