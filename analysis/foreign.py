"""Representations made elsewhere: safetensors, NumPy, parquet, csv and tsv, one or many layers."""

import json
import math
import re
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analysis.data import tables
from analysis.data.arrays import CLASSES, IDS, dropped, finite_rows, first_named, read_arrays
from analysis.data.arrays import LABELS as USUAL_LABELS
from analysis.data.dataset import as_array, rows_in_words
from analysis.data.guard import MAX_FILE, MAX_UNPACKED, Archive, as_path, check_file
from analysis.errors import InputError
from analysis.representation import HEADER, LABELS, LOGITS, Representation, entry_name, from_header
from analysis.tensors import open_tensors, read_header

PROBABILITIES = ("probabilities", "probs", "proba")
SMALLEST = 1e-12  # a probability of nothing has no logarithm
ENDINGS = (".safetensors", ".npz", ".npy", *tables.ENDINGS)


@dataclass(frozen=True)
class Preview:
    """What a page asks about before a file is loaded: the layers in the order guessed, and which arrays play another role."""

    layers: tuple  # of (name, shape, dtype)
    order: tuple
    labels_key: str
    logits_key: str
    probabilities_key: str
    ids_key: str
    notes: tuple


@dataclass
class _File:
    """What a foreign file holds, sorted by role. Keys are "" where the role is not played."""

    name: str
    arrays: dict
    layers: list
    labels: str = ""
    logits: str = ""
    probabilities: str = ""
    ids: str = ""
    classes: str = ""
    notes: tuple = ()


def inspect_representation(path) -> Preview:
    path = as_path(path)
    own = _read_own(path)
    if own:
        tensors, header = own
        order = tuple(k for k in header["order"] if k in tensors)
        shapes = tuple((k, tensors[k].shape, str(tensors[k].dtype)) for k in order)
        held = lambda key: key.removeprefix("sextant.") if key in tensors else ""
        return Preview(shapes, order, held(LABELS), held(LOGITS), "", "ids", ("written by Sextant",))
    file = _open(path)
    shapes = tuple((k, file.arrays[k].shape, str(file.arrays[k].dtype)) for k in file.layers)
    return Preview(shapes, tuple(file.layers), file.labels, file.logits, file.probabilities, file.ids, file.notes)


def load_representation(path, *, labels=None, order=None, drop_bad_rows: bool = False) -> Representation:
    """A representation from a file of any of the kinds in `ENDINGS`.

    labels  one per row; or the name of an array or column in the file; or the path of a table of labels, such as the metadata.tsv
            of TensorBoard's projector, alone or as (path, column). None: the array or column named like labels; "": none
    order   layer names, which and in what order; None: all in natural order (block2 before block10)
    drop_bad_rows   leave out rows with NaN or infinite values
    """
    path = as_path(path)
    own = _read_own(path)
    if own:
        return _from_own(*own, path, labels, order, drop_bad_rows)
    file = _open(path, labels if isinstance(labels, str) else None)
    names = _ordered(file.layers, order, path.name)
    layers = {k: file.arrays[k] for k in names}
    _check_rows(layers, path.name)
    n = len(next(iter(layers.values())))
    values, ids = _labels(labels, file, n)
    classes = file.arrays[file.classes] if file.classes and labels is None else ()
    ids = file.arrays[file.ids] if ids is None and file.ids else ids
    logits = _logits(file)
    notes = list(file.notes)
    bad = _bad_rows([*layers.values(), logits] if drop_bad_rows else [], values, n)  # otherwise each layer is checked and named by itself
    if bad.any() and not drop_bad_rows:
        raise InputError(f"{path.name} has no label in {rows_in_words(bad)}.", "Drop these rows (drop_bad_rows=True) or fill in their labels.")
    if bad.any():
        notes.append(dropped(bad))
        layers = {k: v[~bad] for k, v in layers.items()}
        ids = np.arange(n) if ids is None else ids
        values, ids, logits = (v if v is None or len(v) != n else v[~bad] for v in (values, ids, logits))
    manifest = {"model_name": path.stem, "source": path.name} | ({"notes": notes} if notes else {})
    return Representation(layers, values, tuple(map(str, classes)), () if ids is None else tuple(map(str, ids)), logits, manifest=manifest)


# our own files


def _read_own(path: Path) -> tuple[dict, dict] | None:
    """(tensors, header) of a file that `Representation.save` or the store wrote; None when it is somebody else's."""
    ending = path.suffix.lower()
    if ending not in (".safetensors", ".npz"):
        return None
    check_file(path, limit=_limit(path))
    with _header_trouble(path):
        if ending == ".safetensors":
            meta = read_header(path)[1]
            if "sextant" not in meta:
                return None
            tensors, header = open_tensors(path), json.loads(meta["sextant"])
        else:
            with Archive(path) as archive:
                if f"{HEADER}.npy" not in archive.entries:
                    return None
            arrays = read_arrays(path)
            header = json.loads(arrays[HEADER].tobytes())
            tensors = {k: arrays[entry_name(k)] for k in (*header["order"], LOGITS, LABELS) if entry_name(k) in arrays}
        if not all(isinstance(k, str) for k in header["order"]):
            raise ValueError("a layer is named by a text")
        return tensors, header


