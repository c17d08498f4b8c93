"""Fine-tuning as a unit of work: every weight of a model of the zoo trained on a few items of a dataset, which is the other measured truth."""

import math
from collections.abc import Callable

import numpy as np

from analysis.data.dataset import Dataset
from analysis.errors import InputError
from analysis.metrics.leaderboard import Leaderboard
from analysis.metrics.projection import sample
from analysis.models.model import Model
from analysis.studies.gain import BUDGET
from analysis.studies.ranking import FAMILIAR, TRUTH, _named, familiar

BATCH, DECAY, WARM = 32, 0.05, 0.1
PLAIN = {"seeds": 3, "steps": 60, "budget": None, "tested": 500, "rate": 1e-3, "seed": 0}
WHOLE = {"seeds": (1, 1000), "steps": (1, 100_000), "tested": (1, 1_000_000)}
AT_ONCE = 250  # items whose classes are told at once


def finetune(inputs: dict, options: dict, ctx):
    """{"models", "dataset"} with {"names", "seeds", "steps", "budget": items trained on, "tested": at most, "rate", "seed"} -> Leaderboard without scores: the
    accuracy of each model on items it was not trained on, partial after each run. All models are run on one split before the next.

    Each begins with its weights and a new head; AdamW, the rate warmed up and then falling along a cosine. A model that is not of the zoo keeps an empty row.
    """
    chosen, models, dataset = {**PLAIN, **options}, list(inputs["models"]), inputs["dataset"]
    names = _named([{"model": model} for model in models], options)
    budget, refused = _check(chosen, dataset), {name: _refusal(model, dataset) for name, model in zip(names, models, strict=True)}
    there = [row for row, name in enumerate(names) if not refused[name]]
    truth, total, done = np.full((len(models), chosen["seeds"]), np.nan), chosen["seeds"] * len(there) * chosen["steps"], 0
    said = {"budget": budget, "n": len(dataset), "classes": len(dataset.classes), "options": chosen,
            "reasons": {f"{name}: {TRUTH}": why for name, why in refused.items() if why},
            "warnings": [FAMILIAR.format(names[row]) for row in there if familiar(models[row].card, dataset.source)]}
    for split in range(chosen["seeds"]):
        train, test = divided(dataset.labels, budget, chosen["tested"], seed=[chosen["seed"], split])
        for row in there:
            note = f"{names[row]}, split {split + 1} of {chosen['seeds']}"
            tell = lambda step, done=done, note=note: ctx.progress(done + step, total, f"{note}: step {step}")
            truth[row, split] = tuned(models[row], dataset, train, test, chosen, [chosen["seed"], split], tell)
            done += chosen["steps"]
            yield _board(dataset, names, truth, said, final=done == total)
    if not there:
        yield _board(dataset, names, truth, said, final=True)


finetune.VERSION = 1


def divided(labels: np.ndarray, budget: int, tested: int, *, seed: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """(rows to train on, rows to test), every class in its share."""
    train = sample(labels, budget, seed=seed)
    rest = np.setdiff1d(np.arange(len(labels)), train)
    return train, rest[sample(labels[rest], tested, seed=seed)]


def tuned(model: Model, dataset: Dataset, train: np.ndarray, test: np.ndarray, options: dict, seed: list[int], tell: Callable) -> float:
    """Accuracy on the test rows of a copy of the model that was trained on the others. `tell` is called before each step; it may raise to stop."""
    import torch
    import torch.nn.functional as F
    rng, labels = np.random.default_rng(seed), torch.from_numpy(np.array(dataset.labels))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(rng.integers(2**31)))
        module, preprocess = _copied(model, len(dataset.classes))
        optimiser = torch.optim.AdamW(module.parameters(), lr=options["rate"], weight_decay=DECAY)
        for step, rows in enumerate(_batches(train, options["steps"], rng)):
            tell(step)
            for group in optimiser.param_groups:
                group["lr"] = options["rate"] * min((step + 1) / (WARM * options["steps"]), 0.5 + 0.5 * math.cos(math.pi * step / options["steps"]))
            loss = F.cross_entropy(module(preprocess(dataset.items[rows])), labels[rows])
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
            optimiser.step()
    module.eval()
    with torch.inference_mode():
        right = [(module(preprocess(dataset.items[rows])).argmax(dim=1) == labels[rows]).sum().item()
                 for rows in np.split(test, range(AT_ONCE, len(test), AT_ONCE))]
    tell(options["steps"])
    return sum(right) / len(test)


def _board(dataset: Dataset, names: tuple, truth: np.ndarray, said: dict, final: bool) -> Leaderboard:
    none = np.zeros((len(names), 0))
    return Leaderboard("models", dataset.domain or dataset.name, names, [()] * len(names), (), (), (), (), none, truth.copy(), TRUTH, final=final, **said)


def _copied(model: Model, classes: int):
    """(its network with its weights and a head for so many classes, ready to train, preprocess)"""
    from analysis.models import architectures
    learned, preprocess = model.load()
    module = architectures.make(model.card["architecture"], classes)
    module.load_state_dict({name: x for name, x in learned.state_dict().items() if not name.startswith("head.")}, strict=False)
    return module.train(), preprocess


def _batches(rows: np.ndarray, steps: int, rng: np.random.Generator):
    """So many batches of equal size, every row once before any comes again."""
    size, order = min(BATCH, len(rows)), np.zeros(0, np.int64)
    for _ in range(steps):
        if len(order) < size:
            order = rng.permutation(rows)
        yield order[:size]
        order = order[size:]


def _refusal(model: Model, dataset: Dataset) -> str:
    """Why a model cannot be fine-tuned here, or ""."""
    if "architecture" not in model.card:
        return f"{model.name} is not of the zoo: only its networks can be made again with a new head."
    if dataset.modality not in model.reads:
        return f"{model.name} reads {' or '.join(model.reads)}s, and {dataset.name or 'the dataset'} holds {dataset.modality}s."
    return ""


def _check(chosen: dict, dataset: Dataset) -> int:
    """The number of items to train on, all that is asked being sound."""
    if dataset.labels is None:
        raise InputError(f"{dataset.name or 'The dataset'} has no labels.", "Fine-tuning learns labels: load the dataset with them.")
    for name, (low, high) in WHOLE.items():
        if isinstance(chosen[name], bool) or not isinstance(chosen[name], int) or not low <= chosen[name] <= high:
            raise InputError(f"{chosen[name]!r} {name} were asked for.", f"Give a whole number from {low} to {high}.")
    if isinstance(chosen["rate"], bool) or not isinstance(chosen["rate"], (int, float)) or not 0 < chosen["rate"] <= 1:
        raise InputError(f"The learning rate is {chosen['rate']!r}.", "Give a number above 0, up to 1; 0.001 is usual.")
    least, most = len(dataset.classes), len(dataset) - len(dataset.classes)
    budget = min(BUDGET, len(dataset) // 2) if chosen["budget"] is None else chosen["budget"]
    if isinstance(budget, bool) or not isinstance(budget, int) or not least <= budget <= most:
        raise InputError(f"{budget!r} items to train on (budget) were asked for.", f"Give a whole number from {least} to {most}.")
    return budget
