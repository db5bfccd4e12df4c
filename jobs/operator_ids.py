"""Fixed ids of the operators. State is found by them when a job is restored: never change one that was released.

An operator that Flink SQL made for one sink is named after that sink, so that its state stays its own when another sink is added: by order
alone, the committer of one table would take over the unfinished files of another.
"""

from __future__ import annotations

import re
from typing import Any

from pyflink.datastream import StreamExecutionEnvironment

MARKET = "market"
_NODE_NUMBER = re.compile(r"\[\d+\]|\$\d+\$?")
_NOT_A_WORD = re.compile(r"[^A-Za-z0-9_.]+")
_VIRTUAL = ("PartitionTransformation", "UnionTransformation", "SideOutputTransformation")


def assign(environment: StreamExecutionEnvironment) -> None:
    """Give each operator that Flink SQL made an id from its name, without the numbers that change when a statement is added."""
    transformations = all_transformations(environment)
    sinks = _sinks(transformations)
    seen: dict[str, int] = {}
    for transformation in transformations:
        if transformation.getUid() is None and transformation.getClass().getSimpleName() not in _VIRTUAL:
            name = _name(transformation, sinks[transformation.getId()])
            seen[name] = seen.get(name, 0) + 1
            transformation.setUid(name if seen[name] == 1 else f"{name}-{seen[name]}")


def share_key_groups(environment: StreamExecutionEnvironment) -> None:
    """Give what may only be one, as a table's committer, the job's own number of key groups.

    Its state is stored under the number of the task that it is chained into: with one of its own, that would be another number at
    parallelism 1, where it is chained, than at 2, where it is not, and no savepoint would lead from one to the other. Its parallelism
    stays 1.
    """
    key_groups = environment.get_max_parallelism()
    if key_groups < 1:  # Flink chooses
        return
    for transformation in all_transformations(environment):
        if transformation.getMaxParallelism() == 1 and transformation.getParallelism() == 1:
            transformation.setMaxParallelism(key_groups)


def stable_name(name: str) -> str:
    """`kafka_features[12]: Writer` becomes `kafka_features_Writer`."""
    return _NOT_A_WORD.sub("_", _NODE_NUMBER.sub("", name)).strip("_")


def _name(transformation: Any, sinks: frozenset[str]) -> str:
    own = stable_name(transformation.getName())
    sink = next(iter(sinks)) if len(sinks) == 1 else ""
    return own if not sink or sink == own or not transformation.getInputs() else f"{sink}.{own}"


def all_transformations(environment: StreamExecutionEnvironment) -> list[Any]:
    """Every transformation once, in the order in which Flink would visit them."""
    found: dict[int, Any] = {}
    for root in environment._j_stream_execution_environment.getTransformations():
        for transformation in root.getTransitivePredecessors():
            found.setdefault(transformation.getId(), transformation)
    return [found[number] for number in sorted(found)]


def _sinks(transformations: list[Any]) -> dict[int, frozenset[str]]:
    """Id of each transformation -> names of the sinks that it leads to."""
    followers: dict[int, set[int]] = {transformation.getId(): set() for transformation in transformations}
    for transformation in transformations:
        for before in transformation.getInputs():
            followers[before.getId()].add(transformation.getId())
    names = {transformation.getId(): stable_name(transformation.getName()) for transformation in transformations}
    found: dict[int, frozenset[str]] = {}

    def reached(number: int) -> frozenset[str]:
        if number not in found:
            after = [reached(following) for following in followers[number]]
            found[number] = frozenset().union(*after) if after else frozenset({names[number]})
        return found[number]

    return {number: reached(number) for number in followers}
