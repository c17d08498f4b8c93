"""What lies on the hub is fetched in the background, when somebody asks for it."""

import time

import streamlit as st

from analysis import engine
from analysis.studies import fetching
from pages.parts import job, messages


def panel(source: str, unit=fetching.fetch_model, *, key: str):
    """A button, then progress; the Fetched once it is here. Each press is a run of its own: the hub's cache knows what it has."""
    remembered = f"_fetch-{source}"
    run = engine.find(st.session_state.get(remembered, ""))
    if run is not None and run.state == "done":
        return run.result()
    if run is not None:
        job.watch(run, key=key, control=job.control(f"fetch/{source}"))
    if run is None or not run.alive:
        if run is None:
            st.caption(f"{messages.plain(source.removeprefix('hf:'))} is not on this machine yet. Nothing is fetched before you ask for it.")
        st.button("Fetch it from the hub", icon=":material/download:", key=f"{key}-fetch", on_click=_start, args=(source, unit, remembered))
    return None


def _start(source: str, unit, remembered: str) -> None:
    run = engine.submit(unit, {}, {"source": source, "asked": time.time()}, control=job.control(f"fetch/{source}"))
    st.session_state[remembered] = run.key
