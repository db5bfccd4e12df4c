"""Values as Flink SQL prints them and as Python has them, made comparable."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any


def comparable(value: Any) -> Any:
    """Times as aware datetimes, NaN as None, so that Flink's values and ours can be compared."""
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, str) and value.endswith("Z") and value[:4].isdigit():
        return datetime.fromisoformat(value).astimezone(UTC)
    return value
