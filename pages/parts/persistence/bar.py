"""The bar that is looked at: chosen on a chart, kept in the address, and turned into the selection of its points."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from analysis.figures.template import picked
from pages.parts import selection
from pages.parts.messages import count
from pages.parts.persistence.cloud import Cloud

PARAMETER = "persistence_bar"


@dataclass(frozen=True)
class Bar:
    """Of the first cloud ("a") or the second; `place` counts among its bars of that dimension."""

    side: str
    dim: int
    place: int

    def __str__(self) -> str:
        return f"{self.side}-{self.dim}-{self.place}"


def current(clouds: list[Cloud]) -> tuple[Cloud, Bar] | tuple[None, None]:
    """The bar in the address, as long as the clouds are those it was chosen on."""
    parts = st.query_params.get(PARAMETER, "").split("-")
    if len(parts) != 3 or not all(p.isdecimal() for p in parts[1:]):
        return None, None
    found = Bar(parts[0], int(parts[1]), int(parts[2]))
    cloud = next((c for c in clouds if c.side == found.side), None)
    if cloud is not None and not cloud.settled:
        return None, None  # its bars are still those of a sample
    fresh = "_persistence_bar_of" not in st.session_state  # a link just opened: its bar's points become the selection
    if cloud is None or st.session_state.setdefault("_persistence_bar_of", cloud.identity) != cloud.identity:
        forget()
        return None, None
    if not cloud.has(found.dim, found.place):
        return None, None
    if selection.current() is None:
        if not fresh:  # it was let go of
            forget()
            return None, None
        show(cloud, [(found.dim, found.place)])
    return cloud, found


def let_go() -> None:
    forget()
    selection.clear()


def forget() -> None:
    st.query_params.pop(PARAMETER, None)
    st.session_state.pop("_persistence_bar_of", None)


def take(cloud: Cloud, key: str) -> None:
    """What was clicked or boxed on a chart of bars: the first becomes the bar looked at, the points of all the selection."""
    points = st.session_state[key]["selection"]["points"]
    chosen = [c for c in dict.fromkeys(picked(p["customdata"]) for p in points if p.get("customdata") is not None) if cloud.has(*c)]
    if not chosen:
        let_go()
        return
    show(cloud, chosen, own=key)


def parts(cloud: Cloud, dim: int, place: int) -> dict:
    """What of a bar can be selected: name -> its rows, when they are asked for."""
    if dim == 0:
        sides = lambda: cloud.sides(place)
        return {"both sides": lambda: cloud.trace(0, place), "the larger side": lambda: sides()[0], "the smaller side": lambda: sides()[1]}
    cocycle = {"the cocycle's points": lambda: cloud.trace(dim, place)}
    return cocycle | {"the line round the loop": lambda: cloud.loop(place)} if dim == 1 else cocycle


def show(cloud: Cloud, chosen: list[tuple[int, int]], *, part: str = "", own: str = "") -> None:
    """Make bars the ones looked at, and a part of the first, or the points of all, the selection; `own` names the chart that shows them by itself.

    Of H0 a click selects both components that merge; where they are more than half of all items, so that nothing would stand out, the smaller.
    """
    first = Bar(cloud.side, *chosen[0])
    if not part and len(chosen) == 1 and first.dim == 0 and 2 * len(cloud.trace(0, first.place)) > len(cloud.rows) and len(cloud.sides(first.place)[1]):
        part = "the smaller side"
    st.query_params[PARAMETER], st.session_state["_persistence_bar_of"] = str(first), cloud.identity
    memo = st.session_state.setdefault(f"_{own}", {"own": None, "shown": None})
    memo["own"] = str(first) if own and memo["shown"] is None else None  # a ring of before goes with a new figure
    rows = parts(cloud, *chosen[0])[part]() if part else np.concatenate([cloud.trace(*c) for c in chosen])
    words = f"{name(cloud, *chosen[0])}, {cloud.name}" if len(chosen) == 1 else f"{count(len(chosen), 'bar')}, {cloud.name}"
    if len(rows):
        cloud.stack.select(np.unique(rows), f"{words}, {part}" if part else words)


def shown(key: str, cloud: Cloud, found: Bar | None, *, dims=(0, 1, 2)) -> tuple[int, int] | None:
    """The bar a chart must ring. While it came from this very chart, the figure stays as it is: a new one would lose the browser's own mark."""
    memo = st.session_state.setdefault(f"_{key}", {"own": None, "shown": None})
    if memo["own"] is None or memo["own"] != (found and str(found)) or key not in st.session_state:
        memo["own"], memo["shown"] = None, (found.dim, found.place) if found and found.side == cloud.side and found.dim in dims else None
    return memo["shown"] if memo["shown"] and cloud.has(*memo["shown"]) else None


def name(cloud: Cloud, dim: int, place: int) -> str:
    """Counted from the longest that ends."""
    lives = np.ptp(cloud.bars[dim], axis=1)
    if not np.isfinite(lives[place]):
        return f"The H{dim} bar that never ends"
    return f"H{dim} bar {1 + int((lives[np.isfinite(lives)] > lives[place]).sum())}"
