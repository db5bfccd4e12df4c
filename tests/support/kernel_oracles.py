"""A slow, obvious symbol: it keeps every event and computes everything anew, straight from the definitions in `feature_vector`."""

from __future__ import annotations

import itertools
import math

import numpy as np

from tests.support import trend_oracles
from tests.support.fact_oracles import Pairs, day_start, features_of_facts, newest
from tests.support.firewall_oracle import SlowFirewall
from tests.support.kernel_events import SECOND, Event
from tests.support.microstructure_of_symbol import microstructure_of, quality_of
from tests.support.microstructure_oracles import BookChange, MarkedTrade, Told, levels_of, side_of
from tests.support.news_oracle import SlowNews
from tests.support.oracle_parts import Flow, OracleBar, Print, best_of, flow_of, ratio
from udfs.errors import Reason
from udfs.kernels.events import FACT_KINDS, EventFlag, EventKind
from udfs.kernels.feature_vector import FEATURE_NAMES
from udfs.kernels.indicators.atr import atr
from udfs.kernels.indicators.bollinger import bollinger
from udfs.kernels.indicators.macd import macd
from udfs.kernels.indicators.moving_average import ema, sma
from udfs.kernels.indicators.obv import obv
from udfs.kernels.indicators.roc import roc
from udfs.kernels.indicators.rsi import rsi
from udfs.kernels.kernel_settings import BAR_LENGTHS_SECONDS, KernelSettings


