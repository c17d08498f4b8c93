"""Where a reader is, and what was guessed so far: all of it in the address."""

import streamlit as st

from analysis.lessons import Lesson

LESSON, STEP, GUESS = "lessons_at", "lessons_step", "lessons_guess"


def lesson() -> str:
    return st.query_params.get(LESSON, "")


def step(at: Lesson) -> int:
    """Counted from 0; the first one where the address says something else."""
    said = st.query_params.get(STEP, "1")
    return int(said) - 1 if said.isdecimal() and 1 <= int(said) <= len(at) else 0


def guesses(at: Lesson) -> dict[int, float]:
    """Of each step that was answered; what no answer can be is left out."""
    found = {}
    for said in st.query_params.get_all(GUESS):
        number, _, text = said.partition(":")
        if number.isdecimal() and 1 <= int(number) <= len(at) and (guess := at.steps[int(number) - 1].guess.sound(text)) is not None:
            found[int(number) - 1] = guess
    return found


def go(name: str, to: int = 0) -> None:
    """To a step of a lesson, with what was guessed; to another lesson, with nothing."""
    if st.query_params.get(LESSON) != name:
        leave()
    st.query_params[LESSON], st.query_params[STEP] = name, str(to + 1)


def leave() -> None:
    for key in (LESSON, STEP, GUESS):
        st.query_params.pop(key, None)
    for key in [key for key in st.session_state if str(key).startswith("lessons-")]:
        del st.session_state[key]


def restart(name: str) -> None:
    leave()
    go(name)


def guess(at: Lesson, where: int, value: float) -> None:
    kept = {**guesses(at), where: value}
    st.query_params[GUESS] = [f"{place + 1}:{value:g}" for place, value in sorted(kept.items())]
