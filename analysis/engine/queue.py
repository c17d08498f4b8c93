"""Engine: which run starts, which is shared, which is replaced."""

import atexit
import os
import threading
import traceback
from collections import OrderedDict

from analysis import store
from analysis.engine.job import Job
from analysis.engine.local import Processes
from analysis.engine.task import Task, name_of, unit_key
from analysis.errors import InputError

PATIENCE = 5.0  # seconds a cancelled worker may stay silent before it is terminated
KEPT = 256  # finished jobs remembered, so that a page can still show how its run ended


class Engine:
    def __init__(self, *, runner=None, workers: int | None = None):
        self.runner = runner or Processes()
        self._slots = threading.Semaphore(workers or max(2, min(4, (os.cpu_count() or 2) // 2)))  # two at least: a long run must not hold up a short one
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._controls: dict[str, str] = {}
        self._lock = threading.RLock()

    def submit(self, unit, inputs: dict, options: dict, *, control: str = "") -> Job:
        """Start a run, join an equal one, or find its result stored. Another live run of the same control is let go."""
        key, name = unit_key(unit, inputs, options), name_of(unit)
        with self._lock:
            self._release(control, unless=key)
            job = self._jobs.get(key)
            if job and job.alive and not job.cancelled:
                job.controls.add(control)
            elif self.lookup(key) is not None:
                job = self._remember(Job(key, name, self.lookup, control))
                job.end("done")
            else:
                job = self._remember(Job(key, name, self.lookup, control))
                task = Task(key, name, inputs, options, str(store.default().folder))
                threading.Thread(target=self._run, args=(job, task), name=f"job {key[:8]}", daemon=True).start()
            if control:
                self._controls[control] = key
        return job

    def find(self, key: str) -> Job | None:
        return self._jobs.get(key)

    def jobs(self) -> list[Job]:
        return list(self._jobs.values())

    def lookup(self, key: str):
        kept = store.default()
        found = kept.representation(key)
        return found if found is not None else kept.result(key)

    def shutdown(self) -> None:
        for job in self.jobs():
            if job.alive:
                job.cancel()
        self.runner.close()

    def _release(self, control: str, unless: str) -> None:
        last = self._jobs.get(self._controls.get(control, "")) if control else None
        if last and last.alive and last.key != unless:
            last.cancel(control)

    def _remember(self, job: Job) -> Job:
        self._jobs[job.key] = job
        self._jobs.move_to_end(job.key)
        for key in [k for k, j in self._jobs.items() if not j.alive][:max(0, len(self._jobs) - KEPT)]:
            del self._jobs[key]
        live = {k: v for k, v in self._controls.items() if v in self._jobs}
        if len(live) < len(self._controls):
            self._controls = live
        return job

    def _run(self, job: Job, task: Task) -> None:
        """One thread a job: wait for a slot, start the worker, pass on what it says."""
        while not self._slots.acquire(timeout=0.1):
            if job.cancelled:
                return job.end("cancelled")
        try:
            if job.cancelled:
                return job.end("cancelled")
            job.begin()
            self._follow(job, self.runner.start(task))
        except OSError as error:
            job.end("failed", InputError(f"No worker process could be started: {error}.", "Free some memory or processes and try again."))
        except Exception as error:  # whatever it is, a job must not seem to run for ever
            traceback.print_exc()
            job.end("failed", InputError(f"The run failed: {type(error).__name__}: {error}.", "This is a fault of ours; the server's log has the details."))
        finally:
            self._slots.release()

    def _follow(self, job: Job, channel) -> None:
        waited = None  # seconds since the cancel was passed on
        try:
            while True:
                if job.cancelled and waited is None:
                    channel.cancel()
                    waited = 0.0
                heard = channel.receive(timeout=0.1)
                if heard is not None:
                    what, value = heard
                    if what == "progress":
                        job.report(*value)
                    elif what == "partial":
                        job.partial = value
                    elif what in ("done", "failed", "cancelled"):
                        return job.end(what, value)
                elif waited is not None:
                    waited += 0.1
                    if waited > PATIENCE:
                        channel.kill()
                        store.default().discard_partial(job.key)
                        return job.end("cancelled")
        except EOFError:
            if job.cancelled:
                return job.end("cancelled")
            job.end("failed", InputError("The worker process stopped without a word; most often the machine ran out of memory.",
                                         "Try fewer items, fewer layers or a smaller model."))
        finally:
            channel.close()


_default: Engine | None = None
_guard = threading.Lock()


def default() -> Engine:
    """The one engine of this process."""
    global _default
    with _guard:
        if _default is None:
            _default = Engine()
            atexit.register(_default.shutdown)
        return _default


def shutdown() -> None:
    global _default
    with _guard:
        if _default is not None:
            _default.shutdown()
            _default = None
