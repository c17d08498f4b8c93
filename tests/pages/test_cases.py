"""The cases page: why a source helped or hurt, what a remedy does, and a case that is saved, opened and comes out again."""

import json
from dataclasses import asdict
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from analysis import Representation
from analysis.cases import BUILTIN, FORMAT, Case
from tests.pages.test_frame import opened, said, workspace
from tests.pages.test_map import texts
from tests.pages.test_persistence import figure, rested, taken

PAGE = "transfer/cases.py"


@pytest.fixture
def put(store):
    def make(name, layers, labels=None, **more):
        layers = {k: np.asarray(v, np.float32) for k, v in layers.items()}
        made = Representation(layers, labels=labels, classes=("a", "b", "c") if labels is not None else (), domain=name, **more)
        return "rep:" + store.put_representation(made, facts={"name": name})
    return make


def domain(seed, n=120, shift=0.0, turn=0):
    """Three classes in three states; `turn` calls each class by the name of another."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    x = 2 * np.eye(3, 6)[labels] + shift * np.eye(6)[5] + rng.standard_normal((n, 6))
    return {"one": x, "two": np.tanh(x), "three": np.tanh(x) + 0.05 * rng.standard_normal((n, 6))}, (labels + turn) % 3


@pytest.fixture
def three(put):
    """A target, a source like it, and one whose labels contradict it."""
    ids = [put(name, *domain(i, turn=t), ids=tuple(f"{name}-{j}" for j in range(120))) for i, (name, t) in enumerate((("home", 0), ("near", 0), ("liar", 1)))]
    return {"model": ids[0], "sources": ids[1:], "cases_budget": "20"}


def told(at):
    return texts(at).replace("*", "")


def test_without_sources_it_asks_for_one(put):
    at = opened(PAGE, model=put("alone", *domain(0)))
    assert at.title[0].value == "Cases" and "Choose a source dataset" in told(at)


def test_nothing_extracted_yet_offers_to_do_it():
    opened(PAGE, model="raw", target="shapes/circle", sources="shapes/two-circles").button(key="cases-extract-start")


def test_a_source_that_contradicts_hurts_and_the_page_says_why(three):
    at = rested(opened(PAGE, **three, cases_source="liar"))
    assert "Liar hurt home" in told(at) and "label contradiction" in told(at) and "[strong]" in told(at)
    assert "10 of 10 draws of 20 target items" in told(at) and "95 % intervals over draws" in told(at)


def test_a_source_like_the_target_does_not_hurt(three):
    at = rested(opened(PAGE, **three, cases_source="near"))
    assert "hurt home" not in told(at) and "Near" in told(at)


def test_a_weight_of_nothing_undoes_it(three):
    at = rested(opened(PAGE, **three, cases_source="liar", cases_weight="0.0"))
    assert "The remedy (weight 0.0): Δ +0.0 points" in told(at) and "without it −" in told(at)


@pytest.mark.parametrize(("view", "keys"), [("Classes", ["cases-classes", "cases-confusion"]), ("Target size", ["cases-size"])])
def test_views_draw(three, view, keys):
    at = rested(opened(PAGE, **three, cases_source="liar", cases_view=view))
    assert all(figure(at, key)["data"] for key in keys)


def test_items_that_turned_wrong_stand_beside_their_nearest_source_items(three):
    at = rested(opened(PAGE, **three, cases_source="liar", cases_view="Items"))
    table = at.dataframe[0].value
    assert table["Id"].str.startswith("home-").all() and table["Change"].is_monotonic_increasing and (table["Change"] < 0).all()
    assert (table["Taken for, alone"] == table["Class"]).mean() > 0.8 and (table["with the source"] != table["Class"]).mean() > 0.8


def test_all_pairs_name_what_looked_good_and_hurt(three):
    at = rested(opened(PAGE, **three, cases_source="near", cases_view="All pairs"))
    rested(at.button(key="cases-pairs-start").click().run())
    assert "Looked good, hurt:" in told(at) and any(pair in told(at) for pair in ("home from liar", "near from liar", "liar from home", "liar from near"))
    taken(at, "cases-quadrant", (1,))  # home from liar
    assert at.selectbox(key="cases_source").value == "liar"


def test_a_saved_case_opens_with_the_same_numbers(three, tmp_path):
    at = rested(opened(PAGE, **three, cases_source="liar", cases_limit="30"))
    case = Case("mine", "a text", "analysis.studies.case:inspect", {"target": {"representation": three["model"][4:]},
                "source": {"representation": three["sources"][1][4:]}}, {"layer": "three", "budget": 20, "limit": 30}).run()
    raw = (case.save(tmp_path / "case.json")).read_bytes()
    assert json.loads(raw)["format"] == FORMAT
    at.file_uploader(key="cases-file").upload("case.json", raw, "application/json").run()
    rested(at)
    assert "mine. a text" in told(at) and "came out again, to the last bit" in told(at) and not at.exception
    assert at.select_slider(key="cases_limit").value == 30


@pytest.mark.parametrize("options", [{"weight": 0.07, "budget": 25}, {"limit": 50, "budget": 20, "seed": 3}, {"budget": 20, "without": ["a"], "seeds": 4}])
def test_a_case_between_the_marks_of_the_sliders_opens_as_it_is(three, options):
    case = Case("odd", "a text", "analysis.studies.case:inspect", {"target": {"representation": three["model"][4:]},
                "source": {"representation": three["sources"][1][4:]}}, {"layer": "three", **options}).run()
    at = opened(PAGE, **three)
    at.file_uploader(key="cases-file").upload("case.json", json.dumps({"format": FORMAT, **asdict(case)}).encode(), "application/json").run()
    rested(at)
    assert "came out again, to the last bit" in told(at)
    link = {key: values if len(values) > 1 else values[0] for key, values in parse_qs(urlsplit(case.address()).query).items()}
    again = rested(opened(PAGE, **link))
    answer = lambda page: told(page)[told(page).index("with ", told(page).index(" home:")):].partition(" points")[0]  # noqa: E731
    assert answer(again) == answer(at)


def test_a_broken_case_is_refused_with_the_reason(three):
    at = rested(opened(PAGE, **three))
    at.file_uploader(key="cases-file").upload("case.json", b'{"format": "something"}', "application/json").run()
    assert "is no case" in said(at) and not at.exception


def test_a_built_in_case_sets_everything():
    at = opened(PAGE, model="raw", target="shapes/circle", sources="shapes/two-circles")
    case = BUILTIN["square-many"]
    at.selectbox(key="cases-case").set_value(case.title).run()
    here = workspace(at)
    assert (here.model, here.target, here.sources) == ("builtin:vit/seed0", "builtin:digits/handwritten", ("builtin:digits/handwritten-occlusion-5",))
    assert at.session_state["_cases_asked"]["budget"] == 200 and not at.exception


def test_a_built_in_case_keeps_its_options_while_the_model_has_not_looked_at_its_items():
    at = opened(PAGE, model="raw", target="shapes/circle", sources="shapes/two-circles", cases_budget="100")
    case = BUILTIN["noise"]
    at.selectbox(key="cases-case").set_value(case.title).run()
    at.run()
    assert at.session_state["_cases_asked"]["budget"] == 20  # for the switches, which are not there yet
    at.button(key="cases-extract-start")


def test_no_labels_and_other_classes_are_refused_with_the_reason(put):
    bare = [put("bare", domain(0)[0]), put("other", *domain(1))]
    at = rested(opened(PAGE, model=bare[0], sources=bare[1:]))
    assert "labels" in said(at) and not at.exception
