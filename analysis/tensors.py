"""safetensors files as memory maps: a header check before any byte is believed, layers opened without a copy.

The safetensors package reads a file into memory; a page that previews one layer of thirteen should not. The format is
8 bytes of header length, a JSON header, then the raw tensors.
"""

import json
import os
import uuid
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from analysis.errors import InputError

DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "<i1",
          "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "<u1", "BOOL": "|b1"}
NAMES = {np.dtype(v): k for k, v in DTYPES.items() if k != "BF16"}
MOST_AXES = 8
HEADER_LIMIT = 50_000_000  # a header of 50 MB would name a million items


def read_header(path) -> tuple[dict, dict, int]:
    """(tensors: name -> {dtype, shape, data_offsets}, metadata, where the data begins); every claim checked against the file's size."""
    path = Path(path)
    size = path.stat().st_size
    broken = lambda why: InputError(f"{path.name} is not a sound safetensors file: {why}.",  # noqa: E731
                                    "Write it again with safetensors.save_file, or check that the copy is complete.")
    if size < 10:
        raise broken("it is empty" if size == 0 else f"it has only {size} bytes")
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > min(size - 8, HEADER_LIMIT):
            raise broken(f"its header claims {length:,} bytes and the file has {size:,}")
        raw = file.read(length)
    try:
        header = json.loads(raw)
        meta = header.pop("__metadata__", {}) or {}
        tensors = {}
        for name, spec in header.items():
            kind, shape, (start, end) = spec["dtype"], spec["shape"], spec["data_offsets"]
            if kind not in DTYPES:
                raise broken(f"tensor {name!r} has the unknown type {kind!r}")
            if not all(type(v) is int and 0 <= v < 2**48 for v in (*shape, start, end)) or len(shape) > MOST_AXES:
                raise broken(f"tensor {name!r} has a shape or place that cannot be")
            width = np.dtype(DTYPES[kind]).itemsize
            count = 1
            for side in shape:
                count *= side
            if end - start != count * width:
                raise broken(f"tensor {name!r} claims shape {shape} but {end - start:,} bytes")
            if 8 + length + end > size:
                raise broken(f"tensor {name!r} ends {8 + length + end - size:,} bytes after the end of the file")
            tensors[name] = spec
        places = sorted((s["data_offsets"], name) for name, s in tensors.items() if s["data_offsets"][0] < s["data_offsets"][1])
        for ((_, end), _), ((start, _), name) in zip(places, places[1:], strict=False):
            if start < end:
                raise broken(f"tensor {name!r} begins inside another one")
    except InputError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise broken("its header cannot be read") from None
    return tensors, meta, 8 + length


def open_tensors(path, names=None) -> dict[str, np.ndarray]:
    """name -> read-only array, mapped from the file. bfloat16 is widened to float32 (a copy)."""
    tensors, _, base = read_header(path)
    out = {}
    for name in names or tensors:
        spec = tensors[name]
        shape, (start, end) = tuple(spec["shape"]), spec["data_offsets"]
        if end == start:
            out[name] = np.zeros(shape, DTYPES[spec["dtype"]])
            continue
        raw = np.memmap(path, mode="r", dtype=np.uint8, offset=base + start, shape=(end - start,))
        array = raw.view(DTYPES[spec["dtype"]]).reshape(shape) if (base + start) % 8 == 0 else \
            np.frombuffer(raw.tobytes(), DTYPES[spec["dtype"]]).reshape(shape)
        if spec["dtype"] == "BF16":
            array = (array.astype(np.uint32) << 16).view(np.float32)
        out[name] = array
    return out


def header_bytes(shapes: Mapping[str, tuple], metadata: Mapping[str, str]) -> tuple[bytes, dict[str, int]]:
    """The start of a file that will hold tensors of these (dtype, shape), padded to 64 bytes, and where each one begins."""
    header, at, offsets = {"__metadata__": dict(metadata)} if metadata else {}, 0, {}
    for name, (dtype, shape) in shapes.items():
        end = at + int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
        header[name] = {"dtype": NAMES[np.dtype(dtype)], "shape": [int(s) for s in shape], "data_offsets": [at, end]}
        offsets[name], at = at, end
    raw = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    raw += b" " * (-(len(raw) + 8) % 64)
    start = len(raw) + 8
    return len(raw).to_bytes(8, "little") + raw, {name: start + offset for name, offset in offsets.items()}


def save_tensors(path, tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str] | None = None) -> None:
    """Write atomically, tensors in the order given."""
    head, _ = header_bytes({k: (v.dtype, v.shape) for k, v in tensors.items()}, metadata or {})
    with replacing(path) as file:
        file.write(head)
        for value in tensors.values():
            file.write(memoryview(np.ascontiguousarray(value)).cast("B") if value.size else b"")


@contextmanager
def replacing(path, mode: str = "wb"):
    """A temporary file beside `path` that takes its name when the block ends well, and vanishes when it does not."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    name = path.parent / f".{path.name[:40]}.{uuid.uuid4().hex[:12]}.tmp"  # not mkstemp: the file keeps the usual permissions
    try:
        with open(name, mode, **({} if "b" in mode else {"encoding": "utf-8"})) as file:
            yield file
        os.replace(name, path)
    except BaseException:
        name.unlink(missing_ok=True)
        raise


def write_json(path, value) -> None:
    with replacing(path, "w") as file:
        json.dump(value, file, ensure_ascii=False, indent=1)
