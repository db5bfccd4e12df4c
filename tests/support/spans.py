"""Spans of outcomes as they come: rows at any moments, outcomes of any length, several at one moment."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from jobs.training.validation.spans import Spans


@st.composite
def spans_of_outcomes(draw: st.DrawFn, least: int = 40, most: int = 120) -> Spans:
    """In no order of time."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows = draw(st.integers(least, most))
    longest = draw(st.integers(0, 30))
    start = generator.permutation(np.cumsum(generator.integers(0, 8, rows)))
    return Spans(start, start + generator.integers(0, longest + 1, rows))
