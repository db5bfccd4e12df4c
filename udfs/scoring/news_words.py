"""A short list of words that are good or bad news about a company nearly wherever they stand: what one knows before any training."""

from __future__ import annotations

from typing import Final

_GOOD: Final = """
accelerate accelerated accelerates achieve achieved advance advanced advances ahead approval approve approved approves award awarded
awards beat beating beats benefit benefited benefits best better boost boosted boosts breakthrough bullish buyback cheer climb climbed
climbs creates doubled exceed exceeded exceeds excellent expand expanded expanding expands expansion favourable gain gained gains good
grew grow growing grown grows growth healthy high higher highest improve improved improvement improves improving increase increased
increases jump jumped jumps lift lifted lifts outperform outperforms outstanding positive profitable raise raised raises rallied rally
rebound rebounded rebounds record recover recovered recovers recovery rise risen rises rising robust rose soar soared soars solid
strengthen strengthened strengthens strong stronger strongest succeed succeeded succeeds success successful surge surged surges tops
upbeat upgrade upgraded upgrades upside welcome win winning wins won
"""
GOOD_WORDS: Final = frozenset(_GOOD.split())
_BAD: Final = """
abandon adverse allegation allegations bad bankrupt bankruptcy bearish below breach cancel cancellation cancelled cancels close closes
closure collapse collapsed crash crisis cut cuts cutting damage decline declined declines declining decrease decreased decreases default
defaulted defaults deficit delay delayed delays deteriorate deteriorated difficult disappointed disappointing downgrade downgraded
downgrades downturn drop dropped drops fail failed fails failure fall fallen falling falls fell fine fined fraud halt halted hurt
impairment insolvency investigation laid lawsuit layoff layoffs lose loses losing loss losses lost low lower lowered lowers lowest miss
missed misses negative penalty plunge plunged plunges poor postpone postponed probe recall recalled recalls recession reduce reduced
reject rejected rejects scandal scraps setback shortage shortfall shrank shrink shrinks slid slow slowdown slowed slump slumped slumps
sue sued sues suspend suspended suspends tumble tumbled tumbles unprofitable warn warned warning warns weak weaken weakened weaker
weakest worse worsened worst writedown
"""
BAD_WORDS: Final = frozenset(_BAD.split())


def word_balance(text: str) -> tuple[int, int]:
    """How many good and how many bad words the text has."""
    words = "".join(letter if letter.isalpha() else " " for letter in text.lower()).split()
    return sum(word in GOOD_WORDS for word in words), sum(word in BAD_WORDS for word in words)
