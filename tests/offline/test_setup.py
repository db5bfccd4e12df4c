"""Setting up: downloads resume and are verified, locks are read as written, a finished setup is recognised and nothing else is."""

from __future__ import annotations

import hashlib
import http.server
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from infra.local import jars, paths, setup
from infra.local.console import SetupError
from infra.local.jars import LockedJar

CONTENT = bytes(range(256)) * 4096
COORDINATES = "org.example:thing:1.0"
PLACE = "/org/example/thing/1.0/thing-1.0.jar"


class Repository(http.server.BaseHTTPRequestHandler):
    """A Maven repository with one jar; it can break off after some bytes, and knows ranges."""

    content: ClassVar[bytes] = CONTENT
    break_off_after: ClassVar[list[int]] = []
    ranges: ClassVar[list[str | None]] = []

    def do_GET(self) -> None:
        if self.path != PLACE:
            self.send_error(404)
            return
        wanted = self.headers.get("Range")
        self.ranges.append(wanted)
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        body = self.content[start:]
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: self.break_off_after.pop()] if self.break_off_after else body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture
def repository(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[type[Repository]]:
    handler = type("Handler", (Repository,), {"break_off_after": [], "ranges": [], "content": CONTENT})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("TICKFLOW_MAVEN_REPOSITORY", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(jars.time, "sleep", lambda seconds: None)
    yield handler
    server.shutdown()
    server.server_close()


def locked(content: bytes = CONTENT) -> LockedJar:
    return LockedJar(COORDINATES, len(content), hashlib.sha256(content).hexdigest())


def test_a_download_goes_on_where_it_broke_off(repository: type[Repository]) -> None:
    repository.break_off_after = [700_000, 300_000]
    path = jars.verified(locked(), jars.context())
    assert path.read_bytes() == CONTENT
    starts = [int(wanted.removeprefix("bytes=").removesuffix("-")) for wanted in repository.ranges if wanted]
    assert repository.ranges[0] is None
    assert 0 < starts[0] <= 300_000 < starts[1] <= 1_000_000
    assert not list(path.parent.glob("*.part"))


def test_a_cached_jar_is_not_fetched_again(repository: type[Repository]) -> None:
    jars.verified(locked(), jars.context())
    jars.verified(locked(), jars.context())
    assert len(repository.ranges) == 1


def test_a_damaged_cache_is_repaired(repository: type[Repository]) -> None:
    path = jars.verified(locked(), jars.context())
    path.write_bytes(CONTENT[:-1] + b"!")
    assert jars.verified(locked(), jars.context()).read_bytes() == CONTENT


def test_a_wrong_jar_is_refused(repository: type[Repository]) -> None:
    repository.content = CONTENT[:-1] + b"!"
    with pytest.raises(SetupError, match="sha256"):
        jars.verified(locked(), jars.context())


def test_an_absent_jar_is_named(repository: type[Repository]) -> None:
    with pytest.raises((SetupError, RuntimeError), match=r"absent.*not found"):
        jars.verified(LockedJar("org.example:absent:1.0", 1, "0" * 64), jars.context())


def test_every_jar_is_locked_by_a_hash() -> None:
    for group, entries in jars.read_lock().items():
        assert entries, group
        assert all(re.fullmatch(r"[0-9a-f]{64}", jar.sha256) and jar.size > 0 for jar in entries)
        assert len({jar.file_name for jar in entries}) == len(entries)


def test_the_lock_holds_what_the_project_asks_for() -> None:
    import tomllib

    groups = tomllib.loads(paths.PROJECT.read_text())["tool"]["tickflow"]["jars"]
    lock = jars.read_lock()
    assert set(groups) == set(lock)
    for name, group in groups.items():
        assert set(group["coordinates"]) <= {jar.coordinates for jar in lock[name]}


def test_every_package_is_locked_by_a_hash() -> None:
    for lock in (paths.PYTHON_LOCK, paths.BUILD_LOCK, paths.BOOTSTRAP_LOCK):
        requirements = re.findall(r"^([a-z0-9][^\s]*==\S+)(.*(?:\n    --hash=sha256:[0-9a-f]{64}.*)+)", lock.read_text(), re.MULTILINE)
        assert len(requirements) == len(re.findall(r"^[a-z0-9]", lock.read_text(), re.MULTILINE)) > 0


def test_the_installer_has_one_version() -> None:
    assert paths.BOOTSTRAP_LOCK.read_text() == setup.lock_entry(paths.PYTHON_LOCK.read_text(), "uv")


def test_a_changed_lock_asks_for_setup(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lock, stamp = tmp_path / "a.lock", tmp_path / "setup.json"
    lock.write_text("one")
    monkeypatch.setattr(setup, "LOCKS", (lock,))
    monkeypatch.setattr(paths, "SETUP_STAMP", stamp)
    assert not setup.is_current()
    stamp.write_text(json.dumps({"fingerprint": setup.fingerprint()}))
    assert setup.is_current()
    lock.write_text("two")
    assert not setup.is_current()
    stamp.write_text("{")
    assert not setup.is_current()


@pytest.mark.parametrize(
    ("arguments", "code"), [(["--help"], 0), ([], 2), (["no-such-verb"], 2), (["up", "--help"], 0), (["up", "--lake", "pond"], 2)]
)
def test_the_command_says_what_it_knows(arguments: list[str], code: int) -> None:
    result = subprocess.run([sys.executable, paths.ROOT / "infra" / "tickflow", *arguments], capture_output=True, text=True)
    assert result.returncode == code
    assert result.stdout if code == 0 or not arguments else result.stderr
