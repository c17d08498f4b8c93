"""The served application: `streamlit run app.py`. The pages are routed in pages/frame.py."""

import sys
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

PAGES = Path(__file__).resolve().parent / "pages"
SHELL = Path(st.__file__).parent / "static" / "index.html"
HERE = "<head><script>window.__streamlit = {BACKEND_BASE_URL: location.origin}</script>"


def shell(request) -> HTMLResponse:
    """What opens a link to a page. Told where the server is, the browser need not look for it under the page's own address first."""
    return HTMLResponse(SHELL.read_text(encoding="utf-8").replace("<head>", HERE, 1), headers={"cache-control": "no-cache"})


def report(request) -> Response:
    """What a session shows, as a file; a message where that cannot be."""
    from pages.parts import report
    status, text, name = report.saved(request.path_params["token"], request.path_params["file"])
    kind = "application/json" if name.endswith(".json") else "text/html"
    headers = {"cache-control": "no-store", "x-content-type-options": "nosniff", **({"content-disposition": f'attachment; filename="{name}"'} if name else {})}
    return Response(text, status, headers, kind)


def warm() -> None:
    """What the first page needs, loaded before the server says that it is there: later it would slow down the browser's own start."""
    import pandas  # noqa: F401
    import plotly.graph_objects  # noqa: F401

    import analysis.store  # noqa: F401


@asynccontextmanager
async def lifespan(_app):
    warm()
    yield
    if "analysis.engine" in sys.modules:
        sys.modules["analysis.engine"].shutdown()  # its workers leave with the server


addresses = [f"/{page.stem}" for page in PAGES.glob("*/*.py") if page.parent.name != "parts"]
app = st.App(PAGES / "frame.py", lifespan=lifespan, routes=[*(Route(address, shell) for address in addresses), Route("/report/{token}/{file}", report)])
