"""Settings that cannot work are refused, with every problem named."""

from __future__ import annotations

import pytest

from tests.support.kernel_events import MIDNIGHT, columns_of, trade
from udfs.errors import InvalidSettings
from udfs.kernels.advance import KernelSettings, advance
from udfs.kernels.kernel_settings import compiled_settings
from udfs.kernels.symbol_state import new_state


def test_defaults_are_sound() -> None:
    assert compiled_settings(KernelSettings())["published_bars"].tolist() == [0b1111]


def test_every_problem_is_named_at_once() -> None:
    wrong = KernelSettings(out_of_order_nanoseconds=10**11, row_interval_nanoseconds=-1, minimum_time=0, bar_lengths_seconds=(60, 7))
    with pytest.raises(InvalidSettings) as error:
        advance(new_state(), columns_of([trade(MIDNIGHT, 1.0)]), wrong)
    for name in ("out_of_order_nanoseconds", "row_interval_nanoseconds", "minimum_time", "bar_lengths_seconds"):
        assert name in str(error.value)
