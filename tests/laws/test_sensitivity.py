import json
import weakref

import numpy as np
import pytest

from analysis.metrics import sensitivity
from analysis.metrics.sensitivity import Profile, Sensitivity, measure, ratio
from tests.refusal import refused

N, D = 60, 5
SAME = lambda x: x  # noqa: E731


@pytest.fixture
def sides() -> tuple[np.ndarray, np.ndarray]:
    return two_sides(3)


def two_sides(seed: int, n: int = N, noise: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, D))
    return x, x + noise * rng.normal(size=(n, D))


def numbers(found: Sensitivity) -> list[float]:
    return [found.value, found.low, found.high]


# what it is

def test_it_is_the_mean_matched_over_the_mean_random_distance(sides):
    x, y = sides
    found = measure(SAME, sides)
    matched, random = (np.linalg.norm(x - other, axis=1) for other in (y, x[found.partner]))
    np.testing.assert_allclose(found.matched, matched, rtol=1e-12)
    np.testing.assert_allclose(found.random, random, rtol=1e-12)
    assert found.value == pytest.approx(matched.mean() / random.mean(), rel=1e-12)
    assert found.low < found.value < found.high and found.n == N and not found.reason
    assert ratio(*sides) == found.value


def test_partners_are_one_ring_of_all_items_drawn_from_the_seed(sides):
    for n in (2, 3, 50):
        for seed in range(5):
            partner, at, seen = measure(SAME, two_sides(0, n), seed=seed, resamples=0).partner, 0, []
            for _ in range(n):
                seen.append(at)
                at = partner[at]
            assert at == 0 and sorted(seen) == list(range(n)) and not (partner == np.arange(n)).any()
    first, again, other = (measure(SAME, sides, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.partner, again.partner)
    assert numbers(first) == numbers(again) and not np.array_equal(first.partner, other.partner) and first.value != other.value


def test_partners_are_dealt_evenly():
    dealt = [measure(SAME, two_sides(0, 4), seed=seed, resamples=0).partner for seed in range(600)]
    shares = np.stack([np.bincount(column, minlength=4) for column in np.array(dealt).T]) / len(dealt)
    np.testing.assert_allclose(shares, (1 - np.eye(4)) / 3, atol=0.08)


# laws

def test_what_the_transform_leaves_alone_is_exactly_0(sides):
    x, _ = sides
    found = measure(SAME, (x, x.copy()))
    assert numbers(found) == [0, 0, 0] and ratio(x, x) == 0


@pytest.mark.parametrize("factor", [3, 1e-30, 1e30, 1e-180, 1e180])
def test_scaling_changes_nothing(sides, factor):
    np.testing.assert_allclose(numbers(measure(lambda x: factor * x, sides)), numbers(measure(SAME, sides)), rtol=1e-10)


def test_rotating_and_shifting_change_nothing(sides):
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(D, D)))[0]
    for f in (lambda x: x @ turn, lambda x: x + 1000, lambda x: np.pad(x, ((0, 0), (0, 3)))):
        np.testing.assert_allclose(numbers(measure(f, sides)), numbers(measure(SAME, sides)), rtol=1e-9)


def test_what_the_transform_makes_of_an_item_no_more_like_it_than_any_is_about_1():
    rng = np.random.default_rng(0)
    table = rng.normal(size=(2, 4000, D))
    index = np.arange(4000)
    found = measure(lambda at: table[at[:, 0], at[:, 1]], tuple(np.stack([np.full(4000, side), index], axis=1) for side in (0, 1)))
    assert found.value == pytest.approx(1, abs=0.02) and found.low < 1 < found.high


def test_half_of_the_pairs_changed_is_half_as_sensitive(sides):
    x, y = sides
    assert ratio(np.concatenate([x, x]), np.concatenate([x, x])) == 0
    changed = measure(SAME, (x, np.where(np.arange(N)[:, None] % 2, x, y)))
    assert changed.value == pytest.approx(measure(SAME, sides).matched[::2].sum() / changed.random.sum(), rel=1e-12)
    assert (changed.matched[1::2] == 0).all()


@pytest.mark.parametrize("tail", [False, True])
def test_the_interval_covers(tail):
    """The spread of the denominator too, whose distances share items; with outliers its neighbours are far from independent."""
    def draw(rng, n):
        x = rng.normal(size=(n, 4)) * (rng.standard_t(4, size=(n, 1)) if tail else 1)
        return x, x + 0.3 * rng.normal(size=(n, 4))
    truth = ratio(*draw(np.random.default_rng(1000), 400_000))
    found = [measure(SAME, draw(np.random.default_rng(seed), 400), seed=seed, resamples=400) for seed in range(200)]
    assert 0.89 <= np.mean([f.low <= truth <= f.high for f in found]) <= 0.99
    narrow = measure(SAME, draw(np.random.default_rng(0), 400), level=0.5)
    assert narrow.high - narrow.low < 0.6 * (found[0].high - found[0].low)


# batches

