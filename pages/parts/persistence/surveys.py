"""Surveys: many clouds measured alike, in the background. Through the layers, through training, over models; and how far apart their diagrams lie."""

from dataclasses import dataclass, field

import numpy as np
import streamlit as st

from analysis import engine
from analysis.figures import comparison as figures
from analysis.metrics.survey import Survey
from analysis.models import zoo
from analysis.studies import persistence as studies
from pages.parts import chart as charts
from pages.parts import job, workspace
from pages.parts.messages import count, plain
from pages.parts.persistence import words
from pages.parts.persistence.cloud import Cloud


@dataclass(frozen=True)
class Series:
    """What to survey: the inputs and options of the study, and what to say of it."""

    key: str
    inputs: dict
    options: dict
    what: str
    names: tuple = field(default=())

    def found(self, button: str = "Compute") -> Survey | None:
        cost = f"{count(len(self.names), 'cloud')} in turn, a second or two each, in the background"
        return job.study(studies.survey, self.inputs, self.options, key=self.key, words=f"{self.what}: {cost}.", button=button)

    @property
    def result(self) -> str:
        """The key under which its result is stored."""
        return engine.key(studies.survey, self.inputs, self.options)


def layers(cloud: Cloud) -> Series:
    names = tuple(cloud.stack.representations[0].layers)
    what = f"Every layer of {plain(cloud.name.partition(',')[0])}"
    return Series("persistence-layers", {"entries": [cloud.inputs] * len(names)}, {"layers": names, "names": names}, what, names)


def training(at: workspace.Workspace, dataset: str) -> Series | None:
    """The checkpoints that the zoo keeps of this model's training, and its end."""
    name = at.model.removeprefix("builtin:")
    start = name.split("-step")[0]
    steps = [n for n in zoo.names() if n.startswith(f"{start}-step")]
    if not steps or at.model.startswith("rep:"):
        return None
    names = tuple(f"step {int(n.rpartition('-step')[2])}" for n in steps) + (f"step {zoo.card(start)['step']}",)
    return _models("persistence-training", [*steps, start], dataset, names, at.layer, f"The checkpoints of {start} on {plain(workspace.label(dataset))}")


def models(chosen: list[str], dataset: str, key: str) -> Series:
    return _models(key, chosen, dataset, tuple(chosen), "", f"{count(len(chosen), 'model')} on {plain(workspace.label(dataset))}")


def _models(key: str, names: list[str], dataset: str, shown: tuple, layer: str, what: str) -> Series:
    entries = [{"model": engine.Ref.model(f"builtin:{n}"), "dataset": engine.Ref.dataset(dataset)} for n in names]
    return Series(key, {"entries": entries}, {"layers": [layer] * len(names), "names": shown}, what, shown)


# the views

def through_layers(cloud: Cloud, k: int) -> None:
    series = layers(cloud)
    found = series.found()
    if found is None or not len(found):
        return
    st.markdown(_trend(found, k, "layer"))
    _through(found, series, k, at=cloud.layer, key="persistence-layers-chart")


def data(at: workspace.Workspace) -> str:
    """Which items the checkpoints see: at first a source, since classes collapse on what a model is trained on."""
    return st.selectbox("Items", at.datasets, len(at.sources) and 1, format_func=workspace.label, key="persistence_items", bind="query-params", width=260,
                        help="Classes collapse on items like those that the model was trained on: the zoo learned printed characters.")


def through_training(at: workspace.Workspace, dataset: str, k: int) -> None:
    series = training(at, dataset)
    if series is None:
        kept = sorted({n.split("-step")[0] for n in zoo.names() if "-step" in n})
        st.info(f"The zoo keeps no checkpoints of {plain(workspace.label(at.model))}.", icon=":material/info:")
        for name in kept:
            st.button(f"Use {name}", key=f"persistence-use-{name}", on_click=workspace.choose, kwargs={"model": f"builtin:{name}"})
        return
    found = series.found()
    if found is None or not len(found):
        return
    st.markdown(_trend(found, k, "checkpoint"))
    relative = _through(found, series, k, at="", key="persistence-training-chart")
    _animated(found, k, relative)


def _relative() -> bool:
    return st.toggle("Lengths in units of each cloud's spread", True, key="persistence_relative", bind="query-params",
                     help="Clouds differ in scale by orders of magnitude: the ratio does not care, lengths of bars do.")


def _through(found: Survey, series: Series, k: int, *, at: str, key: str) -> bool:
    r, relative = found.ratios(k), _relative()
    made = figures.through(found.names, r.pop("value"), **r, clusters=found.clusters(), loops=found.loops(relative=relative), truth=k,
                           at=found.names.index(at) if at in found.names else None)
    alt = f"Persistence Ratio, clusters above the largest gap and total H1 persistence of {', '.join(found.names)}"
    charts.show(made, alt=alt, key=key, table=found.table(k))
    _caption(found, series)
    return relative


def _animated(found: Survey, k: int, relative: bool) -> None:
    there = [i for i in range(len(found)) if not found.reasons[i]]
    if len(there) < 2:
        return
    names = [found.names[i] for i in there]
    st.subheader("The diagrams, from first to last", anchor=False)
    at = st.select_slider("Checkpoint", names, names[-1], key=f"persistence-checkpoint-{len(names)}", width=420)
    bars = [{dim: found.scaled(i, dim, relative) for dim in (0, 1)} for i in there]
    extent = 1.03 * max((float(b.max()) for each in bars for b in each.values() if b.size), default=1.0)
    made = figures.training(bars, names, at=names.index(at), extent=extent, separation=k - 1)
    charts.show(made, alt=f"Persistence diagrams of {len(names)} checkpoints on the same axes, shown: {at}", key="persistence-animated")
    st.caption("When classes collapse, the points within a class die early and those between classes late: H0 splits into a low crowd and k − 1 high points.")


def _trend(found: Survey, k: int, noun: str) -> str:
    """Where the ratio is lowest and how it moves from first to last."""
    r = found.ratios(k)
    values = r["value"]
    if np.isnan(values).all():
        return f"PR cannot be computed for any {noun}: {plain(found.why(k)[0])}"
    there = np.flatnonzero(~np.isnan(values))
    best, first, last = int(np.nanargmin(values)), there[0], there[-1]
    moved = "falls" if r["high"][last] < r["low"][first] else "rises" if r["low"][last] > r["high"][first] else "stays within its intervals"
    return (f"From {plain(found.names[first])} to {plain(found.names[last])}, PR at k = {k} **{moved}** ({values[first]:.2f} → {values[last]:.2f}). "
            f"It is lowest, that is tightest, in **{plain(found.names[best])}** ({values[best]:.2f}, interval {r['low'][best]:.2f}–{r['high'][best]:.2f}).")


def _caption(found: Survey, series: Series) -> None:
    done, wanted = len(found), len(series.names)
    more = f" {done} of {wanted} so far." if done < wanted else ""
    sizes = " to ".join(f"{n:,}".replace(",", "\u202f") for n in sorted({min(found.n), max(found.n)}))
    st.caption(f"{sizes} items each for H0, {found.options['max_points']} landmarks for H1, seed {found.options['seed']}; interval: jackknife over "
               f"{found.options['blocks']} blocks; chance: {found.options['shuffles']} shuffles of every column.{more} {words.OURS}")
    for name, reason in zip(found.names, found.reasons, strict=True):
        if reason:
            st.caption(f":material/info: {plain(name)}: {plain(reason)}")
