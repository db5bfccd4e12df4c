"""Binance websocket captures: spot, USD-M and COIN-M futures.

A line is `<local receive time> <message>`, or the bare message. Messages may be wrapped in `{"stream": …, "data": …}`. Streams: bookTicker,
trade, aggTrade, depthUpdate, partial depth (`@depth5`, `@depth10`, `@depth20`) and REST depth snapshots.

- Symbols are unique across venues: `BTCUSDT.SPOT`, `BTCUSDT.USDM`, `BTCUSD_PERP.COINM`.
- Event time is the matching time `T`, else the venue's `E`, else (spot bookTicker, spot snapshots) the local receive time. Available
  time is the local receive time, else the event time. The venue's clock may be ahead of the local one: event time > available time is kept.
- A trade's `m` true means that the buyer was the maker: the seller is the aggressor.
- Sequence: trade id; of an aggTrade its own id, or its last trade id beside a trade stream, so that it is a duplicate there; update id for
  quotes and books.
- Insurance fund and liquidation (ADL) trades count in volume only.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from math import isfinite
from typing import Any, TypeAlias

import orjson

from jobs.gateway.market_event import Item, MarketEvent
from jobs.gateway.order_book import BookRebuilder, BookState, BookUpdate, Level, OrderBook
from jobs.gateway.readers.lines import read_file
from jobs.gateway.readers.source import FileHead, SourceFile
from jobs.gateway.readers.times import epoch_nanoseconds
from udfs.kernels.events import NANOSECONDS_PER_MILLISECOND, EventFlag, EventKind

VENUE_NAMES = {"SPOT": "Binance spot", "USDM": "Binance USD-M futures", "COINM": "Binance COIN-M futures"}
FILE_NAME_HINTS = (
    ("COINM", ("coinm", "coin-m", "dapi", "delivery")),
    ("USDM", ("usdm", "usd-m", "fapi", "future", "perp", "um_")),
    ("SPOT", ("spot",)),
)
PARTIAL_DEPTH = re.compile(r"@depth(5|10|20)(@|$)")
NOT_MARKET_TRADES = frozenset({"INSURANCE_FUND", "ADL"})
TRADE, QUOTE, BOOK = int(EventKind.TRADE), int(EventKind.QUOTE), int(EventKind.BOOK)
VOLUME_ONLY = int(EventFlag.VOLUME_ONLY)
Message: TypeAlias = dict[str, Any]


def split_line(line: bytes) -> tuple[int | None, Message, str]:
    """Local receive time in nanoseconds (None when the line has none), the message itself and the name of its stream."""
    stamp, _, body = line.partition(b" ")
    received = epoch_nanoseconds(int(stamp)) if stamp.isdigit() else None
    message = orjson.loads(line if received is None else body)
    if "stream" in message:
        return received, message["data"], message["stream"]
    return received, message, ""


def levels_of(pairs: list[list[str]]) -> tuple[Level, ...]:
    """Price levels of a message; ValueError when a number is not finite."""
    levels = tuple([(float(price), float(quantity)) for price, quantity in pairs])
    if not isfinite(sum([price + quantity for price, quantity in levels])):
        raise ValueError("found a price level that is not finite")
    return levels


def event_time_of(message: Message, received: int | None) -> int:
    """When it happened: the venue's time, else the local one."""
    milliseconds = message.get("T") or message.get("E")
    if milliseconds:
        return int(milliseconds) * NANOSECONDS_PER_MILLISECOND
    if received is None:
        raise ValueError("found neither a local receive time nor a venue time, expected one of them")
    return received


