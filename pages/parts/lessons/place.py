"""Where a reader is, and what was guessed so far: all of it in the address, and kept by the session while another page is looked at."""

import streamlit as st

from analysis.lessons import Lesson

LESSON, STEP, GUESS = "lessons_at", "lessons_step", "lessons_guess"
KEPT = "_lessons"


def lesson() -> str:
    """Coming back without an address, as the menu does, one is where one was."""
    if LESSON not in st.query_params and KEPT in st.session_state:
        for key, value in st.session_state[KEPT].items():
            st.query_params[key] = value
    return st.query_params.get(LESSON, "")


def keep(at: Lesson) -> None:
    _write(guesses(at))
    st.session_state[KEPT] = {key: st.query_params.get_all(key) for key in (LESSON, STEP, GUESS) if key in st.query_params}


def step(at: Lesson) -> int:
    """Counted from 0; the first one where the address says something else."""
    said = st.query_params.get(STEP, "1")
    return int(said) - 1 if said.isdecimal() and 1 <= int(said) <= len(at) else 0


def guesses(at: Lesson) -> dict[int, float]:
    """Of each step that was answered; what no answer can be is left out. The session knows them too: a browser may send an address that is a moment old."""
    found, kept = {}, st.session_state.get(KEPT, {})
    for said in (*st.query_params.get_all(GUESS), *(kept.get(GUESS, ()) if kept.get(LESSON) == [at.name] else ())):
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
    for key in [key for key in st.session_state if key == KEPT or str(key).startswith("lessons-")]:
        del st.session_state[key]


def restart(name: str) -> None:
    leave()
    go(name)


def guess(at: Lesson, where: int, value: float) -> None:
    """The first one counts: after it the number is known."""
    _write({where: value, **guesses(at)})
    keep(at)


def _write(given: dict[int, float]) -> None:
    said = [f"{place + 1}:{value:g}" for place, value in sorted(given.items())]
    if said != st.query_params.get_all(GUESS):
        st.query_params[GUESS] = said
