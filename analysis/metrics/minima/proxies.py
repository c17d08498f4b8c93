"""Proxies: numbers that are said to tell, before anything is trained, which of several networks will learn best.

Each is called with a torch module that gives logits, items as it takes them, and labels from 0. It works on a copy in eval mode: what the network holds
(parameters, gradients, the statistics of batch normalisation, its mode) stays as it is, statistics are used and not renewed, and no item knows of the others
in its batch. The loss is cross-entropy, its mean over the items. Weights are parameters of two axes or more; biases, and what normalisations scale by, are
parameters but no weights.
"""

import math
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

from analysis.errors import InputError
from analysis.metrics.minima.wiring import said

NTK_ITEMS = 32  # of more the kernel is about the first
PIECE = 1024  # numbers of a gradient that are multiplied at once
STEPS, SETTLED = 20, 1e-3  # of the search for the sharpest direction: how many at most, and the relative change to stop at
JITTER = 1e-5  # added to the eigenvalues in jacob_cov
INF = float("inf")
IGNORED = {"relu", "relu6", "gelu", "silu", "mish", "elu", "selu", "celu", "leaky_relu", "softplus", "tanh", "sigmoid", "hardtanh", "hardswish", "hardsigmoid"}


@dataclass(frozen=True)
class Proxy:
    """One proxy, and all that is said of it; called with (module, x, y).

    call       with a copy to work on, and what it needs
    needs      of "items" and "labels"; the rest may be None
    direction  1 where higher is said to be better, -1 where lower
    range      (lowest, highest) that it can be
    cost       "cheap", "moderate" or "slow"; work: in what
    meaning    one sentence
    ours       what its publication leaves open, and how it is done here
    """

    name: str
    title: str
    call: Callable[..., float]
    needs: tuple[str, ...]
    direction: int
    range: tuple[float, float]
    cost: str
    work: str
    meaning: str
    ours: str = ""

    def __call__(self, module, x=None, y=None) -> float:
        given = {"items": x, "labels": y}
        if missing := [need for need in self.needs if given[need] is None]:
            raise InputError(f"{self.title} needs {missing[0]}.", f"Give {missing[0]}, or leave this proxy out.")
        own = _own(module)
        with _instead(scaled_dot_product_attention=_attend):
            found = float(self.call(own, *_sound(own, *(given[need] for need in self.needs))))
        if math.isnan(found):
            raise InputError(f"{self.title} of this network is NaN.", "Its numbers are too large: start from other weights.")
        return found


# the proxies

def params(module) -> float:
    return sum(p.numel() for p in module.parameters())


def l2_norm(module) -> float:
    return _norm(list(module.parameters()))


def grad_norm(module, x, y) -> float:
    return _norm(_gradients(_loss(module, x, y), list(module.parameters())))


def plain(module, x, y) -> float:
    weights = _weights(module)
    return _sum(g * w for g, w in zip(_gradients(_loss(module, x, y), weights), weights, strict=True))


def snip(module, x, y) -> float:
    weights = _weights(module)
    return _sum((g * w).abs() for g, w in zip(_gradients(_loss(module, x, y), weights), weights, strict=True))


def grasp(module, x, y) -> float:
    weights = _weights(module)
    gradients = _gradients(_loss(module, x, y), weights, again=True)
    curved = _gradients(sum((g * g.detach()).sum() for g in gradients), weights)  # the Hessian times the gradient
    return -_sum(h * w for h, w in zip(curved, weights, strict=True))


def fisher(module, x, y) -> float:
    import torch
    outputs = []

    def keep(layer, _, out):
        outputs.append((out, -1 if isinstance(layer, torch.nn.Linear) else 1))
        return out.clone()  # so that what runs in place does not reach it

    for layer in module.modules():
        if isinstance(layer, torch.nn.Linear | torch.nn.Conv1d | torch.nn.Conv2d | torch.nn.Conv3d):
            layer.register_forward_hook(keep)
    loss = _loss(module, x, y) * len(x)  # a sum: each item has its own gradient
    if not outputs:
        raise InputError("Fisher looks at the outputs of dense layers and convolutions, and none runs in this network.", "Leave this proxy out.")
    gradients = _gradients(loss, [out for out, _ in outputs])
    products = ((out * g).movedim(channels, 1) for (out, channels), g in zip(outputs, gradients, strict=True))
    return _sum((p.flatten(2).sum(2) if p.ndim > 2 else p).double().square() for p in products) / (2 * len(x))


