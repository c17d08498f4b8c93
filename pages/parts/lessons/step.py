"""One step of a lesson: what it is about, the question, the live number beside the guess, what to notice, and the way on."""

import math

import pandas as pd
import streamlit as st

from analysis.errors import InputError
from analysis.lessons import Lesson, Step, pages
from pages.parts import chart as charts
from pages.parts import messages, record
from pages.parts.lessons import pictures, place, work
from pages.parts.messages import plain

SHOWN = {"degrees": "%d°", "percent": "%d\u202f%%", "points": "%+d points"}  # on a slider, by the form of the number


def draw(lesson: Lesson, at: int) -> None:
    record.title(lesson.title, f"sextant-lesson-{lesson.name}")
    record.apart()
    place.keep(lesson)
    step, guessed = lesson.steps[at], place.guesses(lesson).get(at)
    _head(lesson, at)
    st.markdown(plain(step.case.text))
    before = st.container()
    _ask(lesson, at, guessed)
    try:
        _answer(lesson, at, guessed, before)
    except InputError as error:  # the other steps can be taken all the same
        messages.problem(InputError(f"{work.named(lesson, at)}: {error.message}", error.hint))
    if at == len(lesson) - 1 and guessed is not None:
        _finish(lesson)
    _way(lesson, at, guessed)


def _answer(lesson: Lesson, at: int, guessed: float | None, before) -> None:
    step, answer = lesson.steps[at], st.container()
    found = work.run(lesson, at)  # it begins while the reader still thinks
    final = work.kept(step) is not None
    if guessed is None:
        with before:
            _picture(step.before, found, step, "lessons-before")
    else:
        with answer:
            _reveal(step, found, guessed, final, "lessons")
    if final and at < len(lesson) - 1:
        work.ahead(lesson.steps[at + 1])


def _head(lesson: Lesson, at: int) -> None:
    st.progress((at + 1) / len(lesson), text=f"{plain(lesson.title)} · step {at + 1} of {len(lesson)}")
    st.subheader(plain(lesson.steps[at].case.title), anchor=False)


def _ask(lesson: Lesson, at: int, guessed: float | None) -> None:
    step, key = lesson.steps[at], f"lessons-guess-{lesson.name}-{at}"
    with st.container(border=True, key="lessons-ask"):
        st.markdown(f"**{plain(step.guess.ask)}**")
        if step.guess.choices:
            says = [plain(says) for says, *_ in step.guess.choices]
            value = st.radio("Your prediction", range(len(says)), index=None if guessed is None else int(guessed), format_func=says.__getitem__, key=key,
                             label_visibility="collapsed", disabled=guessed is not None)
        else:
            value = _slide(step, guessed, key)
        if guessed is None:
            st.button("Reveal the number", type="primary", key="lessons-reveal", disabled=value is None,
                      on_click=lambda: place.guess(lesson, at, float(st.session_state[key])))


def _slide(step: Step, guessed: float | None, key: str) -> float:
    low, high, by = step.guess.slider
    middle = low + by * round((high - low) / by / 2)
    whole = all(v == int(v) for v in (low, high, by))
    kind = int if whole else float
    value = st.slider("Your prediction", kind(low), kind(high), kind(middle if guessed is None else guessed), kind(by), SHOWN.get(step.form) if whole else None,
                      key=key, label_visibility="collapsed", width=520, disabled=guessed is not None)
    st.caption(f"From {step.told(low)} to {step.told(high)}; {step.room()}.")
    return value


def _reveal(step: Step, found, guessed: float, final: bool, key: str) -> None:
    """The guess and the number, what to notice, and the picture of it."""
    live = step.live(found)
    if final and math.isnan(live):
        raise InputError(f"{step.called} is not in what was found.", "Look at the number that the step asks for: its result has none of that kind.")
    with st.container(horizontal=True, key=f"{key}-answer"):
        st.metric("You said", step.answer(guessed), border=True, width="content")
        st.metric(plain(step.called), step.told(live), border=True, width="content")
    if final:
        verdict = ":green[:material/check_circle:] You had it." if step.guess.right(guessed, live) else ":orange[:material/lightbulb:] Not as predicted."
        st.markdown(f"{verdict} {plain(step.case.look)}")
        if step.formula:
            st.latex(step.formula)
    else:
        st.caption("The number is on its way: what is known of it is shown as it comes.")
    _picture(step.chart, found, step, f"{key}-chart")
    if final:
        st.link_button(f"Open this on the page {pages.title(step.case.page)}", step.case.address(), icon=":material/open_in_new:", key=f"{key}-open",
                       help="With its options set; the lesson stays where it is.")


def _picture(chart, found, step: Step, key: str) -> None:
    made = pictures.drawn(chart, found, step)
    if made is not None:
        figure, says, table = made
        charts.show(figure, alt=says, key=key, table=None if key == "lessons-before" else table)


def _finish(lesson: Lesson) -> None:
    """What was guessed in all steps, beside what is known of them; and each of them again, for a report of the whole."""
    guesses, rows = place.guesses(lesson), []
    for i, step in enumerate(lesson.steps):
        row = {"Step": i + 1, "What": step.called, "You said": "–", "Live": "–", "Right": ""}
        if (guess := guesses.get(i)) is not None:
            row |= {"You said": step.answer(guess), **_outcome(lesson, i, guess)}
        rows.append(row)
    st.markdown(f"**The whole lesson.** You had {sum(row['Right'] == 'yes' for row in rows)} of {len(lesson)}.")
    st.dataframe(pd.DataFrame(rows), hide_index=True, key="lessons-all", alt="What was guessed at each step, and the live number")
    work.begin([lesson.steps[i] for i in guesses])
    for i in [i for i in guesses if i < len(lesson) - 1]:  # the last one stands above
        _again(lesson, i, guesses[i])


def _outcome(lesson: Lesson, at: int, guess: float) -> dict:
    step = lesson.steps[at]
    try:
        live = step.live(work.kept(step))
    except InputError as error:
        return {"Live": f"cannot be run: {error.message}"}
    return {"Live": step.told(live), "Right": {True: "yes", False: "no", None: ""}[step.guess.right(guess, live)]}


def _again(lesson: Lesson, at: int, guess: float) -> None:
    step = lesson.steps[at]
    with st.expander(f"Step {at + 1}: {plain(step.case.title)}", key=f"lessons-again-{at + 1}"):
        st.markdown(plain(step.case.text))
        st.markdown(f"**{plain(step.guess.ask)}**")
        try:
            found = work.known(lesson, at)
            _reveal(step, found, guess, found is not None, f"lessons-{at + 1}")
        except InputError as error:
            messages.problem(InputError(f"{work.named(lesson, at)}: {error.message}", error.hint))


def _way(lesson: Lesson, at: int, guessed: float | None) -> None:
    with st.container(horizontal=True, key="lessons-way"):
        st.button("Back", icon=":material/arrow_back:", key="lessons-back", disabled=at == 0, on_click=place.go, args=(lesson.name, at - 1))
        st.button("Next", icon=":material/arrow_forward:", key="lessons-next", disabled=at == len(lesson) - 1, on_click=place.go, args=(lesson.name, at + 1),
                  type="secondary" if guessed is None else "primary")
        st.button("Restart", icon=":material/restart_alt:", key="lessons-restart", on_click=place.restart, args=(lesson.name,))
        st.button("All lessons", icon=":material/school:", key="lessons-leave", on_click=place.leave, type="tertiary")
