"""Follows signals, features, alerts and news in a thread of its own and hands on the newest of each symbol, a batch at a time.

Every process follows every partition from a little before its end. Records of one symbol that come within one batch are conflated before
they are decoded, so what a burst costs here depends on the number of symbols, not of records.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from infra.local.console import say
from jobs.schema_registry import schema_ids
from jobs.serving.api.cache import Batch
from jobs.settings import Settings
from udfs.codecs.news import decode_news
from udfs.codecs.rows import decode_feature_row
from udfs.codecs.signals import decode_alert, decode_signal
from udfs.errors import MalformedMessage

BATCH_RECORDS, BATCH_SECONDS = 5_000, 0.05
TAIL_RECORDS: Final = 1_000
_NEAR_END: Final = -2_000 - TAIL_RECORDS
"""librdkafka's offset for so many records before the end: RD_KAFKA_OFFSET_TAIL."""
_LOOK_SECONDS: Final = 1.0


class Feed:
    """Delivers batches until it is closed. `deliver` is called in the feed's thread."""

    def __init__(self, settings: Settings, deliver: Callable[[Batch], None]) -> None:
        self.records = 0
        """Read so far, those that were conflated included."""
        self.malformed = 0
        self.last_record_at = 0.0
        """On the monotonic clock; 0 before the first record."""
        self._settings, self._deliver = settings, deliver
        self._reachable = False
        self._assigned = False
        self._stopped = threading.Event()
        ids, topics = schema_ids(settings.schema_registry_url), settings.topics
        self._decoders: dict[str, tuple[str, Callable[..., Any], Any]] = {
            topics.signals: ("signals", decode_signal, ids.framing("Signal")),
            topics.features: ("features", decode_feature_row, ids.framing("FeatureRow")),
            topics.alerts: ("alerts", decode_alert, ids.framing("Alert")),
            topics.news: ("news", decode_news, ids.framing("NewsItem")),
        }
        self._each_counts = {topics.alerts, topics.news}
        self._thread = threading.Thread(target=self._follow, name="feed", daemon=True)

    @property
    def healthy(self) -> bool:
        """Whether the broker answers and every record that is written now will come here."""
        return self._reachable and self._assigned

    def start(self) -> Feed:
        """Begin to follow."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop, and wait for the thread."""
        self._stopped.set()
        self._thread.join()

    def _follow(self) -> None:
        consumer = Consumer(self._properties())
        consumer.subscribe(list(self._decoders), on_assign=self._on_assign, on_revoke=self._on_revoke)
        try:
            while not self._stopped.is_set():
                self._take(consumer.consume(BATCH_RECORDS, BATCH_SECONDS))
                if not self._reachable:
                    self._look(consumer)
        finally:
            consumer.close()

    def _take(self, messages: list[Message]) -> None:
        newest: dict[tuple[str, bytes, int], Message] = {}
        for number, message in enumerate(messages):
            if message.error() is None:
                topic = str(message.topic())
                each = number if topic in self._each_counts else 0
                newest[topic, message.key() or b"", each] = message
                self.records += 1
        if not newest:
            return
        self.last_record_at = time.monotonic()
        batch = Batch()
        for (topic, _, _), message in newest.items():
            self._decode(batch, topic, message.value() or b"")
        self._deliver(batch)

    def _decode(self, batch: Batch, topic: str, value: bytes) -> None:
        part, decode, framing = self._decoders[topic]
        try:
            getattr(batch, part).append(decode(value, framing))
        except MalformedMessage as error:
            self.malformed += 1
            if self.malformed == 1:
                say(f"serve: a record of {topic} left out: {error}")

    def _look(self, consumer: Consumer) -> None:
        """Ask whether the broker answers again."""
        try:
            consumer.list_topics(self._settings.topics.signals, timeout=_LOOK_SECONDS)
        except KafkaException:
            self._stopped.wait(_LOOK_SECONDS)
        else:
            self._reachable = True

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        consumer.assign([TopicPartition(part.topic, part.partition, _NEAR_END) for part in partitions])
        self._assigned = True

    def _on_revoke(self, consumer: Consumer, _partitions: list[TopicPartition]) -> None:
        self._assigned = False
        consumer.unassign()

    def _tell(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN and self._reachable:
            self._reachable = False
            say("serve: no Kafka broker answers; answers come from the online store and from what is known here")

    def _properties(self) -> dict[str, Any]:
        return self._settings.kafka.consumer_properties(f"tickflow-serve-{uuid.uuid4().hex[:12]}") | {
            "topic.metadata.refresh.interval.ms": 2_000,
            "auto.offset.reset": "latest",
            "fetch.wait.max.ms": 50,
            "queued.max.messages.kbytes": 32_768,
            "error_cb": self._tell,
        }
