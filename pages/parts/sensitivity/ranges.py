"""The ranges that transforms draw from: every knob a slider, in the address; and what they make of a few items."""

from collections.abc import Callable, Mapping

import numpy as np
import streamlit as st

from pages.parts import items
from pages.parts.messages import plain
from pages.parts.sensitivity.words import OURS, PUBLISHED

TEXT = "text"
SHOWN = 8  # items of a strip: what a narrow window holds
LARGEST = 64  # pixels of a side
STEPS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0)
GAP = 3  # pixels between pictures


def turned(known: Mapping) -> dict:
    """What differs from the definition: transform -> knob -> (low, high)."""
    found = {}
    for name, transform in known.items():
        for knob, usual in transform.knobs.items():
            value = st.session_state.get(_key(name, knob))
            if value is not None and _span(value) != (usual.low, usual.high):
                found.setdefault(name, {})[knob] = _span(value)
    return found


def keep(known: Mapping) -> None:
    """Out of sight, the sliders: where no view shows them, they keep what the address says."""
    with st.popover("Ranges", icon=":material/tune:", key="sensitivity-ranges"):
        st.caption(f"What each transform draws from. {whose(known)}")
        for name, transform in known.items():
            st.markdown(f"**{plain(name)}**")
            sliders(name, transform)
        _reset(known)


def whose(known: Mapping) -> str:
    """Whose transforms these are."""
    ours = any(transform.family == TEXT for transform in known.values())
    return f"These transforms of texts are ours {OURS}." if ours else f"Unless changed, every range is as {PUBLISHED}; how far translate moves is {OURS}."


def explorer(subjects, known: Mapping, paired: bool, seed: int) -> None:
    """A row for each transform: what it does, its sliders, and what comes of them."""
    st.caption(whose(known))
    family = ""
    for name, transform in known.items():
        if transform.family != family:
            family = transform.family
            st.subheader(family.capitalize(), anchor=False)
        _row(subjects, name, transform, paired, seed)
    _reset(known)


@st.fragment
def _row(subjects, name: str, transform, paired: bool, seed: int) -> None:
    """Its own fragment: a slider redraws its row alone."""
    row = st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"sensitivity-row-{name.replace(' ', '-')}")
    with row.container(width=140):
        st.markdown(f"**{plain(name)}**")
        st.caption(plain(transform.about))
    with row.container(width=200):
        sliders(name, transform)
    with row.container(width="content"):
        a, b, _ = subjects.pairs(name, SHOWN, seed)
        if isinstance(a, np.ndarray):
            alt = f"{len(a)} items under {name}" + (", each twice, with another draw below" if paired else "")
            st.image(items.inline(montage((a, b) if paired else (a,))), width="content", alt=alt)
        else:
            st.markdown("\n".join(f"- {plain(x[:110])}" + (f"  \n  {plain(y[:110])}" if paired else "") for x, y in list(zip(a, b, strict=True))[:3]))


def sliders(name: str, transform) -> None:
    for knob, usual in transform.knobs.items():
        step = 1.0 if usual.whole else next((s for s in STEPS if s >= (usual.highest - usual.lowest) / 100), STEPS[-1])
        cast: Callable = int if usual.whole else float
        low, high, lowest, highest = (cast(v) for v in (usual.low, usual.high, usual.lowest, usual.highest))
        value = low if usual.low == usual.high else (low, high)
        label = knob.capitalize() + (f", {usual.unit}" if usual.unit not in ("", knob) else "")
        st.slider(label, lowest, highest, value, cast(step), "%d" if step >= 1 else "%.2f", key=_key(name, knob), bind="query-params")


def montage(lines: tuple):
    """Pictures beside one another, the lines below one another, on nothing; as one of PIL's."""
    from PIL import Image
    rows = [np.concatenate([_bordered(_sized(picture)) for picture in line], axis=1) for line in lines]
    return Image.fromarray(np.concatenate(rows, axis=0))


def _sized(picture: np.ndarray) -> np.ndarray:
    """Small ones enlarged without smoothing, large ones made smaller."""
    if max(picture.shape[:2]) > LARGEST:
        from PIL import Image
        image = Image.fromarray(picture)
        image.thumbnail((LARGEST, LARGEST))
        return np.asarray(image)
    times = max(1, LARGEST // max(picture.shape[:2]))
    return picture.repeat(times, axis=0).repeat(times, axis=1)


def _bordered(picture: np.ndarray) -> np.ndarray:
    opaque = np.concatenate([picture, np.full((*picture.shape[:2], 1), 255, np.uint8)], axis=2)
    return np.pad(opaque, ((0, GAP), (0, GAP), (0, 0)))


def _reset(known: Mapping) -> None:
    st.button("Reset all ranges", icon=":material/restart_alt:", key="sensitivity-reset", on_click=_restore, args=(known,))


def _restore(known: Mapping) -> None:
    for name, transform in known.items():
        for knob, usual in transform.knobs.items():
            cast = int if usual.whole else float
            st.session_state[_key(name, knob)] = cast(usual.low) if usual.low == usual.high else (cast(usual.low), cast(usual.high))


def _span(value) -> tuple[float, float]:
    low, high = value if isinstance(value, (tuple, list)) else (value, value)
    return float(low), float(high)


def _key(name: str, knob: str) -> str:
    return f"sensitivity_{name.replace(' ', '-')}_{knob.replace(' ', '-')}"
