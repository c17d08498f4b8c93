"""Cases as files: the built-in ones, one that was saved, and the present one to save."""

import json
from dataclasses import asdict

import streamlit as st

from analysis.cases import BUILTIN, FORMAT, Case
from analysis.errors import InputError
from analysis.metrics.inspection import Inspection
from pages.parts import messages, workspace
from pages.parts.cases.source import RARE, SPLITS, USUAL, Pair
from pages.parts.messages import count, plain

OWN = "What the sidebar says"
UNIT = "analysis.studies.case:inspect"


def choose() -> None:
    """The built-in cases that this machine can run, and a file."""
    known = {case.title: case for case in BUILTIN.values() if case.inputs["target"]["model"] in workspace.model_options()}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        here = st.session_state.get("_case")
        st.session_state["cases-case"] = here.title if here and here.title in known else OWN
        st.selectbox("Built-in case", [OWN, *known], key="cases-case", width=300, help="Sets model, target, source and options.",
                     on_change=lambda: _take(known.get(st.session_state["cases-case"])))
        with st.popover("Open a case", icon=":material/folder_open:", key="cases-open"):
            st.file_uploader("A case that was saved here", ["json"], key="cases-file", on_change=_read, max_upload_size=5)


def _read() -> None:
    given = st.session_state["cases-file"]
    if given is None:
        return
    try:
        case = Case.read(given.getvalue(), given.name)
        if case.unit != UNIT:
            raise InputError(f"{given.name} is a case of another page.", f"It opens at {case.address()}")
        _take(case)
    except InputError as error:
        st.session_state["_case_error"] = error


def _take(case: Case | None) -> None:
    """Put the page where the case is."""
    st.session_state["_case"] = case
    if case is None:
        return
    odd = set(case.options) - {*USUAL, *RARE, "layer"}
    if odd:
        st.session_state["_case"] = None
        raise InputError(f"The case sets {', '.join(sorted(odd))}, for which this page has no switch.",
                         "Run it from a terminal: python -m analysis case run FILE.")
    target, source = case.inputs["target"], case.inputs["source"]
    named = lambda entry: entry.get("dataset") or f"rep:{entry['representation']}"
    workspace.choose(model=target.get("model") or named(target), target=named(target), sources=[named(source)])
    if case.options.get("layer"):
        workspace.choose(layer=case.options["layer"])
    st.session_state["_cases_asked"] = {name: case.options.get(name, usual) for name, usual in USUAL.items()}  # the switches may be drawn only later
    for name in RARE:
        st.query_params.pop(f"cases_{name}", None)
        if name in case.options:
            st.query_params[f"cases_{name}"] = str(case.options[name])


def told(it: Pair, found: Inspection | None) -> None:
    """What the case that was opened says, while the page is where it is; and whether its numbers are the same now."""
    error = st.session_state.pop("_case_error", None)
    if error is not None:
        messages.problem(error)
    case = st.session_state.get("_case")
    if case is None or not same(case, it):
        return
    with st.container(border=True, key="cases-told"):
        st.markdown(f"**{plain(case.title)}.** {plain(case.text)}")
        if case.look:
            st.caption(f"Look at: {plain(case.look)}")
        if case.result and found is not None and found.final:
            parts = case.differences(found)
            if not parts:
                st.caption(":green[:material/check_circle:] The saved numbers came out again, to the last bit.")
            else:
                made, (first, *_) = ", ".join(f"{name} {value}" for name, value in case.made.items()), parts
                st.caption(f":material/warning: {count(len(parts), 'number')} differ from the saved ones, first {plain(first.where)}: saved "
                           f"{plain(first.saved)}, now {plain(first.now)}. It was made with {plain(made)}.")


def same(case: Case, it: Pair) -> bool:
    """Whether the page is where the case is, with every option as it has it."""
    usual = {"seeds": SPLITS, "layer": it.stack.layers[-1], **{name: value for name, value in USUAL.items()}}
    asked = {**usual, **{name: value for name, value in case.options.items() if value not in ("", None)}}
    now = {**usual, **it.chosen, **it.options}
    plainly = lambda given: json.dumps(given, sort_keys=True, default=list)
    return case.inputs == it.named and plainly(asked) == plainly(now)


def save(it: Pair, found: Inspection) -> None:
    """The present numbers as a file, and the address."""
    case = Case(f"{it.source} for {it.target}", found.paragraph()[:4000], UNIT, it.named, it.options)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button("Save this case", lambda: json.dumps({"format": FORMAT, **asdict(case.keep(found))}, indent=1), "case.json", "application/json",
                           key="cases-save", on_click="ignore", icon=":material/download:", disabled=not found.final)
        st.caption("The file holds ids, options and numbers, no data. The address of this page holds the same but for the numbers.")
