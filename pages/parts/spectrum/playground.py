"""Three clouds that teach what one number hides, with everything to move."""

import numpy as np
import streamlit as st

from analysis.figures import spectrum as figures
from analysis.metrics import projection, similarity, tas
from pages.parts import chart as charts

KINDS = {"Jitter": "jitter", "Shuffled centres": "shuffled", "Noise": "noise"}


def draw() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = KINDS[st.segmented_control("Cloud", list(KINDS), default="Jitter", key="spectrum_cloud", bind="query-params", required=True)]
        d = st.select_slider("Dimensions d", [2, 10, 50, 100, 500, 2000], 50, key="spectrum_d", bind="query-params", width=190)
        n = st.select_slider("Points n", [100, 200, 500, 1000], 500, key="spectrum_n", bind="query-params", width=170)
        jitter = st.slider("Jitter", 0.0, 1.0, 0.1, 0.05, key="spectrum_jitter", bind="query-params", width=170, disabled=kind != "jitter")
        swapped = st.multiselect("Centres that swap", [1, 2, 3, 4], [1, 2, 3, 4], key="spectrum_swapped", bind="query-params", width=230,
                                 disabled=kind != "shuffled")
    a, b, found, scores = _made(kind, n, d, jitter, tuple(int(s) - 1 for s in swapped))
    near, wide = np.abs(found.k - 10).argmin(), np.abs(found.k - n / 4).argmin()
    beyond = found.tas[wide:int(0.9 * len(found.k))].min()
    st.markdown(f"CKA says **{scores['CKA, biased']:.3f}**. The spectrum says **{found.tas[near]:.2f}** for neighbours (k = {found.k[near]}), "
                f"**{found.tas[wide]:.2f}** for clusters (k = {found.k[wide]}), and at its lowest beyond them **{beyond:.2f}**.")
    left, right = st.columns(2, gap="medium")
    with left:
        flat = projection.layers_pca({"A": [a.astype(np.float32)], "B": [b.astype(np.float32)]})
        made = figures.clouds(flat["A"].points, flat["B"].points, np.arange(n) * 4 // n, names=("A", "B"))
        charts.show(made, alt=f"The two clouds of the kind {kind}, projected on two axes", key="spectrum-clouds")
        st.caption("Two principal axes of each, B turned to lie close to A. Colour: the corner where an item lies in A.")
    with right:
        made = figures.spectrum([(kind, found)], floor=found.floor, scale=n / 4, companions=scores, height=380)
        charts.show(made, alt=f"TAS of the two clouds over k, beside scores without k: {', '.join(f'{k} {v:.2f}' for k, v in scores.items())}",
                    key="spectrum-teaching", table=found.table())
    st.caption(f"{n} points in {d} dimensions, seed 1; four corners of the ±1 cube with blobs of sd 0.1. "
               "Try d = 2000: CKA gives .99 to jitter and to shuffled centres alike.")


@st.cache_resource(max_entries=32, show_spinner=False)
def _made(kind: str, n: int, d: int, jitter: float, swapped: tuple):
    a, b = tas.teaching_cloud(kind, n=n, d=d, jitter=jitter, swapped=swapped)
    scores = {"CKA, biased": similarity.cka(a, b), "CKA, debiased": similarity.cka(a, b, debiased=True), "Procrustes": similarity.procrustes(a, b),
              "RSA": similarity.rsa(a, b), "mutual kNN, k=10": similarity.mutual_knn(a, b)}
    return a, b, tas.spectrum(a, b), scores
