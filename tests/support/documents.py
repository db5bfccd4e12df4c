"""What documents say: their code, links, headings and commands."""

from __future__ import annotations

import contextlib
import importlib
import io
import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[(?:[^\]\[]|\[[^\]]*\])*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
COMMAND = "infra/tickflow"
ASSIGNMENT = re.compile(r"[A-Z_]+=.*")


class Command(NamedTuple):
    """One call of the one command: the words behind it."""

    words: tuple[str, ...]

    @property
    def options(self) -> set[str]:
        return {word.partition("=")[0] for word in self.words if re.match(r"--?[a-z]", word)}

    @property
    def subcommand(self) -> str:
        return self.words[1] if len(self.words) > 1 and re.fullmatch(r"[a-z]+", self.words[1]) else ""


def without_comment(line: str) -> str:
    return re.split(r"\s#\s", line + " ")[0].strip()


def shell_lines(text: str) -> list[str]:
    """Lines of the shell blocks, comments taken off, and inline code that is a command."""
    blocks = [body for language, body in FENCE.findall(text) if language == "sh"]
    lines = [without_comment(line) for body in blocks for line in body.replace("\\\n", " ").splitlines()]
    inline = [found for found in INLINE.findall(FENCE.sub("", text)) if found.startswith(f"{COMMAND} ") and "VERB" not in found]
    return [line for line in lines + inline if line]


def words_of(line: str) -> list[str]:
    """Words of a line, without variables set before the command."""
    words = shlex.split(line, comments=True)
    while words and ASSIGNMENT.fullmatch(words[0]):
        words.pop(0)
    return words


def commands(text: str) -> list[Command]:
    lines = [words_of(line) for line in shell_lines(text)]
    return [Command(tuple(words[1:])) for words in lines if words and words[0] == COMMAND]


def slug(heading: str) -> str:
    """The anchor that the usual renderers give a heading."""
    plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", lambda match: match[1] or "" if match.group().startswith("[") else "", heading)
    return re.sub(r"[^\w\- ]", "", plain.strip().lower()).replace(" ", "-")


def anchors(path: Path) -> set[str]:
    return {slug(heading) for heading in HEADING.findall(FENCE.sub("", path.read_text()))}


def broken_links(path: Path) -> list[str]:
    """Links to files and headings that are not there; other sites are not asked."""
    found = []
    for target in LINK.findall(FENCE.sub("", path.read_text())):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        goal = (path.parent / file).resolve() if file else path
        if not goal.exists() or (anchor and anchor not in anchors(goal)):
            found.append(target)
    return found


@cache
def help_of(module: str, *words: str) -> str:
    """What `--help` prints for a verb, or for a verb's own verb; empty when it is refused."""
    main: Any = importlib.import_module(module).main
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()), contextlib.suppress(SystemExit):
        main([*words, "--help"])
    return printed.getvalue()


def options_of(help_text: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", help_text))
