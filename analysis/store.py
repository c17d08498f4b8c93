"""Content-addressed files on disk: representations, results, selections, and what people brought along.

    <folder>/<kind>/<key>.safetensors   the arrays      (absent where a thing has none)
    <folder>/<kind>/<key>.json          what it is; written last, so a thing without it does not exist
    <folder>/<kind>/<key>.partial       an extraction under way or killed, and <key>.progress, how far it came
"""

import dataclasses
import importlib
import json
import os
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from analysis.data.dataset import Dataset
from analysis.errors import InputError
from analysis.representation import Representation, from_header
from analysis.selection import Selection
from analysis.tensors import open_tensors, read_header, save_tensors, write_json

KINDS = ("representations", "results", "selections", "datasets", "models")
OWN = ("analysis.",)  # a stored result may name a class of ours, nothing else
REMAINS = 86_400  # seconds after which a killed run is not resumed any more
DEFAULT_CAP = 10_000_000_000  # bytes; SEXTANT_STORE_CAP overrides it


@dataclass(frozen=True)
class Entry:
    """One stored thing, as listed: what it is, how big, when made and when last used."""

    kind: str
    key: str
    bytes: int
    created: float
    used: float
    facts: dict

    @property
    def brought(self) -> bool:
        """Given by a person, so it cannot be computed again: never evicted."""
        return self.kind in ("datasets", "models", "selections") or bool(self.facts.get("brought"))

    @property
    def part(self) -> bool:
        """A piece of a result, kept for other runs: no list shows it."""
        return bool(self.facts.get("part"))


