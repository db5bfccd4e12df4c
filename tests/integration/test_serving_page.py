"""The web page as it is served: whole, from this program alone, and closed to what does not belong to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from jobs.serving.api.application import PAGE
from tests.support.served import NOBODY, own_settings, served

FILES = sorted(path.relative_to(PAGE).as_posix() for path in PAGE.rglob("*") if path.is_file())
OWN = [name for name in FILES if not name.startswith("uplot/")]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with served(own_settings(NOBODY, f"redis://{NOBODY}/0"), tmp_path_factory.mktemp("page")) as api, api.stranger() as found:
        yield found


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_served_as_it_is_and_asked_after(client: httpx.Client, name: str) -> None:
    found = client.get(f"/{name}")
    assert found.content == (PAGE / name).read_bytes()
    assert found.headers["cache-control"] == "no-cache"
    assert client.get(f"/{name}", headers={"If-None-Match": found.headers["etag"]}).status_code == 304


def test_the_page_may_load_nothing_from_elsewhere(client: httpx.Client) -> None:
    policy = client.get("/").headers["content-security-policy"]
    allowed = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert allowed["default-src"] == "'none'"
    assert {allowed[name] for name in ("script-src", "style-src", "connect-src")} == {"'self'"}
    assert "unsafe" not in policy


@pytest.mark.parametrize("name", OWN)
def test_files_name_nothing_from_elsewhere_and_no_markup_of_strangers(name: str) -> None:
    text = (PAGE / name).read_text()
    assert not re.search(r"https?://|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", text)
    assert not re.search(r"<[^>]* (style|on[a-z]+)=", text), "the policy forbids both"


@pytest.mark.parametrize("name", [name for name in OWN if name.endswith((".js", ".html"))])
def test_what_a_file_loads_is_there(name: str) -> None:
    text = (PAGE / name).read_text()
    wanted = re.findall(r'from "\./([^"]+)"|(?:src|href)="(?!#|data:)([^"]+)"', text)
    assert not [path for pair in wanted for path in pair if path and not (PAGE / path).is_file()]


@pytest.mark.parametrize("path", ["../application.py", "%2e%2e/__init__.py", "..%2f..%2fsettings.py", "nothing.js"])
def test_nothing_else_can_be_fetched(client: httpx.Client, path: str) -> None:
    assert client.get(f"/{path}").status_code == 404


COLOURS = re.compile(r"--([a-z]+): (#[0-9a-f]{6})")


@pytest.mark.parametrize("selector", [":root {", ":root.dark {"])
def test_colours_of_words_have_enough_contrast(selector: str) -> None:
    """WCAG 2.1 AA: 4.5 to 1 for text, 3 to 1 for lines of controls, on both grounds, light and dark."""
    line = next(line for line in (PAGE / "page.css").read_text().splitlines() if line.startswith(selector))
    colours = dict(COLOURS.findall(line))
    for ground in ("ground", "raised"):
        for name in ("ink", "soft", "link", "up", "down", "warn"):
            assert contrast(colours[name], colours[ground]) >= 4.5, f"{name} on {ground}"
    assert contrast(colours["onlink"], colours["link"]) >= 4.5
    assert contrast(colours["line"], colours["ground"]) >= 3


def contrast(first: str, second: str) -> float:
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = [value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_library_comes_with_its_licence() -> None:
    assert "MIT" in (PAGE / "uplot" / "LICENSE").read_text()
    assert Path(PAGE / "uplot" / "uPlot.iife.min.js").stat().st_size < 100_000
