"""A point-in-time dataset, piece by piece: feature rows, what was known beside them, and their outcomes. Memory holds one piece.

A piece's size is decided by counting first. Prices around a piece are read again from the table, because outcomes look ahead of it, and
only a few numbers of those rows are kept. All tables are read as of the snapshots that were newest when the reader was made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from pyiceberg.catalog import Catalog

from jobs.lake.reading import Selection
from jobs.training.dataset import COLUMNS, Dataset, NotEnoughData, from_batches
from jobs.training.labelling.kinds import LabelSettings, outcomes_of
from jobs.training.labelling.path import NO_BREAKS, Outcomes, PricePath, Times
from jobs.training.labels import Labels
from jobs.training.point_in_time.as_of import NEVER, AsOf, LookAhead, newest_as_of
from jobs.training.point_in_time.chunks import Chunk, count_rows, kept_places, plan_chunks, thinning
from jobs.training.point_in_time.pinned import PinnedTable
from jobs.training.point_in_time.price_reading import COLUMNS as PRICE_COLUMNS
from jobs.training.point_in_time.price_reading import breaks_of, read_paths, session_ends
from jobs.training.point_in_time.sources import Source, SourceStream

NO_LABELS = Labels(np.zeros(0, np.intp), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), np.zeros(0))


@dataclass(frozen=True, slots=True)
class DatasetRequest:
    """What a dataset is made of. Times in nanoseconds; None means from the first row, to the last."""

    from_time: int | None = None
    to_time: int | None = None
    symbols: tuple[str, ...] = ()
    """Empty means all."""
    sources: tuple[Source, ...] = ()
    label: LabelSettings | None = None
    breaks_table: str = ""
    """Table with `symbol` and `event_time_ns` of moments that no outcome may span."""
    calendar: str = ""
    """Exchange whose sessions no outcome may span the end of."""
    rows_in_memory: int = 200_000
    keep_about: int = 0
    """How many rows to keep in all, evenly spread in each symbol; 0 keeps every row."""


class Piece(NamedTuple):
    """Some rows with all that belongs to them."""

    dataset: Dataset
    joined: npt.NDArray[np.float64]
    """(rows, joined names) values of the sources, NaN where nothing was known."""
    joined_names: tuple[str, ...]
    inputs_available: Times
    """(rows,) when the last of what was joined was available, never after the row's own `available_time`; `as_of.NEVER` with nothing."""
    labels: Labels
    """Outcomes; `rows` are places in `dataset`. Rows whose outcome is not known have none."""


@dataclass
class ReaderCounts:
    """What the reader did."""

    rows: int = 0
    pieces: int = 0
    most_rows_held: int = 0
    """Most feature rows of one piece, and rows of sources, that were in memory together; prices around a piece are not counted."""


