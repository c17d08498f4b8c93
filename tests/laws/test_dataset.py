import numpy as np
import pytest

from analysis import Dataset, InputError


def images(n=4, seed=0):
    return np.random.default_rng(seed).integers(0, 255, (n, 5, 7, 3), dtype=np.uint8)


def test_modalities():
    assert Dataset(images()).modality == "image"
    assert Dataset(("a", "b")).modality == "text"
    assert Dataset(np.ones((3, 2))).modality == "array"


def test_digest_changes_with_any_content_but_not_with_the_name():
    base = Dataset(images(), [0, 1, 0, 1], ("a", "b"), domain="d")
    assert Dataset(images(), [0, 1, 0, 1], ("a", "b"), domain="d", name="other", source="x").digest == base.digest
    changed = images()
    changed[3, 4, 6, 2] ^= 1
    others = [Dataset(changed, [0, 1, 0, 1], ("a", "b"), domain="d"), Dataset(images(), [0, 1, 1, 0], ("a", "b"), domain="d"),
              Dataset(images(), [0, 1, 0, 1], ("a", "c"), domain="d"), Dataset(images(), [0, 1, 0, 1], ("a", "b"), domain="e"),
              Dataset(images(), [0, 1, 0, 1], ("a", "b"), tuple("wxyz"), "d"), Dataset(images(), domain="d"),
              Dataset(images().reshape(4, 7, 5, 3), [0, 1, 0, 1], ("a", "b"), domain="d")]
    assert len({d.digest for d in (*others, base)}) == len(others) + 1


def test_texts_cannot_be_split_differently_into_the_same_digest():
    assert Dataset(("ab", "c")).digest != Dataset(("a", "bc")).digest


def test_items_are_read_only_and_the_callers_array_is_not_locked():
    x = images()
    d = Dataset(x[1:])
    assert not d.items.flags.writeable
    x[0] = 0


def test_take_keeps_ids_and_names_and_says_so():
    d = Dataset(images(6), list("abcabc"), ids=tuple("uvwxyz"), domain="d", name="n")
    t = d.take([4, 1, 0], note="3 of 6")
    assert t.ids == ("y", "v", "u") and t.classes == ("a", "b") and t.labels.tolist() == [1, 1, 0] and t.notes == ("3 of 6",)
    np.testing.assert_array_equal(t.items[0], d.items[4])
    assert d.take(np.array([True, True, False, False, False, False])).ids == ("u", "v")


@pytest.mark.parametrize("make, says, remedy", [
    (lambda: Dataset(images(1)), "1 item", "2 items"),
    (lambda: Dataset(()), "0 items", "2 items"),
    (lambda: Dataset(images(), ids=("a", "a", "b", "c")), "'a' more than once", "unique"),
    (lambda: Dataset(images(), ids=("a",)), "4 items but 1 ids", "one id"),
    (lambda: Dataset(images(), [0, 1]), "4 rows but labels of shape", "one label per row"),
    (lambda: Dataset(images(), ["cat"] * 4, name="pets"), "'pets' has 4 rows and all carry the label 'cat'", "One class"),
    (lambda: Dataset(images(), [0.5, 1, 2, 3]), "not whole numbers", "whole numbers or texts"),
    (lambda: Dataset(images(), ["a", "b", "z", "a"], ("a", "b")), "'z', which is not among", "every class"),
    (lambda: Dataset(images().astype(np.float32)), "neither images nor rows", "uint8"),
    (lambda: Dataset(np.float32([[1, np.nan], [1, 2]])), r"NaN or infinite values in 1 of 2 rows \(rows 0", "Drop"),
    (lambda: Dataset(np.ones((3, 0))), "no columns", "at least one feature"),
])
def test_bad_input_says_what_and_what_to_do(make, says, remedy):
    with pytest.raises(InputError, match=says) as caught:
        make()
    assert remedy in caught.value.hint
