"""A text as numbers, the same on every machine: hashed words and pieces of words for a model, and a fingerprint that near texts share.

The text is lower-cased and cut to its first `LONGEST_TEXT_BYTES` bytes of UTF-8. A word is a run of letters, digits and bytes beyond ASCII;
each run of digits counts as one 0; the signs % $ + - are words by themselves; all else separates. Hashes are FNV-1a of 64 bits, finished
as MurmurHash3 finishes, so that every bit of a short word counts.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numba
import numpy as np
import numpy.typing as npt

from udfs.scoring.news_words import word_balance

LONGEST_TEXT_BYTES: Final = 4096
"""What lies behind is not read: a headline and its first paragraphs say what they say."""
PIECES: Final = 1 << 14
HASHED: Final = 2 * PIECES
BUCKETS: Final = HASHED + 4
"""The first `PIECES` are of pieces of words, those up to `HASHED` of words and pairs of words. The last four say that there are good words,
bad words, more good than bad, more bad than good, by `news_words`."""
TEXT_FEATURES: Final = "words-1-2-pieces-3-5-fnv1a-2x16384-balance-1"
"""Names what `text_buckets` computes: a model says which it was trained on."""
FINGERPRINT_BITS: Final = 64
_LONGEST_PIECE: Final = 5
_SHORTEST_PIECE: Final = 3
_MOST_BUCKETS: Final = 2 + LONGEST_TEXT_BYTES * 6
_OFFSET: Final = np.uint64(0xCBF29CE484222325)
_PRIME: Final = np.uint64(0x100000001B3)
_MIX_1: Final = np.uint64(0xFF51AFD7ED558CCD)
_MIX_2: Final = np.uint64(0xC4CEB9FE1A85EC53)
_HALF: Final = np.uint64(33)
_ONE: Final = np.uint64(1)
_PIECE_TAG, _WORD_TAG, _PAIR_TAG = np.uint64(1), np.uint64(2), np.uint64(3)
_SEPARATOR, _ZERO = np.uint8(32), np.uint8(48)

Octets: TypeAlias = npt.NDArray[np.uint8]
Hash: TypeAlias = Any
"""A uint64 inside compiled code."""


def text_buckets(text: str) -> npt.NDArray[np.int64]:
    """(n,) numbers below `BUCKETS`, increasing and each once: words, pairs of words, pieces of 3 to 5 bytes, and the balance of words."""
    good, bad = word_balance(text[:LONGEST_TEXT_BYTES])
    balance = HASHED + np.flatnonzero([good > 0, bad > 0, good > bad, bad > good])
    return np.concatenate([np.unique(_bucket_numbers(_words(octets_of(text)))), balance])


def fingerprint(text: str) -> int:
    """Number of 64 bits (Charikar 2002, simhash) of the words and pairs of words: the more of them two texts share, the fewer bits differ.

    0 for a text without words.
    """
    return int(_simhash(_words(octets_of(text))))


def has_words(text: str) -> bool:
    """Whether anything in the text can be read."""
    return len(_words(octets_of(text))) > 1


def text_hash(text: str) -> int:
    """Number of 32 bits, for telling apart the items that carry it."""
    octets = np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)
    return int(_finished(np.uint64(_hashed(octets, _OFFSET)))) >> 32


def octets_of(text: str) -> Octets:
    """The bytes that are read."""
    return np.frombuffer(text[:LONGEST_TEXT_BYTES].lower().encode("utf-8", "replace")[:LONGEST_TEXT_BYTES], np.uint8)


@numba.njit(cache=True, nogil=True)
def _words(octets: Octets) -> Octets:
    """The words, each after one separator, and one at the end."""
    result = np.empty(2 * octets.shape[0] + 1, np.uint8)
    result[0], used = _SEPARATOR, 1
    for octet in octets:
        is_digit = 48 <= octet <= 57
        if (97 <= octet <= 122) or octet >= 128 or is_digit:
            if not (is_digit and result[used - 1] == _ZERO):
                result[used] = _ZERO if is_digit else octet
                used += 1
            continue
        if result[used - 1] != _SEPARATOR:
            result[used] = _SEPARATOR
            used += 1
        if octet == 36 or octet == 37 or octet == 43 or octet == 45:
            result[used], result[used + 1] = octet, _SEPARATOR
            used += 2
    if result[used - 1] != _SEPARATOR:
        result[used] = _SEPARATOR
        used += 1
    return result[:used]


@numba.njit(cache=True, nogil=True)
def _hashed(octets: Octets, start: Hash) -> Hash:
    """FNV-1a, going on from `start`."""
    value = start
    for octet in octets:
        value = (value ^ np.uint64(octet)) * _PRIME
    return value


@numba.njit(cache=True, nogil=True)
def _finished(value: Hash) -> Hash:
    value = (value ^ (value >> _HALF)) * _MIX_1
    value = (value ^ (value >> _HALF)) * _MIX_2
    return value ^ (value >> _HALF)


@numba.njit(cache=True, nogil=True)
def _tagged(octets: Octets, tag: Hash) -> Hash:
    return _finished(_hashed(octets, (_OFFSET ^ tag) * _PRIME))


@numba.njit(cache=True, nogil=True)
def _bucket_numbers(words: Octets) -> npt.NDArray[np.int64]:
    """Buckets in the order they are met, some more than once."""
    result, used = np.empty(_MOST_BUCKETS, np.int64), 0
    size, last, before = np.uint64(PIECES), 0, -1
    for end in range(1, words.shape[0]):
        for length in range(_SHORTEST_PIECE, min(_LONGEST_PIECE, end + 1) + 1):
            piece = words[end + 1 - length : end + 1]
            if not _is_split(piece):
                result[used] = np.int64(_tagged(piece, _PIECE_TAG) % size)
                used += 1
        if words[end] == _SEPARATOR:
            result[used] = PIECES + np.int64(_tagged(words[last:end], _WORD_TAG) % size)
            used += 1
            if before >= 0:
                result[used] = PIECES + np.int64(_tagged(words[before:end], _PAIR_TAG) % size)
                used += 1
            before, last = last, end
    return result[:used]


@numba.njit(cache=True, nogil=True)
def _is_split(piece: Octets) -> bool:
    """Whether a separator lies inside, so that the piece belongs to no single word."""
    split = False
    for place in range(1, piece.shape[0] - 1):
        split |= piece[place] == _SEPARATOR
    return split


@numba.njit(cache=True, nogil=True)
def _simhash(words: Octets) -> Hash:
    votes = np.zeros(FINGERPRINT_BITS, np.int64)
    last, before = 0, -1
    for end in range(1, words.shape[0]):
        if words[end] == _SEPARATOR:
            _vote(votes, _tagged(words[last:end], _WORD_TAG))
            if before >= 0:
                _vote(votes, _tagged(words[before:end], _PAIR_TAG))
            before, last = last, end
    value = np.uint64(0)
    for bit in range(FINGERPRINT_BITS):
        if votes[bit] > 0:
            value |= _ONE << np.uint64(bit)
    return value


@numba.njit(cache=True, nogil=True)
def _vote(votes: npt.NDArray[np.int64], value: Hash) -> None:
    for bit in range(votes.shape[0]):
        votes[bit] += 1 if (value >> np.uint64(bit)) & _ONE else -1
