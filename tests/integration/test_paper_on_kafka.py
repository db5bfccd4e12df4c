"""Paper trading beside a real broker: signals become fills, nothing goes out after a halt, and the journal says so."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import Producer

from infra.local.endpoints import Endpoints
from infra.local.kafka import ensure_topics
from jobs import halt
from jobs.audit.log import TRADING_LOG, AuditLog
from jobs.benchmark.halting import tried
from jobs.settings import load_settings
from jobs.trading import kafka_sources, program
from tests.support.paper_market import row, said
from udfs.records import Direction

OPTIONS = ["--from-start", "--json"]
DEADLINE_SECONDS = 60.0


class Market:
    """A feed that goes on until it is told to stop: a price, and a signal that turns each time."""

    def __init__(self, bootstrap: str, topics: dict[str, str]) -> None:
        self._producer = Producer({"bootstrap.servers": bootstrap})
        self._topics = topics
        self.steps = 0

    def step(self) -> None:
        self.steps += 1
        second = 0.2 * self.steps
        records = (row(second), said(second + 0.01, self.steps, direction=Direction.UP if self.steps % 2 else Direction.DOWN))
        for record in records:
            self._producer.produce(self._topics["signals" if record.is_signal else "features"], record.value, b"A")
        self._producer.flush(20)

    def until(self, reached: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not reached():
            assert time.monotonic() < deadline, "never reached"
            self.step()
            time.sleep(0.02)


def test_signals_are_traded_until_a_halt(services: Endpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Law: after the halt that the trader has seen, its journal holds no order that was sent and no fill."""
    name = uuid4().hex[:8]
    topics = {role: f"{role}-{name}" for role in ("control", "features", "signals")}
    ensure_topics(services.kafka_bootstrap, dict.fromkeys(topics.values(), 1), {"retention.ms": "-1"})
    monkeypatch.setenv("TICKFLOW_KAFKA_BOOTSTRAP_SERVERS", services.kafka_bootstrap)
    monkeypatch.setenv("TICKFLOW_AUDIT", str(tmp_path))
    monkeypatch.setattr(kafka_sources, "GROUP", f"paper-{name}")
    for role, topic in topics.items():
        monkeypatch.setenv(f"TICKFLOW_TOPICS__{role.upper()}", topic)
    market, journal, stopped = Market(services.kafka_bootstrap, topics), AuditLog(tmp_path, TRADING_LOG), Event()
    results: list[dict[str, Any]] = []
    chosen: Namespace = program._parser().parse_args(OPTIONS)
    trading = Thread(target=lambda: results.append(program.trade(load_settings(), chosen, stopped.is_set)), daemon=True)
    trading.start()
    try:
        market.until(lambda: kinds(journal).count("order_filled") >= 3)
        assert halt.main(["--all", "--reason", "drill"]) == 0
        market.until(lambda: ("order_denied", "halted") in happened(journal))
        for _ in range(20):
            market.step()
    finally:
        stopped.set()
        trading.join(30)
    (result,) = results
    assert (result["conserved"], result["control_version"], result["malformed"]) == (True, 1, 0)
    assert journal.verify().holds
    after = happened(journal)[happened(journal).index(("order_denied", "halted")) :]
    assert not {"order_sent", "order_filled"} & {kind for kind, _ in after}
    assert [entry.kind for entry in AuditLog(tmp_path).entries()] == ["control_requested", "control_written"]


@pytest.mark.parametrize("market", ["idle", "busy"])
def test_each_halt_comes_into_force_and_is_lifted(market: str, services: Endpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    name = uuid4().hex[:8]
    settings = load_settings(environment=services.as_environment())
    topics = settings.topics.model_copy(update={role: f"{role}-{name}" for role in ("control", "features", "signals")})
    settings = settings.model_copy(update={"topics": topics})
    ensure_topics(services.kafka_bootstrap, dict.fromkeys((topics.control, topics.features, topics.signals), 1))
    monkeypatch.setattr(kafka_sources, "GROUP", f"paper-{name}")
    found = tried(settings, market, 5)
    assert found["halted"] == 5
    assert found["milliseconds"]["p100"] > 0


def happened(journal: AuditLog) -> list[tuple[str, str]]:
    return [(entry.kind, entry.why) for entry in journal.entries()]


def kinds(journal: AuditLog) -> list[str]:
    return [kind for kind, _ in happened(journal)]
