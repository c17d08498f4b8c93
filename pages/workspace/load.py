"""Load: which model and datasets, what they look like, and their representations extracted."""

import streamlit as st

st.title("Load")
st.markdown("Choose a model and datasets in the sidebar, or bring your own below. Then extract what every layer makes of every item.")

from analysis.errors import InputError  # noqa: E402  (the heading is on the screen before pandas loads)
from pages.parts import bring, cards, docs, doors, extraction, messages, stored, workspace  # noqa: E402

at = workspace.current()
# a container for each part: the fragments below know themselves by their place, which what comes and goes above must not move
entrance, model, data, own, kept = (st.container() for _ in range(5))

with entrance:
    doors.draw()
    extraction.panel(at)

with model:
    st.subheader("Model", anchor=False)
    try:
        cards.model(at.model)
    except InputError as error:
        messages.problem(error)

data.subheader("Datasets", anchor=False)
shown = [(at.target, "target"), *((source, "source") for source in at.sources)]
alone = len(shown) == 1
cells = [cell for _ in range(0, len(shown), 2) for cell in data.columns(1 if alone else 2)]
for cell, (source, role) in zip(cells, shown, strict=False):
    with cell:
        try:
            cards.dataset(workspace.get_dataset(source), title=workspace.label(source), key=f"{role}-{source}", role=role, wide=alone)
        except InputError as error:
            messages.problem(error)

with own:
    st.subheader("Bring your own", anchor="bring-your-own")
    bring.panel()

with kept:
    st.subheader("In the store", anchor=False)
    stored.panel()
docs.link("app", "Every page, address, command and file")
