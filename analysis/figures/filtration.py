"""The filtration as a film: the radius grows, points join, components merge in the map, and the barcode is swept."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from analysis.figures import map as maps
from analysis.figures import persistence, template
from analysis.metrics.projection import Projection, bounds
from analysis.metrics.spanning import Tree

EDGES = 2_000  # edges drawn at most, the longest of the tree
BARS = 60  # bars beside the map, the longest of each dimension
NAMED = 0.02  # share of the items from which a coloured component is named in the picture
CORNERS = 32  # of what is drawn as a circle


def growing(picture: Projection, tree: Tree, *, radii, extent: float, at: int = 0, rows=None, bars: Mapping[int, np.ndarray] | None = None,
            separation: int = 0, colours: int = 12, hover: Sequence[str] = (), film: bool = True, balls: bool = False, clipped: bool = False,
            height: int = 520, revision: str = "growing"):
    """Left the map, coloured by component, with the tree's edges up to the radius; right the barcode, swept. A frame per radius, ascending.

    at       place among the radii shown first
    rows     row of the picture's input that each row of the tree is; the same rows when not given
    bars     of each dimension; H0 of the tree when not given
    colours  components that have a colour at a time: those that grow largest
    hover    a text per row of the picture's input
    film     whether the other radii travel too, with Play and Pause
    balls    whether a ball grows around each item, of half the radius: two touch when their items join. For a cloud in the plane, where the picture is true
    clipped  whether bars are known up to the last radius only
    """
    radii, extent = np.asarray(radii, dtype=np.float64), persistence.reach(extent)
    counts = np.searchsorted(tree.lengths, radii, side="right")
    lineages = _lineages(tree, counts)
    scene = _Scene(picture, tree, np.arange(tree.n) if rows is None else np.asarray(rows), lineages, _colours(lineages, colours), counts, radii, balls)
    bars = {0: np.column_stack([np.zeros(tree.n), [*tree.lengths, np.inf]])} if bars is None else bars
    if clipped:
        bars = {dim: np.minimum(rows, radii[-1]) for dim, rows in bars.items()}
    lying, ends, axis, notes = persistence.stacked(bars, extent, separation=separation, sweep=float(radii[at]), shown=BARS)
    right = [*lying, *ends, _sweep(radii[at], axis["range"])]
    for trace in right:
        trace.update(xaxis="x2", yaxis="y2", showlegend=False, **({"hovertemplate": None, "hoverinfo": "skip"} if clipped else {}))
    under = [scene.balls(at)] if balls else []
    made = template.figure(*under, scene.edges(at), scene.points(at, hover), *right, height=height, uirevision=revision, title={"text": scene.said(at)},
                           annotations=scene.named(at), meta={"note": persistence.note([*scene.notes(colours), *notes])},
                           **_layout(picture, extent, axis, extent / 4 if balls else 0))
    if film:
        first = len(under) + 2
        moving = [*range(first), *range(first + 1, first + len(lying), 2), len(made.data) - 1]  # all of the map, what is swept of the bars, the sweep
        places = [(rows, persistence.longest(dim, rows, BARS)) for dim, rows in sorted(bars.items()) if len(rows)]
        swept = lambda radius: [{"type": "bar", "x": persistence.reached(rows[order], extent, radius)} for rows, order in places]
        made.frames = [{"name": str(i), "traces": moving, "layout": {"title": {"text": scene.said(i)}, "annotations": scene.named(i, whole=False)},
                        "data": [*(scene.ball(i) for _ in under), *scene.moved(i), *swept(radius), {"type": "scatter", "x": np.full(2, radius, np.float32)}]}
                       for i, radius in enumerate(radii)]
        made.layout.updatemenus = [persistence.buttons([str(i) for i in range(len(radii))], at, x=0, xanchor="left", y=-0.07, yanchor="top")]
    return made


def component_colours(tree: Tree, counts, *, colours: int = 12) -> np.ndarray:
    """(frames, n) int8: 1 to `colours` for the items of a coloured component once the `counts` (ascending) shortest edges are in, else 0.

    A component keeps its colour as long as it lives; where some merge, the largest of them lives on. No two have one colour at a time;
    those that grow largest have theirs first. Who stands alone has none.
    """
    return _colours(_lineages(tree, np.asarray(counts)), colours)


def _lineages(tree: Tree, counts: np.ndarray) -> np.ndarray:
    """(frames, n): which component each row is of; a merged one goes by the name of its largest part in the frame before."""
    lineage, found = np.arange(tree.n), []
    for count in counts:
        label, size = tree.components(int(count)), np.bincount(lineage, minlength=tree.n)
        order = np.lexsort((lineage, -size[lineage]))
        first = np.unique(label[order], return_index=True)[1]
        lineage = lineage[order[first]][label]
        found.append(lineage)
    return np.array(found, dtype=np.int32).reshape(len(counts), tree.n)


def _colours(lineages: np.ndarray, colours: int) -> np.ndarray:
    frames, n = lineages.shape
    sizes = np.array([np.bincount(row, minlength=n) for row in lineages]).reshape(frames, n)
    alive = sizes > 1
    peak, taken = sizes.max(axis=0, initial=0), np.zeros((colours, frames), bool)
    colour = np.zeros(n, np.int8)
    for name in sorted(np.flatnonzero(alive.any(axis=0)), key=lambda i: (-peak[i], i)):
        free = ~(taken & alive[:, name]).any(axis=1)
        if free.any():
            colour[name] = 1 + free.argmax()
            taken[free.argmax()] |= alive[:, name]
    return np.where(np.take_along_axis(alive, lineages, axis=1), colour[lineages], 0).astype(np.int8)


class _Scene:
    """What the map shows at each radius."""

    def __init__(self, picture, tree, rows, lineages, shades, counts, radii, balled=False):
        place = np.full(picture.n, -1)
        place[picture.used] = np.arange(len(picture))
        at = place[rows]
        self.drawn = at >= 0  # what has no place in the picture is not drawn, nor are its edges
        self.xy = np.where(self.drawn[:, None], picture.points[at, :2], np.nan).astype(np.float32)
        self.kind = go.Scattergl if tree.n > maps.WEBGL else go.Scatter
        self.picture, self.tree, self.rows, self.lineages, self.shades, self.counts, self.radii = picture, tree, rows, lineages, shades, counts, radii
        self.balled = balled  # balls say what hangs together: marks are small, and no name lies over them
        ends = self.xy[tree.edges[-EDGES:]]
        self.lines = np.concatenate([ends, np.full((len(ends), 1, 2), np.nan, np.float32)], axis=1)  # a gap after each
        used = shades.max(initial=0)
        self.palette = [c for c in template.colours(used + 1) if c != template.GREY][:used]  # grey is for who has no colour

    def edges(self, i):
        return self.kind(**self._upto(i), mode="lines", line={"width": 1, "color": template.GREY}, hoverinfo="skip", showlegend=False, name="edges")

    def points(self, i, hover):
        looks = [template.GREY, *self.palette]
        steps = [[(j + side) / len(looks), look] for j, look in enumerate(looks) for side in (0, 1)]
        size = float(np.interp(self.tree.n, [50, 500, 2_000, 10_000], [10, 8, 6.5, 4.5])) * (0.6 if self.balled else 1)
        text = {"hovertext": np.asarray([hover[row] for row in self.rows], dtype=object)} if len(hover) else {}
        said = f"{'%{hovertext}<br>' if text else ''}component %{{marker.color}}<extra></extra>"
        marker = {"color": self.shades[i], "colorscale": steps, "cmin": -0.5, "cmax": len(looks) - 0.5, "size": size, "line": {"width": 0}}
        return self.kind(x=self.xy[:, 0], y=self.xy[:, 1], mode="markers", marker=marker, customdata=self.rows.astype(np.int32), hovertemplate=said,
                         showlegend=False, name="items", unselected={"marker": {"opacity": 0.25}}, **text)

    def balls(self, i):
        return go.Scatter(**self.ball(i), mode="lines", fill="toself", fillcolor=persistence.faded(template.GREY, 0.25), hoverinfo="skip", showlegend=False,
                          line={"width": 0.8, "color": template.GREY}, name="balls")

    def ball(self, i):
        angle = np.linspace(0, 2 * np.pi, CORNERS + 1)
        around = np.vstack([np.column_stack([np.cos(angle), np.sin(angle)]), [[np.nan] * 2]]) * self.radii[i] / 2  # a gap after each
        x, y = (self.xy[:, None] + around).reshape(-1, 2).T.astype(np.float32)
        return {"type": "scatter", "x": np.ascontiguousarray(x), "y": np.ascontiguousarray(y)}

    def moved(self, i):
        kind = self.kind.__name__.lower()
        return [{"type": kind, **self._upto(i)}, {"type": kind, "marker": {"color": self.shades[i]}}]

    def said(self, i):
        sizes, at = np.bincount(self.lineages[i]), self.radii[i]
        many = lambda n, what: f"{persistence.count(n)} {what}{'' if n == 1 else 's'}"
        return f"Radius {persistence.number(at)}: {many(self.tree.n - self.counts[i], 'component')}, the largest holds {many(sizes.max(), 'item')}"

    def named(self, i, *, whole=True):
        """The large components by number and size, for colour alone is no name. Each colour has its place in the list: a frame changes the
        entries of the frame before, and cannot remove one."""
        found = []
        for shade, colour in enumerate(self.palette, start=1):
            look = {"showarrow": False, "bgcolor": template.DARK, "opacity": 0.85, "bordercolor": colour, "borderwidth": 1.5, "borderpad": 2,
                    "font": {"color": "#FFFFFF", "size": 11}}
            mine = self.shades[i] == shade
            named = mine.sum() >= max(2, NAMED * len(mine)) and (mine & self.drawn).any() and not self.balled
            x, y = np.median(self.xy[mine & self.drawn], axis=0).tolist() if named else (0, 0)
            found.append({"visible": bool(named), "x": x, "y": y, "text": f"{shade}: {persistence.count(mine.sum())}", **(look if whole else {})})
        return found

    def notes(self, colours):
        drawn, edges = self.drawn.sum(), len(self.tree.edges)
        count = persistence.count
        return [f"{count(drawn)} of {count(self.picture.n)} items" if drawn < self.picture.n else "",
                f"{count(EDGES)} of {count(edges)} edges drawn, the longest" if edges > EDGES else "",
                f"grey (0): alone, or not among the {colours} components that grow largest"]

    def _upto(self, i):
        skipped = len(self.tree.edges) - len(self.lines)
        lines = self.lines[:max(0, self.counts[i] - skipped)].reshape(-1, 2)
        return {"x": np.ascontiguousarray(lines[:, 0]), "y": np.ascontiguousarray(lines[:, 1])}


def _sweep(radius, ends):
    return go.Scatter(x=np.full(2, radius, np.float32), y=ends, mode="lines", line={"width": 2, "color": template.GREY}, hoverinfo="skip", name="radius")


def _layout(picture, extent, axis, room):
    (left, right), (low, high) = [[float(v) for v in pair] for pair in bounds([picture])[:2]]
    bare = {"showticklabels": False, "ticks": ""}
    names = maps.axis_names(picture)
    return {"barmode": "overlay", "bargap": 0, "margin": {"t": 44, "b": 76},
            "xaxis": {**bare, "domain": [0, 0.6], "range": [left - room, right + room], "constrain": "domain", "title": {"text": names[0]}},
            "yaxis": {**bare, "range": [low - room, high + room], "constrain": "domain", "scaleanchor": "x", "title": {"text": names[1]}},
            "xaxis2": {"domain": [0.66, 1], "range": persistence.span(extent), "title": {"text": "Filtration (distance)"}, "anchor": "y2"},
            "yaxis2": {**axis, "anchor": "x2", "fixedrange": True}}
