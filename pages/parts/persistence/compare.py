"""How far apart diagrams lie: a matrix between layers, checkpoints or models, and the matching behind one of its cells."""

import numpy as np
import pandas as pd
import streamlit as st

from analysis import engine
from analysis.figures import comparison as figures
from analysis.figures.template import picked
from analysis.metrics import persistence
from analysis.metrics.survey import Survey
from analysis.studies import persistence as studies
from pages.parts import chart as charts
from pages.parts import job, workspace
from pages.parts.messages import plain
from pages.parts.persistence import ranking, surveys
from pages.parts.persistence.cloud import Cloud

KINDS = {"Wasserstein": "wasserstein", "Bottleneck": "bottleneck", "Sliced Wasserstein": "sliced"}
MOST = 500  # bars of each H1 diagram that are matched, the longest: the cost grows with the cube. H0, all born at 0, has a quick way for all


def draw(cloud: Cloud, at: workspace.Workspace) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        between = st.segmented_control("Between", ["Layers", "Checkpoints", "Models"], default="Layers", key="persistence_between", bind="query-params",
                                       required=True)
        kind = st.selectbox("Distance", list(KINDS), key="persistence_distance", bind="query-params", width=190)
        dim = st.segmented_control("Of", ["H0", "H1"], default="H1", key="persistence_dim", bind="query-params", required=True)
        relative = st.toggle("In units of the spread", True, key="persistence_relative", bind="query-params",
                             help="Each diagram divided by the spread of its cloud: otherwise the scale of a layer decides everything.")
    series = _series(between, cloud, at)
    if isinstance(series, str):
        st.info(series, icon=":material/info:")
        return
    survey = series.found()
    if survey is None or len(survey) < len(series.names):
        return
    options = {"dim": int(dim[1]), "kind": KINDS[kind], "relative": relative, "bars": max(survey.n) if dim == "H0" else MOST}
    found = job.study(studies.distances, {"survey": engine.Ref.result(series.result)}, options, key="persistence-distances",
                      words=f"{kind} distances between {len(survey)} diagrams.")
    if found is None:
        return
    pair = _pair(found, between)
    st.markdown(_told(found, kind, dim))
    left, right = st.columns(2, gap="medium")
    with left:
        made = figures.matrix(found.matrix, found.names, title=f"{kind} distance of {dim}", unit="spreads" if relative else "", bounds=found.bounds, at=pair)
        charts.show(made, alt=f"{kind} distances of {dim} between {', '.join(found.names)}", key="persistence-matrix", on_select=lambda: _take(between),
                    table=pd.DataFrame(found.matrix, columns=found.names).assign(**{"": found.names}).set_index("").reset_index())
        st.caption(f"{_counted(found, kind)} {surveys.sampled(survey)}")
        surveys.reasons(survey)
    with right:
        _matched(series.result, survey, found, pair, options, kind, dim)


def _series(between: str, cloud: Cloud, at: workspace.Workspace) -> surveys.Series | str:
    """What to survey, or why there is nothing."""
    if between == "Layers":
        return surveys.layers(cloud)
    if between == "Checkpoints":
        return (surveys.training(at, surveys.data(at)) if not at.model.startswith("rep:") else None) or surveys.no_checkpoints(at)
    if at.target.startswith("rep:"):
        return surveys.NO_ITEMS
    chosen = ranking.choice()
    return surveys.models(chosen, at.target, "persistence-models-target") if len(chosen) > 1 else "Choose at least two models."


def _counted(found, kind: str) -> str:
    """How many bars count, and what those left out could change."""
    lost = np.nan_to_num(found.bounds).max()
    what = "compared" if kind.startswith("Sliced") else "matched"
    return f"Of each diagram the {MOST} longest bars are {what}; the others could change a distance by at most {lost:.2g}." if lost else f"All bars are {what}."


def _take(between: str) -> None:
    points = st.session_state["persistence-matrix"]["selection"]["points"]
    if points:
        st.query_params["persistence_pair"] = "{}-{}-{}".format(between, *picked(points[0]["customdata"]))


def _pair(found, between: str) -> tuple[int, int]:
    """The pair in the address, when it is one of these, else the two that lie farthest apart."""
    of, *parts = st.query_params.get("persistence_pair", "").split("-")
    if of == between and len(parts) == 2 and all(p.isdecimal() and int(p) < len(found.names) for p in parts):
        return int(parts[0]), int(parts[1])
    return tuple(int(v) for v in np.unravel_index(np.nan_to_num(found.matrix).argmax(), found.matrix.shape))


def _matched(key: str, survey: Survey, found, pair: tuple[int, int], options: dict, kind: str, dim: str) -> None:
    names = [found.names[i] for i in pair]
    if options["kind"] == "sliced":
        st.info("Sliced Wasserstein compares projections: it has no matching to draw. Choose another distance to see one.", icon=":material/info:")
        return
    value = found.matrix[pair]
    if np.isnan(value):
        st.info(plain(next((found.reasons[i] for i in pair if found.reasons[i]), "This pair is not reached yet.")), icon=":material/info:")
        return
    p, q, pairs = _matching(key, tuple(options.items()), pair, survey)
    ends = [b for b in (p, q) if len(b)]
    made = figures.matched(p, q, pairs, names=names, extent=1.03 * max((float(b.max()) for b in ends), default=1.0))
    charts.show(made, alt=f"The matching between the {dim} diagrams of {names[0]} and {names[1]}", key="persistence-matched",
                table=pd.DataFrame(pairs, columns=[names[0], f"{names[1]} ", "cost"]))
    how = "the sum of all lines" if options["kind"] == "wasserstein" else "the longest line"
    st.caption(f"{plain(names[0])} and {plain(names[1])}: {kind.lower()} distance {value:.3g}, {how}. A point without a partner goes to the diagonal.")


@st.cache_resource(max_entries=32, show_spinner="Matching …")
def _matching(key: str, options: tuple, pair: tuple, _survey: Survey):
    """The two diagrams and how they are matched."""
    of = dict(options)
    p, q = (persistence.prune(_survey.scaled(i, of["dim"], of["relative"]), of["bars"], kind=of["kind"])[0] for i in pair)
    return p, q, persistence.matching(p, q, kind=of["kind"])


def _told(found, kind: str, dim: str) -> str:
    apart = np.where(np.eye(len(found.names), dtype=bool), np.nan, found.matrix)
    if np.isnan(apart).all():
        return "There are no two diagrams to compare yet."
    far = "" if not np.isnan(apart[~np.eye(len(apart), dtype=bool)]).any() or any(found.reasons) else " of those so far"
    near, least = np.unravel_index(np.nanargmin(apart), apart.shape), np.unravel_index(np.nanargmax(apart), apart.shape)
    two = lambda pair: f"{plain(found.names[pair[0]])} and {plain(found.names[pair[1]])}"
    return f"By {kind} distance of {dim}, **{two(near)}** are most alike ({apart[near]:.3g}), **{two(least)}** least ({apart[least]:.3g}){far}."
