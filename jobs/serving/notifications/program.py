"""`infra/tickflow notify`: alerts to webhooks, chats, phones and mail. `run` sends, `list` shows what came of it, `retry` tries again."""

from __future__ import annotations

import argparse
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

from confluent_kafka import Consumer, KafkaException
from confluent_kafka import Message as Record

from infra.local import paths
from infra.local.console import say
from jobs.control_verbs import control_settings
from jobs.schema_registry import RegistryError, schema_ids
from jobs.serving.notifications.channels import Channel, Channels, load_channels
from jobs.serving.notifications.outbox import Message, Outbox
from jobs.serving.notifications.senders import Gateway, Mailer, NotDelivered, Webhook
from jobs.settings import Settings
from jobs.verb_result import USAGE, add_verb, finish
from udfs.codecs.signals import decode_alert
from udfs.errors import InvalidSettings, MalformedMessage
from udfs.records import Alert

GROUP: Final = "tickflow-notify"
BATCH_RECORDS, BATCH_SECONDS = 500, 0.2
TROUBLE_SECONDS: Final = 5.0
LOOK_SECONDS: Final = 0.2
"""Between two looks of a channel at what is due."""


class Sender(Protocol):
    """Brings one message to its receiver."""

    def send(self, message: Message) -> None:
        """Returns when it was taken. Raises NotDelivered."""


