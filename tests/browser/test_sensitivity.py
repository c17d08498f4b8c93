"""The sensitivity page in a real browser: a slider changes its strip, a click on a bar opens its pairs, every view in both themes."""

import pytest

from tests.browser.views import drawn

MEASURED = "sensitivity?model=conv%2Fnarrow&sensitivity_pairs=200"


def test_a_slider_of_the_explorer_redraws_its_own_strip(server, page):
    page.goto(f"{server.address}/sensitivity?sensitivity_view=Transforms")
    rows = {name: page.locator("[data-testid=stHorizontalBlock]", has=page.get_by_text(name, exact=True)).last for name in ("rotate", "blur")}
    rows["blur"].locator("img").last.wait_for(timeout=60_000)
    page.wait_for_timeout(2000)
    before = {name: row.locator("img").last.get_attribute("src") for name, row in rows.items()}
    picture, slider = rows["rotate"].locator("img").last, rows["rotate"].get_by_role("slider").last
    for _ in range(5):
        slider.press("ArrowLeft")
    page.wait_for_function("([e, before]) => e.getAttribute('src') != before", arg=[picture.element_handle(), before["rotate"]])
    assert rows["blur"].locator("img").last.get_attribute("src") == before["blur"]
    assert "sensitivity_rotate_angle" in page.url and picture.get_attribute("alt") == "8 items under rotate"
    assert page.errors == []


def test_a_click_on_a_bar_opens_the_pairs_behind_it(server, page):
    page.goto(f"{server.address}/{MEASURED}")
    page.get_by_text("Noticed most").wait_for(timeout=90_000)
    page.wait_for_function("() => !document.body.innerText.includes('not there yet')", timeout=90_000)
    bars = page.locator(".js-plotly-plot").first
    bars.locator(".barlayer .point path").nth(10).click(force=True)
    page.get_by_text("invert, stage").first.wait_for(timeout=20_000)
    assert "sensitivity_transform=invert" in page.url and page.errors == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("where", [MEASURED, f"{MEASURED}&sensitivity_view=Layers", "sensitivity?sensitivity_view=Carried+over",
                                   "sensitivity?sensitivity_view=Mismatch", "sensitivity?sensitivity_view=Importance", "sensitivity?sensitivity_view=Harm"])
def test_every_view_draws_with_a_description(server, browser, scheme, where):
    drawn(browser, f"{server.address}/{where}", scheme)
