"""Made-up financial headlines with a known meaning, from a grammar: for a market that is simulated and a model that needs no one's texts.

Each template has companies, numbers and words of its own choosing; which way a sentence points is decided by what is said, not by single
words alone: losses that narrow are good, costs that rise are bad, and a profit that is reported without comparison is neither.
"""

from __future__ import annotations

from typing import Final

import numpy as np

SENTIMENTS: Final = ("negative", "neutral", "positive")

_SYLLABLES: Final = ("al", "bor", "cen", "dor", "el", "fin", "gar", "hol", "jor", "kar", "lum", "mar", "nor", "ost", "pra", "rav", "sol")
_ENDINGS: Final = ("", "", " Corp", " Inc", " Group", " Holdings", " plc", " Industries", " AG", " Systems")
_CHOICES: Final = """
goods: sales|revenue|orders|bookings|net sales|turnover|shipments|operating profit|net income|earnings|margins
burdens: costs|expenses|input costs|debt|charges|write-offs|cancellations|interest expenses|tax burden
up: rose|climbed|grew|increased|advanced|jumped|surged|went up|picked up|improved
down: fell|dropped|declined|decreased|slid|slumped|shrank|plunged|went down|weakened
period: in the first quarter|in the second quarter|in the third quarter|in the fourth quarter|last year|in the first half|over nine months
unit: mn|million|bn
currency: EUR|USD|$|GBP
place: Ohio|Rotterdam|Osaka|Porto|Leeds|Krakow|Texas|Bergen|Pune|Lyon
thing: turbines|software|payment terminals|vaccines|trucks|chips|batteries|cables|shipping containers|sensors
who: the chief executive|the finance director|the board|an analyst|a spokesperson|the regulator|the union
"""
_REMARKS: Final = """
negative: shares fall|stock drops sharply|investors disappointed|worse than expected|below expectations|outlook weak|a heavy setback
negative: analysts see further decline|the market had hoped for more|profit warning feared|amid growing losses|risks increase
neutral: the company said|no further details were given|as announced before|according to its website|the statement says|as planned
neutral: unchanged|without comment|the terms were not disclosed|a spokesperson confirmed|as usual|shares flat
positive: shares rise|stock jumps sharply|investors cheer|better than expected|above expectations|outlook strong|a big step forward
positive: analysts see further growth|more than the market had hoped for|profit upgrade likely|amid growing demand|prospects improve
"""
"""What is often added, by meaning."""
_SHARE_WITH_REMARK: Final = 0.6

