"""The spectrum page in a real browser: the answer by itself, a click that moves k, both themes."""

import re

import pytest

from tests.browser.views import drawn, extracted

ADDRESS = "spectrum?model=raw&target=shapes/two-circles&sources=&spectrum_with=This+model"


@pytest.fixture(scope="module")
def circles(server, browser):
    extracted(browser, f"{server.address}/{ADDRESS}", "one and the same layer")
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
    drawn(browser, f"{circles}&spectrum_view={view}", scheme)
