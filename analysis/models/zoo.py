"""The zoo: small networks trained here, one `.safetensors` and one card each in assets/zoo. Cards are read without torch.

`python -m analysis.models.zoo [name ...]` trains them again by the recipes below, which the cards repeat.
"""

import json
import math
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np

from analysis.data import digits
from analysis.digest import digest, digest_file
from analysis.errors import InputError
from analysis.models.model import Model
from analysis.tensors import open_tensors, save_tensors, write_json

ASSETS = Path(__file__).resolve().parents[2] / "assets" / "zoo"
HELD_OUT = 1800  # printed characters of seed 0, which no training saw
CHUNK = 2048  # pictures drawn at once while training
THIRD = 2  # fine-tuning leaves out every handwritten row whose number divided by 3 leaves this


@dataclass(frozen=True)
class Recipe:
    """Everything needed to train one model again.

    characters  of the source task; samples: a fixed set of that many pictures (None: fresh ones at every step)
    stop        the step to end at, of a schedule of `steps`; keep: steps at which a checkpoint is stored
    colour      random light stroke and dark ground colours and brightness, for every second picture
    start       the model to fine-tune on handwritten digits
    """

    architecture: str
    steps: int
    about: str
    seed: int = 0
    batch: int = 128
    rate: float = 2e-3
    decay: float = 0.05
    characters: str = digits.CHARACTERS
    samples: int | None = None
    stop: int | None = None
    keep: tuple = ()
    colour: bool = False
    start: str = ""


_vit = partial(Recipe, "vit", 1700, rate=1.5e-3)
_tune = partial(Recipe, "vit", 220, rate=7e-4, characters=digits.DIGITS)
RECIPES = {
    "vit/seed0": _vit("The demo backbone: a 12-block vision transformer, trained on printed characters.", keep=(0, 60, 120, 240, 480, 960)),
    "vit/seed1": _vit("The demo backbone from another seed.", seed=1),
    "vit/seed2": _vit("The demo backbone from a third seed, trained on grey and coloured characters.", seed=2, colour=True),
    "vit/seed0-finetuned": _tune("vit/seed0, fine-tuned on handwritten digits.", seed=0, start="vit/seed0"),
    "vit/seed1-finetuned": _tune("vit/seed1, fine-tuned on handwritten digits.", seed=1, start="vit/seed1"),
    "vit/seed2-finetuned": _tune("vit/seed2, fine-tuned on grey and coloured handwritten digits.", seed=2, start="vit/seed2", colour=True),
    "conv/wide": Recipe("conv-wide", 350, "Plain convolutions, wide."),
    "conv/narrow": Recipe("conv-narrow", 500, "Plain convolutions, narrow."),
    "conv/early": Recipe("conv-wide", 350, "The wide convolutions, stopped early.", stop=60),
    "conv/few-classes": Recipe("conv-narrow", 250, "The narrow convolutions, trained on ten letters only.", characters="ACEHKMRTXZ"),
    "resnet/shallow": Recipe("resnet-shallow", 350, "A wide and shallow residual network."),
    "resnet/deep": Recipe("resnet-deep", 350, "A narrow and deep residual network."),
    "resnet/few-samples": Recipe("resnet-shallow", 240, "The shallow residual network, trained on 10 pictures of each character.",
                                 batch=120, samples=360),
    "mlp/plain": Recipe("mlp", 2000, "Dense layers on the picture as one row."),
    "mixer/plain": Recipe("mixer", 900, "Patches mixed by dense layers, without attention."),
    "separable/plain": Recipe("separable", 500, "Depthwise-separable convolutions."),
    "convnext/plain": Recipe("convnext", 500, "A small ConvNeXt."),
    "patches/plain": Recipe("patches", 300, "A bag of small windows, blind to their arrangement."),
    "recurrent/plain": Recipe("recurrent", 700, "A recurrent network that reads the picture row by row."),
}


def names() -> list[str]:
    """Ids of the models that are there, in the order of the recipes; a model's checkpoints follow it."""
    ids = [i for name, recipe in RECIPES.items() for i in (name, *(checkpoint(name, step) for step in recipe.keep))]
    return [i for i in ids if path(i, ".json").exists()]


