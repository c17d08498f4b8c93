"""Every switch of RADAR, in the address; what is published and what is our reading of it is marked."""

from dataclasses import fields

import streamlit as st

from analysis.metrics.radar import MARKS, Options
from pages.parts.radar.words import OURS, PUBLISHED

MIDDLE = "the middle one"
USUAL = Options()
CHOSEN = {  # option: (what it is called, choices, what they mean)
    "angle": ("Angle θ", ("partner", "turning", "anchor"), "At the partner's corner, where the authors draw it; turning shows 180° minus that, with the same "
              "score; anchor: between the way to the partner and the way to the next layer."),
    "distance": ("Excess length d", ("direct", "path", "detour"), "What the way by the partner is longer: over the direct way; over the whole path; or the "
                 "detour's excess alone over the direct way."),
    "geometry": ("Geometry", ("euclidean", "geodesic", "pseudo-cartesian"), "Geodesic: on the unit sphere. Pseudo-Cartesian: (d cos θ, d sin θ)."),
    "sampling": ("Pairs", ("stratified", "same_class", "uniform"), "Stratified: anchors from the core of each class, partners half core, half boundary. "
                 "Same class: the partner is of the anchor's class. Uniform: any two items."),
    "divergence": ("Divergence", ("montecarlo", "components", "sinkhorn"), "Symmetric Kullback-Leibler between two Gaussian mixtures, by Monte Carlo; a closed "
                   "form over their components; or the Sinkhorn divergence between the vectors themselves."),
    "covariance": ("Covariances", ("full", "diagonal"), "Of the mixtures' components."),
}
COUNTED = {"components": ("Components", 1, 10, 1, "Gaussians in each mixture."), "radius": ("Window radius", 1, 24, 1, "Layers to either side of the centre."),
           "pairs": ("Pairs a side", 500, 50_000, 500, "Drawn within the target, and as many across."),
           "draws": ("Monte Carlo draws", 1000, 100_000, 1000, "For the divergence; its error falls with their root."),
           "seed": ("Seed", 0, 1_000_000, 1, "Of pairs, mixtures and draws.")}


def panel(layers: tuple) -> Options:
    """All switches, behind a button; the Options that they make."""
    with st.popover("Switches", icon=":material/tune:", key="radar-switches"):
        st.caption(f"{PUBLISHED} is fixed by the paper, {OURS} is ours where its text is silent. The view *Readings* shows what depends on them.")
        left, right = st.columns(2)
        with left:
            found = {name: st.selectbox(_title(name, title), choices, key=f"radar_{name}", bind="query-params", help=why,
                                        format_func=lambda c: c.replace("_", " ")) or choices[0] for name, (title, choices, why) in CHOSEN.items()}
        with right:
            centre = st.selectbox(_title("centre", "Window centre"), [MIDDLE, *layers], key="radar_centre", bind="query-params") or MIDDLE
            for name, (title, low, high, step, why) in COUNTED.items():
                found[name] = st.number_input(_title(name, title), low, high, getattr(USUAL, name), step, key=f"radar_{name}", bind="query-params", help=why)
            ridge = st.select_slider(_title("ridge", "Ridge"), [1e-6, 1e-5, 1e-4, 1e-3, 1e-2], USUAL.ridge, key="radar_ridge", bind="query-params",
                                     format_func=lambda v: f"{v:g}")
            standardise = st.toggle(_title("standardise", "Standardise"), True, key="radar_standardise", bind="query-params",
                                    help="Angles and lengths on one scale before the mixtures are fitted.")
            tolerance = st.select_slider(_title("tolerance", "Tolerance of the fits"), [1e-6, 1e-5, 1e-4, 1e-3], USUAL.tolerance, key="radar_tolerance",
                                         bind="query-params", format_func=lambda v: f"{v:g}", help="In mean log likelihood. Looser is quicker, and lower.")
        st.button("Reset to the defaults", icon=":material/restart_alt:", key="radar-reset", on_click=_reset)
    return Options(**found, centre=None if centre == MIDDLE else centre, ridge=float(ridge), standardise=standardise,
                   tolerance=float(tolerance))


def changed(options: Options) -> str:
    """What differs from the defaults, for the line under the answer."""
    told = {f.name: getattr(options, f.name) for f in fields(Options) if getattr(options, f.name) != getattr(USUAL, f.name)}
    return ", ".join(f"{name.replace('_', ' ')} {str(value).replace('_', ' ')}" for name, value in told.items())


def _title(option: str, title: str) -> str:
    return f"{title} {OURS if MARKS[option] == 'ours' else PUBLISHED}"


def _reset() -> None:
    for name in (*CHOSEN, *COUNTED, "ridge", "standardise", "tolerance"):
        st.session_state[f"radar_{name}"] = getattr(USUAL, name)
    st.session_state["radar_centre"] = MIDDLE