class BinanceParser:
    """Parses the lines of one capture file. `symbol` is used for snapshots, which do not name theirs."""

    def __init__(self, market: str, symbol: str, new_book: Callable[[], BookRebuilder] = BookRebuilder) -> None:
        self._market = market
        self._symbol = symbol
        self._names: dict[str, str] = {}
        self._with_trades: set[str] = set()
        self._books: defaultdict[str, BookRebuilder] = defaultdict(new_book)
        self._readers = {
            None: self._unnamed,
            "bookTicker": self._quote,
            "trade": self._trade,
            "aggTrade": self._trade,
            "depthUpdate": self._depth,
        }

    def __call__(self, line: bytes) -> MarketEvent:
        """One line to one event."""
        received, message, stream = split_line(line)
        if "@depth" in stream and PARTIAL_DEPTH.search(stream):
            return self._partial_depth(message, received, stream)
        reader = self._readers.get(message.get("e"))
        if reader is None:
            raise ValueError(f"found message type {message['e']!r}, expected bookTicker, trade, aggTrade, depthUpdate or a depth snapshot")
        return reader(message, received, stream)

    def _name(self, symbol: str) -> str:
        return self._names.get(symbol) or self._names.setdefault(symbol, f"{symbol}.{self._market}")

    def _unnamed(self, message: Message, received: int | None, stream: str) -> MarketEvent:
        return self._snapshot(message, received, stream) if "lastUpdateId" in message else self._quote(message, received, stream)

    def _quote(self, message: Message, received: int | None, _: str) -> MarketEvent:
        event_time = event_time_of(message, received)
        payload = (float(message["b"]), float(message["B"]), float(message["a"]), float(message["A"]))
        return MarketEvent(self._name(message["s"]), QUOTE, event_time, received or event_time, int(message["u"]), 0, payload)

    def _trade(self, message: Message, received: int | None, _: str) -> MarketEvent:
        event_time = event_time_of(message, received)
        flags = VOLUME_ONLY if message.get("X") in NOT_MARKET_TRADES else 0
        sequence = self._trade_number(message)
        payload = (float(message["p"]), float(message["q"]), -1.0 if message["m"] else 1.0)
        return MarketEvent(self._name(message["s"]), TRADE, event_time, received or event_time, sequence, flags, payload)

    def _trade_number(self, message: Message) -> int:
        if message["e"] == "trade":
            self._with_trades.add(message["s"])
            return int(message["t"])
        return int(message["l"] if message["s"] in self._with_trades else message["a"])

    def _depth(self, message: Message, received: int | None, _: str) -> MarketEvent:
        update = BookUpdate(int(message["U"]), int(message["u"]), message.get("pu"), levels_of(message["b"]), levels_of(message["a"]))
        symbol = message["s"]
        event_time = event_time_of(message, received)
        return self._book_event(symbol, event_time, received, self._books[symbol].update(update))

    def _snapshot(self, message: Message, received: int | None, stream: str) -> MarketEvent:
        symbol = message.get("s") or stream.partition("@")[0].upper() or self._symbol
        if not symbol:
            raise ValueError("found a depth snapshot that does not name its symbol in a capture of several symbols")
        event_time = event_time_of(message, received)
        last_id, bids, asks = int(message["lastUpdateId"]), levels_of(message["bids"]), levels_of(message["asks"])
        return self._book_event(symbol, event_time, received, self._books[symbol].snapshot(last_id, bids, asks))

    def _partial_depth(self, message: Message, received: int | None, stream: str) -> MarketEvent:
        book = OrderBook()
        book.apply(
            levels_of(message["bids"] if "bids" in message else message["b"]),
            levels_of(message["asks"] if "asks" in message else message["a"]),
        )
        state = BookState(int(message["u"] if "u" in message else message["lastUpdateId"]), int(EventFlag.SNAPSHOT), book.levels())
        return self._book_event(stream.partition("@")[0].upper(), event_time_of(message, received), received, state)

    def _book_event(self, symbol: str, event_time: int, received: int | None, state: BookState) -> MarketEvent:
        return MarketEvent(self._name(symbol), BOOK, event_time, received or event_time, state.sequence, state.flags, state.levels)


def readable_messages(lines: tuple[bytes, ...]) -> list[tuple[Message, str]]:
    """The messages among the first lines that are Binance's."""
    messages = []
    for line in lines:
        try:
            _, message, stream = split_line(line)
        except (ValueError, TypeError, KeyError):
            continue
        if isinstance(message, dict) and ("lastUpdateId" in message or ("s" in message and ("e" in message or "u" in message))):
            messages.append((message, stream))
    return messages


def market_of(file_name: str, messages: list[tuple[Message, str]]) -> str:
    """SPOT, USDM or COINM, from the fields of the messages where they tell it, else from the file's name, else SPOT."""
    for message, _ in messages:
        if "ps" in message:
            return "COINM"
        if "pu" in message or "X" in message or message.get("e") == "bookTicker":
            return next((market for market, hints in FILE_NAME_HINTS[:1] if any(hint in file_name for hint in hints)), "USDM")
        if "M" in message or (message.get("e") is None and "u" in message):
            return "SPOT"
    return next((market for market, hints in FILE_NAME_HINTS if any(hint in file_name for hint in hints)), "SPOT")


def symbols_of(file_name: str, messages: list[tuple[Message, str]]) -> list[str]:
    """Symbols that the messages name, else the one that the file's name holds (`usdm_btcusdt_20240808`)."""
    named = {message["s"] for message, _ in messages if "s" in message} | {
        stream.partition("@")[0].upper() for _, stream in messages if stream
    }
    if named:
        return sorted(named)
    match = re.search(r"[a-z0-9]{2,12}(usdt|usdc|fdusd|busd|btc|eth|usd)(_perp)?(?![a-z])", file_name)
    return [match.group(0).upper()] if match else []


def read_capture(head: FileHead, market: str, symbol: str, new_book: Callable[[], BookRebuilder] = BookRebuilder) -> Iterator[Item]:
    """Items of one capture file."""
    return read_file(head.source, head.path, head.member, BinanceParser(market, symbol, new_book))


def recognise(head: FileHead) -> SourceFile | None:
    """A capture file, by its first messages."""
    messages = readable_messages(head.lines)
    if not messages or len(messages) * 2 < len(head.lines):
        return None
    market, symbols = market_of(head.name, messages), symbols_of(head.name, messages)
    read = partial(read_capture, head, market, symbols[0] if len(symbols) == 1 else "")
    return SourceFile(head.source, "binance-capture", VENUE_NAMES[market], tuple(f"{symbol}.{market}" for symbol in symbols), read)
