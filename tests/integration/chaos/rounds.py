"""The undisturbed run, and rounds that are compared with it. Rounds of one delivery guarantee share a job, one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from infra.local.console import SetupError, say
from infra.local.flink import JobFailed
from jobs.serving.online_records import feature_key, signal_key
from tests.integration.chaos.cluster import Cluster
from tests.integration.chaos.delivery import delivered
from tests.integration.chaos.faults import Plan
from tests.integration.chaos.limits import TooLate, time_limit
from tests.integration.chaos.market import Frame, Market, Part, simulated_market
from tests.integration.chaos.outcome import Outcome, origin_of, part_of, read_outcome
from tests.integration.chaos.stream import Stream, stream_of
from tests.integration.chaos.strikes import Strike
from tests.integration.chaos.verdict import Verdict, broken_among, compare, unfinished
from udfs.records import ModelReference

MARKET_SEED = 1
ROUNDS_A_JOB = 10
"""A job that goes on for ever would make the wait for its tables longer and longer."""
ROUND_SECONDS = 240.0
"""No round needs as long; one that does has failed."""
FED_INTO_A_FAULT = 40
"""Frames."""
SETTLING_SECONDS = 40.0
"""Redis, and the last commits of tables that nobody waits for, come a moment later."""
_POLL_SECONDS = 1.0


class Feeder:
    """Sends a round's frames piece by piece."""

    def __init__(self, stream: Stream, frames: Sequence[Frame]) -> None:
        self._stream, self._frames, self._sent = stream, frames, 0

    def up_to(self, share: float) -> None:
        """Send until that share of all was sent."""
        self.some(round(share * len(self._frames)) - self._sent)

    def some(self, count: int = FED_INTO_A_FAULT) -> None:
        """Send so many more, if there are any."""
        piece = self._frames[self._sent : self._sent + max(count, 0)]
        self._stream.send(piece)
        self._sent += len(piece)


def run_rounds(
    cluster: Cluster, model: ModelReference, plans: Sequence[Plan], seconds: float = ROUND_SECONDS
) -> Iterator[tuple[Plan, Verdict]]:
    """Each round's verdict as it comes; none takes longer than so many seconds."""
    for block in blocks(plans):
        market = simulated_market(MARKET_SEED, model, [plan.round for plan in block])
        expected = undisturbed(cluster, market, f"undisturbed-{block[0].round}")
        yield from _disturbed(cluster, market, block, expected, seconds)


def blocks(plans: Sequence[Plan]) -> list[list[Plan]]:
    """Rounds that share a job: all of one delivery guarantee, and not too many."""
    found = []
    for exactly_once in (False, True):
        own = [plan for plan in plans if plan.exactly_once is exactly_once]
        found += [own[begin : begin + ROUNDS_A_JOB] for begin in range(0, len(own), ROUNDS_A_JOB)]
    return found


def undisturbed(cluster: Cluster, market: Market, name: str) -> Mapping[int, Outcome]:
    """What is to come out, for each round. All parts go through in one go: their topics are empty when it begins."""
    begun = time.monotonic()
    with stream_of(cluster, market, name, exactly_once=False) as stream:
        beginning, origins = origin_of(stream), {}
        for number, part in market.parts.items():
            origins[number] = origin_of(stream)
            stream.send(part.frames)
        stream.settle()
        whole = _settled(stream, beginning, (), is_complete)
    rows = len(whole.keys["features"])
    say(f"chaos: undisturbed: {len(market.parts)} parts, {stream.sent} frames, {rows} rows in {time.monotonic() - begun:.0f} s")
    return {number: part_of(whole, part.symbols, origins[number]) for number, part in market.parts.items()}


def is_complete(outcome: Outcome) -> bool:
    """Whether lake, topics and Redis have all come to the same."""
    counts_agree = all(len(content.records) == len(outcome.keys[name]) for name, content in outcome.topics.items())
    newest = {symbol: keys[-1][1] for symbol, keys in outcome.topics["features"].order.items()}
    stored = [outcome.redis.get(key(symbol).encode(), {}) for symbol in newest for key in (feature_key, signal_key)]
    wanted = [number for number in newest.values() for _ in range(2)]
    return counts_agree and [int(found.get(b"event_number", -1)) for found in stored] == wanted


def _disturbed(
    cluster: Cluster, market: Market, block: Sequence[Plan], expected: Mapping[int, Outcome], seconds: float
) -> Iterator[tuple[Plan, Verdict]]:
    """The rounds of a job; after one that did not come to its end, the next gets a job of its own."""
    waiting = list(block)
    while waiting:
        with stream_of(cluster, market, f"round-{waiting[0].round}", waiting[0].exactly_once) as stream:
            finished = True
            while waiting and finished:
                plan = waiting.pop(0)
                verdict = _limited(stream, market.parts[plan.round], plan, expected[plan.round], seconds)
                finished = verdict.finished
                yield plan, verdict


def _limited(stream: Stream, part: Part, plan: Plan, expected: Outcome, seconds: float) -> Verdict:
    """One round, judged also when it hangs or breaks down."""
    begun = time.monotonic()
    try:
        with time_limit(seconds):
            verdict = one_round(stream, part, plan, expected)
    except (JobFailed, SetupError, TimeoutError, TooLate, OSError) as error:
        say(stream.cluster.last_words())
        verdict = unfinished(f"{type(error).__name__}: {error}")
    told = ", ".join(f"{fault.kind} at {fault.at}" for fault in plan.faults)
    guarantee = "exactly once" if plan.exactly_once else "at least once"
    held = "held" if verdict.held else "DID NOT HOLD"
    say(f"chaos: round {plan.round}, {guarantee} ({told}): {held} in {time.monotonic() - begun:.0f} s, {verdict.repeated} came again")
    return verdict


def one_round(stream: Stream, part: Part, plan: Plan, expected: Outcome) -> Verdict:
    """Feed a part while faults strike, and judge once nothing is missing any more or nothing more comes."""
    origin, sent = origin_of(stream), delivered(part.frames, plan)
    feeder = Feeder(stream, sent)
    for fault in plan.faults:
        feeder.up_to(fault.at)
        time.sleep(fault.seconds)
        say(f"chaos: {fault.kind}")
        Strike(stream, fault, feeder.some)()
    feeder.up_to(1.0)
    stream.settle()
    return settled_verdict(stream, part, plan, expected, origin, sent)


def settled_verdict(
    stream: Stream, part: Part, plan: Plan, expected: Outcome, origin: Mapping[str, Sequence[int]], sent: Sequence[Frame]
) -> Verdict:
    """The verdict on what is there in the end."""
    verdicts: list[Verdict] = []
    broken = broken_among(sent, part.frames)

    def right(outcome: Outcome) -> bool:
        verdicts.append(compare(expected, outcome, plan, broken, len(sent)))
        return verdicts[-1].held

    _settled(stream, origin, part.symbols, right)
    return verdicts[-1]


def _settled(stream: Stream, origin: Mapping[str, Sequence[int]], symbols: tuple[str, ...], is_right: Callable[[Outcome], bool]) -> Outcome:
    deadline = time.monotonic() + SETTLING_SECONDS
    while not is_right(outcome := read_outcome(stream, origin, symbols)) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    return outcome
