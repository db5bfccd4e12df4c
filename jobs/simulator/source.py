"""The simulated market as a source: one item for every message of all symbols, by available time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from jobs.gateway.market_event import Item, MarketEvent, RejectedLine
from jobs.gateway.news.merging import merged_with_news
from jobs.simulator.defects import MALFORMED_KIND, FeedColumns, Planter
from jobs.simulator.efficient_price import STEP_SECONDS, STRETCH_SECONDS, EfficientPrices, Stretch
from jobs.simulator.event_rows import TABLES
from jobs.simulator.news_flow import NewsFlow
from jobs.simulator.settings import SimulationSettings
from jobs.simulator.symbol_flow import TICKS_PER_UNIT, SymbolFlow
from udfs.errors import Reason

_TRUTH_EVERY = 10
"""Steps between two values of the truth that are kept."""


class Truth(NamedTuple):
    """The latent values that no feature may see, for tests: t rows, one a second."""

    seconds: npt.NDArray[np.float64]
    """(t,) since the start."""
    log_price: npt.NDArray[np.float64]
    """(t, symbols) logarithm of the efficient price."""
    pressure: npt.NDArray[np.float64]
    """(t, symbols) what leads the drift, of variance one."""


class SimulatedSource:
    """A market that is the same for equal settings, bit for bit. `events()` may be called again and starts again."""

    venue = "SIM"

    def __init__(self, settings: SimulationSettings | None = None) -> None:
        self.settings = settings or SimulationSettings()
        self.name = f"simulated-market-seed-{self.settings.seed}"
        self.symbols = self.settings.names()
        self._planters: list[Planter] = []
        self._truth: list[Stretch] = []

    def events(self) -> Iterator[Item]:
        """Items by available time; `planted`, `harmless` and `truth` tell of those that came out of the last call."""
        settings = self.settings
        seeds = [np.random.SeedSequence([settings.seed, 1 + number]).spawn(4) for number in range(settings.symbols)]
        drawn = [[np.random.Generator(np.random.PCG64(seed)) for seed in own] for own in seeds]
        common = np.random.Generator(np.random.PCG64(np.random.SeedSequence([settings.seed, 0])))
        prices = EfficientPrices(settings, [own[0] for own in drawn], common)
        self._planters = [Planter(settings, own[2]) for own in drawn]
        self._truth = []
        flows = [SymbolFlow(settings, rate, own[1]) for rate, own in zip(settings.rates(), drawn)]
        news_flows = [NewsFlow(settings, symbol, own[3]) for symbol, own in zip(self.symbols, drawn)]
        count = 0
        for number in range(int(np.ceil(settings.seconds / STRETCH_SECONDS))):
            begin = number * STRETCH_SECONDS
            news, moves = zip(*(flow.stretch(begin) for flow in news_flows))
            latent = prices.next_stretch()
            latent = latent._replace(log_price=latent.log_price + np.stack(moves, axis=1))
            self._truth.append(Stretch(latent.log_price[::_TRUTH_EVERY], latent.pressure[::_TRUTH_EVERY]))
            fair = np.exp(latent.log_price) * float(TICKS_PER_UNIT)
            feeds = [
                planter.plant(flow.stretch(begin, fair[:, k].copy(), latent.pressure[:, k].copy()).before(settings.seconds))
                for k, (flow, planter) in enumerate(zip(flows, self._planters))
            ]
            items = _merged(self.symbols, feeds, self.name, count)
            count += sum(len(feed.kind) for feed in feeds)
            yield from merged_with_news(items, _in_time(chain.from_iterable(news), settings))

    @property
    def planted(self) -> dict[Reason, int]:
        """How many items were made so that they must be rejected, by the reason."""
        total: Counter[Reason] = Counter()
        for planter in self._planters:
            total.update(planter.planted)
        return {reason: total[reason] for reason in sorted(total) if total[reason]}

    @property
    def harmless(self) -> dict[str, int]:
        """Oddities that must not be rejected: events out of order within the tolerance."""
        total: Counter[str] = Counter()
        for planter in self._planters:
            total.update(planter.harmless)
        return dict(sorted(total.items()))

    @property
    def truth(self) -> Truth:
        """The latent values of the stretches that were drawn so far."""
        log_price = np.concatenate([stretch.log_price for stretch in self._truth])
        pressure = np.concatenate([stretch.pressure for stretch in self._truth])
        return Truth(np.arange(len(log_price)) * STEP_SECONDS * _TRUTH_EVERY, log_price, pressure)


def _in_time(news: Iterable[MarketEvent], settings: SimulationSettings) -> list[MarketEvent]:
    """By available time, and none after the end."""
    end = settings.start_time + round(settings.seconds * 1_000_000_000)
    return sorted((event for event in news if event.available_time < end), key=lambda event: event.available_time)


def _merged(symbols: Sequence[str], feeds: Sequence[FeedColumns], name: str, count: int) -> Iterator[Item]:
    """The items of all symbols of one stretch by available time; `count` items came before."""
    available = np.concatenate([feed.available_time for feed in feeds])
    order = np.argsort(available, kind="stable")
    owner = np.repeat(np.arange(len(feeds)), [len(feed.kind) for feed in feeds])
    columns = [np.concatenate([getattr(feed, one) for feed in feeds])[order].tolist() for one in _COLUMNS]
    payloads = [_payloads(feed) for feed in feeds]
    for number, (which, kind, event_time, available_time, sequence, flags, row) in enumerate(
        zip(owner[order].tolist(), *columns), count + 1
    ):
        if kind == MALFORMED_KIND:
            yield RejectedLine(name, number, b'{"broken": ', f"simulated message {number} ends in the middle; expected a whole one")
        else:
            yield MarketEvent(symbols[which], kind, event_time, available_time, sequence, flags, payloads[which][kind][row])


_COLUMNS = ("kind", "event_time", "available_time", "sequence", "flags", "row")


def _payloads(feed: FeedColumns) -> dict[int, list[Any]]:
    """The payloads of each kind as tuples, of books as arrays."""
    tables = {kind: getattr(feed.rows, table) for kind, table in TABLES.items()}
    return {kind: list(table) if table.ndim == 3 else [tuple(row) for row in table.tolist()] for kind, table in tables.items()}
