"""`why` and `drift` for the API: the same as the verbs', in a process of its own with low priority, one at a time.

Making a signal again takes a core for a while; here it takes none from those who read signals.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Final, TypeVar

from pyiceberg.exceptions import NoSuchTableError

from jobs.lake.catalog import open_catalog
from jobs.lake.settings import LakeSettings
from jobs.serving.api.problems import Problem
from jobs.settings import Settings
from udfs.errors import TickflowError

LONGEST_SECONDS: Final = 120.0
DRIFT_SECONDS: Final = 600.0
"""Between two looks at drift."""
MOST_WAITING, MOST_REMEMBERED, MOST_FEATURES = 8, 256, 40
_NICENESS: Final = 10
Result = TypeVar("Result")


class Explainer:
    """Explains stored signals. Raises Problem: 404 unknown, 422 cannot be made again, 429 while too many wait, 503 too slow."""

    def __init__(self, lake: LakeSettings, settings: Settings) -> None:
        self._lake, self._settings = lake, settings
        self._pool: ProcessPoolExecutor | None = None
        self._one = asyncio.Semaphore(1)
        self._waiting = 0
        self._known: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._drift: dict[str, Any] = {}
        self._drift_at = float("-inf")

    async def explain(self, signal_id: str) -> dict[str, Any]:
        """See `jobs.why.explain`."""
        if signal_id in self._known:
            return self._known[signal_id]
        found = await self._in_turn(lambda: self._run(signal_id))
        if found["outcome"] is not None:
            self._known[signal_id] = found
            if len(self._known) > MOST_REMEMBERED:
                self._known.popitem(last=False)
        return found

    async def drift(self) -> dict[str, Any]:
        """See `jobs.drift.drift_of_model`: of the champion, and not too often. `why` says what kept it from being measured."""
        if self._drift_is_old():
            await self._in_turn(self._measure_drift)
        return self._drift

    async def _measure_drift(self) -> None:
        if self._drift_is_old():
            self._drift = await self._apart(drift_here, self._lake)
            self._drift_at = time.monotonic()

    def _drift_is_old(self) -> bool:
        return time.monotonic() - self._drift_at > DRIFT_SECONDS

    async def _in_turn(self, work: Callable[[], Awaitable[Result]]) -> Result:
        """One after the other, and no endless queue."""
        if self._waiting >= MOST_WAITING:
            raise Problem(429, "busy", "too much is being explained", {"Retry-After": "5"})
        self._waiting += 1
        try:
            async with self._one:
                return await work()
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """End the process."""
        if self._pool is not None:
            for process in list((self._pool._processes or {}).values()):
                process.kill()
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    async def _run(self, signal_id: str) -> dict[str, Any]:
        kind, found = await self._apart(explain_here, self._lake, self._settings, signal_id)
        if kind != "explained":
            raise Problem(404 if kind == "unknown_signal" else 422, kind, str(found))
        return dict(found)

    async def _apart(self, work: Callable[..., Result], *arguments: Any) -> Result:
        """Have it done in the other process."""
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(1, context, os.nice, (_NICENESS,))
        running = asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)
        try:
            return await asyncio.wait_for(running, LONGEST_SECONDS)
        except (TimeoutError, BrokenProcessPool):
            self.close()
            raise Problem(503, "too_slow", f"it was not done within {LONGEST_SECONDS:g} s", {"Retry-After": "30"}) from None


def explain_here(lake: LakeSettings, settings: Settings, signal_id: str) -> tuple[str, Any]:
    """("explained", the explanation), or what kept it from being made, in words. Runs in the other process."""
    from jobs.explanation.made_again import UnknownSignal
    from jobs.why import explain

    try:
        return "explained", explain(open_catalog(lake), lake, settings, signal_id)
    except UnknownSignal as error:
        return "unknown_signal", str(error)
    except NoSuchTableError:
        return "unknown_signal", "the lake holds no signals yet"
    except (TickflowError, ValueError, OSError) as error:
        return "not_made_again", str(error)


def drift_here(lake: LakeSettings) -> dict[str, Any]:
    """Drift of the champion's inputs, or why it was not measured. Runs in the other process."""
    from jobs.drift import card_of, drift_of_model, rows_since_training
    from jobs.model_store import store_of
    from jobs.monitoring.drift import DriftSettings

    try:
        store, catalog = store_of(lake), open_catalog(lake)
        card = card_of(store)
        found = drift_of_model(catalog, store, card, DriftSettings(), *rows_since_training(catalog, card))
    except (TickflowError, NoSuchTableError, ValueError, OSError) as error:
        return {"status": "unknown", "why": str(error), "model": "", "drifted": False, "features": []}
    names = ("feature", "psi", "psi_threshold", "distance", "distance_threshold", "alarm")
    features = [{name: each[name] for name in names} for each in found["features"][:MOST_FEATURES]]
    return {"status": "live", "why": "", "model": found["model"], "drifted": found["drifted"], "features": features}
