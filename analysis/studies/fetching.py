"""The units of work that bring something from the hub to this machine."""

import threading
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Fetched:
    """What is here now: a model under its hub id, a dataset under its digest in the store."""

    source: str
    name: str


def fetch_model(inputs: dict, options: dict, ctx):
    """{"source": "hf:org/name"} -> Fetched. What was received before a cancel stays in the hub's own cache and is not fetched twice."""
    from analysis.models.hub import load_hub
    source = options["source"]
    model = _meanwhile(lambda: load_hub(source), ctx, source)
    yield Fetched(source, model.name)


def fetch_dataset(inputs: dict, options: dict, ctx):
    """{"source": "hf:org/name?split=test"} -> Fetched; the items drawn are kept in the store."""
    from analysis.data import load_dataset
    from analysis.store import default
    data = _meanwhile(lambda: load_dataset(options["source"]), ctx, options["source"])
    yield Fetched(f"store:{default().put_dataset(data)}", data.name)


fetch_model.VERSION = fetch_dataset.VERSION = 1


def _meanwhile(work, ctx, source: str):
    """Run `work` in a thread, and say how much has arrived until it ends; a cancel ends this process, and the thread with it."""
    outcome = {}

    def run():
        try:
            outcome["value"] = work()
        except Exception as error:
            outcome["error"] = error

    thread, before = threading.Thread(target=run, daemon=True), _received()
    thread.start()
    while thread.is_alive():
        thread.join(0.25)
        ctx.progress(0, 0, f"fetching {source.removeprefix('hf:')}, {(_received() - before) / 1e6:.0f} MB so far")
    if "error" in outcome:
        raise outcome["error"]
    return outcome["value"]


def _received() -> int:
    """Bytes in the cache of the hub's client."""
    from huggingface_hub.constants import HF_HOME
    total = 0
    for path in Path(HF_HOME).rglob("*"):
        try:
            total += 0 if path.is_symlink() else path.stat().st_size
        except OSError:
            pass
    return total
