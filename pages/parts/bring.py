"""Bring your own: data, models, weights, representations. What cannot be used is refused with a reason, and nothing of it is kept."""

import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import streamlit as st

from analysis import store
from analysis.data import inspect_table, load_dataset, load_domains, tables
from analysis.data.dataset import Dataset
from analysis.data.guard import as_path
from analysis.digest import digest, digest_file
from analysis.errors import InputError
from analysis.studies.fetching import fetch_dataset
from pages.parts import cards, fetch, messages, workspace
from pages.parts.messages import count, plain

NONE = "none"


@st.fragment
def panel() -> None:
    data, place, weights, arrays = st.tabs(["Dataset file", "Hugging Face or folder", "Weights", "Representation"])
    with data:
        _data()
    with place:
        _place()
    with weights:
        _weights()
    with arrays:
        _arrays()


# datasets

def _data() -> None:
    upload = _uploader("dataset", "Zip of images (a folder for each class), csv, tsv, jsonl, parquet, npy or npz")
    if upload is not None:
        with _file(upload) as path:
            _offer_dataset(path, slot="dataset", origin=path.name)


def _offer_dataset(path: Path, *, slot: str, origin: str) -> None:
    """Choose columns where there are any, look, keep."""
    content = digest(str(path), path.stat().st_mtime_ns) if path.is_dir() else digest(path.name, digest_file(path))
    key = f"{slot}-{content[:6]}"  # another file starts with its own guesses
    try:
        options = {}
        if path.suffix.lower() in tables.ENDINGS:
            options = _columns(_once(f"{slot}-table", content, lambda: inspect_table(path)), key)
        found = _with_bad_rows(lambda drop: load_domains(path, drop_bad_rows=drop, **options), slot, key, (content, options))
    except InputError as error:
        return messages.problem(error)
    if found is not None:
        _keep_dataset([replace(data, source=origin) for data in found], slot=slot, key=key)


def _keep_dataset(found: list[Dataset], *, slot: str, key: str) -> None:
    """Previews side by side, a name and a button beside or below them."""
    cells = [cell for _ in range(0, min(len(found), 4) + 1, 2) for cell in st.columns(2)]
    for cell, data in zip(cells, found[:4], strict=False):
        with cell:
            cards.dataset(data, title=data.name, key=f"{key}-preview-{data.digest[:8]}")
    with cells[min(len(found), 4)]:
        if len(found) > 4:
            st.caption(f"and {count(len(found) - 4, 'domain')} more: {plain(', '.join(d.domain for d in found[4:]))}")
        several = len(found) > 1
        stem = found[0].name.removesuffix(f", {found[0].domain}") if several else found[0].name
        name = st.text_input("Name", stem, key=f"{key}-name").strip() or stem
        st.caption(f"“{plain(found[0].domain)}” becomes the target, the others sources." if several else "It becomes the target dataset.")
        label = f"Keep these {len(found)} datasets" if several else "Keep this dataset"
        if st.button(label, type="primary", icon=":material/save:", key=f"{key}-keep"):
            named = [replace(data, name=f"{name}, {data.domain}" if several else name) for data in found]
            kept = [f"store:{store.default().put_dataset(data)}" for data in named]
            workspace.choose(target=kept[0], sources=kept[1:] or workspace.like(named[0].modality), **workspace.fitting(named[0].modality))
            _done(f"Kept. {named[0].name} is the target now.", f"{slot}-file", "place")


def _columns(table, key: str) -> dict:
    """Which column plays which role; the guesses are chosen already."""
    told = [count(table.n, "row"), count(len(table.columns), "column"), f"read as {table.encoding}" if table.encoding else "",
            "the first 20 are shown" if table.n > 20 else ""]
    st.caption(" · ".join(filter(None, told)))
    st.dataframe(table.rows, hide_index=True, height=190, key=f"{key}-rows", alt="The first rows of the table")
    kinds = {"Texts": "text", "Images": "image", "Numbers": ""}
    usual = next((name for name, role in kinds.items() if role in table.guesses), "Numbers")
    chosen = {"text": "", "image": ""}
    with st.container(horizontal=True):
        kind = st.selectbox("The items are", list(kinds), list(kinds).index(usual), key=f"{key}-items", width=140)
        for role in filter(None, (kinds[kind], "label", "domain", "id")):
            options = [NONE, *table.columns] if role not in ("text", "image") else list(table.columns)
            guess = table.guesses.get(role, NONE)
            name = st.selectbox(f"{role.capitalize()} column" if role != "id" else "Id column", options,
                                options.index(guess) if guess in options else 0, key=f"{key}-{role}", width=140)
            chosen[role] = "" if name == NONE else name
    return chosen


