"""The network of a transformers checkpoint, with a tap on each of its hidden states and the preprocessing it was made with."""

import json
from contextlib import contextmanager
from pathlib import Path

from analysis.errors import InputError

TOKENS = 512  # longer texts are cut: attention costs the square
IMAGE_SIDE = 224
PROCESSORS = ("preprocessor_config.json", "processor_config.json")
TOGETHER = "Check that weights and config.json belong together."
WRAP = "Wrap it by hand: Model.wrap in a notebook."
TOKENIZERS = ("tokenizer*", "vocab*", "*.model")


def build(folder: Path, name: str, modality: str, *, split: bool, head: bool, widths=None):
    """(module in eval mode, preprocess), tried on blank items so that it fails here or not at all.

    split   of a two-tower checkpoint load the half for this modality
    head    the module returns the logits of the checkpoint's own classes
    widths  of the hidden states, as promised; None: whatever they turn out to be, in `module.widths`
    """
    import torch
    with complaints(name):
        import transformers
        transformers.logging.set_verbosity_error()
        transformers.logging.disable_progress_bar()
        network = _network(folder, name, modality, split=split, head=head)
        if network.main_input_name != {"image": "pixel_values", "text": "input_ids"}[modality]:
            raise InputError(f"{name!r} takes {network.main_input_name}, not {modality}s.", "Choose a model of images or of text (kind=).")
        preprocess = _images(folder, network.config) if modality == "image" else _texts(folder, name, network)
        with torch.inference_mode():
            states = network(**preprocess(_blanks(modality, network.config)), output_hidden_states=True).get("hidden_states")
        if not states:
            raise InputError(f"{name!r} ({type(network).__name__}) does not hand out its hidden states.", WRAP)
        if modality == "text":
            _refuse_leaks(name, network, preprocess, states)
        found = [int(s.shape[1] if s.ndim == 4 else s.shape[-1]) for s in states]
        if widths is not None and found != list(widths):
            raise InputError(f"{name!r} gives hidden states of widths {found}, its config promises {list(widths)}.", WRAP)
        return _tapped(network, found, head), preprocess


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
            raise InputError(f"{name!r} ({type(network).__name__}) answers differently when a text is padded to its neighbours' length.",
                             "Its rows would depend on the batch: choose a model that heeds an attention mask.")


def _network(folder: Path, name: str, modality: str, *, split: bool, head: bool):
    import torch
    import transformers as library
    local = {"local_files_only": True, "trust_remote_code": False}
    config = library.AutoConfig.from_pretrained(folder, **local)
    loader = library.AutoModel
    if head:
        loader = library.AutoModelForImageClassification if modality == "image" else library.AutoModelForSequenceClassification
    elif split:
        config = config.vision_config if modality == "image" else config.text_config
    elif modality == "text" and type(config) in library.AutoModelForTextEncoding._model_mapping:
        loader = library.AutoModelForTextEncoding  # reads the encoder alone
    if type(config) not in loader._model_mapping:
        raise InputError(f"transformers cannot load the {modality} part of {name!r} ({config.model_type}).", "Choose another model.")
    config.use_cache = False  # a decoder would keep its keys and values for a next token that never comes
    config.mask_ratio = 0.0   # a masked autoencoder would hide patches at random
    network, info = loader.from_pretrained(folder, config=config, use_safetensors=True, dtype=torch.float32, **local,
                                           output_loading_info=True, ignore_mismatched_sizes=True)  # told below, in our words
    for key, held, wanted in sorted(info["mismatched_keys"]):
        raise InputError(f"The weights of {name!r} hold {key!r} of shape {tuple(held)}, its config asks for {tuple(wanted)}.", TOGETHER)
    lost = sorted(k for k in info["missing_keys"] if "pooler" not in k)  # the pooler comes after the last hidden state
    if lost:
        raise InputError(f"The weights of {name!r} lack {len(lost)} tensors of a {type(network).__name__}, {lost[0]!r} first.", TOGETHER)
    halved = network.config.is_encoder_decoder and loader is library.AutoModel
    return (network.get_encoder() if halved else network).eval()