def _from_own(tensors: dict, header: dict, path: Path, labels, order, drop_bad_rows: bool) -> Representation:
    if order is not None:
        header["order"] = _ordered(header["order"], order, path.name)
    with _header_trouble(path):
        if labels is not None:
            tensors[LABELS], _ = _labels(labels, _File(path.name, {}, []), len(header["ids"]))
            header["classes"] = ()
        if drop_bad_rows:
            tensors, header = _without_bad_rows(tensors, header)
        return from_header(tensors, header)


def _without_bad_rows(tensors: dict, header: dict) -> tuple[dict, dict]:
    order, manifest = header["order"], header.get("manifest", {})
    n = len(tensors[order[0]])
    bad = _bad_rows([tensors.get(k) for k in (*order, LOGITS)], tensors.get(LABELS), n)
    if not bad.any():
        return tensors, header
    ids = [i for i, gone in zip(header["ids"], bad, strict=True) if not gone]
    notes = [*manifest.get("notes", ()), dropped(bad)]
    return ({k: v[~bad] if v is not None and len(v) == n else v for k, v in tensors.items()},
            {**header, "ids": ids, "dataset": "", "manifest": {**manifest, "notes": notes}})  # no longer the rows of that dataset


@contextmanager
def _header_trouble(path: Path):
    try:
        yield
    except InputError:
        raise
    except (ValueError, TypeError, AttributeError, KeyError, IndexError):
        raise InputError(f"{path.name} carries a Sextant header that cannot be read.", "Save the representation again.") from None


def _limit(path: Path) -> float:
    """safetensors are mapped, not read; arrays that somebody computed may be larger than what is uploaded."""
    return {".safetensors": math.inf, ".npz": MAX_UNPACKED, ".npy": MAX_UNPACKED}.get(path.suffix.lower(), MAX_FILE)


# everybody else's


def _open(path: Path, label: str | None = None) -> _File:
    check_file(path, limit=_limit(path))
    ending = path.suffix.lower()
    if ending in tables.ENDINGS:
        return _from_table(path, label)
    if ending not in ENDINGS:
        raise InputError(f"{path.name} is of a kind that is not read as a representation.",
                         f"Bring one of: {', '.join(ENDINGS)}.")
    arrays = open_tensors(path) if ending == ".safetensors" else read_arrays(path)
    flat = [k for k, v in arrays.items() if v.ndim == 1 or v.shape[1:] == (1,)]
    known = lambda names, wanted: first_named(names, wanted) or ""
    file = _File(path.name, arrays, [], logits=known(arrays, ("logits",)), probabilities=known(arrays, PROBABILITIES),
                 labels=label if label in arrays else known(flat, USUAL_LABELS), ids=known(flat, IDS), classes=known(flat, CLASSES))
    rest = [k for k in arrays if k not in (file.labels, file.ids, file.logits, file.probabilities, file.classes)]
    file.layers = sorted([k for k in rest if arrays[k].ndim >= 2] or rest, key=natural)
    left = [k for k in rest if k not in file.layers]
    file.notes = (f"left out, for want of two axes: {', '.join(left)}",) if left else ()
    file.notes += tuple(f"{k!r} has shape {arrays[k].shape} and is taken for a layer; labels have one axis, as y.argmax(axis=1) has"
                        for k in file.layers if k.lower() in USUAL_LABELS and arrays[k].ndim >= 2)
    if not file.layers:
        raise InputError(f"{path.name} holds no layer (arrays: {', '.join(arrays) or 'none'}).",
                         "Give at least one table with one row per item.")
    return file


def _from_table(path: Path, label: str | None) -> _File:
    """All columns of numbers are one layer; every column of vectors is a layer of its own."""
    table = tables.read_table(path)
    asked = {"label": label if label is None or label in table.columns else "", "text": "", "image": "", "domain": "", "id": None}
    roles, _ = tables.choose(table, path.name, asked)
    kinds = {k: tables.kind(v) for k, v in table.columns.items() if k not in roles.values()}
    numbers = [k for k in kinds if kinds[k] == "number" and k.lower() not in tables.USUAL["id"]]
    arrays = {k: table.columns[k] for k in [*roles.values(), *(k for k in kinds if kinds[k] == "vector")]}
    for name in arrays:
        if arrays[name].dtype == object and name not in roles.values():
            tables.refuse_ragged(name, arrays[name], path.name)
    layers = sorted((k for k in arrays if k not in roles.values()), key=natural)
    if numbers:
        layers.insert(0, path.stem)
        with np.errstate(over="ignore"):
            arrays[path.stem] = np.column_stack([table.columns[k].astype(np.float32) for k in numbers])
    if not layers:
        raise InputError(f"{path.name} has no columns of numbers (columns: {', '.join(table.columns)}).", "Give one column per feature.")
    left = [k for k in kinds if k not in numbers and k not in layers]
    notes = (*table.notes, f"columns left out, as they hold no features: {', '.join(left)}") if left else table.notes
    return _File(path.name, arrays, layers, labels=roles.get("label", ""), ids=roles.get("id", ""), notes=notes)


