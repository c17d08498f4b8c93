"""Small networks trained from nothing on pictures in memory, and what a linear probe reads off them once they are frozen."""

import math
from collections.abc import Callable, Iterable

import numpy as np

from analysis.errors import InputError
from analysis.metrics import probe

BATCH, DECAY, WARM = 32, 0.05, 0.1
AT_ONCE = 200  # pictures that pass a frozen network at once


def fit(items: np.ndarray, labels: np.ndarray, *, classes: int, architecture: str, steps: int, rate: float, seed: list[int],
        tell: Callable = lambda step: None):
    """A network that learned uint8 pictures (n, 32, 32, 3), labels from 0. Nobody else's random numbers are disturbed.

    tell  called before each step; it may raise to stop
    """
    import torch

    from analysis.models import architectures
    rng, labels = np.random.default_rng(seed), torch.from_numpy(np.array(labels))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(rng.integers(2**31)))
        module = architectures.make(known(architecture), classes).to(memory_format=torch.channels_last)  # which processors like better
    descend(module, ((pictures(items[rows]), labels[rows]) for rows in _batches(len(items), steps, rng)), steps=steps, rate=rate, tell=tell)
    return module


def descend(module, batches: Iterable, *, steps: int, rate: float, tell: Callable) -> None:
    """Trains a network on so many batches (x, labels) and leaves it in eval mode. AdamW, the rate warmed up and then falling along a cosine."""
    import torch
    import torch.nn.functional as F
    optimiser = torch.optim.AdamW(module.train().parameters(), lr=rate, weight_decay=DECAY, foreach=True)
    for step, (x, labels) in enumerate(batches):
        tell(step)
        for group in optimiser.param_groups:
            group["lr"] = rate * min((step + 1) / (WARM * steps), 0.5 + 0.5 * math.cos(math.pi * step / steps))
        loss = F.cross_entropy(module(x), labels)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimiser.step()
    tell(steps)
    module.eval()


def features(module, items: np.ndarray) -> np.ndarray:
    """(n, d) what the head reads: the penultimate layer."""
    return _passed(module, items)[0]


def accuracy(module, items: np.ndarray, labels: np.ndarray) -> float:
    """Of the network itself."""
    return float((_passed(module, items)[1].argmax(axis=1) == labels).mean())


def probed(module, train: tuple, test: tuple) -> float:
    """Accuracy on the test items of a linear probe that was trained on the features of others; (items, labels) each."""
    return probe.ridge(features(module, train[0]), train[1]).accuracy(features(module, test[0]), test[1])


def pictures(items: np.ndarray):
    """uint8 (n, h, w, 3) as a tensor (n, 3, h, w) in 0..1, which keeps its colours last in memory."""
    import torch
    return torch.from_numpy(items.astype(np.float32)).permute(0, 3, 1, 2) / 255


def known(architecture: str) -> str:
    from analysis.models.architectures import ARCHITECTURES
    if architecture not in ARCHITECTURES:
        raise InputError(f"There is no architecture {architecture!r}.", f"There are: {', '.join(ARCHITECTURES)}.")
    return architecture


def _passed(module, items: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(what the head reads, what it says)"""
    import torch
    read = []
    hook = module.head.register_forward_pre_hook(lambda _, given: read.append(given[0].numpy()))
    try:
        with torch.inference_mode():
            said = [module(pictures(items[i:i + AT_ONCE])).numpy() for i in range(0, len(items), AT_ONCE)]
    finally:
        hook.remove()
    return np.concatenate(read), np.concatenate(said)


def _batches(n: int, steps: int, rng: np.random.Generator):
    """Rows of equal batches; every row comes once before any comes again."""
    size, order = min(BATCH, n), np.zeros(0, np.int64)
    for _ in range(steps):
        if len(order) < size:
            order = rng.permutation(n)
        yield order[:size]
        order = order[size:]
