"""Stored signals at random, made again: how many come out with the same bits, and how long it takes.

Those of one symbol are made again in one pass over its frames: each still comes from the first frame on, through every frame before its
own. How long one takes that is asked for alone is measured by itself, with nothing kept from one to the next but what a process keeps.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
from pyiceberg.catalog import Catalog
from pyiceberg.expressions import In

from jobs.explanation.made_again import differences, made_again_together
from jobs.lake.reading import condition, read_rows, scan_batches
from jobs.lake.settings import LakeSettings
from jobs.lake.tables import NAMESPACE
from jobs.model_store import fetch_model
from jobs.recomputation.stored import settings_that_made_rows
from jobs.schema_registry import schema_ids
from jobs.settings import Settings
from udfs.errors import TickflowError

LIMIT_SECONDS: Final = 3.0
"""What one signal may take that is asked for alone."""
_SHOWN: Final = 10


@dataclass(frozen=True)
class Sample:
    """Which signals."""

    count: int
    seed: int = 1
    alone: int = 50
    """Of them, also made again one by one."""


def made_again_at_random(
    catalog: Catalog, lake: LakeSettings, settings: Settings, sample: Sample, explained_alone: Callable[[str], bool]
) -> dict[str, Any]:
    """Counts and seconds. `explained_alone` explains one signal and says whether it is identical. Raises TickflowError, FrameChanged."""
    stored = sorted({name for batch in read_rows(catalog, NAMESPACE, "signals", ("signal_id",)) for name in batch.column(0).to_pylist()})
    if not stored:
        raise TickflowError("no signal is stored yet")
    chosen = random.Random(sample.seed).sample(stored, min(sample.count, len(stored)))
    together = _together(catalog, lake, settings, chosen)
    alone = _alone(chosen[: sample.alone], explained_alone)
    different = together.pop("different")
    identical = len(chosen) - len(different)
    return {
        "stored": len(stored),
        "sampled": len(chosen),
        "seed": sample.seed,
        "identical": identical,
        "different": different[:_SHOWN],
        "together": together,
        "alone": alone,
        "limit_seconds": LIMIT_SECONDS,
        "holds": identical == len(chosen) and alone["identical"] == alone["count"] and (alone["max"] or 0.0) <= LIMIT_SECONDS,
    }


def _together(catalog: Catalog, lake: LakeSettings, settings: Settings, chosen: Sequence[str]) -> dict[str, Any]:
    """Symbol by symbol."""
    began, frames, different = time.perf_counter(), 0, list[dict[str, Any]]()
    ids = schema_ids(settings.schema_registry_url)
    fetch = partial(fetch_model, s3_endpoint=lake.s3_endpoint, s3_region=lake.s3_region)
    made_by = settings_that_made_rows(catalog, settings)
    groups = _by_symbol(_rows(catalog, chosen))
    for rows in groups.values():
        read = 0
        for row, again in made_again_together(catalog, rows, made_by, fetch, ids):
            found, read = differences(row, again.signal), again.frames_read
            different += [{"signal_id": row["signal_id"], "differences": found}] if found else []
        frames += read
    seconds = time.perf_counter() - began
    return {
        "symbols": len(groups),
        "frames": frames,
        "seconds": round(seconds, 3),
        "seconds_each": round(seconds / len(chosen), 5),
        "different": different,
    }


def _rows(catalog: Catalog, chosen: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Each chosen signal once, however often it was stored."""
    known, table = set[str](), catalog.load_table((NAMESPACE, "signals"))
    for batch in scan_batches(table, (), condition(In, "signal_id", chosen)):
        for row in batch.to_pylist():
            if row["signal_id"] not in known:
                known.add(row["signal_id"])
                yield row


def _by_symbol(rows: Iterator[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["symbol"], []).append(row)
    return dict(sorted(found.items()))


def _alone(chosen: Sequence[str], explained_alone: Callable[[str], bool]) -> dict[str, Any]:
    """Seconds that passed; and those of a processor, which other programs on the machine do not lengthen."""
    passed, used, identical = list[float](), list[float](), 0
    for signal_id in chosen:
        began, cpu = time.perf_counter(), time.process_time()
        identical += explained_alone(signal_id)
        passed.append(time.perf_counter() - began)
        used.append(time.process_time() - cpu)
    p50, p99, longest = np.percentile(passed, (50, 99, 100)).round(3).tolist() if passed else (None, None, None)
    cpu_longest = round(max(used), 3) if used else None
    return {"count": len(passed), "identical": identical, "p50": p50, "p99": p99, "max": longest, "cpu_max": cpu_longest}
