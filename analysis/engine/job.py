"""Job: one run of a unit of work, as whoever asked for it sees it."""

import time
from collections.abc import Callable

from analysis.errors import InputError

LIVE = ("queued", "running")


class Job:
    """State of a run. Read it at any time from any thread; only its engine writes it."""

    def __init__(self, key: str, name: str, lookup: Callable, control: str = ""):
        self.key, self.name = key, name
        self.state = "queued"
        self.done, self.total, self.note = 0, 0, "waiting for a free worker"
        self.partial = None
        self.error: InputError | None = None
        self.controls = {control}
        self.cancelled = False  # asked for; the state follows
        self._first: tuple[float, int] | None = None
        self._ended = 0.0
        self._lookup = lookup

    def __repr__(self) -> str:
        return f"Job({self.name}, {self.state}, {self.done}/{self.total})"

    @property
    def alive(self) -> bool:
        return self.state in LIVE

    @property
    def rate(self) -> float | None:
        """Items a second since the first report of this phase (loading the model is not counted)."""
        if self._first is None:
            return None
        begun, base = self._first
        passed = (time.monotonic() if self.alive else self._ended) - begun
        return (self.done - base) / passed if passed > 0 and self.done > base else None

    @property
    def remaining(self) -> float | None:
        return (self.total - self.done) / self.rate if self.rate else None

    def result(self):
        """The final result, from the store; None until the job is done."""
        return self._lookup(self.key) if self.state == "done" else None

    def cancel(self, control: str | None = None) -> None:
        """Let go of the run. It stops when nobody else waits for it; without a control it stops at once."""
        if control is not None:
            self.controls.discard(control)
        if control is None or not self.controls:
            self.cancelled = True

    # written by the engine

    def report(self, done: int, total: int, note: str) -> None:
        if self._first is None or total != self.total:
            self._first = (time.monotonic(), done)
        self.done, self.total, self.note = done, total, note

    def begin(self) -> None:
        self.state, self.note = "running", "starting"

    def end(self, state: str, error: InputError | None = None) -> None:
        self._ended = time.monotonic()
        self.error, self.partial = error, None if state == "done" else self.partial  # what is final lies in the store
        self.state = state