def card(name: str) -> dict:
    """What is known of a model: architecture, layers, widths, classes, recipe, accuracies."""
    known = names()
    name = name.removeprefix("builtin:")
    if name not in known:
        raise InputError(f"There is no model {name!r} in the zoo.", f"Choose one of {', '.join(known)}.")
    return json.loads(path(name, ".json").read_text(encoding="utf-8"))


def load(name: str) -> Model:
    """A model of the zoo; its weights are read when it first runs. "raw" is the data itself."""
    if name.removeprefix("builtin:") == "raw":
        return load_raw()
    known = card(name)
    name, weights = known["id"], path(known["id"], ".safetensors")
    return Model(name, known["modality"], known["layers"], partial(build, weights, known["architecture"], len(known["classes"])),
                 digest_weights(weights, known), known["widths"], known["head"], tuple(known["classes"]), known["pooling"],
                 f"builtin:{name}", known)


def load_raw() -> Model:
    """The data itself as a model of one layer: what any other model has to beat."""
    return Model("The data itself", ("image", "array"), {"input": "0"}, _build_raw, digest("raw", 1), source="builtin:raw",
                 card={"about": "No network: pixels or columns as they are.", "parameters": 0})


def path(name: str, ending: str) -> Path:
    return ASSETS / (name.replace("/", "-") + ending)


def checkpoint(name: str, step: int) -> str:
    return f"{name}-step{step:04d}"


def trained_rows(rows: int) -> np.ndarray:
    """Which rows of the handwritten digits fine-tuning saw; the others are held out."""
    return np.arange(rows) % 3 != THIRD


def digest_weights(weights: Path, known: dict) -> str:
    """Of all that decides what comes out: the weights and how they are run and read."""
    how = {k: known[k] for k in ("architecture", "options", "layers", "head", "classes", "pooling")}
    return digest("zoo", how, "pictures 1", digest_file(weights))


def build(weights: Path | Mapping[str, np.ndarray], architecture: str, classes: int):
    """(network in eval mode, preprocess)"""
    import torch

    from analysis.models import architectures
    module = architectures.make(architecture, classes)
    tensors = weights if isinstance(weights, Mapping) else open_tensors(weights)
    state = {k: torch.from_numpy(np.array(v, np.float32)) for k, v in tensors.items()}
    module.load_state_dict(state, strict=False)  # counters of batches seen are not stored
    return module.eval().to(memory_format=torch.channels_last), pictures  # convolutions run twice as fast so


def pictures(items: np.ndarray):
    """uint8 pictures of any size as a tensor (b, 3, 32, 32) in 0..1, which keeps its colours last in memory."""
    import torch
    x = torch.from_numpy(items.astype(np.float32)).permute(0, 3, 1, 2) / 255
    if x.shape[2:] != (digits.SIDE, digits.SIDE):
        x = torch.nn.functional.interpolate(x, (digits.SIDE, digits.SIDE), mode="bilinear", antialias=True)
    return x


def _build_raw():
    import torch
    return torch.nn.Sequential(torch.nn.Flatten()).eval(), _numbers


def _numbers(items: np.ndarray):
    """Pixels in 0..1, or columns as they are."""
    import torch
    return torch.from_numpy(items.astype(np.float32) / np.float32(255 if items.dtype == np.uint8 else 1))


# --- training -----------------------------------------------------------------------------------------------------------------------

