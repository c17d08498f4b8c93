"""What is measured: which models, on which items, how many pairs; and what came of it."""

from dataclasses import dataclass

import streamlit as st

from analysis import engine, store
from analysis.data import scenes
from analysis.errors import InputError
from analysis.metrics.sensitivity import Profile
from analysis.studies import sensitivity as studies
from pages.parts import job, workspace
from pages.parts.messages import count, grouped, plain
from pages.parts.sensitivity import ranges

SCENES = "Transforms-2D"
OWN = "cut-outs · "
FROM = "cut-outs of "  # a stored zip's name follows
LARGEST = 50  # MB of a zip
MOST = 3  # models beside that of the sidebar
PAIRS = (200, 500, 1000, 2000, 5000)


@dataclass(frozen=True, eq=False)
class Subjects:
    """Models by their ids, and the items that are transformed: scenes, built in or brought along, or a dataset's own."""

    models: tuple
    scenes: str
    dataset: str
    n: int
    seed: int

    @property
    def refs(self) -> dict:
        """The items, as the study is given them."""
        if self.dataset:
            return {"dataset": engine.Ref.dataset(self.dataset)}
        return {"scenes": engine.Ref.result(self.scenes)} if self.scenes else {}

    @property
    def items(self) -> dict:
        """The same, opened."""
        return {kind: workspace.get_dataset(self.dataset) if kind == "dataset" else ref.resolve() for kind, ref in self.refs.items()}

    @property
    def known(self) -> dict:
        """The transforms that there are for them."""
        return studies.offered(self.items)[0]

    @property
    def options(self) -> dict:
        return {"n": self.n, "seed": self.seed, "knobs": ranges.turned(self.known)}

    def profile(self, model: str) -> Profile | None:
        """All its layers under all transforms."""
        layers = list(workspace.layer_widths(model))
        return job.study(studies.profile, {"model": engine.Ref.model(model), **self.refs}, {**self.options, "layers": layers}, key=f"sensitivity-{model}",
                         words=f"{plain(workspace.label(model))} under {count(len(self.known), 'transform')}, {count(self.n, 'pair')} each.")

    def pairs(self, transform: str, n: int | None = None, seed: int | None = None) -> tuple:
        """(first sides, second sides, labels or rows) of the pairs that are compared, or of a few."""
        return studies.drawn(self.items, {**self.options, **({} if n is None else {"n": n}), **({} if seed is None else {"seed": seed})}, transform)


def choose(at: workspace.Workspace, *, measured: bool) -> Subjects:
    """What the views look at; the switches of measuring where one measures."""
    if at.model.startswith("rep:"):
        raise InputError("A representation made elsewhere cannot be run on transformed items.",
                         "Choose a model in the sidebar, or look at the experiments: they train their own.")
    model = workspace.get_model(at.model)
    offered = _offered(at, model)
    asked = st.query_params.get("sensitivity_on", "")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        on = st.selectbox("Transformed", list(offered), key="sensitivity_on", bind="query-params", width=300,
                          help="Transforms-2D: drawn objects on drawn backgrounds; the objects are transformed, the backgrounds stay. Or the target's items.")
        on = on if on in offered else next(iter(offered))
        beside, n, seed = _measuring(at) if measured else ((), PAIRS[0], 0)
    if asked and asked not in offered:
        st.caption(f":material/info: “{plain(asked)}” is not here{': load the same zip under “Own cut-outs”' if asked.startswith(OWN) else ''}. "
                   f"These are {plain(on)}.")
    models = (at.model, *(m for m in beside if _fits(m, model)))
    it = Subjects(models, *offered[on], int(n), int(seed))
    with st.container(horizontal=True):
        if "image" in model.reads:
            _bring()
        if measured:
            ranges.keep(it.known)
    return it


def _measuring(at: workspace.Workspace) -> tuple:
    """(models beside that of the sidebar, pairs, seed)"""
    others = [m for m in workspace.model_options() if m != at.model and not m.startswith("rep:")]
    return (st.multiselect("Beside", others, key="sensitivity_beside", bind="query-params", format_func=workspace.label, max_selections=MOST, width=260,
                           placeholder="Other models"),
            st.select_slider("Pairs", PAIRS, 500, key="sensitivity_pairs", bind="query-params", format_func=grouped, width=200),
            st.number_input("Seed", 0, 100_000, 0, 1, key="sensitivity_seed", bind="query-params", width=110))


def _fits(other: str, model) -> bool:
    """Whether it reads the same kind of items; else it is said."""
    fits = set(workspace.get_model(other).reads) & set(model.reads)
    if not fits:
        st.caption(f":material/info: {plain(workspace.label(other))} is left out: it reads other items.")
    return bool(fits)


def _offered(at: workspace.Workspace, model) -> dict[str, tuple[str, str]]:
    """What may be transformed for the model: label -> (scenes, dataset)."""
    found = {}
    if "image" in model.reads:
        found = {SCENES: ("", "")} | {label: (key, "") for label, key in brought().items()}
    if not at.target.startswith("rep:"):
        data = workspace.get_dataset(at.target)
        if data.modality in model.reads and data.modality in ("image", "text"):
            found[workspace.label(at.target)] = ("", at.target)
    if not found:
        raise InputError(f"{model.name} reads {' or '.join(model.reads)}s, and the target holds none that can be transformed.",
                         "Choose a model of pictures, or a target of pictures or texts that the model reads.")
    return found


# cut-outs that a person brought along

def cutouts() -> tuple[dict, int]:
    """(the input that names the chosen scenes, none for the built-in ones; how many objects they have)"""
    own = brought()
    chosen = st.selectbox("Objects", [SCENES, *own], key="sensitivity_objects", bind="query-params", width=240,
                          help="Load your own under Transforms or Sensitivity: Own cut-outs.") if own else SCENES
    if chosen not in own:
        return {}, len(scenes.builtin().classes)
    ref = engine.Ref.result(own[chosen])
    return {"scenes": ref}, len(ref.resolve().classes)


def brought() -> dict[str, str]:
    """What was loaded under "Own cut-outs": label -> key."""
    folder = store.default().folder
    here = folder / "results"
    return _listed(str(folder), here.stat().st_mtime_ns if here.exists() else 0)


@st.cache_resource(max_entries=8, show_spinner=False)
def _listed(folder: str, changed: int) -> dict[str, str]:
    return {_label(entry.facts["unit"].partition(FROM)[2], entry.key): entry.key for entry in store.Store(folder).entries("results")
            if entry.facts.get("unit", "").startswith(FROM)}


def _label(file: str, key: str) -> str:
    return f"{OWN}{file.rpartition('.')[0] or file} · {key[:8]}"


def _bring() -> None:
    with st.popover("Own cut-outs", icon=":material/upload:", key="sensitivity-own"):
        st.markdown(f"A zip of pictures with an alpha channel, one for each class, named by it; up to {LARGEST} MB. A folder `backgrounds` in it replaces "
                    "ours.")
        st.file_uploader("Zip of cut-outs", ["zip"], key="sensitivity-zip", on_change=_keep, max_upload_size=LARGEST)


def _keep() -> None:
    """What cannot be used is refused with the reason, and nothing of it is kept."""
    given = st.session_state["sensitivity-zip"]
    if given is None:
        return
    try:
        made = scenes.from_zip(given.getvalue(), given.name)
    except InputError as error:
        st.session_state["_sensitivity_error"] = error
        return
    store.default().put_result(made.digest, made, {"brought": True, "unit": f"{FROM}{given.name}"})
    st.session_state["sensitivity_on"] = _label(given.name, made.digest)
