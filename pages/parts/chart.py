"""A chart as every page shows it: described in words, and with its numbers at hand."""

import streamlit as st

CONFIG = {"displaylogo": False, "showSendToCloud": False, "responsive": True,
          "modeBarButtonsToRemove": ["autoScale2d", "toggleSpikelines", "hoverClosestCartesian", "hoverCompareCartesian"]}


def show(figure, *, alt: str, table=None, key: str, **options):
    """A plotly figure; `alt` says what it shows, `table` (a DataFrame) lies under it with a download. Returns the chart's event."""
    config = {**CONFIG, **options.pop("config", {})}
    event = st.plotly_chart(figure, key=key, alt=alt, config=config, **options)
    if table is not None:
        numbers(table, key=key)
    return event


def numbers(table, *, key: str) -> None:
    with st.popover("Numbers", icon=":material/table:", type="tertiary", key=f"{key}-numbers", on_change="rerun") as opened:
        if opened.open:
            st.dataframe(table, hide_index=True, key=f"{key}-table", alt="The numbers behind the chart")
            st.download_button("Download as CSV", lambda: table.to_csv(index=False), f"{key}.csv", "text/csv", key=f"{key}-csv",
                               on_click="ignore", icon=":material/download:")
