import numpy as np
import pytest

from analysis import Dataset, Representation, load_dataset, load_model
from analysis.errors import Cancelled
from analysis.metrics import gain, probe, radar, transferability
from analysis.metrics.projection import sample
from analysis.studies import ranking as studies
from tests.refusal import refused
from tests.told import Told

N, BUDGET = 90, 12
FEW = {"budget": BUDGET, "seeds": 3}
SWITCHES = {"pairs": 200, "draws": 300, "components": 1}
QUICK = ["nce", "leep", "energy", "logme", "source_items", "centroid", "source_probe"]


def domain(name: str, seed: int, *, spread: float = 1, turned: bool = False, **changes) -> Representation:
    """Three layers of three classes; `turned`: each class looks like the next."""
    rng, labels = np.random.default_rng(seed), np.arange(N) % 3
    layers = [3 * np.eye(3, 6)[(labels + turned) % 3] + spread * rng.normal(size=(N, 6))]
    for weights in np.random.default_rng(0).normal(size=(2, 6, 6)):
        layers.append(layers[-1] + np.tanh(layers[-1] @ weights))
    made = {"labels": labels, "classes": ("a", "b", "c"), "ids": [f"{name} {i}" for i in range(N)], "domain": name,
            "manifest": {"model": {"name": "one", "digest": "one"}}}
    return Representation({f"state {i}": x for i, x in enumerate(layers)}, **{**made, **changes})


def model(name: str, spread: float, seed: int = 1, **changes) -> dict:
    """What a model made of the items of "home", and its head's logits."""
    rng = np.random.default_rng(seed)
    logits = 3 * np.eye(3, 5)[np.arange(N) % 3] + spread * rng.normal(size=(N, 5))
    return {"representation": domain("home", seed, spread=spread, **{"logits": logits.astype(np.float32), "manifest": {"model": {"name": name}}, **changes})}


@pytest.fixture(scope="module")
def entries() -> list[dict]:
    return [model("sharp", 0.5), model("middling", 2), model("blurred", 4)]


def ranked(entries, ctx=None, **options) -> list:
    return list(studies.models({"models": entries}, {**FEW, **options}, ctx or Told()))


@pytest.fixture(scope="module")
def domains() -> dict:
    return {"home": domain("home", 1), "near": domain("near", 2), "turned": domain("turned", 3, turned=True)}


def blended(domains, ctx=None, **options) -> list:
    target, *sources = ({"representation": r} for r in domains.values())
    return list(studies.sources({"target": target, "sources": sources}, {**FEW, "radar": SWITCHES, **options}, ctx or Told()))


# models

def test_scores_of_a_model_are_what_the_metrics_say_of_its_last_layer(entries):
    *_, board = ranked(entries)
    assert board.final and board.kind == "models" and board.target == "home" and board.names == ("sharp", "middling", "blurred")
    assert board.scores == studies.OF_MODELS and (board.n, board.classes, board.budget) == (N, 3, BUDGET)
    for row, entry in enumerate(entries):
        r = entry["representation"]
        x, y = r.layers["state 2"], r.labels
        expected = {"nce": transferability.nce(r.probabilities, y), "leep": transferability.leep(r.probabilities, y),
                    "energy": transferability.energy(r.logits), "logme": transferability.logme(x, y), "h_score": transferability.h_score(x, y),
                    "knn": transferability.knn_accuracy(x, y), "pr_target": transferability.persistence_ratio(x, 3)}
        for name, value in expected.items():
            assert board.column(name)[row] == pytest.approx(value), name


def test_the_truth_is_a_probe_on_the_same_splits_for_all(entries):
    *_, board = ranked(entries)
    assert board.truth.shape == (3, 3)
    r = entries[1]["representation"]
    *_, found = gain.measure(r.layers["state 2"], {}, target_labels=r.labels, source_labels={}, target_ids=r.ids, budget=BUDGET, seeds=3)
    np.testing.assert_array_equal(board.truth[1], found.base)
    assert board.means()[0] > board.means()[2] and board.pick("logme") == "sharp" and board.regret("logme") == 0


