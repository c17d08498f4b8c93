"""Images from a zip, a folder or a column: decoded to uint8 RGB of one common size."""

import io
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import numpy as np

from analysis.data.dataset import Dataset
from analysis.data.guard import MAX_FILE, MB, Archive
from analysis.errors import InputError

MAX_IMAGES = 100_000
MAX_PIXELS = 50_000_000
MAX_SIDE = 512
MAX_DECODED = 1024 * MB
ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")  # decoders that run no other program

Source = tuple[str, Callable[[], bytes]]  # name of an image, how to read its bytes


def load_zip(path: Path, **options) -> Dataset:
    with Archive(path) as archive:
        return _from_folders([(name, lambda name=name: archive.read(name)) for name in archive.entries], path, **options)


def load_folder(path: Path, **options) -> Dataset:
    names = []
    for folder, folders, files in os.walk(path):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        names += [Path(folder, f).relative_to(path).as_posix() for f in files if not f.startswith(".")]
    return _from_folders([(name, lambda name=name: read_file(path / name)) for name in sorted(names)], path, **options)


def read_file(path: Path) -> bytes:
    if path.stat().st_size > MAX_FILE:
        raise InputError(f"it has more than {MAX_FILE / MB:,.0f} MB")
    return path.read_bytes()


def _from_folders(sources: list[Source], path: Path, *, label: str | None = None, drop_bad_rows: bool = False, name: str = "") -> Dataset:
    """One image per file, its class the folder it lies in. label: "folder", "" for none; None: folders when there are several."""
    if label not in (None, "", "folder"):
        raise InputError(f"{path.name} has no label {label!r}.",
                         'Images take their class from their folder (label="folder"), or none (label="").')
    images = [s for s in sources if s[0].lower().endswith(ENDINGS)]
    notes = [f"{len(sources) - len(images)} files that are not images left out"] if len(images) < len(sources) else []
    if not images:
        found = ", ".join(n for n, _ in sources[:3]) or "nothing"
        raise InputError(f"{path.name} holds no images (found: {found}).", f"Put images ({', '.join(ENDINGS)}) into one folder per class.")
    paths = [PurePosixPath(n) for n, _ in images]
    labels = None if label == "" else [p.parent.name for p in paths]
    if labels is not None and len(set(labels)) == 1 and label is None:
        labels = None
        notes.append("all images lie in one folder: loaded without labels")
    if labels is not None:
        _check_beside(paths, path.name)
    ids = _without_common_folder(paths)
    pictures, kept, more = decode(images, path.name, drop_bad=drop_bad_rows)
    return Dataset(pictures, None if labels is None else [labels[i] for i in kept], (), [ids[i] for i in kept],
                   path.stem, name or path.stem, str(path), "", tuple(notes + more))


def _check_beside(paths: list[PurePosixPath], called: str) -> None:
    """Images that lie beside the class folders belong to no class."""
    holders = {p.parent for p in paths}
    inner = {above for folder in holders for above in folder.parents}
    beside = [str(p) for p in paths if p.parent in inner]
    if beside:
        raise InputError(f"{called} has {len(beside)} image{'s' * (len(beside) > 1)} beside its class folders, for example {beside[0]}.",
                         'Move each image into the folder of its class, or load without labels (label="").')


def _without_common_folder(paths: list[PurePosixPath]) -> list[str]:
    shared = os.path.commonpath([p.parent for p in paths])
    return [str(p.relative_to(shared)) for p in paths] if shared else [str(p) for p in paths]


def decode(sources: list[Source], called: str, *, drop_bad: bool = False) -> tuple[np.ndarray, list[int], list[str]]:
    """(uint8 (n, h, w, 3), which sources they are, notes). Differing sizes become the most frequent one."""
    if len(sources) > MAX_IMAGES:
        raise InputError(f"{called} holds {len(sources):,} images; the limit is {MAX_IMAGES:,}.", "Load a part of them.")
    sizes, failed = {}, {}
    for i, (_, read) in enumerate(sources):
        _attempt(lambda i=i, read=read: sizes.__setitem__(i, _size(read())), i, failed)
    notes, (width, height) = _common_size(list(sizes.values()))
    pictures = np.empty((len(sources), height, width, 3), np.uint8)
    for i in sizes:
        _attempt(lambda i=i: pictures.__setitem__(i, _decode(sources[i][1](), (width, height))), i, failed)
    if failed:
        shown = ", ".join(sources[i][0] for i in list(failed)[:5]) + (", ..." if len(failed) > 5 else "")
        what = f"{len(failed)} of {len(sources)} images that cannot be used ({shown}): {next(iter(failed.values()))}"
        if not drop_bad:
            raise InputError(f"{called} has {what}.", "Drop them (drop_bad_rows=True) or save them again as PNG or JPEG.")
        notes.append(f"dropped {what}")
    kept = [i for i in range(len(sources)) if i not in failed]
    pictures = pictures[kept] if failed else pictures
    pictures.flags.writeable = False  # nobody else holds them: a dataset need not copy
    return pictures, kept, notes


def _attempt(step: Callable, i: int, failed: dict) -> None:
    try:
        step()
    except InputError as error:
        if error.hint:  # about the whole archive, not this image
            raise
        failed[i] = error.message
    except Exception as error:  # decoders raise a dozen kinds
        failed[i] = str(error).split("<")[0].strip() or type(error).__name__


def _open(raw: bytes):
    from PIL import Image
    try:
        image = Image.open(io.BytesIO(raw), formats=FORMATS)
    except Image.DecompressionBombError:
        raise InputError(f"it has more than {MAX_PIXELS / 1e6:,.0f} million pixels") from None
    except Image.UnidentifiedImageError:
        raise InputError("it is not an image" if raw else "it is empty") from None
    if image.width * image.height > MAX_PIXELS:
        raise InputError(f"it has {image.width * image.height / 1e6:,.0f} million pixels, more than {MAX_PIXELS / 1e6:,.0f} million")
    return image


def _size(raw: bytes) -> tuple[int, int]:
    """(width, height) as shown: cameras store the picture lying on its side and say so in EXIF."""
    image = _open(raw)
    told = image.format != "PNG" or "exif" in image.info  # asking a PNG without it would decode the whole picture
    return image.size[::-1] if told and image.getexif().get(0x0112, 1) >= 5 else image.size


def _common_size(sizes: list[tuple[int, int]]) -> tuple[list[str], tuple[int, int]]:
    if not sizes:
        return [], (1, 1)
    (width, height), count = Counter(sizes).most_common(1)[0]
    room = (MAX_DECODED / (3 * len(sizes) * width * height)) ** 0.5
    scale = min(1, MAX_SIDE / max(width, height), room)
    target = max(1, int(width * scale)), max(1, int(height * scale))
    others = len(sizes) - (count if target == (width, height) else 0)
    return [f"{others:,} of {len(sizes):,} images resized to {target[0]}x{target[1]}"] if others else [], target


def _decode(raw: bytes, size: tuple[int, int]) -> np.ndarray:
    from PIL import Image, ImageOps
    image = ImageOps.exif_transpose(_open(raw))
    if image.mode[0] in "IF":  # 16 bits and more: the plain conversion would cut off at 255
        grey = np.asarray(image, np.float64)
        image = Image.fromarray((grey / 257 if grey.max() > 255 else grey).clip(0, 255).astype(np.uint8))
    if image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    image = image.convert("RGB")
    return np.asarray(image if image.size == size else image.resize(size))
