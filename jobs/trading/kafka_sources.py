"""The loop's sources on Kafka."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from jobs.gateway.control_follower import ControlLogUnreadable
from jobs.log_end import log_end
from jobs.settings import Settings
from jobs.trading.loop import MarketRecord

GROUP: Final = "tickflow-paper"
_ANSWER_SECONDS: Final = 15.0
_FETCH_WAIT_MILLISECONDS: Final = 20


class KafkaControl:
    """The control log from its first entry on."""

    def __init__(self, settings: Settings) -> None:
        self._topic = settings.topics.control
        self._consumer = Consumer(_properties(settings, f"{GROUP}-control"))
        self._read = 0

    def begin(self) -> list[bytes]:
        """Everything that is there now. Raises ControlLogUnreadable: nobody trades without knowing what is halted."""
        try:
            end = log_end(self._consumer, self._topic, 0, _ANSWER_SECONDS)
        except KafkaException as error:
            raise ControlLogUnreadable(f"topic {self._topic}: {error.args[0].str()}; is the broker up and the topic made?") from error
        self._consumer.assign([TopicPartition(self._topic, 0, OFFSET_BEGINNING)])
        found: list[bytes] = []
        while self._read < end:
            entries = self._poll(_ANSWER_SECONDS)
            if not entries:
                raise ControlLogUnreadable(f"topic {self._topic}: read {self._read} of {end} entries in {_ANSWER_SECONDS:g} s")
            found += entries
        return found

    def fresh(self) -> Sequence[bytes]:
        """See `ControlSource`."""
        return self._poll(0.0)

    def close(self) -> None:
        """Stop reading."""
        self._consumer.close()

    def _poll(self, seconds: float) -> list[bytes]:
        message = self._consumer.poll(seconds)
        found = []
        while message is not None:
            error = message.error()
            if error is not None and (error.fatal() or not error.retriable()):
                raise ControlLogUnreadable(f"topic {self._topic}: {error.str()}")
            if error is None:
                found.append(bytes(message.value() or b""))
                self._read = int(message.offset() or 0) + 1
            message = self._consumer.poll(0.0)
        return found


class KafkaMarket:
    """Features and signals, as a member of the consumer group."""

    def __init__(self, settings: Settings, from_start: bool) -> None:
        self._signals = settings.topics.signals
        reset = {"auto.offset.reset": "earliest" if from_start else "latest", "allow.auto.create.topics": False}
        self._consumer = Consumer({**_properties(settings, GROUP), **reset})
        self._consumer.subscribe([settings.topics.features, settings.topics.signals])

    def next(self, seconds: float) -> MarketRecord | None:
        """See `MarketSource`. Raises KafkaException for what the client does not repair by itself."""
        message = self._consumer.poll(seconds)
        if message is None:
            return None
        error = message.error()
        if error is not None:
            if error.fatal():
                raise KafkaException(error)
            return None
        self._consumer.store_offsets(message)
        return MarketRecord(message.topic() == self._signals, bytes(message.value() or b""))

    def commit(self) -> None:
        """Let go of what was read."""
        try:
            self._consumer.commit(asynchronous=False)
        except KafkaException:
            return  # nothing new, or the group moves: what is read again changes nothing, since orders aim at positions

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()


def _properties(settings: Settings, group: str) -> dict[str, str | int | bool]:
    own = {"enable.auto.offset.store": False, "fetch.wait.max.ms": _FETCH_WAIT_MILLISECONDS}
    return settings.kafka.consumer_properties(group) | own
