"""HTTP connections that never say anything: they are let go, so that idle sockets do not pile up."""

from __future__ import annotations

import asyncio
import resource
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

SILENT_SECONDS: Final = 20.0
"""How long a connection may take for the head of its first request."""
STUCK_SECONDS: Final = 40.0
"""How long what was sent may wait for a client to take it; a connection that is closed would wait for ever."""


class PatientProtocol(HttpToolsProtocol):
    """Closes a connection whose first request has not come after a while, and cuts one whose client does not take its answers."""

    def connection_made(self, transport: Any) -> None:
        """See asyncio.Protocol."""
        super().connection_made(transport)
        self._abort = asyncio.get_running_loop().call_later(SILENT_SECONDS, self._close_if_silent)

    def pause_writing(self) -> None:
        """See asyncio.Protocol: the client does not take what was sent."""
        super().pause_writing()
        self._abort = asyncio.get_running_loop().call_later(STUCK_SECONDS, cast(Any, self.transport).abort)

    def resume_writing(self) -> None:
        """See asyncio.Protocol."""
        super().resume_writing()
        self._abort.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        super().connection_lost(exc)
        self._abort.cancel()

    def _close_if_silent(self) -> None:
        transport, cycle = cast(Any, self.transport), cast(Any, self.cycle)
        if cycle is None and transport.get_protocol() is self and not transport.is_closing():
            transport.close()


def raise_open_files() -> int:
    """Let this process have as many sockets as it is allowed at all; how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
