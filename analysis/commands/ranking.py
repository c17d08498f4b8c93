"""rank: models for a dataset, or sources for a target, every score beside the measured truth."""

from analysis.commands.terminal import aligned, cell, entries, last, leads_to, spanned

PROBED = 200  # target items that a probe of a model is trained on, unless told or too many


def add(verbs) -> None:
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
    _shared(p, run_models)

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
    _shared(p, run_sources)


def _shared(p, run) -> None:
    p.add_argument("--scores", nargs="+", metavar="SCORE", help="names of scores, which are then listed for each row (default: all)")
    p.add_argument("--seed", type=int, default=0, help="of everything that is drawn (default: 0)")
    leads_to(p, run)


def run_models(options) -> dict:
    from analysis import load_dataset, load_model
    from analysis.studies import ranking, tuning

    data, models = load_dataset(options.target), [load_model(name) for name in options.models]
    splits = {} if options.seeds is None else {"seeds": options.seeds}
    budget = min(PROBED, len(data) // 2) if options.budget is None else options.budget
    chosen = {"names": _names(options.models), "budget": budget, "seed": options.seed, **splits}
    pairs = [{"model": model, "dataset": data} for model in models]
    found = last(ranking.models, {"models": pairs}, {**chosen, "layer": options.layer, "scores": options.scores})
    tuned = last(tuning.finetune, {"models": models, "dataset": data}, chosen) if options.finetune else None
    if options.json != "-":
        print("\n".join(said(options.target, found, options.scores, tuned)))
    return {**found.manifest(), "target": options.target, **({"finetuned": tuned.manifest()} if tuned else {})}


def run_sources(options) -> dict:
    from analysis.metrics.radar import READINGS
    from analysis.studies import ranking

    target, *sources = entries([options.target, *options.sources], options.model)
    chosen = {name: getattr(options, name) for name in ("layer", "budget", "seeds", "scores", "seed")}
    readings = list(READINGS) if options.readings == ["all"] else options.readings
    found = last(ranking.sources, {"target": target, "sources": sources}, {**chosen, "names": _names(options.sources), "readings": readings})
    if options.json != "-":
        print("\n".join(said(options.target, found, options.scores)))
    return {**found.manifest(), "target": options.target}


def _names(given: list[str]) -> list[str]:
    """As the app calls them."""
    return [name.removeprefix("builtin:") for name in given]


def said(target: str, found, asked: list[str] | None, tuned=None) -> list[str]:
    """Rows, the truly best on top, with the values of scores that were asked for by name; how well each score orders them; what else there is to know."""
    told = found.summary().to_dict("records") if found.scores else []
    splits = f"{found.truth.shape[1]} split{'s' * (found.truth.shape[1] != 1)}"
    how = f"of a linear probe on {found.budget} of {found.n} items"
    if found.kind == "sources":
        how = f"with {found.budget} of {found.n} target items, {found.base.mean():.4f} without a source"
    lines = [f"{target}: {found.truth_name} {how}, {splits}", *aligned(_board_rows(found, asked, tuned))]
    if told:
        lines += ["", *aligned(_score_rows(found, told, tuned))]
    return [*lines, *(f"note: {note}" for note in _board_notes(found, told, tuned))]


def _board_rows(found, asked: list[str] | None, tuned) -> list[list[str]]:
    means, boards = found.means(), [board for board in (found, tuned) if board]
    truths = [found.truth_name, "95 % interval", *(["fine-tuned", "95 % interval"] if tuned else [])]
    rows = [["rank", "model" if found.kind == "models" else "blend", *truths, *(found.titles if asked else ())]]
    for rank, row in enumerate(sorted(range(len(means)), key=lambda row: -means[row] if means[row] == means[row] else float("inf")), 1):
        name = found.names[row]
        cells = [text for board in boards for text in spanned(*board.truth_interval(name))]
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
        more = [cell(line["mci"], 1)] if sources else []
        more += [cell(other.correlation(line["score"], resamples=0).value)] if other else []
        rows.append([line["title"], "trivial" * (line["kind"] == "trivial"), *spanned(line["tau"], line["low"], line["high"]), cell(chance),
                     cell(line["weighted_tau"]), cell(line["spearman"]), pick, cell(line["regret"]), *more])
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


def _value(value: float) -> str:
    return f"{value:.0f}" if value == value and value == round(value) else cell(value)
