"""Short reviews, written for this project: five English domains, and restaurants in three more languages."""

import csv
from functools import cache
from pathlib import Path

from analysis.data.dataset import Dataset
from analysis.errors import InputError

FILE = Path(__file__).resolve().parents[2] / "assets" / "reviews" / "reviews.csv"
LANGUAGES = {"en": "English", "de": "German", "fr": "French", "es": "Spanish"}
DOMAINS = {**{topic: (topic, "en") for topic in ("film", "book", "restaurant", "phone", "hotel")},
           **{f"restaurant-{language}": ("restaurant", language) for language in ("de", "fr", "es")}}


def make(domain: str) -> Dataset:
    if domain not in DOMAINS:
        raise InputError(f"There are no reviews of {domain!r}.", f"Choose one of {', '.join(DOMAINS)}.")
    texts, labels = zip(*rows(domain), strict=True)
    return Dataset(texts, labels, ("negative", "positive"), [f"{domain}-{i:03d}" for i in range(len(texts))], domain, title(domain),
                   f"builtin:reviews/{domain}", about(domain))


def rows(domain: str) -> list[tuple[str, str]]:
    """(text, sentiment) in the file's order."""
    wanted = DOMAINS[domain]
    return [(text, sentiment) for text, sentiment, *kind in _all() if tuple(kind) == wanted]


@cache
def _all() -> list[tuple[str, str, str, str]]:
    with open(FILE, encoding="utf-8", newline="") as file:
        return [(r["text"], r["sentiment"], r["domain"], r["language"]) for r in csv.DictReader(file)]


def title(domain: str) -> str:
    topic, language = DOMAINS[domain]
    return f"Reviews, {topic}" + (f", {LANGUAGES[language]}" if language != "en" else "")


def about(domain: str) -> str:
    topic, language = DOMAINS[domain]
    return f"Short {topic} reviews in {LANGUAGES[language]}, positive or negative, written for this project."
