"""Writing to the control log: models, alert rules and halts, each numbered by the log itself."""

from __future__ import annotations

from jobs.gateway.publisher import KafkaPublisher, PublishError, PublisherSettings, Sink
from udfs.codecs.control import encode_control
from udfs.records import ControlEvent

CONTROL_TOPIC = "control"
_NANOSECONDS_PER_MILLISECOND = 1_000_000


def publish(event: ControlEvent, settings: PublisherSettings, topic: str = CONTROL_TOPIC, sink: Sink | None = None) -> int:
    """Append one event and wait for the broker's acknowledgement; gives its version: the offset plus one.

    `event.version` is not used: the log gives the number. Raises InvalidRule before anything is sent when the event cannot be applied,
    PublishError when it was not acknowledged or the topic has more than one partition.
    """
    message = encode_control(event)
    sink = sink or KafkaPublisher(settings)
    sink.send(topic, event.kind.name.encode(), message, event.event_time // _NANOSECONDS_PER_MILLISECOND)
    sink.flush()
    return _version(sink.last_offsets, topic)


def _version(offsets: dict[tuple[str, int], int], topic: str) -> int:
    if list(offsets) != [(topic, 0)]:
        raise PublishError(f"topic {topic}: acknowledged at {offsets}, expected partition 0 alone; the control log must have one partition")
    return offsets[(topic, 0)] + 1
