"""The pages that a step may open, and the parameters of their addresses that it may set."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import urlencode

from analysis import data, models
from analysis.data.transforms import TRANSFORMS
from analysis.data.wording import WORDINGS
from analysis.errors import InputError
from analysis.lessons.study import offered, refuse_unknown


class Span(NamedTuple):
    """Numbers from one to another, both included."""

    low: float
    high: float


EVERYWHERE = {"model": str, "target": str, "sources": list, "layer": str}
COUNT = range(1_000_000)
PAGES = MappingProxyType({  # page -> parameter -> the values that it may have: some, whole numbers, a span of numbers, or any text
    "map": {"map_axes": ("2-D", "3-D"), "map_colour": ("Class", "Domain", "Prediction", "Confidence", "Distance to class centre", "Nothing"),
            "map_method": ("PCA", "UMAP")},
    "persistence": {"persistence_view": ("Diagram", "Grow the radius", "Through the layers", "Through training", "Compare", "Rank models"),
                    "persistence_k": COUNT, "persistence_radius": range(101), "persistence_points": (250, 500, 1000, 2000), "persistence_beside": str,
                    "persistence_beside_layer": str},
    "spectrum": {"spectrum_view": ("Spectrum", "Who moved?", "By class", "Layers", "Seeds", "Playground"), "spectrum_with": str, "spectrum_layer": str,
                 "spectrum_metric": ("euclidean", "cosine"), "spectrum_baseline": ("exact", "paper"), "spectrum_cloud": ("Jitter", "Shuffled centres", "Noise"),
                 "spectrum_d": (2, 10, 50, 100, 500, 2000), "spectrum_n": (100, 200, 500, 1000), "spectrum_jitter": Span(0, 1), "spectrum_k": COUNT},
    "sensitivity": {"sensitivity_view": ("Transforms", "Sensitivity", "Layers", "Carried over", "Mismatch", "Importance", "Harm"), "sensitivity_on": str,
                    "sensitivity_pairs": (200, 500, 1000, 2000, 5000), "sensitivity_seed": range(100_001), "sensitivity_transform": (*TRANSFORMS, *WORDINGS),
                    "sensitivity_show": ("Samples", "Pairs"), "sensitivity_setting": str,
                    "sensitivity_numbers": ("Our full run", "Small run, here", "Full run, here")},
    "radar": {"radar_view": ("Ranking", "Histograms", "Where it diverges", "Layers", "Triangle", "All domains", "Readings"), "radar_sep": Span(0.1, 10),
              "radar_traj": Span(0.1, 10), "radar_degrees": Span(0, 180), "radar_source": str, "radar_kind": ("Angles", "Lengths"), "radar_step": str,
              "radar_pairs": range(500, 50_001), "radar_draws": range(1_000, 100_001), "radar_seed": range(1_000_001)},
    "ranking": {"ranking_kind": ("Kendall's τ", "Weighted τ", "Spearman"), "ranking_view": ("Models", "Sources", "Scoreboard", "Published")},
    "cases": {"cases_source": str, "cases_budget": COUNT, "cases_weight": Span(0, 1_000), "cases_limit": COUNT, "cases_without": list,
              "cases_view": ("Why", "Classes", "Items", "Distances", "Target size", "All pairs"), "cases_flips": ("turned wrong", "turned right")},
    "minima": {"minima_view": ("Does it pay?", "Scores", "Valley", "Robustness", "Cost", "Function check"), "minima_study": str}})


def check(page, at, where: str) -> None:
    if not isinstance(page, str) or page not in PAGES:
        raise InputError(f"{where} opens the page {page!r}, which there is not.", offered(page, PAGES))
    if not isinstance(at, Mapping):
        raise InputError(f"{where}: \"at\" is {at!r}.", "Give names of options and their values.")
    known = {**EVERYWHERE, **PAGES[page]}
    for name, value in at.items():
        allowed = refuse_unknown(name, known, f"{where}: the page {page} has no option")
        if not _fits(value, allowed):
            raise InputError(f"{where}: the option {name} is {value!r}.", _allowed(value, allowed))
    for source in (value for name in ("model", "target", "sources") for value in _each(at.get(name, []))):
        check_id("model" if source == at.get("model") else "dataset", source, where)


def check_id(kind: str, source: str, where: str) -> None:
    """Refuses a built-in model or dataset that there is not; what else an id may name, only opening it tells."""
    try:
        _known(kind, source)
    except InputError as error:
        raise InputError(f"{where}: {error.message}", error.hint) from error


@lru_cache(maxsize=1024)
def _known(kind: str, source: str) -> None:
    """Kept: a shelf names the same few again and again."""
    {"model": models.check, "dataset": data.check}.get(kind, str)(source)


def title(page: str) -> str:
    """As the menu has it."""
    return "RADAR" if page == "radar" else page.capitalize()


def address(page: str, at: Mapping) -> str:
    pairs = [(name, _said(one)) for name, value in at.items() for one in _each(value)]
    return f"/{page}?{urlencode(pairs, safe=':/')}" if pairs else f"/{page}"


def _fits(value, allowed) -> bool:
    if allowed is list:
        return all(isinstance(one, str) for one in _each(value))
    if isinstance(allowed, type):
        return isinstance(value, allowed)
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return False
    if isinstance(allowed, Span):
        return not isinstance(value, str) and allowed.low <= value <= allowed.high
    return value in allowed


def _allowed(value, allowed) -> str:
    if isinstance(allowed, type):
        return "Give a text." if allowed is str else "Give a list of texts."
    if isinstance(allowed, range):
        return f"Give a whole number from {allowed[0]} to {allowed[-1]}."
    return f"Give a number from {allowed.low:g} to {allowed.high:g}." if isinstance(allowed, Span) else offered(value, allowed)


def _each(value) -> list:
    return value if isinstance(value, list) else [value]


def _said(value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
