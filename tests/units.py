"""Units of work for the engine's tests: they run in worker processes, so they live in an importable module."""

import os
import time
from dataclasses import dataclass

import numpy as np

from analysis.digest import digest
from analysis.errors import InputError
from analysis.metrics.statistics import pearson


@dataclass(frozen=True)
class Count:
    total: int
    values: np.ndarray
    pid: int


def count(inputs, options, ctx):
    """Counts to n, slowly; writes one line per start into a file, so that a test sees how often it really ran."""
    if options.get("log"):
        with open(options["log"], "a") as file:
            file.write("started\n")
    n = options["n"]
    for i in range(n):
        time.sleep(options.get("pause", 0.01))
        ctx.progress(i + 1, n, "counting")
        if i == n // 2:
            yield Count(i, np.arange(i), os.getpid())
    yield Count(n, np.arange(n), os.getpid())


def refuse(inputs, options, ctx):
    raise InputError("The rows are crooked.", "Straighten them.")
    yield


def crash(inputs, options, ctx):
    os._exit(3)
    yield


def stumble(inputs, options, ctx):
    yield 1 / 0


def deaf(inputs, options, ctx):
    """Never reports, so never hears of a cancel."""
    open(options["log"], "w").write(str(os.getpid()))
    time.sleep(60)
    yield


def in_parts(inputs, options, ctx):
    """Adds up parts, each of which another run may have kept; `made` counts those that this one had to make."""
    total = made = 0
    for part in options["parts"]:
        key = digest("a part", part)
        if (one := ctx.kept(key)) is None:
            one, made = pearson([0, 1, 2], [0, 1, part], resamples=0), made + 1  # a class of ours: the store opens no other
            ctx.keep(key, one)
        total += one.n
    yield Count(total, np.full(1, made), os.getpid())


for each in (count, in_parts, refuse, crash, stumble, deaf):
    each.VERSION = 1
