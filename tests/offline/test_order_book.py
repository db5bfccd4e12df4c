"""The book and its rebuild against a slow book that is sorted at every look."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.gateway.market_event import BookLevels
from jobs.gateway.order_book import BookRebuilder, BookUpdate, OrderBook
from tests.support.book_flows import BOOK_CHANGES
from tests.support.market_files import SlowBook
from udfs.kernels.events import BOOK_DEPTH, EventFlag

FEWER = settings(max_examples=50, deadline=None)
BookChanges = list[tuple[list[tuple[float, float]], list[tuple[float, float]]]]


def as_levels(book: SlowBook) -> BookLevels:
    """The slow book's best levels in the shape of the fast one's."""
    levels = np.full((4, BOOK_DEPTH), np.nan)
    for row, side in zip((0, 2), book.best(BOOK_DEPTH), strict=True):
        for column, (price, quantity) in enumerate(side):
            levels[row : row + 2, column] = price, quantity
    return levels


def numbered(changes: BookChanges, width: int = 3) -> list[BookUpdate]:
    """Contiguous updates, each spanning `width` numbers from 1 on."""
    return [
        BookUpdate(index * width + 1, index * width + width, index * width, tuple(bids), tuple(asks))
        for index, (bids, asks) in enumerate(changes)
    ]


@FEWER
@given(BOOK_CHANGES)
def test_levels_equal_those_of_a_sorted_dictionary_after_every_change(changes: BookChanges) -> None:
    fast, slow = OrderBook(), SlowBook()
    for bids, asks in changes:
        fast.apply(bids, asks)
        slow.apply(bids, asks)
        np.testing.assert_array_equal(fast.levels(), as_levels(slow))


@FEWER
@given(BOOK_CHANGES, st.data())
def test_a_snapshot_taken_at_any_number_and_received_at_any_time_gives_the_same_book(changes: BookChanges, data: st.DataObject) -> None:
    """The snapshot may be of any update already sent, and may arrive after any number of later updates."""
    updates = numbered(changes)
    taken_after = data.draw(st.integers(0, len(updates)), label="updates in the snapshot")
    received_after = data.draw(st.integers(taken_after, len(updates)), label="updates received before it")
    at_snapshot, truth = SlowBook(), SlowBook()
    for update in updates[:taken_after]:
        at_snapshot.apply(update.bids, update.asks)
    rebuilder = BookRebuilder()
    for update in updates[:received_after]:
        assert rebuilder.update(update).flags == EventFlag.UNSYNCHRONISED
        truth.apply(update.bids, update.asks)
    last_id = updates[taken_after - 1].last_id if taken_after else 0
    state = rebuilder.snapshot(last_id, tuple(at_snapshot.bids.items()), tuple(at_snapshot.asks.items()))
    assert state.flags == EventFlag.SNAPSHOT
    assert state.sequence == (updates[received_after - 1].last_id if received_after else 0)
    np.testing.assert_array_equal(state.levels, as_levels(truth))
    for update in updates[received_after:]:
        truth.apply(update.bids, update.asks)
        state = rebuilder.update(update)
        assert (state.sequence, state.flags) == (update.last_id, 0)
        np.testing.assert_array_equal(state.levels, as_levels(truth))


@FEWER
@given(BOOK_CHANGES.filter(lambda changes: len(changes) >= 3), st.data())
def test_a_missing_update_desynchronises_until_the_next_snapshot(changes: BookChanges, data: st.DataObject) -> None:
    updates = numbered(changes, width=data.draw(st.integers(1, 3), label="numbers of an update"))
    updates = [update._replace(previous_id=None) for update in updates]
    missing = data.draw(st.integers(0, len(updates) - 2), label="missing update")
    rebuilder = BookRebuilder()
    rebuilder.snapshot(0, (), ())
    states = [rebuilder.update(update) for index, update in enumerate(updates) if index != missing]
    assert [state.flags for state in states[:missing]] == [0] * missing
    assert states[missing].flags == EventFlag.SEQUENCE_GAP | EventFlag.UNSYNCHRONISED
    assert all(state.flags == EventFlag.UNSYNCHRONISED for state in states[missing + 1 :])
    assert all(np.isnan(state.levels).all() and state.sequence == 0 for state in states[missing:])
    again = rebuilder.snapshot(updates[-1].last_id, ((99.0, 1.0),), ((101.0, 2.0),))
    assert rebuilder.synchronised
    assert again.levels[:, 0].tolist() == [99.0, 1.0, 101.0, 2.0]


def test_an_update_that_came_twice_changes_nothing_and_keeps_its_old_number() -> None:
    rebuilder = BookRebuilder()
    rebuilder.snapshot(10, ((99.0, 1.0),), ((101.0, 1.0),))
    first = rebuilder.update(BookUpdate(11, 12, None, ((99.0, 5.0),), ()))
    rebuilder.update(BookUpdate(13, 13, None, ((99.0, 7.0),), ()))
    again = rebuilder.update(BookUpdate(11, 12, None, ((99.0, 5.0),), ()))
    assert again.sequence == first.sequence == 12
    assert again.levels[1, 0] == 7.0


def test_a_snapshot_older_than_the_book_changes_nothing_and_keeps_its_old_number() -> None:
    rebuilder = BookRebuilder()
    rebuilder.snapshot(10, ((99.0, 1.0),), ((101.0, 1.0),))
    rebuilder.update(BookUpdate(11, 12, None, ((99.0, 5.0),), ()))
    state = rebuilder.snapshot(11, ((98.0, 1.0),), ((101.0, 1.0),))
    assert (state.sequence, state.flags, state.levels[0, 0], state.levels[1, 0]) == (11, 0, 99.0, 5.0)


def test_a_snapshot_older_than_all_buffered_updates_cannot_be_used() -> None:
    rebuilder = BookRebuilder()
    rebuilder.update(BookUpdate(20, 25, None, ((99.0, 5.0),), ()))
    state = rebuilder.snapshot(10, ((98.0, 1.0),), ((101.0, 1.0),))
    assert state.flags == EventFlag.SNAPSHOT | EventFlag.SEQUENCE_GAP | EventFlag.UNSYNCHRONISED
    assert not rebuilder.synchronised
    assert rebuilder.snapshot(21, ((98.0, 1.0),), ((101.0, 1.0),)).levels[0, :2].tolist() == [99.0, 98.0]


def test_futures_updates_may_skip_numbers_when_they_name_the_update_before() -> None:
    rebuilder = BookRebuilder()
    rebuilder.snapshot(10, ((99.0, 1.0),), ((101.0, 1.0),))
    assert rebuilder.update(BookUpdate(8, 15, 7, (), ())).flags == 0
    assert rebuilder.update(BookUpdate(40, 45, 15, (), ())).flags == 0
    assert rebuilder.update(BookUpdate(60, 65, 50, (), ())).flags == EventFlag.SEQUENCE_GAP | EventFlag.UNSYNCHRONISED
