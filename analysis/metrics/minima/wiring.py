"""Wiring: which layers of a network run on what, read by sending a stand-in through its own forward instead of guessed from names."""

import numbers
import operator
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import partial

from analysis.errors import InputError

LAYERS = {"Linear": "dense", "Conv1d": "convolution", "Conv2d": "convolution", "Conv3d": "convolution"}
NORMS = {f"{kind}{d}d" for kind in ("BatchNorm", "InstanceNorm") for d in (1, 2, 3)}
ACTIVATIONS = {"ReLU", "ReLU6", "GELU", "SiLU", "Mish", "ELU", "SELU", "CELU", "LeakyReLU", "Softplus", "Softsign", "Tanh", "Sigmoid", "Hardtanh",
               "Hardswish", "Hardsigmoid"}

# What leaves every unit to itself, by the names of torch's modules and functions: everywhere, where units have places, and where they have as many axes of
# places as the name ends with.
PASSED = ACTIVATIONS | {"Identity", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "relu", "relu6", "gelu", "silu", "elu", "leaky_relu", "softplus", "tanh",
                        "sigmoid", "hardtanh", "hardswish", "dropout", "contiguous", "neg"}
RESIZED = {"Upsample", "interpolate"}
POOLED = {"MaxPool", "AvgPool", "AdaptiveAvgPool", "AdaptiveMaxPool", "ZeroPad", "ReflectionPad", "ReplicationPad", "max_pool", "avg_pool", "adaptive_avg_pool",
          "adaptive_max_pool"}
ARITHMETIC = {"add", "sub", "mul", "truediv", "div"}
COMPARED = (operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge)


class Cannot(Exception):
    """Why a layer cannot grow, as the end of a sentence."""


@dataclass(frozen=True)
class Unit:
    """A layer's own normalisation and activation, "" where it has none. last: the one to put something behind."""

    norm: str
    activation: str
    last: str


def read(model) -> "Net":
    import torch
    if not isinstance(model, torch.nn.Module):
        raise InputError(f"Only a torch module can grow, not {type(model).__name__}.", "Give a torch.nn.Module.")
    try:
        copy = deepcopy(model).eval()
    except RuntimeError as error:
        raise InputError(f"{type(model).__name__} cannot be copied: {said(error)}.", "Remove what computes its weights, such as weight_norm.") from error
    try:
        return Net(dict(model.named_modules()), trace(copy))
    except Exception as error:  # a forward may do anything to a stand-in
        raise InputError(f"How {type(model).__name__} runs cannot be read from its forward: {said(error)}.",
                         "Build the network of modules, one of them called after the other.") from error


def trace(model):
    """The graph of a network, which is used up. Every module of torch's is one step in it; so is any other whose forward needs more than a stand-in.

    Only this network's own forwards are replaced: torch's tracer would change the class of all modules, under the feet of other threads.
    """
    import torch
    from torch import fx

    graph, modules = fx.Graph(), dict(model.named_modules())

    class Tracer(fx.proxy.GraphAppendingTracer):
        def create_arg(self, value):
            return "tensor" if isinstance(value, torch.Tensor) else super().create_arg(value)

        def to_bool(self, stand_in):
            """Forwards may ask for the number of axes, where it follows from the layers before."""
            node = stand_in.node
            axes = _axes_asked(node.args[0], modules) if node.target in COMPARED else None
            return node.target(axes, node.args[1]) if axes else super().to_bool(stand_in)

    tracer = Tracer(graph)

    def step(name, *args, **options):
        return tracer.create_proxy("call_module", name, args, options)

    def attempt(name, forward, *args, **options):
        try:
            return forward(*args, **options)
        except Exception:  # a forward may do anything to a stand-in
            return step(name, *args, **options)

    for name, module in modules.items():
        module._forward_hooks.clear()
        module._forward_pre_hooks.clear()
        if isinstance(module, torch.nn.Sequential):
            continue
        if type(module).__module__.startswith("torch.nn."):
            module.forward = partial(step, name)
        elif name:
            module.forward = partial(attempt, name, module.forward)
    graph.output(model(fx.Proxy(graph.placeholder("x"), tracer)).node)
    return graph


