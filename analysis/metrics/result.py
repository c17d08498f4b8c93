"""What frozen results share: tuples stay tuples after JSON, and numbers go where JSON has none."""

from collections.abc import Mapping

import numpy as np


def tuples(result, *names: str) -> None:
    """A list, which is what JSON makes of a tuple, becomes one again; for `__post_init__`."""
    for name in names:
        object.__setattr__(result, name, tuple(getattr(result, name)))


def plain(value):
    """For JSON, which knows neither NaN nor infinity."""
    if isinstance(value, Mapping):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
