"""Expansions: networks made wider or deeper that still compute the same function, so that what they gain is what training makes of the new room.

How a network runs is read by sending a stand-in through its own forward, not guessed from names; where the function would change, or what becomes of
an output cannot be followed, the layer is refused with the reason. Functions are preserved in eval mode, where dropout rests and normalisations do not look
at the batch.
"""

import math
import numbers
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache

from analysis.errors import InputError
from analysis.metrics.minima.wiring import LAYERS, Cannot, Unit, kind_of, named, read, said
from analysis.metrics.ranking import sound_seed

WAYS = {"widen": "widened", "deepen": "deepened", "residual": "given a residual block"}
LIMIT = 64  # times as wide at most


@dataclass(frozen=True)
class Layer:
    """A layer of a network, and how it can grow.

    kind     "dense", "convolution", or torch's name of what is neither
    width    units or channels that it gives; 0 for what is neither
    refused  way to grow -> why it is not open
    whole    it widens by whole factors only
    """

    name: str
    kind: str
    width: int
    refused: Mapping[str, str]
    whole: bool = False

    @property
    def ways(self) -> tuple[str, ...]:
        return tuple(way for way in WAYS if way not in self.refused)


def expandable(model) -> list[Layer]:
    """Every layer with weights, in order: the ways in which it can grow, and why not in the others."""
    net, found = read(model), []
    for name, module in net.modules.items():
        if not any(p.ndim > 1 for p in module.parameters(recurse=False)):
            continue
        refused, whole = {}, False
        for way, plan in PLANS.items():
            try:
                whole |= getattr(plan(net, name), "whole", False)
            except Cannot as why:
                refused[way] = str(why)
        found.append(Layer(name, LAYERS.get(kind_of(module), kind_of(module)), len(module.weight) if kind_of(module) in LAYERS else 0, refused, whole))
    return found


def widen(model, layer: str, factor: float, *, noise: float = 0.0, seed: int = 0):
    """A copy of the model with `factor` times as many units in the layer (Net2Wider): the new ones copy old ones, each old one as often as the others or once
    more, and those that are copied again are drawn with the seed. Copies share the outgoing weights of their unit; normalisations between are copied along.

    noise  how unequally they share, as a part of each weight. The function stays the same; but with 0 copies stay copies for as long as they are trained.
    """
    import torch
    net = read(model)
    plan = _plan(net, "widen", layer)
    width, wide = _units(layer, len(net.modules[layer].weight), factor, plan.whole)
    if isinstance(noise, bool) or not isinstance(noise, numbers.Real) or not 0 <= noise < math.inf:
        raise InputError(f"Noise {noise!r} cannot be added.", "Give a number from 0, a part of each weight; 0.1 is plenty.")
    generator = torch.Generator().manual_seed(sound_seed(seed))
    source = torch.cat([torch.arange(width)] + [torch.randperm(width, generator=generator) for _ in range(math.ceil(wide / width) - 1)])[:wide]
    grown = deepcopy(model)
    modules = dict(grown.named_modules())
    for name in (layer, *plan.carried):
        _copy_units(modules[name], source, width)
    for name in plan.readers:
        _share_weights(modules[name], source, width, noise, generator)
    return grown


def deepen(model, layer: str):
    """A copy of the model with an identity layer of the same kind behind the layer's ReLU (Net2Deeper): `x` becomes `relu(identity(x))`.

    A convolution with batch normalisation gets one with it, set for the statistics that a rectified Gaussian has: in training,
    where it sees those of the batch instead, it then changes the function about half as much.
    The ReLU's place holds a Sequential of the ReLU, the new layer and its ReLU; all other names stay.
    """
    from torch import nn
    unit = _plan(read(model), "deepen", layer)
    grown = deepcopy(model)
    modules = dict(grown.named_modules())
    old, norm, relu = modules[layer], modules.get(unit.norm), modules[unit.activation]
    normed = norm is not None and kind_of(norm).startswith("BatchNorm")
    new = _like(old, bias=not normed)
    nn.init.eye_(new.weight) if kind_of(old) == "Linear" else nn.init.dirac_(new.weight)
    parts = [new, _see_rectified(norm)] if normed else [new]
    _replace(grown, unit.activation, nn.Sequential(relu, *parts, deepcopy(relu)))
    return grown


