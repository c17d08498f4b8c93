"""RADAR: which source domain is near the target, read off how a frozen model moves both."""

import streamlit as st

from pages.parts import beside, docs, workspace
from pages.parts.messages import count, plain
from pages.parts.radar import cases, domains, field, histograms, paths, ranking, switches, triangles, words

st.title("RADAR")
answer = st.container()
at = workspace.current()
with st.container(horizontal=True, vertical_alignment="bottom"):
    cases.choose(at)
    options = switches.panel(tuple(workspace.layer_widths(at.model)))
if cases.told(at):
    st.caption(cases.told(at))

here = beside.gathered(at, answer, key="radar-extract",
                       choose="Which source will help a target? Choose one or more source datasets in the sidebar, or a built-in case.",
                       look="Which source will help a target? For that, the model has to look at the items of each first.")

# the answer

it = field.Field(here, options)
found = it.ranking()
with answer:
    if found is None:
        st.markdown(f"How far {count(len(it.sources), 'source')} stand from **{plain(it.target)}** is not known yet.")
    else:
        st.markdown(words.QUESTION)
        st.markdown("\n".join(f"- {line}" for line in words.answers(found)))
        for warning in words.contradiction(found):
            st.warning(warning, icon=":material/warning:")
        st.caption(words.gauge(found))
        if (found.ranks > 0).any():
            st.caption(words.method(found, switches.changed(options)))
        for note in found.warnings:
            st.caption(f":material/warning: {plain(note)}")

view = st.segmented_control("View", ["Ranking", "Histograms", "Where it diverges", "Layers", "Triangle", "All domains", "Readings"], default="Ranking",
                            key="radar_view", bind="query-params", required=True, label_visibility="collapsed")
if view == "Ranking":
    ranking.draw(found)
elif view == "Histograms":
    histograms.draw(it)
elif view == "Where it diverges":
    histograms.drivers(it, found)
elif view == "Layers":
    paths.draw(it)
elif view == "Triangle":
    triangles.draw(it)
elif view == "All domains":
    domains.draw(it)
else:
    domains.readings(it)

with st.expander("How to read this page", icon=":material/school:"):
    st.markdown(words.EXPLAINER)
    docs.link("radar")
