"""Bytes that no reader can take for the message that they were: to try how broken input is borne."""

from __future__ import annotations

import random
from collections.abc import Callable

from udfs.errors import MalformedMessage

_HEAD_BYTES = 6
"""Of the schema registry's framing: what stands behind an intact head gets further into a reader."""


def broken(data: bytes, generator: random.Random, decode: Callable[[bytes], object]) -> bytes:
    """The message cut, without its beginning, or replaced by noise, so that `decode` refuses it.

    A cut between two fields may leave a whole message: then another way is tried.
    """
    while True:
        place = generator.randrange(len(data))
        ways = (data[:place], data[place + 1 :], generator.randbytes(len(data)), data[:_HEAD_BYTES] + generator.randbytes(place))
        changed = generator.choice(ways)
        try:
            decode(changed)
        except MalformedMessage:
            return changed
