"""The command line: same options, same defaults, same numbers as the pages. `python -m analysis --help`."""

import argparse
import json
import os
import sys
import time
from types import SimpleNamespace

from analysis.errors import InputError

PROBED = 200  # target items that a probe of a model is trained on, unless told or too many


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    try:
        report = options.run(options)
        if options.json:
            _write(options.json, report)
        return options.status
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
    top.set_defaults(status=0)
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
    p.set_defaults(run=radar)

    ranks, cases = _rank(verbs), _case(verbs)

    p = verbs.add_parser("scoreboard", help="how well RADAR and every baseline order sources, over all built-in suites",
                         description="Every target of the built-in suites with all blends of its sources: the mean rank correlation of each method with the "
                                     "measured gain, and how far it lies from that of the plain distance of means. What is finished is not computed again.")
    p.add_argument("--suites", nargs="+", metavar="SUITE", help="names of suites (default: all)")
    p.add_argument("--budget", type=int, default=50, metavar="N", help="target items that are trained on (default: 50)")
    p.add_argument("--seeds", type=int, default=10, metavar="N", help="splits of each target (default: 10)")
    p.add_argument("--pairs", type=int, default=2000, metavar="N", help="that RADAR draws within, and as many across (default: 2000)")
    p.add_argument("--seed", type=int, default=0, help="of everything that is drawn (default: 0)")
    p.set_defaults(run=scoreboard)

    for each in (p for group in (verbs, ranks, cases) for p in group.choices.values() if p.get_default("run")):
        each.add_argument("--json", nargs="?", const="-", metavar="FILE", help="write the numbers and what made them to FILE (standard output without one)")
    return top


def _rank(verbs):
    p = verbs.add_parser("rank", help="models for a dataset, or sources for a target: every score beside the measured truth",
                         description="Scores of transferability, each beside what is measured: which would have picked what, and what that would have cost.")
    ranks = p.add_subparsers(required=True, metavar="models|sources")

    p = ranks.add_parser("models", help="which model should read a dataset",
                         description="Scores of each MODEL on TARGET, beside the accuracy of a linear probe on its last layer, over several splits.")
    p.add_argument("target", metavar="TARGET", help="a dataset: builtin:digits/handwritten, hf:org/name, or a file")
    p.add_argument("models", nargs="+", metavar="MODEL", help="builtin:vit/seed0, hf:org/name, or a folder with a transformers checkpoint")
    p.add_argument("--layer", default="", metavar="NAME", help="of every model (default: the last of each)")
    p.add_argument("--budget", type=int, metavar="N", help="target items that are trained on (default: 200, or half of all where that is fewer)")
    p.add_argument("--seeds", type=int, metavar="N", help="splits (default: 10; 3 of fine-tuning)")
    p.add_argument("--finetune", action="store_true", help="also train every weight of each model, the other truth; models of the zoo only")
    p.set_defaults(run=rank_models)

    p = ranks.add_parser("sources", help="which blend of sources will help a target",
                         description="Scores of every blend of up to six SOURCEs, beside the measured gain: the accuracy on other items of TARGET of a probe "
                                     "trained on a few of them and the blend, less that without the blend.")
    given = "a dataset, or a representation: safetensors, npz, npy, csv, tsv, parquet; with labels, classes matched by name"
    p.add_argument("target", metavar="TARGET", help=given)
    p.add_argument("sources", nargs="+", metavar="SOURCE", help="likewise")
    p.add_argument("--model", help="what datasets are run through, as for radar (default: builtin:vit/seed0 for images, builtin:text/minilm for texts)")
    p.add_argument("--layer", default="", metavar="NAME", help="(default: the last)")
    p.add_argument("--budget", type=int, metavar="N", help="target items that are trained on (default: 100, or half of all where that is fewer)")
    p.add_argument("--seeds", type=int, default=10, metavar="N", help="splits (default: 10)")
    p.add_argument("--readings", nargs="+", default=[], metavar="READING", help="also RADAR under these readings, or: all (default: as it stands)")
    p.set_defaults(run=rank_sources)

    for each in ranks.choices.values():
        each.add_argument("--scores", nargs="+", metavar="SCORE", help="names of scores, which are then listed for each row (default: all)")
        each.add_argument("--seed", type=int, default=0, help="of everything that is drawn (default: 0)")
    return ranks


