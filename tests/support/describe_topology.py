"""Builds the jobs of plans without executing them and prints what Flink made of them: for tests, in a process and JVM of its own."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pyflink.datastream import StreamExecutionEnvironment

from jobs.job_plan import JobPlan
from jobs.lake.catalog import create_tables, open_catalog
from jobs.live import assemble
from jobs.operator_ids import all_transformations

NOT_SET = -1
"""Of what takes the job's own number of key groups."""


def described(plan: JobPlan) -> dict[str, Any]:
    """Ids, Python operators and names of a plan's job."""
    create_tables(open_catalog(plan.lake), plan.lake.buckets, plan.namespace)
    environment = assemble(plan)
    transformations = all_transformations(environment)
    return {
        "uids": [transformation.getUid() for transformation in transformations if transformation.getUid() is not None],
        "without_uid": [transformation.getName() for transformation in transformations if transformation.getUid() is None],
        "python": [transformation.getUid() for transformation in transformations if "Python" in _operator(transformation)],
        "keyed": [transformation.getUid() for transformation in transformations if _is_keyed(transformation)],
        "nodes": len(json.loads(environment.get_execution_plan())["nodes"]),
        "parallelism": _parallelism(environment),
        "key_groups": sorted({transformation.getMaxParallelism() for transformation in transformations} - {NOT_SET}),
    }


def _operator(transformation: Any) -> str:
    """Class of the operator or of what makes it; empty for sources and sinks."""
    if not transformation.getClass().getSimpleName().endswith("InputTransformation"):
        return ""
    factory = transformation.getOperatorFactory()
    made = factory.getOperator() if factory.getClass().getSimpleName().startswith("Simple") else factory
    return str(made.getClass().getName())


def _is_keyed(transformation: Any) -> bool:
    one_input = transformation.getClass().getSimpleName() == "OneInputTransformation"
    return one_input and transformation.getStateKeySelector() is not None


def _parallelism(environment: StreamExecutionEnvironment) -> list[int]:
    return [environment.get_parallelism(), environment.get_max_parallelism()]


def main(plans: str, target: str) -> None:
    """Read plans by name from one file and write their descriptions to another."""
    described_plans = {name: described(JobPlan.from_json(text)) for name, text in json.loads(Path(plans).read_text()).items()}
    Path(target).write_text(json.dumps(described_plans))


if __name__ == "__main__":
    main(*sys.argv[1:])
