"""Representations made elsewhere, and our own coming back."""

import json
import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_torch

from analysis.foreign import inspect_representation, load_representation, natural
from analysis.representation import Representation
from analysis.tensors import save_tensors
from tests.refusal import refused

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 4)).astype(np.float32)
Y = np.arange(12) % 3


def blocks(count=12, **more):
    return {f"block{i}": X + np.float32(i) for i in range(1, count + 1)} | more


def example(**changes):
    facts = dict(layers={"late": X, "early": X[:, :2] * 2}, labels=Y, classes=("a", "b", "c"), ids=[f"item-{i}" for i in range(12)],
                 logits=X[:, :3], domain="film", manifest={"model_name": "tiny"})
    return Representation(**(facts | changes))


# our own


@pytest.mark.parametrize("ending", [".safetensors", ".npz"])
def test_saved_and_loaded_is_the_same(tmp_path, ending):
    for number, before in enumerate([example(), example(labels=None, classes=(), logits=None), example(ids=())]):
        after = load_representation(before.save(tmp_path / f"{number}{ending}"))
        assert after.digest == before.digest and list(after.layers) == ["late", "early"] and after.manifest["model_name"] == "tiny"
    again = load_representation(tmp_path / f"0{ending}", order=["early"], labels=Y[::-1])
    assert list(again.layers) == ["early"] and (again.labels == Y[::-1]).all()
    seen = inspect_representation(tmp_path / f"0{ending}")
    assert seen.order == ("late", "early") and seen.layers[1] == ("early", (12, 2), "float32") and seen.labels_key == "labels"


def test_digest_sees_every_single_change():
    base = example()
    touched = X.copy()
    touched[7, 2] = np.nextafter(touched[7, 2], 9)
    labels = Y.copy()
    labels[[0, 1]] = labels[[1, 0]]
    others = [
        example(layers={"late": touched, "early": X[:, :2] * 2}),
        example(layers={"early": X[:, :2] * 2, "late": X}),  # order
        example(layers={"late": X, "renamed": X[:, :2] * 2}),
        example(layers={"late": X.reshape(12, 4)[:, :3], "early": X[:, :2] * 2}),  # shape
        example(layers={"late": X}),
        example(labels=labels), example(labels=None), example(classes=("a", "b", "d")), example(ids=()), example(logits=X[:, 1:]),
        example(domain="book"), replace(base, dataset="0" * 32),
    ]
    digests = [base.digest, *(o.digest for o in others)]
    assert len(set(digests)) == len(digests)
    assert example(manifest={}).digest == base.digest  # provenance is no content


def test_own_header_that_lies(tmp_path):
    path = example().save(tmp_path / "a.npz")
    with np.load(path) as held:
        arrays = dict(held)
    for header in (b"no json", b"[]", b'{"order": ["gone"]}', b'{"order": 3}', json.dumps({"order": ["late"], "ids": 5}).encode()):
        np.savez(path, **{**arrays, "sextant.header": np.frombuffer(header, np.uint8)})
        refused(lambda: load_representation(path), "Save the representation again")
    broken = arrays | {"late": np.full_like(X, np.nan)}
    header = {"order": ["late"], "manifest": {"checked": True}}
    np.savez(path, **{**broken, "sextant.header": np.frombuffer(json.dumps(header).encode(), np.uint8)})
    refused(lambda: load_representation(path), "'late' has NaN")


# everybody else's


@pytest.mark.parametrize("ending", [".npz", ".safetensors"])
def test_layers_come_in_natural_order(tmp_path, ending):
    path = tmp_path / f"many{ending}"
    arrays = blocks(labels=Y, logits=X[:, :3].copy())
    np.savez(path, **arrays) if ending == ".npz" else save_file(arrays, path)
    seen = inspect_representation(path)
    assert seen.order == tuple(f"block{i}" for i in range(1, 13)) and (seen.labels_key, seen.logits_key) == ("labels", "logits")
    got = load_representation(path)
    assert list(got.layers) == list(seen.order) and (got.labels == Y).all() and np.allclose(got.logits, X[:, :3])
    assert np.allclose(got.layers["block10"], X + 10) and got.manifest["source"] == path.name
    assert list(load_representation(path, order=["block9", "block2"]).layers) == ["block9", "block2"]
    refused(lambda: load_representation(path, order=["block99"]), "no layer 'block99'", "block1, block2")
    refused(lambda: load_representation(path, order=["block1", "block1"]), "twice")