def _case(verbs):
    p = verbs.add_parser("case", help="why a source helped or hurt: run a case, save it, see whether its numbers come out again",
                         description="A case is a study as a file: ids, options, numbers and a text. The app opens the same files.")
    cases = p.add_subparsers(required=True, metavar="list|run|replay")
    p = cases.add_parser("list", help="the built-in cases", description="The built-in cases: name, title, and what they are about.")
    p.set_defaults(run=case_list)
    p = cases.add_parser("run", help="run a case", description="Run a case: what was measured, what it is likely owed to, and the numbers.")
    p.add_argument("case", metavar="NAME_OR_FILE", help="of a built-in case, see `case list`; or a file")
    p.add_argument("--save", metavar="FILE", help="also keep the case with its numbers in FILE (.json)")
    p.set_defaults(run=case_run)
    p = cases.add_parser("replay", help="run a saved case again, and compare to the last bit",
                         description="Run a saved case again. Exits 0 when every number came out again to the last bit, 1 when one did not.")
    p.add_argument("file", metavar="FILE", help="a case that was saved")
    p.set_defaults(run=case_replay)
    return cases


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
    found = _last(compare, sides, chosen)
    if options.json != "-":
        first, second = (f"{getattr(options, side)}, layer {layer}" for side, layer in zip("ab", found.layers, strict=True))
        print(f"{first}, and {second}: {found.n} items in both, {found.left_out[0]} only in the first, {found.left_out[1]} only in the second")
        print("\n".join(_said_of_spectrum(found)))
    return {"a": options.a, "b": options.b, **found.manifest()}


def radar(options) -> dict:
    from dataclasses import fields

    from analysis.metrics.radar import Options
    from analysis.studies.radar import calibrate

    chosen = Options(**{field.name: getattr(options, field.name) for field in fields(Options) if hasattr(options, field.name)}).manifest()
    target, *sources = _entries([options.target, *options.sources], options.model)
    counts = dict.fromkeys(("splits", "blocks"), 0) if options.no_calibration else {name: getattr(options, name) for name in ("splits", "blocks")}
    found = _last(calibrate, {"target": target, "sources": sources}, {"names": options.sources, "radar": chosen, **counts})
    if options.json != "-":
        print("\n".join(_said_of_sources(options.target, found)))
    return {**found.manifest(), "target": options.target}


