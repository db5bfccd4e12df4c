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

STATE_VERSION: Final = 2
"""Version that is written. Raise it with every change to the layout of either part, and add an upgrade from the version before."""
OLDEST_VERSION: Final = 2
"""Version of the first release: nothing leads from an older one to it."""

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
    """The state as bytes. `kernel` is an array of the kernels' structured dtype, (1,) for one symbol."""
    return _joined(STATE_VERSION, (kernel.tobytes(), alerts))


def unpack_state(blob: bytes, dtype: np.dtype[Any]) -> tuple[npt.NDArray[Any], bytes]:
    """The kernels' state, (records,) of `dtype`, writable and the caller's own, and the alert rules' state.

    Raises StateVersionError for a blob of an unknown version, a damaged blob, or one whose kernel state is no whole number of records.
    """
    if blob[:1] != _CURRENT:
        blob = _joined(STATE_VERSION, upgrade(blob))
    kernel_end = _kernel_end(blob)
    records, rest = divmod(kernel_end - _HEAD.size, dtype.itemsize)
    if rest or not records:
        raise StateVersionError(
            f"kernel state has {kernel_end - _HEAD.size} bytes; version {STATE_VERSION} has records of {dtype.itemsize}"
        )
    return np.frombuffer(bytearray(blob), dtype, records, _HEAD.size), blob[kernel_end + _LENGTH.size :]


def upgrade(blob: bytes, upgrades: Mapping[int, Upgrade] = UPGRADES, to_version: int = STATE_VERSION) -> StateParts:
    """The parts of a blob of this or an older version, as of `to_version`. Raises StateVersionError where there is no way to get there."""
    if not blob:
        raise StateVersionError("state blob is empty; expected a version byte")
    version = blob[0]
    missing = [step for step in range(version, to_version) if step not in upgrades]
    if version > to_version or version == 0 or missing:
        known = ", ".join(str(number) for number in sorted({*upgrades, to_version}))
        advice = "Run the release that wrote it, or a newer one"
        if 0 < version < OLDEST_VERSION:
            advice = "It is from before the first release: start without it, from the log"
        raise StateVersionError(f"state blob has version {version}; this code reads {known}. {advice}")
    kernel_end = _kernel_end(blob)
    parts = StateParts(blob[_HEAD.size : kernel_end], blob[kernel_end + _LENGTH.size :])
    for step in range(version, to_version):
        parts = upgrades[step](parts)
    return parts


def _joined(version: int, parts: tuple[bytes, bytes]) -> bytes:
    kernel, alerts = parts
    return b"".join((_HEAD.pack(version, len(kernel)), kernel, _LENGTH.pack(len(alerts)), alerts))


def _kernel_end(blob: bytes) -> int:
    """Where the kernel state ends; the frame around the parts is the same in all versions. Raises StateVersionError on a damaged blob."""
    size = len(blob)
    if size >= _HEAD.size + _LENGTH.size:
        kernel_end: int = _HEAD.size + _HEAD.unpack_from(blob)[1]
        alerts_start = kernel_end + _LENGTH.size
        if size >= alerts_start and size - alerts_start == _LENGTH.unpack_from(blob, kernel_end)[0]:
            return kernel_end
    raise StateVersionError(f"state blob of {size} bytes is damaged: its lengths do not add up")


_CURRENT: Final = bytes([STATE_VERSION])
