"""An explanation in words for a terminal."""

from __future__ import annotations

from typing import Any, Final

from rich.console import Console
from rich.table import Table

_SHOWN_FLIPS: Final = 10


def tell(result: dict[str, Any]) -> None:
    """Print it."""
    console = Console()
    _tell_origin(console, result)
    for reason in result["reasons"]:
        console.print(f"  {reason['words']}: {reason['contribution']:+.3f}")
    _tell_flips(console, result["would_flip"])
    _tell_without(console, result["without"])
    for step in result["risk"]:
        console.print(f"risk gate: {step['verdict']} ({step['why']})")
    if not result["risk"]:
        console.print("risk gate: the signal never became an order on paper")
    outcome = result["outcome"]
    console.print("outcome: not stored yet" if outcome is None else f"outcome: log return {outcome['log_return']:+.6f}")
    verdict = "the same bits" if result["identical"] else f"NOT the same: {result['differences']}"
    console.print(f"made again from {result['frames_processed']} frames: {verdict}")


def _tell_origin(console: Console, result: dict[str, Any]) -> None:
    signal, source, manifest, top = result["signal"], result["source"], result["manifest"], result["moment"]["book"]["top"]
    console.print(f"{signal['symbol']} {signal['direction']} ({signal['status']}, {signal['code']}), confidence {signal['confidence']:.3f}")
    console.print(
        f"from {source['topic']}/{source['kafka_partition']}/{source['kafka_offset']}, event {source['event_index']} of the frame"
    )
    model = result["model"]["version"] if result["model"] else "none"
    console.print(
        f"model {model}, manifest {manifest['manifest_id']} ({', '.join(run['verb'] for run in manifest['runs']) or 'no run noted'})"
    )
    console.print(f"book then: {top['bid_size']} at {top['bid']}, {top['ask_size']} at {top['ask']}")


def _tell_flips(console: Console, found: list[dict[str, Any]]) -> None:
    if not found:
        console.print("no input alone, within its usual range, would have changed the direction")
        return
    flips = Table("input", "was", "would need", "then", title="nearest changes of one input")
    for flip in found[:_SHOWN_FLIPS]:
        flips.add_row(flip["feature"], f"{flip['value']:.6g}", f"{flip['would_need']:.6g}", flip["direction"])
    console.print(flips)


def _tell_without(console: Console, found: list[dict[str, Any]]) -> None:
    if not found:
        return
    rows = Table("without", "then", "status", "confidence", title="the decision without one event")
    for each in found:
        what = f"news: {each['text'][:60]}" if each["without"] == "news" else f"trade of {each['size']:g} at {each['price']:g}"
        then = (each["direction"], f"{each['status']} ({each['code']})", f"{each['confidence']:.3f}") if each["row"] else ("no row", "", "")
        rows.add_row(what, *then, style="bold" if each.get("changes") else "")
    console.print(rows)
