"""Spectra beside what any way to get them has to do: two Gram products and two row argsorts, as a peer would, in numpy or torch, whichever is quicker.

One thread each, unless OMP_NUM_THREADS says otherwise. The peer multiplies in single precision, we in double.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from analysis.metrics import similarity, tas
from benchmarks.measure import Row, alternate, peak

WIDTH = 768


def rows() -> list[Row]:
    return [*full(2000, 0.35), *full(5000, None), *memory(5000), *exact(2000), *bands(2000), *layers(13, 1800, 64), *moved(2000), *many(50_000),
            *companions(2000)]


def related(n: int, d: int = WIDTH, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    a = rng.standard_normal((n, d), dtype=np.float32) + rng.standard_normal((10, d), dtype=np.float32)[rng.integers(10, size=n)]
    return a, a + rng.standard_normal((n, d), dtype=np.float32)


def full(n: int, bound: float | None) -> list[Row]:
    a, b = related(n)
    ours, *floors = alternate(lambda: tas.spectrum(a, b), lambda: _numpy(a, b), lambda: _torch(a, b), rounds=5)
    note = f"{ours:.2f} s over {min(floors):.2f} s (numpy {floors[0]:.2f}, torch {floors[1]:.2f}), {_threads()}"
    return [Row(f"spectrum of {n} rows at all {n - 2} sizes, d={WIDTH}", ours, "s", bound, _threads()),
            Row(f"spectrum of {n} rows, over two Gram products and two argsorts", ours / min(floors), "x", 1.6, note)]


def memory(n: int) -> list[Row]:
    done = subprocess.run([sys.executable, "-m", "benchmarks.tas", str(n)], cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, check=True)
    found = json.loads(done.stdout)
    note = f"{found['peak']:.0f} MB with imports and the data, {2 * n * WIDTH * 4 / 1e6:.0f} MB"
    return [Row(f"spectrum of {n} rows, peak memory above imports and data", found["over"], "MB", 300, note)]


def exact(n: int) -> list[Row]:
    """Against every pair measured in double precision, at every size."""
    from scipy.spatial.distance import cdist
    a, b = related(n)
    places = []
    for x in (a, b):
        order = cdist(x.astype(np.float64), x.astype(np.float64), "sqeuclidean").argsort(axis=1)
        places.append(order.argsort(axis=1))
    size = np.arange(1, n - 1)
    shared = np.apply_along_axis(lambda row: np.bincount(row, minlength=n)[1:n - 1].cumsum(), 1, np.maximum(*places))
    chance = tas.expected(n)
    plain = ((shared / (2 * size - shared)).mean(axis=0) - chance) / (1 - chance)
    return [Row(f"spectrum of {n} rows: farthest from the exact one", np.abs(tas.spectrum(a, b).tas - plain).max(), "", 1e-5, "scipy's cdist and argsort")]


def bands(n: int) -> list[Row]:
    a, b = (tas.ranks(x, seed=i) for i, x in enumerate(related(n)))
    band, again = alternate(lambda: tas.null_band(a, b, permutations=200), lambda: tas.bootstrap_band(a, b, resamples=200), rounds=3)
    return [Row(f"null band of 200 permutations, {n} rows", band, "s", 6, _threads()), Row(f"bootstrap band of 200 resamples, {n} rows", again, "s", None)]


def layers(count: int, n: int, d: int) -> list[Row]:
    """Between two models, so that no pair is computed for another."""
    rng = np.random.default_rng(0)
    a, b = ([rng.standard_normal((n, d), dtype=np.float32) for _ in range(count)] for _ in range(2))
    begun, seen = time.perf_counter(), []
    for _ in tas.pairs(a, b):
        seen.append(time.perf_counter() - begun)
    return [Row(f"{count} x {count} layer pairs at n={n}, d={d}", seen[-1], "s", 20, _threads()),
            Row("the first row of them", seen[0], "s", 2, "with the ranks of all it needs")]


def moved(n: int) -> list[Row]:
    a, b = (tas.ranks(x, seed=i) for i, x in enumerate(related(n)))
    seconds, again = alternate(lambda: tas.agreement(a, b, 50), lambda: tas.spectrum(a, b))
    return [Row(f"who moved, at another k, {n} rows ranked before", seconds, "s", 0.3), Row(f"spectrum of {n} rows ranked before", again, "s", 0.3)]


def many(n: int) -> list[Row]:
    a, b = related(n, 64)
    begun = time.perf_counter()
    tas.spectrum(a, b, max_k=200, progress=_tell)
    return [Row(f"spectrum of {n} rows up to k=200, d=64", time.perf_counter() - begun, "s", None, _threads())]


def companions(n: int) -> list[Row]:
    a, b = related(n)
    calls = {"cka": similarity.cka, "debiased cka": lambda a, b: similarity.cka(a, b, debiased=True), "procrustes": similarity.procrustes,
             "rsa": similarity.rsa, "mutual knn": similarity.mutual_knn}
    seconds = alternate(*(lambda call=call: call(a, b) for call in calls.values()), rounds=3)
    note = ", ".join(f"{name} {took:.2f}" for name, took in zip(calls, seconds, strict=True))
    return [Row(f"scalar companions of {n} rows, together", sum(seconds), "s", None, note)]


def _numpy(a: np.ndarray, b: np.ndarray) -> None:
    for x in (a, b):
        squares = np.einsum("ij,ij->i", x, x)
        np.argsort(squares - 2 * (x @ x.T), axis=1)


def _torch(a: np.ndarray, b: np.ndarray) -> None:
    import torch
    if "OMP_NUM_THREADS" in os.environ:
        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    for x in map(torch.from_numpy, (a, b)):
        torch.argsort((x * x).sum(1) - 2 * (x @ x.T), dim=1)


def _threads() -> str:
    return f"OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', 'unset')}"


def _tell(done: int, total: int, note: str) -> None:
    if done == total or done % 4800 == 0:
        print(f"\r{note}: {done} of {total}", end="\n" if done == total else "", file=sys.stderr, flush=True)


def _alone(n: int) -> dict:
    a, b = related(n)
    tas.spectrum(a[:50], b[:50])  # imports
    before = peak(afresh=True)
    tas.spectrum(a, b)
    return {"peak": peak(), "over": peak() - before}


if __name__ == "__main__":
    print(json.dumps(_alone(int(sys.argv[1]))))
