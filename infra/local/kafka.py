"""A real single-node Kafka broker (KRaft) on loopback, and its topics."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path

from confluent_kafka import KafkaError as BrokerError
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from infra.local import environment, paths
from infra.local.console import SetupError
from infra.local.ports import HOST

HEAP_MEGABYTES = 512
START_SECONDS = 150.0
ADMIN_SECONDS = 20.0
FORMATTER = "kafka.tools.StorageTool"

LOGGING = """status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %p %m (%c)%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
"""


def properties(directory: Path, port: int, controller_port: int) -> dict[str, str]:
    """The broker's settings: loopback only, nothing deleted by age or size, topics made on purpose."""
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{HOST}:{controller_port}",
        "listeners": f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{port}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": str(directory / "logs"),
        "num.partitions": "2",
        "default.replication.factor": "1",
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "4",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        "log.retention.hours": "-1",
        "log.retention.bytes": "-1",
        "log.message.timestamp.after.max.ms": str(2**63 - 1),
        "auto.create.topics.enable": "false",
        "message.max.bytes": "8388608",
        "num.network.threads": "2",
        "num.io.threads": "2",
        "log.cleaner.dedupe.buffer.size": "16777216",
        "controlled.shutdown.enable": "false",
    }


def java(main_class: str, arguments: list[str], directory: Path) -> list[str]:
    """The command line of one of Kafka's programs."""
    memory = [f"-Xmx{HEAP_MEGABYTES}m", f"-Xms{HEAP_MEGABYTES // 2}m", "-XX:+UseParallelGC"]
    if main_class == FORMATTER:
        memory = ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    class_path = ["-cp", f"{paths.JARS / 'kafka'}/*"]
    logging = [f"-Dlog4j2.configurationFile={directory / 'log4j2.properties'}"]
    return [str(paths.java_home() / "bin" / "java"), *memory, *logging, *class_path, main_class, *arguments]


def prepare(directory: Path, port: int, controller_port: int) -> list[str]:
    """Write the configuration, format the storage once, and return the broker's command line."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "log4j2.properties").write_text(LOGGING)
    configuration = directory / "server.properties"
    lines = [f"{key}={value}" for key, value in properties(directory, port, controller_port).items()]
    configuration.write_text("\n".join(lines) + "\n")
    if not (directory / "logs" / "meta.properties").exists():
        format_storage(directory, configuration)
    return java("kafka.Kafka", [str(configuration)], directory)


def format_storage(directory: Path, configuration: Path) -> None:
    """Give an empty log directory its cluster id."""
    arguments = ["format", "--cluster-id", uuid.uuid4().hex[:22], "--config", str(configuration)]
    command = java(FORMATTER, arguments, directory)
    result = subprocess.run(command, env=environment.program_environment(), capture_output=True, text=True)
    if result.returncode:
        raise SetupError(f"Kafka's storage could not be formatted in {directory}:\n{(result.stdout + result.stderr)[-2000:]}")


def admin(bootstrap: str) -> KafkaAdminClient:
    """An administration client; close it after use."""
    return KafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=10_000)


def is_ready(bootstrap: str) -> bool:
    """Whether the broker answers a metadata request."""
    try:
        client = KafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=2_000)
    except (KafkaError, OSError, ValueError):
        return False
    try:
        client.list_topics()
    except (KafkaError, OSError):
        return False
    finally:
        client.close()
    return True


def ensure_topics(
    bootstrap: str,
    partitions: Mapping[str, int],
    settings: Mapping[str, str] | None = None,
    client: Mapping[str, str] | None = None,
) -> None:
    """Create the topics that are not there, `partitions` by name, with the broker's own replication; existing ones are left as they are.

    `client` holds librdkafka's properties for connecting. Raises SetupError when the broker does not answer or refuses.
    """
    admin = AdminClient({"bootstrap.servers": bootstrap, **(client or {})})
    try:
        missing = sorted(set(partitions) - set(admin.list_topics(timeout=ADMIN_SECONDS).topics))
        wanted = [NewTopic(name, partitions[name], -1, config=dict(settings or {})) for name in missing]
        for name, created in (admin.create_topics(wanted) if wanted else {}).items():
            wait_until_created(name, created)
    except KafkaException as error:
        raise SetupError(f"Kafka at {bootstrap}: {error}; is it up, and are address and login right?") from error


def wait_until_created(name: str, created: Future[None]) -> None:
    """Wait for one topic; another program may have been faster."""
    try:
        created.result(ADMIN_SECONDS)
    except KafkaException as error:
        if error.args[0].code() != BrokerError.TOPIC_ALREADY_EXISTS:
            raise SetupError(f"Kafka: topic {name} could not be made: {error}; make it yourself, or let this user make topics") from error
