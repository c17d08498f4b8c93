"""docs/ and the code say the same: every page, URL parameter, command, call, switch and score is documented, and nothing is that no longer is."""

import argparse
import ast
import importlib
import inspect
import re
from functools import cache
from itertools import chain
from pathlib import Path

import pytest

import analysis
from analysis.__main__ import parser

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
METRICS = ("tas", "similarity", "persistence", "radar", "transferability", "statistics", "sensitivity", "minima")
METHODS = ("tas", "persistence", "radar", "transfer", "sensitivity", "minima")
SECTIONS = ("The question", "The formula", "How to read the picture", "Published and ours", "When it misleads", "Calls")
MARKS = {"published": "[published]", "ours": "[our reading]"}
MANY = 12  # choices of a widget that are not listed one by one
WILD = "*"  # what stands in a key that only a run knows; <so> in the docs


# what the docs say

@cache
def text(name: str) -> str:
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


def section(name: str, title: str) -> str:
    """What stands under a heading of a text."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text(name), re.M | re.S)
    assert found, f"docs/{name}.md has no section {title!r}"
    return found[1].strip()


def table(said: str) -> dict[str, list[str]]:
    """Rows by what their first cell names in backticks."""
    rows = [re.split(r"(?<!\\)\|", line.strip().strip("|")) for line in said.splitlines() if line.startswith("| ") and "---" not in line]
    return {name: [cell.strip() for cell in cells] for cells in rows for name in re.findall(r"`([^`]+)`", cells[0])}


def rows(name: str, title: str, head: str) -> dict[str, list[str]]:
    """The table of a section whose head begins so."""
    found = [part for part in re.split(r"\n\n", section(name, title)) if part.startswith(f"| {head} |")]
    assert len(found) == 1, f"docs/{name}.md, {title}: {len(found)} tables of {head}"
    return table(found[0])


def same(documented, there, what: str) -> None:
    documented, there = set(documented), set(there)
    missing, gone = sorted(there - documented), sorted(documented - there)
    assert not missing, f"{what} that docs/ does not say: {', '.join(missing)}"
    assert not gone, f"{what} that docs/ says and no longer is: {', '.join(gone)}"


# what the pages say

def calls(tree, named: str):
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == named)


@cache
def pages() -> dict[str, tuple[Path, str]]:
    """address -> (file, title), as the frame routes them."""
    found = {}
    for call in calls(ast.parse((ROOT / "pages" / "frame.py").read_text(encoding="utf-8")), "Page"):
        given = {k.arg: ast.literal_eval(k.value) for k in call.keywords}
        parts = [node.value for node in ast.walk(call.args[0]) if isinstance(node, ast.Constant)]
        found["/" + given.get("url_path", "")] = (ROOT / Path(*sorted(parts, key=lambda p: (p != "pages", p.endswith(".py")))), given["title"])
    return found


class Source:
    """A file of pages/, and what it puts into the address."""

    def __init__(self, path: Path):
        self.path, self.tree = path, ast.parse(path.read_text(encoding="utf-8"))
        self.above = {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    def known(self, node):
        """What an expression stands for, where that can be told without a run."""
        try:
            return ast.literal_eval(node)
        except ValueError:
            pass
        if self.path.parent.parent.name == "parts" or self.path.parent.name == "parts":  # a page itself runs when it is imported
            module = importlib.import_module(".".join(self.path.relative_to(ROOT).with_suffix("").parts))
            try:
                return eval(ast.unparse(node), dict(vars(module)))
            except Exception:  # noqa: BLE001  (it takes a run)
                return None
        return None

    def bound(self):
        """(keys, call) of every widget that is bound to the address."""
        for call in (node for node in ast.walk(self.tree) if isinstance(node, ast.Call)):
            keywords = {k.arg: k.value for k in call.keywords if k.arg}
            rest = [name.value.id for name in call.keywords if name.arg is None and isinstance(name.value, ast.Name)]
            if "bind" in keywords or any("'bind'" in ast.unparse(value) for name in rest for value in self.assigned(name)):
                assert "key" in keywords, f"{self.path}:{call.lineno} is bound and has no key"
                yield self.keys(keywords["key"]), call

    def asked(self):
        """Keys that are read from the address, or written into it, by hand."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("query_params"):
                yield from self.keys(node.slice)
            elif isinstance(node, ast.Call) and re.search(r"query_params\.(get|pop|get_all|setdefault)$", ast.unparse(node.func)):
                yield from self.keys(node.args[0])

    def keys(self, node) -> set[str]:
        """Every key that an expression can be, with WILD for what only a run knows."""
        if isinstance(node, ast.Constant):
            return {str(node.value)}
        if isinstance(node, ast.JoinedStr):
            found = {""}
            for part in node.values:
                ends = {part.value} if isinstance(part, ast.Constant) else self.keys(part.value)
                found = {a + b for a in found for b in ends}
            return found
        if isinstance(node, ast.Name):
            return self.named(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            returned = [r.value for f in ast.walk(self.tree) if isinstance(f, ast.FunctionDef) and f.name == node.func.id
                        for r in ast.walk(f) if isinstance(r, ast.Return)]
            return set().union(*map(self.keys, returned)) if returned else {WILD}
        return {WILD}

    def named(self, name) -> set[str]:
        """What a name can be: an item of what is looped over, an argument as it is given in this file, or what was assigned to it."""
        node = name
        while (node := self.above.get(node)) is not None:
            loops = node.generators if isinstance(node, ast.ListComp | ast.DictComp | ast.SetComp | ast.GeneratorExp) else [node] if isinstance(node, ast.For) \
                else []
            for loop in loops:
                targets = loop.target.elts if isinstance(loop.target, ast.Tuple) else [loop.target]
                if any(isinstance(t, ast.Name) and t.id == name.id for t in targets):
                    items = self.known(loop.iter)
                    firsts = [item[0] if isinstance(loop.target, ast.Tuple) else item for item in items or ()]
                    own = isinstance(targets[0], ast.Name) and targets[0].id == name.id
                    return {str(item) for item in firsts} if own and firsts else {WILD}
            if isinstance(node, ast.FunctionDef | ast.Lambda):
                places = [a.arg for a in node.args.args]
                if name.id in places:
                    of = node.name if isinstance(node, ast.FunctionDef) else self.above[node].targets[0].id
                    given = [call.args[places.index(name.id)] for call in calls(self.tree, of)
                             if isinstance(call.func, ast.Name) and len(call.args) > places.index(name.id)]
                    return set().union(*map(self.keys, given)) if given else {WILD}
        found = [value for value in self.assigned(name.id) if isinstance(value, ast.Constant | ast.JoinedStr)]
        return set().union(*map(self.keys, found)) if found else {WILD}

    def assigned(self, name: str):
        for node in (n for n in ast.walk(self.tree) if isinstance(n, ast.Assign)):
            for target in node.targets:
                pairs = zip(target.elts, node.value.elts, strict=False) if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple) \
                    else [(target, node.value)]
                yield from (value for t, value in pairs if isinstance(t, ast.Name) and t.id == name)


