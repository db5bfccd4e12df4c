"""`python -m jobs.backtest`."""

from __future__ import annotations

import sys

from jobs.backtest import main

sys.exit(main(sys.argv[1:]))
