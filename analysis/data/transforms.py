"""The 18 transforms of Transforms-2D, for object cut-outs with alpha and for the pictures of any dataset.

Lengths are told in shares of the picture's side, or as they are at 32x32: a picture of another size is changed alike.
"""

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from zlib import crc32

import numpy as np

from analysis.errors import InputError

FAMILIES = ("geometric", "photometric", "corruption")
SIDE = 32  # at which lengths in pixels are told
BATCH = 128  # pictures changed at a time
COLUMNS = 4  # random numbers of an item, beside a field of its own: whether, and up to three knobs or places
FIELD_WIDTH = 5.0  # standard deviation of the smoothing of an elastic field, in pixels at 32x32
GREY = (0.299, 0.587, 0.114)
TINY = 1e-6


@dataclass(frozen=True)
class Knob:
    """What one item gets is drawn evenly from low to high; lowest and highest are as far as it can be turned."""

    low: float
    high: float
    lowest: float
    highest: float
    unit: str = ""
    whole: bool = False


@dataclass(frozen=True)
class Transform:
    """knobs: by name; "chance", where there is one, is the share of items that are changed at all."""

    name: str
    family: str
    about: str
    knobs: dict[str, Knob]


HALF = Knob(0.5, 0.5, 0, 1, "of the items")
TRANSFORMS = {t.name: t for t in (
    Transform("scale", "geometric", "Drawn smaller or larger about the centre.", {"size": Knob(0.4, 1, 0.2, 2, "times")}),
    Transform("translate", "geometric", "Moved by whole pixels, anywhere in the frame.", {"shift": Knob(-0.15, 0.15, -0.5, 0.5, "of the side")}),
    Transform("h-flip", "geometric", "Mirrored left to right.", {"chance": HALF}),
    Transform("v-flip", "geometric", "Mirrored top to bottom.", {"chance": HALF}),
    Transform("rotate", "geometric", "Turned about the centre, anticlockwise.", {"angle": Knob(0, 360, -360, 360, "°")}),
    Transform("shear", "geometric", "Slanted along both axes.", {"angle": Knob(-50, 50, -60, 60, "°")}),
    Transform("hue", "photometric", "All colours moved along the colour circle.", {"turn": Knob(-0.5, 0.5, -0.5, 0.5, "of the circle")}),
    Transform("brightness", "photometric", "Colours multiplied: 0 is black.", {"factor": Knob(0, 2, 0, 4, "times")}),
    Transform("grayscale", "photometric", "Colours made grey.", {"chance": HALF}),
    Transform("posterize", "photometric", "Each colour channel cut to a few levels.", {"chance": HALF, "bits": Knob(1, 1, 1, 8, "bits", whole=True)}),
    Transform("invert", "photometric", "Each colour replaced by its negative.", {"chance": HALF}),
    Transform("sharpen", "photometric", "Differences to the neighbouring pixels made larger.", {"chance": HALF, "factor": Knob(7, 7, 0, 20, "times")}),
    Transform("blur", "corruption", "Smoothed by a Gaussian of 7x7 pixels.", {"width": Knob(0.1, 1.5, 0, 3, "pixels at 32x32")}),
    Transform("noise", "corruption", "The positive part of white noise added to every channel.", {"chance": HALF, "strength": Knob(1, 1, 0, 2, "times")}),
    Transform("pixelate", "corruption", "Shown in fewer, larger pixels.", {"chance": HALF, "size": Knob(0.3, 0.3, 0.05, 1, "of the pixels a side")}),
    Transform("elastic", "corruption", "Bent by a smooth random field.", {"chance": HALF, "strength": Knob(150, 150, 0, 400)}),
    Transform("erase", "corruption", "A square cut out, anywhere in the frame.", {"chance": HALF, "size": Knob(14 / 32, 14 / 32, 0, 1, "of the side")}),
    Transform("contrast", "corruption", "The distance to the mean grey multiplied.", {"factor": Knob(0, 2, 0, 4, "times")}),
)}


