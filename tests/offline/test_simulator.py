"""Laws of the simulated market: equal seeds give equal events, books are sound, and what is broken is broken on purpose and counted."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import groupby, pairwise

import numpy as np
import numpy.typing as npt
import pytest

from jobs.gateway.market_event import Item, MarketEvent, RejectedLine
from jobs.simulator.efficient_price import STEP_SECONDS, EfficientPrices
from jobs.simulator.settings import PREDICTED_SECONDS, SimulationSettings
from jobs.simulator.source import SimulatedSource
from jobs.simulator.symbol_flow import TICKS_PER_UNIT
from tests.support.quiet_market import MANY_DEFECTS, small_market
from udfs.errors import InvalidSettings, Reason
from udfs.kernels.events import EventFlag, EventKind, TradingStatus

SECOND = 1_000_000_000
Floats = npt.NDArray[np.float64]


def comparable(item: Item) -> object:
    if isinstance(item, RejectedLine):
        return item
    return (*item[:6], np.asarray(item.payload).tobytes())


def events(settings: SimulationSettings) -> list[MarketEvent]:
    return [item for item in SimulatedSource(settings).events() if isinstance(item, MarketEvent)]


def of_kind(stream: list[MarketEvent], kind: EventKind) -> list[MarketEvent]:
    return [event for event in stream if event.kind == kind]


@pytest.fixture(scope="module")
def clean() -> list[MarketEvent]:
    return events(small_market(halts_per_hour=60.0, halt_seconds=4.0, jumps_per_hour=60.0))


@pytest.fixture(scope="module")
def broken() -> tuple[SimulatedSource, list[Item]]:
    source = SimulatedSource(small_market(defects=MANY_DEFECTS))
    return source, list(source.events())


def test_equal_settings_give_equal_events_bit_for_bit(broken: tuple[SimulatedSource, list[Item]]) -> None:
    """A second source, and a second reading of one, repeat the first; another seed does not."""
    source, first = broken
    again = list(map(comparable, SimulatedSource(source.settings).events()))
    assert again == list(map(comparable, first))
    assert list(map(comparable, SimulatedSource(small_market(seed=8, defects=MANY_DEFECTS)).events())) != again


@pytest.mark.parametrize("seconds", [7.5, 20.0, 33.3])
def test_more_seconds_only_add_events(broken: tuple[SimulatedSource, list[Item]], seconds: float) -> None:
    """A shorter market is a prefix of a longer one, faults included."""
    short = list(map(comparable, SimulatedSource(small_market(seconds=seconds, defects=MANY_DEFECTS)).events()))
    assert len(short) > 100
    assert short == list(map(comparable, broken[1][: len(short)]))


def test_items_come_by_available_time(broken: tuple[SimulatedSource, list[Item]]) -> None:
    """Every symbol's and the whole stream's available times never go back, faults included."""
    times = [item.available_time for item in broken[1] if isinstance(item, MarketEvent)]
    assert times == sorted(times)


def test_a_clean_market_is_in_order_and_numbered_without_gaps(clean: list[MarketEvent]) -> None:
    """By symbol, event times rise and each kind counts 1, 2, 3."""
    numbers: dict[tuple[str, int], list[int]] = defaultdict(list)
    times: dict[str, int] = {}
    for event in clean:
        numbers[event.symbol, event.kind].append(event.sequence)
        assert times.get(event.symbol, 0) <= event.event_time < event.available_time
        times[event.symbol] = event.event_time
    assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())
    assert {kind for _, kind in numbers} == {EventKind.TRADE, EventKind.QUOTE, EventKind.BOOK, EventKind.STATUS}


def test_books_never_cross_and_are_sorted(clean: list[MarketEvent]) -> None:
    """Ten levels a side, strictly worse from level to level, bids below asks, sizes positive."""
    books = np.array([event.payload for event in of_kind(clean, EventKind.BOOK)])
    assert np.isfinite(books).all()
    assert (np.diff(books[:, 0]) < 0).all()
    assert (np.diff(books[:, 2]) > 0).all()
    assert (books[:, 0, 0] < books[:, 2, 0]).all()
    assert (books[:, 1::2] > 0).all()


def test_quotes_agree_with_books_and_prices_lie_on_ticks(clean: list[MarketEvent]) -> None:
    """The quote before a book of the same time has its best levels; every price is a whole number of ticks."""
    best: dict[str, tuple[float, ...]] = {}
    for event in clean:
        values = np.asarray(event.payload, float)
        if event.kind == EventKind.BOOK and event.symbol in best:
            assert (values[0, 0], values[1, 0], values[2, 0], values[3, 0]) == best[event.symbol]
        elif event.kind == EventKind.QUOTE:
            best[event.symbol] = tuple(values)
        prices = {EventKind.TRADE: values[:1], EventKind.QUOTE: values[::2], EventKind.BOOK: values[::2]}.get(EventKind(event.kind))
        if prices is not None:
            assert (np.rint(prices * TICKS_PER_UNIT) / TICKS_PER_UNIT == prices).all()


def test_trades_take_standing_orders(clean: list[MarketEvent]) -> None:
    """The first trade after a quote is at the quoted price of the side it takes, for no more than stands there."""
    quotes: dict[str, tuple[float, ...]] = {}
    checked = 0
    for event in clean:
        if event.kind == EventKind.QUOTE:
            quotes[event.symbol] = tuple(np.asarray(event.payload))
        elif event.kind == EventKind.TRADE and event.symbol in quotes:
            price, size, side = np.asarray(event.payload)
            bid, bid_size, ask, ask_size = quotes.pop(event.symbol)
            assert (price, side) in ((ask, 1.0), (bid, -1.0))
            assert 0 < size <= (ask_size if side > 0 else bid_size)
            checked += 1
    assert checked > 500


def test_nothing_happens_in_a_halt(clean: list[MarketEvent]) -> None:
    """Between HALTED and OPEN a symbol is silent; every symbol starts OPEN."""
    halted: Counter[str] = Counter()
    for symbol in {event.symbol for event in clean}:
        status = 0.0
        for event in (event for event in clean if event.symbol == symbol):
            if event.kind == EventKind.STATUS:
                assert event.payload[0] != status
                status = float(event.payload[0])
                halted[symbol] += status == TradingStatus.HALTED
            else:
                assert status == TradingStatus.OPEN
    assert halted.total() >= 2


def test_activity_is_what_was_asked_for(clean: list[MarketEvent]) -> None:
    """The mean rate is met, the first symbol is the most active, and the quiet ones are quiet."""
    settings = SimulationSettings(symbols=12, seconds=120, ticks_per_second=600, quiet_symbols=2, halts_per_hour=0)
    counts = Counter(event.symbol for event in events(settings))
    assert counts.total() / settings.seconds == pytest.approx(settings.ticks_per_second, rel=0.15)
    assert counts.most_common(1)[0][0] == settings.names()[0]
    assert all(counts[symbol] < 40 for symbol in settings.names()[-2:])


def test_faults_are_counted_exactly(broken: tuple[SimulatedSource, list[Item]]) -> None:
    """Seen from outside, without looking into the planter, every fault is found as often as it was planted, and no other."""
    source, items = broken
    found: Counter[Reason] = Counter()
    clocks: dict[str, int] = defaultdict(int)
    last: dict[tuple[str, int], int] = defaultdict(int)
    for item in items:
        if isinstance(item, RejectedLine):
            found[item.reason] += 1
            continue
        reason = fault(item, clocks[item.symbol], last[item.symbol, item.kind])
        if reason is Reason.ACCEPTED:
            clocks[item.symbol] = max(clocks[item.symbol], item.event_time)
            last[item.symbol, item.kind] = item.sequence
        found[reason] += 1
    del found[Reason.ACCEPTED]
    assert found == source.planted
    assert set(source.planted) == {
        Reason.LATE,
        Reason.DUPLICATE,
        Reason.NOT_A_NUMBER,
        Reason.PRICE_NOT_POSITIVE,
        Reason.SIZE_NEGATIVE,
        Reason.CROSSED_BOOK,
        Reason.SEQUENCE_GAP,
        Reason.TIME_ABSURD,
        Reason.MALFORMED_INPUT_LINE,
    }


def fault(event: MarketEvent, clock: int, last_sequence: int) -> Reason:
    """A slow obvious firewall."""
    values = np.asarray(event.payload, float).ravel()
    if event.event_time > event.available_time + 60 * SECOND:
        return Reason.TIME_ABSURD
    if event.event_time < clock - 2 * SECOND:
        return Reason.LATE
    if event.sequence <= last_sequence:
        return Reason.DUPLICATE
    if event.kind == EventKind.BOOK and event.flags & EventFlag.SEQUENCE_GAP:
        return Reason.SEQUENCE_GAP
    if event.kind == EventKind.QUOTE:
        return Reason.CROSSED_BOOK if values[0] > values[2] else Reason.ACCEPTED
    if event.kind == EventKind.TRADE:
        if np.isnan(values[0]):
            return Reason.NOT_A_NUMBER
        return Reason.PRICE_NOT_POSITIVE if values[0] <= 0 else Reason.SIZE_NEGATIVE if values[1] < 0 else Reason.ACCEPTED
    return Reason.ACCEPTED


def test_tolerable_disorder_is_counted_too(broken: tuple[SimulatedSource, list[Item]]) -> None:
    """As many events go back in time within the tolerance as `harmless` says."""
    source, items = broken
    clocks: dict[str, int] = defaultdict(int)
    back = 0
    for item in items:
        if isinstance(item, MarketEvent) and item.event_time <= item.available_time:
            back += clocks[item.symbol] - 2 * SECOND < item.event_time < clocks[item.symbol]
            clocks[item.symbol] = max(clocks[item.symbol], item.event_time)
    assert back == source.harmless["out_of_order"] > 20


def test_the_book_after_a_gap_is_a_snapshot(broken: tuple[SimulatedSource, list[Item]]) -> None:
    """Numbers jump exactly where the flag says so, and the next book can be relied on again."""
    books: dict[str, list[MarketEvent]] = defaultdict(list)
    for item in broken[1]:
        if isinstance(item, MarketEvent) and item.kind == EventKind.BOOK:
            books[item.symbol].append(item)
    for found in books.values():
        distinct = [next(group) for _, group in groupby(found, key=lambda event: event.sequence)]
        assert distinct[0].flags == EventFlag.SNAPSHOT
        for before, after in pairwise(distinct):
            assert (after.sequence - before.sequence > 1) == bool(after.flags & EventFlag.SEQUENCE_GAP)
            assert (before.flags == EventFlag.SEQUENCE_GAP) == (after.flags == EventFlag.SNAPSHOT)


def test_the_mid_price_follows_the_efficient_price(clean: list[MarketEvent]) -> None:
    """The book stays within a few ticks of the latent price, jumps and halts aside, for symbols that trade."""
    source = SimulatedSource(small_market(quiet_symbols=0, jumps_per_hour=0, halts_per_hour=0))
    stream = [item for item in source.events() if isinstance(item, MarketEvent)]
    truth = np.exp(source.truth.log_price) * TICKS_PER_UNIT
    for event in of_kind(stream, EventKind.BOOK):
        second = (event.event_time - source.settings.start_time) // SECOND
        book = np.asarray(event.payload) * TICKS_PER_UNIT
        fair = truth[second, source.symbols.index(event.symbol)]
        assert abs((book[0, 0] + book[2, 0]) / 2 - fair) < 0.004 * fair


def latent(predictability: float, correlation: float, symbols: int, stretches: int) -> tuple[Floats, Floats]:
    settings = SimulationSettings(symbols=symbols, predictability=predictability, correlation=correlation, jumps_per_hour=0)
    seeds = np.random.SeedSequence(3).spawn(symbols + 1)
    generators = [np.random.Generator(np.random.PCG64(seed)) for seed in seeds]
    prices = EfficientPrices(settings, generators[1:], generators[0])
    drawn = [prices.next_stretch() for _ in range(stretches)]
    return np.concatenate([one.log_price for one in drawn]), np.concatenate([one.pressure for one in drawn])


@pytest.mark.parametrize("predictability", [0.0, 0.1, 0.2])
def test_pressure_explains_the_promised_share_of_returns(predictability: float) -> None:
    """Over many symbols, the squared correlation of pressure now and the next 5 minutes' return is the setting."""
    horizon = round(PREDICTED_SECONDS / STEP_SECONDS)
    log_price, pressure = latent(predictability, 0.0, symbols=300, stretches=150)
    scale = log_price[horizon:].std(axis=0)
    returns = (log_price[horizon::horizon] - log_price[:-horizon:horizon]) / scale
    standard = returns / returns.std(axis=0)
    explained = np.corrcoef(pressure[:-horizon:horizon].ravel(), standard.ravel())[0, 1]
    assert explained == pytest.approx(np.sqrt(predictability), abs=0.06)


