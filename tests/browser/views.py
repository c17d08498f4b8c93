"""What the tests of several pages do in the browser."""

import re


def extracted(browser, address: str, answer: str) -> None:
    """Opens a page, lets the model look at the items where it has not yet, and waits for the words of its answer."""
    page = browser.new_page()
    page.goto(address)
    extract, said = page.get_by_role("button", name=re.compile("Extract .* items")), page.get_by_text(re.compile(answer))
    extract.or_(said).first.wait_for(timeout=30_000)
    if extract.count():
        extract.click()
    said.first.wait_for(timeout=120_000)
    page.close()


def drawn(browser, address: str, scheme: str) -> None:
    """A chart stands there, described in words, and the console has no complaint."""
    context = browser.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 1200})
    page, errors = context.new_page(), []
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.goto(address)
    page.locator(".js-plotly-plot .main-svg").first.wait_for(timeout=60_000)
    assert page.locator("[data-testid=stPlotlyChart][aria-label], [data-testid=stPlotlyChart] [aria-label]").count() >= 1
    assert errors == []
    context.close()