def apply(pictures, name: str, *, seed: int, knobs: Mapping | None = None):
    """A torch tensor (n, 3 or 4, h, w) of floats in 0..1 in, the same shape out; the fourth channel is straight alpha.

    What item i gets depends on the seed, the transform and i alone.
    """
    import torch
    change, out = sequence([name], seed=seed, knobs=knobs), torch.as_tensor(pictures, dtype=torch.float32).clone()
    if out.ndim != 4 or out.shape[1] not in (3, 4):
        raise InputError(f"Pictures of shape {tuple(out.shape)} are not (n, 3 or 4, height, width).", "Three channels are colours, a fourth is alpha.")
    for rows in batches(len(out)):
        out[rows] = change(out[rows])
    return out


def augment(items: np.ndarray, names: Sequence[str], *, seed: int, knobs: Mapping | None = None) -> np.ndarray:
    """Pictures uint8 (n, h, w, 3) of any dataset in, the same shape out: the transforms one after the other, in the order given."""
    items = np.asarray(items)
    if items.dtype != np.uint8 or items.ndim != 4 or items.shape[3] != 3:
        raise InputError(f"Items of shape {items.shape} and type {items.dtype} are no pictures.", "Pictures are uint8 (n, height, width, 3).")
    change, out = sequence(names, seed=seed, knobs=knobs), np.empty_like(items)
    for rows in batches(len(items)):
        out[rows] = to_bytes(change(to_floats(items[rows])))
    return out


def batches(n: int) -> Iterator[slice]:
    return (slice(at, min(at + BATCH, n)) for at in range(0, n, BATCH))


def to_floats(items: np.ndarray):
    """uint8 (n, h, w, channels) as a torch tensor (n, channels, h, w) of floats in 0..1."""
    import torch
    return torch.from_numpy(np.array(items.transpose(0, 3, 1, 2), order="C")).float().div_(255)


def to_bytes(pictures) -> np.ndarray:
    """The way back, for floats of which none lies below 0 or above 1 by more than rounding."""
    return rounded(pictures * 255)


def rounded(pictures) -> np.ndarray:
    """(n, channels, h, w) of floats from 0 to 255 as bytes (n, h, w, channels); what is handed in is overwritten."""
    import torch
    whole = pictures.add_(0.5).to(torch.int16).to(torch.uint8)  # straight to bytes takes four times as long
    return torch.stack(whole.unbind(1), -1).numpy()


def sequence(names: Sequence[str], *, seed: int, knobs: Mapping | None = None) -> Callable:
    """A function that changes one batch after the other, as tensors that it may overwrite; item i is the i-th picture it is handed."""
    ranges, draws = sound_ranges(knobs), [_Draw(TRANSFORMS[name], seed) for name in sound_names(names)]
    for draw in draws:
        draw.ranges |= ranges.get(draw.name, {})

    def change(pictures):
        for draw in draws:
            pictures = draw(pictures)
        return pictures

    return change


def sound_names(names: Sequence[str], known: Mapping[str, Transform] = TRANSFORMS) -> tuple[str, ...]:
    if not isinstance(names, Collection):
        raise InputError(f"{names!r} is no list of transforms.", f"Choose among {', '.join(known)}.")
    names = (names,) if isinstance(names, str) else tuple(names)
    for name in names:
        if not isinstance(name, str) or name not in known:
            close = get_close_matches(str(name), known, 1)
            raise InputError(f"There is no transform {name!r}.", (f"Did you mean {close[0]}? " if close else "") + f"Choose among {', '.join(known)}.")
    if len(set(names)) < len(names):
        raise InputError(f"A transform stands twice in {', '.join(names)}.", "Name each one once.")
    return names


def sound_ranges(ranges: Mapping | None, known: Mapping[str, Transform] = TRANSFORMS) -> dict[str, dict[str, tuple[float, float]]]:
    """{transform: {knob: value or (low, high)}} checked, every value a range; a transform's only knob need not be named."""
    sound = {}
    if not isinstance(ranges or {}, Mapping):
        raise InputError(f"{ranges!r} are no ranges of transforms.", 'For example {"rotate": (0, 90)}.')
    for name, given in (ranges or {}).items():
        sound_names([name], known)
        knobs = known[name].knobs
        if not isinstance(given, Mapping):
            free = [k for k in knobs if k != "chance"] or ["chance"]
            given = {free[0]: given}
        sound[name] = {knob: _sound_range(name, knob, value, knobs) for knob, value in given.items()}
    return sound


