"""`infra/tickflow test chaos`: a market through the real job, undisturbed, then with faults drawn from a seed; results must be the same."""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

from infra.local import paths
from infra.local.console import SetupError, say
from infra.local.flink import JobFailed
from jobs.model_store import open_store
from jobs.verb_result import NOT_HELD, USAGE, finish
from tests.integration.chaos.cluster import chaos_cluster
from tests.integration.chaos.faults import Plan, draw_plan
from tests.integration.chaos.kills import repeated_kills
from tests.integration.chaos.market import Market, simulated_market
from tests.integration.chaos.rounds import run_rounds
from tests.integration.chaos.verdict import Verdict

WORKERS = 2
"""TaskManagers: one works, one stands by, as it does on a cluster."""
MARKET_SEED = 1


def run_chaos(data: Path, plans: list[Plan]) -> dict[str, Any]:
    """The rounds of these plans; counts, and what is needed to see each failure again."""
    with chaos_cluster(data, WORKERS) as cluster:
        market = _market(f"{cluster.endpoints.warehouse}/models", str(cluster.endpoints.s3_endpoint))
        judged = list(run_rounds(cluster, market, plans))
    for plan, verdict in judged:
        if not verdict.held:
            say(reproduction(plan, verdict))
    return {
        "rounds": len(judged),
        "faults": sum(len(plan.faults) for plan, _ in judged),
        "kinds": sorted({kind for plan, _ in judged for kind in plan.kinds}),
        "digest_equal": sum(verdict.digest_equal for _, verdict in judged),
        "lost": sum(verdict.lost for _, verdict in judged),
        "duplicated": sum(verdict.duplicated for _, verdict in judged),
        "holds": all(verdict.held for _, verdict in judged),
    }


def run_kills(data: Path, kills: int) -> dict[str, Any]:
    """Many kills in one run."""
    with chaos_cluster(data, WORKERS) as cluster:
        market = _market(f"{cluster.endpoints.warehouse}/models", str(cluster.endpoints.s3_endpoint))
        return repeated_kills(cluster, market, kills)


def reproduction(plan: Plan, verdict: Verdict) -> str:
    """The least that shows a failure again: one round, by seed and number, and what is planned in it."""
    lines = [f"chaos: round {plan.round} of seed {plan.seed} did not hold", *(f"  {problem}" for problem in verdict.problems)]
    lines += [f"  plan: {json.dumps(plan.as_json())}", f"  again: infra/tickflow test chaos --seed {plan.seed} --round {plan.round}"]
    return "\n".join(lines)


def _market(models: str, s3_endpoint: str) -> Market:
    say("chaos: making the market and a model")
    return simulated_market(MARKET_SEED, open_store(models, s3_endpoint))


def main(arguments: list[str]) -> int:
    """Run the verb; 0 everything held, 1 something did not, 2 usage or environment."""
    options = _parser().parse_args(arguments)
    codes = {SetupError: USAGE, JobFailed: NOT_HELD, TimeoutError: NOT_HELD}
    rounds = [options.round] if options.round is not None else range(options.rounds)
    plans = [draw_plan(options.seed, number) for number in rounds]
    act = partial(run_kills, options.data, options.kills) if options.kills else partial(run_chaos, options.data, plans)
    return finish("test chaos", options.json, act, _tell, codes, lambda found: bool(found["holds"]))


def _tell(result: dict[str, Any]) -> None:
    print("\n".join(f"{name:<14} {value}" for name, value in result.items()))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="infra/tickflow test chaos", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how many rounds (default 5; fifteen hit every kind of fault)")
    parser.add_argument("--seed", type=int, default=1, help="what the faults are drawn from (default 1)")
    parser.add_argument("--round", type=int, metavar="NUMBER", help="run this round of the seed alone: to see a failure again")
    parser.add_argument(
        "--kills", type=int, default=0, metavar="N", help="instead: kill the TaskManager N times in one run, look for leaks"
    )
    parser.add_argument("--data", type=Path, default=paths.HOME / "chaos", metavar="FOLDER", help="emptied first (default .tickflow/chaos)")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
