"""One target, one source, and what is tried with them: as the study is given it."""

from dataclasses import dataclass

import streamlit as st

from analysis.errors import InputError
from analysis.metrics.gain import Curve
from analysis.metrics.inspection import Inspection
from analysis.studies import case as studies
from analysis.studies import gain as measured
from pages.parts import job, workspace
from pages.parts.messages import plain
from pages.parts.ranking.sources import budgets
from pages.parts.stack import Stack

SPLITS = 10
ALL = "all"
USUAL = {"budget": 50, "weight": 1.0, "limit": ALL, "without": [], "confirm": False}  # what the page's switches are unless told
RARE = {"seeds": int, "seed": int, "tested": int, "splits": int, "blocks": int, "probe": str}  # options without a switch: an address or a case may bring them


@dataclass(frozen=True, eq=False)
class Pair:
    """A target with one source of the stack, and what is tried with it."""

    stack: Stack
    model: str
    source: str
    layer: str
    chosen: dict

    @property
    def target(self) -> str:
        return self.stack.domains[0]

    @property
    def block(self) -> int:
        return self.stack.domains.index(self.source)

    @property
    def inputs(self) -> dict:
        return {"target": self.stack.entries[0], "source": self.stack.entries[self.block]}

    @property
    def named(self) -> dict:
        """The inputs as ids."""
        entry = lambda source: {"representation": source[4:]} if source.startswith("rep:") else {"model": self.model, "dataset": source}
        return {"target": entry(self.stack.sources[0]), "source": entry(self.stack.sources[self.block])}

    @property
    def options(self) -> dict:
        """Of the study: what differs from doing nothing special."""
        c = self.chosen
        plainly = {"layer": self.layer, "budget": c["budget"], "seeds": SPLITS}
        return plainly | ({"confirm": True} if c["confirm"] else {}) | self.remedy | rare()

    @property
    def remedy(self) -> dict:
        c = self.chosen
        return ({"weight": c["weight"]} if c["weight"] != 1 else {}) | ({"limit": c["limit"]} if c["limit"] != ALL else {}) | \
            ({"without": list(c["without"])} if c["without"] else {})

    def inspected(self) -> Inspection | None:
        """As it is chosen, the remedy with it."""
        return job.study(studies.inspect, self.inputs, self.options, key="cases-inspect",
                         words=f"{plain(self.source)} for {plain(self.target)}: the gain first, then what lies behind it.")

    def before(self) -> Inspection | None:
        """Without the remedy, to compare with; None where there is none."""
        if not self.remedy:
            return None
        options = {name: value for name, value in self.options.items() if name not in self.remedy}
        return job.study(studies.inspect, self.inputs, options, key="cases-before", words="The same without the remedy.")


    def curve(self) -> Curve | None:
        """At several numbers of target items."""
        found, remedy = self.inputs, {name: value for name, value in {"weights": self.chosen["weight"], "limit": self.chosen["limit"]}.items()
                                      if value not in (1, ALL)}
        options = {"names": (self.source,), "layer": self.layer, "seeds": SPLITS, **{name: {self.source: value} for name, value in remedy.items()}}
        options |= {"without": {self.source: list(self.chosen["without"])}} if self.chosen["without"] else {}
        return job.study(measured.curve, {"target": found["target"], "sources": (found["source"],)}, options, key="cases-curve",
                         words="Accuracy over the number of target items, with the source and without.")


def choose(here: Stack, at: workspace.Workspace) -> Pair:
    for name, value in st.session_state.pop("_cases_asked", {}).items():
        st.session_state[f"cases_{name}"] = value
    sources, offered = here.domains[1:], budgets(len(here.representations[0]))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        source = st.selectbox("Source", sources, key="cases_source", bind="query-params", width=260) or sources[0]
        usual = USUAL["budget"] if USUAL["budget"] in offered else offered[-1]
        offered = _with_asked("cases_budget", offered, int)
        budget = st.select_slider("Target items that are trained on", offered, usual, key="cases_budget", bind="query-params", width=420)
        confirm = st.toggle("Confirm", False, key="cases_confirm", bind="query-params",
                            help="Asks a second probe, converged logistic regression. Takes up to a minute.")
    block = here.domains.index(source)
    classes = tuple(here.representations[block].classes) if here.representations[block].labels is not None else ()
    layer = at.layer if at.layer in here.layers else here.layers[-1]
    return Pair(here, at.model, source, layer, {"budget": int(budget), "confirm": confirm, **_remedy(classes)})


def rare() -> dict:
    """Options that no switch shows, as the address has them."""
    found = {}
    for name, kind in RARE.items():
        given = st.query_params.get(f"cases_{name}")
        if given is not None:
            try:
                found[name] = kind(given)
            except ValueError:
                raise InputError(f"The address asks for {name} {given!r}.", "Give a whole number, or leave it out.") from None
    return found


def _with_asked(key: str, offered: list, kind) -> list:
    """The values of a slider, with the one that an address or a case asks for."""
    asked = st.session_state.get(key, st.query_params.get(key))
    try:
        value = kind(asked)
    except (TypeError, ValueError):
        return offered
    return sorted({*offered, value}) if 0 <= value < 10**9 else offered


def _remedy(classes: tuple) -> dict:
    """What is tried against the trouble."""
    with st.expander("Try a remedy", icon=":material/healing:", key="cases-remedies"), st.container(horizontal=True, vertical_alignment="bottom"):
        weights, limits = _with_asked("cases_weight", [0.0, 0.01, 0.02, 0.05, 0.1, 0.3, 1.0], float), _with_asked("cases_limit", [10, 30, 100, 300, 1000], int)
        weight = st.select_slider("Weight of a source item", weights, 1.0, key="cases_weight", bind="query-params", width=260)
        limit = st.select_slider("Source items", [*limits, ALL], ALL, key="cases_limit", bind="query-params", width=260)
        gone = [c for c in st.session_state.get("cases_without", []) if c not in classes]
        if gone:
            st.session_state["cases_without"] = [c for c in st.session_state["cases_without"] if c in classes]
        without = st.multiselect("Source classes to drop", classes, key="cases_without", bind="query-params", width=320)
    return {"weight": float(weight), "limit": limit if limit == ALL else int(limit), "without": list(without)}
