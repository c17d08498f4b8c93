"""Small vision networks that really differ. Each takes (b, 3, 32, 32) in 0..1 and gives logits from `head`.

This file imports torch: import it inside the function that builds a network, never at the top of another module.
A network's `states` maps shown names to the submodules whose outputs are its layers, in order.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import nn

SIDE = 32  # of the pictures


class Network(nn.Module):
    """Parts run one after the other, then the head; a subclass fills `self.parts` (shown name -> module, in order)."""

    def __init__(self, parts: Mapping[str, nn.Module], width: int, classes: int):
        super().__init__()
        self.parts = nn.Sequential(*parts.values())
        self.head = nn.Linear(width, classes)
        self.states = {name: f"parts.{i}" for i, name in enumerate(parts)}

    def forward(self, x):
        return self.head(self.summary(self.parts(x * 2 - 1)))

    def summary(self, x):
        return x.mean(dim=(2, 3)) if x.ndim == 4 else x


def conv(i: int, o: int, kernel: int = 3, *, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Convolution and batch normalisation, no activation."""
    return nn.Sequential(nn.Conv2d(i, o, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(o))


def chain(widths, part) -> tuple[dict, int]:
    """(one part per step of the widths, starting from the 3 colours; the last width)"""
    return {f"stage {i + 1}": part(a, b, i) for i, (a, b) in enumerate(zip((3, *widths), widths, strict=False))}, widths[-1]


class Conv(Network):
    """Plain convolutions, halving the picture after each."""

    def __init__(self, classes: int, widths):
        super().__init__(*chain(widths, lambda a, b, i: nn.Sequential(conv(a, b), nn.ReLU(), nn.MaxPool2d(2))), classes)


class Separable(Network):
    """Each stage looks at every channel alone, then mixes channels at every place alone."""

    def __init__(self, classes: int, widths):
        step = lambda a, b, i: conv(a, b, stride=2) if i == 0 else nn.Sequential(
            conv(a, a, 5, stride=1 + i % 2, groups=a), nn.ReLU(), conv(a, b, 1), nn.ReLU())
        super().__init__(*chain(widths, step), classes)


class Residual(nn.Module):
    """Two convolutions beside a short cut."""

    def __init__(self, a: int, b: int, stride: int):
        super().__init__()
        self.body = nn.Sequential(conv(a, b, stride=stride), nn.ReLU(), conv(b, b))
        self.shortcut = nn.Identity() if a == b and stride == 1 else conv(a, b, 1, stride=stride)

    def forward(self, x):
        return F.relu(self.body(x) + self.shortcut(x))


class ResNet(Network):
    """Stages of residual blocks, each stage at half the resolution of the one before."""

    def __init__(self, classes: int, widths, blocks: int):
        parts = {"stem": nn.Sequential(conv(3, widths[0], stride=2), nn.ReLU())}
        for stage, (a, b) in enumerate(zip((widths[0], *widths), widths, strict=False)):
            for block in range(blocks):
                first = block == 0
                parts[f"block {len(parts)}"] = Residual(a if first else b, b, 2 if first and stage else 1)
        super().__init__(parts, widths[-1], classes)


class Shrink(nn.Module):
    """The picture in grey, made smaller, as one row."""

    def __init__(self, side: int):
        super().__init__()
        self.side = side

    def forward(self, x):
        return F.adaptive_avg_pool2d(x.mean(dim=1, keepdim=True), self.side).flatten(1)


class MLP(Network):
    """Sees no neighbourhood: a 16x16 picture as one row through dense layers."""

    def __init__(self, classes: int, width: int, depth: int, side: int):
        parts = {"pixels": Shrink(side)}
        for i in range(depth):
            parts[f"dense {i + 1}"] = nn.Sequential(nn.Linear(width if i else side * side, width), nn.LayerNorm(width), nn.GELU())
        super().__init__(parts, width, classes)


class Tokens(nn.Module):
    """Square patches as tokens with a learned place. The class token starts from their mean: it already differs between pictures."""

    def __init__(self, width: int, patch: int, *, cls: bool = False):
        super().__init__()
        self.patch = nn.Conv2d(3, width, patch, patch)
        self.cls = nn.Parameter(torch.randn(1, 1, width) * 0.02) if cls else None
        self.place = nn.Parameter(torch.randn(1, (SIDE // patch) ** 2 + cls, width) * 0.02)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        if self.cls is not None:
            x = torch.cat([self.cls + x.mean(dim=1, keepdim=True), x], dim=1)
        return x + self.place


def dense(width: int, inner: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, inner), nn.GELU(), nn.Linear(inner, width))


class Mixing(nn.Module):
    """Dense across tokens, then dense across channels."""

    def __init__(self, width: int, tokens: int, inner: int):
        super().__init__()
        self.norm1, self.across = nn.LayerNorm(width), dense(tokens, inner)
        self.norm2, self.within = nn.LayerNorm(width), dense(width, inner)

    def forward(self, x):
        x = x + self.across(self.norm1(x).transpose(1, 2)).transpose(1, 2)
        return x + self.within(self.norm2(x))


class Mixer(Network):
    """Patches that talk through dense layers, without attention."""

    def __init__(self, classes: int, width: int, depth: int, patch: int):
        parts = {"embedding": Tokens(width, patch)}
        parts |= {f"block {i + 1}": Mixing(width, (SIDE // patch) ** 2, 2 * width) for i in range(depth)}
        super().__init__(parts, width, classes)

    def summary(self, x):
        return x.mean(dim=1)


class Attending(nn.Module):
    """One pre-norm transformer block."""

    def __init__(self, width: int, heads: int, ratio: int):
        super().__init__()
        self.heads = heads
        self.norm1, self.qkv, self.out = nn.LayerNorm(width), nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.norm2, self.mlp = nn.LayerNorm(width), dense(width, ratio * width)

    def forward(self, x):
        b, t, w = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(b, t, 3, self.heads, w // self.heads).permute(2, 0, 3, 1, 4)
        x = x + self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, t, w))
        return x + self.mlp(self.norm2(x))


class ViT(Network):
    """Vision transformer: an embedding and blocks, all of one width, read at its class token."""

    def __init__(self, classes: int, width: int, depth: int, patch: int, heads: int, ratio: int):
        parts = {"embedding": Tokens(width, patch, cls=True)}
        super().__init__(parts | {f"block {i + 1}": Attending(width, heads, ratio) for i in range(depth)}, width, classes)
        self.norm = nn.LayerNorm(width)

    def summary(self, x):
        return self.norm(x[:, 0])


class ChannelNorm(nn.LayerNorm):
    """Layer normalisation over the channels of (b, c, h, w)."""

    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Next(nn.Module):
    """A ConvNeXt block: wide depthwise convolution, then dense across channels, beside a short cut."""

    def __init__(self, width: int):
        super().__init__()
        self.look, self.norm, self.mix = nn.Conv2d(width, width, 7, padding=3, groups=width), nn.LayerNorm(width), dense(width, 2 * width)

    def forward(self, x):
        return x + self.mix(self.norm(self.look(x).permute(0, 2, 3, 1))).permute(0, 3, 1, 2)


class ConvNeXt(Network):
    """Patches, then blocks with wide windows."""

    def __init__(self, classes: int, widths, blocks: int):
        parts = {"stem": nn.Sequential(nn.Conv2d(3, widths[0], 4, 4), ChannelNorm(widths[0]))}
        for i, width in enumerate(widths):
            before = [ChannelNorm(widths[i - 1]), nn.Conv2d(widths[i - 1], width, 2, 2)] if i else []
            for block in range(blocks):
                parts[f"block {len(parts)}"] = nn.Sequential(*(before if block == 0 else []), Next(width))
        super().__init__(parts, widths[-1], classes)


class Patches(Network):
    """A bag of 9x9 windows: every window is judged alone and the judgements are averaged, so the arrangement is never seen."""

    def __init__(self, classes: int, width: int, depth: int):
        parts = {"windows": nn.Sequential(conv(3, width, 9, stride=3), nn.ReLU())}
        parts |= {f"layer {i + 1}": nn.Sequential(conv(width, width, 1), nn.ReLU()) for i in range(depth)}
        super().__init__(parts, width, classes)


class Rows(nn.Module):
    """The picture in grey as a sequence of its rows."""

    def forward(self, x):
        return x.mean(dim=1)


class Reader(nn.Module):
    """A gated recurrent layer; gives its state after each row."""

    def __init__(self, inside: int, width: int):
        super().__init__()
        self.gru = nn.GRU(inside, width, batch_first=True)

    def forward(self, x):
        return self.gru(x)[0]


class Recurrent(Network):
    """Reads the picture row by row from the top; its state after the last row decides."""

    def __init__(self, classes: int, width: int, depth: int):
        parts = {"rows": Rows()} | {f"reader {i + 1}": Reader(width if i else SIDE, width) for i in range(depth)}
        super().__init__(parts, width, classes)

    def summary(self, x):
        return x[:, -1]


@dataclass(frozen=True)
class Architecture:
    about: str
    build: type
    options: Mapping = field(default_factory=dict)
    pooling: str = "mean"  # how a state with a token axis becomes one row


ARCHITECTURES = {
    "vit": Architecture("Vision transformer, 12 blocks of width 64, patches of 8x8", ViT,
                        {"width": 64, "depth": 12, "patch": 8, "heads": 4, "ratio": 2}, "cls"),
    "conv-wide": Architecture("Plain convolutions, wide", Conv, {"widths": (24, 48, 80, 64)}),
    "conv-narrow": Architecture("Plain convolutions, narrow", Conv, {"widths": (8, 16, 24, 32)}),
    "resnet-shallow": Architecture("Residual network, wide and shallow", ResNet, {"widths": (24, 64), "blocks": 1}),
    "resnet-deep": Architecture("Residual network, narrow and deep", ResNet, {"widths": (12, 16, 24), "blocks": 4}),
    "mlp": Architecture("Dense layers on the picture as one row", MLP, {"width": 128, "depth": 3, "side": 16}),
    "mixer": Architecture("Patches mixed by dense layers", Mixer, {"width": 48, "depth": 6, "patch": 8}),
    "separable": Architecture("Depthwise-separable convolutions", Separable, {"widths": (16, 32, 64, 96, 128)}),
    "convnext": Architecture("ConvNeXt in small", ConvNeXt, {"widths": (32, 64), "blocks": 3}),
    "patches": Architecture("A bag of small windows, blind to their arrangement", Patches, {"width": 96, "depth": 4}),
    "recurrent": Architecture("A recurrent network that reads row by row", Recurrent, {"width": 72, "depth": 2}, "last"),
}


def make(name: str, classes: int) -> Network:
    known = ARCHITECTURES[name]
    return known.build(classes, **known.options)


def shapes(network: Network) -> dict[str, tuple]:
    """The tensors that a weights file holds; counters of batches seen are left out."""
    return {k: tuple(v.shape) for k, v in network.state_dict().items() if not k.endswith("num_batches_tracked")}
