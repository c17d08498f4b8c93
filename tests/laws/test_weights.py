"""Somebody's own weights: they load when they fit, and every misfit is told."""

import zipfile

import numpy as np
import pytest

from analysis.errors import InputError
from analysis.models.weights import load_weights, refuse_code
from analysis.tensors import save_tensors


@pytest.fixture(scope="module")
def state():
    import torch

    from analysis.models import architectures
    torch.manual_seed(3)
    return {k: v.numpy() for k, v in architectures.make("conv-narrow", 7).state_dict().items()}


@pytest.fixture
def own(tmp_path, state):
    """Write the state, changed as told, and give its path."""
    def write(**changed):
        path = tmp_path / "own.safetensors"
        save_tensors(path, {k: v for k, v in {**state, **changed}.items() if v is not None})
        return path
    return write


def test_own_weights_run_as_the_network_they_came_from(own, state):
    import torch

    from analysis.models import architectures
    model = load_weights(own(), "conv-narrow", classes=list("abcdefg"), name="Mine")
    pictures = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), np.uint8)
    rows, logits = model.run(pictures)
    module = architectures.make("conv-narrow", 7)
    module.load_state_dict({k: torch.from_numpy(v) for k, v in state.items()})
    with torch.inference_mode():
        expected = module.eval()(torch.from_numpy(pictures).permute(0, 3, 1, 2) / 255).numpy()
    np.testing.assert_allclose(logits, expected, atol=1e-5)
    assert model.name == "Mine" and model.classes == tuple("abcdefg") and list(rows) == [f"stage {i}" for i in range(1, 5)]


def test_classes_are_numbered_and_the_digest_follows_weights_and_names(own, state):
    model = load_weights(own(), "conv-narrow")
    assert model.classes == tuple("0123456") and model.name == "own"
    assert load_weights(own(), "builtin:conv/few-classes").digest == model.digest
    assert load_weights(own(), "conv-narrow", classes=list("abcdefg")).digest != model.digest
    changed = state["head.bias"].copy()
    changed[0] += 1e-3
    assert load_weights(own(**{"head.bias": changed}), "conv-narrow").digest != model.digest


def test_the_file_may_go_once_it_was_read(own):
    path = own()
    model = load_weights(path, "conv-narrow")
    path.unlink()
    assert np.isfinite(model.run(np.zeros((2, 32, 32, 3), np.uint8))[1]).all()


@pytest.mark.parametrize(("change", "told"), [
    ({"head.bias": None, "parts.1.0.0.weight": None}, "lacks parts.1.0.0.weight, head.bias"),
    ({"head.weight": None}, "lacks head.weight"),
    ({"extra.weight": np.zeros(3, np.float32)}, "also holds extra.weight"),
    ({"head.bias": np.zeros(8, np.float32)}, r"head.bias \(8,\) instead of \(7,\)"),
    ({"head.weight": np.zeros(7, np.float32)}, r"head.weight \(7,\) instead of"),
    ({"head.bias": np.zeros(7, np.int64)}, r"not as floating point head.bias \(I64\)"),
    ({"head.bias": np.array([0, 0, np.nan, 0, 0, 0, 0], np.float32)}, "NaN or infinite weights in head.bias"),
    ({"head.bias": np.full(7, 1e300)}, "NaN or infinite weights in head.bias"),
])
def test_a_misfit_is_told(own, change, told):
    with pytest.raises(InputError, match=told):
        load_weights(own(**change), "conv-narrow")


def test_weights_of_another_network_name_only_the_first_few(own):
    with pytest.raises(InputError, match="lacks .* and [0-9]+ more; it also holds") as told:
        load_weights(own(), "vit")
    assert len(told.value.message) < 800


def test_what_is_no_weights_file_is_told(own, tmp_path):
    with pytest.raises(InputError, match="no architecture 'alexnet'.*vit.*conv-narrow"):
        load_weights(own(), "alexnet")
    with pytest.raises(InputError, match="7 classes"):
        load_weights(own(), "conv-narrow", classes=["a", "b"])
    with pytest.raises(InputError, match="no file"):
        load_weights(tmp_path / "nowhere.safetensors", "vit")
    lying = (10**9).to_bytes(8, "little") + b"{}"
    for name, content in {"empty.safetensors": b"", "lying.safetensors": lying, "weights.csv": b"1,2\n"}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=name):
            load_weights(tmp_path / name, "vit")


@pytest.mark.parametrize("ending", [".pt", ".pth", ".bin", ".pt2", ".ckpt", ".pkl", ".ts", ".PT"])
def test_endings_that_can_run_code_are_refused(tmp_path, ending):
    path = tmp_path / f"weights{ending}"
    path.write_bytes(b"anything")
    for call in (refuse_code, lambda p: load_weights(p, "vit")):
        with pytest.raises(InputError, match="can run code") as told:
            call(path)
        assert "save_file" in told.value.hint


def test_a_new_name_does_not_hide_what_can_run_code(tmp_path):
    import pickle
    path = tmp_path / "weights.safetensors"
    for protocol in range(2, 6):
        path.write_bytes(pickle.dumps({"a": 1}, protocol))
        with pytest.raises(InputError, match="is a pickle"):
            load_weights(path, "vit")
    for name, inside in {"weights.safetensors": "x.txt", "arrays.npz": "archive/data.pkl", "pictures.zip": "archive/data.pkl"}.items():
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr(inside, b"x")
        with pytest.raises(InputError, match="zip archive"):
            refuse_code(tmp_path / name)


def test_sound_files_are_not_refused(tmp_path, own):
    np.savez(tmp_path / "arrays.npz", a=np.zeros((3, 2)))
    np.save(tmp_path / "array.npy", np.zeros((3, 2)))
    (tmp_path / "empty.zip").write_bytes(b"")
    for path in (own(), tmp_path / "arrays.npz", tmp_path / "array.npy", tmp_path / "empty.zip", tmp_path / "nowhere.npz"):
        refuse_code(path)
