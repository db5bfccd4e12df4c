"""`infra/tickflow why SIGNAL_ID`: walk a stored signal back to the events that made it, make it again, and say what would change it."""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

from pyiceberg.catalog import Catalog

from infra.local import paths
from jobs.audit.log import TRADING_LOG, AuditLog, audit_folder
from jobs.explanation.flips import nearest_flips
from jobs.explanation.left_out import without_each
from jobs.explanation.made_again import MadeAgain, differences, make_again, reasons_of, stored_signal
from jobs.explanation.moment import moment_of, up_to
from jobs.explanation.outcome import outcome_of
from jobs.explanation.sample import Sample, made_again_at_random
from jobs.explanation.telling import tell
from jobs.explanation.verdict import manifest_of, risk_verdict
from jobs.lake.catalog import open_catalog
from jobs.lake.settings import LakeSettings, lake_from_environment
from jobs.model_store import fetch_model
from jobs.recomputation.stored import FrameChanged, settings_that_made_rows
from jobs.schema_registry import schema_ids
from jobs.settings import Settings, load_settings
from jobs.verb_result import NOT_HELD, USAGE, finish, needs_stored
from udfs.codecs.frames import decode_frame
from udfs.codecs.wire import SchemaIds
from udfs.errors import TickflowError
from udfs.kernels.events import EventKind
from udfs.kernels.feature_vector import FEATURE_NAMES
from udfs.records import SignalCode, SignalStatus

_SHOWN_EVENTS, _SHOWN_FRAMES = 10, 10


def explain(catalog: Catalog, lake: LakeSettings, settings: Settings, signal_id: str, journal: Path | None = None) -> dict[str, Any]:
    """Everything that is known of a signal, as JSON values; `journal` is that of trading. Raises TickflowError and FrameChanged."""
    stored = stored_signal(catalog, signal_id)
    ids = schema_ids(settings.schema_registry_url)
    fetch = partial(fetch_model, s3_endpoint=lake.s3_endpoint, s3_region=lake.s3_region)
    again = make_again(catalog, stored, settings_that_made_rows(catalog, settings), fetch, ids)
    found = differences(stored, again.signal)
    scorer = again.control.scorer
    return {
        "signal": _described(stored),
        "identical": not found,
        "differences": found,
        "frames_processed": again.frames_read,
        "source": _source(stored, again, ids),
        "moment": _moment(stored, again),
        "features": _features(again),
        "reasons": reasons_of(stored),
        "model": None if scorer is None else {"version": scorer.version, "sha256": scorer.sha256, "trained_until": scorer.trained_until},
        "manifest": manifest_of(catalog, stored["manifest_id"]),
        "risk": risk_verdict(journal or AuditLog(audit_folder(), TRADING_LOG).path, signal_id),
        "without": without_each(again),
        "would_flip": nearest_flips(scorer, again.row.row) if scorer else [],
        "outcome": outcome_of(catalog, stored),
    }


def _described(stored: dict[str, Any]) -> dict[str, Any]:
    names = ("signal_id", "symbol", "event_number", "event_time_ns", "available_time_ns", "price", "confidence", "expected_return", "sigma")
    direction = {-1: "down", 0: "neutral", 1: "up"}[stored["direction"]]
    status, code = SignalStatus(stored["status"]).name.lower(), SignalCode(stored["code"]).name.lower()
    return {name: stored[name] for name in names} | {"direction": direction, "status": status, "code": code}


def _moment(stored: dict[str, Any], again: MadeAgain) -> dict[str, Any]:
    """Book and windows just after the event that made the row."""
    recent = again.recent
    walk = recent.walk()
    for frame in recent.frames[:-1]:
        walk.over(frame)
    framing = recent.settings.schema_ids.framing("MarketFrame")
    walk.over(recent.frame._replace(frame=up_to(recent.frame.frame, stored["event_index"], framing)))
    return moment_of(walk.state())


