"""`infra/tickflow models`: what is stored, which names models bear, and who bore one at a time; gives and takes challenger names."""

from __future__ import annotations

import argparse
import hashlib
import os
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from infra.local.paths import DATA
from jobs.control_verbs import current_user
from jobs.lake.settings import lake_from_environment
from jobs.model_aliases import CHAMPION, AliasHistory, aliases_of
from jobs.model_store import MODEL_FILE, ModelStore
from jobs.releasing import chosen_store
from jobs.time_arguments import parse_time
from jobs.verb_result import NOT_HELD, USAGE, finish
from udfs.errors import ModelMismatch, TickflowError


def main(arguments: list[str]) -> int:
    """Run the verb; 0 done, 1 the store cannot do it, 2 usage."""
    options = _parser().parse_args(arguments)
    return finish("models", options.json, partial(_run, options), _tell, {TickflowError: NOT_HELD, ValueError: USAGE})


def _run(options: argparse.Namespace) -> dict[str, Any]:
    store = chosen_store(options, lake_from_environment(os.environ, options.lake))
    aliases = aliases_of(store)
    if options.name:
        _give(options, store, aliases)
    at = aliases.at(options.alias, options.at)
    return {
        "versions": list(store.versions()),
        "aliases": aliases.current(),
        "asked": {"alias": options.alias, "time": options.at, "bearer": None if at is None else asdict(at)},
        "history": [asdict(entry) for entry in aliases.all()],
    }


def _give(options: argparse.Namespace, store: ModelStore, aliases: AliasHistory) -> None:
    """A challenger's name; who is champion is decided by a release alone."""
    alias, _, version = options.name.partition("=")
    if alias == CHAMPION:
        raise ValueError("a model becomes champion by being released: `infra/tickflow train --release`")
    if not options.reason.strip():
        raise ValueError("--reason is empty")
    if version and version not in store.versions():
        raise ModelMismatch(f"there is no model {version}; stored are {', '.join(store.versions()) or 'none'}")
    sha256 = hashlib.sha256(store.read(version, MODEL_FILE)).hexdigest() if version else ""
    aliases.give(alias, version, sha256, time.time_ns(), options.author, options.reason)


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
    parser.add_argument("--name", default="", metavar="challenger-X=VERSION", help="give a name; nothing after = takes it away")
    parser.add_argument("--reason", default="", metavar="TEXT", help="why; it stays in the record")
    parser.add_argument("--by", dest="author", default=current_user(), metavar="NAME", help="who (default: the user's name)")
    parser.add_argument(
        "--lake", type=Path, default=DATA / "lake", metavar="FOLDER", help="the local lake; TICKFLOW_LAKE_* settings come first"
    )
    parser.add_argument("--models", default=os.environ.get("TICKFLOW_MODELS", ""), metavar="LOCATION", help="folder or s3://… of models")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    return parser
