"""The record of a page as one HTML file: its sentences, charts and tables in their order, in a file that asks no network for anything."""

import html
import json
import re
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import pandas as pd

from analysis.report import Report
from pages.parts.chart import CONFIG
from pages.parts.formula import mathml
from pages.parts.record import Block, Record

TEMPLATE = Path(__file__).resolve().parents[2] / "assets" / "report" / "report.html"
ROWS = 200  # of a table
SIGNS = {"warning": "⚠", "check_circle": "✓"}
OPEN, MIDDLE, CLOSE = "\ue000", "\ue001", "\ue002"  # around what Streamlit colours, while markdown is read
FORMULA = "\ue003"  # around a formula, in hex digits


def page(record: Record, report: Report) -> str:
    charts = []
    body = _block(record.root, record, charts)
    facts = [(given["kind"], f"{given['name']}, digest {given['digest'][:8] or 'unknown'}…") for given in report.inputs]
    facts += [("layer", record.workspace.layer)] if record.workspace is not None and record.workspace.layer else []
    facts += [(name, ", ".join(values)) for name, values in report.parameters.items() if name not in ("model", "target", "sources", "layer", "selection")]
    told = {"title": html.escape(report.title), "date": html.escape(f"{datetime.fromisoformat(report.date):%d %B %Y, %H:%M}"),
            "made": html.escape(" · ".join(f"{name} {value}" for name, value in report.made.items())), "address": html.escape(report.address()),
            "facts": "".join(f"<dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd>" for name, value in facts), "body": body,
            "charts": _script(json.dumps(charts)), "manifest": _script(report.json()), "plotly": _plotly()}
    return re.sub(r"\{\{(\w+)\}\}", lambda found: told[found[1]], TEMPLATE.read_text(encoding="utf-8"))


def sentences(block: Block) -> list[str]:
    """What the page says by itself: not what is folded away, and no heading."""
    if block.proto is not None and block.proto.WhichOneof("type") in ("popover", "expandable", "dialog"):
        return []
    found = []
    for one in block:
        if isinstance(one, Block):
            found += sentences(one)
        elif one.WhichOneof("type") == "markdown" and one.markdown.body.strip():
            found.append(one.markdown.body)
    return found


def charts(block: Block) -> dict[str, str]:
    """key -> specification of every chart on the page."""
    found = {}
    for one in block:
        if isinstance(one, Block):
            found |= charts(one)
        elif one.WhichOneof("type") == "plotly_chart":
            found[_key(one.plotly_chart.id)] = one.plotly_chart.spec
    return found


# what lies in a container

def _block(block: Block, record: Record, charts: list) -> str:
    kind = block.proto.WhichOneof("type") if block.proto is not None else ""
    if kind in ("popover", "dialog"):
        return ""  # a chart's numbers stand under it
    inner = "".join(_block(one, record, charts) if isinstance(one, Block) else _element(one, record, charts) for one in block)
    if not inner:
        return ""
    if kind == "expandable":
        return f"<details><summary>{_line(block.proto.expandable.label)}</summary>{inner}</details>"
    if kind == "tab":
        return f"<h3>{_line(block.proto.tab.label)}</h3>{inner}"
    if kind == "column":
        return f'<div class="column">{inner}</div>'
    beside = sum(isinstance(one, Block) and one.proto is not None and one.proto.WhichOneof("type") == "column" for one in block)
    return f'<div class="row">{inner}</div>' if beside > 1 else inner


def _element(element, record: Record, charts: list) -> str:
    kind = element.WhichOneof("type")
    draw = DRAWN.get(kind)
    return draw(getattr(element, kind), record, charts) if draw else ""


def _heading(heading, *_) -> str:
    return f"<h2>{_line(heading.body)}</h2>" if heading.tag != "h1" else ""  # the title stands above


def _text(markdown, *_) -> str:
    name = "caption" if markdown.element_type == markdown.Type.CAPTION else "text"
    return f'<div class="{name}">{_rendered(markdown.body)}</div>' if markdown.body.strip() else ""


def _alert(alert, *_) -> str:
    title = f"<strong>{_line(alert.title)}</strong> " if alert.title else ""
    return f'<div class="alert">{title}{_rendered(alert.body)}</div>'


def _metric(metric, *_) -> str:
    return f'<p class="metric">{_line(metric.label)} <strong>{html.escape(metric.body)}</strong></p>'


def _picture(pictures, *_) -> str:
    return "".join(f'<p><img alt="{html.escape(one.alt)}" src="{html.escape(one.url)}"></p>' if one.url.startswith("data:image/") else
                   f'<p class="caption">In the app stands a picture here: {html.escape(one.alt or "without description")}.</p>' for one in pictures.imgs)