def test_natural_sort():
    assert sorted(["b10", "b9.x2", "B1", "b9.x10", "10", "9"], key=natural) == ["9", "10", "B1", "b9.x2", "b9.x10", "b10"]


def test_any_precision_becomes_float32(tmp_path):
    save_torch({"half": torch.tensor(X).half(), "brain": torch.tensor(X).bfloat16(), "double": torch.tensor(X).double(),
                "whole": torch.arange(48).reshape(12, 4)}, tmp_path / "t.safetensors")
    got = load_representation(tmp_path / "t.safetensors")
    assert all(v.dtype == np.float32 for v in got.layers.values())
    assert np.allclose(got.layers["half"], X, rtol=1e-3) and np.allclose(got.layers["brain"], X, rtol=1e-2)
    assert (got.layers["double"] == X).all() and (got.layers["whole"] == np.arange(48).reshape(12, 4)).all()


def test_probabilities_become_logits(tmp_path):
    p = np.array([[0.5, 0.5, 0], [0.1, 0.2, 0.7]] * 6)
    np.savez(tmp_path / "p.npz", x=X, probabilities=p)
    got = load_representation(tmp_path / "p.npz")
    assert list(got.layers) == ["x"] and np.allclose(got.probabilities, p, atol=1e-6)
    np.savez(tmp_path / "q.npz", x=X, probabilities=p * 2)
    refused(lambda: load_representation(tmp_path / "q.npz"), "'probabilities'", "sum to 1")


def test_ids_classes_and_odd_arrays(tmp_path):
    np.savez(tmp_path / "a.npz", x=X, y=Y, ids=np.array([f"i{k}" for k in range(12)]), classes=np.array(["u", "v", "w"]), step=np.array(3))
    got = load_representation(tmp_path / "a.npz")
    assert got.ids[3] == "i3" and got.classes == ("u", "v", "w") and "step" in got.manifest["notes"][0]
    assert load_representation(tmp_path / "a.npz", labels="").labels is None
    assert load_representation(tmp_path / "a.npz", labels=torch.tensor(Y[::-1].copy())).labels[0] == Y[-1]
    np.savez(tmp_path / "b.npz", x=X, speaker=np.array(list("abcabcabcabc")))
    assert load_representation(tmp_path / "b.npz", labels="speaker").classes == ("a", "b", "c")
    refused(lambda: load_representation(tmp_path / "b.npz", labels="speakers"), "'speakers'", "x, speaker")


def test_projector_pair(tmp_path):
    np.savetxt(tmp_path / "tensors.tsv", X, delimiter="\t")
    (tmp_path / "metadata.tsv").write_text("\n".join(f"c{y}" for y in Y) + "\n")
    (tmp_path / "wide.tsv").write_text("word\tlabel\n" + "".join(f"w{i}\tc{y}\n" for i, y in enumerate(Y)))
    (tmp_path / "words.tsv").write_text("\n".join(f"w{i}" for i in range(12)))
    plain = load_representation(tmp_path / "tensors.tsv")
    assert list(plain.layers) == ["tensors"] and np.allclose(plain.layers["tensors"], X, atol=1e-5) and plain.labels is None
    for name in ("metadata.tsv", "wide.tsv"):
        got = load_representation(tmp_path / "tensors.tsv", labels=tmp_path / name)
        assert got.classes == ("c0", "c1", "c2") and (got.labels == Y).all()
    words = load_representation(tmp_path / "tensors.tsv", labels=str(tmp_path / "words.tsv"))
    assert words.labels is None and words.ids[:2] == ("w0", "w1")  # every row its own: names, not classes
    (tmp_path / "two.tsv").write_text("a\tb\n" + "".join(f"{i % 2}.5\t{i}.5\n" for i in range(12)))
    refused(lambda: load_representation(tmp_path / "tensors.tsv", labels=tmp_path / "two.tsv"), "a, b", "(path, \"column\")")
    (tmp_path / "short.tsv").write_text("label\tz\n" + "c1\t1\nc2\t2\n" * 4)
    refused(lambda: load_representation(tmp_path / "tensors.tsv", labels=tmp_path / "short.tsv"), "12 rows but labels of shape (8,)")
    refused(lambda: load_representation(tmp_path / "tensors.tsv", labels=tmp_path / "gone.tsv"), "no such file")