def _sound_range(name: str, knob: str, value, knobs: Mapping[str, Knob]) -> tuple[float, float]:
    if knob not in knobs:
        raise InputError(f"{name} has no knob {knob!r}.", f"It has {' and '.join(knobs)}.")
    allowed = knobs[knob]
    try:
        low, high = (float(v) for v in (value if isinstance(value, (list, tuple, np.ndarray)) else (value, value)))
    except (TypeError, ValueError):
        low, high = np.nan, np.nan
    if low > high:
        raise InputError(f"{name}: {knob} goes from {low:g} down to {high:g}.", f"Give the lower end first: {high:g} to {low:g}.")
    whole = not allowed.whole or (low.is_integer() and high.is_integer())
    if not allowed.lowest <= low <= high <= allowed.highest or not whole or (knob == "chance" and low != high):
        what = "one number" if knob == "chance" else "a whole number or a (low, high) of them" if allowed.whole else "a number or a (low, high)"
        raise InputError(f"{name}: {knob} = {value!r} is not {what} from {allowed.lowest:g} to {allowed.highest:g}.",
                         f"For example {knob} = {allowed.low:g}" + (f" or ({allowed.low:g}, {allowed.high:g})." if knob != "chance" else "."))
    return low, high


def random_source(seed: int, *key) -> np.random.Generator:
    """The stream of a seed and a key of texts and numbers."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InputError(f"The seed is {seed!r}.", "Use a whole number, 0 or more.")
    return np.random.default_rng([int(seed), *(crc32(k.encode()) if isinstance(k, str) else k for k in key)])


def two_draws(seed: int) -> tuple[int, int]:
    """The seeds of the two sides of pairs: no other seed's pairs have either."""
    random_source(seed)
    return 2 * int(seed), 2 * int(seed) + 1


