"""`infra/tickflow screenshots`: pictures of the page of a running `serve`, at the widths of a desk and of a phone. Needs Chromium."""

from __future__ import annotations

import argparse
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any, Final

from infra.local import browser, paths
from jobs.verb_result import USAGE, finish
from udfs.errors import InvalidSettings

VIEWS: Final = ("watchlist", "symbol", "alerts", "models", "paper", "operations")
SIZES: Final = {"desktop": (1280, 800), "phone": (390, 844)}
_DRAWN: Final = "document.querySelector('h1') !== null && document.querySelector('main').innerText.length > 10"
_QUIET: Final = "new Promise((done) => setTimeout(() => done(true), 700))"
"""Long enough for charts and the first live values."""


def main(arguments: list[str]) -> int:
    """Run the verb; 0 done, 2 usage or environment."""
    options = _parser().parse_args(arguments)
    codes: dict[type[Exception], int] = {InvalidSettings: USAGE, OSError: USAGE}
    return finish("screenshots", options.json, partial(take, options), lambda result: print("\n".join(result["files"])), codes)


def take(options: argparse.Namespace) -> dict[str, Any]:
    """Write the pictures; their names. Raises InvalidSettings without a browser, and TimeoutError when the page does not answer."""
    program = browser.installed()
    if program is None:
        raise InvalidSettings("no Chromium is installed")
    options.folder.mkdir(parents=True, exist_ok=True)
    files = []
    with tempfile.TemporaryDirectory() as profile, browser.opened(program, Path(profile)) as page:
        page.go(f"{options.url.rstrip('/')}/#{options.key}")
        page.until("location.hash === '#/watchlist'")
        for name, (width, height) in SIZES.items():
            page.size(width, height, mobile=name == "phone")
            files += [_picture(page, view, name, options) for view in VIEWS]
    return {"folder": str(options.folder), "files": files}


def _picture(page: browser.Browser, view: str, size: str, options: argparse.Namespace) -> str:
    page.value(f"location.hash = '#/{f'symbol/{options.symbol}' if view == 'symbol' else view}'")
    page.until(_DRAWN)
    page.value(_QUIET)
    file = f"{view}-{size}.png"
    (options.folder / file).write_bytes(page.picture())
    return file


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="infra/tickflow screenshots", description="Pictures of the page of a running `serve`.")
    parser.add_argument("--url", default="http://127.0.0.1:8700", help="where it is (default http://127.0.0.1:8700)")
    parser.add_argument("--key", required=True, help="a key that may read")
    parser.add_argument("--symbol", required=True, help="whose page is shown, too")
    parser.add_argument(
        "--folder", type=Path, default=paths.HOME / "screenshots", help="where the pictures go (default .tickflow/screenshots)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
