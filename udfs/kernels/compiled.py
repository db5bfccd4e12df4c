"""How kernels are compiled: strict floating point, no GIL, and a disk cache that knows the sources of every kernel it contains."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any, Final, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])

OPTIONS: Final[dict[str, Any]] = {"nogil": True, "fastmath": False, "error_model": "numpy"}
"""No reordering of sums, no fused operations: equal input gives equal bits."""


def kernel(function: Function) -> Function:
    """Compile for use inside other kernels. Not cached on disk by itself: whoever enters from Python is, with `source_number`."""
    return cast(Function, numba.njit(**OPTIONS)(function))


def source_number(modules: Iterable[ModuleType]) -> int:
    """Positive number that changes with any source of `modules`.

    Numba's disk cache looks only at the file of the function that is entered, not at those that it calls; it does look at the values that
    the function closes over. So an entry closes over this number, and a changed kernel can never be answered from an old cache.
    """
    sources = "\0".join(inspect.getsource(module) for module in modules)
    return int.from_bytes(hashlib.sha256(sources.encode()).digest()[:7], "little") | 1