@pytest.mark.parametrize("options", [{"layer": "state 0"}, {"seed": 4}, {"tested": 30}, {"scores": ["knn", "leep"]}])
def test_what_is_asked_of_models_is_done(entries, options):
    *_, board = ranked(entries[:2], **options)
    r, layer = entries[0]["representation"], options.get("layer", "state 2")
    assert board.column("knn")[0] == pytest.approx(transferability.knn_accuracy(r.layers[layer], r.labels))
    rest = {name: options[name] for name in ("seed", "tested") if name in options}
    *_, found = gain.measure(r.layers[layer], {}, target_labels=r.labels, source_labels={}, target_ids=r.ids, **FEW, **rest)
    np.testing.assert_array_equal(board.truth[0], found.base)
    assert set(board.scores) == set(options.get("scores", studies.OF_MODELS))


def test_quick_scores_come_first_and_the_truth_last(entries):
    boards = ranked(entries)
    quick, slow = boards[0].scores.index("logme"), boards[0].scores.index("n_leep")
    assert np.isfinite(boards[0].values[0, quick]) and np.isnan(boards[0].values[1:]).all()
    assert np.isfinite(boards[2].values[:, quick]).all() and np.isnan(boards[2].values[:, slow]).all()
    assert np.isfinite(boards[5].values[:, slow]).all() and np.isnan(boards[5].truth).all()
    assert np.isfinite(boards[6].truth[0]).all() and np.isnan(boards[6].truth[1:]).all()
    assert [board.final for board in boards] == [False] * 9 + [True]


def test_a_score_without_what_it_needs_says_so_and_the_others_stay(entries):
    headless = model("headless", 1, logits=None)
    *_, board = ranked([entries[0], headless])
    for score in ("nce", "leep", "energy"):
        assert np.isnan(board.column(score)[1]) and "head" in board.reason("headless", score) and np.isfinite(board.column(score)[0])
    assert np.isfinite(board.column("logme")).all() and np.isfinite(board.truth).all()
    for score in ("parameters", "source_accuracy", "pr"):  # nobody knows the model
        assert np.isnan(board.column(score)).all() and board.reason("headless", score)


def test_a_model_that_cannot_be_used_keeps_its_row(entries):
    elsewhere = {"representation": domain("elsewhere", 5, manifest={"model": {"name": "elsewhere"}})}
    bare = model("bare", 1, labels=None, classes=())
    *_, board = ranked([elsewhere, *entries, bare], scores=["logme"])
    assert board.target == "elsewhere" and np.isnan(board.values[1:]).all()  # the first decides what the dataset is
    *_, board = ranked([*entries, elsewhere, bare], scores=["logme"])
    assert "same items" in board.reason("elsewhere", "logme") and "no labels" in board.reason("bare", "accuracy")
    assert np.isfinite(board.values[:3]).all() and np.isnan(board.truth[3:]).all() and board.correlation("logme").n == 3


def test_what_cannot_be_ranked_is_refused(entries):
    refused(lambda: ranked([]), "0 models")
    refused(lambda: ranked(entries, names=["a", "b"]), "2 names and 3 models")
    refused(lambda: ranked(entries, names=["a", "b", "a"]), "'a'")
    refused(lambda: ranked(entries, scores=["luck"]), "luck", "logme")
    refused(lambda: ranked(entries, budget=1), "budget")
    refused(lambda: ranked(entries, seeds=0), "seeds")
    for option in ("scores", "names", "layer"):
        refused(lambda option=option: ranked(entries, **{option: 5}), f"5 was given as {option}")
    refused(lambda: ranked([model("bare", 1, labels=None, classes=())]), "no labels")


def test_two_models_are_told_to_be_too_few(entries):
    *_, board = ranked(entries[:2], scores=["logme"])
    assert "too few" in board.correlation("logme").reason
    *_, board = ranked(entries, scores=["logme"])
    assert "means nothing" in board.correlation("logme").warnings[0]


def test_a_model_of_the_zoo_brings_what_is_known_of_it(store):
    data = load_dataset("builtin:digits/handwritten?n=60")
    names = ["mlp/plain", "vit/seed0-finetuned"]
    *_, board = studies.models({"models": [{"model": load_model(f"builtin:{name}"), "dataset": data} for name in names]},
                               {"scores": ["parameters", "source_accuracy", "pr", "leep"], "seeds": 1, "budget": 30, "layer": ""}, Told())
    card = load_model("builtin:mlp/plain").card
    assert board.column("parameters")[0] == card["parameters"] and board.column("source_accuracy")[0] == card["source_accuracy"]["value"]
    assert np.isfinite(board.values).all() and board.reasons == {}
    assert len(board.warnings) == 1 and "vit/seed0-finetuned was trained on items of this dataset" in board.warnings[0]


