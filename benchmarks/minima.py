"""Branches trained together beside one after another, a candidate for growth, and the proxies. One thread each, unless OMP_NUM_THREADS says otherwise.

The digits network is an MLP of two layers of 32 on 16x16 pictures, as the models of the zoo see them; batches of 64.
"""

import os
import time
from types import SimpleNamespace

import numpy as np

from analysis.data import load_dataset
from analysis.metrics import minima
from analysis.models import zoo
from analysis.studies import growth
from benchmarks.measure import Row, alternate

SEEDS, STEPS, RATE = range(5), 120, 0.05
FOUR = ("synflow", "snip", "grasp", "ntk")
ITEMS = 64


def rows() -> list[Row]:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import torch
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    return [*together(), *candidate(), *proxies(), *preset()]


def digits(width: int, side: int) -> growth.Ground:
    """The page's own network and parts, untrained."""
    chosen = growth.settled("grow", {"width": width, "side": side, "trained": 0})
    return growth.grounded({"dataset": load_dataset("builtin:digits/handwritten")}, chosen, SimpleNamespace(progress=lambda *told: None))


def together() -> list[Row]:
    found = []
    for width, side in ((4, 8), (32, 16), (128, 16)):
        ground = digits(width, side)
        train = lambda seeds, ground=ground: minima.branch(ground.module, *ground.train, seeds=seeds, steps=STEPS, rate=RATE)
        ours, single, loop = alternate(lambda train=train: train(SEEDS), lambda train=train: [train([seed]) for seed in SEEDS],
                                       lambda ground=ground: [_descend(ground, seed) for seed in SEEDS], rounds=3)
        note = f"{ours:.2f} s together; one after another {single:.2f} s, in a plain loop {loop:.2f} s"
        named = f"two layers of {width} on {side}x{side}"
        found += [Row(f"five branches, {named}, over one after another", ours / single, "x", 0.4 if width == 32 else None, note),
                  Row(f"five branches, {named}, over a plain loop of torch", ours / loop, "x", 0.4 if width == 32 else None, "the peer")]
    return found


def _descend(ground: growth.Ground, seed: int) -> None:
    """What anybody would write."""
    import copy

    import torch
    module, (x, y), rng = copy.deepcopy(ground.module), ground.train, np.random.default_rng(seed)
    optimiser = torch.optim.SGD(module.parameters(), lr=RATE, momentum=0.9)
    for _ in range(STEPS):
        part = torch.from_numpy(rng.choice(len(x), 64, replace=False))
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(module(x[part]), y[part]).backward()
        optimiser.step()


def candidate() -> list[Row]:
    found = []
    for width, side in ((4, 8), (32, 16)):
        ground = digits(width, side)
        measured = lambda ground=ground: _measured(minima.widen(ground.module, "0", 2.0, noise=0.3), ground)
        measured()
        began = time.perf_counter()
        for _ in range(3):
            measured()
        found.append(Row(f"a candidate: two layers of {width} on {side}x{side}, one widened", (time.perf_counter() - began) / 3, "s", 0.4,
                         "5 branches x 120 steps, 10 barriers of 21 points, radius along 10 directions, losses of 400 items"))
    return found


def _measured(module, ground: growth.Ground) -> None:
    branches = minima.branch(module, *ground.train, seeds=SEEDS, steps=STEPS, rate=RATE)
    x, y = ground.train
    loss = minima.Loss(module, x[:400], y[:400])
    minima.size(branches, barriers=minima.barriers(loss, branches), epsilon=0.02)
    minima.radius(loss, loss.base, minima.directions(10, len(loss.base)), epsilon=0.02)


def proxies() -> list[Row]:
    """Of the page's own networks and of the zoo's."""
    import torch
    data = load_dataset("builtin:digits/handwritten")
    y, found = torch.from_numpy(np.array(data.labels[:ITEMS])), []
    ground = digits(32, 16)
    subjects = {"two layers of 32 on 16x16": (ground.module, ground.train[0][:ITEMS])}
    for name in ("mlp/plain", "conv/wide", "resnet/shallow", "vit/seed0"):
        module, prepare = zoo.load(name).load()
        subjects[name] = module, prepare(data.items[:ITEMS])
    for name, (module, x) in subjects.items():
        seconds = alternate(*(lambda proxy=minima.PROXIES[which], module=module, x=x: proxy(module, x, y) for which in FOUR), rounds=3)
        note = ", ".join(f"{which} {spent:.3f}" for which, spent in zip(FOUR, seconds, strict=True))
        found.append(Row(f"SynFlow, SNIP, GraSP, NTK of {name}, {ITEMS} items", sum(seconds), "s", 0.5, note))
    return found


def preset() -> list[Row]:
    began, first = time.perf_counter(), None
    for _ in growth.grow({"dataset": load_dataset("builtin:digits/handwritten")}, {}, SimpleNamespace(progress=lambda *told: None)):
        first = first or time.perf_counter() - began
    return [Row("quick preset of grow, all", time.perf_counter() - began, "s", 40, "one thread"), Row("quick preset of grow, its first candidate", first, "s")]
