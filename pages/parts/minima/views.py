"""What a ranking of ways to grow shows, and the valley of each."""

import pandas as pd
import streamlit as st

from analysis.digest import digest
from analysis.figures import growth as figures
from analysis.figures import minima as valleys
from analysis.figures.template import picked
from analysis.metrics.growth import SIZES, Growth, Valley
from analysis.studies.growth import NOT_TRAINED
from pages.parts import chart as charts
from pages.parts.messages import count, grouped, plain
from pages.parts.minima.base import Base, candidates
from pages.parts.minima.words import NAMES

KINDS = {"Kendall's τ": "kendall", "Spearman": "spearman", "Pearson": "pearson"}
FEW = 3  # warnings that stand open
GIVEN = {**KINDS, "Given size": "partial"}


def answer(where, it: Base, found: Growth) -> None:
    """The function check before anything else, then the verdict: a plain sentence, and the numbers that it rests on."""
    lead, evidence = _verdict(_key(found), _metric(found), not found.final and it.stopped, found)
    with where:
        st.markdown(f"{plain(figures.check_says(found))} **{plain(lead)}**")
        if evidence:
            st.markdown(plain(evidence))
        o = found.options
        st.caption(f"{plain(it.told)} {candidates(found)}; {count(o['branches'], 'branch', 'branches')} of {count(found.steps[0], 'step')}, "
                   f"ε {found.epsilon:g}; gain after {count(found.steps[1], 'step')}, {count(o['seeds'], 'seed')} from {o['seed']}; 95\u202f% intervals.")
        ours, *notes = found.notes
        st.caption(f":violet-badge[our reading] {plain(ours)} {' '.join(map(plain, notes))}")
        _warn(found.warnings)


def _warn(warnings) -> None:
    """That nothing can be learned from a base that is not trained is to be seen; the rest is there to be read, and opened where it is much."""
    rest = [warning for warning in warnings if not warning.startswith(NOT_TRAINED)]
    for warning in warnings:
        if warning not in rest:
            st.warning(plain(warning), icon=":material/warning:")
    with st.expander(f"{len(rest)} warnings", icon=":material/warning:") if len(rest) > FEW else st.container():
        for warning in rest:
            st.caption(f":material/warning: {plain(warning)}")


def _metric(found: Growth) -> str:
    """That of the select box, which a link may have set and which is drawn later, or not in this view."""
    linked = st.query_params.get("minima_metric")
    asked = st.session_state.get("minima_metric") or next((name for name in found.metrics if found.title(name) == linked), None)
    return asked if asked in found.metrics else "distance"


