"""What a person is told."""

import re

import streamlit as st

from analysis.errors import InputError


def problem(error: InputError) -> None:
    """What was wrong, and what to do about it."""
    st.error(plain(error.hint) or "Choose something else.", title=plain(error.message), icon=":material/error:")


def later(said: str) -> None:
    """A passing word, shown after the next run."""
    st.session_state["_said"] = said


def passing() -> None:
    if "_said" in st.session_state:
        st.toast(plain(st.session_state.pop("_said")), icon=":material/check_circle:")


def plain(text: str) -> str:
    """Names of files and columns are data: what markdown would take for a sign is shown as it stands."""
    return re.sub(r"([\\`*\[\]<>$#~|]|(?<!\w)_|_(?!\w)|:(?=\w+:))", r"\\\1", str(text))


def grouped(number: int) -> str:
    """1 797."""
    return f"{number:,}".replace(",", "\u202f")


def count(number: int, noun: str, plural: str = "") -> str:
    """1 797 items; 1 item."""
    return f"{grouped(number)} {noun if number == 1 else plural or noun + 's'}"


def size(number: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "bytes" or number >= 100 else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} GB"


def seconds(number: float) -> str:
    if number < 90:
        return f"{max(1, round(number))} s"
    return f"{round(number / 60)} min" if number < 5400 else f"{number / 3600:.1f} h"