def _with_bad_rows(load, slot: str, key: str, content):
    """What `load(drop)` gives. When only some rows are at fault, say which and offer to leave them out."""
    try:
        return _once(slot, (content, False), lambda: load(False))
    except InputError as error:
        try:
            found = _once(slot, (content, True), lambda: load(True))
        except InputError:
            raise error from None
        messages.problem(InputError(error.message, "Leave them out here, or mend the file and load it again."))
        left = count(sum(len(d) for d in found) if isinstance(found, list) else len(found), "item")
        return found if st.checkbox(f"Leave them out: {left} remain", key=f"{key}-drop") else None


# what lies elsewhere

def _place() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.segmented_control("Load as", ["Model", "Dataset"], default="Model", key="place-kind", required=True)
        text = st.text_input("Id or path", key=_turn("place"), placeholder="hf:org/name, or the path of a folder or file here").strip()
    st.caption("Only weights in safetensors are read, and no code of a repository is run." if kind == "Model" else
               "A folder of images with a folder for each class, or any file that can be uploaded. Of a hub dataset 2 000 items are drawn.")
    if not text:
        return
    try:
        if kind == "Model":
            if workspace.is_away(text) and fetch.panel(text, key="place-model") is None:
                return
            with st.spinner("Looking at the model …"):
                found = workspace.get_model(text)
            cards.model(text)
            if st.button("Use this model", type="primary", icon=":material/check:", key="place-use"):
                workspace.choose(model=text)
                _done(f"{found.name} is the model now.", "place")
        elif text.startswith("hf:"):
            fetched = fetch.panel(text, fetch_dataset, key="place-dataset")
            if fetched is not None:
                cards.dataset(workspace.get_dataset(fetched.source), title=fetched.name, key="place-fetched")
                if st.button("Use this dataset", type="primary", icon=":material/check:", key="place-use"):
                    workspace.choose(target=fetched.source, **workspace.fitting(workspace.get_dataset(fetched.source).modality))
                    _done(f"{fetched.name} is the target now.", "place")
        elif text.startswith("builtin:"):
            data = _once("place", text, lambda: load_dataset(text))
            _keep_dataset([data], slot="place", key=f"place-{data.digest[:6]}")
        else:
            path = as_path(text)
            if not path.exists():
                raise InputError(f"There is no file or folder {text!r} on this machine.", "Check the path, or give a hub id: hf:org/name.")
            _offer_dataset(path, slot="place", origin=str(path))
    except InputError as error:
        messages.problem(error)


# weights

def _weights() -> None:
    upload = _uploader("weights", "Weights of one of the built-in architectures, as safetensors")
    if upload is None:
        return
    with _file(upload) as path:
        key, known = f"weights-{digest_file(path)[:6]}", _architectures()
        with st.spinner("Looking which architecture they fit …"):
            from analysis.models.weights import load_weights
            from analysis.tensors import open_tensors
            fits = _once("weights", key, lambda: next((a for a in known if _loads(load_weights, path, a)), None))
        with st.container(horizontal=True, vertical_alignment="bottom"):
            architecture = st.selectbox("Architecture", list(known), list(known).index(fits) if fits else 0, lambda a: f"{a}: {known[a]}",
                                        key=f"{key}-architecture")
            classes = st.text_input("Class names, separated by commas (optional)", key=f"{key}-classes", placeholder="0, 1, 2")
        try:
            found = load_weights(path, architecture, classes=tuple(c.strip() for c in classes.split(",") if c.strip()), name=path.stem)
        except InputError as error:
            return messages.problem(error)
        st.markdown(f"**{plain(found.name)}**: {count(len(found.layers), 'layer')}, {found.card['parameters']:,} parameters, "
                    f"a head for {count(len(found.classes), 'class', 'classes')}.")
        if st.button("Keep these weights", type="primary", icon=":material/save:", key=f"{key}-keep"):
            kept = digest_file(path)
            facts = {"name": found.name, "architecture": architecture, "classes": found.classes, "parameters": found.card["parameters"],
                     "layers": list(found.layers)}
            store.default().put("models", kept, facts, open_tensors(path))
            workspace.choose(model=f"store:{kept}")
            _done(f"Kept. {found.name} is the model now.", "weights-file")