class Store:
    def __init__(self, folder, *, cap: int | None = None):
        self.folder = Path(folder)
        self.cap = cap if cap is not None else _cap(os.environ.get("SEXTANT_STORE_CAP", DEFAULT_CAP))
        self._open: OrderedDict[str, Representation] = OrderedDict()  # mapped files, so a reopened one costs no parsing

    def path(self, kind: str, key: str, suffix: str) -> Path:
        if kind not in KINDS or not key or not key.replace("-", "").isalnum():
            raise InputError(f"{key!r} is no key of the store.", "Keys are the hexadecimal digests that the app shows.")
        return self.folder / kind / f"{key}{suffix}"

    def has(self, kind: str, key: str) -> bool:
        return self.path(kind, key, ".json").exists()

    def facts(self, kind: str, key: str) -> dict | None:
        """The JSON of a stored thing, or None. An unreadable one counts as absent: it is computed again."""
        path = self.path(kind, key, ".json")
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))
            os.utime(path)  # its time of change is its time of last use
            return facts
        except (OSError, ValueError):
            return None

    def put(self, kind: str, key: str, facts: dict, tensors: dict | None = None, metadata: dict | None = None) -> str:
        try:
            if tensors:
                save_tensors(self.path(kind, key, ".safetensors"), tensors, metadata)
            write_json(self.path(kind, key, ".json"), {"created": time.time(), **facts})
        except OSError as error:
            raise unwritable(self.folder, error) from error
        self._open.pop(key, None)  # what was mapped under this key may be an older file
        self.evict(keep=key)
        return key

    # representations

    def put_representation(self, representation: Representation, *, key: str | None = None, facts: dict | None = None) -> str:
        """Keep one that was made elsewhere (a notebook, an upload) under its own digest."""
        key = key or representation.digest
        return self.put("representations", key, {**describe(representation), "brought": True, **(facts or {})}, representation.tensors(),
                        {"sextant": json.dumps(representation.header(), ensure_ascii=False)})

    def key_of(self, representation: Representation) -> str:
        """Where it is or would be kept: what `extract` made under its request, anything else under its own digest."""
        key = str(representation.manifest.get("key", ""))
        facts = self.facts("representations", key) if key.isalnum() else None
        return key if facts and facts.get("digest") == representation.digest else representation.digest

    def representation(self, key: str) -> Representation | None:
        facts = self.facts("representations", key)
        path = self.path("representations", key, ".safetensors")
        if facts is None or not path.exists():
            return None
        if key not in self._open:
            try:
                _, meta, _ = read_header(path)
                found = from_header(open_tensors(path), json.loads(meta["sextant"]), trusted=True)
            except (InputError, ValueError, KeyError):
                return None
            found.__dict__["digest"] = facts["digest"]
            self._open[key] = found
            while len(self._open) > 64:
                self._open.popitem(last=False)
        self._open.move_to_end(key)
        return self._open[key]

    # datasets and models that people brought along

    def put_dataset(self, dataset: Dataset) -> str:
        tensors = {} if dataset.labels is None else {"labels": dataset.labels}
        if dataset.modality == "text":
            raw = [t.encode("utf-8", "surrogatepass") for t in dataset.items]
            tensors |= {"texts": np.frombuffer(b"".join(raw), np.uint8), "ends": np.cumsum([len(r) for r in raw])}
        else:
            tensors["items"] = dataset.items
        facts = {"name": dataset.name, "domain": dataset.domain, "modality": dataset.modality, "n": len(dataset), "about": dataset.about,
                 "classes": dataset.classes, "ids": dataset.ids, "notes": dataset.notes, "origin": dataset.source}
        return self.put("datasets", dataset.digest, facts, tensors)

    def dataset(self, digest: str) -> Dataset:
        facts = self.facts("datasets", digest)
        if facts is None:
            raise InputError(f"No dataset with the digest {digest} is stored here.",
                             "It was uploaded elsewhere: load the same file on the load page and the link works again.")
        tensors = open_tensors(self.path("datasets", digest, ".safetensors"))
        if facts["modality"] == "text":
            raw, ends = tensors["texts"].tobytes(), tensors["ends"].tolist()
            items = tuple(raw[a:b].decode("utf-8", "surrogatepass") for a, b in zip([0, *ends], ends, strict=False))
        else:
            items = tensors["items"]
        return Dataset(items, tensors.get("labels"), tuple(facts["classes"]), tuple(facts["ids"]), facts["domain"], facts["name"],
                       f"store:{digest}", facts["about"], tuple(facts["notes"]))

    # results and selections

    def put_result(self, key: str, result, facts: dict | None = None) -> str:
        """A frozen dataclass: its arrays beside, everything else in the JSON."""
        values = {f.name: getattr(result, f.name) for f in dataclasses.fields(result)}
        arrays = {k: v for k, v in values.items() if isinstance(v, np.ndarray)}
        plain = {k: v for k, v in values.items() if k not in arrays}
        made = f"{type(result).__module__}:{type(result).__qualname__}"
        return self.put("results", key, {**(facts or {}), "type": made, "values": plain, "order": list(values)}, arrays)

    def result(self, key: str):
        facts = self.facts("results", key)
        if facts is None:
            return None
        module, _, name = facts["type"].partition(":")
        if not module.startswith(OWN):
            return None
        try:
            kind = getattr(importlib.import_module(module), name)
            path = self.path("results", key, ".safetensors")
            return kind(**facts["values"], **(open_tensors(path) if path.exists() else {}))
        except (InputError, AttributeError, TypeError, ImportError):
            return None  # written by another version: a miss

    def put_selection(self, selection: Selection) -> str:
        return self.put("selections", selection.digest, dataclasses.asdict(selection))

    def selection(self, digest: str) -> Selection | None:
        facts = self.facts("selections", digest)
        return facts and Selection(facts["dataset"], tuple(facts["ids"]), facts["origin"])

    # housekeeping

    def entries(self, kind: str | None = None) -> list[Entry]:
        """What is stored, newest first."""
        found = []
        for each in [kind] if kind else KINDS:
            for path in (self.folder / each).glob("*.json"):
                try:
                    facts, stat = json.loads(path.read_text(encoding="utf-8")), path.stat()
                    data = path.with_suffix(".safetensors")
                    size = stat.st_size + (data.stat().st_size if data.exists() else 0)
                except (OSError, ValueError):
                    continue
                found.append(Entry(each, path.stem, size, facts.get("created", stat.st_mtime), stat.st_mtime, facts))
        return sorted(found, key=lambda e: e.created, reverse=True)

    def delete(self, kind: str, key: str) -> None:
        for suffix in (".json", ".safetensors"):  # the JSON first: half a deletion is a whole one
            self.path(kind, key, suffix).unlink(missing_ok=True)
        self._open.pop(key, None)

    def size(self) -> int:
        """Bytes of everything that is stored whole; remains of killed runs do not count."""
        total = 0
        for kind in KINDS:
            for path in (self.folder / kind).glob("*.json"):
                for part in (path, path.with_suffix(".safetensors")):
                    try:
                        total += part.stat().st_size
                    except FileNotFoundError:  # it has no arrays, or it went since it was listed
                        continue
        return total

    def evict(self, keep: str = "") -> list[Entry]:
        """Remove what was used longest ago, and can be computed again, until what is stored fits the cap; and old remains of killed runs."""
        self._sweep()
        size, gone = self.size(), []
        for entry in sorted(self.entries() if size > self.cap else (), key=lambda e: e.used):
            if size <= self.cap:
                break
            if not entry.brought and entry.key != keep:
                self.delete(entry.kind, entry.key)
                gone.append(entry)
                size -= entry.bytes
        return gone

    # runs under way

    @contextmanager
    def alone(self, key: str, *, waiting: Callable = lambda: None, patience: float | None = None):
        """One process at a time works on a representation. `waiting` is called while another one does, and may raise to give up;
        after `patience` seconds it is a TimeoutError."""
        path = self.path("representations", key, ".lock")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            held = _lock(path)
        except OSError as error:
            raise unwritable(self.folder, error) from error
        begun = time.monotonic()
        while held is None:
            if patience is not None and time.monotonic() - begun >= patience:
                raise TimeoutError
            waiting()
            time.sleep(0.1)
            held = _lock(path)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
            held.close()

    def discard_partial(self, key: str) -> None:
        """What a killed run left of a representation that nobody wants any more; a run that is under way is left alone."""
        try:
            with self.alone(key, patience=0):
                for suffix in (".progress", ".partial"):
                    self.path("representations", key, suffix).unlink(missing_ok=True)
        except TimeoutError:
            pass

    def _sweep(self) -> None:
        """Remains of killed runs that nobody came back for in a day."""
        for path in (self.folder / "representations").glob("*.partial"):
            try:
                if time.time() - path.stat().st_mtime > REMAINS:
                    self.discard_partial(path.stem)
            except FileNotFoundError:
                continue


