"""The online store as a child process of a program on the user's machine: it ends with its parent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local import environment, paths, processes
from jobs.serving.online_store import GROUP
from jobs.settings import Settings

MODULE = "jobs.serving.online_store"
_SECTIONS = ("kafka", "topics", "online")
_BEHIND_THE_STREAM = ("nice", "-n", "10")
"""It may be a moment behind; the stream that shares this machine's cores with it may not."""


@dataclass(frozen=True)
class OnlineStoreHandle:
    """A running online store."""

    program: processes.Program

    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self.program.is_alive()

    def stop(self) -> dict[str, int]:
        """End it cleanly, and give its counters; empty when it had ended otherwise."""
        processes.stop([self.program])
        return _counters(Path(self.program.log))


def start_online_store(
    settings: Settings, log: Path | None = None, group: str = GROUP, instance: str = "", detached: bool = False
) -> OnlineStoreHandle:
    """Start it with these settings; its messages go to `log` (default: online-store.log among the project's logs)."""
    command = [*_BEHIND_THE_STREAM, str(paths.PYTHON), "-m", MODULE, "--json", "--group", group, "--instance", instance]
    variables = {**environment.program_environment(), "PYTHONPATH": str(paths.ROOT), **as_variables(settings)}
    return OnlineStoreHandle(processes.start("online-store", command, log or paths.LOGS / "online-store.log", variables, detached=detached))


def as_variables(settings: Settings) -> Mapping[str, str]:
    """The settings that the program reads, as `load_settings` takes them, under every name that could say otherwise."""
    sections = settings.model_dump(mode="json")
    named = {f"TICKFLOW_{section}__{name}".upper(): str(value) for section in _SECTIONS for name, value in sections[section].items()}
    short = {
        "TICKFLOW_KAFKA_BOOTSTRAP_SERVERS": settings.kafka.bootstrap_servers,
        "TICKFLOW_REDIS_URL": settings.online.redis_url,
        "TICKFLOW_SCHEMA_REGISTRY_URL": settings.schema_registry_url,
    }
    return {**named, **short}


def _counters(log: Path) -> dict[str, int]:
    lines = log.read_text(errors="replace").splitlines()
    try:
        found: Any = json.loads(lines[-1]) if lines else {}
    except json.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