def pays(found: Growth) -> None:
    """One size or proxy beside the gain."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        metric = st.selectbox("Size or proxy", found.metrics, key="minima_metric", bind="query-params", format_func=found.title, width=280) or "distance"
        kind = KINDS[st.segmented_control("Agreement", list(KINDS), default="Kendall's τ", key="minima_kind", bind="query-params", required=True)]
    (against, said), (within, apart), parts = _beside(_key(found), metric, kind, found)
    st.markdown(plain(said))
    charts.show(against, alt=said, key="minima-against", table=found.table(), on_select=lambda: _take(found), selection_mode="points", note=True)
    st.caption(NAMES)
    st.markdown(plain(apart))
    charts.show(within, alt=apart, key="minima-within", table=parts, note=True)


def _take(found: Growth) -> None:
    """A click on a candidate: its valley is the one that is looked at."""
    points = st.session_state["minima-against"]["selection"]["points"]
    if points and points[0].get("customdata") is not None:
        st.session_state["minima_candidate"] = found.names[picked(points[0]["customdata"])]


def board(found: Growth) -> None:
    """All sizes and proxies, and the plain number of parameters."""
    kind = GIVEN[st.segmented_control("Agreement", list(GIVEN), default="Kendall's τ", key="minima_given", bind="query-params", required=True,
                                      help="Given size: Pearson's correlation given the logarithm of the number of parameters.")]
    told = _summary(_key(found), found)
    said = figures.board_says(found, kind, told=told)
    st.markdown(plain(said))
    charts.show(figures.board(found, kind, told=told), alt=said, key="minima-board", table=told, note=True)


def robust(found: Growth) -> None:
    metrics = st.multiselect("Sizes", list(SIZES), ["distance"], key="minima_sizes", bind="query-params", format_func=SIZES.get, width=420) or ["distance"]
    told = {metric: _robust(_key(found), metric, found) for metric in metrics}
    said = figures.robust_says(found, metrics, told=told)
    st.markdown(plain(said))
    table = pd.concat([moved.table().assign(size=found.title(metric)) for metric, moves in told.items() for moved in moves.values()], ignore_index=True)
    charts.show(figures.robust(found, metrics, told=told), alt=said, key="minima-robust", table=table, note=True)


def cost(found: Growth) -> None:
    said = figures.cost_says(found)
    st.markdown(plain(said))
    charts.show(figures.cost(found), alt=said, key="minima-cost", table=_summary(_key(found), found)[["title", "seconds", "steps"]], note=True)


@st.cache_resource(max_entries=64, show_spinner=False)
def _verdict(key: str, metric: str, stopped: bool, _found: Growth) -> tuple[str, str]:
    return _found.lead(metric, stopped=stopped), _found.evidence(metric)


@st.cache_resource(max_entries=64, show_spinner=False)
def _beside(key: str, metric: str, kind: str, _found: Growth) -> tuple:
    """(figure, its words) over all candidates, and part by part, and the numbers of the parts."""
    return (*((draw(_found, metric, kind), says(_found, metric, kind))
              for draw, says in ((figures.against, figures.against_says), (figures.within, figures.within_says))),
            figures.within_table(_found, metric, kind))


@st.cache_resource(max_entries=16, show_spinner=False)
def _summary(key: str, _found: Growth):
    return _found.summary()


@st.cache_resource(max_entries=64, show_spinner=False)
def _robust(key: str, metric: str, _found: Growth) -> dict:
    return _found.robust(metric)


def _key(found: Growth) -> str:
    """Of the numbers: a partial result is another one than that which follows it."""
    return digest(found.names, found.families, found.proxies, found.distances, found.barriers, found.losses, found.starts, found.epsilon, found.radius,
                  found.values, found.accuracy, found.parameters, found.proxy_seconds, found.reasons, found.final)


def check(found: Growth) -> None:
    said = figures.check_says(found)
    st.markdown(plain(said))
    charts.show(figures.check(found), alt=said, key="minima-check", table=found.table()[["name", "family", "parameters", "check"]], note=True)


# one valley

def valley(it: Base, found: Growth | None) -> None:
    """Of the base, or of what it grew into."""
    names = found.names if found is not None else ("base",)
    name = st.selectbox("Network", names, key="minima_candidate", bind="query-params", width=320) or names[0]
    seen = it.valley(name, found.changes[names.index(name)] if found is not None else ())
    if seen is None:
        return
    if it.shipped:
        st.caption("This valley is computed here, live, with the settings of our run: other machines differ in the last digits.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        epsilon = st.select_slider("ε, how much the loss may rise", seen.epsilons, seen.epsilon, key="minima_epsilon", bind="query-params", width=320,
                                   format_func=lambda v: f"{v:g}")
        k = st.slider("Branches", 2, len(seen.seeds), len(seen.seeds), key="minima_first", bind="query-params", width=240,
                      help="Sizes of the first so many branches; the pictures show all of them.") if len(seen.seeds) > 2 else 2
    _sizes(seen, float(epsilon), int(k))
    for draw, says, table, key in ((valleys.barriers, valleys.barriers_says, seen.pairs_table(epsilon), "barriers"),
                                   (valleys.between, valleys.between_says, seen.lines_table(), "between"),
                                   (valleys.plane, valleys.plane_says, seen.plane_table(), "plane"),
                                   (valleys.rose, valleys.rose_says, seen.radius_table(), "rose")):
        said = says(seen, epsilon=float(epsilon))
        st.markdown(plain(said))
        charts.show(draw(seen, epsilon=float(epsilon)), alt=said, key=f"minima-{key}", table=table, note=True)
    for draw, says, table, key in ((valleys.leaving, valleys.leaving_says, seen.paths_table(), "leaving"),
                                   (valleys.losses, valleys.losses_says, seen.table(float(epsilon)), "losses")):
        st.markdown(plain(says(seen)))
        charts.show(draw(seen), alt=says(seen), key=f"minima-{key}", table=table, note=True)


def _sizes(seen: Valley, epsilon: float, k: int) -> None:
    """Every size at this epsilon, of so many branches, with what it is spread over."""
    sizes, why, spread = (tell(epsilon=epsilon, branches=k) for tell in (seen.at, seen.reason, seen.spread))
    told = ", ".join(f"{SIZES[name].lower()} **{_number(value)}**{_over(name, spread)}" for name, value in sizes.items() if value == value)
    st.markdown(f"{told[:1].upper()}{told[1:]} :violet-badge[our estimators]")
    if why:
        st.caption(f":material/info: {plain(why)}")
    _warn(seen.warnings)
    changed = f"The function is kept to {_number(float(f'{seen.check:.1g}'))} in the logits. " if seen.changes else ""
    st.caption(f"{changed}{grouped(seen.parameters)} parameters; branches start at a loss of {seen.start_loss:.3f} and an accuracy of "
               f"{100 * seen.start_accuracy:.1f}\u202f% on the test items.")


def _over(name: str, spread: dict) -> str:
    low, high = spread.get(name, (float("nan"),) * 2)
    over = "from {} to {} over pairs" if name == "distance" else "95\u202f% interval of the mean {} to {}"
    return f" ({over.format(_number(low), _number(high))})" if low == low else ""


def _number(value: float) -> str:
    return (grouped(round(value)) if abs(value) >= 1000 else f"{value:.3g}").replace("e-0", "e-").replace("-", "−")
