import csv
from collections import Counter

import pytest

from analysis.data import load_dataset, reviews


@pytest.mark.parametrize("domain", reviews.DOMAINS)
def test_every_domain_is_large_balanced_and_its_own(domain):
    data = load_dataset(f"builtin:reviews/{domain}")
    counts = Counter(data.labels.tolist())
    least = 100 if reviews.DOMAINS[domain][1] == "en" else 30
    assert data.classes == ("negative", "positive") and min(counts.values()) >= least and abs(counts[0] - counts[1]) <= 2
    assert data.ids[0] == f"{domain}-000" and data.domain == domain and data.modality == "text"
    assert len(set(data.labels[:2].tolist())) == 2  # the file alternates, so that a first part of it holds both classes


def test_texts_are_clean_and_varied():
    with open(reviews.FILE, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["text", "sentiment", "domain", "language"]
    texts = [r["text"] for r in rows]
    folded = ["".join(c for c in t.lower() if c.isalnum()) for t in texts]
    assert len(set(folded)) == len(texts)
    assert all(t == t.strip() and t.isprintable() and 10 < len(t) < 300 for t in texts)
    starts = Counter(" ".join(t.lower().split()[:4]) for t in texts)
    assert max(starts.values()) <= 3  # no templates
    words = sorted(len(t.split()) for t in texts)
    assert words[len(words) // 10] <= 8 and words[-len(words) // 10] >= 20
    assert sum(len(reviews.rows(d)) for d in reviews.DOMAINS) == len(rows)


def test_labels_match_the_file():
    film = load_dataset("builtin:reviews/film")
    stored = dict(reviews.rows("film"))
    assert [film.classes[i] for i in film.labels] == [stored[t] for t in film.items]
