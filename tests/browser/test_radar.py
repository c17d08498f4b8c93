"""The RADAR page in a real browser: the verdict by itself, a click on a ridgeline that chooses its transition, every view in both themes."""

import re

import pytest

from tests.browser.views import drawn, extracted

ADDRESS = "radar?radar_pairs=500&radar_draws=1000"


@pytest.fixture(scope="module")
def digits(server, browser):
    extracted(browser, f"{server.address}/{ADDRESS}", "jackknife over items")
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
    drawn(browser, f"{digits}&radar_view={view}", scheme)
