"""Whether a disturbed run came to the same as the undisturbed one."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from jobs.comparison import add_to_digest, first_difference
from tests.integration.chaos.faults import OF_THE_LOG, Plan
from tests.integration.chaos.outcome import COMPARED_TABLES, Outcome, TopicContent

_POSITION = ("kafka_partition", "kafka_offset")
FROM_OTHER_INPUT = ("rejects", "market_frames")
"""Tables that tell what came in, not what was made of it: a frame that came twice is there twice."""


@dataclass(frozen=True)
class Verdict:
    """What was found in one round."""

    digest: str
    digest_equal: bool
    lost: int
    """Rows of the undisturbed run that are missing in Kafka or in the lake."""
    duplicated: int
    """Rows of the lake that are there twice, and rows beyond those of the undisturbed run that remain after de-duplication."""
    problems: tuple[str, ...]

    @property
    def held(self) -> bool:
        """Whether all is as it should be."""
        return self.digest_equal and not self.problems and not self.lost and not self.duplicated


def compare(expected: Outcome, found: Outcome, plan: Plan) -> Verdict:
    """Judge one round. Positions in the log are compared too, unless the log itself was made another one."""
    same_log = not plan.kinds & OF_THE_LOG
    problems: list[str] = []
    for table in COMPARED_TABLES:
        tables = [outcome.compared[table] if same_log else _without_positions(outcome.compared[table]) for outcome in (expected, found)]
        if (difference := first_difference(*tables)) is not None:
            problems.append(f"lake.{table}: {difference}")
    lost = duplicated = 0
    for table, keys in found.keys.items():
        if table in FROM_OTHER_INPUT and not same_log:
            missing, extra = 0, len(keys) - len(set(keys))
        else:
            missing, extra = _difference(Counter(expected.keys[table]), Counter(keys))
        lost, duplicated = lost + missing, duplicated + extra
        problems += _said(f"lake.{table}", missing, extra)
    for topic, content in found.topics.items():
        missing, extra = _difference(Counter(list(expected.topics[topic].records)), Counter(list(content.records)))
        extra += content.repeated if plan.exactly_once else 0
        lost, duplicated = lost + missing, duplicated + extra
        problems += _said(f"topic {topic}", missing, extra) + _contradictions(topic, expected.topics[topic], content)
    if found.redis != expected.redis:
        problems.append(f"redis: {_redis_difference(expected, found)}")
    digest = digest_of(found)
    return Verdict(digest, digest == digest_of(expected), lost, duplicated, tuple(problems))


def digest_of(outcome: Outcome) -> str:
    """Over features and signals, in the lake by symbol and event number and in their topics by key, wherever in the log they come from."""
    digest = hashlib.sha256()
    for table in COMPARED_TABLES:
        add_to_digest(digest, _without_positions(outcome.compared[table]))
        for key, content in sorted(outcome.topics[table].records.items()):
            digest.update(repr(key).encode() + content)
    return digest.hexdigest()


def _difference(expected: Counter[Any], found: Counter[Any]) -> tuple[int, int]:
    """How many are missing and how many are too many."""
    return (expected - found).total(), (found - expected).total()


def _contradictions(topic: str, expected: TopicContent, found: TopicContent) -> list[str]:
    problems = [f"topic {topic}: {found.contradicting} repeated records say something else"] if found.contradicting else []
    changed = [key for key, content in found.records.items() if expected.records.get(key, content) != content]
    problems += [f"topic {topic}: {len(changed)} records differ, the first is {changed[0]}"] if changed else []
    moved = [symbol for symbol, keys in found.order.items() if keys != expected.order.get(symbol)]
    return problems + ([f"topic {topic}: another order of {', '.join(moved)}"] if moved else [])


def _said(where: str, missing: int, extra: int) -> list[str]:
    return [f"{where}: {missing} rows lost, {extra} too many"] if missing or extra else []


def _without_positions(rows: pa.Table) -> pa.Table:
    nowhere = pa.array(np.zeros(rows.num_rows, np.int64))
    for name in _POSITION:
        rows = rows.set_column(rows.schema.get_field_index(name), name, nowhere)
    return rows


def _redis_difference(expected: Outcome, found: Outcome) -> str:
    keys = sorted(set(expected.redis) | set(found.redis))
    wrong = [key for key in keys if expected.redis.get(key) != found.redis.get(key)]
    fields = [name for name, value in expected.redis.get(wrong[0], {}).items() if found.redis.get(wrong[0], {}).get(name) != value]
    return f"{len(wrong)} keys differ, the first is {wrong[0]!r} in {fields}"
