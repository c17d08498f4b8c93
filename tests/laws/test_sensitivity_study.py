import json
from functools import partial

import numpy as np
import pytest

from analysis import Dataset, Model, load_dataset, load_model
from analysis.data import scenes, wording
from analysis.data.transforms import TRANSFORMS
from analysis.errors import Cancelled
from analysis.metrics import sensitivity
from analysis.store import Store
from analysis.studies import sensitivity as studies
from tests.refusal import refused
from tests.told import Told

FEW = {"n": 40, "resamples": 50}


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model("builtin:conv/narrow")


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_dataset("builtin:digits/printed?n=60")


def profiled(model, dataset=None, ctx=None, built=None, **options) -> list:
    inputs = {"model": model} | ({"dataset": dataset} if dataset else {}) | ({"scenes": built} if built else {})
    return list(studies.profile(inputs, {**FEW, **options}, ctx or Told()))


def pixels(items):
    import torch
    return torch.from_numpy(np.asarray(items, np.float32)).flatten(1)


def flat(name: str = "flat", **layers) -> Model:
    """Gives the pixels as they are and, in a second layer, nothing."""
    import torch

    class Flat(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.pixels, self.nothing = torch.nn.Identity(), torch.nn.ReLU()

        def forward(self, x):
            return self.nothing(-self.pixels(x) - 1)
    return Model.wrap(Flat(), preprocess=pixels, layers=["pixels", "nothing"], name=name)


def reader() -> Model:
    """Counts letters, small and capital ones apart."""
    import torch
    count = lambda texts: torch.tensor([[float(text.count(chr(c))) for c in range(32, 127)] for text in texts])
    return Model.wrap(torch.nn.Sequential(torch.nn.Identity()), preprocess=count, name="reader", modality="text")


# what it finds

def test_it_is_the_metric_on_the_pairs_that_it_names(model):
    *_, found = profiled(model, transforms=["rotate", "hue"], layers="all", seed=3)
    assert found.model == model.name and found.data == scenes.builtin().name and found.layers == tuple(model.layers)
    assert found.transforms == ("rotate", "hue") and found.families == ("geometric", "photometric") and found.n == 40 and found.final
    for name in found.transforms:
        a, b, _ = studies.drawn({"model": model}, {**FEW, "seed": 3}, name)
        for layer in (found.layers[0], found.layers[-1]):
            alone = sensitivity.measure(lambda items, layer=layer: model.run(items, layers=[layer])[0][layer], (a, b), seed=3, resamples=50, batch=128)
            row = found.row(name, layer)
            assert (row.value, row.low, row.high) == pytest.approx((alone.value, alone.low, alone.high), rel=1e-5)
            np.testing.assert_allclose(row.matched, alone.matched, rtol=1e-4, atol=1e-5)
            np.testing.assert_array_equal(row.partner, alone.partner)
        assert found.idle[found.transforms.index(name)] == (a == b).all(axis=(1, 2, 3)).mean()


def test_it_grows_transform_by_transform(model):
    ctx = Told()
    parts = profiled(model, ctx=ctx, transforms=["h-flip", "blur", "noise"])
    assert len(parts) == 3 and [part.final for part in parts] == [False, False, True]
    for place, part in enumerate(parts):
        known = np.isfinite(part.value[:, 0])
        assert known.tolist() == [i <= place for i in range(3)] and np.isfinite(part.idle).tolist() == known.tolist()
        assert np.isfinite(part.matched).all(axis=(1, 2)).tolist() == known.tolist()
        np.testing.assert_array_equal(part.value[known], parts[-1].value[known])
    assert any("blur" in note for note in ctx.notes)
    alone = profiled(model, transforms=["blur"])[0]
    np.testing.assert_array_equal(alone.matched[0], parts[-1].matched[1])


def test_all_transforms_of_pictures_are_looked_at_unless_some_are_named(model):
    *_, found = profiled(model, n=4, resamples=0)
    assert found.transforms == tuple(TRANSFORMS) and found.layers == (list(model.layers)[-1],) and found.value.shape == (len(TRANSFORMS), 1)


def test_what_a_transform_leaves_alone_is_exactly_0(model):
    *_, found = profiled(model, transforms=["rotate", "h-flip"], layers="all", knobs={"rotate": {"angle": (0, 0)}})
    assert (found.value[0] == 0).all() and (found.high[0] == 0).all() and found.idle[0] == 1
    assert len(found.warnings) == 1 and "rotate does nothing to these items" in found.warnings[0]
    same = 0 == found.matched[1]
    assert (same.all(axis=0) == same.any(axis=0)).all() and same[0].mean() == found.idle[1] > 0


def test_a_transform_that_mostly_does_nothing_is_told(model):
    *_, found = profiled(model, transforms=["invert"], knobs={"invert": {"chance": 0.01}}, n=100)
    assert 0.95 <= found.idle[0] < 1 and "invert leaves" in found.warnings[0]


def test_a_model_trained_on_colours_is_less_sensitive_to_them(digits):
    grey, colour = (profiled(load_model(f"builtin:vit/{name}"), digits, transforms=["brightness", "contrast"])[-1] for name in ("seed0", "seed2"))
    assert (colour.value < grey.value).all()


def test_a_constant_layer_has_a_reason_and_the_others_their_number():
    *_, found = profiled(flat(), transforms=["blur"], layers="all")
    assert np.isfinite(found.value[0, 0]) and np.isnan(found.value[0, 1])
    assert "'nothing'" in found.reason("blur", "nothing") and not found.reason("blur", "pixels") and list(found.reasons) == ["blur · nothing"]


# what it is given

def test_a_datasets_own_pictures_are_transformed(model, digits):
    *_, found = profiled(model, digits, transforms=["rotate", "grayscale"])
    assert found.data == digits.name and found.value[0] > 0 and found.n == 40
    assert found.idle[1] == 1 and "grayscale does nothing" in found.warnings[0]  # grey ones
    a, _, rows = studies.drawn({"dataset": digits}, FEW, "h-flip")
    assert all(np.array_equal(x, digits.items[row]) or np.array_equal(x, digits.items[row][:, ::-1]) for x, row in zip(a, rows, strict=True))
    *_, found = profiled(model, digits, transforms=["blur"], n=500)
    assert found.n == 60 and found.matched.shape == (1, 1, 60) and "60" in found.warnings[0]


def test_scenes_of_the_users_own_and_some_classes(model):
    some = scenes.Scenes(scenes.builtin().objects[:5], scenes.builtin().backgrounds[:3], scenes.builtin().classes[:5], "mine")
    *_, found = profiled(model, built=some, transforms=["rotate"])
    assert found.data == "mine" and found.value[0, 0] != profiled(model, transforms=["rotate"])[-1].value[0, 0]
    assert set(studies.drawn({"scenes": some}, {**FEW, "classes": [1, 3]}, "rotate")[2]) == {1, 3}


def test_texts_have_transforms_of_their_own():
    films = load_dataset("builtin:reviews/film").take(range(40))
    parts = profiled(reader(), films)
    assert parts[-1].transforms == tuple(wording.WORDINGS) and set(parts[-1].families) == {"text"} and parts[-1].final
    assert parts[-1].row("word-order").value < 0.05 < parts[-1].row("case").value


def test_a_result_goes_through_the_store(model, tmp_path):
    *_, found = profiled(model, transforms=["rotate", "blur"])
    store = Store(tmp_path)
    store.put_result("abc", found)
    again = store.result("abc")
    for name in ("value", "low", "high", "matched", "random", "partner", "idle"):
        np.testing.assert_array_equal(getattr(again, name), getattr(found, name))
    assert (again.transforms, again.families, again.layers, again.warnings) == (found.transforms, found.families, found.layers, found.warnings)
    json.dumps(found.manifest(), allow_nan=False)
    assert len(found.table()) == 2


# refusals

def test_what_does_not_fit_is_refused_before_anything_runs(model, digits):
    films = load_dataset("builtin:reviews/film").take(range(40))
    rows = Dataset(np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32), name="rows")
    given = partial(studies.offered, {"dataset": rows})
    refused(given, "rows")
    refused(lambda: profiled(model, films), "images", "texts")
    refused(lambda: profiled(model, rows), "rows")
    refused(lambda: profiled(load_model("builtin:raw"), rows), "rows")
    refused(lambda: profiled(reader()), "reader", "pictures")
    refused(lambda: profiled(reader(), digits), "texts")
    for options in ({"n": 1}, {"n": 2.5}, {"n": True}, {"seed": -1}, {"transforms": []}, {"transforms": ["turn"]}, {"transforms": ["blur", "blur"]},
                    {"layers": ["none such"]}, {"knobs": {"rotate": {"angle": (0, 900)}}}, {"knobs": {"turn": 3}}, {"classes": [99]}, {"level": 2},
                    {"resamples": -1}):
        ctx = Told("comparing")
        refused(lambda options=options, ctx=ctx: profiled(model, ctx=ctx, **options))
    one = digits.take([0, 1])
    assert profiled(model, one, transforms=["blur"])[-1].n == 2


