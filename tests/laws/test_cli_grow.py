import json
from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest

from analysis import load_dataset, load_model
from analysis.__main__ import main, parser
from analysis.commands import growth as verb
from analysis.studies import growth
from analysis.tensors import save_tensors

DIGITS = "builtin:digits/handwritten?n=200"
SHORT = {"trained": 20, "steps": 6, "branches": 3, "train": 8, "seeds": 2}
FEW = [DIGITS, *(word for name, value in SHORT.items() for word in (f"--{name}", str(value)))]
TIMES = ("seconds", "proxy_seconds")


def run(capsys, *arguments: str) -> tuple[str, str]:
    assert main(["grow", *arguments]) == 0
    return capsys.readouterr()


def told(capsys, *arguments: str) -> dict:
    return json.loads(run(capsys, *arguments, "--json").out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


def timeless(manifest: dict) -> dict:
    return {name: value for name, value in json.loads(json.dumps(manifest)).items() if name not in TIMES}


@cache
def widened():
    """As the verb should have it, by the study itself: every layer and both of them twice as wide."""
    groups = {"all": "02", "layer 0": "0", "layer 2": "2"}
    asked = tuple((f"{name} ×2", "width", tuple(("widen", layer, 2.0) for layer in layers)) for name, layers in groups.items())
    options = {**SHORT, "families": ("width",), "widths": (2.0,), "crossed": (2.0,), "matched": False, "candidates": asked}
    *_, found = growth.grow({"dataset": load_dataset(DIGITS)}, options, SimpleNamespace(progress=lambda *_: None))
    return found


def test_grow_says_what_the_study_finds(tmp_path, capsys):
    said, found = run(capsys, "mlp", *FEW, "--widen", "2", "--json", str(tmp_path / "g.json")), widened()
    assert timeless(json.loads((tmp_path / "g.json").read_text())) == timeless(found.manifest()) and found.final
    lines = said.out.splitlines()
    worst = found.names[int(found.check.argmax())]
    assert lines[0] == f"function check: max |delta logit| {found.check.max():.1e}, of {worst}; 3 of 3 expansions keep the function to 1e-05"
    assert lines[1].startswith(f"{found.base} on {found.data}: accuracy {found.start:.4f}, {found.accuracy[0].mean():.4f} after 8 steps more")
    assert lines[2].startswith("3 branches of 6 steps, epsilon 0.02") and "our estimators" in lines[2]
    assert lines[3].split() == "candidate family parameters gain 95 % interval distance radius log-volume".split()
    order = [0, *sorted((1, 2, 3), key=lambda row: -found.gains()[row])]  # the base, then what gained most
    for line, row in zip(lines[4:8], order, strict=True):
        mean, low, high = found.gain_interval(found.names[row])
        numbers = [found.metric(name)[row] for name in ("distance", "radius", "volume")]
        assert line.split() == [*found.names[row].split(), found.families[row], f"{found.parameters[row]:.0f}",
                                *(["-", "-"] if row == 0 else f"{mean:.4f} {low:.4f} to {high:.4f}".split()),
                                *(f"{number:.4f}" if number == number else "-" for number in numbers)]
    assert lines[8:12] == ["", found.verdict(), found.within(), ""] and "Too few expansions (3)" in lines[9]
    assert lines[12] == "No size or proxy has a tau. 3 expansions are too few for a correlation: it takes 6."
    assert "training the base" in said.err


def test_what_tells_the_gain_best_is_listed_beside_the_number_of_parameters(monkeypatch, capsys):
    found = growth.shipped("mlp-0")
    monkeypatch.setattr(verb, "last", lambda *_: found)
    lines = run(capsys, "mlp", *FEW, "--widen", "2").out.splitlines()
    at = next(i for i, line in enumerate(lines) if line.split()[:3] == ["size", "or", "proxy"])
    summary = found.summary()
    for line, row in zip(lines[at + 1:], summary.head(verb.BEST).to_dict("records"), strict=False):
        assert line.split()[:len(row["title"].split())] == row["title"].split() and ("  ours  " in line) == row["ours"]
        assert f" {row['n']}  " in line and f"{row['tau']:.4f}" in line and line.endswith(f"{row['regret']:.4f}")
        assert row["pick"] in line
    plain = [line for line in lines[at + 1:] if line.split()[:2] == ["Parameters", "trivial"]]
    assert len(plain) == 1 and f"{found.correlation('params').value:.4f}" in plain[0]
    assert [line.removeprefix("note: ") for line in lines if line.startswith("note: ")][-len(found.notes):] == list(found.notes)
    assert any("estimators are ours" in note for note in found.notes)


def test_two_expansions_rank_nothing_and_what_changes_the_function_or_is_missing_is_told(monkeypatch, capsys):
    given, found = (["mlp", DIGITS, "--deepen"], widened())
    two = {name: getattr(found, name)[:3] for name in ("names", "families", "changes", "parameters", "distances", "losses", "starts", "radius", "values",
                                                       "accuracy", "seconds", "proxy_seconds")}
    apart = np.where(np.eye(3, dtype=bool), 0.0, 9.0) + np.zeros_like(found.barriers[:3])
    told = replace(found, **two, check=np.array([0, 0.5, 0]), barriers=apart, reasons={f"{name}: ntk": "No kernel." for name in found.names[1:3]},
                   warnings=("all ×2: Branch 1 (seed 1) diverged at step 3 and is left out.",))
    monkeypatch.setattr(verb, "last", lambda *_: told)
    lines = run(capsys, *given).out.splitlines()
    assert lines[0] == "function check: max |delta logit| 5.0e-01, of all ×2; 1 of 2 expansions keep the function to 1e-05"
    assert any(line.startswith("No size or proxy has a tau. 2 expansions are too few") for line in lines)
    assert "note: all ×2: Branch 1 (seed 1) diverged at step 3 and is left out." in lines
    assert "note: no NTK condition of all ×2, layer 0 ×2. No kernel." in lines
    assert "note: no log-volume of base, all ×2, layer 0 ×2. No two minima are connected: a simplex with a volume needs three that all are." in lines


def test_a_candidate_that_could_not_be_measured_is_in_no_line(monkeypatch, capsys):
    found = widened()
    names = ("parameters", "check", "distances", "barriers", "losses", "starts", "radius", "values", "accuracy")
    values = {name: getattr(found, name).copy() for name in names}
    for of in values.values():
        of[1] = np.nan
    monkeypatch.setattr(verb, "last", lambda *_: replace(found, **values, warnings=("all ×2 is left out: no.",)))
    said = run(capsys, "mlp", DIGITS, "--widen", "2").out
    assert "2 of 2 expansions keep the function" in said and "nan" not in said and said.count("all ×2") == 1


def test_branches_that_end_above_their_start_are_the_reason_for_a_missing_volume(monkeypatch, capsys):
    losses = widened().losses.copy()
    losses[1, -1] = 99.0
    monkeypatch.setattr(verb, "last", lambda *_: replace(widened(), losses=losses))
    said = run(capsys, "mlp", DIGITS, "--widen", "2").out
    assert "note: no log-volume of all ×2. There are no two branches to compare: 3 of 3 end more than ε = 0.02 above their start." in said


def test_only_the_ways_that_were_asked_for_are_tried(monkeypatch, capsys):
    """Which they are is settled before the study begins."""
    class Begun(Exception):
        pass

    def tried(*arguments: str) -> dict:
        def begin(study, inputs, options):
            raise Begun(options)
        monkeypatch.setattr(verb, "last", begin)
        with pytest.raises(Begun) as begun:
            main(["grow", *arguments])
        return begun.value.args[0]

    names = lambda *arguments: [name for name, *_ in tried("mlp", *FEW, *arguments)["candidates"]]
    assert names("--widen", "1.5", "3") == ["all ×1.5", "all ×3", "layer 0 ×1.5", "layer 2 ×1.5", "layer 0 ×3", "layer 2 ×3"]
    assert names("--deepen") == ["layer 0 deeper", "layer 2 deeper", "all deeper"]
    assert names("--residual") == ["layer 0 residual", "layer 2 residual", "all residual"]
    assert names("--both") == ["all ×2, all deeper", "all ×2, all residual"]
    assert names("--widen", "3", "--both") == ["all ×3", "layer 0 ×3", "layer 2 ×3", "all ×3, all deeper", "all ×3, all residual"]
    assert names("--widen", "2", "--layers", "1") == ["all ×2"]
    assert tried("mlp", *FEW)["candidates"] == () and tried("mlp", *FEW)["families"] == growth.FAMILIES
    assert names("--widen", "2", "--deepen")[:4] == ["all ×2", "layer 0 ×2", "layer 2 ×2", "layer 0 deeper"]


def test_the_defaults_are_the_pages(monkeypatch):
    grow = next(action for action in parser()._actions if action.choices).choices["grow"]
    preset = lambda *arguments: growth.settled("grow", verb._preset(grow.parse_args(arguments), arguments[0] if arguments[0] in verb.SPOT else ""))
    full = {base: growth.settled("grow", growth.FULL[f"{base}-0"][1]) for base in verb.SPOT}
    assert preset("mlp") == growth.settled("grow", {})
    assert preset("conv") == growth.settled("grow", {**growth.SHORT_CONV, "base": "conv", "width": full["conv"]["width"]})
    assert preset("builtin:mlp/plain") == growth.settled("grow", {"trained": 100})
    assert {base: preset(base, "--full") for base in verb.SPOT} == full
    given = {"branches": 4, "steps": 60, "epsilon": 0.1, "train": 50, "seeds": 3, "trained": 0, "units": 6, "layers": 3, "device": "cpu", "seed": 7}
    asked = preset("mlp", *(word for name, value in given.items() for word in (f"--{name}", str(value))))
    assert asked == growth.settled("grow", {**{name: given[name] for name in given if name not in ("units", "layers")}, "width": 6, "depth": 3})
    words = {action.dest: action.help for action in grow._actions}
    assert all(f"(default: {growth.QUICK['grow'][name]}" in words[name] for name in ("branches", "steps", "epsilon", "train", "seeds", "trained"))
    usual = lambda name: [growth.usual(base, full)[name] for full in (False, True) for base in verb.SPOT]  # noqa: E731
    for option, name in (("train", "train"), ("seeds", "seeds")):
        assert "(default: {}, of conv {}; with --full {}, of conv {})".format(*usual(name)) in words[option]
    assert f"(default: {usual('trained')[0]}, of a model {growth.usual('', False)['trained']})" in words["trained"] and len(set(usual("trained"))) == 1
    assert "(default: {}, of conv {})".format(*usual("width")[:2]) in words["units"] and usual("width")[:2] == usual("width")[2:]
    assert f"(default: {usual('depth')[0]})" in words["layers"] and len(set(usual("depth"))) == 1
    assert all(len(set(usual(name))) == 1 for name in ("branches", "steps", "epsilon"))


def test_weights_of_a_file_grow_and_a_closed_way_is_told(tmp_path, monkeypatch, capsys):
    module, _ = load_model("builtin:mlp/plain").load()
    path, given = tmp_path / "own.safetensors", {}
    save_tensors(path, {name: value.numpy() for name, value in module.state_dict().items()})
    monkeypatch.setattr(verb, "last", lambda study, inputs, options: given.update(inputs, asked=options["candidates"]) or widened())
    kept = told(capsys, str(path), DIGITS, "--architecture", "mlp", "--widen", "2", "--deepen")
    layers = ["parts.1.0", "parts.2.0", "parts.3.0"]
    assert given["model"].name == "own" and given["asked"] == (("all ×2", "width", tuple(("widen", layer, 2.0) for layer in layers)),
                                                               *((f"{layer} ×2", "width", (("widen", layer, 2.0),)) for layer in layers))
    assert len(kept["warnings"]) == 1 and "No layer can be deepened. parts.1.0: GELU follows it" in kept["warnings"][0]
    assert "note: No layer can be deepened." in run(capsys, str(path), DIGITS, "--architecture", "mlp", "--widen", "2", "--deepen").out


@pytest.mark.parametrize("arguments, says", [
    (["builtin:recurrent/plain", *FEW], "No layer of this network can grow. parts.1.gru: GRU is neither a dense layer nor a convolution"),
    (["builtin:recurrent/plain", DIGITS, "--widen", "2"], "parts.1.gru: GRU"), (["builtin:mlp/plain", DIGITS, "--deepen"], "parts.1.0: GELU follows it"),
    (["builtin:mlp/plain", DIGITS, "--widen", "1.5"], "only by whole factors"), (["mlp", *FEW, "--widen", "wide"], "'wide' was given as --widen"),
    (["mlp", *FEW, "--widen", "2", "0.5"], "0.5 was given"), (["mlp", *FEW, "--widen", "nan"], "nan was given"),
    (["mlp", *FEW, "--widen", "1.05"], "adds no unit"), (["mlp", *FEW, "--branches", "1"], "1 branches (--branches)"),
    (["mlp", *FEW, "--units", "0"], "0 units of a layer (--units) were asked for"), (["mlp", *FEW, "--layers", "0"], "0 layers (--layers)"),
    (["mlp", *FEW, "--train", "0"], "0 steps of training (--train)"), (["mlp", *FEW, "--device", "cuda:99"], "'cuda:99' is not there"),
    (["mlp", *FEW, "--epsilon", "0"], "0.0 was given as --epsilon"),
    (["mlp", *FEW, "--seed", "-1"], "no seed"), (["mlp", "builtin:reviews/film"], "holds texts"), (["mlp", "builtin:digits/handwritten?n=20"], "20 items"),
    (["conv", "builtin:shapes/circle"], "mlp, or pictures"), (["builtin:mlp/plain", "--units", "3"], "--units and --layers are for mlp and conv"),
    (["mlp", "--architecture", "conv-narrow"], "--architecture"), (["builtin:raw", DIGITS], "has no head"), (["dense"], "no model 'dense'")])
def test_what_cannot_be_grown_is_refused(arguments, says, capsys):
    assert main(["grow", *arguments]) == 2
    said = capsys.readouterr()
    assert says in said.err and "Traceback" not in said.err and said.out == ""


def test_data_without_labels_is_refused(tmp_path, capsys):
    np.save(tmp_path / "bare.npy", np.random.default_rng(0).integers(0, 256, (80, 8, 8, 3), np.uint8))
    assert main(["grow", "mlp", str(tmp_path / "bare.npy"), "--widen", "2"]) == 2
    said = capsys.readouterr()
    assert "has no labels" in said.err and said.out == ""
