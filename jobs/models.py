"""`infra/tickflow models`: what is stored, which names models bear, and who bore one at a time."""

from __future__ import annotations

import argparse
import os
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from infra.local.paths import DATA
from jobs.lake.settings import lake_from_environment
from jobs.model_aliases import CHAMPION, aliases_of
from jobs.releasing import chosen_store
from jobs.time_arguments import parse_time
from jobs.verb_result import NOT_HELD, USAGE, finish
from udfs.errors import TickflowError


def main(arguments: list[str]) -> int:
    """Run the verb; 0 done, 1 the store cannot do it, 2 usage."""
    options = _parser().parse_args(arguments)
    return finish("models", options.json, partial(_run, options), _tell, {TickflowError: NOT_HELD, ValueError: USAGE})


def _run(options: argparse.Namespace) -> dict[str, Any]:
    store = chosen_store(options, lake_from_environment(os.environ, options.lake))
    aliases = aliases_of(store)
    at = aliases.at(options.alias, options.at)
    return {
        "versions": list(store.versions()),
        "aliases": aliases.current(),
        "asked": {"alias": options.alias, "time": options.at, "bearer": None if at is None else asdict(at)},
        "history": [asdict(entry) for entry in aliases.all()],
    }


def _tell(result: dict[str, Any]) -> None:
    names = {version: alias for alias, version in result["aliases"].items()}
    for version in result["versions"]:
        print(f"{version}  {names.get(version, '')}")
    asked = result["asked"]
    bearer = asked["bearer"]
    print(f"{asked['alias']}: {'nobody' if bearer is None else bearer['version'] + ', because: ' + bearer['why']}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="infra/tickflow models", description=__doc__)
    parser.add_argument("--alias", default=CHAMPION, help="name to ask for (default champion)")
    parser.add_argument("--at", type=parse_time, metavar="TIME", help="who bore it then, ISO 8601, UTC (default now)")
    parser.add_argument(
        "--lake", type=Path, default=DATA / "lake", metavar="FOLDER", help="the local lake; TICKFLOW_LAKE_* settings come first"
    )
    parser.add_argument("--models", default=os.environ.get("TICKFLOW_MODELS", ""), metavar="LOCATION", help="folder or s3://… of models")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    return parser
