"""The analyser: two passes over the rows, the first over their times alone, so that nonsense is found before anything leans on them."""

from __future__ import annotations

import pyarrow as pa
from pyiceberg.catalog import Catalog

from jobs.lake.reading import Selection
from jobs.training.analysis.coverage import Coverage
from jobs.training.analysis.findings import Findings
from jobs.training.analysis.rows import COLUMNS, RowCheck
from jobs.training.analysis.times import TimeCheck
from jobs.training.point_in_time.chunks import count_rows, plan_chunks
from jobs.training.point_in_time.pinned import PinnedTable
from jobs.training.point_in_time.reader import DatasetRequest

_FIRST_PASS = ("symbol", "event_time", "event_time_ns", "available_time_ns", "feature_set")


def analyse(catalog: Catalog, namespace: str, feature_names: tuple[str, ...], request: DatasetRequest, feature_set: str = "") -> Findings:
    """What is in the rows that a request asks for, and in the tables that it joins. `feature_set`: the one that can be used, if not any."""
    findings = Findings()
    features = PinnedTable(catalog, namespace, "features")
    chosen = Selection(request.from_time, request.to_time, request.symbols)
    _first_pass(features, chosen, findings, feature_set)
    for source in request.sources:
        _check_source(PinnedTable(catalog, namespace, source.table), findings)
    if findings.usable:
        _second_pass(features, chosen, feature_names, request.rows_in_memory, findings)
    return findings


def _first_pass(features: PinnedTable, chosen: Selection, findings: Findings, feature_set: str) -> None:
    times, coverage = TimeCheck("features"), Coverage()
    for batch in features.selected(_FIRST_PASS, "event_time", chosen):
        times.add(batch)
        coverage.add(batch)
    coverage.report(findings, feature_set)
    times.report(findings)


def _check_source(table: PinnedTable, findings: Findings) -> None:
    times = TimeCheck(table.name)
    for batch in table.everything(("event_time_ns", "available_time_ns")):
        times.add(batch)
    times.report(findings)


def _second_pass(features: PinnedTable, chosen: Selection, feature_names: tuple[str, ...], rows_in_memory: int, findings: Findings) -> None:
    check = RowCheck(feature_names)
    counts = count_rows(features.selected(("symbol", "event_time_ns"), "event_time", chosen))
    for chunk in plan_chunks(counts, rows_in_memory):
        piece = features.selected(COLUMNS, "event_time", Selection(chunk.from_time, chunk.to_time, chunk.symbols))
        batches = [batch for batch in piece if batch.num_rows]
        if batches:
            check.add(pa.Table.from_batches(batches))
    check.report(findings)
