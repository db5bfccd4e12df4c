"""`infra/tickflow bench`: measure the running system, or its kernels and state alone."""

from __future__ import annotations

import argparse
import shutil
import sys
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from infra.local import paths
from infra.local.console import SetupError
from infra.local.flink import JobFailed
from jobs.benchmark.halting import measure_halt
from jobs.benchmark.hostile import measure_hostile
from jobs.benchmark.kernels import measure_kernels
from jobs.benchmark.latency import measure
from jobs.benchmark.load import Load
from jobs.benchmark.machine import description
from jobs.benchmark.peers.measuring import measure_peers
from jobs.benchmark.prepared_log import PreparedLog
from jobs.benchmark.replay import measure_replay
from jobs.benchmark.score import measure_score
from jobs.benchmark.serving import report
from jobs.benchmark.serving.capacity import Audience
from jobs.benchmark.serving.run import ServingLoad, measure_serving
from jobs.benchmark.state import measure_state
from jobs.benchmark.throughput import measure_throughput
from jobs.verb_result import NOT_HELD, USAGE, finish
from udfs.errors import TickflowError


def main(arguments: list[str]) -> int:
    """Run the verb; 0 measured, 1 the job failed or a limit does not hold, 2 usage or environment."""
    options = _parser().parse_args(arguments)
    codes = {TickflowError: USAGE, SetupError: USAGE, JobFailed: NOT_HELD}
    return finish("bench", options.json, partial(options.measure, options), options.show, codes, lambda result: result.get("holds", True))


def _latency(options: argparse.Namespace) -> dict[str, Any]:
    shutil.rmtree(options.data, ignore_errors=True)
    load = Load(options.rate, options.seconds, options.symbols, options.maximum_events, options.packing_milliseconds)
    return measure(options.data, load, options.warm_up_seconds, options.runs)


def _throughput(options: argparse.Namespace) -> dict[str, Any]:
    shutil.rmtree(options.data, ignore_errors=True)
    return measure_throughput(options.data, _log(options), options.profile)


def _halt(options: argparse.Namespace) -> dict[str, Any]:
    shutil.rmtree(options.data, ignore_errors=True)
    return measure_halt(options.data, options.tries)


def _hostile(options: argparse.Namespace) -> dict[str, Any]:
    return measure_hostile(options.data, _log(options), options.broken)


def _replay(options: argparse.Namespace) -> dict[str, Any]:
    shutil.rmtree(options.data, ignore_errors=True)
    return measure_replay(options.data, _log(options), options.parallelism)


def _peers(options: argparse.Namespace) -> dict[str, Any]:
    shutil.rmtree(options.data, ignore_errors=True)
    return measure_peers(options.data, _log(options), PreparedLog(options.peer_ticks, options.symbols, options.rate, 1))


def _log(options: argparse.Namespace) -> PreparedLog:
    return PreparedLog(options.ticks, options.symbols, options.rate, options.maximum_events)


def _kernels(options: argparse.Namespace) -> dict[str, Any]:
    return measure_kernels(options.events, options.runs) | {"machine": description()}


def _score(options: argparse.Namespace) -> dict[str, Any]:
    return measure_score(options.rows, options.runs, options.model)


def _state(_options: argparse.Namespace) -> dict[str, Any]:
    return measure_state()


def _serve(options: argparse.Namespace) -> dict[str, Any]:
    shutil.rmtree(options.data, ignore_errors=True)
    result = measure_serving(options.data, ServingLoad(**_chosen(options, ServingLoad)), Audience(**_chosen(options, Audience)))
    if options.write:
        report.FILE.write_text(report.as_markdown(result), encoding="utf-8")
    return result


def _chosen(options: argparse.Namespace, kind: type[ServingLoad | Audience]) -> dict[str, Any]:
    return {each.name: getattr(options, each.name) for each in fields(kind)}


def _show_latency(result: dict[str, Any]) -> None:
    offered = f"{result['rate_offered']:.0f} ticks/s offered, {result['signals_a_second']:.0f} signals/s, {result['symbols']} symbols"
    latencies = "\n".join(f"  {name:<6} {value:>9.2f} ms" for name, value in (result["milliseconds"] or {}).items())
    print(f"event to signal, {offered}\n{latencies}")
    for number, run in enumerate(result["runs"], 1):
        found = run["milliseconds"] or {"p50": float("nan"), "p99": float("nan")}
        stolen = f"{run['stolen_share']:.1%} of the processors' time went to other machines"
        print(f"  run {number}: p50 {found['p50']:.2f} ms, p99 {found['p99']:.2f} ms; {stolen}")


