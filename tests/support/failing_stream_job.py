"""The stream job as it is, but that its worker fails once when a file is there: for tests of recovery.

Run as the entry file of `flink run` in place of `jobs/live.py`, so nothing of it is in what is shipped. The failure comes before a frame is
taken, changes no state, and takes the file away.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from jobs import live
from udfs.operators.market_function import MarketFunction

WITNESS = "TICKFLOW_TEST_FAILS_WHEN_THERE"
"""Names the file, in the environment of the submission."""


class FailingMarketFunction(MarketFunction):
    """Raises once a file is there."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._witness = os.environ[WITNESS]

    def process_element(self, value: Any, context: Any) -> Any:
        if os.path.exists(self._witness):
            os.unlink(self._witness)
            raise RuntimeError("this worker is meant to fail")
        return super().process_element(value, context)


if __name__ == "__main__":
    live.MarketFunction = FailingMarketFunction  # type: ignore[misc]
    sys.exit(live.main(sys.argv[1:]))