def synflow(module, x) -> float:
    import torch
    for name, layer in module.named_modules():
        if isinstance(layer, torch.nn.RNNBase | torch.nn.MultiheadAttention):
            raise InputError(f"SynFlow needs a network that can be made linear, and {name} ({type(layer).__name__}) cannot.", "Leave this proxy out.")
    module.double()
    with torch.no_grad():
        for name, p in module.named_parameters():
            p.copy_(torch.zeros_like(p) if name.rpartition(".")[2].startswith("bias") else p.abs())
    weights = _weights(module)
    with _instead(batch_norm=_scale, instance_norm=_scale, group_norm=_scale_channels, layer_norm=_scale_last, scaled_dot_product_attention=_attend_alike,
                  **dict.fromkeys(IGNORED, _passed_on)):
        flow = _logits(module, torch.ones_like(x[:1], dtype=torch.double)).sum()
    return _sum(g * w for g, w in zip(_gradients(flow, weights), weights, strict=True))


def jacob_cov(module, x) -> float:
    import torch
    x = x.requires_grad_()
    rows = _gradients(_logits(module, x).sum(), [x])[0].flatten(1).double()
    rows = rows - rows.mean(dim=1, keepdim=True)
    sizes = rows.norm(dim=1, keepdim=True)
    told = sizes.flatten() > 0  # an item all of whose units are dead has no direction
    if told.sum() < 2:
        raise InputError(f"The answers to {int(len(told) - told.sum())} of {len(told)} items do not vary with them.",
                         "Give other items, or leave this proxy out.")
    rows = rows[told] / sizes[told]
    values = torch.linalg.eigvalsh(rows @ rows.T).clamp_min(0) + JITTER
    return -float((values.log() + 1 / values).sum())


def ntk(module, x) -> float:
    import torch
    if len(x) < 2:
        raise InputError("The condition of the tangent kernel needs two items or more.", "Give more items.")
    values = torch.linalg.eigvalsh(_kernel(module, x[:NTK_ITEMS]))
    if values[-1] <= 0:
        raise InputError("No answer of this network varies with its parameters.", "Start from other weights.")
    return float(values[-1] / values[0]) if values[0] > len(values) * torch.finfo(x.dtype).eps * values[-1] else INF


def sharpness(module, x, y) -> float:
    import torch
    weights = list(module.parameters())
    gradient = _flat(_gradients(_loss(module, x, y), weights, again=True))
    start = torch.randn(gradient.shape, generator=torch.Generator().manual_seed(0)).to(gradient)
    value, basis, images = INF, [], []
    while len(basis) < min(STEPS, len(start)):  # the Hessian seen from the space that it spans from there (Lanczos)
        basis.append(start / start.norm())
        images.append(_flat(_gradients(gradient @ basis[-1], weights, keep=True)))
        seen = torch.linalg.eigvalsh(torch.stack(basis).double() @ torch.stack(images).double().T)
        before, value = value, float(seen[seen.abs().argmax()])
        if abs(value - before) <= SETTLED * abs(value):
            break
        start = images[-1]
        for b in (*basis, *basis):  # twice: once leaves a rest
            start = start - (start @ b) * b
        if start.norm() <= SETTLED**2 * images[-1].norm():
            break
    return value


# what they share

def _own(module):
    """A copy to work on."""
    import torch
    if not isinstance(module, torch.nn.Module):
        raise InputError(f"A proxy reads a torch module, not {type(module).__name__}.", "Give a torch.nn.Module.")
    for name, p in module.named_parameters():
        if not torch.isfinite(p).all():
            raise InputError(f"{name} holds NaN or infinite values.", "Its training has diverged: start from other weights.")
    try:
        own = deepcopy(module).eval().requires_grad_()
    except RuntimeError as error:
        raise InputError(f"{type(module).__name__} cannot be copied: {said(error)}.", "Remove what computes its weights, such as weight_norm.") from error
    if not _weights(own):
        raise InputError(f"{type(module).__name__} has no weights.", "Give a network with layers that learn.")
    own.zero_grad()
    return own