def natural(name: str) -> list:
    """A sort key that counts: block2 before block10."""
    return [int(part[:300]) if i % 2 else part.lower() for i, part in enumerate(re.split("([0-9]+)", str(name)))]


def _ordered(layers: list, order, called: str) -> list:
    if order is None:
        return layers
    order = [order] if isinstance(order, str) else list(order)
    unknown = [k for k in order if k not in layers]
    if unknown or not order or len(set(order)) != len(order):
        what = f"no layer {unknown[0]!r}" if unknown else "been given an order that names a layer twice, or none"
        raise InputError(f"{called} has {what}.", f"Its layers: {', '.join(layers)}.")
    return order


def _check_rows(layers: dict, called: str) -> None:
    """Layers of other lengths than most: usually weights of a model rather than its states."""
    counts = {k: len(v) for k, v in layers.items() if v.ndim == 2}
    if len(set(counts.values())) > 1:
        usual, times = Counter(counts.values()).most_common(1)[0]
        odd = [f"{k!r} has {n}" for k, n in counts.items() if n != usual]
        shown = ", ".join(odd[:5]) + (", ..." if len(odd) > 5 else "")
        raise InputError(f"{called}: {times} of {len(counts)} layers have {usual} rows, but {shown}.",
                         "Layers hold the same items in the same order; choose those that do (order=[...]). "
                         "If these are the weights of a model, load them as a model.")


def _labels(labels, file: _File, n: int) -> tuple:
    """(one label per row or None, ids or None) from what the caller gave or the file holds."""
    if labels is None or (isinstance(labels, str) and file.labels == labels and labels):
        return (np.ravel(file.arrays[file.labels]) if file.labels else None), None
    if isinstance(labels, str) and not labels:
        return None, None
    path, column = labels if isinstance(labels, tuple) and len(labels) == 2 and isinstance(labels[0], (str, Path)) else (labels, None)
    if not isinstance(path, (str, Path)):
        return as_array(path, "labels"), None
    path = as_path(path)
    if not path.is_file():
        raise InputError(f"{file.name} holds no labels named {str(path)!r}, and there is no such file.",
                         f"It holds: {', '.join(file.arrays) or 'its own labels only'}.")
    values = _read_labels(path, column, n)
    if len(values) == n and values.dtype == object and len(set(values.tolist())) == n > 2:  # names of the points, not classes
        return None, values
    return values, None


def _read_labels(path: Path, column: str | None, n: int) -> np.ndarray:
    check_file(path)
    if path.suffix.lower() in (".npy", ".npz"):
        arrays = read_arrays(path)
        name = column or first_named(arrays, USUAL_LABELS) or next(iter(arrays))
        if name not in arrays:
            raise InputError(f"{path.name} holds no array {name!r}.", f"Its arrays: {', '.join(arrays)}.")
        return np.ravel(arrays[name])
    table = tables.read_table(path)
    if len(table) == n - 1 and column is None:  # the projector writes a single column without a name above it
        table = tables.read_table(path, header=False)
    roles, _ = tables.choose(table, path.name, {"label": column, "text": "", "image": "", "domain": "", "id": ""})
    name = roles.get("label") or (next(iter(table.columns)) if len(table.columns) == 1 else None)
    if name is None:
        raise InputError(f"{path.name} has several columns and none is plainly the label: {', '.join(table.columns)}.",
                         'Say which: labels=(path, "column").')
    values = table.columns[name]
    return values if values.dtype != object else tables.objects([str(v) for v in values])


def _logits(file: _File) -> np.ndarray | None:
    """The file's logits, or log p where it holds probabilities."""
    if file.logits or not file.probabilities:
        return file.arrays[file.logits] if file.logits else None
    p = np.asarray(file.arrays[file.probabilities], np.float64)
    if p.ndim != 2 or (p < 0).any() or (abs(p.sum(axis=1) - 1) > 1e-2).any():
        raise InputError(f"{file.name}: {file.probabilities!r} has shape {p.shape}, and its rows are not probabilities that sum to 1.",
                         "Give one row per item and one column per class, or name it logits.")
    return np.log(np.clip(p, SMALLEST, 1)).astype(np.float32)


def _bad_rows(parts: list, labels, n: int) -> np.ndarray:
    bad = np.zeros(n, bool)
    for x in parts:
        if x is not None and x.ndim == 2 and len(x) == n and x.dtype.kind == "f":
            bad |= ~finite_rows(x)
    if labels is not None and np.shape(labels) == (n,):
        bad |= tables.missing(np.asarray(labels))
    return bad
