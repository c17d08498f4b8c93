"""What a model and a dataset are, at a glance. Nothing here runs a model."""

import numpy as np
import pandas as pd
import streamlit as st

from analysis.data.dataset import Dataset
from analysis.figures import preview
from pages.parts import chart, workspace
from pages.parts.messages import count, plain

QUIET = {"displayModeBar": False}  # nothing to pick in a preview


def model(source: str) -> None:
    """Name, facts and the table of layers."""
    with st.container(border=True, key="model-card"):
        facts, layers = st.columns([3, 2], gap="medium")
        with facts:
            if source.startswith("rep:"):
                _arrays(source)
            else:
                _facts(workspace.get_model(source))
        widths = workspace.layer_widths(source)
        table = pd.DataFrame({"Layer": list(widths), **({"Width": list(widths.values())} if all(widths.values()) else {})})
        layers.dataframe(table, hide_index=True, height="content" if len(table) <= 6 else 248, key="layer-table",
                         alt=f"The {len(table)} layers and their widths")


def _facts(found) -> None:
    card = found.card
    st.markdown(f"**{plain(found.name)}**")
    about = [text.rstrip(".") + "." for text in dict.fromkeys(card.get(k, "").rstrip(".") for k in ("about", "architecture_about")) if text]
    st.caption(plain(" ".join(about) or f"Reads {found.modality}s."))
    measured = {"Source accuracy": card.get("source_accuracy"), "Target accuracy": card.get("target_accuracy")}
    accuracies = {name: accuracy for name, accuracy in measured.items() if accuracy}
    with st.container(horizontal=True, gap="medium"):
        st.metric("Layers", len(found.layers), width="content")
        if card.get("parameters"):
            st.metric("Parameters", _short(card["parameters"]), width="content")
        for name, accuracy in accuracies.items():
            st.metric(name, f"{accuracy['value']:.1%}", width="content")
    told = [f"Pooling: {found.pooling}." if found.modality == "text" else "", f"Licence: {card['licence']}." if card.get("licence") else "",
            *card.get("notes", ()), *(_interval(name, accuracy) for name, accuracy in accuracies.items())]
    for line in filter(None, told):
        st.caption(plain(line))
    if card.get("recipe"):
        with st.popover("How it was trained", icon=":material/receipt_long:", type="tertiary"):
            recipe = {k.replace("_", " "): str(v) for k, v in card["recipe"].items() if v not in (None, "", [], ())}
            table = pd.DataFrame(recipe.items(), columns=["", "Recipe"])
            st.dataframe(table, hide_index=True, key="recipe", alt="The recipe of the training")


def _interval(name: str, accuracy: dict) -> str:
    return f"{name}: 95% interval {accuracy['low']:.1%} to {accuracy['high']:.1%}, on {count(accuracy['n'], 'item')}, {accuracy['on']}."


def _arrays(source: str) -> None:
    found = workspace.get_representation(source, source)
    st.markdown(f"**{plain(workspace.label(source))}**")
    st.caption("A representation made elsewhere: no model, only what came out of it.")
    with st.container(horizontal=True, gap="large"):
        st.metric("Layers", len(found.layers), width="content")
        st.metric("Items", f"{len(found):,}".replace(",", "\u202f"), width="content")
        st.metric("Classes", len(found.classes) or "none", width="content")


def dataset(data: Dataset, *, title: str, key: str, role: str = "", wide: bool = False) -> None:
    """Items, facts and class balance; beside each other when the card has the page's width."""
    with st.container(border=True, key=key, height="stretch"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{plain(title)}**", width="content")
            if role:
                st.badge(role, color="blue" if role == "target" else "gray")
        st.caption(plain(data.about or ("Uploaded." if data.source.startswith("store:") else data.source)))
        items, counts = st.columns(2) if wide else (st.container(), st.container())
        with items:
            if not data.source.startswith("rep:"):
                {"image": _pictures, "text": _texts, "array": _columns}[data.modality](data, key)
            st.caption(" · ".join(_told(data)))
        with counts:
            if data.labels is not None:
                most = int(np.bincount(data.labels).max())
                chart.show(preview.balance(data), key=f"{key}-balance", table=preview.table(data), config=QUIET,
                           alt=f"Items in each of {len(data.classes)} classes, {most} in the largest")
        for note in data.notes:
            st.caption(f":material/info: {plain(note)}")


def _pictures(data: Dataset, key: str) -> None:
    shown = "class by class" if data.labels is not None else "the first ones"
    st.image(preview.sheet(data), width="stretch", output_format="PNG", alt=f"Pictures of {data.name}, {shown}")


def _texts(data: Dataset, key: str) -> None:
    rows = [i for i in preview.pick(data, columns=2, rows=3).flat if i >= 0]
    table = pd.DataFrame({"Text": [plain(_cut(data.items[i])) for i in rows]})
    if data.labels is not None:
        table["Class"] = [plain(data.classes[data.labels[i]]) for i in rows]
    st.table(table, hide_index=True, alt=f"{len(rows)} texts of {data.name}")


def _columns(data: Dataset, key: str) -> None:
    chart.show(preview.columns(data), key=f"{key}-columns", config=QUIET, alt=f"The first columns of {data.name}, coloured by class")


def _told(data: Dataset) -> list[str]:
    if data.source.startswith("rep:"):
        what = "known by their ids"
    elif data.modality == "image":
        what = f"images of {data.items.shape[2]}×{data.items.shape[1]}"
    elif data.modality == "array":
        what = f"rows of {data.items.shape[1]} columns"
    else:
        what = f"texts of {int(np.median([len(t) for t in data.items]))} characters (median)"
    classes = count(len(data.classes), "class", "classes") if data.labels is not None else "no labels"
    return [count(len(data), "item"), what, classes, *([f"domain {plain(data.domain)}"] if data.domain else [])]


def _cut(text: str, most: int = 140) -> str:
    return text if len(text) <= most else text[:most].rsplit(" ", 1)[0] + " …"


def _short(number: int) -> str:
    return f"{number / 1e6:.1f} M" if number >= 1e6 else f"{number / 1e3:.0f} k" if number >= 1e4 else f"{number:,}"
