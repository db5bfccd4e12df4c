"""How a table of feature rows is cut into pieces that fit into memory: stretches of time, and within a stretch groups of symbols."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

STRETCH = 600 * 1_000_000_000
"""Nanoseconds: the smallest piece of time. A symbol has at most some ten rows a second, so one of these always fits."""


class Chunk(NamedTuple):
    """A piece: the rows of `symbols` with event time in [from_time, to_time) nanoseconds."""

    from_time: int
    to_time: int
    symbols: tuple[str, ...]
    rows: int


def count_rows(batches: Iterable[pa.RecordBatch]) -> Counter[tuple[int, str]]:
    """Rows by (number of the stretch, symbol), from batches of `symbol` and `event_time_ns`."""
    counts: Counter[tuple[int, str]] = Counter()
    for batch in batches:
        stretch = pa.array(batch.column("event_time_ns").to_numpy() // STRETCH)
        found = (
            pa.table({"stretch": stretch, "symbol": batch.column("symbol")}).group_by(["stretch", "symbol"]).aggregate([([], "count_all")])
        )
        for row in found.to_pylist():
            counts[row["stretch"], row["symbol"]] += row["count_all"]
    return counts


def plan_chunks(counts: Mapping[tuple[int, str], int], maximum_rows: int) -> list[Chunk]:
    """Pieces in the order of time, each with at most `maximum_rows` rows unless one symbol alone has more in one stretch."""
    by_stretch: dict[int, dict[str, int]] = {}
    for stretch, symbol in sorted(counts):
        by_stretch.setdefault(stretch, {})[symbol] = counts[stretch, symbol]
    chunks: list[Chunk] = []
    last_is_whole = False
    for stretch, symbols in by_stretch.items():
        pieces = list(_pieces(stretch, symbols, maximum_rows))
        is_whole = len(pieces) == 1
        if is_whole and last_is_whole and chunks[-1].rows + pieces[0].rows <= maximum_rows:
            chunks[-1] = _joined(chunks[-1], pieces[0])
        else:
            chunks += pieces
        last_is_whole = is_whole
    return chunks


def _joined(first: Chunk, then: Chunk) -> Chunk:
    return Chunk(first.from_time, then.to_time, tuple(sorted({*first.symbols, *then.symbols})), first.rows + then.rows)


def _pieces(stretch: int, symbols: Mapping[str, int], maximum_rows: int) -> Iterator[Chunk]:
    """One stretch, cut by symbols."""
    group: list[str] = []
    held = 0
    for symbol, rows in symbols.items():
        if group and held + rows > maximum_rows:
            yield _chunk(stretch, group, held)
            group, held = [], 0
        group.append(symbol)
        held += rows
    yield _chunk(stretch, group, held)


def _chunk(stretch: int, symbols: list[str], rows: int) -> Chunk:
    return Chunk(stretch * STRETCH, (stretch + 1) * STRETCH, tuple(symbols), rows)


def thinning(total: int, maximum: int) -> int:
    """Every how many rows one is kept, so that about `maximum` of `total` are."""
    return max(1, -(-total // maximum))


def kept_places(seen: int, rows: int, every: int) -> npt.NDArray[np.bool_]:
    """(rows,) which of the next rows of a symbol are kept, when `seen` came before."""
    return np.asarray((np.arange(seen, seen + rows) % every) == 0, np.bool_)