def _loads(load, *given) -> bool:
    try:
        load(*given)
    except InputError:
        return False
    return True


def _architectures() -> dict[str, str]:
    from analysis.models import zoo
    found = [zoo.card(name) for name in zoo.names()]
    return {card["architecture"]: card["architecture_about"] for card in found}


# representations

def _arrays() -> None:
    upload = _uploader("arrays", "One or many layers: safetensors, npz, npy, parquet, csv or tsv")
    beside = _uploader("arrays-labels", "Labels in a file of their own (optional): csv, tsv or npy, such as TensorBoard's metadata.tsv")
    if upload is None:
        return
    from analysis.foreign import inspect_representation, load_representation
    with _file(upload) as path, _file(beside) as labels:
        try:
            content = [path.name, digest_file(path), labels and digest_file(labels)]
            key = f"arrays-{digest(content)[:6]}"
            order = _layers(inspect_representation(path), key)
            found = _with_bad_rows(lambda drop: load_representation(path, labels=labels, order=order, drop_bad_rows=drop), "arrays", key,
                                   [*content, order])
        except InputError as error:
            return messages.problem(error)
        if found is not None:
            _keep_representation(found, path.stem, key)


def _layers(seen, key: str) -> list[str]:
    """The layers in the order they will have; the order is the reader's to confirm."""
    shapes = {name: (" × ".join(map(str, shape)), kind) for name, shape, kind in seen.layers}
    order = st.multiselect("Layers, first to last", list(shapes), list(seen.order), key=f"{key}-order",
                           help="Sorted by name, counting the numbers in it. Take out and add again to change the order.")
    roles = {"labels": seen.labels_key, "logits": seen.logits_key, "probabilities": seen.probabilities_key, "ids": seen.ids_key}
    told = [f"{role} in “{key}”" for role, key in roles.items() if key]
    rows = [{"Place": place + 1, "Layer": name, "Shape": shapes[name][0], "Type": shapes[name][1]} for place, name in enumerate(order)]
    st.dataframe(rows, hide_index=True, height="content" if len(rows) <= 6 else 248, key=f"{key}-layers",
                 alt=f"{len(rows)} layers in their order")
    for line in filter(None, ("Found " + ", ".join(told) if told else "", *seen.notes)):
        st.caption(f":material/info: {plain(line)}")
    return order


def _keep_representation(found, stem: str, key: str) -> None:
    classes = count(len(found.classes), "class", "classes") if found.classes else "no labels"
    logits = ["logits"] if found.logits is not None else []
    st.markdown(" · ".join([count(len(found), "item"), count(len(found.layers), "layer"), classes, *logits]))
    name = st.text_input("Name", stem, key=f"{key}-name").strip() or stem
    if st.button("Keep this representation", type="primary", icon=":material/save:", key=f"{key}-keep"):
        kept = store.default().put_representation(found, facts={"name": name})
        workspace.choose(model=f"rep:{kept}")
        _done(f"Kept. {name} stands among the models now.", "arrays-file", "arrays-labels-file")


# uploads

def _turn(key: str) -> str:
    """A widget's key that changes when its content was used, which empties it and lets an upload go."""
    return f"{key}-{st.session_state.get(f'_{key}-turn', 0)}"


def _uploader(key: str, words: str):
    upload = st.file_uploader(words, key=_turn(f"{key}-file"))
    if upload is None:
        st.session_state.pop(f"_{key}-made", None)
    return upload


def _done(said: str, *keys: str) -> None:
    """Empty the controls, say what happened, and show the workspace with it."""
    for key in keys:
        st.session_state[f"_{key}-turn"] = st.session_state.get(f"_{key}-turn", 0) + 1
        st.session_state.pop(f"_{key.removesuffix('-file')}-made", None)
    messages.later(said)
    st.rerun()


@contextmanager
def _file(upload):
    """The uploaded bytes as a file of their own name, gone afterwards; None for no upload."""
    if upload is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="sextant-") as folder:
        path = Path(folder) / (Path(upload.name).name or "upload")
        path.write_bytes(upload.getbuffer())
        yield path


def _once(key: str, content, make):
    """What was made of the same content a moment ago, or made now; one is kept for each control, and it is let go with the upload."""
    at = digest(repr(content))
    kept = st.session_state.get(f"_{key}-made")
    if kept is None or kept[0] != at:
        kept = st.session_state[f"_{key}-made"] = (at, make())
    return kept[1]
