"""The network itself, written once for JAX, which trains it, and for numpy, which checks what was trained.

After the temporal fusion transformer (Lim, Arik, Loeff, Pfister 2021): in each window the inputs are weighed against each other by what
they all say (variable selection), a gate lets through what a small layer makes of them, attention with one set of values for all heads
lets the windows look at each other, and a last layer reads them together. A missing input counts as the middle of its distribution, with
a mark that it is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

HEADS: Final = ("down", "neutral", "up", "return_in_sigmas", "log_sigma", "log_hour_volatility")
"""What the network tells: first the outputs of every model, then the volatility of the next hour, which it learns beside them."""
IMPOSSIBLE: Final = -1e9
"""Weight before the softmax of a place without an input."""
EPSILON: Final = 1e-5
"""Added to variances before they divide."""
Weights = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """What decides a network beside its rows."""

    width: int = 16
    """Numbers that stand for a window."""
    attention_heads: int = 2
    epochs: int = 6
    """At most; those after which unseen rows are predicted best are kept."""
    batch: int = 1024
    """Rows of a step, over all devices."""
    learning_rate: float = 2e-3
    weight_decay: float = 1e-3
    dropped_inputs: float = 0.1
    """Share of the inputs that a row of a step misses, so that a missing one is nothing unheard of."""
    dropped_windows: float = 0.05
    """The same of whole windows."""
    adversarial_noise: float = 0.05
    """How far each input is moved, in spreads, to where it hurts most; half of what is learnt comes from such rows."""
    return_weight: float = 0.5
    """Of the Huber loss of the return, where the cross-entropy of the direction has 1."""
    sigma_weight: float = 0.25
    volatility_weight: float = 0.25
    sharpe_weight: float = 0.05
    """Of minus the Sharpe ratio of holding the difference of the probabilities of up and down."""
    devices: int = 0
    """That share each step; 0: all that there are. Those of the accelerator where there is one, else of the processor, made as wanted."""


def shapes(windows: int, places: int, settings: NetworkSettings) -> dict[str, tuple[int, ...]]:
    """Of all weights, in the order in which they are drawn. Those whose name ends in `bias` and the heads begin at 0, `scale` at 1."""
    width, attention = settings.width, settings.attention_heads * settings.width
    return {
        "look": (windows, 2 * places, width),
        "look_bias": (windows, 1, width),
        "choose": (windows, width, places),
        "choose_bias": (windows, 1, places),
        "tell": (windows, 3 * places, width),
        "window_gate": (windows, width, width),
        "window_gate_bias": (windows, 1, width),
        "window_add": (windows, width, width),
        "window_add_bias": (windows, 1, width),
        "window_scale": (width,),
        "window_scale_bias": (width,),
        "query": (width, attention),
        "key": (width, attention),
        "value": (width, width),
        "seen_gate": (width, width),
        "seen_gate_bias": (width,),
        "seen_add": (width, width),
        "seen_add_bias": (width,),
        "seen_scale": (width,),
        "seen_scale_bias": (width,),
        "join": (windows * width, width),
        "join_bias": (width,),
        "head": (width, len(HEADS)),
        "head_bias": (len(HEADS),),
    }


def first_weights(windows: int, places: int, settings: NetworkSettings, seed: int) -> dict[str, npt.NDArray[np.float32]]:
    """Drawn with the deviation of Glorot and Bengio (2010). The heads are 0: a network that has learnt nothing adds nothing."""
    generator = np.random.default_rng(seed)
    return {name: _first(name, shape, generator) for name, shape in shapes(windows, places, settings).items()}


def _first(name: str, shape: tuple[int, ...], generator: np.random.Generator) -> npt.NDArray[np.float32]:
    if name.endswith("bias") or name == "head":
        return np.zeros(shape, np.float32)
    if name.endswith("scale"):
        return np.ones(shape, np.float32)
    deviation = np.sqrt(2 / (shape[-1] + shape[-2]))
    return np.asarray(generator.normal(size=shape) * deviation, np.float32)


def forward(xp: ModuleType, weights: Weights, layout: npt.NDArray[np.int64], distances: Any, missing: Any) -> Any:
    """(rows, HEADS) from (rows, inputs) distances from the middle, 0 where missing, and 1 where they are; `xp`: numpy or jax.numpy."""
    x, gone = (_by_window(xp, values, layout) for values in (distances, missing))
    hidden = xp.tanh(xp.concatenate([x, gone], -1) @ weights["look"] + weights["look_bias"])
    empty = xp.asarray((layout == distances.shape[1])[:, None, :] * IMPOSSIBLE, distances.dtype)
    chosen = _softmax(xp, hidden @ weights["choose"] + weights["choose_bias"] + empty)
    told = xp.concatenate([chosen * x, chosen * gone, chosen], -1) @ weights["tell"]
    windows = _norm(xp, told + _gated(xp, weights, "window", hidden), weights, "window")
    windows = xp.moveaxis(windows, 0, 1)
    attended = _attention(xp, weights, windows) @ (windows @ weights["value"])
    seen = _norm(xp, windows + _gated(xp, weights, "seen", attended), weights, "seen")
    joined = xp.tanh(seen.reshape(seen.shape[0], -1) @ weights["join"] + weights["join_bias"])
    return joined @ weights["head"] + weights["head_bias"]


def _by_window(xp: ModuleType, values: Any, layout: npt.NDArray[np.int64]) -> Any:
    """(windows, rows, places) with 0 where no input stands."""
    padded = xp.concatenate([values, xp.zeros_like(values[:, :1])], 1)
    return xp.moveaxis(padded[:, layout], 1, 0)


def _gated(xp: ModuleType, weights: Weights, name: str, values: Any) -> Any:
    """A gated linear unit (Dauphin et al. 2017): what a layer adds, let through as far as another one opens."""
    opened = 1 / (1 + xp.exp(-(values @ weights[f"{name}_gate"] + weights[f"{name}_gate_bias"])))
    return opened * (values @ weights[f"{name}_add"] + weights[f"{name}_add_bias"])


def _norm(xp: ModuleType, values: Any, weights: Weights, name: str) -> Any:
    away = values - values.mean(-1, keepdims=True)
    scaled = away / xp.sqrt((away * away).mean(-1, keepdims=True) + EPSILON)
    return scaled * weights[f"{name}_scale"] + weights[f"{name}_scale_bias"]


def _attention(xp: ModuleType, weights: Weights, windows: Any) -> Any:
    """(rows, windows, windows) how much each window looks at each, the mean of all heads."""
    rows, count, width = windows.shape

    def of_heads(name: str) -> Any:
        return xp.moveaxis((windows @ weights[name]).reshape(rows, count, -1, width), 2, 1)

    alike = of_heads("query") @ xp.swapaxes(of_heads("key"), -1, -2) / np.sqrt(width).astype(windows.dtype)
    return _softmax(xp, alike).mean(1)


def _softmax(xp: ModuleType, values: Any) -> Any:
    powers = xp.exp(values - values.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)