class SlowSymbol:
    """Takes trades, quotes, books and clocks without sequence numbers."""

    def __init__(self, settings: KernelSettings) -> None:
        self.settings = settings
        self.clock = 0
        self.watermark = 0
        self.prints: list[Print] = []
        self.trades: list[Event] = []
        self.volume_only: list[Event] = []
        self.flows: list[Flow] = []
        self.tops: list[Event] = []
        self.books: list[Event] = []
        self.firewall = SlowFirewall(settings)
        self.taken: list[Event] = []
        self.marked: list[MarkedTrade] = []
        self.told: list[Told] = []
        self.book_changes: list[BookChange] = []
        self.first_book = 0
        self.facts: list[Event] = []
        self.context_sessions: list[tuple[int, Event]] = []
        self.pairs = Pairs()
        self.news = SlowNews(self)

    def take(self, event: Event) -> bool:
        """False when the event is late or not believed."""
        if event.kind in FACT_KINDS:
            if event.kind == EventKind.CONTEXT:
                event = event._replace(event_time=max(event.event_time, getattr(newest(self, EventKind.CONTEXT), "event_time", 0)))
                self.context_sessions.append((day_start(self, event.event_time), event))
            self.facts.append(event)
            return self.news.take(event) if event.kind == EventKind.NEWS else True
        if event.kind == EventKind.CLOCK:
            self.clock, self.watermark = max(self.clock, event.event_time), max(self.watermark, event.event_time)
            return True
        if event.event_time < self.watermark:
            return False
        self._mid_before_trade = self._usable_mid(max(self.clock, event.event_time))
        if self.firewall.judge(event) != Reason.ACCEPTED:
            return False
        self.taken.append(event)
        self.clock = max(self.clock, event.event_time)
        self.watermark = max(self.watermark, self.clock - self.settings.out_of_order_nanoseconds)
        if event.kind == EventKind.TRADE:
            self._take_trade(event)
        else:
            self._take_top(event)
        return True

    def _take_trade(self, event: Event) -> None:
        if event.flags & EventFlag.VOLUME_ONLY:
            self.volume_only.append(event)
            return
        price, size, _ = event.numbers
        mid = self._mid_before_trade
        side = side_of(event, mid, [(one.time, one.price) for one in self.marked])
        self.marked.append(MarkedTrade(event.event_time, price, size, side, mid))
        self.trades.append(event._replace(numbers=(price, size, side)))
        self.prints.append(Print(event.event_time, len(self.prints), price, is_trade=True))

    def _take_top(self, event: Event) -> None:
        if event.kind == EventKind.BOOK and not self._take_book(event):
            return
        if self.firewall.best_kind == event.kind and event.event_time < self.top_time():
            return
        new, old = best_of(event), self.firewall.usable_best()
        if old is not None and old != new:
            self.flows.append(Flow(event.event_time, flow_of(old, new), (new[1] + new[3]) / 2))
        self.tops.append(event)
        self.firewall.move_best(event.event_time, new, event.kind)
        self.told.append(Told(event.event_time, new[0], new[2]))
        if not self.trades:
            self.prints.append(Print(event.event_time, len(self.prints), 0.5 * (new[0] + new[2]), is_trade=False))

    def _take_book(self, event: Event) -> bool:
        """False while books are not believed."""
        if follows := bool(self.books) and self.firewall.books_are_used():
            self.book_changes.append(BookChange(event.event_time, levels_of(self.books[-1]), levels_of(event)))
        self.books.append(event)
        if not self.firewall.uses_book(event.event_time):
            return False
        self.first_book = self.first_book if follows else event.event_time
        return True

    def top_time(self) -> int:
        """Newest time at which the best level was told."""
        return max(event.event_time for event in self.tops)

    def price_before(self, time: int) -> float:
        """Price in force at a time; NaN before the first."""
        known = [one for one in self.prints if one.time < time]
        return max(known, key=lambda one: one[:2]).price if known else math.nan

    def boundary(self, window_seconds: int, hop_seconds: int) -> int:
        """Beginning of a window, in nanoseconds."""
        second = self.clock // SECOND - window_seconds
        return (second - second % hop_seconds) * SECOND

    # Bars.

    def bars(self) -> list[OracleBar]:
        """All bars closed so far, by end and length."""
        found = [bar for length in BAR_LENGTHS_SECONDS for bar in self._bars_of(length)]
        return sorted(found, key=lambda bar: bar[:2])

    def _bars_of(self, length: int) -> list[OracleBar]:
        times = [one.time for one in self.prints] + [event.event_time for event in self.volume_only if event.numbers[1] > 0]
        places = sorted({time // (length * SECOND) for time in times})
        return [self._bar(place, length) for place in places if (place + 1) * length * SECOND <= self.watermark]

    def _bar(self, place: int, length: int) -> OracleBar:
        inside = [one for one in self.prints if one.time // (length * SECOND) == place]
        inside = [one for one in inside if one.is_trade] or inside
        trades = [event for event in self.trades if event.event_time // (length * SECOND) == place]
        silent = [event for event in self.volume_only if event.event_time // (length * SECOND) == place]
        end = (place + 1) * length * SECOND
        prices = [one.price for one in inside] or [self.price_before(end)]
        first = min(inside, key=lambda one: one[:2]).price if inside else prices[0]
        return OracleBar(
            end,
            length,
            first,
            max(prices),
            min(prices),
            max(inside, key=lambda one: one[:2]).price if inside else prices[0],
            sum(event.numbers[1] for event in trades + silent),
            sum(event.numbers[0] * event.numbers[1] for event in trades),
            len(trades),
            sum(event.numbers[1] * event.numbers[2] for event in trades),
        )

    # Features.

    def features(self) -> dict[str, float]:
        """Every feature by name; NaN where it is not valid."""
        values = dict.fromkeys(FEATURE_NAMES, math.nan)
        with np.errstate(all="ignore"):
            for part in (self._book(), self._order_flow(), self._traded(), self._returns(), self._indicators(), self._volatility()):
                values.update(part)
            minutes = [bar for bar in self._bars_of(60) if not math.isnan(bar.close)]
            values |= trend_oracles.trend(self, minutes) | trend_oracles.volatility(self, minutes)
            values.update(microstructure_of(self))
            values |= features_of_facts(self, values["realised_volatility_5_minutes"]) | self.news.features()
            finite = {name: math.isfinite(value) for name, value in values.items()}
            values.update(quality_of(self, finite))
        return {name: value if math.isfinite(value) else math.nan for name, value in values.items()}

    def _book_is_usable(self) -> bool:
        return self.firewall.best_kind != 0 and self.clock - self.top_time() <= self.settings.stale_book_nanoseconds

    def depth_is_usable(self) -> bool:
        """Whether the newest book is believed, not frozen, and not stale."""
        if not self.books or not self.firewall.books_are_used() or self.firewall.frozen is not None:
            return False
        return self.clock - max(event.event_time for event in self.books) <= self.settings.stale_book_nanoseconds

    def _usable_mid(self, clock: int) -> float:
        best = self.firewall.usable_best()
        if best is None or clock - self.top_time() > self.settings.stale_book_nanoseconds:
            return math.nan
        return (best[0] + best[2]) / 2

    def _book(self) -> dict[str, float]:
        values = {"seconds_since_book": (self.clock - self.top_time()) / SECOND} if self.tops else {}
        if self.depth_is_usable():
            levels = np.array(self.books[-1].numbers).reshape(4, -1)[:, :5]
            values["imbalance_5_levels"] = ratio(np.nansum(levels[1]) - np.nansum(levels[3]), np.nansum(levels[1]) + np.nansum(levels[3]))
        if not self._book_is_usable():
            return values
        bid, bid_size, ask, ask_size = best_of(self.tops[-1])
        mid, micro = (bid + ask) / 2, ratio(bid * ask_size + ask * bid_size, bid_size + ask_size)
        return values | {
            "mid_price": mid,
            "microprice": micro,
            "spread": ask - bid,
            "spread_basis_points": 1e4 * (ask - bid) / mid,
            "microprice_deviation": 1e4 * (micro / mid - 1),
            "imbalance_level_1": ratio(bid_size - ask_size, bid_size + ask_size),
        }

    def _order_flow(self) -> dict[str, float]:
        values: dict[str, float] = {}
        for name, window, hop in (("1_second", 1, 1), ("10_seconds", 10, 1), ("1_minute", 60, 10)):
            begin = self.boundary(window, hop)
            if self._book_is_usable() and self.tops[0].event_time < begin:
                inside = [flow for flow in self.flows if flow.time >= begin]
                total = sum(flow.value for flow in inside)
                depth = sum(flow.depth for flow in inside)
                values[f"order_flow_{name}"] = total
                values[f"order_flow_per_depth_{name}"] = ratio(total * len(inside), depth) if inside else 0.0
        return values

    def _traded(self) -> dict[str, float]:
        values: dict[str, float] = {}
        minute = self.boundary(60, 10)
        if self.prints and self.prints[0].time < minute:
            everything = self.trades + self.volume_only
            values["volume_1_minute"] = sum(event.numbers[1] for event in everything if event.event_time >= minute)
        if not self.trades:
            return values
        newest = max(enumerate(self.trades), key=lambda pair: (pair[1].event_time, pair[0]))[1]
        values |= {"last_price": newest.numbers[0], "seconds_since_trade": (self.clock - newest.event_time) / SECOND}
        first = self.trades[0].event_time
        for name, window, hop in (("10_seconds", 10, 1), ("1_minute", 60, 10), ("5_minutes", 300, 10)):
            begin = self.boundary(window, hop)
            if first < begin:
                values[f"trade_imbalance_{name}"] = ratio(
                    self.sum_since(begin, lambda n: n[1] * n[2]), self.sum_since(begin, lambda n: n[1])
                )
        if first < minute:
            values["trade_count_1_minute"] = self.sum_since(minute, lambda n: 1.0)
        for name, begin in (("vwap_session", day_start(self, self.clock)), ("vwap_5_minutes", self.boundary(300, 10))):
            values[name] = ratio(self.sum_since(begin, lambda n: n[0] * n[1]), self.sum_since(begin, lambda n: n[1]))
            values[f"{name}_deviation"] = self.price_before(self.clock + 1) / values[name] - 1
        return values

    def sum_since(self, begin: int, of: object) -> float:
        """Of the trades from a time on, of what a function makes of their numbers."""
        assert callable(of)
        return float(sum(of(event.numbers) for event in self.trades if event.event_time >= begin))

    def _returns(self) -> dict[str, float]:
        price = self.price_before(self.clock + 1)
        windows = (("1_second", 1, 1), ("5_seconds", 5, 1), ("1_minute", 60, 10), ("5_minutes", 300, 10), ("1_hour", 3600, 60))
        return {f"return_{name}": math.log(price / self.price_before(self.boundary(window, hop))) for name, window, hop in windows}

    def _volatility(self) -> dict[str, float]:
        windows = (("1_minute", 1, 60, 10), ("5_minutes", 1, 300, 10), ("1_hour", 60, 3600, 60), ("24_hours", 60, 86_400, 3600))
        values: dict[str, float] = {}
        for name, step, window, hop in windows:
            begin = self.boundary(window, hop)
            warm = self.prints[0].time < begin if name == "24_hours" else not math.isnan(self.price_before(begin))
            if warm:
                values[f"realised_volatility_{name}"] = math.sqrt(self._squared_returns(step, begin))
        return values

    def _squared_returns(self, step_seconds: int, begin: int) -> float:
        """Of the closed steps that begin at `begin` or later."""
        step = step_seconds * SECOND
        places = sorted({one.time // step for one in self.prints if (one.time // step + 1) * step <= self.watermark})
        closes = [(place * step, self.price_before((place + 1) * step)) for place in places]
        return sum(math.log(now / before) ** 2 for (_, before), (time, now) in itertools.pairwise(closes) if time >= begin)

    def _indicators(self) -> dict[str, float]:
        bars = [bar for bar in self._bars_of(60) if not math.isnan(bar.close)]
        if not bars:
            return {}
        close, high, low = (np.array([getattr(bar, name) for bar in bars]) for name in ("close", "high", "low"))
        line, signal, histogram = (series[-1] for series in macd(close, 12, 26, 9))
        price = self.price_before(self.clock + 1)
        means = {"sma_5": sma(close, 5), "sma_20": sma(close, 20), "ema_12": ema(close, 12), "ema_26": ema(close, 26)}
        _, _, percent_b, bandwidth = bollinger(close, 20, 2.0)
        true_range = atr(high, low, close, 14)[-1]
        return {
            **{name: float(series[-1]) for name, series in means.items()},
            **{f"price_to_{name}": float(price / series[-1] - 1) for name, series in means.items()},
            "macd_line": line,
            "macd_signal": signal,
            "macd_histogram": histogram,
            "macd_line_relative": line / price,
            "macd_signal_relative": signal / price,
            "macd_histogram_relative": histogram / price,
            "rsi_14": rsi(close, 14)[-1],
            "bollinger_percent_b": percent_b[-1],
            "bollinger_bandwidth": bandwidth[-1],
            "atr_14": true_range,
            "atr_14_relative": true_range / price,
            "roc_10": roc(close, 10)[-1],
            "obv": float(obv(close, np.array([bar.volume for bar in bars]))[-1]),
        }
