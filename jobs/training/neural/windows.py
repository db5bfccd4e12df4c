"""The windows of time that a row's inputs look back on: what the network attends over in place of rows that came before.

The stream keeps no rows of a symbol's past, but a row holds the past already: each of its features measures a stretch that ends now. The
feature list says how long it is, by the feature's name or by its warm-up; what looks back on nothing says where it comes from.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from udfs.kernels.feature_traits import Described, Memory
from udfs.kernels.feature_vector import Feature

_SCALES: Final = ((1, "1 s"), (10, "10 s"), (60, "1 min"), (300, "5 min"), (1200, "15 min"), (2400, "30 min"), (3600, "1 h"))
"""Longest stretch in seconds of each window; the indicators of 11 to 20 minute bars share one, those of 21 to 40 another."""
WINDOWS: Final = ("now", *(name for _, name in _SCALES), "day", "market", "calendar", "news", "quality")
"""All there are, in the order of the network."""
_LENGTH: Final = re.compile(r"(?:^|[_ ])(\d+)[_ ](?:closed )?(second|minute|hour|s|min|h|bar)")
_SECONDS: Final = {"s": 1, "second": 1, "min": 60, "minute": 60, "bar": 60, "h": 3600, "hour": 3600}
_SOURCES: Final = (
    ("news", re.compile("news|an item")),
    ("calendar", re.compile("a SESSION")),
    ("market", re.compile("CONTEXT|pairs of returns")),
    ("quality", re.compile("REFERENCE|seconds_since")),
)
"""What does not measure the symbol's own trading, known by its name and its warm-up."""


def window_of(feature: Described) -> str:
    """The window that a feature looks back on, one of WINDOWS."""
    name = feature.name.lower()
    told = f"{name} {feature.warm_up}"
    for window, mark in _SOURCES:
        if mark.search(told):
            return window
    if feature.memory is Memory.LOADED:
        return "quality"
    if feature.memory is Memory.SESSION:
        return "day"
    seconds = _length(name) or _length(feature.warm_up)
    return next((window for most, window in _SCALES if seconds <= most), "day") if seconds else "now"


def _length(text: str) -> int:
    """Seconds of the first stretch that is named; 0 where none is."""
    found = _LENGTH.search(text)
    return int(found[1]) * _SECONDS[found[2]] if found else 0


def layout_of(feature_names: Sequence[str]) -> tuple[tuple[str, ...], npt.NDArray[np.int64]]:
    """Windows that have inputs, and (windows, places) which input stands where; the number of inputs where none does."""
    features = {feature.name.lower(): feature for feature in Feature}
    inputs: dict[str, list[int]] = {window: [] for window in WINDOWS}
    for place, name in enumerate(feature_names):
        inputs[window_of(features[name])].append(place)
    there = {window: places for window, places in inputs.items() if places}
    layout = np.full((len(there), max(map(len, there.values()))), len(feature_names), np.int64)
    for row, places in zip(layout, there.values(), strict=True):
        row[: len(places)] = places
    return tuple(there), layout
