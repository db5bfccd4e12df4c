"""A Flink session cluster on loopback: one JobManager and TaskManagers of one slot, completed from a profile in `flink-conf/`."""

from __future__ import annotations

import json
import shutil
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from infra.local import environment, flink_java, paths
from infra.local.ports import HOST

START_SECONDS = 90.0
JVM_CRASH_LOGS = "-XX:ErrorFile={directory}/hs_err_%p.log"


def runtime_keys(data_directory: Path, ports: Mapping[str, int]) -> dict[str, str]:
    """What is known only when the cluster starts: addresses, ports, folders, the interpreter."""
    return {
        "jobmanager.rpc.address": HOST,
        "jobmanager.bind-host": HOST,
        "jobmanager.rpc.port": str(ports["flink_rpc"]),
        "blob.server.port": str(ports["flink_blob"]),
        "rest.address": HOST,
        "rest.bind-address": HOST,
        "rest.port": str(ports["flink_rest"]),
        "rest.bind-port": str(ports["flink_rest"]),
        "taskmanager.host": HOST,
        "taskmanager.bind-host": HOST,
        "python.executable": str(paths.PYTHON),
        "python.client.executable": str(paths.PYTHON),
        "execution.checkpointing.dir": (data_directory / "checkpoints").as_uri(),
        "execution.checkpointing.savepoint-dir": (data_directory / "savepoints").as_uri(),
        "io.tmp.dirs": str(data_directory / "run" / "tmp"),
        "web.tmpdir": str(data_directory / "run" / "tmp"),
    }


def write_configuration(profile: str, data_directory: Path, ports: Mapping[str, int]) -> Path:
    """Put the profile's configuration, completed, and the logging files where the scripts look for them."""
    target = data_directory / "run" / "flink-conf"
    target.mkdir(parents=True, exist_ok=True)
    for folder in ("checkpoints", "savepoints", "run/tmp"):
        (data_directory / folder).mkdir(parents=True, exist_ok=True)
    keys = flink_java.read_configuration(paths.FLINK_CONFIGURATIONS / profile / "config.yaml") | runtime_keys(data_directory, ports)
    own_options = JVM_CRASH_LOGS.format(directory=data_directory / "logs")
    keys["env.java.opts.all"] = f"{' '.join(flink_java.module_options())} {own_options}"
    (target / "config.yaml").write_text("".join(f"{key}: {quoted(value)}\n" for key, value in sorted(keys.items())))
    for source in paths.FLINK_CONFIGURATIONS.glob("log4j*.properties"):
        shutil.copy(source, target / source.name)
    return target


def quoted(value: str) -> str:
    """A YAML scalar; JSON strings are valid ones."""
    return json.dumps(value) if any(character in value for character in ":#{}[]%") else value


def process_environment(configuration: Path, name: str, further: Mapping[str, str]) -> dict[str, str]:
    """The environment of one of the cluster's processes; `further` carries the lake's credentials."""
    own = {"FLINK_IDENT_STRING": name, "MALLOC_ARENA_MAX": "2"}
    return environment.program_environment() | dict(further) | flink_java.variables(configuration) | own


def registered_slots(rest_url: str) -> int | None:
    """The cluster's slots, free or not; None while the JobManager does not answer."""
    try:
        with urllib.request.urlopen(f"{rest_url}/overview", timeout=2) as response:
            return int(json.load(response)["slots-total"])
    except (OSError, ValueError, KeyError):
        return None
