"""A run in the background, watched."""

import uuid

import streamlit as st

from analysis import engine
from pages.parts import messages, record
from pages.parts.messages import plain


def control(name: str) -> str:
    """Whose run it is: this session's, from the control `name`. A new run from there replaces the old one."""
    session = st.session_state.setdefault("_session", uuid.uuid4().hex[:12])
    return f"{session}/{name}"


def stored(unit, inputs: dict, options: dict, *, key: str):
    """What a unit of work has found, when it is there; nothing is computed. The page's report names it."""
    record.study(unit, inputs, options, key=key)
    return engine.stored(unit, inputs, options)


def study(unit, inputs: dict, options: dict, *, key: str, words: str, button: str = ""):
    """What a unit of work has found: its stored result, else its latest partial, else None; and below, how far it is.

    words    what is being computed and what it costs, said until it is there
    button   what starts it; without one it starts by itself, and a button appears only after a cancel or a failure
    """
    found = stored(unit, inputs, options, key=key)
    if found is not None:
        return found
    run, whose = engine.find(engine.key(unit, inputs, options)), control(key)
    start = lambda: engine.submit(unit, inputs, options, control=whose)
    lost = run is None or run.state == "done" or (run.state == "cancelled" and run.key not in st.session_state.get("_stopped", ()))
    if lost and not button:  # its result is gone, or another control, or somebody else, let go of it: once more
        run = start()
    with st.container(border=True, key=f"{key}-run"):
        if run is None or not run.alive:
            st.markdown(words)
            st.button(button or "Compute", type="primary" if button else "secondary", icon=":material/play_arrow:", key=f"{key}-start", on_click=start)
        if run is not None:
            watch(run, key=key, control=whose)
    return run and run.partial


def watch(job, *, key: str, control: str | None = None) -> None:
    """Progress, rate, time left and a cancel button, redrawn while it runs; the page runs again at each partial result and when it ends.

    control   what the run was submitted under: cancelling lets go of it, and it goes on when others wait for it too
    """
    st.fragment(_draw, run_every=0.5 if job.alive else None)(job, key, control, job.alive, job.partial)


def _draw(job, key: str, control: str | None, was_alive: bool, seen) -> None:
    if was_alive and (not job.alive or job.partial is not seen):
        st.rerun()
    if job.state == "failed" and job.error is not None:
        messages.problem(job.error)
    elif job.state == "cancelled":
        st.caption(":material/cancel: Cancelled; nothing was stored.")
    elif job.alive:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.progress(min(1.0, job.done / job.total) if job.total else 0.0, text=_told(job))
            st.button("Cancel", key=f"{key}-cancel", on_click=_stop, args=(job, control), disabled=job.cancelled)


def _stop(job, control: str | None) -> None:
    """Asked for by this session: it does not start again by itself."""
    st.session_state.setdefault("_stopped", set()).add(job.key)
    job.cancel(control)


def _told(job) -> str:
    if job.cancelled:
        return "Stopping …"
    parts = [plain(job.note) or "Waiting for a free worker"]
    if job.total:
        parts.append(f"{job.done:,} of {job.total:,}".replace(",", "\u202f"))
    if job.rate:
        if job.rate >= 0.05:  # less is no rate that tells anything
            parts.append(f"{job.rate:,.0f} a second".replace(",", "\u202f") if job.rate >= 10 else f"{job.rate:.1f} a second")
        if job.remaining is not None:
            parts.append(f"{messages.seconds(job.remaining)} left")
    return " · ".join(parts)
