"""Sources for a target: every blend of them."""

import streamlit as st

from analysis.figures import gain as figures
from analysis.metrics.gain import MOST, Gains
from analysis.studies import gain as measured
from analysis.studies import ranking as studies
from pages.parts import chart as charts
from pages.parts import extraction, job, workspace
from pages.parts.messages import count, plain
from pages.parts.ranking import board, switches
from pages.parts.stack import missing, stack

SPLITS = 10


def draw(at: workspace.Workspace, answer) -> None:
    here = stack(at)
    if not at.sources:
        answer.markdown("Which sources help a target? Choose some source datasets in the sidebar.")
        return
    if missing(at, here) and not extraction.panel(at, key="ranking-extract"):
        answer.markdown("Which sources help a target? For that, the model has to look at the items of each first.")
        return
    here = stack(at)
    names = here.domains[1:]
    if len(names) > MOST:
        st.info(f"{len(names)} sources make {2 ** len(names) - 1:,} blends: choose up to {MOST}.", icon=":material/info:")
        return
    layers = here.layers
    with st.container(horizontal=True, vertical_alignment="bottom"):
        offered = budgets(len(here.representations[0]))
        budget = st.select_slider("Target items that are trained on", offered, 100 if 100 in offered else offered[-1], key="ranking_budget",
                                  bind="query-params", width=420)
        turned = switches.panel("sources")
    inputs = {"target": here.entries[0], "sources": here.entries[1:]}
    options = {"names": names, "layer": at.layer if at.layer in layers else "", "budget": budget, "seeds": SPLITS}
    gains = job.study(measured.measure, inputs, options, key="ranking-gains", words=f"The gain of {count(2 ** len(names) - 1, 'blend')}, {SPLITS} splits.")
    if gains is not None:
        _gains(gains)
    seconds = (1 + 2 ** len(names)) * (2 + len(turned.get("readings", ()))) // 2
    found = job.study(studies.sources, inputs, {**options, **turned}, key="ranking-sources", button="Score the blends",
                      words=f"Scores of {count(2 ** len(names) - 1, 'blend')} beside their measured gain, RADAR among them: about {seconds} s.")
    if found is not None:
        board.draw(found, answer)
    elif gains is not None:
        answer.markdown(plain(figures.blends_says(gains)))
    else:
        answer.markdown(f"Measuring what each blend of sources does for **{plain(here.domains[0])}** …")


def _gains(found: Gains) -> None:
    said = figures.blends_says(found)
    st.markdown(f"**What each blend does.** {plain(said)}")
    charts.show(figures.blends(found), alt=said, key="ranking-blends", table=found.table())
    st.caption(f"Δ is the accuracy with the blend less that with {count(found.budget, 'target item')} alone; ridge probe, {found.done} of {found.seeds} "
               f"splits, tested on {count(found.tested, 'other item')}. Intervals are over splits, 95\u202f%.")
    for warning in found.warnings:
        st.caption(f":material/warning: {plain(warning)}")


def budgets(n: int) -> list[int]:
    return [b for b in (10, 20, 30, 50, 100, 200, 500) if b <= n // 2] or [n // 2]
