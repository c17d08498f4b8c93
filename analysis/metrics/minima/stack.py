"""Copies of one network that differ in their parameters alone, run together.

The rows of all copies go through as one batch: whatever treats rows one by one runs as it is. Layers with parameters run in a batched form: dense layers as one
batched product, convolutions and normalisations with the copies as groups of channels. What comes before the first parameters is the same for all copies, and
done once. What has no batched form runs copy by copy.
"""

import copy
from functools import partial
from math import prod

from analysis.errors import InputError

TRIED = 4  # items on which the copies are compared with the network itself
CLOSE = 1e-4  # of the largest logit: how far apart they may be
CONTAINERS = ("Sequential", "ModuleList", "ModuleDict")


class Stack:
    """A classifier (a torch module, which stays as it is) ready to run with many sets of parameters at once; x are items that it takes.

    shapes  name -> shape of each parameter, in the order in which a flat vector of all `size` of them holds them
    """

    def __init__(self, model, x):
        import torch
        if not isinstance(model, torch.nn.Module):
            raise InputError(f"A network is a torch module, not {type(model).__name__}.", "Give a torch.nn.Module; that of a Model is load()[0].")
        self.shapes = {name: tuple(p.shape) for name, p in model.named_parameters()}
        if not self.shapes:
            raise InputError(f"The network ({type(model).__name__}) has no parameters.", "Give one that can be trained.")
        self.size = sum(map(prod, self.shapes.values()))
        first = next(model.parameters())
        self.device, self.dtype = first.device, first.dtype
        self.normalised = any(map(_normalises, model.modules()))
        self._base = copy.deepcopy(model)
        self._buffers = {name: b.detach().clone() for name, b in model.named_buffers()}
        few = self.ready(x[:TRIED])
        self.classes, self.widest = _tried(self._base.eval(), few)
        self._choose(few)

    def ready(self, x):
        """Items where the network is, in its precision."""
        return x.to(self.device, self.dtype if x.is_floating_point() else None)

    def flat(self):
        """(size,) the parameters of the network itself."""
        import torch
        return torch.cat([p.detach().reshape(-1) for p in self._base.parameters()])

    def split(self, rows) -> dict:
        """Flat rows (copies, size) as name -> (copies, *shape)."""
        parts = rows.to(self.device, self.dtype).split([prod(shape) for shape in self.shapes.values()], dim=1)
        return {name: part.reshape(len(rows), *shape) for (name, shape), part in zip(self.shapes.items(), parts, strict=True)}

    def join(self, parameters: dict):
        import torch
        return torch.cat([p.detach().flatten(1) for p in parameters.values()], dim=1)

    def buffers(self, copies: int) -> dict:
        """Those of the network itself, for each copy its own: name -> (copies, *shape)."""
        return {name: b.expand(copies, *b.shape).clone() for name, b in self._buffers.items()}

    def __call__(self, parameters: dict, x, *, apart: bool = False, mode: str = "use", buffers: dict | None = None, generators=()):
        """(copies, items, classes) logits.

        apart       every copy sees items of its own, x is (copies, items, ...); else all see the same
        mode        "train"; "use"; or "renew": as in use, but batch normalisation takes its statistics from x
        buffers     what batch normalisation keeps; changed in training
        generators  one per copy, for what is drawn in training
        """
        run = self._run
        run.copies = len(next(iter(parameters.values())))
        if not (apart or self._late):
            x, apart = x.expand(run.copies, *x.shape), True
        run.items = x.shape[1] if apart else len(x)
        run.tensors, run.generators = parameters | (self.buffers(run.copies) if buffers is None else buffers), generators
        self._set(mode)
        return run.split(self._net(run.merge(x) if apart else x))

    def _set(self, mode: str) -> None:
        if mode != self._mode:
            self._net.train(mode == "train")
            for layer in filter(_normalises, self._net.modules()):
                layer.train(mode != "use")
            self._mode = mode

    def _choose(self, x) -> None:
        """The quickest way to run that does what the network does."""
        for whole, self._late in ((False, True), (False, False), (True, True)):
            self._run, self._mode, self._net = _Run(), "", copy.deepcopy(self._base)
            names = {id(p): name for name, p in (*self._net.named_parameters(), *self._net.named_buffers())}
            forms = [(self._net, _one_by_one)] if whole else list(_forms(self._net))
            self._run.beside = any(form in BESIDE for _, form in forms)
            for layer, form in forms:
                _replace(layer, form, names, self._run)
            if self._agrees(x):
                return
        raise InputError(f"The network ({type(self._base).__name__}) says other things at each call, or of an item in other company.",
                         "Give one that treats its items one by one once it is in eval mode.")

    def _agrees(self, x) -> bool:
        """Whether two different copies, run together, say what the network says with the parameters of each."""
        import torch
        from torch.func import functional_call
        noise = torch.Generator().manual_seed(0)
        row = self.flat()
        rows = torch.stack([row, row + 0.1 * (row.abs() + 0.1) * torch.randn(row.shape, generator=noise).to(row)])
        both = self.split(rows)
        with torch.no_grad():
            plain = torch.stack([functional_call(self._base, {name: p[i] for name, p in both.items()}, (x,)) for i in (0, 1)])
            try:
                found = self(both, x), self(both, torch.stack([x, x]), apart=True)
            except Exception:  # whatever it is that this way cannot do, another one may
                return False
        size = plain[plain.isfinite()].abs().max() if plain.isfinite().any() else 1
        return all(f.shape == plain.shape and torch.allclose(f, plain, rtol=0, atol=CLOSE * float(size), equal_nan=True) for f in found)