def _source(stored: dict[str, Any], again: MadeAgain, ids: SchemaIds) -> dict[str, Any]:
    """Where the signal's frame stands in the log, the frames before it, and its events up to the one that made the row."""
    columns = decode_frame(again.recent.frame.frame, ids.framing("MarketFrame")).columns
    last = stored["event_index"] + 1
    events = [
        {
            "kind": EventKind(int(columns.kind[index])).name.lower(),
            "event_time_ns": int(columns.event_time[index]),
            "available_time_ns": int(columns.available_time[index]),
            "sequence": int(columns.sequence[index]),
        }
        for index in range(max(0, last - _SHOWN_EVENTS), last)
    ]
    position = {name: stored[name] for name in ("topic", "kafka_partition", "kafka_offset", "event_index")}
    frames = [
        {
            "kafka_offset": frame.position.offset,
            "event_time_ns": frame.event_time,
            "bytes": len(frame.frame),
            "frame_hash": frame.frame_hash,
        }
        for frame in again.recent.frames[-_SHOWN_FRAMES:]
    ]
    return position | {"frame_hash": again.recent.frame.frame_hash, "frames": frames, "events": events}


def _features(again: MadeAgain) -> list[dict[str, Any]]:
    """Each feature's value; for inputs of the model, where it lies between the least and greatest usual value of the training."""
    row, scorer = again.row.row, again.control.scorer
    ranges = dict(zip(scorer.metadata.feature_names, scorer.metadata.quantiles, strict=True)) if scorer else {}
    return [
        {"feature": name, "value": float(value) if valid else None}
        | ({"usual": [float(ranges[name][0]), float(ranges[name][-1])]} if name in ranges else {})
        for name, value, valid in zip(FEATURE_NAMES, row.values, row.valid, strict=True)
    ]


def main(arguments: list[str]) -> int:
    """Run the verb; 0 the same bits again, 1 not the same (of a sample: or too slowly), 2 unknown signal, usage or environment."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if (options.signal_id is None) == (options.sample is None):
        parser.error("name a signal, or a sample")
    codes = {FrameChanged: NOT_HELD, TickflowError: USAGE, ValueError: USAGE}
    if options.sample is not None:
        return finish("why", options.json, partial(_run_sample, options), _tell_sample, codes, lambda result: bool(result["holds"]))
    return finish("why", options.json, partial(_run, options), tell, codes, lambda result: bool(result["identical"]))


def _run(options: argparse.Namespace) -> dict[str, Any]:
    lake = lake_from_environment(os.environ, options.lake)
    with needs_stored("rows"):
        return explain(open_catalog(lake), lake, load_settings(), options.signal_id)


def _run_sample(options: argparse.Namespace) -> dict[str, Any]:
    lake, settings = lake_from_environment(os.environ, options.lake), load_settings()

    def explained_alone(signal_id: str) -> bool:
        return bool(explain(open_catalog(lake), lake, settings, signal_id)["identical"])

    with needs_stored("rows"):
        return made_again_at_random(
            open_catalog(lake), lake, settings, Sample(options.sample, options.seed, options.alone), explained_alone
        )


def _tell_sample(result: dict[str, Any]) -> None:
    together, alone = result["together"], result["alone"]
    print(f"{result['identical']} of {result['sampled']} signals made again with the same bits ({result['stored']} are stored)")
    print(f"together: {together['seconds']} s, {together['symbols']} symbols, {together['frames']} frames")
    times = f"p50 {alone['p50']} s, p99 {alone['p99']} s, longest {alone['max']} s ({alone['cpu_max']} s of a processor)"
    print(f"alone, {alone['count']} of them: {alone['identical']} identical; {times}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="infra/tickflow why", description=__doc__)
    parser.add_argument("signal_id", nargs="?", help="`signal_id` of a signal that is in the lake")
    parser.add_argument("--sample", type=int, metavar="N", help="instead of one signal make N random ones again, and measure it")
    parser.add_argument("--seed", type=int, default=1, help="which random ones (default 1)")
    parser.add_argument(
        "--alone", type=int, default=50, metavar="N", help="of them, explained one by one as if asked for alone (default 50)"
    )
    parser.add_argument("--lake", type=Path, default=paths.DATA / "lake", metavar="FOLDER", help="folder of the local lake")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
