"""News for written streams: single items, and items woven into a stream, some near to what was said before."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import strategies as st

from tests.support.written_events import Event, fact
from udfs.kernels.events import EventKind


def news(event_time: int, sentiment: float = math.nan, bits: int = 0, identity: int = 0) -> Event:
    """A NEWS event as the kernels get it: its text was read, `bits` being the fingerprint, and scored unless `sentiment` is NaN."""
    return fact(EventKind.NEWS, event_time, sentiment, float(bits >> 32), float(bits % 2**32), 1.0)._replace(sequence=identity)


_fingerprints = st.integers(0, 2**64 - 1) | st.integers(0, 7).map(lambda bits: 0xA5A5A5A5F00F1234 ^ bits)
_sentiments = st.sampled_from((math.nan, -1.0, -0.25, 0.5, 1.0))

BELIEVABLE_NEWS = st.builds(
    lambda sentiment, bits, identity: news(0, sentiment, bits, identity), _sentiments, _fingerprints, st.integers(0, 12)
)
"""Items at time 0, some of them again, some without identity."""


def with_news(events: list[Event], seed: int) -> list[Event]:
    """The same with news after about every eighth event, some of it near to what was said before, some not read by a model."""
    generator, said, result = np.random.default_rng([seed, 8]), [0x0123456789ABCDEF], []
    for place, event in enumerate(events):
        result.append(event)
        if generator.random() < 1 / 8:
            near = said[int(generator.integers(len(said)))] ^ (1 << int(generator.integers(63)))
            said.append(near if generator.random() < 0.3 else int(generator.integers(2**63)))
            sentiment = float(np.round(generator.uniform(-1, 1), 2)) if generator.random() < 0.8 else math.nan
            result.append(news(event.event_time, sentiment, said[-1], place + 1)._replace(delay=event.delay))
    return result
