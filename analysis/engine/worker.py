"""What a worker process does: one task, start to end."""

import os
import time
import traceback

from analysis.engine.task import Task, map_refs
from analysis.errors import Cancelled, InputError
from analysis.representation import Representation

QUIET = 0.05  # seconds between two progress reports


class HungUp(EOFError):
    """The process that asked is gone. What is half done stays, to be resumed."""


class Context:
    """What a unit is given to report to and to be stopped by; and where it keeps parts of its result that another run may use."""

    def __init__(self, connection, task: Task):
        self.connection, self.task, self._said = connection, task, 0.0

    def progress(self, done: int, total: int, note: str = "") -> None:
        try:
            if self.connection.poll():
                self.connection.recv()
                raise Cancelled
            if done >= total or time.monotonic() - self._said > QUIET:
                self.connection.send(("progress", (done, total, note)))
                self._said = time.monotonic()
        except (EOFError, OSError):
            raise HungUp from None

    def kept(self, key: str):
        """What was kept under the key, or None."""
        from analysis.store import default
        return default().result(key)

    def keep(self, key: str, part) -> None:
        from analysis.store import default
        default().put_result(key, part, {"unit": self.task.unit, "part": True})


def work(connection) -> None:
    try:
        os.nice(5)  # the page stays quick
    except (AttributeError, OSError):
        pass
    try:
        connection.send(("hello", os.getpid()))
        task: Task = connection.recv()
        connection.send(_outcome(task, Context(connection, task)))
    except (EOFError, OSError):
        pass  # nobody listens any more


def _outcome(task: Task, ctx: Context) -> tuple:
    try:
        os.environ["SEXTANT_STORE"] = task.store
        run(task, ctx)
        return "done", None
    except HungUp:
        raise
    except Cancelled:
        return "cancelled", None
    except InputError as error:
        return "failed", error
    except MemoryError:
        return "failed", InputError("There is not enough memory for this.", "Try fewer items, fewer layers or a smaller model.")
    except Exception as error:
        traceback.print_exc()
        return "failed", InputError(f"The run failed: {type(error).__name__}: {error}.", "This is a fault of ours; the server's log has the details.")


def run(task: Task, ctx: Context) -> None:
    from analysis.store import default

    unit = task.load()
    last = None
    for last in unit(map_refs(task.inputs, lambda ref: ref.resolve()), task.options, ctx):
        if not isinstance(last, Representation):  # those go through the store, not through the line
            ctx.connection.send(("partial", last))
    if last is None:
        raise RuntimeError(f"{task.unit} yielded no result")
    if not isinstance(last, Representation):
        default().put_result(task.key, last, {"unit": task.unit, "version": unit.VERSION, "options": task.options,
                                              "inputs": map_refs(task.inputs, lambda ref: [ref.kind, ref.source, ref.digest])})
