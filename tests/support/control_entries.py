"""A control log in memory, in the place of the broker, for the verbs that write to it."""

from __future__ import annotations

from types import ModuleType

import pytest

from jobs import control_verbs
from jobs.control import publish
from jobs.gateway.publisher import MemorySink, PublisherSettings
from udfs.records import ControlEvent


def control_entries(monkeypatch: pytest.MonkeyPatch, *readers: ModuleType) -> list[bytes]:
    """The entries, which grow with what is published; `readers` are modules that read the log."""
    sink, entries = MemorySink(), list[bytes]()

    def append(event: ControlEvent, settings: PublisherSettings, topic: str) -> int:
        version = publish(event, settings, topic, sink)
        entries.append(sink.records[-1][2])
        return version

    monkeypatch.setattr(control_verbs, "publish", append)
    monkeypatch.setattr(control_verbs, "running_services", lambda data: {})
    for reader in readers:
        monkeypatch.setattr(reader, "read_control_log", lambda settings: entries)
    return entries
