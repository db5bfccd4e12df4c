"""Where the services of a run are reached, and what the user's settings name instead of an embedded one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from infra.local.ports import HOST

Lake = Literal["folder", "s3"]
BUCKET = "tickflow"
ACCESS_KEY = "tickflow"
SECRET_KEY = "tickflow-embedded"
REGION = "us-east-1"


@dataclass(frozen=True)
class Endpoints:
    """Addresses of everything that a run talks to. The `s3_` fields are None when the lake is a folder.

    `warehouse` is a folder or s3://…; `catalog_file` is the SQLite file of the Iceberg catalog. Where the user's own lake settings
    (`TICKFLOW_LAKE_*`) say otherwise, they win: `as_environment` never overrides a variable that is set.
    """

    kafka_bootstrap: str
    redis_url: str
    flink_rest_url: str
    lake: Lake
    warehouse: str
    catalog_file: Path
    data_directory: Path
    s3_endpoint: str | None = None
    s3_access_key: str | None = None
    s3_secret_key: str | None = None

    @property
    def flink_configuration(self) -> Path:
        """The folder to name in FLINK_CONF_DIR for Flink's own scripts."""
        return self.data_directory / "run" / "flink-conf"

    def as_json(self) -> dict[str, object]:
        """A plain mapping for `--json`."""
        return {name: str(value) if isinstance(value, Path) else value for name, value in asdict(self).items()}

    def as_environment(self) -> dict[str, str]:
        """The same as variables, for programs started beside the services and for Flink's processes."""
        values = {
            "TICKFLOW_KAFKA_BOOTSTRAP_SERVERS": self.kafka_bootstrap,
            "TICKFLOW_REDIS_URL": self.redis_url,
            "TICKFLOW_FLINK_REST_URL": self.flink_rest_url,
            "TICKFLOW_LAKE_WAREHOUSE": self.warehouse,
            "TICKFLOW_LAKE_URI": str(self.catalog_file),
            "TICKFLOW_LAKE_S3_ENDPOINT": self.s3_endpoint,
            "AWS_ACCESS_KEY_ID": self.s3_access_key,
            "AWS_SECRET_ACCESS_KEY": self.s3_secret_key,
            "AWS_REGION": REGION if self.s3_access_key else None,
        }
        return {name: os.environ.get(name, value) for name, value in values.items() if value is not None}


@dataclass(frozen=True)
class Existing:
    """Services that the user already has: these are used, never started or stopped."""

    kafka_bootstrap: str | None
    redis_url: str | None
    s3_endpoint: str | None
    flink_rest_url: str | None


def existing() -> Existing:
    """Read the user's own endpoints from the environment."""
    return Existing(
        kafka_bootstrap=os.environ.get("TICKFLOW_KAFKA_BOOTSTRAP_SERVERS"),
        redis_url=os.environ.get("TICKFLOW_REDIS_URL"),
        s3_endpoint=os.environ.get("TICKFLOW_LAKE_S3_ENDPOINT"),
        flink_rest_url=os.environ.get("TICKFLOW_FLINK_REST_URL"),
    )


def service_endpoints(data_directory: Path, lake: Lake, ports: Mapping[str, int]) -> Endpoints:
    """The addresses of a data directory's services: the user's own where named, embedded ones elsewhere."""
    own = existing()
    folder = data_directory / "lake"
    (folder / "warehouse").mkdir(parents=True, exist_ok=True)
    on_s3 = lake == "s3"
    embedded_s3 = on_s3 and own.s3_endpoint is None
    return Endpoints(
        kafka_bootstrap=own.kafka_bootstrap or f"{HOST}:{ports['kafka']}",
        redis_url=own.redis_url or f"redis://{HOST}:{ports['redis']}/0",
        flink_rest_url=(own.flink_rest_url or f"http://{HOST}:{ports['flink_rest']}").rstrip("/"),
        lake=lake,
        warehouse=f"s3://{BUCKET}/warehouse" if on_s3 else str(folder / "warehouse"),
        catalog_file=folder / "catalog.db",
        data_directory=data_directory,
        s3_endpoint=own.s3_endpoint or f"http://{HOST}:{ports['s3']}" if on_s3 else None,
        s3_access_key=ACCESS_KEY if embedded_s3 else os.environ.get("AWS_ACCESS_KEY_ID") if on_s3 else None,
        s3_secret_key=SECRET_KEY if embedded_s3 else os.environ.get("AWS_SECRET_ACCESS_KEY") if on_s3 else None,
    )
