"""`infra/tickflow drill`: the ways in which kill switches are known to fail, tried on the gate, and on gates that were broken on purpose.

A check that a broken gate passes would prove nothing, so that makes the drill fail as well.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from infra.local.console import print_json
from jobs.trading.broker import FillModel, MarketRow
from jobs.trading.engine import PaperTrader, Strategy
from jobs.trading.gate import DAY, Order
from jobs.trading.limits import SECOND, Denial, RiskLimits
from jobs.trading.money import SIZE_SCALE, money, units
from udfs.operators.control_state import ControlSnapshot
from udfs.records import TradingState

HELD, FAILED = 0, 1
SYMBOL: Final = "DRILL"
START: Final = 20_000 * DAY + DAY // 2
LIMITS: Final = RiskLimits(
    order_notional=money(60_000), daily_loss=money(5_000), drawdown=money(8_000), concentration_percent=90, price_age=5 * SECOND
)
MODEL: Final = FillModel(latency_nanoseconds=0, fee_basis_points=0.0, impact=0.0)
HALT: Final = ControlSnapshot(1, everything=TradingState.HALTED)
RESUME: Final = ControlSnapshot(2)
MakeTrader = Callable[[], PaperTrader]


class CheckFailed(Exception):
    """A check that did not hold, in words."""


def expect(holds: bool, words: str) -> None:
    """Raises CheckFailed with the words when it does not hold."""
    if not holds:
        raise CheckFailed(words)


class Desk:
    """Drives a trader through a scenario, second by second."""

    def __init__(self, make: MakeTrader, start: int = START) -> None:
        self.trader = make()
        self.time = start
        self._orders = 0

    def row(self, mid: float, seconds: float = 1.0) -> None:
        """Time passes, and the market says this."""
        self.time += round(seconds * SECOND)
        self.trader.on_row(MarketRow(SYMBOL, self.time, mid, 0.0, 1e6, 0.0, 1e6, 1e6))

    def order(self, quantity: float, price: float) -> Denial | None:
        """Ask for a trade; why it was denied."""
        self._orders += 1
        limit = units(price) or 0
        return self.trader.submit(Order(f"drill-{self._orders}", SYMBOL, round(quantity * SIZE_SCALE), limit, self.time))

    def holding(self, quantity: float, price: float = 100.0) -> None:
        """Come to hold so much."""
        self.row(price)
        expect(self.order(quantity, price) is None, "a sound order was denied")
        self.row(price)
        expect(self.held == quantity, f"the order was not filled: held {self.held}")

    @property
    def held(self) -> float:
        """What is held."""
        return self.trader.state.portfolio.holding(SYMBOL).quantity / SIZE_SCALE


def nan_price(make: MakeTrader) -> None:
    """A price that is no number does not switch the loss check off, and nothing is ordered at it."""
    desk = Desk(make)
    desk.holding(500)
    desk.row(math.nan)
    desk.row(math.inf)
    expect(desk.order(1, math.nan) is Denial.NOT_A_NUMBER, "an order with a price that is no number got through")
    for price in (89.0, math.nan, 89.0, 89.0, math.nan):
        desk.row(price)
    expect(desk.order(1, 89.0) is Denial.DAILY_LOSS, "after a price that was no number, a loss beyond the limit stopped nothing")
    for _ in range(6):
        desk.row(math.nan)
    expect(desk.order(-1, 89.0) is Denial.STALE_PRICE, "an order went out at a price that was too old")


def reset_that_does_nothing(make: MakeTrader) -> None:
    """After a person resumed, trading goes on, and stays on."""
    desk = Desk(make)
    desk.holding(500)
    for _ in range(3):
        desk.row(89.0)
    expect(desk.order(1, 89.0) is Denial.DAILY_LOSS, "a loss beyond the limit stopped nothing")
    desk.trader.on_control(RESUME, resumes=True)
    for _ in range(5):
        desk.row(89.0)
    expect(desk.order(1, 89.0) is None, "resuming did nothing: orders are still denied")
    for _ in range(4):
        desk.row(78.5)
    expect(desk.order(1, 78.5) is Denial.DAILY_LOSS, "after resuming, the next loss stopped nothing")


def midnight(make: MakeTrader) -> None:
    """Neither a limit that was reached nor a loss that is under way is forgotten at midnight."""
    before = (START // DAY + 1) * DAY - 10 * SECOND
    desk = Desk(make, before)
    desk.holding(500)
    for price in (94.0, 94.0):
        desk.row(price)
    desk.row(94.0, 10)
    for _ in range(3):
        desk.row(89.0)
    expect(desk.time // DAY == before // DAY + 1, "the scenario does not span midnight")
    expect(desk.order(1, 89.0) is Denial.DAILY_LOSS, "a loss across midnight was counted from midnight on")
    desk = Desk(make, before)
    desk.holding(500)
    for _ in range(3):
        desk.row(89.0)
    desk.row(95.0, 60)
    expect(desk.order(1, 95.0) is Denial.DAILY_LOSS, "midnight let go what only a person may let go")


def one_bad_tick(make: MakeTrader) -> None:
    """One price far off stops nothing for good, and one good one lets nothing go."""
    desk = Desk(make)
    desk.holding(500)
    desk.row(50.0)
    expect(desk.order(1, 50.0) is not None, "something was opened at a price that breaks the loss limit")
    desk.row(100.0)
    expect(desk.order(1, 100.0) is None, "one bad price stopped trading for good")
    for _ in range(3):
        desk.row(80.0)
    desk.row(100.0)
    expect(desk.order(1, 100.0) is not None, "one good price let go what had been stopped")


def one_bad_high(make: MakeTrader) -> None:
    """No loss is counted from a price far above that did not last, whether it came within a minute or began one."""
    for seconds in (1.0, 61.0):
        desk = Desk(make)
        desk.holding(500)
        for price in (100.0, 100.0):
            desk.row(price)
        desk.row(150.0, seconds)
        for price in (150.0, 100.0, 100.0, 100.0):
            desk.row(price)
        expect(desk.order(1, 100.0) is None, "after a bad price upwards, the good ones counted as a loss")
        for _ in range(3):
            desk.row(120.0)
        for _ in range(3):
            desk.row(103.0)
        expect(desk.order(1, 103.0) is not None, "a high that lasted was not counted")


def only_entries_stopped(make: MakeTrader) -> None:
    """Halted means that nothing goes out: orders that close included, and open ones are cancelled."""
    desk = Desk(make)
    desk.holding(100)
    expect(desk.order(-50, 100.0) is None, "a closing order was denied while active")
    desk.trader.on_control(HALT)
    expect(not desk.trader.state.open_orders, "a halt left an order open")
    desk.row(100.0)
    expect(desk.held == 100, "an order traded after the halt")
    for quantity in (-50, 50):
        expect(desk.order(quantity, 100.0) is Denial.HALTED, "a halt let an order out")
    desk.trader.on_control(RESUME)
    desk.row(100.0)
    expect(desk.order(-50, 100.0) is None, "after the halt was lifted a closing order was denied")


class _ForgetsOnNan(PaperTrader):
    """A price that is no number makes every comparison false from then on."""

    broken = False

    def on_row(self, row: MarketRow) -> None:
        self.broken |= not math.isfinite(row.mid)
        super().on_row(row)
        if self.broken:
            self.state = replace(self.state, latched=None, suspected=None)


class _ResetDoesNothing(PaperTrader):
    def on_control(self, snapshot: ControlSnapshot, resumes: bool = False) -> None:
        super().on_control(snapshot, resumes=False)


class _ForgetsAtMidnight(PaperTrader):
    def on_row(self, row: MarketRow) -> None:
        if row.time // DAY != self.now // DAY and self.now:
            self.state = replace(self.state, latched=None, suspected=None, equities=())
        super().on_row(row)


class _BelievesEveryHigh(PaperTrader):
    def on_row(self, row: MarketRow) -> None:
        super().on_row(row)
        equity = self.state.equity() or 0
        self.state = replace(self.state, highest_equity=max(self.state.highest_equity, equity))


class _StopsEntriesOnly(PaperTrader):
    def allowed(self, symbol: str) -> TradingState:
        return min(super().allowed(symbol), TradingState.REDUCING)


def trader(kind: type[PaperTrader] = PaperTrader, limits: RiskLimits = LIMITS) -> PaperTrader:
    """A trader of the drill; nothing that it does is noted anywhere."""
    return kind(limits, MODEL, Strategy(paid_in=money(100_000)), lambda kind, why, what: None)


@dataclass(frozen=True, slots=True)
class Check:
    """A check, and a gate that it must catch."""

    run: Callable[[MakeTrader], None]
    planted: MakeTrader


CHECKS: Final[Mapping[str, Check]] = {
    "nan_price": Check(nan_price, lambda: trader(_ForgetsOnNan)),
    "reset_that_does_nothing": Check(reset_that_does_nothing, lambda: trader(_ResetDoesNothing)),
    "midnight": Check(midnight, lambda: trader(_ForgetsAtMidnight)),
    "one_bad_tick": Check(one_bad_tick, lambda: trader(limits=replace(LIMITS, confirmations=1))),
    "one_bad_high": Check(one_bad_high, lambda: trader(_BelievesEveryHigh)),
    "only_entries_stopped": Check(only_entries_stopped, lambda: trader(_StopsEntriesOnly)),
}


def problem_of(check: Callable[[MakeTrader], None], make: MakeTrader) -> str:
    """What a check finds wrong with a trader; empty when it holds."""
    try:
        check(make)
    except CheckFailed as failure:
        return str(failure)
    return ""


def drill(make: MakeTrader = trader, checks: Mapping[str, Check] = CHECKS) -> dict[str, dict[str, object]]:
    """Every check on the gate, and on the gate that was broken for it."""
    found: dict[str, dict[str, object]] = {}
    for name, check in checks.items():
        problem, caught = problem_of(check.run, make), problem_of(check.run, check.planted)
        found[name] = {"held": not problem, "problem": problem, "planted_caught": bool(caught), "planted_problem": caught}
    return found


def main(arguments: list[str]) -> int:
    """Run the verb; 0 every check held and every planted failure was caught, 1 not."""
    parser = argparse.ArgumentParser(prog="infra/tickflow drill", description="Try the known failures of kill switches on the risk gate.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = parser.parse_args(arguments)
    found = drill()
    held = all(result["held"] and result["planted_caught"] for result in found.values())
    if chosen.json:
        print_json({"held": held, "checks": found})
    else:
        print("\n".join(_line(name, result) for name, result in found.items()))
    if not held:
        print("THE DRILL FAILED: do not trade on this gate", file=sys.stderr)
    return HELD if held else FAILED


def _line(name: str, result: Mapping[str, object]) -> str:
    verdict = "held" if result["held"] else f"FAILED: {result['problem']}"
    planted = f"caught: {result['planted_problem']}" if result["planted_caught"] else "NOT CAUGHT"
    return f"{name:<24} {verdict}; planted failure {planted}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
