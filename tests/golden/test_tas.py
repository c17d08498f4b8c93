"""Numbers that were computed once, elsewhere: tests/golden/tas.json holds them with the recipe of their input."""

import json
from pathlib import Path

import numpy as np
import pytest

from analysis.metrics import similarity, tas

GOLDEN = json.loads(Path(__file__).with_name("tas.json").read_text())


def clouds(n, d, seed):
    """As the recipe says, in its order."""
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(n, d))
    return a, a + 0.7 * rng.normal(size=(n, d))


def made(name):
    recipe, numbers = name.rstrip(")").split("(")
    assert recipe == "clouds"
    return clouds(*map(int, numbers.split(",")))


@pytest.mark.parametrize("name", sorted({case["input"] for case in GOLDEN["tas"]}))
@pytest.mark.parametrize("device", ["cpu", "torch:cpu"])
def test_the_spectrum_is_the_kept_one(name, device):
    pytest.importorskip("torch")
    found = tas.spectrum(*made(name), device=device)
    for case in GOLDEN["tas"]:
        if case["input"] == name:
            at = case["k"] - 1
            assert found.k[at] == case["k"]
            for key in ("jaccard", "expected", "tas"):
                assert getattr(found, key)[at] == pytest.approx(case[key], rel=1e-12)


@pytest.mark.parametrize("case", GOLDEN["expected_jaccard"], ids=lambda case: f"n={case['n']} k={case['k']}")
def test_the_chance_level_is_the_kept_one(case):
    assert tas.expected(case["n"])[case["k"] - 1] == pytest.approx(case["value"], rel=1e-12)


@pytest.mark.parametrize("case", GOLDEN["similarity"], ids=lambda case: case["input"])
def test_debiased_cka_is_the_kept_one(case):
    assert similarity.cka(*made(case["input"]), debiased=True) == pytest.approx(case["cka_debiased"], rel=1e-12)
