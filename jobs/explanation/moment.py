"""What the symbol's state held when the signal was made: the order book, the newest seconds, the bars that were open."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from udfs.codecs.frame_columns import slice_columns
from udfs.codecs.frames import decode_frame, encode_frame
from udfs.codecs.state_blob import unpack_state
from udfs.codecs.wire import MessageFraming
from udfs.kernels.events import EventKind
from udfs.kernels.symbol_state import SYMBOL_STATE

_TILE: Final = ("open", "high", "low", "close", "volume", "signed_volume", "order_flow", "trades", "book_changes")
_BAR: Final = ("start", "open", "high", "low", "close", "volume", "notional", "signed_volume", "trades")
_OPEN_BARS: Final = {"minute": 60, "five_minutes": 300, "hour": 3600}


def up_to(data: bytes, event_index: int, framing: MessageFraming) -> bytes:
    """A frame without the events after this one: where frames are cut changes no result."""
    frame = decode_frame(data, framing)
    columns = slice_columns(frame.columns, 0, event_index + 1)
    texts = frame.news_texts[: columns.kind.tobytes().count(EventKind.NEWS)]
    return encode_frame(frame.symbol, frame.venue, frame.source, frame.control_version, columns, texts, framing)


def moment_of(blob: bytes) -> dict[str, Any]:
    """Book and windows of a symbol's state, as JSON values."""
    state = unpack_state(blob, SYMBOL_STATE)[0][0]
    return {"clock_ns": int(state["clock"]), "book": _book(state), "windows": {"seconds": _seconds(state), "open_bars": _open_bars(state)}}


def _book(state: np.void) -> dict[str, Any]:
    top = {name: _number(state["top"][name]) for name in ("bid", "bid_size", "ask", "ask_size")}
    levels = [dict(zip(top, map(_number, level), strict=True)) for level in state["book"].T.tolist()] if state["book_ready"] else []
    known = [level for level in levels if any(value is not None for value in level.values())]
    return {"top": top, "levels": known, "quarantined": bool(state["book_quarantine"])}


def _seconds(state: np.void) -> list[dict[str, Any]]:
    """The newest seconds in which something happened, the present one last."""
    newest = int(state["clock"]) // 1_000_000_000
    tiles = sorted(
        (tile for tile in state["seconds"] if newest - len(state["seconds"]) < tile["second"] <= newest),
        key=lambda tile: int(tile["second"]),
    )
    return [{"second": int(tile["second"])} | {name: _number(tile[name]) for name in _TILE} for tile in tiles]


def _open_bars(state: np.void) -> list[dict[str, Any]]:
    return [
        {"length_seconds": seconds} | {part: _number(state[name][part]) for part in _BAR}
        for name, seconds in _OPEN_BARS.items()
        if state[name]["start"]
    ]


def _number(value: Any) -> float | int | None:
    plain = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(plain, float) and not math.isfinite(plain) else plain
