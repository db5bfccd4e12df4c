"""Requests made up from the OpenAPI document: no answer that it does not describe, and no 5xx."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from infra.local.endpoints import Endpoints
from tests.support.online_records import feature_row, signal
from tests.support.served import Served, own_settings, served, wait_until

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def api(services: Endpoints, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder: Path = tmp_path_factory.mktemp("api")
    with served(own_settings(services.kafka_bootstrap, services.redis_url), folder, most_rules_of_user=3) as found:
        found.send(signal("A", 5), feature_row("A", 5))
        wait_until(lambda: "A" in found.parts.cache.signals and "A" in found.parts.cache.features)
        yield found


def test_every_answer_is_as_the_document_says(api: Served) -> None:
    headers = {"Authorization": f"Bearer {api.key('ann', ('read', 'write', 'operate'))}"}
    with api.client() as client:
        document = client.get("/openapi.json").json()
    for path in ("/v1/stream", "/v1/why/{signal_id}"):  # it never ends; it takes its time
        del document["paths"][path]
    operations: list[Any] = list(schemathesis.openapi.from_dict(document).get_all_operations())
    assert len(operations) > 15
    for found in operations:
        try_operation(found.ok(), api.url, headers)
    assert {entry["status"] for entry in api.log} >= {200, 404, 422}


def try_operation(operation: Any, url: str, headers: dict[str, str]) -> None:
    """Some requests of one operation, some of them as the document forbids."""
    for mode in GenerationMode:

        @settings(max_examples=4, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
        @given(operation.as_strategy(generation_mode=mode))
        def run(case: Any) -> None:
            case.call_and_validate(base_url=url, headers=headers, checks=CHECKS, timeout=60)

        with suppress(Unsatisfiable):  # nothing to forbid
            run()
