"""Worker processes on this machine: one a job, forked from a foreman that has torch loaded, so a job starts in milliseconds.

The foreman is a process of its own, started with the first job and let go when idle: forking the server itself would
deadlock once torch has run, and multiprocessing's forkserver re-imports the main script, which here is the page.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
from multiprocessing.connection import Connection
from pathlib import Path

from analysis.engine.task import Task

IDLE = 30.0  # seconds without a job after which the foreman's memory is given back
ROOT = Path(__file__).resolve().parents[2]


class Channel:
    """The line to one worker."""

    def __init__(self, connection, pid: int | None = None):
        self.connection, self.pid = connection, pid

    def receive(self, timeout: float):
        """The next (what, value) the worker says, None when it is silent; EOFError when it is gone."""
        try:
            if not self.connection.poll(timeout):
                return None
            what, value = self.connection.recv()
        except OSError:
            raise EOFError from None
        if what == "hello":
            self.pid = value
            return None
        return what, value

    def cancel(self) -> None:
        try:
            self.connection.send("cancel")
        except OSError:
            pass  # gone already: receive will say so

    def kill(self) -> None:
        if self.pid:
            try:
                os.kill(self.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
            except ProcessLookupError:
                pass

    def close(self) -> None:
        self.connection.close()


class Processes:
    """Starts a worker a task. `start(task) -> Channel` and `close()` are all the engine asks of a runner."""

    def __init__(self):
        self._lock = threading.Lock()
        self._foreman: tuple[subprocess.Popen, socket.socket] | None = None
        self._idle: threading.Timer | None = None
        self._busy = 0

    def start(self, task: Task) -> Channel:
        with self._lock:
            self._busy += 1
        try:
            channel = _Counted(self._forked() if sys.platform == "linux" else _spawned(), self)
        except BaseException:
            self._ended()
            raise
        try:
            channel.connection.send(task)
        except BaseException:
            channel.close()
            raise
        return channel

    def close(self) -> None:
        with self._lock:
            self._dismiss()

    def _forked(self):
        ours, theirs = socket.socketpair()
        with self._lock, theirs:
            if self._idle:
                self._idle.cancel()
            for attempt in (1, 2):
                line = self._line()
                try:
                    socket.send_fds(line, [b"+"], [theirs.fileno()])
                    break
                except OSError:
                    self._dismiss()
                    if attempt == 2:
                        raise
        return Connection(ours.detach())

    def _line(self) -> socket.socket:
        if self._foreman is None or self._foreman[0].poll() is not None:
            ours, theirs = socket.socketpair()
            with theirs:
                threads = {name: os.environ.get(name, "1") for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
                process = subprocess.Popen(
                    [sys.executable, "-m", "analysis.engine.foreman", str(theirs.fileno())], pass_fds=[theirs.fileno()], cwd=ROOT,
                    stdin=subprocess.DEVNULL, start_new_session=True, env={**os.environ, **threads, "PYTHONPATH": _path()})
            self._foreman = process, ours
        return self._foreman[1]

    def _ended(self) -> None:
        with self._lock:
            self._busy -= 1
            if self._busy <= 0 and self._foreman:
                if self._idle:
                    self._idle.cancel()
                self._idle = threading.Timer(IDLE, self._when_idle)
                self._idle.daemon = True
                self._idle.start()

    def _when_idle(self) -> None:
        with self._lock:
            if self._busy <= 0:
                self._dismiss()

    def _dismiss(self) -> None:
        """Hang up: the foreman leaves when its line closes."""
        if self._foreman:
            process, line = self._foreman
            line.close()
            self._foreman = None
            try:
                process.wait(timeout=2)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class _Counted(Channel):
    def __init__(self, connection, owner: Processes):
        super().__init__(connection)
        self.owner = owner

    def close(self) -> None:
        super().close()
        if self.owner:
            self.owner._ended()
            self.owner = None


def _path() -> str:
    """Workers must find what this process finds: the repository, and whatever else holds a unit of work."""
    return os.pathsep.join(dict.fromkeys([str(ROOT), *(p for p in sys.path if p)]))


def _spawned():
    """Where forking is not safe: a fresh interpreter a job, slower to start."""
    import multiprocessing

    from analysis.engine.worker import work
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    context.Process(target=work, args=(theirs,), daemon=True).start()
    theirs.close()
    return ours
