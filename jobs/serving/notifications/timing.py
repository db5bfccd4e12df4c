"""When an alert may go out. Pure: the moment is an argument."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from jobs.serving.notifications.channels import Channel, Quiet

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 300.0
TRIED_FOR_SECONDS: Final = 86_400.0
"""From a message's first attempt until it is undeliverable."""


class Due(NamedTuple):
    """When an alert may go out, seconds since 1970, and whether together with others that are due."""

    at: float
    together: bool


def due(channel: Channel, now: float) -> Due:
    """For an alert that has just come."""
    gathered = now + channel.digest_seconds
    quiet_ends = None if channel.quiet is None else end_of_quiet(channel.quiet, gathered)
    return Due(quiet_ends or gathered, bool(channel.digest_seconds) or quiet_ends is not None)


def end_of_quiet(quiet: Quiet, moment: float) -> float | None:
    """When the quiet hours end in which this moment lies; None outside. Hours that begin after they end last over midnight."""
    local = datetime.fromtimestamp(moment, UTC).astimezone(ZoneInfo(quiet.zone))
    clock = local.time()
    over_midnight = quiet.begins > quiet.ends
    inside = (clock >= quiet.begins or clock < quiet.ends) if over_midnight else quiet.begins <= clock < quiet.ends
    if not inside:
        return None
    day = local.date() + timedelta(days=1 if over_midnight and clock >= quiet.begins else 0)
    return datetime.combine(day, quiet.ends, ZoneInfo(quiet.zone)).timestamp()


def pause_seconds(attempts: int) -> float:
    """How long to wait after so many attempts: twice as long each time, with an end."""
    return min(FIRST_PAUSE_SECONDS * 2.0 ** min(attempts - 1, 30), LONGEST_PAUSE_SECONDS)
