"""Model: what is probed. Any torch module, watched through forward hooks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from analysis.errors import InputError
from analysis.models.fingerprint import fingerprint

POOLINGS = ("native", "cls", "mean", "last")


@dataclass(eq=False)
class Model:
    """A module to probe, loaded when it is first run.

    modality  what it reads: "image", "text" or "array", or several of them
    layers    shown name -> path of the submodule whose output is the state, in order
    widths    shown name -> width of the pooled state, where known without running
    head      None (no head), "output" (the module returns logits) or the path of the submodule that gives logits
    classes   names of the head's classes
    pooling   how a state with a token axis becomes one row when asked for "native": "cls", "mean" or "last"
    build     () -> (module in eval mode, preprocess); preprocess: a slice of items -> a tensor, or a mapping of tensors
    fingerprint  of weights, architecture, layers and preprocessing; a function for a live module, whose weights may change
    card      what is known of it: accuracy, parameters, recipe
    """

    name: str
    modality: str | tuple
    layers: Mapping[str, str]
    build: Callable
    fingerprint: str | Callable[[], str]
    widths: Mapping[str, int] = field(default_factory=dict)
    head: str | None = None
    classes: tuple = ()
    pooling: str = "mean"
    source: str = ""
    card: Mapping = field(default_factory=dict)

    @classmethod
    def wrap(cls, module, *, preprocess: Callable, layers: Sequence[str] | Mapping[str, str] | None = None, head: str | None = None,
             name: str, modality: str = "image", pooling: str = "mean", classes: Sequence[str] = ()) -> "Model":
        """Make a Model of any torch module.

        preprocess  a slice of a dataset's items (uint8 images, a list of texts, or float rows) -> the module's input:
                    a tensor, or a mapping of tensors that is passed as keyword arguments
        layers      submodule paths to watch, or shown name -> path; None: the module's top-level parts, containers opened
        head        "output" when the module returns logits, or the path of the submodule that does
        """
        known = dict(module.named_modules())
        if layers is None:
            layers = _top_parts(module, skip=head)
        paths = dict(layers) if isinstance(layers, Mapping) else {path: path for path in layers}
        for path in [*paths.values(), *([head] if head not in (None, "output") else [])]:
            if path not in known:
                close = ", ".join(list(known)[1:9])
                raise InputError(f"{name!r} has no layer {path!r}.", f"Its parts are: {close}{' ...' if len(known) > 9 else ''}.")
        if not paths:
            raise InputError(f"{name!r} has no parts to watch.", "Name the layers: Model.wrap(..., layers=[...]).")
        check_pooling(pooling, allowed=POOLINGS[1:])
        live = lambda: fingerprint(module, paths, head, pooling, name, tuple(classes), preprocess)
        return cls(name, modality, paths, lambda: (module, preprocess), live, head=head, classes=tuple(classes), pooling=pooling, source="notebook",
                   card={"parameters": sum(p.numel() for p in module.parameters())})

    @property
    def digest(self) -> str:
        """Of all that decides what comes out, as it is now."""
        return self.fingerprint() if callable(self.fingerprint) else self.fingerprint

    @property
    def reads(self) -> tuple:
        """The kinds of items it takes."""
        return self.modality if isinstance(self.modality, tuple) else (self.modality,)

    def load(self):
        """(module, preprocess), built once and kept."""
        if not hasattr(self, "_loaded"):
            self._loaded = self.build()
        return self._loaded

    def choose(self, layers) -> list[str]:
        """Layer names for a request: "all", one name, or several; in the model's own order."""
        if layers is None:
            layers = "all"
        if isinstance(layers, str):
            layers = list(self.layers) if layers == "all" else [layers]
        unknown = [x for x in layers if x not in self.layers]
        if unknown or not layers:
            raise InputError(f"{self.name!r} has no layer {unknown[0]!r}." if unknown else "No layer was asked for.",
                             f"Its layers are: {', '.join(self.layers)}.")
        return [x for x in self.layers if x in set(layers)]

    def run(self, items, *, layers="all", pooling: str | None = None, device: str = "cpu") -> tuple[dict, np.ndarray | None]:
        """One batch through the model: (layer name -> (b, d) float32 rows, logits or None)."""
        import torch

        module, preprocess = self.load()
        rule = pooling or "native"
        check_pooling(rule)
        rule = self.pooling if rule == "native" else rule
        module.to(device)
        batch = preprocess(items)
        batch = {k: v.to(device) for k, v in batch.items()} if isinstance(batch, Mapping) else batch.to(device)
        mask = batch.get("attention_mask") if isinstance(batch, Mapping) else None

        states, caught, hooks = {}, {}, []
        parts = dict(module.named_modules())
        for name in self.choose(layers):
            hooks.append(parts[self.layers[name]].register_forward_hook(
                lambda _m, _in, out, name=name: states.__setitem__(name, pool(_first_tensor(out), rule, mask, name))))
        if self.head not in (None, "output"):
            hooks.append(parts[self.head].register_forward_hook(lambda _m, _in, out: caught.__setitem__("logits", _first_tensor(out))))
        modes = [(part, part.training) for part in parts.values()]
        try:
            module.eval()  # no dropout, whatever the owner was doing with it
            with torch.inference_mode():
                out = module(**batch) if isinstance(batch, Mapping) else module(batch)
        finally:
            for hook in hooks:
                hook.remove()
            for part, mode in modes:
                part.training = mode
        silent = [name for name in self.choose(layers) if name not in states]
        if silent:
            raise InputError(f"The layer {silent[0]!r} of {self.name!r} took no part in the forward pass.", "Choose layers the model really runs.")
        logits = _first_tensor(out) if self.head == "output" else caught.get("logits")
        rows = {name: states[name].float().cpu().numpy() for name in self.choose(layers)}
        return rows, None if logits is None else logits.float().cpu().numpy()


