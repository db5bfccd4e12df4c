"""What one symbol's market showed, moment by moment, from its stored frames: the touch, whether it traded, and how much."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from jobs.lake.reading import StoredFrame
from udfs.codecs.frames import PINNED_FRAMING, decode_frame
from udfs.codecs.wire import MessageFraming
from udfs.errors import MalformedMessage
from udfs.kernels.events import EventFlag, EventKind, FrameColumns, TradingStatus

Times = npt.NDArray[np.int64]
Column = npt.NDArray[np.float64]
HOUR = 3600 * 1_000_000_000
_MINUTE = 60 * 1_000_000_000
_TOUCH, _TRADES, _STATUS = range(3)


class Tape(NamedTuple):
    """One symbol. Times are those at which the gateway had the event: the clock on which signals are available, too."""

    time: Times
    """(quotes,) not decreasing."""
    bid: Column
    bid_size: Column
    ask: Column
    ask_size: Column
    open: npt.NDArray[np.bool_]
    """(quotes,) whether trading was open."""
    traded_time: Times
    """(trades,) not decreasing."""
    traded_total: Column
    """(trades + 1,) sum of the sizes before each trade, and of all."""

    def mid(self, places: npt.NDArray[np.intp]) -> Column:
        """(places,) mid prices of quotes."""
        return np.asarray((self.bid[places] + self.ask[places]) / 2, np.float64)

    def place(self, time: Times) -> npt.NDArray[np.intp]:
        """(times,) of the quote in force at each; -1 before the first."""
        return np.searchsorted(self.time, time, "right") - 1

    def volume_of_hour(self, time: int) -> float:
        """Size traded in the hour before `time`."""
        last, first = (int(np.searchsorted(self.traded_time, moment, "right")) for moment in (time, time - HOUR))
        return float(self.traded_total[last] - self.traded_total[first])

    def deviation_of_hour(self, time: int) -> float:
        """Root of the summed squared returns of the 60 minutes before `time`; 0 where there are none."""
        places = self.place(np.arange(time - HOUR, time + 1, _MINUTE))
        mids = self.mid(places[places >= 0])
        return float(np.sqrt(np.square(np.diff(np.log(mids))).sum())) if mids.size > 1 else 0.0


class TapeBuilder:
    """Collects the events of one symbol."""

    def __init__(self, assumed_half_spread: float) -> None:
        self._half_spread = assumed_half_spread
        self._touches: list[npt.NDArray[np.float64]] = []
        self._prints: list[npt.NDArray[np.float64]] = []
        self._times: dict[int, list[Times]] = {_TOUCH: [], _TRADES: [], _STATUS: []}
        self._statuses: list[npt.NDArray[np.bool_]] = []

    def add(self, columns: FrameColumns) -> None:
        """Take a frame's events. Levels that are missing, crossed or not synchronised show nothing."""
        quotes, books = columns.quotes, columns.books
        self._add_touch(columns, EventKind.QUOTE, quotes)
        self._add_touch(columns, EventKind.BOOK, books[:, :, 0] if len(books) else np.zeros((0, 4)))
        self._add_prints(columns, EventKind.TRADE, columns.trades)
        self._add_prints(columns, EventKind.BAR, columns.bars[:, 3:5])
        statuses = columns.kind == EventKind.STATUS
        self._times[_STATUS].append(columns.available_time[statuses])
        self._statuses.append(np.asarray(columns.statuses == TradingStatus.OPEN, np.bool_))

    def _add_touch(self, columns: FrameColumns, kind: EventKind, touch: npt.NDArray[np.float64]) -> None:
        rows = columns.kind == kind
        bid, bid_size, ask, ask_size = touch.T
        usable = (bid > 0) & (ask >= bid) & (bid_size > 0) & (ask_size > 0) & (columns.flags[rows] & EventFlag.UNSYNCHRONISED == 0)
        self._times[_TOUCH].append(columns.available_time[rows][usable])
        self._touches.append(touch[usable])

    def _add_prints(self, columns: FrameColumns, kind: EventKind, prints: npt.NDArray[np.float64]) -> None:
        rows = columns.kind == kind
        usable = (prints[:, 0] > 0) & (prints[:, 1] > 0) & (columns.flags[rows] & EventFlag.VOLUME_ONLY == 0)
        self._times[_TRADES].append(columns.available_time[rows][usable])
        self._prints.append(prints[usable])

    def tape(self) -> Tape | None:
        """The whole; None when the market showed nothing."""
        time, touch = _in_order(self._times[_TOUCH], self._touches, 4)
        traded_time, prints = _in_order(self._times[_TRADES], self._prints, 2)
        if not time.size:
            time, touch = traded_time, self._assumed(prints)
        if not time.size:
            return None
        bid, bid_size, ask, ask_size = (np.ascontiguousarray(column) for column in touch.T)
        return Tape(time, bid, bid_size, ask, ask_size, self._open_at(time), traded_time, np.append(0.0, np.cumsum(prints[:, 1])))

    def _assumed(self, prints: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """A touch around each print, as large as what was traded."""
        price, size = prints.T
        return np.column_stack([price * (1 - self._half_spread), size, price * (1 + self._half_spread), size])

    def _open_at(self, time: Times) -> npt.NDArray[np.bool_]:
        times, said = _in_order(self._times[_STATUS], [one[:, None].astype(np.float64) for one in self._statuses], 1)
        place = np.searchsorted(times, time, "right") - 1
        return np.asarray((place < 0) | (np.append(said[:, 0], 1.0)[place] == 1), np.bool_)


def _in_order(times: list[Times], parts: list[npt.NDArray[np.float64]], width: int) -> tuple[Times, npt.NDArray[np.float64]]:
    """By time; what came at one moment stays in the order of the log."""
    time = np.concatenate([np.zeros(0, np.int64), *times])
    order = np.argsort(time, kind="stable")
    return time[order], np.concatenate([np.zeros((0, width)), *parts])[order]


def tapes_of(
    frames: Iterable[StoredFrame], assumed_half_spread_basis_points: float, framing: MessageFraming = PINNED_FRAMING
) -> dict[str, Tape]:
    """Symbol -> its tape. Frames that cannot be read are left out, as the job rejects them."""
    builders: dict[str, TapeBuilder] = {}
    for frame in frames:
        try:
            columns = decode_frame(frame.frame, framing).columns
        except MalformedMessage:
            continue
        builders.setdefault(frame.symbol, TapeBuilder(assumed_half_spread_basis_points / 10_000)).add(columns)
    found = {symbol: builder.tape() for symbol, builder in builders.items()}
    return {symbol: tape for symbol, tape in found.items() if tape is not None}
