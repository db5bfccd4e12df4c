"""Steps of AdamW (Loshchilov and Hutter 2019) on batches that all devices share; the same rows and settings give the same weights.

Each device holds all weights and a part of each batch. What a batch misses is drawn for the whole batch, so the number of devices changes
nothing but the order of additions. Only the program that trains imports this, in the environment that has JAX.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jobs.training.neural.network import NetworkSettings, first_weights, forward
from jobs.training.neural.objectives import Batch, loss_of, with_gaps

_DECAYS = (0.9, 0.999)
_LARGEST_GRADIENT = 1.0
_SCORED_AT_ONCE = 4096
Weights = dict[str, Any]


class State(NamedTuple):
    """What a step changes."""

    weights: Weights
    first: Weights
    second: Weights
    steps: Any


class Trainer:
    """Trains networks of one layout; what is compiled for the first serves all."""

    def __init__(self, layout: npt.NDArray[np.int64], settings: NetworkSettings, seed: int) -> None:
        there = jax.devices()
        self.devices = there[: settings.devices or len(there)]
        self._layout, self._settings, self._seed = layout, settings, seed
        self._size = (layout.shape[0], layout.shape[1])
        mesh = Mesh(np.array(self.devices), ("rows",))
        self._everywhere, self._shared = NamedSharding(mesh, PartitionSpec()), NamedSharding(mesh, PartitionSpec("rows"))
        self._rows = -(-settings.batch // len(self.devices)) * len(self.devices)
        self._step: Callable[[State, Batch, Any], tuple[State, Any]] = jax.jit(partial(_step, layout=layout, settings=settings))
        self._forward = jax.jit(partial(forward, jnp, layout=layout))

    def train(self, rows: Batch, places: npt.NDArray[np.intp], losses: list[float]) -> Iterator[Weights]:
        """The weights before the first epoch and after each; the loss of each step is appended to `losses`."""
        weights = first_weights(*self._size, self._settings, self._seed)
        nothing = {name: np.zeros_like(value) for name, value in weights.items()}
        state = jax.device_put(State(weights, nothing, nothing, np.float32(0)), self._everywhere)
        yield jax.device_get(state.weights)
        for epoch in range(self._settings.epochs):
            found = []
            for number, batch in enumerate(self._batches(rows, places, epoch)):
                key = jax.random.fold_in(jax.random.fold_in(jax.random.key(self._seed), epoch), number)
                state, loss = self._step(state, jax.device_put(batch, self._shared), jax.device_put(key, self._everywhere))
                found.append(loss)
            losses.extend(float(loss) for loss in found)
            yield jax.device_get(state.weights)

    def _batches(self, rows: Batch, places: npt.NDArray[np.intp], epoch: int) -> Iterator[Batch]:
        order = np.random.default_rng((self._seed, epoch)).permutation(places)
        for begin in range(0, order.shape[0], self._rows):
            chosen = order[begin : begin + self._rows]
            filled = np.concatenate([chosen, np.zeros(self._rows - chosen.shape[0], chosen.dtype)])
            counts = np.arange(self._rows) < chosen.shape[0]
            batch = Batch(*(column[filled] for column in rows))
            yield batch._replace(missing=batch.missing.astype(np.float32), weight=batch.weight * counts.astype(np.float32))

    def scores(self, weights: Weights, distances: npt.NDArray[np.float32], missing: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
        """(rows, heads) what a network says, part by part so that one compilation serves all."""
        found = [
            self._padded(weights, distances[begin : begin + _SCORED_AT_ONCE], missing[begin : begin + _SCORED_AT_ONCE])
            for begin in range(0, distances.shape[0], _SCORED_AT_ONCE)
        ]
        return np.concatenate(found)

    def _padded(self, weights: Weights, distances: npt.NDArray[np.float32], missing: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
        rows = distances.shape[0]
        filler = ((0, _SCORED_AT_ONCE - rows), (0, 0))
        said = self._forward(weights, distances=np.pad(distances, filler), missing=np.pad(missing.astype(np.float32), filler))
        return np.asarray(said)[:rows]


def contributions(
    weights: Weights, layout: npt.NDArray[np.int64], distances: npt.NDArray[Any], missing: npt.NDArray[Any]
) -> npt.NDArray[Any]:
    """(rows, classes, inputs) gradient of each class times the distance, by JAX's own differentiation."""

    def of_row(row: Any, gone: Any) -> Any:
        return forward(jnp, weights, layout, row[None], gone[None])[0, :3]

    slopes = jax.jit(jax.vmap(jax.jacrev(of_row)))(distances, missing.astype(distances.dtype))
    return np.asarray(slopes * distances[:, None, :])


def _step(state: State, batch: Batch, key: Any, layout: npt.NDArray[np.int64], settings: NetworkSettings) -> tuple[State, Any]:
    batch = with_gaps(batch, layout, settings, key)
    loss, slopes = jax.value_and_grad(loss_of)(state.weights, batch, layout, settings)
    length = jnp.sqrt(sum(jnp.square(slope).sum() for slope in slopes.values()))
    slopes = {name: slope * jnp.minimum(1.0, _LARGEST_GRADIENT / (length + 1e-9)) for name, slope in slopes.items()}
    steps = state.steps + 1
    first = {name: _DECAYS[0] * state.first[name] + (1 - _DECAYS[0]) * slope for name, slope in slopes.items()}
    second = {name: _DECAYS[1] * state.second[name] + (1 - _DECAYS[1]) * slope * slope for name, slope in slopes.items()}

    def moved(name: str) -> Any:
        straight = first[name] / (1 - _DECAYS[0] ** steps) / (jnp.sqrt(second[name] / (1 - _DECAYS[1] ** steps)) + 1e-8)
        decay = 0.0 if name.endswith(("bias", "scale")) else settings.weight_decay
        return state.weights[name] * (1 - settings.learning_rate * decay) - settings.learning_rate * straight

    return State({name: moved(name) for name in slopes}, first, second, steps), loss
