"""The pages that a step may open, and the parameters of their addresses that it may set."""

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlencode

from analysis.errors import InputError

EVERYWHERE = ("model", "target", "sources", "layer")
PAGES = MappingProxyType({
    "map": ("map_axes", "map_colour", "map_method"),
    "persistence": ("persistence_view", "persistence_k", "persistence_radius", "persistence_points", "persistence_beside", "persistence_beside_layer"),
    "spectrum": ("spectrum_view", "spectrum_with", "spectrum_layer", "spectrum_metric", "spectrum_baseline", "spectrum_cloud", "spectrum_d", "spectrum_n",
                 "spectrum_jitter", "spectrum_k"),
    "sensitivity": ("sensitivity_view", "sensitivity_on", "sensitivity_pairs", "sensitivity_seed", "sensitivity_transform", "sensitivity_show",
                    "sensitivity_setting", "sensitivity_numbers"),
    "radar": ("radar_view", "radar_sep", "radar_traj", "radar_degrees", "radar_source", "radar_kind", "radar_step", "radar_pairs", "radar_draws", "radar_seed"),
    "ranking": ("ranking_kind", "ranking_view"),
    "cases": ("cases_source", "cases_budget", "cases_weight", "cases_limit", "cases_without", "cases_view", "cases_flips"),
    "minima": ("minima_view", "minima_study")})


def check(page, at: Mapping, where: str) -> None:
    if not isinstance(page, str) or page not in PAGES:
        raise InputError(f"{where} opens the page {page!r}, which there is not.", f"There are: {', '.join(PAGES)}.")
    if not isinstance(at, Mapping):
        raise InputError(f"{where}: \"at\" is {at!r}.", "Give names of options and their values.")
    for name, value in at.items():
        if name not in (*EVERYWHERE, *PAGES[page]):
            raise InputError(f"{where}: the page {page} has no option {name!r} to set.", f"It has {', '.join((*EVERYWHERE, *PAGES[page]))}.")
        each = value if isinstance(value, list) else [value]
        if not all(isinstance(one, (str, int, float)) for one in each):
            raise InputError(f"{where}: the option {name} is {value!r}.", "Give a text, a number, true or false, or a list of texts.")


def address(page: str, at: Mapping) -> str:
    pairs = [(name, _said(one)) for name, value in at.items() for one in (value if isinstance(value, list) else [value])]
    return f"/{page}?{urlencode(pairs, safe=':/')}" if pairs else f"/{page}"


def _said(value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
