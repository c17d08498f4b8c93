"""extract: Model x Dataset -> Representation, streamed to the store."""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from analysis.data.dataset import Dataset
from analysis.digest import digest
from analysis.errors import Cancelled, InputError
from analysis.models.model import Model, check_pooling
from analysis.representation import LABELS, LOGITS, Representation, from_header
from analysis.store import Store, default, describe, unwritable
from analysis.tensors import header_bytes, open_tensors, write_json

VERSION = 1  # of what comes out: a new one makes every stored representation a miss
SHARD_SECONDS = 0.5  # how much work a kill may cost


def key(model: Model, dataset: Dataset, *, layers="all", pooling: str | None = None) -> str:
    """Where a representation stands in the store. Batch size and device are not part of it: they change nothing but the last bits."""
    return digest("extract", VERSION, model.digest, dataset.digest, model.choose(layers), pooling or "native")


def extract(model: Model | str, dataset: Dataset | str, *, layers: str | Sequence[str] = "all", pooling: str | None = None,
            batch_size: int | str = "auto", device: str = "auto", progress: Callable | None = None, store: Store | None = None) -> Representation:
    """Every asked layer of `model` on `dataset`, from the store when it is there, else computed batch by batch into it.

    progress    called as progress(done, total, note) after each batch; may raise Cancelled, which leaves nothing behind
    A run that was killed goes on where it stopped.
    """
    if isinstance(model, str):
        from analysis.models import load_model
        model = load_model(model)
    if isinstance(dataset, str):
        from analysis.data import load_dataset
        dataset = load_dataset(dataset)
    store = store or default()
    for given, kind in ((model, Model), (dataset, Dataset)):
        if not isinstance(given, kind):
            raise InputError(f"{type(given).__name__} is no {kind.__name__.lower()}.",
                             f"Give a {kind.__name__}, or an id such as those that `python -m analysis list` shows.")
    check_fit(model, dataset)
    check_pooling(pooling or "native")
    progress = progress or (lambda done, total, note: None)
    batch = _batch_size(batch_size, dataset)
    name = key(model, dataset, layers=layers, pooling=pooling)
    with store.alone(name, waiting=lambda: progress(0, len(dataset), "another process is extracting this")):
        found = store.representation(name)
        if found is None:
            found = _Run(store, name, model, dataset, model.choose(layers), pooling or "native").all(batch, usable_device(device), progress)
    return found


def check_fit(model: Model, dataset: Dataset) -> None:
    """A model takes one kind of item; the data itself takes images and arrays."""
    if dataset.modality not in model.reads:
        kinds = {"image": "images", "text": "texts", "array": "arrays"}
        raise InputError(f"{model.name} reads {' or '.join(kinds[t] for t in model.reads)}, "
                         f"but {dataset.name or 'this dataset'} holds {kinds[dataset.modality]}.",
                         f"Choose a model for {kinds[dataset.modality]}, or a dataset of {kinds[model.reads[0]]}.")


