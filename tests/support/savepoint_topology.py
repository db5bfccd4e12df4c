"""Stops the job's topology with a savepoint after some records, or restores it from one and gives it others."""

from __future__ import annotations

import json
import shutil
import sys
import time
from pathlib import Path

from pyflink.datastream import StreamExecutionEnvironment
from pyflink.java_gateway import get_gateway

from jobs.operator_ids import MARKET, all_transformations
from tests.support.run_topology import RECORDED, attach, recorded, stream_environment

MAX_PARALLELISM = 128
"""That of the local profile; the key groups of a savepoint are numbered by it."""
ONE_FILE = {"state.storage.fs.memory-threshold": "1 mb", "execution.checkpointing.data-inline-threshold": "1 mb"}
_SECONDS = 240.0


def main(request: str) -> None:
    """`request` is a JSON file: records as [key, value in hexadecimal], the first one's offset, a folder for the rows, and either
    `savepoint_to` or `restore_from`."""
    wanted = json.loads(Path(request).read_text())
    folder = Path(wanted["folder"])
    saves = "savepoint_to" in wanted
    table = recorded(wanted["records"], folder, wanted["first_offset"], goes_on=saves)
    if saves:
        _save(table, len(wanted["records"]), folder, Path(wanted["savepoint_to"]))
    else:
        _restore(table, folder, wanted["restore_from"])


def _restore(table: str, folder: Path, savepoint: str) -> None:
    """Only what the market function remembers is taken over: these sources and sinks are others."""
    options = {"execution.state-recovery.path": savepoint, "execution.state-recovery.ignore-unclaimed-state": "true"}
    environment = stream_environment(options)
    environment.set_max_parallelism(MAX_PARALLELISM)
    attach(environment, RECORDED, folder, [table])
    _name_all_but_market_anew(environment)
    environment.execute("restored topology")


def _name_all_but_market_anew(environment: StreamExecutionEnvironment) -> None:
    """What the saved job's source and sinks remember are files that are no longer there."""
    for transformation in all_transformations(environment):
        uid = transformation.getUid()
        if uid is not None and uid != MARKET:
            transformation.setUid(f"restored.{uid}")


def _save(table: str, records: int, folder: Path, target: Path) -> None:
    """Once the rows of all records are stored the job, which waits for more, is stopped."""
    environment = stream_environment(ONE_FILE)
    environment.set_max_parallelism(MAX_PARALLELISM)
    attach(environment, RECORDED, folder, [table])
    client = environment.execute_async("saved topology")
    deadline = time.monotonic() + _SECONDS
    while stored(folder / "frame") < records:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{stored(folder / 'frame')} of {records} frames are stored")
        time.sleep(0.5)
    canonical = get_gateway().jvm.org.apache.flink.core.execution.SavepointFormatType.CANONICAL
    made = client._j_job_client.stopWithSavepoint(False, str(folder / "savepoint"), canonical).get()
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(made.removeprefix("file:"), target)


def stored(folder: Path) -> int:
    """Rows in files that a checkpoint has closed."""
    files = [file for file in folder.rglob("*") if file.is_file() and not file.name.startswith((".", "_"))]
    return sum(len(file.read_text().splitlines()) for file in files)


if __name__ == "__main__":
    main(sys.argv[1])