class _Run:
    """What layers have to know of the call they are part of.

    beside  the copies of an item are rows side by side: seen otherwise, the same memory has the copies as groups of channels. Else copy comes after copy, which
            is how a batched product has them.
    """

    items = copies = 0
    beside = False
    tensors, generators = {}, ()

    def split(self, x):
        """Rows as (copies, items, ...); those that are the same for all copies are not copied."""
        if len(x) == self.items:
            return x.expand(self.copies, *x.shape)
        if len(x) != self.items * self.copies:
            raise ValueError(f"{len(x)} rows are not {self.items} items in {self.copies} copies")
        return x.reshape(self.items, self.copies, *x.shape[1:]).transpose(0, 1) if self.beside else x.reshape(self.copies, self.items, *x.shape[1:])

    def merge(self, x):
        """(copies, items, ...) as rows"""
        return (x.transpose(0, 1) if self.beside else x).reshape(-1, *x.shape[2:])

    def wide(self, x):
        """Rows as (items, copies * channels, ...)"""
        return self.split(x).transpose(0, 1).flatten(1, 2)

    def narrow(self, x):
        """(items, copies * channels, ...) as rows"""
        return self.merge(x.unflatten(1, (self.copies, -1)).transpose(0, 1))


def _tried(model, x) -> tuple[int, int]:
    """(classes, numbers per item in the widest state), from a run on a few items."""
    import torch
    widths = []
    hooks = [part.register_forward_hook(lambda _, __, out: widths.append(out.numel() if hasattr(out, "numel") else 0)) for part in model.modules()]
    try:
        with torch.no_grad():
            out = model(x)
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        raise InputError(f"The network ({type(model).__name__}) does not run on items of shape {tuple(x.shape[1:])}: {reason}",
                         "Give items as the network takes them.") from error
    finally:
        for hook in hooks:
            hook.remove()
    if not hasattr(out, "ndim") or out.ndim != 2 or len(out) != len(x):
        raise InputError(f"The network ({type(model).__name__}) gives {_shape(out)} for {len(x)} items, not one row of logits each.", "Give a classifier.")
    return out.shape[1], max(widths) // len(x)


def _shape(out) -> str:
    return f"shape {tuple(out.shape)}" if hasattr(out, "shape") else type(out).__name__


# which layer runs how

def _normalises(layer) -> bool:
    from torch.nn.modules.batchnorm import _BatchNorm
    return isinstance(layer, _BatchNorm)


def _forms(module):
    """(layer, form) of every layer below that does not run as it is."""
    from torch import nn
    name, own = type(module).__name__, any(t is not None for t in (*module._parameters.values(), *module._buffers.values()))
    library = getattr(nn, name, None) is type(module)
    if library and name in FORMS and getattr(module, "padding_mode", "zeros") == "zeros":
        yield module, FORMS[name]
    elif own or (library and name not in CONTAINERS and any(True for _ in module.parameters())):
        yield module, _one_by_one
    else:
        for child in module.children():
            yield from _forms(child)


def _replace(layer, form, names: dict, run: _Run) -> None:
    """From now on the layer runs in this form, on the tensors of the run."""
    deep = form is _one_by_one
    own = {key: names[id(t)] for key, t in (*layer.named_parameters(recurse=deep), *layer.named_buffers(recurse=deep))}
    layer.forward = partial(form, copy.deepcopy(layer) if deep else layer, layer, own, run)


def _own(own: dict, run: _Run) -> dict:
    return {key: run.tensors[name] for key, name in own.items()}


def _flat(tensor):
    return None if tensor is None else tensor.flatten(0, 1)


# the forms: (layer, the layer again, own names, run, *what the layer is called with)

