"""Branches: copies of one network, trained on from where it stands, each on the data in an order of its own, all together.

Each is what stochastic gradient descent would make of it alone, but for rounding.
"""

import numbers
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from analysis.errors import InputError
from analysis.metrics.minima.loss import items, labels
from analysis.metrics.minima.stack import Stack
from analysis.metrics.ranking import Progress, sound_seed
from analysis.metrics.result import plain, tuples

UNTRAINED = 0.95  # of the loss of one who knows only how often each class occurs
TELL = 20  # steps between two reports


@dataclass(frozen=True, eq=False)
class Branches:
    """Flat vectors of all parameters, in the order of `shapes`.

    base       (size,) where all start
    ends       (branches, size) where they end; NaN of those that diverged
    seeds      one per branch: the order of its data
    curves     (branches, steps) loss on the batch of each step
    at         steps after which they were looked at, and `snapshots` (len(at), branches, size) of them then; the first is the base
    diverged   branch -> the step at which its loss or parameters stopped being numbers
    buffers    (branches, ...) of each, what batch normalisation keeps
    """

    base: np.ndarray
    ends: np.ndarray
    seeds: tuple
    curves: np.ndarray
    at: np.ndarray
    snapshots: np.ndarray
    names: tuple
    shapes: tuple
    diverged: Mapping = field(default_factory=dict)
    buffers: Mapping = field(default_factory=dict)
    warnings: tuple = ()
    options: Mapping = field(default_factory=dict)

    def __post_init__(self):
        tuples(self, "seeds", "names", "warnings")
        object.__setattr__(self, "shapes", tuple(map(tuple, self.shapes)))
        object.__setattr__(self, "diverged", {int(branch): step for branch, step in self.diverged.items()})

    @property
    def sound(self) -> np.ndarray:
        """Numbers of the branches that did not diverge."""
        return np.array([i for i in range(len(self.ends)) if i not in self.diverged], np.int64)

    def paths(self) -> tuple[np.ndarray, np.ndarray]:
        """((len(at), branches, 2) places of the snapshots as seen from the base, in the plane that shows most of them; the share of their squared distances
        from the base that each of its axes shows). NaN of branches that diverged."""
        if not len(self.sound):
            return np.full((*self.snapshots.shape[:2], 2), np.nan), np.zeros(2)
        moved = (self.snapshots[:, self.sound] - self.base).reshape(-1, len(self.base)).astype(np.float64)
        values, vectors = np.linalg.eigh(moved @ moved.T)
        values, vectors = np.maximum(values[::-1][:2], 0), vectors[:, ::-1][:, :2]
        places = np.full((*self.snapshots.shape[:2], 2), np.nan)
        places[:, self.sound, :len(values)] = (vectors * np.sqrt(values)).reshape(len(self.at), -1, len(values))
        return places, values / max((moved**2).sum(), 1e-300)

    def state(self, branch: int) -> dict[str, np.ndarray]:
        """For the network's `load_state_dict`, as tensors, and strict=False."""
        cuts = np.cumsum([int(np.prod(shape)) for shape in self.shapes])[:-1]
        parts = zip(self.names, self.shapes, np.split(self.ends[branch], cuts), strict=True)
        return {name: part.reshape(shape) for name, shape, part in parts} | {name: values[branch] for name, values in self.buffers.items()}

    def table(self):
        """One line per branch."""
        import pandas as pd
        return pd.DataFrame({"seed": self.seeds, "first loss": self.curves[:, 0], "last loss": self.curves[:, -1],
                             "distance from the base": np.linalg.norm(self.ends - self.base, axis=1),
                             "diverged at step": [self.diverged.get(i) for i in range(len(self.ends))]})

    def manifest(self) -> dict:
        return {"seeds": list(self.seeds), "parameters": len(self.base), "curves": plain(self.curves.tolist()), "at": self.at.tolist(),
                "diverged": {str(branch): step for branch, step in self.diverged.items()}, "warnings": list(self.warnings), "options": dict(self.options)}


def branch(model, x, y, *, seeds: Sequence[int] = (0, 1, 2, 3, 4), steps: int = 120, batch: int = 32, rate: float = 0.1, momentum: float = 0.9,
           decay: float = 0.0, settle: float = 0.0, snapshots: int = 0, progress: Progress | None = None) -> Branches:
    """Copies of a classifier (a torch module, which stays as it is) trained by stochastic gradient descent on items x with labels y, one for each of the seeds.

    settle     the share of the steps, at the end, over which the rate falls evenly towards 0, so that a branch can come to rest in a minimum
    snapshots  looks at the branches on the way, besides those at the start and the end
    """
    import torch
    x, y, seeds = *_sound(x, y, batch), _seeds(seeds)
    _check(seeds, steps, rate, momentum, decay, snapshots)
    if isinstance(settle, bool) or not _number(settle) or not 0 <= settle <= 1:
        raise InputError(f"The rate is to fall over {settle!r} of the steps (settle).", "Give a share from 0 to 1.")
    stack, copies = Stack(model, x), len(seeds)
    if int(y.max()) >= stack.classes:
        raise InputError(f"A label is {int(y.max())}; the network tells {stack.classes} classes, from 0 to {stack.classes - 1}.",
                         "Number the classes from 0, or give the network another head.")
    order = torch.from_numpy(np.stack([_order(seed, len(x), steps, batch) for seed in seeds], axis=1))
    x, y, order = stack.ready(x), y.to(stack.device), order.to(stack.device)
    generators = [torch.Generator(stack.device).manual_seed(seed) for seed in seeds]
    parameters = {name: p.contiguous().requires_grad_() for name, p in stack.split(stack.flat().repeat(copies, 1)).items()}
    buffers, step_on = stack.buffers(copies), _descent(list(parameters.values()), momentum, decay)
    at, seen = np.unique(np.linspace(0, steps, snapshots + 2).round().astype(np.int64)), [stack.join(parameters)]
    losses, share = torch.empty(steps, copies, batch, device=stack.device), torch.full((copies, batch), 1 / batch, device=stack.device, dtype=stack.dtype)
    for step, rows in enumerate(order):
        if progress and step % TELL == 0:
            progress(step, steps, f"{copies} branches")
        some = x.index_select(0, rows.flatten()).unflatten(0, rows.shape)
        logits = stack(parameters, some, apart=True, mode="train", buffers=buffers, generators=generators)
        found = torch.nn.functional.cross_entropy(logits.mT, y[rows], reduction="none")
        losses[step] = found.detach()
        falling = min(1.0, (steps - step) / (settle * steps)) if settle else 1.0
        step_on(torch.autograd.grad(found, list(parameters.values()), share, materialize_grads=True), rate * falling)
        if step + 1 in at:
            seen.append(stack.join(parameters))
    if progress:
        progress(steps, steps, f"{copies} branches")
    return _found(stack, seeds, at, torch.stack(seen), losses.mean(dim=2).T, buffers, y,
                  {"steps": steps, "batch": batch, "rate": rate, "momentum": momentum, "decay": decay, "settle": settle, "items": len(x)})