class _Run:
    """One extraction: a file laid out in full once the first batch tells the widths, rows written in place, progress noted beside."""

    def __init__(self, store, name, model, dataset, layers, pooling):
        self.store, self.name, self.model, self.dataset, self.layers, self.pooling = store, name, model, dataset, layers, pooling
        self.partial = store.path("representations", name, ".partial")
        self.record = store.path("representations", name, ".progress")
        self.final = store.path("representations", name, ".safetensors")
        self.header = self._header()  # once: the digest of a live model hashes all its weights
        self.maps: dict[str, np.ndarray] = {}
        # texts of like length share a batch, so little is spent on padding; the rows go back to their own places
        lengths = [len(t) for t in dataset.items] if dataset.modality == "text" else None
        self.order = np.argsort(lengths, kind="stable")[::-1] if lengths else np.arange(len(dataset))

    def all(self, batch: int, device: str, progress: Callable) -> Representation:
        note = f"{self.model.name} on {self.dataset.name or self.dataset.domain}"
        try:
            self._batches(batch, device, lambda done: progress(done, len(self.dataset), note))
            return self._finish(device, batch)
        except EOFError:
            raise  # whoever asked is gone: what is done stays, to be resumed
        except (Cancelled, InputError, MemoryError):
            self._drop()
            raise
        except OSError as error:
            self._drop()
            raise unwritable(self.store.folder, error) from error
        except Exception as error:
            self._drop()
            raise InputError(f"{self.model.name} fails on these items: {type(error).__name__}: {error}.",
                             "Check that its preprocessing gives what its first layer takes.") from error

    def _batches(self, batch: int, device: str, progress: Callable) -> None:
        done, spent, total = self._resume(), 0.0, len(self.dataset)
        progress(done)
        while done < total:
            begun = time.perf_counter()
            rows = self.order[done:done + batch]
            self._write(rows, *self.model.run(self._items(rows), layers=self.layers, pooling=self.pooling, device=device))
            done, spent = done + len(rows), spent + time.perf_counter() - begun
            if spent > SHARD_SECONDS and done < total:
                self._note(done)
                spent = 0.0
            progress(done)

    def _items(self, rows):
        items = self.dataset.items
        return items[rows] if isinstance(items, np.ndarray) else [items[i] for i in rows]

    def _write(self, rows, states, logits) -> None:
        states = {**states, **({} if logits is None else {LOGITS: logits})}
        for name, x in states.items():
            if x.ndim != 2 or len(x) != len(rows):
                raise InputError(f"{self.model.name} gives {name!r} as {x.shape} for {len(rows)} items.", "The first axis must be the items: one row for each.")
            bad = ~np.isfinite(x).all(axis=1)
            if bad.any():
                where = "the logits" if name == LOGITS else f"the layer {name!r}"
                raise InputError(f"{self.model.name} gives NaN or infinite values in {where}, first for the item {self.dataset.ids[rows[bad][0]]!r}.",
                                 "Check the weights and the preprocessing; half precision often overflows.")
        if not self.maps:
            self._lay_out({name: x.shape[1] for name, x in states.items()})
        for name, x in states.items():
            self.maps[name][rows] = x

    def _lay_out(self, widths: dict[str, int]) -> None:
        n = len(self.dataset)
        shapes = {name: ("<f4", (n, d)) for name, d in widths.items()}
        if self.dataset.labels is not None:
            shapes[LABELS] = ("<i8", (n,))
        head, offsets = header_bytes(shapes, {"sextant": json.dumps(self.header, ensure_ascii=False)})
        self.partial.parent.mkdir(parents=True, exist_ok=True)
        with open(self.partial, "wb") as file:
            file.write(head)
            last = max(offsets[k] + int(np.prod(s)) * np.dtype(t).itemsize for k, (t, s) in shapes.items())
            if hasattr(os, "posix_fallocate"):  # a full disk says so here, and does not kill the process at a later write
                os.posix_fallocate(file.fileno(), 0, last)
            else:
                file.truncate(last)
        self._map(widths, offsets)
        if self.dataset.labels is not None:
            np.memmap(self.partial, "<i8", "r+", offsets[LABELS], (n,))[:] = self.dataset.labels

    def _map(self, widths, offsets) -> None:
        self.widths, self.offsets = dict(widths), dict(offsets)
        n = len(self.dataset)
        self.maps = {name: np.memmap(self.partial, "<f4", "r+", offsets[name], (n, d)) for name, d in widths.items()}

    def _note(self, done: int) -> None:
        # written rows survive a killed process without a flush to disk; a crash of the machine is told by its boot
        write_json(self.record, {"done": done, "widths": self.widths, "offsets": self.offsets, "size": self.partial.stat().st_size, "boot": _boot()})

    def _resume(self) -> int:
        """Rows that an earlier, killed run finished; whatever does not fit together is thrown away."""
        try:
            past = json.loads(self.record.read_text())
            if self.partial.stat().st_size == past["size"] and past["boot"] == _boot():
                self._map(past["widths"], past["offsets"])
                return past["done"]
        except (OSError, ValueError, KeyError):
            pass
        self._drop()
        return 0

    def _drop(self) -> None:
        self.maps.clear()
        self.record.unlink(missing_ok=True)
        self.partial.unlink(missing_ok=True)

    def _header(self) -> dict:
        model, data = self.model, self.dataset
        manifest = {"unit": "extract", "version": VERSION, "key": self.name, "pooling": self.pooling, "layers": self.layers,
                    "model": {"name": model.name, "source": model.source, "digest": model.digest, "modality": model.modality},
                    "dataset": {"name": data.name, "source": data.source, "digest": data.digest, "domain": data.domain, "n": len(data)}}
        return {"format": 1, "order": self.layers, "classes": list(data.classes), "ids": list(data.ids), "heads": list(model.classes),
                "domain": data.domain, "dataset": data.digest, "manifest": manifest}

    def _finish(self, device: str, batch: int) -> Representation:
        for array in self.maps.values():
            array.flush()
        whole = from_header(open_tensors(self.partial), self.header, trusted=True)
        facts = {**describe(whole), "made": {"device": device, "batch": batch, "python": sys.version.split()[0], "torch": _version("torch")}}
        self.maps.clear()
        os.replace(self.partial, self.final)
        self.store.put("representations", self.name, facts)
        self.record.unlink(missing_ok=True)
        return whole  # mapped already: it stays readable whatever happens to the file's name


def _batch_size(asked: int | str, dataset: Dataset) -> int:
    if asked == "auto":
        return {"image": 256, "text": 32, "array": 4096}[dataset.modality]
    if isinstance(asked, bool) or not hasattr(asked, "__index__") or asked < 1:
        raise InputError(f"A batch of {asked!r} items cannot be run.", 'Give a whole number from 1, or "auto".')
    return int(asked)


def usable_device(asked: str) -> str:
    import torch

    best = "cuda" if torch.cuda.is_available() else "cpu"
    if asked == "auto":
        return best
    try:
        torch.zeros(1, device=asked).cpu()
    except (RuntimeError, AssertionError, NotImplementedError):
        raise InputError(f"The device {asked!r} is not there.", f"Use {best!r} or \"auto\".") from None
    return asked


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _version(package: str) -> str:
    from importlib.metadata import version
    return version(package)
