"""The spectrum page in a real browser: the answer by itself, a click that moves k, both themes."""

import re

import pytest

ADDRESS = "spectrum?model=raw&target=shapes/two-circles&sources=&spectrum_with=This+model"


@pytest.fixture(scope="module")
def circles(server, browser):
    page = browser.new_page()
    page.goto(f"{server.address}/{ADDRESS}")
    extract, answer = page.get_by_role("button", name=re.compile("Extract .* items")), page.get_by_text(re.compile("one and the same layer"))
    extract.or_(answer).first.wait_for(timeout=30_000)
    if extract.count():
        extract.click()
    answer.first.wait_for(timeout=60_000)
    page.close()
    return f"{server.address}/{ADDRESS}"


def test_a_click_on_the_curve_moves_k_and_the_address_keeps_it(circles, page):
    page.goto(circles)
    plot = page.locator(".js-plotly-plot .nsewdrag").first
    plot.wait_for()
    page.get_by_text(re.compile("200 bootstraps")).wait_for(timeout=60_000)
    page.wait_for_timeout(1500)
    box = plot.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.5, steps=4)
    page.mouse.click(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.5)
    page.wait_for_url(re.compile("spectrum_k="))
    assert page.errors == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", ["Spectrum", "Who+moved%3F", "By+class", "Playground"])
def test_every_view_draws_with_a_description(circles, browser, scheme, view):
    context = browser.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 1200})
    page, errors = context.new_page(), []
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.goto(f"{circles}&spectrum_view={view}")
    page.locator(".js-plotly-plot .main-svg").first.wait_for(timeout=30_000)
    assert page.locator("[data-testid=stPlotlyChart][aria-label], [data-testid=stPlotlyChart] [aria-label]").count() >= 1
    assert errors == []
    context.close()
