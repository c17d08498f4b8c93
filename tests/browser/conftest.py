import os

import pytest

from tests.serving import browsing, chromium, served

MISSING = "NO BROWSER TESTS RAN: there is no `chromium` on the PATH (Debian: apt-get install chromium)"


@pytest.fixture(scope="session")
def browser():
    if chromium() is None:
        if os.environ.get("SEXTANT_NEED_BROWSER"):
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    with browsing() as b:
        yield b


@pytest.fixture(scope="session")
def server(browser, tmp_path_factory):
    """One server for the tests that do not need a fresh one."""
    with served(tmp_path_factory.mktemp("browser") / "store") as s:
        yield s


@pytest.fixture
def fresh_server(browser, tmp_path):
    with served(tmp_path / "fresh") as s:
        yield s


@pytest.fixture
def page(browser):
    """A new tab that remembers what went wrong in it."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    tab = context.new_page()
    tab.errors = []
    tab.on("console", lambda m: tab.errors.append(f"{m.text} {m.location}") if m.type == "error" else None)
    tab.on("pageerror", lambda e: tab.errors.append(str(e)))
    ours = ("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:")
    tab.on("request", lambda r: None if r.url.startswith(ours) else tab.errors.append(f"request to {r.url}"))
    tab.set_default_timeout(20_000)
    yield tab
    context.close()
