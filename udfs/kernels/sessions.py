"""What a session is: the UTC day, for every symbol. The one place that says so."""

# mypy: no-warn-return-any
from __future__ import annotations

from typing import Final

from udfs.kernels.compiled import kernel

SECONDS_PER_DAY: Final = 86_400


@kernel
def session_of(second: int) -> int:
    """Number of the session that a second lies in; sessions are numbered in order of time."""
    return second // SECONDS_PER_DAY


@kernel
def session_start(session: int) -> int:
    """First second of a session."""
    return session * SECONDS_PER_DAY
