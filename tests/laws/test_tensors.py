import json

import numpy as np
import pytest

from analysis import InputError
from analysis.tensors import open_tensors, read_header, replacing, save_tensors

F = {"dtype": "F32"}


def write(path, header, data: bytes = b"\0" * 64):
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(raw).to_bytes(8, "little") + raw + data)
    return path


def test_round_trip_keeps_order_and_agrees_with_the_library(tmp_path):
    from safetensors.numpy import load_file
    given = {"b": np.arange(6, dtype=np.float32).reshape(2, 3), "a": np.arange(3), "empty": np.zeros((0, 4), np.float16), "flag": np.array([True, False])}
    save_tensors(tmp_path / "x.safetensors", given, {"note": "süß"})
    ours, theirs = open_tensors(tmp_path / "x.safetensors"), load_file(tmp_path / "x.safetensors")
    assert list(ours) == list(given) and read_header(tmp_path / "x.safetensors")[1] == {"note": "süß"}
    for name, x in given.items():
        np.testing.assert_array_equal(ours[name], x)
        np.testing.assert_array_equal(theirs[name], x)


def test_bfloat16_is_widened(tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file
    x = torch.randn(5, 3).to(torch.bfloat16)
    save_file({"x": x}, tmp_path / "x.safetensors")
    np.testing.assert_array_equal(open_tensors(tmp_path / "x.safetensors")["x"], x.float().numpy())


@pytest.mark.parametrize("header, says", [
    (b"", "empty|only"), (b"{", "cannot be read"), (b"[]", "cannot be read"), ({"x": 3}, "cannot be read"),
    ({"x": F | {"shape": [4], "data_offsets": [0, 9999]}}, "claims shape"),
    ({"x": F | {"shape": [400], "data_offsets": [0, 1600]}}, "after the end of the file"),
    ({"x": F | {"shape": [0, 10**30], "data_offsets": [0, 0]}}, "cannot be"), ({"x": F | {"shape": [1] * 71, "data_offsets": [0, 4]}}, "cannot be"),
    ({"x": F | {"shape": [True, 4], "data_offsets": [0, 16]}}, "cannot be"), ({"x": F | {"shape": [-4], "data_offsets": [0, -16]}}, "cannot be"),
    ({"x": F | {"shape": [4], "data_offsets": [0, 16]}, "y": F | {"shape": [4], "data_offsets": [8, 24]}}, "inside another"),
    ({"x": {"dtype": "F13", "shape": [4], "data_offsets": [0, 16]}}, "unknown type")])
def test_a_lying_header_is_refused(tmp_path, header, says):
    with pytest.raises(InputError, match=says):
        open_tensors(write(tmp_path / "x.safetensors", header, b"" if header == b"" else b"\0" * 64))


def test_a_header_longer_than_the_file_is_refused(tmp_path):
    (tmp_path / "x.safetensors").write_bytes((2**40).to_bytes(8, "little") + b"{}" * 9)
    with pytest.raises(InputError, match="claims 1,099,511,627,776 bytes"):
        read_header(tmp_path / "x.safetensors")


def test_replacing_writes_all_or_nothing(tmp_path):
    path = tmp_path / "x"
    path.write_text("old")
    with pytest.raises(RuntimeError), replacing(path, "w") as file:
        file.write("half")
        raise RuntimeError
    assert path.read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["x"]
