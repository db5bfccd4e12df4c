"""Where compiled kernels are kept: under a name made of their source, not of the file's place.

A Flink worker unpacks the code into a new folder for every job, where Numba's own cache would never find what was compiled before. Here
the key is the content of the module and of all of the project that it imports, so the same code is compiled once on a machine, and a
change in a called function is never missed. Chosen with NUMBA_CACHE_LOCATOR_CLASSES; the folder is NUMBA_CACHE_DIR.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
import os
from collections.abc import Callable
from typing import Any

from numba.core import caching

PACKAGES = ("udfs", "jobs")
DIGEST_DIGITS = 16


class ContentCacheLocator(caching._CacheLocator):
    """Numba's question "where is this function cached, and is it fresh" answered by content."""

    def __init__(self, py_func: Callable[..., Any]) -> None:
        digest = content_digest(py_func.__module__)
        self._first_line = py_func.__code__.co_firstlineno
        self._digest = digest
        self._path = os.path.join(os.environ["NUMBA_CACHE_DIR"], f"{py_func.__module__}-{digest[:DIGEST_DIGITS]}")

    @classmethod
    def from_function(cls, py_func: Callable[..., Any], py_file: str) -> ContentCacheLocator | None:
        """A locator for functions of this project; None lets Numba ask the next one."""
        if py_func.__module__.split(".")[0] not in PACKAGES or "NUMBA_CACHE_DIR" not in os.environ:
            return None
        locator = cls(py_func)
        locator.ensure_cache_path()
        return locator

    def get_cache_path(self) -> str:
        """The folder for this module's compiled functions."""
        return self._path

    def get_source_stamp(self) -> str:
        """What must be equal for a cached function to be used."""
        return self._digest

    def get_disambiguator(self) -> str:
        """Tells functions of one name in one module apart."""
        return str(self._first_line)


@functools.cache
def source(module: str) -> str | None:
    """A module's text, from a folder or a zip; None if there is no such module."""
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        return None
    get_source = getattr(spec.loader, "get_source", None) if spec else None
    return (get_source(module) or "") if get_source else None


@functools.cache
def imported(module: str) -> tuple[str, ...]:
    """The project's modules that a module names in its imports, sorted."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source(module) or "")):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return tuple(sorted(name for name in found if name.split(".")[0] in PACKAGES and source(name) is not None))


@functools.cache
def content_digest(module: str) -> str:
    """The sha256 over a module and all that it imports from this project, however deep."""
    seen: list[str] = []
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.append(name)
            waiting += imported(name)
    digest = hashlib.sha256()
    for name in sorted(seen):
        digest.update(f"{name}\0{source(name)}\0".encode())
    return digest.hexdigest()
