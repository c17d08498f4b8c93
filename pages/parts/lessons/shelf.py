"""All lessons to choose from, and what is wrong with files that are none."""

import streamlit as st

from analysis.errors import InputError
from analysis.lessons import Lesson
from pages.parts import docs
from pages.parts.lessons import place, work
from pages.parts.messages import count, plain


def draw(lessons: dict[str, Lesson], problems: list[InputError]) -> None:
    asked = place.lesson()
    st.markdown("Guess first, then look: each step asks for a prediction, then shows the number, computed live unless it says otherwise, and the page that it "
                "came from.")
    if asked:
        st.caption(f":material/info: There is no lesson “{plain(asked)}” here. These are there:")
    if problems:
        with st.expander(f"Left out: {count(len(problems), 'file')}", icon=":material/warning:"):
            for problem in problems:
                st.markdown(f"**{plain(problem.message)}** {plain(problem.hint)}")
    every = list(lessons.values())
    for i in range(0, len(every), 2):
        for column, lesson in zip(st.columns(2, gap="medium"), every[i:i + 2], strict=False):
            with column:
                _card(lesson)
    docs.link("writing-lessons", "How to write a lesson")
    work.begin([lesson.steps[0] for lesson in every])


def _card(lesson: Lesson) -> None:
    with st.container(border=True, height="stretch", key=f"lessons-card-{lesson.name}"):
        st.subheader(plain(lesson.title), anchor=False)
        st.markdown(plain(lesson.text))
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button("Begin", type="primary", icon=":material/play_arrow:", key=f"begin-{lesson.name}", on_click=place.go, args=(lesson.name,))
            st.caption(count(len(lesson), "step"), width="content")
