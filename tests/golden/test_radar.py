"""Numbers that were computed once: tests/golden/radar.json holds them with the recipe of their input."""

import json
from pathlib import Path

import numpy as np
import pytest

from analysis.metrics import mixture, radar

GOLDEN = json.loads(Path(__file__).with_name("radar.json").read_text())


def walk(seed: int, shift: float, n: int = 200, d: int = 16, layers: int = 5):
    """As the recipe says, in its order."""
    rng, net = np.random.default_rng(seed), np.random.default_rng(99)
    labels, centres = np.arange(n) % 4, 3 * net.normal(size=(4, d))
    x = [centres[labels] + rng.normal(size=(n, d)) + shift * net.normal(size=d)]
    for _ in range(layers - 1):
        x.append(x[-1] + np.tanh(x[-1] @ net.normal(size=(d, d)) / 3))
    return x, labels


@pytest.mark.parametrize("case", GOLDEN["triangles"], ids=lambda case: str(case["options"]))
def test_the_triangle_is_the_kept_one(case):
    found = radar.triangles(*np.array(case["points"], float), **case["options"])
    np.testing.assert_allclose(found, case["found"], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("case", GOLDEN["gaussians"], ids=lambda case: str(case["kl"]))
def test_the_divergence_of_gaussians_is_the_kept_one(case):
    assert mixture.gaussian_kl(*(np.array(v, float) for v in case["input"])) == pytest.approx(case["kl"], abs=5e-6)


@pytest.mark.parametrize("case", GOLDEN["scores"], ids=lambda case: str(case["options"]))
def test_the_score_is_the_kept_one(case):
    (a, mine), (b, other) = walk(0, 0), walk(1, 1)
    found = radar.compare(a, b, target_labels=mine, source_labels=other, options=radar.Options(**case["options"]))
    assert found.score == pytest.approx(case["score"], rel=2e-3)  # the order of sums differs between machines
    np.testing.assert_allclose(found.per_transition, case["per_transition"], rtol=0.01)
    assert found.gauge == pytest.approx(case["gauge"], rel=1e-9) and found.cross_pairs[:5].tolist() == case["pairs"]
