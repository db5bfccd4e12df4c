"""What a source holds, counted item by item in memory that grows with the number of symbols only."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jobs.gateway.book_check import BookCheck
from jobs.gateway.market_event import Item, MarketEvent, RejectedLine, numbers_of
from jobs.gateway.readers.times import iso_time
from udfs.errors import Reason
from udfs.kernels.events import NANOSECONDS_PER_MILLISECOND, NANOSECONDS_PER_SECOND, EventFlag, EventKind

KEPT_EXAMPLES = 5
EXAMPLE_BYTES = 200
DEFAULT_OUT_OF_ORDER_NANOSECONDS = 2 * NANOSECONDS_PER_SECOND


@dataclass
class Extent:
    """Smallest, largest and mean of integers, in one pass."""

    count: int = 0
    smallest: int = 0
    largest: int = 0
    total: int = 0

    def add(self, value: int) -> None:
        """Take one value."""
        if not self.count or value < self.smallest:
            self.smallest = value
        if not self.count or value > self.largest:
            self.largest = value
        self.count += 1
        self.total += value

    def milliseconds(self) -> dict[str, float] | None:
        """The three figures, None when there was no value."""
        if not self.count:
            return None
        figures = {"minimum": self.smallest, "mean": self.total / self.count, "maximum": self.largest}
        return {name: round(value / NANOSECONDS_PER_MILLISECOND, 3) for name, value in figures.items()}


@dataclass
class SymbolSummary:
    """Counts of one symbol."""

    kinds: Counter[int] = field(default_factory=Counter)
    event_times: Extent = field(default_factory=Extent)
    available_times: Extent = field(default_factory=Extent)
    skew: Extent = field(default_factory=Extent)
    """Event time minus available time, where they differ: positive when the venue's clock is ahead."""
    disorder: int = 0
    """Events whose event time is before that of an earlier event of the symbol."""
    worst_disorder: int = 0
    """Nanoseconds."""
    beyond_default_rule: int = 0
    """Of these, those that the job's default rule (2 s) would call late."""
    duplicates: int = 0
    """Events whose number is not above the last of their kind."""
    repeated: int = 0
    """Events without a number that equal the one before them, time and content."""
    sequence_gaps: int = 0
    missing_trades: int = 0
    """Trade numbers that were skipped."""
    unsynchronised: int = 0
    crossed: int = 0
    """Quotes and books whose best bid is above the best ask."""
    locked: int = 0
    """Quotes and books whose best bid equals the best ask."""
    first_crossed: int = 0
    volume_only: int = 0
    longest_silence: int = 0
    is_numbered: bool = False
    """Whether the venue numbers trades without holes, and quotes and books alike."""
    _last_numbers: dict[int, int] = field(default_factory=dict)
    _last_events: dict[int, MarketEvent] = field(default_factory=dict)

    def add(self, event: MarketEvent) -> None:
        """Take the next event of the symbol."""
        self.kinds[event.kind] += 1
        self._add_times(event)
        self._add_number(event)
        self._add_flags(event)
        self._add_prices(event)

    def _add_times(self, event: MarketEvent) -> None:
        if self.event_times.count:
            behind = self.event_times.largest - event.event_time
            if behind > 0:
                self.disorder += 1
                self.worst_disorder = max(self.worst_disorder, behind)
                self.beyond_default_rule += behind > DEFAULT_OUT_OF_ORDER_NANOSECONDS
            self.longest_silence = max(self.longest_silence, event.available_time - self.available_times.largest)
        self.event_times.add(event.event_time)
        self.available_times.add(event.available_time)
        if event.event_time != event.available_time:
            self.skew.add(event.event_time - event.available_time)

    def _add_number(self, event: MarketEvent) -> None:
        kind, number = event.kind, event.sequence
        last = self._last_numbers.get(kind, 0)
        if number == 0:
            previous = self._last_events.get(kind)
            self.repeated += previous is not None and kind != EventKind.BOOK and previous[1:] == event[1:]
            self._last_events[kind] = event
        elif number <= last:
            self.duplicates += 1
        else:
            if self.is_numbered and last and kind == EventKind.TRADE:
                self.missing_trades += number - last - 1
            self._last_numbers[kind] = number

    def _add_prices(self, event: MarketEvent) -> None:
        best = best_prices(event)
        if best is None:
            return
        if best[0] > best[1]:
            self.first_crossed = self.first_crossed or event.available_time
            self.crossed += 1
        self.locked += best[0] == best[1]

    def _add_flags(self, event: MarketEvent) -> None:
        if event.flags:
            self.sequence_gaps += bool(event.flags & EventFlag.SEQUENCE_GAP)
            self.unsynchronised += bool(event.flags & EventFlag.UNSYNCHRONISED)
            self.volume_only += bool(event.kind == EventKind.TRADE and event.flags & EventFlag.VOLUME_ONLY)

    def as_json(self) -> dict[str, Any]:
        """The counts, times written out."""
        return {
            "messages": self.kinds.total(),
            "by_kind": kinds_as_json(self.kinds),
            "first_event": iso_time(self.event_times.smallest),
            "last_event": iso_time(self.event_times.largest),
            "longest_silence_seconds": round(self.longest_silence / NANOSECONDS_PER_SECOND, 3),
            "disorder": disorder_as_json([self]),
            "duplicates": self.duplicates,
            "repeated": self.repeated,
            "sequence_gaps": self.sequence_gaps,
            "missing_trades": self.missing_trades,
            "unsynchronised_books": self.unsynchronised,
            "crossed": self.crossed,
            "locked": self.locked,
            "first_crossed": iso_time(self.first_crossed) if self.crossed else None,
            "volume_only_trades": self.volume_only,
            "clock_skew_milliseconds": self.skew.milliseconds(),
        }


