"""What a network is trained for: direction, return, its size, the volatility of the next hour, and what holding its opinion would earn.

Only the program that trains imports this, in the environment that has JAX.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from jobs.training.neural.network import NetworkSettings, forward

_OUTPUTS = 5
_FURTHEST = 3.0
"""In deviations: what a return counts as at most, so that a few jumps do not decide."""
_DISTANCE = 5.0
Array = Any


class Batch(NamedTuple):
    """Rows of one step; those that only fill it up weigh nothing."""

    distances: Array
    """(rows, inputs) 0 where missing."""
    missing: Array
    """(rows, inputs) 1 where missing."""
    base: Array
    """(rows, 5) what the linear part says."""
    classes: Array
    log_return: Array
    size: Array
    """(rows,) log of how far the return went."""
    volatility: Array
    """(rows,) log volatility of the next hour, in deviations from its mean; NaN where it is not known."""
    weight: Array


def with_gaps(batch: Batch, layout: npt.NDArray[np.int64], settings: NetworkSettings, key: Array) -> Batch:
    """Some inputs, and some windows as a whole, go missing."""
    rows, inputs = batch.distances.shape
    by_input, by_window = jax.random.split(key)
    window_of_input = np.argsort(layout.ravel(), kind="stable")[:inputs] // layout.shape[1]
    gone = jax.random.bernoulli(by_input, settings.dropped_inputs, (rows, inputs))
    gone |= jax.random.bernoulli(by_window, settings.dropped_windows, (rows, layout.shape[0]))[:, window_of_input]
    return batch._replace(distances=jnp.where(gone, 0.0, batch.distances), missing=jnp.maximum(batch.missing, gone))


def loss_of(weights: dict[str, Array], batch: Batch, layout: npt.NDArray[np.int64], settings: NetworkSettings) -> Array:
    """Half of it from the rows as they are, half from rows moved to where it hurts most (Goodfellow, Shlens, Szegedy 2015)."""

    def at(distances: Array) -> Array:
        return _loss(weights, batch._replace(distances=distances), layout, settings)

    if not settings.adversarial_noise:
        return at(batch.distances)
    plain, slope = jax.value_and_grad(at)(batch.distances)
    moved = batch.distances + settings.adversarial_noise * jnp.sign(jax.lax.stop_gradient(slope)) * (1 - batch.missing)
    return (plain + at(jnp.clip(moved, -_DISTANCE, _DISTANCE))) / 2


def _loss(weights: dict[str, Array], batch: Batch, layout: npt.NDArray[np.int64], settings: NetworkSettings) -> Array:
    said = forward(jnp, weights, layout, batch.distances, batch.missing)
    scores = said[:, :_OUTPUTS] + batch.base
    share = batch.weight / jnp.maximum(batch.weight.sum(), 1e-9)
    log_probability = jax.nn.log_softmax(scores[:, :3])
    direction = -(share * jnp.take_along_axis(log_probability, batch.classes[:, None], 1)[:, 0]).sum()
    moved = jnp.clip(batch.log_return / jnp.exp(jax.lax.stop_gradient(scores[:, 4])), -_FURTHEST, _FURTHEST)
    return (
        direction
        + settings.return_weight * (share * _huber(moved - scores[:, 3])).sum()
        + settings.sigma_weight * (share * jnp.square(batch.size - scores[:, 4])).sum()
        + settings.volatility_weight * _known_only(share, batch.volatility, said[:, _OUTPUTS])
        - settings.sharpe_weight * _sharpe(share, jnp.exp(log_probability), moved)
    )


def _huber(error: Array) -> Array:
    """Squared up to 1, straight beyond (Huber 1964)."""
    size = jnp.abs(error)
    return jnp.where(size <= 1, size * size / 2, size - 0.5)


def _known_only(share: Array, wanted: Array, said: Array) -> Array:
    known = share * ~jnp.isnan(wanted)
    return (known * jnp.square(jnp.nan_to_num(wanted) - said)).sum() / jnp.maximum(known.sum(), 1e-9)


def _sharpe(share: Array, probabilities: Array, moved: Array) -> Array:
    """Mean gain over its deviation, of holding as much as up is likelier than down."""
    gain = (probabilities[:, 2] - probabilities[:, 0]) * moved
    mean = (share * gain).sum()
    return mean / jnp.sqrt((share * jnp.square(gain - mean)).sum() + 1e-6)
