"""A Flink session cluster on loopback: one JobManager and TaskManagers of one slot, completed from a profile in `flink-conf/`."""

from __future__ import annotations

import json
import shutil
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from infra.local import environment, flink_java, paths
from infra.local.ports import HOST

START_SECONDS = 180.0
CLIENT_OPTIONS = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"
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
    for folder in ("checkpoints", "savepoints", "run/tmp"):
        (data_directory / folder).mkdir(parents=True, exist_ok=True)
    keys = flink_java.read_configuration(paths.FLINK_CONFIGURATIONS / profile / "config.yaml") | runtime_keys(data_directory, ports)
    own_options = JVM_CRASH_LOGS.format(directory=data_directory / "logs")
    keys["env.java.opts.all"] = f"{' '.join(flink_java.module_options())} {own_options}"
    return write_folder(data_directory / "run" / "flink-conf", keys)


def write_client_configuration(rest_url: str) -> Path:
    """A folder for FLINK_CONF_DIR from which to submit to a cluster that somebody else has configured: its folders stay its own."""
    address = urllib.parse.urlsplit(rest_url)
    keys = flink_java.read_configuration(paths.FLINK_CONFIGURATIONS / "live" / "config.yaml")
    keys = {key: value for key, value in keys.items() if not key.startswith(("metrics.", "env.java.")) and "dir" not in key.split(".")[-1]}
    client = {"rest.address": str(address.hostname), "rest.port": str(address.port), "python.client.executable": str(paths.PYTHON)}
    client |= {"env.java.opts.all": " ".join(flink_java.module_options()), "env.java.opts.client": CLIENT_OPTIONS}
    return write_folder(paths.HOME / "run" / "client-conf", keys | client)


def write_folder(target: Path, keys: Mapping[str, str]) -> Path:
    """Write `config.yaml` and the logging files into a folder."""
    target.mkdir(parents=True, exist_ok=True)
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
