"""The state of one symbol as bytes: a version, the kernels' state of fixed layout, and the alert rules' state of any length.

Layout, little-endian: version (uint8), three zero bytes, length of the kernel state (uint32), kernel state, length of the alert state
(uint32), alert state. A blob of an older version is taken through the upgrades one version at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from struct import Struct
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from udfs.errors import StateVersionError

STATE_VERSION: Final = 1
"""Version that is written. Raise it with every change to the layout of either part, and add an upgrade from the version before."""

_HEAD: Final = Struct("<BxxxI")
_LENGTH: Final = Struct("<I")


class StateParts(NamedTuple):
    """The two parts of a symbol's state as bytes."""

    kernel: bytes
    alerts: bytes


Upgrade = Callable[[StateParts], StateParts]

UPGRADES: Final[Mapping[int, Upgrade]] = {}
"""From a version to the next one: what turns the parts of a blob of version v into those of version v + 1."""


def pack_state(kernel: npt.NDArray[Any], alerts: bytes = b"") -> bytes:
    """The state as bytes. `kernel` is one record of the kernels' structured dtype, or any array that is their whole state."""
    body = kernel.tobytes()
    return b"".join((_HEAD.pack(STATE_VERSION, len(body)), body, _LENGTH.pack(len(alerts)), alerts))


def unpack_state(blob: bytes, dtype: np.dtype[Any]) -> tuple[npt.NDArray[Any], bytes]:
    """The kernels' state, (records,) of `dtype`, writable and the caller's own, and the alert rules' state.

    Raises StateVersionError for a blob of an unknown version, a damaged blob, or one whose kernel state is no whole number of records.
    """
    parts = _split(blob) if blob[:1] == _CURRENT else upgrade(blob)
    if not parts.kernel or len(parts.kernel) % dtype.itemsize:
        raise StateVersionError(f"kernel state has {len(parts.kernel)} bytes; version {STATE_VERSION} has records of {dtype.itemsize}")
    return np.frombuffer(bytearray(parts.kernel), dtype), parts.alerts


def upgrade(blob: bytes, upgrades: Mapping[int, Upgrade] = UPGRADES, to_version: int = STATE_VERSION) -> StateParts:
    """The parts of a blob of this or an older version, as of `to_version`. Raises StateVersionError where there is no way to get there."""
    if not blob:
        raise StateVersionError("state blob is empty; expected a version byte")
    version = blob[0]
    missing = [step for step in range(version, to_version) if step not in upgrades]
    if version > to_version or version == 0 or missing:
        known = ", ".join(str(number) for number in sorted({*upgrades, to_version}))
        raise StateVersionError(f"state blob has version {version}; this code reads {known}. Run the release that wrote it, or a newer one")
    parts = _split(blob)
    for step in range(version, to_version):
        parts = upgrades[step](parts)
    return parts


def _split(blob: bytes) -> StateParts:
    """The parts of a blob of any known version: the frame around them is the same in all. Raises StateVersionError where it is damaged."""
    size = len(blob)
    if size >= _HEAD.size:
        kernel_end = _HEAD.size + _HEAD.unpack_from(blob)[1]
        alerts_start = kernel_end + _LENGTH.size
        if size >= alerts_start and size - alerts_start == _LENGTH.unpack_from(blob, kernel_end)[0]:
            return StateParts(blob[_HEAD.size : kernel_end], blob[alerts_start:])
    raise StateVersionError(f"state blob of {size} bytes is damaged: its lengths do not add up")


_CURRENT: Final = bytes([STATE_VERSION])
