"""What is remembered of a symbol, in bytes, by part: it does not grow with the number of ticks or the age of the symbol."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from typing import Any

from udfs.codecs.state_blob import pack_state
from udfs.kernels.feature_vector import FEATURE_COUNT
from udfs.kernels.symbol_state import SYMBOL_STATE, new_state

LIMIT_BYTES = 8192


def measure_state() -> dict[str, Any]:
    """Bytes of a symbol's state as it is stored, and of each of its parts; `holds` tells whether it is within the limit."""
    blob = pack_state(new_state())
    stored = len(pickle.dumps(blob))
    fields: Mapping[str, Any] = SYMBOL_STATE.fields or {}
    parts = {name: int(fields[name][0].itemsize) for name in SYMBOL_STATE.names or ()}
    return {
        "features": FEATURE_COUNT,
        "kernel_bytes": SYMBOL_STATE.itemsize,
        "stored_bytes": stored,
        "limit_bytes": LIMIT_BYTES,
        "holds": stored <= LIMIT_BYTES,
        "gigabytes_of_100000_symbols": round(stored * 100_000 / 1e9, 3),
        "parts": dict(sorted(parts.items(), key=lambda part: -part[1])),
    }
