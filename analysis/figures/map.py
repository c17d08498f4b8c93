"""The map: items as points on the axes of a projection, coloured by what they are or by a score."""

from collections.abc import Sequence

import numpy as np

from analysis.figures import template
from analysis.metrics.projection import Projection, sample
from analysis.metrics.projection import bounds as bounds_of

LIMIT = 50_000  # points drawn; more are sampled, and the figure says so
WEBGL = 1_500  # points from which the browser's graphics processor draws
RINGS = 50  # selected items up to which each gets a ring
NAMED = 12  # classes up to which each is named in the picture


def scatter(projection: Projection, *, colour=None, names: Sequence[str] = (), title: str = "", symbol=None, kinds: Sequence[str] = (),
            hover: Sequence[str] = (), highlight=(), named: bool = True, bounds=None, drag: str = "pan", limit: int = LIMIT, seed: int = 0,
            height: int = 580, paths=(), revision: str = "map"):
    """A figure of a projection. Arrays and texts go by the rows of the projection's input, which `customdata` carries too.

    colour, names    class index per row and the classes' names; or, without names, a number per row
    title            what the colour means, above the legend or the colour bar
    symbol, kinds    a second category, drawn as the marker's shape (the domain); without it the shape follows the colour
    highlight        rows to ring; drawn whatever the limit
    paths            each a run of rows, drawn as a closed line
    named            whether a few classes are also named in the picture; not for domains, which lie over one another
    bounds           (dims, 2) lowest and highest of each axis, to keep them the same for several pictures
    What was left out stands in `figure.layout.meta["note"]`.
    """
    colour = np.zeros(projection.n, np.int64) if colour is None else np.asarray(colour)
    groups = colour if len(names) else np.zeros(projection.n, np.int64)
    ringed = np.flatnonzero(np.isin(projection.used, np.asarray(highlight, dtype=np.int64)))
    at = np.union1d(sample(groups[projection.used], limit, seed=seed), ringed)  # places among the points
    rows = projection.used[at]
    mark = _Marks(projection.points[at], rows, hover, projection.dims, len(rows), symbol, kinds)
    if len(names):
        traces = [mark.trace(colour[rows] == i, name, *look, group=title) for i, (name, look) in
                  enumerate(zip(names, template.marks(len(names), dims=projection.dims), strict=True))]
    elif colour.dtype.kind == "f":
        traces = [mark.scale(colour[rows], title)]
    else:
        traces = [mark.trace(np.ones(len(rows), bool), "items", template.PALETTE[0], "circle")]
    traces = [t for t in traces if t is not None]
    mark.highlight(traces, np.asarray(highlight, dtype=np.int64))
    traces += mark.kinds_legend() + mark.rings(np.isin(rows, np.asarray(highlight, dtype=np.int64)))
    traces += [line for p in paths if len(p) > 1 for line in mark.lines(projection, p)]
    note = _note(len(rows), projection, len(names) > 0, seed)
    bounds = bounds_of([projection]) if bounds is None else bounds
    return template.figure(*traces, height=height, meta={"note": note, "shown": len(rows), "of": projection.n}, uirevision=revision,
                           dragmode=drag, legend=_legend(title, colour.dtype.kind == "f"), annotations=mark.named(colour[rows], names if named else ()),
                           **_axes(projection, bounds))


def labels(ids: Sequence[str], *facts: Sequence[str]) -> list[str]:
    """One hover text per item: its id, then a line per fact, cut to length and made safe for plotly's small markup."""
    lines = [[template.plain(v) for v in column] for column in (ids, *facts)]
    return ["<br>".join(part for part in parts if part) for parts in zip(*lines, strict=True)]


def axis_names(projection: Projection) -> list[str]:
    if not len(projection.explained):
        return [f"{projection.options.get('method', 'map').upper()} {i + 1}" for i in range(projection.dims)]
    if projection.options.get("aligned"):  # turned to match the layer before: an axis is no principal component any more
        return [f"Axis {i + 1}" for i in range(projection.dims)]
    return [f"Axis {i + 1}: {share:.0%} of variance".replace("%", "\u202f%") for i, share in enumerate(projection.explained)]


