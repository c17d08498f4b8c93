"""A chart as every page shows it: described in words, and with its numbers at hand."""

import streamlit as st

from pages.parts import record
from pages.parts.messages import plain

COLUMN, WIDEST = 110, 620  # pixels of a table of numbers
CONFIG = {"displaylogo": False, "showSendToCloud": False, "responsive": True,
          "modeBarButtonsToRemove": ["autoScale2d", "toggleSpikelines", "hoverClosestCartesian", "hoverCompareCartesian"]}


def show(figure, *, alt: str, table=None, key: str, note: bool = False, **options):
    """A plotly figure; `alt` says what it shows, `note` adds what the figure notes of itself, `table` (a DataFrame) lies under it with a download. Returns
    the chart's event."""
    config = {**CONFIG, **options.pop("config", {})}
    event = st.plotly_chart(figure, key=key, alt=alt, config=config, **options)
    if note and noted(figure):
        st.caption(plain(noted(figure)))
    if table is not None:
        record.table(table, key=key)
        numbers(table, key=key)
    return event


def noted(figure) -> str:
    """What a figure left out, and how it is to be read: one line, or ""."""
    text = (figure.layout.meta or {}).get("note", "")
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def numbers(table, *, key: str) -> None:
    with st.popover("Numbers", icon=":material/table:", type="tertiary", key=f"{key}-numbers", on_change="rerun") as opened:
        if opened.open:
            st.dataframe(table, hide_index=True, key=f"{key}-table", alt="The numbers behind the chart", width=min(WIDEST, COLUMN * table.shape[1]))
            st.download_button("Download as CSV", lambda: table.to_csv(index=False), f"{key}.csv", "text/csv", key=f"{key}-csv",
                               on_click="ignore", icon=":material/download:")
