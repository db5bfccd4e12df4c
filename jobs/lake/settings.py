"""Where the lake is: kind of catalog, warehouse, object store. Secrets are never part of the settings; see `secrets`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from udfs.errors import InvalidSettings

DEFAULT_BUCKETS = 4


class CatalogKind(Enum):
    """Who keeps the list of tables."""

    SQLITE = "sqlite"
    JDBC = "jdbc"
    REST = "rest"
    GLUE = "glue"


@dataclass(frozen=True, slots=True)
class LakeSettings:
    """Where the lake is. `kind` says who keeps the list of tables; `warehouse` where the files lie (a folder or ``s3://…``).

    `uri` is the file of the SQLite catalog, ``jdbc:postgresql://host/db``, the address of the REST catalog, or empty for Glue.
    """

    warehouse: str
    kind: CatalogKind = CatalogKind.SQLITE
    uri: str = ""
    s3_endpoint: str = ""
    """Empty means Amazon's own."""
    s3_region: str = "us-east-1"
    buckets: int = DEFAULT_BUCKETS
    """Buckets of symbols a day: more spread the writing, each costs a file a checkpoint."""

    def __post_init__(self) -> None:
        problems = [problem for problem in self._problems() if problem]
        if problems:
            raise InvalidSettings("lake: " + "; ".join(problems))

    @property
    def on_s3(self) -> bool:
        """Whether the files lie in an object store."""
        return self.warehouse.startswith(("s3://", "s3a://"))

    def _problems(self) -> tuple[str, ...]:
        bare_jdbc = self.kind is CatalogKind.JDBC and not self.uri.startswith("jdbc:")
        secret = "a user or password stands in the uri; give them in TICKFLOW_LAKE_USER and TICKFLOW_LAKE_PASSWORD"
        return (
            "" if self.warehouse or self.kind is CatalogKind.REST else "no warehouse; give a folder or s3://bucket/path",
            "" if self.uri or self.kind is CatalogKind.GLUE else f"no uri for a {self.kind.value} catalog",
            "a jdbc catalog's uri starts with jdbc:" if bare_jdbc else "",
            "" if self.buckets >= 1 else f"buckets must be at least 1, found {self.buckets}",
            secret if _holds_login(self.uri) else "",
        )


def _holds_login(uri: str) -> bool:
    return "://" in uri and ("@" in uri or "password=" in uri.lower())


def local_lake(folder: Path, buckets: int = DEFAULT_BUCKETS) -> LakeSettings:
    """The lake in a local folder with a SQLite catalog. `folder` is made when it is missing."""
    folder = folder.resolve()
    warehouse = folder / "warehouse"
    warehouse.mkdir(parents=True, exist_ok=True)
    return LakeSettings(warehouse=str(warehouse), uri=str(folder / "catalog.db"), buckets=buckets)


def lake_from_environment(environment: Mapping[str, str], folder: Path) -> LakeSettings:
    """Settings from `TICKFLOW_LAKE_*`; where nothing is set, the local lake in `folder`.

    Raises InvalidSettings for an unknown kind of catalog or settings that do not fit together.
    """
    kind = _catalog_kind(environment.get("TICKFLOW_LAKE_CATALOG", CatalogKind.SQLITE.value))
    default = local_lake(folder) if kind is CatalogKind.SQLITE else None
    return LakeSettings(
        kind=kind,
        warehouse=environment.get("TICKFLOW_LAKE_WAREHOUSE") or (default.warehouse if default else ""),
        uri=environment.get("TICKFLOW_LAKE_URI") or (default.uri if default else ""),
        s3_endpoint=environment.get("TICKFLOW_LAKE_S3_ENDPOINT", ""),
        s3_region=environment.get("TICKFLOW_LAKE_S3_REGION") or environment.get("AWS_REGION") or "us-east-1",
        buckets=_whole_number(environment, "TICKFLOW_LAKE_BUCKETS", DEFAULT_BUCKETS),
    )


def lake_to_environment(settings: LakeSettings) -> dict[str, str]:
    """The variables from which `lake_from_environment` makes the same settings again: for child processes."""
    return {
        "TICKFLOW_LAKE_CATALOG": settings.kind.value,
        "TICKFLOW_LAKE_WAREHOUSE": settings.warehouse,
        "TICKFLOW_LAKE_URI": settings.uri,
        "TICKFLOW_LAKE_S3_ENDPOINT": settings.s3_endpoint,
        "TICKFLOW_LAKE_S3_REGION": settings.s3_region,
        "TICKFLOW_LAKE_BUCKETS": str(settings.buckets),
    }


def _catalog_kind(text: str) -> CatalogKind:
    try:
        return CatalogKind(text)
    except ValueError:
        known = ", ".join(kind.value for kind in CatalogKind)
        raise InvalidSettings(f"TICKFLOW_LAKE_CATALOG: expected one of {known}, found {text!r}") from None


def _whole_number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name) or str(default)
    if not text.isascii() or not text.isdigit():
        raise InvalidSettings(f"{name}: expected a whole number, found {text!r}")
    return int(text)
