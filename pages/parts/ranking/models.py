"""Models for a dataset."""

from dataclasses import replace

import streamlit as st

from analysis import engine
from analysis.metrics.leaderboard import Leaderboard
from analysis.models import zoo
from analysis.studies import ranking as studies
from analysis.studies import tuning
from pages.parts import job, workspace
from pages.parts.messages import count, grouped, plain
from pages.parts.ranking import board, switches

SPLITS = 10


def draw(at: workspace.Workspace, answer) -> None:
    if at.target.startswith("rep:"):
        answer.markdown("A representation made elsewhere has no items that other models could look at: choose a dataset as the target.")
        return
    chosen = _choose(at)
    if len(chosen) < 2:
        st.info("Choose two models or more.", icon=":material/info:")
        return
    data = workspace.get_dataset(at.target)
    offered = _budgets(len(data))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        budget = st.select_slider("Target items that are trained on", offered, 200 if 200 in offered else offered[-1], key="ranking_items",
                                  bind="query-params", width=420)
        truth = st.segmented_control("Truth", ["Linear probe", "Fine-tuning"], default="Linear probe", key="ranking_truth", bind="query-params", required=True,
                                     help="A probe reads frozen features. Fine-tuning trains every weight: slow, and only for models of the zoo.")
        turned = switches.panel("models")
    models = tuple({"model": engine.Ref.model(_id(name)), "dataset": engine.Ref.dataset(at.target)} for name in chosen)
    named = plain(workspace.label(at.target))
    told = (f"{count(len(chosen), 'model')} on {named}: each looks at {count(len(data), 'item')} first, then cheap scores, slow ones, and the truth. "
            f"About {4 * len(chosen)} s the first time; what is stored is not computed again.")
    found = job.study(studies.models, {"models": models}, {"names": tuple(chosen), "budget": budget, "seeds": SPLITS, **turned}, key="ranking-models",
                      button="Rank the models", words=told)
    if found is None:
        answer.markdown(f"Which model should read **{named}**? Scores that need no training, beside the accuracy that training gives.")
    elif truth == "Linear probe":
        board.draw(found, answer)
    else:
        tuned = _tuned(at, chosen, budget)
        if tuned is not None:
            board.draw(replace(found, truth=tuned.truth, truth_name=tuned.truth_name, warnings=(*found.warnings, *tuned.warnings)), answer,
                       f"fine-tuning on {grouped(tuned.budget)} of {count(tuned.n, 'item')}, {count(tuned.options['steps'], 'step')} of AdamW")


def _tuned(at: workspace.Workspace, chosen: list[str], budget: int) -> Leaderboard | None:
    """What training every weight comes to."""
    inputs = {"models": tuple(engine.Ref.model(_id(name)) for name in chosen), "dataset": engine.Ref.dataset(at.target)}
    minutes = 8 * len(chosen) * tuning.PLAIN["seeds"] // 60 + 1
    return job.study(tuning.finetune, inputs, {"names": tuple(chosen), "budget": budget}, key="ranking-tuning", button="Fine-tune the models",
                     words=f"{count(len(chosen), 'model')}, {tuning.PLAIN['seeds']} times each: about {count(minutes, 'minute')}.")


def _choose(at: workspace.Workspace) -> list[str]:
    modality = workspace.get_dataset(at.target).modality
    fits = [name for name in zoo.names() if zoo.card(name)["modality"] == modality]
    more = [name for name in ("raw", "text/minilm") if f"builtin:{name}" in workspace.model_options()]
    fits += [name for name in more if modality in workspace.get_model(f"builtin:{name}").reads]
    fits += [model for model in workspace.model_options() if model.startswith("store:") and modality in workspace.get_model(model).reads]
    usual = [name for name in fits if "-step" not in name and "finetuned" not in name]
    return st.multiselect("Models", fits, usual, key="ranking_models", bind="query-params", format_func=lambda name: workspace.label(_id(name)),
                          help="Models that read such items. Checkpoints of a training and fine-tuned models are in the list too.")


def _id(name: str) -> str:
    return name if name.startswith("store:") else f"builtin:{name}"


def _budgets(n: int) -> list[int]:
    return [b for b in (20, 50, 100, 200, 500, 1000) if b <= n // 2] or [n // 2]
