"""The process environment in which every program of Tickflow runs, whatever the user's own PATH holds."""

from __future__ import annotations

import os

from infra.local import paths

CACHE_LOCATORS = "udfs.kernels.compilation_cache.ContentCacheLocator,UserProvidedCacheLocator,InTreeCacheLocator,UserWideCacheLocator"
"""Who answers where Numba keeps what it compiled: the project's own by content, then Numba's usual ones."""

_LEFT_OUT = ("PYTHONHOME", "PYTHONDONTWRITEBYTECODE", "FLINK_CONF_DIR", "FLINK_LIB_DIR")


def program_environment() -> dict[str, str]:
    """The caller's environment with the project's Python, Java and Flink first on PATH."""
    environment = {name: value for name, value in os.environ.items() if name not in _LEFT_OUT}
    java_home = paths.java_home()
    first = [str(paths.VENV / "bin"), str(java_home / "bin"), str(paths.FLINK_HOME / "bin")]
    rest = [entry for entry in environment.get("PATH", os.defpath).split(os.pathsep) if entry and entry not in first]
    environment["PATH"] = os.pathsep.join(first + rest)
    environment["VIRTUAL_ENV"] = str(paths.VENV)
    environment["JAVA_HOME"] = str(java_home)
    environment["FLINK_HOME"] = str(paths.FLINK_HOME)
    environment["NUMBA_CACHE_DIR"] = str(paths.kernel_cache())
    environment["NUMBA_CACHE_LOCATOR_CLASSES"] = CACHE_LOCATORS
    environment["PYTHONUNBUFFERED"] = "1"
    # Nothing is written beside sources, so who forbids that need not forbid this: without compiled modules each start takes seconds more.
    environment["PYTHONPYCACHEPREFIX"] = str(paths.BYTECODE)
    return environment
