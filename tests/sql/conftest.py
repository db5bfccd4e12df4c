"""One lake and one Flink for all tests of this folder: starting Flink costs more than all queries together."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyiceberg.catalog import Catalog

from jobs.lake.catalog import open_catalog
from jobs.lake.flink_session import FlinkSession
from jobs.lake.settings import LakeSettings
from jobs.lake.sql_session import SqlSession
from tests.sql import sample_lake


@pytest.fixture(scope="session")
def lake_settings(tmp_path_factory: pytest.TempPathFactory) -> LakeSettings:
    """The sample lake, written from Python."""
    return sample_lake.written_to(tmp_path_factory.mktemp("lake"))


@pytest.fixture(scope="session")
def catalog(lake_settings: LakeSettings) -> Catalog:
    return open_catalog(lake_settings)


@pytest.fixture(scope="session")
def sql_session(lake_settings: LakeSettings) -> SqlSession:
    from infra.local import shipping

    return SqlSession(lake_settings, "localhost:9", shipping.build_zip(), Path(sys.executable))


@pytest.fixture(scope="session")
def flink(catalog: Catalog, sql_session: SqlSession) -> Iterator[FlinkSession]:
    require_flink()
    with FlinkSession(sql_session) as session:
        yield session


def require_flink() -> None:
    """Skips, with the reason, where there is no Flink with the connectors."""
    home = os.environ.get("FLINK_HOME")
    if home is None or not list(Path(home).glob("lib/iceberg-flink-runtime-*.jar")):
        pytest.skip("no FLINK_HOME with the Iceberg connector: run the tests with `infra/tickflow test`")