@dataclass
class PointInTimeReader:
    """Reads one dataset from one namespace of the lake."""

    catalog: Catalog
    namespace: str
    feature_names: tuple[str, ...]
    request: DatasetRequest = field(default_factory=DatasetRequest)
    join: AsOf = newest_as_of

    def __post_init__(self) -> None:
        """Pin the tables."""
        self.counts = ReaderCounts()
        self._features = PinnedTable(self.catalog, self.namespace, "features")
        self._breaks = PinnedTable(self.catalog, self.namespace, self.request.breaks_table) if self.request.breaks_table else None
        self._sources = [SourceStream(self.catalog, self.namespace, source, self.join) for source in self.request.sources]
        self._seen: Counter[str] = Counter()
        self._every = 1

    @property
    def snapshot_ids(self) -> tuple[int, ...]:
        """Which states of the tables are read."""
        tables = (self._features, *self._sources, *((self._breaks,) if self._breaks else ()))
        return tuple(table.snapshot_id for table in tables if table.snapshot_id is not None)

    def pieces(self) -> Iterator[Piece]:
        """The rows in the order of time, a piece at a time. Raises NotEnoughData without rows, LookAhead when a join peeks."""
        request = self.request
        chosen = Selection(request.from_time, request.to_time, request.symbols)
        counts = count_rows(self._features.selected(("symbol", "event_time_ns"), "event_time", chosen))
        if not counts:
            raise NotEnoughData("no feature rows in the chosen range; run `infra/tickflow demo` or `live` with a lake first, or widen it")
        self._every = thinning(counts.total(), request.keep_about) if request.keep_about else 1
        self._seen.clear()
        for chunk in plan_chunks(counts, request.rows_in_memory):
            yield self._piece(chunk)

    def _piece(self, chunk: Chunk) -> Piece:
        dataset = self._rows_of(chunk)
        for source in self._sources:
            source.advance(chunk.from_time, chunk.to_time)
        self._note(dataset.event_time.shape[0])
        labels = self._labels(dataset, chunk)
        kept = self._kept(dataset)
        place = np.cumsum(kept) - 1
        labelled = kept[labels.rows]
        labels = labels.take(labelled)
        dataset = dataset.take(kept)
        joined, available = self._joined(dataset)
        names = tuple(name for source in self._sources for name in source.source.names)
        return Piece(dataset, joined, names, available, labels._replace(rows=place[labels.rows]))

    def _note(self, rows: int) -> None:
        self.counts.rows += rows
        self.counts.pieces += 1
        held = rows + sum(source.rows_held for source in self._sources)
        self.counts.most_rows_held = max(self.counts.most_rows_held, held)

    def _rows_of(self, chunk: Chunk) -> Dataset:
        """The chunk's rows, by (event time, symbol, event number); exact to the nanosecond at the ends of the request."""
        chosen = Selection(chunk.from_time, chunk.to_time, chunk.symbols)
        found = from_batches(self._features.selected(COLUMNS, "event_time", chosen), self.feature_names, self.snapshot_ids)
        first = chunk.from_time if self.request.from_time is None else self.request.from_time
        last = chunk.to_time if self.request.to_time is None else self.request.to_time
        return found.take((found.event_time >= first) & (found.event_time < last))

    def _joined(self, dataset: Dataset) -> tuple[npt.NDArray[np.float64], Times]:
        values = np.full((dataset.event_time.shape[0], sum(len(source.source.names) for source in self._sources)), np.nan)
        used = np.full(dataset.event_time.shape[0], NEVER)
        for code, symbol in enumerate(dataset.symbols):
            rows = np.flatnonzero(dataset.symbol == code)
            first = 0
            for source in self._sources:
                last = first + len(source.source.names)
                found = source.join(symbol, dataset.event_time[rows], dataset.available_time[rows])
                values[rows, first:last] = found.values
                used[rows] = np.maximum(used[rows], found.available_time)
                first = last
        late = int((used > dataset.available_time).sum())
        if late:
            raise LookAhead(f"{late} rows were given something that was not available when they were decided on")
        return values, used

    def _kept(self, dataset: Dataset) -> npt.NDArray[np.bool_]:
        """(rows,) every so many of each symbol, whatever the pieces are."""
        kept = np.ones(dataset.event_time.shape[0], np.bool_)
        for code, symbol in enumerate(dataset.symbols):
            rows = np.flatnonzero(dataset.symbol == code)
            kept[rows] = kept_places(self._seen[symbol], rows.shape[0], self._every)
            self._seen[symbol] += rows.shape[0]
        return kept

    def _labels(self, dataset: Dataset, chunk: Chunk) -> Labels:
        if self.request.label is None or not dataset.event_time.shape[0]:
            return NO_LABELS
        paths = self._paths(chunk, self.request.label)
        parts = [
            _labels_of(dataset, code, outcomes_of(path, self.request.label), path)
            for code, symbol in enumerate(dataset.symbols)
            if (path := paths.get(symbol)) is not None
        ]
        joined = Labels(*(np.concatenate(column) for column in zip(*parts, strict=True))) if parts else NO_LABELS
        return joined.take(np.argsort(joined.rows, kind="stable"))

    def _paths(self, chunk: Chunk, label: LabelSettings) -> dict[str, PricePath]:
        first, last = chunk.from_time - label.looks_back, chunk.to_time + label.looks_ahead
        if self.request.to_time is not None:
            last = min(last, self.request.to_time)
        around = self._features.selected(PRICE_COLUMNS, "event_time", Selection(first, last, chunk.symbols))
        breaks = breaks_of(self._breaks.between(("symbol", "event_time_ns"), "event_time_ns", first, last)) if self._breaks else {}
        if self.request.calendar:
            ends = session_ends(self.request.calendar, first, last)
            breaks[""] = np.unique(np.concatenate([breaks.get("", NO_BREAKS), ends]))
        return read_paths(around, self.feature_names, breaks, label.longest_gap)


def _labels_of(dataset: Dataset, code: int, found: Outcomes, path: PricePath) -> Labels:
    """Outcomes of a path as labels of the rows of the piece: both are in one order, so the k-th priced row is the k-th inside the piece."""
    rows = np.flatnonzero((dataset.symbol == code) & (dataset.price > 0))
    if not rows.size:
        return NO_LABELS
    first = int(np.searchsorted(path.time, dataset.event_time[rows[0]], "left"))
    inside = (found.rows >= first) & (found.rows < first + rows.shape[0])
    return Labels(rows[found.rows[inside] - first], found.start[inside], found.end[inside], found.value[inside], found.side[inside])
