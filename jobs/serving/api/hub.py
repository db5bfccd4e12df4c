"""Live updates for many clients. A client that reads slowly loses what lay between, never more: it is told each symbol's newest value.

What waits for a client is at most one mark for each of its symbols and a hundred alerts, however long it does not read. Clients are woken a
few at a time, in the order in which something came for them, so that thousands who want the same symbol do not keep others waiting.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Final

from udfs.records import Alert, Signal

MOST_WAITING_ALERTS: Final = 100
HEARTBEAT_SECONDS: Final = 15.0
SLOWEST_SECONDS: Final = 30.0
"""A client that takes nothing for so long is let go."""
WOKEN_AT_ONCE: Final = 16
"""Between two groups of so many the event loop looks at its sockets, and takes one new connection: it must not be long."""


class Subscriber:
    """One client: what it wants, and what waits for it."""

    def __init__(self, symbols: Iterable[str], sees_rule: Callable[[str], bool]) -> None:
        self.symbols = tuple(dict.fromkeys(symbols))
        self.sees_rule = sees_rule
        self.skipped = 0
        """Signals and alerts that were replaced before the client took them."""
        self.is_sending, self.took_at = False, time.monotonic()
        """Whether what it took is on its way to the client, and when it took it."""
        self.let_go: Callable[[], object] = lambda: None
        """Called when the client takes nothing for too long."""
        self._symbols: dict[str, None] = dict.fromkeys(self.symbols)
        self._alerts: deque[Alert] = deque(maxlen=MOST_WAITING_ALERTS)
        self._woken = asyncio.Event()
        self._woken.set()

    def tell(self, symbol: str) -> None:
        """There is something new of a symbol."""
        self.skipped += symbol in self._symbols
        self._symbols[symbol] = None

    def alert(self, alert: Alert) -> None:
        """A rule fired."""
        self.skipped += len(self._alerts) == MOST_WAITING_ALERTS
        self._alerts.append(alert)

    def has_news(self) -> bool:
        """Whether something waits for it."""
        return bool(self._symbols or self._alerts)

    def wake(self) -> None:
        """Let it take what waits for it."""
        self._woken.set()

    async def changes(self) -> tuple[list[str], list[Alert]]:
        """Symbols with something new, and alerts; empty when nothing came for a while. At first every symbol counts as new."""
        self.is_sending = False
        await self._woken.wait()
        found = list(self._symbols), list(self._alerts)
        self._symbols.clear()
        self._alerts.clear()
        self._woken.clear()
        self.is_sending, self.took_at = True, time.monotonic()
        return found


class Hub:
    """Who wants what. The event loop's thread alone uses it."""

    def __init__(self) -> None:
        self._of_symbol: dict[str, dict[Subscriber, None]] = {}
        self._all: dict[Subscriber, None] = {}
        self._to_wake: dict[Subscriber, None] = {}

    def __len__(self) -> int:
        """Clients that listen now."""
        return len(self._all)

    def add(self, subscriber: Subscriber) -> None:
        """Begin to tell a client."""
        self._all[subscriber] = None
        for symbol in subscriber.symbols:
            self._of_symbol.setdefault(symbol, {})[subscriber] = None

    def remove(self, subscriber: Subscriber) -> None:
        """Tell it no more."""
        self._all.pop(subscriber, None)
        self._to_wake.pop(subscriber, None)
        for symbol in subscriber.symbols:
            others = self._of_symbol.get(symbol, {})
            others.pop(subscriber, None)
            if not others:
                self._of_symbol.pop(symbol, None)

    def publish(self, signals: Iterable[Signal], alerts: Iterable[Alert]) -> None:
        """Tell everyone who wants it."""
        none_waited = not self._to_wake
        for signal in signals:
            for subscriber in self._of_symbol.get(signal.symbol, ()):
                subscriber.tell(signal.symbol)
                self._to_wake[subscriber] = None
        for alert in alerts:
            for subscriber in self._of_symbol.get(alert.symbol, ()):
                if subscriber.sees_rule(alert.rule_id):
                    subscriber.alert(alert)
                    self._to_wake[subscriber] = None
        if none_waited:
            self._wake_some()

    def look_after(self, now: float) -> None:
        """Wake who was told nothing for a while, and let go who takes nothing. One look at all costs less than a timer a message."""
        for subscriber in self._all:
            waited = now - subscriber.took_at
            if subscriber.is_sending and waited > SLOWEST_SECONDS:
                subscriber.let_go()
            elif not subscriber.is_sending and waited > HEARTBEAT_SECONDS:
                subscriber.wake()

    def _wake_some(self) -> None:
        for subscriber in list(islice(self._to_wake, WOKEN_AT_ONCE)):
            del self._to_wake[subscriber]
            if subscriber.has_news():  # it may have taken it since, woken for what came before
                subscriber.wake()
        if self._to_wake:
            asyncio.get_running_loop().call_soon(self._wake_some)
