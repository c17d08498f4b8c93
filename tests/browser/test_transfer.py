"""Ranking and cases in a real browser: a case from the address, its views in both themes, and a saved file that can be downloaded."""

import json
import re

import pytest

ADDRESS = "cases?sources=digits/printed&cases_budget=20"


@pytest.fixture(scope="module")
def digits(server, browser):
    page = browser.new_page()
    page.goto(f"{server.address}/{ADDRESS}")
    extract, answer = page.get_by_role("button", name=re.compile("Extract .* items")), page.get_by_text(re.compile("10 of 10 draws"))
    extract.or_(answer).first.wait_for(timeout=30_000)
    if extract.count():
        extract.click()
    answer.first.wait_for(timeout=120_000)
    page.close()
    return server.address


def test_a_case_is_saved_with_its_numbers(digits, page):
    page.goto(f"{digits}/{ADDRESS}")
    save = page.get_by_role("button", name="Save this case")
    save.wait_for(timeout=60_000)
    page.wait_for_function("() => [...document.querySelectorAll('button')].some(b => b.innerText.includes('Save this case') && !b.disabled)", timeout=120_000)
    with page.expect_download() as download:
        save.click()
    case = json.loads(open(download.value.path(), encoding="utf-8").read())
    assert case["unit"] == "analysis.studies.case:inspect" and case["options"]["budget"] == 20 and "delta" in case["result"]
    assert page.errors == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("where", ["cases?cases_budget=20&cases_view=Classes", "cases?cases_budget=20&cases_view=Target+size", "ranking?ranking_view=Sources",
                                   "ranking?ranking_view=Published"])
def test_every_view_draws_with_a_description(digits, browser, scheme, where):
    context = browser.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 1200})
    page, errors = context.new_page(), []
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.goto(f"{digits}/{where}")
    page.locator(".js-plotly-plot .main-svg").first.wait_for(timeout=60_000)
    assert page.locator("[data-testid=stPlotlyChart][aria-label], [data-testid=stPlotlyChart] [aria-label]").count() >= 1
    assert errors == []
    context.close()