def rank_models(options) -> dict:
    from analysis import load_dataset, load_model
    from analysis.studies import ranking, tuning

    data, models = load_dataset(options.target), [load_model(name) for name in options.models]
    splits = {} if options.seeds is None else {"seeds": options.seeds}
    budget = min(PROBED, len(data) // 2) if options.budget is None else options.budget
    chosen = {"names": _names(options.models), "budget": budget, "seed": options.seed, **splits}
    entries = [{"model": model, "dataset": data} for model in models]
    found = _last(ranking.models, {"models": entries}, {**chosen, "layer": options.layer, "scores": options.scores})
    tuned = _last(tuning.finetune, {"models": models, "dataset": data}, chosen) if options.finetune else None
    if options.json != "-":
        print("\n".join(_said_of_board(options.target, found, options.scores, tuned)))
    return {**found.manifest(), "target": options.target, **({"finetuned": tuned.manifest()} if tuned else {})}


def rank_sources(options) -> dict:
    from analysis.metrics.radar import READINGS
    from analysis.studies import ranking

    target, *sources = _entries([options.target, *options.sources], options.model)
    chosen = {name: getattr(options, name) for name in ("layer", "budget", "seeds", "scores", "seed")}
    readings = list(READINGS) if options.readings == ["all"] else options.readings
    found = _last(ranking.sources, {"target": target, "sources": sources}, {**chosen, "names": _names(options.sources), "readings": readings})
    if options.json != "-":
        print("\n".join(_said_of_board(options.target, found, options.scores)))
    return {**found.manifest(), "target": options.target}


def case_list(options) -> dict:
    from analysis.cases import BUILTIN

    if options.json != "-":
        for name, case in BUILTIN.items():
            print(f"  {name:<18} {case.title}. {case.text}")
    return {"cases": [{"name": name, **{what: getattr(case, what) for what in ("title", "text", "look", "unit", "inputs", "options")},
                       "address": case.address()} for name, case in BUILTIN.items()]}


def case_run(options) -> dict:
    from dataclasses import asdict

    case, progress = _known(options.case), _Progress()
    found = case.found(progress)
    progress.end()
    kept = case.keep(found)
    if options.save:
        kept.save(options.save)
    if options.json != "-":
        print("\n".join([f"{case.title}. {case.text}", *_said_of_case(case, found), f"the app shows it at {case.address()}"]))
    return asdict(kept)


def case_replay(options) -> dict:
    from analysis.cases import Case, apart

    case = Case.load(options.file)
    if not case.result:
        raise InputError(f"{options.file} holds no numbers to compare with.", f"Run it and keep them: case run {options.file} --save FILE")
    progress = _Progress()
    _, differences = case.replay(progress)
    progress.end()
    options.status = 1 if differences else 0
    far = apart(differences)
    if options.json != "-":
        print("\n".join(_said_of_replay(options.file, case, differences, far)))
    return {"file": options.file, "same": not differences, "apart": far if far < float("inf") else None,
            "differences": [difference._asdict() for difference in differences], "made": dict(case.made)}


def scoreboard(options) -> dict:
    from analysis.studies import scoreboard as studies

    chosen = {name: getattr(options, name) for name in ("suites", "budget", "seeds", "seed")} | {"radar": {"pairs": options.pairs}}
    boards = _boards(studies.runs(chosen))
    *_, found = studies.scoreboard({"boards": boards}, chosen, SimpleNamespace(progress=lambda *_: None))
    if options.json != "-":
        print("\n".join(_said_of_scoreboard(found)))
    return found.manifest() | {"made": studies.made()}


def _boards(runs: dict) -> dict:
    """The leaderboard of each run: from the store, or computed by workers as for the app, which keep what is finished there."""
    from analysis import engine
    from analysis.studies import ranking

    entry = lambda run, domain: {"model": engine.Ref.model(run.model), "dataset": engine.Ref.dataset(domain)}
    jobs = {name: engine.submit(ranking.sources, {"target": entry(run, run.target), "sources": [entry(run, source) for source in run.sources]}, run.options)
            for name, run in runs.items()}
    left, progress = dict(jobs), _Progress()
    try:
        while left:
            for name in [name for name, job in left.items() if not job.alive]:
                job = left.pop(name)
                if job.error:
                    raise job.error
                progress.end()
                print(f"{name}: {len(jobs) - len(left)} of {len(jobs)}", file=sys.stderr, flush=True)
            if running := [f"{name}, {job.note}" for name, job in left.items() if job.state == "running"]:
                progress(len(jobs) - len(left), len(jobs), running[0])
            time.sleep(0.1 if left else 0)
    finally:
        for job in left.values():
            job.cancel()
    return {name: job.result() for name, job in jobs.items()}


def _known(name: str):
    """The built-in case of a name, or that in a file."""
    from pathlib import Path

    from analysis.cases import BUILTIN, Case
    if name not in BUILTIN and not Path(name).expanduser().exists():
        raise InputError(f"There is no case and no file {name!r}.", f"Name a file, or one of {', '.join(BUILTIN)}.")
    return BUILTIN[name] if name in BUILTIN else Case.load(name)


def _names(given: list[str]) -> list[str]:
    """As the app calls them."""
    return [name.removeprefix("builtin:") for name in given]


def _entries(given: list[str], model: str | None) -> list[dict]:
    """What each argument names: a file with a representation, or a dataset and the model it is run through."""
    from analysis import foreign, load_dataset, load_model, load_representation
    models, entries = {}, []
    for name in given:
        if name.lower().endswith(foreign.ENDINGS if model is None else ".safetensors"):
            entries.append({"representation": load_representation(name)})
            continue
        data = load_dataset(name)
        used = model or ("builtin:text/minilm" if data.modality == "text" else "builtin:vit/seed0")
        if used not in models:
            models[used] = load_model(used)
        entries.append({"model": models[used], "dataset": data})
    return entries


def _said_of_sources(target: str, found) -> list[str]:
    low, high = found.band
    lines = [f"{target}: {found.n_target} items, {len(found.layers)} states from {found.layers[0]} to {found.layers[-1]}"]
    if len(found.null):
        lines.append(f"null: {low:.4f} to {high:.4f}, of {len(found.null)} times {found.half} target items against {found.half} others")
    lines += _aligned([_heads(found), *_rows(found)])
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


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]


