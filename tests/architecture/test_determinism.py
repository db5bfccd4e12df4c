"""Code under udfs/ gives the same bits for the same input: no wall clock, no randomness, no order that depends on hashing."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "udfs").rglob("*.py"))

BANNED_CALLS = {
    "time.time", "time.time_ns", "time.localtime", "time.gmtime", "datetime.now", "datetime.utcnow", "datetime.today", "date.today",
    "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today", "pd.Timestamp.now",
    "uuid.uuid1", "uuid.uuid4", "uuid4", "uuid1", "os.urandom", "hash", "id",
}  # fmt: skip
BANNED_MODULES = {"random", "secrets"}
BANNED_ATTRIBUTES = {"np.random", "numpy.random"}


def dotted(node: ast.expr) -> str:
    """`a.b.c` of an attribute chain; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = dotted(node.value)
        return f"{base}.{node.attr}" if base else ""
    return ""


def is_set(node: ast.expr) -> bool:
    literal = isinstance(node, ast.Set | ast.SetComp)
    return literal or (isinstance(node, ast.Call) and dotted(node.func) in ("set", "frozenset"))


def violations(tree: ast.AST) -> list[str]:
    """Every banned use, with its line."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and dotted(node.func) in BANNED_CALLS:
            found.append(f"line {node.lineno}: calls {dotted(node.func)}")
        if isinstance(node, ast.Attribute) and dotted(node) in BANNED_ATTRIBUTES:
            found.append(f"line {node.lineno}: uses {dotted(node)}")
        if isinstance(node, ast.Import) and {alias.name.split(".")[0] for alias in node.names} & BANNED_MODULES:
            found.append(f"line {node.lineno}: imports randomness")
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in BANNED_MODULES:
            found.append(f"line {node.lineno}: imports randomness")
        if isinstance(node, ast.For | ast.comprehension) and is_set(node.iter):
            found.append(f"line {node.iter.lineno}: walks a set")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_worker_code_is_deterministic(path: Path) -> None:
    assert not violations(ast.parse(path.read_text()))


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.time()",
        "from random import choice",
        "import numpy as np\nnp.random.default_rng()",
        "for x in {1, 2}: pass",
        "[x for x in set(y)]",
        "hash('a')",
    ],
)
def test_the_rule_finds_what_it_bans(source: str) -> None:
    assert violations(ast.parse(source))
