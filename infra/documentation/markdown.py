"""Markdown tables, and the marked blocks of a text into which they are written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

BLOCK = re.compile(r"<!-- generated:(?P<name>[a-z-]+) -->\n.*?<!-- /generated -->", re.DOTALL)


class UnknownBlock(Exception):
    """A text has a marked block that nothing writes."""


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; line feeds and bars inside cells are made harmless."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(_cell(value) for value in line) + " |" for line in lines)


def code(value: object) -> str:
    """As code; nothing stays nothing."""
    return f"`{value}`" if str(value) else ""


def filled(text: str, blocks: Mapping[str, Callable[[], str]]) -> str:
    """The text with every block `<!-- generated:NAME -->…<!-- /generated -->` written anew. Raises UnknownBlock."""

    def block(match: re.Match[str]) -> str:
        name = match["name"]
        if name not in blocks:
            raise UnknownBlock(f"nothing writes the block {name!r}; known are {', '.join(sorted(blocks))}")
        return f"<!-- generated:{name} -->\n\n{blocks[name]()}\n\n<!-- /generated -->"

    return BLOCK.sub(block, text)


def block_names(text: str) -> list[str]:
    """Names of the blocks in a text, in its order."""
    return [match["name"] for match in BLOCK.finditer(text)]


def _cell(value: object) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")
