"""News inside the stream: read by the model that is in force at its event, the same however the log is cut; bad news is a reject."""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.training.news.synthetic import synthetic_corpus
from jobs.training.news.train_news import train_news_model
from tests.support.control_memory import SYMBOL, model_entry, news_model_entry, process, processor
from tests.support.kernel_events import MIDNIGHT, SECOND, Event, columns_of, fact, trade
from tests.support.trained_model import trained_model
from udfs.codecs.frames import decode_frame, encode_frame
from udfs.errors import Reason
from udfs.kernels.events import EventKind
from udfs.kernels.feature_vector import Feature
from udfs.operators.symbol_processor import Outcome, PricedRow
from udfs.records import ModelReference, Rejected
from udfs.scoring.news_text import LONGEST_TEXT_BYTES

GOOD, BAD = "Profit rises, record orders, shares jump", "Profit falls, orders cancelled, shares tumble"
SENTIMENT = Feature.NEWS_SENTIMENT_30_MINUTES
Told = tuple[int, str]
"""Second and text."""


@cache
def news_model() -> bytes:
    return train_news_model(synthetic_corpus()).data


@cache
def other_model() -> bytes:
    """Trained on other sentences."""
    return train_news_model(synthetic_corpus(seed=8)).data


def reference(name: str, data: bytes) -> ModelReference:
    return ModelReference(name, name, hashlib.sha256(data).hexdigest())


def models() -> dict[str, bytes]:
    return {"news": news_model(), "other": other_model(), "market": trained_model().data}


def entries() -> list[bytes]:
    return [news_model_entry(reference(name, models()[name])) for name in ("news", "other")]


def story(told: Sequence[Told]) -> list[tuple[Event, str | None]]:
    """Each item with a trade a second after it; the first trade comes before all."""
    events: list[tuple[Event, str | None]] = [(trade(MIDNIGHT, 100.0), None)]
    for place, (second, text) in enumerate(told, 1):
        time = MIDNIGHT + second * SECOND
        events.append((fact(EventKind.NEWS, time)._replace(sequence=place), text))
        events.append((trade(time + SECOND, 100.0), None))
    return events


def frame(events: Sequence[tuple[Event, str | None]], version: int) -> bytes:
    texts = [text for _, text in events if text is not None]
    return encode_frame(SYMBOL, "venue", "source", version, columns_of([event for event, _ in events]), texts)


def rows(outcomes: Sequence[Outcome]) -> list[bytes]:
    found = [record.row for outcome in outcomes for record in outcome.records if isinstance(record, PricedRow)]
    return [row.values.tobytes() + row.valid.tobytes() for row in found]


def last_values(outcomes: Sequence[Outcome]) -> npt.NDArray[np.float32]:
    return [record.row for outcome in outcomes for record in outcome.records if isinstance(record, PricedRow)][-1].values


def rejects(outcomes: Sequence[Outcome]) -> list[Rejected]:
    return [record for outcome in outcomes for record in outcome.records if isinstance(record, Rejected)]


def test_a_model_in_force_tells_good_news_from_bad() -> None:
    good, bad = (last_values(process(processor(entries(), models()), [frame(story([(60, text)]), 1)])[0]) for text in (GOOD, BAD))
    assert good[SENTIMENT] > 0.5
    assert bad[SENTIMENT] < -0.5


def test_without_a_model_news_is_counted_and_has_no_sentiment() -> None:
    values = last_values(process(processor(), [frame(story([(60, GOOD), (120, BAD)]), 0)])[0])
    assert math.isnan(values[SENTIMENT])
    assert values[Feature.SECONDS_SINCE_NEWS] == 1


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 600), st.sampled_from((GOOD, BAD, "", "?!", "Umsatz steigt")) | st.text(max_size=40)),
        min_size=1,
        max_size=12,
    ),
    st.lists(st.integers(0, 30), max_size=6),
)
def test_the_result_does_not_depend_on_framing_nor_on_restarts(told: list[Told], cuts: list[int]) -> None:
    """Nor on what other texts were read before."""
    told = [(second, text.encode("utf-8", "replace").decode()) for second, text in sorted(told)]
    events = story(told)
    whole, state = process(processor(entries(), models()), [frame(events, 1)])
    edges = sorted({0, *(cut % len(events) for cut in cuts), len(events)})
    parts, blob = [], None
    for begin, end in itertools.pairwise(edges):
        outcomes, blob = process(processor(entries(), models()), [frame(events[begin:end], 1)], blob)
        parts += outcomes
    assert rows(parts) == rows(whole)
    assert blob == state


