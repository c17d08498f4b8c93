"""The frame around every page: navigation, the shared sidebar, and one place where bad input ends as a message.

This folder has no `pages/` beside it, which keeps streamlit out of its legacy mode: a link to any page opens that page.
Workers import this file under another name, so everything is under the guard.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

if __name__ == "__main__":
    import streamlit as st

    from analysis.errors import InputError
    from pages.parts import messages, report, selection, workspace

    looks = ROOT / "assets" / "theme"
    st.set_page_config(page_title="Sextant", page_icon=looks / "icon.svg", layout="wide", initial_sidebar_state=330)
    st.logo(looks / "logo.svg", icon_image=looks / "icon.svg", size="large")

    page = st.navigation({
        "Workspace": [
            st.Page(ROOT / "pages" / "workspace" / "load.py", title="Load", icon=":material/input:", default=True),
            st.Page(ROOT / "pages" / "workspace" / "map.py", title="Map", icon=":material/scatter_plot:", url_path="map"),
        ],
        "Shape": [
            st.Page(ROOT / "pages" / "shape" / "persistence.py", title="Persistence", icon=":material/hub:", url_path="persistence"),
            st.Page(ROOT / "pages" / "shape" / "spectrum.py", title="Spectrum", icon=":material/ssid_chart:", url_path="spectrum"),
            st.Page(ROOT / "pages" / "shape" / "sensitivity.py", title="Sensitivity", icon=":material/tune:", url_path="sensitivity"),
        ],
        "Transfer": [
            st.Page(ROOT / "pages" / "transfer" / "radar.py", title="RADAR", icon=":material/radar:", url_path="radar"),
            st.Page(ROOT / "pages" / "transfer" / "ranking.py", title="Ranking", icon=":material/leaderboard:", url_path="ranking"),
            st.Page(ROOT / "pages" / "transfer" / "cases.py", title="Cases", icon=":material/troubleshoot:", url_path="cases"),
        ],
        "Growth": [
            st.Page(ROOT / "pages" / "growth" / "minima.py", title="Minima", icon=":material/landscape:", url_path="minima"),
        ],
        "Learn": [
            st.Page(ROOT / "pages" / "learn" / "lessons.py", title="Lessons", icon=":material/school:", url_path="lessons"),
        ],
    })
    try:
        workspace.sidebar()
        selection.chip()
        messages.passing()
        report.run(page)
    except InputError as error:
        messages.problem(error)
