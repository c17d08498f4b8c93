"""radar: which source domain will help a target."""

import argparse

from analysis.commands.terminal import aligned, entries, last, leads_to


def add(verbs) -> None:
    p = verbs.add_parser("radar", help="which source domain will help a target",
                         description="RADAR: how far each SOURCE lies from TARGET in the layers of a frozen model, beside what chance gives. Geometry only: "
                                     "it sees how inputs move, not what their labels mean.")
    given = "a dataset, or a representation: safetensors, npz, npy, csv, tsv, parquet"
    p.add_argument("target", metavar="TARGET", help=given)
    p.add_argument("sources", nargs="+", metavar="SOURCE", help="likewise")
    p.add_argument("--model", help="what datasets are run through; with it, npz, npy and tables are datasets "
                                   "(default: builtin:vit/seed0 for images, builtin:text/minilm for texts)")
    _switches(p)
    p.add_argument("--splits", type=int, default=20, metavar="N", help="halvings of the target, for the null (default: 20)")
    p.add_argument("--blocks", type=int, default=20, metavar="N", help="of items left out in turn, for the intervals (default: 20)")
    p.add_argument("--no-calibration", action="store_true", help="only the scores at all items: no null, no interval, no verdict")
    leads_to(p, run)


def _switches(p: argparse.ArgumentParser) -> None:
    """Those of radar.Options, which has their defaults and refuses what they cannot be."""
    switch = lambda name, words, **how: p.add_argument(f"--{name.replace('_', '-')}", default=argparse.SUPPRESS, help=words, **how)
    switch("centre", "layer in the middle of those looked at: its name or its place, from 0 (default: the middle one)", type=_place, metavar="LAYER")
    switch("radius", "layers to either side of it (default: 6)", type=int, metavar="N")
    switch("angle", "partner, turning or anchor: at which corner of the triangle (default: partner)", metavar="NAME")
    switch("distance", "direct, path or detour: what the excess length is over (default: direct)", metavar="NAME")
    switch("geometry", "euclidean, geodesic or pseudo-cartesian (default: euclidean)", metavar="NAME")
    switch("pairs", "drawn within, and as many across (default: 5000)", type=int, metavar="N")
    switch("sampling", "stratified, same_class or uniform: how pairs are drawn (default: stratified)", metavar="NAME")
    switch("divergence", "montecarlo, components or sinkhorn (default: montecarlo)", metavar="NAME")
    switch("components", "of each mixture (default: 3)", type=int, metavar="N")
    switch("covariance", "full or diagonal (default: full)", metavar="NAME")
    switch("ridge", "added to the variances (default: 0.0001)", type=float, metavar="X")
    switch("tolerance", "gain in the mean log likelihood below which a mixture counts as found (default: 1e-05)", type=float, metavar="X")
    switch("standardise", "columns are standardised first (default: they are)", action=argparse.BooleanOptionalAction)
    switch("draws", "for the Monte Carlo divergence (default: 10000)", type=int, metavar="N")
    switch("seed", "of everything that is drawn (default: 0)", type=int, metavar="N")
    switch("device", "cpu, cuda, ... (default: auto)", metavar="NAME")


def _place(text: str):
    """A layer's place where the text is one, else its name."""
    return int(text) if text.isdecimal() else text


def run(options) -> dict:
    from dataclasses import fields

    from analysis.metrics.radar import Options
    from analysis.studies.radar import calibrate

    chosen = Options(**{field.name: getattr(options, field.name) for field in fields(Options) if hasattr(options, field.name)}).manifest()
    target, *sources = entries([options.target, *options.sources], options.model)
    counts = dict.fromkeys(("splits", "blocks"), 0) if options.no_calibration else {name: getattr(options, name) for name in ("splits", "blocks")}
    found = last(calibrate, {"target": target, "sources": sources}, {"names": options.sources, "radar": chosen, **counts})
    if options.json != "-":
        print("\n".join(said(options.target, found)))
    return {**found.manifest(), "target": options.target}


def said(target: str, found) -> list[str]:
    low, high = found.band
    lines = [f"{target}: {found.n_target} items, {len(found.layers)} states from {found.layers[0]} to {found.layers[-1]}"]
    if len(found.null):
        lines.append(f"null: {low:.4f} to {high:.4f}, of {len(found.null)} times {found.half} target items against {found.half} others")
    lines += aligned([_heads(found), *_rows(found)])
    for i, (name, source) in enumerate(found.sources.items()):
        if source.reason:
            lines.append(f"{name} cannot be ranked. {source.reason}")
        elif found.contradicts[i]:
            lines.append(f"note: {name} looks near, but its labels say otherwise: its nearest items tell a target item's label "
                         f"{100 * found.borrowed[i]:.0f} % of the time, the target's own {100 * found.own[i]:.0f} %")
    return [*lines, *(f"note: {warning}" for warning in found.warnings)]


def _heads(found) -> list[str]:
    judged = ["verdict", "matched", "95 % interval"] if len(found.null) else []
    return ["rank", "source", *judged, "score", "95 % interval" if judged else "MC error", "items", "gauge", "most apart"]


def _rows(found) -> list[list[str]]:
    """A line for each source that has a score, nearest first."""
    span = lambda interval: " to ".join(f"{bound:.4f}" for bound in interval)
    rows = []
    for i, (name, source) in enumerate(found.sources.items()):
        if not source.reason:
            judged = [source.verdict, f"{source.matched.mean():.4f}", span(source.matched_interval)] if len(found.null) else []
            at = int(found.per_transition[i].argmax())
            rows.append([str(source.rank), name, *judged, f"{source.score:.4f}", span(source.interval) if judged else f"{source.mc_error:.4f}",
                         str(found.n[i]), f"{found.gauge[i]:.4f}", f"{found.layers[at]} to {found.layers[at + 1]}"])
    return sorted(rows, key=lambda row: int(row[0]))
