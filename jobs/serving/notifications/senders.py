"""Bringing a message to its receiver: signed webhooks, gateways to chats and phones, and mail."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import smtplib
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from http.client import HTTPException
from typing import Any, Final
from urllib.parse import urlencode

from jobs.serving.notifications.channels import Channel, Mail, is_address
from jobs.serving.notifications.outbox import Message
from udfs.errors import InvalidSettings, TickflowError

ANSWER_SECONDS: Final = 10.0
TRY_AGAIN: Final = frozenset({408, 425, 429})
"""Statuses below 500 that a later attempt may mend."""
_LARGEST_ANSWER: Final = 65_536
_FORM: Final = "application/x-www-form-urlencoded"


class NotDelivered(TickflowError):
    """The receiver did not take it. `for_good`: trying again will not help."""

    def __init__(self, problem: str, for_good: bool = False) -> None:
        super().__init__(problem)
        self.for_good = for_good


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A signed body goes to the address that was named, and nowhere else."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class Webhook:
    """POSTs JSON: `{"message": …, "alerts": [{…}]}`.

    `Idempotency-Key` is the same at every attempt. `X-Tickflow-Signature: t=SECONDS,v1=HEX` is the HMAC-SHA256 of `SECONDS.BODY` by the
    channel's secret: receivers should compare it in constant time and refuse what is old.
    """

    def __init__(self, channel: Channel, environment: Mapping[str, str] = os.environ) -> None:
        self._channel, self._secret = channel, _secret(channel.name, channel.secret_variable, environment).encode()

    def send(self, message: Message) -> None:
        """Returns when the receiver has answered with 2xx. Raises NotDelivered."""
        body = json.dumps({"message": words(self._channel, message.alerts), "alerts": message.alerts}).encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "tickflow",
            "Idempotency-Key": message.key,
            "X-Tickflow-Signature": signature(self._secret, body, int(time.time())),
        }
        _post(self._channel.url, body, headers)


class Gateway:
    """POSTs what the channel's `body` says, as JSON or as a form, with the message filled in; what is in an alert stays inside its text."""

    def __init__(self, channel: Channel, environment: Mapping[str, str] = os.environ) -> None:
        self._channel = channel
        self._url = channel.url or _secret(channel.name, channel.url_variable, environment)
        if not is_address(self._url):
            raise InvalidSettings(f"channel {channel.name}: the variable {channel.url_variable} holds no http or https url")
        own = {"Authorization": _secret(channel.name, channel.secret_variable, environment)} if channel.secret_variable else {}
        self._headers = {"User-Agent": "tickflow", "Content-Type": _FORM if channel.form else "application/json"} | own

    def send(self, message: Message) -> None:
        """Returns when the gateway has answered with 2xx. Raises NotDelivered."""
        text = words(self._channel, message.alerts)
        filled = {name: value.format(message=text, key=message.key) for name, value in self._channel.body.items()}
        body = urlencode(filled) if self._channel.form else json.dumps(filled)
        _post(self._url, body.encode(), self._headers | {"Idempotency-Key": message.key})


def _post(url: str, body: bytes, headers: Mapping[str, str]) -> None:
    request = urllib.request.Request(url, body, dict(headers), method="POST")
    try:
        with urllib.request.build_opener(_NoRedirects).open(request, timeout=ANSWER_SECONDS) as answer:
            answer.read(_LARGEST_ANSWER)
    except urllib.error.HTTPError as error:
        error.close()
        raise NotDelivered(f"answered {error.code}", error.code < 500 and error.code not in TRY_AGAIN) from error
    except (OSError, HTTPException, ValueError) as error:
        raise NotDelivered(f"{type(error).__name__}: {_without(url, error)}") from error


def _without(url: str, error: Exception) -> str:
    """The words of an error, which must not give away an address that opens something."""
    return str(error).replace(url, "…")


def _secret(channel: str, variable: str, environment: Mapping[str, str]) -> str:
    found = environment.get(variable, "")
    if not found:
        raise InvalidSettings(f"channel {channel}: the variable {variable} is not set")
    return found


class Mailer:
    """Sends one mail a message. Its Message-ID is made of the idempotency key, so that the same mail sent twice can be told."""

    def __init__(self, channel: Channel, mail: Mail, environment: Mapping[str, str] = os.environ) -> None:
        self._channel, self._mail = channel, mail
        self._password = environment.get("TICKFLOW_NOTIFY_SMTP_PASSWORD", "")
        if mail.user and not self._password:
            raise InvalidSettings("mail: the variable TICKFLOW_NOTIFY_SMTP_PASSWORD is not set")

    def send(self, message: Message) -> None:
        """Returns when the server has taken it for every receiver. Raises NotDelivered."""
        try:
            with self._connected() as server:
                refused = server.send_message(self._as_mail(message))
        except smtplib.SMTPRecipientsRefused as error:
            raise NotDelivered(f"every receiver was refused: {_codes(error.recipients)}", _for_good(error.recipients)) from error
        except smtplib.SMTPResponseException as error:
            raise NotDelivered(f"answered {error.smtp_code}", error.smtp_code >= 500) from error
        except (OSError, smtplib.SMTPException) as error:
            raise NotDelivered(f"{type(error).__name__}: {error}") from error
        if refused:
            raise NotDelivered(f"some receivers were refused and will not be told: {_codes(refused)}", for_good=True)

    def _connected(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self._mail.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(self._mail.host, self._mail.port, timeout=ANSWER_SECONDS, context=context)
        else:
            server = smtplib.SMTP(self._mail.host, self._mail.port, timeout=ANSWER_SECONDS)
        if self._mail.security == "starttls":
            server.starttls(context=context)
        if self._mail.user:
            server.login(self._mail.user, self._password)
        return server

    def _as_mail(self, message: Message) -> EmailMessage:
        lines = words(self._channel, message.alerts).splitlines()
        mail = EmailMessage()
        mail["From"], mail["To"] = self._mail.sender, ", ".join(self._channel.to)
        mail["Subject"] = lines[0][:150] if len(lines) == 1 else f"{len(lines)} alerts"
        mail["Message-ID"] = f"<{hashlib.sha256(f'{message.channel} {message.key}'.encode()).hexdigest()[:32]}@tickflow>"
        mail["X-Tickflow-Idempotency-Key"] = "".join(part if part.isascii() and part.isprintable() else "?" for part in message.key)
        mail.set_content("\n".join(lines) + "\n")
        return mail


def words(channel: Channel, alerts: Sequence[Mapping[str, Any]]) -> str:
    """A line for each alert by the channel's template; what is in an alert cannot begin a line of its own."""
    return "\n".join(_line(channel.template.format(**alert)) for alert in alerts)


def signature(secret: bytes, body: bytes, seconds: int) -> str:
    """See `Webhook`."""
    return f"t={seconds},v1={hmac.new(secret, f'{seconds}.'.encode() + body, hashlib.sha256).hexdigest()}"


def _line(text: str) -> str:
    return "".join(part if part.isprintable() else " " for part in text)


def _codes(refused: Mapping[str, tuple[int, bytes]]) -> str:
    return ", ".join(f"{name} {code}" for name, (code, _) in refused.items())


def _for_good(refused: Mapping[str, tuple[int, bytes]]) -> bool:
    return all(code >= 500 for code, _ in refused.values())