def _said_of_board(target: str, found, asked: list[str] | None, tuned=None) -> list[str]:
    """Rows, the truly best on top, with the values of scores that were asked for by name; how well each score orders them; what else there is to know."""
    told = found.summary().to_dict("records") if found.scores else []
    splits = f"{found.truth.shape[1]} split{'s' * (found.truth.shape[1] != 1)}"
    how = f"of a linear probe on {found.budget} of {found.n} items"
    if found.kind == "sources":
        how = f"with {found.budget} of {found.n} target items, {found.base.mean():.4f} without a source"
    lines = [f"{target}: {found.truth_name} {how}, {splits}", *_aligned(_board_rows(found, asked, tuned))]
    if told:
        lines += ["", *_aligned(_score_rows(found, told, tuned))]
    return [*lines, *(f"note: {note}" for note in _board_notes(found, told, tuned))]


def _board_rows(found, asked: list[str] | None, tuned) -> list[list[str]]:
    means, boards = found.means(), [board for board in (found, tuned) if board]
    truths = [found.truth_name, "95 % interval", *(["fine-tuned", "95 % interval"] if tuned else [])]
    rows = [["rank", "model" if found.kind == "models" else "blend", *truths, *(found.titles if asked else ())]]
    for rank, row in enumerate(sorted(range(len(means)), key=lambda row: -means[row] if means[row] == means[row] else float("inf")), 1):
        name = found.names[row]
        cells = [cell for board in boards for cell in _spanned(*board.truth_interval(name))]
        rows.append([str(rank) if means[row] == means[row] else "-", name, *cells, *(map(_value, found.values[row]) if asked else ())])
    return rows


def _score_rows(found, told: list[dict], tuned) -> list[list[str]]:
    """A line for each score, what orders the rows best on top."""
    from dataclasses import replace
    other, sources = replace(found, truth=tuned.truth) if tuned else None, bool(found.centroid_score)
    heads = ["score", "", "tau", "95 % interval", "chance", "weighted tau", "Spearman", "pick", "regret"]
    rows = [[*heads, *(["MCI"] if sources else []), *(["tau, fine-tuned"] if tuned else [])]]
    for line in told:
        picks, chance = found.picks(line["score"]), 1.96 * line["null_sd"]
        pick = picks[0] + f" and {len(picks) - 1} more" * (len(picks) > 1) if picks else "-"
        more = [_cell(line["mci"], 1)] if sources else []
        more += [_cell(other.correlation(line["score"], resamples=0).value)] if other else []
        rows.append([line["title"], "trivial" * (line["kind"] == "trivial"), *_spanned(line["tau"], line["low"], line["high"]), _cell(chance),
                     _cell(line["weighted_tau"]), _cell(line["spearman"]), pick, _cell(line["regret"]), *more])
    return rows


def _board_notes(found, told: list[dict], tuned) -> list[str]:
    """Warnings, and what is missing: once for all scores that a row lacks for one reason, and for all rows that lack the same for the same."""
    boards, lacking, rows = [("", found), *([("fine-tuned ", tuned)] if tuned else [])], {}, {}
    for kind, board in boards:
        for row in board.names:
            for what in (*board.scores, board.truth_name):
                if why := board.reason(row, what):
                    lacking.setdefault((row, why), []).append(kind + (board.title(what) if what in board.scores else what))
    for (row, why), titles in lacking.items():
        rows.setdefault((", ".join(titles), why), []).append(row)
    notes = [*(warning for _, board in boards for warning in board.warnings), *(line["note"] for line in told if line["note"])]
    return [*dict.fromkeys(notes), *(f"no {titles} of {', '.join(where)}. {why}" for (titles, why), where in rows.items())]


def _said_of_case(case, found) -> list[str]:
    unit = case.unit.partition(":")[2]
    if unit == "inspect":
        return _said_of_inspection(found)
    if unit == "pairs":
        return _said_of_pairs(found)
    first = case.entries()[0]
    target = first.get("dataset") or first["representation"]
    return _said_of_sources(target, found) if unit == "calibrate" else _said_of_board(target, found, case.options.get("scores"))


def _said_of_inspection(found) -> list[str]:
    mean, low, high = found.delta
    lines = ["", found.paragraph(), "",
             f"gain {_cell(mean)}, 95 % interval {_span(low, high)}, {found.done} splits; {found.base.mean():.4f} without the source, "
             f"{found.accuracy.mean():.4f} with it; {found.budget} target items, tested on {found.tested}"]
    lines += [f"{cause.name}: {cause.strength}" for cause in found.reading()]
    judged = f", on halves {_cell(found.matched.mean())}, null {_span(*found.band)}: {found.verdict}" if found.verdict else ""
    lines += [f"RADAR {_cell(found.radar)}{judged}", f"means {_cell(found.centroid)} apart; the target's spread {_cell(found.spread)}",
              f"labels known to the target's own neighbours {_cell(found.own)}, to the source's {_cell(found.borrowed)}"]
    heads = ["class", "of target", "of source", "alone", "gain", "95 % interval", "own", "borrowed"]
    rows = [[str(line["class"]), *(_cell(line[name]) for name in ("target", "source", "alone", "gain")), _span(line["low"], line["high"]),
             _cell(line["own"]), _cell(line["borrowed"])] for line in found.table().to_dict("records")]
    return [*lines, *_aligned([heads, *rows]), *(f"note: {warning}" for warning in found.warnings)]


