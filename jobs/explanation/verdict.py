"""What became of a signal at the risk gate, as the journal of paper trading tells of it, and which run made it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from pyiceberg.catalog import Catalog
from pyiceberg.expressions import EqualTo

from jobs.audit.chain import lines_of
from jobs.audit.entries import read_line
from jobs.lake.reading import condition, scan_batches
from jobs.lake.tables import NAMESPACE

_VERDICTS: Final = {"order_sent": "allowed", "order_denied": "denied", "order_cancelled": "cancelled", "order_filled": "filled"}


def risk_verdict(journal: Path, signal_id: str) -> list[dict[str, Any]]:
    """The gate's verdict and what followed, in their order; empty where the signal never became an order."""
    if not journal.exists():
        return []
    named, found = signal_id.encode(), list[dict[str, Any]]()
    with journal.open("rb") as file:
        for line in lines_of(file):
            if named not in line or not line.endswith(b"\n"):
                continue
            try:
                entry = read_line(line, "")[0]
            except ValueError:
                continue
            if entry.kind in _VERDICTS and entry.what.get("order_id") == signal_id:
                found.append(
                    {"verdict": _VERDICTS[entry.kind], "why": entry.why, "time_ns": entry.time, "quantity": entry.what.get("quantity")}
                )
    return found


def manifest_of(catalog: Catalog, manifest_id: str) -> dict[str, Any]:
    """Code and settings that made the signal, and the runs that had them."""
    table = catalog.load_table((NAMESPACE, "runs"))
    columns = ("run_id", "verb", "started_at", "code_hash", "feature_set")
    rows = [row for batch in scan_batches(table, columns, condition(EqualTo, "manifest_id", manifest_id)) for row in batch.to_pylist()]
    runs = sorted({(row["started_at"].isoformat(), row["verb"], row["run_id"]) for row in rows})
    return {
        "manifest_id": manifest_id,
        "code_hash": rows[0]["code_hash"] if rows else None,
        "feature_set": rows[0]["feature_set"] if rows else None,
        "runs": [{"run_id": run_id, "verb": verb, "started_at": started} for started, verb, run_id in runs],
    }
