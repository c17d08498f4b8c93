"""The charts of lessons: (result, step) -> (figure, what it shows in words, the numbers behind it)."""

import numpy as np

from analysis import published
from analysis.figures import comparison, filtration, gain, invariance, sources
from analysis.figures import persistence as bars
from analysis.figures import radar as ridges
from analysis.figures import sensitivity as sensed
from analysis.figures import spectrum as spectra
from analysis.figures import triangle as triangles
from analysis.lessons import Step
from analysis.metrics import projection, spanning, tas
from pages.parts import workspace

RADII = 51  # of the growing balls


def growing(found, step: Step):
    """The points of the last entry, joined up to the radius that the step asks about; of a number without one, all of them."""
    entry = step.case.entries()[-1]
    x = workspace.get_representation(entry["model"], entry["dataset"])
    x = next(reversed(x.layers.values()))
    tree = spanning.tree(x)
    longest = float(tree.lengths[-1])
    radii = np.linspace(0, longest, RADII)
    at = int(np.abs(radii - step.number.get("radius", longest)).argmin())
    classes = step.number.get("classes", 0)
    made = filtration.growing(projection.layers_pca({"points": [x]})["points"], tree, radii=radii, at=at, extent=1.03 * longest,
                              separation=max(0, classes - 1), height=440)
    return made, f"{tree.n} points joined up to radius {radii[at]:.3g}, beside the bars of H0", None


def diagrams(found, step: Step):
    """Births and deaths of each entry on the same axes, the last one first; Play goes through them."""
    every = [{dim: found.bars(i, dim) for dim in ((0, 1) if found.options["loops"] else (0,))} for i in range(len(found))]
    extent = 1.03 * max(float(b.max()) for each in every for b in each.values() if b.size)
    classes, names = step.number.get("classes", 0), [name or "points" for name in found.names]
    if len(every) == 1:
        made = bars.diagram(every[0], extent=extent, separation=max(0, classes - 1), title=names[0])
    else:
        made = comparison.training(every, names, at=len(every) - 1, extent=extent, separation=max(0, classes - 1), height=440)
    return made, f"Persistence diagram of {' and of '.join(names)}", found.table(classes or 2)


def spectrum(found, step: Step):
    at = step.number.get("k") or step.number.get("last")
    scores = {name: value for name, value in found.companions.items() if value is not None and not np.isnan(value)}
    made = spectra.spectrum([(" and ".join(dict.fromkeys(found.layers)), found.spectrum())], floor=found.floor, companions=scores, height=420,
                            scale=found.n / found.clusters if found.clusters else None, at=at)
    return made, f"TAS over k of two sides with {found.n} items, beside scores without k", found.table()


def clouds(found, step: Step):
    o = step.case.options
    a, b = tas.teaching_cloud(o["kind"], **{name: o[name] for name in ("n", "d", "seed", "jitter") if name in o})
    flat = projection.layers_pca({"A": [a.astype(np.float32)], "B": [b.astype(np.float32)]})
    labels = np.arange(len(a)) * 4 // len(a) if o["kind"] != "noise" else np.zeros(len(a), int)
    return spectra.clouds(flat["A"].points, flat["B"].points, labels), f"The two clouds of the kind {o['kind']}, on two axes", None


def triangle(found, step: Step):
    points = triangles.free(found.sep, found.traj, found.degrees)
    return triangles.triangle(*points), triangles.says(*points), None


def ridgelines(found, step: Step):
    return ridges.ridgelines(found, "angle"), ridges.ridgelines_says(found, "angle"), found.table()


def ranking(found, step: Step):
    return sources.ranking(found), sources.ranking_says(found), found.table()


def classes(found, step: Step):
    return gain.per_class(found.gains, found.source, names=found.classes), gain.per_class_says(found.gains, found.source, names=found.classes), found.table()


def confusion(found, step: Step):
    return gain.confusion(found.gains, found.source, names=found.classes), gain.confusion_says(found.gains, found.source, names=found.classes), None


def felt(found, step: Step):
    return sensed.bars(found), sensed.bars_says(found), found.table()


def harm(found, step: Step):
    return invariance.harm(found, 0, published.INVARIANCE_HARM), invariance.harm_says(found), found.table()


PICTURES = {"growing": growing, "diagrams": diagrams, "spectrum": spectrum, "clouds": clouds, "triangle": triangle, "ridgelines": ridgelines,
            "ranking": ranking, "classes": classes, "confusion": confusion, "bars": felt, "harm": harm}
