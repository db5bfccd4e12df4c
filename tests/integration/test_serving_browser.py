"""The page in a real browser, where one is installed: signals change, a symbol is opened, a breaker is tripped and reset."""

from __future__ import annotations

import importlib.resources
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.browser import Browser, installed, opened
from infra.local.endpoints import Endpoints
from jobs.serving import screenshots
from tests.support.online_records import feature_row, signal
from tests.support.served import Served, own_settings, served, wait_until

CHROMIUM = installed()
VIEWS = ["watchlist", "symbol/B1", "alerts", "models", "paper", "operations"]
STANDARD = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")


@pytest.fixture(scope="module")
def api(services: Endpoints, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    settings = own_settings(services.kafka_bootstrap, services.redis_url)
    with served(settings, tmp_path_factory.mktemp("api")) as found:
        found.send(signal("B1", 1), signal("B2", 1), feature_row("B1", 1))
        wait_until(lambda: {"B1", "B2"} <= set(found.parts.cache.signals))
        yield found


@pytest.fixture(scope="module")
def browser(api: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with opened(str(CHROMIUM), tmp_path_factory.mktemp("browser")) as found:
        found.go(f"{api.url}/#{api.key('ann', ('read', 'write', 'operate'))}")
        found.until("document.querySelector('tr[data-symbol=B1]') !== null")
        yield found


def test_signals_change_on_the_page_and_the_key_leaves_the_address(browser: Browser, api: Served) -> None:
    assert browser.value("location.hash") == "#/watchlist"
    price = "document.querySelector('tr[data-symbol=B1] td[data-name=Price]').textContent"
    api.send(signal("B1", 70))
    browser.until(f"{price} === '110.0000'")
    assert "▲ up" in browser.value("document.querySelector('tr[data-symbol=B1]').innerText")


def test_a_symbol_opens_by_keyboard(browser: Browser) -> None:
    browser.value("document.querySelector('tr[data-symbol=B1] a').focus()")
    browser.key("Enter")
    browser.until("document.querySelector('h1')?.textContent === 'B1' && document.querySelector('dl') !== null")


def test_a_breaker_is_tripped_and_reset_after_a_confirmation(browser: Browser, api: Served) -> None:
    browser.value("location.hash = '#/operations'")
    browser.until("document.querySelector('input[name=reason]') !== null")
    browser.value(
        "document.querySelector('input[name=symbols]').value = 'B2'; document.querySelector('input[name=reason]').value = 'odd prices'"
    )
    for button, halted in (("Halt", True), ("Resume", False)):
        browser.value(f"[...document.querySelectorAll('form button')].find((each) => each.textContent === '{button}').click()")
        browser.until("document.querySelector('dialog')?.open === true")
        assert api.parts.control.current.snapshot.is_halted("B2") is not halted
        browser.value("document.getElementById('confirmed').click()")
        wait_until(lambda halted=halted: api.parts.control.current.snapshot.is_halted("B2") is halted)  # type: ignore[misc]


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_fits_a_phone_names_its_controls_and_breaks_nothing(browser: Browser, view: str) -> None:
    browser.size(390, 844)
    browser.value(f"location.hash = '#/{view}'")
    browser.until("document.querySelector('h1') !== null && document.querySelector('main').innerText.length > 10")
    assert browser.value("document.documentElement.scrollWidth") <= 390
    named = "each.textContent || each.labels?.length || each.ariaLabel"
    unnamed = f"[...document.querySelectorAll('button, input, select, a')].filter((each) => !({named}))"
    assert browser.value(f"{unnamed}.map((each) => each.outerHTML)") == []
    assert browser.value("document.querySelectorAll('h1').length") == 1
    assert browser.troubles == []


@pytest.mark.parametrize("view", VIEWS)
def test_an_audit_of_accessibility_finds_nothing_serious(browser: Browser, view: str) -> None:
    """axe-core, by WCAG 2.1 A and AA, dark at the width of a phone and light at that of a desk; what it finds is named."""
    browser.value(f"location.hash = '#/{view}'")
    browser.until("document.querySelector('h1') !== null && document.querySelector('main').innerText.length > 10")
    if not browser.value("'axe' in window"):
        browser.value(importlib.resources.files("axe_core_python").joinpath("axe.min.js").read_text() + "; true")
    for width, dark in ((390, True), (1280, False)):
        browser.size(width, 900, mobile=width < 1000)
        browser.value(f"document.documentElement.classList.toggle('dark', {json.dumps(dark)})")
        asked = f"axe.run(document, {{runOnly: {json.dumps(STANDARD)}}})"
        found = "found.violations.map((each) => [each.id, each.impact, each.nodes.map((node) => node.html)])"
        serious = [each for each in browser.value(f"{asked}.then((found) => {found})") if each[1] in ("serious", "critical")]
        assert serious == [], (width, dark)


def test_pictures_are_taken_of_a_running_program(api: Served, tmp_path: Path, browser: Browser, capsys: pytest.CaptureFixture[str]) -> None:
    assert screenshots.main(["--url", api.url, "--key", api.key(), "--symbol", "B1", "--folder", str(tmp_path), "--json"]) == 0
    files = json.loads(capsys.readouterr().out.splitlines()[-1])["files"]
    assert len(files) == 2 * len(screenshots.VIEWS)
    assert all((tmp_path / name).read_bytes().startswith(b"\x89PNG") for name in files)