def _show_throughput(result: dict[str, Any]) -> None:
    print(f"{result['ticks']} ticks of {result['symbols']} symbols in {result['frames']} frames, {result['signals']} signals")
    print(f"{result['ticks_a_second']} ticks/s; features and signals complete: {result['holds']}")
    for what, name in (("processor time", "microseconds_a_frame"), ("of it the worker's Python, alone", "python_microseconds_a_frame")):
        for part, microseconds in result.get(name, {}).items():
            print(f"  {microseconds:>8.1f} microseconds a frame, {what}: {part}")


def _show_halt(result: dict[str, Any]) -> None:
    for market in ("idle", "busy"):
        found = ", ".join(f"{name} {value:.1f} ms" for name, value in result[market]["milliseconds"].items())
        print(f"market {market}: {result[market]['halted']} of {result['tries']} halts in force and lifted again, in force after {found}")


def _show_hostile(result: dict[str, Any]) -> None:
    without, among = result["without"], result["with"]
    refused = (among["rejects"] - without["rejects"], result["news_refused"], result["control_refused"])
    print("{} frames, {} items of news and {} control entries of {} rejected".format(*refused, result["broken"]))
    rates = (among["frames_a_second"], without["frames_a_second"], result["loss"], among["restarts"])
    print("{} frames/s, without broken ones {}: {:.1%} lost, {} restarts".format(*rates))


def _show_replay(result: dict[str, Any]) -> None:
    print(f"{result['ticks']} ticks of {result['symbols']} symbols: {result['features']} feature rows in {result['seconds']} s")
    print(f"{result['ticks_a_second']} ticks/s, {result['ticks_a_second_of_the_job']} of the job alone; rows complete: {result['holds']}")


def _show_peers(result: dict[str, Any]) -> None:
    table = Table("system", "ticks/s", "Tickflow is times as fast", "CPU s a million ticks", "rows complete")
    ours = result["tickflow"]
    table.add_row("Tickflow", f"{ours['ticks_a_second']}", "1", f"{ours['cpu_seconds_a_million_ticks']}", "True")
    for name, found in result["peers"].items():
        figures = (found.get(key) for key in ("ticks_a_second", "tickflow_is_times_as_fast", "cpu_seconds_a_million_ticks", "holds"))
        table.add_row(name, *map(str, figures))
    Console().print(table)


def _show_kernels(result: dict[str, Any]) -> None:
    table = Table("ticks/s of the symbol", "ticks a frame", "rows a tick", "ns a tick", "ns a frame", "ns to read a frame")
    for case in result["cases"]:
        names = ("kernel_nanoseconds_a_tick", "kernel_nanoseconds_a_frame", "reading_nanoseconds_a_frame")
        figures = [f"{case[name]['minimum']:.0f} (median {case[name]['median']:.0f})" for name in names]
        table.add_row(f"{case['ticks_a_second']:.0f}", str(case["ticks_a_frame"]), f"{case['rows_a_tick']:.3f}", *figures)
    Console().print(table)


def _show_score(result: dict[str, Any]) -> None:
    table = Table(*result["microseconds_a_row"][0])
    for run in result["microseconds_a_row"]:
        table.add_row(*(f"{value:.1f}" for value in run.values()))
    Console().print(table)
    print(f"microseconds a row; {result['rows']} rows, {result['explained']} explained, {result['inputs']} inputs, {result['trees']} trees")
    for run in result["reasons_microseconds"]:
        print(f"  of them the reasons: p50 {run['p50']:.1f}, p99 {run['p99']:.1f}")
    print(f"{result['stolen_share']:.1%} of the processors' time went to other machines")


def _show_state(result: dict[str, Any]) -> None:
    table = Table("part", "bytes")
    for name, size in result["parts"].items():
        table.add_row(name, str(size))
    Console().print(table)
    print(f"{result['stored_bytes']} bytes a symbol as stored, at most {result['limit_bytes']}; {result['features']} features")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="infra/tickflow bench", description=__doc__)
    kinds = parser.add_subparsers(dest="kind", required=True)
    _add_latency(kinds.add_parser("latency", help="event to signal through the broker, under a steady load"))
    _add_throughput(kinds.add_parser("throughput", help="how fast the whole job drains a log"))
    halt = kinds.add_parser("halt", help="how soon a halt is in force at the risk gate, through the broker")
    halt.add_argument("--tries", type=int, default=100, help="halts with each market (default 100)")
    halt.add_argument("--data", type=Path, default=paths.HOME / "bench", metavar="FOLDER", help="data directory, emptied first")
    halt.set_defaults(measure=_halt, show=_show_halt)
    _add_hostile(kinds.add_parser("hostile", help="what broken frames, news and control entries cost, and whether each is rejected"))
    _add_replay(kinds.add_parser("replay", help="how fast stored history goes through the job again"))
    peers = kinds.add_parser("peers", help="how fast other systems are at less of the same work")
    _add_log(peers, maximum_events=32)
    peers.add_argument("--peer-ticks", type=int, default=1_000_000, help="events in the log of the others (default 1000000)")
    peers.set_defaults(measure=_peers, show=_show_peers)
    kernels = kinds.add_parser("kernels", help="what a tick and a frame cost the kernels")
    kernels.add_argument("--events", type=int, default=64_000, help="events of each case (default 64000)")
    kernels.add_argument("--runs", type=int, default=5, help="passes over them (default 5)")
    kernels.set_defaults(measure=_kernels, show=_show_kernels)
    score = kinds.add_parser("score", help="what a signal costs, from its row to its reasons")
    score.add_argument("--model", choices=("trees", "neural"), default="trees", help="LightGBM's trees, or the network (default trees)")
    score.add_argument("--rows", type=int, default=5_000, help="rows that are scored (default 5000)")
    score.add_argument("--runs", type=int, default=5, help="passes over them (default 5)")
    score.set_defaults(measure=_score, show=_show_score)
    state = kinds.add_parser("state", help="bytes that are remembered of a symbol")
    state.set_defaults(measure=_state, show=_show_state)
    _add_serve(kinds.add_parser("serve", help="how much the API does: reads, listening clients, idle sockets, and what many people need"))
    for kind in kinds.choices.values():
        kind.add_argument("--json", action="store_true", help="one JSON object on the last line")
    return parser


