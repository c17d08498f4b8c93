"""The README's pictures: the first start, the map page on the built-in demo, a lesson, a case. `python -m tests.browser.screenshot`"""

import tempfile
from pathlib import Path

from tests.serving import ROOT, browsing, served

ASSETS = ROOT / "assets"
LESSON = "lessons?lessons_at=one-number-hides-scale&lessons_step=2&lessons_guess=2%3A0.5"


def taken(page, name: str, rest: int = 2500) -> None:
    page.wait_for_timeout(rest)
    page.screenshot(path=ASSETS / name)


if __name__ == "__main__":
    with served(Path(tempfile.mkdtemp()) / "store") as server, browsing() as browser:
        page = browser.new_page(viewport={"width": 1360, "height": 900})
        page.goto(server.address)
        page.get_by_role("button", name="Start the demo").wait_for()
        taken(page, "first-start.png")
        page.get_by_role("button", name="Start the demo").click()
        page.get_by_role("link", name="Look at the map").click(timeout=60_000)
        page.locator(".js-plotly-plot").first.wait_for()
        taken(page, "screenshot.png")
        page.goto(f"{server.address}/{LESSON}")
        taken(page, "lesson.png", 6000)
