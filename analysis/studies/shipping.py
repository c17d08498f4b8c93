"""Results of our own full runs, as they are shipped: a file each, with when and how it was made, read back into the result that it was."""

import json
import platform
import time
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import numpy as np

from analysis.errors import InputError
from analysis.metrics.result import plain
from analysis.tensors import write_json


def read(file: Path, kinds: Mapping[str, type]):
    """The result that was written; kinds: the dataclass of each file that there may be, by its name."""
    values, kind = _content(file, kinds)["values"], kinds[file.stem]
    return kind(**{f.name: np.array(values[f.name], float) if f.type is np.ndarray else values[f.name] for f in fields(kind)})


def made(file: Path, kinds: Mapping[str, type]) -> dict:
    """When and how it was computed: date, command, versions, seconds."""
    return {key: value for key, value in _content(file, kinds).items() if key != "values"}


def write(file: Path, found, *, command: str, version: int, began: float) -> None:
    """began: by `time.monotonic`."""
    import torch
    values = {f.name: getattr(found, f.name) for f in fields(found)}
    values = {key: _written(value.tolist()) if isinstance(value, np.ndarray) else plain(value) for key, value in values.items()}
    versions = {"python": platform.python_version(), "numpy": np.__version__, "torch": torch.__version__, "unit": version}
    write_json(file, {"date": time.strftime("%Y-%m-%d"), "command": command, "versions": versions, "seconds": round(time.monotonic() - began),
                      "values": values})


def _content(file: Path, kinds: Mapping[str, type]) -> dict:
    if file.stem not in kinds:
        raise InputError(f"There is no run of ours called {file.stem!r}.", f"There are: {', '.join(kinds)}.")
    return json.loads(file.read_text(encoding="utf-8"))


def _written(value):
    """Seven digits that count; infinity as a word, which JSON lacks and numpy reads."""
    if isinstance(value, list):
        return [_written(each) for each in value]
    return None if value != value else str(value) if value in (np.inf, -np.inf) else float(f"{value:.7g}")