def _sound(module, x=None, y=None) -> list:
    """Items and labels as tensors, as far as they are given."""
    import torch
    if x is None:
        return []
    like = next(module.parameters())
    try:
        x = torch.as_tensor(x).to(like.device)
        y = None if y is None else torch.as_tensor(y).to(like.device)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"Items or labels are no tensors: {said(error)}.", "Give arrays of numbers.") from error
    if not x.ndim or not len(x) or not x.is_floating_point() or not torch.isfinite(x).all():
        raise InputError(f"Items of shape {tuple(x.shape)} and type {x.dtype} are none, no real numbers, or hold NaN or infinite values.",
                         "Give items as the network takes them.")
    x = x.detach().to(like.dtype, copy=True)
    if y is None:
        return [x]
    if y.shape != (len(x),) or y.is_floating_point() or y.is_complex() or y.dtype == torch.bool or y.min() < 0:
        raise InputError(f"Labels of shape {tuple(y.shape)} and type {y.dtype} do not fit {len(x)} items.", "Give one whole number from 0 per item.")
    return [x, y.long()]


def _logits(module, x):
    import torch
    try:
        out = module(x)
    except (RuntimeError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise InputError(f"The network cannot run on items of shape {tuple(x.shape)}: {said(error)}.", "Give items as its first layer takes them.") from error
    if not isinstance(out, torch.Tensor) or out.ndim != 2 or len(out) != len(x):
        raise InputError(f"To {len(x)} items the network answers with {tuple(getattr(out, 'shape', ())) or type(out).__name__}.",
                         "Give one that gives logits (n, classes).")
    return out


def _loss(module, x, y):
    import torch
    logits = _logits(module, x)
    if y.max() >= logits.shape[1]:
        raise InputError(f"Label {int(y.max())} is none of the {logits.shape[1]} classes that the network knows.", "Give labels from 0, one per answer.")
    loss = torch.nn.functional.cross_entropy(logits, y)
    if not torch.isfinite(loss):
        raise InputError(f"The loss of the network is {float(loss.detach())}.", "Its training has diverged: start from other weights.")
    return loss


def _weights(module) -> list:
    return [p for p in module.parameters() if p.ndim > 1]


def _gradients(value, at: list, *, again: bool = False, keep: bool = False) -> tuple:
    import torch
    return torch.autograd.grad(value, at, create_graph=again, retain_graph=again or keep, materialize_grads=True)


def _sum(tensors) -> float:
    return sum(float(t.detach().double().sum()) for t in tensors)


def _norm(tensors) -> float:
    return math.sqrt(_sum(t.detach().double().square() for t in tensors))


def _flat(tensors):
    import torch
    return torch.cat([t.flatten() for t in tensors])


def _kernel(module, x):
    """(n, n) the products of the gradients, in all parameters, of what the network answers to each item, summed over the classes."""
    import torch
    from torch.func import functional_call, grad, vmap
    _logits(module, x[:2])
    parameters, buffers = ({name: t.detach() for name, t in named} for named in (module.named_parameters(), module.named_buffers()))
    try:
        rows = vmap(grad(lambda p, item: functional_call(module, (p, buffers), (item[None],)).sum()), (None, 0))(parameters, x)
    except RuntimeError:  # some layers, such as recurrent ones, have no form for many gradients at once
        each = [_gradients(module(item[None]).sum(), list(module.parameters())) for item in x]
        rows = dict(enumerate(map(torch.stack, zip(*each, strict=True))))
    kernel = torch.zeros(len(x), len(x), dtype=torch.double, device=x.device)
    for row in rows.values():
        for part in row.flatten(1).split(PIECE, dim=1):  # short sums in their own precision, added up in double: as exact as the gradients are
            kernel += part @ part.T
    return kernel


def _instead(**functions):
    """Within it, this thread's calls of torch's functions of these names go to others."""
    from torch.overrides import TorchFunctionMode

    class Instead(TorchFunctionMode):
        def __torch_function__(self, function, types, args=(), kwargs=None):
            name = getattr(function, "__name__", "").strip("_")
            return functions.get(name, function)(*args, **(kwargs or {}))

    return Instead()


def _attend(*args, **options):
    """Attention in a form that can be differentiated twice."""
    import torch
    options.pop("enable_gqa", None)
    return torch.ops.aten._scaled_dot_product_attention_math(*args, **options)[0]


def _attend_alike(q, k, v, *_, **__):
    return v.mean(dim=-2, keepdim=True).expand(*v.shape[:-2], q.shape[-2], v.shape[-1])


def _passed_on(x, *_, **__):
    return x


def _scale(x, mean=None, variance=None, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    """Batch normalisation that does not centre: it divides by the deviations it remembers, and scales."""
    return _times(_times(x, weight), None if variance is None else (variance + eps).rsqrt())


def _scale_channels(x, groups, weight=None, bias=None, eps=1e-5):
    return _times(x, weight)


def _scale_last(x, shape, weight=None, bias=None, eps=1e-5):
    return x if weight is None else x * weight


def _times(x, scale):
    """By one number per channel."""
    return x if scale is None else x * scale.view(-1, *[1] * (x.ndim - 2))


_NONE, _ITEMS, _BOTH = (), ("items",), ("items", "labels")

PROXIES: dict[str, Proxy] = {proxy.name: proxy for proxy in (
    Proxy("params", "Parameters", params, _NONE, 1, (0.0, INF), "cheap", "nothing", "The larger network is the better one."),
    Proxy("l2_norm", "L2 norm", l2_norm, _NONE, 1, (0.0, INF), "cheap", "one look at the parameters", "How long the vector of all parameters is."),
    Proxy("grad_norm", "Gradient norm", grad_norm, _BOTH, 1, (0.0, INF), "cheap", "one gradient",
          "How long the gradient of the loss in all parameters is.", "One vector for the whole network, where others add up the lengths of its layers."),
    Proxy("plain", "Plain", plain, _BOTH, 1, (-INF, INF), "cheap", "one gradient",
          "How much the loss would fall, to first order, if all weights were 0: the sum of weight times gradient."),
    Proxy("snip", "SNIP", snip, _BOTH, 1, (0.0, INF), "cheap", "one gradient",
          "How much the loss hangs on the single weights: the sum of the sizes of weight times gradient.", "In eval mode, and of weights as they are."),
    Proxy("grasp", "GraSP", grasp, _BOTH, 1, (-INF, INF), "moderate", "one gradient, and one of that",
          "How much the flow of gradients would grow without the single weights: the sum of -weight times (Hessian times gradient).",
          "Logits are not divided by a temperature."),
    Proxy("fisher", "Fisher", fisher, _BOTH, 1, (0.0, INF), "cheap", "one gradient",
          "How much the loss hangs on the single units: half the mean square, over items, of output times gradient summed over places, summed over the units.",
          "Units are outputs of dense layers and convolutions; each item's gradient is that of its own loss."),
    Proxy("synflow", "SynFlow", synflow, _ITEMS, 1, (0.0, INF), "cheap", "one gradient of one item, in float64",
          "How much flows through the network made positive and linear, each path by the product of its weights; counted once for each layer. Of items it "
          "knows only their shape.",
          "Biases are left out, activations pass on what they see, normalisations only scale (batch normalisation by its weights over its "
          "deviations), and attention is the same to all places."),
    Proxy("jacob_cov", "Jacobian covariance", jacob_cov, _ITEMS, 1, (-INF, INF), "cheap", "one gradient in the items, and n² d",
          "How differently the answers hang on the single items: it falls as the gradients in two items grow alike.",
          "The first of its publication's two versions, by correlation; items whose answers do not vary with them are left out."),
    Proxy("ntk", "NTK condition", ntk, _ITEMS, -1, (1.0, INF), "moderate", f"{NTK_ITEMS} gradients at once",
          "How unevenly training will serve the items: the largest over the least eigenvalue of the tangent kernel.",
          f"Answers are summed over the classes; the kernel is of the first {NTK_ITEMS} items; infinite where it is singular, as with two equal items."),
    Proxy("sharpness", "Sharpness", sharpness, _BOTH, -1, (-INF, INF), "slow", f"up to {STEPS} gradients of a gradient",
          "How sharply the loss is bent where the network stands: the eigenvalue of its Hessian that is largest in size.",
          f"By Lanczos' method from a random direction, until a step changes it by less than {SETTLED:.1%}, at most {STEPS} steps."))}
