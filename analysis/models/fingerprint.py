"""What a live torch module and its preprocessing are made of, as a digest: two that could give different states must differ.

Code counts by its bytecode, constants, defaults and closure; objects by their class's code and their attributes. What cannot
be told counts as new every time: a miss costs a run, a false hit serves another model's states. (Global variables that a
function reads are beyond this.)
"""

import functools
import pickle
import types
import uuid
from collections.abc import Mapping

import numpy as np

from analysis.digest import digest

DEPTH = 6
PLAIN = (bool, int, float, complex, str, bytes, type(None))


def fingerprint(module, *facts) -> str:
    """Of the weights as they are now, of every part's code and settings, and of the facts given."""
    weights = {name: _described(value) for name, value in module.state_dict().items()}
    parts = [[path, _class(type(part)), part.extra_repr(), _settings(part)] for path, part in module.named_modules()]
    return digest("module", weights, parts, [_described(fact) for fact in facts])


def _settings(part) -> list:
    """Plain attributes of a module: numbers and names that steer its forward pass without being weights."""
    own = {k: v for k, v in vars(part).items() if k != "training" and (isinstance(v, (*PLAIN, tuple, list)) or callable(v))}
    return [[k, _described(v)] for k, v in sorted(own.items()) if not k.startswith("_")]


def _described(value, depth: int = 0):
    """A nest of texts, lists and arrays that stands for the value."""
    below = functools.partial(_described, depth=depth + 1)
    if isinstance(value, PLAIN):
        return repr(value)
    if depth > DEPTH:
        return uuid.uuid4().hex
    if isinstance(value, (types.BuiltinFunctionType, types.ModuleType)):  # the module torch has a detach of its own
        return [getattr(value, "__module__", None) or "", value.__name__]
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        return [str(value.dtype), (value.float() if value.is_floating_point() else value).numpy()]
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        return value
    if isinstance(value, Mapping):
        return [type(value).__name__, *([below(k), below(v)] for k, v in value.items())]
    if isinstance(value, (list, tuple)):
        return [type(value).__name__, *(below(v) for v in value)]
    if isinstance(value, (set, frozenset)):
        return [type(value).__name__, *sorted(map(repr, value))]
    if isinstance(value, types.MethodType):
        return ["method", below(value.__func__), below(value.__self__)]
    if isinstance(value, types.FunctionType):
        cells = [below(c.cell_contents) for c in value.__closure__ or () if _filled(c)]
        return [value.__qualname__, _code(value.__code__), below(value.__defaults__), below(value.__kwdefaults__), cells]
    if isinstance(value, functools.partial):
        return ["partial", below(value.func), below(value.args), below(value.keywords)]
    if isinstance(value, type):
        return _class(value)
    if hasattr(value, "named_modules"):
        return fingerprint(value)
    if vars(type(value)).get("__reduce__") is None and hasattr(value, "__dict__"):
        return [_class(type(value)), *([k, below(v)] for k, v in sorted(vars(value).items()))]
    try:
        return [_class(type(value)), pickle.dumps(value).hex()]
    except Exception:  # a lock, a file, a thing of another language: nothing to compare by
        return uuid.uuid4().hex


def _class(kind: type) -> list:
    """A class by its name and the code of its own methods; those of the large libraries by name alone."""
    if kind.__module__.split(".")[0] in ("torch", "numpy", "builtins", "transformers", "PIL"):
        return [kind.__module__, kind.__qualname__]
    return [kind.__module__, kind.__qualname__, *([name, _code(f.__code__)] for name, f in sorted(vars(kind).items()) if isinstance(f, types.FunctionType))]


def _code(code: types.CodeType) -> list:
    constants = [_code(c) if isinstance(c, types.CodeType) else repr(c) for c in code.co_consts]
    return [code.co_code.hex(), list(code.co_names), constants]


def _filled(cell) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:  # a name that was never bound
        return False
