"""How the job and the programs beside it reach Kafka: topics, brokers, login."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

_SHADED = "org.apache.flink.kafka.shaded.org.apache.kafka.common"
"""Where Flink's connector for SQL keeps Kafka's own classes: under their usual name there is no login module."""


class Section(BaseModel):
    """Part of the settings: an unknown name is an error, a value never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Topics(Section):
    """Names of the Kafka topics."""

    frames: str = Field(default="market.frames", description="market frames in, key = symbol")
    news: str = Field(default="news.items", description="news items in")
    control: str = Field(default="control", description="control log in, one partition")
    features: str = Field(default="features", description="feature rows out")
    bars: str = Field(default="bars", description="closed bars out")
    signals: str = Field(default="signals", description="signals out")
    alerts: str = Field(default="alerts", description="alerts out")
    late: str = Field(default="late", description="events that came too late, out")
    rejects: str = Field(default="rejects", description="input that was not used, out")


class KafkaSettings(Section):
    """The broker. User and password come from TICKFLOW_KAFKA_USERNAME and TICKFLOW_KAFKA_PASSWORD and are never stored."""

    bootstrap_servers: str = Field(default="127.0.0.1:9092", description="addresses of the brokers")
    partitions: int = Field(default=8, ge=1, le=4096, description="partitions of the topics that are made when missing")
    delivery_guarantee: Literal["at-least-once", "exactly-once"] = Field(
        default="at-least-once", description="of the Kafka sinks: whether a restart may write a row again"
    )
    compression: Literal["none", "lz4", "zstd", "snappy"] = Field(
        default="lz4", description="of the Kafka sinks; signals and alerts are sent one by one, uncompressed"
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(default="PLAINTEXT", description="how to connect")
    sasl_mechanism: Literal["", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(default="", description="how to log in")
    truststore: str = Field(default="", description="PEM file with the certificates that are trusted")

    def client_properties(self, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
        """Further properties for Flink's Kafka tables; holds the password when one is set."""
        found: dict[str, str] = {} if self.security_protocol == "PLAINTEXT" else {"security.protocol": self.security_protocol}
        if self.truststore:
            found |= {"ssl.truststore.type": "PEM", "ssl.truststore.location": self.truststore}
        if self.sasl_mechanism:
            module = "plain.PlainLoginModule" if self.sasl_mechanism == "PLAIN" else "scram.ScramLoginModule"
            user, password = environment.get("TICKFLOW_KAFKA_USERNAME", ""), environment.get("TICKFLOW_KAFKA_PASSWORD", "")
            login = f'{_SHADED}.security.{module} required username="{_quoted(user)}" password="{_quoted(password)}";'
            found |= {"sasl.mechanism": self.sasl_mechanism, "sasl.jaas.config": login}
        return found

    def librdkafka_properties(self, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
        """The same for Python clients."""
        found: dict[str, str] = {} if self.security_protocol == "PLAINTEXT" else {"security.protocol": self.security_protocol}
        found |= {"ssl.ca.location": self.truststore} if self.truststore else {}
        if self.sasl_mechanism:
            user, password = environment.get("TICKFLOW_KAFKA_USERNAME", ""), environment.get("TICKFLOW_KAFKA_PASSWORD", "")
            found |= {"sasl.mechanism": self.sasl_mechanism, "sasl.username": user, "sasl.password": password}
        return found

    def consumer_properties(self, group: str) -> dict[str, Any]:
        """For a Python consumer that commits by itself or not at all, makes no topic, and reads nothing that was taken back."""
        return {
            "bootstrap.servers": self.bootstrap_servers,
            "group.id": group,
            "enable.auto.commit": False,
            "allow.auto.create.topics": False,
            "isolation.level": "read_committed",
            "log_level": 0,
            **self.librdkafka_properties(),
        }


def _quoted(text: str) -> str:
    """As JAAS reads it between quotes: a password cannot end its own string."""
    return text.replace("\\", "\\\\").replace('"', '\\"')
