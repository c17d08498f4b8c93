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
from pages.parts.messages import count, grouped, plain
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
    what = f"Every layer of {plain(cloud.model)}"
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


NO_ITEMS = "This representation was made elsewhere: its items are not here for a model of the zoo to look at."


def no_checkpoints(at: workspace.Workspace) -> str:
    return f"The zoo keeps no checkpoints of {plain(workspace.label(at.model))}."


# the views

def through_layers(cloud: Cloud, k: int) -> None:
    series = layers(cloud)
    found = series.found()
    if found is None or not len(found):
        return
    st.markdown(_trend(found, series, k, "layer"))
    _through(found, k, at=cloud.layer, key="persistence-layers-chart")


def data(at: workspace.Workspace) -> str:
    """Which items the checkpoints see: at first a source, since classes collapse on what a model is trained on."""
    return st.selectbox("Items", at.datasets, len(at.sources) and 1, format_func=workspace.label, key="persistence_items", bind="query-params", width=260,
                        help="Classes collapse on items like those that the model was trained on: the zoo learned printed characters.")


def through_training(at: workspace.Workspace, dataset: str, k: int) -> None:
    series = training(at, dataset)
    if series is None:
        kept = sorted({n.split("-step")[0] for n in zoo.names() if "-step" in n})
        st.info(no_checkpoints(at), icon=":material/info:")
        for name in kept:
            st.button(f"Use {name}", key=f"persistence-use-{name}", on_click=workspace.choose, kwargs={"model": f"builtin:{name}"})
        return
    found = series.found()
    if found is None or not len(found):
        return
    st.markdown(_trend(found, series, k, "checkpoint"))
    relative = _through(found, k, at="", key="persistence-training-chart")
    _animated(found, k, relative)


def _relative() -> bool:
    return st.toggle("Lengths in units of each cloud's spread", True, key="persistence_relative", bind="query-params",
                     help="Clouds differ in scale by orders of magnitude: the ratio does not care, lengths of bars do.")


def _through(found: Survey, k: int, *, at: str, key: str) -> bool:
    r, relative = found.ratios(k), _relative()
    made = figures.through(found.names, r.pop("value"), **r, clusters=found.groups, loops=found.loops(relative=relative), truth=k,
                           at=found.names.index(at) if at in found.names else None)
    alt = f"Persistence Ratio, groups above the largest gap and total H1 persistence of {', '.join(found.names)}"
    charts.show(made, alt=alt, key=key, table=found.table(k))
    _caption(found)
    return relative


def _animated(found: Survey, k: int, relative: bool) -> None:
    there = [i for i in range(len(found)) if not found.reasons[i]]
    if len(there) < 2:
        return
    names = [found.names[i] for i in there]
    st.subheader("The diagrams, from first to last", anchor=False)
    asked = st.query_params.get("persistence_checkpoint")
    st.session_state.setdefault("persistence_checkpoint", asked if asked in names else names[-1])
    if st.session_state["persistence_checkpoint"] not in names:
        st.session_state["persistence_checkpoint"] = names[-1]
    at = st.select_slider("Checkpoint", names, key="persistence_checkpoint", bind="query-params", width=420)
    bars = [{dim: found.scaled(i, dim, relative) for dim in (0, 1)} for i in there]
    extent = 1.03 * max((float(b.max()) for each in bars for b in each.values() if b.size), default=1.0)
    made = figures.training(bars, names, at=names.index(at), extent=extent, separation=k - 1)
    charts.show(made, alt=f"Persistence diagrams of {len(names)} checkpoints on the same axes, shown: {at}", key="persistence-animated")
    st.caption("Look whether H0 splits into a low crowd and k − 1 high points: classes that collapse die early within and late between one another.")


def _trend(found: Survey, series: Series, k: int, noun: str) -> str:
    """Where the ratio is lowest and how it moves from first to last."""
    r, why = found.ratios(k), found.why(k)
    values, there = r["value"], np.flatnonzero(~np.isnan(r["value"]))
    far = f" ({len(found)} of {len(series.names)} so far)" if len(found) < len(series.names) else ""
    if not len(there):
        return f"PR cannot be computed for any {noun}{far}: {plain(why[0])}"
    best, first, last = int(np.nanargmin(values)), there[0], there[-1]
    between = lambda i: "" if np.isnan(r["low"][i]) else f", interval {r['low'][i]:.2f}–{r['high'][i]:.2f}"
    lowest = f"It is lowest, that is tightest, in **{plain(found.names[best])}** ({values[best]:.2f}{between(best)})."
    if first == last:
        return f"PR at k = {k} in {plain(found.names[first])}{far}: **{values[first]:.2f}**{between(first)}."
    moved = ("falls" if r["high"][last] < r["low"][first] else "rises" if r["low"][last] > r["high"][first] else
             "moves less than its intervals are wide" if not np.isnan([r["low"][[first, last]]]).any() else "moves, without intervals to judge it by,")
    return (f"From {plain(found.names[first])} to {plain(found.names[last])}{far}, PR at k = {k} **{moved}** "
            f"({values[first]:.2f} → {values[last]:.2f}). {lowest}")


def _caption(found: Survey) -> None:
    st.caption(f"{sampled(found)} {words.OURS} Groups: pieces above the largest gap that hold more than a few items.")
    reasons(found)


def sampled(found: Survey) -> str:
    """How many items, drawn how, and what the interval is."""
    there = [i for i, reason in enumerate(found.reasons) if not reason]
    if not there:
        return ""
    several = lambda values: " to ".join(grouped(v) for v in sorted({min(values), max(values)}))
    n, of = [found.n[i] for i in there], [found.of[i] for i in there]
    ways = {found.profiled[i]["resampling"] for i in there}
    interval = " or ".join(filter(None, (f"a jackknife over {found.options['blocks']} blocks" if "jackknife" in ways else "",
                                         "the spread of 5 uniform subsets" if "subsets" in ways else "")))
    marks = min(max(of), found.options["max_points"])
    return (f"{several(n)}{f' of {several(of)}' if n != of else ''} items each for H0, {'up to ' if min(of) < marks else ''}{grouped(marks)} landmarks for H1, "
            f"seed {found.options['seed']}; interval: {interval}; chance: {found.options['shuffles']} shuffles of every column.")


def reasons(found: Survey) -> None:
    for name, reason in zip(found.names, found.reasons, strict=True):
        if reason:
            st.caption(f":material/info: {plain(name)}: {plain(reason)}")
