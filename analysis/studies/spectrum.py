"""The alignment spectrum as units of work: two layers in depth, all layers of two models, and the models of a convergence study."""

from dataclasses import replace
from itertools import combinations

import numpy as np

from analysis.errors import InputError
from analysis.metrics import comparison, tas
from analysis.metrics.comparison import GROUPS, Comparison, Convergence, Layers
from analysis.metrics.ranking import Cloud
from analysis.studies.entries import Matched, called, matched, opened, states

KEPT = 8000  # items up to which the ranks of both sides are kept and used for everything
WHOLE = 20_000  # items up to which every neighbourhood size is looked at
LARGEST = 1000  # neighbourhood size above that
MANY = 5000  # items at most where many layers or models are compared: their ranks are all kept
PLAIN = {"metric": "euclidean", "baseline": "exact", "seed": 0}


def compare(inputs: dict, options: dict, ctx):
    """{"a", "b"}, each {"representation"} or {"model", "dataset"}, with {"layer_a", "layer_b", "metric", "baseline", "max_k", "permutations",
    "resamples", "seed"} -> Comparison: the spectrum first, then its companions, then each band. 0 permutations or resamples: no such band.
    """
    chosen = {**PLAIN, "layer_a": "", "layer_b": "", "max_k": None, "permutations": 200, "resamples": 200, **options}
    _check(chosen, "permutations", "resamples")
    a, b = (opened(inputs[side], ctx.progress) for side in ("a", "b"))
    items = matched(a, b)
    (layer_a, x), (layer_b, y) = states(a, chosen["layer_a"]), states(b, chosen["layer_b"])
    x, y = x[items.a], y[items.b]
    notes = items.notes
    if len(items) > WHOLE and chosen["max_k"] is None:
        chosen["max_k"] = LARGEST
        notes += (f"Neighbourhoods of up to {LARGEST:,} of {len(items):,} items: larger ones take too long.".replace(",", "\u202f"),)
    how = {name: chosen[name] for name in ("metric", "baseline", "max_k", "seed")}
    sides = _sides(x, y, chosen, ctx.progress)
    found = _spectrum(sides, items, how, ctx.progress, names=(called(a), called(b)), layers=(layer_a, layer_b), notes=notes, options=chosen)
    yield found
    values, reasons = comparison.companions(x, y, found.overlap, lambda i, name: ctx.progress(i, len(comparison.COMPANIONS), name))
    found = replace(found, companions=values, reasons=reasons)
    yield found
    for kind, name, band in (("null", "permutations", tas.null_band), ("boot", "resamples", tas.bootstrap_band)):
        if chosen[name]:
            made = band(*sides, **{name: chosen[name]}, **how, progress=ctx.progress)
            found = replace(found, **{f"{kind}_{part}": getattr(made, part) for part in ("low", "high", "mean")}, anchors=made.anchors,
                            warnings=tuple(dict.fromkeys((*found.warnings, *made.notes))))
            yield found


def layers(inputs: dict, options: dict, ctx):
    """{"a", "b"} as for `compare` with {"layers_a", "layers_b": none given, all, "metric", "baseline", "seed"} -> Layers, partial after each layer."""
    chosen = {**PLAIN, "layers_a": [], "layers_b": [], **options}
    a, b = (opened(inputs[side], ctx.progress) for side in ("a", "b"))
    named = [[states(r, layer)[0] for layer in chosen[name] or r.layers] for r, name in ((a, "layers_a"), (b, "layers_b"))]
    every = matched(a, b)
    items = every.sample(MANY, chosen["seed"])
    grid = comparison.grid(len(items) - 2, also=_scales(items))
    same = a.digest == b.digest and named[0] == named[1]
    values = np.full((len(named[0]), len(named[1]), len(grid)), np.nan, np.float32)
    so_far = Layers((called(a), called(b)), *named, values, grid, len(items), len(every), same, items.left_out, items.clusters, items.notes, chosen)
    rank = lambda r, layer, rows, seed: tas.ranks(r.layers[layer][rows], metric=chosen["metric"], seed=seed)
    tell = lambda note: ctx.progress(int(np.isfinite(values[..., 0]).sum()), values[..., 0].size, note)
    mine, other = [], []
    for turn in range(max(map(len, named))):  # corner by corner, so that the first numbers need few ranks
        tell(f"ranks of layer {turn + 1}")
        mine += [rank(a, layer, items.a, chosen["seed"]) for layer in named[0][turn:turn + 1]]
        other += mine[len(other):] if same else [rank(b, layer, items.b, chosen["seed"] + 1) for layer in named[1][turn:turn + 1]]
        for i, j in _corner(turn, len(mine), len(other)):
            tell(f"{named[0][i]} and {named[1][j]}")
            if not same:
                values[i, j] = _curve(mine[i], other[j], grid, chosen["baseline"])
            elif i >= j:
                values[i, j] = values[j, i] = 1 if i == j else _curve(mine[i], other[j], grid, chosen["baseline"])
        yield replace(so_far, tas=values.copy())


