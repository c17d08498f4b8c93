"""RADAR, Relative Angular Divergence Across Representations: which source domain will help a target, read off how a frozen model's layers move them.

At each layer an item of the target, where the next layer takes it, and a partner make a triangle. Its angle and its excess length, over all layers, are one
vector per pair; the score is how far the vectors of pairs across domains are distributed from those of pairs within the target. Higher is further: a worse
source. It sees how inputs move, not what their labels mean: a source that looks the same and contradicts the labels scores as near.
"""

from analysis.metrics.calibration import Source, SourceRanking, calibrate
from analysis.metrics.domain import window
from analysis.metrics.readings import MARKS, READINGS, Domains, Options, Readings
from analysis.metrics.scoring import Drivers, Radar, compare
from analysis.metrics.triangles import triangles

__all__ = ["Options", "MARKS", "READINGS", "triangles", "window", "Radar", "Drivers", "compare", "Source", "SourceRanking", "calibrate", "Readings", "Domains"]