def test_rows_that_are_not_finite_are_refused():
    import torch
    bad = Model.wrap(torch.nn.Sequential(torch.nn.Identity()), preprocess=lambda items: pixels(items) / 0, layers=["0"], name="bad")
    refused(lambda: profiled(bad, transforms=["brightness"]), "'0'", "infinite")


def test_a_cancel_is_heard_within_a_batch(model):
    ctx = Told("rotate: comparing")
    with pytest.raises(Cancelled):
        profiled(model, ctx=ctx, transforms=["rotate"], n=300)
    assert ctx.notes == ["rotate: drawing pairs", "rotate: comparing pairs"]


class Keeping(Told):
    """A context that keeps parts, as a worker's does."""

    def __init__(self):
        super().__init__()
        self.parts, self.kept = {}, lambda key: self.parts.get(key)

    def keep(self, key, part):
        self.parts[key] = part


def test_a_change_that_the_model_itself_undoes_is_told_apart_from_an_invariance():
    texts = Dataset(("Small words and LARGE ones", "Another TEXT here", "and a Third one", "the Last"))
    import torch
    count = lambda items: torch.tensor([[float(text.lower().count(chr(c))) for c in range(97, 123)] for text in items])
    deaf = Model.wrap(torch.nn.Sequential(torch.nn.Identity()), preprocess=count, name="deaf", modality="text")
    found = profiled(deaf, texts, transforms=["case", "typos"])[-1]
    assert found.value[0, 0] == 0 and any(w.startswith("case: both sides of every pair come out exactly") for w in found.warnings)
    assert not any(w.startswith("typos") for w in found.warnings)
    assert not profiled(reader(), texts, transforms=["case"])[-1].warnings[1:]


