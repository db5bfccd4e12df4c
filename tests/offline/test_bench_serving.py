"""The load generator's own parts: what it reads off a socket, what it takes for right, and the plan that is made of its figures."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from jobs.benchmark.serving.capacity import Audience, Costs, plan
from jobs.benchmark.serving.connections import EventStream, Reader, Socket
from jobs.benchmark.serving.generator import _is_right
from jobs.benchmark.serving.market import made_signal, number_of
from jobs.serving.api.views import signal_view

COSTS = Costs(1e-4, 16_000, 5e-5, 2_000, 2.0, 10.0, 5e-5, 5_000, 2e8, 5e4)


class Wire:
    """Takes what a client writes."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def close(self) -> None:
        self.written.append(b"closed")


def fed(connection: Any, data: bytes, cuts: list[int]) -> Wire:
    """A connection after the data came in pieces."""
    wire = Wire()
    connection.connection_made(wire)
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    for begin, end in itertools.pairwise(places):
        connection.data_received(data[begin:end])
    return wire


@given(
    st.lists(st.binary(max_size=300) | st.integers(60_000, 70_000).map(bytes), max_size=5), st.lists(st.integers(0, 400_000), max_size=12)
)
def test_texts_come_out_of_a_socket_whole_however_they_are_cut(texts: list[bytes], cuts: list[int]) -> None:
    got: list[bytes] = []
    head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
    frames = [Frame(Opcode.TEXT, text).serialize(mask=False) for text in texts]
    ping = Frame(Opcode.PING, b"still?").serialize(mask=False)
    wire = fed(Socket(b"upgrade", b"hello", lambda text, _: got.append(text)), head + ping + b"".join(frames), cuts)
    assert got == texts
    assert len(wire.written) == 3, "the request, the hello, and an answer to the ping"
    assert wire.written[2][0] == 0x80 | Opcode.PONG


@given(st.lists(st.integers(0, 2_000), max_size=12), st.sampled_from([200, 429]))
def test_a_body_comes_out_of_an_answer_whole_and_only_of_a_good_one(cuts: list[int], status: int) -> None:
    reader, got, body = Reader(), list[bytes](), b"x" * 700 + b"\r\n\r\n"
    reader._take = lambda found, _: got.append(found)
    fed(reader, b"HTTP/1.1 %d Some\r\nx: y\r\ncontent-length: %d\r\n\r\n" % (status, len(body)) + body, cuts)
    assert got == [body if status == 200 else b""]


@given(st.lists(st.integers(0, 2_000), max_size=12))
def test_events_come_out_of_a_stream_whole(cuts: list[int]) -> None:
    got: list[bytes] = []
    events = b"".join(b"%x\r\nevent: update\ndata: %s\n\n\r\n" % (40, text) for text in (b'{"a":1}', b'{"b":2}'))
    fed(EventStream(b"get", lambda text, _: got.append(text)), b"HTTP/1.1 200 OK\r\nx: y\r\n\r\n" + events, cuts)
    assert got == [b'{"a":1}', b'{"b":2}']


def answer(symbol: str, number: int, **changes: Any) -> dict[str, Any]:
    """As the API answers."""
    found: dict[str, Any] = orjson.loads(orjson.dumps(signal_view(made_signal(symbol, number))))
    return {"symbol": symbol, "status": "live", "signal": found | changes}


def test_only_what_was_sent_is_right() -> None:
    good = answer("A", 7)
    assert number_of(good, "A") == 7
    wrong = [
        answer("A", 7, price=1.0),
        answer("A", 7, event_number=8),
        answer("B", 7),
        {**good, "signal": None},
        {**good, "status": "fallback"},
    ]
    assert [number_of(each, "A") for each in wrong] == [0] * 5


def test_a_watchlist_is_whole_in_order_and_never_goes_back() -> None:
    def body(*numbers: int) -> bytes:
        return orjson.dumps({"answers": [answer(symbol, number) for symbol, number in zip("AB", numbers, strict=False)]})

    newest: dict[str, int] = {}
    seen = [_is_right(each, ["A", "B"], newest) for each in (body(3, 3), body(3, 4), body(4, 3), body(5, 5), body(6), b"")]
    assert seen == [True, True, False, True, False, False]


@given(st.integers(1, 10**8), st.floats(1, 10))
def test_more_people_and_dearer_reads_never_need_less(users: int, factor: float) -> None:
    fewer, more = (plan(COSTS, Audience(daily_users=count)) for count in (users, 2 * users))
    dearer = plan(replace(COSTS, cpu_seconds_a_read=factor * COSTS.cpu_seconds_a_read), Audience(daily_users=users))
    for name in ("processes", "memory_gibibytes", "gigabits_a_second"):
        assert fewer[name] <= more[name]
    assert fewer["processes"] <= dearer["processes"]


def test_a_plan_adds_up() -> None:
    """10 M users: 5 556 reads and 200 000 clients; 40 processes of 5 000 clients, or what the work takes, whichever is more."""
    found = plan(COSTS, Audience())
    assert (found["reads_a_second"], found["clients"], found["messages_a_second"]) == (5_556, 200_000, 400_000)
    assert found["core_share_for_the_stream"] == pytest.approx(1_000 * 5e-5)
    assert found["processes"] == -(-(5_555.6 * 1e-4 + 400_000 * 5e-5) // (0.5 - 0.05))
    assert plan(replace(COSTS, cpu_seconds_a_message=0.0), Audience())["processes"] == 40
    assert plan(replace(COSTS, cpu_seconds_a_signal=1e-3), Audience())["processes"] is None
