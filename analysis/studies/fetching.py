"""The unit of work that brings a transformers checkpoint from the hub to this machine."""

import threading
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Fetched:
    """A checkpoint that is here now."""

    source: str
    name: str
    parameters: int


def fetch(inputs: dict, options: dict, ctx):
    """{"source": "hf:org/name"} -> Fetched. What was received before a cancel stays in the hub's own cache and is not fetched twice."""
    from analysis.models.hub import cache_folder, load_hub

    outcome, folder = {}, cache_folder(options["source"])
    before = _size(folder)

    def run():
        try:
            outcome["model"] = load_hub(options["source"])
        except Exception as error:
            outcome["error"] = error

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(0.25)
        ctx.progress(0, 0, f"fetching {options['source'].removeprefix('hf:')}: {(_size(folder) - before) / 1e6:.0f} MB so far")
    if "error" in outcome:
        raise outcome["error"]
    model = outcome["model"]
    yield Fetched(options["source"], model.name, int(model.card.get("parameters", 0)))


fetch.VERSION = 1


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_size
        except OSError:
            pass
    return total
