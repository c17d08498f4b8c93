"""What is grown, on which data, and in which ways; and what came of it: our own runs as shipped, or one started here."""

from dataclasses import dataclass

import streamlit as st

from analysis import engine
from analysis.metrics.growth import FAMILIES, Growth, Valley
from analysis.studies import growth as studies
from pages.parts import job, workspace
from pages.parts.messages import count, plain, seconds

SHIPPED, QUICK, FULL = "Our full runs", "Small run, here", "Full run, here"
OURS = {"mlp-0": "Dense network", "mlp-1": "The same from another seed", "mlp-2": "The same from a third seed", "conv-0": "Convolutions"}
BASES = {"A small dense network, trained here": "mlp", "Small convolutions, trained here": "conv", "The model of the sidebar": ""}
WIDTHS = [1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 6.0]
VALLEY = ("base", "width", "depth", "side", "trained", "base_rate", "rate", "momentum", "batch", "noise", "branches", "steps", "points", "epsilon", "ground",
          "limit", "seed")  # options of the ranking that its valleys share


@dataclass(frozen=True, eq=False)
class Base:
    """A run of the ranking: shipped under a name, or of inputs and options here."""

    shipped: str
    inputs: dict
    options: dict
    full: bool

    @property
    def told(self) -> str:
        """Where the numbers come from."""
        if not self.shipped:
            return "Live, full run." if self.full else "Live, small run."
        made = studies.made(self.shipped)
        return f"Our full run of {made['date']}, {seconds(made['seconds'])} on one core: {made['command']}."

    def growth(self) -> Growth | None:
        if self.shipped:
            return _shipped(self.shipped)
        return job.study(studies.grow, self.inputs, self.options, key="minima-grow", button="Grow it",
                         words="Trains the base, then for each way of growing it some short branches and a longer training: "
                               f"{'many minutes; you may leave the page meanwhile' if self.full else 'under a minute for a small network'}.")

    def valley(self, changes: tuple) -> Valley | None:
        """Of one candidate; that of the base where nothing is changed."""
        options = {**{name: value for name, value in self.options.items() if name in VALLEY}, "grown": changes}
        return job.study(studies.valley, self.inputs, options, key="minima-valley",
                         words="Trains some branches of this network and looks at the land between them: some seconds for a small network.")


def choose(at: workspace.Workspace) -> Base:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        source = st.segmented_control("Numbers", [SHIPPED, QUICK, FULL], default=SHIPPED, key="minima_numbers", bind="query-params", required=True)
        if source == SHIPPED:
            name = st.selectbox("Base", list(OURS), key="minima_study", bind="query-params", format_func=OURS.get, width=320) or "mlp-0"
            return Base(name, {"dataset": engine.Ref.dataset(studies.DATA)}, dict(studies.FULL[name][1]), True)
        kind = BASES[st.selectbox("Base", list(BASES), key="minima_base", bind="query-params", width=320) or next(iter(BASES))]
        families = st.multiselect("Ways to grow", FAMILIES, FAMILIES, key="minima_families", bind="query-params", width=320)
        preset = studies.FULL["conv-0" if kind == "conv" else "mlp-0"][1] if source == FULL else studies.QUICK["grow"]
        with st.popover("Settings", icon=":material/tune:", key="minima-settings"):
            settings = _settings(kind, preset)
    options = {**preset, **({"base": kind} if kind else {}), **settings, "families": tuple(families) or FAMILIES}
    inputs = {"dataset": engine.Ref.dataset(at.target)} | ({} if kind else {"model": engine.Ref.model(at.model)})
    _tell(at, kind)
    return Base("", inputs, options, source == FULL)


def _settings(kind: str, preset: dict) -> dict:
    """What differs between bases, and the seed."""
    number = lambda label, key, low, high, usual, why="": int(st.number_input(label, low, high, usual, 1, key=f"minima_{key}", bind="query-params", help=why))
    found = {"seed": number("Seed", "seed", 0, 10_000, 0, "Of the split, the base, the branches and the training."),
             "trained": number("Steps of training first", "trained", 0, 5000, 1000 if kind else 100, "0: the base stays as it is."),
             "branches": number("Branches", "branches", 3, 10, 5), "steps": number("Steps of a branch", "steps", 20, 1000, 120)}
    widths = st.multiselect("Factors of width", WIDTHS, list(preset["widths"]), key="minima_widths", bind="query-params",
                            format_func=lambda f: f"×{f:g}")
    found |= {"widths": tuple(sorted(widths))} if widths else {}
    if kind:
        why = "Few: where the base can do all it needs, growing gains nothing."
        found |= {"width": number("Units of a layer", "width", 1, 64, preset["width"] if preset["base"] == kind else studies.FULL["conv-0"][1]["width"], why),
                  "depth": number("Layers", "depth", 1, 4, 2)}
    return found


def _tell(at: workspace.Workspace, kind: str) -> None:
    st.caption(f"On {plain(workspace.label(at.target))}" + ("" if kind else f", from {plain(workspace.label(at.model))}")
               + ". Half of the items are trained on, a fifth is for validation, the rest is tested on.")


@st.cache_resource(max_entries=8, show_spinner=False)
def _shipped(name: str) -> Growth:
    return studies.shipped(name)


def candidates(found: Growth) -> str:
    ways = int(found.expansions.sum())
    return f"{count(ways, 'way')} to grow {plain(found.base)} on {plain(found.data)}"
