"""What scenes are made of, drawn here: 61 cut-outs, each a class of its own, and 867 backgrounds."""

import numpy as np

from analysis.data.digits import CHARACTERS, _master

SIDE = 32  # of every picture
FINE = 4  # times finer while drawing: edges come out smooth
RIM = 2  # width of the darker rim of a cut-out, in fine pixels

COLOURS = {"red": "d7263d", "orange": "f4802a", "gold": "f2b11c", "yellow": "ffe14d", "lime": "9bd23c", "green": "2f9e44", "pine": "1b6b3a", "teal": "12a5a0",
           "sky": "5bc0f0", "blue": "2563c9", "navy": "1d2f6f", "purple": "7b3fb5", "violet": "b287e8", "pink": "f783b4", "rose": "e0347f", "brown": "7a4a24",
           "tan": "c99a62", "cream": "fff0c9", "white": "fbfbfb", "silver": "c3c9d1", "grey": "878f99", "slate": "4b5563", "black": "1c1c22"}

# One to a line: parts from back to front, on a canvas of 32 x 32 with y downwards. [on] colour form numbers: "on" paints only where something is,
# "cut" takes away.
DRAWINGS = """
ring: gold disc 16 16 14; on yellow oval 12 12 11 11; on gold disc 17 17 11; cut disc 16 16 8
target: red disc 16 16 14; white disc 16 16 11; red disc 16 16 8; white disc 16 16 5; red disc 16 16 2.5
star: yellow star 16 17 15 6.3 5
heart: rose disc 9.5 11.5 7.5; rose disc 22.5 11.5 7.5; rose poly 2.8 15 29.2 15 16 30; rose box 9 9 23 16; cut poly 12 2 20 2 16 8.5; pink oval 8 10
    2.5 3.5 30
moon: yellow disc 15 16 14; cut disc 21 13 11.5; on gold disc 5 20 2; on gold disc 12 27 1.6
cross: red box 11 2 21 30 1; red box 2 11 30 21 1; on white box 13.5 4.5 18.5 27.5; on white box 4.5 13.5 27.5 18.5
arrow: blue poly 2 11 16 11 16 3 30 16 16 29 16 21 2 21; on sky poly 2 11 16 11 16 3 30 16 2 16
lightning: gold poly 18 1 5 18 14 18 10 31 27 12 17 12 23 1
gear: grey disc 16 16 11.5; grey line 16 16 29.0 16.0 5; grey line 16 16 25.2 25.2 5; grey line 16 16 16.0 29.0 5; grey line 16 16 6.8 25.2 5; grey
    line 16 16 3.0 16.0 5; grey line 16 16 6.8 6.8 5; grey line 16 16 16.0 3.0 5; grey line 16 16 25.2 6.8 5; silver disc 16 16 8; cut disc 16 16 4
flower: pink disc 16 7 5.6; pink disc 24.6 13.2 5.6; pink disc 21.3 23.3 5.6; pink disc 10.7 23.3 5.6; pink disc 7.4 13.2 5.6; gold disc 16 16 5.5
pinwheel: red poly 16 16 16 2 29 3; blue poly 16 16 30 16 29 29; gold poly 16 16 16 30 3 29; green poly 16 16 2 16 3 3; white disc 16 16 2.2
chessboard: cream box 2 2 30 30; on brown checks 5.6 2 2
beach ball: white disc 16 16 14; on red poly 16 16 16 -8 38 4; on blue poly 16 16 40 16 28 38; on gold poly 16 16 16 40 -6 28; on green poly 16 16 -8
    16 4 -6; white disc 16 16 3
gem: teal poly 8 4 24 4 31 13 16 30 1 13; on sky poly 8 4 12 13 1 13; on white poly 12 13 20 13 16 4; on sky poly 12 13 20 13 16 30; on navy poly 20
    13 31 13 16 30
cube: orange poly 16 2 29 9 16 16 3 9; brown poly 3 9 16 16 16 31 3 23; tan poly 29 9 16 16 16 31 29 23
drop: sky disc 16 20 10.5; sky poly 16 1 6.6 15.4 25.4 15.4; on white arc 16 20 7 2 100 170
cloud: silver disc 8 20 6.5; silver disc 24 20 6.5; silver box 8 14 24 26.5; white disc 13 14 8; white disc 21 15 6.5; white disc 8 19 5.5; white disc
    24 19 5.5; white box 8 14 24 24
sun: orange star 16 16 15.5 9 12; yellow disc 16 16 8.5
leaf: green oval 16 15 15 7.5 -45; pine line 3 29 26 6 1.4; pine line 12 20 12 12 1; pine line 12 20 20 20 1; pine line 18 14 18 7 1; pine line 18 14
    25 14 1
tree: brown box 13 18 19 31; green disc 16 10 9; green disc 8.5 15 7; green disc 23.5 15 7; on lime disc 12 9 4; on red disc 9 16 1.5; on red disc 21
    9 1.5; on red disc 24 17 1.5
fir: brown box 13.5 26 18.5 31; pine poly 16 12 2.5 27 29.5 27; green poly 16 6 5 19 27 19; lime poly 16 1 8 11.5 24 11.5
cactus: green box 12 2 19 27 3.5; green line 6 10 6 17 15 17 5; green line 26 7 26 14 17 14 5; on lime stripes 3.5 0.8 90; orange poly 7 24 24 24 22
    31 9 31
mushroom: cream box 11 14 21 30 3; red oval 16 13 14 11; cut box 1 16 11 25; cut box 21 16 31 25; on white disc 10 9 2.8; on white disc 20 6 2.4; on
    white disc 22 13 2.2; on cream box 11 16 21 30 2
apple: brown line 16 9 18 2 2; red disc 11 19 9; red disc 21 19 9; red oval 16 24 9 6.5; green oval 23 5 5 2.3 -20; on pink oval 8 16 2 3.5 20
cherries: pine line 9 23 20 3 1.6; pine line 23 22 20 3 1.6; green oval 25 4.5 5.5 2.5 15; rose disc 9 23 7; rose disc 23.5 22.5 7; on white disc 6.5
    20.5 1.6; on white disc 21 20 1.6
carrot: green line 22 9 20 2 2.4; green line 22 9 28 4 2.4; green line 22 9 30 11 2.4; orange poly 1.5 30.5 16 8 24 16; orange disc 20.2 11.8 5.4; on
    brown line 9 15 14 18 1; on brown line 15 22 12 16 1
banana: yellow arc 16 5 15.5 9 18 162; on gold arc 16 5 18.5 3 18 162; on brown poly -2 9 6 14 -2 16; on brown poly 34 9 26.5 13 34 16; brown line 29
    11.5 29 7 2.4
watermelon: green disc 16 8 15; white disc 16 8 12.8; red disc 16 8 11.6; cut box 0 -9 32 8.5; on black oval 10 13 0.9 1.6; on black oval 16 12 0.9
    1.6; on black oval 22 13 0.9 1.6; on black oval 13 17 0.9 1.6; on black oval 19 17 0.9 1.6
ice cream: tan poly 8 15 24 15 16 31; on brown stripes 3 0.7 45; on brown stripes 3 0.7 -45; pink disc 12 11 6; cream disc 20 11 6; rose disc 16 6.5
    5.5
lollipop: white line 16 16 16 30 2.4; violet disc 16 11 10; on white arc 16 11 7.5 2 0 250; on white arc 16 11 3.5 2 90 350
fried egg: white oval 14 17 13 11; white disc 23 11 7.5; white disc 10 24 6; gold disc 15 16 5.5; on yellow disc 13.5 14.5 2
pizza: tan poly 1 6 31 6 16 31; tan box 1 3 31 9 3; on yellow poly 4 9 28 9 16 28; on red disc 11 12 2.6; on red disc 20 13 2.6; on red disc 15.5 20
    2.4; on pine disc 16 11 1
fish: orange oval 13 16 11.5 8; orange poly 21 16 31 7 31 25; on white box 12 0 15 32; on white box 19 0 21.5 32; white disc 7 14 2.2; black disc 6.7
    14 1.1
bird: blue disc 20 11 6.5; blue oval 13 18 10 7 -20; blue poly 7 15 0.5 25 9 24; gold poly 25 8 31.5 11 25 13; navy oval 12 18 6.5 3.2 -30; white disc
    21.5 9.5 2; black disc 22 9.5 1; orange line 12 24 12 30 1.4; orange line 17 23 17 30 1.4
butterfly: violet oval 8.5 10 7.5 8 -30; violet oval 23.5 10 7.5 8 30; rose oval 9.5 23 6 6.5 30; rose oval 22.5 23 6 6.5 -30; on gold disc 8 9 2.6;
    on gold disc 24 9 2.6; black oval 16 17 1.8 10; black line 16 8 12 1.5 1; black line 16 8 20 1.5 1
ladybird: black disc 16 8 6; red disc 16 18 12; on black box 15.3 6 16.7 31; on black disc 10 14 2.4; on black disc 22 14 2.4; on black disc 11 22
    2.4; on black disc 21 22 2.4; white disc 13.5 5 1.3; white disc 18.5 5 1.3
snail: tan line 3 28 27 28 5; tan line 27 28 28 16 4; tan line 28 16 25 9 1.4; tan line 28 16 31 9 1.4; brown disc 13 18 10.5; on gold arc 13 18 7.5 2
    -60 220; on gold arc 13 18 3.5 2 60 340
cat: slate poly 3 3 13 9 5 17; slate poly 29 3 19 9 27 17; slate oval 16 18 13 11.5; lime oval 10.5 16 2.6 3; lime oval 21.5 16 2.6 3; black oval 10.5
    16 0.9 2.6; black oval 21.5 16 0.9 2.6; pink poly 14 20.5 18 20.5 16 23; white line 2 22 10 23 0.8; white line 30 22 22 23 0.8
ghost: white disc 16 13 11; white box 5 13 27 29; cut disc 8.7 30.5 3.2; cut disc 16 30.5 3.2; cut disc 23.3 30.5 3.2; navy oval 12 12 2 3; navy oval
    20 12 2 3; navy oval 16 19 2 2.4
face: yellow disc 16 16 14.5; black oval 11 12 1.8 2.8; black oval 21 12 1.8 2.8; black arc 16 16 8 2 15 165
robot: silver box 5 9 27 29 2; slate line 16 9 16 3 1.6; red disc 16 3.5 2.4; teal box 8 12 24 20 3; white disc 12 16 2.4; white disc 20 16 2.4; slate
    box 10 23 22 26; grey box 1.5 14 5 23; grey box 27 14 30.5 23
house: cream box 5 14 27 30; brown box 21 4 25 12; red poly 16 2 1 15.5 31 15.5; blue box 8 18 14 24; brown box 18 20 24 30
castle: grey box 3 12 29 30; silver box 2 6 10 30; silver box 22 6 30 30; cut box 4.7 5 7.3 9; cut box 24.7 5 27.3 9; cut box 14 11 18 14; brown box
    12.5 20 19.5 31; brown disc 16 20 3.5; rose poly 16 1 25 3.5 16 6; slate line 16 1 16 14 1
boat: brown line 15 2 15 24 1.6; white poly 17 3 17 20 29 20; sky poly 13 6 13 20 4 20; red poly 1 22 31 22 25 30 7 30
rocket: orange poly 11 24 21 24 16 31.5; red poly 10 15 3 25 10 25; red poly 22 15 29 25 22 25; silver oval 16 14 7 13; cut box 0 25 10.5 32; cut box
    21.5 25 32 32; on red box 0 0 32 7; blue disc 16 13 3.2
car: teal box 1 15 31 25 3; teal poly 7 16 11 7 22 7 27 16; white poly 9.8 15 12.4 9 16 9 16 15; white poly 17.5 15 17.5 9 21.2 9 24.4 15; black disc
    8.5 25 4.5; black disc 23.5 25 4.5; silver disc 8.5 25 2; silver disc 23.5 25 2; yellow box 29 17 31 20
balloon: slate line 16 22 13 31 1; rose oval 16 12.5 10 11.5; rose poly 13 26.5 19 26.5 16 22; on white oval 12 8 2 3.6 25
umbrella: purple disc 16 17 14.5; on yellow poly 16 2 12 17 6 17; on yellow poly 16 2 20 17 26 17; cut box 0 17 32 32; brown line 16 3 16 26 2; brown
    arc 19.5 26 3.5 2 0 180
bell: gold disc 16 12 9; gold box 7 12 25 21; gold poly 7 18 25 18 30 26 2 26; brown disc 16 27.5 3.2; gold box 2 22.5 30 26 1; gold disc 16 3.5 2.2;
    on yellow box 10 8 12.5 21
cup: sky arc 23 15 6 3 -100 100; sky box 4 7 23 28 4; on white box 4 13 23 18; on blue box 4 14.5 23 16.5; on brown oval 13.5 8 8 1.6
bottle: pine box 9 13 23 31 3; pine box 13 5 19 14; on pine oval 16 14 6 4; red box 12.3 1 19.7 5.5 1; on cream box 9 18 23 26; on rose disc 16 22 2.6
key: gold disc 9 9 8; cut disc 8 8 3.5; gold line 14 14 28 28 3.6; gold line 23 23 27 19 3; gold line 27 27 30 24 3
padlock: silver arc 16 12 7 3.6 180 360; silver box 7.2 12 10.8 17; silver box 21.2 12 24.8 17; orange box 4 15 28 30 2.5; black disc 16 21 2.6; black
    poly 16 20 13.8 27 18.2 27
light bulb: yellow disc 16 12 10.5; yellow poly 8.5 18 23.5 18 20 25 12 25; grey box 11.5 23.5 20.5 31 2; on slate box 11 26.5 21 27.8; orange line
    12.5 12 14.5 16 16 12 17.5 16 19.5 12 1.2
candle: violet box 10 13 22 30 1; on white stripes 5 1.6 45; black line 16 13 16 9.5 1.2; orange oval 16 6 3.4 5; yellow oval 16 7.4 1.7 2.8
envelope: cream box 1.5 6 30.5 27 1; on tan line 1.5 27 13 16 1.4; on tan line 30.5 27 19 16 1.4; on tan poly 1.5 6 30.5 6 16 19.5; red disc 16 18 3
book: brown box 5 2 28 30 2; on cream box 8 26 28 28.5; on red box 8 0 28 26; on gold box 12 7 24 9.5; on gold box 12 11.5 20 13.5; on brown box 5 2 8
    30
clock: navy disc 16 16 14.5; white disc 16 16 11.5; on black line 16 16 16 7.5 1.8; on black line 16 16 22 19.5 1.8; on red disc 16 6 1.2; on red disc
    16 26 1.2; on red disc 6 16 1.2; on red disc 26 16 1.2
hourglass: sky poly 6 4 26 4 17 16 26 28 6 28 15 16; on gold poly 9 9 23 9 16 17; on gold poly 16 21 24 28 8 28; brown box 4 1.5 28 5 1; brown box 4
    27 28 30.5 1
letter R: green glyph R
figure 4: rose glyph 4
"""