def pool(state, rule: str, mask=None, name: str = ""):
    """One row per item of a state: (b, d) as it is, (b, c, h, w) averaged over space, (b, t, d) by the rule, padding left out."""
    if state.ndim == 2:
        return state
    if state.ndim == 4:
        return state.mean(dim=(2, 3))
    if state.ndim != 3:
        raise InputError(f"The layer {name!r} gives states of shape {tuple(state.shape)}.", "Watch a layer with 2, 3 or 4 axes.")
    if mask is not None and mask.shape[1] != state.shape[1]:
        mask = None
    if rule == "cls":  # the first real token: padding may stand before it
        return state[:, 0] if mask is None else state.take_along_dim(mask.long().argmax(dim=1)[:, None, None], dim=1)[:, 0]
    if rule == "last":
        if mask is None:
            return state[:, -1]
        places = mask.long().cumsum(dim=1).argmax(dim=1)  # the first place where the count of real tokens is complete
        return state.take_along_dim(places[:, None, None], dim=1)[:, 0]
    if mask is None:
        return state.mean(dim=1)
    real = mask.bool().unsqueeze(-1)  # filled, not multiplied: a padded state may be NaN
    return state.masked_fill(~real, 0).sum(dim=1) / real.sum(dim=1).clamp_min(1)


def check_pooling(rule: str, allowed=POOLINGS) -> None:
    if rule not in allowed:
        raise InputError(f"Unknown pooling {rule!r}.", f"Use one of {', '.join(allowed)}.")


def _first_tensor(out):
    """The tensor in what a layer returned: itself, the first of a tuple, or a named output's hidden state or logits."""
    for name in ("logits", "last_hidden_state"):
        if hasattr(out, name):
            return getattr(out, name)
    while isinstance(out, (tuple, list)) and out:
        out = out[0]
    if not hasattr(out, "detach"):
        raise InputError(f"A part of the model returns {type(out).__name__}, not a tensor.",
                         "Watch a part whose output is a tensor, or a tuple that begins with one.")
    return out


def _top_parts(module, skip: str | None) -> list[str]:
    from torch import nn
    parts = []
    for name, child in module.named_children():
        inside = [n for n, _ in child.named_children()] if isinstance(child, (nn.Sequential, nn.ModuleList)) else []
        parts += [f"{name}.{n}" for n in inside] or [name]
    return [p for p in parts if p != skip]
