"""Three clouds that teach what one number hides, with everything to move."""

import numpy as np
import streamlit as st

from analysis.figures import spectrum as figures
from analysis.metrics import projection, similarity, tas
from pages.parts import chart as charts
from pages.parts.spectrum.words import number

PERMUTATIONS = 100
KINDS = {"Jitter": "jitter", "Shuffled centres": "shuffled", "Noise": "noise"}


def draw() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = KINDS[st.segmented_control("Cloud", list(KINDS), default="Jitter", key="spectrum_cloud", bind="query-params", required=True)]
        d = st.select_slider("Dimensions d", [2, 10, 50, 100, 500, 2000], 50, key="spectrum_d", bind="query-params", width=190)
        n = st.select_slider("Points n", [100, 200, 500, 1000], 500, key="spectrum_n", bind="query-params", width=170)
        jitter = st.slider("Jitter", 0.0, 1.0, 0.1, 0.05, key="spectrum_jitter", bind="query-params", width=170, disabled=kind != "jitter")
        swapped = st.multiselect("Centres that swap", [1, 2, 3, 4], [1, 2, 3, 4], key="spectrum_swapped", bind="query-params", width=230,
                                 disabled=kind != "shuffled")
    a, b, found, band, scores = _made(kind, n, d, jitter, tuple(int(s) - 1 for s in swapped))
    near, wide = np.abs(found.k - 10).argmin(), np.abs(found.k - (n / 4 - 1)).argmin()
    beyond = found.tas[wide:int(0.9 * len(found.k))].min()
    rest = (f"stays within {number(found.tas.min(), 3)} and {number(found.tas.max(), 3)} over all k: chance" if kind == "noise" else
            f"**{number(found.tas[wide])}** for clusters (k = {found.k[wide]}), at its lowest beyond them **{number(beyond)}**")
    st.markdown(f"CKA says **{scores['CKA, biased']:.3f}**. The spectrum says **{number(found.tas[near])}** for neighbours (k = {found.k[near]}), {rest}.")
    made = figures.spectrum([(kind, found)], null=band, floor=found.floor, scale=n / 4 if kind != "noise" else None, companions=scores, height=400)
    charts.show(made, alt=f"TAS of the two clouds over k, beside scores without k: {', '.join(f'{k} {v:.2f}' for k, v in scores.items())}",
                key="spectrum-teaching", table=found.table())
    flat = projection.layers_pca({"A": [a.astype(np.float32)], "B": [b.astype(np.float32)]})
    made = figures.clouds(flat["A"].points, flat["B"].points, np.arange(n) * 4 // n if kind != "noise" else np.zeros(n, int), names=("A", "B"))
    charts.show(made, alt=f"The two clouds of the kind {kind}, projected on two axes", key="spectrum-clouds")
    what = "two independent Gaussian clouds" if kind == "noise" else "four corners of the ±1 cube with blobs of sd 0.1; colour: the corner of an item in A"
    st.caption(f"{n} points in {d} dimensions, seed 1: {what}. Pictures: two principal axes of each, B turned to lie close to A. "
               f"Grey: 95\u202f% of {PERMUTATIONS} relabellings. Try d = 2000: CKA hardly tells jitter from shuffled centres.")


@st.cache_resource(max_entries=32, show_spinner=False)
def _made(kind: str, n: int, d: int, jitter: float, swapped: tuple):
    a, b = tas.teaching_cloud(kind, n=n, d=d, jitter=jitter, swapped=swapped)
    scores = {"CKA, biased": similarity.cka(a, b), "CKA, debiased": similarity.cka(a, b, debiased=True), "Procrustes": similarity.procrustes(a, b),
              "RSA": similarity.rsa(a, b), "mutual kNN, k=10": similarity.mutual_knn(a, b)}
    ranks = tas.ranks(a), tas.ranks(b, seed=1)
    return a, b, tas.spectrum(*ranks), tas.null_band(*ranks, permutations=PERMUTATIONS), scores
