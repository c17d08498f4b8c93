"""Expansions: grown networks compute what they computed, have room for more, and what cannot grow is refused by name."""

import pickle
from copy import deepcopy
from functools import partial

import numpy as np
import pytest

from analysis.metrics.minima import expansion
from analysis.metrics.minima.expansion import check, deepen, expandable, residual, widen
from tests.refusal import refused

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

from analysis.models import architectures  # noqa: E402


def lived(model, seed=0):
    """With weights of every size, and statistics in batch normalisation as if it had seen something."""
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in (*model.named_parameters(), *model.named_buffers()):
            if tensor.is_floating_point() and tensor.ndim < 2:
                positive = "var" in name or "weight" in name
                tensor.copy_(0.5 + torch.rand(tensor.shape, generator=draw) if positive else torch.randn(tensor.shape, generator=draw) / 4)
            elif tensor.is_floating_point():
                tensor.copy_(torch.randn(tensor.shape, generator=draw) / tensor[0].numel() ** 0.5)
    return model.eval()


class Beside(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1))

    def forward(self, x):
        return F.relu(x + self.body(x))


class Written(nn.Module):
    """Its forward is written by hand, as most are."""

    def __init__(self):
        super().__init__()
        self.c1, self.norm, self.c2 = nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.Conv2d(6, 5, 3)
        self.f1, self.relu, self.f2, self.f3 = nn.Linear(5 * 16, 20), nn.ReLU(), nn.Linear(20, 7), nn.Linear(7, 4)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.norm(self.c1(x * 2 - 1))), 2)
        x = F.adaptive_avg_pool2d(self.relu(self.c2(x)), 4)
        x = self.relu(self.f1(x.view(x.size(0), -1)))
        return self.f3(torch.tanh(self.f2(x)) / 2)


def mlp():
    return nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Dropout(0.3), nn.Linear(7, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 3))


def conv():
    return nn.Sequential(nn.Conv2d(3, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 5, 3, stride=2), nn.GELU(),
                         nn.Flatten(), nn.Linear(5 * 9, 8), nn.LayerNorm(8), nn.ReLU(), nn.Linear(8, 3))


def depthwise():
    return nn.Sequential(nn.Conv2d(3, 6, 1), nn.ReLU(), nn.Conv2d(6, 6, 3, groups=6, bias=False), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 4, 1), nn.ReLU(),
                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))


def blocks():
    return nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU(), Beside(6), Beside(6), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3))


NETWORKS = {"mlp": (mlp, (5,)), "zoo mlp": (partial(architectures.make, "mlp", 10), (3, 32, 32))} \
    | {build.__name__.lower(): (build, (3, 16, 16)) for build in (conv, depthwise, blocks, Written)} \
    | {name: (partial(architectures.make, name, 10), (3, 32, 32)) for name in ("conv-narrow", "resnet-shallow")}
OTHERS = [name for name in architectures.ARCHITECTURES if name not in NETWORKS and name != "mlp"]
networks = pytest.mark.parametrize("name", NETWORKS)


def make(name, seed=0):
    """(network, items)"""
    build, shape = NETWORKS[name]
    return lived(build(), seed), torch.rand(16, *shape, generator=torch.Generator().manual_seed(seed + 100))


def size(model):
    return sum(p.numel() for p in model.parameters())


def state(model):
    return {k: v.clone() for k, v in model.state_dict().items()}


def reasons(model):
    return {layer.name: layer.refused for layer in expandable(model)}


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def grow(model, layer, way):
    return widen(model, layer, 2) if way == "widen" else getattr(expansion, way)(model, layer)


def all_ways(model, whole_factors=(2, 3), factors=(1.4, 3.3), seed=0):
    """(what was done, grown) for every layer and every way open to it."""
    for layer in expandable(model):
        for way in layer.ways:
            if way == "widen":
                for factor in whole_factors if layer.whole else factors:
                    yield f"{layer.name} x {factor}", widen(model, layer.name, factor, noise=(factor > 2) / 2, seed=seed)
            else:
                yield f"{layer.name} {way}", grow(model, layer.name, way)


# the function stays

@pytest.mark.parametrize("seed", (0, 1, 2))
@networks
def test_every_expansion_preserves_the_function(name, seed):
    model, x = make(name, seed)
    grown = list(all_ways(model, seed=seed))
    assert grown
    for done, larger in grown:
        assert check(model, larger, x) < 1e-5, done
        assert size(larger) > size(model), done


