"""What every benchmark shares: a row of the table, a fair clock, the machine."""

import os
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One figure: what was measured, beside what, and the bound it has to keep."""

    what: str
    measured: float
    unit: str
    bound: float | None = None
    note: str = ""

    def line(self) -> str:
        verdict = "" if self.bound is None else f"<= {self.bound:g} {self.unit}  {'ok' if self.measured <= self.bound else 'MISSED'}"
        return f"{self.what:<66} {self.measured:>9.3g} {self.unit:<5} {verdict:<22} {self.note}"


def alternate(*runs: Callable[[], None], rounds: int = 5) -> list[float]:
    """Median seconds of each, taken in turns, so that a busy moment of the machine hits all alike."""
    times = [[] for _ in runs]
    for run in runs:
        run()  # warm
    for _ in range(rounds):
        for run, seen in zip(runs, times, strict=True):
            begun = time.perf_counter()
            run()
            seen.append(time.perf_counter() - begun)
    return [statistics.median(seen) for seen in times]


def machine() -> str:
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.processor()) \
        if os.path.exists("/proc/cpuinfo") else platform.processor()
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{os.cpu_count()} cores, {model or 'unknown processor'}, Python {platform.python_version()}, {time.strftime('%Y-%m-%d %H:%M')}{load}"


def peak(*, afresh: bool = False) -> float:
    """Peak memory of this process in MB; where the system can forget earlier peaks, since the last time it was asked to."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    if afresh:
        Path("/proc/self/clear_refs").write_text("5")
    return next(int(line.split()[1]) * 1024 / 1e6 for line in status.read_text().splitlines() if line.startswith("VmHWM"))