def residual(model, layer: str, *, seed: int = 0):
    """A copy of the model with a residual block behind the layer, its normalisation and its activation: `x` becomes `x + body(x)`, and the last layer of the
    body starts at 0. The last of those has its place taken by a Sequential of it and the block; all other names stay.
    """
    import torch
    from torch import nn
    unit = _plan(read(model), "residual", layer)
    generator = torch.Generator().manual_seed(sound_seed(seed))
    grown = deepcopy(model)
    modules = dict(grown.named_modules())
    old, norm = modules[layer], modules.get(unit.norm)
    normed = norm is not None and kind_of(norm).startswith("BatchNorm")
    first, last = _like(old, bias=not normed), _like(old, bias=True)
    spread = math.sqrt(2 / first.weight[0].numel())
    first.weight.data.copy_(spread * torch.randn(first.weight.shape, generator=generator))
    last.weight.data.zero_()
    body = nn.Sequential(first, *([_fresh(norm)] if normed else []), nn.ReLU(), last)
    _replace(grown, unit.last, nn.Sequential(modules[unit.last], _beside()(body)))
    return grown


def check(model, grown, items) -> float:
    """The largest |difference| between what the two networks answer to the items, both in eval mode and in double precision: what is left is not rounding."""
    before, after = (_answers(m, items, who) for m, who in ((model, "The model"), (grown, "The grown model")))
    if before.shape != after.shape:
        raise InputError(f"The model answers in shape {tuple(before.shape)} and the grown one in {tuple(after.shape)}.",
                         "Compare a model with one grown from it.")
    return float((before - after).abs().max())


