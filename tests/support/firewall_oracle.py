"""A slow firewall: what it believes follows from lists of all that it believed and doubted before."""

from __future__ import annotations

import math
from functools import reduce

import numpy as np

from tests.support.kernel_events import SECOND, Event
from tests.support.oracle_parts import Best, best_of
from udfs.errors import Reason
from udfs.kernels.events import EventFlag, EventKind
from udfs.kernels.kernel_settings import KernelSettings

Span = tuple[float, float]


class SlowJumps:
    """Spans of prices of one kind, each judged against the one before."""

    def __init__(self) -> None:
        self.distances: list[float] = []
        self.doubted: list[float] = []
        """Where each of the doubted since the last believed one went to."""

    def allowed(self) -> float:
        """1 %, or 10 sigma if that is more."""

        def next_quantile(quantile: float, distance: float) -> float:
            return max(quantile * (1.045 if distance > quantile else 0.995), 1e-6)

        first = max(self.distances[:20], default=0.0)
        return max(0.01, 10 / 1.645 * reduce(next_quantile, self.distances[20:], first))

    def is_jump(self, span: Span, before: Span, elapsed: int) -> bool:
        """Whether it is too far off, and does not agree with the two doubted before it."""
        if len(self.distances) < 20 or elapsed > 600 * SECOND:
            return False
        if _distance(span, before) <= self.allowed() * math.sqrt(max(elapsed / SECOND, 1.0)):
            return False
        return not (self._agreeing() >= 2 and self._agrees(span, self.doubted[-1]))

    def _agrees(self, span: Span, end: float) -> bool:
        return _distance(span, (end, end)) <= self.allowed()

    def _agreeing(self) -> int:
        """How many of the last doubted agree, each with the one before it."""
        count = min(len(self.doubted), 1)
        while count < len(self.doubted) and self._agrees((self.doubted[-count],) * 2, self.doubted[-count - 1]):
            count += 1
        return count

    def doubt(self, span: Span, before: Span) -> None:
        """It was not believed."""
        self.doubted.append(span[0] if span[0] > before[1] else span[1])

    def believe(self, span: Span, before: Span) -> None:
        """It was."""
        self.distances.append(_distance(span, before))
        self.doubted.clear()


