"""Report: the page as it stands, to take along as one HTML file or as JSON; and one that was saved, opened again at the same view and compared."""

import html
import json
import logging
import platform
from collections import OrderedDict
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
import streamlit as st
from streamlit.runtime.scriptrunner import StopException

from analysis import __version__, engine, store
from analysis import report as core
from analysis.digest import digest
from analysis.engine.task import map_refs, name_of
from analysis.errors import InputError
from analysis.report import Replay, Report
from pages.parts import messages, record, workspace
from pages.parts.messages import count, plain
from pages.parts.record import Record

LOG = logging.getLogger(__name__)
FILES = {"html": "One file, its charts to zoom and hover. It needs no network.", "json": "Address, digests, options and numbers: no data, no pictures."}
PAGES = Path(__file__).resolve().parents[1]
SIDEBAR = {"model", "target", "sources", "layer", "selection"}  # its parameters of an address
KEPT = 64  # opened reports that the server remembers


def run(page) -> None:
    """A page of the app, noted while it is drawn."""
    noted = record.begin(page.title, page.url_path, workspace.current())
    _panel(noted)
    asked = st.query_params.get("report")
    opened = st.container(key=record.APART) if asked is not None else None
    try:
        page.run()
    except (InputError, StopException):  # that is all it shows
        record.end(noted)
        raise
    record.end(noted)
    if opened is not None:
        with opened, st.container(border=True):
            _compare(noted, asked)


def _panel(noted: Record) -> None:
    with st.sidebar.expander("Report", icon=":material/description:", key="report-panel", on_change="rerun") as panel:
        if not panel.open:
            return
        st.caption("What this page shows now, with what it takes to come back to it.")
        with st.container(horizontal=True):
            for kind, words in FILES.items():
                where = f"/report/{noted.token}/{noted.page or 'load'}.{kind}"
                st.link_button(kind.upper(), where, key=f"report-{kind}", icon=":material/download:", help=words)
        st.file_uploader("Open a report, or a case", ["json", "html"], key="report-file", on_change=_read, max_upload_size=100)
        _offered()


# to take along

def written(noted: Record) -> str:
    from pages.parts import paper
    return paper.page(noted, made(noted))


def saved(token: str, file: str) -> tuple[int, str, str]:
    """What the server answers to a link under "Report": status, text, and the name of the file, "" where there is only a message."""
    page, _, kind = file.rpartition(".")
    noted = record.shown(token, page)
    try:
        if noted is None or kind not in FILES:
            raise InputError("This page is not open any more, or still being drawn.", "Wait until it stands, or open it again, and save its report then.")
        return 200, written(noted) if kind == "html" else made(noted).json(), f"{noted.file}.{kind}"
    except InputError as error:
        return 404, _message(error), ""
    except Exception as error:
        LOG.exception("The report of the page %s could not be made", page)
        return 500, _message(InputError(f"The report could not be made: {type(error).__name__}, {error}.",
                                        "This is a fault of Sextant, not of yours; its log says where. The page is as it was.")), ""


def _message(error: InputError) -> str:
    said = "".join(f"<p>{html.escape(text)}</p>" for text in (error.message, error.hint))
    return f'<!doctype html><html style="color-scheme: light dark; font-family: sans-serif"><meta charset="utf-8"><title>Sextant</title>{said}'


def made(noted: Record) -> Report:
    """As data. The numbers are those in the store: what is still being computed has none yet."""
    from pages.parts import paper
    studies = [_study(*given) for given in {engine.key(*given): given for given in list(noted.studies.values())}.values()]  # each once
    drawn = {key: digest(json.dumps(json.loads(spec).get("data", []))) for key, spec in paper.charts(noted.root).items()}
    versions = {"sextant": __version__, "python": platform.python_version(), "numpy": np.__version__}
    return Report(noted.page, noted.title, _parameters(noted), tuple(_inputs(noted)), tuple(studies), drawn, tuple(paper.sentences(noted.root)), versions,
                  datetime.now().isoformat(timespec="seconds"))


def _study(unit, inputs: dict, options: dict) -> dict:
    named = map_refs(inputs, lambda ref: [ref.kind, ref.source, ref.digest])
    return core.study(name_of(unit), unit.VERSION, options, named, engine.stored(unit, inputs, options))


def _parameters(noted: Record) -> dict[str, list[str]]:
    left = {"report"} | (SIDEBAR if noted.workspace is None else set())
    return {name: values for name, values in parse_qs(noted.query, keep_blank_values=True).items() if name not in left}


