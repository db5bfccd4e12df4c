"""When a challenger takes the champion's place, and when it is given up: by rule, with the figures as the reason."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, NamedTuple

from jobs.releasing import release_event
from jobs.shadow.evidence import Evidence
from jobs.shadow.standing import Held
from udfs.records import ChallengerChange, ControlEvent, ControlKind, ModelReference

FORMER: Final = "challenger-former"
"""Name under which a champion that lost its place goes on being compared: it comes back by the same rule."""
AUTHOR: Final = "challengers"


@dataclass(frozen=True, slots=True)
class RuleSettings:
    """How sure one must be."""

    false_promotions: float = 0.05
    """Chance that any challenger that is no better is ever promoted against one champion, however often one looks."""
    least_stretches: int = 20
    """Fewer stretches of time are not enough, however clear they are."""


class Verdict(Enum):
    """What becomes of a challenger."""

    PROMOTE = "promote"
    WITHDRAW = "withdraw"
    WAIT = "wait"


class Judged(NamedTuple):
    """One challenger, and what its rows say."""

    alias: str
    held: Held
    evidence: Evidence
    needed: float
    """Capital at which a bet is won."""
    against: tuple[str, ...]
    """What speaks against a promotion besides."""
    verdict: Verdict

    @property
    def in_words(self) -> str:
        """For the control log and the audit log."""
        found = self.evidence
        side, value = ("better", found.better) if self.verdict is not Verdict.WITHDRAW else ("worse", found.worse)
        return (
            f"{self.alias} ({self.held.model.version}) is {side} than the champion: evidence {value:.3g}, needed {self.needed:.3g},"
            f" over {found.stretches} stretches and {found.rows} rows; its log-loss is lower by {found.mean_gain:.5f}"
        )

    def as_json(self) -> dict[str, Any]:
        """As JSON values."""
        own = {"alias": self.alias, "version": self.held.model.version, "since_control_version": self.held.since}
        return own | self.evidence._asdict() | {"needed": self.needed, "against": list(self.against), "verdict": self.verdict.value}


def judge(alias: str, held: Held, evidence: Evidence, tried: int, against: Sequence[str], settings: RuleSettings) -> Judged:
    """The verdict on one of `tried` models that challenged this champion: each gets its part of the chance to be wrong (Bonferroni).

    A promotion also needs that the plain mean agrees, because the bet weighs rows by how much the two disagree.
    """
    needed = max(tried, 1) / settings.false_promotions
    verdict = Verdict.WAIT
    if evidence.stretches >= settings.least_stretches:
        if evidence.better >= needed and evidence.mean_gain > 0 and not against:
            verdict = Verdict.PROMOTE
        elif evidence.worse >= needed and evidence.mean_gain < 0:
            verdict = Verdict.WITHDRAW
    return Judged(alias, held, evidence, needed, tuple(against), verdict)


def events_of(judged: Sequence[Judged], champion: ModelReference, now: int | None = None) -> list[ControlEvent]:
    """What to write into the control log: at most one promotion, of the one with the most evidence, and the withdrawals.

    Who is promoted loses the challenger's name; who was champion gets one, and is compared from then on.
    """
    now = time.time_ns() if now is None else now
    events = [announcement(one.alias, None, AUTHOR, one.in_words, now) for one in judged if one.verdict is Verdict.WITHDRAW]
    winners = sorted((one for one in judged if one.verdict is Verdict.PROMOTE), key=lambda one: -one.evidence.better)
    if winners:
        best = winners[0]
        events.append(release_event(best.held.model, AUTHOR, best.in_words, now))
        events.append(announcement(best.alias, None, AUTHOR, "it is champion now", now))
        events.append(announcement(FORMER, champion, AUTHOR, f"it was champion before {best.held.model.version}", now))
    return events


def announcement(alias: str, model: ModelReference | None, author: str, reason: str, now: int) -> ControlEvent:
    """The entry that announces a challenger, or withdraws it."""
    return ControlEvent(0, ControlKind.CHALLENGER, now, author, reason, challenger=ChallengerChange(alias, model))
