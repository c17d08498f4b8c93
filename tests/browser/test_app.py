"""The app as a person meets it: real server, real Chromium."""

import io
import re
import zipfile

import numpy as np
import pytest
from PIL import Image

SMALL = "?model=raw&target=shapes/circle&sources=shapes/two-circles"


def h1(page):
    return page.get_by_role("heading", level=1)


def settled(page):
    page.wait_for_function("() => !document.querySelector('[data-testid=stStatusWidget]')")


def test_a_deep_link_opened_first_on_a_fresh_server_shows_that_page_inside_the_frame(fresh_server, page):
    page.goto(f"{fresh_server.address}/map?model=conv/wide&target=digits/seven-segment&sources=digits/printed&layer=block+2")
    h1(page).wait_for()
    assert h1(page).inner_text() == "Map"
    settled(page)
    assert page.get_by_role("dialog").count() == 0 and page.get_by_text("Page not found").count() == 0
    sidebar = page.get_by_test_id("stSidebar")
    assert sidebar.get_by_role("link", name="Load").is_visible() and sidebar.get_by_role("link", name="Map").is_visible()
    chosen = sidebar.get_by_role("combobox")
    assert [chosen.nth(i).input_value() for i in range(2)] == ["conv/wide", "digits/seven-segment"]
    sidebar.get_by_role("link", name="Load").click()
    page.get_by_role("heading", name="Load", exact=True).wait_for()
    settled(page)
    assert chosen.nth(0).input_value() == "conv/wide", "the selection was lost on the way to another page"
    assert page.errors == []


def test_extract_then_map_then_the_same_link_elsewhere(fresh_server, browser, page):
    page.goto(fresh_server.address + "/" + SMALL)
    page.get_by_role("button", name=re.compile("^.*Extract .* items$")).click()
    page.get_by_role("link", name="Look at the map").wait_for()
    page.get_by_role("link", name="Look at the map").click()
    page.locator(".js-plotly-plot").first.wait_for()
    answer = page.get_by_text(re.compile("nearest neighbours")).first.inner_text()
    other = browser.new_context().new_page()  # somebody else opens the address
    other.goto(page.url)
    other.locator(".js-plotly-plot").first.wait_for()
    assert other.get_by_text(re.compile("nearest neighbours")).first.inner_text() == answer
    other.context.close()
    assert page.errors == []


def test_a_lasso_becomes_the_selection_and_follows_to_the_other_page(server, page):
    page.goto(f"{server.address}/map{SMALL}&map_drag=Box")
    extract = page.get_by_role("button", name=re.compile("Extract"))
    plot = page.locator(".js-plotly-plot .nsewdrag").first
    plot.or_(extract).first.wait_for()
    if extract.count():
        extract.first.click()
    plot.wait_for()
    page.wait_for_timeout(1000)
    box = plot.bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.6, steps=8)
    page.mouse.up()
    chip = page.get_by_test_id("stSidebar").get_by_text(re.compile(r"\d+ items? selected|Selection"))
    chip.first.wait_for()
    page.get_by_test_id("stSidebar").get_by_role("link", name="Load").click()
    page.get_by_role("heading", name="Load", exact=True).wait_for()
    chip.first.wait_for()
    assert "selection=" in page.url
    assert page.errors == []


def uploader(page):
    """Where a file is dropped, once the page is quiet: a run that still goes on would take the control away again."""
    page.get_by_role("button", name=re.compile("Extract")).or_(page.get_by_text("Ready:")).first.wait_for()  # another test may have extracted it
    settled(page)
    page.wait_for_timeout(2000)  # a second run of the page may follow the first at once
    settled(page)
    drop = page.locator("input[type=file]").first
    drop.wait_for(state="attached")
    return drop


def pictures() -> bytes:
    file = io.BytesIO()
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(file, "w") as z:
        for kind, colour in (("red", (200, 0, 0)), ("blue", (0, 0, 200))):
            for i in range(6):
                picture = Image.fromarray((np.full((24, 24, 3), colour) + rng.integers(0, 50, (24, 24, 3))).clip(0, 255).astype(np.uint8))
                out = io.BytesIO()
                picture.save(out, "png")
                z.writestr(f"{kind}/{i}.png", out.getvalue())
    return file.getvalue()


def test_an_upload_is_previewed_kept_and_becomes_the_target(server, page):
    page.goto(server.address)
    drop = uploader(page)
    drop.set_input_files({"name": "colours.zip", "mimeType": "application/zip", "buffer": pictures()})
    page.get_by_role("button", name="Keep this dataset").click(timeout=60_000)
    page.wait_for_function("() => [...document.querySelectorAll('[data-testid=stSidebar] input')].some(i => i.value.startsWith('colours'))")
    assert "colours" in page.url and page.errors == []


def test_a_wrong_file_is_one_message_and_the_page_lives_on(server, page):
    page.goto(server.address)
    drop = uploader(page)
    drop.set_input_files({"name": "model.npz", "mimeType": "application/octet-stream", "buffer": b"\x80\x04\x95pickled"})
    page.get_by_test_id("stAlert").first.wait_for()
    assert "Traceback" not in page.content() and page.get_by_role("heading", name="Bring your own").count()
    assert page.errors == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_themes(server, browser, scheme):
    context = browser.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    errors = []
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    page.goto(server.address)
    page.get_by_role("heading", name="Datasets").wait_for()
    brightness = """([what, property]) => {
        const c = getComputedStyle(document.querySelector(what))[property].match(/[0-9]+/g).map(Number); return (c[0] + c[1] + c[2]) / 3 }"""
    light = page.evaluate(brightness, [".stApp", "backgroundColor"])
    text = page.evaluate(brightness, ["h1", "color"])
    assert light > 200 if scheme == "light" else light < 60
    assert abs(text - light) > 120, "the heading cannot be read"
    assert errors == []
    context.close()


def test_every_picture_says_what_it_shows(server, page):
    page.goto(server.address)
    page.get_by_role("heading", name="Datasets").wait_for()
    page.wait_for_timeout(1500)
    assert page.locator("[data-testid=stMain] img:not([alt])").count() == 0


def test_the_keyboard_reaches_the_main_button(server, page):
    page.goto(f"{server.address}/?model=mixer/plain&target=digits/printed")
    page.get_by_role("button", name=re.compile("Extract .* items")).wait_for()
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.innerText || ''").strip().endswith("items"):
            return
    pytest.fail("40 tabs did not reach the extract button")


def test_show_gives_the_address_of_what_a_notebook_made(fresh_server, page, monkeypatch):
    from analysis import Representation, show
    rng, labels = np.random.default_rng(0), np.arange(60) % 3
    made = [Representation({f"layer {i}": rng.normal(size=(60, 5)) + 4 * labels[:, None] for i in (1, 2)}, labels=labels, classes=("red", "green", "blue"),
                           domain="colours", manifest={"model": f"net {k}"}) for k in "ab"]
    monkeypatch.setenv("SEXTANT_STORE", str(fresh_server.log.with_suffix("")))
    monkeypatch.setenv("SEXTANT_ADDRESS", fresh_server.address)
    page.goto(show(*made))
    page.locator(".js-plotly-plot").first.wait_for()
    assert "In layer 2" in page.get_by_text(re.compile("nearest neighbours")).first.inner_text()
    assert page.errors == []
