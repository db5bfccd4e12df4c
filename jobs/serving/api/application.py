"""The HTTP application: paths, problems, and what surrounds every request."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from jobs.lake.settings import LakeSettings
from jobs.serving.api import live_paths, model_paths, operation_paths, paper_paths, problems, reading_paths, user_paths
from jobs.serving.api.guard import Guard, to_stderr
from jobs.serving.api.parts import Parts, ServeSettings
from jobs.serving.api.short_way import ShortWay
from jobs.serving.remote import server
from jobs.settings import Settings

PAGE: Final = Path(__file__).resolve().parents[1] / "page"

DESCRIPTION = """Signals, features, bars and alerts of a Tickflow job, with their history and their reasons.

Each answer carries the time of its event, its age in seconds and a status: `live`, or `fallback` when it is old or something does not
answer, with the reason in `why` and the last value that is known, or `unknown`. Every request needs a key as `Authorization: Bearer …`."""


def application(
    settings: Settings, lake: LakeSettings, serve: ServeSettings, log: Callable[[dict[str, Any]], None] | None = to_stderr
) -> FastAPI:
    """The application; it follows the topics from its start to its end."""

    @asynccontextmanager
    async def life(found: FastAPI) -> AsyncIterator[None]:
        found.state.parts = parts = Parts(settings, lake, serve).start()
        remote = await server.start(found, serve.grpc_address) if serve.grpc_address else None
        try:
            yield
        finally:
            if remote is not None:
                await remote.stop(server.STOP_SECONDS)
            parts.close()

    made = FastAPI(
        title="Tickflow", version="1", description=DESCRIPTION, lifespan=life, docs_url=None, redoc_url=None, redirect_slashes=False
    )
    for paths in (reading_paths, user_paths, operation_paths, model_paths, paper_paths, live_paths):
        made.include_router(paths.router)
    made.mount("/", StaticFiles(directory=PAGE, html=True))
    problems.install(made)
    made.add_middleware(ShortWay)
    made.add_middleware(Guard, log=log)
    return made
