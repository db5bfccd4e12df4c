"""What a reader may rely on in every file: its size, the shape of the root, no addresses of registries, a docstring."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MOST_LINES = 300
ROOT_DIRECTORIES = {"udfs", "jobs", "sql", "flink-conf", "infra", "tests"}
ROOT_FILES = {"pyproject.toml", "README.md", "LICENSE", "requirements.lock"}
CODE = {".py", ".sql", ".yaml", ".yml", ".toml", ".proto", ".sh", ""}
REGISTRIES = re.compile(
    "|".join(
        [
            "pypi" + r"\.org",
            "pythonhosted" + r"\.org",
            r"maven\." + "org",
            r"repo1?\." + "maven",
            r"registry\." + "npmjs",
            r"repo\.maven\." + "apache",
        ]
    )
)


def tracked_files() -> list[Path]:
    """Files under version control, or, without git, all that are not hidden."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listing.returncode == 0 and listing.stdout:
        return [ROOT / name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]
    return [path for path in ROOT.rglob("*") if path.is_file() and not any(part.startswith(".") for part in path.relative_to(ROOT).parts)]


FILES = tracked_files()
PYTHON = [path for path in FILES if path.suffix == ".py" and not path.name.endswith("_pb2.py")]


def test_the_root_holds_nothing_else() -> None:
    names = {path.relative_to(ROOT).parts[0] for path in FILES}
    directories = {name for name in names if (ROOT / name).is_dir() and not name.startswith(".")}
    files = {name for name in names if (ROOT / name).is_file() and not name.startswith(".")}
    assert directories <= ROOT_DIRECTORIES
    assert files <= ROOT_FILES


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_has_one_subject(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MOST_LINES


def test_no_registry_is_named() -> None:
    """Packages and jars come through their clients' own configuration, so mirrors work."""
    text_files = [path for path in FILES if path.suffix in CODE | {".lock", ".in", ".md"}]
    assert not [str(path.relative_to(ROOT)) for path in text_files if REGISTRIES.search(path.read_text(errors="ignore"))]


@pytest.mark.parametrize("path", [path for path in PYTHON if "tests" not in path.parts], ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_what_it_is(path: Path) -> None:
    text = path.read_text()
    assert not text.strip() or ast.get_docstring(ast.parse(text))


def test_functions_are_short() -> None:
    """Half of all functions have at most eight lines, one in fifty more than forty."""
    lengths = sorted(length for path in PYTHON if "tests" not in path.parts for length in function_lengths(path))
    assert lengths[len(lengths) // 2] <= 8
    assert sum(length > 40 for length in lengths) <= len(lengths) / 50


def function_lengths(path: Path) -> list[int]:
    """Lines of each function's body, docstring not counted."""
    functions = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [length_of(function) for function in functions]


def length_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = function.body[1:] if ast.get_docstring(function) and len(function.body) > 1 else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1
