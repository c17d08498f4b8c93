"""All lessons to choose from, and what is wrong with files that are none."""

import streamlit as st

from analysis.errors import InputError
from analysis.lessons import Lesson
from pages.parts.lessons import place
from pages.parts.messages import count, plain


def draw(lessons: dict[str, Lesson], problems: list[InputError]) -> None:
    asked = place.lesson()
    st.markdown("Guess first, then look: each step asks for a prediction, computes the number live, and shows which page it came from.")
    if asked:
        st.caption(f":material/info: There is no lesson “{plain(asked)}” here. These are there:")
    every = list(lessons.values())
    for i in range(0, len(every), 2):
        for column, lesson in zip(st.columns(2, gap="medium"), every[i:i + 2], strict=False):
            with column:
                _card(lesson)
    for problem in problems:
        st.warning(plain(problem.hint), title=f"Left out: {plain(problem.message)}", icon=":material/warning:")
    st.caption("A lesson is a file: docs/writing-lessons.md says how to write one.")


def _card(lesson: Lesson) -> None:
    with st.container(border=True, height="stretch", key=f"lessons-card-{lesson.name}"):
        st.subheader(plain(lesson.title), anchor=False)
        st.markdown(plain(lesson.text))
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button("Begin", type="primary", icon=":material/play_arrow:", key=f"begin-{lesson.name}", on_click=place.go, args=(lesson.name,))
            st.caption(count(len(lesson), "step"), width="content")
