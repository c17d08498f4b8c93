"""Tiny random transformers checkpoints in a folder, saved by the library itself, for tests that load them for real."""

import json
from pathlib import Path

WORDS = ("the a this film book room meal phone was is were very not good bad great awful warm cold long short and but i we it "
         "liked hated never again plot staff screen soup bed music . , !").split()
SMALL_TEXT = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24, "max_position_embeddings": 40}


def vit(folder, *, head: bool = True, processor: bool = True) -> Path:
    from transformers import ViTConfig, ViTForImageClassification, ViTModel
    config = ViTConfig(hidden_size=16, num_hidden_layers=3, num_attention_heads=2, intermediate_size=24, image_size=24, patch_size=8,
                       **named("cat", "dog", "owl") if head else {})
    return save(folder, ViTForImageClassification if head else ViTModel, config, image_processor((24, 24)) if processor else None)


def resnet(folder) -> Path:
    from transformers import ResNetConfig, ResNetForImageClassification
    config = ResNetConfig(embedding_size=8, hidden_sizes=[8, 12, 20], depths=[1, 1, 1], layer_type="basic", **named("cat", "dog"))
    return save(folder, ResNetForImageClassification, config, image_processor((32, 32)))


def bert(folder, *, head: bool = False, shards: bool = False) -> Path:
    from transformers import BertConfig, BertForSequenceClassification, BertModel
    config = BertConfig(vocab_size=len(WORDS) + 5, **SMALL_TEXT, **named("bad", "good") if head else {})
    return save(folder, BertForSequenceClassification if head else BertModel, config, word_tokenizer(), shards=shards)


def gpt2(folder, *, head: bool = False) -> Path:
    """A decoder with learned positions and, like the real one, no pad token."""
    from transformers import GPT2Config, GPT2ForSequenceClassification, GPT2LMHeadModel
    config = GPT2Config(vocab_size=len(WORDS) + 5, n_embd=16, n_layer=2, n_head=2, n_positions=40, bos_token_id=2, eos_token_id=3,
                        **named("bad", "fair", "good") if head else {})
    return save(folder, GPT2ForSequenceClassification if head else GPT2LMHeadModel, config, word_tokenizer(decoder=True))


def llama(folder) -> Path:
    """A decoder with rotary positions; its tokenizer pads on the left."""
    from transformers import LlamaConfig, LlamaForCausalLM
    config = LlamaConfig(vocab_size=len(WORDS) + 5, num_key_value_heads=1, bos_token_id=2, eos_token_id=3, **SMALL_TEXT)
    return save(folder, LlamaForCausalLM, config, word_tokenizer(decoder=True, padding_side="left"))


def t5(folder) -> Path:
    from transformers import T5Config, T5ForConditionalGeneration
    config = T5Config(vocab_size=len(WORDS) + 5, d_model=16, d_kv=8, d_ff=24, num_layers=2, num_heads=2, decoder_start_token_id=0)
    return save(folder, T5ForConditionalGeneration, config, word_tokenizer(decoder=True))


def bart(folder) -> Path:
    from transformers import BartConfig, BartModel
    config = BartConfig(vocab_size=len(WORDS) + 5, d_model=16, encoder_layers=2, decoder_layers=1, encoder_attention_heads=2,
                        decoder_attention_heads=2, encoder_ffn_dim=24, decoder_ffn_dim=24, max_position_embeddings=40)
    return save(folder, BartModel, config, word_tokenizer())


def sentence_bert(folder, rule: str = "mean_tokens") -> Path:
    """A BERT in the folder layout of sentence-transformers, pooled as `rule` says: mean_tokens, cls_token, lasttoken or max_tokens."""
    folder = bert(folder)
    write(folder / "modules.json", [{"idx": 0, "path": "", "type": "sentence_transformers.models.Transformer"},
                                    {"idx": 1, "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}])
    write(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": 16, f"pooling_mode_{rule}": True})
    write(folder / "sentence_bert_config.json", {"max_seq_length": 12})
    return folder


def named(*classes: str) -> dict:
    return {"id2label": dict(enumerate(classes)), "label2id": {c: i for i, c in enumerate(classes)}}


def image_processor(size):
    from transformers import ViTImageProcessorPil
    return ViTImageProcessorPil(size={"height": size[0], "width": size[1]}, image_mean=[0.4, 0.5, 0.6], image_std=[0.2, 0.3, 0.25])


def word_tokenizer(*, decoder: bool = False, padding_side: str = "right"):
    """One token per word. An encoder's brackets each text with [CLS] and [SEP]; a decoder's adds nothing and has no pad token."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    core = Tokenizer(models.WordLevel({w: i for i, w in enumerate([*special, *WORDS])}, unk_token="[UNK]"))
    core.normalizer, core.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.Whitespace()
    if decoder:
        return PreTrainedTokenizerFast(tokenizer_object=core, unk_token="[UNK]", eos_token="[SEP]", padding_side=padding_side,
                                       model_max_length=40)
    core.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return PreTrainedTokenizerFast(tokenizer_object=core, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]",
                                   mask_token="[MASK]", padding_side=padding_side, model_max_length=40)


def save(folder, kind, config, *parts, shards: bool = False) -> Path:
    """A network of this kind with weights drawn from a fixed seed, wide enough that no two inputs look alike."""
    import torch
    folder = Path(folder)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = kind(config)
        for value in network.parameters():
            if value.ndim > 1:
                torch.nn.init.normal_(value.data, std=0.3)
    network.save_pretrained(folder, **{"max_shard_size": "4KB"} if shards else {})
    for part in parts:
        if part is not None:
            part.save_pretrained(folder)
    return folder


def write(path: Path, value) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")
