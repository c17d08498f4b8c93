"""persistence: the Persistence Ratio of a layer, and its loops."""

from analysis.commands.terminal import Progress, leads_to, number
from analysis.errors import InputError


def add(verbs) -> None:
    p = verbs.add_parser("persistence", help="the Persistence Ratio of a layer, and its loops",
                         description="How well the clusters of a layer stand apart: the Persistence Ratio, its interval, its chance level; and its loops.")
    p.add_argument("file", metavar="FILE", help="a representation: safetensors, npz, npy, csv, tsv, parquet")
    p.add_argument("--layer", metavar="NAME", help="(default: the last)")
    p.add_argument("--classes", metavar="K", help="how many clusters to expect (default: the number of classes among the labels)")
    p.add_argument("--loops", action="store_true", help="also the loops, H1")
    p.add_argument("--max-points", type=int, default=1000, metavar="N", help="landmarks for the loops (default: 1000)")
    p.add_argument("--seed", type=int, default=0, help="of everything that is drawn (default: 0)")
    leads_to(p, run)


def run(options) -> dict:
    from analysis import load_representation
    from analysis.metrics import persistence as kernel

    found = load_representation(options.file)
    layer = options.layer or list(found.layers)[-1]
    if layer not in found.layers:
        raise InputError(f"{options.file} has no layer {layer!r}.", f"Choose one of {', '.join(found.layers)}.")
    if options.classes is None and found.labels is None:
        raise InputError(f"{options.file} has no labels, so the number of classes is not known.", "Give it with --classes K.")
    classes = len(set(found.labels.tolist())) if options.classes is None else kernel.whole(number(options.classes))
    x = found.layers[layer]
    profile = kernel.profile(x, seed=options.seed, progress=Progress())
    loops = kernel.diagrams(x, max_points=options.max_points, seed=options.seed, progress=Progress()) if options.loops else None
    if options.json != "-":
        print(f"{options.file}, layer {layer}: {len(x)} points, {x.shape[1]} wide, {classes} class{'es' * (classes != 1)}")
        print("\n".join(_said(profile, classes) + (_said_of_loops(loops) if loops else [])))
    return {"file": options.file, "layer": layer, "width": x.shape[1], **profile.manifest(classes), **({"loops": loops.manifest()} if loops else {})}


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
