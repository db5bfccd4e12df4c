"""Alerts reach real webhook and mail servers: signed, once for each key, also when these were down; and the queue keeps what cannot go."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiosmtpd.controller import Controller

from infra.local import ports
from infra.local.endpoints import Endpoints
from jobs.serving.notifications.channels import Channel, Channels, Mail
from jobs.serving.notifications.outbox import Outbox
from jobs.serving.notifications.program import Deliverer, run, senders_of
from jobs.serving.notifications.senders import signature
from jobs.serving.notifications.timing import LONGEST_PAUSE_SECONDS
from jobs.settings import Settings
from tests.support.online_records import HERE, SECOND, START
from tests.support.served import own_settings, send_records, wait_until
from udfs.records import Alert

SECRET = "of-this-test"
MANY = 100_000


@dataclass
class Receiver:
    """A web server that answers as it is told, and remembers what came."""

    port: int
    answers: list[int] = field(default_factory=list)
    """Statuses of the next requests; then 200."""
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.answers.pop(0) if receiver.answers else 200
                receiver.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()

    @property
    def keys(self) -> list[str]:
        return [headers["idempotency-key"] for headers, _ in self.got]


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setenv("SECRET_OF_DESK", SECRET)
    found = Receiver(ports.free_port(set()))
    yield found
    found.stop()


def desk(receiver: Receiver, **words: Any) -> Channel:
    return Channel(name="desk", kind="webhook", url=f"http://127.0.0.1:{receiver.port}/hook", secret_variable="SECRET_OF_DESK", **words)


def alert(number: int, rule_id: str = "big-move", symbol: str = "A") -> Alert:
    at = START + number * SECOND
    return Alert(f"id-{number}", rule_id, symbol, at, at, number, "price_move", 0.01, 0.02, "", HERE, "manifest")


def test_a_receiver_that_was_down_gets_every_alert_once(receiver: Receiver, services: Endpoints, tmp_path: Path) -> None:
    """From the topic, through the queue, over an outage of the receiver and a restart of the program; each signed."""
    settings = own_settings(services.kafka_bootstrap, services.redis_url)
    channels, outbox = Channels(channel=(desk(receiver),)), Outbox(tmp_path / "outbox.db")
    for life in range(2):
        stopped = threading.Event()
        program = threading.Thread(target=run, args=(settings, channels, outbox, stopped.is_set, "notify-test", True))
        program.start()
        send_records(settings, *(alert(number) for number in range(10 * life, 10 * life + 10)), alert(3))
        wait_until(lambda life=life: sum(outbox.counts().get("desk", {}).values()) == 10 * life + 10, outbox.counts)  # type: ignore[misc]
        if life:
            receiver.start()
            wait_until(lambda: outbox.counts()["desk"] == {"sent": 20}, outbox.counts)
        stopped.set()
        program.join()
    assert sorted(receiver.keys) == sorted(f"id-{number}" for number in range(20))
    for headers, body in receiver.got:
        seconds = int(headers["x-tickflow-signature"].split(",")[0].removeprefix("t="))
        assert headers["x-tickflow-signature"] == signature(SECRET.encode(), body, seconds)
        assert json.loads(body)["alerts"][0]["alert_id"] == headers["idempotency-key"]


def delivered(outbox: Outbox, channels: Channels, *alerts: Alert) -> Deliverer:
    outbox.put(channels.channel, alerts, time.time())
    return Deliverer(outbox, senders_of(channels), channels).start()


def test_failures_are_tried_again_with_the_same_key_unless_refused_for_good(receiver: Receiver, tmp_path: Path) -> None:
    receiver.answers = [503, 200, 400]
    receiver.start()
    channels, outbox = Channels(channel=(desk(receiver),)), Outbox(tmp_path / "outbox.db")
    sender = delivered(outbox, channels, alert(1))
    wait_until(lambda: outbox.counts()["desk"] == {"sent": 1}, outbox.counts)
    outbox.put(channels.channel, [alert(2)], time.time())
    wait_until(lambda: outbox.counts()["desk"] == {"sent": 1, "undeliverable": 1}, outbox.counts)
    assert receiver.keys == ["id-1", "id-1", "id-2"]
    assert receiver.got[0][1] == receiver.got[1][1]
    (kept,) = outbox.messages("undeliverable")
    assert (kept.problem, kept.alerts[0]["alert_id"]) == ("answered 400", "id-2")
    assert outbox.retry("desk", time.time()) == 1
    wait_until(lambda: outbox.counts()["desk"] == {"sent": 2}, outbox.counts)
    sender.close()


def test_a_receiver_that_is_down_holds_up_nobody_else(receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_DESK", SECRET)
    receiver.start()
    away = Channel(name="away", kind="webhook", url="http://127.0.0.1:1/", secret_variable="SECRET_OF_DESK")
    channels, outbox = Channels(channel=(away, desk(receiver))), Outbox(tmp_path / "outbox.db")
    sender = delivered(outbox, channels, alert(1), alert(2))
    wait_until(lambda: len(receiver.got) == 2)
    assert outbox.counts()["away"] == {"waiting": 2}
    sender.close()


def test_gateways_get_their_own_kind_of_body_also_after_they_were_down(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chat that takes JSON at an address which is a secret, and phones that take a form with a login; text stays text."""
    monkeypatch.setenv("CHAT_URL", f"http://127.0.0.1:{receiver.port}/secret-of-chat")
    monkeypatch.setenv("SMS_LOGIN", "Basic dTpw")
    template = "{symbol} {rule_id}"
    chat = Channel(name="chat", kind="gateway", url_variable="CHAT_URL", template=template, body={"text": "*{message}*", "channel": "#a"})
    sms = Channel(name="sms", kind="gateway", url=f"http://127.0.0.1:{receiver.port}/sms", secret_variable="SMS_LOGIN", form=True,
                  template=template, body={"To": "+44", "Body": "{message}", "Id": "{key}"})  # fmt: skip
    channels, outbox = Channels(channel=(chat, sms)), Outbox(tmp_path / "outbox.db")
    sender = delivered(outbox, channels, alert(1, 'a"&b={c}'), alert(2))
    wait_until(lambda: sum(message.attempts > 0 for message in outbox.messages()) >= 2)
    assert not any("secret-of-chat" in message.problem for message in outbox.messages())
    receiver.start()
    wait_until(lambda: outbox.counts() == {"chat": {"sent": 2}, "sms": {"sent": 2}}, outbox.counts)
    sender.close()
    got = {(headers["content-type"], headers["idempotency-key"]): (headers.get("authorization"), body) for headers, body in receiver.got}
    assert len(got) == len(receiver.got) == 4
    assert got["application/json", "id-1"] == (None, json.dumps({"text": '*A a"&b={c}*', "channel": "#a"}).encode())
    login, form = got["application/x-www-form-urlencoded", "id-1"]
    assert (login, parse_qs(form.decode())) == ("Basic dTpw", {"To": ["+44"], "Body": ['A a"&b={c}'], "Id": ["id-1"]})


