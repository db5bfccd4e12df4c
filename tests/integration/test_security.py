"""An attacker's view: without a login nobody gets anything from Kafka or Redis, and with one no more than the examples give."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import redis
from confluent_kafka import Consumer, KafkaException, Producer, TopicCollection
from confluent_kafka.admin import AclOperation, AdminClient

from infra.local.console import SetupError
from infra.local.kafka import ensure_topics
from infra.local.ports import HOST
from jobs import halt
from jobs.audit.log import AuditLog
from jobs.control_log import read_control_log
from jobs.control_verbs import publish_all
from jobs.gateway.control_follower import ControlFollower
from jobs.gateway.publisher import KafkaPublisher, PublisherSettings
from jobs.lake.settings import lake_from_environment
from jobs.lake.sql_session import SqlSession, session_statements
from jobs.serving.latest import read_latest
from jobs.serving.online_store import open_online_store
from jobs.settings import load_settings
from tests.offline.test_paper_trader import UP, row
from tests.support.secure_services import BROKER, RIGHTS, SecureKafka, connected, make_certificates, secure_redis
from udfs.codecs.signals import encode_signal
from udfs.records import ControlEvent, ControlKind, ShedLevel

TOPICS = sorted(load_settings(environment={}).topics.model_dump().values())
SHORT_SECONDS = 4.0


@pytest.fixture(scope="module")
def store(secured: SecureKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with secure_redis(tmp_path_factory.mktemp("secured-redis"), secured.certificates) as found:
        yield found


def test_kafka_gives_nothing_to_whoever_has_no_login(secured: SecureKafka, tmp_path: Path) -> None:
    """No TLS, no login, another's authority, a wrong password, a user who is not there."""
    right = secured.properties("reader")
    plain = {"bootstrap.servers": secured.bootstrap, "log_level": "0"}
    attempts = [
        plain,
        plain | {"security.protocol": "SSL", "ssl.ca.location": right["ssl.ca.location"]},
        right | {"ssl.ca.location": str(make_certificates(tmp_path, "another").authority)},
        secured.properties("reader", "wrong"),
        right | {"sasl.username": "nobody"},
    ]
    for properties in attempts:
        with pytest.raises(KafkaException):
            AdminClient(properties).list_topics(timeout=SHORT_SECONDS)
    assert set(AdminClient(right).list_topics(timeout=30.0).topics) == {"signals", "alerts"}


@pytest.mark.parametrize("user", RIGHTS)
def test_a_login_may_do_what_it_needs_and_no_more(secured: SecureKafka, user: str) -> None:
    """As the broker itself says it: the operations of each topic that this login is granted."""
    client = AdminClient(secured.properties(user))
    answers = client.describe_topics(TopicCollection(TOPICS), include_authorized_operations=True, request_timeout=30.0)
    granted = {name: _operations(answer) for name, answer in answers.items()}
    topics = RIGHTS[user]["topics"]
    everything = topics.get("create") == ["*"]
    for name, found in granted.items():
        expected = {AclOperation.READ} if name in topics.get("read", []) else set()
        expected |= {AclOperation.WRITE} if name in topics.get("write", []) else set()
        expected |= {AclOperation.CREATE} if everything else set()
        assert found - {AclOperation.DESCRIBE} == expected, name


def _operations(answer) -> set[AclOperation]:  # type: ignore[no-untyped-def]
    try:
        return set(answer.result(30.0).authorized_operations)
    except KafkaException:
        return set()


def test_what_a_reader_writes_is_refused(secured: SecureKafka) -> None:
    failures = []
    producer = Producer(secured.properties("reader"))
    for topic in ("control", "signals"):
        producer.produce(topic, b"x", on_delivery=lambda error, _: failures.append(error))
    producer.flush(30.0)
    assert len(failures) == 2
    assert all(failures)


