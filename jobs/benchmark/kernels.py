"""What the kernels cost: nanoseconds a tick and a frame, by the length of frames and the pace of the symbol.

Simulated events of one symbol go frame by frame through the compiled loop, with the state written out and read back in between as the
stream job does it. Several runs over the same frames; the fastest says what the code costs, the median what this machine gave.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from jobs.gateway.event_columns import column_bytes
from jobs.gateway.market_event import MarketEvent
from jobs.simulator.settings import DefectRates, SimulationSettings
from jobs.simulator.source import SimulatedSource
from udfs.codecs.frames import PINNED_FRAMING, encode_columns
from udfs.codecs.plain_frames import PlainFrameReader
from udfs.codecs.state_blob import pack_state, unpack_state
from udfs.kernels.advance import advance, warm_up
from udfs.kernels.feature_vector import FEATURE_COUNT
from udfs.kernels.kernel_settings import KernelSettings
from udfs.kernels.symbol_state import SYMBOL_STATE, new_state

SYMBOL = "S000"
FRAME_LENGTHS = (1, 8, 32)
TICKS_A_SECOND = (1000.0, 100.0)
"""Paces of the symbol: rows are made by time, so a quiet symbol makes more of them a tick."""
_SETTINGS = KernelSettings()
_CLEAN = DefectRates(0, 0, 0, 0, 0, 0, 0)


class Run(NamedTuple):
    """One pass over all frames."""

    nanoseconds: int
    rows: int
    rejected: int


def measure_kernels(events: int, runs: int) -> dict[str, Any]:
    """Figures for each pace and frame length; raises RuntimeError where the loop rejects sound events or makes no rows."""
    warm_up()
    found = [_measured(ticks, length, events, runs) for ticks in TICKS_A_SECOND for length in FRAME_LENGTHS]
    return {"features": FEATURE_COUNT, "events": events, "runs": runs, "cases": found}


def _measured(ticks_a_second: float, frame_length: int, events: int, runs: int) -> dict[str, Any]:
    frames = _frames(ticks_a_second, frame_length, events)
    _check(_run(frames))
    kernels = [_run(frames) for _ in range(runs)]
    reading = [_timed(frames, PlainFrameReader(PINNED_FRAMING).read) for _ in range(runs)]
    first = kernels[0]
    return {
        "ticks_a_second": ticks_a_second,
        "ticks_a_frame": frame_length,
        "rows_a_tick": round(first.rows / events, 4),
        "kernel_nanoseconds_a_tick": _spread([run.nanoseconds / events for run in kernels]),
        "kernel_nanoseconds_a_frame": _spread([run.nanoseconds / len(frames) for run in kernels]),
        "reading_nanoseconds_a_frame": _spread([nanoseconds / len(frames) for nanoseconds in reading]),
    }


def _check(run: Run) -> None:
    if run.rejected or not run.rows:
        raise RuntimeError(f"the events are not what was to be measured: {run.rejected} rejected, {run.rows} rows")


def _frames(ticks_a_second: float, length: int, events: int) -> list[bytes]:
    settings = SimulationSettings(
        symbols=1, seconds=2 * events / ticks_a_second, ticks_per_second=ticks_a_second, quiet_symbols=0, seed=5, defects=_CLEAN,
        feed_delay_microseconds=0, halts_per_hour=0.0,
    )  # fmt: skip
    found = [item for item in SimulatedSource(settings).events() if isinstance(item, MarketEvent)][:events]
    cuts = [found[start : start + length] for start in range(0, len(found), length)]
    return [encode_columns(SYMBOL, "SIM", "bench", 1, column_bytes(cut)) for cut in cuts]


def _run(frames: list[bytes]) -> Run:
    """The kernel's own time: reading and the blob of the state are outside it."""
    reader, symbol, blob = PlainFrameReader(PINNED_FRAMING), SYMBOL.encode(), pack_state(new_state())
    nanoseconds = rows = rejected = 0
    for frame in frames:
        plain = reader.read(symbol, frame)
        state, _ = unpack_state(blob, SYMBOL_STATE)
        if plain is None:
            raise RuntimeError("the encoder's frame is not plain")
        started = time.perf_counter_ns()
        result = advance(state, plain.columns, _SETTINGS, plain.events)
        nanoseconds += time.perf_counter_ns() - started
        rows += len(result.row_event_time)
        rejected += int(result.verdicts.any())
        blob = pack_state(state)
    return Run(nanoseconds, rows, rejected)


def _timed(frames: list[bytes], read: Callable[[bytes, bytes], object]) -> int:
    symbol, started = SYMBOL.encode(), time.perf_counter_ns()
    for frame in frames:
        read(symbol, frame)
    return time.perf_counter_ns() - started


def _spread(values: list[float]) -> dict[str, float]:
    return {"minimum": round(min(values), 1), "median": round(statistics.median(values), 1), "maximum": round(max(values), 1)}