def _inputs(noted: Record) -> list[dict]:
    """The sidebar's, and what else a study was given by name; each once."""
    at, found = noted.workspace, {}
    kind = lambda source, usual: "representation" if source.startswith("rep:") else usual  # noqa: E731
    for source, usual in ((at.model, "model"), *((each, "dataset") for each in at.datasets)) if at is not None else ():
        found.setdefault(source, {"kind": kind(source, usual), "id": source, "name": workspace.short(source), "digest": _digest(source, kind(source, usual))})

    def note(ref):
        brought = ref.kind == "representation" and (store.default().facts("representations", ref.source) or {}).get("brought")
        source = f"rep:{ref.source}" if brought else ref.source
        if brought or ref.kind in ("model", "dataset"):
            found.setdefault(source, {"kind": ref.kind, "id": source, "name": workspace.short(source), "digest": ref.digest})
    for _, inputs, _ in noted.studies.values():
        map_refs(inputs, note)
    return list(found.values())


def _digest(source: str, kind: str) -> str:
    """Empty where it is not here."""
    try:
        if kind == "representation":
            return engine.Ref.representation(source.removeprefix("rep:")).digest
        return (workspace.get_model if kind == "model" else workspace.get_dataset)(source).digest
    except InputError:
        return ""


# to open again

def _read() -> None:
    """An uploaded file: kept under its digest, so that its address finds it."""
    given = st.session_state["report-file"]
    st.session_state.pop("_report_given", None)
    if given is None:
        return
    try:
        found = Report.read(given.getvalue(), given.name)
        if found.page and not any(PAGES.glob(f"*/{found.page}.py")):
            raise InputError(f"{given.name} shows the page “{found.page}”, which this Sextant does not have.", "Open it with the Sextant that made it.")
        st.session_state["_report_given"] = found
        _opened()[found.digest] = found
        while len(_opened()) > KEPT:
            _opened().popitem(last=False)
    except InputError as error:
        st.session_state["_report_given"] = error


def _offered() -> None:
    """Under the field: a link to the view, or what stands against it."""
    given = st.session_state.get("_report_given")
    if isinstance(given, InputError):
        messages.problem(given)
    elif given is not None:
        st.caption(f"**{plain(given.title)}**, {_when(given)}")
        lacking = missing(given)
        for error in lacking:
            messages.problem(error)
        if not lacking:
            st.link_button("Open this view", given.address(report=given.digest), key="report-open", icon=":material/open_in_new:")


@st.cache_resource(show_spinner=False)
def _opened() -> OrderedDict[str, Report]:
    """Of all sessions: the link to a view begins a new one."""
    return OrderedDict()


def missing(given: Report) -> list[InputError]:
    """What the report stands on and is not here, and what to load."""
    found = []
    for one in given.inputs:
        try:
            (workspace.get_model if one["kind"] == "model" else workspace.get_dataset)(one["id"])
        except InputError as error:
            named = f"“{one['name']}”" + (f" (digest {one['digest'][:8]}…)" if one["digest"] else "")
            found.append(InputError(f"The {one['kind']} {named} of the report is not here. {error.message}", error.hint))
    return found


def _compare(noted: Record, asked: str) -> None:
    """The report that the address names, beside what the page has come to."""
    given = _opened().get(asked)
    if given is None:
        st.caption("The report that this address names is not open here: open its file again, under Report in the sidebar.")
        return
    found = given.replay(made(noted))
    st.markdown(f"**Report: {plain(given.title)}**, {_when(given)}. {_told(given, found)}")
    for now, words in ((True, "now it is"), (False, "nor is it now")):
        if names := [name for name, there in found.early if there is now]:
            st.caption(f":material/info: Not computed yet when it was saved, {words}: {plain(', '.join(names))}.")
    if found.absent:
        st.caption(f":material/info: {count(len(found.absent), 'result')} of it {'is' if len(found.absent) == 1 else 'are'} not on this page now: "
                   f"{plain(', '.join(found.absent))}. Still being computed, or another view. [Back to the view]({given.address(report=asked)})")


def _told(given: Report, found: Replay) -> str:
    if found.differences:
        first, by = found.differences[0], ", ".join(f"{name} {value}" for name, value in given.made.items())
        part = count(len(found.differences), "number differs", "numbers differ")
        return (f":material/warning: {part} from the saved ones, first {plain(first.where)}: saved {plain(first.saved)}, now {plain(first.now)}. "
                f"It was made with {plain(by)}.")
    if found.same and not found.absent and not found.early:
        return ":green[:material/check_circle:] The saved numbers came out again, to the last bit."
    if found.same and found.early:
        return ":green[:material/check_circle:] The numbers that it has came out again, to the last bit."
    return "" if found.absent or found.early else "It has no numbers to compare."


def _when(given: Report) -> str:
    try:
        return f"of {datetime.fromisoformat(given.date):%d %B %Y}"
    except ValueError:
        return "a saved case" if not given.date else "of an unknown day"
