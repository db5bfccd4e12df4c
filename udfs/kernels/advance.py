"""The one call that moves a symbol forward: events in; verdicts, feature rows and closed bars out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from udfs.kernels.events import FrameColumns


class KernelSettings(NamedTuple):
    """What a run fixes about the kernels. Part of the manifest: other settings give other results."""

    out_of_order_nanoseconds: int = 2_000_000_000
    """How far an event may lie behind the symbol's clock before it is LATE; at most 10 s."""
    maximum_clock_skew_nanoseconds: int = 60_000_000_000
    """How far event time may be ahead of available time before it is TIME_ABSURD."""
    minimum_time: int = 631_152_000_000_000_000
    """Earliest event time that is believed: 1990-01-01."""
    row_interval_nanoseconds: int = 100_000_000
    """Shortest distance on the symbol's clock of rows that no bar asks for."""
    stale_book_nanoseconds: int = 60_000_000_000
    """Age on the symbol's clock from which the book's features are not valid."""
    crossed_hold_nanoseconds: int = 1_000_000_000
    """Event time without crossing after which an uncrossed BOOK that is no snapshot ends the quarantine."""
    bar_lengths_seconds: tuple[int, ...] = (1, 60, 300, 3600)
    """Lengths of the bars that are published. Features and rows do not depend on it."""


class Advance(NamedTuple):
    """What happened to the events of one frame (n events, r rows, b bars, F features)."""

    verdicts: npt.NDArray[np.uint8]
    """(n,) `udfs.errors.Reason` of each event; 0 is accepted."""
    row_values: npt.NDArray[np.float32]
    """(r, F) in the order of `feature_vector.Feature`; NaN where not valid."""
    row_valid: npt.NDArray[np.bool_]
    """(r, F) false while warming up, missing or stale."""
    row_event_index: npt.NDArray[np.int32]
    """(r,) which event of the frame the row follows."""
    row_event_time: npt.NDArray[np.int64]
    """(r,) the symbol's clock: what the windows of the row end at."""
    row_available_time: npt.NDArray[np.int64]
    """(r,) greatest available time of the events used so far."""
    row_event_number: npt.NDArray[np.int64]
    """(r,) how many of the symbol's events had been accepted, this one included; unique per row."""
    row_bar_closed: npt.NDArray[np.bool_]
    """(r,) true when the event closed a bar, false when the row is there because the row interval had passed."""
    row_price: npt.NDArray[np.float64]
    """(r,) mid price, or the price in force where there is no usable book; NaN while there is neither."""
    row_flags: npt.NDArray[np.uint8]
    """(r,) `outputs.RowFlag` bits."""
    bars: np.ndarray
    """(b,) of `outputs.BAR`, in the order they closed."""


def advance(state: np.ndarray, columns: FrameColumns, settings: KernelSettings) -> Advance:
    """Take the events of one frame in log order. Changes `state`, an array (1,) of `symbol_state.SYMBOL_STATE`, in place.

    The result does not depend on how the log is cut into frames, nor on the state having been written out and read back in between.
    """
    raise NotImplementedError
