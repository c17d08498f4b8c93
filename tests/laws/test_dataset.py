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
    (lambda: Dataset(np.float32([[1, np.nan], [1, 2]])), r"NaN or infinite values in 1 of 2 rows \(row 0", "Drop"),
    (lambda: Dataset("hello"), "neither images nor rows nor texts", "list of str"),
    (lambda: Dataset(None), "neither images nor rows nor texts", "list of str"),
    (lambda: Dataset({"a": 1, "b": 2}), "neither images nor rows nor texts", "list of str"),
    (lambda: Dataset(["a", 1.5, "b"]), "item 1 is of type float", "as a text"),
    (lambda: Dataset([[1, 2], [3]]), "cannot be read as one array", "same length"),
    (lambda: Dataset(images(), [[1], [2, 3], 1, 2]), "labels cannot be read as one array", "same length"),
    (lambda: Dataset(images(), [1, 2, 3, 1], ("a", "b", "c")), "'1', which is not among", "from 0"),
    (lambda: Dataset(images(), ["a", None, "b", "a"]), r"no label \(None or NaN\) in 1 of 4 rows \(row 1;", "every row a label"),
    (lambda: Dataset(images(), ["a", np.nan, "b", np.nan]), r"no label .* in 2 of 4 rows \(rows 1, 3;", "every row a label"),
    (lambda: Dataset(images(), [0, 1, np.nan, 1]), r"no label .* in 1 of 4 rows \(row 2;", "every row a label"),
    (lambda: Dataset(images(), [0, 1e300, 2e300, 1]), r"beyond 2\*\*53", "integers or texts"),
    (lambda: Dataset(np.ones((3, 0))), "no columns", "at least one feature"),
])
def test_bad_input_says_what_and_what_to_do(make, says, remedy):
    with pytest.raises(InputError, match=says) as caught:
        make()
    assert remedy in caught.value.hint


def test_tables_of_numbers_in_any_dress_are_arrays():
    torch = pytest.importorskip("torch")
    pandas = pytest.importorskip("pandas")
    x = [[1.0, 2.0], [3.0, 4.0]]
    for given in (x, torch.tensor(x, requires_grad=True), torch.tensor(x).bfloat16(), [np.float32(r) for r in x], pandas.DataFrame(x)):
        made = Dataset(given)
        assert made.modality == "array" and made.items.tolist() == x
    assert Dataset(torch.from_numpy(images())).modality == "image"
    assert Dataset(pandas.Series(["a", "b"])).items == Dataset(np.array(["a", "b"])).items == ("a", "b")


def test_the_callers_array_stays_theirs():
    x = np.ones((3, 2), np.float32)
    d = Dataset(x)
    assert x.flags.writeable and not np.shares_memory(x, d.items)
    view = x[:]
    view.flags.writeable = False
    d = Dataset(view)
    x[0, 0] = 7
    assert d.items[0, 0] == 1


def test_a_map_stays_a_map(tmp_path):
    np.save(tmp_path / "x.npy", np.ones((3, 2), np.float32))
    held = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert np.shares_memory(Dataset(held).items, held)
    own = np.load(tmp_path / "x.npy", mmap_mode="r+")
    assert not np.shares_memory(Dataset(own).items, own)


def test_whole_numbers_may_be_names():
    assert Dataset(images(), [3, 9, 3, 7], ("3", "7", "9")).labels.tolist() == [0, 2, 0, 1]


def test_repr_is_short():
    d = Dataset(images(), [0, 1, 0, 1], ("a", "b"), name="pets")
    assert repr(d) == "Dataset(pets: 4 images 5 x 7; 2 classes)" and repr(Dataset(("a", "b"))) == "Dataset(items: 2 texts; no classes)"
