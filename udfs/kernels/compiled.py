"""How kernels are compiled: strict floating point, no GIL, and a disk cache that knows the sources of every kernel it contains."""

# mypy: no-warn-return-any
from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import numba

from udfs.kernels.compilation_cache import content_digest

Function = TypeVar("Function", bound=Callable[..., Any])

OPTIONS: Final[dict[str, Any]] = {"nogil": True, "fastmath": False, "error_model": "numpy"}
"""No reordering of sums, no fused operations: equal input gives equal bits."""


def kernel(function: Function) -> Function:
    """Compile for use inside other kernels. Not cached on disk by itself: whoever enters from Python is, with `source_number`."""
    return cast(Function, numba.njit(**OPTIONS)(function))


def source_number(module: str) -> int:
    """Positive number that changes with the source of a module and of every module of the project that it imports.

    Numba's disk cache looks only at the file of the function that is entered, not at those that it calls; it does look at the values that
    the function closes over. So an entry closes over this number, and a changed kernel can never be answered from an old cache.
    """
    return int(content_digest(module)[:14], 16) | 1
