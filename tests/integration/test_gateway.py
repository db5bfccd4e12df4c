"""The gateway against a real broker: what is in the log afterwards, and on which partition."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import nullcontext
from uuid import uuid4

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from kafka.partitioner.default import murmur2

from infra.local.endpoints import Endpoints
from infra.local.kafka import ensure_topics
from jobs.gateway.control_follower import ControlFollower, ControlLogUnreadable
from jobs.gateway.gateway import Gateway
from jobs.gateway.gateway_settings import GatewaySettings
from jobs.gateway.market_event import MarketEvent
from jobs.gateway.news.news_follower import NewsFollower, NewsUnreadable
from jobs.gateway.publisher import KafkaPublisher, PublishError, PublisherSettings
from jobs.simulator.source import SimulatedSource
from tests.support.frame_events import by_symbol, events_of
from tests.support.market_events import START, same_event
from tests.support.quiet_market import MANY_DEFECTS, small_market
from udfs.codecs.frames import decode_frame
from udfs.codecs.news import decode_news, encode_news
from udfs.kernels.events import EventKind
from udfs.records import NewsItem

PARTITIONS = 3


@pytest.fixture
def topics(services: Endpoints) -> dict[str, str]:
    """Topics of this test alone."""
    names = {name: f"{name}-{uuid4().hex[:8]}" for name in ("frames", "rejects", "control", "news")}
    partitions = {names["frames"]: PARTITIONS, names["news"]: PARTITIONS, names["rejects"]: 1, names["control"]: 1}
    ensure_topics(services.kafka_bootstrap, partitions)
    return names


def read(bootstrap: str, topic: str, partitions: int) -> Iterator[tuple[int, int, bytes, bytes]]:
    """(partition, offset, key, value) of everything in a topic."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": topic, "enable.auto.commit": False})
    try:
        for partition in range(partitions):
            _, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=20)
            consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING)])
            offset = -1
            while offset < end - 1:
                message = consumer.poll(20)
                assert message is not None
                assert message.error() is None
                offset = int(message.offset() or 0)
                yield partition, offset, bytes(message.key() or b""), bytes(message.value() or b"")
    finally:
        consumer.close()


def append(bootstrap: str, topic: str, count: int) -> None:
    producer = Producer({"bootstrap.servers": bootstrap})
    for number in range(count):
        producer.produce(topic, b"entry %d" % number, partition=0)
    assert producer.flush(20) == 0


def test_a_market_arrives_in_order_through_a_small_buffer(services: Endpoints, topics: dict[str, str]) -> None:
    """Every event, by symbol in order, on the partition that Java's clients choose; with room for only a few records nothing is lost."""
    source = SimulatedSource(small_market(defects=MANY_DEFECTS))
    sink = KafkaPublisher(PublisherSettings(services.kafka_bootstrap, maximum_waiting_records=20))
    names = GatewaySettings(frames_topic=topics["frames"], rejects_topic=topics["rejects"], maximum_events=4)
    counts = Gateway(sink, names).run(source)
    assert counts.blocked_seconds > 0
    found: dict[str, list[MarketEvent]] = defaultdict(list)
    last: dict[int, int] = {}
    for partition, offset, key, value in read(services.kafka_bootstrap, topics["frames"], PARTITIONS):
        frame = decode_frame(value)
        assert key == frame.symbol.encode()
        assert partition == (murmur2(key) & 0x7FFFFFFF) % PARTITIONS
        found[frame.symbol] += [
            event for event in events_of(frame.symbol, frame.columns, frame.news_texts) if event.kind != EventKind.CLOCK
        ]
        last[partition] = offset
    wanted = by_symbol(item for item in source.events() if isinstance(item, MarketEvent))
    assert found.keys() == wanted.keys()
    for symbol, events in wanted.items():
        assert len(events) == len(found[symbol])
        assert all(map(same_event, found[symbol], events))
    assert counts.last_offsets[topics["frames"]] == last
    assert len(list(read(services.kafka_bootstrap, topics["rejects"], 1))) == counts.rejected > 0


