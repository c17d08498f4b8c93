"""The persistence page in a real browser: a click on a bar, the film, both themes."""

import re

import pytest

RINGS = "persistence?model=raw&target=shapes/two-circles&sources="


@pytest.fixture(scope="module")
def circles(server, browser):
    """The address of the page on two circles, their representation stored."""
    page = browser.new_page()
    page.goto(f"{server.address}/{RINGS}")
    extract, answer = page.get_by_role("button", name=re.compile("Extract .* items")), page.get_by_text(re.compile("clusters stand out|leaves 2 groups"))
    extract.or_(answer).first.wait_for(timeout=30_000)
    if extract.count():  # another test may have done it on this server
        extract.click()
    answer.first.wait_for(timeout=30_000)
    page.get_by_text(re.compile("bars among all 600 points")).first.wait_for(timeout=60_000)
    page.close()
    return f"{server.address}/{RINGS}"


def drawn(page, number):
    plot = page.locator(".js-plotly-plot").nth(number)
    plot.locator(".main-svg").first.wait_for()
    return plot


def test_a_click_on_a_bar_selects_its_points_and_the_address_keeps_it(circles, page, browser):
    page.goto(circles)
    row = drawn(page, 1).locator(".bars .point path").last  # the unseen rows lie on top
    row.wait_for(state="attached")
    page.wait_for_timeout(1000)
    box = row.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    chip = page.get_by_test_id("stSidebar").get_by_text(re.compile(r"H1 bar \d+, raw, input"))
    chip.wait_for()
    assert "persistence_bar=a-1-" in page.url and "selection=" in page.url
    page.get_by_text(re.compile("a loop opens at")).wait_for()
    other = browser.new_context().new_page()
    other.goto(page.url)
    other.get_by_text(re.compile("a loop opens at")).wait_for(timeout=20_000)
    other.context.close()
    assert page.errors == []


def test_play_lets_the_radius_grow(circles, page):
    page.goto(circles + "&persistence_view=Grow+the+radius&persistence_radius=0")
    plot = drawn(page, 0)
    title = plot.locator(".gtitle, .g-gtitle text").first
    title.wait_for()
    before = title.text_content()
    plot.locator(".updatemenu-button", has_text="Play").click()
    page.wait_for_function("b => document.querySelector('.js-plotly-plot .gtitle, .js-plotly-plot .g-gtitle text').textContent != b", arg=before)
    assert page.errors == []


def test_the_keyboard_moves_the_radius(circles, page):
    page.goto(circles + "&persistence_view=Grow+the+radius")
    said = page.get_by_text(re.compile("^At radius"))
    said.wait_for()
    before = said.inner_text()
    page.get_by_role("slider").nth(1).press("ArrowRight")
    page.wait_for_function("b => [...document.querySelectorAll('p')].some(p => p.innerText.startsWith('At radius') && p.innerText != b)", arg=before)
    assert "persistence_radius=52" in page.url and page.errors == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_themes_draw_all_four_charts_with_a_description(circles, browser, scheme):
    context = browser.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 1400})
    page, errors = context.new_page(), []
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.goto(circles)
    for number in range(4):
        drawn(page, number)
    assert page.locator("[data-testid=stPlotlyChart][aria-label], [data-testid=stPlotlyChart] [aria-label]").count() >= 4
    assert errors == []
    context.close()
