"""Labelled rows from recorded market data: the gateway's readers and packer and the stream's kernels, in this process, without services."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from jobs.gateway.detect import open_source
from jobs.gateway.gateway import Gateway
from jobs.gateway.gateway_settings import GatewaySettings
from jobs.gateway.known_facts import facts_of
from jobs.gateway.running_source import Source
from jobs.settings import Settings
from jobs.training.dataset import Dataset, NotEnoughData
from jobs.training.labelling.kinds import LabelSettings, outcomes_of
from jobs.training.labelling.path import NO_BREAKS, Times, path_of
from jobs.training.labels import Labels
from jobs.training.point_in_time.price_reading import session_ends
from udfs.codecs.frames import decode_frame
from udfs.kernels.advance import Advance, advance
from udfs.kernels.feature_vector import FEATURE_NAMES, FEATURE_SET, Feature
from udfs.kernels.kernel_settings import KernelSettings
from udfs.kernels.symbol_state import new_state

_COLUMNS = ("event_time", "available_time", "event_number", "price", "spread", "halted")


class _Rows(NamedTuple):
    """Rows of one symbol. Values are kept of some only."""

    event_time: Times
    available_time: Times
    event_number: npt.NDArray[np.int64]
    price: npt.NDArray[np.float64]
    spread: npt.NDArray[np.float64]
    halted: npt.NDArray[np.bool_]
    kept: npt.NDArray[np.intp]
    """Places of the rows whose values are there."""
    values: npt.NDArray[np.float32]


@dataclass
class _SymbolRows:
    """Rows of one symbol while they are made: every `every`-th keeps its values."""

    every: int = 1
    count: int = 0
    columns: dict[str, list[npt.NDArray[Any]]] = field(default_factory=lambda: {name: [] for name in _COLUMNS})
    kept: list[npt.NDArray[np.intp]] = field(default_factory=list)
    values: list[npt.NDArray[np.float32]] = field(default_factory=list)

    def add(self, result: Advance) -> None:
        """The rows of one frame."""
        values = np.where(result.row_valid & np.isfinite(result.row_values), result.row_values, np.float32(np.nan))
        scalars = (result.row_event_time, result.row_available_time, result.row_event_number, result.row_price)
        for name, column in zip(_COLUMNS, (*scalars, values[:, Feature.SPREAD], values[:, Feature.HALTED] == 1), strict=True):
            self.columns[name].append(np.array(column))
        places = np.arange(self.count, self.count + values.shape[0])
        chosen = places % self.every == 0
        self.kept.append(places[chosen])
        self.values.append(values[chosen].astype(np.float32))
        self.count += values.shape[0]

    def thin(self) -> None:
        """Keep the values of half as many rows."""
        kept, values = np.concatenate(self.kept), np.concatenate(self.values)
        self.every *= 2
        stays = kept % self.every == 0
        self.kept, self.values = [kept[stays]], [values[stays]]

    def rows(self) -> _Rows:
        """What was made."""
        columns = {name: np.concatenate(parts) for name, parts in self.columns.items()}
        return _Rows(**columns, kept=np.concatenate(self.kept), values=np.concatenate(self.values))


class RowSink:
    """Takes the gateway's frames and runs the kernels on them; a `Sink`."""

    blocked_seconds = 0.0
    delivered_records = 0

    def __init__(self, frames_topic: str, kernel: KernelSettings, keep_about: int) -> None:
        self.last_offsets: dict[tuple[str, int], int] = {}
        self.made: defaultdict[str, _SymbolRows] = defaultdict(_SymbolRows)
        self._frames_topic, self._kernel, self._keep_about = frames_topic, kernel, keep_about
        self._states: dict[str, Any] = {}
        self._kept = 0

    def send(self, topic: str, key: bytes, value: bytes, timestamp_milliseconds: int, headers: Any = None) -> None:
        """Advance the symbol by one frame; what is no frame is let go."""
        if topic != self._frames_topic:
            return
        symbol = key.decode()
        state = self._states.get(symbol)
        if state is None:
            state = self._states[symbol] = new_state()
        result = advance(state, decode_frame(value).columns, self._kernel)
        if len(result.row_event_time):
            self._add(self.made[symbol], result)

    def _add(self, rows: _SymbolRows, result: Advance) -> None:
        every = max((other.every for other in self.made.values()), default=1)
        while rows.every < every:
            rows.every *= 2
        rows.add(result)
        self._kept += len(rows.kept[-1])
        if self._kept > 2 * self._keep_about:
            for one in self.made.values():
                one.thin()
            self._kept = sum(len(part) for one in self.made.values() for part in one.kept)

    def poll(self) -> None:
        """Nothing is on its way."""

    def flush(self) -> None:
        """Nothing is on its way."""


