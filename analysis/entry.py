"""Entry: one thing that can be loaded, as a list shows it, before it is made or read."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """n: the number of items of a dataset; 0 for a model."""

    id: str
    name: str
    group: str
    modality: str
    about: str
    n: int = 0
