"""Representation: what comes out of a model on a dataset."""

import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

import numpy as np

from analysis.data.dataset import as_array, check_matrix, frozen, index_labels
from analysis.digest import digest
from analysis.errors import InputError
from analysis.tensors import replacing, save_tensors

LOGITS, LABELS, HEADER = "sextant.logits", "sextant.labels", "sextant.header"
RESERVED = (LOGITS, LABELS, HEADER, "__metadata__")  # names that no layer may take


class _Trusted(dict):
    """Layers the store wrote and checked itself: no second pass over a mapped file to look for NaN."""


@dataclass(frozen=True, eq=False)
class Representation:
    """Layers of one model on one dataset: `layers` maps a name to (n, d) float32, in order, read-only.

    labels    int64 (n,) in 0..C-1, or None; classes: their names
    ids       one text per item
    logits    (n, C_source) of the model's own head, or None; heads: the names of those source classes
    domain    of the items; dataset: the digest of the Dataset they came from ("" when unknown)
    manifest  what made it: model, pooling, options, versions
    """

    layers: Mapping[str, np.ndarray]
    labels: np.ndarray | None = None
    classes: tuple = ()
    ids: tuple = ()
    logits: np.ndarray | None = None
    heads: tuple = ()
    domain: str = ""
    dataset: str = ""
    manifest: Mapping = field(default_factory=dict)

    def __post_init__(self):
        put = lambda key, value: object.__setattr__(self, key, value)  # noqa: E731
        if not isinstance(self.layers, Mapping):
            raise InputError(f"The layers are given as {type(self.layers).__name__}, without names.",
                             'Give a mapping of layer name to an (n, d) table: Representation({"layer": x}).')
        if not self.layers:
            raise InputError("A representation needs at least one layer.", "Give a mapping of layer name to an (n, d) table.")
        trusted = isinstance(self.layers, _Trusted)
        layers, n = {}, None
        for name, x in self.layers.items():
            if name in RESERVED:
                raise InputError(f"A layer cannot be named {name!r}: files of representations use that name.", "Rename the layer.")
            x = x if trusted else check_matrix(as_array(x, repr(name)), str(name), rows=n)
            n = len(x)
            layers[str(name)] = frozen(x)
        if n < 2:
            raise InputError(f"The representation has {n} row{'s' * (n != 1)}.", "At least 2 items are needed to compare anything.")
        put("layers", MappingProxyType(layers))
        put("ids", tuple(str(i) for i in self.ids) if len(self.ids) else tuple(str(i) for i in range(n)))
        if len(self.ids) != n or len(set(self.ids)) != n:
            raise InputError(f"The representation has {n} rows and {len(set(self.ids))} different ids.", "Give one unique id per row.")
        if self.labels is not None:
            labels, classes = index_labels(self.labels, self.classes, n, "The representation")
            put("labels", labels)
            put("classes", classes)
        if self.logits is not None:
            put("logits", frozen(check_matrix(as_array(self.logits, "'logits'"), "logits", rows=n)))
        put("heads", tuple(str(h) for h in self.heads))
        if self.logits is not None and self.heads and len(self.heads) != self.logits.shape[1]:
            raise InputError(f"The logits have {self.logits.shape[1]} columns and {len(self.heads)} head names.", "Give one name per column, or none.")
        put("manifest", MappingProxyType({k: _part(v) if k in ("model", "dataset") else v for k, v in dict(self.manifest).items()}))

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        widths = ", ".join(f"{k} {v.shape[1]}" for k, v in self.layers.items())
        return f"Representation({self.manifest.get('model', {}).get('name', 'arrays')} on {self.domain or 'items'}: {len(self)} items; {widths})"

    @cached_property
    def probabilities(self) -> np.ndarray | None:
        """Softmax of the logits, float64: the source head's belief in each of its classes."""
        if self.logits is None:
            return None
        z = self.logits.astype(np.float64)
        z = np.exp(z - z.max(axis=1, keepdims=True))
        return z / z.sum(axis=1, keepdims=True)

    @cached_property
    def digest(self) -> str:
        """Of everything that a metric can see; the manifest is provenance and does not count."""
        return digest("representation", dict(self.layers), self.labels, self.classes, self.ids, self.logits, self.heads, self.domain,
                      self.dataset)

    def save(self, path) -> Path:
        """Write `.safetensors` (order, class names and ids as JSON in its metadata) or `.npz` (keys in order)."""
        path = Path(path)
        tensors = self.tensors()
        if path.suffix == ".safetensors":
            save_tensors(path, tensors, {"sextant": json.dumps(self.header(), ensure_ascii=False)})
        elif path.suffix == ".npz":
            # texts as plain utf-8 bytes: an npz without a pickle in it
            head = np.frombuffer(json.dumps(self.header(), ensure_ascii=False).encode(), np.uint8)
            with replacing(path) as file, zipfile.ZipFile(file, "w") as archive:  # np.savez takes no array named "file"
                for name, x in {**tensors, HEADER: head}.items():
                    with archive.open(f"{entry_name(name)}.npy", "w", force_zip64=True) as entry:
                        np.lib.format.write_array(entry, np.asarray(x), allow_pickle=False)
        else:
            raise InputError(f"A representation cannot be saved as {path.suffix or 'a file without ending'!r}.", "Use .safetensors or .npz.")
        return path

    def tensors(self) -> dict[str, np.ndarray]:
        """Everything of it that is an array, by the names a file uses."""
        extra = {LOGITS: self.logits, LABELS: self.labels}
        return {**self.layers, **{k: v for k, v in extra.items() if v is not None}}

    def header(self) -> dict:
        return {"format": 1, "order": list(self.layers), "classes": list(self.classes), "ids": list(self.ids),
                "heads": list(self.heads), "domain": self.domain, "dataset": self.dataset, "manifest": dict(self.manifest)}


def entry_name(layer: str) -> str:
    """How a layer is called inside an npz: by its name, with what a zip cannot take written as %2F."""
    return re.sub(r"^\.|[^\w .-]", lambda m: "".join(f"%{byte:02X}" for byte in m[0].encode()), layer) or "%"


def from_header(tensors: dict, header: dict, *, trusted: bool = False) -> Representation:
    order = header.get("order", [])
    lost = [name for name in order if name not in tensors]
    if lost or not order:
        raise InputError(f"The file names the layer {lost[0]!r} but does not hold it." if lost else "The file names no layers.",
                         "Save the representation again.")
    layers = {name: tensors[name] for name in order}
    return Representation(_Trusted(layers) if trusted else layers, tensors.get(LABELS), tuple(header.get("classes", ())),
                          tuple(header.get("ids", ())), tensors.get(LOGITS), tuple(header.get("heads", ())),
                          header.get("domain", ""), header.get("dataset", ""), header.get("manifest", {}))


def _part(said) -> dict:
    """What a manifest says of the model or the dataset; a foreign one may give just a name."""
    said = said if isinstance(said, Mapping) else {"name": str(said)}
    return {k: v for k, v in said.items() if k not in ("name", "source", "digest") or isinstance(v, str)}