def _tapped(network, widths: list[int], head: bool):
    import torch

    class Tapped(torch.nn.Module):
        """Hands each hidden state through a part of its own, where the hooks of `Model.run` see it."""

        def __init__(self):
            super().__init__()
            self.network, self.widths = network, widths
            self.states = torch.nn.ModuleList(torch.nn.Identity() for _ in widths)

        def forward(self, **inputs):
            out = self.network(**inputs, output_hidden_states=True)
            for tap, state in zip(self.states, out.hidden_states, strict=True):
                tap(state)
            return out.logits if head else out.hidden_states[-1]

    return Tapped().eval()


def _images(folder: Path, config):
    """Images uint8 (b, h, w, 3) as the checkpoint's own processor prepares them (its PIL form: torchvision is not needed)."""
    if has(folder, PROCESSORS):
        from transformers import AutoImageProcessor
        processor = AutoImageProcessor.from_pretrained(folder, backend="pil", local_files_only=True, trust_remote_code=False)
    else:
        from transformers import ViTImageProcessorPil
        height, width = _side(config)
        processor = ViTImageProcessorPil(size={"height": height, "width": width}, image_mean=[0.5] * 3, image_std=[0.5] * 3)
    return lambda items: {"pixel_values": processor(list(items), input_data_format="channels_last", return_tensors="pt")["pixel_values"]}


def _texts(folder: Path, name: str, network):
    """Texts as token ids with their mask, padded on the right: causal networks never see it there, and positions keep their place."""
    from transformers import AutoTokenizer
    if not has(folder, TOKENIZERS):
        raise InputError(f"{name!r} reads text and has no tokenizer files.", "Save them beside it: tokenizer.save_pretrained(folder).")
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    tokenizer.padding_side = "right"
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token or tokenizer.convert_ids_to_tokens(0)
    if network.config.pad_token_id is None:
        network.config.pad_token_id = tokenizer.pad_token_id  # a decoder's classification head looks for the last token before it
    limit, known = _longest(folder, tokenizer, network), network.get_input_embeddings().num_embeddings

    def preprocess(items):
        batch = tokenizer(list(items), padding="longest", truncation=True, max_length=limit, return_tensors="pt",
                          return_token_type_ids=False, return_attention_mask=True)
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
        limits.append(read_json(settings).get("max_seq_length"))
    limits.append(getattr(network.config, "max_position_embeddings", None))
    for path, part in network.named_modules():
        if path.endswith("position_embeddings") and getattr(part, "padding_idx", None) is not None:
            limits.append(part.num_embeddings - part.padding_idx - 1)  # RoBERTa counts its positions from behind the padding
    return int(min(n for n in limits if isinstance(n, (int, float)) and n > 0))


def has(folder: Path, patterns) -> bool:
    return any(next(folder.glob(p), None) is not None for p in patterns)


def read_json(path: Path) -> dict:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path.parent.name}/{path.name} cannot be read as JSON ({reason(error)}).", "Complete the copy.") from None
    if not isinstance(value, dict):
        raise InputError(f"{path.parent.name}/{path.name} is not a JSON object.", "Complete the copy.")
    return value


@contextmanager
def complaints(name: str):
    """Whatever goes wrong inside the library while it reads somebody's checkpoint is a fault of the input."""
    try:
        yield
    except InputError:
        raise
    except ImportError as error:
        raise InputError(f"{name!r} needs a library that is not installed here: {reason(error)}.",
                         "Install it, or choose another model.") from error
    except Exception as error:
        raise InputError(f"{name!r} cannot be loaded: {reason(error)}.",
                         "Check that the copy is complete and that weights and config.json belong together.") from error


def reason(error: Exception) -> str:
    """What the library said, as the middle of a sentence."""
    return (" ".join(str(error).split())[:300] or type(error).__name__).removeprefix("Got: ").rstrip(".!: ")
