"""Lessons: guided demos, step by step. A prediction first, then the live number, then what to notice, and the page that shows it."""

import streamlit as st

from analysis import lessons
from pages.parts.lessons import place, shelf, step

st.title("Lessons")
known, problems = lessons.shelf()
lesson = known.get(place.lesson())
if lesson is None:
    shelf.draw(known, problems)
else:
    step.draw(lesson, place.step(lesson))
