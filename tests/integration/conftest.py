"""Real services, started once for the whole session, on data that is thrown away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local import services as local_services
from infra.local.endpoints import Endpoints


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """Kafka, Redis, an S3 server and a Flink cluster with one TaskManager."""
    with local_services.running(tmp_path_factory.mktemp("services"), lake="s3") as endpoints:
        yield endpoints


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.integration)
