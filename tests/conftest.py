"""What every test may lean on."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MARKET_DATA = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def market_data() -> Path:
    """The folder of recorded market data beside the checkout; tests that need it skip where it is absent."""
    if not MARKET_DATA.is_dir():
        pytest.skip(f"no recorded market data at {MARKET_DATA}")
    return MARKET_DATA
