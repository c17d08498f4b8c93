"""Which representations the workspace needs, which of them are stored, and the button that makes the rest."""

from dataclasses import dataclass

import streamlit as st

from analysis import engine, store
from analysis.data import catalogue
from analysis.errors import InputError
from analysis.extraction import check_fit
from analysis.extraction import key as stored_key
from analysis.studies.extraction import extraction
from pages.parts import fetch, job, messages, workspace
from pages.parts.messages import count, plain


@dataclass(frozen=True)
class Pair:
    """A model and one dataset of the workspace: where its representation is or will be."""

    role: str
    source: str
    items: int = 0
    key: str = ""
    stored: bool = False
    run: engine.Job | None = None
    error: InputError | None = None

    @property
    def running(self) -> bool:
        return self.run is not None and self.run.alive

    @property
    def missing(self) -> bool:
        return not (self.stored or self.running or self.error)


def pairs(at: workspace.Workspace) -> list[Pair]:
    if at.model.startswith("rep:"):
        return []
    return [_pair(at.model, source, "source" if place else "target") for place, source in enumerate(at.datasets)]


def _pair(model: str, source: str, role: str) -> Pair:
    try:
        found, data = workspace.get_model(model), workspace.get_dataset(source)
        check_fit(found, data)
        key = stored_key(found, data)
    except InputError as error:
        return Pair(role, source, error=error)
    return Pair(role, source, len(data), key, store.default().has("representations", key), engine.find(key))


def start(at: workspace.Workspace, wanted: list[Pair]) -> None:
    for pair in wanted:
        try:
            inputs = {"model": engine.Ref.model(at.model), "dataset": engine.Ref.dataset(pair.source)}
            engine.submit(extraction, inputs, {"layers": "all"}, control=_control(pair))
        except InputError as error:
            messages.problem(error)


def _control(pair: Pair) -> str:
    return job.control(f"extract/{pair.source}")


def panel(at: workspace.Workspace, *, key: str = "extract") -> bool:
    """A line for each pair and one button for all that is missing. True when everything is stored."""
    with st.container(border=True, key=key):
        if workspace.is_away(at.model):
            fetch.panel(at.model, key=key)
            return False
        try:
            workspace.layer_widths(at.model)  # is it here at all?
        except InputError as error:
            messages.problem(error)
            st.button(f"Use {workspace.label(workspace.DEFAULT_MODEL)}", key=f"{key}-default", on_click=workspace.choose,
                      kwargs={"model": workspace.DEFAULT_MODEL, "target": workspace.DEFAULT_TARGET})
            return False
        found = pairs(at)
        for pair in found:
            _line(at, pair, key=f"{key}-{pair.role}-{pair.source}")
        wanted = [pair for pair in found if pair.missing]
        if wanted:
            items = count(sum(pair.items for pair in wanted), "item")
            st.button(f"Extract {items}", type="primary", icon=":material/play_arrow:", key=f"{key}-start", on_click=start,
                      args=(at, wanted), help="Runs them through the model in the background and stores the state of every layer.")
        ready = all(pair.stored for pair in found)
        if ready:
            _ready(at, sum(pair.items for pair in found), key)
    return ready


def _line(at, pair: Pair, *, key: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{plain(workspace.label(pair.source))}**", width="content")
        st.badge(pair.role, color="blue" if pair.role == "target" else "gray")
        if pair.error is None:
            st.caption(count(pair.items, "item"), width="content")
            st.space("stretch")
            if pair.stored:
                st.badge("stored", icon=":material/check:", color="green")
            elif not pair.running:
                st.badge("not extracted yet", color="orange")
    if pair.error is not None:
        messages.problem(pair.error)
        _remedy(at, pair, key)
    elif not pair.stored and pair.run is not None:
        job.watch(pair.run, key=key, control=_control(pair))


def _remedy(at, pair: Pair, key: str) -> None:
    """One click to a workspace that works."""
    with st.container(horizontal=True):
        if pair.role == "source":
            st.button("Leave it out", key=f"{key}-leave", on_click=workspace.choose,
                      kwargs={"sources": [s for s in at.sources if s != pair.source]})
            return
        try:
            other = workspace.fitting(workspace.get_dataset(pair.source).modality)
        except InputError:
            other = {}
        if other:
            st.button(f"Use the model {workspace.label(other['model'])}", key=f"{key}-model", on_click=workspace.choose, kwargs=other)
        usual = [entry.id for entry in catalogue() if entry.modality in workspace.get_model(at.model).reads]
        if usual:
            st.button(f"Use the dataset {workspace.label(usual[0])}", key=f"{key}-dataset", on_click=workspace.choose,
                      kwargs={"target": usual[0], "sources": usual[1:2]})


def _ready(at, items: int, key: str) -> None:
    layers = workspace.get_representation(at.model, at.target).layers
    widths = sorted({x.shape[1] for x in layers.values()})
    span = f"width {widths[0]}" if len(widths) == 1 else f"width {widths[0]} to {widths[-1]}"
    what = f"{count(len(layers), 'layer')} of {span}" + (f" for {count(items, 'item')}" if items else ", made elsewhere")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":green[:material/check_circle:] Ready: {what}.", width="content")
        way("workspace/map.py", "Look at the map", icon=":material/scatter_plot:", key=f"{key}-map")


def way(page: str, label: str, *, icon: str, key: str, width: int | str = "content") -> None:
    """To another page, as a button: a real one cannot lead there while the address holds what the sidebar says."""
    with st.container(border=True, width=width, key=key):
        st.page_link(page, label=f"**{label}**", icon=icon, width="stretch")
