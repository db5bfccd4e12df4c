"""Runs of the kernels over written events, whole or cut, and what differs between two of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from tests.support.kernel_events import Event, columns_of
from udfs.kernels.advance import Advance, KernelSettings, advance
from udfs.kernels.feature_vector import FEATURE_NAMES
from udfs.kernels.symbol_state import SYMBOL_STATE, new_state

SETTINGS = KernelSettings()
Run: TypeAlias = Callable[[list[Event]], Advance]


def run(events: list[Event], kernel_settings: KernelSettings = SETTINGS) -> Advance:
    """All events as one frame."""
    return advance(new_state(), columns_of(events), kernel_settings)


def run_cut(events: list[Event], cuts: list[int]) -> tuple[list[Advance], list[int]]:
    """The same in frames that begin at the cuts, the state written out and read back before each; frames and where they begin."""
    edges = sorted({0, *(cut % len(events) for cut in cuts), len(events)})
    blob, results = new_state().tobytes(), []
    for begin, end in itertools.pairwise(edges):
        state = np.frombuffer(blob, SYMBOL_STATE).copy()
        results.append(advance(state, columns_of(events[begin:end]), SETTINGS))
        blob = state.tobytes()
    return results, edges[:-1]


def joined(results: list[Advance], begins: list[int]) -> dict[str, bytes]:
    """Bytes of every output, with event indexes counted through all frames."""
    shifted_results = [
        result._replace(row_event_index=result.row_event_index + begin, bars=shifted(result.bars, begin))
        for result, begin in zip(results, begins)
    ]
    return {name: np.concatenate([getattr(result, name) for result in shifted_results]).tobytes() for name in Advance._fields}


def shifted(bars: npt.NDArray[np.void], begin: int | npt.NDArray[np.int64]) -> npt.NDArray[np.void]:
    """Bars with their event indexes counted from elsewhere."""
    moved = bars.copy()
    moved["event_index"] += begin
    return moved


def rows_of(result: Advance, rows: slice | npt.NDArray[np.int64]) -> Advance:
    """Some of the rows, as far as their features go."""
    return result._replace(row_values=result.row_values[rows], row_valid=result.row_valid[rows])


def differing_features(left: Advance, right: Advance) -> list[str]:
    """Names of the features whose bits or validity differ in any row."""
    bits_differ = left.row_values.view(np.uint32) != right.row_values.view(np.uint32)
    return [name for name, wrong in zip(FEATURE_NAMES, (bits_differ | (left.row_valid != right.row_valid)).any(axis=0)) if wrong]


def assert_nothing_looks_ahead(make: Run, events: list[Event], end: int) -> None:
    """Verdicts, rows and bars up to an event are the same when the log ends there."""
    known, whole = make(events[:end]), make(events)
    rows, bars = len(known.row_values), len(known.bars)
    assert known.verdicts.tolist() == whole.verdicts[:end].tolist()
    assert known.bars.tobytes() == whole.bars[:bars].tobytes()
    assert (whole.bars["event_index"][bars:] >= end).all()
    assert (whole.row_event_index[rows:] >= end).all()
    assert differing_features(known, rows_of(whole, slice(rows))) == []
