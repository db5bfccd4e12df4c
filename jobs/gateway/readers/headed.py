"""Shared by the formats whose first line names the columns."""

from __future__ import annotations

from collections.abc import Sequence

BUY_WORDS = frozenset({b"buy", b"b", b"bid", b"1", b"+1", b"1.0"})
SELL_WORDS = frozenset({b"sell", b"s", b"a", b"ask", b"-1", b"-1.0"})
MISSING_WORDS = frozenset({b"", b"nan", b"null", b"none", b"na", b"9223372036854775807"})
MISSING = float("nan")


def column_names(header: bytes) -> tuple[str, ...]:
    """Lower-case names of the columns."""
    return tuple(cell.strip().strip('"').lower() for cell in header.decode("utf-8", "replace").split(","))


def first_index(names: Sequence[str], *wanted: str) -> int | None:
    """Position of the first of `wanted` that is there, None when none is."""
    return next((names.index(name) for name in wanted if name in names), None)


def index_of(names: Sequence[str], *wanted: str) -> int:
    """As `first_index`; ValueError when none is there."""
    index = first_index(names, *wanted)
    if index is None:
        raise ValueError(f"found columns {', '.join(names)}; expected one named {' or '.join(wanted)}")
    return index


def aggressor(word: bytes) -> float:
    """Side of a trade from the venue's word for its aggressor: buy, sell, or unknown for anything else."""
    text = word.strip().lower()
    return 1.0 if text in BUY_WORDS else -1.0 if text in SELL_WORDS else 0.0


def number_or_missing(word: bytes) -> float:
    """A number, NaN where the venue leaves it out."""
    return MISSING if word.strip().lower() in MISSING_WORDS else float(word)
