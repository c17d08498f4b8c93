"""What the commands share: progress, tables, what an argument names, JSON."""

import json
import os
import sys
import time
from types import SimpleNamespace


def leads_to(p, run) -> None:
    """What is done with a parser's options, once it has all of its own: `run` gives the report, which every verb can write as JSON."""
    p.set_defaults(run=run)
    p.add_argument("--json", nargs="?", const="-", metavar="FILE", help="write the numbers and what made them to FILE (standard output without one)")


def write(target: str, report: dict) -> None:
    text = json.dumps(report, ensure_ascii=False, indent=1)
    if target == "-":
        print(text)
        return
    from analysis.tensors import replacing
    with replacing(target, "w") as file:
        file.write(text + "\n")


def last(study, inputs: dict, options: dict):
    """What a study comes to."""
    progress = Progress()
    *_, found = study(inputs, options, SimpleNamespace(progress=progress))
    progress.end()
    return found


class Progress:
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


# what an argument names

def entries(given: list[str], model: str | None) -> list[dict]:
    """What each argument names: a file with a representation, or a dataset and the model it is run through."""
    from analysis import foreign, load_dataset, load_model, load_representation
    models, found = {}, []
    for name in given:
        if name.lower().endswith(foreign.ENDINGS if model is None else ".safetensors"):
            found.append({"representation": load_representation(name)})
            continue
        data = load_dataset(name)
        used = model or ("builtin:text/minilm" if data.modality == "text" else "builtin:vit/seed0")
        if used not in models:
            models[used] = load_model(used)
        found.append({"model": models[used], "dataset": data})
    return found


def number(text: str):
    """The number that a text is, or the text, for whoever refuses it by name."""
    try:
        return float(text)
    except ValueError:
        return text


# tables

def aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)) for row in rows]


def cell(value: float, digits: int = 4) -> str:
    return f"{value:.{digits}f}" if value == value else "-"


def span(low: float, high: float, digits: int = 4) -> str:
    return f"{low:.{digits}f} to {high:.{digits}f}" if low == low else "-"


def spanned(mean: float, low: float, high: float) -> list[str]:
    return [cell(mean), span(low, high)]
