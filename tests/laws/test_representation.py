import numpy as np
import pytest

from analysis import InputError, Representation, load_representation


def made(**changes):
    rng = np.random.default_rng(0)
    parts = dict(layers={"block2": rng.normal(size=(6, 3)).astype(np.float32), "block10": rng.normal(size=(6, 2)).astype(np.float32)},
                 labels=np.array([0, 1, 2, 0, 1, 2]), classes=("süß", "sauer", "bitter"), ids=tuple("abcdef"),
                 logits=rng.normal(size=(6, 4)).astype(np.float32), domain="taste", dataset="d1", manifest={"model": {"name": "m"}})
    return Representation(**{**parts, **changes})


@pytest.mark.parametrize("ending", [".safetensors", ".npz"])
def test_round_trip(tmp_path, ending):
    r = made()
    back = load_representation(r.save(tmp_path / f"r{ending}"))
    assert back.digest == r.digest and list(back.layers) == ["block2", "block10"]
    assert back.classes == r.classes and back.ids == r.ids and back.domain == "taste" and back.manifest["model"]["name"] == "m"
    np.testing.assert_array_equal(back.logits, r.logits)


def test_round_trip_without_extras(tmp_path):
    r = made(labels=None, classes=(), logits=None)
    back = load_representation(r.save(tmp_path / "r.safetensors"))
    assert back.labels is None and back.logits is None and back.probabilities is None and back.digest == r.digest


def test_digest_changes_with_any_single_entry_shape_and_layer_order():
    base = made().digest
    assert made().digest == base
    a, b = made().layers["block2"], made().layers["block10"]
    for i in range(a.size):
        x = a.copy()
        x.flat[i] = np.nextafter(x.flat[i], np.float32(9))
        assert made(layers={"block2": x, "block10": b}).digest != base
    others = [dict(layers={"block10": b, "block2": a}), dict(layers={"block2": a.reshape(6, 3)[:, :2], "block10": b}),
              dict(layers={"other": a, "block10": b}), dict(labels=np.array([0, 1, 2, 0, 2, 1])), dict(ids=tuple("abcdeg")),
              dict(classes=("x", "y", "z")), dict(logits=None), dict(domain="smell"), dict(dataset="d2"),
              dict(heads=tuple("abcd")), dict(heads=tuple("abce"))]
    seen = {made(**o).digest for o in others}
    assert base not in seen and len(seen) == len(others)


def test_array_digest_sees_dtype_and_shape():
    from analysis.digest import digest
    x = np.arange(6, dtype=np.int32)
    seen = [x, x.reshape(2, 3), x.reshape(3, 2), x.view(np.float32), x.astype(np.int64), x[::-1]]
    assert len({digest(v) for v in seen}) == len(seen)


def test_large_arrays_are_read_whole():
    from analysis.digest import digest
    x = np.zeros((5000, 768), np.float32)
    y = x.copy()
    y[3333, 333] = 1e-9
    assert digest(x) != digest(y)


def test_arrays_are_read_only_and_the_callers_stay_theirs():
    x = np.ones((4, 2), np.float32)
    r = Representation({"a": x})
    with pytest.raises(ValueError):
        r.layers["a"][0, 0] = 5
    with pytest.raises(TypeError):
        r.layers["b"] = x
    x[0, 0] = 7
    assert r.layers["a"][0, 0] == 1


def test_torch_and_half_precision_in_float32_out():
    torch = pytest.importorskip("torch")
    r = Representation({"a": torch.ones(3, 2, dtype=torch.bfloat16, requires_grad=True), "b": np.ones((3, 2), np.float64)})
    assert all(x.dtype == np.float32 for x in r.layers.values())


def test_labels_are_reindexed():
    r = Representation({"a": np.ones((4, 2))}, labels=[7, 3, 7, 9])
    assert r.labels.tolist() == [1, 0, 1, 2] and r.classes == ("3", "7", "9")
    assert Representation({"a": np.ones((2, 2))}, labels=["b", "a"]).classes == ("a", "b")


