"""Minima: how far the valley of a model's loss reaches, and what growing the model does.

That the size of the set of linearly connected minima foretells what an expansion gains is published; the formula is not in reach. The estimators are ours.
"""

from analysis.metrics.minima.branches import Branches, branch
from analysis.metrics.minima.expansion import Layer, check, deepen, expandable, residual, widen
from analysis.metrics.minima.extent import Size, cayley_menger, cliques, size
from analysis.metrics.minima.landscape import Barriers, Plane, barrier, barriers, directions, normalised, plane, radius
from analysis.metrics.minima.loss import Loss
from analysis.metrics.minima.proxies import PROXIES, Proxy

__all__ = ["PROXIES", "Barriers", "Branches", "Layer", "Loss", "Plane", "Proxy", "Size", "barrier", "barriers", "branch", "cayley_menger", "check", "cliques",
           "deepen", "directions", "expandable", "normalised", "plane", "radius", "residual", "size", "widen"]
