"""grow: whether a larger network pays, and whether that can be told before it is trained."""

from dataclasses import replace

from analysis.commands.terminal import aligned, cell, last, leads_to, number, spanned
from analysis.errors import InputError

SPOT = ("mlp", "conv")  # networks trained on the spot
WAYS = {"deepen": "depth", "residual": "residual", "both": "both"}
EXACT = 1e-5  # up to which logits that differ count as the same
BEST = 5  # sizes and proxies that are listed
ASKED = {"width": "units of a layer (--units)", "depth": "layers (--layers)", "branches": "branches (--branches)", "steps": "steps of a branch (--steps)",
         "train": "steps of training (--train)", "seeds": "trainings of each candidate (--seeds)", "trained": "steps of the base (--trained)",
         "epsilon": "--epsilon", "widths": "--widen", "crossed": "--widen", "device": "--device"}  # what the study's options are called here


def add(verbs) -> None:
    p = verbs.add_parser("grow", help="whether growing a network pays, and whether that can be told before",
                         description="Grows MODEL in several ways that keep its function, measures how far the valley of each reaches and what it gains by "
                                     "training as long as MODEL itself, and says whether one tells the other. The estimators of the valley are ours. "
                                     "Without a way to grow all are tried; with some, only those.")
    p.add_argument("model", metavar="MODEL", help="builtin:mlp/plain, builtin:conv/narrow, a .safetensors file of weights; or mlp or conv: a small network "
                                                  "trained here")
    p.add_argument("dataset", nargs="?", metavar="DATASET", help="with labels: builtin:digits/printed, hf:org/name, or a file "
                                                                 "(default: builtin:digits/handwritten)")
    p.add_argument("--architecture", metavar="NAME", help="of the zoo: what MODEL is when it is a .safetensors file of your own weights")
    p.add_argument("--widen", nargs="+", type=number, metavar="F", help="make layers F times as wide, all of them and one alone")
    p.add_argument("--deepen", action="store_true", help="add layers that pass on what they get")
    p.add_argument("--residual", action="store_true", help="add residual blocks that start at zero")
    p.add_argument("--both", action="store_true", help="make all layers wider, by the factors F where they are given, and add to them")
    p.add_argument("--branches", type=int, metavar="K", help="trained from each candidate (default: 5)")
    p.add_argument("--steps", type=int, metavar="N", help="of a branch (default: 120)")
    p.add_argument("--epsilon", type=float, metavar="E", help="how far the loss may rise between connected branches, and a branch may end above its "
                                                              "start (default: 0.02)")
    p.add_argument("--train", type=int, metavar="N", help="steps of the training that the gain is of (default: 400, of conv 150; with --full 800, of conv 300)")
    p.add_argument("--seeds", type=int, metavar="N", help="trainings of each candidate (default: 5, of conv 3; with --full 10, of conv 5)")
    p.add_argument("--trained", type=int, metavar="N", help="steps that the base is trained first, 0 to leave it as it is (default: 1000, of a model 100)")
    p.add_argument("--units", type=int, metavar="N", help="of a layer of mlp or conv (default: 4, of conv 2)")
    p.add_argument("--layers", type=int, metavar="N", help="of mlp or conv (default: 2)")
    p.add_argument("--seed", type=int, default=0, help="of the split, the base, the branches and the training (default: 0)")
    p.add_argument("--device", metavar="NAME", help="cpu, cuda, ... (default: auto, a GPU where there is one and MODEL is large)")
    p.add_argument("--full", action="store_true", help="as in our full runs: more candidates, training, seeds and directions; many minutes")
    leads_to(p, run)


def run(options) -> dict:
    import torch

    from analysis import load_dataset
    from analysis.studies import growth

    torch.set_num_threads(1)  # as in the app
    spot = options.model if options.model in SPOT else ""
    if spot and options.architecture:
        raise InputError(f"{spot} is made here.", "--architecture is for a .safetensors file of your own weights.")
    inputs = {"dataset": load_dataset(options.dataset or growth.DATA), **({} if spot else {"model": _model(options)})}
    chosen = growth.settled("grow", {**_preset(options, spot), **_families(options)}, ASKED)
    chosen["candidates"], closed = _candidates(inputs, chosen, options.widen or []) if _families(options) else ((), ())
    found = last(growth.grow, inputs, chosen)
    found = replace(found, warnings=(*found.warnings, *closed))
    if options.json != "-":
        print("\n".join(_said(found)))
    return found.manifest()


def _model(options):
    from analysis import load_model
    if options.units is not None or options.layers is not None:
        raise InputError(f"{options.model} has the layers it has.", f"--units and --layers are for {' and '.join(SPOT)}, which are made here.")
    return load_model(options.model, **({"architecture": options.architecture} if options.architecture else {}))


def _preset(options, spot: str) -> dict:
    """The page's, with what was asked for."""
    from analysis.studies.growth import usual
    names = {**{name: name for name in ("branches", "steps", "epsilon", "train", "seeds", "trained", "device", "seed")}, "units": "width", "layers": "depth"}
    asked = {name: getattr(options, option) for option, name in names.items()}
    return {**usual(spot, options.full), **{name: value for name, value in asked.items() if value is not None}}


