"""The other systems' own Python environment, made from its lock the first time that it is wanted."""

from __future__ import annotations

from pathlib import Path

from infra.local import paths
from infra.local.console import say
from infra.local.setup import installer, run, uv_cache

_PYTHON = paths.PEERS / "bin" / "python"
_STAMP = paths.PEERS / "lock"


def peers_python() -> Path:
    """The environment's interpreter. Raises SetupError when a package cannot be had."""
    wanted = paths.PEERS_LOCK.read_text()
    if not _STAMP.exists() or _STAMP.read_text() != wanted:
        say("bench: installing the other systems")
        uv = installer()
        run([uv, "venv", "--quiet", "--clear", "--python", paths.PYTHON, paths.PEERS])
        run([uv, "pip", "sync", "--quiet", "--python", _PYTHON, "--require-hashes", paths.PEERS_LOCK], UV_CACHE_DIR=uv_cache())
        _STAMP.write_text(wanted)
    return _PYTHON
