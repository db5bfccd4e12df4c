"""The proof's comparison: equal means every bit of every field of every row, and what differs first is named."""

from __future__ import annotations

import itertools
import math
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyiceberg.catalog import Catalog

from jobs.comparison import TableComparison, compare_table
from jobs.lake.catalog import create_tables, open_catalog
from jobs.lake.definitions import FEATURES, SIGNALS
from jobs.lake.reading import EVERYTHING, Selection
from jobs.lake.settings import local_lake
from jobs.lake.tables import NAMESPACE
from jobs.lake.writing import append_rows
from tests.sql import sample_lake
from udfs.kernels.feature_vector import FEATURE_NAMES

Row = dict[str, Any]
Change = Callable[[list[Row]], None]
_numbers = itertools.count()

FEATURE_ROWS = [row for row in sample_lake.features() if row["event_number"] <= 12]
SIGNAL_ROWS = [row for row in sample_lake.signals() if row["event_number"] <= 40]
ROWS = {FEATURES.name: FEATURE_ROWS, SIGNALS.name: SIGNAL_ROWS}
PLACE = next(place for place, row in enumerate(FEATURE_ROWS) if row["symbol"] == "BBB" and row["event_number"] == 7)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    settings = local_lake(tmp_path_factory.mktemp("compared"), buckets=2)
    opened = open_catalog(settings)
    create_tables(opened, settings.buckets)
    for table, rows in ROWS.items():
        append_rows(opened, NAMESPACE, table, rows)
    return opened


def replay_of(catalog: Catalog, table: str, batches: Sequence[Sequence[Row]]) -> str:
    """A namespace whose table holds the rows, one commit a batch."""
    namespace = f"replay_{next(_numbers)}"
    create_tables(catalog, 1, namespace)
    for batch in batches:
        append_rows(catalog, namespace, table, batch)
    return namespace


def compared(catalog: Catalog, table: str, change: Change, selection: Selection = EVERYTHING) -> TableComparison:
    """Live against a replay that differs by the change."""
    rows = [dict(row) for row in ROWS[table]]
    change(rows)
    return compare_table(catalog, table, replay_of(catalog, table, [rows]), selection)


def nothing(_: list[Row]) -> None:
    """No change."""


def with_value(name: str, value: Any) -> Change:
    def change(rows: list[Row]) -> None:
        rows[PLACE][name] = value

    return change


def with_feature(place: int, value: float) -> Change:
    def change(rows: list[Row]) -> None:
        values = list(rows[PLACE]["feature_values"])
        values[place] = value
        rows[PLACE]["feature_values"] = np.array(values, np.float32)

    return change


@pytest.mark.parametrize("table", ROWS)
def test_the_same_rows_are_identical(catalog: Catalog, table: str) -> None:
    result = compared(catalog, table, nothing)
    assert result.identical
    assert (result.live_rows, result.replayed_rows, result.difference) == (len(ROWS[table]), len(ROWS[table]), None)


@pytest.mark.parametrize("table", ROWS)
def test_neither_files_nor_their_order_matter(catalog: Catalog, table: str) -> None:
    backwards = ROWS[table][::-1]
    namespace = replay_of(catalog, table, [backwards[:5], backwards[5:6], backwards[6:]])
    assert compare_table(catalog, table, namespace, EVERYTHING).identical


def test_the_manifest_is_not_compared(catalog: Catalog) -> None:
    assert compared(catalog, "features", with_value("manifest_id", "other code")).identical


def next_float(value: float) -> float:
    return math.nextafter(value, math.inf)


TIME: int = FEATURE_ROWS[PLACE]["event_time_ns"]
PRICE: float = FEATURE_ROWS[PLACE]["price"]
VALID = next(place for place, value in enumerate(FEATURE_ROWS[PLACE]["feature_values"]) if not math.isnan(value))
MISSING = next(place for place, value in enumerate(FEATURE_ROWS[PLACE]["feature_values"]) if math.isnan(value))
VALUE: float = FEATURE_ROWS[PLACE]["feature_values"][VALID]
NEXT_VALUE = float(np.nextafter(np.float32(VALUE), np.float32(9)))


@pytest.mark.parametrize(
    ("change", "field", "live", "replayed"),
    [
        (with_value("price", next_float(PRICE)), "price", PRICE.hex(), next_float(PRICE).hex()),
        (with_feature(VALID, NEXT_VALUE), FEATURE_NAMES[VALID], VALUE.hex(), NEXT_VALUE.hex()),
        (with_feature(VALID, math.nan), FEATURE_NAMES[VALID], VALUE.hex(), "nan (7fc00000)"),
        (with_feature(MISSING, 0.0), FEATURE_NAMES[MISSING], "nan (7fc00000)", (0.0).hex()),
        (with_value("feature_set", "other"), "feature_set", FEATURE_ROWS[PLACE]["feature_set"], "other"),
        (with_value("bar_closed", False), "bar_closed", True, False),
        (with_value("kafka_offset", 77), "kafka_offset", 6, 77),
        (with_value("feature_valid", b"\x00"), "feature_valid", FEATURE_ROWS[PLACE]["feature_valid"].hex(), "00"),
        (with_value("event_time_ns", TIME + 1), "event_time_ns", TIME, TIME + 1),
    ],
)
def test_one_changed_field_is_found_and_named(catalog: Catalog, change: Change, field: str, live: Any, replayed: Any) -> None:
    difference = compared(catalog, "features", change).difference
    assert difference is not None
    assert (difference["symbol"], difference["event_number"], difference["field"]) == ("BBB", 7, field)
    assert difference["position"] == "market.frames/1/6/0"
    assert (difference["live"], difference["replay"]) == (live, replayed)


