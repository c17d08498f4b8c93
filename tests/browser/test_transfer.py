"""Ranking and cases in a real browser: a case from the address, its views in both themes, and a saved file that can be downloaded."""

import json

import pytest

from tests.browser.views import drawn, extracted

ADDRESS = "cases?sources=digits/printed&cases_budget=20"


@pytest.fixture(scope="module")
def digits(server, browser):
    extracted(browser, f"{server.address}/{ADDRESS}", "10 of 10 draws")
    return server.address


def test_a_case_is_saved_with_its_numbers(digits, page):
    page.goto(f"{digits}/{ADDRESS}")
    save = page.get_by_role("button", name="Save this case")
    save.first.wait_for(timeout=60_000)
    saves = "[...document.querySelectorAll('button')].filter(b => b.innerText.includes('Save this case'))"  # in a run under way the last one's still stands
    page.wait_for_function(f"() => {{ const s = {saves}; return s.length === 1 && !s[0].disabled }}", timeout=120_000)
    with page.expect_download() as download:
        save.click()
    case = json.loads(open(download.value.path(), encoding="utf-8").read())
    assert case["unit"] == "analysis.studies.case:inspect" and case["options"]["budget"] == 20 and "delta" in case["result"]
    assert page.errors == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("where", ["cases?cases_budget=20&cases_view=Classes", "cases?cases_budget=20&cases_view=Target+size", "ranking?ranking_view=Sources",
                                   "ranking?ranking_view=Published"])
def test_every_view_draws_with_a_description(digits, browser, scheme, where):
    drawn(browser, f"{digits}/{where}", scheme)
