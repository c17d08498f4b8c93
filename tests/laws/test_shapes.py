import numpy as np
import pytest

from analysis.data import Dataset, catalogue, load_dataset, shapes
from analysis.errors import InputError


@pytest.mark.parametrize("kind", shapes.KINDS)
def test_same_seed_same_points(kind):
    again, other = shapes.make(kind), shapes.make(kind, seed=1)
    assert shapes.make(kind).digest == again.digest != other.digest
    assert again.items.dtype == np.float32 and len(again) == shapes.DEFAULT_N and len(again.classes) >= 2
    assert len(set(again.labels.tolist())) == len(again.classes)


def test_points_lie_on_their_shape():
    pure = lambda kind: shapes.make(kind, noise=0, n=2000).items.astype(float)
    assert np.allclose(np.linalg.norm(pure("circle"), axis=1), 1, atol=1e-5)
    assert np.allclose(np.linalg.norm(pure("sphere"), axis=1), 1, atol=1e-5)
    x, y, z = pure("torus").T
    assert np.allclose((np.hypot(x, y) - shapes.LARGE) ** 2 + z**2, shapes.SMALL**2, atol=1e-5)
    assert np.mean(np.hypot(x, y) > shapes.LARGE) > 0.55  # the outer half of a torus has more area than the inner
    x, _, z = pure("swiss-roll").T
    turn = np.hypot(x, z) * 4.5 * np.pi
    assert np.allclose(np.cos(turn) * turn, x * 4.5 * np.pi, atol=1e-3)


def test_labels_say_where():
    circle = shapes.make("circle", noise=0)
    angle = np.degrees(np.arctan2(*circle.items.T[::-1])) % 360
    assert (circle.labels == (angle // 45).astype(int)).mean() > 0.99
    sphere = shapes.make("sphere", noise=0)
    assert {c: np.sign(sphere.items[sphere.labels == i, 2]).mean() for i, c in enumerate(sphere.classes)} == {"north": 1, "south": -1}
    two = shapes.make("two-circles", noise=0)
    gap = np.linalg.norm(two.items[two.labels == 0][:, None] - two.items[two.labels == 1], axis=2).min()
    assert gap > 0.9  # far apart against the spacing within


def test_blobs_keep_their_promises():
    tight = shapes.make("blobs", clusters=6, spread=0.01, n=300, dim=3)
    assert tight.items.shape == (300, 3) and len(tight.classes) == 6
    centres = np.array([tight.items[tight.labels == i].mean(axis=0) for i in range(6)])
    between = np.linalg.norm(centres[:, None] - centres, axis=2)[np.triu_indices(6, 1)].min()
    within = np.std(tight.items - centres[tight.labels])
    assert between == pytest.approx(1, abs=0.02) and within == pytest.approx(0.01, rel=0.1)


def test_options_may_stand_in_the_id():
    asked = load_dataset("builtin:shapes/blobs?clusters=6&spread=0.3&n=120")
    assert len(asked.classes) == 6 and len(asked) == 120 and asked.source == "builtin:shapes/blobs?clusters=6&spread=0.3&n=120"
    assert asked.digest == load_dataset("builtin:shapes/blobs", clusters=6, spread=0.3, n=120).digest
    assert load_dataset(asked.source).digest == asked.digest
    assert load_dataset(asked) is asked


@pytest.mark.parametrize("ident, words", [
    ("builtin:shapes/blob", "Did you mean builtin:shapes/blobs"),
    ("reviews/film", "Did you mean builtin:reviews/film"),
    ("builtin:nothing/like-it", "handwritten-noise-1 to 5"),
    ("builtin:shapes/blobs?cluster=3", "Did you mean clusters"),
    ("builtin:shapes/blobs?clusters=1", "whole number from 2 to 100"),
    ("builtin:shapes/blobs?clusters=2.5", "whole number"),
    ("builtin:shapes/blobs?spread=nan", "number from 0 to 10"),
    ("builtin:shapes/circle?n=many", "n = 'many'"),
    ("builtin:shapes/circle?clusters=3", "no option 'clusters'"),
    ("builtin:shapes/blobs?clusters=90&n=100", "too few for 90 blobs"),
    ("builtin:reviews/film?n=5", "takes none"),
    ("https://example.org/x.csv", "Download it"),
])
def test_unknown_ids_and_options_are_named(ident, words):
    with pytest.raises(InputError) as caught:
        load_dataset(ident)
    assert words in str(caught.value) and caught.value.hint


def test_catalogue_tells_the_truth():
    entries = catalogue()
    assert len({e.id for e in entries}) == len(entries)
    for entry in entries:
        made = load_dataset(entry.id)
        assert isinstance(made, Dataset) and (len(made), made.modality, made.source) == (entry.n, entry.modality, entry.id)
        assert entry.about and entry.name and entry.group
