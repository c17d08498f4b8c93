"""Transforms of texts, ours: the words stay what they were, their looks do not. None of them makes a text empty."""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from analysis.data.scenes import choose
from analysis.data.transforms import Knob, Transform, random_source, sound_names, sound_ranges, two_draws
from analysis.errors import InputError

PUNCTUATION = re.compile(r"[^\w\s]|_")
WORD = re.compile(r"\S+")

WORDINGS = {t.name: t for t in (
    Transform("case", "text", "Some words written in capitals, or in small letters where they were capitals.", {"share": Knob(0, 1, 0, 1, "of the words")}),
    Transform("punctuation", "text", "Some punctuation marks left out.", {"share": Knob(0, 1, 0, 1, "of the marks")}),
    Transform("typos", "text", "Some letters left out, doubled, or swapped with the next.", {"share": Knob(0, 0.15, 0, 0.5, "of the letters")}),
    Transform("word-order", "text", "Some words trade places.", {"share": Knob(0, 1, 0, 1, "of the words")}),
    Transform("truncation", "text", "The end cut off, between words.", {"share": Knob(0.5, 1, 0.05, 1, "of the words kept")}),
)}


def rewrite(texts: Sequence[str], name: str, *, seed: int, knobs: Mapping | None = None) -> tuple[str, ...]:
    """The texts under one transform; what text i gets depends on the seed, the transform and i alone."""
    if isinstance(texts, str) or not all(isinstance(t, str) for t in texts):
        raise InputError("These items are not texts.", f"{name} changes a list of texts; pictures have transforms of their own.")
    sound_names([name], WORDINGS)
    own = WORDINGS[name].knobs["share"]
    low, high = sound_ranges(knobs, WORDINGS).get(name, {}).get("share", (own.low, own.high))
    out = []
    for i, text in enumerate(texts):
        rng = random_source(seed, name, i)
        changed = CHANGES[name](text, low + (high - low) * rng.random(), rng)
        out.append(changed if changed.strip() else text)
    return tuple(out)


def pairs_of_texts(texts: Sequence[str], *, transforms: Sequence[str], n: int, seed: int = 0,
                   knobs: Mapping | None = None) -> tuple[tuple[str, ...], tuple[str, ...], np.ndarray]:
    """(a, b, rows): n of the texts, or all where there are fewer, in random order, each changed by two draws."""
    rows, sides = choose(len(texts), n, seed), []
    names = sound_names(transforms, WORDINGS)
    for draw in two_draws(seed):
        sides.append(tuple(texts[i] for i in rows))
        for name in names:
            sides[-1] = rewrite(sides[-1], name, seed=draw, knobs=knobs)
    return *sides, rows


def case(text: str, share: float, rng) -> str:
    return WORD.sub(lambda word: word[0] if rng.random() >= share else word[0].lower() if word[0].isupper() else word[0].upper(), text)


def punctuation(text: str, share: float, rng) -> str:
    return PUNCTUATION.sub(lambda mark: "" if rng.random() < share else mark[0], text)


def typos(text: str, share: float, rng) -> str:
    out, at = [], 0
    while at < len(text):
        letter, following = text[at], text[at + 1:at + 2]
        at += 1
        if not letter.isalpha() or rng.random() >= share:
            out.append(letter)
            continue
        kind = rng.integers(3)
        if kind == 0 and following.isalpha():
            out.append(following + letter)
            at += 1
        elif kind == 1:
            out.append(letter + letter)
    return "".join(out)


def word_order(text: str, share: float, rng) -> str:
    """The spaces between words stay where they are."""
    words = WORD.findall(text)
    places = np.arange(len(words))
    moved = places[rng.random(len(words)) < share]
    places[moved] = rng.permutation(moved)
    left = iter([words[i] for i in places])
    return WORD.sub(lambda _: next(left), text)


def truncation(text: str, share: float, rng) -> str:
    words = list(WORD.finditer(text))
    return text[:words[max(1, round(share * len(words))) - 1].end()] if words else text


CHANGES = dict(zip(WORDINGS, (case, punctuation, typos, word_order, truncation), strict=True))
