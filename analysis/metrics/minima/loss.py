"""The loss of a classifier on given items as a function of its parameters: of one flat vector of them, or of many at once."""

from collections.abc import Iterator

import numpy as np

from analysis.errors import InputError
from analysis.metrics.minima.stack import Stack

ROOM = 4_000_000  # numbers of the widest state held at once


class Loss:
    """Mean cross-entropy at a flat vector of parameters (size,), or at each of several (rows, size): a tensor. Nothing is drawn or dropped.

    Batch normalisation takes its statistics from the items, anew at every point: those of a network say nothing of a point between two networks. Its items then
    have to be held at once; else they are taken in parts.

    base    (size,) the parameters of the network itself, on its device
    shapes  of the parameters, in the order of the vector
    """

    stacked = True  # takes many at once

    def __init__(self, model, x, y):
        x, y = items(x), labels(y)
        if len(x) != len(y):
            raise InputError(f"{len(y)} labels do not fit {len(x)} items.", "Give one label per item.")
        if len(x) < 2:
            raise InputError("There is one item, or none.", "Give at least two.")
        self._stack = Stack(model, x)
        if int(y.max()) >= self._stack.classes:
            raise InputError(f"A label is {int(y.max())}; the network tells {self._stack.classes} classes, from 0 to {self._stack.classes - 1}.",
                             "Number the classes from 0, or give the network another head.")
        self.base, self.shapes = self._stack.flat(), tuple(self._stack.shapes.values())
        self._x, self._y = self._stack.ready(x), y.to(self._stack.device)

    def __call__(self, parameters):
        import torch.nn.functional as F

        def errors(logits, y):
            return F.cross_entropy(logits.mT, y.expand(len(logits), -1), reduction="none").sum(dim=1)
        return self._mean(parameters, errors)

    def accuracy(self, parameters):
        """The share of the items whose label gets the highest logit, in the same way."""
        return self._mean(parameters, lambda logits, y: (logits.argmax(dim=-1) == y).sum(dim=1))

    def _mean(self, parameters, count):
        """What `count` makes of (rows, items, classes) logits and the labels, (rows,), summed over the items and divided by their number."""
        import torch
        rows = parameters[None] if parameters.ndim == 1 else parameters
        if rows.ndim != 2 or rows.shape[1] != self._stack.size:
            raise InputError(f"Parameters of shape {tuple(parameters.shape)} do not fit a network of {self._stack.size}.", "Give flat vectors of all of them.")
        found = torch.zeros(len(rows), dtype=torch.float64, device=self._stack.device)
        with torch.no_grad():
            for few, part in self._blocks(len(rows)):
                logits = self._stack(self._stack.split(rows[few]), self._x[part], mode="renew")
                found[few] += count(logits, self._y[part])
        return (found / len(self._x)).reshape(parameters.shape[:-1])

    def _blocks(self, rows: int) -> Iterator[tuple[slice, slice]]:
        """(rows, items) that are computed together."""
        n = len(self._x)
        part = n if self._stack.normalised else max(1, min(n, ROOM // self._stack.widest))
        few = max(1, ROOM // (part * self._stack.widest))
        return ((slice(i, i + few), slice(j, j + part)) for i in range(0, rows, few) for j in range(0, n, part))


def items(x):
    """What a network takes, as a tensor: (n, ...), numbers without NaN."""
    import torch
    try:
        x = x.detach() if hasattr(x, "detach") else torch.as_tensor(np.asarray(x))
    except (TypeError, ValueError) as error:
        raise InputError("The items are no array of numbers.", "Give them as the network takes them, one after another.") from error
    if x.ndim < 2 or not len(x):
        raise InputError(f"Items of shape {tuple(x.shape)} are no items.", "Give them along the first axis, each of at least one number.")
    if x.is_floating_point() and not x.isfinite().all():
        bad = ~x.isfinite().flatten(1).all(dim=1)
        raise InputError(f"{int(bad.sum())} of {len(x)} items hold NaN or infinite values, first item {int(bad.int().argmax())}.", "Leave those out.")
    return x


def labels(y):
    """(n,) classes as whole numbers from 0."""
    import torch
    if y is None:
        raise InputError("The items have no labels.", "A loss needs one for each: load data with labels.")
    y = y.detach().cpu().numpy() if hasattr(y, "detach") else np.asarray(y)
    if y.ndim != 1 or not y.size or y.dtype.kind not in "iub" or y.min() < 0:
        raise InputError(f"Labels ({y.dtype} of shape {y.shape}) are not one class each, counted from 0.", "Number the classes from 0.")
    return torch.from_numpy(y.astype(np.int64))
