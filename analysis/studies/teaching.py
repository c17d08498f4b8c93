"""What lessons need beside the studies of the pages, as units of work: clouds whose difference is known, one triangle, and results that are shipped."""

from dataclasses import dataclass, field

import numpy as np

from analysis.metrics import tas
from analysis.metrics.radar import triangles
from analysis.representation import Representation
from analysis.studies import spectrum
from analysis.studies.invariance import shipped as kept

CLOUD = {"kind": "jitter", "n": 500, "d": 50, "seed": 1, "jitter": 0.1}
FREE = {"sep": 3.0, "traj": 4.0, "degrees": 90.0}


@dataclass(frozen=True, eq=False)
class Triangle:
    """An anchor at the origin, a partner to its right, and where the anchor goes: two sides and the angle between them, then what RADAR measures of it.

    theta, d   angle at the partner in radians, and the excess length of the way by the partner
    """

    sep: float
    traj: float
    degrees: float
    theta: float
    d: float
    options: dict = field(default_factory=dict)

    def manifest(self) -> dict:
        return {name: getattr(self, name) for name in ("sep", "traj", "degrees", "theta", "d", "options")}


def clouds(inputs: dict, options: dict, ctx):
    """{} with {"kind", "n", "d", "seed", "jitter"} of `tas.teaching_cloud` -> Comparison of its two sides, without bands."""
    chosen = {**CLOUD, **options}
    a, b = tas.teaching_cloud(chosen["kind"], **{name: chosen[name] for name in ("n", "d", "seed", "jitter")})
    labels = np.arange(len(a)) * 4 // len(a) if chosen["kind"] != "noise" else None
    sides = {name: {"representation": Representation({name.upper(): x.astype(np.float32)}, labels=labels)} for name, x in (("a", a), ("b", b))}
    yield from spectrum.compare(sides, {"permutations": 0, "resamples": 0}, ctx)


def triangle(inputs: dict, options: dict, ctx):
    """{} with {"sep", "traj", "degrees"}: two sides and the angle between them at the anchor -> Triangle."""
    sep, traj, degrees = (float({**FREE, **options}[name]) for name in FREE)
    turn = np.radians(degrees)
    theta, d = triangles(np.zeros(2), traj * np.array([np.cos(turn), np.sin(turn)]), np.array([sep, 0.0]))
    yield Triangle(sep, traj, degrees, float(theta), float(d), dict(options))


def shipped(inputs: dict, options: dict, ctx):
    """{} with {"name"} of an experiment on invariance -> the result of our full run, as shipped."""
    yield kept(options.get("name", ""))


clouds.VERSION = triangle.VERSION = shipped.VERSION = 1