def _said_of_pairs(found) -> list[str]:
    rows = [[line["target"], line["source"], _cell(line["radar"]), *_spanned(line["gain"], line["low"], line["high"]),
             "looked good, hurt" if line["looked_good_but_hurt"] else ""] for line in found.table().to_dict("records")]
    heads = ["target", "source", "RADAR", "gain", "95 % interval", ""]
    return ["", *_aligned([heads, *rows]), *(f"{pair}: {why}" for pair, why in found.reasons.items()), *(f"note: {warning}" for warning in found.warnings)]


def _said_of_replay(file: str, case, differences, far: float) -> list[str]:
    if not differences:
        return [f"{file}: the saved numbers came out again, to the last bit."]
    size = f", by up to {far:.2g} of the number" if far < float("inf") else ""
    shown = [f"  {where}: saved {saved}, now {now}" for where, saved, now in differences[:10]]
    rest = [f"  and {len(differences) - 10} more"] if len(differences) > 10 else []
    made = ", ".join(f"{name} {value}" for name, value in case.made.items())
    return [f"{file}: {len(differences)} number{'s differ' if len(differences) != 1 else ' differs'} from what was saved{size}.", *shown, *rest,
            f"note: it was made with {made}"]


def _said_of_scoreboard(found) -> list[str]:
    heads = ["method", "", "targets", "Spearman", "95 % interval", "MCI", "95 % interval"]
    rows = [[line["method"], "trivial" * (line["kind"] == "trivial"), str(line["targets"]),
             *_spanned(line["mean_spearman"], line["spearman_low"], line["spearman_high"]), _cell(line["mci"], 1), _span(line["mci_low"], line["mci_high"], 1)]
            for line in found.table().to_dict("records")]
    shown = f"{len(found.suites)} target{'s' * (len(found.suites) != 1)}"
    return [f"{shown}; scores turned so that higher is a worse source, correlated with the measured gain: lower is better; MCI below 0: better than the "
            "distance of means", *_aligned([heads, *rows]), *(f"note: {warning}" for warning in found.warnings)]


def _cell(value: float, digits: int = 4) -> str:
    return f"{value:.{digits}f}" if value == value else "-"


def _value(value: float) -> str:
    return f"{value:.0f}" if value == value and value == round(value) else _cell(value)


def _span(low: float, high: float, digits: int = 4) -> str:
    return f"{low:.{digits}f} to {high:.{digits}f}" if low == low else "-"


def _spanned(mean: float, low: float, high: float) -> list[str]:
    return [_cell(mean), _span(low, high)]


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


def _place(text: str):
    """A layer's place where the text is one, else its name."""
    return int(text) if text.isdecimal() else text


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


def _last(study, inputs: dict, options: dict):
    """What a study comes to."""
    progress = _Progress()
    *_, found = study(inputs, options, SimpleNamespace(progress=progress))
    progress.end()
    return found


class _Progress:
    """One line on standard error, rewritten in place on a terminal; elsewhere a line where a step begins and where it ends."""

    def __init__(self):
        self.begun, self.step, self.open = time.perf_counter(), 0, False

    def __call__(self, done: int, total: int, note: str) -> None:
        if sys.stderr.isatty():
            width = os.get_terminal_size(sys.stderr.fileno()).columns - 1
            line = f"{note}: {done} of {total} ({done / max(time.perf_counter() - self.begun, 1e-9):.0f} a second)"
            print(f"\r{line[:width]:<{width}}", end="\n" if done == total else "", file=sys.stderr, flush=True)
            self.open = done != total
        elif done == total or (done == 0 and total != self.step):
            print(f"{note}: {done} of {total}", file=sys.stderr, flush=True)
            self.step = 0 if done == total else total

    def end(self) -> None:
        """What comes next begins on a line of its own."""
        if self.open:
            print(file=sys.stderr)
        self.open = False


if __name__ == "__main__":
    sys.exit(main())
