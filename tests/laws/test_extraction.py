import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from analysis import Dataset, InputError, Model, extract, extraction
from analysis.errors import Cancelled

torch = pytest.importorskip("torch")


def network(seed=0):
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.ReLU(), torch.nn.Linear(8, 5), torch.nn.Tanh(), torch.nn.Linear(5, 3))


def model(seed=0, **options):
    return Model.wrap(network(seed), preprocess=torch.from_numpy, name="small", modality="array", head="output",
                      layers={"first": "0", "second": "2"}, **options)


def data(n=50, seed=0):
    rng = np.random.default_rng(seed)
    return Dataset(rng.normal(size=(n, 6)).astype(np.float32), np.arange(n) % 3, ("a", "b", "c"), domain="rows", name="rows")


def test_equals_a_direct_forward_pass(store):
    m, d = model(), data()
    r = extract(m, d, batch_size=7)
    with torch.no_grad():
        x = torch.from_numpy(np.array(d.items))
        net = network()
        first = net[0](x)
        second = net[2](net[1](first))
        logits = net(x)
    assert list(r.layers) == ["first", "second"]
    np.testing.assert_allclose(r.layers["first"], first, atol=1e-6)
    np.testing.assert_allclose(r.layers["second"], second, atol=1e-6)
    np.testing.assert_allclose(r.logits, logits, atol=1e-6)
    np.testing.assert_allclose(r.probabilities.sum(axis=1), 1)
    assert r.labels.tolist() == d.labels.tolist() and r.ids == d.ids and r.dataset == d.digest and r.domain == "rows"
    assert not r.layers["first"].flags.writeable


def test_batch_size_does_not_matter():
    a, b = model(), model()
    items = data().items.copy()
    rows = [a.run(items[i:i + 9], layers="all")[0]["second"] for i in range(0, 50, 9)]
    np.testing.assert_allclose(np.concatenate(rows), b.run(items, layers="all")[0]["second"], atol=1e-6)


def test_a_second_request_is_a_lookup(store):
    m, d = model(), data()
    first = extract(m, d)
    m.run = lambda *a, **k: pytest.fail("the model ran again")
    assert extract(m, d).digest == first.digest


@pytest.mark.parametrize("other", [lambda: (model(seed=1), data()), lambda: (model(), data(seed=1)), lambda: (model(), data(n=51))])
def test_other_weights_or_items_are_another_entry(store, other):
    extract(model(), data())
    extract(*other())
    assert len(store.entries("representations")) == 2


def test_chosen_layers_come_in_the_models_order(store):
    assert list(extract(model(), data(), layers=["second", "first"]).layers) == ["first", "second"]
    assert list(extract(model(), data(), layers="second").layers) == ["second"]
    with pytest.raises(InputError, match="no layer 'third'"):
        extract(model(), data(), layers="third")


def test_cancel_leaves_nothing_behind(store):
    def stop(done, total, note):
        if done >= 20:
            raise Cancelled
    with pytest.raises(Cancelled):
        extract(model(), data(), batch_size=5, progress=stop)
    assert [p for p in store.folder.rglob("*") if p.is_file()] == []


def test_progress_tells_how_far(store):
    seen = []
    extract(model(), data(), batch_size=20, progress=lambda *a: seen.append(a[:2]))
    assert seen == [(0, 50), (20, 50), (40, 50), (50, 50)]


KILLED = """
    import sys, time
    from analysis import extract, extraction
    from tests.laws.test_extraction import model, data
    extraction.SHARD_SECONDS = 0
    def slowly(done, total, note):
        print(done, flush=True)
        time.sleep(0.05)
    extract(model(), data(n=400), batch_size=10, progress=slowly)
"""


def test_killed_in_the_middle_then_resumed_equals_uninterrupted(store, tmp_path):
    child = subprocess.Popen([sys.executable, "-c", textwrap.dedent(KILLED)], stdout=subprocess.PIPE, text=True, cwd=os.getcwd())
    while int(child.stdout.readline()) < 100:
        pass
    child.send_signal(signal.SIGKILL)
    child.wait()
    left = list((store.folder / "representations").glob("*.partial"))
    assert len(left) == 1 and store.entries() == []
    begun = []
    resumed = extract(model(), data(n=400), batch_size=10, progress=lambda done, total, note: begun.append(done))
    assert begun[0] >= 90, "it started from the beginning"
    from analysis.store import Store
    whole = extract(model(), data(n=400), batch_size=10, store=Store(tmp_path / "other"))
    assert resumed.digest == whole.digest
    assert not list((store.folder / "representations").glob("*.partial"))


