"""The Java command lines of Flink's programs, as its scripts would make them, without the scripts' own Java starts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from infra.local import paths

UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
JOBMANAGER_CLASS = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
TASKMANAGER_CLASS = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"
CLIENT_CLASS = "org.apache.flink.client.cli.CliFrontend"


def read_configuration(path: Path) -> dict[str, str]:
    """The keys of a `config.yaml` written flat, one `key: value` a line; quotes around a value are taken off."""
    lines = [line for line in path.read_text().splitlines() if line.strip() and not line.lstrip().startswith("#")]
    pairs = (line.split(": ", 1) for line in lines)
    return {key: value[1:-1] if value.startswith('"') else value for key, value in pairs}


def size_bytes(text: str) -> int:
    """Bytes of a Flink memory size such as 64m."""
    match = re.fullmatch(r"(\d+)\s*([kmg])b?", text)
    if match is None:
        raise ValueError(f"expected a size such as 64m, found {text!r}")
    return int(match.group(1)) * UNITS[match.group(2)]


def total_bytes(configuration: Mapping[str, str], prefix: str, *parts: str) -> int:
    """The sum of some memory sizes of a process."""
    return sum(size_bytes(configuration[f"{prefix}.memory.{part}"]) for part in parts)


def class_path() -> str:
    """Every jar in `lib`, sorted, Flink itself last, as Flink's scripts order them."""
    jars = sorted((paths.FLINK_HOME / "lib").glob("*.jar"), key=lambda jar: (jar.name.startswith("flink-dist"), jar.name))
    return ":".join(str(jar) for jar in jars)


def module_options() -> list[str]:
    """The `--add-opens` and `--add-exports` that Flink ships for Java 17, without those of a compiler that a runtime lacks."""
    lines = (paths.FLINK_HOME / "conf" / "config.yaml").read_text().splitlines()
    options = next(line for line in lines if "--add-exports" in line and not line.lstrip().startswith("#"))
    return [option for option in options.split("all:", 1)[1].split() if "jdk.compiler" not in option]


def java(role: str, logging: str, configuration_directory: Path, memory: list[str]) -> list[str]:
    """The beginning common to all: runtime, options of all and of the role, memory, logging, class path."""
    configuration = read_configuration(configuration_directory / "config.yaml")
    own = [*configuration.get("env.java.opts.all", "").split(), *configuration.get(f"env.java.opts.{role}", "").split()]
    log = [f"-Dlog4j.configurationFile=file:{configuration_directory / logging}"]
    return [str(paths.java_home() / "bin" / "java"), *own, *memory, *log, "-cp", class_path()]


def jobmanager(configuration_directory: Path) -> list[str]:
    """A session cluster's JobManager."""
    keys = read_configuration(configuration_directory / "config.yaml")
    heap = total_bytes(keys, "jobmanager", "heap.size")
    metaspace = total_bytes(keys, "jobmanager", "jvm-metaspace.size")
    memory = [f"-Xmx{heap}", f"-Xms{heap // 4}", f"-XX:MaxMetaspaceSize={metaspace}"]
    start = java("jobmanager", "log4j-console.properties", configuration_directory, memory)
    return [*start, JOBMANAGER_CLASS, "--configDir", str(configuration_directory), "--executionMode", "cluster"]


def taskmanager(configuration_directory: Path, name: str) -> list[str]:
    """A TaskManager; `name` is its resource id."""
    keys = read_configuration(configuration_directory / "config.yaml")
    heap = total_bytes(keys, "taskmanager", "framework.heap.size", "task.heap.size")
    direct = total_bytes(keys, "taskmanager", "framework.off-heap.size", "task.off-heap.size", "network.max")
    metaspace = total_bytes(keys, "taskmanager", "jvm-metaspace.size")
    memory = [f"-Xmx{heap}", f"-Xms{heap}", f"-XX:MaxDirectMemorySize={direct}", f"-XX:MaxMetaspaceSize={metaspace}"]
    start = java("taskmanager", "log4j-console.properties", configuration_directory, memory)
    return [*start, TASKMANAGER_CLASS, "--configDir", str(configuration_directory), "-D", f"taskmanager.resource-id={name}"]


def client(configuration_directory: Path, arguments: list[str]) -> list[str]:
    """The program behind `flink`, for instance with the arguments `run -d …`."""
    start = java("client", "log4j-cli.properties", configuration_directory, ["-Xmx512m"])
    return [*start, CLIENT_CLASS, *arguments]


def variables(configuration_directory: Path) -> dict[str, str]:
    """What Flink's programs look for in their environment."""
    return {
        "FLINK_CONF_DIR": str(configuration_directory),
        "FLINK_BIN_DIR": str(paths.FLINK_HOME / "bin"),
        "FLINK_LIB_DIR": str(paths.FLINK_HOME / "lib"),
        "FLINK_OPT_DIR": str(paths.FLINK_HOME / "opt"),
        "FLINK_PLUGINS_DIR": str(paths.FLINK_HOME / "plugins"),
        "FLINK_LOG_DIR": str(configuration_directory.parents[1] / "logs"),
        "FLINK_PID_DIR": str(configuration_directory.parent),
    }
