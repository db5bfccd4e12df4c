"""Starts and stops the embedded services of a data directory: Kafka, Redis, an S3 server and a Flink cluster."""

from __future__ import annotations

import atexit
import fcntl
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from infra.local import environment, flink_cluster, flink_java, kafka, ports, processes, redis_server, s3_server
from infra.local.console import say
from infra.local.endpoints import Endpoints, Lake, existing, service_endpoints
from infra.local.processes import Program

PORT_NAMES = ["kafka", "kafka_controller", "redis", "s3", "flink_rest", "flink_rpc", "flink_blob"]
CODE_MARKER = "code"
RECORD = Path("run") / "processes.json"
"""Where a data directory lists what runs for it."""
"""Names, beside the record of programs, the code that the TaskManagers have seen."""


class Services:
    """The embedded services of one data directory. `detached` ones outlive this process; others end with it."""

    def __init__(self, data_directory: Path, lake: Lake = "folder", *, detached: bool = False, profile: str = "local") -> None:
        self.data_directory = data_directory.resolve()
        self.run_directory = self.data_directory / "run"
        self.run_directory.mkdir(parents=True, exist_ok=True)
        self.lake: Lake = lake
        self.detached = detached
        self.profile = profile
        self.started: list[Program] = []
        self.running = processes.load(self.record)
        self.ports = self.remembered_ports()
        self.endpoints = service_endpoints(self.data_directory, lake, self.ports)

    @property
    def record(self) -> Path:
        """The file that lists what runs."""
        return self.data_directory / RECORD

    def remembered_ports(self) -> dict[str, int]:
        """The directory's ports; those of a stopped service are replaced when a stranger has taken them."""
        return ports.choose(PORT_NAMES, self.run_directory / "ports.json", keep=bool(self.running))

    def is_running(self, name: str) -> bool:
        """Whether a program of that name runs for this data directory."""
        return any(program.name == name for program in self.running)

    def launch(self, name: str, command: list[str], variables: Mapping[str, str] | None = None) -> Program:
        """Start one program and put it on the record at once."""
        say(f"starting {name}")
        log = self.data_directory / "logs" / f"{name}.log"
        program = processes.start(name, command, log, variables or environment.program_environment(), detached=self.detached)
        self.started.append(program)
        self.running.append(program)
        processes.save(self.running, self.record)
        return program

    def start(self, flink_taskmanagers: int = 1) -> Endpoints:
        """Start what is neither running nor named by the user's settings, and wait until everything answers."""
        own = existing()
        waits: list[tuple[Callable[[], bool], Program, float]] = []
        if own.flink_rest_url is None and flink_taskmanagers:
            waits += self.start_flink(flink_taskmanagers)
        if own.kafka_bootstrap is None and not self.is_running("kafka"):
            waits.append(self.start_kafka())
        if own.redis_url is None and not self.is_running("redis"):
            waits.append(self.start_redis())
        if self.lake == "s3" and own.s3_endpoint is None and not self.is_running("s3"):
            waits.append(self.start_s3())
        for is_ready, program, seconds in waits:
            processes.wait_until(is_ready, program, seconds)
        return self.endpoints

    def start_kafka(self) -> tuple[Callable[[], bool], Program, float]:
        """Launch the broker."""
        command = kafka.prepare(self.data_directory / "kafka", self.ports["kafka"], self.ports["kafka_controller"])
        return lambda: kafka.is_ready(self.endpoints.kafka_bootstrap), self.launch("kafka", command), kafka.START_SECONDS

    def start_redis(self) -> tuple[Callable[[], bool], Program, float]:
        """Launch the online store."""
        command = redis_server.prepare(self.data_directory / "redis", self.ports["redis"])
        return lambda: redis_server.is_ready(self.endpoints.redis_url), self.launch("redis", command), redis_server.START_SECONDS

    def start_s3(self) -> tuple[Callable[[], bool], Program, float]:
        """Launch the object store."""
        command = s3_server.prepare(self.data_directory / "s3", self.ports["s3"])
        return lambda: s3_server.is_ready(str(self.endpoints.s3_endpoint)), self.launch("s3", command), s3_server.START_SECONDS

    def start_flink(self, taskmanagers: int) -> list[tuple[Callable[[], bool], Program, float]]:
        """Launch the JobManager and the TaskManagers that are missing."""
        if not any(is_worker(program) for program in self.running):
            (self.run_directory / CODE_MARKER).unlink(missing_ok=True)
        configuration = flink_cluster.write_configuration(self.profile, self.data_directory, self.ports)
        commands = {"flink-jobmanager": flink_java.jobmanager(configuration)}
        commands |= {
            name: flink_java.taskmanager(configuration, name) for name in (f"flink-taskmanager-{n + 1}" for n in range(taskmanagers))
        }
        launched = [
            self.launch(name, command, flink_cluster.process_environment(configuration, name, self.endpoints.as_environment()))
            for name, command in commands.items()
            if not self.is_running(name)
        ]
        return [(lambda: self.has_slots(taskmanagers), program, flink_cluster.START_SECONDS) for program in launched]

    def has_slots(self, wanted: int) -> bool:
        """Whether the Flink cluster offers at least that many slots."""
        return (flink_cluster.registered_slots(self.endpoints.flink_rest_url) or 0) >= wanted

    def restart(self, flink_taskmanagers: int = 1) -> None:
        """Start again whatever has ended since; for tests of recovery."""
        self.running = processes.load(self.record)
        self.start(flink_taskmanagers)

    def program(self, name: str) -> Program:
        """The running program of that name. Raises KeyError when there is none."""
        found = {program.name: program for program in processes.load(self.record)}
        return found[name]

    def stop(self) -> None:
        """Stop what this process started for the directory: clients of a service before the service."""
        on_record = processes.load(self.record)
        stop_in_order([program for program in on_record if program in self.started or program.pid in processes.CHILDREN])
        self.started = []
        processes.save(processes.load(self.record), self.record)


