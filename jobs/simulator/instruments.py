"""Reference data of the simulated symbols, so that a demo shows sectors and sizes."""

from __future__ import annotations

import math

from jobs.reference.instruments import BUCKETS, SECTORS, Instrument, Instruments
from jobs.simulator.settings import SimulationSettings

_SECTORS = ("financials", "health care", "information technology")


def simulated_instruments(settings: SimulationSettings) -> Instruments:
    """The sectors in turn; the more active half are large, the others small. All were listed long ago."""
    names = settings.names()
    return Instruments([_instrument(name, place, len(names)) for place, name in enumerate(names)])


def _instrument(name: str, place: int, count: int) -> Instrument:
    return Instrument(
        symbol=name,
        valid_from=-math.inf,
        available_from=-math.inf,
        sector=float(SECTORS.index(_SECTORS[place % len(_SECTORS)])),
        market_cap_bucket=float(BUCKETS.index("large" if 2 * place < count else "small")),
        calendar="",
        listed=0.0,
        delisted=math.nan,
    )
