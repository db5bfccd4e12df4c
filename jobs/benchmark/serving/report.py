"""The result of `bench serve` in words, for people and for `infra/reference/serving-capacity.md`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from infra.local import paths

FILE: Path = paths.ROOT / "infra" / "reference" / "serving-capacity.md"


def as_markdown(result: dict[str, Any]) -> str:
    """The whole document."""
    machine, load = result["machine"], result["load"]
    head = f"""# What one serving process does, and what many people need

Written by `infra/tickflow bench serve --write`; every figure here is that run's. Broker, Redis, `serve` and the load generator shared
{machine["cores"]} cores ({machine["processor"]}, {machine["memory_gibibytes"]} GiB). A read is one watchlist of {load["watched"]} symbols;
{load["signals"]:g} signals a second came all the time, over {load["symbols"]} symbols. Times count from the moment at which a request or a
signal was to be sent.
"""
    return "\n".join([head, *_measured(result), "", *_planned(result["capacity"])]) + "\n"


def _measured(result: dict[str, Any]) -> list[str]:
    reads, most, clients, idle = (result[name] for name in ("reads", "most_reads", "clients", "idle"))
    rows = [
        ("watchlists read at a steady rate", f"{reads['requests_a_second']:.0f}/s, {reads['signals_a_second']} signals/s", _times(reads)),
        ("watchlists read as fast as it can", f"{most['requests_a_second']:.0f}/s, {most['signals_a_second']} signals/s", _times(most)),
        (f"{clients['clients']} clients listen", f"{clients['messages_a_second']:.0f} messages/s", "signal to client " + _times(clients)),
        (f"{idle['opened']} silent sockets beside them: reads", f"{idle['reads']['requests_a_second']:.0f}/s", _times(idle["reads"])),
        ("the same: clients", f"{idle['clients']['messages_a_second']:.0f} messages/s", "signal to client " + _times(idle["clients"])),
    ]
    failed = [name.replace("_", " ") for name, held in result["limits"].items() if not held]
    verdict = "Every limit holds." if not failed else f"Does not hold: {', '.join(failed)}."
    right = f"Every answer was checked: {reads['wrong'] + most['wrong'] + clients['wrong']} wrong; {result['newest']['behind']} of "
    right += f"{result['newest']['compared']} symbols of clients not at their newest at the end."
    return [*_table(("what", "rate", "time"), rows), "", f"{right} {verdict}"]


def _planned(plan: dict[str, Any]) -> list[str]:
    assumed, measured = plan["assumed"], plan["measured"]
    needed = {name: value for name, value in plan.items() if name not in ("assumed", "measured")}
    return [
        f"## {assumed['daily_users']:,} daily users".replace(",", " "),
        "",
        "The first table is assumed (options of the command change it), the second was measured of one process, the third follows.",
        "",
        *_table(("assumed", ""), _pairs(assumed)),
        "",
        *_table(("measured", ""), _pairs(measured)),
        "",
        *_table(("in the busiest hour", ""), _pairs(needed)),
        "",
        "Processes share nothing but Kafka and Redis, so any balancer of connections may stand before them; each takes the whole stream.",
    ]


def _pairs(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (name.replace("_", " "), "–" if value is None else f"{value:g}" if isinstance(value, float) else str(value))
        for name, value in found.items()
    ]


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    return [_row(heads), _row(["---"] * len(heads)), *map(_row, rows)]


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _times(part: dict[str, Any]) -> str:
    found = part["milliseconds"]
    return "–" if found is None else f"p50 {found['p50']:.1f} ms, p99 {found['p99']:.1f} ms"
