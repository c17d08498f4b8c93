"""Sensitivity of models of the zoo beside their forward passes alone; and the drawing of pairs beside a per-image PIL loop of the same 18 transforms.

One thread, unless OMP_NUM_THREADS says otherwise. The floor runs every side of every pair once through the network, in the same batches.
"""

import os
import sys
import time

import numpy as np

from analysis import load_model
from analysis.data import scenes
from analysis.data.transforms import TRANSFORMS
from analysis.metrics import sensitivity
from analysis.studies import invariance
from analysis.studies.sensitivity import AT_ONCE, profile
from benchmarks.measure import Row, alternate

N = 2000  # pairs of each transform
MODELS = ("builtin:conv/wide", "builtin:vit/seed0")
LOOPED = 100  # pairs of each transform that the loop makes


def rows() -> list[Row]:
    import torch
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    scenes.pairs(scenes.builtin(), transforms=list(TRANSFORMS), n=2)  # what is drawn once and kept
    return [*beside_loop(), *many(10_000), *interval(2000, 13), *(row for model in MODELS for row in beside_forward(model)), *presets()]


def beside_forward(source: str) -> list[Row]:
    model = load_model(source)
    module, preprocess = model.load()
    items = np.random.default_rng(0).integers(0, 256, (N, scenes.SIDE, scenes.SIDE, 3), np.uint8)
    ours = floor = 0.0
    run, begun = profile({"model": model}, {"layers": "all", "n": N}, _Quiet()), time.perf_counter()
    for place, _ in enumerate(run):  # in turns, so that a busy moment hits both
        ours += time.perf_counter() - begun
        floor += _forward(module, preprocess, items)
        print(f"\r{source}: {place + 1} of {len(TRANSFORMS)} transforms", end="", file=sys.stderr, flush=True)
        begun = time.perf_counter()
    print(file=sys.stderr)
    what = f"{len(TRANSFORMS)} transforms x {N} pairs, all {len(model.layers)} layers of {model.name}"
    return [Row(what, ours, "s", 25, _threads()), Row(f"{what}, over bare forward", ours / floor, "x", 1.5, f"{ours:.1f} s over {floor:.1f} s")]


def _forward(module, preprocess, items: np.ndarray) -> float:
    """Seconds for both sides of one transform."""
    import torch
    begun = time.perf_counter()
    with torch.inference_mode():
        for _ in range(2):
            for at in range(0, N, AT_ONCE["image"]):
                module(preprocess(items[at:at + AT_ONCE["image"]]))
    return time.perf_counter() - begun


def interval(n: int, layers: int) -> list[Row]:
    matched, random = np.random.default_rng(0).random((2, layers, n)) + 1

    def all_layers():
        redrawn = sensitivity._Redrawn(n, sensitivity.RESAMPLES, 0.95, 0)
        for each in zip(matched, random, strict=True):
            redrawn.interval(*each)
    seconds, = alternate(all_layers)
    return [Row(f"intervals of {layers} layers, {n} pairs, {sensitivity.RESAMPLES} resamples", seconds, "s", 0.05)]


def presets() -> list[Row]:
    """The live experiments in their quick size, whole, and how soon the first partial result stands."""
    found = []
    for name, (unit, _) in invariance.UNITS.items():
        begun, first = time.perf_counter(), None
        for _ in unit({}, {}, _Quiet()):
            first = first or time.perf_counter() - begun
        called = "quick mismatch grid, 4 x 4" if name == "mismatch" else f"quick run of {name}"
        found.append(Row(called, time.perf_counter() - begun, "s", 45 if name == "mismatch" else 60, f"first partial result after {first:.1f} s; {_threads()}"))
    return found


def many(n: int) -> list[Row]:
    def each(name):
        begun = time.perf_counter()
        scenes.pairs(scenes.builtin(), transforms=[name], n=n)
        return time.perf_counter() - begun
    took = {name: each(name) for name in TRANSFORMS}
    slowest = max(took, key=took.get)
    note = f"the slowest, {slowest}; on average {np.mean(list(took.values())):.2f}; {_threads()}"
    return [Row(f"{n} pairs of one transform drawn", took[slowest], "s", 5, note)]


# the loop that a reader of the definitions would write first

def beside_loop() -> list[Row]:
    ours = loop = 0.0
    each = {}
    for name in TRANSFORMS:
        begun = time.perf_counter()
        scenes.pairs(scenes.builtin(), transforms=[name], n=N)
        mine, begun = (time.perf_counter() - begun) / N, time.perf_counter()
        _looped(name, LOOPED)
        theirs = (time.perf_counter() - begun) / LOOPED
        ours, loop, each[name] = ours + mine, loop + theirs, theirs / mine
    least = min(each, key=each.get)
    faster = f"{loop / ours:.0f} times faster; least: {least}, {each[least]:.0f} times"
    note = f"{1e6 * ours / len(each):.0f} µs over {1e6 * loop / len(each):.0f} µs a pair, {faster}"
    return [Row("pairs of the 18 transforms drawn, over a PIL loop", ours / loop, "x", 1 / 20, note)]


