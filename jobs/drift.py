"""`infra/tickflow drift`: whether the stored features still are what a model was trained on. Needs no outcomes."""

from __future__ import annotations

import argparse
import json
import os
from functools import partial
from pathlib import Path
from typing import Any

from jobs.model_aliases import CHAMPION, aliases_of
from jobs.model_store import CARD_FILE, ModelStore
from jobs.releasing import chosen_store
from jobs.time_arguments import parse_time
from jobs.verb_result import NOT_HELD, USAGE, finish, needs_stored
from udfs.errors import InvalidSettings, ModelMismatch, TickflowError

_SHOWN = 15


def main(arguments: list[str]) -> int:
    """Run the verb; 0 no drift, 1 drift or not enough rows, 2 usage or environment."""
    options = _parser().parse_args(arguments)
    codes: dict[type[Exception], int] = {InvalidSettings: USAGE, TickflowError: NOT_HELD, ValueError: USAGE}
    return finish("drift", options.json, partial(_run, options), _tell, codes, lambda result: not result["drifted"])


def _run(options: argparse.Namespace) -> dict[str, Any]:
    from jobs.lake.catalog import open_catalog
    from jobs.lake.settings import lake_from_environment
    from jobs.monitoring.compare import as_json, drift_of
    from jobs.monitoring.drift import DriftSettings

    lake = lake_from_environment(os.environ, options.lake)
    card = _card(chosen_store(options, lake), options.model)
    first, last = card["training_range"]
    with needs_stored("feature rows"):
        catalog = open_catalog(lake)
        reference = _rows(catalog, first, last + 1, card["symbols"])
        recent = _rows(catalog, options.from_time or last + 1, options.to_time, card["symbols"])
    settings = DriftSettings(false_alarms=options.false_alarms, block=round(options.block_seconds * 1e9))
    found = drift_of(reference, recent, tuple(card["feature_names"]), settings)
    return {"model": card["model_version"], **as_json(found, reference, recent)}


def _rows(catalog: Any, first: int, last: int | None, symbols: list[str]) -> Any:
    from jobs.lake.reading import Selection, read_rows
    from jobs.lake.tables import NAMESPACE
    from jobs.training.dataset import COLUMNS, from_batches
    from udfs.kernels.feature_vector import FEATURE_NAMES

    return from_batches(read_rows(catalog, NAMESPACE, "features", COLUMNS, Selection(first, last, tuple(symbols))), FEATURE_NAMES)


def _card(store: ModelStore, version: str) -> dict[str, Any]:
    """Of the named model, of the champion, or of the newest. Raises ModelMismatch where there is none."""
    champion = aliases_of(store).at(CHAMPION)
    chosen = version or (champion.version if champion else (store.versions() or ("",))[-1])
    if chosen not in store.versions():
        raise ModelMismatch(f"there is no model {chosen or 'yet'}; `infra/tickflow train` makes one")
    found: dict[str, Any] = json.loads(store.read(chosen, CARD_FILE))
    return found


def _tell(result: dict[str, Any]) -> None:
    print(f"{result['recent_rows']} rows against {result['reference_rows']} that {result['model']} was trained on")
    for one in result["features"][:_SHOWN]:
        marks = f"PSI {one['psi']:.3f} of {one['psi_threshold']:.3f}, KS {one['distance']:.3f} of {one['distance_threshold']:.3f}"
        print(f"  {'DRIFT' if one['alarm'] else '     '} {one['feature']:<40} {marks}")
    print(f"{len(result['alarms'])} features have drifted" if result["drifted"] else "no feature has drifted beyond doubt")


def _parser() -> argparse.ArgumentParser:
    from infra.local.paths import DATA

    parser = argparse.ArgumentParser(prog="infra/tickflow drift", description=__doc__)
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
