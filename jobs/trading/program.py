"""`infra/tickflow paper`: trade the signals of a running job on paper, behind the risk gate, and say what came of it."""

from __future__ import annotations

import argparse
import math
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from confluent_kafka import KafkaException

from infra.local.console import print_json, say
from jobs.audit.entries import AuditError
from jobs.audit.log import TRADING_LOG, AuditLog, audit_folder
from jobs.control_verbs import add_common_options, control_settings
from jobs.schema_registry import schema_ids
from jobs.settings import Settings
from jobs.trading.broker import FillModel
from jobs.trading.engine import PaperTrader, Strategy
from jobs.trading.journal import STARTED, Journal, held_alone, restored
from jobs.trading.kafka_sources import KafkaControl, KafkaMarket
from jobs.trading.limits import RiskLimits, check_limits
from jobs.trading.loop import PaperLoop
from jobs.trading.money import SIZE_SCALE, amount, money
from udfs.errors import TickflowError

ENDED, USAGE = 0, 2
WAIT_SECONDS = 0.02
"""How long the market is waited for until control is looked at again: a fifth of what a halt may take."""
FLUSH_SECONDS = 0.25


def main(arguments: list[str]) -> int:
    """Run the verb; 0 after a clean end, 2 usage or environment."""
    chosen = _parser().parse_args(arguments)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    try:
        result = trade(control_settings(chosen.settings, chosen.data), chosen, stopped.is_set)
    except (TickflowError, KafkaException, ValueError) as error:
        say(f"tickflow paper: {error}")
        return USAGE
    if chosen.json:
        print_json(result)
    else:
        print("\n".join(f"{name:<16} {value}" for name, value in result.items()))
    return ENDED


def trade(settings: Settings, chosen: argparse.Namespace, stopped: Callable[[], bool]) -> dict[str, Any]:
    """Trade until the end; what came of it. Raises ControlLogUnreadable, AuditError, RegistryError, KafkaException."""
    with held_alone(audit_folder()):
        return _trade(settings, chosen, stopped)


def _trade(settings: Settings, chosen: argparse.Namespace, stopped: Callable[[], bool]) -> dict[str, Any]:
    log = AuditLog(audit_folder(), TRADING_LOG)
    limits = _limits(chosen)
    journal = Journal(log)
    trader = PaperTrader(limits, FillModel(), Strategy(money_per_position=money(chosen.position_money)), journal.note)
    trader.state = restored(_checked(log), Strategy().paid_in)
    journal.note(STARTED, "the program starts", {"paid_in": trader.state.portfolio.paid_in, "limits": asdict(limits)})
    journal.flush()
    control, market = KafkaControl(settings), KafkaMarket(settings, chosen.from_start)
    loop = PaperLoop(trader, control, market, schema_ids(settings.schema_registry_url))
    try:
        loop.begin(control.begin())
        say(f"paper: trading on paper; control version {loop.control_version}")
        _run(loop, journal, market, chosen, stopped)
    finally:
        market.close()
        control.close()
    return summary(loop)


def summary(loop: PaperLoop) -> dict[str, Any]:
    """What came of it, money in units of the currency."""
    trader = loop.trader
    portfolio, equity = trader.state.portfolio, trader.state.equity()
    held = {symbol: holding.quantity / SIZE_SCALE for symbol, holding in sorted(portfolio.holdings.items()) if holding.quantity}
    profit = None if equity is None else equity - portfolio.paid_in
    return {
        **asdict(trader.counts),
        "denied": dict(sorted(trader.denied.items())),
        "malformed": loop.malformed,
        "positions": held,
        "realised": amount(portfolio.realised),
        "fees": amount(portfolio.fees),
        "unrealised": None if profit is None else amount(profit - portfolio.realised + portfolio.fees),
        "profit": None if profit is None else amount(profit),
        "loss_limit": trader.state.latched.name.lower() if trader.state.latched else "",
        "conserved": portfolio.imbalance == 0,
        "control_version": loop.control_version,
    }


def _run(loop: PaperLoop, journal: Journal, market: KafkaMarket, chosen: argparse.Namespace, stopped: Callable[[], bool]) -> None:
    begun = heard = flushed = time.monotonic()

    def after_each(had_record: bool) -> None:
        nonlocal heard, flushed
        now = time.monotonic()
        heard = now if had_record else heard
        if now - flushed >= FLUSH_SECONDS:
            journal.flush()
            market.commit()
            flushed = now

    def ends() -> bool:
        now = time.monotonic()
        return stopped() or now - begun >= chosen.seconds or now - heard >= chosen.idle_seconds

    try:
        loop.run(ends, WAIT_SECONDS, after_each)
    finally:
        loop.trader.close_down()
        journal.flush()
        market.commit()


def _checked(log: AuditLog) -> list[Any]:
    """The journal's entries. Raises AuditError when it is not what was written: nobody knows what is held then."""
    if not log.path.exists():
        return []
    verdict = log.verify()
    if not verdict.holds:
        raise AuditError(f"the trading journal at {log.path}: entry {verdict.first_bad}: {verdict.problem}")
    return list(log.entries())


def _limits(chosen: argparse.Namespace) -> RiskLimits:
    limits = RiskLimits(order_notional=money(chosen.order_money), daily_loss=money(chosen.daily_loss), drawdown=money(chosen.drawdown))
    check_limits(limits)
    return limits


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="infra/tickflow paper", description="Trade the signals on paper, behind the risk gate.")
    parser.add_argument("--seconds", type=float, default=math.inf, help="how long (default: until stopped)")
    parser.add_argument("--idle-seconds", type=float, default=math.inf, help="end when nothing came for so long")
    parser.add_argument("--from-start", action="store_true", help="begin with the oldest signals, where the group has no position yet")
    parser.add_argument("--position-money", type=float, default=10_000.0, help="size of a position (default 10000)")
    parser.add_argument("--order-money", type=float, default=50_000.0, help="most money of one order (default 50000)")
    parser.add_argument("--daily-loss", type=float, default=20_000.0, help="loss of 24 hours from which positions are only closed")
    parser.add_argument("--drawdown", type=float, default=50_000.0, help="loss from the highest worth from which they are only closed")
    add_common_options(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
