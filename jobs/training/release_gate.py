"""No model leaves training unless its file scores as the library that trained it does, missing values included."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from jobs.training.fit import FittedModel, Native
from udfs.errors import ModelMismatch
from udfs.scoring.calibration import CLASSES, calibrate
from udfs.scoring.linear import contributions
from udfs.scoring.onnx_model import INPUT_NAME, PUBLIC_OUTPUTS, Scorer, Scores, open_session

PROBABILITY_TOLERANCE = 1e-5
RELATIVE_TOLERANCE = 1e-4
_ATTRIBUTED_ROWS = 50


def golden_rows(inputs: npt.NDArray[np.float32], count: int = 1000) -> npt.NDArray[np.float32]:
    """Rows to compare on: real ones, the same with values knocked out, each input missing alone, none there, and extremes."""
    generator = np.random.default_rng(1)
    real = inputs[np.linspace(0, inputs.shape[0] - 1, min(count, inputs.shape[0])).astype(int)]
    holed = np.where(generator.random(real.shape) < 0.3, np.float32(np.nan), real)
    alone = np.repeat(real[:1], inputs.shape[1], axis=0)
    np.fill_diagonal(alone, np.nan)
    extremes = np.stack([np.full(inputs.shape[1], value, np.float32) for value in (np.nan, 0.0, -0.0, 1e30, -1e30)])
    return np.concatenate([real, holed, alone, extremes], dtype=np.float32)


def check_release(model: FittedModel, scorer: Scorer, data: bytes, rows: npt.NDArray[np.float32]) -> float:
    """Largest difference of a probability between the library that trained the model and the file over the golden rows.

    Raises ModelMismatch when class, probability, return, sigma, attribution, or a row's bits alone and in the batch differ too much.
    """
    attributed = np.arange(0, rows.shape[0], max(1, rows.shape[0] // _ATTRIBUTED_ROWS))
    said = model.fitted.natively(rows, attributed)
    native, library = _as_scores(said, model), model.fitted.library
    scored = scorer.score(*_spread(scorer, rows))
    probabilities, expected_return, sigma = open_session(data).run(list(PUBLIC_OUTPUTS), {INPUT_NAME: rows})
    exported = Scores(probabilities, expected_return, sigma, scored.valid_share, scored.outside_share)
    worst = max(_compare(native, scored, library, "scored"), _compare(native, exported, library, "exported"))
    _check_single_rows(scorer, rows, scored)
    _check_attributions(model, scorer, rows[attributed], said._replace(raw_scores=said.raw_scores[attributed]))
    return worst


def _spread(scorer: Scorer, rows: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Model inputs put back to where they stand in the job's feature list."""
    values = np.full((rows.shape[0], int(scorer.columns.max()) + 1), np.nan, np.float32)
    values[:, scorer.columns] = rows
    return values, ~np.isnan(values)


def _as_scores(said: Native, model: FittedModel) -> Scores:
    raw_scores = said.raw_scores
    sigma = np.exp(raw_scores[:, 4])
    known = np.ones(raw_scores.shape[0])
    return Scores(calibrate(raw_scores[:, :3], model.calibration), raw_scores[:, 3] * sigma, sigma, known, 0 * known)


def _compare(native: Scores, found: Scores, library: str, name: str) -> float:
    difference = np.abs(native.probabilities - found.probabilities).max(axis=1)
    worst = float(difference.max())
    if not worst <= PROBABILITY_TOLERANCE:
        row = int(difference.argmax())
        raise ModelMismatch(
            f"{name} probabilities of golden row {row} are {found.probabilities[row]}, {library} says {native.probabilities[row]}"
            f" ({worst:.2g} apart, at most {PROBABILITY_TOLERANCE}): not released"
        )
    top = np.sort(native.probabilities, axis=1)
    decided = top[:, 2] - top[:, 1] > 2 * PROBABILITY_TOLERANCE
    if np.any((native.probabilities.argmax(axis=1) != found.probabilities.argmax(axis=1)) & decided):
        raise ModelMismatch(f"{name} classes differ from {library}'s on golden rows: not released")
    scale = float(np.abs(native.sigma).min())
    close = np.allclose(native.sigma, found.sigma, rtol=RELATIVE_TOLERANCE, atol=0.0)
    if not close or not np.allclose(
        native.expected_return, found.expected_return, rtol=RELATIVE_TOLERANCE, atol=RELATIVE_TOLERANCE * scale
    ):
        raise ModelMismatch(f"{name} expected return or sigma differ from {library}'s on golden rows: not released")
    return worst


def _check_single_rows(scorer: Scorer, rows: npt.NDArray[np.float32], batch: Scores) -> None:
    values, valid = _spread(scorer, rows)
    for row in range(0, rows.shape[0], max(1, rows.shape[0] // 200)):
        alone = scorer.score(values[row : row + 1], valid[row : row + 1])
        if any(one.tobytes() != many[row : row + 1].tobytes() for one, many in zip(alone, batch, strict=True)):
            raise ModelMismatch(f"golden row {row} scores differently alone and in a batch: not released")


def _check_attributions(model: FittedModel, scorer: Scorer, rows: npt.NDArray[np.float32], said: Native) -> None:
    tolerance, library = model.fitted.attribution_tolerance, model.fitted.library
    for row, inputs in enumerate(rows):
        for output in range(CLASSES):
            found, bias = scorer.attribute(inputs, output)
            if not abs(found.sum() + bias - said.raw_scores[row, output]) <= tolerance:
                raise ModelMismatch(f"the reasons' contributions do not add up to {library}'s raw score: not released")
            if said.contributions is None:
                continue
            known = said.contributions[row, output] + contributions(model.fitted.linear, inputs, output)
            if not np.allclose(known, found, rtol=RELATIVE_TOLERANCE, atol=tolerance):
                raise ModelMismatch(f"the reasons' contributions differ from {library}'s on golden rows: not released")