@pytest.mark.parametrize("width", [1, 3, 40])
def test_the_numbers_are_the_same_whatever_the_batch(width):
    rng = np.random.default_rng(1)
    sides = rng.normal(size=(2, N, width))
    whole = measure(SAME, tuple(sides), batch=N)
    for batch in (1, 2, 7, 59, 1000):
        found = measure(SAME, tuple(sides), batch=batch)
        assert numbers(found) == numbers(whole)
        for name in ("matched", "random", "partner"):
            np.testing.assert_array_equal(getattr(found, name), getattr(whole, name))


def test_batches_are_taken_as_they_come(sides):
    x, y = sides
    found = measure(SAME, ((x[at:at + 7], y[at:at + 7]) for at in range(0, N, 7)))
    np.testing.assert_array_equal(found.partner, np.roll(np.arange(N), -1))
    np.testing.assert_allclose(found.random, np.linalg.norm(x - np.roll(x, -1, axis=0), axis=1), rtol=1e-12)
    np.testing.assert_allclose(found.matched, np.linalg.norm(x - y, axis=1), rtol=1e-12)
    two = measure(SAME, [(x[:2], y[:2]), (x[2:], y[2:])])
    assert two.value == found.value == measure(SAME, [(x[:0], y[:0]), (x, y)]).value


def test_each_side_of_an_item_is_embedded_once_and_its_rows_are_let_go(sides):
    seen, given = [], []

    def embed(items):
        assert sum(ref() is not None for ref in given) <= 3  # those of the batch before, and the first side of this one
        rows = items.copy()
        given.append(weakref.ref(rows))
        seen.append(items)
        return rows
    measure(embed, sides, batch=5)
    assert len(seen) == 2 * N / 5 and all(ref() is None for ref in given)
    for side, items in enumerate(sides):
        np.testing.assert_array_equal(np.sort(np.concatenate(seen[side::2]), axis=0), np.sort(items, axis=0))


def test_texts_and_tensors_are_items_too(sides):
    import torch
    texts = tuple("abc"[i % 3] * (i + 1) for i in range(20))
    lengths = lambda side: np.array([[len(text), ord(text[0])] for text in side])
    assert measure(lengths, (texts, texts)).value == 0
    assert measure(lengths, (texts, [text.upper() for text in texts])).value > 0
    assert measure(lengths, (("a", "bb"), ("aa", "bbb"))).value == pytest.approx(1 / np.sqrt(2))
    tensors = tuple(map(torch.from_numpy, sides))
    weights = torch.nn.Parameter(torch.eye(D, dtype=torch.float64))
    np.testing.assert_allclose(numbers(measure(lambda x: x @ weights, tensors)), numbers(measure(SAME, sides)))
    assert ratio(*tensors) == ratio(*sides)
    assert ratio(*(x.bfloat16() for x in tensors)) == pytest.approx(ratio(*sides), rel=0.02)


# several layers

def test_layers_are_measured_in_one_pass_each_as_if_alone(sides):
    runs = []

    def embed(x):
        runs.append(len(x))
        return {"first": x, "flat": np.ones((len(x), 3)), "last": x[:, :2] ** 3}
    found = sensitivity.layers(embed, sides, batch=20)
    assert list(found) == ["first", "flat", "last"] and runs == [20] * 6
    assert numbers(found["first"]) == numbers(measure(SAME, sides)) and numbers(found["last"]) == numbers(measure(lambda x: x[:, :2] ** 3, sides))
    np.testing.assert_array_equal(found["first"].partner, found["last"].partner)
    assert np.isnan(numbers(found["flat"])).all() and "'flat'" in found["flat"].reason and "0/0" in found["flat"].reason
    json.dumps(found["flat"].manifest(), allow_nan=False)
    assert found["flat"].table()["relative"].isna().all()


def test_progress_is_told_and_may_stop(sides):
    told = []
    measure(SAME, sides, batch=20, progress=lambda done, total, note: told.append((done, total)))
    assert told == [(0, 60), (20, 60), (40, 60), (60, 60)]

    def stop(done, total, note):
        if done:
            raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        measure(SAME, sides, batch=20, progress=stop)


def test_a_result_tells_its_numbers(sides):
    found = measure(SAME, sides, seed=4, level=0.9)
    table = found.table()
    assert list(table.columns) == ["pair", "partner", "matched", "random", "relative"] and len(table) == N
    assert table["relative"].mean() == pytest.approx(found.value)
    told = json.loads(json.dumps(found.manifest(), allow_nan=False))
    assert told["value"] == found.value and told["seed"] == 4 and told["level"] == 0.9 and told["n"] == N
    assert told["matched"] / told["random"] == pytest.approx(found.value)


def test_without_resamples_there_is_no_interval(sides):
    found = measure(SAME, sides, resamples=0)
    assert np.isnan([found.low, found.high]).all() and found.value == measure(SAME, sides).value


# refusals

