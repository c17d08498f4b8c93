"""Digits in many domains, made with numpy from small masters; light strokes on a dark ground, except where the name says inverted.

The masters in assets/digits are remade by `python -m analysis.data.digits` (this alone needs scikit-learn and matplotlib).
"""

from functools import lru_cache
from pathlib import Path

import numpy as np

from analysis.data.dataset import Dataset
from analysis.errors import InputError

ASSETS = Path(__file__).resolve().parents[2] / "assets" / "digits"
DIGITS = "0123456789"
CHARACTERS = DIGITS + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SIDE = 32  # of every picture
MARGIN = 3  # around a handwritten digit
GLYPH, CAPITAL = 40, 26  # side of a glyph master, and the height of a capital in it
GENERATED = 1000  # items of a drawn domain, unless told

NOISE = (0.1, 0.2, 0.3, 0.45, 0.6)  # standard deviation, of a range of 1
BLUR = (0.8, 1.3, 1.9, 2.6, 3.5)  # standard deviation in pixels
CONTRAST = (0.75, 0.55, 0.4, 0.25, 0.15)  # what is left of the distance to the picture's mean
OCCLUSION = (6, 9, 12, 15, 18)  # side of the grey square in pixels


def _domains() -> dict[str, str]:
    shifts = {"noise": "under grey noise", "blur": "blurred", "contrast": "with less contrast", "occlusion": "partly behind a grey square"}
    return {
        "handwritten": "The 1797 handwritten digits of scikit-learn, enlarged from 8x8 to 32x32.",
        "printed": "Digits in the fonts that ship with matplotlib, at random size, place, slant, turn and brightness.",
        "seven-segment": "Digits of a seven-segment display, with random thickness, slant, gap, size and place.",
        **{f"handwritten-{kind}-{level}": f"The same handwritten digits, {words}, severity {level} of 5."
           for kind, words in shifts.items() for level in range(1, 6)},
        "handwritten-turned-180": "The same handwritten digits, turned by 180°: 6 looks like 9 but keeps the label 6.",
        "handwritten-mirrored": "The same handwritten digits, mirrored left to right: 2 and 5 trade their looks but keep their labels.",
        "handwritten-inverted": "The same handwritten digits as a negative: dark strokes on a light ground.",
    }


DOMAINS = _domains()


def make(domain: str, *, n: int | None = None, seed: int = 0) -> Dataset:
    """The digits of one domain; an item looks the same whatever `n` is. Derived domains keep the ids of the handwritten items."""
    if domain not in DOMAINS:
        raise InputError(f"There is no digit domain {domain!r}.", f"Choose one of {', '.join(DOMAINS)}.")
    _check_seed(seed)
    draw = {"printed": print_glyphs, "seven-segment": draw_segments}.get(domain)
    if draw is None:
        pictures, labels = handwritten()
        pictures = shift(pictures, domain, seed)[:_count(n, len(pictures), limit=len(pictures))]
        ids = [f"handwritten-{i:04d}" for i in range(len(pictures))]
        labels = labels[:len(pictures)]
    else:
        labels = np.arange(_count(n, GENERATED)) % 10
        pictures, ids = draw(labels, seed), _ids(domain, len(labels), seed)
    name = domain.replace("handwritten-", "handwritten, ").replace("turned-180", "turned by 180°").replace("-", " ")
    return Dataset(_rgb(pictures), labels, tuple(DIGITS), ids, domain, f"Digits, {name}", f"builtin:digits/{domain}", DOMAINS[domain])


