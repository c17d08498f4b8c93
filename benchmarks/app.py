"""The running app: cold start to first paint, what is imported by then, and twenty sessions that ask for the same thing."""

import re
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.measure import Row
from tests.serving import browsing, served

HEAVY = ("torch", "transformers", "umap", "sklearn", "ripser", "persim", "matplotlib", "scipy.stats")
SESSIONS = 20


def rows() -> list[Row]:
    with browsing() as browser:
        return [*first_paint(browser), *imports(browser), *sessions(browser)]


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


def family(process: psutil.Process) -> float:
    """Memory of a process and all below it in MB, shared pages counted once."""
    total = 0.0
    for each in [process, *process.children(recursive=True)]:
        try:
            total += each.memory_full_info().pss / 1e6
        except psutil.NoSuchProcess:
            pass
    return total
