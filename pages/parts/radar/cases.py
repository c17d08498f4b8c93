"""Built-in cases: a target with sources whose trouble is known."""

from dataclasses import dataclass

import streamlit as st

from pages.parts import workspace

DIGITS, REVIEWS = "builtin:digits/handwritten", "builtin:reviews"
OWN = "What the sidebar says"


@dataclass(frozen=True)
class Case:
    """What to choose in the sidebar, and what there is to see."""

    model: str
    target: str
    sources: tuple[str, ...]
    told: str


def _graded(kind: str, what: str) -> Case:
    return Case(workspace.DEFAULT_MODEL, DIGITS, tuple(f"{DIGITS}-{kind}-{i}" for i in range(1, 6)),
                f"{what} in five steps. The score should grow with each of them.")


CASES = {
    "Graded noise": _graded("noise", "The target under more and more noise,"),
    "Graded blur": _graded("blur", "The target blurred more and more,"),
    "Other digits": Case(workspace.DEFAULT_MODEL, DIGITS,
                         ("builtin:digits/printed", "builtin:digits/seven-segment", f"{DIGITS}-inverted", f"{DIGITS}-occlusion-3", f"{DIGITS}-contrast-3"),
                         "Digits of other hands: printed, of a display, as a negative, behind a square, with less contrast."),
    "Same looks, other labels": Case(workspace.DEFAULT_MODEL, DIGITS, (f"{DIGITS}-turned-180", f"{DIGITS}-mirrored", f"{DIGITS}-noise-2"),
                                     "Turned by 180°, a 6 looks like a 9 and keeps its label. RADAR sees how inputs move, not what their labels mean: "
                                     "it judges them far nearer than printed digits, and they hurt far more. This is its blind spot."),
    "Review domains": Case("builtin:text/minilm", f"{REVIEWS}/film", tuple(f"{REVIEWS}/{d}" for d in ("book", "restaurant", "phone", "hotel")),
                           "Reviews of films, and of four other things, read by a sentence encoder."),
    "Languages": Case("builtin:text/minilm", f"{REVIEWS}/restaurant", tuple(f"{REVIEWS}/restaurant-{d}" for d in ("de", "fr", "es")),
                      "Reviews of restaurants in English, and in three other languages that the encoder hardly knows."),
}


def choose(at: workspace.Workspace) -> None:
    """The picker. It shows what the sidebar says, so it needs no place in the address."""
    known = [name for name, case in CASES.items() if case.model in workspace.model_options()]
    here = next((name for name in known if _chosen(CASES[name], at)), OWN)
    st.session_state["radar-case"] = here
    st.selectbox("Built-in case", [OWN, *known], key="radar-case", on_change=_take, width=240,
                 help="Sets model, target and sources in the sidebar.")


def told(at: workspace.Workspace) -> str:
    return next((case.told for case in CASES.values() if _chosen(case, at)), "")


def _chosen(case: Case, at: workspace.Workspace) -> bool:
    return (case.model, case.target, case.sources) == (at.model, at.target, at.sources)


def _take() -> None:
    case = CASES.get(st.session_state["radar-case"])
    if case is not None:
        workspace.choose(model=case.model, target=case.target, sources=case.sources)
