"""Transforms of texts: what they may change, what they must keep."""

from collections import Counter

import numpy as np
import pytest

from analysis.data import load_dataset
from analysis.data.scenes import does_nothing
from analysis.data.wording import PUNCTUATION, WORDINGS, pairs_of_texts, rewrite
from tests.refusal import refused

TEXTS = load_dataset("builtin:reviews/film").items + load_dataset("builtin:reviews/restaurant-de").items
ODD = ("", " ", "!", "...", "a", "A b", "ß", "one\ntwo  three", "你好，世界", "🙂🙂", "I", "x.")
FULL = {name: {"share": knob.highest} for name, knob in ((n, t.knobs["share"]) for n, t in WORDINGS.items())} | {"truncation": {"share": 0.05}}


def test_five_that_are_marked_as_texts():
    assert tuple(WORDINGS) == ("case", "punctuation", "typos", "word-order", "truncation")
    assert {t.family for t in WORDINGS.values()} == {"text"} and all(t.about.endswith(".") for t in WORDINGS.values())


@pytest.mark.parametrize("name", WORDINGS)
def test_no_text_is_ever_emptied(name):
    for knobs in (None, {name: FULL[name]}):
        for seed in range(5):
            out = rewrite(ODD + TEXTS, name, seed=seed, knobs=knobs)
            assert all(new.strip() or not old.strip() for old, new in zip(ODD + TEXTS, out, strict=True)) and out[:2] == ODD[:2]


@pytest.mark.parametrize("name", WORDINGS)
def test_a_text_depends_on_the_seed_and_its_place_alone(name):
    whole = rewrite(TEXTS, name, seed=3)
    assert isinstance(whole, tuple) and whole[:30] == rewrite(TEXTS[:30], name, seed=3) == rewrite(list(TEXTS[:30]), name, seed=3)
    assert whole != TEXTS and whole != rewrite(TEXTS, name, seed=4)


@pytest.mark.parametrize("name", WORDINGS)
def test_a_knob_turned_to_nothing_changes_nothing(name):
    assert rewrite(ODD + TEXTS, name, seed=1, knobs={name: 1 if name == "truncation" else 0}) == ODD + TEXTS


def test_case_keeps_the_letters():
    out = rewrite(TEXTS, "case", seed=0)
    assert [t.casefold() for t in out] == [t.casefold() for t in TEXTS]
    all_of = rewrite(("One TWO three",), "case", seed=0, knobs={"case": 1})
    assert all_of == ("ONE two THREE",)
    share = np.mean([a != b for old, new in zip(TEXTS, out, strict=True) for a, b in zip(old.split(), new.split(), strict=True)])
    assert abs(share - 0.5) < 0.06


def test_punctuation_leaves_the_words():
    out = rewrite(TEXTS, "punctuation", seed=0)
    assert all(PUNCTUATION.sub("", a) == PUNCTUATION.sub("", b) for a, b in zip(TEXTS, out, strict=True))
    bare = rewrite(TEXTS, "punctuation", seed=0, knobs={"punctuation": 1})
    assert not any(PUNCTUATION.search(t) for t in bare)
    left = sum(len(PUNCTUATION.findall(t)) for t in out) / sum(len(PUNCTUATION.findall(t)) for t in TEXTS)
    assert abs(left - 0.5) < 0.1


def test_typos_touch_few_letters_and_no_spaces():
    out = rewrite(TEXTS, "typos", seed=0)
    assert all(len(a.split(" ")) == len(b.split(" ")) for a, b in zip(TEXTS, out, strict=True))
    longer = [len(b) - len(a) for a, b in zip(TEXTS, out, strict=True)]
    assert max(longer) > 0 > min(longer)
    assert all(abs(d) <= 0.3 * len(t) for d, t in zip(longer, TEXTS, strict=True))


def test_word_order_keeps_the_words():
    out = rewrite(TEXTS, "word-order", seed=0)
    assert all(Counter(a.split()) == Counter(b.split()) for a, b in zip(TEXTS, out, strict=True))
    assert rewrite(("a\nb  c",), "word-order", seed=0)[0].translate({ord(c): "x" for c in "abc"}) == "x\nx  x"
    moved = rewrite(TEXTS, "word-order", seed=0, knobs={"word-order": 1})
    assert np.mean([a != b for a, b in zip(TEXTS, moved, strict=True)]) > 0.98


def test_truncation_keeps_the_beginning_in_whole_words():
    out = rewrite(TEXTS, "truncation", seed=0)
    for old, new in zip(TEXTS, out, strict=True):
        kept = len(new.split())
        assert old.startswith(new) and new.split() == old.split()[:kept] and 0.5 * len(old.split()) - 1 <= kept <= len(old.split())


def test_pairs_of_texts():
    a, b, rows = pairs_of_texts(TEXTS, transforms=["typos", "case"], n=50, seed=1)
    assert len(a) == len(b) == len(set(rows.tolist())) == 50 and isinstance(a, tuple) and does_nothing(a, b) < 0.2
    same, again, every = pairs_of_texts(TEXTS, transforms=(), n=10**6, seed=1)
    assert same == again == tuple(TEXTS[i] for i in every) and sorted(every) == list(range(len(TEXTS))) and does_nothing(same, again) == 1
    plain = pairs_of_texts(("no marks", "none here"), transforms=["punctuation"], n=2)
    assert does_nothing(*plain[:2]) == 1


def test_what_is_refused():
    refused(lambda: rewrite(TEXTS, "rotate", seed=0), "'rotate'", "word-order")
    refused(lambda: rewrite("one text", "case", seed=0), "not texts")
    refused(lambda: rewrite(np.zeros((3, 4)), "case", seed=0), "not texts")
    refused(lambda: rewrite(TEXTS, "typos", seed=0, knobs={"typos": 0.9}), "from 0 to 0.5")
    refused(lambda: pairs_of_texts(TEXTS, transforms=["cases"], n=5), "Did you mean case?")
    refused(lambda: pairs_of_texts(TEXTS, transforms=["case"], n=5, seed=-2), "-2")
