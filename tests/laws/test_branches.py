"""Copies of a network run and trained together: what must hold for any network."""

import json
from copy import deepcopy

import numpy as np
import pytest

from analysis.metrics import minima
from analysis.metrics.minima.stack import Stack, _forms, _one_by_one
from analysis.models import zoo
from tests.refusal import refused

torch = pytest.importorskip("torch")
nn = torch.nn

PICTURES = ("conv-narrow", "resnet-shallow", "separable", "mlp", "mixer", "vit", "convnext", "patches", "recurrent")


class Odd(nn.Module):
    """A short cut from the input itself, a parameter of its own, weights used twice, tokens that pass as rows."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.scale = nn.Linear(6, 6), nn.Linear(6, 6), nn.Parameter(torch.full((1, 6), 1.5))
        self.second.weight = self.first.weight
        self.head = nn.Linear(3, 4)

    def forward(self, x):
        x = torch.relu(x + self.first(x)) * self.scale
        x = self.second(x).view(-1, 3)
        return self.head(x).view(-1, 2, 4).sum(dim=1)


class Company(nn.Module):
    """What it says of an item depends on the others."""

    def __init__(self):
        super().__init__()
        self.first, self.head = nn.Linear(6, 6), nn.Linear(6, 4)

    def forward(self, x):
        x = self.first(x)
        return self.head(x - x.mean(dim=0))


class Moody(nn.Linear):
    """It never says the same twice."""

    def forward(self, x):
        return super().forward(x) * torch.rand(1)


def data(n=60, d=6, classes=4, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % classes
    return torch.tensor(rng.standard_normal((classes, d))[y] * 1.5 + rng.standard_normal((n, d)), dtype=torch.float32), torch.from_numpy(y)


def pictures(n=12, seed=0):
    return torch.rand(n, 3, 32, 32, generator=torch.Generator().manual_seed(seed)), torch.arange(n) % 4


def row(*layers):
    torch.manual_seed(0)
    return nn.Sequential(*layers)


NETS = {"dense": lambda: (row(nn.Linear(6, 9), nn.ReLU(), nn.Linear(9, 9, bias=False), nn.LayerNorm(9), nn.GELU(), nn.Linear(9, 4)), data()),
        "normalised": lambda: (row(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 8), nn.BatchNorm1d(8, momentum=None), nn.Linear(8, 4)), data()),
        "convolved": lambda: (row(nn.Conv2d(3, 6, 5, 4), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 6, 3, groups=3), nn.GroupNorm(2, 6), nn.MaxPool2d(2),
                                  nn.Flatten(), nn.Linear(24, 4)), pictures()),
        "sequence": lambda: (row(nn.Unflatten(1, (2, 3)), nn.Linear(3, 5), nn.LayerNorm(5, bias=False), nn.Conv1d(2, 4, 3, padding="same"), nn.PReLU(),
                                 nn.Flatten(), nn.Linear(20, 4)), data()),
        "odd": lambda: (row(Odd()), data()),
        "company": lambda: (row(Company()), data()),
        "input normalised": lambda: (row(nn.BatchNorm1d(6), nn.Linear(6, 4)), data()),
        "grouped": lambda: (row(nn.Conv2d(3, 6, 4, 4, groups=3, padding_mode="zeros"), nn.ReLU(), nn.Flatten(), nn.Linear(384, 4)), pictures())}
each = pytest.mark.parametrize("net", NETS)


def alone(model, x, y, seed, *, steps, batch, rate, momentum=0.9, decay=0.0):
    """Plain training of one network; (parameters, losses, state)."""
    net = deepcopy(model).train()
    optimiser = torch.optim.SGD(net.parameters(), lr=rate, momentum=momentum, weight_decay=decay)
    rng, losses = np.random.default_rng(seed), []
    order = [r for _ in range(steps) for r in rng.permutation(len(x))[:len(x) // batch * batch].reshape(-1, batch)]
    for rows in order[:steps]:
        loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return torch.cat([p.detach().flatten() for p in net.parameters()]).numpy(), losses, net.state_dict()


def moved(model, n=3, size=0.1):
    """Rows of parameters near those of the network."""
    base = torch.cat([p.detach().flatten() for p in model.parameters()])
    return base + size * torch.randn(n, len(base), generator=torch.Generator().manual_seed(1))


def at(model, values):
    """The network with these parameters."""
    net = deepcopy(model)
    nn.utils.vector_to_parameters(values, net.parameters())
    return net


# together as one after the other

@each
def test_training_together_is_training_one_after_the_other(net):
    model, (x, y) = NETS[net]()
    options = {"steps": 12, "batch": 6, "rate": 0.02, "decay": 0.01}
    found = minima.branch(model, x, y, seeds=(3, 0, 8), **options)
    for i, seed in enumerate((3, 0, 8)):
        ends, losses, state = alone(model, x, y, seed, **options)
        np.testing.assert_allclose(found.ends[i], ends, atol=1e-4)
        np.testing.assert_allclose(found.curves[i], losses, atol=1e-4)
        for name, values in found.state(i).items():
            np.testing.assert_allclose(values, state[name], atol=1e-4)
    assert found.diverged == {} and found.sound.tolist() == [0, 1, 2]
    np.testing.assert_array_equal(found.base, moved(model, 1, 0)[0])


@pytest.mark.parametrize("name", PICTURES)
def test_the_networks_of_the_zoo_train_together(name):
    """In double precision, where rounding does not grow to be seen."""
    from analysis.models import architectures
    torch.manual_seed(0)
    model, (x, y) = architectures.make(name, 4).double(), pictures()
    before = deepcopy(model.state_dict())
    found = minima.branch(model, x.double(), y, seeds=(0, 1), steps=2, batch=4, rate=0.02)
    for i in range(2):
        np.testing.assert_allclose(found.ends[i], alone(model, x.double(), y, i, steps=2, batch=4, rate=0.02)[0], atol=1e-8)
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())


@pytest.mark.parametrize("name", ["conv-narrow", "resnet-deep", "mlp"])
def test_the_usual_networks_run_in_batched_form_alone(name):
    from analysis.models import architectures
    model = architectures.make(name, 4)
    assert all(form is not _one_by_one for _, form in _forms(model))
    stack = Stack(model, pictures(4)[0])
    assert stack._late and stack.size == sum(p.numel() for p in model.parameters()) and stack.classes == 4


@pytest.mark.parametrize("way", ["widen", "deepen", "residual"])
def test_grown_networks_run_in_batched_form_too(way):
    from analysis.models import architectures
    torch.manual_seed(0)
    model = architectures.make("resnet-shallow", 4).eval()
    layer = next(layer.name for layer in minima.expandable(model) if way in layer.ways)
    grown = minima.widen(model, layer, 2) if way == "widen" else getattr(minima, way)(model, layer)
    x, y = pictures()
    assert all(form is not _one_by_one for _, form in _forms(grown))
    found = minima.branch(grown.double(), x.double(), y, seeds=(0, 5), steps=2, batch=4, rate=0.02)
    for i, seed in enumerate((0, 5)):
        np.testing.assert_allclose(found.ends[i], alone(grown, x.double(), y, seed, steps=2, batch=4, rate=0.02)[0], atol=1e-8)


@pytest.mark.parametrize("drawing", [nn.Dropout(0.3), nn.TransformerEncoderLayer(8, 2, 16, dropout=0.3)], ids=["dropout", "attention"])
def test_branches_do_not_feel_one_another(drawing):
    model, (x, y) = NETS["normalised"]()
    model.insert(3, nn.Sequential(nn.Unflatten(1, (1, 8)), drawing, nn.Flatten()))
    one, many = (minima.branch(model, x, y, seeds=seeds, steps=20, batch=8) for seeds in ((4,), (2, 4, 7)))
    np.testing.assert_allclose(one.ends[0], many.ends[1], atol=1e-4)
    np.testing.assert_allclose(one.curves[0], many.curves[1], atol=1e-4)
    assert np.abs(many.ends[0] - many.ends[1]).max() > 0.01


def test_dropout_drops_its_share_and_only_in_training():
    x, ones = torch.ones(500, 8), {"1.weight": torch.eye(8).repeat(2, 1, 1), "1.bias": torch.zeros(2, 8)}
    stack, draw = Stack(row(nn.Dropout(0.25), nn.Linear(8, 8)), x), lambda: [torch.Generator().manual_seed(s) for s in (0, 1)]
    found = stack(ones, x, mode="train", generators=draw())
    assert found.unique().tolist() == pytest.approx([0, 4 / 3]) and (found == 0).float().mean() == pytest.approx(0.25, abs=0.02)
    assert not torch.equal(found[0], found[1]) and torch.equal(found, stack(ones, x, mode="train", generators=draw()))
    assert (stack(ones, x) == 1).all()
    channels = Stack(row(nn.Dropout2d(0.5), nn.Flatten(), nn.Linear(27, 2)), torch.ones(4, 3, 3, 3))
    eye = {"2.weight": torch.eye(27)[None, ::9], "2.bias": torch.zeros(1, 3)}
    assert set(channels(eye, torch.ones(4, 3, 3, 3), mode="train", generators=draw()[:1]).unique().tolist()) == {0.0, 2.0}


# the loss

@each
def test_the_loss_is_that_of_the_network(net):
    model, (x, y) = NETS[net]()
    loss, rows = minima.Loss(model, x, y), moved(model)
    found, right = loss(rows), loss.accuracy(rows)
    for i, values in enumerate(rows):
        plain = at(model, values)
        for layer in plain.modules():
            layer.train(isinstance(layer, nn.modules.batchnorm._BatchNorm))
        with torch.no_grad():
            out = plain(x)
        assert found[i] == pytest.approx(float(nn.functional.cross_entropy(out, y)), abs=1e-5) == float(loss(values))
        assert right[i] == pytest.approx(float((out.argmax(dim=1) == y).double().mean()))
    torch.testing.assert_close(loss.base, moved(model, 1, 0)[0])
    assert sum(int(np.prod(shape)) for shape in loss.shapes) == len(loss.base)


def test_the_loss_is_the_same_in_parts(monkeypatch):
    from analysis.metrics.minima import loss as module
    for net in ("dense", "convolved"):
        model, (x, y) = NETS[net]()
        loss, rows = minima.Loss(model, x, y), moved(model, 7)
        whole = loss(rows)
        for room in (1, 100, 3000):
            monkeypatch.setattr(module, "ROOM", room)
            torch.testing.assert_close(loss(rows), whole, rtol=1e-5, atol=1e-6)
        monkeypatch.undo()


def test_batch_normalisation_is_renewed_at_every_point():
    """Weights before it may be of any length, and what it kept of training does not matter."""
    model, (x, y) = NETS["normalised"]()
    longer = deepcopy(model)
    with torch.no_grad():
        for layer in (longer[0], longer[3]):
            layer.weight *= 5
            layer.bias *= 5
        longer[1].running_mean += 3
        longer[4].running_var *= 9
    one, other = minima.Loss(model, x, y), minima.Loss(longer, x, y)
    assert float(one(one.base)) == pytest.approx(float(other(other.base)), abs=1e-4)
    middle = float(one((one.base + other.base) / 2))
    assert middle == pytest.approx(float(one(one.base)), abs=1e-4)
    assert minima.barrier(one, one.base, other.base) == pytest.approx(0, abs=1e-4)


# what comes of it

def test_a_candidate_from_branches_to_size():
    model, (x, y) = NETS["dense"]()
    trained = minima.branch(model, x, y, steps=60, batch=20, rate=0.05)
    model.load_state_dict({name: torch.as_tensor(v) for name, v in trained.state(0).items()}, strict=False)
    found = minima.branch(model, x, y, seeds=range(4), steps=30, batch=10, rate=0.02, snapshots=3)
    loss = minima.Loss(model, x, y)
    walls = minima.barriers(loss, found)
    size = minima.size(found, barriers=walls, epsilon=0.05)
    assert size.connected == 1 and size.distance > 0 and size.dimension == 3 and np.isfinite(size.volume) and size.parameters == len(loss.base)
    np.testing.assert_allclose(size.barriers, minima.size(found, loss=loss, epsilon=0.05).barriers, atol=1e-6)
    for i, j in ((0, 1), (2, 3)):
        assert walls.matrix[i, j] == pytest.approx(minima.barrier(loss, found.ends[i], found.ends[j]), abs=1e-5)
    ways = minima.directions(6, len(loss.base))
    far = minima.radius(loss, found.base, ways, epsilon=0.05)
    unit = minima.normalised(torch.as_tensor(ways), torch.as_tensor(found.base), loss.shapes)
    for r, way in zip(far, unit, strict=True):
        assert float(loss(loss.base + r * way) - loss(loss.base)) == pytest.approx(0.05, abs=1e-4)
    seen = minima.plane(loss, found.ends[:3], points=5, others=found.snapshots)
    np.testing.assert_allclose(seen.others[-1, :3], seen.corners, atol=1e-4)
    assert json.dumps([found.manifest(), size.manifest(), walls.manifest(), seen.manifest()], allow_nan=False)


def test_snapshots_lead_from_the_base_to_the_ends():
    model, (x, y) = NETS["dense"]()
    found = minima.branch(model, x, y, seeds=(0, 1), steps=20, batch=10, snapshots=4)
    assert found.at.tolist() == [0, 4, 8, 12, 16, 20] and found.snapshots.shape == (6, 2, len(found.base))
    assert (found.snapshots[0] == found.base).all() and (found.snapshots[-1] == found.ends).all()
    short = minima.branch(model, x, y, seeds=(0, 1), steps=8, batch=10)
    np.testing.assert_allclose(found.snapshots[2], short.ends, atol=1e-6)
    places, shares = found.paths()
    assert places.shape == (6, 2, 2) and np.allclose(places[0], 0, atol=1e-5) and 0 < shares.sum() <= 1 + 1e-9 and shares[0] >= shares[1]
    whole = np.linalg.norm(found.snapshots - found.base, axis=2)
    assert (np.linalg.norm(places, axis=2) <= whole + 1e-5).all()
    assert (places**2).sum() / (whole**2).sum() == pytest.approx(shares.sum(), rel=1e-5)


def test_a_branch_that_diverges_is_named_and_left_out():
    """The batches of one seed hold an item that is out of bounds; the other never meets it."""
    model, (x, y) = row(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 4)), data(60)
    orders = {seed: np.random.default_rng(seed).permutation(60)[:48].reshape(-1, 8) for seed in range(3)}
    bad = next(i for i in range(60) if i in orders[1][2:] and i not in orders[0] and i not in orders[2])
    x[bad] = 1e38
    found = minima.branch(model, x, y, seeds=(0, 1, 2), steps=6, batch=8, rate=0.1)
    step = int(np.argwhere(orders[1] == bad)[0, 0])
    assert list(found.diverged) == [1] and step <= found.diverged[1] <= step + 1 and found.sound.tolist() == [0, 2]
    assert np.isnan(found.ends[1]).all() and "seed 1" in found.warnings[-1] and "left out" in found.warnings[-1]
    np.testing.assert_allclose(found.ends[[0, 2]], minima.branch(model, x, y, seeds=(0, 2), steps=6, batch=8, rate=0.1).ends, atol=1e-5)
    size = minima.size(found, loss=minima.Loss(model, *data(60)), epsilon=10)
    assert size.left_out == (1,) and size.clique == (0, 2) and np.isnan(found.paths()[0][:, 1]).all()
    assert json.dumps(found.manifest(), allow_nan=False) and len(found.table()) == 3


def test_seeds_reproduce_and_their_order_does_not_matter():
    model, (x, y) = NETS["dense"]()
    one, again = (minima.branch(model, x, y, steps=15, batch=10) for _ in range(2))
    np.testing.assert_array_equal(one.ends, again.ends)
    turned = minima.branch(model, x, y, seeds=(4, 3, 2, 1, 0), steps=15, batch=10)
    np.testing.assert_allclose(turned.ends[::-1], one.ends, atol=1e-5)
    assert one.seeds == (0, 1, 2, 3, 4) and one.options["rate"] == 0.1
    told = []
    minima.branch(model, x, y, steps=50, batch=10, progress=lambda done, total, note: told.append((done, total)))
    assert told[0] == (0, 50) and told[-1] == (50, 50)


def test_a_base_that_is_not_trained_says_so():
    model, (x, y) = NETS["dense"]()
    assert "not trained" in minima.branch(model, x, y, steps=3, batch=10).warnings[0]
    trained = minima.branch(model, x, y, seeds=(0,), steps=100, batch=10)
    model.load_state_dict({name: torch.as_tensor(v) for name, v in trained.state(0).items()}, strict=False)
    assert minima.branch(model, x, y, steps=3, batch=10).warnings == ()


def test_bad_input_is_named():
    model, (x, y) = NETS["dense"]()
    for call in (minima.branch, minima.Loss):
        refused(lambda call=call: call(model, x, None), "labels")
        refused(lambda call=call: call(model, x, y[:5]), "5", "60")
        refused(lambda call=call: call(model, x, y + 2), "5", "4 classes")
        refused(lambda call=call: call(model, x, y - 1), "0")
        refused(lambda call=call: call(model, x, y + 0.5), "Labels")
        refused(lambda call=call: call(model, x[:, :4], y), "(4,)")
        refused(lambda call=call: call(model, torch.where(x > 2, torch.nan, x), y), "NaN")
        refused(lambda call=call: call(model, "abc", y), "items")
        refused(lambda call=call: call(nn.ReLU(), x, y), "no parameters")
        refused(lambda call=call: call(zoo.load("mlp/plain"), x, y), "not Model", "load()")
        refused(lambda call=call: call(row(nn.Unflatten(1, (2, 3)), nn.Linear(3, 4)), x, y), "logits")
        refused(lambda call=call: call(Moody(6, 4), x, y), "company")
    refused(lambda: minima.Loss(model, x[:1], y[:1]), "two")
    refused(lambda: minima.Loss(model, x, y)(torch.zeros(7)), "(7,)")
    broken = deepcopy(model)
    with torch.no_grad():
        broken[0].weight[0, 0] = torch.nan
    refused(lambda: minima.branch(broken, x, y, batch=10), "base", "NaN")
    loss = minima.Loss(broken, x, y)
    refused(lambda: minima.radius(loss, np.zeros(len(loss.base)) + np.nan, minima.directions(2, len(loss.base)), epsilon=0.1), "NaN")
    for name, values in (("batch", (1, 61, 2.5, True)), ("steps", (0, 1.5, "a")), ("rate", (0, -1, np.nan, "a")), ("momentum", (1, -0.1, None)),
                         ("decay", (-1, np.inf)), ("snapshots", (-1, 0.5)), ("seeds", ((), (1, 1), (-1,), ("a",), 5, None, "ab"))):
        for value in values:
            refused(lambda name=name, value=value: minima.branch(model, x, y, **{name: value}))