def _lock(path: Path):
    """The open lock file when it is ours now, else None."""
    try:
        import fcntl
    except ImportError:  # Windows: within the app, the engine shares equal requests anyway
        return open(path, "w")
    file = open(path, "w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.stat().st_ino == os.fstat(file.fileno()).st_ino:  # else the one before has just removed it
            return file
    except (BlockingIOError, FileNotFoundError):
        pass
    file.close()
    return None


def unwritable(folder: Path, error: OSError) -> InputError:
    return InputError(f"The store at {folder} cannot be written: {error.strerror or error}.", "Make room there, or name another folder in SEXTANT_STORE.")


def _cap(text) -> int:
    try:
        return int(float(text))
    except (ValueError, OverflowError):
        raise InputError(f"SEXTANT_STORE_CAP is {text!r}.", "Give a number of bytes, for example 10e9.") from None


def describe(representation: Representation) -> dict:
    """The facts a list of representations shows without opening any."""
    return {"digest": representation.digest, "n": len(representation), "domain": representation.domain, "dataset": representation.dataset,
            "layers": {name: x.shape[1] for name, x in representation.layers.items()}, "classes": len(representation.classes),
            "logits": representation.logits is not None, "manifest": dict(representation.manifest)}


def default_folder() -> Path:
    named = os.environ.get("SEXTANT_STORE")
    if named:
        return Path(named).expanduser()
    base = os.environ.get("LOCALAPPDATA") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "sextant"


def default() -> Store:
    """The store this process uses; follows SEXTANT_STORE when that changes."""
    return _at(str(default_folder()))


@lru_cache(maxsize=4)
def _at(folder: str) -> Store:
    return Store(folder)