class Net:
    """The modules of a network by name, and the graph of what runs on what."""

    def __init__(self, modules: dict, graph):
        self.modules, self.nodes, self.calls, self.owners = modules, set(), {}, {}
        waiting = [node for node in graph.nodes if node.op == "output"]
        while waiting:  # what the answers do not depend on is left out
            node = waiting.pop()
            if node not in self.nodes:
                self.nodes.add(node)
                waiting += node.all_input_nodes
                if node.op == "call_module":
                    self.calls.setdefault(node.target, []).append(node)
        for name, module in modules.items():
            for parameter in module.parameters(recurse=False):
                self.owners.setdefault(id(parameter), set()).add(name)

    def node(self, name: str):
        """Where a layer runs."""
        calls = self.calls.get(name, [])
        if len(calls) > 1:
            raise Cannot(f"{name} runs {len(calls)} times")
        if calls:
            return calls[0]
        around = next((name[:i] for i, letter in enumerate(name) if letter == "." and name[:i] in self.calls), "")
        if around:
            raise Cannot(f"it runs inside {around} ({kind_of(self.modules[around])}), whose forward cannot be followed")
        raise Cannot("no call of it can be followed")

    def layer(self, name: str):
        """Where a dense layer or a convolution runs."""
        if (kind := kind_of(self.modules[name])) not in LAYERS:
            raise Cannot(f"{kind} is neither a dense layer nor a convolution")
        return self.node(name)

    def unit(self, name: str) -> Unit:
        """A layer with the normalisation and activation that run on it alone."""
        at, found = self.layer(name), []
        for kinds in (NORMS | {"LayerNorm"}, ACTIVATIONS):
            users = self.users(at)
            alone = len(users) == 1 and users[0].op == "call_module" and len(self.calls[users[0].target]) == 1
            fits = alone and kind_of(self.modules[users[0].target]) in kinds
            at = users[0] if fits else at
            found.append(at.target if fits else "")
        return Unit(*found, at.target)

    def untied(self, name: str) -> None:
        others = {o for p in self.modules[name].parameters(recurse=False) for o in self.owners[id(p)]} - {name}
        if others:
            raise Cannot(f"{name} shares its parameters with {min(others)}")

    def users(self, node) -> list:
        return [user for user in node.users if user in self.nodes]

    def behind(self, node, width: int, places: int) -> Iterator[tuple[str, str]]:
        """(name, role) of the layers that the units of a node run into: "carried", with a value per unit, or "reader", with a weight per unit.

        places  how many axes of places units have: 0 where they are the last axis, else they are axis 1 and those follow
        """
        for user in self.users(node):
            role, then = self.step(user, node, width, places)
            if role:
                yield user.target, role
            if then is not None:
                yield from self.behind(user, width, then)

    def step(self, user, node, width: int, places: int) -> tuple[str, int | None]:
        """(role of what comes next, "" if none; how many axes of places units have behind it, None where they end)"""
        if user.op == "output":
            raise Cannot("it gives the network's answers, one per class")
        if self.is_size(user):
            return "", None
        if places and self.flattens(user, node):
            return "", 0
        if user.all_input_nodes != [node] and called(user) not in ("view", "reshape"):
            raise Cannot(f"its output meets another one ({called(user)}), so that both must have one width")
        module = self.modules.get(user.target) if user.op == "call_module" else None
        kind = kind_of(module) if module else called(user)
        if _passes(kind, places) or kind in ARITHMETIC and not user.kwargs and all(isinstance(v, numbers.Real) for v in user.args if v is not node):
            return "", places
        if module and (role := _role(module, kind, width, places)):
            self.node(user.target)  # runs once
            return role, places if role == "carried" else None
        if places and kind in ("mean", "amax", "sum") and (then := _summarised(user, places)) is not None:
            return "", then
        raise Cannot(f"its output runs into {f'{user.target} ({kind})' if module else kind}, behind which its units are not told apart")

    def flattens(self, user, node) -> bool:
        """Flatten(), x.flatten(1) or x.view(len(x), -1), as they are or as functions."""
        name, rest = called(user), user.args[1:]
        if user.op == "call_module":
            module = self.modules[user.target]
            return kind_of(module) == "Flatten" and (module.start_dim, module.end_dim) == (1, -1)
        if name == "flatten":
            return (rest or (user.kwargs.get("start_dim"),)) in ((1,), (1, -1))
        rest = rest[0] if len(rest) == 1 and isinstance(rest[0], tuple | list) else rest
        return name in ("view", "reshape") and user.args[0] is node and len(rest) == 2 and rest[1] == -1 and self.is_size(rest[0])

    def is_size(self, node) -> bool:
        """x.size(0), x.shape[0], and the x.shape on the way there."""
        if not hasattr(node, "op"):
            return False
        name, rest = called(node), node.args[1:]
        if name == "shape":
            return all(self.is_size(user) for user in self.users(node))
        return rest == (0,) and (name == "size" or name == "getitem" and called(node.args[0]) == "shape")


