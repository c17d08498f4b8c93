"""The look of every chart: one palette that reads on white and on near-black, marks that never rely on hue alone.

Switching the app's theme restyles background, text and grid at once, but not the traces: so every mark colour here has at
least 3:1 on both grounds. Colours of a scale cannot all have that, so marks coloured by a scale carry a grey rim.
"""

import colorsys
import html
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import plotly.graph_objects as go
import plotly.io as pio

TEXT = 90  # characters of a text in a label
LIGHT, DARK = "#FFFFFF", "#10161D"  # the two grounds, as in .streamlit/config.toml
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8B6BD9", "#A67C00", "#C8374A", "#5E8C31", "#1F93B5", "#7A828C")
SYMBOLS = ("circle", "square", "diamond", "cross", "x", "triangle-up", "triangle-down", "star", "pentagon", "hourglass")
SYMBOLS_3D = ("circle", "square", "diamond", "cross", "x", "circle-open", "square-open", "diamond-open")
MIDDLE = "#8E9AA6"  # a ground of its own between the two
GREY, RIM = "#7A828C", "rgba(122,130,140,0.75)"  # what is context: baselines, null bands, other items
SEQUENTIAL = "Cividis"
DIVERGING = [[0.0, "#0A5A8C"], [0.25, "#62A3CB"], [0.5, "#D9DEE3"], [0.75, "#E08A52"], [1.0, "#984000"]]  # centre it: cmid=
HIGHLIGHT = "#E0218A"  # the selected, where a ring cannot be drawn
RING = ("#FFFFFF", "#1B2733")  # wide under narrow: one of the two stands out on any ground and any mark


def picked(customdata) -> int | tuple[int, ...]:
    """What a clicked mark carries, as the browser sends it: a number, a list, or an object with keys "0", "1" and so on; several numbers as a tuple."""
    if isinstance(customdata, Mapping):
        customdata = [customdata[str(i)] for i in range(len(customdata))]
    values = tuple(int(v) for v in np.ravel(customdata))
    return values[0] if len(values) == 1 else values


def colours(n: int) -> list[str]:
    """n distinct colours; the first ten are the palette, more walk round the hue circle at the lightness both grounds can bear."""
    more = range(max(0, n - len(PALETTE)))
    return [*PALETTE[:n], *(_readable((i * 0.618034 + 0.08) % 1, (0.75, 0.5, 0.35)[i % 3], (0.15, 0.20, 0.27)[i // 3 % 3]) for i in more)]


def marks(n: int, *, dims: int = 2) -> list[tuple[str, str]]:
    """(colour, marker symbol) of each of n categories."""
    symbols = SYMBOLS_3D if dims == 3 else SYMBOLS
    return [(colour, symbols[i % len(symbols)]) for i, colour in enumerate(colours(n))]


def plain(value) -> str:
    """A name or text that came with the data, cut to length and safe where plotly would read markup."""
    text = " ".join(str(value).split())
    return html.escape(text if len(text) <= TEXT else text[:TEXT - 1] + "…", quote=False)


def luminance(colour: str) -> float:
    """Relative luminance of "#RRGGBB" (WCAG 2)."""
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(a: str, b: str) -> float:
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@lru_cache(maxsize=512)
def _readable(hue: float, saturation: float, wanted: float) -> str:
    """The colour of this hue whose luminance is the wanted one."""
    low, high = 0.0, 1.0
    for _ in range(20):
        lightness = (low + high) / 2
        colour = "#" + "".join(f"{round(v * 255):02X}" for v in colorsys.hls_to_rgb(hue, lightness, saturation))
        low, high = (lightness, high) if luminance(colour) < wanted else (low, lightness)
    return colour


def marker(category: int, *, dims: int = 2, **more) -> dict:
    """Colour and symbol of the category at this place, as plotly's `marker`."""
    colour, symbol = marks(category + 1, dims=dims)[category]
    return {"color": colour, "symbol": symbol, **more}


def figure(*traces, height: int = 420, **layout) -> go.Figure:
    """A figure in this look."""
    return go.Figure(list(traces), {"template": "sextant", "height": height, **layout})


_AXIS = {"showline": False, "ticks": "outside", "ticklen": 4, "zeroline": False, "automargin": True, "title": {"standoff": 10}}
# structure only: grounds, text and grid take the colours of the app's theme
pio.templates["sextant"] = go.layout.Template(layout={
    "colorway": list(PALETTE), "margin": {"l": 8, "r": 8, "t": 36, "b": 8}, "hovermode": "closest", "separators": ".\u202f",
    "colorscale": {"sequential": SEQUENTIAL, "diverging": DIVERGING}, "xaxis": _AXIS, "yaxis": _AXIS,
    "legend": {"itemsizing": "constant", "tracegroupgap": 6}, "hoverlabel": {"align": "left", "namelength": -1},
    "title": {"x": 0, "xanchor": "left", "font": {"size": 15}},
})
