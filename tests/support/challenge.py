"""Models that differ from a sound one in how sure of themselves they are."""

from __future__ import annotations

from dataclasses import replace

from jobs.training.export_onnx import export_model
from udfs.scoring.onnx_model import Scorer


def renamed(sound: Scorer, version: str, surer: float = 1.0) -> bytes:
    """The same model under another name, so many times as sure of itself: beyond 1, what it claims comes true more seldom than it says."""
    metadata = replace(sound.metadata, model_version=version, calibration_scale=surer * sound.metadata.calibration_scale)
    return export_model(sound.trees, metadata)
