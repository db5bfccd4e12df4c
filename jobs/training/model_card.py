"""A model's card in words, from the same values as `card.json`: what it was made from, what it is worth, and what speaks against it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

_SECOND = 1_000_000_000
_MEASURES = ("log_loss", "direction_log_loss", "pr_auc", "information_coefficient", "rank_information_coefficient")


def card_in_words(card: Mapping[str, Any]) -> str:
    """Markdown. Raises KeyError for a card that `train_model` and `runs` did not make."""
    sections = (_head(card), _gate(card), _measured(card), _calibration(card), _data(card), _made_by(card))
    return "\n\n".join(sections) + "\n"


def _head(card: Mapping[str, Any]) -> str:
    inputs = len(card["feature_names"])
    return (
        f"# Model {card['model_version']}\n\nPredicts direction, return and its spread over {card['horizon'] / _SECOND:g} s"
        f" from {inputs} features of {len(card['symbols'])} symbols. SHA-256 `{card['sha256']}`."
    )


def _gate(card: Mapping[str, Any]) -> str:
    against = card["gate"]["objections"]
    if not against:
        return "## Release gate\n\nPassed: on rows it had not seen it knows more than the class shares, and is no worse than any baseline."
    return "## Release gate\n\nNOT passed:\n\n" + "\n".join(f"- {objection}" for objection in against)


def _measured(card: Mapping[str, Any]) -> str:
    """The comparison on the test rows; intervals are 95 %, over stretches of two horizons."""
    metrics, comparison = card["metrics"], card["comparison"]
    rows = [[who.replace("_", " "), *(_estimate(entry[name]) for name in _MEASURES)] for who, entry in comparison.items()]
    gains = [
        [who.replace("_", " "), *(_interval(entry[name]["model_better_by"], entry[name]["model_better_by_interval"]) for name in _MEASURES)]
        for who, entry in comparison.items()
        if who != "model"
    ]
    head = ["", *(name.replace("_", " ") for name in _MEASURES)]
    return (
        f"## Out of sample\n\n{metrics['rows']} test rows in {metrics['blocks']} stretches of two horizons;"
        f" 95 % intervals resample stretches.\n\n"
        f"{_table(head, rows)}\n\nBy how much the model is better (above 0), on the same draws:\n\n{_table(head, gains)}"
    )


def _calibration(card: Mapping[str, Any]) -> str:
    metrics, calibration = card["metrics"], card["calibration"]
    groups = [[f"{one['claimed']:.3f}", f"{one['happened']:.3f}", str(one["rows"])] for one in card["reliability"]]
    abstention = calibration["abstention"]
    confidences = [
        [f"{one['confidence']:g}", str(one["rows"]), "" if one["precision"] is None else f"{one['precision']:.3f}"]
        for one in abstention["precision_by_confidence"]
    ]
    stated = abstention["stated_precision"]
    chosen = "as set" if stated is None else f"chosen so that {stated:g} of the signals with a direction come true, at 95 %"
    return (
        f"## Calibration\n\nMethod: {calibration['method']} (log-loss left out by fold: {_pairs(calibration['log_loss_by_method'])})."
        f" Expected calibration error on the test rows {metrics['calibration_error']:.4f},"
        f" by class {metrics['class_calibration_error']:.4f}."
        f"\n\n{_table(['claimed', 'happened', 'rows'], groups)}\n\n"
        f"Middle 90 % of the expected distribution holds {metrics['coverage_90']:.3f} of the test rows' returns"
        f" (68 %: {metrics['coverage_68']:.3f}, 95 %: {metrics['coverage_95']:.3f})."
        f" CRPS {metrics['crps']:.4g}; each symbol's constant sigma has {metrics['constant_crps']:.4g}.\n\n"
        f"Abstains below confidence {abstention['minimum_confidence']:.3f}, {chosen}. On training rows left out:\n\n"
        f"{_table(['confidence', 'rows', 'precision'], confidences)}"
    )


def _data(card: Mapping[str, Any]) -> str:
    parts = [[name, str(part["rows"]), _time(part["from"]), _time(part["to"])] for name, part in card["parts"].items()]
    return (
        f"## Data\n\nSource: {_pairs(card['data'])}. Snapshots: {', '.join(map(str, card['snapshot_ids'])) or 'none'}."
        f" Feature set `{card['feature_set']}`. Outcome: {_pairs(card['label'])}.\n\n{_table(['part', 'rows', 'from', 'to'], parts)}\n\n"
        f"Symbols: {', '.join(card['symbols'])}."
    )


def _made_by(card: Mapping[str, Any]) -> str:
    importance = [[name, f"{share:.3f}"] for name, share in card["importance"].items()]
    return (
        f"## Made by\n\nTickflow {card['tickflow_version']}, code `{card['code_hash'] or 'unknown'}`; {_pairs(card['libraries'])}.\n\n"
        f"Parameters (the seed among them): {_pairs(card['settings'])}. Largest difference of a probability between"
        f" {card['library']} and the ONNX file: {card['largest_difference_from_library']:.2g}.\n\n"
        f"{_table(['input', 'share of what decides the direction'], importance)}"
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows))


def _estimate(entry: Mapping[str, Any]) -> str:
    return _interval(entry["value"], entry["interval"])


def _interval(value: float | None, interval: Sequence[float | None]) -> str:
    low, high = ("–" if bound is None else f"{bound:.4f}" for bound in interval)
    return f"{'–' if value is None else f'{value:.4f}'} ({low} to {high})"


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {f'{value:.5g}' if isinstance(value, float) else value}" for name, value in values.items())


def _time(nanoseconds: int) -> str:
    return f"{datetime.fromtimestamp(nanoseconds // _SECOND, UTC):%Y-%m-%d %H:%M:%S}"
