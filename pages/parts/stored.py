"""What the store holds: a table, its size, and for the chosen rows download and delete."""

from datetime import datetime

import pandas as pd
import streamlit as st

from analysis import store
from analysis.digest import digest
from pages.parts import messages, workspace
from pages.parts.messages import count, plain, size

WORDS = {"representations": "representation", "datasets": "dataset", "models": "weights", "results": "result", "selections": "selection"}


@st.fragment
def panel() -> None:
    kept = store.default()
    every = kept.entries()
    entries, parts = [entry for entry in every if not entry.part], [entry for entry in every if entry.part]
    st.caption(f"{size(kept.size())} of {size(kept.cap)} in {plain(kept.folder)}. "
               "Above that, what can be computed again is deleted, least recently used first.")
    if parts:
        _parts(kept, parts)
    if not entries:
        st.caption("Nothing is stored yet: extract something, or bring your own.")
        return
    listed = digest([entry.kind + entry.key for entry in entries])[:8]  # marks are places in the list: another list starts unmarked
    table = st.dataframe(_table(entries), key=f"store-table-{listed}", hide_index=True, height="content" if len(entries) <= 8 else 330,
                         on_select="rerun", selection_mode="multi-row", alt=count(len(entries), "stored thing"),
                         column_config={"Made": st.column_config.DatetimeColumn(format="D MMM, HH:mm")})
    chosen = [entries[i] for i in table.selection.rows if i < len(entries)]
    with st.container(horizontal=True, vertical_alignment="center"):
        if not chosen:
            st.caption("Mark rows to download or delete them.")
        for entry in chosen[:1] if len(chosen) == 1 else []:
            _download(kept, entry)
        if chosen:
            _delete(kept, chosen)


def _parts(kept, parts: list) -> None:
    """What no list shows, and how to be rid of it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{size(sum(entry.bytes for entry in parts))} of it {'is' if len(parts) == 1 else 'are'} {count(len(parts), 'part')} of results, kept so "
                   "that another range measures its own transform alone.", width="content")
        if st.button("Let go of them", type="tertiary", key="store-parts"):
            for entry in parts:
                kept.delete(entry.kind, entry.key)
            st.rerun()


def _table(entries: list) -> pd.DataFrame:
    return pd.DataFrame([{"Kind": WORDS[entry.kind], "Name": workspace.entry_name(entry), "Holds": _holds(entry.facts),
                          "Size": size(entry.bytes), "Made": datetime.fromtimestamp(entry.created), "From": _origin(entry),
                          "Key": entry.key[:8]} for entry in entries])


def _holds(facts: dict) -> str:
    items, layers = facts.get("n") or len(facts.get("ids", ())), len(facts.get("layers", ()))
    return ", ".join(count(number, noun) for number, noun in ((items, "item"), (layers, "layer")) if number)


def _origin(entry) -> str:
    """Where it comes from, in a few words."""
    facts, made = entry.facts, entry.facts.get("manifest", {})
    if entry.kind == "representations" and made.get("model"):
        return " on ".join(workspace.label(made.get(part, {}).get("source") or "") for part in ("model", "dataset"))
    if entry.kind == "selections":
        return "chosen on a page"
    unit = facts.get("unit", "").rpartition(":")[2]
    return facts.get("origin") or made.get("source") or facts.get("architecture") or unit or "uploaded"


def _download(kept, entry) -> None:
    path = kept.path(entry.kind, entry.key, ".safetensors")
    if not path.exists():
        path = path.with_suffix(".json")
    name = "".join(c if c.isalnum() or c in "-_" else "-" for c in workspace.entry_name(entry))
    st.download_button(f"Download ({size(path.stat().st_size)})", lambda: open(path, "rb"), f"{name}-{entry.key[:8]}{path.suffix}",
                       "application/octet-stream", key="store-download", icon=":material/download:", on_click="ignore")


def _delete(kept, chosen: list) -> None:
    what = count(len(chosen), "thing") if len(chosen) > 1 else f"“{workspace.entry_name(chosen[0])}”"
    with st.popover("Delete", icon=":material/delete:", key="store-delete"):
        brought = sum(entry.brought for entry in chosen)
        st.markdown(f"Delete {plain(what)} from this machine?")
        st.caption(f"{'It was' if len(chosen) == 1 else f'{brought} were'} uploaded and cannot be computed again." if brought else
                   "It can be computed again at any time.")
        if st.button("Delete for good", type="primary", key="store-delete-sure"):
            for entry in chosen:
                kept.delete(entry.kind, entry.key)
            messages.later(f"Deleted {what}.")
            st.rerun()