POSITIVE: Final = (
    "{company}: {goods} {up} {percent} {period} from a year ago",
    "{company} {goods} {up} to {money} from {less}, helped by demand for {thing}",
    "{company} beats estimates as {goods} {up} {percent}",
    "{company} raises full-year outlook after strong {period_name}",
    "{company} wins {money} order for {thing} from {other}",
    "{company} shares gain as {burdens} {down} {percent}",
    "{company} swings to profit of {money} from a loss",
    "{company} narrows its loss as {burdens} {down} {period}",
    "{company} lifts dividend and announces {money} buyback",
    "Regulator approves {company} plan to sell {thing} across Europe",
    "{company} reports record {goods}, tops its own target",
    "Analysts upgrade {company} to buy on better {goods}",
    "Demand for {thing} stronger than expected, says {company}",
    "{company} expands in {place} after winning new customers, creates jobs",
    "{company} cuts {burdens} by {percent}, margin improves",
    "{company} signs long-term deal with {other}, expects higher {goods}",
    "Court dismisses lawsuit against {company}, shares jump",
    "{company} repays {money} of debt early thanks to healthy cash flow",
    "Rating agency lifts {company} outlook to positive",
    "Trial of {company} product succeeds, launch brought forward",
)
NEGATIVE: Final = (
    "{company}: {goods} {down} {percent} {period} from a year ago",
    "{company} {goods} {down} to {less} from {money}, hurt by weak demand for {thing}",
    "{company} misses estimates as {goods} {down} {percent}",
    "{company} lowers full-year outlook after poor {period_name}",
    "{other} cancels {money} order for {thing} at {company}",
    "{company} shares lose as {burdens} {up} {percent}",
    "{company} swings to loss of {money} from a profit",
    "{company} widens its loss as {burdens} {up} {period}",
    "{company} suspends dividend, scraps {money} buyback",
    "Regulator rejects {company} plan to sell {thing} across Europe",
    "{company} warns that {goods} will be below target",
    "Analysts downgrade {company} to sell on worse {goods}",
    "Demand for {thing} weaker than expected, says {company}",
    "{company} closes its plant in {place} after losing customers, cuts jobs",
    "{company} {burdens} {up} by {percent}, margin shrinks",
    "{company} loses long-term deal with {other}, expects lower {goods}",
    "Court orders {company} to pay {money} fine, shares tumble",
    "{company} delays repayment of {money} of debt amid cash shortage",
    "Rating agency cuts {company} outlook to negative",
    "Trial of {company} product fails, launch postponed",
)
NEUTRAL: Final = (
    "{company} to publish its report {period} on Tuesday",
    "{company} {goods} were {money} {period}",
    "{company} goods are sold in {place} and {place_2}, says its report",
    "{company} appoints new finance director",
    "{company} makes {thing} and has {count} employees",
    "{company} will hold its annual meeting in {place}",
    "{company} and {other} have been partners since {year}",
    "{company} moves its head office from {place} to {place_2}",
    "The board of {company} consists of {count_small} members",
    "{company} shares are listed in {place}",
    "{who} of {company} will speak at a conference in {place}",
    "{company} orders {thing} from {other}; the value was not disclosed",
    "{company} keeps its full-year outlook unchanged",
    "{company} changes the name of its {thing} unit",
    "{company} {goods} flat {period}, in line with estimates",
    "{other} holds {percent} of the shares of {company}",
    "{company} completes the move to a new reporting system",
    "According to {who}, {company} has no plans for {place}",
    "{company} publishes the agenda of its capital markets day",
    "The contract between {company} and {other} covers {thing} for {year}",
)
TEMPLATES: Final[tuple[tuple[str, int], ...]] = tuple(
    (template, place) for place, group in enumerate((NEGATIVE, NEUTRAL, POSITIVE)) for template in group
)
"""Every template with the place of its meaning in `SENTIMENTS`; the k-th of each meaning belong together."""
TEMPLATES_OF_A_MEANING: Final = len(TEMPLATES) // len(SENTIMENTS)
assert len(NEGATIVE) == len(NEUTRAL) == len(POSITIVE) == TEMPLATES_OF_A_MEANING


def _choices(text: str) -> dict[str, list[str]]:
    """Name to what may stand for it, from lines `name: one|another`; lines of one name are joined."""
    found: dict[str, list[str]] = {}
    for name, _, words in (line.partition(": ") for line in text.strip().splitlines()):
        found.setdefault(name, []).extend(words.split("|"))
    return found


_WORDS: Final = _choices(_CHOICES)
_CHOICES_OF_REMARK: Final = _choices(_REMARKS)


def headline(number: int, generator: np.random.Generator, company: str | None = None) -> str:
    """One sentence of template `number`; names of companies are made up unless one is given."""
    template, meaning = TEMPLATES[number]
    remark = str(generator.choice(_CHOICES_OF_REMARK[SENTIMENTS[meaning]]))
    chosen = {name: str(generator.choice(words)) for name, words in _WORDS.items()}
    amount = float(np.round(generator.uniform(1.5, 90.0), 1))
    money = f"{chosen['currency']} {amount} {chosen['unit']}"
    less = f"{chosen['currency']} {np.round(amount * generator.uniform(0.4, 0.9), 1)} {chosen['unit']}"
    sentence = template.format(
        **chosen,
        company=company or company_name(generator),
        other=company_name(generator),
        percent=f"{np.round(generator.uniform(1, 40), 1)}%",
        money=money,
        less=less,
        period_name=chosen["period"].removeprefix("in the ").removeprefix("over "),
        place_2=str(generator.choice(_WORDS["place"])),
        count=int(generator.integers(200, 40_000)),
        count_small=int(generator.integers(5, 15)),
        year=int(generator.integers(1990, 2026)),
    )
    sentence = f"{sentence}, {remark}" if generator.random() < _SHARE_WITH_REMARK else sentence
    return sentence[0].upper() + sentence[1:]


def company_name(generator: np.random.Generator) -> str:
    """A name that nobody has, as far as one knows."""
    name = "".join(str(syllable) for syllable in generator.choice(_SYLLABLES, int(generator.integers(2, 4))))
    return name.capitalize() + str(generator.choice(_ENDINGS))
