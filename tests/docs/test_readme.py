"""Whatever README tells a person to type, open or set exists."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from infra.documentation.tables import dispatcher
from tests.support.documents import (
    FENCE,
    INLINE,
    ROOT,
    Command,
    anchors,
    broken_links,
    commands,
    help_of,
    options_of,
    shell_lines,
    slug,
    words_of,
)  # fmt: skip

README = ROOT / "README.md"
TEXT = README.read_text()
DOCUMENTS = [README, *sorted((ROOT / "infra").rglob("*.md"))]
VERBS = dispatcher().VERBS
PATH = re.compile(r"(?<![\w./-])(?:udfs|jobs|sql|flink-conf|infra|tests)/[\w./-]+")
PLACEHOLDER = re.compile(r"\b[A-Z]{3,}\b(?!\.md)")
PASSED_ON = {"test"}
"""Verbs whose arguments go to another program."""
WRITTEN_BY_COMMANDS = re.compile(r"<!-- (capture|latency):start -->(.*?)<!-- \1:end -->", re.DOTALL)
VARIABLE = re.compile(r"""["'](TICKFLOW_[A-Z0-9_]*[A-Z0-9]|AWS_[A-Z_]*[A-Z])["']""")
NOT_FOR_PEOPLE = {"TICKFLOW_VERSION"}


def all_commands() -> list[tuple[str, Command]]:
    return [(path.name, command) for path in DOCUMENTS for command in commands(path.read_text())]


def test_readme_names_the_two_commands_first() -> None:
    assert [command.words[0] for command in commands(TEXT)[:2]] == ["demo", "test"]


@pytest.mark.parametrize(("document", "command"), all_commands(), ids=lambda value: " ".join(getattr(value, "words", (str(value),))))
def test_a_command_exists_with_its_options(document: str, command: Command) -> None:
    verb = command.words[0]
    assert verb in VERBS, f"{document}: there is no verb {verb!r}"
    assert dispatcher().is_present(verb), f"{document}: this checkout has no verb {verb!r}"
    if verb in PASSED_ON:
        return
    shown = help_of(VERBS[verb][0]) + (help_of(VERBS[verb][0], command.subcommand) if command.subcommand else "")
    assert command.options <= options_of(shown), f"{document}: {sorted(command.options - options_of(shown))}"


def test_the_rule_finds_an_option_that_is_not_there() -> None:
    assert not {"--no-such-option"} <= options_of(help_of(VERBS["prove"][0]))
    assert {"--json", "--keep"} <= options_of(help_of(VERBS["prove"][0]))


def test_modules_that_are_started_exist_with_their_options() -> None:
    lines = [words_of(line) for path in DOCUMENTS for line in shell_lines(path.read_text())]
    started = [(words[words.index("-m") + 1], words) for words in lines if words[0].endswith("python") and "-m" in words]
    assert {"jobs.gateway", "jobs.serving.online_store"} <= {module for module, _ in started}
    for module, words in started:
        name = f"{module}.__main__" if (ROOT / Path(*module.split("."))).is_dir() else module
        assert {word for word in words if word.startswith("--")} <= options_of(help_of(name))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(document: Path) -> None:
    assert not broken_links(document)


def test_the_rule_finds_broken_links(tmp_path: Path) -> None:
    document = tmp_path / "a.md"
    document.write_text("# One `two` Three\n[a](#one-two-three) [b](#nowhere) [c](missing.md) [d](a.md#one-two-three) [`e`](a.md#gone)\n")
    assert broken_links(document) == ["#nowhere", "missing.md", "a.md#gone"]
    assert slug("Your own Kafka, Redis, object store and catalog") == "your-own-kafka-redis-object-store-and-catalog"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_files_that_are_named_exist(document: Path) -> None:
    text = document.read_text()
    named = {path.rstrip("./") for part in [*INLINE.findall(FENCE.sub("", text)), *shell_lines(text)] for path in PATH.findall(part)}
    assert not sorted(path for path in named if not PLACEHOLDER.search(path) and not (ROOT / path).exists())


def test_every_variable_in_the_code_is_described() -> None:
    """Settings and other variables stand in README's tables; no variable is read that nobody is told of."""
    sources = [path for folder in ("jobs", "infra", "udfs") for path in (ROOT / folder).rglob("*.py") if "documentation" not in path.parts]
    read = {name for path in sources for name in VARIABLE.findall(path.read_text())} - NOT_FOR_PEOPLE
    assert len(read) > 15
    assert not sorted(name for name in read if f"`{name}`" not in TEXT)


def test_variables_that_readme_sets_are_read() -> None:
    described = set(re.findall(r"\| `((?:TICKFLOW|AWS)_[A-Z0-9_]+)`", TEXT))
    used = {name for line in shell_lines(TEXT) for name in re.findall(r"\b((?:TICKFLOW|AWS)_[A-Z0-9_]+)=", line)}
    assert used
    assert used <= described


def test_figures_of_speed_come_from_commands_only() -> None:
    """A figure of latency or throughput stands only in the blocks that a command's output is put into."""
    assert {match[1] for match in WRITTEN_BY_COMMANDS.finditer(TEXT)} == {"capture", "latency"}
    own_words = WRITTEN_BY_COMMANDS.sub("", TEXT)
    assert not re.findall(r"\b[\d.,]+ ?(?:ms|milliseconds|ticks/s|frames/s|signals/s|events/s)\b", own_words)


def test_sections_for_each_user() -> None:
    expected = {"your-own-data", "prove-and-replay", "train", "sql", "reading-signals", "on-a-flink-cluster", "operation", "honest-limits"}
    assert expected <= anchors(README)


def test_python_names_in_readme_can_be_imported() -> None:
    names = [name for name in INLINE.findall(TEXT) if re.fullmatch(r"(?:jobs|udfs|infra)(?:\.[a-z_]+){2,}", name)]
    assert names
    for name in names:
        module, _, attribute = name.rpartition(".")
        assert hasattr(importlib.import_module(module), attribute), name