@pytest.mark.parametrize("name", OTHERS)
def test_of_other_networks_what_is_said_to_grow_does(name):
    model, x = lived(architectures.make(name, 10)), torch.rand(4, 3, 32, 32)
    layers = expandable(model)
    for layer in layers[:4] + layers[-1:]:
        for way in layer.ways:
            assert check(model, grow(model, layer.name, way), x) < 1e-5, (layer.name, way)
        for way in layer.refused:
            refused(partial(grow, model, layer.name, way), layer.name, layer.refused[way])


def test_expansions_follow_one_another():
    model, x = make("conv-narrow")
    grown = model
    for layer in ("parts.0.0.0", "parts.2.0.0"):
        grown = residual(deepen(widen(widen(grown, layer, 1.5, noise=0.2), layer, 2), layer), layer)
        assert "one width" in reasons(grown)[layer]["widen"]
    assert check(model, grown, x) < 1e-5
    new = [layer for layer in expandable(grown) if layer.name not in reasons(model)]
    assert len(new) == 6
    for layer in new:
        for way in layer.ways:
            assert check(model, grow(grown, layer.name, way), x) < 1e-5, (layer.name, way)


def test_in_double_precision_the_function_stays_to_double_precision():
    model, x = make("conv")
    for done, grown in all_ways(model.double()):
        assert check(model, grown, x.double()) < 1e-12, done


def test_a_deeper_network_sees_about_the_same_in_training_too():
    model = nn.Sequential(nn.Linear(6, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 4))
    nn.init.eye_(lived(model)[0].weight)
    x, grown = torch.randn(4000, 6), deepen(model, "0")
    bare = deepcopy(grown)
    bare[2][2].weight.data.fill_(1), bare[2][2].bias.data.zero_()
    before, after, other = (deepcopy(m).train()(x).detach() for m in (model, grown, bare))
    assert (after - before).abs().mean() < 0.05 * (other - before).abs().mean()


# what grows

def test_parameters_are_as_many_as_predicted():
    model, _ = make("mlp")
    for factor, wide in ((1.4, 10), (2, 14), (3, 21)):
        assert size(widen(model, "0", factor)) - size(model) == (wide - 7) * (5 + 1 + 6)
    assert size(widen(model, "3", 2)) - size(model) == 6 * (7 + 1 + 2 + 3)
    assert size(deepen(model, "0")) - size(model) == 7 * 7 + 7
    assert size(deepen(model, "3")) - size(model) == 6 * 6 + 2 * 6
    assert size(residual(model, "0")) - size(model) == 2 * (7 * 7 + 7)
    model, _ = make("conv")
    assert size(widen(model, "0", 1.5)) - size(model) == 3 * (3 * 9 + 2 + 5 * 9)
    assert size(widen(model, "4", 2)) - size(model) == 5 * (6 * 9 + 1 + 9 * 8)
    assert size(deepen(model, "0")) - size(model) == 6 * 6 * 9 + 2 * 6
    assert size(residual(model, "0")) - size(model) == 2 * 6 * 6 * 9 + 2 * 6 + 6


def test_a_wide_layer_holds_every_unit_about_as_often():
    model, _ = make("mlp")
    for factor, counts in ((1.4, {1, 2}), (2, {2}), (3, {3}), (3.3, {3, 4})):
        rows = widen(model, "0", factor)[0].weight.detach().numpy()
        assert set(np.unique(rows, axis=0, return_counts=True)[1]) == counts
        assert (rows[:7] == model[0].weight.detach().numpy()).all()


def test_normalisations_are_copied_with_their_statistics():
    model, x = make("conv")
    grown = widen(model, "0", 2, seed=3)
    old, new = model[1].state_dict(), grown[1].state_dict()
    for name in ("weight", "bias", "running_mean", "running_var"):
        assert sorted(new[name].tolist()) == sorted(2 * old[name].tolist())
    assert (grown[0].out_channels, grown[1].num_features, grown[4].in_channels) == (12, 12, 12)


def test_seeds_reproduce_and_choose():
    model, _ = make("mlp")
    one, again, other = (state(widen(model, "0", 1.4, noise=0.1, seed=seed)) for seed in (1, 1, 2))
    assert same(one, again) and not same(one, other)
    assert same(state(residual(model, "0", seed=1)), state(residual(model, "0", seed=1)))
    assert not same(state(residual(model, "0", seed=1)), state(residual(model, "0", seed=2)))


