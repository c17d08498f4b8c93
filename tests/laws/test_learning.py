"""Training small networks: it learns, the same seed gives the same network, and nobody else is disturbed."""

import numpy as np
import pytest

from analysis.data import digits
from analysis.errors import Cancelled
from analysis.studies import learning
from tests.refusal import refused


@pytest.fixture(scope="module")
def printed():
    made = digits.make("printed", n=700, seed=5)
    return made.items, made.labels


def learned(items, labels, *, steps=80, seed=0, tell=lambda step: None):
    return learning.fit(items, labels, classes=10, architecture="conv-narrow", steps=steps, rate=4e-3, seed=[seed, 1], tell=tell)


def test_it_learns_and_is_left_in_eval_mode(printed):
    (items, labels), new = printed, digits.make("printed", n=300, seed=6)
    module = learned(items, labels)
    assert not module.training and learning.accuracy(module, new.items, new.labels) > 0.6
    assert learning.probed(module, (items, labels), (new.items, new.labels)) > 0.6
    x = learning.features(module, new.items)
    assert x.shape == (300, 32) and np.isfinite(x).all()


def test_seeds_reproduce_and_do_not_disturb_others(printed):
    import torch
    items, labels = printed
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    first, again, other = (learning.features(learned(items, labels, steps=4, seed=seed), items[:50]) for seed in (0, 0, 1))
    assert torch.equal(torch.rand(3), expected)
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_rows_do_not_depend_on_what_passes_beside_them(printed):
    items, labels = printed
    module = learned(items, labels, steps=2)
    np.testing.assert_allclose(learning.features(module, items[:300])[250:], learning.features(module, items[250:300]), atol=1e-5)


def test_every_picture_is_learned_from_before_any_again():
    drawn = list(learning._batches(160, 160 // learning.BATCH, np.random.default_rng(0)))
    assert all(len(batch) == learning.BATCH for batch in drawn) and len(set(np.concatenate(drawn))) == 160
    assert [len(batch) for batch in learning._batches(5, 3, np.random.default_rng(0))] == [5, 5, 5]


def test_a_cancel_is_heard_before_the_next_step(printed):
    steps = []

    def tell(step):
        steps.append(step)
        if step == 2:
            raise Cancelled
    with pytest.raises(Cancelled):
        learned(*printed, tell=tell)
    assert steps == [0, 1, 2]


def test_an_unknown_architecture_is_refused():
    refused(lambda: learning.known("conv"), "'conv'", "conv-narrow")
