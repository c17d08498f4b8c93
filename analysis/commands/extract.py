"""extract: every layer of a model on a dataset, into the store."""

import time

from analysis.commands.terminal import Progress, leads_to
from analysis.errors import InputError


def add(verbs) -> None:
    p = verbs.add_parser("extract", help="every layer of a model on a dataset, into the store",
                         description="Run MODEL on DATASET and keep the states of its layers in the store. A second time it is a lookup.")
    p.add_argument("model", help="builtin:vit/seed0, builtin:text/minilm, hf:org/name, or a folder with a transformers checkpoint")
    p.add_argument("dataset", help="builtin:digits/handwritten, builtin:reviews/film, hf:org/name, or a file: zip, csv, tsv, parquet, jsonl, npy, npz")
    p.add_argument("--layers", nargs="+", default="all", metavar="LAYER", help="names of layers (default: all)")
    p.add_argument("--pooling", choices=("native", "cls", "mean", "last"), help="how tokens become one row (default: the model's own way)")
    p.add_argument("--batch-size", type=_batch, default="auto", help="items at a time (default: auto)")
    p.add_argument("--device", default="auto", help="cpu, cuda, ... (default: auto)")
    p.add_argument("--architecture", metavar="NAME", help="of the zoo: what MODEL is when it is a .safetensors file of your own weights")
    p.add_argument("--drop-bad-rows", action="store_true", help="leave out rows of DATASET with NaN, infinite or missing values")
    p.add_argument("--out", metavar="FILE", help="also write the representation to FILE (.safetensors or .npz)")
    leads_to(p, run)


def run(options) -> dict:
    from analysis import extract, load_dataset, load_model
    from analysis.store import describe

    if options.out and not options.out.endswith((".safetensors", ".npz")):
        raise InputError(f"{options.out!r} has no ending that a representation is written as.", "Use .safetensors or .npz.")
    model = load_model(options.model, **({"architecture": options.architecture} if options.architecture else {}))
    dataset = load_dataset(options.dataset, **({"drop_bad_rows": True} if options.drop_bad_rows else {}))
    begun = time.perf_counter()
    found = extract(model, dataset, layers=options.layers, pooling=options.pooling, batch_size=options.batch_size,
                    device=options.device, progress=Progress())
    if options.out:
        found.save(options.out)
    if options.json != "-":
        for name, x in found.layers.items():
            print(f"{name:<24} {x.shape[0]} x {x.shape[1]}")
        print(f"{len(found.layers)} layer{'s' * (len(found.layers) != 1)} of {found.manifest['model']['name']} on {found.manifest['dataset']['name']}, "
              f"{time.perf_counter() - begun:.1f} s; in the store as {found.manifest['key']}")
    return describe(found)


def _batch(text: str):
    return text if text == "auto" else int(text)
