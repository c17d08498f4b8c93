"""tas: where two layers agree."""

from analysis.commands.terminal import last, leads_to


def add(verbs) -> None:
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
    leads_to(p, run)


def run(options) -> dict:
    from analysis import load_representation
    from analysis.studies.spectrum import compare

    sides = {side: {"representation": load_representation(getattr(options, side))} for side in ("a", "b")}
    chosen = {name: getattr(options, name) for name in ("layer_a", "layer_b", "metric", "baseline", "permutations", "resamples", "max_k", "seed")}
    found = last(compare, sides, chosen)
    if options.json != "-":
        first, second = (f"{getattr(options, side)}, layer {layer}" for side, layer in zip("ab", found.layers, strict=True))
        print(f"{first}, and {second}: {found.n} items in both, {found.left_out[0]} only in the first, {found.left_out[1]} only in the second")
        print("\n".join(_said(found)))
    return {"a": options.a, "b": options.b, **found.manifest()}


def _said(found) -> list[str]:
    scale = round(found.n / found.clusters) if found.clusters else 0
    sizes = sorted({k for k in (*(m * 10**e for e in range(6) for m in (1, 2, 5)), scale) if found.k[0] <= k <= found.k[-1]})
    bands = [("null band", found.null()), ("95 % interval", found.bootstrap())]
    span = lambda band, k: f"{band.low[k - 1]:7.4f} to {band.high[k - 1]:7.4f}"
    lines = [f"{'k':>6}  {'TAS':>7}" + "".join(f"  {name:>18}" for name, band in bands if band)]
    lines += [f"{k:>6}  {found.tas[k - 1]:7.4f}" + "".join(f"  {span(band, k)}" for _, band in bands if band) + "  n/C" * (k == scale) for k in sizes]
    lines.append(f"AUC {found.auc:.4f}")
    lines += [f"{name} {value:.4f}" if value is not None else f"{name} has no value. {found.reasons[name]}" for name, value in found.companions.items()]
    return [*lines, *(f"note: {warning}" for warning in found.warnings)]