@cache
def sources() -> tuple[Source, ...]:
    return tuple(Source(path) for path in sorted((ROOT / "pages").rglob("*.py")))


@cache
def parameters() -> dict[str, list[str]]:
    return rows("app", "URL parameters", "parameter")


def fits(documented: str, key: str) -> bool:
    """Whether a documented name is this key; names with <parts> stand for keys that only a run knows."""
    return re.fullmatch(re.escape(key).replace(re.escape(WILD), "(.+)"), documented) is not None


# pages

def test_every_page_is_documented_under_its_address():
    listed = rows("app", "Pages", "address")
    same(listed, pages(), "pages")
    assert all(listed[address][1] == title for address, (_, title) in pages().items())


def test_every_explainer_opens_a_text_of_docs():
    opened = {call.args[0].value for source in sources() for call in calls(source.tree, "link") if ast.unparse(call.func) == "docs.link"}
    assert {*METHODS, "map", "app"} <= opened and all((DOCS / f"{name}.md").exists() for name in opened)
    for address, (path, _) in pages().items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        explainers = [node for node in ast.walk(tree) if isinstance(node, ast.With) and "How to read this" in ast.unparse(node.items[0])]
        links = [call for node in explainers for call in calls(node, "link")]
        assert len(links) == len(explainers), f"{address} explains itself without its text in docs/"


@pytest.mark.parametrize("name", METHODS)
def test_a_method_has_all_its_sections(name):
    assert text(name).startswith("# ") and all(len(section(name, title)) > 100 for title in SECTIONS)
    ours = section(name, "Published and ours")
    assert MARKS["published"] in ours and MARKS["ours"] in ours


def test_links_between_the_texts_lead_somewhere():
    for path in DOCS.glob("*.md"):
        for target in re.findall(r"\]\(([\w./-]+\.\w+)", path.read_text(encoding="utf-8")):
            assert (DOCS / target).exists(), f"{path.name} links {target}"