class Mailbox:
    """Takes mail; refuses the first time for now, and one address for ever."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.busy = True

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if address.startswith("nobody"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.busy:
            self.busy = False
            return "451 come again"
        self.got.append(envelope.content)
        return "250 OK"


def test_mail_reaches_a_real_server_after_it_was_down(tmp_path: Path) -> None:
    port = ports.free_port(set())
    mailbox, channel = Mailbox(), Channel(name="mail", kind="mail", to=("ann@example.org",))
    lost = Channel(name="lost", kind="mail", to=("nobody@example.org",))
    channels, outbox = Channels(channel=(channel, lost), mail=Mail(port=port)), Outbox(tmp_path / "outbox.db")
    sender = delivered(outbox, channels, alert(1, "rule\r\nBcc: all@example.org"))
    wait_until(lambda: all(message.attempts for message in outbox.messages()))
    server = Controller(mailbox, hostname="127.0.0.1", port=port)
    server.start()
    try:
        wait_until(lambda: outbox.counts() == {"mail": {"sent": 1}, "lost": {"undeliverable": 1}}, outbox.counts)
    finally:
        sender.close()
        server.stop()
    (content,) = mailbox.got
    mail = message_from_bytes(content, policy=policy.default)
    assert (mail["To"], mail["Bcc"], mail["X-Tickflow-Idempotency-Key"]) == ("ann@example.org", None, "id-1")
    assert mail["Subject"].startswith("A rule  Bcc: all@example.org: price_move 0.02")


def test_an_outage_of_minutes_costs_no_alert(receiver: Receiver, services: Endpoints, tmp_path: Path, outage_seconds: float) -> None:
    """A webhook's receiver and a mail server are both away while alerts go on coming: each alert arrives afterwards, once for its key.

    `infra/tickflow test tests/integration/test_notified_receivers.py -k outage --outage-minutes 10` lets them be away for ten minutes.
    """
    settings, port, mailbox = own_settings(services.kafka_bootstrap, services.redis_url), ports.free_port({receiver.port}), Mailbox()
    mailbox.busy = False
    channels = Channels(
        channel=(desk(receiver, most_an_hour=MANY), Channel(name="mail", kind="mail", to=("ann@example.org",), most_an_hour=MANY)),
        mail=Mail(port=port),
    )
    outbox, stopped = Outbox(tmp_path / "outbox.db"), threading.Event()
    program = threading.Thread(target=run, args=(settings, channels, outbox, stopped.is_set, "outage-test", True))
    program.start()
    server = Controller(mailbox, hostname="127.0.0.1", port=port)
    try:
        sent = _alerts_during(settings, outage_seconds)
        wait_until(lambda: all(outbox.counts().get(name) == {"waiting": sent} for name in ("desk", "mail")), outbox.counts)
        wait_until(lambda: all(message.attempts for message in outbox.messages()))
        receiver.start()
        server.start()
        _wait_for_all(outbox, sent)
    finally:
        stopped.set()
        program.join()
        server.stop()
    expected = sorted(f"id-{number}" for number in range(sent))
    assert sorted(receiver.keys) == expected
    assert sorted(message_from_bytes(content)["X-Tickflow-Idempotency-Key"] for content in mailbox.got) == expected


def _alerts_during(settings: Settings, seconds: float) -> int:
    """Ten alerts, and one each second of an outage; how many."""
    send_records(settings, *(alert(number) for number in range(10)))
    ends, number = time.monotonic() + seconds, 10
    while time.monotonic() < ends:
        send_records(settings, alert(number))
        number += 1
        time.sleep(1.0)
    return number


def _wait_for_all(outbox: Outbox, sent: int) -> None:
    """The longest pause between two attempts may have begun just before the receivers came back."""
    deadline = time.monotonic() + LONGEST_PAUSE_SECONDS + 60
    while outbox.counts() != {"desk": {"sent": sent}, "mail": {"sent": sent}}:
        assert time.monotonic() < deadline, outbox.counts()
        time.sleep(0.05)