def test_a_constant_representation_is_refused(sides):
    rng = np.random.default_rng(0)
    noisy = lambda kind: lambda x: (100 * (1 + 1e-7 * rng.uniform(-1, 1, size=(len(x), 8)))).astype(kind)
    for f in (lambda x: np.ones((len(x), 3)), lambda x: np.zeros((len(x), 3)), lambda x: np.full((len(x), 2), 7), noisy(np.float32),
              lambda x: noisy(np.float32)(x).astype(np.float64), lambda x: 0.1 * 3 + 1e-17 * x):
        refused(lambda f=f: measure(f, sides), "constant", "0/0")
    refused(lambda: ratio(np.ones((9, 2)), np.ones((9, 2))), "constant")
    measure(lambda x: 1 + 1e-9 * x, sides)  # which differ, and double precision knows it
    measure(lambda x: (1e8 + 10 * x).astype(np.int64), sides)


def test_nan_and_infinite_rows_are_refused_by_layer_and_item(sides):
    x, y = sides
    bad = x.copy()
    bad[17, 2] = np.nan
    refused(lambda: measure(SAME, (bad, y)), "embedding", "NaN", "item 17")
    bad[17, 2] = np.inf
    refused(lambda: sensitivity.layers(lambda x: {"fine": x[:, :2], "late": x}, (x, bad), batch=9), "'late'", "infinite", "item 17")
    refused(lambda: measure(SAME, ((part, part) for part in (x, bad))), "item 77")
    huge = np.where(np.arange(N) % 2, 1.7e308, -1.7e308)[:, None]
    refused(lambda: measure(SAME, (huge, huge)), "too large")


def test_too_few_or_uneven_pairs_are_refused(sides):
    x, y = sides
    for pairs in ((x[:1], y[:1]), (x[:0], y[:0]), [], [(x[:1], y[:1])], ((), ())):
        refused(lambda pairs=pairs: measure(SAME, pairs), "at least 2 pairs")
    refused(lambda: measure(SAME, (x, y[:-1])), "60", "59")
    refused(lambda: measure(SAME, [(x[:9], y[:9]), (x[9:], y[8:])]), "pair 9")
    for pairs in (3, "texts", {"a": x}, x, [x, y, y], ("text", "other"), (3, 4), (np.array(3), np.array(3)), [(x, y), x]):
        refused(lambda pairs=pairs: measure(SAME, pairs))


def test_what_embed_must_not_give_is_refused(sides):
    refused(lambda: measure(lambda x: x[:, 0], sides), "shape (60,)")
    refused(lambda: measure(lambda x: x[:, None], sides), "shape (60, 1, 5)")
    refused(lambda: measure(lambda x: x[:-1], sides), "59 rows", "60 items")
    refused(lambda: measure(lambda x: x.astype(str), sides), "type")
    refused(lambda: measure(lambda x: [[1], [1, 2]], sides), "length")
    refused(lambda: measure(lambda x: None, sides))
    refused(lambda: measure(lambda x: {"a": x}, sides))
    refused(lambda: sensitivity.layers(SAME, sides), "mapping")
    refused(lambda: sensitivity.layers(lambda x: {}, sides), "mapping")
    counts = iter(range(2, 99))
    refused(lambda: measure(lambda x: x[:, :next(counts)], sides, batch=30), "wide")
    refused(lambda: sensitivity.layers(lambda x: {f"layer {next(counts)}": x}, sides), "batch to batch")
    refused(lambda: ratio(np.ones(5), np.ones(5)), "x", "(5,)")


def test_options_that_make_no_sense_are_refused(sides):
    for options in ({"seed": -1}, {"seed": 1.5}, {"level": 1}, {"level": "much"}, {"resamples": -1}, {"resamples": 2.5}, {"batch": 0}, {"batch": "all"}):
        refused(lambda options=options: measure(SAME, sides, **options))


# a profile

def test_a_profile_hands_out_its_cells():
    full = lambda *shape, kind=np.float64: np.arange(np.prod(shape), dtype=kind).reshape(shape)
    made = Profile("m", "d", ["rotate", "hue"], ["geometric", "photometric"], ["a", "b"], full(2, 2), full(2, 2) - 1, full(2, 2) + 1,
                   full(2, 2, 4, kind=np.float32), full(2, 2, 4, kind=np.float32), np.array([1, 2, 3, 0]), np.array([0, np.nan]), 4,
                   {"rotate · a": "flat"}, options={"seed": 5, "level": 0.9})
    assert made.transforms == ("rotate", "hue") and made.layers == ("a", "b") and not made.final
    cell = made.row("rotate", "b")
    assert (cell.value, cell.low, cell.high, cell.seed, cell.level, cell.reason) == (1, 0, 2, 5, 0.9, "")
    np.testing.assert_array_equal(cell.matched, [4, 5, 6, 7])
    assert made.row("rotate").value == 1 and made.row("rotate", "a").reason == "flat" and "not computed" in made.row("hue").reason
    table = made.table()
    assert table["transform"].tolist() == ["rotate", "rotate", "hue", "hue"] and table["layer"].tolist() == ["a", "b"] * 2
    assert table["reason"].tolist() == ["flat", "", "", ""] and table["value"].tolist() == [0, 1, 2, 3]
    json.dumps(made.manifest(), allow_nan=False)
    refused(lambda: made.row("blur"), "blur", "rotate")
    refused(lambda: made.row("hue", "c"), "'c'")
