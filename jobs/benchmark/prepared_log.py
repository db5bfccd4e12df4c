"""A log for draining: full frames of a simulated market, each of its few symbols under many names.

The market is simulated at the pace of the whole load, so as many rows come of a tick as they would live; clones are there because
simulating a tick costs more than processing it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from jobs.benchmark.load import Load
from jobs.gateway.event_columns import column_bytes
from jobs.gateway.market_event import MarketEvent
from jobs.gateway.packing import PackedFrame, Packer, PackingSettings
from jobs.simulator.source import SimulatedSource
from udfs.codecs.frames import encode_columns
from udfs.kernels.advance import advance
from udfs.kernels.kernel_settings import KernelSettings
from udfs.kernels.symbol_state import SymbolState, new_state

_ORIGINALS = 4
"""Symbols that are simulated."""
_HOUR = 3600 * 1_000_000_000


class LogRecord(NamedTuple):
    """One frame as the broker gets it."""

    symbol: str
    frame: bytes
    timestamp_milliseconds: int


@dataclass(frozen=True)
class PreparedLog:
    """About `ticks` events of `symbols` symbols, `rate` of them a second of event time, `maximum_events` a frame."""

    ticks: int
    symbols: int
    rate: float
    maximum_events: int

    @property
    def _originals(self) -> int:
        return min(_ORIGINALS, self.symbols)

    @property
    def clones(self) -> int:
        """Names of each simulated symbol."""
        return self.symbols // self._originals

    @property
    def names(self) -> int:
        """How many symbols there are."""
        return self._originals * self.clones

    @property
    def load(self) -> Load:
        """The simulated part."""
        rate = self.rate * self._originals / self.symbols
        return Load(rate, 2.0 * self.ticks / self.clones / rate, self._originals)

    @cached_property
    def _packed(self) -> list[PackedFrame]:
        return list(self._pack())

    def _pack(self) -> Iterator[PackedFrame]:
        packer = Packer(PackingSettings(maximum_events=self.maximum_events, maximum_age_nanoseconds=_HOUR))
        events = (item for item in SimulatedSource(self.load.simulation()).events() if isinstance(item, MarketEvent))
        for event in itertools.islice(events, self.ticks // self.clones):
            yield from packer.advance(event.available_time)
            if (frame := packer.add(event)) is not None:
                yield frame
        yield from packer.finish(close_bars=False)

    @property
    def events(self) -> int:
        """How many events there are."""
        return self.clones * sum(len(frame.events) for frame in self._packed)

    @property
    def frames(self) -> int:
        """How many frames there are."""
        return self.clones * len(self._packed)

    @property
    def sound(self) -> int:
        """How many of them can be read: all."""
        return self.frames

    @property
    def rows(self) -> int:
        """How many feature rows the kernels make of them."""
        return self._made[0]

    @property
    def refused(self) -> int:
        """How many of the events the firewall refuses: at so many a second the simulated book thins out, and a few prices are far off."""
        return self._made[1]

    @cached_property
    def _made(self) -> tuple[int, int]:
        states: dict[str, SymbolState] = {}
        settings, rows, refused = KernelSettings(), 0, 0
        for frame in self._packed:
            result = advance(states.setdefault(frame.symbol, new_state()), frame.columns, settings)
            rows, refused = rows + len(result.row_event_time), refused + np.count_nonzero(result.verdicts)
        return self.clones * rows, self.clones * refused

    def single_events(self) -> Iterator[MarketEvent]:
        """The events one by one, in the order of their frames; all names of an event one after the other."""
        for frame in self._packed:
            for event in frame.events:
                for clone in range(self.clones):
                    yield event._replace(symbol=f"{frame.symbol}.{clone}")

    def records(self, control_version: int) -> Iterator[LogRecord]:
        """The frames in their order; all names of a frame one after the other."""
        for frame in self._packed:
            columns = column_bytes(frame.events)
            for clone in range(self.clones):
                symbol = f"{frame.symbol}.{clone}"
                yield LogRecord(symbol, encode_columns(symbol, "SIM", "bench", control_version, columns), frame.timestamp_milliseconds)