def objects() -> dict[str, np.ndarray]:
    """uint8 (32, 32, 4) with straight alpha, by name."""
    drawings = (line.split(":") for line in DRAWINGS.replace("\n    ", " ").strip().splitlines())
    return {name: paint(drawing) for name, drawing in drawings}


def paint(drawing: str) -> np.ndarray:
    """A drawing's parts one over the other, with a darker rim, as uint8 (32, 32, 4)."""
    y, x = (np.mgrid[:SIDE * FINE, :SIDE * FINE] + 0.5) / FINE
    colours, shown = np.zeros((*x.shape, 3)), np.zeros(x.shape, bool)
    for part in drawing.split(";"):
        words = part.split()
        on = words[0] == "on"
        colour, form, *numbers = words[on:]
        inside = FORMS[form](x, y, *(n if form == "glyph" else float(n) for n in numbers))
        if colour == "cut":
            shown &= ~inside
        else:
            inside = inside & shown if on else inside
            colours[inside] = [int(COLOURS[colour][i:i + 2], 16) for i in (0, 2, 4)]
            shown |= inside
    colours[shown & ~_eroded(shown)] *= 0.55
    colours *= shown[..., None]
    colours, alpha = (a.reshape(SIDE, FINE, SIDE, FINE, -1).mean(axis=(1, 3)) for a in (colours, shown[..., None]))
    return np.rint(np.concatenate([colours / np.maximum(alpha, 1e-9), 255 * alpha], axis=2)).astype(np.uint8)


