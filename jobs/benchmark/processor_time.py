"""Where processor time goes: by program, in TaskManagers by what their threads do, and in the worker's Python by step."""

from __future__ import annotations

import itertools
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import psutil

from infra.local.processes import Program
from infra.local.services import is_worker
from jobs.benchmark.prepared_log import LogRecord, PreparedLog
from jobs.model_store import fetch_model
from jobs.recomputation.frames import REMADE
from jobs.settings import Settings
from jobs.worker import worker_settings
from udfs.codecs.state_blob import pack_state, unpack_state
from udfs.codecs.wire import PINNED
from udfs.kernels.advance import KernelSettings, advance
from udfs.kernels.symbol_state import SYMBOL_STATE, new_state
from udfs.operators.control_log import ControlLog, ControlLogSettings, KafkaControlReader
from udfs.operators.output_rows import OutputRows
from udfs.operators.symbol_processor import SymbolProcessor
from udfs.records import Position

THREADS: Final[Mapping[str, tuple[str, ...]]] = {
    "market function: bridge, Python, routing": ("market",),
    "reading Kafka": ("Source",),
    "lake": ("*anonymous", "lake", "iceberg", "Iceberg"),
    "sending to Kafka": ("kafka-producer",),
    "compiling Java": ("C1 Comp", "C2 Comp", "Sweeper"),
    "collecting garbage": ("GC Thread", "G1 ", "VM Thread"),
}
"""What a thread of a TaskManager does, by how its name begins; names are cut to 15 characters by the system."""
_OTHER: Final = "other threads of Flink"
_TASKS: Final = "/proc/{}/task"
_PROFILED_FRAMES: Final = 20_000
_KERNEL: Final = KernelSettings()


def seconds_by_part(programs: Iterable[Program]) -> dict[str, float]:
    """Processor seconds since each program started. Where the system does not tell threads apart, a TaskManager is one part."""
    found: dict[str, float] = defaultdict(float)
    for program in programs:
        process = psutil.Process(program.pid)
        if is_worker(program) and Path(_TASKS.format(program.pid)).is_dir():
            _add_threads(found, process)
        else:
            times = process.cpu_times()
            found[program.name] += times.user + times.system
    return found


def _add_threads(found: dict[str, float], process: psutil.Process) -> None:
    for thread in process.threads():
        try:
            name = Path(_TASKS.format(process.pid), str(thread.id), "comm").read_text().strip()
        except OSError:  # it has ended since
            continue
        found[part_of(name)] += thread.user_time + thread.system_time


def part_of(thread_name: str) -> str:
    """What the thread does."""
    return next((part for part, beginnings in THREADS.items() if thread_name.startswith(beginnings)), _OTHER)


def processor_of(settings: Settings) -> SymbolProcessor:
    """What a worker of the job has, in this process."""
    control = ControlLogSettings(settings.kafka.bootstrap_servers, settings.topics.control)
    return SymbolProcessor(worker_settings(settings, REMADE, control, PINNED), ControlLog(KafkaControlReader(control), fetch_model))


def python_microseconds(processor: SymbolProcessor, log: PreparedLog, control_version: int) -> dict[str, float]:
    """What a frame of the log costs each step of the worker's Python, on average, in this process: no bridge, no JVM, warm."""
    rows, blobs, spent = OutputRows(PINNED), dict[str, bytes](), Counter[str]()
    records = list(itertools.islice(log.records(control_version), 2 * _PROFILED_FRAMES))
    for number, record in enumerate(records):
        if number == len(records) // 2:
            spent.clear()
        blobs[record.symbol] = _one_frame(processor, rows, record, blobs.get(record.symbol), spent)
    frames = len(records) - len(records) // 2
    return {step: round(nanoseconds / frames / 1000, 1) for step, nanoseconds in spent.items()}


def _one_frame(processor: SymbolProcessor, rows: OutputRows, record: LogRecord, blob: bytes | None, spent: Counter[str]) -> bytes:
    """Each step by itself, then all as the worker does it; the state after it. Adds nanoseconds to `spent`."""
    clock = time.perf_counter_ns
    begun = clock()
    _, events, columns, _ = processor.opened(record.symbol, record.frame)
    opened = clock()
    state, alerts = unpack_state(blob, SYMBOL_STATE) if blob else (new_state(), b"")
    unpacked = clock()
    advance(state, columns, _KERNEL, events)
    advanced = clock()
    pack_state(state, alerts)
    packed = clock()
    outcome = processor.process(record.symbol, record.frame, Position("bench", 0, 0), blob)
    processed = clock()
    rows.rows(outcome.records)
    spent["decode"] += opened - begun
    spent["state"] += unpacked - opened + packed - advanced
    spent["kernels"] += advanced - unpacked
    spent["scoring, rules and records"] += processed - packed - (packed - begun)
    spent["encode"] += clock() - processed
    return outcome.state or blob or b""
