"""A headless Chromium, steered over its own protocol (Chrome DevTools Protocol, stable 1.3)."""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

ANSWER_SECONDS, PATIENCE_SECONDS = 60.0, 40.0


def installed() -> str | None:
    """The program, where there is one."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Browser:
    """One page."""

    def __init__(self, socket: ClientConnection) -> None:
        self.troubles: list[str] = []
        """What the page threw, and files that it could not load."""
        self._socket, self._numbers = socket, itertools.count(1)
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol; its answer."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(ANSWER_SECONDS))
            if message.get("method") == "Runtime.exceptionThrown":
                self.troubles.append(str(message["params"]))
            if message.get("method") == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
                self.troubles.append(str(message["params"]["entry"]))
            if message.get("id") == number:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result

    def go(self, address: str) -> None:
        """Open an address."""
        self.call("Page.navigate", url=address)

    def value(self, expression: str) -> Any:
        """What a JavaScript expression comes to."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def until(self, expression: str) -> None:
        """Return when the expression is true. Raises TimeoutError with what the page shows instead."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.value(expression) is not True:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{expression} does not become true; {self.value('document.body.innerText')!r}; {self.troubles}")
            time.sleep(0.05)

    def key(self, name: str) -> None:
        """Press a key."""
        for kind in ("keyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=13, text="\r" if kind == "keyDown" else ""
            )

    def size(self, width: int, height: int, mobile: bool = True) -> None:
        """As a screen of so many pixels."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile)

    def picture(self) -> bytes:
        """What the screen shows, as PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])


@contextmanager
def opened(program: str, folder: Path) -> Iterator[Browser]:
    """A browser with a profile of its own, until the block ends."""
    options = ["--headless=new", "--disable-gpu", "--remote-debugging-port=0", "--remote-allow-origins=*", f"--user-data-dir={folder}"]
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    process = subprocess.Popen([program, *options, *as_root, "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with connect(_page_address(folder), max_size=None) as socket:
            yield Browser(socket)
    finally:
        process.terminate()
        process.wait(30)


def _page_address(folder: Path) -> str:
    file, deadline = folder / "DevToolsActivePort", time.monotonic() + PATIENCE_SECONDS
    while not file.exists() or len(file.read_text().splitlines()) != 2:
        if time.monotonic() > deadline:
            raise TimeoutError("the browser did not begin")
        time.sleep(0.05)
    port = file.read_text().splitlines()[0]
    while True:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json") as answer:
            pages = [found for found in json.load(answer) if found["type"] == "page"]
        if pages:
            return str(pages[0]["webSocketDebuggerUrl"])
        time.sleep(0.05)
