"""The shipped code: one zip, the same bytes for the same sources, importable as it is."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra.local import shipping


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    for name, text in {"jobs/__init__.py": "", "jobs/live.py": "x = 1", "udfs/__init__.py": "", "udfs/kernel.py": "y = 2"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_equal_sources_give_equal_bytes(sources: Path) -> None:
    before = shipping.zip_bytes(sources)
    for path in sources.rglob("*.py"):
        os.utime(path, (1, 1))
        path.chmod(0o600)
    (sources / "jobs" / "__pycache__").mkdir()
    (sources / "jobs" / "__pycache__" / "live.cpython-311.py").write_text("not shipped")
    (sources / "infra").mkdir()
    (sources / "infra" / "tool.py").write_text("not shipped")
    assert shipping.zip_bytes(sources) == before


def test_a_changed_byte_changes_the_hash(sources: Path) -> None:
    before = shipping.code_hash(sources)
    (sources / "udfs" / "kernel.py").write_text("y = 3")
    assert shipping.code_hash(sources) != before


def test_the_zip_imports_alone(tmp_path: Path) -> None:
    path = shipping.build_zip()
    assert path == shipping.build_zip()
    with zipfile.ZipFile(path) as archive:
        assert {name.split("/")[0] for name in archive.namelist()} == {"jobs", "udfs"}
    program = "import udfs.records, udfs.errors; print(udfs.records.__file__)"
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env={"PYTHONPATH": str(path)}, capture_output=True, text=True, check=True
    )
    assert result.stdout.startswith(str(path))
