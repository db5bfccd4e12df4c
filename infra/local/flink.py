"""Submits Python jobs to a Flink cluster and watches them over its REST interface."""

from __future__ import annotations

import json
import re
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from infra.local import environment, flink_cluster, flink_java, paths, processes

TIMEOUT_SECONDS = 10
SUBMIT_SECONDS = 180
POLL_SECONDS = 0.2
FINAL_STATES = frozenset({"FINISHED", "FAILED", "CANCELED"})
JOB_ID = re.compile(r"JobID ([0-9a-f]{32})")


class JobFailed(Exception):
    """A job ended, or did not do what was waited for; the text holds the cause that Flink names."""


def request(rest_url: str, path: str, body: Mapping[str, object] | None = None, method: str | None = None) -> Any:
    """Call the REST interface and read its JSON. `body` makes it a POST."""
    data = None if body is None else json.dumps(body).encode()
    call = urllib.request.Request(f"{rest_url}{path}", data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(call, timeout=TIMEOUT_SECONDS) as response:
        content = response.read()
    return json.loads(content) if content else None


def submit_arguments(rest_url: str, entry: Path, arguments: Sequence[str], code_zip: Path, options: Mapping[str, str]) -> list[str]:
    """What stands behind `flink` on the command line."""
    address = urllib.parse.urlsplit(rest_url)
    dynamic = [f"-D{key}={value}" for key, value in sorted(options.items())]
    return ["run", "-d", "-m", f"{address.hostname}:{address.port}", *dynamic, "-py", str(entry), "-pyfs", str(code_zip), *arguments]


def submit(
    entry: Path,
    arguments: Sequence[str],
    rest_url: str,
    code_zip: Path,
    configuration: Path | None = None,
    *,
    options: Mapping[str, str] | None = None,
    variables: Mapping[str, str] | None = None,
    timeout_seconds: float = SUBMIT_SECONDS,
) -> str:
    """Submit a Python program as `flink run -d` does; the new job's id.

    `configuration` is the folder for FLINK_CONF_DIR: `Endpoints.flink_configuration` of an embedded cluster; None for a cluster of the
    user's own, to which the profile `live` goes, without its folders. `options` are Flink settings for this job,
    `variables` are added to the client's environment. Raises JobFailed with the client's output.
    """
    configuration = configuration or flink_cluster.write_client_configuration(rest_url)
    command = flink_java.client(configuration, submit_arguments(rest_url, entry, arguments, code_zip, options or {}))
    client = environment.program_environment() | flink_java.variables(configuration) | dict(variables or {})
    result = subprocess.run(command, env=client, cwd=paths.ROOT, capture_output=True, text=True, timeout=timeout_seconds)
    found = JOB_ID.search(result.stdout)
    if result.returncode or not found:
        raise JobFailed(f"flink run ended with {result.returncode}:\n{result.stdout[-4000:]}\n{result.stderr[-4000:]}")
    return found.group(1)


def jobs(rest_url: str) -> list[dict[str, str]]:
    """Jobs that the cluster knows: id, name, state. Empty when it does not answer."""
    try:
        found = request(rest_url, "/jobs/overview")["jobs"]
    except OSError:
        return []
    return [{"id": job["jid"], "name": job["name"], "state": job["state"]} for job in found]


def job_state(rest_url: str, job_id: str) -> str:
    """RUNNING, FINISHED, FAILED, CANCELED, RESTARTING, …"""
    return str(request(rest_url, f"/jobs/{job_id}")["state"])


def failure(rest_url: str, job_id: str) -> str:
    """The root cause of a job's last failure, as Flink reports it; empty if there is none."""
    entries = request(rest_url, f"/jobs/{job_id}/exceptions")["exceptionHistory"]["entries"]
    return "\n".join(str(entry["stacktrace"]) for entry in entries[:1])


def wait_for_state(rest_url: str, job_id: str, wanted: str, timeout_seconds: float) -> None:
    """Wait until the job is in a state. Raises JobFailed when it ends in another, or after the timeout."""
    deadline = time.monotonic() + timeout_seconds
    while (state := job_state(rest_url, job_id)) != wanted:
        if state in FINAL_STATES or time.monotonic() > deadline:
            raise JobFailed(f"job {job_id} is {state}, waited {timeout_seconds:.0f} s for {wanted}\n{failure(rest_url, job_id)}")
        time.sleep(POLL_SECONDS)


def wait_until_running(rest_url: str, job_id: str, timeout_seconds: float = 120.0) -> None:
    """Wait until every task of the job runs (the job's own RUNNING comes earlier)."""
    wait_for_state(rest_url, job_id, "RUNNING", timeout_seconds)
    deadline = time.monotonic() + timeout_seconds
    while not all(vertex["status"] in ("RUNNING", "FINISHED") for vertex in request(rest_url, f"/jobs/{job_id}")["vertices"]):
        if time.monotonic() > deadline or job_state(rest_url, job_id) in FINAL_STATES:
            raise JobFailed(f"not every task of job {job_id} runs after {timeout_seconds:.0f} s\n{failure(rest_url, job_id)}")
        time.sleep(POLL_SECONDS)


def completed_checkpoints(rest_url: str, job_id: str) -> int:
    """How many checkpoints the job has completed."""
    return int(request(rest_url, f"/jobs/{job_id}/checkpoints")["counts"]["completed"])


def wait_for_checkpoint(rest_url: str, job_id: str, further: int = 1, timeout_seconds: float = 120.0) -> None:
    """Wait until `further` more checkpoints are complete: two make sure that one began after this call."""
    goal = completed_checkpoints(rest_url, job_id) + further
    deadline = time.monotonic() + timeout_seconds
    while completed_checkpoints(rest_url, job_id) < goal:
        if time.monotonic() > deadline or job_state(rest_url, job_id) in FINAL_STATES:
            raise JobFailed(f"job {job_id} completed no checkpoint in {timeout_seconds:.0f} s\n{failure(rest_url, job_id)}")
        time.sleep(POLL_SECONDS)


def cancel(rest_url: str, job_id: str, timeout_seconds: float = 60.0) -> None:
    """Cancel the job and wait until it has ended."""
    try:
        request(rest_url, f"/jobs/{job_id}?mode=cancel", method="PATCH")
    except urllib.error.HTTPError as error:
        if error.code not in (404, 409):  # it had already ended
            raise
    deadline = time.monotonic() + timeout_seconds
    while job_state(rest_url, job_id) not in FINAL_STATES:
        if time.monotonic() > deadline:
            raise JobFailed(f"job {job_id} did not end within {timeout_seconds:.0f} s")
        time.sleep(POLL_SECONDS)


def stop_with_savepoint(rest_url: str, job_id: str, target: Path | str, timeout_seconds: float = 120.0, *, drain: bool = False) -> str:
    """Stop the job with a savepoint under `target`; the savepoint's path. `drain` sends a last watermark first."""
    body = {"targetDirectory": str(target), "drain": drain}
    trigger = request(rest_url, f"/jobs/{job_id}/stop", body)["request-id"]
    deadline = time.monotonic() + timeout_seconds
    while (answer := request(rest_url, f"/jobs/{job_id}/savepoints/{trigger}"))["status"]["id"] != "COMPLETED":
        if time.monotonic() > deadline:
            raise JobFailed(f"no savepoint of job {job_id} within {timeout_seconds:.0f} s")
        time.sleep(POLL_SECONDS)
    operation = answer["operation"]
    if "failure-cause" in operation:
        raise JobFailed(f"savepoint of job {job_id}: {operation['failure-cause']['stack-trace'][:4000]}")
    wait_for_state(rest_url, job_id, "FINISHED", timeout_seconds)
    return str(operation["location"])


def taskmanager_log(data_directory: Path, name: str = "flink-taskmanager-1") -> str:
    """The end of a TaskManager's log, for error messages."""
    return processes.tail(str(data_directory / "logs" / f"{name}.log"))
