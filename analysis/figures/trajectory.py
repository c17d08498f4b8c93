"""Paths of domains through the layers: the mean of each as a line, some of its items as threads. The axes are the same whatever the layer.

Marks carry `customdata` [domain, row, layer], the row -1 where it is a mean; `template.picked` reads a clicked one.
"""


import numpy as np
import plotly.graph_objects as go

from analysis.figures import template
from analysis.figures.persistence import buttons, count, note
from analysis.metrics.trajectory import Paths

DASHES = ("solid", "dash", "dashdot", "longdash", "longdashdot")
PART = "\u202f%"


def trajectories(found: Paths, *, dims: int = 2, layer=None, threads: bool = True, height: int = 520, revision: str = "trajectories"):
    """All paths, with the domains' means and the followed items set off at one layer (name or place; the last when not given).

    Clicks find an item or, on a mean, a domain and a layer; plotly reports none in three dimensions.
    """
    scene = _Scene(found, dims, threads)
    at = scene.place(layer)
    return template.figure(*scene.ground(), *scene.here(at), height=height, uirevision=f"{revision} {dims}", title=scene.title(at),
                           meta={"note": scene.note()}, **scene.layout())


def film(found: Paths, *, dims: int = 2, layer=None, threads: bool = True, height: int = 560, revision: str = "film"):
    """The same with a frame per layer, and Play and Pause."""
    made = trajectories(found, dims=dims, layer=layer, threads=threads, height=height, revision=revision)
    scene = _Scene(found, dims, threads)
    kind, places, total = "scatter3d" if dims == 3 else "scatter", range(len(found.layers)), len(made.data)
    moved = [[{"type": kind, **trace} for trace in scene.moved(i)] for i in places]
    made.frames = [{"name": str(i), "traces": list(range(total - len(moved[i]), total)), "layout": {"title": scene.title(i)}, "data": moved[i]} for i in places]
    made.layout.margin.t = 76
    made.layout.updatemenus = [buttons([str(i) for i in places], scene.place(layer), x=0, xanchor="left", y=1, yanchor="bottom")]
    return made


def says(found: Paths, *, layer=None) -> str:
    """What the picture tells, in plain words."""
    at = _place(found, layer)
    here = found.means[:, at]
    follow = f"The mean of {_several(len(found.names), 'domain')} through {len(found.layers)} states, from {found.layers[0]} to {found.layers[-1]}"
    if len(here) < 2:
        return f"{follow}."
    far = np.linalg.norm(here[:, None] - here, axis=-1)
    near, wide = (np.unravel_index(pick, far.shape) for pick in ((far + np.where(np.eye(len(far)), np.inf, 0)).argmin(), far.argmax()))
    closest = f"{found.names[near[0]]} and {found.names[near[1]]} lie closest"
    furthest = f", {found.names[wide[0]]} and {found.names[wide[1]]} furthest apart" if len(far) > 2 else ""
    return f"{follow}. At {found.layers[at]}, in this picture, {closest}{furthest}."


