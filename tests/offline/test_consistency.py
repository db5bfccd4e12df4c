"""What was served is compared with what the frames make, value by value: nothing that differs, lacks or is too much goes unseen."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyiceberg.catalog import Catalog

from infra.local import shipping
from jobs import consistency
from jobs.consistency import check_day, main
from jobs.lake.catalog import create_tables, open_catalog
from jobs.lake.reading import read_rows
from jobs.lake.settings import LakeSettings, local_lake
from jobs.lake.tables import NAMESPACE
from jobs.lake.writing import append_rows
from jobs.recomputation.day import NO_ROWS, Online, compare_day
from jobs.recomputation.rates import Rates, RowSet
from jobs.recomputation.stored import frame_hash
from jobs.settings import Settings
from tests.support.control_memory import frame_of, halt_entry, process, processor
from tests.support.feature_lake import moment
from tests.support.kernel_events import MIDNIGHT, SECOND, Event, random_walk
from udfs.errors import TickflowError
from udfs.kernels.feature_vector import FEATURE_NAMES, FEATURE_SET
from udfs.operators.symbol_processor import PricedRow

Row = dict[str, Any]
SYMBOLS = ("AAA", "BBB")
DAY_TEXT = f"{moment(MIDNIGHT):%Y-%m-%d}"
RSI, LAST = FEATURE_NAMES.index("rsi_14"), FEATURE_NAMES.index("last_price")


def frames_of(symbol: str) -> list[bytes]:
    """A walk that begins an hour before the day and goes on into it, a minute a frame; the last half is stamped by a halt."""
    walk = random_walk(SYMBOLS.index(symbol), 240, 20 * SECOND)
    first = walk[0].event_time
    events = [event._replace(event_time=event.event_time - first + MIDNIGHT - 1800 * SECOND) for event in walk]
    pieces = [events[k : k + 6] for k in range(0, len(events), 6)]
    return [frame_of(piece, int(number > 20), symbol) for number, piece in enumerate(pieces)]


def market_frames() -> list[Row]:
    return [
        {
            "symbol": symbol,
            "event_time": moment(MIDNIGHT - 1800 * SECOND + number * SECOND),
            "topic": "market.frames",
            "kafka_partition": SYMBOLS.index(symbol),
            "kafka_offset": number,
            "frame": frame,
            "frame_hash": frame_hash(frame),
        }
        for symbol in SYMBOLS
        for number, frame in enumerate(frames_of(symbol))
    ]


def served_rows() -> list[Row]:
    """What the operator made of the frames, one after the other."""
    found = []
    for symbol in SYMBOLS:
        outcomes, _ = process(processor([halt_entry()]), frames_of(symbol), symbol=symbol)
        found += [served(record) for outcome in outcomes for record in outcome.records if isinstance(record, PricedRow)]
    return found


def served(priced: PricedRow) -> Row:
    row, price = priced
    return {
        "symbol": row.symbol,
        "event_time": moment(row.event_time),
        "event_time_ns": row.event_time,
        "available_time_ns": row.available_time,
        "event_number": row.event_number,
        "feature_set": FEATURE_SET,
        "feature_values": row.values.tolist(),
        "feature_valid": np.packbits(row.valid, bitorder="little").tobytes(),
        "price": price,
        "bar_closed": row.bar_closed,
        "control_version": row.control_version,
        "topic": row.position.topic,
        "kafka_partition": row.position.partition,
        "kafka_offset": row.position.offset,
        "event_index": row.position.event_index,
        "manifest_id": "live",
    }


SERVED = served_rows()
OF_DAY = [place for place, row in enumerate(SERVED) if row["event_time_ns"] >= MIDNIGHT]
PLACE = OF_DAY[-5]
"""A row late in the day of the second symbol, with most features valid."""


def lake_of(folder: Path, rows: list[Row], frames: list[Row]) -> tuple[Catalog, LakeSettings]:
    lake = local_lake(folder, buckets=1)
    catalog = open_catalog(lake)
    create_tables(catalog, lake.buckets)
    append_rows(catalog, NAMESPACE, "features", rows)
    append_rows(catalog, NAMESPACE, "market_frames", frames)
    halt = {"version": 1, "event_time": moment(MIDNIGHT), "event_time_ns": MIDNIGHT, "kind": "halt", "payload": halt_entry()}
    append_rows(catalog, NAMESPACE, "control_events", [halt])
    return catalog, lake


def compared(folder: Path, change: Callable[[list[Row]], None], frames: list[Row] | None = None) -> Rates:
    rows = [dict(row) for row in SERVED]
    change(rows)
    catalog, _ = lake_of(folder, rows, market_frames() if frames is None else frames)
    return compare_day(catalog, MIDNIGHT, Settings()).rates


def with_value(feature: int, value: float) -> Callable[[list[Row]], None]:
    def change(rows: list[Row]) -> None:
        rows[PLACE]["feature_values"] = [value if k == feature else old for k, old in enumerate(rows[PLACE]["feature_values"])]

    return change


def with_bit(feature: int, rows: list[Row]) -> None:
    bits = bytearray(rows[PLACE]["feature_valid"])
    bits[feature // 8] ^= 1 << feature % 8
    rows[PLACE]["feature_valid"] = bytes(bits)


def counts(rates: Rates) -> tuple[int, int, int, int, int]:
    return int(rates.mismatched.sum()), int(rates.missing.sum()), int(rates.extra.sum()), rates.rows_missing, rates.rows_extra


def test_what_was_served_is_what_the_frames_make(tmp_path: Path) -> None:
    """State from the evening before included: the day begins warm."""
    rates = compared(tmp_path, lambda rows: None)
    assert counts(rates) == (0, 0, 0, 0, 0)
    assert rates.consistent
    assert rates.rows_served == rates.rows_recomputed == len(OF_DAY) > 100
    assert rates.served[RSI] > 50


def test_one_bit_in_one_value_is_found(tmp_path: Path) -> None:
    value = float(np.nextafter(np.float32(SERVED[PLACE]["feature_values"][LAST]), np.float32(0)))
    rates = compared(tmp_path, with_value(LAST, value))
    assert counts(rates) == (1, 0, 0, 0, 0)
    assert np.flatnonzero(rates.mismatched).tolist() == [LAST]
    assert rates.shares(rates.mismatched)[LAST] == 1 / rates.served[LAST]
    assert not rates.consistent


def test_a_value_that_was_not_served_is_missing_and_one_too_many_is_extra(tmp_path: Path) -> None:
    never = FEATURE_NAMES.index("realised_volatility_24_hours")
    rates = compared(tmp_path / "missing", lambda rows: with_bit(LAST, rows))
    assert counts(rates) == (0, 1, 0, 0, 0)
    assert np.flatnonzero(rates.missing).tolist() == [LAST]

    def invent(rows: list[Row]) -> None:
        with_value(never, 1.0)(rows)
        with_bit(never, rows)

    rates = compared(tmp_path / "extra", invent)
    assert counts(rates) == (0, 0, 1, 0, 0)
    assert np.flatnonzero(rates.extra).tolist() == [never]


def test_rows_that_are_lost_and_rows_from_nowhere_are_counted(tmp_path: Path) -> None:
    lost = compared(tmp_path / "lost", lambda rows: rows.pop(PLACE))  # type: ignore[arg-type]
    assert (lost.rows_missing, lost.rows_extra) == (1, 0)
    assert lost.missing[LAST] == 1
    others = [row for row in market_frames() if row["symbol"] == "AAA"]
    nowhere = compared(tmp_path / "nowhere", lambda rows: None, others)
    of_symbol = sum(SERVED[place]["symbol"] == "BBB" for place in OF_DAY)
    assert (nowhere.rows_missing, nowhere.rows_extra) == (0, of_symbol)
    assert nowhere.extra[LAST] == of_symbol


def test_a_row_of_another_day_does_not_matter(tmp_path: Path) -> None:
    before = next(place for place, row in enumerate(SERVED) if row["event_time_ns"] < MIDNIGHT)
    assert compared(tmp_path, lambda rows: rows.pop(before)).consistent  # type: ignore[arg-type]


def test_what_cannot_be_compared_is_said(tmp_path: Path) -> None:
    catalog, _ = lake_of(tmp_path, [row | {"feature_set": "old"} for row in SERVED], market_frames())
    with pytest.raises(TickflowError, match="feature set old, this code computes"):
        compare_day(catalog, MIDNIGHT, Settings())
    with pytest.raises(TickflowError, match="neither served rows nor frames"):
        compare_day(catalog, MIDNIGHT + 5 * 86_400 * SECOND, Settings())


def newest_of(rows: list[Row]) -> dict[str, RowSet]:
    """What the online store would hold."""
    newest = {row["symbol"]: row for row in rows}
    return {
        symbol: RowSet(np.array([row["event_number"]]), np.array([row["event_time_ns"]]), values_of(row)) for symbol, row in newest.items()
    }


def store_of(rows: dict[str, RowSet]) -> Online:
    return lambda symbols: {symbol: rows[symbol] for symbol in symbols if symbol in rows}


def values_of(row: Row) -> Any:
    valid = np.unpackbits(np.frombuffer(row["feature_valid"], np.uint8), bitorder="little")[: len(FEATURE_NAMES)].astype(bool)
    return np.where(valid, np.array(row["feature_values"], np.float32), np.float32(np.nan))[None, :]


def test_the_online_store_is_compared_and_the_table_holds_all(tmp_path: Path) -> None:
    catalog, lake = lake_of(tmp_path, SERVED, market_frames())
    good, bad = newest_of(SERVED), newest_of(SERVED)
    bad["AAA"].values[0, LAST] += 1
    elsewhere = {"AAA": good["AAA"]._replace(time=good["AAA"].time + 86_400 * SECOND)}
    results = [check_day(catalog, lake, Settings(), MIDNIGHT, store_of(rows)) for rows in (good, bad, elsewhere)]
    assert [result["consistent"] for result in results] == [True, False, True]
    assert [result["online_store"]["rows_served"] for result in results] == [2, 2, 0]
    assert [found["feature"] for found in results[1]["online_store"]["features"]] == ["last_price"]
    rows = [row for batch in read_rows(catalog, NAMESPACE, "consistency") for row in batch.to_pylist()]
    assert len(rows) == 3 * 2 * len(FEATURE_NAMES)
    assert {row["day"] for row in rows} == {datetime.fromtimestamp(MIDNIGHT / SECOND, UTC)}
    wrong = [row for row in rows if row["mismatched"]]
    assert [(row["served_from"], row["feature"], row["mismatched_rate"]) for row in wrong] == [("online store", "last_price", 0.5)]


def test_the_table_names_what_rows_were_recomputed_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of the run that made the rows, and not those of the moment."""
    catalog, lake = lake_of(tmp_path, SERVED, market_frames())
    made_by = Settings(universe=SYMBOLS)
    monkeypatch.setattr(consistency, "settings_that_made_rows", lambda catalog, settings: made_by)
    check_day(catalog, lake, Settings(), MIDNIGHT, None)
    found = {row["manifest_id"] for batch in read_rows(catalog, NAMESPACE, "consistency") for row in batch.to_pylist()}
    assert found == {made_by.manifest_id(shipping.code_hash())} != {Settings().manifest_id(shipping.code_hash())}


