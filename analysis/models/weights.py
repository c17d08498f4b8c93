"""Somebody's own weights for an architecture of the zoo, and the refusal of files that can run code."""

import zipfile
from functools import partial
from pathlib import Path

import numpy as np

from analysis.errors import InputError
from analysis.models import zoo
from analysis.models.model import Model
from analysis.tensors import open_tensors, read_header

REFUSED = (".pt", ".pth", ".bin", ".pt2", ".ckpt", ".pkl", ".pickle", ".joblib", ".ts")
PICKLES = tuple(b"\x80" + bytes([protocol]) for protocol in range(2, 6))
ARCHIVES = (".npz", ".zip")  # zip files that may be opened, as long as no pickle lies in them
CONVERT = """Convert it where you trust it:
import torch, safetensors.torch
safetensors.torch.save_file(torch.load("weights.pt", map_location="cpu", weights_only=True), "weights.safetensors")"""
NO_PICKLE = "Save plain arrays of numbers or texts: numpy.savez(\"data.npz\", x=x, labels=labels), none of them of the type object."
KINDS = ("F16", "BF16", "F32", "F64")


def refuse_code(path) -> None:
    """Raise when a file is, by its ending or by what it holds, of a kind whose loading can run code."""
    path = Path(path)
    if path.suffix.lower() in REFUSED:
        raise InputError(f"{path.name} is refused: opening a {path.suffix.lower()} file can run code that is hidden in it.", CONVERT)
    kind = _pickled(path) if path.is_file() else ""
    if kind:
        remedy = NO_PICKLE if path.suffix.lower() in (".npz", ".npy") else CONVERT
        raise InputError(f"{path.name} is refused: whatever its name says, it is {kind}, and opening that can run code.", remedy)


def _pickled(path: Path) -> str:
    with open(path, "rb") as file:
        start = file.read(4)
    if start.startswith(PICKLES):
        return "a pickle"
    if start != b"PK\x03\x04":
        return ""
    if path.suffix.lower() not in ARCHIVES:
        return "a zip archive, as torch.save and TorchScript write it"
    try:
        with zipfile.ZipFile(path) as archive:
            return "a zip archive with a pickle in it" if any(n.endswith((".pkl", ".pickle")) for n in archive.namelist()) else ""
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        return ""  # for its own loader to tell


def load_weights(path, architecture: str, *, classes=(), name: str | None = None) -> Model:
    """A network of the zoo with these weights (`.safetensors`).

    architecture  a name of `architectures.ARCHITECTURES`, or a model of the zoo to take it from
    classes       names of the head's classes; without them they are numbered
    """
    from analysis.models import architectures

    path = Path(path)
    architecture = _architecture(architecture)
    if not path.is_file():
        raise InputError(f"There is no file {path}.", "Check the path.")
    refuse_code(path)
    if path.suffix.lower() != ".safetensors":
        raise InputError(f"{path.name} is not a .safetensors file.", "Weights are read from safetensors files only.")
    claimed = {k: v for k, v in read_header(path)[0].items() if not k.endswith("num_batches_tracked")}
    count = _head_size(path, claimed, classes)
    network = architectures.make(architecture, count)
    _check_tensors(path, architecture, claimed, architectures.shapes(network))
    with np.errstate(over="ignore"):  # too large for float32 is told with the infinite ones
        tensors = {k: np.array(v, np.float32) for k, v in open_tensors(path, list(claimed)).items()}
    broken = [k for k, v in tensors.items() if not np.isfinite(v).all()]
    if broken:
        raise InputError(f"{path.name} has NaN or infinite weights in {_few(broken)}.",
                         "The training went wrong: take an earlier checkpoint.")

    known, states = architectures.ARCHITECTURES[architecture], network.states
    facts = {"about": f"Your own weights: {known.about}.", "architecture": architecture, "options": dict(known.options),
             "layers": states, "head": "head", "classes": [str(c) for c in classes] or [str(i) for i in range(count)],
             "pooling": known.pooling, "parameters": sum(v.size for k, v in tensors.items() if ".running_" not in k)}
    return Model(name or path.stem, "image", states, partial(zoo.build, tensors, architecture, count), zoo.digest_weights(path, facts),
                 head="head", classes=tuple(facts["classes"]), pooling=known.pooling, source=str(path), card=facts)


def _architecture(name: str) -> str:
    from analysis.models import architectures
    if name in architectures.ARCHITECTURES:
        return name
    if name.removeprefix("builtin:") in zoo.names():
        return zoo.card(name)["architecture"]
    raise InputError(f"There is no architecture {name!r}.",
                     f"Choose one of {', '.join(architectures.ARCHITECTURES)}, or a model of the zoo.")


def _head_size(path: Path, claimed: dict, classes) -> int:
    """How many classes the head tells apart, as the file says and the class names confirm."""
    shape = claimed.get("head.weight", {}).get("shape", [])
    rows = shape[0] if len(shape) == 2 else 0
    if rows and len(classes) and len(classes) != rows:
        raise InputError(f"{len(classes)} class names were given, and the head in {path.name} tells {rows} classes apart.",
                         "Give one name per row of 'head.weight', or none.")
    return rows or len(classes) or 10  # without a sound head the check of the tensors will say so


def _check_tensors(path: Path, architecture: str, claimed: dict, expected: dict) -> None:
    """Every tensor of the architecture is there, nothing else, each of its shape and of floating point."""
    both = [k for k in expected if k in claimed]
    shape = lambda key: tuple(claimed[key]["shape"])
    faults = {"lacks": [k for k in expected if k not in claimed],
              "also holds": [k for k in claimed if k not in expected],
              "has in another shape": [f"{k} {shape(k)} instead of {expected[k]}" for k in both if shape(k) != expected[k]],
              "has not as floating point": [f"{k} ({claimed[k]['dtype']})" for k in both if claimed[k]["dtype"] not in KINDS]}
    told = [f"it {what} {_few(which)}" for what, which in faults.items() if which]
    if told:
        raise InputError(f"{path.name} does not fit the architecture {architecture!r}: {'; '.join(told)}.",
                         f"Save the state_dict() of a {architecture!r} network, or choose the architecture that the weights belong to.")


def _few(names: list[str], most: int = 4) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
