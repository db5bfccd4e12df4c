"""Small market data files, made up in the formats that the readers know, and a slow order book to compare with."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from jobs.gateway.detect import open_source
from jobs.gateway.market_event import Item, MarketEvent, RejectedLine

START_NANOSECONDS = 1_700_000_000_000_000_000
MILLISECOND = 1_000_000


def write_lines(path: Path, lines: Iterable[str | bytes]) -> Path:
    """A text file, gzipped when its name says so."""
    data = b"".join((line.encode() if isinstance(line, str) else line) + b"\n" for line in lines)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def write_zip(path: Path, member: str, lines: Iterable[str]) -> Path:
    """A zip archive of one text file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, "".join(line + "\n" for line in lines))
    return path


def items_of(path: Path) -> list[Item]:
    """Everything that a source yields."""
    return list(open_source(path).events())


def events_of(path: Path) -> list[MarketEvent]:
    """The events of a source that must not reject anything."""
    items = items_of(path)
    rejected = [item for item in items if isinstance(item, RejectedLine)]
    assert not rejected
    return [item for item in items if isinstance(item, MarketEvent)]


class SlowBook:
    """A book as two dictionaries that are sorted whenever they are looked at."""

    def __init__(self) -> None:
        self.bids: dict[float, float] = {}
        self.asks: dict[float, float] = {}

    def apply(self, bids: Iterable[tuple[float, float]], asks: Iterable[tuple[float, float]]) -> None:
        """Set levels; quantity 0 removes one."""
        for side, changes in ((self.bids, bids), (self.asks, asks)):
            for price, quantity in changes:
                side.pop(price, None)
                if quantity:
                    side[price] = quantity

    def best(self, depth: int) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
        """The best levels of bids and asks."""
        return sorted(self.bids.items(), reverse=True)[:depth], sorted(self.asks.items())[:depth]


class CaptureWriter:
    """Lines of a spot (or USD-M futures) capture of one symbol, 1 ms apart; the venue's clock is 1.27 s ahead."""

    def __init__(self, symbol: str = "ABCUSDT", futures: bool = False) -> None:
        self.lines: list[str] = []
        self._symbol = symbol
        self._futures = futures

    @property
    def received(self) -> int:
        """Local time of the next line."""
        return START_NANOSECONDS + len(self.lines) * MILLISECOND

    def add(self, message: dict[str, object], stream: str = "") -> None:
        """Append a message."""
        wrapped = {"stream": f"{self._symbol.lower()}@{stream}", "data": message} if stream else message
        self.lines.append(f"{self.received} {json.dumps(wrapped, separators=(',', ':'))}")

    def venue_time(self) -> int:
        """The venue's clock in milliseconds."""
        return self.received // MILLISECOND + 1270

    def quote(self, update_id: int, bid: tuple[float, float], ask: tuple[float, float]) -> None:
        """bookTicker."""
        message = {
            "u": update_id,
            "s": self._symbol,
            "b": f"{bid[0]:.8f}",
            "B": f"{bid[1]:.8f}",
            "a": f"{ask[0]:.8f}",
            "A": f"{ask[1]:.8f}",
        }
        futures = {"e": "bookTicker", "T": self.venue_time(), "E": self.venue_time()} if self._futures else {}
        self.add({**futures, **message}, "bookTicker")

    def trade(self, number: int, price: float, quantity: float, buyer_is_maker: bool) -> None:
        """trade."""
        content = {"s": self._symbol, "t": number, "p": str(price), "q": str(quantity), "T": self.venue_time(), "m": buyer_is_maker}
        self.add({"e": "trade", "E": self.venue_time() + 1, **content, **({"X": "MARKET"} if self._futures else {"M": True})}, "trade")

    def depth(self, first: int, last: int, bids: Levels, asks: Levels, previous: int | None = None) -> None:
        """depthUpdate."""
        futures = {"T": self.venue_time(), "pu": previous} if self._futures else {}
        content = {"s": self._symbol, "U": first, "u": last, "b": text_levels(bids), "a": text_levels(asks)}
        self.add({"e": "depthUpdate", "E": self.venue_time(), **futures, **content}, "depth@100ms")

    def snapshot(self, last: int, bids: Levels, asks: Levels) -> None:
        """REST depth snapshot."""
        self.add({"lastUpdateId": last, "bids": text_levels(bids), "asks": text_levels(asks)})


Levels = Sequence[tuple[float, float]]


def text_levels(levels: Levels) -> list[list[str]]:
    """Levels as the venue writes them."""
    return [[f"{price:.8f}", f"{quantity:.8f}"] for price, quantity in levels]
