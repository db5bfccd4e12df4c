"""What every test may lean on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""No test fails because the machine is busy."""
settings.register_profile("repeatable", UNTIMED, derandomize=True)
settings.register_profile("searching", UNTIMED, print_blob=True)
settings.load_profile("repeatable")
"""The same examples each time, so that a change is judged by what it changed; `--hypothesis-profile=searching` draws others each time."""

ROOT = Path(__file__).resolve().parents[1]
MARKET_DATA = ROOT.parent / "shared" / "data"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--outage-minutes", type=float, default=0.02, metavar="N", help="how long receivers of alerts are down (default 0.02 of a minute)"
    )


@pytest.fixture(scope="session")
def outage_seconds(request: pytest.FixtureRequest) -> float:
    """How long receivers are down where a test lets them be."""
    return 60.0 * float(request.config.getoption("--outage-minutes"))


@pytest.fixture(scope="session")
def market_data() -> Path:
    """The folder of recorded market data beside the checkout; tests that need it skip where it is absent."""
    if not MARKET_DATA.is_dir():
        pytest.skip(f"no recorded market data at {MARKET_DATA}")
    return MARKET_DATA


@pytest.fixture(scope="session", autouse=True)
def audit_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Audit logs of a test run are thrown away with it, also those of programs that it starts."""
    folder = tmp_path_factory.mktemp("audit")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TICKFLOW_AUDIT", str(folder))
        yield folder
