"""The durable queue of alerts and messages, one SQLite file: what is in it goes out once for each idempotency key, also after a crash.

An alert waits for its time, then becomes part of a message, alone or with others; what a message holds does not change any more, so each
attempt has the same body and key.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jobs.serving.api.views import alert_view
from jobs.serving.notifications.channels import Channel
from jobs.serving.notifications.timing import TRIED_FOR_SECONDS, due, pause_seconds
from udfs.errors import InvalidSettings
from udfs.records import Alert

HOUR_SECONDS: Final = 3_600.0
KEPT_SECONDS: Final = 30 * 86_400.0
"""Of what went out: an alert that the topic brings again within that time is known."""
_WAIT_SECONDS: Final = 30.0
_SCHEMA: Final = """
create table if not exists alerts (
    channel text not null, alert_id text not null, rule_id text not null, symbol text not null, event_time integer not null,
    body text not null, due_at real not null, together integer not null, state text not null, message_key text,
    primary key (channel, alert_id)) without rowid;
create index if not exists alerts_waiting on alerts (channel, due_at) where state = 'waiting';
create index if not exists alerts_same on alerts (channel, rule_id, symbol, event_time);
create table if not exists messages (
    message_key text not null, channel text not null, alerts text not null, made_at real not null, due_at real not null,
    attempts integer not null, state text not null, problem text not null, primary key (channel, message_key)) without rowid;
create index if not exists messages_waiting on messages (channel, due_at) where state = 'waiting';
"""


@dataclass(frozen=True, slots=True)
class Message:
    """What goes out, times in seconds since 1970."""

    key: str
    """Idempotency key: the alert's id, or for several a hash of theirs."""
    channel: str
    alerts: list[dict[str, Any]]
    made_at: float
    due_at: float
    attempts: int
    state: str
    """waiting, sent or undeliverable."""
    problem: str