def test_the_app_shows_a_text_with_its_badges():
    from pages.parts import docs
    for path in DOCS.glob("*.md"):
        title, shown = docs.read(path.stem)
        assert title and not title.startswith("#") and ".md)" not in shown
        assert all(line == "$$" for line in shown.splitlines() if "$$" in line), f"{path.name}: a formula that is not read as one"
        assert not re.search(r"(?<!badge)\[(published|our reading)\]", shown)
        assert not re.search(r"(?<!`)<(?!`)\w+>", re.sub(r"`[^`]*`|```.*?```", "", shown, flags=re.S)), f"{path.name} has what markdown would swallow"


def test_a_button_opens_the_text_over_the_page():
    from streamlit.testing.v1 import AppTest

    def page():
        import streamlit as st

        from pages.parts import docs
        with st.expander("How to read this page"):
            docs.link("tas")

    at = AppTest.from_function(page).run()
    assert not at.exception and not any("hypergeometric" in m.value for m in at.markdown)
    at.button(key="docs-tas").click().run()
    assert not at.exception and any("hypergeometric" in m.value for m in at.markdown)


# the address

def test_every_url_parameter_is_documented():
    for source in sources():
        for key in chain(chain.from_iterable(keys for keys, _ in source.bound()), source.asked()):
            assert any(fits(name, key) for name in parameters()), f"{source.path.relative_to(ROOT)} puts {key} into the address; docs/app.md does not say so"


def test_every_documented_url_parameter_is_one():
    keys = {key for source in sources() for key in chain(chain.from_iterable(k for k, _ in source.bound()), source.asked())}
    for name in parameters():
        known = name in keys if "<" not in name else any(WILD in key and fits(name, key) for key in keys)
        assert known, f"docs/app.md documents {name}, which no page puts into the address"


def test_a_parameter_is_listed_under_its_page_and_with_its_choices():
    for name, (_, page, _, meaning) in parameters().items():
        address = "/" + name.partition("_")[0]
        assert (f"`{address}`" in page if "_" in name else page == "every page" or page.strip("`") in pages()) and meaning
    for source in sources():
        for keys, call in source.bound():
            given = {k.arg for k in call.keywords}
            choices = source.known(call.args[1]) if len(call.args) > 1 else None
            if "format_func" in given or not isinstance(choices, list | tuple) or not 0 < len(choices) <= MANY:
                continue
            for key in keys & set(parameters()):
                said = parameters()[key][2]
                lacking = [c for c in map(str, choices) if c not in said and "](" not in said]  # linked where they are listed
                assert not lacking, f"docs/app.md does not say that {key} can be {', '.join(lacking)}"


# commands

def commands(p=None, path=()) -> dict[str, list]:
    """Every command -> its arguments; of a group, those of its parts."""
    own = [a for a in (p or parser())._actions if not isinstance(a, argparse._HelpAction)]
    groups = [a for a in own if isinstance(a, argparse._SubParsersAction)]
    if not groups:
        return {" ".join(path): own}
    return {name: found for group in groups for verb, sub in group.choices.items() for name, found in commands(sub, (*path, verb)).items()}


def described(command: str) -> str:
    found = re.search(rf"^### `{re.escape(command)}`\n(.*?)(?=^##|\Z)", text("app"), re.M | re.S)
    return found[1] if found else ""


def test_every_command_is_documented():
    same(re.findall(r"^### `([^`]+)`$", text("app"), re.M), commands(), "commands")


@pytest.mark.parametrize("command", list(commands()))
def test_every_flag_of_a_command_is_documented(command):
    said = table(described(command)) | {"--json": ["", "everywhere"]}
    assert "`--json`" in section("app", "Commands")
    same(said, chain.from_iterable(a.option_strings or [a.metavar or a.dest] for a in commands()[command]), f"arguments of {command}")
    for argument in commands()[command]:
        row = said[(argument.option_strings or [argument.metavar or argument.dest])[0]][-1]
        told = [argument.default] if argument.option_strings and isinstance(argument.default, int | float) and not isinstance(argument.default, bool) else []
        lacking = [str(value) for value in (*told, *(c for c in argument.choices or () if c)) if str(value) not in row]
        assert not lacking, f"docs/app.md, {command} {argument.dest}: {', '.join(lacking)} is not said"


# calls

