"""RADAR's triangles beside the direct formula of three differences, its scores, and a whole calibration.

One thread, unless OMP_NUM_THREADS says otherwise.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from analysis.metrics import radar, triangles
from benchmarks.measure import Row, alternate, peak

PAIRS = 10_000
STATES = 13
SOURCES = 6


def rows() -> list[Row]:
    return [*vectors(1800, 768), *vectors(PAIRS, 768), *vectors(1800, 64), *memory(PAIRS, 768), *exact(768), *scores(1800, 64), *calibration(1800, 64),
            *drawing(1800, 64)]


def states(n: int, d: int, shift: float = 0.0, seed: int = 0) -> tuple[list[np.ndarray], np.ndarray]:
    """Ten classes carried through residual layers."""
    rng, net = np.random.default_rng(seed), np.random.default_rng(99)
    labels, centres = np.arange(n) % 10, 2 * net.standard_normal((10, d), dtype=np.float32)
    x = [centres[labels] + rng.standard_normal((n, d), dtype=np.float32) + np.float32(shift) * net.standard_normal(d, dtype=np.float32)]
    for _ in range(STATES - 1):
        x.append(x[-1] + np.tanh(x[-1] @ (net.standard_normal((d, d), dtype=np.float32) / np.float32(d**0.5))))
    return x, labels


def vectors(n: int, d: int) -> list[Row]:
    (target, _), (source, _), pairs = states(n, d), states(n, d, 1, 1), drawn(n)
    ours, direct = alternate(lambda: triangles.vectors(target, source, pairs, radar.Options(device="cpu")), lambda: _direct(target, source, pairs), rounds=3)
    what = f"{PAIRS} pairs of {n} items x {STATES - 1} transitions, d={d}"
    return [Row(what, ours, "s"), Row(f"{what}, over three differences", ours / direct, "x", 0.4 if d == 768 else None, f"{direct:.2f} s, {_threads()}")]


def memory(n: int, d: int) -> list[Row]:
    done = subprocess.run([sys.executable, "-m", "benchmarks.radar", str(n), str(d)], cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, check=True)
    found = json.loads(done.stdout)
    return [Row(f"{PAIRS} pairs of {n} items, d={d}, peak memory beyond the states", found["over"], "MB", 200, f"states: {found['states']:.0f} MB")]


def exact(d: int) -> list[Row]:
    """Against all three differences in double precision."""
    (target, _), (source, _), pairs = states(500, d), states(500, d, 1, 1), drawn(500)
    plain = _direct([x.astype(np.float64) for x in target], [x.astype(np.float64) for x in source], pairs)
    found = np.split(triangles.vectors(target, source, pairs, radar.Options(device="cpu")), 2, axis=1)
    return [Row("farthest angle or distance from double precision", max(np.abs(a - b).max() for a, b in zip(found, plain, strict=True)), "", 1e-5)]


def scores(n: int, d: int) -> list[Row]:
    target, labels = states(n, d)
    sources = [states(n, d, i / 4, i + 1) for i in range(SOURCES)]
    compare = lambda source: radar.compare(target, source[0], target_labels=labels, source_labels=source[1])  # noqa: E731
    one, six = alternate(lambda: compare(sources[3]), lambda: [compare(source) for source in sources], rounds=3)
    what = f"5 000 + 5 000 pairs, {STATES} states, d={d}"
    return [Row(f"point score, {what}", one, "s", 1.0, _threads()), Row(f"point scores of {SOURCES} sources", six, "s", 6.0)]


def calibration(n: int, d: int) -> list[Row]:
    target, labels = states(n, d)
    sources = {f"source {i}": states(n, d, i / 4, i + 1) for i in range(SOURCES)}
    begun, seen = time.perf_counter(), []
    for _ in radar.calibrate(target, {name: x for name, (x, _) in sources.items()}, target_labels=labels,
                             source_labels={name: other for name, (_, other) in sources.items()}):
        seen.append(time.perf_counter() - begun)
    note = f"streamed: {len(seen)} results, first {seen[0]:.2f} s, first split {seen[SOURCES]:.1f} s"
    return [Row(f"calibration of {SOURCES} sources, 20 splits and jackknife, n={n}", seen[-1], "s", 45, note),
            Row("longest wait between two of them", max(np.diff(seen)), "s")]


def drawing(n: int, d: int) -> list[Row]:
    """What a page asks of a score when a ridgeline is enlarged."""
    (target, labels), (source, other) = states(n, d), states(n, d, 1, 1)
    found, grid = radar.compare(target, source, target_labels=labels, source_labels=other), np.linspace(0, np.pi, 400)
    seconds, = alternate(lambda: (found.density(4, "angle", grid), found.angles("cross"), found.items(other, 4)))
    return [Row("densities, angles and drivers of one transition", seconds, "s", 0.3)]


def drawn(n: int) -> np.ndarray:
    return np.random.default_rng(0).integers(n, size=(PAIRS, 2))


def _direct(target: list[np.ndarray], source: list[np.ndarray], pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x, p = np.stack([layer[pairs[:, 0]] for layer in target], axis=1), np.stack([layer[pairs[:, 1]] for layer in source[:-1]], axis=1)
    sep, detour, traj = p - x[:, :-1], x[:, 1:] - p, x[:, 1:] - x[:, :-1]
    a, b, c = (np.linalg.norm(side, axis=2) for side in (sep, detour, traj))
    with np.errstate(invalid="ignore", divide="ignore"):  # an item drawn as its own partner
        return np.arccos(np.clip(-(sep * detour).sum(axis=2) / (a * b), -1, 1)), (a + b - c) / c


def _threads() -> str:
    return f"OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', 'unset')}"


def _alone(n: int, d: int) -> dict:
    (target, _), (source, _), pairs = states(n, d), states(n, d, 1, 1), drawn(n)
    triangles.vectors(target, source, pairs[:50], radar.Options(device="cpu"))  # imports
    before = peak(afresh=True)
    triangles.vectors(target, source, pairs, radar.Options(device="cpu"))
    return {"over": peak() - before, "states": sum(x.nbytes for x in (*target, *source)) / 1e6}


if __name__ == "__main__":
    print(json.dumps(_alone(*map(int, sys.argv[1:]))))
