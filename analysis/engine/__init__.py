"""Where work runs. `submit` looks in the store, shares a run between equal requests, and otherwise starts a worker process.

    job = engine.submit(unit, {"model": Ref.model("builtin:vit/seed0")}, {"layers": "all"}, control="load")

A unit of work is a top-level generator `unit(inputs, options, ctx)` with a VERSION: it yields frozen partial results, the
last one final. Another runner (a cluster) needs only what `local.Processes` offers: `start(task) -> channel`.
"""

from analysis.engine.job import Job
from analysis.engine.queue import Engine, default, shutdown
from analysis.engine.task import Ref, unit_key

__all__ = ["Engine", "Job", "Ref", "default", "find", "key", "shutdown", "stored", "submit"]


def submit(unit, inputs: dict, options: dict | None = None, *, control: str = "") -> Job:
    return default().submit(unit, inputs, options or {}, control=control)


def find(key: str) -> Job | None:
    return default().find(key)


def key(unit, inputs: dict, options: dict | None = None) -> str:
    return unit_key(unit, inputs, options or {})


def stored(unit, inputs: dict, options: dict | None = None):
    """The finished result when it is in the store, else None; computes nothing."""
    return default().lookup(unit_key(unit, inputs, options or {}))
