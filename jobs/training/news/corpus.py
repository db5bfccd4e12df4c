"""Labelled sentences: read from a file, and put into groups so that no sentence of the test was nearly seen in training."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from udfs.errors import SourceError
from udfs.scoring.news_model import NEWS_CLASSES
from udfs.scoring.news_text import fingerprint

NEAR_BITS = 8
"""Fingerprints of sentences of one group differ in at most so many of 64 bits; those of unrelated ones in about 32."""
_BLOCK = 512
_TEXT_COLUMNS, _LABEL_COLUMNS = ("sentence", "text", "headline", "title"), ("sentiment", "label", "class")
_OTHER_WORDS = {"neg": "negative", "pos": "positive", "neu": "neutral", "bearish": "negative", "bullish": "positive"}
_NUMBERS = {"-1": "negative", "0": "neutral", "1": "positive", "+1": "positive"}


class Corpus(NamedTuple):
    """Sentences with what they say."""

    name: str
    """Where they came from."""
    texts: tuple[str, ...]
    labels: npt.NDArray[np.int64]
    """(sentences,) place in `NEWS_CLASSES`."""
    groups: npt.NDArray[np.int64]
    """(sentences,) sentences of one group never lie on both sides of a split."""


def read_corpus(path: Path) -> Corpus:
    """Sentences of a file, each text once.

    Known are lines `sentence@label`; CSV with a header naming a text (sentence, text, headline, title) and a label (sentiment, label,
    class); and JSON lines with such keys. Labels are words (negative, neutral, positive) or -1, 0, 1. UTF-8, or else Latin-1.
    Raises SourceError with the first line that is not understood.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    found = {sentence: _label(label, path, number) for number, sentence, label in _rows(path, text)}
    if not found:
        raise SourceError(f"{path}: holds no labelled sentence")
    texts = tuple(found)
    return Corpus(path.name, texts, np.array(list(found.values()), np.int64), near_groups(texts))


def _rows(path: Path, text: str) -> Iterator[tuple[int, str, str]]:
    """(line number, sentence, label)."""
    lines = text.splitlines()
    first = next((line for line in lines if line.strip()), "")
    if first.lstrip().startswith("{"):
        yield from _json_rows(path, lines)
    elif re.search(r"@\s*[\w+-]+\s*$", first):
        for number, line in enumerate(lines, 1):
            sentence, _, label = line.rpartition("@")
            if line.strip():
                yield number, sentence.strip(), label
    else:
        yield from _csv_rows(path, text)


def _csv_rows(path: Path, text: str) -> Iterator[tuple[int, str, str]]:
    reader = csv.reader(io.StringIO(text))
    names = [name.strip().lower() for name in next(reader, [])]
    at_text, at_label = _place(path, names, _TEXT_COLUMNS), _place(path, names, _LABEL_COLUMNS)
    for row in reader:
        if len(row) > max(at_text, at_label):
            yield reader.line_num, row[at_text].strip(), row[at_label]


def _json_rows(path: Path, lines: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = {str(name).lower(): value for name, value in json.loads(line).items()}
        except (ValueError, AttributeError) as error:
            raise SourceError(f"{path}:{number}: {error}; expected one JSON object a line") from error
        names = list(row)
        values = list(row.values())
        yield number, str(values[_place(path, names, _TEXT_COLUMNS)]).strip(), str(values[_place(path, names, _LABEL_COLUMNS)])


def _place(path: Path, names: Sequence[str], wanted: Sequence[str]) -> int:
    for name in wanted:
        if name in names:
            return names.index(name)
    raise SourceError(f"{path}: found columns {', '.join(names) or 'none'}; expected one named {', '.join(wanted)}")


def _label(word: str, path: Path, number: int) -> int:
    label = word.strip().lower()
    label = _NUMBERS.get(label, _OTHER_WORDS.get(label, label))
    if label not in NEWS_CLASSES:
        raise SourceError(f"{path}:{number}: found label {word.strip()!r}, expected {', '.join(NEWS_CLASSES)}")
    return NEWS_CLASSES.index(label)


def near_groups(texts: Sequence[str]) -> npt.NDArray[np.int64]:
    """(texts,) number of the group: texts that are near, or near to one that is, share it."""
    prints = np.array([fingerprint(text) for text in texts], np.uint64)
    parent = np.arange(len(texts))
    for begin in range(0, len(texts), _BLOCK):
        block = prints[begin : begin + _BLOCK]
        near = np.bitwise_count(block[:, None] ^ prints[None, : begin + len(block)]) <= NEAR_BITS
        for row, column in zip(*np.nonzero(near)):
            _join(parent, begin + int(row), int(column))
    return np.array([_root(parent, place) for place in range(len(texts))], np.int64)


def _join(parent: npt.NDArray[np.int64], one: int, other: int) -> None:
    first, second = sorted((_root(parent, one), _root(parent, other)))
    parent[second] = first


def _root(parent: npt.NDArray[np.int64], place: int) -> int:
    while parent[place] != place:
        parent[place] = parent[parent[place]]
        place = int(parent[place])
    return place
