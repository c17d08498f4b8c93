"""Numbers that were computed once, elsewhere: tests/golden/persistence.json holds them with the recipe of their input."""

import json
from pathlib import Path

import numpy as np
import pytest

from analysis.metrics import persistence

GOLDEN = json.loads(Path(__file__).with_name("persistence.json").read_text())


def blobs(n, d, c, spread, seed):
    """As the recipe says, in its order."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, c, n)
    m = rng.normal(size=(c, d))
    return m[y] + spread * rng.normal(size=(n, d))


@pytest.mark.parametrize("case", GOLDEN["persistence"], ids=lambda case: case["input"])
def test_the_ratio_and_the_bars_are_the_kept_ones(case):
    name, numbers = case["input"].rstrip(")").split("(")
    assert name == "blobs"
    x = blobs(*(float(v) if "." in v else int(v) for v in numbers.split(",")))
    deaths, found = persistence.h0(x), persistence.ratio(x, case["classes"])
    assert deaths.sum() == pytest.approx(case["h0_sum"], rel=1e-9) and deaths[-1] == pytest.approx(case["h0_max"], rel=1e-9)
    for key in ("separation", "tightness", "ratio"):
        assert getattr(found, key) == pytest.approx(case[key], rel=1e-9)
    assert persistence.profile(x, blocks=2, shuffles=0, halves=0).ratio(case["classes"]) == found
    np.testing.assert_allclose(persistence.diagrams(x, max_dim=0).h0[:-1, 1], deaths, rtol=1e-12)
