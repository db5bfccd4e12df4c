"""Words for the value of a feature: what it is, on which side it lies, and how unusual that is."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

_STRONG = 0.05
"""Share of training rows in each tail that is called strong."""
_MILD = 0.25
"""Below this share the value is called by its side; between the two mild shares it is ordinary."""
_WINDOW = re.compile(r"_(\d+)_?(s|m|h|second|minute|hour)s?(?=_|$)")
_UNITS = {"s": "second", "m": "minute", "h": "hour"}


class Phrase(NamedTuple):
    """How to speak of one feature."""

    subject: str
    high: str
    """Said of a value above the middle."""
    low: str
    signed: bool
    """True: the middle is 0; false: it is the training rows' median."""


_PHRASES: tuple[tuple[str, Phrase], ...] = ()
"""First match of a regular expression on the feature's name wins."""


def phrase_of(name: str) -> Phrase | None:
    """The phrase that fits a feature's name, None when the table has none."""
    for pattern, phrase in _PHRASES:
        if re.search(pattern, name):
            return phrase._replace(subject=phrase.subject + _window_of(name))
    return None


def describe(name: str, value: float, quantile: float) -> str:
    """Such as "strong buy-side book imbalance (0.62)"; `quantile` 0..1 is where the value lies among the training rows, NaN if unknown."""
    phrase = phrase_of(name) or Phrase(name.replace("_", " "), "high", "low", signed=False)
    if math.isnan(value):
        return f"no {phrase.subject} yet"
    side = phrase.high if (value > 0 if phrase.signed else quantile >= 0.5) else phrase.low
    return f"{_strength(quantile)}{side} {phrase.subject} ({value:.3g})"


def _strength(quantile: float) -> str:
    """Word for the distance from the middle, with a space after it where there is one."""
    tail = min(quantile, 1 - quantile)
    if tail <= _STRONG:
        return "strong "
    return "" if tail <= _MILD or math.isnan(tail) else "slight "


def _window_of(name: str) -> str:
    """Such as " over 5 minutes" for the window in a feature's name, empty where there is none."""
    match = _WINDOW.search(name)
    if match is None:
        return ""
    length, unit = int(match[1]), _UNITS[match[2][0]]
    return f" over {length} {unit}{'s' if length > 1 else ''}"