def test_our_programs_work_with_the_rights_of_the_example(
    secured: SecureKafka, store: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A halt by the operator reaches the gateway; a signal of the job reaches Redis by the online store, and a reader by Redis."""
    monkeypatch.setenv("TICKFLOW_AUDIT", str(tmp_path))
    secured.log_in("operator", monkeypatch)
    assert halt.main(["A", "--reason", "drill"]) == 0
    assert len(read_control_log(load_settings())) == 1
    secured.log_in("gateway", monkeypatch)
    settings = load_settings()
    with ControlFollower(settings.kafka.bootstrap_servers, settings.topics.control, settings.kafka.librdkafka_properties()) as follower:
        assert follower.version() == 1
    publisher = KafkaPublisher(PublisherSettings.of(settings.kafka))
    publisher.send("rejects", b"A", b"line", 1)
    publisher.flush()
    secured.log_in("job", monkeypatch)
    publisher = KafkaPublisher(PublisherSettings.of(load_settings().kafka))
    publisher.send("signals", b"A", encode_signal(replace(UP, symbol="A")), 1)
    publisher.send("features", b"A", row(1.0).value, 1)
    publisher.flush()
    secured.log_in("online-store", monkeypatch)
    monkeypatch.setenv("TICKFLOW_REDIS_URL", store["online-store"])
    _copy_until(lambda: _is_whole(store))
    found = read_latest(connected(store["reader"]), ["A"])["A"]
    assert found.signal is not None
    assert found.signal.signal_id == UP.signal_id
    secured.log_in("monitor", monkeypatch)
    publish_all([ControlEvent(0, ControlKind.SHED, 1, "monitor", "drill", shed_level=int(ShedLevel.ONLINE_FEATURES))], load_settings())
    secured.log_in("online-store", monkeypatch)
    _copy_until_shed(publisher)
    secured.log_in("monitor", monkeypatch)
    publish_all([ControlEvent(0, ControlKind.SHED, 1, "monitor", "drill is over")], load_settings())


def _is_whole(store: dict[str, str]) -> bool:
    """Whether a reader finds the row and the signal; the topics hold other tests' records, too."""
    found = read_latest(connected(store["reader"]), ["A"])["A"]
    return found.signal is not None and found.features is not None


def _copy_until(done: Callable[[], bool]) -> None:
    online, stopped = open_online_store(load_settings()), threading.Event()
    thread = threading.Thread(target=online.run, args=(stopped.is_set,), daemon=True)
    thread.start()
    deadline = time.monotonic() + 60.0
    while not done() and time.monotonic() < deadline:
        time.sleep(0.05)
    stopped.set()
    thread.join(30.0)
    assert done()


def _copy_until_shed(job: KafkaPublisher) -> None:
    """Feature rows come until one is left out: before, the program has not read the entry yet."""
    online, stopped = open_online_store(load_settings()), threading.Event()
    thread = threading.Thread(target=online.run, args=(stopped.is_set,), daemon=True)
    thread.start()
    deadline = time.monotonic() + 60.0
    while not online.counts.shed and time.monotonic() < deadline:
        job.send("features", b"A", row(2.0).value, 1)
        job.flush()
    stopped.set()
    thread.join(30.0)
    assert online.counts.shed > 0


def test_redis_gives_nothing_to_whoever_has_no_login(store: dict[str, str]) -> None:
    address = store["reader"].split("@", 1)[1]
    strangers = [f"rediss://{address}", f"rediss://reader:wrong@{address}", f"rediss://nobody:x@{address}", f"rediss://:x@{address}"]
    strangers += [f"redis://{HOST}:{store['plain']}/0"]
    for url in strangers:
        with pytest.raises(redis.RedisError):
            connected(url).hgetall("tickflow:signal:A")
    port = int(address.split("/")[0].rsplit(":", 1)[1])
    with socket.create_connection((HOST, port), timeout=SHORT_SECONDS) as bare:
        bare.sendall(b"PING\r\n")
        assert b"PONG" not in _heard(bare)


def _heard(connection: socket.socket) -> bytes:
    """What came before the other side hung up."""
    try:
        return connection.recv(100)
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize(
    "command", [("FLUSHALL",), ("KEYS", "*"), ("CONFIG", "GET", "*"), ("SET", "tickflow:x", "1"), ("HGETALL", "other")]
)
def test_a_reader_of_redis_reads_our_keys_and_does_nothing_else(store: dict[str, str], command: tuple[str, ...]) -> None:
    client = connected(store["reader"])
    assert client.hgetall("tickflow:signal:NONE") == {}
    with pytest.raises(redis.exceptions.NoPermissionError):
        client.execute_command(*command)


@pytest.mark.parametrize("command", [("FLUSHALL",), ("DEL", "other"), ("CONFIG", "GET", "*"), ("ACL", "LIST"), ("EVAL", "return 1", "0")])
def test_the_online_store_writes_our_keys_and_does_nothing_else(store: dict[str, str], command: tuple[str, ...]) -> None:
    client = connected(store["online-store"])
    assert client.ping()
    with pytest.raises(redis.exceptions.NoPermissionError):
        client.execute_command(*command)


def test_sql_tables_log_in(secured: SecureKafka, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The options are those that the job's own tables have; that these log in, the test of the job shows."""
    secured.log_in("reader", monkeypatch)
    session = SqlSession(lake_from_environment(os.environ, tmp_path), secured.bootstrap, tmp_path / "x.zip", Path("python"))
    tables = [statement for statement in session_statements(session) if "'connector' = 'kafka'" in statement]
    assert len(tables) == len(TOPICS)
    for statement in tables:
        for name, value in load_settings().kafka.client_properties().items():
            assert f"'properties.{name}' = '{value}'" in statement


def test_no_password_is_in_a_log_or_on_a_command_line(secured: SecureKafka, tmp_path: Path) -> None:
    """Of the broker, of a client that logged in, of one whose password was wrong."""
    consumer = Consumer(secured.properties("reader", "planted-and-wrong") | {"group.id": "reader-x"})
    with pytest.raises(KafkaException) as caught:
        consumer.list_topics(timeout=SHORT_SECONDS)
    consumer.close()
    logs = b"".join(path.read_bytes() for path in (secured.folder / "log").glob("*.log")) + str(caught.value).encode()
    shown = subprocess.run(["ps", "-eo", "args", "-ww"], capture_output=True, check=True).stdout
    for secret in (*secured.passwords.values(), "planted-and-wrong"):
        assert secret.encode() not in logs
        assert secret.encode() not in shown
    assert BROKER.encode() in logs


def test_topics_are_made_by_the_operator_alone(secured: SecureKafka, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="made"):
        ensure_topics(secured.bootstrap, {"more": 1}, client=_without_address(secured.properties("reader")))
    ensure_topics(secured.bootstrap, {"more": 1}, client=_without_address(secured.properties("operator")))
    assert not AuditLog(tmp_path).path.exists()


def _without_address(properties: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in properties.items() if name != "bootstrap.servers"}
