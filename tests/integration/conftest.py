"""Real services, started once for the whole session, on data that is thrown away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local import services as local_services
from infra.local.endpoints import Endpoints
from jobs.settings import load_settings
from jobs.submission import make_topics
from tests.support.secure_services import SecureKafka, secure_kafka


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """Kafka, Redis, an S3 server and a Flink cluster with one TaskManager."""
    with local_services.running(tmp_path_factory.mktemp("services"), lake="s3") as endpoints:
        yield endpoints


@pytest.fixture(scope="session")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureKafka]:
    """A broker with TLS, logins and the rights of infra/security, with every topic."""
    with secure_kafka(tmp_path_factory.mktemp("secured")) as found, pytest.MonkeyPatch.context() as patch:
        found.log_in("operator", patch)
        make_topics(load_settings())
        patch.undo()
        yield found


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.integration)
