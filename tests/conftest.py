"""Every test gets a store of its own, and no way out to a network."""

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(autouse=True)
def store_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("SEXTANT_STORE", str(tmp_path / "store"))
    return tmp_path / "store"


@pytest.fixture
def store(store_folder):
    from analysis.store import default
    return default()


@pytest.fixture(scope="session", autouse=True)
def engine_rests():
    yield
    from analysis import engine
    engine.shutdown()
