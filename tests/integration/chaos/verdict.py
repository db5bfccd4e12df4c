"""Whether a disturbed run came to the same as the undisturbed one."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from jobs.comparison import add_to_digest, first_difference
from tests.integration.chaos.faults import OF_THE_LOG, Plan
from tests.integration.chaos.market import Frame
from tests.integration.chaos.outcome import COMPARED_TABLES, OFFSET, PARTITION, Outcome, TopicContent

FROM_OTHER_INPUT = ("rejects", "market_frames")
"""Tables that tell what came in, not what was made of it: a frame that came twice is there twice."""


@dataclass(frozen=True)
class Verdict:
    """What was found in one round."""

    digest: str
    digest_equal: bool
    lost: int
    """Rows of the undisturbed run that are missing in Kafka or in the lake, and frames that were sent and are not in the lake."""
    duplicated: int
    """Rows of the lake that are there twice, and rows beyond those of the undisturbed run that remain after de-duplication."""
    repeated: int
    """Records that came again in the topics, as they may with at least once: those that agree with the first of their name."""
    problems: tuple[str, ...]
    finished: bool = True
    """Whether the round came to its end."""

    @property
    def held(self) -> bool:
        """Whether all is as it should be."""
        return self.digest_equal and not self.problems and not self.lost and not self.duplicated


def unfinished(problem: str) -> Verdict:
    """Of a round that did not come to its end."""
    return Verdict("", False, 0, 0, 0, (problem,), finished=False)


@dataclass
class _Findings:
    """What was found so far."""

    problems: list[str]
    lost: int = 0
    duplicated: int = 0

    def count(self, where: str, missing: int, extra: int) -> None:
        self.lost, self.duplicated = self.lost + missing, self.duplicated + extra
        if missing or extra:
            self.problems.append(f"{where}: {missing} rows lost, {extra} too many")


def compare(expected: Outcome, found: Outcome, plan: Plan, broken: Sequence[bytes] = (), sent: int = 0) -> Verdict:
    """Judge one round, in which `sent` frames came, the `broken` ones among them.

    Positions in the log are compared too, unless the log itself was made another one.
    """
    same_log = not plan.kinds & OF_THE_LOG
    findings = _Findings(_differences(expected, found, same_log))
    for table, keys in found.keys.items():
        findings.count(f"lake.{table}", *_of_table(table, expected.keys[table], keys, same_log, sent))
    for topic, content in found.topics.items():
        missing, extra = _difference(expected.topics[topic].records, content.records)
        findings.count(f"topic {topic}", missing, extra + (content.repeated if plan.exactly_once else 0))
        findings.problems += _contradictions(topic, expected.topics[topic], content)
    told = set(found.told)
    findings.count("topics of rejects", *_difference(set(found.keys.get("rejects", ())), told))
    findings.count("topics of rejects", 0, len(found.told) - len(told) if plan.exactly_once else 0)
    findings.count("frames rejected as a whole", *_difference((*expected.refused, *broken), found.refused))
    if found.redis != expected.redis:
        findings.problems.append(f"redis: {_redis_difference(expected, found)}")
    digest, repeated = digest_of(found), sum(content.repeated - content.contradicting for content in found.topics.values())
    return Verdict(digest, digest == digest_of(expected), findings.lost, findings.duplicated, repeated, tuple(findings.problems))


def digest_of(outcome: Outcome) -> str:
    """Over features and signals, in the lake by symbol and event number and in their topics by key, wherever in the log they come from."""
    digest = hashlib.sha256()
    for table in COMPARED_TABLES:
        add_to_digest(digest, _without_positions(outcome.compared[table]))
        for key, content in sorted(outcome.topics[table].records.items()):
            digest.update(repr(key).encode() + content)
    return digest.hexdigest()


def broken_among(sent: Sequence[Frame], frames: Sequence[Frame]) -> list[bytes]:
    """What of the frames that were sent is none of the market's."""
    sound = {frame.data for frame in frames}
    return [frame.data for frame in sent if frame.data not in sound]


def _differences(expected: Outcome, found: Outcome, same_log: bool) -> list[str]:
    problems = []
    for table in COMPARED_TABLES:
        tables = [outcome.compared[table] if same_log else _without_positions(outcome.compared[table]) for outcome in (expected, found)]
        if (difference := first_difference(*tables)) is not None:
            problems.append(f"lake.{table}: {difference}")
    return problems


def _of_table(table: str, expected: Sequence[Any], found: Sequence[Any], same_log: bool, sent: int) -> tuple[int, int]:
    """How many rows are missing and how many are too many. Of another log it is known how many frames it holds, and that none is twice."""
    if table not in FROM_OTHER_INPUT or same_log:
        return _difference(expected, found)
    different = len(set(found))
    return max(sent - different, 0) if table == "market_frames" else 0, len(found) - different


def _difference(expected: Any, found: Any) -> tuple[int, int]:
    """How many are missing and how many are too many."""
    wanted, there = Counter(list(expected)), Counter(list(found))
    return (wanted - there).total(), (there - wanted).total()


def _contradictions(topic: str, expected: TopicContent, found: TopicContent) -> list[str]:
    problems = [f"topic {topic}: {found.contradicting} repeated records say something else"] if found.contradicting else []
    changed = [key for key, content in found.records.items() if expected.records.get(key, content) != content]
    problems += [f"topic {topic}: {len(changed)} records differ, the first is {changed[0]}"] if changed else []
    moved = [symbol for symbol, keys in found.order.items() if keys != expected.order.get(symbol)]
    return problems + ([f"topic {topic}: another order of {', '.join(moved)}"] if moved else [])


def _without_positions(rows: pa.Table) -> pa.Table:
    nowhere = pa.array(np.zeros(rows.num_rows, np.int64))
    for name in (PARTITION, OFFSET):
        rows = rows.set_column(rows.schema.get_field_index(name), name, nowhere)
    return rows


def _redis_difference(expected: Outcome, found: Outcome) -> str:
    keys = sorted(set(expected.redis) | set(found.redis))
    wrong = [key for key in keys if expected.redis.get(key) != found.redis.get(key)]
    fields = [name for name, value in expected.redis.get(wrong[0], {}).items() if found.redis.get(wrong[0], {}).get(name) != value]
    return f"{len(wrong)} keys differ, the first is {wrong[0]!r} in {fields}"
