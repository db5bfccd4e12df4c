"""Finding, opening and merging files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.gateway.detect import FORMATS, open_source
from jobs.gateway.market_event import Item, MarketEvent, RejectedLine
from jobs.gateway.readers import lines
from jobs.gateway.readers.source import SourceFile, merged
from tests.support.market_files import items_of, write_lines
from udfs.errors import SourceError
from udfs.kernels.events import EventKind


def stored_file(name: str, items: list[Item]) -> SourceFile:
    """A file whose items are given."""

    def read() -> Iterator[Item]:
        return iter(items)

    return SourceFile(name, "test", "test", (name,), read)


def events_at(name: str, times: list[int]) -> list[Item]:
    """One event for each available time, numbered in order."""
    return [MarketEvent(name, int(EventKind.CLOCK), 0, time, number, 0, ()) for number, time in enumerate(times)]


@given(st.lists(st.lists(st.integers(0, 30), max_size=15), min_size=1, max_size=5))
def test_merging_keeps_every_item_and_the_order_of_each_file(times_of_files: list[list[int]]) -> None:
    files = [stored_file(str(index), events_at(str(index), times)) for index, times in enumerate(times_of_files)]
    result = [item for item in merged(tuple(files)) if isinstance(item, MarketEvent)]
    for index, times in enumerate(times_of_files):
        assert [event.sequence for event in result if event.symbol == str(index)] == list(range(len(times)))
    assert len(result) == sum(map(len, times_of_files))


@given(st.lists(st.lists(st.integers(0, 30), max_size=15).map(sorted), min_size=1, max_size=5))
def test_merging_files_in_order_gives_time_order_with_ties_by_file(times_of_files: list[list[int]]) -> None:
    files = [stored_file(str(index), events_at(str(index), times)) for index, times in enumerate(times_of_files)]
    keys = [(item.available_time, item.symbol, item.sequence) for item in merged(tuple(files)) if isinstance(item, MarketEvent)]
    assert keys == sorted(keys)


def test_files_that_follow_one_another_are_not_open_together() -> None:
    opened: list[str] = []

    def counted(name: str, items: list[Item]) -> Callable[[], Iterator[Item]]:
        def read() -> Iterator[Item]:
            opened.append(name)
            try:
                yield from items
            finally:
                opened.remove(name)

        return read

    files = [
        SourceFile(name, "t", "t", (), counted(name, events_at(name, [start, start + 1])))
        for name, start in (("a", 0), ("b", 10), ("c", 20))
    ]
    assert [len(opened) for _ in merged(tuple(files))] == [1] * 6


def test_rejected_lines_stay_in_their_place() -> None:
    rejected = RejectedLine("a", 2, b"x", "why")
    first = events_at("a", [1, 5])
    files = (stored_file("a", [first[0], rejected, first[1]]), stored_file("b", events_at("b", [3])))
    assert [item if item is rejected else item[0] for item in merged(files)] == ["a", rejected, "b", "a"]


@pytest.mark.parametrize("content", [[], ["just some words"], ["a,b,c", "1,2,3"]])
def test_what_cannot_be_read_is_refused_with_the_supported_formats(tmp_path: Path, content: list[str]) -> None:
    path = write_lines(tmp_path / "x.csv", content)
    with pytest.raises(SourceError) as raised:
        open_source(path)
    assert all(known.name in str(raised.value) for known in FORMATS)
    assert "x.csv" in str(raised.value)


def test_a_missing_path_is_refused() -> None:
    with pytest.raises(SourceError, match="not found"):
        open_source("/nowhere/at/all")


@pytest.mark.parametrize("name", ["x.gz", "x.zip", "x.parquet"])
def test_broken_archives_are_skipped(tmp_path: Path, name: str) -> None:
    magic = {"x.gz": b"\x1f\x8b\x08garbage", "x.zip": b"PK\x03\x04garbage", "x.parquet": b"PAR1garbage"}[name]
    (tmp_path / name).write_bytes(magic)
    with pytest.raises(SourceError):
        open_source(tmp_path)


def test_blank_lines_are_no_messages_and_line_numbers_count_them(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "20131007_abc_Trade_Tick.csv", ["34200000,1,1,P,1,0", "", "\r", "bad"])
    items = items_of(path)
    assert len(items) == 2
    assert isinstance(items[1], RejectedLine)
    assert items[1].line_number == 4


@given(st.lists(st.binary(max_size=40).filter(lambda text: b"\n" not in text), max_size=30), st.integers(1, 16))
def test_lines_do_not_depend_on_the_size_of_blocks(texts: list[bytes], block_bytes: int) -> None:
    class Blocks:
        """Gives the data in small blocks."""

        def __init__(self) -> None:
            self.rest = b"".join(text + b"\n" for text in texts)

        def read(self, _: int) -> bytes:
            block, self.rest = self.rest[:block_bytes], self.rest[block_bytes:]
            return block

    found = list(lines.iterate_lines(Blocks()))  # type: ignore[arg-type]
    assert found == [(number, text.rstrip(b"\r")) for number, text in enumerate(texts, 1) if text and text != b"\r"]
