"""Settings that cannot work are refused, with every problem named."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.kernel_events import MIDNIGHT, columns_of, trade
from udfs.errors import InvalidSettings
from udfs.kernels.advance import KernelSettings, advance
from udfs.kernels.kernel_settings import FRACTIONAL_MINUTES, compiled_settings, fractional_weights
from udfs.kernels.symbol_state import new_state


def test_defaults_are_sound() -> None:
    assert compiled_settings(KernelSettings())["published_bars"].tolist() == [0b1111]


def test_every_problem_is_named_at_once() -> None:
    wrong = KernelSettings(
        out_of_order_nanoseconds=10**11,
        row_interval_nanoseconds=-1,
        minimum_time=0,
        bar_lengths_seconds=(60, 7),
        fractional_order=-0.5,
        garch_alpha=0.5,
        garch_beta=0.5,
        garch_target_bars=-1,
    )
    with pytest.raises(InvalidSettings) as error:
        advance(new_state(), columns_of([trade(MIDNIGHT, 1.0)]), wrong)
    names = ("out_of_order_nanoseconds", "row_interval_nanoseconds", "minimum_time", "bar_lengths_seconds", "fractional_order")
    for name in (*names, "garch_alpha", "garch_target_bars"):
        assert name in str(error.value)


def test_weights_of_the_fractional_difference() -> None:
    """Order 0 is the price itself, order 1 its difference; between them the weights of the binomial series, and they never grow."""
    assert fractional_weights(0.0).tolist() == [1.0, *[0.0] * (FRACTIONAL_MINUTES - 1)]
    assert fractional_weights(1.0).tolist() == [1.0, -1.0, *[0.0] * (FRACTIONAL_MINUTES - 2)]
    np.testing.assert_allclose(fractional_weights(0.4)[:4], [1.0, -0.4, -0.12, -0.064])
    assert (np.diff(fractional_weights(0.4)[1:]) > 0).all()
