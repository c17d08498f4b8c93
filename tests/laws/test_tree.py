"""The house keeps its own rules: who imports whom, what is never called, what is never named."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"torch", "umap", "transformers", "sklearn", "ripser", "persim", "matplotlib", "scipy", "datasets", "numba"}


def sources(*folders):
    return sorted(p for f in folders for p in (ROOT / f).rglob("*.py"))


def imports(path, *, top_only=False):
    """Dotted names a file imports; with top_only just those that run when it is imported."""
    found, tree = set(), ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if top_only else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module or ""} | {f"{node.module}.{a.name}" for a in node.names}
    return found


def reaches(path, *forbidden):
    return sorted(i for i in imports(path) if any(i == f or i.startswith(f + ".") for f in forbidden))


@pytest.mark.parametrize("path", sources("analysis"), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_core_knows_no_screen(path):
    assert reaches(path, "streamlit", "pages", "app") == []
    inside = path.relative_to(ROOT / "analysis").parts[0]
    outside = {"metrics": ("plotly", "analysis.models", "analysis.data", "analysis.engine", "analysis.studies", "analysis.figures"),
               "figures": ("analysis.models", "analysis.engine", "analysis.studies"),
               "studies": ("analysis.engine", "analysis.figures"),
               "data": ("analysis.models.zoo", "analysis.models.model", "analysis.engine", "analysis.metrics", "analysis.figures"),
               "models": ("analysis.engine", "analysis.metrics", "analysis.figures", "analysis.studies"),
               "engine": ("analysis.metrics", "analysis.figures")}.get(inside, ("analysis.figures",))
    assert reaches(path, *outside) == []


@pytest.mark.parametrize("path", sources("analysis", "pages") + [ROOT / "app.py"], ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_heavy_is_imported_before_it_is_needed(path):
    if path.name in ("foreman.py",):  # a process of its own, whose whole point is to have torch
        return
    if path == ROOT / "analysis/models/architectures.py":  # networks are classes of torch; only ever imported inside functions
        return
    assert not {i.split(".")[0] for i in imports(path, top_only=True)} & HEAVY


REFUSED = [r"torch\.load\(", r"torch\.jit\.load", r"\bpickle\.loads?\(", r"allow_pickle\s*=\s*True", r"read_pickle", r"joblib\.load", r"torch\.export\.load",
           r"trust_remote_code\s*=\s*True", r"unsafe_allow_html", r"\beval\(", r"\bexec\(", r"weights_only"]


@pytest.mark.parametrize("path", sources("analysis", "pages", "benchmarks") + [ROOT / "app.py"], ids=lambda p: str(p.relative_to(ROOT)))
def test_uploads_are_data_never_code(path):
    code = "\n".join(ast.unparse(n) for n in ast.parse(path.read_text(encoding="utf-8")).body
                     if not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant)))
    code = re.sub(r"'[^'\n]*'|\"[^\"\n]*\"", "''", code)  # a message may name what it refuses
    code = code.replace("model.eval(", "").replace(".eval()", "")
    assert [p for p in REFUSED if re.search(p, code)] == []


def test_no_file_names_a_package_registry_or_the_shared_folder():
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    registry = re.compile("py" + r"pi\.org|files\.python" + r"hosted|registry\.npm" + "js|" + r"\.\./sh" + "ared")
    named = [f for f in files if f and (ROOT / f).suffix in (".py", ".txt", ".in", ".md", ".toml", "") and (ROOT / f).is_file()
             and registry.search((ROOT / f).read_text(encoding="utf-8", errors="ignore"))]
    assert named == []


def test_everything_is_pinned():
    for name in ("requirements.txt", "requirements-dev.txt", "requirements-text.txt", "requirements-bench.txt"):
        lines = [x for x in (ROOT / name).read_text().splitlines() if x and not x.lstrip().startswith(("#", "-c"))]
        assert lines and [x for x in lines if not re.fullmatch(r"[A-Za-z0-9_.-]+==[^\s;]+.*", x)] == []


def test_assets_stay_small():
    assert sum(p.stat().st_size for p in (ROOT / "assets").rglob("*") if p.is_file()) < 15_000_000
    assert sum(p.stat().st_size for p in (ROOT / "assets/zoo").iterdir()) < 12_000_000