def _eroded(shown: np.ndarray) -> np.ndarray:
    for axis in (0, 1):
        padded = np.pad(shown, [(RIM, RIM) if a == axis else (0, 0) for a in (0, 1)])
        shown = np.all([np.take(padded, np.arange(shown.shape[axis]) + i, axis) for i in range(2 * RIM + 1)], axis=0)
    return shown


def _oval(x, y, at_x, at_y, wide, high, turn=0.0):
    cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    x, y = x - at_x, y - at_y
    return ((cos * x + sin * y) / wide) ** 2 + ((cos * y - sin * x) / high) ** 2 <= 1


def _box(x, y, left, top, right, bottom, corner=0.0):
    beyond_x = np.maximum(np.abs(x - (left + right) / 2) - (right - left) / 2 + corner, 0)
    beyond_y = np.maximum(np.abs(y - (top + bottom) / 2) - (bottom - top) / 2 + corner, 0)
    return np.hypot(beyond_x, beyond_y) <= corner


def _poly(x, y, *numbers):
    inside, points = np.zeros(x.shape, bool), np.reshape(numbers, (-1, 2))
    for (x0, y0), (x1, y1) in zip(points, np.roll(points, -1, axis=0), strict=True):
        if y0 != y1:
            inside ^= ((y0 > y) != (y1 > y)) & (x < x0 + (x1 - x0) * (y - y0) / (y1 - y0))
    return inside


