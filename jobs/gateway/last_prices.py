"""The prices of some symbols over the last minutes, second by second, as they had been available."""

from __future__ import annotations

import math
from array import array

import numpy as np

from jobs.gateway.market_event import MarketEvent, numbers_of
from udfs.kernels.events import NANOSECONDS_PER_SECOND, EventFlag, EventKind

REMEMBERED_SECONDS = 320
"""The longest window of 5 min with its hop."""
STALE_SECONDS = 300
"""Age from which a price says nothing of the present."""
BELIEVABLE = 1.2
"""A price further from the last than this, up or down, must come twice before it is believed."""
_TRADE, _QUOTE, _BOOK, _BAR = int(EventKind.TRADE), int(EventKind.QUOTE), int(EventKind.BOOK), int(EventKind.BAR)
_VOLUME_ONLY = int(EventFlag.VOLUME_ONLY)


class LastPrices:
    """Of one symbol. Trades and bars drive the mid prices of quotes and books out."""

    __slots__ = ("_doubted", "_is_traded", "_ring", "newest", "price", "second")

    def __init__(self) -> None:
        self.price = math.nan
        self.second = 0
        """Of the newest price."""
        self.newest = 0
        """Second up to which the ring is filled."""
        self._ring = array("d", [math.nan] * REMEMBERED_SECONDS)
        """Price at the end of each second."""
        self._doubted = False
        self._is_traded = False

    def take(self, event: MarketEvent) -> None:
        """The next event of the symbol, by available time."""
        price = self._price_of(event)
        if not 0.0 < price < math.inf:
            return
        far = not (self.price != self.price or self.price / BELIEVABLE <= price <= self.price * BELIEVABLE)
        if far and not self._doubted:
            self._doubted = True
            return
        self._doubted = False
        self.second = event.available_time // NANOSECONDS_PER_SECOND
        self._fill(self.second)
        self.price = price
        self._ring[self.second % REMEMBERED_SECONDS] = price

    def _price_of(self, event: MarketEvent) -> float:
        kind = event.kind
        if kind == _TRADE and not event.flags & _VOLUME_ONLY:
            self._is_traded = True
            return numbers_of(event)[0]
        if kind == _BAR:
            self._is_traded = True
            return numbers_of(event)[3]
        if self._is_traded or kind not in (_QUOTE, _BOOK):
            return math.nan
        levels = np.asarray(event.payload)
        bid, ask = (levels[0], levels[2]) if kind == _QUOTE else (levels[0, 0], levels[2, 0])
        return 0.5 * (float(bid) + float(ask))

    def _fill(self, second: int) -> None:
        """Carry the price in force on to a second."""
        for missed in range(max(self.newest + 1, second - REMEMBERED_SECONDS + 1), second + 1):
            self._ring[missed % REMEMBERED_SECONDS] = self.price
        self.newest = max(self.newest, second)

    def log_return(self, now: int, window_seconds: int, hop_seconds: int) -> float:
        """Of the price now over a window that begins at a multiple of its hop, as the job's own do; NaN when it is not known or stale."""
        if now - self.second > STALE_SECONDS:
            return math.nan
        begin = now - window_seconds
        second = begin - begin % hop_seconds - 1
        before = self.price if second >= self.newest else self._ring[second % REMEMBERED_SECONDS]
        return math.log(self.price / before) if before == before else math.nan

    def value(self, now: int) -> float:
        """The price, NaN when it is stale."""
        return self.price if now - self.second <= STALE_SECONDS else math.nan