def test_tables(tmp_path):
    frame = pd.DataFrame(X, columns=list("abcd")).assign(label=[f"c{y}" for y in Y])
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    for name in ("t.csv", "t.parquet"):
        got = load_representation(tmp_path / name)
        assert np.allclose(got.layers["t"], X) and got.classes == ("c0", "c1", "c2")
    pd.DataFrame({"layer10": list(X), "layer9": list(X * 2), "label": Y}).to_parquet(tmp_path / "many.parquet")
    many = load_representation(tmp_path / "many.parquet")
    assert list(many.layers) == ["layer9", "layer10"] and np.allclose(many.layers["layer9"], X * 2) and (many.labels == Y).all()


# what is refused


def test_layers_at_fault(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, x=np.zeros((3, 4, 5)))
    refused(lambda: load_representation(path), "'x' has shape (3, 4, 5)", "mean(axis=1)")
    np.savez(path, x=X[:, 0])
    refused(lambda: load_representation(path), "x[:, None]")
    np.savez(path, **blocks(odd=X[:5]))
    refused(lambda: load_representation(path), "12 of 13 layers have 12 rows", "'odd' has 5", "weights of a model")
    assert len(load_representation(path, order=["block1", "block2"]).layers) == 2
    np.savez(path, x=X[:1])
    refused(lambda: load_representation(path), "1 row", "At least 2")
    np.savez(path, x=X, labels=Y[:5])
    refused(lambda: load_representation(path), "12 rows but labels of shape (5,)")
    np.savez(path, x=X, labels=Y * 0)
    refused(lambda: load_representation(path), "all carry the label '0'", "without labels")
    np.savez(path, x=X)
    refused(lambda: load_representation(path, labels=Y[:5]), "12 rows but labels of shape (5,)")
    np.savez(path, labels=Y)
    refused(lambda: load_representation(path), "no layer")
    np.savez(path, x=X, ids=np.zeros(12))
    refused(lambda: load_representation(path), "1 different ids")


def test_holes(tmp_path):
    x = X.copy()
    x[3, 1], x[8, 0] = np.nan, np.inf
    np.savez(tmp_path / "a.npz", x=x, other=X, labels=Y)
    refused(lambda: load_representation(tmp_path / "a.npz"),
            "'x' has NaN or infinite values in 2 of 12 rows (rows 3, 8;", "drop_bad_rows=True")
    got = load_representation(tmp_path / "a.npz", drop_bad_rows=True)
    kept = [i for i in range(12) if i not in (3, 8)]
    assert got.ids == tuple(map(str, kept)) and (got.layers["other"] == X[kept]).all() and (got.labels == Y[kept]).all()
    assert "dropped 2 of 12 rows" in got.manifest["notes"][0]
    frame = pd.DataFrame(X, columns=list("abcd")).assign(label=[None, *(f"c{y}" for y in Y[1:])])
    frame.to_parquet(tmp_path / "t.parquet")
    refused(lambda: load_representation(tmp_path / "t.parquet"), "no label in 1 of 12 rows")
    assert len(load_representation(tmp_path / "t.parquet", drop_bad_rows=True)) == 11


