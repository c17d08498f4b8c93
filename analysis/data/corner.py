"""Printed digits with a small object in the upper right corner, which has nothing to do with the digit unless it is made to."""

from dataclasses import dataclass

import numpy as np

from analysis.data import digits
from analysis.data.transforms import resize, to_floats

SIDE, MARGIN = 12, 1  # of the object, in pixels
DARK = 39  # the grounds that digits are printed on are no lighter


@dataclass(frozen=True, eq=False)
class Corner:
    """objects: floats in 0..1 (classes, 32, 32, 4), straight alpha, each in its place in an empty frame."""

    objects: np.ndarray

    def draw(self, n: int, *, seed: int, things: int | None = None, correlation: float = 0.0, share: float = 1.0,
             digit: bool = True) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(items uint8 (n, 32, 32, 3), digits, classes of the objects)

        things       the seed of the objects, where it is not that of the digits: with one of the two kept, that half of each item stays bit for bit
        correlation  share of items whose object goes with their digit; the others have any
        share        of items that carry an object at all
        digit        whether there is one, or an even dark ground
        """
        printed = digits.make("printed", n=n, seed=seed)
        order = np.random.default_rng([seed, 0]).permutation(n)
        rng = np.random.default_rng([seed if things is None else things, 1])
        told, (goes, there, ground), any_object = printed.labels[order], rng.random((3, n)), rng.integers(0, len(self.objects), n)
        objects = np.where(goes < correlation, told % len(self.objects), any_object)
        items = printed.items[order] if digit else np.broadcast_to((ground * DARK).astype(np.uint8)[:, None, None, None], printed.items.shape)
        return self._paste(items, objects, there < share), told, objects

    def _paste(self, items: np.ndarray, objects: np.ndarray, where: np.ndarray) -> np.ndarray:
        over = self.objects[objects]
        alpha = over[..., 3:] * where[:, None, None, None]
        return np.rint(items * (1 - alpha) + 255 * over[..., :3] * alpha).astype(np.uint8)


def cornered(objects: np.ndarray) -> Corner:
    """Of cut-outs uint8 (classes, 32, 32, 4)."""
    import torch
    small = resize(to_floats(objects), torch.full((len(objects),), SIDE / objects.shape[1])).permute(0, 2, 3, 1).numpy()
    side = small.shape[1]
    edge = (side - SIDE) // 2
    frame = np.zeros_like(small)
    frame[:, MARGIN:MARGIN + SIDE, side - MARGIN - SIDE:side - MARGIN] = small[:, edge:edge + SIDE, edge:edge + SIDE]
    return Corner(frame)