def test_a_changed_text_of_a_signal_is_named(catalog: Catalog) -> None:
    def change(rows: list[Row]) -> None:
        rows[4]["reasons"] = "[]"

    difference = compared(catalog, "signals", change).difference
    assert difference is not None
    assert (difference["symbol"], difference["event_number"]) == (SIGNAL_ROWS[4]["symbol"], SIGNAL_ROWS[4]["event_number"])
    assert (difference["field"], difference["live"], difference["replay"]) == ("reasons", SIGNAL_ROWS[4]["reasons"], "[]")


def test_not_a_number_equals_itself_and_not_another_one(catalog: Catalog) -> None:
    """Equality is that of bits, so a NaN of other bits is a difference, and is shown as one."""
    other = struct.unpack("<d", struct.pack("<Q", 0x7FF8_0000_0000_0001))[0]
    difference = compared(catalog, "features", with_value("price", other)).difference
    assert difference is not None
    assert difference["replay"] == "nan (7ff8000000000001)"
    assert any(math.isnan(row["confidence"]) for row in SIGNAL_ROWS), "the rows that are identical above hold NaN"


def test_the_first_of_many_differences_is_told(catalog: Catalog) -> None:
    def change(rows: list[Row]) -> None:
        for row in rows:
            row["price"] = -1.0

    difference = compared(catalog, "features", change).difference
    assert difference is not None
    assert difference["event_number"] == 1


@pytest.mark.parametrize("number", [1, 7, 12])
def test_a_missing_row_is_named_wherever_it_is_missing(catalog: Catalog, number: int) -> None:
    def drop(rows: list[Row]) -> None:
        rows[:] = [row for row in rows if (row["symbol"], row["event_number"]) != ("BBB", number)]

    result = compared(catalog, "features", drop)
    assert not result.identical
    assert (result.live_rows, result.replayed_rows) == (len(FEATURE_ROWS), len(FEATURE_ROWS) - 1)
    assert result.difference is not None
    shown = {name: result.difference[name] for name in ("symbol", "event_number", "field", "live", "replay")}
    assert shown == {"symbol": "BBB", "event_number": number, "field": "row", "live": "there", "replay": "missing"}


@pytest.mark.parametrize(("symbol", "number"), [("BBB", 13), ("AAAA", 1), ("ZZZ", 1)])
def test_an_extra_row_is_named(catalog: Catalog, symbol: str, number: int) -> None:
    result = compared(catalog, "features", lambda rows: rows.append(rows[PLACE] | {"symbol": symbol, "event_number": number}))
    assert not result.identical
    assert result.difference is not None
    shown = {name: result.difference[name] for name in ("symbol", "event_number", "field", "live", "replay")}
    assert shown == {"symbol": symbol, "event_number": number, "field": "row", "live": "missing", "replay": "there"}


def test_a_row_written_twice_is_a_difference(catalog: Catalog) -> None:
    result = compared(catalog, "features", lambda rows: rows.append(dict(rows[PLACE])))
    assert not result.identical
    assert result.difference is not None
    assert (result.difference["symbol"], result.difference["event_number"]) == ("BBB", 7)


def test_vectors_of_other_lengths_differ(catalog: Catalog) -> None:
    def change(rows: list[Row]) -> None:
        rows[PLACE]["feature_values"] = rows[PLACE]["feature_values"][:-1]

    difference = compared(catalog, "features", change).difference
    assert difference is not None
    assert difference["field"] == "feature_values"


def test_an_empty_replay_is_not_identical(catalog: Catalog) -> None:
    result = compare_table(catalog, "features", replay_of(catalog, "features", []), EVERYTHING)
    assert (result.identical, result.live_rows, result.replayed_rows) == (False, len(FEATURE_ROWS), 0)


def test_symbols_outside_the_selection_do_not_matter(catalog: Catalog) -> None:
    result = compared(catalog, "features", with_value("price", 1.0), Selection(symbols=("AAA",)))
    assert result.identical
    assert result.live_rows == sum(row["symbol"] == "AAA" for row in FEATURE_ROWS)


def digest_of(folder: Path, batches: Sequence[Sequence[Row]], buckets: int) -> str:
    """The digest of a lake of its own."""
    settings = local_lake(folder, buckets=buckets)
    opened = open_catalog(settings)
    create_tables(opened, settings.buckets)
    for batch in batches:
        append_rows(opened, NAMESPACE, "features", batch)
    return str(compare_table(opened, "features", NAMESPACE, EVERYTHING).digest.hexdigest())


def test_the_digest_is_that_of_the_rows_alone(tmp_path: Path) -> None:
    rows = [dict(row) for row in FEATURE_ROWS]
    same = digest_of(tmp_path / "a", [rows], 1)
    assert digest_of(tmp_path / "b", [rows[20:], rows[:3], rows[3:20]], 4) == same
    changed = [dict(row) for row in rows]
    with_value("price", next_float(PRICE))(changed)
    assert digest_of(tmp_path / "c", [changed], 1) != same
    with_value("manifest_id", "x")(rows)
    assert digest_of(tmp_path / "d", [rows], 1) == same
    assert digest_of(tmp_path / "e", [rows[:-1]], 1) != same
