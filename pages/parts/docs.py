"""The method behind a page, in full: a text of docs/, opened over the page itself."""

import re
from pathlib import Path

import streamlit as st

FOLDER = Path(__file__).resolve().parents[2] / "docs"
MARKS = {"[published]": ":blue-badge[published]", "[our reading]": ":violet-badge[our reading]"}
ELSEWHERE = re.compile(r"\[([^\]]+)\]\([\w-]+\.md(?:#[\w-]+)?\)")  # a link to another of these texts, which opens from its own page


def link(name: str, label: str = "The method in full") -> None:
    """A button that opens docs/<name>.md."""
    title, text = read(name)
    if st.button(label, icon=":material/menu_book:", key=f"docs-{name}", type="tertiary", help=title):
        st.dialog(title, width="large", icon=":material/menu_book:")(st.markdown)(text)


def read(name: str) -> tuple[str, str]:
    """(title, text) as the app shows them."""
    head, _, text = (FOLDER / f"{name}.md").read_text(encoding="utf-8").partition("\n")
    text = ELSEWHERE.sub(r"*\1*", text)
    for mark, badge in MARKS.items():
        text = text.replace(mark, badge)
    return head.removeprefix("# "), text.strip()
