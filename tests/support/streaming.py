"""One market through the whole job on real services, with topics and tables of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.local.endpoints import Endpoints
from jobs.demonstration.running import DemoOptions, run_demo
from jobs.demonstration.stretches import Stretches
from jobs.gateway.pacing import MAXIMUM_SPEED
from jobs.kafka_settings import Topics
from jobs.lake.settings import lake_from_environment
from jobs.session import Session, settings_file
from jobs.settings import load_settings


@dataclass(frozen=True)
class Streamed:
    """What one demo left behind."""

    session: Session
    stretches: Stretches
    counts: dict[str, Any]


@contextmanager
def streamed_market(services: Endpoints, folder: Path, name: str, stretches: Stretches) -> Iterator[Streamed]:
    """Everything at full speed, a model trained and released on the way; `name` keeps it apart from other markets."""
    variables = services.as_environment()
    settings = load_settings(settings_file("local"), variables)
    topics = Topics(**{role: f"{name}.{topic}" for role, topic in settings.topics.model_dump().items()})
    own = {"TICKFLOW_LAKE_WAREHOUSE": f"{services.warehouse}/{name}", "TICKFLOW_LAKE_URI": str(folder / "catalog.db")}
    session = Session(services, settings.model_copy(update={"topics": topics}), lake_from_environment(variables | own, folder))
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in variables.items():
            patch.setenv(variable, value)
        counts = run_demo(session, lambda: stretches, DemoOptions(MAXIMUM_SPEED, show=False), time.monotonic())
        yield Streamed(session, stretches, counts)
