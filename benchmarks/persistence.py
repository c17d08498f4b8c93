"""H0 and diagrams beside ripser and giotto-ph on clustered Gaussians, d=512: time, memory, equal bars, and how the cost grows with the points.

One thread each, unless OMP_NUM_THREADS says otherwise; giotto-ph may also use all cores, and the faster of both counts.
"""

import json
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from analysis.metrics import persistence, spanning
from benchmarks.measure import Row, alternate, peak

WIDTH = 512


def rows() -> list[Row]:
    return [*beside_peers(5000), *memory(5000), *equal_bars(5000), *growth(10_000, 50_000), *diagrams(1000)]


def clusters(n: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, WIDTH), dtype=np.float32) * np.float32(0.5)
    x += rng.standard_normal((20, WIDTH), dtype=np.float32)[rng.integers(20, size=n)]
    return x


def beside_peers(n: int) -> list[Row]:
    x, what = clusters(n), f"H0 of {n} points"
    runs = [lambda: persistence.h0(x), lambda: _ripser(x)]
    if giotto := find_spec("gph"):
        from gph import ripser_parallel
        runs += [lambda: ripser_parallel(x, maxdim=0, n_threads=1), lambda: ripser_parallel(x, maxdim=0, n_threads=-1)]
    ours, ripser, *others = alternate(*runs, rounds=3)
    found = [Row(f"{what}, over ripser", ours / ripser, "x", 0.1, f"{ours:.2f} s over {ripser:.2f} s; floor {_floor(n):.2f} s, the products of a Gram matrix")]
    if not giotto:
        return [*found, Row(f"{what}, over giotto-ph", float("nan"), "x", None, "skipped: pip install -r requirements-bench.txt")]
    note = f"{ours:.2f} s over {min(others):.2f} s (one thread {others[0]:.2f}, all cores {others[1]:.2f})"
    return [*found, Row(f"{what}, over giotto-ph", ours / min(others), "x", 0.25, note)]


def memory(n: int) -> list[Row]:
    ours, ripser = (_apart(name, n)["over"] for name in ("h0", "ripser"))
    return [Row(f"H0 of {n} points, peak memory over ripser's", ours / ripser, "x", 0.25, f"{ours:.0f} MB over {ripser:.0f} MB, each above imports and data")]


def equal_bars(n: int) -> list[Row]:
    """Against every pair measured in double precision; ripser counts in single."""
    from scipy.sparse.csgraph import minimum_spanning_tree
    from scipy.spatial.distance import pdist, squareform
    x = clusters(n)
    ours, exact = persistence.h0(x), np.sort(minimum_spanning_tree(squareform(pdist(x.astype(np.float64)))).data)  # no two rows are equal here
    ripser = np.sort(_ripser(x)[:-1, 1].astype(np.float64))
    return [Row(f"bars of {n} points: farthest from the exact ones", np.abs(ours - exact).max(), "", 1e-8, "scipy's pdist and spanning tree"),
            Row(f"bars of {n} points: farthest from ripser's, relative", (np.abs(ours - ripser) / ours).max(), "", None, "ripser's own are single precision")]


def growth(few: int, many: int) -> list[Row]:
    """Both searched in blocks, in a process of their own; processor seconds, so that neighbours on the machine count less."""
    first, last = sorted((_apart("h0", few) for _ in range(3)), key=lambda found: found["seconds"])[1], _apart("h0", many)
    exponent = np.log(last["seconds"] / first["seconds"]) / np.log(many / few)
    note = f"{first['seconds']:.1f} s to {last['seconds']:.1f} s; floor {_floor(few):.1f} s to {_floor(many):.1f} s"
    return [Row(f"H0 from {few} to {many} points: time grows with the power", exponent, "", 2.15, note),
            Row(f"H0 of {many} points, peak memory of the process", last["peak"], "MB", 2000, f"of which points, as float32: {many * WIDTH * 4 / 1e6:.0f} MB")]


def diagrams(n: int) -> list[Row]:
    from ripser import ripser
    x = clusters(n)
    ours, bare = alternate(lambda: persistence.diagrams(x, max_dim=1, max_points=n), lambda: ripser(x, maxdim=1, do_cocycles=True))
    return [Row(f"diagrams of {n} points up to H1, over bare ripser", ours / bare, "x", 1.1, f"{ours:.2f} s over {bare:.2f} s, both with cocycles")]


def _ripser(x: np.ndarray) -> np.ndarray:
    from ripser import ripser
    return ripser(x, maxdim=0)["dgms"][0]


def _floor(n: int) -> float:
    """Processor seconds for every product that the distances of n points need once, at the rate that this machine multiplies matrices."""
    a, b = np.random.default_rng(0).standard_normal((2, 4096, WIDTH))
    out, seconds = np.empty((4096, 4096)), []
    for _ in range(4):
        begun = time.process_time()
        np.matmul(a, b.T, out=out)
        seconds.append(time.process_time() - begun)
    return min(seconds) * (n / 4096)**2 / 2


def _apart(name: str, n: int) -> dict:
    """Seconds of one run in a process of its own, its peak memory and how much of that came on top of imports and data, in MB."""
    print(f"{name} of {n} points ...", file=sys.stderr, flush=True)
    done = subprocess.run([sys.executable, "-m", "benchmarks.persistence", name, str(n)], cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def _alone(name: str, n: int) -> dict:
    def tell(done, total, note):
        print(f"\r{note}: {done} of {total}", end="\n" if done == total else "", file=sys.stderr, flush=True)

    x = clusters(n)
    _ripser(x[:WIDTH]) if name == "ripser" else spanning.tree(np.vstack([x[:2], x[:2]]))  # imports
    before, begun = peak(afresh=True), time.process_time()
    _ripser(x) if name == "ripser" else spanning.tree(x, progress=tell)
    return {"seconds": time.process_time() - begun, "peak": peak(), "over": peak() - before}


if __name__ == "__main__":
    print(json.dumps(_alone(sys.argv[1], int(sys.argv[2]))))
