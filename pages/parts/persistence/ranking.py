"""Models ranked by -PR, on source data and on the target's."""

import numpy as np
import pandas as pd
import streamlit as st

from analysis.figures import comparison as figures
from analysis.models import zoo
from pages.parts import chart as charts
from pages.parts import workspace
from pages.parts.messages import plain
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
    ready = first is not None and len(first) == len(chosen)  # one after the other: a cancel stops both
    brought = at.target.startswith("rep:")
    second = surveys.models(chosen, at.target, "persistence-models-target").found("") if ready and not brought else None
    if first is None or not len(first):
        return
    table = _table(first, classes, second, k)
    st.markdown(_told(table, len(chosen)))
    more = {"second": table["PR_target"], "second_low": table["PR_target low"], "second_high": table["PR_target high"]} if second is not None else {}
    names, here = list(table["model"]), at.model.removeprefix("builtin:")
    made = figures.ranking(names, table["PR"], table["PR low"], table["PR high"], labels=("source data", "target"), chance=table["by chance"],
                           at=names.index(here) if here in names else None, **more)
    shown = table.sort_values("PR", na_position="last")
    charts.show(made, alt=f"Models by Persistence Ratio, from the best: {', '.join(shown['model'])}", key="persistence-ranking", table=shown)
    st.caption(f"Source: {plain(workspace.label(source))}, k = {classes}. {surveys.sampled(first)} {words.OURS}")
    if second is not None and len(second):
        st.caption(f"Target: {plain(workspace.label(at.target))}, k = {k}. {surveys.sampled(second)}")
    st.caption(f"Models are ranked by −PR {words.PUBLISHED}: the lower the ratio, the higher the rank. Whether it predicts accuracy is not measured here."
               + (f" {surveys.NO_ITEMS} There is no PR_target." if brought else ""))
    for survey in filter(None, (first, second)):
        surveys.reasons(survey)


def _table(first, classes: int, second, k: int) -> pd.DataFrame:
    r = first.ratios(classes)
    out = pd.DataFrame({"model": first.names, "PR": r["value"], "PR low": r["low"], "PR high": r["high"], "by chance": r["chance"]})
    out["rank"] = out["PR"].rank(method="min")
    if second is not None and len(second):
        r = second.ratios(k)
        other = pd.DataFrame({"model": second.names, "PR_target": r["value"], "PR_target low": r["low"], "PR_target high": r["high"]})
        return out.merge(other.assign(rank_target=other["PR_target"].rank(method="min")), on="model", how="left")
    return out.assign(**dict.fromkeys(("PR_target", "PR_target low", "PR_target high", "rank_target"), np.nan))


def _told(table: pd.DataFrame, wanted: int) -> str:
    """The best model, and which others its interval does not part from it."""
    ranked, far = table.dropna(subset=["PR"]).sort_values("PR"), f" of the {len(table)} of {wanted} so far" if len(table) < wanted else ""
    if ranked.empty:
        return f"PR cannot be computed for any{far or ' of these models'}."
    best, rest = ranked.iloc[0], ranked.iloc[1:]
    close = int((rest["PR low"] <= best["PR high"]).sum())
    if not len(rest):
        tied = ", the only one"
    elif rest["PR low"].isna().any() or np.isnan(best["PR high"]):
        tied = ", without intervals to judge it by"
    else:
        tied = f"; its interval overlaps with that of {close} of {len(rest)} others" if close else "; no other model's interval reaches it"
    both = table.dropna(subset=["PR", "PR_target"])
    target = f" On the target the first is **{plain(both.loc[both['PR_target'].idxmin(), 'model'])}**." if len(both) else ""
    return f"By −PR on the source data, **{plain(best['model'])}** ranks first{far} (PR {best['PR']:.3f}){tied}.{target}"