def test_files_at_fault(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n3\n")
    refused(lambda: load_representation(path), "line 3 has 1")
    path.write_text("a,a\n1,2\n3,4\n")
    refused(lambda: load_representation(path), "more than one column named 'a'")
    path.write_text("name\nann\nbob\n")
    refused(lambda: load_representation(path), "no columns of numbers")
    for name in ("empty.npz", "empty.safetensors", "empty.csv"):
        (tmp_path / name).touch()
        refused(lambda name=name: load_representation(tmp_path / name), f"{name} is empty")
    (tmp_path / "text.npz").write_text("hello there")
    refused(lambda: load_representation(tmp_path / "text.npz"), "named .npz but holds something else")
    refused(lambda: load_representation(tmp_path / "gone.npy"), "no file")
    (tmp_path / "x.h5").write_bytes(b"\x89HDF and so on")
    refused(lambda: load_representation(tmp_path / "x.h5"), ".safetensors")
    for name in ("w.pt", "w.pth"):
        (tmp_path / name).write_bytes(pickle.dumps([1]))
        refused(lambda name=name: load_representation(tmp_path / name), "run code")
    np.savez(tmp_path / "o.npz", x=np.array([[1, None], ["a", 2]], dtype=object))
    refused(lambda: load_representation(tmp_path / "o.npz"), "Python objects")


def test_safetensors_with_a_lying_header(tmp_path):
    save_file({"x": X}, tmp_path / "good.safetensors")
    raw = (tmp_path / "good.safetensors").read_bytes()
    path = tmp_path / "bad.safetensors"
    for change, words in [
        (lambda b: (2**40).to_bytes(8, "little") + b[8:], "header claims"),
        (lambda b: b.replace(b"[12,4]", b"[99,4]"), "claims shape [99, 4]"),
        (lambda b: b[:-10], "10 bytes after the end"),
        (lambda b: b.replace(b'"F32"', b'"F99"'), "unknown type 'F99'"),
        (lambda b: b[:8] + b"!" + b[9:], "header cannot be read"),
    ]:
        path.write_bytes(change(raw))
        for call in (load_representation, inspect_representation):
            refused(lambda call=call: call(path), "bad.safetensors is not a sound safetensors file", words)


@pytest.mark.parametrize("ending", [".safetensors", ".npz"])
def test_holes_in_our_own_file(tmp_path, ending):
    path = tmp_path / f"a{ending}"
    whole = example(dataset="0" * 32)
    layers = {"late": X.copy(), "early": X[:, :2] * 2}
    layers["late"][3, 1] = np.nan
    if ending == ".npz":
        head = np.frombuffer(json.dumps(whole.header()).encode(), np.uint8)
        np.savez(path, **layers, **{"sextant.logits": whole.logits, "sextant.labels": whole.labels, "sextant.header": head})
    else:
        save_tensors(path, {**layers, "sextant.logits": whole.logits, "sextant.labels": whole.labels},
                     {"sextant": json.dumps(whole.header())})
    assert inspect_representation(path).layers[0] == ("late", (12, 4), "float32")
    refused(lambda: load_representation(path), "'late' has NaN", "row 3", "drop_bad_rows=True")
    kept = [i for i in range(12) if i != 3]
    got = load_representation(path, drop_bad_rows=True)
    assert got.ids == tuple(f"item-{i}" for i in kept) and (got.labels == Y[kept]).all() and (got.logits == X[kept, :3]).all()
    assert "dropped 1 of 12 rows (row 3;" in got.manifest["notes"][0] and got.domain == "film" and got.dataset == ""
    named = [None, *"ab" * 5, "a"]
    both = load_representation(path, drop_bad_rows=True, labels=named)
    assert len(both) == 10 and both.classes == ("a", "b") and both.labels.tolist() == [named[i] == "b" for i in kept[1:]]
    assert load_representation(path, drop_bad_rows=True, order=["early"]).dataset == "0" * 32  # nothing to drop


def test_one_hot_labels_are_not_taken_for_a_layer_in_silence(tmp_path):
    np.savez(tmp_path / "a.npz", x=X, y=np.eye(3)[Y])
    for notes in (load_representation(tmp_path / "a.npz").manifest["notes"], inspect_representation(tmp_path / "a.npz").notes):
        assert "'y' has shape (12, 3) and is taken for a layer" in notes[0] and "y.argmax(axis=1)" in notes[0]


def test_what_is_no_path():
    for call in (load_representation, inspect_representation):
        for given in (None, "", "a" * 5000 + ".npz"):
            refused(lambda call=call, given=given: call(given), "is not the path")
