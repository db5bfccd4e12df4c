"""The embedded services are real ones, answer their own protocols, and leave nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import boto3
import psutil
import pytest
import redis
from kafka import KafkaConsumer, KafkaProducer

from infra.local import flink, kafka, ports, processes
from infra.local.endpoints import BUCKET, Endpoints
from infra.local.services import Services

ROOT = Path(__file__).resolve().parents[2]


def test_kafka_keeps_keys_times_and_order(services: Endpoints) -> None:
    kafka.ensure_topics(services.kafka_bootstrap, {"smoke": 1})
    producer = KafkaProducer(bootstrap_servers=services.kafka_bootstrap)
    for number in range(100):
        producer.send("smoke", key=b"AAPL", value=str(number).encode(), timestamp_ms=1_000 + number)
    producer.flush()
    producer.close()
    consumer = KafkaConsumer("smoke", bootstrap_servers=services.kafka_bootstrap, auto_offset_reset="earliest", consumer_timeout_ms=5_000)
    records = [record for _, record in zip(range(100), consumer, strict=False)]
    consumer.close()
    assert [(record.key, record.value, record.timestamp) for record in records] == [
        (b"AAPL", str(n).encode(), 1_000 + n) for n in range(100)
    ]


def test_topics_are_made_once(services: Endpoints) -> None:
    for _ in range(2):
        kafka.ensure_topics(services.kafka_bootstrap, {"twice": 3})
    client = kafka.admin(services.kafka_bootstrap)
    try:
        (topic,) = client.describe_topics(["twice"])
    finally:
        client.close()
    assert len(topic["partitions"]) == 3


def test_redis_expires_keys(services: Endpoints) -> None:
    client = redis.Redis.from_url(services.redis_url)
    client.set("smoke", b"\x00\xff", ex=100)
    assert client.get("smoke") == b"\x00\xff"
    assert 0 < client.ttl("smoke") <= 100
    client.close()


def test_s3_stores_in_parts_and_wants_a_signature(services: Endpoints) -> None:
    client = boto3.client(
        "s3",
        endpoint_url=services.s3_endpoint,
        aws_access_key_id=services.s3_access_key,
        aws_secret_access_key=services.s3_secret_key,
        region_name="us-east-1",
    )
    body = os.urandom(9_000_000)
    client.put_object(Bucket=BUCKET, Key="smoke/one", Body=body)
    assert client.get_object(Bucket=BUCKET, Key="smoke/one")["Body"].read() == body
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"{services.s3_endpoint}/{BUCKET}/smoke/one")


def test_flink_offers_one_slot(services: Endpoints) -> None:
    overview = flink.request(services.flink_rest_url, "/overview")
    assert overview["slots-total"] == overview["taskmanagers"] == 1


def test_services_listen_on_loopback_only(services: Endpoints) -> None:
    programs = processes.load(services.data_directory / "run" / "processes.json")
    addresses = [
        listener.laddr.ip
        for program in programs
        for listener in psutil.Process(program.pid).net_connections()
        if listener.status == "LISTEN"
    ]
    assert addresses
    assert {address.removeprefix("::ffff:") for address in addresses} == {ports.HOST}


def test_running_services_are_found_again(services: Endpoints) -> None:
    """A second program sees the same addresses and starts nothing."""
    second = Services(services.data_directory, "s3")
    assert second.start() == services
    assert second.started == []


CHILD = """
import signal, sys, time
from pathlib import Path
from infra.local import services
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts what runs in its background without it
with services.running(Path(sys.argv[1]), flink_taskmanagers=0):
    print("ready", flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda how: how.name)
def test_no_process_survives_its_program(how: signal.Signals, tmp_path: Path) -> None:
    """Ctrl-C, a polite end or a violent one: Kafka and Redis are gone soon after."""
    program = subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert program.stdout is not None
    assert program.stdout.readline() == "ready\n"
    children = processes.load(tmp_path / "run" / "processes.json")
    assert {child.name for child in children} == {"kafka", "redis"}
    program.send_signal(how)
    program.wait(timeout=60)
    program.stdout.close()
    deadline = time.monotonic() + 60
    while any(child.is_alive() for child in children) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(child.is_alive() for child in children)
