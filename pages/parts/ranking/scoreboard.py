"""The honest scoreboard: every built-in target, RADAR under each reading, every score and every plain baseline."""

import streamlit as st

from analysis import engine
from analysis.figures import scoreboard as figures
from analysis.metrics.scoreboard import Scoreboard, gather
from analysis.studies import ranking
from analysis.studies import scoreboard as studies
from pages.parts import chart as charts
from pages.parts import job, workspace
from pages.parts.messages import count, plain

SHIPPED, HERE = "All suites, as shipped", "Computed here"


def draw(answer) -> None:
    view = st.segmented_control("Numbers", [SHIPPED, HERE], default=SHIPPED, key="ranking_numbers", bind="query-params", required=True)
    found, told = _shipped() if view == SHIPPED else _here()
    if found is None:
        answer.markdown("Does any score order the sources of a target by what they truly do for it? Every score, every reading of RADAR and every plain "
                        "baseline, over all built-in targets.")
        return
    said = figures.board_says(found)
    answer.markdown(plain(said))
    answer.caption(told)
    charts.show(figures.board(found), alt=said, key="ranking-scoreboard", table=found.table())
    st.caption("−1: the score orders the blends exactly by their harm. It comes out as it comes out. The same from a terminal: "
               "python -m analysis scoreboard")
    if found.warnings:
        with st.expander(f"Correlations over fewer blends ({len(found.warnings)})", icon=":material/warning:"):
            for warning in found.warnings:
                st.caption(plain(warning))


def _shipped() -> tuple[Scoreboard, str]:
    found, made = studies.shipped()
    return found, f"{_how(found)} Computed {made['date']} by Sextant {made['sextant']}: {made['command']}"


def _here() -> tuple[Scoreboard | None, str]:
    """What is there of the suites that are asked for; what is missing, target by target."""
    suites = st.multiselect("Suites", list(studies.SUITES), list(studies.SUITES), key="ranking_suites", bind="query-params")
    if not suites:
        st.info("Choose at least one suite.", icon=":material/info:")
        return None, ""
    every = studies.runs({"suites": suites})
    todo = {name: run for name, run in every.items() if run.model in workspace.model_options()}
    if len(todo) < len(every):
        st.caption(f":material/info: {count(len(every) - len(todo), 'target')} of texts are left out: the text model is not installed.")
    there = {name: found for name, run in todo.items() if (found := job.stored(ranking.sources, _inputs(run), run.options, key=f"ranking-{name}")) is not None}
    missing = [name for name in todo if name not in there]
    if missing:
        _compute(missing, todo)
    if not there:
        return None, ""
    found = gather(there, options={"suites": suites})
    return found, f"{len(there)} of {_how(found, len(todo))}"


def _how(found: Scoreboard, targets: int = 0) -> str:
    return (f"{count(targets or len(found.suites), 'target')}, every blend of up to 4 sources each; {studies.BUDGET} target items, {studies.SEEDS} splits, "
            f"RADAR on {studies.PAIRS:,} pairs; seed 0.").replace(",000", "\u202f000")


def _compute(missing: list[str], todo: dict) -> None:
    """One target after the other, each kept by itself: what is done stays, also after a cancel."""
    going = st.toggle(f"Compute what is missing ({len(missing)} of {count(len(todo), 'target')}, about a minute each)", False, key="ranking_going")
    if going:
        name = missing[0]
        job.study(ranking.sources, _inputs(todo[name]), todo[name].options, key="ranking-going-run", words=plain(name))


def _inputs(run: studies.Run) -> dict:
    entry = lambda dataset: {"model": engine.Ref.model(run.model), "dataset": engine.Ref.dataset(dataset)}
    return {"target": entry(run.target), "sources": tuple(map(entry, run.sources))}
