"""Transferability scores beside transformer-ranker's, and all of them for ten models: n=4 096, d=512, 20 classes.

One thread each, unless OMP_NUM_THREADS says otherwise. The peer decomposes in double precision and measures neighbours in single, and so do we.
"""

import importlib.util
import os
import sys
import time

import numpy as np

from analysis.metrics import transferability
from benchmarks.measure import Row, alternate

N, WIDTH, CLASSES, HEADS, MODELS = 4096, 512, 20, 1000, 10
SCORES = {name: score for name, score in transferability.SCORES.items() if score.kind == "score" and "labels" in score.needs}


def rows() -> list[Row]:
    return [*every_score(), *beside_peers()]


def model(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(features, labels, probabilities); each model tells the classes a little better than the one before, some directions being weak."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, CLASSES, N)
    x = (0.1 + 0.05 * seed) * rng.standard_normal((CLASSES, WIDTH))[y] + rng.standard_normal((N, WIDTH)) * np.geomspace(3, 0.1, WIDTH)
    z = np.exp(x @ rng.standard_normal((WIDTH, HEADS)) / np.sqrt(WIDTH))
    return x.astype(np.float32), y, (z / z.sum(axis=1, keepdims=True)).astype(np.float32)


def every_score() -> list[Row]:
    taken, whole = dict.fromkeys(SCORES, 0.0), 0.0
    for seed in range(MODELS):
        x, y, p = model(seed)
        begun = time.perf_counter()
        data = transferability.prepare(x, y)
        for name, score in SCORES.items():
            since = time.perf_counter()
            score(features=data, labels=y, probabilities=p)
            taken[name] += time.perf_counter() - since
        whole += time.perf_counter() - begun
        print(f"\rscores: {seed + 1} of {MODELS} models", end="\n" if seed + 1 == MODELS else "", file=sys.stderr, flush=True)
    note = ", ".join(f"{name} {seconds / MODELS:.2f}" for name, seconds in taken.items())
    return [Row(f"{len(SCORES)} label-based scores of {MODELS} models", whole, "s", 60, f"seconds of one model: {note}; floor {_floor():.2f}, the products")]


def beside_peers() -> list[Row]:
    peer = _peer()
    if peer is None:
        return [Row("LogME, H-score and kNN, over transformer-ranker", float("nan"), "x", None, "skipped: pip install --no-deps -r requirements-bench.txt")]
    import torch
    if "OMP_NUM_THREADS" in os.environ:
        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    x, y, _ = model(3)
    tensors, found = tuple(map(torch.from_numpy, (x, y))), []
    for name, ours, theirs in (("LogME", transferability.logme, peer.LogME()), ("H-score", transferability.h_score, peer.HScore()),
                               ("kNN", transferability.knn_accuracy, peer.NearestNeighbors(k=5))):
        mine, other = alternate(lambda ours=ours: ours(x, y), lambda theirs=theirs: theirs.fit(*tensors), rounds=7)
        note = f"{mine:.2f} s over {other:.2f} s, nothing prepared; {ours(x, y):.5f}, theirs {theirs.fit(*tensors):.5f}"
        found.append(Row(f"{name}, over transformer-ranker", mine / other, "x", 1, note))
    return found


def _peer():
    """transformer-ranker's estimators alone: the package around them wants to download."""
    package = importlib.util.find_spec("transformer_ranker")
    if package is None or importlib.util.find_spec("torchmetrics") is None:
        return None
    folder = os.path.join(package.submodule_search_locations[0], "estimators")
    spec = importlib.util.spec_from_file_location("transformer_ranker_estimators", os.path.join(folder, "__init__.py"), submodule_search_locations=[folder])
    sys.modules[spec.name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _floor() -> float:
    """Seconds for the products that distances and covariances of one model need once, in single and in double precision."""
    x, seconds = np.random.default_rng(0).standard_normal((N, WIDTH)), []
    single = x.astype(np.float32)
    for _ in range(4):
        begun = time.perf_counter()
        _ = single @ single.T, x.T @ x
        seconds.append(time.perf_counter() - begun)
    return min(seconds)