@networks
def test_the_original_is_untouched(name):
    model, x = make(name)
    calls = []
    model.register_forward_hook(lambda *_: calls.append(1))
    F.cross_entropy(model.train()(x), torch.zeros(16, dtype=torch.long)).backward()
    before, gradients, dice, calls[:] = state(model), [p.grad.clone() for p in model.parameters()], torch.get_rng_state(), []
    for _ in all_ways(model):
        pass
    assert same(before, model.state_dict()) and model.training and not calls
    assert all(torch.equal(p.grad, g) for p, g in zip(model.parameters(), gradients, strict=True))
    assert torch.equal(dice, torch.get_rng_state())


def test_what_was_frozen_stays_so_and_the_mode_is_kept():
    model = make("mlp")[0].train()
    model[0].requires_grad_(False)
    grown = deepen(widen(model, "0", 2), "0")
    assert not grown[0].weight.requires_grad and grown[3].weight.requires_grad
    assert all(module.training for module in grown.modules())


@networks
def test_grown_networks_train(name):
    model, x = make(name)
    y = torch.arange(16) % 3
    for done, grown in all_ways(model, whole_factors=(2,), factors=(2,)):
        for p in grown.parameters():
            assert p.requires_grad and p.grad is None
        step = torch.optim.SGD(grown.parameters(), lr=0.02)
        for _ in range(2):  # a residual block's first layer learns from the second step on
            step.zero_grad()
            F.cross_entropy(grown(x), y).backward()
            step.step()
        dead = [n for n, p in grown.named_parameters() if not p.grad.abs().sum() > 0]
        assert not [n for n in dead if n not in dict(model.named_parameters())], done


def test_only_noise_tells_copies_apart():
    model, x = make("mlp")
    y = torch.arange(16) % 3
    for noise in (0, 0.3):
        grown = widen(model, "0", 2, noise=noise)
        twins = [[j for j in range(14) if torch.equal(grown[0].weight[j], grown[0].weight[i])] for i in range(7)]
        for _ in range(3):
            F.cross_entropy(grown(x), y).backward()
            torch.optim.SGD(grown.parameters(), lr=0.3).step()
        apart = max(float((grown[0].weight[a] - grown[0].weight[b]).abs().max().detach()) for a, b in twins)
        assert apart > 1e-3 if noise else apart < 1e-6


def test_grown_networks_can_be_stored():
    model, x = make("conv-narrow")
    for _, grown in all_ways(model, factors=(2,)):
        assert check(grown, pickle.loads(pickle.dumps(grown)), x) == 0


# what cannot

def test_what_can_grow_is_listed_with_why_the_rest_cannot():
    layers = {layer.name: layer for layer in expandable(make("resnet-shallow")[0])}
    assert layers["parts.1.body.0.0"].ways == ("widen", "deepen", "residual")
    assert layers["parts.1.body.0.0"].kind == "convolution" and layers["parts.1.body.0.0"].width == 24
    for shared in ("parts.0.0.0", "parts.1.body.2.0", "parts.2.shortcut.0"):
        assert "one width" in layers[shared].refused["widen"]
    assert "answers" in layers["head"].refused["widen"] and layers["head"].ways == ()
    layers = {layer.name: layer for layer in expandable(make("zoo mlp")[0])}
    assert all(layers[f"parts.{i}.0"].whole and "GELU" in layers[f"parts.{i}.0"].refused["deepen"] for i in (1, 2, 3))
    assert not any(layer.whole for layer in expandable(make("conv-narrow")[0]))


def test_layers_that_cannot_grow_are_refused_by_name_and_reason():
    model, _ = make("resnet-shallow")
    refused(lambda: widen(model, "parts.1.body.2.0", 2), "parts.1.body.2.0", "add", "one width")
    refused(lambda: widen(model, "head", 2), "head", "answers")
    refused(lambda: widen(model, ["head"], 2), "no layer ['head']")
    refused(lambda: deepen(model, "parts.1.body.2.0"), "parts.1.body.2.0", "ReLU")
    refused(lambda: residual(model, "head"), "head", "answers")
    for name in ("parts.9", "", None):
        refused(partial(widen, model, name, 2), repr(name), "parts.0.0.0")
    refused(lambda: widen(model, "parts.0.0", 2), "parts.0.0 cannot", "Sequential")
    model, _ = make("zoo mlp")
    refused(lambda: widen(model, "parts.1.0", 1.5), "parts.1.0", "LayerNorm", "whole")
    refused(lambda: deepen(model, "parts.1.0"), "parts.1.0", "GELU")


