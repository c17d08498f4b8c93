import numpy as np
import pytest

from analysis import Dataset, Model, load_dataset, load_model
from analysis.errors import Cancelled
from analysis.studies import tuning as studies
from tests.refusal import refused
from tests.told import Told

FEW = {"seeds": 2, "steps": 6, "budget": 40, "tested": 50}


class Rising(Told):
    """Its progress never falls back."""

    done = 0

    def progress(self, done, total, note=""):
        assert self.done <= done
        self.done = done
        super().progress(done, total, note)


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_dataset("builtin:digits/printed?n=200&seed=5")


def tuned(digits, *names, ctx=None, **options):
    models = [load_model(f"builtin:{name}") if isinstance(name, str) else name for name in names]
    return list(studies.finetune({"models": models, "dataset": digits}, {**FEW, **options}, ctx or Rising()))


def test_accuracies_arrive_run_by_run_all_models_on_a_split_before_the_next(digits):
    ctx = Rising()
    boards = tuned(digits, "mlp/plain", "conv/narrow", ctx=ctx)
    known = [np.isfinite(board.truth).T.ravel().tolist() for board in boards]
    assert known == [[i <= at for i in range(4)] for at in range(4)] and [board.final for board in boards] == [False] * 3 + [True]
    board = boards[-1]
    assert board.names == ("mlp/plain", "conv/narrow") and board.scores == () and board.truth_name == "accuracy" and ctx.done == 24
    assert (board.budget, board.n, board.classes, board.target) == (40, 200, 10, "printed") and ((board.truth >= 0) & (board.truth <= 1)).all()


def test_seeds_reproduce_and_do_not_disturb_others(digits):
    import torch
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    first, again, other = (tuned(digits, "mlp/plain", seed=seed)[-1].truth for seed in (0, 0, 1))
    assert torch.equal(torch.rand(3), expected)
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_the_model_itself_is_left_as_it_was(digits):
    model = load_model("builtin:mlp/plain")
    before = {name: x.clone() for name, x in model.load()[0].state_dict().items()}
    tuned(digits, model)
    module = model.load()[0]
    assert all((x == before[name]).all() for name, x in module.state_dict().items()) and not module.training


def test_it_learns_and_what_was_learned_before_helps(digits):
    *_, board = tuned(digits, "vit/seed0", "vit/seed0-step0000", steps=20, seeds=1)
    assert board.means()[0] > 0.8 > board.means()[1] + 0.2
    *_, longer = tuned(digits, "mlp/plain", steps=30, seeds=1)
    assert longer.means()[0] > tuned(digits, "mlp/plain", steps=1, seeds=1)[-1].means()[0]


def test_parts_are_apart_and_hold_each_class_in_its_share():
    labels = np.repeat([0, 1, 2], [60, 30, 10])
    train, test = studies.divided(labels, 20, 40, seed=[0, 1])
    assert not set(train) & set(test) and len(train) == 20 and len(test) == 40
    assert np.bincount(labels[train]).tolist() == [12, 6, 2] and np.abs(np.bincount(labels[test]) - [24, 12, 4]).max() <= 1
    assert train.tolist() != studies.divided(labels, 20, 40, seed=[0, 2])[0].tolist()


def test_every_row_is_trained_on_before_any_again():
    rows = np.arange(100, 170)
    drawn = list(studies._batches(rows, 4, np.random.default_rng(0)))
    assert all(len(batch) == 32 for batch in drawn) and len(set(np.concatenate(drawn[:2]))) == 64
    assert [len(batch) for batch in studies._batches(rows[:5], 3, np.random.default_rng(0))] == [5, 5, 5]


def test_what_is_not_of_the_zoo_keeps_an_empty_row(digits):
    import torch
    own = Model.wrap(torch.nn.Flatten(), preprocess=torch.from_numpy, layers=[""], name="own")
    *_, board = tuned(digits, "mlp/plain", own, "raw")
    assert np.isfinite(board.truth[0]).all() and np.isnan(board.truth[1:]).all()
    assert "not of the zoo" in board.reason("own", "accuracy") and board.final
    *_, board = tuned(digits, own)
    assert board.final and np.isnan(board.truth).all()
    texts = Dataset(tuple(f"text {i}" for i in range(40)), np.arange(40) % 2, name="texts")
    *_, board = tuned(texts, "mlp/plain", budget=10)
    assert "texts" in board.reason("mlp/plain", "accuracy")


def test_a_model_that_knows_the_items_is_named(store):
    *_, board = tuned(load_dataset("builtin:digits/handwritten?n=100"), "vit/seed0-finetuned", steps=1, seeds=1)
    assert "vit/seed0-finetuned was trained on items of this dataset" in board.warnings[0]


def test_what_makes_no_sense_is_refused(digits):
    for name, value in (("seeds", 0), ("steps", 0), ("steps", 1.5), ("tested", True), ("budget", 9), ("budget", 191), ("rate", 0), ("rate", "fast")):
        refused(lambda name=name, value=value: tuned(digits, "mlp/plain", **{name: value}), repr(value))
    bare = Dataset(digits.items, name="bare")
    refused(lambda: tuned(bare, "mlp/plain"), "bare", "no labels")
    refused(lambda: tuned(digits, "mlp/plain", "mlp/plain"), "mlp/plain")


def test_a_cancel_is_heard_within_a_step(digits):
    ctx = Rising("split 2 of 2: step 3")
    with pytest.raises(Cancelled):
        tuned(digits, "mlp/plain", ctx=ctx)
    assert ctx.done == 9