def make_characters(*, n: int = 3000, seed: int = 0, characters: str = CHARACTERS) -> Dataset:
    """Printed 0-9 and A-Z: what the zoo learned. Its training used seeds from 1000 on, so that the default is held out."""
    unknown = sorted(set(characters) - set(CHARACTERS))
    if unknown or len(set(characters)) < 2:
        raise InputError(f"There are no glyphs for {''.join(unknown) or repr(characters)}.", "Choose two or more of 0-9 and A-Z.")
    _check_seed(seed)
    labels = np.arange(_count(n, 0)) % len(characters)
    places = np.array([CHARACTERS.index(c) for c in characters])
    return Dataset(_rgb(print_glyphs(places[labels], seed)), labels, tuple(characters), _ids("character", len(labels), seed),
                   "printed characters", "Characters, printed", "builtin:characters/printed",
                   "The digits 0-9 and the capitals A-Z in the fonts that ship with matplotlib: what the models of the zoo learned first.")


def handwritten() -> tuple[np.ndarray, np.ndarray]:
    """(pictures float32 (1797, 32, 32) in 0..1, labels). Cubic enlargement, then a steeper edge so that strokes read as strokes."""
    small, labels = _master("handwritten", "pictures", "labels")
    grow = _enlarger(small.shape[1], SIDE - 2 * MARGIN)
    large = grow @ (small / np.float32(16)) @ grow.T
    edge = np.clip((large - 0.12) / 0.76, 0, 1)
    return np.pad(edge * edge * (3 - 2 * edge), ((0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN))), labels.astype(np.int64)


def print_glyphs(places: np.ndarray, seed: int) -> np.ndarray:
    """Pictures of the glyphs at these places in CHARACTERS; each item has its own row of random numbers."""
    masters, = _master("glyphs", "glyphs")  # (fonts, characters, side, side)
    u = np.random.default_rng([seed, 1]).random((len(places), 9), dtype=np.float32)
    spread = lambda column, low, high: low + (high - low) * u[:, column]
    size, stretch = spread(1, 0.62, 0.95), spread(2, 0.85, 1.15)
    turn, slant = np.radians(spread(3, -12, 12)), spread(4, -0.2, 0.2)
    move = np.stack([spread(5, -3, 3), spread(6, -3, 3)], axis=1)
    shape = np.zeros((len(places), 2, 2), np.float32)  # (y, x) of the glyph -> (y, x) of the picture
    shape[:, 0, 0], shape[:, 1, 1], shape[:, 1, 0] = size, size * stretch, -slant * size
    cos, sin = np.cos(turn), np.sin(turn)
    shape = np.stack([cos, -sin, sin, cos], axis=1).reshape(-1, 2, 2) @ shape
    ink = warp(masters[(u[:, 0] * len(masters)).astype(int), places], np.linalg.inv(shape), move)
    return _paint(ink, spread(7, 0.65, 1.0), spread(8, 0.0, 0.15))


SEGMENTS = {"top": (-1, -1, -1, 1), "middle": (0, -1, 0, 1), "bottom": (1, -1, 1, 1), "upper left": (-1, -1, 0, -1),
            "upper right": (-1, 1, 0, 1), "lower left": (0, -1, 1, -1), "lower right": (0, 1, 1, 1)}  # from (y, x) to (y, x)
DARK = ("middle", "top middle bottom upper-left lower-left", "upper-left lower-right", "upper-left lower-left",
        "top bottom lower-left", "upper-right lower-left", "upper-right", "middle bottom upper-left lower-left", "", "lower-left")


def draw_segments(labels: np.ndarray, seed: int) -> np.ndarray:
    """Seven-segment digits: ink is the distance to each lit bar, so edges are smooth at any slant."""
    u = np.random.default_rng([seed, 2]).random((len(labels), 9), dtype=np.float32)[:, :, None, None]
    spread = lambda column, low, high: low + (high - low) * u[:, column]
    half_height, half_width = spread(0, 8, 11), spread(1, 4, 6)
    half_bar, gap, slant = spread(2, 0.8, 1.8), spread(3, 0.2, 1.4), spread(4, -0.05, 0.3)
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32) - (SIDE - 1) / 2
    y, x = y - spread(5, -2.5, 2.5), x - spread(6, -2.5, 2.5)
    x = x + slant * y
    ink = np.zeros((len(labels), SIDE, SIDE), np.float32)
    for name, (y0, x0, y1, x1) in SEGMENTS.items():
        lit = np.array([name.replace(" ", "-") not in dark.split() for dark in DARK])[labels]
        along_y, along_x = (y1 - y0) / 2 * half_height, (x1 - x0) / 2 * half_width  # half a bar
        inside_y = np.abs(y - (y0 + y1) / 2 * half_height) - np.maximum(along_y - gap - half_bar / 2, 0) * (y1 > y0)
        inside_x = np.abs(x - (x0 + x1) / 2 * half_width) - np.maximum(along_x - gap - half_bar / 2, 0) * (x1 > x0)
        bar = np.clip(half_bar + 0.5 - np.hypot(np.maximum(inside_y, 0), np.maximum(inside_x, 0)), 0, 1)
        ink = np.maximum(ink, bar * lit[:, None, None])
    return _paint(ink, spread(7, 0.65, 1.0).ravel(), spread(8, 0.0, 0.15).ravel())


