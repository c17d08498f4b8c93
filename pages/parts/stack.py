"""Stack: what one map shows. Representations by one model, row under row, and the datasets they came from."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import streamlit as st

from analysis import engine, store
from analysis.errors import InputError
from analysis.representation import Representation
from analysis.selection import Selection
from pages.parts import selection, workspace


@dataclass(frozen=True, eq=False)
class Stack:
    """Rows are counted through all representations; `sources` are the ids of their datasets, `domains` what a person reads."""

    representations: tuple[Representation, ...]
    sources: tuple[str, ...]

    def __len__(self) -> int:
        return sum(map(len, self.representations))

    @cached_property
    def key(self) -> tuple:
        return tuple(r.digest for r in self.representations)

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """Those that all have, equally wide."""
        return tuple(_shared(self.representations))

    @cached_property
    def starts(self) -> np.ndarray:
        return np.cumsum([0, *map(len, self.representations)])

    @cached_property
    def block(self) -> np.ndarray:
        """Which representation each row belongs to."""
        return np.repeat(np.arange(len(self.representations)), [len(r) for r in self.representations])

    @cached_property
    def ids(self) -> tuple[str, ...]:
        return tuple(i for r in self.representations for i in r.ids)

    @cached_property
    def domains(self) -> tuple[str, ...]:
        """A name per representation, told apart where two share one."""
        labels = [workspace.label(s) for s in self.sources]
        names = [r.domain or label for r, label in zip(self.representations, labels, strict=True)]
        return tuple(name if names.count(name) == 1 else f"{name} ({label})" for name, label in zip(names, labels, strict=True))

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The class names of all datasets in order of appearance, then those that only the model's head knows."""
        names = [c for r in self.representations for c in r.classes] + [c for r in self.representations for c in _heads(r)]
        return tuple(dict.fromkeys(names))

    @cached_property
    def labels(self) -> np.ndarray | None:
        """Place in `classes` per row; None when a representation has no labels."""
        return self._places(lambda r: r.labels, lambda r: r.classes)

    @cached_property
    def predictions(self) -> np.ndarray | None:
        """The same of the class that the model's head finds most likely; None when one has no head."""
        return self._places(lambda r: None if r.logits is None else r.logits.argmax(axis=1), _heads)

    def _places(self, index: Callable, names: Callable) -> np.ndarray | None:
        found = [index(r) for r in self.representations]
        if any(f is None for f in found):
            return None
        place = {c: i for i, c in enumerate(self.classes)}
        return np.concatenate([np.array([place[c] for c in names(r)])[f] for r, f in zip(self.representations, found, strict=True)])

    @cached_property
    def entries(self) -> tuple[dict, ...]:
        """What the studies are given for each representation."""
        return tuple({"representation": engine.Ref.representation(store.default().key_of(r))} for r in self.representations)

    def blocks(self, layer: str) -> list[np.ndarray]:
        return [r.layers[layer] for r in self.representations]

    def x(self, layer: str) -> np.ndarray:
        return np.concatenate(self.blocks(layer))

    def rows(self, chosen: Selection | None) -> np.ndarray:
        """Where the selected items stand, in the dataset they were chosen from."""
        pairs = zip(self.starts, self.representations, strict=False)
        found = [start + chosen.rows(r.ids) for start, r in pairs if r.dataset == chosen.dataset] if chosen else []
        return np.concatenate(found) if found else np.zeros(0, np.int64)

    def data(self, b: int):
        """The dataset behind a representation, or None when it is not here: then there is nothing to picture."""
        try:
            found = workspace.get_dataset(self.sources[b])
        except InputError:
            return None
        return found if found.ids == self.representations[b].ids else None

    def item(self, row: int):
        """(modality, the item itself) of a row; ("", None) when its dataset is not here."""
        b = self.block[row]
        data = self.data(b)
        return ("", None) if data is None else (data.modality, data.items[row - self.starts[b]])

    def select(self, rows: np.ndarray, origin: str) -> None:
        """Make rows the session's selection. It holds items of one dataset: the one that most of them belong to."""
        counts = np.bincount(self.block[rows], minlength=len(self.representations))
        b = int(counts.argmax())
        kept = rows[self.block[rows] == b]
        left = f"; {len(rows) - len(kept):,} of other domains left out".replace(",", "\u202f") if len(kept) < len(rows) else ""
        selection.set(Selection(self.representations[b].dataset, tuple(self.ids[i] for i in kept), origin + left))


def stack(at: workspace.Workspace) -> Stack | None:
    """What is stored for the workspace's model on its target and sources, where the layers fit; None without the target."""
    found = [(workspace.get_representation(source if source.startswith("rep:") else at.model, source), source) for source in at.datasets]
    first = found[0][0]
    if first is None:
        return None
    fits = [(r, s) for r, s in found if r is not None and _shared([first, r])]
    return _stack(tuple(r.digest for r, _ in fits), tuple(s for _, s in fits), [r for r, _ in fits])


def missing(at: workspace.Workspace, here: Stack | None) -> bool:
    """Whether something of the workspace has not been through the model yet, or does not fit."""
    return here is None or len(here.sources) < len(at.datasets)


def left_out(at: workspace.Workspace, here: Stack) -> list[str]:
    """Sources that are stored but share no layer of equal width with the target."""
    kept = [s for s in at.sources if s not in here.sources]
    return [s for s in kept if workspace.get_representation(s if s.startswith("rep:") else at.model, s) is not None]


def others(first: Stack, at: workspace.Workspace) -> dict[str, str]:
    """What is stored of other models, or other poolings, on the same target: shown name -> key in the store."""
    target = first.representations[0]
    found = {workspace.label(s): s.removeprefix("rep:") for s in at.sources if s.startswith("rep:")}
    for entry in store.default().entries("representations"):
        facts = entry.facts
        if not target.dataset or facts.get("dataset") != target.dataset or facts.get("digest") == target.digest:
            continue
        model = facts.get("manifest", {}).get("model", {})
        name = workspace.label(model["source"]) if model.get("source") else model.get("name") or facts.get("name") or "arrays"
        found[name if name not in found else f"{name} · {entry.key[:8]}"] = entry.key
    return dict(sorted(found.items()))


def beside(first: Stack, key: str) -> Stack | None:
    """A stored representation of the same items, as a stack of its own."""
    found = store.default().representation(key)
    if found is None or found.ids != first.representations[0].ids:
        return None
    return _stack((found.digest,), first.sources[:1], [found])


def single(stack: Stack, place: int = 0) -> Stack:
    """A stack of one of its representations."""
    return stack if len(stack.representations) == 1 else _single(stack.key, stack.sources, place, stack)


@st.cache_resource(max_entries=16, show_spinner=False)
def _single(key: tuple, sources: tuple, place: int, _stack: Stack) -> Stack:
    return replace(_stack, representations=_stack.representations[place:place + 1], sources=_stack.sources[place:place + 1])


@st.cache_resource(max_entries=16, show_spinner=False)
def _stack(digests: tuple, sources: tuple, _representations: list) -> Stack:
    return Stack(tuple(_representations), sources)


def _shared(representations) -> list[str]:
    first, *others = representations
    return [name for name, x in first.layers.items() if all(name in r.layers and r.layers[name].shape[1] == x.shape[1] for r in others)]


def _heads(r: Representation) -> tuple[str, ...]:
    return () if r.logits is None else r.heads or tuple(f"class {i}" for i in range(r.logits.shape[1]))
