from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyiceberg.catalog import Catalog

from jobs.lake.catalog import create_tables, drop_namespace, open_catalog
from jobs.lake.definitions import TABLES_BY_NAME
from jobs.lake.reading import Selection, frames_in_order, read_rows
from jobs.lake.settings import local_lake
from jobs.lake.tables import NAMESPACE
from jobs.lake.writing import append_rows
from tests.sql import sample_lake

START = datetime(2024, 1, 1, 23, 59, 59, tzinfo=UTC)
PLACES = st.tuples(st.integers(0, 2), st.integers(0, 12))
FILES = st.lists(st.lists(PLACES, min_size=1, max_size=8), max_size=4)


def frame_row(partition: int, offset: int) -> sample_lake.Row:
    """A frame that its place determines, on one of two days, of a symbol that stays in its partition."""
    row = dict.fromkeys(TABLES_BY_NAME["market_frames"].column_names(), "-")
    place = {"topic": "market.frames", "kafka_partition": partition, "kafka_offset": offset, "frame": f"{partition}:{offset}".encode()}
    return row | place | {"symbol": f"S{partition}{offset % 2}", "event_time": START + timedelta(milliseconds=300 * offset)}


@given(FILES, st.tuples(st.integers(0, 12), st.integers(0, 12)))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_frames_come_back_once_each_and_in_the_order_of_the_log(files: list[list[tuple[int, int]]], bounds: tuple[int, int]) -> None:
    """However commits overlap and repeat each other, as after a restart."""
    with tempfile.TemporaryDirectory() as folder:
        lake = local_lake(Path(folder), buckets=2)
        catalog = open_catalog(lake)
        create_tables(catalog, lake.buckets)
        for places in files:
            append_rows(catalog, NAMESPACE, "market_frames", [frame_row(*place) for place in places])
        first, last = sorted(bounds)
        begin, end = (sample_lake.nanoseconds(START + timedelta(milliseconds=300 * offset)) for offset in (first, last))
        stored = {place for places in files for place in places}
        everything = [(frame.position.partition, frame.position.offset) for frame in frames_in_order(catalog, NAMESPACE)]
        some = list(frames_in_order(catalog, NAMESPACE, Selection(begin, end)))
    assert everything == sorted(stored)
    assert [(frame.position.partition, frame.position.offset) for frame in some] == sorted(p for p in stored if first <= p[1] < last)
    for frame in some:
        assert frame.frame == f"{frame.position.partition}:{frame.position.offset}".encode()


def test_symbols_narrow_the_frames(catalog: Catalog) -> None:
    found = list(frames_in_order(catalog, NAMESPACE, Selection(symbols=("C'C",))))
    assert [(frame.symbol, frame.position.offset) for frame in found] == [("C'C", step) for step in range(sample_lake.STEPS)]
    assert [frame.event_time for frame in found] == [sample_lake.nanoseconds(sample_lake.moment(step, "C'C")) for step in range(len(found))]


def test_rows_come_in_batches_of_the_columns_asked_for(catalog: Catalog) -> None:
    selection = Selection(from_time=sample_lake.nanoseconds(sample_lake.START + timedelta(minutes=2)), symbols=("BBB", "AAA"))
    batches = list(read_rows(catalog, NAMESPACE, "bars", ("symbol", "close"), selection))
    assert all(batch.schema.names == ["symbol", "close"] for batch in batches)
    found = sorted((row["symbol"], row["close"]) for batch in batches for row in batch.to_pylist())
    kept = [row for row in sample_lake.bars() if row["symbol"] != "C'C" and row["start_time"] >= sample_lake.START + timedelta(minutes=2)]
    assert found == sorted((row["symbol"], row["close"]) for row in kept)


def test_a_column_of_lists_and_bits_comes_back_as_it_was(catalog: Catalog) -> None:
    rows = [row for batch in read_rows(catalog, NAMESPACE, "features") for row in batch.to_pylist()]
    found = {(row["symbol"], row["event_number"]): (str(row["feature_values"]), row["feature_valid"]) for row in rows}
    stored = sample_lake.features()
    assert found == {(row["symbol"], row["event_number"]): (str(row["feature_values"]), row["feature_valid"]) for row in stored}


def test_an_empty_lake_has_no_frames(tmp_path: Path) -> None:
    catalog = open_catalog(local_lake(tmp_path))
    create_tables(catalog, 1)
    assert list(frames_in_order(catalog, NAMESPACE)) == []
    drop_namespace(catalog, NAMESPACE)
