"""What every blend of four sources gains a target, beside what the probes cannot do without: one eigenvalue decomposition each, in numpy.

The peer is scikit-learn's ridge classifier, told the strength, one fit on the stacked rows of each blend. One thread, unless OMP_NUM_THREADS says otherwise.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from analysis.metrics import gain, probe, statistics
from benchmarks.measure import Row, alternate, peak

CLASSES, SEEDS, BUDGET = 10, 10, 200
NAMES = ("one", "two", "three", "four")


def rows() -> list[Row]:
    return [*blends(1200, 384), *peer(1200, 384), *memory(1200, 384), *confirmed(1200, 384), *case(), *correlations(30)]


def domains(n: int, d: int) -> dict:
    """Five domains of n rows that share the centres of their classes, each farther off than the one before."""
    rng = np.random.default_rng(0)
    centres = 0.25 * rng.standard_normal((CLASSES, d), dtype=np.float32)
    x, y = {}, {}
    for shift, name in enumerate(("target", *NAMES)):
        y[name] = rng.integers(0, CLASSES, n)
        x[name] = centres[y[name]] + 0.2 * shift * rng.standard_normal(d, dtype=np.float32) + rng.standard_normal((n, d), dtype=np.float32)
    return {"target": x.pop("target"), "sources": x, "target_labels": y.pop("target"), "source_labels": y}


def measured(given: dict, **options) -> gain.Gains:
    *_, found = gain.measure(**given, budget=BUDGET, **{"seeds": SEEDS, **options})
    return found


def blends(n: int, d: int) -> list[Row]:
    given, fits = domains(n, d), 2**len(NAMES) * SEEDS
    gram = given["target"].astype(np.float64).T @ given["target"]
    floor = lambda: [np.linalg.eigh(gram) for _ in range(fits)]
    ours, least = alternate(lambda: measured(given), floor, rounds=3)
    begun = time.perf_counter()
    next(gain.measure(**given, budget=BUDGET))
    first = time.perf_counter() - begun
    note = f"floor {least:.2f} s: {fits} eigenvalue decompositions, {_threads()}"
    return [Row(f"16 blends x {SEEDS} seeds, n={n}, d={d}", ours, "s", 5, note), Row("the same, over the floor", ours / least, "x", 2.5, note),
            Row("the first of the seeds, all blends", first, "s", None)]


def peer(n: int, d: int) -> list[Row]:
    """One split: every strength, left out in turn, beside one fit at one strength."""
    from sklearn.linear_model import RidgeClassifier
    from sklearn.preprocessing import StandardScaler
    given = domains(n, d)
    train = np.arange(BUDGET)

    def theirs():
        for blend in ((), *gain.blends(NAMES)):
            x = np.concatenate([given["target"][train], *(given["sources"][name] for name in blend)]).astype(np.float64)
            y = np.concatenate([given["target_labels"][train], *(given["source_labels"][name] for name in blend)])
            scaler = StandardScaler().fit(x)
            RidgeClassifier(alpha=0.1 * len(x)).fit(scaler.transform(x), y).predict(scaler.transform(given["target"][BUDGET:].astype(np.float64)))
    ours, other = alternate(lambda: measured(given, seeds=1), theirs, rounds=3)
    return [Row("one split of 16 blends, over scikit-learn's ridge at one strength", ours / other, "x", 1, f"{ours:.2f} s over {other:.2f} s")]


def memory(n: int, d: int) -> list[Row]:
    done = subprocess.run([sys.executable, "-m", "benchmarks.gain", str(n), str(d)], cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, check=True)
    found = json.loads(done.stdout)
    return [Row("16 blends, peak memory above imports and data", found["over"], "MB", 200, f"{found['peak']:.0f} MB with them")]


def confirmed(n: int, d: int) -> list[Row]:
    """The logistic probe, on the target's training part with one source."""
    given = domains(n, d)
    x = np.concatenate([given["target"][:BUDGET], given["sources"]["one"]])
    y = np.concatenate([given["target_labels"][:BUDGET], given["source_labels"]["one"]])
    judged = np.arange(BUDGET)
    slow, quick = alternate(lambda: probe.logistic(x, y, judged=judged), lambda: probe.ridge(x, y, judged=judged), rounds=1)
    return [Row(f"logistic probe of {len(x)} rows, strength cross-validated", slow, "s", None, f"ridge {quick:.3f} s")]


def case() -> list[Row]:
    """The first numbers of a case, and all of them, where its representations are there: the turned digits, read by the demo backbone."""
    from types import SimpleNamespace

    from analysis import extract, load_dataset, load_model
    from analysis.studies.case import inspect
    model = load_model("builtin:vit/seed0")
    inputs = {side: {"representation": extract(model, load_dataset(f"builtin:digits/{domain}"))}
              for side, domain in (("target", "handwritten"), ("source", "handwritten-turned-180"))}
    begun, firsts = time.perf_counter(), []
    for _ in inspect(inputs, {}, SimpleNamespace(progress=lambda *_: None)):
        firsts.append(time.perf_counter() - begun)
    return [Row("a case, first numbers", firsts[0], "s", 1, "1 797 + 1 797 digits, 12 layers, cached"), Row("a case, all numbers", firsts[-1], "s", None)]


def correlations(n: int) -> list[Row]:
    from scipy import stats
    rng = np.random.default_rng(0)
    a = rng.standard_normal(n)
    b = a + rng.standard_normal(n)

    def resampled():
        for picked in rng.integers(0, n, (2000, n)):
            stats.kendalltau(a[picked], b[picked])
    kinds = (statistics.kendall, statistics.weighted_kendall, statistics.spearman, statistics.pearson)
    *ours, theirs = alternate(*(lambda kind=kind: kind(a, b) for kind in kinds), resampled, rounds=3)
    told = ", ".join(f"{kind.__name__} {seconds:.4f}" for kind, seconds in zip(kinds, ours, strict=True))
    return [Row(f"correlation of {n} pairs with 2000 resamples, the slowest", max(ours), "s", 0.1, told),
            Row("tau with its interval, over scipy's tau in a loop", ours[0] / theirs, "x", 0.1, f"{theirs:.2f} s")]


def _threads() -> str:
    return f"OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', 'unset')}"


def _alone(n: int, d: int) -> dict:
    given = domains(n, d)
    before = peak(afresh=True)
    measured(given, seeds=2)
    return {"peak": peak(), "over": peak() - before}


if __name__ == "__main__":
    print(json.dumps(_alone(int(sys.argv[1]), int(sys.argv[2]))))
