"""The Flink functions: open state, decode, call a kernel, emit, count."""

from __future__ import annotations

import builtins
import sys


def _name_print() -> None:
    """In process mode PyFlink puts a method of its own in the place of `print`; numba, when it is imported, looks it up by name there."""
    home = sys.modules.get(builtins.print.__module__)
    if home is not None and not hasattr(home, "print"):
        home.print = builtins.print  # type: ignore[attr-defined]


_name_print()