def _looped(name: str, n: int) -> list[tuple]:
    """Object, transform, paste: picture by picture."""
    from PIL import Image
    built, rng, made = scenes.builtin(), np.random.default_rng(0), []
    for i in range(n):
        cutout, ground = Image.fromarray(built.objects[i % len(built.objects)]), built.backgrounds[rng.integers(len(built.backgrounds))]
        sides = []
        for _ in range(2):
            small, frame = cutout.resize((22, 22), Image.BILINEAR), Image.new("RGBA", (scenes.SIDE,) * 2)
            frame.paste(small, (5, 5))
            changed, scene = _changed(frame, name, rng), Image.fromarray(ground)
            scene.paste(changed, (0, 0), changed)
            sides.append(np.asarray(scene))
        made.append(tuple(sides))
    return made


def _changed(picture, name: str, rng: np.random.Generator):
    """One transform of one RGBA picture by PIL, or by numpy and scipy where PIL has none."""
    if "chance" in TRANSFORMS[name].knobs and rng.random() < 0.5:
        return picture
    from PIL import Image, ImageEnhance, ImageFilter, ImageOps
    side, alpha = picture.width, picture.getchannel("A")
    affine = lambda *matrix: picture.transform(picture.size, Image.AFFINE, matrix, Image.BILINEAR)

    def coloured(change):
        found = change(picture.convert("RGB"))
        found.putalpha(alpha)
        return found

    if name == "scale":
        size = round(side * rng.uniform(0.4, 1))
        out = Image.new("RGBA", picture.size)
        out.paste(picture.resize((size, size), Image.BILINEAR), ((side - size) // 2,) * 2)
        return out
    if name == "erase":
        out, (x, y) = picture.copy(), rng.integers(0, side - 13, 2)
        out.paste((0, 0, 0, 0), (x, y, x + 14, y + 14))
        return out
    if name == "elastic":
        from scipy.ndimage import gaussian_filter, map_coordinates
        away = [150 / 32 * 16 * gaussian_filter(rng.uniform(-1, 1, (side, side)), 5) for _ in range(2)]
        places = np.indices((side, side)) + np.stack(away)
        return Image.fromarray(np.stack([map_coordinates(channel, places, order=1) for channel in np.moveaxis(np.asarray(picture), 2, 0)], axis=2))
    if name == "hue":
        def turned(rgb):
            h, s, v = rgb.convert("HSV").split()
            shift = rng.integers(256)
            return Image.merge("HSV", (h.point(lambda value: (value + shift) % 256), s, v)).convert("RGB")
        return coloured(turned)
    noise = lambda rgb: Image.fromarray((255 * np.clip(np.asarray(rgb) / 255 + np.clip(rng.normal(size=(side, side, 3)), 0, 1), 0, 1)).astype(np.uint8))
    x, y = np.tan(np.radians(rng.uniform(-50, 50, 2)))
    move = rng.uniform(-0.15, 0.15, 2) * side
    return {
        "translate": lambda: affine(1, 0, -move[0], 0, 1, -move[1]),
        "h-flip": lambda: ImageOps.mirror(picture), "v-flip": lambda: ImageOps.flip(picture),
        "rotate": lambda: picture.rotate(rng.uniform(0, 360), Image.BILINEAR),
        "shear": lambda: affine(1, x, -x * side / 2, y, 1 + x * y, -y * (1 + x) * side / 2),
        "brightness": lambda: coloured(lambda rgb: ImageEnhance.Brightness(rgb).enhance(rng.uniform(0, 2))),
        "grayscale": lambda: coloured(lambda rgb: rgb.convert("L").convert("RGB")),
        "posterize": lambda: coloured(lambda rgb: ImageOps.posterize(rgb, 1)),
        "invert": lambda: coloured(ImageOps.invert),
        "sharpen": lambda: coloured(lambda rgb: ImageEnhance.Sharpness(rgb).enhance(7)),
        "blur": lambda: coloured(lambda rgb: rgb.filter(ImageFilter.GaussianBlur(rng.uniform(0.1, 1.5)))),
        "noise": lambda: coloured(noise),
        "pixelate": lambda: coloured(lambda rgb: rgb.resize((10, 10), Image.BOX).resize(rgb.size, Image.NEAREST)),
        "contrast": lambda: coloured(lambda rgb: ImageEnhance.Contrast(rgb).enhance(rng.uniform(0, 2))),
    }[name]()


def _threads() -> str:
    return f"OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', 'unset')}"


class _Quiet:
    def progress(self, done, total, note=""):
        pass