def test_frames_are_stamped_with_the_control_log(services: Endpoints, topics: dict[str, str]) -> None:
    """The version is the number of entries; it is read up to the end before the first frame, and followed from then on."""
    append(services.kafka_bootstrap, topics["control"], 3)
    sink = KafkaPublisher(PublisherSettings(services.kafka_bootstrap))
    names = GatewaySettings(frames_topic=topics["frames"], rejects_topic=topics["rejects"])
    with ControlFollower(services.kafka_bootstrap, topics["control"]) as follower:
        assert follower.version() == 3
        gateway = Gateway(sink, names, control_version=follower.version)
        gateway.run(SimulatedSource(small_market(seconds=2)), close_bars=False)
        assert not follower.wait_for(4, timeout_seconds=0.3)
        later = threading.Timer(0.2, append, (services.kafka_bootstrap, topics["control"], 2))
        later.start()
        assert follower.wait_for(5, timeout_seconds=20)
        later.join()
        gateway.run(SimulatedSource(small_market(seconds=2, seed=9)), close_bars=False)
    by_partition = defaultdict(list)
    for partition, _, _, value in read(services.kafka_bootstrap, topics["frames"], PARTITIONS):
        by_partition[partition].append(decode_frame(value).control_version)
    assert all(versions == sorted(versions) for versions in by_partition.values())
    assert {version for versions in by_partition.values() for version in versions} == {3, 5}


def test_a_missing_control_log_is_said_at_start(services: Endpoints) -> None:
    """Not found out later, by frames with a wrong stamp."""
    follower = ControlFollower(services.kafka_bootstrap, f"no-such-{uuid4().hex[:8]}")
    with pytest.raises(ControlLogUnreadable, match="no-such"):
        follower.start(timeout_seconds=5)
    follower.close()


def test_a_broker_that_is_away_surfaces() -> None:
    """A run ends with an error when nothing could be delivered in the time given."""
    sink = KafkaPublisher(PublisherSettings("127.0.0.1:1", delivery_timeout_milliseconds=1500, client={"log_level": "0"}))
    with pytest.raises(PublishError, match="not delivered"):
        Gateway(sink).run(SimulatedSource(small_market(seconds=1)))


def publish_news(services: Endpoints, topic: str, *names: str) -> None:
    producer = Producer({"bootstrap.servers": services.kafka_bootstrap})
    for name in names:
        item = NewsItem(name, START, START, (name,), f"Profit of {name} rises", "", "wire")
        producer.produce(topic, encode_news(item), name.encode())
    assert producer.flush(20) == 0


def followed(follower: NewsFollower, count: int) -> list[str]:
    deadline = time.monotonic() + 20
    while len(follower.items) < count and time.monotonic() < deadline:
        time.sleep(0.05)
    return sorted(decode_news(message.raw).news_id for message in follower.items)


def test_news_is_followed_from_now_on_and_later_from_where_it_was_left(services: Endpoints, topics: dict[str, str]) -> None:
    """What was published before the first gateway is not news any more; between two nothing is missed, nor read again once settled."""
    publish_news(services, topics["news"], "old")
    with NewsFollower(services.kafka_bootstrap, topics["news"], name=topics["news"]) as follower:
        publish_news(services, topics["news"], "A", "B", "C")
        assert followed(follower, 3) == ["A", "B", "C"]
    with NewsFollower(services.kafka_bootstrap, topics["news"], name=topics["news"]) as follower:
        assert followed(follower, 3) == ["A", "B", "C"]  # read, and not settled
        follower.settle(list(follower.items))
    publish_news(services, topics["news"], "D", "E")
    with NewsFollower(services.kafka_bootstrap, topics["news"], name=topics["news"]) as follower:
        assert followed(follower, 2) == ["D", "E"]


def test_news_that_a_gateway_could_not_send_is_sent_by_the_next_one(services: Endpoints, topics: dict[str, str]) -> None:
    """The first one's frames reach no broker; the second one settles what it sent, so a third one sends nothing twice."""
    away = PublisherSettings("127.0.0.1:1", delivery_timeout_milliseconds=500, client={"log_level": "0"})
    here = PublisherSettings(services.kafka_bootstrap)
    publish_news(services, topics["news"], "old")
    names = GatewaySettings(frames_topic=topics["frames"], rejects_topic=topics["rejects"], universe=frozenset({"A"}))
    for sink, there in ((away, 1), (here, 1), (here, 0)):
        with NewsFollower(services.kafka_bootstrap, topics["news"], name=topics["news"]) as follower:
            if sink is away:
                publish_news(services, topics["news"], "A")
            assert len(followed(follower, there)) == there
            gateway = Gateway(KafkaPublisher(sink), names, news=follower.items, settled=follower.settle)
            with pytest.raises(PublishError) if sink is away else nullcontext():
                gateway.run(SimulatedSource(small_market(seconds=1)), close_bars=False)
    sent = [decode_frame(value).news_texts for _, _, _, value in read(services.kafka_bootstrap, topics["frames"], PARTITIONS)]
    assert [text for texts in sent for text in texts] == ["Profit of A rises"]


def test_a_topic_of_news_that_is_not_there_is_told(services: Endpoints) -> None:
    with pytest.raises(NewsUnreadable, match="no-such-news"), NewsFollower(services.kafka_bootstrap, "no-such-news"):
        pass
