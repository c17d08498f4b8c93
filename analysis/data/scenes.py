"""Transforms-2D: an object pasted onto a background, and pairs of scenes that differ in the transforms' draw alone."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path, PurePosixPath

import numpy as np

from analysis.data import images
from analysis.data.dataset import Dataset, frozen
from analysis.data.guard import Archive, as_path, check_file
from analysis.data.objects import backgrounds, objects
from analysis.data.transforms import TRANSFORMS, augment, batches, cropped, random_source, resize, rounded, sequence, spans, to_floats, two_draws
from analysis.digest import digest
from analysis.errors import InputError

SIDE = 32
SIZE = 0.7  # of an object, in sides of the frame
DEFAULT_N = 1220  # 20 of each built-in object
MAX_CUTOUTS, MAX_BACKGROUNDS = 1000, 10_000
KINDS = ("none", *TRANSFORMS, "all")


@dataclass(frozen=True, eq=False)
class Scenes:
    """What scenes are put together from.

    objects      uint8 (classes, 32, 32, 4), straight alpha: one prototype is one class
    backgrounds  uint8 (any, 32, 32, 3)
    """

    objects: np.ndarray
    backgrounds: np.ndarray
    classes: tuple
    name: str = ""

    def __post_init__(self):
        for key, channels in (("objects", 4), ("backgrounds", 3)):
            given = np.asarray(getattr(self, key))
            if given.dtype != np.uint8 or given.shape[1:] != (SIDE, SIDE, channels) or not len(given):
                raise InputError(f"The {key} have shape {given.shape} and type {given.dtype}.", f"Give uint8 (n, {SIDE}, {SIDE}, {channels}).")
            object.__setattr__(self, key, frozen(np.ascontiguousarray(given)))
        object.__setattr__(self, "classes", tuple(str(c) for c in self.classes))
        if len(self.classes) != len(self.objects) or len(set(self.classes)) < max(2, len(self.classes)):
            raise InputError(f"There are {len(self.objects)} objects and {len(set(self.classes))} different names.",
                             "Give two or more objects, each with a name of its own.")

    @cached_property
    def digest(self) -> str:
        return digest("scenes", self.objects, self.backgrounds, self.classes)

    @cached_property
    def cutouts(self):
        """The objects at the size they have in the frame, as a torch tensor (classes, 4, 32, 32)."""
        import torch
        return resize(to_floats(self.objects), torch.full((len(self.objects),), SIZE))

    @cached_property
    def grounds(self):
        """The backgrounds as a torch tensor of bytes (any, 3, 32, 32)."""
        import torch
        return torch.from_numpy(self.backgrounds.transpose(0, 3, 1, 2).copy())


@cache
def builtin() -> Scenes:
    """The 61 objects and 867 backgrounds that are drawn here."""
    pictures = objects()
    return Scenes(np.stack(list(pictures.values())), backgrounds(), tuple(pictures), "Transforms-2D")


def from_zip(source, name: str = "") -> Scenes:
    """Scenes from a zip, given by its path or its bytes: cut-outs with alpha, and backgrounds in a folder of that name.

    A cut-out is a class of its own, named after its folder where each has one to itself, else after its file. What is around it is trimmed, and
    it fills the square. Without a folder `backgrounds` the built-in ones serve.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, (PurePosixPath(name.replace("\\", "/")).stem or "scenes") + ".zip")
            path.write_bytes(source)
            return from_zip(path, name)
    path = check_file(as_path(source))
    if path.suffix.lower() != ".zip":
        raise InputError(f"{path.name} is not a zip.", "Pack the cut-outs, PNG with transparency, into a zip.")
    with Archive(path) as archive:
        pictures = [PurePosixPath(n) for n in archive.entries if n.lower().endswith(images.ENDINGS)]
        behind = [p for p in pictures if "backgrounds" in (part.lower() for part in p.parts[:-1])]
        cutouts = [p for p in pictures if p not in set(behind)]
        for found, most, what in ((cutouts, MAX_CUTOUTS, "cut-outs"), (behind, MAX_BACKGROUNDS, "backgrounds")):
            if len(found) > most:
                raise InputError(f"{path.name} holds {len(found):,} {what}; the limit is {most:,}.", "Leave some out.")
        if len(cutouts) < 2:
            raise InputError(f"{path.name} holds {len(cutouts)} cut-out{'s' * (len(cutouts) != 1)} outside the folder backgrounds.",
                             "Give two or more objects as PNG with transparency.")
        return Scenes(_read(archive, cutouts, _cutout), _read(archive, behind, _background) if behind else builtin().backgrounds,
                      _class_names(cutouts, path.name), PurePosixPath(name).stem or path.stem)


