"""How a verb is divided and how it ends: its result for a machine or for a person, or what went wrong, and the exit code."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from infra.local.console import print_json, say
from udfs.errors import InvalidSettings, TickflowError

HELD, NOT_HELD, USAGE = 0, 1, 2


def add_verb(verbs: Any, name: str, act: Callable[[argparse.Namespace], Any], words: str) -> argparse.ArgumentParser:
    """A verb below a verb: `options.act` of what was parsed is `act`."""
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=words, description=f"{words.capitalize()}.")
    parser.set_defaults(act=act)
    return parser


def finish(
    verb: str,
    as_json: bool,
    act: Callable[[], dict[str, Any]],
    tell: Callable[[dict[str, Any]], None],
    codes: Mapping[type[Exception], int],
    held: Callable[[dict[str, Any]], bool] = lambda _: True,
) -> int:
    """Run a verb and say its result; its exit code. `codes` gives that of each error, the first that fits; others are raised."""
    try:
        result = act()
    except tuple(codes) as error:
        say(f"{verb}: {error}")
        if as_json:
            print_json({"error": str(error)})
        return next(code for kind, code in codes.items() if isinstance(error, kind))
    if as_json:
        print_json(result)
    else:
        tell(result)
    return HELD if held(result) else NOT_HELD


@contextmanager
def needs_stored(what: str, error_kind: type[TickflowError] = InvalidSettings) -> Iterator[None]:
    """Turn pyiceberg's "no such table" into words that say what to do."""
    from pyiceberg.exceptions import NoSuchTableError

    try:
        yield
    except NoSuchTableError as error:
        raise error_kind(f"the lake holds no {what} yet (no such table: {error}); run `infra/tickflow demo` or `live` first") from error
