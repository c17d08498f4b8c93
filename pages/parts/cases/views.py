"""What was measured of a pair, and what lies behind it."""

import numpy as np
import pandas as pd
import streamlit as st

from analysis.figures import gain as figures
from analysis.metrics.inspection import Inspection
from pages.parts import chart as charts
from pages.parts import items
from pages.parts.cases import words
from pages.parts.cases.source import Pair
from pages.parts.messages import count, plain

LISTED = 12  # items that flipped


def answer(it: Pair, found: Inspection, before: Inspection | None) -> None:
    st.markdown(_bold(plain(found.headline())))
    if it.remedy:
        with_it, without = (_points(side.delta) if side is not None else "on its way" for side in (found, before))
        tried = ", ".join(f"{name} {', '.join(map(str, value)) if isinstance(value, list) else value}" for name, value in it.remedy.items())
        st.markdown(f"**The remedy** ({plain(tried)}): Δ {with_it}; without it {without}.")
    st.caption(f"{found.done} of {found.seeds} draws of {count(found.budget, 'target item')}, tested on {count(found.tested, 'other item')}; "
               f"{count(found.used, 'source item')} used; {found.options.get('probe', 'ridge')} probe on {plain(found.layer)}; seed "
               f"{found.options.get('seed', 0)}; 95\u202f% intervals over draws.")
    for warning in found.warnings:
        st.caption(f":material/warning: {plain(warning)}")


def _points(delta: tuple) -> str:
    mean, low, high = (f"{100 * v:+.1f}".replace("-", "−") for v in delta)
    return f"**{mean} points** ({low} to {high})"


def _bold(text: str) -> str:
    """Its first clause, which says what happened."""
    first, colon, rest = text.partition(":")
    return f"**{first}**{colon}{rest}"


def causes(found: Inspection) -> None:
    st.markdown("**What it may be owed to**")
    for cause in found.reading():
        colour = words.STRENGTHS.get(cause.strength, "gray")
        st.markdown(f":{colour}-badge[{cause.strength}] **{plain(cause.name[0].upper() + cause.name[1:])}.** {plain(cause.evidence)}")
    with st.expander("All of this in one paragraph", icon=":material/article:"):
        st.markdown(plain(found.paragraph()))


def measured(shown: Inspection) -> None:
    """Per class, and what is taken for what."""
    for draw, says, key in ((figures.per_class, figures.per_class_says, "cases-classes"), (figures.confusion, figures.confusion_says, "cases-confusion")):
        said = says(shown.gains, shown.source, names=shown.classes)
        st.markdown(plain(said))
        charts.show(draw(shown.gains, shown.source, names=shown.classes), alt=said, key=key, table=shown.table() if key == "cases-classes" else None)


def flips(it: Pair, found: Inspection) -> None:
    """Target items that changed, with what lies nearest to them in the source."""
    if not len(found.near):
        return
    which = st.segmented_control("Items that", ["turned wrong", "turned right"], default="turned wrong", key="cases_flips", bind="query-params", required=True)
    rows = (found.flipped if which == "turned wrong" else found.gained)[:LISTED]
    if not len(rows):
        st.caption(f"No item {which}.")
        return
    start, names = it.stack.starts[it.block], found.classes
    table = items.table(it.stack, rows, pictures=True).drop(columns=["Domain", "Prediction"], errors="ignore")
    table["Taken for, alone"], table["with the source"] = ([names[c] if n else "" for c, n in zip(of[rows].argmax(1), of[rows].sum(1), strict=True)]
                                                          for of in (found.before, found.after))
    table["Change"] = found.turned[rows]
    nearest = found.near[rows]
    pictures = [[items.thumbnail(it.stack, int(start + row)) for row in line] for line in nearest[:, :3].T]
    if any(p for line in pictures for p in line):
        for i, line in enumerate(pictures):
            table[f"Near {i + 1}"] = line
    else:
        table["Nearest of the source"] = [items.words(it.stack, int(start + line[0])) for line in nearest]
    table["Their labels"] = [", ".join(names[c] if c >= 0 else "–" for c in line) for line in found.near_labels[rows]]
    shown = {**items.COLUMNS, **{f"Near {i + 1}": st.column_config.ImageColumn(width=60) for i in range(3)},
             "Change": st.column_config.NumberColumn(format="%+.2f", width="small")}
    st.dataframe(table, hide_index=True, height=360, row_height=44, column_config=shown, key=f"cases-items-{which[7:]}", selection_mode="single-row",
                 on_select=lambda: _take(it, f"cases-items-{which[7:]}", rows, f"{plain(it.source)} {which}"),
                 alt=f"Target items that {which} with the source, with the nearest source items and their labels")
    st.caption(f"{count(len(rows), 'item')} of {plain(it.target)} that {which} most often; beside each the {found.near.shape[1]} nearest items of "
               f"{plain(it.source)} in {plain(found.layer)}, the first three as pictures where there are pictures. Tick one to select it.")


def _take(it: Pair, key: str, rows: np.ndarray, origin: str) -> None:
    ticked = st.session_state[key]["selection"]["rows"]
    if ticked:
        it.stack.select(rows[ticked], origin)


def curve(it: Pair) -> None:
    """How much target data it takes before the source no longer matters."""
    found = it.curve()
    if found is not None:
        said = figures.curve_says(found)
        st.markdown(plain(said))
        charts.show(figures.curve(found), alt=said, key="cases-size", table=found.table())


def distances(found: Inspection) -> None:
    """What looking at the inputs alone says."""
    low, high = found.band
    lines = [("RADAR, at all items", found.radar, "" if np.isnan(found.mc_error) else f"± {1.96 * found.mc_error:.2g} Monte Carlo"),
             ("RADAR, on halves", float(found.matched.mean()) if len(found.matched) else np.nan,
              f"{found.verdict.lower()}: null {low:.2f} to {high:.2f}" if found.verdict else "calibration is on its way"),
             ("Distance of the means, in target spreads", found.centroid / found.spread if found.spread else np.nan, f"{found.layer}; the plain baseline"),
             ("The same before the model does anything", found.gauge, "layer-0 gauge"),
             ("Nearest source item, over nearest target item", found.apart, "median of the ratio"),
             ("Labels known by the target's neighbours", found.own, "5 nearest"),
             ("Labels known by the source's neighbours", found.borrowed, "5 nearest, classes by name")]
    table = pd.DataFrame(lines, columns=["What", "Value", "Remark"])
    st.dataframe(table, hide_index=True, width=640, key="cases-distances", alt="Distances between target and source",
                 column_config={"Value": st.column_config.NumberColumn(format="%.3f")})
