"""How far a partition of the log has come."""

from __future__ import annotations

import time
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

_LEADER_COMES: Final = (KafkaError.LEADER_NOT_AVAILABLE, KafkaError.NOT_LEADER_FOR_PARTITION)
"""A topic that was just made, or a broker that just left: the next answer is another."""
_PAUSE_SECONDS: Final = 0.1


def log_end(consumer: Consumer, topic: str, partition: int, timeout_seconds: float) -> int:
    """Offset after the newest record. Raises KafkaException."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            return int(consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=timeout_seconds)[1])
        except KafkaException as error:
            if error.args[0].code() not in _LEADER_COMES or time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_SECONDS)
