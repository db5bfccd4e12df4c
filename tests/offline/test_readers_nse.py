"""NSE ticks: sizes from cumulative volume, disorder kept, India's time."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.gateway.detect import open_source
from tests.support.market_files import events_of, write_lines
from udfs.kernels.events import EventFlag

REUSES_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
HEADER = "timestamp,ltp,volume"


@pytest.mark.parametrize(
    ("name", "symbol"), [("LT2021-06-02_.csv.gz", "LT"), ("MM_2021-06-02_.csv", "MM"), ("BAJAJ_AUTO_2021-06-02_.csv", "BAJAJ_AUTO")]
)
def test_the_symbol_is_in_the_name_of_the_file(tmp_path: Path, name: str, symbol: str) -> None:
    assert open_source(write_lines(tmp_path / name, [HEADER, "2021-06-02 09:15:00,10.5,100"])).symbols == (symbol,)


def test_times_are_indian(tmp_path: Path) -> None:
    event = events_of(write_lines(tmp_path / "LT2021-06-02_.csv", [HEADER, "2021-06-02 09:15:50,10.5,100"]))[0]
    assert datetime.fromtimestamp(event.event_time / 1e9, UTC) == datetime(2021, 6, 2, 3, 45, 50, tzinfo=UTC)
    assert event.payload == (10.5, 100.0, 0.0)


TICKS = st.lists(st.tuples(st.integers(0, 59), st.integers(0, 50)), min_size=1, max_size=40)


@REUSES_FOLDER
@given(TICKS)
def test_sizes_add_up_to_the_highest_volume_and_disorder_stays(tmp_path: Path, ticks: list[tuple[int, int]]) -> None:
    rows = [f"2021-06-02 09:15:{second:02d},{10 + index},{volume}" for index, (second, volume) in enumerate(ticks)]
    events = events_of(write_lines(tmp_path / "LT2021-06-02_.csv", [HEADER, *rows]))
    assert [event.payload[0] for event in events] == [10.0 + index for index in range(len(ticks))]
    assert sum(event.payload[1] for event in events) == max(volume for _, volume in ticks)
    seconds = [event.event_time // 1_000_000_000 % 60 for event in events]
    assert seconds == [second for second, _ in ticks]
    highest = 0
    for event, (_, volume) in zip(events, ticks, strict=True):
        assert event.flags == (EventFlag.VOLUME_ONLY if volume < highest else 0)
        assert event.payload[1] == max(0, volume - highest)
        highest = max(highest, volume)
    available = [event.available_time for event in events]
    assert available == sorted(available)
    assert all(event.available_time >= event.event_time for event in events)


def test_each_day_starts_with_no_volume(tmp_path: Path) -> None:
    write_lines(tmp_path / "01-June-2021" / "LT2021-06-01_.csv", [HEADER, "2021-06-01 09:15:00,10,500"])
    write_lines(tmp_path / "02-June-2021" / "LT2021-06-02_.csv", [HEADER, "2021-06-02 09:15:00,10,30", "2021-06-02 09:15:01,10,50"])
    assert [event.payload[1] for event in events_of(tmp_path)] == [500.0, 30.0, 20.0]