def _star(x, y, at_x, at_y, far, near, tips):
    turn = np.pi * np.arange(2 * int(tips)) / tips
    radius = np.where(np.arange(len(turn)) % 2, near, far)
    return _poly(x, y, *np.stack([at_x + radius * np.sin(turn), at_y - radius * np.cos(turn)], axis=1).ravel())


def _line(x, y, *numbers):
    *numbers, width = numbers
    points, inside = np.reshape(numbers, (-1, 2)), np.zeros(x.shape, bool)
    for (x0, y0), (x1, y1) in zip(points[:-1], points[1:], strict=True):
        along = np.clip(((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / ((x1 - x0) ** 2 + (y1 - y0) ** 2), 0, 1)
        inside |= np.hypot(x - x0 - along * (x1 - x0), y - y0 - along * (y1 - y0)) <= width / 2
    return inside


def _arc(x, y, at_x, at_y, radius, width, start, stop):
    """From start to stop in degrees, clockwise from the right."""
    angle = (np.degrees(np.arctan2(y - at_y, x - at_x)) - start) % 360
    return (np.abs(np.hypot(x - at_x, y - at_y) - radius) <= width / 2) & (angle <= stop - start)


def _stripes(x, y, apart, width, turn):
    return (np.cos(np.radians(turn)) * y + np.sin(np.radians(turn)) * x) % apart < width


def _checks(x, y, size, left, top):
    return ((x - left) // size + (y - top) // size) % 2 == 1


def _glyph(x, y, character):
    """A printed character in the first font of the masters."""
    master = _master("glyphs", "glyphs")[0][0, CHARACTERS.index(character)]
    rows, columns = np.nonzero(master.max(axis=1) > 127)[0], np.nonzero(master.max(axis=0) > 127)[0]
    ink = master[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1]
    step = ink.shape[0] / 28
    row, column = (y - 2) * step, (x - 16) * step * 0.9 + ink.shape[1] / 2
    inside = (row >= 0) & (row < ink.shape[0]) & (column >= 0) & (column < ink.shape[1])
    return inside & (ink[row.astype(int).clip(0, ink.shape[0] - 1), column.astype(int).clip(0, ink.shape[1] - 1)] > 127)


FORMS = {"disc": lambda x, y, at_x, at_y, radius: _oval(x, y, at_x, at_y, radius, radius), "oval": _oval, "box": _box, "poly": _poly, "star": _star,
         "line": _line, "arc": _arc, "stripes": _stripes, "checks": _checks, "glyph": _glyph}


# backgrounds


VARIANTS = 51  # of each of the 17 patterns below


def backgrounds() -> np.ndarray:
    """uint8 (867, 32, 32, 3), 51 of each pattern; which one it is follows from its index alone."""
    rng = np.random.default_rng(867)
    y, x = (np.mgrid[:SIDE, :SIDE].astype(np.float32) + 0.5) / SIDE
    shades = np.concatenate([pattern(x[None], y[None], _Dice(rng)) for pattern in PATTERNS])
    return np.rint(255 * _coloured(shades.clip(0, 1), rng)).astype(np.uint8)


class _Dice:
    """Random numbers for all variants of a pattern at once."""

    def __init__(self, rng):
        self.rng = rng

    def __call__(self, low=0.0, high=1.0):
        """(51, 1, 1) evenly from low to high."""
        return self.rng.uniform(low, high, (VARIANTS, 1, 1)).astype(np.float32)

    def turned(self, x, y):
        """The two coordinates along and across a random direction."""
        angle = self(0, 2 * np.pi)
        return np.cos(angle) * (x - 0.5) + np.sin(angle) * (y - 0.5), np.cos(angle) * (y - 0.5) - np.sin(angle) * (x - 0.5)

    def smooth(self, waves=6, slowest=0.5, fastest=3.0):
        """(51, 32, 32) in 0..1: a sum of waves in random directions, the faster the weaker."""
        y, x = (np.mgrid[:SIDE, :SIDE].astype(np.float32) + 0.5) / SIDE
        total = 0
        for _ in range(waves):
            speed, angle = self(slowest, fastest), self(0, 2 * np.pi)
            total = total + np.sin(2 * np.pi * (speed * (np.cos(angle) * x + np.sin(angle) * y) + self())) / speed**0.7
        low, high = total.min(axis=(1, 2), keepdims=True), total.max(axis=(1, 2), keepdims=True)
        return (total - low) / (high - low)


def _coloured(shades: np.ndarray, rng) -> np.ndarray:
    """Each picture's shades 0..1 as colours between three of its own, from dark to light."""
    n = len(shades)
    hue = rng.uniform(0, 1, (n, 1)) + rng.normal(0, 0.13, (n, 3))
    strength = rng.beta(1.6, 2.0, (n, 1)) * rng.uniform(0.6, 1, (n, 3))
    middle, spread = rng.uniform(0.3, 0.75, (n, 1)), rng.uniform(0.12, 0.38, (n, 1))
    light = (middle + spread * np.array([-1, 0, 1])).clip(0.03, 1)
    wheel = np.clip(np.abs((hue[..., None] * 6 + np.array([0, 4, 2])) % 6 - 3) - 1, 0, 1)
    stops = (light[..., None] * (1 - strength[..., None] * (1 - wheel))).astype(np.float32)[:, :, None, None]  # (n, 3, 1, 1, channels)
    at = 2 * shades[..., None]
    return np.where(at < 1, stops[:, 0] + at * (stops[:, 1] - stops[:, 0]), stops[:, 1] + (at - 1) * (stops[:, 2] - stops[:, 1]))


def _wave(at):
    return 0.5 + 0.5 * np.sin(2 * np.pi * at)


def _crisp(at, edge=0.12):
    """A wave with steep flanks."""
    return np.clip(0.5 + (_wave(at) - 0.5) / (2 * edge), 0, 1)


def gradient(x, y, dice):
    return dice.turned(x, y)[0] * dice(0.7, 1.1) + 0.5 + 0.05 * dice.smooth()


def glow(x, y, dice):
    return 1 - np.hypot(x - dice(), y - dice()) * dice(0.8, 1.6)


def stripes(x, y, dice):
    return _crisp(dice.turned(x, y)[0] * dice(2, 6) + dice())


def waves(x, y, dice):
    along, across = dice.turned(x, y)
    return _wave(along * dice(2, 5) + dice(0.15, 0.5) * np.sin(2 * np.pi * (across * dice(0.8, 2) + dice())))


def checks(x, y, dice):
    along, across = dice.turned(x, y)
    many = dice(1.5, 4.5)
    return 0.5 + (_crisp(along * many) - 0.5) * (2 * _crisp(across * many) - 1)


def bricks(x, y, dice):
    rows = dice(4, 9).round()
    row = np.floor(y * rows)
    along = (x * rows / 2 + 0.5 * (row % 2) + dice()) % 1
    joint = (along < 0.09) | ((y * rows) % 1 < 0.18)
    which = np.floor(x * rows / 2 + 0.5 * (row % 2) + dice()) * 12.9898 + row * 78.233
    return np.where(joint, 0.05, 0.5 + 0.45 * np.sin(which * 43.7))


def dots(x, y, dice):
    along, across = dice.turned(x, y)
    many = dice(2.5, 6)
    away = np.hypot((along * many) % 1 - 0.5, (across * many) % 1 - 0.5)
    return np.clip((dice(0.22, 0.4) - away) * 6 + 0.5, 0, 1)


def rings(x, y, dice):
    return _crisp(np.hypot(x - dice(0, 1), y - dice(0, 1)) * dice(2.5, 6) + dice(), 0.3)


def rays(x, y, dice):
    angle = np.arctan2(y - dice(0.1, 0.9), x - dice(0.1, 0.9)) / (2 * np.pi)
    return _crisp(angle * dice(4, 11).round() + dice(), 0.25)


def plasma(x, y, dice):
    return dice.smooth()


def clouds(x, y, dice):
    return 0.65 * dice.smooth(8, 0.5, 2.5) + 0.25 * dice.smooth(10, 3, 7) + 0.1 * dice.smooth(12, 7, 13)


def marble(x, y, dice):
    return 1 - np.abs(np.sin(np.pi * (dice.turned(x, y)[0] * dice(1.5, 3.5) + dice(0.8, 1.8) * dice.smooth(8, 0.7, 4)))) ** dice(0.4, 1)


def cells(x, y, dice):
    near = np.sort(np.stack([np.hypot(x - dice(-0.1, 1.1), y - dice(-0.1, 1.1)) for _ in range(14)]), axis=0)
    return (near[1] - near[0]) * dice(3, 6)


def hills(x, y, dice):
    shade = 1 - 0.25 * y + 0 * dice()
    for level in range(3):
        edge = 0.3 + 0.2 * level + dice(0.04, 0.13) * np.sin(2 * np.pi * (x * dice(0.6, 1.6) + dice()))
        shade = np.where(y > edge, 0.6 - 0.27 * level + 0.1 * (y - edge), shade)
    return shade


def weave(x, y, dice):
    along, across = dice.turned(x, y)
    many = dice(3, 7)
    over = (np.floor(along * many) + np.floor(across * many)) % 2 == 0
    return np.where(over, np.sin(np.pi * ((along * many) % 1)), 0.75 * np.sin(np.pi * ((across * many) % 1)))


def zigzag(x, y, dice):
    along, across = dice.turned(x, y)
    return _crisp(along * dice(2.5, 5) + dice(0.5, 1.2) * np.abs((across * dice(1.5, 4)) % 1 - 0.5), 0.3)


def grain(x, y, dice):
    speck = dice.rng.random((VARIANTS, SIDE, SIDE)).astype(np.float32)
    return dice.smooth(5, 0.4, 1.5) * (1 - dice(0.25, 0.6)) + speck * dice(0.25, 0.6)


PATTERNS = (gradient, glow, stripes, waves, checks, bricks, dots, rings, rays, plasma, clouds, marble, cells, hills, weave, zigzag, grain)