def test_wiring_that_would_change_the_function_is_refused():
    tied = nn.Sequential(nn.Linear(5, 5), nn.ReLU(), nn.Linear(5, 5), nn.ReLU(), nn.Linear(5, 2))
    tied[2].weight = tied[0].weight
    refused(lambda: widen(tied, "0", 2), "0", "shares", "2")
    layer = nn.Linear(5, 5)
    refused(lambda: widen(nn.Sequential(layer, nn.ReLU(), layer, nn.Linear(5, 2)), "0", 2), "0", "2 times")
    groups = nn.Sequential(nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1, groups=2), nn.Conv2d(4, 2, 1))
    refused(lambda: widen(groups, "0", 2), "0 cannot", "1 (Conv2d)")
    refused(lambda: widen(groups, "1", 2), "1 cannot", "group")
    refused(lambda: widen(nn.Sequential(nn.Linear(4, 4), nn.Softmax(1), nn.Linear(4, 2)), "0", 2), "0 cannot", "Softmax")
    refused(lambda: widen(nn.Sequential(nn.Linear(4, 4), nn.MaxPool1d(2), nn.Linear(2, 2)), "0", 2), "0 cannot", "MaxPool1d")
    refused(lambda: widen(nn.Sequential(nn.Conv2d(3, 4, 1), nn.Linear(8, 2)), "0", 2), "0 cannot", "Linear")
    refused(lambda: widen(nn.Sequential(nn.LSTM(4, 4)), "0", 2), "0 cannot", "LSTM")
    shared = nn.ReLU()
    refused(lambda: deepen(nn.Sequential(nn.Linear(4, 4), shared, nn.Linear(4, 4), shared, nn.Linear(4, 2)), "0"), "0 cannot", "ReLU")


def test_a_forward_that_looks_at_numbers_cannot_be_followed():
    class Choosing(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)

        def forward(self, x):
            return self.a(x) if x.sum() > 0 else self.b(x)

    refused(lambda: expandable(Choosing()), "Choosing", "forward")
    inside = nn.Sequential(nn.Linear(4, 4), Choosing(), nn.Linear(4, 2))
    assert "1 (Choosing (custom))" in reasons(inside)["0"]["widen"]
    refused(lambda: widen(inside, "1.a", 2), "1.a", "runs inside 1", "Choosing")
    assert check(inside, residual(inside, "0"), torch.randn(3, 4)) < 1e-5


def test_a_subclass_may_run_differently_and_is_not_taken_for_what_it_is_named():
    class ReLU(nn.Module):
        def forward(self, x):
            return x.flip(1)

    model = nn.Sequential(nn.Linear(4, 4), ReLU(), nn.Linear(4, 2))
    assert "flip" in reasons(model)["0"]["widen"] and "ReLU" in reasons(model)["0"]["deepen"]


@pytest.mark.parametrize("factor", (1, 0.5, float("nan"), float("inf"), 65, True, "2", None))
def test_factors_must_add_units(factor):
    refused(lambda: widen(make("mlp")[0], "0", factor), "0")


def test_bad_options_are_refused():
    model, x = make("mlp")
    refused(lambda: widen(model, "0", 1.01), "adds no unit")
    for noise in (-1, float("nan"), "much", True):
        refused(partial(widen, model, "0", 2, noise=noise), "Noise")
    for seed in (-1, 0.5, None):
        refused(partial(widen, model, "0", 2, seed=seed), "seed")
        refused(partial(residual, model, "0", seed=seed), "seed")
    for no_module in (None, len, np.zeros(3)):
        refused(partial(expandable, no_module), "torch module")
        refused(partial(widen, no_module, "0", 2), "torch module")
        refused(partial(check, model, no_module, x), "torch module")


def test_the_check_tells_networks_apart_and_refuses_what_it_cannot_compare():
    model, x = make("mlp")
    other, _ = make("mlp", 1)
    assert check(model, model, x) == 0 and check(model, model, x.numpy().astype(np.float64)) == 0
    with torch.no_grad():
        assert check(model, other, x) == pytest.approx(float((model(x) - other(x)).abs().max()))
    assert check(model, other, x) == check(other, model, x)
    refused(lambda: check(model, make("conv")[0], x), "cannot run", "(16, 5)")
    refused(lambda: check(model, nn.Linear(5, 2), x), "(16, 3)", "(16, 2)")
    refused(lambda: check(model, other, x[:0]), "nothing")
    refused(lambda: check(model, other, x * torch.nan), "NaN")


def test_the_check_leaves_mode_and_statistics_alone():
    model, x = make("conv")
    model.train()
    before = state(model)
    assert check(model, deepen(model, "0"), x) < 1e-5 and model.training and same(before, model.state_dict())
