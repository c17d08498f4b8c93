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