def _chart(chart, record: Record, charts: list) -> str:
    spec = json.loads(chart.spec)
    charts.append({"data": spec.get("data", []), "layout": spec.get("layout", {}), "frames": spec.get("frames", []), "config": CONFIG})
    height = spec.get("layout", {}).get("height") or 450
    numbers = record.tables.get(_key(chart.id))
    under = "" if numbers is None else f"<details><summary>Numbers</summary>{_grid(numbers, index=False)}</details>"
    alt = html.escape(chart.alt, quote=True)
    return f'<figure><div class="chart" role="img" aria-label="{alt}" style="height:{int(height)}px"></div><figcaption>{alt}</figcaption>{under}</figure>'


def _frame(table, *_) -> str:
    index = not json.loads(table.columns or "{}").get("_index", {}).get("hidden")
    return f"<figure>{_grid(_arrow(table.arrow_data.data), index=index)}{_said(table.alt)}</figure>"


def _table(table, *_) -> str:
    return f"<figure>{_grid(_arrow(table.arrow_data.data), index=not table.hide_index)}{_said(table.alt)}</figure>"


DRAWN = {"heading": _heading, "markdown": _text, "alert": _alert, "metric": _metric, "imgs": _picture, "plotly_chart": _chart, "dataframe": _frame,
         "table": _table}


def _said(alt: str) -> str:
    return f"<figcaption>{html.escape(alt)}</figcaption>" if alt else ""


def _key(identity: str) -> str:
    """Of an element: "$$ID-<digest>-<key>"."""
    return identity.split("-", 2)[-1]


# tables

def _arrow(raw: bytes) -> pd.DataFrame:
    import pyarrow as pa
    return pa.ipc.open_stream(raw).read_pandas()


def _grid(table: pd.DataFrame, *, index: bool) -> str:
    shown = table.head(ROWS)
    shown = shown.reset_index() if index else shown
    right = {name for name in shown.columns if pd.api.types.is_numeric_dtype(shown[name]) and shown[name].dtype != bool} if shown.columns.is_unique else ()
    head = "".join(f"<th{' class=number' * (name in right)}>{html.escape(str(name))}</th>" for name in shown.columns)
    rows = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in shown.itertuples(index=False, name=None))
    more = f'<p class="caption">The first {ROWS} of {len(table)} rows; all of them are in the app.</p>' if len(table) > ROWS else ""
    return f'<div class="table"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{more}'


def _cell(value) -> str:
    if isinstance(value, bool) or value is None:
        return f"<td>{'' if value is None else value}</td>"
    if isinstance(value, float):
        return f'<td class="number">{"" if value != value else f"{value:.4g}".replace("-", "−")}</td>'
    if isinstance(value, int):
        return f'<td class="number">{value}</td>'
    if isinstance(value, str) and value.startswith("data:image/"):
        return f'<td><img alt="" src="{html.escape(value, quote=True)}"></td>'
    return f"<td>{html.escape(str(value)[:400])}</td>"


# sentences

@lru_cache(maxsize=1)
def _reader():
    from markdown_it import MarkdownIt
    return MarkdownIt("commonmark", {"html": False}).enable("table")


def _rendered(text: str) -> str:
    return _coloured(_reader().render(_marked(text)))


def _line(text: str) -> str:
    return _coloured(_reader().renderInline(_marked(text)))


def _marked(text: str) -> str:
    """Streamlit's own signs, set apart: markdown does not know them. What a name brought along is escaped, and stays as it is."""
    text = re.sub(f"[{OPEN}{MIDDLE}{CLOSE}{FORMULA}]", "", text)  # ours alone
    text = re.sub(r"(?<!\\):([a-z]+(?:-badge|-background)?)\[((?:[^\[\]\\]|\\.)*)\]", rf"{OPEN}\1{MIDDLE}\2{CLOSE}", text)
    text = re.sub(r":material/(\w+):", lambda found: SIGNS.get(found[1], ""), text)
    return re.sub(r"(?<!\\)(\$\$?)([^$]+?)\1", lambda found: f"{FORMULA}{len(found[1])}{found[2].encode().hex()}{FORMULA}", text)


def _coloured(text: str) -> str:
    text = re.sub(f"{FORMULA}([12])([0-9a-f]+){FORMULA}", lambda found: mathml(bytes.fromhex(found[2]).decode(), block=found[1] == "2"), text)
    return re.sub(f"{OPEN}(.*?){MIDDLE}(.*?){CLOSE}", lambda found: f'<span class="{found[1]}">{found[2]}</span>', text)


# what a browser must not take for markup

def _script(text: str) -> str:
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


@lru_cache(maxsize=1)
def _plotly() -> str:
    from plotly.offline import get_plotlyjs
    return get_plotlyjs()