class _Draw:
    """One transform and its random numbers, which come item after item: what one gets does not depend on how many follow."""

    def __init__(self, transform: Transform, seed: int):
        self.name = transform.name
        self.ranges = {knob: (k.low, k.high) for knob, k in transform.knobs.items()}
        self.whole = {knob for knob, k in transform.knobs.items() if k.whole}
        self._numbers = random_source(seed, self.name)
        self._seed = int(random_source(seed, self.name, 1).integers(2**62))
        self._fields = None

    def __call__(self, pictures):
        import torch
        numbers = torch.from_numpy(self._numbers.random((len(pictures), COLUMNS), dtype=np.float32))
        chance = self.ranges.get("chance", (1, 1))[0]
        rows = None if chance == 1 else (numbers[:, 0] < chance).nonzero()[:, 0]
        chosen = numbers[:, 1:] if rows is None else numbers[rows, 1:]
        self._left = iter(chosen.unbind(1))
        if not len(chosen):
            return pictures
        if self.name in MOVES:
            seen, change = pictures, MOVES[self.name]
        else:
            self.spans = spans(pictures)
            seen, change = cropped(pictures, self.spans), _recoloured
        if rows is not None:
            seen.index_copy_(0, rows, change(seen.index_select(0, rows), self))
            return pictures
        changed = change(seen, self)
        return changed if seen is pictures else pictures

    def even(self):
        """(items,) evenly from 0 to 1."""
        return next(self._left)

    def value(self, knob: str):
        """(items,) from the knob's range."""
        low, high = self.ranges[knob]
        return self._whole(low, high) if knob in self.whole else low + (high - low) * self.even()

    def pixels(self, knob: str, side: int):
        """(items,) whole pixels from the knob's range of shares of the side."""
        first, last = np.ceil(self.ranges[knob][0] * side), np.floor(self.ranges[knob][1] * side)
        return self._whole(first, max(first, last))

    def _whole(self, first: float, last: float):
        return (first + self.even() * (last - first + 1)).floor().clamp(max=last)

    def field(self, items: int, channels: int, height: int, width: int):
        """White noise of its own for every changed item, (items, channels, height, width)."""
        import torch
        if self._fields is None:
            self._fields = torch.Generator().manual_seed(self._seed)
        size = channels * height * width
        drawn = torch.randn((items, -(-size // 16) * 16), generator=self._fields)  # torch draws by sixteens: whole ones keep items apart
        return drawn[:, :size].reshape(items, channels, height, width)


def spans(pictures) -> list[tuple[int, int, int]]:
    """(first, last, side) of the rows and of the columns where anything is seen: what is transparent has no colour to change, and is not pasted. All columns:
    whole rows lie together in memory, which saves more than leaving some out."""
    height, width = pictures.shape[2:]
    if pictures.shape[1] == 3:
        return [(0, height, height), (0, width, width)]
    seen = pictures[:, 3].amax(0) > 0
    at = seen.any(1).nonzero()[:, 0]
    return [(int(at[0]), int(at[-1]) + 1, height) if len(at) else (0, height, height), (0, width, width)]


def cropped(pictures, parts: Sequence[tuple]):
    """The part of pictures (n, channels, h, w) that lies in the spans; a view."""
    return pictures[:, :, *(slice(first, last) for first, last, *_ in parts)]


# those that move pixels, alpha with them


def scale(pictures, draw):
    return resize(pictures, draw.value("size"))


def resize(pictures, size):
    """Each picture drawn at a size of its own about the centre of the same frame; what is handed in may be overwritten."""
    parts, edge = spans(pictures), pictures.shape[1] == 3
    down, across = _both(parts, lambda span: _scaling(size, span, edge))
    drawn = _straight(_mixed(_premultiplied(cropped(pictures, parts)), down, across))
    if edge:
        return drawn
    pictures.zero_()
    cropped(pictures, [_reached(size, span) for span in parts])[:] = drawn
    return pictures


def _reached(size, span: tuple) -> tuple[int, int]:
    """(first, last) of the pixels that a span may reach at these sizes."""
    first, last, side = span
    centre, sizes = (side - 1) / 2, (float(size.min()), float(size.max()))
    ends = [centre + s * (at - centre) for s in sizes for at in (first, last - 1)]
    wide = max(1.0, sizes[1])
    start = min(side, max(0, math.floor(min(ends) - wide)))
    return start, max(start, min(side, math.ceil(max(ends) + wide) + 1))  # nothing, where it leaves the frame


def _both(sides, make):
    """What is made of the rows and of the columns: once, where they are alike."""
    rows = make(sides[0])
    return rows, rows if sides[0] == sides[1] else make(sides[1])


def _mixed(pictures, down, across):
    """Every row and every column as a mixture of those there are, by matrices (n, made, there)."""
    n, channels, _, width = pictures.shape
    return ((down[:, None] @ pictures).reshape(n, -1, width) @ across.mT).reshape(n, channels, -1, across.shape[1])


def _scaling(size, span: tuple, edge: bool):
    """(n, reached, seen): what each pixel of the result takes from those of the picture: a tent as wide as a pixel of the smaller of the two.

    edge: beyond the picture its edge goes on, and all of it is seen; else there is nothing.
    """
    import torch
    first, last, side = span
    reach, start, end = (0, 0, side) if edge else (int(torch.ceil(1 / size.min())) + 1, *_reached(size, span))
    at = (torch.arange(start, end) - (side - 1) / 2) / size[:, None] + (side - 1) / 2
    at = at.clamp(0, side - 1) if edge else at
    weight = at[:, :, None] - torch.arange(-reach, side + reach)
    weight = weight.abs_().mul_(-size.clamp(max=1)[:, None, None]).add_(1).clamp_(min=0)
    weight /= weight.sum(-1, keepdim=True).clamp_(min=TINY)
    return weight[:, :, reach + first:reach + last]


def translate(pictures, draw):
    height, width = pictures.shape[2:]
    x, y = _places(pictures)
    return _resample(pictures, (x, -_each(draw.pixels("shift", width))), (y, -_each(draw.pixels("shift", height))), "nearest")


def h_flip(pictures, draw):
    return pictures.flip(3)


def v_flip(pictures, draw):
    return pictures.flip(2)


def rotate(pictures, draw):
    angle = draw.value("angle").deg2rad()
    cos, sin = _each(angle.cos()), _each(angle.sin())
    x, y = _places(pictures)
    return _resample(pictures, (cos * x, -sin * y), (sin * x, cos * y))


def shear(pictures, draw):
    slant_x, slant_y = (_each(draw.value("angle").deg2rad().tan()) for _ in range(2))
    x, y = _places(pictures)
    return _resample(pictures, (x, slant_x * y), (slant_y * x, (1 + slant_x * slant_y) * y))  # one after the other: the area stays


def elastic(pictures, draw):
    import torch
    from torch.nn.functional import interpolate
    height, width = pictures.shape[2:]
    smear = (-0.5 * ((torch.arange(SIDE)[:, None] - torch.arange(SIDE)) / FIELD_WIDTH) ** 2).exp()
    smear /= smear.sum(1, keepdim=True)
    away = smear @ (draw.field(len(pictures), 2, SIDE, SIDE) @ smear.mT)
    away = away * _all(draw.value("strength") / (3**0.5 * SIDE))  # in half sides; as spread as what is even from -1 to 1
    if (height, width) != (SIDE, SIDE):
        away = interpolate(away, (height, width), mode="bilinear", align_corners=False)
    x, y = _places(pictures)
    return _resample(pictures, (x, width / 2 * away[:, 0]), (y, height / 2 * away[:, 1]))


def erase(pictures, draw):
    import torch
    size, inside = draw.value("size"), []
    for side in pictures.shape[2:]:
        length = (size * side).round()
        start = (draw.even() * (side - length + 1)).floor()[:, None]
        inside.append((torch.arange(side) >= start) & (torch.arange(side) < start + length[:, None]))
    return pictures.masked_fill(inside[0][:, None, :, None] & inside[1][:, None, None], 0)


def _each(values):
    return values[:, None, None]


def _places(pictures):
    """(1, w) and (h, 1): x and y of the pixels, in pixels from the centre."""
    import torch
    height, width = pictures.shape[2:]
    return torch.arange(width)[None] - (width - 1) / 2, torch.arange(height)[:, None] - (height - 1) / 2


def _resample(pictures, x: tuple, y: tuple, mode: str = "bilinear"):
    """What the pictures show at the places; beyond them there is nothing, or without alpha what is at the edge. x, y: two parts each, to be added."""
    import torch
    from torch.nn.functional import grid_sample
    n, channels, height, width = pictures.shape
    places = pictures.new_empty((n, height, width, 2))
    for axis, ((one, other), side) in enumerate(((x, width), (y, height))):
        torch.add((one * (2 / side)).expand(n, height, width), other * (2 / side), out=places[..., axis])  # twice as fast as to stack them
    beyond = "border" if channels == 3 else "zeros"
    return _straight(grid_sample(_premultiplied(pictures), places, mode, beyond, align_corners=False))


def _premultiplied(pictures):
    """In place."""
    if pictures.shape[1] == 4:
        pictures[:, :3] *= pictures[:, 3:]
    return pictures


def _straight(pictures):
    """In place."""
    if pictures.shape[1] == 4:
        pictures[:, :3] /= pictures[:, 3:].clamp(min=TINY)
    return pictures.clamp_(0, 1)


# those that change colours where anything is seen; alpha stays. colours (n, 3, h, w), alpha (n, 1, h, w) or None where all is opaque


def _recoloured(pictures, draw):
    """In place."""
    colours, alpha = pictures[:, :3], pictures[:, 3:] if pictures.shape[1] == 4 else None
    colours.copy_(COLOURINGS[draw.name](colours, alpha, draw).clamp_(0, 1))
    return pictures


def hue(colours, alpha, draw):
    import torch
    red, green, blue = colours.unbind(1)
    high = colours.amax(1)
    span = high - colours.amin(1)
    safe = span.clamp(min=TINY)
    at = torch.where(high == red, (green - blue) / safe, torch.where(high == green, 2 + (blue - red) / safe, 4 + (red - green) / safe))
    away = at.add_(_each(6 * draw.value("turn")))[:, None] + torch.tensor([3.0, 1, -1])[:, None, None]  # from the opposite colour, in sixths
    away -= 6 * (away / 6).round_()
    return high[:, None] - span[:, None] * (2 - away.abs_()).clamp_(0, 1)


def brightness(colours, alpha, draw):
    return colours * _all(draw.value("factor"))


def grayscale(colours, alpha, draw):
    return _grey(colours).repeat(1, 3, 1, 1)


def posterize(colours, alpha, draw):
    """As on whole numbers from 0 to 255: only the leading bits stay."""
    step = 2 ** (8 - _all(draw.value("bits")))
    return (colours * (255 / step)).add_(0.5 / step).floor_().mul_(step / 255)


def invert(colours, alpha, draw):
    return 1 - colours


def sharpen(colours, alpha, draw):
    import torch
    near = [((torch.arange(last - first)[:, None] - torch.arange(last - first)).abs() <= 1).float() for first, last, _ in draw.spans]
    smooth = _smooth(colours, alpha, lambda x: (near[0] @ (x @ near[1])).add_(x, alpha=4))
    return torch.lerp(smooth, colours, _all(draw.value("factor")))


def blur(colours, alpha, draw):
    import torch
    deviation = draw.value("width")[:, None]

    def bells(span):
        first, last, side = span
        reach = round(3 * side / SIDE)
        bell = (-0.5 * (torch.arange(reach + 1) / (deviation * side / SIDE).clamp(min=0.01)) ** 2).exp()
        away = (torch.arange(first, last)[:, None] - torch.arange(first, last)).abs().clamp(max=reach + 1)
        return torch.nn.functional.pad(bell, (0, 1))[:, away]

    parts = _both(draw.spans, bells)
    return _smooth(colours, alpha, lambda x: _mixed(x, *parts))


def noise(colours, alpha, draw):
    (top, bottom, height), (left, right, width) = draw.spans
    return colours + (draw.field(len(colours), 3, height, width)[:, :, top:bottom, left:right] * _all(draw.value("strength"))).clamp_(0, 1)


def pixelate(colours, alpha, draw):
    import torch
    size = draw.value("size")[:, None]

    def together(span):
        first, last, side = span
        block = (torch.arange(first, last) * (size * side).round().clamp(min=1) / side + TINY).floor()
        return (block[:, :, None] == block[:, None]).float()

    parts = _both(draw.spans, together)
    return _smooth(colours, alpha, lambda x: _mixed(x, *parts))


def contrast(colours, alpha, draw):
    import torch
    weight = torch.ones((1, 1, *colours.shape[2:])) if alpha is None else alpha
    mean = (_grey(colours) * weight).sum((2, 3), keepdim=True) / weight.sum((2, 3), keepdim=True).clamp(min=TINY)
    return torch.lerp(mean, colours, _all(draw.value("factor")))


def _all(values):
    return values[:, None, None, None]


def _grey(colours):
    return sum(share * colours[:, i:i + 1] for i, share in enumerate(GREY))


def _smooth(colours, alpha, mix):
    """Means of neighbouring colours, in which what is transparent has no say; `mix` sums them."""
    import torch
    weight = torch.ones_like(colours[:, :1]) if alpha is None else alpha
    mixed = mix(torch.cat([colours if alpha is None else colours * alpha, weight], 1))
    return mixed[:, :3] / mixed[:, 3:].clamp(min=TINY)


MOVES = {"scale": scale, "translate": translate, "h-flip": h_flip, "v-flip": v_flip, "rotate": rotate, "shear": shear, "elastic": elastic, "erase": erase}
COLOURINGS = {"hue": hue, "brightness": brightness, "grayscale": grayscale, "posterize": posterize, "invert": invert, "sharpen": sharpen, "blur": blur,
              "noise": noise, "pixelate": pixelate, "contrast": contrast}
