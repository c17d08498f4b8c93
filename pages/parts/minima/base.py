"""What is grown, on which data, and in which ways; and what came of it: our own runs as shipped, or one started here."""

from dataclasses import dataclass, replace

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
REPEATS = [1, 2, 3, 4]
KINDS = {"mlp": "a dense network", "conv": "convolutions"}
VALLEY = ("base", "width", "depth", "side", "trained", "base_rate", "rate", "settle", "momentum", "batch", "noise", "branches", "steps", "points", "epsilon",
          "ground", "items", "directions", "limit", "seed")  # options of the ranking that its valleys share


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

    @property
    def data(self) -> str:
        """The data as the sidebar calls them."""
        return workspace.short(self.inputs["dataset"].source)

    @property
    def _takes(self) -> str:
        """How long a ranking runs."""
        if "model" in self.inputs:
            return "minutes: the larger the model, the longer; partial results arrive meanwhile"
        dense = self.options["base"] == "mlp"
        if self.full:
            return f"{'some minutes' if dense else 'ten minutes or more'}; you may leave the page meanwhile"
        return "under a minute" if dense else "two minutes or more"

    def growth(self) -> Growth | None:
        found = _shipped(self.shipped) if self.shipped else job.study(
            studies.grow, self.inputs, self.options, key="minima-grow", button="Grow it",
            words=f"Trains the base, then for each way of growing it some short branches and a longer training: {self._takes}.")
        return found and replace(found, base=self._network(found.base), data=self.data)

    @property
    def stopped(self) -> bool:
        """Whether nobody works on it any longer."""
        run = engine.find(engine.key(studies.grow, self.inputs, self.options))
        return run is None or not run.alive

    def valley(self, name: str, changes: tuple) -> Valley | None:
        """Of one candidate, under its name; that of the base where nothing is changed."""
        options = {**{option: value for option, value in self.options.items() if option in VALLEY}, "grown": changes}
        takes = "a minute or more: the larger the model, the longer" if "model" in self.inputs else "some seconds"
        found = job.study(studies.valley, self.inputs, options, key="minima-valley",
                          words=f"Trains some branches of this network and looks at the land between them: {takes}.")
        return found and replace(found, name=name if changes else "the base", base=self._network(found.base), data=self.data)

    def _network(self, base: str) -> str:
        """A base by its kind: "mlp, 2 layers of 4" is a dense network of 2 layers of 4."""
        kind, _, size = base.partition(", ")
        return f"{KINDS[kind]} of {size}" if "model" not in self.inputs and kind in KINDS else base


def choose(at: workspace.Workspace) -> Base:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        source = st.segmented_control("Numbers", [SHIPPED, QUICK, FULL], default=SHIPPED, key="minima_numbers", bind="query-params", required=True,
                                      on_change=_preset)
        if source == SHIPPED:
            name = st.selectbox("Base", list(OURS), key="minima_study", bind="query-params", format_func=OURS.get, width=320) or "mlp-0"
            return Base(name, {"dataset": engine.Ref.dataset(studies.DATA)}, dict(studies.FULL[name][1]), True)
        kind = BASES[st.selectbox("Base", list(BASES), key="minima_base", bind="query-params", width=320, on_change=_preset) or next(iter(BASES))]
        families = st.multiselect("Ways to grow", FAMILIES, FAMILIES, key="minima_families", bind="query-params", width=440,
                                  help="Both: all layers wider, and deeper or with residual blocks.")
        preset = studies.usual(kind, source == FULL)
        with st.popover("Settings", icon=":material/tune:", key="minima-settings"):
            settings = _settings(kind, preset)
    options = {**preset, **settings, "families": tuple(families) or FAMILIES}
    inputs = {"dataset": engine.Ref.dataset(at.target)} | ({} if kind else {"model": engine.Ref.model(at.model)})
    _tell(at, kind)
    return Base("", inputs, options, source == FULL)


def _preset() -> None:
    """Another base, or a run of another length, begins with its own settings: none of the last one's is kept."""
    kind = BASES.get(st.session_state.get("minima_base") or st.query_params.get("minima_base"), "mlp")
    usual = studies.usual(kind, st.session_state["minima_numbers"] == FULL)
    st.session_state.update({f"minima_{name}": usual[name] for name in ("trained", "train", "seeds", "width", "depth")}
                            | {f"minima_{name}": list(usual[name]) for name in ("widths", "repeats", "crossed")})


def _settings(kind: str, preset: dict) -> dict:
    """What differs between bases, the grid of candidates, what branches and gains rest on, and the seed."""
    number = lambda label, key, low, high, usual, why="": int(st.number_input(label, low, high, usual, 1, key=f"minima_{key}", bind="query-params", help=why))
    several = lambda label, key, of, form, why="": st.multiselect(label, of, list(preset[key]), key=f"minima_{key}", bind="query-params", format_func=form,
                                                                  help=why)
    found = {"seed": number("Seed", "seed", 0, 10_000, 0, "Of the split, the base, the branches and the training."),
             "trained": number("Steps of training first", "trained", 0, 5000, preset["trained"], "0: the base stays as it is."),
             "branches": number("Branches", "branches", 3, 10, 5), "steps": number("Steps of a branch", "steps", 20, 1000, 120),
             "epsilon": float(st.number_input("ε, how much the loss may rise between branches", 0.001, 10.0, 0.02, 0.01, "%g", key="minima_rise",
                                              bind="query-params", help="And how far above its start a branch may end.")),
             "train": number("Steps that the gain is of", "train", 20, 5000, preset["train"], "Longer: gains differ by more."),
             "seeds": number("Seeds that the gain is of", "seeds", 1, 30, preset["seeds"], "More: gains are told from noise sooner.")}
    wider = several("Factors of width", "widths", WIDTHS, lambda f: f"×{f:g}")
    times = several("Times deeper or residual", "repeats", REPEATS, str, "Layers or blocks that are added behind one.")
    both = several("Factors of width of both", "crossed", WIDTHS, lambda f: f"×{f:g}")
    found |= {key: tuple(sorted(chosen)) for key, chosen in (("widths", wider), ("repeats", times), ("crossed", both)) if chosen}
    if kind:
        why = "Few: where the base can do all it needs, growing gains nothing."
        found |= {"width": number("Units of a layer", "width", 1, 64, preset["width"], why),
                  "depth": number("Layers", "depth", 1, 4, preset["depth"])}
    return found


def _tell(at: workspace.Workspace, kind: str) -> None:
    st.caption(f"On {plain(workspace.label(at.target))}" + ("" if kind else f", from {plain(workspace.label(at.model))}")
               + ". Half of the items are trained on, a fifth is for validation, the rest is tested on.")


@st.cache_resource(max_entries=8, show_spinner=False)
def _shipped(name: str) -> Growth:
    return studies.shipped(name)


def candidates(found: Growth) -> str:
    ways = int(found.expansions.sum())
    return f"{count(ways, 'way')} to grow {plain(found.base)} on {plain(found.data)}, each one draw of its expansion"