def _descent(parameters: list, momentum: float, decay: float):
    """A step of gradient descent as torch.optim.SGD takes it, without its book-keeping: with small networks that is a good part of the time."""
    import torch
    speed = [torch.zeros_like(p) for p in parameters]

    def step(slopes, rate: float) -> None:
        with torch.no_grad():
            slopes = torch._foreach_add(slopes, parameters, alpha=decay) if decay else slopes
            torch._foreach_mul_(speed, momentum)
            torch._foreach_add_(speed, slopes)
            torch._foreach_add_(parameters, speed, alpha=-rate)
    return step


def _found(stack: Stack, seeds: tuple, at: np.ndarray, seen, curves, buffers: dict, y, options: dict) -> Branches:
    seen, curves = (t.cpu().numpy() for t in (seen, curves.contiguous()))
    if not np.isfinite(curves[:, 0]).all():
        raise InputError("The loss of the base is NaN or infinite.", "Its weights or the items are out of bounds: load others.")
    wrong = np.concatenate([~np.isfinite(curves), ~np.isfinite(seen[-1]).all(axis=1, keepdims=True)], axis=1)
    diverged = {int(i): int(wrong[i].argmax()) for i in np.flatnonzero(wrong.any(axis=1))}
    seen[-1, list(diverged)] = np.nan
    share = np.bincount(y.cpu().numpy()) / len(y)
    start, guess = float(curves[:, 0].mean()), float(-(share * np.log(np.maximum(share, 1e-300))).sum())
    warnings = [f"The base is not trained: its loss is {start:.2f}, that of a guess {guess:.2f}."] if start > UNTRAINED * guess else []
    warnings += [f"Branch {i} (seed {seeds[i]}) diverged at step {step} and is left out." for i, step in diverged.items()]
    return Branches(seen[0, 0], seen[-1], seeds, curves, at, seen, tuple(stack.shapes), tuple(stack.shapes.values()), diverged,
                    {name: b.cpu().numpy() for name, b in buffers.items()}, tuple(warnings), options)


def _order(seed: int, n: int, steps: int, batch: int) -> np.ndarray:
    """(steps, batch) rows: all of them once in each round, in a new order, what is left over at the end of a round left out."""
    rng, whole = np.random.default_rng(seed), n // batch
    rounds = [rng.permutation(n)[:whole * batch] for _ in range(-(-steps // whole))]
    return np.concatenate(rounds).reshape(-1, batch)[:steps]


def _seeds(given) -> tuple[int, ...]:
    if not isinstance(given, Iterable):
        raise InputError(f"{given!r} are no seeds.", "Give a list, a seed for each branch.")
    return tuple(sound_seed(seed) for seed in given)


def _sound(x, y, batch: int):
    x, y = items(x), labels(y)
    if len(x) != len(y):
        raise InputError(f"{len(y)} labels do not fit {len(x)} items.", "Give one label per item.")
    if not isinstance(batch, numbers.Integral) or isinstance(batch, bool) or not 2 <= batch <= len(x):
        raise InputError(f"A batch of {batch} cannot be had of {len(x)} items.", f"Give a whole number from 2 to {len(x)}.")
    return x, y


def _check(seeds: tuple, steps, rate, momentum, decay, snapshots) -> None:
    if not seeds or len(set(seeds)) < len(seeds):
        raise InputError(f"Branches of seeds {seeds} are none, or some the same.", "Give each branch a seed of its own.")
    for name, value, least in (("steps", steps, 1), ("snapshots", snapshots, 0)):
        if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < least:
            raise InputError(f"{value!r} is no number of {name}.", f"Give a whole number from {least}.")
    if not (_number(rate) and rate > 0):
        raise InputError(f"A learning rate of {rate!r} leads nowhere.", "Give a positive number.")
    if not (_number(momentum) and 0 <= momentum < 1):
        raise InputError(f"A momentum of {momentum!r} is out of bounds.", "Give a number from 0 to below 1.")
    if not (_number(decay) and decay >= 0):
        raise InputError(f"A weight decay of {decay!r} is out of bounds.", "Give a number from 0.")


def _number(value) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and bool(np.isfinite(value))
