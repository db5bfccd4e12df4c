"""The other systems' own Python environment, made from its lock the first time that it is wanted."""

from __future__ import annotations

from pathlib import Path

from infra.local import paths
from infra.local.isolated import isolated_python


def peers_python() -> Path:
    """The environment's interpreter. Raises SetupError when a package cannot be had."""
    return isolated_python(paths.PEERS, paths.PEERS_LOCK, "bench: installing the other systems")
