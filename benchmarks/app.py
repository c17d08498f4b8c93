"""The running app: cold start to first paint, what is imported by then, twenty sessions that ask for the same thing, and how soon a page answers."""

import os
import re
import tempfile
import time
from pathlib import Path
from urllib.parse import quote_plus

import psutil

from benchmarks.measure import Row
from tests.serving import browsing, served

HEAVY = ("torch", "transformers", "umap", "sklearn", "ripser", "persim", "matplotlib", "scipy.stats")
SESSIONS = 20


def rows() -> list[Row]:
    with browsing() as browser:
        return [*first_paint(browser), *imports(browser), *sessions(browser), *persistence(browser), *spectrum(browser), *radar(browser),
                *sensitivity(browser)]


def first_paint(browser) -> list[Row]:
    """Each on a server just started; the clock runs from its first healthy answer."""
    heading, preview, memory, boot = [], [], [], []
    for _ in range(3):
        with served(Path(tempfile.mkdtemp()) / "store") as server:
            page = browser.new_page()
            page.goto(server.address)
            page.get_by_role("heading", name="Load", exact=True).wait_for()
            heading.append(time.perf_counter() - server.healthy)
            page.locator("[data-testid=stImage] img, [data-testid=stFullScreenFrame] img, .js-plotly-plot").first.wait_for()
            preview.append(time.perf_counter() - server.healthy)
            page.wait_for_timeout(1500)
            memory.append(psutil.Process(server.process.pid).memory_info().rss / 1e6)
            boot.append(server.healthy - server.started)
            page.close()
    middle = lambda x: sorted(x)[len(x) // 2]
    return [Row("first paint: heading, after the server answers healthy", middle(heading), "s", 2, f"of 3: {', '.join(f'{x:.2f}' for x in heading)}"),
            Row("first preview on the page", middle(preview), "s", None, f"server up after {middle(boot):.2f} s"),
            Row("server memory then", max(memory), "MB", 250)]


def imports(browser) -> list[Row]:
    """Python itself reports every import on this server."""
    with served(Path(tempfile.mkdtemp()) / "store", python=("-X", "importtime")) as server:
        page = browser.new_page()
        page.goto(server.address)
        page.get_by_role("heading", name="Load", exact=True).wait_for()
        page.wait_for_timeout(1500)
        page.close()
        seen = set(re.findall(r"\|\s+([\w.]+)$", server.log.read_text(), re.M))
    found = [m for m in HEAVY if m in seen]
    return [Row("heavy packages imported before the first paint", len(found), "", 0, ", ".join(found) or f"none of {', '.join(HEAVY)}")]


def sessions(browser) -> list[Row]:
    """Twenty tabs on the load page; each asks for the same extraction, once all are open."""
    with served(Path(tempfile.mkdtemp()) / "store") as server:
        process = psutil.Process(server.process.pid)
        pages = [browser.new_context(viewport={"width": 1280, "height": 800}).new_page() for _ in range(SESSIONS)]
        pages[0].goto(server.address)
        pages[0].get_by_role("button", name=re.compile("Extract")).first.wait_for()
        pages[0].wait_for_timeout(2000)
        before = family(process)
        for page in pages[1:]:
            page.goto(server.address)
        for page in pages:
            page.get_by_role("button", name=re.compile("Extract")).first.wait_for()
        opened = family(process)
        for page in pages:
            page.get_by_role("button", name=re.compile("Extract")).first.click()
        peak, end, workers = opened, time.monotonic() + 240, set()
        pages[0].wait_for_timeout(1000)
        while process.children() and time.monotonic() < end:  # the workers, then the foreman when it has been idle for a while
            peak = max(peak, family(process))
            workers |= {worker.pid for foreman in process.children() for worker in foreman.children()}
            pages[0].wait_for_timeout(100)
        after = family(process)
        folder = server.log.with_suffix("") / "representations"
        stored = len(list(folder.glob("*.json")))
        for page in pages:
            page.context.close()
    return [Row(f"{SESSIONS} sessions, an extraction of the same 2 pairs each: runs", len(workers), "", 2, f"{stored} representations stored"),
            Row("memory growth: sessions, runs and what they left", after - before, "MB", 150,
                f"opening {SESSIONS - 1} more: {opened - before:.0f} MB; peak with a worker and torch: {peak - before:.0f} MB")]


def persistence(browser) -> list[Row]:
    """From a key press to the new answer on the persistence page, with 1 797 digits through the demo backbone."""
    from analysis import extract
    folder = Path(tempfile.mkdtemp()) / "store"
    os.environ["SEXTANT_STORE"] = str(folder)
    extract("builtin:vit/seed0", "builtin:digits/handwritten")
    with served(folder) as server:
        page = browser.new_context(viewport={"width": 1400, "height": 1200}).new_page()
        page.goto(f"{server.address}/persistence")
        page.get_by_text(re.compile("chance")).first.wait_for(timeout=60_000)
        page.wait_for_timeout(8000)  # the loops, and whatever else a first visit loads
        layers = [_until(page, f"vit/seed0, block {i}:", lambda i=i: _choose(page, "Layer", f"block {i}")) for i in (3, 5, 7, 9, 11)]
        page.wait_for_timeout(10_000)
        slider = page.get_by_role("slider").first
        ks = [_until(page, f"at k = {k}", lambda: slider.press("ArrowRight")) for k in (11, 12, 13, 14, 15)]
        page.goto(f"{server.address}/persistence?persistence_view=Grow+the+radius")
        page.get_by_text(re.compile("At radius")).wait_for()
        page.wait_for_timeout(3000)
        slider = page.get_by_role("slider").nth(1)
        radii = [_until(page, None, lambda: slider.press("ArrowRight")) for _ in range(5)]
        page.context.close()
    middle = lambda x: sorted(x)[len(x) // 2]
    several = lambda x: f"of 5: {', '.join(f'{v:.2f}' for v in x)}"
    return [Row("persistence, n=1 797: another layer, until its answer stands", middle(layers), "s", 0.5, several(layers)),
            Row("persistence: another k, until its answer stands", middle(ks), "s", 0.3, several(ks)),
            Row("persistence: another radius, until its pieces are counted", middle(radii), "s", 0.3, several(radii))]


def spectrum(browser) -> list[Row]:
    """From a key press on the slider over k to the first chart that is drawn anew, two layers of the demo backbone on 1 797 digits."""
    from analysis import extract
    folder = Path(tempfile.mkdtemp()) / "store"
    os.environ["SEXTANT_STORE"] = str(folder)
    extract("builtin:vit/seed0", "builtin:digits/handwritten")
    found = []
    with served(folder) as server:
        page = browser.new_context(viewport={"width": 1400, "height": 1300}).new_page()
        page.goto(f"{server.address}/spectrum")
        page.get_by_text(re.compile("200 bootstraps")).first.wait_for(timeout=120_000)
        for view, rest in (("Spectrum", 3), ("By class", 3), ("Who moved?", 5), ("Layers", 25)):
            page.goto(f"{server.address}/spectrum?spectrum_view={quote_plus(view)}&spectrum_k=60")
            page.wait_for_timeout(1000 * rest)
            slider = page.get_by_role("slider").first
            times = [_redrawn(page, lambda slider=slider: slider.press("ArrowRight")) for _ in range(6)][1:]  # the first loads what the others have
            found.append(Row(f"spectrum, n=1 797, {view.lower().rstrip('?')}: another k, until its chart is drawn", sorted(times)[len(times) // 2], "s", 0.3,
                             f"of 5: {', '.join(f'{v:.2f}' for v in times)}"))
        page.context.close()
    return found


def radar(browser) -> list[Row]:
    """From a key press on the slider over transitions, or layers, to the chart that is drawn anew; two domains of digits through the demo backbone."""
    from analysis import extract
    folder = Path(tempfile.mkdtemp()) / "store"
    os.environ["SEXTANT_STORE"] = str(folder)
    for domain in ("handwritten", "printed"):
        extract("builtin:vit/seed0", f"builtin:digits/{domain}")
    found = []
    with served(folder) as server:
        page = browser.new_context(viewport={"width": 1400, "height": 1300}).new_page()
        page.goto(f"{server.address}/radar")
        page.get_by_text(re.compile("jackknife over items")).first.wait_for(timeout=180_000)
        for view, what, start in (("Histograms", "another transition enlarged", "radar_step=block+2+%E2%86%92+3"),
                                  ("Layers", "another layer", "radar_layer=block+3")):
            page.goto(f"{server.address}/radar?radar_view={view}&{start}")
            page.wait_for_timeout(5000)
            slider = page.get_by_role("slider").first
            times = [_redrawn(page, lambda slider=slider: slider.press("ArrowRight")) for _ in range(6)][1:]
            found.append(Row(f"radar, {what}, until its chart is drawn", sorted(times)[len(times) // 2], "s", 0.3,
                             f"of 5: {', '.join(f'{v:.2f}' for v in times)}"))
        page.context.close()
    return found


def sensitivity(browser) -> list[Row]:
    """From a key press on a slider of the explorer to the strip of pictures that it changes."""
    found = []
    with served(Path(tempfile.mkdtemp()) / "store") as server:
        page = browser.new_context(viewport={"width": 1400, "height": 1800}).new_page()
        page.goto(f"{server.address}/sensitivity?sensitivity_view=Transforms")
        page.get_by_text("Corruption", exact=True).first.wait_for(timeout=60_000)
        page.wait_for_timeout(4000)
        for name in ("rotate", "elastic"):
            row = page.locator("[data-testid=stHorizontalBlock]", has=page.get_by_text(name, exact=True)).last
            picture, slider, times = row.locator("img").last.element_handle(), row.get_by_role("slider").last, []
            for _ in range(6):
                before, begun = picture.get_attribute("src"), time.perf_counter()
                slider.press("ArrowLeft")
                page.wait_for_function("([e, before]) => e.getAttribute('src') != before", arg=[picture, before], polling=10)
                times.append(time.perf_counter() - begun)
                page.wait_for_timeout(800)
            found.append(Row(f"sensitivity, the range of {name}, until its strip is drawn", sorted(times[1:])[2], "s", 0.3,
                             f"of 5: {', '.join(f'{v:.2f}' for v in times[1:])}"))
        page.context.close()
    return found


def _redrawn(page, act) -> float:
    """Seconds from the key press until a chart stands that was not there before."""
    page.evaluate("() => document.querySelectorAll('.js-plotly-plot').forEach(p => p.dataset.before = 1)")
    act()
    begun = time.perf_counter()
    page.wait_for_function("() => [...document.querySelectorAll('.js-plotly-plot')].some(p => !p.dataset.before && p.querySelector('.main-svg'))", polling=10)
    passed = time.perf_counter() - begun
    page.wait_for_timeout(1000)
    return passed


def _choose(page, label: str, option: str) -> None:
    box = page.get_by_test_id("stSidebar").get_by_role("combobox", name=re.compile(label)).last
    box.fill(option)
    page.get_by_role("option", name=option, exact=True).wait_for()
    box.press("Enter")


def _until(page, said: str | None, act) -> float:
    """Seconds from the key press to the words; without words, until the sentence about the pieces is another one."""
    before = page.get_by_test_id("stMain").inner_text() if said else page.get_by_text(re.compile("At radius")).inner_text()
    wanted = "s => document.querySelector('[data-testid=stMain]').innerText.includes(s)" if said else \
        "b => [...document.querySelectorAll('p')].some(p => p.innerText.startsWith('At radius') && p.innerText != b)"
    act()
    begun = time.perf_counter()
    page.wait_for_function(wanted, arg=said or before, polling=10)
    passed = time.perf_counter() - begun
    page.wait_for_timeout(1000)  # the browser goes on drawing: each press meets a page at rest
    return passed


def family(process: psutil.Process) -> float:
    """Memory of a process and all below it in MB, shared pages counted once."""
    total = 0.0
    for each in [process, *process.children(recursive=True)]:
        try:
            total += each.memory_full_info().pss / 1e6
        except psutil.NoSuchProcess:
            pass
    return total
