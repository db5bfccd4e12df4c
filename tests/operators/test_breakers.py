"""No signal leaves with status `ok` in a wrong state, and each one that is held back says why."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import replace
from typing import Any

import onnx
import pytest

from tests.operators.test_symbol_processor import of_kind
from tests.support.busy_market import busy_market
from tests.support.control_memory import breaker_entry, frame_of, model_entry, process, processor, reduce_entry, resume_entry, shed_entry
from tests.support.kernel_events import Event, status, trade
from tests.support.trained_model import trained_model
from udfs.kernels.events import BOOK_DEPTH, EventKind, TradingStatus
from udfs.kernels.signal_rules import Thresholds
from udfs.records import ModelReference, ShedLevel, Signal, SignalCode, SignalStatus, TradingState

SECOND = 1_000_000_000
EASY = Thresholds(minimum_confidence=0.0, minimum_valid_share=0.0, maximum_outside_share=1.0)


def changed_model(**entries: Any) -> bytes:
    """The planted model with other metadata."""
    model = onnx.load_from_string(trained_model().data)
    for name, value in entries.items():
        next(entry for entry in model.metadata_props if entry.key == f"tickflow.{name}").value = json.dumps(value)
    data: bytes = model.SerializeToString()
    return data


def signals(
    events: list[Event], thresholds: Thresholds = EASY, frame: int = 7, entries: tuple[bytes, ...] = (), **metadata: Any
) -> list[Signal]:
    """The signals of a market under a model with this metadata, the state written out and read back after each frame."""
    data = changed_model(**metadata)
    reference = ModelReference("m", "m", hashlib.sha256(data).hexdigest())
    worker = processor([model_entry(reference), *entries], {"m": data}, thresholds=thresholds)
    versions = range(1, 2 + len(entries))
    cuts = [events[start : start + frame] for start in range(0, len(events), frame)]
    share = -(-len(cuts) // len(versions))
    outcomes, _ = process(worker, [frame_of(part, versions[place // share]) for place, part in enumerate(cuts)])
    found: list[Signal] = of_kind(outcomes, Signal)
    return found


def codes(found: list[Signal]) -> set[SignalCode]:
    return {signal.code for signal in found}


def test_a_sound_market_and_model_give_signals_that_are_ok() -> None:
    assert SignalStatus.OK in {signal.status for signal in signals(busy_market(3))}


@pytest.mark.parametrize(("age_days", "expected"), [(31, SignalCode.MODEL_EXPIRED), (29, SignalCode.NONE)])
def test_a_model_that_is_too_old_says_nothing(age_days: int, expected: SignalCode) -> None:
    events = busy_market(3)
    last = (events[-1] if age_days == 29 else events[0]).event_time - age_days * 86_400 * SECOND
    found = signals(events, training_range=[last - SECOND, last])
    assert expected in codes(found)
    assert (SignalStatus.OK in {signal.status for signal in found}) == (expected is SignalCode.NONE)
    forever = signals(events, EASY._replace(model_expiry_nanoseconds=0), training_range=[last - SECOND, last])
    assert SignalCode.MODEL_EXPIRED not in codes(forever)


def test_inputs_that_the_model_knows_nothing_of_are_not_scored() -> None:
    """More of them than the share outside of the training rows' ranges; a constant or missing input has no range."""
    inputs = len(trained_model().card["inputs"]) if "inputs" in trained_model().card else len(_quantiles())
    far, narrow = [1e9 + level for level in range(7)], EASY._replace(maximum_outside_share=0.1)
    elsewhere = signals(busy_market(3), narrow, quantiles=[far] * inputs)
    assert SignalCode.OUT_OF_RANGE in codes(elsewhere)
    assert SignalStatus.OK not in {signal.status for signal in elsewhere}
    for harmless in ([1e9] * 7, [float("nan")] * 7, [-1e12, -2, -1, 0, 1, 2, 1e12]):
        assert SignalCode.OUT_OF_RANGE not in codes(signals(busy_market(3), narrow, quantiles=[harmless] * inputs))


def _quantiles() -> list[Any]:
    model = onnx.load_from_string(trained_model().data)
    found: list[Any] = json.loads(next(entry.value for entry in model.metadata_props if entry.key == "tickflow.quantiles"))
    return found


def test_a_model_that_always_buys_is_held_back_for_good() -> None:
    """Three windows of nothing but one direction, over restarts after every frame; and whatever the frames."""
    thresholds = EASY._replace(one_sided_nanoseconds=60 * SECOND)
    events = busy_market(3, 400)
    found = signals(events, thresholds, calibration_biases=[-50.0, -50.0, 50.0])
    first = next(place for place, signal in enumerate(found) if signal.code is SignalCode.ONE_SIDED)
    assert {signal.status for signal in found[:first]} >= {SignalStatus.OK}
    assert found[first].event_time - found[0].event_time >= 180 * SECOND
    assert SignalStatus.OK not in {signal.status for signal in found[first:]}
    surest = max(signal.confidence for signal in found[:first] if signal.status is SignalStatus.OK)
    assert {signal.confidence for signal in found[first:] if signal.code is SignalCode.ONE_SIDED} == {surest}
    whole = signals(events, thresholds, frame=50, calibration_biases=[-50.0, -50.0, 50.0])
    assert [(signal.signal_id, signal.code) for signal in whole] == [(signal.signal_id, signal.code) for signal in found]
    assert SignalCode.ONE_SIDED not in codes(signals(events, thresholds))


