"""A point-in-time dataset as a whole: in memory for training, once it is thinned, or in a Parquet file of any size."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from jobs.training.dataset import Dataset, NotEnoughData
from jobs.training.labels import Labels
from jobs.training.point_in_time.reader import Piece


def labelled_rows(pieces: Iterable[Piece]) -> tuple[Dataset, Labels]:
    """The rows that have an outcome, by (event time, symbol, event number), and their outcomes. Raises NotEnoughData without any."""
    kept = [(piece.dataset.take(piece.labels.rows), piece.labels) for piece in pieces if piece.labels.rows.size]
    if not kept:
        raise NotEnoughData("no row has an outcome: the data spans less than the horizon; take more data or a shorter --horizon-seconds")
    dataset = _joined([dataset for dataset, _ in kept])
    start, end, value, side = (np.concatenate([labels[place] for _, labels in kept]) for place in (1, 2, 3, 4))
    order = np.lexsort((dataset.event_number, dataset.symbol, dataset.event_time))
    return dataset.take(order), Labels(np.arange(order.shape[0]), start[order], end[order], value[order], side[order])


def _joined(parts: list[Dataset]) -> Dataset:
    symbols = tuple(sorted({symbol for part in parts for symbol in part.symbols}))
    code = {symbol: number for number, symbol in enumerate(symbols)}
    feature_sets = sorted({part.feature_set for part in parts})
    if len(feature_sets) > 1:
        raise ValueError(f"the rows were made with {len(feature_sets)} feature sets ({', '.join(feature_sets)}); choose a range with one")

    recoded = [np.array([code[symbol] for symbol in part.symbols], np.int32)[part.symbol] for part in parts]
    return parts[0]._replace(
        symbols=symbols,
        symbol=np.concatenate(recoded),
        event_time=np.concatenate([part.event_time for part in parts]),
        event_number=np.concatenate([part.event_number for part in parts]),
        price=np.concatenate([part.price for part in parts]),
        values=np.concatenate([part.values for part in parts]),
        available_time=np.concatenate([part.available_time for part in parts]),
    )


def write_parquet(pieces: Iterable[Piece], path: Path) -> int:
    """Write the rows to a file that appears whole or not at all; how many there are.

    Columns: symbol, times, event number, price, each feature, each joined value (null where nothing was known), outcome and its span.
    """
    draft = path.with_name(f".{path.name}.draft")
    rows = 0
    try:
        writer: pq.ParquetWriter | None = None
        for table in _tables(pieces):
            writer = writer or pq.ParquetWriter(draft, table.schema, compression="zstd")
            writer.write_table(table)
            rows += table.num_rows
        if writer is None:
            raise NotEnoughData("there is no row to write")
        writer.close()
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return rows


def _tables(pieces: Iterable[Piece]) -> Iterator[pa.Table]:
    for piece in pieces:
        yield pa.table({**_identity(piece), **_numbers(piece), **_outcome(piece)})


def _identity(piece: Piece) -> dict[str, pa.Array]:
    rows = piece.dataset
    return {
        "symbol": pa.DictionaryArray.from_arrays(pa.array(rows.symbol), pa.array(rows.symbols, pa.string())).cast(pa.string()),
        "event_time_ns": pa.array(rows.event_time),
        "available_time_ns": pa.array(rows.available_time),
        "event_number": pa.array(rows.event_number),
        "price": pa.array(rows.price, from_pandas=True),
    }


def _numbers(piece: Piece) -> dict[str, pa.Array]:
    """Names with a dot are those of joined tables, so no feature can have one."""
    features = {name: pa.array(piece.dataset.values[:, k], from_pandas=True) for k, name in enumerate(piece.dataset.feature_names)}
    return features | {name: pa.array(piece.joined[:, k], from_pandas=True) for k, name in enumerate(piece.joined_names)}


def _outcome(piece: Piece) -> dict[str, pa.Array]:
    rows = piece.dataset.event_time.shape[0]
    missing = np.ones(rows, np.bool_)
    missing[piece.labels.rows] = False

    def column(found: npt.NDArray[np.generic]) -> pa.Array:
        spread = np.zeros(rows, found.dtype)
        spread[piece.labels.rows] = found
        return pa.array(spread, mask=missing)

    return {
        "label": column(piece.labels.log_return),
        "label_start_ns": column(piece.labels.start),
        "label_end_ns": column(piece.labels.end),
    }