def shift(pictures: np.ndarray, domain: str, seed: int) -> np.ndarray:
    """The handwritten pictures as the domain's name says; one draw of noise or place per item, shared by all severities."""
    kind, _, level = domain.removeprefix("handwritten-").rpartition("-")
    at = int(level) - 1 if kind in ("noise", "blur", "contrast", "occlusion") else 0
    rng = np.random.default_rng([seed, 3])
    if kind == "noise":
        return np.clip(pictures + NOISE[at] * rng.standard_normal(pictures.shape, dtype=np.float32), 0, 1)
    if kind == "blur":
        smear = _smear(BLUR[at])
        return smear @ pictures @ smear.T
    if kind == "contrast":
        mean = pictures.mean(axis=(1, 2), keepdims=True)
        return mean + CONTRAST[at] * (pictures - mean)
    if kind == "occlusion":
        centre = 8 + 16 * rng.random((len(pictures), 2, 1), dtype=np.float32)
        hidden = np.abs(np.arange(SIDE) + 0.5 - centre) < OCCLUSION[at] / 2
        return np.where(hidden[:, 0, :, None] & hidden[:, 1, None, :], np.float32(0.5), pictures)
    return {"handwritten-turned-180": pictures[:, ::-1, ::-1], "handwritten-mirrored": pictures[:, :, ::-1],
            "handwritten-inverted": 1 - pictures}.get(domain, pictures)


def warp(pictures: np.ndarray, back: np.ndarray, move: np.ndarray) -> np.ndarray:
    """Each square picture drawn into SIDE x SIDE: a place in the result, less `move`, times `back` is the place in the picture."""
    side = pictures.shape[1]
    grid = np.stack(np.mgrid[:SIDE, :SIDE].astype(np.float32)).reshape(2, -1) - (SIDE - 1) / 2
    at = back.astype(np.float32) @ (grid - move[:, :, None]) + (side - 1) / 2
    low = np.clip(np.floor(at), 0, side - 2)  # the masters have an empty rim: what falls outside is empty
    part, low = np.clip(at - low, 0, 1), low.astype(np.int32)
    flat = pictures.reshape(-1)
    corner = low[:, 0] * side + low[:, 1] + np.arange(len(pictures), dtype=np.int32)[:, None] * side * side
    top = flat[corner] + (flat[corner + 1].astype(np.float32) - flat[corner]) * part[:, 1]
    bottom = flat[corner + side] + (flat[corner + side + 1].astype(np.float32) - flat[corner + side]) * part[:, 1]
    return ((top + (bottom - top) * part[:, 0]) / 255).reshape(-1, SIDE, SIDE)


def _paint(ink, stroke, ground):
    stroke, ground = stroke[:, None, None], ground[:, None, None]
    return ground + (stroke - ground) * ink


def _rgb(pictures: np.ndarray) -> np.ndarray:
    grey = np.rint(np.clip(pictures, 0, 1) * 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=3)


def _count(n: int | None, default: int, limit: int = 100_000) -> int:
    n = default if n is None else n
    if not 2 <= n <= limit:
        raise InputError(f"{n} items were asked for.", f"Ask for 2 to {limit:,}.")
    return n