def signatures() -> dict[str, tuple[str, str]]:
    """call -> (its arguments, what is said of it), from the python blocks of the docs."""
    found = {}
    for path in DOCS.glob("*.md"):
        for block in re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), re.S):
            for name, given, rest in re.findall(r"^([\w.]+)\((.*?)\)[ ]*((?:#.*)?$(?:\n[ ]+.*)*)", block, re.M):
                if name.partition(".")[0] in (*METRICS, "analysis"):
                    found[name] = (given, rest)
    return found


def public() -> dict[str, object]:
    found = {f"analysis.{name}": getattr(analysis, name) for name in analysis.__all__ if inspect.isfunction(getattr(analysis, name))}
    for name in METRICS:
        module = importlib.import_module(f"analysis.metrics.{name}")
        names = getattr(module, "__all__", None) or [n for n, v in vars(module).items() if getattr(v, "__module__", "") == module.__name__]
        found |= {f"{name}.{n}": getattr(module, n) for n in names if not n.startswith("_") and inspect.isfunction(getattr(module, n))}
    return found


def reached(name: str):
    """(the call of this name, the module it is in)"""
    first, *rest = name.split(".")
    module = analysis if first == "analysis" else importlib.import_module(f"analysis.metrics.{first}")
    node = module
    for part in rest:
        node = getattr(node, part)
    return node, module


def test_every_public_call_is_documented():
    pytest.importorskip("torch")
    same([name for name in signatures() if name != "analysis.Model.wrap"], public(), "public calls")
    assert all(f"`{name}`" in text("app") for name in analysis.__all__ if not inspect.isfunction(getattr(analysis, name)))


@pytest.mark.parametrize("name", list(signatures()))
def test_a_call_takes_what_the_docs_say(name):
    """Arguments, their kinds and their defaults."""
    call, module = reached(name)
    there = inspect.signature(call)
    scope = dict(vars(module))
    exec(f"def documented({signatures()[name][0]}): pass", scope)
    shape = lambda s: [(p.name, p.kind, p.default) for p in s.parameters.values()]  # noqa: E731
    assert shape(inspect.signature(scope["documented"])) == shape(there)


@pytest.mark.parametrize("name", [name for name, (_, said) in signatures().items() if "-> " in said])
def test_a_result_has_what_the_docs_say(name):
    _, module = reached(name)
    for kind, said in re.findall(r"-> (\w+): ([^\n]*)", signatures()[name][1]):
        result = getattr(module, kind)
        held = {*dir(result), *getattr(result, "__dataclass_fields__", ()), *getattr(result, "_fields", ())}
        lacking = [attribute for attribute in re.findall(r"(?<!\w)\.([a-z]\w*)", said) if attribute not in held]
        assert not lacking, f"{kind} has no {', '.join(lacking)}"


# metrics and their options

def test_every_switch_of_radar_is_documented():
    from analysis.metrics.radar import MARKS as WHOSE
    from analysis.metrics.radar import READINGS, Options
    from analysis.metrics.readings import CHOICES
    said = rows("radar", "Published and ours", "option")
    same(said, Options.__dataclass_fields__, "options of RADAR")
    for name, (_, default, values, _, whose) in said.items():
        assert default == f"`{getattr(Options(), name)}`" and whose == MARKS[WHOSE[name]], name
        assert all(f"`{choice}`" in values for choice in CHOICES.get(name, ())), name
        assert name == "device" or f"radar_{name}" in parameters(), name
    assert all(f"`{reading}`" in " ".join(text("radar").split()) for reading in READINGS)


def test_every_score_is_documented():
    from analysis.metrics.transferability import SCORES
    said = rows("transfer", "The formula", "score")
    same(said, SCORES, "scores")
    for name, score in SCORES.items():
        assert said[name][1] == score.title + " ↓" * (score.direction < 0) and ("trivial" in said[name][2]) == (score.kind == "trivial"), name
        assert ("labels" in said[name][3]) >= ("labels" in score.needs), name


def test_every_proxy_and_size_is_documented():
    from analysis.metrics.minima import PROXIES
    said = rows("minima", "The formula", "proxy")
    same(said, PROXIES, "proxies")
    assert all(said[name][1] == proxy.title + " ↓" * (proxy.direction < 0) for name, proxy in PROXIES.items())
    from analysis.metrics.growth import SIZES
    same(rows("minima", "The formula", "size"), SIZES, "sizes")