def test_probabilities_are_the_softmax_even_of_huge_logits():
    r = made(logits=np.float32([[1000, 0, 0, 0]] * 6))
    np.testing.assert_allclose(r.probabilities[0], [1, 0, 0, 0])


@pytest.mark.parametrize("changes, says, remedy", [
    (dict(layers={}), "at least one layer", "mapping"),
    (dict(layers={"a": np.ones((6, 2, 2))}), r"'a' has shape \(6, 2, 2\)", "mean"),
    (dict(layers={"a": np.ones((6, 2)), "b": np.ones((5, 2))}), "'b' has 5 rows, the others have 6", "same items"),
    (dict(layers={"a": np.ones((1, 2))}, labels=None, classes=(), ids=(), logits=None), "1 row", "2 items"),
    (dict(layers={"a": np.float32([[1, 2], [np.nan, 1], [np.inf, 0]] * 2)}), r"NaN or infinite values in 4 of 6 rows \(rows 1, 2, 4, 5", "Drop"),
    (dict(labels=[0, 1]), "labels of shape", "one label per row"),
    (dict(labels=[1] * 6), "all carry the label", "One class"),
    (dict(layers=[np.ones((6, 2))]), "given as list, without names", "mapping"),
    (dict(layers=np.ones((6, 2))), "given as ndarray, without names", "mapping"),
    (dict(layers={"a": [[1, 2], [3]]}), "'a' cannot be read as one array", "same length"),
    (dict(layers={"sextant.logits": np.ones((6, 2))}), "cannot be named 'sextant.logits'", "Rename"),
    (dict(layers={"sextant.labels": np.ones((6, 2))}), "cannot be named 'sextant.labels'", "Rename"),
    (dict(labels=[0, 1, None, 0, 1, 2], classes=()), r"no label .* 1 of 6 rows \(row 2;", "every row"),
    (dict(ids=tuple("aabcde")), "5 different ids", "unique"),
])
def test_bad_input_says_what_and_what_to_do(changes, says, remedy):
    with pytest.raises(InputError, match=says) as caught:
        made(**changes)
    assert remedy in caught.value.hint


@pytest.mark.parametrize("ending", [".safetensors", ".npz"])
def test_layers_may_have_any_name(tmp_path, ending):
    names = ["file", "", ".hidden", "../up", "a/b", "a%2Fb", "C:x", "back\\slash", "nul\0l", "süß", "labels", "arr.npy"]
    r = Representation({name: np.full((3, 2), i, np.float32) for i, name in enumerate(names)})
    back = load_representation(r.save(tmp_path / f"r{ending}"))
    assert list(back.layers) == names and back.digest == r.digest


def test_a_saved_npz_opens_with_numpy_under_the_layers_names(tmp_path):
    with np.load(made().save(tmp_path / "r.npz"), allow_pickle=False) as held:
        assert held.files[:2] == ["block2", "block10"]
        np.testing.assert_array_equal(held["block10"], made().layers["block10"])


def test_views_of_what_can_be_written_are_copied_and_maps_are_not(tmp_path):
    x = np.ones((4, 2), np.float32)
    view = x[:]
    view.flags.writeable = False
    r = Representation({"a": view})
    x[0, 0] = 7
    assert r.layers["a"][0, 0] == 1
    np.save(tmp_path / "x.npy", x)
    held = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert np.shares_memory(Representation({"a": held}).layers["a"], held)


def test_repr_takes_any_manifest():
    assert "x on taste" in repr(made(manifest={"model": "x"})) and "m on taste" in repr(made()) and "arrays on" in repr(made(manifest={}))


def test_head_names_match_the_logits():
    with pytest.raises(InputError, match="4 columns and 2 head names"):
        made(heads=("x", "y"))


def test_a_manifest_without_text_in_its_places_is_cleaned():
    r = made(manifest={"model": {"name": "m", "source": None}, "dataset": {"source": None}})
    assert r.manifest["model"] == {"name": "m"} and r.manifest["dataset"] == {}
