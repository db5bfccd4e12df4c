"""The undisturbed run, and rounds that are compared with it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from infra.local.console import say
from jobs.serving.online_records import feature_key, signal_key
from tests.integration.chaos.cluster import Cluster
from tests.integration.chaos.delivery import delivered
from tests.integration.chaos.faults import UNDISTURBED, Plan
from tests.integration.chaos.market import Frame, Market
from tests.integration.chaos.outcome import Outcome, read_outcome
from tests.integration.chaos.stream import Stream, stream_of
from tests.integration.chaos.strikes import Strike
from tests.integration.chaos.verdict import Verdict, compare

FED_INTO_A_FAULT = 40
"""Frames."""
SETTLING_SECONDS = 40.0
"""Redis, and the last commits of tables that nobody waits for, come a moment later."""
_POLL_SECONDS = 2.0


class Feeder:
    """Sends a round's frames piece by piece."""

    def __init__(self, stream: Stream, frames: list[Frame]) -> None:
        self._stream, self._frames, self._sent = stream, frames, 0

    def up_to(self, share: float) -> None:
        """Send until that share of all was sent."""
        self.some(round(share * len(self._frames)) - self._sent)

    def some(self, count: int = FED_INTO_A_FAULT) -> None:
        """Send so many more, if there are any."""
        piece = self._frames[self._sent : self._sent + max(count, 0)]
        self._stream.send(piece)
        self._sent += len(piece)


def undisturbed(cluster: Cluster, market: Market) -> Outcome:
    """What is to come out."""
    with stream_of(cluster, market, "undisturbed", exactly_once=False) as stream:
        _play(stream, market, UNDISTURBED)
        return _settled(stream, is_complete)


def is_complete(outcome: Outcome) -> bool:
    """Whether lake, topics and Redis have all come to the same."""
    counts_agree = all(len(content.records) == len(outcome.keys[name]) for name, content in outcome.topics.items())
    newest = {symbol: keys[-1][1] for symbol, keys in outcome.topics["features"].order.items()}
    stored = [outcome.redis.get(key(symbol).encode(), {}) for symbol in newest for key in (feature_key, signal_key)]
    wanted = [number for number in newest.values() for _ in range(2)]
    return counts_agree and [int(found.get(b"event_number", -1)) for found in stored] == wanted


def disturbed(cluster: Cluster, market: Market, plan: Plan, expected: Outcome) -> Verdict:
    """One round, judged once nothing is missing any more or nothing more comes."""
    with stream_of(cluster, market, f"round-{plan.round}", plan.exactly_once) as stream:
        _play(stream, market, plan)
        return settled_verdict(stream, expected, plan)


def settled_verdict(stream: Stream, expected: Outcome, plan: Plan) -> Verdict:
    """The verdict on what is there in the end."""
    verdicts: list[Verdict] = []

    def right(outcome: Outcome) -> bool:
        verdicts.append(compare(expected, outcome, plan))
        return verdicts[-1].held

    _settled(stream, right)
    return verdicts[-1]


def _play(stream: Stream, market: Market, plan: Plan) -> None:
    feeder = Feeder(stream, delivered(market.frames, plan))
    for fault in plan.faults:
        feeder.up_to(fault.at)
        time.sleep(fault.seconds)
        say(f"chaos: {fault.kind}")
        Strike(stream, fault, feeder.some)()
    feeder.up_to(1.0)
    stream.settle()


def _settled(stream: Stream, is_right: Callable[[Outcome], bool]) -> Outcome:
    deadline = time.monotonic() + SETTLING_SECONDS
    while not is_right(outcome := read_outcome(stream)) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    return outcome


def run_rounds(cluster: Cluster, market: Market, plans: list[Plan]) -> Iterator[tuple[Plan, Verdict]]:
    """Each round's verdict as it comes."""
    expected = undisturbed(cluster, market)
    say(f"chaos: undisturbed: {len(expected.keys['features'])} feature rows, {len(expected.keys['signals'])} signals")
    for plan in plans:
        started = time.monotonic()
        verdict = disturbed(cluster, market, plan, expected)
        told = ", ".join(f"{fault.kind} at {fault.at}" for fault in plan.faults)
        say(f"chaos: round {plan.round} ({told}): {'held' if verdict.held else 'DID NOT HOLD'} in {time.monotonic() - started:.0f} s")
        yield plan, verdict