class _Marks:
    """Turns rows into traces: which kind of trace, how large, how transparent."""

    def __init__(self, points, rows, hover, dims, n, symbol, kinds):
        import plotly.graph_objects as go
        self.points, self.rows, self.dims = points, rows.astype(np.int32), dims
        self.hover = np.asarray([hover[i] for i in rows], dtype=object) if len(hover) else None
        self.kind = go.Scatter3d if dims == 3 else go.Scattergl if n > WEBGL else go.Scatter
        self.size = float(np.interp(n, [50, 500, 2_000, 10_000, 50_000], [10, 8, 6.5, 4.5, 3])) / (1.7 if dims == 3 else 1)
        self.opacity = float(np.interp(n, [500, 10_000, 50_000], [0.9, 0.75, 0.55]))
        self.symbols = template.SYMBOLS_3D if dims == 3 else template.SYMBOLS
        self.names = kinds if len(kinds) > 1 else ()
        self.shape = np.asarray(symbol)[rows] % len(self.symbols) if len(self.names) else None

    def trace(self, mask, name, colour, symbol, *, group=""):
        if not mask.any():
            return None
        # names and symbols: shapes of a domain differ by point; otherwise one shape for the class
        shape = symbol if self.shape is None else self._shapes(mask)
        return self._make(mask, name=template.plain(name), marker={"color": colour, "symbol": shape, "size": self.size, "opacity": self.opacity,
                                                        "line": {"width": 0}})

    def scale(self, values, title):
        bar = {"title": {"text": title, "side": "right"}, "thickness": 12, "outlinewidth": 0, "len": 0.85}
        shape = "circle" if self.shape is None else self._shapes(np.ones(len(values), bool))
        return self._make(np.ones(len(values), bool), name=title, showlegend=False,
                          marker={"color": values.astype(np.float32), "colorscale": template.SEQUENTIAL, "colorbar": bar, "symbol": shape,
                                  "size": self.size + 0.5, "opacity": min(1.0, self.opacity + 0.1), "showscale": True,
                                  "line": {"width": 0.6, "color": template.RIM}})

    def lines(self, projection, path):
        """From row to row and back to the first, dark on white: seen on any points."""
        place = np.full(projection.n, -1)
        place[projection.used] = np.arange(len(projection.used))
        at = place[np.append(path, path[:1])]
        points = projection.points[at[at >= 0]]
        place = {axis: points[:, i] for i, axis in enumerate("xyz"[:self.dims])}
        return [self.kind(**place, mode="lines", hoverinfo="skip", showlegend=False, name="loop", line={"color": colour, "width": width})
                for colour, width in zip(template.RING, (5, 2), strict=True)]

    def kinds_legend(self):
        """What the shapes mean: entries without points."""
        nowhere = dict.fromkeys("xyz"[:self.dims], (None,))
        looks = [{"color": template.GREY, "symbol": self.symbols[i % len(self.symbols)], "size": self.size} for i in range(len(self.names))]
        return [self.kind(**nowhere, mode="markers", name=template.plain(name), marker=look, hoverinfo="skip", legendgroup="shape",
                          legendgrouptitle={"text": "domain"}) for name, look in zip(self.names, looks, strict=True)]

    def named(self, classes, names):
        """A few classes are named in the picture too, each in the middle of its points of the first domain: colour alone is no name."""
        if self.dims == 3 or not len(names) or not 1 < len(np.unique(classes)) <= NAMED:
            return []
        first = np.ones(len(classes), bool) if self.shape is None else self.shape == self.shape.min()
        middle = {i: np.median(self.points[(classes == i) & first], axis=0) for i in np.unique(classes[first])}
        colours = [colour for colour, _ in template.marks(len(names))]
        return [{"x": float(x), "y": float(y), "text": template.plain(str(names[i])[:18]), "showarrow": False, "bgcolor": template.DARK, "opacity": 0.85,
                 "bordercolor": colours[i], "borderwidth": 1.5, "borderpad": 2, "font": {"color": "#FFFFFF", "size": 11}}
                for i, (x, y) in middle.items()]

    def highlight(self, traces, chosen):
        """Many are set off by fading the others, as a lasso does; rings would cover what they mark."""
        if self.dims == 2 and len(chosen) > RINGS:
            for trace in traces:
                trace.selectedpoints = np.flatnonzero(np.isin(trace.customdata, chosen))

    def rings(self, mask):
        """A white ring under a dark one: seen on any ground. Those outside a later lasso vanish by themselves."""
        if not mask.any() or (self.dims == 2 and mask.sum() > RINGS):
            return []
        wide = self.size + 6
        looks = [{"size": wide, "line": {"width": w, "color": c}, "color": c, "symbol": "circle-open"} for w, c in zip((4.5, 2), template.RING, strict=True)]
        if self.dims == 3:  # no line widths there: one solid mark, a size up
            rim = {"width": 1, "color": template.RING[0]}
            looks = [{"size": self.size * 2, "color": template.HIGHLIGHT, "symbol": "diamond", "line": rim}]
        more = {} if self.dims == 3 else {"unselected": {"marker": {"opacity": 0}}, "selected": {"marker": {"size": wide}}}
        return [self._make(mask, marker=look, name="selected", showlegend=False, hover=False, hoverinfo="skip", **more) for look in looks]

    def _shapes(self, mask):
        return np.array(self.symbols, dtype=object)[self.shape[mask]]

    def _make(self, mask, *, hover=True, **look):
        place = {axis: self.points[mask, i] for i, axis in enumerate("xyz"[:self.dims])}
        if hover and self.hover is not None:
            look |= {"hovertext": self.hover[mask], "hovertemplate": "%{hovertext}<extra></extra>"}
        if self.dims == 2:
            look = {"unselected": {"marker": {"opacity": 0.15}}, "selected": {"marker": {"size": self.size + 2}}, **look}
        return self.kind(**place, mode="markers", customdata=self.rows[mask], **look)


