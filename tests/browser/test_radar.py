"""The RADAR page in a real browser: the verdict by itself, a click on a ridgeline that chooses its transition, every view in both themes."""

import re

import pytest

ADDRESS = "radar?radar_pairs=500&radar_draws=1000"


@pytest.fixture(scope="module")
def digits(server, browser):
    page = browser.new_page()
    page.goto(f"{server.address}/{ADDRESS}")
    extract, answer = page.get_by_role("button", name=re.compile("Extract .* items")), page.get_by_text(re.compile("jackknife over items"))
    extract.or_(answer).first.wait_for(timeout=30_000)
    if extract.count():
        extract.click()
    answer.first.wait_for(timeout=120_000)
    page.close()
    return f"{server.address}/{ADDRESS}"


def test_a_click_on_a_ridgeline_enlarges_it_and_the_address_keeps_it(digits, page):
    page.goto(f"{digits}&radar_view=Histograms")
    plot = page.locator(".js-plotly-plot .nsewdrag").first
    plot.wait_for(timeout=60_000)
    page.wait_for_timeout(1500)
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    for share in (0.3, 0.45):  # somewhere on the fourth ridge or beside it
        page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] * 3.5 / 12, steps=4)
        page.mouse.click(box["x"] + box["width"] * share, box["y"] + box["height"] * 3.5 / 12)
    page.wait_for_url(re.compile("radar_step="))
    assert page.errors == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", ["Ranking", "Histograms", "Where+it+diverges", "Layers", "Triangle", "All+domains", "Readings"])
def test_every_view_draws_with_a_description(digits, browser, scheme, view):
    context = browser.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 1200})
    page, errors = context.new_page(), []
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.goto(f"{digits}&radar_view={view}")
    page.locator(".js-plotly-plot .main-svg").first.wait_for(timeout=60_000)
    assert page.locator("[data-testid=stPlotlyChart][aria-label], [data-testid=stPlotlyChart] [aria-label]").count() >= 1
    assert errors == []
    context.close()
