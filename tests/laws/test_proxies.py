"""Proxies: what their definitions say, by hand on small networks; what leaves them as they are; and that they leave the network as it is."""

from copy import deepcopy
from functools import partial

import numpy as np
import pytest

from analysis.metrics.minima import proxies
from analysis.metrics.minima.proxies import PROXIES
from tests.refusal import refused

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

from analysis.models import architectures  # noqa: E402

each = pytest.mark.parametrize("name", PROXIES)
CURVED = ("sharpness",)  # found by steps, not to the last digit


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.double)


def two_layers(seed=0, bias=False):
    model = nn.Sequential(nn.Linear(4, 6, bias=bias), nn.ReLU(), nn.Linear(6, 3, bias=bias)).double()
    with torch.no_grad():
        for i, p in enumerate(model.parameters()):
            p.copy_(draw(*p.shape, seed=seed + i) / 2)
    return model


def conv(seed=0):
    """With batch normalisation that has seen something."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(5, 4, 3), nn.BatchNorm2d(4), nn.ReLU(),
                          nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)).double()
    for _ in range(5):
        model(3 * torch.randn(16, 3, 10, 10, dtype=torch.double) + 1)
    return model.eval()


def items(seed=0, n=12):
    return draw(n, 4, seed=seed + 50), torch.arange(n) % 3


def pictures(seed=0, n=12):
    return draw(n, 3, 10, 10, seed=seed + 50), torch.arange(n) % 3


def by_hand(model, x, y):
    """(weights, gradients) of a two-layer network without biases, in numpy."""
    a, b = (model[i].weight.detach().numpy() for i in (0, 2))
    x, y = x.numpy(), y.numpy()
    hidden = np.maximum(x @ a.T, 0)
    logits = hidden @ b.T
    wrong = np.exp(logits - logits.max(1, keepdims=True))
    wrong = (wrong / wrong.sum(1, keepdims=True) - np.eye(3)[y]) / len(y)
    return (a, b), (((wrong @ b) * (hidden > 0)).T @ x, wrong.T @ hidden)


def hessian(model, x, y):
    """(flat parameters, gradient, Hessian) the plain way."""
    names = [name for name, _ in model.named_parameters()]
    shapes = [p.shape for p in model.parameters()]
    flat = torch.cat([p.detach().flatten() for p in model.parameters()])

    def loss(row):
        parts = [part.view(shape) for part, shape in zip(row.split([s.numel() for s in shapes]), shapes, strict=True)]
        return F.cross_entropy(torch.func.functional_call(model, dict(zip(names, parts, strict=True)), (x,)), y)

    return flat, torch.autograd.functional.jacobian(loss, flat), torch.autograd.functional.hessian(loss, flat)


# what they are

@pytest.mark.parametrize("seed", range(3))
def test_what_is_read_off_weights_and_gradients_equals_the_hand_result(seed):
    model, (x, y) = two_layers(seed), items(seed)
    weights, gradients = by_hand(model, x, y)
    products = [w * g for w, g in zip(weights, gradients, strict=True)]
    known = {"params": 4 * 6 + 6 * 3, "l2_norm": np.sqrt(sum((w**2).sum() for w in weights)), "grad_norm": np.sqrt(sum((g**2).sum() for g in gradients)),
             "plain": sum(p.sum() for p in products), "snip": sum(np.abs(p).sum() for p in products)}
    for name, value in known.items():
        assert PROXIES[name](model, x, y) == pytest.approx(value, rel=1e-10), name


@pytest.mark.parametrize("seed", range(3))
def test_synflow_equals_the_hand_result(seed):
    model, (x, _) = two_layers(seed), items(seed)
    first, second = (model[i].weight.detach().abs().numpy() for i in (0, 2))
    assert PROXIES["synflow"](model, x) == pytest.approx(2 * (second @ first).sum(), rel=1e-12)
    biased = two_layers(seed, bias=True)
    first, second = (biased[i].weight.detach().abs().numpy() for i in (0, 2))
    assert PROXIES["synflow"](biased, x) == pytest.approx(2 * (second @ first).sum(), rel=1e-12)


def test_synflow_takes_batch_normalisation_as_a_scale():
    first, norm, last = nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Linear(5, 3)
    with torch.no_grad():
        norm.weight.copy_(draw(5)), norm.bias.copy_(draw(5)), norm.running_mean.copy_(10 * draw(5)), norm.running_var.copy_(draw(5).abs())
    scale = (norm.weight.abs().double() / (norm.running_var.double() + norm.eps).sqrt()).detach()
    flow = ((last.weight.abs().double() * scale) @ first.weight.abs().double()).sum().detach()
    for mode in (True, False):
        assert PROXIES["synflow"](nn.Sequential(first, norm, nn.ReLU(), last).train(mode), items()[0].float()) == pytest.approx(2 * float(flow), rel=1e-6)


def test_grasp_and_sharpness_are_those_of_the_whole_hessian():
    for seed in range(3):
        model, (x, y) = two_layers(seed, bias=True), items(seed)
        flat, gradient, curved = hessian(model, x, y)
        assert PROXIES["sharpness"](model, x, y) == pytest.approx(float(torch.linalg.eigvalsh(curved).abs().max()), rel=2e-3)
        model = two_layers(seed)
        flat, gradient, curved = hessian(model, x, y)
        assert PROXIES["grasp"](model, x, y) == pytest.approx(-float(flat @ curved @ gradient), rel=1e-9)


def test_fisher_is_what_each_item_does_to_each_unit():
    model, (x, y) = two_layers(), items()
    total = 0
    for item, label in zip(x, y, strict=True):
        hidden = model[0](item[None])
        logits = model[2](model[1](hidden))
        for out, gradient in zip((hidden, logits), torch.autograd.grad(F.cross_entropy(logits, label[None]), (hidden, logits)), strict=True):
            total += float((out * gradient).square().sum().detach())
    assert PROXIES["fisher"](model, x, y) == pytest.approx(total / (2 * len(x)), rel=1e-10)
    inplace = nn.Sequential(model[0], nn.ReLU(inplace=True), model[2])
    assert PROXIES["fisher"](inplace, x, y) == PROXIES["fisher"](model, x, y)


def test_fisher_sums_over_places_before_it_squares():
    model, (x, y) = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()).double(), pictures()
    total = 0
    for item, label in zip(x, y, strict=True):
        out = model[0](item[None])
        gradient, = torch.autograd.grad(F.cross_entropy(model[1:](out), label[None]), out)
        total += float((out * gradient).sum(dim=(2, 3)).square().sum().detach())
    assert PROXIES["fisher"](model, x, y) == pytest.approx(total / (2 * len(x)), rel=1e-10)


def test_the_tangent_kernel_is_that_of_summed_answers():
    model, (x, _) = two_layers(bias=True), items(n=5)
    rows = torch.stack([torch.cat([g.flatten() for g in torch.autograd.grad(model(item[None]).sum(), list(model.parameters()))]) for item in x])
    assert PROXIES["ntk"](model, x) == pytest.approx(float(torch.linalg.cond(rows @ rows.T)), rel=1e-8)
    line = nn.Linear(4, 3).double()  # whose gradient is the item itself, and 1, for each class
    known = np.linalg.cond(x.numpy() @ x.numpy().T + 1)
    assert PROXIES["ntk"](line, x) == pytest.approx(known, rel=1e-8)


def test_jacob_cov_is_the_published_formula():
    model, (x, _) = two_layers(bias=True), items(n=6)
    rows = torch.stack([torch.autograd.functional.jacobian(lambda item: model(item[None]).sum(), item) for item in x])
    values = np.linalg.eigvalsh(np.corrcoef(rows.numpy())).clip(0) + 1e-5
    assert PROXIES["jacob_cov"](model, x) == pytest.approx(-(np.log(values) + 1 / values).sum(), rel=1e-6)


def test_kernels_are_the_same_one_item_at_a_time(monkeypatch):
    model, (x, _) = conv(), pictures()
    together = PROXIES["ntk"](model, x)

    def no_batched_form(*_):
        raise RuntimeError("no batching rule")

    monkeypatch.setattr(torch.func, "vmap", no_batched_form)
    assert PROXIES["ntk"](model, x) == pytest.approx(together, rel=1e-8)


# what leaves them as they are

@each
def test_the_order_of_the_batch_does_not_matter(name):
    for model, (x, y) in ((two_layers(bias=True), items()), (conv(), pictures())):
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(1))
        rel = 3e-3 if name in CURVED else 1e-7
        assert PROXIES[name](model, x[order], y[order]) == pytest.approx(PROXIES[name](model, x, y), rel=rel)


@each
def test_numpy_and_torch_and_repeats_agree(name):
    model, (x, y) = conv(), pictures()
    value = PROXIES[name](model, x, y)
    assert PROXIES[name](model, x, y) == value
    assert PROXIES[name](model, x.numpy(), y.numpy()) == value
    assert PROXIES[name](model.float(), x, y) == pytest.approx(value, rel=1e-2)


@pytest.mark.parametrize("name", ("grad_norm", "plain", "snip", "grasp", "fisher"))
def test_a_batch_seen_twice_is_the_same_batch(name):
    model, (x, y) = conv(), pictures()
    assert PROXIES[name](model, torch.cat([x, x]), torch.cat([y, y])) == pytest.approx(PROXIES[name](model, x, y), rel=1e-9)


@each
def test_the_mode_of_the_network_does_not_matter(name):
    model, (x, y) = conv(), pictures()
    dropping = nn.Sequential(*model[:-1], nn.Dropout(0.5), model[-1])
    assert PROXIES[name](model.train(), x, y) == pytest.approx(PROXIES[name](model.eval(), x, y), rel=1e-12)
    assert PROXIES[name](dropping.train(), x, y) == pytest.approx(PROXIES[name](model, x, y), rel=1e-12)


def test_weights_moved_between_layers_move_gradients_but_no_products():
    model, (x, y) = two_layers(), items()
    moved = deepcopy(model)
    with torch.no_grad():
        moved[0].weight.mul_(4), moved[2].weight.div_(4)
    for name in ("plain", "snip", "fisher", "synflow", "params", "jacob_cov"):
        assert PROXIES[name](moved, x, y) == pytest.approx(PROXIES[name](model, x, y), rel=1e-9), name
    for name in ("l2_norm", "grad_norm", "ntk", "sharpness"):
        assert abs(PROXIES[name](moved, x, y) / PROXIES[name](model, x, y) - 1) > 0.01, name


@pytest.mark.parametrize("make, data", ((partial(two_layers, bias=True), items), (conv, pictures)))
def test_synflow_is_positive_knows_nothing_of_the_items_and_goes_with_each_layer(make, data):
    for seed in range(3):
        model, (x, y) = make(seed), data(seed)
        value = PROXIES["synflow"](model, x, y)
        assert value > 0 and PROXIES["synflow"](model, 100 * x[:3] - 7) == value
        signs = deepcopy(model)
        with torch.no_grad():
            for p in signs.parameters():
                p.mul_(draw(*p.shape, seed=seed).sign())
        assert PROXIES["synflow"](signs, x) == pytest.approx(value, rel=1e-12)
        with torch.no_grad():
            model[0].weight.mul_(3)
        assert PROXIES["synflow"](model, x) == pytest.approx(3 * value, rel=1e-12)


def test_lengths_scale_with_the_weights():
    model = two_layers(bias=True)
    twice = deepcopy(model)
    with torch.no_grad():
        for p in twice.parameters():
            p.mul_(-2)
    assert PROXIES["l2_norm"](twice) == pytest.approx(2 * PROXIES["l2_norm"](model), rel=1e-12)
    assert PROXIES["params"](twice) == PROXIES["params"](model) == 4 * 6 + 6 + 6 * 3 + 3


def test_kernels_of_equal_items_are_singular_and_only_the_first_items_count():
    model, (x, _) = two_layers(bias=True), items(n=40)
    assert PROXIES["ntk"](model, torch.cat([x[:3], x[:1]])) == np.inf
    assert PROXIES["ntk"](model, x) == PROXIES["ntk"](model, x[:proxies.NTK_ITEMS]) >= 1


# what they do to the network

@pytest.mark.parametrize("training", (True, False))
@each
def test_the_network_is_left_as_it_was(name, training):
    model, (x, y) = conv(), pictures()
    model[1].weight.requires_grad_(False)
    F.cross_entropy(model(x), y).backward()
    model.train(training)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    gradients, dice, x_before = [None if p.grad is None else p.grad.clone() for p in model.parameters()], torch.get_rng_state(), x.clone()
    PROXIES[name](model, x, y)
    assert all(torch.equal(v, before[k]) and v.dtype == before[k].dtype for k, v in model.state_dict().items())
    assert all(p.grad is g is None or torch.equal(p.grad, g) for p, g in zip(model.parameters(), gradients, strict=True))
    assert all(module.training == training and not module._forward_hooks for module in model.modules())
    assert [p.requires_grad for p in model.parameters()] == [i != 2 for i in range(len(gradients))]
    assert torch.equal(dice, torch.get_rng_state()) and torch.equal(x, x_before) and not x.requires_grad


@pytest.mark.parametrize("architecture", architectures.ARCHITECTURES)
def test_every_network_of_the_zoo_can_be_judged(architecture):
    torch.manual_seed(0)
    model, x, y = architectures.make(architecture, 10), torch.rand(3, 3, 32, 32), torch.arange(3)
    for name, proxy in PROXIES.items():
        if (architecture, name) == ("recurrent", "synflow"):
            refused(partial(proxy, model, x), "parts.1.gru", "GRU")
        else:
            low, high = proxy.range
            assert low <= proxy(model, x, y) <= high, name


# what is said of them, and what is refused

def test_each_of_the_eleven_says_what_it_is():
    assert list(PROXIES) == ["params", "l2_norm", "grad_norm", "plain", "snip", "grasp", "fisher", "synflow", "jacob_cov", "ntk", "sharpness"]
    for name, proxy in PROXIES.items():
        assert proxy.name == name and proxy.title and proxy.meaning.endswith(".") and (not proxy.ours or proxy.ours.endswith("."))
        assert proxy.direction in (1, -1) and proxy.cost in ("cheap", "moderate", "slow") and proxy.work and set(proxy.needs) <= {"items", "labels"}
    assert {name for name, proxy in PROXIES.items() if proxy.direction < 0} == {"ntk", "sharpness"}


@each
def test_what_a_proxy_needs_it_asks_for_and_the_rest_may_be_left_out(name):
    proxy, model, (x, y) = PROXIES[name], two_layers(), items()
    given = {"x": x if "items" in proxy.needs else None, "y": y if "labels" in proxy.needs else None}
    assert proxy(model, **given) == proxy(model, x, y)
    for need, argument in (("items", "x"), ("labels", "y")):
        if need in proxy.needs:
            refused(partial(proxy, model, **(given | {argument: None})), proxy.title, need)


def test_bad_networks_are_refused():
    x, y = items()
    for name, proxy in PROXIES.items():
        refused(partial(proxy, "a model", x, y), "torch module")
        refused(partial(proxy, nn.Sequential(nn.ReLU()), x, y), "no weights")
        broken = two_layers()
        with torch.no_grad():
            broken[2].weight[0, 0] = torch.nan
        refused(partial(proxy, broken, x, y), "2.weight", "NaN")
        if proxy.needs:
            refused(partial(proxy, conv(), x, y), {"synflow": "(1, 4)", "ntk": "(2, 4)"}.get(name, "(12, 4)"))
            refused(partial(proxy, nn.Sequential(nn.Linear(4, 2), nn.Unflatten(1, (1, 2))).double(), x, y), "logits")


def test_bad_items_and_labels_are_refused():
    model, (x, y) = two_layers(), items()
    snip, ntk, jacob = PROXIES["snip"], PROXIES["ntk"], PROXIES["jacob_cov"]
    for bad in (x[:0], x * torch.nan, x.long(), torch.tensor(1.0), ["a"]):
        refused(partial(snip, model, bad, y), "Items")
    for bad in (y[:5], y.double(), y - 1, y[:, None], y > 0):
        refused(partial(snip, model, x, bad), "Labels", "12 items")
    refused(lambda: snip(model, x, y + 1), "Label 3", "3 classes")
    refused(lambda: ntk(model, x[:1]), "two items")
    dead = deepcopy(model)
    with torch.no_grad():
        dead[0].weight.zero_()
    refused(lambda: ntk(dead, x), "parameters")
    refused(lambda: jacob(dead, x), f"{len(x)} of {len(x)} items")
    with torch.no_grad():
        dead[0].weight.fill_(1e200), dead[2].weight.fill_(1e200)
    refused(lambda: snip(dead, x.abs(), y), "loss")
