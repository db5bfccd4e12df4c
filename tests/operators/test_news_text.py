"""Texts as numbers: fixed for ever, alike for texts that are alike, and within bounds whatever the text."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs.scoring.news_text import BUCKETS, HASHED, LONGEST_TEXT_BYTES, fingerprint, has_words, text_buckets, text_hash

EXAMPLES = settings(deadline=None)
HEADLINE = "Apple beats estimates as iPhone sales rise 12%"


def distance(one: str, other: str) -> int:
    return (fingerprint(one) ^ fingerprint(other)).bit_count()


def fnv1a_64(data: bytes) -> int:
    """The published definition, in unbounded integers."""
    value = 0xCBF29CE484222325
    for octet in data:
        value = (value ^ octet) * 0x100000001B3 % 2**64
    return value


def finished(value: int) -> int:
    """The end of MurmurHash3 for 64 bits."""
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        value = (value ^ value >> 33) * factor % 2**64
    return value ^ value >> 33


@EXAMPLES
@given(st.text(max_size=50))
def test_the_hash_is_the_published_one(text: str) -> None:
    assert text_hash(text) == finished(fnv1a_64(text.encode("utf-8", "surrogatepass"))) >> 32


def test_the_numbers_of_a_text_stay_what_they_are() -> None:
    """Models and states are made of them: another number here needs another name in `TEXT_FEATURES`."""
    assert fingerprint("Profit rises") == 0x558CF89C8C9B49C3
    assert text_buckets("Profit rises").tolist()[:4] == [410, 503, 644, 714]


@EXAMPLES
@given(st.text(max_size=300))
def test_buckets_are_in_order_once_and_in_bounds(text: str) -> None:
    buckets = text_buckets(text)
    assert (np.diff(buckets) > 0).all()
    assert ((buckets >= 0) & (buckets < BUCKETS)).all()
    assert bool((buckets < HASHED).any()) == has_words(text)
    assert fingerprint(text) < 2**64


@EXAMPLES
@given(st.text("aB%1 é-", max_size=200))
def test_numbers_case_and_spaces_do_not_matter(text: str) -> None:
    other = text.upper().replace("1", "777").replace(" ", "  ")
    assert text.upper().lower() != text.lower() or text_buckets(text).tolist() == text_buckets(other).tolist()


def test_texts_that_are_alike_have_fingerprints_that_are() -> None:
    assert distance(HEADLINE, HEADLINE.replace("12", "14")) == 0
    assert distance(HEADLINE, HEADLINE + ", shares gain") < 16
    assert distance(HEADLINE, "Boeing cuts its dividend after orders fall short") > 20


def test_what_lies_behind_the_limit_is_not_read() -> None:
    text = "word " * LONGEST_TEXT_BYTES
    assert text_buckets(text).tolist() == text_buckets(text + "profit falls").tolist()
    assert fingerprint(text) == fingerprint(text + "profit falls")
    assert fingerprint("") == 0