# sources

def test_a_board_of_sources_has_every_blend_and_its_gain(domains):
    boards = blended(domains, scores=QUICK)
    board = boards[-1]
    assert board.names == ("near", "turned", "near + turned") and board.parts == gain.blends(["near", "turned"]) and board.kind == "sources"
    home, near, turned = domains.values()
    *_, found = gain.measure(home.layers["state 2"], {r.domain: r.layers["state 2"] for r in (near, turned)}, target_labels=home.labels,
                             source_labels={r.domain: r.labels for r in (near, turned)}, target_ids=home.ids,
                             source_ids={r.domain: r.ids for r in (near, turned)}, **FEW)
    np.testing.assert_array_equal(board.truth, found.delta())
    np.testing.assert_array_equal(board.base, found.base)
    assert board.truth_interval("turned")[2] < 0 and board.pick("source_probe") == board.pick("leep") == "near"
    done = [int(np.isfinite(b.truth[0]).sum()) for b in boards]
    assert done == sorted(done) and set(done) == {0, 1, 2, 3} and boards[-1].final and not boards[-2].final


def test_scores_of_a_blend_read_it_as_they_should(domains):
    *_, board = blended(domains)
    home, near, turned = domains.values()
    train = sample(home.labels, BUDGET, seed=0)
    x, y = (np.concatenate([a, b]) for a, b in ((near.layers["state 2"], turned.layers["state 2"]), (near.labels, turned.labels)))
    head = probe.ridge(x, y)
    beliefs = head.probabilities(home.layers["state 2"][train])
    union, labels = np.concatenate([home.layers["state 2"][train], x]), np.concatenate([home.labels[train], y])
    expected = {"leep": transferability.leep(beliefs, home.labels[train]), "nce": transferability.nce(beliefs, home.labels[train]),
                "source_probe": head.accuracy(home.layers["state 2"][train], home.labels[train]), "source_items": 2 * N,
                "centroid": np.linalg.norm(x.mean(axis=0) - home.layers["state 2"].mean(axis=0)), "logme": transferability.logme(union, labels),
                "h_score": transferability.h_score(union, labels), "pr_target": transferability.persistence_ratio(union, 3),
                "pr": transferability.persistence_ratio(x, 3)}
    for name, value in expected.items():
        assert board.column(name)[2] == pytest.approx(value, rel=1e-4), name
    pooled = [np.concatenate([near.layers[name], turned.layers[name]]) for name in near.layers]
    own = radar.compare(list(home.layers.values()), pooled, target_labels=home.labels, source_labels=y, options=radar.Options(**SWITCHES))
    assert board.column("radar")[2] == pytest.approx(own.score, rel=1e-6)
    assert board.reasons == {} and board.direction("radar") == board.direction("centroid") == -1


def test_a_head_can_be_judged_by_the_whole_target(domains):
    *_, board = blended(domains, known="target", scores=["source_probe"])
    home, near = domains["home"], domains["near"]
    assert board.column("source_probe")[0] == probe.ridge(near.layers["state 2"], near.labels).accuracy(home.layers["state 2"], home.labels)
    refused(lambda: blended(domains, known="nothing"), "nothing", "training part")


def test_a_head_has_not_seen_what_it_is_judged_by(domains):
    """A source that holds the target's items again, labelled wrong in all but the training part, is not believed because of that part."""
    home = domains["home"]
    train = sample(home.labels, BUDGET, seed=0)
    labels = (home.labels + 1) % 3
    labels[train] = home.labels[train]
    liar = Representation(dict(home.layers), labels, home.classes, home.ids, domain="liar", manifest=home.manifest)
    *_, board = blended({"home": home, "liar": liar}, scores=["source_probe"])
    assert board.column("source_probe")[0] < 0.2


def test_radar_can_be_read_in_several_ways(domains):
    *_, board = blended(domains, scores=["radar"], readings=["angle at the anchor"])
    assert board.scores == ("radar", "radar: angle at the anchor") and np.isfinite(board.values).all()
    assert (board.values[:, 0] != board.values[:, 1]).all() and set(board.kinds) == {"published-method"}
    refused(lambda: blended(domains, readings=["by the stars"]), "by the stars")


