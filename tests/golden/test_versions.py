"""A stored result is found by its unit's VERSION: when what a unit computes changes, its VERSION must change with it.

`python -m tests.golden.test_versions` writes the present outputs after such a change; with the beginnings of names, only those of these units.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from analysis import Dataset, Model, Representation, extract, load_dataset, load_model
from analysis.studies import case, gain, growth, invariance, persistence, radar, ranking, sensitivity, spectrum, teaching, tuning
from analysis.studies.extraction import extraction
from analysis.studies.projection import umap
from analysis.studies.scoreboard import scoreboard

FILE = Path(__file__).with_name("units.json")


def network(rng: np.random.Generator, name: str = "fixed") -> Model:
    import torch
    net = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.ReLU(), torch.nn.Linear(8, 4))
    net.load_state_dict({k: torch.from_numpy(rng.normal(size=v.shape).astype(np.float32)) for k, v in net.state_dict().items()})
    return Model.wrap(net, preprocess=torch.from_numpy, layers=["0", "2"], head="output", name=name, modality="array")


def extraction_output() -> np.ndarray:
    """Two layers and logits of fixed weights on fixed rows."""
    rng = np.random.default_rng(7)
    r = extract(network(rng), Dataset(rng.normal(size=(12, 6)).astype(np.float32), name="fixed"), batch_size=5)
    return np.concatenate([*r.layers.values(), r.logits], axis=1)


def umap_output() -> np.ndarray:
    """Which rows are drawn, what made the picture, and how well it keeps three groups apart: the points differ between machines."""
    rng = np.random.default_rng(7)
    labels = np.arange(90) % 3
    r = Representation({"a": (rng.normal(size=(90, 60)) + 6 * labels[:, None]).astype(np.float32)}, labels=labels)
    *_, final = umap({"representations": [r]}, {"layer": "a", "limit": 60}, Quiet())
    near = np.argsort(((final.points[:, None] - final.points[None]) ** 2).sum(axis=2), axis=1)[:, 1:6]
    kept = (labels[final.used][near] == labels[final.used][:, None]).mean()
    return np.array([*final.used, *final.sizes, *(final.options[k] for k in ("first", "n_neighbors", "min_dist", "dims", "seed")), round(kept, 1)])


def clouds() -> Representation:
    rng = np.random.default_rng(7)
    angle = rng.uniform(0, 2 * np.pi, 24)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1) + 0.05 * rng.normal(size=(24, 2))
    return Representation({"clusters": 5 * np.eye(3)[np.arange(24) % 3] + rng.normal(size=(24, 3)), "circle": 4 * circle})


def profile_output() -> np.ndarray:
    *_, p = persistence.profile({"representation": clouds()}, {"layer": "clusters"}, Quiet())
    return np.array([*p.deaths, *p.edges.ravel(), *np.nanmean(p.resampled, axis=1), *p.shuffled.mean(axis=1), *p.halves.mean(axis=1), *p.interval(3)])


def loops_output() -> np.ndarray:
    *_, d = persistence.loops({"representation": clouds()}, {"layer": "circle", "max_points": 18}, Quiet())
    return np.array([*d.h0[:-1, 1], *d.h1.ravel(), *d.points, d.covering_radius, *d.edges.ravel(), *d.traces1])


def small_survey():
    r = clouds()
    *_, final = persistence.survey({"entries": [{"representation": r}] * 2}, {"layers": list(r.layers), "max_points": 18}, Quiet())
    return final


def survey_output() -> np.ndarray:
    s = small_survey()
    return np.concatenate([s.deaths.ravel(), np.nanmean(s.resampled, axis=2).ravel(), s.h1.ravel(), s.ends, s.covering, s.spread, *s.ratios(3).values()])


def distances_output() -> np.ndarray:
    *_, d = persistence.distances({"survey": small_survey()}, {"dim": 0, "relative": True, "bars": 20}, Quiet())
    return np.concatenate([d.matrix, d.bounds])


def sides() -> dict:
    """24 items in three classes; the second side has 22 of them, in another order, and noise on them."""
    rng, labels = np.random.default_rng(7), np.arange(24) % 3
    x, order = 3 * np.eye(3, 5)[labels] + rng.normal(size=(24, 5)), rng.permutation(24)[:22]
    ids = [f"item {i}" for i in range(24)]
    a = Representation({"early": rng.normal(size=(24, 4)), "late": x}, labels=labels, ids=ids)
    b = Representation({"early": x[order][:, :2], "late": (x + rng.normal(size=x.shape))[order]}, ids=[ids[i] for i in order])
    return {"a": {"representation": a}, "b": {"representation": b}}


def compare_output() -> np.ndarray:
    *_, c = spectrum.compare(sides(), {"permutations": 5, "resamples": 5}, Quiet())
    curves = (c.k, c.tas, c.floor, c.overlap, c.r_nx, c.null_low, c.null_high, c.boot_low, c.boot_high, c.grid)
    return np.array([*np.concatenate(curves), *c.points[:3].ravel(), *c.group_tas.ravel(), *c.group_counts, *c.companions.values(), c.auc, *c.left_out])


def layers_output() -> np.ndarray:
    *_, found = spectrum.layers(sides(), {}, Quiet())
    return found.tas.reshape(4, -1)


def convergence_output() -> np.ndarray:
    rng = np.random.default_rng(7)
    models = [network(rng, str(i)) for i in range(4)]
    data = Dataset(rng.normal(size=(20, 6)).astype(np.float32), name="fixed")
    *_, found = spectrum.convergence({"models": models[:2], "tuned": models[2:], "dataset": data}, {"permutations": 5}, Quiet())
    return np.concatenate([found.tas, [found.null_low, found.null_high, found.null_mean]])


def domains() -> dict:
    """Three of 40 items in two classes, through four states by the same maps; the last one starts elsewhere."""
    rng, found = np.random.default_rng(7), []
    maps = rng.normal(size=(3, 4, 4))
    for shift in (0, 0, 3):
        states = [3 * np.eye(2, 4)[np.arange(40) % 2] + shift * np.eye(4)[3] + rng.normal(size=(40, 4))]
        for weights in maps:
            states.append(states[-1] + np.tanh(states[-1] @ weights))
        found.append({"representation": Representation({f"state {i}": x for i, x in enumerate(states)}, labels=np.arange(40) % 2)})
    return {"target": found[0], "source": found[2], "sources": found[1:], "domains": found}


SMALL = {"pairs": 200, "draws": 200, "components": 2}


def calibrate_output() -> np.ndarray:
    *_, r = radar.calibrate(domains(), {"names": ["b", "c"], "radar": SMALL, "splits": 2, "blocks": 2}, Quiet())
    per_source = (r.scores, r.errors, r.se, r.matched_scores.ravel(), r.per_transition.ravel(), r.centroid, r.gauge, r.borrowed)
    return np.array([*np.concatenate(per_source), *r.null, *r.own, r.half])


def radar_output() -> np.ndarray:
    *_, r = radar.compare(domains(), {"radar": SMALL}, Quiet())
    pairs = (r.within_pairs[:9].ravel(), r.cross_pairs[:9].ravel(), r.within[:3].ravel(), r.cross[:3].ravel(), r.log_ratio[:9])
    return np.array([r.score, r.mc_error, r.gauge, *np.concatenate(pairs), *r.per_transition, *r.marginals.ravel(), *r.centroid, *r.spread])


def readings_output() -> np.ndarray:
    *_, r = radar.readings(domains(), {"names": ["b", "c"], "radar": SMALL}, Quiet())
    return r.scores


def matrix_output() -> np.ndarray:
    *_, d = radar.matrix(domains(), {"names": ["a", "b", "c"], "radar": SMALL}, Quiet())
    return np.stack([d.scores, d.errors])[:, ~np.eye(3, dtype=bool)]


def paths_output() -> np.ndarray:
    *_, p = radar.paths(domains(), {"names": ["a", "b", "c"], "threads": 2}, Quiet())
    return np.array([*p.means.ravel(), *p.threads.ravel(), *p.rows.ravel(), *p.shares, *p.captured])


def blobs() -> dict:
    """A target and two sources of 60 items in three classes, three states; the second source is labelled with the next class."""
    rng, found = np.random.default_rng(7), []
    for i, turn in enumerate((0, 0, 1)):
        labels = np.arange(60) % 3
        states = [3 * np.eye(3, 4)[(labels + turn) % 3] + rng.normal(size=(60, 4))]
        states += [np.tanh(states[0]), states[0] ** 2]
        made = {"labels": labels, "classes": ("a", "b", "c"), "ids": [f"{i} {row}" for row in range(60)], "domain": "abc"[i]}
        found.append({"representation": Representation({f"state {j}": x for j, x in enumerate(states)}, **made)})
    return {"target": found[0], "sources": found[1:]}


def gain_output() -> np.ndarray:
    *_, g = gain.measure(blobs(), {"budget": 9, "seeds": 3, "keep": [["b"]]}, Quiet())
    return np.concatenate([g.base, g.accuracy.ravel(), g.per_class.ravel(), g.confusion.ravel(), g.after.ravel()])


def curve_output() -> np.ndarray:
    *_, c = gain.curve(blobs(), {"seeds": 3}, Quiet())
    return np.concatenate([c.budgets, c.base.ravel(), c.accuracy.ravel()])


def sources_output() -> np.ndarray:
    *_, b = ranking.sources(blobs(), {"budget": 9, "seeds": 2, "radar": SMALL}, Quiet())
    return np.concatenate([b.values.ravel(), b.truth.ravel()])


def models_output() -> np.ndarray:
    entries = [blobs()["target"]]
    *_, b = ranking.models({"models": entries}, {"names": ["one"], "seeds": 2, "budget": 9}, Quiet())
    return np.concatenate([b.values[:, np.isfinite(b.values[0])].ravel(), b.truth.ravel()])


def finetune_output() -> np.ndarray:
    """Rounded: the weights differ in their last digits between machines."""
    *_, b = tuning.finetune({"models": [load_model("builtin:mlp/plain")], "dataset": load_dataset("builtin:digits/printed?n=120")},
                            {"seeds": 1, "steps": 8, "budget": 40, "tested": 60}, Quiet())
    return b.truth.round(1)


def inspect_output() -> np.ndarray:
    given = blobs()
    options = {"budget": 9, "seeds": 3, "radar": SMALL, "splits": 2, "blocks": 2, "confirm": True}
    *_, i = case.inspect({"target": given["target"], "source": given["sources"][1]}, options, Quiet())
    arrays = (i.base, i.accuracy, i.after, i.near_distances[:9], i.own_votes, i.votes, i.per_transition, i.null, i.matched, i.confirmed)
    return np.array([*np.concatenate([a.ravel() for a in arrays]), i.apart, i.ceiling, i.centroid, i.spread, i.gauge, i.radar, i.own, i.borrowed])


def pairs_output() -> np.ndarray:
    given = blobs()
    *_, p = case.pairs({"domains": [given["target"], given["sources"][1]]}, {"budget": 9, "seeds": 2, "radar": SMALL}, Quiet())
    return np.concatenate([p.predicted[~np.eye(2, dtype=bool)], p.measured[~np.eye(2, dtype=bool)].ravel()])


def scoreboard_output() -> np.ndarray:
    *_, board = ranking.sources(blobs(), {"budget": 9, "seeds": 2, "radar": SMALL, "scores": ["radar", "logme", "centroid", "source_probe"]}, Quiet())
    *_, s = scoreboard({"boards": {"graded noise: handwritten": board}}, {"suites": ["graded noise"]}, Quiet())
    return np.array([*s.spearman.ravel(), *s.mci(), s.centroid, *s.n_blends])


def sensitivity_output() -> np.ndarray:
    *_, p = sensitivity.profile({"model": load_model("builtin:raw")}, {"transforms": ["rotate", "hue", "erase"], "n": 40, "resamples": 50}, Quiet())
    return np.concatenate([p.value.ravel(), p.low.ravel(), p.high.ravel(), p.idle])


TINY = {"classes": 3, "targets": 3, "transforms": ("rotate", "hue"), "samples": 60, "steps": 2, "probed": 60, "tested": 200, "seeds": 1}


def experiment(name: str, **options):
    """An experiment in miniature; the caller rounds: the weights differ in their last digits between machines."""
    *_, found = invariance.UNITS[name][0]({}, {key: value for key, value in {**TINY, **options}.items() if key in invariance.QUICK[name]}, Quiet())
    return found


def mismatch_output() -> np.ndarray:
    return experiment("mismatch", sizes=(1, 2)).accuracy.round(1)


def importance_output() -> np.ndarray:
    return experiment("importance", factors=("class relation",), size=1).accuracy.round(1)


def harm_output() -> np.ndarray:
    return experiment("harm", n=40).sensitivity.round(1)


def carried_output() -> np.ndarray:
    return np.nan_to_num(experiment("carried", n=40).sensitivity, nan=-1).round(1)  # hue does nothing to digits


GROWN = {"trained": 30, "branches": 3, "steps": 10, "points": 5, "directions": 3, "items": 60, "limit": 200}


def grow_output() -> np.ndarray:
    """Rounded, as weights differ in their last digits between machines."""
    options = {**GROWN, "lengths": 2, "train": 10, "seeds": 1, "widths": (2.0,), "families": ("width",), "matched": False, "proxies": ("params", "l2_norm")}
    *_, g = growth.grow({"dataset": load_dataset("builtin:digits/printed?n=200")}, options, Quiet())
    rounded = (g.distances[:, :, 0, 1], g.losses, g.starts, g.values, g.accuracy)
    return np.array([*g.parameters, *np.concatenate([values.ravel() for values in rounded]).round(1)])


def valley_output() -> np.ndarray:
    *_, v = growth.valley({"dataset": load_dataset("builtin:digits/printed?n=200")}, {**GROWN, "looks": 2, "grid": 5}, Quiet())
    return np.array([*v.distances.ravel().round(1), *v.losses.round(1), *v.plane_minima.ravel().round(1), *v.along])


def clouds_output() -> np.ndarray:
    *_, c = teaching.clouds({}, {"n": 60, "d": 5}, Quiet())
    return np.array([*c.tas, *c.companions.values(), c.auc])


def triangle_output() -> np.ndarray:
    *_, t = teaching.triangle({}, {"degrees": 60.0}, Quiet())
    return np.array([t.theta, t.d])


def shipped_output() -> np.ndarray:
    """What is shipped may change with a new run: here is only that it is handed on."""
    *_, h = teaching.shipped({}, {"name": "harm"}, Quiet())
    return np.array([*h.accuracy.shape])


class Quiet:
    def progress(self, done, total, note=""):
        pass


UNITS = {"analysis.studies.extraction:extraction": (extraction, extraction_output), "analysis.studies.projection:umap": (umap, umap_output),
         "analysis.studies.persistence:profile": (persistence.profile, profile_output),
         "analysis.studies.persistence:loops": (persistence.loops, loops_output),
         "analysis.studies.persistence:survey": (persistence.survey, survey_output),
         "analysis.studies.persistence:distances": (persistence.distances, distances_output),
         "analysis.studies.spectrum:compare": (spectrum.compare, compare_output),
         "analysis.studies.spectrum:layers": (spectrum.layers, layers_output),
         "analysis.studies.spectrum:convergence": (spectrum.convergence, convergence_output),
         "analysis.studies.radar:calibrate": (radar.calibrate, calibrate_output),
         "analysis.studies.radar:compare": (radar.compare, radar_output),
         "analysis.studies.radar:readings": (radar.readings, readings_output),
         "analysis.studies.radar:matrix": (radar.matrix, matrix_output),
         "analysis.studies.radar:paths": (radar.paths, paths_output),
         "analysis.studies.gain:measure": (gain.measure, gain_output),
         "analysis.studies.gain:curve": (gain.curve, curve_output),
         "analysis.studies.ranking:models": (ranking.models, models_output),
         "analysis.studies.ranking:sources": (ranking.sources, sources_output),
         "analysis.studies.tuning:finetune": (tuning.finetune, finetune_output),
         "analysis.studies.case:inspect": (case.inspect, inspect_output),
         "analysis.studies.case:pairs": (case.pairs, pairs_output),
         "analysis.studies.scoreboard:scoreboard": (scoreboard, scoreboard_output),
         "analysis.studies.sensitivity:profile": (sensitivity.profile, sensitivity_output),
         "analysis.studies.invariance:mismatch": (invariance.mismatch, mismatch_output),
         "analysis.studies.invariance:importance": (invariance.importance, importance_output),
         "analysis.studies.invariance:harm": (invariance.harm, harm_output),
         "analysis.studies.invariance:carried": (invariance.carried, carried_output),
         "analysis.studies.growth:grow": (growth.grow, grow_output),
         "analysis.studies.growth:valley": (growth.valley, valley_output),
         "analysis.studies.teaching:clouds": (teaching.clouds, clouds_output),
         "analysis.studies.teaching:triangle": (teaching.triangle, triangle_output),
         "analysis.studies.teaching:shipped": (teaching.shipped, shipped_output)}


def present(name: str) -> dict:
    unit, output = UNITS[name]
    return {"version": unit.VERSION, "output": np.round(output().astype(float), 3).tolist()}


@pytest.mark.parametrize("name", UNITS)
def test_a_changed_output_has_a_new_version(name):
    kept, now = json.loads(FILE.read_text())[name], present(name)
    same = np.allclose(kept["output"], now["output"], atol=2e-3) if np.shape(kept["output"]) == np.shape(now["output"]) else False
    assert same == (kept["version"] == now["version"]), "give the unit a new VERSION, then: python -m tests.golden.test_versions"


if __name__ == "__main__":
    kept, asked = json.loads(FILE.read_text()), tuple(sys.argv[1:]) or ("",)
    written = {name: present(name) if name.startswith(asked) else kept[name] for name in UNITS if name.startswith(asked) or name in kept}
    FILE.write_text(json.dumps(written, indent=1) + "\n")
