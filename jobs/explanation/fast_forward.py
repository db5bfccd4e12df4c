"""A symbol's frames of which only what they leave behind is wanted: the kernels take them, and nothing else is made of them.

Of a row's signal nothing reaches later rows but its direction, which the breaker counts that holds back a model which says the same of
everything; the kernels never look at that count. So rows are gathered and scored in large batches (a row's bits do not depend on its
batch), only their directions are counted, and reasons, alerts, bars and bytes are left out.
"""

from __future__ import annotations

from itertools import groupby
from typing import Final

import numpy as np

from jobs.lake.reading import StoredFrame
from udfs.codecs.state_blob import pack_state, unpack_state
from udfs.errors import MalformedMessage
from udfs.kernels.advance import Advance, advance
from udfs.kernels.symbol_state import SYMBOL_STATE, SymbolState, new_state
from udfs.operators.control_log import ControlLog
from udfs.operators.control_state import ControlSnapshot
from udfs.operators.row_scoring import RowScoring, score_at
from udfs.operators.symbol_processor import Outcome, SymbolProcessor
from udfs.operators.worker_settings import WorkerSettings

_BATCH_ROWS: Final = 4096


class FastForward:
    """One symbol, from its first frame or a state on: passes over frames, and processes the wanted ones as the job does, but for alerts."""

    def __init__(self, symbol: str, settings: WorkerSettings, control: ControlLog, state: bytes = b"") -> None:
        self._symbol, self._kernel = symbol, settings.kernel
        self._processor, self._scoring = SymbolProcessor(settings, control), RowScoring(settings)
        self._state = _kernel_state(state) if state else new_state()
        self._made: list[tuple[ControlSnapshot, Advance]] = []
        self._rows = 0

    def over(self, frame: StoredFrame) -> None:
        """Take a frame of which nobody asks what it makes; one that the job rejected changes nothing."""
        try:
            opened = self._processor.opened(self._symbol, frame.frame)
        except MalformedMessage:
            return
        made = advance(self._state, opened.columns, self._kernel, opened.events)
        if opened.control.scorer is not None and len(made.row_event_time):
            self._made.append((opened.control, made))
            self._rows += len(made.row_event_time)
            if self._rows >= _BATCH_ROWS:
                self._count_directions()

    def process(self, frame: StoredFrame) -> Outcome:
        """What the job makes of this frame."""
        self._count_directions()
        outcome = self._processor.process(self._symbol, frame.frame, frame.position, self.state())
        if outcome.state is not None:
            self._state = _kernel_state(outcome.state)
        return outcome

    def state(self) -> bytes:
        """The symbol's state after the last frame, without that of the alert rules."""
        self._count_directions()
        return pack_state(self._state)

    def _count_directions(self) -> None:
        for _, same_control in groupby(self._made, lambda made: id(made[0])):
            found = list(same_control)
            self._count(found[0][0], [made for _, made in found])
        self._made.clear()
        self._rows = 0

    def _count(self, control: ControlSnapshot, made: list[Advance]) -> None:
        assert control.scorer is not None
        scores = control.scorer.score(np.concatenate([each.row_values for each in made]), np.concatenate([each.row_valid for each in made]))
        times = np.concatenate([each.row_event_time for each in made]).tolist()
        flags = np.concatenate([each.row_flags for each in made]).tolist()
        for index, (event_time, row_flags) in enumerate(zip(times, flags, strict=True)):
            self._scoring.decision(self._symbol, event_time, row_flags, control, score_at(scores, index), self._state)


def _kernel_state(blob: bytes) -> SymbolState:
    return unpack_state(blob, SYMBOL_STATE)[0]
