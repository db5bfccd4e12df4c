"""`why` for the API: the same explanation as the verb's, in a process of its own with low priority, one at a time.

Making a signal again takes a core for a while; here it takes none from those who read signals.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from collections import OrderedDict
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Final

from pyiceberg.exceptions import NoSuchTableError

from jobs.lake.catalog import open_catalog
from jobs.lake.settings import LakeSettings
from jobs.serving.api.problems import Problem
from jobs.settings import Settings
from udfs.errors import TickflowError

LONGEST_SECONDS: Final = 120.0
MOST_WAITING, MOST_REMEMBERED = 8, 256
_NICENESS: Final = 10


class Explainer:
    """Explains stored signals. Raises Problem: 404 unknown, 422 cannot be made again, 429 while too many wait, 503 too slow."""

    def __init__(self, lake: LakeSettings, settings: Settings) -> None:
        self._lake, self._settings = lake, settings
        self._pool: ProcessPoolExecutor | None = None
        self._one = asyncio.Semaphore(1)
        self._waiting = 0
        self._known: OrderedDict[str, dict[str, Any]] = OrderedDict()

    async def explain(self, signal_id: str) -> dict[str, Any]:
        """See `jobs.why.explain`."""
        if signal_id in self._known:
            return self._known[signal_id]
        if self._waiting >= MOST_WAITING:
            raise Problem(429, "busy", "too many signals are being explained", {"Retry-After": "5"})
        self._waiting += 1
        try:
            async with self._one:
                found = await self._run(signal_id)
        finally:
            self._waiting -= 1
        if found["outcome"] is not None:
            self._known[signal_id] = found
            if len(self._known) > MOST_REMEMBERED:
                self._known.popitem(last=False)
        return found

    def close(self) -> None:
        """End the process."""
        if self._pool is not None:
            for process in list((self._pool._processes or {}).values()):
                process.kill()
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    async def _run(self, signal_id: str) -> dict[str, Any]:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(1, context, os.nice, (_NICENESS,))
        work = asyncio.get_running_loop().run_in_executor(self._pool, explain_here, self._lake, self._settings, signal_id)
        try:
            kind, found = await asyncio.wait_for(work, LONGEST_SECONDS)
        except (TimeoutError, BrokenProcessPool):
            self.close()
            raise Problem(503, "too_slow", f"the signal was not made again within {LONGEST_SECONDS:g} s", {"Retry-After": "30"}) from None
        if kind != "explained":
            raise Problem(404 if kind == "unknown_signal" else 422, kind, str(found))
        return dict(found)


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
