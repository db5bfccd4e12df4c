"""Everything that one execution of the stream job is: settings, where its frames come from, where its records go. Travels as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from jobs.kafka_tables import Reading
from jobs.lake.settings import CatalogKind, LakeSettings
from jobs.lake.tables import NAMESPACE
from jobs.settings import Settings

KAFKA_KINDS = ("feature", "bar", "signal", "alert", "late", "reject")
LAKE_KINDS = ("frame", "control", "feature", "bar", "signal", "alert", "reject")


@dataclass(frozen=True)
class JobPlan:
    """One execution. Holds no secret."""

    settings: Settings
    lake: LakeSettings
    manifest_id: str
    run_id: str
    frames_topic: str
    """Topic that frames are read from."""
    control_topic: str
    """Topic that the control log is read from."""
    schema_ids: dict[str, int]
    """Message -> schema id that is written."""
    positions_in_headers: bool = False
    """True in a replay, whose frames carry their first positions in headers; live takes them from Kafka."""
    reading: Reading = field(default_factory=Reading)
    namespace: str = NAMESPACE
    topics_written: tuple[str, ...] = KAFKA_KINDS
    lake_written: tuple[str, ...] = LAKE_KINDS
    from_time: int | None = None
    """Rows before this event time, in nanoseconds, are not written; nor those at or after `to_time`."""
    to_time: int | None = None
    job_name: str = "tickflow"

    def to_json(self) -> str:
        """As text, without the logins in addresses: it stands on a command line, and the job talks to none of these."""
        values = asdict(self) | {"settings": self.settings.without_secrets()}
        values["lake"]["kind"] = self.lake.kind.value
        return json.dumps(values)

    @staticmethod
    def from_json(text: str) -> JobPlan:
        """From `to_json`."""
        values: dict[str, Any] = json.loads(text)
        lake = values["lake"] | {"kind": CatalogKind(values["lake"]["kind"])}
        special = {
            "settings": Settings.model_validate(values["settings"]),
            "lake": LakeSettings(**lake),
            "reading": Reading(**values["reading"]),
            "topics_written": tuple(values["topics_written"]),
            "lake_written": tuple(values["lake_written"]),
        }
        return JobPlan(**(values | special))
