"""State blobs: to the bit there and back; a blob of another version is upgraded step by step or refused, never misread."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.codecs.state_blob import OLDEST_VERSION, STATE_VERSION, UPGRADES, StateParts, pack_state, unpack_state, upgrade
from udfs.errors import StateVersionError
from udfs.kernels.symbol_state import SYMBOL_STATE

SMALL = np.dtype([("clock", "<i8"), ("ring", "<f8", (3,)), ("ready", "u1"), ("spare", "u1", (7,))])


@given(st.binary(min_size=SMALL.itemsize, max_size=SMALL.itemsize), st.binary(max_size=50))
def test_unpacking_gives_back_every_bit(raw: bytes, alerts: bytes) -> None:
    """unpack(pack(state)) == state, and packing it again gives the same bytes."""
    blob = pack_state(np.frombuffer(raw, SMALL), alerts)
    kernel, unpacked_alerts = unpack_state(blob, SMALL)
    assert kernel.tobytes() == raw
    assert unpacked_alerts == alerts
    assert pack_state(kernel, unpacked_alerts) == blob


def test_the_symbol_state_survives_and_may_be_changed() -> None:
    """The unpacked array is writable, aligned for compiled kernels, and no view of the blob."""
    blob = pack_state(np.ones(1, SYMBOL_STATE), b"alerts")
    kernel, _ = unpack_state(blob, SYMBOL_STATE)
    assert kernel.dtype == SYMBOL_STATE
    assert kernel.shape == (1,)
    assert kernel.flags.writeable
    assert kernel.ctypes.data % 8 == 0
    kernel["clock"] = 99
    assert unpack_state(blob, SYMBOL_STATE)[0]["clock"].tolist() == [1]


def test_golden_blob() -> None:
    """The layout of the frame around the state is the same in every version."""
    assert pack_state(np.array([513], "<i8"), b"\xab") == bytes.fromhex("02000000 08000000 0102000000000000 01000000 ab")


@given(st.binary(max_size=80))
def test_random_bytes_are_refused_or_a_whole_blob(blob: bytes) -> None:
    """Nothing but StateVersionError comes out."""
    try:
        kernel, alerts = unpack_state(blob, np.dtype("<i8"))
    except StateVersionError:
        return
    assert pack_state(kernel, alerts)[4:] == blob[4:]


@pytest.mark.parametrize("version", [0, STATE_VERSION + 1, 255])
def test_an_unknown_version_says_what_to_do(version: int) -> None:
    blob = bytes([version]) + pack_state(np.zeros(1, SMALL))[1:]
    with pytest.raises(StateVersionError, match=rf"version {version}; this code reads .*Run the release that wrote it"):
        unpack_state(blob, SMALL)


def test_a_blob_from_before_the_first_release_is_refused() -> None:
    with pytest.raises(StateVersionError, match=r"version 1; this code reads 2\. It is from before the first release: start without it"):
        unpack_state(b"\x01" + pack_state(np.zeros(1, SMALL))[1:], SMALL)


def test_another_layout_has_another_version() -> None:
    """One of the same size would be misread in silence."""
    layout = hashlib.sha256(repr(SYMBOL_STATE.descr).encode()).hexdigest()[:16]
    assert (STATE_VERSION, layout) == (2, "ab1ba722501beeb5"), (
        "the layout changed: raise STATE_VERSION, add an upgrade, and write both here"
    )


def test_a_layout_of_another_size_is_refused() -> None:
    with pytest.raises(StateVersionError, match="8 bytes; version 2 has records of 40"):
        unpack_state(pack_state(np.zeros(1, np.int64)), SMALL)
    with pytest.raises(StateVersionError, match="0 bytes"):
        unpack_state(pack_state(np.zeros(0, SMALL)), SMALL)


@pytest.mark.parametrize("cut", [0, 1, 7, 11, 20])
def test_a_cut_blob_is_refused(cut: int) -> None:
    with pytest.raises(StateVersionError):
        unpack_state(pack_state(np.zeros(1, SMALL))[:cut], SMALL)


def grow(parts: StateParts) -> StateParts:
    return StateParts(parts.kernel + b"\x07", parts.alerts)


def mark(parts: StateParts) -> StateParts:
    return StateParts(parts.kernel, parts.alerts + b"!")


def test_upgrades_run_one_version_at_a_time_from_wherever_the_blob_stands() -> None:
    """upgrade(v -> n) == upgrade(n - 1 -> n) after ... after upgrade(v -> v + 1)."""
    steps = {1: grow, 2: mark, 3: grow}
    blob = pack_state(np.frombuffer(b"k", np.uint8), b"a")
    assert [upgrade(bytes([version]) + blob[1:], steps, 4) for version in (1, 2, 3, 4)] == [
        StateParts(b"k\x07\x07", b"a!"),
        StateParts(b"k\x07", b"a!"),
        StateParts(b"k\x07", b"a"),
        StateParts(b"k", b"a"),
    ]


def test_a_missing_step_is_refused_before_any_step_runs() -> None:
    with pytest.raises(StateVersionError, match="version 1; this code reads 2, 3"):
        upgrade(b"\x01" + pack_state(np.zeros(1, SMALL))[1:], {2: mark}, 3)


def test_every_older_version_has_an_upgrade() -> None:
    """Raising STATE_VERSION without saying how to get there would lose the state of a running job."""
    assert sorted(UPGRADES) == list(range(OLDEST_VERSION, STATE_VERSION))