def _families(options) -> dict:
    """Only the ways that were asked for, by the factors that were asked for; {} for all of them."""
    families = ["width"] * bool(options.widen) + [family for way, family in WAYS.items() if getattr(options, way)]
    factors = {"widths": options.widen, "crossed": options.widen, "matched": False} if options.widen else {}
    return {"families": families, **factors} if families else {}


def _candidates(inputs: dict, chosen: dict, factors: list[float]) -> tuple[tuple, tuple]:
    """(the study's own, but single layers as wide as was asked for, not twice as wide; which of the ways are closed and why). The study lists them for a
    network, and it takes few items to have one."""
    from analysis.metrics import minima
    from analysis.metrics.minima.wiring import named
    from analysis.studies import growth
    module = growth.opened(inputs, {**chosen, "limit": growth.FEWEST}).module
    (_, *found), closed = growth.listed(module, chosen)
    if not found:
        raise InputError(" ".join(closed), "Choose another way to grow, or another network.")
    whole, parts = [layer.name for layer in minima.expandable(module) if layer.whole], [factor for factor in factors if factor % 1]
    if whole and parts:
        raise InputError(f"{whole[0]} cannot be made {parts[0]:g} times as wide, only by whole factors: a LayerNorm stands behind it.", "Give a whole factor.")
    if factors:
        together = [c for c in found if c.family == "width" and c.name in {f"all ×{factor:g}" for factor in factors}]
        layers = [c.changes[0][1] for c in found if c.family == "width" and c not in together]
        alone = [growth.Candidate(f"{named(layer)} ×{factor:g}", "width", (("widen", layer, factor),)) for factor in chosen["widths"] for layer in layers]
        found = [*together, *alone, *(c for c in found if c.family != "width")]
    return tuple((c.name, c.family, c.changes) for c in found), tuple(closed)


def _said(found) -> list[str]:
    """The function check, the candidates with what gained most on top, what their sizes and the proxies told of it, and what else there is to know."""
    import numpy as np
    told, ends = found.options, found.accuracy[0][np.isfinite(found.accuracy[0])]
    after = f"{ends.mean():.4f} after {found.steps[1]} steps more" if len(ends) else "unknown after more training"
    worst, known = int(np.nanargmax(found.check)), found.check[found.expansions & np.isfinite(found.check)]  # what fails has none
    check = f"function check: max |delta logit| {found.check[worst]:.1e}, of {found.names[worst]}"
    return [f"{check}; {(known <= EXACT).sum()} of {len(known)} expansions keep the function to {EXACT:.0e}",
            f"{found.base} on {found.data}: accuracy {found.start:.4f}, {after}; gains are above that, over {told['seeds']} seed{'s' * (told['seeds'] > 1)}",
            f"{told['branches']} branches of {found.steps[0]} steps, epsilon {found.epsilon:g}; distance, radius and log-volume are our estimators",
            *aligned(_candidate_rows(found)), "", *filter(None, (found.verdict(), found.within())), "", *_board(found),
            *(f"note: {note}" for note in _notes(found))]


def _candidate_rows(found) -> list[list[str]]:
    """The base, then what gained most."""
    base, *grown = (line for line in found.table().to_dict("records") if line["check"] == line["check"])
    lines = [base, *sorted(grown, key=lambda line: (line["gain"] != line["gain"], -line["gain"]))]
    sizes = [found.title(name) for name in ("distance", "radius", "volume")]
    rows = [["candidate", "family", "parameters", "gain", "95 % interval", *map(str.lower, sizes)]]
    for line in lines:
        told = spanned(line["gain"], line["low"], line["high"]) if line is not base else ["-", "-"]  # its own gain is none
        rows.append([line["name"], line["family"], f"{line['parameters']:.0f}", *told, *(cell(line[size]) for size in sizes)])
    return rows


def _board(found) -> list[str]:
    """What goes best with the gain, and the number of parameters to compare it with."""
    lines = found.summary().to_dict("records")
    best = [line for line in lines if not line["note"]]
    if not best:
        return [f"No size or proxy has a tau. {lines[0]['note']}"]
    rows = [["size or proxy", "", "n", "tau", "95 % interval", "pick", "regret"]]
    for line in [*best[:BEST], *(line for line in best[BEST:] if line["name"] == "params")]:
        kind, picks = "ours" if line["ours"] else "trivial" * (line["name"] == "params"), found.picks(line["name"])
        pick = picks[0] + f" and {len(picks) - 1} more" * (len(picks) > 1) if picks else "-"
        rows.append([line["title"], kind, str(line["n"]), *spanned(line["tau"], line["tau low"], line["tau high"]), pick, cell(line["regret"])])
    return aligned(rows)


def _notes(found) -> list[str]:
    """Warnings, what is missing, once for all candidates that lack a proxy or the volume for one reason, and what the numbers are."""
    lacking = {}
    for name, flat, check in zip(found.names, found.whys(), found.check, strict=True):
        proxies = {found.title(proxy): found.reasons.get(f"{name}: {proxy}") for proxy in found.proxies}
        for title, why in {**proxies, "log-volume": flat}.items():
            if why and check == check:  # what could not be grown or measured has a warning of its own
                lacking.setdefault((title, why), []).append(name)
    return [*found.warnings, *(f"no {title} of {', '.join(names)}. {why}" for (title, why), names in lacking.items()), *found.notes]
