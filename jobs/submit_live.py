"""`infra/tickflow live`: submit the stream job to a cluster, with its topics, its tables and its manifest."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from infra.local import paths
from infra.local.console import SetupError, print_json, say
from infra.local.flink import JobFailed, wait_until_running
from jobs.lake.settings import lake_from_environment
from jobs.session import settings_file
from jobs.settings import load_settings
from jobs.submission import live_plan, make_topics, submit
from udfs.errors import TickflowError


def main(arguments: list[str]) -> int:
    """Run the verb; 0 running, 1 the job failed, 2 usage or environment."""
    options = _parser().parse_args(arguments)
    try:
        settings = load_settings(options.settings or settings_file(options.profile))
        lake = lake_from_environment(os.environ, options.data / "lake")
        make_topics(settings)
        job = submit(live_plan(settings, lake), "live", savepoint=options.savepoint)
        wait_until_running(job.rest_url, job.job_id)
    except (TickflowError, SetupError) as error:
        say(f"live: {error}")
        return 2
    except JobFailed as error:
        say(f"live: {error}")
        return 1
    result = {"job_id": job.job_id, "run_id": job.plan.run_id, "manifest_id": job.plan.manifest_id, "rest_url": job.rest_url}
    if options.json:
        print_json(result)
    else:
        print("\n".join(f"{name:<12} {value}" for name, value in result.items()))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="infra/tickflow live", description=__doc__)
    parser.add_argument("--profile", default="live", help="folder of flink-conf/ whose job.toml is used (default live)")
    parser.add_argument("--settings", type=Path, metavar="FILE", help="another settings file")
    parser.add_argument("--data", type=Path, default=paths.DATA, metavar="FOLDER", help="data directory of a local lake")
    parser.add_argument("--savepoint", default="", metavar="PATH", help="savepoint or checkpoint to start from")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
