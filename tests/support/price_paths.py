"""Prices of one symbol with halts, gaps and breaks, at whole seconds."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from jobs.training.labelling.path import PricePath, path_of

SECOND = 1_000_000_000


@st.composite
def price_paths(draw: st.DrawFn, most: int = 60, longest_gap: int = 0) -> PricePath:
    """Moves of either sign or none; some rows without book, some halted, some moments that break the path."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows = draw(st.integers(1, most))
    time = np.cumsum(generator.integers(0, 4, rows)) * SECOND
    price = 100 * np.exp(np.cumsum(generator.choice([-2e-3, -1e-4, 0.0, 1e-4, 2e-3], rows)))
    spread = np.where(generator.random(rows) < 0.3, np.nan, generator.uniform(0, 0.2, rows))
    halted = generator.random(rows) < draw(st.sampled_from([0.0, 0.1]))
    breaks = np.unique(generator.integers(0, int(time[-1]) + 2, draw(st.integers(0, 3))))
    return path_of(time, price, spread, halted, breaks, longest_gap)