def convergence(inputs: dict, options: dict, ctx):
    """{"models", "tuned": the same ones fine-tuned, or none; "dataset"} with {"layer", "metric", "baseline", "permutations", "seed"}
    -> Convergence, partial after each pair; the null band comes last.
    """
    chosen = {**PLAIN, "layer": "", "permutations": 200, **options}
    _check(chosen, "permutations")
    models, tuned = list(inputs["models"]), list(inputs.get("tuned", ()))
    if tuned and len(tuned) != len(models) or len(models) + len(tuned) < 2:
        raise InputError(f"{len(models)} models and {len(tuned)} fine-tuned ones were given.",
                         "Give two or more models, and for each of them, in the same order, the fine-tuned one, or none at all.")
    every = [*models, *tuned]
    pairs = sorted(combinations(range(len(every)), 2), key=lambda pair: pair[::-1])  # each as soon as both are there
    tell = lambda place, note: ctx.progress(place, len(pairs), note)
    ranks, used, found = [], [], None
    for place, (i, j) in enumerate(pairs):
        while len(ranks) <= j:
            r = opened({"model": every[len(ranks)], "dataset": inputs["dataset"]}, ctx.progress)
            items = matched(r, r).sample(MANY, chosen["seed"])
            layer, x = states(r, chosen["layer"])
            tell(place, f"ranks of {every[len(ranks)].name}")
            ranks.append(tas.ranks(x[items.a], metric=chosen["metric"], seed=chosen["seed"] + len(ranks)))
            used.append(layer)
        found = found or _study(every, pairs, len(models), items, len(r), chosen)
        tell(place, " and ".join(found.pairs[place]))
        values = found.tas.copy()
        values[place] = _curve(ranks[i], ranks[j], found.k, chosen["baseline"])
        found = replace(found, tas=values, layers=used)
        yield found
    if chosen["permutations"]:
        band = tas.null_band(*ranks[:2], permutations=chosen["permutations"], baseline=chosen["baseline"], seed=chosen["seed"], progress=ctx.progress)
        yield replace(found, **{f"null_{part}": getattr(band, part)[found.k - 1] for part in ("low", "high", "mean")})


compare.VERSION = layers.VERSION = convergence.VERSION = 1


def _check(chosen: dict, *names: str) -> None:
    """What else is asked is refused where it is used; this would be only after minutes."""
    for name in names:
        if isinstance(chosen[name], bool) or not isinstance(chosen[name], int) or chosen[name] < 0 or chosen[name] == 1:
            raise InputError(f"{chosen[name]!r} {name} were asked for.", "Give a whole number from 2, or 0 for no band; 200 is usual.")


def _scales(items: Matched) -> tuple[int, ...]:
    """Neighbourhood sizes that everybody asks for: near, and the other items of a class of the usual size."""
    return comparison.NEIGHBOURS, *((round(len(items) / items.clusters) - 1,) if items.clusters else ())


def _sides(x: np.ndarray, y: np.ndarray, chosen: dict, progress) -> tuple:
    """Ranks of both sides, or the sides themselves where ranks would be too large to keep. Ties are broken as `tas.spectrum` does."""
    if len(x) > KEPT:
        return x, y
    return tuple(tas.ranks(side, metric=chosen["metric"], seed=seed, progress=progress) for side, seed in ((x, chosen["seed"]), (y, chosen["seed"] + 1)))


def _spectrum(sides, items: Matched, how: dict, progress, *, names, layers, notes, options) -> Comparison:
    s = tas.spectrum(*sides, **how, progress=progress)
    grid = comparison.grid(int(s.k[-1]), also=_scales(items))
    near = sides if len(items) <= KEPT else [Cloud(x, metric=how["metric"], seed=how["seed"] + i) for i, x in enumerate(sides)]
    points = comparison.agreements(*near, grid, progress)
    groups = {}
    if items.labels is not None:
        counts, curves = comparison.by_group(points, s.expected[grid - 1], items.labels, len(items.classes))
        groups = {"groups": items.classes, "group_counts": counts, "group_tas": curves, "clusters": items.clusters}
    curves = {name: getattr(s, name) for name in ("k", *comparison.CURVES, "auc", "n")}
    return Comparison(names, layers, **curves, grid=grid, points=points.astype(np.float32), ids=items.ids, left_out=items.left_out,
                      warnings=(*notes, *s.warnings), options=options, **groups)


def _curve(a, b, grid: np.ndarray, baseline: str) -> np.ndarray:
    chance = tas.expected(a.n, baseline=baseline)[grid - 1]
    return (comparison.agreements(a, b, grid).mean(axis=0) - chance) / (1 - chance)


def _study(models: list, pairs: list, plain: int, items: Matched, of: int, options: dict) -> Convergence:
    """Of these models, the fine-tuned ones after `plain` others, nothing computed yet."""
    grid, named = comparison.grid(len(items) - 2, also=_scales(items)), [(models[i].name, models[j].name) for i, j in pairs]
    nothing = np.full((len(pairs), len(grid)), np.nan, np.float32)
    return Convergence(named, [_group(i, j, plain) for i, j in pairs], nothing, grid, len(items), of, clusters=items.clusters, warnings=items.notes,
                       options=options)


def _corner(turn: int, rows: int, columns: int) -> list[tuple[int, int]]:
    """The cells of a matrix that a further row and column, where there are such, add to it."""
    return [(i, j) for i in range(rows) for j in range(columns) if max(i, j) == turn]


def _group(i: int, j: int, models: int) -> str:
    """Of a pair, i < j, where the fine-tuned models come after the others."""
    if j < models or i >= models:
        return GROUPS[0 if j < models else 1]
    return GROUPS[2 if j - models == i else 3]
