"""The market of each round, as frames, and the control log. The same bytes each time.

Rounds share a job, a broker and a lake, so each has symbols of its own: what one round leaves behind cannot help or hurt another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from infra.local import paths
from jobs.alert_rule_files import load_rules
from jobs.benchmark.trained import rows_of
from jobs.gateway.gateway import Gateway
from jobs.gateway.gateway_settings import GatewaySettings
from jobs.gateway.known_facts import facts_of
from jobs.gateway.publisher import MemorySink
from jobs.model_store import ModelStore
from jobs.releasing import release_event
from jobs.settings import FactsSection
from jobs.simulator.instruments import simulated_instruments
from jobs.simulator.settings import DefectRates, SimulationSettings
from jobs.simulator.source import SimulatedSource
from jobs.training.dataset import from_table
from jobs.training.fit import TrainingSettings
from jobs.training.train_model import train_model
from udfs.codecs.frames import decode_frame
from udfs.kernels.events import EventKind
from udfs.kernels.feature_vector import FEATURE_NAMES, MODEL_INPUTS
from udfs.records import ControlEvent, ControlKind, ModelReference

EVENTS_A_FRAME = 8
FRAMES_A_VERSION = 25
HALTED = 1
"""Which of a part's symbols is halted for a while."""
RULES = paths.FLINK_CONFIGURATIONS / "local" / "alert-rules.toml"
_DEFECTS = DefectRates(duplicate=2e-3, out_of_order=5e-3, late=1e-3, sequence_gap=5e-4, crossed=1e-3, garbage=2e-3, malformed=0.0)
_LEARNT_FROM = SimulationSettings(symbols=2, seconds=3600.0, ticks_per_second=2.0, quiet_symbols=0, seed=11)
_LEARNT_SO = TrainingSettings(horizon=60_000_000_000, rounds=20, leaves=7)
_CONTEXT_MILLISECONDS = 60_000
"""Facts carry no number, so a frame with one cannot be told from another when it comes again: rare enough for most frames to have none."""
_AUTHOR, _REASON = "chaos", "planned"


class Frame(NamedTuple):
    """One record of the topic of frames."""

    symbol: str
    data: bytes
    timestamp_milliseconds: int


@dataclass(frozen=True)
class Part:
    """What one round feeds to the job."""

    symbols: tuple[str, ...]
    frames: tuple[Frame, ...]


@dataclass(frozen=True)
class Market:
    """What rounds that share a job feed to it."""

    parts: Mapping[int, Part]
    """By the number of the round."""
    control: tuple[ControlEvent, ...]
    """In the order of their versions, from 1."""


@dataclass(frozen=True, slots=True)
class PartSettings(SimulationSettings):
    """A simulated market whose symbols are named after its round."""

    number: int = 0

    def names(self) -> tuple[str, ...]:
        """The symbols, the most active first."""
        return tuple(f"R{self.number:03d}{name}" for name in SimulationSettings.names(self))


@dataclass
class _Versions:
    """Which control version a frame is stamped with: the entries come into force one after the other, each after as many frames."""

    last: int
    asked: int = 0

    def __call__(self) -> int:
        self.asked += 1
        return min(1 + self.asked // FRAMES_A_VERSION, self.last)


def simulation(seed: int, number: int) -> PartSettings:
    """15 minutes of four symbols, one of them quiet, with every defect that the firewall knows planted often enough to be there."""
    return PartSettings(symbols=4, seconds=900.0, ticks_per_second=2.5, seed=seed + number, defects=_DEFECTS, number=number)


def stored_model(store: ModelStore) -> ModelReference:
    """A model to release, in the store that the job reads."""
    trained = train_model(from_table(rows_of(_LEARNT_FROM), FEATURE_NAMES), MODEL_INPUTS, _LEARNT_SO)
    return store.put(trained.version, trained.data, trained.card)


def control_log(model: ModelReference, halted: tuple[str, ...]) -> tuple[ControlEvent, ...]:
    """Rules, a model, a halt of some symbols, and its end."""
    time = SimulationSettings().start_time
    rules = [ControlEvent(0, ControlKind.ALERT_RULE, time, _AUTHOR, _REASON, rule=rule) for rule in load_rules(RULES)]
    halts = [ControlEvent(0, kind, time, _AUTHOR, _REASON, symbols=halted) for kind in (ControlKind.HALT, ControlKind.RESUME)]
    return (*rules, release_event(model, _AUTHOR, _REASON, time), *halts)


def simulated_market(seed: int, model: ModelReference, rounds: Iterable[int]) -> Market:
    """The parts of these rounds as a gateway sends them at full speed: small frames, with sessions, sectors and the index in them.

    A part depends on the seed and its own number alone.
    """
    wanted = {number: simulation(seed, number) for number in rounds}
    control = control_log(model, tuple(settings.names()[HALTED] for settings in wanted.values()))
    parts = {number: Part(settings.names(), _frames(settings, _Versions(len(control)))) for number, settings in wanted.items()}
    return Market(parts, control)


def _frames(settings: SimulationSettings, control_version: Callable[[], int]) -> tuple[Frame, ...]:
    wanted = FactsSection(calendar="24/7", index_symbol=settings.names()[0], context_interval_milliseconds=_CONTEXT_MILLISECONDS)
    sink, facts = MemorySink(), facts_of(wanted, simulated_instruments(settings))
    cut = GatewaySettings(maximum_events=EVENTS_A_FRAME)
    Gateway(sink, cut, control_version=control_version, facts=facts).run(SimulatedSource(settings))
    return tuple(Frame(key.decode(), data, time) for topic, key, data, time in sink.records if topic == cut.frames_topic)


def is_numbered(frame: Frame) -> bool:
    """Whether each of its events carries a number of its feed or is a CLOCK: sent again, such a frame changes nothing."""
    columns: Any = decode_frame(frame.data).columns
    return bool(((columns.sequence > 0) | (columns.kind == int(EventKind.CLOCK))).all())
