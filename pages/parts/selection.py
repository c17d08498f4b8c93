"""The selection: one set of items, shown as a chip in the sidebar, highlighted and set by every page.

Its ids lie in the store under its digest, and the address carries the digest.
"""

import streamlit as st

from analysis import store
from analysis.errors import InputError
from analysis.selection import Selection
from pages.parts.messages import count, plain, problem


def current() -> Selection | None:
    digest = st.query_params.get("selection")
    if digest is None:
        return None
    kept = st.session_state.get("_selection")
    if kept is None or kept.digest != digest:
        kept = st.session_state["_selection"] = _stored(digest)
    return kept


def set(selection: Selection) -> None:
    """Make it the session's; pages show it after the next run."""
    try:
        store.default().put_selection(selection)
    except InputError as error:
        problem(error)  # the session still has it; only its address cannot be passed on
    st.session_state["_selection"] = selection
    st.query_params["selection"] = selection.digest


def clear() -> None:
    st.session_state.pop("_selection", None)
    st.query_params.pop("selection", None)


def chip() -> None:
    """In the sidebar: how many items, where they come from, and a way to let go of them."""
    kept = st.session_state.get("_selection")
    if kept is not None and "selection" not in st.query_params:
        st.query_params["selection"] = kept.digest  # the menu opens a page with the sidebar's parameters only
    digest, chosen = st.query_params.get("selection"), current()
    if digest is None:
        return
    with st.sidebar, st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", gap="xsmall"):
            st.markdown(f"**{count(len(chosen), 'item')} selected**" if chosen else "**Selection not found**", width="content")
            st.button("Clear", on_click=clear, key="clear-selection", type="tertiary", help="Let go of the selection")
        st.caption(plain(chosen.origin) if chosen else f"{plain(digest[:8])} is not in this store. Select the items again on the map.")


def _stored(digest: str) -> Selection | None:
    return store.default().selection(digest) if digest.isalnum() else None
