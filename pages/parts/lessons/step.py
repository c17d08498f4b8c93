"""One step of a lesson: what it is about, the question, the live number beside the guess, what to notice, and the way on."""

import pandas as pd
import streamlit as st

from analysis import engine
from analysis.engine import Ref
from analysis.errors import InputError
from analysis.lessons import Lesson, Step
from pages.parts import chart as charts
from pages.parts import job, messages
from pages.parts.lessons import pictures, place
from pages.parts.messages import plain


def draw(lesson: Lesson, at: int) -> None:
    step, guessed = lesson.steps[at], place.guesses(lesson).get(at)
    _head(lesson, at)
    st.markdown(plain(step.case.text))
    _ask(lesson, at, guessed)
    try:
        _answer(lesson, at, guessed)
    except InputError as error:
        messages.problem(error)  # the other steps can be taken all the same
    _way(lesson, at, guessed)


def _answer(lesson: Lesson, at: int, guessed: float | None) -> None:
    step, answer = lesson.steps[at], st.container()
    found = run(step)  # it begins while the reader still thinks
    if guessed is None:
        return
    final = kept(step) is not None
    with answer:
        _reveal(step, found, guessed, final)
    if at == len(lesson) - 1:
        _finish(lesson)
    elif final:
        ahead(lesson.steps[at + 1])


def run(step: Step):
    """What the step's case comes to, as far as it is known."""
    return job.study(step.case.call(), _inputs(step), dict(step.case.options), key="lessons-run", words="The number of this step.")


def kept(step: Step):
    """Its final result when the store has it, else None."""
    return engine.stored(step.case.call(), _inputs(step), dict(step.case.options))


def ahead(step: Step) -> None:
    """The next step is computed while this one is read; what is wrong with it is said there."""
    try:
        inputs, options = _inputs(step), dict(step.case.options)
    except InputError:
        return
    if engine.find(engine.key(step.case.call(), inputs, options)) is None:
        engine.submit(step.case.call(), inputs, options, control=job.control("lessons-ahead"))


def _inputs(step: Step) -> dict:
    return step.case.resolved(lambda kind, source: getattr(Ref, kind)(source))


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
                             label_visibility="collapsed")
        else:
            value = _slide(step, guessed, key)
        st.button("Reveal the number" if guessed is None else "Guess again", type="primary" if guessed is None else "secondary", key="lessons-reveal",
                  disabled=value is None, on_click=lambda: place.guess(lesson, at, float(st.session_state[key])))


def _slide(step: Step, guessed: float | None, key: str) -> float:
    low, high, by = step.guess.slider
    middle = low + by * round((high - low) / by / 2)
    kind = int if all(v == int(v) for v in (low, high, by)) else float
    return st.slider("Your prediction", kind(low), kind(high), kind(middle if guessed is None else guessed), kind(by), key=key, label_visibility="collapsed",
                     width=520)


def _reveal(step: Step, found, guessed: float, final: bool) -> None:
    live = step.live(found)
    with st.container(horizontal=True, key="lessons-answer"):
        st.metric("You said", step.answer(guessed), border=True, width="content")
        st.metric(plain(step.called), step.told(live), border=True, width="content")
    if not final:
        st.caption("The number is on its way: what is known of it is shown as it comes.")
    if found is not None and step.chart:
        figure, says, table = pictures.PICTURES[step.chart](found, step)
        charts.show(figure, alt=says, key="lessons-chart", table=table)
    if not final:
        return
    right = step.guess.right(guessed, live)
    verdict = ":green[:material/check_circle:] You had it." if right else ":orange[:material/lightbulb:] Not as predicted."
    st.markdown(f"{verdict} {plain(step.case.look)}")
    if step.formula:
        st.latex(step.formula)
    st.link_button(f"Open this on the {step.case.page} page", step.case.address(), icon=":material/open_in_new:", key="lessons-open",
                   help="With its options set; the lesson stays where it is.")


def _finish(lesson: Lesson) -> None:
    """What was guessed in all steps, beside what is known of them."""
    guesses, rows = place.guesses(lesson), []
    for i, step in enumerate(lesson.steps):
        found = job.stored(step.case.call(), _inputs(step), dict(step.case.options), key=f"lessons-step-{i + 1}") if i in guesses else None
        live, guess = step.live(found), guesses.get(i)
        rows.append({"Step": i + 1, "What": step.called, "You said": "–" if guess is None else step.answer(guess),
                     "Live": "–" if guess is None else step.told(live),
                     "Right": {True: "yes", False: "no", None: ""}[None if guess is None else step.guess.right(guess, live)]})
    st.markdown(f"**The whole lesson.** You had {sum(row['Right'] == 'yes' for row in rows)} of {len(lesson)}.")
    st.dataframe(pd.DataFrame(rows), hide_index=True, key="lessons-all", alt="What was guessed at each step, and the live number")


def _way(lesson: Lesson, at: int, guessed: float | None) -> None:
    with st.container(horizontal=True, key="lessons-way"):
        st.button("Back", icon=":material/arrow_back:", key="lessons-back", disabled=at == 0, on_click=place.go, args=(lesson.name, at - 1))
        st.button("Next", icon=":material/arrow_forward:", key="lessons-next", disabled=at == len(lesson) - 1, on_click=place.go, args=(lesson.name, at + 1),
                  type="secondary" if guessed is None else "primary")
        st.button("Restart", icon=":material/restart_alt:", key="lessons-restart", on_click=place.restart, args=(lesson.name,))
        st.button("All lessons", icon=":material/school:", key="lessons-leave", on_click=place.leave, type="tertiary")