def _linear(layer, _, own, run, x):
    import torch
    own, rows = _own(own, run), run.split(x)
    shape, weight = rows.shape[1:-1], own["weight"].mT
    rows = rows.flatten(1, -2) if len(shape) > 1 else rows
    out = torch.baddbmm(own["bias"][:, None], rows, weight) if "bias" in own else torch.bmm(rows, weight)
    return run.merge(out.unflatten(1, shape) if len(shape) > 1 else out)


def _conv(layer, _, own, run, x):
    import torch.nn.functional as F
    own = _own(own, run)
    same = len(x) == run.items and layer.groups == 1
    call = (F.conv1d, F.conv2d, F.conv3d)[len(layer.kernel_size) - 1]
    out = call(x if same else run.wide(x), _flat(own["weight"]), _flat(own.get("bias")), layer.stride, layer.padding, layer.dilation,
               1 if same else run.copies * layer.groups)
    return run.narrow(out)


def _batch_norm(layer, _, own, run, x):
    import torch.nn.functional as F
    own, factor = _own(own, run), layer.momentum
    if layer.training and "num_batches_tracked" in own:
        own["num_batches_tracked"] += 1
        factor = 1 / float(own["num_batches_tracked"][0]) if factor is None else factor
    mean, var, weight, bias = (_flat(own.get(key)) for key in ("running_mean", "running_var", "weight", "bias"))
    return run.narrow(F.batch_norm(run.wide(x), mean, var, weight, bias, layer.training or mean is None, factor or 0.0, layer.eps))


def _group_norm(layer, _, own, run, x):
    import torch.nn.functional as F
    own = _own(own, run)
    return run.narrow(F.group_norm(run.wide(x), run.copies * layer.num_groups, _flat(own.get("weight")), _flat(own.get("bias")), layer.eps))


def _layer_norm(layer, _, own, run, x):
    import torch
    import torch.nn.functional as F
    own, out = _own(own, run), F.layer_norm(x, layer.normalized_shape, eps=layer.eps)
    if "weight" not in own:
        return out
    out = run.split(out)
    between = (1,) * (out.ndim - 1 - len(layer.normalized_shape))
    weight, bias = (None if (t := own.get(key)) is None else t.reshape(run.copies, *between, *layer.normalized_shape) for key in ("weight", "bias"))
    return run.merge(out * weight if bias is None else torch.addcmul(bias, out, weight))


def _dropout(layer, _, own, run, x):
    """Each copy draws from its own generator, so that it drops the same whatever it is run with."""
    import torch
    if not layer.training or not layer.p:
        return x
    x = run.split(x)
    spread = 0 if type(layer).__name__ == "Dropout" else x.ndim - 3  # axes that are dropped as a whole
    shape = (*x.shape[1:x.ndim - spread], *(1,) * spread)
    drawn = torch.stack([torch.rand(shape, generator=g, device=x.device) for g in run.generators])
    return run.merge(torch.where(drawn < layer.p, 0, x / (1 - layer.p)) if layer.p < 1 else torch.zeros_like(x))


def _one_by_one(plain, layer, own, run, *given):
    """What has no batched form. (vmap would do for some of it, and was no quicker.) What it draws in training comes from each copy's own generator."""
    import torch
    from torch.func import functional_call
    for inner, outer in zip(plain.modules(), layer.modules(), strict=True):
        inner.training = outer.training
    own, mine = _own(own, run), [run.split(x) if hasattr(x, "unflatten") and len(x) == run.items * run.copies else [x] * run.copies for x in given]
    outs, draws = [], layer.training and len(run.generators) > 0
    with torch.random.fork_rng(enabled=draws):
        for copy, rows in enumerate(zip(*mine, strict=True)):
            if draws:
                torch.manual_seed(int(torch.randint(2**31, (), generator=run.generators[copy], device=run.generators[copy].device)))
            outs.append(functional_call(plain, {key: t[copy] for key, t in own.items()}, rows))
    together = lambda parts: run.merge(torch.stack(parts))
    return tuple(map(together, zip(*outs, strict=True))) if isinstance(outs[0], tuple) else together(outs)


FORMS = {"Linear": _linear, **dict.fromkeys(("Conv1d", "Conv2d", "Conv3d"), _conv), **dict.fromkeys(("BatchNorm1d", "BatchNorm2d", "BatchNorm3d"), _batch_norm),
         "GroupNorm": _group_norm, "LayerNorm": _layer_norm, **dict.fromkeys(("Dropout", "Dropout1d", "Dropout2d", "Dropout3d"), _dropout)}
BESIDE = (_conv, _batch_norm, _group_norm)
