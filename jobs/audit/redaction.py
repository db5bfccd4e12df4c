"""Nothing secret gets into the audit log: values of secret variables, logins in addresses, and fields whose name says so."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Final, TypeVar

HIDDEN: Final = "***"
_IDENTITIES: Final = frozenset({"order_id", "signal_id", "symbol", "symbols"})
"""Fields that programs read back; a variable that is called a secret but is short must not rewrite them."""
_SECRET_NAME: Final = re.compile(r"password|passwd|secret|token|credential|api_?key|access_key|private_key", re.IGNORECASE)
_SHORTEST_SECRET: Final = 4
_LOGIN: Final = re.compile(r"(?<=://)[^/\s@]{1,1024}@")
_NAMED: Final = re.compile(
    r"(?P<name>(?:password|passwd|secret|token|api_?key|access_key)[\w.-]{0,40}\s{0,3}[=:]\s{0,3})"
    r"(?:\"[^\"]{0,1024}\"|'[^']{0,1024}'|[^\s,;&\"']+)",
    re.IGNORECASE,
)
"""Every repetition is bounded: a long text costs time in proportion to its length."""

_Value = TypeVar("_Value")


def without_secrets(value: _Value, environment: Mapping[str, str] = os.environ) -> _Value:
    """The value with every secret in its texts hidden, in mappings and lists all the way down."""
    secrets = sorted({text for name, text in environment.items() if _is_secret(name, text)}, key=len, reverse=True)
    return _clean(value, secrets)  # type: ignore[return-value]


def _is_secret(name: str, text: str) -> bool:
    return bool(_SECRET_NAME.search(name)) and len(text) >= _SHORTEST_SECRET


def _clean(value: object, secrets: list[str]) -> object:
    if isinstance(value, str):
        return _clean_text(value, secrets)
    if isinstance(value, Mapping):
        return {key: _clean_field(key, item, secrets) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item, secrets) for item in value]
    return value


def _clean_field(key: object, item: object, secrets: list[str]) -> object:
    if key in _IDENTITIES:
        return item
    return HIDDEN if _hides(key, item) else _clean(item, secrets)


def _hides(key: object, item: object) -> bool:
    return isinstance(item, str) and bool(item) and bool(_SECRET_NAME.search(str(key)))


def _clean_text(text: str, secrets: list[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return _NAMED.sub(rf"\g<name>{HIDDEN}", _LOGIN.sub(f"{HIDDEN}@", text))
