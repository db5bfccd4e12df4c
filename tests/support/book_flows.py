"""Hypothesis strategies of order book updates."""

from __future__ import annotations

from hypothesis import strategies as st

PRICES = st.integers(1, 40).map(lambda ticks: 100.0 + ticks / 4)
QUANTITIES = st.sampled_from((0.0, 0.0, 0.5, 1.0, 2.25))
LEVELS = st.lists(st.tuples(PRICES, QUANTITIES), max_size=8)
BOOK_CHANGES = st.lists(st.tuples(LEVELS, LEVELS), min_size=1, max_size=30)
"""Changes of bids and asks; nothing keeps the two sides apart."""
