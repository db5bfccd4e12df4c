"""Where alerts go, as people write it in a TOML file: `[[channel]]` tables and one `[mail]` table. Every problem at once.

Secrets never stand in the file: it names the variables that hold them.
"""

from __future__ import annotations

import string
import tomllib
from collections import Counter
from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from jobs.serving.api.access import USER_RULES, own_rules
from udfs.errors import InvalidSettings

TEMPLATE: Final = "{symbol} {rule_id}: {measure} {value:.4g} reached {threshold:.4g} at {event_time}"
SAMPLE: Final = {
    "alert_id": "a", "rule_id": "r", "symbol": "s", "measure": "m", "threshold": 1.0, "value": 1.0, "signal_id": "", "event_time": "t",
}  # fmt: skip
"""What a template may name."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Quiet(_Table):
    """Hours of a zone in which nothing is sent; what comes then is sent together at their end."""

    begins: time
    ends: time
    zone: str = "UTC"

    @field_validator("zone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError("no such time zone") from error
        return name


class Channel(_Table):
    """One receiver, and what it wants to hear."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    kind: Literal["webhook", "gateway", "mail"]
    """A gateway is anybody's way into chats or to phones that takes a POST."""
    url: str = ""
    """Of a webhook or gateway."""
    url_variable: str = ""
    """Names the variable with the url of a gateway, where whoever knows it may write."""
    secret_variable: str = ""
    """Names the variable with the key that a webhook's body is signed with, or with a gateway's `Authorization`."""
    body: Mapping[str, str] = Field(default_factory=dict)
    """What a gateway is sent: name -> text, in which {message} and {key} are filled in."""
    form: bool = False
    """A gateway gets its body as a form instead of JSON."""
    to: tuple[str, ...] = ()
    """Of mail."""
    user: str = ""
    """Alerts of this user's rules too; without, of rules that belong to nobody alone."""
    symbols: frozenset[str] = frozenset()
    rules: frozenset[str] = frozenset()
    """Empty: all."""
    template: str = TEMPLATE
    quiet: Quiet | None = None
    digest_seconds: float = Field(default=0, ge=0, le=86_400)
    """What comes within so long of the first goes out as one."""
    same_within_seconds: float = Field(default=0, ge=0, le=86_400)
    """An alert of a rule and symbol is left out so long after the last one that was not."""
    most_an_hour: int = Field(default=120, ge=1)
    """Messages; what is beyond waits and goes out as one."""

    def wants(self, rule_id: str, symbol: str) -> bool:
        """Whether an alert concerns this receiver."""
        may_see = not rule_id.startswith(USER_RULES) or (bool(self.user) and rule_id.startswith(own_rules(self.user)))
        return may_see and (not self.symbols or symbol in self.symbols) and (not self.rules or rule_id in self.rules)

    @field_validator("template")
    @classmethod
    def _fits(cls, text: str) -> str:
        named = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
        if not named <= set(SAMPLE):
            raise ValueError(f"names {', '.join(sorted(named - set(SAMPLE)))}; there are {', '.join(SAMPLE)}")
        try:
            text.format(**SAMPLE)
        except (ValueError, IndexError) as error:
            raise ValueError(f"cannot be filled in: {error}") from error
        return text

    @field_validator("body")
    @classmethod
    def _can_be_filled_in(cls, body: Mapping[str, str]) -> Mapping[str, str]:
        named = {name for text in body.values() for _, name, _, _ in string.Formatter().parse(text) if name is not None}
        if not named <= {"message", "key"}:
            raise ValueError("names something else than {message} and {key}")
        try:
            [text.format(message="", key="") for text in body.values()]
        except (ValueError, LookupError) as error:
            raise ValueError(f"cannot be filled in: {error}") from error
        return body

    @model_validator(mode="after")
    def _is_whole(self) -> Channel:
        if (self.kind == "webhook" or self.url) and not is_address(self.url):
            raise ValueError("a webhook or gateway needs an http or https url")
        if self.kind == "gateway" and (bool(self.url) == bool(self.url_variable) or "{message}" not in "".join(self.body.values())):
            raise ValueError("a gateway needs url or url_variable, and a body in which {message} stands")
        if self.kind == "webhook" and not self.secret_variable:
            raise ValueError("a webhook needs secret_variable: whoever receives it must be able to tell it from a forged one")
        if self.kind == "mail" and (not self.to or not all("@" in each and each.isprintable() for each in self.to)):
            raise ValueError("mail needs addresses in `to`")
        return self


def is_address(url: str) -> bool:
    """Whether something can be posted there."""
    return urlsplit(url).scheme in ("http", "https") and bool(urlsplit(url).hostname)


class Mail(_Table):
    """The mail server."""

    host: str = "127.0.0.1"
    port: int = Field(default=25, ge=1, le=65_535)
    sender: str = "tickflow@localhost"
    security: Literal["none", "starttls", "tls"] = "none"
    user: str = ""


class Channels(_Table):
    """The whole file."""

    channel: tuple[Channel, ...] = Field(min_length=1)
    mail: Mail = Mail()

    @model_validator(mode="after")
    def _names_differ(self) -> Channels:
        repeated = [name for name, count in Counter(channel.name for channel in self.channel).items() if count > 1]
        if repeated:
            raise ValueError(f"the name {', '.join(repeated)} is used more than once")
        return self


def load_channels(file: Path) -> Channels:
    """The channels of a file. Raises InvalidSettings with every problem."""
    try:
        return Channels.model_validate(tomllib.loads(file.read_text()))
    except OSError as error:
        raise InvalidSettings(f"{file}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidSettings(f"{file}: {error}") from error
    except ValidationError as error:
        raise InvalidSettings("\n".join(f"{file}: {_problem(detail)}" for detail in error.errors())) from None


def _problem(detail: Any) -> str:
    return f"{'.'.join(str(part) for part in detail['loc'])}: {detail['msg']}"
