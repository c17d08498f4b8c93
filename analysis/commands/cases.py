"""case: why a source helped or hurt, as a file that can be run again."""

from analysis.commands import radar, ranking
from analysis.commands.terminal import Progress, aligned, cell, leads_to, span, spanned
from analysis.errors import InputError


def add(verbs) -> None:
    p = verbs.add_parser("case", help="why a source helped or hurt: run a case, save it, see whether its numbers come out again",
                         description="A case is a study as a file: ids, options, numbers and a text. The app opens the same files.")
    cases = p.add_subparsers(required=True, metavar="list|run|replay")
    p = cases.add_parser("list", help="the built-in cases", description="The built-in cases: name, title, and what they are about.")
    leads_to(p, run_list)
    p = cases.add_parser("run", help="run a case", description="Run a case: what was measured, what it is likely owed to, and the numbers.")
    p.add_argument("case", metavar="NAME_OR_FILE", help="of a built-in case, see `case list`; or a file")
    p.add_argument("--save", metavar="FILE", help="also keep the case with its numbers in FILE (.json)")
    leads_to(p, run)
    p = cases.add_parser("replay", help="run a saved case again, and compare to the last bit",
                         description="Run a saved case again. Exits 0 when every number came out again to the last bit, 1 when one did not.")
    p.add_argument("file", metavar="FILE", help="a case that was saved")
    leads_to(p, run_replay)


def run_list(options) -> dict:
    from analysis.cases import BUILTIN

    if options.json != "-":
        for name, case in BUILTIN.items():
            print(f"  {name:<18} {case.title}. {case.text}")
    return {"cases": [{"name": name, **{what: getattr(case, what) for what in ("title", "text", "look", "unit", "inputs", "options")},
                       "address": case.address()} for name, case in BUILTIN.items()]}


def run(options) -> dict:
    from dataclasses import asdict

    case, progress = _known(options.case), Progress()
    found = case.found(progress)
    progress.end()
    kept = case.keep(found)
    if options.save:
        kept.save(options.save)
    if options.json != "-":
        print("\n".join([f"{case.title}. {case.text}", *_said(case, found), f"the app shows it at {case.address()}"]))
    return asdict(kept)


def run_replay(options) -> dict:
    from analysis.cases import Case, apart

    case = Case.load(options.file)
    if not case.result:
        raise InputError(f"{options.file} holds no numbers to compare with.", f"Run it and keep them: case run {options.file} --save FILE")
    progress = Progress()
    _, differences = case.replay(progress)
    progress.end()
    options.status = 1 if differences else 0
    far = apart(differences)
    if options.json != "-":
        print("\n".join(_said_of_replay(options.file, case, differences, far)))
    return {"file": options.file, "same": not differences, "apart": far if far < float("inf") else None,
            "differences": [difference._asdict() for difference in differences], "made": dict(case.made)}


def _known(name: str):
    """The built-in case of a name, or that in a file."""
    from pathlib import Path

    from analysis.cases import BUILTIN, Case
    if name not in BUILTIN and not Path(name).expanduser().exists():
        raise InputError(f"There is no case and no file {name!r}.", f"Name a file, or one of {', '.join(BUILTIN)}.")
    return BUILTIN[name] if name in BUILTIN else Case.load(name)


def _said(case, found) -> list[str]:
    unit = case.unit.partition(":")[2]
    if unit == "inspect":
        return _said_of_inspection(found)
    if unit == "pairs":
        return _said_of_pairs(found)
    first = case.entries()[0]
    target = first.get("dataset") or first["representation"]
    return radar.said(target, found) if unit == "calibrate" else ranking.said(target, found, case.options.get("scores"))


def _said_of_inspection(found) -> list[str]:
    mean, low, high = found.delta
    lines = ["", found.paragraph(), "",
             f"gain {cell(mean)}, 95 % interval {span(low, high)}, {found.done} splits; {found.base.mean():.4f} without the source, "
             f"{found.accuracy.mean():.4f} with it; {found.budget} target items, tested on {found.tested}"]
    lines += [f"{cause.name}: {cause.strength}" for cause in found.reading()]
    judged = f", on halves {cell(found.matched.mean())}, null {span(*found.band)}: {found.verdict}" if found.verdict else ""
    lines += [f"RADAR {cell(found.radar)}{judged}", f"means {cell(found.centroid)} apart; the target's spread {cell(found.spread)}",
              f"labels known to the target's own neighbours {cell(found.own)}, to the source's {cell(found.borrowed)}"]
    heads = ["class", "of target", "of source", "alone", "gain", "95 % interval", "own", "borrowed"]
    rows = [[str(line["class"]), *(cell(line[name]) for name in ("target", "source", "alone", "gain")), span(line["low"], line["high"]),
             cell(line["own"]), cell(line["borrowed"])] for line in found.table().to_dict("records")]
    return [*lines, *aligned([heads, *rows]), *(f"note: {warning}" for warning in found.warnings)]


def _said_of_pairs(found) -> list[str]:
    rows = [[line["target"], line["source"], cell(line["radar"]), *spanned(line["gain"], line["low"], line["high"]),
             "looked good, hurt" if line["looked_good_but_hurt"] else ""] for line in found.table().to_dict("records")]
    heads = ["target", "source", "RADAR", "gain", "95 % interval", ""]
    return ["", *aligned([heads, *rows]), *(f"{pair}: {why}" for pair, why in found.reasons.items()), *(f"note: {warning}" for warning in found.warnings)]


def _said_of_replay(file: str, case, differences, far: float) -> list[str]:
    if not differences:
        return [f"{file}: the saved numbers came out again, to the last bit."]
    size = f", by up to {far:.2g} of the number" if far < float("inf") else ""
    shown = [f"  {where}: saved {saved}, now {now}" for where, saved, now in differences[:10]]
    rest = [f"  and {len(differences) - 10} more"] if len(differences) > 10 else []
    made = ", ".join(f"{name} {value}" for name, value in case.made.items())
    return [f"{file}: {len(differences)} number{'s differ' if len(differences) != 1 else ' differs'} from what was saved{size}.", *shown, *rest,
            f"note: it was made with {made}"]