def _add_latency(latency: argparse.ArgumentParser) -> None:
    latency.add_argument("--rate", type=float, default=5000.0, help="events a second over all symbols (default 5000)")
    latency.add_argument("--seconds", type=float, default=60.0, help="measured time, after a warm-up (default 60)")
    latency.add_argument("--runs", type=int, default=1, help="measured times, one after the other (default 1)")
    latency.add_argument("--symbols", type=int, default=10, help="symbols that share the load (default 10)")
    latency.add_argument("--maximum-events", type=int, default=64, help="events in a frame at most (default 64)")
    latency.add_argument("--packing-milliseconds", type=float, default=100.0, help="wait of events that make no row (default 100)")
    latency.add_argument(
        "--warm-up-seconds", type=float, default=180.0, help="the same load before it counts: the JVM compiles what it runs (default 180)"
    )
    latency.add_argument("--data", type=Path, default=paths.HOME / "bench", metavar="FOLDER", help="data directory, emptied first")
    latency.set_defaults(measure=_latency, show=_show_latency)


def _add_throughput(throughput: argparse.ArgumentParser) -> None:
    _add_log(throughput, maximum_events=32)
    throughput.add_argument("--profile", action="store_true", help="measure the steps of the worker's Python by themselves, too")
    throughput.set_defaults(measure=_throughput, show=_show_throughput)


def _add_hostile(hostile: argparse.ArgumentParser) -> None:
    _add_log(hostile, maximum_events=8, ticks=4_000_000)
    hostile.add_argument("--broken", type=int, default=1_000_000, help="broken messages, most of them frames (default 1000000)")
    hostile.set_defaults(measure=_hostile, show=_show_hostile)


def _add_replay(replay: argparse.ArgumentParser) -> None:
    _add_log(replay, maximum_events=64)
    replay.add_argument("--parallelism", type=int, default=1, help="TaskManagers of one slot that share the replay (default 1)")
    replay.set_defaults(measure=_replay, show=_show_replay)


def _add_serve(serve: argparse.ArgumentParser) -> None:
    for kind, words in ((ServingLoad, "of the load"), (Audience, "assumed by the capacity plan")):
        for each in fields(kind):
            name = each.name.replace("_", "-")
            told = f"{each.name.replace('_', ' ')}, {words} (default {each.default})"
            serve.add_argument(f"--{name}", dest=each.name, type=type(each.default), default=each.default, help=told)
    serve.add_argument("--write", action="store_true", help="write infra/reference/serving-capacity.md from what was measured")
    serve.add_argument("--data", type=Path, default=paths.HOME / "bench", metavar="FOLDER", help="data directory, emptied first")
    serve.set_defaults(measure=_serve, show=lambda result: print(report.as_markdown(result)))


def _add_log(kind: argparse.ArgumentParser, maximum_events: int, ticks: int = 10_000_000) -> None:
    """What the log holds."""
    kind.add_argument("--ticks", type=int, default=ticks, help=f"events in the log (default {ticks})")
    kind.add_argument("--symbols", type=int, default=100, help="symbols that share them, a multiple of 4 (default 100)")
    kind.add_argument("--rate", type=float, default=500_000.0, help="of them a second of event time (default 500000)")
    kind.add_argument("--maximum-events", type=int, default=maximum_events, help=f"events in a frame (default {maximum_events})")
    kind.add_argument("--data", type=Path, default=paths.HOME / "bench", metavar="FOLDER", help="data directory, emptied first")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
