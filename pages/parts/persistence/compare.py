"""How far apart diagrams lie: a matrix between layers, checkpoints or models, and the matching behind one of its cells."""

import numpy as np
import pandas as pd
import streamlit as st

from analysis import engine
from analysis.figures import comparison as figures
from analysis.figures.persistence import picked
from analysis.metrics import persistence
from analysis.metrics.survey import Survey
from analysis.studies import persistence as studies
from pages.parts import chart as charts
from pages.parts import job, workspace
from pages.parts.messages import plain
from pages.parts.persistence import ranking, surveys
from pages.parts.persistence.cloud import Cloud

KINDS = {"Wasserstein": "wasserstein", "Bottleneck": "bottleneck", "Sliced Wasserstein": "sliced"}
MOST = 500  # bars of each diagram that are matched, the longest: the cost grows with the cube. H0, all born at 0, has a way that takes all


def draw(cloud: Cloud, at: workspace.Workspace) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        between = st.segmented_control("Between", ["Layers", "Checkpoints", "Models"], default="Layers", key="persistence_between", bind="query-params",
                                       required=True)
        kind = st.selectbox("Distance", list(KINDS), key="persistence_distance", bind="query-params", width=190)
        dim = st.segmented_control("Of", ["H0", "H1"], default="H1", key="persistence_dim", bind="query-params", required=True)
        relative = st.toggle("In units of the spread", True, key="persistence_relative", bind="query-params",
                             help="Each diagram divided by the spread of its cloud: otherwise the scale of a layer decides everything.")
    series = _series(between, cloud, at)
    if series is None:
        st.info(f"The zoo keeps no checkpoints of {plain(workspace.label(at.model))}." if between == "Checkpoints" else "Choose at least two models.",
                icon=":material/info:")
        return
    survey = series.found()
    if survey is None or engine.stored(studies.survey, series.inputs, series.options) is None:
        return
    every = dim == "H0" and KINDS[kind] != "sliced"
    options = {"dim": int(dim[1]), "kind": KINDS[kind], "relative": relative, "bars": max(survey.n) if every else MOST}
    found = job.study(studies.distances, {"survey": engine.Ref.result(series.result)}, options, key="persistence-distances",
                      words=f"{kind} distances between {len(survey)} diagrams.")
    if found is None:
        return
    pair = _pair(found)
    st.markdown(_told(found, kind, dim))
    left, right = st.columns(2, gap="medium")
    with left:
        made = figures.matrix(found.matrix, found.names, title=f"{kind} distance of {dim}", unit="spreads" if relative else "", bounds=found.bounds, at=pair)
        charts.show(made, alt=f"{kind} distances of {dim} between {', '.join(found.names)}", key="persistence-matrix", on_select=_take,
                    table=pd.DataFrame(found.matrix, columns=found.names).assign(**{"": found.names}).set_index("").reset_index())
        st.caption(f"Of each diagram the {MOST} longest bars are matched; what is left out could change a distance by at most "
                   f"{float(np.nanmax(found.bounds)):.2g}." if np.nanmax(found.bounds) > 0 else "All bars are matched.")
    with right:
        _matched(survey, found, pair, options, kind, dim)


def _series(between: str, cloud: Cloud, at: workspace.Workspace) -> surveys.Series | None:
    if between == "Layers":
        return surveys.layers(cloud)
    if between == "Checkpoints":
        return surveys.training(at, surveys.data(at))
    chosen = ranking.choice()
    return surveys.models(chosen, at.target, "persistence-models-target") if len(chosen) > 1 else None


def _take() -> None:
    points = st.session_state["persistence-matrix"]["selection"]["points"]
    if points:
        st.query_params["persistence_pair"] = "{}-{}".format(*picked(points[0]["customdata"]))


def _pair(found) -> tuple[int, int]:
    """The pair in the address, else the two that lie farthest apart."""
    parts = st.query_params.get("persistence_pair", "").split("-")
    if len(parts) == 2 and all(p.isdecimal() and int(p) < len(found.names) for p in parts):
        return int(parts[0]), int(parts[1])
    return tuple(int(v) for v in np.unravel_index(np.nan_to_num(found.matrix).argmax(), found.matrix.shape))


def _matched(survey: Survey, found, pair: tuple[int, int], options: dict, kind: str, dim: str) -> None:
    names = [found.names[i] for i in pair]
    if options["kind"] == "sliced":
        st.info("Sliced Wasserstein compares projections: it has no matching to draw. Choose another distance to see one.", icon=":material/info:")
        return
    value = found.matrix[pair]
    if np.isnan(value):
        st.info(plain(next(found.reasons[i] for i in pair if found.reasons[i])), icon=":material/info:")
        return
    p, q = (persistence.prune(survey.scaled(i, options["dim"], options["relative"]), options["bars"], kind=options["kind"])[0] for i in pair)
    pairs = persistence.matching(p, q, kind=options["kind"])
    ends = [b for b in (p, q) if len(b)]
    made = figures.matched(p, q, pairs, names=names, extent=1.03 * max((float(b.max()) for b in ends), default=1.0))
    charts.show(made, alt=f"The matching between the {dim} diagrams of {names[0]} and {names[1]}", key="persistence-matched",
                table=pd.DataFrame(pairs, columns=[names[0], f"{names[1]} ", "cost"]))
    how = "the sum of all lines" if options["kind"] == "wasserstein" else "the longest line"
    st.caption(f"{plain(names[0])} and {plain(names[1])}: {kind.lower()} distance {value:.3g}, {how}. A point without a partner goes to the diagonal.")


def _told(found, kind: str, dim: str) -> str:
    apart = np.where(np.eye(len(found.names), dtype=bool), np.nan, found.matrix)
    if np.isnan(apart).all():
        return "There is only one diagram."
    near, far = np.unravel_index(np.nanargmin(apart), apart.shape), np.unravel_index(np.nanargmax(apart), apart.shape)
    two = lambda pair: f"{plain(found.names[pair[0]])} and {plain(found.names[pair[1]])}"
    return f"By {kind} distance of {dim}, **{two(near)}** are most alike ({apart[near]:.3g}), **{two(far)}** least ({apart[far]:.3g})."
