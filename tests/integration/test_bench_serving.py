"""The bench of the API on a small load: everyone is answered, everything is checked, and its document says what was measured."""

from __future__ import annotations

from pathlib import Path

from infra.local.endpoints import Endpoints
from jobs.benchmark.serving.capacity import Audience
from jobs.benchmark.serving.report import as_markdown
from jobs.benchmark.serving.run import ServingLoad, measured_on
from tests.support.served import own_settings


def test_a_small_load_is_served_and_counted(services: Endpoints, tmp_path: Path) -> None:
    load = ServingLoad(reads=50.0, watched=5, connections=4, clients=20, idle_sockets=0, symbols=30, signals=30.0, seconds=2.0)
    result = measured_on(own_settings(services.kafka_bootstrap, services.redis_url), tmp_path, load, Audience())
    for name in ("every_read_answered", "every_answer_right", "nobody_behind", "clients_held", "idle_sockets_held"):
        assert result["limits"][name], (name, result)
    assert result["reads"]["requests"] == 100
    assert 80 <= result["clients"]["signals"] <= 320, "about 30 signals a second, each for a sixth of 20 clients, for 2 seconds"
    assert result["capacity"]["measured"]["cpu_seconds_a_read"] > 0
    assert f"{result['reads']['requests_a_second']:.0f}/s" in as_markdown(result)
