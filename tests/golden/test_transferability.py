"""Numbers that were computed once, elsewhere: tests/golden/transferability.json holds them with the recipe of their input."""

import json
from pathlib import Path

import numpy as np
import pytest

from analysis.metrics import transferability as tr

GOLDEN = json.loads(Path(__file__).with_name("transferability.json").read_text())


def transfer(n, d, c, s, seed):
    """As the recipe says, in its order."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, c, n)
    mu = rng.normal(size=(c, d))
    x = mu[y] + 1.5 * rng.normal(size=(n, d))
    w = rng.normal(size=(d, s)) / np.sqrt(d)
    z = np.exp(x @ w * 2)
    return x, y, z / z.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("case", GOLDEN["transferability"], ids=lambda case: case["input"])
def test_the_scores_are_the_kept_ones(case):
    name, numbers = case["input"].rstrip(")").split("(")
    assert name == "transfer"
    x, y, p = transfer(*map(int, numbers.split(",")))
    found = {"leep": tr.leep(p, y), "nce": tr.nce(p, y), "logme": tr.logme(x, y), "h_score": tr.h_score(x, y, shrinkage=False)}  # the kept one is plain
    for key in set(case) - {"input"}:
        assert found[key] == pytest.approx(case[key], rel=1e-9)


def test_the_published_evidence_of_wide_features_is_the_kept_one():
    x, y, _ = transfer(60, 128, 5, 10, 1)
    assert tr.logme(x, y, published=True) == pytest.approx(4.82, abs=0.005)