def _check_seed(seed: int) -> None:
    if seed < 0:
        raise InputError(f"The seed is {seed}.", "Use 0 or more.")


def _ids(name: str, n: int, seed: int) -> list[str]:
    stem = f"{name}-s{seed}" if seed else name  # another seed is another set of items
    return [f"{stem}-{i:04d}" for i in range(n)]


def _enlarger(small: int, large: int) -> np.ndarray:
    """Catmull-Rom interpolation as a (large, small) matrix; beyond the edge the picture is empty."""
    away = np.abs((np.arange(large)[:, None] + 0.5) * small / large - 0.5 - np.arange(small))
    near, far = 1.5 * away**3 - 2.5 * away**2 + 1, -0.5 * away**3 + 2.5 * away**2 - 4 * away + 2
    return np.where(away < 1, near, np.where(away < 2, far, 0)).astype(np.float32)


def _smear(deviation: float) -> np.ndarray:
    """Gaussian blur as a matrix; what would come from beyond the edge is dark."""
    away = np.arange(SIDE)[:, None] - np.arange(SIDE)
    reach = np.exp(-0.5 * (np.arange(-40, 41) / deviation) ** 2).sum()
    return (np.exp(-0.5 * (away / deviation) ** 2) / reach).astype(np.float32)


@lru_cache(maxsize=2)
def _master(name: str, *keys: str) -> tuple[np.ndarray, ...]:
    with np.load(ASSETS / f"{name}.npz", allow_pickle=False) as file:
        return tuple(file[key] for key in keys)


def _render_glyphs() -> tuple[np.ndarray, list[str]]:
    """(fonts, characters, GLYPH, GLYPH) uint8 of every font of matplotlib that has all the characters, and the fonts' names."""
    import matplotlib
    from matplotlib.ft2font import FT2Font
    from PIL import Image

    fonts, names = [], []
    for path in sorted((Path(matplotlib.get_data_path()) / "fonts" / "ttf").glob("*.ttf")):
        font = FT2Font(str(path))
        whole = path.stem.startswith(("DejaVu", "STIXGeneral", "cm")) and path.stem not in ("cmmi10", "cmsy10", "cmex10")
        if not whole or not all(font.get_char_index(ord(c)) for c in CHARACTERS):
            continue
        font.set_size(200, 72)
        pictures = []
        for character in CHARACTERS:
            font.set_text(character)
            font.draw_glyphs_to_bitmap(antialiased=True)
            image = Image.fromarray(np.array(font.get_image()))
            pictures.append(image.crop(image.getbbox()))
        capital = pictures[CHARACTERS.index("H")].height
        sheet = np.zeros((len(CHARACTERS), GLYPH, GLYPH), np.uint8)
        for cell, image in zip(sheet, pictures, strict=True):
            scale = min(CAPITAL / capital, (GLYPH - 4) / max(image.size))
            width, height = (max(1, round(side * scale)) for side in image.size)
            left, top = (GLYPH - width) // 2, (GLYPH - height) // 2
            cell[top:top + height, left:left + width] = image.resize((width, height), Image.Resampling.BOX)
        fonts.append(sheet)
        names.append(path.stem)
    return np.stack(fonts), names


def _remake() -> None:
    from sklearn.datasets import load_digits

    from analysis.tensors import replacing

    digits = load_digits()
    glyphs, fonts = _render_glyphs()
    for name, arrays in {"handwritten": {"pictures": digits.images.astype(np.uint8), "labels": digits.target.astype(np.uint8)},
                         "glyphs": {"glyphs": glyphs, "fonts": np.array(fonts)}}.items():
        with replacing(ASSETS / f"{name}.npz") as file:
            np.savez_compressed(file, **arrays)
        print(f"{name}.npz: {(ASSETS / f'{name}.npz').stat().st_size:,} bytes")
    print(f"fonts: {', '.join(fonts)}")


if __name__ == "__main__":
    _remake()
