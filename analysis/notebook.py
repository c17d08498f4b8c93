"""From a notebook to the app: `show(representation)` keeps it in the store and gives the address of the app on it."""

import atexit
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlencode

from analysis.errors import InputError
from analysis.representation import Representation
from analysis.store import default

ADDRESS = "http://127.0.0.1:8501"  # SEXTANT_ADDRESS names another one
ROOT = Path(__file__).resolve().parents[1]


def show(*representations: Representation, start: bool = True) -> str:
    """Store the representations and return the address of the app on them; the app is started when none answers there.

    The first one is shown, the others beside it. An app started here ends with this process.
    """
    if not representations:
        raise InputError("There is nothing to show.", "Give one or more representations: show(extract(model, dataset)).")
    for given in representations:
        if not isinstance(given, Representation):
            raise InputError(f"{type(given).__name__} is not a representation.", "Make one with extract(model, dataset) or Representation(layers, ...).")
    keys = [_keep(given) for given in representations]
    base = os.environ.get("SEXTANT_ADDRESS", ADDRESS).rstrip("/")
    if start and not _answers(base):
        _start(base)
    query = [("model", f"rep:{keys[0]}"), *(("sources", f"rep:{key}") for key in keys[1:])]
    return f"{base}/map?{urlencode(query, safe=':')}"


def _keep(representation: Representation) -> str:
    """Its key in the store; what `extract` made is there already."""
    store = default()
    key = store.key_of(representation)
    return key if store.has("representations", key) else store.put_representation(representation)


def _answers(base: str) -> bool:
    try:
        with urllib.request.urlopen(f"{base}/_stcore/health", timeout=1) as reply:
            return reply.read() == b"ok"
    except (OSError, urllib.error.URLError):
        return False


def _start(base: str, patience: float = 30.0) -> None:
    port = base.rsplit(":", 1)[-1]
    if not base.startswith("http://127.0.0.1:") or not port.isdigit():
        raise InputError(f"No app answers at {base}.", "Start it there, or unset SEXTANT_ADDRESS to have one started on this machine.")
    process = subprocess.Popen([sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", port, "--server.headless", "true"],
                               cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    atexit.register(process.terminate)
    end = time.monotonic() + patience
    while not _answers(base):
        if process.poll() is not None or time.monotonic() > end:
            raise InputError(f"The app did not come up at {base}.", f"See why with: cd {ROOT} && make run")
        time.sleep(0.1)
