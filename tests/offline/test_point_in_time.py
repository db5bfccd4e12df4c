"""What a dataset holds was known at each row, whatever the pieces are that it is read in; what peeks is caught; memory holds a piece."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyiceberg.catalog import Catalog

from jobs.lake.tables import NAMESPACE
from jobs.lake.writing import append_rows
from jobs.training.dataset import Dataset, NotEnoughData
from jobs.training.labelling.kinds import KINDS, LabelSettings
from jobs.training.labels import Labels, forward_returns
from jobs.training.point_in_time.as_of import Known, LookAhead, Times, in_order, moments_within, newest_as_of
from jobs.training.point_in_time.chunks import STRETCH, plan_chunks
from jobs.training.point_in_time.collected import labelled_rows, write_parquet
from jobs.training.point_in_time.reader import DatasetRequest, Piece, PointInTimeReader
from jobs.training.point_in_time.sources import Source, parse_source
from tests.support.feature_lake import DELAY, add_table, feature_lake, lake_rows
from tests.support.feature_rows import SECOND, START, planted_dataset
from udfs.errors import InvalidSettings
from udfs.kernels.feature_vector import FEATURE_NAMES

STEP = 30 * SECOND
ROWS = 600
FEW = 90
"""Rows in memory, where they are not to fit at once."""
MINUTE = 60 * SECOND
LABEL = LabelSettings("return", 5 * MINUTE, MINUTE)
FUNDAMENTALS, NEWS = Source("fundamentals", ("earnings", "shares")), Source("headlines", ("tone",), 30 * MINUTE)


def slow_dataset() -> Dataset:
    """Two symbols, a row each half minute for two and a half hours."""
    dataset = planted_dataset(rows=ROWS)
    return dataset._replace(event_time=START + dataset.event_number * STEP)


def fundamentals() -> list[dict[str, Any]]:
    """A value an hour, each corrected 40 minutes later; one for the market."""
    rows = []
    for hour in range(-3, 6):
        for revision in range(2):
            at = START + hour * 3600 * SECOND
            said = {"earnings": 100.0 * hour + revision, "shares": float(hour)}
            rows.append({"symbol": "S0", "event_time_ns": at, "available_time_ns": at + (1 + 40 * revision) * MINUTE, **said})
    rows.append({"symbol": "", "event_time_ns": START - SECOND, "available_time_ns": START - SECOND, "earnings": -1.0, "shares": 7.0})
    return rows


def headlines() -> list[dict[str, Any]]:
    """One every 7 minutes, known 1 to 20 minutes later."""
    times = [(START + k * 7 * MINUTE, (1 + 5 * k % 20) * MINUTE) for k in range(-10, 45)]
    return [{"symbol": "S1", "event_time_ns": at, "available_time_ns": at + late, "tone": at / 1e18} for at, late in times]


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    found = feature_lake(tmp_path_factory.mktemp("lake"), lake_rows(slow_dataset()), commits=2)
    add_table(found, "fundamentals", fundamentals())
    add_table(found, "headlines", headlines())
    add_table(found, "pauses", [{"symbol": "S0", "event_time_ns": START + 3600 * SECOND, "available_time_ns": START}])
    return found


def read(catalog: Catalog, **request: Any) -> tuple[list[Piece], PointInTimeReader]:
    reader = PointInTimeReader(catalog, NAMESPACE, FEATURE_NAMES, DatasetRequest(**request))
    return list(reader.pieces()), reader


def rows_of(pieces: list[Piece]) -> dict[tuple[str, int], tuple[bytes, ...]]:
    """(symbol, event number) -> the bits of everything that the dataset says of the row."""
    found = {}
    for piece in pieces:
        rows = piece.dataset
        outcome = {int(row): k for k, row in enumerate(piece.labels.rows)}
        for k in range(rows.event_time.shape[0]):
            label = outcome.get(k)
            said = b"" if label is None else b"".join(column[label].tobytes() for column in piece.labels[1:])
            content = [column[k].tobytes() for column in (rows.values, rows.event_time, piece.joined, piece.inputs_available)]
            found[rows.symbols[rows.symbol[k]], int(rows.event_number[k])] = (*content, said)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_the_pieces_change_nothing(catalog: Catalog, kind: str) -> None:
    """Law: rows, joined values and outcomes are the same in one piece and in many."""
    request = {"sources": (FUNDAMENTALS, NEWS), "label": LabelSettings(kind, 5 * MINUTE, MINUTE, memory=30 * MINUTE)}
    whole, _ = read(catalog, **request)
    pieces, _ = read(catalog, **request, rows_in_memory=FEW)
    assert len(whole) == 1
    assert len(pieces) > 6
    assert rows_of(pieces) == rows_of(whole)
    assert sum(piece.labels.rows.size for piece in whole) > 480


def test_memory_holds_a_piece_and_not_the_table(catalog: Catalog) -> None:
    """Law: rows in memory are bounded by the setting, not by the table; of sources only what can still be asked for is kept."""
    _, small = read(catalog, sources=(FUNDAMENTALS, NEWS), rows_in_memory=FEW)
    _, large = read(catalog, sources=(FUNDAMENTALS, NEWS), rows_in_memory=10_000)
    assert small.counts.rows == large.counts.rows == ROWS
    assert small.counts.most_rows_held <= FEW + 35
    assert large.counts.most_rows_held >= ROWS


def test_labels_are_those_of_the_whole_table(catalog: Catalog) -> None:
    pieces, _ = read(catalog, label=LABEL, rows_in_memory=FEW)
    dataset, labels = labelled_rows(pieces)
    whole = slow_dataset()
    expected = forward_returns(whole, LABEL.horizon, LABEL.tolerance)
    assert dataset.event_number.tolist() == whole.event_number[expected.rows].tolist()
    assert labels.end.tolist() == expected.end.tolist()
    assert labels.log_return.tobytes() == expected.log_return.tobytes()
    assert dataset.values.tobytes() == whole.values[expected.rows].tobytes()
    assert isinstance(labels, Labels)


def test_a_barrier_that_was_met_stays_with_its_row(catalog: Catalog) -> None:
    """The side, and not only the return, which may be as large where the time ran out: in pieces as in the whole table."""
    how = LabelSettings("triple-barrier", 5 * MINUTE, MINUTE)
    _, labels = labelled_rows(read(catalog, label=how, rows_in_memory=FEW)[0])
    _, whole = labelled_rows(read(catalog, label=how)[0])
    assert labels.side.tolist() == whole.side.tolist()
    assert set(labels.side.tolist()) == {-1.0, 0.0, 1.0}
    met = labels.side != 0
    assert labels.side[met].tolist() == np.sign(labels.log_return[met]).tolist()
    assert np.all(labels.end[~met] - labels.start[~met] >= how.horizon)


def test_thinning_is_even_and_does_not_depend_on_pieces(catalog: Catalog) -> None:
    pieces, _ = read(catalog, label=LABEL, keep_about=ROWS // 5, rows_in_memory=FEW)
    whole, _ = read(catalog, label=LABEL, keep_about=ROWS // 5)
    assert rows_of(pieces) == rows_of(whole)
    assert {number % 5 for _, number in rows_of(whole)} == {0}
    assert len(rows_of(whole)) == ROWS // 5


def test_each_row_knows_what_was_available_and_no_later_revision(catalog: Catalog) -> None:
    """By the slow search over all revisions, for every row."""
    (piece,), _ = read(catalog, sources=(FUNDAMENTALS,))
    rows = piece.dataset
    assert piece.joined_names == ("fundamentals.earnings", "fundamentals.shares", "fundamentals.age_seconds")
    for k in range(rows.event_time.shape[0]):
        symbol, at = rows.symbols[rows.symbol[k]], int(rows.event_time[k])
        known = [r for r in fundamentals() if r["event_time_ns"] <= at and r["available_time_ns"] <= at + DELAY]
        own = [r for r in known if r["symbol"] == symbol] or [r for r in known if r["symbol"] == ""]
        newest = max(own, key=lambda r: (r["event_time_ns"], r["available_time_ns"]))
        assert piece.joined[k].tolist() == [newest["earnings"], newest["shares"], (at - newest["event_time_ns"]) / 1e9]
        assert piece.inputs_available[k] == newest["available_time_ns"] <= rows.available_time[k]


def test_news_counts_what_was_out_within_the_window(catalog: Catalog) -> None:
    (piece,), _ = read(catalog, sources=(NEWS,))
    rows = piece.dataset
    for k in np.flatnonzero(rows.symbol == 1):
        at = int(rows.event_time[k])
        out = [r for r in headlines() if at - NEWS.window < r["event_time_ns"] <= at and r["available_time_ns"] <= at + DELAY]
        assert piece.joined[k, -1] == len(out)
    assert len(set(piece.joined[:, -1].tolist())) > 3
    assert piece.joined[rows.symbol == 0, -1].tolist() == [0.0] * (ROWS // 2)


def peeking(known: Known, event_time: Times, decision_time: Times) -> Any:
    """A join that forgets when things were published."""
    return np.searchsorted(known.event_time, event_time, "right") - 1


def clairvoyant(known: Known, event_time: Times, decision_time: Times) -> Any:
    """A join that takes the next row."""
    place = newest_as_of(known, event_time, decision_time)
    return np.minimum(place + 1, known.event_time.shape[0] - 1)


@pytest.mark.parametrize(("join", "says"), [(peeking, "was available .* s after"), (clairvoyant, "after the row that used it")])
def test_a_join_that_peeks_is_caught_when_it_runs(catalog: Catalog, join: Any, says: str) -> None:
    request = DatasetRequest(sources=(FUNDAMENTALS,))
    list(PointInTimeReader(catalog, NAMESPACE, FEATURE_NAMES, request).pieces())
    with pytest.raises(LookAhead, match=says):
        list(PointInTimeReader(catalog, NAMESPACE, FEATURE_NAMES, request, join).pieces())


def test_what_is_committed_while_reading_is_not_seen(tmp_path: Path) -> None:
    catalog = feature_lake(tmp_path, lake_rows(slow_dataset())[:300], commits=1)
    add_table(catalog, "fundamentals", fundamentals())
    request = DatasetRequest(sources=(FUNDAMENTALS,), rows_in_memory=FEW)
    before = rows_of(list(PointInTimeReader(catalog, NAMESPACE, FEATURE_NAMES, request).pieces()))
    reader = PointInTimeReader(catalog, NAMESPACE, FEATURE_NAMES, request)
    pieces = []
    for piece in reader.pieces():
        pieces.append(piece)
        append_rows(catalog, NAMESPACE, "features", lake_rows(slow_dataset())[300 + 2 * len(pieces) :][:2])
        append_rows(catalog, NAMESPACE, "fundamentals", [fundamentals()[4] | {"available_time_ns": START, "earnings": 1e9}])
    assert rows_of(pieces) == before


def test_an_outcome_does_not_span_a_listed_break(catalog: Catalog) -> None:
    pause = START + 3600 * SECOND
    dataset, labels = labelled_rows(read(catalog, label=LABEL, breaks_table="pauses")[0])
    spans = (labels.start < pause) & (labels.end >= pause)
    assert not spans[dataset.symbol == 0].any()
    assert spans[dataset.symbol == 1].any()


def test_a_session_end_is_a_break(tmp_path: Path) -> None:
    """New York closes at 21:00 UTC on 14 November 2023; outcomes may end then, and not after."""
    close = 1_699_995_600 * SECOND
    dataset = slow_dataset()
    moved = dataset._replace(event_time=dataset.event_time - START + close - 3600 * SECOND)
    catalog = feature_lake(tmp_path, lake_rows(moved)[:400], commits=1)
    _, labels = labelled_rows(read(catalog, label=LABEL, calendar="XNYS")[0])
    _, free = labelled_rows(read(catalog, label=LABEL)[0])
    spanning = (free.start <= close) & (free.end > close)
    assert spanning.sum() > 10
    assert labels.rows.size == free.rows.size - spanning.sum()
    assert np.any(labels.end == close)


def test_a_file_holds_all_of_it_and_appears_whole(catalog: Catalog, tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pieces, _ = read(catalog, label=LABEL, sources=(FUNDAMENTALS, NEWS), rows_in_memory=FEW)
    assert write_parquet(iter(pieces), path) == ROWS
    table = pq.read_table(path)
    assert table.column("label").null_count == ROWS - sum(piece.labels.rows.size for piece in pieces)
    assert table.column("headlines.tone").null_count >= ROWS // 2
    assert set(FEATURE_NAMES) < set(table.column_names)

    def broken() -> Any:
        yield pieces[0]
        raise OSError("disk full")

    before = path.read_bytes()
    with pytest.raises(OSError, match="disk full"):
        write_parquet(broken(), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_times_narrow_the_rows_to_the_nanosecond(catalog: Catalog) -> None:
    (piece,), _ = read(catalog, from_time=START + STEP, to_time=START + 3 * STEP, symbols=("S1",))
    assert piece.dataset.event_number.tolist() == [1, 2]
    assert piece.dataset.symbols == ("S1",)
    with pytest.raises(NotEnoughData, match="no feature rows"):
        read(catalog, symbols=("NOBODY",))


@pytest.mark.parametrize(
    ("source", "says"), [(Source("fundamentals", ("price",)), "no column price"), (Source("bars"), "no column event_time_ns")]
)
def test_a_table_that_cannot_be_joined_is_refused(catalog: Catalog, source: Source, says: str) -> None:
    with pytest.raises(InvalidSettings, match=says):
        read(catalog, sources=(source,))


def test_sources_are_written_as_table_and_columns() -> None:
    assert parse_source("news:tone,words", 5) == Source("news", ("tone", "words"), 5)
    with pytest.raises(ValueError, match="TABLE"):
        parse_source(":tone")


REVISIONS = st.lists(st.tuples(st.integers(0, 12), st.integers(-3, 15)), max_size=25)
ASKED = st.lists(st.tuples(st.integers(-1, 15), st.integers(-3, 3)), min_size=1, max_size=20)


@given(REVISIONS, ASKED, st.integers(1, 6))
def test_the_join_is_the_slow_search(revisions: list[tuple[int, int]], asked: list[tuple[int, int]], window: int) -> None:
    """Law: of all rows that had happened and were available, the newest moment, and of it the newest revision."""
    event, late = (np.array(column, np.int64) for column in zip(*revisions, strict=True)) if revisions else (np.zeros(0, np.int64),) * 2
    known = in_order(Known(event, event + late, np.arange(event.size, dtype=np.float64)[:, None]))
    at = np.array([time for time, _ in asked])
    decided = at + np.array([delay for _, delay in asked])
    place, counts = newest_as_of(known, at, decided), moments_within(known, at, decided, window)
    for row in range(at.size):
        candidates = [k for k in range(event.size) if known.event_time[k] <= at[row] and known.available_time[k] <= decided[row]]
        best = max(candidates, key=lambda k: (known.event_time[k], known.available_time[k], k), default=-1)
        assert place[row] == best
        assert counts[row] == len({int(known.event_time[k]) for k in candidates if known.event_time[k] > at[row] - window})


@given(st.dictionaries(st.tuples(st.integers(0, 9), st.sampled_from("ABCD")), st.integers(1, 30), min_size=1), st.integers(1, 60))
def test_pieces_cover_every_row_once_in_time_and_fit(counts: dict[tuple[int, str], int], most: int) -> None:
    chunks = plan_chunks(counts, most)
    covered: Counter[tuple[int, str]] = Counter()
    for chunk in chunks:
        inside = [key for key in counts if chunk.from_time <= key[0] * STRETCH < chunk.to_time and key[1] in chunk.symbols]
        covered.update(inside)
        assert chunk.rows == sum(counts[key] for key in inside)
        assert chunk.rows <= most or len(inside) == 1
    assert covered == Counter(dict.fromkeys(counts, 1))
    assert [chunk.from_time for chunk in chunks] == sorted(chunk.from_time for chunk in chunks)