def test_one_layer_leaves_radar_without_a_score(domains):
    flat = {name: Representation({"only": r.layers["state 2"]}, r.labels, r.classes, r.ids, domain=name) for name, r in domains.items()}
    *_, board = blended(flat, scores=["radar", "centroid"])
    assert np.isnan(board.column("radar")).all() and "layer" in board.reason("near", "radar") and np.isfinite(board.column("centroid")).all()


def test_blends_can_be_chosen_and_classes_are_matched(domains):
    *_, board = blended(domains, blends=[["near", "turned"]], scores=["source_items"])
    assert board.names == ("near + turned",) and board.values.tolist() == [[180]]
    near = domains["near"]
    foreign = Representation(dict(near.layers), near.labels, ("c", "b", "x"), near.ids, domain="near", manifest=near.manifest)
    *_, board = blended({"home": domains["home"], "near": foreign}, scores=["source_items"])
    assert board.values.tolist() == [[60]] and any("x" in note for note in board.warnings)
    refused(lambda: blended(domains, blends=[["q"]]), "q")
    *_, board = blended(domains, blends=["near", ["turned", "near"]], scores=["source_items"])
    assert board.names == ("near", "turned + near")
    for blends in ([[]], [["near"], ["near"]], [["near", "turned"], ["turned", "near"]], "near", 5, [5]):
        refused(lambda blends=blends: blended(domains, blends=blends), "blend")
    refused(lambda: blended(domains, seeds="many"), "seeds")
    refused(lambda: blended(domains, radar={"corner": 3}), "'corner'", "angle")
    for option in ("radar", "scores", "readings", "names"):
        refused(lambda option=option: blended(domains, **{option: 5}), f"5 was given as {option}")
    refused(lambda: blended(domains, radar={"pairs": 3}), "pairs")


def test_boards_come_back_from_the_store(domains, entries, store):
    for board in (*blended(domains, scores=QUICK)[::4], *ranked(entries, scores=["logme", "energy"])):
        store.put_result("a", board)
        kept = store.result("a")
        for name, value in vars(board).items():
            np.testing.assert_array_equal(getattr(kept, name), value) if isinstance(value, np.ndarray) else None
        assert kept.manifest() == board.manifest()


def test_a_cancel_is_heard_at_once(domains, entries):
    for word in ("opening", "split 2", "near + turned"):
        with pytest.raises(Cancelled):
            blended(domains, ctx=Told(word))
    for word in ("opening middling", "split 2", "blurred"):
        with pytest.raises(Cancelled):
            ranked(entries, ctx=Told(word))


def test_a_model_for_other_items_keeps_its_row(store):
    texts = Dataset(("one", "two", "three", "four"), [0, 1, 0, 1], name="texts")
    data = load_dataset("builtin:digits/handwritten?n=40")
    entries = [{"model": load_model("builtin:mlp/plain"), "dataset": d} for d in (data, texts)]
    *_, board = studies.models({"models": entries}, {"names": ["on digits", "on texts"], "scores": ["logme"], "seeds": 1}, Told())
    assert "reads images" in board.reason("on texts", "logme") and np.isfinite(board.truth[0]).all()


def test_chance_stands_beside_what_the_score_is(entries):
    board = ranked(entries, scores=["knn", "h_score", "parc", "gbc"])[-1]
    shares = np.bincount(entries[0]["representation"].labels) / len(entries[0]["representation"].labels)
    assert board.chance("knn") == pytest.approx((shares.max(),) * 2) and board.chance("parc") == (0, 0) and board.chance("gbc") is None
    low, high = board.chance("h_score")
    assert 0 < low <= high < board.column("h_score").min()


def test_the_determinant_of_logme_is_a_switch(entries):
    ours, theirs = (ranked(entries, scores=["logme"], logme=which)[-1] for which in ("full", "as published"))
    r = entries[0]["representation"]
    assert theirs.titles == ("LogME, as published",) and (ours.values != theirs.values).all()
    assert theirs.values[0, 0] == pytest.approx(transferability.logme(r.layers["state 2"], r.labels, published=True))
    refused(lambda: ranked(entries, scores=["logme"], logme="half"), "half", "as published")
