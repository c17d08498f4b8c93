"""Every pair of the workspace's domains: predicted beside measured."""

import streamlit as st

from analysis.figures import gain as figures
from analysis.figures.template import picked
from analysis.studies import case as studies
from pages.parts import chart as charts
from pages.parts import job
from pages.parts.messages import count, plain
from pages.parts.stack import Stack

TITLE = "RADAR score, lower is nearer"


def draw(here: Stack, budget: int) -> None:
    pairs = len(here.entries) * (len(here.entries) - 1)
    if pairs < 2:
        st.info("Choose more domains in the sidebar.", icon=":material/info:")
        return
    found = job.study(studies.pairs, {"domains": here.entries}, {"names": here.domains, "budget": budget}, key="cases-pairs", button="Measure every pair",
                      words=f"{count(pairs, 'pair')} of {count(len(here.entries), 'domain')}: RADAR and the gain with {count(budget, 'target item')} of each; "
                            f"about {pairs} s.")
    if found is None:
        return
    names, predicted, measured, intervals = found.quadrant()
    look = {"predicted_title": TITLE, "direction": -1, "split": found.split}
    said = figures.quadrant_says(names, predicted, measured, intervals, **look)
    st.markdown(plain(said))
    charts.show(figures.quadrant(names, predicted, measured, intervals, log=True, **look), alt=said, key="cases-quadrant", table=found.table(),
                on_select=lambda: _take(found), selection_mode="points")
    bad = found.looked_good_but_hurt()
    if bad:
        st.markdown("**Looked good, hurt:** " + "; ".join(f"{plain(target)} from {plain(source)}" for target, source in bad) + ".")
    st.caption("Looked good: RADAR no higher than the median of these pairs. Hurt: the interval of Δ lies below 0. Click a pair of the present target to look "
               "into it.")
    for what, why in found.reasons.items():
        st.caption(f":material/info: {plain(what)}: {plain(why)}")


def _take(found) -> None:
    """A click on a pair chooses its source, where its target is the one that is looked at."""
    points = st.session_state["cases-quadrant"]["selection"]["points"]
    if points and points[0].get("customdata") is not None:
        place = picked(points[0]["customdata"])
        target, source = found.places[place]
        if target == 0:
            st.session_state["cases_source"] = found.names[source]
