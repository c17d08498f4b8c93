"""Lessons: guided demos as data. Each step is a case that is run live, a question before its number, what to notice after it, and the page that shows it.

    lessons, problems = shelf()
    lessons["one-number-hides-scale"].steps[0].found()
"""

from analysis.lessons.lesson import FOLDER, FORMAT, Lesson, shelf
from analysis.lessons.step import Claim, Exhibit, Guess, Step

__all__ = ["FOLDER", "FORMAT", "Claim", "Exhibit", "Guess", "Lesson", "Step", "shelf"]
