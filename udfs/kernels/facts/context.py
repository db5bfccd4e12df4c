"""What the rest of the market does, as CONTEXT facts tell it: index, sector, volatility index and rate; and the symbol's beta."""

# mypy: no-warn-return-any
from __future__ import annotations

from typing import Final

import numpy as np

from udfs.kernels.compiled import kernel
from udfs.kernels.events import NANOSECONDS_PER_SECOND
from udfs.kernels.facts.layout import CONTEXT_NUMBERS
from udfs.kernels.feature_vector import Feature
from udfs.kernels.robust_scale import QUANTILE_IN_SIGMAS, SIGMAS, next_quantile, ten_sigmas
from udfs.kernels.sessions import session_of
from udfs.kernels.symbol_state import Record

STALE_NANOSECONDS: Final = 60 * NANOSECONDS_PER_SECOND
"""Age on the symbol's clock from which a context says nothing any more."""
MINUTE_NANOSECONDS: Final = 60 * NANOSECONDS_PER_SECOND
"""Of each minute the first pair counts, whatever came before it: where the log begins does not show."""
PAIR_NANOSECONDS: Final = 10 * NANOSECONDS_PER_SECOND
"""How far the ends of the two returns of a pair may lie apart."""
BETA_PAIRS: Final = 60.0
"""Pairs in which the weight of a pair decays to 1 / e."""
LEAST_PAIRS: Final = 20
LARGEST_RETURN: Final = 1.0
"""Of an index or a sector within minutes; a simple return in percent is beyond it."""
LEAST_OUTLIER: Final = 0.001
"""Return of the index over 1 min up to which none is taken for a misprint, however quiet the index is."""
_LEAST_QUANTILE: Final = LEAST_OUTLIER * QUANTILE_IN_SIGMAS / SIGMAS
_LEFT: Final = float(np.exp(-1.0 / BETA_PAIRS))
_LEAST_WEIGHT: Final = (1.0 - _LEFT**LEAST_PAIRS) / (1.0 - _LEFT) * (1.0 - 1e-9)
_LEAST_SPREAD: Final = 1e-9
"""Share of its mean square that the variance of the index's returns must exceed: below it the slope would be made of rounding."""
_INDEX_SECOND, _INDEX_MINUTE, _INDEX_FIVE, _SECTOR, _SECTOR_VOLATILITY, _RANK, _VIX, _RATE = range(len(CONTEXT_NUMBERS))


@kernel
def context_is_possible(numbers: Record) -> bool:
    """Log returns within -1 and 1, a rank within 0 and 1, a volatility index above 0, a volatility not below; each may be NaN."""
    for place in (_INDEX_SECOND, _INDEX_MINUTE, _INDEX_FIVE, _SECTOR):
        if abs(numbers[place]) > LARGEST_RETURN:
            return False
    return not (numbers[_RANK] < 0.0 or numbers[_RANK] > 1.0 or numbers[_VIX] <= 0.0 or numbers[_SECTOR_VOLATILITY] < 0.0)


@kernel
def take_context(state: Record, event_time: int, numbers: Record) -> None:
    """Hold it until the next one, and its values as the session's first where they are. One beside a late event is of the newest's time."""
    event_time = max(event_time, state.context.time)
    held, session = state.context, session_of(state, event_time // NANOSECONDS_PER_SECOND)
    held.time = event_time
    held.index_return_1_second, held.index_return_1_minute = numbers[_INDEX_SECOND], numbers[_INDEX_MINUTE]
    held.index_return_5_minutes, held.sector_return_5_minutes = numbers[_INDEX_FIVE], numbers[_SECTOR]
    held.sector_volatility_5_minutes, held.sector_rank = numbers[_SECTOR_VOLATILITY], numbers[_RANK]
    held.vix, held.rate = numbers[_VIX], numbers[_RATE]
    if session != held.session:
        held.session, held.first_vix, held.first_rate = session, np.nan, np.nan
    held.first_vix = held.vix if np.isnan(held.first_vix) else held.first_vix
    held.first_rate = held.rate if np.isnan(held.first_rate) else held.first_rate


@kernel
def put_context(values: Record, state: Record) -> None:
    """Write what the newest context says, then let it count for the beta. Returns and volatility of the row must have been written."""
    held, beta = state.context, _beta(state.context)
    values[Feature.BETA] = beta
    own_volatility = values[Feature.REALISED_VOLATILITY_5_MINUTES]
    values[Feature.VOLATILITY_OR_PRIOR_5_MINUTES] = own_volatility
    if held.time == 0 or state.clock - held.time > STALE_NANOSECONDS:
        return
    values[Feature.INDEX_RETURN_1_SECOND] = held.index_return_1_second
    values[Feature.INDEX_RETURN_1_MINUTE] = held.index_return_1_minute
    values[Feature.INDEX_RETURN_5_MINUTES] = held.index_return_5_minutes
    own = values[Feature.RETURN_1_MINUTE]
    values[Feature.BETA_RESIDUAL_RETURN_1_MINUTE] = own - beta * held.index_return_1_minute
    values[Feature.SECTOR_RELATIVE_RETURN_5_MINUTES] = values[Feature.RETURN_5_MINUTES] - held.sector_return_5_minutes
    values[Feature.SECTOR_RANK] = held.sector_rank
    if np.isnan(own_volatility):
        values[Feature.VOLATILITY_OR_PRIOR_5_MINUTES] = held.sector_volatility_5_minutes
    values[Feature.VIX_LEVEL], values[Feature.VIX_CHANGE] = held.vix, np.log(held.vix / held.first_vix)
    values[Feature.RATE_LEVEL], values[Feature.RATE_CHANGE] = held.rate, held.rate - held.first_rate
    _sample(held, own, state.clock)


@kernel
def _sample(held: Record, own: float, clock: int) -> None:
    """Let a pair of returns that end at the same time count, once a minute.

    None does whose index return lies beyond max(0.1 %, 10 sigma): one misprint of the index would outweigh hours of pairs. Sigma follows
    those too that do not count, so that an index that has become wild counts again.
    """
    index = held.index_return_1_minute
    is_first = held.time // MINUTE_NANOSECONDS > held.sampled_time // MINUTE_NANOSECONDS
    if not is_first or not np.isfinite(own + index) or abs(clock - held.time) > PAIR_NANOSECONDS:
        return
    held.sampled_time = held.time
    quantile = max(held.index_quantile, _LEAST_QUANTILE)
    held.index_quantile = next_quantile(quantile, abs(index))
    if abs(index) > ten_sigmas(quantile):
        return
    held.weight = held.weight * _LEFT + 1.0
    held.index = held.index * _LEFT + index
    held.own = held.own * _LEFT + own
    held.index_squares = held.index_squares * _LEFT + index * index
    held.products = held.products * _LEFT + index * own


@kernel
def _beta(held: Record) -> float:
    """Slope of the symbol's returns on the index's, with intercept; NaN while there are too few, or the index's do not vary."""
    if held.weight < _LEAST_WEIGHT:
        return np.nan
    variance = held.index_squares - held.index * held.index / held.weight
    if not variance > _LEAST_SPREAD * held.index_squares:
        return np.nan
    return (held.products - held.index * held.own / held.weight) / variance