def _class_names(paths: list[PurePosixPath], called: str) -> list[str]:
    alone = len({p.parent for p in paths}) == len(paths)
    names = [p.parent.name if alone and p.parent.name else p.stem for p in paths]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise InputError(f"{called} has more than one cut-out called {twice[0]!r}.",
                         "One cut-out is one class: name each file after its class, or put each into a folder of its own.")
    return names


def _read(archive: Archive, paths: list[PurePosixPath], picture) -> np.ndarray:
    """The pictures at the paths; those that cannot be used are named together."""
    pictures, failed = [], {}
    for path in paths:
        images._attempt(lambda path=path: pictures.append(picture(archive.read(str(path)))), path, failed)
    if failed:
        shown = ", ".join(map(str, list(failed)[:5])) + (", ..." if len(failed) > 5 else "")
        raise InputError(f"{archive.path.name} has {len(failed)} of {len(paths)} pictures that cannot be used ({shown}): {next(iter(failed.values()))}.",
                         "Cut-outs are PNG with an alpha channel, transparent around the object; backgrounds are any pictures.")
    return np.stack(pictures)


def _cutout(raw: bytes) -> np.ndarray:
    """Trimmed to what is opaque, and as large as fits."""
    from PIL import Image
    image = images._open(raw)
    if not image.has_transparency_data:
        raise InputError("it has no alpha channel")
    image = image.convert("RGBA")
    low, high = image.getchannel("A").getextrema()
    if low == 255 or high == 0:
        raise InputError("its alpha channel is " + ("opaque" if low == 255 else "transparent") + " everywhere")
    image = image.crop(image.getchannel("A").getbbox())
    fit = SIDE / max(image.size)
    image = image.resize([max(1, round(fit * side)) for side in image.size], Image.Resampling.LANCZOS if fit < 1 else Image.Resampling.BICUBIC)
    frame = Image.new("RGBA", (SIDE, SIDE))
    frame.paste(image, ((SIDE - image.width) // 2, (SIDE - image.height) // 2))
    return np.asarray(frame)


def _background(raw: bytes) -> np.ndarray:
    """The largest square in the middle."""
    from PIL import ImageOps
    return np.asarray(ImageOps.fit(ImageOps.exif_transpose(images._open(raw)).convert("RGB"), (SIDE, SIDE)))


def draw(scenes: Scenes, *, n: int, classes: Sequence[int] | None = None, transforms: Sequence[str] = (), seed: int = 0, draw: int = 0,
         knobs: Mapping | None = None) -> tuple[np.ndarray, np.ndarray]:
    """(items uint8 (n, 32, 32, 3), labels int64 (n,) into scenes.classes).

    classes  which of them, as indices; all when none are given
    seed     object and background of item i depend on it and i alone; each object appears once in every round of all classes
    draw     the transforms of item i depend on it and i alone: two draws of one seed differ in nothing else
    """
    import torch
    labels, grounds = _cast(scenes, n, classes, seed)
    change, items = sequence(transforms, seed=draw, knobs=knobs), scenes.backgrounds[grounds]
    for rows in batches(n):
        pictures = change(scenes.cutouts.index_select(0, torch.from_numpy(labels[rows])))
        _paste(pictures, scenes.grounds, torch.from_numpy(grounds[rows]), items[rows])
    return items, labels


def _paste(pictures, grounds, which, items: np.ndarray) -> None:
    """The pictures onto their backgrounds, in place, within what is seen of them: elsewhere the items stay as they are."""
    import torch
    (top, bottom, _), (left, right, _) = parts = spans(pictures)
    seen, behind = cropped(pictures, parts), cropped(grounds, parts).index_select(0, which).float()
    items[:, top:bottom, left:right] = rounded(torch.lerp(behind, seen[:, :3] * 255, seen[:, 3:]))


def pairs(scenes: Scenes, *, transforms: Sequence[str], n: int, seed: int = 0, classes: Sequence[int] | None = None,
          knobs: Mapping | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(a, b, labels): item i of both shows the same object on the same background; each has a draw of the transforms of its own."""
    make = lambda number: draw(scenes, n=n, classes=classes, transforms=transforms, seed=seed, draw=number, knobs=knobs)
    (a, labels), (b, _) = (make(number) for number in two_draws(seed))
    return a, b, labels


def pairs_of(items: np.ndarray, *, transforms: Sequence[str], n: int, seed: int = 0,
             knobs: Mapping | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(a, b, rows): n of a dataset's own pictures, or all where it has fewer, in random order, each changed by two draws."""
    rows = choose(len(items), n, seed)
    chosen = np.asarray(items)[rows]
    return *(augment(chosen, transforms, seed=number, knobs=knobs) for number in two_draws(seed)), rows


def choose(count: int, n: int, seed: int) -> np.ndarray:
    """n of count rows, or all where there are fewer, in random order."""
    _check_count(n)
    return random_source(seed, "rows").permutation(count)[:n]


def does_nothing(a, b) -> float:
    """Share of pairs that are equal bit for bit: 1 when the transforms do nothing to these items."""
    if isinstance(a, np.ndarray):
        return float((a == b).all(axis=tuple(range(1, a.ndim))).mean())
    return float(np.mean([x == y for x, y in zip(a, b, strict=True)]))


def make(kind: str, *, n: int = DEFAULT_N, seed: int = 0, **options) -> Dataset:
    """Built-in scenes as a dataset (options: those of `draw`); the scene of a seed and a place keeps its id under every transform."""
    if kind not in KINDS:
        raise InputError(f"There are no scenes {kind!r}.", f"Choose one of {', '.join(KINDS)}.")
    names = {"none": (), "all": tuple(TRANSFORMS)}.get(kind, (kind,))
    items, labels = draw(builtin(), n=n, transforms=names, seed=seed, **options)
    stem = f"scene-s{seed}" if seed else "scene"
    return Dataset(items, labels, builtin().classes, [f"{stem}-{i:04d}" for i in range(n)], kind, title(kind), f"builtin:transforms2d/{kind}", about(kind))


def title(kind: str) -> str:
    return f"Transforms-2D, {'all transforms' if kind == 'all' else 'untransformed' if kind == 'none' else kind}"


def about(kind: str) -> str:
    what = {"none": "as they are.", "all": "under all 18 transforms, one after the other."}
    return "Drawn objects of 61 classes on drawn backgrounds, " + (what.get(kind) or f"the objects under one transform: {TRANSFORMS[kind].about.lower()}")


def _cast(scenes: Scenes, n: int, classes: Sequence[int] | None, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(labels, backgrounds) of the items."""
    _check_count(n)
    classes = sound_classes(scenes, classes)
    rounds = random_source(seed, "objects").random((-(-n // len(classes)), len(classes))).argsort(axis=1)
    grounds = random_source(seed, "backgrounds").random(n) * len(scenes.backgrounds)
    return classes[rounds.ravel()[:n]], grounds.astype(np.int64)


def sound_classes(scenes: Scenes, classes: Sequence[int] | None) -> np.ndarray:
    """int64, all where none are given."""
    classes = np.arange(len(scenes.classes)) if classes is None else np.asarray(classes)
    known = classes.ndim == 1 and len(classes) and classes.dtype.kind in "iu" and 0 <= classes.min() <= classes.max() < len(scenes.classes)
    if not known or len(set(classes.tolist())) < len(classes):
        raise InputError(f"The classes are {classes.tolist()}.", f"Give different whole numbers from 0 to {len(scenes.classes) - 1}.")
    return classes.astype(np.int64)


def _check_count(n: int) -> None:
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
        raise InputError(f"{n!r} items were asked for.", "Give a whole number, 1 or more.")