def stop_in_order(programs: list[Program]) -> None:
    """Flink first, then what it writes to."""
    processes.stop([program for program in programs if program.name.startswith("flink")])
    processes.stop([program for program in programs if not program.name.startswith("flink")])


@contextmanager
def exclusive(data_directory: Path) -> Iterator[None]:
    """One start or stop at a time in a data directory."""
    (data_directory / "run").mkdir(parents=True, exist_ok=True)
    with (data_directory / "run" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def start(data_directory: Path, lake: Lake = "folder", flink_taskmanagers: int = 1) -> Endpoints:
    """Start everything so that it outlives this process; what already runs is left as it is. `stop` ends it."""
    with exclusive(data_directory):
        services = Services(data_directory, lake, detached=True)
        try:
            return services.start(flink_taskmanagers)
        except BaseException:
            services.stop()
            raise


def stop(data_directory: Path) -> list[str]:
    """Stop whatever runs for a data directory; the names of what was stopped."""
    with exclusive(data_directory):
        record = data_directory / "run" / "processes.json"
        programs = processes.load(record)
        stop_in_order(programs)
        record.unlink(missing_ok=True)
    return [program.name for program in programs]


def prepare_workers(endpoints: Endpoints, code_zip: Path) -> None:
    """Call before submitting. A TaskManager keeps the modules that it has imported: when the code has changed, it must start anew.

    Jobs that run on it are recovered by Flink, with their own code. A cluster of the user's own is left alone.
    """
    marker = endpoints.data_directory / "run" / CODE_MARKER
    previous = marker.read_text() if marker.exists() else code_zip.name
    if existing().flink_rest_url is None and previous != code_zip.name:
        restart_workers(endpoints)
    marker.write_text(code_zip.name)


def restart_workers(endpoints: Endpoints) -> None:
    """Stop the embedded TaskManagers and start as many fresh ones."""
    with exclusive(endpoints.data_directory):
        workers = [program for program in processes.load(endpoints.data_directory / "run" / "processes.json") if is_worker(program)]
        say("the code has changed: fresh TaskManagers")
        processes.stop(workers)
        owned = any(program.pid in processes.CHILDREN for program in workers)
        Services(endpoints.data_directory, endpoints.lake, detached=not owned).start(len(workers))


def is_worker(program: Program) -> bool:
    """Whether a program is a TaskManager."""
    return program.name.startswith("flink-taskmanager")


@contextmanager
def running(data_directory: Path, lake: Lake = "folder", flink_taskmanagers: int = 1, profile: str = "local") -> Iterator[Endpoints]:
    """Services for the length of a `with` block. They end with it, with Ctrl-C, and with this process however it ends."""
    services = Services(data_directory, lake, profile=profile)
    atexit.register(services.stop)
    try:
        with terminable():
            with exclusive(data_directory):
                services.start(flink_taskmanagers)
            yield services.endpoints
    finally:
        services.stop()
        atexit.unregister(services.stop)


@contextmanager
def terminable() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into SystemExit inside the block, so that `finally` runs (in the main thread; elsewhere nothing)."""
    try:
        before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    except ValueError:
        before = {}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def leave(number: int, _frame: FrameType | None) -> None:
    """End this process as a shell would report it."""
    sys.exit(128 + number)