def test_another_model_reads_from_its_own_entry_on() -> None:
    """A frame stamped with version 1 is read by the first model although the second is known already."""
    events = story([(60, GOOD)])
    first, second = (process(processor(entries(), models()), [frame(events, version)])[0] for version in (1, 2))
    worker = processor(entries(), models())
    process(worker, [frame(events, 2)])
    assert rows(process(worker, [frame(events, 1)])[0]) == rows(first)
    assert rows(first) != rows(second)


@pytest.mark.parametrize("name", ["market", "missing"])
def test_what_is_no_news_model_is_refused_and_the_one_in_force_stays(name: str) -> None:
    data = models().get(name, b"nothing")
    worker = processor([*entries()[:1], news_model_entry(reference(name, data))], models())
    outcomes, _ = process(worker, [frame(story([(60, GOOD)]), 2)])
    assert [found.reason for found in rejects(outcomes)] == [Reason.MODEL_REFUSED]
    assert last_values(outcomes)[SENTIMENT] > 0.5


def test_a_news_model_is_no_market_model() -> None:
    outcomes, _ = process(processor([model_entry(reference("news", news_model()))], models()), [frame(story([]), 1)])
    assert [found.reason for found in rejects(outcomes)] == [Reason.MODEL_REFUSED]


def test_what_the_log_claims_of_a_text_counts_for_nothing() -> None:
    events = story([(60, BAD)])
    forged = [(event._replace(numbers=(1.0, 2.0, 3.0, 1.0, 5.0, 6.0, 7.0, 8.0)) if text else event, text) for event, text in events]
    honest, claimed = (process(processor(entries(), models()), [frame(some, 1)])[0] for some in (events, forged))
    assert rows(honest) == rows(claimed)


@pytest.mark.parametrize("text", ["", "   \n", "!?", "\u0000"], ids=["empty", "blank", "signs", "zero"])
def test_news_without_a_word_is_rejected_with_its_bytes(text: str) -> None:
    outcomes, _ = process(processor(entries(), models()), [frame(story([(60, text)]), 1)])
    (found,) = rejects(outcomes)
    assert found.reason is Reason.EMPTY_NEWS
    assert decode_frame(found.raw).news_texts == (text,)


def test_an_enormous_text_is_read_up_to_its_limit() -> None:
    long, cut = (GOOD + " " + "x" * size for size in (900_000, LONGEST_TEXT_BYTES))
    outcomes = [process(processor(entries(), models()), [frame(story([(60, text)]), 1)])[0] for text in (long, cut)]
    assert rows(outcomes[0]) == rows(outcomes[1])
    assert not rejects(outcomes[0])


def test_the_same_item_again_and_news_from_the_future_are_rejected() -> None:
    events = story([(60, GOOD), (61, GOOD), (62, BAD)])
    events[3] = (events[3][0]._replace(sequence=1), GOOD)
    events[5] = (events[5][0]._replace(event_time=MIDNIGHT + 3600 * SECOND, delay=-3500 * SECOND), BAD)
    outcomes, _ = process(processor(entries(), models()), [frame(events, 1)])
    assert [found.reason for found in rejects(outcomes)] == [Reason.DUPLICATE, Reason.TIME_ABSURD]
    assert [decode_frame(found.raw).news_texts for found in rejects(outcomes)] == [(GOOD,), (BAD,)]
