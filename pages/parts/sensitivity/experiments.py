"""The four experiments on the role of invariance: our full runs as shipped, and live ones, small or full; published figures beside them, marked."""

from collections.abc import Callable

import pandas as pd
import streamlit as st

from analysis import published
from analysis.figures import invariance as figures
from analysis.metrics.invariance import IDLE, KINDS, KNOBS
from analysis.studies import invariance as studies
from pages.parts import chart as charts
from pages.parts import job
from pages.parts.messages import count, plain, seconds
from pages.parts.sensitivity import subjects, words

SHIPPED, QUICK, FULL = "Our full run", "Small run, here", "Full run, here"
TIMES = {QUICK: "about a minute", FULL: "many minutes; you may leave the page meanwhile"}


def draw(name: str, answer) -> None:
    """One experiment: the question, where the numbers come from, its figures."""
    unit, look = studies.UNITS[name][0], {"carried": _carried, "mismatch": _mismatch, "importance": _importance, "harm": _harm}[name]
    inputs = {}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        source = st.segmented_control("Numbers", [SHIPPED, QUICK, FULL], default=SHIPPED, key="sensitivity_numbers", bind="query-params", required=True)
        options = dict(studies.FULL[name] if source == FULL else studies.QUICK[name])
        if source != SHIPPED:
            inputs, objects = subjects.cutouts()
            options = studies.fitted(name, options, objects) | {"seed": int(st.number_input("First seed", 0, 10_000, 0, 1, key="sensitivity_first",
                                                                                            bind="query-params", width=110))}
    if source == QUICK and name == "harm":
        options |= _knobs()
    st.caption(words.SETUPS[name])
    if source == SHIPPED:
        found, made = studies.shipped(name), studies.made(name)
        told = f"Our full run of {made['date']}, {seconds(made['seconds'])} on one core: {made['command']}."
    else:
        found = job.study(unit, inputs, options, key=f"sensitivity-{name}-{source[0]}", button="Run it",
                          words=f"Trains small networks from the start, on {'your' if inputs else 'the built-in'} cut-outs: {TIMES[source]}.")
        told = f"Live, {source.partition(',')[0].lower()}."
    if found is None:
        answer.markdown(words.QUESTIONS[name])
        return
    look(found, answer)
    with answer:
        st.caption(f"{plain(told)} {_seeded(found)} {' '.join(map(plain, found.notes))}")


def _seeded(found) -> str:
    o = found.options
    return (f"{count(o['seeds'], 'seed')} from {o['seed']}, {o['classes']} classes, {count(o['samples'], 'training picture')}, {count(o['steps'], 'step')} "
            f"of a {o['architecture']} network; 95\u202f% intervals over seeds.")


def _knobs() -> dict:
    """How the object in the corner goes with the digit, in training."""
    slider = lambda label, key, least, usual: float(st.slider(label, least, 1.0, usual, 0.1, key=f"sensitivity_{key}", bind="query-params", width=250))
    with st.container(horizontal=True):
        return {"settings": ((slider("Correlation of object and digit", "correlation", 0.0, 0.0),
                              slider("Share of pictures with an object", "availability", 0.1, 1.0)),)}


def _show(figure, says: str, key: str, table=None) -> None:
    st.markdown(plain(says))
    charts.show(figure, alt=says, key=f"sensitivity-{key}", table=table, note=True)


def _said(where, says: Callable, *given) -> None:
    where.markdown(plain(says(*given)))


def _beside(label: str, key: str, offered: list[str]) -> str:
    """Whose published figures stand beside ours."""
    return st.selectbox(label, offered, key=f"sensitivity_{key}", bind="query-params", width=300) or offered[0]


def _carried(found, answer) -> None:
    network = _beside("Published figures of", "network", list(published.INVARIANCE_CARRIED))
    theirs = {kind: dict(zip(published.INVARIANCE_CARRIED_DATA, row, strict=True)) for kind, row in published.INVARIANCE_CARRIED[network].items()}
    _said(answer, figures.kinds_says, found)
    charts.show(figures.kinds(found, theirs, by=network), alt=figures.kinds_says(found, theirs), key="sensitivity-kinds", table=_table(found, theirs),
                note=True)
    data = st.segmented_control("On", found.data, default=found.data[0], key="sensitivity_data", bind="query-params", required=True)
    _show(figures.carried(found, data), figures.carried_says(found, data), "carried", found.table())
    told = {f"{where.partition(' · ')[2]}: {why}": why for where, why in found.reasons.items()}  # whatever was trained
    for what in [what for what, why in told.items() if why != IDLE]:  # idle ones are named under the chart
        st.caption(f":material/info: {plain(what)}")


def _table(found, theirs: dict) -> pd.DataFrame:
    """Trained with the same transform, another, or none, on each kind of data: ours and the published."""
    ours, data = found.kinds(), list(dict.fromkeys((*found.data, *published.INVARIANCE_CARRIED_DATA)))
    cell = lambda i, name: ours[i, found.data.index(name)] if name in found.data else (float("nan"),) * 3
    return pd.DataFrame([{"trained with": kind, "on": name, **dict(zip(("ours", "low", "high"), cell(i, name), strict=True)),
                          "published": theirs[kind].get(name)} for i, kind in enumerate(KINDS) for name in data])


def _mismatch(found, answer) -> None:
    theirs = published.INVARIANCE_MISMATCH
    _said(answer, figures.mismatch_says, found)
    _show(figures.mismatch(found), f"Sets, in the order in which transforms join: {', '.join(found.transforms)}.", "mismatch", found.table())
    beside = theirs if max(found.tested) == len(theirs) else None  # another target is no comparison
    table = found.table()
    _show(figures.largest(found, beside), figures.largest_says(found, beside), "largest", table[table["tested with"] == max(found.tested)])
    st.caption(f"The published curve is read off a plot, give or take {published.INVARIANCE_READ:.2f}." if beside else
               f"The published curve is of a target with {len(theirs)} transforms: it stands beside the full runs.")


def _importance(found, answer) -> None:
    setup = _beside("Published figures of", "setup", list(published.INVARIANCE_IMPORTANCE))
    theirs = published.INVARIANCE_IMPORTANCE[setup]
    _said(answer, figures.importance_answer, found)
    charts.show(figures.importance(found, theirs), alt=figures.importance_says(found, theirs), key="sensitivity-importance", table=found.differences(),
                note=True)
    _show(figures.levels(found), figures.levels_says(found), "levels", found.table())


def _harm(found, answer) -> None:
    places, setting = list(range(len(found.settings))), 0
    if len(places) > 1:
        setting = st.selectbox("Training pictures", places, key="sensitivity_setting", bind="query-params", width=360,
                               format_func=lambda i: ", ".join(f"{knob} {value:g}" for knob, value in zip(KNOBS, found.settings[i], strict=True))) or 0
    theirs = published.INVARIANCE_HARM
    _said(answer, figures.harm_says, found, setting, theirs)
    charts.show(figures.harm(found, setting, theirs), alt=figures.harm_says(found, setting, theirs), key="sensitivity-harm", table=found.table(), note=True)
    for knob in KNOBS:
        if len(found.along(knob)[1]) > 1:
            _show(figures.along(found, knob, setting=setting), figures.along_says(found, knob), f"along-{knob}", found.costs(knob))
