"""The cases behind the steps: run, looked up, or begun ahead of the reader."""

import streamlit as st

from analysis import engine
from analysis.engine import Ref
from analysis.errors import InputError
from analysis.lessons import Lesson, Step
from pages.parts import job


def run(lesson: Lesson, at: int):
    """What a step's case comes to, as far as it is known; its progress is drawn here."""
    return job.study(*_call(lesson.steps[at]), key="lessons-run", words=f"{named(lesson, at)}: its number.")


def known(lesson: Lesson, at: int):
    """The final result of another step when the store has it, else None; the page's report names it."""
    return job.stored(*_call(lesson.steps[at]), key=f"lessons-step-{at + 1}")


def kept(step: Step):
    """The final result when the store has it, else None."""
    return engine.stored(*_call(step))


def begin(steps: list[Step]) -> None:
    """Several, one after the other while the page is read; when all are there it is drawn again, and comes to rest."""
    waiting = any(map(pending, steps))
    st.fragment(_next, run_every=0.5 if waiting else None)(steps, waiting)


def _next(steps: list[Step], waited: bool) -> None:
    waiting = list(filter(pending, steps))
    if waiting:
        ahead(waiting[0])
    elif waited:
        st.rerun()


def ahead(step: Step) -> None:
    """Begun before it is asked for; what is wrong with it is said where it is."""
    if pending(step):
        engine.submit(*_call(step), control=job.control("lessons-ahead"))


def pending(step: Step) -> bool:
    """Whether its result is not there, and nothing says that it will not come."""
    try:
        call = _call(step)
    except InputError:
        return False
    found = engine.find(engine.key(*call))
    return engine.stored(*call) is None and (found is None or found.state not in ("failed", "cancelled"))


def named(lesson: Lesson, at: int) -> str:
    return f"{lesson.title}, step {at + 1}"


def _call(step: Step) -> tuple:
    return step.case.call(), step.case.resolved(lambda kind, source: getattr(Ref, kind)(source)), dict(step.case.options)