def _answers(model, items, who: str):
    import torch
    if not isinstance(model, torch.nn.Module):
        raise InputError(f"{who} is no torch module, but {type(model).__name__}.", "Give a torch.nn.Module.")
    own = next((p for p in model.parameters()), torch.zeros(0))
    try:
        x = torch.as_tensor(items, device=own.device)
        with torch.no_grad():
            found = deepcopy(model).eval().double()(x.double() if x.is_floating_point() else x)
    except (RuntimeError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise InputError(f"{who} cannot run on items of shape {tuple(getattr(items, 'shape', ()))}: {said(error)}.",
                         "Give items as its first layer takes them.") from error
    if not isinstance(found, torch.Tensor) or not found.numel() or not torch.isfinite(found).all():
        raise InputError(f"{who} answers with nothing, NaN or infinite values.", "Give items, and a network of one output whose weights have not diverged.")
    return found


# new layers

def _units(layer: str, width: int, factor, whole: bool) -> tuple[int, int]:
    """(how many units there are, how many there shall be)"""
    if isinstance(factor, bool) or not isinstance(factor, numbers.Real) or not 1 < factor <= LIMIT:
        raise InputError(f"{named(layer, 'Layer')} cannot be made {factor!r} times as wide.", f"Give a factor above 1, at most {LIMIT}.")
    wide = round(width * factor)
    if wide == width:
        raise InputError(f"A factor of {factor:g} adds no unit to the {width} of {named(layer)}.", f"Give at least {1 + 1 / width:.3g}.")
    if whole and wide % width:
        raise InputError(f"{named(layer, 'Layer')} cannot be made {factor} times as wide: a LayerNorm behind it keeps its mean and variance only when all "
                         "units have as many copies.", "Give a whole factor.")
    return width, wide


def _copy_units(module, source, width: int) -> None:
    """Widen what gives one value per unit, or per unit and place."""
    import torch
    for name in ("weight", "bias", "running_mean", "running_var"):
        old = getattr(module, name, None)
        if old is not None:
            new = old.detach()[_spread(source, len(old) // width).to(old.device)]
            setattr(module, name, torch.nn.Parameter(new, requires_grad=old.requires_grad) if isinstance(old, torch.nn.Parameter) else new)
    times = len(source) / width
    if getattr(module, "groups", 1) > 1:
        module.in_channels = module.groups = len(source)
    for name in ("out_features", "out_channels", "num_features"):
        if hasattr(module, name):
            setattr(module, name, round(getattr(module, name) * times))
    if kind_of(module) == "LayerNorm":
        module.normalized_shape = (round(module.normalized_shape[0] * times),)


def _share_weights(module, source, width: int, noise: float, generator) -> None:
    """Let a layer read all copies of a unit with the weights that it read the unit with, divided among them."""
    import torch
    old = module.weight.detach()
    columns = _spread(source, old.shape[1] // width)
    counts = columns.bincount()
    share = (1 / counts[columns].double()).view(1, -1, *[1] * (old.ndim - 2))
    if noise:
        unequal = torch.randn(old.shape[0], len(columns), *old.shape[2:], generator=generator, dtype=torch.double)
        mean = torch.zeros(old.shape, dtype=torch.double).index_add_(1, columns, unequal * share)
        share = share * (1 + noise * (unequal - mean[:, columns]))
    columns, share = columns.to(old.device), share.to(old)
    module.weight = torch.nn.Parameter(old[:, columns] * share, requires_grad=module.weight.requires_grad)
    setattr(module, "in_features" if hasattr(module, "in_features") else "in_channels", len(columns))


def _spread(source, places: int):
    """Where units have several places each, one unit's after the other's: the sources of all places."""
    import torch
    return (source[:, None] * places + torch.arange(places)).flatten()


def _like(layer, *, bias: bool):
    """An empty layer from the width of another to the same width, of its kind, kernel, type and device; random states are left alone."""
    import torch
    from torch.nn.utils import skip_init
    width, how = len(layer.weight), {"bias": bias, "device": layer.weight.device, "dtype": layer.weight.dtype}
    if kind_of(layer) == "Linear":
        new = skip_init(torch.nn.Linear, width, width, **how)
    else:
        kernel = tuple(k if k % 2 else 3 for k in layer.kernel_size)
        new = skip_init(type(layer), width, width, kernel, padding=tuple(k // 2 for k in kernel), **how)
    if bias:
        new.bias.data.zero_()
    return new.train(layer.training)


def _fresh(norm):
    """A batch normalisation of the same width, untouched."""
    tensor = next((t for t in (norm.weight, norm.running_mean) if t is not None), None)
    how = {} if tensor is None else {"device": tensor.device, "dtype": tensor.dtype}
    return type(norm)(norm.num_features, eps=norm.eps, momentum=norm.momentum, **how).train(norm.training)


def _see_rectified(norm):
    """The batch normalisation that changes nothing, for what comes out of another one and a ReLU: there, a Gaussian with its weight and bias, rectified."""
    import torch
    new = _fresh(norm)
    mean = torch.zeros(norm.num_features) if norm.bias is None else norm.bias.detach().double().cpu()
    spread = torch.ones(norm.num_features) if norm.weight is None else norm.weight.detach().double().cpu().abs().clamp_min(1e-12)
    above, density = torch.special.ndtr(mean / spread), torch.exp(-(mean / spread) ** 2 / 2) / math.sqrt(2 * math.pi)
    first = mean * above + spread * density
    variance = ((mean**2 + spread**2) * above + mean * spread * density - first**2).clamp_min(0)
    for tensor, value in ((new.running_mean, first), (new.running_var, variance), (new.bias.data, first), (new.weight.data, (variance + norm.eps).sqrt())):
        tensor.copy_(value)
    return new


def _replace(model, name: str, module) -> None:
    parent, _, own = name.rpartition(".")
    setattr(model.get_submodule(parent), own, module)


@cache
def _beside():
    from torch import nn

    class Beside(nn.Module):
        """A body beside a short cut."""

        def __init__(self, body):
            super().__init__()
            self.body = body

        def forward(self, x):
            return x + self.body(x)

    Beside.__qualname__ = "Beside"  # pickle finds it below
    return Beside


def __getattr__(name: str):
    if name == "Beside":  # a class of torch, made when it is first needed
        return _beside()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


# what can grow

@dataclass(frozen=True)
class _Wider:
    """What lies behind the units of a layer: carried, which have a value per unit and are copied with them; readers, whose weights they share."""

    carried: tuple[str, ...]
    readers: tuple[str, ...]
    whole: bool


def _plan(net, way: str, layer: str):
    if not isinstance(layer, str) or layer not in net.modules or not layer:
        fits = [name for name, module in net.modules.items() if kind_of(module) in LAYERS]
        raise InputError(f"The network has no layer {layer!r}.", f"Choose one of {', '.join(fits) or 'a network with dense or convolution layers'}.")
    try:
        return PLANS[way](net, layer)
    except Cannot as why:
        raise InputError(f"{named(layer, 'Layer')} cannot be {WAYS[way]}: {why}.",
                         "Choose another layer or way to grow; expandable(model) lists them.") from None


def _plan_widening(net, layer: str) -> _Wider:
    node, module = net.layer(layer), net.modules[layer]
    if getattr(module, "groups", 1) > 1:
        raise Cannot("its channels look at one group of channels of the layer before; where that can be widened, it is widened with it")
    behind = list(net.behind(node, len(module.weight), module.weight.ndim - 2))
    for name in (layer, *(name for name, _ in behind)):
        net.untied(name)
    carried, readers = (tuple(name for name, role in behind if role == wanted) for wanted in ("carried", "reader"))
    return _Wider(carried, readers, any(kind_of(net.modules[name]) == "LayerNorm" for name in carried))


def _plan_deepening(net, layer: str) -> Unit:
    unit = net.unit(layer)
    if not unit.activation:
        raise Cannot("no ReLU module follows it alone, and an identity layer goes unnoticed only behind a ReLU")
    if (kind := kind_of(net.modules[unit.activation])) not in ("ReLU", "ReLU6"):
        raise Cannot(f"{kind} follows it, which changes what it sees twice; an identity layer goes unnoticed only behind a ReLU")
    return unit


def _plan_residual(net, layer: str) -> Unit:
    unit = net.unit(layer)
    if any(user.op == "output" for user in net.users(net.node(unit.last))):
        raise Cannot("it gives the network's answers")
    return unit


PLANS = {"widen": _plan_widening, "deepen": _plan_deepening, "residual": _plan_residual}
