"""scoreboard: how well RADAR and every baseline order sources, over all built-in suites."""

import sys
import time
from types import SimpleNamespace

from analysis.commands.terminal import Progress, aligned, cell, leads_to, span, spanned


def add(verbs) -> None:
    p = verbs.add_parser("scoreboard", help="how well RADAR and every baseline order sources, over all built-in suites",
                         description="Every target of the built-in suites with all blends of its sources: the mean rank correlation of each method with the "
                                     "measured gain, and how far it lies from that of the plain distance of means. What is finished is not computed again.")
    p.add_argument("--suites", nargs="+", metavar="SUITE", help="names of suites (default: all)")
    p.add_argument("--budget", type=int, default=50, metavar="N", help="target items that are trained on (default: 50)")
    p.add_argument("--seeds", type=int, default=10, metavar="N", help="splits of each target (default: 10)")
    p.add_argument("--pairs", type=int, default=2000, metavar="N", help="that RADAR draws within, and as many across (default: 2000)")
    p.add_argument("--seed", type=int, default=0, help="of everything that is drawn (default: 0)")
    leads_to(p, run)


def run(options) -> dict:
    from analysis.studies import scoreboard as studies

    chosen = {name: getattr(options, name) for name in ("suites", "budget", "seeds", "seed")} | {"radar": {"pairs": options.pairs}}
    boards = _boards(studies.runs(chosen))
    *_, found = studies.scoreboard({"boards": boards}, chosen, SimpleNamespace(progress=lambda *_: None))
    if options.json != "-":
        print("\n".join(_said(found)))
    return found.manifest() | {"made": studies.made()}


def _boards(runs: dict) -> dict:
    """The leaderboard of each run: from the store, or computed by workers as for the app, which keep what is finished there."""
    from analysis import engine
    from analysis.studies import ranking

    entry = lambda run, domain: {"model": engine.Ref.model(run.model), "dataset": engine.Ref.dataset(domain)}
    jobs = {name: engine.submit(ranking.sources, {"target": entry(run, run.target), "sources": [entry(run, source) for source in run.sources]}, run.options)
            for name, run in runs.items()}
    left, progress = dict(jobs), Progress()
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


def _said(found) -> list[str]:
    heads = ["method", "", "targets", "Spearman", "95 % interval", "MCI", "95 % interval"]
    rows = [[line["method"], "trivial" * (line["kind"] == "trivial"), str(line["targets"]),
             *spanned(line["mean_spearman"], line["spearman_low"], line["spearman_high"]), cell(line["mci"], 1), span(line["mci_low"], line["mci_high"], 1)]
            for line in found.table().to_dict("records")]
    shown = f"{len(found.suites)} target{'s' * (len(found.suites) != 1)}"
    return [f"{shown}; scores turned so that higher is a worse source, correlated with the measured gain: lower is better; MCI below 0: better than the "
            "distance of means", *aligned([heads, *rows]), *(f"note: {warning}" for warning in found.warnings)]
