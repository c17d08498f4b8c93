"""Selection: a named set of items, carried between pages."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analysis.digest import digest
from analysis.errors import InputError


@dataclass(frozen=True)
class Selection:
    """Some items of a dataset, and one sentence of where the choice came from ("lasso on the map, layer block06")."""

    dataset: str  # digest
    ids: tuple
    origin: str

    def __post_init__(self):
        object.__setattr__(self, "ids", tuple(dict.fromkeys(str(i) for i in self.ids)))
        if not self.ids:
            raise InputError("A selection needs at least one item.", "Lasso some points, click one, or search for an id.")

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def digest(self) -> str:
        return digest("selection", self.dataset, self.ids, self.origin)

    def rows(self, ids) -> np.ndarray:
        """Where the selected items stand among `ids`, in selection order; items that are not there are left out."""
        place = {item: row for row, item in enumerate(ids)}
        return np.array([place[i] for i in self.ids if i in place], dtype=np.int64)
