"""What broken input costs: the job drains a log once as it is, and once with as many broken frames among the sound ones as are asked for.

Every broken frame must come out as a reject, every sound one must give its rows, and the job may not restart. Broken news and entries of
the control log go through the code of the gateway and of the workers in this process: few of either ever reach a log.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.console import say
from jobs.benchmark.broken_bytes import broken
from jobs.benchmark.prepared_log import LogRecord, PreparedLog
from jobs.benchmark.throughput import measure_throughput
from jobs.control_log import no_model
from jobs.gateway.news.news_events import NewsMessage, RefusedNews, read_message
from udfs.codecs.control import decode_control, encode_control
from udfs.codecs.frames import decode_frame
from udfs.codecs.news import decode_news, encode_news
from udfs.operators.control_state import ControlState
from udfs.records import ControlEvent, ControlKind, NewsItem

MOST_LOSS = 0.2
"""Of the frames a second."""
OTHER_SHARE = 0.025
"""Of what is broken, for news and for control entries each."""
_SEED = 1


@dataclass(frozen=True)
class HostileLog(PreparedLog):
    """The same log with broken frames strewn evenly among the sound ones; its events are those of the sound ones."""

    broken: int = 0

    @property
    def frames(self) -> int:
        """How many records there are."""
        return self.sound + self.broken

    @property
    def sound(self) -> int:
        """How many of them are frames."""
        return self.clones * len(self._packed)

    def records(self, control_version: int) -> Iterator[LogRecord]:
        """Each sound frame behind the broken ones that are made of it."""
        generator, made = random.Random(_SEED), 0
        for number, record in enumerate(super().records(control_version), 1):
            wanted = number * self.broken // self.sound
            for _ in range(wanted - made):
                yield record._replace(frame=broken(record.frame, generator, decode_frame))
            made = wanted
            yield record


def measure_hostile(data: Path, log: PreparedLog, count: int) -> dict[str, Any]:
    """`count` broken messages in all; whether each was refused, and what the frames among them cost."""
    others = round(OTHER_SHARE * count)
    frames = count - 2 * others
    hostile = HostileLog(log.ticks, log.symbols, log.rate, log.maximum_events, broken=frames)
    found = {"broken": count, "broken_frames": frames, "broken_news": others, "broken_control": others}
    refused = {"news_refused": news_refused(others), "control_refused": control_refused(others)}
    say(f"bench: {refused} in this process; now the job, first without broken frames")
    plain, mixed = (_measured(data, each) for each in (log, hostile))
    loss = 1 - mixed["frames_a_second"] / plain["frames_a_second"]
    complete = plain["holds"] and mixed["holds"] and refused == dict.fromkeys(refused, others)
    held = {"loss": round(loss, 3), "most_loss": MOST_LOSS, "holds": complete and loss <= MOST_LOSS}
    return found | refused | {"without": plain, "with": mixed} | held


def _measured(data: Path, log: PreparedLog) -> dict[str, Any]:
    shutil.rmtree(data, ignore_errors=True)
    found = measure_throughput(data, log)
    names = (
        "frames",
        "ticks",
        "ticks_a_second",
        "rows_expected",
        "features",
        "signals",
        "rejects_expected",
        "rejects",
        "restarts",
        "resident_mebibytes",
        "holds",
    )
    return {name: found[name] for name in names} | {"frames_a_second": round(found["ticks_a_second"] / found["ticks"] * found["frames"])}


def news_refused(count: int) -> int:
    """How many of that many broken items of news the gateway refuses with a reason."""
    generator, refused = random.Random(_SEED), 0
    for number in range(count):
        sound = encode_news(NewsItem(f"id-{number}", number, number, ("A", "B"), "Profit rises", "A body of some words.", "wire"))
        found = read_message(NewsMessage("news.items", 0, number, broken(sound, generator, decode_news)), number)
        refused += len(found) == 1 and isinstance(found[0], RefusedNews) and bool(found[0].reason)
    return refused


def control_refused(count: int) -> int:
    """How many of that many broken control entries workers refuse with a reason, without a change of what is in force."""
    generator, state = random.Random(_SEED), ControlState(no_model)
    for number in range(count):
        sound = encode_control(ControlEvent(0, ControlKind.HALT, number, "desk", "a reason", symbols=("A", f"S{number}")))
        state.read(broken(sound, generator, lambda data: decode_control(data, 0)))
    unchanged = not state.at(state.version).by_symbol and not state.at(state.version).everything_halted
    return sum(bool(entry.reason) for entry in state.refused) if unchanged else 0