class _Scene:
    """What is drawn of some paths in two or three dimensions."""

    def __init__(self, found: Paths, dims: int, threads: bool):
        self.found, self.dims, self.axes = found, dims, "xyz"[:dims]
        self.kind = go.Scatter3d if dims == 3 else go.Scatter
        self.looks = [(*look, DASHES[i % len(DASHES)]) for i, look in enumerate(template.marks(len(found.names), dims=dims))]
        self.followed = threads and found.threads.shape[1] > 0
        self.slim = 0.6 if dims == 3 else 1.0  # plotly draws the same sizes larger in three dimensions

    def place(self, layer) -> int:
        return _place(self.found, layer)

    def ground(self) -> list:
        """What stays: threads, and on top of them the means, whose marks grow from layer to layer."""
        found, several = self.found, len(self.found.layers)
        sizes = np.linspace(4, 9, several).astype(np.float32) * self.slim
        drawn = [self._thread(i, look) for i, look in enumerate(self.looks)] if self.followed else []
        for i, (name, (colour, symbol, dash)) in enumerate(zip(found.names, self.looks, strict=True)):
            said = [f"mean of {template.plain(name)}<br>{template.plain(layer)}" for layer in found.layers]
            drawn.append(self.kind(**self._at(found.means[i]), mode="lines+markers", name=f"{template.plain(name)} ({count(found.n[i])})",
                                   customdata=_custom(i, np.full(several, -1), np.arange(several)), hovertext=said, hovertemplate="%{hovertext}<extra></extra>",
                                   line={"color": colour, "width": 3 if self.dims == 2 else 5, "dash": dash},
                                   marker={"color": colour, "symbol": symbol, "size": sizes, "line": {"width": 0}}, **self._steady()))
        return drawn

    def here(self, at: int) -> list:
        """What moves with the layer: the followed items, and a large mark at each mean."""
        colours, symbols, _ = (list(part) for part in zip(*self.looks, strict=True))
        rims = ((colours, 22, 2, template.RING[1]),) if self.dims == 3 else ((template.RING[1], 20, 1, template.RING[0]), (colours, 14, 0, colours))
        large = [self.kind(mode="markers", hoverinfo="skip", showlegend=False, name="mean here", **self._steady(),
                           marker={"color": colour, "symbol": symbols, "size": size * self.slim, "opacity": 1, "line": {"width": width, "color": rim}})
                 for colour, size, width, rim in rims]
        items = [self._items(colours, symbols)] if self.followed else []
        return [trace.update(place) for trace, place in zip([*items, *large], self.moved(at), strict=True)]

    def moved(self, at: int) -> list[dict]:
        """Where that is at one layer."""
        items, means = self.found.threads[:, :, at].reshape(-1, 3), self._at(self.found.means[:, at])
        domain = np.repeat(np.arange(len(self.found.names)), self.found.rows.shape[1])
        rows = {"customdata": _custom(domain, self.found.rows.ravel(), np.full(len(items), at))}
        return [*([{**self._at(items), **rows}] if self.followed else []), *[means] * (1 if self.dims == 3 else 2)]

    def title(self, at: int) -> dict:
        kept = self.found.kept[at, :self.dims].sum()
        share = "" if np.isnan(kept) else f": the axes show {100 * kept:.0f}{PART} of what sets the domains apart there"
        return {"text": f"{template.plain(self.found.layers[at])}{share}", "y": 0.98, "yanchor": "top"}

    def note(self) -> str:
        found, held = self.found, self.found.captured[:self.dims].sum()
        items = f"{found.rows.shape[1]} items of each domain followed, drawn by class, seed {found.options.get('seed', 0)}" if self.followed else ""
        whose = "the means" if found.options.get("axes") == "means" else "all states"
        share = "" if np.isnan(held) else f"{self.dims} principal axes of {whose}, with {100 * held:.0f}{PART} of the variance between the means"
        return note([items, share, "marks grow from layer to layer"])

    def layout(self) -> dict:
        """Axes that hold everything drawn at any layer, of one scale."""
        every = np.concatenate([self.found.means.reshape(-1, 3), *([self.found.threads.reshape(-1, 3)] if self.followed else [])])[:, :self.dims]
        low, high = every.min(axis=0), every.max(axis=0)
        margin = 0.04 * max(float((high - low).max()), 1e-6)
        ranges = np.stack([low - margin, high + margin], axis=1).tolist()
        titles = [f"Axis {i + 1}: {100 * share:.0f}{PART} of variance" for i, share in enumerate(self.found.shares)]
        bare = {"showticklabels": False, "ticks": "", "showgrid": True}
        legend = {"legend": {"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom"}, "showlegend": True}
        if self.dims == 3:
            bare |= {"showbackground": False, "gridcolor": template.GREY, "nticks": 4, "zeroline": False, "showspikes": False, "showline": True,
                     "linecolor": template.GREY}
            scene = {f"{a}axis": {**bare, "range": r, "title": {"text": t}} for a, t, r in zip("xyz", titles, ranges, strict=False)}
            camera = {"eye": {"x": 1.5, "y": 1.5, "z": 0.9}, "center": {"x": 0, "y": 0, "z": -0.12}}
            return {"scene": {**scene, "aspectmode": "data", "camera": camera}, **legend}
        x, y = ({**bare, "range": r, "title": {"text": t}} for t, r in zip(titles, ranges, strict=False))
        return {"xaxis": x, "yaxis": {**y, "scaleanchor": "x"}, **legend}

    def _thread(self, i, look):
        """The threads of a domain as one line with gaps."""
        lines = self.found.threads[i]
        apart = np.concatenate([lines, np.full((len(lines), 1, 3), np.nan, np.float32)], axis=1).reshape(-1, 3)
        return self.kind(**self._at(apart), mode="lines", hoverinfo="skip", showlegend=False, name=f"items of {template.plain(self.found.names[i])}",
                         line={"color": look[0], "width": 1}, opacity=0.3)

    def _items(self, colours, symbols):
        found = self.found
        domain = np.repeat(np.arange(len(found.names)), found.rows.shape[1])
        said = [template.plain(item) + (f"<br>{template.plain(label)}" if label else "") + f"<br>{template.plain(found.names[i])}"
                for i, item, label in zip(domain, (v for of in found.ids for v in of), (v for of in found.labels for v in of), strict=True)]
        marker = {"color": [colours[i] for i in domain], "symbol": [symbols[i] for i in domain], "size": 6 * self.slim, "opacity": 0.8, "line": {"width": 0}}
        return self.kind(mode="markers", name="items here", showlegend=False, hovertext=said, hovertemplate="%{hovertext}<extra></extra>", marker=marker,
                         **self._steady())

    def _at(self, points) -> dict:
        return {axis: np.ascontiguousarray(points[:, i], np.float32) for i, axis in enumerate(self.axes)}

    def _steady(self) -> dict:
        """A click need not fade the others."""
        return {} if self.dims == 3 else {"unselected": {"marker": {"opacity": 0.8}}}


def _place(found: Paths, layer) -> int:
    return len(found.layers) - 1 if layer is None else found.layers.index(layer) if isinstance(layer, str) else int(layer)


def _custom(domain, row, layer) -> np.ndarray:
    return np.column_stack([np.broadcast_to(domain, len(row)), row, layer]).astype(np.int32)


def _several(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"
