"""The README's picture: the map page on the built-in demo. `python -m tests.browser.screenshot`"""

import tempfile
from pathlib import Path

from tests.serving import ROOT, browsing, served

if __name__ == "__main__":
    with served(Path(tempfile.mkdtemp()) / "store") as server, browsing() as browser:
        page = browser.new_page(viewport={"width": 1360, "height": 900})
        page.goto(server.address)
        page.get_by_role("button", name="Extract").first.click()
        page.get_by_role("link", name="Look at the map").click(timeout=60_000)
        page.locator(".js-plotly-plot").first.wait_for()
        page.wait_for_timeout(3000)
        page.screenshot(path=ROOT / "assets" / "screenshot.png")