class SlowFirewall:
    """Judges trades, quotes and books without flags other than VOLUME_ONLY, in the order of the log."""

    def __init__(self, settings: KernelSettings) -> None:
        self.settings = settings
        self.trades: list[tuple[int, float]] = []
        self.best: Best | None = None
        self.best_time = 0
        self.best_changed = 0
        self.best_kind = 0
        """Kind of event that told the best level last; 0 while it must not be used."""
        self.beyond: list[int] = []
        """Times of the trades in a row beyond the best level."""
        self.frozen: Best | None = None
        self.locked_since: int | None = None
        self.book: tuple[float, ...] | None = None
        """All levels of the newest accepted book, whether it is used or not."""
        self.book_time = 0
        self.book_crossed: int | None = None
        """When the last book was rejected for being locked, while the books after it are not used either."""
        self.book_doubted = False
        self.trade_jumps, self.best_jumps = SlowJumps(), SlowJumps()

    def judge(self, event: Event) -> Reason:
        """Why it is not believed; notes what that changes."""
        if event.kind == EventKind.TRADE and not event.flags & EventFlag.VOLUME_ONLY:
            return self._judge_trade(event.event_time, event.numbers[0])
        if event.kind not in (EventKind.QUOTE, EventKind.BOOK):
            return Reason.ACCEPTED
        reason = self._judge_best(event.event_time, best_of(event), event.kind == EventKind.BOOK and self.book_crossed is not None)
        if reason in (Reason.LOCKED_BOOK, Reason.PRICE_JUMP):
            self._quarantine(event, reason)
        elif reason == Reason.ACCEPTED and event.kind == EventKind.BOOK:
            self.book, self.book_time = event.numbers, max(self.book_time, event.event_time)
        return reason

    def _quarantine(self, event: Event, reason: Reason) -> None:
        if event.kind == EventKind.BOOK and reason == Reason.LOCKED_BOOK:
            self.book_crossed = max(self.book_crossed or 0, event.event_time)
        if event.kind == EventKind.BOOK:
            self.book_doubted = True
        if self.best_kind == event.kind:
            self.best_kind = 0

    def books_are_used(self) -> bool:
        """Whether none was rejected since."""
        return self.book_crossed is None and not self.book_doubted

    def uses_book(self, time: int) -> bool:
        """Whether an accepted book may be used; the next one then follows it."""
        if self.book_crossed is not None and time - self.book_crossed < self.settings.crossed_hold_nanoseconds:
            return False
        self.book_crossed, self.book_doubted = None, False
        return True

    def last_trade(self) -> tuple[int, float]:
        """Time and price of the newest trade, the last of equal ones."""
        return max(reversed(self.trades), key=lambda one: one[0], default=(0, math.nan))

    def _judge_trade(self, time: int, price: float) -> Reason:
        last_time, last = self.last_trade()
        span, before = (price, price), (last, last)
        if self.trade_jumps.is_jump(span, before, time - last_time) and not self._book_confirms(time, price):
            self.trade_jumps.doubt(span, before)
            return Reason.PRICE_JUMP
        self.trade_jumps.believe(span, before)
        self.trades.append((time, price))
        self._compare_with_best(time, price)
        return Reason.ACCEPTED

    def usable_best(self) -> Best | None:
        """The best level if both sides are there and nothing speaks against it; it may be stale."""
        return self.best if self.best_kind and self.best and not math.isnan(self.best[0] + self.best[2]) else None

    def _book_confirms(self, time: int, price: float) -> bool:
        if self.book is not None and self.books_are_used() and self.frozen is None:
            levels, since = np.array(self.book).reshape(4, -1), time - self.book_time
            if since <= self.settings.stale_book_nanoseconds and np.nanmin(levels[0]) <= price <= np.nanmax(levels[2]):
                return True
        best = self.usable_best()
        if best is None or time - self.best_time > self.settings.stale_book_nanoseconds:
            return False
        return best[0] <= price <= best[2] and best[2] / best[0] - 1 <= self.trade_jumps.allowed()

    def _compare_with_best(self, time: int, price: float) -> None:
        best = self.usable_best()
        if best is None:
            return
        spread = best[2] - best[0]
        if best[0] - spread <= price <= best[2] + spread:
            self.beyond.clear()
            return
        self.beyond.append(time)
        if len(self.beyond) >= 3 and time - self.best_changed >= 5 * SECOND:
            self.frozen, self.best_kind = best, 0

    def _judge_best(self, time: int, best: Best, is_taken_anyway: bool) -> Reason:
        if self.frozen == best:
            return Reason.FROZEN_QUOTE
        if best[0] == best[2] and self.locked_since is not None and time - self.locked_since >= 60 * SECOND:
            return Reason.LOCKED_BOOK
        span = best[0], best[2]
        before = (self.best[0], self.best[2]) if self.best else (math.nan, math.nan)
        if not is_taken_anyway and self.best_jumps.is_jump(span, before, time - self.best_time):
            self.best_jumps.doubt(span, before)
            return Reason.PRICE_JUMP
        self.best_jumps.believe(span, before)
        self.locked_since = None if best[0] != best[2] else time if self.locked_since is None else self.locked_since
        return Reason.ACCEPTED

    def move_best(self, time: int, best: Best, kind: int) -> None:
        """An accepted level becomes the best one."""
        if best != self.best:
            self.best_changed, self.frozen = max(self.best_changed, time), None
            self.beyond.clear()
        self.best, self.best_time, self.best_kind = best, max(self.best_time, time), kind


def _distance(span: Span, before: Span) -> float:
    if span[0] > before[1]:
        return span[0] / before[1] - 1
    return before[0] / span[1] - 1 if span[1] < before[0] else 0.0