def test_the_verb(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    lake_of(tmp_path / "good", SERVED, market_frames())
    rows = [dict(row) for row in SERVED]
    with_value(LAST, 7.0)(rows)
    lake_of(tmp_path / "bad", rows, market_frames())
    day = ["--day", DAY_TEXT, "--lake"]
    assert main([*day, str(tmp_path / "good"), "--without-online-store", "--json"]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (result["consistent"], result["day"], result["online_store"]) == (True, DAY_TEXT, None)
    monkeypatch.setattr(consistency, "online_rows", lambda _: None)
    assert main([*day, str(tmp_path / "bad")]) == 1
    said = capsys.readouterr().out
    assert "last_price" in said
    assert "NOT consistent" in said
    assert main([*day, str(tmp_path / "empty"), "--json"]) == 2
    with pytest.raises(SystemExit):
        main(["--day", "yesterday"])


values = st.lists(st.sampled_from([np.nan, 0.0, -0.0, 1.0, 2.0]), min_size=2, max_size=2)
row_sets = st.dictionaries(st.integers(0, 6), values, max_size=7)


@given(row_sets, row_sets)
def test_rates_are_those_of_the_slow_count(ours: dict[int, list[float]], theirs: dict[int, list[float]]) -> None:
    """Law: every value of every row is right, mismatched, missing, extra or nowhere; 0 and -0 differ."""

    def as_set(rows: dict[int, list[float]]) -> RowSet:
        number = np.array(list(rows), np.int64)
        return RowSet(number, number * 10, np.array(list(rows.values()), np.float32).reshape(-1, 2))

    rates = Rates.none(2)
    rates.add(as_set(ours), as_set(theirs))
    nothing = [np.nan, np.nan]
    for column in range(2):
        pairs = [(ours.get(n, nothing)[column], theirs.get(n, nothing)[column]) for n in {*ours, *theirs}]
        both = [(a, b) for a, b in pairs if not np.isnan(a) and not np.isnan(b)]
        assert rates.mismatched[column] == sum(np.float32(a).tobytes() != np.float32(b).tobytes() for a, b in both)
        assert rates.missing[column] == sum(np.isnan(a) and not np.isnan(b) for a, b in pairs)
        assert rates.extra[column] == sum(not np.isnan(a) and np.isnan(b) for a, b in pairs)
    assert (rates.rows_missing, rates.rows_extra) == (len(theirs.keys() - ours.keys()), len(ours.keys() - theirs.keys()))
    assert rates.consistent == (
        not rates.mismatched.any() and not rates.missing.any() and ours.keys() == theirs.keys() and not rates.extra.any()
    )
    assert NO_ROWS.values.shape == (0, len(FEATURE_NAMES))


def test_events_of_the_walk_cross_midnight() -> None:
    """The sample is what it claims: rows on both sides of the day's beginning."""
    assert 0 < len(OF_DAY) < len(SERVED)
    assert isinstance(random_walk(0, 2, SECOND)[0], Event)
