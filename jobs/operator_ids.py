"""Fixed ids of the operators. State is found by them when a job is restored: never change one that was released."""

from __future__ import annotations

import re
from typing import Any

from pyflink.datastream import StreamExecutionEnvironment

MARKET = "market"
_NODE_NUMBER = re.compile(r"\[\d+\]|\$\d+\$?")
_NOT_A_WORD = re.compile(r"[^A-Za-z0-9_.]+")


def assign(environment: StreamExecutionEnvironment) -> None:
    """Give each operator that Flink SQL made an id from its name, without the numbers that change when a statement is added."""
    seen: dict[str, int] = {}
    for transformation in _all(environment):
        if transformation.getUid() is None and not _is_virtual(transformation):
            name = stable_name(transformation.getName())
            seen[name] = seen.get(name, 0) + 1
            transformation.setUid(name if seen[name] == 1 else f"{name}-{seen[name]}")


def stable_name(name: str) -> str:
    """`kafka_features[12]: Writer` becomes `kafka_features_Writer`."""
    return _NOT_A_WORD.sub("_", _NODE_NUMBER.sub("", name)).strip("_")


def _all(environment: StreamExecutionEnvironment) -> list[Any]:
    """Every transformation once, in the order in which Flink would visit them."""
    found: dict[int, Any] = {}
    for root in environment._j_stream_execution_environment.getTransformations():
        for transformation in root.getTransitivePredecessors():
            found.setdefault(transformation.getId(), transformation)
    return [found[number] for number in sorted(found)]


def _is_virtual(transformation: Any) -> bool:
    return transformation.getClass().getSimpleName() in ("PartitionTransformation", "UnionTransformation", "SideOutputTransformation")
