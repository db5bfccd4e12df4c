"""Imports point one way, read from the sources: records <- kernels <- codecs, scoring <- operators, table_functions <- jobs."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(path for package in ("udfs", "jobs", "infra") for path in (ROOT / package).rglob("*.py"))

FOUNDATION = {"udfs.records", "udfs.errors"}
MAY_IMPORT = {
    "udfs.records": {"udfs.errors"},
    "udfs.errors": set(),
    "udfs.kernels": FOUNDATION,
    "udfs.codecs": FOUNDATION | {"udfs.kernels"},
    "udfs.scoring": FOUNDATION | {"udfs.kernels", "udfs.codecs"},
    "udfs.operators": FOUNDATION | {"udfs.kernels", "udfs.codecs", "udfs.scoring"},
    "udfs.table_functions": FOUNDATION | {"udfs.kernels", "udfs.codecs", "udfs.scoring"},
    "jobs": {"udfs", "infra.local"},
    "infra": {"udfs", "jobs"},
}


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def layer(module: str) -> str | None:
    """The longest entry of the table that the module lies in."""
    inside = [name for name in MAY_IMPORT if module == name or module.startswith(name + ".")]
    return max(inside, key=len) if inside else None


def imports(path: Path) -> set[str]:
    """Absolute names of the project's modules that a file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.split(".")[0] in ("udfs", "jobs", "infra", "tests")}


def is_permitted(importer: str, imported: str) -> bool:
    own = layer(importer)
    if own is None:
        return importer == "udfs"
    allowed = MAY_IMPORT[own] | {own}
    return any(imported == name or imported.startswith(name + ".") for name in allowed)


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_a_module_imports_only_from_layers_below(path: Path) -> None:
    wrong = sorted(name for name in imports(path) if not is_permitted(module_name(path), name))
    assert not wrong, f"{path.relative_to(ROOT)} (layer {layer(module_name(path))}) imports {', '.join(wrong)}"


def test_workers_never_see_the_users_machine() -> None:
    """Of `jobs`, only programs import `infra.local`; none of them is imported by the topology."""
    topology = ROOT / "jobs" / "topology.py"
    if not topology.exists():
        pytest.skip("no topology yet")
    seen, waiting = set(), [topology]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        names = imports(path)
        assert not any(name.startswith("infra.") for name in names), f"{path.relative_to(ROOT)} reaches the user's machine"
        waiting += [found for name in names for found in candidates(name) if found.exists()]


def candidates(name: str) -> list[Path]:
    """Files that an imported name may stand for: a module, or a member of one."""
    parts = name.split(".")
    return [ROOT.joinpath(*parts).with_suffix(".py"), ROOT.joinpath(*parts[:-1]).with_suffix(".py")]


def test_the_table_knows_every_package_of_the_worker() -> None:
    """A new package under udfs/ must be given its place in the order."""
    packages = {module_name(path) for path in (ROOT / "udfs").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert packages - {"udfs"} <= set(MAY_IMPORT)
