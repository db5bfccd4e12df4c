"""Follows the topic of news, so that a running gateway can put each item into the logs of its symbols."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import TracebackType

from confluent_kafka import OFFSET_END, OFFSET_INVALID, Consumer, KafkaException, TopicPartition

from jobs.gateway.news.news_events import NewsMessage
from jobs.log_end import log_end
from udfs.errors import TickflowError

SECONDS_BETWEEN_LOOKS = 0.1


class NewsUnreadable(TickflowError):
    """The topic of news cannot be followed."""


class NewsFollower:
    """Reads all partitions in a thread of its own: what the last gateway of this name did not settle, or from now on. `items` grows."""

    def __init__(self, bootstrap_servers: str, topic: str = "news.items", name: str = "", client: Mapping[str, str] | None = None) -> None:
        self.topic = topic
        self.items: deque[NewsMessage] = deque()
        """What was read and not taken yet, oldest first; whoever takes them pops them from the left."""
        self._settled: deque[NewsMessage] = deque()
        self._stopped = threading.Event()
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap_servers,
                "group.id": f"tickflow-gateway-news-{name}" if name else "tickflow-gateway-news",
                "enable.auto.commit": False,
                "allow.auto.create.topics": False,
                "auto.offset.reset": "latest",
                "log_level": 2,
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 100,
                **(client or {}),
            }
        )
        self._thread = threading.Thread(target=self._follow, name="news-follower", daemon=True)

    def start(self, timeout_seconds: float = 30.0) -> NewsFollower:
        """Begin. Raises NewsUnreadable when the topic is not there."""
        try:
            places = self._places(timeout_seconds)
            self._consumer.commit(offsets=places, asynchronous=False)
            self._consumer.assign(places)
        except KafkaException as error:
            raise NewsUnreadable(f"topic {self.topic}: {error}; is the broker up and the topic made?") from error
        self._thread.start()
        return self

    def settle(self, items: Sequence[NewsMessage]) -> None:
        """Of these, in the order in which they were read, the next gateway needs none again. The broker is told at the next look."""
        self._settled.extend(items)  # by the thread that polls: in another one the client may wait for ever

    def close(self) -> None:
        """Stop following; the broker keeps what was settled, and what was not is read again."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
            self._commit()
        self._consumer.close()

    def __enter__(self) -> NewsFollower:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def _places(self, timeout_seconds: float) -> list[TopicPartition]:
        """Each partition at the committed offset, or at what is its end now: nothing that is published from here on is missed."""
        metadata = self._consumer.list_topics(self.topic, timeout=timeout_seconds).topics[self.topic]
        if metadata.error is not None:
            raise KafkaException(metadata.error)
        partitions = [TopicPartition(self.topic, number) for number in sorted(metadata.partitions)]
        places = self._consumer.committed(partitions, timeout=timeout_seconds)
        for place in places:
            if place.offset in (OFFSET_INVALID, OFFSET_END):
                place.offset = log_end(self._consumer, place.topic, place.partition, timeout_seconds)
        return list(places)

    def _follow(self) -> None:
        while not self._stopped.is_set():
            self._commit()
            message = self._consumer.poll(SECONDS_BETWEEN_LOOKS)
            if message is not None and message.error() is None:
                place = (str(message.topic()), int(message.partition() or 0), int(message.offset() or 0))
                self.items.append(NewsMessage(*place, bytes(message.value() or b"")))

    def _commit(self) -> None:
        places: dict[tuple[str, int], int] = {}
        while self._settled:
            item = self._settled.popleft()
            places[item.topic, item.partition] = item.offset + 1
        if places:
            with suppress(KafkaException):  # then they are read again, or the next commit goes beyond them
                self._consumer.commit(offsets=[TopicPartition(*place, offset) for place, offset in places.items()], asynchronous=False)
