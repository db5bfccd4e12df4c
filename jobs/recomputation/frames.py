"""Stored frames through the operator's own processor: the same rows as a replay, from one process that needs neither Kafka nor Flink."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final

from pyiceberg.catalog import Catalog

from jobs.lake.reading import StoredFrame, read_rows
from jobs.lake.tables import NAMESPACE
from jobs.model_store import fetch_model
from jobs.settings import Settings
from jobs.worker import worker_settings
from udfs.codecs.control import decode_control
from udfs.codecs.wire import PINNED, SchemaIds
from udfs.errors import MalformedMessage, ModelMismatch, TickflowError
from udfs.operators.control_log import ControlLog, ControlLogSettings
from udfs.operators.control_state import FetchModel
from udfs.operators.symbol_processor import Outcome, PricedRow, SymbolProcessor
from udfs.records import ControlEvent, ControlKind, ModelReference

REMADE: Final = "recomputed"
"""Manifest of what is made to be compared, and never written."""


class StoredControl:
    """The stored control log, for `ControlLog`."""

    def __init__(self, payloads: list[bytes]) -> None:
        self._payloads = payloads

    def end(self) -> int:
        """How many entries there are."""
        return len(self._payloads)

    def entries(self, first: int, count: int) -> list[bytes]:
        """`count` entries from position `first`."""
        return self._payloads[first : first + count]


def stored_control(catalog: Catalog) -> list[bytes]:
    """The entries of the control log in their order. Raises TickflowError when one is missing."""
    rows = [row for batch in read_rows(catalog, NAMESPACE, "control_events", ("version", "payload")) for row in batch.to_pylist()]
    payloads = {row["version"]: row["payload"] for row in rows}
    versions = sorted(payloads)
    if versions != list(range(1, len(versions) + 1)):
        raise TickflowError(f"the stored control log has entries {versions}, expected 1 to {len(versions)} without a gap")
    return [payloads[version] for version in versions]


def recomputed_rows(
    frames: Iterable[StoredFrame],
    settings: Settings,
    control: list[bytes],
    schema_ids: SchemaIds = PINNED,
    fetch: FetchModel = fetch_model,
) -> Iterator[PricedRow]:
    """The feature rows that the frames make, in the order of the frames; nothing is scored but news."""
    log = ControlLog(StoredControl(control), news_models_only(control, fetch))
    for _, outcome in processed(frames, settings, log, schema_ids):
        for record in outcome.records:
            if isinstance(record, PricedRow):
                yield record


def processed(
    frames: Iterable[StoredFrame], settings: Settings, log: ControlLog, schema_ids: SchemaIds
) -> Iterator[tuple[StoredFrame, Outcome]]:
    """Each frame and what it gives. Symbols start without history."""
    processor = SymbolProcessor(worker_settings(settings, REMADE, ControlLogSettings(""), schema_ids), log)
    states: dict[str, bytes] = {}
    for frame in frames:
        outcome = processor.process(frame.symbol, frame.frame, frame.position, states.get(frame.symbol))
        if outcome.state is not None:
            states[frame.symbol] = outcome.state
        yield frame, outcome


def news_models_only(control: list[bytes], fetch: FetchModel) -> FetchModel:
    """Features depend on the models that read news, and on no other, so no other is fetched."""
    needed = frozenset(event.model for event in _events(control) if event.kind is ControlKind.NEWS_MODEL)

    def fetch_needed(reference: ModelReference) -> bytes:
        if reference not in needed:
            raise ModelMismatch(f"model {reference.version} is not needed")
        return fetch(reference)

    return fetch_needed


def _events(control: list[bytes]) -> Iterator[ControlEvent]:
    """The entries that can be read."""
    for offset, raw in enumerate(control):
        with suppress(MalformedMessage):
            yield decode_control(raw, offset)
