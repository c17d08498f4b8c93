"""The command line: same options, same defaults, same numbers as the pages. `python -m analysis --help`."""

import argparse
import json
import os
import sys
import time
from types import SimpleNamespace

from analysis.errors import InputError


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    try:
        report = options.run(options)
        if options.json:
            _write(options.json, report)
        return 0
    except InputError as error:
        print(f"error: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"       {error.hint}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        print(f"error: {error.filename or 'a file'} cannot be written or read: {error.strerror or error}.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on where it was", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m analysis", description="Sextant's command line. Models and datasets are named as in the app.")
    verbs = top.add_subparsers(required=True, metavar="COMMAND")

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
    p.set_defaults(run=extract)

    p = verbs.add_parser("list", help="what can be loaded and what is stored", description="Built-in models and datasets, and what the store holds.")
    p.add_argument("what", nargs="*", choices=("models", "datasets", "stored", []), default=[], help="one part of the list (default: all)")
    p.set_defaults(run=list_all)

    p = verbs.add_parser("persistence", help="the Persistence Ratio of a layer, and its loops",
                         description="How well the clusters of a layer stand apart: the Persistence Ratio, its interval, its chance level; and its loops.")
    p.add_argument("file", metavar="FILE", help="a representation: safetensors, npz, npy, csv, tsv, parquet")
    p.add_argument("--layer", metavar="NAME", help="(default: the last)")
    p.add_argument("--classes", metavar="K", help="how many clusters to expect (default: the number of classes among the labels)")
    p.add_argument("--loops", action="store_true", help="also the loops, H1")
    p.add_argument("--max-points", type=int, default=1000, metavar="N", help="landmarks for the loops (default: 1000)")
    p.add_argument("--seed", type=int, default=0, help="of everything that is drawn (default: 0)")
    p.set_defaults(run=persistence)

    p = verbs.add_parser("tas", help="where two layers agree: their neighbourhoods at every size",
                         description="The alignment spectrum of a layer of A and one of B, of the same items: TAS at neighbourhood sizes, with its bands.")
    for side in "ab":
        p.add_argument(side, metavar=side.upper(), help="a representation: safetensors, npz, npy, csv, tsv, parquet; items are matched by id")
        p.add_argument(f"--layer-{side}", default="", metavar="NAME", help=f"of {side.upper()} (default: the last)")
    p.add_argument("--metric", default="euclidean", help="euclidean or cosine (default: euclidean)")
    p.add_argument("--baseline", default="exact", help="what chance is: exact, or as in the paper, too small (default: exact)")
    p.add_argument("--permutations", type=int, default=200, metavar="N", help="for the null band; 0 for none (default: 200)")
    p.add_argument("--resamples", type=int, default=200, metavar="N", help="for the bootstrap band; 0 for none (default: 200)")
    p.add_argument("--max-k", type=int, metavar="K", help="largest neighbourhood size (default: all; 1000 of more than 20 000 items)")
    p.add_argument("--seed", type=int, default=0, help="of everything that is drawn (default: 0)")
    p.set_defaults(run=spectrum)

    for each in verbs.choices.values():
        each.add_argument("--json", nargs="?", const="-", metavar="FILE", help="write the numbers and what made them to FILE (standard output without one)")
    return top


def extract(options) -> dict:
    from analysis import extract as run
    from analysis import load_dataset, load_model
    from analysis.store import describe

    if options.out and not options.out.endswith((".safetensors", ".npz")):
        raise InputError(f"{options.out!r} has no ending that a representation is written as.", "Use .safetensors or .npz.")
    model = load_model(options.model, **({"architecture": options.architecture} if options.architecture else {}))
    dataset = load_dataset(options.dataset, **({"drop_bad_rows": True} if options.drop_bad_rows else {}))
    begun = time.perf_counter()
    found = run(model, dataset, layers=options.layers, pooling=options.pooling, batch_size=options.batch_size,
                device=options.device, progress=_Progress())
    if options.out:
        found.save(options.out)
    if options.json != "-":
        for name, x in found.layers.items():
            print(f"{name:<24} {x.shape[0]} x {x.shape[1]}")
        print(f"{len(found.layers)} layer{'s' * (len(found.layers) != 1)} of {found.manifest['model']['name']} on {found.manifest['dataset']['name']}, "
              f"{time.perf_counter() - begun:.1f} s; in the store as {found.manifest['key']}")
    return describe(found)


def list_all(options) -> dict:
    from analysis.data import catalogue
    from analysis.models import catalogue as models
    from analysis.store import default

    parts, store = options.what or ["models", "datasets", "stored"], default()
    report = {}
    if "models" in parts:
        report["models"] = [{"id": m.id, "name": m.name, "about": m.about} for m in models()]
    if "datasets" in parts:
        report["datasets"] = [{"id": d.id, "name": d.name, "about": d.about} for d in catalogue()]
    if "stored" in parts:
        report["stored"] = [{"kind": e.kind, "key": e.key, "bytes": e.bytes, **_short(e.facts)} for e in store.entries()]
        report["store"] = {"folder": str(store.folder), "bytes": store.size(), "cap": store.cap}
    if options.json != "-":
        for part in parts:
            print(f"{part}{f' ({store.folder}, {store.size() / 1e6:.1f} of {store.cap / 1e6:.0f} MB)' if part == 'stored' else ''}")
            for row in report[part]:
                title = row.get("id") or f"{row['kind']:<16}{row['key']}  {row['bytes'] / 1e6:7.1f} MB"
                print(f"  {title:<40} {row.get('about') or row.get('what', '')}")
    return report


def persistence(options) -> dict:
    from analysis import load_representation
    from analysis.metrics import persistence as kernel

    found = load_representation(options.file)
    layer = options.layer or list(found.layers)[-1]
    if layer not in found.layers:
        raise InputError(f"{options.file} has no layer {layer!r}.", f"Choose one of {', '.join(found.layers)}.")
    if options.classes is None and found.labels is None:
        raise InputError(f"{options.file} has no labels, so the number of classes is not known.", "Give it with --classes K.")
    classes = len(set(found.labels.tolist())) if options.classes is None else kernel.whole(_number(options.classes))
    x = found.layers[layer]
    profile = kernel.profile(x, seed=options.seed, progress=_Progress())
    loops = kernel.diagrams(x, max_points=options.max_points, seed=options.seed, progress=_Progress()) if options.loops else None
    if options.json != "-":
        print(f"{options.file}, layer {layer}: {len(x)} points, {x.shape[1]} wide, {classes} class{'es' * (classes != 1)}")
        print("\n".join(_said(profile, classes) + (_said_of_loops(loops) if loops else [])))
    return {"file": options.file, "layer": layer, "width": x.shape[1], **profile.manifest(classes), **({"loops": loops.manifest()} if loops else {})}


def spectrum(options) -> dict:
    from analysis import load_representation
    from analysis.studies.spectrum import compare

    sides = {side: {"representation": load_representation(getattr(options, side))} for side in ("a", "b")}
    chosen = {name: getattr(options, name) for name in ("layer_a", "layer_b", "metric", "baseline", "permutations", "resamples", "max_k", "seed")}
    *_, found = compare(sides, chosen, SimpleNamespace(progress=_Progress()))
    if options.json != "-":
        first, second = (f"{getattr(options, side)}, layer {layer}" for side, layer in zip("ab", found.layers, strict=True))
        print(f"{first}, and {second}: {found.n} items in both, {found.left_out[0]} only in the first, {found.left_out[1]} only in the second")
        print("\n".join(_said_of_spectrum(found)))
    return {"a": options.a, "b": options.b, **found.manifest()}


def _said_of_spectrum(found) -> list[str]:
    scale = round(found.n / found.clusters) if found.clusters else 0
    sizes = sorted({k for k in (*(m * 10**e for e in range(6) for m in (1, 2, 5)), scale) if found.k[0] <= k <= found.k[-1]})
    bands = [("null band", found.null()), ("95 % interval", found.bootstrap())]
    span = lambda band, k: f"{band.low[k - 1]:7.4f} to {band.high[k - 1]:7.4f}"
    lines = [f"{'k':>6}  {'TAS':>7}" + "".join(f"  {name:>18}" for name, band in bands if band)]
    lines += [f"{k:>6}  {found.tas[k - 1]:7.4f}" + "".join(f"  {span(band, k)}" for _, band in bands if band) + "  n/C" * (k == scale) for k in sizes]
    lines.append(f"AUC {found.auc:.4f}")
    lines += [f"{name} {value:.4f}" if value is not None else f"{name} has no value. {found.reasons[name]}" for name, value in found.companions.items()]
    return [*lines, *(f"note: {warning}" for warning in found.warnings)]


def _said(profile, classes: int) -> list[str]:
    from analysis.metrics.persistence import pieces
    found, (low, high), chance = profile.ratio(classes), profile.interval(classes), profile.chance(classes)
    if found.reason:
        lines = [f"PR has no value. {found.reason}"]
    else:
        doubt = profile.doubt(classes)
        lines = [f"PR {found.ratio:.4f}, " + (f"no interval. {doubt}" if doubt else f"95 % interval {low:.4f} to {high:.4f}"),
                 f"chance {chance[0]:.4f}, {chance[1]:.4f} to {chance[2]:.4f} ({len(profile.shuffled)} clouds with shuffled columns)",
                 f"separation {found.separation:.6g}, tightness {found.tightness:.6g}"]
    if len(profile.rows) < profile.of:
        lines.append(f"means over {len(profile.resampled)} uniform subsets of {len(profile.rows)} of {profile.of} points")
    cut, chance = pieces(profile.tree()), profile.groups
    by_chance = f"; by chance {chance.min()} to {chance.max()}" if len(chance) else ""
    return [*lines, f"the largest gap between lifetimes leaves {cut.groups} group{'s' * (cut.groups != 1)} and {cut.stray} stray points{by_chance}"]


def _said_of_loops(found) -> list[str]:
    births, deaths = found.h1.T
    i = (deaths - births).argmax() if len(births) else 0
    longest = f", the longest from {births[i]:.6g} to {deaths[i]:.6g}, lifetime {deaths[i] - births[i]:.6g}" if len(births) else ""
    return [f"H1: {len(births)} bar{'s' * (len(births) != 1)}{longest}",
            f"{len(found.points)} landmarks of {found.n} points, covering radius {found.covering_radius:.6g}"]


def _short(facts: dict) -> dict:
    manifest = facts.get("manifest", {})
    model, data = manifest.get("model", {}).get("name"), manifest.get("dataset", {}).get("name")
    return {"what": f"{model} on {data}" if model else facts.get("name") or facts.get("origin") or facts.get("unit", ""), "created": facts.get("created")}


def _batch(text: str):
    return text if text == "auto" else int(text)


def _number(text: str):
    """The number that a text is, or the text, for whoever refuses it by name."""
    try:
        return float(text)
    except ValueError:
        return text


def _write(target: str, report: dict) -> None:
    text = json.dumps(report, ensure_ascii=False, indent=1)
    if target == "-":
        print(text)
        return
    from analysis.tensors import replacing
    with replacing(target, "w") as file:
        file.write(text + "\n")


class _Progress:
    """One line on standard error, rewritten in place on a terminal."""

    def __init__(self):
        self.begun = time.perf_counter()

    def __call__(self, done: int, total: int, note: str) -> None:
        if sys.stderr.isatty():
            rate = done / max(time.perf_counter() - self.begun, 1e-9)
            print(f"\r{note}: {done} of {total} ({rate:.0f} a second)   ", end="\n" if done == total else "", file=sys.stderr, flush=True)
        elif done in (0, total):
            print(f"{note}: {done} of {total}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
