"""Equality to the bit: NaN equals NaN of the same bits, and 0.0 does not equal -0.0."""

from __future__ import annotations

import struct
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np


def bits(value: Any) -> Any:
    """A value that is equal for two records exactly where they are equal to the bit."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, float):
        return struct.pack("<d", value)
    if isinstance(value, tuple):
        return type(value).__name__, tuple(bits(item) for item in value)
    if is_dataclass(value):
        return type(value).__name__, tuple(bits(getattr(value, field.name)) for field in fields(value))
    return type(value).__name__, value
