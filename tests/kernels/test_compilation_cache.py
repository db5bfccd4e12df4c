"""Compiled kernels are found again by content: in another folder yes, after a change below no."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCATOR = "udfs.kernels.compilation_cache.ContentCacheLocator"
PROGRAM = "from udfs import entry; print(entry.run(2.0)); stats = entry.run.stats; print(sum(stats.cache_hits.values()))"
ENTRY = "import numba\nfrom udfs.kernels import below\n\n@numba.njit(cache=True)\ndef run(x):\n    return below.twice(x)\n"
BELOW = "import numba\n\n@numba.njit\ndef twice(x):\n    return x * {factor}\n"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package named udfs with an entry that calls a kernel in another file."""
    kernels = tmp_path / "one" / "udfs" / "kernels"
    kernels.mkdir(parents=True)
    (kernels.parent / "__init__.py").touch()
    (kernels / "__init__.py").touch()
    shutil.copy(ROOT / "udfs" / "kernels" / "compilation_cache.py", kernels)
    (kernels.parent / "entry.py").write_text(ENTRY)
    (kernels / "below.py").write_text(BELOW.format(factor=2))
    return tmp_path / "one"


def run(package: Path) -> tuple[float, int]:
    """What the entry gives in a fresh interpreter, and how often the cache was hit."""
    cache = {"NUMBA_CACHE_DIR": str(package.parent / "cache"), "NUMBA_CACHE_LOCATOR_CLASSES": LOCATOR}
    environment = {**os.environ, **cache, "PYTHONPATH": str(package)}
    result = subprocess.run([sys.executable, "-c", PROGRAM], cwd=package, env=environment, capture_output=True, text=True, check=True)
    value, hits = result.stdout.split()
    return float(value), int(hits)


def test_the_cache_is_found_from_another_folder(package: Path) -> None:
    assert run(package) == (4.0, 0)
    moved = package.with_name("two")
    package.rename(moved)
    assert run(moved) == (4.0, 1)


def test_a_change_in_a_called_kernel_is_never_missed(package: Path) -> None:
    assert run(package) == (4.0, 0)
    (package / "udfs" / "kernels" / "below.py").write_text(BELOW.format(factor=3))
    assert run(package) == (6.0, 0)
