"""Who is champion and who are the challengers, and since which entry of the control log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple

from udfs.codecs.control import decode_control
from udfs.errors import MalformedMessage
from udfs.records import ControlEvent, ControlKind, ModelReference


class Held(NamedTuple):
    """A model in a place, from one entry of the control log on."""

    model: ModelReference
    since: int
    """Control version."""


class Standing(NamedTuple):
    """What the control log says at its end."""

    champion: Held | None
    before: ModelReference | None
    """The newest other model that was champion."""
    challengers: dict[str, Held]
    """By alias."""
    tried: int
    """Different models that challenged this champion: so many chances to look better by luck."""


def standing_of(entries: Iterable[bytes]) -> Standing:
    """After all entries; those that cannot be read change nothing. That a worker refused a model is not known here."""
    champions: list[Held] = []
    challengers: dict[str, Held] = {}
    tried: set[str] = set()
    for event in _events(entries):
        if event.kind is ControlKind.MODEL and event.model is not None and not _bears(champions, event.model):
            champions.append(Held(event.model, event.version))
            tried = {held.model.sha256 for held in challengers.values()}
        if event.kind is ControlKind.CHALLENGER and event.challenger is not None:
            alias, model = event.challenger.alias, event.challenger.model
            before = challengers.pop(alias, None)
            if model is not None:
                stays = before is not None and before.model.sha256 == model.sha256
                challengers[alias] = before if stays and before else Held(model, event.version)
                tried.add(model.sha256)
    champion = champions[-1] if champions else None
    others = [held.model for held in champions if champion and held.model.sha256 != champion.model.sha256]
    return Standing(champion, others[-1] if others else None, challengers, len(tried))


def _bears(champions: list[Held], model: ModelReference) -> bool:
    """Whether the model is champion already."""
    return bool(champions) and champions[-1].model.sha256 == model.sha256


def _events(entries: Iterable[bytes]) -> Iterator[ControlEvent]:
    for offset, raw in enumerate(entries):
        with suppress(MalformedMessage):
            yield decode_control(raw, offset)
