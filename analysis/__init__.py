"""Sextant's core: what a model's representations are shaped like, and whether they will transfer.

    from analysis import load_model, load_dataset, extract, show
    show(extract("builtin:vit/seed0", "builtin:digits/handwritten"))
"""

import importlib

__version__ = "0.1.0"

_PUBLIC = {  # imported when first used, so that `import analysis` costs nothing
    "Cancelled": "analysis.errors", "InputError": "analysis.errors", "Dataset": "analysis.data.dataset", "load_dataset": "analysis.data",
    "Model": "analysis.models.model", "load_model": "analysis.models", "Representation": "analysis.representation",
    "load_representation": "analysis.foreign", "Selection": "analysis.selection", "extract": "analysis.extraction", "show": "analysis.notebook",
}
__all__ = list(_PUBLIC)


def __getattr__(name: str):
    if name not in _PUBLIC:
        raise AttributeError(f"module 'analysis' has no attribute {name!r}")
    value = getattr(importlib.import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value
