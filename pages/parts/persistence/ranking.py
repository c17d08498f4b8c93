"""Models ranked by -PR, on source data and on the target's."""

import numpy as np
import pandas as pd
import streamlit as st

from analysis import engine
from analysis.figures import comparison as figures
from analysis.models import zoo
from pages.parts import chart as charts
from pages.parts import workspace
from pages.parts.messages import count, plain
from pages.parts.persistence import surveys, words

SOURCE = "builtin:characters/printed"  # what the zoo was trained on


def choice() -> list[str]:
    """Which models of the zoo; by default all that are the end of a training."""
    return st.multiselect("Models", zoo.names(), [n for n in zoo.names() if "-step" not in n], key="persistence_models", bind="query-params")


def draw(at: workspace.Workspace, k: int) -> None:
    chosen = choice()
    options = workspace.dataset_options()
    source = st.selectbox("Source data", options, options.index(SOURCE), format_func=workspace.label, key="persistence_source", bind="query-params", width=320,
                          help="Data of the kind that the models were trained on: PR on it knows nothing of the target. The zoo learned printed characters.")
    if not chosen:
        st.info("Choose at least one model.", icon=":material/info:")
        return
    classes = len(workspace.get_dataset(source).classes)
    series = surveys.models(chosen, source, "persistence-models-source")
    first = series.found("Rank the models")
    started = first is not None or engine.find(series.result) is not None
    second = surveys.models(chosen, at.target, "persistence-models-target").found("") if started else None
    if first is None or not len(first):
        return
    table = _table(first, classes, second, k)
    st.markdown(_told(table))
    shown = table.sort_values("PR", na_position="last")
    more = {"second": shown["PR_target"], "second_low": shown["PR_target low"], "second_high": shown["PR_target high"]} if second is not None else {}
    made = figures.ranking(list(shown["model"]), shown["PR"], shown["PR low"], shown["PR high"], labels=("PR, source data", "PR_target"), **more)
    charts.show(made, alt=f"Models by Persistence Ratio, from the best: {', '.join(shown['model'])}", key="persistence-ranking", table=shown)
    sizes = f"{count(max(first.n), 'item')} of {plain(workspace.label(source))}, k = {classes}"
    st.caption(f"Whiskers: 95\u202f% jackknife intervals. Source: {sizes}; target: {plain(workspace.label(at.target))}, k = {k}. "
               f"Models are ranked by −PR {words.PUBLISHED}: the lower the ratio, the higher the rank. "
               "Whether it predicts accuracy is not measured here.")
    for survey in filter(None, (first, second)):
        for name, reason in zip(survey.names, survey.reasons, strict=True):
            if reason:
                st.caption(f":material/info: {plain(name)}: {plain(reason)}")


def _table(first, classes: int, second, k: int) -> pd.DataFrame:
    r = first.ratios(classes)
    out = pd.DataFrame({"model": first.names, "PR": r["value"], "PR low": r["low"], "PR high": r["high"], "by chance": r["chance"]})
    out["rank"] = out["PR"].rank(method="min")
    if second is not None and len(second):
        r = second.ratios(k)
        other = pd.DataFrame({"model": second.names, "PR_target": r["value"], "PR_target low": r["low"], "PR_target high": r["high"]})
        out = out.merge(other.assign(rank_target=other["PR_target"].rank(method="min")), on="model", how="left")
    else:
        out[["PR_target", "PR_target low", "PR_target high", "rank_target"]] = np.nan
    return out


def _told(table: pd.DataFrame) -> str:
    """The best model, and which others its interval does not part from it."""
    ranked = table.dropna(subset=["PR"]).sort_values("PR")
    if ranked.empty:
        return "PR cannot be computed for any of these models."
    best = ranked.iloc[0]
    close = list(ranked["model"][1:][(ranked["PR low"] <= best["PR high"])[1:]])
    tied = f"; its interval overlaps with that of {len(close)} of {len(ranked) - 1} others" if close else "; no other model's interval reaches it"
    both = table.dropna(subset=["PR", "PR_target"])
    target = f" On the target the first is **{plain(both.loc[both['PR_target'].idxmin(), 'model'])}**." if len(both) else ""
    return f"By −PR on the source data, **{plain(best['model'])}** ranks first (PR {best['PR']:.3f}){tied}.{target}"
