"""A report in a real browser: downloaded from a page, drawn from a file without any network, opened again in the app."""

import json
import re

import pytest

from tests.browser.views import extracted

ADDRESS = "spectrum?model=raw&target=shapes/two-circles&sources=&spectrum_with=This+model&spectrum_layer=input"


@pytest.fixture(scope="module")
def circles(server, browser):
    extracted(browser, f"{server.address}/{ADDRESS}", "one and the same layer")
    return f"{server.address}/{ADDRESS}"


def saved(page, kind, folder):
    with page.expect_download() as download:
        page.get_by_test_id("stSidebar").get_by_role("link", name=kind).click()
    download.value.save_as(folder / f"report.{kind.lower()}")
    return folder / f"report.{kind.lower()}"


def test_the_report_of_a_page_draws_by_itself_and_opens_again(circles, page, browser, tmp_path):
    page.goto(circles)
    page.get_by_text(re.compile("200 bootstraps")).wait_for(timeout=60_000)
    page.get_by_role("slider").first.press("ArrowRight")  # only a fragment is drawn again
    page.wait_for_url(re.compile("spectrum_k="))
    k = re.search(r"spectrum_k=(\d+)", page.url)[1]
    page.get_by_text(f"k = {k}", exact=True).first.wait_for()
    page.get_by_text("Report", exact=True).click()
    html, raw = saved(page, "HTML", tmp_path), saved(page, "JSON", tmp_path)
    assert f"TAS at k = {k}<" in html.read_text() and f"spectrum_k={k}&" in html.read_text()

    alone, errors = browser.new_context(offline=True, color_scheme="dark").new_page(), []
    alone.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    alone.on("pageerror", lambda e: errors.append(str(e)))
    alone.on("request", lambda r: None if r.url.startswith(("file:", "data:", "blob:")) else errors.append(f"request to {r.url}"))
    alone.goto(html.as_uri())
    alone.locator(".chart .main-svg .scatterlayer path").first.wait_for()
    buttons = alone.evaluate("[...document.querySelectorAll('.modebar-btn')].map(b => b.dataset.title)")
    assert errors == [] and buttons and not any(re.search("cloud|upload|chart studio", b, re.I) for b in buttons)
    alone.context.close()

    page.get_by_test_id("stFileUploader").locator("input[type=file]").set_input_files(raw)
    with page.expect_popup() as popup:
        page.get_by_role("link", name="Open this view").click()
    again = popup.value
    again.get_by_text(re.compile("came out again, to the last bit")).wait_for(timeout=60_000)
    assert f"spectrum_k={k}" in again.url and page.errors == []


def test_a_view_of_persistence_is_saved_and_opens_with_the_same_numbers(circles, server, page, tmp_path):
    page.goto(f"{server.address}/{ADDRESS.replace('spectrum?', 'persistence?persistence_view=Through+the+layers&')}")
    page.get_by_role("button", name="Compute").click()
    page.locator(".js-plotly-plot .main-svg").first.wait_for(timeout=60_000)
    page.get_by_text("Report", exact=True).click()
    raw = saved(page, "JSON", tmp_path)
    made = json.loads(raw.read_text())
    entry, = next(study for study in made["studies"] if study["unit"].endswith(":survey"))["numbers"]["entries"]
    assert entry["layer"] == "input" and entry["n"] == 600 and entry["draws"]
    page.get_by_test_id("stFileUploader").locator("input[type=file]").set_input_files(raw)
    with page.expect_popup() as popup:
        page.get_by_role("link", name="Open this view").click()
    popup.value.get_by_text(re.compile("came out again, to the last bit")).wait_for(timeout=60_000)
    assert page.errors == []


def test_a_report_of_a_page_that_is_gone_says_so(server, page):
    page.goto(f"{server.address}/report/{'0' * 32}/spectrum.html")
    page.get_by_text("not open any more").wait_for()
