import json
import os

import numpy as np
import pytest

from analysis import Dataset, InputError, Representation, Selection
from analysis.store import Store


def made(seed=0, n=20):
    return Representation({"a": np.random.default_rng(seed).normal(size=(n, 4)).astype(np.float32)}, labels=np.arange(n) % 2)


def test_a_representation_comes_back_mapped_and_equal(store):
    r = made()
    key = store.put_representation(r)
    again = Store(store.folder).representation(key)
    np.testing.assert_array_equal(again.layers["a"], r.layers["a"])
    assert again.digest == r.digest == Representation(dict(again.layers), again.labels, again.classes, again.ids).digest
    assert not again.layers["a"].flags.writeable


@pytest.mark.parametrize("items, labels", [
    (np.random.default_rng(0).integers(0, 255, (5, 4, 6, 3), dtype=np.uint8), [0, 1, 0, 1, 1]),
    (("short", "", "grüße 你好 🙂", "a\nb", "x" * 999), ["p", "n", "p", "n", "n"]),
    (np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32), None)])
def test_datasets_of_every_kind_come_back(store, items, labels):
    d = Dataset(items, labels, ids=tuple("vwxyz"), domain="dom", name="mine", notes=("read as latin-1",))
    back = store.dataset(store.put_dataset(d))
    assert back.digest == d.digest and back.source == f"store:{d.digest}" and back.notes == d.notes and back.name == "mine"
    np.testing.assert_array_equal(np.array(back.items), np.array(d.items))


def test_a_link_whose_upload_is_missing_names_what_to_load(store):
    with pytest.raises(InputError, match="No dataset with the digest abc") as caught:
        store.dataset("abc")
    assert "load the same file" in caught.value.hint


def test_selection_round_trip_and_rows(store):
    s = Selection("d", ("c", "a", "c"), "lasso")
    back = store.selection(store.put_selection(s))
    assert back == s and back.ids == ("c", "a") and back.rows(("a", "b", "c")).tolist() == [2, 0]
    with pytest.raises(InputError):
        Selection("d", (), "nothing")


def test_a_torn_file_is_a_miss(store):
    key = store.put_representation(made())
    data = store.path("representations", key, ".safetensors")
    data.write_bytes(data.read_bytes()[:-8])
    assert Store(store.folder).representation(key) is None
    store.path("representations", key, ".json").write_text("{")
    assert Store(store.folder).representation(key) is None


def test_eviction_takes_the_longest_unused_and_spares_what_was_brought(tmp_path):
    s = Store(tmp_path, cap=10**9)
    keys = [s.put_representation(made(i, 500), facts={"brought": i == 0}) for i in range(4)]
    for age, key in enumerate(keys):
        os.utime(s.path("representations", key, ".json"), (1000 + age, 1000 + age))
    s.representation(keys[1])  # used just now
    s.cap = s.size() - 1
    assert [e.key for e in s.evict()] == [keys[2]]
    s.cap = 0
    s.evict()
    assert [e.key for e in s.entries()] == [keys[0]]


def test_keys_cannot_leave_the_folder(store):
    for key in ("../x", "a/b", "", "a.b", "C:\\x"):
        with pytest.raises(InputError):
            store.path("representations", key, ".json")
    with pytest.raises(InputError):
        store.path("../representations", "abc", ".json")


def test_a_failed_write_leaves_nothing(store, monkeypatch):
    monkeypatch.setattr(os, "replace", lambda *a: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(InputError, match="cannot be written: disk full"):
        store.put_representation(made())
    assert [p for p in store.folder.rglob("*") if p.is_file()] == []


def test_a_stored_result_may_name_only_classes_of_ours(store):
    store.put("results", "abc", {"type": "subprocess:Popen", "values": {"args": ["true"]}})
    assert store.result("abc") is None
    assert json.loads(store.path("results", "abc", ".json").read_text())["type"] == "subprocess:Popen"


def test_delete_and_size(store):
    key = store.put_representation(made())
    assert store.size() == sum(e.bytes for e in store.entries()) > 0
    store.delete("representations", key)
    assert store.size() == 0 and store.representation(key) is None


def test_remains_of_killed_runs_do_not_push_out_what_is_whole(store):
    key = store.put_representation(made(), facts={"brought": False})
    (store.folder / "representations/abc.partial").write_bytes(b"0" * 100_000)
    store.cap = 50_000
    assert store.evict() == [] and store.has("representations", key)
    assert (store.folder / "representations/abc.partial").exists(), "it may be resumed"
    os.utime(store.folder / "representations/abc.partial", (1000, 1000))
    store.evict()
    assert not (store.folder / "representations/abc.partial").exists()


def test_a_replaced_file_is_not_served_from_the_old_map(store):
    a, b = made(), Representation({"a": made().layers["a"]}, labels=made().labels, manifest={"model": {"name": "B"}})
    key = store.put_representation(a)
    store.representation(key)
    store.put_representation(b, key=key)
    assert store.representation(key).manifest["model"]["name"] == "B"


def test_a_cap_that_is_no_number_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("SEXTANT_STORE_CAP", "10GB")
    with pytest.raises(InputError, match="10GB"):
        Store(tmp_path)
