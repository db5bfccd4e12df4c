"""What the log gets: the market's frames, doubled, put off or interleaved otherwise as the contract allows, or broken ones among them.

The contract (infra/reference/delivery.md): a symbol's frames keep their order; frames of different symbols may come in any order and at any
time; a frame whose events are numbered may come again; what is no frame is rejected.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence

from jobs.benchmark.broken_bytes import broken
from tests.integration.chaos.faults import FaultKind, Plan
from tests.integration.chaos.market import Frame, is_numbered
from udfs.codecs.frames import decode_frame

DUPLICATED_SHARE = 0.05
CORRUPTED_SHARE = 0.05
FARTHEST_REPEATED = 20
"""A frame comes again after at most so many others."""


def delivered(frames: Sequence[Frame], plan: Plan) -> list[Frame]:
    """The frames in the order in which they are sent."""
    generator = random.Random(f"{plan.seed}/{plan.round}/delivery")
    found = list(frames)
    if FaultKind.FRAMES_REORDERED in plan.kinds:
        found = interleaved(found, generator)
    if FaultKind.IDLE_PARTITION in plan.kinds:
        found = one_put_off(found, generator)
    if FaultKind.FRAMES_DUPLICATED in plan.kinds:
        found = duplicated(found, generator)
    if FaultKind.FRAMES_CORRUPTED in plan.kinds:
        found = with_broken_ones(found, generator)
    return found


def interleaved(frames: Sequence[Frame], generator: random.Random) -> list[Frame]:
    """Another interleaving of the symbols, each symbol's own frames in their order."""
    waiting = {symbol: iter(own) for symbol, own in _by_symbol(frames).items()}
    order = [frame.symbol for frame in frames]
    generator.shuffle(order)
    return [next(waiting[symbol]) for symbol in order]


def one_put_off(frames: Sequence[Frame], generator: random.Random) -> list[Frame]:
    """All frames of one symbol after all others: its partition is idle, or nearly so, until then."""
    symbol = generator.choice(sorted({frame.symbol for frame in frames}))
    return sorted(frames, key=lambda frame: frame.symbol == symbol)


def duplicated(frames: Sequence[Frame], generator: random.Random) -> list[Frame]:
    """One in twenty numbered frames again, at once or some frames later, as when a gateway starts its source again."""
    again = [place for place, frame in enumerate(frames) if generator.random() < DUPLICATED_SHARE and is_numbered(frame)]
    later = defaultdict(list)
    for place in again:
        later[min(place + generator.randrange(FARTHEST_REPEATED), len(frames) - 1)].append(frames[place])
    return [sent for place, frame in enumerate(frames) for sent in (frame, *later[place])]


def with_broken_ones(frames: Sequence[Frame], generator: random.Random) -> list[Frame]:
    """One in twenty frames comes once more, broken, before itself: cut, without its head, or noise of its length."""
    found: list[Frame] = []
    for frame in frames:
        if generator.random() < CORRUPTED_SHARE:
            found.append(frame._replace(data=broken(frame.data, generator, decode_frame)))
        found.append(frame)
    return found


def _by_symbol(frames: Sequence[Frame]) -> dict[str, list[Frame]]:
    found: dict[str, list[Frame]] = defaultdict(list)
    for frame in frames:
        found[frame.symbol].append(frame)
    return found
