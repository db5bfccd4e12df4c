"""`infra/tickflow live`: submit the stream job to a cluster, with its topics, its tables and its manifest."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from pathlib import Path

from infra.local import flink, flink_cluster, paths, shipping
from infra.local.console import SetupError, print_json, say
from infra.local.flink import JobFailed, wait_until_running
from jobs.audit.log import AuditLog, audit_folder
from jobs.audit.settings import note_submission
from jobs.job_plan import JobPlan
from jobs.lake.catalog import create_tables, open_catalog
from jobs.lake.settings import lake_from_environment
from jobs.session import settings_file
from jobs.settings import load_settings
from jobs.submission import ENTRY, live_plan, make_topics, note_run, submit
from udfs.errors import TickflowError


def main(arguments: list[str]) -> int:
    """Run the verb; 0 running, 1 the job failed, 2 usage or environment."""
    options = _parser().parse_args(arguments)
    try:
        settings = load_settings(options.settings or settings_file(options.profile))
        lake = lake_from_environment(os.environ, options.data / "lake")
        make_topics(settings)
        plan = live_plan(settings, lake)
        note_submission(AuditLog(audit_folder()), settings.without_secrets(), plan.manifest_id, plan.run_id, options.reason)
        if options.print_command:
            print(prepared_command(plan, options.savepoint))
            return 0
        job = submit(plan, "live", savepoint=options.savepoint)
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


def prepared_command(plan: JobPlan, savepoint: str = "") -> str:
    """Make the tables, note the run, and give the `flink run` line that submits the plan. It holds no secret."""
    catalog = open_catalog(plan.lake)
    create_tables(catalog, plan.lake.buckets, plan.namespace)
    note_run(catalog, plan, "live", time.time_ns(), None, {})
    rest_url = plan.settings.flink.rest_url
    options = {"execution.state-recovery.path": savepoint} if savepoint else {}
    arguments = flink.submit_arguments(rest_url, ENTRY, ["--plan", plan.to_json()], shipping.build_zip(), options)
    variables = [f"JAVA_HOME={paths.java_home()}", f"FLINK_CONF_DIR={flink_cluster.write_client_configuration(rest_url)}"]
    return shlex.join(["env", *variables, str(paths.FLINK_HOME / "bin" / "flink"), *arguments])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="infra/tickflow live", description=__doc__)
    parser.add_argument("--profile", default="live", help="folder of flink-conf/ whose job.toml is used (default live)")
    parser.add_argument("--settings", type=Path, metavar="FILE", help="another settings file")
    parser.add_argument("--data", type=Path, default=paths.DATA, metavar="FOLDER", help="data directory of a local lake")
    parser.add_argument("--savepoint", default="", metavar="PATH", help="savepoint or checkpoint to start from")
    parser.add_argument("--reason", default="submitted by `infra/tickflow live`", metavar="TEXT", help="why; stays in the audit log")
    parser.add_argument(
        "--print-command", action="store_true", help="prepare everything, and print the `flink run` line instead of running it"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
