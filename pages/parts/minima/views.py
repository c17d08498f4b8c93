"""What a ranking of ways to grow shows, and the valley of each."""

import streamlit as st

from analysis.digest import digest
from analysis.figures import growth as figures
from analysis.figures import minima as valleys
from analysis.figures.template import picked
from analysis.metrics.growth import SIZES, Growth, Valley
from pages.parts import chart as charts
from pages.parts.messages import count, grouped, plain
from pages.parts.minima.base import Base, candidates

KINDS = {"Kendall's τ": "kendall", "Spearman": "spearman", "Pearson": "pearson"}
GIVEN = {**KINDS, "Given size": "partial"}


def answer(where, it: Base, found: Growth) -> None:
    """The function check before anything else, then the verdict."""
    with where:
        st.markdown(f"{plain(figures.check_says(found))} {plain(_verdict(_key(found), _metric(found), found))}")
        o = found.options
        st.caption(f"{plain(it.told)} {candidates(found)}; {count(o['branches'], 'branch', 'branches')} of {count(found.steps[0], 'step')}, "
                   f"ε {found.epsilon:g}; gain after {count(found.steps[1], 'step')}, {count(o['seeds'], 'seed')} from {o['seed']}; 95\u202f% intervals.")
        ours, *notes = found.notes
        st.caption(f":violet-badge[our reading] {plain(ours)} {' '.join(map(plain, notes))}")
        for warning in found.warnings:
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
    (against, said), (within, apart) = _beside(_key(found), metric, kind, found)
    st.markdown(plain(said))
    charts.show(against, alt=said, key="minima-against", table=found.table(), on_select=lambda: _take(found), selection_mode="points", note=True)
    st.markdown(plain(apart))
    charts.show(within, alt=apart, key="minima-within", note=True)


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
    charts.show(figures.robust(found, metrics, told=told), alt=said, key="minima-robust", note=True)


def cost(found: Growth) -> None:
    said = figures.cost_says(found)
    st.markdown(plain(said))
    charts.show(figures.cost(found), alt=said, key="minima-cost", table=_summary(_key(found), found)[["title", "seconds", "steps"]], note=True)


@st.cache_resource(max_entries=64, show_spinner=False)
def _verdict(key: str, metric: str, _found: Growth) -> str:
    return _found.verdict(metric)


@st.cache_resource(max_entries=64, show_spinner=False)
def _beside(key: str, metric: str, kind: str, _found: Growth) -> tuple:
    """(figure, its words) over all candidates, and part by part."""
    return tuple((draw(_found, metric, kind), says(_found, metric, kind))
                 for draw, says in ((figures.against, figures.against_says), (figures.within, figures.within_says)))


@st.cache_resource(max_entries=16, show_spinner=False)
def _summary(key: str, _found: Growth):
    return _found.summary()


@st.cache_resource(max_entries=64, show_spinner=False)
def _robust(key: str, metric: str, _found: Growth) -> dict:
    return _found.robust(metric)


def _key(found: Growth) -> str:
    """Of the numbers: a partial result is another one than that which follows it."""
    return digest(found.names, found.families, found.proxies, found.distances, found.barriers, found.epsilon, found.radius, found.values, found.accuracy,
                  found.parameters, found.proxy_seconds, found.reasons, found.final)


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
    with st.container(horizontal=True, vertical_alignment="bottom"):
        epsilon = st.select_slider("ε, how much the loss may rise", seen.epsilons, seen.epsilon, key="minima_epsilon", bind="query-params", width=320,
                                   format_func=lambda v: f"{v:g}")
        k = st.slider("Branches", 2, len(seen.seeds), len(seen.seeds), key="minima_first", bind="query-params", width=240,
                      help="Sizes of the first so many branches; the pictures show all of them.") if len(seen.seeds) > 2 else 2
    _sizes(seen, float(epsilon), int(k))
    for draw, says, key in ((valleys.barriers, valleys.barriers_says, "barriers"), (valleys.between, valleys.between_says, "between"),
                            (valleys.plane, valleys.plane_says, "plane"), (valleys.rose, valleys.rose_says, "rose")):
        said = says(seen, epsilon=float(epsilon))
        st.markdown(plain(said))
        charts.show(draw(seen, epsilon=float(epsilon)), alt=said, key=f"minima-{key}", note=True)
    for draw, says, key in ((valleys.leaving, valleys.leaving_says, "leaving"), (valleys.losses, valleys.losses_says, "losses")):
        st.markdown(plain(says(seen)))
        charts.show(draw(seen), alt=says(seen), key=f"minima-{key}", table=seen.table() if key == "losses" else None, note=True)


def _sizes(seen: Valley, epsilon: float, k: int) -> None:
    """Every size at this epsilon, of so many branches."""
    sizes, why = seen.at(epsilon=epsilon, branches=k), seen.reason(epsilon=epsilon, branches=k)
    told = ", ".join(f"{SIZES[name].lower()} **{_number(value)}**" for name, value in sizes.items() if value == value)
    st.markdown(f"{told[:1].upper()}{told[1:]} :violet-badge[our estimators]")
    for line in (why, *seen.warnings):
        if line:
            st.caption(f":material/info: {plain(line)}")
    changed = f"The function is kept to {_number(float(f'{seen.check:.1g}'))} in the logits. " if seen.changes else ""
    st.caption(f"{changed}{grouped(seen.parameters)} parameters; branches start at a loss of {seen.start_loss:.3f} and {100 * seen.start_accuracy:.1f}\u202f% "
               "of the test items.")


def _number(value: float) -> str:
    return (grouped(round(value)) if abs(value) >= 1000 else f"{value:.3g}").replace("e-0", "e-").replace("-", "−")