def test_every_transform_is_documented_with_its_ranges():
    from analysis.data.transforms import TRANSFORMS
    from analysis.data.wording import WORDINGS
    said, known = rows("sensitivity", "The formula", "transform"), {**TRANSFORMS, **WORDINGS}
    same(said, known, "transforms")
    for name, transform in known.items():
        cell = said[name][3].replace("−", "-")
        same(re.findall(r"`(\w+)`", cell), transform.knobs, f"knobs of {name}")
        assert said[name][1] == transform.family
        for knob, usual in transform.knobs.items():
            span = f"{usual.low:g}" if usual.low == usual.high else f"{usual.low:g} to {usual.high:g}"
            assert re.search(rf"`{knob}` {re.escape(span)}(?![.\d])", cell), f"{name}, {knob}: {span}"


def test_every_case_and_suite_is_documented():
    from analysis.cases import BUILTIN
    from analysis.studies.scoreboard import SUITES
    said = rows("transfer", "Published and ours", "case")
    same(said, BUILTIN, "cases")
    assert all(said[name][1] == case.title for name, case in BUILTIN.items())
    assert all(f"`{suite}`" in section("transfer", "Published and ours") for suite in SUITES)


# lessons

def test_what_a_lesson_may_run_and_draw_is_documented():
    from analysis.lessons.study import CHARTS, STUDIES
    said = rows("writing-lessons", "What a step may run", "unit")
    same(said, STUDIES, "units of lessons")
    for unit, study in STUDIES.items():
        _, inputs, options, numbers, charts = said[unit]
        known = {"inputs": (inputs, study.inputs), "options": (options, study.options), "numbers": (numbers, [read.__name__ for read in study.numbers]),
                 "charts": (charts, study.charts)}
        for what, (cell, there) in known.items():
            same([name for name in re.findall(r"`(\w+)`", cell) if (unit, name) != ("analysis.studies.teaching:shipped", "harm") or what == "charts"], there,
                 f"{what} of {unit}")
    drawn = rows("writing-lessons", "Charts", "chart")
    same(drawn, CHARTS, "charts of lessons")
    for name, options in CHARTS.items():
        same(re.findall(r"`(\w+)`:", drawn[name][2]), options, f"what may be asked of {name}")


def test_pages_that_a_lesson_opens_are_documented_with_their_values():
    from analysis.lessons import pages as opened
    said = rows("writing-lessons", "Pages", "page")
    same(said, opened.PAGES, "pages of lessons")
    for page, options in opened.PAGES.items():
        same(re.findall(r"`(\w+)`", said[page][1]), options, f"options of {page}")
        for name, allowed in options.items():
            cell = re.sub(r"(?<=\d)[ \u202f](?=\d)", "", parameters()[name][2])
            if isinstance(allowed, tuple) and not isinstance(allowed, opened.Span):
                lacking = [str(value) for value in allowed if str(value) not in cell] if cell != "a transform" else []
                assert not lacking, f"docs/app.md does not say that {name} can be {', '.join(lacking)}"
            elif not isinstance(allowed, type) and re.search(r"\d to \d", cell):
                ends = allowed if isinstance(allowed, opened.Span) else (allowed[0], allowed[-1])
                assert re.match(rf"{ends[0]:g} to {ends[1]:.10g}\b", cell), f"{name}: {cell}"


# files and the surroundings

def test_files_that_are_read_and_kinds_that_are_stored_are_documented():
    from analysis import foreign
    from analysis.data import files
    from analysis.store import KINDS
    read = section("app", "Files that are read")
    for what, endings in (("datasets", files.ENDINGS), ("representations", foreign.ENDINGS)):
        row = next(line for line in read.splitlines() if line.startswith(f"| {what} |"))
        same(re.findall(r"`(\.\w+)`", row), endings, f"endings of {what}")
    assert set(KINDS) <= set(rows("app", "Files that are written", "what"))
    formats = [found for path in (ROOT / "analysis").rglob("*.py") for found in re.findall(r'^FORMAT\b.*?"(sextant [^"]+)"', path.read_text("utf-8"), re.M)]
    assert formats and all(f"`{found}`" in read for found in formats)


def test_every_environment_variable_is_documented():
    there = set()
    for path in (ROOT / "app.py", *(ROOT / "analysis").rglob("*.py"), *(ROOT / "pages").rglob("*.py")):
        for place in re.findall(r"os\.environ(?:\.get\(|\[)\s*(\w+|\"\w+\")", path.read_text(encoding="utf-8")):
            there |= {place.strip('"')} if place.startswith('"') else set(re.findall(r'"([A-Z]+_[A-Z_]+)"', path.read_text(encoding="utf-8")))
    same(rows("app", "Environment variables", "variable"), there, "environment variables")


def test_every_target_of_make_is_documented():
    targets = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)[1].split()
    assert all(f"`make {target}`" in text("app") for target in targets)
