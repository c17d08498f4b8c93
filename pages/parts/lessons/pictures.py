"""The charts of lessons: (result, step, what is asked of the chart) -> (figure, what it shows in words, the numbers behind it).

What a later step asks is not drawn: a chart ends where it is asked to.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from analysis import published
from analysis.figures import comparison, filtration, gain, invariance, preview, sources
from analysis.figures import persistence as bars
from analysis.figures import radar as ridges
from analysis.figures import sensitivity as sensed
from analysis.figures import spectrum as spectra
from analysis.figures import triangle as triangles
from analysis.lessons import Step
from analysis.metrics import projection, spanning, tas
from pages.parts import workspace

RADII = 51  # of the growing balls
AT_ONCE = ("growing", "clouds", "items")  # these need no result


def growing(found, step: Step, upto: float | None = None):
    """The points of the last entry, joined up to a radius; the bars are known no further. In the plane a ball grows around each."""
    x = _points(**step.case.entries()[-1])
    if x is None:
        return None
    tree = spanning.tree(x)
    longest = float(tree.lengths[-1])
    radii = np.linspace(0, longest if upto is None else upto, RADII if upto != 0 else 1)
    made = filtration.growing(projection.layers_pca({"points": [x]})["points"], tree, radii=radii, at=len(radii) - 1, extent=1.03 * longest,
                              separation=max(0, step.number.get("classes", 0) - 1) if upto is None else 0, film=len(radii) > 1, balls=x.shape[1] == 2,
                              clipped=upto is not None, height=440)
    return made, f"{tree.n} points joined up to radius {radii[-1]:.3g}, beside the bars of H0", None


def _points(model: str, dataset: str):
    """The last layer; of the data itself, which is there before anything is run, its items. None until it is there."""
    if model == "builtin:raw":
        return np.asarray(workspace.get_dataset(dataset).items)
    found = workspace.get_representation(model, dataset)
    return None if found is None else next(reversed(found.layers.values()))


def diagrams(found, step: Step, entries: int | None = None, stars: bool = True):
    """Births and deaths of each entry on the same axes, the last one first; Play goes through them."""
    shown = range(min(len(found), entries or len(found)))
    every = [{dim: found.bars(i, dim) for dim in ((0, 1) if found.options["loops"] else (0,))} for i in shown]
    extent = 1.03 * max((float(b.max()) for each in every for b in each.values() if b.size), default=0)
    classes, names = step.number.get("classes", 0), [found.names[i] or "points" for i in shown]
    separation = max(0, classes - 1) if stars else 0
    if len(every) == 1:
        made = bars.diagram(every[0], extent=extent, separation=separation, title=names[0])
    else:
        made = comparison.training(every, names, at=len(every) - 1, extent=extent, separation=separation, height=440)
    return made, f"Persistence diagram of {' and of '.join(names)}", found.table(classes) if classes else None


def through(found, step: Step):
    """The Persistence Ratio from entry to entry, and the groups."""
    classes = step.number.get("classes", 2)
    made = comparison.through(found.names, **{"values" if name == "value" else name: v for name, v in found.ratios(classes).items()}, clusters=found.groups,
                              truth=classes)
    return made, f"Persistence Ratio and groups above the largest gap of {', '.join(found.names)}", found.table(classes)


def spectrum(found, step: Step, upto: int | None = None):
    """Up to a k the curve alone: flat scores speak of all."""
    at = step.number.get("k") or step.number.get("last")
    scores = {name: value for name, value in found.companions.items() if value is not None and not np.isnan(value) and upto is None}
    made = spectra.spectrum([(_sides(found), found.spectrum())], floor=None if upto else found.floor, companions=scores, height=420,
                            scale=found.n / found.clusters if found.clusters else None, at=at, upto=upto)
    table = found.table()
    return made, f"TAS over k of two sides with {found.n} items", table[table["k"] <= upto] if upto else table


def _sides(found) -> str:
    """The two sides: what they have in common is said once."""
    (one, other), (first, second) = found.names, found.layers
    if one == other:
        return f"{one + ': ' if one else ''}{first} and {second}"
    return f"{one} and {other}, {first}" if first == second else f"{one}, {first} and {other}, {second}"


def clouds(found, step: Step):
    o = step.case.options
    a, b = tas.teaching_cloud(o["kind"], **{name: o[name] for name in ("n", "d", "seed", "jitter") if name in o})
    flat = projection.layers_pca({"A": [a.astype(np.float32)], "B": [b.astype(np.float32)]})
    labels = np.arange(len(a)) * 4 // len(a) if o["kind"] != "noise" else np.zeros(len(a), int)
    return spectra.clouds(flat["A"].points, flat["B"].points, labels), f"The two clouds of the kind {o['kind']}, on two axes", None


def triangle(found, step: Step):
    points = triangles.free(found.sep, found.traj, found.degrees)
    return triangles.triangle(*points), triangles.says(*points), None


def ridgelines(found, step: Step, rows: int | None = None):
    """The first rows, or all."""
    tall = None
    if rows and rows < found.transitions:
        tall, columns = 160 + 60 * rows, np.r_[:rows, found.transitions:found.transitions + rows]
        found = replace(found, within=found.within[:, columns], cross=found.cross[:, columns], per_transition=found.per_transition[:rows],
                        marginals=found.marginals[:rows], layers=found.layers[:rows + 1])
    return ridges.ridgelines(found, "angle", height=tall), ridges.ridgelines_says(found, "angle"), None if rows else found.table()


def items(found, step: Step):
    """Some pictures of each dataset that is looked at."""
    datasets = [workspace.get_dataset(entry["dataset"]) for entry in step.case.entries()]
    names = [data.domain or data.name for data in datasets]
    return preview.sheets(datasets, names), f"Pictures of {', '.join(names)}", None


def ranking(found, step: Step):
    """By geometry alone: what labels say, a case tells."""
    bare = replace(found, own=np.full_like(found.own, np.nan), borrowed=np.full_like(found.borrowed, np.nan))
    return sources.ranking(bare), sources.ranking_says(bare), bare.table()


def classes(found, step: Step):
    made = gain.per_class(found.gains, found.source, names=found.classes)
    made.layout.yaxis.title.text = "Class"
    return made, gain.per_class_says(found.gains, found.source, names=found.classes), None


def confusion(found, step: Step):
    return gain.confusion(found.gains, found.source, names=found.classes), gain.confusion_says(found.gains, found.source, names=found.classes), None


def labels(found, step: Step):
    """Whose neighbours know the labels, class by class; None while it is not known."""
    if not found.votes.size:
        return None
    sides = found.own_by_class, found.borrowed_by_class
    made = gain.known(found.classes, *sides, names=(f"other items of {found.target}", f"items of {found.source}"))
    made.layout.yaxis.title.text = "Class"
    return made, gain.known_says(found.classes, *sides), None


def felt(found, step: Step):
    return sensed.bars(found), sensed.bars_says(found), found.table()


def harm(found, step: Step, of: str = ""):
    """Sensitivity alone, one transfer alone, or all."""
    if of in found.transfers:
        at = found.transfers.index(of)
        one = replace(found, transfers=(of,), accuracy=found.accuracy[..., [at]], chance=(found.chance[at],))
        theirs = {name: ((accuracy[at],), parts) for name, (accuracy, parts) in published.INVARIANCE_HARM.items()}
        return invariance.harm(one, 0, theirs), f"Accuracy in {of}: {_listed(found.trained, one.spans()[:, 0, 0])}", one.table()
    if of:
        none = replace(found, transfers=(), accuracy=found.accuracy[..., :0], chance=())
        made = invariance.harm(none, 0, {name: ((), parts) for name, (_, parts) in published.INVARIANCE_HARM.items()})
        made.data = [trace for trace in made.data if trace.xaxis == "x2"]
        made.update_traces(showlegend=True)
        made.update_traces(name="published: right of its bar", selector={"type": "scatter"})
        made.layout.update(xaxis={"visible": False, "domain": [0, 0.01]}, yaxis={"visible": False}, xaxis2={"domain": [0.02, 1]},
                           annotations=[a for a in made.layout.annotations if "Accuracy" not in a.text])
        told = [f"to another {part}: {_listed(found.trained, found.sensed()[:, i, 0])}" for i, part in enumerate(found.parts)]
        return made, f"Sensitivity {'; '.join(told)}", none.table()
    return invariance.harm(found, 0, published.INVARIANCE_HARM), invariance.harm_says(found), found.table()


def _listed(names: Sequence[str], values) -> str:
    return ", ".join(f"{name} {value:.2f}" for name, value in zip(names, values, strict=True))


PICTURES = {"growing": growing, "diagrams": diagrams, "through": through, "spectrum": spectrum, "clouds": clouds, "triangle": triangle,
            "ridgelines": ridgelines, "items": items, "ranking": ranking, "classes": classes, "confusion": confusion, "labels": labels, "bars": felt,
            "harm": harm}


def drawn(chart, found, step: Step):
    """A picture that a step asks for; None while there is nothing to draw."""
    if chart is None or (found is None and chart.name not in AT_ONCE):
        return None
    return PICTURES[chart.name](found, step, **chart.options)
