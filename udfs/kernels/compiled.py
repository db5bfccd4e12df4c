"""How kernels are compiled: strict floating point, no GIL, and a disk cache that knows the sources of every kernel it contains."""

# mypy: no-warn-return-any
from __future__ import annotations

import hashlib
import importlib.util
import pkgutil
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import numba

from udfs.kernels.compilation_cache import content_digest

Function = TypeVar("Function", bound=Callable[..., Any])

_STRICT: Final[dict[str, Any]] = {"nogil": True, "fastmath": False, "error_model": "numpy"}
"""No reordering of sums, no fused operations: equal input gives equal bits."""
OPTIONS: Final[dict[str, Any]] = _STRICT | {"_nrt": False}
"""Without Numba's counting of references: kernels make no arrays and keep none, and counting those that they hand to each other took more
than half of an event's time."""


def kernel(function: Function) -> Function:
    """Compile for use inside other kernels. Not cached on disk by itself: whoever enters from Python is, with `source_number`."""
    return cast(Function, numba.njit(**OPTIONS)(function))


def over_series(function: Function) -> Function:
    """Compile what takes and makes whole series, for tables of history; `kernel` is for what takes one event or value."""
    return cast(Function, numba.njit(**_STRICT)(function))


def source_number(module: str) -> int:
    """Positive number that changes with the source of a module and of every `udfs` module that it imports; a package stands for all in it.

    Numba's disk cache looks only at the file of the function that is entered, not at those that it calls; it does look at the values that
    the function closes over. So an entry closes over this number, and a changed kernel can never be answered from an old cache.
    """
    spec = importlib.util.find_spec(module)
    inside = pkgutil.iter_modules(spec.submodule_search_locations or []) if spec else ()
    names = (module, *sorted(f"{module}.{found.name}" for found in inside))
    return int(hashlib.sha256("".join(map(content_digest, names)).encode()).hexdigest()[:14], 16) | 1
