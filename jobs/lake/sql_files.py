"""SQL files: split into statements, and filled with parameters.

A parameter is a literal with its name beside it, ``'%' /* :symbol */``. So a file runs unchanged in any SQL client, with the default that
stands there, and `with_parameters` puts another literal in its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from udfs.errors import TickflowError

_TOKENS = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|`[^`]*`|\"[^\"]*\"|;|[^;'`\"/-]+|.", re.DOTALL)
_PARAMETER = re.compile(r"('(?:[^']|'')*'|-?\d+(?:\.\d+)?)(\s*/\* :(\w+) \*/)")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


class UnknownParameter(TickflowError):
    """A parameter that the file does not have, or a value that does not fit it."""


class Statement(NamedTuple):
    """One statement without its semicolon, and the line of the file on which it begins, from 1."""

    text: str
    line: int


def statements(text: str) -> list[Statement]:
    """The statements of a file in order; comments stay. Semicolons in strings and comments do not split."""
    return [Statement(part.strip(), line + _leading_lines(part)) for part, line in _split(text) if _says_something(part)]


def _split(text: str) -> Iterator[tuple[str, int]]:
    parts: list[str] = []
    line = first_line = 1
    for token in _TOKENS.findall(text):
        line += token.count("\n")
        if token == ";":
            yield "".join(parts), first_line
            parts.clear()
            first_line = line
        else:
            parts.append(token)
    yield "".join(parts), first_line


def _leading_lines(part: str) -> int:
    return part[: len(part) - len(part.lstrip())].count("\n")


def _says_something(part: str) -> bool:
    return any(token.strip() and not token.startswith(("--", "/*")) for token in _TOKENS.findall(part))


def parameters(text: str) -> dict[str, str]:
    """Names of the parameters of a file and their defaults, unquoted. A name that stands twice has the default of its first place."""
    found: dict[str, str] = {}
    for literal, _, name in _PARAMETER.findall(text):
        found.setdefault(name, _unquoted(literal))
    return found


def with_parameters(text: str, values: Mapping[str, str]) -> str:
    """The text with `values` in the places of the parameters' defaults; parameters that are not named keep theirs.

    A value goes in as a literal of the same type as the default, so it cannot change the statement. Raises UnknownParameter.
    """
    known = parameters(text)
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise UnknownParameter(f"no parameter {', '.join(unknown)}; found {', '.join(known) or 'none'}")
    return _PARAMETER.sub(lambda match: _filled(match, values), text)


def _filled(match: re.Match[str], values: Mapping[str, str]) -> str:
    literal, comment, name = match.groups()
    if name not in values:
        return match.group()
    return _literal_like(literal, name, values[name]) + comment


def _literal_like(literal: str, name: str, value: str) -> str:
    if literal.startswith("'"):
        quoted = value.replace("'", "''")
        return f"'{quoted}'"
    if not _NUMBER.fullmatch(value):
        raise UnknownParameter(f"parameter {name}: expected a number like {literal}, found {value!r}")
    return value


def _unquoted(literal: str) -> str:
    return literal[1:-1].replace("''", "'") if literal.startswith("'") else literal
