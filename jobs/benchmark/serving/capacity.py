"""What many people need, from what one process was measured to do. What is not measured stands in `Audience` and is an assumption."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Final

_SECONDS_AN_HOUR: Final = 3_600.0


@dataclass(frozen=True)
class Audience:
    """Who comes, and how often. These are assumptions: change them with the command's options."""

    daily_users: int = 10_000_000
    openings_a_day: float = 10.0
    """How often a user opens a watchlist in a day: one read each."""
    busiest_hour_share: float = 0.2
    """Of a day's openings."""
    listening_share: float = 0.02
    """Of the daily users, who have a live watchlist open in the busiest moment."""
    market_symbols: int = 10_000
    seconds_between_signals: float = 10.0
    """Of one symbol."""
    core_share: float = 0.5
    """Of a core that a process may use on average in the busiest hour."""


@dataclass(frozen=True)
class Costs:
    """What was measured of one process."""

    cpu_seconds_a_read: float
    bytes_a_read: float
    cpu_seconds_a_message: float
    bytes_a_message: float
    messages_a_client_a_second: float
    seconds_between_signals: float
    """Of one symbol, when the messages were counted."""
    cpu_seconds_a_signal: float
    """To take a signal from the stream: each process takes every one."""
    clients_a_process: int
    """That were held at once: no more are planned than were shown."""
    resident_bytes: float
    resident_bytes_a_client: float


def plan(costs: Costs, audience: Audience) -> dict[str, Any]:
    """Processes, memory and bandwidth of the busiest hour; `processes` is None where one process cannot even take the stream."""
    reads = audience.daily_users * audience.openings_a_day * audience.busiest_hour_share / _SECONDS_AN_HOUR
    clients = audience.daily_users * audience.listening_share
    messages = clients * costs.messages_a_client_a_second * costs.seconds_between_signals / audience.seconds_between_signals
    signals = audience.market_symbols / audience.seconds_between_signals
    taking = signals * costs.cpu_seconds_a_signal
    work = reads * costs.cpu_seconds_a_read + messages * costs.cpu_seconds_a_message
    left = audience.core_share - taking
    processes = max(math.ceil(work / left), math.ceil(clients / costs.clients_a_process)) if left > 0 else None
    memory = None if processes is None else processes * costs.resident_bytes + clients * costs.resident_bytes_a_client
    return {
        "assumed": asdict(audience),
        "measured": {name: float(f"{value:.4g}") for name, value in asdict(costs).items()},
        "reads_a_second": round(reads),
        "clients": round(clients),
        "messages_a_second": round(messages),
        "signals_a_second": round(signals, 1),
        "core_share_for_the_stream": round(taking, 4),
        "processes": processes,
        "processes_for_reads_alone": None if left <= 0 else math.ceil(reads * costs.cpu_seconds_a_read / left),
        "clients_of_a_process": None if not processes else math.ceil(clients / processes),
        "memory_gibibytes": None if memory is None else round(memory / 2**30, 1),
        "gigabits_a_second": round((reads * costs.bytes_a_read + messages * costs.bytes_a_message) * 8 / 1e9, 2),
        "gigabits_a_second_from_kafka": None if processes is None else round(processes * signals * costs.bytes_a_message * 8 / 1e9, 3),
    }
