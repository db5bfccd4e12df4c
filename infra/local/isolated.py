"""Python environments beside the project's own, for what only one verb needs: made from their locks the first time that they are wanted."""

from __future__ import annotations

from pathlib import Path

from infra.local import paths
from infra.local.console import say
from infra.local.setup import exclusive, installer, run, uv_cache


def isolated_python(folder: Path, lock: Path, purpose: str) -> Path:
    """Interpreter of the environment in `folder` with what `lock` lists. Raises SetupError when a package cannot be had."""
    python, stamp, wanted = folder / "bin" / "python", folder / "lock", lock.read_text()
    with exclusive():
        if not stamp.exists() or stamp.read_text() != wanted:
            say(purpose)
            uv = installer()
            run([uv, "venv", "--quiet", "--clear", "--python", paths.PYTHON, folder])
            run([uv, "pip", "sync", "--quiet", "--python", python, "--require-hashes", lock], UV_CACHE_DIR=uv_cache())
            stamp.write_text(wanted)
    return python