def train(name: str) -> None:
    """Train one model by its recipe and store it, its card and its checkpoints."""
    import torch
    import torch.nn.functional as F

    recipe, started = RECIPES[name], time.monotonic()
    torch.manual_seed(recipe.seed)
    module = _start(recipe)
    groups = [{"params": [p for p in module.parameters() if p.ndim > 1], "weight_decay": recipe.decay},
              {"params": [p for p in module.parameters() if p.ndim < 2], "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=recipe.rate, foreach=True)
    batches = _tuning_batches(recipe) if recipe.start else _source_batches(recipe)
    right = []
    for step in range((recipe.stop or recipe.steps) + 1):
        if step in recipe.keep:
            store(checkpoint(name, step), module, recipe, step, right, time.monotonic() - started)
        if step == (recipe.stop or recipe.steps):
            break
        x, y = next(batches)
        for group in optimiser.param_groups:
            group["lr"] = recipe.rate * min((step + 1) / (0.06 * recipe.steps), 0.5 + 0.5 * math.cos(math.pi * step / recipe.steps))
        out = module.train()(x)
        optimiser.zero_grad()
        F.cross_entropy(out, y, label_smoothing=0.05).backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimiser.step()
        right.append((out.argmax(dim=1) == y).float().mean().item())
        if step % 50 == 49:
            print(f"{name} step {step + 1}: {np.mean(right[-20:]):.3f} right, {time.monotonic() - started:.0f} s", flush=True)
    store(name, module, recipe, step, right, time.monotonic() - started)


def store(name: str, module, recipe: Recipe, step: int, right: list, seconds: float) -> None:
    """Weights in half precision, and a card measured on them as they lie there."""
    from analysis.models import architectures

    known = architectures.ARCHITECTURES[recipe.architecture]
    state = {k: v.detach().numpy().astype(np.float16) for k, v in module.state_dict().items() if not k.endswith("num_batches_tracked")}
    save_tensors(path(name, ".safetensors"), state, {"model": name})
    facts = {"id": name, "about": recipe.about if step == (recipe.stop or recipe.steps) else f"{recipe.about[:-1]}; after {step} steps.",
             "architecture": recipe.architecture, "architecture_about": known.about, "options": dict(known.options),
             "layers": module.states, "widths": {}, "head": "head", "classes": list(recipe.characters), "modality": "image",
             "pooling": known.pooling, "parameters": sum(p.numel() for p in module.parameters()), "step": step,
             "recipe": _told(recipe), "training_seconds": round(seconds, 1),
             "train_accuracy": round(float(np.mean(right[-20:])), 4) if right else None}
    write_json(path(name, ".json"), facts)
    model = load(name)
    test = digits.make_characters(n=HELD_OUT, characters=recipe.characters)
    facts["widths"] = {k: v.shape[1] for k, v in model.run(test.items[:2])[0].items()}
    facts["source_accuracy"] = measure(model, test.items, test.labels) | {"on": "held-out printed characters of its classes, seed 0"}
    if recipe.start:
        hand = digits.make("handwritten")
        out = ~trained_rows(len(hand))
        facts["target_accuracy"] = measure(model, hand.items[out], hand.labels[out]) | {"on": "held-out handwritten digits"}
        facts["split"] = {"dataset": "builtin:digits/handwritten", "trained": f"rows whose number divided by 3 does not leave {THIRD}",
                          "trained_rows": int((~out).sum()), "held_out_rows": int(out.sum())}
    write_json(path(name, ".json"), facts)
    print(name, facts["source_accuracy"], facts.get("target_accuracy", ""), flush=True)


def measure(model: Model, items: np.ndarray, labels: np.ndarray) -> dict:
    """Accuracy of the model's head with its 95 % Wilson interval."""
    first = next(iter(model.layers))
    logits = np.concatenate([model.run(items[i:i + 300], layers=first)[1] for i in range(0, len(items), 300)])
    n, p, z = len(labels), float((logits.argmax(axis=1) == labels).mean()), 1.959964
    middle, reach = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = (middle - reach) / (1 + z * z / n), (middle + reach) / (1 + z * z / n)
    return {"value": round(p, 4), "n": n, "low": round(low, 4), "high": round(high, 4)}


def _start(recipe: Recipe):
    """The network before its first step: random, or another model with a new head."""
    from analysis.models import architectures
    module = architectures.make(recipe.architecture, len(recipe.characters))
    if recipe.start:
        old = load(recipe.start).load()[0].state_dict()
        module.load_state_dict({k: v for k, v in old.items() if not k.startswith("head.")}, strict=False)
    return module


def _source_batches(recipe: Recipe) -> Iterator:
    """Printed characters: fresh ones in chunks, each from its own seed, or one fixed set in random order."""
    import torch
    rng = np.random.default_rng(recipe.seed)
    places = np.array([digits.CHARACTERS.index(c) for c in recipe.characters])
    seed = 1000 + 100_000 * recipe.seed  # the seeds below 1000 are kept for looking at
    while True:
        labels = np.arange(recipe.samples or CHUNK) % len(places)
        drawn = digits.print_glyphs(places[labels], seed)
        seed += not recipe.samples
        order = rng.permutation(len(labels))
        for rows in np.split(order, range(recipe.batch, len(order), recipe.batch)):
            x = torch.from_numpy(drawn[rows])[:, None].expand(-1, 3, -1, -1)
            yield _colour(x) if recipe.colour else x.contiguous(), torch.from_numpy(labels[rows])


def _tuning_batches(recipe: Recipe) -> Iterator:
    """The handwritten digits that are not held out, each time turned, sized and moved a little."""
    import torch
    import torch.nn.functional as F
    drawn, labels = digits.handwritten()
    rows = np.flatnonzero(trained_rows(len(drawn)))
    drawn, labels = torch.from_numpy(drawn[rows])[:, None], torch.from_numpy(labels[rows])
    while True:
        order = torch.randperm(len(rows))
        for part in order[:len(order) // recipe.batch * recipe.batch].split(recipe.batch):
            turn, size = (torch.rand(2, len(part)) * 2 - 1) * torch.tensor([[0.2], [0.12]])
            move = (torch.rand(len(part), 2, 1) * 2 - 1) * 0.12
            turned = torch.stack([turn.cos(), -turn.sin(), turn.sin(), turn.cos()], dim=1).view(-1, 2, 2) * (1 + size)[:, None, None]
            x = F.grid_sample(drawn[part], F.affine_grid(torch.cat([turned, move], dim=2), (len(part), 1, 32, 32), align_corners=False),
                              align_corners=False).expand(-1, 3, -1, -1)
            yield _colour(x) if recipe.colour else x.contiguous(), labels[part]


def _colour(x):
    """Every second picture with a random light stroke and dark ground colour, and a random brightness."""
    import torch
    stroke, ground = 0.3 + 0.7 * torch.rand(len(x), 3, 1, 1), 0.5 * torch.rand(len(x), 3, 1, 1)
    lift = (0.4 + ground.mean(dim=1, keepdim=True) - stroke.mean(dim=1, keepdim=True)).clamp_min(0)  # the stroke stays the lighter one
    coloured = (ground + (stroke + lift - ground) * x) * (0.7 + 0.5 * torch.rand(len(x), 1, 1, 1))
    return torch.where(torch.arange(len(x)).view(-1, 1, 1, 1) % 2 == 0, x, coloured.clamp(0, 1))


def _told(recipe: Recipe) -> dict:
    """The recipe in the card's words."""
    if recipe.start:
        data = "handwritten digits, the trained rows, each time turned up to 11°, sized by 12 % and moved by 2 pixels"
    elif recipe.samples:
        data = f"one fixed set of {recipe.samples} printed characters"
    else:
        data = "printed characters, fresh ones at every step"
    drawn = "random colours and brightness of every second picture" if recipe.colour else "none beyond the drawing's own"
    return asdict(recipe) | {"data": data, "first_data_seed": 1000 + 100_000 * recipe.seed, "loss": "cross entropy, label smoothing 0.05",
                             "optimiser": "AdamW, gradient norm clipped at 1", "schedule": "warm-up over 6 % of the steps, then cosine",
                             "augmentation": drawn}


def main(wanted: list[str]) -> None:
    unknown = [name for name in wanted if name not in RECIPES]
    if unknown:
        raise SystemExit(f"No recipe named {unknown[0]!r}. There are: {', '.join(RECIPES)}.")
    for name in wanted or RECIPES:
        train(name)


if __name__ == "__main__":
    main(sys.argv[1:])
