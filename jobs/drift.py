"""`infra/tickflow drift`: whether the stored features, and what a model says of them, still are what they were. Needs no outcomes."""

from __future__ import annotations

import argparse
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.model_aliases import CHAMPION, aliases_of
from jobs.model_store import MODEL_FILE, ModelStore, read_card
from jobs.releasing import chosen_store
from jobs.time_arguments import parse_time
from jobs.verb_result import NOT_HELD, USAGE, finish, needs_stored
from udfs.errors import InvalidSettings, ModelMismatch, TickflowError

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

    from jobs.monitoring.drift import DriftSettings
    from jobs.training.dataset import Dataset

_SHOWN = 15


def main(arguments: list[str]) -> int:
    """Run the verb; 0 no drift, 1 drift or not enough rows, 2 usage or environment."""
    options = _parser().parse_args(arguments)
    if options.check:
        from jobs.monitoring.drift_check import CheckSettings, check_drift, tell

        return finish("drift --check", options.json, partial(check_drift, CheckSettings()), tell, {}, lambda found: bool(found["holds"]))
    codes: dict[type[Exception], int] = {InvalidSettings: USAGE, TickflowError: NOT_HELD, ValueError: USAGE}
    return finish("drift", options.json, partial(_run, options), _tell, codes, lambda result: not result["drifted"])


def _run(options: argparse.Namespace) -> dict[str, Any]:
    from jobs.lake.catalog import open_catalog
    from jobs.lake.settings import lake_from_environment
    from jobs.monitoring.drift import DriftSettings

    lake = lake_from_environment(os.environ, options.lake)
    store = chosen_store(options, lake)
    settings = DriftSettings(false_alarms=options.false_alarms, block=round(options.block_seconds * 1e9))
    with needs_stored("feature rows"):
        catalog, card = open_catalog(lake), card_of(store, options.model)
        return drift_of_model(catalog, store, card, settings, *rows_since_training(catalog, card, options.from_time, options.to_time))


def drift_of_model(
    catalog: Catalog, store: ModelStore, card: dict[str, Any], settings: DriftSettings, reference: Dataset, recent: Dataset
) -> dict[str, Any]:
    """Drift of a model's features from its training rows to recent ones, and of its predictions since its test rows, as JSON values.

    Raises NotEnoughData where the rows tell too little of the features; of the predictions that is said in the result.
    """
    from jobs.monitoring.compare import as_json, drift_of
    from jobs.monitoring.predictions import NAMES

    names = tuple(card["feature_names"])
    found = drift_of(reference, recent, names, settings, len(names) + len(NAMES))
    predictions = _predictions(catalog, store, card, recent, settings)
    result = {"model": card["model_version"], **as_json(found, reference, recent), "predictions": predictions}
    alarms = result["alarms"] + predictions["alarms"]
    return result | {"alarms": alarms, "drifted": bool(alarms)}


def rows_since_training(
    catalog: Catalog, card: dict[str, Any], from_time: int | None = None, to_time: int | None = None
) -> tuple[Dataset, Dataset]:
    """A model's training rows, and recent ones of its symbols: those after them unless times (nanoseconds) say otherwise.

    Raises NotEnoughData where there are none.
    """
    first, last = card["training_range"]
    return (
        _rows_between(catalog, first, last + 1, card["symbols"]),
        _rows_between(catalog, from_time or last + 1, to_time, card["symbols"]),
    )


