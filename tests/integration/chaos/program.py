"""`infra/tickflow test chaos`: a market through the real job, undisturbed, then with faults drawn from a seed; results must be the same."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from infra.local import paths
from infra.local.console import SetupError, say
from infra.local.flink import JobFailed
from jobs.model_store import open_store
from jobs.verb_result import NOT_HELD, USAGE, finish
from tests.integration.chaos.cluster import Cluster, chaos_cluster
from tests.integration.chaos.faults import Plan, draw_plan
from tests.integration.chaos.kills import repeated_kills
from tests.integration.chaos.limits import TooLate
from tests.integration.chaos.market import stored_model
from tests.integration.chaos.rounds import ROUND_SECONDS, run_rounds
from tests.integration.chaos.verdict import Verdict
from udfs.records import ModelReference

WORKERS = 2
"""TaskManagers: one works, one stands by, as it does on a cluster."""


def run_chaos(data: Path, plans: Sequence[Plan], seconds: float) -> dict[str, Any]:
    """The rounds of these plans; counts, and what is needed to see each failure again."""
    judged = []
    with chaos_cluster(data, WORKERS) as cluster:
        for plan, verdict in run_rounds(cluster, _model(cluster), plans, seconds):
            judged.append((plan, verdict))
            if not verdict.held:
                say(reproduction(plan, verdict))
    return counted(judged)


def counted(judged: Sequence[tuple[Plan, Verdict]]) -> dict[str, Any]:
    """What came out of all rounds."""
    return {
        "rounds": len(judged),
        "faults": sum(len(plan.faults) for plan, _ in judged),
        "digest_equal": sum(verdict.digest_equal for _, verdict in judged),
        "lost": sum(verdict.lost for _, verdict in judged),
        "duplicated": sum(verdict.duplicated for _, verdict in judged),
        "repeated": sum(verdict.repeated for _, verdict in judged),
        "exactly_once": sum(plan.exactly_once for plan, _ in judged),
        "kinds": sorted({kind for plan, _ in judged for kind in plan.kinds}),
        "failed": [plan.round for plan, verdict in judged if not verdict.held],
        "holds": all(verdict.held for _, verdict in judged),
    }


def run_kills(data: Path, kills: int) -> dict[str, Any]:
    """Many kills in one run. All of each heap is taken at once, or memory would grow as Java comes to use it, whatever leaks or not."""
    os.environ["JAVA_TOOL_OPTIONS"] = "-XX:+AlwaysPreTouch"
    with chaos_cluster(data, WORKERS) as cluster:
        return repeated_kills(cluster, _model(cluster), kills)


def reproduction(plan: Plan, verdict: Verdict) -> str:
    """The least that shows a failure again: one round, by seed and number, and what is planned in it."""
    lines = [f"chaos: round {plan.round} of seed {plan.seed} did not hold", *(f"  {problem}" for problem in verdict.problems)]
    lines += [f"  plan: {json.dumps(plan.as_json())}", f"  again: infra/tickflow test chaos --seed {plan.seed} --round {plan.round}"]
    return "\n".join(lines)


def _model(cluster: Cluster) -> ModelReference:
    say("chaos: making a model")
    return stored_model(open_store(f"{cluster.endpoints.warehouse}/models", str(cluster.endpoints.s3_endpoint)))


def main(arguments: list[str]) -> int:
    """Run the verb; 0 everything held, 1 something did not, 2 usage or environment."""
    options = _parser().parse_args(arguments)
    codes = {SetupError: USAGE, JobFailed: NOT_HELD, TimeoutError: NOT_HELD, TooLate: NOT_HELD}
    rounds = [options.round] if options.round is not None else range(options.rounds)
    plans = [draw_plan(options.seed, number) for number in rounds]
    act = partial(run_kills, options.data, options.kills) if options.kills else partial(run_chaos, options.data, plans, options.limit)
    return finish("test chaos", options.json, act, _tell, codes, lambda found: bool(found["holds"]))


def _tell(result: dict[str, Any]) -> None:
    print("\n".join(f"{name:<14} {value}" for name, value in result.items()))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="infra/tickflow test chaos", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how many rounds (default 5; sixteen hit every kind of fault)")
    parser.add_argument("--seed", type=int, default=1, help="what the faults are drawn from (default 1)")
    parser.add_argument("--round", type=int, metavar="NUMBER", help="run this round of the seed alone: to see a failure again")
    parser.add_argument(
        "--kills", type=int, default=0, metavar="N", help="instead: kill the TaskManager N times in one run, look for leaks"
    )
    parser.add_argument(
        "--limit", type=float, default=ROUND_SECONDS, metavar="SECONDS", help=f"longest that a round may take (default {ROUND_SECONDS:.0f})"
    )
    parser.add_argument("--data", type=Path, default=paths.HOME / "chaos", metavar="FOLDER", help="emptied first (default .tickflow/chaos)")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
