"""What most programs need: settings, the lake, and services that are either running already or started for the length of the program."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pyiceberg.catalog import Catalog

from infra.local import paths, services
from infra.local.endpoints import Endpoints, Lake
from jobs.lake.catalog import open_catalog
from jobs.lake.settings import LakeSettings, lake_from_environment
from jobs.settings import Settings, load_settings

SETTINGS_FILE = "job.toml"


@dataclass(frozen=True)
class Session:
    """Everything by which a program reaches the services."""

    endpoints: Endpoints
    settings: Settings
    lake: LakeSettings

    @property
    def catalog(self) -> Catalog:
        """The lake's catalog, opened anew."""
        return open_catalog(self.lake)


def settings_file(profile: str) -> Path | None:
    """The settings of a profile, if it has any."""
    file = paths.FLINK_CONFIGURATIONS / profile / SETTINGS_FILE
    return file if file.exists() else None


@contextmanager
def local_session(data: Path, lake: Lake = "folder", profile: str = "local", taskmanagers: int = 1) -> Iterator[Session]:
    """A session on the services of a data directory; those that are not running are started, and stopped at the end."""
    with services.running(data, lake, taskmanagers, profile) as endpoints:
        variables = endpoints.as_environment()
        before = {name: os.environ.get(name) for name in variables}
        os.environ.update(variables)  # clients of the object store find their keys there
        try:
            yield Session(endpoints, load_settings(settings_file(profile)), lake_from_environment(variables, data / "lake"))
        finally:  # else the next session would take these services, which have ended, for the user's own
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