def test_a_network_that_cannot_notice_a_change_is_not_said_to_owe_it_to_its_reader(digits):
    import torch
    blind = torch.nn.Sequential(torch.nn.AdaptiveMaxPool2d(1), torch.nn.Flatten())
    to_tensor = lambda items: torch.from_numpy(np.asarray(items, np.float32)).permute(0, 3, 1, 2)
    coloured = Dataset(np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3), np.uint8))
    found = profiled(Model.wrap(blind, preprocess=to_tensor, name="blind", modality="image"), coloured, transforms=["h-flip"])[-1]
    assert found.value[0, -1] == 0 and "by how it is built" in found.warnings[-1]


def test_classes_are_checked_before_anything_is_run(model, digits):
    named = profiled(model, transforms=["hue"], classes=range(3))[-1]
    assert named.options["classes"] == [0, 1, 2]
    for classes in ({1, 2}, "ab", [0, 0], [99], [0.5], []):
        refused(lambda classes=classes: profiled(model, transforms=["hue"], classes=classes), "classes are")
    refused(lambda: profiled(model, digits, transforms=["hue"], classes=[0]), "Leave the classes out")


def test_parts_that_a_worker_kept_are_found_by_the_next_run_and_are_the_same(store):
    from analysis import engine
    from tests.laws.test_engine import wait
    ask = lambda knobs: wait(engine.submit(studies.profile, {"model": engine.Ref.model("builtin:mlp/plain")},
                                           {**FEW, "transforms": ["hue", "invert"], "knobs": knobs}), 60).result()
    first, again = ask({}), ask({"hue": {"turn": (0, 0.1)}})
    assert sum(entry.part for entry in store.entries()) == 3
    np.testing.assert_array_equal(first.matched[1], again.matched[1])
    assert first.value[0, 0] != again.value[0, 0] and list(again.options["knobs"]) == ["hue"]


def test_another_range_of_one_transform_is_the_only_one_measured_again(model):
    ctx, names = Keeping(), ("rotate", "hue", "invert")
    first = profiled(model, ctx=ctx, transforms=names)[-1]
    assert len(ctx.parts) == 3
    ctx.notes.clear()
    turned = {"hue": {"turn": (0, 0.1)}}
    again = profiled(model, ctx=ctx, transforms=names, knobs=turned)[-1]
    assert len(ctx.parts) == 4 and {note.partition(":")[0] for note in ctx.notes if "comparing" in note} == {"hue"}
    fresh = profiled(model, transforms=names, knobs=turned)[-1]
    for key in ("value", "low", "high", "matched", "random", "idle", "partner"):
        np.testing.assert_array_equal(getattr(again, key), getattr(fresh, key))
    np.testing.assert_array_equal(again.value[[0, 2]], first.value[[0, 2]])
    assert (again.value[1] != first.value[1]).all() and again.options["knobs"] == turned


def test_parts_of_other_models_items_pairs_or_seeds_are_not_mistaken(model, digits):
    ctx = Keeping()
    for options in ({}, {"seed": 1}, {"n": 30}, {"layers": list(model.layers)[:1]}, {"level": 0.9}, {"classes": [0, 1]}):
        profiled(model, ctx=ctx, transforms=["rotate"], **options)
    profiled(model, digits, ctx=ctx, transforms=["rotate"])
    profiled(flat(), ctx=ctx, transforms=["rotate"])
    assert len(ctx.parts) == 8
