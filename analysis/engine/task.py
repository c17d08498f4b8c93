"""Task: a unit of work with its inputs named rather than carried, so that it travels to any process."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from analysis.digest import digest
from analysis.errors import InputError


@dataclass(frozen=True)
class Ref:
    """A model, dataset, representation or result by name; resolved where the work runs. The digest fixes its content."""

    kind: str
    source: str
    digest: str

    @classmethod
    def model(cls, source: str) -> "Ref":
        return cls("model", source, _digest("model", source))

    @classmethod
    def dataset(cls, source: str) -> "Ref":
        return cls("dataset", source, _digest("dataset", source))

    @classmethod
    def representation(cls, key: str) -> "Ref":
        return cls("representation", key, resolve("representation", key).digest)

    @classmethod
    def result(cls, key: str) -> "Ref":
        return cls("result", key, key)  # which says already what it was computed from

    def resolve(self):
        """The thing itself, which must still be what it was when it was named: a result is filed under that digest."""
        found = resolve(self.kind, self.source)
        if self.kind != "result" and found.digest != self.digest:
            raise InputError(f"The {self.kind} {self.source} was changed since this run was asked for.", "Load it again and repeat the run.")
        return found


def resolve(kind: str, source: str):
    from analysis import load_dataset, load_model
    from analysis.store import default
    if kind in ("model", "dataset"):
        return {"model": load_model, "dataset": load_dataset}[kind](source)
    find, remedy = {"representation": (default().representation, "Extract it again on the load page."),
                    "result": (default().result, "Open the page that shows it: it is computed again.")}[kind]
    found = find(source)
    if found is None:
        raise InputError(f"The {kind} {source} is not in the store any more.", remedy)
    return found


def _digest(kind: str, source: str) -> str:
    # built-in and stored things never change under their name; a folder or file of the user's may
    fixed = source.startswith(("builtin:", "store:"))
    return _fixed_digest(kind, source) if fixed else resolve(kind, source).digest


@lru_cache(maxsize=1024)
def _fixed_digest(kind: str, source: str) -> str:
    return resolve(kind, source).digest


@dataclass(frozen=True)
class Task:
    key: str
    unit: str  # "analysis.studies.extraction:extraction"
    inputs: dict
    options: dict
    store: str  # folder

    def load(self) -> Callable:
        module, _, name = self.unit.partition(":")
        return getattr(importlib.import_module(module), name)


def name_of(unit: Callable) -> str:
    if unit.__module__ == "__main__" or "<locals>" in unit.__qualname__:
        raise TypeError(f"{unit.__qualname__} cannot run in a worker: a unit is a top-level function of an importable module")
    return f"{unit.__module__}:{unit.__qualname__}"


def unit_key(unit: Callable, inputs: dict, options: dict) -> str:
    """What decides a result: the unit, its VERSION, the content of its inputs, the options. `unit.key` may say it more exactly."""
    own = getattr(unit, "key", None)
    if own:
        return own(inputs, options)
    return digest("unit", name_of(unit), unit.VERSION, _sorted(map_refs(inputs, lambda r: r.digest)), _sorted(options))


def _sorted(value):
    """Options mean the same in any order; lists do not."""
    if isinstance(value, dict):
        return {k: _sorted(value[k]) for k in sorted(value)}
    return [_sorted(v) for v in value] if isinstance(value, (list, tuple)) else value


def map_refs(value, change: Callable):
    """The same nest of dicts and lists with every Ref replaced."""
    if isinstance(value, Ref):
        return change(value)
    if isinstance(value, dict):
        return {k: map_refs(v, change) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [map_refs(v, change) for v in value]
    return value
