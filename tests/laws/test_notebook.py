import numpy as np
import pytest

from analysis import InputError, Representation, extract, show


def test_show_stores_and_addresses_the_app(store):
    r = Representation({"a": np.random.default_rng(0).normal(size=(9, 3))})
    address = show(r, start=False)
    assert address == f"http://127.0.0.1:8501/map?model=rep:{r.digest}"
    assert store.representation(r.digest).digest == r.digest


def test_a_foreign_manifest_cannot_lead_astray(store):
    x = np.random.default_rng(0).normal(size=(9, 3))
    r = Representation({"a": x}, manifest={"key": "abc", "model": "theirs", "dataset": 7})
    assert r.digest in show(r, start=False) and "theirs" in repr(r)
    assert store.representation(r.digest).manifest["dataset"] == {"name": "7"}


def test_what_extract_made_is_not_stored_twice(store):
    r = extract("builtin:raw", "builtin:shapes/circle?n=40")
    assert r.manifest["key"] in show(r, start=False)
    assert len(store.entries("representations")) == 1


def test_an_address_elsewhere_is_not_started(monkeypatch):
    r = Representation({"a": np.random.default_rng(0).normal(size=(9, 3))})
    monkeypatch.setenv("SEXTANT_ADDRESS", "http://127.0.0.1:1/x")
    with pytest.raises(InputError, match="No app answers"):
        show(r)


def test_only_representations_are_shown():
    with pytest.raises(InputError, match="nothing to show"):
        show()
    with pytest.raises(InputError, match="ndarray is not a representation"):
        show(np.ones((3, 2)))