def test_two_processes_do_not_disturb_each_other(store):
    command = [sys.executable, "-c", textwrap.dedent(KILLED)]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outs = sorted((c.communicate()[0].split() for c in children), key=lambda out: int(out[-1]) if out else 0)
    assert [c.returncode for c in children] == [0, 0]
    assert set(outs[0]) <= {"0"}, "the second one waits and finds the result"
    assert outs[1][-1] == "400" and len(outs[1]) == 41


def test_who_only_waits_can_be_cancelled_without_harm(store):
    """Another process extracts; a waiter's cancel must not touch its files."""
    child = subprocess.Popen([sys.executable, "-c", textwrap.dedent(KILLED)], stdout=subprocess.PIPE, text=True)
    while int(child.stdout.readline()) < 50:
        pass

    def give_up(done, total, note):
        assert "another process" in note
        raise Cancelled
    with pytest.raises(Cancelled):
        extract(model(), data(n=400), batch_size=10, progress=give_up)
    key = extraction.key(model(), data(n=400))
    store.discard_partial(key)
    assert store.path("representations", key, ".partial").exists()
    child.communicate()
    assert child.returncode == 0 and store.representation(key) is not None


def test_a_model_that_fails_or_gives_no_rows_is_a_message_and_leaves_nothing(store):
    late = torch.nn.Sequential(torch.nn.Identity())

    def preprocess(x):
        if len(x) < 20:
            raise RuntimeError("mat1 and mat2 cannot be multiplied")
        return torch.from_numpy(x)
    with pytest.raises(InputError, match="fails on these items: RuntimeError"):
        extract(Model.wrap(late, preprocess=preprocess, name="late", modality="array"), data(), batch_size=20)
    flat = Model.wrap(late, preprocess=lambda x: torch.from_numpy(x)[None], name="flat", modality="array")
    with pytest.raises(InputError, match="one row for each"):
        extract(flat, data())
    assert [p for p in store.folder.rglob("*") if p.is_file()] == []


def test_a_full_disk_is_a_message(store, monkeypatch):
    monkeypatch.setattr(os, "posix_fallocate", lambda *a: (_ for _ in ()).throw(OSError(28, "No space left on device")), raising=False)
    with pytest.raises(InputError, match="No space left on device") as caught:
        extract(model(), data())
    assert "SEXTANT_STORE" in caught.value.hint and not list(store.folder.rglob("*.partial"))


@pytest.mark.parametrize("given", [(None, None), ("builtin:raw", np.ones((3, 2)))])
def test_what_is_no_model_or_dataset_is_said(given):
    with pytest.raises(InputError, match="is no (model|dataset)"):
        extract(*given)


def test_nan_states_are_refused_and_not_stored(store):
    net = network()
    with torch.no_grad():
        net[2].bias[0] = float("nan")
    bad = Model.wrap(net, preprocess=torch.from_numpy, name="broken", modality="array", layers={"second": "2"})
    with pytest.raises(InputError, match="NaN or infinite values in the layer 'second'"):
        extract(bad, data())
    assert store.entries() == []


def test_text_model_on_arrays_is_refused():
    words = Model.wrap(network(), preprocess=torch.from_numpy, name="reader", modality="text")
    with pytest.raises(InputError, match="reader reads texts, but rows holds arrays"):
        extract(words, data())


def test_unknown_device_and_batch():
    with pytest.raises(InputError, match="device"):
        extract(model(), data(), device="cuda:9")
    with pytest.raises(InputError, match="batch"):
        extract(model(), data(), batch_size=0)


def test_texts_are_sorted_for_speed_but_come_back_in_place(store):
    texts = ["word " * k for k in (5, 1, 9, 3, 7, 2)]
    net = torch.nn.Identity()
    lengths = Model.wrap(torch.nn.Sequential(net), preprocess=lambda items: torch.tensor([[float(len(t))] for t in items]), name="length",
                         modality="text", layers=["0"])
    r = extract(lengths, Dataset(tuple(texts), name="words"), batch_size=2)
    assert r.layers["0"][:, 0].tolist() == [len(t) for t in texts]
