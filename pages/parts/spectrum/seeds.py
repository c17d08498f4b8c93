"""The convergence study: do other seeds find the same neighbourhoods, and what does fine-tuning change?"""

import numpy as np
import pandas as pd
import streamlit as st

from analysis import engine
from analysis.figures import layers as heat
from analysis.figures import spectrum as figures
from analysis.metrics.comparison import Convergence
from analysis.models import zoo
from analysis.studies import spectrum as studies
from pages.parts import chart as charts
from pages.parts import job, workspace
from pages.parts.messages import count, plain
from pages.parts.spectrum.sides import readings
from pages.parts.spectrum.views import choose_k
from pages.parts.spectrum.words import OURS, PUBLISHED, number


def draw(at: workspace.Workspace, answer) -> None:
    tuned = [n for n in zoo.names() if n.endswith("-finetuned")]
    models = [n.removesuffix("-finetuned") for n in tuned]
    st.markdown(f"The paper's claim, in words {PUBLISHED}: fine-tuning reorganises every scale; seeds disagree locally; the scale of class clusters dominates. "
                f"Here the same is measured live on {count(len(models), 'seed')} of the zoo {OURS}: PT as first trained on printed characters, "
                "FT after fine-tuning on handwritten digits.")
    if at.target.startswith("rep:") or workspace.get_dataset(at.target).modality != zoo.card(models[0])["modality"]:
        st.info("These models read images: choose a target dataset of pictures.", icon=":material/info:")
        return
    inputs = {"models": [engine.Ref.model(f"builtin:{n}") for n in models], "tuned": [engine.Ref.model(f"builtin:{n}") for n in tuned],
              "dataset": engine.Ref.dataset(at.target)}
    found = job.study(studies.convergence, inputs, readings(), key="spectrum-seeds", button="Compare the seeds",
                      words=f"{len(models)} seeds before and after fine-tuning, every pair, measured on {plain(workspace.label(at.target))}.")
    if found is None or not any(found.groups().values()):
        answer.markdown("Do models that differ in their seed alone find the same neighbourhoods, and what does fine-tuning change?")
        return
    answer.markdown(told(found))
    look(found, at)


@st.fragment
def look(found: Convergence, at: workspace.Workspace) -> None:
    scale = found.n / found.clusters if found.clusters else None
    k = choose_k(found.k, int(scale) - 1 if scale else 10)
    made = figures.convergence({g: [c for _, c in pairs] for g, pairs in found.groups().items() if pairs}, null=found.null(), scale=scale, at=k)
    charts.show(made, alt="TAS over k of pairs of seeds: before fine-tuning, after it, and across", key="spectrum-seeds-chart", table=found.table())
    names = list(dict.fromkeys(n for pair in found.pairs for n in pair))
    matrix = np.full((len(names), len(names)), np.nan)
    np.fill_diagonal(matrix, 1)
    for (a, b), values in zip(found.pairs, found.tas, strict=True):
        matrix[names.index(a), names.index(b)] = matrix[names.index(b), names.index(a)] = values[found.at(k)]
    made = heat.by_layers(matrix, names, names, k=int(found.k[found.at(k)]), title=f"Every model with every other, k = {found.k[found.at(k)]}", height=420)
    charts.show(made, alt=f"TAS between all models at k = {k}", key="spectrum-models", table=pd.DataFrame(matrix, columns=names).assign(model=names))
    st.caption(f"{count(found.n, 'item')} of {plain(workspace.label(at.target))}, last layer of each model, seed 0; bands from the lowest to the highest pair: "
               "so few have no interval. Two things mix in here: the fine-tuned models saw two thirds of the handwritten digits with their labels, and "
               "vit/seed2-finetuned saw coloured ones too.")


def told(found: Convergence) -> str:
    """The groups' means at the near and the cluster scale."""
    scale = int(found.n / found.clusters) - 1 if found.clusters else int(found.k[-1] // 2)
    means = {g: np.mean([c.tas for _, c in pairs], axis=0) for g, pairs in found.groups().items() if pairs}
    near, wide = found.at(10), found.at(scale)
    pairs = {g: len(each) for g, each in found.groups().items()}
    parts = [f"{g} ({pairs[g]}) **{number(m[near])}** near (k = {found.k[near]}), **{number(m[wide])}** at clusters (k = {found.k[wide]})"
             for g, m in means.items()]
    chance = found.null()
    band = "" if chance is None else f" Chance: {number(chance.low[near], 3)} to {number(chance.high[near], 3)} near."
    return "Mean TAS over pairs: " + "; ".join(parts) + f".{band}"
