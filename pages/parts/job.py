"""A run in the background, watched."""

import uuid

import streamlit as st

from pages.parts import messages
from pages.parts.messages import plain


def control(name: str) -> str:
    """Whose run it is: this session's, from the control `name`. A new run from there replaces the old one."""
    session = st.session_state.setdefault("_session", uuid.uuid4().hex[:12])
    return f"{session}/{name}"


def watch(job, *, key: str, control: str | None = None) -> None:
    """Progress, rate, time left and a cancel button, redrawn while it runs; the page runs again when it ends.

    control   what the run was submitted under: cancelling lets go of it, and it goes on when others wait for it too
    """
    st.fragment(_draw, run_every=0.5 if job.alive else None)(job, key, control, job.alive)


def _draw(job, key: str, control: str | None, was_alive: bool) -> None:
    if was_alive and not job.alive:
        st.rerun()
    if job.state == "failed" and job.error is not None:
        messages.problem(job.error)
    elif job.state == "cancelled":
        st.caption(":material/cancel: Cancelled; nothing was stored.")
    elif job.alive:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.progress(min(1.0, job.done / job.total) if job.total else 0.0, text=_told(job))
            st.button("Cancel", key=f"{key}-cancel", on_click=job.cancel, args=(control,), disabled=job.cancelled)


def _told(job) -> str:
    if job.cancelled:
        return "Stopping …"
    parts = [plain(job.note) or "Waiting for a free worker"]
    if job.total:
        parts.append(f"{job.done:,} of {job.total:,}".replace(",", "\u202f"))
    if job.rate:
        parts.append(f"{job.rate:,.0f} a second".replace(",", "\u202f") if job.rate >= 10 else f"{job.rate:.1f} a second")
        if job.remaining is not None:
            parts.append(f"{messages.seconds(job.remaining)} left")
    return " · ".join(parts)
