"""By hand: two items have one ring, three have one in either direction, so that no seed changes these."""

import numpy as np
import pytest

from analysis.metrics import sensitivity

TWO = np.array([[0, 0], [3, 4]]), np.array([[0, 1], [3, 4]])  # moved by 1 and 0; 5 apart
THREE = np.array([[0, 0], [3, 0], [0, 4]]), np.array([[0.6, 0.8], [3, 2], [0, 4]])  # moved by 1, 2 and 0; 3, 4 and 5 apart


@pytest.mark.parametrize("seed", range(5))
def test_the_ratio_is_that_worked_out_by_hand(seed):
    assert sensitivity.ratio(*TWO, seed=seed) == pytest.approx(0.1, rel=1e-12)
    assert sensitivity.ratio(*THREE, seed=seed) == pytest.approx(0.25, rel=1e-12)


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_so_are_its_distances(batch):
    found = sensitivity.measure(lambda x: x, THREE, batch=batch, resamples=0)
    np.testing.assert_allclose(found.matched, [1, 2, 0], rtol=1e-12)
    apart = {(0, 1): 3, (1, 2): 5, (0, 2): 4}
    np.testing.assert_allclose(found.random, [apart[tuple(sorted((i, int(j))))] for i, j in enumerate(found.partner)], rtol=1e-12)
