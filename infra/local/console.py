"""What a person sees: progress on standard error; standard output belongs to results."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping


class SetupError(Exception):
    """Something on this machine or in the checkout keeps a command from working; the text says what to do."""


def say(message: str) -> None:
    """Print a line of progress on standard error."""
    print(message, file=sys.stderr, flush=True)


def print_json(result: Mapping[str, object]) -> None:
    """Print one JSON object as the last line of standard output, for machines."""
    print(json.dumps(result, sort_keys=True), flush=True)
