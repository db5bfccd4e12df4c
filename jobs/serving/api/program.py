"""`infra/tickflow serve`: the HTTP API and the web page, on this machine alone unless told otherwise."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from pathlib import Path

import uvicorn

from infra.local import paths
from infra.local.console import say
from jobs.control_verbs import control_settings, current_user, running_services
from jobs.lake.settings import lake_from_environment
from jobs.schema_registry import RegistryError
from jobs.serving.api.application import application
from jobs.serving.api.guard import LARGEST_BODY
from jobs.serving.api.keys import add_users_option, users_file
from jobs.serving.api.parts import ServeSettings
from jobs.serving.api.protocol import PatientProtocol, raise_open_files
from jobs.serving.api.users import SCOPES, Users
from udfs.errors import InvalidSettings

PORT, LOOPBACK = 8700, "127.0.0.1"
USAGE = 2


def main(arguments: list[str]) -> int:
    """Serve until interrupted; 2 when it cannot begin."""
    options = _parser().parse_args(arguments)
    try:
        settings = control_settings(options.settings, options.data)
        folder = options.data or paths.DATA
        lake = lake_from_environment({**running_services(options.data), **os.environ}, folder / "lake")
        remote = f"{options.host}:{options.grpc_port}" if options.grpc_port else ""
        serve = ServeSettings(users_file(options), options.stale_seconds, options.clock == "stream", options.rate, 4 * options.rate, remote)
        served = application(settings, lake, serve)
    except (InvalidSettings, RegistryError, OSError) as error:
        say(f"tickflow serve: {error}")
        return USAGE
    _greet(options, serve)
    raise_open_files()
    _spare_the_collector()
    uvicorn.run(
        served,
        host=options.host,
        port=options.port,
        http=PatientProtocol,
        ws_max_size=LARGEST_BODY,
        ws_per_message_deflate=False,
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=3,
    )
    return 0


def _spare_the_collector() -> None:
    """What is here now stays: looking through all of it again and again would only let requests wait."""
    gc.collect()
    gc.freeze()


def _greet(options: argparse.Namespace, serve: ServeSettings) -> None:
    """Where it is; the first time, with a key, which stands behind the `#` so that browsers keep it to themselves."""
    address = f"http://{options.host}:{options.port}/"
    users = Users(serve.users)
    if options.host != LOOPBACK:
        say("serve: reachable from other machines: put something in front that speaks TLS, or keys can be read on the way")
    if users.all_keys():
        say(f"serve: {address} (keys: infra/tickflow keys list)")
        return
    _, secret = users.add_key(current_user(), SCOPES)
    say(f"serve: {address}#{secret}")
    say("serve: this is the first key, shown once; more with infra/tickflow keys add")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="infra/tickflow serve", description="The HTTP API and the web page.")
    parser.add_argument(
        "--host", default=LOOPBACK, metavar="ADDRESS", help=f"address to listen on (default {LOOPBACK}: this machine alone)"
    )
    parser.add_argument("--port", type=int, default=PORT, help=f"port (default {PORT})")
    parser.add_argument(
        "--grpc-port", type=int, default=0, metavar="PORT", help="also answer the same reads over gRPC there (default: not)"
    )
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="data directory of the services (default .tickflow/data)")
    parser.add_argument("--settings", type=Path, metavar="FILE", help="settings file; TICKFLOW_… variables override it")
    parser.add_argument("--stale-seconds", type=float, default=60.0, metavar="S", help="age from which answers are fallbacks (default 60)")
    parser.add_argument("--clock", choices=("wall", "stream"), default="wall", help="what ages refer to; `stream` for a recorded market")
    parser.add_argument("--rate", type=float, default=100.0, metavar="N", help="requests a second of each key (default 100)")
    add_users_option(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