def _predictions(catalog: Catalog, store: ModelStore, card: dict[str, Any], recent: Dataset, settings: DriftSettings) -> dict[str, Any]:
    """Of rows after the test part, against the test part."""
    from jobs.monitoring.compare import furthest_first
    from jobs.monitoring.drift import NotEnoughRows
    from jobs.monitoring.predictions import NAMES, prediction_drift
    from jobs.training.dataset import NotEnoughData
    from udfs.kernels.feature_vector import FEATURE_NAMES
    from udfs.scoring.onnx_model import load_model

    test = card["parts"]["test"]
    scorer = load_model(store.read(card["model_version"], MODEL_FILE), FEATURE_NAMES, card["sha256"])
    compared = len(card["feature_names"]) + len(NAMES)
    try:
        reference = _rows_between(catalog, test["from"], test["to"] + 1, card["symbols"])
        found = prediction_drift(scorer, reference, recent.take(recent.event_time > test["to"]), compared, settings)
    except (NotEnoughRows, NotEnoughData) as error:
        return {"compared": False, "why": str(error), "alarms": []}
    alarms = [one.feature for one in found if one.alarm]
    return {"compared": True, "found": [one.as_json() for one in furthest_first(found)], "alarms": alarms}


def _rows_between(catalog: Catalog, first: int, last: int | None, symbols: list[str]) -> Dataset:
    """Feature rows of [first, last) of event time, nanoseconds, None without end. Raises NotEnoughData where there are none."""
    from jobs.lake.reading import Selection, read_rows
    from jobs.lake.tables import NAMESPACE
    from jobs.training.dataset import COLUMNS, from_batches
    from udfs.kernels.feature_vector import FEATURE_NAMES

    return from_batches(read_rows(catalog, NAMESPACE, "features", COLUMNS, Selection(first, last, tuple(symbols))), FEATURE_NAMES)


def card_of(store: ModelStore, version: str = "") -> dict[str, Any]:
    """Of the named model, of the champion, or of the newest. Raises ModelMismatch where there is none."""
    stored, champion = store.versions(), None if version else aliases_of(store).at(CHAMPION)
    chosen = version or (champion.version if champion else (stored or ("",))[-1])
    if chosen not in stored:
        raise ModelMismatch(f"there is no model {chosen or 'yet'}; `infra/tickflow train` makes one")
    return read_card(store, chosen)


def _tell(result: dict[str, Any]) -> None:
    print(f"{result['recent_rows']} rows against {result['reference_rows']} that {result['model']} was trained on")
    for one in result["features"][:_SHOWN]:
        marks = f"PSI {one['psi']:.3f} of {one['psi_threshold']:.3f}, KS {one['distance']:.3f} of {one['distance_threshold']:.3f}"
        print(f"  {'DRIFT' if one['alarm'] else '     '} {one['feature']:<40} {marks}")
    predictions = result["predictions"]
    for one in predictions.get("found", ()):
        print(f"  {'DRIFT' if one['alarm'] else '     '} {one['feature']:<40} PSI {one['psi']:.3f} of {one['psi_threshold']:.3f}")
    if not predictions["compared"]:
        print(f"  predictions were not compared: {predictions['why']}")
    print(f"{len(result['alarms'])} have drifted" if result["drifted"] else "nothing has drifted beyond doubt")


def _parser() -> argparse.ArgumentParser:
    from infra.local.paths import DATA

    parser = argparse.ArgumentParser(prog="infra/tickflow drift", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="measure on made-up rows how often it cries wolf, and how soon it finds a shift"
    )
    parser.add_argument("--model", default="", metavar="VERSION", help="whose training rows are the reference (default: the champion's)")
    parser.add_argument(
        "--from", dest="from_time", type=parse_time, metavar="TIME", help="first event time (default: after the training rows)"
    )
    parser.add_argument("--to", dest="to_time", type=parse_time, metavar="TIME", help="event time to stop before")
    parser.add_argument("--false-alarms", type=float, default=0.01, help="share of comparisons without drift that raise one (default 0.01)")
    parser.add_argument("--block-seconds", type=float, default=600.0, help="distance at which rows tell different things (default 600)")
    parser.add_argument("--lake", type=Path, default=DATA / "lake", metavar="FOLDER", help="the local lake; TICKFLOW_LAKE_* come first")
    parser.add_argument("--models", default=os.environ.get("TICKFLOW_MODELS", ""), metavar="LOCATION", help="folder or s3://… of models")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    return parser
