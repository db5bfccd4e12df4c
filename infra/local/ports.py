"""Ports chosen once for a data directory and remembered, so that clients and logs keep their addresses across restarts."""

from __future__ import annotations

import json
import socket
from pathlib import Path

HOST = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether this port can be listened on now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port(taken: set[int]) -> int:
    """A port that the system says is free and that is not in `taken`."""
    while True:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port = int(probe.getsockname()[1])
        if port not in taken:
            return port


def choose(names: list[str], path: Path, *, keep: bool = False) -> dict[str, int]:
    """Ports by name: those remembered in `path` where still free (or in any case, with `keep`), fresh ones elsewhere."""
    remembered: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
    chosen = {name: port for name, port in remembered.items() if keep or is_free(port)}
    for name in names:
        if name not in chosen:
            chosen[name] = free_port(set(chosen.values()))
    path.write_text(json.dumps(chosen, sort_keys=True))
    return {name: chosen[name] for name in names}