def test_reduce_only_is_said_until_it_is_lifted() -> None:
    found = signals(busy_market(3), entries=(reduce_entry(), resume_entry()))
    by_version = {version: Counter(signal.status for signal in found if signal.control_version == version) for version in (1, 2, 3)}
    assert by_version[1][SignalStatus.OK] > 0
    assert by_version[2][SignalStatus.OK] == 0
    assert by_version[2][SignalStatus.REDUCING] > 0
    assert by_version[3][SignalStatus.OK] > 0
    assert by_version[3][SignalStatus.REDUCING] == 0
    assert {signal.code for signal in found if signal.status is SignalStatus.REDUCING} == {SignalCode.REDUCE_ONLY}


@pytest.mark.parametrize("state", [TradingState.REDUCING, TradingState.HALTED])
def test_an_open_breaker_holds_everything_at_the_frame_that_names_it(state: TradingState) -> None:
    """No signal is ok between its two entries, whatever people say of single symbols; the code says that it was a breaker."""
    found = signals(
        busy_market(3), entries=(breaker_entry("lag", state), resume_entry("BTCUSDT"), breaker_entry("lag", TradingState.ACTIVE))
    )
    by_version = {version: Counter(signal.status for signal in found if signal.control_version == version) for version in (1, 2, 3, 4)}
    assert by_version[1][SignalStatus.OK] > 0
    assert by_version[4][SignalStatus.OK] > 0
    held = [signal for signal in found if signal.control_version in (2, 3)]
    assert SignalStatus.OK not in {signal.status for signal in held}
    expected = (
        (SignalStatus.HALTED, SignalCode.BREAKER_OPEN) if state is TradingState.HALTED else (SignalStatus.REDUCING, SignalCode.REDUCE_ONLY)
    )
    assert expected in {(signal.status, signal.code) for signal in held}


def test_shed_reasons_change_nothing_else() -> None:
    """Law: the same signals, but for their reasons, from the frame on that names the entry."""
    market = busy_market(3)
    whole, shed = (signals(market, entries=(shed_entry(level),)) for level in (ShedLevel.NOTHING, ShedLevel.REASONS))
    assert [replace(signal, reasons=()) for signal in whole] == [replace(signal, reasons=()) for signal in shed]
    assert all(signal.reasons == other.reasons for signal, other in zip(whole, shed, strict=True) if signal.control_version == 1)
    assert any(signal.reasons for signal in whole if signal.control_version == 2)
    assert not any(signal.reasons for signal in shed if signal.control_version == 2)


def test_a_crash_halts_what_was_ok() -> None:
    """The same market, then trades that fall by 5 %: from the third row beyond the limit on nothing is ok."""
    last = [event for event in busy_market(3, 900) if event.kind != EventKind.CLOCK]
    calm = [trade(last[0].event_time + place * SECOND, 100.0 + 0.01 * (place % 3)) for place in range(500)]
    fall = [trade(calm[-1].event_time + (1 + place) * SECOND // 2, 100.0 * 0.9975**place) for place in range(1, 40)]
    found = signals([*calm, *fall], frame=1, minimum_confidence=0.0)
    crash = [place for place, signal in enumerate(found) if signal.code is SignalCode.FLASH_CRASH]
    assert crash
    assert {found[place].status for place in crash} == {SignalStatus.HALTED}
    assert crash == list(range(crash[0], len(found)))
    assert any(signal.status is SignalStatus.OK for signal in found[: crash[0]])


def test_a_halt_holds_every_signal_back_until_trading_opens_again() -> None:
    """The feed goes on quoting in the halt; not one of its rows is acted upon."""
    market = busy_market(3, 900)
    halted, opened = market[900].event_time, market[1000].event_time
    events = [*market[:900], status(halted, TradingStatus.HALTED), *market[900:1000], status(opened, TradingStatus.OPEN), *market[1000:]]
    found = signals(events)
    during = [signal for signal in found if halted < signal.event_time < opened]
    assert len(during) > 20
    assert codes(during) == {SignalCode.TRADING_HALTED}
    assert SignalStatus.OK not in {signal.status for signal in during}
    for sound in ([signal for signal in found if signal.event_time < halted], [signal for signal in found if signal.event_time > opened]):
        assert SignalStatus.OK in {signal.status for signal in sound}


@pytest.mark.parametrize("repeats", [True, False], ids=["it repeats its book", "it says nothing of its book"])
def test_a_frozen_feed_is_scored_no_more(repeats: bool) -> None:
    """The book stands still while trades move away from it, or is not heard of for longer than a minute."""
    market = busy_market(3, 900)
    book = next(event for event in reversed(market) if event.kind == EventKind.BOOK)
    start, price = market[-1].event_time, sum(book.numbers[place] for place in (0, 2 * BOOK_DEPTH)) / 2
    frozen: list[Event] = []
    for second in range(1, 400):
        frozen += [book._replace(event_time=start + second * SECOND)] if repeats else []
        frozen += [trade(start + second * SECOND + 1, price + 0.04 * second * repeats)]
    found = signals([*market, *frozen])
    assert SignalStatus.OK in {signal.status for signal in found if signal.event_time <= start}
    late = [signal for signal in found if signal.event_time > start + 120 * SECOND]
    assert len(late) > 200
    assert SignalStatus.OK not in {signal.status for signal in late}
    assert (SignalCode.BOOK_QUARANTINED if repeats else SignalCode.STALE_INPUT) in codes(late)