def best_prices(event: MarketEvent) -> tuple[float, float] | None:
    """Best bid and ask price of a quote or book, None for other kinds."""
    if event.kind == EventKind.QUOTE:
        bid, _, ask, _ = numbers_of(event)
        return bid, ask
    if event.kind == EventKind.BOOK:
        levels = np.asarray(event.payload)
        return float(levels[0, 0]), float(levels[2, 0])
    return None


def kinds_as_json(kinds: Counter[int]) -> dict[str, int]:
    """Counts by the kinds' names."""
    return {EventKind(kind).name.lower(): count for kind, count in sorted(kinds.items())}


def disorder_as_json(symbols: list[SymbolSummary]) -> dict[str, Any]:
    """Disorder over symbols."""
    worst = max((symbol.worst_disorder for symbol in symbols), default=0)
    return {
        "events": sum(symbol.disorder for symbol in symbols),
        "worst_milliseconds": round(worst / NANOSECONDS_PER_MILLISECOND, 3),
        "late_by_default_rule": sum(symbol.beyond_default_rule for symbol in symbols),
    }


@dataclass
class SourceSummary:
    """Counts of a source. `numbered_venues` are the endings of symbols whose quotes and books share update ids (see `BookCheck`)."""

    numbered_venues: frozenset[str] = frozenset()
    symbols: dict[str, SymbolSummary] = field(default_factory=dict)
    checks: dict[str, BookCheck] = field(default_factory=dict)
    rejected: Counter[Reason] = field(default_factory=Counter)
    examples: list[RejectedLine] = field(default_factory=list)

    @property
    def messages(self) -> int:
        """Items so far: events and rejected lines."""
        return sum(symbol.kinds.total() for symbol in self.symbols.values()) + self.rejected.total()

    def add(self, item: Item) -> None:
        """Take the next item."""
        if isinstance(item, RejectedLine):
            self.rejected[item.reason] += 1
            if len(self.examples) < KEPT_EXAMPLES:
                self.examples.append(item)
            return
        symbol = self.symbols.get(item.symbol) or self._new_symbol(item.symbol)
        symbol.add(item)
        if symbol.is_numbered:
            self.checks[item.symbol].add(item)

    def finish(self) -> SourceSummary:
        """After the last item."""
        for check in self.checks.values():
            check.finish()
        return self

    def _new_symbol(self, name: str) -> SymbolSummary:
        summary = SymbolSummary(is_numbered=name.rpartition(".")[2] in self.numbered_venues)
        self.symbols[name] = summary
        if summary.is_numbered:
            self.checks[name] = BookCheck()
        return summary

    def as_json(self) -> dict[str, Any]:
        """The counts of the whole source, and by symbol."""
        symbols = list(self.symbols.values())
        kinds = sum((symbol.kinds for symbol in symbols), Counter[int]())
        return {
            "messages": self.messages,
            "by_kind": kinds_as_json(kinds),
            "time_span": self._time_span(symbols),
            "disorder": disorder_as_json(symbols),
            "duplicates": sum(symbol.duplicates for symbol in symbols),
            "repeated": sum(symbol.repeated for symbol in symbols),
            "gaps": {
                "books": sum(symbol.sequence_gaps for symbol in symbols),
                "missing_trades": sum(symbol.missing_trades for symbol in symbols),
            },
            "crossed": sum(symbol.crossed for symbol in symbols),
            "locked": sum(symbol.locked for symbol in symbols),
            "rejected": self.rejected.total(),
            "rejected_by_reason": {reason.name.lower(): count for reason, count in sorted(self.rejected.items())},
            "rejected_examples": [example_as_json(line) for line in self.examples],
            "book_check": {name: check.as_json() for name, check in sorted(self.checks.items()) if check.has_books},
            "symbols": {name: symbol.as_json() for name, symbol in sorted(self.symbols.items())},
        }

    def _time_span(self, symbols: list[SymbolSummary]) -> dict[str, Any] | None:
        if not symbols:
            return None
        first = min(symbol.event_times.smallest for symbol in symbols)
        last = max(symbol.event_times.largest for symbol in symbols)
        return {"first_event": iso_time(first), "last_event": iso_time(last), "seconds": round((last - first) / NANOSECONDS_PER_SECOND, 3)}


def example_as_json(line: RejectedLine) -> dict[str, Any]:
    """Where a rejected line is, its beginning, and why."""
    raw = line.raw[:EXAMPLE_BYTES].decode("utf-8", "replace")
    return {"source": line.source, "line": line.line_number, "detail": line.detail, "raw": raw}
