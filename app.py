"""The served application: `streamlit run app.py`. The pages are routed in pages/frame.py."""

from pathlib import Path

import streamlit as st

app = st.App(Path(__file__).resolve().parent / "pages" / "frame.py")