def test_returns_are_correlated_as_asked() -> None:
    """The mean correlation between two symbols' returns is the setting."""
    log_price, _ = latent(0.0, 0.4, symbols=8, stretches=60)
    between = np.corrcoef(np.diff(log_price, axis=0).T)[np.triu_indices(8, 1)]
    assert between.mean() == pytest.approx(0.4, abs=0.05)


def test_the_book_leans_with_the_pressure() -> None:
    """What a model may see, the imbalance of the first levels, goes with what it may not: the pressure."""
    source = SimulatedSource(small_market(symbols=8, quiet_symbols=0, seconds=300, ticks_per_second=200))
    seen: dict[tuple[int, int], list[float]] = defaultdict(list)
    for event in of_kind([item for item in source.events() if isinstance(item, MarketEvent)], EventKind.BOOK):
        book = np.asarray(event.payload)
        bids, asks = book[1, :5].sum(), book[3, :5].sum()
        second = (event.event_time - source.settings.start_time) // SECOND
        seen[source.symbols.index(event.symbol), int(second) // 10].append((bids - asks) / (bids + asks))
    pressure = source.truth.pressure
    pairs = [(np.mean(values), pressure[10 * ten, symbol]) for (symbol, ten), values in seen.items()]
    assert np.corrcoef(np.array(pairs).T)[0, 1] > 0.3


def test_settings_report_every_problem() -> None:
    """One error names all that is wrong."""
    with pytest.raises(InvalidSettings, match=r"symbols.*ticks_per_second.*correlation.*predictability.*u_shape"):
        SimulationSettings(symbols=0, quiet_symbols=0, ticks_per_second=-1, correlation=1.5, predictability=0.5, u_shape=2)