def rows_of_files(
    path: Path, settings: Settings, label: LabelSettings, calendar: str = "", keep_about: int = 200_000
) -> tuple[Dataset, Labels]:
    """Rows of a file or folder of market data with their outcomes, by (event time, symbol, event number).

    Prices of all rows decide the outcomes; of the rows themselves at most about twice `keep_about` are kept, evenly in each symbol.
    Raises SourceError for what cannot be read, and NotEnoughData without an outcome.
    """
    return labelled_rows_of(open_source(path), settings, label, calendar, keep_about)


def labelled_rows_of(source: Source, settings: Settings, label: LabelSettings, calendar: str, keep_about: int) -> tuple[Dataset, Labels]:
    """The same of an open source."""
    gateway = GatewaySettings.of(settings)
    sink = RowSink(gateway.frames_topic, settings.kernel.kernel_settings(), keep_about)
    Gateway(sink, gateway, facts=facts_of(settings.facts)).run(source)
    by_symbol = {symbol: made.rows() for symbol, made in sorted(sink.made.items())}
    ends = _session_ends(by_symbol, calendar)
    parts = [_labelled(code, rows, label, ends) for code, rows in enumerate(by_symbol.values())]
    if not sum(labels.rows.shape[0] for _, labels in parts):
        raise NotEnoughData(f"no row of {source.name} has an outcome: it spans less than the horizon, or its rows are too far apart")
    return _together(tuple(by_symbol), parts)


def fingerprint(path: Path) -> str:
    """SHA-256 of the names and bytes of all files of a path, in order."""
    digest = hashlib.sha256()
    files = [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file())
    for file in files:
        digest.update(f"{file.name}\0{file.stat().st_size}\0".encode())
        with file.open("rb") as opened:
            while block := opened.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _session_ends(by_symbol: dict[str, _Rows], calendar: str) -> Times:
    times = [time for rows in by_symbol.values() for time in (int(rows.event_time.min()), int(rows.event_time.max()))]
    return session_ends(calendar, min(times), max(times) + 1) if calendar and times else NO_BREAKS


def _labelled(code: int, rows: _Rows, label: LabelSettings, breaks: Times) -> tuple[Dataset, Labels]:
    """One symbol's kept rows that have an outcome."""
    priced = np.flatnonzero(rows.price > 0)
    order = priced[np.lexsort((rows.event_number[priced], rows.event_time[priced]))]
    path = path_of(
        rows.event_time[order], rows.price[order], rows.spread[order].astype(np.float64), rows.halted[order], breaks, label.longest_gap
    )
    found = outcomes_of(path, label)
    place = np.full(rows.price.shape[0], -1)
    place[rows.kept] = np.arange(rows.kept.shape[0])
    wanted = place[order[found.rows]] >= 0
    at = order[found.rows[wanted]]
    dataset = Dataset(
        ("",),
        np.full(at.shape[0], code, np.int32),
        rows.event_time[at],
        rows.event_number[at],
        rows.price[at],
        rows.values[place[at]],
        FEATURE_NAMES,
        FEATURE_SET,
        (),
        rows.available_time[at],
    )
    return dataset, Labels(np.arange(at.shape[0]), *(column[wanted] for column in found[1:]))


def _together(symbols: tuple[str, ...], parts: list[tuple[Dataset, Labels]]) -> tuple[Dataset, Labels]:
    datasets = [dataset for dataset, _ in parts]
    names = ("symbol", "event_time", "event_number", "price", "values", "available_time")
    columns = {name: np.concatenate([getattr(dataset, name) for dataset in datasets]) for name in names}
    order = np.lexsort((columns["event_number"], columns["symbol"], columns["event_time"]))
    dataset = datasets[0]._replace(symbols=symbols, **columns).take(order)
    start, end, value, side = (np.concatenate([labels[place] for _, labels in parts])[order] for place in (1, 2, 3, 4))
    return dataset, Labels(np.arange(order.shape[0]), start, end, value, side)
