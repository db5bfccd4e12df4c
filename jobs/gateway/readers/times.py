"""Venue times to integer nanoseconds since the Unix epoch (UTC), without passing through floats."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

NANOSECONDS_PER_SECOND = 1_000_000_000
NEW_YORK = ZoneInfo("America/New_York")
KOLKATA = ZoneInfo("Asia/Kolkata")
NANOSECONDS_BY_UNIT = {"s": NANOSECONDS_PER_SECOND, "ms": 1_000_000, "us": 1_000, "ns": 1}


@lru_cache(maxsize=4096)
def midnight(day: date, zone: tzinfo) -> int:
    """Start of a local day."""
    return int(datetime.combine(day, time(), zone).timestamp()) * NANOSECONDS_PER_SECOND


def compact_date(text: str) -> date:
    """Day from `YYYYMMDD`."""
    return date(int(text[:4]), int(text[4:6]), int(text[6:8]))


@lru_cache(maxsize=4096)
def local_second(text: str, zone: tzinfo) -> int:
    """`YYYY-MM-DD HH:MM:SS` (or with T) of a zone; a time that carries its own offset keeps it."""
    moment = datetime.fromisoformat(text)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()) * NANOSECONDS_PER_SECOND


def decimal_nanoseconds(text: bytes | str, unit: int = NANOSECONDS_PER_SECOND) -> int:
    """A decimal number of `unit` nanoseconds, exactly: `34200.017459617` seconds. Digits beyond the nanosecond are cut."""
    whole, _, fraction = (text.decode() if isinstance(text, bytes) else text).strip().partition(".")
    if not fraction:
        return int(whole) * unit
    if not fraction.isdigit():
        raise ValueError(f"found {text!r}, expected a decimal number")
    scale: int = 10 ** len(fraction)
    part = int(fraction) * unit // scale
    return int(whole) * unit - part if whole.startswith("-") else int(whole or "0") * unit + part


def epoch_nanoseconds(number: int) -> int:
    """A time since the epoch whose unit is told by its size: s, ms, us or ns (right for 1973 to 2286)."""
    if number < 100_000_000_000:
        return number * NANOSECONDS_PER_SECOND
    if number < 100_000_000_000_000:
        return number * 1_000_000
    return number * 1_000 if number < 100_000_000_000_000_000 else number


def written_time(text: str, zone: tzinfo = UTC) -> int:
    """A time written out, to the nanosecond: `2013-01-01 22:00:00.295000+00:00`, `20200101 170000065`, or a number since the epoch."""
    text = text.strip()
    if text.isdigit() and len(text) > 8:
        return epoch_nanoseconds(int(text))
    if text[:8].isdigit():
        return compact_time(text, zone)
    head, dot, tail = text.partition(".")
    if not dot:
        return local_second(text, zone)
    digits = len(tail) - len(tail.lstrip("0123456789"))
    return local_second(head + tail[digits:], zone) + decimal_nanoseconds("0." + tail[:digits])


def compact_time(text: str, zone: tzinfo) -> int:
    """`YYYYMMDD`, `YYYYMMDD HH:MM`, `YYYYMMDD HHMMSS` or `YYYYMMDD HHMMSSmmm` (also with separators and a decimal point)."""
    clock, _, fraction = text[8:].strip(" T").partition(".")
    digits = clock.replace(":", "").ljust(6, "0")
    second = local_second(f"{text[:4]}-{text[4:6]}-{text[6:8]} {digits[:2]}:{digits[2:4]}:{digits[4:6]}", zone)
    return second + decimal_nanoseconds("0." + (digits[6:] + fraction or "0"))


def iso_time(nanoseconds: int) -> str:
    """ISO 8601 in UTC, to the nanosecond."""
    seconds, fraction = divmod(nanoseconds, NANOSECONDS_PER_SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{fraction:09d}Z"