def _axes(projection: Projection, bounds: np.ndarray) -> dict:
    titles = axis_names(projection)
    ranges = [[float(v) for v in row] for row in bounds]
    plain = {"showticklabels": False, "ticks": "", "showgrid": True}
    if projection.dims == 3:
        plain |= {"showbackground": False, "gridcolor": template.GREY, "gridwidth": 1, "nticks": 4, "zeroline": False, "showspikes": False,
                  "showline": True, "linecolor": template.GREY}
        titles = [t.replace(" of variance", "") for t in titles]
        scene = {f"{a}axis": {**plain, "range": r, "title": {"text": t}} for a, t, r in zip("xyz", titles, ranges, strict=True)}
        return {"scene": {**scene, "aspectmode": "data", "camera": {"eye": {"x": 1.4, "y": 1.4, "z": 0.85}}}}
    x, y = [{**plain, "range": r, "title": {"text": t}} for t, r in zip(titles, ranges, strict=True)]
    return {"xaxis": x, "yaxis": {**y, "scaleanchor": "x"}}


def _legend(title: str, bar: bool) -> dict:
    if bar:  # beside a colour bar there is no room: above the picture
        return {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.01, "yanchor": "bottom"}
    return {"title": {"text": title}}


def _note(shown: int, projection: Projection, by_class: bool, seed: int) -> str:
    counts = f"{shown:,} of {projection.n:,} shown".replace(",", "\u202f")
    if shown < len(projection):
        return f"{counts}, {'stratified by class' if by_class else 'drawn at random'}, seed {seed}"
    if shown < projection.n:  # the method itself had to sample
        return f"{counts}, stratified by domain and class, seed {projection.options.get('seed', 0)}"
    return ""
