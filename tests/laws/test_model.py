import numpy as np
import pytest

from analysis import InputError, Model
from analysis.models.model import pool

torch = pytest.importorskip("torch")


class Tokens(torch.nn.Module):
    """Embeds three numbers as three tokens; one block; a head."""

    def __init__(self, seed=0):
        super().__init__()
        torch.manual_seed(seed)
        self.embed = torch.nn.Linear(1, 4)
        self.blocks = torch.nn.ModuleList([torch.nn.Linear(4, 4) for _ in range(2)])
        self.head = torch.nn.Linear(4, 2)

    def forward(self, x):
        x = self.embed(x.unsqueeze(-1))
        for block in self.blocks:
            x = x + block(x).relu()
        return self.head(x[:, 0])


def wrap(module=None, **options):
    return Model.wrap(module or Tokens(), preprocess=torch.as_tensor, name="tokens", modality="array", **options)


def test_without_names_the_top_parts_are_watched_and_containers_opened():
    assert list(wrap(head="head").layers) == ["embed", "blocks.0", "blocks.1"]


@pytest.mark.parametrize("rule, expected", [("cls", 0), ("last", 2)])
def test_pooling_picks_its_token(rule, expected):
    net, x = Tokens(), np.float32([[1, 2, 3], [4, 5, 6]])
    rows, _ = wrap(net).run(x, layers="embed", pooling=rule)
    np.testing.assert_allclose(rows["embed"], net.embed(torch.as_tensor(x).unsqueeze(-1))[:, expected].detach(), atol=1e-6)


def test_native_pooling_is_the_models_own():
    x = np.float32([[1, 2, 3]])
    np.testing.assert_array_equal(wrap(pooling="last").run(x)[0]["embed"], wrap(pooling="cls").run(x, pooling="last")[0]["embed"])


def test_padding_never_counts():
    state = torch.arange(12.0).reshape(2, 3, 2)
    mask = torch.tensor([[1, 1, 0], [0, 1, 1]])
    assert pool(state, "mean", mask).tolist() == [[1, 2], [9, 10]]
    assert pool(state, "last", mask).tolist() == [[2, 3], [10, 11]]


def test_images_are_averaged_over_space():
    state = torch.arange(16.0).reshape(1, 4, 2, 2)
    assert pool(state, "mean").tolist() == [[1.5, 5.5, 9.5, 13.5]]


def test_head_by_output_or_by_path():
    x = np.float32([[1, 2, 3]])
    _, a = wrap(head="output").run(x)
    _, b = wrap(head="head").run(x)
    np.testing.assert_array_equal(a, b)
    assert wrap().run(x)[1] is None


def test_digest_follows_weights_layers_and_preprocessing():
    base = wrap().digest
    assert wrap().digest == base
    other = Tokens()
    with torch.no_grad():
        other.embed.bias[0] += 1e-6
    assert wrap(other).digest != base
    assert wrap(layers=["embed"]).digest != base
    assert wrap(pooling="cls").digest != base
    net = Tokens()
    halved = Model.wrap(net, preprocess=lambda x: torch.as_tensor(x) / 2, name="tokens", modality="array")
    thirds = Model.wrap(net, preprocess=lambda x: torch.as_tensor(x) / 3, name="tokens", modality="array")
    assert halved.digest != thirds.digest


def test_wrapping_leaves_no_hooks_behind():
    net = Tokens()
    wrap(net).run(np.float32([[1, 2, 3]]))
    assert all(not m._forward_hooks for m in net.modules())


def test_wrong_layers_are_named():
    with pytest.raises(InputError, match="no layer 'blocks.7'") as caught:
        wrap(layers=["blocks.7"])
    assert "blocks.0" in caught.value.hint
    with pytest.raises(InputError, match="no part in the forward pass"):
        net = Tokens()
        net.spare = torch.nn.Linear(2, 2)
        wrap(net, layers=["spare"]).run(np.float32([[1, 2, 3]]))
    with pytest.raises(InputError, match="Unknown pooling"):
        wrap().run(np.float32([[1, 2, 3]]), pooling="max")


def test_digest_sees_code_closures_settings_and_classes():
    def net(activation):
        torch.manual_seed(0)
        return torch.nn.Sequential(torch.nn.Linear(3, 4), activation, torch.nn.Linear(4, 2))

    class Scaled(Tokens):
        def __init__(self, factor):
            super().__init__()
            self.factor = factor

    class Turned(Tokens):
        def forward(self, x):
            return super().forward(-x)

    class Divide:
        def __init__(self, by):
            self.by = by

        def __call__(self, x):
            return torch.as_tensor(x) / self.by

    import functools
    prepared = lambda by: lambda x: torch.as_tensor(x) / by
    given = [wrap(net(torch.nn.ReLU()), layers=["2"]), wrap(net(torch.nn.Tanh()), layers=["2"]), wrap(Tokens()), wrap(Scaled(1)), wrap(Scaled(2)),
             wrap(Turned()), wrap(classes=("a", "b")), wrap(classes=("b", "a"))]
    for preprocess in (prepared(1), prepared(2), Divide(1), Divide(2), functools.partial(torch.mul, other=1), functools.partial(torch.mul, other=2)):
        given.append(Model.wrap(Tokens(), preprocess=preprocess, name="tokens", modality="array"))
    assert len({m.digest for m in given}) == len(given)
    library, closing = torch, lambda by: lambda x: library.as_tensor(x) / by  # a closure over the library itself
    one, same, other = (Model.wrap(Tokens(), preprocess=closing(by), name="tokens", modality="array").digest for by in (3, 3, 4))
    assert one == same != other
    assert wrap(Scaled(2)).digest == wrap(Scaled(2)).digest
    assert Model.wrap(Tokens(), preprocess=Divide(2), name="a").digest == Model.wrap(Tokens(), preprocess=Divide(2), name="a").digest


def test_weights_trained_after_wrapping_are_another_model(store):
    from analysis import Dataset, extract
    net, data = Tokens(), Dataset(np.float32([[1, 2, 3], [4, 5, 6]]))
    model = wrap(net)
    before = extract(model, data)
    with torch.no_grad():
        net.embed.weight.mul_(100)
    after = extract(model, data)
    assert before.digest != after.digest and len(store.entries("representations")) == 2


def test_dropout_is_off_while_running_and_the_owners_mode_comes_back():
    net = torch.nn.Sequential(torch.nn.Linear(3, 50), torch.nn.Dropout(0.5))
    model = wrap(net, layers=["1"])
    net.train()
    net[0].eval()
    x = np.float32([[1, 2, 3]])
    np.testing.assert_array_equal(model.run(x)[0]["1"], model.run(x)[0]["1"])
    assert net[1].training and not net[0].training


def test_a_part_that_gives_no_tensor_is_named():
    class Odd(torch.nn.Module):
        def forward(self, x):
            return {"x": x}
    with pytest.raises(InputError, match="returns dict, not a tensor"):
        wrap(torch.nn.Sequential(Odd()), layers=["0"]).run(np.float32([[1, 2, 3]]))