class Deliverer:
    """One thread for each channel: a receiver that is slow or down holds up nobody else."""

    def __init__(self, outbox: Outbox, senders: dict[str, Sender], channels: Channels) -> None:
        self._outbox, self._senders = outbox, senders
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=self._serve, args=(channel,), name=channel.name, daemon=True) for channel in channels.channel
        ]

    def start(self) -> Deliverer:
        """Begin to send."""
        for thread in self._threads:
            thread.start()
        return self

    def close(self) -> None:
        """Stop after the messages that are on their way."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _serve(self, channel: Channel) -> None:
        while not self._stopped.is_set():
            try:
                if not self._step(channel):
                    self._stopped.wait(LOOK_SECONDS)
            except sqlite3.Error as error:
                say(f"notify: {channel.name}: the queue does not answer: {error}")
                self._stopped.wait(TROUBLE_SECONDS)

    def _step(self, channel: Channel) -> bool:
        """Whether there was something to send."""
        self._outbox.gather(channel, time.time())
        message = self._outbox.next(channel.name, time.time())
        if message is not None:
            self._send(message)
        return message is not None

    def _send(self, message: Message) -> None:
        try:
            self._senders[message.channel].send(message)
        except NotDelivered as error:
            self._failed(message, str(error), error.for_good)
        except Exception as error:  # what a sender did not foresee must not silence its channel
            self._failed(message, f"{type(error).__name__}: {error}", False)
        else:
            self._outbox.sent(message)

    def _failed(self, message: Message, problem: str, for_good: bool) -> None:
        self._outbox.failed(message, problem, for_good, time.time())
        if not message.attempts or for_good:
            say(f"notify: {message.channel}: {problem}{'' if for_good else '; trying again'}")


class AlertReader:
    """The topic of alerts, as a group of its own. Positions are committed after the alerts are in the outbox."""

    def __init__(self, settings: Settings, group: str, from_start: bool) -> None:
        self.malformed = 0
        self._framing = schema_ids(settings.schema_registry_url).framing("Alert")
        own = {"auto.offset.reset": "earliest" if from_start else "latest", "topic.metadata.refresh.interval.ms": 5_000}
        self._consumer = Consumer(settings.kafka.consumer_properties(group) | own)
        self._consumer.subscribe([settings.topics.alerts])

    def copy(self, take: Callable[[list[Alert]], object]) -> None:
        """Hand on what has come, and let go of it."""
        records = [record for record in self._consumer.consume(BATCH_RECORDS, BATCH_SECONDS) if record.error() is None]
        if not records:
            return
        take([alert for record in records if (alert := self._decoded(record)) is not None])
        try:
            self._consumer.commit(asynchronous=False)
        except KafkaException as error:
            say(f"notify: position not committed ({error.args[0].str()}); alerts that are read again are known")

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()

    def _decoded(self, record: Record) -> Alert | None:
        try:
            return decode_alert(record.value() or b"", self._framing)
        except MalformedMessage as error:
            self.malformed += 1
            say(f"notify: an alert was left out: {error}")
            return None


def senders_of(channels: Channels) -> dict[str, Sender]:
    """A sender for each channel. Raises InvalidSettings where a secret is missing."""
    make: dict[str, Callable[[Channel], Sender]] = {
        "webhook": Webhook,
        "gateway": Gateway,
        "mail": lambda channel: Mailer(channel, channels.mail),
    }
    return {channel.name: make[channel.kind](channel) for channel in channels.channel}


def run(
    settings: Settings, channels: Channels, outbox: Outbox, stopped: Callable[[], bool], group: str = GROUP, from_start: bool = False
) -> None:
    """Queue and send until told to stop."""
    senders = senders_of(channels)
    reader = AlertReader(settings, group, from_start)
    deliverer = Deliverer(outbox, senders, channels).start()
    try:
        outbox.forget(time.time())
        while not stopped():
            reader.copy(lambda alerts: outbox.put(channels.channel, alerts, time.time()))
    finally:
        reader.close()
        deliverer.close()


def main(arguments: list[str]) -> int:
    """Run the verb; 0 done, 2 usage or environment."""
    options = _parser().parse_args(arguments)
    codes = {InvalidSettings: USAGE, RegistryError: USAGE, OSError: USAGE, sqlite3.Error: USAGE}
    return finish("notify", options.json, partial(options.act, options), _tell, codes)


def _run(options: argparse.Namespace) -> dict[str, Any]:
    channels, outbox = load_channels(options.channels), _outbox(options)
    settings = control_settings(options.settings, options.data)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    say(f"notify: {len(channels.channel)} channels")
    with outbox.alone():
        run(settings, channels, outbox, stopped.is_set, options.group, options.from_start)
    return {"channels": outbox.counts()}


def _list(options: argparse.Namespace) -> dict[str, Any]:
    outbox = _outbox(options)
    names = ("key", "channel", "state", "attempts", "problem")
    shown = [
        {name: getattr(message, name) for name in names} | {"alerts": len(message.alerts)} for message in outbox.messages(options.state)
    ]
    return {"channels": outbox.counts(), "messages": shown}


def _retry(options: argparse.Namespace) -> dict[str, Any]:
    return {"retried": _outbox(options).retry(options.channel, time.time())}


def _outbox(options: argparse.Namespace) -> Outbox:
    return Outbox(options.outbox or (options.data or paths.DATA) / "serving" / "outbox.db")


def _tell(result: dict[str, Any]) -> None:
    for channel, counts in result.get("channels", {}).items():
        print(f"{channel}: " + ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in counts.items()))
    for message in result.get("messages", ()):
        print("{key}  {channel}  {state}  {attempts} attempts  {alerts} alerts  {problem}".format(**message))
    if "retried" in result:
        print(f"{result['retried']} messages will be tried again")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="infra/tickflow notify", description="Alerts to webhooks and by mail.")
    verbs = parser.add_subparsers(required=True, metavar="run|list|retry")
    begin = _verb(verbs, "run", _run, "read alerts and send them until interrupted")
    begin.add_argument("--channels", type=Path, required=True, metavar="FILE.toml", help="who wants to hear what, and how")
    begin.add_argument("--settings", type=Path, metavar="FILE", help="settings file; TICKFLOW_… variables override it")
    begin.add_argument("--group", default=GROUP, help=f"consumer group (default {GROUP})")
    begin.add_argument("--from-start", action="store_true", help="the first time, begin with the oldest alert instead of the next one")
    shown = _verb(verbs, "list", _list, "show messages and what became of them")
    shown.add_argument("--state", choices=("waiting", "sent", "undeliverable"), default="", help="those of one state alone")
    _verb(verbs, "retry", _retry, "try what is undeliverable again").add_argument("channel", metavar="CHANNEL", help="name of the channel")
    return parser


def _verb(verbs: Any, name: str, act: Any, words: str) -> argparse.ArgumentParser:
    parser = add_verb(verbs, name, act, words)
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="data directory of the services (default .tickflow/data)")
    parser.add_argument("--outbox", type=Path, metavar="FILE", help="the queue (default serving/outbox.db in the data directory)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