class Outbox:
    """Every call opens the file anew, so threads and programs may share it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        file.parent.mkdir(parents=True, exist_ok=True)
        with self._open() as database:
            database.executescript("pragma journal_mode = wal;" + _SCHEMA)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Whoever sends must be the only one, or messages go out twice. Raises InvalidSettings while another does."""
        with self._file.with_suffix(".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InvalidSettings(f"another program sends from {self._file}") from None
            yield

    def put(self, channels: Sequence[Channel], alerts: Sequence[Alert], now: float) -> int:
        """Queue alerts for those who want them; how many were new. All of it is stored when this returns."""
        with self._open() as database:
            wanted = [(channel, alert) for alert in alerts for channel in channels if channel.wants(alert.rule_id, alert.symbol)]
            return sum(self._put(database, channel, alert, now) for channel, alert in wanted)

    def gather(self, channel: Channel, now: float) -> int:
        """Make messages of the alerts that are due, as many as the channel takes in an hour; how many."""
        with self._open() as database:
            found = database.execute(
                "select alert_id, body, together from alerts where channel = ? and state = 'waiting' and due_at <= ? "
                "order by due_at, event_time",
                (channel.name, now),
            ).fetchall()
            counted = "select count(*) from messages where channel = ? and made_at > ?"
            room = channel.most_an_hour - database.execute(counted, (channel.name, now - HOUR_SECONDS)).fetchone()[0]
            groups = grouped(found, room)
            for group in groups:
                self._make(database, channel.name, group, now)
            return len(groups)

    def next(self, channel: str, now: float) -> Message | None:
        """The message that should go out now."""
        found = self._messages("where channel = ? and state = 'waiting' and due_at <= ? order by made_at, due_at limit 1", channel, now)
        return found[0] if found else None

    def sent(self, message: Message) -> None:
        """It was taken."""
        self._change(message, "state = 'sent', problem = '', attempts = attempts + 1")

    def failed(self, message: Message, problem: str, for_good: bool, now: float) -> None:
        """It was not taken: it will be tried again, or is undeliverable, which is kept."""
        attempts = message.attempts + 1
        ends = for_good or now - message.made_at > TRIED_FOR_SECONDS
        state = "undeliverable" if ends else "waiting"
        self._change(message, "state = ?, problem = ?, attempts = ?, due_at = ?", state, problem, attempts, now + pause_seconds(attempts))

    def messages(self, state: str = "", most: int = 100) -> list[Message]:
        """The newest messages, of one state or all."""
        return self._messages("where ? in ('', state) order by made_at desc, message_key limit ?", state, most)

    def counts(self) -> dict[str, dict[str, int]]:
        """For each channel, how many messages there are of each state, and how many alerts wait or were left out."""
        found: dict[str, dict[str, int]] = {}
        with self._open() as database:
            rows = database.execute("select channel, state, count(*) from messages group by 1, 2").fetchall()
            others = "select channel, 'alerts_' || state, count(*) from alerts where state <> 'gathered' group by 1, 2"
            for channel, state, count in rows + database.execute(others).fetchall():
                found.setdefault(channel, {})[state] = count
        return found

    def retry(self, channel: str, now: float) -> int:
        """Try everything undeliverable of a channel again; how much."""
        with self._open() as database:
            again = (
                "update messages set state = 'waiting', made_at = ?, due_at = ?, attempts = 0 where channel = ? and state = 'undeliverable'"
            )
            return database.execute(again, (now, now, channel)).rowcount

    def forget(self, now: float) -> int:
        """Drop what went out, or was left out, so long ago that it cannot come again; how many alerts. What is undeliverable stays."""
        with self._open() as database:
            database.execute("delete from messages where state = 'sent' and made_at < ?", (now - KEPT_SECONDS,))
            old = (
                "delete from alerts where due_at < ? and (state = 'left_out' or state = 'gathered' and not exists "
                "(select 1 from messages where messages.channel = alerts.channel and messages.message_key = alerts.message_key))"
            )
            return database.execute(old, (now - KEPT_SECONDS,)).rowcount

    def _put(self, database: sqlite3.Connection, channel: Channel, alert: Alert, now: float) -> int:
        last = database.execute(
            "select max(event_time) from alerts where channel = ? and rule_id = ? and symbol = ? and event_time <= ? "
            "and state <> 'left_out' and alert_id <> ?",
            (channel.name, alert.rule_id, alert.symbol, alert.event_time, alert.alert_id),
        ).fetchone()[0]
        same = last is not None and alert.event_time - last < channel.same_within_seconds * 1e9
        at, together = due(channel, now)
        if channel.digest_seconds:
            at = min(at, self._first_due(database, channel.name, at))
        values = (channel.name, alert.alert_id, alert.rule_id, alert.symbol, alert.event_time, json.dumps(alert_view(alert)), at, together)
        taken = database.execute(
            "insert or ignore into alerts values (?, ?, ?, ?, ?, ?, ?, ?, ?, null)", (*values, "left_out" if same else "waiting")
        )
        return taken.rowcount

    def _first_due(self, database: sqlite3.Connection, channel: str, otherwise: float) -> float:
        """A digest goes out when its first alert is due."""
        found = database.execute("select min(due_at) from alerts where channel = ? and state = 'waiting'", (channel,)).fetchone()[0]
        return otherwise if found is None else float(found)

    def _make(self, database: sqlite3.Connection, channel: str, group: Sequence[tuple[str, str]], now: float) -> None:
        key = message_key([alert_id for alert_id, _ in group])
        body = "[" + ",".join(text for _, text in group) + "]"
        database.execute("insert or ignore into messages values (?, ?, ?, ?, ?, 0, 'waiting', '')", (key, channel, body, now, now))
        changes = [(key, channel, alert_id) for alert_id, _ in group]
        database.executemany("update alerts set state = 'gathered', message_key = ? where channel = ? and alert_id = ?", changes)

    def _change(self, message: Message, changes: str, *values: Any) -> None:
        with self._open() as database:
            database.execute(
                f"update messages set {changes} where channel = ? and message_key = ?", (*values, message.channel, message.key)
            )

    def _messages(self, clause: str, *values: Any) -> list[Message]:
        columns = "message_key, channel, alerts, made_at, due_at, attempts, state, problem"
        with self._open() as database:
            found = database.execute(f"select {columns} from messages {clause}", values).fetchall()
        return [Message(key, channel, json.loads(alerts), *rest) for key, channel, alerts, *rest in found]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        database = sqlite3.connect(self._file, timeout=_WAIT_SECONDS, isolation_level="IMMEDIATE")
        try:
            with database:
                yield database
        finally:
            database.close()


def grouped(found: Sequence[tuple[str, str, int]], room: int) -> list[list[tuple[str, str]]]:
    """Alerts (id, body, whether together) as messages, at most `room` of them; what is too much for that goes out as one.

    Nothing while there is no room: all of it waits.
    """
    together = [(alert_id, body) for alert_id, body, joined in found if joined]
    groups = [[(alert_id, body)] for alert_id, body, joined in found if not joined] + ([together] if together else [])
    if room <= 0:
        return []
    beyond = [each for group in groups[room - 1 :] for each in group]
    return groups if len(groups) <= room else [*groups[: room - 1], beyond]


def message_key(alert_ids: Sequence[str]) -> str:
    """Names a message by what it holds."""
    if len(alert_ids) == 1:
        return alert_ids[0]
    return hashlib.sha256("\n".join(sorted(alert_ids)).encode()).hexdigest()[:32]