def kind_of(module) -> str:
    """The name of a module's class; marked where it is not torch's own, as that may run differently."""
    kind = type(module)
    return kind.__name__ if kind.__module__.startswith("torch.nn.modules.") else f"{kind.__name__} (custom)"


def named(layer: str, kind: str = "layer") -> str:
    """A layer in a sentence: one that has a number for a name is called layer 2."""
    return f"{kind} {layer}" if layer[:1].isdigit() else layer


def said(error: Exception) -> str:
    return " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__


def called(node) -> str:
    """The name of a function, method or attribute."""
    if node.target is getattr:
        return node.args[1]
    return (node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")).strip("_")


def _passes(kind: str, places: int) -> bool:
    return kind in PASSED or bool(places) and (kind in RESIZED or kind[-2:] == f"{places}d" and kind[:-2] in POOLED)


def _role(module, kind: str, width: int, places: int) -> str:
    """Of a layer that units run into; "" where they get lost in it."""
    batch = kind == f"BatchNorm{places or 1}d" and module.num_features % width == 0
    if batch or kind == f"InstanceNorm{places}d" or kind == "LayerNorm" and not places and len(module.normalized_shape) == 1:
        return "carried"
    if kind == f"Conv{places}d" and module.groups == module.in_channels == module.out_channels == width > 1:
        return "carried"
    return "reader" if kind == (f"Conv{places}d" if places else "Linear") and getattr(module, "groups", 1) == 1 else ""


def _summarised(node, places: int) -> int | None:
    """The axes of places behind a mean, maximum or sum over all of them; None behind any other."""
    options = dict(zip(("dim", "keepdim"), node.args[1:], strict=False)) | dict(node.kwargs)
    axes = options.get("dim", ())
    axes = (axes,) if isinstance(axes, int) else tuple(axes or ())
    if sorted(axis % (2 + places) for axis in axes) != list(range(2, 2 + places)):
        return None
    return places if options.get("keepdim") else 0


def _axes(node, modules) -> int | None:
    """How many axes a value has, where the layers before it tell."""
    kind = kind_of(modules[node.target]) if node.op == "call_module" else called(node)
    if kind[-2:] in ("1d", "2d", "3d") and kind not in PASSED | {"BatchNorm1d"}:
        return 2 + int(kind[-2])
    if kind in ("Flatten", "flatten"):
        flat = modules[node.target].start_dim == 1 if node.op == "call_module" else node.args[1:] == (1,) and not node.kwargs
        return 2 if flat else None
    same = kind in PASSED | RESIZED | ARITHMETIC | {"Linear", "LayerNorm", "BatchNorm1d"} and hasattr(node.args[0], "op")
    return _axes(node.args[0], modules) if same else None


def _axes_asked(node, modules) -> int | None:
    asked = hasattr(node, "op") and (called(node) == "ndim" or called(node) == "dim" and len(node.args) == 1)
    return _axes(node.args[0], modules) if asked else None
