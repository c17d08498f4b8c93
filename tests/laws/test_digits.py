"""Digits: the same seed gives the same pictures, the names tell the truth."""

import numpy as np
import pytest

from analysis.data import digits
from analysis.errors import InputError

GRADED = [(kind, [f"handwritten-{kind}-{level}" for level in range(1, 6)]) for kind in ("noise", "blur", "contrast", "occlusion")]
DRAWN = ("printed", "seven-segment")


@pytest.fixture(scope="module")
def hand():
    return digits.make("handwritten")


@pytest.mark.parametrize("domain", digits.DOMAINS)
def test_every_domain_is_ten_digits_in_colour_pictures(domain):
    data = digits.make(domain)
    assert data.items.shape[1:] == (32, 32, 3) and data.items.dtype == np.uint8 and data.modality == "image"
    assert data.classes == tuple("0123456789") and set(data.labels) == set(range(10))
    assert (data.items[..., 0] == data.items[..., 1]).all() and (data.items[..., 0] == data.items[..., 2]).all()
    assert data.domain == domain and data.source == f"builtin:digits/{domain}" and data.about == digits.DOMAINS[domain]
    assert data.digest == digits.make(domain).digest


@pytest.mark.parametrize("domain", digits.DOMAINS)
def test_an_item_is_the_same_whatever_the_number(domain):
    many, few = digits.make(domain, n=60), digits.make(domain, n=23)
    assert len(few) == 23 and few.ids == many.ids[:23]
    assert (few.items == many.items[:23]).all() and (few.labels == many.labels[:23]).all()


@pytest.mark.parametrize("domain", DRAWN)
def test_drawn_domains_are_balanced_and_follow_the_seed(domain):
    data, other = digits.make(domain), digits.make(domain, seed=1)
    assert len(data) == 1000 and data.ids[0] == f"{domain}-0000" and data.ids[-1] == f"{domain}-0999"
    assert (np.bincount(data.labels) == 100).all()
    assert not set(data.ids) & set(other.ids)
    assert (data.items != other.items).any(axis=(1, 2, 3)).all()


def test_derived_domains_keep_ids_and_labels(hand):
    assert len(hand) == 1797 and hand.ids[0] == "handwritten-0000" and np.bincount(hand.labels).min() >= 174
    for domain in digits.DOMAINS:
        if domain.startswith("handwritten"):
            data = digits.make(domain)
            assert data.ids == hand.ids and (data.labels == hand.labels).all()


@pytest.mark.parametrize(("kind", "domains"), GRADED)
def test_severity_grows(kind, domains, hand):
    away = [np.abs(digits.make(d).items.astype(int) - hand.items).mean(axis=(1, 2, 3)) for d in domains]
    assert away[0].mean() > 1
    assert (np.diff([a.mean() for a in away]) > 0).all()
    assert (np.diff(away, axis=0) >= 0).mean() > 0.95  # and for nearly every single picture


def test_noise_and_places_are_drawn_once_per_item(hand):
    weak, strong = (digits.make(f"handwritten-occlusion-{level}").items[..., 0] for level in (1, 5))
    hidden = (weak == 128) & (hand.items[..., 0] != 128)
    assert hidden.any() and (strong[hidden] == 128).all()
    assert (digits.make("handwritten-noise-2", seed=1).items != digits.make("handwritten-noise-2").items).any()


def test_turning_and_mirroring_twice_gives_the_original(hand):
    assert (digits.make("handwritten-turned-180").items[:, ::-1, ::-1] == hand.items).all()
    assert (digits.make("handwritten-mirrored").items[:, :, ::-1] == hand.items).all()
    inverted = digits.make("handwritten-inverted").items.astype(int)
    assert np.abs(255 - inverted - hand.items).max() <= 1


def test_strokes_are_light_on_dark_except_inverted():
    for domain in digits.DOMAINS:
        pictures = digits.make(domain, n=200).items[..., 0].astype(float)
        rim = np.concatenate([pictures[:, 0], pictures[:, -1]], axis=1)
        assert (np.median(pictures) > 128) == (domain == "handwritten-inverted")
        if not domain.startswith(("handwritten-noise", "handwritten-occlusion", "handwritten-inverted")):
            assert pictures.max(axis=(1, 2)).mean() > rim.mean() + 15


def test_masters_are_the_digits_of_scikit_learn(hand):
    from sklearn.datasets import load_digits
    known = load_digits()
    with np.load(digits.ASSETS / "handwritten.npz", allow_pickle=False) as file:
        assert (file["pictures"] == known.images).all()
    assert (hand.labels == known.target).all()
    ink = hand.items[..., 0].mean(axis=(1, 2))
    assert np.corrcoef(ink, known.images.mean(axis=(1, 2)))[0, 1] > 0.95  # row by row, in the same order


def test_masters_are_small_and_free_of_pickles():
    files = list(digits.ASSETS.glob("*"))
    assert {f.name for f in files} == {"glyphs.npz", "handwritten.npz"}
    assert sum(f.stat().st_size for f in files) < 2_000_000
    for file in files:
        with np.load(file, allow_pickle=False) as held:
            assert all(held[key].size for key in held.files)


def test_the_drawn_digits_can_be_told_apart():
    """A label that does not belong to its picture would show here: the nearest other picture mostly shares the label."""
    for domain in ("printed", "seven-segment", "handwritten"):
        data = digits.make(domain, n=1000)
        x = data.items[..., 0].reshape(1000, -1).astype(np.float32)
        x = (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True)
        near = x @ x.T
        np.fill_diagonal(near, -np.inf)
        assert (data.labels[near.argmax(axis=1)] == data.labels).mean() > 0.7


def test_characters():
    data = digits.make_characters(n=360)
    assert data.classes == tuple(digits.CHARACTERS) and (np.bincount(data.labels) == 10).all()
    assert data.source == "builtin:characters/printed" and data.digest == digits.make_characters(n=360).digest
    some = digits.make_characters(n=30, characters="AXZ")
    assert some.classes == ("A", "X", "Z") and (np.bincount(some.labels) == 10).all()


def test_bad_requests_are_told():
    with pytest.raises(InputError, match="handritten.*printed"):
        digits.make("handritten")
    with pytest.raises(InputError, match="1,797"):
        digits.make("handwritten-blur-1", n=1798)
    for n in (0, 1, -5):
        with pytest.raises(InputError, match=str(n)):
            digits.make("printed", n=n)
    with pytest.raises(InputError, match="seed is -1"):
        digits.make("printed", seed=-1)
    with pytest.raises(InputError, match="é"):
        digits.make_characters(characters="Aé")
    with pytest.raises(InputError):
        digits.make_characters(characters="AAA")
