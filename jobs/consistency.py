"""`infra/tickflow consistency`: whether what was served on a day is what its stored frames make, feature by feature."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from pyiceberg.catalog import Catalog

from infra.local import paths, shipping
from jobs.lake.catalog import create_tables, open_catalog
from jobs.lake.flink_session import SqlResult
from jobs.lake.presentation import show
from jobs.lake.settings import LakeSettings, lake_from_environment
from jobs.lake.tables import NAMESPACE
from jobs.lake.writing import append_rows
from jobs.model_store import fetch_model
from jobs.recomputation.day import DayComparison, Online, compare_day, valid_values
from jobs.recomputation.rates import Rates, RowSet
from jobs.recomputation.stored import FrameChanged, settings_that_made_rows
from jobs.schema_registry import schema_ids
from jobs.settings import Settings, load_settings
from jobs.time_arguments import parse_time
from jobs.verb_result import NOT_HELD, USAGE, finish, needs_stored
from udfs.errors import TickflowError
from udfs.kernels.feature_vector import FEATURE_NAMES, FEATURE_SET

_SHOWN = 20
_COLUMNS = ("feature", "served", "recomputed", "mismatched", "missing", "extra")
_CONNECT_SECONDS = 1.0


def check_day(catalog: Catalog, lake: LakeSettings, settings: Settings, day: int, online: Online | None) -> dict[str, Any]:
    """Compare one day and publish what came out to the table `consistency`. Raises TickflowError."""
    made_by = settings_that_made_rows(catalog, settings)
    fetch = partial(fetch_model, s3_endpoint=lake.s3_endpoint, s3_region=lake.s3_region)
    compared = compare_day(catalog, day, made_by, schema_ids(settings.schema_registry_url), online, fetch)
    create_tables(catalog, lake.buckets)
    append_rows(catalog, NAMESPACE, "consistency", _table_rows(compared, made_by, day, datetime.now(UTC)))
    return _result(compared, day)


def _table_rows(compared: DayComparison, made_by: Settings, day: int, checked_at: datetime) -> list[dict[str, Any]]:
    rows = _feature_rows("lake", compared.rates) + (_feature_rows("online store", compared.online) if compared.online else [])
    shared = {
        "day": datetime.fromtimestamp(day / 1e9, UTC),
        "checked_at": checked_at,
        "feature_set": FEATURE_SET,
        "manifest_id": made_by.manifest_id(shipping.code_hash()),
    }
    return [row | shared for row in rows]


def _feature_rows(served_from: str, rates: Rates) -> list[dict[str, Any]]:
    """One row for each feature."""
    counts = {name: getattr(rates, name) for name in _COLUMNS[1:]}
    shares = {f"{name}_rate": rates.shares(counts[name]) for name in ("mismatched", "missing", "extra")}
    columns = counts | shares
    rows = {"served_from": served_from, "rows_served": rates.rows_served, "rows_recomputed": rates.rows_recomputed}
    values = [{column: found[k].item() for column, found in columns.items()} for k in range(len(FEATURE_NAMES))]
    return [{"feature": name} | rows | own for name, own in zip(FEATURE_NAMES, values, strict=True)]


def _result(compared: DayComparison, day: int) -> dict[str, Any]:
    consistent = compared.rates.consistent and (compared.online is None or compared.online.consistent)
    return {
        "day": f"{datetime.fromtimestamp(day / 1e9, UTC):%Y-%m-%d}",
        "consistent": consistent,
        "lake": _summary(compared.rates),
        "online_store": _summary(compared.online) if compared.online else None,
    }


def _summary(rates: Rates) -> dict[str, Any]:
    wrong = [row for row in _feature_rows("", rates) if row["mismatched"] or row["missing"] or row["extra"]]
    names = ("rows_served", "rows_recomputed", "rows_missing", "rows_extra")
    values = {name: int(getattr(rates, name).sum()) for name in _COLUMNS[1:]}
    return {name: getattr(rates, name) for name in names} | values | {"features": [_named(row) for row in wrong]}


def _named(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in (*_COLUMNS, "mismatched_rate", "missing_rate", "extra_rate")}


def online_rows(redis_url: str) -> Online | None:
    """The online store's newest rows, or None when it is not up."""
    from redis import Redis, RedisError

    from jobs.serving.latest import read_latest

    client: Any = Redis.from_url(redis_url, socket_connect_timeout=_CONNECT_SECONDS)
    try:
        client.ping()
    except RedisError:
        return None

    def newest(symbols: Sequence[str]) -> dict[str, RowSet]:
        found = {symbol: latest.features for symbol, latest in read_latest(client, symbols).items()}
        known = {symbol: row for symbol, row in found.items() if row is not None and row.feature_set == FEATURE_SET}
        return {symbol: _one_row(row) for symbol, row in known.items()}

    return newest


def _one_row(row: Any) -> RowSet:
    import numpy as np

    return RowSet(np.array([row.event_number]), np.array([row.event_time]), valid_values(row.values, row.valid)[None, :])


def main(arguments: list[str]) -> int:
    """Run the verb; 0 consistent, 1 not, 2 usage or environment."""
    options = _parser().parse_args(arguments)
    codes = {FrameChanged: NOT_HELD, TickflowError: USAGE, ValueError: USAGE}
    return finish("consistency", options.json, partial(_run, options), _tell, codes, lambda result: bool(result["consistent"]))


def _run(options: argparse.Namespace) -> dict[str, Any]:
    settings, lake = load_settings(), lake_from_environment(os.environ, options.lake)
    online = None if options.without_online_store else online_rows(settings.online.redis_url)
    with needs_stored("rows"):
        return check_day(open_catalog(lake), lake, settings, options.day, online)


def _tell(result: dict[str, Any]) -> None:
    for name in ("lake", "online_store"):
        found = result[name]
        if found is None:
            print("online store: not up, not compared")
            continue
        print(
            f"{name.replace('_', ' ')}: {found['rows_served']} rows served, {found['rows_recomputed']} recomputed,"
            f" {found['rows_missing']} missing, {found['rows_extra']} extra"
        )
        if found["features"]:
            rows = [tuple(row[column] for column in _COLUMNS) for row in found["features"][:_SHOWN]]
            show(SqlResult(_COLUMNS, rows, len(found["features"]) <= _SHOWN))
    print(f"{result['day']}: {'consistent' if result['consistent'] else 'NOT consistent'}")


def _day(text: str) -> int:
    """Midnight of a day, UTC, in nanoseconds. Raises ValueError for anything that is no plain date."""
    if len(text) != len("2024-03-01"):
        raise ValueError(text)
    return parse_time(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="infra/tickflow consistency", description=__doc__)
    parser.add_argument("--day", type=_day, required=True, metavar="DATE", help="day of event time, UTC, such as 2024-03-01")
    parser.add_argument(
        "--lake", type=Path, default=paths.DATA / "lake", metavar="FOLDER", help="the local lake; TICKFLOW_LAKE_* settings come first"
    )
    parser.add_argument("--without-online-store", action="store_true", help="compare the lake alone")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
